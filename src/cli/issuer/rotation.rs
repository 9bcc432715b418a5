//! `trustline issuer --record` and `--watch`: whether the issuer's key set drops a key that tokens still name.

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;

use crate::cause::{Cause, Certainty, Finding};
use crate::check::facts::Facts;
use crate::check::{CheckId, Outcome, Verdict};
use crate::cli::exit::CliError;
use crate::domain::jwks::history::{DroppedKey, KeyHistory};
use crate::private_file;
use crate::probe::regular_file;

/// A record holds a few dozen keys; anything larger is something else.
const LARGEST_RECORD: u64 = 1 << 20;

/// A token mostly lives an hour: one of a key that went later than that may well have expired.
const USUAL_LIFE_S: i64 = 3600;

/// Arguments that look at an issuer more than once.
#[derive(Debug, Args)]
pub(super) struct RotationArgs {
    /// Keep in this file which keys were published when, and tell of those that are gone since the last time
    #[arg(long, value_name = "FILE")]
    pub record: Option<PathBuf>,
    /// Look again every so many seconds, until a key is gone
    #[arg(long, value_name = "SECONDS", num_args = 0..=1, default_missing_value = "60",
        value_parser = clap::value_parser!(u64).range(1..=86_400))]
    pub watch: Option<u64>,
}

/// What was seen of the keys, beyond this run where a file keeps it.
pub(super) struct Record {
    history: KeyHistory,
    file: Option<PathBuf>,
}

impl RotationArgs {
    pub(super) fn interval(&self) -> Option<Duration> {
        self.watch.map(Duration::from_secs)
    }

    /// The record to hold the keys against; nothing where nobody asked for one.
    pub(super) fn open(&self, issuer: &str) -> Result<Option<Record>, CliError> {
        if self.record.is_none() && self.watch.is_none() {
            return Ok(None);
        }
        let history = self.record.as_deref().map(|path| read(path, issuer)).transpose()?.flatten();
        let history = history.unwrap_or_else(|| KeyHistory::of(issuer));
        Ok(Some(Record { history, file: self.record.clone() }))
    }
}

fn read(path: &Path, issuer: &str) -> Result<Option<KeyHistory>, CliError> {
    let refused = |why: String| CliError::new(format!("--record {}: {why}", path.display()));
    let bytes = match regular_file::read(path, LARGEST_RECORD) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(refused(error.to_string())),
    };
    if bytes.len() as u64 > LARGEST_RECORD {
        return Err(refused("larger than 1 MiB".to_owned()));
    }
    KeyHistory::parse(&bytes, issuer)
        .map(Some)
        .map_err(|error| refused(error.to_string()).with_hint("name another file: a record is of one issuer"))
}

impl Record {
    /// Adds what is published now, and tells which keys are gone.
    pub(super) fn see(&mut self, facts: &Facts) -> Result<Vec<DroppedKey>, CliError> {
        // A key set that could not be had has dropped nothing.
        let Some((keys, set)) = facts.issuer.keys.as_ref().and_then(|keys| Some((keys, keys.jwks.as_ref()?))) else {
            return Ok(Vec::new());
        };
        let dropped = self.history.see(set, facts.now, keys.cached_s);
        if let Some(path) = &self.file {
            let text = serde_json::to_vec_pretty(&self.history).map_err(|error| CliError::new(error.to_string()))?;
            private_file::replace(path, &text)
                .map_err(|error| CliError::new(format!("--record {} cannot be written: {error}", path.display())))?;
        }
        Ok(dropped)
    }
}

/// The verdict on the keys with those that are gone.
pub(super) fn with_dropped(verdict: Verdict, dropped: &[DroppedKey]) -> Verdict {
    let Some(first) = dropped.first() else { return verdict };
    let is_recent = |key: &DroppedKey| key.gone_for_s <= USUAL_LIFE_S;
    let findings = dropped.iter().map(|key| {
        let certainty = if is_recent(key) { Certainty::Likely } else { Certainty::Possible };
        Finding::new(Cause::JwksKidMissing, CheckId::IssuerJwks, certainty, key.words())
            .with_evidence(key.cache())
            .with_fix("Publish the former key again until the last token that it signed has expired, and let a rotation keep it that long.")
    });
    let outcome = match verdict.outcome {
        Outcome::Pass | Outcome::Warn if !dropped.iter().any(is_recent) => Outcome::Warn,
        Outcome::Pass | Outcome::Warn => Outcome::Fail,
        other => other,
    };
    Verdict { outcome, reason: Some(first.words()), findings: findings.chain(verdict.findings).collect() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::jwks::Jwks;

    fn dropped(after_s: i64) -> Vec<DroppedKey> {
        let set = |text: &str| Jwks::parse(text.as_bytes()).unwrap();
        let mut history = KeyHistory::of("https://id.example");
        history.see(&set(r#"{"keys":[{"kty":"RSA","kid":"old"}]}"#), 0, None);
        history.see(&set(r#"{"keys":[{"kty":"RSA","kid":"new"}]}"#), after_s, None)
    }

    #[test]
    fn a_key_that_went_lately_fails_and_one_that_went_long_ago_warns() {
        for (after_s, outcome) in [(60, Outcome::Fail), (USUAL_LIFE_S + 1, Outcome::Warn)] {
            let verdict = with_dropped(Verdict::pass(), &dropped(after_s));
            assert_eq!((verdict.outcome, verdict.findings.len()), (outcome, 1), "{after_s}");
            assert_eq!(verdict.findings[0].cause, Cause::JwksKidMissing);
        }
        assert_eq!(with_dropped(Verdict::pass(), &[]).outcome, Outcome::Pass);
    }
}
