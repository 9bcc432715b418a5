//! A rotation as a page: before and after of the store and of the running automation, the verdict, and why. And, folded
//! from the same events, as JSON, as evidence and line by line.

pub mod evidence;
pub mod json;

use super::context::RenderContext;
use super::finding;
use super::line::{Line, Role};
use super::page::{Block, Page};
use super::run::milliseconds;
use crate::check::Outcome;
use crate::domain::fingerprint::Fingerprint;
use crate::domain::rotation::{RuntimeObservation, Source, StoreSnapshot, Verdict, Version, Why};
use crate::domain::text::visible;
use crate::domain::timestamp::{rfc3339, rfc3339_millis};
use crate::run::rotation::event::{Awaited, Part, Phase, RotationEvent, RotationKind};
use crate::run::rotation::report::{RotationReport, SecretReport, Trouble};

/// The whole report.
pub fn page(report: &RotationReport, ctx: RenderContext) -> Page {
    let mut page = Page::titled(
        Line::of(Role::Strong, ctx.prose(&report.profile))
            .with(Role::Plain, format!(" {} {}", ctx.glyphs.dot, ctx.prose(&report.guide))),
    );
    let people = [("read as", &report.reader), ("written as", &report.operator)];
    for (label, identity) in people.into_iter().filter_map(|(label, who)| Some((label, who.as_ref()?))) {
        page.prose(label, Role::Plain, identity, ctx);
    }
    report.troubles.iter().for_each(|trouble| push_trouble(&mut page, trouble, ctx));
    for secret in &report.secrets {
        page.gap();
        page.part(self::secret(secret, report, ctx));
    }
    page.verdict = Some(last_line(report, ctx));
    page
}

fn secret(secret: &SecretReport, report: &RotationReport, ctx: RenderContext) -> Page {
    let mut page = Page::titled(Line::of(Role::Strong, ctx.prose(&secret.secret)));
    push_store(&mut page, "store before", secret.before.as_ref(), ctx);
    push_store(&mut page, "store after", secret.after.as_ref(), ctx);
    let stores = [secret.after.as_ref(), secret.before.as_ref()];
    let runtimes = [("runtime before", &report.runtime_before), ("runtime after", &report.runtime_after)];
    for (label, sighting) in runtimes.into_iter().filter_map(|(label, sighting)| Some((label, sighting.as_ref()?))) {
        page.prose(label, Role::Plain, &sighting_words(sighting, stores), ctx);
    }
    secret.troubles.iter().for_each(|trouble| push_trouble(&mut page, trouble, ctx));
    for judged in &secret.judged {
        let (verdict, dot) = (judged.judgement.verdict, ctx.glyphs.dot);
        let after = judged.propagated_ms.map(|ms| format!(" {dot} {} after the write", milliseconds(ms)));
        let words = format!("{verdict} {dot} {}{}", verdict.sentence(), after.unwrap_or_default());
        page.item(ctx.sign(outcome(verdict)), Line::of(Role::Plain, words));
        if let Some(hint) = hint(&judged.judgement.why) {
            page.prose("next", Role::Plain, hint, ctx);
        }
    }
    if let Some(warning) = secret.warning() {
        page.item(ctx.sign(Outcome::Warn), Line::of(Role::Plain, ctx.prose(&warning)));
    }
    // What has been done about it goes before what could be.
    match (&secret.rolled_back, &secret.roll_back_offered) {
        (Some(version), _) => page.value("rolled back", &format!("version {version} is current"), ctx),
        (None, Some(version)) => page.value("roll back", &format!("version {version} was the current one before"), ctx),
        (None, None) => {}
    }
    for found in secret.judged.iter().flat_map(|judged| &judged.findings) {
        page.gap();
        page.part(finding::page(found, ctx));
    }
    page
}

fn push_store(page: &mut Page, label: &str, snapshot: Option<&StoreSnapshot>, ctx: RenderContext) {
    let Some(snapshot) = snapshot else { return };
    let versions = snapshot.versions.iter().map(version_words);
    let unseen = snapshot.unseen.iter().map(|unseen| format!("not seen: {unseen}"));
    let lines: Vec<Line> = versions.chain(unseen).map(|words| Line::of(Role::Plain, ctx.prose(&words))).collect();
    page.push(Block::Field { label: label.to_owned(), lines });
}

fn push_trouble(page: &mut Page, trouble: &Trouble, ctx: RenderContext) {
    page.item(ctx.sign(Outcome::Fail), Line::of(Role::Plain, ctx.prose(&trouble.reason)));
    trouble.findings.iter().for_each(|found| page.part(finding::page(found, ctx)));
}

fn sighting_words(sighting: &RuntimeObservation, stores: [Option<&StoreSnapshot>; 2]) -> String {
    let what = match (seen_fingerprint(sighting, stores), sighting.output.unset.last()) {
        (Some(fingerprint), _) => fingerprint.to_string(),
        (None, Some(variable)) => format!("variable {variable} is not set"),
        (None, None) => "no fingerprint".to_owned(),
    };
    let at = rfc3339_millis(sighting.at).map(|at| format!("  {at}")).unwrap_or_default();
    let fresh = if sighting.resolved_afresh() { "  secrets resolved for this run" } else { "" };
    format!("{what}  {}{at}{fresh}", source_words(&sighting.source))
}

fn last_line(report: &RotationReport, ctx: RenderContext) -> Line {
    let Some(end) = &report.end else {
        return Line::of(Role::Warning, "UNFINISHED").with(Role::Plain, ": the session ended before its work did");
    };
    let (verdict, dot) = (report.verdict(), ctx.glyphs.dot);
    let role = match outcome(verdict) {
        Outcome::Pass => Role::Good,
        Outcome::Inconclusive => Role::Warning,
        _ => Role::Bad,
    };
    let rest = format!("  {} {dot} started {}", milliseconds(end.duration_ms), ctx.prose(&report.started));
    let mut line = Line::of(role, verdict.id().to_uppercase()).with(Role::Plain, rest);
    if let Some(why) = &end.cut_short {
        line.push(Role::Plain, format!(" {dot} {}", ctx.prose(why)));
    }
    line
}

/// What to do next where no finding says it.
pub fn hint(why: &Why) -> Option<&'static str> {
    match why {
        Why::RuntimeNotAsked => Some(
            "The store has the new value. To see the running automation too: --kickoff, --runtime-log FILE, \
             --runtime-command PROGRAM or --runtime-after FILE.",
        ),
        Why::SameVersion => {
            Some("Write the new value, and see that it goes to this account and region, or this vault.")
        }
        Why::SameFingerprint => Some("A rotation needs a new value; the version that was written holds the old one."),
        Why::PendingVersion { .. } => Some(
            "A rotation function stopped half-way: look at its log, then finish it, or take the label off with \
             `aws secretsmanager update-secret-version-stage --version-stage AWSPENDING --remove-from-version-id …`.",
        ),
        Why::ValueOf { .. } => {
            Some("Somebody or something made an earlier value current again; write the new one anew.")
        }
        Why::NoFingerprint => Some(
            "Let the automation end with a line `credential.fingerprint=sha256:<12 hex digits>` of its variable's value: \
             `trustline render report-fingerprint` prints the Python for it, `render report-fingerprint-sh` the shell.",
        ),
        Why::AutomationFailed => Some("The automation ended in an error of its own; look at its log."),
        Why::ValueNotRead => Some("Without the values' fingerprints nothing can be compared; is the field there?"),
        _ => None,
    }
}

/// A verdict as the outcome of a check: what scripts are told of it, and how it is coloured.
pub const fn outcome(verdict: Verdict) -> Outcome {
    match verdict {
        Verdict::Propagated => Outcome::Pass,
        Verdict::Inconclusive => Outcome::Inconclusive,
        Verdict::Stale
        | Verdict::NotRotated
        | Verdict::NewVersionSameValue
        | Verdict::RolledBack
        | Verdict::PendingStuck
        | Verdict::Foreign
        | Verdict::NearMiss => Outcome::Fail,
    }
}

/// A version in a line: id, stages, time, fingerprint.
fn version_words(version: &Version) -> String {
    let mut words = vec![version.id.clone()];
    words.extend(version.stages.iter().cloned());
    words.extend(version.created_at.and_then(rfc3339));
    words.push(version.fingerprint.as_ref().map_or("value not read".to_owned(), |f| f.as_str().to_owned()));
    words.join("  ")
}

/// Where a sighting comes from, in words.
pub fn source_words(source: &Source) -> String {
    match source {
        Source::Kickoff { kickoff_id } => format!("kickoff {kickoff_id}"),
        Source::Text => "pasted text".to_owned(),
        Source::Log { file } => format!("log {file}"),
        Source::Command { program } => format!("output of {program}"),
    }
}

/// The fingerprint of a sighting that counts for a secret.
pub fn seen_fingerprint<'s>(
    sighting: &'s RuntimeObservation,
    stores: [Option<&StoreSnapshot>; 2],
) -> Option<&'s Fingerprint> {
    let known = |print: &_| {
        let mut versions = stores.iter().flatten().flat_map(|store| &store.versions);
        versions.any(|version| version.fingerprint.as_ref() == Some(print) || version.variant(print).is_some())
    };
    sighting.fingerprint(known)
}

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

/// What a session does from an event on, told while it does: nothing where somebody else has the terminal, such as a program that
/// rotates. `None` where the event changes nothing of that.
pub const fn doing(kind: &RotationKind) -> Option<&'static str> {
    match kind {
        RotationKind::Started { .. } | RotationKind::Written { .. } | RotationKind::RolledBack { .. } => {
            Some("reading the store")
        }
        RotationKind::Looking { .. } => Some("looking at the running automation"),
        RotationKind::KickedOff { .. } => Some("waiting for the kickoff to end"),
        RotationKind::Asked { .. } | RotationKind::Waiting { awaited: Awaited::Store, .. } => {
            Some("waiting for a new version")
        }
        RotationKind::Waiting { awaited: Awaited::Runtime, .. } => {
            Some("waiting for the running automation to have the new value")
        }
        RotationKind::Writing { .. } | RotationKind::RollBackOffered { .. } | RotationKind::Done { .. } => Some(""),
        RotationKind::Acting { .. }
        | RotationKind::StoreSeen { .. }
        | RotationKind::ClockSkew { .. }
        | RotationKind::RuntimeSeen { .. }
        | RotationKind::Trouble { .. }
        | RotationKind::Judged(_) => None,
    }
}

fn moment_words(moment: Phase) -> &'static str {
    match moment {
        Phase::Before => "before",
        Phase::After => "after",
    }
}
