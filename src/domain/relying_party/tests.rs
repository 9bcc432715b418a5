//! The rules, a row each: what is presented, and what each cloud says.

use serde_json::{Map, Value, json};

use super::Acceptance::{Accept, Refuse, Unknown};
use super::*;
use crate::domain::token::{RawToken, decode};

const ISSUER: &str = "https://id.example.com";

/// A token, a key set and a document that every cloud takes, to be changed.
struct Case {
    header: Value,
    claims: Value,
    keys: Value,
    document: Value,
}

fn rsa(kid: &str) -> Value {
    // 2048 bits, odd.
    json!({ "kty": "RSA", "kid": kid, "use": "sig", "n": format!("{}w", "x".repeat(341)), "e": "AQAB" })
}

fn ec(kid: &str) -> Value {
    // RFC 7515, appendix A.3.
    let (x, y) = ("f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU", "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0");
    json!({ "kty": "EC", "kid": kid, "crv": "P-256", "x": x, "y": y })
}

fn okp(kid: &str) -> Value {
    json!({ "kty": "OKP", "kid": kid, "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo" })
}

impl Case {
    fn sound() -> Case {
        Case {
            header: json!({ "alg": "RS256", "kid": "k", "typ": "JWT" }),
            claims: json!({ "iss": ISSUER, "sub": "s", "aud": "a", "iat": 1_700_000_000, "exp": 1_700_003_600 }),
            keys: json!([rsa("k")]),
            document: json!({
                "issuer": ISSUER, "jwks_uri": "https://id.example.com/k",
                "authorization_endpoint": "https://id.example.com/a",
                "response_types_supported": ["id_token"], "subject_types_supported": ["public"],
                "id_token_signing_alg_values_supported": ["RS256"], "claims_supported": ["sub"],
            }),
        }
    }

    /// The verdicts of AWS, Entra and Google on the token, or without one on the issuer.
    fn judged(&self, with_token: bool) -> Vec<CloudVerdict> {
        let part = |value: &Value| crate::domain::relying_party::tests::base64(&value.to_string());
        let text = format!("{}.{}.c2ln", part(&self.header), part(&self.claims));
        let token = decode(&RawToken::clean(&text).0);
        let keys = Jwks::parse(json!({ "keys": self.keys }).to_string().as_bytes()).unwrap();
        let issuer = self.claims["iss"].as_str().unwrap_or_default();
        let discovery = Discovery::parse(self.document.to_string().as_bytes(), issuer).unwrap();
        let presented = Presented {
            issuer: (!with_token).then_some(issuer),
            token: with_token.then_some(&token),
            discovery: Published::Read(&discovery),
            keys: Published::Read(&keys),
            allows_this_machine: false,
        };
        RelyingParty::all().map(|party| party.judge(&presented)).collect()
    }
}

fn base64(text: &str) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(text)
}

/// `value` with each member of `change` set, or, where it is `null`, gone.
fn changed(value: &Value, change: Value) -> Value {
    let mut map: Map<String, Value> = value.as_object().unwrap().clone();
    for (name, value) in change.as_object().unwrap() {
        match value {
            Value::Null => drop(map.shift_remove(name)),
            value => drop(map.insert(name.clone(), value.clone())),
        }
    }
    Value::Object(map)
}

fn acceptances(judged: &[CloudVerdict]) -> [Acceptance; 3] {
    [judged[0].verdict, judged[1].verdict, judged[2].verdict]
}

#[test]
fn every_rule_cites_and_decides() {
    for party in EACH {
        for rule in party.rules {
            let is_decided = rule.verdict != Consequence::Note;
            assert_eq!(rule.cause.is_some(), is_decided, "{}: {}", party.id, rule.why);
            assert_eq!(
                rule.basis == Basis::Unknown,
                rule.verdict == Consequence::Unknown || !is_decided && rule.basis == Basis::Unknown,
                "{}: {}",
                party.id,
                rule.why
            );
            assert!(rule.source.starts_with("https://") || rule.source.starts_with("recorded"), "{}", rule.source);
        }
    }
    let ids: Vec<&str> = RelyingParty::all().map(|party| party.id).collect();
    assert_eq!(ids, ["aws", "entra", "google"]);
    assert!(RelyingParty::named("entra").is_some_and(|party| party.cloud == Cloud::Azure));
    assert!(RelyingParty::of(Cloud::Gcp).is_some_and(|party| party.id == "google"));
}

#[test]
fn headers_and_keys() {
    let two = json!([rsa("k"), rsa("other")]);
    let many: Vec<Value> = (0..101).map(|n| rsa(&format!("k{n}"))).collect();
    for (what, header, keys, expected) in [
        ("sound", json!({}), None, [Accept; 3]),
        ("RS512", json!({ "alg": "RS512" }), None, [Accept, Refuse, Refuse]),
        ("PS256", json!({ "alg": "PS256" }), None, [Refuse; 3]),
        ("EdDSA", json!({ "alg": "EdDSA" }), Some(json!([okp("k")])), [Refuse; 3]),
        ("HS256", json!({ "alg": "HS256", "kid": null }), None, [Refuse; 3]),
        ("ES256", json!({ "alg": "ES256" }), Some(json!([ec("k")])), [Accept, Refuse, Accept]),
        ("ES256, key is RSA", json!({ "alg": "ES256" }), None, [Refuse; 3]),
        ("no kid, one key", json!({ "kid": null }), None, [Unknown, Refuse, Unknown]),
        ("no kid, two keys", json!({ "kid": "" }), Some(two), [Refuse, Refuse, Unknown]),
        ("kid not published", json!({ "kid": "gone" }), None, [Refuse; 3]),
        ("no keys", json!({}), Some(json!([])), [Refuse; 3]),
        ("101 keys, the last", json!({ "kid": "k100" }), Some(json!(many)), [Refuse, Refuse, Accept]),
        ("101 keys, the first", json!({ "kid": "k0" }), Some(json!(many)), [Refuse, Accept, Accept]),
        (
            "key_ops",
            json!({}),
            Some(json!([changed(&rsa("k"), json!({ "key_ops": ["verify"] }))])),
            [Refuse, Accept, Accept],
        ),
        ("for encryption", json!({}), Some(json!([changed(&rsa("k"), json!({ "use": "enc" }))])), [Refuse; 3]),
        ("at+jwt", json!({ "typ": "at+jwt" }), None, [Accept, Refuse, Accept]),
        ("no typ", json!({ "typ": null }), None, [Accept; 3]),
        ("typ in another case", json!({ "typ": "jwt" }), None, [Accept; 3]),
        ("crit", json!({ "crit": ["x"] }), None, [Refuse, Unknown, Unknown]),
        ("Ed25519 beside it", json!({}), Some(json!([rsa("k"), okp("other")])), [Accept; 3]),
    ] {
        let sound = Case::sound();
        let case =
            Case { header: changed(&sound.header, header), keys: keys.unwrap_or(sound.keys.clone()), ..Case::sound() };
        assert_eq!(acceptances(&case.judged(true)), expected, "{what}: {:#?}", case.judged(true));
    }
}

#[test]
fn claims() {
    for (what, claims, expected) in [
        ("no sub", json!({ "sub": null }), [Refuse; 3]),
        ("empty sub", json!({ "sub": "" }), [Accept, Refuse, Refuse]),
        ("sub is a number", json!({ "sub": 7 }), [Accept, Refuse, Unknown]),
        ("no aud", json!({ "aud": null }), [Refuse; 3]),
        ("aud is an empty list", json!({ "aud": [] }), [Refuse; 3]),
        ("aud is a list of one", json!({ "aud": ["a"] }), [Accept; 3]),
        ("two audiences", json!({ "aud": ["a", "b"] }), [Refuse, Refuse, Unknown]),
        ("two audiences and azp", json!({ "aud": ["a", "b"], "azp": "a" }), [Accept, Refuse, Unknown]),
        ("no iat", json!({ "iat": null }), [Refuse; 3]),
        ("no exp", json!({ "exp": null }), [Refuse; 3]),
        ("no nbf is no matter", json!({}), [Accept; 3]),
        ("fractions", json!({ "exp": 1_700_003_600.5 }), [Refuse, Unknown, Unknown]),
        ("a fraction in another claim", json!({ "auth_time": 1.5 }), [Accept; 3]),
        ("25 hours", json!({ "exp": 1_700_090_000 }), [Accept; 3]),
        ("ten days", json!({ "exp": 1_700_864_000 }), [Accept, Refuse, Accept]),
        ("long sub", json!({ "sub": "s".repeat(128) }), [Accept, Accept, Refuse]),
    ] {
        let case = Case { claims: changed(&Case::sound().claims, claims), ..Case::sound() };
        assert_eq!(acceptances(&case.judged(true)), expected, "{what}: {:#?}", case.judged(true));
    }
}

#[test]
fn issuers_and_documents() {
    for (what, issuer, document, expected) in [
        ("http", "http://id.example.com", json!({}), [Refuse; 3]),
        ("a port", "https://id.example.com:8443", json!({}), [Refuse, Accept, Accept]),
        ("the default port, written out", "https://id.example.com:443", json!({}), [Refuse, Accept, Accept]),
        ("a slash at the end", "https://id.example.com/", json!({}), [Accept; 3]),
        ("a path", "https://id.example.com/a/b", json!({}), [Accept; 3]),
        ("a query", "https://id.example.com/?tenant=a", json!({}), [Refuse, Unknown, Unknown]),
        ("a fragment", "https://id.example.com/#a", json!({}), [Refuse, Unknown, Unknown]),
        ("this machine", "https://localhost", json!({}), [Refuse, Refuse, Accept]),
        ("another issuer", ISSUER, json!({ "issuer": "https://other.example" }), [Refuse; 3]),
        ("keys over http", ISSUER, json!({ "jwks_uri": "http://id.example.com/k" }), [Refuse; 3]),
        ("no authorization_endpoint", ISSUER, json!({ "authorization_endpoint": null }), [Accept; 3]),
        ("an empty authorization_endpoint", ISSUER, json!({ "authorization_endpoint": "" }), [Accept, Refuse, Accept]),
        ("no claims_supported", ISSUER, json!({ "claims_supported": null }), [Accept; 3]),
        ("no id_token", ISSUER, json!({ "response_types_supported": ["code"] }), [Accept; 3]),
        ("no jwks_uri", ISSUER, json!({ "jwks_uri": null }), [Refuse; 3]),
    ] {
        let sound = Case::sound();
        let document = changed(&changed(&sound.document, json!({ "issuer": issuer })), document);
        let case = Case { claims: changed(&sound.claims, json!({ "iss": issuer })), document, ..Case::sound() };
        for with_token in [true, false] {
            assert_eq!(acceptances(&case.judged(with_token)), expected, "{what}: {:#?}", case.judged(with_token));
        }
    }
}

/// What an issuer's tokens will be signed with shows in its keys, or only in a token.
#[test]
fn an_issuer_without_a_token() {
    let rs256 = changed(&rsa("k"), json!({ "alg": "RS256" }));
    let nameless = changed(&rsa("k"), json!({ "kid": null }));
    for (what, keys, algorithms, expected) in [
        ("RSA, the document lists RS256", json!([rsa("k")]), json!(["RS256"]), [Accept; 3]),
        (
            "RSA, the document lists more",
            json!([rsa("k")]),
            json!(["none", "RS256", "RS512"]),
            [Accept, Unknown, Unknown],
        ),
        ("the key says RS256", json!([rs256]), json!(["RS256", "RS512", "HS256"]), [Accept; 3]),
        ("EC alone", json!([ec("k")]), json!(["RS256"]), [Accept, Refuse, Accept]),
        ("Ed25519 alone", json!([okp("k")]), json!(["RS256"]), [Refuse; 3]),
        ("both", json!([rs256, okp("e")]), json!(["RS256"]), [Unknown; 3]),
        ("no kid, one key", json!([nameless]), json!(["RS256"]), [Unknown, Refuse, Unknown]),
        ("no kid, two keys", json!([nameless, nameless]), json!(["RS256"]), [Refuse, Refuse, Unknown]),
    ] {
        let document = changed(&Case::sound().document, json!({ "id_token_signing_alg_values_supported": algorithms }));
        let case = Case { keys, document, ..Case::sound() };
        assert_eq!(acceptances(&case.judged(false)), expected, "{what}: {:#?}", case.judged(false));
    }
}

#[test]
fn the_first_reason_is_named_and_the_others_after_it() {
    let sound = Case::sound();
    let case = Case {
        header: changed(&sound.header, json!({ "alg": "EdDSA", "typ": "at+jwt" })),
        claims: changed(&sound.claims, json!({ "iss": "http://localhost:9000", "azp": "client" })),
        ..Case::sound()
    };
    let judged = case.judged(true);
    let causes: Vec<_> = judged.iter().map(|verdict| verdict.cause).collect();
    assert_eq!(causes, [Some(Cause::IssuerUrlUnfit); 3]);
    assert!(judged[0].also.iter().any(|why| why.contains("port 9000")), "{:?}", judged[0].also);
    assert!(judged[1].also.iter().any(|why| why.contains("at+jwt")), "{:?}", judged[1].also);
    assert!(
        judged[0].notes.iter().any(|note| note.contains("`azp` = `client` replaces `aud`")),
        "{:?}",
        judged[0].notes
    );
    assert_eq!((judged[0].rests_on, judged[2].rests_on), (Basis::Documented, Basis::Measured));
}

#[test]
fn what_could_not_be_had_is_unknown_unless_something_is_certain() {
    let header = json!({ "alg": "RS256", "kid": "k" });
    let claims = Case::sound().claims;
    let token = |header: &Value| {
        decode(&RawToken::clean(&format!("{}.{}.c2ln", base64(&header.to_string()), base64(&claims.to_string()))).0)
    };
    let judged = |header: &Value| {
        let token = token(header);
        let presented =
            Presented { keys: Published::NotReached("it refuses connections".into()), ..Presented::token(&token) };
        acceptances(&RelyingParty::all().map(|party| party.judge(&presented)).collect::<Vec<_>>())
    };
    assert_eq!(judged(&header), [Unknown; 3]);
    assert_eq!(judged(&json!({ "alg": "EdDSA", "kid": "k" })), [Refuse; 3]);
    let opaque = decode(&RawToken::clean("3f2c0ffee").0);
    let verdict = RelyingParty::named("aws").unwrap().judge(&Presented::token(&opaque));
    assert_eq!((verdict.verdict, verdict.cause), (Refuse, Some(Cause::MalformedToken)));
}

#[test]
fn ones_own_stack_has_any_address() {
    let claims = changed(&Case::sound().claims, json!({ "iss": "http://localhost:9000" }));
    let token = decode(
        &RawToken::clean(&format!(
            "{}.{}.c2ln",
            base64(&Case::sound().header.to_string()),
            base64(&claims.to_string())
        ))
        .0,
    );
    let judged = |presented: Presented<'_>| RelyingParty::all().map(|p| p.judge(&presented)).collect::<Vec<_>>();
    assert_eq!(acceptances(&judged(Presented::token(&token))), [Refuse; 3]);
    assert_eq!(acceptances(&judged(Presented { allows_this_machine: true, ..Presented::token(&token) })), [Accept; 3]);
}

#[test]
fn a_port_is_read_as_it_is_written() {
    for (url, port) in [
        ("https://a.example", None),
        ("https://a.example:443/p:1", Some("443")),
        ("http://[::1]:80/", Some("80")),
        ("http://[::1]/", None),
        ("a.example:80", None),
    ] {
        assert_eq!(condition::written_port(url), port, "{url}");
    }
}
