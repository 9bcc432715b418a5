//! Key Vault's vocabulary: the names it gives to secrets, its challenge to a request without a token, its error answers.
//!
//! Names: <https://learn.microsoft.com/azure/key-vault/general/about-keys-secrets-certificates>. The challenge names the
//! directory and the audience:
//! <https://learn.microsoft.com/azure/key-vault/general/authentication-requests-and-responses>. Errors:
//! <https://learn.microsoft.com/azure/key-vault/general/rest-error-codes>; their texts may change, so every part beside the
//! codes is optional.

use serde::Serialize;
use serde_json::Value;

use super::national_cloud;

/// The longest name.
const LONGEST_NAME: usize = 127;

/// A name that a vault takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecretName {
    /// The name as it is sent.
    pub name: String,
    /// The name as it was written, where underscores became hyphens on the way: the platform sends `db-password` for
    /// `db_password`.
    pub written: Option<String>,
}

/// Why a text is no secret's name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    #[error("the secret has no name")]
    Empty,
    #[error("the secret's name has {0} characters, and a vault takes at most {LONGEST_NAME}")]
    TooLong(usize),
    #[error("the secret's name has `{found}` at character {at}; a vault takes letters, digits and hyphens")]
    Character {
        found: char,
        /// Counted from 1.
        at: usize,
    },
}

impl SecretName {
    /// The name that is sent for `text`: underscores become hyphens.
    ///
    /// # Errors
    /// Where a vault takes no such name even so.
    pub fn of(text: &str) -> Result<SecretName, NameError> {
        let name = text.replace('_', "-");
        if name.is_empty() {
            return Err(NameError::Empty);
        }
        if let Some((at, found)) = name.chars().enumerate().find(|(_, c)| !c.is_ascii_alphanumeric() && *c != '-') {
            return Err(NameError::Character { found, at: at + 1 });
        }
        if name.len() > LONGEST_NAME {
            return Err(NameError::TooLong(name.len()));
        }
        Ok(SecretName { written: (name != text).then(|| text.to_owned()), name })
    }
}

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
            let known = national_cloud::of_vault_resource(resource).is_some();
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
mod name_tests {
    use super::*;

    #[test]
    fn names_are_taken_changed_or_refused() {
        assert_eq!(SecretName::of("db-password"), Ok(SecretName { name: "db-password".into(), written: None }));
        let changed = SecretName::of("db_password").unwrap();
        assert_eq!((changed.name.as_str(), changed.written.as_deref()), ("db-password", Some("db_password")));
        assert_eq!(SecretName::of(""), Err(NameError::Empty));
        assert_eq!(SecretName::of("a/b"), Err(NameError::Character { found: '/', at: 2 }));
        assert_eq!(SecretName::of("aé"), Err(NameError::Character { found: 'é', at: 2 }));
        assert_eq!(SecretName::of(&"a".repeat(128)), Err(NameError::TooLong(128)));
        assert!(SecretName::of(&"a".repeat(127)).is_ok());
    }
}

/// The longest text that is searched, in bytes.
const LONGEST_TEXT: usize = 64 * 1024;

/// An error answer, read.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct VaultError {
    /// `error.code`, such as `Forbidden`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// The innermost `innererror.code`, such as `ForbiddenByRbac`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub inner_code: Option<String>,
    /// The number after `AKV`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub akv: Option<u32>,
    pub message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub caller: Option<Caller>,
    /// The data action that was refused, such as `Microsoft.KeyVault/vaults/secrets/getSecret/action`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub action: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resource: Option<String>,
    /// The role assignment that applied; `None` where the answer says that none was found.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub assignment: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deny_assignment: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decision_reason: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vault: Option<String>,
    /// The address that the vault saw.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_address: Option<String>,
    /// The right that an access policy lacks, such as `get`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub permission: Option<String>,
    /// What the token had to hold, of AKV10022 and AKV10032.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expected: Option<String>,
    /// What it held instead.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub found: Option<String>,
}

/// Who the vault took the caller for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Caller {
    /// The application's (client) id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub app_id: Option<String>,
    /// The object id of its service principal: what role assignments and access policies name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub object_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub issuer: Option<String>,
}

impl VaultError {
    /// Reads `{"error": {"code", "message", "innererror"}}`; `None` where the text is not of that shape.
    pub fn parse(text: &str) -> Option<VaultError> {
        if text.len() > LONGEST_TEXT {
            return None;
        }
        let value: Value = serde_json::from_str(text.trim()).ok()?;
        let error = value.get("error")?;
        let code = error.get("code").and_then(Value::as_str).map(str::to_owned);
        let message = error.get("message").and_then(Value::as_str).unwrap_or_default();
        let mut inner = error.get("innererror");
        let mut inner_code = None;
        for _ in 0..8 {
            let Some(next) = inner else { break };
            inner_code = next.get("code").and_then(Value::as_str).map(str::to_owned).or(inner_code);
            inner = next.get("innererror");
        }
        code.as_ref()?;
        Some(VaultError { code, inner_code, ..VaultError::of_message(message) })
    }

    /// Reads a message by itself, as tools print it.
    pub fn of_message(message: &str) -> VaultError {
        let message = &message[..message.floor_char_boundary(LONGEST_TEXT)];
        let text = message.replace("\\r\\n", "\n").replace("\r\n", "\n");
        let line = |label: &str| {
            let rest = text.lines().find_map(|line| line.trim().strip_prefix(label))?.trim();
            let rest = rest.trim_matches('\'');
            let absent = rest.is_empty() || rest.eq_ignore_ascii_case("null") || rest == "(not found)";
            (!absent).then(|| rest.to_owned())
        };
        let caller = line("Caller:").or_else(|| between(&text, "application '", "'")).map(|c| Caller::parse(&c));
        let vault = line("Vault:").or_else(|| between(&text, "key vault '", "'"));
        VaultError {
            akv: akv(&text),
            caller: caller.filter(|c| *c != Caller::default()),
            action: line("Action:"),
            resource: line("Resource:"),
            assignment: line("Assignment:"),
            deny_assignment: line("DenyAssignmentId:"),
            decision_reason: line("DecisionReason:"),
            vault: vault.map(|v| v.split(';').next().unwrap_or_default().to_owned()),
            client_address: line("Client address:"),
            permission: between(&text, "does not have secrets ", " permission"),
            expected: between(&text, "Expected ", ", found"),
            found: text
                .split_once(", found")
                .map(|(_, rest)| rest.trim_start_matches([':', ' ']).trim_end_matches('.').to_owned()),
            message: text.trim().to_owned(),
            ..VaultError::default()
        }
    }

    /// The code that says most: the inner one, else the outer one.
    pub fn best_code(&self) -> Option<&str> {
        self.inner_code.as_deref().or(self.code.as_deref())
    }
}

impl Caller {
    /// `appid=…;oid=…;iss=…`.
    fn parse(text: &str) -> Caller {
        let part = |name: &str| {
            let value = text.split(';').find_map(|pair| pair.trim().strip_prefix(name)?.strip_prefix('='))?;
            (!value.is_empty()).then(|| value.to_owned())
        };
        Caller { app_id: part("appid"), object_id: part("oid"), issuer: part("iss") }
    }
}

fn akv(text: &str) -> Option<u32> {
    let rest = &text[text.find("AKV")? + 3..];
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    rest[..digits].parse().ok()
}

fn between(text: &str, open: &str, close: &str) -> Option<String> {
    let rest = &text[text.find(open)? + open.len()..];
    Some(rest[..rest.find(close)?].to_owned())
}

#[cfg(test)]
mod challenge_tests {
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

#[cfg(test)]
mod error_tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn read(code: &str, inner: Option<&str>, message: &str) -> VaultError {
        let body =
            json!({"error": {"code": code, "message": message, "innererror": inner.map(|c| json!({"code": c}))}});
        VaultError::parse(&body.to_string()).unwrap()
    }

    #[test]
    fn decodes_a_refusal_of_the_role_model() {
        let read = read(
            "Forbidden",
            Some("ForbiddenByRbac"),
            "Caller is not authorized to perform action on resource.\r\nIf role assignments, deny assignments or role definitions were changed recently, please observe propagation time.\r\nCaller: appid=a-1;oid=o-1;iss=https://sts.windows.net/t/\r\nAction: 'Microsoft.KeyVault/vaults/secrets/getSecret/action'\r\nResource: '/subscriptions/s/vaults/v/secrets/n'\r\nAssignment: (not found)\r\nDenyAssignmentId: null\r\nDecisionReason: 'DeniedWithNoValidRBAC' \r\nVault: my-vault;location=westeurope\r\n",
        );
        assert_eq!(read.best_code(), Some("ForbiddenByRbac"));
        let caller = read.caller.unwrap();
        assert_eq!((caller.app_id.as_deref(), caller.object_id.as_deref()), (Some("a-1"), Some("o-1")));
        assert_eq!(read.action.as_deref(), Some("Microsoft.KeyVault/vaults/secrets/getSecret/action"));
        assert_eq!(read.resource.as_deref(), Some("/subscriptions/s/vaults/v/secrets/n"));
        assert_eq!((read.assignment, read.deny_assignment), (None, None));
        assert_eq!(read.decision_reason.as_deref(), Some("DeniedWithNoValidRBAC"));
        assert_eq!(read.vault.as_deref(), Some("my-vault"));
    }

    #[test]
    fn decodes_the_other_answers() {
        let policy = read(
            "Forbidden",
            Some("AccessDenied"),
            "The user, group or application 'appid=a;oid=o;iss=i' does not have secrets get permission on key vault 'v;location=l'. For help",
        );
        assert_eq!(policy.permission.as_deref(), Some("get"));
        assert_eq!(policy.caller.unwrap().object_id.as_deref(), Some("o"));
        assert_eq!(policy.vault.as_deref(), Some("v"));
        let audience = read(
            "Unauthorized",
            None,
            "AKV10022: Invalid audience. Expected https://vault.azure.net, found: https://v.vault.azure.net.",
        );
        assert_eq!(audience.akv, Some(10022));
        assert_eq!(audience.expected.as_deref(), Some("https://vault.azure.net"));
        assert_eq!(audience.found.as_deref(), Some("https://v.vault.azure.net"));
        let issuer = read(
            "Unauthorized",
            None,
            "AKV10032: Invalid issuer. Expected one of https://sts.windows.net/1/, https://sts.windows.net/2/, found https://sts.windows.net/3/.",
        );
        assert_eq!(issuer.found.as_deref(), Some("https://sts.windows.net/3/"));
        let firewall = read(
            "Forbidden",
            Some("ForbiddenByFirewall"),
            "Client address is not authorized and caller is not a trusted service.\r\nClient address: 192.0.2.1\r\nCaller: appid=a;oid=o;iss=i\r\nVault: v;location=l",
        );
        assert_eq!(firewall.client_address.as_deref(), Some("192.0.2.1"));
    }

    #[test]
    fn the_innermost_code_counts_and_other_bodies_are_not_errors() {
        let body =
            json!({"error": {"code": "a", "message": "m", "innererror": {"code": "b", "innererror": {"code": "c"}}}});
        assert_eq!(VaultError::parse(&body.to_string()).unwrap().best_code(), Some("c"));
        for text in ["", "{}", "<html>", r#"{"error":"x"}"#, r#"{"error":{}}"#] {
            assert_eq!(VaultError::parse(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_message_is_read(text in "(AKV|[0-9]|Caller: |appid=|Expected |, found|;|'|\\PC){0,30}") {
            let _ = VaultError::of_message(&text);
        }
    }
}
