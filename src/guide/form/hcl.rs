//! Terraform's language as data (<https://developer.hashicorp.com/terraform/language/syntax/configuration>), laid out as
//! `terraform fmt` would.

use std::fmt::Write as _;

use serde_json::Value as Json;

/// An expression.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expr {
    /// A text; nothing in it is interpolated.
    Text(String),
    /// A reference to another object, such as `aws_iam_role.reader.arn`.
    Reference(&'static str),
    List(Vec<Expr>),
    Object(Vec<(String, Expr)>),
    Call(&'static str, Vec<Expr>),
}

impl From<&str> for Expr {
    fn from(text: &str) -> Self {
        Expr::Text(text.to_owned())
    }
}

impl From<String> for Expr {
    fn from(text: String) -> Self {
        Expr::Text(text)
    }
}

/// A policy document, as the argument of `jsonencode`.
pub fn from_json(value: &Json) -> Expr {
    match value {
        Json::Array(items) => Expr::List(items.iter().map(from_json).collect()),
        Json::Object(entries) => {
            Expr::Object(entries.iter().map(|(key, value)| (key.clone(), from_json(value))).collect())
        }
        Json::String(text) => Expr::Text(text.clone()),
        other => Expr::Text(other.to_string()),
    }
}

/// A block: `kind "label" { … }`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Block {
    kind: &'static str,
    labels: Vec<&'static str>,
    comment: Option<&'static str>,
    body: Vec<Item>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Item {
    Attribute(&'static str, Expr),
    Block(Block),
}

impl Block {
    pub fn new(kind: &'static str, labels: &[&'static str]) -> Self {
        Block { kind, labels: labels.to_vec(), comment: None, body: Vec::new() }
    }

    /// A line above the block that says why.
    #[must_use]
    pub fn because(mut self, comment: &'static str) -> Self {
        self.comment = Some(comment);
        self
    }

    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl Into<Expr>) -> Self {
        self.body.push(Item::Attribute(name, value.into()));
        self
    }

    /// Adds an attribute where there is a value.
    #[must_use]
    pub fn maybe(self, name: &'static str, value: Option<impl Into<Expr>>) -> Self {
        match value {
            Some(value) => self.with(name, value),
            None => self,
        }
    }

    #[must_use]
    pub fn block(mut self, block: Block) -> Self {
        self.body.push(Item::Block(block));
        self
    }
}

/// A file of blocks.
pub fn document(blocks: &[Block]) -> String {
    let texts: Vec<String> = blocks
        .iter()
        .map(|block| {
            let mut text = String::new();
            write_block(block, 0, &mut text);
            text
        })
        .collect();
    texts.join("\n")
}

fn write_block(block: &Block, depth: usize, text: &mut String) {
    let indent = "  ".repeat(depth);
    if let Some(comment) = block.comment {
        let _ = writeln!(text, "{indent}# {comment}");
    }
    text.push_str(&indent);
    text.push_str(block.kind);
    for label in &block.labels {
        let _ = write!(text, " {}", quoted(label));
    }
    if block.body.is_empty() {
        text.push_str(" {}\n");
        return;
    }
    text.push_str(" {\n");
    let rows: Vec<Row> = block
        .body
        .iter()
        .map(|item| match item {
            Item::Attribute(name, value) => Row::Value((*name).to_owned(), expression(value, depth + 1)),
            Item::Block(inner) => {
                let mut lines = String::new();
                write_block(inner, depth + 1, &mut lines);
                Row::Lines(lines)
            }
        })
        .collect();
    write_rows(&rows, depth + 1, text);
    let _ = writeln!(text, "{indent}}}");
}

enum Row {
    Value(String, String),
    Lines(String),
}

/// Writes rows with the `=` of neighbouring one-line values aligned.
fn write_rows(rows: &[Row], depth: usize, text: &mut String) {
    let indent = "  ".repeat(depth);
    let is_short = |row: &Row| matches!(row, Row::Value(_, value) if !value.contains('\n'));
    let mut at = 0;
    while at < rows.len() {
        let run = rows[at..].iter().take_while(|row| is_short(row)).count().max(1);
        let width = rows[at..at + run]
            .iter()
            .map(|row| if let Row::Value(name, _) = row { name.chars().count() } else { 0 })
            .max()
            .unwrap_or(0);
        for row in &rows[at..at + run] {
            let _ = match row {
                Row::Value(name, value) => writeln!(text, "{indent}{name:width$} = {value}"),
                Row::Lines(lines) => write!(text, "{lines}"),
            };
        }
        at += run;
    }
}

fn expression(value: &Expr, depth: usize) -> String {
    let (outer, inner) = ("  ".repeat(depth), "  ".repeat(depth + 1));
    match value {
        Expr::Text(text) => quoted(text),
        Expr::Reference(path) => (*path).to_owned(),
        Expr::Call(name, arguments) => {
            let arguments: Vec<String> = arguments.iter().map(|argument| expression(argument, depth)).collect();
            format!("{name}({})", arguments.join(", "))
        }
        Expr::List(items) => {
            let items: Vec<String> = items.iter().map(|item| expression(item, depth + 1)).collect();
            let short = items.iter().map(String::len).sum::<usize>() <= 80 && !items.iter().any(|i| i.contains('\n'));
            if short {
                return format!("[{}]", items.join(", "));
            }
            let lines: String = items.iter().map(|item| format!("{inner}{item},\n")).collect();
            format!("[\n{lines}{outer}]")
        }
        Expr::Object(entries) => {
            let is_name = |key: &str| {
                key.starts_with(|c: char| c.is_ascii_alphabetic())
                    && key.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
            };
            let rows: Vec<Row> = entries
                .iter()
                .map(|(key, value)| {
                    let key = if is_name(key) { key.clone() } else { quoted(key) };
                    Row::Value(key, expression(value, depth + 1))
                })
                .collect();
            let mut lines = String::new();
            write_rows(&rows, depth + 1, &mut lines);
            format!("{{\n{lines}{outer}}}")
        }
    }
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", escaped(text))
}

/// `${` and `%{` begin a template, and are written double where they are meant as text.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '"' => escaped.push_str("\\\""),
            '\\' => escaped.push_str("\\\\"),
            '\n' => escaped.push_str("\\n"),
            '\r' => escaped.push_str("\\r"),
            '\t' => escaped.push_str("\\t"),
            c => escaped.push(c),
        }
    }
    escaped.replace("${", "$${").replace("%{", "%%{")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_are_laid_out_as_the_formatter_does() {
        let block = Block::new("resource", &["aws_iam_role", "reader"])
            .because("Why.")
            .with("name", "a")
            .with("max_session_duration", "3600")
            .with(
                "assume_role_policy",
                Expr::Call("jsonencode", vec![from_json(&serde_json::json!({"A": {"x:y": "z"}}))]),
            )
            .block(Block::new("features", &[]));
        let expected = r#"# Why.
resource "aws_iam_role" "reader" {
  name                 = "a"
  max_session_duration = "3600"
  assume_role_policy = jsonencode({
    A = {
      "x:y" = "z"
    }
  })
  features {}
}
"#;
        assert_eq!(document(&[block]), expected);
    }

    #[test]
    fn nothing_in_a_text_is_interpolated() {
        assert_eq!(quoted("a${b}\"%{c}\\"), r#""a$${b}\"%%{c}\\""#);
    }
}
