//! Findings as SARIF 2.1.0 (<https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html>), for code scanning.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{AuditReport, usage};
use crate::audit::AuditFinding;
use crate::cause::{Cause, Severity, catalogue};

const SCHEMA: &str = "https://json.schemastore.org/sarif-2.1.0.json";

/// The report as a log of one run.
pub fn sarif(report: &AuditReport) -> Value {
    let told = report.findings.iter().chain(report.suppressed.iter().map(|(finding, _)| finding));
    let causes: BTreeSet<Cause> = told.map(|finding| finding.cause).collect();
    let mut results: Vec<Value> = report.findings.iter().map(result).collect();
    results.extend(report.suppressed.iter().map(|(finding, suppression)| {
        let mut result = result(finding);
        result["suppressions"] =
            json!([{ "kind": "external", "status": "accepted", "justification": suppression.reason }]);
        result
    }));
    let notifications: Vec<Value> = report
        .read
        .not_judged
        .iter()
        .map(|unjudged| {
            let mut notification = json!({
                "level": "warning",
                "message": { "text": format!("{} was not judged: {}", unjudged.resource, unjudged.why) },
            });
            if let Some(at) = &unjudged.location {
                notification["locations"] = json!([location(&at.file, at.line)]);
            }
            notification
        })
        .collect();
    let mut log = json!({
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "trustline",
                "version": env!("CARGO_PKG_VERSION"),
                "rules": causes.into_iter().map(rule).collect::<Vec<_>>(),
            } },
            "invocations": [{ "executionSuccessful": true, "toolExecutionNotifications": notifications }],
            "results": results,
        }],
    });
    if let Some(summary) = usage::summary(report) {
        log["runs"][0]["properties"] = json!({ "use": { "summary": summary, "trusts": report.uses } });
    }
    log
}

fn rule(cause: Cause) -> Value {
    let entry = catalogue::entry(cause);
    json!({
        "id": cause.id(),
        "shortDescription": { "text": entry.title },
        "fullDescription": { "text": entry.meaning },
        "helpUri": entry.docs,
    })
}

fn result(finding: &AuditFinding) -> Value {
    let mut message = finding.summary.clone();
    for admitted in &finding.admits {
        message.push_str(&format!("\n{} gets in ({}).", admitted.subject, admitted.why));
    }
    if let Some(used) = &finding.used {
        message.push_str(&format!("\nUsed: {}.", used.sentence()));
    }
    for fact in &finding.evidence {
        message.push_str(&format!("\nBecause {fact}."));
    }
    for fix in &finding.fixes {
        message.push_str(&format!("\nFix: {}", fix.text));
    }
    let mut result = json!({
        "ruleId": finding.cause.id(),
        "level": level(finding.severity),
        "message": { "text": message },
        "partialFingerprints": { "trustline/v1": finding.id },
        "properties": { "severity": finding.severity, "certainty": finding.certainty, "resource": finding.resource },
    });
    if let Some(used) = &finding.used {
        result["properties"]["use"] = json!(used);
    }
    let mut place = match &finding.location {
        Some(at) => location(&at.file, at.line),
        None => json!({}),
    };
    place["logicalLocations"] = json!([{ "fullyQualifiedName": finding.resource, "kind": "resource" }]);
    result["locations"] = json!([place]);
    result
}

fn location(file: &str, line: u64) -> Value {
    json!({ "physicalLocation": {
        "artifactLocation": { "uri": uri(file) },
        "region": { "startLine": line.max(1) },
    } })
}

/// A file's path as the reference that SARIF takes.
fn uri(file: &str) -> String {
    use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
    const KEPT: &AsciiSet = &CONTROLS
        .add(b' ')
        .add(b'"')
        .add(b'<')
        .add(b'>')
        .add(b'`')
        .add(b'#')
        .add(b'?')
        .add(b'{')
        .add(b'}')
        .add(b'%')
        .add(b'[')
        .add(b']')
        .add(b'^')
        .add(b'|')
        .add(b'\\')
        .add(b':');
    utf8_percent_encode(file, KEPT).to_string()
}

const fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical | Severity::High => "error",
        Severity::Medium => "warning",
        Severity::Low => "note",
    }
}
