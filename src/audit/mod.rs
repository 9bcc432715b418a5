//! The audit of many trusts at once: what a fleet's documents hold, who gets in by each trust and what they reach, what is
//! dead in it. Judged by the evaluator that decides on one token.

pub mod aws;
pub mod code;
pub mod corrected;
pub mod duplicates;
pub mod entra;
mod finding;
pub mod google;
pub mod pools;
mod selection;
mod trust_use;
pub mod usage;

pub use finding::{AdmittedSubject, AuditFinding, Location, Place};
pub use selection::{Baseline, Selected, Shard, Suppression, Suppressions};
pub use trust_use::{TrustUse, UseOf};
