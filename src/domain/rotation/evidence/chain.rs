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

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::Record;
use super::canonical::{NotCanonical, canonical};
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
