//! Answers of `aws` and `az`, and policies: the members that name something, wherever they stand.

use serde_json::{Map, Value};

use super::Reader;
use super::text::{arn, subject, vault};
use crate::domain::profile::key::Key;
use crate::domain::redaction::looks_secret;

/// How deep a document is followed.
const DEEPEST: usize = 32;
/// Members that hold a secret, in small letters and without separators.
const SECRET: &[&str] = &[
    "password",
    "secretaccesskey",
    "sessiontoken",
    "secretstring",
    "secretbinary",
    "clientsecret",
    "secrettext",
    "accesstoken",
    "refreshtoken",
    "idtoken",
    "privatekey",
    "connectionstring",
    "primarykey",
];

/// Reads a document.
pub(super) fn read(value: &Value, reader: &mut Reader) {
    walk(value, "", 0, reader);
}

fn walk(value: &Value, path: &str, depth: usize, reader: &mut Reader) {
    if depth > DEEPEST {
        return reader.leave("the document", "is nested deeper than any answer; its inner parts were not looked at");
    }
    match value {
        Value::Array(items) => items.iter().for_each(|item| walk(item, path, depth + 1, reader)),
        Value::Object(members) if members.contains_key("Statement") => policy(members, path, reader),
        Value::Object(members) => {
            object(members, path, reader);
            for (name, inner) in members {
                let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                match inner {
                    Value::String(text) => member(name, text, &path, reader),
                    inner => walk(inner, &path, depth + 1, reader),
                }
            }
        }
        _ => {}
    }
}

/// What only several members together tell.
fn object(members: &Map<String, Value>, path: &str, reader: &mut Reader) {
    let text = |name: &str| members.get(name).and_then(Value::as_str);
    let at = |name: &str| if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
    // `az account show`: the id of the subscription itself.
    if let (Some(id), Some(_)) = (text("id"), text("environmentName").or(text("homeTenantId"))) {
        reader.offer(Key::SubscriptionId, id, &at("id"));
    }
    // `az keyvault secret show`: the value of a secret.
    if let (Some(id), true) = (text("id"), members.contains_key("value"))
        && id.contains("/secrets/")
    {
        reader.leave(&at("value"), "is a secret, and is not kept");
    }
    // `aws iam get-open-id-connect-provider`: the address without its scheme.
    if let (Some(url), true) = (text("Url"), members.contains_key("ClientIDList")) {
        let url = if url.starts_with("https://") { url.to_owned() } else { format!("https://{url}") };
        reader.offer(Key::IssuerUrl, &url, &at("Url"));
    }
}

fn member(name: &str, text: &str, path: &str, reader: &mut Reader) {
    let plain: String = name.chars().filter(|c| c.is_ascii_alphanumeric()).collect::<String>().to_ascii_lowercase();
    if SECRET.contains(&plain.as_str()) || looks_secret(text).is_some() {
        return reader.leave(path, "is a secret, or looks like one, and is not kept");
    }
    match name {
        "issuer" => reader.offer(Key::IssuerUrl, text, path),
        "subject" if subject(text, path, reader) => {}
        "subject" => reader.leave(path, "is a subject of no form that this guide knows"),
        "tenantId" | "tenant" | "appOwnerOrganizationId" | "aadTenantId" => reader.offer(Key::TenantId, text, path),
        "appId" | "clientId" => reader.offer(Key::ClientId, text, path),
        "resourceGroup" => reader.offer(Key::ResourceGroup, text, path),
        "vaultUri" => vault(text, path, reader),
        "Account" => reader.offer(Key::AccountId, text, path),
        "AssumeRolePolicyDocument" => encoded_policy(text, path, reader),
        "id" if text.starts_with("/subscriptions/") => resource(text, path, reader),
        "id" if text.starts_with("https://") && text.contains("/secrets/") => vault(text, path, reader),
        _ if text.starts_with("arn:") => arn(text, path, reader),
        _ => {}
    }
}

/// A resource's id: `/subscriptions/ID/resourceGroups/NAME/…`.
fn resource(text: &str, path: &str, reader: &mut Reader) {
    let parts: Vec<&str> = text.split('/').collect();
    if let ["", "subscriptions", subscription, rest @ ..] = &parts[..] {
        reader.offer(Key::SubscriptionId, subscription, path);
        if let [groups, group, ..] = rest
            && groups.eq_ignore_ascii_case("resourceGroups")
        {
            reader.offer(Key::ResourceGroup, group, path);
        }
    }
}

/// A policy as IAM's own interface sends it: percent-encoded.
fn encoded_policy(text: &str, path: &str, reader: &mut Reader) {
    let decoded = if text.trim_start().starts_with('{') { Some(text.to_owned()) } else { decode(text) };
    match decoded.as_deref().map(serde_json::from_str::<Value>) {
        Some(Ok(Value::Object(members))) => policy(&members, path, reader),
        _ => reader.leave(path, "is no policy that can be read"),
    }
}

fn decode(text: &str) -> Option<String> {
    let pairs = url::form_urlencoded::parse(text.as_bytes());
    // Without `&` and `=` outside of encoding the whole text is one name.
    pairs.map(|(name, _)| name.into_owned()).next()
}

fn policy(members: &Map<String, Value>, path: &str, reader: &mut Reader) {
    let at = |statement: usize, what: &str| {
        let place = if path.is_empty() { String::new() } else { format!("{path}, ") };
        format!("{place}Statement[{statement}].{what}")
    };
    let statements = match members.get("Statement") {
        Some(Value::Array(statements)) => statements.iter().collect(),
        Some(statement) => vec![statement],
        None => Vec::new(),
    };
    for (place, statement) in statements.into_iter().enumerate() {
        for principal in texts(statement.pointer("/Principal/Federated")) {
            if principal.starts_with("arn:") {
                arn(principal, &at(place, "Principal"), reader);
            }
        }
        let operators = statement.get("Condition").and_then(Value::as_object).into_iter().flatten();
        for (key, value) in operators.filter_map(|(_, keys)| keys.as_object()).flatten() {
            for text in texts(Some(value)) {
                match key.rsplit_once(':') {
                    Some((host, "sub")) if host.contains('.') => {
                        reader.offer(Key::IssuerUrl, &format!("https://{host}"), &at(place, "conditions"));
                        if !subject(text, &at(place, key), reader) {
                            reader.leave(&at(place, key), "is a subject of no form that this guide knows");
                        }
                    }
                    Some((host, "aud")) if host.contains('.') => {
                        reader.offer(Key::AwsAudience, text, &at(place, key));
                    }
                    Some(("sts", "ExternalId")) => reader.offer(Key::ExternalId, text, &at(place, key)),
                    _ => {}
                }
            }
        }
    }
}

fn texts(value: Option<&Value>) -> Vec<&str> {
    match value {
        Some(Value::String(text)) => vec![text],
        Some(Value::Array(items)) => items.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    }
}
