//! Rotation by a function: `RotateSecret`, `CancelRotateSecret`, and the passwords it makes (`GetRandomPassword`).

use secrecy::SecretString;
use serde_json::{Value, json};

use super::read::not_deleted;
use super::store::{CURRENT, PENDING, SecretValue, Version, now};
use super::{AwsError, Call, SecretsManager};
use crate::lab::keys::{random_text, random_uuid};
use crate::lab::world::RotationFunction;

const UPPER: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
const LOWER: &str = "abcdefghijklmnopqrstuvwxyz";
const DIGITS: &str = "0123456789";
const PUNCTUATION: &str = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~";
const DEFAULT_LENGTH: usize = 32;

impl SecretsManager {
    /// Has the secret's function make a new version, at once. A function that fails leaves its version pending.
    pub(super) fn rotate_secret(&self, call: &Call<'_>) -> Result<Value, AwsError> {
        let secret = self.admit(call, "RotateSecret")?;
        not_deleted(&secret)?;
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
        not_deleted(&secret)?;
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
