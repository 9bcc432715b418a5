//! Terraform's JSON syntax (<https://developer.hashicorp.com/terraform/language/syntax/json>), which generators such as CDKTF write:
//! the blocks that the native syntax would have, with their lines.

use hcl::expr::{Expression, ObjectKey, TemplateExpr};
use hcl::structure::{Attribute, Block, BlockLabel, Body, Structure};
use hcl::{Identifier, Map, Value};
use serde_json::{Map as JsonMap, Value as Json};

use super::node::{self, Broken, Member, Node};

/// Blocks at the top of a file, with how many labels each has.
const TOP: [(&str, usize); 7] =
    [("resource", 2), ("data", 2), ("module", 1), ("variable", 1), ("output", 1), ("provider", 1), ("locals", 0)];
/// What is a block inside of those that declare trusts; all else is an attribute.
const INNER: [&str; 7] = ["statement", "principals", "not_principals", "condition", "inline_policy", "oidc", "content"];
/// A member of this name is a comment.
const COMMENT: &str = "//";

/// Whether a text is in this syntax: no block of the native one begins like it.
pub(super) fn is_json(text: &str) -> bool {
    text.trim_start_matches('\u{feff}').trim_start().starts_with('{')
}

/// Whether a JSON text is configuration, as its members tell.
pub(super) fn is_configuration(text: &str) -> bool {
    let Ok(Json::Object(root)) = serde_json::from_str::<Json>(text.trim_start_matches('\u{feff}')) else {
        return false;
    };
    let nested = |kind: &str| root.get(kind).is_some_and(|value| value.is_object() || value.is_array());
    let is_ours = root.keys().all(|key| {
        let known = TOP.iter().any(|(kind, _)| kind == key);
        known || matches!(key.as_str(), COMMENT | "terraform" | "import" | "moved" | "check" | "removed" | "ephemeral")
    });
    is_ours && ["resource", "data", "module"].into_iter().any(nested)
}

/// The blocks of a file, each with the line that it begins in.
///
/// # Errors
/// It is no JSON, or no object.
pub(super) fn blocks(text: &str) -> Result<Vec<(Block, u64)>, Broken> {
    let text = text.trim_start_matches('\u{feff}');
    let broken = |error: serde_json::Error| Broken { line: error.line().max(1) as u64, why: error.to_string() };
    let root: JsonMap<String, Json> = serde_json::from_str(text).map_err(broken)?;
    let lines = node::read_json(text, 1)?;
    let mut found = Vec::new();
    for (kind, labels) in TOP {
        let Some(value) = root.get(kind) else { continue };
        let line = member(&lines, kind).map_or(1, |member| member.line);
        let top = Top { kind, labels };
        top.add(value, member(&lines, kind).map(|member| &member.value), line, &mut Vec::new(), &mut found);
    }
    Ok(found)
}

/// The values that a file gives to variables, as they are written.
///
/// # Errors
/// It is no JSON, or no object.
pub(super) fn values(text: &str) -> Result<Map<String, Value>, Broken> {
    let broken = |error: serde_json::Error| Broken { line: error.line().max(1) as u64, why: error.to_string() };
    serde_json::from_str(text.trim_start_matches('\u{feff}')).map_err(broken)
}

/// A kind of blocks at the top of a file.
#[derive(Clone, Copy)]
struct Top {
    kind: &'static str,
    labels: usize,
}

impl Top {
    /// Adds the blocks below `value`, whose labels so far are known; `node` is the same value with its lines.
    fn add<'v>(
        self,
        value: &'v Json,
        node: Option<&Node>,
        line: u64,
        labels: &mut Vec<&'v str>,
        found: &mut Vec<(Block, u64)>,
    ) {
        match value {
            Json::Array(items) => {
                for (at, item) in items.iter().enumerate() {
                    let node = node.and_then(|node| node.items().get(at));
                    self.add(item, node, node.map_or(line, |node| node.line), labels, found);
                }
            }
            Json::Object(object) if labels.len() < self.labels => {
                for (label, value) in object.iter().filter(|(label, _)| *label != COMMENT) {
                    let member = node.and_then(|node| member(node, label));
                    labels.push(label);
                    self.add(value, member.map(|member| &member.value), member.map_or(line, |m| m.line), labels, found);
                    labels.pop();
                }
            }
            Json::Object(object) => {
                found.push((block(self.kind, labels.iter().map(|label| (*label).to_owned()), object), line));
            }
            _ => {}
        }
    }
}

fn member<'n>(node: &'n Node, key: &str) -> Option<&'n Member> {
    node.members().iter().find(|member| member.key == key)
}

fn block(kind: &str, labels: impl Iterator<Item = String>, object: &JsonMap<String, Json>) -> Block {
    Block {
        identifier: Identifier::sanitized(kind),
        labels: labels.map(BlockLabel::String).collect(),
        body: body(object),
    }
}

fn body(object: &JsonMap<String, Json>) -> Body {
    object.iter().filter(|(key, _)| *key != COMMENT).flat_map(|(key, value)| structures(key, value)).collect()
}

/// What a member is in the native syntax: an attribute, or blocks.
fn structures(key: &str, value: &Json) -> Vec<Structure> {
    let objects: Vec<&JsonMap<String, Json>> = match value {
        Json::Object(object) => vec![object],
        Json::Array(items) => items.iter().filter_map(Json::as_object).collect(),
        _ => Vec::new(),
    };
    if key == "dynamic" {
        let labelled = objects.into_iter().flatten();
        let contents = labelled.flat_map(|(label, value)| match value {
            Json::Array(items) => items.iter().filter_map(Json::as_object).map(|item| (label, item)).collect(),
            other => other.as_object().map(|item| (label, item)).into_iter().collect::<Vec<_>>(),
        });
        return contents.map(|(label, item)| block(key, std::iter::once(label.clone()), item).into()).collect();
    }
    if INNER.contains(&key) && !objects.is_empty() {
        return objects.into_iter().map(|object| block(key, std::iter::empty(), object).into()).collect();
    }
    vec![Attribute { key: Identifier::sanitized(key), expr: expression(value) }.into()]
}

/// A value as an expression: texts are templates.
fn expression(value: &Json) -> Expression {
    match value {
        Json::Null => Expression::Null,
        Json::Bool(is) => (*is).into(),
        Json::Number(number) => match (number.as_i64(), number.as_f64()) {
            (Some(whole), _) => whole.into(),
            (None, real) => real.unwrap_or_default().into(),
        },
        Json::String(text) => template(text),
        Json::Array(items) => items.iter().map(expression).collect(),
        Json::Object(object) => Expression::Object(
            object.iter().map(|(key, value)| (ObjectKey::Expression(template(key)), expression(value))).collect(),
        ),
    }
}

fn template(text: &str) -> Expression {
    match ["${", "%{"].iter().any(|mark| text.contains(mark)) {
        true => TemplateExpr::QuotedString(text.to_owned()).into(),
        false => text.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = r#"{
  "//": "written by a program",
  "locals": {"owner": "octo"},
  "resource": {
    "aws_iam_role": {
      "ci": {
        "count": 0,
        "assume_role_policy": "${data.aws_iam_policy_document.ci.json}"
      },
      "cd": [{"name": "cd"}]
    }
  },
  "data": [{"aws_iam_policy_document": {"ci": {
    "statement": [{"sid": "A", "principals": {"type": "Federated"}}],
    "dynamic": {"statement": {"for_each": "${toset([\"a\"])}", "content": {"sid": "${statement.value}"}}}
  }}}]
}"#;

    #[test]
    fn blocks_are_those_of_the_native_syntax_with_their_lines() {
        let found = blocks(TEXT).unwrap();
        let names: Vec<(String, u64)> = found
            .iter()
            .map(|(block, line)| {
                let labels = block.labels().iter().map(BlockLabel::as_str);
                (std::iter::once(block.identifier()).chain(labels).collect::<Vec<_>>().join(" "), *line)
            })
            .collect();
        let expected = [
            ("resource aws_iam_role ci", 6),
            ("resource aws_iam_role cd", 10),
            ("data aws_iam_policy_document ci", 13),
            ("locals", 3),
        ];
        assert_eq!(names, expected.map(|(name, line)| (name.to_owned(), line)));
        let document = found[2].0.body();
        let inner: Vec<&str> = document.blocks().map(Block::identifier).collect();
        assert_eq!(inner, ["statement", "dynamic"]);
        let role = found[0].0.body();
        let policy = role.attributes().find(|attribute| attribute.key() == "assume_role_policy").unwrap();
        assert!(matches!(policy.expr(), Expression::TemplateExpr(_)));
    }

    #[test]
    fn configuration_is_told_from_other_json() {
        assert!(is_configuration(TEXT) && is_json(TEXT));
        for other in [
            r#"{"Resources": {"A": {"Type": "AWS::IAM::Role"}}}"#,
            r#"{"resource": "a", "data": 1}"#,
            r#"{"locals": {}}"#,
            r#"{"resource": {}, "Version": "2012-10-17"}"#,
            "[]",
        ] {
            assert!(!is_configuration(other), "{other}");
        }
        assert_eq!(blocks("{\n\"resource\": [}").unwrap_err().line, 2);
        assert_eq!(values(r#"{"owner": "octo"}"#).unwrap()["owner"].as_str(), Some("octo"));
        assert!(values("[1]").is_err());
    }
}
