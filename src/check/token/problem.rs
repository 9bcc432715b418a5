//! How findings add up to a verdict on the token, and which cause each problem of a token stands for, in which check it
//! counts, and how much it weighs.

use crate::cause::{Actor, Cause, Certainty, Finding, Fix};
use crate::check::{CheckId, Verdict};
use crate::domain::ids::Cloud;
use crate::domain::relying_party::RelyingParty;
use crate::domain::token::{DecodedToken, TimeFlaw, TokenKind, TokenProblem};

/// How much a finding weighs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Weight {
    /// The check fails.
    Fails,
    /// The check holds, with a warning.
    Warns,
}

/// The findings of one check.
#[derive(Debug, Default)]
pub(super) struct Tally {
    fails: Vec<Finding>,
    warns: Vec<Finding>,
}

impl Tally {
    pub(super) fn add(&mut self, weight: Weight, finding: Finding) {
        match weight {
            Weight::Fails => self.fails.push(finding),
            Weight::Warns => self.warns.push(finding),
        }
    }

    /// Whether something already fails for this cause.
    pub(super) fn has(&self, cause: Cause) -> bool {
        self.fails.iter().any(|finding| finding.cause == cause)
    }

    pub(super) fn fails(&mut self, finding: Finding) {
        self.add(Weight::Fails, finding);
    }

    pub(super) fn warns(&mut self, finding: Finding) {
        self.add(Weight::Warns, finding);
    }

    /// Fails on any failing finding, else warns on any other, else passes; the surest finding gives the reason.
    pub(super) fn verdict(mut self) -> Verdict {
        self.fails.sort_by_key(|finding| finding.certainty);
        self.warns.sort_by_key(|finding| finding.certainty);
        let failed = !self.fails.is_empty();
        let findings: Vec<Finding> = self.fails.into_iter().chain(self.warns).collect();
        match findings.first().map(|finding| finding.summary.clone()) {
            None => Verdict::pass(),
            Some(reason) if failed => Verdict::fail(reason, findings),
            Some(reason) => Verdict::warn(reason, findings),
        }
    }
}

/// What a problem means for a cloud.
pub(super) struct Judged {
    pub check: CheckId,
    pub weight: Weight,
    pub finding: Finding,
}

/// Judges one problem of `token`. `None` where another problem or another check already says it.
pub(super) fn judge(problem: &TokenProblem, token: &DecodedToken, cloud: Cloud) -> Option<Judged> {
    use Certainty::{Likely, Possible, Proven};
    use Weight::{Fails, Warns};

    let (cause, certainty, weight) = match problem {
        // The signature's verdict tells these, with the key set in view.
        TokenProblem::KeyIdMissing | TokenProblem::KeyIdEmpty => return None,
        // Nothing that a cloud minds.
        TokenProblem::HoldsSecret { .. } => return None,
        // Nobody expects a signature of an unsigned token.
        TokenProblem::EmptySignature
            if token.problems.iter().any(|p| matches!(p, TokenProblem::AlgorithmNone { .. })) =>
        {
            return None;
        }

        TokenProblem::PartCount { parts: 1 } if token.header.is_none() => {
            let certainty = if token.kind == TokenKind::Unknown { Likely } else { Proven };
            (Cause::WrongTokenKind, certainty, Fails)
        }
        TokenProblem::Encrypted => (Cause::WrongTokenKind, Proven, Fails),

        TokenProblem::Empty
        | TokenProblem::PartCount { .. }
        | TokenProblem::BadBase64 { .. }
        | TokenProblem::CutBase64 { .. }
        | TokenProblem::NotJson { .. }
        | TokenProblem::NotAnObject { .. }
        | TokenProblem::EmptySignature
        | TokenProblem::NoAlgorithm
        | TokenProblem::AlgorithmNone { .. }
        | TokenProblem::Critical { .. }
        | TokenProblem::MissingClaim { .. } => (Cause::MalformedToken, Proven, Fails),
        TokenProblem::Padding { .. }
        | TokenProblem::StandardAlphabet { .. }
        | TokenProblem::RepeatedHeader { .. }
        | TokenProblem::RepeatedClaim { .. }
        | TokenProblem::KeyIdNotText { .. }
        | TokenProblem::NoLifetime { .. } => (Cause::MalformedToken, Likely, Fails),
        TokenProblem::TooLong { .. } => match cloud {
            Cloud::Aws => (Cause::MalformedToken, Proven, Fails),
            Cloud::Azure | Cloud::Gcp => (Cause::MalformedToken, Possible, Warns),
        },
        TokenProblem::KeyInHeader { .. } => (Cause::MalformedToken, Possible, Warns),

        TokenProblem::AlgorithmSymmetric { .. } | TokenProblem::AlgorithmUnsupported { .. } => {
            (Cause::AlgUnsupported, Proven, Fails)
        }

        // STS turns a number into text and takes an empty subject; a trust policy hardly means either.
        TokenProblem::ClaimType { name, found, .. } if name == "sub" && found == "a number" => {
            (Cause::MalformedToken, Likely, Warns)
        }
        TokenProblem::EmptyClaim { name } if name == "sub" => (Cause::MalformedToken, Likely, Warns),
        TokenProblem::ClaimType { .. } | TokenProblem::EmptyClaim { .. } => (Cause::MalformedToken, Proven, Fails),

        TokenProblem::BadTime { flaw, .. } => match flaw {
            // STS reads numbers in text; other readers treat the claim as absent.
            TimeFlaw::NumericText => (Cause::MalformedToken, Likely, Warns),
            TimeFlaw::Fraction | TimeFlaw::NotANumber => (Cause::MalformedToken, Proven, Fails),
            TimeFlaw::Negative | TimeFlaw::Milliseconds | TimeFlaw::OutOfRange => {
                (Cause::MalformedToken, Likely, Fails)
            }
        },

        TokenProblem::SeveralAudiences { .. } => match cloud {
            Cloud::Aws => (Cause::AudMultiWithoutAzp, Proven, Fails),
            Cloud::Azure | Cloud::Gcp => (Cause::AudMultiWithoutAzp, Possible, Warns),
        },
        TokenProblem::ClaimBlanks { .. } | TokenProblem::Invisible { .. } | TokenProblem::LookAlike { .. } => {
            (Cause::MalformedToken, Likely, Warns)
        }
        TokenProblem::RolesFormat { .. } | TokenProblem::TagsFormat { .. } if cloud != Cloud::Aws => return None,
        TokenProblem::RolesFormat { .. } => (Cause::RolesClaim, Proven, Fails),
        TokenProblem::TagsFormat { .. } => (Cause::MalformedToken, Likely, Fails),
    };
    let check = check(problem);
    let mut finding = Finding::new(cause, check, certainty, problem.to_string());
    describe(problem, token, cloud, &mut finding);
    Some(Judged { check, weight, finding })
}

/// The check in which a problem counts: what is said is the claims' business, how it is said the shape's.
fn check(problem: &TokenProblem) -> CheckId {
    match problem {
        TokenProblem::SeveralAudiences { .. }
        | TokenProblem::ClaimBlanks { .. }
        | TokenProblem::Invisible { .. }
        | TokenProblem::LookAlike { .. }
        | TokenProblem::RolesFormat { .. }
        | TokenProblem::TagsFormat { .. }
        | TokenProblem::HoldsSecret { .. } => CheckId::TokenClaims,
        _ => CheckId::TokenShape,
    }
}

/// Adds what was expected and found, the reason, and the way to mend it, where the sentence alone leaves them open.
fn describe(problem: &TokenProblem, token: &DecodedToken, cloud: Cloud, finding: &mut Finding) {
    let mut differs = |expected: &str, actual: &str| {
        finding.expected = Some(expected.to_owned());
        finding.actual = Some(actual.to_owned());
    };
    match problem {
        TokenProblem::BadTime { found, .. } => {
            differs("a whole number of seconds since 1970, such as 1767225600", found)
        }
        TokenProblem::ClaimType { expected, found, .. } => differs(expected, found),
        TokenProblem::AlgorithmNone { alg }
        | TokenProblem::AlgorithmSymmetric { alg }
        | TokenProblem::AlgorithmUnsupported { alg } => differs(&algorithms(cloud), alg),
        TokenProblem::SeveralAudiences { .. } => differs("one audience, or `azp`", &token.audiences().join(", ")),
        TokenProblem::TooLong { characters } => differs("up to 20000 characters", &characters.to_string()),
        _ => {}
    }
    match problem {
        TokenProblem::PartCount { parts: 1 | 2 } if token.header.is_some() => {
            finding
                .evidence
                .push("the text begins like a token and ends before its signature: it was cut off".to_owned());
        }
        TokenProblem::PartCount { .. } => {
            if let TokenKind::Opaque { looks_like: Some(what) } = &token.kind {
                finding.evidence.push(format!("it begins like {what}"));
            }
        }
        TokenProblem::AlgorithmSymmetric { .. } => finding.evidence.push(
            "a verifier that took the issuer's public key for the shared secret could be deceived by such a token"
                .to_owned(),
        ),
        TokenProblem::MissingClaim { .. } if token.kind == TokenKind::LegacyServiceAccount => finding.evidence.push(
            "it is a service account token of the old sort, from a Secret; request one with an audience instead"
                .to_owned(),
        ),
        _ => {}
    }
    if token.kind != TokenKind::LegacyServiceAccount {
        finding.fixes.extend(fix(problem, &token.kind));
    }
}

/// What the issuer has to change, where the token is whole and says something else than it must.
fn fix(problem: &TokenProblem, kind: &TokenKind) -> Option<Fix> {
    let text = match problem {
        TokenProblem::PartCount { parts: 1 } if *kind == (TokenKind::Opaque { looks_like: None }) => {
            "Send the ID token, or let the issuer make its access tokens JWTs with the cloud's audience: many servers have a setting for that."
                .to_owned()
        }
        TokenProblem::MissingClaim { name } | TokenProblem::EmptyClaim { name } if name == "sub" => {
            "Let the issuer put the workload's name into `sub`; a server's own client gets one where it is configured, or send an ID token."
                .to_owned()
        }
        TokenProblem::MissingClaim { name } | TokenProblem::EmptyClaim { name } if name == "aud" => {
            "Ask for the token with an audience (`aud`), or let the issuer write the cloud's into it.".to_owned()
        }
        TokenProblem::MissingClaim { name } | TokenProblem::EmptyClaim { name } => {
            format!("Let the issuer write the claim `{name}` into its tokens.")
        }
        TokenProblem::BadTime { name, .. } => format!("Let the issuer write `{name}` as a whole number of seconds since 1970."),
        _ => return None,
    };
    Some(Fix { text, actor: Actor::Issuer, ..Fix::default() })
}

/// What the cloud takes, in words.
fn algorithms(cloud: Cloud) -> String {
    match RelyingParty::of(cloud).map(RelyingParty::algorithms) {
        Some([first @ .., last]) if !first.is_empty() => format!("{} or {last}", first.join(", ")),
        Some([only]) => (*only).to_owned(),
        _ => String::new(),
    }
}
