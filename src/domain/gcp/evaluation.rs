//! What comes out of an evaluation: each thing that was looked at, with both values, and what Google refuses.

use serde::Serialize;
use serde_json::{Map, Value};

use crate::domain::iam::{Decision, Truth};

/// The longest `google.subject`, bytes.
pub const LONGEST_SUBJECT: usize = 127;

/// What a provider, and bindings where there are some at hand, say to a token.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ProviderEvaluation {
    pub decision: Decision,
    /// The provider, then the bindings that are about members of pools.
    pub statements: Vec<EvaluatedRule>,
    /// What the token becomes: `google.subject`, `attribute.NAME`, as far as they have a value.
    pub attributes: Map<String, Value>,
    /// The token alone as a member of bindings, `principal://…`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub principal: Option<String>,
}

/// The provider, or one binding.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct EvaluatedRule {
    /// Counted from 0; the provider is the first.
    pub index: usize,
    /// `provider`, or the binding's role.
    pub name: String,
    pub effect: &'static str,
    pub matches: Truth,
    pub conditions: Vec<Test>,
}

/// One thing that is looked at.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Test {
    /// `is`, `equals`, `maps`, `holds`, `admits`.
    pub operator: &'static str,
    /// `state`, `issuer`, `audience`, a mapped attribute, a part of the condition, `member`.
    pub key: String,
    pub expected: Vec<String>,
    pub actual: Option<Vec<String>>,
    pub result: Truth,
    pub why: String,
    /// What Google refuses here.
    #[serde(skip)]
    pub refusal: Option<Refusal>,
}

/// Why Google refuses a token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    ProviderOff,
    Issuer,
    Audience,
    /// A mapping of `google.subject` has no value: this claim is not there, or empty.
    MappingMissing {
        claim: String,
    },
    /// A mapped attribute is no text.
    MappingType,
    SubjectTooLong {
        bytes: usize,
    },
    ConditionFalse,
    /// The condition has no value, which refuses as well: this claim or attribute is not there.
    ConditionFails {
        name: Option<String>,
    },
}

impl ProviderEvaluation {
    /// Whether the exchange itself succeeds, whatever the bindings say.
    pub fn exchanged(&self) -> Truth {
        self.statements.first().map_or(Truth::Unknown, |provider| provider.matches)
    }

    /// The mapped attributes whose value depends on what is not known.
    pub fn unknown_attributes(&self) -> Vec<String> {
        let tests = self.statements.first().map(|provider| provider.conditions.as_slice()).unwrap_or_default();
        let open = tests.iter().filter(|test| test.operator == "maps" && test.result == Truth::Unknown);
        open.map(|test| test.key.clone()).collect()
    }

    /// What Google refuses first.
    pub fn refused(&self) -> Option<(&Test, &Refusal)> {
        let provider = self.statements.first()?;
        let failed = |test: &&Test| test.result == Truth::False;
        provider.conditions.iter().filter(failed).find_map(|test| Some((test, test.refusal.as_ref()?)))
    }

    /// The bindings of the IAM policy that are about members of pools.
    pub fn bindings(&self) -> &[EvaluatedRule] {
        self.statements.get(1..).unwrap_or_default()
    }
}

pub(super) fn test(operator: &'static str, key: &str, result: Truth, why: impl Into<String>) -> Test {
    let (key, why) = (key.to_owned(), why.into());
    Test { operator, key, expected: Vec::new(), actual: None, result, why, refusal: None }
}

impl Test {
    pub(super) fn expecting(mut self, expected: impl IntoIterator<Item = String>) -> Self {
        self.expected = expected.into_iter().collect();
        self
    }

    pub(super) fn with_actual(mut self, actual: Option<Vec<String>>) -> Self {
        self.actual = actual;
        self
    }

    pub(super) fn refused_as(mut self, refusal: Refusal) -> Self {
        self.refusal = Some(refusal);
        self
    }
}

pub(super) fn shown(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
