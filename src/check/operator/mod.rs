//! The checks of the cloud's own side, as an operator reads it. What may not be read is "could not check", and never a
//! failure.

pub mod aws;
pub mod aws_key;
pub mod aws_reads;
pub mod azure;
pub mod google;
pub mod google_reads;

use super::Verdict;
use super::facts::read::{Read, Throttled};

/// The verdict on a read that brought no answer to its question; names the permission that is missing.
fn could_not_read<T>(read: &Read<T>) -> Option<Verdict> {
    read.unread().map(|why| Verdict::inconclusive(why, Vec::new()))
}

/// The verdict with a word on what the service had no time for at first.
fn with_pauses(mut verdict: Verdict, throttled: Throttled) -> Verdict {
    if let Some(waited) = throttled.in_words() {
        verdict.reason = Some(verdict.reason.map_or_else(|| waited.clone(), |reason| format!("{reason}; {waited}")));
    }
    verdict
}
