//! The secrets and their versions.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::UNIX_EPOCH;

use secrecy::SecretString;

use super::AwsError;
use crate::lab::keys::{random_text, random_uuid};
use crate::lab::server;
use crate::lab::world::{AwsWorld, Replica, RotationFunction};

pub(super) const CURRENT: &str = "AWSCURRENT";
pub(super) const PREVIOUS: &str = "AWSPREVIOUS";
pub(super) const PENDING: &str = "AWSPENDING";
const DAY: f64 = 86_400.0;
const SUFFIX: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

/// All secrets of the account, in all regions.
pub(super) struct Store {
    account: String,
    secrets: Mutex<Vec<Secret>>,
}

/// A secret.
#[derive(Clone)]
pub(super) struct Secret {
    pub name: String,
    pub region: String,
    pub arn: String,
    pub description: Option<String>,
    /// The customer key's ARN; none for the account's default key.
    pub kms_key: Option<String>,
    pub versions: Vec<Version>,
    /// Seconds since the epoch.
    pub created: f64,
    pub changed: f64,
    /// When it was marked for deletion.
    pub deleted: Option<f64>,
    /// By name; the one that is put without a name is `default`.
    pub resource_policies: BTreeMap<String, String>,
    /// The primary in another account, whose versions it has.
    pub replica_of: Option<Replica>,
    /// The function that rotates it, where rotation is on.
    pub rotation: Option<RotationFunction>,
    /// When that function last finished.
    pub rotated: Option<f64>,
}

/// A version of a secret.
#[derive(Clone)]
pub(super) struct Version {
    pub id: String,
    pub stages: Vec<String>,
    /// None where a rotation made the version and has not put a value into it.
    pub value: Option<SecretValue>,
    pub created: f64,
}

/// A version's value: text, or bytes in base64.
#[derive(Clone)]
pub(super) enum SecretValue {
    Text(SecretString),
    Binary(SecretString),
}

impl Store {
    pub(super) fn new(world: &AwsWorld) -> Self {
        let now = now();
        let secrets = world.secrets.iter().filter(|(_, secret)| secret.present).map(|(known_as, secret)| {
            let name = secret.name.as_ref().unwrap_or(known_as);
            let region = secret.region.clone().unwrap_or_else(|| world.region.clone());
            let kms_key = secret.kms_key.as_ref().and_then(|key| world.keys.get(key)).map(|key| {
                let region = key.region.as_ref().unwrap_or(&world.region);
                format!("arn:aws:kms:{region}:{}:key/{}", world.account, key.id)
            });
            let versions = secret.versions.iter().map(|version| Version {
                id: version.id.clone().unwrap_or_else(random_uuid),
                stages: version.stages.clone(),
                value: version.value.clone().map(SecretValue::Text),
                created: now - DAY,
            });
            Secret {
                name: name.clone(),
                arn: format!("arn:aws:secretsmanager:{region}:{}:secret:{name}-{}", world.account, secret.suffix),
                region,
                description: None,
                kms_key,
                versions: versions.collect(),
                created: now - DAY,
                changed: now - DAY,
                deleted: secret.deleted_days_ago.map(|days| now - f64::from(days) * DAY),
                resource_policies: secret.every_resource_policy(),
                replica_of: secret.replica_of.clone(),
                rotation: secret.rotation_function,
                rotated: None,
            }
        });
        Store { account: world.account.clone(), secrets: Mutex::new(secrets.collect()) }
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Secret>> {
        self.secrets.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The secrets of a region, in the order they were made.
    pub(super) fn of_region(&self, region: &str) -> Vec<Secret> {
        self.lock().iter().filter(|secret| secret.region == region).cloned().collect()
    }

    /// The secret of this name, ARN, or ARN without its suffix, in this region. A region in an ARN is not followed.
    pub(super) fn find(&self, region: &str, id: &str) -> Option<Secret> {
        self.lock().iter().find(|secret| secret.region == region && secret.answers_to(id)).cloned()
    }

    /// The ARN that policies are asked about where there is no such secret.
    pub(super) fn presumed_arn(&self, region: &str, id: &str) -> String {
        if id.starts_with("arn:") {
            return id.to_owned();
        }
        format!("arn:aws:secretsmanager:{region}:{}:secret:{id}", self.account)
    }

    /// Changes the secret in place.
    pub(super) fn change<T>(&self, arn: &str, change: impl FnOnce(&mut Secret) -> T) -> Option<T> {
        self.lock().iter_mut().find(|secret| secret.arn == arn).map(change)
    }

    /// Adds a secret, with a fresh suffix in its ARN.
    pub(super) fn add(&self, mut secret: Secret) -> Result<Secret, AwsError> {
        let suffix = random_text(6, SUFFIX).map_err(|error| AwsError::internal(error.to_string()))?;
        secret.arn = format!("{}-{suffix}", self.presumed_arn(&secret.region, &secret.name));
        self.lock().push(secret.clone());
        Ok(secret)
    }

    /// Takes the secret away for good.
    pub(super) fn remove(&self, arn: &str) {
        self.lock().retain(|secret| secret.arn != arn);
    }
}

impl Secret {
    fn answers_to(&self, id: &str) -> bool {
        id == self.name || id == self.arn || self.arn.len() > 7 && id == &self.arn[..self.arn.len() - 7]
    }

    /// The version that carries the stage.
    pub(super) fn staged(&self, stage: &str) -> Option<&Version> {
        self.versions.iter().find(|version| version.stages.iter().any(|known| known == stage))
    }

    /// Moves each stage to the version; what `AWSCURRENT` leaves becomes `AWSPREVIOUS`.
    pub(super) fn move_stages(&mut self, id: &str, stages: &[String]) {
        for stage in stages {
            let left = self.staged(stage).map(|version| version.id.clone()).filter(|left| left != id);
            self.remove_stage(stage);
            if let (CURRENT, Some(left)) = (stage.as_str(), left) {
                self.move_stages(&left, &[PREVIOUS.to_owned()]);
            }
            if let Some(version) = self.versions.iter_mut().find(|version| version.id == id) {
                version.stages.push(stage.clone());
            }
        }
    }

    /// Takes a stage away from whatever version carries it.
    pub(super) fn remove_stage(&mut self, stage: &str) {
        self.versions.iter_mut().for_each(|version| version.stages.retain(|known| known != stage));
        self.changed = now();
    }
}

/// Seconds since the epoch, with milliseconds, as the service writes times.
pub(super) fn now() -> f64 {
    server::time().duration_since(UNIX_EPOCH).map_or(0.0, |since| (since.as_secs_f64() * 1000.0).round() / 1000.0)
}
