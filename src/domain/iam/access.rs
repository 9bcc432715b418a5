//! Would these identity policies let a call through? For the reads of secrets and the use of their keys.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::context::{Actual, Context};
use super::decide::{Decision, Tally};
use super::evaluate::{ConditionEvaluation, ElementEvaluation, explain_action, explain_condition};
use super::pattern::{Effort, arn_like, arn_like_units};
use super::policy::{Effect, Expected, Policy, ResourceElement, Statement};
use super::truth::Truth;
use super::variable::{Expanded, Resolved, Wildcards, expand};

/// A call that an identity policy allows or denies.
#[derive(Clone, Copy, Debug)]
pub struct AccessRequest<'a> {
    /// Such as `secretsmanager:GetSecretValue`.
    pub action: &'a str,
    /// The resource's ARN; `*` for an action that knows no resource, such as `secretsmanager:ListSecrets`.
    pub resource: &'a str,
    /// The condition keys that are known, in lower case.
    pub context: &'a BTreeMap<String, String>,
    pub others: OtherKeys,
}

/// What is known of the condition keys that a request's context does not list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OtherKeys {
    /// The request has none: its context is whole, as the cloud that answers it sees it.
    Absent,
    /// Those that tell of the caller, its network and the resource may be in the request.
    Unknown,
}

/// What a set of identity policies says to a call.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AccessEvaluation {
    pub decision: Decision,
    pub action: String,
    pub resource: String,
    pub statements: Vec<AccessStatement>,
    /// What the policies are called, where there is more than one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub policies: Vec<String>,
    /// What the caller's own policies allow, and another policy does not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub withheld: Option<Withheld>,
}

/// A policy that has to allow a call too, and does not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "by")]
pub enum Withheld {
    /// What bounds the caller's policies.
    Boundary { policy: String },
    /// The key's own policy, which names neither the caller nor its account.
    KeyPolicy { key: String },
}

/// What one statement says to a call.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AccessStatement {
    /// The policy's place among those given, from 0.
    pub policy: usize,
    /// The statement's place in its policy, from 0.
    pub index: usize,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sid: Option<String>,
    pub effect: Effect,
    pub matches: Truth,
    pub action: ElementEvaluation,
    pub resource: ElementEvaluation,
    pub conditions: Vec<ConditionEvaluation>,
}

struct AccessContext<'a> {
    request: AccessRequest<'a>,
    effort: Effort,
}

impl Context for AccessContext<'_> {
    fn lookup(&self, key: &str) -> Actual<'_> {
        let key = key.to_lowercase();
        if let Some(value) = self.request.context.get(&key) {
            return Actual::One(Cow::Borrowed(value));
        }
        let service = self.request.action.split(':').next().unwrap_or_default();
        match key.split_once(':') {
            Some(("aws", "securetransport")) => Actual::One(Cow::Borrowed("true")),
            _ if self.request.others == OtherKeys::Absent => Actual::Missing,
            Some(("aws", _)) => Actual::Unknown("the call's caller, network and account"),
            Some((prefix, name)) if prefix.eq_ignore_ascii_case(service) && !is_caller_supplied(name) => {
                Actual::Unknown("the resource's own attributes")
            }
            _ => Actual::Missing,
        }
    }

    fn effort(&self) -> &Effort {
        &self.effort
    }
}

/// Keys that are in a request only where the caller passed the parameter
/// (<https://docs.aws.amazon.com/service-authorization/latest/reference/list_awssecretsmanager.html>).
fn is_caller_supplied(name: &str) -> bool {
    matches!(name, "versionstage" | "versionid" | "forcedeletewithoutrecovery" | "recoverywindowindays")
}

/// Decides on `request`: an explicit deny in any of `policies` wins, else one allow is enough.
pub fn evaluate_access(policies: &[Policy], request: &AccessRequest<'_>) -> AccessEvaluation {
    let context = AccessContext { request: *request, effort: Effort::full() };
    let mut tally = Tally::new();
    let mut statements = Vec::new();
    for (policy, document) in policies.iter().enumerate() {
        for (index, statement) in document.statements.iter().enumerate() {
            let explained = explain(policy, index, statement, &context);
            tally.add(statement.effect, explained.matches);
            statements.push(explained);
        }
    }
    AccessEvaluation {
        decision: tally.decision(),
        action: request.action.to_owned(),
        resource: request.resource.to_owned(),
        statements,
        policies: Vec::new(),
        withheld: None,
    }
}

fn explain(policy: usize, index: usize, statement: &Statement, context: &AccessContext<'_>) -> AccessStatement {
    let action = explain_action(&statement.action, context.request.action, &context.effort);
    let resource = explain_resource(statement.resource.as_ref(), context);
    let conditions: Vec<_> = statement.conditions.iter().map(|c| explain_condition(c, context)).collect();
    let matches = action.result.and(resource.result).and(Truth::all(conditions.iter().map(|c| c.result)));
    AccessStatement {
        policy,
        index,
        sid: statement.sid.clone(),
        effect: statement.effect,
        matches,
        action,
        resource,
        conditions,
    }
}

fn explain_resource(element: Option<&ResourceElement>, context: &AccessContext<'_>) -> ElementEvaluation {
    let result = covers_resource(element, context);
    let negated = element.is_some_and(|e| e.negated);
    let why = match (result, negated) {
        (_, _) if element.is_none() => "the statement names no resource",
        (Truth::True, false) => "the resource is covered",
        (Truth::True, true) => "the resource is not among the excepted",
        (Truth::False, true) => "the resource is excepted",
        (Truth::False, false) => "the resource is not covered",
        (Truth::Unknown, _) => "a variable in it is not known",
    };
    ElementEvaluation {
        element: if negated { "NotResource".into() } else { "Resource".into() },
        expected: element.map(|e| e.patterns.iter().map(|p| p.text.clone()).collect()).unwrap_or_default(),
        actual: context.request.resource.to_owned(),
        result,
        why: why.into(),
        near_miss: None,
    }
}

fn covers_resource(element: Option<&ResourceElement>, context: &AccessContext<'_>) -> Truth {
    let Some(element) = element else { return Truth::False };
    let listed = Truth::any(element.patterns.iter().map(|pattern| resource_fits(pattern, context)));
    if element.negated { !listed } else { listed }
}

fn resource_fits(pattern: &Expected, context: &AccessContext<'_>) -> Truth {
    if !pattern.has_variables {
        return arn_like(&pattern.text, context.request.resource, &context.effort);
    }
    let resolve = |key: &str| match context.lookup(key) {
        Actual::One(value) => Resolved::Value(value),
        Actual::Missing | Actual::Many(_) => Resolved::Nothing,
        Actual::Unknown(_) => Resolved::Unknown,
    };
    match expand(&pattern.text, Wildcards::Active, resolve) {
        Expanded::Pattern(units) => arn_like_units(&units, context.request.resource, &context.effort),
        Expanded::Nothing => Truth::False,
        Expanded::Open(_) => Truth::Unknown,
    }
}

/// The one thing in which a resource pattern misses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ResourceMiss {
    /// The action knows no resource, so it needs `*`.
    NeedsStar,
    /// It is a name, not an ARN.
    NotAnArn,
    /// It ends with the secret's name, without the six characters.
    SuffixMissing,
    /// Its six characters are those of another secret of this name: one that was deleted and made again.
    SuffixOfAnother,
    /// `PREFIX-*`, and the name goes on after PREFIX with another character than a hyphen.
    HyphenInPrefix,
    Partition,
    Service,
    Region,
    Account,
    LetterCase,
}

/// Tells in what `pattern` misses `resource`; `None` where it is another resource, or more than one thing differs.
pub fn resource_miss(pattern: &str, resource: &str) -> Option<ResourceMiss> {
    let fits = |pattern: &str| arn_like(pattern, resource, &Effort::small()) == Truth::True;
    if resource == "*" {
        return (pattern != "*").then_some(ResourceMiss::NeedsStar);
    }
    if !pattern.contains(':') {
        return pattern.chars().any(|c| !matches!(c, '*' | '?')).then_some(ResourceMiss::NotAnArn);
    }
    if fits(&format!("{pattern}-??????")) {
        return Some(ResourceMiss::SuffixMissing);
    }
    if let Some(name) = pattern.strip_suffix("-*")
        && fits(&format!("{name}*"))
    {
        return Some(ResourceMiss::HyphenInPrefix);
    }
    if let Some((name, suffix)) = pattern.rsplit_once('-')
        && suffix.len() == 6
        && suffix.bytes().all(|b| b.is_ascii_alphanumeric())
        && fits(&format!("{name}-??????"))
    {
        return Some(ResourceMiss::SuffixOfAnother);
    }
    let parts: Vec<&str> = resource.splitn(6, ':').collect();
    let written: Vec<&str> = pattern.splitn(6, ':').collect();
    let named = [
        (1, ResourceMiss::Partition),
        (2, ResourceMiss::Service),
        (3, ResourceMiss::Region),
        (4, ResourceMiss::Account),
    ];
    let differing = named.into_iter().find(|(at, _)| {
        let mut mended = written.clone();
        match (mended.get_mut(*at), parts.get(*at)) {
            (Some(slot), Some(real)) => *slot = real,
            _ => return false,
        }
        fits(&mended.join(":"))
    });
    if let Some((_, miss)) = differing {
        return Some(miss);
    }
    let folded = arn_like(&pattern.to_lowercase(), &resource.to_lowercase(), &Effort::small());
    (folded == Truth::True).then_some(ResourceMiss::LetterCase)
}

#[cfg(test)]
mod resource_miss_tests {
    use super::*;

    #[test]
    fn names_what_is_missed() {
        use ResourceMiss::*;
        let arn = |rest: &str| format!("arn:aws:secretsmanager:us-east-1:123456789012:secret:{rest}");
        for (pattern, resource, miss) in [
            (arn("db/password"), arn("db/password-AbCdEf"), Some(SuffixMissing)),
            (arn("db/*"), arn("db/password-AbCdEf"), None),
            (arn("db/password-ZyXwVu"), arn("db/password-AbCdEf"), Some(SuffixOfAnother)),
            (arn("db-*"), arn("db/password-AbCdEf"), Some(HyphenInPrefix)),
            (arn("db-*"), arn("db_password-AbCdEf"), Some(HyphenInPrefix)),
            (arn("Db/password-??????"), arn("db/password-AbCdEf"), Some(LetterCase)),
            (arn("other-??????"), arn("db/password-AbCdEf"), None),
            ("db/password".into(), arn("db/password-AbCdEf"), Some(NotAnArn)),
            ("arn:aws:secretsmanager:eu-west-1:123456789012:secret:x-*".into(), arn("x-AbCdEf"), Some(Region)),
            ("arn:aws:secretsmanager:us-east-1:999999999999:secret:x-*".into(), arn("x-AbCdEf"), Some(Account)),
            ("arn:aws-cn:secretsmanager:us-east-1:123456789012:secret:x-*".into(), arn("x-AbCdEf"), Some(Partition)),
            ("arn:aws:ssm:us-east-1:123456789012:secret:x-*".into(), arn("x-AbCdEf"), Some(Service)),
            (arn("*"), "*".into(), Some(NeedsStar)),
        ] {
            // A fitting pattern is never asked about, and gets no wrong answer either.
            assert_eq!(
                resource_miss(&pattern, &resource)
                    .filter(|_| arn_like(&pattern, &resource, &Effort::full()) != Truth::True),
                miss,
                "{pattern}"
            );
        }
    }
}
