//! What a session's fold says of each rotation, for the evidence.

use serde_json::Value;

use super::report::{RotationReport, SecretReport};
use crate::domain::rotation::evidence::Rotation;

impl RotationReport {
    /// The rotations that were judged; of each secret the last.
    pub fn rotations(&self) -> Vec<Rotation<'_>> {
        self.secrets.iter().filter_map(|secret| self.rotation(secret)).collect()
    }

    fn rotation<'a>(&'a self, secret: &'a SecretReport) -> Option<Rotation<'a>> {
        let judged = secret.verdict()?;
        let way = self.way.and_then(|way| serde_json::to_value(way).ok());
        Some(Rotation {
            profile: &self.profile,
            guide: &self.guide,
            secret: &secret.secret,
            way: way.as_ref().and_then(Value::as_str).unwrap_or_default().to_owned(),
            started: &self.started,
            reader: self.reader.as_deref(),
            operator: self.operator.as_deref(),
            clock_skew_s: self.clock_skew_s,
            store_before: secret.before.as_ref(),
            store_after: secret.after.as_ref(),
            written: secret.written.as_ref().map(|(version, at)| (version.as_str(), *at)),
            runtime_before: self.runtime_before.as_ref(),
            runtime_after: self.runtime_after.as_ref(),
            kickoffs: &self.kickoffs,
            judgement: &judged.judgement,
            propagated_ms: judged.propagated_ms,
            rolled_back_to: secret.rolled_back.as_deref(),
        })
    }
}
