//! Findings on an issuer's key set.

use crate::cause::{Cause, Certainty, Finding};
use crate::check::CheckId;
use crate::check::facts::issuer::KeysFact;
use crate::domain::jwks::{Jwk, JwksProblem, KeyProblem};

pub(super) fn key_problems(keys: &KeysFact) -> Vec<Finding> {
    let Some(jwks) = &keys.jwks else { return Vec::new() };
    let found = |certainty, summary| Finding::new(Cause::JwksInvalid, CheckId::IssuerJwks.id(), certainty, summary);
    let mut findings = Vec::new();
    let sts_sees = |key: &Jwk| key.is_usable() && !key.problems.iter().any(KeyProblem::hides_from_sts);
    if jwks.keys.iter().any(Jwk::is_usable) && !jwks.keys.iter().any(sts_sees) {
        findings.push(found(Certainty::Likely, "the key set has no key that AWS STS would use".to_owned()));
    }
    for problem in &jwks.problems {
        let certainty = match problem {
            JwksProblem::NoKeys | JwksProblem::NoUsableKey | JwksProblem::TooMany { .. } => Certainty::Proven,
            // Whoever reads it signs as the issuer, whatever else works.
            JwksProblem::Key { problem: KeyProblem::PrivatePublished { .. }, .. } => Certainty::Proven,
            JwksProblem::DuplicateKid { .. } | JwksProblem::Key { .. } => Certainty::Possible,
        };
        findings.push(found(certainty, problem.to_string()));
    }
    // A set of hundreds of unfit keys is one problem, not hundreds.
    const SHOWN: usize = 12;
    findings.sort_by_key(|f| f.certainty);
    findings.truncate(SHOWN);
    findings
}
