//! A vault's answer to a request without a token: which directory and which audience it wants
//! (<https://learn.microsoft.com/azure/key-vault/general/authentication-requests-and-responses>).

use serde::Serialize;

use crate::domain::entra::cloud;

/// `WWW-Authenticate: Bearer authorization="…", resource="…"`, or with `scope`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Challenge {
    /// The directory's address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub authorization: Option<String>,
    /// The directory's id: the path of `authorization`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tenant: Option<String>,
    /// The audience that a token must have.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resource: Option<String>,
}

/// Whether a challenge fits the vault that it came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ChallengeFit {
    /// The vault's host is under the resource's.
    Fits,
    /// The vault is on this machine, and the resource is that of a known cloud.
    Loopback,
    /// The host is not under the resource's: another cloud, an alias, a proxy that stands in.
    Differs,
    /// It names no resource.
    NoResource,
}

impl Challenge {
    /// Reads a `WWW-Authenticate` header; `None` where it is no bearer challenge.
    pub fn parse(header: &str) -> Option<Challenge> {
        let (scheme, rest) = header.trim().split_once(' ')?;
        if !scheme.eq_ignore_ascii_case("bearer") {
            return None;
        }
        let value = |name: &str| {
            rest.split(',').find_map(|pair| {
                let (key, value) = pair.trim().split_once('=')?;
                key.trim().eq_ignore_ascii_case(name).then(|| value.trim().trim_matches('"').to_owned())
            })
        };
        let authorization = value("authorization").or_else(|| value("authorization_uri"));
        let tenant = authorization.as_deref().and_then(|address| {
            let path = address.split_once("://").map_or(address, |(_, rest)| rest).split_once('/')?.1;
            path.split('/').next().filter(|tenant| !tenant.is_empty()).map(str::to_owned)
        });
        let of_scope = value("scope").map(|scope| scope.strip_suffix("/.default").unwrap_or(&scope).to_owned());
        Some(Challenge { authorization, tenant, resource: value("resource").or(of_scope) })
    }

    /// Compares the resource with the host that was asked, as the vendor's SDKs do before they send a token there.
    pub fn fit(&self, vault_host: &str) -> ChallengeFit {
        let Some(resource) = self.resource.as_deref() else { return ChallengeFit::NoResource };
        if is_loopback(vault_host) {
            let known = cloud::of_vault_resource(resource).is_some();
            return if known { ChallengeFit::Loopback } else { ChallengeFit::Differs };
        }
        let rest = resource.split_once("://").map_or(resource, |(_, rest)| rest);
        let domain = rest.split(['/', ':']).next().unwrap_or_default().to_ascii_lowercase();
        let host = vault_host.to_ascii_lowercase();
        match host.strip_suffix(&domain) {
            Some(under) if !domain.is_empty() && under.ends_with('.') => ChallengeFit::Fits,
            _ => ChallengeFit::Differs,
        }
    }
}

/// Whether the host is this machine.
fn is_loopback(host: &str) -> bool {
    let host = host.trim_matches(['[', ']']);
    host == "localhost"
        || host.ends_with(".localhost")
        || host.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_both_forms() {
        let full = Challenge::parse(
            "Bearer authorization=\"https://login.windows.net/t-1\", resource=\"https://vault.azure.net\"",
        );
        let expected = Challenge {
            authorization: Some("https://login.windows.net/t-1".into()),
            tenant: Some("t-1".into()),
            resource: Some("https://vault.azure.net".into()),
        };
        assert_eq!(full, Some(expected.clone()));
        let scoped = Challenge::parse(
            "bearer authorization=\"https://login.windows.net/t-1\",scope=\"https://vault.azure.net/.default\"",
        );
        assert_eq!(scoped, Some(expected));
        assert_eq!(Challenge::parse("Basic realm=\"x\""), None);
        assert_eq!(Challenge::parse("Bearer x"), Some(Challenge::default()));
    }

    #[test]
    fn only_a_host_under_the_resource_fits() {
        let of = |resource: &str| Challenge { resource: Some(resource.into()), ..Challenge::default() };
        for (resource, host, fit) in [
            ("https://vault.azure.net", "my-vault.vault.azure.net", ChallengeFit::Fits),
            ("https://vault.azure.net", "MY-VAULT.vault.azure.net", ChallengeFit::Fits),
            ("https://vault.azure.net", "vault.azure.net", ChallengeFit::Differs),
            ("https://vault.azure.net", "evilvault.azure.net", ChallengeFit::Differs),
            ("https://vault.azure.cn", "my-vault.vault.azure.net", ChallengeFit::Differs),
            ("https://vault.azure.net", "127.0.0.1", ChallengeFit::Loopback),
            ("https://vault.example.com", "127.0.0.1", ChallengeFit::Differs),
        ] {
            assert_eq!(of(resource).fit(host), fit, "{resource} {host}");
        }
        assert_eq!(Challenge::default().fit("127.0.0.1"), ChallengeFit::NoResource);
    }
}
