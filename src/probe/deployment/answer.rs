//! The deployment's answers, of either generation, read into facts.

use serde_json::Value;

use crate::cause::explain::{ExplainContext, explain};
use crate::check::facts::deployment::{DeclaredInputs, Kickoff, RunState, RunStatus};
use crate::domain::runtime_output::RuntimeOutput;

/// The most names that are kept of a deployment's inputs, and the characters of each.
const MOST_INPUTS: usize = 200;
const LONGEST_NAME: usize = 200;
/// The most causes that are kept of a failed run.
const MOST_CAUSES: usize = 3;

/// The names of the expected inputs: a list, or an object's keys, at the top or under `inputs`.
pub(super) fn inputs(body: &Value) -> Result<DeclaredInputs, String> {
    let names: Vec<&str> = match body.get("inputs").unwrap_or(body) {
        Value::Array(items) => {
            items.iter().filter_map(|item| item.as_str().or_else(|| item.get("name")?.as_str())).collect()
        }
        Value::Object(fields) => fields.keys().map(String::as_str).collect(),
        Value::Null if body.get("inputs").is_some() => Vec::new(),
        _ => return Err("the answer names no inputs".to_owned()),
    };
    let short = |name: &str| name.chars().take(LONGEST_NAME).collect();
    Ok(DeclaredInputs { inputs: names.into_iter().take(MOST_INPUTS).map(short).collect() })
}

/// The id of the run that was begun.
pub(super) fn kickoff(body: &Value) -> Result<Kickoff, String> {
    let id = ["kickoff_id", "kickoffId", "task_id", "id"].iter().find_map(|key| body.get(key)?.as_str());
    let id = id.ok_or("the answer holds no kickoff_id")?;
    let fits = (1..=128).contains(&id.len())
        && id.chars().all(|c| c.is_ascii_alphanumeric() || "-_.:".contains(c))
        && id.chars().any(|c| c.is_ascii_alphanumeric());
    if !fits {
        return Err("its kickoff_id is no id: up to 128 letters, digits and `-_.:`".to_owned());
    }
    Ok(Kickoff { kickoff_id: id.to_owned() })
}

/// How far a run is: `status`, or `state` of older deployments, in any letter case.
pub(super) fn status(body: &Value) -> Result<RunStatus, String> {
    let word = ["status", "state"].iter().find_map(|key| body.get(key)?.as_str());
    let word = word.ok_or("the answer holds neither `status` nor `state`")?.to_ascii_lowercase();
    let state = match word.as_str() {
        "completed" | "complete" | "success" | "succeeded" | "finished" | "done" => RunState::Completed,
        "error" | "failed" | "failure" | "revoked" | "cancelled" | "canceled" | "timeout" => RunState::Failed,
        "running" | "pending" | "started" | "queued" | "received" | "retry" | "in_progress" | "processing" => {
            RunState::Running
        }
        // A human's word may be waited for, or a state be newer than this program: it is not at its end.
        _ => RunState::Running,
    };
    let mut output = RuntimeOutput::default();
    each_text(body, &mut |text| output.read(text));
    let causes = match (state, complaint(body)) {
        (RunState::Failed, Some(error)) => {
            let given = ExplainContext { claims: None, trust: None, profile: None };
            explain(&error, &given).causes.iter().map(|finding| finding.cause).take(MOST_CAUSES).collect()
        }
        _ => Vec::new(),
    };
    Ok(RunStatus { state, output, causes })
}

/// What a refusal says in its own words, whichever field it puts them in.
pub(super) fn complaint(body: &Value) -> Option<String> {
    let field = ["detail", "message", "error", "result"].iter().find_map(|key| body.get(key))?;
    match field {
        Value::String(text) => Some(text.clone()),
        Value::Array(items) => {
            let said = |item: &Value| {
                let place = item.get("loc").and_then(Value::as_array).and_then(|loc| loc.last()?.as_str());
                let message = item.get("msg").and_then(Value::as_str)?;
                Some(place.map_or_else(|| message.to_owned(), |place| format!("{place}: {message}")))
            };
            let said: Vec<String> = items.iter().take(8).filter_map(said).collect();
            (!said.is_empty()).then(|| said.join("; "))
        }
        Value::Object(fields) => fields.get("message").and_then(Value::as_str).map(str::to_owned),
        _ => None,
    }
}

fn each_text(value: &Value, read: &mut impl FnMut(&str)) {
    match value {
        Value::String(text) => read(text),
        Value::Array(items) => items.iter().for_each(|item| each_text(item, read)),
        Value::Object(fields) => fields.values().for_each(|field| each_text(field, read)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::cause::Cause;

    const LINE: &str = "Authenticated. credential.fingerprint=sha256:5d8269a65fdc";

    #[test]
    fn both_generations_of_a_status_are_read() {
        for (body, state, fingerprints) in [
            (json!({ "status": "running" }), RunState::Running, 0),
            (json!({ "state": "PENDING" }), RunState::Running, 0),
            (
                json!({ "status": "completed", "result": { "output": LINE, "tasks": [{ "output": LINE }] } }),
                RunState::Completed,
                1,
            ),
            (json!({ "state": "SUCCESS", "result": LINE, "result_json": null }), RunState::Completed, 1),
            (json!({ "state": "SUCCESS", "last_step": { "raw": { "deep": [LINE] } } }), RunState::Completed, 1),
            (json!({ "status": "error", "error": "boom" }), RunState::Failed, 0),
            (json!({ "state": "FAILURE" }), RunState::Failed, 0),
            (json!({ "status": "waiting_for_human" }), RunState::Running, 0),
        ] {
            let read = status(&body).unwrap();
            assert_eq!((read.state, read.output.fingerprints.len()), (state, fingerprints), "{body}");
        }
        assert!(status(&json!({ "progress": 1 })).is_err());
        assert!(status(&json!([])).is_err());
    }

    #[test]
    fn a_failed_runs_error_is_kept_as_causes_alone() {
        let error = "AccessDenied: Not authorized to perform sts:AssumeRoleWithWebIdentity; key=hunter2hunter2";
        let read = status(&json!({ "status": "error", "error": error })).unwrap();
        assert!(!read.causes.is_empty() && !serde_json::to_string(&read).unwrap().contains("hunter2"));
        let read =
            status(&json!({ "status": "error", "error": "ERROR: API_KEY env var is not set. Set it." })).unwrap();
        assert_eq!(read.output.unset, ["API_KEY"]);
        let read = status(&json!({ "status": "error", "error": "Incorrect token audience" })).unwrap();
        assert_eq!(read.causes.first(), Some(&Cause::AudNotRegistered));
    }

    #[test]
    fn inputs_are_named_in_any_shape() {
        for (body, names) in [
            (json!({ "inputs": ["topic", "year"] }), &["topic", "year"][..]),
            (json!(["topic"]), &["topic"]),
            (json!({ "inputs": { "topic": "text" } }), &["topic"]),
            (json!({ "inputs": [{ "name": "topic" }] }), &["topic"]),
            (json!({ "inputs": null }), &[]),
            (json!({ "inputs": [] }), &[]),
        ] {
            assert_eq!(inputs(&body).unwrap().inputs, names, "{body}");
        }
        assert!(inputs(&json!("topic")).is_err());
    }

    #[test]
    fn an_id_that_could_lead_elsewhere_is_none() {
        assert!(kickoff(&json!({ "kickoff_id": "7b0c-1" })).is_ok());
        assert!(kickoff(&json!({ "task_id": "7b0c-1" })).is_ok());
        for id in ["", "..", "a/b", "a?b", "a b", "\u{1b}[2J", &"a".repeat(129)] {
            assert!(kickoff(&json!({ "kickoff_id": id })).is_err(), "{id}");
        }
    }

    #[test]
    fn complaints_are_found() {
        for (body, said) in [
            (json!({ "detail": "no" }), Some("no")),
            (
                json!({ "detail": [{ "loc": ["body", "inputs", "topic"], "msg": "field required" }] }),
                Some("topic: field required"),
            ),
            (json!({ "error": { "message": "no" } }), Some("no")),
            (json!({ "x": 1 }), None),
        ] {
            assert_eq!(complaint(&body).as_deref(), said);
        }
    }

    proptest! {
        #[test]
        fn no_answer_panics(text in "\\PC{0,60}", depth in 0usize..100) {
            let mut body = json!({ "status": text.clone(), "error": text.clone(), "inputs": [text.clone()], "kickoff_id": text });
            for _ in 0..depth {
                body = json!([body]);
            }
            let _ = (status(&body), inputs(&body), kickoff(&body), complaint(&body));
        }
    }
}
