//! Verdicts on the token: is it there, well formed, valid now, its issuer's, and what the cloud expects?

mod claims;
mod problem;
mod shape;
mod signature;
mod source;
mod tally;
mod time;

use crate::check::facts::Facts;
use crate::check::{CheckId, Verdict};
use crate::domain::profile::{Guide, Profile};
use crate::domain::signature::SignatureReason;

pub use claims::Expectations;
pub use time::{Clock, EXPIRES_SOON_S, LEEWAY_S};

/// Whose rules a token has to meet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cloud {
    /// AWS STS, `AssumeRoleWithWebIdentity`.
    Aws,
    /// Microsoft Entra, federated credentials.
    Entra,
}

impl From<Guide> for Cloud {
    fn from(guide: Guide) -> Self {
        match guide {
            Guide::AzureWorkloadIdentity => Cloud::Entra,
            _ => Cloud::Aws,
        }
    }
}

/// Is there a token?
pub fn present(facts: &Facts, profile: &Profile) -> Verdict {
    match &facts.token {
        Some(fact) => source::judge(fact, profile.guide),
        None if profile.token.is_none() => Verdict::skipped(format!(
            "the profile names no token source; `trustline guide {}` says where a token comes from",
            profile.guide.id()
        )),
        None => Verdict::skipped("the token was not read"),
    }
}

/// Is it well formed?
pub fn shape(facts: &Facts, profile: &Profile) -> Verdict {
    match facts.token.as_ref().and_then(|fact| fact.token()) {
        Some(token) => shape::judge(token, profile.guide.into()),
        None => Verdict::skipped("there is no token"),
    }
}

/// Is it valid now?
pub fn time(facts: &Facts, profile: &Profile) -> Verdict {
    match facts.token.as_ref().and_then(|fact| fact.token()) {
        Some(token) => time::judge(token, Clock::of(facts), profile.guide.into()),
        None => Verdict::skipped("there is no token"),
    }
}

/// Is its signature the issuer's?
pub fn signature(facts: &Facts, profile: &Profile) -> Verdict {
    match &facts.signature {
        Some(fact) if fact.signature.reason == SignatureReason::NoKeySet && facts.issuer.keys.is_some() => {
            Verdict::skipped(format!("blocked by {}", CheckId::IssuerJwks))
        }
        Some(fact) => signature::judge(fact, profile.guide.into()),
        None => Verdict::skipped("the signature was not checked"),
    }
}

/// Are the claims what the cloud expects?
pub fn claims(facts: &Facts, profile: &Profile) -> Verdict {
    match facts.token.as_ref().and_then(|fact| fact.token()) {
        Some(token) => claims::judge(token, &Expectations::of(profile)),
        None => match facts.predicted_claims() {
            Some(predicted) => Verdict::skipped(claims::told(predicted)),
            None => Verdict::skipped("there is no token"),
        },
    }
}

/// [`claims`] for a caller that has no profile.
pub fn claims_against(facts: &Facts, expectations: &Expectations) -> Verdict {
    match facts.token.as_ref().and_then(|fact| fact.token()) {
        Some(token) => claims::judge(token, expectations),
        None => Verdict::skipped("there is no token"),
    }
}
