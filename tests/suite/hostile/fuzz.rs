//! A fuzz target a reader: no input makes it panic, or lets through what a terminal would obey.
//!
//! `cargo test` runs each for a bounded count. With guidance by coverage, for as long as wanted
//! (`cargo install cargo-bolero`; it needs a nightly toolchain and a C++ compiler):
//!
//! ```text
//! cargo +nightly bolero test --test suite hostile::fuzz::trust_policy -T 10min
//! ```
//!
//! What a fuzzer finds is kept in `__fuzz__/READER/crashes`, and is run by `cargo test` from then on.

use std::collections::BTreeSet;

use super::targets::{self, Target};

/// Random inputs a reader in `cargo test`; `BOLERO_RANDOM_ITERATIONS` says otherwise.
const CASES: usize = 200;
/// What may be put into a document.
const ODD: &[&str] = &[
    "*",
    "?",
    "${",
    "}",
    "\"",
    "\\",
    "\\u001b",
    "\\ud800",
    "\0",
    "\u{1b}[2J",
    "\u{9b}",
    "\u{202e}",
    "\u{feff}",
    "e\u{301}",
    "1e400",
    "-1",
    "18446744073709551616",
    "null",
    "[",
    "[[[[[[[[",
    "{\"a\":",
    ":",
    ",",
    "=",
    "'",
    "\n",
    "\r\n",
    "%00",
    "&#27;",
    "<",
    "eyJhbGciOiJub25lIn0.",
    "https://",
    "arn:aws:iam::",
    "\u{10ffff}",
];

/// A document changed as a random input says, six bytes a change: one of `originals` with pieces cut out, doubled, moved,
/// overwritten, or odd ones put in.
fn changed(originals: &[Vec<u8>], input: &[u8]) -> Vec<u8> {
    let Some((first, script)) = input.split_first() else { return Vec::new() };
    let mut text = originals[usize::from(*first) % originals.len()].clone();
    for change in script.chunks_exact(6).take(24) {
        let from = usize::from(u16::from_le_bytes([change[1], change[2]])) % (text.len() + 1);
        let to = (from + usize::from(change[3])).min(text.len());
        let elsewhere = usize::from(u16::from_le_bytes([change[4], change[5]])) % (text.len() + 1);
        let piece = text[from..to].to_vec();
        match change[0] % 6 {
            0 => drop(text.drain(from..to)),
            1 => drop(text.splice(from..from, piece)),
            2 => drop(text.splice(elsewhere..elsewhere, piece)),
            3 => text[from..to].fill(change[4]),
            4 => text.insert(from, change[4]),
            _ => drop(text.splice(from..from, ODD[elsewhere % ODD.len()].bytes())),
        }
    }
    text
}

fn examine(target: &Target, input: &[u8]) {
    let shown = (target.read)(input);
    assert_eq!(super::steers(&shown), None, "{}", shown.escape_debug());
}

macro_rules! fuzz {
    ($($name:ident,)*) => {
        const NAMES: &[&str] = &[$(stringify!($name)),*];

        $(#[test]
        fn $name() {
            let target = targets::all().find(|target| target.name.replace(' ', "_") == stringify!($name)).unwrap();
            let originals = target.inputs();
            bolero::check!(name = stringify!($name)).with_iterations(CASES).for_each(|input: &[u8]| {
                examine(target, input);
                examine(target, &changed(&originals, input));
            });
        })*
    };
}

fuzz! {
    token,
    claims,
    discovery,
    key_set,
    certificate_chain,
    trust_policy,
    federated_credential,
    error_text,
    cloud_refusal,
    event_log,
    profile,
    recording,
    guide_data,
    pasted_text,
    evidence,
    rotation_session,
    lab_world,
    console_settings,
    runtime_output,
    secret_value,
    terminal_text,
    wrapped_text,
}

#[test]
fn every_reader_is_fuzzed() {
    let readers: BTreeSet<String> = targets::all().map(|target| target.name.replace(' ', "_")).collect();
    assert_eq!(readers, NAMES.iter().map(|name| (*name).to_owned()).collect());
}
