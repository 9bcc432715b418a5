//! Every scenario of AWS that its reader can fix: checked, fixed as printed with AWS's own CLI, checked, brought back.

use std::collections::BTreeSet;

use serde_json::Value;
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
    json_key_missing hides [];
    kms_key_policy hides [];
    kms_key_state hides [];
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
    ("issuer-differs", "platform"),
    ("issuer-not-configured", "platform"),
    ("issuer-redirect", "issuer"),
    ("issuer-slow", "issuer"),
    ("jwks-invalid", "issuer"),
    ("jwks-key-ops", "issuer"),
    ("jwks-kid-missing", "issuer"),
    ("jwks-too-many", "issuer"),
    ("jwks-unreachable", "issuer"),
    ("malformed-token", "platform"),
    ("opaque-token", "platform"),
    ("roles-claim", "platform"),
    ("signature-invalid", "issuer"),
    ("tls-expired", "issuer"),
    ("tls-name", "issuer"),
    ("tls-untrusted", "issuer"),
    ("token-expired", "platform"),
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
            let is_elsewhere = ["azure", "gcp"].iter().any(|cloud| scenario.guide.starts_with(cloud));
            !is_elsewhere && scenario.expects.is_some()
        })
        .map(|scenario| scenario.name)
        .collect();
    let ours = OURS.iter().map(|name| name.replace('_', "-"));
    let known: BTreeSet<String> = ours.chain(OTHERS.iter().map(|(name, _)| (*name).to_owned())).collect();
    assert_eq!(known, listed);
    assert_eq!(known.len(), OURS.len() + OTHERS.len(), "one is in both lists");
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
