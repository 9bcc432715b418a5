//! Value fingerprints: `sha256:` and the first 12 hex digits of SHA-256 over the exact bytes. They tell whether a value
//! changed; they do not hide a guessable one, which is what the estimate and the keyed form beside them are for.

mod common;
pub mod guess;
pub mod keyed;
pub mod variant;

use std::fmt;

use serde::{Deserialize, Serialize};

const PREFIX: &str = "sha256:";
/// Hex digits shown: 48 bits, so that two values that differ are taken for one in 2^48 cases.
const DIGITS: usize = 12;

/// The fingerprint of a value, in its printed form.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Fingerprint(String);

/// A text is no fingerprint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a fingerprint; one is `sha256:` and 12 lower-case hex digits")]
pub struct NotAFingerprint;

impl Fingerprint {
    /// Hashes the exact bytes, without trimming.
    pub fn of(value: &[u8]) -> Self {
        let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, value);
        Fingerprint(format!("{PREFIX}{}", hex(digest.as_ref(), DIGITS)))
    }

    /// The fingerprint of these twelve hex digits, in either letter case.
    pub fn from_hex(digits: &str) -> Option<Self> {
        let lower = digits.to_ascii_lowercase();
        is_hex(&lower, DIGITS).then(|| Fingerprint(format!("{PREFIX}{lower}")))
    }

    /// Reads the printed form, and nothing but it.
    ///
    /// # Errors
    /// The text is something else.
    pub fn parse(text: &str) -> Result<Self, NotAFingerprint> {
        match text.strip_prefix(PREFIX) {
            Some(digits) if is_hex(digits, DIGITS) => Ok(Fingerprint(text.to_owned())),
            _ => Err(NotAFingerprint),
        }
    }

    /// The printed form.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for Fingerprint {
    type Error = NotAFingerprint;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Fingerprint::parse(&text)
    }
}

impl From<Fingerprint> for String {
    fn from(fingerprint: Fingerprint) -> Self {
        fingerprint.0
    }
}

/// The first `digits` lower-case hex digits of `bytes`.
pub(super) fn hex(bytes: &[u8], digits: usize) -> String {
    bytes.iter().flat_map(|b| [b >> 4, b & 15]).take(digits).filter_map(|n| char::from_digit(n.into(), 16)).collect()
}

/// Whether a text is `digits` lower-case hex digits.
fn is_hex(text: &str, digits: usize) -> bool {
    text.len() == digits && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn published_vectors() {
        for (value, hex) in
            [("rotated value", "5d8269a65fdc"), ("rotated value\n", "881c4f273b3a"), ("", "e3b0c44298fc")]
        {
            let fingerprint = Fingerprint::of(value.as_bytes());
            assert_eq!(fingerprint.as_str(), format!("sha256:{hex}"));
            assert_eq!(Fingerprint::parse(fingerprint.as_str()), Ok(fingerprint));
        }
    }

    #[test]
    fn only_the_printed_form_is_read() {
        for text in ["", "sha256:", "5d8269a65fdc", "sha256:5D8269A65FDC", "sha256:5d8269a65fd", "sha256:5d8269a65fdc0"]
        {
            assert_eq!(Fingerprint::parse(text), Err(NotAFingerprint), "{text}");
            assert!(serde_json::from_value::<Fingerprint>(text.into()).is_err(), "{text}");
        }
    }
}
