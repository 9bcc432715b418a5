//! Whose token a fix may admit: the one that the profile expects, and only where it is in hand.

use serde_json::{Map, Value};

use crate::domain::gcp::ProviderEvaluation;
use crate::domain::iam::Truth;
use crate::domain::iam::pattern::{Effort, like};
use crate::domain::pool_name::ProviderName;
use crate::domain::profile::expected;
use crate::remedy::Context;

/// The claims of the token, where it is of the issuer and subject that the profile expects.
///
/// # Errors
/// Why nothing is admitted for it.
pub(super) fn own_claims<'a>(context: Context<'a>) -> Result<&'a Map<String, Value>, String> {
    let no_script = |why: &str| Err(format!("{why}, so no script is made that lets it in."));
    let Some(claims) = context.facts.claims() else { return no_script("No token was read") };
    let text = |name: &str| claims.get(name).and_then(Value::as_str);
    if let Some(issuer) = &context.profile.issuer_url
        && text("iss") != Some(issuer)
    {
        return no_script("The token is of another issuer than the profile's");
    }
    match (expected::subject(context.profile), text("sub")) {
        (Some(expected), Some(subject)) if is_like(&expected, subject) => Ok(claims),
        (Some(_), _) => no_script("The token has another subject than the profile expects"),
        (None, _) => {
            no_script("The profile does not say whose tokens are meant (platform.organization, github.repository, …)")
        }
    }
}

fn is_like(expected: &str, subject: &str) -> bool {
    expected == subject || expected.contains('*') && like(expected, subject, &Effort::small()) == Truth::True
}

/// The member that roles are granted to: the service account, else the set of the organization's tokens where the
/// provider at hand maps one, else the one subject.
pub(super) fn member(context: Context<'_>) -> Option<String> {
    if context.profile.guide.is_key_beside_aws() {
        return key_owner(context).map(|account| format!("serviceAccount:{account}"));
    }
    match &context.profile.gcp.service_account {
        Some(account) => Some(format!("serviceAccount:{account}")),
        None => federated_member(context),
    }
}

/// Whose the key is: its file says it, and the profile where that has been lost.
pub(super) fn key_owner(context: Context<'_>) -> Option<&str> {
    let of_key = context.facts.google.key.as_ref().and_then(|key| key.account.as_deref());
    of_key.or(context.profile.gcp.service_account.as_deref())
}

/// The same without regard to a service account: the federated identity itself.
pub(super) fn federated_member(context: Context<'_>) -> Option<String> {
    let name: &ProviderName = context.profile.gcp.provider.as_ref()?;
    let claims = own_claims(context).ok()?;
    let pool = name.pool_name();
    let organization = context.profile.organization.as_deref();
    let attribute = context.facts.google.evaluation().and_then(|found| mapped_to(found, organization?));
    if let (Some(attribute), Some(organization)) = (attribute, organization) {
        return Some(format!("principalSet://iam.googleapis.com/{pool}/{attribute}/{organization}"));
    }
    let mapped = context.facts.google.evaluation().and_then(|found| found.attributes.get("google.subject"));
    let subject = mapped.or_else(|| claims.get("sub")).and_then(Value::as_str)?;
    Some(format!("principal://iam.googleapis.com/{pool}/subject/{subject}"))
}

/// The attribute that has the organization's id.
fn mapped_to(evaluation: &ProviderEvaluation, organization: &str) -> Option<String> {
    let is_it =
        |(name, value): &(&String, &Value)| name.starts_with("attribute.") && value.as_str() == Some(organization);
    evaluation.attributes.iter().find(is_it).map(|(name, _)| name.clone())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::remedy::google::tests::{Case, ORGANIZATION, POOL};

    #[test]
    fn only_the_expected_token_is_let_in() {
        let own = Case::with_provider(&[], &[]);
        assert!(own_claims(own.context()).is_ok());
        let stranger = Case::with_provider(&[], &[("sub", json!("organization:00000000-1111-4222-8333-9d20c1a09a1c"))]);
        assert!(own_claims(stranger.context()).unwrap_err().contains("another subject"));
        assert_eq!(member(stranger.context()), None);
        let elsewhere = Case::with_provider(&[], &[("iss", json!("https://other.example"))]);
        assert!(own_claims(elsewhere.context()).unwrap_err().contains("another issuer"));
        assert!(own_claims(Case::bare().context()).unwrap_err().contains("No token"));
    }

    #[test]
    fn roles_go_to_the_narrowest_member_that_is_known() {
        let mut case = Case::with_provider(&[], &[]);
        let set = format!("principalSet://iam.googleapis.com/{POOL}/attribute.organization/{ORGANIZATION}");
        assert_eq!(member(case.context()).as_deref(), Some(set.as_str()));
        case.facts.google.provider = None;
        let one = format!("principal://iam.googleapis.com/{POOL}/subject/organization:{ORGANIZATION}");
        assert_eq!(member(case.context()).as_deref(), Some(one.as_str()));
        case.profile.gcp.service_account = Some("r@p.iam.gserviceaccount.com".into());
        assert_eq!(member(case.context()).as_deref(), Some("serviceAccount:r@p.iam.gserviceaccount.com"));
        assert_eq!(federated_member(case.context()).as_deref(), Some(one.as_str()));
    }
}
