//! trustline finds out where workload identity federation breaks, and proves it.
//!
//! # The line of flow
//!
//! ```text
//! profile ──> plan ──> probes ──> facts ──> verdicts ──> findings ──> text · JSON · recording
//! ```
//!
//! Everything left of the probes and right of the facts is pure: time, sockets, files, the
//! environment and the terminal exist only at the edges. Every output, a replayed recording
//! included, is a fold of one ordered stream of run events, so what one shows, all show.
//!
//! # The rooms
//!
//! Arrows between rooms point downwards only in this list, and `tests/suite/architecture.rs` holds them.
//!
//! - [`cli`]: a module for each subcommand, and what several share; arguments in, exit code out
//! - [`tui`]: the console: model, update and view are pure, and a shell around them owns the terminal
//! - [`lab`]: the embedded cloud on loopback: issuer, STS, Secrets Manager, KMS, IAM, Entra, Graph, Resource Manager,
//!   Key Vault, Google's STS, Secret Manager and IAM, and a deployment that reads one secret
//! - [`report`]: pages: what is laid out once and rendered as text, in the console and as Markdown; JSON and JUnit beside them
//! - [`run`]: a run's plan, the runner (concurrency, deadlines, retries, cancellation), its events, recording and replay; the
//!   rotation session
//! - [`probe`]: the only room that reaches the network, beside the lab, which is one; yields facts
//! - [`audit`]: many trusts at once: what a fleet's documents hold, judged, and which findings count
//! - [`remedy`]: from a finding and what is at hand to the whole script that fixes it
//! - [`guide`]: the setup guides: steps as data, artifacts made from a profile, the state of each step
//! - [`check`]: what can be checked: each check as one value, the steps that inform them, the facts
//! - [`cause`]: why things fail: the catalogue of causes, error texts and mismatches turned into findings
//! - [`domain`]: pure vocabulary: the ids, tokens, keys, issuers, policies and their evaluation, profiles
//!
//! Beside the rooms, for all of them: [`panic_guard`], the mark of work whose panic is no end of the program, and [`private_file`],
//! which leaves files on disk for their owner's eyes only.
//!
//! # Invariants
//!
//! - `domain`, `cause`, `check`, `guide`, `remedy`, `audit` and `report` import no runtime, HTTP client, SDK, clock, environment or file system; of
//!   `tui` only what surrounds the model, its update and its view does.
//! - Tokens, keys and secret values live in [`secrecy`] types and never reach an event.
//! - Text from outside passes [`domain::text::visible`] before it reaches a terminal.
//! - "Could not check" is never "failed", and "not checked" is never "passed".

pub mod audit;
pub mod cause;
pub mod check;
pub mod cli;
pub mod domain;
pub mod guide;
pub mod lab;
pub mod panic_guard;
pub mod private_file;
pub mod probe;
pub mod remedy;
pub mod report;
pub mod run;
pub mod tui;
