//! What is too wide in a provider and in the bindings: foreign tokens that get in, found by evaluation.

use serde_json::{Map, Value};

use super::evaluate::{Subject, evaluate};
use super::evaluation::{LONGEST_SUBJECT, ProviderEvaluation};
use super::lookalike::lookalikes;
use super::member::{Binding, Member, Who};
use super::provider::PoolProvider;
use crate::domain::iam::{Decision, Distance, ForeignSubject, Truth, foreign_tokens};
use crate::domain::issuer::IssuerKind;

/// What stands in claims of a token that nobody of the own organization has.
const STRANGER: &str = "someone-else";

/// A stranger's token that gets in.
#[derive(Clone, Debug, PartialEq)]
pub struct ForeignToken {
    pub subject: ForeignSubject,
    /// All its claims: those that provider and bindings look at decide.
    pub claims: Map<String, Value>,
}

/// The furthest stranger of each distance whose token gets in, furthest first.
///
/// `own` is the token of whoever is meant. Without one a token is made up of the claims that the provider reads.
pub fn foreign(
    provider: &PoolProvider,
    bindings: Option<&[Binding]>,
    own: Option<&Map<String, Value>>,
) -> Vec<ForeignToken> {
    let (made_up, who_is_meant) = (made_up(provider), own);
    let own = who_is_meant.unwrap_or(&made_up);
    let mut found: Vec<ForeignToken> = Vec::new();
    for (subject, claims) in foreign_tokens(&provider.issuer, own) {
        // Of a token that is made up, only another customer's is known to be nobody's who is meant.
        let is_told = who_is_meant.is_some() || subject.distance == Distance::Tenant;
        if !is_told || found.iter().any(|known| known.subject.distance == subject.distance) {
            continue;
        }
        let token = Subject { claims: &claims, unknown: &[] };
        if gets_in(provider, &evaluate(provider, bindings, token)) {
            found.push(ForeignToken { subject, claims });
        }
    }
    // Without a token nobody's names are known but those that are written.
    if who_is_meant.is_none() && found.is_empty() {
        let mut tried = lookalikes(provider, &made_up).into_iter();
        let admitted = tried
            .find(|(_, claims)| gets_in(provider, &evaluate(provider, bindings, Subject { claims, unknown: &[] })));
        found.extend(admitted.map(|(subject, claims)| ForeignToken { subject, claims }));
    }
    found
}

/// Whether a token gets in whose audience its owner chooses: a provider whose name is not at hand takes that name.
fn gets_in(provider: &PoolProvider, found: &ProviderEvaluation) -> bool {
    let has_an_audience = provider.name.is_some() || !provider.allowed_audiences.is_empty();
    if has_an_audience || found.decision != Decision::Unknown {
        return found.decision == Decision::Allow;
    }
    let mut tests = found.statements.first().into_iter().flat_map(|rule| &rule.conditions);
    let granted = found.bindings().is_empty() || found.bindings().iter().any(|rule| rule.matches == Truth::True);
    tests.all(|test| test.key == "audience" || test.result == Truth::True) && granted
}

/// Claims for a token of the issuer that have nobody's names: every claim that the provider reads is there.
fn made_up(provider: &PoolProvider) -> Map<String, Value> {
    let read = provider.mapping.iter().map(|mapping| &mapping.expression).chain(&provider.condition);
    let mut claims: Map<String, Value> =
        read.flat_map(|expression| expression.claims()).map(|claim| (claim.to_owned(), STRANGER.into())).collect();
    claims.insert("iss".to_owned(), provider.issuer.as_str().into());
    claims.insert("sub".to_owned(), subject_of(IssuerKind::of(&provider.issuer, None)).into());
    let own_name = provider.name.as_ref().map(|name| format!("https://iam.googleapis.com/{name}"));
    if let Some(audience) = provider.allowed_audiences.first().cloned().or(own_name) {
        claims.insert("aud".to_owned(), audience.into());
    }
    claims
}

/// A subject of such an issuer, which its strangers are found from.
fn subject_of(kind: IssuerKind) -> &'static str {
    match kind {
        IssuerKind::GithubActions | IssuerKind::GithubEnterpriseServer => "repo:owner/repository:ref:refs/heads/main",
        IssuerKind::GitlabCom | IssuerKind::GitlabSelfManaged => "project_path:group/project:ref_type:branch:ref:main",
        IssuerKind::TerraformCloud => "organization:own:project:own:workspace:own:run_phase:apply",
        IssuerKind::Buildkite => "organization:own:pipeline:own:ref:refs/heads/main:commit:0:step:own",
        kind @ (IssuerKind::Platform(_) | IssuerKind::Bitbucket) => kind.example(),
        _ => "organization:own",
    }
}

/// The roles that every token of a pool has.
pub fn whole_pool(bindings: &[Binding]) -> impl Iterator<Item = (&str, &str)> {
    let whole = |member: &&String| matches!(Member::parse(member), Some(Member::Pool { who: Who::Everyone, .. }));
    bindings.iter().flat_map(move |binding| {
        binding.members.iter().filter(whole).map(|member| (binding.role.as_str(), member.as_str()))
    })
}

/// How many bytes the branch or tag in a subject may have, where `google.subject` is that subject: `(now, at most)`.
pub fn room_for_ref(provider: &PoolProvider, claims: &Map<String, Value>) -> Option<(usize, usize)> {
    let subject = claims.get("sub").and_then(Value::as_str)?;
    let is_whole = |mapping: &&super::provider::Mapping| mapping.attribute == "google.subject";
    let mapping = provider.mapping.iter().find(is_whole)?;
    if mapping.expression.text() != "assertion.sub" {
        return None;
    }
    let at = subject.find("refs/heads/").map(|at| at + "refs/heads/".len());
    let at = at.or_else(|| subject.find(":ref:").map(|at| at + ":ref:".len()))?;
    let reference = subject.get(at..)?.split(':').next().unwrap_or_default();
    Some((reference.len(), LONGEST_SUBJECT.checked_sub(subject.len() - reference.len())?))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::domain::gcp::bindings;

    const POOL: &str = "projects/123456789012/locations/global/workloadIdentityPools/pool";

    fn provider(issuer: &str, condition: Option<&str>) -> PoolProvider {
        let provider = json!({
            "name": format!("{POOL}/providers/ci"),
            "oidc": {"issuerUri": issuer},
            "attributeMapping": {"google.subject": "assertion.sub", "attribute.owner": "assertion.repository_owner"},
            "attributeCondition": condition,
        });
        PoolProvider::parse(&provider.to_string()).unwrap()
    }

    fn furthest(provider: &PoolProvider, own: Option<&Value>) -> Option<(Distance, Value)> {
        let found = foreign(provider, None, own.map(|own| own.as_object().unwrap()));
        found.into_iter().next().map(|token| (token.subject.distance, token.claims.into()))
    }

    #[test]
    fn whoever_else_gets_in_is_found_with_the_claims_of_that_token() {
        const GITHUB: &str = "https://token.actions.githubusercontent.com";
        let own = json!({
            "iss": GITHUB, "sub": "repo:octo/app:ref:refs/heads/main", "repository": "octo/app",
            "repository_owner": "octo", "aud": format!("https://iam.googleapis.com/{POOL}/providers/ci"),
        });
        for (condition, distance) in [
            (None, Some(Distance::Tenant)),
            (Some("assertion.repository_owner != ''"), Some(Distance::Tenant)),
            (Some("assertion.sub.startsWith('repo:octo')"), Some(Distance::Tenant)),
            (Some("assertion.repository_owner == 'octo'"), Some(Distance::Project)),
            (Some("assertion.repository.startsWith('octo/')"), Some(Distance::Project)),
            (Some("assertion.repository == 'octo/app'"), Some(Distance::PullRequest)),
            (Some("assertion.sub == 'repo:octo/app:ref:refs/heads/main'"), None),
        ] {
            let found = furthest(&provider(GITHUB, condition), Some(&own));
            assert_eq!(found.map(|(distance, _)| distance), distance, "{condition:?}");
        }
        let (_, claims) = furthest(&provider(GITHUB, None), Some(&own)).unwrap();
        assert_eq!(claims["repository_owner"], json!("someone-else"));
    }

    #[test]
    fn a_condition_that_only_asks_for_a_claim_lets_every_organization_in() {
        const PLATFORM: &str = "https://platform.example";
        let own = json!({
            "iss": PLATFORM, "sub": "organization:5b9f4a40-57cb-4d4e-9ac4-1de0e0dc3a3d",
            "organization_id": "5b9f4a40-57cb-4d4e-9ac4-1de0e0dc3a3d", "repository_owner": "-",
            "aud": format!("https://iam.googleapis.com/{POOL}/providers/ci"),
        });
        let found = |condition: &str| furthest(&provider(PLATFORM, Some(condition)), Some(&own));
        let (distance, claims) = found("assertion.organization_id != ''").unwrap();
        assert_eq!(distance, Distance::Tenant);
        assert_ne!(claims["organization_id"], own["organization_id"]);
        assert_eq!(found("assertion.organization_id == '5b9f4a40-57cb-4d4e-9ac4-1de0e0dc3a3d'"), None);
    }

    #[test]
    fn without_a_token_one_is_made_up_and_only_strangers_are_told() {
        const GITHUB: &str = "https://token.actions.githubusercontent.com";
        assert!(furthest(&provider(GITHUB, None), None).is_some());
        assert!(furthest(&provider(GITHUB, Some("has(assertion.repository)")), None).is_some());
        assert_eq!(furthest(&provider(GITHUB, Some("assertion.repository_owner == 'octo'")), None), None);
        // A provider that code declares has no full name yet.
        for (condition, is_found) in [(None, true), (Some("assertion.repository_owner == 'octo'"), false)] {
            let unnamed = PoolProvider { name: None, ..provider(GITHUB, condition) };
            assert_eq!(furthest(&unnamed, None).is_some(), is_found, "{condition:?}");
        }
    }

    #[test]
    fn a_role_for_the_whole_pool_is_found() {
        let set = |rest: &str| format!("principalSet://iam.googleapis.com/{POOL}/{rest}");
        let policy = json!({"bindings": [{"role": "roles/a", "members": [set("attribute.owner/o"), set("*")]}]});
        let read = bindings(&policy.to_string()).unwrap();
        assert_eq!(whole_pool(&read).collect::<Vec<_>>(), [("roles/a", &*set("*"))]);
    }

    #[test]
    fn the_room_for_a_branch_is_what_the_limit_leaves() {
        let provider = provider("https://token.actions.githubusercontent.com", None);
        let claims = |sub: &str| json!({"sub": sub}).as_object().unwrap().clone();
        assert_eq!(room_for_ref(&provider, &claims("repo:octo/app:ref:refs/heads/main")), Some((4, 127 - 29)));
        assert_eq!(room_for_ref(&provider, &claims("project_path:g/p:ref_type:branch:ref:main")), Some((4, 127 - 37)));
        assert_eq!(room_for_ref(&provider, &claims("organization:1")), None);
    }
}
