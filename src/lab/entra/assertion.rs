//! The assertion's form and times, the federated credentials that it must meet, and the access tokens given for it.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{EntraError, quoted_time};
use crate::domain::entra::ClaimsExpression;
use crate::domain::iam::Truth;
use crate::domain::token::{DecodedToken, RawToken, decode};
use crate::lab::LabError;
use crate::lab::world::{App, Credential};

/// How many of an issuer's keys are stored.
pub(super) const KEYS_KEPT: usize = 100;
/// The longest that an assertion may live, in seconds: a day and an hour.
const LONGEST_LIFE: i64 = 90_000;
/// The signing algorithm that is documented to work
/// (<https://learn.microsoft.com/entra/workload-id/workload-identity-federation-considerations>).
const DOCUMENTED: &str = "RS256";
/// How far an assertion's times may be off, in seconds.
const LEEWAY: i64 = 300;

const CHECK: &str = "Check your federated identity credential Subject, Audience and Issuer against the presented assertion. https://learn.microsoft.com/entra/workload-id/workload-identity-federation";

/// Takes the assertion apart; `also_taken` are algorithms beside those that Entra is documented to take.
pub(super) fn decoded(text: &str, also_taken: &BTreeSet<String>) -> Result<(RawToken, DecodedToken), EntraError> {
    let malformed = || EntraError::new(50_027, 400, "invalid_request", "JWT token is invalid or malformed.");
    let (raw, cleaned) = RawToken::clean(text);
    // The endpoint repairs nothing: what had to be cleaned was no token.
    if !cleaned.is_empty() {
        return Err(malformed());
    }
    let decoded = decode(&raw);
    if decoded.parts != 3 || decoded.header.is_none() || decoded.claims.is_none() {
        return Err(malformed());
    }
    match decoded.header.as_ref().and_then(|h| h.get("typ")).and_then(|typ| typ.as_str()) {
        None | Some("JWT" | "http://openid.net/specs/jwt/1.0") => {}
        Some(_) => {
            return Err(EntraError::new(
                5_002_727,
                400,
                "invalid_request",
                "Invalid JWT header type specified. Allowed types: 'JWT','http://openid.net/specs/jwt/1.0'.",
            ));
        }
    }
    if !decoded.alg().is_some_and(|alg| alg == DOCUMENTED || also_taken.contains(alg)) {
        return Err(malformed());
    }
    Ok((raw, decoded))
}

/// Checks lifetime and times at `now`, seconds since the epoch.
pub(super) fn check_times(token: &DecodedToken, now: i64) -> Result<(), EntraError> {
    let malformed = || EntraError::new(50_027, 400, "invalid_request", "JWT token is invalid or malformed.");
    // A token without `iat` is taken as one of 1970, and lives too long.
    let (issued, expires) = (token.issued_at().unwrap_or(0), token.expires_at().ok_or_else(malformed)?);
    if expires.saturating_sub(issued) > LONGEST_LIFE {
        return Err(EntraError::new(
            70_023,
            400,
            "invalid_request",
            format!(
                "External OIDC Provider token must have a lifetime of less than or equal to 1.01:00:00. Token issued at {issued}. Token expires on {expires}."
            ),
        ));
    }
    // Without `nbf` the text says 1970.
    let from = token.not_before().unwrap_or(0);
    if now > expires.saturating_add(LEEWAY) || now < from.saturating_sub(LEEWAY) {
        return Err(EntraError::new(
            700_024,
            401,
            "invalid_client",
            format!(
                "Client assertion is not within its valid time range. Current time: {}, assertion valid from {}, expiry time of assertion {}. Review the documentation at https://learn.microsoft.com/entra/identity-platform/certificate-credentials .",
                quoted_time(now),
                quoted_time(from),
                quoted_time(expires)
            ),
        ));
    }
    Ok(())
}

/// Yields the id of the application's credential that accepts the token; `age` is the seconds since the lab's start.
pub(super) fn check_credentials(
    app: &App,
    token: &DecodedToken,
    age: u64,
    old_codes: bool,
) -> Result<String, EntraError> {
    let present: Vec<&Credential> = app.credentials.values().filter(|c| c.present).collect();
    if present.is_empty() {
        return Err(EntraError::new(
            70_025,
            401,
            "invalid_client",
            format!("The client '{}' has no configured federated identity credentials.", app.client_id),
        ));
    }
    let known: Vec<&Credential> = present.into_iter().filter(|c| c.effective_after_s <= age).collect();
    let (issuer, subject) = (token.issuer().unwrap_or_default(), token.subject().unwrap_or_default());
    let audience = match token.audiences()[..] {
        [one] => one.to_owned(),
        ref several => several.join(","),
    };
    let fits = |c: &&&Credential| c.issuer == issuer && c.audience == audience && subject_fits(c, token);
    if let Some(matched) = known.iter().find(fits) {
        return Ok(matched.id.clone());
    }
    let unmatched = |code, what: String| {
        EntraError::new(
            code,
            401,
            "invalid_client",
            format!("No matching federated identity record found for presented assertion {what}. {CHECK}"),
        )
    };
    if old_codes {
        return Err(EntraError::new(
            70_021,
            401,
            "invalid_client",
            format!(
                "No matching federated identity record found for presented assertion. Assertion Issuer: '{issuer}'. Assertion Subject: '{subject}'. Assertion Audience: '{audience}'. https://docs.microsoft.com/en-us/azure/active-directory/develop/workload-identity-federation"
            ),
        ));
    }
    let of_issuer: Vec<&&Credential> = known.iter().filter(|c| c.issuer == issuer).collect();
    if of_issuer.is_empty() && !known.is_empty() {
        return Err(unmatched(700_211, format!("issuer '{issuer}'")));
    }
    if of_issuer.iter().any(|c| subject_fits(c, token)) {
        return Err(unmatched(700_212, format!("audience '{audience}'")));
    }
    if of_issuer.iter().any(|c| c.expression.is_none() && c.subject.eq_ignore_ascii_case(subject)) {
        return Err(EntraError::new(
            7_002_138,
            401,
            "invalid_client",
            format!(
                "No matching federated identity record found for presented assertion subject '{subject}'. The subject matches with case-insensitive comparison, but not with case-sensitive comparison. {CHECK}"
            ),
        ));
    }
    Err(unmatched(700_213, format!("subject '{subject}'")))
}

fn subject_fits(credential: &Credential, token: &DecodedToken) -> bool {
    match (&credential.expression, &token.claims) {
        (Some(text), Some(claims)) => {
            ClaimsExpression::parse(text).is_ok_and(|expression| expression.accepts(claims) == Truth::True)
        }
        (Some(_), None) => false,
        (None, _) => token.subject() == Some(&credential.subject),
    }
}

/// The key's identifier in the text: the decoded `kid` in hexadecimal.
pub(super) fn key_identifier(kid: &str) -> String {
    let bytes = URL_SAFE_NO_PAD.decode(kid).unwrap_or_else(|_| kid.as_bytes().to_vec());
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02X}");
        text
    })
}

/// How long an access token lives, in seconds.
pub(super) const LIFETIME: i64 = 3600;

/// Makes access tokens, and knows its own.
pub(in crate::lab) struct AccessTokens {
    key: hmac::Key,
}

/// What an access token says.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(in crate::lab) struct Claims {
    pub aud: String,
    pub iss: String,
    pub iat: i64,
    pub nbf: i64,
    pub exp: i64,
    pub appid: String,
    pub oid: String,
    pub sub: String,
    pub tid: String,
    pub ver: String,
}

impl AccessTokens {
    pub(in crate::lab) fn new() -> Result<Self, LabError> {
        let key = hmac::Key::generate(hmac::HMAC_SHA256, &aws_lc_rs::rand::SystemRandom::new());
        Ok(AccessTokens { key: key.map_err(|_| LabError::Keys)? })
    }

    /// A token of `app` for `resource`.
    pub(super) fn issue(&self, tenant: &str, app: &App, resource: &str, now: i64) -> String {
        let claims = json!(Claims {
            aud: resource.to_owned(),
            iss: format!("https://sts.windows.net/{tenant}/"),
            iat: now,
            nbf: now,
            exp: now + LIFETIME,
            appid: app.client_id.clone(),
            oid: app.object_id.clone(),
            sub: app.object_id.clone(),
            tid: tenant.to_owned(),
            ver: "1.0".to_owned(),
        });
        let header = json!({ "typ": "JWT", "alg": "RS256", "kid": "lab-entra" });
        let input =
            format!("{}.{}", URL_SAFE_NO_PAD.encode(header.to_string()), URL_SAFE_NO_PAD.encode(claims.to_string()));
        let tag = hmac::sign(&self.key, input.as_bytes());
        format!("{input}.{}", URL_SAFE_NO_PAD.encode(tag))
    }

    /// The claims of a token that was made here.
    pub(in crate::lab) fn read(&self, token: &str) -> Option<Claims> {
        let (input, tag) = token.rsplit_once('.')?;
        hmac::verify(&self.key, input.as_bytes(), &URL_SAFE_NO_PAD.decode(tag).ok()?).ok()?;
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(input.split_once('.')?.1).ok()?).ok()
    }
}
