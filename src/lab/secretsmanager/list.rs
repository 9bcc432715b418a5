//! `ListSecrets`: what is there, page by page, without what is marked for deletion.

use serde_json::{Value, json};

use super::read::{metadata, stages_by_version};
use super::store::Secret;
use super::{Call, Fault, SecretsManager};

const PAGE: usize = 100;

impl SecretsManager {
    pub(super) fn list_secrets(&self, call: &Call<'_>) -> Result<Value, Fault> {
        self.check_unscoped(call, "ListSecrets")?;
        let with_deleted = call.input.get("IncludePlannedDeletion").is_some_and(|value| value == true);
        let filters = filters(call)?;
        let mut secrets = self.store.of_region(call.region);
        secrets.retain(|secret| (with_deleted || secret.deleted.is_none()) && passes(secret, &filters));
        let size = match call.input.get("MaxResults").map(Value::as_u64) {
            None => PAGE,
            Some(Some(size @ 1..=100)) => usize::try_from(size).unwrap_or(PAGE),
            Some(_) => return Err(Fault::new("InvalidParameterException", 400, "Invalid value for MaxResults.")),
        };
        let start = match call.text("NextToken") {
            None => 0,
            Some(token) => token
                .strip_prefix("from-")
                .and_then(|start| start.parse::<usize>().ok())
                .filter(|start| *start < secrets.len())
                .ok_or_else(|| Fault::new("InvalidNextTokenException", 400, "Invalid NextToken."))?,
        };
        let listed: Vec<Value> = secrets.iter().skip(start).take(size).map(entry).collect();
        let mut answer = json!({ "SecretList": listed });
        if start + size < secrets.len() {
            answer["NextToken"] = format!("from-{}", start + size).into();
        }
        Ok(answer)
    }
}

fn entry(secret: &Secret) -> Value {
    let mut entry = metadata(secret);
    if !secret.versions.is_empty() {
        entry.insert("SecretVersionsToStages".into(), stages_by_version(secret));
    }
    entry.insert("Tags".into(), json!([]));
    Value::Object(entry)
}

/// Pairs of a filter's key and its values.
pub(super) fn filters(call: &Call<'_>) -> Result<Vec<(String, Vec<String>)>, Fault> {
    let wrong = || Fault::new("InvalidParameterException", 400, "The filter is not valid.");
    let Some(filters) = call.input.get("Filters") else { return Ok(Vec::new()) };
    let filters = filters.as_array().ok_or_else(wrong)?;
    filters
        .iter()
        .map(|filter| {
            let key = filter.get("Key").and_then(Value::as_str).ok_or_else(wrong)?;
            let values = filter.get("Values").and_then(Value::as_array).ok_or_else(wrong)?;
            let values = values.iter().filter_map(Value::as_str).map(str::to_owned).collect();
            match key {
                "name" | "all" | "description" => Ok((key.to_owned(), values)),
                _ => Err(wrong()),
            }
        })
        .collect()
}

/// Every filter must be met by one of its values: a prefix, or with `!` in front of it, none of them.
pub(super) fn passes(secret: &Secret, filters: &[(String, Vec<String>)]) -> bool {
    filters.iter().all(|(key, values)| {
        let text = match key.as_str() {
            "description" => secret.description.as_deref().unwrap_or_default(),
            _ => secret.name.as_str(),
        };
        let met = |value: &String| match value.strip_prefix('!') {
            Some(value) => !text.starts_with(value),
            None => text.starts_with(value.as_str()),
        };
        values.iter().any(met)
    })
}
