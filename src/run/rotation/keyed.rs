//! The fingerprints of guessable values in what a session prints and records: keyed, since a bare one lets anybody who
//! reads a log or looks at a screen try guesses. The session itself compares bare ones.

use super::event::RotationKind;
use crate::domain::fingerprint::Fingerprint;
use crate::domain::fingerprint::guess::Guessability;
use crate::domain::fingerprint::keyed::{FiledFingerprint, FingerprintKey};
use crate::domain::rotation::evidence::filing_reference;
use crate::run::keyed::replace_each;

/// Brings the events of one session into the form that everybody may read. Equal values stay equal, and a value's form is
/// the one that the evidence of the same profile has.
#[derive(Default)]
pub struct KeyedRotation {
    /// Fingerprints met so far with the form that stands for each: the same to the session's end.
    forms: Vec<(String, String)>,
    /// The secret that the store told of first; a runtime's fingerprint that no store has is filed under it.
    reference: Option<String>,
}

impl KeyedRotation {
    /// The event with every fingerprint in the form for all eyes.
    ///
    /// # Errors
    /// The event cannot be rewritten; it must not be shown then.
    pub fn apply(&mut self, key: &FingerprintKey, kind: RotationKind) -> Result<RotationKind, serde_json::Error> {
        self.take_note_of(key, &kind);
        let mut document = serde_json::to_value(kind)?;
        replace_each(&mut document, &self.forms);
        serde_json::from_value::<RotationKind>(document)
    }

    fn take_note_of(&mut self, key: &FingerprintKey, kind: &RotationKind) {
        match kind {
            RotationKind::StoreSeen { secret, snapshot, .. } => {
                let reference = filing_reference(&snapshot.place.location, secret);
                for version in &snapshot.versions {
                    if let Some(fingerprint) = &version.fingerprint {
                        self.note(key, &reference, fingerprint, version.guessability);
                    }
                    // A variant of a value may be easier to guess than the value.
                    for variant in &version.variants {
                        self.note(key, &reference, &variant.fingerprint, None);
                    }
                }
                if let Some(sibling) = &snapshot.sibling {
                    self.note(key, &reference, &sibling.fingerprint, None);
                }
                self.reference.get_or_insert(reference);
            }
            RotationKind::RuntimeSeen { sighting, .. } => {
                let reference = self.reference.clone().unwrap_or_default();
                for fingerprint in &sighting.output.fingerprints {
                    self.note(key, &reference, fingerprint, None);
                }
            }
            _ => {}
        }
    }

    fn note(
        &mut self,
        key: &FingerprintKey,
        reference: &str,
        fingerprint: &Fingerprint,
        guessability: Option<Guessability>,
    ) {
        let bare = fingerprint.as_str();
        if self.forms.iter().all(|(known, _)| known != bare) {
            let filed = FiledFingerprint::of(key, reference, fingerprint, guessability);
            self.forms.push((bare.to_owned(), filed.fingerprint.as_str().to_owned()));
        }
    }
}

#[cfg(test)]
mod tests {
    use secrecy::SecretBox;

    use super::*;
    use crate::domain::fingerprint::keyed::KEY_BYTES;
    use crate::domain::rotation::{Place, RuntimeObservation, Source, Store, StoreSnapshot, Version};
    use crate::domain::runtime_output::RuntimeOutput;
    use crate::run::rotation::event::Phase;

    fn store(value: &[u8], guessability: Guessability) -> RotationKind {
        let version = Version {
            id: "1".into(),
            stages: Vec::new(),
            enabled: true,
            created_at: None,
            fingerprint: Some(Fingerprint::of(value)),
            guessability: Some(guessability),
            variants: Vec::new(),
        };
        let snapshot = StoreSnapshot {
            place: Place { store: Store::AwsSecretsManager, location: "us-east-1".into() },
            at: 0,
            secret_id: None,
            current: "1".into(),
            versions: vec![version],
            sibling: None,
            unseen: Vec::new(),
        };
        RotationKind::StoreSeen { secret: "s".into(), moment: Phase::Before, snapshot }
    }

    fn runtime(value: &[u8]) -> RotationKind {
        let output = RuntimeOutput { fingerprints: vec![Fingerprint::of(value)], ..RuntimeOutput::default() };
        let sighting = RuntimeObservation { began: 0, at: 0, source: Source::Text, failed: false, output };
        RotationKind::RuntimeSeen { moment: Phase::After, sighting }
    }

    fn shown_fingerprint(kind: &RotationKind) -> String {
        match kind {
            RotationKind::StoreSeen { snapshot, .. } => snapshot.versions[0].fingerprint.as_ref().unwrap().to_string(),
            RotationKind::RuntimeSeen { sighting, .. } => sighting.output.fingerprints[0].to_string(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn what_can_be_guessed_is_keyed_alike_in_the_store_at_the_runtime_and_in_every_text() {
        let key = FingerprintKey::new(SecretBox::new(Box::new([1; KEY_BYTES])));
        for (guessability, is_bare) in [(Guessability::Hard, true), (Guessability::Pattern, false)] {
            let mut keyed = KeyedRotation::default();
            let bare = Fingerprint::of(b"summer");
            let in_store = shown_fingerprint(&keyed.apply(&key, store(b"summer", guessability)).unwrap());
            assert_eq!(in_store == bare.as_str(), is_bare, "{in_store}");
            assert_eq!(shown_fingerprint(&keyed.apply(&key, runtime(b"summer")).unwrap()), in_store);
            let trouble = RotationKind::Trouble { secret: None, reason: format!("has {bare}"), findings: Vec::new() };
            let trouble = keyed.apply(&key, trouble).unwrap();
            assert!(matches!(trouble, RotationKind::Trouble { reason, .. } if reason == format!("has {in_store}")));
            let filed = FiledFingerprint::of(&key, &filing_reference("us-east-1", "s"), &bare, Some(guessability));
            assert_eq!(filed.fingerprint.as_str(), in_store, "evidence has the same form");
        }
    }

    #[test]
    fn a_value_that_only_the_runtime_has_shown_stays_in_the_form_it_got() {
        let key = FingerprintKey::new(SecretBox::new(Box::new([1; KEY_BYTES])));
        let mut keyed = KeyedRotation::default();
        let first = shown_fingerprint(&keyed.apply(&key, runtime(b"never read")).unwrap());
        assert!(first.starts_with("hmac-sha256:"), "{first}");
        let later = keyed.apply(&key, store(b"never read", Guessability::Hard)).unwrap();
        assert_eq!(shown_fingerprint(&later), first);
    }
}
