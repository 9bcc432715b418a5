//! A deployed automation: `GET /inputs`, `POST /kickoff`, `GET /status/<id>` behind a bearer token, and a worker that really
//! reads its secret from the lab's clouds. `GET /lab/log` shows what the worker would write to its log.

mod google;
mod worker;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use http::Method;
use secrecy::ExposeSecret as _;
use serde_json::{Map, Value, json};

use super::keys::random_uuid;
use super::server;
use super::server::{MISTAKE, Request, Response, Service};
use super::world::{Answers, DeploymentWorld};
use crate::panic_guard::catch_panic;
pub(super) use worker::{Clouds, Worker};

const JSON: &str = "application/json";

/// The deployment of one lab.
pub(super) struct Deployment {
    world: DeploymentWorld,
    worker: Arc<Worker>,
    runs: Arc<Runs>,
}

impl Deployment {
    pub(super) fn new(world: DeploymentWorld, worker: Arc<Worker>) -> Self {
        Deployment { world, worker, runs: Arc::default() }
    }

    fn knows(&self, request: &Request) -> bool {
        let given = request.header("authorization").strip_prefix("Bearer ").unwrap_or_default();
        verify_slices_are_equal(given.as_bytes(), self.world.token.expose_secret().as_bytes()).is_ok()
    }

    fn kickoff(&self, body: &[u8]) -> Response {
        let body: Value = serde_json::from_slice(body).unwrap_or_default();
        let empty = Map::new();
        let Some(inputs) = body.get("inputs").map_or(Some(&empty), Value::as_object) else {
            return refusal(422, "inputs must be an object");
        };
        let missing: Vec<&str> =
            self.world.inputs.iter().map(String::as_str).filter(|name| !inputs.contains_key(*name)).collect();
        if !missing.is_empty() {
            return refusal(422, &format!("Missing required inputs: {}", missing.join(", ")));
        }
        let id = random_uuid();
        self.runs.begin(&id);
        let (worker, runs, kickoff) = (self.worker.clone(), self.runs.clone(), id.clone());
        let takes = Duration::from_millis(self.world.takes_ms);
        let work = server::ahead_by(server::ahead(), async move {
            let outcome = catch_panic(worker.run()).await;
            let outcome = outcome.unwrap_or_else(|| RunOutcome::Failed { error: MISTAKE.to_owned() });
            tokio::time::sleep(takes).await;
            runs.end(&kickoff, outcome);
        });
        tokio::spawn(work);
        answer(200, &json!({ "kickoff_id": id }))
    }

    /// The platform's form for workload identity.
    fn configure(&self, body: &[u8]) -> Response {
        let body: Value = serde_json::from_slice(body).unwrap_or_default();
        match body.get("client_id").and_then(Value::as_str) {
            Some(client_id) => {
                self.worker.configure(client_id);
                answer(200, &json!({ "client_id": client_id }))
            }
            None => refusal(422, "client_id must be a text"),
        }
    }

    fn status(&self, id: &str) -> Response {
        let Some(run) = self.runs.get(id) else { return refusal(404, "Kickoff not found") };
        let body = match (self.world.answers, run) {
            (Answers::Current, None) => {
                json!({ "status": "running", "progress": { "completed_tasks": 0, "total_tasks": 1 } })
            }
            (Answers::Current, Some(RunOutcome::Completed { output, seconds })) => json!({
                "status": "completed",
                "result": { "output": output, "tasks": [{ "task_id": "verify", "output": output }] },
                "execution_time": seconds,
            }),
            (Answers::Current, Some(RunOutcome::Failed { error })) => json!({ "status": "error", "error": error }),
            (Answers::Older, None) => json!({ "state": "STARTED", "status": null, "result": null }),
            (Answers::Older, Some(RunOutcome::Completed { output, .. })) => {
                json!({ "state": "SUCCESS", "result": output, "last_executed_task": { "output": output } })
            }
            (Answers::Older, Some(RunOutcome::Failed { error })) => json!({ "state": "FAILURE", "result": error }),
        };
        answer(200, &body)
    }
}

impl Service for Deployment {
    async fn answer(&self, request: Request) -> Response {
        if self.world.status != 200 {
            return Response::new(self.world.status, "text/html", "<html><body>not available</body></html>".to_owned());
        }
        if !self.knows(&request) {
            return refusal(401, "Invalid bearer token");
        }
        let path: Vec<&str> = request.path.split('/').filter(|part| !part.is_empty()).collect();
        match (&request.method, path.as_slice()) {
            (&Method::GET, ["inputs"]) => answer(200, &json!({ "inputs": self.world.inputs })),
            (&Method::POST, ["kickoff"]) => self.kickoff(&request.body),
            (&Method::GET, ["status", id]) => self.status(id),
            (&Method::POST, ["lab", "configuration"]) => self.configure(&request.body),
            (&Method::GET, ["lab", "log"]) => Response::new(200, "text/plain", self.worker.log()),
            _ => refusal(404, "Not Found"),
        }
    }
}

fn refusal(status: u16, why: &str) -> Response {
    answer(status, &json!({ "detail": why }))
}

fn answer(status: u16, body: &Value) -> Response {
    Response::new(status, JSON, body.to_string())
}

/// Runs that are kept; a platform forgets old ones too.
const KEPT: usize = 1000;

/// How a run ended.
#[derive(Clone, Debug, PartialEq)]
enum RunOutcome {
    Completed { output: String, seconds: f64 },
    Failed { error: String },
}

/// The runs by their id; a run under way has no outcome yet.
#[derive(Default)]
struct Runs(Mutex<KeptRuns>);

#[derive(Default)]
struct KeptRuns {
    order: Vec<String>,
    outcomes: HashMap<String, Option<RunOutcome>>,
}

impl Runs {
    fn lock(&self) -> MutexGuard<'_, KeptRuns> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn begin(&self, id: &str) {
        let mut kept = self.lock();
        if kept.order.len() >= KEPT {
            let oldest = kept.order.remove(0);
            kept.outcomes.remove(&oldest);
        }
        kept.order.push(id.to_owned());
        kept.outcomes.insert(id.to_owned(), None);
    }

    fn end(&self, id: &str, outcome: RunOutcome) {
        if let Some(slot) = self.lock().outcomes.get_mut(id) {
            *slot = Some(outcome);
        }
    }

    /// Nothing where there is no such run.
    fn get(&self, id: &str) -> Option<Option<RunOutcome>> {
        self.lock().outcomes.get(id).cloned()
    }
}
