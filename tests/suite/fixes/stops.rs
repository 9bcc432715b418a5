//! Where the world is not the one that a script was made for, it stops and changes nothing.

use serde_json::Value;

use super::{Site, first_cause, outcomes, own_fix};
use crate::support::RunningLab;

#[test]
#[ignore = "needs the AWS CLI (TRUSTLINE_TEST_AWS_CLI)"]
fn permissions_that_changed_since_stop_the_script_and_nothing_is_written() {
    let site = Site::new(RunningLab::start("secret-arn-suffix"));
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
#[ignore = "needs the AWS CLI (TRUSTLINE_TEST_AWS_CLI)"]
fn an_empty_value_is_refused_in_words() {
    let site = Site::new(RunningLab::start("secret-empty"));
    let before = site.check();
    std::fs::write(site.folder.path().join("value"), "\n").unwrap();
    let output = site.run(own_fix(&before).unwrap()["command"].as_str().unwrap());
    assert!(!output.status.success());
    assert!(String::from_utf8_lossy(&output.stderr).contains("The value is empty. Nothing was written."));
    assert_eq!(first_cause(&site.check()), Some("secret-empty"));
}

#[test]
#[ignore = "needs the AWS CLI (TRUSTLINE_TEST_AWS_CLI)"]
fn the_way_back_from_a_stored_value_makes_the_one_earlier_version_current() {
    let site = Site::new(RunningLab::start("secret-empty"));
    let put = "aws secretsmanager put-secret-value --secret-id crewai-test-keyword --query VersionId --output text";
    let earlier = site.sh(&format!("{put} --secret-string earlier --version-stages BLUE"));
    let report = site.check();
    assert_eq!(first_cause(&report), Some("secret-empty"));
    let fix = own_fix(&report).unwrap();
    site.sh(fix["command"].as_str().unwrap());
    site.sh(fix["undo"].as_str().unwrap());
    let stages = "aws secretsmanager describe-secret --secret-id crewai-test-keyword --query VersionIdsToStages";
    let stages: Value = serde_json::from_str(&site.sh(&format!("{stages} --output json"))).unwrap();
    let current = stages[earlier.trim()].as_array().unwrap();
    assert!(current.contains(&"AWSCURRENT".into()), "{stages:#}");
    // With the value that the fix stored there are two beside the current one, once another is stored.
    site.sh(&format!("{put} --secret-string another --version-stages GREEN"));
    let output = site.run(fix["undo"].as_str().unwrap());
    assert!(String::from_utf8_lossy(&output.stderr).contains("several earlier versions"), "{output:?}");
}

#[test]
#[ignore = "needs the AWS CLI (TRUSTLINE_TEST_AWS_CLI)"]
fn a_trust_policy_that_changed_since_stops_the_script_and_its_undo() {
    let site = Site::new(RunningLab::start("sub-mismatch"));
    let report = site.check();
    let fix = own_fix(&report).unwrap();
    let mut changed: Value =
        serde_json::from_str(&std::fs::read_to_string(site.lab.file("trust-policy.json")).unwrap()).unwrap();
    changed["Statement"][0]["Sid"] = "Changed".into();
    site.sh(&format!(
        "aws iam update-assume-role-policy --role-name crewai-secrets-reader --policy-document '{changed}'"
    ));
    let files = site.files();
    let role = || site.sh("aws iam get-role --role-name crewai-secrets-reader --output json");
    let before = role();
    for script in ["command", "undo"] {
        let output = site.run(fix[script].as_str().unwrap());
        assert!(!output.status.success());
        assert!(String::from_utf8_lossy(&output.stderr).contains("Nothing was changed"));
    }
    assert_eq!((role(), site.files()), (before, files));
}

/// An account id that the lab's operator does not belong to.
const ELSEWHERE: &str = "210987654321";

#[test]
#[ignore = "needs the AWS CLI (TRUSTLINE_TEST_AWS_CLI)"]
fn credentials_of_another_account_change_nothing() {
    for scenario in ["kms-key-state", "static-key-wrong", "static-key-missing", "sub-mismatch", "provider-missing"] {
        let site = Site::new(RunningLab::start(scenario));
        let report = site.check();
        let fix = own_fix(&report).unwrap();
        let files = site.files();
        for script in ["command", "undo"] {
            // The same script, made for the same things in another account.
            let script = fix[script].as_str().unwrap().replace("123456789012", ELSEWHERE);
            let output = site.run(&script);
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            assert!(!output.status.success() && said.contains(ELSEWHERE), "{scenario}: {said}\n{script}");
            assert!(said.contains("Nothing was changed"), "{scenario}: {said}");
        }
        assert_eq!(site.files(), files, "{scenario}");
        assert_eq!(outcomes(&site.check()), outcomes(&report), "{scenario}");
    }
}
