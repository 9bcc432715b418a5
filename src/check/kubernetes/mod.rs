//! The checks of the cluster's own side, as an operator's `kubectl` reads it: what the webhooks go by, and what they made.

pub mod account;
pub mod pod;

use super::facts::cluster::ClusterRead;
use super::verdict::Verdict;
use crate::cause::{Cause, Certainty, Finding};
use crate::domain::ids::CheckId;

fn proven(check: CheckId, cause: Cause, summary: impl Into<String>) -> Finding {
    Finding::new(cause, check, Certainty::Proven, summary)
}

fn failed(finding: Finding) -> Verdict {
    Verdict::fail(finding.summary.clone(), vec![finding])
}

/// What was seen; else the verdict on what was not, where `missing` is what it means that there is no such object.
fn seen_or<T>(read: &ClusterRead<T>, missing: impl FnOnce(&str) -> Verdict) -> Result<&T, Verdict> {
    match read {
        ClusterRead::Seen(seen) => Ok(seen),
        ClusterRead::Missing(said) => Err(missing(said)),
        ClusterRead::Unread(why) => Err(Verdict::inconclusive(format!("the cluster was not read: {why}"), Vec::new())),
    }
}
