//! Secrets that people paste along with an error text, taken out before anything is quoted.

use std::sync::LazyLock;

use super::clean::Clean;
use super::rule::Phrases;
use crate::domain::redaction::random_runs;

/// What stands where a token stood.
const TOKEN: &str = "<token>";
/// What stands where a key or secret stood.
const SECRET: &str = "<redacted>";

/// Marks behind which a secret stands, when `=`, `:` or a quote follows.
const KEYS: &[&str] = &[
    "secret_access_key",
    "secretaccesskey",
    "session_token",
    "sessiontoken",
    "security-token",
    "client_secret",
    "clientsecret",
    "client_assertion",
    "web-identity-token",
    "webidentitytoken",
    "secretstring",
    "subject_token",
    "access_token",
    "id_token",
    "refresh_token",
    "password",
    "api_key",
    "private_key",
    "request_token",
];

/// The first byte sequence of a JWT: `{"` in base64url.
const JWT: &str = "eyJ";
/// What stands before a credential in a header.
const BEARER: &str = "Bearer ";

static MARKS: LazyLock<Phrases> = LazyLock::new(|| Phrases::new([JWT, BEARER].into_iter().chain(KEYS.iter().copied())));

/// Replaces tokens and secret values by a mark.
pub(super) fn redact(clean: Clean) -> Clean {
    let text = &clean.text;
    let mut out = Clean { text: String::new(), line_starts: Vec::with_capacity(clean.line_starts.len()) };
    let mut lines = clean.line_starts.iter().copied().peekable();
    let mut copied = 0;
    let mut keep = |out: &mut Clean, from: usize, to: usize, replacement: &str| {
        while let Some(start) = lines.next_if(|start| *start <= to) {
            // A line that began inside a secret begins where the secret ends.
            out.line_starts.push(out.text.len() + start.saturating_sub(from));
        }
        out.text.push_str(&text[from..to]);
        out.text.push_str(replacement);
    };
    for (start, end, replacement) in secrets(text) {
        if start >= copied {
            keep(&mut out, copied, start, replacement);
        }
        copied = copied.max(end);
    }
    if copied == 0 {
        return clean;
    }
    keep(&mut out, copied, text.len(), "");
    out
}

/// Where secrets stand, in the order of their beginnings, and what stands in their place.
fn secrets(text: &str) -> Vec<(usize, usize, &'static str)> {
    let mut found: Vec<_> = random_runs(text).into_iter().map(|(start, end)| (start, end, TOKEN)).collect();
    MARKS.each(text, |number, mark, behind| {
        found.extend(match number {
            0 if text[mark..behind].eq_ignore_ascii_case(JWT) => token(text, mark).map(|end| (mark, end, TOKEN)),
            0 => None,
            1 => opaque(text, behind).map(|end| (behind, end, TOKEN)),
            _ => assigned(text, behind).map(|(start, end)| (start, end, SECRET)),
        });
    });
    found.sort_unstable();
    found
}

const fn is_token_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'=' | b'+' | b'/' | b'%' | b'~')
}

fn run_end(text: &str, start: usize) -> usize {
    text.as_bytes()[start..].iter().position(|b| !is_token_byte(*b)).map_or(text.len(), |length| start + length)
}

/// Where a JWT that starts here ends; a terminal may have broken it over several lines.
fn token(text: &str, start: usize) -> Option<usize> {
    let mut end = run_end(text, start);
    if end - start < 16 {
        return None;
    }
    while text[end..].starts_with(' ') {
        let next = run_end(text, end + 1);
        if next - end < 40 {
            break;
        }
        end = next;
    }
    Some(end)
}

/// Where the credential of an `Authorization` header ends, if it is long enough to be one.
fn opaque(text: &str, start: usize) -> Option<usize> {
    let end = run_end(text, start);
    (end - start >= 20).then_some(end)
}

/// Where the value assigned to a name stands: behind `=` or `:`, in quotes or bare.
fn assigned(text: &str, name_end: usize) -> Option<(usize, usize)> {
    let rest = text.as_bytes().get(name_end..)?;
    let gap = rest.iter().take(6).position(|b| !matches!(b, b'"' | b'\'' | b' ' | b'=' | b':'))?;
    if !rest[..gap].iter().any(|b| matches!(b, b'=' | b':')) {
        return None;
    }
    let start = name_end + gap;
    let end = run_end(text, start);
    let value = &text[start..end];
    // Words of a sentence are no secret, and neither is the code of an error.
    let looks_secret = value.len() >= 24 || value.len() >= 8 && value.bytes().any(|b| b.is_ascii_digit());
    (looks_secret && !value.starts_with("AADSTS")).then_some((start, end))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn redacts(text: &str, wanted: &str) {
        assert_eq!(redact(super::super::clean::clean(text)).text, wanted);
    }

    #[test]
    fn takes_tokens_out() {
        redacts("token eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJ4In0.c2lnbmF0dXJl, denied", "token <token>, denied");
        redacts("Authorization: Bearer abcdefghijklmnopqrstuvwxyz0123", "Authorization: Bearer <token>");
        let line = "A".repeat(60);
        redacts(&format!("eyJhbGciOiJSUzI1NiJ9.{line} {line} end"), "<token> end");
    }

    #[test]
    fn takes_broken_and_turned_tokens_out() {
        let random =
            "kY3Vf9sQ2LmZ8xT1bN6wRg4HcJ7aPd0EuXo5iWqKlMvSzByCtUfGhIjOrDpNeAs3T6u8ZxQwL1mVnBkHyRcGfJd2Pa".repeat(2);
        let token = format!("eyJhbGciOiJSUzI1NiIsImtpZCI6ImsxIn0.eyJ{random}.{random}");
        let every = |width: usize, between: &str| {
            let pieces: Vec<&str> =
                token.as_bytes().chunks(width).map(|piece| std::str::from_utf8(piece).unwrap()).collect();
            pieces.join(between)
        };
        let hex: String = token.bytes().map(|byte| format!("{byte:02x}")).collect();
        let backwards: String = token.chars().rev().collect();
        for spelt in [
            every(16, " "),
            every(36, "\n"),
            every(60, "  "),
            every(40, "\u{200b}"),
            token.replace('.', " . "),
            token.to_uppercase(),
            token.to_lowercase(),
            backwards,
            hex,
            format!("\"signature\": \"{random}\""),
        ] {
            let kept = redact(super::super::clean::clean(&format!("refused {spelt} for you"))).text;
            assert!(kept.starts_with("refused ") && kept.ends_with(" for you"), "{kept}");
            let left = kept.replace(TOKEN, "").replace("\"signature\"", "");
            assert!(left.len() < 70, "{spelt}: {kept}");
        }
    }

    #[test]
    fn lines_keep_their_places() {
        let clean = redact(super::super::clean::clean("one\nBearer abcdefghijklmnopqrstuvwxyz0123 x\nthree"));
        assert_eq!(clean.text, "one Bearer <token> x three");
        assert_eq!(&clean.text[clean.line_start(22)..], "three");
        assert_eq!(&clean.text[clean.line_start(12)..clean.line_end(12)], "Bearer <token> x ");
    }

    #[test]
    fn takes_assigned_secrets_out() {
        redacts("aws_secret_access_key = wJalrXUtnFEMIK7MDENGbPxRfiCYEXAMPLEKEY", "aws_secret_access_key = <redacted>");
        redacts(r#"{"SecretString":"hunter2hunter2"}"#, r#"{"SecretString":"<redacted>"}"#);
    }

    #[test]
    fn leaves_error_texts_alone() {
        for text in [
            "AADSTS7000218: The request body must contain 'client_assertion' or 'client_secret'.",
            "Invalid length for parameter WebIdentityToken, value: 0, valid min length: 4",
            "ACTIONS_ID_TOKEN_REQUEST_TOKEN is not set",
            "AKV10000: Request is missing a Bearer or PoP token.",
        ] {
            redacts(text, text);
        }
    }
}
