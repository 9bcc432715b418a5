//! From federated credentials and Entra's refusals to causes.

mod credentials;
mod flaws;

pub use credentials::{of_credentials, strangers};
pub use flaws::flaws;

use super::{Cause, Certainty, Finding, TrustDocument};
use crate::domain::entra::{CredentialEvaluation, EntraError};
use crate::domain::iam::Decision;
use crate::domain::ids::FoundBy;
use crate::domain::national_cloud;
use crate::domain::timestamp::{UnixSeconds, in_words, rfc3339};

/// The codes of "no federated credential matches".
const NO_MATCH: &[u32] = &[70021, 700211, 700212, 700213, 7002137, 7002138, 7002121, 70025];

/// How far the vendor's clock may be from ours before we speak of it, in seconds.
const CLOCK_TOLERANCE: i64 = 60;

/// What was seen beside Entra's refusal.
#[derive(Clone, Copy, Debug, Default)]
pub struct Seen<'a> {
    pub client_id: Option<&'a str>,
    pub authority: Option<&'a str>,
    pub vault_url: Option<&'a str>,
    /// The scope that was asked for, where the profile chose it.
    pub chosen_scope: Option<&'a str>,
    /// The credentials at hand, evaluated for the token.
    pub evaluation: Option<&'a CredentialEvaluation>,
    /// Whether they are those in force, of this application, and no copy.
    pub in_force: bool,
    /// The local clock.
    pub now: UnixSeconds,
    /// The token's `exp` and `aud`.
    pub expires_at: Option<UnixSeconds>,
    pub audience: Option<&'a str>,
    /// The token's `kid`.
    pub kid: Option<&'a str>,
    /// Whether the keys that are published here verify the token.
    pub verified_here: Option<bool>,
}

/// Whether Entra says that no federated credential matches.
pub fn is_no_match(error: &EntraError) -> bool {
    error.codes.iter().any(|code| NO_MATCH.contains(code))
}

/// Sharpens the causes that Entra's words allow with everything else that was seen.
pub fn narrow(findings: &mut Vec<Finding>, error: &EntraError, check: FoundBy, seen: &Seen<'_>) {
    if is_no_match(error) {
        narrow_no_match(findings, error, check, seen);
    }
    narrow_times(findings, error, check, seen);
    narrow_keys(findings, error, seen);
    narrow_cloud(findings, error, check, seen);
    narrow_resource(findings, error, seen);
    narrow_scope(findings, seen);
    let support = [("trace id", &error.trace_id), ("correlation id", &error.correlation_id)];
    let mut support: Vec<String> =
        support.iter().filter_map(|(name, id)| id.as_ref().map(|id| format!("{name} {id}"))).collect();
    support.extend(error.server_time.and_then(rfc3339).map(|time| format!("at {time} by Entra's clock")));
    if let (false, Some(first)) = (support.is_empty(), findings.first_mut()) {
        first.evidence.push(format!("for Microsoft's support: {}", support.join(", ")));
    }
}

/// Credentials at hand decide which value differs, or that none does.
fn narrow_no_match(findings: &mut Vec<Finding>, error: &EntraError, check: FoundBy, seen: &Seen<'_>) {
    let presented = error.presented();
    let quoted_values =
        [("issuer", presented.issuer), ("subject", presented.subject), ("audience", presented.audience)];
    for finding in findings.iter_mut().filter(|f| TrustDocument::Credentials.decides().contains(&f.cause)) {
        for (name, value) in &quoted_values {
            if let Some(value) = value {
                finding.evidence.push(format!("Entra saw the {name} `{value}`"));
            }
        }
    }
    let Some(evaluation) = seen.evaluation else { return };
    match evaluation.decision {
        Decision::Deny => {
            let words = findings.first().map(|f| f.evidence.clone()).unwrap_or_default();
            let mut proven = of_credentials(evaluation, check);
            for finding in &mut proven {
                finding.evidence.extend(words.iter().cloned());
            }
            // Entra's own code is about the application as it is now; a saved credential may be stale.
            if !proven.is_empty() {
                *findings = proven;
            }
        }
        Decision::Allow => {
            findings.retain(|f| !TrustDocument::Credentials.decides().contains(&f.cause));
            let fact = "the federated credential accepts this token: issuer, subject and audience are equal";
            for finding in findings.iter_mut() {
                finding.evidence.push(fact.to_owned());
            }
            // The directory has it and its token endpoint refuses: nothing else is between the two.
            let certainty = if seen.in_force { Certainty::Proven } else { Certainty::Likely };
            put_first(
                findings,
                Finding::new(
                    Cause::PropagationDelay,
                    check,
                    certainty,
                    "the credential fits and Entra does not know it yet: a new one takes minutes to be known everywhere",
                )
                .with_evidence(fact),
            );
            if !seen.in_force && !findings.iter().any(|f| f.cause == Cause::ClientWrong) {
                let summary = "the credential may belong to another application than the client id names";
                findings
                    .push(Finding::new(Cause::ClientWrong, check, Certainty::Possible, summary).with_evidence(fact));
            }
        }
        Decision::Unknown => {}
    }
}

/// AADSTS700024 quotes three times, and our clock is a fourth.
fn narrow_times(findings: &mut Vec<Finding>, error: &EntraError, check: FoundBy, seen: &Seen<'_>) {
    if !error.codes.iter().any(|code| [700024, 50012, 500133].contains(code)) {
        return;
    }
    let range = error.valid_range();
    let Some(entra) = range.now.or(error.server_time) else { return };
    let apart = entra - seen.now;
    let shown = |time: UnixSeconds| rfc3339(time).unwrap_or_else(|| time.to_string());
    let until = range.until.or(seen.expires_at);
    // 1970 stands for a token without `nbf`.
    let from = range.from.filter(|from| *from > 0);
    let clock = if apart.abs() > CLOCK_TOLERANCE {
        let which = if apart > 0 { "ahead of" } else { "behind" };
        format!("Entra's clock is {} {which} this machine's", in_words(apart.unsigned_abs()))
    } else {
        "Entra's clock and this machine's agree".to_owned()
    };
    let finding = if let Some(from) = from.filter(|from| *from > entra) {
        let ahead = in_words((from - entra).unsigned_abs());
        Finding::new(
            Cause::ClockSkew,
            check,
            Certainty::Proven,
            format!("the token is valid only in {ahead}: the clock of the host that issued it is ahead"),
        )
        .with_difference(format!("valid from {} or before", shown(entra)), format!("valid from {}", shown(from)))
    } else if let Some(until) = until.filter(|until| *until <= entra) {
        let ago = in_words((entra - until).unsigned_abs());
        if until > seen.now + CLOCK_TOLERANCE && apart > CLOCK_TOLERANCE {
            Finding::new(
                Cause::ClockSkew,
                check,
                Certainty::Proven,
                format!(
                    "by Entra's clock the token expired {ago} ago, and by this machine's it is valid: the clocks differ"
                ),
            )
            .with_difference(shown(entra), shown(seen.now))
        } else {
            Finding::new(
                Cause::TokenExpired,
                check,
                Certainty::Proven,
                format!("the token expired {ago} before it was exchanged"),
            )
            .with_difference(format!("valid after {}", shown(entra)), format!("expired {}", shown(until)))
        }
    } else {
        return;
    };
    let words = findings.first().map(|f| f.evidence.clone()).unwrap_or_default();
    let mut finding = finding.with_evidence(clock);
    finding.evidence.extend(words);
    let cause = finding.cause;
    findings.retain(|f| ![Cause::TokenExpired, Cause::ClockSkew, cause].contains(&f.cause));
    findings.insert(0, finding);
}

/// What Entra says of keys and signature, beside what is published and verified from here.
fn narrow_keys(findings: &mut Vec<Finding>, error: &EntraError, seen: &Seen<'_>) {
    if error.codes.contains(&7000272)
        && let (Some(certificate), Some(kid)) = (error.certificate(), seen.kid)
    {
        let text = match unhex(certificate) {
            Some(bytes) if base64url(&bytes) == kid => {
                format!("the identifier is the token's kid `{kid}`, in hexadecimal")
            }
            _ => format!("the token's kid is `{kid}`"),
        };
        findings.iter_mut().for_each(|f| f.evidence.push(text.clone()));
    }
    let about_keys = [Cause::SignatureInvalid, Cause::JwksUnreachable, Cause::JwksKidMissing];
    match seen.verified_here {
        Some(true) => {
            let fact = "from here the published keys are reachable and verify the token";
            let unreachable = findings.iter().any(|f| f.cause == Cause::JwksUnreachable);
            findings.retain(|f| !(unreachable && [Cause::SignatureInvalid, Cause::JwksKidMissing].contains(&f.cause)));
            for finding in findings.iter_mut().filter(|f| about_keys.contains(&f.cause)) {
                finding.evidence.push(fact.into());
            }
        }
        Some(false) => {
            for finding in findings.iter_mut().filter(|f| f.cause == Cause::SignatureInvalid) {
                finding.certainty = Certainty::Proven;
                finding.evidence.push("from here the published key does not verify it either".into());
            }
            findings.sort_by_key(|f| f.certainty);
        }
        None => {}
    }
}

/// A tenant that is not found, or an audience that fits no credential, may be of another national cloud.
fn narrow_cloud(findings: &mut Vec<Finding>, error: &EntraError, check: FoundBy, seen: &Seen<'_>) {
    let tenant_not_found = error.codes.iter().any(|code| [90002, 900021, 700016].contains(code));
    if !tenant_not_found {
        return;
    }
    let authority = seen.authority.and_then(national_cloud::of_authority);
    let (vault, audience) =
        (seen.vault_url.and_then(national_cloud::of_vault), seen.audience.and_then(national_cloud::of_audience));
    let Some(asked) = authority else {
        return;
    };
    let other = vault.filter(|v| *v != asked).or(audience.filter(|a| *a != asked));
    match other {
        Some(other) => put_first(
            findings,
            Finding::new(
                Cause::WrongCloud,
                check,
                Certainty::Likely,
                format!("the {} cloud was asked, and the settings are of the {} cloud", asked.name, other.name),
            )
            .with_difference(other.authority, asked.authority),
        ),
        None if vault.is_some() => findings.retain(|f| f.cause != Cause::WrongCloud),
        None => {}
    }
}

/// A resource that is not found: a vault's is the same for the whole cloud, never the vault's own address.
fn narrow_resource(findings: &mut [Finding], error: &EntraError, seen: &Seen<'_>) {
    if !error.codes.contains(&500011) || !error.description.to_lowercase().contains("vault") {
        return;
    }
    findings.sort_by_key(|f| f.cause != Cause::WrongVaultAudience);
    if let Some(first) = findings.first_mut() {
        first.certainty = Certainty::Likely;
        first.evidence.push("the resource looks like a vault's and is no cloud's".into());
        // Entra itself says that there is none, and the profile chose it: there is nothing else to it.
        let chosen = seen.chosen_scope.and_then(|scope| scope.strip_suffix("/.default"));
        if let Some(chosen) = chosen.filter(|chosen| national_cloud::of_vault_resource(chosen).is_none()) {
            first.certainty = Certainty::Proven;
            first.actual = Some(chosen.to_owned());
            first.expected = Some(national_cloud::ALL.map(|cloud| cloud.vault_resource).join(" or "));
        }
    }
}

/// What a scope must end in stands in the profile.
fn narrow_scope(findings: &mut [Finding], seen: &Seen<'_>) {
    let Some(scope) = seen.chosen_scope.filter(|scope| !scope.ends_with("/.default")) else { return };
    for finding in findings.iter_mut().filter(|finding| finding.cause == Cause::WrongScope) {
        finding.certainty = Certainty::Proven;
        finding.expected = Some(format!("{}/.default", scope.trim_end_matches('/')));
        finding.actual = Some(scope.to_owned());
    }
}

/// Puts a finding at the front, in place of one with the same cause.
pub(super) fn put_first(findings: &mut Vec<Finding>, mut finding: Finding) {
    if let Some(at) = findings.iter().position(|f| f.cause == finding.cause) {
        let earlier = findings.remove(at);
        finding.certainty = finding.certainty.min(earlier.certainty);
        for fact in earlier.evidence {
            if !finding.evidence.contains(&fact) {
                finding.evidence.push(fact);
            }
        }
    }
    for other in findings.iter_mut() {
        other.certainty = other.certainty.max(finding.certainty);
    }
    findings.insert(0, finding);
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    if text.is_empty() || text.len() % 2 == 1 || text.len() > 512 || !text.is_ascii() {
        return None;
    }
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).ok()).collect()
}

fn base64url(bytes: &[u8]) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(bytes)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::credentials::tests::{credential, evaluation, token};
    use super::*;
    use crate::cause::explain::candidates;
    use crate::domain::ids::{CheckId, Cloud};

    /// The causes that a refusal comes to, as the verdict makes them.
    fn refused(text: &str, seen: &Seen<'_>) -> Vec<(Cause, Certainty)> {
        let error = EntraError::parse(text).unwrap();
        let code = format!("AADSTS{}", error.code().unwrap());
        let mut findings: Vec<Finding> = candidates(Cloud::Azure, &code, &error.description)
            .into_iter()
            .map(|c| Finding::new(c.cause, CheckId::AzureExchange, c.certainty, "x"))
            .collect();
        narrow(&mut findings, &error, CheckId::AzureExchange.into(), seen);
        findings.iter().map(|f| (f.cause, f.certainty)).collect()
    }

    #[test]
    fn credentials_at_hand_decide_the_old_code() {
        let old = "AADSTS70021: No matching federated identity record found for presented assertion. Assertion Issuer: 'https://i'. Assertion Subject: 'organization:2'. Assertion Audience: 'a'.";
        let denied =
            evaluation(credential(), token("https://i", "organization:2", json!("api://AzureADTokenExchange")));
        let seen = Seen { evaluation: Some(&denied), ..Seen::default() };
        assert_eq!(refused(old, &seen), [(Cause::SubMismatch, Certainty::Proven)]);
        let fits = evaluation(credential(), token("https://i", "organization:1", json!("api://AzureADTokenExchange")));
        let causes = refused(old, &Seen { evaluation: Some(&fits), ..Seen::default() });
        assert_eq!(causes[0], (Cause::PropagationDelay, Certainty::Likely));
        assert!(causes.iter().any(|(c, _)| *c == Cause::ClientWrong));
        assert!(!causes.iter().any(|(c, _)| TrustDocument::Credentials.decides().contains(c)), "{causes:?}");
    }

    #[test]
    fn the_times_tell_a_stale_token_from_a_wrong_clock() {
        let text = |now: &str, from: &str, until: &str| {
            format!(
                "AADSTS700024: Client assertion is not within its valid time range. Current time: {now}, assertion valid from {from}, expiry time of assertion {until}. Review"
            )
        };
        let noon = 1_717_070_400; // 2024-05-30T12:00:00Z
        let seen = |now| Seen { now, ..Seen::default() };
        let stale = text("2024-05-30T12:00:00.1Z", "1970-01-01T00:00:00.0Z", "2024-05-30T11:00:00.0Z");
        assert_eq!(refused(&stale, &seen(noon))[0], (Cause::TokenExpired, Certainty::Proven));
        assert_eq!(refused(&stale, &seen(noon - 7200))[0], (Cause::ClockSkew, Certainty::Proven));
        let early = text("2024-05-30T12:00:00.1Z", "2024-05-30T12:30:00.0Z", "2024-05-30T13:30:00.0Z");
        assert_eq!(refused(&early, &seen(noon))[0], (Cause::ClockSkew, Certainty::Proven));
    }

    #[test]
    fn another_cloud_is_seen_in_the_settings() {
        let text = "AADSTS90002: Tenant 'x' not found. Check to make sure you have the correct tenant ID and are signing into the correct cloud.";
        let public = Seen {
            authority: Some("https://login.microsoftonline.com"),
            vault_url: Some("https://v.vault.azure.cn"),
            ..Seen::default()
        };
        assert_eq!(refused(text, &public)[0].0, Cause::WrongCloud);
        let same = Seen { vault_url: Some("https://v.vault.azure.net"), ..public };
        assert_eq!(refused(text, &same), [(Cause::TenantWrong, Certainty::Possible)]);
    }

    #[test]
    fn keys_are_compared_with_what_was_seen_here() {
        let text = "AADSTS50013: Assertion failed signature validation.";
        let causes = refused(text, &Seen { verified_here: Some(true), ..Seen::default() });
        assert_eq!(causes[0].0, Cause::JwksUnreachable);
        assert!(!causes.iter().any(|(c, _)| *c == Cause::SignatureInvalid));
        let causes = refused(text, &Seen { verified_here: Some(false), ..Seen::default() });
        assert_eq!(causes[0], (Cause::SignatureInvalid, Certainty::Proven));
    }
}
