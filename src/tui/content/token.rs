//! The token: its signature, header and claims, what each means, and what each side expects of it.

use serde_json::Value;

use super::{Rows, Show, heading, labelled};
use crate::cause::Cause;
use crate::check::{CheckId, Outcome};
use crate::domain::profile::Guide;
use crate::domain::signature::SignatureState;
use crate::domain::timestamp::{in_words, rfc3339};
use crate::domain::token::DecodedToken;
use crate::run::report::Report;
use crate::tui::inputs::Clock;
use crate::tui::model::Model;
use crate::tui::model::token::Shown;
use crate::tui::text::{Ink, Line, cut};

/// A row of the table.
#[derive(Clone, Debug, PartialEq)]
pub enum Field {
    Signature,
    Header(String, Value),
    Claim(String, Value),
}

/// The token to show.
pub fn shown(model: &Model) -> Option<Shown> {
    model.token.shown(model.runs.shown().map(|run| (run.number, &run.report)))
}

/// Seconds until the token expires, below zero where it has; `None` where there is no token or it has no end.
pub fn remaining(model: &Model) -> Option<i64> {
    if model.replay.is_some() {
        return None;
    }
    shown(model)?.token.expires_at()?.checked_sub(model.now_ms.div_euclid(1000))
}

/// Time left as a clock shows it: `41:07`, `2:05:09`.
pub fn countdown(seconds: i64) -> String {
    match seconds {
        0..3600 => format!("{}:{:02}", seconds / 60, seconds % 60),
        _ => format!("{}:{:02}:{:02}", seconds / 3600, seconds % 3600 / 60, seconds % 60),
    }
}

/// The rows of the table.
pub fn fields(token: &DecodedToken) -> Vec<Field> {
    let mut fields = vec![Field::Signature];
    let pairs = |map: &Option<serde_json::Map<String, Value>>| -> Vec<(String, Value)> {
        map.iter().flatten().map(|(name, value)| (name.clone(), value.clone())).collect()
    };
    fields.extend(pairs(&token.claims).into_iter().map(|(name, value)| Field::Claim(name, value)));
    fields.extend(pairs(&token.header).into_iter().map(|(name, value)| Field::Header(name, value)));
    fields
}

/// The table.
pub fn rows(model: &Model) -> Rows<'_> {
    let shown = shown(model);
    let fields = shown.as_ref().map(|shown| fields(&shown.token)).unwrap_or_default();
    let names = fields.iter().map(|field| name(field).chars().count()).max().unwrap_or(0).clamp(9, 22);
    let count = fields.len();
    let line = move |at: usize, width: usize| match (fields.get(at), &shown) {
        (Some(field), Some(shown)) => row(model, shown, field, names, width),
        _ => Line::empty(),
    };
    Rows { count, line: Box::new(line) }
}

fn name(field: &Field) -> &str {
    match field {
        Field::Signature => "signature",
        Field::Header(name, _) | Field::Claim(name, _) => name,
    }
}

fn row(model: &Model, shown: &Shown, field: &Field, names: usize, width: usize) -> Line {
    let show = Show::of(model);
    if width == usize::MAX {
        let value = match field {
            Field::Signature => shown.signature.reason.clone(),
            Field::Header(_, value) | Field::Claim(_, value) => value.to_string(),
        };
        return Line::of(Ink::Plain, format!("{} {value} {}", name(field), meaning(name(field))));
    }
    let (sign, ink) = verdict(model, shown, field)
        .map_or((" ", Ink::Plain), |outcome| (show.glyphs.outcome(outcome), super::chain::outcome_ink(outcome)));
    let mut line = Line::of(ink, sign).with(Ink::Plain, " ");
    line.push(Ink::Muted, cut(&show_name(field), names, show.glyphs.ellipsis));
    line.pad_to(names + 3);
    match field {
        Field::Signature => {
            let (word, ink) = signature_word(shown.signature.state);
            line.push(ink, word);
            line.push(Ink::Muted, format!(" {} {}", show.glyphs.dot, show.prose(&shown.signature.reason)));
        }
        Field::Header(_, value) => line.push(Ink::Plain, show_value(show, value)),
        Field::Claim(name, value) => {
            if let Some(at) = time_of(name, value) {
                line.push(Ink::Plain, moment(model, at));
                line.push(Ink::Muted, format!("  {}", relative(model, at)));
            } else {
                line.push(Ink::Plain, show_value(show, value));
                // The meaning stands behind the value where there is room for both.
                let used = line.width();
                let meaning = meaning(name);
                if used + 3 + meaning.chars().count() <= width && !meaning.is_empty() {
                    line.push(Ink::Plain, " ".repeat(width - used - meaning.chars().count()));
                    line.push(Ink::Muted, meaning);
                }
            }
        }
    }
    line.cut(width, show.glyphs.ellipsis)
}

fn show_name(field: &Field) -> String {
    crate::domain::text::visible(name(field)).into_owned()
}

fn show_value(show: Show, value: &Value) -> String {
    match value {
        Value::String(text) => show.value(text),
        value => show.value(&value.to_string()),
    }
}

/// A signature's state in a word, and its ink.
pub fn signature_word(state: SignatureState) -> (&'static str, Ink) {
    match state {
        SignatureState::Verified => ("verified", Ink::Good),
        SignatureState::Failed => ("failed", Ink::Bad),
        SignatureState::NotChecked => ("not checked", Ink::Warning),
        SignatureState::CannotCheck => ("cannot check", Ink::Warning),
    }
}

fn time_of(name: &str, value: &Value) -> Option<i64> {
    matches!(name, "exp" | "iat" | "nbf" | "auth_time" | "updated_at").then(|| value.as_i64()).flatten()
}

/// A time of day in the clock that is chosen.
pub fn moment(model: &Model, at: i64) -> String {
    let (offset, zone) = match (model.look.clock, model.inputs.utc_offset_s) {
        (Clock::Local, Some(offset)) => (i64::from(offset), zone(offset)),
        _ => (0, "UTC".to_owned()),
    };
    match at.checked_add(offset).and_then(rfc3339) {
        Some(text) => format!("{} {zone}", text.trim_end_matches('Z').replacen('T', " ", 1)),
        None => format!("{at} (no date)"),
    }
}

fn zone(offset_s: i32) -> String {
    let (sign, minutes) = (if offset_s < 0 { '-' } else { '+' }, offset_s.unsigned_abs() / 60);
    format!("{sign}{:02}:{:02}", minutes / 60, minutes % 60)
}

fn relative(model: &Model, at: i64) -> String {
    if model.replay.is_some() {
        return String::new();
    }
    let away = at.saturating_sub(model.now_ms.div_euclid(1000));
    if away >= 0 {
        format!("in {}", in_words(away.unsigned_abs()))
    } else {
        format!("{} ago", in_words(away.unsigned_abs()))
    }
}

/// What a claim or header parameter means, in a few words.
fn meaning(name: &str) -> &'static str {
    match name {
        "iss" => "who signed it",
        "sub" => "whom it speaks for",
        "aud" => "whom it is meant for",
        "azp" => "whom it was issued to",
        "exp" => "valid until",
        "nbf" => "valid from",
        "iat" => "issued at",
        "jti" => "its own id",
        "alg" => "how it is signed",
        "kid" => "which key signed it",
        "typ" => "what it is",
        "x5t" | "x5t#S256" => "the key's certificate",
        "tid" => "Entra directory",
        "oid" => "Entra object",
        "appid" => "Entra application",
        "scp" | "scope" => "delegated rights",
        "roles" => "application roles",
        "repository" => "GitHub repository",
        "repository_id" | "repository_owner_id" => "GitHub's immutable id",
        "repository_owner" => "GitHub organization",
        "ref" => "git ref",
        "environment" => "deployment environment",
        "workflow" | "job_workflow_ref" => "GitHub workflow",
        "actor" => "who started it",
        "event_name" => "what started it",
        "project_path" | "namespace_path" => "GitLab path",
        "project_id" | "namespace_id" => "GitLab id",
        "organization_id" | "organization" | "org_id" => "organization",
        "https://aws.amazon.com/tags" => "session tags",
        "https://aws.amazon.com/roles" => "roles it may assume",
        "oidc.circleci.com/project-id" => "CircleCI project",
        "oidc.circleci.com/context-ids" => "CircleCI contexts",
        _ => "",
    }
}

/// What one side expects of a claim, and whether it is met.
pub struct Expectation {
    pub side: &'static str,
    pub expects: String,
    /// `None` where it is not known.
    pub outcome: Option<Outcome>,
}

/// The causes that are about a claim.
fn causes_of(name: &str) -> &'static [Cause] {
    match name {
        "iss" => &[Cause::IssMismatch, Cause::IssuerDiffers, Cause::ProviderMissing],
        "sub" => &[Cause::SubMismatch, Cause::SubCaseMismatch, Cause::ImmutableSub, Cause::SubjectTooLong],
        "aud" => &[Cause::AudMismatch, Cause::AudNotRegistered, Cause::AudMultiWithoutAzp],
        "azp" => &[Cause::AudNotRegistered, Cause::AudMultiWithoutAzp],
        "exp" => &[Cause::TokenExpired, Cause::TokenLifetimeTooLong],
        "iat" | "nbf" => &[Cause::ClockSkew],
        "kid" => &[Cause::JwksKidMissing],
        "alg" => &[Cause::AlgUnsupported],
        "https://aws.amazon.com/roles" => &[Cause::RolesClaim],
        _ => &[],
    }
}

/// What each side expects of a field.
pub fn expectations(model: &Model, shown: &Shown, field: &Field) -> Vec<Expectation> {
    let mut list = Vec::new();
    let now = model.now_ms.div_euclid(1000);
    let run = model.runs.shown().filter(|_| model.token.pasted.is_none());
    let profile = model.runs.shown().and_then(|run| run.profile.as_deref());
    let met = |holds: bool| Some(if holds { Outcome::Pass } else { Outcome::Fail });
    let claim = name(field);
    match field {
        Field::Signature => list.push(Expectation {
            side: "issuer",
            expects: "one of its published keys made the signature".to_owned(),
            outcome: match shown.signature.state {
                SignatureState::Verified => Some(Outcome::Pass),
                SignatureState::Failed => Some(Outcome::Fail),
                SignatureState::CannotCheck => Some(Outcome::Inconclusive),
                SignatureState::NotChecked => None,
            },
        }),
        Field::Header(name, value) if name == "alg" => list.push(Expectation {
            side: "cloud",
            expects: "RS256, RS384, RS512, ES256, ES384 or ES512".to_owned(),
            outcome: met(value
                .as_str()
                .is_some_and(|alg| matches!(alg, "RS256" | "RS384" | "RS512" | "ES256" | "ES384" | "ES512"))),
        }),
        Field::Claim(name, value) => match (name.as_str(), value) {
            ("iss", Value::String(iss)) => {
                if let Some(expected) = profile.and_then(|p| p.issuer_url.as_deref()) {
                    list.push(Expectation {
                        side: "profile",
                        expects: expected.to_owned(),
                        outcome: met(expected == iss),
                    });
                }
            }
            ("aud", _) => {
                let expected = profile.and_then(|p| match p.guide {
                    Guide::AzureWorkloadIdentity => Some("api://AzureADTokenExchange".to_owned()),
                    guide if guide.is_aws_web_identity() => p.aws.audience.clone(),
                    _ => None,
                });
                if let Some(expected) = expected {
                    let holds = shown.token.audiences().contains(&expected.as_str());
                    list.push(Expectation { side: "cloud", expects: expected, outcome: met(holds) });
                }
            }
            ("exp", value) if model.replay.is_none() => {
                let holds = value.as_i64().map(|at| at > now);
                list.push(Expectation {
                    side: "clock",
                    expects: "to lie ahead".to_owned(),
                    outcome: holds.and_then(met),
                });
            }
            ("nbf" | "iat", value) if model.replay.is_none() => {
                let holds = value.as_i64().map(|at| at <= now);
                list.push(Expectation {
                    side: "clock",
                    expects: "to lie behind".to_owned(),
                    outcome: holds.and_then(met),
                });
            }
            _ => {}
        },
        Field::Header(..) => {}
    }
    if let Some(run) = run {
        list.extend(from_findings(&run.report, claim));
    }
    list
}

fn from_findings(report: &Report, claim: &str) -> Vec<Expectation> {
    let causes = causes_of(claim);
    let mut list: Vec<Expectation> = report
        .findings
        .iter()
        .filter(|found| causes.contains(&found.cause))
        .map(|found| Expectation {
            side: side(&found.check),
            expects: found.expected.clone().unwrap_or_else(|| found.summary.clone()),
            outcome: Some(super::findings::weight(report, found)),
        })
        .collect();
    let policy = report.finished().find(|check| check.id == CheckId::TrustPolicy);
    if matches!(claim, "sub" | "aud") && !list.iter().any(|e| e.side == "trust") {
        match policy {
            Some(check) if check.outcome == Outcome::Pass => list.push(Expectation {
                side: "trust",
                expects: "its conditions are met".to_owned(),
                outcome: Some(Outcome::Pass),
            }),
            Some(check) if check.outcome == Outcome::Skipped => list.push(Expectation {
                side: "trust",
                expects: format!("not known: {}", check.reason.as_deref().unwrap_or("it was not checked")),
                outcome: None,
            }),
            _ => {}
        }
    }
    list
}

fn side(check: &str) -> &'static str {
    match check.split('.').next() {
        Some("issuer") => "issuer",
        Some("trust") => "trust",
        Some("aws" | "azure") => "cloud",
        _ => "token",
    }
}

/// The worst that any side says of a field.
fn verdict(model: &Model, shown: &Shown, field: &Field) -> Option<Outcome> {
    let rank = |outcome: &Outcome| match outcome {
        Outcome::Fail => 4,
        Outcome::Warn => 3,
        Outcome::Inconclusive => 2,
        Outcome::Pass => 1,
        Outcome::Skipped => 0,
    };
    if let (Field::Signature, SignatureState::NotChecked) = (field, shown.signature.state) {
        return Some(Outcome::Inconclusive);
    }
    expectations(model, shown, field).into_iter().filter_map(|e| e.outcome).max_by_key(rank)
}

/// The selected field.
fn selected(model: &Model) -> Option<(Shown, Field)> {
    let shown = shown(model)?;
    let field = fields(&shown.token).into_iter().nth(model.selected_row()?)?;
    Some((shown, field))
}

/// The value of the selected field, byte for byte, and its name.
pub fn selected_value(model: &Model) -> Option<(String, String)> {
    let (_, field) = selected(model)?;
    match &field {
        Field::Signature => None,
        Field::Header(name, value) | Field::Claim(name, value) => {
            let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            Some((name.clone(), text))
        }
    }
}

/// The selected field's name.
pub fn detail_title(model: &Model) -> String {
    match selected(model) {
        Some((_, field)) => show_name(&field),
        None => "Token".to_owned(),
    }
}

/// The selected field: its value, meaning, and what each side expects.
pub fn detail(model: &Model) -> Vec<Line> {
    let show = Show::of(model);
    let Some((shown, field)) = selected(model) else {
        return nothing(model);
    };
    let mut lines = Vec::new();
    match &field {
        Field::Signature => {
            let (word, ink) = signature_word(shown.signature.state);
            lines.push(labelled("state", ink, word));
            lines.push(labelled("because", Ink::Plain, show.prose(&shown.signature.reason)));
            lines.push(labelled("token from", Ink::Plain, show.prose(&shown.source)));
            if let Some(issuer) = &model.token.fetching {
                lines.push(labelled("keys", Ink::Accent, format!("being fetched from {}", show.prose(issuer))));
            }
            if let Some(error) = &model.token.fetch_error {
                lines.push(labelled("keys", Ink::Bad, show.prose(error)));
            }
            for phrase in &shown.cleaned {
                lines.push(labelled("stripped", Ink::Warning, show.prose(phrase)));
            }
            for problem in &shown.token.problems {
                lines.push(labelled("note", Ink::Warning, show.prose(&problem.to_string())));
            }
        }
        Field::Header(name, value) | Field::Claim(name, value) => {
            lines.push(labelled("value", Ink::Strong, show_value(show, value)));
            let place = if matches!(field, Field::Header(..)) { "header" } else { "claim" };
            let meaning = meaning(name);
            let meaning = if meaning.is_empty() { place.to_owned() } else { format!("{place}: {meaning}") };
            lines.push(labelled("is", Ink::Plain, meaning));
            if let Some(at) = time_of(name, value) {
                lines.push(labelled("time", Ink::Plain, moment(model, at)));
                lines.push(labelled("", Ink::Plain, relative(model, at)));
            }
            let quoted = format!("`{name}`");
            for problem in shown.token.problems.iter().map(ToString::to_string).filter(|p| p.contains(&quoted)) {
                lines.push(labelled("note", Ink::Warning, show.prose(&problem)));
            }
        }
    }
    let expectations = expectations(model, &shown, &field);
    if !expectations.is_empty() {
        lines.push(Line::empty());
        lines.push(heading("What each side expects"));
    }
    for expectation in expectations {
        let (sign, ink) = match expectation.outcome {
            Some(outcome) => (show.glyphs.outcome(outcome), super::chain::outcome_ink(outcome)),
            None => (show.glyphs.waiting, Ink::Muted),
        };
        let mut line = Line::of(ink, sign).with(Ink::Plain, format!(" {}", expectation.side)).hanging(super::LABEL);
        line.pad_to(super::LABEL);
        lines.push(line.with(Ink::Plain, show.prose(&expectation.expects)));
    }
    lines
}

/// What to do where there is no token.
fn nothing(model: &Model) -> Vec<Line> {
    if shown(model).is_some() {
        return vec![Line::of(Ink::Muted, "no field matches the filter; esc clears it")];
    }
    let mut lines = vec![Line::of(Ink::Plain, "There is no token yet.").hanging(0), Line::empty()];
    if model.replay.is_none() {
        lines.push(Line::of(Ink::Plain, "Paste one here: what surrounds it (Bearer, quotes, line breaks) is taken away, and it never leaves this machine."));
        lines.push(Line::of(Ink::Muted, "A run shows the token of its profile."));
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn countdowns_read_like_a_clock() {
        assert_eq!(countdown(0), "0:00");
        assert_eq!(countdown(41 * 60 + 7), "41:07");
        assert_eq!(countdown(2 * 3600 + 5 * 60 + 9), "2:05:09");
    }
}
