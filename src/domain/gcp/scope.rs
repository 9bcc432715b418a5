//! What expressions see of one token, and Google's functions on top of the language's own.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock};

use cel::common::types::{CelBool, CelDouble, CelInt, CelList, CelMap, CelMapKey, CelNull, CelString};
use cel::common::value::Val;
use cel::{Context, Env, ExecutionError, IdedExpr, Value, extensions};
use serde_json::Map;

static ENVIRONMENT: LazyLock<Arc<Env>> = LazyLock::new(|| {
    let mut env = Env::stdlib();
    // An overload that is declared twice is the only error there is; without these, calls of them fail with their name.
    let _ = env.add_extension(extensions::strings);
    let _ = cel::add_member_overload!(env, fn extract: (CelString, CelString) -> CelString);
    Arc::new(env)
});

/// A token's claims, and what the mapping made of them.
pub(super) struct Scope<'t> {
    context: Context<'t, 't>,
}

impl<'t> Scope<'t> {
    /// The token's claims as `assertion`.
    pub fn of_claims(claims: &'t Map<String, serde_json::Value>) -> Self {
        let mut context = Context::with_env(ENVIRONMENT.clone());
        context.add_variable_as_val("assertion", map(claims.iter().map(|(name, value)| (name.as_str(), value))));
        Scope { context }
    }

    /// And the mapped attributes, `google.x` and `attribute.x`, which only conditions see.
    pub fn with_mapped(mut self, attributes: &'t Map<String, serde_json::Value>) -> Self {
        for root in ["google", "attribute"] {
            let under = attributes.iter().filter_map(|(name, value)| {
                let (before, name) = name.split_once('.')?;
                (before == root).then_some((name, value))
            });
            self.context.add_variable_as_val(root, map(under));
        }
        self
    }

    /// The value of an expression, if JSON can say it.
    ///
    /// # Errors
    ///
    /// Where it has none.
    pub fn value(&self, expression: &IdedExpr) -> Result<Option<serde_json::Value>, ExecutionError> {
        Value::resolve(expression, &self.context).map(|value| json(&value))
    }
}

/// Google's `extract`: what stands in `text` in place of the `{name}` in `template`; empty where it does not fit.
fn extract<'v>(text: &CelString<'v>, template: &CelString<'v>) -> CelString<'v> {
    let found = || -> Option<&str> {
        let (before, rest) = template.split_once('{')?;
        let (_, after) = rest.split_once('}')?;
        let start = text.find(before)? + before.len();
        let found = text.get(start..)?;
        let end = if after.is_empty() { found.len() } else { found.find(after)? };
        found.get(..end)
    };
    found().unwrap_or_default().to_owned().into()
}

fn map<'t>(entries: impl Iterator<Item = (&'t str, &'t serde_json::Value)>) -> Box<dyn Val + 't> {
    let entries: HashMap<CelMapKey<'t>, Box<dyn Val + 't>> =
        entries.map(|(name, value)| (name.into(), of_json(value))).collect();
    Box::new(CelMap::from(entries))
}

fn of_json(value: &serde_json::Value) -> Box<dyn Val + '_> {
    match value {
        serde_json::Value::Null => Box::new(CelNull),
        serde_json::Value::Bool(value) => Box::new(CelBool::from(*value)),
        serde_json::Value::Number(number) => match number.as_i64() {
            Some(whole) => Box::new(CelInt::from(whole)),
            None => Box::new(CelDouble::from(number.as_f64().unwrap_or_default())),
        },
        serde_json::Value::String(text) => Box::new(CelString::from(text.as_str())),
        serde_json::Value::Array(items) => Box::new(CelList::from(items.iter().map(of_json).collect::<Vec<_>>())),
        serde_json::Value::Object(object) => map(object.iter().map(|(name, value)| (name.as_str(), value))),
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
