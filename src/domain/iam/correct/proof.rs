//! The proof of a correction, by evaluation.

use serde_json::{Map, Value};

use super::{Subject, Wanted};
use crate::domain::iam::context::{TrustRequest, audience_at_sts, claim_name};
use crate::domain::iam::decide::{Decision, decide_trust};
use crate::domain::iam::foreign;
use crate::domain::iam::pattern::{Effort, like};
use crate::domain::iam::policy::{Effect, Policy};
use crate::domain::iam::truth::Truth;
use crate::domain::issuer::condition_key_prefix;

/// An audience that nobody registers.
const FOREIGN_AUDIENCE: &str = "https://someone-else.example";

/// A policy before and after its correction.
#[derive(Clone, Copy)]
pub struct Change<'p> {
    pub before: &'p Policy,
    pub after: &'p Policy,
    /// The subjects that the correction put others in place of.
    pub replaced: &'p [String],
}

/// Whether who is wanted gets in, no stranger does who did not before, and nobody is kept out who was not.
pub fn holds(change: Change<'_>, wanted: &Wanted<'_>) -> bool {
    let Change { before, after, .. } = change;
    // What is not at hand, such as the caller's address, stays to be decided as it was.
    decide_trust(after, &wanted.request) != Decision::Deny
        && strangers(before, after, wanted)
            .all(|stranger| admits_no_more(decide(before, wanted, &stranger), decide(after, wanted, &stranger)))
        && other_providers(wanted).all(|provider| {
            let request = TrustRequest { provider_arn: &provider, ..wanted.request };
            admits_no_more(decide_trust(before, &request), decide_trust(after, &request))
        })
        && keeps(change, wanted)
}

/// As [`holds`], and no stranger is left.
pub fn is_tight(change: Change<'_>, wanted: &Wanted<'_>) -> bool {
    let is_meant = |subject: &str| matches!(&wanted.subject, Subject::Pattern(pattern) if fits(pattern, subject));
    holds(change, wanted)
        && decide_trust(change.after, &wanted.request) == Decision::Allow
        && foreign::strangers(change.after, &wanted.request).iter().all(|stranger| is_meant(&stranger.subject))
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
    let own_audience = audience_at_sts(wanted.request.claims).unwrap_or_default();
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
fn keeps(change: Change<'_>, wanted: &Wanted<'_>) -> bool {
    let Change { before, after, replaced } = change;
    let kept = named(before, wanted).filter(|subject| !replaced.iter().any(|replaced| replaced == subject));
    kept.map(|subject| with_subject(wanted, subject)).all(|claims| {
        decide(before, wanted, &claims) != Decision::Allow || decide(after, wanted, &claims) == Decision::Allow
    })
}

/// The subjects beside the one that is meant that the policy names in full, and that only the correction lets in.
pub fn also_admitted(change: Change<'_>, wanted: &Wanted<'_>) -> Vec<String> {
    let Change { before, after, .. } = change;
    let others =
        named(after, wanted).filter(|subject| *subject != wanted.subject.text() && !subject.contains(['*', '?']));
    let mut admitted: Vec<String> = others
        .filter(|subject| {
            let claims = with_subject(wanted, subject);
            !admits_no_more(decide(before, wanted, &claims), decide(after, wanted, &claims))
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
