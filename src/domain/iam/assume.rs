//! Would this trust policy let a signed caller assume the role (`sts:AssumeRole`)? The answer with every reason.
//!
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html>

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::context::{Actual, Context, WEB_IDENTITY};
use super::decide::{Decision, Tally};
use super::evaluate::{ElementEvaluation, StatementEvaluation, explain_action, explain_condition};
use super::pattern::Effort;
use super::policy::PrincipalElement;
use super::policy::{Effect, Policy, Statement};
use super::truth::Truth;
use crate::domain::arn::Arn;

/// The action of a signed caller.
pub const ASSUME_ROLE: &str = "sts:AssumeRole";

/// A signed caller's request for a role.
#[derive(Clone, Copy, Debug)]
pub struct AssumeRequest<'a> {
    /// The caller's ARN, as `GetCallerIdentity` tells it, where it was asked.
    pub caller: Option<&'a str>,
    /// The external id that is sent.
    pub external_id: Option<&'a str>,
    /// The session name that is asked for.
    pub session_name: Option<&'a str>,
}

/// What a trust policy says to a signed caller.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AssumeEvaluation {
    pub decision: Decision,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub caller: Option<String>,
    pub statements: Vec<StatementEvaluation>,
    /// A statement lets web identities in: the role is meant for tokens.
    pub takes_tokens: bool,
}

impl AssumeEvaluation {
    /// The statement that allows the action and lacks the least, which is the one that was meant.
    pub fn nearest_allow(&self) -> Option<&StatementEvaluation> {
        let about = |s: &&StatementEvaluation| s.effect == Effect::Allow && s.action.result != Truth::False;
        self.statements.iter().filter(about).min_by_key(|statement| {
            let misses = statement.conditions.iter().filter(|condition| condition.result == Truth::False);
            misses.count() + usize::from(statement.principal.result == Truth::False)
        })
    }
}

/// Decides on `request`, and says why. That a policy allows is half of what STS asks: unless it names the caller
/// itself, the caller's own policies must allow the call too.
pub fn evaluate_assume(policy: &Policy, request: &AssumeRequest<'_>) -> AssumeEvaluation {
    let context = AssumeContext { request: *request, effort: Effort::full() };
    let mut tally = Tally::new();
    let mut statements = Vec::new();
    for (index, statement) in policy.statements.iter().enumerate() {
        let explained = explain(index, statement, &context);
        tally.add(statement.effect, explained.matches);
        statements.push(explained);
    }
    let takes_tokens = policy.statements.iter().any(|statement| {
        statement.effect == Effect::Allow
            && explain_action(&statement.action, WEB_IDENTITY, &context.effort).result == Truth::True
    });
    AssumeEvaluation { decision: tally.decision(), caller: request.caller.map(str::to_owned), statements, takes_tokens }
}

fn explain(index: usize, statement: &Statement, context: &AssumeContext<'_>) -> StatementEvaluation {
    let principal = explain_principal(statement.principal.as_ref(), context.request.caller);
    let action = explain_action(&statement.action, ASSUME_ROLE, &context.effort);
    let conditions = statement.conditions.iter().map(|c| explain_condition(c, context)).collect();
    StatementEvaluation::of(index, statement, principal, action, conditions)
}

fn explain_principal(element: Option<&PrincipalElement>, caller: Option<&str>) -> ElementEvaluation {
    let negated = element.is_some_and(|element| element.negated);
    let result = element.map_or(Truth::False, |element| covers(element, caller));
    let why = match (element, result, negated) {
        (None, _, _) => "the statement names nobody: a trust policy needs `Principal`, this may be an identity policy",
        (_, Truth::Unknown, _) => "who calls is not known",
        (_, Truth::True, false) => "the caller, or its account, is named",
        (_, Truth::True, true) => "the caller is not among the excepted",
        (_, Truth::False, true) => "the caller is excepted",
        (_, Truth::False, false) => "neither the caller nor its account is named",
    };
    let mut expected = element.map(|element| element.others.clone()).unwrap_or_default();
    expected.extend(element.map(|element| element.federated.clone()).unwrap_or_default());
    if element.is_some_and(|element| element.everybody) && expected.is_empty() {
        expected.push("*".into());
    }
    ElementEvaluation {
        element: if negated { "NotPrincipal".into() } else { "Principal".into() },
        expected,
        actual: caller.unwrap_or_default().to_owned(),
        result,
        why: why.into(),
        near_miss: None,
    }
}

fn covers(element: &PrincipalElement, caller: Option<&str>) -> Truth {
    let named = || element.others.iter().filter_map(|other| other.strip_prefix("AWS:"));
    let listed = match caller {
        _ if element.everybody => Truth::True,
        None if named().next().is_none() => Truth::False,
        None => Truth::Unknown,
        Some(caller) => named().any(|principal| is_named(principal, caller)).into(),
    };
    if element.negated { !listed } else { listed }
}

/// Whether a principal is the caller, its role, or its account.
pub(super) fn is_named(principal: &str, caller: &str) -> bool {
    let Some(caller_arn) = Arn::parse(caller) else { return principal == caller };
    if principal == caller || principal == caller_arn.account {
        return true;
    }
    let Some(named) = Arn::parse(principal) else { return false };
    if (named.partition, named.account) != (caller_arn.partition, caller_arn.account) || named.service != "iam" {
        return false;
    }
    // A session's ARN holds its role's name without the path.
    let role = caller_arn.resource.strip_prefix("assumed-role/").and_then(|rest| rest.split('/').next());
    named.resource == "root"
        || role.is_some() && named.resource.strip_prefix("role/").and_then(|path| path.rsplit('/').next()) == role
}

/// The condition keys of the request.
struct AssumeContext<'a> {
    request: AssumeRequest<'a>,
    effort: Effort,
}

const WHO: Actual<'_> = Actual::Unknown("who calls");

impl<'a> AssumeContext<'a> {
    fn sts_key(&self, name: &str) -> Actual<'a> {
        let is = |known: &str| name.eq_ignore_ascii_case(known);
        if is("ExternalId") {
            self.request.external_id.map_or(Actual::Missing, one)
        } else if is("RoleSessionName") {
            self.request.session_name.map_or(Actual::Unknown("the session name that the caller asks for"), one)
        } else if is("SourceIdentity") || is("TransitiveTagKeys") {
            Actual::Missing
        } else {
            Actual::Unknown("how STS fills this key")
        }
    }

    fn global_key(&self, name: &str) -> Actual<'a> {
        let is = |known: &str| name.eq_ignore_ascii_case(known);
        let caller = self.request.caller.and_then(Arn::parse);
        if is("PrincipalAccount") {
            caller.map_or(WHO, |arn| one(arn.account))
        } else if is("PrincipalArn") {
            // Of a session it is the role's ARN, whose path is not known.
            match (self.request.caller, caller) {
                (Some(whole), Some(arn)) if arn.resource.starts_with("user/") => one(whole),
                _ => WHO,
            }
        } else if is("username") {
            let user = caller.and_then(|arn| arn.resource.strip_prefix("user/"));
            user.and_then(|path| path.rsplit('/').next()).map_or(WHO, one)
        } else if is("SecureTransport") {
            one("true")
        } else if is("TagKeys") || name.to_ascii_lowercase().starts_with("requesttag/") {
            Actual::Missing
        } else {
            Actual::Unknown("the caller, its network and its organization")
        }
    }
}

impl Context for AssumeContext<'_> {
    fn lookup(&self, key: &str) -> Actual<'_> {
        match key.split_once(':') {
            Some((service, name)) if service.eq_ignore_ascii_case("sts") => self.sts_key(name),
            Some((service, name)) if service.eq_ignore_ascii_case("aws") => self.global_key(name),
            _ => Actual::Missing,
        }
    }

    fn effort(&self) -> &Effort {
        &self.effort
    }
}

const fn one(text: &str) -> Actual<'_> {
    Actual::One(Cow::Borrowed(text))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    const USER: &str = "arn:aws:iam::123456789012:user/ops/reader";
    const SESSION: &str = "arn:aws:sts::123456789012:assumed-role/first/trustline";

    fn decision(statement: Value, caller: Option<&str>, external_id: Option<&str>) -> Decision {
        let policy = json!({ "Version": "2012-10-17", "Statement": [statement] }).to_string();
        let request = AssumeRequest { caller, external_id, session_name: Some("trustline") };
        evaluate_assume(&Policy::parse(&policy).unwrap(), &request).decision
    }

    fn naming(principal: &str) -> Value {
        json!({ "Effect": "Allow", "Principal": { "AWS": principal }, "Action": "sts:AssumeRole" })
    }

    #[test]
    fn principals_name_the_caller_its_role_or_its_account() {
        use Decision::{Allow, Deny};
        for (principal, caller, expected) in [
            (USER, USER, Allow),
            ("123456789012", USER, Allow),
            ("arn:aws:iam::123456789012:root", USER, Allow),
            ("*", USER, Allow),
            ("arn:aws:iam::123456789012:user/reader", USER, Deny),
            ("arn:aws:iam::210987654321:root", USER, Deny),
            ("arn:aws-cn:iam::123456789012:root", USER, Deny),
            ("arn:aws:iam::123456789012:role/deep/first", SESSION, Allow),
            (SESSION, SESSION, Allow),
            ("arn:aws:iam::123456789012:role/firs", SESSION, Deny),
            ("AIDAJQABLZS4A3QDU576Q", USER, Deny),
        ] {
            assert_eq!(decision(naming(principal), Some(caller), None), expected, "{principal} {caller}");
        }
        assert_eq!(decision(naming(USER), None, None), Decision::Unknown);
    }

    #[test]
    fn conditions_are_evaluated_beyond_the_external_id() {
        use Decision::{Allow, Deny, Unknown};
        for (operator, key, value, sent, expected) in [
            ("StringEquals", "sts:ExternalId", "ours", Some("ours"), Allow),
            ("StringEquals", "sts:ExternalId", "ours", Some("theirs"), Deny),
            ("StringEquals", "sts:ExternalId", "ours", None, Deny),
            ("StringLike", "sts:ExternalId", "ou*", Some("ours"), Allow),
            ("StringEquals", "aws:PrincipalAccount", "123456789012", None, Allow),
            ("StringEquals", "aws:PrincipalAccount", "210987654321", None, Deny),
            ("ArnLike", "aws:PrincipalArn", "arn:aws:iam::*:user/ops/*", None, Allow),
            ("StringEquals", "sts:RoleSessionName", "other", None, Deny),
            ("StringEquals", "aws:username", "reader", None, Allow),
            ("IpAddress", "aws:SourceIp", "203.0.113.0/24", None, Unknown),
        ] {
            let mut statement = naming("arn:aws:iam::123456789012:root");
            statement["Condition"] = json!({ operator: { key: value } });
            assert_eq!(decision(statement, Some(USER), sent), expected, "{operator} {key} {value}");
        }
    }

    #[test]
    fn a_role_for_tokens_is_told() {
        let policy = json!({ "Statement": [{
            "Effect": "Allow", "Principal": { "Federated": "arn:aws:iam::123456789012:oidc-provider/a.example.com" },
            "Action": "sts:AssumeRoleWithWebIdentity" }] });
        let request = AssumeRequest { caller: Some(USER), external_id: None, session_name: None };
        let evaluation = evaluate_assume(&Policy::parse(&policy.to_string()).unwrap(), &request);
        assert_eq!((evaluation.decision, evaluation.takes_tokens), (Decision::Deny, true));
    }
}
