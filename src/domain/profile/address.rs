//! The addresses in a profile: issuer, vault, authority, endpoints, deployment.

use url::Url;

use super::setting::{Fault, quoted};
use crate::domain::discovery::is_loopback;
use crate::domain::text_difference::nearest;

/// The longest provider URL that IAM takes (`CreateOpenIDConnectProvider`, parameter `Url`).
const LONGEST_ISSUER: usize = 255;
/// What discovery appends to an issuer (OpenID Connect Discovery 1.0, section 4).
const WELL_KNOWN: &str = "/.well-known/openid-configuration";
/// What the host of a vault ends in, one a national cloud
/// (<https://learn.microsoft.com/azure/key-vault/general/about-keys-secrets-certificates#dns-suffixes-for-base-url>).
const VAULT_SUFFIXES: &[&str] = &["vault.azure.net", "vault.usgovcloudapi.net", "vault.azure.cn"];
/// Suffixes people write that no vault has, and the ones they mean.
const VAULT_SLIPS: &[(&str, &str)] =
    &[("vault.microsoftazure.us", "vault.usgovcloudapi.net"), ("vault.azure.com", "vault.azure.net")];

/// What is wrong with an issuer's URL: https (plain http on loopback only), and no query, fragment or credentials
/// (OpenID Connect Discovery 1.0, section 3).
pub fn issuer_fault(text: &str) -> Option<Fault> {
    if let Some(base) = text.strip_suffix(WELL_KNOWN).or_else(|| text.strip_suffix(&format!("{WELL_KNOWN}/"))) {
        return Some(Fault::new(
            "is the address of the discovery document, not of the issuer",
            format!("write {}, the document's own `issuer` field", quoted(base)),
        ));
    }
    if text.len() > LONGEST_ISSUER {
        return Some(Fault::new(
            format!("has {} characters, and IAM takes {LONGEST_ISSUER}", text.len()),
            "write the issuer's URL as its discovery document gives it",
        ));
    }
    web_fault(text, "https://app.example.com")
}

/// What is wrong with a vault's URL.
pub fn vault_fault(text: &str) -> Option<Fault> {
    const EXAMPLE: &str = "https://my-vault.vault.azure.net";
    if text.starts_with("/subscriptions/") {
        let name = text.rsplit('/').next().unwrap_or_default();
        let instead =
            if is_vault_name(name) { format!("write `https://{name}.vault.azure.net`") } else { example(EXAMPLE) };
        return Some(Fault::new("is the vault's resource id, not its URL", instead));
    }
    if is_vault_name(text) {
        return Some(Fault::new("is a vault's name, not its URL", format!("write `https://{text}.vault.azure.net`")));
    }
    if let Some(fault) = web_fault(text, EXAMPLE) {
        return Some(fault);
    }
    let url = Url::parse(text).ok()?;
    let host = url.host_str().unwrap_or_default();
    // Names under `.invalid` resolve nowhere, by RFC 6761: they stand for a vault that is not there.
    if is_loopback(&url) || host.ends_with(".invalid") {
        return None;
    }
    let (name, suffix) = host.split_once('.').unwrap_or((host, ""));
    if let Some(public) = suffix.strip_prefix("privatelink.") {
        let suffix = if public == "vaultcore.azure.net" { "vault.azure.net" } else { public };
        return Some(Fault::new(
            "is the name behind a private endpoint, for which the vault has no certificate",
            format!("write `https://{name}.{suffix}`; the private endpoint's DNS does the rest"),
        ));
    }
    if suffix == "managedhsm.azure.net" {
        return Some(Fault::new("is a managed HSM, which holds keys and no secrets", example(EXAMPLE)));
    }
    if !VAULT_SUFFIXES.contains(&suffix) {
        let known_slip = VAULT_SLIPS.iter().find(|(slip, _)| *slip == suffix).map(|(_, meant)| *meant);
        let meant = known_slip.or_else(|| nearest(suffix, VAULT_SUFFIXES.iter().copied()));
        return Some(Fault::new(
            format!("has the host {}, which is no key vault's", quoted(host)),
            meant.map_or_else(|| example(EXAMPLE), |meant| format!("write `https://{name}.{meant}`")),
        ));
    }
    if !is_vault_name(name) {
        return Some(Fault::new(
            format!("names the vault {}, and a vault's name is 3 to 24 letters, digits and hyphens", quoted(name)),
            example(EXAMPLE),
        ));
    }
    let vault = format!("https://{host}");
    let path: Vec<&str> = url.path().split('/').filter(|part| !part.is_empty()).collect();
    match path[..] {
        [] => None,
        ["secrets", secret, ..] => Some(Fault::new(
            "is the address of a secret, not of its vault",
            format!("write `{vault}`, and `secret.name = \"{secret}\"`"),
        )),
        _ => Some(Fault::new("has a path behind the vault's host", format!("write `{vault}`"))),
    }
}

/// What is wrong with a URL that browsers and tokens travel to: https, or plain http on loopback.
pub fn web_fault(text: &str, example_url: &str) -> Option<Fault> {
    let url = match parse(text, example_url) {
        Ok(url) => url,
        Err(fault) => return Some(fault),
    };
    if url.scheme() != "https" && !is_loopback(&url) {
        let rest = text.split_once("://").map_or(text, |(_, rest)| rest);
        return Some(Fault::new(
            "is plain http, which is accepted only on loopback: what is sent there could be read on the way",
            format!("write {}", quoted(&format!("https://{rest}"))),
        ));
    }
    None
}

/// What is wrong with a service's endpoint, a local stack's among them.
pub fn endpoint_fault(text: &str) -> Option<Fault> {
    web_fault(text, "https://127.0.0.1:4566")
}

fn parse(text: &str, example_url: &str) -> Result<Url, Fault> {
    let url = match Url::parse(text) {
        Ok(url) if matches!(url.scheme(), "http" | "https") && text.contains("://") => url,
        Ok(_) | Err(url::ParseError::RelativeUrlWithoutBase) => {
            let host = text.split(['/', ':']).next().unwrap_or_default();
            let looks_like_host = host.contains('.') || host == "localhost";
            return Err(if looks_like_host && !text.contains("://") {
                Fault::new("has no scheme", format!("write {}", quoted(&format!("https://{text}"))))
            } else {
                Fault::new("is no http or https URL", example(example_url))
            });
        }
        Err(error) => return Err(Fault::new(format!("is no URL ({error})"), example(example_url))),
    };
    if !url.username().is_empty() || url.password().is_some() {
        return Err(Fault::new("carries a user name or password", "remove everything between `://` and `@`"));
    }
    let cut = |sign: char| text.split(sign).next().unwrap_or_default();
    if url.fragment().is_some() {
        return Err(Fault::new("has a fragment (`#…`)", format!("write {}", quoted(cut('#')))));
    }
    if url.query().is_some() {
        return Err(Fault::new("has a query (`?…`)", format!("write {}", quoted(cut('?')))));
    }
    if let Some(blank) = text.chars().position(char::is_whitespace) {
        return Err(Fault::new(format!("has a blank at character {}", blank + 1), "remove it"));
    }
    Ok(url)
}

/// 3 to 24 letters, digits and single hyphens, from a letter to a letter or digit (Azure naming rules).
fn is_vault_name(text: &str) -> bool {
    (3..=24).contains(&text.len())
        && text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
        && !text.ends_with('-')
        && !text.contains("--")
}

fn example(url: &str) -> String {
    format!("write a URL such as `{url}`")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn refused(fault: Option<Fault>, wrong: &str, instead: &str) {
        let fault = fault.unwrap_or_else(|| panic!("accepted, and should be refused: {wrong}"));
        assert!(fault.wrong.contains(wrong), "{wrong} is not in: {}", fault.wrong);
        assert!(fault.instead.contains(instead), "{instead} is not in: {}", fault.instead);
    }

    #[test]
    fn takes_issuers() {
        for text in [
            "https://app.example.com",
            "https://app.example.com/",
            "https://oidc.circleci.com/org/5b1f2c9e-0000-4000-8000-0123456789ab",
            "https://app.example.com:8443",
            "http://127.0.0.1:4011",
            "http://localhost:4011/a",
            "http://[::1]:80",
        ] {
            assert_eq!(issuer_fault(text), None, "{text}");
        }
    }

    #[test]
    fn refuses_issuers() {
        for (text, wrong, instead) in [
            ("http://app.example.com", "plain http", "`https://app.example.com`"),
            ("app.example.com", "no scheme", "`https://app.example.com`"),
            ("app.example.com:8443/x", "no scheme", "`https://app.example.com:8443/x`"),
            ("ftp://app.example.com", "no http or https", "https://app.example.com"),
            ("https://app.example.com?a=b", "query", "`https://app.example.com`"),
            ("https://app.example.com#a", "fragment", "`https://app.example.com`"),
            (
                "https://app.example.com/.well-known/openid-configuration",
                "discovery document",
                "`https://app.example.com`",
            ),
            ("https://", "no URL", "https://app.example.com"),
            ("platform", "no http or https", "https://app.example.com"),
            ("https://app.example.com/a b", "blank at character 26", "remove"),
        ] {
            refused(issuer_fault(text), wrong, instead);
        }
        refused(issuer_fault(&format!("https://{}", "a".repeat(300))), "IAM takes 255", "discovery");
    }

    #[test]
    fn credentials_are_refused_and_not_quoted() {
        let fault = issuer_fault("https://me:hunter2@app.example.com").unwrap();
        assert!(fault.wrong.contains("password"));
        assert!(!format!("{fault:?}").contains("hunter2"));
    }

    #[test]
    fn takes_vaults_of_every_cloud() {
        for text in [
            "https://my-vault.vault.azure.net",
            "https://my-vault.vault.azure.net/",
            "https://my-vault.vault.usgovcloudapi.net",
            "https://my-vault.vault.azure.cn",
            "https://127.0.0.1:4567",
        ] {
            assert_eq!(vault_fault(text), None, "{text}");
        }
    }

    #[test]
    fn refuses_vaults() {
        for (text, wrong, instead) in [
            ("my-vault", "a vault's name", "`https://my-vault.vault.azure.net`"),
            ("my-vault.vault.azure.net", "no scheme", "`https://my-vault.vault.azure.net`"),
            ("https://my-vault.vault.azure.net/secrets/db/0123", "address of a secret", "`secret.name = \"db\"`"),
            ("https://my-vault.vault.azure.net/keys", "a path", "`https://my-vault.vault.azure.net`"),
            (
                "https://my-vault.privatelink.vaultcore.azure.net",
                "private endpoint",
                "`https://my-vault.vault.azure.net`",
            ),
            ("https://my-vault.vault.microsoftazure.us", "no key vault", "my-vault.vault.usgovcloudapi.net"),
            ("https://my-vault.vault.azure.com", "no key vault", "`https://my-vault.vault.azure.net`"),
            ("https://my-hsm.managedhsm.azure.net", "managed HSM", "vault.azure.net"),
            ("https://a.vault.azure.net", "3 to 24", "my-vault"),
            (
                "/subscriptions/x/resourceGroups/y/providers/Microsoft.KeyVault/vaults/my-vault",
                "resource id",
                "`https://my-vault.vault.azure.net`",
            ),
        ] {
            refused(vault_fault(text), wrong, instead);
        }
    }

    #[test]
    fn takes_endpoints_of_local_stacks() {
        for text in
            ["http://127.0.0.1:4566", "https://localstack:4566", "https://vpce-1.sts.us-east-1.vpce.amazonaws.com"]
        {
            assert_eq!(endpoint_fault(text), None, "{text}");
        }
        refused(endpoint_fault("localhost:4566"), "no scheme", "`https://localhost:4566`");
        for far in ["http://localstack:4566", "http://sts.amazonaws.com", "http://10.0.0.1", "http://127.0.0.1.example"]
        {
            refused(endpoint_fault(far), "plain http", "`https://");
        }
    }
}
