//! `check --operator`: AWS's own side, read by an operator who may read and nothing else, proves what is wrong.

mod guide;
mod refusals;

use std::collections::BTreeSet;
use std::fs;

use serde_json::{Value, json};
use trustline::domain::guide::Guide;
use trustline::domain::ids::Cloud;
use trustline::lab::World;

use super::support::{RunningLab, scenario, trustline};

/// What decides this is the trust of an account that the operator is not of.
const IN_ANOTHER_ACCOUNT: &str = "circleci-sub-account-trust";

test_each_scenario! { is_proven_by_an_operator_who_only_reads:
    issuer_not_configured discovery_invalid issuer_differs issuer_redirect jwks_unreachable jwks_invalid jwks_too_many
    jwks_key_ops jwks_kid_missing tls_expired tls_name tls_untrusted token_expired clock_skew signature_invalid
    malformed_token opaque_token alg_unsupported aud_multi_without_azp roles_claim provider_missing
    provider_other_issuer aud_not_registered principal_arn_wrong wrong_account role_missing role_propagation
    session_duration action_missing sub_mismatch sub_case_mismatch aud_mismatch condition_key_wrong operator_wrong
    explicit_deny missing_list list_resource_scoped missing_get explicit_deny_read secret_arn_suffix
    versionstage_condition missing_kms kms_key_policy kms_key_state secret_wrong_region secret_not_found secret_empty
    secret_pending_deletion json_key_missing deployment_unreachable deployment_token_wrong deployment_inputs_missing
    static_key_missing static_key_temporary static_key_wrong static_key_deleted static_missing_list
    static_secret_not_found
    assume_role_denied assume_role_untrusted external_id
    circleci_hop_denied circleci_sub_account_caller circleci_sub_account_trust
    blank
}

#[test]
fn every_broken_aws_scenario_is_here() {
    let is_broken = |name: &str| {
        let about = scenario(name);
        let guide: Guide = about.guide.parse().unwrap();
        // Those of a guide that goes as another one does are its faults at another issuer.
        about.expects.is_some()
            && guide.cloud() == Cloud::Aws
            && guide.alike().is_none()
            && about.rotation.is_none()
            && name != "issuer-slow"
    };
    let all: Vec<String> = World::list().unwrap().into_iter().map(|scenario| scenario.name).collect();
    let broken: Vec<String> =
        all.into_iter().filter(|name| is_broken(name)).map(|name| name.replace('-', "_")).collect();
    assert_eq!(TESTED, broken);
}

/// The scenario's world with an operator who has the policy that `render operator-policy` prints, and no other.
fn with_least_rights(name: &str) -> RunningLab {
    let policy = trustline().args(["render", "operator-policy", "--lab", name]).output().unwrap().stdout;
    with_operator_policy(name, &String::from_utf8(policy).unwrap())
}

pub(super) fn with_operator_policy(name: &str, policy: &str) -> RunningLab {
    let path = format!("{}/assets/lab/{name}.toml", env!("CARGO_MANIFEST_DIR"));
    // A description says in what it differs from the healthy world.
    let world = match name {
        "healthy" => "name = \"least\"\ntitle = \"the operator may only read\"\n".to_owned(),
        _ => fs::read_to_string(path).unwrap(),
    };
    RunningLab::world(&format!("{world}\n[aws.users.operator.policies]\nAdministratorAccess = '''\n{policy}\n'''\n"))
}

/// What `check` reports in an operator's shell, without the profile's copies of what is in force.
pub(super) fn checked(lab: &RunningLab, arguments: &[&str]) -> Value {
    checked_with(lab, arguments, &[])
}

/// What the file exports that the lab has for its operator's shell.
pub(super) fn variables(lab: &RunningLab) -> Vec<(String, String)> {
    let shell = format!(". '{}'; env -0", lab.file("operator.env"));
    let printed = std::process::Command::new("sh").args(["-c", &shell]).env_clear().output().unwrap().stdout;
    let lines = String::from_utf8(printed).unwrap();
    let own = lines.split('\0').filter_map(|line| line.split_once('='));
    own.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

/// The same with other variables beside those of the lab's operator, or in their place.
fn checked_with(lab: &RunningLab, arguments: &[&str], more: &[(&str, &str)]) -> Value {
    let profile = lab.file("profile.toml");
    let copies = ["trust-policy", "identity-policy"];
    let kept: Vec<String> = fs::read_to_string(&profile)
        .unwrap()
        .lines()
        .filter(|line| !copies.iter().any(|copy| line.starts_with(copy)))
        .map(str::to_owned)
        .collect();
    fs::write(&profile, kept.join("\n")).unwrap();
    let output = trustline()
        .envs(variables(lab))
        .envs(more.iter().copied())
        .args(["check", "--output", "json", "--profile-file", &profile, "--ca-file", &lab.file("ca.pem")])
        .args(["--allow-host", "127.0.0.1", "--allow-host", "localhost"])
        .args(arguments)
        .output()
        .unwrap();
    serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&output.stderr)))
}

/// Every check of a report that ran.
pub(super) fn shows_what_it_saw(report: &Value) {
    for check in report["checks"].as_array().unwrap().iter().filter(|check| check["outcome"] != "skipped") {
        assert!(!check["facts"].as_object().unwrap().is_empty(), "{} shows nothing: {report:#}", check["id"]);
    }
}

pub(super) fn check<'a>(report: &'a Value, id: &str) -> &'a Value {
    let checks = report["checks"].as_array().unwrap();
    checks.iter().find(|check| check["id"] == id).unwrap_or_else(|| panic!("{id}: {report:#}"))
}

fn is_proven_by_an_operator_who_only_reads(name: &str) {
    let lab = with_least_rights(name);
    let report = checked(&lab, &["--operator"]);
    assert!(!report.to_string().contains("the operator lacks"), "{report:#}");
    let first = &report["findings"][0];
    let expected = scenario(name).expects.unwrap();
    assert_eq!(first["cause"], expected, "{report:#}");
    if name != IN_ANOTHER_ACCOUNT {
        assert_eq!(first["certainty"], "proven", "{report:#}");
    }
    let others = report["findings"].as_array().unwrap().iter().skip(1);
    assert_eq!(others.filter(|finding| finding["certainty"] == "possible").count(), 0, "{report:#}");
    let asked = asked_by_operator(&lab);
    let granted = least_rights(name);
    let may = |operation: &str| operation == "sts:GetCallerIdentity" || granted.contains(operation);
    assert!(asked.len() > 4 && asked.iter().all(|one| may(one) && only_reads(one)), "{asked:?}");
}

/// The operator's key in every world.
const OPERATOR_KEY: &str = "AKIALABOPERATOR00000";

/// Every operation that went out with the operator's key, whichever service it went to, as the lab wrote it down.
fn asked_by_operator(lab: &RunningLab) -> BTreeSet<String> {
    let own = lab.requests("iam").into_iter().filter(|one| one["access_key_id"] == OPERATOR_KEY);
    own.map(|one| match one["operation"].as_str().unwrap() {
        policy if policy.starts_with("GET /") && policy.ends_with("/policy") => {
            "iam:GetRequestAuthorizationPolicy".into()
        }
        details if details.starts_with("GET /") => "iam:GetRequestAuthorizationDetails".into(),
        operation => format!("{}:{operation}", one["service"].as_str().unwrap()),
    })
    .collect()
}

fn only_reads(operation: &str) -> bool {
    let verb = |verb: &str| operation.split_once(':').is_some_and(|(_, name)| name.starts_with(verb));
    ["Get", "List", "Describe", "Lookup"].iter().any(|known| verb(known)) && !operation.ends_with("SecretValue")
}

/// The actions that the printed policy allows.
fn least_rights(name: &str) -> BTreeSet<String> {
    let printed = trustline().args(["render", "operator-policy", "--lab", name]).output().unwrap().stdout;
    let policy: Value = serde_json::from_slice(&printed).unwrap();
    let statements = policy["Statement"].as_array().unwrap();
    let actions = statements.iter().flat_map(|statement| statement["Action"].as_array().unwrap());
    actions.map(|action| action.as_str().unwrap().to_owned()).collect()
}

#[test]
fn the_accounts_record_is_read_with_the_same_rights() {
    let lab = with_least_rights("sub-mismatch");
    let report = checked(&lab, &["--only", "aws.assume-role-with-web-identity"]);
    assert_eq!(report["verdict"], "fail", "{report:#}");
    let output = trustline()
        .envs([
            ("AWS_ACCESS_KEY_ID", OPERATOR_KEY),
            ("AWS_SECRET_ACCESS_KEY", "lab/only/secret/access/key/of/operator00"),
        ])
        .args(["events", "--operator", "--output", "json", "--profile-file", &lab.file("profile.toml")])
        .args(["--ca-file", &lab.file("ca.pem")])
        .output()
        .unwrap();
    let document: Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&output.stderr)));
    assert_eq!(document["events"][0]["causes"][0]["certainty"], "proven", "{document:#}");
    let asked = asked_by_operator(&lab);
    assert!(asked.contains("cloudtrail:LookupEvents") && asked.contains("iam:GetRole"), "{asked:?}");
    assert!(asked.iter().all(|one| only_reads(one)), "{asked:?}");
}

#[test]
fn what_is_in_force_passes_where_all_is_well() {
    for name in ["healthy", "static", "assume-role", "circleci"] {
        let report = checked(&with_least_rights(name), &["--operator"]);
        assert_eq!(report["verdict"], "pass", "{name}: {report:#}");
        let operator = check(&report, "aws.operator");
        assert_eq!(operator["reason"], "arn:aws:iam::123456789012:user/operator", "{name}");
        shows_what_it_saw(&report);
    }
}

#[test]
fn without_any_token_what_is_expected_is_judged_by_what_is_in_force() {
    let lab = RunningLab::start("healthy");
    let profile = lab.file("profile.toml");
    let text = fs::read_to_string(&profile).unwrap().replace("file = \"token.jwt\"", "env = \"NO_SUCH_TOKEN\"");
    fs::write(&profile, text).unwrap();
    let report = checked(&lab, &["--operator", "--allow-env", "NO_SUCH_TOKEN"]);
    for id in ["aws.oidc-provider", "trust.policy"] {
        let check = check(&report, id);
        let reason = check["reason"].as_str().unwrap_or_default();
        assert_eq!((check["outcome"].as_str(), reason.starts_with("predicted: ")), (Some("pass"), true), "{check:#}");
    }
    for id in ["aws.role", "aws.role-permissions", "aws.secret-settings"] {
        assert_eq!(check(&report, id)["outcome"], "pass", "{report:#}");
    }
}

#[test]
fn what_an_operator_may_not_read_is_named_and_fails_nothing() {
    let only = json!({ "Version": "2012-10-17", "Statement": [
        { "Effect": "Allow", "Action": ["iam:GetRole", "secretsmanager:DescribeSecret"], "Resource": "*" }
    ]});
    let report = checked(&with_operator_policy("healthy", &only.to_string()), &["--operator"]);
    assert_eq!(report["verdict"], "inconclusive", "{report:#}");
    for (id, permission) in [
        ("aws.oidc-provider", "iam:GetOpenIDConnectProvider"),
        ("aws.role-permissions", "iam:ListRolePolicies"),
        ("aws.role-permissions", "iam:ListAttachedRolePolicies"),
        ("aws.secret-settings", "kms:DescribeKey"),
    ] {
        let check = check(&report, id);
        assert_eq!(check["outcome"], "inconclusive", "{check:#}");
        let named = format!("the operator lacks {permission}");
        assert!(check["reason"].as_str().unwrap().contains(&named), "{check:#}");
    }
    assert_eq!(check(&report, "aws.role")["outcome"], "pass");
    assert_eq!(report["findings"], json!([]), "{report:#}");
}

#[test]
fn an_operator_who_cannot_sign_in_is_told_once_and_the_workload_is_checked_as_ever() {
    let lab = RunningLab::start("healthy");
    let credentials = lab.file("nobody");
    fs::write(&credentials, "[nobody]\naws_access_key_id=AKIANOBODY0000000000\naws_secret_access_key=x\n").unwrap();
    let output = trustline()
        .env("AWS_SHARED_CREDENTIALS_FILE", &credentials)
        .args(["check", "--output", "json", "--profile-file", &lab.file("profile.toml")])
        .args(["--ca-file", &lab.file("ca.pem"), "--operator-profile", "nobody"])
        .output()
        .unwrap();
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let operator = check(&report, "aws.operator");
    assert_eq!(operator["outcome"], "inconclusive", "{operator:#}");
    assert!(operator["reason"].as_str().unwrap().contains("InvalidClientTokenId"), "{operator:#}");
    for id in ["aws.role", "aws.oidc-provider", "aws.role-permissions", "aws.secret-settings"] {
        assert_eq!(check(&report, id)["reason"], "blocked by aws.operator", "{report:#}");
    }
    assert_eq!(check(&report, "aws.get-secret")["outcome"], "pass");
}

#[test]
fn a_copy_that_is_not_what_is_in_force_is_a_finding_of_its_own() {
    let lab = RunningLab::start("healthy");
    let copy = lab.file("copy.json");
    let other = fs::read_to_string(lab.file("trust-policy.json")).unwrap().replace("organization:", "organisation:");
    fs::write(&copy, other).unwrap();
    let report = checked(&lab, &["--operator", "--set", &format!("aws.trust-policy={copy}")]);
    let trust = check(&report, "trust.policy");
    assert_eq!(trust["outcome"], "warn", "{trust:#}");
    assert_eq!(report["findings"][0]["cause"], "policy-drift", "{report:#}");
    let evidence = report["findings"][0]["evidence"].to_string();
    assert!(evidence.contains("- ") && evidence.contains("organisation:"), "{evidence}");
}

#[test]
fn a_role_with_very_many_policies_is_read_page_by_page() {
    let many: String = (0..250)
        .map(|number| {
            let statement =
                json!({ "Effect": "Allow", "Action": "s3:GetObject", "Resource": format!("arn:aws:s3:::b{number}/*") });
            format!("Many{number} = '{}'\n", json!({ "Version": "2012-10-17", "Statement": [statement] }))
        })
        .collect();
    let world = format!(
        "name = \"many\"\ntitle = \"a role with very many policies\"\n[aws.roles.crewai-secrets-reader.policies]\n{many}"
    );
    let report = checked(&RunningLab::world(&world), &["--operator"]);
    let permissions = check(&report, "aws.role-permissions");
    assert_eq!(permissions["outcome"], "pass", "{}", permissions["reason"]);
    assert_eq!(permissions["facts"]["reader"]["policies"].as_array().unwrap().len(), 251);
}

#[test]
fn a_denial_by_the_second_of_a_secrets_policies_is_proven_and_the_policy_is_named() {
    let deny = r#"{"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Principal": {"AWS": "arn:aws:iam::${account}:role/crewai-secrets-reader"}, "Action": "secretsmanager:GetSecretValue", "Resource": "*"}]}"#;
    let world = format!(
        "name = \"two\"\ntitle = \"a second policy denies\"\n[aws.secrets.crewai-test-keyword]\nresource-policies.guard = '{deny}'\n"
    );
    let report = checked(&RunningLab::world(&world), &["--operator"]);
    let first = &report["findings"][0];
    assert_eq!((&first["cause"], &first["certainty"]), (&json!("explicit-deny"), &json!("proven")), "{report:#}");
    assert!(first.to_string().contains("resource policy `guard` of the secret"), "{first:#}");
}

#[test]
fn a_replica_that_is_behind_its_primary_is_told() {
    let replica =
        r#"{ primary = "arn:aws:secretsmanager:us-east-1:999999999999:secret:db-AbCdEf", status = "InProgress" }"#;
    let world = format!(
        "name = \"replica\"\ntitle = \"a replica is behind\"\n[aws.secrets.crewai-test-keyword]\nreplica-of = {replica}\n"
    );
    let report = checked(&RunningLab::world(&world), &["--operator"]);
    let secret = check(&report, "aws.secret-settings");
    assert_eq!(secret["outcome"], "warn", "{secret:#}");
    assert!(secret["facts"].to_string().contains("InProgress"), "{secret:#}");
    let finding =
        report["findings"].as_array().unwrap().iter().find(|one| one["check"] == "aws.secret-settings").unwrap();
    assert_eq!(finding["cause"], "propagation-delay", "{finding:#}");
    assert!(finding["evidence"][0].as_str().unwrap().contains("999999999999"), "{finding:#}");
}

#[test]
fn the_operators_key_is_never_taken_for_the_workloads() {
    let lab = RunningLab::start("static-key-missing");
    let report = checked(&lab, &["--operator"]);
    let key = check(&report, "aws.access-key");
    assert_eq!(key["outcome"], "fail", "{report:#}");
    assert_eq!(check(&report, "aws.operator")["outcome"], "pass");
}

#[test]
fn the_operators_reads_go_on_beside_the_checks() {
    let arguments = ["check", "--output", "json", "--lab", "sub-mismatch", "--delay-ms", "150", "--operator"];
    let report: Value = serde_json::from_slice(&trustline().args(arguments).output().unwrap().stdout).unwrap();
    let checks = report["checks"].as_array().unwrap();
    let times = |id: &str| {
        let check = checks.iter().find(|check| check["id"] == id).unwrap_or_else(|| panic!("{id}"));
        let started = check["started_ms"].as_u64().unwrap();
        (started, started + check["duration_ms"].as_u64().unwrap())
    };
    // Every answer takes 150 ms: what waited for another would begin after its end.
    let (_, exchanged) = times("aws.assume-role-with-web-identity");
    for id in ["aws.operator", "aws.oidc-provider", "aws.role", "aws.role-permissions", "aws.secret-settings"] {
        assert!(times(id).0 < exchanged, "{id} began {:?}, the exchange ended {exchanged}", times(id));
    }
}
