//! The readers of what others wrote, one entry each: tests and benchmarks go through this list.

use std::path::Path;

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde_json::{Map, Value, json};
use trustline::cause::explain::{Given, explain};
use trustline::check::facts::azure::CredentialFact;
use trustline::check::facts::permissions::PermissionsFact;
use trustline::check::facts::token::{SignatureFact, TokenFact};
use trustline::check::facts::trust::TrustFact;
use trustline::domain::certificate::Chain;
use trustline::domain::discovery::Discovery;
use trustline::domain::entra::EntraError;
use trustline::domain::iam::{Policy, TrustRequest, lint};
use trustline::domain::jwks::Jwks;
use trustline::domain::keyvault::{Challenge, VaultError};
use trustline::domain::profile::document;
use trustline::domain::profile::resolve::resolve;
use trustline::domain::profile::{Guide, Profile};
use trustline::domain::signature;
use trustline::domain::text::{visible, visible_lines};
use trustline::domain::token::{RawToken, decode};
use trustline::guide::{Artifact, Values, render};
use trustline::output::paint::{Glyphs, Ink, Paint};
use trustline::output::{finding_text, junit, markdown, text};
use trustline::run::record;
use trustline::run::report::Report;

/// A reader, with what it is meant for. What it yields is what would reach a terminal.
pub struct Target {
    pub name: &'static str,
    pub seeds: &'static [&'static str],
    pub read: fn(&[u8]) -> String,
}

const PLAIN: Paint = Paint { ink: Ink::Plain, glyphs: Glyphs::Unicode };

pub const TARGETS: &[Target] = &[
    Target {
        name: "token",
        seeds: &[
            "eyJhbGciOiJSUzI1NiIsImtpZCI6ImsifQ.eyJpc3MiOiJodHRwczovL2kuZXhhbXBsZSIsInN1YiI6InMiLCJleHAiOjF9.c2ln",
            "Bearer eyJ.e30.",
            "a.b.c.d.e",
            "....",
            "%65yJ.\u{feff}e30.c",
        ],
        read: |bytes| match RawToken::clean_bytes(bytes) {
            Ok((raw, cleaned)) => {
                let decoded = decode(&raw);
                let signature = SignatureFact::new(signature::verify(&raw, &decoded, None), None);
                let fact = TokenFact::read("a test", &raw, cleaned);
                visible_lines(&format!("{}{}", json!(fact), json!(signature)))
            }
            Err(error) => visible(&error.to_string()).into_owned(),
        },
    },
    Target {
        name: "claims",
        seeds: &[
            "{\"iss\":\"i\",\"aud\":[\"a\",\"b\"],\"exp\":1e400}",
            "{\"sub\":\"\\u202e\\ud800\"}",
            "{\"a\":1,\"a\":2}",
        ],
        read: |bytes| {
            let payload = BASE64_URL_SAFE_NO_PAD.encode(bytes);
            let (raw, cleaned) = RawToken::clean(&format!("eyJhbGciOiJSUzI1NiJ9.{payload}.c2ln"));
            visible_lines(&json!(TokenFact::read("a test", &raw, cleaned)).to_string())
        },
    },
    Target {
        name: "discovery",
        seeds: &[
            "{\"issuer\":\"https://i.example\",\"jwks_uri\":\"https://i.example/k\"}",
            "\u{feff}{}",
            "<html>",
            "{\"issuer\":\"\\u001b[2J\"}",
        ],
        read: |bytes| match Discovery::parse(bytes, "https://i.example") {
            Ok(discovery) => visible_lines(&format!("{discovery:?}")),
            Err(error) => visible(&error.to_string()).into_owned(),
        },
    },
    Target {
        name: "key set",
        seeds: &[
            "{\"keys\":[{\"kty\":\"RSA\",\"kid\":\"k\",\"n\":\"AQAB\",\"e\":\"AQAB\"}]}",
            "{\"keys\":{}}",
            "{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"\",\"y\":\"A\"}]}",
        ],
        read: |bytes| match Jwks::parse(bytes) {
            Ok(keys) => {
                let (raw, _) = RawToken::clean("eyJhbGciOiJSUzI1NiIsImtpZCI6ImsifQ.e30.c2ln");
                let verified = signature::verify(&raw, &decode(&raw), Some(&keys));
                visible_lines(&format!("{keys:?}{verified:?}"))
            }
            Err(error) => visible(&error.to_string()).into_owned(),
        },
    },
    Target {
        name: "certificate chain",
        seeds: &["0\u{2}\u{1}\u{0}", "0\u{7f}", "not DER"],
        read: |bytes| visible_lines(&format!("{:?}", Chain::read(&[bytes, &bytes[bytes.len() / 2..]]))),
    },
    Target {
        name: "trust policy",
        seeds: &[
            "{\"Statement\":[{\"Effect\":\"Allow\",\"Principal\":{\"Federated\":\"*\"},\"Action\":\"sts:*\",\"Condition\":{\"StringLike\":{\"i.example:sub\":\"*a*a*a*b\"}}}]}",
            "{\"Role\":{\"AssumeRolePolicyDocument\":{}}}",
            "{\"Statement\":{\"Effect\":\"Deny\",\"NotPrincipal\":\"*\",\"NotAction\":[\"*\"]}}",
        ],
        read: |bytes| {
            let text = String::from_utf8_lossy(bytes).into_owned();
            let claims = claims();
            let mut shown = String::new();
            if let Ok(policy) = Policy::parse(&text) {
                let request = TrustRequest::new(&claims, "arn:aws:iam::123456789012:oidc-provider/i.example");
                shown = format!("{:?}", lint(&policy, &request));
            }
            let fact = TrustFact::evaluate("a test", Ok(text.clone()), &claims, &profile(), 0);
            let permissions = PermissionsFact::evaluate("a test", Ok(text), &profile(), None);
            visible_lines(&format!("{shown}{fact:?}{permissions:?}"))
        },
    },
    Target {
        name: "federated credential",
        seeds: &[
            "{\"issuer\":\"https://i.example\",\"subject\":\"s\",\"audiences\":[\"api://AzureADTokenExchange\"]}",
            "{\"claimsMatchingExpression\":{\"value\":\"claims['sub'] matches 'a*b' and claims['x'] eq 'y'\",\"languageVersion\":1}}",
            "[]",
            "{\"value\":[{}]}",
        ],
        read: |bytes| {
            let text = String::from_utf8_lossy(bytes).into_owned();
            visible_lines(&format!("{:?}", CredentialFact::evaluate("a test", Ok(text), &claims())))
        },
    },
    Target {
        name: "error text",
        seeds: &[
            "An error occurred (AccessDenied) when calling the AssumeRoleWithWebIdentity operation: Not authorized",
            "AADSTS700213: No matching federated identity record found for presented assertion subject 'a'.",
            "\u{1b}[31mError\u{1b}[0m: eyJhbGciOiJub25lIn0.e30. \\u0000 &lt;Code&gt;",
        ],
        read: |bytes| {
            let explained =
                explain(&String::from_utf8_lossy(bytes), &Given { claims: None, trust: None, profile: None });
            explained
                .causes
                .iter()
                .flat_map(|finding| finding_text::lines(finding, PLAIN))
                .collect::<Vec<_>>()
                .join("\n")
        },
    },
    Target {
        name: "cloud's refusal",
        seeds: &[
            "{\"error\":{\"code\":\"Forbidden\",\"message\":\"Caller: appid=x;oid=y\"}}",
            "Bearer authorization=\"https://a/b\", resource=\"c\"",
            "{\"error_description\":\"AADSTS7000215: x Trace ID: y\"}",
        ],
        read: |bytes| {
            let text = String::from_utf8_lossy(bytes);
            let all = (
                VaultError::parse(&text),
                VaultError::of_message(&text),
                Challenge::parse(&text),
                EntraError::parse(&text),
            );
            visible_lines(&format!("{all:?}"))
        },
    },
    Target {
        name: "profile",
        seeds: &[
            "guide = \"aws-workload-identity\"\n[aws]\nrole-arn = \"arn:aws:iam::1:role/r\"\n",
            "[token]\ncommand = [\"sh\"]",
            "[[aws]]",
            "a.b.c.d = [[[]]]",
        ],
        read: |bytes| {
            let (settings, problems) = document::parse(&String::from_utf8_lossy(bytes), Path::new("p.toml"));
            let said: Vec<String> = problems.iter().map(|p| format!("{p} {}", p.instead)).collect();
            let resolved = resolve("p", &[], &settings, &|_| None);
            let shown = match resolved {
                Ok(resolved) => {
                    let values = Values::of(resolved.profile.guide, &resolved.settings);
                    Artifact::of(resolved.profile.guide).map(|artifact| render(artifact, &values).text).collect()
                }
                Err(problems) => problems.iter().map(ToString::to_string).collect::<Vec<_>>(),
            };
            visible_lines(&(said.join("\n") + &shown.join("\n")))
        },
    },
    Target {
        name: "recording",
        seeds: &[
            "{\"schema\":\"trustline.recording/1\",\"version\":\"0\"}\n{\"seq\":0,\"at_ms\":0,\"event\":\"planned\",\"profile\":\"\\u001b[2J\",\"guide\":\"g\",\"started\":\"\\u202e\",\"checks\":[{\"id\":\"token.shape\",\"title\":\"\\u0007\"}]}\n",
            "{\"schema\":\"trustline.recording/1\",\"version\":\"0\"}\n{\"seq\":18446744073709551615,\"at_ms\":0,\"event\":\"done\",\"verdict\":\"pass\",\"duration_ms\":18446744073709551615,\"findings\":[]}\n",
        ],
        read: |bytes| match record::read(bytes) {
            Ok(recording) => {
                let report = Report::of(&recording.events);
                text::report(&report, PLAIN) + &markdown::report(&report) + &junit::report(&report)
            }
            Err(error) => visible_lines(&error.to_string()),
        },
    },
    Target {
        name: "terminal text",
        seeds: &[
            "\u{1b}]52;c;AAAA\u{7}",
            "\u{9b}2J\u{90}q\u{9c}",
            "\u{202e}\u{2066}\u{200b}\u{e0041}",
            "a\r\nb\tc\u{8}",
        ],
        read: |bytes| {
            let text = String::from_utf8_lossy(bytes);
            visible(&text).into_owned() + &visible_lines(&text)
        },
    },
];

fn claims() -> Map<String, Value> {
    let claims = json!({ "iss": "https://i.example", "sub": "a".repeat(200), "aud": "sts.amazonaws.com", "exp": 1 });
    claims.as_object().cloned().unwrap_or_default()
}

fn profile() -> Profile {
    Profile::bare("p", Guide::AwsWorkloadIdentity)
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
        ("quotes", repeated("\"")),
        ("backslashes", repeated("\\")),
        ("opening brackets", repeated("[")),
        ("opening braces", repeated("{\"a\":")),
        ("tables", numbered("", |n| format!("[t{n}]\n"), "")),
        ("one table deep", repeated("a.")),
        ("one string", wrapped("{\"issuer\":\"", "x", "\"}")),
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
        ("codes", numbered("", |n| format!("AADSTS{n}: x "), "")),
        ("tokens", repeated("eyJhbGciOiJub25lIn0.")),
        ("marks", repeated("password=\"")),
        ("causes", repeated("AccessDenied ThrottlingException InvalidIdentityToken: ")),
    ];
    for seed in target.seeds {
        all.push(("its own, often", repeated(seed)));
    }
    all
}
