//! The AWS side as commands of its CLI.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Value as Json, json};

use super::super::form::shell::{Command, Script, Word};
use super::super::values::{READER, TemplateContext};
use crate::domain::arn::RoleArn;
use crate::domain::guide::Flow;
use crate::domain::iam::{OperatorReach, operator_policy};
use crate::domain::profile::Guide;
use crate::domain::profile::key::Key;

const TRUST_FILE: &str = "trust-policy.json";
const PROVIDER_FILE: &str = "oidc-provider.json";
const SECRETS_FILE: &str = "secrets-policy.json";
const CALLER_FILE: &str = "caller-policy.json";
const INLINE_POLICY: &str = "SecretsManagerRead";
const MANAGED_POLICY: &str = "CrewAISecretsManagerRead";
const CALLER_POLICY: &str = "AssumeSecretsRole";

/// Where the value comes from, and into which file it goes. In parentheses, because a shell that is pasted to reads to their
/// end before it begins; and not from standard input, which is the script itself where one is piped to a shell.
const VALUE_IN: &str = concat!(
    "# The value comes from the file that VALUE_FILE names, else from the terminal: one line, which is not shown.\n",
    "(\nset -eu\n",
    "work=$(mktemp -d)\n",
    "trap 'rm -rf \"$work\"' EXIT\n",
    "trap 'exit 130' INT\n",
    "trap 'exit 143' TERM\n",
    "stop() { printf '%s\\n' \"$1\" >&2; exit 1; }\n",
    include_str!("../../../assets/remedy/value.sh"),
);
const VALUE_OUT: &str = ")";

/// A script around `store`, which finds the value in `$work/value`.
pub(super) fn with_value(json_key: Option<String>, store: Command) -> Script {
    let script = match json_key {
        Some(key) => {
            let example = serde_json::json!({ key: "…" });
            Script::default().comment(format!("The value is a JSON object on one line, such as {example}."))
        }
        None => Script::default(),
    };
    script.fixed(VALUE_IN.trim_ascii_end()).run(store).fixed(VALUE_OUT)
}

/// `file://` and the private file's name, as the CLI reads a parameter's value.
fn value_file() -> Word {
    Word::Joined(vec!["file://".into(), Word::Variable("work"), "/value".into()])
}

/// A command of IAM. It is global, and outside the public partition found by a region of that partition.
fn iam(filling: &mut TemplateContext<'_>, action: &str) -> Command {
    let command = Command::new(&["aws", "iam", action]);
    let command = if filling.partition() == "aws" { command } else { command.option("--region", filling.region()) };
    command.maybe("--endpoint-url", filling.known(Key::EndpointUrl))
}

fn secretsmanager(filling: &mut TemplateContext<'_>, action: &str) -> Command {
    let endpoint = filling.known(Key::SecretsmanagerEndpointUrl).or(filling.known(Key::EndpointUrl));
    Command::new(&["aws", "secretsmanager", action])
        .option("--region", filling.region())
        .maybe("--endpoint-url", endpoint)
}

pub(super) fn discovery(filling: &mut TemplateContext<'_>) -> Script {
    let issuer = filling.issuer();
    let address = format!("{}/.well-known/openid-configuration", issuer.trim_end_matches('/'));
    Script::default()
        .comment("The document's `issuer` must be the issuer's URL to the letter.")
        .run(Command::new(&["curl", "-fsS", &address]))
        .comment("The same, with the keys, the certificates and the time that each takes:")
        .run(Command::new(&["trustline", "issuer", &issuer]))
}

pub(super) fn create_oidc_provider(filling: &mut TemplateContext<'_>) -> Script {
    let thumbprint = filling.thumbprint();
    filling.note(match thumbprint {
        Some(_) => {
            "the thumbprint is that of the certificates which the issuer serves now; IAM consults it only where AWS \
             does not trust them by itself, cannot fetch them, or TLS 1.3 is required"
        }
        None => {
            "no thumbprint is given: IAM fetches one, and consults it only where AWS does not trust the issuer's \
             certificate by itself, cannot fetch it, or TLS 1.3 is required; `trustline issuer URL` prints the one to \
             register then"
        }
    });
    if filling.partition() == "aws-cn" {
        filling.note("in the China partition some tools ask for tokens for `sts.amazonaws.com.cn`; register what the token's `aud` says");
    }
    let (issuer, audience) = (filling.issuer(), filling.audience());
    let create = iam(filling, "create-open-id-connect-provider");
    // Version 1 of the CLI fetches an argument that begins with http, and both versions read the file of a file: URL, and
    // take what they get for the value.
    if audience.contains("://") {
        let mut provider = serde_json::json!({ "Url": issuer, "ClientIDList": [audience] });
        if let (Some(thumbprint), Some(provider)) = (thumbprint, provider.as_object_mut()) {
            provider.insert("ThumbprintList".to_owned(), serde_json::json!([thumbprint]));
        }
        return Script::default()
            .file(PROVIDER_FILE, format!("{provider:#}\n"))
            .run(create.option("--cli-input-json", format!("file://{PROVIDER_FILE}")));
    }
    let create = create.option("--url", issuer).option("--client-id-list", audience);
    Script::default().run(create.maybe("--thumbprint-list", thumbprint))
}

pub(super) fn create_user(filling: &mut TemplateContext<'_>) -> Script {
    Script::default().run(iam(filling, "create-user").option("--user-name", READER))
}

pub(super) fn create_role(filling: &mut TemplateContext<'_>) -> Script {
    let policy = trust(filling).text();
    let create = iam(filling, "create-role")
        .option("--role-name", filling.role_name())
        .maybe("--path", filling.role_path())
        .option("--assume-role-policy-document", format!("file://{TRUST_FILE}"));
    Script::default().file(TRUST_FILE, policy).run(create)
}

pub(super) fn update_trust_policy(filling: &mut TemplateContext<'_>) -> Script {
    let policy = trust(filling).text();
    let update = iam(filling, "update-assume-role-policy")
        .option("--role-name", filling.role_name())
        .option("--policy-document", format!("file://{TRUST_FILE}"));
    Script::default().file(TRUST_FILE, policy).run(update)
}

pub(super) fn put_role_policy(filling: &mut TemplateContext<'_>) -> Script {
    let policy = secrets(filling).text();
    let put = iam(filling, "put-role-policy")
        .option("--role-name", filling.role_name())
        .option("--policy-name", INLINE_POLICY)
        .option("--policy-document", format!("file://{SECRETS_FILE}"));
    Script::default().file(SECRETS_FILE, policy).run(put)
}

pub(super) fn managed_policy(filling: &mut TemplateContext<'_>) -> Script {
    let policy = secrets(filling).text();
    let create = iam(filling, "create-policy")
        .option("--policy-name", MANAGED_POLICY)
        .option("--policy-document", format!("file://{SECRETS_FILE}"))
        .option("--query", "Policy.Arn")
        .option("--output", "text");
    let attach = match filling.guide() {
        guide if guide.flow() == Flow::AccessKey => iam(filling, "attach-user-policy").option("--user-name", READER),
        _ => iam(filling, "attach-role-policy").option("--role-name", filling.role_name()),
    };
    Script::default()
        .file(SECRETS_FILE, policy)
        .assign("POLICY_ARN", create)
        .run(attach.option("--policy-arn", Word::Variable("POLICY_ARN")))
}

pub(super) fn put_caller_policy(filling: &mut TemplateContext<'_>) -> Script {
    let policy = caller(filling).text();
    let put = match filling.guide() {
        Guide::CircleciAws => iam(filling, "put-role-policy").option("--role-name", filling.role_name()),
        _ => iam(filling, "put-user-policy").option("--user-name", READER),
    };
    let put = put.option("--policy-name", CALLER_POLICY).option("--policy-document", format!("file://{CALLER_FILE}"));
    Script::default().file(CALLER_FILE, policy).run(put)
}

pub(super) fn create_access_key(filling: &mut TemplateContext<'_>) -> Script {
    let create = iam(filling, "create-access-key")
        .option("--user-name", READER)
        .option("--output", "json")
        .into_file("access-key.json");
    Script::default()
        .comment(
            "The secret access key is shown once. It goes to a private file; remove that when the platform has it.",
        )
        .fixed("umask 077")
        .run(create)
}

pub(super) fn create_secret(filling: &mut TemplateContext<'_>) -> Script {
    let create = secretsmanager(filling, "create-secret")
        .option("--name", filling.new_secret_name())
        .maybe("--kms-key-id", filling.known(Key::KmsKeyArn))
        .option("--secret-string", value_file());
    with_value(filling.json_key(), create)
}

pub(super) fn rotate_secret(filling: &mut TemplateContext<'_>) -> Script {
    let put = secretsmanager(filling, "put-secret-value")
        .option("--secret-id", filling.secret_name())
        .option("--secret-string", value_file());
    with_value(filling.json_key(), put)
}

pub(super) fn verify_read(filling: &mut TemplateContext<'_>) -> Script {
    let profile = filling.known(Key::ConfigProfile);
    let sts = filling.known(Key::StsEndpointUrl).or(filling.known(Key::EndpointUrl));
    let who = Command::new(&["aws", "sts", "get-caller-identity"])
        .option("--region", filling.region())
        .maybe("--endpoint-url", sts)
        .maybe("--profile", profile);
    let list = secretsmanager(filling, "list-secrets")
        .maybe("--profile", profile)
        .option("--query", "SecretList[].Name")
        .option("--output", "text");
    // Of the answer only the version is printed, never the value.
    let read = secretsmanager(filling, "get-secret-value")
        .maybe("--profile", profile)
        .option("--secret-id", filling.secret_name())
        .option("--query", "VersionId")
        .option("--output", "text");
    Script::default().run(who).run(list).run(read)
}

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

/// What an operator needs for reading the side of the profile's role and secret.
pub(super) fn operator(filling: &TemplateContext<'_>) -> Json {
    let roles = [Key::RoleArn, Key::TargetRoleArn].into_iter().filter_map(|key| filling.known(key));
    let roles = roles.filter_map(|arn| RoleArn::parse(arn).ok()).collect();
    let secret = filling.known(Key::SecretName).map(|name| name.split('#').next().unwrap_or(name).to_owned());
    operator_policy(&OperatorReach { partition: filling.partition(), roles, secret })
}

/// The permissions to list the secrets and to read those of the profile.
pub(super) fn secrets(filling: &mut TemplateContext<'_>) -> Document {
    let is_static = filling.guide().is_aws_access_key();
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
        "name": filling.names().credential,
        "issuer": filling.issuer(),
        "subject": filling.subject().text,
        "description": filling.names().description,
        "audiences": [cloud.credential_audience],
    })
}
