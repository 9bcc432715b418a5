//! The Azure CLI as the operator of a rotation: whoever is signed in writes, and who cannot is told why.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use serde_json::Value;

use crate::azure_cli::Operator;
use crate::support::{RunningLab, trustline};

/// `rotate --put` in a lab with the Azure CLI of these variables; the report.
fn rotate(lab: &RunningLab, variables: &[(String, String)]) -> Value {
    // The application that the variables name would be the operator before the Azure CLI.
    let own = |(name, _): &&(String, String)| {
        !name.starts_with("AWS_") && !name.starts_with("TRUSTLINE_OPERATOR_") && name != "HTTPS_PROXY"
    };
    let output = trustline()
        .envs(variables.iter().filter(own).cloned())
        .args(["rotate", "--put", "--yes", "--kickoff", "--output", "json"])
        .args(["--profile-file", &lab.file("profile.toml"), "--ca-file", &lab.file("ca.pem")])
        .write_stdin("rotated value")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}\n{said}"))
}

/// What stood in the way, and the causes that it has.
fn trouble(report: &Value) -> (String, Vec<&str>) {
    assert_eq!(report["verdict"], "not-rotated", "{report:#}");
    let trouble = &report["troubles"][0];
    let causes = trouble["findings"].as_array().into_iter().flatten().map(|finding| finding["cause"].as_str().unwrap());
    (trouble["reason"].as_str().unwrap_or_else(|| panic!("{report:#}")).to_owned(), causes.collect())
}

#[test]
#[ignore = "needs the Azure CLI (TRUSTLINE_TEST_AZURE_CLI)"]
fn whoever_is_signed_in_to_the_azure_cli_writes() {
    let lab = RunningLab::start("azure");
    let operator = Operator::of(&lab);
    let folder = tempfile::tempdir().unwrap();
    let report = rotate(&lab, &operator.variables());
    let (reason, causes) = trouble(&report);
    assert!(reason.starts_with("the Azure CLI: nobody is signed in; run `az login --tenant 4c1a2b3d"), "{reason}");
    assert!(causes.is_empty(), "{causes:?}");

    operator.sign_in(folder.path());
    let report = rotate(&lab, &operator.variables());
    assert_eq!(report["verdict"], "propagated", "{report:#}");
    assert_eq!(
        report["operator"], "99999999-aaaa-4bbb-8ccc-000000000000 (99999999-dddd-4eee-8fff-000000000000)",
        "{report:#}"
    );

    operator.sh(folder.path(), "az logout", "");
    let report = rotate(&lab, &operator.variables());
    assert!(trouble(&report).0.contains("nobody is signed in"), "{report:#}");
}

#[test]
#[ignore = "needs the Azure CLI (TRUSTLINE_TEST_AZURE_CLI)"]
fn what_entra_says_to_the_azure_cli_is_told() {
    let lab = RunningLab::start("azure");
    let operator = Operator::of(&lab);
    let folder = tempfile::tempdir().unwrap();
    operator.sign_in(folder.path());
    operator.sh(folder.path(), "az ad app delete --id 99999999-aaaa-4bbb-8ccc-000000000000", "");
    let report = rotate(&lab, &operator.variables());
    let (reason, _) = trouble(&report);
    let said = "the Azure CLI: Entra gives it no token: Application with identifier '99999999-aaaa-4bbb-8ccc-000000000000' was not found";
    assert!(reason.starts_with(said), "{reason}");
}

/// What the CLI prints in situations that a lab cannot bring about.
#[test]
fn what_the_azure_cli_complains_of_is_told() {
    let lab = RunningLab::start("azure");
    let expired = "ERROR: AADSTS700082: The refresh token has expired due to inactivity. The token was issued on \
                   2026-01-01T00:00:00.0000000Z and was inactive for 90.00:00:00. Trace ID: 1 Correlation ID: 2 Timestamp: \
                   2026-07-01 00:00:00Z\nInteractive authentication is needed. Please run:\naz login --scope https://vault.azure.net/.default";
    for (complaint, said, cause) in [
        (Some(expired), "The refresh token has expired due to inactivity.", Some("token-expired")),
        (
            Some(
                "ERROR: AADSTS90002: Tenant 'x' not found. Check to make sure you have the correct tenant ID. Trace ID: 1",
            ),
            "Tenant 'x' not found.",
            None,
        ),
        (None, "program az cannot be started", None),
    ] {
        let folder = tempfile::tempdir().unwrap();
        if let Some(complaint) = complaint {
            let az = folder.path().join("az");
            fs::write(&az, format!("#!/bin/sh\n/bin/cat >&2 <<'END'\n{complaint}\nEND\nexit 1\n")).unwrap();
            fs::set_permissions(&az, fs::Permissions::from_mode(0o755)).unwrap();
        }
        let path = folder.path().to_str().unwrap().to_owned();
        let report = rotate(&lab, &[("PATH".to_owned(), path)]);
        let (reason, causes) = trouble(&report);
        assert!(reason.starts_with("the Azure CLI: ") && reason.contains(said), "{reason}");
        assert!(!reason.contains("Trace ID"), "{reason}");
        assert_eq!(causes.first().copied(), cause, "{reason}");
    }
}
