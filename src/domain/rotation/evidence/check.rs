//! Whether a chain of evidence is whole, and where it is not, what was done to it.

use std::collections::BTreeSet;
use std::fmt;

use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

use super::{Document, Link, SCHEMA, hash_of};

/// One way in which a chain is broken. Records are counted from 1, as they stand in the document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Break {
    /// The text is not JSON; it ends in the middle where `cut_off` is set.
    NotJson {
        cut_off: bool,
        detail: String,
    },
    /// It is JSON, and no document of evidence.
    NotEvidence {
        detail: String,
    },
    OtherSchema {
        schema: String,
    },
    NoRecords,
    /// A record lacks what makes it a part of a chain.
    NotALink {
        at: usize,
    },
    /// A record is not what its hash was made of.
    Changed {
        at: usize,
    },
    /// A record is of another chain.
    Foreign {
        at: usize,
    },
    /// A record stands there once more.
    Repeated {
        at: usize,
        first: usize,
    },
    /// Records are missing before this one: from this place in the chain to that.
    Removed {
        at: usize,
        from: u64,
        to: u64,
    },
    /// A record stands before one that it follows.
    Moved {
        at: usize,
        sequence: u64,
    },
    /// A record does not follow the one before it: one of the two was replaced.
    Unlinked {
        at: usize,
    },
    /// Records are missing at the end.
    CutOff {
        missing: usize,
    },
    /// There are more records than the head knows of.
    Added {
        more: usize,
    },
    /// The head names another last record.
    OtherHead,
}

impl fmt::Display for Break {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Break::NotJson { cut_off: true, .. } => {
                f.write_str("the file ends in the middle of the document: its end is missing")
            }
            Break::NotJson { cut_off: false, detail } => write!(f, "the file is not JSON: {detail}"),
            Break::NotEvidence { detail } => write!(f, "the file is no evidence of rotations: {detail}"),
            Break::OtherSchema { schema } => {
                write!(f, "the document is of the schema `{schema}`, and this version reads `{SCHEMA}`")
            }
            Break::NoRecords => f.write_str("the document holds no record"),
            Break::NotALink { at } => {
                write!(f, "record {at} has no `chain`, `sequence`, `previous` and `hash` as records have")
            }
            Break::Changed { at } => write!(f, "record {at} was changed after it was written: its hash is another's"),
            Break::Foreign { at } => write!(f, "record {at} is of another chain: it was brought in from elsewhere"),
            Break::Repeated { at, first } => write!(f, "record {at} is record {first} once more"),
            Break::Removed { at, from, to } if from == to => {
                write!(f, "before record {at}, the chain's number {from} is missing: a record was removed")
            }
            Break::Removed { at, from, to } => {
                write!(f, "before record {at}, the chain's numbers {from} to {to} are missing: records were removed")
            }
            Break::Moved { at, sequence } => {
                write!(f, "record {at} is the chain's number {sequence}: the records are in another order than written")
            }
            Break::Unlinked { at } => {
                write!(f, "record {at} does not follow the one before it: one of the two was replaced by another")
            }
            Break::CutOff { missing: 1 } => f.write_str("the last record is missing: the head counts one more"),
            Break::CutOff { missing } => write!(f, "the last {missing} records are missing: the head counts them"),
            Break::Added { more } => write!(f, "the document holds {more} more than its head counts"),
            Break::OtherHead => {
                f.write_str("the last record is not the one whose hash the head names: it was replaced")
            }
        }
    }
}

/// Reads a document.
///
/// # Errors
/// The text is none.
pub fn parse(text: &str) -> Result<Document, Break> {
    let value: Value = serde_json::from_str(text)
        .map_err(|error| Break::NotJson { cut_off: error.is_eof(), detail: error.to_string() })?;
    match value.get("schema").and_then(Value::as_str) {
        Some(SCHEMA) => {}
        Some(schema) => return Err(Break::OtherSchema { schema: schema.to_owned() }),
        None => return Err(Break::NotEvidence { detail: "it has no `schema`".to_owned() }),
    }
    // From the text: a value has lost what stood there twice, and no hash covers what stands beside the records.
    serde_json::from_str::<Distinct>(text)
        .and_then(|Distinct| serde_json::from_str(text))
        .map_err(|error| Break::NotEvidence { detail: error.to_string() })
}

/// JSON in which no object names a member twice: readers differ in which of the two they take.
struct Distinct;

impl<'de> Deserialize<'de> for Distinct {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Distinct)
    }
}

impl<'de> Visitor<'de> for Distinct {
    type Value = Distinct;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Distinct, A::Error> {
        let mut names = BTreeSet::new();
        while let Some(name) = map.next_key::<String>()? {
            map.next_value::<Distinct>()?;
            if names.contains(&name) {
                return Err(A::Error::custom(format_args!("`{name}` occurs twice")));
            }
            names.insert(name);
        }
        Ok(Distinct)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Distinct, A::Error> {
        while list.next_element::<Distinct>()?.is_some() {}
        Ok(Distinct)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Distinct, E> {
        Ok(Distinct)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Distinct, E> {
        Ok(Distinct)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Distinct, E> {
        Ok(Distinct)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Distinct, E> {
        Ok(Distinct)
    }

    fn visit_str<E>(self, _: &str) -> Result<Distinct, E> {
        Ok(Distinct)
    }

    fn visit_unit<E>(self) -> Result<Distinct, E> {
        Ok(Distinct)
    }
}

/// Everything that is wrong with a chain; nothing where it is whole.
pub fn check(document: &Document) -> Vec<Break> {
    let mut breaks = Vec::new();
    if document.records.is_empty() && document.head.records == 0 {
        breaks.push(Break::NoRecords);
    }
    let links: Vec<(usize, Link)> = document
        .records
        .iter()
        .zip(1..)
        .filter_map(|(record, at)| {
            let link = link(record);
            match &link {
                None => breaks.push(Break::NotALink { at }),
                Some(link) if link.hash != hash_of(record).ok() => breaks.push(Break::Changed { at }),
                Some(link) if link.chain != document.chain => breaks.push(Break::Foreign { at }),
                Some(_) => {}
            }
            link.map(|link| (at, link))
        })
        .collect();
    breaks.extend(order(&links, &document.chain));
    breaks.extend(end(document, links.last()));
    breaks
}

fn link(record: &Map<String, Value>) -> Option<Link> {
    let link: Link = serde_json::from_value(Value::Object(record.clone())).ok()?;
    link.hash.is_some().then_some(link)
}

/// What is wrong with how the records follow each other.
fn order(links: &[(usize, Link)], chain: &str) -> Vec<Break> {
    let own = links.iter().filter(|(_, link)| link.chain == chain);
    let numbers: BTreeSet<u64> = own.clone().map(|(_, link)| link.sequence).collect();
    let mut breaks = Vec::new();
    let mut before: Option<&Link> = None;
    let mut seen: Vec<(u64, usize)> = Vec::new();
    for (at, link) in own {
        let expected = before.map_or(1, |before| before.sequence.saturating_add(1));
        let missing = |from: u64| (from < link.sequence).then(|| (from, link.sequence - 1));
        // The numbers right before this one that are nowhere in the document.
        let gap = missing(numbers.range(..link.sequence).next_back().map_or(1, |last| last.saturating_add(1)));
        let first = seen.iter().find(|(sequence, _)| *sequence == link.sequence);
        if let Some((_, first)) = first {
            breaks.push(Break::Repeated { at: *at, first: *first });
            continue;
        }
        seen.push((link.sequence, *at));
        if let Some((from, to)) = gap {
            breaks.push(Break::Removed { at: *at, from, to });
        } else if link.sequence != expected {
            breaks.push(Break::Moved { at: *at, sequence: link.sequence });
        } else if link.previous.as_ref() != before.and_then(|before| before.hash.as_ref()) {
            breaks.push(Break::Unlinked { at: *at });
        }
        before = Some(link);
    }
    breaks
}

/// What is wrong at the end.
fn end(document: &Document, last: Option<&(usize, Link)>) -> Option<Break> {
    let (held, counted) = (document.records.len(), document.head.records);
    let highest = document.records.iter().filter_map(|record| record.get("sequence")?.as_u64()).max().unwrap_or(0);
    let hash = last.and_then(|(_, link)| link.hash.as_ref());
    let counted_number = u64::try_from(counted).unwrap_or(u64::MAX);
    if highest < counted_number {
        let missing = usize::try_from(counted_number - highest).unwrap_or(usize::MAX);
        Some(Break::CutOff { missing })
    } else if highest > counted_number {
        Some(Break::Added { more: held.saturating_sub(counted).max(1) })
    } else if held > 0 && hash != Some(&document.head.hash) {
        Some(Break::OtherHead)
    } else {
        None
    }
}
