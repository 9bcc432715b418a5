//! The exchanges of a cloud's log as a page: a table of equal ones, and for each who came, for what, and why it was refused.

use super::context::RenderContext;
use super::finding;
use super::line::{Line, Role};
use super::page::{Cell, Column, ColumnKind, Page, Table};
use crate::cause::exchange::{Entry, Outcome as Became};
use crate::cause::explain::Parsed;
use crate::check::Outcome;
use crate::domain::iam::Decision;
use crate::domain::ids::Cloud;
use crate::domain::profile::Profile;
use crate::remedy::{Values, advise};

/// The schema's name.
pub const SCHEMA: &str = "trustline.events/1";
/// So many entries are told where people read; `--output json` has all.
pub const MOST_SHOWN: usize = 100;
/// So many are told in full.
const IN_FULL: usize = 10;
/// A role's name wider than this does not push the subjects to the right.
const ROLE_WIDTH: usize = 32;

/// What there is to tell of a log.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct EventsReport {
    /// Where they are from, such as a file's name.
    pub source: String,
    /// The first entries.
    pub entries: Vec<Entry>,
    /// How many more there are.
    pub left_out: usize,
    /// The exchanges of all entries, and the events that they are among.
    pub refused: u64,
    pub granted: u64,
    pub events: u64,
}

impl EventsReport {
    /// Adds an entry, as far as there is room for it.
    pub fn add(&mut self, entry: Entry) {
        match entry.outcome {
            Became::Refused => self.refused += entry.count,
            Became::Granted => self.granted += entry.count,
        }
        if self.entries.len() < MOST_SHOWN {
            self.entries.push(entry);
        } else {
            self.left_out += 1;
        }
    }
}

/// An entry whose causes have what the catalogue has for them.
#[must_use]
pub fn advised_entry(mut entry: Entry, profile: Option<&Profile>) -> Entry {
    let guide = profile.map(|profile| profile.guide.id());
    let parsed = Parsed {
        arns: entry.resource.iter().filter(|_| entry.cloud == Cloud::Aws).cloned().collect(),
        issuer: entry.issuer.clone(),
        client_id: entry.resource.clone().filter(|_| entry.cloud == Cloud::Azure),
        ..Parsed::default()
    };
    let values = Values { profile, parsed: Some(&parsed), ..Values::default() };
    entry.causes.iter_mut().for_each(|finding| advise(finding, guide, &values));
    entry
}

/// The whole log.
pub fn page(report: &EventsReport, ctx: RenderContext) -> Page {
    let mut page = Page::titled(headline(report, ctx));
    if report.entries.is_empty() {
        page.text(Role::Muted, "CloudTrail shows an exchange about five minutes after it was made; a token that STS could not verify may never appear.");
        return page;
    }
    page.push(super::page::Block::Table(table(&report.entries, ctx)));
    if report.left_out > 0 {
        page.text(Role::Muted, format!("{} more: --output json has all", report.left_out));
    }
    for entry in report.entries.iter().filter(|entry| !is_plain(entry)).take(IN_FULL) {
        page.gap();
        page.part(entry_page(entry, ctx));
    }
    page
}

fn headline(report: &EventsReport, ctx: RenderContext) -> Line {
    let EventsReport { refused, granted, events, .. } = report;
    let words = match (refused, granted) {
        (0, 0) => format!("no exchange among {events} events"),
        _ => format!("exchanges: {refused} refused and {granted} granted, among {events} events"),
    };
    let of = if report.source.is_empty() { String::new() } else { format!(" of {}", ctx.prose(&report.source)) };
    Line::of(Role::Strong, words).with(Role::Muted, of)
}

/// Granted, as the trust at hand would have it: there is nothing more to tell.
fn is_plain(entry: &Entry) -> bool {
    entry.outcome == Became::Granted && entry.verdict != Decision::Deny
}

/// The entries in columns.
pub fn table(entries: &[Entry], ctx: RenderContext) -> Table {
    const COLUMNS: [Column; 6] = [
        Column::new(""),
        Column::of("count", ColumnKind::Right),
        Column::new("last"),
        Column::new("cause"),
        Column::of("for", ColumnKind::Upto(ROLE_WIDTH)),
        Column::new("subject"),
    ];
    let rows = entries.iter().map(|entry| {
        vec![
            Cell::Outcome(outcome(entry)),
            Line::of(Role::Plain, entry.count.to_string()).into(),
            Line::of(Role::Muted, entry.last.as_deref().map_or("", |time| time.get(..16).unwrap_or(time))).into(),
            Line::of(Role::Plain, cause(entry)).into(),
            Line::of(Role::Plain, ctx.value(short(entry.resource.as_deref().unwrap_or("unknown")))).into(),
            Line::of(Role::Plain, ctx.value(entry.subject.as_deref().unwrap_or("unknown"))).into(),
        ]
    });
    Table { columns: COLUMNS.to_vec(), headed: true, rows: rows.collect() }
}

/// The sign of an entry: whether it was refused, and whether that is explained.
pub fn outcome(entry: &Entry) -> Outcome {
    match (entry.outcome, entry.verdict) {
        (Became::Refused, Decision::Deny) => Outcome::Fail,
        (Became::Refused, _) => Outcome::Inconclusive,
        (Became::Granted, Decision::Deny) => Outcome::Warn,
        (Became::Granted, _) => Outcome::Pass,
    }
}

/// The cause in a word, else what the verdict is.
pub fn cause(entry: &Entry) -> String {
    match (entry.causes.first(), entry.outcome) {
        (Some(finding), _) => finding.cause.id().to_owned(),
        (None, Became::Granted) => "granted".to_owned(),
        (None, Became::Refused) => "unknown".to_owned(),
    }
}

/// The name of a role, a provider or a secret, without what all of them have.
pub fn short(resource: &str) -> &str {
    const BEFORE: [&str; 3] = [":role/", "/workloadIdentityPools/", "/secrets/"];
    BEFORE.iter().find_map(|before| resource.split_once(before)).map_or(resource, |(_, name)| name)
}

/// What was asked for.
fn asked(entry: &Entry) -> &'static str {
    match (entry.cloud, entry.resource.as_deref()) {
        (Cloud::Aws, _) => "role",
        (Cloud::Azure, _) => "application",
        (Cloud::Gcp, Some(name)) if name.contains("/secrets/") => "secret",
        (Cloud::Gcp, _) => "provider",
    }
}

/// One entry: who, for what, when, and why.
pub fn entry_page(entry: &Entry, ctx: RenderContext) -> Page {
    let times = if entry.count == 1 { "once".to_owned() } else { format!("{} times", entry.count) };
    let became = match entry.outcome {
        Became::Refused => "refused",
        Became::Granted => "granted",
    };
    let title = Line::from(ctx.sign(outcome(entry))).with(Role::Strong, format!(" {became} {times}")).hanging(2);
    let mut page = Page::titled(title);
    for (label, value) in [
        (asked(entry), &entry.resource),
        ("issuer", &entry.issuer),
        ("audience", &entry.audience),
        ("subject", &entry.subject),
        ("credential", &entry.credential),
    ] {
        if let Some(value) = value {
            page.value(label, value, ctx);
        }
    }
    let error = [entry.code.as_deref(), entry.message.as_deref()].into_iter().flatten().collect::<Vec<_>>().join(": ");
    if !error.is_empty() {
        page.prose("error", Role::Plain, &error, ctx);
    }
    if let (Some(first), Some(last)) = (&entry.first, &entry.last) {
        let when = if first == last { first.clone() } else { format!("{first} to {last}") };
        page.value("when", &when, ctx);
    }
    if !entry.request_ids.is_empty() {
        page.value("requests", &entry.request_ids.join(", "), ctx);
    }
    let (verdict, role) = match entry.verdict {
        Decision::Allow => ("the trust at hand allows it", Role::Plain),
        Decision::Deny => ("the trust at hand denies it", Role::Plain),
        Decision::Unknown => ("unknown", Role::Warning),
    };
    let why = entry.why.as_deref().map(|why| format!(": {why}")).unwrap_or_default();
    page.prose("verdict", role, &format!("{verdict}{why}"), ctx);
    for found in &entry.causes {
        page.gap();
        page.part(finding::page(found, ctx));
    }
    page
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::cause::exchange::{Each, Journal, Trusts};
    use crate::domain::exchange::{Exchange, Refusal};
    use crate::domain::iam::Policy;
    use crate::report::ansi::TextFormat;

    const PROVIDER: &str = "arn:aws:iam::123456789012:oidc-provider/app.example.com";

    fn report(subjects: &[&str]) -> EventsReport {
        let policy = json!({"Role": {"Arn": "arn:aws:iam::123456789012:role/reader", "AssumeRolePolicyDocument": {
            "Version": "2012-10-17", "Statement": {"Effect": "Allow", "Principal": {"Federated": PROVIDER},
            "Action": "sts:AssumeRoleWithWebIdentity",
            "Condition": {"StringEquals": {"app.example.com:sub": "organization:1"}}}}}});
        let mut trusts = Trusts::default();
        trusts.add_policy(Policy::parse(&policy.to_string()).unwrap(), None);
        let mut journal = Journal::new(&trusts, Each::Counted);
        for (at, subject) in (1_796_014_800..).zip(subjects) {
            journal.add(&Exchange {
                cloud: Cloud::Aws,
                resource: Some("arn:aws:iam::123456789012:role/reader".into()),
                provider: Some(PROVIDER.into()),
                issuer: Some("https://app.example.com".into()),
                audience: Some("sts.amazonaws.com".into()),
                subject: Some((*subject).into()),
                refusal: (*subject != "organization:1").then(|| Refusal { code: "AccessDenied".into(), message: None }),
                credential: None,
                at: Some(at),
                request_id: Some(format!("id-{at}")),
                region: None,
                session_name: None,
            });
        }
        let mut report = EventsReport { events: 9, ..EventsReport::default() };
        journal.entries(&trusts).map(|entry| advised_entry(entry, None)).for_each(|entry| report.add(entry));
        report
    }

    #[test]
    fn a_refusal_is_told_with_whose_token_it_was_and_why() {
        let report = report(&["organization:2", "organization:1", "organization:2"]);
        let text = TextFormat::PLAIN.render(&page(&report, TextFormat::PLAIN.context()));
        for told in [
            "exchanges: 2 refused and 1 granted, among 9 events",
            "refused 2 times",
            "sub-mismatch",
            "organization:2",
            "when      2026-11-30T05:00:00Z to 2026-11-30T05:00:02Z",
            "requests  id-1796014800, id-1796014802",
            "verdict   the trust at hand denies it",
        ] {
            assert!(text.contains(told), "{told}\n{text}");
        }
        assert!(!text.contains("granted once"), "a grant is told in the table alone\n{text}");
    }

    #[test]
    fn what_does_not_fit_is_counted() {
        let subjects: Vec<String> = (0..MOST_SHOWN + 5).map(|n| format!("s{n}\u{1b}[31m")).collect();
        let report = report(&subjects.iter().map(String::as_str).collect::<Vec<_>>());
        assert_eq!((report.entries.len(), report.left_out, report.refused), (MOST_SHOWN, 5, MOST_SHOWN as u64 + 5));
        let text = TextFormat::PLAIN.render(&page(&report, TextFormat::PLAIN.context()));
        assert!(text.contains("5 more: --output json has all") && !text.contains('\u{1b}'), "{text}");
    }
}
