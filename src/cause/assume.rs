//! What a trust policy at hand says to a signed caller, as findings.

use super::{Cause, Certainty, Finding};
use crate::domain::iam::{AssumeEvaluation, ConditionEvaluation, Effect, StatementEvaluation, Truth};
use crate::domain::ids::FoundBy;
use crate::domain::profile::key::Key;

/// Why the policy does not let the caller assume the role; none where it does, or where that cannot be told.
pub fn findings(check: FoundBy, evaluation: &AssumeEvaluation) -> Vec<Finding> {
    let proven = |cause, summary: &str| Finding::new(cause, check, Certainty::Proven, summary);
    let denying = |s: &&StatementEvaluation| s.effect == Effect::Deny && s.matches == Truth::True;
    if let Some(deny) = evaluation.statements.iter().find(denying) {
        let summary = "a Deny statement of the role's trust policy fits the caller";
        return vec![proven(Cause::ExplicitDeny, summary).with_evidence(format!("it is Statement[{}]", deny.index))];
    }
    let Some(meant) = evaluation.nearest_allow() else {
        let (cause, summary) = if evaluation.takes_tokens {
            (Cause::WrongFlow, "the role's trust policy lets web identities in, and no signed caller")
        } else {
            (Cause::AssumeRoleDenied, "no statement of the role's trust policy allows sts:AssumeRole")
        };
        return vec![proven(cause, summary)];
    };
    let mut findings: Vec<Finding> = misses(meant).map(|condition| of_condition(check, condition)).collect();
    if meant.principal.result == Truth::False {
        let summary = "the role's trust policy names neither the caller nor its account";
        let caller = evaluation.caller.clone().unwrap_or_default();
        let expected = meant.principal.expected.join(", ");
        findings.insert(0, proven(Cause::AssumeRoleDenied, summary).with_difference(expected, caller));
    }
    findings
}

fn misses(statement: &StatementEvaluation) -> impl Iterator<Item = &ConditionEvaluation> {
    statement.conditions.iter().filter(|condition| condition.result == Truth::False)
}

fn of_condition(check: FoundBy, condition: &ConditionEvaluation) -> Finding {
    let finding = |cause, summary: String| Finding::new(cause, check, Certainty::Proven, summary);
    if condition.key.eq_ignore_ascii_case("sts:ExternalId") {
        let summary = match condition.actual {
            None => "the role asks for an external id, and none is sent",
            Some(_) => "the role asks for another external id than the one that is sent",
        };
        // Whoever may read the policy knows the id; a report need not repeat it.
        return finding(Cause::ExternalId, summary.to_owned())
            .about(Key::ExternalId)
            .with_evidence("the trust policy has a condition on sts:ExternalId");
    }
    let actual = condition.actual.as_ref().map_or_else(|| "nothing".to_owned(), |values| values.join(", "));
    finding(Cause::ClaimMismatch, format!("a condition of the role's trust policy is not met: {}", condition.key))
        .with_difference(condition.expected.join(", "), actual)
        .with_evidence(condition.why.clone())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::iam::{AssumeRequest, Policy, evaluate_assume};
    use crate::domain::ids::CheckId;

    fn causes(statement: &str, caller: &str) -> Vec<Cause> {
        let policy = Policy::parse(&format!("{{\"Statement\": [{statement}]}}")).unwrap();
        let request = AssumeRequest { caller: Some(caller), external_id: Some("sent"), session_name: None };
        findings(CheckId::AwsAssumeRole.into(), &evaluate_assume(&policy, &request)).iter().map(|f| f.cause).collect()
    }

    #[test]
    fn each_part_of_a_statement_has_its_cause() {
        let ours = "arn:aws:iam::123456789012:user/reader";
        let allow = |principal: &str, condition: &str| {
            format!(
                r#"{{"Effect": "Allow", "Principal": {principal}, "Action": "sts:AssumeRole", "Condition": {condition}}}"#
            )
        };
        let account = r#"{"AWS": "123456789012"}"#;
        for (statement, causes_wanted) in [
            (allow(account, "{}"), vec![]),
            (allow(r#"{"AWS": "210987654321"}"#, "{}"), vec![Cause::AssumeRoleDenied]),
            (allow(account, r#"{"StringEquals": {"sts:ExternalId": "ours"}}"#), vec![Cause::ExternalId]),
            (allow(account, r#"{"StringEquals": {"aws:PrincipalAccount": "2"}}"#), vec![Cause::ClaimMismatch]),
            (
                r#"{"Effect": "Allow", "Principal": {"Federated": "x"}, "Action": "sts:AssumeRoleWithWebIdentity"}"#
                    .to_owned(),
                vec![Cause::WrongFlow],
            ),
            (r#"{"Effect": "Deny", "Principal": "*", "Action": "sts:*"}"#.to_owned(), vec![Cause::ExplicitDeny]),
        ] {
            assert_eq!(causes(&statement, ours), causes_wanted, "{statement}");
        }
    }
}
