//! `check --operator` at Google: the project's own side, read by an operator whose rights are those of `render operator-role`
//! and no others, proves what is wrong; and nothing but reads goes out.

use std::collections::BTreeSet;
use std::fs;

use serde_json::{Value, json};

use crate::support::{RunningLab, scenario, trustline};

const OPERATOR: &str = "user:operator@example.com";
const ROLE: &str = "projects/crewai-lab/roles/trustlineOperator";
const READER: &str = "[google.grants.reader]\n";
const VIEWER: &str = "[google.grants.viewer]\n";
const PROVIDER: &str = "[google.pools.crewai-pool.providers.crewai-provider]\n";
/// What no read of an operator's can prove: a key of the issuer's that Google does not read.
const NOT_PROVEN: &str = "gcp-key-p384";

test_each_scenario! { is_proven:
    gcp_issuer_not_configured gcp_jwks_unreachable gcp_jwks_kid_missing gcp_uploaded_keys_stale
    gcp_signature_invalid gcp_key_p384 gcp_alg_unsupported gcp_malformed_token gcp_token_expired gcp_clock_ahead
    gcp_iss_mismatch gcp_aud_mismatch gcp_aud_list gcp_aud_empty gcp_condition_false gcp_condition_fails
    gcp_mapping_missing gcp_mapping_type gcp_subject_too_long gcp_provider_disabled gcp_provider_deleted
    gcp_pool_disabled gcp_wrong_number gcp_throttled gcp_member_other_organization gcp_member_unmapped
    gcp_accessor_missing gcp_viewer_missing gcp_viewer_on_secret gcp_impersonation_missing
    gcp_service_account_missing gcp_deny_project gcp_deny_folder gcp_deny_impersonation
    gcp_api_disabled gcp_latest_disabled gcp_secret_empty gcp_secret_not_found gcp_regional_secret
    gcp_json_key_missing gcp_blank
}

#[test]
fn every_scenario_with_a_cause_is_among_them() {
    let all = trustline::lab::World::list().unwrap();
    let of_google = all.iter().filter(|one| one.guide == "gcp-workload-identity" && one.expects.is_some());
    let of_google = of_google.filter(|one| one.rotation.is_none());
    assert_eq!(TESTED, of_google.map(|one| one.name.replace('-', "_")).collect::<Vec<_>>());
}

/// The operator's rights, taken from what the program prints.
fn least_rights() -> String {
    let printed = trustline().args(["render", "operator-role", "--lab", "gcp"]).output().unwrap();
    let told = String::from_utf8_lossy(&printed.stderr);
    assert!(told.contains("roles/iam.denyReviewer are granted on the organization"), "{told}");
    let role: Value = serde_json::from_slice(&printed.stdout).unwrap();
    format!(
        "[google.roles]\n\"{ROLE}\" = {}\n[google.grants.operator]\nrole = \"{ROLE}\"\n",
        role["includedPermissions"]
    )
}

fn world(differences: &str) -> RunningLab {
    RunningLab::world(&format!(
        "name = \"test\"\ntitle = \"a test\"\nguide = \"gcp-workload-identity\"\n{differences}{}",
        least_rights()
    ))
}

/// What a check finds with the operator's access token, and the profile without a copy of anything.
fn with_operator(lab: &RunningLab) -> Value {
    let profile = lab.file("profile.toml");
    let text = fs::read_to_string(&profile).unwrap();
    let copies = ["provider-file", "iam-policy"];
    let kept: Vec<&str> = text.lines().filter(|line| !copies.iter().any(|copy| line.starts_with(copy))).collect();
    fs::write(&profile, kept.join("\n")).unwrap();
    as_operator(lab, "operator-google-token")
}

fn as_operator(lab: &RunningLab, token: &str) -> Value {
    let output = trustline()
        .args(["check", "--operator", "--output", "json", "--profile-file", &lab.file("profile.toml")])
        .args(["--ca-file", &lab.file("ca.pem")])
        .env("CLOUDSDK_AUTH_ACCESS_TOKEN_FILE", lab.file(token))
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&output.stderr);
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {told}"))
}

/// What any of Google's services was asked with the operator's token.
pub(super) fn asked_by_operator(lab: &RunningLab) -> Vec<(String, String)> {
    let entries = lab.requests("google_iam");
    let text = |entry: &Value, name: &str| entry[name].as_str().unwrap().to_owned();
    let own = entries.iter().filter(|entry| entry["client_id"] == OPERATOR);
    own.map(|entry| (text(entry, "method"), text(entry, "path"))).collect()
}

fn only_reads((method, path): &(String, String)) -> bool {
    let is_read = method == "GET" || path.ends_with(":getIamPolicy") || path.ends_with("/entries:list");
    is_read && !path.ends_with(":access")
}

fn check<'r>(report: &'r Value, id: &str) -> &'r Value {
    let checks = report["checks"].as_array().unwrap();
    checks.iter().find(|check| check["id"] == id).unwrap_or_else(|| panic!("{id}: {report:#}"))
}

fn outcome<'r>(report: &'r Value, id: &str) -> (&'r str, &'r str) {
    let check = check(report, id);
    (check["outcome"].as_str().unwrap(), check["reason"].as_str().unwrap_or_default())
}

fn first(report: &Value) -> (&str, &str) {
    let finding = &report["findings"][0];
    (finding["cause"].as_str().unwrap_or_default(), finding["certainty"].as_str().unwrap_or_default())
}

fn is_proven(name: &str) {
    let path = format!("{}/assets/lab/{name}.toml", env!("CARGO_MANIFEST_DIR"));
    let lab = RunningLab::world(&format!("{}\n{}", fs::read_to_string(path).unwrap(), least_rights()));
    let report = with_operator(&lab);
    let about = scenario(name);
    let expected = about.expects_by_operator.or(about.expects).unwrap();
    let (cause, certainty) = first(&report);
    assert_eq!(cause, expected, "{report:#}");
    assert!(certainty == "proven" || name == NOT_PROVEN, "{report:#}");
    assert!(!report.to_string().contains("the operator lacks") || name == "gcp-wrong-number", "{report:#}");
    let findings = report["findings"].as_array().unwrap();
    assert!(findings.iter().all(|finding| finding["certainty"] != "possible"), "{report:#}");
    let asked = asked_by_operator(&lab);
    assert!(asked.len() > 4 && asked.iter().all(only_reads), "{asked:?}");
}

test_each! { reads_the_world:
    healthy: ("", None);
    // Every service was busy first.
    pauses: ("[google]\nthrottled-reads = 2\n", None);
    the_secret_has_the_role: (&format!("{READER}secret = \"crewai-test-keyword\"\n"), None);
    by_a_service_account: (
        "[google.grants.impersonator]\nrole = \"roles/iam.workloadIdentityUser\"\nservice-account = \"crewai-secrets-reader\"\n\
         members = [\"principalSet://iam.googleapis.com/projects/${project-number}/locations/global/workloadIdentityPools/crewai-pool/*\"]\n\
         [google.grants.reader]\nmembers = [\"serviceAccount:crewai-secrets-reader@crewai-lab.iam.gserviceaccount.com\"]\n\
         [google.grants.viewer]\nmembers = [\"serviceAccount:crewai-secrets-reader@crewai-lab.iam.gserviceaccount.com\"]\n\
         [profile.google]\nservice-account = \"crewai-secrets-reader@crewai-lab.iam.gserviceaccount.com\"\n",
        None
    );
    a_role_of_somebody_elses_account: (
        "[google.grants.impersonator]\nrole = \"roles/iam.workloadIdentityUser\"\nservice-account = \"crewai-secrets-reader\"\n\
         members = [\"principalSet://iam.googleapis.com/projects/${project-number}/locations/global/workloadIdentityPools/crewai-pool/*\"]\n\
         [google.grants.reader]\nmembers = [\"serviceAccount:other@crewai-lab.iam.gserviceaccount.com\"]\n\
         [google.grants.viewer]\nmembers = [\"serviceAccount:crewai-secrets-reader@crewai-lab.iam.gserviceaccount.com\"]\n\
         [profile.google]\nservice-account = \"crewai-secrets-reader@crewai-lab.iam.gserviceaccount.com\"\n",
        Some(("secret-iam-missing", "gcp.bindings"))
    );
    a_custom_role_without_the_read: (
        &format!("[google.roles]\n\"projects/crewai-lab/roles/half\" = [\"secretmanager.secrets.get\"]\n{READER}role = \"projects/crewai-lab/roles/half\"\n"),
        Some(("secret-iam-missing", "gcp.bindings"))
    );
    a_binding_of_another_letter_case: (
        &format!("{READER}members = [\"principalSet://iam.googleapis.com/projects/${{project-number}}/locations/global/workloadIdentityPools/crewai-pool/attribute.organization/6F1D2C3B-4A59-4E68-8778-96A5B4C3D2E1\"]\n{VIEWER}present = false\n"),
        Some(("principalset-mismatch", "gcp.bindings"))
    );
    a_condition_of_another_organization: (
        &format!("{PROVIDER}attribute-condition = \"assertion.organization_id == 'other'\"\n"),
        Some(("attribute-condition", "trust.policy"))
    );
}

/// The cause that is proven in a world, and by which check; none where all is well.
fn reads_the_world(differences: &str, expected: Option<(&str, &str)>) {
    let rights = least_rights();
    // Two descriptions of one table are no TOML.
    let (differences, rights) = match differences.strip_prefix("[google.roles]\n") {
        Some(rest) => {
            let (own, rest) = rest.split_once('\n').unwrap();
            (rest.to_owned(), rights.replacen("[google.roles]\n", &format!("[google.roles]\n{own}\n"), 1))
        }
        None => (differences.to_owned(), rights),
    };
    let lab = RunningLab::world(&format!(
        "name = \"test\"\ntitle = \"a test\"\nguide = \"gcp-workload-identity\"\n{differences}{rights}"
    ));
    let report = with_operator(&lab);
    let Some((cause, id)) = expected else {
        assert_eq!(report["verdict"], "pass", "{report:#}");
        crate::operator::shows_what_it_saw(&report);
        for id in ["gcp.operator", "gcp.provider", "trust.policy", "gcp.bindings", "gcp.secret-settings"] {
            assert_eq!(outcome(&report, id).0, "pass", "{report:#}");
        }
        return;
    };
    assert_eq!(first(&report), (cause, "proven"), "{report:#}");
    assert_eq!(report["findings"][0]["check"], id, "{report:#}");
}

/// A world of the assets with the operator's least rights in the project.
fn built_in(name: &str, differences: impl FnOnce(String) -> String) -> RunningLab {
    let path = format!("{}/assets/lab/{name}.toml", env!("CARGO_MANIFEST_DIR"));
    let text = differences(fs::read_to_string(path).unwrap());
    RunningLab::world(&format!("{text}\n{}", least_rights()))
}

test_each! { what_is_granted_above_the_project_counts:
    on_a_folder: ("gcp-folder-binding", "", "the folder 420000000002");
    on_the_organization: ("gcp-organization-binding", "", "the organization 310000000001");
    after_pauses: ("gcp-folder-binding", "throttled-reads = 3\n", "the folder 420000000002");
}

fn what_is_granted_above_the_project_counts(name: &str, more: &str, place: &str) {
    let lab = built_in(name, |text| text.replacen("[google]\n", &format!("[google]\n{more}"), 1));
    let report = with_operator(&lab);
    let (bindings, why) = outcome(&report, "gcp.bindings");
    assert_eq!((bindings, &report["verdict"]), ("pass", &json!("pass")), "{report:#}");
    let granted = "`secretmanager.versions.access` by `roles/secretmanager.secretAccessor`";
    assert!(why.contains(&format!("{granted} on {place}")) && !why.contains("not read"), "{why}");
    assert!(asked_by_operator(&lab).iter().all(only_reads));
    assert!(more.is_empty() || report.to_string().contains("throttled"), "{report:#}");
}

/// One folder keeps its policy from the operator, which is a denial of the one permission to the one person.
const CLOSED_FOLDER: &str = "[google.deny-policies.closed]\nabove = \"folders/420000000002\"\n\
    denied-principals = [\"principal://goog/subject/operator@example.com\"]\n\
    denied-permissions = [\"cloudresourcemanager.googleapis.com/folders.getIamPolicy\"]\n";

#[test]
fn a_folder_that_may_not_be_read_leaves_open_what_is_granted_there() {
    let lacks = "the operator lacks resourcemanager.folders.getIamPolicy";
    let report = with_operator(&built_in("gcp-folder-binding", |text| text + CLOSED_FOLDER));
    let (bindings, why) = outcome(&report, "gcp.bindings");
    assert!(bindings == "pass" && why.contains("by a policy that was not read") && why.contains(lacks), "{report:#}");
    let report = with_operator(&built_in("gcp-folder-binding", |text| {
        text.replace("[google.grants.reader]\n", "[google.grants.reader]\npresent = false\n") + CLOSED_FOLDER
    }));
    assert_eq!(first(&report), ("secret-iam-missing", "likely"), "{report:#}");
    assert!(report["findings"][0]["evidence"].to_string().contains(lacks), "{report:#}");
}

#[test]
fn deny_policies_that_may_not_be_read_leave_a_refusal_open() {
    let lab = built_in("gcp-deny-project", |text| {
        text.replace("[google.grants.deny-reviewer]\n", "[google.grants.deny-reviewer]\npresent = false\n")
    });
    let report = with_operator(&lab);
    let found = report["findings"].as_array().unwrap();
    let open = found.iter().find(|one| one["check"] == "gcp.bindings").unwrap_or_else(|| panic!("{report:#}"));
    assert_eq!((&open["cause"], &open["certainty"]), (&json!("propagation-delay"), &json!("likely")), "{report:#}");
    assert!(open["evidence"].to_string().contains("the operator lacks iam.denypolicies.list"), "{open:#}");
}

#[test]
fn the_deny_policy_that_refuses_is_found_on_a_later_page_and_its_owner_is_asked() {
    let others: String = (0..60)
        .map(|number| {
            format!(
                "[google.deny-policies.a-{number}]\ndenied-principals = [\"principalSet://goog/public:all\"]\n\
                 denied-permissions = [\"storage.googleapis.com/objects.get\"]\n"
            )
        })
        .collect();
    let lab = built_in("gcp-deny-project", |text| text + &others);
    let report = with_operator(&lab);
    assert_eq!(first(&report), ("secret-iam-missing", "proven"), "{report:#}");
    assert_eq!(report["findings"].as_array().unwrap().len(), 1, "{report:#}");
    let finding = &report["findings"][0];
    let name = "policies/cloudresourcemanager.googleapis.com%2Fprojects%2F123456789012/denypolicies/no-values-to-pools";
    assert!(finding["evidence"].to_string().contains(name), "{finding:#}");
    let fix = &finding["fixes"][0];
    let command = fix["command"].as_str().unwrap_or_default();
    assert!(command.contains("gcloud iam policies get") && !command.contains("add-iam-policy-binding"), "{fix:#}");
    assert!(!command.contains("delete") && !command.contains("update"), "{command}");
    let text = fix["text"].as_str().unwrap();
    assert!(text.contains("exceptionPrincipals") && text.contains("attribute.organization/"), "{text}");
    let pages =
        asked_by_operator(&lab).into_iter().filter(|(_, path)| path.ends_with("projects%2F123456789012/denypolicies"));
    assert_eq!(pages.count(), 2);
}

#[test]
fn what_the_operator_lacks_is_named_and_the_rest_goes_on() {
    let only = "[google.roles]\n\"projects/crewai-lab/roles/one\" = [\"iam.workloadIdentityPoolProviders.get\"]\n\
                [google.grants.operator]\nrole = \"projects/crewai-lab/roles/one\"\n";
    let lab = RunningLab::world(&format!("name = \"t\"\ntitle = \"t\"\nguide = \"gcp-workload-identity\"\n{only}"));
    let report = with_operator(&lab);
    assert_eq!(report["verdict"], "inconclusive", "{report:#}");
    for (id, permission) in [
        ("gcp.provider", "iam.workloadIdentityPools.get"),
        ("gcp.bindings", "resourcemanager.projects.getIamPolicy"),
        ("gcp.secret-settings", "secretmanager.secrets.get"),
    ] {
        let (outcome, why) = outcome(&report, id);
        assert!(outcome == "inconclusive" && why.contains(&format!("the operator lacks {permission}")), "{id}: {why}");
    }
    // Whoever is refused is known, and the provider in force was read.
    assert_eq!((outcome(&report, "gcp.operator").0, outcome(&report, "trust.policy").0), ("pass", "pass"));
    assert_eq!(report["findings"], json!([]), "{report:#}");
}

#[test]
fn an_expired_access_token_is_told_once_and_the_workload_is_checked_as_ever() {
    let lab = world("");
    fs::write(lab.file("expired"), "ya29.no-such-token\n").unwrap();
    let report = as_operator(&lab, "expired");
    let (outcome_of_operator, why) = outcome(&report, "gcp.operator");
    assert!(outcome_of_operator == "inconclusive" && why.contains("gcloud auth login"), "{why}");
    for id in ["gcp.provider", "gcp.bindings", "gcp.secret-settings"] {
        assert_eq!(outcome(&report, id), ("skipped", "blocked by gcp.operator"), "{report:#}");
    }
    assert_eq!(outcome(&report, "gcp.get-secret").0, "pass");
    assert!(!report.to_string().contains("no-such-token"), "{report:#}");
    let none = as_operator(&lab, "no-such-file");
    assert!(outcome(&none, "gcp.operator").1.contains("no-such-file"), "{none:#}");
}

#[test]
fn what_is_too_busy_for_the_whole_run_could_not_be_checked() {
    let lab = world("[google]\nthrottled-reads = 100000\n");
    let output = trustline()
        .args([
            "check",
            "--operator",
            "--output",
            "json",
            "--timeout",
            "3",
            "--profile-file",
            &lab.file("profile.toml"),
        ])
        .args(["--ca-file", &lab.file("ca.pem"), "--only", "gcp.provider,gcp.bindings,gcp.operator"])
        .env("CLOUDSDK_AUTH_ACCESS_TOKEN_FILE", lab.file("operator-google-token"))
        .output()
        .unwrap();
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    for check in report["checks"].as_array().unwrap() {
        assert!(!["pass", "fail"].contains(&check["outcome"].as_str().unwrap()), "{check:#}");
    }
    assert_eq!(report["verdict"], "inconclusive", "{report:#}");
}

#[test]
fn a_copy_that_is_not_in_force_is_told_and_judged_no_more() {
    let lab = world("");
    let copy = lab.file("provider.json");
    let other = fs::read_to_string(&copy).unwrap().replace("== '6f1d2c3b", "== '00000000");
    fs::write(&copy, other).unwrap();
    let report = as_operator(&lab, "operator-google-token");
    assert_eq!(outcome(&report, "trust.policy").0, "warn", "{report:#}");
    let finding = &report["findings"][0];
    assert_eq!((first(&report), &finding["check"]), (("policy-drift", "proven"), &json!("trust.policy")));
    let told = finding["evidence"].to_string();
    assert!(told.contains("== '00000000") && told.contains("== '6f1d2c3b"), "{told}");
}

#[test]
fn without_a_token_what_is_expected_meets_what_is_in_force() {
    let without_token = |differences: &str| {
        let lab = world(differences);
        let profile = lab.file("profile.toml");
        let text = fs::read_to_string(&profile).unwrap();
        fs::write(&profile, text.replace("file = \"token.jwt\"", "env = \"NO_SUCH_TOKEN\"")).unwrap();
        let output = trustline()
            .args(["check", "--operator", "--output", "json", "--profile-file", &profile])
            .args(["--ca-file", &lab.file("ca.pem"), "--allow-env", "NO_SUCH_TOKEN"])
            .env("CLOUDSDK_AUTH_ACCESS_TOKEN_FILE", lab.file("operator-google-token"))
            .output()
            .unwrap();
        serde_json::from_slice::<Value>(&output.stdout).unwrap()
    };
    let report = without_token("");
    let (outcome_of_trust, why) = outcome(&report, "trust.policy");
    assert!(outcome_of_trust == "pass" && why.starts_with("predicted: "), "{report:#}");
    assert_eq!(outcome(&report, "gcp.provider").0, "pass", "{report:#}");
    assert_eq!(outcome(&report, "gcp.secret-settings").0, "pass", "{report:#}");
    let report = without_token(&format!("{PROVIDER}attribute-condition = \"assertion.organization_id == 'other'\"\n"));
    let found = report["findings"].as_array().unwrap().iter().find(|one| one["cause"] == "attribute-condition");
    assert!(found.unwrap()["summary"].as_str().unwrap().starts_with("predicted: "), "{report:#}");
}

#[test]
fn a_guides_steps_are_seen_to_be_done_before_a_token_shows_it() {
    let lab = world("");
    let (profile, ca) = (lab.file("profile.toml"), lab.file("ca.pem"));
    let text = fs::read_to_string(&profile).unwrap();
    fs::write(&profile, text.replace("[token]\nfile = \"token.jwt\"\n", "")).unwrap();
    let seen = |arguments: &[&str]| {
        let output = trustline()
            .args(["guide", "gcp-workload-identity", "--check", "--output", "json"])
            .args(["--profile-file", &profile, "--ca-file", &ca])
            .args(arguments)
            .env("CLOUDSDK_AUTH_ACCESS_TOKEN_FILE", lab.file("operator-google-token"))
            .output()
            .unwrap();
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        let document: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{told}"));
        let steps = document["guides"][0]["steps"].as_array().unwrap();
        let done = steps.iter().filter(|step| step["state"]["is"] == "verified");
        done.map(|step| step["number"].as_u64().unwrap()).collect::<BTreeSet<_>>()
    };
    // What the provider says to a token that is expected shows nothing.
    let (without, with) = (seen(&[]), seen(&["--operator"]));
    let own = BTreeSet::from([2, 4, 5]);
    assert!(own.is_disjoint(&without) && own.is_subset(&with), "{without:?} {with:?}");
}

#[test]
fn the_projects_own_log_is_read_and_judged_by_the_provider_in_force() {
    let lab = world(&format!("{PROVIDER}attribute-condition = \"assertion.sub == 'organization:other'\"\n"));
    with_operator(&lab);
    let output = trustline()
        .args(["events", "--operator", "--output", "json", "--profile-file", &lab.file("profile.toml")])
        .args(["--ca-file", &lab.file("ca.pem")])
        .env("CLOUDSDK_AUTH_ACCESS_TOKEN_FILE", lab.file("operator-google-token"))
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    let document: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{told}"));
    let events = document["events"].as_array().unwrap();
    assert_eq!(events.len(), 1, "{document:#}\n{told}");
    let cause = &events[0]["causes"][0];
    assert_eq!((&events[0]["outcome"], &events[0]["verdict"]), (&json!("refused"), &json!("deny")), "{document:#}");
    assert_eq!((&cause["cause"], &cause["certainty"]), (&json!("attribute-condition"), &json!("proven")));
    assert!(told.contains("Reading with the access token in "), "{told}");
    assert!(asked_by_operator(&lab).iter().all(only_reads));
}
