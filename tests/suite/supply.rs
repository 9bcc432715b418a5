//! What the program is built of: one crypto provider and one TLS, and a list of what may come in.

use std::process::Command;

/// The names of the crates that end up in the program or run while it is built.
fn built() -> Vec<String> {
    let output = Command::new(env!("CARGO"))
        .args([
            "tree",
            "--locked",
            "--offline",
            "--all-features",
            "--edges",
            "normal,build",
            "--prefix",
            "none",
            "--format",
            "{p}",
        ])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    let mut names: Vec<String> = text.lines().filter_map(|line| Some(line.split(' ').next()?.to_owned())).collect();
    names.sort_unstable();
    names.dedup();
    names
}

#[test]
fn there_is_one_crypto_provider_and_one_tls() {
    let built = built();
    for wanted in ["aws-lc-rs", "rustls"] {
        assert!(built.iter().any(|name| name == wanted), "{wanted} is not where this test looks");
    }
    for unwanted in ["ring", "openssl", "openssl-sys", "native-tls", "boring", "schannel", "mbedtls"] {
        assert!(!built.iter().any(|name| name == unwanted), "{unwanted} is built");
    }
}

#[test]
fn no_code_comes_from_anywhere_but_the_registry() {
    let lock = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.lock")).unwrap();
    let elsewhere: Vec<&str> = lock
        .lines()
        .filter(|line| {
            line.starts_with("source = ") && !line.contains("registry+https://github.com/rust-lang/crates.io-index")
        })
        .collect();
    assert!(elsewhere.is_empty(), "{elsewhere:?}");
}
