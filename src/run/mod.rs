//! The runner: executes a plan of probes, judges their facts, and tells what happens as one ordered stream of events.

pub mod event;
pub mod record;
pub mod report;
