//! An examined issuer as a page: the hops on one time axis, the certificates, the document, the keys, and what is wrong.

use super::clouds;
use super::context::RenderContext;
use super::finding;
use super::line::{Line, Role, Span};
use super::page::{Block, Cell, Column, ColumnKind, Page, Table};
use crate::cause::Finding;
use crate::check::clouds::Verdicts;
use crate::check::facts::Facts;
use crate::check::facts::network::DocumentFact;
use crate::check::facts::network::{AddressScope, Exchange, Hop, Tls};
use crate::check::{CheckId, Outcome, Verdict};
use crate::domain::certificate::Certificate;
use crate::domain::discovery::{Discovery, IssuerAddress};
use crate::domain::issuer::Server;
use crate::domain::jwks::Jwks;
use crate::domain::profile::{Guide, Profile};
use crate::domain::relying_party::Acceptance;
use crate::domain::timestamp::{UnixSeconds, in_words, rfc3339};
use crate::remedy::{Values, advised};

/// Width of the time axis, in columns.
const AXIS: f64 = 40.0;
/// Keys after this many are counted, not shown.
const KEYS_SHOWN: usize = 20;
/// Values of a field after this many are counted, not shown.
const VALUES_SHOWN: usize = 40;
/// Key ids wider than this do not push the other columns to the right.
const KEY_WIDTH: usize = 64;

/// What was seen of an issuer, and the judgement on it.
#[derive(Clone, Debug, PartialEq)]
pub struct IssuerReport {
    pub address: IssuerAddress,
    pub document: DocumentFact,
    pub facts: Facts,
    pub verdicts: Vec<(CheckId, Verdict)>,
    pub clouds: Verdicts,
}

impl IssuerReport {
    /// A profile that knows the issuer and nothing else.
    pub fn profile(address: &IssuerAddress) -> Profile {
        Profile { issuer_url: Some(address.issuer.clone()), ..Profile::bare("issuer", Guide::AwsWorkloadIdentity) }
    }

    /// The server that publishes such documents, where it is a known one of one's own.
    pub fn server(&self) -> Option<&'static Server> {
        let keys = self.facts.issuer.keys.as_ref().and_then(|keys| keys.jwks.as_ref());
        Server::recognise(self.document.discovery.as_ref(), keys)
    }

    /// What is wrong, the surest of the earliest check first, with the catalogue's advice.
    pub fn problems(&self) -> Vec<Finding> {
        let mut found: Vec<Finding> = self.verdicts.iter().flat_map(|(_, v)| v.findings.iter().cloned()).collect();
        found.sort_by_key(|f| f.certainty);
        let profile = IssuerReport::profile(&self.address);
        let values = Values { profile: Some(&profile), ..Values::default() };
        found.into_iter().map(|finding| advised(finding, None, &values)).collect()
    }

    /// The worst of the verdicts, and of those of the clouds that were named.
    pub fn verdict(&self) -> Outcome {
        let named = self.clouds.deciding().filter(|acceptance| *acceptance != Acceptance::Accept).map(clouds::outcome);
        let has =
            |outcome: &Outcome| named == Some(*outcome) || self.verdicts.iter().any(|(_, v)| v.outcome == *outcome);
        let worst = [Outcome::Fail, Outcome::Inconclusive, Outcome::Warn].into_iter().find(has);
        worst.unwrap_or(Outcome::Pass)
    }
}

/// The whole examination.
pub fn page(seen: &IssuerReport, ctx: RenderContext) -> Page {
    let exchange = &seen.document.exchange;
    let mut page = Page::titled(Line::of(Role::Strong, ctx.value(&seen.address.issuer)));
    seen.address.notes.iter().for_each(|note| page.text(Role::Muted, ctx.prose(note)));
    if let Some(server) = seen.server() {
        page.value("server", &format!("as {} publishes ({})", server.name, server.docs), ctx);
        page.prose("subjects", Role::Plain, &server.subjects, ctx);
    }
    let mut part = section("discovery document");
    push_exchange(&mut part, exchange, ctx);
    page.gap();
    page.part(part);
    if let Some(tls) = &exchange.tls {
        page.gap();
        page.part(certificates(tls, seen, ctx));
    }
    if let Some(discovery) = &seen.document.discovery {
        page.gap();
        page.part(document(discovery, ctx));
    }
    if let Some(keys) = &seen.facts.issuer.keys {
        let mut part = section("keys");
        push_exchange(&mut part, &keys.exchange, ctx);
        if let Some(tls) = keys.exchange.tls.as_ref().filter(|_| seen.facts.issuer.keys_are_elsewhere()) {
            part.part(certificates(tls, seen, ctx));
        }
        if let Some(jwks) = &keys.jwks {
            part.gap();
            push_keys(&mut part, jwks, ctx);
        }
        page.gap();
        page.part(part);
    }
    let mut part = section("checks");
    let columns = vec![Column::new("outcome"), Column::new("check"), Column::new("reason")];
    let rows = seen.verdicts.iter().map(|(check, verdict)| {
        let reason = ctx.prose(verdict.reason.as_deref().unwrap_or_default());
        vec![Cell::Outcome(verdict.outcome), text(check.title()), text(&reason)]
    });
    part.push(Block::Table(Table { columns, headed: false, rows: rows.collect() }));
    page.gap();
    page.part(part);
    page.gap();
    page.part(clouds::page(&seen.clouds, ctx));
    for problem in seen.problems() {
        page.gap();
        page.part(finding::page(&problem, ctx));
    }
    let verdict = match seen.verdict() {
        Outcome::Fail => Line::of(Role::Bad, "FAIL"),
        Outcome::Inconclusive => Line::of(Role::Warning, "INCONCLUSIVE"),
        Outcome::Warn => Line::of(Role::Warning, "PASS with warnings"),
        Outcome::Pass | Outcome::Skipped => Line::of(Role::Good, "PASS"),
    };
    page.verdict = Some(verdict.with(Role::Muted, format!("; a token of it: {}", seen.clouds.summary())));
    page
}

fn section(title: &str) -> Page {
    Page::titled(Line::of(Role::Strong, title))
}

fn text(text: &str) -> Cell {
    Line::of(Role::Plain, text).into()
}

/// How a document was fetched: from where, what was answered, and how long each hop took.
fn push_exchange(page: &mut Page, exchange: &Exchange, ctx: RenderContext) {
    page.value("url", &exchange.url, ctx);
    if let Some(proxy) = &exchange.proxy {
        page.value("proxy", proxy, ctx);
    }
    for address in &exchange.addresses {
        let scope = match address.scope {
            AddressScope::Public => "public",
            AddressScope::Private => "private",
            AddressScope::Loopback => "this machine",
        };
        page.value("address", &format!("{} ({scope})", address.ip), ctx);
    }
    if let Some(status) = exchange.status {
        let mut facts = vec![status.to_string()];
        facts.extend(exchange.http_version.clone());
        facts.extend(exchange.content_type.clone());
        facts.extend(exchange.body_bytes.map(|n| format!("{n} bytes")));
        page.value("answer", &facts.join(&format!(" {} ", ctx.glyphs.dot)), ctx);
    }
    if let Some(skew) = exchange.clock_skew_s.filter(|s| s.unsigned_abs() > 1) {
        let direction = if skew > 0 { "ahead of" } else { "behind" };
        page.value("clock", &format!("{} {direction} this machine's", in_words(skew.unsigned_abs())), ctx);
    }
    let failed = exchange.failure.as_ref().map(|f| f.hop);
    for hop in &exchange.hops {
        let role = if failed == Some(hop.name) { Role::Bad } else { Role::Good };
        let time = format!("{:>10}  ", milliseconds(hop.duration_ms));
        page.field(hop.name.id(), Line::of(Role::Plain, time).with(role, bar(hop, exchange.duration_ms, ctx)));
    }
    if exchange.hops.len() > 1 {
        page.field("total", Line::of(Role::Plain, format!("{:>10}", milliseconds(exchange.duration_ms))));
    }
    if let Some(failure) = &exchange.failure {
        page.value("failed", &format!("{}: {}", failure.kind.words(), failure.detail), ctx);
    }
}

/// The hop's stretch of the time axis, at least one column wide.
fn bar(hop: &Hop, total_ms: f64, ctx: RenderContext) -> String {
    let column = |ms: f64| if total_ms > 0.0 { (ms / total_ms * AXIS).round() as usize } else { 0 };
    let from = column(hop.start_ms).min(AXIS as usize - 1);
    let to = column(hop.start_ms + hop.duration_ms).clamp(from + 1, AXIS as usize);
    let is_sliver = hop.duration_ms / total_ms.max(f64::MIN_POSITIVE) * AXIS < 0.5;
    let drawn = if is_sliver { ctx.glyphs.sliver.to_owned() } else { ctx.glyphs.bar.repeat(to - from) };
    format!("{}{drawn}", " ".repeat(from))
}

fn milliseconds(ms: f64) -> String {
    if ms < 1000.0 { format!("{ms:.1} ms") } else { format!("{:.2} s", ms / 1000.0) }
}

fn certificates(tls: &Tls, seen: &IssuerReport, ctx: RenderContext) -> Page {
    let registered = seen.facts.issuer.registered_tls();
    let mut page = section("certificates, as served");
    let host = ctx.prose(&tls.server_name);
    let state = match (tls.chain.certificates.is_empty(), tls.accepted) {
        (true, _) => Span::of(Role::Bad, "none came"),
        (false, true) => Span::of(Role::Good, format!("trusted for {host}")),
        (false, false) => Span::of(Role::Bad, format!("not accepted for {host}")),
    };
    let version = tls.version.as_deref().map(|v| format!(" {} {v}", ctx.glyphs.dot)).unwrap_or_default();
    page.field("verdict", Line::from(state).with(Role::Plain, version));
    for (at, certificate) in tls.chain.certificates.iter().enumerate() {
        let subject = if certificate.subject.is_empty() { "(no readable subject)" } else { &certificate.subject };
        let plain = |text: String| Line::of(Role::Plain, ctx.value(&text));
        let mut lines = vec![plain(subject.to_owned()), plain(format!("issuer {}", certificate.issuer))];
        if !certificate.names.is_empty() {
            lines.push(plain(format!("names {}", certificate.names.join(", "))));
        }
        lines.push(plain(validity(certificate, seen.facts.now)));
        let is_registered = registered.is_some_and(|tls| tls.chain.thumbprint() == Some(&certificate.thumbprint_sha1));
        let mut print = plain(format!("sha1 {}", certificate.thumbprint_sha1));
        if certificate.wanted_by_iam && is_registered {
            print.push(Role::Strong, "  <- the thumbprint an IAM provider registers");
        }
        lines.push(print);
        page.push(Block::Field { label: (at + 1).to_string(), lines });
    }
    if let Some(other) = registered.filter(|other| other.chain.thumbprint() != tls.chain.thumbprint()) {
        let whose = format!("an IAM provider registers that of {}, where the keys are", other.server_name);
        page.value("thumbprint", &whose, ctx);
    }
    page
}

fn validity(certificate: &Certificate, now: UnixSeconds) -> String {
    let time = |seconds| rfc3339(seconds).unwrap_or_else(|| "?".to_owned());
    let left = certificate.not_after - now;
    let relative = match left {
        0.. => format!("{} left", in_words(left.unsigned_abs())),
        _ => format!("ended {} ago", in_words(left.unsigned_abs())),
    };
    format!("valid {} to {} ({relative})", time(certificate.not_before), time(certificate.not_after))
}

fn document(discovery: &Discovery, ctx: RenderContext) -> Page {
    let mut page = section("what it says");
    let mut field = |name: &str, value: Option<String>| match value {
        Some(value) => page.value(name, &value, ctx),
        None => page.field(name, Line::of(Role::Bad, "missing")),
    };
    let joined = |values: &Option<Vec<String>>| {
        let values = values.as_ref()?;
        let shown = values.iter().take(VALUES_SHOWN).cloned().collect::<Vec<_>>().join(", ");
        let more = values.len().saturating_sub(VALUES_SHOWN);
        Some(if more > 0 { format!("{shown} and {more} more") } else { shown })
    };
    field("issuer", discovery.issuer.clone());
    field("jwks_uri", discovery.jwks_uri.clone());
    field("response_types_supported", joined(&discovery.response_types_supported));
    field("subject_types_supported", joined(&discovery.subject_types_supported));
    field("id_token_signing_alg_values_supported", joined(&discovery.id_token_signing_alg_values_supported));
    field("claims_supported", joined(&discovery.claims_supported));
    page
}

fn push_keys(page: &mut Page, jwks: &Jwks, ctx: RenderContext) {
    let cell = |value: &Option<String>| text(&value.as_deref().map_or_else(|| "-".to_owned(), |v| ctx.value(v)));
    let columns = vec![
        Column::of("kid", ColumnKind::Upto(KEY_WIDTH)),
        Column::new("kty"),
        Column::new("alg"),
        Column::new("use"),
    ];
    let rows = jwks
        .keys
        .iter()
        .take(KEYS_SHOWN)
        .map(|key| vec![cell(&key.kid), text(&ctx.value(&key.type_name())), cell(&key.alg), cell(&key.usage)]);
    page.push(Block::Table(Table { columns, headed: true, rows: rows.collect() }));
    if jwks.keys.len() > KEYS_SHOWN {
        page.text(Role::Muted, format!("and {} more", jwks.keys.len() - KEYS_SHOWN));
    }
}
