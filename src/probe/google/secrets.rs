//! The calls to Secret Manager: list the secrets, read a version of one, and look where else it may be.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use crc::{CRC_32_ISCSI, Crc};
use futures_util::future::join_all;
use http::Method;
use serde::Deserialize;
use zeroize::Zeroizing;

use super::{Body, GoogleSession, GoogleTarget, not_sent};
use crate::check::facts::google::{GoogleCall, GoogleSecret};
use crate::check::facts::secret::{SecretList, SecretRead};
use crate::domain::profile::GcpSettings;
use crate::domain::secret_ref::SecretRef;
use crate::domain::text_difference::nearest;
use crate::probe::secret_value::SecretValue;

/// As many secrets as one page of the list holds.
const PAGE: usize = 25;
/// No more places are asked for a secret; Google has some forty.
const MOST_LOCATIONS: usize = 64;
/// The checksum of values (Secret Manager API, `SecretPayload.dataCrc32c`).
pub(super) const CRC32C: Crc<u32> = Crc::<u32>::new(&CRC_32_ISCSI);

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Listed {
    #[serde(default)]
    secrets: Vec<Named>,
    #[serde(default)]
    next_page_token: String,
}

#[derive(Deserialize)]
struct Named {
    name: String,
}

#[derive(Deserialize)]
struct Accessed {
    name: String,
    payload: Payload,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Payload {
    #[serde(default)]
    data: String,
    data_crc32c: Option<String>,
}

#[derive(Deserialize)]
struct Locations {
    #[serde(default)]
    locations: Vec<Location>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Location {
    location_id: String,
}

impl GoogleTarget {
    /// Lists the secrets, the first page only. `None` where the profile names no project.
    pub async fn list_secrets(
        &self,
        session: &GoogleSession,
        wanted: Option<&SecretRef>,
    ) -> Option<GoogleCall<SecretList>> {
        let parent = self.settings.secret_parent()?;
        let url = format!("{}/v1/{parent}/secrets?pageSize={PAGE}", self.settings.secret_manager());
        let wanted = wanted.map(|secret| secret.name.as_str());
        Some(self.call(Method::GET, &url, Some(session), Body::None, |body| listed(body, wanted)).await)
    }

    /// Reads a version of a secret; the value is reduced to a fingerprint and wiped. `None` where the profile names no
    /// project.
    pub async fn get_secret(
        &self,
        session: &GoogleSession,
        secret: &SecretRef,
        version: &str,
    ) -> Option<GoogleCall<GoogleSecret>> {
        let parent = self.settings.secret_parent()?;
        let Some(name) = path_part(&secret.name) else {
            let detail = "a secret's name has letters, digits, hyphens and underscores".to_owned();
            return Some(not_sent(self.settings.secret_manager(), detail));
        };
        let url = format!("{}/v1/{parent}/secrets/{name}/versions/{version}:access", self.settings.secret_manager());
        Some(self.call(Method::GET, &url, Some(session), Body::None, |body| accessed(body, secret, version)).await)
    }

    /// The locations that have a regional secret of this name, of those that could be asked.
    pub async fn locate_secret(&self, session: &GoogleSession, secret: &SecretRef) -> Vec<String> {
        let (Some(project), Some(name)) = (&self.settings.project_id, path_part(&secret.name)) else {
            return Vec::new();
        };
        let url = format!("{}/v1/projects/{project}/locations", self.settings.secret_manager());
        let locations = self.call(Method::GET, &url, Some(session), Body::None, |body| {
            serde_json::from_slice::<Locations>(body).map_err(|error| error.to_string())
        });
        let found = locations.await;
        let locations = found.call.granted().map(|found| found.locations.as_slice()).unwrap_or_default();
        let own = self.settings.location.as_deref();
        let others =
            locations.iter().map(|one| one.location_id.as_str()).filter(|id| Some(*id) != own && *id != "global");
        let looks = others.take(MOST_LOCATIONS).map(|location| self.is_in(session, location, name));
        join_all(looks).await.into_iter().flatten().collect()
    }

    /// The location, where it has a secret of this name.
    async fn is_in(&self, session: &GoogleSession, location: &str, name: &str) -> Option<String> {
        let settings = GcpSettings { location: Some(location.to_owned()), ..self.settings.clone() };
        let url = format!("{}/v1/{}/secrets/{name}", settings.secret_manager(), settings.secret_parent()?);
        let there = GoogleTarget { settings, ..self.clone() };
        let seen = there.call(Method::GET, &url, Some(session), Body::None, |body| {
            serde_json::from_slice::<Named>(body).map_err(|error| error.to_string())
        });
        seen.await.call.granted().is_some().then(|| location.to_owned())
    }
}

/// A secret's name as a part of a path; `None` for what no secret is called (Secret Manager API, `secretId`).
pub(super) fn path_part(name: &str) -> Option<&str> {
    let fits = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_');
    fits.then_some(name)
}

/// The part of a resource's name behind `kind/`.
pub(super) fn part_of<'n>(name: &'n str, kind: &str) -> Option<&'n str> {
    let mut parts = name.split('/');
    parts.find(|part| *part == kind)?;
    parts.next()
}

fn listed(body: &[u8], wanted: Option<&str>) -> Result<SecretList, String> {
    let page: Listed = serde_json::from_slice(body).map_err(|_| "the answer is no list of secrets".to_owned())?;
    let names: Vec<(&str, &str)> = page
        .secrets
        .iter()
        .filter_map(|secret| Some((part_of(&secret.name, "secrets")?, secret.name.as_str())))
        .collect();
    let entry = wanted.map(|wanted| names.iter().find(|(name, _)| *name == wanted));
    let holds_secret = entry.map(|entry| entry.is_some());
    let nearest = match (wanted, holds_secret) {
        (Some(wanted), Some(false)) => nearest(wanted, names.iter().map(|(name, _)| *name)).map(str::to_owned),
        _ => None,
    };
    Ok(SecretList {
        seen: page.secrets.len(),
        more: !page.next_page_token.is_empty(),
        holds_secret,
        id: entry.flatten().map(|(_, id)| (*id).to_owned()),
        nearest,
        ..SecretList::default()
    })
}

/// The value of an answer, to be written again.
pub(super) fn value_of(body: &[u8]) -> Result<Zeroizing<Vec<u8>>, String> {
    Ok(Zeroizing::new(checked(body)?.1))
}

/// The version's name and value, and whether a checksum came with it; one that does not fit is an error.
fn checked(body: &[u8]) -> Result<(String, Vec<u8>, bool), String> {
    let no_value = || "the answer is no version of a secret".to_owned();
    let Accessed { name, payload } = serde_json::from_slice(body).map_err(|_| no_value())?;
    let bytes = STANDARD.decode(&payload.data).map_err(|_| no_value())?;
    let checksum = payload.data_crc32c.as_deref().map(str::parse::<i64>);
    match checksum {
        Some(Ok(expected)) if expected == i64::from(CRC32C.checksum(&bytes)) => {}
        Some(_) => return Err("the value does not fit its checksum (dataCrc32c): it was changed on the way".to_owned()),
        None => {}
    }
    Ok((name, bytes, checksum.is_some()))
}

fn accessed(body: &[u8], secret: &SecretRef, asked: &str) -> Result<GoogleSecret, String> {
    let (name, bytes, is_checksummed) = checked(body)?;
    let value = match String::from_utf8(bytes) {
        Ok(text) => SecretValue::text(text),
        Err(error) => SecretValue::binary(error.into_bytes()),
    };
    let reduced = value.reduce(secret.json_key.as_deref());
    let read = SecretRead {
        name: part_of(&name, "secrets").unwrap_or(&secret.name).to_owned(),
        version_id: part_of(&name, "versions").map(str::to_owned),
        id: Some(name),
        stages: Vec::new(),
        created_at: None,
        form: reduced.form,
        fingerprint: reduced.fingerprint,
        variants: reduced.variants,
        guessability: reduced.guessability,
        field: reduced.field,
    };
    Ok(GoogleSecret { read, asked: asked.to_owned(), is_checksummed })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::check::facts::secret::ValueForm;

    fn answer(value: &[u8], checksum: Option<&str>) -> Vec<u8> {
        let name = "projects/123/secrets/db/versions/7";
        let mut payload = json!({ "data": STANDARD.encode(value) });
        if let Some(checksum) = checksum {
            payload["dataCrc32c"] = checksum.into();
        }
        json!({ "name": name, "payload": payload }).to_string().into_bytes()
    }

    fn secret() -> SecretRef {
        SecretRef::parse("db").unwrap()
    }

    #[test]
    fn the_version_behind_latest_is_the_version_and_the_checksum_counts() {
        // The check value of CRC-32C, of the catalogue of parametrised CRC algorithms.
        let right = 0xe306_9283_u32.to_string();
        let read = accessed(&answer(b"123456789", Some(&right)), &secret(), "latest").unwrap();
        assert_eq!((read.read.version_id.as_deref(), read.asked.as_str()), (Some("7"), "latest"));
        assert!(read.is_checksummed && read.read.form == ValueForm::Text);
        let changed = accessed(&answer(b"123456780", Some(&right)), &secret(), "latest").err().unwrap();
        assert!(changed.contains("checksum") && !changed.contains("12345678"), "{changed}");
        assert!(!accessed(&answer(b"123456789", None), &secret(), "7").unwrap().is_checksummed);
        assert_eq!(accessed(&answer(b"\xff\xfe", None), &secret(), "7").unwrap().read.form, ValueForm::Binary);
        assert!(accessed(b"{\"planted\": 1}", &secret(), "7").is_err());
    }

    #[test]
    fn a_list_says_whether_it_has_the_secret() {
        let page = json!({"secrets": [{"name": "projects/123/secrets/db-password"}], "nextPageToken": "t"}).to_string();
        let found = listed(page.as_bytes(), Some("db-password")).unwrap();
        assert_eq!((found.seen, found.more, found.holds_secret), (1, true, Some(true)));
        assert_eq!(found.id.as_deref(), Some("projects/123/secrets/db-password"));
        let other = listed(page.as_bytes(), Some("db_password")).unwrap();
        assert_eq!((other.holds_secret, other.nearest.as_deref()), (Some(false), Some("db-password")));
        assert_eq!(listed(b"{}", None).unwrap().seen, 0);
    }

    #[test]
    fn only_what_a_secret_can_be_called_is_asked_for() {
        assert_eq!(path_part("db_password-1"), Some("db_password-1"));
        for name in ["", "a/b", "a b", "../x", "ä"] {
            assert_eq!(path_part(name), None, "{name}");
        }
    }
}
