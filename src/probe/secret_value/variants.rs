//! The fingerprints of a value's variants: made while the value is here, each variant wiped once it is hashed.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use zeroize::Zeroizing;

use crate::domain::fingerprint::Fingerprint;
use crate::domain::fingerprint::{Variant, VariantFingerprint};

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Collects the variants of one value; those that are the value itself, or one collected before, are left out.
pub(super) struct Variants {
    own: Fingerprint,
    found: Vec<VariantFingerprint>,
}

impl Variants {
    /// What the way to a process makes of this value.
    pub(super) fn of(value: &[u8]) -> Self {
        let mut variants = Variants { own: Fingerprint::of(value), found: Vec::new() };
        let with_newline = joined(&[value, b"\n"]);
        variants.add(Variant::Empty, b"");
        variants.add(Variant::TrailingNewline, &with_newline);
        variants.add(Variant::TrailingCrLf, &joined(&[value, b"\r\n"]));
        variants.add(Variant::Trimmed, trimmed(value));
        variants.add(Variant::LfLines, &lines_joined(value, b"\n"));
        variants.add(Variant::CrLfLines, &lines_joined(value, b"\r\n"));
        variants.add(Variant::WithByteOrderMark, &joined(&[BYTE_ORDER_MARK, value]));
        variants.add(Variant::WithoutByteOrderMark, value.strip_prefix(BYTE_ORDER_MARK).unwrap_or(value));
        variants.add(Variant::Base64, Zeroizing::new(STANDARD.encode(value)).as_bytes());
        variants.add(Variant::Base64Unpadded, Zeroizing::new(STANDARD_NO_PAD.encode(value)).as_bytes());
        variants.add(Variant::Base64Url, Zeroizing::new(URL_SAFE_NO_PAD.encode(value)).as_bytes());
        variants.add(Variant::Base64OfNewline, Zeroizing::new(STANDARD.encode(&*with_newline)).as_bytes());
        if let Ok(decoded) = STANDARD.decode(trimmed(value)) {
            variants.add(Variant::Base64Decoded, &Zeroizing::new(decoded));
        }
        variants.add(Variant::Quoted, &joined(&[b"\"", value, b"\""]));
        variants.add(Variant::Unquoted, unquoted(value));
        variants
    }

    /// Adds another variant.
    pub(super) fn add(&mut self, variant: Variant, value: &[u8]) {
        let fingerprint = Fingerprint::of(value);
        if fingerprint != self.own && self.found.iter().all(|known| known.fingerprint != fingerprint) {
            self.found.push(VariantFingerprint { variant, fingerprint });
        }
    }

    pub(super) fn into_fingerprints(self) -> Vec<VariantFingerprint> {
        self.found
    }
}

/// The parts in one piece of memory that never moves, so that wiping it leaves no copy.
fn joined(parts: &[&[u8]]) -> Zeroizing<Vec<u8>> {
    let mut whole = Zeroizing::new(Vec::with_capacity(parts.iter().map(|part| part.len()).sum()));
    parts.iter().for_each(|part| whole.extend_from_slice(part));
    whole
}

/// The value with this line end for each of its own. A line that another follows loses its `\r`; the rest after the last
/// line end is no line.
fn lines_joined(value: &[u8], end: &[u8]) -> Zeroizing<Vec<u8>> {
    let ends = value.iter().filter(|b| **b == b'\n').count();
    let mut whole = Zeroizing::new(Vec::with_capacity(value.len() + ends * end.len()));
    let mut lines = value.split(|b| *b == b'\n').peekable();
    while let Some(line) = lines.next() {
        if lines.peek().is_some() {
            whole.extend_from_slice(line.strip_suffix(b"\r").unwrap_or(line));
            whole.extend_from_slice(end);
        } else {
            whole.extend_from_slice(line);
        }
    }
    whole
}

/// Without the white space around it, as programming languages' `trim` and `strip` see it.
fn trimmed(value: &[u8]) -> &[u8] {
    std::str::from_utf8(value).map_or_else(|_| value.trim_ascii(), |text| text.trim().as_bytes())
}

fn unquoted(value: &[u8]) -> &[u8] {
    let between = |quote: &[u8]| value.strip_prefix(quote)?.strip_suffix(quote);
    between(b"\"").or_else(|| between(b"'")).unwrap_or(value)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::fingerprint::variant_of;

    fn seen(value: &str, runtime: &str) -> Option<Variant> {
        let variants = Variants::of(value.as_bytes()).into_fingerprints();
        variant_of(&variants, &Fingerprint::of(runtime.as_bytes())).cloned()
    }

    #[test]
    fn what_a_runtime_holds_instead_is_named() {
        for (value, runtime, expected) in [
            ("rotated value", "rotated value\n", Some(Variant::TrailingNewline)),
            ("v", "v\r\n", Some(Variant::TrailingCrLf)),
            (" v\n", "v", Some(Variant::Trimmed)),
            ("\u{a0}v", "v", Some(Variant::Trimmed)),
            ("a\nb\n", "a\r\nb\r\n", Some(Variant::CrLfLines)),
            ("a\r\nb", "a\nb", Some(Variant::LfLines)),
            ("v", "\u{feff}v", Some(Variant::WithByteOrderMark)),
            ("\u{feff}v", "v", Some(Variant::WithoutByteOrderMark)),
            ("rotated value", "cm90YXRlZCB2YWx1ZQ==", Some(Variant::Base64)),
            ("rotated value", "cm90YXRlZCB2YWx1ZQ", Some(Variant::Base64Unpadded)),
            ("a??>", "YT8_Pg", Some(Variant::Base64Url)),
            ("v", "dgo=", Some(Variant::Base64OfNewline)),
            ("cm90YXRlZCB2YWx1ZQ==\n", "rotated value", Some(Variant::Base64Decoded)),
            ("v", "\"v\"", Some(Variant::Quoted)),
            ("'v'", "v", Some(Variant::Unquoted)),
            ("v", "", Some(Variant::Empty)),
            ("v", "v", None),
            ("", "", None),
            ("v", "w", None),
        ] {
            assert_eq!(seen(value, runtime), expected, "{value:?} {runtime:?}");
        }
    }

    proptest! {
        #[test]
        fn no_variant_is_the_value_or_another(value in proptest::collection::vec(any::<u8>(), 0..60)) {
            let variants = Variants::of(&value).into_fingerprints();
            let mut fingerprints: Vec<_> = variants.iter().map(|v| v.fingerprint.as_str()).collect();
            fingerprints.push(Fingerprint::of(&value).as_str().to_owned().leak());
            fingerprints.sort_unstable();
            let count = fingerprints.len();
            fingerprints.dedup();
            prop_assert_eq!(fingerprints.len(), count);
        }
    }
}
