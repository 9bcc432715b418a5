//! The least attribute condition of a workload identity provider.

use serde_json::{Map, Value, json};

use super::lists::{NoTrust, is_pattern};
use super::proof::{Least, Wanted, prove, token};
use crate::domain::gcp::{PoolProvider, Subject, evaluate};
use crate::domain::iam::Truth;

/// The characters of a condition that Google takes.
const LARGEST: usize = 4096;
/// Whose provider it is does not matter to the condition.
const PROVIDER: &str = "projects/1/locations/global/workloadIdentityPools/pool/providers/provider";

/// A condition under which the subjects of the lists exchange their tokens, and nobody else.
///
/// # Errors
/// Where the condition would be longer than Google takes, and where the proof fails.
pub fn attribute_condition(wanted: &Wanted<'_>) -> Result<Least<String>, NoTrust> {
    let condition = condition(wanted);
    let size = condition.chars().count();
    if size > LARGEST {
        return Err(NoTrust::TooLarge { size, unit: "characters", place: "a condition", limit: LARGEST });
    }
    let provider = json!({
        "name": PROVIDER,
        "oidc": { "issuerUri": wanted.issuer, "allowedAudiences": [wanted.audience] },
        "attributeMapping": { "google.subject": "assertion.sub" },
        "attributeCondition": condition,
    });
    let unproven = |why: String| NoTrust::NotAdmitted { subject: wanted.lists.admit.join(", "), why };
    let provider = PoolProvider::parse(&provider.to_string()).map_err(|error| unproven(error.to_string()))?;
    let claims = |subject: &str| token(wanted, subject);
    let decide = |claims: &Map<String, Value>| {
        let evaluation = evaluate(&provider, None, Subject { claims, unknown: &[] });
        let tests = evaluation.statements.iter().flat_map(|rule| &rule.conditions);
        let failed = tests.filter(|test| test.result != Truth::True).map(|test| test.why.clone());
        (evaluation.decision, failed.collect::<Vec<_>>().join("; "))
    };
    let notes = prove(wanted, &claims, &decide)?;
    Ok(Least { trust: condition, notes })
}

fn condition(wanted: &Wanted<'_>) -> String {
    let exact: Vec<&str> = wanted.lists.exact().collect();
    let named = (!exact.is_empty()).then(|| among(&exact));
    let by_pattern = wanted.lists.patterns().map(|pattern| {
        let refused: Vec<String> = wanted.lists.within(pattern).map(|refused| format!("!({})", one(refused))).collect();
        let all: Vec<String> = [one(pattern)].into_iter().chain(refused).collect();
        if all.len() == 1 { all.concat() } else { format!("({})", all.join(" && ")) }
    });
    named.into_iter().chain(by_pattern).collect::<Vec<_>>().join(" || ")
}

/// The subject is one of these.
fn among(subjects: &[&str]) -> String {
    match subjects {
        [only] => one(only),
        many => {
            let literals: Vec<String> = many.iter().map(|subject| literal(subject)).collect();
            format!("assertion.sub in [{}]", literals.join(", "))
        }
    }
}

/// The subject is what one entry of a list names.
fn one(listed: &str) -> String {
    match listed.strip_suffix('*') {
        _ if !is_pattern(listed) => format!("assertion.sub == {}", literal(listed)),
        Some(beginning) if !is_pattern(beginning) => {
            format!("assertion.sub.startsWith({})", literal(beginning))
        }
        _ => format!("assertion.sub.matches({})", literal(&expression(listed))),
    }
}

/// The pattern as a regular expression of RE2 that covers the whole text.
fn expression(pattern: &str) -> String {
    let mut text = "^".to_owned();
    for character in pattern.chars() {
        match character {
            '*' => text.push_str(".*"),
            '?' => text.push('.'),
            '.' | '+' | '(' | ')' | '[' | ']' | '{' | '}' | '^' | '$' | '|' | '\\' => {
                text.push('\\');
                text.push(character);
            }
            other => text.push(other),
        }
    }
    text.push('$');
    text
}

fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\\', "\\\\").replace('\'', "\\'"))
}
