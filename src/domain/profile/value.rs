//! The rules of each text in a profile: what is refused, and what to write instead.

use super::Guide;
use super::address::{endpoint_fault, issuer_fault, vault_fault, web_fault};
use super::cloud_name;
use super::cloud_name::{
    account_fault, kms_key_fault, prefix_fault, project_path_fault, ref_fault, ref_type_fault, resource_group_fault,
    vault_name_fault,
};
use super::gcp_name;
use super::key::{Key, Kind};
use super::placeholder::{leftover, leftover_in_path};
use super::setting::{Fault, quoted};
use crate::domain::arn::RoleArn;
use crate::domain::client::Client;
use crate::domain::redaction::looks_secret;
use crate::domain::region;
use crate::domain::secret_ref::SecretRef;
use crate::domain::text_difference::nearest;

/// What is wrong with the text behind `key`, by itself.
pub fn text_fault(key: Key, text: &str) -> Option<Fault> {
    if text.is_empty() {
        return Some(Fault::new("is empty", "write a value, or remove the key"));
    }
    if let Some(what) = looks_secret(text) {
        return Some(Fault::new(
            format!("looks like {what}, and a profile holds no secrets"),
            match key {
                Key::TokenEnv | Key::DeploymentTokenEnv | Key::ClientSecretEnv => {
                    "put it in a variable, and write the variable's name"
                }
                _ => "put it in a file or a variable, and name that under `token`",
            },
        ));
    }
    if key.kind() == Kind::Path {
        return leftover_in_path(text).or_else(|| path_fault(text));
    }
    if is_uuid_key(key) && is_uuid(text.trim_matches(['{', '}'])) {
        return (text.starts_with('{') || text.ends_with('}'))
            .then(|| Fault::new("has its UUID in braces", format!("write {}", quoted(text.trim_matches(['{', '}'])))))
            .or_else(|| uuid_fault(key, text));
    }
    if is_variable_key(key) && is_variable(text.trim_matches(['$', '{', '}', '%'])) {
        let name = text.trim_matches(['$', '{', '}', '%']);
        return (name != text)
            .then(|| Fault::new("is written as a reference to a variable", format!("write its name, `{name}`")));
    }
    leftover(text).or_else(|| rule(key, text))
}

fn client_fault(text: &str) -> Option<Fault> {
    let unknown = text.split(',').map(str::trim).find(|name| Client::named(name).is_none())?;
    let near = nearest(unknown, Client::ids());
    let instead = match near {
        Some(near) => format!("did you mean `{near}`? `trustline clients` lists them"),
        None => "`trustline clients` lists those that are known".to_owned(),
    };
    Some(Fault::new(format!("names {}, which is no client that is known", quoted(unknown)), instead))
}

fn rule(key: Key, text: &str) -> Option<Fault> {
    match key {
        Key::Guide => guide_fault(text),
        Key::IssuerUrl => issuer_fault(text),
        Key::Organization | Key::TenantId | Key::ClientId | Key::SubscriptionId | Key::CircleciProject => {
            uuid_fault(key, text)
        }
        Key::TokenEnv | Key::DeploymentTokenEnv | Key::DeploymentVariable | Key::ClientSecretEnv => Some(Fault::new(
            "is no variable's name",
            "write a name of letters, digits and underscores, such as `DEPLOYMENT_TOKEN`; never the value",
        )),
        Key::ClientName => client_fault(text),
        Key::RoleArn | Key::TargetRoleArn => {
            RoleArn::parse(text).err().map(|error| Fault::new(format!("{} {error}", quoted(text)), error.instead()))
        }
        Key::Region => region_form_fault(text),
        Key::AccountId => account_fault(text),
        Key::SecretPrefix => prefix_fault(text),
        Key::KmsKeyArn => kms_key_fault(text),
        Key::ResourceGroup => resource_group_fault(text),
        Key::GitlabProject => project_path_fault(text),
        Key::GitlabRefType => ref_type_fault(text),
        Key::GitlabRef => ref_fault(text),
        Key::GithubRepository => cloud_name::repository_fault(text),
        Key::GithubRef => cloud_name::full_ref_fault(text),
        Key::GithubEnvironment => cloud_name::environment_fault(text),
        Key::TerraformOrganization | Key::TerraformProject | Key::TerraformWorkspace => {
            cloud_name::terraform_fault(text)
        }
        Key::TerraformRunPhase => cloud_name::run_phase_fault(text),
        Key::KubernetesNamespace | Key::KubernetesServiceAccount => cloud_name::kubernetes_fault(text),
        Key::SessionName => session_name_fault(text),
        Key::SessionDuration => duration_fault(text),
        Key::AwsAudience | Key::AzureScope | Key::GcpAudience => blank_fault(text),
        Key::EndpointUrl
        | Key::StsEndpointUrl
        | Key::SecretsmanagerEndpointUrl
        | Key::IamEndpointUrl
        | Key::KmsEndpointUrl
        | Key::CloudtrailEndpointUrl
        | Key::IamToolboxEndpointUrl => endpoint_fault(text),
        Key::GcpStsEndpointUrl
        | Key::GcpIamcredentialsEndpointUrl
        | Key::GcpSecretmanagerEndpointUrl
        | Key::GcpIamEndpointUrl
        | Key::GcpResourcemanagerEndpointUrl
        | Key::GcpLoggingEndpointUrl => gcp_name::endpoint_fault(text),
        Key::GcpProject => gcp_name::project_fault(text),
        Key::GcpProvider => gcp_name::provider_fault(text),
        Key::GcpLocation => gcp_name::location_fault(text),
        Key::UniverseDomain => gcp_name::universe_fault(text),
        Key::GcpServiceAccount => gcp_name::service_account_fault(text),
        Key::SecretVersion => gcp_name::version_fault(text),
        Key::ResourceManagerUrl => web_fault(text, "https://management.azure.com"),
        Key::ExternalId => external_id_fault(text),
        Key::VaultUrl => vault_fault(text),
        Key::VaultName => vault_name_fault(text),
        Key::AuthorityHost => web_fault(text, "https://login.microsoftonline.com"),
        Key::SecretName => secret_fault(text),
        Key::DeploymentUrl => web_fault(text, "https://my-crew.example.com"),
        Key::ConfigProfile => None,
        Key::TokenFile
        | Key::TrustPolicy
        | Key::IdentityPolicy
        | Key::FederatedCredential
        | Key::GcpKeyFile
        | Key::ProviderFile
        | Key::IamPolicy
        | Key::ClientSecretFile
        | Key::AccessKeysCsv
        | Key::DeploymentTokenFile
        | Key::DeploymentInputs => None,
        Key::TokenCommand | Key::TokenGithubActions | Key::TokenStdin => None,
    }
}

/// What is wrong with a region that is well-formed; unknown ones pass where the profile names its own endpoint.
pub fn region_fault(text: &str) -> Option<Fault> {
    let error = region::partition_of(text).err()?;
    let instead = match error.suggestion() {
        Some(region) => format!("write `{region}`"),
        None => "write a region such as `us-east-1` (`aws ec2 describe-regions` lists yours)".to_owned(),
    };
    Some(Fault::new(format!("{} {error}", quoted(text)), instead))
}

fn region_form_fault(text: &str) -> Option<Fault> {
    let well_formed =
        text.len() <= 32 && text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
    if well_formed { None } else { region_fault(text) }
}

/// What is wrong with the program and arguments that print the token.
pub fn command_fault(command: &[String]) -> Option<Fault> {
    let instead = "write the program and its arguments, such as [\"gcloud\", \"auth\", \"print-identity-token\"]";
    match command.first() {
        None => return Some(Fault::new("is an empty list", instead)),
        Some(program) if program.trim().is_empty() => return Some(Fault::new("names no program", instead)),
        Some(program) if command.len() == 1 && program.contains(' ') && !program.contains('/') => {
            let words: Vec<String> = program.split_whitespace().map(|word| format!("\"{word}\"")).collect();
            return Some(Fault::new("is one text, and no shell splits it", format!("write [{}]", words.join(", "))));
        }
        Some(_) => {}
    }
    let what = command.iter().find_map(|argument| looks_secret(argument))?;
    Some(Fault::new(
        format!("holds {what}, and every user of the machine can read a program's arguments"),
        "let the program read it from a file or a variable",
    ))
}

fn guide_fault(text: &str) -> Option<Fault> {
    let ids = || Guide::ALL.iter().map(|guide| guide.id());
    if ids().any(|id| id == text) {
        return None;
    }
    let instead = match nearest(text, ids()) {
        Some(near) => format!("write `{near}`"),
        None => format!("write one of {}", ids().collect::<Vec<_>>().join(", ")),
    };
    Some(Fault::new(format!("{} is no guide", quoted(text)), instead))
}

fn is_uuid_key(key: Key) -> bool {
    matches!(key, Key::Organization | Key::TenantId | Key::ClientId | Key::SubscriptionId | Key::CircleciProject)
}

fn is_variable_key(key: Key) -> bool {
    matches!(key, Key::TokenEnv | Key::DeploymentTokenEnv | Key::DeploymentVariable | Key::ClientSecretEnv)
}

/// 8-4-4-4-12 hexadecimal digits (RFC 9562, section 4).
fn is_uuid(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(at, b)| match at {
            8 | 13 | 18 | 23 => b == b'-',
            _ => b.is_ascii_hexdigit(),
        })
}

fn uuid_fault(key: Key, text: &str) -> Option<Fault> {
    if is_uuid(text) {
        let nil = text.bytes().all(|b| b == b'0' || b == b'-');
        return nil.then(|| Fault::new("is the nil UUID, which is nobody's", "put the real value in its place"));
    }
    let whose = match key {
        Key::TenantId => "the directory (tenant) ID of the app registration's overview",
        Key::ClientId => "the application (client) ID of the app registration's overview",
        Key::SubscriptionId => "the subscription's ID (`az account show --query id` prints it)",
        Key::CircleciProject => "the project ID of the project's settings at CircleCI",
        _ => "the organization's UUID of the platform's settings",
    };
    let wrong = format!("{} is no UUID", quoted(text));
    if let Some(uuid) = text.strip_prefix("organization:").filter(|rest| is_uuid(rest)) {
        return Some(Fault::new(format!("{wrong}, but the subject made of one"), format!("write `{uuid}`")));
    }
    if text.len() == 32 && text.bytes().all(|b| b.is_ascii_hexdigit()) {
        let groups = [&text[..8], &text[8..12], &text[12..16], &text[16..20], &text[20..]];
        return Some(Fault::new(format!("{wrong}: its hyphens are missing"), format!("write `{}`", groups.join("-"))));
    }
    if key == Key::TenantId && ["common", "organizations", "consumers"].contains(&text) {
        return Some(Fault::new(
            format!("{} stands for any directory, and a federated credential belongs to one", quoted(text)),
            format!("write {whose}"),
        ));
    }
    if key == Key::TenantId && text.contains('.') {
        return Some(Fault::new(format!("{wrong}, but a domain"), format!("write {whose}")));
    }
    Some(Fault::new(wrong, format!("write {whose}: 8-4-4-4-12 hexadecimal digits")))
}

/// `[\w+=,.@-]{2,64}` (`RoleSessionName` of the STS API reference).
/// STS takes 900 to 43200 seconds (API reference, `AssumeRoleWithWebIdentity`, `DurationSeconds`).
fn duration_fault(text: &str) -> Option<Fault> {
    let fits = text.parse::<i32>().is_ok_and(|seconds| (900..=43_200).contains(&seconds));
    (!fits).then(|| {
        Fault::new(format!("{} is no length that STS takes", quoted(text)), "write seconds, from 900 to 43200")
    })
}

fn session_name_fault(text: &str) -> Option<Fault> {
    if !(2..=64).contains(&text.len()) {
        return Some(Fault::new(
            format!("has {} characters, and a session name has 2 to 64", text.chars().count()),
            "write a name such as `trustline`",
        ));
    }
    let at = text.chars().position(|c| !c.is_ascii_alphanumeric() && !"_+=,.@-".contains(c))?;
    Some(Fault::new(
        format!("has {} at character {}", quoted(&text.chars().skip(at).take(1).collect::<String>()), at + 1),
        "write letters, digits and any of `_+=,.@-`",
    ))
}

/// `[\w+=,.@:\/-]{2,1224}` (`ExternalId` of the STS API reference). The value is not quoted: some keep it secret.
fn external_id_fault(text: &str) -> Option<Fault> {
    let fits =
        (2..=1224).contains(&text.len()) && text.chars().all(|c| c.is_ascii_alphanumeric() || "_+=,.@:/-".contains(c));
    (!fits).then(|| {
        Fault::new(
            "is no external id",
            "write 2 to 1224 letters, digits and any of `_+=,.@:/-`, as the trust policy has it",
        )
    })
}

fn blank_fault(text: &str) -> Option<Fault> {
    let at = text.chars().position(char::is_whitespace)?;
    Some(Fault::new(format!("has a blank at character {}", at + 1), "remove it"))
}

fn secret_fault(text: &str) -> Option<Fault> {
    let reference = match SecretRef::parse(text) {
        Ok(reference) => reference,
        Err(error) => return Some(Fault::new(error.to_string(), "write `name` or `name#json_key`")),
    };
    if let Some((vault, path)) = text.strip_prefix("https://").and_then(|rest| rest.split_once("/secrets/")) {
        let name = path.split('/').next().unwrap_or_default();
        return Some(Fault::new(
            "is a secret's address, not its name",
            format!("write {}, and `azure.vault-url = \"https://{vault}\"`", quoted(name)),
        ));
    }
    if text.contains("://") {
        return Some(Fault::new("is an address, not a secret's name", "write `name` or `name#json_key`"));
    }
    blank_fault(&reference.name)
}

/// Paths are taken as they are; a shell's `~` is not.
fn path_fault(text: &str) -> Option<Fault> {
    (text == "~" || text.starts_with("~/")).then(|| {
        Fault::new(
            "begins with `~`, which nothing expands in a profile",
            "write the whole path, or one relative to the profile's file",
        )
    })
}

/// A name the environment takes: a letter or underscore, then letters, digits and underscores (POSIX, XBD 8.1).
fn is_variable(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn takes_what_is_right() {
        for (key, text) in [
            (Key::Guide, "aws-workload-identity"),
            (Key::IssuerUrl, "https://app.example.com"),
            (Key::Organization, "5b1f2c9e-0000-4000-8000-0123456789ab"),
            (Key::TenantId, "5B1F2C9E-0000-4000-8000-0123456789AB"),
            (Key::TokenEnv, "GITLAB_OIDC_TOKEN"),
            (Key::RoleArn, "arn:aws:iam::123456789012:role/r"),
            (Key::Region, "us-east-1"),
            (Key::SessionName, "a@b.c"),
            (Key::ExternalId, "a/b:c"),
            (Key::SecretName, "prod/db#password"),
            (Key::SecretName, "arn:aws:secretsmanager:us-east-1:123456789012:secret:x-AbCdEf#k e y"),
            (Key::TokenFile, "../tokens/my token.jwt"),
            (Key::AuthorityHost, "https://login.microsoftonline.com/"),
        ] {
            assert_eq!(text_fault(key, text), None, "{key:?} {text}");
        }
    }

    #[test]
    fn refuses_with_what_would_be_right() {
        for (key, text, wrong, instead) in [
            (Key::Guide, "aws-workload-identy", "is no guide", "`aws-workload-identity`"),
            (Key::Guide, "gcp", "is no guide", "one of aws-workload-identity, azure-workload-identity"),
            (
                Key::Organization,
                "organization:5b1f2c9e-0000-4000-8000-0123456789ab",
                "subject",
                "`5b1f2c9e-0000-4000-8000-0123456789ab`",
            ),
            (
                Key::Organization,
                "5b1f2c9e0000400080000123456789ab",
                "hyphens",
                "`5b1f2c9e-0000-4000-8000-0123456789ab`",
            ),
            (
                Key::TenantId,
                "{5b1f2c9e-0000-4000-8000-0123456789ab}",
                "in braces",
                "`5b1f2c9e-0000-4000-8000-0123456789ab`",
            ),
            (Key::TenantId, "{tenantId}", "placeholder `{tenantId}`", "real value"),
            (Key::TenantId, "common", "any directory", "directory (tenant) ID"),
            (Key::TenantId, "contoso.onmicrosoft.com", "a domain", "directory (tenant) ID"),
            (Key::ClientId, "00000000-0000-0000-0000-000000000000", "nil UUID", "real value"),
            (Key::ClientId, "5b1f2c9e-0000-4000-8000-0123456789a", "no UUID", "8-4-4-4-12"),
            (Key::TokenEnv, "$MY_TOKEN", "reference", "`MY_TOKEN`"),
            (Key::TokenEnv, "${MY_TOKEN}", "reference", "`MY_TOKEN`"),
            (Key::TokenEnv, "my-token", "no variable's name", "DEPLOYMENT_TOKEN"),
            (Key::Region, "us-east-1 ", "a blank (U+0020) at its end", "remove"),
            (Key::Region, "US-EAST-1", "not a region", "`us-east-1`"),
            (Key::SessionName, "a b", "at character 2", "_+=,.@-"),
            (Key::SessionName, "a", "2 to 64", "trustline"),
            (Key::SecretName, "a#b#c", "more than one `#`", "name#json_key"),
            (Key::SecretName, "https://v.vault.azure.net/secrets/db/1", "address", "`db`"),
            (Key::SecretName, "my secret", "blank at character 3", "remove"),
            (Key::TokenFile, "~/token.jwt", "`~`", "whole path"),
            (Key::RoleArn, "", "is empty", "remove the key"),
        ] {
            let fault = text_fault(key, text).unwrap_or_else(|| panic!("{key:?} {text}"));
            assert!(fault.wrong.contains(wrong), "{text}: {}", fault.wrong);
            assert!(fault.instead.contains(instead), "{text}: {}", fault.instead);
        }
    }

    #[test]
    fn secrets_are_refused_everywhere_and_never_quoted() {
        let token = format!("eyJhbGciOiJSUzI1NiJ9.{}.sig", "e30".repeat(10));
        for secret in
            [token.as_str(), "AKIAABCDEFGHIJKLMNOP", "-----BEGIN PRIVATE KEY-----", "ghp_0123456789abcdefghij"]
        {
            for key in Key::ALL.iter().filter(|key| matches!(key.kind(), Kind::Text | Kind::Path)) {
                let fault = text_fault(*key, secret).unwrap_or_else(|| panic!("{key:?}"));
                assert!(!format!("{fault:?}").contains(secret), "{key:?}: {fault:?}");
            }
            let fault = command_fault(&["curl".into(), format!("Bearer {secret}")]).unwrap();
            assert!(!format!("{fault:?}").contains(secret), "{fault:?}");
        }
    }

    #[test]
    fn commands_are_lists() {
        let command = |words: &[&str]| command_fault(&words.iter().map(|w| (*w).to_owned()).collect::<Vec<_>>());
        assert_eq!(command(&["sh", "-c", "echo \"${TOKEN}\""]), None);
        assert_eq!(command(&["/opt/my tools/print-token"]), None);
        assert!(command(&["gcloud auth print"]).is_some_and(|f| f.instead.contains(r#"["gcloud", "auth", "print"]"#)));
        assert!(command(&[]).is_some());
        assert!(command(&[" "]).is_some());
    }

    proptest! {
        #[test]
        fn never_panics(at in 0..Key::ALL.len(), text in "(eyJ|AKIA|arn:|https://|\\$|\\{|<)?.{0,60}") {
            let key = Key::ALL[at];
            if let Some(fault) = text_fault(key, &text) {
                prop_assert!(!fault.wrong.is_empty() && !fault.instead.is_empty());
            }
        }
    }
}
