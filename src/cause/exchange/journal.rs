//! Many exchanges as few entries: equal ones are one, with how many there were, when, and the first request ids.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use serde::Serialize;

use super::{Judgement, Trusts};
use crate::cause::Finding;
use crate::domain::exchange::{Exchange, Refusal};
use crate::domain::iam::Decision;
use crate::domain::ids::Cloud;
use crate::domain::redaction::cut_from_text;
use crate::domain::timestamp::{UnixSeconds, rfc3339};

/// So many request ids of an entry are kept.
const MOST_IDS: usize = 3;

/// What became of an exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    Refused,
    Granted,
}

/// Equal exchanges, judged.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Entry {
    /// RFC 3339 UTC.
    pub first: Option<String>,
    pub last: Option<String>,
    pub count: u64,
    pub request_ids: Vec<String>,
    /// The role's ARN, or the application's id.
    pub resource: Option<String>,
    pub issuer: Option<String>,
    pub audience: Option<String>,
    pub subject: Option<String>,
    pub outcome: Outcome,
    /// The code of the refusal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// The federated credential that matched: its name, else its id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub credential: Option<String>,
    pub verdict: Decision,
    /// Why the verdict is unknown, or is not what became of the exchange.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    pub causes: Vec<Finding>,
    #[serde(skip)]
    pub cloud: Cloud,
}

/// Whether every exchange is kept as well.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Each {
    Counted,
    Kept,
}

/// One exchange of an entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Logged {
    group: usize,
    at: Option<UnixSeconds>,
    request_id: Option<Box<str>>,
}

/// A text that many exchanges have.
type Shared = Option<Arc<str>>;

/// What is equal in equal exchanges.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Key {
    cloud: Cloud,
    resource: Shared,
    provider: Shared,
    issuer: Shared,
    audience: Shared,
    subject: Shared,
    refusal: Option<(Arc<str>, Shared)>,
    credential: Shared,
    /// What the verdict depends on beside them.
    call: Option<(Shared, Shared, Option<UnixSeconds>)>,
}

/// How many, when, and which.
#[derive(Clone, Debug, Default)]
struct Group {
    count: u64,
    first: Option<UnixSeconds>,
    last: Option<UnixSeconds>,
    request_ids: Vec<Box<str>>,
}

/// The exchanges of a log, as they are read.
#[derive(Debug)]
pub struct Journal {
    each: Each,
    /// Whether two calls with the same token may be judged differently.
    by_call: bool,
    texts: HashSet<Arc<str>>,
    places: HashMap<Arc<Key>, usize>,
    groups: Vec<(Arc<Key>, Group)>,
    logged: Vec<Logged>,
}

impl Journal {
    /// An empty journal of what `trusts` will judge.
    pub fn new(trusts: &Trusts, each: Each) -> Self {
        Journal {
            each,
            by_call: trusts.depend_on_the_call(),
            texts: HashSet::new(),
            places: HashMap::new(),
            groups: Vec::new(),
            logged: Vec::new(),
        }
    }

    /// The roles that were asked for, each once.
    pub fn roles(&self) -> Vec<&str> {
        let mut roles: Vec<&str> = self
            .groups
            .iter()
            .filter(|(key, _)| key.cloud == Cloud::Aws)
            .filter_map(|(key, _)| key.resource.as_deref())
            .collect();
        roles.sort_unstable();
        roles.dedup();
        roles
    }

    pub fn add(&mut self, exchange: &Exchange) {
        let key = self.key(exchange);
        let group = match self.places.get(&key) {
            Some(place) => *place,
            None => {
                let key = Arc::new(key);
                self.places.insert(Arc::clone(&key), self.groups.len());
                self.groups.push((key, Group::default()));
                self.groups.len() - 1
            }
        };
        if let Some((_, known)) = self.groups.get_mut(group) {
            known.add(exchange);
        }
        if self.each == Each::Kept {
            let request_id = exchange.request_id.as_deref().map(Box::from);
            self.logged.push(Logged { group, at: exchange.at, request_id });
        }
    }

    fn key(&mut self, exchange: &Exchange) -> Key {
        let by_call = self.by_call;
        let mut shared = |text: &Option<String>| text.as_deref().map(|text| self.shared(text));
        let refusal = exchange.refusal.as_ref();
        Key {
            cloud: exchange.cloud,
            resource: shared(&exchange.resource),
            provider: shared(&exchange.provider),
            issuer: shared(&exchange.issuer),
            audience: shared(&exchange.audience),
            subject: shared(&exchange.subject),
            credential: shared(&exchange.credential),
            call: by_call.then(|| (shared(&exchange.session_name), shared(&exchange.region), exchange.at)),
            refusal: refusal
                .map(|refusal| (self.shared(&refusal.code), refusal.message.as_deref().map(|text| self.shared(text)))),
        }
    }

    fn shared(&mut self, text: &str) -> Arc<str> {
        if let Some(known) = self.texts.get(text) {
            return Arc::clone(known);
        }
        let new: Arc<str> = text.into();
        self.texts.insert(Arc::clone(&new));
        new
    }

    /// The entries as `trusts` judge them: what was refused before what was granted, the latest first.
    pub fn entries<'j>(&'j self, trusts: &'j Trusts) -> impl Iterator<Item = Entry> + 'j {
        let roles = self.roles().len();
        let mut groups: Vec<(&Key, Cow<'j, Group>)> = if self.by_call {
            self.judged_alike(trusts, roles)
        } else {
            self.groups.iter().map(|(key, group)| (&**key, Cow::Borrowed(group))).collect()
        };
        groups.sort_by_key(|(key, group)| (key.refusal.is_none(), std::cmp::Reverse(group.last)));
        groups.into_iter().map(move |(key, group)| entry(key, &group, trusts, roles))
    }

    /// What is told apart by the call alone is one where it is judged alike.
    fn judged_alike<'j>(&'j self, trusts: &Trusts, roles: usize) -> Vec<(&'j Key, Cow<'j, Group>)> {
        let mut places: HashMap<(Key, Decision), usize> = HashMap::new();
        let mut merged: Vec<(&Key, Cow<'_, Group>)> = Vec::new();
        for (key, group) in &self.groups {
            let verdict = trusts.judge(&key.exchange(group.last), roles).verdict;
            let place = *places.entry((Key { call: None, ..(**key).clone() }, verdict)).or_insert(merged.len());
            match merged.get_mut(place) {
                Some((_, known)) => known.to_mut().join(group),
                None => merged.push((key, Cow::Borrowed(group))),
            }
        }
        merged
    }

    /// Every exchange that was kept, in the log's order, each as an entry of one.
    pub fn each<'j>(&'j self, trusts: &'j Trusts) -> impl Iterator<Item = Entry> + 'j {
        let roles = self.roles().len();
        self.logged.iter().filter_map(move |logged| {
            let (key, _) = self.groups.get(logged.group)?;
            let request_ids = logged.request_id.iter().cloned().collect();
            Some(entry(key, &Group { count: 1, first: logged.at, last: logged.at, request_ids }, trusts, roles))
        })
    }
}

impl Key {
    /// One exchange of the group.
    fn exchange(&self, at: Option<UnixSeconds>) -> Exchange {
        let owned = |text: &Shared| text.as_deref().map(str::to_owned);
        let (session_name, region, exact) = self.call.clone().unwrap_or_default();
        Exchange {
            cloud: self.cloud,
            resource: owned(&self.resource),
            provider: owned(&self.provider),
            issuer: owned(&self.issuer),
            audience: owned(&self.audience),
            subject: owned(&self.subject),
            refusal: self
                .refusal
                .as_ref()
                .map(|(code, message)| Refusal { code: (**code).to_owned(), message: owned(message) }),
            credential: owned(&self.credential),
            at: exact.or(at),
            request_id: None,
            region: owned(&region),
            session_name: owned(&session_name),
        }
    }
}

impl Group {
    fn add(&mut self, exchange: &Exchange) {
        let request_ids = exchange.request_id.as_deref().map(Box::from).into_iter().collect();
        self.join(&Group { count: 1, first: exchange.at, last: exchange.at, request_ids });
    }

    fn join(&mut self, other: &Group) {
        self.count += other.count;
        self.first = [self.first, other.first].into_iter().flatten().min();
        self.last = self.last.max(other.last);
        let room = MOST_IDS.saturating_sub(self.request_ids.len());
        self.request_ids.extend(other.request_ids.iter().take(room).cloned());
    }
}

fn entry(key: &Key, group: &Group, trusts: &Trusts, roles: usize) -> Entry {
    let exchange = key.exchange(group.last);
    let Judgement { verdict, why, causes, matched } = trusts.judge(&exchange, roles);
    // A log is somebody else's text: what looks like a token or key in it is not told further.
    let clean = |text: Option<String>| text.map(|text| cut_from_text(&text).into_owned());
    let time = |at: Option<UnixSeconds>| at.and_then(rfc3339);
    let Refusal { code, message } = exchange.refusal.unwrap_or(Refusal { code: String::new(), message: None });
    Entry {
        first: time(group.first),
        last: time(group.last),
        count: group.count,
        request_ids: group.request_ids.iter().map(|id| cut_from_text(id).into_owned()).collect(),
        resource: clean(exchange.resource),
        issuer: clean(exchange.issuer),
        audience: clean(exchange.audience),
        subject: clean(exchange.subject),
        outcome: if code.is_empty() { Outcome::Granted } else { Outcome::Refused },
        code: clean(Some(code).filter(|code| !code.is_empty())),
        message: clean(message),
        credential: clean(matched.or(exchange.credential)),
        verdict,
        why,
        causes: causes.into_iter().map(redacted).collect(),
        cloud: exchange.cloud,
    }
}

/// A finding's quotations of the log.
fn redacted(mut finding: Finding) -> Finding {
    let clean = |text: &mut String| {
        if let Cow::Owned(cut) = cut_from_text(text) {
            *text = cut;
        }
    };
    clean(&mut finding.summary);
    finding.expected.iter_mut().chain(&mut finding.actual).chain(&mut finding.evidence).for_each(clean);
    finding.fixes.iter_mut().for_each(|fix| clean(&mut fix.text));
    finding
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::domain::iam::Policy;

    const ROLE: &str = "arn:aws:iam::123456789012:role/reader";
    const PROVIDER: &str = "arn:aws:iam::123456789012:oidc-provider/app.example.com";

    fn exchange(number: i64, subject: &str, is_refused: bool) -> Exchange {
        Exchange {
            cloud: Cloud::Aws,
            resource: Some(ROLE.into()),
            provider: Some(PROVIDER.into()),
            issuer: Some("https://app.example.com".into()),
            audience: Some("sts.amazonaws.com".into()),
            subject: Some(subject.into()),
            refusal: is_refused.then(|| Refusal { code: "AccessDenied".into(), message: None }),
            credential: None,
            at: Some(number),
            request_id: Some(format!("id-{number}")),
            region: None,
            session_name: Some(format!("session-{}", number % 2)),
        }
    }

    fn trusts(key: &str, value: &str) -> Trusts {
        let policy = json!({"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Principal": {"Federated": PROVIDER},
            "Action": "sts:AssumeRoleWithWebIdentity", "Condition": {"StringEquals": {key: value}}}});
        let mut trusts = Trusts::default();
        trusts.add_policy(Policy::parse(&policy.to_string()).unwrap(), None);
        trusts
    }

    #[test]
    fn equal_exchanges_are_one_entry() {
        let trusts = trusts("app.example.com:sub", "organization:1");
        let mut journal = Journal::new(&trusts, Each::Kept);
        for (number, subject, is_refused) in [
            (5, "organization:2", true),
            (9, "organization:1", false),
            (3, "organization:2", true),
            (4, "organization:2", true),
            (7, "organization:2", true),
            (1, "organization:3", true),
        ] {
            journal.add(&exchange(number, subject, is_refused));
        }
        let entries: Vec<Entry> = journal.entries(&trusts).collect();
        let told: Vec<_> =
            entries.iter().map(|e| (e.subject.as_deref().unwrap(), e.count, e.outcome, e.verdict)).collect();
        assert_eq!(
            told,
            [
                ("organization:2", 4, Outcome::Refused, Decision::Deny),
                ("organization:3", 1, Outcome::Refused, Decision::Deny),
                ("organization:1", 1, Outcome::Granted, Decision::Allow),
            ]
        );
        assert_eq!(entries[0].request_ids, ["id-5", "id-3", "id-4"]);
        assert_eq!(
            (entries[0].first.as_deref(), entries[0].last.as_deref()),
            (Some("1970-01-01T00:00:03Z"), Some("1970-01-01T00:00:07Z"))
        );
        let each: Vec<Vec<String>> = journal.each(&trusts).map(|entry| entry.request_ids).collect();
        assert_eq!(each.concat(), ["id-5", "id-9", "id-3", "id-4", "id-7", "id-1"]);
    }

    #[test]
    fn calls_that_the_policy_tells_apart_are_judged_each() {
        let trusts = trusts("sts:RoleSessionName", "session-1");
        let mut journal = Journal::new(&trusts, Each::Counted);
        (1..=5).for_each(|number| journal.add(&exchange(number, "organization:1", true)));
        let told: Vec<_> = journal.entries(&trusts).map(|entry| (entry.count, entry.verdict)).collect();
        assert_eq!(told, [(3, Decision::Allow), (2, Decision::Deny)]);
    }

    #[test]
    fn what_looks_like_a_token_is_not_told_further() {
        let token = format!("eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJ4In0.{}", "A".repeat(80));
        let trusts = trusts("app.example.com:sub", "x");
        let mut journal = Journal::new(&trusts, Each::Counted);
        let mut planted = exchange(1, &token, true);
        (planted.request_id, planted.audience) = (Some(token.clone()), Some(format!("x {token}")));
        journal.add(&planted);
        let told = serde_json::to_string(&journal.entries(&trusts).collect::<Vec<_>>()).unwrap();
        assert!(!told.contains(&"A".repeat(20)), "{told}");
    }
}
