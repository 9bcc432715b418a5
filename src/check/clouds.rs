//! What the facts of a run present to the clouds, and what each of them says to it.

use super::facts::Facts;
use super::facts::network::{Exchange, FailureKind};
use crate::domain::relying_party::{Acceptance, CloudVerdict, Presented, Published, RelyingParty};

/// What the facts hold of a token and its issuer's documents.
pub fn presented<'a>(facts: &'a Facts, issuer: Option<&'a str>) -> Presented<'a> {
    let document = facts.issuer.document.as_ref();
    let keys = facts.issuer.keys.as_ref();
    Presented {
        issuer,
        token: facts.token.as_ref().and_then(|fact| fact.token()),
        discovery: document.map_or(Published::NotLookedAt, |document| {
            published(&document.exchange, document.discovery.as_ref(), document.unreadable.as_ref())
        }),
        keys: keys.map_or(Published::NotLookedAt, |keys| {
            published(&keys.exchange, keys.jwks.as_ref(), keys.unreadable.as_ref())
        }),
        allows_this_machine: false,
    }
}

fn published<'a, T>(exchange: &Exchange, read: Option<&'a T>, unreadable: Option<&impl ToString>) -> Published<'a, T> {
    match (read, unreadable, &exchange.failure, exchange.status) {
        (Some(document), ..) => Published::Read(document),
        (None, Some(why), ..) => Published::Unusable(why.to_string()),
        (None, None, Some(failure), _) if failure.kind == FailureKind::Address => {
            Published::Unusable(failure.detail.clone())
        }
        (None, None, Some(failure), _) => Published::NotReached(failure.to_string()),
        (None, None, None, Some(status)) => Published::Unusable(format!("HTTP status {status}")),
        (None, None, None, None) => Published::NotLookedAt,
    }
}

/// Which clouds are asked, and whether anybody named them: only then does what they say decide how a command ends.
#[derive(Clone, Debug)]
pub struct Asked {
    pub parties: Vec<&'static RelyingParty>,
    pub by_name: bool,
}

impl Asked {
    /// The named ones; all where none is.
    pub fn of(named: &[&'static RelyingParty]) -> Asked {
        let by_name = !named.is_empty();
        let parties = if by_name { named.to_vec() } else { RelyingParty::all().collect() };
        Asked { parties, by_name }
    }

    /// What each of them says.
    pub fn judge(&self, presented: &Presented<'_>) -> Verdicts {
        let each = self.parties.iter().map(|party| party.judge(presented)).collect();
        Verdicts { each, decide: self.by_name }
    }
}

/// What the clouds that were asked say.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Verdicts {
    pub each: Vec<CloudVerdict>,
    /// Whether they decide how the command ends.
    pub decide: bool,
}

impl Verdicts {
    /// The worst of them, where they decide anything.
    pub fn deciding(&self) -> Option<Acceptance> {
        let has = |acceptance: &Acceptance| self.each.iter().any(|verdict| verdict.verdict == *acceptance);
        let worst = [Acceptance::Refuse, Acceptance::Unknown].into_iter().find(has);
        self.decide.then(|| worst.unwrap_or(Acceptance::Accept))
    }

    /// All of them in half a sentence: "AWS accepts it, Entra and Google refuse it".
    pub fn summary(&self) -> String {
        let those = |acceptance| {
            let names: Vec<&str> =
                self.each.iter().filter(|verdict| verdict.verdict == acceptance).map(|verdict| verdict.name).collect();
            (listed(&names), names.len())
        };
        let says = |acceptance, one: &str, several: &str| match those(acceptance) {
            (_, 0) => None,
            (names, 1) => Some(format!("{names} {one}")),
            (names, _) => Some(format!("{names} {several}")),
        };
        let said = [
            says(Acceptance::Accept, "accepts it", "accept it"),
            says(Acceptance::Refuse, "refuses it", "refuse it"),
            says(Acceptance::Unknown, "is unknown", "are unknown"),
        ];
        said.into_iter().flatten().collect::<Vec<_>>().join(", ")
    }
}

fn listed(names: &[&str]) -> String {
    match names {
        [] => String::new(),
        [only] => (*only).to_owned(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::facts::network::{HopName, IssuerFacts, KeysFact, NetworkFailure};
    use crate::domain::jwks::{Jwks, JwksError};

    fn failure(kind: FailureKind) -> NetworkFailure {
        NetworkFailure {
            hop: HopName::Connect,
            kind,
            host: "id.example".into(),
            port: 443,
            url: "https://id.example".into(),
            proxy: None,
            elapsed_ms: 1,
            detail: "why".into(),
        }
    }

    /// What is no document is the issuer's fault; what cannot be reached from here may well be reached by a cloud.
    #[test]
    fn what_was_not_reached_is_no_refusal() {
        let judged = |exchange: Exchange, unreadable: Option<JwksError>| {
            let keys = KeysFact { exchange, cached_s: None, jwks: None, unreadable };
            let facts = Facts { issuer: IssuerFacts { document: None, keys: Some(keys) }, ..Facts::default() };
            let presented = presented(&facts, Some("https://id.example"));
            Asked::of(&[]).judge(&presented).each.iter().map(|verdict| verdict.verdict).collect::<Vec<_>>()
        };
        let failed = |kind| Exchange { failure: Some(failure(kind)), ..Exchange::default() };
        let answered = Exchange { status: Some(500), ..Exchange::default() };
        assert_eq!(judged(failed(FailureKind::Refused), None), [Acceptance::Unknown; 3]);
        assert_eq!(judged(failed(FailureKind::Address), None), [Acceptance::Refuse; 3]);
        assert_eq!(judged(answered, None), [Acceptance::Refuse; 3]);
        assert_eq!(judged(Exchange::default(), Some(JwksError::Html)), [Acceptance::Refuse; 3]);
    }

    #[test]
    fn only_clouds_that_were_named_decide() {
        let keys =
            KeysFact { exchange: Exchange::default(), cached_s: None, jwks: Some(Jwks::default()), unreadable: None };
        let facts = Facts { issuer: IssuerFacts { document: None, keys: Some(keys) }, ..Facts::default() };
        let presented = presented(&facts, Some("http://id.example"));
        let all = Asked::of(&[]).judge(&presented);
        assert_eq!((all.deciding(), all.each.len()), (None, 3));
        assert_eq!(all.summary(), "AWS, Entra and Google refuse it");
        let entra: Vec<_> = RelyingParty::named("entra").into_iter().collect();
        let one = Asked::of(&entra).judge(&presented);
        assert_eq!((one.deciding(), one.summary()), (Some(Acceptance::Refuse), "Entra refuses it".to_owned()));
    }
}
