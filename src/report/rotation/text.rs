//! A rotation for people: before and after of the store and of the running automation, the verdict, and why.

use super::{outcome, seen_fingerprint, source_words, version_words};
use crate::check::Outcome;
use crate::domain::rotation::{Sighting, StoreSnapshot, Why};
use crate::domain::text::visible;
use crate::report::finding_text;
use crate::report::paint::{Paint, Role, milliseconds};
use crate::run::rotation::report::{RotationReport, SecretReport, Trouble};

/// Width of the labels before a line.
const LABEL: usize = 16;

/// The whole report, ending in a line feed.
pub fn report(report: &RotationReport, paint: Paint) -> String {
    let mut lines = vec![format!(
        "{} {} {}",
        paint.paint(Role::Strong, &visible(&report.profile)),
        paint.dot(),
        visible(&report.guide)
    )];
    if let Some(reader) = &report.reader {
        lines.push(labelled("read as", reader, paint));
    }
    if let Some(operator) = &report.operator {
        lines.push(labelled("written as", operator, paint));
    }
    report.troubles.iter().for_each(|trouble| push_trouble(&mut lines, trouble, paint));
    for secret in &report.secrets {
        lines.push(String::new());
        push_secret(&mut lines, secret, report, paint);
    }
    lines.push(String::new());
    lines.push(last_line(report, paint));
    lines.join("\n") + "\n"
}

fn push_secret(lines: &mut Vec<String>, secret: &SecretReport, report: &RotationReport, paint: Paint) {
    lines.push(format!("  {}", paint.paint(Role::Strong, &visible(&secret.secret))));
    let stores = [secret.after.as_ref(), secret.before.as_ref()];
    push_store(lines, "store before", secret.before.as_ref(), paint);
    push_store(lines, "store after", secret.after.as_ref(), paint);
    for (label, sighting) in [("runtime before", &report.runtime_before), ("runtime after", &report.runtime_after)] {
        if let Some(sighting) = sighting {
            lines.push(labelled(label, &sighting_words(sighting, stores), paint));
        }
    }
    secret.troubles.iter().for_each(|trouble| push_trouble(lines, trouble, paint));
    for judged in &secret.judged {
        let verdict = judged.judgement.verdict;
        let mut words = format!("{} {} {}", paint.outcome(outcome(verdict)), verdict.id(), paint.dot());
        words.push_str(&format!(" {}", verdict.sentence()));
        if let Some(after) = judged.propagated_ms {
            words.push_str(&format!(" {} {} after the write", paint.dot(), milliseconds(after)));
        }
        lines.push(paint.fold(&format!("  {words}"), 4));
        if let Some(hint) = hint(&judged.judgement.why) {
            lines.push(labelled("", hint, paint));
        }
    }
    if let Some(warning) = secret.warning() {
        lines.push(paint.fold(&format!("  {} {}", paint.outcome(Outcome::Warn), visible(&warning)), 4));
    }
    // What has been done about it goes before what could be.
    match (&secret.rolled_back, &secret.roll_back_offered) {
        (Some(version), _) => lines.push(labelled("rolled back", &format!("version {version} is current"), paint)),
        (None, Some(version)) => {
            lines.push(labelled("roll back", &format!("version {version} was the current one before"), paint));
        }
        (None, None) => {}
    }
    for finding in secret.judged.iter().flat_map(|judged| &judged.findings) {
        lines.extend(finding_text::lines(finding, paint));
    }
}

fn push_store(lines: &mut Vec<String>, label: &str, snapshot: Option<&StoreSnapshot>, paint: Paint) {
    let Some(snapshot) = snapshot else { return };
    for (n, version) in snapshot.versions.iter().enumerate() {
        lines.push(labelled(if n == 0 { label } else { "" }, &version_words(version), paint));
    }
    for unseen in &snapshot.unseen {
        lines.push(labelled("", &format!("not seen: {unseen}"), paint));
    }
}

fn push_trouble(lines: &mut Vec<String>, trouble: &Trouble, paint: Paint) {
    lines.push(format!("  {} {}", paint.outcome(Outcome::Fail), visible(&trouble.reason)));
    for finding in &trouble.findings {
        lines.extend(finding_text::lines(finding, paint));
    }
}

fn sighting_words(sighting: &Sighting, stores: [Option<&StoreSnapshot>; 2]) -> String {
    let what = match (seen_fingerprint(sighting, stores), sighting.output.unset.last()) {
        (Some(fingerprint), _) => fingerprint,
        (None, Some(variable)) => format!("variable {variable} is not set"),
        (None, None) => "no fingerprint".to_owned(),
    };
    let fresh = if sighting.resolved_afresh() { "  secrets resolved for this run" } else { "" };
    format!("{what}  {}{fresh}", source_words(&sighting.source))
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

fn last_line(report: &RotationReport, paint: Paint) -> String {
    if report.end.is_none() {
        return paint.paint(Role::Warning, "UNFINISHED: the session ended before its work did");
    }
    let verdict = report.verdict();
    let role = match outcome(verdict) {
        Outcome::Pass => Role::Good,
        Outcome::Inconclusive => Role::Warning,
        _ => Role::Bad,
    };
    let mut line = paint.paint(role, &verdict.id().to_uppercase());
    if let Some(end) = &report.end {
        line.push_str(&format!("  {}", milliseconds(end.duration_ms)));
        if let Some(why) = &end.cut_short {
            line.push_str(&format!(" {} {}", paint.dot(), visible(why)));
        }
    }
    line
}

fn labelled(label: &str, text: &str, paint: Paint) -> String {
    let line = format!("    {}{}", paint.paint(Role::Muted, &format!("{label:LABEL$}")), visible(text));
    paint.fold(line.trim_end(), 4 + LABEL)
}
