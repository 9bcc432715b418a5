//! The runner: executes a plan of steps, judges their facts, and tells what happens as one ordered stream of events.

mod asking;
pub mod denial;
pub mod event;
pub mod fleet;
mod google;
mod keyed;
pub mod operator;
mod operator_google;
pub mod plan;
pub mod probes;
pub mod ranking;
pub mod record;
pub mod report;
pub mod rotation;
pub mod runner;

use std::time::{SystemTime, UNIX_EPOCH};

use crate::domain::timestamp::{UnixMillis, UnixSeconds};

/// The local clock in milliseconds.
pub fn now_ms() -> UnixMillis {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

/// The local clock.
pub fn now() -> UnixSeconds {
    now_ms().div_euclid(1000)
}
