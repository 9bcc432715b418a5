//! The `{variables}` of the guides' prose: names of their own, and keys of a profile.

use super::values::TemplateContext;
use crate::domain::national_cloud;
use crate::domain::profile::key::Key;

/// `prose` with every variable replaced by the profile's value, or by a placeholder.
pub fn fill(prose: &str, filling: &mut TemplateContext<'_>) -> String {
    let mut filled = String::with_capacity(prose.len());
    let mut rest = prose;
    while let Some((before, after)) = rest.split_once('{') {
        filled.push_str(before);
        match after.split_once('}').and_then(|(name, behind)| Some((variable(name, filling)?, behind))) {
            Some((value, behind)) => {
                filled.push_str(&value);
                rest = behind;
            }
            None => {
                filled.push('{');
                rest = after;
            }
        }
    }
    filled.push_str(rest);
    filled
}

fn variable(name: &str, filling: &mut TemplateContext<'_>) -> Option<String> {
    Some(match name {
        "issuer" => filling.issuer(),
        "discovery-url" => format!("{}/.well-known/openid-configuration", filling.issuer().trim_end_matches('/')),
        "subject" => filling.subject().text,
        "audience" => filling.audience(),
        "provider-arn" => filling.provider_arn(),
        "role-arn" => filling.role_arn(),
        "role-name" => filling.role_name(),
        "region" => filling.region(),
        "secret" => filling.new_secret_name(),
        "secret-reference" => match (filling.secret_name(), filling.json_key()) {
            (name, Some(key)) => format!("{name}#{key}"),
            (name, None) => name,
        },
        "vault-secret" => filling.vault_secret(),
        "vault-name" => filling.vault_name(),
        "vault-url" => filling.value(Key::VaultUrl),
        "tenant" => filling.value(Key::TenantId),
        "client" => filling.value(Key::ClientId),
        "variable" => filling.value(Key::DeploymentVariable),
        "cloud" => filling.azure_cloud().name.to_owned(),
        "fic-audience" => filling.azure_cloud().credential_audience.to_owned(),
        "reader" => filling.names().reader.to_owned(),
        "credential" => filling.names().credential.to_owned(),
        "pool" => filling.names().pool.to_owned(),
        "aws-console" => aws_console(&filling.partition()).to_owned(),
        "azure-portal" => azure_host(filling, ["portal.azure.com", "portal.azure.us", "portal.azure.cn"]),
        "entra-portal" => {
            azure_host(filling, ["entra.microsoft.com", "entra.microsoft.us", "entra.microsoftonline.cn"])
        }
        command if command.starts_with("trustline ") => filling.command(command),
        key => filling.value(Key::parse(key)?),
    })
}

/// The host of a partition's web console.
fn aws_console(partition: &str) -> &'static str {
    match partition {
        "aws-cn" => "console.amazonaws.cn",
        "aws-us-gov" => "console.amazonaws-us-gov.com",
        "aws-eusc" => "console.amazonaws-eusc.eu",
        _ => "console.aws.amazon.com",
    }
}

fn azure_host(filling: &TemplateContext<'_>, hosts: [&'static str; 3]) -> String {
    let at = national_cloud::ALL.iter().position(|cloud| *cloud == filling.azure_cloud()).unwrap_or(0);
    hosts[at.min(2)].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::profile::Guide;
    use crate::domain::profile::document::parse_flag;
    use crate::guide::values::Values;

    #[test]
    fn commands_choose_the_profile_that_the_guide_is_read_with() {
        let values = Values::of(Guide::AwsWorkloadIdentity, &[]);
        let filled = |values: &Values| fill("Run `{trustline check}`.", &mut TemplateContext::new(values));
        assert_eq!(filled(&values), "Run `trustline check`.");
        assert_eq!(filled(&values.chosen_by(" --profile 'my own'")), "Run `trustline check --profile 'my own'`.");
    }

    #[test]
    fn values_and_placeholders_take_the_variables_places() {
        let settings = [parse_flag("aws.role-arn=arn:aws-cn:iam::123456789012:role/a/b").unwrap()];
        let values = Values::of(Guide::AwsWorkloadIdentity, &settings);
        let mut filling = TemplateContext::new(&values);
        let text = fill("{role-name} at {aws-console} in {region}, {unknown} {", &mut filling);
        assert_eq!(text, "b at console.amazonaws.cn in <aws-region>, {unknown} {");
        let (missing, _) = filling.finish();
        assert_eq!(missing.iter().map(|m| m.key).collect::<Vec<_>>(), [Key::Region]);
    }
}
