//! Every scenario of AWS that its reader can fix: checked, fixed as printed with AWS's own CLI, checked, brought back.

use std::collections::BTreeSet;

use serde_json::Value;
use trustline::domain::guide::Guide;
use trustline::domain::ids::Cloud;
use trustline::lab::World;

use super::{Site, closes};
use crate::support::{RunningLab, trustline};

/// A test for each scenario, with the causes that the fixed one hid, in the order of their names.
macro_rules! scenarios {
    ($($name:ident hides [$($hidden:literal),*];)*) => {
        mod scenario {
            $(
                #[test]
                #[ignore = "needs the AWS CLI (TRUSTLINE_TEST_AWS_CLI)"]
                fn $name() {
                    super::fixed_and_brought_back(stringify!($name), &[$($hidden),*]);
                }
            )*
        }
        const OURS: &[&str] = &[$(stringify!($name)),*];
    };
}

scenarios! {
    action_missing hides [];
    assume_role_denied hides [];
    assume_role_untrusted hides [];
    aud_mismatch hides [];
    aud_not_registered hides [];
    blank hides ["sub-mismatch"];
    circleci_hop_denied hides [];
    circleci_sub_account_caller hides [];
    circleci_sub_account_trust hides [];
    condition_key_wrong hides [];
    explicit_deny hides [];
    explicit_deny_read hides [];
    external_id hides [];
    github_aws_blank hides ["sub-mismatch"];
    github_aws_case hides [];
    github_aws_enterprise_issuer hides ["provider-missing"];
    github_aws_environment hides [];
    github_aws_immutable_sub hides [];
    github_aws_reusable_workflow hides [];
    json_key_missing hides [];
    kms_key_policy hides [];
    kms_key_state hides [];
    kubernetes_aws_condition_key hides [];
    kubernetes_aws_new_cluster hides [];
    kubernetes_aws_swapped hides [];
    list_resource_scoped hides [];
    missing_get hides [];
    missing_kms hides [];
    missing_list hides [];
    operator_wrong hides [];
    principal_arn_wrong hides [];
    provider_missing hides [];
    provider_other_issuer hides [];
    role_missing hides ["missing-kms"];
    role_propagation hides [];
    secret_arn_suffix hides [];
    secret_empty hides [];
    secret_not_found hides [];
    secret_pending_deletion hides [];
    secret_wrong_region hides [];
    session_duration hides [];
    static_key_deleted hides ["missing-kms"];
    static_key_missing hides ["missing-kms"];
    static_key_temporary hides ["missing-kms"];
    static_key_wrong hides [];
    static_missing_list hides [];
    static_secret_not_found hides [];
    sub_case_mismatch hides [];
    sub_mismatch hides [];
    versionstage_condition hides [];
    wrong_account hides [];
}

/// What somebody else has to fix, and who that is.
const OTHERS: &[(&str, &str)] = &[
    ("alg-unsupported", "issuer"),
    ("aud-multi-without-azp", "platform"),
    ("clock-skew", "platform"),
    ("deployment-inputs-missing", "platform"),
    ("deployment-token-wrong", "platform"),
    ("deployment-unreachable", "platform"),
    ("discovery-invalid", "issuer"),
    ("github-aws-audience", "platform"),
    ("issuer-differs", "platform"),
    ("issuer-not-configured", "platform"),
    ("issuer-redirect", "issuer"),
    ("issuer-slow", "issuer"),
    ("jwks-invalid", "issuer"),
    ("jwks-key-ops", "issuer"),
    ("jwks-kid-missing", "issuer"),
    ("jwks-too-many", "issuer"),
    ("jwks-unreachable", "issuer"),
    ("kubernetes-aws-cluster-audience", "platform"),
    ("malformed-token", "platform"),
    ("opaque-token", "platform"),
    ("roles-claim", "platform"),
    ("signature-invalid", "issuer"),
    ("tls-expired", "issuer"),
    ("tls-name", "issuer"),
    ("tls-untrusted", "issuer"),
    ("token-expired", "platform"),
];

/// What the reader changes in a workflow, a manifest or a program, which no script here knows.
const IN_THEIR_FILES: &[&str] = &[
    "github-aws-id-token-missing",
    "github-aws-pull-request",
    "kubernetes-aws-token-kept",
    "kubernetes-aws-webhook-missing",
];

fn fixed_and_brought_back(name: &str, hidden: &[&str]) {
    let scenario = name.replace('_', "-");
    assert_eq!(closes(&Site::new(RunningLab::start(&scenario))), hidden);
}

#[test]
fn every_scenario_is_its_readers_or_somebody_elses() {
    let listed: BTreeSet<String> = World::list()
        .unwrap()
        .into_iter()
        .filter(|scenario| {
            let guide: Guide = scenario.guide.parse().unwrap();
            guide.cloud() == Cloud::Aws && scenario.expects.is_some()
        })
        .map(|scenario| scenario.name)
        .collect();
    let ours = OURS.iter().map(|name| name.replace('_', "-"));
    let others = OTHERS.iter().map(|(name, _)| *name).chain(IN_THEIR_FILES.iter().copied()).map(str::to_owned);
    let known: BTreeSet<String> = ours.chain(others).collect();
    assert_eq!(known, listed);
    assert_eq!(known.len(), OURS.len() + OTHERS.len() + IN_THEIR_FILES.len(), "one is in two lists");
}

#[test]
fn what_stands_in_the_readers_own_files_is_told_in_words() {
    for name in IN_THEIR_FILES {
        let output = trustline().args(["check", "--lab", name, "--output", "json"]).output().unwrap();
        let report: Value = serde_json::from_slice(&output.stdout).unwrap();
        let fixes = report["findings"][0]["fixes"].as_array().unwrap();
        assert!(fixes.iter().any(|fix| fix["actor"] == "you" && fix["text"].is_string()), "{name}: {fixes:?}");
    }
}

#[test]
fn what_somebody_else_has_to_fix_is_addressed_to_them() {
    for (name, actor) in OTHERS {
        let output = trustline().args(["check", "--lab", name, "--output", "json"]).output().unwrap();
        let report: Value = serde_json::from_slice(&output.stdout).unwrap();
        let fixes = report["findings"][0]["fixes"].as_array().unwrap();
        assert!(!fixes.is_empty(), "{name}");
        for fix in fixes {
            assert_eq!((fix["actor"].as_str(), fix.get("command")), (Some(*actor), None), "{name}: {fix}");
        }
    }
}
