//! What of an audit is an alert in a CI: each finding at its line, what was accepted with its reason, and what could not be judged.

use std::fmt::Write as _;

use serde_json::{Map, Value, json};

use super::{AuditReport, usage};
use crate::audit::{AuditFinding, Location};
use crate::report::ci::{Alert, Alerts, Level, NotJudged, Place, Remark};

/// The alerts of an audit.
pub fn alerts(report: &AuditReport) -> Alerts {
    let accepted = report.suppressed.iter().map(|(finding, suppression)| alert(finding, Some(&suppression.reason)));
    let found = report.findings.iter().map(|finding| alert(finding, None)).chain(accepted).collect();
    let not_judged = report.read.not_judged.iter().map(|unjudged| NotJudged {
        resource: unjudged.resource.clone(),
        why: unjudged.why.clone(),
        place: unjudged.location.as_ref().map(place),
    });
    let mut alerts = Alerts { found, not_judged: not_judged.collect(), ..Alerts::default() };
    if let Some(summary) = usage::summary(report) {
        let unseen: Vec<&str> =
            report.uses.iter().filter(|of| of.used.is_unseen()).map(|of| of.resource.as_str()).collect();
        let unseen = if unseen.is_empty() { String::new() } else { format!("\nNot seen: {}", unseen.join(", ")) };
        alerts.remarks.push(Remark { title: "use".to_owned(), text: format!("{summary}{unseen}") });
        alerts.properties.insert("use".to_owned(), json!({ "summary": summary, "trusts": report.uses }));
    }
    alerts
}

fn alert(finding: &AuditFinding, accepted: Option<&String>) -> Alert {
    let mut properties = Map::new();
    properties.insert("severity".to_owned(), json!(finding.severity));
    properties.insert("certainty".to_owned(), json!(finding.certainty));
    properties.insert("resource".to_owned(), Value::from(finding.resource.as_str()));
    properties.extend(finding.used.as_ref().map(|used| ("use".to_owned(), json!(used))));
    Alert {
        cause: finding.cause,
        level: Level::of(finding.severity),
        title: format!("{} ({})", finding.cause.id(), finding.severity.name()),
        message: format!("{}: {}", finding.resource, message(finding)),
        fingerprint: finding.id.clone(),
        resource: finding.resource.clone(),
        place: finding.location.as_ref().map(place),
        suppressed: accepted.cloned(),
        properties,
    }
}

fn place(at: &Location) -> Place {
    Place { file: at.file.clone(), line: at.line }
}

/// A finding in words, for those who see no more of it.
pub(super) fn message(finding: &AuditFinding) -> String {
    let mut text = finding.summary.clone();
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
    text
}
