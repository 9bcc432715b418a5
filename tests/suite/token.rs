//! `trustline token`: every algorithm with keys made on the spot, broken and hostile tokens, and what must never be printed.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;
use std::path::PathBuf;
use std::sync::LazyLock;

use assert_cmd::assert::Assert;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{self, EcdsaKeyPair, EcdsaSigningAlgorithm, KeyPair as _, RsaEncoding, RsaKeyPair};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::support::trustline;

const NOW: i64 = 1_700_000_000;

/// A signing key with its published side.
enum Key {
    Rsa(RsaKeyPair),
    Ec(EcdsaKeyPair, &'static str),
}

static RSA: LazyLock<Key> = LazyLock::new(|| Key::Rsa(RsaKeyPair::generate(KeySize::Rsa2048).unwrap()));
static OTHER_RSA: LazyLock<Key> = LazyLock::new(|| Key::Rsa(RsaKeyPair::generate(KeySize::Rsa2048).unwrap()));
static P256: LazyLock<Key> = LazyLock::new(|| ec(&signature::ECDSA_P256_SHA256_FIXED_SIGNING, "P-256"));
static P384: LazyLock<Key> = LazyLock::new(|| ec(&signature::ECDSA_P384_SHA384_FIXED_SIGNING, "P-384"));
static P521: LazyLock<Key> = LazyLock::new(|| ec(&signature::ECDSA_P521_SHA512_FIXED_SIGNING, "P-521"));

fn ec(algorithm: &'static EcdsaSigningAlgorithm, curve: &'static str) -> Key {
    Key::Ec(EcdsaKeyPair::generate(algorithm).unwrap(), curve)
}

fn b64(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

impl Key {
    fn jwk(&self, kid: &str) -> Value {
        match self {
            Key::Rsa(pair) => {
                let public = pair.public_key();
                json!({
                    "kty": "RSA", "use": "sig", "kid": kid,
                    "n": b64(public.modulus().big_endian_without_leading_zero()),
                    "e": b64(public.exponent().big_endian_without_leading_zero()),
                })
            }
            Key::Ec(pair, curve) => {
                let point = &pair.public_key().as_ref()[1..];
                let (x, y) = point.split_at(point.len() / 2);
                json!({ "kty": "EC", "use": "sig", "kid": kid, "crv": curve, "x": b64(x), "y": b64(y) })
            }
        }
    }

    fn sign(&self, alg: &str, message: &[u8]) -> Vec<u8> {
        match self {
            Key::Rsa(pair) => {
                let encoding: &'static dyn RsaEncoding = match alg {
                    "RS384" => &signature::RSA_PKCS1_SHA384,
                    "RS512" => &signature::RSA_PKCS1_SHA512,
                    _ => &signature::RSA_PKCS1_SHA256,
                };
                let mut made = vec![0; pair.public_modulus_len()];
                pair.sign(encoding, &SystemRandom::new(), message, &mut made).unwrap();
                made
            }
            Key::Ec(pair, _) => pair.sign(&SystemRandom::new(), message).unwrap().as_ref().to_vec(),
        }
    }

    fn token(&self, header: &Value, claims: &Value) -> String {
        let message = format!("{}.{}", b64(header.to_string()), b64(claims.to_string()));
        let made = self.sign(header["alg"].as_str().unwrap_or_default(), message.as_bytes());
        format!("{message}.{}", b64(made))
    }
}

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
fn every_algorithm_verifies_and_notices_tampering() {
    for (alg, key) in
        [("RS256", &*RSA), ("RS384", &*RSA), ("RS512", &*RSA), ("ES256", &*P256), ("ES384", &*P384), ("ES512", &*P521)]
    {
        let keys = [P256.jwk("other"), key.jwk("k1")];
        let token = key.token(&json!({"alg": alg, "kid": "k1"}), &claims());
        let (code, document) = Case::new(&token, &keys).verified();
        assert_eq!((code, &document["signature"]), (0, &json!("verified")), "{alg}: {document:#}");
        assert_eq!(document["problems"], json!([]), "{alg}");

        let mut parts: Vec<String> = token.split('.').map(str::to_owned).collect();
        let mut forged = claims();
        forged["sub"] = json!("organization:other");
        parts[1] = b64(forged.to_string());
        let (code, document) = Case::new(parts.join("."), &keys).verified();
        assert_eq!((code, &document["signature"]), (1, &json!("failed")), "{alg}: {document:#}");
        assert_eq!(causes(&document), ["signature-invalid"], "{alg}");
    }
}

#[test]
fn states_are_never_confused() {
    let sound = sound();
    let no_kid = RSA.token(&json!({"alg": "RS256"}), &claims());
    let with_kid = |kid: &str| RSA.token(&json!({"alg": "RS256", "kid": kid}), &claims());
    let jwk = RSA.jwk("k1");
    let changed = |name: &str, value: Value| {
        let mut jwk = RSA.jwk("k1");
        jwk[name] = value;
        jwk
    };
    for (what, token, keys, code, state, cause) in [
        ("sound", &sound, vec![jwk.clone()], 0, "verified", None),
        ("kid not published", &with_kid("k2"), vec![jwk.clone()], 3, "cannot-check", Some("jwks-kid-missing")),
        ("no keys", &sound, vec![], 3, "cannot-check", Some("jwks-invalid")),
        ("no kid, one key", &no_kid, vec![jwk.clone(), P256.jwk("e")], 0, "verified", Some("jwks-kid-missing")),
        (
            "no kid, two keys",
            &no_kid,
            vec![jwk.clone(), OTHER_RSA.jwk("k2")],
            3,
            "cannot-check",
            Some("jwks-kid-missing"),
        ),
        ("no kid, no fitting key", &no_kid, vec![P256.jwk("e")], 3, "cannot-check", Some("jwks-kid-missing")),
        ("empty kid", &with_kid(""), vec![jwk.clone(), OTHER_RSA.jwk("")], 3, "cannot-check", Some("jwks-kid-missing")),
        ("another key of the name", &sound, vec![OTHER_RSA.jwk("k1")], 1, "failed", Some("signature-invalid")),
        (
            "signed by another published key",
            &sound,
            vec![OTHER_RSA.jwk("k1"), RSA.jwk("k2")],
            1,
            "failed",
            Some("signature-invalid"),
        ),
        ("later duplicate counts", &sound, vec![OTHER_RSA.jwk("k1"), jwk.clone()], 0, "verified", Some("jwks-invalid")),
        (
            "earlier duplicate does not",
            &sound,
            vec![jwk.clone(), OTHER_RSA.jwk("k1")],
            1,
            "failed",
            Some("jwks-invalid"),
        ),
        ("key of another type", &sound, vec![P256.jwk("k1")], 1, "failed", Some("signature-invalid")),
        ("key for encryption", &sound, vec![changed("use", json!("enc"))], 3, "cannot-check", Some("jwks-invalid")),
        ("key_ops", &sound, vec![changed("key_ops", json!(["verify"]))], 1, "verified", Some("jwks-invalid")),
        (
            "modulus missing",
            &sound,
            vec![json!({"kty": "RSA", "kid": "k1", "e": "AQAB"})],
            3,
            "cannot-check",
            Some("jwks-invalid"),
        ),
    ] {
        let (exit, document) = Case::new(token, &keys).verified();
        assert_eq!(document["signature"], state, "{what}: {document:#}");
        assert_eq!(causes(&document).first().copied(), cause, "{what}: {document:#}");
        assert_eq!(exit, code, "{what}: {document:#}");
        assert!(document["signature_reason"].as_str().is_some_and(|reason| !reason.is_empty()), "{what}");
    }
}

#[test]
fn without_keys_nothing_is_said_of_the_signature() {
    let (code, document) = Case::new(sound(), &[]).json(&[]);
    assert_eq!((code, &document["signature"]), (0, &json!("not-checked")));
    let text = text_of(&Case::new(sound(), &[]).run(&[]));
    assert!(text.contains("not checked: no key set was given"), "{text}");
    assert!(!text.contains("failed") && !text.contains("invalid"), "{text}");
}

#[test]
fn a_public_key_is_no_shared_secret() {
    // The attack: the public key's own text as the HMAC secret, under its kid.
    let jwk = RSA.jwk("k1");
    let message = format!("{}.{}", b64(r#"{"alg":"HS256","kid":"k1"}"#), b64(claims().to_string()));
    for secret in [jwk.to_string(), jwk["n"].as_str().unwrap().to_owned()] {
        let key = aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, secret.as_bytes());
        let token = format!("{message}.{}", b64(aws_lc_rs::hmac::sign(&key, message.as_bytes())));
        let (code, document) = Case::new(token, std::slice::from_ref(&jwk)).verified();
        assert_eq!((code, &document["signature"]), (1, &json!("failed")), "{document:#}");
        assert_eq!(causes(&document), ["alg-unsupported"]);
    }
    let token = sound().replacen(&b64(r#"{"alg":"RS256","kid":"k1","typ":"JWT"}"#), &b64(r#"{"alg":"HS256"}"#), 1);
    let (code, document) = Case::new(token, &[jwk]).verified();
    assert_eq!((code, &document["signature"]), (1, &json!("cannot-check")), "{document:#}");
}

#[test]
fn an_unsigned_token_fails_with_and_without_keys() {
    for alg in ["none", "None", "nOnE"] {
        let token = format!("{}.{}.", b64(json!({"alg": alg, "kid": "k1"}).to_string()), b64(claims().to_string()));
        for arguments in [&[][..], &["--jwks", "jwks.json"]] {
            let (code, document) = Case::new(&token, &[RSA.jwk("k1")]).json(arguments);
            assert_eq!((code, &document["signature"]), (1, &json!("failed")), "{document:#}");
            assert_eq!(causes(&document), ["malformed-token"], "{document:#}");
        }
    }
}

#[test]
fn a_key_in_the_header_is_never_used() {
    let header = json!({"alg": "RS256", "kid": "k1", "jwk": OTHER_RSA.jwk("k1"), "jku": "https://127.0.0.1:1/jwks"});
    let token = OTHER_RSA.token(&header, &claims());
    let (code, document) = Case::new(token, &[RSA.jwk("k1")]).verified();
    assert_eq!((code, &document["signature"]), (1, &json!("failed")));
    let told: Vec<&Value> = document["problems"].as_array().unwrap().iter().map(|f| &f["summary"]).collect();
    assert!(told.iter().any(|s| s.as_str().unwrap().contains("`jku`")), "{told:?}");
    assert!(told.iter().any(|s| s.as_str().unwrap().contains("`jwk`")), "{told:?}");
}

#[test]
fn sources_give_the_same_token() {
    let token = sound();
    let case = Case::new(&token, &[RSA.jwk("k1")]);
    let wrapped = token.as_bytes().chunks(64).map(|c| std::str::from_utf8(c).unwrap()).collect::<Vec<_>>().join("\r\n");
    let pasted = format!("Authorization: Bearer \"{wrapped}\"\n");
    let arguments = ["--now", "2023-11-14T22:13:20Z", "--jwks", "jwks.json", "--output", "json"];
    for (source, stdin, variable) in [
        (&["-"][..], token.as_str(), ""),
        (&[], &pasted, ""),
        (&["--env", "MY_TOKEN"], "", token.as_str()),
        (&["token.jwt"], "", ""),
    ] {
        let mut command = trustline();
        command.current_dir(case.folder.path()).arg("token").args(source).args(arguments).write_stdin(stdin);
        let output = command.env("MY_TOKEN", variable).assert().success().get_output().stdout.clone();
        let document: Value = serde_json::from_slice(&output).unwrap();
        assert_eq!((&document["signature"], &document["claims"]), (&json!("verified"), &claims()), "{source:?}");
    }
    let mut command = trustline();
    command.current_dir(case.folder.path()).args(["token", "--now", "1700000000", "--command", "cat", "token.jwt"]);
    assert!(text_of(&command.env("PATH", "/usr/bin:/bin").assert().success()).contains("token from program cat"));
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
fn input_errors_say_what_to_write_instead() {
    let case = Case::new(sound(), &[]);
    std::fs::write(case.path("empty"), "\n").unwrap();
    std::fs::write(case.path("page.json"), "<!doctype html>").unwrap();
    let mut large = std::fs::File::create(case.path("large")).unwrap();
    large.write_all(&vec![b'a'; (1 << 20) + 1]).unwrap();
    for (arguments, told) in [
        (&["absent.jwt"][..], "file absent.jwt is not there"),
        (&["."], "is a directory"),
        (&["empty"], "file empty is empty"),
        (&["large"], "more than 1 MiB"),
        (&["--env", "NOT_SET"], "variable NOT_SET is not set"),
        (&["--env", "EMPTY"], "variable EMPTY is empty"),
        (&["token.jwt", "--jwks", "absent.json"], "key set absent.json cannot be read"),
        (&["token.jwt", "--jwks", "page.json"], "a web page (HTML) instead of a key set"),
        (&["token.jwt", "--now", "noon"], "write a time such as"),
        (&["token.jwt", "--output", "junit"], "text and json"),
        (&["token.jwt", "--issuer", "ftp://x"], "--issuer"),
        (&["--command", "/nonexistent/program"], "cannot be started"),
    ] {
        let mut command = trustline();
        command.current_dir(case.folder.path()).env("EMPTY", "").arg("token").args(arguments);
        let text = text_of(&command.assert().code(2));
        assert!(text.contains(told), "{arguments:?}: {text}");
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

#[test]
fn an_address_is_asked_only_when_it_is_named() {
    // Nothing listens there: the answer must be "could not check", never "failed".
    let case = Case::new(sound(), &[]);
    for arguments in [["--jwks", "https://127.0.0.1:9/keys"], ["--issuer", "https://127.0.0.1:9"]] {
        let (code, document) = case.json(&[&arguments[..], &["--timeout", "5"]].concat());
        assert_eq!(document["signature"], "cannot-check", "{document:#}");
        let unreachable = |cause: &&str| matches!(*cause, "connect-refused" | "jwks-unreachable");
        assert!(causes(&document).iter().any(unreachable), "{document:#}");
        // With an issuer named, the token's `iss` is compared with it, and differs here.
        assert_eq!(code, if arguments[0] == "--issuer" { 1 } else { 3 });
    }
}

/// A server on loopback that gives one answer for each path, to as many requests as there are answers, and yields
/// the requests' heads.
fn serve(answers: Vec<(&'static str, u16, String)>) -> (String, std::thread::JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let own = base.clone();
    let served = std::thread::spawn(move || {
        let mut heads = Vec::new();
        for _ in 0..answers.len() {
            let (mut stream, _) = listener.accept().unwrap();
            let lines = BufReader::new(&stream).lines().map(Result::unwrap).take_while(|line| !line.is_empty());
            let head = lines.collect::<Vec<_>>().join("\n");
            let (_, status, body) =
                answers.iter().find(|(path, ..)| head.starts_with(&format!("GET {path}"))).expect(&head);
            let body = body.replace("{base}", &own);
            let length = body.len();
            write!(stream, "HTTP/1.1 {status} x\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}")
                .unwrap();
            heads.push(head);
        }
        heads
    });
    (base, served)
}

#[test]
fn keys_come_from_an_address_or_from_the_issuer() {
    let set = json!({ "keys": [RSA.jwk("k1")] }).to_string();
    let case = Case::new(sound(), &[]);
    let (base, served) = serve(vec![("/keys", 200, set.clone())]);
    let (code, document) = case.json(&["--jwks", &format!("{base}/keys")]);
    assert_eq!((code, &document["signature"]), (0, &json!("verified")), "{document:#}");
    served.join().unwrap();

    let discovery = r#"{"issuer":"{base}","jwks_uri":"{base}/keys","response_types_supported":["id_token"],
        "subject_types_supported":["public"],"id_token_signing_alg_values_supported":["RS256"],"claims_supported":["sub"]}"#;
    let (base, served) = serve(vec![("/.well-known", 200, discovery.to_owned()), ("/keys", 200, set)]);
    let mut claims = claims();
    claims["iss"] = json!(base);
    let token = RSA.token(&json!({"alg": "RS256", "kid": "k1"}), &claims);
    let (code, document) = Case::new(token, &[]).json(&["--issuer", &base]);
    assert_eq!((code, &document["signature"]), (0, &json!("verified")), "{document:#}");
    assert_eq!(document["keys_from"], format!("{base}/keys"));
    served.join().unwrap();
}

#[test]
fn an_answer_that_is_no_key_set_fails_nobody() {
    let case = Case::new(sound(), &[]);
    for (status, body, cause) in [(503, "busy", "jwks-unreachable"), (200, "<html>", "jwks-invalid")] {
        let (base, served) = serve(vec![("/keys", status, body.to_owned())]);
        let (code, document) = case.json(&["--jwks", &format!("{base}/keys")]);
        assert_eq!((code, &document["signature"]), (3, &json!("cannot-check")), "{document:#}");
        assert_eq!(causes(&document), [cause], "{document:#}");
        served.join().unwrap();
    }
}

#[test]
fn github_actions_is_asked_for_the_audience() {
    let run = |base: &str| {
        let mut command = trustline();
        command.args(["token", "--github-actions", "--audience", "sts.amazonaws.com", "--now", "1700000000"]);
        if !base.is_empty() {
            command.env("ACTIONS_ID_TOKEN_REQUEST_URL", format!("{base}/idtoken?api-version=2.0"));
            command.env("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "request-secret");
        }
        let assert = command.assert();
        let text = text_of(&assert);
        assert!(!text.contains("request-secret"), "{text}");
        (assert.get_output().status.code(), text)
    };
    let (base, served) = serve(vec![("/idtoken", 200, json!({"value": sound(), "count": 1}).to_string())]);
    let (code, text) = run(&base);
    assert_eq!(code, Some(0), "{text}");
    assert!(text.contains("token from GitHub Actions' token request"), "{text}");
    let head = served.join().unwrap().remove(0);
    assert!(head.starts_with("GET /idtoken?api-version=2.0&audience=sts.amazonaws.com HTTP/1.1"), "{head}");
    assert!(head.contains("authorization: Bearer request-secret"), "{head}");

    for (status, body, told) in [
        (403, "denied", "HTTP status 403; the job needs `permissions: id-token: write`"),
        (500, "oops", "HTTP status 500"),
        (200, "<html>", "not a JSON object with a `value`"),
        (200, "{\"count\":1}", "not a JSON object with a `value`"),
    ] {
        let (base, served) = serve(vec![("/idtoken", status, body.to_owned())]);
        let (code, text) = run(&base);
        assert!(code == Some(2) && text.contains(told), "{text}");
        served.join().unwrap();
    }
    let (code, text) = run("");
    assert_eq!(code, Some(2));
    assert!(text.contains("ACTIONS_ID_TOKEN_REQUEST_URL is not set") && text.contains("id-token: write"), "{text}");
    assert!(run("http://127.0.0.1:9").1.contains("got no answer"));
}
