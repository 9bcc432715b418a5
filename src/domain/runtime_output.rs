//! What an automation's output tells of its secrets: fingerprints, variables that are not set, and the worker's line.

use std::sync::LazyLock;

use regex_lite::{Captures, Regex};
use serde::{Deserialize, Serialize};

use super::fingerprint::Fingerprint;

/// The most of each kind that is kept: the last ones, since a log goes forward in time.
const MOST: usize = 64;

static FINGERPRINT: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"(?i)sha256:([0-9a-f]+)").ok());
static UNSET: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"ERROR: ([A-Za-z_][A-Za-z0-9_]{0,127}) env var is not set").ok());
static WORKER: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r"Workload identity config '([^'\r\n]{1,128})' \(([a-z]{1,16})\): ([0-9]{1,6}) secret\(s\) resolved")
        .ok()
});

/// What was found in an automation's output. The output itself may hold anything and is not kept.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RuntimeOutput {
    /// The fingerprints, each once, in the order in which they were last met.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fingerprints: Vec<Fingerprint>,
    /// The variables that the automation says are not set.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unset: Vec<String>,
    /// What the worker says it resolved.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub resolved: Vec<WorkerLine>,
}

/// The line that a worker logs at a kickoff: `Workload identity config '<id>' (aws): N secret(s) resolved`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkerLine {
    pub config: String,
    /// `aws`, `azure` or `gcp`.
    pub cloud: String,
    pub secrets: u32,
}

impl RuntimeOutput {
    /// What a text tells.
    pub fn of(text: &str) -> Self {
        let mut output = RuntimeOutput::default();
        output.read(text);
        output
    }

    /// Adds what one more text tells.
    pub fn read(&mut self, text: &str) {
        for found in FINGERPRINT.iter().flat_map(|pattern| pattern.captures_iter(text)) {
            let keyed = found.get(0).is_some_and(|whole| text[..whole.start()].ends_with("hmac-"));
            let digits = group(&found, 1);
            // More digits are another thing's digest, an image's for example.
            if let (false, Some(fingerprint)) = (keyed, Fingerprint::from_hex(digits)) {
                add(&mut self.fingerprints, fingerprint);
            }
        }
        for found in UNSET.iter().flat_map(|pattern| pattern.captures_iter(text)) {
            add(&mut self.unset, group(&found, 1).to_owned());
        }
        for found in WORKER.iter().flat_map(|pattern| pattern.captures_iter(text)) {
            let (config, cloud) = (group(&found, 1).to_owned(), group(&found, 2).to_owned());
            add(
                &mut self.resolved,
                WorkerLine { config, cloud, secrets: group(&found, 3).parse().unwrap_or_default() },
            );
        }
    }

    /// Whether nothing was found.
    pub fn is_empty(&self) -> bool {
        self.fingerprints.is_empty() && self.unset.is_empty() && self.resolved.is_empty()
    }
}

fn group<'t>(found: &Captures<'t>, number: usize) -> &'t str {
    found.get(number).map_or("", |group| group.as_str())
}

fn add<T: PartialEq>(to: &mut Vec<T>, item: T) {
    to.retain(|known| *known != item);
    if to.len() == MOST {
        to.remove(0);
    }
    to.push(item);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn fingerprints(text: &str) -> Vec<String> {
        RuntimeOutput::of(text).fingerprints.iter().map(|f| f.as_str().to_owned()).collect()
    }

    #[test]
    fn a_fingerprint_is_found_wherever_it_stands() {
        for text in [
            "Authenticated. credential.fingerprint=sha256:5d8269a65fdc",
            "`sha256:5d8269a65fdc`.",
            r"line\nsha256:5d8269a65fdc\n",
            "**SHA256:5D8269A65FDC**",
            "sha256:5d8269a65fdc and again sha256:5d8269a65fdc",
        ] {
            assert_eq!(fingerprints(text), ["sha256:5d8269a65fdc"], "{text}");
        }
    }

    #[test]
    fn other_digests_are_no_fingerprints() {
        for text in [
            "image@sha256:5d8269a65fdc5d8269a65fdc5d8269a65fdc5d8269a65fdc5d8269a65fdc5d82",
            "sha256:5d8269a65fd",
            "hmac-sha256:5d8269a65fdc:00112233445566778899aabbccddeeff",
            "sha1:5d8269a65fdc",
        ] {
            assert_eq!(fingerprints(text), [] as [&str; 0], "{text}");
        }
    }

    #[test]
    fn what_is_not_set_and_what_was_resolved_is_told() {
        let output = RuntimeOutput::of(
            "Workload identity config 'wi-1' (azure): 2 secret(s) resolved\nERROR: API_KEY env var is not set. Set it.",
        );
        assert_eq!(output.unset, ["API_KEY"]);
        assert_eq!(output.resolved, [WorkerLine { config: "wi-1".into(), cloud: "azure".into(), secrets: 2 }]);
        assert!(RuntimeOutput::of("all is well").is_empty());
    }

    proptest! {
        #[test]
        fn never_panics_and_keeps_little(text in "(sha256:[0-9a-f]{10,14}|ERROR: [A-Z]{1,3} env var is not set|\\PC{0,8}){0,200}") {
            let output = RuntimeOutput::of(&text);
            prop_assert!(output.fingerprints.len() <= MOST && output.unset.len() <= MOST);
        }
    }
}
