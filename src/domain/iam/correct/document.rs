//! A policy document as JSON that is changed in place: the order of members, unknown members and the form of lists stay.

use std::collections::HashSet;
use std::fmt;

use percent_encoding::percent_decode_str;
use serde::de::{self, Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value, json};

use super::NoCorrection;
use crate::domain::iam::policy::Policy;

/// A policy document.
#[derive(Clone, Debug, PartialEq)]
pub struct Document(Value);

impl Document {
    /// Takes the document out of a text that [`Policy::parse`] reads: itself, or the answer of `aws iam get-role`.
    pub fn read(text: &str) -> Result<Self, NoCorrection> {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        Policy::parse(text)?;
        let mut json = strict(text)?;
        if let Some(role) = json.get_mut("Role") {
            json = role.take();
        }
        let embedded = json.get_mut("AssumeRolePolicyDocument").map(Value::take);
        match embedded {
            None => Ok(Document(json)),
            Some(Value::String(text)) if text.trim_start().starts_with('%') => {
                Ok(Document(strict(&percent_decode_str(&text).decode_utf8_lossy())?))
            }
            Some(Value::String(text)) => Ok(Document(strict(&text)?)),
            Some(document) => Ok(Document(document)),
        }
    }

    pub fn into_json(self) -> Value {
        self.0
    }

    /// The document as it is evaluated.
    pub fn policy(&self) -> Result<Policy, NoCorrection> {
        Ok(Policy::parse(&self.0.to_string())?)
    }

    pub fn statement(&mut self, index: usize) -> Option<Statement<'_>> {
        let statements = member_mut(self.0.as_object_mut()?, "Statement")?;
        let statement = match statements {
            Value::Array(list) => list.get_mut(index)?,
            only if index == 0 => only,
            _ => return None,
        };
        statement.as_object_mut().map(Statement)
    }

    /// Adds a statement behind the others, and says at which place it stands.
    pub fn add(&mut self, statement: Value) -> Option<usize> {
        let document = self.0.as_object_mut()?;
        if member_mut(document, "Statement").is_none() {
            document.insert("Statement".to_owned(), json!([]));
        }
        let statements = member_mut(document, "Statement")?;
        if !statements.is_array() {
            *statements = Value::Array(vec![statements.take()]);
        }
        let list = statements.as_array_mut()?;
        list.push(statement);
        Some(list.len() - 1)
    }
}

/// One statement of a document.
pub struct Statement<'d>(&'d mut Map<String, Value>);

impl Statement<'_> {
    /// Puts `new` in place of `old` among the identity providers of `Principal`.
    pub fn replace_provider(&mut self, old: &str, new: &str) -> Option<()> {
        let federated = self.principal("Federated")?;
        replace(federated, old, new)
    }

    /// Moves an identity provider from another kind of principal, written `KIND:VALUE`, to `Federated`.
    pub fn move_provider(&mut self, written: &str) -> Option<()> {
        let (kind, value) = written.split_once(':')?;
        let principal = member_mut(self.0, "Principal")?.as_object_mut()?;
        let name = name_of(principal, kind)?;
        let mut left = listed(principal.get(&name)?);
        left.retain(|text| text.as_str() != Some(value));
        if left.is_empty() {
            principal.shift_remove(&name);
        } else {
            principal.insert(name, Value::Array(left));
        }
        match self.principal("Federated") {
            Some(federated) => append(federated, value),
            None => {
                let principal = member_mut(self.0, "Principal")?.as_object_mut()?;
                principal.insert("Federated".to_owned(), Value::from(value));
            }
        }
        Some(())
    }

    /// Adds a principal of a kind such as `AWS`.
    pub fn add_principal(&mut self, kind: &str, value: &str) -> Option<()> {
        if let Some(values) = self.principal(kind) {
            append(values, value);
            return Some(());
        }
        member_mut(self.0, "Principal")?.as_object_mut()?.insert(kind.to_owned(), Value::from(value));
        Some(())
    }

    fn principal(&mut self, kind: &str) -> Option<&mut Value> {
        member_mut(member_mut(self.0, "Principal")?.as_object_mut()?, kind)
    }

    /// Lets the statement be about `action` too.
    pub fn add_action(&mut self, action: &str) -> Option<()> {
        append(member_mut(self.0, "Action")?, action);
        Some(())
    }

    /// Puts `new` in place of the action `old`.
    pub fn replace_action(&mut self, old: &str, new: &str) -> Option<()> {
        replace(member_mut(self.0, "Action")?, old, new)
    }

    /// Gives a condition's key another name at its place; where the operator has that key already, the wrong one goes.
    pub fn rename_key(&mut self, operator: &str, old: &str, new: &str) -> Option<()> {
        let keys = member_mut(self.0, "Condition")?.as_object_mut()?.get_mut(operator)?.as_object_mut()?;
        if name_of(keys, new).is_some_and(|name| name != old) {
            keys.shift_remove(old);
            return Some(());
        }
        let renamed = std::mem::take(keys).into_iter();
        *keys = renamed.map(|(key, value)| (if key == old { new.to_owned() } else { key }, value)).collect();
        Some(())
    }

    /// Gives an operator's conditions to another; nothing where that has one of the keys already.
    pub fn rename_operator(&mut self, old: &str, new: &str) -> Option<()> {
        let conditions = member_mut(self.0, "Condition")?.as_object_mut()?;
        let Some(known) = name_of(conditions, new) else {
            let renamed = std::mem::take(conditions).into_iter();
            *conditions =
                renamed.map(|(name, value)| (if name == old { new.to_owned() } else { name }, value)).collect();
            return Some(());
        };
        let Value::Object(moved) = conditions.shift_remove(old)? else { return None };
        let keys = conditions.get_mut(&known)?.as_object_mut()?;
        for (key, value) in moved {
            if name_of(keys, &key).is_some() {
                return None;
            }
            keys.insert(key, value);
        }
        Some(())
    }

    /// Takes a condition out, and what is empty without it.
    pub fn remove_condition(&mut self, operator: &str, key: &str) -> Option<()> {
        let conditions = member_mut(self.0, "Condition")?.as_object_mut()?;
        let keys = conditions.get_mut(operator)?.as_object_mut()?;
        keys.shift_remove(key);
        if keys.is_empty() {
            conditions.shift_remove(operator);
        }
        if conditions.is_empty() {
            self.0.shift_remove("Condition");
        }
        Some(())
    }

    /// Puts `new` in place of the value `old` of a condition, or adds it where `old` is none.
    pub fn set_value(&mut self, operator: &str, key: &str, old: Option<&str>, new: &str) -> Option<()> {
        let value =
            member_mut(self.0, "Condition")?.as_object_mut()?.get_mut(operator)?.as_object_mut()?.get_mut(key)?;
        match old {
            Some(old) => replace(value, old, new),
            None => {
                append(value, new);
                Some(())
            }
        }
    }

    /// Demands that `key` be `value` under `operator`, or lets it be that too where it is asked for already.
    pub fn require(&mut self, operator: &str, key: &str, value: &str) -> Option<()> {
        let conditions = self.0.entry("Condition").or_insert_with(|| json!({})).as_object_mut()?;
        let operator = name_of(conditions, operator).unwrap_or_else(|| operator.to_owned());
        let keys = conditions.entry(operator).or_insert_with(|| json!({})).as_object_mut()?;
        match name_of(keys, key) {
            Some(name) => append(keys.get_mut(&name)?, value),
            None => {
                keys.insert(key.to_owned(), Value::from(value));
            }
        }
        Some(())
    }
}

/// Finds a member as IAM does, whose element names are spelled with or without capital letters.
fn name_of(object: &Map<String, Value>, name: &str) -> Option<String> {
    if object.contains_key(name) {
        return Some(name.to_owned());
    }
    object.keys().find(|key| key.eq_ignore_ascii_case(name)).cloned()
}

fn member_mut<'o>(object: &'o mut Map<String, Value>, name: &str) -> Option<&'o mut Value> {
    let name = name_of(object, name)?;
    object.get_mut(&name)
}

fn listed(value: &Value) -> Vec<Value> {
    match value {
        Value::Array(list) => list.clone(),
        single => vec![single.clone()],
    }
}

fn is_text(value: &Value, text: &str) -> bool {
    match value {
        Value::String(own) => own == text,
        Value::Number(own) => own.to_string() == text,
        Value::Bool(own) => own.to_string() == text,
        Value::Null | Value::Array(_) | Value::Object(_) => false,
    }
}

/// Puts `new` in place of `old`; one that is there already is not repeated.
fn replace(value: &mut Value, old: &str, new: &str) -> Option<()> {
    match value {
        Value::Array(list) => {
            let at = list.iter().position(|own| is_text(own, old))?;
            if list.iter().any(|own| is_text(own, new)) {
                list.remove(at);
            } else {
                *list.get_mut(at)? = Value::from(new);
            }
        }
        single if is_text(single, old) => *single = Value::from(new),
        _ => return None,
    }
    Some(())
}

/// Adds a text to one or several, once.
fn append(value: &mut Value, new: &str) {
    let mut list = listed(value);
    if list.iter().any(|own| is_text(own, new)) {
        return;
    }
    list.push(Value::from(new));
    *value = Value::Array(list);
}

/// JSON in which no object has a member twice.
fn strict(text: &str) -> Result<Value, NoCorrection> {
    serde_json::from_str::<Strict>(text).map(|Strict(value)| value).map_err(|error| {
        let text = error.to_string();
        match text.split_once(REPEATED).and_then(|(_, rest)| rest.rsplit_once(REPEATED)) {
            Some((name, _)) => NoCorrection::Repeated(name.to_owned()),
            None => NoCorrection::Unreadable(text),
        }
    })
}

/// Stands around the name of a member that is repeated, in an error's text: no other error has it.
const REPEATED: char = '\u{1}';

struct Strict(Value);

impl<'de> Deserialize<'de> for Strict {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(StrictVisitor).map(Strict)
    }
}

struct StrictVisitor;

impl<'de> Visitor<'de> for StrictVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }
    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::from(value))
    }
    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::from(value))
    }
    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::from(value))
    }
    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Value::from(value))
    }
    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::from(value))
    }
    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(Strict(item)) = items.next_element()? {
            list.push(item);
        }
        Ok(Value::Array(list))
    }
    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let (mut object, mut seen) = (Map::new(), HashSet::new());
        while let Some((name, Strict(value))) = members.next_entry::<String, Strict>()? {
            if !seen.insert(name.clone()) {
                return Err(de::Error::custom(format_args!("{REPEATED}{name}{REPEATED}")));
            }
            object.insert(name, value);
        }
        Ok(Value::Object(object))
    }
}
