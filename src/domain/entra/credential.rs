//! Federated credentials as the tools print them: one, a list, or Graph's `value` around a list.

use serde_json::{Map, Value};

use super::lint::{CredentialProblem, lint};
use crate::domain::text::json_kind;

/// A federated credential of an application or a managed identity.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FederatedCredential {
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
        let problems = lint(&credentials);
        Ok(CredentialSet { credentials, problems, is_list })
    }
}

fn credential(item: &Value, index: Option<usize>) -> Result<FederatedCredential, CredentialError> {
    let Value::Object(object) = item else {
        return Err(CredentialError::NotAnObject { index, found: json_kind(item) });
    };
    // Resource Manager keeps a managed identity's under `properties`.
    let fields = match member(object, "properties") {
        Some(Value::Object(properties)) => properties,
        _ => object,
    };
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
    let name = match member(object, "name") {
        Some(Value::String(name)) => Some(name.clone()),
        _ => None,
    };
    Ok(FederatedCredential {
        name,
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

/// A member by name: Graph and the CLI write `issuer`, PowerShell `Issuer`.
fn member<'o>(object: &'o Map<String, Value>, name: &str) -> Option<&'o Value> {
    object.get(name).or_else(|| object.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, v)| v))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ONE: &str = r#"{"name":"crewai","issuer":"https://i","subject":"organization:1","audiences":["api://AzureADTokenExchange"]}"#;

    fn one() -> FederatedCredential {
        FederatedCredential {
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
