//! A policy document, as evaluation needs it.

use serde::{Deserialize, Serialize};

use super::operator::Operator;
use super::pattern::WildcardSpan;
use super::variable;
use crate::domain::timestamp::UnixSeconds;

/// A parsed policy: a trust policy or an identity policy.
#[derive(Clone, Debug, PartialEq)]
pub struct Policy {
    pub version: Version,
    pub statements: Vec<Statement>,
    /// What IAM would refuse or ignore and evaluation can live with.
    pub problems: Vec<PolicyProblem>,
    pub origin: Origin,
    /// The role's ARN, where the policy came inside the answer of `aws iam get-role`.
    pub role_arn: Option<String>,
    /// When that role was made, likewise.
    pub role_created_at: Option<UnixSeconds>,
}

/// The version of the policy language. It decides whether `${…}` is a variable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    /// `2008-10-17`, and the default where a document names none: no policy variables.
    V2008,
    /// `2012-10-17`.
    V2012,
}

/// What the text was that held the policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Origin {
    /// The policy document itself.
    Document,
    /// The answer of `aws iam get-role`.
    GetRole,
    /// The answer of `aws iam get-role-policy`.
    GetRolePolicy,
    /// The answer of `aws iam get-policy-version`.
    GetPolicyVersion,
}

/// One statement.
#[derive(Clone, Debug, PartialEq)]
pub struct Statement {
    pub sid: Option<String>,
    pub effect: Effect,
    /// `None` in an identity policy.
    pub principal: Option<PrincipalElement>,
    pub action: ActionElement,
    /// `None` in a trust policy.
    pub resource: Option<ResourceElement>,
    /// All of them must hold.
    pub conditions: Vec<Condition>,
}

/// What a statement does when it matches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Effect {
    Allow,
    Deny,
}

/// `Action`, or `NotAction`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ActionElement {
    /// `NotAction`: every action but these.
    pub negated: bool,
    /// Action names, wildcards allowed, letter case of no matter.
    pub patterns: Vec<String>,
}

/// `Resource`, or `NotResource`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ResourceElement {
    /// `NotResource`: every resource but these.
    pub negated: bool,
    pub patterns: Vec<Expected>,
}

/// `Principal`, or `NotPrincipal`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PrincipalElement {
    /// `NotPrincipal`: everybody but these.
    pub negated: bool,
    /// `"*"`, or `{"AWS": "*"}`, which means the same.
    pub everybody: bool,
    /// Identity providers: ARNs, and the host names of those that are built in.
    pub federated: Vec<String>,
    /// Accounts, users, roles, services and canonical ids, as `KIND:VALUE`: none of them is a web identity.
    pub others: Vec<String>,
}

/// One operator with one key: the smallest thing that holds or does not.
#[derive(Clone, Debug, PartialEq)]
pub struct Condition {
    pub operator: Operator,
    /// The operator as the document writes it.
    pub operator_name: String,
    /// The key as the document writes it. Letter case does not count.
    pub key: String,
    /// The values; one that fits is enough, and for a negated operator none may fit.
    pub expected: Vec<Expected>,
}

/// A value that a policy compares with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expected {
    /// As the document writes it. Numbers and truth values as their JSON text.
    pub text: String,
    /// Whether `${` in it starts a variable.
    pub has_variables: bool,
    /// Where it has wildcards, for the operators that know them.
    pub(super) wildcards: WildcardSpan,
}

impl Expected {
    /// A value of a document of this `version`.
    pub fn new(text: String, version: Version) -> Self {
        let has_variables = version == Version::V2012 && variable::occurs_in(&text);
        let wildcards = WildcardSpan::of(&text);
        Expected { text, has_variables, wildcards }
    }
}

/// Something in a document that does not stop evaluation, and that IAM refuses or ignores.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PolicyProblem {
    /// Where, such as `Statement[1].Condition`.
    pub at: String,
    /// What is wrong.
    pub what: String,
    /// What to write instead.
    pub instead: String,
}

/// Why a text is no policy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("line {line}, column {column}: {what}; {instead}")]
pub struct PolicyError {
    /// Counted from 1.
    pub line: usize,
    /// Counted from 1, in bytes.
    pub column: usize,
    pub what: String,
    /// What to write instead, as an imperative.
    pub instead: String,
}

impl Effect {
    /// As the policy language spells it.
    pub const fn name(self) -> &'static str {
        match self {
            Effect::Allow => "Allow",
            Effect::Deny => "Deny",
        }
    }
}
