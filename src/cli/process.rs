//! What the process asks of the system before it holds a secret: that its memory is not written to disk.

use rustix::process::{Resource, Rlimit, setrlimit};

/// Turns core files off, for the programs that this one starts too. On Linux, another process of the same user can no
/// longer read this one's memory either (prctl(2), `PR_SET_DUMPABLE`).
///
/// A system that refuses leaves things as they were: diagnosis works as well without.
pub(super) fn keep_memory_private() {
    let _ = setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) });
    #[cfg(target_os = "linux")]
    let _ = rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable);
}
