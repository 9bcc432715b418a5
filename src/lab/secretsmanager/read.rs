//! Reading: `GetSecretValue`, `BatchGetSecretValue`, `DescribeSecret`, `ListSecrets`.

use secrecy::ExposeSecret as _;
use serde_json::{Map, Value, json};

use super::KeyUse;
use super::store::{CURRENT, Secret, SecretValue, Version};
use super::{AwsError, Call, SecretsManager};

impl SecretsManager {
    pub(super) fn get_secret_value(&self, call: &Call<'_>) -> Result<Value, AwsError> {
        let secret = self.admit(call, "GetSecretValue")?;
        not_deleted(&secret)?;
        let (version, value) = choose(&secret, call.text("VersionId"), call.text("VersionStage"))?;
        self.check_key(call, &secret, KeyUse::Decrypt)?;
        Ok(value_answer(&secret, version, value))
    }

    pub(super) fn describe_secret(&self, call: &Call<'_>) -> Result<Value, AwsError> {
        let secret = self.admit(call, "DescribeSecret")?;
        let mut answer = metadata(&secret);
        if let Some(replica) = &secret.replica_of {
            let primary = json!({ "PrimarySecretARN": replica.primary, "ReplicationStatus": replica.status });
            answer.insert("CrossAccountPrimary".into(), primary);
        }
        if !secret.versions.is_empty() {
            answer.insert("VersionIdsToStages".into(), stages_by_version(&secret));
        }
        Ok(Value::Object(answer))
    }
}

/// The answer that carries a version's value.
fn value_answer(secret: &Secret, version: &Version, value: &SecretValue) -> Value {
    let mut answer = json!({
        "ARN": secret.arn,
        "Name": secret.name,
        "VersionId": version.id,
        "VersionStages": version.stages,
        "CreatedDate": version.created,
    });
    match value {
        SecretValue::Text(text) => answer["SecretString"] = text.expose_secret().into(),
        SecretValue::Binary(base64) => answer["SecretBinary"] = base64.expose_secret().into(),
    }
    answer
}

/// The members that `DescribeSecret` and `ListSecrets` share.
pub(super) fn metadata(secret: &Secret) -> Map<String, Value> {
    let mut members = Map::new();
    members.insert("ARN".into(), secret.arn.clone().into());
    members.insert("Name".into(), secret.name.clone().into());
    if let Some(description) = &secret.description {
        members.insert("Description".into(), description.clone().into());
    }
    if let Some(key) = &secret.kms_key {
        members.insert("KmsKeyId".into(), key.clone().into());
    }
    members.insert("LastChangedDate".into(), secret.changed.into());
    if let Some(deleted) = secret.deleted {
        members.insert("DeletedDate".into(), deleted.into());
    }
    if secret.rotation.is_some() {
        members.insert("RotationEnabled".into(), true.into());
    }
    if let Some(rotated) = secret.rotated {
        members.insert("LastRotatedDate".into(), rotated.into());
    }
    members.insert("CreatedDate".into(), secret.created.into());
    members
}

/// Each version that carries a stage, with its stages.
pub(super) fn stages_by_version(secret: &Secret) -> Value {
    let staged = secret.versions.iter().filter(|version| !version.stages.is_empty());
    Value::Object(staged.map(|version| (version.id.clone(), version.stages.clone().into())).collect())
}

/// Most operations refuse a secret in its recovery window.
pub(super) fn not_deleted(secret: &Secret) -> Result<(), AwsError> {
    match secret.deleted {
        None => Ok(()),
        Some(_) => Err(AwsError::new(
            "InvalidRequestException",
            400,
            "You can't perform this operation on the secret because it was marked for deletion.",
        )),
    }
}

/// A replica has the versions of its primary, and takes no others.
pub(super) fn writable(secret: &Secret) -> Result<(), AwsError> {
    not_deleted(secret)?;
    match secret.replica_of {
        None => Ok(()),
        Some(_) => Err(AwsError::new(
            "InvalidRequestException",
            400,
            "Operation not permitted on a replica secret. Call must be made in primary secret's region.",
        )),
    }
}

/// The version that was asked for, by id, by stage, or the current one, and its value.
fn choose<'a>(
    secret: &'a Secret,
    id: Option<&str>,
    stage: Option<&str>,
) -> Result<(&'a Version, &'a SecretValue), AwsError> {
    let missing = |what: String| {
        let message = format!("Secrets Manager can't find the specified secret value for {what}");
        AwsError::new("ResourceNotFoundException", 400, message)
    };
    let (version, what) = match id {
        None => {
            let stage = stage.unwrap_or(CURRENT);
            (secret.staged(stage), format!("staging label: {stage}"))
        }
        Some(id) => (secret.versions.iter().find(|version| version.id == id), format!("VersionId: {id}")),
    };
    let found = version.and_then(|version| Some((version, version.value.as_ref()?)));
    let (version, value) = found.ok_or_else(|| missing(what))?;
    match (id, stage) {
        (Some(_), Some(stage)) if !version.stages.iter().any(|known| known == stage) => Err(AwsError::new(
            "InvalidRequestException",
            400,
            "You provided a VersionStage that is not associated to the provided VersionId.",
        )),
        _ => Ok((version, value)),
    }
}

const PAGE: usize = 100;

impl SecretsManager {
    pub(super) fn list_secrets(&self, call: &Call<'_>) -> Result<Value, AwsError> {
        self.check_unscoped(call, "ListSecrets")?;
        let with_deleted = call.input.get("IncludePlannedDeletion").is_some_and(|value| value == true);
        let filters = filters(call)?;
        let mut secrets = self.store.of_region(call.region);
        secrets.retain(|secret| (with_deleted || secret.deleted.is_none()) && passes_filters(secret, &filters));
        let size = match call.input.get("MaxResults").map(Value::as_u64) {
            None => PAGE,
            Some(Some(size @ 1..=100)) => usize::try_from(size).unwrap_or(PAGE),
            Some(_) => return Err(AwsError::new("InvalidParameterException", 400, "Invalid value for MaxResults.")),
        };
        let start = match call.text("NextToken") {
            None => 0,
            Some(token) => token
                .strip_prefix("from-")
                .and_then(|start| start.parse::<usize>().ok())
                .filter(|start| *start < secrets.len())
                .ok_or_else(|| AwsError::new("InvalidNextTokenException", 400, "Invalid NextToken."))?,
        };
        let listed: Vec<Value> = secrets.iter().skip(start).take(size).map(list_entry).collect();
        let mut answer = json!({ "SecretList": listed });
        if start + size < secrets.len() {
            answer["NextToken"] = format!("from-{}", start + size).into();
        }
        Ok(answer)
    }
}

fn list_entry(secret: &Secret) -> Value {
    let mut entry = metadata(secret);
    if !secret.versions.is_empty() {
        entry.insert("SecretVersionsToStages".into(), stages_by_version(secret));
    }
    entry.insert("Tags".into(), json!([]));
    Value::Object(entry)
}

/// Pairs of a filter's key and its values.
pub(super) fn filters(call: &Call<'_>) -> Result<Vec<(String, Vec<String>)>, AwsError> {
    let wrong = || AwsError::new("InvalidParameterException", 400, "The filter is not valid.");
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
pub(super) fn passes_filters(secret: &Secret, filters: &[(String, Vec<String>)]) -> bool {
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

const MOST: usize = 20;

impl SecretsManager {
    pub(super) fn batch_get_secret_value(&self, call: &Call<'_>) -> Result<Value, AwsError> {
        self.check_unscoped(call, "BatchGetSecretValue")?;
        let ids: Vec<String> = match call.input.get("SecretIdList").and_then(Value::as_array) {
            Some(ids) => ids.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
            None => {
                self.check_unscoped(call, "ListSecrets")?;
                let filters = filters(call)?;
                let secrets = self.store.of_region(call.region).into_iter();
                let listed = secrets.filter(|secret| secret.deleted.is_none() && passes_filters(secret, &filters));
                listed.map(|secret| secret.arn).take(MOST).collect()
            }
        };
        if ids.len() > MOST {
            return Err(AwsError::new("InvalidParameterException", 400, "SecretIdList holds more than 20 secrets."));
        }
        let (mut values, mut errors) = (Vec::new(), Vec::new());
        for id in ids {
            let input = Map::from_iter([("SecretId".to_owned(), Value::from(id.clone()))]);
            let one = Call { caller: call.caller, region: call.region, input: &input };
            match self.get_secret_value(&one) {
                Ok(value) => values.push(value),
                Err(fault) => {
                    errors.push(json!({ "SecretId": id, "ErrorCode": fault.code, "Message": fault.message }));
                }
            }
        }
        Ok(json!({ "SecretValues": values, "Errors": errors }))
    }
}
