//! The guides as text for people.

use std::fmt::Write as _;

use unicode_width::UnicodeWidthStr as _;

use crate::cause::catalogue;
use crate::domain::profile::Guide;
use crate::domain::profile::key::Key;
use crate::domain::profile::question::Need;
use crate::domain::text::visible;
use crate::guide::{
    Artifact, Filling, Form, Missing, Step, StepState, TokenOrigin, fill, next_open, render as artifact, token_origin,
};
use crate::report::guide::{GuideReport, artifacts};
use crate::report::paint::{Glyphs, Paint, Role};

pub(super) fn render(followed: &[GuideReport], chosen: Option<Guide>, step: Option<u8>, paint: Paint) -> String {
    match (followed, chosen, step) {
        ([guide], Some(_), Some(number)) => {
            guide.text.step(number).map(|step| step_text(guide, step, paint)).unwrap_or_default()
        }
        ([guide], Some(_), None) => guide_text(guide, paint),
        _ => list(followed, paint),
    }
}

fn list(followed: &[GuideReport], paint: Paint) -> String {
    let widest = followed.iter().map(|guide| guide.guide.id().len()).max().unwrap_or(0);
    let mut text = String::new();
    for guide in followed {
        let own = if guide.own { "  (this profile's)" } else { "" };
        let id = paint.paint(Role::Strong, &format!("{:widest$}", guide.guide.id()));
        let _ = writeln!(text, "{id}  {}, {} steps{own}", guide.text.title, guide.text.count());
        let _ = writeln!(text, "{:widest$}  {}", "", guide.text.summary);
    }
    text.push_str("\n`trustline guide GUIDE` prints one of them, `trustline guide GUIDE STEP` a step.\n");
    text
}

fn guide_text(guide: &GuideReport, paint: Paint) -> String {
    let mut text = format!("{}\n{}\n\n", paint.paint(Role::Strong, &guide.text.title), guide.text.summary);
    for step in &guide.text.steps {
        let state = guide.state(step).map(|state| format!("  {}", state_words(state, paint))).unwrap_or_default();
        let title = format!("{:<70}", step.title);
        let _ = writeln!(text, "{:>3}  {}{state}", step.number, if state.is_empty() { &step.title } else { &title });
    }
    if let Some(states) = &guide.states {
        match next_open(states) {
            Some(next) => {
                let _ = writeln!(text, "\nNext: `trustline guide {} {next}`", guide.guide.id());
            }
            None => text.push_str("\nEvery step is done.\n"),
        }
    }
    match (&guide.checked, &guide.states) {
        (Some(at), _) => {
            let _ = writeln!(text, "Checked at {at}.");
        }
        (None, Some(_)) => text.push_str("The checks were not run; --check tells by them where each step stands.\n"),
        (None, None) => {}
    }
    text.push_str("\nTo read\n");
    for reading in &guide.text.reading {
        let _ = writeln!(text, "  {}: {}", reading.title, reading.url);
    }
    text
}

fn state_words(state: &StepState, paint: Paint) -> String {
    let glyph = |unicode, ascii| if paint.glyphs == Glyphs::Unicode { unicode } else { ascii };
    match state {
        StepState::Verified { checks, proofs, at } => {
            let by: Vec<&str> = checks.iter().map(|check| check.id()).chain(proofs.iter().map(|p| p.id())).collect();
            let when = if at.is_empty() { String::new() } else { format!(", {}", visible(at)) };
            paint.paint(Role::Good, &format!("{} verified by {}{when}", glyph("✓", "+"), by.join(", ")))
        }
        StepState::Answered { check, code, says, at } => {
            let words = format!("{} verified: {check} was refused with {}. {says}", glyph("✓", "+"), visible(code));
            paint.paint(Role::Good, &format!("{words} {}", visible(at)))
        }
        StepState::Failing { check, findings } => {
            let what = findings.first().map_or_else(String::new, |finding| format!(": {}", visible(&finding.summary)));
            paint.paint(Role::Bad, &format!("{} failing, {check}{what}", glyph("✗", "x")))
        }
        StepState::Confirmed { at } => {
            paint.paint(Role::Good, &format!("{} confirmed by you, {}", glyph("✓", "+"), visible(at)))
        }
        StepState::Blocked { by } => paint.paint(Role::Muted, &format!("{} waits for step {by}", glyph("–", "-"))),
        StepState::ToDo(open) => {
            let untold = open.untold.first();
            let why =
                untold.map_or_else(String::new, |(check, why)| format!(", {check} could not tell: {}", visible(why)));
            format!("{} to do{why}", glyph("○", "o"))
        }
    }
}

/// So many of the causes that show in a step are told; the rest are counted.
const MOST_FAILURES: usize = 8;

fn step_text(guide: &GuideReport, step: &Step, paint: Paint) -> String {
    let mut filling = Filling::new(&guide.values);
    let heading = |title: &str| format!("\n{}\n", paint.paint(Role::Strong, title));
    let prose = |raw: &str, filling: &mut Filling<'_>| visible(&fill(raw, filling)).into_owned();
    let mut text = format!("{} {} of {}: ", guide.guide.id(), step.number, guide.text.count());
    let _ = writeln!(text, "{}", paint.paint(Role::Strong, &step.title));
    let _ = writeln!(text, "{}", paint.fold(&prose(&step.purpose, &mut filling), 0));
    if let Some(state) = guide.state(step) {
        let _ = writeln!(text, "{}", state_words(state, paint));
    }
    if !step.places.is_empty() {
        text.push_str(&heading("Where"));
        for place in &step.places {
            let _ = writeln!(text, "  {}: {}", place.on.id(), prose(&place.path, &mut filling));
            if let Some(address) = &place.address {
                let _ = writeln!(text, "    {}", prose(address, &mut filling));
            }
        }
    }
    if !step.fields.is_empty() {
        text.push_str(&heading("Values"));
        text.push_str(&fields(guide, step, paint));
    }
    if !step.instructions.is_empty() {
        text.push_str(&heading("Do"));
        text.push_str(&numbered(&step.instructions, &mut filling, paint));
    }
    if let Some(origin) = token_origin(step, &guide.values) {
        text.push_str(&heading("Where a token comes from"));
        text.push_str(&origin_text(&origin, paint));
    }
    let (in_tabs, beside): (Vec<Artifact>, Vec<Artifact>) =
        artifacts(step).into_iter().partition(|artifact| step.tabs.iter().any(|tab| tab.artifacts.contains(artifact)));
    for tab in &step.tabs {
        text.push_str(&heading(&tab.title));
        text.push_str(&numbered(&tab.instructions, &mut filling, paint));
        for which in &tab.artifacts {
            // Whole configurations would bury the step, and so would what a script beside it holds already.
            if which.form() == Form::Terraform || is_held_by_another(guide, *which, &in_tabs) {
                let _ = writeln!(text, "  trustline render {which}: {}", which.title());
            } else {
                text.push_str(&artifact_text(guide, *which, paint));
            }
        }
    }
    if step.tabs.is_empty() {
        for which in &beside {
            if is_held_by_another(guide, *which, &beside) {
                let _ = writeln!(text, "  trustline render {which}: {}", which.title());
            } else {
                text.push_str(&artifact_text(guide, *which, paint));
            }
        }
    } else if !beside.is_empty() {
        text.push_str(&heading(if in_tabs.is_empty() { "Artifacts" } else { "More artifacts" }));
        for which in &beside {
            let _ = writeln!(text, "  trustline render {which}: {}", which.title());
        }
    }
    if !step.corrections.is_empty() {
        text.push_str(&heading("Caveats"));
        for correction in &step.corrections {
            let line = format!("  - {}", prose(correction, &mut filling));
            let _ = writeln!(text, "{}", paint.fold(&line, 4));
        }
    }
    text.push_str(&heading("Done when"));
    for check in &step.checks {
        let _ = writeln!(text, "  {check}: {}", check.title());
    }
    for answer in &step.shown_by_answers {
        let line = format!("  or {} is refused with {}: {}", answer.check, answer.codes.join(", "), answer.says);
        let _ = writeln!(text, "{}", paint.fold(&line, 4));
    }
    for proof in &step.shown_by {
        let _ = writeln!(text, "  or {} shows it", proof.id());
    }
    if let Some(confirm) = &step.confirm {
        let _ = writeln!(text, "{}", paint.fold(&format!("  {confirm} (--confirm)"), 4));
    }
    let failures = step.failures(guide.guide);
    if !failures.is_empty() {
        text.push_str(&heading("What goes wrong here"));
        for cause in failures.iter().take(MOST_FAILURES) {
            let _ = writeln!(text, "{}", paint.fold(&format!("  - {}", catalogue::entry(*cause).title), 4));
        }
        let more = failures.len().saturating_sub(MOST_FAILURES);
        if more > 0 {
            let _ = writeln!(text, "  - and {more} more");
        }
        let _ = writeln!(text, "  `trustline check` tells which it is, and `trustline explain` reads an error text");
    }
    if !step.reading.is_empty() {
        text.push_str(&heading("To read"));
        for reading in &step.reading {
            let _ = writeln!(text, "  {}: {}", reading.title, reading.url);
        }
    }
    text
}

fn origin_text(origin: &TokenOrigin, paint: Paint) -> String {
    let mut text = String::new();
    for line in &origin.how {
        let _ = writeln!(text, "{}", paint.fold(&format!("  - {}", visible(line)), 4));
    }
    for line in origin.script.iter().flat_map(|script| script.lines()) {
        let _ = writeln!(text, "{}", paint.paint(Role::Command, &visible(line)));
    }
    if let Some(note) = missing_words(&origin.missing) {
        let _ = writeln!(text, "  Note: {}", visible(&note));
    }
    text
}

fn numbered(lines: &[String], filling: &mut Filling<'_>, paint: Paint) -> String {
    let mut text = String::new();
    for (at, line) in lines.iter().enumerate() {
        let line = format!("  {}. {}", at + 1, visible(&fill(line, filling)));
        let _ = writeln!(text, "{}", paint.fold(&line, 5));
    }
    text
}

fn fields(guide: &GuideReport, step: &Step, paint: Paint) -> String {
    let widest = step.fields.iter().map(|field| field.key.path().width()).max().unwrap_or(0);
    let mut text = String::new();
    for field in &step.fields {
        let value = match guide.values.text(field.key) {
            Some(_) if field.key == Key::ExternalId => "(set, not shown)".to_owned(),
            Some(value) => visible(value).into_owned(),
            None if field.need == Need::Required => "missing; needed".to_owned(),
            None => "not set".to_owned(),
        };
        let about = field.note.as_deref().unwrap_or(field.key.about());
        let line = format!("  {:widest$}  {value}  ({about})", field.key.path());
        let _ = writeln!(text, "{}", paint.fold(&line, widest + 4));
    }
    text
}

/// Whether a script among `artifacts` holds the whole text of a document, so that it need not stand there twice.
fn is_held_by_another(guide: &GuideReport, which: Artifact, artifacts: &[Artifact]) -> bool {
    let document = artifact(which, &guide.values).text;
    which.form() == Form::Json
        && artifacts
            .iter()
            .filter(|other| other.form() == Form::Shell)
            .any(|other| artifact(*other, &guide.values).text.contains(document.trim_end()))
}

/// An artifact from the first column on, so that it can be copied as it stands.
fn artifact_text(guide: &GuideReport, which: Artifact, paint: Paint) -> String {
    let rendered = artifact(which, &guide.values);
    let title = paint.paint(Role::Muted, &format!("# {which}: {}", which.title()));
    let body: Vec<String> =
        rendered.text.trim_end().lines().map(|line| paint.paint(Role::Command, &visible(line))).collect();
    let mut text = format!("\n{title}\n{}\n", body.join("\n"));
    for note in rendered.notes.iter().cloned().chain(missing_words(&rendered.missing)) {
        let _ = writeln!(text, "  Note: {}", visible(&note));
    }
    text
}

/// What to set so that the placeholders go.
fn missing_words(missing: &[Missing]) -> Option<String> {
    let words: Vec<String> = missing.iter().map(|m| format!("{} is {}", m.placeholder, m.key.path())).collect();
    (!words.is_empty()).then(|| format!("{} (set with --set KEY=VALUE or in the profile)", words.join(", ")))
}
