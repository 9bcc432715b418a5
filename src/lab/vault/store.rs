//! The vault's secrets: versions, deletion that can be undone, and their JSON.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Value, json};

use super::VaultError;
use crate::lab::keys::random_uuid;
use crate::lab::server::parameter;
use crate::lab::world;

/// How many entries a page has at most.
const PAGE: usize = 25;
/// Days that a deleted secret is kept.
const KEPT_DAYS: i64 = 90;

/// The secrets, by their name in lower case: a vault's names differ in more than letter case.
pub(super) struct Store {
    url: String,
    secrets: Mutex<BTreeMap<String, Secret>>,
}

struct Secret {
    name: String,
    versions: Vec<Version>,
    deleted_at: Option<i64>,
}

struct Version {
    id: String,
    value: SecretString,
    enabled: bool,
    created: i64,
    updated: i64,
    not_before: Option<i64>,
    expires: Option<i64>,
}

impl Version {
    fn set_attributes(&mut self, parameters: &Value) {
        let Some(given) = parameters.get("attributes") else { return };
        self.enabled = given.get("enabled").and_then(Value::as_bool).unwrap_or(self.enabled);
        self.not_before = given.get("nbf").and_then(Value::as_i64).or(self.not_before);
        self.expires = given.get("exp").and_then(Value::as_i64).or(self.expires);
    }
}

impl Store {
    pub(super) fn new(secrets: &BTreeMap<String, world::VaultSecret>, url: String, now: i64) -> Self {
        let secrets = secrets
            .iter()
            .filter(|(_, secret)| secret.present)
            .map(|(name, secret)| {
                let versions = secret
                    .versions
                    .iter()
                    .map(|version| Version {
                        id: version.id.clone().unwrap_or_else(version_id),
                        value: version.value.clone(),
                        enabled: version.enabled,
                        created: now - version.age_s,
                        updated: now - version.age_s,
                        not_before: None,
                        expires: version.expires_in_s.map(|s| now + s),
                    })
                    .collect();
                let deleted_at = secret.deleted.then_some(now);
                (name.to_lowercase(), Secret { name: name.clone(), versions, deleted_at })
            })
            .collect();
        Store { url, secrets: Mutex::new(secrets) }
    }

    fn secrets(&self) -> MutexGuard<'_, BTreeMap<String, Secret>> {
        self.secrets.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A page of the secrets' properties; `$skiptoken` is how many came before.
    pub(super) fn list(&self, query: &str) -> Value {
        let (skip, size) = page_asked(query);
        let secrets = self.secrets();
        let live: Vec<&Secret> = secrets.values().filter(|s| s.deleted_at.is_none()).collect();
        let page: Vec<Value> = live
            .iter()
            .skip(skip)
            .take(size)
            .filter_map(|secret| {
                let current = secret.versions.last()?;
                Some(
                    json!({ "id": format!("{}/secrets/{}", self.url, secret.name), "attributes": attributes(current) }),
                )
            })
            .collect();
        let next = self.next_link("secrets", skip, size, live.len());
        json!({ "value": page, "nextLink": next })
    }

    /// A version, or the current one.
    pub(super) fn get(&self, name: &str, version: Option<&str>) -> Result<Value, VaultError> {
        let secrets = self.secrets();
        let secret =
            secrets.get(&name.to_lowercase()).filter(|s| s.deleted_at.is_none()).ok_or_else(|| missing(name))?;
        let found = match version {
            Some(id) => secret.versions.iter().find(|v| v.id == id).ok_or_else(|| missing(&format!("{name}/{id}")))?,
            None => secret.versions.last().ok_or_else(|| missing(name))?,
        };
        if !found.enabled {
            return Err(VaultError::new(403, "Forbidden", "Operation get is not allowed on a disabled secret.")
                .within("SecretDisabled"));
        }
        Ok(self.bundle(secret, found))
    }

    /// A page of a secret's versions, disabled and expired ones too.
    pub(super) fn versions(&self, name: &str, query: &str) -> Value {
        let (skip, size) = page_asked(query);
        let secrets = self.secrets();
        let live = secrets.get(&name.to_lowercase()).filter(|secret| secret.deleted_at.is_none());
        let all: Vec<Value> = live
            .iter()
            .flat_map(|secret| secret.versions.iter().map(|v| (*secret, v)))
            .map(|(secret, version)| {
                json!({ "id": format!("{}/secrets/{}/{}", self.url, secret.name, version.id), "attributes": attributes(version) })
            })
            .collect();
        let page: Vec<&Value> = all.iter().skip(skip).take(size).collect();
        let next = self.next_link(&format!("secrets/{name}/versions"), skip, size, all.len());
        json!({ "value": page, "nextLink": next })
    }

    fn next_link(&self, path: &str, skip: usize, size: usize, all: usize) -> Option<String> {
        let after = skip + size;
        let link = || format!("{}/{path}?api-version=2025-07-01&maxresults={size}&$skiptoken={after}", self.url);
        (after < all).then(link)
    }

    /// Changes the attributes of a version, or of the current one.
    pub(super) fn update(&self, name: &str, version: Option<&str>, body: &[u8], now: i64) -> Result<Value, VaultError> {
        let parameters: Value = serde_json::from_slice(body).unwrap_or_default();
        let mut secrets = self.secrets();
        let secret =
            secrets.get_mut(&name.to_lowercase()).filter(|s| s.deleted_at.is_none()).ok_or_else(|| missing(name))?;
        let secret_name = secret.name.clone();
        let found = match version {
            Some(id) => secret.versions.iter_mut().find(|v| v.id == id),
            None => secret.versions.last_mut(),
        };
        let found = found.ok_or_else(|| missing(name))?;
        found.set_attributes(&parameters);
        found.updated = now;
        let id = format!("{}/secrets/{secret_name}/{}", self.url, found.id);
        Ok(json!({ "id": id, "attributes": attributes(found) }))
    }

    /// Stores a new version.
    pub(super) fn set(&self, name: &str, body: &[u8], now: i64) -> Result<Value, VaultError> {
        let parameters: Value = serde_json::from_slice(body).unwrap_or_default();
        let Some(value) = parameters.get("value").and_then(Value::as_str) else {
            return Err(VaultError::new(400, "BadParameter", "Property  has invalid value\r\n"));
        };
        let mut secrets = self.secrets();
        let secret = secrets.entry(name.to_lowercase()).or_insert_with(|| Secret {
            name: name.to_owned(),
            versions: Vec::new(),
            deleted_at: None,
        });
        if secret.deleted_at.is_some() {
            let message = format!(
                "Secret {name} is currently in a deleted but recoverable state, and its name cannot be reused; in this state, the secret can only be recovered or purged."
            );
            return Err(VaultError::new(409, "Conflict", message).within("ObjectIsDeletedButRecoverable"));
        }
        let mut version = Version {
            id: version_id(),
            value: SecretString::from(value),
            enabled: true,
            created: now,
            updated: now,
            not_before: None,
            expires: None,
        };
        version.set_attributes(&parameters);
        secret.versions.push(version);
        let current = secret.versions.last().ok_or_else(|| missing(name))?;
        Ok(self.bundle(secret, current))
    }

    pub(super) fn delete(&self, name: &str, now: i64) -> Result<Value, VaultError> {
        let mut secrets = self.secrets();
        let secret =
            secrets.get_mut(&name.to_lowercase()).filter(|s| s.deleted_at.is_none()).ok_or_else(|| missing(name))?;
        secret.deleted_at = Some(now);
        Ok(self.deleted_bundle(secret, now))
    }

    pub(super) fn deleted(&self, name: &str) -> Result<Value, VaultError> {
        let secrets = self.secrets();
        let found = secrets.get(&name.to_lowercase()).and_then(|secret| Some((secret, secret.deleted_at?)));
        let (secret, at) =
            found.ok_or_else(|| VaultError::new(404, "SecretNotFound", format!("Deleted Secret not found: {name}")))?;
        Ok(self.deleted_bundle(secret, at))
    }

    pub(super) fn recover(&self, name: &str) -> Result<Value, VaultError> {
        let mut secrets = self.secrets();
        let secret = secrets
            .get_mut(&name.to_lowercase())
            .filter(|s| s.deleted_at.is_some())
            .ok_or_else(|| VaultError::new(404, "SecretNotFound", format!("Deleted Secret not found: {name}")))?;
        secret.deleted_at = None;
        Ok(json!({ "id": format!("{}/secrets/{}", self.url, secret.name) }))
    }

    fn bundle(&self, secret: &Secret, version: &Version) -> Value {
        json!({
            "value": version.value.expose_secret(),
            "id": format!("{}/secrets/{}/{}", self.url, secret.name, version.id),
            "attributes": attributes(version),
        })
    }

    fn deleted_bundle(&self, secret: &Secret, at: i64) -> Value {
        json!({
            "recoveryId": format!("{}/deletedsecrets/{}", self.url, secret.name),
            "deletedDate": at,
            "scheduledPurgeDate": at + KEPT_DAYS * 86_400,
            "id": format!("{}/secrets/{}", self.url, secret.name),
            "attributes": secret.versions.last().map(attributes),
        })
    }
}

/// How many entries to leave out, and how many to give.
fn page_asked(query: &str) -> (usize, usize) {
    let number = |name: &str| parameter(query, name).and_then(|text| text.parse().ok());
    (number("$skiptoken").unwrap_or(0), number("maxresults").unwrap_or(PAGE).clamp(1, PAGE))
}

fn attributes(version: &Version) -> Value {
    let mut attributes = json!({
        "enabled": version.enabled,
        "created": version.created,
        "updated": version.updated,
        "recoveryLevel": "Recoverable+Purgeable",
        "recoverableDays": KEPT_DAYS,
    });
    for (name, time) in [("nbf", version.not_before), ("exp", version.expires)] {
        if let Some(time) = time {
            attributes[name] = time.into();
        }
    }
    attributes
}

fn missing(name: &str) -> VaultError {
    VaultError::new(
        404,
        "SecretNotFound",
        format!(
            "A secret with (name/id) {name} was not found in this key vault. If you recently deleted this secret you may be able to recover it using the correct recovery command. For help resolving this issue, please see https://go.microsoft.com/fwlink/?linkid=2125182"
        ),
    )
}

/// 32 hexadecimal digits.
fn version_id() -> String {
    random_uuid().replace('-', "")
}
