//! What the process asks of the system: that its memory is not written to disk, and how much it may have open at once.

use std::num::NonZeroUsize;
use std::sync::Arc;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// The descriptors of the program itself: its streams, its runtime, what libraries open for a moment.
const OWN_DESCRIPTORS: u64 = 24;
/// The descriptors of one run at its busiest: a connection to each service, a file.
const RUN_DESCRIPTORS: u64 = 5;

/// Turns core files off, for the programs that this one starts too. On Linux, another process of the same user can no
/// longer read this one's memory either (prctl(2), `PR_SET_DUMPABLE`).
///
/// A system that refuses leaves things as they were: diagnosis works as well without.
pub(super) fn keep_memory_private() {
    let _ = setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) });
    #[cfg(target_os = "linux")]
    let _ = rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable);
}

/// Has a write past the limit of a file's size (`ulimit -f`) fail, as on a full disk, instead of ending the program.
///
/// A system that refuses leaves things as they were.
pub(super) fn outlive_file_limit() {
    let _ = signal_hook::flag::register(signal_hook::consts::SIGXFSZ, Arc::default());
}

/// As many runs at once as are wanted, or as the descriptors allow that the system gives: without one, a service that is there
/// would seem not to be. More are asked for where they are needed.
pub(super) fn runs_at_once(wanted: NonZeroUsize) -> NonZeroUsize {
    let needed = (wanted.get() as u64).saturating_mul(RUN_DESCRIPTORS).saturating_add(OWN_DESCRIPTORS);
    let limit = getrlimit(Resource::Nofile);
    let possible = limit.maximum.unwrap_or(u64::MAX).min(needed);
    let mut given = limit.current.unwrap_or(u64::MAX);
    if given < possible && setrlimit(Resource::Nofile, Rlimit { current: Some(possible), ..limit }).is_ok() {
        given = possible;
    }
    at_once(wanted, given)
}

fn at_once(wanted: NonZeroUsize, descriptors: u64) -> NonZeroUsize {
    let runs = descriptors.saturating_sub(OWN_DESCRIPTORS) / RUN_DESCRIPTORS;
    let runs = usize::try_from(runs).ok().and_then(NonZeroUsize::new).unwrap_or(NonZeroUsize::MIN);
    wanted.min(runs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_run_at_once_than_can_have_files_open() {
        for (wanted, descriptors, runs) in
            [(8, 64, 8), (8, 1024, 8), (100, 256, 46), (500, 1024, 200), (8, 30, 1), (8, 3, 1)]
        {
            let wanted = NonZeroUsize::new(wanted).unwrap();
            assert_eq!(at_once(wanted, descriptors).get(), runs, "{wanted} with {descriptors}");
        }
    }
}
