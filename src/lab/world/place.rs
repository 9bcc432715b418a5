//! Placeholders in a world: `${issuer}` and its kin, known only once the lab has its ports.

use serde_json::Value;
use time::OffsetDateTime;

use crate::domain::timestamp::rfc3339;

/// What a world cannot know before the lab has started.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Places {
    /// The issuer's URL, without a trailing slash.
    pub issuer: String,
    /// The URLs of Entra, of Graph, of the vault and of the deployment, likewise.
    pub entra: String,
    pub graph: String,
    pub vault: String,
    pub deployment: String,
}

impl Places {
    /// An issuer alone, where the other places do not matter.
    pub fn of_issuer(issuer: &str) -> Self {
        let elsewhere = || issuer.to_owned();
        Places {
            issuer: elsewhere(),
            entra: elsewhere(),
            graph: elsewhere(),
            vault: elsewhere(),
            deployment: elsewhere(),
        }
    }
}

/// Replaces the known placeholders in every text; anything else in `${…}` (an IAM policy variable) stays.
pub(super) fn fill(value: &mut Value, places: &Places) {
    let own = |value: &Value, path: [&str; 2]| {
        value.get(path[0]).and_then(|v| v.get(path[1])).and_then(Value::as_str).unwrap_or_default().to_owned()
    };
    let known = [
        ("${issuer}", places.issuer.clone()),
        ("${issuer-host}", places.issuer.trim_start_matches("https://").to_owned()),
        ("${entra}", places.entra.clone()),
        ("${graph}", places.graph.clone()),
        ("${vault}", places.vault.clone()),
        ("${deployment}", places.deployment.clone()),
        ("${now}", rfc3339(OffsetDateTime::now_utc().unix_timestamp()).unwrap_or_default()),
        ("${tenant}", own(value, ["azure", "tenant-id"])),
        ("${account}", own(value, ["aws", "account"])),
        ("${sub-account}", own(value, ["sub-account", "account"])),
        ("${region}", own(value, ["aws", "region"])),
        ("${organization}", own(value, ["profile", "organization"])),
    ];
    fill_texts(value, &known);
}

fn fill_texts(value: &mut Value, known: &[(&str, String)]) {
    match value {
        Value::String(text) if text.contains("${") => {
            for (placeholder, replacement) in known {
                if text.contains(placeholder) {
                    *text = text.replace(placeholder, replacement);
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| fill_texts(item, known)),
        Value::Object(map) => {
            let keys_too = map.keys().any(|key| key.contains("${"));
            if keys_too {
                *map = std::mem::take(map)
                    .into_iter()
                    .map(|(key, value)| (known.iter().fold(key, |key, (p, r)| key.replace(p, r)), value))
                    .collect();
            }
            map.values_mut().for_each(|value| fill_texts(value, known));
        }
        _ => {}
    }
}
