//! The assertion's form and times, and the federated credentials that it must meet: pure functions.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::fault::{Fault, quoted_time};
use crate::domain::entra::ClaimsExpression;
use crate::domain::iam::Truth;
use crate::domain::token::{DecodedToken, RawToken, decode};
use crate::lab::world::{App, Credential};

/// How many of an issuer's keys are stored.
pub(super) const KEYS_KEPT: usize = 100;
/// The longest that an assertion may live, in seconds: a day and an hour.
const LONGEST_LIFE: i64 = 90_000;
/// How far an assertion's times may be off, in seconds.
const LEEWAY: i64 = 300;

const CHECK: &str = "Check your federated identity credential Subject, Audience and Issuer against the presented assertion. https://learn.microsoft.com/entra/workload-id/workload-identity-federation";

/// Takes the assertion apart.
pub(super) fn decoded(text: &str) -> Result<(RawToken, DecodedToken), Fault> {
    let malformed = || Fault::new(50_027, 400, "invalid_request", "JWT token is invalid or malformed.");
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
            return Err(Fault::new(
                5_002_727,
                400,
                "invalid_request",
                "Invalid JWT header type specified. Allowed types: 'JWT','http://openid.net/specs/jwt/1.0'.",
            ));
        }
    }
    if !decoded.alg().is_some_and(|alg| ["RS256", "RS384", "RS512"].contains(&alg)) {
        return Err(malformed());
    }
    Ok((raw, decoded))
}

/// Checks lifetime and times at `now`, seconds since the epoch.
pub(super) fn check_times(token: &DecodedToken, now: i64) -> Result<(), Fault> {
    let malformed = || Fault::new(50_027, 400, "invalid_request", "JWT token is invalid or malformed.");
    let (issued, expires) = (token.issued_at().ok_or_else(malformed)?, token.expires_at().ok_or_else(malformed)?);
    if expires.saturating_sub(issued) > LONGEST_LIFE {
        return Err(Fault::new(
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
        return Err(Fault::new(
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

/// Checks that one of the application's credentials accepts the token; `age` is the seconds since the lab's start.
pub(super) fn check_credentials(app: &App, token: &DecodedToken, age: u64, old_codes: bool) -> Result<(), Fault> {
    let present: Vec<&Credential> = app.credentials.values().filter(|c| c.present).collect();
    if present.is_empty() {
        return Err(Fault::new(
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
    if known.iter().any(|c| c.issuer == issuer && c.audience == audience && subject_fits(c, token)) {
        return Ok(());
    }
    let unmatched = |code, what: String| {
        Fault::new(
            code,
            401,
            "invalid_client",
            format!("No matching federated identity record found for presented assertion {what}. {CHECK}"),
        )
    };
    if old_codes {
        return Err(Fault::new(
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
        return Err(Fault::new(
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
