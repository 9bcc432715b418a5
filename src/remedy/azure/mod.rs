//! The fixes of Azure: each a script for the Azure CLI.

mod access;
mod application;
mod credential;
mod identity;
mod names;
mod secret;

use super::Context;
use crate::cause::{Cause, Finding, Fix};
use crate::domain::ids::CheckId;
use names::Names;

/// The fixes for a finding about Azure; none where the catalogue's serve.
pub fn fixes(finding: &Finding, context: Context<'_>) -> Vec<Fix> {
    let names = Names::new(context);
    match finding.cause {
        Cause::IssMismatch
        | Cause::SubMismatch
        | Cause::SubCaseMismatch
        | Cause::ImmutableSub
        | Cause::AudMismatch
        | Cause::ClaimMismatch => credential::corrected(finding, &names),
        Cause::FicMissing => credential::missing(&names),
        Cause::TenantWrong => application::tenant(finding, &names),
        Cause::ClientWrong => application::client(&names),
        Cause::WrongCloud => application::cloud(finding, &names),
        Cause::SpMissing => application::service_principal(&names),
        Cause::AppMultitenant => application::audience(&names),
        Cause::ClientSecretWrong | Cause::ClientSecretExpired => application::client_secret(&names),
        Cause::EnvNotSet if context.profile.guide.is_key_beside_aws() && finding.check == CheckId::AzureExchange => {
            application::client_secret(&names)
        }
        Cause::WrongScope | Cause::WrongVaultAudience => application::scope(&names),
        Cause::ConditionalAccess => application::conditional_access(&names),
        Cause::TenantPolicy => application::tenant_policy(&names),
        Cause::VaultUrlMissing | Cause::VaultDns | Cause::VaultChallengeMismatch => access::address(&names),
        Cause::Firewall => access::firewall(&names),
        Cause::PrivateEndpoint => access::private_endpoint(&names),
        Cause::RbacMissing | Cause::RbacScopeSingleSecret => access::role_on_vault(&names),
        Cause::RbacWrongRole => access::role_on_secret(&names),
        Cause::RbacWrongPrincipal => access::role_for_application(&names),
        Cause::AccessPolicyModel
        | Cause::AccessPolicyWrongObject
        | Cause::AccessPolicyCompound
        | Cause::MissingList
        | Cause::MissingGet => access::policy(&names),
        Cause::SecretNotFound => secret::not_found(finding, &names),
        Cause::SecretNameInvalid => secret::name(&names),
        Cause::SecretSoftDeleted => secret::recover(&names),
        Cause::SecretDisabled => secret::enable(&names),
        Cause::JsonKeyMissing => secret::field(&names),
        Cause::PropagationDelay if finding.check == CheckId::AzureExchange => credential::unknown_yet(&names),
        Cause::PropagationDelay | Cause::Throttled | Cause::Transient => vec![names.wait()],
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::check::facts::Facts;
    use crate::check::facts::azure::CredentialFact;
    use crate::check::facts::token::TokenFact;
    use crate::domain::profile::{Guide, Profile};
    use crate::domain::token::RawToken;
    use crate::remedy::Context;

    pub const ISSUER: &str = "https://app.example.com";
    pub const ORGANIZATION: &str = "6f1d2c3b-4a59-4e68-8778-96a5b4c3d2e1";

    /// A profile and what was seen.
    pub struct Case {
        pub profile: Profile,
        pub facts: Facts,
    }

    impl Case {
        /// A whole profile, and nothing seen.
        pub fn bare() -> Self {
            let mut profile = Profile::bare("prod", Guide::AzureWorkloadIdentity);
            profile.selector = "--profile prod".into();
            profile.chosen_by = Some("--profile prod".into());
            profile.issuer_url = Some(ISSUER.into());
            profile.organization = Some(ORGANIZATION.into());
            profile.azure.client_id = Some("11111111-aaaa-4bbb-8ccc-222222222222".into());
            profile.azure.tenant_id = Some("4c1a2b3d-5e6f-4708-91a2-b3c4d5e6f708".into());
            profile.azure.vault_url = Some("https://crewai.vault.azure.net".into());
            Case { profile, facts: Facts::default() }
        }

        pub fn with_token(claims: &Value) -> Self {
            use base64::Engine as _;
            let part = |value: &Value| base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(value.to_string());
            let text = format!("{}.{}.c2ln", part(&json!({ "alg": "RS256" })), part(claims));
            let mut case = Case::bare();
            let (raw, cleaned) = RawToken::clean(&text);
            case.facts.token = Some(TokenFact::read("here", &raw, cleaned));
            case
        }

        pub fn with_credentials(mut self, text: &str) -> Self {
            self.profile.azure.federated_credential = Some("/tmp/it's here/fic.json".into());
            let claims = self.facts.claims().cloned().unwrap_or_default();
            self.facts.azure.credentials = Some(CredentialFact::evaluate("fic.json", Ok(text.to_owned()), &claims));
            self
        }

        pub fn context(&self) -> Context<'_> {
            Context { profile: &self.profile, facts: &self.facts }
        }
    }

    pub fn credential(name: &str, issuer: &str, subject: &str) -> Value {
        json!({ "name": name, "issuer": issuer, "subject": subject, "audiences": ["api://AzureADTokenExchange"] })
    }
}
