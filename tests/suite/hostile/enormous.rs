//! Inputs that are deep, long, many of one kind, or made to be slow.

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;

use super::targets::Target;

/// How a policy begins whose one statement asks more.
const WEB_IDENTITY: &str = "{\"Statement\":[{\"Effect\":\"Allow\",\"Principal\":{\"Federated\":\"*\"},\"Action\":\"sts:AssumeRoleWithWebIdentity\",\"Condition\":";

const FINISHED: &str = "{\"seq\":1,\"at_ms\":1,\"event\":\"finished\",\"id\":\"token.shape\",\"title\":\"t\",\"outcome\":\"pass\",\"started_ms\":0,\"duration_ms\":0,\"facts\":{},\"docs\":\"d\",\"findings\":[]}\n";

fn statement_of_wildcards(number: usize) -> String {
    format!(
        "{{\"Effect\":\"Deny\",\"Principal\":{{\"Federated\":\"*\"}},\"Action\":\"sts:*\",\"Condition\":{{\"StringNotLike\":{{\"i.example:sub\":\"{}b{number}*\"}}}}}},",
        "*a?".repeat(40)
    )
}

/// A token with this payload.
fn token(payload: &[u8]) -> Vec<u8> {
    format!("eyJhbGciOiJSUzI1NiJ9.{}.c2ln", BASE64_URL_SAFE_NO_PAD.encode(payload)).into_bytes()
}

/// Encoded again and again until it is that long.
fn layered(size: usize) -> Vec<u8> {
    let mut text = "secret".to_owned();
    while text.len() < size * 3 / 4 {
        text = BASE64_URL_SAFE_NO_PAD.encode(text);
    }
    text.into_bytes()
}

/// A recording of a run with events like these.
fn events(size: usize, of: fn(usize) -> String) -> Vec<u8> {
    let mut text = "{\"schema\":\"trustline.recording/1\",\"version\":\"0\"}\n{\"seq\":0,\"at_ms\":0,\"event\":\"planned\",\"profile\":\"p\",\"guide\":\"aws-workload-identity\",\"started\":\"2026-01-01T00:00:00Z\",\"checks\":[{\"id\":\"token.shape\",\"title\":\"t\"}]}\n".to_owned();
    for number in 1.. {
        if text.len() >= size {
            break;
        }
        text.push_str(&of(number));
    }
    text.into_bytes()
}

fn certificate(names: usize) -> Vec<u8> {
    let names: Vec<String> = (0..names).map(|n| format!("a{n}.example")).collect();
    let key = rcgen::KeyPair::generate().unwrap();
    rcgen::CertificateParams::new(names).unwrap().self_signed(&key).unwrap().der().to_vec()
}

/// Inputs of about `size` bytes that readers have stumbled over: deep, long, many of one kind, nothing that fits.
pub fn enormous(target: &Target, size: usize) -> Vec<(&'static str, Vec<u8>)> {
    let repeated = |unit: &str| unit.repeat(size / unit.len() + 1).into_bytes();
    let wrapped =
        |before: &str, unit: &str, after: &str| [before.as_bytes(), &repeated(unit), after.as_bytes()].concat();
    let numbered = |before: &str, of: fn(usize) -> String, after: &str| {
        let mut text = before.to_owned();
        for number in 0.. {
            if text.len() >= size {
                break;
            }
            text.push_str(&of(number));
        }
        (text + after).into_bytes()
    };
    let mut all = vec![
        ("zeros", vec![0; size]),
        ("ones", vec![0xff; size]),
        ("one letter", repeated("a")),
        ("blanks", repeated(" ")),
        ("line feeds", repeated("\n")),
        ("dots", repeated(".")),
        ("escapes", repeated("\u{1b}[")),
        ("overrides", repeated("\u{202e}")),
        ("combining characters", wrapped("e", "\u{301}", "")),
        ("joined emoji", repeated("\u{1f469}\u{200d}")),
        ("wide characters", repeated("日本 ")),
        ("short words", repeated("a b ")),
        ("quotes", repeated("\"")),
        ("backslashes", repeated("\\")),
        ("escaped escapes", repeated("\\u005cu")),
        ("entities", repeated("&amp;lt;")),
        ("percent signs", repeated("%25")),
        ("addresses", repeated("https://")),
        ("tags", repeated("<Error><Code>")),
        ("ARNs", repeated("arn:aws:iam::123456789012:role/")),
        ("base64", repeated("QUJD")),
        ("base64 in base64", layered(size)),
        ("opening brackets", repeated("[")),
        ("opening braces", repeated("{\"a\":")),
        ("deep in a token", token(&repeated("["))),
        ("claims of a token", token(&numbered("{", |n| format!("\"k{n}\":[{n}],"), "\"k\":1}"))),
        ("a number", wrapped("{\"exp\":", "9", "}")),
        ("an exponent", wrapped("{\"exp\":1e", "9", "}")),
        ("a small number", wrapped("{\"exp\":0.", "0", "1}")),
        ("exponents", numbered("{\"a\":[", |n| format!("1e{n},"), "1]}")),
        ("a number in a token", token(&wrapped("{\"exp\":1e", "9", "}"))),
        ("segments", repeated("e30.")),
        ("tables", numbered("", |n| format!("[t{n}]\n"), "")),
        ("unknown keys", numbered("[aws]\n", |n| format!("rgion{n} = {n}\n"), "")),
        ("values of the wrong kind", numbered("", |n| format!("[aws]\nregion = {n}\n"), "")),
        ("one table deep", repeated("a.")),
        ("one array", wrapped("[token]\ncommand = [", "\"a\",", "]")),
        ("assignments", numbered("issuer.url=https://i.example\n", |n| format!("aws.region=us-east-{n}\n"), "")),
        ("one string", wrapped("{\"issuer\":\"", "x", "\"}")),
        ("one subject", wrapped("{\"iss\":\"https://i.example\",\"aud\":\"a\",\"sub\":\"", "repo:o/r:", "\"}")),
        ("audiences", numbered("{\"aud\":[", |n| format!("\"a{n}\","), "\"a\"]}")),
        ("many keys", numbered("{", |n| format!("\"k{n}\":\"v\","), "\"k\":1}")),
        ("one key often", numbered("{", |n| format!("\"Statement\":{n},"), "\"k\":1}")),
        (
            "many statements",
            numbered(
                "{\"Statement\":[",
                |n| format!("{{\"Effect\":\"Allow\",\"Principal\":\"*\",\"Action\":\"s{n}:*\"}},"),
                "{}]}",
            ),
        ),
        (
            "a policy of wildcards",
            wrapped(
                "{\"Statement\":[{\"Effect\":\"Allow\",\"Principal\":{\"Federated\":\"*\"},\"Action\":\"sts:AssumeRoleWithWebIdentity\",\"Condition\":{\"StringLike\":{\"i.example:sub\":\"",
                "*a",
                "b\"}}}]}",
            ),
        ),
        (
            "a policy of values",
            numbered(
                "{\"Statement\":[{\"Effect\":\"Allow\",\"Principal\":{\"Federated\":\"*\"},\"Action\":\"sts:AssumeRoleWithWebIdentity\",\"Condition\":{\"StringLike\":{\"i.example:sub\":[",
                |n| format!("\"*a*{n}*b\","),
                "\"x\"]}}}]}",
            ),
        ),
        (
            "a policy of question marks",
            wrapped(&(WEB_IDENTITY.to_owned() + "{\"StringLike\":{\"i.example:sub\":\"*"), "a?", "b*\"}}}]}"),
        ),
        (
            "a policy of variables",
            wrapped(
                &(WEB_IDENTITY.to_owned() + "{\"StringLike\":{\"i.example:sub\":\""),
                "${i.example:sub}",
                "\"}}}]}",
            ),
        ),
        (
            "a policy of conditions",
            numbered(
                &(WEB_IDENTITY.to_owned() + "{\"StringLike\":{"),
                |n| format!("\"i.example:c{n}\":\"*a?{n}*\","),
                "\"i.example:sub\":\"*a*b\"}}}]}",
            ),
        ),
        (
            "a policy of actions",
            numbered(
                "{\"Statement\":[{\"Effect\":\"Allow\",\"Resource\":\"*\",\"Action\":[",
                |n| format!("\"secretsmanager:*e*t*{n}\","),
                "\"*\"]}]}",
            ),
        ),
        (
            "a policy of resources",
            numbered(
                "{\"Statement\":[{\"Effect\":\"Allow\",\"Action\":\"secretsmanager:GetSecretValue\",\"Resource\":[",
                |n| format!("\"arn:aws:secretsmanager:*:*:secret:*s*{n}\","),
                "\"*\"]}]}",
            ),
        ),
        (
            "a policy of principals",
            numbered(
                "{\"Statement\":[{\"Effect\":\"Allow\",\"Action\":\"sts:AssumeRoleWithWebIdentity\",\"Principal\":{\"Federated\":[",
                |n| format!("\"arn:aws:iam::123456789012:oidc-provider/i{n}.example\","),
                "\"*\"]}}]}",
            ),
        ),
        ("a policy in a string", wrapped("{\"PolicyDocument\":\"", "%7B%22a%22%3A", "\"}")),
        ("statements of wildcards", numbered("{\"Statement\":[", statement_of_wildcards, "{}]}")),
        (
            "many keys of a set",
            numbered(
                "{\"keys\":[",
                |n| format!("{{\"kty\":\"RSA\",\"kid\":\"{n}\",\"n\":\"AQAB\",\"e\":\"AQAB\"}},"),
                "{}]}",
            ),
        ),
        (
            "many credentials",
            numbered(
                "[",
                |n| format!("{{\"issuer\":\"https://i.example\",\"subject\":\"a{n}\",\"audiences\":[\"b\"]}},"),
                "{}]",
            ),
        ),
        (
            "an expression",
            wrapped(
                "{\"claimsMatchingExpression\":{\"languageVersion\":1,\"value\":\"",
                "claims['sub'] matches '*a*' and ",
                "\"}}",
            ),
        ),
        (
            "an expression of brackets",
            wrapped("{\"claimsMatchingExpression\":{\"languageVersion\":1,\"value\":\"", "(", "\"}}"),
        ),
        (
            "an expression of wildcards",
            wrapped(
                "{\"claimsMatchingExpression\":{\"languageVersion\":1,\"value\":\"claims['sub'] matches '",
                "*a?",
                "'\"}}",
            ),
        ),
        ("fingerprints", numbered("", |n| format!("sha256:{n:012x} "), "")),
        ("worker's lines", repeated("Workload identity config 'a")),
        ("a worker's line", wrapped("Workload identity config '", "Workload identity config ", "")),
        ("digits", repeated("sha256:0")),
        (
            "many events",
            events(size, |n| format!("{{\"seq\":{n},\"at_ms\":{n},\"event\":\"started\",\"id\":\"token.shape\"}}\n")),
        ),
        ("one event often", events(size, |_| FINISHED.to_owned())),
        ("codes", numbered("", |n| format!("AADSTS{n}: x "), "")),
        ("tokens", repeated("eyJhbGciOiJub25lIn0.")),
        ("marks", repeated("password=\"")),
        ("causes", repeated("AccessDenied ThrottlingException InvalidIdentityToken: ")),
    ];
    all.push(("a certificate of many names", certificate(size / 16)));
    for input in target.inputs() {
        all.push(("its own, often", input.repeat(size / input.len() + 1)));
    }
    all
}
