//! A policy document, as evaluation needs it.

use serde::{Deserialize, Serialize};

use super::open_text::is_open;
use super::operator::Operator;
use super::pattern::WildcardSpan;
use super::truth::Truth;
use super::variable;
use crate::domain::arn::Arn;
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
        let has_variables = version == Version::V2012 && variable::occurs_in(&text) || is_open(&text);
        let wildcards = WildcardSpan::of(&text);
        Expected { text, has_variables, wildcards }
    }

    /// Whether the operators that know wildcards take more than one text for it.
    pub fn is_open(&self) -> bool {
        self.text.contains(['*', '?'])
    }
}

/// Something in a document that does not stop evaluation, and that IAM refuses or ignores.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PolicyProblem {
    pub kind: ProblemKind,
    /// Where, such as `Statement[1].Condition`.
    pub at: String,
    /// What is wrong.
    pub what: String,
    /// What to write instead.
    pub instead: String,
}

/// What sort of problem it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ProblemKind {
    /// A key stands twice in one object, and most readers keep one of the two.
    Duplicate,
    /// Anything else of the grammar.
    Grammar,
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

impl PrincipalElement {
    /// Whether a statement of this `effect` is about the tokens of the identity provider `provider`: its ARN, or the
    /// host of a built-in one. Compared byte for byte; IAM takes no wildcard inside a principal.
    ///
    /// An `Allow` for `*` is for callers who sign: STS refuses a token under it, as was measured in September 2026. A
    /// `Deny` for `*` is for everybody, or organizations could not keep tokens out with it
    /// (<https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_rcps_examples.html>).
    pub fn covers(&self, provider: &str, effect: Effect) -> Truth {
        let named = self.federated.iter().any(|federated| federated == provider);
        let listed = named || effect == Effect::Deny && (self.everybody || self.any_provider());
        if !listed && self.federated.iter().any(|federated| is_open(federated)) {
            return Truth::Unknown;
        }
        match (effect, listed) {
            (Effect::Allow, false) if self.negated || self.any_provider() => Truth::Unknown,
            _ => (listed != self.negated).into(),
        }
    }

    /// `{"Federated": "*"}`, which IAM's grammar does not have.
    pub fn any_provider(&self) -> bool {
        self.federated.iter().any(|federated| federated == "*")
    }
}

/// The ARN of an identity provider, taken apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProviderArn<'a> {
    pub partition: &'a str,
    pub account: &'a str,
    /// What follows `oidc-provider/`: the issuer without its scheme.
    pub url: &'a str,
}

impl<'a> ProviderArn<'a> {
    /// Reads `arn:PARTITION:iam::ACCOUNT:oidc-provider/HOST/PATH`.
    pub fn parse(text: &'a str) -> Option<Self> {
        let arn = Arn::parse(text).filter(|arn| (arn.service, arn.region) == ("iam", ""))?;
        let url = arn.resource.strip_prefix("oidc-provider/")?;
        Some(ProviderArn { partition: arn.partition, account: arn.account, url })
    }
}

#[cfg(test)]
mod principal_tests {
    use super::*;

    #[test]
    fn covers_what_it_lists_byte_for_byte() {
        let arn = "arn:aws:iam::123456789012:oidc-provider/app.example.com";
        let listing = |federated: &str| PrincipalElement { federated: vec![federated.into()], ..Default::default() };
        for effect in [Effect::Allow, Effect::Deny] {
            assert_eq!(listing(arn).covers(arn, effect), Truth::True);
            for other in [
                "arn:aws:iam::123456789012:oidc-provider/app.example.com/",
                "arn:aws:iam::123456789012:oidc-provider/App.example.com",
                "arn:aws:iam::123456789012:oidc-provider/*",
            ] {
                assert_eq!(listing(other).covers(arn, effect), Truth::False, "{other}");
            }
            assert_eq!(PrincipalElement { negated: true, ..listing(arn) }.covers(arn, effect), Truth::False);
            assert_eq!(PrincipalElement::default().covers(arn, effect), Truth::False);
        }
    }

    #[test]
    fn a_star_lets_no_token_in_and_keeps_every_token_out() {
        let arn = "arn:aws:iam::123456789012:oidc-provider/app.example.com";
        let everybody = PrincipalElement { everybody: true, others: vec!["AWS:*".into()], ..Default::default() };
        let any_provider = PrincipalElement { federated: vec!["*".into()], ..Default::default() };
        let all_but =
            PrincipalElement { negated: true, federated: vec!["accounts.google.com".into()], ..everybody.clone() };
        let all_but = PrincipalElement { everybody: false, others: Vec::new(), ..all_but };
        for (element, allow, deny) in [
            (&everybody, Truth::False, Truth::True),
            (&any_provider, Truth::Unknown, Truth::True),
            (&all_but, Truth::Unknown, Truth::True),
        ] {
            assert_eq!(element.covers(arn, Effect::Allow), allow, "{element:?}");
            assert_eq!(element.covers(arn, Effect::Deny), deny, "{element:?}");
        }
        let with_ours = PrincipalElement { federated: vec![arn.into()], ..everybody };
        assert_eq!(with_ours.covers(arn, Effect::Allow), Truth::True);
    }

    #[test]
    fn takes_a_provider_arn_apart() {
        let arn = "arn:aws-cn:iam::123456789012:oidc-provider/oidc.eks.cn-north-1.amazonaws.com.cn/id/ABC";
        assert_eq!(
            ProviderArn::parse(arn),
            Some(ProviderArn {
                partition: "aws-cn",
                account: "123456789012",
                url: "oidc.eks.cn-north-1.amazonaws.com.cn/id/ABC"
            })
        );
        for other in ["", "accounts.google.com", "arn:aws:iam::1:role/x", "arn:aws:iam:us-east-1:1:oidc-provider/x"] {
            assert_eq!(ProviderArn::parse(other), None, "{other}");
        }
    }
}
