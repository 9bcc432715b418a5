//! From what a trust policy says to a token, to the causes: which statement was meant, and what in it does not fit.

mod condition;
mod fix;
mod principal;
mod width;

pub use width::{smells, strangers};

use self::fix::update_role;
use super::{Cause, Certainty, Finding};
use crate::domain::iam::{
    Decision, Effect, KeyFault, ProviderArn, Refusal, StatementEvaluation, TrustEvaluation, Truth, WEB_IDENTITY,
};

const DOCS_TRUST: &str = "https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_create_for-idp_oidc.html";
const DOCS_PROVIDER: &str = "https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_providers_create_oidc.html";
const DOCS_KEYS: &str = "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_iam-condition-keys.html";
const DOCS_OPERATORS: &str =
    "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html";
const DOCS_MULTI: &str =
    "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_multi-value-conditions.html";
const DOCS_LOGIC: &str = "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html";
const DOCS_WEB_IDENTITY: &str =
    "https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html";
const DOCS_TAGS: &str = "https://docs.aws.amazon.com/IAM/latest/UserGuide/id_session-tags.html";

/// Why the policy does not let the token in: proven where it denies, possible where it depends on what is not at
/// hand; nothing where it allows. What blocks the rest comes first.
pub fn findings(check: &str, evaluation: &TrustEvaluation) -> Vec<Finding> {
    let mut found = Vec::new();
    found.extend(evaluation.refusals.iter().map(|refusal| refused(check, evaluation, *refusal)));
    let exchange = evaluation.actions.first().map(|action| action.decision);
    match exchange {
        Some(Decision::Allow) => {}
        _ => {
            found.extend(denials(check, evaluation));
            found.extend(nearest_allow(check, evaluation));
        }
    }
    if exchange != Some(Decision::Deny) {
        found.extend(implied_actions(check, evaluation));
    }
    found
}

/// What STS refuses whatever the policy says.
fn refused(check: &str, evaluation: &TrustEvaluation, refusal: Refusal) -> Finding {
    let new = |cause, summary: &str| Finding::new(cause, check, Certainty::Proven, summary);
    let mut finding = match refusal {
        Refusal::SeveralAudiences => {
            new(Cause::AudMultiWithoutAzp, "STS refuses a token with several audiences and no `azp`")
                .with_fix("Ask for a token with one audience, or have the issuer set `azp`")
        }
        Refusal::EmptyAudience => new(Cause::MalformedToken, "STS refuses a token whose audience is an empty list")
            .with_fix("Ask for a token with the audience that the provider has registered"),
        Refusal::RoleNotListed => {
            new(Cause::RolesClaim, "the token lists the roles it may have, and this role is not among them")
                .with_fix("Have the issuer put the role's ARN into the claim `https://aws.amazon.com/roles`")
        }
        Refusal::SubjectNotEvaluated => {
            let snippet = fix::condition(
                "StringLike",
                "app.terraform.io:sub",
                &["organization:ORG:project:PROJECT:workspace:WORKSPACE:run_phase:*".to_owned()],
            );
            new(
                Cause::SubMismatch,
                "STS takes tokens of app.terraform.io only where the trust policy has a condition on their subject",
            )
            .with_command("Add a condition on the subject", snippet)
        }
    };
    if let Some(role) = &evaluation.role_arn {
        finding = finding.with_evidence(format!("the role is {role}"));
    }
    finding.docs = if refusal == Refusal::SubjectNotEvaluated { DOCS_TRUST } else { DOCS_WEB_IDENTITY }.to_owned();
    finding
}

/// Deny statements that match, or may.
fn denials(check: &str, evaluation: &TrustEvaluation) -> Vec<Finding> {
    let deny = evaluation.statements.iter().filter(|s| s.effect == Effect::Deny && s.matches != Truth::False);
    deny.map(|statement| {
        let place = place(statement);
        let (certainty, summary) = match statement.matches {
            Truth::True => (Certainty::Proven, format!("{place} denies this token explicitly, and a deny always wins")),
            _ => (
                Certainty::Possible,
                format!("{place} may deny this token explicitly: that depends on what is not known here"),
            ),
        };
        let mut finding = Finding::new(Cause::ExplicitDeny, check, certainty, summary);
        for condition in &statement.conditions {
            let told = format!("{} `{}`: {}", condition.operator, condition.key, condition.why);
            finding = finding.with_evidence(told);
        }
        finding = finding.with_fix(format!("Narrow the condition of {place}, or remove the statement"));
        finding = update_role(finding, evaluation);
        finding.docs = DOCS_LOGIC.to_owned();
        finding
    })
    .collect()
}

/// What does not fit in the allowing statement that comes nearest.
fn nearest_allow(check: &str, evaluation: &TrustEvaluation) -> Vec<Finding> {
    let allow = evaluation.statements.iter().filter(|s| s.effect == Effect::Allow);
    let Some(nearest) = allow.clone().min_by_key(|statement| cost(statement)) else {
        let summary = "the trust policy has no statement that allows anything";
        let mut finding = Finding::new(Cause::ActionMissing, check, Certainty::Proven, summary)
            .with_command("Add a statement that allows the exchange", fix::statement(evaluation));
        finding.docs = DOCS_TRUST.to_owned();
        return vec![update_role(finding, evaluation)];
    };
    if nearest.matches == Truth::True {
        return Vec::new();
    }
    let mut found = Vec::new();
    if is_other_flow(nearest) {
        found.push(other_flow(check, evaluation, nearest));
    } else {
        if nearest.principal.result == Truth::False {
            found.push(principal::finding(check, evaluation, nearest));
        }
        if nearest.action.result == Truth::False {
            found.push(action_missing(check, evaluation, nearest));
        }
        let elsewhere = keys_of_its_own_principal(nearest);
        let failing = nearest.conditions.iter().filter(|c| c.result == Truth::False);
        for condition in failing.filter(|c| !elsewhere.contains(&c.key.as_str())) {
            found.push(condition::finding(check, evaluation, nearest, condition));
        }
    }
    if found.is_empty() {
        let open = nearest.conditions.iter().filter(|c| c.result == Truth::Unknown);
        found.extend(open.map(|c| condition::unknown(check, evaluation, nearest, c)));
    }
    let others = allow.count() - 1;
    if others > 0 {
        for finding in &mut found {
            finding.evidence.push(format!(
                "{} is the nearest; {others} more allow something and do not fit either",
                place(nearest)
            ));
        }
    }
    found
}

/// How far a statement is from fitting: the least is what was meant.
fn cost(statement: &StatementEvaluation) -> usize {
    let of = |result: Truth, is_near: bool, far: usize| match result {
        Truth::False if is_near => 2,
        Truth::False => far,
        Truth::Unknown => 1,
        Truth::True => 0,
    };
    let conditions = statement.conditions.iter();
    of(statement.principal.result, statement.principal.near_miss.is_some(), 12)
        + of(statement.action.result, false, 6)
        + conditions.map(|c| of(c.result, c.near_miss.is_some() || c.impossible_key.is_some(), 4)).sum::<usize>()
}

/// The keys that are right for the statement's principal, which is another issuer: the principal alone is at fault.
fn keys_of_its_own_principal(statement: &StatementEvaluation) -> Vec<&str> {
    let urls = || statement.principal.expected.iter().map(|p| ProviderArn::parse(p).map_or(p.as_str(), |arn| arn.url));
    let impossible = statement.conditions.iter().filter(|c| {
        c.impossible_key.as_ref().is_some_and(|key| {
            matches!(key.fault, KeyFault::OtherIssuer | KeyFault::SlashPrefix | KeyFault::PathMissing)
        })
    });
    let own = impossible.filter(|c| c.key.rsplit_once(':').is_some_and(|(prefix, _)| urls().any(|url| url == prefix)));
    own.map(|c| c.key.as_str()).collect()
}

/// A role made for `sts:AssumeRole` by accounts, users or services.
fn is_other_flow(statement: &StatementEvaluation) -> bool {
    let assume = |action: &String| {
        action.eq_ignore_ascii_case("sts:AssumeRole") || action.eq_ignore_ascii_case("sts:AssumeRoleWithSAML")
    };
    let providers = statement.principal.expected.iter().any(|p| p.contains("oidc-provider/") || !p.contains(':'));
    statement.action.result == Truth::False
        && statement.principal.result == Truth::False
        && statement.action.expected.iter().any(assume)
        && !providers
}

fn other_flow(check: &str, evaluation: &TrustEvaluation, statement: &StatementEvaluation) -> Finding {
    let summary = "the role is made for AssumeRole by other principals, not for web identity tokens";
    let mut finding = Finding::new(Cause::WrongFlow, check, Certainty::Proven, summary)
        .with_difference(statement.action.expected.join(", "), WEB_IDENTITY)
        .with_evidence(format!("{} trusts {}", place(statement), statement.principal.expected.join(", ")))
        .with_fix("Assume another role with the token first and chain to this one with AssumeRole, or let this role take the token:")
        .with_command("Add a statement for the token's issuer", fix::statement(evaluation));
    finding.docs = DOCS_TRUST.to_owned();
    update_role(finding, evaluation)
}

fn action_missing(check: &str, evaluation: &TrustEvaluation, statement: &StatementEvaluation) -> Finding {
    let summary = format!("{} does not allow `{WEB_IDENTITY}`", place(statement));
    let mut finding = Finding::new(Cause::ActionMissing, check, Certainty::Proven, summary)
        .with_difference(statement.action.expected.join(", "), WEB_IDENTITY)
        .with_evidence(format!("its {} is {}", statement.action.element, statement.action.expected.join(", ")))
        .with_command("Let the statement allow the exchange", format!("\"Action\": \"{WEB_IDENTITY}\""));
    finding.docs = DOCS_TRUST.to_owned();
    update_role(finding, evaluation)
}

/// Session tags and source identity, which the token's claims ask for beside the exchange.
fn implied_actions(check: &str, evaluation: &TrustEvaluation) -> Vec<Finding> {
    let implied = evaluation.actions.iter().skip(1).filter(|action| action.decision != Decision::Allow);
    implied
        .map(|action| {
            let tags = action.action == "sts:TagSession";
            let cause = if tags { Cause::TagSessionMissing } else { Cause::ActionMissing };
            let what = if tags { "session tags" } else { "a source identity" };
            let certainty = if action.decision == Decision::Deny { Certainty::Proven } else { Certainty::Possible };
            let summary = format!("the token carries {what}, and the trust policy does not allow `{}`", action.action);
            let mut finding = Finding::new(cause, check, certainty, summary)
                .with_command(
                    "Allow both in the statement that allows the exchange",
                    format!("\"Action\": [\"{WEB_IDENTITY}\", \"{}\"]", action.action),
                )
                .with_fix(format!("Or have the issuer send no {what}"));
            finding.docs = DOCS_TAGS.to_owned();
            update_role(finding, evaluation)
        })
        .collect()
}

/// `Statement[0]`, with its Sid where it has one.
fn place(statement: &StatementEvaluation) -> String {
    match &statement.sid {
        Some(sid) => format!("Statement[{}] ({sid})", statement.index),
        None => format!("Statement[{}]", statement.index),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::domain::iam::{Policy, Provider, TrustRequest, evaluate_trust};

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
        findings("trust", &evaluate_trust(&policy, &request))
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
                        s["Principal"]["Federated"] =
                            json!(format!("arn:aws:iam::123456789012:oidc-provider/{GITHUB}/"))
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
                    |s, _| {
                        s["Principal"]["Federated"] = json!(format!("arn:aws:iam::999999999999:oidc-provider/{GITHUB}"))
                    },
                    Cause::WrongAccount,
                ),
                (
                    "partition",
                    |s, _| {
                        s["Principal"]["Federated"] =
                            json!(format!("arn:aws-cn:iam::123456789012:oidc-provider/{GITHUB}"))
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
                    |s, _| {
                        s["Condition"]["StringEquals"][format!("{GITHUB}:runner_environment")] = json!("github-hosted")
                    },
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
                        s["Condition"]["StringEquals"]
                            [format!("arn:aws:iam::123456789012:oidc-provider/{GITHUB}:sub")] = json!(SUB)
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
    fn a_fix_mends() {
        for (_, changes) in FAULTS {
            for (name, change, _) in *changes {
                let (mut statement, mut claims) = (good(), claims());
                change(&mut statement, &mut claims);
                let found = found(&statement, &claims, Some("arn:aws:iam::123456789012:role/path/reader"));
                let commands: Vec<_> = found[0].fixes.iter().filter_map(|fix| fix.command.as_deref()).collect();
                assert!(commands.iter().any(|c| c.contains("--role-name reader ")), "{name}: {commands:?}");
                let snippet = commands.iter().find_map(|c| serde_json::from_str::<Value>(c).ok());
                let Some(Value::Object(snippet)) = snippet else { continue };
                for (element, value) in snippet {
                    match (element.as_str(), value) {
                        ("Condition", Value::Object(operators)) => {
                            let (operator, keys) = operators.into_iter().next().unwrap();
                            for operators in statement["Condition"].as_object_mut().unwrap().values_mut() {
                                operators.as_object_mut().unwrap().remove(&wrong_key(&found[0]));
                            }
                            for (key, value) in keys.as_object().unwrap() {
                                for operators in statement["Condition"].as_object_mut().unwrap().values_mut() {
                                    operators.as_object_mut().unwrap().remove(key);
                                }
                                statement["Condition"][&operator][key] = value.clone();
                            }
                        }
                        (_, value) => statement[&element] = value,
                    }
                }
                if name != &"number" {
                    assert_eq!(causes(&statement, &claims), [], "{name}: {statement:#}");
                }
            }
        }
    }

    /// The key that a finding about an impossible key is about.
    fn wrong_key(finding: &Finding) -> String {
        finding.expected.clone().unwrap_or_default()
    }
}
