//! From what a Google provider and the bindings of IAM say to a token, to the causes.

use super::{Cause, Certainty, Finding, Severity};
use crate::domain::gcp::{EvaluatedRule, ForeignToken, LONGEST_SUBJECT, ProviderEvaluation, Refusal, Test};
use crate::domain::iam::{Decision, Distance, Truth};
use crate::domain::ids::FoundBy;

const DOCS_CONDITIONS: &str = "https://cloud.google.com/iam/docs/workload-identity-federation#conditions";

/// Why the token gets nothing; empty where it does, and where that is unknown.
pub fn refused(check: FoundBy, evaluation: &ProviderEvaluation) -> Vec<Finding> {
    if evaluation.decision != Decision::Deny {
        return Vec::new();
    }
    match evaluation.refused() {
        Some((test, refusal)) => vec![of_refusal(check, test, refusal)],
        None => of_bindings(check, evaluation).into_iter().collect(),
    }
}

fn of_refusal(check: FoundBy, test: &Test, refusal: &Refusal) -> Finding {
    let (cause, summary, fix) = match refusal {
        Refusal::ProviderOff => (
            Cause::ProviderDisabled,
            "the provider is disabled or deleted, so Google exchanges no token for it".to_owned(),
            None,
        ),
        Refusal::Issuer => (
            Cause::IssMismatch,
            format!("the provider's issuer is not the token's `iss`: {}", test.why),
            Some("Use a token of the provider's issuer. If the token's issuer is yours, add a provider for it; do not exchange the issuer of one that others use".to_owned()),
        ),
        Refusal::Audience => (
            Cause::AudMismatch,
            format!("the provider does not accept the token's audience: {}", test.why),
            test.expected.first().map(|audience| format!("Ask for a token with the audience `{audience}`")),
        ),
        Refusal::MappingMissing { claim } => (
            Cause::AttributeMappingMissing,
            format!("`google.subject` has no value: the token's claim `{claim}` is missing or empty"),
            Some(format!("Map `google.subject` from a claim that every token has, or guard it: has(assertion.{claim}) ? assertion.{claim} : assertion.sub")),
        ),
        Refusal::MappingType => (Cause::MappingTypeWrong, format!("`{}` has the wrong type: {}", test.key, test.why), None),
        Refusal::SubjectTooLong { bytes } => (
            Cause::SubjectTooLong,
            format!("`google.subject` has {bytes} bytes; Google takes {LONGEST_SUBJECT}"),
            Some("Map a shorter claim to `google.subject`, such as an id, and the long one to an attribute that a condition or binding compares".to_owned()),
        ),
        Refusal::ConditionFails { name: Some(name) } => (
            Cause::AttributeCondition,
            format!("the attribute condition fails instead of being false: there is no `{name}`"),
            Some(format!("Ask for it first, has(assertion.{name}) && …, if tokens without it are meant to be refused; else compare a claim that the token has")),
        ),
        Refusal::ConditionFails { name: None } | Refusal::ConditionFalse => (
            Cause::AttributeCondition,
            format!("the attribute condition is not met: `{}` {}", test.key, test.why),
            Some("Compare the two values. If this token is meant, write its value into the condition; if it is not, the condition does its work".to_owned()),
        ),
    };
    let mut finding = Finding::new(cause, check, Certainty::Proven, summary);
    finding.expected = test.expected.first().cloned();
    finding.actual = test.actual.as_ref().map(|actual| actual.join(", "));
    if test.expected.len() > 1 {
        finding = finding.with_evidence(format!("it accepts {}", test.expected.join(" or ")));
    }
    fix.into_iter().fold(finding, Finding::with_fix)
}

/// The exchange succeeds, and no binding has the token among its members.
fn of_bindings(check: FoundBy, evaluation: &ProviderEvaluation) -> Option<Finding> {
    let principal = evaluation.principal.clone();
    let wanted = || principal.clone().unwrap_or_else(|| "principal://…".to_owned());
    let bindings = evaluation.bindings();
    if bindings.is_empty() {
        let summary = "Google exchanges the token, and no binding of the IAM policy is about a workload identity pool";
        let mut finding = Finding::new(Cause::SecretIamMissing, check, Certainty::Proven, summary);
        finding.actual = principal.clone();
        return Some(finding.with_fix(format!(
            "Grant the role to `{}`, or to a principalSet of an attribute that only such tokens have",
            wanted()
        )));
    }
    let (binding, test) = nearest(bindings)?;
    let summary =
        format!("Google exchanges the token, and `{}` is granted to another member: {}", binding.name, test.why);
    let mut finding = Finding::new(Cause::PrincipalsetMismatch, check, Certainty::Proven, summary);
    finding.expected = test.expected.first().cloned();
    finding.actual = test.actual.as_ref().and_then(|actual| actual.first().cloned()).or(principal.clone());
    finding = finding.with_evidence(format!("the token is `{}`", wanted()));
    for (name, value) in evaluation.attributes.iter().filter(|(name, _)| name.starts_with("attribute.")) {
        finding = finding.with_evidence(format!("its `{name}` is `{}`", value.as_str().unwrap_or_default()));
    }
    Some(
        finding.with_fix(
            "Write the token's own value into the member, with the project's number and in the same letter case",
        ),
    )
}

/// The member that compares a value of the token before those that are of another pool.
fn nearest(bindings: &[EvaluatedRule]) -> Option<(&EvaluatedRule, &Test)> {
    let tests = bindings.iter().flat_map(|binding| binding.conditions.iter().map(move |test| (binding, test)));
    tests.filter(|(_, test)| test.result == Truth::False).min_by_key(|(_, test)| test.actual.is_none())
}

/// Whoever else gets in, as one finding about the furthest of them.
pub fn strangers(check: FoundBy, found: &[ForeignToken], read: &[String]) -> Option<Finding> {
    let furthest = found.first()?;
    let summary = format!("the provider also accepts {}", furthest.subject.who);
    let severity = match furthest.subject.distance {
        Distance::Tenant if furthest.subject.is_anybody() => Severity::Critical,
        Distance::Tenant | Distance::Project => Severity::High,
        Distance::PullRequest | Distance::Branch => Severity::Medium,
    };
    let mut finding = Finding::new(Cause::TrustTooWide, check, Certainty::Proven, summary).with_severity(severity);
    finding.actual = Some(furthest.subject.subject.clone());
    for token in found {
        let claims: Vec<String> = token
            .claims
            .iter()
            .filter(|(name, _)| *name == "sub" || read.contains(name))
            .map(|(name, value)| {
                format!("{name} = {}", value.as_str().map_or_else(|| value.to_string(), str::to_owned))
            })
            .collect();
        finding =
            finding.with_evidence(format!("{} gets in, with the claims {}", token.subject.who, claims.join(", ")));
    }
    finding = finding.with_fix(match furthest.subject.distance {
        Distance::Tenant => "Write an attribute condition that compares an id of your own organization with ==, such as assertion.repository_owner_id == '123' or assertion.organization_id == 'UUID'",
        Distance::Project => "Compare the one repository, project or workspace in the condition, or grant roles to a principalSet of that attribute alone",
        Distance::PullRequest | Distance::Branch => "Compare the branch or environment in the condition, or grant roles to the subject of that branch alone",
    });
    finding.docs = DOCS_CONDITIONS.to_owned();
    Some(finding)
}

/// Whoever else gets a token exchanged, where the bindings alone keep them from every role.
pub fn strangers_without_a_role(check: FoundBy, found: &[ForeignToken]) -> Option<Finding> {
    let furthest = found.first().filter(|token| token.subject.distance == Distance::Tenant)?;
    let summary =
        format!("the provider also exchanges tokens of {}: the bindings alone keep them out", furthest.subject.who);
    let mut finding = Finding::new(Cause::TrustTooWide, check, Certainty::Proven, summary)
        .with_severity(Severity::Medium)
        .with_fix("Write an attribute condition that compares an id of your own organization with ==");
    finding.actual = Some(furthest.subject.subject.clone());
    finding.docs = DOCS_CONDITIONS.to_owned();
    Some(finding)
}

/// What else is weak in the bindings and the mapping.
pub fn weak(check: FoundBy, whole_pool: &[(&str, &str)], room: Option<(usize, usize)>) -> Vec<Finding> {
    let mut found: Vec<Finding> = whole_pool
        .iter()
        .map(|(role, member)| {
            let summary = format!("`{role}` is granted to every token of the pool");
            Finding::new(Cause::TrustTooWide, check, Certainty::Proven, summary)
                .with_severity(Severity::Medium)
                .with_evidence(format!("the member is {member}"))
                .with_fix("Grant the role to a principalSet of an attribute, or to the subject, that needs it")
        })
        .collect();
    if let Some((now, most)) = room.filter(|(now, most)| most.saturating_sub(*now) < 60) {
        let summary = format!("`google.subject` is the whole subject: branches of more than {most} bytes are refused");
        found.push(
            Finding::new(Cause::SubjectTooLong, check, Certainty::Possible, summary)
                .with_severity(Severity::Low)
                .with_evidence(format!(
                    "the branch here has {now} bytes, and `google.subject` takes {LONGEST_SUBJECT} in all"
                ))
                .with_fix(
                    "Map a shorter claim to `google.subject`, such as an id, and compare the branch in the condition",
                ),
        );
    }
    found
}
