//! What the modules share: the program in a clean environment.

use std::path::PathBuf;

use assert_cmd::Command;

/// The program with an empty environment: no profile, no cloud variable, no colour, home in a folder that does not exist.
pub fn trustline() -> Command {
    let mut command = Command::new(assert_cmd::cargo::cargo_bin!("trustline"));
    command.env_clear().env("TRUSTLINE_CONFIG_DIR", "/nonexistent/trustline");
    command
}

/// A folder beside the project that only its makers have; tests that read it say so where it is missing.
pub fn shared(path: &str) -> Option<PathBuf> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared").join(path);
    path.exists().then_some(path)
}
