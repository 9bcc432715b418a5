//! The fixes of Google: each a script for gcloud.

mod access;
mod deny;
mod identity;
mod key;
mod provider;

use super::{Context, HEAD, check, profile_set, variable};
use crate::cause::{Cause, Finding, Fix};
use crate::domain::ids::CheckId;
use crate::domain::pool_name::ProviderName;
use crate::domain::profile::key::Key;

/// Says why on the error stream, and ends the script.
const STOP: &str = "stop() { echo \"$1\" >&2; exit 1; }\n";
/// A private folder that ends with the script.
const WORK: &str = "work=$(mktemp -d)\ntrap 'rm -rf \"$work\"' EXIT\n";
/// How long bindings may take to count, in seconds.
const PROPAGATION_S: u32 = 180;

/// The fixes for a finding about Google; none where the catalogue's serve.
pub fn fixes(finding: &Finding, context: Context<'_>) -> Vec<Fix> {
    let has_key = context.profile.guide.is_key_beside_aws() && finding.check == CheckId::GcpExchange;
    if let Some(fix) = deny::excepted(finding, context) {
        return vec![fix];
    }
    match finding.cause {
        Cause::StaticKeyWrong | Cause::EnvNotSet if has_key => key::made_anew(context).into_iter().collect(),
        Cause::CredentialFileKind if has_key => key::made_beside(context).into_iter().collect(),
        Cause::ServiceAccountMissing if has_key => key::account_back(context).into_iter().collect(),
        Cause::AttributeCondition
        | Cause::AttributeMappingMissing
        | Cause::MappingTypeWrong
        | Cause::SubjectTooLong
        | Cause::IssMismatch
        | Cause::AudMismatch => provider::corrected(finding, context),
        Cause::ProviderDisabled => provider::enabled(context).into_iter().collect(),
        Cause::JwksKidMissing => provider::keys(context).into_iter().collect(),
        Cause::WrongProviderName => renamed(finding, context).into_iter().collect(),
        Cause::PrincipalsetMismatch if is_about_impersonation(finding, context) => {
            access::impersonation(context).into_iter().collect()
        }
        Cause::PrincipalsetMismatch if list_is_denied(context) && read_is_denied(context) => {
            access::both(context).into_iter().collect()
        }
        Cause::PrincipalsetMismatch | Cause::SecretIamMissing
            if finding.check == CheckId::GcpListSecrets || list_is_denied(context) && !read_is_denied(context) =>
        {
            access::viewer(context).into_iter().collect()
        }
        Cause::PrincipalsetMismatch | Cause::SecretIamMissing => access::accessor(context).into_iter().collect(),
        Cause::ServiceAccountMissing => access::account_made(context).into_iter().collect(),
        Cause::MissingList => access::viewer(context).into_iter().collect(),
        Cause::SecretVersionState => access::version(context).into_iter().collect(),
        Cause::SecretEmpty => access::value_stored(context).into_iter().collect(),
        Cause::SecretNotFound => access::not_found(finding, context),
        Cause::SecretWrongRegion => match &finding.expected {
            Some(location) => vec![profile_set(context.profile, &[(Key::GcpLocation, location.clone())])],
            None => Vec::new(),
        },
        Cause::PropagationDelay | Cause::Throttled | Cause::Transient => vec![wait(context)],
        _ => Vec::new(),
    }
}

/// Whether what is refused is to take a service account's place, as that call or the bindings in force show.
fn is_about_impersonation(finding: &Finding, context: Context<'_>) -> bool {
    let refused = context.facts.google.impersonated.as_ref().is_some_and(|fact| fact.call.refusal().is_some());
    finding.check == CheckId::GcpImpersonate || finding.check == CheckId::GcpBindings && refused
}

/// Whether listing was refused for want of a role.
fn list_is_denied(context: Context<'_>) -> bool {
    let list = context.facts.google.list.as_ref().and_then(|fact| fact.call.refusal());
    list.is_some_and(|refusal| refusal.http_status == 403)
}

/// Whether reading was.
fn read_is_denied(context: Context<'_>) -> bool {
    let read = context.facts.google.secret.as_ref().and_then(|fact| fact.call.refusal());
    read.is_some_and(|refusal| refusal.http_status == 403)
}

/// The provider that the token is made for.
fn renamed(finding: &Finding, context: Context<'_>) -> Option<Fix> {
    let meant = finding.expected.as_deref().and_then(ProviderName::parse).filter(ProviderName::has_number)?;
    Some(profile_set(context.profile, &[(Key::GcpProvider, meant.to_string())]))
}

/// Waiting is the fix.
fn wait(context: Context<'_>) -> Fix {
    Fix {
        text: "Wait: nothing has to be changed. The check tries again until it passes, for two minutes at most."
            .to_owned(),
        command: Some(format!("{}\n", check(context.profile, Some(120)))),
        ..Fix::default()
    }
}

/// How every script begins that is about the project of the secrets.
fn head(context: Context<'_>) -> String {
    let project =
        variable("PROJECT", context.profile.gcp.project_id.as_deref(), "the id of the project with the secrets");
    format!("{HEAD}{STOP}{project}")
}

/// How every script begins that is about the provider.
fn head_of_provider(name: &ProviderName) -> String {
    // `gcloud` wants an id where a provider's name has the number.
    format!(
        "{HEAD}{STOP}{}PROJECT=$(gcloud projects describe \"$NUMBER\" --format 'value(projectId)')\n{}{}",
        variable("NUMBER", Some(&name.project), ""),
        variable("POOL", Some(&name.pool), ""),
        variable("PROVIDER", Some(&name.provider), "")
    )
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::check::facts::Facts;
    use crate::check::facts::google::{AtHand, ProviderFact};
    use crate::check::facts::token::TokenFact;
    use crate::domain::profile::{GcpSettings, Guide, Profile};
    use crate::domain::secret_ref::SecretRef;
    use crate::domain::token::RawToken;

    pub const ISSUER: &str = "https://app.example.com";
    pub const ORGANIZATION: &str = "7f3e81c4-1111-4222-8333-9d20c1a09a1c";
    pub const POOL: &str = "projects/123456789012/locations/global/workloadIdentityPools/pool";

    /// A profile and what was seen.
    pub struct Case {
        pub profile: Profile,
        pub facts: Facts,
    }

    impl Case {
        /// A whole profile with its organization's token, and a provider as `changes` make it.
        pub fn with_provider(changes: &[(&str, Value)], claims: &[(&str, Value)]) -> Self {
            let mut provider = json!({
                "name": format!("{POOL}/providers/ci"), "state": "ACTIVE",
                "oidc": {"issuerUri": ISSUER},
                "attributeMapping": {"google.subject": "assertion.sub", "attribute.organization": "assertion.organization_id"},
                "attributeCondition": format!("assertion.organization_id == '{ORGANIZATION}'"),
            });
            changes.iter().for_each(|(name, value)| provider[*name] = value.clone());
            let mut of_token = json!({
                "iss": ISSUER, "sub": format!("organization:{ORGANIZATION}"), "organization_id": ORGANIZATION,
                "aud": format!("//iam.googleapis.com/{POOL}/providers/ci"), "iat": 1, "exp": 2,
            });
            for (name, value) in claims {
                of_token[*name] = value.clone();
            }
            let mut case = Case::bare();
            use base64::Engine as _;
            let part = |value: &Value| base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(value.to_string());
            let (raw, cleaned) =
                RawToken::clean(&format!("{}.{}.c2ln", part(&json!({"alg": "RS256"})), part(&of_token)));
            case.facts.token = Some(TokenFact::read("here", &raw, cleaned));
            let claims = case.facts.claims().cloned().unwrap_or_default();
            let at_hand =
                AtHand { source: "provider.json".into(), provider: Ok(format!("{provider:#}")), policy: None };
            case.facts.google.provider = Some(ProviderFact::evaluate(at_hand, &claims));
            case.profile.gcp.provider_file = Some("/tmp/it's here/provider.json".into());
            case
        }

        pub fn bare() -> Self {
            let mut profile = Profile::bare("prod", Guide::GcpWorkloadIdentity);
            profile.selector = "--profile prod".into();
            profile.chosen_by = Some("--profile prod".into());
            profile.issuer_url = Some(ISSUER.into());
            profile.organization = Some(ORGANIZATION.into());
            profile.secret = SecretRef::parse("db-password").ok();
            profile.gcp = GcpSettings {
                project_id: Some("my-project".into()),
                provider: ProviderName::parse(&format!("{POOL}/providers/ci")),
                ..GcpSettings::default()
            };
            Case { profile, facts: Facts::default() }
        }

        pub fn context(&self) -> Context<'_> {
            Context { profile: &self.profile, facts: &self.facts }
        }
    }

    #[test]
    fn every_script_is_one_that_a_shell_reads_and_has_a_way_back() {
        use crate::cause::Certainty;
        let case = Case::with_provider(&[("attributeCondition", json!("assertion.organization_id == 'other'"))], &[]);
        for (cause, check) in [
            (Cause::AttributeCondition, CheckId::GcpExchange),
            (Cause::ProviderDisabled, CheckId::GcpExchange),
            (Cause::SecretIamMissing, CheckId::GcpGetSecret),
            (Cause::MissingList, CheckId::GcpListSecrets),
            (Cause::SecretEmpty, CheckId::GcpGetSecret),
            (Cause::SecretNotFound, CheckId::GcpGetSecret),
        ] {
            let finding = Finding::new(cause, check, Certainty::Proven, "x");
            let fixes = fixes(&finding, case.context());
            assert!(!fixes.is_empty(), "{cause}");
            for script in fixes.iter().flat_map(|fix| [&fix.command, &fix.undo]) {
                let script = script.as_ref().unwrap_or_else(|| panic!("{cause}"));
                let read = std::process::Command::new("sh").args(["-n", "-c", script]).status().unwrap();
                assert!(read.success() && script.starts_with(HEAD) || script.starts_with("trustline"), "{script}");
            }
        }
    }

    #[test]
    fn a_provider_that_the_token_names_is_the_profiles_mistake() {
        let case = Case::bare();
        let meant = format!("{POOL}/providers/other");
        let finding =
            Finding::new(Cause::WrongProviderName, CheckId::GcpExchange, crate::cause::Certainty::Likely, "x")
                .with_difference(&meant, "x");
        let command = fixes(&finding, case.context()).remove(0).command.unwrap();
        assert!(command.contains(&format!("gcp.provider={meant}")), "{command}");
    }
}
