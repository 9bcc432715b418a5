//! The fold of a session's events: what every output of a rotation is made from.

use serde_json::Value;

use super::event::{Judged, Part, Phase, RotationEvent, RotationKind, RotationMethod};
use crate::cause::Finding;
use crate::domain::profile::Guide;
use crate::domain::rotation::evidence::Rotation;
use crate::domain::rotation::{RuntimeObservation, Source, StoreSnapshot, Verdict, Why};
use crate::domain::timestamp::UnixMillis;

/// A session as far as it is known.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RotationReport {
    pub profile: String,
    pub guide: String,
    /// RFC 3339 UTC.
    pub started: String,
    pub way: Option<RotationMethod>,
    /// Whether the running automation is part of the session.
    pub runtime: bool,
    /// As whom the session reads and writes, as far as the cloud told.
    pub reader: Option<String>,
    pub operator: Option<String>,
    pub clock_skew_s: Option<i64>,
    pub runtime_before: Option<RuntimeObservation>,
    pub runtime_after: Option<RuntimeObservation>,
    /// Kickoffs, in their order.
    pub kickoffs: Vec<String>,
    /// The secrets, in the order they were asked for.
    pub secrets: Vec<SecretReport>,
    /// What could not be done, with no secret to name.
    pub troubles: Vec<Trouble>,
    pub end: Option<End>,
}

/// One secret of a session.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SecretReport {
    pub secret: String,
    pub before: Option<StoreSnapshot>,
    pub after: Option<StoreSnapshot>,
    /// The command that the person was asked to run.
    pub asked: Option<String>,
    /// The version that was written, and when.
    pub written: Option<(String, UnixMillis)>,
    /// Every verdict, in their order; more than one only while watching.
    pub judged: Vec<Judged>,
    pub roll_back_offered: Option<String>,
    pub rolled_back: Option<String>,
    pub troubles: Vec<Trouble>,
}

/// Something that could not be done.
#[derive(Clone, Debug, PartialEq)]
pub struct Trouble {
    pub reason: String,
    pub findings: Vec<Finding>,
}

/// How a session ended.
#[derive(Clone, Debug, PartialEq)]
pub struct End {
    pub duration_ms: u64,
    pub cut_short: Option<String>,
}

impl SecretReport {
    /// The last verdict.
    pub fn verdict(&self) -> Option<&Judged> {
        self.judged.last()
    }

    /// What stands beside the verdict, in a sentence: a version that an unfinished rotation left under `AWSPENDING`.
    /// Secrets Manager takes a value that is written past it, and refuses `RotateSecret` until the label is gone.
    pub fn warning(&self) -> Option<String> {
        let judged = self.verdict()?;
        let pending = self.after.as_ref()?.pending()?;
        let is_said = matches!(judged.judgement.why, Why::PendingVersion { .. });
        (!is_said).then(|| {
            format!(
                "version {} still waits under AWSPENDING: the secret's own rotation does not run again until it is \
                 finished, or that label is taken off",
                pending.id
            )
        })
    }
}

impl RotationReport {
    /// Takes in the next event.
    pub fn apply(&mut self, event: &RotationEvent) {
        match &event.kind {
            RotationKind::Started { profile, guide, started, secrets, way, runtime } => {
                self.profile.clone_from(profile);
                self.guide.clone_from(guide);
                self.started.clone_from(started);
                self.way = Some(*way);
                self.runtime = *runtime;
                self.secrets = secrets
                    .iter()
                    .map(|secret| SecretReport { secret: secret.clone(), ..SecretReport::default() })
                    .collect();
            }
            RotationKind::Acting { part: Part::Reader, identity } => self.reader = Some(identity.clone()),
            RotationKind::Acting { part: Part::Operator, identity } => self.operator = Some(identity.clone()),
            RotationKind::ClockSkew { seconds } => self.clock_skew_s = Some(*seconds),
            RotationKind::KickedOff { kickoff_id, .. } => self.kicked_off(kickoff_id),
            RotationKind::RuntimeSeen { moment, sighting } => {
                if let Source::Kickoff { kickoff_id } = &sighting.source {
                    self.kicked_off(kickoff_id);
                }
                match moment {
                    Phase::Before => self.runtime_before = Some(sighting.clone()),
                    Phase::After => self.runtime_after = Some(sighting.clone()),
                }
            }
            RotationKind::Trouble { secret: None, reason, findings } => {
                self.troubles.push(Trouble { reason: reason.clone(), findings: findings.clone() });
            }
            RotationKind::Done { duration_ms, cut_short } => {
                self.end = Some(End { duration_ms: *duration_ms, cut_short: cut_short.clone() });
            }
            RotationKind::Waiting { .. } | RotationKind::Looking { .. } => {}
            RotationKind::StoreSeen { secret, .. }
            | RotationKind::Asked { secret, .. }
            | RotationKind::Writing { secret }
            | RotationKind::Written { secret, .. }
            | RotationKind::Trouble { secret: Some(secret), .. }
            | RotationKind::RollBackOffered { secret, .. }
            | RotationKind::RolledBack { secret, .. } => {
                if let Some(report) = self.secrets.iter_mut().find(|report| &report.secret == secret) {
                    report.apply(&event.kind);
                }
            }
            RotationKind::Judged(judged) => {
                if let Some(report) = self.secrets.iter_mut().find(|report| report.secret == judged.secret) {
                    report.judged.push((**judged).clone());
                }
            }
        }
    }

    /// Counts a kickoff once: when it is accepted, or where that was not told, when its answer is seen.
    fn kicked_off(&mut self, kickoff_id: &str) {
        if !self.kickoffs.iter().any(|known| known == kickoff_id) {
            self.kickoffs.push(kickoff_id.to_owned());
        }
    }

    /// Whether it shows that the running automation of a guide's profile has what the store holds under this name.
    pub fn shows(&self, guide: Guide, secret: &str) -> bool {
        self.guide == guide.id()
            && self.verdict() == Verdict::Propagated
            && self.secrets.iter().any(|rotated| rotated.secret == secret)
    }

    /// The session's verdict: the first secret's that is not `propagated`, a proven failure before an inconclusive one.
    pub fn verdict(&self) -> Verdict {
        let verdicts: Vec<Verdict> = self
            .secrets
            .iter()
            .map(|secret| secret.verdict().map_or(Verdict::Inconclusive, |judged| judged.judgement.verdict))
            .collect();
        let is_failure = |verdict: &&Verdict| !matches!(verdict, Verdict::Propagated | Verdict::Inconclusive);
        let first = verdicts.iter().find(is_failure).or(verdicts.iter().find(|v| **v == Verdict::Inconclusive));
        first.copied().unwrap_or(if verdicts.is_empty() { Verdict::Inconclusive } else { Verdict::Propagated })
    }
}

impl SecretReport {
    fn apply(&mut self, kind: &RotationKind) {
        match kind {
            RotationKind::StoreSeen { moment: Phase::Before, snapshot, .. } => {
                self.before = Some(snapshot.clone());
                self.after = None;
                self.written = None;
            }
            RotationKind::StoreSeen { moment: Phase::After, snapshot, .. } => self.after = Some(snapshot.clone()),
            RotationKind::Asked { command, .. } => self.asked = Some(command.clone()),
            RotationKind::Written { version, at, .. } => self.written = Some((version.clone(), *at)),
            RotationKind::Trouble { reason, findings, .. } => {
                self.troubles.push(Trouble { reason: reason.clone(), findings: findings.clone() });
            }
            RotationKind::RollBackOffered { version, .. } => self.roll_back_offered = Some(version.clone()),
            RotationKind::RolledBack { version, .. } => self.rolled_back = Some(version.clone()),
            _ => {}
        }
    }
}

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
