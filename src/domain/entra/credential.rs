//! Federated credentials as the tools print them: one, a list, or Graph's `value` around a list.

use std::collections::HashMap;
use std::fmt;

use serde::Serialize;
use serde_json::{Map, Value};

use super::expression::{ClaimsExpression, ExpressionError, flexible_issuer};
use super::shape::{self, ShapeFlaw, member};
use crate::domain::iam::open_text::is_open;
use crate::domain::iam::subject_shape::{Written, shape_fault};
use crate::domain::issuer::IssuerKind;
use crate::domain::text::json_kind;

/// A federated credential of an application or a managed identity.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FederatedCredential {
    /// Its object id, by which sign-in logs name it.
    pub id: Option<String>,
    pub name: Option<String>,
    /// The `iss` that a token must carry.
    pub issuer: String,
    /// The `sub` that a token must carry. `None` with an expression, and in the v1.0 answers about such a credential.
    pub subject: Option<String>,
    /// The value of `claimsMatchingExpression`, of a flexible credential.
    pub expression: Option<String>,
    /// The `aud` that a token must carry: exactly one.
    pub audiences: Vec<String>,
}

/// The federated credentials at hand.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CredentialSet {
    /// In the order of the text.
    pub credentials: Vec<FederatedCredential>,
    /// What is wrong with them, whatever the token.
    pub problems: Vec<CredentialProblem>,
    /// Whether the text holds the application's whole list, not one credential of it.
    pub is_list: bool,
}

/// Why a text holds no federated credential.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CredentialError {
    #[error(
        "the federated credential is empty; save the answer of `az ad app federated-credential list --id <client-id>`"
    )]
    Empty,
    #[error(
        "not JSON (line {line}, column {column}: {detail}); save the answer of \
         `az ad app federated-credential list --id <client-id> --output json`"
    )]
    NotJson { line: usize, column: usize, detail: String },
    #[error("expected a federated credential (an object) or a list of them, and found {found}{}", at(index))]
    NotAnObject {
        /// Which of the list, counted from 1.
        index: Option<usize>,
        found: &'static str,
    },
    #[error(
        "this is an application, not its federated credentials; save the answer of \
         `az ad app federated-credential list --id {app_id}`"
    )]
    Application { app_id: String },
    #[error("`{field}` is missing{}; a federated credential has `issuer`, `subject` and `audiences`", at(index))]
    Missing { index: Option<usize>, field: &'static str },
    #[error("`{field}` is {found}{}; write {instead}", at(index))]
    WrongType { index: Option<usize>, field: &'static str, found: &'static str, instead: &'static str },
}

fn at(index: &Option<usize>) -> String {
    index.map(|n| format!(" in credential {n}")).unwrap_or_default()
}

impl CredentialSet {
    /// Reads what `az ad app federated-credential list` or `show`, `az identity federated-credential list`, Microsoft
    /// Graph, or a parameters file for `create` holds. Names of members are taken in any letter case.
    ///
    /// # Errors
    /// Where the text is no JSON, or not of this kind; says what to save instead.
    pub fn parse(text: &str) -> Result<CredentialSet, CredentialError> {
        let text = text.trim_start_matches('\u{feff}').trim();
        if text.is_empty() {
            return Err(CredentialError::Empty);
        }
        let value: Value = serde_json::from_str(text).map_err(|error| CredentialError::NotJson {
            line: error.line(),
            column: error.column(),
            detail: error.to_string().split(" at line").next().unwrap_or_default().to_owned(),
        })?;
        let (items, is_list) = match value {
            Value::Array(items) => (items, true),
            Value::Object(mut object) => match object.get_mut("value") {
                Some(Value::Array(items)) => (std::mem::take(items), true),
                _ => (vec![Value::Object(object)], false),
            },
            other => return Err(CredentialError::NotAnObject { index: None, found: json_kind(&other) }),
        };
        let numbered = |at: usize| is_list.then_some(at + 1);
        let credentials: Vec<FederatedCredential> = items
            .iter()
            .enumerate()
            .map(|(at, item)| credential(item, numbered(at)))
            .collect::<Result<_, CredentialError>>()?;
        let mut problems = lint(&credentials);
        for (at, item) in items.iter().enumerate() {
            let flaws = item.as_object().map(|object| shape::flaws(members(object))).unwrap_or_default();
            problems.extend(flaws.into_iter().map(|flaw| CredentialProblem::Shape { credential: at + 1, flaw }));
        }
        Ok(CredentialSet { credentials, problems, is_list })
    }
}

fn credential(item: &Value, index: Option<usize>) -> Result<FederatedCredential, CredentialError> {
    let Value::Object(object) = item else {
        return Err(CredentialError::NotAnObject { index, found: json_kind(item) });
    };
    let fields = members(object);
    if member(fields, "issuer").is_none()
        && let Some(Value::String(app_id)) = member(object, "appId")
    {
        return Err(CredentialError::Application { app_id: app_id.clone() });
    }
    let text = |field: &'static str| match member(fields, field) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(other) => Err(CredentialError::WrongType { index, field, found: json_kind(other), instead: "a text" }),
    };
    let own = |field: &str| member(object, field).and_then(Value::as_str).map(str::to_owned);
    Ok(FederatedCredential {
        id: own("id"),
        name: own("name"),
        issuer: text("issuer")?.ok_or(CredentialError::Missing { index, field: "issuer" })?,
        subject: text("subject")?.filter(|subject| !subject.is_empty()),
        expression: expression(fields, index)?,
        audiences: audiences(fields, index)?,
    })
}

fn expression(fields: &Map<String, Value>, index: Option<usize>) -> Result<Option<String>, CredentialError> {
    let field = "claimsMatchingExpression";
    match member(fields, field) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(Value::Object(object)) => match member(object, "value") {
            Some(Value::String(text)) => Ok(Some(text.clone())),
            _ => Err(CredentialError::Missing { index, field: "claimsMatchingExpression.value" }),
        },
        Some(other) => {
            let instead = "an object with `value` and `languageVersion`";
            Err(CredentialError::WrongType { index, field, found: json_kind(other), instead })
        }
    }
}

fn audiences(fields: &Map<String, Value>, index: Option<usize>) -> Result<Vec<String>, CredentialError> {
    let field = "audiences";
    let wrong = |found| CredentialError::WrongType { index, field, found, instead: "a list with one text" };
    match member(fields, field).or_else(|| member(fields, "audience")) {
        None | Some(Value::Null) => Err(CredentialError::Missing { index, field }),
        Some(Value::String(one)) => Ok(vec![one.clone()]),
        Some(Value::Array(many)) => many
            .iter()
            .map(|one| one.as_str().map(str::to_owned).ok_or_else(|| wrong(json_kind(one))))
            .collect::<Result<_, CredentialError>>(),
        Some(other) => Err(wrong(json_kind(other))),
    }
}

/// The credential's own members: Resource Manager keeps a managed identity's under `properties`.
fn members(object: &Map<String, Value>) -> &Map<String, Value> {
    match member(object, "properties") {
        Some(Value::Object(properties)) => properties,
        _ => object,
    }
}

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
    /// A subject that no token of the issuer has, by the issuer's grammar.
    Subject { credential: usize, subject: String, why: String, written: &'static str },
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
    /// The expression names none of the claims of which Graph demands one for this issuer.
    ClaimDemanded { credential: usize, claims: &'static [&'static str] },
    /// A member has another form than the API's.
    Shape { credential: usize, flaw: ShapeFlaw },
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
            Self::Subject { credential, subject, why, .. } => {
                write!(f, "no token of its issuer has the subject `{subject}` of credential {credential}: {why}")
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
                 those; save it from Microsoft Graph's beta version, or a managed identity's with api-version 2025-01-31-preview"
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
            Self::ClaimDemanded { credential, claims } => write!(
                f,
                "the expression of credential {credential} names none of {}; Graph refuses that for this issuer since mid-2026",
                claims.join(", ")
            ),
            Self::Shape { credential, flaw } => write!(f, "credential {credential}: {flaw}"),
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
    if one.name.as_deref().is_some_and(|name| !is_name(name) && !is_open(name)) {
        problems.push(CredentialProblem::Name { credential });
    }
    let audience = one.audiences.first().map(String::as_str);
    for (field, text) in
        [("issuer", Some(one.issuer.as_str())), ("subject", one.subject.as_deref()), ("audience", audience)]
    {
        // What the code leaves open has no flaw yet.
        let Some(text) = text.filter(|text| !is_open(text)) else { continue };
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
    if !one.issuer.trim().starts_with("https://") && !is_open(&one.issuer) {
        problems.push(CredentialProblem::IssuerNotHttps { credential });
    }
    match (&one.subject, &one.expression) {
        (_, Some(expression)) if is_open(&one.issuer) || is_open(expression) => {}
        (_, Some(expression)) => lint_expression(one, expression, credential, problems),
        (Some(subject), None) if subject.contains('*') => problems.push(CredentialProblem::Wildcard { credential }),
        (Some(subject), None) => problems.extend(misshapen(&one.issuer, subject, credential)),
        (None, None) => problems.push(CredentialProblem::NoSubject { credential }),
    }
}

/// That no token of the issuer has the subject, where its grammar tells.
fn misshapen(issuer: &str, subject: &str, credential: usize) -> Option<CredentialProblem> {
    let url = issuer.strip_prefix("https://").unwrap_or(issuer);
    let fault = shape_fault(IssuerKind::of(url, Some(subject)), url, Written::literal(subject))?;
    let why = fault.unless.map_or_else(|| fault.why.clone(), |unless| format!("{}, {unless}", fault.why));
    Some(CredentialProblem::Subject { credential, subject: subject.to_owned(), why, written: fault.written })
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
            if issuer.lacks_demanded(&expression) {
                problems.push(CredentialProblem::ClaimDemanded { credential, claims: issuer.demanded });
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
    use proptest::prelude::*;

    use super::*;

    const ONE: &str = r#"{"name":"crewai","issuer":"https://i","subject":"organization:1","audiences":["api://AzureADTokenExchange"]}"#;

    fn one() -> FederatedCredential {
        FederatedCredential {
            id: None,
            name: Some("crewai".into()),
            issuer: "https://i".into(),
            subject: Some("organization:1".into()),
            expression: None,
            audiences: vec!["api://AzureADTokenExchange".into()],
        }
    }

    #[test]
    fn reads_every_shape_the_tools_print() {
        for text in [
            ONE.to_owned(),
            format!("\u{feff}[{ONE}]"),
            format!(r#"{{"@odata.context":"x","value":[{ONE}]}}"#),
            r#"{"Name":"crewai","Issuer":"https://i","Subject":"organization:1","Audience":"api://AzureADTokenExchange"}"#.into(),
            r#"[{"name":"crewai","properties":{"issuer":"https://i","subject":"organization:1","audiences":["api://AzureADTokenExchange"]}}]"#.into(),
        ] {
            assert_eq!(CredentialSet::parse(&text).unwrap().credentials, [one()], "{text}");
        }
        // The third holder of such credentials beside applications and managed identities: an agent identity's blueprint.
        let blueprint = r#"{"@odata.context":"https://graph.microsoft.com/beta/$metadata#applications('1')/microsoft.graph.agentIdentityBlueprint/federatedIdentityCredentials",
            "value":[{"id":"2","name":"crewai","issuer":"https://i","subject":"organization:1","audiences":["api://AzureADTokenExchange"]}]}"#;
        let set = CredentialSet::parse(blueprint).unwrap();
        assert_eq!((set.credentials, set.is_list), (vec![FederatedCredential { id: Some("2".into()), ..one() }], true));
        assert_eq!(CredentialSet::parse("[]").unwrap(), CredentialSet { is_list: true, ..CredentialSet::default() });
    }

    #[test]
    fn reads_flexible_ones() {
        let text = r#"{"name":"f","issuer":"https://token.actions.githubusercontent.com","audiences":["a"],
            "claimsMatchingExpression":{"value":"claims['sub'] eq 'x'","languageVersion":1}}"#;
        let set = CredentialSet::parse(text).unwrap();
        assert_eq!(set.credentials[0].expression.as_deref(), Some("claims['sub'] eq 'x'"));
        assert_eq!(set.credentials[0].subject, None);
    }

    #[test]
    fn says_what_is_wrong_and_what_to_save() {
        for (text, part) in [
            (" ", "is empty"),
            ("{", "not JSON (line 1, column 1"),
            ("3", "found a number"),
            ("[3]", "in credential 1"),
            (r#"{"appId":"abc","displayName":"x"}"#, "--id abc"),
            (r#"{"subject":"x","audiences":["a"]}"#, "`issuer` is missing"),
            (r#"[{"issuer":"x","subject":1,"audiences":["a"]}]"#, "`subject` is a number in credential 1"),
            (r#"{"issuer":"x","subject":"s"}"#, "`audiences` is missing"),
            (r#"{"issuer":"x","subject":"s","audiences":[1]}"#, "a list with one text"),
        ] {
            let error = CredentialSet::parse(text).unwrap_err().to_string();
            assert!(error.contains(part), "{text} -> {error}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in "([\\[\\]{}:,\"]|issuer|subject|audiences|value|\\PC){0,40}") {
            let _ = CredentialSet::parse(&text);
        }
    }
}

#[cfg(test)]
mod lint_tests {
    use super::*;

    fn plain() -> FederatedCredential {
        FederatedCredential {
            id: None,
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
            (
                FederatedCredential {
                    issuer: "https://token.actions.githubusercontent.com".into(),
                    subject: Some("repo:o/r:ref:main".into()),
                    ..plain()
                },
                "subject",
            ),
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
