//! Azure's own side, read by an operator whose rights are those of `render operator-role` and no others: every cause of
//! the lab's scenarios is proven, and nothing but reads goes out.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::world::World;
use crate::azure_cli::Operator;
use crate::support::{RunningLab, scenario, trustline};

const OPERATOR: &str = "99999999-aaaa-4bbb-8ccc-000000000000";
const READER: &str = "[azure.vault.roles.reader]\n";
const APP: &str = "[azure.apps.crewai-secrets-reader]\n";
const FIC: &str = "[azure.apps.crewai-secrets-reader.credentials.crewai-org-prod]\n";
const OBJECT: &str = "33333333-dddd-4eee-8fff-444444444444";

test_each_scenario! { is_proven:
    azure_issuer_not_configured azure_jwks_unreachable azure_jwks_kid_missing azure_signature_invalid
    azure_token_expired azure_clock_ahead azure_token_lifetime azure_iss_mismatch azure_sub_mismatch
    azure_sub_case_mismatch azure_immutable_sub azure_aud_mismatch azure_old_code azure_fic_missing
    azure_fic_propagation azure_tenant_wrong azure_client_wrong azure_sp_missing azure_app_disabled azure_app_multitenant
    azure_conditional_access azure_tenant_policy azure_throttled azure_wrong_scope azure_wrong_resource
    azure_wrong_audience azure_client_secret_wrong azure_client_secret_expired azure_vault_url_missing
    azure_vault_dns azure_vault_tenant azure_challenge_mismatch azure_firewall azure_private_endpoint
    azure_vault_throttled azure_rbac_missing azure_rbac_wrong_role azure_rbac_wrong_principal
    azure_rbac_single_secret azure_rbac_other_secret azure_access_policy_model azure_access_policy_missing azure_access_policy_no_list
    azure_access_policy_compound azure_secret_not_found azure_secret_soft_deleted azure_secret_disabled
    azure_secret_name_invalid azure_json_key_missing azure_blank
}

#[test]
fn every_scenario_with_a_cause_is_among_them() {
    let all = trustline::lab::World::list().unwrap();
    let of_azure = all.iter().filter(|one| one.guide == "azure-workload-identity" && one.expects.is_some());
    assert_eq!(TESTED, of_azure.map(|one| one.name.replace('-', "_")).collect::<Vec<_>>());
}

/// The operator's rights, taken from what the program prints.
fn least_rights() -> String {
    let printed = trustline().args(["render", "operator-role", "--lab", "azure"]).output().unwrap();
    let role: Value = serde_json::from_slice(&printed.stdout).unwrap();
    assert_eq!(role["AssignableScopes"], json!(["/subscriptions/00000000-1111-2222-3333-444444444444"]));
    assert_eq!(role["DataActions"], json!([]));
    let graph = role["Description"].as_str().unwrap().rsplit(' ').next().unwrap();
    format!(
        "[azure.roles.\"trustline operator\"]\nid = \"77777777-0000-4000-8000-000000000000\"\ncustom = true\n\
         actions = {}\n[azure.vault.roles.operator]\nrole = \"trustline operator\"\nat = \"subscription\"\n\
         [azure.vault.roles.operator-secrets]\npresent = false\n\
         [azure.apps.operator]\ndirectory-roles = []\ngraph-permissions = [\"{graph}\"]\n",
        role["Actions"]
    )
}

impl World {
    /// What a check finds with the operator's credentials, and the profile without a copy of anything.
    fn with_operator(&self, arguments: &[&str]) -> Value {
        let profile = std::fs::read_to_string(self.file("profile.toml")).unwrap();
        let kept: String = profile
            .lines()
            .filter(|line| !line.starts_with("federated-credential"))
            .fold(String::new(), |text, line| text + line + "\n");
        std::fs::write(self.file("profile.toml"), kept).unwrap();
        self.as_operator(arguments)
    }

    fn as_operator(&self, arguments: &[&str]) -> Value {
        let secret = self.file("operator-client-secret");
        let operator = ["--operator", "--operator-client-id", OPERATOR, "--operator-secret-file", &secret];
        let host = ["--allow-host", "no-such-vault.vault.azure.net.invalid"];
        let output = self.check(&[&["--output", "json"], &operator[..], &host[..], arguments].concat());
        let told = String::from_utf8_lossy(&output.stderr);
        serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {told}"))
    }

    /// What Graph, Resource Manager and the vault were asked with the operator's credentials.
    fn asked_by_operator(&self) -> Vec<(String, String)> {
        let entries = ["graph", "arm", "vault"].map(|service| self.requests(service)).concat();
        let text = |entry: &Value, name: &str| entry[name].as_str().unwrap().to_owned();
        let own = entries.iter().filter(|entry| entry["client_id"] == OPERATOR);
        own.map(|entry| (text(entry, "method"), text(entry, "path"))).collect()
    }
}

fn check_of<'r>(report: &'r Value, id: &str) -> &'r Value {
    report["checks"].as_array().unwrap().iter().find(|check| check["id"] == id).unwrap()
}

fn outcome<'r>(report: &'r Value, id: &str) -> (&'r str, &'r str) {
    let check = check_of(report, id);
    (check["outcome"].as_str().unwrap(), check["reason"].as_str().unwrap_or_default())
}

fn first(report: &Value) -> (&str, &str) {
    let finding = &report["findings"][0];
    (finding["cause"].as_str().unwrap_or_default(), finding["certainty"].as_str().unwrap_or_default())
}

fn is_proven(name: &str) {
    let text = std::fs::read_to_string(format!("{}/assets/lab/{name}.toml", env!("CARGO_MANIFEST_DIR"))).unwrap();
    let own = text.lines().filter(|line| !["name =", "title =", "guide ="].iter().any(|key| line.starts_with(key)));
    let world = World::start(&format!("{}\n{}", own.collect::<Vec<_>>().join("\n"), least_rights()));
    let report = world.with_operator(&[]);
    let about = scenario(name);
    let expected = about.expects_by_operator.or(about.expects).unwrap();
    assert_eq!(first(&report), (expected.as_str(), "proven"), "{report:#}");
    let findings = report["findings"].as_array().unwrap();
    assert!(findings.iter().all(|finding| finding["certainty"] != "possible"), "{report:#}");
    let asked = world.asked_by_operator();
    let methods: BTreeSet<&str> = asked.iter().map(|(method, _)| method.as_str()).collect();
    assert!(methods.iter().all(|method| *method == "GET"), "{asked:?}");
    // Where nobody is let in, nothing can be read.
    if outcome(&report, "azure.operator").0 == "pass" {
        assert!(asked.len() > 3, "{asked:?}");
        let reasons = report["checks"].as_array().unwrap().iter().filter_map(|check| check["reason"].as_str());
        assert_eq!(reasons.filter(|reason| reason.contains("operator lacks")).count(), 0, "{report:#}");
    }
}

test_each! { reads_the_world:
    healthy: ("", None);
    // Everything comes in pages of one, after each service was busy twice.
    pages_and_pauses: ("[azure]\npage-size = 1\nthrottled-reads = 2\n", None);
    a_group_has_the_role: (&format!("{APP}groups = [\"88888888-0000-4000-8000-000000000000\"]\n{READER}principal = \"88888888-0000-4000-8000-000000000000\"\n"), None);
    the_subscription_has_the_role: (&format!("{READER}at = \"subscription\"\n"), None);
    a_managed_identity: (&format!("{APP}managed-identity = true\n"), None);
    a_managed_identity_of_another_subject: (
        &format!("{APP}managed-identity = true\n[azure.apps.crewai-secrets-reader.credentials.crewai-org-prod]\nsubject = \"organization:other\"\n"),
        Some(("sub-mismatch", "trust.policy"))
    );
    a_deny_assignment: (
        &format!("[azure.vault.denials.\"0d0d0d0d-0000-4000-8000-000000000000\"]\nprincipal = \"{OBJECT}\"\ndata-actions = [\"Microsoft.KeyVault/vaults/secrets/*\"]\n"),
        Some(("explicit-deny", "azure.role-assignments"))
    );
    a_role_of_now: (&format!("{READER}effective-after-s = 600\nage-s = 20\n"), Some(("propagation-delay", "azure.role-assignments")));
    a_custom_role_without_the_read: (
        &format!("[azure.roles.Half]\nid = \"66666666-0000-4000-8000-000000000000\"\ncustom = true\ndata-actions = [\"Microsoft.KeyVault/vaults/secrets/*\"]\nnot-data-actions = [\"Microsoft.KeyVault/vaults/secrets/getSecret/action\"]\n{READER}role = \"Half\"\n"),
        Some(("rbac-wrong-role", "azure.role-assignments"))
    );
    an_expression_of_another_subject: (
        &format!("{FIC}subject = \"\"\nexpression = \"claims['sub'] matches 'organization:another-*'\"\n"),
        Some(("sub-mismatch", "trust.policy"))
    );
    switched_off: (&format!("{APP}enabled = false\n"), Some(("app-disabled", "azure.application")));
    no_access_policy: (&format!("{READER}present = false\n[azure.vault]\nmodel = \"access-policy\"\n"), Some(("access-policy-missing", "azure.role-assignments")));
    a_policy_for_the_client_id: (
        &format!("{READER}present = false\n[azure.vault]\nmodel = \"access-policy\"\n[azure.vault.policies.reader]\nprincipal = \"11111111-aaaa-4bbb-8ccc-222222222222\"\nsecrets = [\"get\", \"list\"]\n"),
        Some(("access-policy-wrong-object", "azure.role-assignments"))
    );
    a_policy_in_a_vault_of_roles: (
        &format!("{READER}present = false\n[azure.vault.policies.reader]\nprincipal = \"{OBJECT}\"\nsecrets = [\"get\", \"list\"]\n"),
        Some(("access-policy-model", "azure.role-assignments"))
    );
}

/// The cause that is proven in a world, and by which check; none where all is well.
fn reads_the_world(differences: &str, expected: Option<(&str, &str)>) {
    let world = World::start(&format!("{differences}{}", least_rights()));
    let report = world.with_operator(&[]);
    let Some((cause, check)) = expected else {
        assert_eq!(report["verdict"], "pass", "{report:#}");
        crate::operator::shows_what_it_saw(&report);
        for id in
            ["azure.operator", "azure.application", "trust.policy", "azure.role-assignments", "azure.vault-settings"]
        {
            assert_eq!(outcome(&report, id).0, "pass", "{report:#}");
        }
        return;
    };
    assert_eq!(first(&report), (cause, "proven"), "{report:#}");
    assert_eq!(report["findings"][0]["check"], check, "{report:#}");
}

#[test]
fn very_many_assignments_on_very_many_pages_are_all_read_though_the_services_are_busy() {
    let others: String = (0..55)
        .map(|number| {
            format!(
                "[azure.vault.roles.other-{number}]\nrole = \"Reader\"\nprincipal = \"66666666-0000-4000-8000-{number:012}\"\n"
            )
        })
        .collect();
    // The reader's own comes last by its name, and says no.
    let world = World::start(&format!(
        "[azure]\npage-size = 1\nthrottled-reads = 2\n{others}{READER}present = false\n\
         [azure.vault.roles.z-reader]\nrole = \"Key Vault Reader\"\nprincipal = \"{OBJECT}\"\n{}",
        least_rights()
    ));
    let report = world.with_operator(&[]);
    assert_eq!(first(&report), ("rbac-wrong-role", "proven"), "{report:#}");
    let rights = &check_of(&report, "azure.role-assignments")["facts"];
    // Beside those above, the administrator's and the operator's.
    assert_eq!(rights["assignments"]["read"], 55 + 1 + 2, "{rights:#}");
    let ids = ["azure.application", "azure.vault-settings", "azure.role-assignments"];
    let told: Vec<&str> =
        ids.iter().map(|id| outcome(&report, id).1).filter(|why| why.contains("throttled ")).collect();
    assert!(!told.is_empty() && told.iter().all(|why| why.contains(", waited ")), "{report:#}");
}

#[test]
fn without_a_token_what_is_expected_meets_what_is_in_force() {
    let without_token = |differences: &str| {
        let world = World::start(&format!("{differences}{}", least_rights()));
        let profile = std::fs::read_to_string(world.file("profile.toml")).unwrap();
        std::fs::write(world.file("profile.toml"), profile.replace("[token]\nfile = \"token.jwt\"\n", "")).unwrap();
        world.with_operator(&[])
    };
    let report = without_token("");
    let (outcome_of_trust, reason) = outcome(&report, "trust.policy");
    assert_eq!(outcome_of_trust, "pass", "{report:#}");
    assert!(reason.starts_with("predicted: "), "{reason}");
    assert_eq!(outcome(&report, "azure.role-assignments").0, "pass", "{report:#}");
    let subject = "[azure.apps.crewai-secrets-reader.credentials.crewai-org-prod]\nsubject = \"organization:other\"\n";
    let report = without_token(subject);
    let predicted = report["findings"].as_array().unwrap().iter().find(|finding| finding["cause"] == "sub-mismatch");
    assert!(predicted.unwrap()["summary"].as_str().unwrap().starts_with("predicted: "), "{report:#}");
    let report = without_token(&format!("{READER}present = false\n"));
    let causes: Vec<&Value> = report["findings"].as_array().unwrap().iter().map(|finding| &finding["cause"]).collect();
    assert!(causes.contains(&&json!("rbac-missing")), "{report:#}");
}

#[test]
fn a_guides_steps_are_seen_to_be_done_before_a_token_shows_it() {
    let world = World::start(&least_rights());
    let (profile, ca) = (world.file("profile.toml"), world.file("ca.pem"));
    let text = std::fs::read_to_string(&profile).unwrap();
    std::fs::write(&profile, text.replace("[token]\nfile = \"token.jwt\"\n", "")).unwrap();
    let secret = world.file("operator-client-secret");
    let guide = ["guide", "azure-workload-identity", "--check", "--output", "json"];
    let places = ["--profile-file", &profile, "--ca-file", &ca];
    let operator = ["--operator", "--operator-client-id", OPERATOR, "--operator-secret-file", &secret];
    let seen = |arguments: &[&[&str]]| {
        let output = trustline().args(arguments.concat()).output().unwrap();
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        let document: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{told}"));
        let steps = document["guides"][0]["steps"].as_array().unwrap();
        let done = steps.iter().filter(|step| step["state"]["is"] == "verified");
        done.map(|step| step["number"].as_u64().unwrap()).collect::<BTreeSet<_>>()
    };
    let (without, with) = (seen(&[&guide, &places]), seen(&[&guide, &places, &operator]));
    // The credential fits what is expected of a token, and a prediction shows nothing.
    let own = BTreeSet::from([2, 4, 5]);
    assert!(own.is_disjoint(&without) && own.is_subset(&with), "{without:?} {with:?}");
}

#[test]
#[ignore = "needs the Azure CLI (TRUSTLINE_TEST_AZURE_CLI)"]
fn whoever_is_signed_in_to_the_azure_cli_reads() {
    let lab = RunningLab::start("azure-sub-mismatch");
    let folder = tempfile::tempdir().unwrap();
    let operator = Operator::of(&lab);
    let run = || {
        let own = operator.variables().into_iter().filter(|(name, _)| {
            !["TRUSTLINE_OPERATOR", "AWS_", "HTTPS_PROXY"].iter().any(|other| name.starts_with(other))
        });
        let (profile, ca) = (lab.file("profile.toml"), lab.file("ca.pem"));
        let check = ["check", "--operator", "--output", "json", "--profile-file", &profile, "--ca-file", &ca];
        let output = trustline().args(check).envs(own).output().unwrap();
        serde_json::from_slice::<Value>(&output.stdout).unwrap()
    };
    let nobody = run();
    let (outcome_of_operator, reason) = outcome(&nobody, "azure.operator");
    assert_eq!(outcome_of_operator, "inconclusive");
    assert!(reason.contains("az login --tenant"), "{reason}");
    operator.sign_in(folder.path());
    let report = run();
    assert_eq!(
        outcome(&report, "azure.operator"),
        ("pass", "99999999-aaaa-4bbb-8ccc-000000000000 (99999999-dddd-4eee-8fff-000000000000)")
    );
    assert_eq!(first(&report), ("sub-mismatch", "proven"), "{report:#}");
    assert!(report["findings"][0]["evidence"].to_string().contains("the credentials in force"), "{report:#}");
}

#[test]
fn the_directorys_own_sign_ins_are_read_and_judged_by_the_credentials_in_force() {
    for (subject, outcome) in [("organization:other", "refused"), ("", "granted")] {
        let differences = match subject {
            "" => String::new(),
            other => format!("[azure.apps.crewai-secrets-reader.credentials.crewai-org-prod]\nsubject = \"{other}\"\n"),
        };
        let world = World::start(&differences);
        world.with_operator(&[]);
        let (profile, ca, secret) =
            (world.file("profile.toml"), world.file("ca.pem"), world.file("operator-client-secret"));
        let output = trustline()
            .args(["events", "--output", "json", "--profile-file", &profile, "--ca-file", &ca])
            .args(["--operator-client-id", OPERATOR, "--operator-secret-file", &secret])
            .args(["--allow-host", "127.0.0.1"])
            .output()
            .unwrap();
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        let document: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{told}"));
        let events = document["events"].as_array().unwrap();
        assert_eq!(events.len(), 1, "{document:#}\n{told}");
        assert_eq!(events[0]["outcome"], outcome, "{document:#}");
        assert!(told.contains("Reading with ") && told.contains(OPERATOR), "{told}");
    }
}

#[test]
fn a_copy_that_is_not_in_force_is_told_and_judged_no_more() {
    let copy = r#"[{"name": "crewai-org-prod", "issuer": "https://elsewhere.example", "subject": "organization:other", "audiences": ["a"]}]"#;
    let world = World::start(&format!("[profile.azure]\nfederated-credential = '{copy}'\n{}", least_rights()));
    let report = world.as_operator(&[]);
    assert_eq!(outcome(&report, "trust.policy").0, "warn", "{report:#}");
    let finding = &report["findings"][0];
    assert_eq!((first(&report), &finding["check"]), (("policy-drift", "proven"), &json!("trust.policy")));
    let told = finding["evidence"].to_string();
    assert!(
        told.contains("-     \\\"subject\\\": \\\"organization:other\\\"") && told.contains("+     \\\"issuer\\\""),
        "{told}"
    );
}

#[test]
fn what_the_operator_lacks_is_named_and_the_rest_goes_on() {
    let world = World::start("[azure.apps.operator]\ndirectory-roles = []\n");
    let report = world.with_operator(&[]);
    let (outcome_of_application, reason) = outcome(&report, "azure.application");
    assert_eq!(outcome_of_application, "inconclusive", "{report:#}");
    assert!(reason.starts_with("the operator lacks Application.Read.All"), "{reason}");
    // The access token says who reads, though Graph does not.
    assert_eq!(outcome(&report, "azure.role-assignments").0, "pass", "{report:#}");
    let secrets = "[azure.vault.roles.operator]\npresent = false\n";
    let report = World::start(secrets).with_operator(&[]);
    let (outcome_of_vault, reason) = outcome(&report, "azure.vault-settings");
    assert_eq!(outcome_of_vault, "inconclusive", "{report:#}");
    assert!(reason.contains("Microsoft.KeyVault/vaults/read"), "{reason}");
    assert_eq!(outcome(&report, "azure.application").0, "pass", "{report:#}");
    assert_ne!(report["verdict"], "fail", "{report:#}");
}

#[test]
fn another_directory_is_told_before_anything_is_sent_there() {
    let world = World::start("");
    let (profile, ca) = (world.file("profile.toml"), world.file("ca.pem"));
    let output = trustline()
        .args(["check", "--operator", "--output", "json", "--profile-file", &profile, "--ca-file", &ca])
        .env("TRUSTLINE_OPERATOR_TENANT_ID", "0f1e2d3c-0000-4000-8000-000000000001")
        .env("TRUSTLINE_OPERATOR_CLIENT_ID", OPERATOR)
        .env("TRUSTLINE_OPERATOR_CLIENT_SECRET_FILE", world.file("operator-client-secret"))
        .output()
        .unwrap();
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let (outcome_of_operator, reason) = outcome(&report, "azure.operator");
    assert_eq!(outcome_of_operator, "inconclusive");
    assert!(reason.contains("0f1e2d3c-0000-4000-8000-000000000001") && reason.contains("4c1a2b3d"), "{reason}");
    assert_eq!(world.asked_by_operator(), []);
}
