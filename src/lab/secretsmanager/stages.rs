//! Versions and their staging labels: `ListSecretVersionIds` and `UpdateSecretVersionStage`.

use serde_json::{Value, json};

use super::read::not_deleted;
use super::store::{CURRENT, Secret, Version};
use super::{Call, Fault, SecretsManager};

impl SecretsManager {
    /// Every version with a label, and on request those without.
    pub(super) fn list_secret_version_ids(&self, call: &Call<'_>) -> Result<Value, Fault> {
        let secret = self.admit(call, "ListSecretVersionIds")?;
        let all = call.input.get("IncludeDeprecated").is_some_and(|value| value == true);
        let listed = secret.versions.iter().filter(|version| all || !version.stages.is_empty());
        let versions: Vec<Value> = listed.map(|version| entry(&secret, version)).collect();
        Ok(json!({ "ARN": secret.arn, "Name": secret.name, "Versions": versions }))
    }

    /// Moves a label to a version, or takes it away. Where a version has it, the caller must say which.
    pub(super) fn update_secret_version_stage(&self, call: &Call<'_>) -> Result<Value, Fault> {
        let secret = self.admit(call, "UpdateSecretVersionStage")?;
        not_deleted(&secret)?;
        let stage = call.required("VersionStage")?;
        let (to, from) = (call.text("MoveToVersionId"), call.text("RemoveFromVersionId"));
        let invalid = |message: String| Err(Fault::new("InvalidParameterException", 400, message));
        match secret.staged(stage).map(|version| version.id.as_str()) {
            Some(holder) if from != Some(holder) => {
                return invalid(format!(
                    "The parameter RemoveFromVersionId can't be empty. Staging label {stage} is currently attached to \
                     version {holder}, so you must explicitly reference that version in RemoveFromVersionId."
                ));
            }
            None if from.is_some() => {
                return invalid(format!(
                    "Staging label {stage} is not attached to the version in RemoveFromVersionId."
                ));
            }
            _ => {}
        }
        let Some(to) = to else {
            if stage == CURRENT {
                return invalid(format!("You can't remove the staging label {CURRENT}; move it to another version."));
            }
            self.store.change(&secret.arn, |secret| secret.remove_stage(stage));
            return Ok(json!({ "ARN": secret.arn, "Name": secret.name }));
        };
        if !secret.versions.iter().any(|version| version.id == to) {
            let message = format!("Secrets Manager can't find the specified secret value for VersionId: {to}");
            return Err(Fault::new("ResourceNotFoundException", 400, message));
        }
        self.store.change(&secret.arn, |secret| secret.move_stages(to, &[stage.to_owned()]));
        Ok(json!({ "ARN": secret.arn, "Name": secret.name }))
    }
}

fn entry(secret: &Secret, version: &Version) -> Value {
    let mut entry = json!({ "VersionId": version.id, "CreatedDate": version.created });
    if !version.stages.is_empty() {
        entry["VersionStages"] = version.stages.clone().into();
    }
    if let Some(key) = &secret.kms_key {
        entry["KmsKeyIds"] = json!([key]);
    }
    entry
}
