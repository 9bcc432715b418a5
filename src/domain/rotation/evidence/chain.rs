//! Records in a chain: each holds the hash of the one before it, so that none can be changed, left out or moved without
//! the rest showing it.
//!
//! A document is `{ schema, chain, records, head }`. A record is [`Record`]'s fields and, of the chain:
//!
//! - `chain`: the document's random name, 32 hex digits
//! - `sequence`: its place, from 1
//! - `previous`: the `hash` of the record before it; `null` in the first
//! - `hash`: `sha256:` and the SHA-256, in hex, of the record's canonical text (RFC 8785) without `hash`
//!
//! `head` holds how many records there are and the `hash` of the last, so that a shorter document shows too. Whoever can
//! write the document can also make all of it anew; who wants to exclude that keeps the head's hash elsewhere, in a ticket
//! for example.
//!
//! Hashes are made of one form of a JSON text: RFC 8785 (JSON Canonicalization Scheme), for documents whose numbers are whole.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::Record;
use crate::domain::fingerprint::hex;

/// The schema's name.
pub const SCHEMA: &str = "trustline.evidence/1";
/// How many random bytes name a chain.
pub const NAME_BYTES: usize = 16;

/// A document of evidence. Its records are kept as they were read, whatever a later version adds to them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Document {
    pub schema: String,
    pub chain: String,
    pub records: Vec<Map<String, Value>>,
    pub head: Head,
}

/// The end of a chain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Head {
    pub records: usize,
    pub hash: String,
}

/// What of a record is the chain's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Link {
    pub chain: String,
    pub sequence: u64,
    pub previous: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hash: Option<String>,
}

impl Document {
    /// A document without records, named by random bytes.
    pub fn new(name: [u8; NAME_BYTES]) -> Self {
        Document {
            schema: SCHEMA.to_owned(),
            chain: hex(&name, NAME_BYTES * 2),
            records: Vec::new(),
            head: Head { records: 0, hash: String::new() },
        }
    }

    /// Adds a record at the end.
    ///
    /// # Errors
    /// The record cannot be written; never for what [`Record::of`] makes.
    pub fn append(&mut self, record: &Record) -> Result<(), NotCanonical> {
        let place = self.records.len() + 1;
        let mut link = Link {
            chain: self.chain.clone(),
            sequence: u64::try_from(place).unwrap_or(u64::MAX),
            previous: (place > 1).then(|| self.head.hash.clone()),
            hash: None,
        };
        let mut linked = fields(&link)?;
        linked.extend(fields(record)?);
        let hash = hash_of(&linked)?;
        link.hash = Some(hash.clone());
        linked.extend(fields(&link)?);
        self.records.push(linked);
        self.head = Head { records: place, hash };
        Ok(())
    }
}

/// The hash of a record: of all that it holds, but its `hash`.
///
/// # Errors
/// A number in it is not whole.
pub fn hash_of(record: &Map<String, Value>) -> Result<String, NotCanonical> {
    let mut hashed = record.clone();
    hashed.shift_remove("hash");
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, canonical(&hashed)?.as_bytes());
    Ok(format!("sha256:{}", hex(digest.as_ref(), 64)))
}

fn fields(part: &impl Serialize) -> Result<Map<String, Value>, NotCanonical> {
    match serde_json::to_value(part) {
        Ok(Value::Object(fields)) => Ok(fields),
        _ => Err(NotCanonical),
    }
}

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
mod canonical_tests {
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
