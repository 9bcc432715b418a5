//! Turns a token into facts, and the facts into verdicts.

use super::source::Sourced;
use super::{TokenArgs, keys};
use crate::check::CheckId;
use crate::check::facts::Facts;
use crate::check::facts::token::{SignatureFact, TokenFact, TokenReading};
use crate::check::token::{Expectations, claims_against};
use crate::cli::exit::CliError;
use crate::domain::ids::Cloud;
use crate::domain::profile::{Guide, Profile};
use crate::domain::signature::{Signature, verify};
use crate::domain::token::{Cleaning, DecodedToken, RawToken, TokenKind, decode, looks_like_jwt};
use crate::report::token::TokenReport;
use crate::run::now;

/// Examines a token.
pub(super) fn examine(args: &TokenArgs, sourced: &Sourced) -> Result<TokenReport, CliError> {
    let issuer_address = keys::expected_issuer(args)?;
    let keys = keys::find(args, issuer_address.as_ref())?;
    let raw = &sourced.token.token;
    let decoded = decode(raw);
    if let Some(what) = other_than_token(raw, &decoded, &sourced.token.cleaned) {
        return Err(CliError::new(format!("{}: no token, but {what}", sourced.described))
            .with_hint("give what holds the token itself: three parts joined by dots, the first begins with `eyJ`")
            .with_hint("an error text or a log is read by `trustline explain FILE`"));
    }
    let signature = match keys.missing() {
        Some(why) => Signature::without_keys(raw, &decoded, why),
        None => verify(raw, &decoded, keys.set()),
    };
    let fact = TokenFact::decoded(&sourced.described, raw.len(), decoded, sourced.token.cleaned.clone());
    let issuer_url = issuer_address.map(|address| address.issuer);
    let expectations = Expectations {
        cloud: cloud(args.audience.as_deref()),
        issuer: issuer_url.clone(),
        audience: args.audience.clone(),
        ..Expectations::none()
    };
    let profile = profile(expectations.cloud, issuer_url);
    let facts = Facts {
        now: args.now.unwrap_or_else(now),
        token: Some(fact),
        signature: Some(SignatureFact::new(signature, keys.described.clone())),
        issuer: keys.facts,
        ..Facts::default()
    };
    let by_its_facts = |check: CheckId| (check, (check.check().verdict)(&facts, &profile));
    let of_token = [CheckId::TokenPresent, CheckId::TokenShape, CheckId::TokenTime, CheckId::TokenSignature];
    let mut verdicts = of_token.map(by_its_facts).to_vec();
    verdicts.push((CheckId::TokenClaims, claims_against(&facts, &expectations)));
    if facts.issuer.document.is_some() {
        let of_issuer = [CheckId::IssuerReachable, CheckId::IssuerTls, CheckId::IssuerDiscovery];
        verdicts.extend(of_issuer.map(by_its_facts));
    }
    if facts.issuer.keys.is_some() {
        verdicts.push(by_its_facts(CheckId::IssuerJwks));
    }
    match (facts.token, facts.signature) {
        (Some(TokenFact { source, reading: TokenReading::Read(read) }), Some(signature)) => {
            Ok(TokenReport { source, read: *read, signature, now: facts.now, verdicts })
        }
        _ => Err(CliError::new("no token was read")),
    }
}

/// What a text is that nobody would take for a token, however it was copied; its content is not shown.
fn other_than_token(raw: &RawToken, decoded: &DecodedToken, cleaned: &[Cleaning]) -> Option<String> {
    let is_token = decoded.header.is_some()
        || looks_like_jwt(raw.expose())
        || !matches!(decoded.kind, TokenKind::Opaque { looks_like: None } | TokenKind::Identity);
    if is_token {
        return None;
    }
    if raw.expose().starts_with(['{', '[']) {
        return Some("a JSON document".to_owned());
    }
    let count = |of: fn(&Cleaning) -> Option<usize>| cleaned.iter().find_map(of);
    let breaks = count(|cleaning| match cleaning {
        Cleaning::LineBreaks { count } => Some(*count),
        _ => None,
    });
    let blanks = count(|cleaning| match cleaning {
        Cleaning::Blanks { count } => Some(*count),
        _ => None,
    });
    breaks.map(|count| format!("{} lines of text", count + 1)).or(blanks.map(|count| format!("{} words", count + 1)))
}

/// The cloud whose rules apply: the audience that Entra wants is its own.
fn cloud(audience: Option<&str>) -> Cloud {
    match audience {
        Some(audience) if audience.to_ascii_lowercase().starts_with("api://azureadtokenexchange") => Cloud::Azure,
        _ => Cloud::Aws,
    }
}

/// A profile that knows the cloud and the issuer, and nothing else.
fn profile(cloud: Cloud, issuer_url: Option<String>) -> Profile {
    let guide = if cloud == Cloud::Azure { Guide::AzureWorkloadIdentity } else { Guide::AwsWorkloadIdentity };
    Profile { issuer_url, ..Profile::bare("token", guide) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn other(text: &str) -> Option<String> {
        let (raw, cleaned) = RawToken::clean(text);
        other_than_token(&raw, &decode(&raw), &cleaned)
    }

    #[test]
    fn what_nobody_would_take_for_a_token_is_named() {
        for (text, what) in [
            ("root:x:0:0\ndaemon:x:1:1\nsync:x:4\n", "3 lines of text"),
            ("name = \"a.b.c\"\nversion = 1\n", "2 lines of text"),
            ("{\"access\":1}", "a JSON document"),
            ("ssh-rsa AAAAB3 me@host", "3 words"),
        ] {
            assert_eq!(other(text).as_deref(), Some(what), "{text}");
        }
        for text in ["opaque-handle", "eyJhbGciOiJSUzI1NiJ9.eyJh\nbGciOi.sig", "eyJhbGciOi.x\n.y and more", "a.b.c", ""]
        {
            assert_eq!(other(text), None, "{text}");
        }
    }
}
