//! The one form of a JSON text that hashes are made of: RFC 8785 (JSON Canonicalization Scheme), for documents whose
//! numbers are whole.

use serde_json::{Map, Value};

/// A document has no such form here: it has a number with a fraction, or one that is too large.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a number in it is not a whole one")]
pub struct NotCanonical;

/// The canonical text: keys in the order of their UTF-16 units, no white space, the shortest escapes.
///
/// # Errors
/// A number is not whole.
pub fn canonical(document: &Map<String, Value>) -> Result<String, NotCanonical> {
    let mut text = String::new();
    object(document, &mut text)?;
    Ok(text)
}

fn object(fields: &Map<String, Value>, text: &mut String) -> Result<(), NotCanonical> {
    let mut sorted: Vec<(&String, &Value)> = fields.iter().collect();
    sorted.sort_by(|(a, _), (b, _)| a.encode_utf16().cmp(b.encode_utf16()));
    text.push('{');
    for (at, (key, value)) in sorted.into_iter().enumerate() {
        if at > 0 {
            text.push(',');
        }
        // `serde_json` escapes as RFC 8785 section 3.2.2.2 asks for: `\"`, `\\`, the five short ones, else `\u00xx`.
        text.push_str(&Value::from(key.as_str()).to_string());
        text.push(':');
        write(value, text)?;
    }
    text.push('}');
    Ok(())
}

fn write(value: &Value, text: &mut String) -> Result<(), NotCanonical> {
    match value {
        Value::Number(number) if number.is_f64() => return Err(NotCanonical),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => text.push_str(&value.to_string()),
        Value::Object(fields) => object(fields, text)?,
        Value::Array(items) => {
            text.push('[');
            for (at, item) in items.iter().enumerate() {
                if at > 0 {
                    text.push(',');
                }
                write(item, text)?;
            }
            text.push(']');
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn of(value: Value) -> Result<String, NotCanonical> {
        canonical(value.as_object().unwrap())
    }

    #[test]
    fn as_rfc_8785_shows() {
        // Section 3.2.3: the order is that of UTF-16 units.
        let sorted = json!({"\u{20ac}": 1, "\r": 2, "\u{fb33}": 3, "1": 4, "\u{1f600}": 5, "\u{80}": 6, "\u{f6}": 7});
        let expected = "{\"\\r\":2,\"1\":4,\"\u{80}\":6,\"\u{f6}\":7,\"\u{20ac}\":1,\"\u{1f600}\":5,\"\u{fb33}\":3}";
        assert_eq!(of(sorted).unwrap(), expected);
        // Section 3.2.2.2: escapes.
        let escaped = json!({"string": "\u{20ac}$\u{f}\nA'B\"\\\\\"/", "literals": [null, true, false]});
        let expected = "{\"literals\":[null,true,false],\"string\":\"\u{20ac}$\\u000f\\nA'B\\\"\\\\\\\\\\\"/\"}";
        assert_eq!(of(escaped).unwrap(), expected);
        assert_eq!(of(json!({"n": 1.5})), Err(NotCanonical));
    }

    proptest! {
        #[test]
        fn the_order_of_keys_does_not_matter(fields in proptest::collection::btree_map("\\PC{0,4}", any::<i64>(), 0..8)) {
            let forth: Map<String, Value> = fields.iter().map(|(k, v)| (k.clone(), (*v).into())).collect();
            let back: Map<String, Value> = fields.iter().rev().map(|(k, v)| (k.clone(), (*v).into())).collect();
            let text = canonical(&forth).unwrap();
            prop_assert_eq!(&text, &canonical(&back).unwrap());
            prop_assert_eq!(serde_json::from_str::<Map<String, Value>>(&text).unwrap(), forth);
        }
    }
}
