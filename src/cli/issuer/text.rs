//! An examined issuer as text for people: the hops on one time axis, the certificates, the document, the keys.

use unicode_width::UnicodeWidthStr as _;

use super::Examination;
use crate::check::Outcome;
use crate::check::facts::network::{AddressScope, Exchange, Hop, Tls};
use crate::domain::certificate::Certificate;
use crate::domain::discovery::Discovery;
use crate::domain::jwks::Jwks;
use crate::domain::text::visible;
use crate::domain::timestamp::{UnixSeconds, in_words, rfc3339};
use crate::report::finding_text;
use crate::report::paint::{Glyphs, Paint, Role};

/// Width of the time axis, in columns.
const AXIS: f64 = 40.0;

/// Keys after this many are counted, not shown.
const KEYS_SHOWN: usize = 20;

/// Values of a field after this many are counted, not shown.
const VALUES_SHOWN: usize = 40;

/// The whole text, ending in a line feed.
pub(super) fn render(seen: &Examination, paint: Paint) -> String {
    let exchange = &seen.document.exchange;
    let mut lines = vec![paint.paint(Role::Strong, &visible(&seen.address.issuer))];
    lines.extend(seen.address.notes.iter().map(|note| format!("  {}", paint.paint(Role::Muted, &visible(note)))));
    section("discovery document", &mut lines, paint);
    answer(exchange, &mut lines, paint);
    hops(exchange, &mut lines, paint);
    if let Some(tls) = &exchange.tls {
        certificates(tls, seen, &mut lines, paint);
    }
    if let Some(discovery) = &seen.document.discovery {
        document(discovery, &mut lines, paint);
    }
    if let Some(keys) = &seen.facts.issuer.keys {
        section("keys", &mut lines, paint);
        answer(&keys.exchange, &mut lines, paint);
        hops(&keys.exchange, &mut lines, paint);
        if let Some(tls) = keys.exchange.tls.as_ref().filter(|_| seen.facts.issuer.keys_are_elsewhere()) {
            certificates(tls, seen, &mut lines, paint);
        }
        if let Some(jwks) = &keys.jwks {
            key_table(jwks, &mut lines, paint);
        }
    }
    section("checks", &mut lines, paint);
    for (check, verdict) in &seen.verdicts {
        let reason = verdict.reason.as_deref().map(visible).unwrap_or_default();
        let line = format!("  {} {:36}  {reason}", paint.outcome(verdict.outcome), check.title());
        lines.push(line.trim_end().to_owned());
    }
    for problem in seen.problems() {
        lines.push(String::new());
        lines.extend(finding_text::lines(&problem, paint));
    }
    lines.push(String::new());
    lines.push(last_line(seen, paint));
    lines.push(String::new());
    lines.join("\n")
}

fn section(title: &str, lines: &mut Vec<String>, paint: Paint) {
    lines.push(String::new());
    lines.push(paint.paint(Role::Strong, title));
}

fn row(label: &str, value: &str, lines: &mut Vec<String>, paint: Paint) {
    lines.push(format!("  {}  {value}", paint.paint(Role::Muted, &format!("{label:10}"))));
}

fn answer(exchange: &Exchange, lines: &mut Vec<String>, paint: Paint) {
    row("url", &visible(&exchange.url), lines, paint);
    if let Some(proxy) = &exchange.proxy {
        row("proxy", &visible(proxy), lines, paint);
    }
    for address in &exchange.addresses {
        let scope = match address.scope {
            AddressScope::Public => "public",
            AddressScope::Private => "private",
            AddressScope::Loopback => "this machine",
        };
        row("address", &format!("{} ({scope})", address.ip), lines, paint);
    }
    if let Some(status) = exchange.status {
        let mut facts = vec![status.to_string()];
        facts.extend(exchange.http_version.clone());
        facts.extend(exchange.content_type.as_deref().map(|t| visible(t).into_owned()));
        facts.extend(exchange.body_bytes.map(|n| format!("{n} bytes")));
        row("answer", &facts.join(&format!(" {} ", paint.dot())), lines, paint);
    }
    if let Some(skew) = exchange.clock_skew_s.filter(|s| s.unsigned_abs() > 1) {
        let direction = if skew > 0 { "ahead of" } else { "behind" };
        row("clock", &format!("{} {direction} this machine's", in_words(skew.unsigned_abs())), lines, paint);
    }
}

fn hops(exchange: &Exchange, lines: &mut Vec<String>, paint: Paint) {
    let failed = exchange.failure.as_ref().map(|f| f.hop);
    for hop in &exchange.hops {
        let role = if failed == Some(hop.name) { Role::Bad } else { Role::Good };
        let bar = paint.paint(role, &bar(hop, exchange.duration_ms, paint));
        lines.push(format!(
            "  {}  {:>10}  {bar}",
            paint.paint(Role::Muted, &format!("{:10}", hop.name.id())),
            milliseconds(hop.duration_ms)
        ));
    }
    if exchange.hops.len() > 1 {
        row("total", &format!("{:>10}", milliseconds(exchange.duration_ms)), lines, paint);
    }
    if let Some(failure) = &exchange.failure {
        row("failed", &visible(&format!("{}: {}", failure.kind.words(), failure.detail)), lines, paint);
    }
}

/// The hop's stretch of the time axis, at least one column wide.
fn bar(hop: &Hop, total_ms: f64, paint: Paint) -> String {
    let column = |ms: f64| if total_ms > 0.0 { (ms / total_ms * AXIS).round() as usize } else { 0 };
    let from = column(hop.start_ms).min(AXIS as usize - 1);
    let to = column(hop.start_ms + hop.duration_ms).clamp(from + 1, AXIS as usize);
    let (block, sliver) = if paint.glyphs == Glyphs::Unicode { ("█", "▏") } else { ("#", "|") };
    let is_sliver = hop.duration_ms / total_ms.max(f64::MIN_POSITIVE) * AXIS < 0.5;
    format!("{}{}", " ".repeat(from), if is_sliver { sliver.to_owned() } else { block.repeat(to - from) })
}

fn milliseconds(ms: f64) -> String {
    if ms < 1000.0 { format!("{ms:.1} ms") } else { format!("{:.2} s", ms / 1000.0) }
}

fn certificates(tls: &Tls, seen: &Examination, lines: &mut Vec<String>, paint: Paint) {
    let registered = seen.facts.issuer.registered_tls();
    section("certificates, as served", lines, paint);
    let state = match (tls.chain.certificates.is_empty(), tls.accepted) {
        (true, _) => paint.paint(Role::Bad, "none came"),
        (false, true) => paint.paint(Role::Good, &format!("trusted for {}", visible(&tls.server_name))),
        (false, false) => paint.paint(Role::Bad, &format!("not accepted for {}", visible(&tls.server_name))),
    };
    let version = tls.version.as_deref().map(|v| format!(" {} {v}", paint.dot())).unwrap_or_default();
    row("verdict", &format!("{state}{version}"), lines, paint);
    for (at, certificate) in tls.chain.certificates.iter().enumerate() {
        let subject = if certificate.subject.is_empty() { "(no readable subject)" } else { &certificate.subject };
        row(&format!("{}", at + 1), &visible(subject), lines, paint);
        row("", &format!("issuer {}", visible(&certificate.issuer)), lines, paint);
        if !certificate.names.is_empty() {
            row("", &format!("names {}", visible(&certificate.names.join(", "))), lines, paint);
        }
        row("", &validity(certificate, seen.facts.now), lines, paint);
        let is_registered = registered.is_some_and(|tls| tls.chain.thumbprint() == Some(&certificate.thumbprint_sha1));
        let mark = if certificate.wanted_by_iam && is_registered {
            paint.paint(Role::Strong, "  <- the thumbprint an IAM provider registers")
        } else {
            String::new()
        };
        row("", &format!("sha1 {}{mark}", certificate.thumbprint_sha1), lines, paint);
    }
    if let Some(other) = registered.filter(|other| other.chain.thumbprint() != tls.chain.thumbprint()) {
        let whose = format!("an IAM provider registers that of {}, where the keys are", visible(&other.server_name));
        row("thumbprint", &whose, lines, paint);
    }
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

fn document(discovery: &Discovery, lines: &mut Vec<String>, paint: Paint) {
    section("what it says", lines, paint);
    let mut field = |name: &str, value: Option<String>| {
        let value = value.map_or_else(|| paint.paint(Role::Bad, "missing"), |v| visible(&v).into_owned());
        lines.push(format!("  {}  {value}", paint.paint(Role::Muted, &format!("{name:37}"))));
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
}

fn key_table(jwks: &Jwks, lines: &mut Vec<String>, paint: Paint) {
    let cell = |value: &Option<String>| value.as_deref().map_or_else(|| "-".to_owned(), |v| visible(v).into_owned());
    let width = jwks.keys.iter().map(|k| cell(&k.kid).width()).max().unwrap_or(0).clamp(3, 64);
    let mut line = |kid: &str, kty: &str, alg: &str, usage: &str| {
        let pad = " ".repeat(width.saturating_sub(kid.width()));
        lines.push(format!("  {kid}{pad}  {kty:12}  {alg:5}  {usage}").trim_end().to_owned());
    };
    line("kid", "kty", "alg", "use");
    for key in jwks.keys.iter().take(KEYS_SHOWN) {
        line(&cell(&key.kid), &visible(&key.type_name()), &cell(&key.alg), &cell(&key.usage));
    }
    if jwks.keys.len() > KEYS_SHOWN {
        lines.push(format!("  {}", paint.paint(Role::Muted, &format!("and {} more", jwks.keys.len() - KEYS_SHOWN))));
    }
}

fn last_line(seen: &Examination, paint: Paint) -> String {
    if seen.has(Outcome::Fail) {
        paint.paint(Role::Bad, "FAIL")
    } else if seen.has(Outcome::Inconclusive) {
        paint.paint(Role::Warning, "INCONCLUSIVE")
    } else if seen.has(Outcome::Warn) {
        paint.paint(Role::Warning, "PASS with warnings")
    } else {
        paint.paint(Role::Good, "PASS")
    }
}
