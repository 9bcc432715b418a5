//! Whose clock is wrong: the times that servers told in a run, beside the local one.

use url::Url;

use crate::cause::{Cause, Certainty, Finding, catalogue};
use crate::check::facts::Facts;
use crate::check::facts::network::{Exchange, FailureKind, NetworkFailure};
use crate::check::{CheckId, Verdict};
use crate::domain::timestamp::{UnixSeconds, in_words, rfc3339};

/// How far AWS STS lets `exp` be past, and `iat` and `nbf` be ahead, in seconds (IAM user guide; measured).
pub(super) const LEEWAY_S: i64 = 300;

/// Clocks that differ by so few seconds have the same time.
const SAME_S: u64 = 60;

/// A server's clock, by the `Date` header of its answer.
#[derive(Clone, Debug, PartialEq, Eq)]
struct ServerClock {
    host: String,
    told: UnixSeconds,
    /// How far it is ahead of the local one, in seconds.
    ahead_s: i64,
}

impl ServerClock {
    fn of(exchange: &Exchange) -> Option<Self> {
        Some(ServerClock { host: host(&exchange.url)?, told: exchange.server_date?, ahead_s: exchange.clock_skew_s? })
    }

    fn is_off(&self) -> bool {
        self.ahead_s.unsigned_abs() > LEEWAY_S.unsigned_abs()
    }

    fn agrees_with(&self, other: &ServerClock) -> bool {
        self.ahead_s.abs_diff(other.ahead_s) <= SAME_S
    }

    fn words(&self) -> String {
        let here = self.told.saturating_sub(self.ahead_s);
        format!(
            "by the Date header of {} it was {} when this machine's clock said {}",
            self.host,
            time(self.told),
            time(here)
        )
    }
}

/// A verdict in the light of the clocks that were seen: a wrong clock of this machine looks like a fault of whatever is
/// told by time.
pub(super) fn adjust_for_clock_skew(
    verdict: Verdict,
    check: CheckId,
    own: Option<&Exchange>,
    exchanges: &[&Exchange],
    facts: &Facts,
) -> Verdict {
    let clocks = seen(exchanges);
    let Verdict { outcome, reason, findings } = verdict;
    let first = findings.first().map(|finding| finding.summary.clone());
    let findings: Vec<Finding> = findings
        .into_iter()
        .flat_map(|finding| match finding.cause {
            Cause::ClockSkew => vec![blamed(finding, &clocks)],
            Cause::TlsExpired => match own.and_then(|exchange| exchange.failure.as_ref()) {
                Some(failure) => of_certificate(check, finding, failure, &Seen { exchanges, clocks: &clocks, facts }),
                None => vec![finding],
            },
            _ => vec![finding],
        })
        .collect();
    // The reason is mostly the first finding's summary.
    let reason = if reason == first { findings.first().map(|f| f.summary.clone()).or(reason) } else { reason };
    Verdict { outcome, reason, findings }
}

/// Whether a check met another time, or a certificate outside its dates: then the other servers' clocks tell more.
pub(super) fn is_in_question(exchange: &Exchange) -> bool {
    let of_dates = exchange.failure.as_ref().is_some_and(|failure| bound(failure).is_some());
    of_dates || ServerClock::of(exchange).is_some_and(|clock| clock.is_off())
}

/// The clocks of the hosts that answered, one a host.
fn seen(exchanges: &[&Exchange]) -> Vec<ServerClock> {
    let mut clocks: Vec<ServerClock> = Vec::new();
    for clock in exchanges.iter().copied().filter_map(ServerClock::of) {
        if clocks.iter().all(|seen| seen.host != clock.host) {
            clocks.push(clock);
        }
    }
    clocks
}

/// Says whose clock it is, where two tell.
fn blamed(finding: Finding, clocks: &[ServerClock]) -> Finding {
    let off: Vec<&ServerClock> = clocks.iter().filter(|clock| clock.is_off()).collect();
    let right = clocks.iter().find(|clock| clock.ahead_s.unsigned_abs() <= SAME_S);
    match (off[..].split_first(), right) {
        (Some((one, rest)), None) => {
            let mut finding = finding.with_evidence(one.words());
            if let Some(other) = rest.iter().find(|other| other.agrees_with(one)) {
                finding = finding.with_evidence(other.words());
                finding.certainty = Certainty::Proven;
                let machine = machine(one.ahead_s);
                let says_no_more = finding.summary == catalogue::entry(Cause::ClockSkew).title;
                finding.summary = if says_no_more { machine } else { format!("{machine}: {}", finding.summary) };
                finding = finding.with_fix(SET_THE_CLOCK);
            }
            finding
        }
        (Some((one, _)), Some(right)) => finding.with_evidence(one.words()).with_evidence(format!(
            "{} and this machine agree on the time: the clock of {} is wrong",
            right.host, one.host
        )),
        (None, _) => finding,
    }
}

const SET_THE_CLOCK: &str = "set this machine's clock, from a time service, and check again";

/// What was seen in the run.
struct Seen<'a> {
    exchanges: &'a [&'a Exchange],
    clocks: &'a [ServerClock],
    facts: &'a Facts,
}

/// A certificate that is outside its dates by the local clock, and perhaps only by that.
fn of_certificate(check: CheckId, finding: Finding, failure: &NetworkFailure, seen: &Seen<'_>) -> Vec<Finding> {
    let Seen { exchanges, clocks, facts } = seen;
    let Some(limit) = bound(failure) else { return vec![finding] };
    let met = finding.evidence.clone();
    let blame = |certainty, summary: String| {
        let blame = Finding::new(Cause::ClockSkew, check, certainty, summary).with_fix(SET_THE_CLOCK);
        met.iter().fold(blame, |blame, evidence| blame.with_evidence(evidence))
    };
    if let Some(clock) =
        clocks.iter().find(|clock| clock.is_off() && limit.allows(facts.now.saturating_add(clock.ahead_s)))
    {
        let summary = format!("{}: by it {}", machine(clock.ahead_s), finding.summary);
        return vec![blame(Certainty::Proven, summary).with_evidence(clock.words())];
    }
    if let Some(clock) = clocks.iter().find(|clock| clock.ahead_s.unsigned_abs() <= SAME_S) {
        return vec![finding.with_evidence(format!("{} and this machine agree on the time", clock.host))];
    }
    let here = format!("this machine's clock said {} when the run began", time(facts.now));
    let finding = finding.with_evidence(&here);
    // Two certificates at once have not come too early, nor often both run out.
    let too = exchanges.iter().filter_map(|exchange| exchange.failure.as_ref()).find(|other| {
        (&other.host, other.port) != (&failure.host, failure.port) && bound(other).is_some_and(|o| o.is_like(limit))
    });
    let token = facts.token.as_ref().and_then(|fact| fact.token());
    let issued = token.and_then(|token| token.issued_at()).filter(|iat| iat.saturating_sub(facts.now) > LEEWAY_S);
    let why = match (too, issued, limit) {
        (Some(other), ..) => format!("so it is with that of {}, port {}", other.host, other.port),
        (None, Some(iat), Limit::From(_)) => format!("the token was issued {}, which is still to come", time(iat)),
        (None, None, Limit::From(_)) => {
            let summary = "this machine's clock may be behind: an authority signs no certificate for later";
            return vec![finding, blame(Certainty::Possible, summary.to_owned()).with_evidence(here)];
        }
        (None, _, Limit::Until(_)) => return vec![finding],
    };
    match limit {
        Limit::From(_) => {
            let summary = format!("this machine's clock is behind, it seems: by it {}", finding.summary);
            vec![blame(Certainty::Likely, summary).with_evidence(here).with_evidence(why)]
        }
        Limit::Until(_) => {
            let summary = "this machine's clock may be ahead".to_owned();
            vec![finding, blame(Certainty::Possible, summary).with_evidence(here).with_evidence(why)]
        }
    }
}

/// What a certificate's dates leave of the time, as far as the failure tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Limit {
    From(UnixSeconds),
    Until(UnixSeconds),
}

impl Limit {
    fn allows(self, at: UnixSeconds) -> bool {
        match self {
            Limit::From(start) => start <= at,
            Limit::Until(end) => at <= end,
        }
    }

    /// Whether another certificate has the same fault. One that ends in the same second is the same one.
    fn is_like(self, other: Limit) -> bool {
        self != other && matches!((self, other), (Limit::From(_), Limit::From(_)) | (Limit::Until(_), Limit::Until(_)))
    }
}

fn bound(failure: &NetworkFailure) -> Option<Limit> {
    match failure.kind {
        FailureKind::TlsNotYetValid { not_before } => not_before.map(Limit::From),
        FailureKind::TlsExpired { not_after } => not_after.map(Limit::Until),
        _ => None,
    }
}

/// The local clock beside one that is ahead of it by so much.
fn machine(ahead_s: i64) -> String {
    let way = if ahead_s > 0 { "behind" } else { "ahead" };
    format!("this machine's clock is {} {way}", in_words(ahead_s.unsigned_abs()))
}

fn host(url: &str) -> Option<String> {
    let url = Url::parse(url).ok()?;
    let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
    Some(format!("{}{port}", url.host_str()?))
}

fn time(at: UnixSeconds) -> String {
    rfc3339(at).unwrap_or_else(|| format!("{at} s since 1970"))
}
