//! Expressions of a provider, in the Common Expression Language as Google evaluates it: errors are absorbed on either
//! side of `&&` and `||`, and `extract`, `split` and `join` are there.

use std::collections::BTreeSet;
use std::sync::{Arc, LazyLock, OnceLock};

use cel::common::ast::{EntryExpr, Expr, LiteralValue, operators};
use cel::extractors::This;
use cel::{Context, Env, ExecutionError, IdedExpr, Program, Value, extensions};
use serde_json::Map;

use super::open_expression::{OpenNames, close, wholly_open};
use crate::domain::iam::open_text::is_open;

/// A compiled expression.
#[derive(Debug)]
pub struct Expression {
    text: String,
    program: Program,
    names: Names,
    open: OpenNames,
    /// What stands between the `&&` at its top, once somebody has asked.
    conjuncts: OnceLock<Vec<Expression>>,
}

/// What an expression refers to.
#[derive(Debug, Default)]
struct Names {
    /// `assertion.x` and `assertion['x']`.
    claims: BTreeSet<String>,
    /// Those of them that it asks for as such: `has(assertion.x)`, `'x' in assertion`.
    tested: BTreeSet<String>,
    /// `google.x` and `attribute.x`.
    attributes: BTreeSet<String>,
}

/// A comparison of an expression: what it looks at, and the text that it looks for.
pub(super) struct Wanted {
    /// `assertion.x` or `attribute.x`.
    pub name: String,
    pub text: String,
}

/// Why an expression has no value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// It needs a claim or an attribute that is not there.
    Missing(String),
    /// It needs what the code that declares it leaves open.
    Open(String),
    /// Anything else, in words: a type that does not fit, a function that is not there.
    Other(String),
}

/// Google's functions on top of the language's own.
static ENVIRONMENT: LazyLock<Arc<Env>> = LazyLock::new(|| {
    let mut env = Env::stdlib();
    // An overload that is declared twice is the only error there is; without these, calls of them fail with their name.
    let _ = env.add_extension(extensions::strings);
    Arc::new(env)
});

/// What expressions see of one token.
pub struct Scope {
    context: Context<'static, 'static>,
}

impl Scope {
    /// The token's claims as `assertion`.
    pub fn of_claims(claims: &Map<String, serde_json::Value>) -> Self {
        let mut context = Context::with_env(ENVIRONMENT.clone());
        let _ = context.add_function("extract", extract);
        context.add_variable_from_value("assertion", map(claims));
        Scope { context }
    }

    /// And what the mapping made of them, which only conditions see.
    pub fn add_mapped(&mut self, google: &Map<String, serde_json::Value>, attribute: &Map<String, serde_json::Value>) {
        self.context.add_variable_from_value("google", map(google));
        self.context.add_variable_from_value("attribute", map(attribute));
    }
}

impl Expression {
    /// Compiles an expression.
    ///
    /// # Errors
    ///
    /// Where it is not of the language; what is wrong, in words.
    pub fn compile(text: &str) -> Result<Self, String> {
        let closed = close(text);
        let (program, open) = match program(&closed.text) {
            Ok(program) => (program, closed.open),
            // What is open may be a half of anything.
            Err(_) if is_open(text) => {
                let whole = wholly_open(text);
                (program(&whole.text)?, whole.open)
            }
            Err(error) => return Err(error),
        };
        let mut names = Names::default();
        collect(program.expression(), &mut names);
        names.claims.retain(|name| open.reference(name).is_none());
        names.attributes.retain(|name| open.reference(name).is_none());
        Ok(Expression { text: text.trim().to_owned(), program, names, open, conjuncts: OnceLock::new() })
    }

    pub fn text(&self) -> &str {
        &self.text
    }

    /// The claims it refers to.
    pub fn claims(&self) -> impl Iterator<Item = &str> {
        self.names.claims.iter().map(String::as_str)
    }

    /// The claims that it may do without, as it asks for them first.
    pub fn tested(&self) -> impl Iterator<Item = &str> {
        self.names.tested.iter().map(String::as_str)
    }

    /// The mapped attributes it refers to, with `google.` or `attribute.` before the name.
    pub fn attributes(&self) -> impl Iterator<Item = &str> {
        self.names.attributes.iter().map(String::as_str)
    }

    /// Its value for a token.
    ///
    /// # Errors
    ///
    /// Where it has none.
    pub fn evaluate(&self, scope: &Scope) -> Result<serde_json::Value, Failure> {
        self.program.execute(&scope.context).map_err(|error| self.failure(error)).and_then(|value| {
            json(&value)
                .ok_or_else(|| Failure::Other("it is neither a text, a number, a boolean nor a list".to_owned()))
        })
    }

    fn failure(&self, error: ExecutionError) -> Failure {
        let open = |name: &str| self.open.reference(name).map(|reference| Failure::Open(reference.to_owned()));
        match error {
            ExecutionError::NoSuchKey(name) => {
                open(name.as_str()).unwrap_or_else(|| Failure::Missing(name.as_str().to_owned()))
            }
            ExecutionError::UndeclaredReference(name) => {
                open(name.as_str()).unwrap_or_else(|| Failure::Other(format!("there is no `{name}`")))
            }
            other => Failure::Other(other.to_string()),
        }
    }

    /// What it compares claims and attributes with, wherever in it: by `==`, as one of a list, by their starts, ends and parts.
    pub(super) fn wanted(&self) -> Vec<Wanted> {
        let mut found = Vec::new();
        collect_wanted(self.program.expression(), &mut found);
        found
    }

    /// What stands between the `&&` at its top, each compiled by itself; the expression as a whole where none does.
    pub fn conjuncts(&self) -> &[Expression] {
        self.conjuncts.get_or_init(|| {
            let parts = conjuncts(&self.text);
            if parts.len() < 2 {
                return Vec::new();
            }
            let compiled: Result<Vec<Expression>, String> =
                parts.into_iter().map(|part| Expression::compile(without_parentheses(part))).collect();
            compiled.unwrap_or_default()
        })
    }

    /// The text that a claim or attribute is compared with by `==`, and which: `assertion.x == 'text'`.
    pub fn compared(&self) -> Option<(String, String)> {
        let Expr::Call(call) = &self.program.expression().expr else { return None };
        let [left, right] = call.args.as_slice() else { return None };
        if call.func_name != operators::EQUALS {
            return None;
        }
        let (name, text) = (reference(left).zip(literal(right))).or_else(|| reference(right).zip(literal(left)))?;
        Some((name, text.to_owned()))
    }
}

/// The parser calls itself for every level, and needs much of the stack for it: far more than any condition in use has is
/// refused before.
const DEEPEST: usize = 12;
const MOST_STEPS: usize = 20;
const LONGEST: usize = 64 * 1024;

/// The program of a text without open parts.
fn program(text: &str) -> Result<Program, String> {
    bounded(text)?;
    ENVIRONMENT.compile(text).map_err(|errors| {
        let first = errors.errors.first().map_or_else(|| errors.to_string(), |error| error.msg.clone());
        first.lines().next().unwrap_or_default().to_owned()
    })
}

/// Refuses what is nested or chained beyond all use.
fn bounded(text: &str) -> Result<(), String> {
    if text.len() > LONGEST {
        return Err("it is longer than 64 KiB".to_owned());
    }
    let (mut depth, mut deepest, mut steps, mut before) = (0_usize, 0, 0, ' ');
    for (_, c) in outside_of_texts(text) {
        match c {
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        let is_chained = matches!((before, c), (')' | ']', '.' | '[' | '('));
        steps += usize::from(is_chained || matches!(c, '+' | '-' | '*' | '/' | '%' | '?' | '!'));
        deepest = deepest.max(depth);
        before = c;
    }
    match (deepest > DEEPEST, steps > MOST_STEPS) {
        (true, _) => Err(format!("it is nested more than {DEEPEST} deep, which trustline does not evaluate")),
        (_, true) => Err(format!("it chains more than {MOST_STEPS} operations, which trustline does not evaluate")),
        _ => Ok(()),
    }
}

/// The characters that stand in no text, with their places.
fn outside_of_texts(text: &str) -> impl Iterator<Item = (usize, char)> {
    let (mut quote, mut is_escaped) = (None, false);
    text.char_indices().filter(move |(_, c)| match quote {
        Some(_) if is_escaped => {
            is_escaped = false;
            false
        }
        Some(open) => {
            is_escaped = *c == '\\';
            quote = (open != *c).then_some(open);
            false
        }
        None => {
            quote = matches!(c, '\'' | '"').then_some(*c);
            quote.is_none()
        }
    })
}

/// Google's `extract`: what stands in `text` in place of the `{name}` in `template`; empty where it does not fit.
fn extract(This(text): This<Arc<String>>, template: Arc<String>) -> String {
    let Some((before, rest)) = template.split_once('{') else { return String::new() };
    let Some((_, after)) = rest.split_once('}') else { return String::new() };
    let Some(start) = text.find(before).map(|at| at + before.len()) else { return String::new() };
    let found = text.get(start..).unwrap_or_default();
    let end = if after.is_empty() { Some(found.len()) } else { found.find(after) };
    end.and_then(|end| found.get(..end)).unwrap_or_default().to_owned()
}

fn map(object: &Map<String, serde_json::Value>) -> Value {
    let entries: std::collections::HashMap<String, Value> =
        object.iter().map(|(name, value)| (name.clone(), of_json(value))).collect();
    Value::from(entries)
}

fn of_json(value: &serde_json::Value) -> Value {
    match value {
        serde_json::Value::Null => Value::Null,
        serde_json::Value::Bool(value) => Value::Bool(*value),
        serde_json::Value::Number(number) => match (number.as_i64(), number.as_f64()) {
            (Some(whole), _) => Value::Int(whole),
            (None, real) => Value::Float(real.unwrap_or_default()),
        },
        serde_json::Value::String(text) => Value::from(text.as_str()),
        serde_json::Value::Array(items) => Value::from(items.iter().map(of_json).collect::<Vec<_>>()),
        serde_json::Value::Object(object) => map(object),
    }
}

fn json(value: &Value) -> Option<serde_json::Value> {
    Some(match value {
        Value::Null => serde_json::Value::Null,
        Value::Bool(value) => (*value).into(),
        Value::Int(value) => (*value).into(),
        Value::UInt(value) => (*value).into(),
        Value::Float(value) => serde_json::Number::from_f64(*value)?.into(),
        Value::String(text) => text.as_str().into(),
        Value::List(items) => items.iter().map(json).collect::<Option<Vec<_>>>()?.into(),
        _ => return None,
    })
}

/// The claim or attribute that an expression is, as one writes it.
fn reference(expression: &IdedExpr) -> Option<String> {
    let (root, name) = member(expression)?;
    Some(format!("{root}.{name}"))
}

/// `root.name` or `root['name']`.
fn member(expression: &IdedExpr) -> Option<(&str, &str)> {
    match &expression.expr {
        Expr::Select(select) => match &select.operand.expr {
            Expr::Ident(root) => Some((root, &select.field)),
            _ => None,
        },
        Expr::Call(call) if call.func_name == operators::INDEX => match call.args.as_slice() {
            [IdedExpr { expr: Expr::Ident(root), .. }, name] => Some((root, literal(name)?)),
            _ => None,
        },
        _ => None,
    }
}

fn literal(expression: &IdedExpr) -> Option<&str> {
    match &expression.expr {
        Expr::Literal(LiteralValue::String(text)) => Some(text),
        _ => None,
    }
}

fn collect_wanted(expression: &IdedExpr, found: &mut Vec<Wanted>) {
    let Expr::Call(call) = &expression.expr else { return };
    let mut add = |name: Option<String>, text: Option<&str>| {
        found.extend(name.zip(text).map(|(name, text)| Wanted { name, text: text.to_owned() }));
    };
    match (call.func_name.as_str(), call.target.as_deref(), call.args.as_slice()) {
        (operators::EQUALS, None, [left, right]) => {
            add(reference(left), literal(right));
            add(reference(right), literal(left));
        }
        (operators::IN, None, [left, IdedExpr { expr: Expr::List(list), .. }]) => {
            list.elements.iter().for_each(|element| add(reference(left), literal(element)));
        }
        ("startsWith" | "endsWith" | "contains" | "matches", Some(target), [text]) => {
            add(reference(target), literal(text))
        }
        (_, target, arguments) => {
            target.iter().for_each(|target| collect_wanted(target, found));
            arguments.iter().for_each(|argument| collect_wanted(argument, found));
        }
    }
}

fn collect(expression: &IdedExpr, names: &mut Names) {
    if let Some((root, name)) = member(expression) {
        let is_test = matches!(&expression.expr, Expr::Select(select) if select.test);
        match root {
            "assertion" => {
                names.claims.insert(name.to_owned());
                if is_test {
                    names.tested.insert(name.to_owned());
                }
            }
            "google" | "attribute" => {
                names.attributes.insert(format!("{root}.{name}"));
            }
            _ => {}
        }
        return;
    }
    match &expression.expr {
        Expr::Select(select) => collect(&select.operand, names),
        Expr::Call(call) => {
            if let (operators::IN, [name, IdedExpr { expr: Expr::Ident(root), .. }]) =
                (call.func_name.as_str(), call.args.as_slice())
                && root == "assertion"
                && let Some(name) = literal(name)
            {
                names.claims.insert(name.to_owned());
                names.tested.insert(name.to_owned());
            }
            call.target.iter().for_each(|target| collect(target, names));
            call.args.iter().for_each(|argument| collect(argument, names));
        }
        Expr::List(list) => list.elements.iter().for_each(|element| collect(element, names)),
        Expr::Map(map) => {
            for entry in &map.entries {
                if let EntryExpr::MapEntry(entry) = &entry.expr {
                    collect(&entry.key, names);
                    collect(&entry.value, names);
                }
            }
        }
        Expr::Comprehension(comprehension) => {
            let parts = [
                &comprehension.iter_range,
                &comprehension.accu_init,
                &comprehension.loop_cond,
                &comprehension.loop_step,
                &comprehension.result,
            ];
            parts.into_iter().for_each(|part| collect(part, names));
        }
        Expr::Unspecified | Expr::Ident(_) | Expr::Literal(_) | Expr::Struct(_) => {}
    }
}

/// Splits at the `&&` outside of texts and parentheses; nothing is split where `||` or `?` stands there too, which bind
/// less.
fn conjuncts(text: &str) -> Vec<&str> {
    let (mut parts, mut start, mut depth, mut ampersand) = (Vec::new(), 0, 0_i32, None);
    for (at, c) in outside_of_texts(text) {
        match c {
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => depth -= 1,
            '?' | '|' if depth == 0 => return Vec::new(),
            '&' if depth == 0 && ampersand.is_some_and(|before: usize| before + 1 == at) => {
                parts.push(text[start..at - 1].trim());
                start = at + 1;
                ampersand = None;
                continue;
            }
            '&' if depth == 0 => {
                ampersand = Some(at);
                continue;
            }
            _ => {}
        }
        ampersand = None;
    }
    parts.push(text[start..].trim());
    parts
}

/// The text without one pair of parentheses around all of it.
fn without_parentheses(text: &str) -> &str {
    let Some(inner) = text.strip_prefix('(').and_then(|text| text.strip_suffix(')')) else { return text };
    let mut depth = 0_i32;
    let is_one = inner.chars().all(|c| {
        depth += i32::from(c == '(') - i32::from(c == ')');
        depth >= 0
    });
    if is_one { inner.trim() } else { text }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn evaluated(text: &str, claims: serde_json::Value) -> Result<serde_json::Value, Failure> {
        let mut scope = Scope::of_claims(claims.as_object().unwrap());
        let attribute = json!({"team": "a"});
        scope.add_mapped(&Map::new(), attribute.as_object().unwrap());
        Expression::compile(text).unwrap().evaluate(&scope)
    }

    #[test]
    fn expressions_evaluate_as_at_google() {
        let claims = json!({
            "sub": "repo:o/r:ref:refs/heads/main", "n": 7, "amr": ["x", "y"], "org/id": "u", "repository_owner": "o",
            "arn": "arn:aws:sts::123456789012:assumed-role/reader/session",
        });
        for (text, value) in [
            ("assertion.sub", json!("repo:o/r:ref:refs/heads/main")),
            ("assertion.n == 7", json!(true)),
            ("assertion['org/id'] == 'u'", json!(true)),
            ("'x' in assertion.amr", json!(true)),
            ("has(assertion.missing) ? assertion.missing : 'none'", json!("none")),
            ("assertion.missing == 'a' || assertion.n == 7", json!(true)),
            ("assertion.n == 8 && assertion.missing == 'a'", json!(false)),
            ("assertion.missing == 'a' && assertion.n == 8", json!(false)),
            ("assertion.sub.startsWith('repo:o/') && assertion.sub.endsWith('main')", json!(true)),
            ("assertion.sub.matches('^repo:o/r:')", json!(true)),
            ("assertion.sub.split(':')[1]", json!("o/r")),
            ("assertion.amr.join('-')", json!("x-y")),
            ("assertion.arn.extract('assumed-role/{role}/')", json!("reader")),
            ("assertion.arn.extract('assumed-role/{rest}')", json!("reader/session")),
            ("assertion.arn.extract('user/{name}')", json!("")),
            ("attribute.team == 'a'", json!(true)),
            ("assertion.sub + '::' + string(assertion.n)", json!("repo:o/r:ref:refs/heads/main::7")),
        ] {
            assert_eq!(evaluated(text, claims.clone()), Ok(value), "{text}");
        }
        assert_eq!(evaluated("assertion.gone != ''", claims.clone()), Err(Failure::Missing("gone".into())));
        assert_eq!(evaluated("attribute.gone != ''", claims.clone()), Err(Failure::Missing("gone".into())));
        assert!(matches!(evaluated("assertion.n.startsWith('7')", claims), Err(Failure::Other(_))));
    }

    #[test]
    fn what_an_expression_refers_to_is_found() {
        let text = "has(assertion.a) && assertion['b/c'] == 'x' && attribute.d in ['e'] && google.subject.size() < 9 \
                    && ('f' in assertion) && [assertion.g].exists(x, x == assertion.h)";
        let found = Expression::compile(text).unwrap();
        assert_eq!(found.claims().collect::<Vec<_>>(), ["a", "b/c", "f", "g", "h"]);
        assert_eq!(found.attributes().collect::<Vec<_>>(), ["attribute.d", "google.subject"]);
        assert_eq!(found.tested().collect::<Vec<_>>(), ["a", "f"]);
    }

    #[test]
    fn the_parts_of_a_conjunction_stand_alone() {
        let parts = |text: &str| -> Vec<String> {
            Expression::compile(text).unwrap().conjuncts().iter().map(|part| part.text().to_owned()).collect()
        };
        assert_eq!(
            parts("assertion.a == 'x && y' && (assertion.b == 1 || assertion.c) && f(assertion.d, (1))"),
            ["assertion.a == 'x && y'", "assertion.b == 1 || assertion.c", "f(assertion.d, (1))"]
        );
        assert_eq!(parts("(a) && (b)"), ["a", "b"]);
        assert!(parts("a && b || c").is_empty());
        assert!(parts("a && b ? c : d").is_empty());
        assert!(parts("a").is_empty());
        let compared = |text: &str| Expression::compile(text).unwrap().compared();
        assert_eq!(compared("assertion.a == 'x'"), Some(("assertion.a".into(), "x".into())));
        assert_eq!(compared("'x' == attribute.a"), Some(("attribute.a".into(), "x".into())));
        assert_eq!(compared("assertion.a != 'x'"), None);
    }

    #[test]
    fn what_is_not_of_the_language_is_refused_in_a_line() {
        for text in ["", "assertion.", "a ==", "'open", "a & b", &format!("{}a{}", "(".repeat(40), ")".repeat(40))] {
            let error = Expression::compile(text).unwrap_err();
            assert!(!error.is_empty() && !error.contains('\n'), "{text} {error}");
        }
    }

    proptest! {
        #[test]
        fn no_text_is_too_much(text in "[a-z.()'\"&|!?:\\[\\]{} =]{0,60}") {
            if let Ok(expression) = Expression::compile(&text) {
                let _ = expression.evaluate(&Scope::of_claims(&Map::new()));
                expression.conjuncts();
            }
        }
    }
}
