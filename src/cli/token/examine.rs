//! Turns a token into facts, and the facts into verdicts.

use std::time::{SystemTime, UNIX_EPOCH};

use super::source::Sourced;
use super::{TokenArgs, keys};
use crate::cause::{Certainty, Finding};
use crate::check::facts::Facts;
use crate::check::facts::token::{SignatureFact, TokenFact, TokenRead, TokenReading};
use crate::check::verdict::token::{Cloud, Expectations};
use crate::check::verdict::{issuer, token as verdict};
use crate::check::{CheckId, Outcome, Verdict};
use crate::cli::{CliError, Exit};
use crate::domain::profile::{Guide, Profile};
use crate::domain::signature::{Signature, SignatureState, verify};
use crate::domain::timestamp::UnixSeconds;
use crate::domain::token::decode;
use crate::remedy::{Values, advised};

/// A token examined.
pub(super) struct Examination {
    pub source: String,
    pub read: TokenRead,
    pub signature: SignatureFact,
    pub now: UnixSeconds,
    pub verdicts: Vec<(CheckId, Verdict)>,
}

/// Examines a token.
pub(super) fn examine(args: &TokenArgs, sourced: &Sourced) -> Result<Examination, CliError> {
    let issuer_address = keys::expected_issuer(args)?;
    let keys = keys::find(args, issuer_address.as_ref())?;
    let raw = &sourced.token.token;
    let decoded = decode(raw);
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
        now: args.now.unwrap_or_else(clock),
        token: Some(fact),
        signature: Some(SignatureFact::new(signature, keys.described.clone())),
        issuer: keys.facts,
        ..Facts::default()
    };
    let mut verdicts = vec![
        (CheckId::TokenPresent, verdict::present(&facts, &profile)),
        (CheckId::TokenShape, verdict::shape(&facts, &profile)),
        (CheckId::TokenTime, verdict::time(&facts, &profile)),
        (CheckId::TokenSignature, verdict::signature(&facts, &profile)),
        (CheckId::TokenClaims, verdict::claims_against(&facts, &expectations)),
    ];
    if facts.issuer.document.is_some() {
        verdicts.push((CheckId::IssuerReachable, issuer::reachable(&facts, &profile)));
        verdicts.push((CheckId::IssuerTls, issuer::tls(&facts, &profile)));
        verdicts.push((CheckId::IssuerDiscovery, issuer::discovery(&facts, &profile)));
    }
    if facts.issuer.keys.is_some() {
        verdicts.push((CheckId::IssuerJwks, issuer::jwks(&facts, &profile)));
    }
    match (facts.token, facts.signature) {
        (Some(TokenFact { source, reading: TokenReading::Read(read) }), Some(signature)) => {
            Ok(Examination { source, read: *read, signature, now: facts.now, verdicts })
        }
        _ => Err(CliError::new("no token was read")),
    }
}

/// The cloud whose rules apply: the audience that Entra wants is its own.
fn cloud(audience: Option<&str>) -> Cloud {
    match audience {
        Some(audience) if audience.to_ascii_lowercase().starts_with("api://azureadtokenexchange") => Cloud::Entra,
        _ => Cloud::Aws,
    }
}

fn clock() -> UnixSeconds {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).ok();
    since.and_then(|time| i64::try_from(time.as_secs()).ok()).unwrap_or_default()
}

/// A profile that knows the cloud and the issuer, and nothing else.
fn profile(cloud: Cloud, issuer_url: Option<String>) -> Profile {
    let guide = match cloud {
        Cloud::Aws => Guide::AwsWorkloadIdentity,
        Cloud::Entra => Guide::AzureWorkloadIdentity,
    };
    Profile { issuer_url, ..Profile::bare("token", guide) }
}

impl Examination {
    /// What is wrong, each said once, with the catalogue's advice: what makes a check fail first, the token's own
    /// before the issuer's, the surest first.
    pub(super) fn problems(&self) -> Vec<Finding> {
        let mut problems: Vec<((bool, bool, Certainty), &Finding)> = Vec::new();
        for (check, verdict) in &self.verdicts {
            for finding in &verdict.findings {
                if !problems.iter().any(|(_, earlier)| says_the_same(earlier, finding)) {
                    let rank = (verdict.outcome != Outcome::Fail, !is_of_token(*check), finding.certainty);
                    problems.push((rank, finding));
                }
            }
        }
        problems.sort_by_key(|(rank, _)| *rank);
        let values = Values { claims: self.read.token.claims.as_ref(), ..Values::default() };
        problems.into_iter().map(|(_, finding)| advised(finding.clone(), None, &values)).collect()
    }

    /// The outcome of one check.
    pub(super) fn outcome(&self, check: CheckId) -> Option<Outcome> {
        self.verdicts.iter().find(|(id, _)| *id == check).map(|(_, verdict)| verdict.outcome)
    }

    /// Failed where a check of the token failed; inconclusive where keys were named and could not be used.
    pub(super) fn exit(&self) -> Exit {
        if self.token_fails() {
            Exit::Failed
        } else if self.signature.signature.state == SignatureState::CannotCheck {
            Exit::Inconclusive
        } else if self.verdicts.iter().any(|(_, verdict)| verdict.outcome == Outcome::Fail) {
            Exit::Failed
        } else {
            Exit::Passed
        }
    }

    /// Whether a check of the token itself failed.
    pub(super) fn token_fails(&self) -> bool {
        self.verdicts.iter().any(|(check, verdict)| is_of_token(*check) && verdict.outcome == Outcome::Fail)
    }
}

fn is_of_token(check: CheckId) -> bool {
    check.id().starts_with("token.")
}

/// Whether `later` adds nothing: the signature's state follows from the token's shape, and a flaw of the key set
/// that decides the signature is already told there.
fn says_the_same(earlier: &Finding, later: &Finding) -> bool {
    let pair = (earlier.check.as_str(), later.check.as_str());
    earlier.cause == later.cause
        && (pair == (CheckId::TokenShape.id(), CheckId::TokenSignature.id())
            || pair == (CheckId::TokenSignature.id(), CheckId::IssuerJwks.id())
            || earlier.summary == later.summary)
}
