//! What the checks' commands for common clients are made of. A token and a client secret are named by their file or
//! variable and never stand in a list of processes; a secret's value is never asked for.

pub(super) mod google;

use std::path::Path;

use serde_json::{Map, Value};

use crate::domain::profile::{AwsSettings, Operator, Profile, SecretSource, TokenSource};
use crate::domain::text::quote;

pub(super) fn fetch(url: &str) -> String {
    format!("curl -sS {}", quote(url))
}

/// Shows which key would sign: its id and where it comes from, never its secret half.
pub(super) fn access_key(profile: &Profile) -> String {
    match &profile.aws.access_keys_csv {
        Some(path) => format!("cut -d , -f 1 {}", quote(&path.display().to_string())),
        None => format!("aws configure list{}", option("--profile", profile.aws.config_profile.as_deref())),
    }
}

pub(super) fn exchange_at_sts(profile: &Profile) -> Option<String> {
    let (before, token) = match profile.token.as_ref()? {
        TokenSource::File(path) => (String::new(), format!("file://{}", path.display())),
        source => (format!("{} | ", printed_token(source)?), "file:///dev/stdin".to_owned()),
    };
    let command = format!(
        "{before}aws sts assume-role-with-web-identity --role-arn {} --role-session-name {} --web-identity-token {}",
        quote(&profile.aws.role_arn.as_ref()?.to_string()),
        quote(session_name(profile)),
        quote(&token),
    );
    Some(sts(profile, &command))
}

pub(super) fn assume_role(profile: &Profile) -> Option<String> {
    let command = format!(
        "aws sts assume-role --role-arn {} --role-session-name {}{}",
        quote(&profile.role_to_assume()?.to_string()),
        quote(session_name(profile)),
        option("--external-id", profile.aws.external_id.as_deref()),
    );
    Some(sts(profile, &command))
}

fn session_name(profile: &Profile) -> &str {
    profile.aws.session_name.as_deref().unwrap_or("trustline")
}

pub(super) fn read_from_secrets_manager(profile: &Profile) -> Option<String> {
    let name = quote(&profile.secret.as_ref()?.name);
    let command = format!("aws secretsmanager get-secret-value --secret-id {name} --query VersionId");
    Some(secrets_manager(profile, &command))
}

pub(super) fn sts(profile: &Profile, command: &str) -> String {
    with_aws_options(profile, command, profile.aws.sts_endpoint_url.as_deref())
}

pub(super) fn secrets_manager(profile: &Profile, command: &str) -> String {
    with_aws_options(profile, command, profile.aws.secretsmanager_endpoint_url.as_deref())
}

/// A command of the AWS CLI as the operator, at a service's own endpoint where the profile names one.
pub(super) fn as_aws_operator(profile: &Profile, command: &str, endpoint: Option<&str>) -> String {
    let named = match &profile.operator {
        Some(Operator::Aws { profile, .. }) => profile.clone(),
        _ => None,
    };
    let aws = AwsSettings { config_profile: named, ..profile.aws.clone() };
    with_aws_options(&Profile { aws, ..profile.clone() }, command, endpoint)
}

fn with_aws_options(profile: &Profile, command: &str, endpoint: Option<&str>) -> String {
    let endpoint = endpoint.or(profile.aws.endpoint_url.as_deref());
    format!(
        "{command}{}{}{}",
        option("--region", profile.aws.region.as_deref()),
        option("--endpoint-url", endpoint),
        option("--profile", profile.aws.config_profile.as_deref())
    )
}

/// Asks the authority of the profile's cloud for what its vaults take, with the token or else the client secret, and
/// shows the answer's status alone.
pub(super) fn exchange_at_entra(profile: &Profile) -> Option<String> {
    let azure = &profile.azure;
    let token = profile.token.as_ref().filter(|_| !profile.guide.is_key_beside_aws());
    let (printed, proof) = match (token, &azure.client_secret) {
        (Some(source), _) => (
            printed_token(source)?,
            "--data-urlencode client_assertion_type=urn:ietf:params:oauth:client-assertion-type:jwt-bearer \
             --data-urlencode client_assertion@-",
        ),
        (None, Some(SecretSource::File(path))) => (printed_file(path), "--data-urlencode client_secret@-"),
        (None, Some(SecretSource::Env(name))) => (printed_variable(name)?, "--data-urlencode client_secret@-"),
        (None, None) => return None,
    };
    let authority = azure.effective_authority();
    let url = format!("{}/{}/oauth2/v2.0/token", authority.trim_end_matches('/'), azure.tenant_id.as_deref()?);
    Some(format!(
        "{printed} | curl -sS {} -d grant_type=client_credentials --data-urlencode {} --data-urlencode {} {proof} \
         -o /dev/null -w '%{{http_code}}\\n'",
        quote(&url),
        quote(&format!("client_id={}", azure.client_id.as_deref()?)),
        quote(&format!("scope={}", azure.effective_scope())),
    ))
}

pub(super) fn list_vault(profile: &Profile) -> Option<String> {
    let vault = quote(profile.azure.known_vault_name()?);
    Some(format!("az keyvault secret list --vault-name {vault} --maxresults 1"))
}

pub(super) fn read_from_vault(profile: &Profile) -> Option<String> {
    let vault = quote(profile.azure.known_vault_name()?);
    let name = quote(&profile.secret.as_ref()?.name);
    Some(format!("az keyvault secret show --vault-name {vault} --name {name} --query id"))
}

/// A command that prints the token without a line break; none where it cannot be had twice.
fn printed_token(source: &TokenSource) -> Option<String> {
    match source {
        TokenSource::File(path) => Some(printed_file(path)),
        TokenSource::Env(name) => printed_variable(name),
        TokenSource::Command(words) => {
            let program: Vec<String> = words.iter().map(|word| quote(word)).collect();
            Some(format!("{} | tr -d '\\r\\n'", program.join(" ")))
        }
        TokenSource::GithubActions | TokenSource::Stdin => None,
    }
}

fn printed_file(path: &Path) -> String {
    format!("tr -d '\\r\\n' <{}", quote(&path.display().to_string()))
}

/// None for a variable that a shell cannot name.
fn printed_variable(name: &str) -> Option<String> {
    let is_name = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    (is_name && !name.starts_with(|first: char| first.is_ascii_digit()) && !name.is_empty())
        .then(|| format!("printf %s \"${name}\""))
}

fn option(name: &str, value: Option<&str>) -> String {
    value.map(|value| format!(" {name} {}", quote(value))).unwrap_or_default()
}

/// The first address among facts.
pub(super) fn find_url(facts: &Map<String, Value>) -> Option<String> {
    facts.iter().find_map(|(name, value)| match value {
        Value::String(url) if name == "url" || name == "jwks_uri" => Some(url.clone()),
        Value::Object(inner) => find_url(inner),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::{Map, Value};

    use super::*;
    use crate::check::registry::CHECKS;
    use crate::check::{CheckId, Reproduction};
    use crate::domain::arn::RoleArn;
    use crate::domain::pool_name::ProviderName;
    use crate::domain::profile::key::Key;
    use crate::domain::profile::{
        AwsSettings, AzureSettings, DeploymentSettings, GcpSettings, Guide, SecretSource, TokenSource,
    };
    use crate::domain::secret_ref::SecretRef;

    /// A profile that says all that its guide can ask for.
    fn profile(guide: Guide) -> Profile {
        Profile {
            issuer_url: Some("https://app.example.com/".into()),
            token: Some(TokenSource::File("it's/token.jwt".into())),
            aws: AwsSettings {
                role_arn: RoleArn::parse("arn:aws:iam::123456789012:role/reader").ok(),
                region: Some("eu-west-1".into()),
                ..AwsSettings::default()
            },
            azure: AzureSettings {
                tenant_id: Some("tenant".into()),
                client_id: Some("client".into()),
                subscription_id: Some("subscription".into()),
                vault_url: Some("https://my-vault.vault.azure.cn".into()),
                ..AzureSettings::default()
            },
            gcp: GcpSettings {
                provider: ProviderName::parse(
                    "projects/123456789012/locations/global/workloadIdentityPools/pool/providers/ci",
                ),
                project_id: Some("my-project".into()),
                service_account: Some("reader@my-project.iam.gserviceaccount.com".into()),
                ..GcpSettings::default()
            },
            secret: SecretRef::parse("db#password").ok(),
            workload: [
                (Key::KubernetesNamespace, "apps".to_owned()),
                (Key::KubernetesServiceAccount, "web".to_owned()),
            ]
            .into(),
            deployment: DeploymentSettings {
                url: Some("https://my-crew.example.com".into()),
                ..DeploymentSettings::default()
            },
            ..Profile::bare("test", guide)
        }
    }

    fn of(check: CheckId, profile: &Profile) -> Option<String> {
        let facts = Map::from_iter([("jwks_uri".to_owned(), Value::from("https://app.example.com/jwks"))]);
        check.check().command(profile, &facts)
    }

    #[test]
    fn every_call_can_be_made_by_hand_and_the_rest_is_judged_here_by_name() {
        let judged_here = CHECKS.iter().filter(|check| matches!(check.reproduction, Reproduction::JudgedHere));
        assert_eq!(
            judged_here.map(|check| check.id).collect::<Vec<_>>(),
            [
                CheckId::TokenPresent,
                CheckId::TokenShape,
                CheckId::TokenTime,
                CheckId::TokenSignature,
                CheckId::TokenClaims,
                CheckId::ClientCredentials,
                CheckId::ClientTokenFile,
                CheckId::ClientEndpoint,
                CheckId::TrustPolicy,
            ]
        );
        for check in CHECKS.iter().filter(|check| matches!(check.reproduction, Reproduction::Command(_))) {
            assert!(Guide::ALL.iter().any(|guide| of(check.id, &profile(*guide)).is_some()), "{}", check.id);
        }
    }

    #[test]
    fn every_command_is_one_that_a_shell_reads() {
        for guide in Guide::ALL {
            for command in CheckId::ALL.iter().filter_map(|check| of(*check, &profile(*guide))) {
                let read = std::process::Command::new("sh").args(["-n", "-c", &command]).status().unwrap();
                assert!(read.success(), "{command}");
            }
        }
    }

    #[test]
    fn a_national_cloud_is_asked_at_its_own_addresses() {
        let mut china = profile(Guide::AzureWorkloadIdentity);
        let exchange = of(CheckId::AzureExchange, &china).unwrap();
        assert!(exchange.contains(" https://login.chinacloudapi.cn/tenant/oauth2/v2.0/token "), "{exchange}");
        assert!(exchange.contains(" scope=https://vault.azure.cn/.default "), "{exchange}");
        let subscription = of(CheckId::AzureSubscription, &china).unwrap();
        assert!(subscription.contains("https://management.chinacloudapi.cn/subscriptions/subscription?"));
        china.azure.scope = Some("api://other/.default".into());
        china.azure.authority_host = Some("https://login.example".into());
        let chosen = of(CheckId::AzureExchange, &china).unwrap();
        assert!(chosen.contains("https://login.example/tenant/") && chosen.contains(" scope=api://other/.default "));
    }

    #[test]
    fn the_proof_is_read_where_the_check_reads_it() {
        let mut azure = profile(Guide::AzureWorkloadIdentity);
        let mut exchange = |token: Option<TokenSource>, secret: Option<SecretSource>| {
            (azure.token, azure.azure.client_secret) = (token, secret);
            of(CheckId::AzureExchange, &azure)
        };
        let file = exchange(Some(TokenSource::File("it's.jwt".into())), None).unwrap();
        assert!(file.starts_with(r"tr -d '\r\n' <'it'\''s.jwt' | curl ") && file.contains(" client_assertion@- "));
        let variable = exchange(None, Some(SecretSource::Env("APP_SECRET".into()))).unwrap();
        assert!(variable.starts_with("printf %s \"$APP_SECRET\" | curl ") && variable.contains(" client_secret@- "));
        assert_eq!(exchange(None, Some(SecretSource::Env("A$(id)".into()))), None);
        assert_eq!(exchange(Some(TokenSource::GithubActions), None), None);
        assert_eq!(exchange(None, None), None);
    }

    #[test]
    fn the_second_hop_is_into_the_second_role_and_a_key_is_shown_without_its_secret() {
        let mut hop = profile(Guide::CircleciAws);
        hop.aws.target_role_arn = RoleArn::parse("arn:aws:iam::210987654321:role/target").ok();
        assert!(of(CheckId::AwsAssumeRole, &hop).unwrap().contains("arn:aws:iam::210987654321:role/target"));
        let mut key = profile(Guide::AwsStatic);
        assert_eq!(of(CheckId::AwsAccessKey, &key).unwrap(), "aws configure list");
        key.aws.access_keys_csv = Some("accessKeys.csv".into());
        assert_eq!(of(CheckId::AwsAccessKey, &key).unwrap(), "cut -d , -f 1 accessKeys.csv");
    }
}
