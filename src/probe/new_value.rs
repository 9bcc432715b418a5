//! A value that is about to be written: read or generated, and put into a JSON document's field. Wiped when dropped.

use std::ops::Range;

use secrecy::SecretString;
use tokio::io::AsyncReadExt as _;
use zeroize::Zeroizing;

use super::regular_file;
use crate::domain::profile::SecretSource;

/// The largest value that is taken, in bytes: what AWS stores
/// (<https://docs.aws.amazon.com/secretsmanager/latest/userguide/reference_limits.html>); a vault takes 25 KB.
pub const LARGEST: usize = 65_536;

/// The fewest characters that are generated: with 16 of 62, some 95 bits.
pub const SHORTEST_GENERATED: usize = 16;

/// A value to write.
pub struct NewValue(Zeroizing<String>);

/// What to do with a line break at a value's end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LineBreak {
    /// Refuse it: nobody said whether it belongs to the value.
    Refuse,
    /// Cut it off.
    Strip,
    /// It belongs to the value, as in a PEM file.
    Keep,
}

/// The characters of a generated value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Alphabet {
    /// `A-Z a-z 0-9`.
    Alphanumeric,
    /// `0-9 a-f`.
    Hex,
    /// `A-Z a-z 0-9 - _`.
    UrlSafe,
}

/// Why a value cannot be written. Quotes nothing of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NewValueError {
    #[error("the new value is empty")]
    Empty,
    #[error("the new value is larger than {LARGEST} bytes, which no store takes")]
    TooLarge,
    #[error("the new value is not UTF-8 text")]
    NotText,
    #[error("the new value ends with a line break, which the automation would be given too")]
    LineBreak,
    #[error("the system gave no random bytes")]
    NoRandom,
    #[error("the secret's current value is no JSON object, so that no field of it can be replaced")]
    NotAnObject,
    #[error("the secret's JSON object has no such field, and a rotation adds none")]
    NoSuchField,
}

impl NewValue {
    /// Takes over what was read.
    ///
    /// # Errors
    /// It is nothing that should be stored.
    pub fn read(bytes: Zeroizing<Vec<u8>>, line_break: LineBreak) -> Result<Self, NewValueError> {
        let text = std::str::from_utf8(&bytes).map_err(|_| NewValueError::NotText)?;
        let stripped = text.strip_suffix('\n').map(|text| text.strip_suffix('\r').unwrap_or(text));
        let text = match (stripped, line_break) {
            (Some(_), LineBreak::Refuse) => return Err(NewValueError::LineBreak),
            (Some(stripped), LineBreak::Strip) => stripped,
            _ => text,
        };
        match text.len() {
            0 => Err(NewValueError::Empty),
            1..=LARGEST => Ok(NewValue(Zeroizing::new(text.to_owned()))),
            _ => Err(NewValueError::TooLarge),
        }
    }

    /// So many random characters.
    ///
    /// # Errors
    /// The system gives no random bytes.
    pub fn generate(characters: usize, alphabet: Alphabet) -> Result<Self, NewValueError> {
        let alphabet = alphabet.characters();
        // Bytes from the largest multiple of the alphabet's size on would favour its first characters.
        let fair = 256 - 256 % alphabet.len();
        let mut text = Zeroizing::new(String::with_capacity(characters));
        let mut bytes = Zeroizing::new([0_u8; 64]);
        while text.len() < characters {
            aws_lc_rs::rand::fill(bytes.as_mut()).map_err(|_| NewValueError::NoRandom)?;
            let fitting = bytes.iter().map(|byte| usize::from(*byte)).filter(|byte| *byte < fair);
            let chosen = fitting.filter_map(|byte| alphabet.get(byte % alphabet.len())).copied().map(char::from);
            for character in chosen.take(characters - text.len()) {
                text.push(character);
            }
        }
        Ok(NewValue(text))
    }

    /// The value as text, for the request that writes it.
    pub(super) fn to_text(&self) -> Zeroizing<String> {
        self.0.clone()
    }

    /// A JSON document with this value in one field of its; every other byte of it stays.
    ///
    /// # Errors
    /// The document is no JSON object, or has no such field.
    pub(super) fn placed(&self, document: &[u8], key: &str) -> Result<Zeroizing<String>, NewValueError> {
        let text = std::str::from_utf8(document).map_err(|_| NewValueError::NotAnObject)?;
        if serde_json::from_str::<serde::de::IgnoredAny>(text).is_err() {
            return Err(NewValueError::NotAnObject);
        }
        let span = field(text, key)?;
        let quoted = serde_json::to_string(self.0.as_str()).map_err(|_| NewValueError::NotText)?;
        let quoted = Zeroizing::new(quoted);
        let mut placed = Zeroizing::new(String::with_capacity(text.len() + quoted.len()));
        placed.push_str(&text[..span.start]);
        placed.push_str(&quoted);
        placed.push_str(&text[span.end..]);
        Ok(placed)
    }
}

impl Alphabet {
    const fn characters(self) -> &'static [u8] {
        match self {
            Alphabet::Alphanumeric => b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789",
            Alphabet::Hex => b"0123456789abcdef",
            Alphabet::UrlSafe => b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_",
        }
    }
}

/// Where the value of a field stands in a text that is known to be JSON; of a doubled key, its last, which readers take.
fn field(text: &str, key: &str) -> Result<Range<usize>, NewValueError> {
    let mut cursor = Cursor { text, at: 0 };
    if !cursor.takes(b'{') {
        return Err(NewValueError::NotAnObject);
    }
    let mut found = None;
    while !cursor.takes(b'}') && cursor.at < text.len() {
        cursor.takes(b',');
        let name = cursor.value();
        cursor.takes(b':');
        let value = cursor.value();
        let name = Zeroizing::new(serde_json::from_str::<String>(&text[name]).unwrap_or_default());
        if name.as_str() == key {
            found = Some(value);
        }
    }
    found.ok_or(NewValueError::NoSuchField)
}

/// Walks over a text that is known to be JSON.
struct Cursor<'t> {
    text: &'t str,
    at: usize,
}

impl Cursor<'_> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn skip_blanks(&mut self) {
        while self.peek().is_some_and(|byte| byte.is_ascii_whitespace()) {
            self.at += 1;
        }
    }

    fn takes(&mut self, wanted: u8) -> bool {
        self.skip_blanks();
        let fits = self.peek() == Some(wanted);
        self.at += usize::from(fits);
        fits
    }

    /// The next value's span.
    fn value(&mut self) -> Range<usize> {
        self.skip_blanks();
        let start = self.at;
        let (mut depth, mut in_text) = (0_usize, false);
        while let Some(byte) = self.peek() {
            match byte {
                b'\\' if in_text => self.at += 1,
                b'"' => {
                    in_text = !in_text;
                    if !in_text && depth == 0 {
                        self.at += 1;
                        break;
                    }
                }
                _ if in_text => {}
                b'{' | b'[' => depth += 1,
                b'}' | b']' if depth == 0 => break,
                b'}' | b']' => {
                    depth -= 1;
                    if depth == 0 {
                        self.at += 1;
                        break;
                    }
                }
                b',' | b':' if depth == 0 => break,
                byte if depth == 0 && byte.is_ascii_whitespace() => break,
                _ => {}
            }
            self.at += 1;
        }
        start..self.at.min(self.text.len())
    }
}

/// The most that is read of a file, in bytes; a client secret has some 40, a bearer token up to a few thousand.
const LIMIT: u64 = 16 * 1024;

/// Why no secret was read. Never holds what the source gave.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HeldSecretError {
    #[error("{place} is not set; set it to {what}")]
    NotSet { place: String, what: &'static str },
    #[error("{place} is empty; it must hold {what}")]
    Empty { place: String, what: &'static str },
    #[error("{place} cannot be read: {reason}")]
    Unreadable { place: String, reason: String },
    #[error("{place} is not text of at most {LIMIT} bytes, so it is not {what}")]
    NotASecret { place: String, what: &'static str },
}

/// Reads a secret; `what` it is stands in errors, with its article. Line breaks at the end, which editors add, are not
/// part of it.
///
/// # Errors
/// Where nothing usable is there; says where, and not what.
pub async fn secret_source(source: &SecretSource, what: &'static str) -> Result<SecretString, HeldSecretError> {
    let place = source.to_string();
    let unfit = || HeldSecretError::NotASecret { place: place.clone(), what };
    let text = match source {
        SecretSource::Env(name) => {
            let value = std::env::var_os(name).ok_or_else(|| HeldSecretError::NotSet { place: place.clone(), what })?;
            Zeroizing::new(value.into_string().map_err(|_| unfit())?)
        }
        SecretSource::File(path) => {
            let unreadable =
                |error: std::io::Error| HeldSecretError::Unreadable { place: place.clone(), reason: error.to_string() };
            let file = tokio::fs::File::from_std(regular_file::open(path).map_err(unreadable)?);
            let mut bytes = Zeroizing::new(Vec::with_capacity(256));
            file.take(LIMIT + 1).read_to_end(&mut bytes).await.map_err(unreadable)?;
            if bytes.len() as u64 > LIMIT {
                return Err(unfit());
            }
            Zeroizing::new(std::str::from_utf8(&bytes).map_err(|_| unfit())?.to_owned())
        }
    };
    match text.trim_end_matches(['\r', '\n']) {
        "" => Err(HeldSecretError::Empty { place, what }),
        text => Ok(SecretString::from(text)),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;

    fn value(text: &str) -> NewValue {
        NewValue(Zeroizing::new(text.to_owned()))
    }

    fn read(bytes: &[u8], line_break: LineBreak) -> Result<String, NewValueError> {
        NewValue::read(Zeroizing::new(bytes.to_vec()), line_break).map(|value| value.0.to_string())
    }

    #[test]
    fn a_line_break_at_the_end_is_nobodys_guess() {
        assert_eq!(read(b"v", LineBreak::Refuse).as_deref(), Ok("v"));
        assert_eq!(read(b"v\n", LineBreak::Refuse), Err(NewValueError::LineBreak));
        assert_eq!(read(b"v\r\n", LineBreak::Strip).as_deref(), Ok("v"));
        assert_eq!(read(b"v\n\n", LineBreak::Strip).as_deref(), Ok("v\n"));
        assert_eq!(read(b"v\n", LineBreak::Keep).as_deref(), Ok("v\n"));
        assert_eq!(read(b"", LineBreak::Keep), Err(NewValueError::Empty));
        assert_eq!(read(b"\n", LineBreak::Strip), Err(NewValueError::Empty));
        assert_eq!(read(b"\xff", LineBreak::Keep), Err(NewValueError::NotText));
        assert_eq!(read(&[b'x'; LARGEST + 1], LineBreak::Keep), Err(NewValueError::TooLarge));
    }

    #[test]
    fn generated_values_are_of_their_alphabet_and_differ() {
        for alphabet in [Alphabet::Alphanumeric, Alphabet::Hex, Alphabet::UrlSafe] {
            let [a, b] = [(), ()].map(|()| NewValue::generate(200, alphabet).unwrap().0);
            assert_eq!(a.len(), 200);
            assert!(a.bytes().all(|byte| alphabet.characters().contains(&byte)));
            assert_ne!(*a, *b);
        }
    }

    #[test]
    fn one_field_is_replaced_and_no_other_byte() {
        for (document, placed) in [
            (r#"{"k":"old"}"#, r#"{"k":"n\"w"}"#),
            (
                r#" { "a" : [1, {"k": "x"}], "k"  :  "old" , "z": 1.0e5 } "#,
                r#" { "a" : [1, {"k": "x"}], "k"  :  "n\"w" , "z": 1.0e5 } "#,
            ),
            (r#"{"k":{"a":"}"},"b":null}"#, r#"{"k":"n\"w","b":null}"#),
            (r#"{"k":12,"b":"\"k\":"}"#, r#"{"k":"n\"w","b":"\"k\":"}"#),
            (r#"{"\u006b":true}"#, r#"{"\u006b":"n\"w"}"#),
            (r#"{"k":1,"k":2}"#, r#"{"k":1,"k":"n\"w"}"#),
        ] {
            assert_eq!(value("n\"w").placed(document.as_bytes(), "k").unwrap().as_str(), placed);
        }
        for (document, error) in [
            (r#"{"a":1}"#, NewValueError::NoSuchField),
            ("{}", NewValueError::NoSuchField),
            ("[1]", NewValueError::NotAnObject),
            ("plain", NewValueError::NotAnObject),
            (r#"{"k":1"#, NewValueError::NotAnObject),
        ] {
            assert_eq!(value("x").placed(document.as_bytes(), "k").map(|_| ()), Err(error), "{document}");
        }
    }

    proptest! {
        #[test]
        fn a_placed_field_is_the_only_change(
            fields in prop::collection::btree_map("[a-z\"\\\\é{}:, ]{0,4}", ".{0,6}", 1..6), new in ".{1,8}", pretty in any::<bool>(),
        ) {
            let key = fields.keys().next().unwrap().clone();
            let document = if pretty { serde_json::to_string_pretty(&fields) } else { serde_json::to_string(&fields) }.unwrap();
            let placed: Value = serde_json::from_str(&value(&new).placed(document.as_bytes(), &key).unwrap()).unwrap();
            let mut wanted = fields.clone();
            wanted.insert(key, new);
            prop_assert_eq!(placed, serde_json::to_value(wanted).unwrap());
        }
    }
}

#[cfg(test)]
mod secret_source_tests {
    use std::io::Write as _;

    use secrecy::ExposeSecret as _;

    use super::*;

    const WHAT: &str = "the secret";

    #[tokio::test]
    async fn reads_a_file_without_its_line_break() {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(b"planted~secret\r\n").unwrap();
        let source = SecretSource::File(file.path().to_owned());
        assert_eq!(secret_source(&source, WHAT).await.unwrap().expose_secret(), "planted~secret");
        file.write_all(&[b'x'; 20_000]).unwrap();
        let error = secret_source(&source, WHAT).await.unwrap_err();
        assert!(matches!(error, HeldSecretError::NotASecret { .. }) && !error.to_string().contains("planted"));
    }

    #[tokio::test]
    async fn says_where_nothing_is() {
        let missing = SecretSource::File("/nonexistent/secret".into());
        assert!(secret_source(&missing, WHAT).await.unwrap_err().to_string().contains("/nonexistent/secret"));
        let unset = SecretSource::Env("TRUSTLINE_TEST_NEVER_SET".into());
        assert_eq!(
            secret_source(&unset, WHAT).await.unwrap_err(),
            HeldSecretError::NotSet { place: "variable TRUSTLINE_TEST_NEVER_SET".into(), what: WHAT }
        );
    }
}
