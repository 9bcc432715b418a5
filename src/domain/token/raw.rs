//! The token as text: cleaned of what pasting and shells add to it, and kept from every output.

use std::fmt;

use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::domain::text;

/// A token's text. It has no `Display` or `Serialize`, its `Debug` is masked, and its memory is wiped on drop.
#[derive(Clone)]
pub struct RawToken(SecretString);

impl fmt::Debug for RawToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RawToken(masked)")
    }
}

/// Something that stood around or inside the token and was taken away.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Cleaning {
    /// The bytes were UTF-16, as Windows PowerShell's `>` writes them.
    Utf16,
    /// A byte order mark at the start.
    ByteOrderMark,
    /// Blanks or line feeds before or after the token: harmless for most readers of a file.
    Surrounding,
    /// An `Authorization:` header name.
    HeaderName,
    /// The word `Bearer`.
    Bearer,
    /// Quotation marks around the token.
    Quotes,
    /// A JSON object around the token, which was its member `member`.
    JsonMember { member: String },
    /// Line breaks inside the token.
    LineBreaks { count: usize },
    /// Blanks inside the token.
    Blanks { count: usize },
    /// Invisible characters inside the token.
    Invisible { count: usize },
}

impl Cleaning {
    /// Whether other programs would stumble over it; only blanks around the token are commonly forgiven.
    pub fn harms_other_readers(&self) -> bool {
        !matches!(self, Cleaning::Surrounding)
    }
}

impl fmt::Display for Cleaning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let times = |f: &mut fmt::Formatter<'_>, count: usize, one: &str, more: &str| match count {
            1 => write!(f, "{one} inside the token"),
            n => write!(f, "{n} {more} inside the token"),
        };
        match self {
            Cleaning::Utf16 => f.write_str("UTF-16 encoding (as Windows PowerShell's `>` writes)"),
            Cleaning::ByteOrderMark => f.write_str("a byte order mark"),
            Cleaning::Surrounding => f.write_str("blanks or line feeds around the token"),
            Cleaning::HeaderName => f.write_str("the header name `Authorization:`"),
            Cleaning::Bearer => f.write_str("the word `Bearer`"),
            Cleaning::Quotes => f.write_str("quotation marks"),
            Cleaning::JsonMember { member } => write!(f, "the JSON object around its member `{member}`"),
            Cleaning::LineBreaks { count } => times(f, *count, "a line break", "line breaks"),
            Cleaning::Blanks { count } => times(f, *count, "a blank", "blanks"),
            Cleaning::Invisible { count } => times(f, *count, "an invisible character", "invisible characters"),
        }
    }
}

/// The bytes are no text, so they cannot be a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not text: byte {at} is not valid UTF-8")]
pub struct NotText {
    /// Offset of the first bad byte.
    pub at: usize,
}

/// The members of a JSON answer that carry a token: GitHub's request answers with `value`, token endpoints
/// with `id_token`, the lab and several command-line tools with `token`.
const TOKEN_MEMBERS: [&str; 3] = ["id_token", "value", "token"];

impl RawToken {
    /// Takes the token out of `text` and says what was taken away. Cleaning twice changes nothing more.
    pub fn clean(text: &str) -> (RawToken, Vec<Cleaning>) {
        let mut removed = Vec::new();
        let mut current = Zeroizing::new(text.to_owned());
        loop {
            let core = strip_around(&current, &mut removed);
            if let Some((member, value)) = json_member(core) {
                note(&mut removed, Cleaning::JsonMember { member: member.to_owned() });
                current = value;
            } else if core.chars().any(is_blank) {
                current = remove_inside(core, &mut removed);
            } else {
                return (RawToken(SecretString::from(core)), removed);
            }
        }
    }

    /// As [`RawToken::clean`], from bytes that may be UTF-8 or, with a byte order mark, UTF-16.
    pub fn clean_bytes(bytes: &[u8]) -> Result<(RawToken, Vec<Cleaning>), NotText> {
        let utf16 = match bytes {
            [0xff, 0xfe, rest @ ..] => Some((rest, u16::from_le_bytes as fn([u8; 2]) -> u16)),
            [0xfe, 0xff, rest @ ..] => Some((rest, u16::from_be_bytes as fn([u8; 2]) -> u16)),
            _ => None,
        };
        if let Some((rest, unit)) = utf16 {
            let units = rest.chunks_exact(2).map(|pair| unit([pair[0], pair[1]]));
            let decoded: Result<String, _> = char::decode_utf16(units).collect();
            let decoded = Zeroizing::new(decoded.map_err(|_| NotText { at: 2 })?);
            let (token, mut removed) = RawToken::clean(&decoded);
            removed.insert(0, Cleaning::Utf16);
            return Ok((token, removed));
        }
        match std::str::from_utf8(bytes) {
            Ok(text) => Ok(RawToken::clean(text)),
            Err(error) => Err(NotText { at: error.valid_up_to() }),
        }
    }

    /// The text with all that stands around the token, as some clients send it.
    pub fn as_it_is(bytes: &[u8]) -> Option<RawToken> {
        std::str::from_utf8(bytes).ok().map(|text| RawToken(SecretString::from(text)))
    }

    /// The token's text, for signing checks and for sending it; never for showing it.
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }

    /// How many bytes it has.
    pub fn len(&self) -> usize {
        self.expose().len()
    }

    /// Whether nothing is left of it.
    pub fn is_empty(&self) -> bool {
        self.expose().is_empty()
    }
}

/// Whether `text`, written where a file or variable name belongs, is itself a token: a compact JWS begins with the
/// base64url of `{"`.
pub fn looks_like_jwt(text: &str) -> bool {
    let text = text.trim();
    let text = strip_word(text, "bearer ").unwrap_or(text).trim_start_matches(is_quote_or_blank);
    text.starts_with("eyJ") && text.len() > 20 && text.contains('.')
}

/// Strips what stands around the token, as often as it occurs.
fn strip_around<'t>(text: &'t str, removed: &mut Vec<Cleaning>) -> &'t str {
    let mut core = text;
    loop {
        let before = core.len();
        let trimmed = core.trim_matches(is_blank);
        if trimmed.len() < core.len() {
            let mark = core.starts_with('\u{feff}');
            note(removed, if mark { Cleaning::ByteOrderMark } else { Cleaning::Surrounding });
            core = trimmed;
        }
        let unquoted = core.trim_matches(is_quote);
        if unquoted.len() < core.len() {
            note(removed, Cleaning::Quotes);
            core = unquoted;
        }
        if let Some(rest) = strip_word(core, "authorization:") {
            note(removed, Cleaning::HeaderName);
            core = rest.trim_start_matches(is_blank);
        }
        if let Some(rest) = strip_word(core, "bearer ").or_else(|| strip_word(core, "bearer\t")) {
            note(removed, Cleaning::Bearer);
            core = rest.trim_start_matches(is_blank);
        }
        if core.len() == before {
            return core;
        }
    }
}

fn strip_word<'t>(text: &'t str, word: &str) -> Option<&'t str> {
    let (head, rest) = text.split_at_checked(word.len())?;
    head.eq_ignore_ascii_case(word).then_some(rest)
}

fn remove_inside(core: &str, removed: &mut Vec<Cleaning>) -> Zeroizing<String> {
    let (mut breaks, mut blanks, mut invisible) = (0, 0, 0);
    let mut kept = Zeroizing::new(String::with_capacity(core.len()));
    let mut previous = ' ';
    for c in core.chars() {
        match c {
            // CR LF is one line break.
            '\n' if previous == '\r' => {}
            '\n' | '\r' => breaks += 1,
            c if c.is_whitespace() => blanks += 1,
            c if is_blank(c) => invisible += 1,
            c => kept.push(c),
        }
        previous = c;
    }
    for (count, cleaning) in [
        (breaks, Cleaning::LineBreaks { count: breaks }),
        (blanks, Cleaning::Blanks { count: blanks }),
        (invisible, Cleaning::Invisible { count: invisible }),
    ] {
        if count > 0 {
            removed.push(cleaning);
        }
    }
    kept
}

/// The token inside a JSON answer, and the name of its member.
fn json_member(core: &str) -> Option<(&'static str, Zeroizing<String>)> {
    if !core.starts_with('{') {
        return None;
    }
    let object: serde_json::Map<String, serde_json::Value> = serde_json::from_str(core).ok()?;
    let mut found = None;
    for (name, value) in object {
        if let serde_json::Value::String(text) = value {
            let text = Zeroizing::new(text);
            if let Some(member) = TOKEN_MEMBERS.iter().find(|m| **m == name)
                && found.is_none()
            {
                found = Some((*member, text));
            }
        }
    }
    found
}

fn note(removed: &mut Vec<Cleaning>, cleaning: Cleaning) {
    if !removed.contains(&cleaning) {
        removed.push(cleaning);
    }
}

fn is_blank(c: char) -> bool {
    c.is_whitespace() || text::is_unsafe(c)
}

fn is_quote(c: char) -> bool {
    matches!(c, '"' | '\'' | '`' | '\u{201c}' | '\u{201d}' | '\u{2018}' | '\u{2019}')
}

fn is_quote_or_blank(c: char) -> bool {
    is_quote(c) || is_blank(c)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn cleaned(text: &str) -> (String, Vec<Cleaning>) {
        let (token, removed) = RawToken::clean(text);
        (token.expose().to_owned(), removed)
    }

    #[test]
    fn takes_away_what_pasting_adds() {
        use Cleaning::*;
        for (text, removed) in [
            ("a.b.c", vec![]),
            ("a.b.c\n", vec![Surrounding]),
            ("\u{feff}a.b.c", vec![ByteOrderMark]),
            ("Bearer a.b.c", vec![Bearer]),
            ("bearer\ta.b.c", vec![Bearer]),
            ("'a.b.c'", vec![Quotes]),
            ("\u{201c}a.b.c\u{201d}", vec![Quotes]),
            ("Authorization: Bearer a.b.c", vec![HeaderName, Bearer]),
            ("\"Bearer a.\r\nb.\nc\"", vec![Quotes, Bearer, LineBreaks { count: 2 }]),
            ("a. b.\tc", vec![Blanks { count: 2 }]),
            ("a.\u{200b}b.c", vec![Invisible { count: 1 }]),
            ("{\"value\": \"a.b.c\", \"count\": 1}", vec![JsonMember { member: "value".into() }]),
            ("{\"access_token\":\"x\",\"id_token\":\"a.b.c\"}", vec![JsonMember { member: "id_token".into() }]),
        ] {
            assert_eq!(cleaned(text), ("a.b.c".to_owned(), removed), "{text:?}");
        }
    }

    #[test]
    fn reads_utf16_and_refuses_other_bytes() {
        let utf16: Vec<u8> =
            [0xff, 0xfe].into_iter().chain("a.b.c\r\n".encode_utf16().flat_map(u16::to_le_bytes)).collect();
        let (token, removed) = RawToken::clean_bytes(&utf16).unwrap();
        assert_eq!((token.expose(), removed), ("a.b.c", vec![Cleaning::Utf16, Cleaning::Surrounding]));
        assert_eq!(RawToken::clean_bytes(b"ab\xc3\x28").unwrap_err(), NotText { at: 2 });
    }

    #[test]
    fn debug_is_masked() {
        let (token, _) = RawToken::clean("eyJhbGciOiJub25lIn0.e30.");
        assert_eq!(format!("{token:?}"), "RawToken(masked)");
    }

    #[test]
    fn knows_a_token_where_a_name_belongs() {
        assert!(looks_like_jwt("eyJhbGciOiJub25lIn0.e30.c2ln"));
        assert!(looks_like_jwt("Bearer eyJhbGciOiJub25lIn0.e30.c2ln"));
        assert!(!looks_like_jwt("token.jwt"));
        assert!(!looks_like_jwt("eyJ.jwt"));
    }

    proptest! {
        #[test]
        fn cleaning_is_idempotent(text in "(Bearer |Authorization: ?|[\"'` \n{}:.]|eyJ|\"value\"|\\PC|\u{200b}){0,24}") {
            let (once, _) = cleaned(&text);
            let (twice, removed) = cleaned(&once);
            prop_assert_eq!(once, twice);
            prop_assert_eq!(removed, vec![]);
        }

        #[test]
        fn any_bytes_are_cleaned_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = RawToken::clean_bytes(&bytes);
        }
    }
}
