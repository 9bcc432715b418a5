//! A secret's value on its short way to a fingerprint: it is hashed and wiped here, and goes nowhere else.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use serde_json::Value;
use zeroize::Zeroizing;

use crate::check::facts::secret::{FieldState, SelectedField, ValueForm};
use crate::domain::fingerprint::guess::{Guessability, guessability};
use crate::domain::fingerprint::{Fingerprint, Variant, VariantFingerprint};
use crate::domain::text::json_kind;
use crate::domain::text_difference::nearest;
use crate::probe::new_value::{NewValue, NewValueError};

/// Fields of a document whose fingerprints are kept, so that a huge document costs little.
const MOST_FIELDS: usize = 64;
/// Texts of a document that are looked at, for the same reason.
const MOST_TEXTS: usize = 256;

/// A value as a store gave it; wiped when dropped.
pub struct SecretValue {
    bytes: Zeroizing<Vec<u8>>,
    form: ValueForm,
}

/// What is left of a value.
pub struct Reduced {
    pub form: ValueForm,
    /// Of the selected field where it is there, else of the whole value.
    pub fingerprint: Fingerprint,
    /// What the fingerprint would be, had something on the way changed the value.
    pub variants: Vec<VariantFingerprint>,
    /// Of the value that the fingerprint is of.
    pub guessability: Guessability,
    pub field: Option<SelectedField>,
}

impl SecretValue {
    /// Takes over a text.
    pub fn text(value: String) -> Self {
        SecretValue { bytes: Zeroizing::new(value.into_bytes()), form: ValueForm::Text }
    }

    /// Takes over bytes.
    pub fn binary(value: Vec<u8>) -> Self {
        SecretValue { bytes: Zeroizing::new(value), form: ValueForm::Binary }
    }

    /// The document with a new value in one field, to be written in its place.
    ///
    /// # Errors
    /// It is no JSON object, or has no such field.
    pub(super) fn with_new(self, key: &str, value: &NewValue) -> Result<Zeroizing<String>, NewValueError> {
        value.placed(&self.bytes, key)
    }

    /// Reduces the value to what may be shown, and wipes it.
    pub fn reduce(self, json_key: Option<&str>) -> Reduced {
        let mut parsed = serde_json::from_slice::<Value>(&self.bytes).ok();
        let reduced = self.with_field(parsed.as_ref(), json_key);
        parsed.iter_mut().for_each(wipe);
        reduced
    }

    fn with_field(&self, parsed: Option<&Value>, json_key: Option<&str>) -> Reduced {
        let fields = parsed.and_then(Value::as_object);
        let state = json_key.map(|key| match (parsed, fields.map(|fields| fields.get(key))) {
            (None, _) => FieldState::NotJson,
            (Some(_), None) => FieldState::NotAnObject,
            (Some(_), Some(Some(Value::String(_)))) => FieldState::Found,
            (Some(_), Some(Some(other))) => FieldState::NotText { kind: json_kind(other) },
            (Some(_), Some(None)) => {
                let names = fields.into_iter().flat_map(|fields| fields.keys()).map(String::as_str);
                FieldState::Missing { nearest: nearest(key, names).map(str::to_owned) }
            }
        });
        let value = json_key.and_then(|key| fields?.get(key));
        let selected = value.and_then(Value::as_str);
        let field = json_key.zip(state).map(|(key, state)| SelectedField { json_key: key.to_owned(), state });
        let bytes = selected.map_or(self.bytes.as_slice(), str::as_bytes);
        let mut variants = Variants::of(bytes);
        if selected.is_some() {
            variants.add(Variant::WholeDocument, &self.bytes);
        } else if let Some(value) = value {
            variants.add(Variant::FieldAsJson, Zeroizing::new(value.to_string()).as_bytes());
        } else if json_key.is_none() {
            for (key, value) in fields.into_iter().flatten().take(MOST_FIELDS) {
                let text = value.as_str().map(str::as_bytes);
                text.into_iter().for_each(|text| variants.add(Variant::Field(key.clone()), text));
            }
        }
        // Who guesses at a document may know its form, its fields' names and all texts in it but one.
        let document = parsed.filter(|value| selected.is_none() && (value.is_object() || value.is_array()));
        let guessability = document.map_or_else(|| guessability(bytes), |document| hardest(&texts(document)));
        Reduced {
            form: self.form,
            fingerprint: Fingerprint::of(bytes),
            variants: variants.into_fingerprints(),
            guessability,
            field,
        }
    }
}

/// How hard the hardest of these texts is to guess. Of very many only some are looked at, which can only make a document
/// seem easier than it is.
fn hardest(texts: &[&[u8]]) -> Guessability {
    let mut hardest = Guessability::FewPossibilities;
    for text in texts.iter().take(MOST_TEXTS) {
        hardest = hardest.max(guessability(text));
        if hardest == Guessability::Hard {
            break;
        }
    }
    hardest
}

/// The texts in a document.
fn texts(document: &Value) -> Vec<&[u8]> {
    match document {
        Value::String(text) => vec![text.as_bytes()],
        Value::Array(items) => items.iter().flat_map(texts).collect(),
        Value::Object(fields) => fields.values().flat_map(texts).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) => Vec::new(),
    }
}

/// Overwrites every text in a parsed value; numbers and booleans are not held on the heap.
fn wipe(value: &mut Value) {
    match value {
        Value::String(text) => drop(Zeroizing::new(std::mem::take(text))),
        Value::Array(items) => items.iter_mut().for_each(wipe),
        Value::Object(fields) => fields.values_mut().for_each(wipe),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Collects the variants of one value; those that are the value itself, or one collected before, are left out.
struct Variants {
    own: Fingerprint,
    found: Vec<VariantFingerprint>,
}

impl Variants {
    /// What the way to a process makes of this value.
    fn of(value: &[u8]) -> Self {
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
    fn add(&mut self, variant: Variant, value: &[u8]) {
        let fingerprint = Fingerprint::of(value);
        if fingerprint != self.own && self.found.iter().all(|known| known.fingerprint != fingerprint) {
            self.found.push(VariantFingerprint { variant, fingerprint });
        }
    }

    fn into_fingerprints(self) -> Vec<VariantFingerprint> {
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
    use super::*;
    use crate::domain::fingerprint::variant_of;

    fn field(value: &str, key: &str) -> (FieldState, String) {
        let reduced = SecretValue::text(value.to_owned()).reduce(Some(key));
        (reduced.field.unwrap().state, reduced.fingerprint.as_str().to_owned())
    }

    #[test]
    fn a_field_is_selected_or_its_absence_explained() {
        let of = |v: &str| Fingerprint::of(v.as_bytes()).as_str().to_owned();
        assert_eq!(field(r#"{"k":"v"}"#, "k"), (FieldState::Found, of("v")));
        let whole = r#"{"key":"v","n":1}"#;
        assert_eq!(field(whole, "Key"), (FieldState::Missing { nearest: Some("key".into()) }, of(whole)));
        assert_eq!(field(whole, "n"), (FieldState::NotText { kind: "a number" }, of(whole)));
        assert_eq!(field("[1]", "k"), (FieldState::NotAnObject, of("[1]")));
        assert_eq!(field("plain", "k"), (FieldState::NotJson, of("plain")));
    }

    #[test]
    fn documents_and_their_fields_are_near_misses_of_each_other() {
        let whole = r#"{"user":"crew","password":"rotated value","n":7}"#;
        let seen = |json_key, runtime: &str| {
            let reduced = SecretValue::text(whole.to_owned()).reduce(json_key);
            variant_of(&reduced.variants, &Fingerprint::of(runtime.as_bytes())).cloned()
        };
        assert_eq!(seen(Some("password"), whole), Some(Variant::WholeDocument));
        assert_eq!(seen(Some("password"), "rotated value\n"), Some(Variant::TrailingNewline));
        assert_eq!(seen(Some("n"), "7"), Some(Variant::FieldAsJson));
        assert_eq!(seen(None, "rotated value"), Some(Variant::Field("password".into())));
        assert_eq!(seen(Some("password"), "crew"), None);
    }

    #[test]
    fn a_document_is_as_hard_to_guess_as_the_texts_in_it() {
        let of = |value: &str, key| SecretValue::text(value.to_owned()).reduce(key).guessability;
        let strong = "R7bKx2mQ9vTz4LwYc8NdJf3HsGp6Aa1E";
        let weak = r#"{"engine":"postgres","host":"db.internal.example.com","username":"crew","password":"summer"}"#;
        assert!(of(weak, None).is_guessable());
        let document = format!(r#"{{"username":"crew","password":"{strong}"}}"#);
        assert_eq!(of(&document, None), Guessability::Hard);
        assert_eq!(of(&document, Some("password")), Guessability::Hard);
        assert!(of(&document, Some("username")).is_guessable());
        assert_eq!(of(strong, None), Guessability::Hard);
        assert_eq!(of("", None), Guessability::Empty);
    }
}

#[cfg(test)]
mod variants_tests {
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
