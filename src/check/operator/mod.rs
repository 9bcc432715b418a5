//! The checks of the cloud's own side, as an operator reads it. What may not be read is "could not check", and never a
//! failure.

pub mod aws;
pub mod aws_key;
pub mod aws_reads;
pub mod azure;

use super::Verdict;
use super::facts::operator::Read;

/// The verdict on a read that brought no answer to its question; names the permission that is missing.
fn could_not_read<T>(read: &Read<T>) -> Option<Verdict> {
    read.unread().map(|why| Verdict::inconclusive(why, Vec::new()))
}
