//! A secret's value on its short way to a fingerprint: it is hashed and wiped here, and goes nowhere else.

use serde_json::Value;
use zeroize::Zeroizing;

use crate::check::facts::secret::{FieldState, SelectedField, ValueForm};
use crate::domain::fingerprint::Fingerprint;
use crate::domain::nearest::nearest;

/// A value as a store gave it; wiped when dropped.
pub struct SecretValue {
    bytes: Zeroizing<Vec<u8>>,
    form: ValueForm,
}

/// What is left of a value.
pub struct Reduced {
    pub form: ValueForm,
    /// Of the selected field where it is there, else of the whole value.
    pub fingerprint: Fingerprint,
    pub field: Option<SelectedField>,
}

impl SecretValue {
    /// Takes over a text.
    pub fn text(value: String) -> Self {
        SecretValue { bytes: Zeroizing::new(value.into_bytes()), form: ValueForm::Text }
    }

    /// Takes over bytes.
    pub fn binary(value: Vec<u8>) -> Self {
        SecretValue { bytes: Zeroizing::new(value), form: ValueForm::Binary }
    }

    /// Reduces the value to what may be shown, and wipes it.
    pub fn reduce(self, json_key: Option<&str>) -> Reduced {
        let whole = Fingerprint::of(&self.bytes);
        let Some(key) = json_key else {
            return Reduced { form: self.form, fingerprint: whole, field: None };
        };
        let (state, fingerprint) = match serde_json::from_slice::<Value>(&self.bytes) {
            Err(_) => (FieldState::NotJson, None),
            Ok(mut value) => {
                let selected = select(&value, key);
                wipe(&mut value);
                selected
            }
        };
        Reduced {
            form: self.form,
            fingerprint: fingerprint.unwrap_or(whole),
            field: Some(SelectedField { json_key: key.to_owned(), state }),
        }
    }
}

fn select(value: &Value, key: &str) -> (FieldState, Option<Fingerprint>) {
    let Value::Object(fields) = value else {
        return (FieldState::NotAnObject, None);
    };
    match fields.get(key) {
        Some(Value::String(text)) => (FieldState::Found, Some(Fingerprint::of(text.as_bytes()))),
        Some(other) => (FieldState::NotText { kind: kind(other) }, None),
        None => {
            let nearest = nearest(key, fields.keys().map(String::as_str)).map(str::to_owned);
            (FieldState::Missing { nearest }, None)
        }
    }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}

/// Overwrites every text in a parsed value; numbers and booleans are not held on the heap.
fn wipe(value: &mut Value) {
    match value {
        Value::String(text) => drop(Zeroizing::new(std::mem::take(text))),
        Value::Array(items) => items.iter_mut().for_each(wipe),
        Value::Object(fields) => fields.values_mut().for_each(wipe),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field(value: &str, key: &str) -> (FieldState, String) {
        let reduced = SecretValue::text(value.to_owned()).reduce(Some(key));
        (reduced.field.unwrap().state, reduced.fingerprint.as_str().to_owned())
    }

    #[test]
    fn a_field_is_selected_or_its_absence_explained() {
        let of = |v: &str| Fingerprint::of(v.as_bytes()).as_str().to_owned();
        assert_eq!(field(r#"{"k":"v"}"#, "k"), (FieldState::Found, of("v")));
        let whole = r#"{"key":"v","n":1}"#;
        assert_eq!(field(whole, "Key"), (FieldState::Missing { nearest: Some("key".into()) }, of(whole)));
        assert_eq!(field(whole, "n"), (FieldState::NotText { kind: "a number" }, of(whole)));
        assert_eq!(field("[1]", "k"), (FieldState::NotAnObject, of("[1]")));
        assert_eq!(field("plain", "k"), (FieldState::NotJson, of("plain")));
    }
}
