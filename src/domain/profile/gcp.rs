//! Settings of the Google side, and what follows from them: the audience, the endpoints, the names of secrets.

use std::path::PathBuf;

use crate::domain::pool_name::ProviderName;

/// The domain of Google's public services.
pub const PUBLIC_UNIVERSE: &str = "googleapis.com";

/// Settings of the Google side.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GcpSettings {
    /// The project that holds the secrets, by its id or number.
    pub project_id: Option<String>,
    /// The workload identity pool's provider.
    pub provider: Option<ProviderName>,
    /// The audience that the provider allows in place of its own name.
    pub audience: Option<String>,
    /// The location of regional secrets; they are global where none is set.
    pub location: Option<String>,
    /// The domain of a sovereign universe's services; the public one where none is set.
    pub universe_domain: Option<String>,
    /// The service account that the federated token impersonates, or that the key is of; none where none is set.
    pub service_account: Option<String>,
    /// The service account's key. The key itself is never part of a profile.
    pub key_file: Option<PathBuf>,
    /// The provider, as a file: the answer of `gcloud iam workload-identity-pools providers describe`.
    pub provider_file: Option<PathBuf>,
    /// An IAM policy, as a file: of the project, the secret or the service account.
    pub iam_policy: Option<PathBuf>,
    /// The version to read: a number or an alias; `latest` where none is set.
    pub secret_version: Option<String>,
    pub sts_endpoint_url: Option<String>,
    pub iamcredentials_endpoint_url: Option<String>,
    pub secretmanager_endpoint_url: Option<String>,
    pub iam_endpoint_url: Option<String>,
    pub cloudresourcemanager_endpoint_url: Option<String>,
    pub logging_endpoint_url: Option<String>,
}

impl GcpSettings {
    /// The domain of the services.
    pub fn universe(&self) -> &str {
        self.universe_domain.as_deref().unwrap_or(PUBLIC_UNIVERSE)
    }

    /// The provider as STS wants it for an audience, `//iam.googleapis.com/projects/…`. It is never the token's own `aud`
    /// but where no other is allowed.
    pub fn exchange_audience(&self) -> Option<String> {
        self.provider.as_ref().map(|name| format!("//iam.{}/{name}", self.universe()))
    }

    /// The audience that tokens for the provider have.
    pub fn token_audience(&self) -> Option<String> {
        self.audience.clone().or_else(|| self.exchange_audience())
    }

    /// Where tokens are exchanged.
    pub fn sts(&self) -> String {
        self.endpoint(self.sts_endpoint_url.as_deref(), "sts")
    }

    /// Where service accounts are impersonated.
    pub fn iamcredentials(&self) -> String {
        self.endpoint(self.iamcredentials_endpoint_url.as_deref(), "iamcredentials")
    }

    /// Where pools, providers and service accounts are read.
    pub fn iam(&self) -> String {
        self.endpoint(self.iam_endpoint_url.as_deref(), "iam")
    }

    /// Where a project's policy is read.
    pub fn resource_manager(&self) -> String {
        self.endpoint(self.cloudresourcemanager_endpoint_url.as_deref(), "cloudresourcemanager")
    }

    /// Where the audit log is read.
    pub fn logging(&self) -> String {
        self.endpoint(self.logging_endpoint_url.as_deref(), "logging")
    }

    /// Where secrets are. Those of a location are known to that location's own host alone
    /// (<https://cloud.google.com/secret-manager/regional-secrets/create-regional-secret>).
    pub fn secret_manager(&self) -> String {
        let own = self.secretmanager_endpoint_url.as_deref();
        match &self.location {
            Some(location) => self.endpoint(own, &format!("secretmanager.{location}.rep")),
            None => self.endpoint(own, "secretmanager"),
        }
    }

    fn endpoint(&self, own: Option<&str>, service: &str) -> String {
        let built = || format!("https://{service}.{}", self.universe());
        own.map_or_else(built, |own| own.trim_end_matches('/').to_owned())
    }

    /// What the names of secrets begin with: `projects/P`, or with the location `projects/P/locations/L`.
    pub fn secret_parent(&self) -> Option<String> {
        let project = self.project_id.as_deref()?;
        Some(match &self.location {
            Some(location) => format!("projects/{project}/locations/{location}"),
            None => format!("projects/{project}"),
        })
    }

    /// The version that is read.
    pub fn version(&self) -> &str {
        self.secret_version.as_deref().unwrap_or("latest")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PROVIDER: &str = "projects/123456789012/locations/global/workloadIdentityPools/pool/providers/ci";

    #[test]
    fn endpoints_follow_universe_and_location_unless_they_are_set() {
        let mut settings = GcpSettings { provider: ProviderName::parse(PROVIDER), ..GcpSettings::default() };
        assert_eq!(settings.sts(), "https://sts.googleapis.com");
        assert_eq!(settings.secret_manager(), "https://secretmanager.googleapis.com");
        assert_eq!(settings.exchange_audience(), Some(format!("//iam.googleapis.com/{PROVIDER}")));
        settings.location = Some("europe-west3".into());
        assert_eq!(settings.secret_manager(), "https://secretmanager.europe-west3.rep.googleapis.com");
        settings.universe_domain = Some("apis.sovereign.example".into());
        assert_eq!(settings.iamcredentials(), "https://iamcredentials.apis.sovereign.example");
        assert_eq!(settings.token_audience(), Some(format!("//iam.apis.sovereign.example/{PROVIDER}")));
        settings.secretmanager_endpoint_url = Some("https://127.0.0.1:7/".into());
        assert_eq!(settings.secret_manager(), "https://127.0.0.1:7");
        settings.audience = Some("mine".into());
        assert_eq!(settings.token_audience().as_deref(), Some("mine"));
    }

    #[test]
    fn regional_secrets_have_names_of_their_own() {
        let mut settings = GcpSettings { project_id: Some("p".into()), ..GcpSettings::default() };
        assert_eq!(settings.secret_parent().as_deref(), Some("projects/p"));
        settings.location = Some("europe-west3".into());
        assert_eq!(settings.secret_parent().as_deref(), Some("projects/p/locations/europe-west3"));
        assert_eq!(settings.version(), "latest");
    }
}
