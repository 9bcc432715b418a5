//! `token.signature`: what the state of the signature means. A check that was not possible is never a failure.

use crate::cause::{Cause, Certainty, Finding};
use crate::check::definition::{Check, Link, Reproduction, Traffic, Waits};
use crate::check::facts::token::SignatureFact;
use crate::check::facts::{Facts, as_json};
use crate::check::step::Step;
use crate::check::{CheckId, Verdict};
use crate::domain::ids::Cloud;
use crate::domain::jwks::KeyProblem;
use crate::domain::profile::Profile;
use crate::domain::signature::{SignatureReason, SignatureState};

const ID: CheckId = CheckId::TokenSignature;

/// Is its signature the issuer's?
fn signature(facts: &Facts, profile: &Profile) -> Verdict {
    match &facts.signature {
        Some(fact) if fact.signature.reason == SignatureReason::NoKeySet && facts.issuer.keys.is_some() => {
            Verdict::skipped(format!("blocked by {}", CheckId::IssuerJwks))
        }
        Some(fact) => judge(fact, profile.guide.cloud()),
        None => Verdict::skipped("the signature was not checked"),
    }
}

/// Its signature is the issuer's.
pub const CHECK: Check = Check {
    id: ID,
    title: "signature is the issuer's",
    docs: "https://www.rfc-editor.org/rfc/rfc7515#section-5.2",
    link: Link::Token,
    needs: &[],
    rules_out: &[Cause::SignatureInvalid, Cause::JwksKidMissing, Cause::AlgUnsupported],
    step: |_| Some(Step::Signature),
    traffic: Traffic::None,
    waits: Waits::IfRefused,
    facts: |facts| as_json(facts.signature.as_ref()),
    verdict: signature,
    reproduction: Reproduction::JudgedHere,
};

fn judge(fact: &SignatureFact, cloud: Cloud) -> Verdict {
    let signature = &fact.signature;
    let mut findings = findings(fact, cloud);
    if let Some(from) = &fact.keys_from {
        for finding in &mut findings {
            finding.evidence.push(format!("keys: {from}"));
        }
    }
    let sentence = fact.sentence.clone();
    match signature.state {
        SignatureState::Verified => match (&signature.reason, cloud) {
            _ if findings.is_empty() => Verdict::pass(),
            // STS passes such a key over, so to STS the kid is missing.
            (SignatureReason::NamedKey { .. }, Cloud::Aws) => Verdict::fail(sentence, findings),
            // Entra finds no key without its name, AADSTS7000272; STS may with exactly one.
            (SignatureReason::OnlyFittingKey { .. }, Cloud::Azure) => Verdict::fail(sentence, findings),
            _ => Verdict::warn(sentence, findings),
        },
        SignatureState::Failed => Verdict::fail(sentence, findings),
        SignatureState::NotChecked if findings.is_empty() => Verdict::skipped(sentence),
        SignatureState::NotChecked | SignatureState::CannotCheck => Verdict::inconclusive(sentence, findings),
    }
}

/// What a token without `kid` takes: no published key helps it.
const WRITE_KID: &str = "Let the issuer write the `kid` of the key it signs with into the token's header.";

fn findings(fact: &SignatureFact, cloud: Cloud) -> Vec<Finding> {
    use Certainty::{Likely, Possible, Proven};
    let sentence = fact.sentence.as_str();
    let finding = |cause, certainty| Finding::new(cause, ID, certainty, sentence);
    let kid = fact.signature.kid.as_deref().unwrap_or_default();
    match &fact.signature.reason {
        SignatureReason::NamedKey { hidden: None, .. } => vec![],
        SignatureReason::NamedKey { hidden: Some(problem), .. } => {
            let certainty = if cloud == Cloud::Aws { Likely } else { Possible };
            vec![unusable(finding(Cause::JwksInvalid, certainty), problem)]
        }
        SignatureReason::OnlyFittingKey { .. } => {
            let certainty = if cloud == Cloud::Azure { Likely } else { Possible };
            vec![finding(Cause::JwksKidMissing, certainty).with_fix(WRITE_KID)]
        }

        // The same words as `token.shape` uses, which finds them too.
        SignatureReason::Unsigned | SignatureReason::EmptySignature | SignatureReason::MalformedSignature => {
            vec![finding(Cause::MalformedToken, Proven)]
        }
        SignatureReason::DoesNotVerify { .. } => vec![finding(Cause::SignatureInvalid, Proven)],
        SignatureReason::OtherKeyVerifies { named, verifies } => vec![
            finding(Cause::SignatureInvalid, Proven).with_difference(named.to_string(), verifies.to_string()).with_fix(
                "Make the signer put the kid of the key it signs with into the header, or correct the published kids.",
            ),
        ],
        SignatureReason::EarlierDuplicateVerifies { .. } => {
            vec![finding(Cause::JwksInvalid, Proven).with_fix("Publish every key under a kid of its own.")]
        }
        SignatureReason::KeyTypeUnfit { alg, key } => {
            let cause = if alg.starts_with("HS") { Cause::AlgUnsupported } else { Cause::SignatureInvalid };
            vec![finding(cause, Proven).with_difference(format!("an algorithm of {} keys", key.key_type), alg.clone())]
        }
        SignatureReason::OnlyFittingKeyDoesNotVerify { .. } => {
            vec![finding(Cause::SignatureInvalid, Proven), kid_missing(Possible)]
        }

        SignatureReason::NoKeySet if kid.is_empty() => vec![kid_missing(Likely)],
        SignatureReason::NoKeySet => vec![],

        // Why the keys could not be had is the issuer's verdicts' business.
        SignatureReason::KeysUnavailable { .. } => vec![],
        SignatureReason::NotSignedJwt | SignatureReason::NoAlgorithm | SignatureReason::Critical { .. } => vec![],
        SignatureReason::AlgorithmUnsupported { .. } => vec![finding(Cause::AlgUnsupported, Proven)],
        SignatureReason::NoKeys => vec![finding(Cause::JwksInvalid, Proven)],
        SignatureReason::KidNotFound { published, .. } => vec![
            Finding::new(
                Cause::JwksKidMissing,
                ID,
                Proven,
                "the key that signed the token is not among the published keys",
            )
            .with_difference(shorten(published), kid)
            .with_evidence(sentence),
        ],
        SignatureReason::KeyUnusable { problem, .. } => vec![unusable(finding(Cause::JwksInvalid, Proven), problem)],
        SignatureReason::NoFittingKey { .. } => vec![finding(Cause::JwksKidMissing, Proven)],
        SignatureReason::KidMissing { .. } => vec![finding(Cause::JwksKidMissing, Proven)],
    }
}

/// The published kids as one text.
fn shorten(published: &[String]) -> String {
    match published {
        [] => "a published kid (none is)".to_owned(),
        few @ [_, ..] if few.len() <= 5 => few.join(", "),
        many => format!("{}, … ({} in all)", many[..5].join(", "), many.len()),
    }
}

fn kid_missing(certainty: Certainty) -> Finding {
    let summary = "the header names no key (`kid`); STS finds keys by it";
    Finding::new(Cause::JwksKidMissing, ID, certainty, summary)
}

fn unusable(finding: Finding, problem: &KeyProblem) -> Finding {
    match problem {
        KeyProblem::KeyOps | KeyProblem::KeyOpsWithoutVerify { .. } => {
            finding.with_fix("Publish the key with `use: \"sig\"` and without `key_ops`.")
        }
        _ => finding,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::Outcome;
    use crate::domain::signature::{KeyRef, Signature};

    fn key() -> KeyRef {
        KeyRef { position: 1, kid: Some("k".into()), key_type: "RSA".into() }
    }

    fn judged(state: SignatureState, reason: SignatureReason, cloud: Cloud) -> (Outcome, Option<Cause>) {
        let signature = Signature { state, reason, alg: Some("RS256".into()), kid: Some("k".into()) };
        let verdict = judge(&SignatureFact::new(signature, None), cloud);
        assert!(verdict.outcome == Outcome::Pass || verdict.reason.is_some());
        (verdict.outcome, verdict.findings.first().map(|finding| finding.cause))
    }

    #[test]
    fn states_and_reasons() {
        use SignatureReason as R;
        use SignatureState::*;
        let hidden = || R::NamedKey { key: key(), hidden: Some(KeyProblem::KeyOps) };
        for (state, reason, outcome, cause) in [
            (Verified, R::NamedKey { key: key(), hidden: None }, Outcome::Pass, None),
            (Verified, hidden(), Outcome::Fail, Some(Cause::JwksInvalid)),
            (Verified, R::OnlyFittingKey { key: key() }, Outcome::Warn, Some(Cause::JwksKidMissing)),
            (Failed, R::DoesNotVerify { key: key() }, Outcome::Fail, Some(Cause::SignatureInvalid)),
            (Failed, R::Unsigned, Outcome::Fail, Some(Cause::MalformedToken)),
            (
                Failed,
                R::EarlierDuplicateVerifies { counts: key(), verifies: key() },
                Outcome::Fail,
                Some(Cause::JwksInvalid),
            ),
            (Failed, R::KeyTypeUnfit { key: key(), alg: "HS256".into() }, Outcome::Fail, Some(Cause::AlgUnsupported)),
            (NotChecked, R::NoKeySet, Outcome::Skipped, None),
            (
                CannotCheck,
                R::KidNotFound { kid: "k".into(), published: vec![], verifies: None },
                Outcome::Inconclusive,
                Some(Cause::JwksKidMissing),
            ),
            (
                CannotCheck,
                R::KidMissing { fitting: 2, verifies: None },
                Outcome::Inconclusive,
                Some(Cause::JwksKidMissing),
            ),
            (CannotCheck, R::NoKeys, Outcome::Inconclusive, Some(Cause::JwksInvalid)),
            (CannotCheck, R::NotSignedJwt, Outcome::Inconclusive, None),
        ] {
            assert_eq!(judged(state, reason.clone(), Cloud::Aws), (outcome, cause), "{reason:?}");
        }
        assert_eq!(judged(Verified, hidden(), Cloud::Azure), (Outcome::Warn, Some(Cause::JwksInvalid)));
    }
}
