//! Findings for CI: GitHub's annotations, and JUnit.

use std::fmt::Write as _;

use super::AuditReport;
use super::usage::summary;
use crate::audit::{AuditFinding, Location};
use crate::cause::Severity;
use crate::domain::text::{escape_xml, visible_lines};
use crate::report::junit;

/// A line for each finding, as GitHub's runner reads them from a job's output
/// (<https://docs.github.com/actions/reference/workflows-and-actions/workflow-commands>).
pub fn github(report: &AuditReport) -> String {
    let mut lines = String::new();
    for finding in &report.findings {
        let level = match finding.severity {
            Severity::Critical | Severity::High => "error",
            Severity::Medium => "warning",
            Severity::Low => "notice",
        };
        let mut properties = Vec::new();
        if let Some(Location { file, line }) = &finding.location {
            properties.push(format!("file={},line={line}", property(file)));
        }
        properties
            .push(format!("title={}", property(&format!("{} ({})", finding.cause.id(), finding.severity.name()))));
        let _ = writeln!(lines, "::{level} {}::{}", properties.join(","), data(&message(finding)));
    }
    for unjudged in &report.read.not_judged {
        let place = unjudged.location.as_ref().map(|at| format!("file={},line={},", property(&at.file), at.line));
        let words = data(&format!("{}: {}", unjudged.resource, unjudged.why));
        let _ = writeln!(lines, "::warning {}title=not judged::{words}", place.unwrap_or_default());
    }
    if let Some(summary) = summary(report) {
        let unseen: Vec<&str> =
            report.uses.iter().filter(|of| of.used.is_unseen()).map(|of| of.resource.as_str()).collect();
        let unseen = if unseen.is_empty() { String::new() } else { format!("\nNot seen: {}", unseen.join(", ")) };
        let _ = writeln!(lines, "::notice title=use::{}", data(&visible_lines(&format!("{summary}{unseen}"))));
    }
    lines
}

/// A suite in which each finding is a case that failed; an audit without findings is one that passed.
pub fn junit(report: &AuditReport) -> String {
    let cases = report.findings.len() + report.read.not_judged.len();
    let mut xml = format!(
        "  <testsuite name=\"trustline audit\" tests=\"{}\" failures=\"{}\" errors=\"{}\" skipped=\"0\" time=\"0.000\">\n",
        cases.max(1),
        report.findings.len(),
        report.read.not_judged.len(),
    );
    if !report.uses.is_empty() {
        xml.push_str("    <properties>\n");
        for of in &report.uses {
            let (name, value) = (escape(&format!("use of {}", of.resource)), escape(&of.used.sentence()));
            let _ = writeln!(xml, "      <property name=\"{name}\" value=\"{value}\"/>");
        }
        xml.push_str("    </properties>\n");
    }
    for finding in &report.findings {
        let _ = writeln!(
            xml,
            "    <testcase classname=\"{}\" name=\"{}\" time=\"0.000\"><failure type=\"{}\" message=\"{}\">{}</failure></testcase>",
            finding.cause.id(),
            escape(&format!("{} {}", finding.resource, finding.id)),
            finding.severity.name(),
            escape(&finding.summary),
            escape(&message(finding)),
        );
    }
    for unjudged in &report.read.not_judged {
        let _ = writeln!(
            xml,
            "    <testcase classname=\"not-judged\" name=\"{}\" time=\"0.000\"><error message=\"{}\"/></testcase>",
            escape(&unjudged.resource),
            escape(&unjudged.why),
        );
    }
    if cases == 0 {
        let name = format!("{} federated trusts", report.read.trusts);
        let _ = writeln!(xml, "    <testcase classname=\"audit\" name=\"{name}\" time=\"0.000\"/>");
    }
    xml.push_str("  </testsuite>\n");
    junit::document(&xml)
}

fn message(finding: &AuditFinding) -> String {
    let mut text = format!("{}: {}", finding.resource, finding.summary);
    for admitted in &finding.admits {
        let _ = write!(text, "\n{} gets in: {}", admitted.subject, admitted.why);
    }
    if let Some(used) = &finding.used {
        let _ = write!(text, "\nUsed: {}", used.sentence());
    }
    for fact in &finding.evidence {
        let _ = write!(text, "\nBecause {fact}");
    }
    for fix in &finding.fixes {
        let _ = write!(text, "\nFix: {}", fix.text);
    }
    let _ = write!(text, "\n{}", finding.id);
    visible_lines(&text)
}

fn escape(text: &str) -> String {
    escape_xml(&visible_lines(text))
}

fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}
