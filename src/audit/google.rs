//! Google Cloud: the providers of workload identity pools, and whom IAM policies give roles.

use serde_json::Value;

use super::{AdmittedSubject, AuditFinding, Place};
use crate::cause::gcp;
use crate::domain::gcp::{PoolProvider, bindings, foreign, whole_pool};
use crate::domain::ids::{Finder, FoundBy};

/// The name that findings carry in place of a check's.
const CHECK: FoundBy = FoundBy::Command(Finder::Audit);

/// Whether an object is a provider of a pool.
pub fn is_provider(object: &Value) -> bool {
    let name = object.get("name").and_then(Value::as_str).unwrap_or_default();
    object.get("attributeMapping").is_some() || name.contains("/workloadIdentityPools/") && name.contains("/providers/")
}

/// Whether an object is an IAM policy; one that gives nobody anything has no bindings.
pub fn is_policy(object: &Value) -> bool {
    let is_empty = object.as_object().is_some_and(|members| {
        members.contains_key("etag") && members.keys().all(|name| name == "etag" || name == "version")
    });
    is_empty || object.get("bindings").is_some_and(Value::is_array)
}

/// Judges a provider: which strangers it exchanges tokens for, whatever the bindings say of them.
///
/// # Errors
/// It cannot be read; says why.
pub fn judge_provider(place: &Place, provider: &Value) -> Result<Vec<AuditFinding>, String> {
    let provider = PoolProvider::parse(&provider.to_string()).map_err(|error| error.to_string())?;
    let found = foreign(&provider, None, None);
    let expressions = provider.mapping.iter().map(|mapping| &mapping.expression).chain(&provider.condition);
    let read: Vec<String> = expressions.flat_map(|expression| expression.claims()).map(str::to_owned).collect();
    let finding = gcp::strangers(CHECK, &found, &read).map(|finding| {
        let mut finding = place.finding(finding, "who gets in");
        finding.admits = found
            .into_iter()
            .map(|token| AdmittedSubject {
                subject: token.subject.subject,
                why: token.subject.who,
                claims: token.claims,
            })
            .collect();
        finding
    });
    Ok(finding.into_iter().collect())
}

/// Judges a policy: which roles every token of a pool has.
///
/// # Errors
/// It cannot be read; says why.
pub fn judge_policy(place: &Place, policy: &Value) -> Result<Vec<AuditFinding>, String> {
    let bindings = bindings(&policy.to_string()).map_err(|error| error.to_string())?;
    let wide: Vec<(&str, &str)> = whole_pool(&bindings).collect();
    let found = gcp::weak(CHECK, &wide, None);
    Ok(found
        .into_iter()
        .map(|finding| {
            let mark = format!("{} {}", finding.summary, finding.evidence.join(" "));
            place.finding(finding, &mark)
        })
        .collect())
}

/// Whether a policy gives a role to anybody of a pool.
pub fn is_federated(policy: &Value) -> bool {
    let bindings = policy.get("bindings").and_then(Value::as_array).into_iter().flatten();
    let mut members =
        bindings.flat_map(|binding| binding.get("members").and_then(Value::as_array).into_iter().flatten());
    members.any(|member| member.as_str().is_some_and(|member| member.contains("/workloadIdentityPools/")))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::cause::{Cause, Severity};

    const POOL: &str = "projects/123456789012/locations/global/workloadIdentityPools/ci";

    fn provider(condition: Option<&str>) -> Value {
        let mut provider = json!({"name": format!("{POOL}/providers/github"), "state": "ACTIVE",
            "oidc": {"issuerUri": "https://token.actions.githubusercontent.com"},
            "attributeMapping": {"google.subject": "assertion.sub", "attribute.owner": "assertion.repository_owner_id"}});
        if let Some(condition) = condition {
            provider["attributeCondition"] = condition.into();
        }
        provider
    }

    #[test]
    fn a_provider_without_a_condition_lets_strangers_in() {
        let place = Place { resource: "provider".to_owned(), location: None };
        assert!(is_provider(&provider(None)));
        let found = judge_provider(&place, &provider(None)).unwrap();
        assert_eq!((found[0].cause, found[0].severity), (Cause::TrustTooWide, Severity::Critical));
        assert!(!found[0].admits.is_empty());
        assert_eq!(judge_provider(&place, &provider(Some("assertion.repository_owner_id == '42'"))), Ok(Vec::new()));
    }

    #[test]
    fn a_role_of_the_whole_pool_is_a_finding() {
        let place = Place { resource: "policy".to_owned(), location: None };
        let policy = |member: &str| json!({"bindings": [{"role": "roles/owner", "members": [member]}]});
        let whole = policy(&format!("principalSet://iam.googleapis.com/{POOL}/*"));
        assert!(is_policy(&whole) && is_federated(&whole));
        assert_eq!(judge_policy(&place, &whole).unwrap()[0].cause, Cause::TrustTooWide);
        let one = policy(&format!("principal://iam.googleapis.com/{POOL}/subject/repo:octo/app"));
        assert_eq!(judge_policy(&place, &one), Ok(Vec::new()));
        assert!(!is_federated(&policy("user:someone@example.com")));
        let empty = json!({"etag": "ACAB", "version": 1});
        assert!(is_policy(&empty) && !is_federated(&empty) && !is_policy(&json!({"version": 1})));
    }
}
