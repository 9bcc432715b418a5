//! What the times in a text say: an assertion that is old, one whose maker has another clock, a lifetime too long.

use super::ordered::Ordered;
use crate::cause::Cause;
use crate::domain::timestamp::{self, UnixSeconds};

const DAY: i64 = 86_400;
/// Lifetimes that programs give the assertions they make are multiples of this.
const ROUND: i64 = 300;
/// Time zones differ by a multiple of this.
const A_ZONE: i64 = 900;
/// From here on two clocks rather differ by a time zone than by drift.
const HALF_AN_HOUR: i64 = 1_800;

pub(super) fn by_assertion_times(ordered: &mut Ordered, around: &str) {
    if !ordered.has(Cause::TokenExpired) || !ordered.has(Cause::ClockSkew) {
        return;
    }
    let now = time_after(around, &["current time: ", "current time "]);
    let from = time_after(around, &["assertion valid from ", "valid from "]);
    let until = time_after(around, &["expiry time of assertion "]);
    if let Some(early) = now.zip(from).and_then(|(now, from)| now.seconds_to(from)) {
        ordered.place(Cause::ClockSkew, 0);
        let early = timestamp::in_words(early.unsigned_abs());
        ordered.because(Cause::ClockSkew, format!("the assertion becomes valid {early} after the time at Entra"));
    }
    if let Some(late) = until.zip(now).and_then(|(until, now)| until.seconds_to(now)) {
        let words = timestamp::in_words(late.unsigned_abs());
        ordered.because(Cause::TokenExpired, format!("the assertion had expired {words} before"));
        let since = from.zip(now).and_then(|(from, now)| from.seconds_to(now));
        if late >= HALF_AN_HOUR && now.is_some_and(Time::is_to_the_second) && is_a_zone_off(late, since) {
            ordered.place(Cause::ClockSkew, 0);
            ordered.because(Cause::ClockSkew, format!("it is late by {words} to the second: that is an assertion just made, by a clock in another time zone"));
        }
    }
}

/// Whether an assertion is late as one is that was made this second by a clock in another time zone: a token that waited is
/// late by any number of seconds.
const fn is_a_zone_off(late: i64, since_it_was_valid: Option<i64>) -> bool {
    match since_it_was_valid {
        Some(since) => since % A_ZONE == 0,
        None => late % ROUND == 0,
    }
}

/// A time of a text, whose day may have been left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Time {
    Whole(UnixSeconds),
    OfDay(UnixSeconds),
}

impl Time {
    /// Whether it was read off a clock; a whole minute is rather an example's.
    const fn is_to_the_second(self) -> bool {
        let (Time::Whole(seconds) | Time::OfDay(seconds)) = self;
        seconds % 60 != 0
    }

    /// How long after this `later` is; nothing where it is not.
    fn seconds_to(self, later: Time) -> Option<i64> {
        let seconds = match (self, later) {
            (Time::Whole(this), Time::Whole(later)) => later - this,
            (Time::Whole(this) | Time::OfDay(this), Time::Whole(later) | Time::OfDay(later)) => {
                later % DAY - this % DAY
            }
        };
        (seconds > 0).then_some(seconds)
    }
}

/// The time right behind the first of these marks. Only whole seconds matter, and Entra's times are UTC whether they end in
/// `Z` or not.
fn time_after(text: &str, marks: &[&str]) -> Option<Time> {
    const LONGEST: usize = 24;
    let rest = marks.iter().find_map(|mark| text.split_once(mark)).map(|(_, rest)| rest)?;
    let whole = || timestamp::parse_rfc3339(&format!("{}Z", rest.get(..19)?.to_uppercase())).map(Time::Whole);
    whole().or_else(|| {
        let near = &rest[..rest.floor_char_boundary(LONGEST.min(rest.len()))];
        near.char_indices().find_map(|(at, _)| of_day(near.get(at..at + 8)?)).map(Time::OfDay)
    })
}

/// `HH:MM:SS` as seconds of the day.
fn of_day(text: &str) -> Option<UnixSeconds> {
    timestamp::parse_rfc3339(&format!("1970-01-01T{text}Z"))
}

/// From here on a lifetime is that of a Kubernetes service account's default token (one year), in seconds.
const ALMOST_A_YEAR: i64 = 300 * 86_400;

pub(super) fn by_lifetime(ordered: &mut Ordered, around: &str) {
    if !ordered.has(Cause::TokenLifetimeTooLong) {
        return;
    }
    let number = |mark: &str| {
        let (_, rest) = around.split_once(mark)?;
        rest[..rest.bytes().take_while(u8::is_ascii_digit).count()].parse::<i64>().ok()
    };
    let (Some(issued), Some(expires)) = (number("token issued at "), number("token expires on ")) else { return };
    let lifetime = expires.saturating_sub(issued);
    let words = timestamp::in_words(lifetime.unsigned_abs());
    if lifetime >= ALMOST_A_YEAR {
        ordered.place(Cause::WrongTokenKind, 0);
        ordered.because(Cause::WrongTokenKind, format!("the token lives {words}: that is a service account's default token, not the projected one made for federation"));
    }
    ordered.because(Cause::TokenLifetimeTooLong, format!("the token lives {words}; Entra takes 25 h"));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn first(around: &str) -> Cause {
        let mut ordered = Ordered { causes: vec![Cause::TokenExpired, Cause::ClockSkew], evidence: Vec::new() };
        by_assertion_times(&mut ordered, &around.to_lowercase());
        ordered.causes[0]
    }

    #[test]
    fn an_assertion_is_old_or_its_makers_clock_differs() {
        for (told, cause) in [
            (
                "(Current time: 2026-11-30T12:00:37.1Z, expiry time of assertion 2026-11-30T11:41:02.0Z).",
                Cause::TokenExpired,
            ),
            ("(Current time: 2026-11-30T12:00:37.1Z, assertion valid from 2026-11-30T12:07:00.0Z", Cause::ClockSkew),
            // Made now with ten minutes to live, two hours behind.
            (
                "(Current time: 2026-11-30T12:00:37.1Z, expiry time of assertion 2026-11-30T10:10:37.0Z).",
                Cause::ClockSkew,
            ),
            ("(Current time …10:00:07…, expiry time of assertion …08:05:07…)", Cause::ClockSkew),
            ("(Current time …10:00:07…, expiry time of assertion …08:05:08…)", Cause::TokenExpired),
            ("(Current time …10:00:00…, expiry time of assertion …08:05:00…)", Cause::TokenExpired),
            (
                "Current time: 2026-11-30T12:00:37Z, assertion valid from 2026-11-30T10:00:37Z, expiry time of assertion 2026-11-30T10:10:37Z",
                Cause::ClockSkew,
            ),
            (
                "Current time: 2026-11-30T12:00:37Z, assertion valid from 2026-11-30T10:00:40Z, expiry time of assertion 2026-11-30T10:10:37Z",
                Cause::TokenExpired,
            ),
            ("(Current time: soon, expiry time of assertion: never)", Cause::TokenExpired),
        ] {
            assert_eq!(first(told), cause, "{told}");
        }
    }
}
