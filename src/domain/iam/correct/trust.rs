//! The correction of a trust policy for a web identity.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::document::{Document, Statement};
use super::proof::Change;
use super::{Correction, MOST_STEPS, NoCorrection, Subject, SubjectKnownFrom, Wanted, proof};
use crate::domain::iam::context::{WEB_IDENTITY, audience_at_sts, claim_name};
use crate::domain::iam::decide::{Decision, Refusal};
use crate::domain::iam::evaluate::{ConditionEvaluation, StatementEvaluation, TrustEvaluation, evaluate_trust};
use crate::domain::iam::key::{ImpossibleKey, KeyFault};
use crate::domain::iam::operator::{Comparison, Operator};
use crate::domain::iam::policy::{Effect, Policy};
use crate::domain::iam::transformation::Transformation;
use crate::domain::iam::truth::Truth;
use crate::domain::issuer::condition_key_prefix;

/// Corrects the trust policy in `text` so that it lets in who is wanted.
///
/// # Errors
/// Where the policy lets them in already, and where no change is proven to let in only them.
pub fn correct_trust(text: &str, wanted: &Wanted<'_>) -> Result<Correction, NoCorrection> {
    let document = Document::read(text)?;
    let before = document.policy()?;
    match evaluate_trust(&before, &wanted.request).decision {
        Decision::Deny => {}
        Decision::Allow => return Err(NoCorrection::Allowed),
        Decision::Unknown => return Err(undecidable("its decision depends on what is not known here".to_owned())),
    }
    let mut repair = Repair::of(document.clone(), wanted);
    repair.run()?;
    if !repair.is_proven(&before, proof::holds) {
        // A statement that named nobody was harmless while nothing in it fitted.
        repair.pin()?;
        if !repair.is_proven(&before, proof::holds) {
            return Err(NoCorrection::Unproven);
        }
    }
    let after = repair.document.policy()?;
    let also_admits = proof::also_admitted(repair.change_of(&before, &after), wanted);
    Ok(Correction { also_admits, ..repair.into_correction(document) })
}

/// A document on its way from wrong to right.
pub struct Repair<'w> {
    pub document: Document,
    pub replaced: Vec<String>,
    wanted: &'w Wanted<'w>,
    changes: Vec<String>,
    /// The statements that were changed so that they let somebody in.
    opened: BTreeSet<usize>,
}

impl<'w> Repair<'w> {
    pub fn of(document: Document, wanted: &'w Wanted<'w>) -> Self {
        Repair { document, replaced: Vec::new(), wanted, changes: Vec::new(), opened: BTreeSet::new() }
    }

    pub fn into_correction(self, before: Document) -> Correction {
        let Repair { document, changes, replaced, .. } = self;
        let (before, after) = (before.into_json(), document.into_json());
        Correction { before, after, changes, replaced, also_admits: Vec::new() }
    }

    /// Whether `rule` holds of the policy as it stands now.
    pub fn is_proven(&self, before: &Policy, rule: fn(Change<'_>, &Wanted<'_>) -> bool) -> bool {
        self.document.policy().is_ok_and(|after| rule(self.change_of(before, &after), self.wanted))
    }

    fn change_of<'p>(&'p self, before: &'p Policy, after: &'p Policy) -> Change<'p> {
        Change { before, after, replaced: &self.replaced }
    }

    pub fn open(&mut self, index: usize) {
        self.opened.insert(index);
    }

    /// Changes one thing after another until the policy lets them in.
    fn run(&mut self) -> Result<(), NoCorrection> {
        for _ in 0..MOST_STEPS {
            let evaluation = evaluate_trust(&self.document.policy()?, &self.wanted.request);
            if evaluation.decision != Decision::Deny {
                return Ok(());
            }
            self.step(&evaluation)?;
        }
        Err(NoCorrection::Unproven)
    }

    fn step(&mut self, evaluation: &TrustEvaluation) -> Result<(), NoCorrection> {
        if let Some(refusal) = evaluation.refusals.iter().find(|r| **r != Refusal::SubjectNotEvaluated) {
            return Err(undecidable(format!("STS refuses this token whatever the policy says: {refusal:?}")));
        }
        let denying = |s: &&StatementEvaluation| s.effect == Effect::Deny && s.matches == Truth::True;
        if let Some(deny) = evaluation.statements.iter().find(denying) {
            return self.narrow(deny);
        }
        let exchange = evaluation.actions.first().map(|action| action.decision);
        if exchange == Some(Decision::Deny) {
            return match evaluation.nearest_allow() {
                Some(nearest) if is_about_provider(nearest) => self.fit(nearest),
                _ => self.add(),
            };
        }
        if !evaluation.refusals.is_empty() {
            self.opened.extend(allowing(evaluation).map(|statement| statement.index));
            return self.pin();
        }
        let implied = evaluation.actions.iter().skip(1).find(|action| action.decision == Decision::Deny);
        let (Some(action), Some(statement)) = (implied, allowing(evaluation).next()) else {
            return Err(NoCorrection::Unproven);
        };
        self.change(statement.index, format!("{} also allow {}", place(statement.index), action.action), |s| {
            s.add_action(&action.action)
        })
    }

    /// Makes the statement fit in the first thing that does not.
    fn fit(&mut self, statement: &StatementEvaluation) -> Result<(), NoCorrection> {
        let index = statement.index;
        self.open(index);
        if statement.principal.result == Truth::False {
            return self.fit_principal(statement);
        }
        if statement.action.result == Truth::False {
            return self.fit_action(statement);
        }
        let open = |c: &&ConditionEvaluation| {
            c.result == Truth::False
                || c.result == Truth::Unknown && Operator::parse(&c.operator).comparison == Comparison::Unrecognised
        };
        match statement.conditions.iter().find(open) {
            Some(condition) => self.fit_condition(index, condition),
            None => Err(NoCorrection::Unproven),
        }
    }

    fn fit_principal(&mut self, statement: &StatementEvaluation) -> Result<(), NoCorrection> {
        let provider = self.wanted.request.provider_arn;
        let Some(near) = &statement.principal.near_miss else { return Err(NoCorrection::Unproven) };
        let text = format!("{} name the identity provider {provider} (was {})", place(statement.index), near.expected);
        if near.transformation == Transformation::PrincipalKind {
            return self.change(statement.index, text, |s| s.move_provider(&near.expected));
        }
        self.change(statement.index, text, |s| s.replace_provider(&near.expected, provider))
    }

    fn fit_action(&mut self, statement: &StatementEvaluation) -> Result<(), NoCorrection> {
        let index = statement.index;
        if statement.action.element != "Action" {
            return Err(undecidable(format!("{} lists the actions that it does not allow (NotAction)", name(index))));
        }
        // No web identity can use the action of signed callers.
        let for_others = statement.principal.expected.iter().any(|p| is_other_principal(p));
        match statement.action.expected.as_slice() {
            [only] if !for_others => {
                self.change(index, format!("{} allow {WEB_IDENTITY} (was {only})", place(index)), |s| {
                    s.replace_action(only, WEB_IDENTITY)
                })
            }
            _ => self
                .change(index, format!("{} also allow {WEB_IDENTITY}", place(index)), |s| s.add_action(WEB_IDENTITY)),
        }
    }

    fn fit_condition(&mut self, index: usize, condition: &ConditionEvaluation) -> Result<(), NoCorrection> {
        let ConditionEvaluation { operator, key, .. } = condition;
        if let Some(impossible) = &condition.impossible_key {
            return self.fit_key(index, condition, impossible);
        }
        let parsed = Operator::parse(operator);
        if parsed.negated || parsed.comparison == Comparison::Null {
            return Err(undecidable(format!("{} keeps this very token out with {operator} {key}", name(index))));
        }
        match self.claim(key).map(|claim| claim.to_ascii_lowercase()).as_deref() {
            Some("sub") => self.fit_subject(index, condition),
            Some("aud" | "oaud") => {
                let audience = condition.actual.clone().unwrap_or_default();
                let [audience] = audience.as_slice() else {
                    return Err(undecidable("the token has not one audience".to_owned()));
                };
                self.fit_value(index, condition, &Subject::Exact(audience.clone()))
            }
            _ => self.fit_claim(index, condition),
        }
    }

    /// A key that no token has: the one that was meant takes its place.
    fn fit_key(
        &mut self,
        index: usize,
        condition: &ConditionEvaluation,
        impossible: &ImpossibleKey,
    ) -> Result<(), NoCorrection> {
        let ConditionEvaluation { operator, key, .. } = condition;
        if let Some(meant) = &impossible.corrected {
            let text = format!("{} name the condition key {meant} (was {key})", place(index));
            return self.change(index, text, |s| s.rename_key(operator, key, meant));
        }
        // The provider fixes the issuer, and a web identity request has no external id: nothing is lost with them.
        if !matches!(impossible.fault, KeyFault::Issuer | KeyFault::ExternalId) {
            return Err(undecidable(format!("{} requires {key}, which no token has", name(index))));
        }
        self.change(index, format!("{} drop the condition on {key}, which no token has", place(index)), |s| {
            s.remove_condition(operator, key)
        })?;
        self.pin()
    }

    fn fit_subject(&mut self, index: usize, condition: &ConditionEvaluation) -> Result<(), NoCorrection> {
        let near = condition.near_miss.as_ref();
        // Both forms of one repository's subject: it may be moving from one to the other.
        let both = near.is_some_and(|n| {
            matches!(n.transformation, Transformation::ImmutableSubject | Transformation::NameSubject)
        });
        let subject = self.wanted.subject.clone();
        if both {
            return self.change(index, accepts_too(index, &condition.key, subject.text()), |s| {
                s.set_value(&condition.operator, &condition.key, None, subject.text())
            });
        }
        self.fit_value(index, condition, &subject)
    }

    /// Any other claim: only what people overlook in a text is put right, since the profile says nothing of its value.
    fn fit_claim(&mut self, index: usize, condition: &ConditionEvaluation) -> Result<(), NoCorrection> {
        let near = condition.near_miss.as_ref();
        match condition.actual.as_deref() {
            Some([actual]) if near.is_some_and(|near| is_slip(near.transformation)) => {
                self.fit_value(index, condition, &Subject::Exact(actual.clone()))
            }
            _ => Err(undecidable(format!(
                "{} requires {} = {}, which says which of the subject's tokens may have the role",
                name(index),
                condition.key,
                condition.expected.join(" or ")
            ))),
        }
    }

    /// Puts the value that is meant in place of the one that was to be it, or beside the others.
    fn fit_value(
        &mut self,
        index: usize,
        condition: &ConditionEvaluation,
        value: &Subject,
    ) -> Result<(), NoCorrection> {
        let ConditionEvaluation { operator, key, expected, .. } = condition;
        let fits = takes(operator, value);
        let slip = condition.near_miss.as_ref().filter(|near| is_slip(near.transformation));
        let old = match (slip, expected.as_slice()) {
            (Some(near), _) => Some(near.expected.clone()),
            (None, [only]) if self.wanted.known_from == SubjectKnownFrom::Profile || !fits => Some(only.clone()),
            _ => None,
        };
        let text = match &old {
            Some(old) => format!("{} require {key} = {} (was {old})", place(index), value.text()),
            None => accepts_too(index, key, value.text()),
        };
        let keeps_others = expected.len() > usize::from(old.is_some());
        match (fits, keeps_others) {
            (true, _) => self.change(index, text, |s| s.set_value(operator, key, old.as_deref(), value.text()))?,
            (false, false) => self.change(index, text, |s| {
                s.remove_condition(operator, key)?;
                s.require(value.operator(), key, value.text())
            })?,
            (false, true) => {
                return Err(undecidable(format!("{} compares {key} with several values by {operator}", name(index))));
            }
        }
        self.replaced.extend(old);
        Ok(())
    }

    /// Takes who is wanted out of a Deny that is about subjects or audiences alone.
    fn narrow(&mut self, deny: &StatementEvaluation) -> Result<(), NoCorrection> {
        let index = deny.index;
        let claims: Vec<_> = deny
            .conditions
            .iter()
            .map(|c| self.claim(&c.key).map(str::to_ascii_lowercase).unwrap_or_default())
            .collect();
        let about_tokens = !claims.is_empty() && claims.iter().all(|claim| claim == "sub" || claim == "aud");
        if !about_tokens || deny.principal.element != "Principal" {
            return Err(undecidable(format!("{} denies the token for more than its subject", name(index))));
        }
        let excepting = deny.conditions.iter().zip(&claims).find(|(condition, _)| {
            matches!(condition.operator.as_str(), "StringNotEquals" | "StringNotLike") && condition.actual.is_some()
        });
        if let Some((condition, claim)) = excepting {
            let value = if claim == "sub" {
                self.wanted.subject.text().to_owned()
            } else {
                condition.actual.clone().unwrap_or_default().concat()
            };
            let text = format!("{} also except {} = {value} from what is denied", place(index), condition.key);
            return self.change(index, text, |s| s.set_value(&condition.operator, &condition.key, None, &value));
        }
        let Some(about_subject) = deny.conditions.iter().zip(&claims).find(|(_, claim)| *claim == "sub") else {
            return Err(undecidable(format!("{} denies the token's audience", name(index))));
        };
        let (key, subject) = (about_subject.0.key.clone(), self.wanted.subject.clone());
        let text = format!("{} except {key} = {} from what is denied", place(index), subject.text());
        self.change(index, text, |s| s.require(subject.negated_operator(), &key, subject.text()))
    }

    /// A statement for a provider that none names.
    fn add(&mut self) -> Result<(), NoCorrection> {
        if self.wanted.known_from == SubjectKnownFrom::Token {
            return Err(undecidable("no statement names the token's identity provider".to_owned()));
        }
        let Some(statement) = statement_for(self.wanted) else {
            return Err(undecidable("the token has not one audience".to_owned()));
        };
        let Some(index) = self.document.add(statement) else { return Err(NoCorrection::Unproven) };
        self.open(index);
        self.changes.push(format!("{} is new and accepts {} alone", name(index), self.wanted.subject.text()));
        Ok(())
    }

    /// Lets the opened statements demand the subject and the audience that are meant.
    pub fn pin(&mut self) -> Result<(), NoCorrection> {
        let subject = self.wanted.subject.clone();
        for index in self.opened.clone() {
            self.demand(index, "sub", &subject)?;
            if let Some(audience) = audience_at_sts(self.wanted.request.claims) {
                self.demand(index, "aud", &Subject::Exact(audience))?;
            }
        }
        Ok(())
    }

    /// Adds a condition on a claim, unless the statement has just this one.
    pub fn demand(&mut self, index: usize, claim: &str, value: &Subject) -> Result<(), NoCorrection> {
        let key = format!("{}:{claim}", condition_key_prefix(self.wanted.request.issuer()));
        let policy = self.document.policy()?;
        let has = policy.statements.get(index).is_some_and(|statement| {
            statement.conditions.iter().any(|c| {
                c.key.eq_ignore_ascii_case(&key)
                    && c.operator == Operator::parse(value.operator())
                    && c.expected.iter().any(|e| e.text == value.text())
            })
        });
        if has {
            return Ok(());
        }
        let text = format!("{} also require {key} = {}", place(index), value.text());
        self.change(index, text, |s| s.require(value.operator(), &key, value.text()))
    }

    pub fn change(
        &mut self,
        index: usize,
        text: String,
        change: impl FnOnce(&mut Statement<'_>) -> Option<()>,
    ) -> Result<(), NoCorrection> {
        self.document.statement(index).as_mut().and_then(change).ok_or(NoCorrection::Unproven)?;
        self.changes.push(text);
        Ok(())
    }

    /// The claim that a key stands for.
    pub fn claim<'k>(&self, key: &'k str) -> Option<&'k str> {
        claim_name(key, condition_key_prefix(self.wanted.request.issuer()))
    }
}

/// Whether a statement is about the token's provider, written right or nearly.
fn is_about_provider(statement: &StatementEvaluation) -> bool {
    statement.principal.element == "Principal"
        && (statement.principal.result == Truth::True || statement.principal.near_miss.is_some())
}

fn is_other_principal(principal: &str) -> bool {
    ["AWS:", "Service:", "CanonicalUser:"].iter().any(|kind| principal.starts_with(kind)) || principal == "*"
}

fn allowing(evaluation: &TrustEvaluation) -> impl Iterator<Item = &StatementEvaluation> {
    evaluation.statements.iter().filter(|s| s.effect == Effect::Allow && s.matches == Truth::True)
}

/// Whether the operator compares with the value as it is meant.
fn takes(operator: &str, value: &Subject) -> bool {
    let has_wildcards = value.text().contains(['*', '?']);
    match (Operator::parse(operator).comparison, value) {
        (Comparison::StringEquals, Subject::Exact(_)) | (Comparison::StringLike, Subject::Pattern(_)) => true,
        (Comparison::StringLike, Subject::Exact(_)) | (Comparison::StringEquals, Subject::Pattern(_)) => !has_wildcards,
        _ => false,
    }
}

/// What a statement asks for that lets in who is wanted, and nobody else.
fn statement_for(wanted: &Wanted<'_>) -> Option<Value> {
    let prefix = condition_key_prefix(wanted.request.issuer());
    let mut conditions = json!({"StringEquals": {format!("{prefix}:aud"): audience_at_sts(wanted.request.claims)?}});
    conditions[wanted.subject.operator()][format!("{prefix}:sub")] = json!(wanted.subject.text());
    let actions: Vec<&str> = std::iter::once(WEB_IDENTITY).chain(wanted.request.implied_actions()).collect();
    let action = if let [only] = actions.as_slice() { json!(only) } else { json!(actions) };
    Some(json!({
        "Effect": "Allow",
        "Principal": {"Federated": wanted.request.provider_arn},
        "Action": action,
        "Condition": conditions,
    }))
}

/// A value that was meant to be the right one, and that nobody else has.
const fn is_slip(transformation: Transformation) -> bool {
    matches!(
        transformation,
        Transformation::Text(_) | Transformation::WildcardUnderEquals | Transformation::ClaimsSwapped
    )
}

fn accepts_too(index: usize, key: &str, value: &str) -> String {
    format!("{} also accept {key} = {value}", place(index))
}

fn name(index: usize) -> String {
    format!("Statement[{index}]")
}

/// Before what is to be done there.
fn place(index: usize) -> String {
    format!("in Statement[{index}]")
}

fn undecidable(why: String) -> NoCorrection {
    NoCorrection::Undecidable(why)
}
