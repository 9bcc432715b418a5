//! The proof of a correction, by evaluation.

use serde_json::{Map, Value};

use super::document::Document;
use super::trust::{Repair, audience};
use super::{Correction, NoCorrection, Subject, Wanted};
use crate::domain::iam::context::{TrustRequest, claim_name};
use crate::domain::iam::decide::{Decision, decide_trust};
use crate::domain::iam::evaluate::{StatementEvaluation, evaluate_trust};
use crate::domain::iam::foreign;
use crate::domain::iam::operator::{Comparison, Operator};
use crate::domain::iam::pattern::{Effort, like};
use crate::domain::iam::policy::{Effect, Policy};
use crate::domain::iam::truth::Truth;
use crate::domain::issuer::condition_key_prefix;

/// An audience that nobody registers.
const FOREIGN_AUDIENCE: &str = "https://someone-else.example";

/// Whether who is wanted gets in, no stranger does who did not before, and nobody is kept out who was not.
pub fn holds(before: &Policy, repair: &Repair<'_>, wanted: &Wanted<'_>) -> bool {
    let Ok(after) = repair.document.policy() else { return false };
    // What is not at hand, such as the caller's address, stays to be decided as it was.
    decide_trust(&after, &wanted.request) != Decision::Deny
        && strangers(before, &after, wanted)
            .all(|stranger| admits_no_more(decide(before, wanted, &stranger), decide(&after, wanted, &stranger)))
        && other_providers(wanted).all(|provider| {
            let request = TrustRequest { provider_arn: &provider, ..wanted.request };
            admits_no_more(decide_trust(before, &request), decide_trust(&after, &request))
        })
        && keeps(before, &after, repair, wanted)
}

/// As [`holds`], and no stranger is left.
pub fn is_tight(before: &Policy, repair: &Repair<'_>, wanted: &Wanted<'_>) -> bool {
    let Ok(after) = repair.document.policy() else { return false };
    let is_meant = |subject: &str| matches!(&wanted.subject, Subject::Pattern(pattern) if fits(pattern, subject));
    holds(before, repair, wanted)
        && decide_trust(&after, &wanted.request) == Decision::Allow
        && foreign::strangers(&after, &wanted.request).iter().all(|stranger| is_meant(&stranger.subject))
}

const fn admits_no_more(before: Decision, after: Decision) -> bool {
    matches!((before, after), (_, Decision::Deny) | (Decision::Allow, _) | (Decision::Unknown, Decision::Unknown))
}

fn decide(policy: &Policy, wanted: &Wanted<'_>, claims: &Map<String, Value>) -> Decision {
    decide_trust(policy, &TrustRequest { claims, ..wanted.request })
}

/// Tokens that are not meant: those of strangers, with each audience that counts, and the subject's own for another
/// audience or with a subject that only looks like it.
fn strangers(before: &Policy, after: &Policy, wanted: &Wanted<'_>) -> impl Iterator<Item = Map<String, Value>> {
    let own = wanted.request.claims;
    let mut subjects = foreign::tokens(before, &wanted.request);
    subjects.extend(foreign::tokens(after, &wanted.request));
    subjects.extend(look_alikes(wanted.subject.text()).iter().map(|subject| with_subject(wanted, subject)));
    let mut nobody = own.clone();
    nobody.remove("sub");
    subjects.push(nobody);
    let subject = wanted.subject.clone();
    subjects.retain(move |claims| {
        let text = claims.get("sub").and_then(Value::as_str);
        !text.is_some_and(|text| match &subject {
            Subject::Exact(own) => own == text,
            Subject::Pattern(pattern) => fits(pattern, text),
        })
    });
    let own_audience = audience(&wanted.request).unwrap_or_default().to_owned();
    let foreign_audience = with_audience(own, FOREIGN_AUDIENCE);
    subjects
        .into_iter()
        .flat_map(move |claims| [with_audience(&claims, &own_audience), with_audience(&claims, FOREIGN_AUDIENCE)])
        .chain([foreign_audience])
}

fn with_audience(claims: &Map<String, Value>, audience: &str) -> Map<String, Value> {
    let mut claims = claims.clone();
    claims.remove("azp");
    claims.insert("aud".to_owned(), Value::from(audience));
    claims
}

/// Texts that a careless comparison takes for `subject`.
fn look_alikes(subject: &str) -> Vec<String> {
    let cut: String = subject.chars().take(subject.chars().count().saturating_sub(1)).collect();
    vec![
        subject.to_uppercase(),
        subject.to_lowercase(),
        format!("{subject}-someone-else"),
        format!("someone-else-{subject}"),
        cut,
    ]
}

fn other_providers(wanted: &Wanted<'_>) -> impl Iterator<Item = String> {
    let own = wanted.request.provider_arn;
    let account = own.split(':').nth(4).filter(|account| !account.is_empty());
    let elsewhere = account.map(|account| own.replacen(account, "000000000000", 1));
    [Some(format!("{own}.example")), elsewhere].into_iter().flatten().filter(move |other| other != own)
}

/// Whether the subjects that the policy names in full, and that get in, still do.
fn keeps(before: &Policy, after: &Policy, repair: &Repair<'_>, wanted: &Wanted<'_>) -> bool {
    let kept = named(before, wanted).filter(|subject| !repair.replaced.iter().any(|replaced| replaced == subject));
    kept.map(|subject| with_subject(wanted, subject)).all(|claims| {
        decide(before, wanted, &claims) != Decision::Allow || decide(after, wanted, &claims) == Decision::Allow
    })
}

/// The subjects beside the one that is meant that the policy names in full, and that only the correction lets in.
pub fn also_admitted(before: &Policy, repair: &Repair<'_>, wanted: &Wanted<'_>) -> Vec<String> {
    let Ok(after) = repair.document.policy() else { return Vec::new() };
    let others =
        named(&after, wanted).filter(|subject| *subject != wanted.subject.text() && !subject.contains(['*', '?']));
    let mut admitted: Vec<String> = others
        .filter(|subject| {
            let claims = with_subject(wanted, subject);
            !admits_no_more(decide(before, wanted, &claims), decide(&after, wanted, &claims))
        })
        .map(str::to_owned)
        .collect();
    admitted.sort_unstable();
    admitted.dedup();
    admitted
}

/// What the allowing statements compare subjects with.
fn named<'p>(policy: &'p Policy, wanted: &Wanted<'_>) -> impl Iterator<Item = &'p str> {
    let prefix = condition_key_prefix(wanted.request.issuer()).to_owned();
    let allowing = policy.statements.iter().filter(|statement| statement.effect == Effect::Allow);
    let about_subjects = allowing.flat_map(|statement| &statement.conditions).filter(move |condition| {
        claim_name(&condition.key, &prefix).is_some_and(|claim| claim.eq_ignore_ascii_case("sub"))
    });
    about_subjects.flat_map(|condition| &condition.expected).map(|expected| expected.text.as_str()).take(MOST_NAMED)
}

fn with_subject(wanted: &Wanted<'_>, subject: &str) -> Map<String, Value> {
    let mut claims = wanted.request.claims.clone();
    claims.insert("sub".to_owned(), Value::from(subject));
    claims
}

/// More subjects than a policy within IAM's quotas can name.
const MOST_NAMED: usize = 512;

fn fits(pattern: &str, text: &str) -> bool {
    like(pattern, text, &Effort::full()) == Truth::True
}

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
    if !is_tight(&before, &repair, wanted) {
        for statement in &wide {
            repair.demand(statement.index, "sub", &wanted.subject)?;
        }
        if !is_tight(&before, &repair, wanted) {
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
