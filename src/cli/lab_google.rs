//! What the lab's user would have on disk of Google: the profile's part, the credential file of the client libraries, and
//! what an operator's `gcloud` needs.

use std::path::{Path, PathBuf};

use serde_json::json;
use toml::Table;

use crate::lab::Lab;

/// The provider as the user saved it, and the policy of the project.
pub(super) const PROVIDER_FILE: &str = "provider.json";
pub(super) const IAM_POLICY: &str = "iam-policy.json";
/// The key of the service account, as the user got it.
pub(super) const KEY_FILE: &str = "service-account-key.json";
/// The file of the operator's access token, and that of whoever looks after the secrets.
pub(super) const OPERATOR_TOKEN: &str = "operator-google-token";
pub(super) const ADMIN_TOKEN: &str = "secrets-admin-google-token";

/// The credential file that `GOOGLE_APPLICATION_CREDENTIALS` names, in the lab's folder.
pub(super) fn credentials_file(folder: &Path) -> PathBuf {
    folder.join("google-credentials.json")
}

/// The profile's table.
pub(super) fn profile(lab: &Lab) -> Table {
    let (held, places) = (&lab.profile.google, &lab.endpoints.google);
    let given = [
        ("project-id", Some(held.project_id.as_str())),
        ("provider", Some(held.provider.as_str())),
        ("audience", held.audience.as_deref()),
        ("location", held.location.as_deref()),
        ("service-account", held.service_account.as_deref()),
        ("key-file", held.key_file.as_ref().map(|_| KEY_FILE)),
        ("provider-file", held.provider_file.as_ref().map(|_| PROVIDER_FILE)),
        ("iam-policy", held.iam_policy.as_ref().map(|_| IAM_POLICY)),
        ("sts-endpoint-url", Some(places.sts.as_str())),
        ("iamcredentials-endpoint-url", Some(places.iamcredentials.as_str())),
        ("secretmanager-endpoint-url", Some(places.secretmanager.as_str())),
        ("iam-endpoint-url", Some(places.iam.as_str())),
        ("cloudresourcemanager-endpoint-url", Some(places.resource_manager.as_str())),
        ("logging-endpoint-url", Some(places.logging.as_str())),
    ];
    let filled = given.into_iter().filter_map(|(key, value)| Some((key, value.filter(|value| !value.is_empty())?)));
    filled.map(|(key, value)| (key.to_owned(), value.into())).collect()
}

/// The text of an `external_account` file whose services are the lab's (<https://google.aip.dev/auth/4117>).
pub(super) fn credentials(lab: &Lab, folder: &Path) -> String {
    let (held, places) = (&lab.profile.google, &lab.endpoints.google);
    let mut file = json!({
        "type": "external_account",
        "audience": format!("//iam.googleapis.com/{}", held.provider),
        "subject_token_type": "urn:ietf:params:oauth:token-type:jwt",
        "token_url": format!("{}/v1/token", places.sts),
        "credential_source": { "file": folder.join("token.jwt"), "format": { "type": "text" } },
        "universe_domain": "googleapis.com",
    });
    if let Some(address) = &held.service_account {
        let url = format!("{}/v1/projects/-/serviceAccounts/{address}:generateAccessToken", places.iamcredentials);
        file["service_account_impersonation_url"] = url.into();
    }
    format!("{file:#}\n")
}

/// What makes `gcloud` act as the lab's operator, and nobody else: a folder of its own keeps it from the user's accounts.
pub(super) fn operator(lab: &Lab, folder: &Path, ca_file: &str) -> Vec<(&'static str, String)> {
    let places = &lab.endpoints.google;
    let inside = |name: &str| folder.join(name).display().to_string();
    // `gcloud` wants a slash behind an address.
    let at = |url: &str| format!("{url}/");
    vec![
        ("CLOUDSDK_CONFIG", inside("gcloud")),
        ("CLOUDSDK_AUTH_ACCESS_TOKEN_FILE", inside(OPERATOR_TOKEN)),
        ("CLOUDSDK_CORE_PROJECT", lab.profile.google.project_id.clone()),
        ("CLOUDSDK_CORE_DISABLE_PROMPTS", "1".to_owned()),
        ("CLOUDSDK_CORE_DISABLE_USAGE_REPORTING", "true".to_owned()),
        ("CLOUDSDK_COMPONENT_MANAGER_DISABLE_UPDATE_CHECK", "true".to_owned()),
        // Where a key's assertion goes; gcloud does not take the address of the key's own file.
        ("CLOUDSDK_AUTH_TOKEN_HOST", format!("{}/token", places.oauth2)),
        ("CLOUDSDK_CORE_CUSTOM_CA_CERTS_FILE", ca_file.to_owned()),
        ("CLOUDSDK_API_ENDPOINT_OVERRIDES_STS", at(&places.sts)),
        ("CLOUDSDK_API_ENDPOINT_OVERRIDES_IAM", at(&places.iam)),
        ("CLOUDSDK_API_ENDPOINT_OVERRIDES_IAMCREDENTIALS", at(&places.iamcredentials)),
        ("CLOUDSDK_API_ENDPOINT_OVERRIDES_SECRETMANAGER", at(&places.secretmanager)),
        ("CLOUDSDK_API_ENDPOINT_OVERRIDES_CLOUDRESOURCEMANAGER", at(&places.resource_manager)),
        ("CLOUDSDK_API_ENDPOINT_OVERRIDES_LOGGING", at(&places.logging)),
        ("CLOUDSDK_API_ENDPOINT_OVERRIDES_SERVICEUSAGE", at(&places.services)),
    ]
}
