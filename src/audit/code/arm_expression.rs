//! The expressions of Azure's templates, such as `[format('repo:{0}', parameters('owner'))]`, as far as what trusts are made of
//! needs them (<https://learn.microsoft.com/azure/azure-resource-manager/templates/template-functions>). The rest is a mark.

use serde_json::Value as Json;

/// Calls and brackets within each other at most.
const DEEPEST: usize = 64;

/// An expression.
#[derive(Clone, Debug, PartialEq)]
pub enum Expression {
    Literal(Json),
    Call(String, Vec<Expression>),
    /// A value's member, by name or number.
    Member(Box<Expression>, Box<Expression>),
}

/// The expression in a text; none where the text is one by itself, or none that can be read.
pub fn parse(text: &str) -> Option<Expression> {
    let inside = text.strip_prefix('[').filter(|rest| !rest.starts_with('['))?.strip_suffix(']')?;
    let mut parser = Parser { rest: inside, depth: 0 };
    let expression = parser.expression()?;
    parser.rest.trim().is_empty().then_some(expression)
}

struct Parser<'t> {
    rest: &'t str,
    depth: usize,
}

impl Parser<'_> {
    fn takes(&mut self, sign: char) -> bool {
        self.rest = self.rest.trim_start();
        let behind = self.rest.strip_prefix(sign);
        self.rest = behind.unwrap_or(self.rest);
        behind.is_some()
    }

    fn expression(&mut self) -> Option<Expression> {
        if self.depth >= DEEPEST {
            return None;
        }
        self.depth += 1;
        let mut expression = self.primary()?;
        loop {
            let member = if self.takes('.') {
                Expression::Literal(self.word()?.into())
            } else if self.takes('[') {
                let member = self.expression()?;
                self.takes(']').then_some(member)?
            } else {
                break;
            };
            expression = Expression::Member(Box::new(expression), Box::new(member));
        }
        self.depth -= 1;
        Some(expression)
    }

    fn primary(&mut self) -> Option<Expression> {
        self.rest = self.rest.trim_start();
        if self.takes('\'') {
            return self.quoted().map(|text| Expression::Literal(text.into()));
        }
        let word = self.word()?;
        if let Ok(number) = word.parse::<i64>() {
            return Some(Expression::Literal(number.into()));
        }
        if !self.takes('(') {
            return None;
        }
        let mut arguments = Vec::new();
        while !self.takes(')') {
            if !arguments.is_empty() && !self.takes(',') {
                return None;
            }
            arguments.push(self.expression()?);
        }
        Some(Expression::Call(word.to_ascii_lowercase(), arguments))
    }

    fn word(&mut self) -> Option<String> {
        self.rest = self.rest.trim_start();
        let end =
            self.rest.find(|c: char| !c.is_ascii_alphanumeric() && !matches!(c, '_' | '-')).unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at(end);
        self.rest = rest;
        (!word.is_empty()).then(|| word.to_owned())
    }

    /// A text up to its quote; two quotes are one of its own.
    fn quoted(&mut self) -> Option<String> {
        let mut text = String::new();
        loop {
            let (part, rest) = self.rest.split_once('\'')?;
            text.push_str(part);
            self.rest = rest;
            match self.rest.strip_prefix('\'') {
                Some(rest) => {
                    text.push('\'');
                    self.rest = rest;
                }
                None => return Some(text),
            }
        }
    }
}

/// What a function of values alone comes to; none where it is not known, or its arguments do not fit.
pub fn call(name: &str, arguments: &[Json]) -> Option<Json> {
    let first = arguments.first();
    let text = |at: usize| arguments.get(at)?.as_str();
    Some(match name {
        "concat" if arguments.iter().all(Json::is_array) => {
            arguments.iter().filter_map(Json::as_array).flatten().cloned().collect::<Vec<_>>().into()
        }
        "concat" => arguments.iter().map(plain).collect::<Option<String>>()?.into(),
        "format" => formatted(text(0)?, arguments.get(1..)?)?.into(),
        "string" => plain(first?).unwrap_or_else(|| first.map(Json::to_string).unwrap_or_default()).into(),
        "tolower" => text(0)?.to_lowercase().into(),
        "toupper" => text(0)?.to_uppercase().into(),
        "trim" => text(0)?.trim().into(),
        "replace" => text(0)?.replace(text(1)?, text(2)?).into(),
        "split" => text(0)?.split(text(1)?).map(Json::from).collect::<Vec<_>>().into(),
        "join" => {
            let parts = first?.as_array()?.iter().map(plain).collect::<Option<Vec<_>>>()?;
            parts.join(text(1)?).into()
        }
        "first" => first?.as_array()?.first()?.clone(),
        "last" => first?.as_array()?.last()?.clone(),
        "length" => match first? {
            Json::Array(items) => items.len().into(),
            Json::Object(object) => object.len().into(),
            Json::String(text) => text.chars().count().into(),
            _ => return None,
        },
        "empty" => match first? {
            Json::Null => true.into(),
            Json::Array(items) => items.is_empty().into(),
            Json::Object(object) => object.is_empty().into(),
            Json::String(text) => text.is_empty().into(),
            _ => return None,
        },
        "createarray" => arguments.to_vec().into(),
        "createobject" => {
            let pairs =
                arguments.chunks(2).map(|pair| Some((pair.first()?.as_str()?.to_owned(), pair.get(1)?.clone())));
            Json::Object(pairs.collect::<Option<_>>()?)
        }
        "equals" => (first? == arguments.get(1)?).into(),
        "not" => (!first?.as_bool()?).into(),
        "and" => arguments.iter().map(Json::as_bool).collect::<Option<Vec<_>>>()?.into_iter().all(|is| is).into(),
        "or" => arguments.iter().map(Json::as_bool).collect::<Option<Vec<_>>>()?.into_iter().any(|is| is).into(),
        "true" => true.into(),
        "false" => false.into(),
        "null" => Json::Null,
        "coalesce" => arguments.iter().find(|value| !value.is_null())?.clone(),
        "if" => arguments.get(if first?.as_bool()? { 1 } else { 2 })?.clone(),
        "resourceid" => {
            let parts = arguments.iter().map(plain).collect::<Option<Vec<_>>>()?;
            parts.join("/").into()
        }
        _ => return None,
    })
}

fn plain(value: &Json) -> Option<String> {
    match value {
        Json::String(text) => Some(text.clone()),
        Json::Number(number) => Some(number.to_string()),
        Json::Bool(is) => Some(if *is { "True" } else { "False" }.to_owned()),
        _ => None,
    }
}

/// `{0}` and so on, and `{{` for a brace.
fn formatted(pattern: &str, arguments: &[Json]) -> Option<String> {
    let mut text = String::with_capacity(pattern.len());
    let mut rest = pattern;
    while let Some(at) = rest.find(['{', '}']) {
        let (before, behind) = rest.split_at(at);
        text.push_str(before);
        if let Some(behind) = behind.strip_prefix("{{").or(behind.strip_prefix("}}")) {
            text.push(if rest.get(at..)?.starts_with('{') { '{' } else { '}' });
            rest = behind;
            continue;
        }
        let (number, behind) = behind.strip_prefix('{')?.split_once('}')?;
        text.push_str(&plain(arguments.get(number.parse::<usize>().ok()?)?)?);
        rest = behind;
    }
    text.push_str(rest);
    Some(text)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn value(expression: &Expression) -> Option<Json> {
        match expression {
            Expression::Literal(value) => Some(value.clone()),
            Expression::Call(name, arguments) => call(name, &arguments.iter().map(value).collect::<Option<Vec<_>>>()?),
            Expression::Member(..) => None,
        }
    }

    #[test]
    fn functions_have_their_values() {
        for (text, expected) in [
            ("[concat('a', 1, 'b''c')]", json!("a1b'c")),
            ("[concat(createArray(1), createArray(2))]", json!([1, 2])),
            ("[format('repo:{0}/{1}:{{x}}', 'octo', 2)]", json!("repo:octo/2:{x}")),
            ("[toLower('AB')]", json!("ab")),
            ("[replace('a-b', '-', '/')]", json!("a/b")),
            ("[join(split('a,b', ','), ':')]", json!("a:b")),
            ("[if(equals(length(createArray(1, 2)), 2), first(createArray('x')), last(createArray('y')))]", json!("x")),
            ("[if(or(false(), not(empty(''))), 1, 2)]", json!(2)),
            ("[createObject('a', true())]", json!({"a": true})),
            ("[coalesce(null(), 'x')]", json!("x")),
            ("[resourceId('Microsoft.X/y', 'z')]", json!("Microsoft.X/y/z")),
            ("[string(and(true(), true()))]", json!("True")),
            ("[trim(toUpper(' a '))]", json!("A")),
        ] {
            let expression = parse(text).unwrap_or_else(|| panic!("{text}"));
            assert_eq!(value(&expression), Some(expected), "{text}");
        }
    }

    #[test]
    fn what_is_no_expression_is_none() {
        for text in ["plain", "[[literal]", "[a", "[f(]", "[f('a)]", "[f(1 2)]", "[]", "[f() x]"] {
            assert_eq!(parse(text), None, "{text}");
        }
        assert_eq!(parse(&format!("[{}1{}]", "f(".repeat(100_000), ")".repeat(100_000))), None);
        assert!(matches!(parse("[parameters('a').b[0]]"), Some(Expression::Member(..))));
        assert_eq!(call("format", &[json!("{1}"), json!("x")]), None);
        assert_eq!(call("uniqueString", &[json!("x")]), None);
    }
}
