//! A wrong value in a field shows at the step where it is set right, with what is wrong: for every field of every guide.

use std::collections::BTreeSet;
use std::fs;

use serde_json::Value;

use crate::support::trustline;

/// A UUID of something else.
const OTHER: &str = "7f3e81c4-0000-4000-8000-9d20c1a09a1b";
const NOBODY: &str = "arn:aws:iam::123456789012:role/nobody";
const ELSEWHERE: &str = "arn:aws:iam::210987654321:role/crewai-secrets-reader";
const OTHER_KEY: &str = "arn:aws:kms:us-east-1:123456789012:key/00000000-5f60-4718-92a3-b4c5d6e7f809";
/// Nothing listens there.
const SILENT: &str = "https://127.0.0.1:9";

/// A guide, a lab in which all of its steps are right, and rows: a field, a value that is well formed and wrong, the step
/// that fails with it, and the first cause that is named there.
struct Table {
    guide: &'static str,
    scenario: &'static str,
    rows: &'static [(&'static str, &'static str, u64, &'static str)],
    /// Fields that no check can tell to be wrong, and why.
    exempt: &'static [(&'static str, &'static str)],
}

const STARTS_NOTHING: &str = "only the automation's own output names the variable that it reads, and checks start no automation; a rotation does";

const TABLES: &[Table] = &[
    Table {
        guide: "aws-workload-identity",
        scenario: "healthy",
        rows: &[
            ("issuer.url", SILENT, 1, "connect-refused"),
            ("platform.organization", OTHER, 3, "sub-mismatch"),
            ("aws.role-arn", NOBODY, 3, "role-missing"),
            ("aws.role-arn", ELSEWHERE, 2, "provider-missing"),
            ("aws.role-arn", ELSEWHERE, 3, "wrong-account"),
            ("aws.audience", "other", 2, "aud-not-registered"),
            ("aws.trust-policy", "/nonexistent.json", 3, "env-not-set"),
            ("token.file", "/nonexistent.jwt", 8, "env-not-set"),
            ("aws.secret-prefix", "other-", 4, "missing-get"),
            ("aws.kms-key-arn", OTHER_KEY, 4, "missing-kms"),
            ("aws.region", "us-east-2", 6, "secret-wrong-region"),
            ("secret.name", "crewai-not-there", 5, "secret-not-found"),
            ("secret.name", "crewai-test-keyword#none", 5, "json-key-missing"),
            ("deployment.url", SILENT, 10, "deployment-unreachable"),
            ("deployment.token-env", "NOT_SET_ANYWHERE", 10, "env-not-set"),
        ],
        exempt: &[("deployment.variable", STARTS_NOTHING)],
    },
    Table {
        guide: "azure-workload-identity",
        scenario: "azure",
        rows: &[
            ("issuer.url", SILENT, 1, "connect-refused"),
            ("platform.organization", OTHER, 3, "sub-mismatch"),
            ("azure.vault-url", SILENT, 4, "connect-refused"),
            ("azure.subscription-id", OTHER, 4, "tenant-wrong"),
            ("azure.tenant-id", OTHER, 2, "tenant-wrong"),
            ("azure.client-id", OTHER, 2, "client-wrong"),
            ("azure.federated-credential", "/nonexistent.json", 3, "env-not-set"),
            ("token.file", "/nonexistent.jwt", 8, "env-not-set"),
            ("secret.name", "crewai-not-there", 5, "secret-not-found"),
            ("deployment.url", SILENT, 10, "deployment-unreachable"),
            ("deployment.token-env", "NOT_SET_ANYWHERE", 10, "env-not-set"),
        ],
        exempt: &[
            ("deployment.variable", STARTS_NOTHING),
            (
                "azure.resource-group",
                "Resource Manager refuses whoever may not read the subscription alike for a right group and a wrong one",
            ),
        ],
    },
    Table {
        guide: "aws-static",
        scenario: "static",
        rows: &[
            ("aws.region", "us-east-2", 5, "secret-wrong-region"),
            ("aws.account-id", "210987654321", 1, "wrong-account"),
            ("aws.secret-prefix", "other-", 2, "missing-get"),
            ("aws.kms-key-arn", OTHER_KEY, 2, "missing-kms"),
            ("aws.kms-key-arn", "arn:aws:kms:eu-west-1:123456789012:key/1b2c3d4e", 2, "missing-kms"),
            ("secret.name", "crewai-not-there", 6, "secret-not-found"),
            ("aws.access-keys-csv", "/nonexistent.csv", 4, "env-not-set"),
            ("aws.config-profile", "nobody", 4, "env-not-set"),
        ],
        exempt: &[],
    },
    Table {
        guide: "aws-assume-role",
        scenario: "assume-role",
        rows: &[
            ("aws.region", "us-east-2", 5, "secret-wrong-region"),
            ("aws.account-id", "210987654321", 3, "wrong-account"),
            ("aws.secret-prefix", "other-", 2, "missing-get"),
            ("aws.kms-key-arn", OTHER_KEY, 2, "missing-kms"),
            ("secret.name", "crewai-not-there", 6, "secret-not-found"),
            ("aws.role-arn", NOBODY, 3, "assume-role-denied"),
            ("aws.external-id", "another-one", 5, "external-id"),
            ("aws.trust-policy", "/nonexistent.json", 3, "env-not-set"),
            ("aws.access-keys-csv", "/nonexistent.csv", 4, "env-not-set"),
            ("aws.config-profile", "nobody", 4, "env-not-set"),
        ],
        exempt: &[],
    },
    Table {
        guide: "gitlab-aws",
        scenario: "gitlab",
        rows: &[
            ("issuer.url", SILENT, 1, "connect-refused"),
            ("gitlab.project-path", "mygroup/another", 2, "sub-mismatch"),
            ("gitlab.ref-type", "tag", 2, "sub-mismatch"),
            ("gitlab.ref", "develop", 2, "sub-mismatch"),
            ("aws.region", "us-east-2", 3, "secret-wrong-region"),
            ("aws.role-arn", NOBODY, 2, "role-missing"),
            ("aws.role-arn", ELSEWHERE, 1, "provider-missing"),
            ("aws.audience", "other", 1, "aud-not-registered"),
            ("aws.trust-policy", "/nonexistent.json", 2, "env-not-set"),
            ("aws.secret-prefix", "other-", 2, "missing-get"),
            ("aws.kms-key-arn", OTHER_KEY, 2, "missing-kms"),
            ("secret.name", "crewai-not-there", 3, "secret-not-found"),
            ("token.env", "NOT_SET_ANYWHERE", 3, "env-not-set"),
        ],
        exempt: &[],
    },
    Table {
        guide: "circleci-aws",
        scenario: "circleci",
        rows: &[
            ("platform.organization", OTHER, 1, "aud-not-registered"),
            ("issuer.url", SILENT, 1, "connect-refused"),
            ("circleci.project", OTHER, 2, "sub-mismatch"),
            ("aws.region", "us-east-2", 4, "secret-wrong-region"),
            ("aws.role-arn", NOBODY, 2, "role-missing"),
            ("aws.role-arn", ELSEWHERE, 1, "provider-missing"),
            ("aws.trust-policy", "/nonexistent.json", 2, "env-not-set"),
            ("aws.target-role-arn", NOBODY, 3, "assume-role-denied"),
            ("aws.secret-prefix", "other-", 3, "missing-get"),
            ("aws.kms-key-arn", OTHER_KEY, 3, "missing-kms"),
            ("secret.name", "crewai-not-there", 4, "secret-not-found"),
            ("token.env", "NOT_SET_ANYWHERE", 4, "env-not-set"),
        ],
        exempt: &[],
    },
];

/// The steps that fail in a lab where everything is right but these values, each with its first cause and state.
pub(super) fn failing(
    guide: &str,
    scenario: &str,
    sets: &[String],
    variables: &[(&str, &str)],
) -> Vec<(u64, String, Value)> {
    let mut command = trustline();
    command.args(["guide", guide, "--lab", scenario, "--check", "--output", "json"]);
    command.args(sets.iter().flat_map(|set| ["--set", set]));
    let output = command.envs(variables.iter().copied()).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{sets:?}: {}", String::from_utf8_lossy(&output.stderr));
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    let failing = steps(&document).into_iter().filter(|step| step["state"]["is"] == "failing");
    failing
        .map(|step| {
            let finding = step["state"]["findings"][0].clone();
            let cause = finding["cause"].as_str().unwrap_or_default().to_owned();
            (step["number"].as_u64().unwrap(), cause, finding)
        })
        .collect()
}

/// The steps of the only guide of a document, prerequisites first.
fn steps(document: &Value) -> Vec<Value> {
    let guide = &document["guides"][0];
    std::iter::once(&guide["prerequisites"]).chain(guide["steps"].as_array().unwrap()).cloned().collect()
}

/// The fields of a guide, each with the numbers of the steps that hold it.
fn fields(guide: &str) -> Vec<(String, u64)> {
    let output = trustline().args(["guide", guide, "--output", "json"]).output().unwrap();
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    let of_step = |step: Value| {
        let number = step["number"].as_u64().unwrap();
        let fields = step["fields"].as_array().unwrap().clone();
        fields.into_iter().map(move |field| (field["key"].as_str().unwrap().to_owned(), number))
    };
    steps(&document).into_iter().flat_map(of_step).collect()
}

/// A field of a guide has one value, whichever of its steps asks for it: one of these steps shows that it is wrong.
#[test]
fn every_field_of_every_guide_has_a_row() {
    let ids: BTreeSet<&str> = TABLES.iter().map(|table| table.guide).collect();
    let listed = trustline().args(["guide", "--output", "json"]).output().unwrap();
    let listed: Value = serde_json::from_slice(&listed.stdout).unwrap();
    let guides = listed["guides"].as_array().unwrap();
    assert_eq!(ids, guides.iter().map(|guide| guide["id"].as_str().unwrap()).collect());
    for table in TABLES {
        let fields = fields(table.guide);
        for (key, _) in &fields {
            let exempt = table.exempt.iter().any(|(exempt, why)| exempt == key && !why.is_empty());
            let has_row = table.rows.iter().any(|(row, ..)| row == key);
            assert!(has_row != exempt, "{} {key}: give it a row, or say why no check can tell", table.guide);
        }
        for (key, _, step, _) in table.rows {
            let held = fields.iter().any(|(field, number)| field == key && number == step);
            assert!(held, "{} {key}: step {step} has no such field", table.guide);
        }
        for (key, _) in table.exempt {
            assert!(fields.iter().any(|(field, _)| field == key), "{} {key}: no such field", table.guide);
        }
    }
}

fn each_wrong_value_leads_to_its_step(guide: &str) {
    let table = TABLES.iter().find(|table| table.guide == guide).unwrap();
    let right = failing(guide, table.scenario, &[], &[]);
    assert!(right.is_empty(), "the lab is not right: {right:?}");
    let mut wrong = Vec::new();
    for (key, value, step, cause) in table.rows {
        let failing = failing(guide, table.scenario, &[format!("{key}={value}")], &[]);
        if !failing.iter().any(|(number, named, _)| number == step && named == cause) {
            let seen: Vec<_> = failing.iter().map(|(number, cause, _)| (number, cause)).collect();
            wrong.push(format!("{key}={value}: {seen:?} is not {step} with {cause}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

macro_rules! guides {
    ($($name:ident = $guide:literal;)*) => {
        $(
            #[test]
            fn $name() {
                each_wrong_value_leads_to_its_step($guide);
            }
        )*
    };
}

// Side by side, since each of them starts a lab for every row.
guides! {
    aws_workload_identity = "aws-workload-identity";
    azure_workload_identity = "azure-workload-identity";
    aws_static = "aws-static";
    aws_assume_role = "aws-assume-role";
    gitlab = "gitlab-aws";
    circleci = "circleci-aws";
}

/// What is right beside what is wrong: these values are the lab's own.
#[test]
fn right_values_fail_no_step() {
    let key = "aws.kms-key-arn=arn:aws:kms:us-east-1:123456789012:key/1b2c3d4e-5f60-4718-92a3-b4c5d6e7f809";
    for (guide, scenario, sets) in [
        ("aws-workload-identity", "healthy", &[key, "aws.secret-prefix=crewai-"][..]),
        ("aws-workload-identity", "healthy", &["aws.secret-prefix=crewai"]),
        ("aws-static", "static", &[key, "aws.secret-prefix=crewai-test", "aws.account-id=123456789012"]),
        ("aws-assume-role", "assume-role", &[key, "aws.account-id=123456789012"]),
        ("gitlab-aws", "gitlab", &["gitlab.project-path=mygroup/*", "gitlab.ref-type=branch", "gitlab.ref=main"]),
        ("circleci-aws", "circleci", &["circleci.project=5b1f2c9e-0000-4000-8000-0123456789ab", key]),
    ] {
        let sets: Vec<String> = sets.iter().map(|set| (*set).to_owned()).collect();
        assert_eq!(failing(guide, scenario, &sets, &[]), [], "{guide} {sets:?}");
    }
}

/// A bearer token that is there and that the deployment does not know.
#[test]
fn a_token_that_the_deployment_refuses_fails_the_step_that_names_it() {
    let sets = ["deployment.token-env=WRONG_TOKEN".to_owned()];
    for (guide, scenario) in [("aws-workload-identity", "healthy"), ("azure-workload-identity", "azure")] {
        let failing = failing(guide, scenario, &sets, &[("WRONG_TOKEN", "not-the-deployments-own")]);
        assert_eq!(failing.len(), 1);
        assert_eq!((failing[0].0, failing[0].1.as_str()), (10, "deployment-token-wrong"));
    }
}

/// A profile of AWS's shared files may sign in without any key: it is told as what it is.
#[test]
fn a_profile_without_a_key_is_told_as_what_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("config");
    let text =
        "[profile portal]\nsso_session = ours\nregion = us-east-1\n[profile program]\ncredential_process = /bin/x\n";
    fs::write(&config, text).unwrap();
    for (profile, way) in [("portal", "single sign-on"), ("program", "a program (credential_process)")] {
        let sets = [format!("aws.config-profile={profile}")];
        let failing = failing("aws-static", "static", &sets, &[("AWS_CONFIG_FILE", config.to_str().unwrap())]);
        assert_eq!((failing[0].0, failing[0].1.as_str()), (4, "env-not-set"));
        let summary = failing[0].2["summary"].as_str().unwrap();
        assert!(summary.contains(way) && summary.contains(profile), "{summary}");
    }
}

/// The policy at hand says which side denies, and which part of it.
#[test]
fn the_trust_policy_at_hand_is_evaluated_for_the_caller() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("trust.json");
    for (principal, condition, cause) in [
        ("arn:aws:iam::123456789012:user/another", "{}", "assume-role-denied"),
        ("arn:aws:iam::210987654321:root", "{}", "assume-role-denied"),
        ("arn:aws:iam::123456789012:root", r#"{"StringEquals": {"aws:username": "another"}}"#, "claim-mismatch"),
        ("arn:aws:iam::123456789012:root", r#"{"StringEquals": {"sts:RoleSessionName": "x"}}"#, "claim-mismatch"),
        ("arn:aws:iam::123456789012:root", r#"{"StringEquals": {"sts:ExternalId": "x"}}"#, "external-id"),
    ] {
        let text = format!(
            r#"{{"Version": "2012-10-17", "Statement": [{{"Effect": "Allow", "Principal": {{"AWS": "{principal}"}},
               "Action": "sts:AssumeRole", "Condition": {condition}}}]}}"#
        );
        fs::write(&file, text).unwrap();
        let sets = [format!("aws.trust-policy={}", file.display())];
        let failing = failing("aws-assume-role", "assume-role", &sets, &[]);
        assert!(failing.iter().any(|(_, named, _)| named == cause), "{principal} {condition}: {failing:?}");
    }
}

/// What can be told to be wrong from the text alone is refused with what to write instead, for every field of the guides.
#[test]
fn each_field_refuses_what_is_no_value() {
    for (key, text) in [
        ("platform.organization", "acme"),
        ("issuer.url", "http://app.example.com"),
        ("aws.region", "Ireland"),
        ("aws.role-arn", "crewai-secrets-reader"),
        ("aws.kms-key-arn", "my-key"),
        ("secret.name", "a secret"),
        ("deployment.url", "my-crew"),
        ("deployment.variable", "0-x"),
        ("deployment.token-env", "0-x"),
        ("azure.tenant-id", "acme"),
        ("azure.client-id", "reader"),
        ("azure.vault-url", "my-vault"),
        ("azure.subscription-id", "pay-as-you-go"),
        ("azure.resource-group", "a/b"),
    ] {
        let guide = if key.starts_with("azure") { "azure-workload-identity" } else { "aws-workload-identity" };
        let output = trustline().args(["guide", guide, "--set", &format!("{key}={text}")]).output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{key}={text}: {said}");
        assert!(said.contains(key) && said.lines().count() > 1, "{key}={text}: {said}");
    }
}

/// A file that is there and cannot be read as a policy is no proof of anything: its step stays open, and nobody else's
/// fails.
#[test]
fn a_copy_that_cannot_be_read_leaves_its_step_open() {
    let folder = tempfile::tempdir().unwrap();
    for set in [
        // A folder opens, and does not read.
        format!("aws.trust-policy={}", folder.path().display()),
        {
            let file = folder.path().join("cut.json");
            fs::write(&file, "{\"Version\": \"2012-10-17\", \"Statem").unwrap();
            format!("aws.trust-policy={}", file.display())
        },
    ] {
        assert_eq!(failing("aws-workload-identity", "healthy", std::slice::from_ref(&set), &[]), []);
        let arguments =
            ["guide", "aws-workload-identity", "3", "--lab", "healthy", "--check", "--output", "json", "--set", &set];
        let output = trustline().args(arguments).output().unwrap();
        let document: Value = serde_json::from_slice(&output.stdout).unwrap();
        let state = &document["guides"][0]["steps"][0]["state"];
        assert_eq!(state["is"], "to-do", "{set}");
        // The step says why, in words.
        assert_eq!(state["not_told"][0]["check"], "trust.policy", "{state}");
        assert!(state["not_told"][0]["reason"].as_str().unwrap().contains("could not be read"), "{state}");
    }
}
