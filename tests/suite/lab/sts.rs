//! STS's odd corners, over the wire: any token against the code, status and text that AWS was seen to answer.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

use super::client::{Credentials, Signing, Site};

const GENERIC: &str = "InvalidIdentityToken: The web identity token provided could not be validated. \
                       See the AssumeRoleWithWebIdentity documentation for requirements.";
const NO_KEY: &str = "InvalidIdentityToken: Couldn't retrieve verification key from your identity provider,  \
                      please reference AssumeRoleWithWebIdentity documentation for requirements";
const DENIED: &str = "AccessDenied: Not authorized to perform sts:AssumeRoleWithWebIdentity";

fn now() -> i64 {
    i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()).unwrap()
}

/// A world whose role lets any subject and audience in, so that only the token decides.
const OPEN: &str = r#"
[aws.providers.platform]
client-ids = ["sts.amazonaws.com", "client-b"]

[aws.roles.crewai-secrets-reader]
max-session-duration-s = 7200
trust-policy = '''
{
  "Version": "2012-10-17",
  "Statement": [
    {
      "Effect": "Allow",
      "Principal": { "Federated": "arn:aws:iam::${account}:oidc-provider/${issuer-host}" },
      "Action": ["sts:AssumeRoleWithWebIdentity", "sts:TagSession", "sts:SetSourceIdentity"]
    }
  ]
}
'''
"#;

async fn verdict(site: &Site, header: Option<Value>, payload: &str, more: &[(&str, &str)]) -> (u16, String) {
    site.exchange(&site.mint(header, payload).await, more).await.verdict()
}

fn refused(status: u16, text: &str) -> (u16, String) {
    (status, text.to_owned())
}

#[tokio::test]
async fn claims() {
    let site = Site::world(OPEN);
    let host = site.lab.endpoints.issuer.clone();
    let role = site.lab.role_arn.clone();
    let bad_time = "InvalidIdentityToken: Invalid timestamp in token claims.";
    for (change, expected) in [
        (json!({}), None),
        (json!({"sub": ""}), None),
        (json!({"sub": 123}), None),
        (json!({"sub": "a".repeat(300)}), None),
        (json!({"aud": ["sts.amazonaws.com"]}), None),
        (json!({"aud": "other", "azp": "client-b"}), None),
        (json!({"aud": ["other", "sts.amazonaws.com"], "azp": "client-b"}), None),
        (json!({"iat": now().to_string(), "exp": (now() + 60).to_string(), "nbf": now().to_string()}), None),
        (json!({"exp": now() - 200}), None),
        (json!({"iat": now() + 250, "nbf": now() + 250}), None),
        (json!({"https://aws.amazon.com/roles": [role]}), None),
        (json!({"https://aws.amazon.com/roles": null}), None),
        (json!({"https://aws.amazon.com/roles": format!(" {role} ")}), None),
        (json!({"https://aws.amazon.com/roles": format!("arn:aws:iam::123456789012:role/other; {role}")}), None),
        (json!({"https://aws.amazon.com/source_identity": "source-probe"}), None),
        (json!({"https://aws.amazon.com/tags": {"principal_tags": {"Team": ["a"]}}}), None),
        (json!({"https://aws.amazon.com/tags/principal_tags/Team": "a"}), None),
        (json!({"iss": null}), Some("InvalidIdentityToken: Missing a required claim: iss".to_owned())),
        (json!({"iat": null}), Some("InvalidIdentityToken: Missing a required claim: iat".to_owned())),
        (json!({"exp": null}), Some("InvalidIdentityToken: Missing a required claim: exp".to_owned())),
        (json!({"aud": []}), Some("InvalidIdentityToken: Claim is not allowed to be empty: aud".to_owned())),
        (json!({"aud": ""}), Some(GENERIC.to_owned())),
        (json!({"azp": ""}), Some(GENERIC.to_owned())),
        (json!({"azp": "other"}), Some(GENERIC.to_owned())),
        (json!({"aud": "other"}), Some(GENERIC.to_owned())),
        (
            json!({"aud": ["sts.amazonaws.com", "client-b"]}),
            Some(
                "InvalidIdentityToken: Token audience contains more than one audience while authorized party is not \
                 present"
                    .to_owned(),
            ),
        ),
        (json!({"iat": 1_700_000_000.5}), Some(bad_time.to_owned())),
        (json!({"exp": "never"}), Some(bad_time.to_owned())),
        (json!({"nbf": true}), Some(bad_time.to_owned())),
        (
            json!({"iat": now() + 3600}),
            Some(format!("InvalidIdentityToken: Token issued in the future: {}", now() + 3600)),
        ),
        (
            json!({"iss": format!("{host}/")}),
            Some(format!("InvalidIdentityToken: No OpenIDConnect provider found in your account for {host}/")),
        ),
        (
            json!({"https://aws.amazon.com/roles": ["arn:aws:iam::123456789012:role/other"]}),
            Some(
                "InvalidIdentityToken: The target role ARN is not present in the roles claim of the identity token"
                    .to_owned(),
            ),
        ),
        (
            json!({"https://aws.amazon.com/tags": {"principal_tags": {"Team": "a"}}}),
            Some("InvalidIdentityToken: principal_tags passed in claim is not in correct format.".to_owned()),
        ),
    ] {
        let answer = verdict(&site, None, &site.claims(change.clone()).to_string(), &[]).await;
        let expected = expected.map_or((200, "ok".to_owned()), |text| (400, text));
        assert_eq!(answer, expected, "{change}");
    }
}

/// Whom STS takes a token's caller for, as it was recorded.
#[tokio::test]
async fn principals_and_the_keys_of_the_caller() {
    let provider = r#"{ "Federated": "arn:aws:iam::${account}:oidc-provider/${issuer-host}" }"#;
    for (principal, condition, admitted) in [
        (provider, r#"{ "StringEquals": { "aws:PrincipalAccount": "${account}" } }"#, true),
        (provider, r#"{ "StringEquals": { "aws:PrincipalAccount": "anonymous" } }"#, false),
        (provider, r#"{ "StringEquals": { "aws:PrincipalType": "User" } }"#, true),
        (provider, r#"{ "StringEquals": { "aws:PrincipalType": "FederatedUser" } }"#, false),
        (
            provider,
            r#"{ "StringEquals": { "aws:userid": "arn:aws:iam::${account}:oidc-provider/${issuer-host}" } }"#,
            true,
        ),
        (provider, r#"{ "StringLike": { "aws:userid": "organization:*" } }"#, false),
        (provider, r#"{ "Null": { "aws:PrincipalArn": "true" } }"#, true),
        (provider, r#"{ "Null": { "aws:PrincipalArn": "false" } }"#, false),
        (r#"{ "AWS": "*" }"#, "{}", false),
        (r#""*""#, "{}", false),
        (r#"{ "AWS": "arn:aws:iam::${account}:root" }"#, "{}", false),
        (r#"{ "Service": "*", "CanonicalUser": "*" }"#, "{}", false),
        (r#"{ "Federated": "*" }"#, "{}", false),
    ] {
        let world = format!(
            r#"
[aws.roles.crewai-secrets-reader]
trust-policy = '''
{{ "Version": "2012-10-17", "Statement": [ {{
  "Effect": "Allow", "Action": "sts:AssumeRoleWithWebIdentity",
  "Principal": {principal}, "Condition": {condition} }} ] }}
'''
"#
        );
        let site = Site::world(&world);
        let answer = verdict(&site, None, &site.claims(json!({})).to_string(), &[]).await;
        let expected = if admitted { refused(200, "ok") } else { refused(403, DENIED) };
        assert_eq!(answer, expected, "{principal} {condition}");
    }
}

/// What is larger than any request is answered, and not cut off while it is being sent.
#[tokio::test]
async fn too_large_a_body_is_answered() {
    let site = Site::world(OPEN);
    let padding = "x".repeat(8 * 1024 * 1024);
    let answer = site.exchange("token", &[("Padding", &padding)]).await;
    assert_eq!(answer.status, 413);
    assert_eq!(verdict(&site, None, &site.claims(json!({})).to_string(), &[]).await.0, 200, "the next is served");
}

#[tokio::test]
async fn times_are_told_with_the_leeway_in_them() {
    let site = Site::world(OPEN);
    for (name, offset, code) in [("exp", -400, "Token expired"), ("nbf", 3600, "Token not yet valid")] {
        let time = now() + offset;
        let before = now();
        let payload = site.claims(json!({ name: time })).to_string();
        let answer = site.exchange(&site.mint(None, &payload).await, &[]).await;
        let message = answer.field("Message");
        assert!(message.starts_with(code) && message.ends_with(&time.to_string()), "{message}");
        let told: i64 = message.split_whitespace().find_map(|word| word.parse().ok()).unwrap();
        let leeway = if name == "exp" { -300 } else { 300 };
        assert!((before..=now()).contains(&(told - leeway)), "{message}");
        assert_eq!(answer.field("Code"), if name == "exp" { "ExpiredTokenException" } else { "InvalidIdentityToken" });
    }
}

#[tokio::test]
async fn payloads_are_kept_byte_for_byte() {
    let site = Site::world(OPEN);
    let claims = site.claims(json!({})).to_string();
    let with = |member: &str| format!("{}, {member}}}", claims.strip_suffix('}').unwrap());
    assert_eq!(verdict(&site, None, &with(r#""aud":"other""#), &[]).await, refused(400, GENERIC));
    assert_eq!(verdict(&site, None, &with(r#""aud":"sts.amazonaws.com""#), &[]).await.0, 200);
    let internal = "InternalFailure: Unknown error validating third-party token";
    assert_eq!(verdict(&site, None, &with(r#""sub":null"#), &[]).await, refused(500, internal));
    let bad_time = "InvalidIdentityToken: Invalid timestamp in token claims.";
    assert_eq!(verdict(&site, None, &with(r#""iat":null"#), &[]).await, refused(400, bad_time));
    assert_eq!(verdict(&site, None, &with(r#""iat":99999999999999999999"#), &[]).await, refused(400, bad_time));
}

#[tokio::test]
async fn headers() {
    let site = Site::world(OPEN);
    let claims = site.claims(json!({})).to_string();
    let not_a_jwt = "InvalidIdentityToken: The ID Token provided is not a valid JWT. \
                     (You may see this error if you sent an Access Token)";
    for (header, expected) in [
        (json!({"alg": "RS256", "kid": "lab-rs256"}), "ok"),
        (json!({"alg": "RS384", "kid": "lab-rs384"}), "ok"),
        (json!({"alg": "RS512", "kid": "lab-rs512"}), "ok"),
        (json!({"alg": "ES256", "kid": "lab-es256"}), "ok"),
        (json!({"alg": "ES384", "kid": "lab-es384"}), "ok"),
        (json!({"alg": "ES512", "kid": "lab-es512"}), "ok"),
        (json!({"alg": "RS512", "kid": "lab-rs256"}), "ok"),
        (json!({"alg": "RS256", "kid": "unknown"}), NO_KEY),
        (json!({"alg": "RS256", "kid": ""}), NO_KEY),
        (json!({"alg": "RS256"}), NO_KEY),
        (json!({"alg": "none"}), NO_KEY),
        (json!({"alg": "none", "kid": "lab-rs256"}), GENERIC),
        (json!({"alg": "HS256", "kid": "lab-rs256"}), GENERIC),
        (json!({"alg": "PS256", "kid": "lab-rs256"}), GENERIC),
        (json!({"alg": "ES256", "kid": "lab-rs256"}), NO_KEY),
        (json!({"alg": "RS256", "kid": "lab-rs256", "crit": ["x"], "x": "y"}), not_a_jwt),
        (json!({"kid": "lab-rs256"}), not_a_jwt),
    ] {
        let status = if expected == "ok" { 200 } else { 400 };
        assert_eq!(verdict(&site, Some(header.clone()), &claims, &[]).await, refused(status, expected), "{header}");
    }
    for token in ["opaque", "a.b.c", "e30.e30.", "eyJhbGciOiJSUzI1NiJ9.e30.x.y.z"] {
        assert_eq!(site.exchange(token, &[]).await.verdict(), refused(400, not_a_jwt), "{token}");
    }
}

#[tokio::test]
async fn parameters() {
    let site = Site::world(OPEN);
    let token = site.workload_token();
    let one = |rest: &str| format!("ValidationError: 1 validation error detected: {rest}");
    for (more, expected) in [
        (
            [("RoleSessionName", "a")],
            one("Value 'a' at 'roleSessionName' failed to satisfy constraint: \
                 Member must have length greater than or equal to 2"),
        ),
        (
            [("RoleSessionName", "a b")],
            one("Value 'a b' at 'roleSessionName' failed to satisfy constraint: \
                 Member must satisfy regular expression pattern: [\\w+=,.@-]*"),
        ),
        (
            [("DurationSeconds", "899")],
            one("Value '899' at 'durationSeconds' failed to satisfy constraint: \
                 Member must have value greater than or equal to 900"),
        ),
        (
            [("WebIdentityToken", "abc")],
            one("Value '***' at 'webIdentityToken' failed to satisfy constraint: \
                 Member must have length greater than or equal to 4"),
        ),
        ([("RoleArn", "arn:aws:sts::123456789012:assumed-role/a/b")], "ValidationError: Request ARN is invalid".into()),
        ([("RoleArn", "arn:aws:iam::123456789012:role/\\x")], "ValidationError: Request ARN is invalid".into()),
        (
            [("DurationSeconds", "7201")],
            "ValidationError: The requested DurationSeconds exceeds the MaxSessionDuration set for this role.".into(),
        ),
        ([("DurationSeconds", "9e2")], "MalformedInput: DurationSeconds is not a whole number of 32 bits".into()),
        ([("Policy", "{")], "MalformedPolicyDocument: The policy is not in the valid JSON format.".into()),
        (
            [("Version", "2010-01-01")],
            "InvalidAction: Could not find operation AssumeRoleWithWebIdentity for version 2010-01-01".into(),
        ),
    ] {
        assert_eq!(site.exchange(&token, &more).await.verdict(), (400, expected), "{more:?}");
    }
    for (more, seconds) in [([("DurationSeconds", "+0900")], 900), ([("DurationSeconds", "7200")], 7200)] {
        let answer = site.exchange(&token, &more).await;
        let until = trustline::domain::timestamp::parse_rfc3339(answer.field("Expiration")).unwrap();
        assert!((until - now() - seconds).abs() <= 2, "{answer:?}");
    }
}

#[tokio::test]
async fn provider_ids() {
    let site = Site::world(OPEN);
    let token = site.workload_token();
    let unknown = "AccessDenied: Unrecognized OAuth provider. Do not include a provider parameter when submitting \
                   OpenIDConnect ID tokens";
    let facebook =
        "IDPRejectedClaim: graph.facebook.com rejected OAuth token with response \"Bad signature\" and code 190";
    for (id, status, expected) in [
        ("www.amazon.com", 400, "InvalidIdentityToken: Provided Token is not a Login With Amazon token"),
        ("graph.facebook.com", 403, facebook),
        ("accounts.google.com", 403, unknown),
        ("https://www.amazon.com", 403, unknown),
    ] {
        assert_eq!(site.exchange(&token, &[("ProviderId", id)]).await.verdict(), refused(status, expected), "{id}");
    }
}

#[tokio::test]
async fn a_closed_door_has_one_sentence() {
    let site = Site::scenario("healthy");
    let other = site.claims(json!({"sub": "organization:other"})).to_string();
    assert_eq!(verdict(&site, None, &other, &[]).await, refused(403, DENIED));
    let tags = site.claims(json!({"https://aws.amazon.com/tags/principal_tags/Team": "a"})).to_string();
    assert_eq!(verdict(&site, None, &tags, &[]).await, refused(403, DENIED));
    let missing = [("RoleArn", "arn:aws:iam::123456789012:role/no-such-role")];
    assert_eq!(site.exchange(&site.workload_token(), &missing).await.verdict(), refused(403, DENIED));
    let elsewhere = site.exchange(&site.workload_token(), &[("RoleArn", "arn:aws:iam::210987654321:role/x")]).await;
    assert!(elsewhere.field("Message").starts_with("No OpenIDConnect provider found in your account for https://"));
}

#[tokio::test]
async fn a_role_that_is_too_new_is_not_there_yet() {
    let site = Site::world("[aws.roles.crewai-secrets-reader]\neffective-after-s = 3600\n");
    assert_eq!(site.exchange(&site.workload_token(), &[]).await.verdict(), refused(403, DENIED));
}

#[tokio::test]
async fn who_am_i() {
    let site = Site::scenario("healthy");
    let form = [("Action", "GetCallerIdentity"), ("Version", "2011-06-15")];
    let signing = Signing { service: "sts", region: "us-east-1", time: SystemTime::now() };
    let session = site.session(&[]).await;
    let answer = site.signed_sts(&session, &signing, &form).await;
    assert_eq!(answer.field("Arn"), "arn:aws:sts::123456789012:assumed-role/crewai-secrets-reader/probe");
    assert!(answer.field("UserId").starts_with("AROA") && answer.field("UserId").ends_with(":probe"));
    assert_eq!(answer.field("Account"), "123456789012");
    let admin = site.signed_sts(&Credentials::admin(), &signing, &form).await;
    assert_eq!(admin.field("Arn"), "arn:aws:iam::123456789012:user/secrets-admin");

    let unknown = Credentials { key_id: "AKIANOBODY".into(), ..session.clone() };
    let other_token = Credentials { token: "other".into(), ..session.clone() };
    let other_secret = Credentials { secret: "other".into(), ..session.clone() };
    let late = Signing { time: SystemTime::now() - Duration::from_secs(16 * 60), ..signing };
    let early = Signing { time: SystemTime::now() + Duration::from_secs(16 * 60), ..signing };
    let elsewhere = Signing { service: "secretsmanager", region: "us-east-1", time: SystemTime::now() };
    let signing = Signing { service: "sts", region: "us-east-1", time: SystemTime::now() };
    for (who, signing, code, start) in [
        (&unknown, &signing, "InvalidClientTokenId", "The security token included in the request is invalid"),
        (&other_token, &signing, "InvalidClientTokenId", "The security token included in the request is invalid"),
        (&other_secret, &signing, "SignatureDoesNotMatch", "The request signature we calculated does not match"),
        (&session, &late, "SignatureDoesNotMatch", "Signature expired: "),
        (&session, &early, "SignatureDoesNotMatch", "Signature not yet current: "),
        (&session, &elsewhere, "SignatureDoesNotMatch", "Credential should be scoped to correct service"),
    ] {
        let answer = site.signed_sts(who, signing, &form).await;
        assert_eq!((answer.status, answer.field("Code")), (403, code));
        assert!(answer.field("Message").starts_with(start), "{answer:?}");
    }
    let unsigned = site.sts(&form.into_iter().collect()).await;
    assert_eq!(unsigned.verdict(), refused(403, "MissingAuthenticationToken: Request is missing Authentication Token"));
}

#[tokio::test]
async fn the_classic_way_to_assume_a_role() {
    let site = Site::world(
        r#"
[aws.roles.classic]
trust-policy = '''
{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole",
  "Principal": {"AWS": "arn:aws:iam::${account}:user/secrets-admin"},
  "Condition": {"StringEquals": {"sts:ExternalId": "given"}}}]}
'''
"#,
    );
    let signing = Signing { service: "sts", region: "us-east-1", time: SystemTime::now() };
    let classic = "arn:aws:iam::123456789012:role/classic";
    let form = |role, more: Vec<(&'static str, &'static str)>| {
        let start = vec![("Action", "AssumeRole"), ("RoleArn", role), ("RoleSessionName", "probe")];
        [start, more].concat()
    };
    let admin = Credentials::admin();
    let good = site.signed_sts(&admin, &signing, &form(classic, vec![("ExternalId", "given")])).await;
    assert_eq!(good.field("Arn"), "arn:aws:sts::123456789012:assumed-role/classic/probe", "{good:?}");
    for (role, more) in [
        (classic, vec![]),
        (classic, vec![("ExternalId", "wrong")]),
        (classic, vec![("ExternalId", "given"), ("Tags.member.1.Key", "a"), ("Tags.member.1.Value", "b")]),
        ("arn:aws:iam::123456789012:role/crewai-secrets-reader", vec![]),
        ("arn:aws:iam::123456789012:role/none", vec![]),
    ] {
        let answer = site.signed_sts(&admin, &signing, &form(role, more.clone())).await;
        assert_eq!((answer.status, answer.field("Code")), (403, "AccessDenied"), "{role} {more:?}");
        let start = "User: arn:aws:iam::123456789012:user/secrets-admin is not authorized to perform: sts:";
        assert!(answer.field("Message").starts_with(start) && answer.field("Message").ends_with(role), "{answer:?}");
    }
}
