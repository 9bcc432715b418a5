//! Client secrets (<https://learn.microsoft.com/graph/api/resources/passwordcredential>).

use http::Method;
use secrecy::SecretString;
use serde_json::{Value, json};

use super::{Fault, Graph, Outcome, Selector, not_allowed, object};
use crate::lab::keys::random_uuid;
use crate::lab::server::Received;
use crate::lab::world::ClientSecret;

impl Graph {
    /// Makes one. Its value is in this answer and in no other.
    pub(super) fn add_password(&self, request: &Received, key: &Selector<'_>) -> Outcome {
        only_post(&request.method)?;
        let (name, _) = self.registered(key)?;
        let asked = object(request)?;
        let display_name = asked.get("passwordCredential").and_then(|credential| credential.get("displayName"));
        let value = format!("lab8Q~{}", random_uuid().replace('-', ""));
        let secret = ClientSecret {
            value: SecretString::from(value.clone()),
            expired: false,
            display_name: display_name.and_then(Value::as_str).map(str::to_owned),
            key_id: random_uuid(),
        };
        let mut answer = described(&secret);
        answer["secretText"] = value.into();
        self.change_application(&name, |app| app.client_secrets.push(secret));
        Ok((200, Some(answer)))
    }

    pub(super) fn remove_password(&self, request: &Received, key: &Selector<'_>) -> Outcome {
        only_post(&request.method)?;
        let (name, app) = self.registered(key)?;
        let asked = object(request)?;
        let id = asked.get("keyId").and_then(Value::as_str).unwrap_or_default();
        if !app.client_secrets.iter().any(|secret| secret.key_id == id) {
            return Err(Fault::bad_request(format!("No password credential found with keyId '{id}'.")));
        }
        self.change_application(&name, |app| app.client_secrets.retain(|secret| secret.key_id != id));
        Ok((204, None))
    }
}

fn only_post(method: &Method) -> Result<(), Fault> {
    if method == Method::POST { Ok(()) } else { Err(not_allowed(method)) }
}

/// One without its value.
pub(super) fn described(secret: &ClientSecret) -> Value {
    json!({ "keyId": secret.key_id, "displayName": secret.display_name })
}
