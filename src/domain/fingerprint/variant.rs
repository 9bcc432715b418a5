//! What becomes of a value on its way to a process without anybody meaning it to: a line's end is added, blanks are cut,
//! the whole document arrives instead of the field. A runtime that shows such a variant's fingerprint is a near miss.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::Fingerprint;

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
