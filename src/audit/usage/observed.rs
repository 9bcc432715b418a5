//! What a cloud's log tells of many trusts: who was let in and who was not, a few of each, however long the log is.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::domain::arn::Arn;
use crate::domain::exchange::Exchange;
use crate::domain::ids::Cloud;
use crate::domain::issuer::{GithubSubject, condition_key_prefix};
use crate::domain::pool_name::ProviderName;
use crate::domain::redaction::cut_from_text;
use crate::domain::timestamp::UnixSeconds;

/// So many subjects that were let in are kept for each trust.
pub const MOST_SUBJECTS: usize = 16;
/// So many different refusals are kept for each trust.
const MOST_REFUSALS: usize = 4;

/// The exchanges of a log, by the trust that each met.
#[derive(Clone, Debug, Default)]
pub struct Observed {
    trusts: HashMap<String, Seen>,
    spans: BTreeMap<Scope, Span>,
    /// The subjects with ids that tokens had, by issuer and repository.
    by_id: HashMap<(String, String), SubjectById>,
    exchanges: u64,
}

/// What became of the exchanges that met one trust.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    pub granted: u64,
    pub refused: u64,
    pub last_granted: Option<UnixSeconds>,
    pub last_refused: Option<UnixSeconds>,
    /// Who was let in, as far as the log says.
    pub subjects: BTreeSet<String>,
    /// Some who were not, each once.
    pub refusals: Vec<Exchange>,
}

/// From the first exchange of an account to its last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    pub from: UnixSeconds,
    pub to: UnixSeconds,
}

/// What one log is about: a log of one account says nothing of the trusts of another.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
    Account(String),
    /// A log of sign-ins is of one directory, and does not name it.
    Directory,
    Project(String),
}

/// The ids of a repository, and when a token had them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SubjectById {
    pub owner_id: String,
    pub repository_id: String,
    pub at: Option<UnixSeconds>,
}

impl Scope {
    /// Of the role with this ARN, or of the provider with this name.
    pub fn of(resource: &str) -> Option<Self> {
        if let Some(arn) = Arn::parse(resource) {
            return Some(Scope::Account(arn.account.to_owned()));
        }
        ProviderName::parse(resource).map(|name| Scope::Project(name.project))
    }
}

impl Observed {
    /// Adds an exchange.
    pub fn add(&mut self, exchange: &Exchange) {
        let clean = |text: &String| cut_from_text(text).into_owned();
        let exchange =
            Exchange { subject: exchange.subject.as_ref().map(clean), session_name: None, ..exchange.clone() };
        let Some(scope) = scope(&exchange) else { return };
        self.exchanges += 1;
        if let Some(at) = exchange.at {
            let span = self.spans.entry(scope).or_insert(Span { from: at, to: at });
            *span = Span { from: span.from.min(at), to: span.to.max(at) };
        }
        self.add_id_form(&exchange);
        // A sign-in that names its credential is of that one, and in any case of the application.
        let keys = [exchange.resource.as_deref(), exchange.credential.as_deref()];
        for key in keys.into_iter().flatten() {
            self.trusts.entry(key.to_ascii_lowercase()).or_default().add(&exchange);
        }
    }

    fn add_id_form(&mut self, exchange: &Exchange) {
        let (Some(issuer), Some(subject)) = (&exchange.issuer, &exchange.subject) else { return };
        let Some(subject) = GithubSubject::parse(subject) else { return };
        let (Some(owner_id), Some(repository_id)) = (subject.owner_id, subject.repository_id) else { return };
        let known = self.by_id.entry(key_of(issuer, &subject)).or_insert_with(|| SubjectById {
            owner_id: owner_id.to_owned(),
            repository_id: repository_id.to_owned(),
            at: exchange.at,
        });
        known.at = known.at.max(exchange.at);
    }

    /// What met the trust of this name: a role's ARN, an application's or a credential's id, a provider's name.
    pub fn of(&self, name: &str) -> Option<&Seen> {
        self.trusts.get(&name.to_ascii_lowercase())
    }

    /// How far the log reaches for an account; nothing where it has no exchange of it.
    pub fn span(&self, scope: &Scope) -> Option<Span> {
        self.spans.get(scope).copied()
    }

    /// From the first exchange of all to the last.
    pub fn whole_span(&self) -> Option<Span> {
        self.spans.values().copied().reduce(|all, one| Span { from: all.from.min(one.from), to: all.to.max(one.to) })
    }

    /// How many exchanges there are.
    pub const fn exchanges(&self) -> u64 {
        self.exchanges
    }

    /// The ids that tokens of this issuer had for the repository of a subject without ids.
    pub fn id_form(&self, issuer: &str, subject: &GithubSubject<'_>) -> Option<&SubjectById> {
        self.by_id.get(&key_of(issuer, subject))
    }
}

impl Seen {
    fn add(&mut self, exchange: &Exchange) {
        let Some(refusal) = &exchange.refusal else {
            self.granted += 1;
            self.last_granted = self.last_granted.max(exchange.at);
            if self.subjects.len() < MOST_SUBJECTS {
                self.subjects.extend(exchange.subject.clone());
            }
            return;
        };
        self.refused += 1;
        self.last_refused = self.last_refused.max(exchange.at);
        let is_alike = |known: &Exchange| {
            known.subject == exchange.subject && known.refusal.as_ref().is_some_and(|other| other.code == refusal.code)
        };
        let has_room = self.refusals.len() < MOST_REFUSALS;
        match self.refusals.iter_mut().find(|known| is_alike(known)) {
            Some(known) if known.at < exchange.at => *known = exchange.clone(),
            Some(_) => {}
            None if has_room => self.refusals.push(exchange.clone()),
            None => {}
        }
    }
}

fn scope(exchange: &Exchange) -> Option<Scope> {
    match exchange.cloud {
        Cloud::Azure => Some(Scope::Directory),
        Cloud::Aws | Cloud::Gcp => Scope::of(exchange.resource.as_deref()?),
    }
}

fn key_of(issuer: &str, subject: &GithubSubject<'_>) -> (String, String) {
    let repository = format!("{}/{}", subject.owner, subject.repository).to_ascii_lowercase();
    (condition_key_prefix(issuer).to_owned(), repository)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::exchange::Refusal;

    const ROLE: &str = "arn:aws:iam::123456789012:role/reader";

    pub fn exchange(at: UnixSeconds, subject: &str, is_refused: bool) -> Exchange {
        Exchange {
            cloud: Cloud::Aws,
            resource: Some(ROLE.into()),
            provider: Some("arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com".into()),
            issuer: Some("https://token.actions.githubusercontent.com".into()),
            audience: Some("sts.amazonaws.com".into()),
            subject: Some(subject.into()),
            refusal: is_refused.then(|| Refusal { code: "AccessDenied".into(), message: None }),
            credential: None,
            at: Some(at),
            request_id: None,
            region: None,
            session_name: None,
        }
    }

    #[test]
    fn what_met_a_trust_is_counted_with_its_last_time_and_a_few_of_each() {
        let mut observed = Observed::default();
        observed.add(&exchange(5, "repo:o/a:x", false));
        observed.add(&exchange(9, "repo:o/a:x", false));
        for number in 0..100 {
            observed.add(&exchange(10 + number, &format!("repo:o/{}:x", number % 50), number % 2 == 0));
        }
        let seen = observed.of(&ROLE.to_uppercase()).unwrap();
        assert_eq!((seen.granted, seen.refused), (52, 50));
        assert_eq!((seen.last_granted, seen.last_refused), (Some(109), Some(108)));
        assert_eq!((seen.subjects.len(), seen.refusals.len()), (MOST_SUBJECTS, MOST_REFUSALS));
        assert_eq!(seen.refusals[0].at, Some(60), "of two alike the later is kept");
        assert_eq!(observed.span(&Scope::Account("123456789012".into())), Some(Span { from: 5, to: 109 }));
        assert_eq!(observed.span(&Scope::Account("999999999999".into())), None);
        assert_eq!(observed.span(&Scope::Directory), None);
        assert!(observed.of("arn:aws:iam::123456789012:role/other").is_none());
    }

    #[test]
    fn a_repositorys_ids_are_known_from_any_of_its_tokens() {
        let mut observed = Observed::default();
        observed.add(&exchange(5, "repo:Octo@1/app@22:ref:refs/heads/main", true));
        let named = GithubSubject::parse("repo:octo/app:environment:prod").unwrap();
        let ids = observed.id_form("token.actions.githubusercontent.com", &named).unwrap();
        assert_eq!((ids.owner_id.as_str(), ids.repository_id.as_str(), ids.at), ("1", "22", Some(5)));
        assert!(observed.id_form("https://ghe.example.com/_services/token", &named).is_none());
        let other = GithubSubject::parse("repo:octo/other:environment:prod").unwrap();
        assert!(observed.id_form("token.actions.githubusercontent.com", &other).is_none());
    }

    #[test]
    fn a_sign_in_counts_for_its_application_and_its_credential() {
        let mut observed = Observed::default();
        let sign_in = Exchange {
            cloud: Cloud::Azure,
            resource: Some("AAAA".into()),
            credential: Some("CCCC".into()),
            ..exchange(7, "x", false)
        };
        observed.add(&sign_in);
        assert_eq!((observed.of("aaaa").unwrap().granted, observed.of("cccc").unwrap().granted), (1, 1));
        assert_eq!(observed.whole_span(), Some(Span { from: 7, to: 7 }));
        assert_eq!(observed.exchanges(), 1);
    }

    #[test]
    fn what_looks_like_a_token_is_cut_from_a_subject() {
        let token = format!("eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJ4In0.{}", "A".repeat(80));
        let mut observed = Observed::default();
        observed.add(&exchange(1, &token, false));
        assert!(!format!("{observed:?}").contains(&"A".repeat(20)));
    }
}
