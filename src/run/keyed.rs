//! The fingerprints of guessable values in a run's events: keyed, since a bare one lets anybody who reads a log try
//! guesses. The key is made for the run and forgotten with it.

use aws_lc_rs::rand;
use secrecy::SecretBox;
use serde_json::{Map, Value, json};

use super::event::EventKind;
use crate::domain::fingerprint::Fingerprint;
use crate::domain::fingerprint::keyed::{FiledFingerprint, FingerprintKey, KEY_BYTES};

/// What stands for a fingerprint where the system gives no random bytes for a key.
const WITHHELD: &str = "withheld (no random bytes for a key)";

/// Replaces fingerprints of guessable values in the events of one run, wherever they stand in a text.
pub(super) struct KeyedFingerprints {
    key: Option<FingerprintKey>,
    /// Bare fingerprints met so far, and what stands for them.
    replacements: Vec<(String, String)>,
}

impl KeyedFingerprints {
    pub(super) fn new() -> Self {
        let mut bytes = Box::new([0; KEY_BYTES]);
        let filled = rand::fill(bytes.as_mut_slice());
        let key = filled.ok().map(|()| FingerprintKey::new(SecretBox::new(bytes)));
        KeyedFingerprints { key, replacements: Vec::new() }
    }

    /// The event as everybody may read it.
    pub(super) fn apply(&mut self, kind: EventKind) -> EventKind {
        let reason = match &kind {
            EventKind::Finished(finished) => self.take_note_of(&finished.facts),
            _ => None,
        };
        if self.replacements.is_empty() {
            return kind;
        }
        let Ok(mut document) = serde_json::to_value(&kind) else { return kind };
        if let (Some(reason), Some(facts)) = (reason, document.get_mut("facts").and_then(Value::as_object_mut)) {
            facts.insert("keyed_because".to_owned(), reason);
        }
        replace_each(&mut document, &self.replacements);
        serde_json::from_value(document).unwrap_or(kind)
    }

    /// Notes the keyed form of a fingerprint among a check's facts, where its value can be guessed; yields why it can.
    fn take_note_of(&mut self, facts: &Map<String, Value>) -> Option<Value> {
        let bare = Fingerprint::parse(facts.get("fingerprint")?.as_str()?).ok()?;
        let guessability = facts.get("guessability").and_then(|value| serde_json::from_value(value.clone()).ok());
        let name = facts.get("name").and_then(Value::as_str).unwrap_or_default();
        let Some(key) = &self.key else {
            self.replacements.push((bare.as_str().to_owned(), WITHHELD.to_owned()));
            return None;
        };
        let filed = FiledFingerprint::of(key, name, &bare, guessability);
        let reason = filed.keyed_because?;
        self.replacements.push((bare.as_str().to_owned(), filed.fingerprint.as_str().to_owned()));
        Some(json!(reason))
    }
}

/// Replaces each of these texts wherever it stands in a document's texts.
pub(super) fn replace_each(document: &mut Value, replacements: &[(String, String)]) {
    match document {
        Value::String(text) => {
            for (old, new) in replacements {
                if text.contains(old.as_str()) {
                    *text = text.replace(old.as_str(), new);
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| replace_each(item, replacements)),
        Value::Object(fields) => fields.values_mut().for_each(|value| replace_each(value, replacements)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::super::event::FinishedCheck;
    use super::*;

    #[test]
    fn the_fingerprint_of_a_guessable_value_is_keyed_wherever_it_stands() {
        let bare = Fingerprint::of(b"summer");
        for (guessability, is_bare) in [("hard", true), ("pattern", false), ("few-possibilities", false)] {
            let finished = FinishedCheck {
                id: crate::check::CheckId::AwsGetSecret,
                title: String::new(),
                outcome: crate::check::Outcome::Pass,
                reason: Some(format!("{bare}, version 1")),
                started_ms: 0,
                duration_ms: 0,
                facts: json!({"name": "s", "fingerprint": bare, "guessability": guessability})
                    .as_object()
                    .cloned()
                    .unwrap(),
                docs: String::new(),
                findings: Vec::new(),
                blocked_by: None,
            };
            let mut keyed = KeyedFingerprints::new();
            let event = keyed.apply(EventKind::Finished(Box::new(finished)));
            let text = serde_json::to_string(&event).unwrap();
            assert_eq!(text.matches(&format!("\"{bare}")).count(), if is_bare { 2 } else { 0 }, "{text}");
            assert_eq!(text.matches("hmac-sha256:").count(), if is_bare { 0 } else { 2 }, "{text}");
            assert_eq!(text.contains("keyed_because"), !is_bare);
            let later = EventKind::Retrying {
                check: crate::check::CheckId::AwsGetSecret,
                attempt: 2,
                delay_ms: 1,
                reason: format!("still {bare}"),
            };
            let later = serde_json::to_string(&keyed.apply(later)).unwrap();
            assert_eq!(later.contains(bare.as_str()), is_bare, "{later}");
        }
    }
}
