//! The whole corrected policy of a role's trust, where what is meant can be told: from the policy itself, from the account, or
//! from who came by it. Each correction is proven by the evaluator, and judged again.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::judge::judge;
use super::provider::Providers;
use super::role::{ManagedPolicies, RoleTrust};
use crate::audit::AuditFinding;
use crate::cause::{Fix, Severity};
use crate::domain::arn::RoleArn;
use crate::domain::iam::{
    Comparison, Correction, Decision, Effect, Policy, PolicyLint, ProviderArn, Rule, Statement, Subject,
    SubjectKnownFrom, TrustChange, TrustEdit, TrustRequest, WEB_IDENTITY, Wanted, action_covers, correct_trust,
    decide_trust, edit_trust, lint, strangers_of_statement, tighten_trust,
};
use crate::domain::issuer::{IssuerKind, is_announced_github_form};
use crate::domain::text::{as_ascii, is_unsafe};
use crate::remedy::aws::trust::corrected_role;

/// What an account and a log say beside the policy.
#[derive(Clone, Copy, Debug)]
pub struct Beside<'a> {
    pub managed: &'a ManagedPolicies,
    pub providers: &'a Providers,
    /// All who were let in lately, where a log tells of all.
    pub subjects: &'a [String],
}

/// Gives each finding that a proven correction of the policy settles that policy, as its first fix.
pub fn attach(role: &RoleTrust<'_>, beside: Beside<'_>, found: &mut [AuditFinding]) {
    if found.is_empty() {
        return;
    }
    let Some(text) = role.document.as_deref() else { return };
    let correction = step_by_step(role, text, beside, found);
    let correction = narrowed(role, text, correction, beside, found);
    let Some(correction) = correction else { return };
    let Some(left) = judged(role, &correction, beside) else { return };
    let left: BTreeSet<String> = left.into_iter().map(|finding| finding.id).collect();
    let fix = fix(role, &correction);
    for finding in found.iter_mut().filter(|finding| !left.contains(&finding.id)) {
        finding.fixes.insert(0, fix.clone());
    }
}

/// The policy with one more subject wherever it has this one, as a fix.
pub fn with_another_subject(role: &RoleTrust<'_>, subject: &str, another: &str) -> Option<Fix> {
    let text = role.document.as_deref()?;
    let statements = role.policy.statements.iter().enumerate().filter(|(_, one)| one.effect == Effect::Allow);
    let edits = statements.flat_map(|(statement, one)| {
        let about = one.conditions.iter().filter(|condition| condition.expected.iter().any(|e| e.text == subject));
        about.map(move |condition| TrustEdit {
            statement,
            change: TrustChange::OneMore {
                operator: condition.operator_name.clone(),
                key: condition.key.clone(),
                value: another.to_owned(),
            },
        })
    });
    let edits: Vec<TrustEdit> = edits.collect();
    let correction = edit_trust(text, &edits).ok().filter(|_| !edits.is_empty())?;
    Some(fix(role, &correction))
}

fn fix(role: &RoleTrust<'_>, correction: &Correction) -> Fix {
    let mut text = format!("Replace the whole policy: {}.", correction.changes.join("; "));
    if !correction.replaced.is_empty() {
        text.push_str(&format!(" Whoever gets in by {} no longer does.", correction.replaced.join(" or ")));
    }
    corrected_role(RoleArn::parse(&role.place.resource).ok().as_ref(), correction, text)
}

/// What is found in the policy after a correction.
fn judged(role: &RoleTrust<'_>, correction: &Correction, beside: Beside<'_>) -> Option<Vec<AuditFinding>> {
    let policy =
        Policy { role_arn: role.policy.role_arn.clone(), ..Policy::parse(&correction.after.to_string()).ok()? };
    let mut after = RoleTrust::of_policy(policy, role.place.clone());
    after.account.clone_from(&role.account);
    Some(judge(&after, beside.managed, beside.providers))
}

/// Whether something is settled, and nothing else is worse for it.
fn is_better(before: &[AuditFinding], after: &[AuditFinding]) -> bool {
    let has = |all: &[AuditFinding], id: &str| all.iter().any(|finding| finding.id == id);
    let is_hygiene = |finding: &AuditFinding| finding.severity == Severity::Low && finding.admits.is_empty();
    before.iter().any(|finding| !has(after, &finding.id))
        && after.iter().all(|finding| has(before, &finding.id) || is_hygiene(finding))
}

/// One change after the other, each kept where it settles something.
fn step_by_step(role: &RoleTrust<'_>, text: &str, beside: Beside<'_>, found: &[AuditFinding]) -> Option<Correction> {
    let mut taken: Vec<TrustEdit> = Vec::new();
    let mut best: Option<Correction> = None;
    let mut known: Vec<AuditFinding> = found.to_vec();
    for edit in edits(role, beside.providers) {
        let tried: Vec<TrustEdit> = taken.iter().cloned().chain([edit]).collect();
        let Ok(correction) = edit_trust(text, &tried) else { continue };
        let Some(after) = judged(role, &correction, beside).filter(|after| is_better(&known, after)) else { continue };
        (taken, best, known) = (tried, Some(correction), after);
    }
    best
}

/// The policy with those who came in place of all who could, where a log tells who they are.
fn narrowed(
    role: &RoleTrust<'_>,
    text: &str,
    so_far: Option<Correction>,
    beside: Beside<'_>,
    found: &[AuditFinding],
) -> Option<Correction> {
    let policy = match &so_far {
        Some(correction) => Policy::parse(&correction.after.to_string()).ok()?,
        None => role.policy.clone(),
    };
    let mut allowing = policy.statements.iter().filter(|statement| statement.effect == Effect::Allow);
    let (Some(only), None) = (allowing.next(), allowing.next()) else { return so_far };
    let [first, others @ ..] = beside.subjects else { return so_far };
    let admitted = strangers_of_statement(&policy, only);
    let Some((_, claims)) = admitted.first() else { return so_far };
    let Some(provider) = only.principal.as_ref().and_then(|principal| principal.federated.first()) else {
        return so_far;
    };
    let start = so_far.as_ref().map_or_else(|| text.to_owned(), |correction| correction.after.to_string());
    let narrow = || {
        let mut whole = wanted(claims, provider, first, |wanted| tighten_trust(&start, wanted).ok())?;
        for other in others {
            let next = wanted(claims, provider, other, |wanted| correct_trust(&whole.after.to_string(), wanted).ok())?;
            whole.after = next.after;
            whole.changes.extend(next.changes);
        }
        let after = Policy::parse(&whole.after.to_string()).ok()?;
        let gets_in = |subject: &String| {
            wanted(claims, provider, subject, |wanted| {
                (decide_trust(&after, &wanted.request) == Decision::Allow).then_some(())
            })
        };
        beside.subjects.iter().all(|subject| gets_in(subject).is_some()).then_some(whole)
    };
    let Some(narrower) = narrow() else { return so_far };
    let (before, changes) = match &so_far {
        Some(correction) => (correction.before.clone(), correction.changes.clone()),
        None => (narrower.before, Vec::new()),
    };
    let all = "these are all whom the events show".to_owned();
    let changes = changes.into_iter().chain(narrower.changes).chain([all]).collect();
    let whole = Correction { before, changes, ..narrower };
    match judged(role, &whole, beside) {
        Some(after) if is_better(found, &after) => Some(whole),
        _ => so_far,
    }
}

/// Does something for who has this subject, with the other claims of a token that gets in.
fn wanted<T>(
    claims: &Map<String, Value>,
    provider: &str,
    subject: &str,
    ask: impl FnOnce(&Wanted<'_>) -> Option<T>,
) -> Option<T> {
    let mut claims = claims.clone();
    claims.insert("sub".to_owned(), subject.into());
    let request = TrustRequest::new(&claims, provider);
    ask(&Wanted { request, subject: Subject::Exact(subject.to_owned()), known_from: SubjectKnownFrom::Token })
}

/// The changes that may settle something, each by itself.
fn edits(role: &RoleTrust<'_>, providers: &Providers) -> Vec<TrustEdit> {
    let smells = lint(&role.policy, &TrustRequest::new(&Map::new(), ""));
    let mut edits: Vec<TrustEdit> = smells.iter().flat_map(|smell| of_smell(smell, role, providers)).collect();
    for (statement, one) in role.policy.statements.iter().enumerate() {
        if one.effect == Effect::Allow {
            edits.extend(of_account(one, role, providers).into_iter().map(|change| TrustEdit { statement, change }));
        }
    }
    edits
}

fn of_smell(smell: &PolicyLint, role: &RoleTrust<'_>, providers: &Providers) -> Option<TrustEdit> {
    let operator = smell.at.strip_prefix("Condition.").unwrap_or_default().to_owned();
    let from = smell.text.clone();
    let value = |to: String| {
        let (operator, key) = (operator.clone(), smell.key.clone()?);
        Some(TrustChange::Value { operator, key, from: from.clone(), to })
    };
    let change = match &smell.rule {
        Rule::ForAllValues => {
            TrustChange::Operator { to: from.trim_start_matches("ForAllValues:").to_owned(), from: from.clone() }
        }
        Rule::IfExistsTenancy => {
            TrustChange::Operator { to: from.trim_end_matches("IfExists").to_owned(), from: from.clone() }
        }
        Rule::ImpossibleKey(key) => TrustChange::Key { operator, from, to: key.corrected.clone()? },
        Rule::AnnouncedSubject => value(with_ids(&from)?)?,
        Rule::Homoglyph => value(as_ascii(&from)?)?,
        Rule::Invisible => value(from.chars().filter(|sign| !is_unsafe(*sign)).collect())?,
        Rule::AudienceUnconstrained => {
            let key = smell.key.clone()?;
            let value = audience(role.policy.statements.get(smell.statement)?, &key, providers)?;
            TrustChange::Require { key, value }
        }
        _ => return None,
    };
    Some(TrustEdit { statement: smell.statement, change })
}

/// The audience that the tokens have: the only one that the provider takes, or the one that the issuer's own action asks for.
fn audience(statement: &Statement, key: &str, providers: &Providers) -> Option<String> {
    const USUAL: &str = "sts.amazonaws.com";
    let url = key.strip_suffix(":aud")?;
    if let Some(registered) = providers.of_url(url) {
        let mut all = registered.audiences.iter();
        return all.next().filter(|_| all.next().is_none()).cloned();
    }
    let subject = statement.conditions.iter().flat_map(|condition| &condition.expected).map(|e| e.text.as_str()).next();
    matches!(IssuerKind::of(url, subject), IssuerKind::GithubActions | IssuerKind::Eks).then(|| USUAL.to_owned())
}

/// The announced form of GitHub's subject as it came: with `@` before the numbers.
fn with_ids(subject: &str) -> Option<String> {
    let (path, context) = subject.strip_prefix("repo:")?.split_once(':')?;
    let (owner, name) = path.split_once('/').filter(|_| is_announced_github_form(subject))?;
    let numbered = |part: &str| part.rsplit_once('-').map(|(name, id)| format!("{name}@{id}"));
    Some(format!("repo:{}/{}:{context}", numbered(owner)?, numbered(name)?))
}

/// What the account says: its own provider, the one audience that it takes, the action for tokens.
fn of_account(statement: &Statement, role: &RoleTrust<'_>, providers: &Providers) -> Vec<TrustChange> {
    let mut changes = Vec::new();
    if !action_covers(&statement.action, WEB_IDENTITY)
        && let ([only], false) = (statement.action.patterns.as_slice(), statement.action.negated)
    {
        changes.push(TrustChange::Action { from: only.clone(), to: WEB_IDENTITY.to_owned() });
    }
    for written in statement.principal.iter().flat_map(|principal| &principal.federated) {
        let Some(arn) = ProviderArn::parse(written) else { continue };
        if let Some(account) = role.account.as_deref().filter(|own| *own != arn.account) {
            let to = format!("arn:{}:iam::{account}:oidc-provider/{}", arn.partition, arn.url);
            changes.push(TrustChange::Provider { from: written.clone(), to });
        }
        let mut registered = providers.of_url(arn.url).into_iter().flat_map(|provider| &provider.audiences);
        if let (Some(only), None) = (registered.next(), registered.next()) {
            changes.extend(audience_instead(statement, arn.url, only));
        }
    }
    changes
}

/// The audience that the provider takes in place of the only one that the statement asks for.
fn audience_instead(statement: &Statement, url: &str, registered: &str) -> Option<TrustChange> {
    let key = format!("{url}:aud");
    let about = statement.conditions.iter().find(|condition| {
        condition.key.eq_ignore_ascii_case(&key) && condition.operator.comparison == Comparison::StringEquals
    })?;
    let [only] = about.expected.as_slice() else { return None };
    (only.text != registered).then(|| TrustChange::Value {
        operator: about.operator_name.clone(),
        key: about.key.clone(),
        from: only.text.clone(),
        to: registered.to_owned(),
    })
}

#[cfg(test)]
mod tests;
