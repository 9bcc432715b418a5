//! Trusts beside a cloud's log: which are used, how long others were not, who is refused, and which name a subject that
//! tokens no longer have.

mod observed;

use serde_json::{Value, json};

use super::aws::{RoleTrust, with_another_subject};
use super::entra::CredentialOf;
use super::{AuditFinding, Place, TrustUse, UseOf};
use crate::cause::exchange::Trusts;
use crate::cause::{Cause, Certainty, Finding, Severity};
use crate::domain::entra::CredentialSet;
use crate::domain::gcp::PoolProvider;
use crate::domain::iam::{Decision, Effect, TrustRequest, decide_trust, named_tokens};
use crate::domain::ids::{Finder, FoundBy};
use crate::domain::issuer::GithubSubject;
use crate::domain::timestamp::{UnixSeconds, rfc3339};

pub use observed::{Observed, Scope, Seen, Span};

const CHECK: FoundBy = FoundBy::Command(Finder::Audit);
const A_DAY: UnixSeconds = 86_400;
const DOCS_LAST_USED: &str = "https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_manage_delete.html";
const DOCS_BY_ID: &str = "https://docs.github.com/actions/reference/security/oidc";

/// The log, and after how many days without use a trust is a finding.
#[derive(Clone, Debug)]
pub struct Log {
    pub observed: Observed,
    pub unused_days: u16,
}

impl Log {
    /// Who came by the trust of this name, where the log tells of all of them.
    pub fn all_subjects(&self, name: &str) -> Vec<String> {
        let seen = self.observed.of(name).filter(|seen| seen.subjects.len() < observed::MOST_SUBJECTS);
        seen.map(|seen| seen.subjects.iter().cloned().collect()).unwrap_or_default()
    }
}

/// The use of a role's trust, and what there is to say of it. Nothing where the role's ARN is not known.
pub fn of_role(role: &RoleTrust<'_>, log: &Log) -> Option<(UseOf, Vec<AuditFinding>)> {
    let scope = Scope::of(&role.place.resource)?;
    let mut trusts = Trusts::default();
    trusts.add_policy(role.policy.clone(), Some(&role.place.resource));
    let joined = Joined { place: &role.place, log, seen: log.observed.of(&role.place.resource), scope };
    let mut found = joined.findings(&trusts);
    if !found.iter().any(|finding| finding.cause == Cause::ImmutableSub) {
        found.extend(renamed_in_policy(role, log).map(|finding| role.place.finding(finding, "renamed")));
    }
    Some((joined.used(), found))
}

/// The use of one application's credentials, a use for each that the log can tell apart, and what there is to say of them.
pub fn of_credentials(credentials: &[CredentialOf], place: &Place, log: &Log) -> (Vec<UseOf>, Vec<AuditFinding>) {
    let (mut uses, mut found) = (Vec::new(), Vec::new());
    for one in credentials {
        let Some(id) = one.credential.get("id").and_then(Value::as_str) else { continue };
        let place = Place { resource: one.resource.clone(), ..place.clone() };
        let joined = Joined { place: &place, log, seen: log.observed.of(id), scope: Scope::Directory };
        found.extend(joined.unused());
        uses.push(joined.used());
    }
    let Some(application) = credentials.first().and_then(|one| one.application.as_deref()) else {
        return (uses, found);
    };
    let all: Vec<&Value> = credentials.iter().map(|one| &one.credential).collect();
    let Ok(set) = CredentialSet::parse(&json!(all).to_string()) else { return (uses, found) };
    let whose = credentials.first().and_then(|one| one.resource.split_once(", federated credential "));
    let resource = whose.map_or(application, |(owner, _)| owner).to_owned();
    let place = Place { resource, ..place.clone() };
    let renamed = renamed_in_credentials(&set, log);
    let mut trusts = Trusts::default();
    trusts.set_credentials(set);
    let joined = Joined { place: &place, log, seen: log.observed.of(application), scope: Scope::Directory };
    let refused = joined.refused(&trusts);
    if refused.as_ref().is_none_or(|finding| finding.cause != Cause::ImmutableSub) {
        found.extend(renamed.map(|finding| place.finding(finding, "renamed")));
    }
    found.extend(refused);
    uses.push(joined.used());
    (uses, found)
}

/// The use of a Google pool's provider, and what there is to say of it.
pub fn of_provider(place: &Place, provider: &Value, log: &Log) -> Option<(UseOf, Vec<AuditFinding>)> {
    let scope = Scope::of(&place.resource)?;
    let mut trusts = Trusts::default();
    trusts.set_provider(PoolProvider::parse(&provider.to_string()).ok()?);
    let joined = Joined { place, log, seen: log.observed.of(&place.resource), scope };
    Some((joined.used(), joined.findings(&trusts)))
}

/// A trust, and what of the log is about it.
struct Joined<'a> {
    place: &'a Place,
    log: &'a Log,
    seen: Option<&'a Seen>,
    scope: Scope,
}

impl Joined<'_> {
    fn span(&self) -> Option<Span> {
        self.log.observed.span(&self.scope)
    }

    fn used(&self) -> UseOf {
        let seen = self.seen.cloned().unwrap_or_default();
        let used = TrustUse {
            granted: seen.granted,
            refused: seen.refused,
            last_granted: seen.last_granted.and_then(rfc3339),
            last_refused: seen.last_refused.and_then(rfc3339),
            subjects: seen.subjects.into_iter().collect(),
            reach: self.span().and_then(|span| Some([rfc3339(span.from)?, rfc3339(span.to)?])),
        };
        UseOf { resource: self.place.resource.clone(), used }
    }

    fn findings(&self, trusts: &Trusts) -> Vec<AuditFinding> {
        self.unused().into_iter().chain(self.refused(trusts)).collect()
    }

    /// Nobody came for so many days, and the events reach as far back.
    fn unused(&self) -> Option<AuditFinding> {
        let span = self.span()?;
        let days = self.log.unused_days;
        let since = span.to - UnixSeconds::from(days) * A_DAY;
        let last = self.seen.and_then(|seen| seen.last_granted);
        if span.from > since || last.is_some_and(|last| last > since) {
            return None;
        }
        let [from, to] = [span.from, span.to].map(|at| rfc3339(at).unwrap_or_default());
        let summary = match last.and_then(rfc3339) {
            Some(last) => {
                format!("not used for {days} days before these events end: last {last}, and they reach to {to}")
            }
            None => format!("not seen in these events, from {from} to {to}"),
        };
        let mut finding = Finding::new(Cause::TrustDead, CHECK, Certainty::Likely, summary)
            .with_severity(Severity::Low)
            .with_fix("Ask its owner whether anybody still needs it; remove what nobody does");
        finding.docs = DOCS_LAST_USED.to_owned();
        Some(self.place.finding(finding, "unused"))
    }

    /// Somebody was refused, for the reason that the trust, or the code, gives.
    fn refused(&self, trusts: &Trusts) -> Option<AuditFinding> {
        let seen = self.seen.filter(|seen| seen.refused > 0)?;
        let mut judged: Vec<(Option<UnixSeconds>, Finding, Option<&str>)> = seen
            .refusals
            .iter()
            .filter_map(|exchange| {
                let cause = trusts.judge(exchange, 1).causes.into_iter().next()?;
                Some((exchange.at, cause, exchange.subject.as_deref()))
            })
            .collect();
        judged.sort_by_key(|(at, ..)| std::cmp::Reverse(*at));
        let mut judged = judged.into_iter();
        let (at, mut finding, subject) = judged.next()?;
        let last = at.and_then(rfc3339).map(|at| format!(", last {at}")).unwrap_or_default();
        let who = subject.map(|subject| format!(" for `{subject}`")).unwrap_or_default();
        if let (Some(wanted), Some(had)) = (finding.expected.take(), finding.actual.take()) {
            finding.evidence.push(format!("the trust takes `{wanted}`, the token had `{had}`"));
        }
        finding.evidence.push(format!("these events have {} refused{last}{who}", exchanges(seen.refused)));
        finding.evidence.extend(judged.map(|(_, other, subject)| {
            let who = subject.map(|subject| format!("`{subject}`: ")).unwrap_or_default();
            format!("also refused: {who}{}", other.summary)
        }));
        finding.check = CHECK;
        finding.severity = Some(Severity::Low);
        Some(self.place.finding(finding, "refused"))
    }
}

/// A policy that names a repository without ids, where its tokens have them now and are not let in with them.
fn renamed_in_policy(role: &RoleTrust<'_>, log: &Log) -> Option<Finding> {
    let allowing = role.policy.statements.iter().filter(|statement| statement.effect == Effect::Allow);
    for (claims, provider) in allowing.flat_map(|statement| named_tokens(&role.policy, statement)) {
        let text = |name: &str| claims.get(name).and_then(Value::as_str).unwrap_or_default();
        let Some((by_id, at)) = form_by_id(log, text("iss"), text("sub")) else { continue };
        let mut later = claims.clone();
        later.insert("sub".to_owned(), by_id.as_str().into());
        let decide = |claims| {
            let own = Some(role.place.resource.as_str());
            decide_trust(&role.policy, &TrustRequest { role_arn: own, ..TrustRequest::new(claims, provider) })
        };
        if decide(&claims) == Decision::Allow && decide(&later) == Decision::Deny {
            let mut finding = renamed(text("sub"), &by_id, at);
            let whole = with_another_subject(role, text("sub"), &by_id);
            finding.fixes = whole.into_iter().chain(finding.fixes).collect();
            return Some(finding);
        }
    }
    None
}

fn renamed_in_credentials(set: &CredentialSet, log: &Log) -> Option<Finding> {
    let is_there = |subject: &str| set.credentials.iter().any(|one| one.subject.as_deref() == Some(subject));
    set.credentials.iter().find_map(|one| {
        let subject = one.subject.as_deref()?;
        let (by_id, at) = form_by_id(log, &one.issuer, subject)?;
        (!is_there(&by_id)).then(|| renamed(subject, &by_id, at))
    })
}

/// The subject with the ids that its repository's tokens have in the log, and when.
fn form_by_id(log: &Log, issuer: &str, subject: &str) -> Option<(String, Option<UnixSeconds>)> {
    let named = GithubSubject::parse(subject).filter(|named| named.repository_id.is_none())?;
    let ids = log.observed.id_form(issuer, &named)?;
    Some((named.by_id(&ids.owner_id, &ids.repository_id), ids.at))
}

fn renamed(subject: &str, by_id: &str, at: Option<UnixSeconds>) -> Finding {
    let summary = format!("tokens of this repository have its ids now, and the trust takes `{subject}` alone");
    let mut finding = Finding::new(Cause::ImmutableSub, CHECK, Certainty::Likely, summary)
        .with_severity(Severity::Low)
        .with_fix(format!("Trust `{by_id}` too, and remove `{subject}` once no token has it"));
    let when = at.and_then(rfc3339).map(|at| format!(", last {at}")).unwrap_or_default();
    finding
        .evidence
        .push(format!("these events have tokens of it with ids{when}: after a rename or a move all have them"));
    finding.docs = DOCS_BY_ID.to_owned();
    finding
}

fn exchanges(count: u64) -> String {
    if count == 1 { "one exchange".to_owned() } else { format!("{count} exchanges") }
}

#[cfg(test)]
mod tests;
