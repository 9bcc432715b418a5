//! A check as the command of a common client, to try it by hand or to hand it on. A token is named by its file or
//! variable, and a secret's value is never asked for.

use serde_json::{Map, Value};

use crate::check::CheckId;
use crate::domain::profile::{Profile, TokenSource};

/// The command that does what a check does, where there is one.
pub fn command(check: CheckId, profile: &Profile, facts: &Map<String, Value>) -> Option<String> {
    let issuer = || profile.issuer_url.as_deref().map(|url| url.trim_end_matches('/'));
    let vault = || profile.azure.vault_url.as_deref().and_then(|url| url.strip_prefix("https://")?.split('.').next());
    match check {
        CheckId::IssuerReachable | CheckId::IssuerTls | CheckId::IssuerDiscovery => {
            Some(format!("curl -sS {}", quote(&format!("{}/.well-known/openid-configuration", issuer()?))))
        }
        CheckId::IssuerJwks => Some(format!("curl -sS {}", quote(&find_url(facts)?))),
        CheckId::AwsAssumeRoleWithWebIdentity => {
            let (before, token) = match profile.token.as_ref()? {
                TokenSource::File(path) => (String::new(), format!("file://{}", path.display())),
                TokenSource::Env(name) => (format!("printf %s \"${name}\" | "), "file:///dev/stdin".to_owned()),
                TokenSource::Command(words) => {
                    let program: Vec<String> = words.iter().map(|word| quote(word)).collect();
                    (format!("{} | ", program.join(" ")), "file:///dev/stdin".to_owned())
                }
                TokenSource::GithubActions | TokenSource::Stdin => return None,
            };
            Some(format!(
                "{before}aws sts assume-role-with-web-identity --role-arn {} --role-session-name {} --web-identity-token {}{}",
                quote(&profile.aws.role_arn.as_ref()?.to_string()),
                quote(profile.aws.session_name.as_deref().unwrap_or("trustline")),
                quote(&token),
                aws_options(profile, profile.aws.sts_endpoint_url.as_deref()),
            ))
        }
        CheckId::AwsAssumeRole => Some(format!(
            "aws sts assume-role --role-arn {} --role-session-name {}{}{}",
            quote(&profile.aws.role_arn.as_ref()?.to_string()),
            quote(profile.aws.session_name.as_deref().unwrap_or("trustline")),
            option("--external-id", profile.aws.external_id.as_deref()),
            aws_options(profile, profile.aws.sts_endpoint_url.as_deref()),
        )),
        CheckId::AwsCallerIdentity => Some(format!(
            "aws sts get-caller-identity{}",
            aws_options(profile, profile.aws.sts_endpoint_url.as_deref())
        )),
        CheckId::AwsListSecrets => Some(format!(
            "aws secretsmanager list-secrets --max-results 1{}",
            aws_options(profile, profile.aws.secretsmanager_endpoint_url.as_deref())
        )),
        CheckId::AwsGetSecret | CheckId::SecretJsonKey if profile.azure.vault_url.is_none() => Some(format!(
            "aws secretsmanager get-secret-value --secret-id {} --query VersionId{}",
            quote(&profile.secret.as_ref()?.name),
            aws_options(profile, profile.aws.secretsmanager_endpoint_url.as_deref())
        )),
        CheckId::AzureExchange => {
            let host = profile.azure.authority_host.as_deref().unwrap_or("https://login.microsoftonline.com");
            let TokenSource::File(path) = profile.token.as_ref()? else { return None };
            Some(format!(
                "curl -sS {} -d grant_type=client_credentials -d client_id={} --data-urlencode scope=https://vault.azure.net/.default --data-urlencode client_assertion_type=urn:ietf:params:oauth:client-assertion-type:jwt-bearer --data-urlencode client_assertion@{} -o /dev/null -w '%{{http_code}}\\n'",
                quote(&format!(
                    "{}/{}/oauth2/v2.0/token",
                    host.trim_end_matches('/'),
                    profile.azure.tenant_id.as_deref()?
                )),
                quote(profile.azure.client_id.as_deref()?),
                quote(&path.display().to_string()),
            ))
        }
        CheckId::AzureListSecrets => {
            Some(format!("az keyvault secret list --vault-name {} --maxresults 1", quote(vault()?)))
        }
        CheckId::AzureGetSecret | CheckId::SecretJsonKey => Some(format!(
            "az keyvault secret show --vault-name {} --name {} --query id",
            quote(vault()?),
            quote(&profile.secret.as_ref()?.name)
        )),
        CheckId::DeploymentReachable => Some(format!("curl -sS {}", quote(profile.deployment.url.as_deref()?))),
        _ => None,
    }
}

fn aws_options(profile: &Profile, service: Option<&str>) -> String {
    let endpoint = service.or(profile.aws.endpoint_url.as_deref());
    format!(
        "{}{}{}",
        option("--region", profile.aws.region.as_deref()),
        option("--endpoint-url", endpoint),
        option("--profile", profile.aws.config_profile.as_deref())
    )
}

fn option(name: &str, value: Option<&str>) -> String {
    value.map(|value| format!(" {name} {}", quote(value))).unwrap_or_default()
}

/// The first address among facts.
fn find_url(facts: &Map<String, Value>) -> Option<String> {
    facts.iter().find_map(|(name, value)| match value {
        Value::String(url) if name == "url" || name == "jwks_uri" => Some(url.clone()),
        Value::Object(inner) => find_url(inner),
        _ => None,
    })
}

/// `word` as a POSIX shell reads it back.
fn quote(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=@%+,".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', "'\\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_quoted_for_a_shell() {
        assert_eq!(quote("a/b:c"), "a/b:c");
        assert_eq!(quote("it's; rm -rf"), "'it'\\''s; rm -rf'");
        assert_eq!(quote(""), "''");
    }
}
