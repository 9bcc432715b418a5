//! Who else gets in: tokens of strangers that the same policy accepts, found by search over the grammar of the
//! issuer's subjects.

mod candidates;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::context::{TrustRequest, claim_name};
use super::decide::{Decision, decide_trust};
use super::operator::Comparison;
use super::policy::ProviderArn;
use super::policy::{Condition, Effect, Expected, Policy, Statement};
use crate::domain::issuer::{IssuerKind, condition_key_prefix, is_whole};

/// How far a stranger is from the token's owner. Ordered: the furthest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Distance {
    /// Another customer of the issuer.
    Tenant,
    /// Another project of the same owner.
    Project,
    /// A pull request in the same project.
    PullRequest,
    /// Another branch of the same project.
    Branch,
}

/// A stranger's token that the policy accepts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ForeignSubject {
    pub distance: Distance,
    /// Who it is, such as `a repository of another owner`.
    pub who: String,
    pub subject: String,
}

impl ForeignSubject {
    /// Whether no part of the owner's name keeps anybody out: every customer of the issuer gets in.
    pub fn is_anybody(&self) -> bool {
        self.distance == Distance::Tenant && candidates::has_nobodys_name(&self.subject)
    }
}

/// A stranger's token that the policy may accept: what differs from the token at hand.
struct Candidate {
    distance: Distance,
    who: &'static str,
    subject: String,
    /// Claims beside `sub` that go with it. Those that the token at hand has not are left out.
    changes: Vec<(&'static str, String)>,
}

/// A stranger who gets in, and the claims of the token that does it.
pub type Admitted = (ForeignSubject, Map<String, Value>);

/// The furthest stranger of each distance whose token `policy` accepts, furthest first.
///
/// `request` holds the owner's token: strangers have tokens of the same issuer.
pub fn strangers(policy: &Policy, request: &TrustRequest<'_>) -> Vec<ForeignSubject> {
    admitted(policy, request).into_iter().map(|(stranger, _)| stranger).collect()
}

fn admitted(policy: &Policy, request: &TrustRequest<'_>) -> Vec<Admitted> {
    let subject = request.claims.get("sub").and_then(Value::as_str).unwrap_or_default();
    let kind = IssuerKind::of(request.issuer(), Some(subject));
    let prefix = condition_key_prefix(request.issuer());
    let patterns = values_for(policy, prefix, "sub");
    let audiences = values_for(policy, prefix, "aud");
    let workflows = values_for(policy, prefix, "job_workflow_ref");
    let names_an_actor = ACTOR.iter().any(|claim| !values_for(policy, prefix, claim).is_empty());
    let mut found: Vec<Admitted> = Vec::new();
    for candidate in candidates::all(kind, subject, &patterns).into_iter().take(tries(policy)) {
        let settled = found.iter().any(|(stranger, _)| stranger.distance == candidate.distance);
        if settled || candidate.subject == subject && candidate.changes.is_empty() {
            continue;
        }
        let mut claims = claims_of(&candidate, request.claims);
        if candidate.distance == Distance::Tenant {
            own_workflow(&mut claims, &workflows);
        }
        let Candidate { distance, who, subject, .. } = candidate;
        if let Some(claims) = accepted(policy, request, claims.clone(), &audiences) {
            found.push((ForeignSubject { distance, who: who.to_owned(), subject }, claims));
        } else if distance == Distance::Tenant
            && names_an_actor
            && let Some(claims) = accepted(policy, request, started_by_the_named(claims, request.claims), &audiences)
        {
            let who = format!("{who}, in a run that the named actor starts");
            found.push((ForeignSubject { distance, who, subject }, claims));
        }
    }
    found.sort_by_key(|(stranger, _)| stranger.distance);
    found
}

/// The tokens of all strangers that are tried against `policy`, whether it lets them in or not.
pub(super) fn tokens(policy: &Policy, request: &TrustRequest<'_>) -> Vec<Map<String, Value>> {
    let subject = request.claims.get("sub").and_then(Value::as_str).unwrap_or_default();
    let kind = IssuerKind::of(request.issuer(), Some(subject));
    let patterns = values_for(policy, condition_key_prefix(request.issuer()), "sub");
    let candidates = candidates::all(kind, subject, &patterns).into_iter().take(tries(policy));
    candidates.map(|candidate| claims_of(&candidate, request.claims)).collect()
}

/// Tokens of strangers of the same issuer, with all claims that go with their subjects: names and ids of the owner's token
/// that stand in its subject are the stranger's wherever they stand.
pub fn foreign_tokens(issuer: &str, own: &Map<String, Value>) -> Vec<(ForeignSubject, Map<String, Value>)> {
    let subject = own.get("sub").and_then(Value::as_str).unwrap_or_default();
    let candidates = candidates::all(IssuerKind::of(issuer, Some(subject)), subject, &[]);
    let of_stranger = |candidate: Candidate| {
        let mut claims = claims_of(&candidate, own);
        let changed = changed_parts(subject, &candidate.subject);
        for (name, value) in &mut claims {
            if let (Value::String(text), false) = (&*value, matches!(name.as_str(), "sub" | "iss" | "aud")) {
                let parts = text.split('/').map(|part| changed.get(part).copied().unwrap_or(part));
                *value = parts.collect::<Vec<_>>().join("/").into();
            }
        }
        let Candidate { distance, who, subject, .. } = candidate;
        (ForeignSubject { distance, who: who.to_owned(), subject }, claims)
    };
    let mut found: Vec<_> = candidates.into_iter().filter(|c| c.subject != subject).map(of_stranger).collect();
    found.sort_by_key(|(stranger, _)| stranger.distance);
    found
}

/// What stands in `other` in place of each part of `own`, where both have as many parts.
fn changed_parts<'a>(own: &'a str, other: &'a str) -> BTreeMap<&'a str, &'a str> {
    let parts = |text: &'a str| text.split([':', '/', '@']).collect::<Vec<_>>();
    let (own, other) = (parts(own), parts(other));
    match own.len() == other.len() {
        true => own.into_iter().zip(other).filter(|(own, other)| own != other).collect(),
        false => BTreeMap::new(),
    }
}

/// The stranger's claims that the policy takes, with the token's audience or one the policy itself names: whoever
/// asks for a token chooses its audience.
fn accepted(
    policy: &Policy,
    request: &TrustRequest<'_>,
    mut claims: Map<String, Value>,
    audiences: &[&str],
) -> Option<Map<String, Value>> {
    let accepts =
        |claims: &Map<String, Value>| decide_trust(policy, &TrustRequest { claims, ..*request }) == Decision::Allow;
    if accepts(&claims) {
        return Some(claims);
    }
    for audience in audiences.iter().take(2) {
        claims.remove("azp");
        claims.insert("aud".to_owned(), Value::from(*audience));
        if accepts(&claims) {
            return Some(claims);
        }
    }
    None
}

/// The claims that say who started a run, wherever its repository is: whoever has it started by the named one gets in.
const ACTOR: [&str; 2] = ["actor", "actor_id"];

/// The stranger's run, started by whom the own token names.
fn started_by_the_named(mut claims: Map<String, Value>, own: &Map<String, Value>) -> Map<String, Value> {
    let named = ACTOR.iter().filter_map(|claim| Some(((*claim).to_owned(), own.get(*claim)?.clone())));
    claims.extend(named);
    claims
}

/// Names the stranger's own workflow as the first of the patterns wants it that leaves the owner open.
fn own_workflow(claims: &mut Map<String, Value>, patterns: &[&str]) {
    let Some(open) = patterns.iter().find_map(|pattern| pattern.strip_prefix('*')) else { return };
    let subject = claims.get("sub").and_then(Value::as_str).unwrap_or_default();
    let Some(path) = subject.strip_prefix("repo:").and_then(|rest| rest.split(':').next()) else { return };
    let rest = open.replace(['*', '?'], "x");
    let workflow = format!("{path}/.github/workflows/{}", rest.trim_start_matches('/'));
    claims.insert("job_workflow_ref".to_owned(), workflow.into());
}

/// How many strangers are tried: all of them against a policy of usual size, fewer the longer it is.
fn tries(policy: &Policy) -> usize {
    let values = policy.statements.iter().flat_map(|s| &s.conditions).map(|c| c.expected.len()).sum::<usize>();
    100_000 / (policy.statements.len() + values).max(1)
}

fn claims_of(candidate: &Candidate, own: &Map<String, Value>) -> Map<String, Value> {
    let mut claims = own.clone();
    claims.insert("sub".to_owned(), Value::from(candidate.subject.as_str()));
    for (claim, value) in &candidate.changes {
        if claims.contains_key(*claim) {
            claims.insert((*claim).to_owned(), Value::from(value.as_str()));
        }
    }
    claims
}

/// What the policy's allowing statements expect of the issuer's `claim`, at most 32 values of the usual length.
pub(super) fn values_for<'p>(policy: &'p Policy, prefix: &str, claim: &str) -> Vec<&'p str> {
    values_in(policy.statements.iter().filter(|statement| statement.effect == Effect::Allow), prefix, claim)
}

fn values_in<'p>(statements: impl Iterator<Item = &'p Statement>, prefix: &str, claim: &str) -> Vec<&'p str> {
    let conditions = statements.flat_map(|statement| &statement.conditions);
    conditions
        .filter(|condition| claim_name(&condition.key, prefix).is_some_and(|name| name.eq_ignore_ascii_case(claim)))
        .flat_map(|condition| &condition.expected)
        .map(|expected| expected.text.as_str())
        .filter(|text| text.len() <= 512)
        .take(32)
        .collect()
}

/// Stands for a part of a claim that a pattern leaves open.
const FILLING: &str = "own";

/// The furthest stranger of each distance that `policy` accepts beside those whom it names, furthest first.
pub fn strangers_to_the_named(policy: &Policy) -> Vec<ForeignSubject> {
    let mut found: Vec<ForeignSubject> = Vec::new();
    for statement in policy.statements.iter().filter(|statement| statement.effect == Effect::Allow) {
        for (url, provider) in providers(statement) {
            for subject in values_in(std::iter::once(statement), url, "sub") {
                for (stranger, _) in beside(policy, statement, url, provider, subject) {
                    if !found.iter().any(|known| known.distance == stranger.distance) {
                        found.push(stranger);
                    }
                }
            }
        }
    }
    found.sort_by_key(|stranger| stranger.distance);
    found
}

/// The furthest stranger of each distance whom this statement lets in, with the token's claims: beside those whom it names,
/// or, where it names nobody, beside the owner of the issuer's example.
pub fn strangers_of_statement(policy: &Policy, statement: &Statement) -> Vec<Admitted> {
    let mut found: Vec<Admitted> = Vec::new();
    for (url, provider) in providers(statement) {
        if has_exact_subject(statement, url) {
            continue;
        }
        for subject in owners(statement, url) {
            for (stranger, claims) in beside(policy, statement, url, provider, &subject) {
                if !found.iter().any(|(known, _)| known.distance == stranger.distance) {
                    found.push((stranger, claims));
                }
            }
        }
    }
    found.sort_by_key(|(stranger, _)| stranger.distance);
    found
}

/// Whose tokens the statement is for: those whom it names; where it names nobody, the repository that another claim tells, or the
/// owner of the issuer's example.
fn owners(statement: &Statement, url: &str) -> Vec<String> {
    let named = values_in(std::iter::once(statement), url, "sub");
    if !named.is_empty() {
        return named.into_iter().map(str::to_owned).collect();
    }
    let kind = IssuerKind::of(url, None);
    let repositories = values_in(std::iter::once(statement), url, "repository");
    if kind == IssuerKind::GithubActions && !repositories.is_empty() {
        return repositories.into_iter().map(|path| format!("repo:{path}:ref:refs/heads/main")).collect();
    }
    // Of an issuer that is not described, a claim beside the audience may say whose tokens are meant.
    let is_about_whom = |condition: &Condition| {
        let name = claim_name(&condition.key, url).unwrap_or("aud").to_ascii_lowercase();
        !matches!(name.as_str(), "aud" | "oaud" | "amr")
    };
    // Of Cognito the audience says it: nobody chooses the pool that a token is of.
    let is_open = kind != IssuerKind::Cognito && !statement.conditions.iter().any(is_about_whom);
    match kind.is_described() || is_open {
        true => vec![kind.example().to_owned()],
        false => Vec::new(),
    }
}

/// Tokens of those whom the policy names and this statement takes, with the provider that each is presented at. A Deny may name
/// whom it spares.
pub fn named_tokens<'s>(policy: &Policy, statement: &'s Statement) -> Vec<(Map<String, Value>, &'s str)> {
    let denying = || policy.statements.iter().filter(|other| other.effect == Effect::Deny);
    let tokens = providers(statement).flat_map(|(url, provider)| {
        let named = values_in(std::iter::once(statement).chain(denying()), url, "sub");
        let tokens = named.into_iter().map(move |subject| (claims(statement, url, &owner(url, subject)), provider));
        tokens.collect::<Vec<_>>()
    });
    tokens.collect()
}

/// The issuers that a statement trusts, by URL without scheme, and as it writes them.
fn providers(statement: &Statement) -> impl Iterator<Item = (&str, &str)> {
    let federated = statement.principal.iter().flat_map(|principal| &principal.federated);
    federated.map(|provider| (ProviderArn::parse(provider).map_or(provider.as_str(), |arn| arn.url), provider.as_str()))
}

/// Whether a condition asks for whole subjects, letter by letter: nobody else has them, and nothing is to be tried.
fn has_exact_subject(statement: &Statement, url: &str) -> bool {
    statement.conditions.iter().any(|condition| {
        let operator = condition.operator;
        let is_literal =
            operator.comparison == Comparison::StringEquals || !condition.expected.iter().any(Expected::is_open);
        claim_name(&condition.key, url).is_some_and(|name| name.eq_ignore_ascii_case("sub"))
            && matches!(operator.comparison, Comparison::StringEquals | Comparison::StringLike)
            && is_literal
            && !operator.negated
            && !operator.if_exists
            && operator.quantifier.is_none()
            && !condition.expected.iter().any(|expected| expected.has_variables)
    })
}

/// Who gets in by this statement beside the owner of `subject`.
fn beside(policy: &Policy, statement: &Statement, url: &str, provider: &str, subject: &str) -> Vec<Admitted> {
    let alone = alone(policy, statement, url, subject);
    let claims = claims(statement, url, &owner(url, subject));
    admitted(&alone, &TrustRequest::new(&claims, provider))
}

/// The policy with this statement as the only one that allows, and `subject` as the only one that it names.
fn alone(policy: &Policy, statement: &Statement, url: &str, subject: &str) -> Policy {
    let mut statement = statement.clone();
    for condition in &mut statement.conditions {
        if claim_name(&condition.key, url).is_some_and(|name| name.eq_ignore_ascii_case("sub")) {
            condition.expected.retain(|expected| expected.text == subject);
        }
    }
    let denying = policy.statements.iter().filter(|other| other.effect == Effect::Deny).cloned();
    Policy { statements: denying.chain([statement]).collect(), ..policy.clone() }
}

/// A whole subject that fits `pattern`. A wildcard may stand for several parts, which the issuer's example has.
fn owner(url: &str, pattern: &str) -> String {
    let kind = IssuerKind::of(url, Some(pattern));
    let simple = pattern.replace(['*', '?'], FILLING);
    let (Some(last), false) = (pattern.rfind('*'), is_whole(kind, &simple)) else { return simple };
    let before = pattern[..last].replace(['*', '?'], FILLING);
    let behind = pattern[last + 1..].replace('?', FILLING);
    let example = kind.example();
    let starts = std::iter::once(0).chain(example.match_indices([':', '/']).map(|(at, _)| at + 1));
    let mut ends: Vec<usize> = example.match_indices([':', '/']).map(|(at, _)| at).collect();
    // A wildcard at the end stands for all that follows.
    if behind.is_empty() {
        ends.clear();
    }
    ends.push(example.len());
    let pieces = starts.flat_map(|from| ends.iter().filter_map(move |to| example.get(from..*to)));
    // Of several that would do, the one with as many parts as subjects of this issuer have.
    let parts = |subject: &str| subject.matches([':', '/']).count();
    let subjects = pieces.map(|piece| format!("{before}{piece}{behind}")).filter(|subject| is_whole(kind, subject));
    subjects.min_by_key(|subject| parts(subject).abs_diff(parts(example))).unwrap_or(simple)
}

/// Claims as the statement wants them.
fn claims(statement: &Statement, url: &str, subject: &str) -> Map<String, Value> {
    let wanted = statement.conditions.iter().filter(|condition| !condition.operator.negated).filter_map(|condition| {
        let name = claim_name(&condition.key, url)?.to_ascii_lowercase();
        Some((name, condition.expected.first()?.text.replace(['*', '?'], FILLING).into()))
    });
    let mut claims: Map<String, Value> = [("aud".to_owned(), Value::from("sts.amazonaws.com"))].into_iter().collect();
    claims.extend(wanted);
    claims.insert("iss".to_owned(), format!("https://{url}").into());
    claims.insert("sub".to_owned(), subject.into());
    claims
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const GITHUB: &str = "token.actions.githubusercontent.com";

    fn found(issuer: &str, claims: Value, conditions: Value) -> Vec<(Distance, String)> {
        let arn = format!("arn:aws:iam::123456789012:oidc-provider/{issuer}");
        let policy = json!({"Version": "2012-10-17", "Statement": {
            "Effect": "Allow", "Principal": {"Federated": arn},
            "Action": "sts:AssumeRoleWithWebIdentity", "Condition": conditions}});
        let policy = Policy::parse(&policy.to_string()).unwrap();
        let mut claims = claims.as_object().unwrap().clone();
        claims.insert("iss".into(), json!(format!("https://{issuer}")));
        claims.entry("aud").or_insert(json!("sts.amazonaws.com"));
        let request = TrustRequest::new(&claims, &arn);
        strangers(&policy, &request).into_iter().map(|s| (s.distance, s.subject)).collect()
    }

    fn github(operator: &str, key: &str, value: &str) -> Vec<(Distance, String)> {
        let claims = json!({"sub": "repo:octo/app:ref:refs/heads/main", "repository": "octo/app",
            "repository_owner_id": "1", "repository_id": "2", "ref": "refs/heads/main", "actor": "mona"});
        found(GITHUB, claims, json!({operator: {format!("{GITHUB}:{key}"): value}}))
    }

    #[test]
    fn nobody_else_passes_a_tight_policy() {
        for (operator, key, value) in [
            ("StringEquals", "sub", "repo:octo/app:ref:refs/heads/main"),
            ("StringLike", "sub", "repo:octo/app:environment:prod"),
            ("StringEquals", "sub", "repo:octo@1/app@2:ref:refs/heads/main"),
        ] {
            assert_eq!(github(operator, key, value), [], "{value}");
        }
        let uuid = "organization:7f3e81c4-1111-4222-8333-9d20c1a09a1c";
        let platform =
            json!({"StringEquals": {"app.example.com:sub": uuid, "app.example.com:aud": "sts.amazonaws.com"}});
        assert_eq!(found("app.example.com", json!({"sub": uuid}), platform), []);
    }

    #[test]
    fn finds_the_furthest_stranger() {
        use Distance::*;
        for (operator, key, value, distance, subject) in [
            ("StringLike", "sub", "*", Tenant, "repo:someone-else/app:ref:refs/heads/main"),
            ("StringLike", "sub", "repo:*", Tenant, "repo:someone-else/app:ref:refs/heads/main"),
            ("StringLike", "sub", "repo:octo*", Tenant, "repo:octo-someone-else/app:ref:refs/heads/main"),
            ("StringLike", "sub", "repo:*octo/app:*", Tenant, "repo:someone-else-octo/app:ref:refs/heads/main"),
            ("StringLike", "sub", "*:ref:refs/heads/main", Tenant, "repo:someone-else/app:ref:refs/heads/main"),
            ("StringEquals", "aud", "sts.amazonaws.com", Tenant, "repo:someone-else/app:ref:refs/heads/main"),
            ("StringEquals", "actor", "mona", Tenant, "repo:someone-else/app:ref:refs/heads/main"),
            (
                "StringNotEquals",
                "sub",
                "repo:evil/app:pull_request",
                Tenant,
                "repo:someone-else/app:ref:refs/heads/main",
            ),
            (
                "ForAllValues:StringLike",
                "subject",
                "repo:octo/app:*",
                Tenant,
                "repo:someone-else/app:ref:refs/heads/main",
            ),
            ("StringLike", "sub", "repo:octo/*", Project, "repo:octo/someone-elses:ref:refs/heads/main"),
            (
                "StringLike",
                "sub",
                "repo:octo/app-*:ref:refs/heads/main",
                Project,
                "repo:octo/app-someone-elses:ref:refs/heads/main",
            ),
            ("StringLike", "sub", "repo:octo/app:*", PullRequest, "repo:octo/app:pull_request"),
            ("StringEquals", "repository_id", "2", PullRequest, "repo:octo/app:pull_request"),
            (
                "StringLike",
                "sub",
                "repo:octo/app:ref:refs/heads/*",
                Branch,
                "repo:octo/app:ref:refs/heads/someone-elses",
            ),
        ] {
            let found = github(operator, key, value);
            assert_eq!(found.first(), Some(&(distance, subject.to_owned())), "{operator} {key} {value}");
        }
    }

    #[test]
    fn a_claim_of_the_owner_keeps_strangers_out_as_sub_does() {
        assert_eq!(github("StringEquals", "repository_owner_id", "1").first().map(|f| f.0), Some(Distance::Project));
        // Whoever is named may start a run anywhere.
        assert_eq!(github("StringEquals", "actor", "mona").first().map(|f| f.0), Some(Distance::Tenant));
    }

    #[test]
    fn every_issuer_has_its_strangers() {
        use Distance::*;
        let cases = [
            ("gitlab.com", "project_path:g/p:ref_type:branch:ref:main", "project_path:*", Tenant),
            ("gitlab.com", "project_path:g/p:ref_type:branch:ref:main", "project_path:g/*", Project),
            ("gitlab.com", "project_path:g/p:ref_type:branch:ref:main", "project_path:g/p:*", Branch),
            ("oidc.circleci.com/org/o", "org/o/project/p/user/u", "org/o/*", Project),
            ("app.terraform.io", "organization:o:project:p:workspace:w:run_phase:plan", "organization:*", Tenant),
            ("app.terraform.io", "organization:o:project:p:workspace:w:run_phase:plan", "organization:o:*", Project),
            (
                "agent.buildkite.com",
                "organization:o:pipeline:p:ref:refs/heads/main:commit:c:step:s",
                "organization:o*",
                Tenant,
            ),
            (
                "agent.buildkite.com",
                "organization:o:pipeline:p:ref:refs/heads/main:commit:c:step:s",
                "organization:o:pipeline:p:*",
                Branch,
            ),
            ("oidc.eks.us-east-1.amazonaws.com/id/A", "system:serviceaccount:ns:sa", "system:serviceaccount:*", Tenant),
            (
                "oidc.eks.us-east-1.amazonaws.com/id/A",
                "system:serviceaccount:ns:sa",
                "system:serviceaccount:ns:*",
                Project,
            ),
            ("api.bitbucket.org/2.0/workspaces/w/pipelines-config/identity/oidc", "{r}:{s}", "*", Project),
            ("app.example.com", "organization:7f3e81c4-1111-4222-8333-9d20c1a09a1c", "organization:*", Tenant),
            ("idp.example.com", "svc-deploy", "*", Tenant),
        ];
        for (issuer, subject, pattern, distance) in cases {
            let conditions = json!({"StringLike": {format!("{issuer}:sub"): pattern}});
            let found = found(issuer, json!({"sub": subject}), conditions);
            assert_eq!(found.first().map(|f| f.0), Some(distance), "{issuer} {pattern}");
        }
    }

    #[test]
    fn what_changes_from_run_to_run_is_no_stranger() {
        for (issuer, subject, pattern) in [
            ("oidc.circleci.com/org/o", "org/o/project/p/user/u", "org/o/project/p/user/*"),
            ("api.bitbucket.org/2.0/workspaces/w/pipelines-config/identity/oidc", "{r}:{s}", "{r}:*"),
            (
                "app.terraform.io",
                "organization:o:project:p:workspace:w:run_phase:plan",
                "organization:o:project:p:workspace:w:run_phase:*",
            ),
        ] {
            let conditions = json!({"StringLike": {format!("{issuer}:sub"): pattern}});
            assert_eq!(found(issuer, json!({"sub": subject}), conditions), [], "{pattern}");
        }
    }
}

#[cfg(test)]
mod unowned_tests {
    use serde_json::json;

    use super::Distance;
    use super::Distance::{Branch, Project, PullRequest, Tenant};
    use super::*;

    fn found(url: &str, conditions: Value) -> Vec<(Distance, String)> {
        let arn = format!("arn:aws:iam::123456789012:oidc-provider/{url}");
        let policy = json!({"Version": "2012-10-17", "Statement": {
            "Effect": "Allow", "Principal": {"Federated": arn},
            "Action": "sts:AssumeRoleWithWebIdentity", "Condition": conditions}});
        let found = strangers_to_the_named(&Policy::parse(&policy.to_string()).unwrap());
        found.into_iter().map(|stranger| (stranger.distance, stranger.subject)).collect()
    }

    #[test]
    fn whoever_is_named_is_no_stranger() {
        let github = "token.actions.githubusercontent.com";
        let sub = |operator: &str, value: Value| {
            found(
                github,
                json!({operator: {format!("{github}:sub"): value}, "StringEquals": {format!("{github}:aud"): "x"}}),
            )
        };
        let two = json!(["repo:octo/app:ref:refs/heads/main", "repo:other/tool:environment:prod"]);
        assert_eq!(sub("StringLike", two), []);
        let furthest = |value: &str| sub("StringLike", json!(value)).first().map(|(distance, _)| *distance);
        assert_eq!(furthest("repo:octo/*"), Some(Project));
        let prefix = sub("StringLike", json!("repo:octo*"));
        assert_eq!(prefix.first(), Some(&(Tenant, "repo:octo-someone-else/own:ref:refs/heads/main".to_owned())));
        assert_eq!(furthest("repo:*"), Some(Tenant));
        assert_eq!(furthest("*"), Some(Tenant));
        assert_eq!(furthest("*:ref:refs/heads/main"), Some(Tenant));
        assert_eq!(furthest("repo:octo/app:*"), Some(PullRequest));
        assert_eq!(furthest("repo:octo/app:ref:refs/heads/*"), Some(Branch));
        let platform = found("app.example.com", json!({"StringLike": {"app.example.com:sub": "organization:*"}}));
        assert_eq!(platform.first().map(|(distance, _)| *distance), Some(Tenant));
        assert_eq!(found(github, json!({"StringEquals": {format!("{github}:repository_owner_id"): "1"}})), []);
    }
}
