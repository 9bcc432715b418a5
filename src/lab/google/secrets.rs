//! Secret Manager: lists, reads and changes secrets and their versions. One address stands for the global host and for those of
//! all regions, as an endpoint that a client is told does; a region's own secrets go by names of their own there
//! (<https://cloud.google.com/secret-manager/docs/reference/rest>).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use crc::{CRC_32_ISCSI, Crc};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Map, Value, json};

use super::access::{Asked, GoogleService, page};
use super::audit::Call;
use super::error::GoogleError;
use super::policies;
use super::project::{Project, Resource, Secret, SecretName, Version};
use crate::domain::timestamp::rfc3339;
use crate::lab::world::VersionState;

const NAME: &str = "secretmanager.googleapis.com";
const TITLE: &str = "Secret Manager API";

pub(super) const SERVICE: GoogleService = GoogleService { name: NAME, title: TITLE, scopes: &[], act: recorded };

/// The regions that the service is in, as far as the lab knows some.
const REGIONS: [&str; 5] = ["asia-northeast1", "europe-west1", "europe-west3", "us-central1", "us-east1"];
/// The entries of a page at most.
const PAGE: usize = 25_000;
/// The checksum of values, which also goes by the name of Castagnoli.
const CRC_32C: Crc<u32> = Crc::<u32>::new(&CRC_32_ISCSI);
/// The largest value, bytes.
const LARGEST: usize = 64 * 1024;

impl SecretName {
    /// The name that answers and refusals have, below `projects/NUMBER`.
    pub(super) fn full(&self, project: &str) -> String {
        match &self.location {
            Some(location) => format!("{project}/locations/{location}/secrets/{}", self.id),
            None => format!("{project}/secrets/{}", self.id),
        }
    }
}

/// What a request is for.
struct Wanted<'a> {
    method: &'a str,
    project: &'a str,
    location: Option<&'a str>,
    /// The secret, and one of its versions.
    secret: Option<&'a str>,
    /// `None` of the secret itself, empty of all its versions.
    version: Option<&'a str>,
    verb: &'a str,
}

fn recorded(asked: &Asked<'_>) -> Result<Value, GoogleError> {
    let (method, path, verb) = asked.route();
    if let ("GET", ["projects", named, "locations"], "") = (method, path.as_slice(), verb) {
        return regions(asked, named);
    }
    let (project, location, rest) = match path.as_slice() {
        ["projects", project, "locations", location, rest @ ..] => (*project, Some(*location), rest),
        ["projects", project, rest @ ..] => (*project, None, rest),
        _ => return Err(GoogleError::no_such_method()),
    };
    let (secret, version) = match rest {
        ["secrets"] => (None, None),
        ["secrets", secret] => (Some(*secret), None),
        ["secrets", secret, "versions"] => (Some(*secret), Some("")),
        ["secrets", secret, "versions", version] => (Some(*secret), Some(*version)),
        _ => return Err(GoogleError::no_such_method()),
    };
    let wanted = Wanted { method, project, location, secret, version, verb };
    let outcome = act(asked, &wanted);
    let recorded = match (&wanted.secret, wanted.version, verb) {
        (None, None, "") if method == "GET" => Some("ListSecrets"),
        (Some(_), Some(_), "access") => Some("AccessSecretVersion"),
        _ => None,
    };
    if let Some(name) = recorded {
        let number = asked.cloud.project.now().number.clone();
        let method = match name {
            "ListSecrets" => (NAME, "google.cloud.secretmanager.v1.SecretManagerService.ListSecrets"),
            _ => (NAME, "google.cloud.secretmanager.v1.SecretManagerService.AccessSecretVersion"),
        };
        let principal = asked.caller.principal(&number);
        let resource = path.join("/");
        asked.cloud.audit.called(
            &number,
            &Call { method, resource, principal, refusal: outcome.as_ref().err() },
            asked.now,
        );
    }
    outcome
}

fn act(asked: &Asked<'_>, wanted: &Wanted<'_>) -> Result<Value, GoogleError> {
    let named = |id: &str| SecretName { location: wanted.location.map(str::to_owned), id: id.to_owned() };
    let Some(id) = wanted.secret else {
        return match (wanted.method, wanted.verb) {
            ("GET", "") => list(asked, wanted),
            ("POST", "") => create(asked, wanted),
            _ => Err(GoogleError::no_such_method()),
        };
    };
    let name = named(id);
    if ["getIamPolicy", "setIamPolicy", "testIamPermissions"].contains(&wanted.verb) && wanted.version.is_none() {
        let project = asked.project(wanted.project, "secretmanager.secrets.getIamPolicy")?;
        let exists = project.secrets.contains_key(&name);
        return policies::of(asked, &project, &Resource::Secret(name), exists, "secretmanager.secrets");
    }
    let permission = match (wanted.method, wanted.version, wanted.verb) {
        ("GET", None, "") => "secretmanager.secrets.get",
        ("PATCH", None, "") => "secretmanager.secrets.update",
        ("DELETE", None, "") => "secretmanager.secrets.delete",
        ("POST", None, "addVersion") => "secretmanager.versions.add",
        ("GET", Some(""), "") => "secretmanager.versions.list",
        ("GET", Some(_), "") => "secretmanager.versions.get",
        ("GET", Some(_), "access") => "secretmanager.versions.access",
        ("POST", Some(_), "enable") => "secretmanager.versions.enable",
        ("POST", Some(_), "disable") => "secretmanager.versions.disable",
        ("POST", Some(_), "destroy") => "secretmanager.versions.destroy",
        _ => return Err(GoogleError::no_such_method()),
    };
    let project = asked.project(wanted.project, permission)?;
    let full = name.full(&project.name());
    let at = match wanted.version {
        Some(version) if !version.is_empty() => format!("{full}/versions/{version}"),
        _ => full.clone(),
    };
    asked.must(&project, permission, &Resource::Secret(name.clone()), Some(&at))?;
    let missing = || GoogleError::not_found(format!("Secret [{full}] not found or has no versions."));
    let secret = project.secrets.get(&name).ok_or_else(missing)?;
    match (wanted.verb, wanted.version) {
        ("", None) if wanted.method == "GET" => Ok(secret_json(&full, secret)),
        ("", None) if wanted.method == "DELETE" => {
            asked.cloud.project.change(|project| project.secrets.remove(&name));
            Ok(json!({}))
        }
        ("", None) => update(asked, &name, &full),
        ("addVersion", _) => add_version(asked, &name, &full),
        ("", Some("")) => versions(asked, &full, secret),
        (verb, version) => {
            let number = resolve(secret, version.unwrap_or_default(), &full)?;
            let version = secret.versions.get(number - 1).ok_or_else(missing)?;
            let full = format!("{full}/versions/{number}");
            match verb {
                "" => Ok(version_json(&full, version)),
                "access" => read(&full, version),
                _ => set_state(asked, &name, number, verb, &full),
            }
        }
    }
}

fn regions(asked: &Asked<'_>, named: &str) -> Result<Value, GoogleError> {
    let permission = "secretmanager.locations.list";
    let project = asked.project(named, permission)?;
    asked.must(&project, permission, &Resource::Project, None)?;
    let one = |id: &&str| json!({ "name": format!("{}/locations/{id}", project.name()), "locationId": id });
    Ok(json!({ "locations": REGIONS.iter().map(one).collect::<Vec<_>>() }))
}

fn list(asked: &Asked<'_>, wanted: &Wanted<'_>) -> Result<Value, GoogleError> {
    let permission = "secretmanager.secrets.list";
    let project = asked.project(wanted.project, permission)?;
    asked.must(&project, permission, &Resource::Project, None)?;
    // Of Google's filters it knows the one by a part of the name.
    let part = match asked.parameter("filter").filter(|filter| !filter.is_empty()) {
        Some(filter) => match filter.strip_prefix("name:") {
            Some(part) => part.trim_matches('"').to_owned(),
            None => return Err(GoogleError::invalid(format!("Invalid filter: {filter}"))),
        },
        None => String::new(),
    };
    let is_here = |name: &SecretName| name.location.as_deref() == wanted.location;
    let found: Vec<Value> = project
        .secrets
        .iter()
        .filter(|(name, _)| is_here(name) && name.id.contains(&part))
        .map(|(name, secret)| secret_json(&name.full(&project.name()), secret))
        .collect();
    let total = found.len();
    let (found, next) = page(asked, found, PAGE)?;
    let mut answer = json!({ "totalSize": total });
    if !found.is_empty() {
        answer["secrets"] = found.into();
    }
    if let Some(next) = next {
        answer["nextPageToken"] = next.into();
    }
    Ok(answer)
}

fn create(asked: &Asked<'_>, wanted: &Wanted<'_>) -> Result<Value, GoogleError> {
    let permission = "secretmanager.secrets.create";
    let project = asked.project(wanted.project, permission)?;
    asked.must(&project, permission, &Resource::Project, None)?;
    let id = asked.parameter("secretId").unwrap_or_default();
    let usual = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    if id.is_empty() || id.len() > 255 || !id.chars().all(usual) {
        return Err(GoogleError::invalid(format!(
            "The provided Secret ID [{id}] does not match the expected format [[a-zA-Z_0-9]+]"
        )));
    }
    let body = asked.body()?;
    let replication = body.get("replication").cloned();
    if wanted.location.is_none() && replication.is_none() {
        return Err(GoogleError::invalid("The replication policy must be set."));
    }
    let name = SecretName { location: wanted.location.map(str::to_owned), id };
    let full = name.full(&project.name());
    let secret = Secret {
        created: asked.now,
        versions: Vec::new(),
        aliases: std::collections::BTreeMap::new(),
        labels: body.get("labels").and_then(Value::as_object).cloned().unwrap_or_default(),
        replication: replication.unwrap_or_else(|| json!({})),
    };
    let answer = secret_json(&full, &secret);
    asked.cloud.project.change(|project| match project.secrets.contains_key(&name) {
        true => Err(GoogleError::exists(format!("Secret [{full}] already exists."))),
        false => {
            project.secrets.insert(name, secret);
            Ok(answer)
        }
    })
}

fn update(asked: &Asked<'_>, name: &SecretName, full: &str) -> Result<Value, GoogleError> {
    let body = asked.body()?;
    let mask = asked.parameter("updateMask").unwrap_or_default();
    asked.cloud.project.change(|project| {
        let secret = held(project, name, full)?;
        for field in mask.split(',') {
            match field {
                "labels" => secret.labels = body.get("labels").and_then(Value::as_object).cloned().unwrap_or_default(),
                "version_aliases" | "versionAliases" => {
                    let given = body.get("versionAliases").and_then(Value::as_object).cloned().unwrap_or_default();
                    secret.aliases = aliases(&given)?;
                }
                other => return Err(GoogleError::invalid(format!("Invalid field mask: {other}"))),
            }
        }
        Ok(secret_json(full, secret))
    })
}

/// Numbers come as texts, as all of Google's 64-bit ones do, and as numbers.
fn aliases(given: &Map<String, Value>) -> Result<std::collections::BTreeMap<String, u64>, GoogleError> {
    let number = |value: &Value| value.as_u64().or_else(|| value.as_str()?.parse().ok());
    given
        .iter()
        .map(|(alias, value)| Some((alias.clone(), number(value)?)))
        .collect::<Option<_>>()
        .ok_or_else(|| GoogleError::invalid("Invalid value at 'secret.version_aliases'"))
}

fn held<'p>(project: &'p mut Project, name: &SecretName, full: &str) -> Result<&'p mut Secret, GoogleError> {
    let missing = || GoogleError::not_found(format!("Secret [{full}] not found or has no versions."));
    project.secrets.get_mut(name).ok_or_else(missing)
}

fn add_version(asked: &Asked<'_>, name: &SecretName, full: &str) -> Result<Value, GoogleError> {
    let body = asked.body()?;
    let data = body["payload"]["data"].as_str().unwrap_or_default();
    let bytes = STANDARD
        .decode(data)
        .map_err(|_| GoogleError::invalid("Invalid value at 'payload.data' (TYPE_BYTES), Base64 decoding failed"))?;
    if bytes.len() > LARGEST {
        return Err(GoogleError::invalid("The secret payload size exceeds the maximum of 65536 bytes."));
    }
    let given = &body["payload"]["dataCrc32c"];
    let sum = given.as_str().map(str::to_owned).or_else(|| given.as_u64().map(|sum| sum.to_string()));
    if sum.as_ref().is_some_and(|sum| *sum != checksum(&bytes)) {
        return Err(GoogleError::invalid("The checksum of the payload does not match the provided data_crc32c."));
    }
    let value = String::from_utf8(bytes)
        .map_err(|_| GoogleError::invalid("The lab keeps texts alone; this value is not UTF-8."))?;
    asked.cloud.project.change(|project| {
        let secret = held(project, name, full)?;
        let version = Version {
            value: Some(SecretString::from(value)),
            state: VersionState::Enabled,
            created: asked.now,
            is_checked: sum.is_some(),
        };
        let answer = version_json(&format!("{full}/versions/{}", secret.versions.len() + 1), &version);
        secret.versions.push(version);
        Ok(answer)
    })
}

fn versions(asked: &Asked<'_>, full: &str, secret: &Secret) -> Result<Value, GoogleError> {
    let numbered = secret.versions.iter().enumerate().rev();
    let all: Vec<Value> =
        numbered.map(|(at, version)| version_json(&format!("{full}/versions/{}", at + 1), version)).collect();
    let total = all.len();
    let (all, next) = page(asked, all, PAGE)?;
    let mut answer = json!({ "versions": all, "totalSize": total });
    if let Some(next) = next {
        answer["nextPageToken"] = next.into();
    }
    Ok(answer)
}

/// The number behind `latest`, which is the newest version whatever its state, behind an alias, or the number itself.
fn resolve(secret: &Secret, version: &str, full: &str) -> Result<usize, GoogleError> {
    if secret.versions.is_empty() {
        return Err(GoogleError::not_found(format!("Secret [{full}] not found or has no versions.")));
    }
    let number = match version {
        "latest" => Some(secret.versions.len()),
        other => match secret.aliases.get(other) {
            Some(number) => usize::try_from(*number).ok(),
            None => other.parse().ok(),
        },
    };
    number
        .filter(|number| (1..=secret.versions.len()).contains(number))
        .ok_or_else(|| GoogleError::not_found(format!("Secret Version [{full}/versions/{version}] not found.")))
}

fn read(full: &str, version: &Version) -> Result<Value, GoogleError> {
    match (&version.value, version.state) {
        (Some(value), VersionState::Enabled) => {
            let bytes = value.expose_secret().as_bytes();
            let payload = json!({ "data": STANDARD.encode(bytes), "dataCrc32c": checksum(bytes) });
            Ok(json!({ "name": full, "payload": payload }))
        }
        (_, state) => Err(in_state(full, state)),
    }
}

fn in_state(full: &str, state: VersionState) -> GoogleError {
    GoogleError::precondition(format!("Secret Version [{full}] is in {} state.", state.word()))
}

fn set_state(
    asked: &Asked<'_>,
    name: &SecretName,
    number: usize,
    verb: &str,
    full: &str,
) -> Result<Value, GoogleError> {
    asked.cloud.project.change(|project| {
        let secret = held(project, name, full)?;
        let missing = || GoogleError::not_found(format!("Secret Version [{full}] not found."));
        let version = secret.versions.get_mut(number - 1).ok_or_else(missing)?;
        if version.state == VersionState::Destroyed {
            return Err(in_state(full, version.state));
        }
        match verb {
            "enable" => version.state = VersionState::Enabled,
            "disable" => version.state = VersionState::Disabled,
            _ => {
                version.state = VersionState::Destroyed;
                version.value = None;
            }
        }
        Ok(version_json(full, version))
    })
}

/// A 64-bit number, which Google's JSON has as a text.
fn checksum(bytes: &[u8]) -> String {
    CRC_32C.checksum(bytes).to_string()
}

fn secret_json(full: &str, secret: &Secret) -> Value {
    let mut json = json!({ "name": full, "createTime": rfc3339(secret.created), "etag": etag(secret.versions.len()) });
    if secret.replication.as_object().is_some_and(|replication| !replication.is_empty()) {
        json["replication"] = secret.replication.clone();
    }
    if !secret.labels.is_empty() {
        json["labels"] = secret.labels.clone().into();
    }
    if !secret.aliases.is_empty() {
        let numbers = secret.aliases.iter().map(|(alias, number)| (alias.clone(), Value::String(number.to_string())));
        json["versionAliases"] = Value::Object(numbers.collect());
    }
    json
}

fn version_json(full: &str, version: &Version) -> Value {
    let mut json = json!({
        "name": full,
        "createTime": rfc3339(version.created),
        "state": version.state.word(),
        "replicationStatus": { "automatic": {} },
        "etag": etag(full.len()),
    });
    if version.is_checked {
        json["clientSpecifiedPayloadChecksum"] = true.into();
    }
    json
}

fn etag(of: usize) -> String {
    format!("\"{of:x}\"")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret(states: &[VersionState]) -> Secret {
        let version =
            |state: &VersionState| Version { value: Some("v".into()), state: *state, created: 0, is_checked: false };
        Secret {
            created: 0,
            versions: states.iter().map(version).collect(),
            aliases: [("live".to_owned(), 1), ("gone".to_owned(), 9)].into(),
            labels: Map::new(),
            replication: json!({ "automatic": {} }),
        }
    }

    #[test]
    fn latest_is_the_newest_version_whatever_its_state() {
        let full = "projects/1/secrets/s";
        let two = secret(&[VersionState::Enabled, VersionState::Disabled]);
        for (version, expected) in [
            ("latest", Ok(2)),
            ("1", Ok(1)),
            ("live", Ok(1)),
            ("3", Err("Secret Version [projects/1/secrets/s/versions/3] not found.")),
            ("gone", Err("Secret Version [projects/1/secrets/s/versions/gone] not found.")),
            ("other", Err("Secret Version [projects/1/secrets/s/versions/other] not found.")),
        ] {
            let found = resolve(&two, version, full).map_err(|refusal| refusal.message);
            assert_eq!(found, expected.map_err(str::to_owned), "{version}");
        }
        let refusal = read("projects/1/secrets/s/versions/2", &two.versions[1]).unwrap_err();
        assert_eq!(refusal.message, "Secret Version [projects/1/secrets/s/versions/2] is in DISABLED state.");
        let empty = resolve(&secret(&[]), "latest", full).unwrap_err();
        assert_eq!(empty.message, "Secret [projects/1/secrets/s] not found or has no versions.");
    }

    #[test]
    fn a_value_comes_with_its_checksum() {
        // The check value of CRC-32C (RFC 3720, appendix B.4, has the polynomial).
        assert_eq!(checksum(b"123456789"), 0xe306_9283_u32.to_string());
        let answer = read(
            "n",
            &Version { value: Some("123456789".into()), state: VersionState::Enabled, created: 0, is_checked: false },
        );
        assert_eq!(answer.unwrap()["payload"], json!({ "data": "MTIzNDU2Nzg5", "dataCrc32c": "3808858755" }));
    }
}
