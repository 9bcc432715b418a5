//! Expressions of a provider, in the Common Expression Language as Google evaluates it: errors are absorbed on either
//! side of `&&` and `||`, and `extract`, `split` and `join` are there.

use std::collections::BTreeSet;
use std::sync::OnceLock;

use cel::common::ast::{EntryExpr, Expr, LiteralValue, operators};
use cel::{ExecutionError, IdedExpr};

use super::open_expression::{OpenNames, close, wholly_open};
use super::scope::Scope;
use super::syntax::{conjuncts, parse};
use crate::domain::iam::open_text::is_open;

/// A compiled expression.
#[derive(Debug)]
pub struct Expression {
    text: String,
    tree: IdedExpr,
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

impl Expression {
    /// Compiles an expression.
    ///
    /// # Errors
    ///
    /// Where it is not of the language; what is wrong, in words.
    pub fn compile(text: &str) -> Result<Self, String> {
        let closed = close(text);
        let (tree, open) = match parse(&closed.text) {
            Ok(tree) => (tree, closed.open),
            // What is open may be a half of anything.
            Err(_) if is_open(text) => {
                let whole = wholly_open(text);
                (parse(&whole.text)?, whole.open)
            }
            Err(error) => return Err(error),
        };
        let mut names = Names::default();
        collect(&tree, &mut names);
        names.claims.retain(|name| open.reference(name).is_none());
        names.attributes.retain(|name| open.reference(name).is_none());
        Ok(Expression { text: text.trim().to_owned(), tree, names, open, conjuncts: OnceLock::new() })
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
    pub(super) fn evaluate(&self, scope: &Scope<'_>) -> Result<serde_json::Value, Failure> {
        let value = scope.value(&self.tree).map_err(|error| self.failure(error))?;
        value.ok_or_else(|| Failure::Other("it is neither a text, a number, a boolean nor a list".to_owned()))
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
        collect_wanted(&self.tree, &mut found);
        found
    }

    /// What stands between the `&&` at its top, each compiled by itself; the expression as a whole where none does.
    pub fn conjuncts(&self) -> &[Expression] {
        self.conjuncts.get_or_init(|| {
            let compiled: Result<Vec<Expression>, String> =
                conjuncts(&self.text).into_iter().map(Expression::compile).collect();
            compiled.unwrap_or_default()
        })
    }

    /// The text that a claim or attribute is compared with by `==`, and which: `assertion.x == 'text'`.
    pub fn compared(&self) -> Option<(String, String)> {
        let Expr::Call(call) = &self.tree.expr else { return None };
        let [left, right] = call.args.as_slice() else { return None };
        if call.func_name != operators::EQUALS {
            return None;
        }
        let (name, text) = (reference(left).zip(literal(right))).or_else(|| reference(right).zip(literal(left)))?;
        Some((name, text.to_owned()))
    }
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn evaluated(text: &str, claims: serde_json::Value) -> Result<serde_json::Value, Failure> {
        let mapped = json!({"attribute.team": "a"});
        let scope = Scope::of_claims(claims.as_object().unwrap()).with_mapped(mapped.as_object().unwrap());
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
        assert_eq!(parts("(a) == (b) && c // of all"), ["(a) == (b)", "c"]);
        assert_eq!(parts(r"a == r'\' && b == '''it's && c'''"), [r"a == r'\'", "b == '''it's && c'''"]);
        assert_eq!(parts("a == ${unknown:var.a} && b"), ["a == ${unknown:var.a}", "b"]);
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
        for text in ["", "assertion.", "a ==", "'open", "a & b", &format!("{}a{}", "(".repeat(90), ")".repeat(90))] {
            let error = Expression::compile(text).unwrap_err();
            assert!(!error.is_empty() && !error.contains('\n'), "{text} {error}");
        }
    }

    proptest! {
        #[test]
        fn no_text_is_too_much(text in "[a-z.()'\"&|!?:\\[\\]{} =]{0,60}") {
            if let Ok(expression) = Expression::compile(&text) {
                let _ = expression.evaluate(&Scope::of_claims(&serde_json::Map::new()));
                expression.conjuncts();
            }
        }
    }
}
