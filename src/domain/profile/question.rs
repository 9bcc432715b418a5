//! What a new profile is asked for: the keys that each guide needs, and those worth having.

use super::Guide;
use super::key::Key;

/// Whether a guide can be followed without a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    Required,
    Optional,
}

/// A key to ask for, and how.
#[derive(Clone, Copy, Debug)]
pub struct Question {
    pub key: Key,
    pub need: Need,
    /// What is asked, with an example.
    pub ask: &'static str,
}

const fn required(key: Key, ask: &'static str) -> Question {
    Question { key, need: Need::Required, ask }
}

const fn optional(key: Key, ask: &'static str) -> Question {
    Question { key, need: Need::Optional, ask }
}

const ROLE: Question = required(Key::RoleArn, "ARN of the role to assume (arn:aws:iam::123456789012:role/NAME)");
const REGION: Question = required(Key::Region, "AWS region of the secret (us-east-1)");
const ISSUER: Question =
    optional(Key::IssuerUrl, "Issuer URL, as the discovery document's `issuer` (https://app.example.com)");
const ORGANIZATION: Question = optional(Key::Organization, "UUID of the platform organization");
const TOKEN_FILE: Question = optional(Key::TokenFile, "File that holds a token (token.jwt)");
const TOKEN_ENV: Question = optional(Key::TokenEnv, "Variable that holds the token, its name only (MY_OIDC_TOKEN)");
const TRUST_POLICY: Question = optional(Key::TrustPolicy, "File with the role's trust policy (trust-policy.json)");
const SECRET: Question = optional(Key::SecretName, "Secret to read: name or name#json_key");

const AWS_WORKLOAD_IDENTITY: &[Question] = &[ROLE, REGION, ISSUER, ORGANIZATION, TOKEN_FILE, TRUST_POLICY, SECRET];
const GITLAB_AWS: &[Question] = &[
    ROLE,
    REGION,
    ISSUER,
    optional(Key::GitlabProject, "GitLab project, with its groups (mygroup/myproject)"),
    optional(Key::GitlabRef, "Branch or tag of the jobs (main)"),
    TOKEN_ENV,
    TRUST_POLICY,
    SECRET,
];
const CIRCLECI_AWS: &[Question] = &[
    ROLE,
    REGION,
    optional(Key::Organization, "UUID of the CircleCI organization"),
    optional(Key::CircleciProject, "UUID of the CircleCI project"),
    ISSUER,
    TOKEN_ENV,
    TRUST_POLICY,
    SECRET,
];
const AZURE_WORKLOAD_IDENTITY: &[Question] = &[
    required(Key::TenantId, "Directory (tenant) ID of the app registration"),
    required(Key::ClientId, "Application (client) ID of the app registration"),
    required(Key::VaultUrl, "Key vault's URL (https://my-vault.vault.azure.net)"),
    ISSUER,
    ORGANIZATION,
    TOKEN_FILE,
    SECRET,
];
const CONFIG_PROFILE: Question =
    optional(Key::ConfigProfile, "Profile of ~/.aws to take the access key from (default)");
const ACCESS_KEYS_CSV: Question =
    optional(Key::AccessKeysCsv, "File with the access key, as the console offers it (accessKeys.csv)");
const AWS_STATIC: &[Question] = &[REGION, ACCESS_KEYS_CSV, CONFIG_PROFILE, SECRET];
const AWS_ASSUME_ROLE: &[Question] = &[
    ROLE,
    REGION,
    ACCESS_KEYS_CSV,
    CONFIG_PROFILE,
    optional(Key::ExternalId, "External id of the role's trust policy"),
    TRUST_POLICY,
    SECRET,
];

/// What to ask for, in order.
pub fn questions(guide: Guide) -> &'static [Question] {
    match guide {
        Guide::AwsWorkloadIdentity => AWS_WORKLOAD_IDENTITY,
        Guide::GitlabAws => GITLAB_AWS,
        Guide::CircleciAws => CIRCLECI_AWS,
        Guide::AzureWorkloadIdentity => AZURE_WORKLOAD_IDENTITY,
        Guide::AwsStatic => AWS_STATIC,
        Guide::AwsAssumeRole => AWS_ASSUME_ROLE,
    }
}
