//! The correction of a trust policy for a signed caller.

use serde_json::{Value, json};

use super::document::{Document, Statement};
use super::{Correction, MOST_STEPS, NoCorrection};
use crate::domain::iam::assume::{ASSUME_ROLE, AssumeEvaluation, AssumeRequest, evaluate_assume};
use crate::domain::iam::decide::Decision;
use crate::domain::iam::evaluate::{ConditionEvaluation, StatementEvaluation};
use crate::domain::iam::operator::{Comparison, Operator};
use crate::domain::iam::policy::{Effect, Policy};
use crate::domain::iam::truth::Truth;

const EXTERNAL_ID: &str = "sts:ExternalId";

/// The caller that is to assume the role.
#[derive(Clone, Copy, Debug)]
pub struct WantedCaller<'a> {
    /// What a policy names: the ARN of the user, or of the role whose session calls.
    pub principal: &'a str,
    pub request: AssumeRequest<'a>,
}

/// Corrects the trust policy in `text` so that the caller may assume the role.
///
/// # Errors
/// Where it may already, and where no change is proven to let in only this caller.
pub fn correct_assume(text: &str, wanted: &WantedCaller<'_>) -> Result<Correction, NoCorrection> {
    let before = Document::read(text)?;
    let policy = before.policy()?;
    match evaluate_assume(&policy, &wanted.request).decision {
        Decision::Deny => {}
        Decision::Allow => return Err(NoCorrection::Allowed),
        Decision::Unknown => {
            return Err(NoCorrection::Undecidable("its decision depends on what is not known here".to_owned()));
        }
    }
    let (mut after, mut changes, mut replaced) = (before.clone(), Vec::new(), Vec::new());
    for _ in 0..MOST_STEPS {
        let evaluation = evaluate_assume(&after.policy()?, &wanted.request);
        if evaluation.decision != Decision::Deny {
            break;
        }
        let (text, old) = step(&mut after, &evaluation, wanted)?;
        changes.push(text);
        replaced.extend(old);
    }
    if !holds(&policy, &after.policy()?, wanted) {
        return Err(NoCorrection::Unproven);
    }
    Ok(Correction { before: before.into_json(), after: after.into_json(), changes, replaced, also_admits: Vec::new() })
}

/// Changes one thing; says what, and which value is there no more.
fn step(
    document: &mut Document,
    evaluation: &AssumeEvaluation,
    wanted: &WantedCaller<'_>,
) -> Result<(String, Option<String>), NoCorrection> {
    let denying = |s: &&StatementEvaluation| s.effect == Effect::Deny && s.matches == Truth::True;
    if let Some(deny) = evaluation.statements.iter().find(denying) {
        return Err(NoCorrection::Undecidable(format!("Statement[{}] denies the caller", deny.index)));
    }
    let names_callers = |s: &&StatementEvaluation| s.principal.expected.iter().any(|p| p.starts_with("AWS:"));
    let Some(meant) = evaluation.nearest_allow().filter(names_callers) else {
        let index = document.add(statement_for(wanted)).ok_or(NoCorrection::Unproven)?;
        return Ok((format!("Statement[{index}] is new and names {} alone", wanted.principal), None));
    };
    let index = meant.index;
    let change = |document: &mut Document, change: &dyn Fn(&mut Statement<'_>) -> Option<()>| {
        document.statement(index).as_mut().and_then(change).ok_or(NoCorrection::Unproven)
    };
    if meant.principal.result == Truth::False {
        if meant.principal.element != "Principal" {
            return Err(NoCorrection::Undecidable(format!("Statement[{index}] excepts the caller")));
        }
        change(document, &|s| s.add_principal("AWS", wanted.principal))?;
        return Ok((format!("in Statement[{index}] also name {}", wanted.principal), None));
    }
    let miss = meant.conditions.iter().find(|condition| condition.result == Truth::False);
    let (Some(condition), Some(id)) = (miss.filter(|c| is_external_id(c)), wanted.request.external_id) else {
        let what = miss.map_or("what is not known here", |condition| condition.key.as_str());
        return Err(NoCorrection::Undecidable(format!("Statement[{index}] also depends on {what}")));
    };
    let old = match condition.expected.as_slice() {
        [only] => Some(only.clone()),
        _ => None,
    };
    change(document, &|s| s.set_value(&condition.operator, &condition.key, old.as_deref(), id))?;
    // Whoever may read the policy knows the ids; a report need not repeat them.
    Ok((format!("in Statement[{index}] require the external id of the profile"), old))
}

fn is_external_id(condition: &ConditionEvaluation) -> bool {
    let operator = Operator::parse(&condition.operator);
    condition.key.eq_ignore_ascii_case(EXTERNAL_ID)
        && operator.comparison == Comparison::StringEquals
        && !operator.negated
}

fn statement_for(wanted: &WantedCaller<'_>) -> Value {
    let mut statement = json!({"Effect": "Allow", "Principal": {"AWS": wanted.principal}, "Action": ASSUME_ROLE});
    if let Some(id) = wanted.request.external_id {
        statement["Condition"] = json!({"StringEquals": {EXTERNAL_ID: id}});
    }
    statement
}

/// Whether the caller gets in, and no other caller and no other external id does that did not before.
fn holds(before: &Policy, after: &Policy, wanted: &WantedCaller<'_>) -> bool {
    let decide = |policy, request: &AssumeRequest<'_>| evaluate_assume(policy, request).decision;
    let own = wanted.request;
    let others: Vec<String> = strangers(wanted.principal);
    let callers = others.iter().map(|caller| AssumeRequest { caller: Some(caller), ..own });
    let ids = [None, Some("someone-else")].map(|external_id| AssumeRequest { external_id, ..own });
    let asks_for_id = wanted.request.external_id.is_some();
    decide(after, &own) != Decision::Deny
        && callers
            .chain(ids.into_iter().filter(|_| asks_for_id))
            .all(|request| decide(before, &request) != Decision::Deny || decide(after, &request) == Decision::Deny)
}

/// Other principals of the account and of another.
fn strangers(principal: &str) -> Vec<String> {
    let other = |resource: &str| {
        let head = principal.rsplit_once(':').map_or("", |(head, _)| head);
        format!("{head}:{resource}")
    };
    let elsewhere = principal.split(':').nth(4).map(|account| principal.replacen(account, "000000000000", 1));
    [other("user/someone-else"), other("role/someone-else"), other("root"), format!("{principal}-someone-else")]
        .into_iter()
        .chain(elsewhere)
        .filter(|stranger| stranger != principal)
        .collect()
}
