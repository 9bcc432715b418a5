//! From what a trust policy says to a token, to the causes: which statement was meant, and what in it does not fit.

mod condition;
mod width;

use super::{Cause, Certainty, Finding};
use crate::domain::iam::open_text;
use crate::domain::iam::{
    Decision, Effect, KeyFault, ProviderArn, Refusal, StatementEvaluation, Transformation, TrustEvaluation, Truth,
    WEB_IDENTITY,
};
use crate::domain::ids::FoundBy;
use crate::domain::issuer::condition_key_prefix;
pub use width::{duplicates, smells, strangers};

const DOCS_TRUST: &str = "https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_create_for-idp_oidc.html";
const DOCS_PROVIDER: &str = "https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_providers_create_oidc.html";
const DOCS_KEYS: &str = "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_iam-condition-keys.html";
const DOCS_OPERATORS: &str =
    "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html";
const DOCS_MULTI: &str =
    "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_multi-value-conditions.html";
const DOCS_LOGIC: &str = "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html";
const DOCS_WEB_IDENTITY: &str =
    "https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html";
const DOCS_TAGS: &str = "https://docs.aws.amazon.com/IAM/latest/UserGuide/id_session-tags.html";

/// Why the policy does not let the token in: proven where it denies, possible where it depends on what is not at
/// hand; nothing where it allows. What blocks the rest comes first.
pub fn findings(check: FoundBy, evaluation: &TrustEvaluation) -> Vec<Finding> {
    let mut found = Vec::new();
    found.extend(evaluation.refusals.iter().map(|refusal| refused(check, evaluation, *refusal)));
    let exchange = evaluation.actions.first().map(|action| action.decision);
    match exchange {
        Some(Decision::Allow) => {}
        _ => {
            found.extend(denials(check, evaluation));
            found.extend(nearest_allow(check, evaluation));
        }
    }
    if exchange != Some(Decision::Deny) {
        found.extend(implied_actions(check, evaluation));
    }
    found
}

/// What STS refuses whatever the policy says.
fn refused(check: FoundBy, evaluation: &TrustEvaluation, refusal: Refusal) -> Finding {
    let new = |cause, summary: &str| Finding::new(cause, check, Certainty::Proven, summary);
    let mut finding = match refusal {
        Refusal::SeveralAudiences => {
            new(Cause::AudMultiWithoutAzp, "STS refuses a token with several audiences and no `azp`")
                .with_fix("Ask for a token with one audience, or have the issuer set `azp`")
        }
        Refusal::EmptyAudience => new(Cause::MalformedToken, "STS refuses a token whose audience is an empty list")
            .with_fix("Ask for a token with the audience that the provider has registered"),
        Refusal::RoleNotListed => {
            new(Cause::RolesClaim, "the token lists the roles it may have, and this role is not among them")
                .with_fix("Have the issuer put the role's ARN into the claim `https://aws.amazon.com/roles`")
        }
        Refusal::SubjectNotEvaluated => new(
            Cause::SubMismatch,
            "STS takes tokens of app.terraform.io only where the trust policy has a condition on their subject",
        )
        .with_fix("Add a condition on `app.terraform.io:sub` that names the workspace"),
    };
    if let Some(role) = &evaluation.role_arn {
        finding = finding.with_evidence(format!("the role is {role}"));
    }
    finding.docs = if refusal == Refusal::SubjectNotEvaluated { DOCS_TRUST } else { DOCS_WEB_IDENTITY }.to_owned();
    finding
}

/// Deny statements that match, or may.
fn denials(check: FoundBy, evaluation: &TrustEvaluation) -> Vec<Finding> {
    let deny = evaluation.statements.iter().filter(|s| s.effect == Effect::Deny && s.matches != Truth::False);
    deny.map(|statement| {
        let place = place(statement);
        let (certainty, summary) = match statement.matches {
            Truth::True => (Certainty::Proven, format!("{place} denies this token explicitly, and a deny always wins")),
            _ => (
                Certainty::Possible,
                format!("{place} may deny this token explicitly: that depends on what is not known here"),
            ),
        };
        let mut finding = Finding::new(Cause::ExplicitDeny, check, certainty, summary);
        for condition in &statement.conditions {
            let told = format!("{} `{}`: {}", condition.operator, condition.key, condition.why);
            finding = finding.with_evidence(told);
        }
        finding = finding.with_fix(format!("Narrow the condition of {place}, or remove the statement"));
        finding.docs = DOCS_LOGIC.to_owned();
        finding
    })
    .collect()
}

/// What does not fit in the allowing statement that comes nearest.
fn nearest_allow(check: FoundBy, evaluation: &TrustEvaluation) -> Vec<Finding> {
    let Some(nearest) = evaluation.nearest_allow() else {
        let summary = "the trust policy has no statement that allows anything";
        let mut finding = Finding::new(Cause::ActionMissing, check, Certainty::Proven, summary)
            .with_fix(format!("Add a statement that {}", lets_in(evaluation)));
        finding.docs = DOCS_TRUST.to_owned();
        return vec![finding];
    };
    if nearest.matches == Truth::True {
        return Vec::new();
    }
    let mut found = Vec::new();
    if is_other_flow(nearest) {
        found.push(other_flow(check, evaluation, nearest));
    } else {
        let is_open = nearest.principal.expected.iter().any(|principal| open_text::is_open(principal));
        if nearest.principal.result == Truth::False || nearest.principal.result == Truth::Unknown && !is_open {
            found.push(finding(check, evaluation, nearest));
            found.extend(partition(check, nearest));
        }
        if nearest.action.result == Truth::False {
            found.push(action_missing(check, nearest));
        }
        let elsewhere = keys_of_its_own_principal(nearest);
        let failing = nearest.conditions.iter().filter(|c| c.result == Truth::False);
        for condition in failing.filter(|c| !elsewhere.contains(&c.key.as_str())) {
            found.push(condition::finding(check, evaluation, nearest, condition));
        }
    }
    if found.is_empty() {
        let open = nearest.conditions.iter().filter(|c| c.result == Truth::Unknown);
        found.extend(open.map(|c| condition::unknown(check, nearest, c)));
    }
    let others = evaluation.statements.iter().filter(|s| s.effect == Effect::Allow).count() - 1;
    if others > 0 {
        for finding in &mut found {
            finding.evidence.push(format!(
                "{} is the nearest; {others} more allow something and do not fit either",
                place(nearest)
            ));
        }
    }
    found
}

/// The keys that are right for the statement's principal, which is another issuer: the principal alone is at fault.
fn keys_of_its_own_principal(statement: &StatementEvaluation) -> Vec<&str> {
    let urls = || statement.principal.expected.iter().map(|p| ProviderArn::parse(p).map_or(p.as_str(), |arn| arn.url));
    let impossible = statement.conditions.iter().filter(|c| {
        c.impossible_key.as_ref().is_some_and(|key| {
            matches!(key.fault, KeyFault::OtherIssuer | KeyFault::SlashPrefix | KeyFault::PathMissing)
        })
    });
    let own = impossible.filter(|c| c.key.rsplit_once(':').is_some_and(|(prefix, _)| urls().any(|url| url == prefix)));
    own.map(|c| c.key.as_str()).collect()
}

/// A role made for `sts:AssumeRole` by accounts, users or services.
fn is_other_flow(statement: &StatementEvaluation) -> bool {
    let assume = |action: &String| {
        action.eq_ignore_ascii_case("sts:AssumeRole") || action.eq_ignore_ascii_case("sts:AssumeRoleWithSAML")
    };
    let providers = statement.principal.expected.iter().any(|p| p.contains("oidc-provider/") || !p.contains(':'));
    statement.action.result == Truth::False
        && statement.principal.result == Truth::False
        && statement.action.expected.iter().any(assume)
        && !providers
}

fn other_flow(check: FoundBy, evaluation: &TrustEvaluation, statement: &StatementEvaluation) -> Finding {
    let summary = "the role is made for AssumeRole by other principals, not for web identity tokens";
    let mut finding = Finding::new(Cause::WrongFlow, check, Certainty::Proven, summary)
        .with_difference(statement.action.expected.join(", "), WEB_IDENTITY)
        .with_evidence(format!("{} trusts {}", place(statement), statement.principal.expected.join(", ")))
        .with_fix("Assume another role with the token first and chain to this one with AssumeRole")
        .with_fix(format!("Or add a statement that {}", lets_in(evaluation)));
    finding.docs = DOCS_TRUST.to_owned();
    finding
}

fn action_missing(check: FoundBy, statement: &StatementEvaluation) -> Finding {
    let summary = format!("{} does not allow `{WEB_IDENTITY}`", place(statement));
    let mut finding = Finding::new(Cause::ActionMissing, check, Certainty::Proven, summary)
        .with_difference(statement.action.expected.join(", "), WEB_IDENTITY)
        .with_evidence(format!("its {} is {}", statement.action.element, statement.action.expected.join(", ")))
        .with_fix(format!("Let {} allow `{WEB_IDENTITY}`", place(statement)));
    finding.docs = DOCS_TRUST.to_owned();
    finding
}

/// Session tags and source identity, which the token's claims ask for beside the exchange.
fn implied_actions(check: FoundBy, evaluation: &TrustEvaluation) -> Vec<Finding> {
    let implied = evaluation.actions.iter().skip(1).filter(|action| action.decision != Decision::Allow);
    implied
        .map(|action| {
            let tags = action.action == "sts:TagSession";
            let cause = if tags { Cause::TagSessionMissing } else { Cause::ActionMissing };
            let what = if tags { "session tags" } else { "a source identity" };
            let certainty = if action.decision == Decision::Deny { Certainty::Proven } else { Certainty::Possible };
            let summary = format!("the token carries {what}, and the trust policy does not allow `{}`", action.action);
            let mut finding = Finding::new(cause, check, certainty, summary)
                .with_fix(format!("Allow `{}` too in the statement that allows the exchange", action.action))
                .with_fix(format!("Or have the issuer send no {what}"));
            finding.docs = DOCS_TAGS.to_owned();
            finding
        })
        .collect()
}

/// What a statement for the token's issuer does, in words.
fn lets_in(evaluation: &TrustEvaluation) -> String {
    let prefix = condition_key_prefix(&evaluation.issuer);
    format!("allows `{WEB_IDENTITY}` to {}, and requires `{prefix}:aud` and `{prefix}:sub`", evaluation.provider_arn)
}

/// `Statement[0]`, with its Sid where it has one.
fn place(statement: &StatementEvaluation) -> String {
    match &statement.sid {
        Some(sid) => format!("Statement[{}] ({sid})", statement.index),
        None => format!("Statement[{}]", statement.index),
    }
}

fn finding(check: FoundBy, evaluation: &TrustEvaluation, statement: &StatementEvaluation) -> Finding {
    let principal = &statement.principal;
    let near = principal.near_miss.as_ref();
    let cause = match near.map(|near| near.transformation) {
        Some(Transformation::Account) => Cause::WrongAccount,
        Some(Transformation::Partition) => Cause::WrongPartition,
        _ => Cause::PrincipalArnWrong,
    };
    let summary = match near {
        Some(near) => format!("the trust policy's principal is not the token's identity provider: {}", near.why),
        None if principal.element == "NotPrincipal" && principal.result == Truth::False => {
            "the trust policy excepts the token's identity provider".to_owned()
        }
        None => format!("the trust policy's principal is not the token's identity provider: {}", principal.why),
    };
    let written = near.map(|near| near.expected.clone()).or_else(|| principal.expected.first().cloned());
    let certainty = if principal.result == Truth::Unknown { Certainty::Likely } else { Certainty::Proven };
    let mut finding = Finding::new(cause, check, certainty, summary);
    finding.expected = written;
    finding.actual = Some(principal.actual.clone());
    finding = finding.with_evidence(format!("the token's issuer is {}", evaluation.issuer)).with_evidence(format!(
        "{} names {} as {}",
        place(statement),
        listed(&principal.expected),
        principal.element
    ));
    if let Some(role) = &evaluation.role_arn {
        finding = finding.with_evidence(format!("a role trusts providers of its own account only; the role is {role}"));
    }
    finding = finding.with_fix(format!("Name the identity provider `{}` under `Federated`", principal.actual));
    finding.docs = DOCS_PROVIDER.to_owned();
    finding
}

/// Another partition, where that is wrong beside what [`finding`] tells.
fn partition(check: FoundBy, statement: &StatementEvaluation) -> Option<Finding> {
    let principal = &statement.principal;
    let near = principal.near_miss.as_ref();
    let written = near.map(|near| &near.expected).or_else(|| principal.expected.first())?;
    let (written, real) = (ProviderArn::parse(written)?, ProviderArn::parse(&principal.actual)?);
    let told = near.is_some_and(|near| near.transformation == Transformation::Partition);
    if told || written.partition == real.partition {
        return None;
    }
    let summary = format!(
        "the trust policy's principal is a provider of the partition {}, and the role is in {}",
        written.partition, real.partition
    );
    let finding = Finding::new(Cause::WrongPartition, check, Certainty::Proven, summary)
        .with_difference(real.partition, written.partition)
        .with_fix(format!("Name the identity provider `{}` under `Federated`", principal.actual));
    Some(finding)
}

/// Values as a person lists them, not too many.
fn listed(values: &[String]) -> String {
    match values {
        [] => "nobody".to_owned(),
        values if values.len() <= 4 => values.join(", "),
        values => format!("{} and {} more", values[..3].join(", "), values.len() - 3),
    }
}

#[cfg(test)]
mod tests;
