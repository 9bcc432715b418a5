//! Value fingerprints: `sha256:` and the first 12 hex digits of SHA-256 over the exact bytes. They tell whether a value
//! changed; they do not hide a guessable one, which is what the estimate and the keyed form beside them are for.

pub mod guess;
pub mod keyed;

use std::fmt;

use serde::{Deserialize, Serialize};

use self::keyed::KeyedFingerprint;

const PREFIX: &str = "sha256:";
/// Hex digits shown: 48 bits, so that two values that differ are taken for one in 2^48 cases.
const DIGITS: usize = 12;

/// The fingerprint of a value, in its printed form; in events that were recorded or printed it may be the keyed one.
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
        match KeyedFingerprint::parse(&text) {
            Some(_) => Ok(Fingerprint(text)),
            None => Fingerprint::parse(&text),
        }
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

/// A value as something on the way may have changed it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Variant {
    /// With `\n` at the end, as `echo` and editors leave it.
    TrailingNewline,
    /// With `\r\n` at the end.
    TrailingCrLf,
    /// Without the blanks and line ends around it.
    Trimmed,
    /// Every line ended by `\r\n` instead of `\n`.
    CrLfLines,
    /// Every line ended by `\n` instead of `\r\n`.
    LfLines,
    /// With a byte order mark in front.
    WithByteOrderMark,
    /// Without the byte order mark in front.
    WithoutByteOrderMark,
    /// The whole document instead of the selected field.
    WholeDocument,
    /// This field of the document instead of the whole.
    Field(String),
    /// The selected field, which is no text, as JSON writes it.
    FieldAsJson,
    /// In Base64 (RFC 4648 section 4).
    Base64,
    /// In Base64 without `=` at the end.
    Base64Unpadded,
    /// In Base64 for URLs (RFC 4648 section 5), without `=` at the end.
    Base64Url,
    /// With `\n` at the end, then in Base64: `echo … | base64`.
    Base64OfNewline,
    /// The value is Base64, and was decoded.
    Base64Decoded,
    /// In double quotes.
    Quoted,
    /// Without the quotes around it.
    Unquoted,
    /// Nothing at all: the variable is there and empty.
    Empty,
}

impl fmt::Display for Variant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Variant::TrailingNewline => "the value and a newline at its end",
            Variant::TrailingCrLf => "the value and a Windows line end (CRLF) at its end",
            Variant::Trimmed => "the value without the blanks and line ends around it",
            Variant::CrLfLines => "the value with Windows line ends (CRLF) for its newlines",
            Variant::LfLines => "the value with newlines for its Windows line ends (CRLF)",
            Variant::WithByteOrderMark => "the value and a byte order mark in front of it",
            Variant::WithoutByteOrderMark => "the value without the byte order mark in front of it",
            Variant::WholeDocument => "the whole JSON document instead of the selected field",
            Variant::Field(key) => return write!(f, "the field `{key}` instead of the whole JSON document"),
            Variant::FieldAsJson => "the selected field as JSON writes it; it is no text",
            Variant::Base64 => "the value in Base64",
            Variant::Base64Unpadded => "the value in Base64 without `=` at its end",
            Variant::Base64Url => "the value in Base64 for URLs",
            Variant::Base64OfNewline => "the value and a newline at its end, in Base64",
            Variant::Base64Decoded => "the value decoded from Base64",
            Variant::Quoted => "the value in double quotes",
            Variant::Unquoted => "the value without the quotes around it",
            Variant::Empty => "an empty value",
        })
    }
}

/// The fingerprint that a variant of a value has.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct VariantFingerprint {
    pub variant: Variant,
    pub fingerprint: Fingerprint,
}

/// The variant that has this fingerprint, where one has.
pub fn variant_of<'a>(variants: &'a [VariantFingerprint], fingerprint: &Fingerprint) -> Option<&'a Variant> {
    variants.iter().find(|known| known.fingerprint == *fingerprint).map(|known| &known.variant)
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
