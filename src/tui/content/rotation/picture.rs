//! Before and after side by side: the store above, the running automation below, the time axis between them.

use unicode_width::UnicodeWidthStr as _;

use crate::domain::rotation::{RuntimeObservation, StoreSnapshot, Verdict, Version, Why};
use crate::domain::timestamp::in_words;
use crate::report::context::RenderContext;
use crate::report::line::{Line, Role, cut};
use crate::report::rotation::{hint, seen_fingerprint, source_words};
use crate::run::rotation::event::{Awaited, Phase, RotationMethod};
use crate::run::rotation::report::{RotationReport, SecretReport};
use crate::tui::content::LABEL;
use crate::tui::content::chain::running;
use crate::tui::content::log::{moment, time_of_day};
use crate::tui::inputs::RotationWay;
use crate::tui::model::rotation::{Doing, Session};
use crate::tui::model::{Lifecycle, Model};

/// From this many columns on, the parts stand apart.
const AIRY: usize = 90;

/// One cell of the picture.
type Cell = (Role, String);

/// The picture of one secret.
pub fn lines(model: &Model, report: &RotationReport, secret: &SecretReport, width: usize) -> Vec<Line> {
    let frame = Frame { column: width.saturating_sub(LABEL) / 2, show: model.render_context() };
    let mut lines = vec![frame.row("", (Role::Muted, "before".into()), (Role::Muted, "after".into()))];
    let (before, after) = (secret.before.as_ref(), secret.after.as_ref());
    let columns = [store(model, before, frame.show), store(model, after, frame.show)];
    frame.rows("store", columns, &mut lines);
    // A narrow terminal is a short one as well: there, the parts stand close.
    let gap = (width >= AIRY).then(Line::empty);
    lines.extend(gap.clone());
    lines.extend(axis(model, report, secret, &frame));
    lines.extend(gap);
    let seen = |sighting: Option<&RuntimeObservation>| runtime(model, report, sighting, before, after, frame.show);
    frame.rows("runtime", [seen(report.runtime_before.as_ref()), seen(report.runtime_after.as_ref())], &mut lines);
    lines
}

/// The columns of the picture.
struct Frame {
    /// The width of one.
    column: usize,
    show: RenderContext,
}

impl Frame {
    fn row(&self, label: &str, left: Cell, right: Cell) -> Line {
        let room = self.column.saturating_sub(2);
        let mut line = Line::of(Role::Strong, label);
        line.pad_to(LABEL);
        line.push(left.0, cut(&left.1, room, self.show.glyphs.ellipsis));
        line.push(Role::Plain, " ".repeat((LABEL + self.column).saturating_sub(line.width())));
        line.with(right.0, cut(&right.1, room, self.show.glyphs.ellipsis))
    }

    fn rows(&self, label: &str, [left, right]: [Vec<Cell>; 2], lines: &mut Vec<Line>) {
        let cell = |cells: &[Cell], at: usize| cells.get(at).cloned().unwrap_or((Role::Plain, String::new()));
        for at in 0..left.len().max(right.len()) {
            lines.push(self.row(if at == 0 { label } else { "" }, cell(&left, at), cell(&right, at)));
        }
    }
}

/// What a store held: fingerprint, version, stages, age.
fn store(model: &Model, snapshot: Option<&StoreSnapshot>, show: RenderContext) -> Vec<Cell> {
    let Some(snapshot) = snapshot else {
        return vec![(Role::Muted, "not seen yet".into())];
    };
    let Some(version) = snapshot.current() else {
        return vec![(Role::Warning, "no current version was seen".into())];
    };
    let mut cells = vec![
        match &version.fingerprint {
            Some(print) => (Role::Strong, print.to_string()),
            None => (Role::Warning, "value not read".into()),
        },
        (Role::Plain, format!("{} {} {}", stages(version), show.glyphs.dot, show.prose(&version.id))),
    ];
    if let Some(at) = version.created_at {
        cells.push((Role::Muted, moment(model, at)));
    }
    if let Some(pending) = snapshot.pending() {
        cells.push((Role::Warning, format!("AWSPENDING: {}", show.prose(&pending.id))));
    }
    cells.retain(|(_, text)| !text.is_empty());
    cells
}

fn stages(version: &Version) -> String {
    match (version.stages.is_empty(), version.enabled) {
        (false, _) => crate::domain::text::visible(&version.stages.join(", ")).into_owned(),
        (true, true) => "current, enabled".to_owned(),
        (true, false) => "current, disabled".to_owned(),
    }
}

/// What was seen of the running automation.
fn runtime(
    model: &Model,
    report: &RotationReport,
    seen: Option<&RuntimeObservation>,
    before: Option<&StoreSnapshot>,
    after: Option<&StoreSnapshot>,
    show: RenderContext,
) -> Vec<Cell> {
    let Some(seen) = seen else {
        return vec![(Role::Muted, if report.runtime { "not seen yet" } else { "not looked at" }.into())];
    };
    let like = likeness(seen, before, after);
    let mut cells = match seen_fingerprint(seen, [after, before]) {
        Some(print) => vec![(Role::Strong, print.to_string()), (likeness_role(like), likeness_words(like).into())],
        None if seen.failed => vec![(Role::Warning, "ended in an error".into())],
        None => vec![(Role::Warning, "no fingerprint in its output".into())],
    };
    cells.push((
        Role::Muted,
        format!(
            "{} {} {}",
            show.prose(&source_words(&seen.source)),
            show.glyphs.dot,
            time_of_day(model, seen.at.div_euclid(1000))
        ),
    ));
    if let Some(line) = seen.output.resolved.last() {
        let secrets = if line.secrets == 1 { "secret" } else { "secrets" };
        cells.push((Role::Muted, format!("{} {secrets} resolved by {}", line.secrets, show.prose(&line.config))));
    }
    cells
}

fn likeness_role(like: Likeness) -> Role {
    match like {
        Likeness::New => Role::Good,
        Likeness::Old => Role::Plain,
        Likeness::Near | Likeness::Other | Likeness::None => Role::Warning,
    }
}

fn likeness_words(like: Likeness) -> &'static str {
    match like {
        Likeness::New => "is the new value",
        Likeness::Old => "is the old value",
        Likeness::Near => "is another form of the value",
        Likeness::Other => "is of neither",
        Likeness::None => "",
    }
}

/// The time from the first look over the write to the first sight. Its marks stand over the columns, so it is not to
/// scale; the durations are written on it.
fn axis(model: &Model, report: &RotationReport, secret: &SecretReport, frame: &Frame) -> Vec<Line> {
    let glyphs = frame.show.glyphs;
    let looked = secret.before.as_ref().map(|snapshot| snapshot.at);
    let written = secret.written.as_ref().map(|(_, at)| *at).or_else(|| {
        let created = secret.after.as_ref()?.current()?.created_at?;
        Some(created.saturating_mul(1000))
    });
    let is_new = match (&secret.before, &secret.after) {
        (Some(before), Some(after)) => before.current != after.current,
        _ => secret.written.is_some(),
    };
    let written = written.filter(|_| is_new);
    let seen = report.runtime_after.as_ref().filter(|_| written.is_some());
    let verdict = secret.verdict().map(|judged| judged.judgement.verdict);
    let (end_sign, end_role) = match (seen, verdict) {
        (None, _) => (glyphs.waiting, Role::Muted),
        (Some(_), Some(Verdict::Propagated)) => (glyphs.link, Role::Good),
        (Some(_), Some(Verdict::Inconclusive) | None) => (glyphs.inconclusive, Role::Warning),
        (Some(_), Some(_)) => (glyphs.fail, Role::Bad),
    };
    let mark = |is: bool| if is { (glyphs.link, Role::Good) } else { (glyphs.waiting, Role::Muted) };
    let mut line = Line::of(Role::Strong, "time");
    line.pad_to(LABEL);
    let (first, middle) = (mark(looked.is_some()), mark(written.is_some()));
    line.push(first.1, first.0);
    segment(&mut line, frame.column.saturating_sub(1), span(looked, written), frame);
    line.push(middle.1, middle.0);
    let rest = frame.column.saturating_sub(2);
    segment(&mut line, rest, span(written, seen.map(|seen| seen.at)), frame);
    line.push(end_role, end_sign);

    let told = |word: &str, at: Option<i64>| match at {
        Some(at) => format!("{word} {}", time_of_day(model, at.div_euclid(1000))),
        None => format!("not {word} yet"),
    };
    let end = Line::of(end_role, told("seen", seen.map(|seen| seen.at)));
    let mut labels = Line::of(Role::Plain, " ".repeat(LABEL));
    labels.push(Role::Muted, cut(&told("looked", looked), frame.column.saturating_sub(1), glyphs.ellipsis));
    labels.push(Role::Plain, " ".repeat((LABEL + frame.column).saturating_sub(labels.width())));
    let room = frame.column.saturating_sub(end.width() + 1);
    labels.push(Role::Muted, cut(&told("written", written), room, glyphs.ellipsis));
    labels.push(Role::Plain, " ".repeat((LABEL + 2 * frame.column).saturating_sub(labels.width() + end.width())));
    labels.spans.extend(end.spans);
    vec![line, labels]
}

/// The milliseconds between two moments; none where one has not come yet.
fn span(from: Option<i64>, to: Option<i64>) -> Option<i64> {
    from.zip(to).map(|(from, to)| (to - from).max(0))
}

/// A part of the axis with its duration on it, `width` columns wide.
fn segment(line: &mut Line, width: usize, span_ms: Option<i64>, frame: &Frame) {
    let glyphs = frame.show.glyphs;
    let (sign, role) = match span_ms {
        Some(_) => (glyphs.line, Role::Good),
        None => (glyphs.gap, Role::Muted),
    };
    let words = span_ms.map_or_else(String::new, |ms| format!(" {} ", span_words(ms)));
    let rest = width.saturating_sub(words.width());
    if words.width() > width {
        line.push(role, sign.repeat(width));
        return;
    }
    line.push(role, sign.repeat(rest / 2));
    line.push(Role::Plain, words);
    line.push(role, sign.repeat(rest - rest / 2));
}

/// A duration in milliseconds as people say it.
pub fn span_words(ms: i64) -> String {
    match ms {
        ..10_000 => format!("{}.{} s", ms / 1000, ms % 1000 / 100),
        _ => in_words(ms.div_euclid(1000).unsigned_abs()),
    }
}

/// The name of a verdict as people read it.
pub fn name(verdict: Verdict) -> String {
    verdict.id().replace('-', " ")
}

/// What a session does at the moment, with its sign.
pub fn doing(model: &Model, session: &Session) -> (&'static str, String) {
    let (moving, dot) = (running(model), model.render_context().glyphs.dot);
    let waiting = model.render_context().glyphs.waiting;
    match (&session.state, &session.doing) {
        (Lifecycle::Cancelling, _) => (moving, "stopping".to_owned()),
        (_, Doing::Reading) => (moving, "reading the store".to_owned()),
        (_, Doing::Looking(Phase::Before)) => {
            (moving, "looking at the running automation before the rotation".to_owned())
        }
        (_, Doing::Looking(Phase::After)) if session.asks_for_output() => {
            (waiting, "paste here what the running automation prints".to_owned())
        }
        (_, Doing::Looking(Phase::After)) => (moving, "looking at the running automation".to_owned()),
        (_, Doing::Writing(_)) if session.choice.way == RotationWay::Command => {
            (moving, "your program runs".to_owned())
        }
        (_, Doing::Writing(_)) => (moving, "writing the new value".to_owned()),
        (_, Doing::Waiting { awaited, attempt, next_ms }) => {
            let what = match (awaited, session.report.way) {
                (Awaited::Store, Some(RotationMethod::ByHand)) => "waiting for you to rotate",
                (Awaited::Store, Some(RotationMethod::Watch)) => "watching for a new version",
                (Awaited::Store, _) => "waiting for the new version in the store",
                (Awaited::Runtime, _) => "waiting for the running automation",
            };
            let left = (next_ms - model.clock.now_ms()).max(0);
            let next = format!("{} s", (left + 999) / 1000);
            (waiting, format!("{what} {dot} look {attempt}, the next in {next}"))
        }
        (_, Doing::Offering(_)) => {
            (model.render_context().glyphs.warn, "it went wrong: roll back, or keep it as it is".to_owned())
        }
    }
}

/// What decided a verdict, in a sentence without its full stop; none where the verdict's own says it.
pub fn why(why: &Why) -> Option<String> {
    Some(match why {
        Why::HasCurrent | Why::SameVersion | Why::SameFingerprint => return None,
        Why::HasPrevious { variant: None } => return None,
        Why::HasPrevious { variant: Some(variant) } => format!("it has another form of the old value: {variant}"),
        Why::ValueOf { version } => format!("it is the value of version {version}"),
        Why::PendingVersion { version } => format!("version {version} waits"),
        Why::HasVersion { version } => format!("it has the value of version {version}, which was replaced earlier"),
        Why::MatchesNothing { .. } => return None,
        Why::HasVariant { variant } => format!("it has {variant}"),
        Why::HasSibling { name } => format!("it has the value of `{name}`, another secret of the same store"),
        Why::StoreNotSeen => "the store could not be read".to_owned(),
        Why::ValueNotRead => "the store's values could not be read, so that nothing can be compared".to_owned(),
        Why::RuntimeNotAsked => "the running automation was not looked at".to_owned(),
        Why::NoFingerprint => "the running automation's output has no fingerprint".to_owned(),
        Why::VariableNotSet { variable } => format!("the automation says that its variable {variable} is not set"),
        Why::AutomationFailed => "the automation ended in an error before it printed a fingerprint".to_owned(),
    })
}

/// What to do where no finding says it: what the command line says too, but for its own flags.
pub fn advice(why: &Why) -> Option<&'static str> {
    match why {
        Why::RuntimeNotAsked => Some(
            "Begin again with a kickoff, or paste what the automation prints: the store alone proves nothing of it.",
        ),
        why => hint(why),
    }
}

/// What the running automation's fingerprint is, compared with the store before and after.
pub fn likeness(seen: &RuntimeObservation, before: Option<&StoreSnapshot>, after: Option<&StoreSnapshot>) -> Likeness {
    let Some(print) = seen_fingerprint(seen, [after, before]) else { return Likeness::None };
    let is = |snapshot: Option<&StoreSnapshot>| {
        snapshot.and_then(|s| s.current()).is_some_and(|v| v.fingerprint.as_ref() == Some(print))
    };
    let near = |snapshot: Option<&StoreSnapshot>| {
        snapshot.and_then(|s| s.current()).is_some_and(|v| v.variant(print).is_some())
    };
    if after.is_some() && is(after) {
        Likeness::New
    } else if is(before) {
        Likeness::Old
    } else if near(after) || near(before) {
        Likeness::Near
    } else {
        Likeness::Other
    }
}

/// What a fingerprint is like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Likeness {
    /// The current value after the rotation.
    New,
    /// The current value before it.
    Old,
    /// Another form of one of them.
    Near,
    /// None of them.
    Other,
    /// No fingerprint was seen.
    None,
}
