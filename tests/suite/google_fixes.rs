//! What is named at Google is fixed by what is printed, with Google's own command line.

use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::Value;

use crate::lab::gcloud::gcloud_as_operator;
use crate::support::{RunningLab, trustline};

/// How many scenarios run at once; the command line starts slowly.
const AT_ONCE: usize = 4;

/// What an operator of the project fixes. A call of `gcloud` takes seconds, so one of each kind is here.
const FIXED: [&str; 16] = [
    "gcp-condition-false",
    "gcp-subject-too-long",
    "gcp-impersonation-missing",
    "gcp-member-unmapped",
    "gcp-api-disabled",
    "gcp-accessor-missing",
    "gcp-viewer-missing",
    "gcp-latest-disabled",
    "gcp-provider-disabled",
    "github-gcp-other-repository",
    "kubernetes-gcp-swapped",
    "gcp-static-key-deleted",
    "gcp-static-key-missing",
    "gcp-static-federation-file",
    "gcp-static-account-disabled",
    "gcp-static-account-deleted",
];

#[test]
#[ignore = "needs gcloud (TRUSTLINE_TEST_GCLOUD)"]
fn gcloud_carries_out_the_printed_fixes() {
    let (next, wrong) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                while let Some(name) = FIXED.get(next.fetch_add(1, Ordering::Relaxed)) {
                    if let Err(problem) = closes(name) {
                        wrong.lock().unwrap().push(format!("{name}: {problem}"));
                    }
                }
            });
        }
    });
    let wrong = wrong.into_inner().unwrap();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The scenario names its cause first, and is sound once the printed script has run.
fn closes(name: &str) -> Result<(), String> {
    let lab = RunningLab::start(name);
    let (profile, authority) = (lab.file("profile.toml"), lab.file("ca.pem"));
    let selected = |command: &str| {
        let mut program = trustline();
        program.args([command, "--profile-file", &profile, "--ca-file", &authority]);
        program
    };
    let check = || -> Value {
        let output = selected("check").args(["--output", "json"]).output().unwrap();
        serde_json::from_slice(&output.stdout).unwrap()
    };
    let before = check();
    if before["verdict"] != "fail" {
        return Err(format!("it is {} before the fix", before["verdict"]));
    }
    // Google's words leave it open whether the binding or the account is missing; the operator sees which.
    let with_operator: &[&str] = if name == "gcp-impersonation-missing" { &["--operator"] } else { &[] };
    let token = lab.file("operator-google-token");
    let fix = selected("fix").args(with_operator).env("CLOUDSDK_AUTH_ACCESS_TOKEN_FILE", token).output().unwrap();
    let script = String::from_utf8(fix.stdout).unwrap();
    if fix.status.code() != Some(0) {
        return Err(format!("no script: {}", String::from_utf8_lossy(&fix.stderr)));
    }
    let own = assert_cmd::cargo::cargo_bin!("trustline").parent().map(Path::to_owned).unwrap();
    let value = lab.folder.join("new-value");
    std::fs::write(&value, "a value of the lab").unwrap();
    let around = format!("PATH='{}':$PATH\nexport VALUE_FILE='{}'\n{script}", own.display(), value.display());
    gcloud_as_operator(&lab, &around)?;
    let after = check();
    if after["verdict"] == "pass" { Ok(()) } else { Err(format!("{}\n{script}", after["findings"])) }
}

/// A token alone does not show a deny policy: the script finds the role granted, grants nothing, and says who tells more. The
/// operator's names the policy and prints it.
#[test]
#[ignore = "needs gcloud (TRUSTLINE_TEST_GCLOUD)"]
fn gcloud_grants_nothing_against_a_deny_policy_and_prints_it() {
    let lab = RunningLab::start("gcp-deny-project");
    let (profile, authority) = (lab.file("profile.toml"), lab.file("ca.pem"));
    let script = |more: &[&str]| {
        let mut fix = trustline();
        fix.args(["fix", "--profile-file", &profile, "--ca-file", &authority]).args(more);
        let output = fix.env("CLOUDSDK_AUTH_ACCESS_TOKEN_FILE", lab.file("operator-google-token")).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    let policy = || gcloud_as_operator(&lab, "gcloud secrets get-iam-policy crewai-test-keyword --project crewai-lab");
    let before = policy().unwrap();
    let stopped = gcloud_as_operator(&lab, &script(&[])).unwrap_err();
    assert!(stopped.contains("is granted already") && stopped.contains("a check with --operator"), "{stopped}");
    assert_eq!(policy().unwrap(), before);
    let printed: Value = serde_json::from_str(&gcloud_as_operator(&lab, &script(&["--operator"])).unwrap()).unwrap();
    assert!(printed["name"].as_str().unwrap().ends_with("/denypolicies/no-values-to-pools"), "{printed}");
    assert_eq!(printed["rules"][0]["denyRule"]["deniedPermissions"][0], "secretmanager.googleapis.com/versions.access");
}

/// What the guide's steps 2 to 5 and 10 print, in their order; each is carried out as it is printed.
const ARTIFACTS: [&str; 9] = [
    "enable-services",
    "pool-create",
    "provider-create",
    "provider-update",
    "grant-viewer",
    "gcloud-secret-create",
    "grant-accessor-secret",
    "gcloud-version-add",
    "provider-describe",
];

/// From a project with nothing in it to a key that reads, by the guide's one script.
#[test]
#[ignore = "needs gcloud (TRUSTLINE_TEST_GCLOUD)"]
fn gcloud_makes_a_key_that_reads_by_the_guides_commands() {
    let lab = RunningLab::start("gcp-blank");
    let (profile, authority) = (lab.file("profile.toml"), lab.file("ca.pem"));
    let key = lab.folder.join("service-account-key.json");
    let file = format!("gcp.key-file={}", key.display());
    let sets = ["--profile-file", &profile, "--set", "guide=gcp-static", "--set", &file];
    let render = trustline().args(["render", "commands"]).args(sets).output().unwrap();
    let script = String::from_utf8(render.stdout).unwrap();
    let value = lab.folder.join("new-value");
    std::fs::write(&value, "a value of the lab").unwrap();
    let around = format!("cd '{}'\nexport VALUE_FILE='{}'\n{script}", lab.folder.display(), value.display());
    gcloud_as_operator(&lab, &around).unwrap_or_else(|failed| panic!("{failed}"));
    let output = trustline().args(["check", "--output", "json", "--ca-file", &authority]).args(sets).output().unwrap();
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["verdict"], "pass", "{report:#}");
    // The key by hand, as the check prints it: gcloud itself signs in with it at the lab.
    let by_hand = format!("CLOUDSDK_AUTH_CREDENTIAL_FILE_OVERRIDE='{}' gcloud auth print-access-token", key.display());
    let printed = gcloud_as_operator(&lab, &format!("unset CLOUDSDK_AUTH_ACCESS_TOKEN_FILE\n{by_hand}"));
    let token = printed.unwrap_or_else(|failed| panic!("{failed}"));
    assert!(token.starts_with("ya29."), "{token}");
}

#[test]
#[ignore = "needs gcloud (TRUSTLINE_TEST_GCLOUD)"]
fn gcloud_carries_out_what_the_guide_prints() {
    let lab = RunningLab::start("gcp-blank");
    let (profile, authority) = (lab.file("profile.toml"), lab.file("ca.pem"));
    let render = |artifact: &str, more: &[&str]| {
        let output = trustline().args(["render", artifact, "--profile-file", &profile]).args(more).output().unwrap();
        let script = String::from_utf8(output.stdout).unwrap();
        assert!(output.status.success() && !script.contains("'<"), "{artifact}: {script}");
        script
    };
    let value = lab.folder.join("new-value");
    std::fs::write(&value, "a value of the lab").unwrap();
    let around = format!("export VALUE_FILE='{}'\n", value.display());
    let scripts: String = ARTIFACTS.iter().map(|artifact| render(artifact, &[])).collect();
    // Through a service account: its own bindings, and that of the tokens on it.
    let account = "gcp.service-account=crewai-secrets-reader@crewai-lab.iam.gserviceaccount.com";
    let through: String =
        ["grant-impersonation", "grant-viewer", "grant-accessor"].map(|one| render(one, &["--set", account])).concat();
    let made = "gcloud iam service-accounts create crewai-secrets-reader --project crewai-lab >&2\n";
    gcloud_as_operator(&lab, &format!("{around}{scripts}{made}{through}")).unwrap_or_else(|failed| panic!("{failed}"));
    for more in [&[][..], &["--set", account]] {
        let output = trustline()
            .args(["check", "--output", "json", "--profile-file", &profile, "--ca-file", &authority])
            .args(more)
            .output()
            .unwrap();
        let report: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(report["verdict"], "pass", "{more:?}: {report:#}");
    }
}
