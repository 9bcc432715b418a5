//! What policies say, asked of the one evaluator in [`crate::domain::iam`].

use serde_json::{Map, Value};

use super::session::{Account, Caller};

/// What a set of policies says of one action on one resource.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Ruling {
    /// An `Allow` matches and no `Deny`.
    Allowed,
    /// A `Deny` matches.
    Denied,
    /// Nothing matches.
    #[default]
    Silent,
}

/// What a policy with principals says of one caller.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Named {
    pub ruling: Ruling,
    /// It allows the caller itself, not only the account that the caller belongs to.
    pub itself: bool,
    /// It allows this very session, which session policies then do not narrow.
    pub session: bool,
}

/// A web identity at a role's door.
pub(super) struct TrustQuestion<'a> {
    pub claims: &'a Map<String, Value>,
    pub provider_arn: &'a str,
    pub action: &'a str,
    pub role_arn: &'a str,
    pub session_name: &'a str,
    pub authorized_by_idp: bool,
}

/// Whether the text is a policy document.
pub(super) fn is_policy(text: &str) -> bool {
    matches!(serde_json::from_str(text), Ok(Value::Object(document)) if document.contains_key("Statement"))
}

/// What a policy with principals (a resource's, or a role's trust policy) says of the caller. `resource` is the one it
/// hangs on; none for a trust policy, which has no resources.
pub(super) fn rule_by_principal(
    policy: &str,
    account: &Account,
    caller: &Caller,
    action: &str,
    resource: Option<&str>,
    context: &[(&str, String)],
) -> Named {
    let Ok(Value::Object(document)) = serde_json::from_str::<Value>(policy) else { return Named::default() };
    let at = resource.unwrap_or("*");
    let ask = |names: &[String]| rule(&for_principals(&document, names), action, at, context);
    let root = format!("arn:aws:iam::{}:root", account.world.account);
    let own = vec![account.principal_arn(caller), "*".to_owned()];
    let session = vec![account.arn(caller)];
    let whole_account = vec![root, account.world.account.clone()];
    let all = [own.clone(), session.clone(), whole_account].concat();
    Named {
        ruling: ask(&all),
        itself: ask(&[own, session.clone()].concat()) == Ruling::Allowed,
        session: matches!(caller, Caller::Session { .. }) && ask(&session) == Ruling::Allowed,
    }
}

/// The document's statements that speak of one of these principals, without their principals.
fn for_principals(document: &Map<String, Value>, names: &[String]) -> Vec<String> {
    let statements = match document.get("Statement") {
        Some(Value::Array(items)) => items.iter().filter_map(Value::as_object).collect(),
        Some(Value::Object(only)) => vec![only],
        _ => Vec::new(),
    };
    let mut kept = Vec::new();
    for statement in statements {
        let matches = match (statement.get("Principal"), statement.get("NotPrincipal")) {
            (Some(principal), _) => names_one_of(principal, names),
            (None, Some(principal)) => !names_one_of(principal, names),
            (None, None) => false,
        };
        if !matches {
            continue;
        }
        let mut statement = statement.clone();
        statement.retain(|name, _| name != "Principal" && name != "NotPrincipal");
        statement.entry("Resource").or_insert_with(|| "*".into());
        kept.push(Value::Object(statement));
    }
    let mut filtered = Map::new();
    filtered.extend(document.get("Version").map(|version| ("Version".to_owned(), version.clone())));
    filtered.insert("Statement".to_owned(), Value::Array(kept));
    vec![Value::Object(filtered).to_string()]
}

fn names_one_of(principal: &Value, names: &[String]) -> bool {
    let is_one = |text: &Value| text.as_str().is_some_and(|text| names.iter().any(|name| name == text));
    match principal {
        Value::String(_) => is_one(principal),
        Value::Object(kinds) => match kinds.get("AWS") {
            Some(Value::Array(items)) => items.iter().any(is_one),
            Some(single) => is_one(single),
            None => false,
        },
        _ => false,
    }
}

// ---- interim, until the evaluator lands ----

pub(super) fn trust_allows(policy: &str, question: &TrustQuestion<'_>) -> bool {
    let Ok(Value::Object(document)) = serde_json::from_str::<Value>(policy) else { return false };
    let prefix = question.provider_arn.split_once("oidc-provider/").map_or("", |(_, url)| url);
    let audience = question.claims.get("azp").or_else(|| question.claims.get("aud"));
    let context: Vec<(String, Value)> = [("aud", audience), ("sub", question.claims.get("sub"))]
        .into_iter()
        .filter_map(|(name, value)| Some((format!("{prefix}:{name}"), value?.clone())))
        .collect();
    let mut allowed = false;
    for statement in statements(&document) {
        let named = statement
            .get("Principal")
            .and_then(|p| p.get("Federated"))
            .is_some_and(|f| texts(f).contains(&question.provider_arn));
        let acts = statement.get("Action").is_some_and(|a| texts(a).iter().any(|p| glob(p, question.action)));
        if named && acts && conditions(&statement, &context) {
            if statement.get("Effect").is_some_and(|e| e == "Deny") {
                return false;
            }
            allowed = true;
        }
    }
    allowed
}

pub(super) fn rule(policies: &[String], action: &str, resource: &str, context: &[(&str, String)]) -> Ruling {
    let context: Vec<(String, Value)> =
        context.iter().map(|(k, v)| ((*k).to_owned(), Value::from(v.clone()))).collect();
    let mut ruling = Ruling::Silent;
    for policy in policies {
        let Ok(Value::Object(document)) = serde_json::from_str::<Value>(policy) else { continue };
        for statement in statements(&document) {
            let acts = statement.get("Action").is_some_and(|a| texts(a).iter().any(|p| glob(p, action)));
            let on = statement.get("Resource").is_none_or(|a| texts(a).iter().any(|p| glob(p, resource)));
            if acts && on && conditions(&statement, &context) {
                if statement.get("Effect").is_some_and(|e| e == "Deny") {
                    return Ruling::Denied;
                }
                ruling = Ruling::Allowed;
            }
        }
    }
    ruling
}

fn conditions(statement: &Map<String, Value>, context: &[(String, Value)]) -> bool {
    let Some(Value::Object(operators)) = statement.get("Condition") else { return true };
    operators.iter().all(|(operator, keys)| {
        keys.as_object().is_some_and(|keys| {
            keys.iter().all(|(key, expected)| {
                let Some((_, actual)) = context.iter().find(|(k, _)| k.eq_ignore_ascii_case(key)) else { return false };
                let actual = texts(actual);
                texts(expected)
                    .iter()
                    .any(|e| actual.iter().any(|a| if operator == "StringLike" { glob(e, a) } else { e == a }))
            })
        })
    })
}

fn statements(document: &Map<String, Value>) -> Vec<Map<String, Value>> {
    match document.get("Statement") {
        Some(Value::Array(items)) => items.iter().filter_map(|i| i.as_object().cloned()).collect(),
        Some(Value::Object(one)) => vec![one.clone()],
        _ => Vec::new(),
    }
}

fn texts(value: &Value) -> Vec<&str> {
    match value {
        Value::Array(items) => items.iter().filter_map(Value::as_str).collect(),
        Value::String(text) => vec![text],
        _ => Vec::new(),
    }
}

fn glob(pattern: &str, text: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == text,
        Some((start, rest)) => text
            .strip_prefix(start)
            .is_some_and(|tail| (0..=tail.len()).filter(|i| tail.is_char_boundary(*i)).any(|i| glob(rest, &tail[i..]))),
    }
}
