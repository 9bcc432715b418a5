//! Writing: a secret's values, versions and staging labels, its deletion and restoration.

use std::collections::BTreeMap;

use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Value, json};

use super::KeyUse;
use super::read::{not_deleted, writable};
use super::store::{CURRENT, PENDING, Secret, SecretValue, Version, now};
use super::{AwsError, Call, SecretsManager};
use crate::lab::keys::{random_text, random_uuid};
use crate::lab::world::RotationFunction;

const LARGEST_VALUE: usize = 65_536;
const DAY: f64 = 86_400.0;

impl SecretsManager {
    pub(super) fn create_secret(&self, call: &Call<'_>) -> Result<Value, AwsError> {
        let name = call.required("Name")?;
        let allowed = |c: char| c.is_ascii_alphanumeric() || "/_+=.@-".contains(c);
        if name.len() > 512 || !name.chars().all(allowed) {
            return Err(AwsError::new(
                "ValidationException",
                400,
                "Invalid name. Must be a valid name containing alphanumeric characters, or any of the following: \
                 -/_+=.@!",
            ));
        }
        self.check_creation(call, name)?;
        if let Some(taken) = self.store.find(call.region, name) {
            return Err(match taken.deleted {
                Some(_) => AwsError::new(
                    "InvalidRequestException",
                    400,
                    "You can't create this secret because a secret with this name is already scheduled for deletion.",
                ),
                None => AwsError::new(
                    "ResourceExistsException",
                    400,
                    format!("The operation failed because the secret {name} already exists."),
                ),
            });
        }
        let mut secret = Secret {
            name: name.to_owned(),
            region: call.region.to_owned(),
            arn: String::new(),
            description: call.text("Description").map(str::to_owned),
            kms_key: self.customer_key(call),
            versions: Vec::new(),
            created: now(),
            changed: now(),
            deleted: None,
            resource_policies: BTreeMap::new(),
            replica_of: None,
            rotation: None,
            rotated: None,
        };
        let mut answer = json!({ "Name": name });
        if let Some(value) = value(call)? {
            self.check_key(call, &secret, KeyUse::GenerateDataKey)?;
            let id = version_id(call)?;
            answer["VersionId"] = id.clone().into();
            secret.versions.push(Version { id, stages: vec![CURRENT.to_owned()], value: Some(value), created: now() });
        }
        answer["ARN"] = self.store.add(secret)?.arn.into();
        Ok(answer)
    }

    pub(super) fn put_secret_value(&self, call: &Call<'_>) -> Result<Value, AwsError> {
        let secret = self.admit(call, "PutSecretValue")?;
        writable(&secret)?;
        let Some(value) = value(call)? else {
            return Err(AwsError::new(
                "InvalidRequestException",
                400,
                "You must provide either SecretString or SecretBinary.",
            ));
        };
        self.check_key(call, &secret, KeyUse::GenerateDataKey)?;
        let stages = match call.input.get("VersionStages").and_then(Value::as_array) {
            None => vec![CURRENT.to_owned()],
            Some(stages) => stages.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        };
        let id = version_id(call)?;
        match secret.versions.iter().find(|version| version.id == id) {
            Some(Version { value: Some(known), .. }) if !same(known, &value) => return Err(token_in_use(&id, &secret)),
            Some(_) => {
                self.store.change(&secret.arn, |secret| {
                    // A rotation's version may be there and wait for its value.
                    if let Some(version) = secret.versions.iter_mut().find(|version| version.id == id) {
                        version.value = Some(value);
                    }
                    secret.move_stages(&id, &stages);
                });
            }
            None => self.add_version(&secret, &id, value, &stages),
        }
        let stages = self.stages_of(&secret, &id);
        Ok(json!({ "ARN": secret.arn, "Name": secret.name, "VersionId": id, "VersionStages": stages }))
    }

    pub(super) fn update_secret(&self, call: &Call<'_>) -> Result<Value, AwsError> {
        let secret = self.admit(call, "UpdateSecret")?;
        writable(&secret)?;
        let value = value(call)?;
        let mut answer = json!({ "ARN": secret.arn, "Name": secret.name });
        if let Some(value) = value {
            self.check_key(call, &secret, KeyUse::GenerateDataKey)?;
            let id = version_id(call)?;
            if secret.versions.iter().any(|version| version.id == id) {
                return Err(token_in_use(&id, &secret));
            }
            self.add_version(&secret, &id, value, &[CURRENT.to_owned()]);
            answer["VersionId"] = id.into();
        }
        let description = call.text("Description").map(str::to_owned);
        let key = call.input.contains_key("KmsKeyId").then(|| self.customer_key(call));
        self.store.change(&secret.arn, |secret| {
            secret.description = description.or(secret.description.take());
            if let Some(key) = key {
                secret.kms_key = key;
            }
            secret.changed = now();
        });
        Ok(answer)
    }

    pub(super) fn delete_secret(&self, call: &Call<'_>) -> Result<Value, AwsError> {
        let secret = self.admit(call, "DeleteSecret")?;
        let at_once = call.input.get("ForceDeleteWithoutRecovery").is_some_and(|value| value == true);
        let window = match call.input.get("RecoveryWindowInDays").map(Value::as_i64) {
            Some(_) if at_once => {
                return Err(AwsError::new(
                    "InvalidParameterException",
                    400,
                    "You can't use ForceDeleteWithoutRecovery in conjunction with RecoveryWindowInDays.",
                ));
            }
            None => 30,
            Some(Some(days @ 7..=30)) => days,
            Some(_) => {
                return Err(AwsError::new(
                    "InvalidParameterException",
                    400,
                    "The RecoveryWindowInDays value must be between 7 and 30 days (inclusive).",
                ));
            }
        };
        if at_once {
            self.store.remove(&secret.arn);
            return Ok(json!({ "ARN": secret.arn, "Name": secret.name, "DeletionDate": now() }));
        }
        not_deleted(&secret)?;
        let marked = now();
        self.store.change(&secret.arn, |secret| secret.deleted = Some(marked));
        let days = f64::from(i32::try_from(window).unwrap_or(30));
        Ok(json!({ "ARN": secret.arn, "Name": secret.name, "DeletionDate": marked + days * DAY }))
    }

    pub(super) fn restore_secret(&self, call: &Call<'_>) -> Result<Value, AwsError> {
        let secret = self.admit(call, "RestoreSecret")?;
        self.store.change(&secret.arn, |secret| secret.deleted = None);
        Ok(json!({ "ARN": secret.arn, "Name": secret.name }))
    }

    /// A secret that is to be made has no resource yet, only the ARN it would have.
    fn check_creation(&self, call: &Call<'_>, name: &str) -> Result<(), AwsError> {
        let mut input = call.input.clone();
        input.insert("SecretId".into(), name.into());
        let call = Call { caller: call.caller, region: call.region, input: &input };
        match self.admit(&call, "CreateSecret") {
            Err(fault) if fault.code == "ResourceNotFoundException" => Ok(()),
            outcome => outcome.map(drop),
        }
    }

    fn add_version(&self, secret: &Secret, id: &str, value: SecretValue, stages: &[String]) {
        let version = Version { id: id.to_owned(), stages: Vec::new(), value: Some(value), created: now() };
        self.store.change(&secret.arn, |secret| {
            secret.versions.push(version);
            secret.move_stages(id, stages);
        });
    }

    fn stages_of(&self, secret: &Secret, id: &str) -> Vec<String> {
        let found = self.store.find(&secret.region, &secret.arn);
        let version = found.and_then(|secret| secret.versions.into_iter().find(|version| version.id == id));
        version.map(|version| version.stages).unwrap_or_default()
    }

    /// The ARN of the customer key that the call names by id, ARN or world name; none for the default key.
    fn customer_key(&self, call: &Call<'_>) -> Option<String> {
        let wanted = call.text("KmsKeyId")?;
        let world = self.account.world();
        let (_, key) = world.keys.iter().find(|(name, key)| wanted.ends_with(&key.id) || wanted == name.as_str())?;
        let region = key.region.as_ref().unwrap_or(&world.region);
        Some(format!("arn:aws:kms:{region}:{}:key/{}", world.account, key.id))
    }
}

/// The value in the call: text or bytes, not both, and not too large.
fn value(call: &Call<'_>) -> Result<Option<SecretValue>, AwsError> {
    let value = match (call.text("SecretString"), call.text("SecretBinary")) {
        (Some(_), Some(_)) => {
            return Err(AwsError::new(
                "InvalidParameterException",
                400,
                "You can't specify both a binary secret value and a string secret value in the same secret.",
            ));
        }
        (Some(text), None) => SecretValue::Text(SecretString::from(text.to_owned())),
        (None, Some(base64)) => SecretValue::Binary(SecretString::from(base64.to_owned())),
        (None, None) => return Ok(None),
    };
    let (SecretValue::Text(text) | SecretValue::Binary(text)) = &value;
    if text.expose_secret().len() > LARGEST_VALUE {
        return Err(AwsError::new(
            "ValidationException",
            400,
            "1 validation error detected: SecretValue at 'secretString' failed to satisfy constraint: \
             Member must have length less than or equal to 65536",
        ));
    }
    Ok(Some(value))
}

/// The caller's request token becomes the version's id.
fn version_id(call: &Call<'_>) -> Result<String, AwsError> {
    match call.text("ClientRequestToken") {
        None => Ok(random_uuid()),
        Some(token) if (32..=64).contains(&token.len()) => Ok(token.to_owned()),
        Some(_) => {
            Err(AwsError::new("InvalidParameterException", 400, "ClientRequestToken must be 32-64 characters long."))
        }
    }
}

fn token_in_use(id: &str, secret: &Secret) -> AwsError {
    let message = format!(
        "You can't use ClientRequestToken {id} because that value is already in use for a version of secret {}.",
        secret.arn
    );
    AwsError::new("ResourceExistsException", 400, message)
}

fn same(a: &SecretValue, b: &SecretValue) -> bool {
    match (a, b) {
        (SecretValue::Text(a), SecretValue::Text(b)) | (SecretValue::Binary(a), SecretValue::Binary(b)) => {
            a.expose_secret() == b.expose_secret()
        }
        _ => false,
    }
}

impl SecretsManager {
    /// Every version with a label, and on request those without.
    pub(super) fn list_secret_version_ids(&self, call: &Call<'_>) -> Result<Value, AwsError> {
        let secret = self.admit(call, "ListSecretVersionIds")?;
        let all = call.input.get("IncludeDeprecated").is_some_and(|value| value == true);
        let listed = secret.versions.iter().filter(|version| all || !version.stages.is_empty());
        let versions: Vec<Value> = listed.map(|version| version_entry(&secret, version)).collect();
        Ok(json!({ "ARN": secret.arn, "Name": secret.name, "Versions": versions }))
    }

    /// Moves a label to a version, or takes it away. Where a version has it, the caller must say which.
    pub(super) fn update_secret_version_stage(&self, call: &Call<'_>) -> Result<Value, AwsError> {
        let secret = self.admit(call, "UpdateSecretVersionStage")?;
        writable(&secret)?;
        let stage = call.required("VersionStage")?;
        let (to, from) = (call.text("MoveToVersionId"), call.text("RemoveFromVersionId"));
        let invalid = |message: String| Err(AwsError::new("InvalidParameterException", 400, message));
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
            return Err(AwsError::new("ResourceNotFoundException", 400, message));
        }
        self.store.change(&secret.arn, |secret| secret.move_stages(to, &[stage.to_owned()]));
        Ok(json!({ "ARN": secret.arn, "Name": secret.name }))
    }
}

fn version_entry(secret: &Secret, version: &Version) -> Value {
    let mut entry = json!({ "VersionId": version.id, "CreatedDate": version.created });
    if !version.stages.is_empty() {
        entry["VersionStages"] = version.stages.clone().into();
    }
    if let Some(key) = &secret.kms_key {
        entry["KmsKeyIds"] = json!([key]);
    }
    entry
}

const UPPER: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
const LOWER: &str = "abcdefghijklmnopqrstuvwxyz";
const DIGITS: &str = "0123456789";
const PUNCTUATION: &str = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~";
const DEFAULT_LENGTH: usize = 32;

impl SecretsManager {
    /// Has the secret's function make a new version, at once. A function that fails leaves its version pending.
    pub(super) fn rotate_secret(&self, call: &Call<'_>) -> Result<Value, AwsError> {
        let secret = self.admit(call, "RotateSecret")?;
        writable(&secret)?;
        let refused = |message: &str| Err(AwsError::new("InvalidRequestException", 400, message));
        let unfinished =
            secret.staged(PENDING).is_some_and(|version| !version.stages.iter().any(|stage| stage == CURRENT));
        if unfinished {
            return refused("A previous rotation isn't complete. That rotation will be reattempted.");
        }
        let Some(function) = secret.rotation else {
            return refused("No Lambda rotation function ARN is associated with this secret.");
        };
        let id = call.text("ClientRequestToken").map_or_else(random_uuid, str::to_owned);
        let mut version = Version { id: id.clone(), stages: Vec::new(), value: None, created: now() };
        let (stage, value) = match function {
            RotationFunction::Fails => (PENDING, None),
            RotationFunction::Works => (CURRENT, Some(SecretValue::Text(password()?))),
        };
        version.value = value;
        self.store.change(&secret.arn, |secret| {
            secret.versions.push(version);
            secret.move_stages(&id, &[stage.to_owned()]);
            secret.rotated = (stage == CURRENT).then(now).or(secret.rotated);
        });
        Ok(json!({ "ARN": secret.arn, "Name": secret.name, "VersionId": id }))
    }

    /// Turns rotation off. A pending version stays as it is.
    pub(super) fn cancel_rotate_secret(&self, call: &Call<'_>) -> Result<Value, AwsError> {
        let secret = self.admit(call, "CancelRotateSecret")?;
        writable(&secret)?;
        self.store.change(&secret.arn, |secret| secret.rotation = None);
        let mut answer = json!({ "ARN": secret.arn, "Name": secret.name });
        if let Some(pending) = secret.staged(PENDING) {
            answer["VersionId"] = pending.id.clone().into();
        }
        Ok(answer)
    }

    pub(super) fn get_random_password(&self, call: &Call<'_>) -> Result<Value, AwsError> {
        self.check_unscoped(call, "GetRandomPassword")?;
        let invalid = |message: &str| AwsError::new("InvalidParameterException", 400, message);
        let length = match call.input.get("PasswordLength").map(Value::as_u64) {
            None => DEFAULT_LENGTH,
            Some(Some(length @ 1..=4096)) => usize::try_from(length).unwrap_or(DEFAULT_LENGTH),
            Some(_) => return Err(invalid("PasswordLength must be between 1 and 4096.")),
        };
        let set = |name: &str| call.input.get(name).is_some_and(|value| value == true);
        let excluded = call.text("ExcludeCharacters").unwrap_or_default();
        let kinds = [
            (UPPER, !set("ExcludeUppercase")),
            (LOWER, !set("ExcludeLowercase")),
            (DIGITS, !set("ExcludeNumbers")),
            (PUNCTUATION, !set("ExcludePunctuation")),
            (" ", set("IncludeSpace")),
        ];
        let included = kinds.into_iter().filter(|(_, included)| *included).map(|(kind, _)| kind);
        let alphabet: String = included.flat_map(str::chars).filter(|c| !excluded.contains(*c)).collect();
        if alphabet.is_empty() {
            return Err(invalid("The password has no characters to be made of."));
        }
        let text = random_text(length, alphabet.as_bytes()).map_err(|error| AwsError::internal(error.to_string()))?;
        Ok(json!({ "RandomPassword": text }))
    }
}

/// What the function puts into a new version.
fn password() -> Result<SecretString, AwsError> {
    let alphabet = [UPPER, LOWER, DIGITS].concat();
    let text =
        random_text(DEFAULT_LENGTH, alphabet.as_bytes()).map_err(|error| AwsError::internal(error.to_string()))?;
    Ok(SecretString::from(text))
}
