//! From what identity policies say to a read of a secret, to the causes.

use super::{Cause, Certainty, Finding};
use crate::domain::iam::{
    AccessEvaluation, AccessStatement, ConditionEvaluation, Decision, Effect, ResourceMiss, Truth, Withheld,
    resource_miss,
};
use crate::domain::ids::FoundBy;

const DOCS_LOGIC: &str = "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html";
const DOCS_SECRETS: &str =
    "https://docs.aws.amazon.com/secretsmanager/latest/userguide/auth-and-access_iam-policies.html";
const DOCS_KMS: &str = "https://docs.aws.amazon.com/secretsmanager/latest/userguide/security-encryption.html";

/// Why the policies do not let the call through: proven where they deny, possible where it depends on what is not at
/// hand; nothing where they allow.
pub fn findings(check: FoundBy, evaluation: &AccessEvaluation) -> Vec<Finding> {
    if evaluation.decision == Decision::Allow {
        return Vec::new();
    }
    let denying = evaluation.statements.iter().filter(|s| s.effect == Effect::Deny && s.matches != Truth::False);
    let mut found: Vec<Finding> = denying.map(|statement| denied(check, evaluation, statement)).collect();
    if let Some(withheld) = &evaluation.withheld {
        found.push(not_let_through(check, evaluation, withheld));
        return found;
    }
    let allowing = || evaluation.statements.iter().filter(|s| s.effect == Effect::Allow);
    if allowing().any(|statement| statement.matches == Truth::True) {
        return found;
    }
    let nearest = allowing().filter(|s| s.action.result == Truth::True).min_by_key(|statement| cost(statement));
    found.extend(match nearest {
        Some(statement) => missed(check, evaluation, statement),
        None => vec![not_granted(check, evaluation)],
    });
    found
}

/// How far a statement with the right action is from fitting.
fn cost(statement: &AccessStatement) -> usize {
    let resource = match statement.resource.result {
        Truth::True => 0,
        Truth::Unknown => 1,
        Truth::False if near(statement).is_some() => 2,
        Truth::False => 8,
    };
    resource + 2 * statement.conditions.iter().filter(|c| c.result == Truth::False).count()
}

/// The first pattern of the statement that misses in one thing only.
fn near(statement: &AccessStatement) -> Option<(&str, ResourceMiss)> {
    let patterns = statement.resource.expected.iter().take(64);
    patterns.filter_map(|pattern| Some((pattern.as_str(), resource_miss(pattern, &statement.resource.actual)?))).next()
}

fn denied(check: FoundBy, evaluation: &AccessEvaluation, statement: &AccessStatement) -> Finding {
    let (certainty, may) = if statement.matches == Truth::True {
        (Certainty::Proven, "denies")
    } else {
        (Certainty::Possible, "may deny")
    };
    let place = place(evaluation, statement);
    let summary = format!("{place} {may} `{}` explicitly, and a deny always wins", evaluation.action);
    let mut finding = Finding::new(Cause::ExplicitDeny, check, certainty, summary);
    for condition in &statement.conditions {
        finding = finding.with_evidence(told(condition));
    }
    finding = finding.with_fix(format!("Narrow {place}, or remove it"));
    finding.docs = DOCS_LOGIC.to_owned();
    finding
}

/// The caller's own policies allow it, and another policy that has to allow it as well does not.
fn not_let_through(check: FoundBy, evaluation: &AccessEvaluation, withheld: &Withheld) -> Finding {
    let action = &evaluation.action;
    let (cause, summary, fix) = match withheld {
        Withheld::Boundary { policy } => (
            Cause::PermissionsBoundary,
            format!("the permissions boundary {policy} does not allow `{action}`"),
            format!("Let {policy} allow `{action}` on {}", evaluation.resource),
        ),
        Withheld::KeyPolicy { key } => (
            cause_of(action),
            format!("the policy of the key {key} names neither the reader nor its account for `{action}`"),
            format!("Let the policy of {key} allow `{action}` for the reader"),
        ),
    };
    let mut finding = Finding::new(cause, check, Certainty::Proven, summary).with_fix(fix);
    finding.docs = docs_of(action).to_owned();
    finding
}

/// No statement allows the action at all.
fn not_granted(check: FoundBy, evaluation: &AccessEvaluation) -> Finding {
    let action = &evaluation.action;
    let summary = format!("no policy that was read allows `{action}`");
    let mut finding = Finding::new(cause_of(action), check, Certainty::Proven, summary)
        .with_command("Add a statement", statement(action, &wanted(&evaluation.resource)));
    finding.docs = docs_of(action).to_owned();
    finding
}

/// A statement has the action, and something else in it does not fit.
fn missed(check: FoundBy, evaluation: &AccessEvaluation, statement: &AccessStatement) -> Vec<Finding> {
    let mut found = Vec::new();
    if statement.resource.result == Truth::False {
        found.push(resource(check, evaluation, statement));
    }
    let failing = statement.conditions.iter().filter(|c| c.result == Truth::False);
    found.extend(failing.map(|c| condition(check, evaluation, statement, c, Certainty::Proven)));
    if found.is_empty() {
        let open = statement.conditions.iter().filter(|c| c.result == Truth::Unknown);
        found.extend(open.map(|c| condition(check, evaluation, statement, c, Certainty::Possible)));
    }
    if found.is_empty() {
        let summary =
            format!("{} may or may not cover the resource: {}", place(evaluation, statement), statement.resource.why);
        found.push(Finding::new(cause_of(&evaluation.action), check, Certainty::Possible, summary));
    }
    found
}

fn resource(check: FoundBy, evaluation: &AccessEvaluation, statement: &AccessStatement) -> Finding {
    let action = &evaluation.action;
    let near = near(statement);
    let miss = near.map(|(_, miss)| miss);
    let cause = match miss {
        Some(ResourceMiss::SuffixMissing | ResourceMiss::SuffixOfAnother) => Cause::SecretArnSuffix,
        Some(ResourceMiss::NeedsStar) => Cause::ListResourceScoped,
        _ => cause_of(action),
    };
    let why = match miss {
        Some(ResourceMiss::NeedsStar) => "the action knows no resource and needs `*`",
        Some(ResourceMiss::NotAnArn) => "it is a name, and a policy needs the ARN",
        Some(ResourceMiss::SuffixMissing) => {
            "it ends before the hyphen and six characters that every secret's ARN ends with"
        }
        Some(ResourceMiss::SuffixOfAnother) => {
            "its last six characters are another secret's: one of this name that was deleted and made again"
        }
        Some(ResourceMiss::HyphenInPrefix) => "`-*` covers only names that go on with a hyphen",
        Some(ResourceMiss::Partition) => "its partition is another",
        Some(ResourceMiss::Service) => "its service is another",
        Some(ResourceMiss::Region) => "its region is another",
        Some(ResourceMiss::Account) => "its account is another",
        Some(ResourceMiss::LetterCase) => "only letter case differs, and case counts",
        None => "it is for other resources",
    };
    let summary = format!(
        "{} allows `{action}`, and its resource does not cover the one that is called: {why}",
        place(evaluation, statement)
    );
    let mut finding = Finding::new(cause, check, Certainty::Proven, summary);
    finding.expected =
        near.map(|(pattern, _)| pattern.to_owned()).or_else(|| statement.resource.expected.first().cloned());
    finding.actual = Some(statement.resource.actual.clone());
    finding = finding.with_command(
        "Cover the resource",
        format!("\"Resource\": {}", serde_json::Value::from(wanted(&evaluation.resource))),
    );
    finding.docs = docs_of(action).to_owned();
    finding
}

fn condition(
    check: FoundBy,
    evaluation: &AccessEvaluation,
    statement: &AccessStatement,
    condition: &ConditionEvaluation,
    certainty: Certainty,
) -> Finding {
    let stage = condition.key.eq_ignore_ascii_case("secretsmanager:VersionStage");
    let cause = if stage { Cause::VersionstageCondition } else { cause_of(&evaluation.action) };
    let summary = if stage && condition.actual.is_none() {
        "the policy asks for a version stage, and a read that names none has no such key".to_owned()
    } else {
        format!("a condition of {} is not met: {}", place(evaluation, statement), told(condition))
    };
    let mut finding = Finding::new(cause, check, certainty, summary).with_evidence(told(condition));
    finding.expected = Some(condition.expected.join(", "));
    finding.actual = condition.actual.as_ref().map(|values| values.join(", "));
    finding = if stage {
        finding.with_fix("Remove the condition, or write it with `IfExists`").with_command(
            "Or name the stage in the call",
            "aws secretsmanager get-secret-value --secret-id <SECRET> --version-stage AWSCURRENT",
        )
    } else {
        finding.with_fix(format!("Let the call meet the condition on `{}`, or remove it", condition.key))
    };
    finding.docs = docs_of(&evaluation.action).to_owned();
    finding
}

fn told(condition: &ConditionEvaluation) -> String {
    let Some(actual) = &condition.actual else {
        return format!("{} `{}`: {}", condition.operator, condition.key, condition.why);
    };
    format!("{} `{}` is {}: {}", condition.operator, condition.key, actual.join(", "), condition.why)
}

/// `Statement[0]`, with its policy's name, or its place where there is more than one and none has a name.
fn place(evaluation: &AccessEvaluation, statement: &AccessStatement) -> String {
    let policy = match evaluation.policies.get(statement.policy) {
        Some(name) => format!(" of {name}"),
        None if statement.policy > 0 => format!(" of policy {}", statement.policy + 1),
        None => String::new(),
    };
    match &statement.sid {
        Some(sid) => format!("Statement[{}]{policy} ({sid})", statement.index),
        None => format!("Statement[{}]{policy}", statement.index),
    }
}

pub(super) fn cause_of(action: &str) -> Cause {
    let name = action.split(':').nth(1).unwrap_or(action).to_ascii_lowercase();
    if action.to_ascii_lowercase().starts_with("kms:") {
        Cause::MissingKms
    } else if action.to_ascii_lowercase().starts_with("sts:") {
        Cause::AssumeRoleDenied
    } else if matches!(name.as_str(), "listsecrets" | "batchgetsecretvalue") {
        Cause::MissingList
    } else {
        Cause::MissingGet
    }
}

fn docs_of(action: &str) -> &'static str {
    if cause_of(action) == Cause::MissingKms { DOCS_KMS } else { DOCS_SECRETS }
}

/// The resource to write for the one that is called: a secret's name with any six characters, so that it survives
/// being deleted and made again.
fn wanted(resource: &str) -> String {
    match resource.rsplit_once('-') {
        Some((name, suffix)) if resource.contains(":secret:") && suffix.len() == 6 => format!("{name}-??????"),
        _ => resource.to_owned(),
    }
}

fn statement(action: &str, resource: &str) -> String {
    let statement = serde_json::json!({"Effect": "Allow", "Action": action, "Resource": resource});
    serde_json::to_string_pretty(&statement).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::{Value, json};

    use super::*;
    use crate::domain::iam::{AccessRequest, OtherKeys, Policy, evaluate_access};
    use crate::domain::ids::CheckId;

    const SECRET: &str = "arn:aws:secretsmanager:us-east-1:123456789012:secret:db/password-AbCdEf";
    const KEY: &str = "arn:aws:kms:us-east-1:123456789012:key/1234";

    fn causes(statements: Value, action: &str, resource: &str, context: &[(&str, &str)]) -> Vec<Cause> {
        let policy = Policy::parse(&json!({"Version": "2012-10-17", "Statement": statements}).to_string()).unwrap();
        let context: BTreeMap<String, String> =
            context.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        let request = AccessRequest { action, resource, context: &context, others: OtherKeys::Unknown };
        let found = findings(CheckId::AwsGetSecret.into(), &evaluate_access(&[policy], &request));
        found.into_iter().map(|f| f.cause).collect()
    }

    #[test]
    fn a_denied_read_has_its_cause() {
        let allow = |action: &str, resource: &str| json!({"Effect": "Allow", "Action": action, "Resource": resource});
        let get = "secretsmanager:GetSecretValue";
        let list = "secretsmanager:ListSecrets";
        let arn = |rest: &str| format!("arn:aws:secretsmanager:us-east-1:123456789012:secret:{rest}");
        let stage = |operator: &str| {
            json!({"Effect": "Allow", "Action": get, "Resource": "*",
                "Condition": {operator: {"secretsmanager:VersionStage": "AWSCURRENT"}}})
        };
        for (statements, action, resource, expected) in [
            (allow(get, &arn("db/*")), get, SECRET, vec![]),
            (allow("secretsmanager:get*", "*"), get, SECRET, vec![]),
            (allow(get, &arn("db/password")), get, SECRET, vec![Cause::SecretArnSuffix]),
            (allow(get, &arn("db/password-ZyXwVu")), get, SECRET, vec![Cause::SecretArnSuffix]),
            (allow(get, &arn("db-*")), get, SECRET, vec![Cause::MissingGet]),
            (allow(get, &arn("other-*")), get, SECRET, vec![Cause::MissingGet]),
            (allow(list, "*"), get, SECRET, vec![Cause::MissingGet]),
            (allow(get, "*"), list, "*", vec![Cause::MissingList]),
            (allow(list, &arn("*")), list, "*", vec![Cause::ListResourceScoped]),
            (allow(list, "*"), list, "*", vec![]),
            (allow(get, "*"), "kms:Decrypt", KEY, vec![Cause::MissingKms]),
            (
                allow("kms:Decrypt", "arn:aws:kms:us-east-1:123456789012:key/9999"),
                "kms:Decrypt",
                KEY,
                vec![Cause::MissingKms],
            ),
            (stage("StringEquals"), get, SECRET, vec![Cause::VersionstageCondition]),
            (stage("ForAnyValue:StringEquals"), get, SECRET, vec![Cause::VersionstageCondition]),
            (stage("StringEqualsIfExists"), get, SECRET, vec![]),
            (
                json!([allow(get, "*"), {"Effect": "Deny", "Action": "secretsmanager:*", "Resource": arn("db/*")}]),
                get,
                SECRET,
                vec![Cause::ExplicitDeny],
            ),
            (
                json!([allow(get, &arn("db/password")), {"Effect": "Deny", "NotAction": "s3:*", "NotResource": "arn:aws:s3:::x"}]),
                get,
                SECRET,
                vec![Cause::ExplicitDeny, Cause::SecretArnSuffix],
            ),
        ] {
            assert_eq!(causes(statements.clone(), action, resource, &[]), expected, "{statements} {action}");
        }
    }

    #[test]
    fn the_context_at_hand_decides() {
        let get = "secretsmanager:GetSecretValue";
        let statement = |key: &str, value: &str| json!({"Effect": "Allow", "Action": get, "Resource": "*", "Condition": {"StringEquals": {key: value}}});
        let stage = [("secretsmanager:versionstage", "AWSCURRENT")];
        assert_eq!(causes(statement("secretsmanager:VersionStage", "AWSCURRENT"), get, SECRET, &stage), []);
        let region = [("aws:requestedregion", "us-east-1")];
        assert_eq!(causes(statement("aws:RequestedRegion", "us-east-1"), get, SECRET, &region), []);
        assert_eq!(causes(statement("aws:RequestedRegion", "eu-west-1"), get, SECRET, &region), [Cause::MissingGet]);
        // What is not known is possible, never proven.
        let policy = Policy::parse(&json!({"Statement": statement("aws:SourceVpce", "vpce-1")}).to_string()).unwrap();
        let context = BTreeMap::new();
        let request = AccessRequest { action: get, resource: SECRET, context: &context, others: OtherKeys::Unknown };
        let evaluation = evaluate_access(&[policy], &request);
        assert_eq!(evaluation.decision, Decision::Unknown);
        assert!(findings(CheckId::AwsGetSecret.into(), &evaluation).iter().all(|f| f.certainty == Certainty::Possible));
    }

    #[test]
    fn resources_may_hold_variables() {
        let get = "secretsmanager:GetSecretValue";
        let statement = json!({"Effect": "Allow", "Action": get,
            "Resource": "arn:aws:secretsmanager:us-east-1:123456789012:secret:${aws:PrincipalTag/team}/*"});
        assert_eq!(causes(statement.clone(), get, SECRET, &[("aws:principaltag/team", "db")]), []);
        assert_eq!(causes(statement, get, SECRET, &[("aws:principaltag/team", "web")]), [Cause::MissingGet]);
    }
}
