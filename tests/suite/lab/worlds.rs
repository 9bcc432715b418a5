//! What a world changes is seen on the wire: the issuer's documents, its certificate, its clock, its keys.

use serde_json::Value;
use trustline::domain::timestamp::parse_http_date;

use super::client::Site;

const NO_KEY: &str = "InvalidIdentityToken: Couldn't retrieve verification key from your identity provider,  \
                      please reference AssumeRoleWithWebIdentity documentation for requirements";
const GENERIC: &str = "InvalidIdentityToken: The web identity token provided could not be validated. \
                       See the AssumeRoleWithWebIdentity documentation for requirements.";
const DENIED: &str = "AccessDenied: Not authorized to perform sts:AssumeRoleWithWebIdentity";

#[tokio::test]
async fn what_sts_says_in_each_broken_world() {
    for (scenario, status, expected) in [
        ("issuer-not-configured", 400, NO_KEY),
        ("discovery-invalid", 400, NO_KEY),
        ("issuer-redirect", 400, NO_KEY),
        ("jwks-unreachable", 400, NO_KEY),
        ("jwks-invalid", 400, NO_KEY),
        ("jwks-too-many", 400, NO_KEY),
        ("jwks-kid-missing", 400, NO_KEY),
        ("tls-expired", 400, NO_KEY),
        ("tls-name", 400, NO_KEY),
        ("tls-untrusted", 400, NO_KEY),
        ("jwks-key-ops", 400, GENERIC),
        ("signature-invalid", 400, GENERIC),
        ("alg-unsupported", 400, GENERIC),
        ("aud-not-registered", 400, GENERIC),
        ("principal-arn-wrong", 403, DENIED),
        ("role-missing", 403, DENIED),
        ("action-missing", 403, DENIED),
        ("sub-mismatch", 403, DENIED),
        ("sub-case-mismatch", 403, DENIED),
        ("aud-mismatch", 403, DENIED),
        ("condition-key-wrong", 403, DENIED),
        ("operator-wrong", 403, DENIED),
        ("explicit-deny", 403, DENIED),
    ] {
        let site = Site::scenario(scenario);
        let answer = site.exchange(&site.workload_token(), &[]).await;
        assert_eq!(answer.verdict(), (status, expected.to_owned()), "{scenario}");
    }
    for (scenario, code, start) in [
        ("token-expired", "ExpiredTokenException", "Token expired: "),
        ("clock-skew", "InvalidIdentityToken", "Token issued in the future: "),
        ("malformed-token", "InvalidIdentityToken", "Missing a required claim: iat"),
        ("opaque-token", "InvalidIdentityToken", "The ID Token provided is not a valid JWT."),
        ("aud-multi-without-azp", "InvalidIdentityToken", "Token audience contains more than one audience"),
        ("roles-claim", "InvalidIdentityToken", "The target role ARN is not present in the roles claim"),
        ("provider-missing", "InvalidIdentityToken", "No OpenIDConnect provider found in your account for "),
        ("provider-other-issuer", "InvalidIdentityToken", "No OpenIDConnect provider found in your account for "),
        ("wrong-account", "InvalidIdentityToken", "No OpenIDConnect provider found in your account for "),
        ("issuer-differs", "InvalidIdentityToken", "No OpenIDConnect provider found in your account for "),
    ] {
        let site = Site::scenario(scenario);
        let answer = site.exchange(&site.workload_token(), &[]).await;
        assert_eq!(answer.field("Code"), code, "{scenario}: {answer:?}");
        assert!(answer.field("Message").starts_with(start), "{scenario}: {answer:?}");
    }
}

/// It waits some five seconds, and the issuer longer.
#[tokio::test]
async fn sts_gives_up_on_a_slow_issuer() {
    let site = Site::scenario("issuer-slow");
    let started = std::time::Instant::now();
    let answer = site.exchange(&site.workload_token(), &[]).await;
    assert_eq!(answer.verdict(), (400, NO_KEY.to_owned()));
    let waited = started.elapsed().as_secs_f64();
    assert!(waited > 4.9, "{waited}");
}

#[tokio::test]
async fn documents_and_clock() {
    let site = Site::scenario("clock-skew");
    let issuer = &site.lab.endpoints.issuer;
    let response = site.http.get(format!("{issuer}/.well-known/openid-configuration")).send().await.unwrap();
    let date = parse_http_date(response.headers()["date"].to_str().unwrap()).unwrap();
    let document: Value = serde_json::from_str(&response.text().await.unwrap()).unwrap();
    assert_eq!(document["issuer"], issuer.as_str());
    let keys = site.http.get(document["jwks_uri"].as_str().unwrap()).send().await.unwrap().text().await.unwrap();
    let keys: Value = serde_json::from_str(&keys).unwrap();
    let summary = |name: &str| -> Vec<String> {
        keys["keys"].as_array().unwrap().iter().map(|key| key[name].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(summary("alg"), ["RS256", "RS384", "RS512", "ES256", "ES384", "ES512"]);
    assert_eq!(summary("kid"), ["lab-rs256", "lab-rs384", "lab-rs512", "lab-es256", "lab-es384", "lab-es512"]);
    let sts = site.http.get(&site.lab.endpoints.sts).send().await.unwrap();
    let sts_date = parse_http_date(sts.headers()["date"].to_str().unwrap()).unwrap();
    assert!((3598..=3602).contains(&(date - sts_date)), "{date} {sts_date}");
}

#[tokio::test]
async fn certificates() {
    for scenario in ["tls-expired", "tls-name", "tls-untrusted"] {
        let site = Site::scenario(scenario);
        assert!(site.http.get(&site.lab.endpoints.issuer).send().await.is_err(), "{scenario}");
        assert_eq!(site.http.get(&site.lab.endpoints.sts).send().await.unwrap().status(), 400, "{scenario}");
    }
}

#[tokio::test]
async fn the_profile_holds_what_the_user_has_at_hand() {
    let site = Site::scenario("sub-mismatch");
    let profile = &site.lab.profile;
    assert!(profile.trust_policy.as_ref().unwrap().contains("organization:0b1e5c77"));
    assert!(profile.identity_policy.as_ref().unwrap().contains("secretsmanager:ListSecrets"));
    assert_eq!(profile.issuer_url, site.lab.endpoints.issuer);
    let bare = Site::world("[profile]\ntrust-policy = ''\nidentity-policy = ''\n");
    assert_eq!((&bare.lab.profile.trust_policy, &bare.lab.profile.identity_policy), (&None, &None));
}

#[tokio::test]
async fn minting_says_what_it_wants() {
    let site = Site::scenario("healthy");
    let url = format!("{}/lab/mint", site.lab.endpoints.issuer);
    for body in ["", "{}", "[]", r#"{"payload": 1}"#, r#"{"payload": "", "headers": {}}"#] {
        let response = site.http.post(&url).body(body).send().await.unwrap();
        assert_eq!(response.status(), 400, "{body}");
        assert!(response.text().await.unwrap().contains("payload"), "{body}");
    }
}
