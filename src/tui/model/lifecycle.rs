//! Where a run, or a rotation session, stands between its start and its end.

/// Where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Lifecycle {
    Running,
    /// It was told to stop and has not yet.
    Cancelling,
    Ended,
    /// It never started, and why.
    Refused {
        message: String,
        hints: Vec<String>,
    },
}
