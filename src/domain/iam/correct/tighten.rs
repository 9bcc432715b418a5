//! A trust that lets in too many, narrowed to who is wanted.

use super::document::Document;
use super::proof::is_tight;
use super::trust::Repair;
use super::{Correction, NoCorrection, Wanted};
use crate::domain::iam::decide::Decision;
use crate::domain::iam::evaluate::{StatementEvaluation, evaluate_trust};
use crate::domain::iam::operator::{Comparison, Operator};
use crate::domain::iam::policy::Effect;
use crate::domain::iam::truth::Truth;

/// Narrows the statements that let in who is wanted until they let in nobody else.
///
/// # Errors
/// Where they are not let in, and where strangers come in another way.
pub fn tighten_trust(text: &str, wanted: &Wanted<'_>) -> Result<Correction, NoCorrection> {
    let document = Document::read(text)?;
    let before = document.policy()?;
    let evaluation = evaluate_trust(&before, &wanted.request);
    if evaluation.decision != Decision::Allow {
        return Err(NoCorrection::Undecidable("the policy does not let them in".to_owned()));
    }
    let wide: Vec<&StatementEvaluation> =
        evaluation.statements.iter().filter(|s| s.effect == Effect::Allow && s.matches == Truth::True).collect();
    let mut repair = Repair::of(document.clone(), wanted);
    for statement in &wide {
        narrow(&mut repair, statement, wanted)?;
    }
    if !repair.is_proven(&before, is_tight) {
        for statement in &wide {
            repair.demand(statement.index, "sub", &wanted.subject)?;
        }
        if !repair.is_proven(&before, is_tight) {
            return Err(NoCorrection::Unproven);
        }
    }
    Ok(repair.into_correction(document))
}

/// Puts the subject in place of the patterns that fit it; one that no condition is about is asked for.
fn narrow(repair: &mut Repair<'_>, statement: &StatementEvaluation, wanted: &Wanted<'_>) -> Result<(), NoCorrection> {
    let index = statement.index;
    let pattern = statement.conditions.iter().find(|condition| {
        let operator = Operator::parse(&condition.operator);
        repair.claim(&condition.key).is_some_and(|claim| claim.eq_ignore_ascii_case("sub"))
            && operator.comparison == Comparison::StringLike
            && !operator.negated
    });
    let Some(condition) = pattern else { return repair.demand(index, "sub", &wanted.subject) };
    let (operator, key) = (&condition.operator, &condition.key);
    let subject = wanted.subject.text();
    match condition.expected.as_slice() {
        [only] => {
            let text = format!("in Statement[{index}] require {key} = {subject} (was {only})");
            repair.change(index, text, |s| s.remove_condition(operator, key))?;
            repair
                .document
                .statement(index)
                .and_then(|mut s| s.require(wanted.subject.operator(), key, subject))
                .ok_or(NoCorrection::Unproven)?;
            repair.replaced.push(only.clone());
            Ok(())
        }
        _ => repair.demand(index, "sub", &wanted.subject),
    }
}
