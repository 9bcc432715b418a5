//! The rotation: a row a secret, the verdict in words, and the picture of before and after.

mod picture;

use serde_json::Value;

use super::log::moment;
use super::{LABEL, Rows, command_line, finding_lines, heading, labelled};
use crate::cause::Certainty;
use crate::check::CheckId;
use crate::report::context::RenderContext;
use crate::report::line::{Line, Role, Span, cut};
use crate::report::rotation::outcome;
use crate::run::rotation::report::{SecretReport, Trouble};
use crate::tui::command::{CommandId, Scope, Screen};
use crate::tui::model::rotation::{Session, rotated};
use crate::tui::model::{Lifecycle, Model};

/// The secrets of the session; before the first one, the secret that would be rotated.
pub fn rows(model: &Model) -> Rows<'_> {
    let session = model.rotation.session.as_ref();
    if let (None, Some(secret)) = (session, rotated(model).and_then(|rotated| rotated.secret)) {
        return Rows { count: 1, line: Box::new(move |_, width| not_rotated(model, &secret, width)) };
    }
    let secrets: &[SecretReport] = session.map_or(&[], |session| &session.report.secrets);
    Rows {
        count: secrets.len(),
        line: Box::new(move |at, width| {
            session
                .zip(secrets.get(at))
                .map_or_else(Line::empty, |(session, secret)| row(model, session, secret, width))
        }),
    }
}

fn not_rotated(model: &Model, secret: &str, width: usize) -> Line {
    let show = model.render_context();
    let note = "not rotated here yet";
    let mut line = Line::of(Role::Muted, show.glyphs.waiting).with(Role::Plain, " ");
    line.push(Role::Plain, cut(&show.prose(secret), width.saturating_sub(note.len() + 4), show.glyphs.ellipsis));
    line.push(Role::Plain, " ".repeat(width.min(usize::from(model.size.0)).saturating_sub(line.width() + note.len())));
    line.with(Role::Muted, note)
}

/// What the last check saw of the secret that would be rotated.
fn as_checked(model: &Model) -> Vec<Line> {
    let show = model.render_context();
    let reads = [CheckId::AwsGetSecret, CheckId::AzureGetSecret, CheckId::GcpGetSecret];
    let run = model.runs.shown();
    let Some(read) = run.and_then(|run| run.report.finished().find(|check| reads.contains(&check.id))) else {
        return Vec::new();
    };
    let text = |name: &str| read.facts.get(name).and_then(Value::as_str).map(|text| show.value(text));
    let stored = read.facts.get("created_at").and_then(Value::as_i64).map(|seconds| moment(model, seconds));
    let rows = [("version", text("version_id")), ("stored", stored), ("value", text("fingerprint"))];
    let mut lines: Vec<Line> =
        rows.into_iter().filter_map(|(label, text)| Some(labelled(label, Role::Plain, text?))).collect();
    if !lines.is_empty() {
        lines.insert(0, heading("As the last check read it"));
        lines.push(Line::empty());
    }
    lines
}

fn row(model: &Model, session: &Session, secret: &SecretReport, width: usize) -> Line {
    let show = model.render_context();
    let (sign, role, note) = match secret.verdict() {
        Some(judged) => {
            let Span { role, text: sign } = show.sign(outcome(judged.judgement.verdict));
            let rounds = match secret.judged.len() {
                1 => String::new(),
                count => format!(", {count} rotations"),
            };
            let took = judged.propagated_ms.and_then(|ms| i64::try_from(ms).ok());
            let took = took.map_or_else(String::new, |ms| format!(" in {}", picture::span_words(ms)));
            (sign, role, format!("{}{took}{rounds}", picture::name(judged.judgement.verdict)))
        }
        None if session.is_live() => {
            let sign = picture::doing(model, session).0.to_owned();
            let note = if secret.written.is_some() { "written" } else { "not written yet" };
            (sign, Role::Accent, note.to_owned())
        }
        None => (show.glyphs.skipped.to_owned(), Role::Muted, "no verdict".to_owned()),
    };
    let name = show.prose(&secret.secret);
    if width == usize::MAX {
        return Line::of(Role::Plain, format!("{name} {note}"));
    }
    let room = width.saturating_sub(note.chars().count() + 4);
    let mut line = Line::of(role, sign).with(Role::Plain, " ");
    line.push(Role::Plain, cut(&name, room, show.glyphs.ellipsis));
    line.push(Role::Plain, " ".repeat(width.saturating_sub(line.width() + note.chars().count())));
    line.with(if role == Role::Accent { Role::Muted } else { role }, note)
}

/// The secret that is selected.
pub fn selected(model: &Model) -> Option<(&Session, &SecretReport)> {
    let session = model.rotation.session.as_ref()?;
    Some((session, session.report.secrets.get(model.selected_row()?)?))
}

/// The heading of the details: the selected secret.
pub fn detail_title(model: &Model) -> String {
    match selected(model) {
        Some((_, secret)) => model.render_context().prose(&secret.secret),
        None => "Rotate, then prove it".to_owned(),
    }
}

/// The verdict on the selected secret, its picture, the likely reasons, and what could not be done.
pub fn detail(model: &Model, width: usize) -> Vec<Line> {
    let show = model.render_context();
    let Some((session, secret)) = selected(model) else {
        return nothing(model);
    };
    let mut lines = headline(model, session, secret);
    lines.push(Line::empty());
    lines.extend(asked(session, secret, show));
    lines.extend(picture::lines(model, &session.report, secret, width));
    if let Some(judged) = secret.verdict() {
        for (place, found) in judged.findings.iter().enumerate() {
            let title = match (place, found.certainty) {
                (0, Certainty::Proven) => "The reason",
                (0, _) => "The likely reason",
                _ => "Or",
            };
            lines.extend([Line::empty(), heading(title)]);
            lines.extend(finding_lines(found, width, show));
        }
        if let Some(advice) = picture::advice(&judged.judgement.why) {
            lines.extend([Line::empty(), labelled("what to do", Role::Plain, advice)]);
        }
    }
    let troubles: Vec<&Trouble> = session.report.troubles.iter().chain(&secret.troubles).collect();
    lines.extend(trouble_lines(&troubles, width, show));
    lines.extend(facts(model, session, secret));
    lines
}

/// The verdict, or what is going on before there is one.
fn headline(model: &Model, session: &Session, secret: &SecretReport) -> Vec<Line> {
    let show = model.render_context();
    let mut lines = Vec::new();
    if let Some(judged) = secret.verdict() {
        let verdict = judged.judgement.verdict;
        let Span { role, text: sign } = show.sign(outcome(verdict));
        lines.push(
            Line::of(role, format!("{sign} {}", picture::name(verdict)))
                .with(Role::Muted, format!(" {} ", show.glyphs.dot))
                .with(Role::Strong, verdict.sentence())
                .hanging(2),
        );
        let took = judged.propagated_ms.and_then(|ms| i64::try_from(ms).ok());
        if let Some(ms) = took {
            let words = format!("  {} from the write to the first sight of it", picture::span_words(ms));
            lines.push(Line::of(Role::Plain, words).hanging(2));
        }
        if let Some(why) = picture::why(&judged.judgement.why) {
            lines.push(Line::of(Role::Plain, format!("  {}", show.prose(&why))).hanging(2));
        }
    }
    if let Some(warning) = secret.warning() {
        let words = format!("{} {}", show.glyphs.warn, show.prose(&warning));
        lines.push(Line::of(Role::Warning, words).hanging(2));
    }
    if let Some(version) = &secret.rolled_back {
        let words = format!("{} rolled back: version {} is current", show.glyphs.pass, show.prose(version));
        lines.push(Line::of(Role::Good, words).hanging(2));
    }
    if let Some(began) = session.resumes.as_ref().filter(|_| secret.verdict().is_none()) {
        let words = format!("goes on with the rotation that began {began} and was interrupted; what was seen is kept");
        lines.push(Line::of(Role::Accent, show.prose(&words)));
    }
    if session.is_live() {
        let (sign, doing) = picture::doing(model, session);
        let role = if session.offering().is_some() { Role::Warning } else { Role::Accent };
        lines.push(Line::of(role, format!("{sign} {doing}")).hanging(2));
    }
    if session.offering().is_some() {
        let key = |id| key_of(model, id);
        lines.push(
            Line::of(Role::Plain, "  ")
                .with(Role::Accent, key(CommandId::RollBack))
                .with(Role::Plain, " makes the version before current again   ")
                .with(Role::Accent, key(CommandId::KeepAsIs))
                .with(Role::Plain, " keeps it as it is")
                .hanging(2),
        );
    }
    if let Some(why) = session.report.end.as_ref().and_then(|end| end.cut_short.as_deref()) {
        lines.push(Line::of(
            Role::Warning,
            format!("{} the session was cut short: {}", show.glyphs.warn, show.prose(why)),
        ));
    } else if secret.verdict().is_none() && !session.is_live() {
        lines.push(Line::of(Role::Warning, format!("{} the session ended without a verdict", show.glyphs.warn)));
    }
    lines
}

/// The command to run by hand, until its work is seen.
fn asked(session: &Session, secret: &SecretReport, show: RenderContext) -> Vec<Line> {
    let Some(command) = secret.asked.as_deref().filter(|_| secret.written.is_none() && session.is_live()) else {
        return Vec::new();
    };
    let mut lines = vec![labelled("run this", Role::Plain, "in another terminal; it asks for the new value itself")];
    lines.extend(show.lines(command).into_iter().map(|text| command_line(LABEL, &text)));
    lines.push(Line::empty());
    lines
}

fn trouble_lines(troubles: &[&Trouble], width: usize, show: RenderContext) -> Vec<Line> {
    let mut lines = Vec::new();
    for trouble in troubles {
        lines.push(Line::empty());
        lines.push(labelled("trouble", Role::Warning, show.prose(&trouble.reason)));
        for found in &trouble.findings {
            lines.extend(finding_lines(found, width, show));
        }
    }
    lines
}

/// Who acted, where, and how the clocks stand.
fn facts(model: &Model, session: &Session, secret: &SecretReport) -> Vec<Line> {
    let show = model.render_context();
    let report = &session.report;
    let mut lines = Vec::new();
    let mut fact = |label: &str, text: Option<String>| {
        lines.extend(text.map(|text| labelled(label, Role::Plain, text)));
    };
    let snapshot = secret.after.as_ref().or(secret.before.as_ref());
    fact("in", snapshot.map(|snapshot| show.prose(&snapshot.place.location)));
    fact("full name", snapshot.and_then(|s| s.secret_id.as_deref()).map(|id| show.prose(id)));
    fact("read as", report.reader.as_deref().map(|who| show.prose(who)));
    fact("written as", report.operator.as_deref().map(|who| show.prose(who)));
    let skew = report.clock_skew_s.filter(|seconds| *seconds != 0);
    fact("clock", skew.map(|s| format!("the store's is {} s {}", s.abs(), if s > 0 { "ahead" } else { "behind" })));
    if let Some(snapshot) = snapshot {
        for unseen in &snapshot.unseen {
            lines.push(labelled("not seen", Role::Muted, show.prose(unseen)));
        }
    }
    if !lines.is_empty() {
        lines.insert(0, Line::empty());
    }
    lines
}

/// What the screen says before there is anything to show.
fn nothing(model: &Model) -> Vec<Line> {
    let show = model.render_context();
    match model.rotation.session.as_ref() {
        Some(Session { state: Lifecycle::Refused { message, hints }, .. }) => {
            let mut lines = vec![heading("The session could not start"), Line::of(Role::Bad, show.prose(message))];
            lines.extend(hints.iter().map(|hint| Line::of(Role::Plain, show.prose(hint))));
            lines
        }
        Some(_) if !model.here().list.filter.is_empty() => super::no_rows(model),
        Some(session) if session.is_live() => {
            let (sign, doing) = picture::doing(model, session);
            vec![Line::of(Role::Accent, format!("{sign} {doing}"))]
        }
        Some(session) => {
            let troubles: Vec<&Trouble> = session.report.troubles.iter().collect();
            let mut lines = vec![Line::of(Role::Warning, "The session ended before it saw anything.")];
            lines.extend(trouble_lines(&troubles, usize::MAX, show));
            lines
        }
        None if model.replay.is_some() => vec![Line::of(Role::Muted, "A recording holds checks, and no rotation.")],
        None => {
            let key = key_of(model, CommandId::Rotate);
            let mut lines = as_checked(model);
            lines.extend([
                Line::of(Role::Strong, "Rotate a secret, then prove that the running automation has the new value."),
                Line::empty(),
                Line::of(
                    Role::Plain,
                    "The store shows that there is a new version. Only a fingerprint from the process itself, 12 digits of the value's SHA-256, shows whether it has the new value.",
                ),
                Line::empty(),
                Line::of(Role::Accent, key)
                    .with(Role::Plain, "  begin: by hand, by trustline, by a program of yours, or watch"),
            ]);
            lines
        }
    }
}

fn key_of(model: &Model, id: CommandId) -> String {
    model.appearance.keymap.key(Scope::On(Screen::Rotation), id).map_or_else(String::new, |key| key.to_string())
}
