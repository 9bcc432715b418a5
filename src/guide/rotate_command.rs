//! The commands that rotate a secret by hand: they read the new value from a prompt, so that it is in no list of
//! processes and no shell's history.

use super::form::shell::quote;
use crate::domain::keyvault::SecretName;
use crate::domain::profile::{Guide, Profile};
use crate::domain::secret_ref::SecretRef;

/// Reads a value without showing it; `printf` is the shell's own and no process.
const READ: &str = "read -rs NEW_VALUE && printf %s \"$NEW_VALUE\"";
/// As [`READ`], for `jq`, which takes the value from its environment.
const READ_FOR_JQ: &str = "read -rs NEW_VALUE && export NEW_VALUE";

/// The command for a secret, in one line of bash or zsh.
pub fn rotate_command(profile: &Profile, secret: &SecretRef) -> String {
    let (get, put) = match profile.guide {
        Guide::AzureWorkloadIdentity => azure(profile, secret),
        _ => aws(profile, secret),
    };
    let command = match &secret.json_key {
        None => format!("{READ} | {put}"),
        Some(key) => {
            let filter = format!(".[{}] = env.NEW_VALUE", serde_json::Value::from(key.as_str()));
            format!("{READ_FOR_JQ} && {get} | jq -cj {} | {put}", quote(&filter))
        }
    };
    format!("{command}; unset NEW_VALUE")
}

fn aws(profile: &Profile, secret: &SecretRef) -> (String, String) {
    let mut place = format!("--secret-id {}", quote(&secret.name));
    if let Some(region) = &profile.aws.region {
        place.push_str(&format!(" --region {}", quote(region)));
    }
    if let Some(url) = profile.aws.secretsmanager_endpoint_url.as_ref().or(profile.aws.endpoint_url.as_ref()) {
        place.push_str(&format!(" --endpoint-url {}", quote(url)));
    }
    (
        format!("aws secretsmanager get-secret-value {place} --query SecretString --output text"),
        format!("aws secretsmanager put-secret-value {place} --secret-string file:///dev/stdin"),
    )
}

fn azure(profile: &Profile, secret: &SecretRef) -> (String, String) {
    let name = SecretName::of(&secret.name).map_or_else(|_| secret.name.clone(), |name| name.name);
    let vault = profile.azure.vault_url.as_deref().unwrap_or("<vault-url>").trim_end_matches('/');
    let id = quote(&format!("{vault}/secrets/{name}"));
    let host = vault.trim_start_matches("https://").split('.').next().unwrap_or_default();
    (
        format!("az keyvault secret show --id {id} --query value --output tsv"),
        format!(
            "az keyvault secret set --vault-name {} --name {} --file /dev/stdin --encoding utf-8 --output none",
            quote(host),
            quote(&name)
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_value_is_read_from_a_prompt_and_names_are_quoted() {
        let mut profile = Profile::bare("p", Guide::AwsWorkloadIdentity);
        profile.aws.region = Some("us-east-1".into());
        let command = |profile: &Profile, secret: &str| rotate_command(profile, &SecretRef::parse(secret).unwrap());
        assert_eq!(
            command(&profile, "a b"),
            "read -rs NEW_VALUE && printf %s \"$NEW_VALUE\" | aws secretsmanager put-secret-value --secret-id 'a b' \
             --region us-east-1 --secret-string file:///dev/stdin; unset NEW_VALUE"
        );
        assert!(
            command(&profile, "a#k'x").contains(r#"jq -cj '.["k'\''x"] = env.NEW_VALUE'"#),
            "{}",
            command(&profile, "a#k'x")
        );
        profile.guide = Guide::AzureWorkloadIdentity;
        profile.azure.vault_url = Some("https://my-vault.vault.azure.net/".into());
        let azure = command(&profile, "db_password");
        assert!(azure.contains("--vault-name my-vault --name db-password --file /dev/stdin"), "{azure}");
    }
}
