//! Taking secrets out of texts: those that are known, however somebody else spells them ([`echo`]); what looks like
//! one; and what is too random to be anything else.

pub mod echo;
mod view;

use std::borrow::Cow;
use std::cmp::Reverse;

use serde_json::{Map, Value};

pub use view::random_runs;

/// What stands in place of what was cut.
pub const CUT: &str = "[cut]";

/// How access tokens of code hosts, registries, chats and payment services begin.
const TOKEN_PREFIXES: &[&str] = &[
    "ghp_",
    "gho_",
    "ghu_",
    "ghs_",
    "ghr_",
    "github_pat_",
    "glpat-",
    "gldt-",
    "glptt-",
    "xoxb-",
    "xoxp-",
    "xoxa-",
    "xapp-",
    "npm_",
    "sk_live_",
    "dckr_pat_",
    "hvs.",
];
/// How AWS access key ids begin (IAM user guide, "Unique identifiers").
const KEY_PREFIXES: &[&str] = &["AKIA", "ASIA"];
/// What names of secrets end in, without signs between words and in lower case.
const SECRET_NAMES: &[&str] = &[
    "password",
    "passwd",
    "passphrase",
    "secret",
    "secretaccesskey",
    "secretkey",
    "sessiontoken",
    "accesstoken",
    "refreshtoken",
    "idtoken",
    "apikey",
    "privatekey",
    "authorization",
];
const PRIVATE_KEY: &str = "PRIVATE KEY";
const PRIVATE_KEY_ENDS: &str = "PRIVATE KEY-----";
const PEM_BEGINS: &str = "-----BEGIN";

/// No text is shorter that holds one: `a://b:c@d`.
const SHORTEST: usize = 9;

/// A secret in a text.
struct Likeness {
    begin: usize,
    end: usize,
    /// With its article.
    kind: &'static str,
}

/// What kind of secret a text holds, with its article, if it looks as if it did.
pub fn looks_secret(text: &str) -> Option<&'static str> {
    let pem = text.contains(PEM_BEGINS).then_some("a private key or certificate");
    tokens(text)
        .first()
        .map(|token| token.kind)
        .or(pem)
        .or_else(|| [access_keys(text), access_tokens(text)].iter().flatten().next().map(|found| found.kind))
}

/// A text without what looks like a secret in it.
pub fn cut_from_text(text: &str) -> Cow<'_, str> {
    if text.len() < SHORTEST {
        return Cow::Borrowed(text);
    }
    let kinds = [tokens(text), private_keys(text), access_keys(text), access_tokens(text), url_passwords(text)];
    let mut found: Vec<Likeness> = kinds.into_iter().flatten().collect();
    found.sort_unstable_by_key(|likeness| (likeness.begin, Reverse(likeness.end)));
    found.dedup_by(|next, last| next.begin < last.end);
    if found.is_empty() {
        return Cow::Borrowed(text);
    }
    let mut kept = String::with_capacity(text.len());
    let mut copied = 0;
    for likeness in found {
        kept.push_str(&text[copied..likeness.begin]);
        kept.push_str(CUT);
        copied = likeness.end;
    }
    kept.push_str(&text[copied..]);
    Cow::Owned(kept)
}

/// Cuts what looks like a secret, or is called one, out of an object; yields where that was, such as `aws.keys.0`.
pub fn cut_from_json(object: &mut Map<String, Value>) -> Vec<String> {
    object.iter_mut().flat_map(|(name, value)| below(&cut_from_text(name), cut_member(name, value))).collect()
}

fn cut_member(name: &str, value: &mut Value) -> Vec<String> {
    match value {
        Value::String(text) if !text.is_empty() && names_secret(name) => {
            CUT.clone_into(text);
            vec![String::new()]
        }
        value => cut_from_value(value),
    }
}

/// Yields the places below the value, of which an empty one is itself.
fn cut_from_value(value: &mut Value) -> Vec<String> {
    match value {
        Value::String(text) => match cut_from_text(text) {
            Cow::Borrowed(_) => Vec::new(),
            Cow::Owned(kept) => {
                *text = kept;
                vec![String::new()]
            }
        },
        Value::Array(items) => {
            let items = items.iter_mut().enumerate();
            items.flat_map(|(number, item)| below(&number, cut_from_value(item))).collect()
        }
        Value::Object(members) => cut_from_json(members),
        Value::Null | Value::Bool(_) | Value::Number(_) => Vec::new(),
    }
}

fn below(name: &impl std::fmt::Display, places: Vec<String>) -> Vec<String> {
    let within = |place: String| if place.is_empty() { name.to_string() } else { format!("{name}.{place}") };
    places.into_iter().map(within).collect()
}

fn names_secret(name: &str) -> bool {
    let name: String = name.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect();
    SECRET_NAMES.iter().any(|ending| name.ends_with(ending))
}

/// Tokens: `{"` in base64url, and a dot behind.
fn tokens(text: &str) -> Vec<Likeness> {
    runs(
        text,
        &["eyJ"],
        "a token",
        |byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte),
        |length, has_dot| length > 20 && has_dot,
    )
}

fn access_keys(text: &str) -> Vec<Likeness> {
    let fits = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit();
    runs(text, KEY_PREFIXES, "an access key", fits, |length, _| length >= 20)
}

fn access_tokens(text: &str) -> Vec<Likeness> {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    runs(text, TOKEN_PREFIXES, "an access token", fits, |length, _| length >= 24)
}

/// The runs of fitting characters from one of `beginnings` on that are secrets by their length and whether a dot stands in
/// them. Each character is looked at twice for each beginning, however many of them a run holds.
fn runs(
    text: &str,
    beginnings: &[&str],
    kind: &'static str,
    fits: impl Fn(u8) -> bool,
    is_secret: impl Fn(usize, bool) -> bool,
) -> Vec<Likeness> {
    let mut found = Vec::new();
    // Shorter than any run that counts.
    if !is_secret(text.len(), true) {
        return found;
    }
    for beginning in beginnings {
        let (mut run_end, mut last_dot) = (0, None);
        let mut taken = 0;
        for (begin, _) in text.match_indices(beginning) {
            if begin < taken {
                continue;
            }
            if begin >= run_end {
                let rest = &text.as_bytes()[begin..];
                run_end = begin + rest.iter().position(|byte| !fits(*byte)).unwrap_or(rest.len());
                last_dot = text[begin..run_end].rfind('.').map(|at| begin + at);
            }
            if is_secret(run_end - begin, last_dot.is_some_and(|dot| dot >= begin)) {
                taken = run_end;
                found.push(Likeness { begin, end: run_end, kind });
            }
        }
    }
    found
}

/// Private keys in PEM, up to the line that ends them; a cut one to the end of the text.
fn private_keys(text: &str) -> Vec<Likeness> {
    let mut found: Vec<Likeness> = Vec::new();
    for (begin, _) in text.match_indices(PEM_BEGINS) {
        if found.last().is_some_and(|last| begin < last.end) {
            continue;
        }
        let inside = begin + PEM_BEGINS.len();
        let Some(label) = text[inside..].find('-') else { continue };
        let body = inside + label;
        if !text[..body].ends_with(PRIVATE_KEY) {
            continue;
        }
        let end = text[body..].find(PRIVATE_KEY_ENDS).map_or(text.len(), |at| body + at + PRIVATE_KEY_ENDS.len());
        found.push(Likeness { begin, end, kind: "a private key" });
    }
    found
}

/// The passwords of `scheme://user:password@host`.
fn url_passwords(text: &str) -> Vec<Likeness> {
    let password = |from: usize| {
        let authority = text[from..]
            .find(['/', '?', '#', ' ', '"', '\'', '<'])
            .map_or(&text[from..], |end| &text[from..from + end]);
        let user_info = &authority[..authority.rfind('@')?];
        let colon = user_info.find(':')?;
        (colon + 1 < user_info.len()).then(|| Likeness {
            begin: from + colon + 1,
            end: from + user_info.len(),
            kind: "a password",
        })
    };
    text.match_indices("://").filter_map(|(at, sign)| password(at + sign.len())).collect()
}

#[cfg(test)]
mod likeness_tests {
    use serde_json::json;

    use super::*;

    const TOKEN: &str = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJ4In0.c2ln";

    #[test]
    fn secrets_are_seen_wherever_they_stand() {
        for text in [
            TOKEN.to_owned(),
            format!("Bearer {TOKEN}"),
            "eyJhbGciOiJub25lIn0.e30.".to_owned(),
            format!("token.env={TOKEN}"),
            "AKIAIOSFODNN7EXAMPLE".to_owned(),
            "-----BEGIN PRIVATE KEY-----".to_owned(),
            "glpat-0123456789abcdefghij".to_owned(),
        ] {
            assert!(looks_secret(&text).is_some(), "{text}");
        }
    }

    #[test]
    fn names_and_paths_are_not() {
        for text in
            ["eyJ", "token.jwt", "/tmp/ghs_notes.txt", "AKIA", "arn:aws:iam::123456789012:role/r", "GITHUB_TOKEN", "é…"]
        {
            assert_eq!(looks_secret(text), None, "{text}");
            assert_eq!(cut_from_text(text), text);
        }
    }

    #[test]
    fn only_the_secret_is_cut_out_of_a_text() {
        let pem = |label: &str| format!("-----BEGIN {label}-----\nMIIEabcd\n-----END {label}-----");
        for (text, kept) in [
            (format!("Bearer {TOKEN}, and {TOKEN}"), "Bearer [cut], and [cut]".to_owned()),
            (format!("key: {} end", pem("PRIVATE KEY")), "key: [cut] end".to_owned()),
            (pem("RSA PRIVATE KEY"), "[cut]".to_owned()),
            ("-----BEGIN EC PRIVATE KEY-----\nMIIEcut off".to_owned(), "[cut]".to_owned()),
            (pem("CERTIFICATE"), pem("CERTIFICATE")),
            ("-----BEGIN".to_owned(), "-----BEGIN".to_owned()),
            ("id AKIAABCDEFGHIJKLMNOP.".to_owned(), "id [cut].".to_owned()),
            ("xoxb-123456789012-abcdefghijkl".to_owned(), "[cut]".to_owned()),
            ("https://user:hunter2@host.example/x".to_owned(), "https://user:[cut]@host.example/x".to_owned()),
            ("https://host.example:8443/@x".to_owned(), "https://host.example:8443/@x".to_owned()),
            ("at https://a.example, mail me:you@b".to_owned(), "at https://a.example, mail me:you@b".to_owned()),
        ] {
            assert_eq!(cut_from_text(&text), kept, "{text}");
        }
    }

    #[test]
    fn claims_lose_their_secrets_and_keep_the_rest() {
        let Value::Object(mut claims) = json!({
            "sub": "organization:1", "aud": ["sts.amazonaws.com"], "exp": 1,
            "access_token": "opaque", "list": [1, { "t": TOKEN }], "db": { "Pass-Word": "x", "host": "h" }, "secret": "",
        }) else {
            panic!("an object")
        };
        let places = cut_from_json(&mut claims);
        assert_eq!(places, ["access_token", "list.1.t", "db.Pass-Word"]);
        assert_eq!(
            Value::Object(claims),
            json!({
                "sub": "organization:1", "aud": ["sts.amazonaws.com"], "exp": 1,
                "access_token": CUT, "list": [1, { "t": CUT }], "db": { "Pass-Word": CUT, "host": "h" }, "secret": "",
            })
        );
    }

    /// The least of three, in nanoseconds of this thread's work: what else the machine does counts for nothing.
    fn work(text: &str) -> i64 {
        let spent = || {
            let now = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
            now.tv_sec * 1_000_000_000 + now.tv_nsec
        };
        let once = |_| {
            let before = spent();
            assert_eq!(cut_from_text(text), text);
            spent() - before
        };
        (0..3).map(once).min().unwrap()
    }

    #[test]
    fn a_long_text_of_beginnings_is_read_once() {
        for (beginning, count) in [("eyJ", 4_000), ("AKIA ", 3_000), ("://", 4_000), ("-----BEGIN ", 1_000)] {
            let (short, long) = (work(&beginning.repeat(count)), work(&beginning.repeat(8 * count)));
            // Eight times the text; were each beginning read to the end, it would be sixty-four times the work.
            assert!(
                long < 24 * short,
                "{beginning:?}: {short} ns for {count} of them, {long} ns for eight times as many"
            );
        }
    }
}
