//! Placeholders of commands, filled with what is known: from the profile, the token, or the text.

use url::Url;

use super::given::Given;
use super::parsed::Parsed;
use crate::cause::Finding;
use crate::domain::issuer::condition_key_prefix;

/// Fills the placeholders of a finding's commands where their values are known.
pub(super) fn fill(finding: &mut Finding, parsed: &Parsed, given: &Given<'_>) {
    for command in finding.fixes.iter_mut().filter_map(|fix| fix.command.as_mut()) {
        *command = filled(command, |slot| value(slot, parsed, given));
    }
}

fn filled(command: &str, value_of: impl Fn(&str) -> Option<String>) -> String {
    let mut out = String::with_capacity(command.len());
    let mut rest = command;
    while let Some((before, tail)) = rest.split_once('<') {
        out.push_str(before);
        match tail.split_once('>') {
            Some((slot, after)) if let Some(value) = value_of(slot).filter(|value| is_harmless(value)) => {
                out.push_str(&value);
                rest = after;
            }
            _ => {
                out.push('<');
                rest = tail;
            }
        }
    }
    out.push_str(rest);
    out
}

/// Whether a value can stand in a command that a person pastes into a shell: the text it came from may be hostile.
fn is_harmless(value: &str) -> bool {
    !value.is_empty()
        && value.len() <= 512
        && !value.starts_with('-')
        && value.bytes().all(|b| {
            b.is_ascii_alphanumeric() || matches!(b, b':' | b'/' | b'.' | b'_' | b'@' | b'=' | b'+' | b',' | b'-')
        })
}

fn value(slot: &str, parsed: &Parsed, given: &Given<'_>) -> Option<String> {
    let profile = given.profile;
    let role = profile.and_then(|p| p.aws.role_arn.as_ref());
    let text_role =
        parsed.arns.iter().find(|arn| arn.starts_with("arn:aws") && arn.contains(":iam::") && arn.contains(":role/"));
    let issuer =
        || given.claim("iss").or_else(|| parsed.issuer.clone()).or_else(|| profile.and_then(|p| p.issuer_url.clone()));
    match slot {
        "role-arn" => role.map(ToString::to_string).or_else(|| text_role.cloned()),
        "role-name" => role
            .map(|role| role.name().to_owned())
            .or_else(|| text_role.and_then(|arn| arn.rsplit('/').next()).map(str::to_owned)),
        "account-id" => role.map(|role| role.account.clone()).or_else(|| parsed.account.clone()),
        "region" => profile.and_then(|p| p.aws.region.clone()).or_else(|| parsed.region.clone()),
        "secret" => {
            profile.and_then(|p| p.secret.as_ref()).map(|secret| secret.name.clone()).or_else(|| parsed.secret.clone())
        }
        "tenant-id" => profile.and_then(|p| p.azure.tenant_id.clone()),
        "client-id" => profile.and_then(|p| p.azure.client_id.clone()).or_else(|| parsed.client_id.clone()),
        "object-id" => parsed.object_id.clone(),
        "vault" => {
            profile.and_then(|p| p.azure.vault_url.as_deref()).and_then(vault_name).or_else(|| parsed.vault.clone())
        }
        "client-address" => parsed.client_address.clone(),
        "issuer-url" => issuer(),
        "issuer-host" => issuer().map(|issuer| condition_key_prefix(&issuer).to_owned()),
        "issuer-name" => Url::parse(&issuer()?).ok()?.host_str().map(str::to_owned),
        "issuer-address" => {
            let url = Url::parse(&issuer()?).ok()?;
            Some(format!("{}:{}", url.host_str()?, url.port_or_known_default()?))
        }
        "subject" => given.claim("sub").or_else(|| parsed.subject.clone()),
        "audience" => given.claim("azp").or_else(|| given.claim("aud")).or_else(|| parsed.audience.clone()),
        "organization" => profile.and_then(|p| p.organization.clone()),
        _ => None,
    }
}

fn vault_name(url: &str) -> Option<String> {
    url.strip_prefix("https://")?.split('.').next().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::profile::{Guide, Profile};

    #[test]
    fn an_issuers_name_and_port_are_told_apart() {
        for (url, name, address) in [
            ("https://app.example.com", "app.example.com", "app.example.com:443"),
            ("https://gitlab.example.com:8443/base", "gitlab.example.com", "gitlab.example.com:8443"),
        ] {
            let mut profile = Profile::bare("p", Guide::AwsWorkloadIdentity);
            profile.issuer_url = Some(url.to_owned());
            let given = Given { profile: Some(&profile), ..Given::default() };
            let of = |slot| value(slot, &Parsed::default(), &given);
            assert_eq!((of("issuer-name").as_deref(), of("issuer-address").as_deref()), (Some(name), Some(address)));
        }
    }

    #[test]
    fn fills_what_is_known_and_harmless() {
        let value = |slot: &str| match slot {
            "region" => Some("eu-west-1".to_owned()),
            "secret" => Some("x; rm -rf /".to_owned()),
            "vault" => Some("--help".to_owned()),
            _ => None,
        };
        assert_eq!(
            filled("aws --region <region> --id <secret> <vault> </dev/null <other>", value),
            "aws --region eu-west-1 --id <secret> <vault> </dev/null <other>"
        );
    }
}
