//! Findings as JUnit.

use std::fmt::Write as _;

use super::AuditReport;
use super::alerts::message;
use crate::domain::text::{escape_xml, visible_lines};
use crate::report::junit;

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
            escape(&format!("{}: {}\n{}", finding.resource, message(finding), finding.id)),
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
        let name = report.read.trusts_in_words();
        let _ = writeln!(xml, "    <testcase classname=\"audit\" name=\"{name}\" time=\"0.000\"/>");
    }
    xml.push_str("  </testsuite>\n");
    junit::document(&xml)
}

fn escape(text: &str) -> String {
    escape_xml(&visible_lines(text))
}
