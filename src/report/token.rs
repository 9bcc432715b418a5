//! An examined token as a page: header and claims with their meaning, the signature's state, the problems.

use serde_json::{Map, Value};

use super::clouds;
use super::context::RenderContext;
use super::finding;
use super::line::{Line, Role};
use super::page::{Block, Cell, Column, ColumnKind, Page, Table};
use crate::cause::{Certainty, Finding};
use crate::check::clouds::Verdicts;
use crate::check::facts::token::{SignatureFact, TokenRead};
use crate::check::{CheckId, Outcome, Verdict};
use crate::domain::relying_party::Acceptance;
use crate::domain::signature::{SignatureReason, SignatureState};
use crate::domain::timestamp::{UnixSeconds, in_words, rfc3339};
use crate::domain::token::{DecodedToken, TokenProblem};
use crate::remedy::{Values, advised};

/// Values wider than this do not push the column of meanings further to the right.
const VALUE_WIDTH: usize = 52;
/// The most characters of one value that are shown.
const MAX_SHOWN: usize = 2000;
/// The most lines of one list that are shown.
const MAX_LINES: usize = 50;

/// A token examined.
#[derive(Debug)]
pub struct TokenReport {
    /// Where it is from.
    pub source: String,
    pub read: TokenRead,
    pub signature: SignatureFact,
    pub now: UnixSeconds,
    pub verdicts: Vec<(CheckId, Verdict)>,
    pub clouds: Verdicts,
}

impl TokenReport {
    /// What is wrong, each said once, with the catalogue's advice: what makes a check fail first, the token's own
    /// before the issuer's, the surest first.
    pub fn problems(&self) -> Vec<Finding> {
        let mut problems: Vec<((bool, bool, Certainty), &Finding)> = Vec::new();
        for (check, verdict) in &self.verdicts {
            for finding in &verdict.findings {
                if !problems.iter().any(|(_, earlier)| says_the_same(earlier, finding)) {
                    let rank = (verdict.outcome != Outcome::Fail, !is_of_token(*check), finding.certainty);
                    problems.push((rank, finding));
                }
            }
        }
        problems.sort_by_key(|(rank, _)| *rank);
        let values = Values { claims: self.read.token.claims.as_ref(), ..Values::default() };
        problems.into_iter().map(|(_, finding)| advised(finding.clone(), None, &values)).collect()
    }

    /// The outcome of one check.
    pub fn outcome(&self, check: CheckId) -> Option<Outcome> {
        self.verdicts.iter().find(|(id, _)| *id == check).map(|(_, verdict)| verdict.outcome)
    }

    /// How it went: failed where a check of the token failed, or a cloud that was named refuses it; inconclusive where keys were
    /// named and could not be used, or nobody knows what such a cloud says.
    pub fn verdict(&self) -> Outcome {
        let has = |outcome| self.verdicts.iter().any(|(_, verdict)| verdict.outcome == outcome);
        let named = self.clouds.deciding();
        let is_open =
            named == Some(Acceptance::Unknown) || self.signature.signature.state == SignatureState::CannotCheck;
        if named == Some(Acceptance::Refuse) || self.token_fails() {
            Outcome::Fail
        } else if is_open {
            Outcome::Inconclusive
        } else if has(Outcome::Fail) && named.is_none() {
            Outcome::Fail
        } else if has(Outcome::Warn) {
            Outcome::Warn
        } else {
            Outcome::Pass
        }
    }

    /// Whether a check of the token itself failed. Of its form a named cloud has rules of its own.
    fn token_fails(&self) -> bool {
        let counts = |check| is_of_token(check) && !(self.clouds.decide && check == CheckId::TokenShape);
        self.verdicts.iter().any(|(check, verdict)| counts(*check) && verdict.outcome == Outcome::Fail)
    }
}

fn is_of_token(check: CheckId) -> bool {
    check.id().starts_with("token.")
}

/// Whether `later` adds nothing: the signature's state follows from the token's shape, and a flaw of the key set
/// that decides the signature is already told there.
fn says_the_same(earlier: &Finding, later: &Finding) -> bool {
    let pair = (earlier.check.check(), later.check.check());
    earlier.cause == later.cause
        && (pair == (Some(CheckId::TokenShape), Some(CheckId::TokenSignature))
            || pair == (Some(CheckId::TokenSignature), Some(CheckId::IssuerJwks))
            || earlier.summary == later.summary)
}

/// The whole examination.
pub fn page(seen: &TokenReport, ctx: RenderContext) -> Page {
    let token = &seen.read.token;
    let mut page = Page::titled(
        Line::of(Role::Strong, format!("token from {}", ctx.prose(&seen.source)))
            .with(Role::Muted, format!("  {} bytes", seen.read.length)),
    );
    for cleaning in &seen.read.cleaned {
        page.text(Role::Muted, format!("stripped {cleaning}"));
    }
    for problem in token.problems.iter().filter(|problem| matches!(problem, TokenProblem::HoldsSecret { .. })) {
        page.text(Role::Muted, ctx.prose(&problem.to_string()));
    }
    let header = token.header.as_ref().map(|header| header_rows(header, ctx));
    push_table(&mut page, "header", header);
    let claims = token.claims.as_ref().map(|claims| claim_rows(claims, token, seen, ctx));
    push_table(&mut page, "claims", claims);
    remarks(token).iter().for_each(|remark| page.text(Role::Muted, ctx.prose(remark)));
    page.gap();
    page.push(Block::Heading(signature(seen, ctx)));
    page.gap();
    page.part(clouds::page(&seen.clouds, ctx));
    for problem in seen.problems() {
        page.gap();
        page.part(finding::page(&problem, ctx));
    }
    page.verdict = Some(last_line(seen));
    page
}

fn push_table(page: &mut Page, title: &str, rows: Option<Vec<Vec<Cell>>>) {
    page.gap();
    page.heading(title);
    match rows {
        None => page.text(Role::Muted, "cannot be shown"),
        Some(rows) if rows.is_empty() => page.text(Role::Muted, "none"),
        Some(rows) => {
            let column = |head| Column::of(head, ColumnKind::Upto(VALUE_WIDTH));
            let columns = vec![column("name"), column("value"), column("meaning")];
            page.push(Block::Table(Table { columns, headed: false, rows }));
        }
    }
}

fn header_rows(header: &Map<String, Value>, ctx: RenderContext) -> Vec<Vec<Cell>> {
    let meaning = |name: &str, value: &Value| match name {
        "alg" => algorithm(value.as_str().unwrap_or_default()),
        _ => meaning(name),
    };
    header.iter().flat_map(|(name, value)| rows(name, value, meaning(name, value), ctx)).collect()
}

/// An algorithm in words.
pub fn algorithm(alg: &str) -> &'static str {
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

fn claim_rows(
    claims: &Map<String, Value>,
    token: &DecodedToken,
    seen: &TokenReport,
    ctx: RenderContext,
) -> Vec<Vec<Cell>> {
    let of_claim = |(name, value): (&String, &Value)| {
        let at = match name.as_str() {
            "iat" => token.issued_at(),
            "nbf" => token.not_before(),
            "exp" => token.expires_at(),
            name => time_of(name, value),
        };
        match at {
            Some(at) => vec![time_row(name, value, at, seen, ctx)],
            None => rows(name, value, meaning(name), ctx),
        }
    };
    claims.iter().flat_map(of_claim).collect()
}

/// What no cloud minds and a person should know of the claims.
pub fn remarks(token: &DecodedToken) -> Vec<String> {
    let is_number = |sub: &&str| !sub.is_empty() && sub.bytes().all(|byte| byte.is_ascii_digit());
    let subject = token.subject().filter(is_number).map(|sub| {
        format!("`sub` is the bare number `{sub}`: where it is a row of a table, another account may get it later")
    });
    let has_fraction = |value: &Value| value.is_f64();
    let time = token.claim("auth_time").filter(|value| has_fraction(value)).map(|value| {
        format!(
            "`auth_time` has a fraction ({value}): no cloud is known to read it, and strict readers refuse the token"
        )
    });
    subject.into_iter().chain(time).collect()
}

/// The time that a claim tells, where it tells one.
pub fn time_of(name: &str, value: &Value) -> Option<UnixSeconds> {
    matches!(name, "exp" | "iat" | "nbf" | "auth_time" | "updated_at").then(|| value.as_i64()).flatten()
}

/// What a claim or a header parameter means, where a standard, a cloud or a platform says.
pub fn meaning(name: &str) -> &'static str {
    match name {
        "iss" => "issuer, who signed it",
        "sub" => "subject, whom it speaks for",
        "aud" => "audience, whom it is for",
        "azp" => "authorized party; AWS takes it in place of aud",
        "exp" => "valid until",
        "nbf" => "valid from",
        "iat" => "issued at",
        "jti" => "the token's own id",
        "amr" => "how the subject was authenticated",
        "alg" => "how it is signed",
        "kid" => "the key that signed it",
        "typ" => "type",
        "x5t" | "x5t#S256" => "the key's certificate",
        "jku" | "x5u" | "jwk" | "x5c" => "a key of its own, never followed",
        "crit" => "extensions a reader must know",
        "tid" => "Entra directory",
        "oid" => "Entra object",
        "appid" => "Entra application",
        "scp" | "scope" => "delegated rights",
        "roles" => "application roles",
        "https://aws.amazon.com/roles" => "the only roles it may assume",
        "https://aws.amazon.com/tags" => "session tags",
        "https://aws.amazon.com/source_identity" => "source identity of the session",
        "repository" => "GitHub repository",
        "repository_id" | "repository_owner_id" => "GitHub's immutable id",
        "repository_owner" => "GitHub organization",
        "ref" => "the branch or tag",
        "environment" => "deployment environment",
        "workflow" | "job_workflow_ref" => "the workflow that runs",
        "actor" => "who started it",
        "event_name" | "pipeline_source" => "what started the run",
        "project_path" | "namespace_path" => "GitLab path",
        "project_id" | "namespace_id" => "GitLab id",
        "organization_id" | "organization" | "org_id" => "organization",
        "oidc.circleci.com/project-id" => "CircleCI project",
        "oidc.circleci.com/context-ids" => "CircleCI contexts",
        _ => "",
    }
}

fn time_row(name: &str, value: &Value, at: UnixSeconds, seen: &TokenReport, ctx: RenderContext) -> Vec<Cell> {
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
    row(ctx.prose(name), shown(value, ctx), Line::of(role, format!("{label}{absolute}")))
}

fn row(name: String, value: String, meaning: Line) -> Vec<Cell> {
    vec![Line::of(Role::Muted, name).into(), Line::of(Role::Plain, value).into(), meaning.into()]
}

/// The rows of one member: a list of plain values has one for each.
fn rows(name: &str, value: &Value, meaning: &str, ctx: RenderContext) -> Vec<Vec<Cell>> {
    let (name, meaning) = (ctx.prose(name), Line::of(Role::Muted, meaning));
    match value {
        Value::Array(list) if list.len() > 1 && list.iter().all(|entry| !entry.is_array() && !entry.is_object()) => {
            let entries = list.iter().take(MAX_LINES).enumerate().map(|(n, entry)| match n {
                0 => row(name.clone(), shown(entry, ctx), meaning.clone()),
                _ => row(String::new(), shown(entry, ctx), Line::empty()),
            });
            let more = (list.len() > MAX_LINES)
                .then(|| row(String::new(), format!("{} {} in all", ctx.glyphs.ellipsis, list.len()), Line::empty()));
            entries.chain(more).collect()
        }
        Value::Array(list) => match list.as_slice() {
            [Value::String(only)] => vec![row(name, format!("[{}]", cut(only, ctx)), meaning)],
            _ => vec![row(name, shown(value, ctx), meaning)],
        },
        _ => vec![row(name, shown(value, ctx), meaning)],
    }
}

/// A value on one line: text bare (empty text in quotes), all else as JSON.
fn shown(value: &Value, ctx: RenderContext) -> String {
    match value {
        Value::String(text) if text.is_empty() => "\"\"".to_owned(),
        Value::String(text) => cut(text, ctx),
        other => cut(&other.to_string(), ctx),
    }
}

fn cut(text: &str, ctx: RenderContext) -> String {
    match text.char_indices().nth(MAX_SHOWN) {
        None => ctx.value(text),
        Some((end, _)) => {
            let shown = ctx.value(text.get(..end).unwrap_or_default());
            let count = text.chars().count();
            format!("{shown}{} ({count} characters in all; --output json has them)", ctx.glyphs.ellipsis)
        }
    }
}

/// A signature's state in a word or three, and as an outcome.
pub const fn signature_word(state: SignatureState) -> (&'static str, Outcome) {
    match state {
        SignatureState::Verified => ("verified", Outcome::Pass),
        SignatureState::Failed => ("failed", Outcome::Fail),
        SignatureState::NotChecked => ("not checked", Outcome::Skipped),
        SignatureState::CannotCheck => ("cannot be checked", Outcome::Inconclusive),
    }
}

fn signature(seen: &TokenReport, ctx: RenderContext) -> Line {
    let state = seen.signature.signature.state;
    let (words, outcome) = signature_word(state);
    let sign = ctx.sign(outcome);
    let mut line = Line::of(Role::Strong, "signature  ")
        .with(sign.role, sign.text)
        .with(sign.role, format!(" {words}"))
        .with(Role::Plain, format!(": {}", ctx.prose(&seen.signature.sentence)))
        .hanging(2);
    match (state, &seen.signature.keys_from) {
        // The sentence names the address already.
        _ if matches!(seen.signature.signature.reason, SignatureReason::KeysUnavailable { .. }) => {}
        (SignatureState::NotChecked, _) => line.push(Role::Plain, "; name them with --jwks FILE|URL or --issuer URL"),
        (_, Some(from)) => line.push(Role::Muted, format!(" (keys: {})", ctx.prose(from))),
        (_, None) => {}
    }
    line
}

fn last_line(seen: &TokenReport) -> Line {
    let signature = match seen.signature.signature.state {
        SignatureState::Verified => "signature verified",
        SignatureState::Failed => "signature failed",
        SignatureState::NotChecked => "signature not checked",
        SignatureState::CannotCheck => "signature could not be checked",
    };
    let clouds = seen.clouds.summary();
    let is_clean = seen.problems().is_empty();
    let all_accept = seen.clouds.each.iter().all(|verdict| verdict.verdict == Acceptance::Accept);
    let (role, judgement) = match seen.verdict() {
        Outcome::Fail if seen.token_fails() => (Role::Bad, "not fit for the exchange as it is".to_owned()),
        Outcome::Fail => (Role::Bad, clouds),
        Outcome::Inconclusive | Outcome::Warn => (Role::Warning, clouds),
        Outcome::Pass | Outcome::Skipped if is_clean && all_accept => {
            (Role::Good, "nothing is wrong with it".to_owned())
        }
        Outcome::Pass | Outcome::Skipped => (Role::Warning, clouds),
    };
    Line::of(role, format!("{judgement}; {signature}"))
}
