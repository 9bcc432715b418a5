//! Terraform's expressions: references are replaced by what they stand for, or by a mark where that is not known, and the rest
//! is evaluated. A mark is an ordinary name, so that what is around it is judged; what it stands for is told.

use hcl::eval::{Context, Evaluate as _, FuncArgs, FuncDef, ParamType};
use hcl::expr::{Expression, ForExpr, FuncCall, ObjectKey, Operation, TemplateExpr, Traversal, TraversalOperator};
use hcl::template::{Directive, Element, Template};
use hcl::{Identifier, Map, Value};

use super::declared::Unknowns;

/// What a reference stands for: its value, or nothing where that is not known. The parts are those of the reference, such as
/// `var`, `owner`.
pub type Lookup<'l> = &'l dyn Fn(&[String]) -> Option<Value>;

/// The value of an expression. `names` are those that a `dynamic` block brings, with what they stand for.
///
/// # Errors
/// It has a form that cannot be evaluated, such as a function that is not known, or a condition on what is not known; says what.
pub fn evaluate(
    expression: &Expression,
    lookup: Lookup<'_>,
    unknowns: &Unknowns,
    names: &[(String, Value)],
) -> Result<Value, String> {
    let mut resolved = expression.clone();
    resolve(&mut resolved, lookup, unknowns, &mut names.iter().map(|(name, _)| name.clone()).collect());
    let mut context = functions();
    for (name, value) in names {
        context.declare_var(name.as_str(), value.clone());
    }
    resolved.evaluate(&context).map_err(|error| error.to_string())
}

/// Replaces the references, but for those to the names that a `for` brings.
fn resolve(expression: &mut Expression, lookup: Lookup<'_>, unknowns: &Unknowns, own: &mut Vec<String>) {
    match expression {
        Expression::Array(items) => items.iter_mut().for_each(|item| resolve(item, lookup, unknowns, own)),
        Expression::Object(object) => {
            let entries: Vec<_> = std::mem::take(object)
                .into_iter()
                .map(|(mut key, mut value)| {
                    if let ObjectKey::Expression(key) = &mut key
                        && !matches!(key, Expression::Variable(_))
                    {
                        resolve(key, lookup, unknowns, own);
                    }
                    resolve(&mut value, lookup, unknowns, own);
                    (key, value)
                })
                .collect();
            object.extend(entries);
        }
        Expression::TemplateExpr(template) => {
            if let Ok(mut parsed) = Template::from_expr(template) {
                resolve_template(&mut parsed, lookup, unknowns, own);
                **template = TemplateExpr::QuotedString(parsed.to_string());
            }
        }
        Expression::Traversal(traversal) => {
            if let Some(known) = resolve_traversal(traversal, lookup, unknowns, own) {
                *expression = known;
            }
        }
        Expression::FuncCall(call) => {
            call.args.iter_mut().for_each(|argument| resolve(argument, lookup, unknowns, own));
            if own.is_empty()
                && let Some(known) = resolve_call(call, lookup, unknowns)
            {
                *expression = known.into();
            }
        }
        Expression::Parenthesis(inner) => resolve(inner, lookup, unknowns, own),
        Expression::Conditional(conditional) => {
            for part in [&mut conditional.cond_expr, &mut conditional.true_expr, &mut conditional.false_expr] {
                resolve(part, lookup, unknowns, own);
            }
        }
        Expression::Operation(operation) => match &mut **operation {
            Operation::Unary(unary) => resolve(&mut unary.expr, lookup, unknowns, own),
            Operation::Binary(binary) => {
                resolve(&mut binary.lhs_expr, lookup, unknowns, own);
                resolve(&mut binary.rhs_expr, lookup, unknowns, own);
            }
        },
        Expression::ForExpr(each) => resolve_for(each, lookup, unknowns, own),
        _ => {}
    }
}

/// The value of a call that no function of values alone yields: `try` looks no further than it must, and the others read a file.
fn resolve_call(call: &FuncCall, lookup: Lookup<'_>, unknowns: &Unknowns) -> Option<Value> {
    let context = functions();
    let mut values = call.args.iter().map(|argument| argument.evaluate(&context).ok());
    match call.name.name.as_str() {
        "try" => values.find_map(|value| value),
        "can" => Some(values.next()?.is_some().into()),
        name @ ("file" | "templatefile") => {
            let path = text(&values.next()??)?;
            let Some(content) = lookup(&["file".to_owned(), path.clone()]) else {
                return Some(unknowns.mark(&format!("the file {path}")).into());
            };
            match (name, values.next()) {
                ("file", _) => Some(content),
                (_, Some(Some(Value::Object(variables)))) => {
                    let mut context = functions();
                    for (name, value) in variables {
                        context.declare_var(Identifier::sanitized(&name), value);
                    }
                    let template: Template = content.as_str()?.parse().ok()?;
                    template.evaluate(&context).ok().map(Value::from)
                }
                _ => None,
            }
        }
        _ => None,
    }
}

fn resolve_for(each: &mut ForExpr, lookup: Lookup<'_>, unknowns: &Unknowns, own: &mut Vec<String>) {
    resolve(&mut each.collection_expr, lookup, unknowns, own);
    let outer = own.len();
    own.push(each.value_var.to_string());
    own.extend(each.key_var.iter().map(ToString::to_string));
    for part in each.key_expr.iter_mut().chain([&mut each.value_expr]).chain(&mut each.cond_expr) {
        resolve(part, lookup, unknowns, own);
    }
    own.truncate(outer);
}

fn resolve_template(template: &mut Template, lookup: Lookup<'_>, unknowns: &Unknowns, own: &mut Vec<String>) {
    let elements: Vec<Element> = template
        .elements()
        .iter()
        .cloned()
        .map(|mut element| {
            match &mut element {
                Element::Interpolation(inside) => resolve(&mut inside.expr, lookup, unknowns, own),
                Element::Directive(directive) => match &mut **directive {
                    Directive::If(choice) => {
                        resolve(&mut choice.cond_expr, lookup, unknowns, own);
                        resolve_template(&mut choice.true_template, lookup, unknowns, own);
                        if let Some(otherwise) = &mut choice.false_template {
                            resolve_template(otherwise, lookup, unknowns, own);
                        }
                    }
                    Directive::For(each) => {
                        resolve(&mut each.collection_expr, lookup, unknowns, own);
                        let outer = own.len();
                        own.push(each.value_var.to_string());
                        own.extend(each.key_var.iter().map(ToString::to_string));
                        resolve_template(&mut each.template, lookup, unknowns, own);
                        own.truncate(outer);
                    }
                },
                Element::Literal(_) => {}
            }
            element
        })
        .collect();
    *template = Template::from_iter(elements);
}

/// What a reference stands for, with the operators that remain behind its name.
fn resolve_traversal(
    traversal: &mut Traversal,
    lookup: Lookup<'_>,
    unknowns: &Unknowns,
    own: &mut Vec<String>,
) -> Option<Expression> {
    for operator in &mut traversal.operators {
        if let TraversalOperator::Index(index) = operator {
            resolve(index, lookup, unknowns, own);
        }
    }
    let Expression::Variable(root) = &traversal.expr else {
        resolve(&mut traversal.expr, lookup, unknowns, own);
        return None;
    };
    if own.iter().any(|name| name == root.as_str()) {
        return None;
    }
    let mut parts = vec![root.to_string()];
    let wanted = match root.as_str() {
        "var" | "local" | "each" | "count" | "path" | "terraform" => 2,
        "data" => 4,
        _ => 3,
    };
    let mut operators = traversal.operators.iter();
    while parts.len() < wanted {
        match operators.next() {
            Some(TraversalOperator::GetAttr(name)) => parts.push(name.to_string()),
            // One of several instances stands for all.
            Some(TraversalOperator::Index(_) | TraversalOperator::LegacyIndex(_)) if parts.len() > 1 => {}
            _ => break,
        }
    }
    let rest: Vec<TraversalOperator> = operators.cloned().collect();
    match lookup(&parts) {
        Some(value) if rest.is_empty() => Some(value.into()),
        Some(value) => Some(Expression::from(Traversal::new(Expression::from(value), rest))),
        None => Some(Expression::String(unknowns.mark(&written(&parts, &rest)))),
    }
}

fn written(parts: &[String], rest: &[TraversalOperator]) -> String {
    let names = rest.iter().filter_map(|operator| match operator {
        TraversalOperator::GetAttr(name) => Some(name.to_string()),
        _ => None,
    });
    parts.iter().cloned().chain(names).collect::<Vec<_>>().join(".")
}

/// The functions of Terraform that policies are written with
/// (<https://developer.hashicorp.com/terraform/language/functions>).
fn functions() -> Context<'static> {
    let mut context = Context::new();
    let known: [(&str, hcl::eval::Func); 47] = [
        ("jsonencode", |args| one(args, |value| serde_json::to_string(&value).ok().map(Value::from))),
        ("jsondecode", |args| one(args, |value| serde_json::from_str(value.as_str()?).ok())),
        ("format", |args| {
            format(&values(args)).ok_or_else(|| "a format that is not known".to_owned()).map(Value::from)
        }),
        ("formatlist", format_list),
        ("join", |args| {
            let values = values(args);
            let [separator, lists @ ..] = values.as_slice() else { return Err("nothing to join".to_owned()) };
            let texts: Option<Vec<String>> = lists.iter().flat_map(items).map(|item| text(&item)).collect();
            texts
                .map(|texts| texts.join(separator.as_str().unwrap_or_default()).into())
                .ok_or_else(|| "no texts to join".to_owned())
        }),
        ("split", |args| {
            two(args, |separator, whole| {
                Some(whole.as_str()?.split(separator.as_str()?).map(Value::from).collect::<Vec<_>>().into())
            })
        }),
        ("replace", |args| match values(args).as_slice() {
            [Value::String(whole), Value::String(from), Value::String(to)] => {
                Ok(whole.replace(from.as_str(), to).into())
            }
            _ => Err("replace takes three texts".to_owned()),
        }),
        ("trimprefix", |args| {
            two(args, |whole, part| Some(whole.as_str()?.strip_prefix(part.as_str()?).or(whole.as_str())?.into()))
        }),
        ("trimsuffix", |args| {
            two(args, |whole, part| Some(whole.as_str()?.strip_suffix(part.as_str()?).or(whole.as_str())?.into()))
        }),
        ("trimspace", |args| one(args, |value| Some(value.as_str()?.trim().into()))),
        ("lower", |args| one(args, |value| Some(value.as_str()?.to_lowercase().into()))),
        ("upper", |args| one(args, |value| Some(value.as_str()?.to_uppercase().into()))),
        ("startswith", |args| two(args, |whole, part| Some(whole.as_str()?.starts_with(part.as_str()?).into()))),
        ("endswith", |args| two(args, |whole, part| Some(whole.as_str()?.ends_with(part.as_str()?).into()))),
        ("contains", |args| two(args, |list, item| Some(items(&list).contains(&item).into()))),
        ("length", |args| {
            one(args, |value| match value {
                Value::String(text) => Some(text.chars().count().into()),
                Value::Object(object) => Some(object.len().into()),
                list => Some(list.as_array()?.len().into()),
            })
        }),
        ("merge", |args| {
            let objects = values(args)
                .into_iter()
                .filter_map(|value| if let Value::Object(object) = value { Some(object) } else { None });
            Ok(objects.flatten().collect::<Map<String, Value>>().into())
        }),
        ("concat", |args| Ok(values(args).iter().flat_map(items).collect::<Vec<_>>().into())),
        ("flatten", |args| one(args, |value| Some(flat(&value).into()))),
        ("compact", |args| {
            one(args, |value| Some(items(&value).into_iter().filter(|item| !is_empty(item)).collect::<Vec<_>>().into()))
        }),
        ("distinct", |args| one(args, |value| Some(unique(items(&value)).into()))),
        ("setunion", |args| Ok(unique(values(args).iter().flat_map(items).collect()).into())),
        ("reverse", |args| one(args, |value| Some(items(&value).into_iter().rev().collect::<Vec<_>>().into()))),
        ("one", |args| one(args, |value| Some(items(&value).into_iter().next().unwrap_or_default()))),
        ("sensitive", |args| one(args, Some)),
        ("nonsensitive", |args| one(args, Some)),
        ("toset", |args| one(args, |value| Some(unique(items(&value)).into()))),
        ("tolist", |args| one(args, Some)),
        ("tomap", |args| one(args, Some)),
        ("tostring", |args| one(args, |value| text(&value).map(Value::from))),
        ("sort", |args| {
            one(args, |value| {
                let mut texts: Vec<String> = items(&value).iter().filter_map(text).collect();
                texts.sort_unstable();
                Some(texts.into())
            })
        }),
        ("keys", |args| {
            one(args, |value| Some(value.as_object()?.keys().cloned().map(Value::from).collect::<Vec<_>>().into()))
        }),
        ("values", |args| one(args, |value| Some(value.as_object()?.values().cloned().collect::<Vec<_>>().into()))),
        ("element", |args| {
            two(args, |list, at| {
                let list = items(&list);
                list.get(usize::try_from(at.as_u64()?).ok()?.checked_rem(list.len())?).cloned()
            })
        }),
        ("lookup", |args| match values(args).as_slice() {
            [Value::Object(object), Value::String(key), rest @ ..] => {
                object.get(key).or_else(|| rest.first()).cloned().ok_or_else(|| format!("no {key} in the map"))
            }
            _ => Err("lookup takes a map and a key".to_owned()),
        }),
        ("zipmap", |args| {
            two(args, |keys, values| {
                let keys: Option<Vec<String>> = items(&keys).iter().map(text).collect();
                Some(keys?.into_iter().zip(items(&values)).collect::<Map<String, Value>>().into())
            })
        }),
        ("substr", |args| match values(args).as_slice() {
            [Value::String(whole), from, length] => substring(whole, from.as_i64(), length.as_i64())
                .map(Value::from)
                .ok_or_else(|| "substr takes two whole numbers".to_owned()),
            _ => Err("substr takes a text and two numbers".to_owned()),
        }),
        ("title", |args| one(args, |value| Some(title(value.as_str()?).into()))),
        ("chomp", |args| one(args, |value| Some(value.as_str()?.trim_end_matches(['\n', '\r']).into()))),
        ("trim", |args| {
            two(args, |whole, signs| {
                let signs: Vec<char> = signs.as_str()?.chars().collect();
                Some(whole.as_str()?.trim_matches(signs.as_slice()).into())
            })
        }),
        ("basename", |args| one(args, |value| Some(value.as_str()?.rsplit('/').next().unwrap_or_default().into()))),
        ("slice", |args| match values(args).as_slice() {
            [Value::Array(list), from, to] => {
                let place = |at: &Value| at.as_u64().and_then(|at| usize::try_from(at).ok());
                let part = place(from).zip(place(to)).and_then(|(from, to)| list.get(from..to));
                part.map(|part| part.to_vec().into()).ok_or_else(|| "no such part of the list".to_owned())
            }
            _ => Err("slice takes a list and two numbers".to_owned()),
        }),
        ("range", |args| one(args, |value| Some((0..value.as_u64()?.min(1000)).collect::<Vec<_>>().into()))),
        ("setproduct", |args| product(&values(args))),
        ("setintersection", |args| {
            two(args, |first, second| {
                let second = items(&second);
                Some(unique(items(&first).into_iter().filter(|item| second.contains(item)).collect()).into())
            })
        }),
        ("setsubtract", |args| {
            two(args, |first, second| {
                let second = items(&second);
                Some(unique(items(&first).into_iter().filter(|item| !second.contains(item)).collect()).into())
            })
        }),
        ("coalesce", |args| {
            values(args).into_iter().find(|value| !is_empty(value)).ok_or_else(|| "all are empty".to_owned())
        }),
    ];
    for (name, function) in known {
        context.declare_func(name, FuncDef::builder().variadic_param(ParamType::Any).build(function));
    }
    context
}

fn values(args: FuncArgs) -> Vec<Value> {
    args.into_values()
}

fn one(args: FuncArgs, function: impl Fn(Value) -> Option<Value>) -> Result<Value, String> {
    let mut values = values(args).into_iter();
    values.next().and_then(function).ok_or_else(|| "an argument of another kind".to_owned())
}

fn two(args: FuncArgs, function: impl Fn(Value, Value) -> Option<Value>) -> Result<Value, String> {
    let mut values = values(args).into_iter();
    let pair = values.next().zip(values.next());
    pair.and_then(|(first, second)| function(first, second)).ok_or_else(|| "an argument of another kind".to_owned())
}

/// The elements of a list; any other value is one by itself.
pub fn items(value: &Value) -> Vec<Value> {
    match value {
        Value::Array(items) => items.clone(),
        Value::Null => Vec::new(),
        other => vec![other.clone()],
    }
}

/// A value as text, where it is a text, a number or a truth value.
pub fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(is) => Some(is.to_string()),
        _ => None,
    }
}

fn is_empty(value: &Value) -> bool {
    value.is_null() || value.as_str() == Some("")
}

fn flat(value: &Value) -> Vec<Value> {
    match value {
        Value::Array(items) => items.iter().flat_map(flat).collect(),
        other => vec![other.clone()],
    }
}

fn unique(values: Vec<Value>) -> Vec<Value> {
    let mut kept: Vec<Value> = Vec::with_capacity(values.len());
    for value in values {
        if !kept.contains(&value) {
            kept.push(value);
        }
    }
    kept
}

/// The part of a text from a place on, of a length in characters; all that follows where the length is -1.
fn substring(whole: &str, from: Option<i64>, length: Option<i64>) -> Option<String> {
    let (count, from, length) = (whole.chars().count(), from?, length?);
    let from =
        if from < 0 { count.saturating_sub(usize::try_from(-from).ok()?) } else { usize::try_from(from).ok()? };
    let length = if length < 0 { count } else { usize::try_from(length).ok()? };
    Some(whole.chars().skip(from).take(length).collect())
}

fn title(text: &str) -> String {
    let mut starts = true;
    let capital = |c: char| {
        let written = if starts { c.to_uppercase().collect() } else { c.to_string() };
        starts = !c.is_alphanumeric();
        written
    };
    text.chars().map(capital).collect()
}

/// Each element of every list with each of the others.
fn product(lists: &[Value]) -> Result<Value, String> {
    const MOST: usize = 10_000;
    let mut rows: Vec<Vec<Value>> = vec![Vec::new()];
    for list in lists {
        let items = items(list);
        if rows.len().saturating_mul(items.len()) > MOST {
            return Err(format!("a product of more than {MOST} elements"));
        }
        let with = |row: &Vec<Value>| {
            items.iter().map(|item| [row.as_slice(), std::slice::from_ref(item)].concat()).collect::<Vec<_>>()
        };
        rows = rows.iter().flat_map(with).collect();
    }
    Ok(rows.into_iter().map(Value::from).collect::<Vec<_>>().into())
}

/// `%s`, `%d`, `%v`, `%q`, a number's width such as `%02d`, and `%%`.
fn format(values: &[Value]) -> Option<String> {
    let [Value::String(pattern), arguments @ ..] = values else { return None };
    let (mut written, mut arguments, mut rest) = (String::new(), arguments.iter(), pattern.as_str());
    while let Some((before, behind)) = rest.split_once('%') {
        written.push_str(before);
        let width: String = behind.chars().take_while(char::is_ascii_digit).collect();
        let rest_of_verb = behind.get(width.len()..)?;
        let (least, is_zero) = (width.parse::<usize>().unwrap_or_default(), width.starts_with('0'));
        match rest_of_verb.chars().next()? {
            '%' => written.push('%'),
            'd' if is_zero => written.push_str(&format!("{:0>least$}", text(arguments.next()?)?)),
            's' | 'd' | 'v' => written.push_str(&format!("{:>least$}", text(arguments.next()?)?)),
            'q' => written.push_str(&serde_json::to_string(&text(arguments.next()?)?).ok()?),
            _ => return None,
        }
        rest = rest_of_verb.get(1..)?;
    }
    written.push_str(rest);
    Some(written)
}

fn format_list(args: FuncArgs) -> Result<Value, String> {
    let values = values(args);
    let longest = values.iter().filter_map(Value::as_array).map(Vec::len).max().unwrap_or(1);
    let at = |value: &Value, place: usize| match value {
        Value::Array(items) => items.get(place).cloned(),
        other => Some(other.clone()),
    };
    let texts: Option<Vec<Value>> = (0..longest)
        .map(|place| {
            let row: Option<Vec<Value>> = values.iter().map(|value| at(value, place)).collect();
            format(&row?).map(Value::from)
        })
        .collect();
    texts.map(Value::from).ok_or_else(|| "lists of different lengths".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known(parts: &[String]) -> Option<Value> {
        let text = parts.join(".");
        match text.as_str() {
            "var.owner" => Some("octo".into()),
            "var.repositories" => Some(vec!["app", "api"].into()),
            "var.map" => Some(Value::from_iter([("a", Value::from("b"))])),
            "local.url" => Some("https://gitlab.com".into()),
            _ => None,
        }
    }

    fn value(text: &str) -> Result<Value, String> {
        let expression: Expression = text.parse().unwrap_or_else(|error| panic!("{text}: {error}"));
        evaluate(&expression, &known, &Unknowns::default(), &[])
    }

    #[test]
    fn forms_that_policies_are_written_in_have_their_values() {
        for (text, expected) in [
            (r#""repo:${var.owner}/app:*""#, Value::from("repo:octo/app:*")),
            (r#"format("repo:%s/%s:*", var.owner, "app")"#, "repo:octo/app:*".into()),
            (
                r#"[for r in var.repositories : "repo:${var.owner}/${r}:*"]"#,
                vec!["repo:octo/app:*", "repo:octo/api:*"].into(),
            ),
            (r#"join(",", formatlist("%s-%s", var.owner, var.repositories))"#, "octo-app,octo-api".into()),
            (r#"replace(local.url, "https://", "")"#, "gitlab.com".into()),
            (r#"trimprefix(local.url, "https://")"#, "gitlab.com".into()),
            (r#"var.owner == "octo" ? "yes" : "no""#, "yes".into()),
            (
                r#"jsonencode({ a = [var.owner], "${local.url}:sub" = true })"#,
                r#"{"a":["octo"],"https://gitlab.com:sub":true}"#.into(),
            ),
            (r#"merge(var.map, { c = "d" })["c"]"#, "d".into()),
            ("var.map.a", "b".into()),
            ("concat(var.repositories, [\"x\"])[2]", "x".into()),
            (r#""%{ if var.owner == "octo" }is%{ else }is not%{ endif }""#, "is".into()),
            ("lookup(var.map, \"none\", \"other\")", "other".into()),
        ] {
            assert_eq!(value(text), Ok(expected), "{text}");
        }
        assert!(value("cidrhost(\"10.0.0.0/8\", 1)").is_err());
    }

    #[test]
    fn every_function_has_its_value() {
        let rows = [
            ("jsonencode", r#"jsonencode({ a = [1] })"#, r#""{\"a\":[1]}""#),
            ("jsondecode", r#"jsondecode("[\"a\"]")"#, r#"["a"]"#),
            ("format", r#"format("%s-%d%%-%q", "a", 1, "b")"#, r#""a-1%-\"b\"""#),
            ("formatlist", r#"formatlist("x%s", ["a", "b"])"#, r#"["xa","xb"]"#),
            ("join", r#"join("-", ["a", "b"], ["c"])"#, r#""a-b-c""#),
            ("split", r#"split("/", "a/b")"#, r#"["a","b"]"#),
            ("replace", r#"replace("a-b", "-", "/")"#, r#""a/b""#),
            ("trimprefix", r#"trimprefix("https://x", "https://")"#, r#""x""#),
            ("trimsuffix", r#"trimsuffix("x/", "/")"#, r#""x""#),
            ("trimspace", r#"trimspace(" x ")"#, r#""x""#),
            ("lower", r#"lower("AB")"#, r#""ab""#),
            ("upper", r#"upper("ab")"#, r#""AB""#),
            ("startswith", r#"startswith("ab", "a")"#, "true"),
            ("endswith", r#"endswith("ab", "a")"#, "false"),
            ("contains", r#"contains(["a"], "a")"#, "true"),
            ("length", r#"length(["a", "b"])"#, "2"),
            ("merge", r#"merge({ a = 1 }, { a = 2, b = 3 })"#, r#"{"a":2,"b":3}"#),
            ("concat", r#"concat(["a"], ["b"])"#, r#"["a","b"]"#),
            ("flatten", r#"flatten([["a"], ["b", ["c"]]])"#, r#"["a","b","c"]"#),
            ("compact", r#"compact(["a", "", null])"#, r#"["a"]"#),
            ("distinct", r#"distinct(["a", "b", "a"])"#, r#"["a","b"]"#),
            ("toset", r#"toset(["a", "a"])"#, r#"["a"]"#),
            ("setunion", r#"setunion(["a"], ["b", "a"])"#, r#"["a","b"]"#),
            ("reverse", r#"reverse(["a", "b"])"#, r#"["b","a"]"#),
            ("one", r#"one(["a"])"#, r#""a""#),
            ("sensitive", r#"nonsensitive(sensitive("a"))"#, r#""a""#),
            ("tolist", r#"tolist(["a"])"#, r#"["a"]"#),
            ("tomap", r#"tomap({ a = 1 })"#, r#"{"a":1}"#),
            ("tostring", "tostring(7)", r#""7""#),
            ("sort", r#"sort(["b", "a"])"#, r#"["a","b"]"#),
            ("keys", r#"keys({ a = 1 })"#, r#"["a"]"#),
            ("values", r#"values({ a = 1 })"#, "[1]"),
            ("element", r#"element(["a", "b"], 3)"#, r#""b""#),
            ("lookup", r#"lookup({ a = "x" }, "a", "y")"#, r#""x""#),
            ("zipmap", r#"zipmap(["a"], [1])"#, r#"{"a":1}"#),
            ("coalesce", r#"coalesce("", "a")"#, r#""a""#),
            ("try", r#"try(jsondecode("{"), "a")"#, r#""a""#),
            ("substr", r#"substr("acme-corp", 0, 4)"#, r#""acme""#),
            ("substr to the end", r#"substr("acme-corp", -4, -1)"#, r#""corp""#),
            ("title", r#"title("acme corp")"#, r#""Acme Corp""#),
            ("chomp", r#"chomp("a\n")"#, r#""a""#),
            ("trim", r#"trim("/a/", "/")"#, r#""a""#),
            ("basename", r#"basename("a/b")"#, r#""b""#),
            ("slice", r#"slice(["a", "b", "c"], 1, 3)"#, r#"["b","c"]"#),
            ("range", "range(2)", "[0,1]"),
            ("setproduct", r#"setproduct(["a", "b"], ["x", "y"])"#, r#"[["a","x"],["a","y"],["b","x"],["b","y"]]"#),
            ("setintersection", r#"setintersection(["a", "b"], ["b"])"#, r#"["b"]"#),
            ("setsubtract", r#"setsubtract(["a", "b"], ["b"])"#, r#"["a"]"#),
            ("can", r#"can(jsondecode("{")) ? "yes" : "no""#, r#""no""#),
            ("format with a width", r#"format("%s-%02d-%3d", "p", 1, 7)"#, r#""p-01-  7""#),
            ("for", r#"[for k, v in { a = "x" } : "${k}${v}" if v != ""]"#, r#"["ax"]"#),
            ("for as a map", r#"{ for v in ["a"] : v => upper(v) }"#, r#"{"a":"A"}"#),
        ];
        for (name, text, expected) in rows {
            let found = value(text).unwrap_or_else(|error| panic!("{name}: {error}"));
            assert_eq!(serde_json::to_string(&found).unwrap(), expected, "{name}");
        }
    }

    #[test]
    fn what_is_not_known_is_a_name_and_is_told() {
        let unknowns = Unknowns::default();
        let expression: Expression = r#""repo:${var.other}/app:${data.x.y.z}""#.parse().unwrap();
        let value = evaluate(&expression, &known, &unknowns, &[]).unwrap();
        assert_eq!(value.as_str(), Some("repo:var-other.unknown/app:data-x-y-z.unknown"));
        assert_eq!(unknowns.in_text(value.as_str().unwrap()), ["data.x.y.z", "var.other"]);
        assert!(!unknowns.is_all(value.as_str().unwrap()));
        assert!(unknowns.is_all("var-other.unknown:*"));
        assert!(!unknowns.is_all("*"));
    }
}
