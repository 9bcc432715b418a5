//! Fingerprints in files: `hmac-sha256:<key id>:<32 hex digits>` of a fingerprint where its value can be guessed, since
//! without the key nobody can try guesses; the bare form where the value is known to be hard to guess.
//!
//! The keyed form is made of the bare form and the secret's reference, not of the value: a runtime shows no more than the
//! bare form, and both sides must come out alike. Equal values behind two references have two keyed forms.

use std::fmt;

use aws_lc_rs::hmac;
use secrecy::{ExposeSecret as _, SecretBox};
use serde::{Deserialize, Serialize};

use super::guess::Guessability;
use super::{Fingerprint, NotAFingerprint, hex, is_hex};

const PREFIX: &str = "hmac-sha256:";
const ID_DIGITS: usize = 8;
/// 128 of the code's 256 bits (RFC 2104 section 5 asks for no fewer than half).
const DIGITS: usize = 32;
const PURPOSE: &[u8] = b"trustline.fingerprint/1";
const ID_PURPOSE: &[u8] = b"trustline.fingerprint-key-id/1";

/// How many random bytes a key has (RFC 2104 section 3: the length of the hash).
pub const KEY_BYTES: usize = 32;

/// The key of keyed fingerprints.
pub struct FingerprintKey(SecretBox<[u8; KEY_BYTES]>);

impl FingerprintKey {
    /// Takes over random bytes.
    pub fn new(bytes: SecretBox<[u8; KEY_BYTES]>) -> Self {
        FingerprintKey(bytes)
    }

    /// The key's bytes, to keep them.
    pub fn secret(&self) -> &SecretBox<[u8; KEY_BYTES]> {
        &self.0
    }

    /// The key's public name: 8 hex digits, which tell nothing of the key.
    pub fn id(&self) -> String {
        hex(self.code(&[ID_PURPOSE]).as_ref(), ID_DIGITS)
    }

    /// The keyed form of a fingerprint of the secret that `reference` names.
    pub fn keyed(&self, reference: &str, fingerprint: &Fingerprint) -> KeyedFingerprint {
        let digits = hex(self.digits(reference, fingerprint).as_ref(), DIGITS);
        KeyedFingerprint(format!("{PREFIX}{}:{digits}", self.id()))
    }

    fn digits(&self, reference: &str, fingerprint: &Fingerprint) -> hmac::Tag {
        self.code(&[PURPOSE, reference.as_bytes(), fingerprint.as_str().as_bytes()])
    }

    /// The code of several parts, each behind its length, so that no two lists run together to one text.
    fn code(&self, parts: &[&[u8]]) -> hmac::Tag {
        let key = hmac::Key::new(hmac::HMAC_SHA256, self.0.expose_secret());
        let mut context = hmac::Context::with_key(&key);
        for part in parts {
            context.update(&u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
            context.update(part);
        }
        context.sign()
    }
}

/// A keyed fingerprint, in its printed form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyedFingerprint(String);

impl KeyedFingerprint {
    /// The printed form.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The public name of the key it was made with.
    pub fn key_id(&self) -> &str {
        self.0.get(PREFIX.len()..PREFIX.len() + ID_DIGITS).unwrap_or_default()
    }

    pub(super) fn parse(text: &str) -> Option<Self> {
        let (id, digits) = text.strip_prefix(PREFIX)?.split_once(':')?;
        (is_hex(id, ID_DIGITS) && is_hex(digits, DIGITS)).then(|| KeyedFingerprint(text.to_owned()))
    }
}

/// Why a file holds the keyed form.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum KeyedBecause {
    EmptyValue,
    FewPossibilities,
    Pattern,
    /// The value was only seen by its fingerprint.
    ValueNotSeen,
}

impl KeyedBecause {
    /// The reason for a value; `None` where it is hard to guess.
    fn of(guessability: Option<Guessability>) -> Option<Self> {
        match guessability {
            Some(Guessability::Hard) => None,
            Some(Guessability::Empty) => Some(KeyedBecause::EmptyValue),
            Some(Guessability::FewPossibilities) => Some(KeyedBecause::FewPossibilities),
            Some(Guessability::Pattern) => Some(KeyedBecause::Pattern),
            None => Some(KeyedBecause::ValueNotSeen),
        }
    }
}

impl fmt::Display for KeyedBecause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            KeyedBecause::EmptyValue => "the value is empty",
            KeyedBecause::FewPossibilities => "the value is so short or so plain that all like it can be tried",
            KeyedBecause::Pattern => "the value is made of words, sequences or repetitions",
            KeyedBecause::ValueNotSeen => "the value itself was not seen, so it may be one that can be guessed",
        })
    }
}

/// A fingerprint as it stands in files.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FiledFingerprint {
    pub fingerprint: FiledForm,
    /// Why it is the keyed form.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keyed_because: Option<KeyedBecause>,
}

/// The form of a fingerprint in a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum FiledForm {
    Bare(Fingerprint),
    Keyed(KeyedFingerprint),
}

impl FiledFingerprint {
    /// What goes to a file for a fingerprint of the secret that `reference` names. `guessability` is `None` where the value
    /// was not seen. One that was shown in the keyed form stays as it is: the bare one is not known here.
    pub fn of(
        key: &FingerprintKey,
        reference: &str,
        fingerprint: &Fingerprint,
        guessability: Option<Guessability>,
    ) -> Self {
        if let Some(keyed) = KeyedFingerprint::parse(fingerprint.as_str()) {
            let because = KeyedBecause::of(guessability).unwrap_or(KeyedBecause::ValueNotSeen);
            return FiledFingerprint { fingerprint: FiledForm::Keyed(keyed), keyed_because: Some(because) };
        }
        let keyed_because = KeyedBecause::of(guessability);
        let form = match keyed_because {
            None => FiledForm::Bare(fingerprint.clone()),
            Some(_) => FiledForm::Keyed(key.keyed(reference, fingerprint)),
        };
        FiledFingerprint { fingerprint: form, keyed_because }
    }
}

impl FiledForm {
    /// The printed form.
    pub fn as_str(&self) -> &str {
        match self {
            FiledForm::Bare(fingerprint) => fingerprint.as_str(),
            FiledForm::Keyed(keyed) => keyed.as_str(),
        }
    }
}

impl TryFrom<String> for FiledForm {
    type Error = NotAFingerprint;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let keyed = KeyedFingerprint::parse(&text).map(FiledForm::Keyed);
        keyed.map_or_else(|| Fingerprint::parse(&text).map(FiledForm::Bare), Ok)
    }
}

impl From<FiledForm> for String {
    fn from(form: FiledForm) -> Self {
        form.as_str().to_owned()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn key(seed: u8) -> FingerprintKey {
        FingerprintKey::new(SecretBox::new(Box::new([seed; KEY_BYTES])))
    }

    #[test]
    fn the_form_is_fixed() {
        let keyed = key(1).keyed("arn:aws:x#k", &Fingerprint::of(b"rotated value"));
        // Made with another implementation of HMAC.
        assert_eq!(keyed.as_str(), "hmac-sha256:a9ca5315:4828938aa3906cc5801cd505167eab58");
        assert_eq!(keyed.key_id(), key(1).id());
    }

    #[test]
    fn only_what_is_hard_to_guess_goes_bare() {
        let fingerprint = Fingerprint::of(b"v");
        for (guessability, because) in [
            (Some(Guessability::Hard), None),
            (Some(Guessability::Empty), Some(KeyedBecause::EmptyValue)),
            (Some(Guessability::FewPossibilities), Some(KeyedBecause::FewPossibilities)),
            (Some(Guessability::Pattern), Some(KeyedBecause::Pattern)),
            (None, Some(KeyedBecause::ValueNotSeen)),
        ] {
            let filed = FiledFingerprint::of(&key(1), "r", &fingerprint, guessability);
            assert_eq!(filed.keyed_because, because);
            let text = serde_json::to_string(&filed).unwrap();
            assert_eq!(text.contains(fingerprint.as_str()), because.is_none(), "{text}");
            assert_eq!(serde_json::from_str::<FiledFingerprint>(&text).unwrap(), filed);
            let other = FiledFingerprint::of(&key(2), "r", &fingerprint, guessability);
            assert_eq!(filed == other, because.is_none(), "the key counts where the form is keyed");
            assert_ne!(filed, FiledFingerprint::of(&key(1), "r", &Fingerprint::of(b"w"), guessability));
        }
    }

    #[test]
    fn what_was_shown_in_the_keyed_form_is_filed_as_it_is() {
        let bare = Fingerprint::of(b"summer");
        let filed = FiledFingerprint::of(&key(1), "r", &bare, Some(Guessability::Pattern));
        let shown = Fingerprint::try_from(filed.fingerprint.as_str().to_owned()).unwrap();
        assert_eq!(FiledFingerprint::of(&key(2), "other", &shown, Some(Guessability::Pattern)), filed);
        let unseen = FiledFingerprint::of(&key(1), "r", &shown, Some(Guessability::Hard));
        assert_eq!(unseen.keyed_because, Some(KeyedBecause::ValueNotSeen));
    }

    #[test]
    fn other_texts_are_refused() {
        for text in ["hmac-sha256:00000000:", "hmac-sha256::", "hmac-sha256:0000000g:", "md5:0", ""] {
            assert!(FiledForm::try_from(text.to_owned()).is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn keyed_forms_are_equal_only_for_equal_key_reference_and_value(
            a in (0..3u8, "[ab#]{0,3}", "[ab]{0,2}"), b in (0..3u8, "[ab#]{0,3}", "[ab]{0,2}")
        ) {
            let keyed = |(seed, reference, value): &(u8, String, String)| {
                key(*seed).keyed(reference, &Fingerprint::of(value.as_bytes()))
            };
            prop_assert_eq!(keyed(&a) == keyed(&b), a == b);
        }
    }
}
