//! A condition that the token does not meet.

use super::listed;
use super::{DOCS_KEYS, DOCS_OPERATORS, DOCS_TRUST, place};
use crate::cause::{Cause, Certainty, Finding};
use crate::domain::iam::{
    Comparison, ConditionEvaluation, NearMiss, Operator, StatementEvaluation, Transformation, TrustEvaluation,
};
use crate::domain::ids::FoundBy;
use crate::domain::issuer::{GithubSubject, IssuerKind, condition_key_prefix, segments};
use crate::domain::text_difference::TextDifference;
use crate::domain::text_difference::first_difference;

const DOCS_GITHUB: &str = "https://docs.github.com/en/actions/reference/security/oidc";

pub(super) fn finding(
    check: FoundBy,
    evaluation: &TrustEvaluation,
    statement: &StatementEvaluation,
    condition: &ConditionEvaluation,
) -> Finding {
    let claim = claim(evaluation, condition);
    let cause = cause(condition, claim.as_deref());
    let mut finding = Finding::new(cause, check, Certainty::Proven, summary(condition, claim.as_deref()));
    if let Some(key) = &condition.impossible_key {
        finding.expected = Some(condition.key.clone());
        finding.actual.clone_from(&key.corrected);
    } else {
        finding.expected = expected(condition);
        finding.actual = condition.actual.as_ref().map(|values| values.join(", "));
    }
    finding = finding.with_evidence(requirement(statement, condition));
    if let Some([actual]) = condition.actual.as_deref() {
        finding = finding.with_evidence(format!("the token has `{actual}`"));
        if claim.as_deref() == Some("sub") {
            finding.evidence.extend(parts(evaluation, actual));
        }
        if let Some(party) = replaced_audience(evaluation, claim.as_deref()) {
            let replaced =
                format!("the token has `azp` = `{party}`, which STS takes in place of `aud`, whatever that holds");
            finding = finding.with_evidence(replaced);
        }
    }
    finding = fixes(finding, evaluation, condition, claim.as_deref());
    finding.docs = docs(cause, condition).to_owned();
    finding
}

/// A condition that depends on what is not at hand.
pub(super) fn unknown(check: FoundBy, statement: &StatementEvaluation, condition: &ConditionEvaluation) -> Finding {
    let unrecognised = Operator::parse(&condition.operator).comparison == Comparison::Unrecognised;
    let cause = if unrecognised { Cause::OperatorWrong } else { Cause::ClaimMismatch };
    let summary = format!("whether `{}` is met is unknown here: {}", condition.key, condition.why);
    let mut finding =
        Finding::new(cause, check, Certainty::Possible, summary).with_evidence(requirement(statement, condition));
    finding.expected = expected(condition);
    if unrecognised {
        let nearest = Operator::nearest_name(&condition.operator).unwrap_or("StringEquals");
        finding = finding.with_fix(format!("Use an operator that IAM knows, such as {nearest}"));
    }
    finding.docs = DOCS_OPERATORS.to_owned();
    finding
}

/// What the statement requires, with its operator.
fn requirement(statement: &StatementEvaluation, condition: &ConditionEvaluation) -> String {
    let operator = Operator::parse(&condition.operator);
    let (verb, sign) = match (operator.negated, operator.has_wildcards()) {
        (false, false) => ("requires", "="),
        (false, true) => ("requires", "like"),
        (true, false) => ("excludes", "="),
        (true, true) => ("excludes", "like"),
    };
    let (place, values) = (place(statement), listed(&condition.expected));
    format!("{place} {verb} `{}` {sign} {values} ({})", condition.key, condition.operator)
}

/// The claim that the key stands for, in lower case.
fn claim(evaluation: &TrustEvaluation, condition: &ConditionEvaluation) -> Option<String> {
    let prefix = condition_key_prefix(&evaluation.issuer);
    let (head, rest) = condition.key.split_at_checked(prefix.len())?;
    (head.eq_ignore_ascii_case(prefix)).then(|| rest.strip_prefix(':').map(str::to_ascii_lowercase))?
}

fn cause(condition: &ConditionEvaluation, claim: Option<&str>) -> Cause {
    use Transformation::{ClaimsSwapped, ImmutableSubject, NameSubject, Text, WildcardUnderEquals};
    if condition.impossible_key.is_some() {
        return Cause::ConditionKeyWrong;
    }
    let near = condition.near_miss.as_ref().map(|near| near.transformation);
    match (claim, near) {
        (_, Some(WildcardUnderEquals)) => Cause::OperatorWrong,
        (_, Some(ClaimsSwapped)) => Cause::ConditionKeyWrong,
        (Some("sub"), Some(Text(TextDifference::LetterCase))) => Cause::SubCaseMismatch,
        (Some("sub"), Some(ImmutableSubject | NameSubject)) => Cause::ImmutableSub,
        (Some("sub"), _) if has_wrong_type(condition) => Cause::OperatorWrong,
        (Some("sub"), _) => Cause::SubMismatch,
        (Some("aud" | "oaud"), _) if has_wrong_type(condition) => Cause::OperatorWrong,
        (Some("aud" | "oaud"), _) => Cause::AudMismatch,
        _ => Cause::ClaimMismatch,
    }
}

/// An operator for another type than the text that `sub` and `aud` are.
fn has_wrong_type(condition: &ConditionEvaluation) -> bool {
    !matches!(
        Operator::parse(&condition.operator).comparison,
        Comparison::StringEquals
            | Comparison::StringEqualsIgnoreCase
            | Comparison::StringLike
            | Comparison::Null
            | Comparison::Unrecognised
    )
}

fn summary(condition: &ConditionEvaluation, claim: Option<&str>) -> String {
    if condition.impossible_key.is_some() {
        return format!("the condition key `{}` can never be met: {}", condition.key, condition.why);
    }
    let what = match claim {
        Some("sub") => "subject".to_owned(),
        Some("aud" | "oaud") => "audience".to_owned(),
        Some(claim) => format!("`{claim}`"),
        None => format!("`{}`", condition.key),
    };
    match condition.actual {
        Some(_) => format!("the role's trust policy does not accept this {what}: {}", condition.why),
        None => format!("the role's trust policy asks for {what}: {}", condition.why),
    }
}

/// The policy's value that comes nearest to the token's.
fn expected(condition: &ConditionEvaluation) -> Option<String> {
    if let Some(near) = &condition.near_miss {
        return Some(near.expected.clone());
    }
    let actual = condition.actual.as_ref().and_then(|values| values.first());
    let shared = |value: &String| actual.map_or(0, |a| first_difference(value, a).map_or(usize::MAX, |d| d.at));
    // The first of those that share most: `max_by_key` would take the last.
    condition.expected.iter().take(64).rev().max_by_key(|value| shared(value)).cloned()
}

/// The token's subject, part by part.
fn parts(evaluation: &TrustEvaluation, subject: &str) -> Vec<String> {
    let parts = segments(IssuerKind::of(&evaluation.issuer, Some(subject)), subject);
    if parts.len() < 2 {
        return Vec::new();
    }
    parts.iter().map(|part| format!("its {} is `{}`: {}", part.name, part.value, part.meaning)).collect()
}

fn fixes(
    finding: Finding,
    evaluation: &TrustEvaluation,
    condition: &ConditionEvaluation,
    claim: Option<&str>,
) -> Finding {
    if let Some(key) = &condition.impossible_key {
        return match &key.corrected {
            Some(corrected) => finding.with_fix(format!("Name the key `{corrected}`, which the token has")),
            None => finding.with_fix(format!(
                "Remove the condition on `{}`; conditions on `{}:sub` and `:aud` tell tokens apart",
                condition.key,
                condition_key_prefix(&evaluation.issuer)
            )),
        };
    }
    if let Some(near) = &condition.near_miss {
        return near_fix(finding, condition, near);
    }
    let negated = Operator::parse(&condition.operator).negated;
    let Some([actual]) = condition.actual.as_deref() else {
        return finding
            .with_fix(format!("Use a token that carries the claim, or remove the condition on `{}`", condition.key));
    };
    if negated {
        return finding
            .with_fix(format!("If this token is meant to have the role, take `{actual}` out of the excepted values"));
    }
    match claim {
        Some("aud") if replaced_audience(evaluation, claim).is_some() => finding
            .with_fix(format!(
                "Accept the token's authorized party, `{actual}`, here and among the identity provider's client ids"
            ))
            .with_fix("Or let the issuer leave `azp` out of the token; a further audience in `aud` changes nothing"),
        Some("aud" | "oaud") => finding
            .with_fix(format!("Accept the token's audience, `{actual}`"))
            .with_fix(format!("Or ask for a token with the audience {}", listed(&condition.expected))),
        _ => finding.with_fix(format!(
            "If this token is meant to have the role, accept `{}` = `{actual}`; otherwise take the token that is meant",
            condition.key
        )),
    }
}

/// What STS takes in place of the audience, where the condition is on that.
fn replaced_audience<'e>(evaluation: &'e TrustEvaluation, claim: Option<&str>) -> Option<&'e str> {
    evaluation.authorized_party.as_deref().filter(|_| claim == Some("aud"))
}

fn near_fix(finding: Finding, condition: &ConditionEvaluation, near: &NearMiss) -> Finding {
    use Transformation::*;
    let Some(value) = &near.corrected else {
        return match (near.transformation, condition.actual.as_deref()) {
            (WildcardUnderEquals, Some([actual])) => finding.with_fix(format!(
                "Require the token's own value, `{actual}`; under StringLike `{}` would let in all that fit",
                near.expected
            )),
            _ => finding.with_fix("Put each value under the key of its own claim"),
        };
    };
    let accept = format!("accept `{}` = `{value}`", condition.key);
    match near.transformation {
        ImmutableSubject | NameSubject => {
            let finding = finding.with_fix(format!(
                "Accept both `{}` and `{value}` while the repository moves from one form to the other",
                near.expected
            ));
            match repository(condition) {
                Some(path) => finding.with_look(
                    "The form that the repository's tokens have",
                    format!("gh api repos/{path}/actions/oidc/customization/sub"),
                ),
                None => finding,
            }
        }
        EnvironmentInsteadOfRef => finding
            .with_fix(format!("Name the job's environment in the policy: {accept}"))
            .with_fix("Or remove `environment:` from the job, so that its subject names the branch or tag"),
        RefInsteadOfEnvironment => finding
            .with_fix("Add the `environment:` that the policy names to the job")
            .with_fix(format!("Or name the branch or tag in the policy: {accept}")),
        PullRequest => finding.with_fix(
            "Run the job for the event that the policy names: a policy for pull requests serves whoever opens one",
        ),
        _ => finding.with_fix(format!("Write `{value}` instead of `{}`", near.expected)),
    }
}

/// Owner and name of the repository in the token's subject, where a shell reads them as they are.
fn repository(condition: &ConditionEvaluation) -> Option<String> {
    let subject = GithubSubject::parse(condition.actual.as_deref()?.first()?)?;
    let is_plain =
        |name: &str| !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || "._-".contains(c));
    let names = [subject.owner, subject.repository];
    names.iter().all(|name| is_plain(name)).then(|| names.join("/"))
}

fn docs(cause: Cause, condition: &ConditionEvaluation) -> &'static str {
    match cause {
        Cause::ImmutableSub => DOCS_GITHUB,
        Cause::OperatorWrong => DOCS_OPERATORS,
        Cause::ConditionKeyWrong => DOCS_KEYS,
        _ if condition.key.starts_with("token.actions.githubusercontent.com") => DOCS_GITHUB,
        _ => DOCS_TRUST,
    }
}
