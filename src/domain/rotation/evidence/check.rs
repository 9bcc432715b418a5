//! Whether a chain of evidence is whole, and where it is not, what was done to it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, Error as _};

use super::canonical::{Member, Node};
use super::{ChainEnd, Document, Head, Link, SCHEMA};

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

/// What a document tells of its chain. Its records are not held, only what makes them parts of it.
#[derive(Debug)]
pub struct Chain {
    pub end: ChainEnd,
    parts: Vec<Part>,
}

/// A document as it is read. No hash covers what stands beside the records, so that nothing may.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Outline {
    schema: String,
    chain: String,
    records: Vec<Part>,
    head: Head,
}

/// What the chain needs of one record.
#[derive(Debug)]
struct Part {
    link: Option<Link>,
    sequence: Option<u64>,
    /// Whether its hash is the one it names.
    is_as_written: bool,
}

/// Reads the text of a document.
///
/// # Errors
/// It is none.
pub fn read(text: &str) -> Result<Chain, Break> {
    let outline = serde_json::from_str::<Outline>(text).map_err(|error| no_document(text, &error))?;
    if outline.schema != SCHEMA {
        return Err(Break::OtherSchema { schema: outline.schema });
    }
    let end = ChainEnd { chain: outline.chain, head: outline.head };
    Ok(Chain { end, parts: outline.records })
}

/// Reads the text of a document with its records.
///
/// # Errors
/// It is none.
pub fn parse(text: &str) -> Result<Document, Break> {
    read(text)?;
    serde_json::from_str(text).map_err(|error| no_document(text, &error))
}

fn no_document(text: &str, error: &serde_json::Error) -> Break {
    #[derive(Deserialize)]
    struct Named {
        schema: Option<String>,
    }
    let not_json = |error: &serde_json::Error| Break::NotJson { cut_off: error.is_eof(), detail: error.to_string() };
    if !error.is_data() {
        return not_json(error);
    }
    match serde_json::from_str::<Named>(text) {
        Err(error) if !error.is_data() => not_json(&error),
        Ok(Named { schema: Some(schema) }) if schema != SCHEMA => Break::OtherSchema { schema },
        Ok(Named { schema: None }) => Break::NotEvidence { detail: "it has no `schema`".to_owned() },
        _ => Break::NotEvidence { detail: error.to_string() },
    }
}

impl<'de> Deserialize<'de> for Part {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Node::deserialize(deserializer)? {
            Node::Object(members) => Ok(Part::of(members)),
            _ => Err(D::Error::custom("a record that is no object")),
        }
    }
}

impl Part {
    fn of(members: Vec<Member<'_>>) -> Part {
        let mut hash = None;
        let mut hashed = Vec::with_capacity(members.len());
        for (name, value) in members {
            if name == "hash" { hash = Some(value) } else { hashed.push((name, value)) }
        }
        let member = |wanted: &str| hashed.iter().find(|(name, _)| name == wanted).map(|(_, value)| value);
        let sequence = member("sequence").and_then(Node::number);
        let link = || {
            Some(Link {
                chain: member("chain")?.text()?.to_owned(),
                sequence: sequence?,
                previous: match member("previous") {
                    None | Some(Node::Null) => None,
                    Some(previous) => Some(previous.text()?.to_owned()),
                },
                hash: Some(hash.as_ref()?.text()?.to_owned()),
            })
        };
        let link = link();
        let is_as_written = link.as_ref().is_some_and(|link| link.hash == Node::Object(hashed).hash().ok());
        Part { link, sequence, is_as_written }
    }
}

impl Chain {
    /// How many records the document holds.
    pub fn records(&self) -> usize {
        self.parts.len()
    }

    /// Whether one of its records names this hash.
    pub fn has_hash(&self, hash: &str) -> bool {
        self.parts.iter().filter_map(|part| part.link.as_ref()).any(|link| link.hash.as_deref() == Some(hash))
    }

    /// Everything that is wrong with it; nothing where it is whole.
    pub fn breaks(&self) -> Vec<Break> {
        let mut breaks = Vec::new();
        if self.parts.is_empty() && self.end.head.records == 0 {
            breaks.push(Break::NoRecords);
        }
        let mut links = Vec::with_capacity(self.parts.len());
        for (part, at) in self.parts.iter().zip(1..) {
            let Some(link) = &part.link else {
                breaks.push(Break::NotALink { at });
                continue;
            };
            links.push((at, link));
            if !part.is_as_written {
                breaks.push(Break::Changed { at });
            } else if link.chain != self.end.chain {
                breaks.push(Break::Foreign { at });
            }
        }
        breaks.extend(order(&links, &self.end.chain));
        breaks.extend(self.end_break(links.last().map(|(_, link)| *link)));
        breaks
    }

    /// What is wrong at the end.
    fn end_break(&self, last: Option<&Link>) -> Option<Break> {
        let (held, head) = (self.parts.len(), &self.end.head);
        let highest = self.parts.iter().filter_map(|part| part.sequence).max().unwrap_or(0);
        let counted = u64::try_from(head.records).unwrap_or(u64::MAX);
        if highest < counted {
            let missing = usize::try_from(counted - highest).unwrap_or(usize::MAX);
            Some(Break::CutOff { missing })
        } else if highest > counted {
            Some(Break::Added { more: held.saturating_sub(head.records).max(1) })
        } else if held > 0 && last.and_then(|link| link.hash.as_ref()) != Some(&head.hash) {
            Some(Break::OtherHead)
        } else {
            None
        }
    }
}

/// What is wrong with how the records follow each other.
fn order(links: &[(usize, &Link)], chain: &str) -> Vec<Break> {
    let own = links.iter().filter(|(_, link)| link.chain == chain);
    let numbers: BTreeSet<u64> = own.clone().map(|(_, link)| link.sequence).collect();
    let mut breaks = Vec::new();
    let mut before: Option<&Link> = None;
    let mut seen: BTreeMap<u64, usize> = BTreeMap::new();
    for (at, link) in own {
        let expected = before.map_or(1, |before| before.sequence.saturating_add(1));
        let missing = |from: u64| (from < link.sequence).then(|| (from, link.sequence - 1));
        // The numbers right before this one that are nowhere in the document.
        let gap = missing(numbers.range(..link.sequence).next_back().map_or(1, |last| last.saturating_add(1)));
        if let Some(first) = seen.get(&link.sequence) {
            breaks.push(Break::Repeated { at: *at, first: *first });
            continue;
        }
        seen.insert(link.sequence, *at);
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
