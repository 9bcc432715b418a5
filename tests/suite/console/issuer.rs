//! An issuer looked at from the console: its address typed, and what each cloud says of what it publishes.

use trustline::check::CheckId;
use trustline::check::clouds::{Asked, presented};
use trustline::check::facts::Facts;
use trustline::check::facts::network::{DocumentFact, Exchange, IssuerFacts, KeysFact};
use trustline::check::registry::judge;
use trustline::domain::discovery::{Discovery, IssuerAddress};
use trustline::domain::jwks::Jwks;
use trustline::report::issuer::IssuerReport;
use trustline::tui::inputs::{Appearance, Opening};
use trustline::tui::message::{Effect, Msg, Pasted};

use super::macros::Driver;
use super::sample;
use super::screens::scene;

const URL: &str = "https://id.example.com";

/// An issuer that signs with PS256 alone, which no cloud takes.
fn seen() -> IssuerReport {
    let discovery = format!(
        r#"{{"issuer": "{URL}", "jwks_uri": "{URL}/jwks.json", "authorization_endpoint": "{URL}/authorize",
            "response_types_supported": ["id_token"], "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["PS256"], "claims_supported": ["sub", "aud", "iss"]}}"#
    );
    let keys = br#"{"keys": [{"kty": "RSA", "kid": "k1", "alg": "PS256", "use": "sig", "e": "AQAB",
        "n": "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw"}]}"#;
    let address = IssuerAddress::clean(URL).unwrap();
    let fetched = |url: &str| Exchange {
        method: "GET".into(),
        url: url.into(),
        status: Some(200),
        content_type: Some("application/json".into()),
        duration_ms: 21.0,
        ..Exchange::default()
    };
    let document = DocumentFact {
        issuer: URL.into(),
        exchange: fetched(address.document.as_str()),
        discovery: Some(Discovery::parse(discovery.as_bytes(), URL).unwrap()),
        unreadable: None,
    };
    let keys = KeysFact {
        exchange: fetched(&format!("{URL}/jwks.json")),
        cached_s: None,
        jwks: Some(Jwks::parse(keys).unwrap()),
        unreadable: None,
    };
    let issuer = IssuerFacts { document: Some(document.clone()), keys: Some(keys) };
    let facts = Facts { now: sample::NOW_MS / 1000, issuer, ..Facts::default() };
    let profile = IssuerReport::profile(&address);
    let verdicts = [CheckId::IssuerDiscovery, CheckId::IssuerJwks].map(|check| (check, judge(check, &facts, &profile)));
    let clouds = Asked::of(&[]).judge(&presented(&facts, Some(URL)));
    IssuerReport { address, document, facts, verdicts: verdicts.to_vec(), clouds }
}

fn typed(look: Appearance, size: (u16, u16)) -> Driver {
    let mut driver = Driver::with(look, Opening::Start, size);
    driver.press("I").send(Msg::Paste(Pasted(URL.to_owned().into())));
    driver
}

#[test]
fn issuer_typed() {
    scene("issuer_typed", typed);
}

#[test]
fn issuer() {
    scene("issuer", |look, size| {
        let mut driver = typed(look, (100, 30));
        driver.press("<enter>").send(Msg::IssuerSeen { url: URL.to_owned(), result: Ok(Box::new(seen())) });
        driver.resize(size.0, size.1).press("G");
        driver
    });
}

#[test]
fn an_issuer_is_asked_about_by_the_palette_too_and_left_by_closing() {
    let mut driver = Driver::start();
    driver.press(":each cloud<enter>").send(Msg::Paste(Pasted(URL.to_owned().into())));
    assert!(driver.shows(URL), "{}", driver.screen());
    driver.asked();
    driver.press("<enter>");
    assert_eq!(driver.asked(), [Effect::LookAtIssuer { url: URL.to_owned() }]);
    assert!(driver.shows("Fetching what"), "{}", driver.screen());
    driver.press("<esc>");
    assert_eq!(driver.asked(), [Effect::LeaveIssuer]);
    driver.send(Msg::IssuerSeen { url: URL.to_owned(), result: Ok(Box::new(seen())) });
    assert!(!driver.shows("clouds"), "{}", driver.screen());
}

#[test]
fn a_token_that_is_pasted_for_an_address_is_never_shown() {
    let token = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhIn0.c2lnbmF0dXJlc2lnbmF0dXJl";
    let mut driver = Driver::start();
    driver.press("I").send(Msg::Paste(Pasted(token.to_owned().into())));
    assert!(driver.shows("characters") && !driver.shows("eyJ"), "{}", driver.screen());
    driver.asked();
    driver.press("<enter>");
    assert_eq!(driver.asked(), []);
    assert!(driver.shows("not like an issuer's URL"), "{}", driver.screen());
}
