//! What is unsafe or dead in a trust policy, whether or not it lets the token at hand in.

mod issuer;
mod tenancy;

use self::issuer::Issuer;
use super::context::{NEVER_WITH_WEB_IDENTITY, TrustRequest, WEB_IDENTITY};
use super::decide::covers_action;
use super::key::{ImpossibleKey, impossible};
use super::operator::Comparison;
use super::pattern::Effort;
use super::placeholder::placeholder;
use super::policy::{Condition, Effect, Policy, Statement};
use super::principal::ProviderArn;
use super::truth::Truth;
use crate::domain::confusable::as_ascii;
use crate::domain::text::is_unsafe;

/// What is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rule {
    /// Nothing in the statement says whose tokens of the issuer are meant.
    SubjectMissing,
    /// The subject condition fits every subject.
    SubjectWide,
    /// `repo:ORG*`: owners whose names only start with ORG fit too.
    OwnerWithoutSlash,
    /// Runs of pull requests are trusted by name.
    PullRequestTrusted,
    /// `ForAllValues` in an Allow is true where the key is absent.
    ForAllValues,
    /// A negated operator on the key that should tell whose token it is.
    NegatedTenancy,
    /// `IfExists` on the key that should tell whose token it is.
    IfExistsTenancy,
    /// `*` or `?` under an operator that takes them literally.
    WildcardUnderEquals,
    /// A key that no token can bring.
    ImpossibleKey(ImpossibleKey),
    /// Any audience of the issuer's tokens is taken.
    AudienceUnconstrained,
    /// Every identity provider, or everybody, is trusted.
    PrincipalWide,
    /// A placeholder was never filled in.
    Placeholder,
    /// A character looks like another.
    Homoglyph,
    /// A character cannot be seen.
    Invisible,
}

/// One thing that is unsafe or dead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Smell {
    pub rule: Rule,
    /// The statement's place in the policy, from 0.
    pub statement: usize,
    /// Where in the statement, such as `Condition.StringLike`.
    pub at: String,
    /// The condition key it is about, where it is about one.
    pub key: Option<String>,
    /// The text it is about, as the document has it.
    pub text: String,
}

/// Looks over every statement. `request` tells the issuer, and so which keys and subjects are possible.
pub fn lint(policy: &Policy, request: &TrustRequest<'_>) -> Vec<Smell> {
    let mut smells = Vec::new();
    for (index, statement) in policy.statements.iter().enumerate() {
        let mut lint =
            StatementLint { issuer: Issuer::of(statement, request), index, statement, request, smells: &mut smells };
        lint.texts();
        let effort = Effort::full();
        let exchanges = covers_action(&statement.action, WEB_IDENTITY, &effort) == Truth::True;
        if exchanges {
            lint.conditions();
        }
        if exchanges && statement.effect == Effect::Allow {
            lint.tenancy();
        }
    }
    smells
}

struct StatementLint<'a, 's> {
    issuer: Issuer<'a>,
    index: usize,
    statement: &'a Statement,
    request: &'a TrustRequest<'a>,
    smells: &'s mut Vec<Smell>,
}

impl<'a> StatementLint<'a, '_> {
    fn push(&mut self, rule: Rule, at: &str, key: Option<&str>, text: &str) {
        // A statement that is wrong throughout is described well enough by the first of its faults.
        if self.smells.len() < 64 {
            let (at, key, text) = (at.to_owned(), key.map(str::to_owned), text.to_owned());
            self.smells.push(Smell { rule, statement: self.index, at, key, text });
        }
    }

    /// Placeholders, look-alikes and invisible characters, wherever they are.
    fn texts(&mut self) {
        let statement = self.statement;
        for provider in statement.principal.iter().flat_map(|p| &p.federated) {
            self.text("Principal.Federated", None, provider);
            let account = ProviderArn::parse(provider).map(|arn| arn.account);
            let unfilled = account.filter(|a| a.len() != 12 || !a.bytes().all(|b| b.is_ascii_digit()));
            if let Some(account) = unfilled
                && placeholder(provider).is_none()
            {
                self.push(Rule::Placeholder, "Principal.Federated", None, account);
            }
        }
        for condition in &statement.conditions {
            let at = format!("Condition.{}", condition.operator_name);
            self.text(&at, Some(&condition.key), &condition.key);
            for expected in condition.expected.iter().take(64) {
                self.text(&at, Some(&condition.key), &expected.text);
            }
        }
    }

    fn text(&mut self, at: &str, key: Option<&str>, text: &str) {
        if let Some(found) = placeholder(text) {
            self.push(Rule::Placeholder, at, key, found);
        }
        if text.chars().any(is_unsafe) {
            self.push(Rule::Invisible, at, key, text);
        } else if as_ascii(text).is_some() {
            self.push(Rule::Homoglyph, at, key, text);
        }
    }

    /// Keys that no token has, and operators that take wildcards literally.
    fn conditions(&mut self) {
        let statement = self.statement;
        for condition in &statement.conditions {
            let at = format!("Condition.{}", condition.operator_name);
            if let Some(key) = self.impossible(condition) {
                self.push(Rule::ImpossibleKey(key), &at, Some(&condition.key), &condition.key);
                continue;
            }
            let literal =
                matches!(condition.operator.comparison, Comparison::StringEquals | Comparison::StringEqualsIgnoreCase);
            let wild = condition.expected.iter().find(|e| e.text.contains(['*', '?']) && !e.has_variables);
            if let (true, Some(expected)) = (literal, wild) {
                self.push(Rule::WildcardUnderEquals, &at, Some(&condition.key), &expected.text);
            }
        }
    }

    fn impossible(&self, condition: &Condition) -> Option<ImpossibleKey> {
        if condition.operator.comparison == Comparison::Null {
            return None;
        }
        // A deny that asks for a signed caller's key is a usual guard that names no token.
        let name = condition.key.strip_prefix("aws:");
        let guard = name.is_some_and(|n| NEVER_WITH_WEB_IDENTITY.iter().any(|known| known.eq_ignore_ascii_case(n)));
        if guard && self.statement.effect == Effect::Deny {
            return None;
        }
        let empty = serde_json::Map::new();
        let claims = if self.issuer.own { self.request.claims } else { &empty };
        impossible(&condition.key, self.issuer.prefix, self.issuer.kind, claims)
    }
}

#[cfg(test)]
mod tests;
