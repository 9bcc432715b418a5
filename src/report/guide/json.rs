//! The guides as JSON: `trustline.guide/1`.

use serde_json::{Value as Json, json};

use super::{GuideReport, artifacts};
use crate::cause::catalogue;
use crate::check::CheckId;
use crate::domain::profile::key::Key;
use crate::domain::profile::setting::Need;
use crate::guide::{
    Artifact, FailedElsewhere, Field, Missing, Place, Proof, Reading, Step, StepState, Tab, TellingAnswer,
    TemplateContext, TokenOrigin, Values, fill, next_open, render as artifact, token_origin,
};

/// The document: every guide asked for, with all of its steps or the one.
pub fn document(followed: &[GuideReport], step: Option<u8>) -> Json {
    let guides: Vec<Json> = followed.iter().map(|guide| guide_json(guide, step)).collect();
    json!({ "schema": "trustline.guide/1", "guides": guides })
}

fn guide_json(followed: &GuideReport, only: Option<u8>) -> Json {
    let wanted = |step: &&Step| only.is_none_or(|number| step.number == number);
    let prerequisites = followed.text.step(0).filter(wanted).map(|step| step_json(followed, step));
    let steps: Vec<Json> = followed
        .text
        .steps
        .iter()
        .filter(|step| step.number > 0)
        .filter(wanted)
        .map(|step| step_json(followed, step))
        .collect();
    json!({
        "id": followed.guide.id(),
        "title": followed.text.title,
        "summary": followed.text.summary,
        "of_profile": followed.own,
        "checked": followed.checked,
        "next": followed.states.as_deref().and_then(next_open),
        "count": followed.text.count(),
        "prerequisites": prerequisites,
        "steps": steps,
        "reading": readings(&followed.text.reading),
    })
}

fn step_json(followed: &GuideReport, step: &Step) -> Json {
    let mut filling = TemplateContext::new(&followed.values);
    let mut all = |texts: &[String]| texts.iter().map(|text| fill(text, &mut filling)).collect::<Vec<_>>();
    let (instructions, corrections) = (all(&step.instructions), all(&step.corrections));
    let purpose = fill(&step.purpose, &mut filling);
    let places: Vec<Json> = step.places.iter().map(|place| place_json(place, &mut filling)).collect();
    let tabs: Vec<Json> = step.tabs.iter().map(|tab| tab_json(tab, &mut filling)).collect();
    let failures: Vec<Json> = step
        .failures(followed.guide)
        .into_iter()
        .map(|cause| json!({ "cause": cause.id(), "title": catalogue::entry(cause).title }))
        .collect();
    json!({
        "number": step.number,
        "id": step.id,
        "title": step.title,
        "purpose": purpose,
        "places": places,
        "instructions": instructions,
        "tabs": tabs,
        "fields": step.fields.iter().map(|field| field_json(field, &followed.values)).collect::<Vec<_>>(),
        "token": token_origin(step, &followed.values).map(|origin| origin_json(&origin)),
        "artifacts": artifacts(step).into_iter().map(|a| artifact_json(a, &followed.values)).collect::<Vec<_>>(),
        "checks": step.checks.iter().map(check_json).collect::<Vec<_>>(),
        "supporting": step.supporting.iter().map(check_json).collect::<Vec<_>>(),
        "seen_by": step.seen_by.iter().map(check_json).collect::<Vec<_>>(),
        "shown_by_answers": answers(&step.shown_by_answers),
        "shown_by": proofs(&step.shown_by),
        "confirm": step.confirm,
        "corrections": corrections,
        "failures": failures,
        "reading": readings(&step.reading),
        "state": followed.state(step).map(state_json),
    })
}

fn place_json(place: &Place, filling: &mut TemplateContext<'_>) -> Json {
    let address = place.address.as_deref().map(|address| fill(address, filling));
    json!({ "on": place.on.id(), "path": fill(&place.path, filling), "address": address })
}

fn tab_json(tab: &Tab, filling: &mut TemplateContext<'_>) -> Json {
    let instructions: Vec<String> = tab.instructions.iter().map(|text| fill(text, filling)).collect();
    let artifacts: Vec<&str> = tab.artifacts.iter().map(|artifact| artifact.id()).collect();
    json!({ "title": tab.title, "instructions": instructions, "artifacts": artifacts })
}

fn field_json(field: &Field, values: &Values) -> Json {
    let value = values.text(field.key);
    // An external id is no credential, yet people keep it to themselves.
    let shown = value.filter(|_| field.key != Key::ExternalId);
    json!({
        "key": field.key.path(),
        "about": field.key.about(),
        "required": field.need == Need::Required,
        "note": field.note,
        "set": value.is_some(),
        "value": shown,
    })
}

fn artifact_json(which: Artifact, values: &Values) -> Json {
    let rendered = artifact(which, values);
    json!({
        "id": which.id(),
        "title": which.title(),
        "form": which.form().id(),
        "text": rendered.text,
        "missing": missing_json(&rendered.missing),
        "notes": rendered.notes,
    })
}

fn check_json(check: &CheckId) -> Json {
    json!({ "id": check.id(), "title": check.title() })
}

fn origin_json(origin: &TokenOrigin) -> Json {
    json!({ "how": origin.how, "script": origin.script, "missing": missing_json(&origin.missing) })
}

fn missing_json(missing: &[Missing]) -> Vec<Json> {
    missing.iter().map(|m| json!({ "placeholder": m.placeholder, "key": m.key.path() })).collect()
}

fn answers(answers: &[TellingAnswer]) -> Vec<Json> {
    answers.iter().map(|a| json!({ "check": a.check.id(), "codes": a.codes, "says": a.says })).collect()
}

fn proofs(proofs: &[Proof]) -> Vec<&'static str> {
    proofs.iter().map(|proof| proof.id()).collect()
}

fn readings(readings: &[Reading]) -> Vec<Json> {
    readings.iter().map(|reading| json!({ "title": reading.title, "url": reading.url })).collect()
}

fn ids(checks: &[CheckId]) -> Vec<&'static str> {
    checks.iter().map(|check| check.id()).collect()
}

fn failed_json(failed: &FailedElsewhere) -> Json {
    json!({ "check": failed.check.id(), "reason": failed.reason, "fixed_in": failed.fixed_in })
}

fn state_json(state: &StepState) -> Json {
    match state {
        StepState::Verified { checks, proofs: shown, at } => {
            json!({ "is": "verified", "checks": ids(checks), "proofs": proofs(shown), "at": at })
        }
        StepState::Answered { check, code, says, at } => {
            let answer = json!({ "check": check.id(), "code": code, "says": says });
            json!({ "is": "verified", "checks": [], "proofs": [], "answer": answer, "at": at })
        }
        StepState::Failing { check, findings } => {
            json!({ "is": "failing", "check": check.id(), "findings": findings })
        }
        StepState::Confirmed { at } => json!({ "is": "confirmed", "at": at }),
        StepState::Blocked { by } => json!({ "is": "blocked", "by": by }),
        StepState::ToDo(open) => json!({
            "is": "to-do",
            "fields": open.fields.iter().map(|key| key.path()).collect::<Vec<_>>(),
            "checks": ids(&open.checks),
            "not_told": open.untold.iter().map(|(check, why)| json!({ "check": check.id(), "reason": why })).collect::<Vec<_>>(),
            "failed": open.failed.iter().map(failed_json).collect::<Vec<_>>(),
            "confirmable": open.confirmable,
        }),
    }
}
