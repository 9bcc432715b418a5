//! What a user or role may do with secrets, put right: the policy at hand as a whole, or one statement in a policy of its
//! own.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::meant::{Principal, secret_pattern};
use super::{Sh, piece, pretty};
use crate::cause::{Cause, Finding, Fix};
use crate::check::CheckId;
use crate::check::facts::secret::Refusal;
use crate::domain::iam::{
    AccessEvaluation, AccessRequest, Decision, Effect, OtherKeys, Policy, Truth, evaluate_access,
};
use crate::domain::profile::Guide;
use crate::remedy::Context;
use crate::remedy::{check, variable};

/// For how long a change of IAM may take to arrive, in seconds.
const PROPAGATION_S: u32 = 60;
const STAGE: &str = "secretsmanager:VersionStage";

/// One action on one resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Need {
    pub action: &'static str,
    pub resource: String,
    /// What a policy for nothing else is called.
    pub policy_name: &'static str,
}

impl Need {
    pub(super) fn statement(&self) -> Value {
        json!({ "Effect": "Allow", "Action": self.action, "Resource": self.resource })
    }

    fn grant(&self) -> Value {
        json!({ "Version": "2012-10-17", "Statement": [self.statement()] })
    }
}

/// The fixes for a denied list or read.
pub(super) fn fixes(finding: &Finding, context: Context<'_>) -> Vec<Fix> {
    let Some((need, refusal, evaluation)) = denied(finding, context) else { return Vec::new() };
    let Some(reader) = Principal::reading(context) else { return Vec::new() };
    let words = refusal.map_or("", |refusal| refusal.message.as_str());
    let fix = if finding.cause == Cause::PermissionsBoundary {
        boundary(&reader, &need, context)
    } else if words.contains("explicit deny in a resource-based policy") {
        resource_deny(&reader, &need, context)
    } else if finding.cause == Cause::ExplicitDeny {
        at_hand(&reader, &need, evaluation, context).or_else(|| identity_deny(&reader, &need, words, context))
    } else {
        at_hand(&reader, &need, evaluation, context).or_else(|| Some(grant(&reader, &need, context)))
    };
    fix.into_iter().collect()
}

/// What was denied, in which words, and what the policy at hand says to it.
fn denied<'a>(
    finding: &Finding,
    context: Context<'a>,
) -> Option<(Need, Option<&'a Refusal>, Option<&'a AccessEvaluation>)> {
    let aws = &context.facts.aws;
    let policy = aws.permissions.as_ref();
    let by_policies = finding.check == CheckId::AwsRolePermissions;
    let is_about_list = by_policies
        && match finding.cause {
            Cause::MissingList | Cause::ListResourceScoped => true,
            Cause::ExplicitDeny | Cause::PermissionsBoundary => {
                policy.and_then(|p| p.list.as_ref()).is_some_and(|l| l.decision == Decision::Deny)
            }
            _ => false,
        };
    if finding.check == CheckId::AwsListSecrets || is_about_list {
        let need =
            Need { action: "secretsmanager:ListSecrets", resource: "*".to_owned(), policy_name: "SecretsManagerList" };
        return Some((need, aws.list.as_ref().and_then(|call| call.refusal()), policy.and_then(|p| p.list.as_ref())));
    }
    if finding.check == CheckId::AwsGetSecret || by_policies {
        let need = Need {
            action: "secretsmanager:GetSecretValue",
            resource: secret_pattern(context)?,
            policy_name: "SecretsManagerGet",
        };
        return Some((need, aws.secret.as_ref().and_then(|call| call.refusal()), policy.and_then(|p| p.get.as_ref())));
    }
    None
}

/// One statement in an inline policy of its own; no other policy is touched.
pub(super) fn grant(principal: &Principal, need: &Need, context: Context<'_>) -> Fix {
    let document = need.grant();
    let script = || {
        Sh::new(context.profile)
            .with("KIND", principal.kind)
            .with("NAME", &principal.name)
            .with("POLICY_NAME", need.policy_name)
            .document("grant.json", &document)
            .in_account(Some(&principal.account))
    };
    let Principal { kind, name, .. } = principal;
    let Need { action, resource, .. } = need;
    Fix {
        text: format!(
            "Give the {kind} `{name}` an inline policy that allows `{action}` on {} and nothing else.",
            if resource == "*" { "`*`, as the action knows no resource" } else { resource }
        ),
        command: Some(script().run(piece!("grant.sh")).finish()),
        document: Some(pretty(&document)),
        verify: Some(check(context.profile, Some(PROPAGATION_S))),
        undo: Some(script().run(piece!("ungrant.sh")).finish()),
        ..Fix::default()
    }
}

/// The policy at hand, corrected; none where there is none, or what it would take cannot be proven.
fn at_hand(
    principal: &Principal,
    need: &Need,
    evaluation: Option<&AccessEvaluation>,
    context: Context<'_>,
) -> Option<Fix> {
    let before = document_at_hand(context)?;
    let after = corrected(&before, need, evaluation?)?;
    Some(edit(principal, &before, &after, context, format!("so that it allows `{}` on {}", need.action, need.resource)))
}

/// The permissions policy at hand: the document itself.
pub(super) fn document_at_hand(context: Context<'_>) -> Option<Value> {
    let text = context.facts.aws.permissions.as_ref()?.text.as_ref()?;
    let read: Value = serde_json::from_str(text).ok()?;
    let inner = read.get("PolicyDocument").or_else(|| read.get("PolicyVersion")?.get("Document"));
    let document = inner.unwrap_or(&read).clone();
    document.get("Statement").is_some().then_some(document)
}

/// Replaces the one policy of the principal that is `before`, and the profile's copy of it.
pub(super) fn edit(principal: &Principal, before: &Value, after: &Value, context: Context<'_>, aim: String) -> Fix {
    let copy = context.profile.aws.identity_policy.as_ref().map(|path| path.display().to_string());
    let script = |from: &Value, to: &Value, change: &'static str| {
        let sh = Sh::new(context.profile).with("KIND", principal.kind).with("NAME", &principal.name);
        let sh = sh.document("before.json", from).document("after.json", to);
        let sh = sh.in_account(Some(&principal.account)).run(piece!("find.sh")).run(change);
        let sh = match &copy {
            Some(copy) => sh.run(&variable("COPY", Some(copy), "")).run(piece!("refresh.sh")),
            None => sh,
        };
        sh.finish()
    };
    Fix {
        text: format!("Change the policy of the {} `{}` {aim}.", principal.kind, principal.name),
        command: Some(script(before, after, piece!("edit.sh"))),
        document: Some(pretty(after)),
        verify: Some(check(context.profile, Some(PROPAGATION_S))),
        undo: Some(script(after, before, piece!("restore.sh"))),
        ..Fix::default()
    }
}

/// The document with the least change that lets the call through. It is proven by the evaluator before it is offered.
fn corrected(document: &Value, need: &Need, evaluation: &AccessEvaluation) -> Option<Value> {
    let candidates = [
        undenied(document, need, evaluation),
        unstaged(document, evaluation),
        replaced(document, need),
        Some(added(document, need.statement())),
    ];
    candidates.into_iter().flatten().find(|candidate| allows(candidate, need, evaluation))
}

/// Whether the document lets the call through: the very resource that was evaluated, and one of the pattern's.
fn allows(document: &Value, need: &Need, evaluation: &AccessEvaluation) -> bool {
    let Ok(policy) = Policy::parse(&document.to_string()) else { return false };
    let policies = [policy];
    let context = BTreeMap::new();
    let example = need.resource.replace("-??????", "-AbCdEf");
    let is_allowed = |resource: &str| {
        let request = AccessRequest { action: need.action, resource, context: &context, others: OtherKeys::Unknown };
        evaluate_access(&policies, &request).decision == Decision::Allow
    };
    is_allowed(&evaluation.resource) && is_allowed(&example)
}

/// With one more statement.
pub(super) fn added(document: &Value, statement: Value) -> Value {
    let mut document = document.clone();
    let statements = match document.get("Statement") {
        Some(Value::Array(items)) => items.iter().cloned().chain([statement]).collect(),
        Some(single) => vec![single.clone(), statement],
        None => vec![statement],
    };
    document["Statement"] = Value::Array(statements);
    document
}

/// With every statement changed in its place.
fn mapped(document: &Value, change: impl Fn(usize, &mut Map<String, Value>)) -> Value {
    let mut document = document.clone();
    match document.get_mut("Statement") {
        Some(Value::Array(items)) => {
            let objects = items.iter_mut().enumerate().filter_map(|(at, item)| Some((at, item.as_object_mut()?)));
            objects.for_each(|(at, statement)| change(at, statement));
        }
        Some(Value::Object(only)) => change(0, only),
        _ => {}
    }
    document
}

fn is_list_of(value: Option<&Value>, is_it: impl Fn(&str) -> bool) -> bool {
    match value {
        Some(Value::String(text)) => is_it(text),
        Some(Value::Array(items)) => matches!(items.as_slice(), [Value::String(text)] if is_it(text)),
        _ => false,
    }
}

/// With another resource in the one statement that is for this action alone and misses the resource by its form.
fn replaced(document: &Value, need: &Need) -> Option<Value> {
    let name_alone = need.resource.strip_suffix("-??????");
    let misses = |statement: &Map<String, Value>| {
        let is_for_action = is_list_of(statement.get("Action"), |action| action.eq_ignore_ascii_case(need.action));
        let is_resource = |resource: &str| match name_alone {
            Some(name) => {
                resource == name
                    || resource.rsplit_once('-').is_some_and(|(start, end)| start == name && end.len() == 6)
            }
            None => need.resource == "*",
        };
        is_for_action
            && statement.get("Effect").is_some_and(|effect| effect == "Allow")
            && !statement.contains_key("Condition")
            && is_list_of(statement.get("Resource"), is_resource)
    };
    let after = mapped(document, |_, statement| {
        if misses(statement) {
            statement.insert("Resource".to_owned(), need.resource.clone().into());
        }
    });
    (after != *document).then_some(after)
}

/// With `IfExists` where a statement asks for a version's stage, which a read of the current version does not name.
fn unstaged(document: &Value, evaluation: &AccessEvaluation) -> Option<Value> {
    let fits = |index: usize| {
        let mut statements = evaluation.statements.iter();
        statements.any(|s| {
            s.index == index
                && s.effect == Effect::Allow
                && s.action.result == Truth::True
                && s.resource.result == Truth::True
        })
    };
    let after = mapped(document, |index, statement| {
        let Some(Value::Object(conditions)) = statement.get_mut("Condition").filter(|_| fits(index)) else { return };
        for operator in conditions.keys().cloned().collect::<Vec<_>>() {
            if !operator.ends_with("IfExists") && operator != "Null" {
                loosen(conditions, &operator);
            }
        }
    });
    (after != *document).then_some(after)
}

/// Moves the stage's entry from an operator to the one with `IfExists`.
fn loosen(conditions: &mut Map<String, Value>, operator: &str) {
    let Some(Value::Object(entries)) = conditions.get_mut(operator) else { return };
    let Some(key) = entries.keys().find(|key| key.eq_ignore_ascii_case(STAGE)).cloned() else { return };
    let Some(expected) = entries.remove(&key) else { return };
    if entries.is_empty() {
        conditions.remove(operator);
    }
    let looser = conditions.entry(format!("{operator}IfExists")).or_insert_with(|| json!({}));
    if let Value::Object(entries) = looser {
        entries.insert(key, expected);
    }
}

/// With the secret taken out of what a statement denies on everything.
fn undenied(document: &Value, need: &Need, evaluation: &AccessEvaluation) -> Option<Value> {
    let denies = |index: usize| {
        let mut statements = evaluation.statements.iter();
        statements.any(|s| s.index == index && s.effect == Effect::Deny && s.matches == Truth::True)
    };
    let after = mapped(document, |index, statement| {
        if need.resource != "*" && denies(index) && is_list_of(statement.get("Resource"), |resource| resource == "*") {
            statement.remove("Resource");
            statement.insert("NotResource".to_owned(), need.resource.clone().into());
        }
    });
    (after != *document).then_some(after)
}

/// The statement that denies, read from what is in force.
fn identity_deny(principal: &Principal, need: &Need, words: &str, context: Context<'_>) -> Option<Fix> {
    if need.resource == "*" || !words.contains("identity-based policy") {
        return None;
    }
    let script = |change: &str| {
        Sh::new(context.profile)
            .with("KIND", principal.kind)
            .with("NAME", &principal.name)
            .with("ACTION", need.action)
            .with("RESOURCE", &need.resource)
            .with("CHANGE", change)
            .text("deny.jq", piece!("deny.jq"))
            .in_account(Some(&principal.account))
            .run(piece!("deny.sh"))
            .finish()
    };
    Some(Fix {
        text: format!(
            "Take this one secret out of the Deny in the inline policies of `{}`; everything else stays denied. Ask whoever \
             wrote the Deny first.",
            principal.name
        ),
        command: Some(script("narrowed")),
        verify: Some(check(context.profile, Some(PROPAGATION_S))),
        undo: Some(script("widened")),
        ..Fix::default()
    })
}

/// The Deny of the secret's own policy, for this principal alone.
fn resource_deny(principal: &Principal, need: &Need, context: Context<'_>) -> Option<Fix> {
    let secret = &context.profile.secret.as_ref()?.name;
    let script = |change: &str| {
        Sh::new(context.profile)
            .with("SECRET", secret)
            .with("ACTION", need.action)
            .with("PRINCIPAL", &principal.arn)
            .with("CHANGE", change)
            .in_account(Some(&principal.account))
            .run(piece!("resource-deny.sh"))
            .finish()
    };
    Some(Fix {
        text: format!(
            "Except {} from the Deny in the secret's resource policy; everybody else stays denied. Ask whoever wrote the \
             Deny first.",
            principal.arn
        ),
        command: Some(script("narrowed")),
        verify: Some(check(context.profile, Some(PROPAGATION_S))),
        undo: Some(script("widened")),
        ..Fix::default()
    })
}

/// One more statement in the boundary, which grants nothing by itself.
fn boundary(principal: &Principal, need: &Need, context: Context<'_>) -> Option<Fix> {
    if principal.kind != "role" || context.profile.guide == Guide::AwsStatic {
        return None;
    }
    let document = need.grant();
    let script = |change: &'static str| {
        Sh::new(context.profile)
            .with("NAME", &principal.name)
            .document("grant.json", &document)
            .in_account(Some(&principal.account))
            .run(piece!("boundary.sh"))
            .run(change)
            .finish()
    };
    Some(Fix {
        text: format!(
            "Let the permissions boundary of `{}` pass `{}` on {}. A boundary grants nothing by itself; it may bound other \
             roles too.",
            principal.name, need.action, need.resource
        ),
        command: Some(script(piece!("bound.sh"))),
        document: Some(pretty(&document)),
        verify: Some(check(context.profile, Some(PROPAGATION_S))),
        undo: Some(script(piece!("unbound.sh"))),
        ..Fix::default()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "arn:aws:secretsmanager:us-east-1:123456789012:secret:db/password-??????";
    const CALLED: &str = "arn:aws:secretsmanager:us-east-1:123456789012:secret:db/password-AbCdEf";

    fn get() -> Need {
        Need { action: "secretsmanager:GetSecretValue", resource: SECRET.to_owned(), policy_name: "x" }
    }

    fn corrected_for(need: &Need, called: &str, statement: Value) -> Option<Value> {
        let document = json!({ "Version": "2012-10-17", "Statement": statement });
        let policy = Policy::parse(&document.to_string()).unwrap();
        let context = BTreeMap::new();
        let request =
            AccessRequest { action: need.action, resource: called, context: &context, others: OtherKeys::Unknown };
        corrected(&document, need, &evaluate_access(&[policy], &request))
    }

    fn allow(action: Value, resource: &str) -> Value {
        json!({ "Effect": "Allow", "Action": action, "Resource": resource })
    }

    #[test]
    fn what_is_wrong_is_put_right_in_its_place() {
        let bare = SECRET.trim_end_matches("-??????");
        let after =
            corrected_for(&get(), CALLED, json!([allow("secretsmanager:GetSecretValue".into(), bare)])).unwrap();
        assert_eq!(after["Statement"], json!([allow("secretsmanager:GetSecretValue".into(), SECRET)]));
        let list = Need { action: "secretsmanager:ListSecrets", resource: "*".into(), policy_name: "x" };
        let scoped = json!(allow(json!(["secretsmanager:ListSecrets"]), bare));
        let after = corrected_for(&list, "*", scoped).unwrap();
        assert_eq!(after["Statement"], allow(json!(["secretsmanager:ListSecrets"]), "*"));
    }

    #[test]
    fn a_statement_for_more_is_left_alone_and_another_added() {
        let bare = SECRET.trim_end_matches("-??????");
        let both = allow(json!(["secretsmanager:GetSecretValue", "secretsmanager:PutSecretValue"]), bare);
        let after = corrected_for(&get(), CALLED, both.clone()).unwrap();
        assert_eq!(after["Statement"], json!([both, get().statement()]));
    }

    #[test]
    fn a_condition_on_the_stage_is_met_by_a_read_that_names_none() {
        let mut statement = allow("secretsmanager:*".into(), "*");
        statement["Condition"] = json!({
            "StringEquals": { STAGE: "AWSCURRENT", "aws:SecureTransport": "true" },
            "StringEqualsIfExists": { "secretsmanager:VersionId": "1" },
        });
        let after = corrected_for(&get(), CALLED, json!([statement])).unwrap();
        assert_eq!(
            after["Statement"][0]["Condition"],
            json!({
                "StringEquals": { "aws:SecureTransport": "true" },
                "StringEqualsIfExists": { "secretsmanager:VersionId": "1", STAGE: "AWSCURRENT" },
            })
        );
    }

    #[test]
    fn a_deny_keeps_what_is_not_this_secret_and_a_narrower_one_has_no_fix() {
        let allowed = allow("secretsmanager:GetSecretValue".into(), "*");
        let deny = |resource: &str| json!({ "Effect": "Deny", "Action": "secretsmanager:*", "Resource": resource });
        let after = corrected_for(&get(), CALLED, json!([allowed, deny("*")])).unwrap();
        assert_eq!(
            after["Statement"][1],
            json!({ "Effect": "Deny", "Action": "secretsmanager:*", "NotResource": SECRET })
        );
        assert_eq!(
            corrected_for(&get(), CALLED, json!([allowed, deny("arn:aws:secretsmanager:*:*:secret:db/*")])),
            None
        );
    }
}
