//! A vault's error answers: the codes, and what the lines of the message say of caller, action and resource.
//!
//! Shapes: <https://learn.microsoft.com/azure/key-vault/general/rest-error-codes>. The texts may change, so every
//! part beside the codes is optional.

use serde::Serialize;
use serde_json::Value;

/// The longest text that is searched, in bytes.
const LONGEST: usize = 64 * 1024;

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
        if text.len() > LONGEST {
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
        let message = &message[..message.floor_char_boundary(LONGEST)];
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
mod tests {
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
