//! A rotation's events as they happen, a line each, for whoever waits.

use super::{source_words, version_words};
use crate::domain::text::visible;
use crate::run::rotation::event::{Awaited, Moment, Part, RotationEvent, RotationKind};

/// What happened, in a line; none where it is not worth one.
pub fn line(event: &RotationEvent) -> Option<String> {
    let line = match &event.kind {
        RotationKind::Acting { part: Part::Reader, identity } => format!("the store is read as {identity}"),
        RotationKind::Acting { part: Part::Operator, identity } => format!("the new value is written as {identity}"),
        RotationKind::StoreSeen { secret, moment, snapshot } => {
            let version = snapshot.current().map(version_words).unwrap_or_default();
            format!("{secret}: {} {version}", moment_words(*moment))
        }
        RotationKind::Looking { moment } => format!("looking at the running automation, {}", moment_words(*moment)),
        RotationKind::KickedOff { moment, kickoff_id, .. } => {
            format!("runtime: {} kickoff {kickoff_id} runs", moment_words(*moment))
        }
        RotationKind::RuntimeSeen { moment, sighting } => {
            let print = sighting.output.fingerprints.last().map_or("no fingerprint", |f| f.as_str());
            format!("runtime: {} {print} ({})", moment_words(*moment), source_words(&sighting.source))
        }
        RotationKind::Asked { secret, command } => format!("rotate {secret} now, for example with\n\n    {command}\n"),
        RotationKind::Writing { secret } => format!("{secret}: writing the new value"),
        RotationKind::Written { secret, version, .. } => format!("{secret}: version {version} is written"),
        RotationKind::Waiting { awaited: Awaited::Store, attempt: 1, .. } => "waiting for a new version".to_owned(),
        RotationKind::Waiting { awaited: Awaited::Runtime, next_ms, .. } => {
            format!("the running automation has the old value; looking again in {} s", next_ms.div_ceil(1000))
        }
        RotationKind::Trouble { reason, .. } => format!("trouble: {reason}"),
        RotationKind::Judged(judged) => format!("{}: {}", judged.secret, judged.judgement.verdict),
        RotationKind::RollBackOffered { secret, version } => {
            format!("{secret}: version {version} can be made current again")
        }
        RotationKind::RolledBack { secret, version } => format!("{secret}: version {version} is current again"),
        RotationKind::Started { .. }
        | RotationKind::ClockSkew { .. }
        | RotationKind::Waiting { .. }
        | RotationKind::Done { .. } => return None,
    };
    let lines: Vec<_> = line.split('\n').map(visible).collect();
    Some(lines.join("\n"))
}

fn moment_words(moment: Moment) -> &'static str {
    match moment {
        Moment::Before => "before",
        Moment::After => "after",
    }
}
