//! The policies as typed documents: exactly what is needed, and nothing wider.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Value as Json, json};

use super::super::values::{READER, TemplateContext};
use crate::domain::profile::Guide;
use crate::domain::profile::key::Key;

/// An IAM policy document.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Document {
    version: &'static str,
    statement: Vec<Statement>,
}

#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Statement {
    #[serde(skip_serializing_if = "Option::is_none")]
    sid: Option<&'static str>,
    effect: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    principal: Option<Principal>,
    action: Vec<&'static str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    resource: Vec<String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    condition: BTreeMap<&'static str, BTreeMap<String, String>>,
}

#[derive(Clone, Debug, Serialize)]
enum Principal {
    Federated(String),
    #[serde(rename = "AWS")]
    Aws(String),
}

impl Document {
    fn new(statement: Vec<Statement>) -> Self {
        // Older versions of the language know no policy variables.
        Document { version: "2012-10-17", statement }
    }

    pub(super) fn json(&self) -> Json {
        serde_json::to_value(self).unwrap_or_default()
    }

    pub(super) fn text(&self) -> String {
        format!("{:#}\n", self.json())
    }
}

fn allow(action: &[&'static str]) -> Statement {
    Statement {
        sid: None,
        effect: "Allow",
        principal: None,
        action: action.to_vec(),
        resource: Vec::new(),
        condition: BTreeMap::new(),
    }
}

/// The trust policy of the guide's role.
pub(super) fn trust(filling: &mut TemplateContext<'_>) -> Document {
    if filling.guide() == Guide::AwsAssumeRole {
        return trust_user(filling);
    }
    let (host, audience, subject) = (filling.issuer_host(), filling.audience(), filling.subject());
    let mut condition: BTreeMap<&'static str, BTreeMap<String, String>> = BTreeMap::new();
    condition.entry("StringEquals").or_default().insert(format!("{host}:aud"), audience);
    let operator = if subject.pattern { "StringLike" } else { "StringEquals" };
    condition.entry(operator).or_default().insert(format!("{host}:sub"), subject.text);
    let principal = Some(Principal::Federated(filling.provider_arn()));
    Document::new(vec![Statement { principal, condition, ..allow(&["sts:AssumeRoleWithWebIdentity"]) }])
}

fn trust_user(filling: &mut TemplateContext<'_>) -> Document {
    let (partition, account) = (filling.partition(), filling.account());
    let principal = Some(Principal::Aws(format!("arn:{partition}:iam::{account}:user/{READER}")));
    let mut condition: BTreeMap<&'static str, BTreeMap<String, String>> = BTreeMap::new();
    match filling.known(Key::ExternalId) {
        Some(id) => {
            condition.entry("StringEquals").or_default().insert("sts:ExternalId".to_owned(), id.to_owned());
        }
        None => filling.note("no external id is asked for; set aws.external-id to a value of your own making"),
    }
    Document::new(vec![Statement { principal, condition, ..allow(&["sts:AssumeRole"]) }])
}

/// The trust policy of the role in the sub-account: the first role may assume it.
pub(super) fn trust_first_role(filling: &mut TemplateContext<'_>) -> Document {
    let principal = Some(Principal::Aws(filling.role_arn()));
    Document::new(vec![Statement { principal, ..allow(&["sts:AssumeRole"]) }])
}

/// The permission to assume the next role: the static guide's role, or the sub-account's.
pub(super) fn caller(filling: &mut TemplateContext<'_>) -> Document {
    let role = match filling.guide() {
        Guide::CircleciAws => filling.value(Key::TargetRoleArn),
        _ => filling.role_arn(),
    };
    Document::new(vec![Statement { resource: vec![role], ..allow(&["sts:AssumeRole"]) }])
}

/// The permissions to list the secrets and to read those of the profile.
pub(super) fn secrets(filling: &mut TemplateContext<'_>) -> Document {
    let is_static = matches!(filling.guide(), Guide::AwsStatic | Guide::AwsAssumeRole);
    // The platform's static path describes secrets too; the one by workload identity never does.
    let reads: &[&'static str] = if is_static {
        &["secretsmanager:GetSecretValue", "secretsmanager:DescribeSecret"]
    } else {
        &["secretsmanager:GetSecretValue"]
    };
    let list = Statement {
        // ListSecrets has no resources: scoped to any ARN it grants nothing.
        resource: vec!["*".to_owned()],
        sid: Some("SecretsManagerList"),
        ..allow(&["secretsmanager:ListSecrets"])
    };
    let read = Statement { sid: Some("SecretsManagerRead"), resource: secret_patterns(filling), ..allow(reads) };
    let mut statements = vec![list, read];
    match filling.known(Key::KmsKeyArn) {
        Some(key) => statements.push(Statement {
            sid: Some("KMSDecrypt"),
            resource: vec![key.to_owned()],
            ..allow(&["kms:Decrypt"])
        }),
        None => filling.note(
            "no kms:Decrypt is granted: secrets under the account's own key aws/secretsmanager need none; set \
             aws.kms-key-arn where a customer key encrypts them",
        ),
    }
    Document::new(statements)
}

/// What `Resource` must hold: the profile's prefix, and the secret itself where that does not cover it.
///
/// The ARN of a secret ends in a hyphen and six characters that AWS chooses
/// (<https://docs.aws.amazon.com/secretsmanager/latest/userguide/whats-in-a-secret.html>).
fn secret_patterns(filling: &mut TemplateContext<'_>) -> Vec<String> {
    let prefix = filling.known(Key::SecretPrefix);
    let named = filling.known(Key::SecretName).is_some();
    let mut patterns = Vec::new();
    if let Some(prefix) = prefix {
        let start = secret_arn(filling, prefix);
        // Behind a whole word comes the hyphen; a prefix that ends in a separator is meant to be gone on with.
        let separated = prefix.ends_with(|c: char| !c.is_ascii_alphanumeric());
        patterns.push(if separated { format!("{start}*") } else { format!("{start}-*") });
    }
    if prefix.is_some() && !named {
        return patterns;
    }
    let name = filling.secret_name();
    let exact = if name.starts_with("arn:") { name.clone() } else { secret_arn(filling, &format!("{name}-??????")) };
    let start = |pattern: &String| exact.starts_with(pattern.trim_end_matches('*'));
    if !patterns.iter().any(start) {
        if let Some(prefix) = prefix {
            filling.note(format!("the prefix `{prefix}` does not cover the secret `{name}`, so it is named by itself"));
        }
        patterns.push(exact);
    }
    patterns
}

fn secret_arn(filling: &mut TemplateContext<'_>, name: &str) -> String {
    let (partition, region, account) = (filling.partition(), filling.region(), filling.role_account());
    format!("arn:{partition}:secretsmanager:{region}:{account}:secret:{name}")
}

/// The federated credential of the app, as `az ad app federated-credential create` and Microsoft Graph take it.
pub(super) fn federated_credential(filling: &mut TemplateContext<'_>) -> Json {
    let cloud = filling.azure_cloud();
    json!({
        "name": CREDENTIAL_NAME,
        "issuer": filling.issuer(),
        "subject": filling.subject().text,
        "description": "Tokens of one organization of the platform",
        "audiences": [cloud.credential_audience],
    })
}

/// The credential's name: 3 to 120 letters, digits, `-` and `_`.
pub(super) const CREDENTIAL_NAME: &str = "crewai-organization";
