//! The fixes of AWS, carried out with its own CLI.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde_json::Value;
use trustline::lab::World;

use super::{Site, cause, causes, each, own_fix, passed};
use crate::support::RunningLab;

/// The causes whose fixes are carried out here.
const CAUSES: &[&str] = &[
    "provider-missing",
    "aud-not-registered",
    "role-missing",
    "missing-list",
    "list-resource-scoped",
    "missing-get",
    "secret-arn-suffix",
    "versionstage-condition",
    "missing-kms",
    "kms-key-state",
    "secret-empty",
    "secret-pending-deletion",
    "static-key-wrong",
];
/// Scenarios with a fix that cannot be taken back: a value where there was none.
const WITHOUT_UNDO: &[&str] = &["secret-empty"];

/// AWS's own CLI.
fn cli() -> Option<PathBuf> {
    let named = std::env::var_os("TRUSTLINE_TEST_AWS_CLI").map(PathBuf::from);
    if named.is_none() {
        println!("skipped: TRUSTLINE_TEST_AWS_CLI names no AWS CLI");
    }
    named
}

/// What became of a scenario.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Came {
    /// The fix fixed it, and its undo brought it back where there is one.
    Fixed {
        has_undo: bool,
    },
    /// Nothing that the reader could run.
    NoScript,
    Failed(String),
}

fn scenario(name: &str, site: &Site) -> Came {
    let before = site.check();
    let Some(found) = cause(&before).map(str::to_owned) else { return Came::Failed("nothing was found".into()) };
    let Some(fix) = own_fix(&before).filter(|fix| !fix["command"].as_str().unwrap().starts_with("export ")) else {
        return Came::NoScript;
    };
    let output = site.run(fix["command"].as_str().unwrap());
    let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    let after = site.check();
    if causes(&after).contains(found.as_str()) {
        return Came::Failed(format!("{name}: {found} is still there: {said}"));
    }
    if let Some(lost) = passed(&before).difference(&passed(&after)).next() {
        return Came::Failed(format!("{name}: {lost} passed before"));
    }
    let Some(undo) = fix["undo"].as_str() else { return Came::Fixed { has_undo: false } };
    let output = site.run(undo);
    if !output.status.success() {
        return Came::Failed(format!("{name}: undo: {}", String::from_utf8_lossy(&output.stderr)));
    }
    let back = site.check();
    // A secret that was made is not gone at once, it waits for its deletion.
    let same =
        cause(&back) == Some(&found) || found == "secret-not-found" && cause(&back) == Some("secret-pending-deletion");
    if !same {
        return Came::Failed(format!("{name}: undo leads from {found} to {:?}", cause(&back)));
    }
    Came::Fixed { has_undo: true }
}

#[test]
fn every_scenario_is_fixed_as_printed_and_brought_back() {
    let Some(cli) = cli() else { return };
    let broken: Vec<String> = World::list()
        .unwrap()
        .into_iter()
        .filter(|scenario| !scenario.guide.starts_with("azure"))
        .filter(|scenario| scenario.expects.as_deref().is_some_and(|cause| CAUSES.contains(&cause)))
        .map(|scenario| scenario.name)
        .collect();
    let came: BTreeMap<String, Came> = each(&broken, |name| {
        let site = Site::new(RunningLab::start(name), &cli);
        (name.clone(), scenario(name, &site))
    })
    .into_iter()
    .collect();
    let failed: Vec<&Came> = came.values().filter(|came| matches!(came, Came::Failed(_))).collect();
    assert!(failed.is_empty(), "{failed:#?}");
    let those = |wanted: &dyn Fn(&Came) -> bool| -> Vec<&str> {
        came.iter().filter(|(_, came)| wanted(came)).map(|(name, _)| name.as_str()).collect()
    };
    assert_eq!(those(&|came| *came == Came::NoScript), [""; 0]);
    assert_eq!(those(&|came| *came == Came::Fixed { has_undo: false }), WITHOUT_UNDO);
}

/// Worlds that no scenario describes: each is fixed in as many steps as causes are in it.
const WORLDS: &[(&str, &[&str], &str)] = &[
    (
        "a role with a path, several policies of both kinds, and no copy of them",
        &["missing-get"],
        r#"
[profile]
role-arn = "arn:aws:iam::${account}:role/teams/ai/reader"
identity-policy = ""
[aws.roles.crewai-secrets-reader]
present = false
[aws.roles.reader]
path = "/teams/ai/"
trust-policy = '''{"Version": "2012-10-17", "Statement": [{"Effect": "Allow",
  "Principal": {"Federated": "arn:aws:iam::${account}:oidc-provider/${issuer-host}"}, "Action": "sts:AssumeRoleWithWebIdentity",
  "Condition": {"StringEquals": {"${issuer-host}:aud": "sts.amazonaws.com", "${issuer-host}:sub": "organization:${organization}"}}}]}'''
attached = ["Lists"]
[aws.roles.reader.policies]
SecretsManagerGet = '{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}}'
Keys = '{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "kms:Decrypt", "Resource": "*"}}'
[aws.policies.Lists]
document = '{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "secretsmanager:ListSecrets", "Resource": "*"}}'
"#,
    ),
    (
        "a managed policy whose copy is at hand",
        &["secret-arn-suffix"],
        r#"
[profile]
identity-policy = '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": ["secretsmanager:ListSecrets", "kms:Decrypt"], "Resource": "*"}, {"Effect": "Allow", "Action": "secretsmanager:GetSecretValue", "Resource": "arn:aws:secretsmanager:us-east-1:123456789012:secret:crewai-test-keyword"}]}'
[aws.roles.crewai-secrets-reader]
attached = ["Reads"]
[aws.roles.crewai-secrets-reader.policies]
SecretsManagerRead = '{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}}'
[aws.policies.Reads]
path = "/shared/"
document = '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": ["secretsmanager:ListSecrets", "kms:Decrypt"], "Resource": "*"}, {"Effect": "Allow", "Action": "secretsmanager:GetSecretValue", "Resource": "arn:aws:secretsmanager:us-east-1:123456789012:secret:crewai-test-keyword"}]}'
"#,
    ),
    (
        "a customer key that names its administrators only, a role that may not decrypt, and no copy of its policy",
        &["missing-kms"],
        r#"
[profile]
identity-policy = ""
[aws.roles.crewai-secrets-reader.policies]
SecretsManagerRead = '{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": ["secretsmanager:ListSecrets", "secretsmanager:GetSecretValue"], "Resource": "*"}}'
[aws.keys.secrets]
policy = '{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::${account}:user/operator"}, "Action": "kms:*", "Resource": "*"}}'
"#,
    ),
    ("a key that waits for its deletion", &["kms-key-state"], "[aws.keys.secrets]\nstate = \"pending-deletion\"\n"),
    (
        "a permissions boundary that does not let the read pass",
        &["explicit-deny"],
        r#"
[profile]
identity-policy = ""
[aws.roles.crewai-secrets-reader]
boundary = "Bounds"
[aws.policies.Bounds]
document = '{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": ["secretsmanager:ListSecrets", "kms:*"], "Resource": "*"}}'
"#,
    ),
    (
        "a resource policy that denies everybody but its administrator",
        &["explicit-deny"],
        r#"
[aws.secrets.crewai-test-keyword]
resource-policy = '{"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Principal": "*", "Action": "secretsmanager:GetSecretValue", "Resource": "*", "Condition": {"StringNotEquals": {"aws:PrincipalArn": "arn:aws:iam::${account}:user/secrets-admin"}}}]}'
"#,
    ),
];

#[test]
fn worlds_of_their_own_are_fixed_too_and_brought_back() {
    let Some(cli) = cli() else { return };
    let failed: Vec<String> = each(WORLDS, |(about, expected, text)| {
        let site = Site::new(RunningLab::world(text), &cli);
        let before = site.check();
        if cause(&before) != expected.first().copied() {
            return Some(format!("{about}: found {:?}", causes(&before)));
        }
        match scenario(about, &site) {
            Came::Fixed { has_undo: true } => None,
            came => Some(format!("{about}: {came:?}")),
        }
    })
    .into_iter()
    .flatten()
    .collect();
    assert!(failed.is_empty(), "{failed:#?}");
}

#[test]
fn a_policy_that_changed_since_stops_the_script_and_nothing_is_written() {
    let Some(cli) = cli() else { return };
    let site = Site::new(RunningLab::start("secret-arn-suffix"), &cli);
    let before = site.check();
    let fix = own_fix(&before).unwrap();
    let name = "--role-name crewai-secrets-reader --policy-name SecretsManagerRead";
    let changed =
        r#"{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}]}"#;
    site.sh(&format!("aws iam put-role-policy {name} --policy-document '{changed}'"));
    let copy = std::fs::read_to_string(site.lab.file("identity-policy.json")).unwrap();
    let output = site.run(fix["command"].as_str().unwrap());
    assert!(!output.status.success());
    assert!(String::from_utf8_lossy(&output.stderr).contains("Nothing was changed"));
    let in_force = site.sh(&format!("aws iam get-role-policy {name} --query PolicyDocument --output json"));
    let read = |text: &str| serde_json::from_str::<Value>(text).unwrap();
    assert_eq!(read(&in_force), read(changed));
    assert_eq!(std::fs::read_to_string(site.lab.file("identity-policy.json")).unwrap(), copy);
}

#[test]
fn an_empty_value_is_refused_in_words() {
    let Some(cli) = cli() else { return };
    let site = Site::new(RunningLab::start("secret-empty"), &cli);
    let before = site.check();
    std::fs::write(site.folder.path().join("value"), "\n").unwrap();
    let output = site.run(own_fix(&before).unwrap()["command"].as_str().unwrap());
    assert!(!output.status.success());
    assert!(String::from_utf8_lossy(&output.stderr).contains("The value is empty. Nothing was written."));
    assert_eq!(cause(&site.check()), Some("secret-empty"));
}
