//! What the ecosystem's own variables say: which settings they make, and which guide they fit.

use super::Guide;
use super::credential_file::CREDENTIAL_FILE;
use super::key::Key;
use super::setting::{Origin, Setting, Value};
use crate::domain::guide::{Flow, Workload};
use crate::domain::ids::Cloud;

/// The process's environment, as far as a profile may see it: a variable's value, `None` where it is not set.
pub type Variables<'a> = &'a dyn Fn(&str) -> Option<String>;

/// What all AWS SDKs read (AWS SDKs and Tools reference guide, "Environment variables"). The first that is set wins.
const AWS: &[(&str, Key)] = &[
    ("AWS_ROLE_ARN", Key::RoleArn),
    ("AWS_REGION", Key::Region),
    ("AWS_DEFAULT_REGION", Key::Region),
    ("AWS_ROLE_SESSION_NAME", Key::SessionName),
    ("AWS_ENDPOINT_URL", Key::EndpointUrl),
    ("AWS_ENDPOINT_URL_STS", Key::StsEndpointUrl),
    ("AWS_ENDPOINT_URL_SECRETS_MANAGER", Key::SecretsmanagerEndpointUrl),
    ("AWS_ENDPOINT_URL_IAM", Key::IamEndpointUrl),
    ("AWS_ENDPOINT_URL_KMS", Key::KmsEndpointUrl),
    ("AWS_ENDPOINT_URL_CLOUDTRAIL", Key::CloudtrailEndpointUrl),
    ("AWS_ENDPOINT_URL_IAM_TOOLBOX", Key::IamToolboxEndpointUrl),
];
/// What the Azure SDKs read, and what the AKS webhook sets.
const AZURE: &[(&str, Key)] = &[
    ("AZURE_TENANT_ID", Key::TenantId),
    ("AZURE_CLIENT_ID", Key::ClientId),
    ("AZURE_FEDERATED_TOKEN_FILE", Key::TokenFile),
    ("AZURE_AUTHORITY_HOST", Key::AuthorityHost),
    // No SDK reads a vault's address; these are the names that the vendor's samples use for it.
    ("AZURE_KEYVAULT_URL", Key::VaultUrl),
    ("AZURE_KEY_VAULT_URL", Key::VaultUrl),
    ("AZURE_VAULT_URL", Key::VaultUrl),
];
/// What Google's libraries and gcloud read (`gcloud topic configurations`, `api_endpoint_overrides`). What
/// [`CREDENTIAL_FILE`] names says the rest.
const GCP: &[(&str, Key)] = &[
    ("GOOGLE_CLOUD_PROJECT", Key::GcpProject),
    ("CLOUDSDK_CORE_PROJECT", Key::GcpProject),
    ("GOOGLE_CLOUD_UNIVERSE_DOMAIN", Key::UniverseDomain),
    ("CLOUDSDK_API_ENDPOINT_OVERRIDES_STS", Key::GcpStsEndpointUrl),
    ("CLOUDSDK_API_ENDPOINT_OVERRIDES_IAMCREDENTIALS", Key::GcpIamcredentialsEndpointUrl),
    ("CLOUDSDK_API_ENDPOINT_OVERRIDES_SECRETMANAGER", Key::GcpSecretmanagerEndpointUrl),
    ("CLOUDSDK_API_ENDPOINT_OVERRIDES_IAM", Key::GcpIamEndpointUrl),
    ("CLOUDSDK_API_ENDPOINT_OVERRIDES_CLOUDRESOURCEMANAGER", Key::GcpResourcemanagerEndpointUrl),
    ("CLOUDSDK_API_ENDPOINT_OVERRIDES_LOGGING", Key::GcpLoggingEndpointUrl),
];
const GCP_KEY_FILE: &[(&str, Key)] = &[(CREDENTIAL_FILE, Key::GcpKeyFile)];
const AWS_TOKEN_FILE: &[(&str, Key)] = &[("AWS_WEB_IDENTITY_TOKEN_FILE", Key::TokenFile)];
const AWS_PROFILE: &[(&str, Key)] = &[("AWS_PROFILE", Key::ConfigProfile)];

/// Where CI systems keep tokens. A job has them whether or not it means to use them, so a profile's file goes before.
const CIRCLECI_TOKENS: &[&str] = &["CIRCLE_OIDC_TOKEN", "CIRCLE_OIDC_TOKEN_V2"];
/// The name that the guide's job gives to its token under `id_tokens`.
const GITLAB_TOKEN: &str = "GITLAB_OIDC_TOKEN";
const GITHUB_REQUEST: &[&str] = &["ACTIONS_ID_TOKEN_REQUEST_URL", "ACTIONS_ID_TOKEN_REQUEST_TOKEN"];

/// What Kubernetes sets in every pod.
const IN_POD: &str = "KUBERNETES_SERVICE_HOST";

/// What the Azure SDKs read an application's client secret from.
const CLIENT_SECRET: &str = "AZURE_CLIENT_SECRET";

/// Whether the variables alone say enough to start from: a role, an Entra application, a token, or that this is a CI job or a
/// pod, of which what is missing can be told.
pub fn suffices(variables: Variables<'_>) -> bool {
    let named = [
        "AWS_ROLE_ARN",
        "AWS_WEB_IDENTITY_TOKEN_FILE",
        "AZURE_CLIENT_ID",
        "AZURE_FEDERATED_TOKEN_FILE",
        CREDENTIAL_FILE,
    ];
    named.iter().chain(CIRCLECI_TOKENS).chain(&[GITLAB_TOKEN]).any(|name| is_set(variables, name))
        || workload(variables).is_some()
}

/// The variables that make settings, each with the key whose value it is.
pub fn variables_read() -> Vec<(&'static str, Key)> {
    let tokens = CIRCLECI_TOKENS.iter().chain(&[GITLAB_TOKEN]).map(|name| (*name, Key::TokenEnv));
    let github = GITHUB_REQUEST.iter().map(|name| (*name, Key::TokenGithubActions));
    let secret = (CLIENT_SECRET, Key::ClientSecretEnv);
    let tables = [AWS, AWS_TOKEN_FILE, AWS_PROFILE, AZURE, GCP].concat();
    tables.into_iter().chain([secret, (CREDENTIAL_FILE, Key::GcpProvider)]).chain(tokens).chain(github).collect()
}

/// The guide that the variables fit, where nothing names one.
pub fn guide(variables: Variables<'_>) -> Guide {
    let any = |table: &[(&str, Key)]| table.iter().any(|(name, _)| is_set(variables, name));
    let aws = is_set(variables, "AWS_ROLE_ARN") || any(AWS_TOKEN_FILE);
    let cloud = if any(AZURE) && !aws {
        Cloud::Azure
    } else if is_set(variables, CREDENTIAL_FILE) && !aws {
        Cloud::Gcp
    } else {
        Cloud::Aws
    };
    let workload = workload(variables).unwrap_or(Workload::Platform);
    Guide::for_tokens(workload, cloud).unwrap_or_else(|| cloud.workload_identity())
}

/// What each CI system sets in its jobs, and Kubernetes in its pods, where a job may run, too.
const AROUND: &[(Workload, &[&str])] = &[
    (Workload::Circleci, &["CIRCLECI", "CIRCLE_OIDC_TOKEN", "CIRCLE_OIDC_TOKEN_V2"]),
    (Workload::Gitlab, &["GITLAB_CI", GITLAB_TOKEN]),
    (Workload::Github, &["GITHUB_ACTIONS", "ACTIONS_ID_TOKEN_REQUEST_URL"]),
    (Workload::Kubernetes, &[IN_POD]),
];

/// What this process is part of, as its variables tell.
pub fn workload(variables: Variables<'_>) -> Option<Workload> {
    let around = AROUND.iter().find(|(_, names)| names.iter().any(|name| is_set(variables, name)));
    around.map(|(workload, _)| *workload)
}

/// The settings that variables make for `guide`; they go before a profile's file. Variables of another cloud say nothing.
pub fn settings(guide: Guide, variables: Variables<'_>) -> Vec<Setting> {
    let tables: &[&[(&str, Key)]] = match guide.cloud() {
        Cloud::Azure => &[AZURE],
        Cloud::Gcp if guide.is_key_beside_aws() => &[GCP, GCP_KEY_FILE],
        Cloud::Gcp => &[GCP],
        Cloud::Aws if guide.is_aws_access_key() => &[AWS, AWS_PROFILE],
        Cloud::Aws => &[AWS, AWS_TOKEN_FILE],
    };
    let endpoints_off =
        variables("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS").is_some_and(|v| v.eq_ignore_ascii_case("true"));
    let mut settings: Vec<Setting> = Vec::new();
    for (name, key) in tables.iter().flat_map(|table| table.iter()) {
        let is_of_token = *key == Key::TokenFile && guide.is_key_beside_aws();
        let is_off = endpoints_off && name.starts_with("AWS_ENDPOINT_URL");
        if settings.iter().any(|earlier| earlier.key == *key) || is_off || is_of_token {
            continue;
        }
        if let Some(value) = variables(name).filter(|value| !value.is_empty()) {
            settings.push(Setting {
                key: *key,
                value: Value::Text(value),
                origin: Origin::Variable((*name).to_owned()),
            });
        }
    }
    settings
}

/// What the CI system around us offers for `guide`; a profile's file goes before it.
pub fn offers(guide: Guide, variables: Variables<'_>) -> Vec<Setting> {
    let mut settings = Vec::new();
    let mut offer = |key, value, name: &str| {
        settings.push(Setting { key, value, origin: Origin::Variable(name.to_owned()) });
    };
    if guide.cloud() == Cloud::Azure && is_set(variables, CLIENT_SECRET) {
        offer(Key::ClientSecretEnv, Value::Text(CLIENT_SECRET.to_owned()), CLIENT_SECRET);
    }
    if guide.cloud() == Cloud::Azure
        && let Some((name, url)) = ["KEY_VAULT_URL", "VAULT_URL"].iter().find_map(|n| Some((n, variables(n)?)))
        && !url.is_empty()
    {
        offer(Key::VaultUrl, Value::Text(url), name);
    }
    match guide.workload() {
        Workload::Circleci => {
            let of_job = CIRCLECI_TOKENS.iter().find(|name| is_set(variables, name));
            // A job without a context has no token; reading it tells so.
            let expected = || CIRCLECI_TOKENS.first().filter(|_| is_set(variables, "CIRCLECI"));
            if let Some(name) = of_job.or_else(expected) {
                offer(Key::TokenEnv, Value::Text((*name).to_owned()), of_job.map_or("CIRCLECI", |name| name));
            }
            if let Some(organization) = variables("CIRCLE_ORGANIZATION_ID").filter(|id| !id.is_empty()) {
                let issuer = format!("https://oidc.circleci.com/org/{organization}");
                offer(Key::IssuerUrl, Value::Text(issuer), "CIRCLE_ORGANIZATION_ID");
                offer(Key::Organization, Value::Text(organization), "CIRCLE_ORGANIZATION_ID");
            }
        }
        Workload::Gitlab => {
            // Without the variable the job has no `id_tokens`; reading it tells so.
            if let Some(name) = [GITLAB_TOKEN, "GITLAB_CI"].iter().find(|name| is_set(variables, name)) {
                offer(Key::TokenEnv, Value::Text(GITLAB_TOKEN.to_owned()), name);
            }
            if let Some(instance) = variables("CI_SERVER_URL").filter(|url| !url.is_empty()) {
                offer(Key::IssuerUrl, Value::Text(instance), "CI_SERVER_URL");
            }
        }
        Workload::Github | Workload::Platform if guide.flow() == Flow::TokenExchange => {
            // Without the request's variables the job lacks a permission; asking for the token tells so.
            if let Some(name) = GITHUB_REQUEST.iter().chain(&["GITHUB_ACTIONS"]).find(|name| is_set(variables, name)) {
                offer(Key::TokenGithubActions, Value::Flag(true), name);
            }
        }
        Workload::Kubernetes => {
            // Where the clouds' webhooks mount it; without their variable reading it tells what the pod lacks.
            let mounted = match guide.cloud() {
                Cloud::Aws => Some("/var/run/secrets/eks.amazonaws.com/serviceaccount/token"),
                Cloud::Azure => Some("/var/run/secrets/azure/tokens/azure-identity-token"),
                Cloud::Gcp => None,
            };
            if let Some(path) = mounted.filter(|_| is_set(variables, IN_POD)) {
                offer(Key::TokenFile, Value::Text(path.to_owned()), IN_POD);
            }
        }
        Workload::Github | Workload::Platform => {}
    }
    settings
}

/// Whether a variable is set to something; an empty one counts as not set, as the SDKs have it.
fn is_set(variables: Variables<'_>, name: &str) -> bool {
    variables(name).is_some_and(|value| !value.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with<T>(set: &[(&str, &str)], ask: impl Fn(Variables<'_>) -> T) -> T {
        ask(&|name| set.iter().find(|(n, _)| *n == name).map(|(_, value)| (*value).to_owned()))
    }

    #[test]
    fn the_variables_choose_the_guide() {
        for (set, chosen) in [
            (&[][..], Guide::AwsWorkloadIdentity),
            (&[("AZURE_CLIENT_ID", "x")], Guide::AzureWorkloadIdentity),
            (&[("AZURE_CLIENT_ID", "x"), ("AWS_ROLE_ARN", "y")], Guide::AwsWorkloadIdentity),
            (&[("AZURE_CLIENT_ID", "x"), ("AWS_ROLE_ARN", "")], Guide::AzureWorkloadIdentity),
            (&[("GOOGLE_APPLICATION_CREDENTIALS", "f")], Guide::GcpWorkloadIdentity),
            (&[("GOOGLE_APPLICATION_CREDENTIALS", "f"), ("AWS_ROLE_ARN", "y")], Guide::AwsWorkloadIdentity),
            (&[("GOOGLE_CLOUD_PROJECT", "p")], Guide::AwsWorkloadIdentity),
            (&[("CIRCLECI", "true")], Guide::CircleciAws),
            (&[("CIRCLE_OIDC_TOKEN_V2", "t")], Guide::CircleciAws),
            (&[("GITLAB_CI", "true"), ("AWS_ROLE_ARN", "y")], Guide::GitlabAws),
            (&[("GITLAB_CI", "true"), ("AZURE_CLIENT_ID", "y")], Guide::AzureWorkloadIdentity),
            (&[("GITHUB_ACTIONS", "true")], Guide::GithubAws),
            (&[("GITHUB_ACTIONS", "true"), ("AZURE_CLIENT_ID", "y")], Guide::GithubAzure),
            (&[("GITHUB_ACTIONS", "true"), ("GOOGLE_APPLICATION_CREDENTIALS", "f")], Guide::GithubGcp),
            (&[("KUBERNETES_SERVICE_HOST", "h"), ("AWS_ROLE_ARN", "y")], Guide::KubernetesAws),
            (&[("KUBERNETES_SERVICE_HOST", "h"), ("AZURE_CLIENT_ID", "y")], Guide::KubernetesAzure),
            (&[("KUBERNETES_SERVICE_HOST", "h"), ("GITHUB_ACTIONS", "true")], Guide::GithubAws),
        ] {
            assert_eq!(with(set, guide), chosen, "{set:?}");
        }
    }

    #[test]
    fn what_is_enough_to_start_from() {
        for (set, enough) in [
            (&[][..], false),
            (&[("AWS_REGION", "us-east-1"), ("AWS_PROFILE", "p")], false),
            (&[("AWS_ROLE_ARN", "x")], true),
            (&[("AZURE_FEDERATED_TOKEN_FILE", "x")], true),
            (&[("GOOGLE_CLOUD_PROJECT", "p")], false),
            (&[("GOOGLE_APPLICATION_CREDENTIALS", "f")], true),
            (&[("CIRCLE_OIDC_TOKEN", "x")], true),
            (&[("GITLAB_OIDC_TOKEN", "x")], true),
            (&[("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "y")], false),
            (&[("ACTIONS_ID_TOKEN_REQUEST_URL", "x")], true),
            (&[("GITHUB_ACTIONS", "true")], true),
            (&[("KUBERNETES_SERVICE_HOST", "10.0.0.1")], true),
        ] {
            assert_eq!(with(set, suffices), enough, "{set:?}");
        }
    }

    #[test]
    fn each_guide_reads_its_own_clouds_variables() {
        let set = [
            ("AWS_REGION", "us-east-1"),
            ("AWS_DEFAULT_REGION", "eu-west-1"),
            ("AWS_WEB_IDENTITY_TOKEN_FILE", "/t"),
            ("AWS_PROFILE", "p"),
            ("AZURE_TENANT_ID", "x"),
            ("AZURE_KEYVAULT_URL", "https://a.vault.azure.net"),
            ("VAULT_URL", "https://b.vault.azure.net"),
            ("AZURE_FEDERATED_TOKEN_FILE", "/a"),
            ("CLOUDSDK_CORE_PROJECT", "second"),
            ("GOOGLE_CLOUD_PROJECT", "first"),
        ];
        let read =
            |guide| with(&set, |v| settings(guide, v)).into_iter().map(|s| s.origin.to_string()).collect::<Vec<_>>();
        assert_eq!(read(Guide::AwsWorkloadIdentity), ["AWS_REGION", "AWS_WEB_IDENTITY_TOKEN_FILE"]);
        assert_eq!(read(Guide::AwsStatic), ["AWS_REGION", "AWS_PROFILE"]);
        assert_eq!(
            read(Guide::AzureWorkloadIdentity),
            ["AZURE_TENANT_ID", "AZURE_FEDERATED_TOKEN_FILE", "AZURE_KEYVAULT_URL"]
        );
        assert_eq!(read(Guide::AzureStatic), ["AZURE_TENANT_ID", "AZURE_KEYVAULT_URL"], "a key takes no token");
        assert_eq!(read(Guide::GcpWorkloadIdentity), ["GOOGLE_CLOUD_PROJECT"]);
    }

    #[test]
    fn endpoints_can_be_switched_off() {
        let set = [("AWS_ENDPOINT_URL_STS", "http://x"), ("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "true")];
        assert_eq!(with(&set, |v| settings(Guide::AwsWorkloadIdentity, v)), []);
    }

    #[test]
    fn a_tokens_value_never_becomes_a_setting() {
        let set = [
            ("CIRCLE_OIDC_TOKEN", "planted"),
            ("GITLAB_OIDC_TOKEN", "planted"),
            ("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "planted"),
            ("AZURE_CLIENT_SECRET", "planted"),
        ];
        for guide in Guide::ALL {
            let all = with(&set, |v| [settings(*guide, v), offers(*guide, v)].concat());
            assert!(!format!("{all:?}").contains("planted"), "{guide:?}");
        }
    }
}
