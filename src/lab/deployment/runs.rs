//! The kickoffs of a deployment: which there are, and how they ended.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Runs that are kept; a platform forgets old ones too.
const KEPT: usize = 1000;

/// How a run ended.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Outcome {
    Completed { output: String, seconds: f64 },
    Failed { error: String },
}

/// The runs by their id; a run under way has no outcome yet.
#[derive(Default)]
pub(super) struct Runs(Mutex<Kept>);

#[derive(Default)]
struct Kept {
    order: Vec<String>,
    outcomes: HashMap<String, Option<Outcome>>,
}

impl Runs {
    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn begin(&self, id: &str) {
        let mut kept = self.lock();
        if kept.order.len() >= KEPT {
            let oldest = kept.order.remove(0);
            kept.outcomes.remove(&oldest);
        }
        kept.order.push(id.to_owned());
        kept.outcomes.insert(id.to_owned(), None);
    }

    pub(super) fn end(&self, id: &str, outcome: Outcome) {
        if let Some(slot) = self.lock().outcomes.get_mut(id) {
            *slot = Some(outcome);
        }
    }

    /// Nothing where there is no such run.
    pub(super) fn get(&self, id: &str) -> Option<Option<Outcome>> {
        self.lock().outcomes.get(id).cloned()
    }
}
