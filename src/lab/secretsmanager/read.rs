//! Reading: `GetSecretValue` and `DescribeSecret`.

use secrecy::ExposeSecret as _;
use serde_json::{Map, Value as Json, json};

use super::authorize::KeyUse;
use super::store::{CURRENT, Secret, Value, Version};
use super::{Call, Fault, SecretsManager};

impl SecretsManager {
    pub(super) fn get_secret_value(&self, call: &Call<'_>) -> Result<Json, Fault> {
        let secret = self.admit(call, "GetSecretValue")?;
        not_deleted(&secret)?;
        let (version, value) = choose(&secret, call.text("VersionId"), call.text("VersionStage"))?;
        self.check_key(call, &secret, KeyUse::Decrypt)?;
        Ok(value_answer(&secret, version, value))
    }

    pub(super) fn describe_secret(&self, call: &Call<'_>) -> Result<Json, Fault> {
        let secret = self.admit(call, "DescribeSecret")?;
        let mut answer = metadata(&secret);
        if !secret.versions.is_empty() {
            answer.insert("VersionIdsToStages".into(), stages_by_version(&secret));
        }
        Ok(Json::Object(answer))
    }
}

/// The answer that carries a version's value.
fn value_answer(secret: &Secret, version: &Version, value: &Value) -> Json {
    let mut answer = json!({
        "ARN": secret.arn,
        "Name": secret.name,
        "VersionId": version.id,
        "VersionStages": version.stages,
        "CreatedDate": version.created,
    });
    match value {
        Value::Text(text) => answer["SecretString"] = text.expose_secret().into(),
        Value::Binary(base64) => answer["SecretBinary"] = base64.expose_secret().into(),
    }
    answer
}

/// The members that `DescribeSecret` and `ListSecrets` share.
pub(super) fn metadata(secret: &Secret) -> Map<String, Json> {
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
pub(super) fn stages_by_version(secret: &Secret) -> Json {
    let staged = secret.versions.iter().filter(|version| !version.stages.is_empty());
    Json::Object(staged.map(|version| (version.id.clone(), version.stages.clone().into())).collect())
}

/// Most operations refuse a secret in its recovery window.
pub(super) fn not_deleted(secret: &Secret) -> Result<(), Fault> {
    match secret.deleted {
        None => Ok(()),
        Some(_) => Err(Fault::new(
            "InvalidRequestException",
            400,
            "You can't perform this operation on the secret because it was marked for deletion.",
        )),
    }
}

/// The version that was asked for, by id, by stage, or the current one, and its value.
fn choose<'a>(secret: &'a Secret, id: Option<&str>, stage: Option<&str>) -> Result<(&'a Version, &'a Value), Fault> {
    let missing = |what: String| {
        let message = format!("Secrets Manager can't find the specified secret value for {what}");
        Fault::new("ResourceNotFoundException", 400, message)
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
        (Some(_), Some(stage)) if !version.stages.iter().any(|known| known == stage) => Err(Fault::new(
            "InvalidRequestException",
            400,
            "You provided a VersionStage that is not associated to the provided VersionId.",
        )),
        _ => Ok((version, value)),
    }
}
