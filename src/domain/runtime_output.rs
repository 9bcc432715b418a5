//! What an automation's output tells of its secrets: fingerprints, variables that are not set, and the worker's line.

use serde::{Deserialize, Serialize};

use super::fingerprint::Fingerprint;

/// The most of each kind that is kept: the last ones, since a log goes forward in time.
const MOST: usize = 64;
/// How far what was begun is read on, in characters: farther than any of it goes.
const LONGEST: usize = 160;

const SHA256: &str = "sha256";
const UNSET: &str = "ERROR: ";
const WORKER: &str = "Workload identity config '";

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
        for fingerprint in fingerprints(text) {
            add(&mut self.fingerprints, fingerprint);
        }
        for (at, mark) in text.match_indices(UNSET) {
            if let Some(name) = unset(&text[at + mark.len()..]) {
                add(&mut self.unset, name.to_owned());
            }
        }
        let mut rest = text;
        while let Some((_, behind)) = rest.split_once(WORKER) {
            rest = behind;
            if let Some((line, behind)) = worker_line(behind) {
                rest = behind;
                add(&mut self.resolved, line);
            }
        }
    }

    /// Whether nothing was found.
    pub fn is_empty(&self) -> bool {
        self.fingerprints.is_empty() && self.unset.is_empty() && self.resolved.is_empty()
    }
}

/// Every `sha256:…` of a fingerprint's length, in any letter case.
fn fingerprints(text: &str) -> impl Iterator<Item = Fingerprint> {
    text.match_indices(':').filter_map(|(colon, _)| {
        let name = text.get(colon.checked_sub(SHA256.len())?..colon)?;
        let keyed = text[..colon - name.len()].ends_with("hmac-");
        let digits = prefix(&text[colon + 1..], |c| c.is_ascii_hexdigit());
        // More digits are another thing's digest, an image's for example.
        (name.eq_ignore_ascii_case(SHA256) && !keyed).then(|| Fingerprint::from_hex(digits)).flatten()
    })
}

/// The variable's name at the beginning of a text that goes on with what says that it is not set.
fn unset(text: &str) -> Option<&str> {
    let name = prefix(text, |c| c.is_ascii_alphanumeric() || c == '_');
    let named = (1..=128).contains(&name.len()) && !name.starts_with(|c: char| c.is_ascii_digit());
    (named && text[name.len()..].starts_with(" env var is not set")).then_some(name)
}

/// The worker's line behind [`WORKER`], and what follows it.
fn worker_line(text: &str) -> Option<(WorkerLine, &str)> {
    let config = prefix(text, |c| !matches!(c, '\'' | '\r' | '\n'));
    let rest = text[config.len()..].strip_prefix("' (")?;
    let cloud = prefix(rest, |c| c.is_ascii_lowercase());
    let rest = rest[cloud.len()..].strip_prefix("): ")?;
    let secrets = prefix(rest, |c| c.is_ascii_digit());
    let rest = rest[secrets.len()..].strip_prefix(" secret(s) resolved")?;
    let fits = (1..=128).contains(&config.chars().count())
        && (1..=16).contains(&cloud.len())
        && (1..=6).contains(&secrets.len());
    let line = WorkerLine { config: config.to_owned(), cloud: cloud.to_owned(), secrets: secrets.parse().ok()? };
    fits.then_some((line, rest))
}

/// The beginning of a text that is made of such characters, as far as it could matter.
fn prefix(text: &str, of: fn(char) -> bool) -> &str {
    let end = text.char_indices().take(LONGEST).find(|(_, c)| !of(*c)).map(|(at, _)| at);
    end.map_or_else(|| &text[..text.floor_char_boundary(LONGEST)], |end| &text[..end])
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
