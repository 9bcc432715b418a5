//! A federated credential's document held against what Microsoft Graph and Resource Manager take: members that are read in spite
//! of their form, and that a POST is refused for or loses.

use std::fmt;

use serde::Serialize;
use serde_json::{Map, Value};

/// A member that has another form than the API's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ShapeFlaw {
    /// `audience` with one text, where the API has the list `audiences`.
    AudienceMember,
    /// `audiences` as one text.
    AudienceText,
    /// The expression as a bare text, where the API has an object of `value` and `languageVersion`.
    BareExpression,
    /// The expression's object without its `languageVersion`.
    NoLanguageVersion,
    /// A subject and an expression, of which a credential has one.
    SubjectAndExpression,
}

impl fmt::Display for ShapeFlaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::AudienceMember => {
                "`audience` is no member of a credential: Graph takes `audiences`, a list with one text"
            }
            Self::AudienceText => "`audiences` is a text: Graph takes a list with one text",
            Self::BareExpression => {
                "`claimsMatchingExpression` is a text: Graph takes an object with `value` and `languageVersion` 1"
            }
            Self::NoLanguageVersion => "`claimsMatchingExpression` lacks its `languageVersion`, which is 1",
            Self::SubjectAndExpression => "it has a subject and an expression: Graph takes one of the two",
        })
    }
}

/// A member by name: Graph and the CLI write `issuer`, PowerShell `Issuer`.
pub(super) fn member<'o>(object: &'o Map<String, Value>, name: &str) -> Option<&'o Value> {
    object.get(name).or_else(|| object.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, v)| v))
}

/// The flaws of a credential's members.
pub(super) fn flaws(fields: &Map<String, Value>) -> Vec<ShapeFlaw> {
    let mut flaws = Vec::new();
    match (member(fields, "audiences"), member(fields, "audience")) {
        (None, Some(Value::String(_))) => flaws.push(ShapeFlaw::AudienceMember),
        (Some(Value::String(_)), _) => flaws.push(ShapeFlaw::AudienceText),
        _ => {}
    }
    let expression = member(fields, "claimsMatchingExpression").filter(|expression| !expression.is_null());
    match expression {
        Some(Value::String(_)) => flaws.push(ShapeFlaw::BareExpression),
        Some(Value::Object(object)) if member(object, "languageVersion").is_none() => {
            flaws.push(ShapeFlaw::NoLanguageVersion);
        }
        _ => {}
    }
    let has_subject = member(fields, "subject").and_then(Value::as_str).is_some_and(|subject| !subject.is_empty());
    if expression.is_some() && has_subject {
        flaws.push(ShapeFlaw::SubjectAndExpression);
    }
    flaws
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn each_member_is_held_to_its_form() {
        let expression = json!({ "value": "claims['sub'] eq 'x'", "languageVersion": 1 });
        for (document, expected) in [
            (json!({ "subject": "x", "audiences": ["a"] }), vec![]),
            (json!({ "subject": null, "claimsMatchingExpression": expression, "audiences": ["a"] }), vec![]),
            (json!({ "subject": "x", "audience": "a" }), vec![ShapeFlaw::AudienceMember]),
            // Terraform's own name for the list.
            (json!({ "subject": "x", "audience": ["a"] }), vec![]),
            (json!({ "subject": "x", "Audiences": "a" }), vec![ShapeFlaw::AudienceText]),
            (json!({ "claimsMatchingExpression": "claims['sub'] eq 'x'" }), vec![ShapeFlaw::BareExpression]),
            (json!({ "claimsMatchingExpression": { "value": "x" } }), vec![ShapeFlaw::NoLanguageVersion]),
            (json!({ "subject": "x", "claimsMatchingExpression": expression }), vec![ShapeFlaw::SubjectAndExpression]),
        ] {
            assert_eq!(flaws(document.as_object().unwrap()), expected, "{document}");
        }
    }
}
