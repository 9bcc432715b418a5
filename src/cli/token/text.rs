//! An examined token as text for people: header and claims with their meaning, the signature's state, the problems.

use serde_json::{Map, Value};
use unicode_width::UnicodeWidthStr as _;

use super::examine::Examination;
use crate::check::{CheckId, Outcome};
use crate::cli::Exit;
use crate::domain::signature::{SignatureReason, SignatureState};
use crate::domain::text::visible;
use crate::domain::timestamp::{UnixSeconds, in_words, rfc3339};
use crate::domain::token::{DecodedToken, TokenProblem};
use crate::report::finding_text;
use crate::report::paint::{Paint, Role};

/// Values wider than this do not push the column of meanings further to the right.
const VALUE_WIDTH: usize = 44;

/// The most characters of one value that are shown.
const MAX_SHOWN: usize = 2000;

/// The most lines of one list that are shown.
const MAX_LINES: usize = 50;

/// One line of the table.
struct Row {
    name: String,
    value: String,
    meaning: String,
    role: Role,
}

/// The whole text, ending in a line feed.
pub(super) fn render(seen: &Examination, paint: Paint) -> String {
    let token = &seen.read.token;
    let mut lines = vec![format!(
        "{}  {}",
        paint.paint(Role::Strong, &format!("token from {}", visible(&seen.source))),
        paint.paint(Role::Muted, &format!("{} bytes", seen.read.length)),
    )];
    for cleaning in &seen.read.cleaned {
        lines.push(paint.paint(Role::Muted, &format!("  stripped {cleaning}")));
    }
    for problem in token.problems.iter().filter(|problem| matches!(problem, TokenProblem::HoldsSecret { .. })) {
        lines.push(paint.paint(Role::Muted, &format!("  {}", visible(&problem.to_string()))));
    }
    let header = token.header.as_ref().map(header_rows);
    table("header", header, &mut lines, paint);
    let claims = token.claims.as_ref().map(|claims| claim_rows(claims, token, seen));
    table("claims", claims, &mut lines, paint);
    lines.push(String::new());
    lines.push(signature(seen, paint));
    for problem in seen.problems() {
        lines.push(String::new());
        lines.extend(finding_text::lines(&problem, paint));
    }
    lines.push(String::new());
    lines.push(last_line(seen, paint));
    lines.push(String::new());
    lines.join("\n")
}

fn table(title: &str, rows: Option<Vec<Row>>, lines: &mut Vec<String>, paint: Paint) {
    lines.push(String::new());
    lines.push(paint.paint(Role::Strong, title));
    let Some(rows) = rows else {
        lines.push(paint.paint(Role::Muted, "  cannot be shown"));
        return;
    };
    if rows.is_empty() {
        lines.push(paint.paint(Role::Muted, "  none"));
    }
    let widest = |column: fn(&Row) -> &str, most: usize| {
        rows.iter().map(|row| column(row).width()).filter(|width| *width <= most).max().unwrap_or_default()
    };
    let names = widest(|row| &row.name, VALUE_WIDTH);
    let values = widest(|row| &row.value, VALUE_WIDTH);
    for row in &rows {
        let name = format!("{}{}", row.name, " ".repeat(names.saturating_sub(row.name.width())));
        let gap = " ".repeat(values.saturating_sub(row.value.width()));
        let line = format!(
            "  {}  {}{gap}  {}",
            paint.paint(Role::Muted, &name),
            row.value,
            paint.paint(row.role, &row.meaning)
        );
        lines.push(line.trim_end().to_owned());
    }
}

fn header_rows(header: &Map<String, Value>) -> Vec<Row> {
    let meaning = |name: &str, value: &Value| match name {
        "alg" => algorithm(value.as_str().unwrap_or_default()),
        "kid" => "the key that signed it",
        "typ" => "type",
        "jku" | "x5u" | "jwk" | "x5c" => "a key of its own, never followed",
        "crit" => "extensions a reader must know",
        _ => "",
    };
    header.iter().flat_map(|(name, value)| rows(name, value, meaning(name, value))).collect()
}

fn algorithm(alg: &str) -> &'static str {
    match alg {
        "RS256" => "RSA with SHA-256",
        "RS384" => "RSA with SHA-384",
        "RS512" => "RSA with SHA-512",
        "ES256" => "ECDSA on P-256 with SHA-256",
        "ES384" => "ECDSA on P-384 with SHA-384",
        "ES512" => "ECDSA on P-521 with SHA-512",
        "HS256" | "HS384" | "HS512" => "a shared secret",
        _ if alg.eq_ignore_ascii_case("none") => "not signed",
        _ => "",
    }
}

fn claim_rows(claims: &Map<String, Value>, token: &DecodedToken, seen: &Examination) -> Vec<Row> {
    claims
        .iter()
        .flat_map(|(name, value)| {
            let at = match name.as_str() {
                "iat" => token.issued_at(),
                "nbf" => token.not_before(),
                "exp" => token.expires_at(),
                "auth_time" | "updated_at" => value.as_i64(),
                _ => None,
            };
            match at {
                Some(at) => vec![time_row(name, value, at, seen)],
                None => rows(name, value, meaning(name)),
            }
        })
        .collect()
}

/// What a claim is for, where a standard or a platform says.
fn meaning(name: &str) -> &'static str {
    match name {
        "iss" => "issuer",
        "sub" => "subject, who it speaks for",
        "aud" => "audience, who it is for",
        "azp" => "authorized party; AWS takes it in place of aud",
        "jti" => "the token's own id",
        "amr" => "how the subject was authenticated",
        "https://aws.amazon.com/roles" => "the only roles it may assume",
        "https://aws.amazon.com/tags" => "session tags",
        "https://aws.amazon.com/source_identity" => "source identity of the session",
        "repository" | "project_path" => "the repository",
        "ref" => "the branch or tag",
        "environment" => "the deployment environment",
        "event_name" | "pipeline_source" => "what started the run",
        "job_workflow_ref" => "the workflow that runs",
        _ => "",
    }
}

fn time_row(name: &str, value: &Value, at: UnixSeconds, seen: &Examination) -> Row {
    let distance = at.saturating_sub(seen.now);
    let words = in_words(distance.unsigned_abs());
    let relative = match distance {
        0 => "now".to_owned(),
        1.. => format!("in {words}"),
        _ => format!("{words} ago"),
    };
    let label = match name {
        "iat" => "issued ",
        "nbf" => "valid from ",
        "exp" if distance > 0 => "expires ",
        "exp" => "expired ",
        _ => "",
    };
    let absolute = rfc3339(at).map_or_else(|| "out of range".to_owned(), |time| format!("{time}, {relative}"));
    let role = match (name, seen.outcome(CheckId::TokenTime)) {
        ("exp", Some(Outcome::Fail)) if distance <= 0 => Role::Bad,
        ("iat" | "nbf", Some(Outcome::Fail)) if distance > 0 => Role::Bad,
        ("exp", Some(Outcome::Warn)) => Role::Warning,
        _ => Role::Muted,
    };
    Row { name: visible(name).into_owned(), value: shown(value), meaning: format!("{label}{absolute}"), role }
}

/// The lines of one member: a list of plain values has one for each.
fn rows(name: &str, value: &Value, meaning: &str) -> Vec<Row> {
    let row = |name: String, value: String, meaning: &str| Row {
        name,
        value,
        meaning: meaning.to_owned(),
        role: Role::Muted,
    };
    let name = visible(name).into_owned();
    match value {
        Value::Array(list) if list.len() > 1 && list.iter().all(|entry| !entry.is_array() && !entry.is_object()) => {
            let mut rows: Vec<Row> = list
                .iter()
                .take(MAX_LINES)
                .enumerate()
                .map(|(n, entry)| match n {
                    0 => row(name.clone(), shown(entry), meaning),
                    _ => row(String::new(), shown(entry), ""),
                })
                .collect();
            if list.len() > MAX_LINES {
                rows.push(row(String::new(), format!("… {} in all", list.len()), ""));
            }
            rows
        }
        Value::Array(list) => match list.as_slice() {
            [Value::String(only)] => vec![row(name, format!("[{}]", cut(&visible(only))), meaning)],
            _ => vec![row(name, shown(value), meaning)],
        },
        _ => vec![row(name, shown(value), meaning)],
    }
}

/// A value on one line: text bare (empty text in quotes), all else as JSON.
fn shown(value: &Value) -> String {
    match value {
        Value::String(text) if text.is_empty() => "\"\"".to_owned(),
        Value::String(text) => cut(&visible(text)),
        other => cut(&visible(&other.to_string())),
    }
}

fn cut(text: &str) -> String {
    match text.char_indices().nth(MAX_SHOWN) {
        None => text.to_owned(),
        Some((end, _)) => {
            let shown = text.get(..end).unwrap_or_default();
            format!("{shown}… ({} characters in all; --output json has them)", text.chars().count())
        }
    }
}

fn signature(seen: &Examination, paint: Paint) -> String {
    let state = seen.signature.signature.state;
    let (outcome, role, words) = match state {
        SignatureState::Verified => (Outcome::Pass, Role::Good, "verified"),
        SignatureState::Failed => (Outcome::Fail, Role::Bad, "failed"),
        SignatureState::NotChecked => (Outcome::Skipped, Role::Muted, "not checked"),
        SignatureState::CannotCheck => (Outcome::Inconclusive, Role::Warning, "cannot be checked"),
    };
    let mut line = format!(
        "{}  {} {}: {}",
        paint.paint(Role::Strong, "signature"),
        paint.outcome(outcome),
        paint.paint(role, words),
        visible(&seen.signature.sentence)
    );
    match (state, &seen.signature.keys_from) {
        // The sentence names the address already.
        _ if matches!(seen.signature.signature.reason, SignatureReason::KeysUnavailable { .. }) => {}
        (SignatureState::NotChecked, _) => line.push_str("; name them with --jwks FILE|URL or --issuer URL"),
        (_, Some(from)) => line.push_str(&paint.paint(Role::Muted, &format!(" (keys: {})", visible(from)))),
        (_, None) => {}
    }
    line
}

fn last_line(seen: &Examination, paint: Paint) -> String {
    let signature = match seen.signature.signature.state {
        SignatureState::Verified => "signature verified",
        SignatureState::Failed => "signature failed",
        SignatureState::NotChecked => "signature not checked",
        SignatureState::CannotCheck => "signature could not be checked",
    };
    let has = |outcome| seen.verdicts.iter().any(|(_, verdict)| verdict.outcome == outcome);
    let (role, judgement) = match seen.exit() {
        Exit::Failed if seen.token_fails() => (Role::Bad, "not fit for the exchange as it is"),
        Exit::Failed => (Role::Bad, "nothing is wrong with the token itself, but with its issuer"),
        Exit::Inconclusive => (Role::Warning, "nothing is wrong with it as far as it could be checked"),
        _ if has(Outcome::Warn) => (Role::Warning, "nothing is wrong with it, with warnings"),
        _ => (Role::Good, "nothing is wrong with it"),
    };
    paint.paint(role, &format!("{judgement}; {signature}"))
}
