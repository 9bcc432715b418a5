//! Trust that works and reaches too far: strangers who get in, and what in the policy is unsafe or dead.

use super::{DOCS_KEYS, DOCS_MULTI, DOCS_OPERATORS, DOCS_TRUST, fix};
use crate::cause::{Cause, Certainty, Finding};
use crate::domain::iam::{Distance, Rule, Smell, Stranger};

/// The strangers that the policy lets in, as one finding about the furthest of them.
pub fn strangers(check: &str, found: &[Stranger]) -> Option<Finding> {
    let furthest = found.iter().min_by_key(|stranger| stranger.distance)?;
    let summary = format!("the trust policy also accepts {}", furthest.who);
    let mut finding = Finding::new(Cause::TrustTooWide, check, Certainty::Proven, summary);
    finding.actual = Some(furthest.subject.clone());
    for stranger in found {
        finding = finding.with_evidence(format!("it accepts `{}`: {}", stranger.subject, stranger.who));
    }
    finding = finding.with_fix(match furthest.distance {
        Distance::Tenant => "Add a condition on the subject that names your own organization and project",
        Distance::Project => "Name the project in the condition on the subject, with what separates it from the rest",
        Distance::PullRequest => {
            "End the subject with the branch or environment that may have the role, instead of a wildcard"
        }
        Distance::Branch => "Name the branch in the condition on the subject, if only that one may have the role",
    });
    finding.docs = DOCS_TRUST.to_owned();
    Some(finding)
}

/// What is unsafe or dead in the policy, a finding each.
pub fn smells(check: &str, found: &[Smell]) -> Vec<Finding> {
    found.iter().map(|smell| finding(check, smell)).collect()
}

fn finding(check: &str, smell: &Smell) -> Finding {
    let key = smell.key.as_deref().unwrap_or_default();
    let text = &smell.text;
    let wide = Cause::TrustTooWide;
    let (cause, summary, fix, docs) = match &smell.rule {
        Rule::SubjectMissing => (
            wide,
            "no condition says whose tokens of the issuer may have the role".to_owned(),
            format!("Add a condition on `{key}`"),
            DOCS_TRUST,
        ),
        Rule::SubjectWide => (
            wide,
            format!("`{text}` fits every subject"),
            "Name the organization and the project".to_owned(),
            DOCS_TRUST,
        ),
        Rule::OwnerWithoutSlash => (
            wide,
            format!("`{text}` also fits owners whose names only start like this"),
            "End the owner's name with a slash before the wildcard".to_owned(),
            DOCS_OPERATORS,
        ),
        Rule::PullRequestTrusted => (
            wide,
            format!("`{text}` gives the role to the runs of pull requests, which their authors control"),
            "Trust a branch or an environment instead, or keep this role to reading what is public".to_owned(),
            DOCS_TRUST,
        ),
        Rule::ForAllValues => (
            wide,
            format!("`{text}` in an Allow is true when `{key}` is missing or misspelt"),
            format!("Use the operator without `ForAllValues:`, or add \"Null\": {{\"{key}\": \"false\"}}"),
            DOCS_MULTI,
        ),
        Rule::NegatedTenancy => (
            wide,
            format!("`{text}` on `{key}` names who is kept out and lets everybody else in"),
            format!("Name who may have the role, with StringEquals or StringLike on `{key}`"),
            DOCS_OPERATORS,
        ),
        Rule::IfExistsTenancy => (
            wide,
            format!("`{text}` on `{key}` is true when the key is missing"),
            "Use the operator without `IfExists`".to_owned(),
            DOCS_OPERATORS,
        ),
        Rule::AudienceUnconstrained => (
            wide,
            "any audience that the provider has registered is accepted, also of tokens made for another service"
                .to_owned(),
            format!("Add a condition on `{key}`"),
            DOCS_TRUST,
        ),
        Rule::PrincipalWide => (
            wide,
            "the principal is not one identity provider".to_owned(),
            "Name the provider's ARN under `Federated`".to_owned(),
            DOCS_TRUST,
        ),
        Rule::WildcardUnderEquals => (
            Cause::OperatorWrong,
            format!("`{text}` has a wildcard that its operator takes literally, so `{key}` will never equal it"),
            "Compare with StringLike".to_owned(),
            DOCS_OPERATORS,
        ),
        Rule::ImpossibleKey(impossible) => (
            Cause::ConditionKeyWrong,
            format!("no token can bring the condition key `{text}`: {}", impossible.why),
            match &impossible.corrected {
                Some(corrected) => format!("Write `{corrected}`"),
                None => "Remove the condition".to_owned(),
            },
            DOCS_KEYS,
        ),
        Rule::Placeholder => (
            by_place(smell),
            format!("the placeholder `{text}` was never filled in"),
            "Put the real value in its place".to_owned(),
            DOCS_TRUST,
        ),
        Rule::Homoglyph => (
            by_place(smell),
            format!("`{text}` has a character that only looks like an ASCII one"),
            "Type the value again".to_owned(),
            DOCS_TRUST,
        ),
        Rule::Invisible => (
            by_place(smell),
            format!("`{text}` has a character that cannot be seen"),
            "Type the value again".to_owned(),
            DOCS_TRUST,
        ),
    };
    let mut finding = Finding::new(cause, check, Certainty::Proven, summary)
        .with_evidence(format!("Statement[{}].{}", smell.statement, smell.at))
        .with_fix(fix);
    if smell.rule == Rule::WildcardUnderEquals {
        finding = finding.with_command("Corrected", fix::condition("StringLike", key, std::slice::from_ref(text)));
    }
    finding.docs = docs.to_owned();
    finding
}

/// The cause that a damaged text has where it stands.
fn by_place(smell: &Smell) -> Cause {
    match smell.key.as_deref() {
        None => Cause::PrincipalArnWrong,
        Some(key) if key.contains(smell.text.as_str()) => Cause::ConditionKeyWrong,
        Some(key) if key.ends_with(":aud") => Cause::AudMismatch,
        Some(key) if key.ends_with(":sub") => Cause::SubMismatch,
        Some(_) => Cause::ClaimMismatch,
    }
}
