//! A report as JUnit XML: one suite a profile, one case a check.

use std::fmt::Write as _;

use crate::check::Outcome;
use crate::domain::text::{escape_xml, visible_lines};
use crate::report::ansi::TextFormat;
use crate::report::finding;
use crate::run::event::FinishedCheck;
use crate::run::report::Report;

/// The report as a JUnit document. What could not be checked is an error, what failed a failure.
pub fn report(report: &Report) -> String {
    document(&suite(report))
}

/// Suites as a document.
pub fn document(suites: &str) -> String {
    format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n{suites}</testsuites>\n")
}

/// The suite of a profile that was not checked: one case, with the reason.
pub fn unchecked(profile: &str, reason: &str) -> String {
    let profile = escape(profile);
    format!(
        "  <testsuite name=\"{profile}\" tests=\"1\" failures=\"0\" errors=\"1\" skipped=\"0\" time=\"0.000\">\n    \
         <testcase classname=\"profile\" name=\"{profile} can be checked\" time=\"0.000\">\
         <error message=\"{}\"/></testcase>\n  </testsuite>\n",
        escape(reason)
    )
}

/// A run as a suite, to stand in a document.
pub fn suite(report: &Report) -> String {
    let counts = report.counts();
    let seconds = |ms: u64| format!("{}.{:03}", ms / 1000, ms % 1000);
    let total = report.end.as_ref().map_or(0, |e| e.duration_ms);
    let mut xml = String::new();
    let _ = writeln!(
        xml,
        "  <testsuite name=\"{}\" tests=\"{}\" failures=\"{}\" errors=\"{}\" skipped=\"{}\" time=\"{}\" timestamp=\"{}\">",
        escape(&report.profile),
        report.finished().count(),
        counts.failed,
        counts.inconclusive,
        counts.skipped,
        seconds(total),
        escape(&report.started),
    );
    for check in report.finished() {
        let _ = write!(
            xml,
            "    <testcase classname=\"{}\" name=\"{}\" time=\"{}\"",
            escape(check.id.id()),
            escape(&check.title),
            seconds(check.duration_ms),
        );
        let element = match check.outcome {
            Outcome::Pass | Outcome::Warn => None,
            Outcome::Fail => Some("failure"),
            Outcome::Inconclusive => Some("error"),
            Outcome::Skipped => Some("skipped"),
        };
        let reason = escape(check.reason.as_deref().unwrap_or_default());
        match element {
            None if check.outcome == Outcome::Warn => {
                let _ = writeln!(xml, "><system-out>{}</system-out></testcase>", escape(&details(report, check)));
            }
            None => xml.push_str("/>\n"),
            Some("skipped") => {
                let _ = writeln!(xml, "><skipped message=\"{reason}\"/></testcase>");
            }
            Some(element) => {
                let _ = writeln!(
                    xml,
                    "><{element} message=\"{reason}\"{}>{}</{element}></testcase>",
                    report.told(check).first().map(|f| format!(" type=\"{}\"", f.cause)).unwrap_or_default(),
                    escape(&details(report, check))
                );
            }
        }
    }
    xml.push_str("  </testsuite>\n");
    xml
}

/// What a check found, in full where it is told; a cause that another check tells in full, by its name.
fn details(report: &Report, check: &FinishedCheck) -> String {
    let ctx = TextFormat::PLAIN.context();
    let mut lines: Vec<String> = Vec::new();
    for found in report.told(check) {
        if found.check == check.id {
            lines.extend(TextFormat::PLAIN.lines(&finding::page(&found, ctx)));
        } else {
            lines.push(format!("{}: see {}", found.cause, found.check));
        }
    }
    if let Some(undecided) = report.undecided.as_ref().filter(|undecided| undecided.check == check.id) {
        lines.extend(TextFormat::PLAIN.lines(&finding::undecided(undecided, ctx)));
    }
    if lines.is_empty() { check.reason.clone().unwrap_or_default() } else { lines.join("\n") }
}

/// Text as a terminal may show it, for an XML element or a double-quoted attribute.
fn escape(text: &str) -> String {
    escape_xml(&visible_lines(text)).replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::CheckId;
    use crate::run::event::{EventKind, PlannedCheck, RunEvent};

    #[test]
    fn each_outcome_is_counted_as_what_it_is_and_texts_stay_texts() {
        let outcomes = [
            (CheckId::IssuerReachable, Outcome::Pass),
            (CheckId::IssuerTls, Outcome::Warn),
            (CheckId::TokenTime, Outcome::Fail),
            (CheckId::TokenClaims, Outcome::Inconclusive),
            (CheckId::AwsListSecrets, Outcome::Inconclusive),
            (CheckId::AwsGetSecret, Outcome::Skipped),
        ];
        let checks = outcomes.iter().map(|(id, _)| PlannedCheck { id: *id, title: id.title().into() }).collect();
        let (profile, guide) = ("a \"b\" <c> & d".to_owned(), "aws-workload-identity".to_owned());
        let mut kinds = vec![EventKind::Planned { profile, guide, started: "2026-01-01T00:00:00Z".into(), checks }];
        kinds.extend(outcomes.into_iter().map(|(id, outcome)| {
            EventKind::Finished(Box::new(FinishedCheck {
                id,
                title: id.title().to_owned(),
                outcome,
                reason: Some("said \"no\"\u{1b}[2J".to_owned()),
                started_ms: 0,
                duration_ms: 1500,
                facts: serde_json::Map::new(),
                docs: String::new(),
                findings: vec![],
                blocked_by: None,
            }))
        }));
        let events: Vec<RunEvent> =
            kinds.into_iter().zip(0..).map(|(kind, seq)| RunEvent { seq, at_ms: 0, kind }).collect();
        let xml = report(&Report::of(&events));
        assert!(xml.contains("tests=\"6\" failures=\"1\" errors=\"2\" skipped=\"1\""), "{xml}");
        assert!(xml.contains("name=\"a &quot;b&quot; &lt;c&gt; &amp; d\""), "{xml}");
        assert!(xml.contains("<skipped message=\"said &quot;no&quot;\\u{1b}[2J\"/>"), "{xml}");
        for (element, count) in [("<failure ", 1), ("<error ", 2), ("<skipped ", 1), ("time=\"1.500\"", 6)] {
            assert_eq!(xml.matches(element).count(), count, "{element} in {xml}");
        }
    }
}
