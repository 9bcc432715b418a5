//! The runner: executes a plan of steps, judges their facts, and tells what happens as one ordered stream of events.

pub mod event;
pub mod fleet;
mod keyed;
pub mod plan;
pub mod probes;
pub mod ranking;
pub mod record;
pub mod report;
pub mod rotation;
pub mod runner;
pub mod step;
