//! The expression of a flexible federated credential, and whether a token's claims meet it.
//!
//! Grammar (<https://learn.microsoft.com/entra/workload-id/workload-identities-flexible-federated-identity-credentials>):
//! `claims['name'] eq 'text'` or `claims['name'] matches 'pattern'` (`?` one character, `*` any run), joined with
//! `and`. `or` and parentheses are read too, though the page does not name them.

use std::fmt;

use serde::Serialize;
use serde_json::{Map, Value};

use crate::domain::iam::Truth;
use crate::domain::iam::open_text::{is_open, match_open};
use crate::domain::iam::pattern::{Effort, like};

/// The longest expression that is read, in bytes; Entra keeps 600 characters of any field.
const LONGEST: usize = 4096;
/// How deep parentheses may nest.
const DEEPEST: usize = 16;

/// A parsed expression.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ClaimsExpression {
    Compare(ClaimTest),
    All(Vec<ClaimsExpression>),
    Any(Vec<ClaimsExpression>),
}

/// One comparison of an expression.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClaimTest {
    pub claim: String,
    pub operator: Operator,
    pub value: String,
}

/// How a claim is compared. Letter case counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Operator {
    Eq,
    Matches,
}

/// Why a text is no expression.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, Serialize)]
#[error("at character {at}: expected {expected}")]
pub struct ExpressionError {
    /// Counted from 1.
    pub at: usize,
    pub expected: &'static str,
}

/// An issuer that may have flexible credentials.
#[derive(Debug, PartialEq, Eq)]
pub struct FlexibleIssuer {
    pub issuer: &'static str,
    /// The claims that an expression may look at.
    pub claims: &'static [&'static str],
    /// The claims of which Graph demands one since mid-2026: they outlive a rename.
    pub demanded: &'static [&'static str],
    /// A subject of somebody else's, as this issuer writes it.
    pub stranger: &'static str,
}

const TERRAFORM_STRANGER: &str =
    "organization:some-stranger:project:some-project:workspace:some-workspace:run_phase:apply";

const FLEXIBLE: &[FlexibleIssuer] = &[
    FlexibleIssuer {
        issuer: "https://token.actions.githubusercontent.com",
        claims: &["sub", "job_workflow_ref", "repository_id", "repository_owner_id", "enterprise_id"],
        demanded: &["repository_owner_id", "repository_id"],
        stranger: "repo:some-stranger/some-repository:ref:refs/heads/main",
    },
    FlexibleIssuer {
        issuer: "https://gitlab.com",
        claims: &["sub", "project_id", "namespace_id", "user_id"],
        demanded: &["project_id"],
        stranger: "project_path:some-stranger/some-project:ref_type:branch:ref:main",
    },
    FlexibleIssuer {
        issuer: "https://app.terraform.io",
        claims: &["sub"],
        demanded: &[],
        stranger: TERRAFORM_STRANGER,
    },
    FlexibleIssuer {
        issuer: "https://app.eu.terraform.io",
        claims: &["sub"],
        demanded: &[],
        stranger: TERRAFORM_STRANGER,
    },
];

/// The entry of an issuer that may have flexible credentials; every other issuer has plain ones only.
pub fn flexible_issuer(issuer: &str) -> Option<&'static FlexibleIssuer> {
    FLEXIBLE.iter().find(|known| known.issuer == issuer)
}

impl FlexibleIssuer {
    /// Whether Graph refuses the expression for what it does not name.
    pub fn lacks_demanded(&self, expression: &ClaimsExpression) -> bool {
        let named = expression.claims();
        !self.demanded.is_empty() && !self.demanded.iter().any(|claim| named.contains(claim))
    }
}

impl ClaimsExpression {
    /// Parses an expression.
    ///
    /// # Errors
    /// At the first character that does not fit the grammar.
    pub fn parse(text: &str) -> Result<ClaimsExpression, ExpressionError> {
        if text.len() > LONGEST {
            return Err(ExpressionError { at: LONGEST + 1, expected: "an end of the expression" });
        }
        let mut reader = Reader { text, at: 0 };
        let expression = reader.any(0)?;
        match reader.rest() {
            "" => Ok(expression),
            _ => Err(reader.error("`and`, or the end of the expression")),
        }
    }

    /// Whether the claims meet the expression. A claim that is absent meets no comparison.
    pub fn accepts(&self, claims: &Map<String, Value>) -> Truth {
        self.accepts_within(claims, &Effort::full())
    }

    fn accepts_within(&self, claims: &Map<String, Value>, effort: &Effort) -> Truth {
        match self {
            ClaimsExpression::Compare(test) => test.accepts(claims, effort),
            ClaimsExpression::All(parts) => Truth::all(parts.iter().map(|part| part.accepts_within(claims, effort))),
            ClaimsExpression::Any(parts) => Truth::any(parts.iter().map(|part| part.accepts_within(claims, effort))),
        }
    }

    /// The comparisons, from left to right.
    pub fn tests(&self) -> Vec<&ClaimTest> {
        match self {
            ClaimsExpression::Compare(test) => vec![test],
            ClaimsExpression::All(parts) | ClaimsExpression::Any(parts) => {
                parts.iter().flat_map(ClaimsExpression::tests).collect()
            }
        }
    }

    /// The names of the claims that it looks at.
    pub fn claims(&self) -> Vec<&str> {
        let mut names: Vec<&str> = self.tests().into_iter().map(|test| test.claim.as_str()).collect();
        names.sort_unstable();
        names.dedup();
        names
    }
}

impl ClaimTest {
    /// Whether the claims meet this comparison.
    pub fn accepts(&self, claims: &Map<String, Value>, effort: &Effort) -> Truth {
        let Some(found) = claims.get(&self.claim).and_then(claim_text) else { return Truth::False };
        match self.operator {
            _ if is_open(&self.value) => match_open(&self.value, &found),
            Operator::Eq => (found == self.value).into(),
            Operator::Matches => like(&self.value, &found, effort),
        }
    }
}

impl fmt::Display for ClaimTest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let operator = match self.operator {
            Operator::Eq => "eq",
            Operator::Matches => "matches",
        };
        write!(f, "claims['{}'] {operator} '{}'", self.claim, self.value)
    }
}

/// A claim as the text it is compared as; booleans as JSON writes them, and whole numbers without a fraction.
pub(super) fn claim_text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(match number.as_f64() {
            Some(whole) if number.is_f64() && whole.fract() == 0.0 && whole.abs() < 9e15 => format!("{whole:.0}"),
            _ => number.to_string(),
        }),
        Value::Bool(bool) => Some(bool.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

struct Reader<'t> {
    text: &'t str,
    at: usize,
}

impl<'t> Reader<'t> {
    fn any(&mut self, depth: usize) -> Result<ClaimsExpression, ExpressionError> {
        let mut parts = vec![self.all(depth)?];
        while self.word("or") {
            parts.push(self.all(depth)?);
        }
        Ok(single(parts, ClaimsExpression::Any))
    }

    fn all(&mut self, depth: usize) -> Result<ClaimsExpression, ExpressionError> {
        let mut parts = vec![self.term(depth)?];
        while self.word("and") {
            parts.push(self.term(depth)?);
        }
        Ok(single(parts, ClaimsExpression::All))
    }

    fn term(&mut self, depth: usize) -> Result<ClaimsExpression, ExpressionError> {
        if self.sign("(") {
            if depth == DEEPEST {
                return Err(self.error("fewer parentheses"));
            }
            let inner = self.any(depth + 1)?;
            return if self.sign(")") { Ok(inner) } else { Err(self.error("`)`")) };
        }
        if !self.word("claims") || !self.sign("[") {
            return Err(self.error("`claims['name']`"));
        }
        let claim = self.literal()?;
        if !self.sign("]") {
            return Err(self.error("`]`"));
        }
        let operator = if self.word("eq") {
            Operator::Eq
        } else if self.word("matches") {
            Operator::Matches
        } else {
            return Err(self.error("`eq` or `matches`"));
        };
        Ok(ClaimsExpression::Compare(ClaimTest { claim, operator, value: self.literal()? }))
    }

    /// A text in single quotation marks; a doubled mark stands for one.
    fn literal(&mut self) -> Result<String, ExpressionError> {
        if !self.sign("'") {
            return Err(self.error("a text in single quotation marks"));
        }
        let mut literal = String::new();
        loop {
            let rest = &self.text[self.at..];
            let Some(end) = rest.find('\'') else { return Err(self.error("a closing `'`")) };
            literal.push_str(&rest[..end]);
            self.at += end + 1;
            if !self.text[self.at..].starts_with('\'') {
                return Ok(literal);
            }
            literal.push('\'');
            self.at += 1;
        }
    }

    fn rest(&mut self) -> &'t str {
        let rest = &self.text[self.at..];
        let trimmed = rest.trim_start();
        self.at += rest.len() - trimmed.len();
        trimmed
    }

    fn sign(&mut self, sign: &str) -> bool {
        let found = self.rest().starts_with(sign);
        if found {
            self.at += sign.len();
        }
        found
    }

    /// A word of letters, in any letter case, that is not part of a longer one.
    fn word(&mut self, word: &str) -> bool {
        let rest = self.rest();
        let end = rest.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(rest.len());
        let found = rest[..end].eq_ignore_ascii_case(word);
        if found {
            self.at += end;
        }
        found
    }

    fn error(&self, expected: &'static str) -> ExpressionError {
        ExpressionError { at: self.text[..self.at].chars().count() + 1, expected }
    }
}

fn single(
    mut parts: Vec<ClaimsExpression>,
    several: fn(Vec<ClaimsExpression>) -> ClaimsExpression,
) -> ClaimsExpression {
    match parts.len() {
        1 => parts.remove(0),
        _ => several(parts),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn accepts(expression: &str, claims: Value) -> Truth {
        ClaimsExpression::parse(expression).unwrap().accepts(claims.as_object().unwrap())
    }

    #[test]
    fn evaluates_the_documented_forms() {
        let claims = json!({"sub": "repo:o/r:ref:refs/heads/main", "job_workflow_ref": "o/w/.github/x.yml@v1", "repository_owner_id": 7});
        for (expression, truth) in [
            ("claims['sub'] eq 'repo:o/r:ref:refs/heads/main'", Truth::True),
            ("claims['sub'] eq 'repo:o/R:ref:refs/heads/main'", Truth::False),
            ("claims['sub'] matches 'repo:o/r:ref:refs/heads/*'", Truth::True),
            ("claims['sub'] matches 'repo:o/?:*'", Truth::True),
            ("claims['sub'] matches 'repo:o/r'", Truth::False),
            ("claims['sub'] matches 'repo:o/r:*' and claims['job_workflow_ref'] matches 'o/w/*'", Truth::True),
            ("claims['sub'] matches 'repo:o/r:*' and claims['job_workflow_ref'] eq 'x'", Truth::False),
            ("claims['sub'] eq 'x' or claims['repository_owner_id'] eq '7'", Truth::True),
            ("(claims['sub'] eq 'x' or claims['sub'] matches '*') and claims['missing'] matches '*'", Truth::False),
            ("  CLAIMS [ 'sub' ]  Matches '*main' ", Truth::True),
        ] {
            assert_eq!(accepts(expression, claims.clone()), truth, "{expression}");
        }
    }

    #[test]
    fn a_number_equals_its_text() {
        let expression = "claims['project_id'] eq '7'";
        for (id, truth) in [
            (json!("7"), Truth::True),
            (json!(7), Truth::True),
            (json!(7.0), Truth::True),
            (json!(7.5), Truth::False),
            (json!(77), Truth::False),
        ] {
            assert_eq!(accepts(expression, json!({"project_id": id})), truth, "{id}");
        }
    }

    #[test]
    fn says_where_the_grammar_breaks() {
        for (expression, at, expected) in [
            ("", 1, "`claims['name']`"),
            ("claims.sub eq 'x'", 7, "`claims['name']`"),
            ("claims['sub'] = 'x'", 15, "`eq` or `matches`"),
            ("claims['sub'] eq \"x\"", 18, "a text in single quotation marks"),
            ("claims['sub'] eq 'x", 19, "a closing `'`"),
            ("claims['sub'] eq 'x' claims['a'] eq 'b'", 22, "`and`, or the end of the expression"),
            ("(claims['sub'] eq 'x'", 22, "`)`"),
        ] {
            assert_eq!(ClaimsExpression::parse(expression), Err(ExpressionError { at, expected }), "{expression}");
        }
        assert!(ClaimsExpression::parse(&"(".repeat(2000)).is_err());
        assert!(ClaimsExpression::parse(&" ".repeat(5000)).is_err());
    }

    #[test]
    fn only_some_issuers_may_have_one() {
        assert!(flexible_issuer("https://gitlab.com").is_some());
        assert_eq!(flexible_issuer("https://gitlab.com/"), None);
        assert_eq!(flexible_issuer("https://platform.example.com"), None);
    }

    proptest! {
        #[test]
        fn any_text_is_parsed_or_refused(text in "(claims|\\[|\\]|'|eq|matches|and|or|\\(|\\)| |\\PC){0,24}") {
            let _ = ClaimsExpression::parse(&text);
        }

        #[test]
        fn what_displays_parses_back(claim in "[a-z_]{1,8}", value in "[a-z:/*?]{0,12}", exact: bool) {
            let operator = if exact { Operator::Eq } else { Operator::Matches };
            let test = ClaimTest { claim, operator, value };
            prop_assert_eq!(ClaimsExpression::parse(&test.to_string()), Ok(ClaimsExpression::Compare(test)));
        }
    }
}
