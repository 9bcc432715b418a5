//! Every fault, alone and in pairs, and what is said about it.

use serde_json::{Value, json};

use super::*;
use crate::domain::iam::{Policy, Provider, TrustRequest, evaluate_trust};
use crate::domain::ids::Finder;

const GITHUB: &str = "token.actions.githubusercontent.com";
const SUB: &str = "repo:octo/app:ref:refs/heads/main";

fn claims() -> Value {
    json!({"iss": format!("https://{GITHUB}"), "aud": "sts.amazonaws.com", "sub": SUB, "repository": "octo/app",
        "repository_owner_id": "11", "repository_id": "22", "ref": "refs/heads/main", "actor": "mona",
        "runner_environment": "github-hosted"})
}

fn good() -> Value {
    json!({"Effect": "Allow",
        "Principal": {"Federated": format!("arn:aws:iam::123456789012:oidc-provider/{GITHUB}")},
        "Action": WEB_IDENTITY,
        "Condition": {"StringEquals": {format!("{GITHUB}:aud"): "sts.amazonaws.com", format!("{GITHUB}:sub"): SUB}}})
}

fn found(statements: &Value, claims: &Value, role: Option<&str>) -> Vec<Finding> {
    let policy = Policy::parse(&json!({"Version": "2012-10-17", "Statement": statements}).to_string()).unwrap();
    let claims = claims.as_object().unwrap();
    let provider = Provider::of(claims, &policy, role);
    let request = TrustRequest { role_arn: role, ..TrustRequest::new(claims, &provider.arn) };
    findings(Finder::Trust.into(), &evaluate_trust(&policy, &request))
}

fn causes(statements: &Value, claims: &Value) -> Vec<Cause> {
    found(statements, claims, Some("arn:aws:iam::123456789012:role/reader")).into_iter().map(|f| f.cause).collect()
}

type Change = (&'static str, fn(&mut Value, &mut Value), Cause);

/// One fault each; those of one group stand in the same place and exclude each other.
const FAULTS: &[(&str, &[Change])] = &[
    (
        "principal",
        &[
            (
                "scheme",
                |s, _| {
                    s["Principal"]["Federated"] =
                        json!(format!("arn:aws:iam::123456789012:oidc-provider/https://{GITHUB}"))
                },
                Cause::PrincipalArnWrong,
            ),
            (
                "slash",
                |s, _| {
                    s["Principal"]["Federated"] = json!(format!("arn:aws:iam::123456789012:oidc-provider/{GITHUB}/"))
                },
                Cause::PrincipalArnWrong,
            ),
            (
                "other",
                |s, _| s["Principal"]["Federated"] = json!("arn:aws:iam::123456789012:oidc-provider/gitlab.com"),
                Cause::PrincipalArnWrong,
            ),
            (
                "kind",
                |s, _| s["Principal"] = json!({"AWS": "arn:aws:iam::123456789012:root"}),
                Cause::PrincipalArnWrong,
            ),
            (
                "account",
                |s, _| s["Principal"]["Federated"] = json!(format!("arn:aws:iam::999999999999:oidc-provider/{GITHUB}")),
                Cause::WrongAccount,
            ),
            (
                "partition",
                |s, _| {
                    s["Principal"]["Federated"] = json!(format!("arn:aws-cn:iam::123456789012:oidc-provider/{GITHUB}"))
                },
                Cause::WrongPartition,
            ),
        ],
    ),
    (
        "action",
        &[
            ("assume role", |s, _| s["Action"] = json!("sts:AssumeRole"), Cause::ActionMissing),
            ("tags only", |s, _| s["Action"] = json!(["sts:TagSession"]), Cause::ActionMissing),
        ],
    ),
    (
        "audience",
        &[
            (
                "differs",
                |s, _| s["Condition"]["StringEquals"][format!("{GITHUB}:aud")] = json!("https://github.com/octo"),
                Cause::AudMismatch,
            ),
            ("azp", |_, c| c["azp"] = json!("client-1"), Cause::AudMismatch),
            (
                "key",
                |s, _| s["Condition"]["StringEquals"][format!("{GITHUB}:audience")] = json!("sts.amazonaws.com"),
                Cause::ConditionKeyWrong,
            ),
        ],
    ),
    (
        "subject",
        &[
            ("branch", |_, c| c["sub"] = json!("repo:octo/app:ref:refs/heads/dev"), Cause::SubMismatch),
            ("environment", |_, c| c["sub"] = json!("repo:octo/app:environment:prod"), Cause::SubMismatch),
            ("case", |_, c| c["sub"] = json!("repo:Octo/app:ref:refs/heads/main"), Cause::SubCaseMismatch),
            ("ids", |_, c| c["sub"] = json!("repo:octo@11/app@22:ref:refs/heads/main"), Cause::ImmutableSub),
            (
                "wildcard",
                |s, _| s["Condition"]["StringEquals"][format!("{GITHUB}:sub")] = json!("repo:octo/app:*"),
                Cause::OperatorWrong,
            ),
            (
                "number",
                |s, _| s["Condition"]["NumericEquals"] = json!({format!("{GITHUB}:sub"): "5"}),
                Cause::OperatorWrong,
            ),
            (
                "swapped",
                |s, _| s["Condition"]["StringEquals"][format!("{GITHUB}:sub")] = json!("octo/app"),
                Cause::ConditionKeyWrong,
            ),
        ],
    ),
    (
        "other condition",
        &[
            (
                "actor",
                |s, _| s["Condition"]["StringEquals"][format!("{GITHUB}:actor")] = json!("lisa"),
                Cause::ClaimMismatch,
            ),
            (
                "environment",
                |s, _| s["Condition"]["StringEquals"][format!("{GITHUB}:environment")] = json!("prod"),
                Cause::ClaimMismatch,
            ),
            (
                "not exposed",
                |s, _| s["Condition"]["StringEquals"][format!("{GITHUB}:runner_environment")] = json!("github-hosted"),
                Cause::ConditionKeyWrong,
            ),
            (
                "issuer",
                |s, _| s["Condition"]["StringEquals"][format!("{GITHUB}:iss")] = json!(format!("https://{GITHUB}")),
                Cause::ConditionKeyWrong,
            ),
            (
                "arn prefix",
                |s, _| {
                    s["Condition"]["StringEquals"][format!("arn:aws:iam::123456789012:oidc-provider/{GITHUB}:sub")] =
                        json!(SUB)
                },
                Cause::ConditionKeyWrong,
            ),
            (
                "external id",
                |s, _| s["Condition"]["StringEquals"]["sts:ExternalId"] = json!("x"),
                Cause::ConditionKeyWrong,
            ),
        ],
    ),
];

#[test]
fn a_good_policy_has_no_findings() {
    assert_eq!(causes(&good(), &claims()), []);
}

#[test]
fn every_fault_alone_is_named_and_nothing_else() {
    for (group, changes) in FAULTS {
        for (name, change, cause) in *changes {
            let (mut statement, mut claims) = (good(), claims());
            change(&mut statement, &mut claims);
            assert_eq!(causes(&statement, &claims), [*cause], "{group}: {name}");
        }
    }
}

#[test]
fn every_pair_of_faults_in_different_places_is_named() {
    let all = || FAULTS.iter().flat_map(|(group, changes)| changes.iter().map(move |change| (group, change)));
    for (first_group, (first_name, first, first_cause)) in all() {
        for (second_group, (second_name, second, second_cause)) in all() {
            let exclude = first_group >= second_group
                // Together they are another role altogether: one for AssumeRole.
                || (*first_group == "action" && *second_name == "kind");
            if exclude {
                continue;
            }
            let (mut statement, mut claims) = (good(), claims());
            first(&mut statement, &mut claims);
            second(&mut statement, &mut claims);
            let causes = causes(&statement, &claims);
            assert!(
                causes.contains(first_cause) && causes.contains(second_cause) && causes.len() == 2,
                "{first_name} and {second_name}: {causes:?}"
            );
        }
    }
}

#[test]
fn another_partition_is_named_beside_what_else_is_wrong_with_the_principal() {
    let principal = |arn: &str| {
        let mut statement = good();
        statement["Principal"]["Federated"] = json!(arn);
        causes(&statement, &claims())
    };
    let partition = Cause::WrongPartition;
    for (arn, expected) in [
        (format!("arn:aws-cn:iam::123456789012:oidc-provider/{GITHUB}"), vec![partition]),
        (format!("arn:aws-cn:iam::999999999999:oidc-provider/{GITHUB}"), vec![Cause::WrongAccount, partition]),
        (
            format!("arn:aws-us-gov:iam::123456789012:oidc-provider/https://{GITHUB}"),
            vec![Cause::PrincipalArnWrong, partition],
        ),
        ("arn:aws-cn:iam::123456789012:oidc-provider/gitlab.com".to_owned(), vec![Cause::PrincipalArnWrong, partition]),
    ] {
        assert_eq!(principal(&arn), expected, "{arn}");
    }
}

#[test]
fn denials_flows_tags_and_refusals() {
    let deny = json!({"Sid": "NoBots", "Effect": "Deny", "Principal": "*", "Action": "*",
        "Condition": {"StringEquals": {format!("{GITHUB}:actor"): "mona"}}});
    assert_eq!(causes(&json!([good(), deny]), &claims()), [Cause::ExplicitDeny]);

    let mut other = claims();
    other["sub"] = json!("repo:octo/app:pull_request");
    assert_eq!(causes(&json!([deny, good()]), &other), [Cause::ExplicitDeny, Cause::SubMismatch]);

    let role = json!({"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::123456789012:role/one"}, "Action": "sts:AssumeRole"});
    assert_eq!(causes(&role, &claims()), [Cause::WrongFlow]);
    assert_eq!(causes(&json!([]), &claims()), [Cause::ActionMissing]);

    let mut tagged = claims();
    tagged["https://aws.amazon.com/tags"] = json!({"principal_tags": {"team": ["a"]}});
    assert_eq!(causes(&good(), &tagged), [Cause::TagSessionMissing]);
    let mut both = good();
    both["Action"] = json!([WEB_IDENTITY, "sts:TagSession"]);
    assert_eq!(causes(&both, &tagged), []);

    let mut several = claims();
    several["aud"] = json!(["sts.amazonaws.com", "other"]);
    assert_eq!(causes(&good(), &several)[0], Cause::AudMultiWithoutAzp);
    let mut roles = claims();
    roles["https://aws.amazon.com/roles"] = json!(["arn:aws:iam::123456789012:role/other"]);
    assert_eq!(causes(&good(), &roles), [Cause::RolesClaim]);
}

#[test]
fn terraform_tokens_need_a_subject_condition() {
    let claims = json!({"iss": "https://app.terraform.io", "aud": "aws.workload.identity",
        "sub": "organization:o:project:p:workspace:w:run_phase:apply"});
    let statement = |key: &str, value: &str| {
        json!({"Effect": "Allow", "Action": WEB_IDENTITY,
            "Principal": {"Federated": "arn:aws:iam::123456789012:oidc-provider/app.terraform.io"},
            "Condition": {"StringLike": {format!("app.terraform.io:{key}"): value}}})
    };
    assert_eq!(causes(&statement("aud", "aws.workload.identity"), &claims), [Cause::SubMismatch]);
    assert_eq!(causes(&statement("sub", "organization:o:*"), &claims), []);
}

#[test]
fn what_cannot_be_known_is_possible() {
    let mut statement = good();
    statement["Condition"]["StringEquals"]["aws:PrincipalOrgID"] = json!("o-1");
    let found = found(&statement, &claims(), None);
    assert_eq!(
        found.iter().map(|f| (f.cause, f.certainty)).collect::<Vec<_>>(),
        [(Cause::ClaimMismatch, Certainty::Possible)]
    );
    statement["Condition"]["StringEqual"] = json!({format!("{GITHUB}:sub"): SUB});
    assert!(causes(&statement, &claims()).contains(&Cause::OperatorWrong));
}

#[test]
fn the_statement_meant_is_the_one_explained() {
    let mut other = good();
    other["Condition"]["StringEquals"][format!("{GITHUB}:sub")] = json!("repo:somebody/else:environment:x");
    let mut gitlab = good();
    gitlab["Principal"]["Federated"] = json!("arn:aws:iam::123456789012:oidc-provider/gitlab.com");
    gitlab["Condition"] = json!({"StringEquals": {"gitlab.com:sub": "project_path:g/p:ref_type:branch:ref:main"}});
    let mut claims = claims();
    claims["sub"] = json!("repo:octo/app:environment:prod");
    let found = found(&json!([gitlab, other, good()]), &claims, None);
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].expected.as_deref(), Some(SUB));
    assert!(found[0].evidence[0].starts_with("Statement[2]"), "{:?}", found[0].evidence);
}

#[test]
fn every_fault_says_what_to_do_and_offers_no_fragment_of_a_policy() {
    for (_, changes) in FAULTS {
        for (name, change, _) in *changes {
            let (mut statement, mut claims) = (good(), claims());
            change(&mut statement, &mut claims);
            let found = found(&statement, &claims, Some("arn:aws:iam::123456789012:role/path/reader"));
            assert!(!found[0].fixes.is_empty(), "{name}");
            assert!(found[0].fixes.iter().all(|fix| fix.command.is_none() && fix.document.is_none()), "{name}");
        }
    }
}

#[test]
fn a_wildcard_under_equals_is_not_to_be_made_to_work() {
    let mut statement = good();
    statement["Condition"]["StringEquals"][format!("{GITHUB}:sub")] = json!("repo:octo/*");
    let found = found(&statement, &claims(), None);
    assert_eq!(found[0].cause, Cause::OperatorWrong);
    assert!(found[0].fixes[0].text.contains(&format!("`{SUB}`")), "{:?}", found[0].fixes);
}
