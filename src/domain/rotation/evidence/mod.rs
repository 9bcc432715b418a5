//! The evidence of a rotation: what an auditor reads later. No value and no value's length; fingerprints in the form
//! that [`FiledFingerprint`] decides.

mod canonical;
pub mod check;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use canonical::Node;
pub use canonical::NotCanonical;

use super::judge::Judgement;
use super::snapshot::{Place, RuntimeObservation, Source, StoreSnapshot, Version};
use crate::domain::fingerprint::guess::Guessability;
use crate::domain::fingerprint::keyed::{FiledFingerprint, FiledForm, FingerprintKey};
use crate::domain::fingerprint::{Fingerprint, hex};
use crate::domain::runtime_output::WorkerLine;
use crate::domain::timestamp::{UnixMillis, rfc3339, rfc3339_millis};

/// What one rotation of one secret showed, as a session knows it.
#[derive(Clone, Debug)]
pub struct Rotation<'a> {
    pub profile: &'a str,
    pub guide: &'a str,
    /// `name` or `name#json_key`.
    pub secret: &'a str,
    /// Who wrote the new value: a word such as `by-hand`.
    pub way: String,
    /// RFC 3339 UTC.
    pub started: &'a str,
    pub reader: Option<&'a str>,
    pub operator: Option<&'a str>,
    pub clock_skew_s: Option<i64>,
    pub store_before: Option<&'a StoreSnapshot>,
    pub store_after: Option<&'a StoreSnapshot>,
    /// The version that was written, and when, by the local clock.
    pub written: Option<(&'a str, UnixMillis)>,
    pub runtime_before: Option<&'a RuntimeObservation>,
    pub runtime_after: Option<&'a RuntimeObservation>,
    pub kickoffs: &'a [String],
    pub judgement: &'a Judgement,
    pub propagated_ms: Option<u64>,
    pub rolled_back_to: Option<&'a str>,
}

/// One rotation of one secret, as it stands in a file. Times are RFC 3339 UTC by the local clock, where nothing else is said.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// The program that wrote this, with its version.
    pub tool: String,
    pub written_at: String,
    pub profile: String,
    pub guide: String,
    pub secret: SecretOfRecord,
    pub way: String,
    pub started: String,
    /// As whom the store was read: an ARN, or an application's id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reader: Option<String>,
    /// As whom it was written, where this program wrote it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operator: Option<String>,
    /// The store's clock minus the local one, in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clock_skew_s: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub store_before: Option<StoreOfRecord>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rotated: Option<RotatedOfRecord>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub store_after: Option<StoreOfRecord>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub runtime_before: Option<RuntimeOfRecord>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub runtime_after: Option<RuntimeOfRecord>,
    /// Every kickoff of the session, in their order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub kickoffs: Vec<String>,
    #[serde(flatten)]
    pub judgement: Judgement,
    /// Milliseconds from the write to the first sight at the runtime.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub propagated_ms: Option<u64>,
    /// The version that was made current again afterwards.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rolled_back_to: Option<String>,
    /// Whether a fingerprint in here is the bare hash of a value, which is hard to guess then.
    pub holds_bare_fingerprints: bool,
}

/// Which secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SecretOfRecord {
    /// `name` or `name#json_key`.
    pub reference: String,
    /// The store's full name: an ARN, or a vault's identifier.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    #[serde(flatten, default, skip_serializing_if = "Option::is_none")]
    pub place: Option<Place>,
}

/// The new version.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RotatedOfRecord {
    pub version: String,
    pub at: String,
}

/// A store's versions at one moment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoreOfRecord {
    pub at: String,
    /// The version handed out by default.
    pub current: String,
    pub versions: Vec<VersionOfRecord>,
    /// What could not be seen, and why.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unseen: Vec<String>,
}

/// One version.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct VersionOfRecord {
    pub id: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub stages: Vec<String>,
    pub enabled: bool,
    /// By the store's clock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_at: Option<String>,
    #[serde(flatten, default, skip_serializing_if = "Option::is_none")]
    pub fingerprint: Option<FiledFingerprint>,
}

/// One look at the running automation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RuntimeOfRecord {
    pub began: String,
    pub at: String,
    #[serde(flatten)]
    pub source: Source,
    /// Whether the automation ended in an error of its own.
    pub failed: bool,
    /// What its output told, in the order it was told.
    pub fingerprints: Vec<FiledFingerprint>,
    /// Variables that are not set there.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unset: Vec<String>,
    /// What its worker says it resolved.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub resolved: Vec<WorkerLine>,
}

impl Record {
    /// The record of a rotation, written `now` by `tool`.
    pub fn of(rotation: &Rotation<'_>, key: &FingerprintKey, tool: &str, now: UnixMillis) -> Self {
        let filer = Filer::new(rotation, key);
        let snapshot = rotation.store_after.or(rotation.store_before);
        let mut record = Record {
            tool: tool.to_owned(),
            written_at: time(now),
            profile: rotation.profile.to_owned(),
            guide: rotation.guide.to_owned(),
            secret: SecretOfRecord {
                reference: rotation.secret.to_owned(),
                id: snapshot.and_then(|snapshot| snapshot.secret_id.clone()),
                place: snapshot.map(|snapshot| snapshot.place.clone()),
            },
            way: rotation.way.clone(),
            started: rotation.started.to_owned(),
            reader: rotation.reader.map(str::to_owned),
            operator: rotation.operator.map(str::to_owned),
            clock_skew_s: rotation.clock_skew_s,
            store_before: rotation.store_before.map(|snapshot| filer.store(snapshot)),
            rotated: rotation
                .written
                .map(|(version, at)| RotatedOfRecord { version: version.to_owned(), at: time(at) }),
            store_after: rotation.store_after.map(|snapshot| filer.store(snapshot)),
            runtime_before: rotation.runtime_before.map(|sighting| filer.runtime(sighting)),
            runtime_after: rotation.runtime_after.map(|sighting| filer.runtime(sighting)),
            kickoffs: rotation.kickoffs.to_vec(),
            judgement: rotation.judgement.clone(),
            propagated_ms: rotation.propagated_ms,
            rolled_back_to: rotation.rolled_back_to.map(str::to_owned),
            holds_bare_fingerprints: false,
        };
        let holds_bare = record.fingerprints().any(|f| matches!(f.fingerprint, FiledForm::Bare(_)));
        record.holds_bare_fingerprints = holds_bare;
        record
    }

    /// Every fingerprint in it.
    pub fn fingerprints(&self) -> impl Iterator<Item = &FiledFingerprint> {
        let stores = [&self.store_before, &self.store_after].into_iter().flatten();
        let runtimes = [&self.runtime_before, &self.runtime_after].into_iter().flatten();
        let versions = stores.flat_map(|store| &store.versions).filter_map(|version| version.fingerprint.as_ref());
        versions.chain(runtimes.flat_map(|runtime| &runtime.fingerprints))
    }
}

/// What a secret's keyed fingerprints are made with: where its store is, and its name.
pub fn filing_reference(location: &str, secret: &str) -> String {
    format!("{location} {secret}")
}

/// Brings fingerprints of one secret into the form that goes to files.
struct Filer<'a> {
    key: &'a FingerprintKey,
    reference: String,
    versions: Vec<&'a Version>,
}

impl<'a> Filer<'a> {
    fn new(rotation: &Rotation<'a>, key: &'a FingerprintKey) -> Self {
        let snapshots = [rotation.store_before, rotation.store_after].into_iter().flatten();
        let location = snapshots.clone().next().map_or("", |snapshot| snapshot.place.location.as_str());
        Filer {
            key,
            reference: filing_reference(location, rotation.secret),
            versions: snapshots.flat_map(|snapshot| &snapshot.versions).collect(),
        }
    }

    fn store(&self, snapshot: &StoreSnapshot) -> StoreOfRecord {
        let versions = snapshot.versions.iter().map(|version| VersionOfRecord {
            id: version.id.clone(),
            stages: version.stages.clone(),
            enabled: version.enabled,
            created_at: version.created_at.and_then(rfc3339),
            fingerprint: version.fingerprint.as_ref().map(|fingerprint| self.filed(fingerprint)),
        });
        StoreOfRecord {
            at: time(snapshot.at),
            current: snapshot.current.clone(),
            versions: versions.collect(),
            unseen: snapshot.unseen.clone(),
        }
    }

    fn runtime(&self, sighting: &RuntimeObservation) -> RuntimeOfRecord {
        RuntimeOfRecord {
            began: time(sighting.began),
            at: time(sighting.at),
            source: sighting.source.clone(),
            failed: sighting.failed,
            fingerprints: sighting.output.fingerprints.iter().map(|fingerprint| self.filed(fingerprint)).collect(),
            unset: sighting.output.unset.clone(),
            resolved: sighting.output.resolved.clone(),
        }
    }

    fn filed(&self, fingerprint: &Fingerprint) -> FiledFingerprint {
        FiledFingerprint::of(self.key, &self.reference, fingerprint, self.guessability(fingerprint))
    }

    /// Of the value that has this fingerprint; none where it was not read. A variant of a value may be easier to guess
    /// than the value: one field of a document, for example.
    fn guessability(&self, fingerprint: &Fingerprint) -> Option<Guessability> {
        self.versions.iter().find(|version| version.fingerprint.as_ref() == Some(fingerprint))?.guessability
    }
}

fn time(millis: UnixMillis) -> String {
    rfc3339_millis(millis).unwrap_or_default()
}

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

/// Where a chain goes on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChainEnd {
    pub chain: String,
    pub head: Head,
}

impl ChainEnd {
    /// The beginning of a chain that is named by random bytes.
    pub fn new(name: [u8; NAME_BYTES]) -> Self {
        ChainEnd { chain: hex(&name, NAME_BYTES * 2), head: Head { records: 0, hash: String::new() } }
    }

    /// The record as the chain's next.
    ///
    /// # Errors
    /// The record cannot be written; never for what [`Record::of`] makes.
    pub fn link(&mut self, record: &Record) -> Result<Map<String, Value>, NotCanonical> {
        let place = self.head.records + 1;
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
        self.head = Head { records: place, hash };
        Ok(linked)
    }
}

impl Document {
    /// A document without records.
    pub fn new(begin: ChainEnd) -> Self {
        Document { schema: SCHEMA.to_owned(), chain: begin.chain, records: Vec::new(), head: begin.head }
    }

    /// Adds a record at the end.
    ///
    /// # Errors
    /// As [`ChainEnd::link`].
    pub fn append(&mut self, record: &Record) -> Result<(), NotCanonical> {
        let mut end = ChainEnd { chain: self.chain.clone(), head: self.head.clone() };
        self.records.push(end.link(record)?);
        self.head = end.head;
        Ok(())
    }

    /// Its text in a file, in lines.
    ///
    /// # Errors
    /// Never for a document that was read or made here.
    pub fn to_text(&self) -> serde_json::Result<String> {
        Ok(serde_json::to_string_pretty(self)? + "\n")
    }
}

/// What follows the last record in a document's text. A chain that goes on keeps what stands before.
pub fn text_behind(head: &Head) -> String {
    let Head { records, hash } = head;
    format!("\n  ],\n  \"head\": {{\n    \"records\": {records},\n    \"hash\": \"{hash}\"\n  }}\n}}\n")
}

/// What a document's text goes on with: more records, and all that is behind them.
///
/// # Errors
/// Never for what [`ChainEnd::link`] makes.
pub fn text_going_on(records: &[Map<String, Value>], head: &Head) -> serde_json::Result<String> {
    let mut text = String::new();
    for record in records {
        text.push_str(",\n    ");
        text.push_str(&serde_json::to_string_pretty(record)?.replace('\n', "\n    "));
    }
    Ok(text + &text_behind(head))
}

/// The hash of a record: of all that it holds, but its `hash`.
///
/// # Errors
/// A number in it is not whole.
pub fn hash_of(record: &Map<String, Value>) -> Result<String, NotCanonical> {
    let hashed = record.iter().filter(|(name, _)| *name != "hash");
    Node::object(hashed.map(|(name, value)| (name.as_str().into(), value.into())).collect()).hash()
}

fn fields(part: &impl Serialize) -> Result<Map<String, Value>, NotCanonical> {
    match serde_json::to_value(part) {
        Ok(Value::Object(fields)) => Ok(fields),
        _ => Err(NotCanonical),
    }
}

#[cfg(test)]
mod tests;
