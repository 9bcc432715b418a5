//! What each cloud says to an issuer's tokens before there is one, and where its own documents contradict each other.

use serde_json::{Value, json};

use super::super::servers::{Authority, Server, VALID, authority, json as reply, tls};
use super::super::support::trustline;
use super::{DOCUMENT, KEYS, Seen, examine, key};

const HOST: &str = "id.example.com";

/// An issuer called by a name of its own, as clouds call it but for the port.
struct Issuer {
    authority: Authority,
    server: Server,
}

fn rsa(kid: &str) -> Value {
    // 2048 bits, odd.
    json!({ "kty": "RSA", "kid": kid, "use": "sig", "n": format!("{}w", "x".repeat(341)), "e": "AQAB" })
}

impl Issuer {
    fn with(document: impl Fn(&str) -> Value, keys: &[Value]) -> Issuer {
        let authority = authority("Test Authority");
        let server = tls(authority.identity(HOST, VALID), |port| {
            let issuer = format!("https://{HOST}:{port}");
            [(DOCUMENT, reply(&document(&issuer).to_string())), (KEYS, reply(&json!({ "keys": keys }).to_string()))]
                .into()
        });
        Issuer { authority, server }
    }

    fn url(&self) -> String {
        format!("https://{HOST}:{}", self.server.port)
    }

    fn examined(&self, more: &[&str]) -> Seen {
        let ca = self.authority.file.path().to_str().unwrap();
        let resolve = format!("{HOST}=127.0.0.1");
        examine(&self.url(), &[&["--ca-file", ca, "--resolve", &resolve], more].concat(), &[])
    }
}

fn document(issuer: &str) -> Value {
    json!({
        "issuer": issuer, "jwks_uri": format!("{issuer}{KEYS}"), "authorization_endpoint": format!("{issuer}/auth"),
        "response_types_supported": ["id_token"], "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256"], "claims_supported": ["sub"],
    })
}

/// The document with one member set.
fn saying(name: &'static str, value: Value) -> impl Fn(&str) -> Value {
    move |issuer| {
        let mut document = document(issuer);
        document[name] = value.clone();
        document
    }
}

fn verdicts(seen: &Seen) -> Vec<&str> {
    seen.json["clouds"].as_array().unwrap().iter().map(|cloud| cloud["verdict"].as_str().unwrap()).collect()
}

fn fixes(seen: &Seen) -> String {
    seen.first()["fixes"].to_string()
}

/// Place 4: a port is AWS's business alone; nobody asked, so the status stands, until somebody does.
#[test]
fn a_port_is_refused_by_aws_alone() {
    let issuer = Issuer::with(document, &[rsa("k")]);
    let seen = issuer.examined(&[]);
    assert_eq!((seen.code, verdicts(&seen)), (0, vec!["refuse", "accept", "accept"]), "{:#}", seen.json);
    assert_eq!(seen.json["clouds"][0]["cause"], "issuer-url-unfit");
    assert_eq!(issuer.examined(&["--for", "entra,google"]).code, 0);
    assert_eq!(issuer.examined(&["--for", "aws"]).code, 1);
}

/// Place 2: a name that is told is dialled for every fetch, and the authority that is named trusted for it.
#[test]
fn a_told_address_holds_for_every_fetch() {
    let issuer = Issuer::with(document, &[rsa("k")]);
    let folder = tempfile::tempdir().unwrap();
    let token = folder.path().join("token.jwt");
    let part = |value: Value| {
        use base64::Engine as _;
        base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(value.to_string())
    };
    let header = json!({ "alg": "RS256", "kid": "k", "typ": "JWT" });
    let claims = json!({ "iss": issuer.url(), "sub": "s", "aud": "a", "iat": 1000, "exp": 4600 });
    std::fs::write(&token, format!("{}.{}.{}", part(header), part(claims), "A".repeat(342))).unwrap();
    let keys = format!("{}{KEYS}", issuer.url());
    for (flag, url) in [("--issuer", issuer.url()), ("--jwks", keys)] {
        let output = trustline()
            .args(["token", "--output", "json", flag, &url, "--resolve", &format!("{HOST}=127.0.0.1"), "--ca-file"])
            .args([issuer.authority.file.path(), &token])
            .output()
            .unwrap();
        let report: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(report["signature"], "failed", "the keys were had: {report:#}");
    }
}

/// Places 5 and 6: what the keys sign with, beside what the document lists.
#[test]
fn keys_and_document_that_contradict_each_other() {
    let curve = Issuer::with(document, &[key("k1")]).examined(&["--for", "entra"]);
    assert_eq!((curve.code, curve.causes()), (1, vec!["alg-unsupported"]), "{:#}", curve.json);
    assert!(curve.first()["summary"].as_str().unwrap().contains("lists RS256, and the published keys sign with ES256"));

    let edwards =
        json!({ "kty": "OKP", "kid": "k", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo" });
    let seen =
        Issuer::with(saying("id_token_signing_alg_values_supported", json!(["EdDSA"])), &[edwards]).examined(&[]);
    assert!(seen.causes().iter().all(|cause| *cause == "alg-unsupported"), "{:#}", seen.json);
    assert!(!seen.evidence().contains("Publish each signing key once"), "{:#}", seen.json);
    assert_eq!(verdicts(&seen), ["refuse"; 3]);

    // Canaille's way: an RSA key without `alg`, and every algorithm of RSA's in the document.
    let open = saying("id_token_signing_alg_values_supported", json!(["RS256", "RS512"]));
    let seen = Issuer::with(open, &[rsa("k")]).examined(&["--for", "entra"]);
    assert_eq!((seen.code, verdicts(&seen)), (3, vec!["unknown"]), "{:#}", seen.json);
    assert!(seen.json["clouds"][0]["why"].as_str().unwrap().contains("shows in a token only"));
}

/// Place 12: one warning with what to write, for AWS alone.
#[test]
fn what_aws_alone_documents_is_one_warning() {
    let seen = Issuer::with(
        |issuer| {
            let mut document = saying("response_types_supported", json!(["code"]))(issuer);
            document.as_object_mut().unwrap().remove("claims_supported");
            document
        },
        &[rsa("k")],
    )
    .examined(&["--for", "entra,google"]);
    assert_eq!((seen.code, seen.causes()), (0, vec!["discovery-invalid"]), "{:#}", seen.json);
    let evidence = seen.first().to_string();
    for part in ["AWS only", r#"\"claims_supported\""#, r#"\"id_token\""#] {
        assert!(evidence.contains(part), "{part}: {evidence}");
    }
}

/// Place 13: an issuer behind a proxy is told what it nearly always is, once.
#[test]
fn http_endpoints_under_an_https_issuer_are_a_proxys() {
    let seen = Issuer::with(saying("jwks_uri", json!("http://id.example.com/keys")), &[rsa("k")]).examined(&[]);
    assert_eq!((seen.code, seen.causes()), (1, vec!["discovery-invalid"]), "{:#}", seen.json);
    assert!(fixes(&seen).contains("X-Forwarded-Proto"), "{:#}", seen.json);
    assert_eq!(verdicts(&seen), ["refuse"; 3]);
    let seen =
        Issuer::with(saying("authorization_endpoint", json!("http://id.example.com/auth")), &[rsa("k")]).examined(&[]);
    assert_eq!((seen.code, seen.causes()), (0, vec!["discovery-invalid"]), "{:#}", seen.json);
    assert!(fixes(&seen).contains("X-Forwarded-Proto"), "{:#}", seen.json);
    // An empty `authorization_endpoint` is Entra's alone.
    let seen =
        Issuer::with(saying("authorization_endpoint", json!("")), &[rsa("k")]).examined(&["--for", "entra,google"]);
    assert_eq!((seen.code, verdicts(&seen)), (1, vec!["refuse", "accept"]), "{:#}", seen.json);
    assert_eq!(seen.json["clouds"][0]["error"], "AADSTS501661");
}

/// Place 14: keys whose private half is published with the software.
#[test]
fn example_keys_are_named() {
    for kid in ["keystore-CHANGE-ME", "dummy"] {
        let seen = Issuer::with(document, &[rsa(kid)]).examined(&[]);
        assert_eq!((seen.code, seen.causes()), (1, vec!["jwks-invalid"]), "{:#}", seen.json);
        assert!(seen.first()["summary"].as_str().unwrap().contains("example key"), "{:#}", seen.json);
    }
}

/// Place 15: the URL typed has the default port too much, and the issuer is right.
#[test]
fn a_default_port_written_out_is_not_the_issuers_fault() {
    let seen = Issuer::with(saying("issuer", json!("https://id.example.com")), &[rsa("k")]);
    let differs = seen.examined(&[]);
    assert_eq!(differs.first()["cause"], "issuer-differs", "{:#}", differs.json);
    assert!(!fixes(&differs).contains("default port"), "the port is no default one: {:#}", differs.json);
}
