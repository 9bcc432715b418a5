//! SARIF held to the schema that its makers publish, by a validator that nobody here wrote: findings with a file and a line, with
//! none, and suppressed; of the audit, of one trust and of a check.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};

use super::{ACCOUNT, GITHUB, by_subject, folder_with, json_of, role};
use crate::support::{outside, trustline};

/// Where the package of SARIF's makers keeps the schema.
const SCHEMA: &str = "@microsoft/jest-sarif/lib/schemas/sarif-2.1.0-rtm.5.json";

/// What the validator says of these logs, and whether they fit.
fn validated(logs: &[PathBuf]) -> (bool, String) {
    let program = outside("TRUSTLINE_TEST_SCHEMAS").join("check-jsonschema");
    let schema = outside("TRUSTLINE_TEST_NODE_MODULES").join(SCHEMA);
    assert!(schema.is_file(), "{} is missing", schema.display());
    let output = Command::new(program)
        .args(["--regex-variant", "nonunicode", "--schemafile"])
        .arg(schema)
        .args(logs)
        .output()
        .unwrap();
    (output.status.success(), String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned())
}

/// A log that a command prints, kept beside its input.
fn kept(folder: &Path, name: &str, arguments: &[&str]) -> (PathBuf, Value) {
    let output = trustline().args(arguments).args(["--output", "sarif"]).current_dir(folder).output().unwrap();
    let path = folder.join(name);
    fs::write(&path, &output.stdout).unwrap();
    let log = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&output.stderr)));
    (path, log)
}

#[test]
#[ignore = "needs check-jsonschema (TRUSTLINE_TEST_SCHEMAS) and the schema in @microsoft/jest-sarif (TRUSTLINE_TEST_NODE_MODULES)"]
fn sarif_fits_the_schema_of_its_makers() {
    let roles = [
        role("wide", json!([by_subject(GITHUB, "StringLike", "*")])),
        role("any", json!([by_subject(GITHUB, "StringLike", "repo:octo/app:*")])),
    ];
    let unused = json!({"OpenIDConnectProviderList": [{"Arn": format!("arn:aws:iam::{ACCOUNT}:oidc-provider/gitlab.com")}, {"Arn": format!("arn:aws:iam::{ACCOUNT}:oidc-provider/{GITHUB}")}]});
    let open = json!({"Version": "2012-10-17", "Statement": [by_subject(GITHUB, "StringLike", "repo:*")]});
    let folder = folder_with(&[
        ("ä b%[1].json", json!({"RoleDetailList": roles}).to_string()),
        ("providers.json", unused.to_string()),
        ("trust.json", open.to_string()),
        ("broken.json", "{\"RoleDetailList\": [{".to_owned()),
    ]);
    let document = json_of(folder.path(), &["."]);
    let findings = document["findings"].as_array().unwrap();
    assert!(findings.iter().any(|finding| finding.get("location").is_none()), "one has no place: {document:#}");
    let suppression = |finding: &Value, day: &str| {
        format!("[[suppress]]\nid = {}\nreason = \"SEC-1\"\nexpires = \"{day}\"\n", finding["id"])
    };
    let accepted = suppression(&findings[0], "2999-01-01") + &suppression(&findings[1], "2020-01-01");
    fs::write(folder.path().join("accepted.toml"), accepted).unwrap();
    let (audit, log) = kept(folder.path(), "audit.sarif", &["audit", ".", "--suppress", "accepted.toml"]);
    let results = log["runs"][0]["results"].as_array().unwrap();
    let suppressed = results.iter().filter(|result| result.get("suppressions").is_some()).count();
    let has_a_line = |result: &&Value| result["locations"][0]["physicalLocation"]["region"]["startLine"].is_u64();
    let placed = results.iter().filter(has_a_line).count();
    assert!(suppressed == 1 && placed > 1 && placed < results.len(), "{log:#}");
    let (trust, _) = kept(folder.path(), "trust.sarif", &["trust", "--policy", "trust.json", "--lint"]);
    let (check, log) = kept(folder.path(), "check.sarif", &["check", "--lab", "sub-mismatch"]);
    assert!(!log["runs"][0]["results"].as_array().unwrap().is_empty(), "{log:#}");
    let (fits, said) = validated(&[audit.clone(), trust, check]);
    assert!(fits, "{said}");
    // A validator that takes anything would show nothing.
    let spoilt = folder.path().join("spoilt.sarif");
    let text = fs::read_to_string(audit).unwrap();
    fs::write(&spoilt, text.replace("\"startLine\"", "\"beginLine\"")).unwrap();
    assert!(!validated(&[spoilt]).0, "the schema has no beginLine");
}
