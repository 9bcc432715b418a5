//! A secret's versions in Secret Manager, with fingerprints: the newest, and those before it; and a new one.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use futures_util::future::join_all;
use http::Method;
use serde::Deserialize;
use serde_json::json;
use zeroize::Zeroizing;

use super::secrets::{CRC32C, part_of, path_part, value_of};
use super::{Body, GoogleSession, GoogleTarget, not_sent};
use crate::check::facts::google::GoogleCall;
use crate::check::facts::secret::{Answer, Call};
use crate::domain::rotation::{Place, Store, StoreSnapshot, Version};
use crate::domain::secret_ref::SecretRef;
use crate::domain::timestamp::{UnixMillis, parse_rfc3339};
use crate::probe::new_value::NewValue;
use crate::probe::secret_value::SecretValue;

/// Earlier versions whose values are read too, newest first.
const MOST_OLDER: usize = 4;
const PAGE: usize = 25;
/// The version that the platform reads.
const NEWEST: &str = "latest";

#[derive(Deserialize)]
struct Versions {
    #[serde(default)]
    versions: Vec<Listed>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Listed {
    name: String,
    create_time: Option<String>,
    state: Option<String>,
}

#[derive(Deserialize)]
struct Added {
    name: String,
}

impl GoogleTarget {
    /// The number of the newest version; the value is wiped unread. `None` where the profile names no project.
    pub async fn current_version(&self, session: &GoogleSession, secret: &SecretRef) -> Option<GoogleCall<String>> {
        let read = self.get_secret(session, secret, NEWEST).await?;
        Some(map(read, |found| found.read.version_id.unwrap_or_default()))
    }

    /// The versions that can be seen now, with fingerprints. `None` where the profile names no project.
    pub async fn snapshot(
        &self,
        session: &GoogleSession,
        secret: &SecretRef,
        at: UnixMillis,
    ) -> Option<GoogleCall<StoreSnapshot>> {
        let read = self.get_secret(session, secret, NEWEST).await?;
        let place = Place { store: Store::GoogleSecretManager, location: self.settings.secret_parent()? };
        let mut fact = map(read, |found| StoreSnapshot {
            place,
            at,
            secret_id: found.read.id.as_ref().and_then(|id| id.split_once("/versions/")).map(|(id, _)| id.to_owned()),
            current: found.read.version_id.clone().unwrap_or_default(),
            versions: vec![found.read.into_version()],
            sibling: None,
            unseen: Vec::new(),
        });
        if let Answer::Granted(snapshot) = &mut fact.call.answer {
            self.add_listed(session, secret, snapshot).await;
        }
        Some(fact)
    }

    /// Adds the earlier versions: the newest of them with their values.
    async fn add_listed(&self, session: &GoogleSession, secret: &SecretRef, snapshot: &mut StoreSnapshot) {
        let listed = self.versions(session, secret).await;
        if listed.is_empty() {
            snapshot.unseen.push("the earlier versions: Secret Manager does not list them".to_owned());
        }
        let created = |id: &str| listed.iter().find(|version| version.id == id).and_then(|version| version.created_at);
        for version in &mut snapshot.versions {
            version.created_at = created(&version.id);
        }
        let others: Vec<Version> = listed.iter().filter(|one| snapshot.version(&one.id).is_none()).cloned().collect();
        let reads = others.iter().take(MOST_OLDER).filter(|version| version.enabled).map(|version| async {
            let read = self.get_secret(session, secret, &version.id).await?;
            let found = read.call.granted()?.read.clone();
            Some(Version { created_at: version.created_at, ..found.into_version() })
        });
        let read: Vec<Version> = join_all(reads).await.into_iter().flatten().collect();
        for other in others {
            let seen = read.iter().find(|version| version.id == other.id);
            snapshot.versions.push(seen.cloned().unwrap_or(other));
        }
    }

    /// The versions of a secret, newest first; none where they may not be listed.
    async fn versions(&self, session: &GoogleSession, secret: &SecretRef) -> Vec<Version> {
        let (Some(parent), Some(name)) = (self.settings.secret_parent(), path_part(&secret.name)) else {
            return Vec::new();
        };
        let url = format!("{}/v1/{parent}/secrets/{name}/versions?pageSize={PAGE}", self.settings.secret_manager());
        let listed = self.call(Method::GET, &url, Some(session), Body::None, listed).await;
        match listed.call.answer {
            Answer::Granted(versions) => versions,
            _ => Vec::new(),
        }
    }

    /// Stores a new version; yields its number. Of `name#key` only the field is replaced, after the document has been read.
    /// `None` where the profile names no project.
    pub async fn add_version(
        &self,
        session: &GoogleSession,
        secret: &SecretRef,
        value: &NewValue,
    ) -> Option<GoogleCall<String>> {
        let text = match &secret.json_key {
            None => value.to_text(),
            Some(key) => {
                let document = self.value(session, secret, NEWEST).await?;
                let endpoint = document.endpoint.clone();
                match granted(document) {
                    Ok(bytes) => match SecretValue::binary(bytes.to_vec()).with_new(key, value) {
                        Ok(text) => text,
                        Err(error) => return Some(not_sent(endpoint, error.to_string())),
                    },
                    Err(refused) => return Some(*refused),
                }
            }
        };
        self.add(session, secret, text.as_bytes()).await
    }

    /// Stores the value of an earlier version as the newest one; yields the new version's number. `None` where the profile
    /// names no project.
    pub async fn restore_version(
        &self,
        session: &GoogleSession,
        secret: &SecretRef,
        version: &str,
    ) -> Option<GoogleCall<String>> {
        match granted(self.value(session, secret, version).await?) {
            Ok(bytes) => self.add(session, secret, &bytes).await,
            Err(refused) => Some(*refused),
        }
    }

    /// The value itself, to be written again.
    async fn value(
        &self,
        session: &GoogleSession,
        secret: &SecretRef,
        version: &str,
    ) -> Option<GoogleCall<Zeroizing<Vec<u8>>>> {
        let (parent, name) = (self.settings.secret_parent()?, path_part(&secret.name)?);
        let url = format!("{}/v1/{parent}/secrets/{name}/versions/{version}:access", self.settings.secret_manager());
        Some(self.call(Method::GET, &url, Some(session), Body::None, value_of).await)
    }

    async fn add(&self, session: &GoogleSession, secret: &SecretRef, value: &[u8]) -> Option<GoogleCall<String>> {
        let (parent, name) = (self.settings.secret_parent()?, path_part(&secret.name)?);
        let url = format!("{}/v1/{parent}/secrets/{name}:addVersion", self.settings.secret_manager());
        let checksum = CRC32C.checksum(value).to_string();
        let body = json!({ "payload": { "data": STANDARD.encode(value), "dataCrc32c": checksum } }).to_string();
        Some(self.call(Method::POST, &url, Some(session), Body::Json(body), added).await)
    }
}

fn added(body: &[u8]) -> Result<String, String> {
    let no_version = || "the answer names no version".to_owned();
    let added: Added = serde_json::from_slice(body).map_err(|_| no_version())?;
    part_of(&added.name, "versions").map(str::to_owned).ok_or_else(no_version)
}

fn listed(body: &[u8]) -> Result<Vec<Version>, String> {
    let page: Versions = serde_json::from_slice(body).map_err(|_| "the answer is no list of versions".to_owned())?;
    let mut versions: Vec<Version> = page
        .versions
        .iter()
        .filter_map(|one| {
            Some(Version {
                id: part_of(&one.name, "versions")?.to_owned(),
                stages: Vec::new(),
                enabled: one.state.as_deref() == Some("ENABLED"),
                created_at: one.create_time.as_deref().and_then(parse_rfc3339),
                fingerprint: None,
                guessability: None,
                variants: Vec::new(),
            })
        })
        .collect();
    versions.sort_by_key(|version| std::cmp::Reverse(version.id.parse::<u64>().unwrap_or_default()));
    Ok(versions)
}

/// The same call with what was granted made into something else.
fn map<T, U>(fact: GoogleCall<T>, made: impl FnOnce(T) -> U) -> GoogleCall<U> {
    let GoogleCall { endpoint, call, error } = fact;
    GoogleCall { endpoint, call: call.and_then(|granted| Answer::Granted(made(granted))), error }
}

/// What was granted, or the call with nothing granted.
fn granted<T, U>(fact: GoogleCall<T>) -> Result<T, Box<GoogleCall<U>>> {
    let GoogleCall { endpoint, call, error } = fact;
    let Call { region, attempts, waited_ms, answer, exchange } = call;
    let answer = match answer {
        Answer::Granted(granted) => return Ok(granted),
        Answer::Refused(refusal) => Answer::Refused(refusal),
        Answer::Network { failure } => Answer::Network { failure },
        Answer::Unreadable { http_status, detail } => Answer::Unreadable { http_status, detail },
        Answer::NotSent { detail } => Answer::NotSent { detail },
    };
    Err(Box::new(GoogleCall { endpoint, call: Call { region, attempts, waited_ms, answer, exchange }, error }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_listed_newest_first_with_their_state() {
        let page = json!({"versions": [
            {"name": "projects/1/secrets/s/versions/9", "createTime": "2026-11-30T20:00:00Z", "state": "ENABLED"},
            {"name": "projects/1/secrets/s/versions/10", "state": "DISABLED"},
        ]});
        let versions = listed(page.to_string().as_bytes()).unwrap();
        let told: Vec<(&str, bool)> = versions.iter().map(|version| (version.id.as_str(), version.enabled)).collect();
        assert_eq!(told, [("10", false), ("9", true)]);
        assert_eq!(versions[1].created_at, Some(1_796_068_800));
        assert!(listed(b"<html>").is_err());
    }

    #[test]
    fn a_new_version_has_a_number() {
        assert_eq!(added(br#"{"name":"projects/1/secrets/s/versions/11"}"#).as_deref(), Ok("11"));
        assert!(added(br#"{"name":"projects/1/secrets/s"}"#).is_err());
    }
}
