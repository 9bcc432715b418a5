//! What else is at hand beside the text, and what it rules out.

use serde::Serialize;
use serde_json::{Map, Value};

use super::parsed::Parsed;
use super::rule::RankedCause;
use crate::cause::{Cause, Certainty, Finding, TrustDocument, exclusion};
use crate::domain::iam::Decision;
use crate::domain::profile::Profile;

/// What the reader has beside the text. Nothing of it is needed.
#[derive(Clone, Copy, Debug, Default)]
pub struct ExplainContext<'a> {
    /// The claims of the token that was refused.
    pub claims: Option<&'a Map<String, Value>>,
    /// What the role's trust policy, or the application's federated credentials, say to this token.
    pub trust: Option<&'a Trust>,
    /// What is wired to what.
    pub profile: Option<&'a Profile>,
}

/// The verdict of a trust on the token at hand.
#[derive(Clone, Debug, PartialEq)]
pub struct Trust {
    pub document: TrustDocument,
    pub decision: Decision,
    /// Why it denies, the nearest miss first.
    pub findings: Vec<Finding>,
}

impl TrustDocument {
    /// Why a cause is ruled out where it accepts the token.
    const fn accepts(self) -> &'static str {
        match self {
            TrustDocument::Policy => "the policy accepts this token",
            TrustDocument::Credentials => "a federated credential accepts this token",
            TrustDocument::Provider => "the provider accepts this token",
        }
    }

    /// Why a cause is ruled out where it refuses the token for another.
    const fn refuses(self) -> &'static str {
        match self {
            TrustDocument::Policy => "the policy already refuses this token for another reason",
            TrustDocument::Credentials => "the credentials already refuse this token for another reason",
            TrustDocument::Provider => "the provider already refuses this token for another reason",
        }
    }
}

/// A cause that the text would allow and something else at hand excludes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RuledOut {
    pub cause: Cause,
    pub why: String,
}

/// Removes what the things at hand exclude, and puts what they prove to the front.
pub(super) fn apply(
    ranked: &mut Vec<RankedCause>,
    parsed: &Parsed,
    context: &ExplainContext<'_>,
) -> (Vec<Finding>, Vec<RuledOut>) {
    let mut ruled_out = Vec::new();
    by_claims(ranked, context, &mut ruled_out);
    by_profile(ranked, parsed, context);
    let proven = by_trust(ranked, context, &mut ruled_out);
    (proven, ruled_out)
}

fn rule_out(ranked: &mut Vec<RankedCause>, ruled_out: &mut Vec<RuledOut>, cause: Cause, why: &str) {
    let before = ranked.len();
    // What the text itself names stays, whatever was handed in beside it.
    ranked.retain(|known| known.cause != cause || known.certainty == Certainty::Proven);
    if ranked.len() < before {
        ruled_out.push(RuledOut { cause, why: why.to_owned() });
    }
}

fn by_claims(ranked: &mut Vec<RankedCause>, context: &ExplainContext<'_>, ruled_out: &mut Vec<RuledOut>) {
    let Some(claims) = context.claims else { return };
    let causes: Vec<Cause> = ranked.iter().map(|known| known.cause).collect();
    for cause in causes {
        if let Some(why) = exclusion::by_claims(cause, claims) {
            rule_out(ranked, ruled_out, cause, why);
        }
    }
}

fn by_profile(ranked: &mut Vec<RankedCause>, parsed: &Parsed, context: &ExplainContext<'_>) {
    let Some(profile) = context.profile else { return };
    let said = |mine: Option<&str>, theirs: Option<&str>| match (mine, theirs) {
        (Some(mine), Some(theirs)) if mine != theirs => Some((mine.to_owned(), theirs.to_owned())),
        _ => None,
    };
    if let Some((mine, theirs)) = said(profile.aws.region.as_deref(), parsed.region.as_deref()) {
        raise(ranked, Cause::SecretWrongRegion, format!("the text is about {theirs}, the profile's region is {mine}"));
    }
    let role_account = profile.aws.role_arn.as_ref().map(|role| role.account.as_str());
    if let Some((mine, theirs)) = said(role_account, parsed.account.as_deref()) {
        raise(
            ranked,
            Cause::WrongAccount,
            format!("the text is about account {theirs}, the profile's role is in {mine}"),
        );
    }
    if let Some((mine, theirs)) = said(profile.issuer_url.as_deref(), parsed.issuer.as_deref()) {
        raise(ranked, Cause::IssMismatch, format!("the cloud saw the issuer {theirs}, the profile says {mine}"));
    }
    if let Some((mine, theirs)) = said(profile.azure.client_id.as_deref(), parsed.client_id.as_deref())
        && theirs.len() == mine.len()
    {
        raise(
            ranked,
            Cause::ClientWrong,
            format!("the text is about the application {theirs}, the profile's is {mine}"),
        );
    }
}

/// Moves a cause that is already listed to the front, with the fact that speaks for it.
fn raise(ranked: &mut Vec<RankedCause>, cause: Cause, fact: String) {
    let Some(at) = ranked.iter().position(|known| known.cause == cause) else { return };
    let mut raised = ranked.remove(at);
    raised.certainty = raised.certainty.min(Certainty::Likely);
    raised.evidence.push(fact);
    ranked.insert(0, raised);
}

/// What a refusal may have that a provider, or the bindings beside it, decide.
const BY_PROVIDER: [Cause; 9] = [
    Cause::ProviderDisabled,
    Cause::IssMismatch,
    Cause::AudMismatch,
    Cause::AttributeMappingMissing,
    Cause::MappingTypeWrong,
    Cause::SubjectTooLong,
    Cause::AttributeCondition,
    Cause::PrincipalsetMismatch,
    Cause::SecretIamMissing,
];

fn by_trust(
    ranked: &mut Vec<RankedCause>,
    context: &ExplainContext<'_>,
    ruled_out: &mut Vec<RuledOut>,
) -> Vec<Finding> {
    let Some(trust) = context.trust else { return Vec::new() };
    // The trust only matters where the text is the denial that it can cause.
    let denial: &[Cause] = match trust.document {
        TrustDocument::Policy => &[Cause::SubMismatch],
        TrustDocument::Credentials => trust.document.decides(),
        TrustDocument::Provider => &BY_PROVIDER,
    };
    if !ranked.iter().any(|known| denial.contains(&known.cause)) {
        return Vec::new();
    }
    match trust.decision {
        Decision::Unknown => Vec::new(),
        Decision::Allow => {
            for cause in trust.document.decides() {
                rule_out(ranked, ruled_out, *cause, trust.document.accepts());
            }
            Vec::new()
        }
        Decision::Deny if trust.findings.is_empty() => Vec::new(),
        Decision::Deny => {
            let found: Vec<Cause> = trust.findings.iter().map(|finding| finding.cause).collect();
            ranked.retain(|known| !found.contains(&known.cause));
            let others: Vec<Cause> = ranked.iter().map(|known| known.cause).collect();
            for cause in others {
                rule_out(ranked, ruled_out, cause, trust.document.refuses());
            }
            trust.findings.clone()
        }
    }
}
