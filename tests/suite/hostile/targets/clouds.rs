//! What issuers and clouds answer, and what is pasted of their errors.

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde_json::{Map, Value, json};
use trustline::cause::exchange::{Each, Journal, Trusts};
use trustline::cause::explain::{ExplainContext, explain};
use trustline::check::facts::azure::CredentialFact;
use trustline::check::facts::token::{SignatureFact, TokenFact};
use trustline::check::facts::trust::PermissionsFact;
use trustline::check::facts::trust::TrustFact;
use trustline::domain::certificate::Chain;
use trustline::domain::discovery::Discovery;
use trustline::domain::entra::EntraError;
use trustline::domain::exchange::read_log;
use trustline::domain::iam::{Policy, TrustRequest, lint};
use trustline::domain::jwks::Jwks;
use trustline::domain::keyvault::{Challenge, VaultError};
use trustline::domain::profile::{Guide, Profile};
use trustline::domain::signature;
use trustline::domain::text::{visible, visible_lines};
use trustline::domain::token::{RawToken, decode};
use trustline::report::events::{self, EventsReport, advised_entry};
use trustline::report::explanation::page;

use super::{Target, written};

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
        read: |bytes| visible_lines(&format!("{:?}", Chain::read(&certificates(bytes)))),
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
                explain(&String::from_utf8_lossy(bytes), &ExplainContext { claims: None, trust: None, profile: None });
            written(|ctx| page(&explained, None, ctx))
        },
    },
    Target {
        name: "cloud refusal",
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
        name: "event log",
        seeds: &[
            "{\"Records\":[{\"eventName\":\"AssumeRoleWithWebIdentity\",\"userIdentity\":{\"principalId\":\"a:b:c\",\"userName\":\"c\",\"identityProvider\":\"a\"},\"errorCode\":\"AccessDenied\",\"requestParameters\":{\"roleArn\":\"arn:aws:iam::1:role/r\"}}]}",
            "{\"Events\":[{\"CloudTrailEvent\":\"{\\\"eventName\\\":\\\"AssumeRoleWithWebIdentity\\\"}\"}]}",
            "{\"eventName\":\"\\u0041ssumeRoleWithWebIdentity\"}\n{\"detail\":{}}",
            "{\"value\":[{\"appId\":\"a\",\"servicePrincipalId\":\"b\",\"createdDateTime\":\"2026-11-30T05:00:00Z\",\"status\":{\"errorCode\":700213}}]}",
        ],
        read: |bytes| {
            let trusts = Trusts::default();
            let mut journal = Journal::new(&trusts, Each::Counted);
            let read = read_log(bytes, &mut |exchange| journal.add(&exchange));
            let mut report = EventsReport::default();
            journal.entries(&trusts).map(|entry| advised_entry(entry, None)).for_each(|entry| report.add(entry));
            visible_lines(&format!("{read:?}")) + &written(|ctx| events::page(&report, ctx))
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

/// A chain as TLS hands it over: a certificate after the other, as far as their lengths can be believed.
fn certificates(mut bytes: &[u8]) -> Vec<&[u8]> {
    let mut chain = Vec::new();
    while !bytes.is_empty() {
        let length = match bytes {
            [0x30, 0x82, high, low, ..] => 4 + usize::from(u16::from_be_bytes([*high, *low])),
            _ => bytes.len(),
        };
        let (first, rest) = bytes.split_at(length.min(bytes.len()));
        chain.push(first);
        bytes = rest;
    }
    chain
}
