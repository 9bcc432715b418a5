//! A rotation as `trustline.rotation/1`.

use serde_json::{Map, Value, json};

use super::seen_fingerprint;
use crate::domain::rotation::{RuntimeObservation, StoreSnapshot, Version};
use crate::domain::timestamp::{rfc3339, rfc3339_millis};
use crate::run::rotation::report::{RotationReport, SecretReport, Trouble};

/// The schema's name.
pub const SCHEMA: &str = "trustline.rotation/1";

/// The session as one JSON document. What is said at the top of a secret is the first secret's; `secrets` has all.
pub fn report(report: &RotationReport) -> Value {
    let mut document = Map::new();
    document.insert("schema".into(), SCHEMA.into());
    document.insert("profile".into(), report.profile.clone().into());
    document.insert("guide".into(), report.guide.clone().into());
    document.insert("started".into(), report.started.clone().into());
    document.insert("duration_ms".into(), report.end.as_ref().map(|end| end.duration_ms).into());
    document.insert("way".into(), json!(report.way));
    let secrets: Vec<Map<String, Value>> = report.secrets.iter().map(|one| secret(one, report)).collect();
    document.extend(secrets.first().cloned().unwrap_or_default());
    document.insert("verdict".into(), report.verdict().id().into());
    let optional = [
        ("reader", json!(report.reader)),
        ("operator", json!(report.operator)),
        ("clock_skew_s", json!(report.clock_skew_s)),
        ("cut_short", json!(report.end.as_ref().and_then(|end| end.cut_short.as_ref()))),
    ];
    document.extend(present(optional));
    document.insert("kickoffs".into(), json!(report.kickoffs));
    document.insert("secrets".into(), json!(secrets));
    let all = report.troubles.iter().chain(report.secrets.iter().flat_map(|secret| &secret.troubles));
    document.insert("troubles".into(), all.map(trouble).collect());
    Value::Object(document)
}

fn secret(one: &SecretReport, report: &RotationReport) -> Map<String, Value> {
    let judged = one.verdict();
    let stores = [one.after.as_ref(), one.before.as_ref()];
    let runtime = |sighting: &Option<RuntimeObservation>| sighting.as_ref().map(|sighting| seen(sighting, stores));
    let mut fields = Map::new();
    fields.insert("secret".into(), one.secret.clone().into());
    fields.insert("verdict".into(), judged.map_or("inconclusive", |judged| judged.judgement.verdict.id()).into());
    if let Some(Value::Object(why)) = judged.and_then(|judged| serde_json::to_value(&judged.judgement.why).ok()) {
        fields.insert("reason".into(), Value::Object(why));
    }
    fields.insert("before".into(), json!(one.before.as_ref().and_then(StoreSnapshot::current).map(version)));
    fields.insert("after".into(), json!(one.after.as_ref().and_then(StoreSnapshot::current).map(version)));
    let optional = [
        ("store_before", json!(one.before.as_ref().map(store))),
        ("store_after", json!(one.after.as_ref().map(store))),
        ("runtime_before", json!(runtime(&report.runtime_before))),
        ("runtime_after", json!(runtime(&report.runtime_after))),
        ("written", json!(one.written.as_ref().and_then(|(_, at)| rfc3339_millis(*at)))),
        ("propagated_ms", json!(judged.and_then(|judged| judged.propagated_ms))),
        ("rolled_back", json!(one.rolled_back)),
        ("warning", json!(one.warning())),
    ];
    fields.extend(present(optional));
    if one.judged.len() > 1 {
        let each = one.judged.iter().map(|judged| {
            let ms = ("propagated_ms", json!(judged.propagated_ms));
            let verdict = ("verdict", json!(judged.judgement.verdict));
            Value::Object(present([verdict, ms]).collect())
        });
        fields.insert("verdicts".into(), each.collect());
    }
    fields.insert("findings".into(), json!(judged.map_or(&[][..], |judged| &judged.findings)));
    fields
}

/// A version without the fingerprints of its value's other forms.
fn version(version: &Version) -> Map<String, Value> {
    let mut fields = Map::new();
    fields.insert("id".into(), version.id.clone().into());
    fields.insert("stages".into(), json!(version.stages));
    let optional = [
        ("created", json!(version.created_at.and_then(rfc3339))),
        ("fingerprint", json!(version.fingerprint)),
        ("guessability", json!(version.guessability)),
        ("enabled", if version.enabled { Value::Null } else { false.into() }),
    ];
    fields.extend(present(optional));
    fields
}

fn store(snapshot: &StoreSnapshot) -> Value {
    let mut fields = Map::new();
    fields.insert("store".into(), json!(snapshot.place.store));
    fields.insert("location".into(), snapshot.place.location.clone().into());
    fields.insert("seen".into(), json!(rfc3339_millis(snapshot.at)));
    fields.extend(present([("secret_id", json!(snapshot.secret_id))]));
    fields.insert("current".into(), snapshot.current.clone().into());
    fields.insert("versions".into(), snapshot.versions.iter().map(|v| Value::Object(version(v))).collect());
    fields.insert("unseen".into(), json!(snapshot.unseen));
    Value::Object(fields)
}

fn seen(sighting: &RuntimeObservation, stores: [Option<&StoreSnapshot>; 2]) -> Value {
    let mut fields = Map::new();
    fields.extend(present([("fingerprint", json!(seen_fingerprint(sighting, stores)))]));
    if let Ok(Value::Object(source)) = serde_json::to_value(&sighting.source) {
        fields.extend(source);
    }
    fields.insert("began".into(), json!(rfc3339_millis(sighting.began)));
    fields.insert("seen".into(), json!(rfc3339_millis(sighting.at)));
    if let Ok(Value::Object(output)) = serde_json::to_value(&sighting.output) {
        fields.extend(output);
    }
    if sighting.failed {
        fields.insert("failed".into(), true.into());
    }
    Value::Object(fields)
}

fn trouble(trouble: &Trouble) -> Value {
    json!({ "reason": trouble.reason, "findings": trouble.findings })
}

/// The entries that say something.
fn present<const N: usize>(entries: [(&str, Value); N]) -> impl Iterator<Item = (String, Value)> {
    entries.into_iter().filter(|(_, value)| !value.is_null()).map(|(name, value)| (name.to_owned(), value))
}
