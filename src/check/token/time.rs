//! `token.time`: the token's times against the clock, with the tolerances that the clouds grant.

use super::problem::Tally;
use crate::cause::gcp_exchange;
use crate::cause::{Cause, Certainty, Finding};
use crate::check::clock::LEEWAY_S;
use crate::check::definition::{Check, Link, Reproduction, Traffic, Waits};
use crate::check::facts::Facts;
use crate::check::step::Step;
use crate::check::{CheckId, Outcome, Verdict};
use crate::domain::ids::Cloud;
use crate::domain::profile::Profile;
use crate::domain::timestamp::{UnixSeconds, in_words, rfc3339};
use crate::domain::token::DecodedToken;
use serde_json::{Value, json};

const ID: CheckId = CheckId::TokenTime;

/// It is valid now.
pub const CHECK: Check = Check {
    id: ID,
    title: "token is valid now",
    docs: "https://www.rfc-editor.org/rfc/rfc7519#section-4.1.4",
    link: Link::Token,
    needs: &[CheckId::TokenPresent],
    rules_out: &[Cause::TokenExpired, Cause::ClockSkew],
    step: |_| Some(Step::Token),
    traffic: Traffic::None,
    waits: Waits::If(|facts, profile| time(facts, profile).outcome != Outcome::Pass),
    facts: shown_times,
    verdict: time,
    reproduction: Reproduction::JudgedHere,
};

/// A token that expires within this many seconds is worth a warning.
pub const EXPIRES_SOON_S: i64 = 300;

/// The longest lifetime that Entra takes, in seconds (AADSTS70023: 25 hours).
const ENTRA_LIFETIME_S: i64 = 25 * 3600;

/// STS refuses tokens that were issued long ago though they have not expired ("Token too old"); the bound is not
/// published, and the one refusal on record was five days old. A warning begins after a day.
const OLD_S: i64 = 24 * 3600;

/// How far a cloud lets a token's times be off, in seconds.
const fn leeway(cloud: Cloud) -> i64 {
    match cloud {
        Cloud::Aws | Cloud::Azure => LEEWAY_S,
        Cloud::Gcp => gcp_exchange::LEEWAY_S,
    }
}

/// The clocks at hand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Clock {
    /// The local clock.
    pub now: UnixSeconds,
    /// How far the issuer's clock is ahead of the local one, in seconds, where it was seen.
    pub issuer_ahead_s: Option<i64>,
}

impl Clock {
    /// The local clock of a run, and the issuer's as the `Date` header of its answers shows it.
    pub fn of(facts: &Facts) -> Self {
        let document = facts.issuer.document.as_ref().and_then(|fact| fact.exchange.clock_skew_s);
        let keys = facts.issuer.keys.as_ref().and_then(|fact| fact.exchange.clock_skew_s);
        Clock { now: facts.now, issuer_ahead_s: document.or(keys) }
    }

    /// How sure a statement about now is: two clocks that agree leave no doubt.
    fn certainty(self) -> Certainty {
        match self.issuer_ahead_s {
            Some(ahead) if ahead.abs() <= LEEWAY_S => Certainty::Proven,
            _ => Certainty::Likely,
        }
    }

    /// The issuer's clock.
    fn at_issuer(self) -> Option<UnixSeconds> {
        Some(self.now.saturating_add(self.issuer_ahead_s?))
    }

    /// Whether the two clocks disagree by more than the clouds tolerate.
    fn disagree(self) -> bool {
        self.issuer_ahead_s.is_some_and(|ahead| ahead.abs() > LEEWAY_S)
    }
}

/// Is it valid now?
fn time(facts: &Facts, profile: &Profile) -> Verdict {
    match facts.token.as_ref().and_then(|fact| fact.token()) {
        Some(token) => judge(token, Clock::of(facts), profile.guide.cloud()),
        None => Verdict::skipped("there is no token"),
    }
}

fn shown_times(facts: &Facts) -> Option<Value> {
    facts.token.as_ref().and_then(|fact| fact.token()).map(|token| {
        json!({
            "now": facts.now,
            "issued_at": token.issued_at(),
            "not_before": token.not_before(),
            "expires_at": token.expires_at(),
        })
    })
}

fn judge(token: &DecodedToken, clock: Clock, cloud: Cloud) -> Verdict {
    let Some(exp) = token.expires_at() else {
        return Verdict::skipped("the token has no readable `exp`");
    };
    let mut tally = Tally::default();
    expiry(exp, clock, leeway(cloud), &mut tally);
    for (name, at) in [("iat", token.issued_at()), ("nbf", token.not_before())] {
        if let Some(at) = at {
            beginning(name, at, clock, leeway(cloud), &mut tally);
        }
    }
    if let Some(lifetime) = token.lifetime().filter(|lifetime| cloud == Cloud::Azure && *lifetime > ENTRA_LIFETIME_S) {
        let summary = format!("the token lives for {}, longer than Entra takes", words(lifetime));
        let finding = Finding::new(Cause::TokenLifetimeTooLong, ID, Certainty::Proven, summary);
        tally.fails(finding.with_difference("up to 25 h", words(lifetime)));
    }
    let age = token.issued_at().map(|iat| clock.now.saturating_sub(iat));
    if let Some(age) = age.filter(|age| cloud == Cloud::Aws && *age > OLD_S && exp > clock.now) {
        let summary =
            format!("the token was issued {} ago; STS refuses old tokens even before they expire", words(age));
        tally.warns(Finding::new(Cause::TokenExpired, ID, Certainty::Possible, summary));
    }
    tally.verdict()
}

fn expiry(exp: UnixSeconds, clock: Clock, leeway_s: i64, tally: &mut Tally) {
    let late = clock.now.saturating_sub(exp);
    let finding = |certainty, summary: String| Finding::new(Cause::TokenExpired, ID, certainty, summary);
    let now = format!("after {}", shown(clock.now));
    if late > leeway_s {
        // By the issuer's clock it may still be good: then the clock is to be mended, not the token.
        if clock.disagree() && clock.at_issuer().is_some_and(|at| at <= exp) {
            tally.fails(skewed(
                format!("the local clock runs ahead: by it the token expired {} ago", words(late)),
                clock,
            ));
            return;
        }
        let summary = format!("the token expired {} ago", words(late));
        tally.fails(finding(clock.certainty(), summary).with_difference(now, shown(exp)));
    } else if late >= 0 {
        let summary = format!("the token expired {} ago; STS still takes it up to {leeway_s} s late", words(late));
        tally.warns(finding(Certainty::Likely, summary).with_difference(now, shown(exp)));
    } else if -late < EXPIRES_SOON_S {
        let summary = format!("the token expires in {}: too soon to rely on", words(-late));
        tally.warns(finding(Certainty::Possible, summary));
    }
}

fn beginning(name: &str, at: UnixSeconds, clock: Clock, leeway_s: i64, tally: &mut Tally) {
    let ahead = at.saturating_sub(clock.now);
    let what = if name == "iat" { "was issued" } else { "becomes valid" };
    if ahead > leeway_s {
        let summary = format!("the token {what} {} in the future (`{name}`)", words(ahead));
        tally.fails(skewed(summary, clock).with_difference(format!("up to {}", shown(clock.now)), shown(at)));
    } else if ahead > 0 {
        let summary = format!("the token {what} {} in the future (`{name}`); STS tolerates {leeway_s} s", words(ahead));
        tally.warns(Finding::new(Cause::ClockSkew, ID, Certainty::Possible, summary));
    }
}

fn skewed(summary: String, clock: Clock) -> Finding {
    let finding = Finding::new(Cause::ClockSkew, ID, clock.certainty(), summary);
    match clock.issuer_ahead_s {
        None => finding,
        Some(ahead) if !clock.disagree() => finding.with_evidence(format!(
            "the issuer's web server and this machine agree on the time within {} s",
            ahead.abs()
        )),
        // Which one is wrong is told beside all the clocks that were seen.
        Some(_) => finding,
    }
}

fn words(seconds: i64) -> String {
    in_words(seconds.unsigned_abs())
}

fn shown(at: UnixSeconds) -> String {
    rfc3339(at).unwrap_or_else(|| format!("{at} s since 1970"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::check::Outcome;

    const NOW: i64 = 1_700_000_000;

    fn judged(
        claims: serde_json::Value,
        issuer_ahead_s: Option<i64>,
        cloud: Cloud,
    ) -> (Outcome, Vec<(Cause, Certainty)>) {
        let token = DecodedToken { claims: claims.as_object().cloned(), ..DecodedToken::default() };
        let verdict = judge(&token, Clock { now: NOW, issuer_ahead_s }, cloud);
        (verdict.outcome, verdict.findings.iter().map(|f| (f.cause, f.certainty)).collect())
    }

    #[test]
    fn times_meet_the_clock() {
        use Cause::*;
        use Certainty::*;
        use Outcome::*;
        let (iat, exp) = (NOW - 10, NOW + 3600);
        for (claims, ahead, outcome, findings) in [
            (json!({"iat": iat, "exp": exp}), None, Pass, vec![]),
            (json!({"iat": iat, "nbf": iat, "exp": NOW + 300}), None, Pass, vec![]),
            (json!({"iat": iat, "exp": NOW + 299}), None, Warn, vec![(TokenExpired, Possible)]),
            (json!({"iat": iat, "exp": NOW}), None, Warn, vec![(TokenExpired, Likely)]),
            (json!({"iat": NOW - 900, "exp": NOW - 300}), None, Warn, vec![(TokenExpired, Likely)]),
            (json!({"iat": NOW - 900, "exp": NOW - 301}), None, Fail, vec![(TokenExpired, Likely)]),
            (json!({"iat": NOW - 900, "exp": NOW - 301}), Some(2), Fail, vec![(TokenExpired, Proven)]),
            (json!({"iat": NOW - 4000, "exp": NOW - 400}), Some(-3600), Fail, vec![(ClockSkew, Likely)]),
            (json!({"iat": NOW + 1, "exp": exp}), None, Warn, vec![(ClockSkew, Possible)]),
            (json!({"iat": NOW + 300, "exp": exp}), None, Warn, vec![(ClockSkew, Possible)]),
            (json!({"iat": NOW + 301, "exp": exp}), None, Fail, vec![(ClockSkew, Likely)]),
            (json!({"iat": iat, "nbf": NOW + 301, "exp": exp}), Some(0), Fail, vec![(ClockSkew, Proven)]),
            (json!({"iat": NOW - 90_000, "exp": exp}), None, Warn, vec![(TokenExpired, Possible)]),
            (json!({"iat": iat}), None, Skipped, vec![]),
            (json!({"iat": i64::MIN, "exp": i64::MAX}), Some(i64::MAX), Warn, vec![(TokenExpired, Possible)]),
        ] {
            assert_eq!(judged(claims.clone(), ahead, Cloud::Aws), (outcome, findings), "{claims} {ahead:?}");
        }
    }

    #[test]
    fn google_lets_times_be_off_by_a_minute() {
        let claims = |iat: i64, exp: i64| json!({"iat": NOW + iat, "exp": NOW + exp});
        for (iat, exp, outcome) in [
            (-600, -60, Outcome::Warn),
            (-600, -61, Outcome::Fail),
            (60, 3600, Outcome::Warn),
            (61, 3600, Outcome::Fail),
        ] {
            assert_eq!(judged(claims(iat, exp), None, Cloud::Gcp).0, outcome, "{iat} {exp}");
        }
    }

    #[test]
    fn entra_bounds_the_lifetime() {
        let claims = |lifetime: i64| json!({"iat": NOW, "exp": NOW + lifetime});
        assert_eq!(judged(claims(25 * 3600), None, Cloud::Azure).0, Outcome::Pass);
        let too_long = (Cause::TokenLifetimeTooLong, Certainty::Proven);
        assert_eq!(judged(claims(25 * 3600 + 1), None, Cloud::Azure), (Outcome::Fail, vec![too_long]));
        assert_eq!(judged(claims(365 * 86_400), None, Cloud::Aws).0, Outcome::Pass);
    }
}
