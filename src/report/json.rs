//! A report as `trustline.check/1`.

use serde_json::{Map, Value, json};

use crate::run::event::FinishedCheck;
use crate::run::report::Report;

/// The schema's name.
pub const SCHEMA: &str = "trustline.check/1";

/// The report as one JSON document. A run that was cut off has the verdict `inconclusive`.
pub fn report(report: &Report) -> Value {
    let checks: Vec<Value> = report.finished().map(check).collect();
    let mut document = Map::new();
    document.insert("schema".into(), SCHEMA.into());
    document.insert("profile".into(), report.profile.clone().into());
    document.insert("guide".into(), report.guide.clone().into());
    document.insert("started".into(), report.started.clone().into());
    document.insert("duration_ms".into(), report.end.as_ref().map(|e| e.duration_ms).into());
    document.insert("verdict".into(), report.end.as_ref().map_or(json!("inconclusive"), |e| json!(e.verdict)));
    if let Some(why) = report.end.as_ref().and_then(|e| e.cut_short.clone()) {
        document.insert("cut_short".into(), why.into());
    }
    document.insert("checks".into(), checks.into());
    document.insert("findings".into(), json!(report.findings));
    if let Some(undecided) = &report.undecided {
        document.insert("undecided".into(), json!(undecided));
    }
    Value::Object(document)
}

fn check(finished: &FinishedCheck) -> Value {
    let mut check = Map::new();
    check.insert("id".into(), finished.id.id().into());
    check.insert("title".into(), finished.title.clone().into());
    check.insert("outcome".into(), json!(finished.outcome));
    if let Some(reason) = &finished.reason {
        check.insert("reason".into(), reason.clone().into());
    }
    check.insert("duration_ms".into(), finished.duration_ms.into());
    check.insert("started_ms".into(), finished.started_ms.into());
    check.insert("facts".into(), finished.facts.clone().into());
    check.insert("docs".into(), finished.docs.clone().into());
    Value::Object(check)
}
