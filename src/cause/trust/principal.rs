//! A principal that is not the token's identity provider.

use super::{DOCS_PROVIDER, place};
use crate::cause::{Cause, Certainty, Finding};
use crate::domain::iam::{ProviderArn, StatementEvaluation, Transformation, TrustEvaluation, Truth};
use crate::domain::ids::FoundBy;

pub(super) fn finding(check: FoundBy, evaluation: &TrustEvaluation, statement: &StatementEvaluation) -> Finding {
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
pub(super) fn partition(check: FoundBy, statement: &StatementEvaluation) -> Option<Finding> {
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
pub(super) fn listed(values: &[String]) -> String {
    match values {
        [] => "nobody".to_owned(),
        values if values.len() <= 4 => values.join(", "),
        values => format!("{} and {} more", values[..3].join(", "), values.len() - 3),
    }
}
