//! A day in front of the console, in which time is only what it is told.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::json;
use trustline::domain::profile::{Guide, Profile, TokenSource};
use trustline::domain::token::RawToken;
use trustline::run::event::EventKind;
use trustline::tui::message::{Effect, Msg, RunNumber};
use trustline::tui::services::TokenRead;

use crate::console::macros::Driver;
use crate::console::sample;

const HOUR_S: i64 = 3600;
/// Seconds between two looks at the console; it is looked at each second around the end of a token.
const STEP_S: i64 = 5;

/// The program around the console: a token's source that gives tokens of an hour, and runs that pass at once.
struct Day {
    driver: Driver,
    /// When the token ends that the source gives now, in seconds since 1970.
    end: i64,
    renewals: usize,
    runs: usize,
}

impl Day {
    fn answer(&mut self, now: i64) {
        // What is answered may ask for more.
        while let Some(effect) = self.driver.effects.pop() {
            match effect {
                Effect::StartRun { run, .. } => self.run(run),
                Effect::ReadTokenAgain { run, .. } => {
                    self.renewals += 1;
                    self.end = now + HOUR_S;
                    let result = Ok(self.token());
                    self.driver.send_settled(Msg::TokenReadAgain { run, result });
                }
                _ => {}
            }
        }
    }

    fn claims(&self) -> serde_json::Value {
        let mut claims = sample::claims();
        claims["exp"] = json!(self.end);
        claims
    }

    fn token(&self) -> TokenRead {
        let part = |value: serde_json::Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let header = json!({"alg": "RS256", "kid": "2026-02", "typ": "JWT"});
        let text = format!("{}.{}.{}", part(header), part(self.claims()), URL_SAFE_NO_PAD.encode([7; 256]));
        let (raw, cleaned) = RawToken::clean(&text);
        TokenRead { source: "program print-token".into(), raw, cleaned }
    }

    fn run(&mut self, run: RunNumber) {
        self.runs += 1;
        let source = TokenSource::Command(vec!["print-token".into()]);
        let profile = Profile { token: Some(source), ..Profile::bare("p", Guide::AwsWorkloadIdentity) };
        self.driver.send_settled(Msg::RunOpened { run, profile: Box::new(profile), settings: vec![] });
        for mut event in sample::passing() {
            if let EventKind::Finished(check) = &mut event.kind
                && let Some(token) = check.facts.get_mut("token")
            {
                token["claims"] = self.claims();
            }
            self.driver.send_settled(Msg::RunEvent { run, event: Box::new(event) });
        }
        self.driver.send_settled(Msg::RunClosed { run });
    }

    /// How much the console holds, told by the length of all it could say of itself.
    fn size(&self) -> usize {
        format!("{:?}", self.driver.model).len()
    }
}

#[test]
fn after_a_day_it_holds_no_more_than_after_an_hour_and_every_countdown_was_right() {
    let start = sample::NOW_MS / 1000;
    let mut day = Day { driver: Driver::start(), end: start + 2467, renewals: 0, runs: 0 };
    day.driver.press("L<enter>");
    day.answer(start);
    // Once a minute, all day.
    day.driver.press("WG<enter>");
    day.answer(start);
    let mut after_two_hours = 0;
    let mut now = start;
    while now < start + 24 * HOUR_S {
        now += if (day.end - now).abs() <= 2 * STEP_S { 1 } else { STEP_S };
        day.driver.send_settled(Msg::Now(now * 1000));
        day.answer(now);
        let left = day.end - now;
        let shown = format!("token {}:{:02} left", left / 60, left % 60);
        let shown = if left == HOUR_S { "token 1:00:00 left".to_owned() } else { shown };
        let header = day.driver.screen().lines().next().unwrap_or_default().to_owned();
        assert!(header.contains(&shown), "{shown} at {} s\n{header}", now - start);
        let wake = day.driver.model.next_wake().expect("the countdown runs");
        assert!((now * 1000 + 1..=now * 1000 + 1000).contains(&wake), "woken in {} ms", wake - now * 1000);
        if after_two_hours == 0 && now >= start + 2 * HOUR_S {
            after_two_hours = day.size();
        }
    }
    assert_eq!(day.renewals, 24, "one for each end");
    assert!(day.runs >= 24 * 55, "{} runs", day.runs);
    let size = day.size();
    // Numbers grow by digits.
    assert!(size <= after_two_hours + after_two_hours / 50, "{after_two_hours} after two hours, {size} after a day");
}
