//! What is wrong with federated credentials whatever the token: limits, shapes and leftovers.
//!
//! Limits: <https://learn.microsoft.com/entra/workload-id/workload-identity-federation-considerations>.

use std::collections::HashMap;
use std::fmt;

use serde::Serialize;

use super::credential::FederatedCredential;
use super::expression::{ClaimsExpression, ExpressionError, flexible_issuer};

/// The most federated credentials that an application or managed identity may have.
pub const CREDENTIALS_LIMIT: usize = 20;

/// The most characters of an issuer, subject or audience.
const LONGEST_FIELD: usize = 600;

/// A flaw of a credential, or of the list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum CredentialProblem {
    /// More than Entra keeps for one application.
    TooMany { count: usize },
    /// Two credentials with one issuer and subject; Entra keeps the pair once.
    Duplicate { first: usize, second: usize },
    /// Not exactly one audience.
    AudienceCount { credential: usize, count: usize },
    /// Longer than Entra keeps.
    TooLong { credential: usize, field: &'static str, characters: usize },
    /// A blank at an end of the text: part of the comparison, and easily overlooked.
    Blanks { credential: usize, field: &'static str },
    /// The issuer is no https URL.
    IssuerNotHttps { credential: usize },
    /// A wildcard in a plain subject, where every character stands for itself.
    Wildcard { credential: usize },
    /// A placeholder of some documentation.
    Placeholder { credential: usize, field: &'static str, text: String },
    /// A name that Entra does not take.
    Name { credential: usize },
    /// Neither a subject nor an expression: the tool that saved it does not show flexible credentials.
    NoSubject { credential: usize },
    /// A flexible credential for an issuer that may not have one.
    NotFlexibleIssuer { credential: usize, issuer: String },
    /// The expression looks at a claim that Entra does not offer for this issuer.
    ClaimNotOffered { credential: usize, claim: String, offered: Vec<&'static str> },
    /// The expression cannot be read.
    Expression { credential: usize, error: ExpressionError },
}

impl fmt::Display for CredentialProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooMany { count } => {
                write!(f, "{count} federated credentials; an application or identity holds at most {CREDENTIALS_LIMIT}")
            }
            Self::Duplicate { first, second } => {
                write!(
                    f,
                    "credentials {first} and {second} have the same issuer and subject; Entra keeps such a pair once"
                )
            }
            Self::AudienceCount { credential, count } => {
                write!(f, "credential {credential} has {count} audiences; it must have exactly one")
            }
            Self::TooLong { credential, field, characters } => {
                write!(
                    f,
                    "the {field} of credential {credential} has {characters} characters; at most {LONGEST_FIELD} are kept"
                )
            }
            Self::Blanks { credential, field } => {
                write!(f, "the {field} of credential {credential} begins or ends with a blank, which is compared too")
            }
            Self::IssuerNotHttps { credential } => {
                write!(f, "the issuer of credential {credential} is no https URL; Entra fetches no other")
            }
            Self::Wildcard { credential } => {
                write!(f, "the subject of credential {credential} has a `*`, which is literal in a plain subject")
            }
            Self::Placeholder { credential, field, text } => {
                write!(f, "the {field} of credential {credential} still holds the placeholder `{text}`")
            }
            Self::Name { credential } => {
                write!(
                    f,
                    "the name of credential {credential} is not 3 to 120 letters, digits, hyphens and underscores"
                )
            }
            Self::NoSubject { credential } => write!(
                f,
                "credential {credential} shows no subject: it is a flexible one, and the tool that saved it does not show \
                 those; save it from Microsoft Graph's beta version"
            ),
            Self::NotFlexibleIssuer { credential, issuer } => write!(
                f,
                "credential {credential} has an expression, and Entra takes those for GitHub, gitlab.com and Terraform Cloud \
                 only, not for {issuer}"
            ),
            Self::ClaimNotOffered { credential, claim, offered } => write!(
                f,
                "the expression of credential {credential} looks at `{claim}`; for this issuer Entra offers {}",
                offered.join(", ")
            ),
            Self::Expression { credential, error } => {
                write!(f, "the expression of credential {credential} cannot be read: {error}")
            }
        }
    }
}

/// The flaws of `credentials`; numbers count from 1.
pub(super) fn lint(credentials: &[FederatedCredential]) -> Vec<CredentialProblem> {
    let mut problems = Vec::new();
    if credentials.len() > CREDENTIALS_LIMIT {
        problems.push(CredentialProblem::TooMany { count: credentials.len() });
    }
    let mut pairs: HashMap<(&str, &str), usize> = HashMap::new();
    for (at, one) in credentials.iter().enumerate() {
        let credential = at + 1;
        if let Some(subject) = &one.subject {
            let first = *pairs.entry((&one.issuer, subject)).or_insert(credential);
            if first != credential {
                problems.push(CredentialProblem::Duplicate { first, second: credential });
            }
        }
        lint_one(one, credential, &mut problems);
    }
    problems
}

fn lint_one(one: &FederatedCredential, credential: usize, problems: &mut Vec<CredentialProblem>) {
    if one.audiences.len() != 1 {
        problems.push(CredentialProblem::AudienceCount { credential, count: one.audiences.len() });
    }
    if one.name.as_deref().is_some_and(|name| !is_name(name)) {
        problems.push(CredentialProblem::Name { credential });
    }
    let audience = one.audiences.first().map(String::as_str);
    for (field, text) in
        [("issuer", Some(one.issuer.as_str())), ("subject", one.subject.as_deref()), ("audience", audience)]
    {
        let Some(text) = text else { continue };
        let characters = text.chars().count();
        if characters > LONGEST_FIELD {
            problems.push(CredentialProblem::TooLong { credential, field, characters });
        }
        if text.trim() != text {
            problems.push(CredentialProblem::Blanks { credential, field });
        }
        if let Some(placeholder) = placeholder(text) {
            problems.push(CredentialProblem::Placeholder { credential, field, text: placeholder.to_owned() });
        }
    }
    if !one.issuer.trim().starts_with("https://") {
        problems.push(CredentialProblem::IssuerNotHttps { credential });
    }
    match (&one.subject, &one.expression) {
        (_, Some(expression)) => lint_expression(one, expression, credential, problems),
        (Some(subject), None) if subject.contains('*') => problems.push(CredentialProblem::Wildcard { credential }),
        (Some(_), None) => {}
        (None, None) => problems.push(CredentialProblem::NoSubject { credential }),
    }
}

fn lint_expression(
    one: &FederatedCredential,
    expression: &str,
    credential: usize,
    problems: &mut Vec<CredentialProblem>,
) {
    let Some(issuer) = flexible_issuer(&one.issuer) else {
        problems.push(CredentialProblem::NotFlexibleIssuer { credential, issuer: one.issuer.clone() });
        return;
    };
    match ClaimsExpression::parse(expression) {
        Err(error) => problems.push(CredentialProblem::Expression { credential, error }),
        Ok(expression) => {
            for claim in expression.claims().into_iter().filter(|claim| !issuer.claims.contains(claim)) {
                let (claim, offered) = (claim.to_owned(), issuer.claims.to_vec());
                problems.push(CredentialProblem::ClaimNotOffered { credential, claim, offered });
            }
        }
    }
}

fn is_name(name: &str) -> bool {
    (3..=120).contains(&name.len()) && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
}

/// `<…>`, `{…}` or `${…}` in the text, brackets included.
fn placeholder(text: &str) -> Option<&str> {
    for (open, close) in [('<', '>'), ('{', '}')] {
        if let Some(from) = text.find(open)
            && let Some(length) = text[from..].find(close)
            && length > 1
        {
            return Some(&text[from..=from + length]);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain() -> FederatedCredential {
        FederatedCredential {
            name: Some("good-name".into()),
            issuer: "https://i".into(),
            subject: Some("s".into()),
            expression: None,
            audiences: vec!["a".into()],
        }
    }

    fn kinds(credentials: &[FederatedCredential]) -> Vec<String> {
        lint(credentials)
            .iter()
            .map(|p| serde_json::to_value(p).unwrap()["kind"].as_str().unwrap().to_owned())
            .collect()
    }

    #[test]
    fn finds_each_flaw_and_nothing_in_a_plain_one() {
        assert_eq!(lint(&[plain()]), []);
        let long = "x".repeat(601);
        for (credential, kind) in [
            (FederatedCredential { audiences: vec![], ..plain() }, "audience-count"),
            (FederatedCredential { audiences: vec!["a".into(), "b".into()], ..plain() }, "audience-count"),
            (FederatedCredential { subject: Some(long), ..plain() }, "too-long"),
            (FederatedCredential { issuer: "https://i ".into(), ..plain() }, "blanks"),
            (FederatedCredential { issuer: "http://i".into(), ..plain() }, "issuer-not-https"),
            (FederatedCredential { subject: Some("repo:o/r:*".into()), ..plain() }, "wildcard"),
            (FederatedCredential { subject: Some("organization:<YOUR_ORG>".into()), ..plain() }, "placeholder"),
            (FederatedCredential { name: Some("a b".into()), ..plain() }, "name"),
            (FederatedCredential { subject: None, ..plain() }, "no-subject"),
            (
                FederatedCredential { subject: None, expression: Some("claims['sub'] eq 'x'".into()), ..plain() },
                "not-flexible-issuer",
            ),
        ] {
            assert_eq!(kinds(&[credential]), [kind]);
        }
        assert_eq!(kinds(&[plain(), plain()]), ["duplicate"]);
        let many: Vec<_> = (0..21).map(|n| FederatedCredential { subject: Some(format!("s{n}")), ..plain() }).collect();
        assert_eq!(kinds(&many), ["too-many"]);
    }

    #[test]
    fn expressions_are_held_to_their_issuer() {
        let flexible = |expression: &str| FederatedCredential {
            issuer: "https://app.terraform.io".into(),
            subject: None,
            expression: Some(expression.into()),
            ..plain()
        };
        assert_eq!(kinds(&[flexible("claims['sub'] matches 'organization:x:*'")]), Vec::<String>::new());
        assert_eq!(kinds(&[flexible("claims['ref'] eq 'x'")]), ["claim-not-offered"]);
        assert_eq!(kinds(&[flexible("claims['sub'] = 'x'")]), ["expression"]);
    }
}
