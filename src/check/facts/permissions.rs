//! The permissions policy at hand, evaluated for the reads of this run.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::domain::iam::{AccessEvaluation, AccessRequest, Policy, evaluate_access};
use crate::domain::profile::Profile;

/// Stands for the six characters that Secrets Manager appends to a secret's name in its ARN, where they are not known.
const SOME_SUFFIX: &str = "-AbCdEf";

/// The permissions policy at hand, evaluated for the reads of this run.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PermissionsFact {
    /// Where the policy came from.
    pub source: String,
    /// Why it could not be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
    /// What it says to `ListSecrets`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub list: Option<AccessEvaluation>,
    /// What it says to `GetSecretValue` of the profile's secret.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub get: Option<AccessEvaluation>,
}

impl PermissionsFact {
    /// Evaluates `text`, or keeps why it could not be read. `secret_arn` is the secret's own, where it is known.
    pub fn evaluate(source: &str, text: Result<String, String>, profile: &Profile, secret_arn: Option<&str>) -> Self {
        let policy = match text.and_then(|text| Policy::parse(&text).map_err(|e| e.to_string())) {
            Ok(policy) => policy,
            Err(problem) => {
                return PermissionsFact { source: source.to_owned(), problem: Some(problem), list: None, get: None };
            }
        };
        let policies = [policy];
        let context = BTreeMap::new();
        let evaluate =
            |action, resource: &str| evaluate_access(&policies, &AccessRequest { action, resource, context: &context });
        let secret = secret_arn.map(str::to_owned).or_else(|| likely_arn(profile));
        PermissionsFact {
            source: source.to_owned(),
            problem: None,
            list: Some(evaluate("secretsmanager:ListSecrets", "*")),
            get: secret.map(|arn| evaluate("secretsmanager:GetSecretValue", &arn)),
        }
    }
}

/// The ARN that the profile's secret has, but for the six characters at its end.
fn likely_arn(profile: &Profile) -> Option<String> {
    let name = &profile.secret.as_ref()?.name;
    if name.starts_with("arn:") {
        return Some(name.clone());
    }
    let role = profile.aws.role_arn.as_ref()?;
    let region = profile.aws.region.as_ref()?;
    Some(format!("arn:{}:secretsmanager:{region}:{}:secret:{name}{SOME_SUFFIX}", role.partition, role.account))
}
