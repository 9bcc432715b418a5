//! The refusals of Google's STS and of an impersonation: which cause the facts decide for, where one text has several.

use super::{Cause, Certainty, Finding, gcp};
use crate::domain::gcp::ProviderEvaluation;
use crate::domain::google_error::GoogleError;
use crate::domain::iam::Truth;
use crate::domain::ids::FoundBy;
use crate::domain::pool_name::ProviderName;
use crate::domain::profile::key::Key;
use crate::domain::timestamp::{UnixSeconds, in_words, rfc3339};
use crate::domain::token::DecodedToken;

/// How far Google lets a token's times be off, both ways (recorded answers of Google's STS, 2026-09-28).
pub const LEEWAY_S: i64 = 60;
/// A token with less than this left is answered with an internal error, repeatably (ibid.).
const LEAST_LEFT_S: i64 = 2;

/// What the keys of the issuer say of the token's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeySeen {
    /// One of the published keys made the signature.
    Verified,
    /// None of them did.
    Failed,
    /// The token names a key that is not published.
    NotPublished,
    /// They could not be fetched from here.
    NotFetched,
    NotLookedAt,
}

/// What else was seen.
pub struct Seen<'a> {
    pub token: Option<&'a DecodedToken>,
    /// The local clock.
    pub now: UnixSeconds,
    pub provider: Option<&'a ProviderName>,
    pub universe: &'a str,
    /// What the provider at hand says.
    pub evaluation: Option<&'a ProviderEvaluation>,
    pub keys: KeySeen,
    /// Keys were uploaded to the provider, so that Google does not fetch the issuer's.
    pub has_uploaded_keys: bool,
    /// The token's key is not among those.
    pub is_not_uploaded: bool,
}

/// Decides among `findings`, which the words of a refusal allow.
pub fn narrow(findings: &mut Vec<Finding>, check: FoundBy, error: &GoogleError, status: u16, seen: &Seen<'_>) {
    let text = error.message.as_str();
    let decided = by_provider(findings, check, seen).or_else(|| {
        if text.contains("is stale to sign-in") {
            times(check, seen)
        } else if status >= 500 {
            seconds_left(check, seen)
        } else if text.contains("Error connecting to the given credential's issuer") {
            keys(check, seen)
        } else if text.contains("issuer in ID Token") {
            compared(
                Cause::IssMismatch,
                check,
                "the provider has another issuer than the token's `iss`",
                seen.token?.issuer(),
            )
        } else if text.contains("audience in ID Token") {
            audience(check, seen)
        } else if text.contains("target service indicated by the") {
            target(check, seen)
        } else if text.contains("Invalid value for \"audience\"") {
            name(check, seen)
        } else {
            None
        }
    });
    if let Some(mut decided) = decided {
        let words = findings.first().map(|finding| finding.evidence.clone()).unwrap_or_default();
        decided.evidence.extend(words);
        let follows = decided.certainty == Certainty::Proven;
        findings.retain(|finding| finding.cause != decided.cause && !follows);
        // What the words alone would prove, the facts have made less likely.
        findings.iter_mut().for_each(|other| other.certainty = Certainty::Possible);
        findings.insert(0, decided);
    }
}

/// The provider at hand refuses the token for one of the reasons that the words allow.
fn by_provider(findings: &[Finding], check: FoundBy, seen: &Seen<'_>) -> Option<Finding> {
    let evaluation = seen.evaluation.filter(|evaluation| evaluation.exchanged() == Truth::False)?;
    let found = gcp::refused(check, evaluation).into_iter().next()?;
    findings.iter().any(|allowed| allowed.cause == found.cause).then_some(found)
}

/// Four faults have this one text; the token's own times tell which it is.
fn times(check: FoundBy, seen: &Seen<'_>) -> Option<Finding> {
    let token = seen.token?;
    let proven = |cause, summary: String| Finding::new(cause, check, Certainty::Proven, summary);
    let shown = |at| rfc3339(at).unwrap_or_default();
    Some(match (token.expires_at(), token.issued_at()) {
        (None, _) => {
            proven(Cause::MalformedToken, "the token has no readable `exp`, which Google calls stale".to_owned())
        }
        (_, None) => {
            proven(Cause::MalformedToken, "the token has no readable `iat`, which Google calls stale".to_owned())
        }
        (Some(exp), _) if seen.now.saturating_sub(exp) > LEEWAY_S => {
            let late = in_words(seen.now.saturating_sub(exp).unsigned_abs());
            proven(
                Cause::TokenExpired,
                format!("the token expired {late} ago; Google accepts it up to {LEEWAY_S} s late"),
            )
            .with_difference(format!("after {}", shown(seen.now)), shown(exp))
        }
        (_, Some(iat)) if iat.saturating_sub(seen.now) > LEEWAY_S => {
            let ahead = in_words(iat.saturating_sub(seen.now).unsigned_abs());
            let summary = format!("the token was issued {ahead} in the future; Google accepts up to {LEEWAY_S} s");
            proven(Cause::ClockSkew, summary).with_difference(format!("up to {}", shown(seen.now)), shown(iat))
        }
        // By the clock here its times are good: one of the two clocks is off.
        (Some(exp), Some(iat)) => {
            let summary = "by the clock here the token is valid, and by Google's it is not";
            Finding::new(Cause::ClockSkew, check, Certainty::Likely, summary).with_evidence(format!(
                "issued {}, expires {}, now {}",
                shown(iat),
                shown(exp),
                shown(seen.now)
            ))
        }
    })
}

/// With a second left Google answers that it failed.
fn seconds_left(check: FoundBy, seen: &Seen<'_>) -> Option<Finding> {
    let left = seen.token?.expires_at()?.saturating_sub(seen.now);
    (-LEEWAY_S..=LEAST_LEFT_S).contains(&left).then(|| {
        let summary = "the token was about to expire, which Google answers with an internal error";
        let when = if left >= 0 { format!("{left} s were left") } else { format!("it expired {} s before", -left) };
        Finding::new(Cause::TokenExpired, check, Certainty::Likely, summary).with_evidence(when)
    })
}

fn keys(check: FoundBy, seen: &Seen<'_>) -> Option<Finding> {
    let kid = seen.token.and_then(DecodedToken::kid).unwrap_or_default();
    let with = |cause, certainty, summary: String| Some(Finding::new(cause, check, certainty, summary));
    match (seen.keys, seen.has_uploaded_keys) {
        (_, true) if seen.is_not_uploaded => with(
            Cause::JwksKidMissing,
            Certainty::Proven,
            format!("the keys that were uploaded to the provider do not have the token's key `{kid}`, and the issuer's own are not fetched"),
        ),
        (_, true) if seen.keys != KeySeen::Failed => with(
            Cause::JwksKidMissing,
            Certainty::Likely,
            format!("the keys that were uploaded to the provider do not have the token's key `{kid}`, or cannot be read"),
        ),
        (KeySeen::NotPublished, _) => with(
            Cause::JwksKidMissing,
            Certainty::Proven,
            format!("the token's key `{kid}` is not among those that the issuer publishes; Google's text is that of an issuer that does not answer"),
        ),
        (KeySeen::NotFetched, _) => with(
            Cause::JwksUnreachable,
            Certainty::Likely,
            "the issuer's document or keys cannot be fetched, neither by Google nor from here".to_owned(),
        ),
        // Reached from here, and not by Google: a private network, a firewall, or a stale copy.
        (KeySeen::Verified, _) => with(
            Cause::JwksUnreachable,
            Certainty::Likely,
            "the issuer's keys verify the token from here, and Google does not get at them: it fetches them over the public internet".to_owned(),
        ),
        _ => None,
    }
}

fn compared(cause: Cause, check: FoundBy, summary: &str, actual: Option<&str>) -> Option<Finding> {
    let mut finding = Finding::new(cause, check, Certainty::Proven, summary);
    finding.actual = actual.map(str::to_owned);
    Some(finding)
}

fn audience(check: FoundBy, seen: &Seen<'_>) -> Option<Finding> {
    let audiences = seen.token?.audiences().join(", ");
    let own = seen.provider.map(|name| format!("//iam.{}/{name}", seen.universe));
    let is_own = own.as_ref().is_some_and(|own| audiences == *own || audiences == format!("https:{own}"));
    let summary = match (audiences.is_empty(), is_own) {
        (true, _) => "the token has no audience",
        // The list replaces the default.
        (_, true) => "the provider lists allowed audiences, which replace its own name, and the token has its own name",
        _ => "the provider does not accept the token's audience",
    };
    let mut finding = Finding::new(Cause::AudMismatch, check, Certainty::Proven, summary);
    finding.expected = own.filter(|_| !is_own);
    finding.actual = Some(audiences).filter(|audiences| !audiences.is_empty());
    Some(finding)
}

/// No such provider, or one that is off: the token's own audience tells which provider its maker knows.
fn target(check: FoundBy, seen: &Seen<'_>) -> Option<Finding> {
    let asked = seen.provider?;
    let named: Vec<ProviderName> = seen.token?.audiences().iter().filter_map(|one| ProviderName::parse(one)).collect();
    match named.as_slice() {
        [] => None,
        named if named.contains(asked) => {
            let summary = "the token is made for this provider, and Google does not know it: it is disabled or deleted, or its pool is";
            Some(Finding::new(Cause::ProviderDisabled, check, Certainty::Likely, summary))
        }
        named => {
            let summary =
                "the token is made for another provider than the one that was asked, which Google does not know";
            let finding =
                Finding::new(Cause::WrongProviderName, check, Certainty::Likely, summary).about(Key::GcpProvider);
            Some(finding.with_difference(named[0].to_string(), asked.to_string()))
        }
    }
}

fn name(check: FoundBy, seen: &Seen<'_>) -> Option<Finding> {
    let asked = seen.provider?;
    if !asked.has_number() {
        let summary =
            format!("the provider's name has the project's id, `{}`, where its number belongs", asked.project);
        return Some(Finding::new(Cause::WrongProviderName, check, Certainty::Proven, summary).about(Key::GcpProvider));
    }
    let summary = format!("the name is complete, and is not one of the universe {}", seen.universe);
    Some(Finding::new(Cause::WrongUniverseAudience, check, Certainty::Likely, summary))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::cause::explain::candidates;
    use crate::domain::gcp::{PoolProvider, Subject, evaluate};
    use crate::domain::ids::{CheckId, Cloud};
    use crate::domain::token::{RawToken, decode};

    const NOW: i64 = 1_800_000_000;
    const NAME: &str = "projects/123456789012/locations/global/workloadIdentityPools/pool/providers/ci";

    fn token(changes: &[(&str, Value)]) -> DecodedToken {
        let mut claims = json!({
            "iss": "https://issuer.example", "sub": "job", "iat": NOW - 60, "exp": NOW + 600,
            "aud": format!("//iam.googleapis.com/{NAME}"),
        });
        for (name, value) in changes {
            if value.is_null() {
                claims.as_object_mut().unwrap().remove(*name);
            } else {
                claims[*name] = value.clone();
            }
        }
        let encode = |value: &Value| {
            use base64::Engine as _;
            base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(value.to_string())
        };
        let header = json!({"alg": "RS256", "kid": "k1"});
        let text = format!("{}.{}.c2ln", encode(&header), encode(&claims));
        decode(&RawToken::clean(&text).0)
    }

    fn first(code: &str, message: &str, status: u16, token: &DecodedToken, keys: KeySeen) -> (Cause, Certainty) {
        decided(code, message, status, token, keys, None)
    }

    fn decided(
        code: &str,
        message: &str,
        status: u16,
        token: &DecodedToken,
        keys: KeySeen,
        evaluation: Option<&ProviderEvaluation>,
    ) -> (Cause, Certainty) {
        let error = GoogleError { code: code.into(), message: message.into(), ..GoogleError::default() };
        let check = CheckId::GcpExchange;
        let mut findings: Vec<Finding> = candidates(Cloud::Gcp, code, message)
            .into_iter()
            .map(|candidate| Finding::new(candidate.cause, check, candidate.certainty, "words"))
            .collect();
        let provider = ProviderName::parse(NAME);
        let seen = Seen {
            token: Some(token),
            now: NOW,
            provider: provider.as_ref(),
            universe: "googleapis.com",
            evaluation,
            keys,
            has_uploaded_keys: false,
            is_not_uploaded: false,
        };
        narrow(&mut findings, check.into(), &error, status, &seen);
        findings.first().map(|finding| (finding.cause, finding.certainty)).unwrap_or_else(|| panic!("{message}"))
    }

    #[test]
    fn one_text_of_four_time_faults_is_decided_by_the_tokens_times() {
        let stale = "ID Token issued at 1 is stale to sign-in.";
        for (changes, cause) in [
            (vec![("exp", json!(NOW - 61))], Cause::TokenExpired),
            (vec![("exp", Value::Null)], Cause::MalformedToken),
            (vec![("iat", Value::Null)], Cause::MalformedToken),
            (vec![("iat", json!(NOW + 119))], Cause::ClockSkew),
        ] {
            let found = first("invalid_grant", stale, 400, &token(&changes), KeySeen::Verified);
            assert_eq!(found, (cause, Certainty::Proven), "{changes:?}");
        }
        // Within the leeway nothing is wrong with the times: a clock is.
        let good = token(&[("exp", json!(NOW - 59))]);
        assert_eq!(first("invalid_grant", stale, 400, &good, KeySeen::Verified), (Cause::ClockSkew, Certainty::Likely));
    }

    #[test]
    fn every_text_of_the_exchange_leads_to_its_causes() {
        use Certainty::{Likely, Proven};
        let usual = token(&[]);
        let connecting = "Error connecting to the given credential's issuer.";
        let target = "The target service indicated by the \"audience\" parameters is invalid. This might either be because the pool or provider is disabled or deleted or because it doesn't exist.";
        let elsewhere =
            token(&[("aud", json!(format!("https://iam.googleapis.com/{}", NAME.replace("/ci", "/other"))))]);
        for (code, message, status, token, keys, found) in [
            (
                "invalid_grant",
                "The issuer in ID Token https://issuer.example does not match the expected one: x",
                400,
                &usual,
                KeySeen::Verified,
                (Cause::IssMismatch, Proven),
            ),
            (
                "invalid_grant",
                "The audience in ID Token [mine] does not match the expected audience.",
                400,
                &usual,
                KeySeen::Verified,
                (Cause::AudMismatch, Proven),
            ),
            ("invalid_grant", connecting, 400, &usual, KeySeen::NotPublished, (Cause::JwksKidMissing, Proven)),
            ("invalid_grant", connecting, 400, &usual, KeySeen::NotFetched, (Cause::JwksUnreachable, Likely)),
            ("invalid_grant", connecting, 400, &usual, KeySeen::Verified, (Cause::JwksUnreachable, Likely)),
            ("invalid_target", target, 400, &usual, KeySeen::Verified, (Cause::ProviderDisabled, Likely)),
            ("invalid_target", target, 400, &elsewhere, KeySeen::Verified, (Cause::WrongProviderName, Likely)),
            (
                "INTERNAL",
                "Internal error encountered.",
                500,
                &token(&[("exp", json!(NOW + 1))]),
                KeySeen::Verified,
                (Cause::TokenExpired, Likely),
            ),
        ] {
            assert_eq!(first(code, message, status, token, keys), found, "{message}");
        }
        // Where the words alone decide, they stay.
        for (code, message, cause) in [
            ("invalid_grant", "Unable to parse the ID Token.", Cause::MalformedToken),
            ("invalid_grant", "Unable to verify the ID Token signature.", Cause::SignatureInvalid),
            (
                "unauthorized_client",
                "The given credential is rejected by the attribute condition.",
                Cause::AttributeCondition,
            ),
            (
                "unauthorized_client",
                "Could not obtain a value for google.subject from the given credential.",
                Cause::AttributeMappingMissing,
            ),
            (
                "unauthorized_client",
                "The mapped attribute 'google.subject' must be of type STRING.",
                Cause::MappingTypeWrong,
            ),
            (
                "invalid_request",
                "The size of mapped attribute google.subject exceeds the 127 bytes limit. Either modify your attribute mapping",
                Cause::SubjectTooLong,
            ),
            (
                "quota_exceeded",
                "The request was throttled due to rate limit: sts.googleapis.com/requests.",
                Cause::Throttled,
            ),
        ] {
            assert_eq!(first(code, message, 400, &usual, KeySeen::Verified).0, cause, "{message}");
        }
    }

    #[test]
    fn an_audience_of_no_form_is_decided_by_the_name_that_was_asked() {
        let text =
            "Invalid value for \"audience\". This value should be the full resource name of the Identity Provider.";
        let decided = |name: &str, universe: &str| {
            let error = GoogleError { code: "invalid_request".into(), message: text.into(), ..GoogleError::default() };
            let words = candidates(Cloud::Gcp, "invalid_request", text).into_iter();
            let mut findings: Vec<Finding> =
                words.map(|one| Finding::new(one.cause, CheckId::GcpExchange, one.certainty, "words")).collect();
            let (token, provider) = (token(&[]), ProviderName::parse(name));
            let seen = Seen {
                token: Some(&token),
                now: NOW,
                provider: provider.as_ref(),
                universe,
                evaluation: None,
                keys: KeySeen::Verified,
                has_uploaded_keys: false,
                is_not_uploaded: false,
            };
            narrow(&mut findings, CheckId::GcpExchange.into(), &error, 400, &seen);
            (findings[0].cause, findings[0].certainty, findings[0].summary.clone())
        };
        let by_id = decided(&NAME.replacen("projects/123456789012", "projects/my-project", 1), "googleapis.com");
        assert_eq!((by_id.0, by_id.1), (Cause::WrongProviderName, Certainty::Proven), "{by_id:?}");
        assert!(by_id.2.contains("`my-project`, where its number belongs"), "{by_id:?}");
        let complete = decided(NAME, "apis.sovereign.example");
        assert_eq!((complete.0, complete.1), (Cause::WrongUniverseAudience, Certainty::Likely), "{complete:?}");
    }

    #[test]
    fn a_condition_that_fails_is_told_apart_from_one_that_is_false() {
        let rejected = "The given credential is rejected by the attribute condition.";
        let usual = token(&[]);
        for (condition, words) in [
            ("assertion.sub == 'other'", "not met"),
            ("assertion.organization_id != ''", "fails instead of being false"),
        ] {
            let provider = json!({
                "name": NAME, "oidc": {"issuerUri": "https://issuer.example"},
                "attributeMapping": {"google.subject": "assertion.sub"}, "attributeCondition": condition,
            });
            let provider = PoolProvider::parse(&provider.to_string()).unwrap();
            let claims = usual.claims.clone().unwrap();
            let evaluation = evaluate(&provider, None, Subject { claims: &claims, unknown: &[] });
            let found = decided("unauthorized_client", rejected, 400, &usual, KeySeen::Verified, Some(&evaluation));
            assert_eq!(found, (Cause::AttributeCondition, Certainty::Proven));
            assert!(gcp::refused(CheckId::GcpExchange.into(), &evaluation)[0].summary.contains(words));
        }
    }
}
