//! Servers that one hosts oneself: how each is recognised by what it publishes, how it names subjects, and the one setting
//! that makes its tokens acceptable to a cloud. One file a server, in `assets/issuers`.

use serde::{Deserialize, Serialize};

use crate::domain::assets::Asset;
use crate::domain::cause::Cause;
use crate::domain::discovery::Discovery;
use crate::domain::jwks::Jwks;

/// A server of one's own, as shipped.
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Server {
    pub name: String,
    pub docs: String,
    /// What its subjects are.
    pub subjects: String,
    /// Each alternative is enough.
    #[serde(skip_serializing)]
    recognised: Vec<Signs>,
    #[serde(skip_serializing)]
    settings: Vec<Setting>,
}

/// What is looked at; all that are named have to hold.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Signs {
    /// How the address in the discovery document ends.
    authorization_path: Option<String>,
    token_path: Option<String>,
    jwks_path: Option<String>,
    /// The `kid` of a published key.
    kid: Option<String>,
    /// The length of every published `kid`.
    kid_length: Option<usize>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Setting {
    /// What it cures.
    #[serde(rename = "for")]
    causes: Vec<Cause>,
    text: String,
}

static ALL: [Asset<Server>; 8] = [
    Asset::new(asset!("issuers/better-auth")),
    Asset::new(asset!("issuers/canaille")),
    Asset::new(asset!("issuers/django-oauth-toolkit")),
    Asset::new(asset!("issuers/glewlwyd")),
    Asset::new(asset!("issuers/lemonldap-ng")),
    Asset::new(asset!("issuers/oauth2-mock-server")),
    Asset::new(asset!("issuers/oidc-provider-mock")),
    Asset::new(asset!("issuers/oidc-provider")),
];

impl Server {
    /// The server that publishes these documents, as far as it is known: the one of which most fits.
    pub fn recognise(discovery: Option<&Discovery>, keys: Option<&Jwks>) -> Option<&'static Server> {
        let fit = |server: &&'static Server| server.recognised.iter().filter_map(|s| s.fit(discovery, keys)).max();
        // Without a discovery document, only those are read that are told by their keys.
        let may_be = |server: &&Asset<Server>| {
            discovery.is_some() || server.has_text_ending("kid") || server.has_text_ending("kid-length")
        };
        ALL.iter()
            .filter(may_be)
            .filter_map(Asset::read)
            .filter_map(|server| Some((fit(&server)?, server)))
            .max_by_key(|(fit, _)| *fit)
            .map(|(_, server)| server)
    }

    /// What has to be set at the server that publishes these documents so that `cause` goes away.
    pub fn setting_for(cause: Cause, discovery: Option<&Discovery>, keys: Option<&Jwks>) -> Option<&'static str> {
        let is_cured = ALL.iter().any(|server| server.has_text_ending(cause.id()));
        if is_cured { Self::recognise(discovery, keys)?.setting(cause) } else { None }
    }

    fn setting(&self, cause: Cause) -> Option<&str> {
        self.settings.iter().find(|setting| setting.causes.contains(&cause)).map(|setting| setting.text.as_str())
    }
}

impl Signs {
    /// How much of the documents it is told by; `None` where something named does not hold.
    fn fit(&self, discovery: Option<&Discovery>, keys: Option<&Jwks>) -> Option<usize> {
        let address = |of: fn(&Discovery) -> Option<&String>| discovery.and_then(of).map(String::as_str);
        let paths = [
            (&self.authorization_path, address(|document| document.authorization_endpoint.as_ref())),
            (&self.token_path, address(|document| document.token_endpoint.as_ref())),
            (&self.jwks_path, address(|document| document.jwks_uri.as_ref())),
        ];
        let mut fit = 0;
        for (wanted, found) in paths {
            if let Some(wanted) = wanted {
                found.filter(|found| found.ends_with(wanted.as_str()))?;
                fit += wanted.len();
            }
        }
        let kids = || keys.into_iter().flat_map(|set| &set.keys).filter_map(|key| key.kid.as_deref());
        if let Some(wanted) = &self.kid {
            kids().find(|kid| kid == wanted)?;
            fit += wanted.len();
        }
        if let Some(wanted) = self.kid_length {
            let is_so_long = kids().next().is_some() && kids().all(|kid| kid.chars().count() == wanted);
            is_so_long.then_some(())?;
            fit += 1;
        }
        Some(fit)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn document(authorization: &str, token: &str, jwks: &str) -> Discovery {
        let at = |path: &str| format!("https://id.example.com{path}");
        let document = json!({
            "issuer": "https://id.example.com", "authorization_endpoint": at(authorization),
            "token_endpoint": at(token), "jwks_uri": at(jwks),
        });
        Discovery::parse(document.to_string().as_bytes(), "https://id.example.com").unwrap()
    }

    fn named(kid: &str) -> Jwks {
        Jwks::parse(json!({ "keys": [{ "kty": "RSA", "kid": kid }] }).to_string().as_bytes()).unwrap()
    }

    #[test]
    fn every_file_reads_and_has_a_setting_for_what_its_issuer_is_refused_for() {
        for (at, file) in ALL.iter().enumerate() {
            let server = file.read().unwrap_or_else(|| panic!("the file at {at} cannot be read"));
            assert!(server.docs.starts_with("https://") && !server.subjects.is_empty(), "{}", server.name);
            assert!(
                server.setting(Cause::IssuerUrlUnfit).is_some(),
                "{}: plain http is how all of them start",
                server.name
            );
            assert!(server.settings.iter().all(|setting| setting.text.ends_with('.')), "{}", server.name);
        }
    }

    #[test]
    fn a_server_is_told_by_what_it_publishes() {
        let thumbprint = "a".repeat(43);
        for (paths, kid, name) in [
            (["/auth", "/token", "/jwks"], "k", Some("oidc-provider")),
            (["/api/oidc/auth", "/api/oidc/token", "/api/oidc/jwks"], "k", Some("Glewlwyd")),
            (["/x/authorize/", "/x/token/", "/x/.well-known/jwks.json"], "k", Some("django-oauth-toolkit")),
            (["/oauth2/authorize", "/oauth2/token", "/oauth2/jwks"], "k", Some("LemonLDAP::NG")),
            (["/oauth2/authorize", "/oauth2/token", "/jwks"], &thumbprint, Some("oidc-provider-mock")),
            (["/api/auth/oauth2/authorize", "/api/auth/oauth2/token", "/api/auth/jwks"], "k", Some("Better Auth")),
            (["/authorize", "/token", "/jwks"], "k", None),
            (["/login", "/token", "/keys"], "k", None),
            (["/login", "/token", "/keys"], "keystore-CHANGE-ME", Some("oidc-provider")),
        ] {
            let [authorization, token, jwks] = paths;
            let found = Server::recognise(Some(&document(authorization, token, jwks)), Some(&named(kid)));
            assert_eq!(found.map(|server| server.name.as_str()), name, "{paths:?} {kid}");
        }
        assert!(Server::recognise(None, None).is_none());
    }
}
