//! `trustline token`: every algorithm with keys made on the spot, broken and hostile tokens, and what must never be printed.

mod clouds;
mod signature;
mod signing;
mod source;

use std::path::PathBuf;

use assert_cmd::assert::Assert;
use serde_json::{Value, json};
use tempfile::TempDir;

use self::signing::{OTHER_RSA, RSA, b64};
use super::support::trustline;

const NOW: i64 = 1_700_000_000;

fn claims() -> Value {
    json!({
        "iss": "https://app.example.com", "sub": "organization:5f1c1c1e-0000-4000-8000-000000000001",
        "aud": "sts.amazonaws.com", "iat": NOW - 60, "exp": NOW + 3600
    })
}

fn sound() -> String {
    RSA.token(&json!({"alg": "RS256", "kid": "k1", "typ": "JWT"}), &claims())
}

/// A folder with the token and a key set, and the program run on them.
struct Case {
    folder: TempDir,
}

impl Case {
    fn new(token: impl AsRef<[u8]>, keys: &[Value]) -> Case {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("token.jwt"), token).unwrap();
        std::fs::write(folder.path().join("jwks.json"), json!({ "keys": keys }).to_string()).unwrap();
        Case { folder }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn run(&self, more: &[&str]) -> Assert {
        let mut command = trustline();
        command.current_dir(self.folder.path()).args(["token", "token.jwt", "--now", &NOW.to_string()]).args(more);
        command.assert()
    }

    fn json(&self, more: &[&str]) -> (i32, Value) {
        let output = self.run(&[&["--output", "json"], more].concat()).get_output().clone();
        let text = String::from_utf8(output.stdout).unwrap();
        let document = serde_json::from_str(&text).unwrap_or_else(|e| panic!("{e}: {text}"));
        (output.status.code().unwrap(), document)
    }

    fn verified(&self) -> (i32, Value) {
        self.json(&["--jwks", "jwks.json"])
    }
}

fn causes(document: &Value) -> Vec<&str> {
    document["problems"].as_array().unwrap().iter().map(|finding| finding["cause"].as_str().unwrap()).collect()
}

fn text_of(assert: &Assert) -> String {
    let output = assert.get_output();
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

#[test]
fn a_file_that_holds_no_token_is_named_and_its_content_not_shown() {
    for (text, what) in [
        ("root:x:0:0:planted:/root:/bin/sh\nplanted:x:1:1::/:/bin/sh\n", "2 lines of text"),
        ("{\"planted\": \"x\"}", "a JSON document"),
    ] {
        let assert = Case::new(text, &[]).run(&[]).code(2);
        let said = text_of(&assert);
        for part in ["token.jwt", what, "three parts joined by dots", "trustline explain FILE"] {
            assert!(said.contains(part), "{part}: {said}");
        }
        assert!(!said.contains("planted") && !said.contains("Facebook"), "{said}");
    }
}

#[test]
fn what_was_stripped_is_told() {
    let token = sound();
    let (head, tail) = token.split_at(100);
    let (code, document) = Case::new(format!("'Bearer {head}\n{tail}'"), &[RSA.jwk("k1")]).verified();
    assert_eq!((code, &document["signature"]), (0, &json!("verified")), "{document:#}");
    let kinds: Vec<&str> =
        document["cleaned"].as_array().unwrap().iter().map(|cleaning| cleaning["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["quotes", "bearer", "line-breaks"]);
    assert_eq!(causes(&document), ["malformed-token"], "others would stumble over it");
}

#[test]
fn broken_tokens_still_show_their_header() {
    let token = sound();
    let parts: Vec<&str> = token.split('.').collect();
    let [header, payload, made] = parts[..] else { panic!() };
    for (what, broken, cause) in [
        ("header only", header.to_owned(), "malformed-token"),
        ("cut in the payload", format!("{header}.{}", &payload[..50]), "malformed-token"),
        ("no signature", format!("{header}.{payload}"), "malformed-token"),
        ("empty signature", format!("{header}.{payload}."), "malformed-token"),
        ("payload is no base64", format!("{header}.%%%.{made}"), "malformed-token"),
        ("payload is a list", format!("{header}.{}.{made}", b64("[1]")), "malformed-token"),
        ("payload is no JSON", format!("{header}.{}.{made}", b64("{\"iss\":\"https://a\",")), "malformed-token"),
        ("four parts", format!("{token}.x"), "malformed-token"),
        ("five parts", format!("{header}.a.b.c.d"), "wrong-token-kind"),
        ("padding", format!("{header}.{payload}.{made}=="), "malformed-token"),
    ] {
        let case = Case::new(&broken, &[RSA.jwk("k1")]);
        let (code, document) = case.verified();
        assert_eq!((code, &document["header"]["kid"]), (1, &json!("k1")), "{what}: {document:#}");
        assert_eq!(causes(&document)[0], cause, "{what}: {document:#}");
        assert_ne!(document["signature"], "verified", "{what}");
        assert!(text_of(&case.run(&[])).contains("the key that signed it"), "{what}");
    }
    let (code, document) = Case::new("ghs_0123456789abcdefghij0123456789abcdef", &[]).json(&[]);
    assert_eq!((code, causes(&document)), (1, vec!["wrong-token-kind"]), "{document:#}");
    assert!(!document.to_string().contains("ghs_0123"), "an opaque token is a secret as a whole");
}

#[test]
fn times_are_judged_with_the_clouds_tolerance() {
    for (iat, exp, code, cause) in [
        (NOW - 10, NOW + 3600, 0, None),
        (NOW - 10, NOW + 200, 0, Some("token-expired")),
        (NOW - 4000, NOW - 299, 0, Some("token-expired")),
        (NOW - 4000, NOW - 301, 1, Some("token-expired")),
        (NOW + 299, NOW + 3600, 0, Some("clock-skew")),
        (NOW + 301, NOW + 3600, 1, Some("clock-skew")),
    ] {
        let mut claims = claims();
        (claims["iat"], claims["exp"]) = (json!(iat), json!(exp));
        let token = RSA.token(&json!({"alg": "RS256", "kid": "k1"}), &claims);
        let (exit, document) = Case::new(token, &[RSA.jwk("k1")]).verified();
        assert_eq!((exit, causes(&document).first().copied()), (code, cause), "{iat} {exp}: {document:#}");
        assert_eq!(document["signature"], "verified", "time and signature are two verdicts");
        assert_eq!(document["expires_in_s"], exp - NOW);
    }
}

#[test]
fn expectations_are_compared_byte_for_byte() {
    let case = Case::new(sound(), &[RSA.jwk("k1")]);
    let keys = ["--jwks", "jwks.json"];
    let with = |more: &[&str]| case.json(&[&keys[..], more].concat());
    assert_eq!(with(&["--issuer", "https://app.example.com", "--audience", "sts.amazonaws.com"]).0, 0);
    let (code, document) = with(&["--issuer", "https://app.example.com/"]);
    assert_eq!((code, causes(&document)), (1, vec!["provider-missing"]));
    let finding = &document["problems"][0];
    assert_eq!(
        (&finding["expected"], &finding["actual"]),
        (&json!("https://app.example.com/"), &json!("https://app.example.com"))
    );
    assert!(finding["docs"].as_str().is_some_and(|docs| docs.starts_with("https://")), "{finding:#}");
    let (code, document) = with(&["--audience", "sts.amazonaws.com.cn"]);
    assert_eq!((code, causes(&document)), (1, vec!["aud-not-registered"]));
    let text = text_of(&case.run(&["--jwks", "jwks.json", "--issuer", "https://app.example.org"]));
    let lines: Vec<&str> = text.lines().collect();
    let actual = lines.iter().position(|line| line.contains("actual    https://app.example.com")).expect(&text);
    assert_eq!(lines[actual + 1].find('^'), lines[actual].find(".com").map(|at| at + 1), "{text}");
}

#[test]
fn neither_the_token_nor_its_signature_is_ever_printed() {
    let token = sound();
    let made = token.rsplit('.').next().unwrap().to_owned();
    let broken = format!("{}!{}", &token[..token.len() - 20], &token[token.len() - 20..]);
    let no_set = Case::new(&token, &[]);
    std::fs::write(no_set.path("jwks.json"), &token).unwrap();
    for (case, arguments) in [
        (Case::new(&token, &[RSA.jwk("k1")]), &["--jwks", "jwks.json"][..]),
        (Case::new(&token, &[OTHER_RSA.jwk("k1")]), &["--jwks", "jwks.json", "--output", "json"]),
        (Case::new(&token, &[]), &["--color", "always"]),
        (Case::new(&broken, &[RSA.jwk("k1")]), &["--jwks", "jwks.json"]),
        (Case::new(format!("{token}\u{0}\u{1b}[2J"), &[]), &["--output", "json"]),
        (no_set, &["--jwks", "jwks.json"]),
    ] {
        let text = text_of(&case.run(arguments));
        assert!(!text.contains(&made[..16]) && !text.contains(&made[made.len() - 16..]), "{text}");
        assert!(!text.contains(&token[..80]), "{text}");
    }
}

#[test]
fn a_token_as_an_argument_is_refused_unseen() {
    let token = sound();
    for arguments in [
        vec!["token".to_owned(), token.clone()],
        vec!["token".to_owned(), format!("Bearer {token}")],
        vec!["token".to_owned(), "a".to_owned(), token.clone()],
        vec!["token".to_owned(), "--env".to_owned(), token.clone()],
        vec!["token".to_owned(), format!("--jwks={token}")],
        vec![token.clone()],
    ] {
        let assert = trustline().args(&arguments).assert().code(2);
        let text = text_of(&assert);
        assert!(!text.contains("eyJ"), "{text}");
        assert!(text.contains("looks like a token") && text.contains("standard input"), "{text}");
    }
}

#[test]
fn the_document_has_its_schema() {
    let (_, document) = Case::new(sound(), &[RSA.jwk("k1")]).verified();
    assert_eq!(document["schema"], "trustline.token/1");
    assert_eq!(document["header"], json!({"alg": "RS256", "kid": "k1", "typ": "JWT"}));
    assert_eq!(document["claims"], claims());
    assert_eq!(document["expires_in_s"], 3600);
    assert_eq!(document["expires_at"], "2023-11-14T23:13:20Z");
    assert_eq!(document["keys_from"], "file jwks.json");
    let ids: Vec<&str> = document["checks"].as_array().unwrap().iter().map(|c| c["id"].as_str().unwrap()).collect();
    assert_eq!(ids, ["token.present", "token.shape", "token.time", "token.signature", "token.claims", "issuer.jwks"]);
}

#[test]
fn text_is_aligned_and_safe() {
    let mut claims = claims();
    claims["aud"] = json!(["sts.amazonaws.com", "second"]);
    claims["azp"] = json!("sts.amazonaws.com");
    claims["note"] = json!("a\u{1b}[31mred\u{202e}");
    let token = RSA.token(&json!({"alg": "RS256", "kid": "k1"}), &claims);
    let text = text_of(&Case::new(token, &[RSA.jwk("k1")]).run(&["--jwks", "jwks.json"]));
    assert!(!text.contains(['\u{1b}', '\u{202e}']), "{text}");
    assert!(text.contains("a\\u{1b}[31mred\\u{202e}"), "{text}");
    let column = |name: &str, meaning: &str| {
        text.lines().find(|line| line.trim_start().starts_with(name)).and_then(|line| line.find(meaning)).expect(name)
    };
    assert_eq!(column("iss", "issuer"), column("exp", "expires 2023-11-14T23:13:20Z, in 60 min"));
    assert_eq!(column("iss", "issuer"), column("iat", "issued 2023-11-14T22:12:20Z, 60 s ago"));
    assert!(text.contains("✓ verified: key `k1` (RSA) made it (keys: file jwks.json)"), "{text}");
}
