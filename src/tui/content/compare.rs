//! Two runs compared: causes that came and went, outcomes and claims that changed, times that differ.

use std::collections::BTreeMap;

use serde_json::Value;
use unicode_width::UnicodeWidthStr as _;

use super::heading;
use super::log::moment;
use crate::report::context::RenderContext;
use crate::report::context::outcome_role;
use crate::report::context::outcome_word;
use crate::report::line::{Line, Role};
use crate::report::run::milliseconds;
use crate::run::report::Report;
use crate::tui::model::token::TokenState;
use crate::tui::model::{Model, Run};

/// A time must have changed by this many milliseconds, and by half, to be told.
const NOTABLE_MS: u64 = 20;

/// What differs between two runs.
pub fn lines(model: &Model, before: &Run, after: &Run) -> Vec<Line> {
    let show = model.render_context();
    let mut lines = vec![run_line("before", model, before), run_line("after", model, after), Line::empty()];
    let start = lines.len();
    causes(&before.report, &after.report, show, &mut lines);
    outcomes(&before.report, &after.report, show, &mut lines);
    claims(&before.report, &after.report, show, &mut lines);
    times(&before.report, &after.report, show, &mut lines);
    if lines.len() == start {
        lines.push(Line::of(
            Role::Good,
            "Nothing of note changed: same causes, same outcomes, same claims, like times.",
        ));
    }
    while lines.last().is_some_and(|line| line.spans.is_empty()) {
        lines.pop();
    }
    lines
}

fn run_line(label: &str, model: &Model, run: &Run) -> Line {
    let show = model.render_context();
    let verdict = match run.verdict() {
        Some(verdict) => format!("{verdict:?}").to_lowercase(),
        None => "unfinished".to_owned(),
    };
    super::labelled(
        label,
        Role::Plain,
        format!("{}, {} at {}", show.prose(&run.label), verdict, moment(model, run.started_ms.div_euclid(1000))),
    )
}

fn causes(before: &Report, after: &Report, show: RenderContext, lines: &mut Vec<Line>) {
    let of = |report: &Report| -> BTreeMap<(String, String), String> {
        report
            .findings
            .iter()
            .map(|f| ((f.cause.id().to_owned(), f.check.id().to_owned()), f.summary.clone()))
            .collect()
    };
    let (old, new) = (of(before), of(after));
    let gone: Vec<_> = old.iter().filter(|(key, _)| !new.contains_key(*key)).collect();
    let come: Vec<_> = new.iter().filter(|(key, _)| !old.contains_key(*key)).collect();
    if gone.is_empty() && come.is_empty() {
        return;
    }
    lines.push(heading("Causes"));
    for ((cause, _), summary) in come {
        lines.push(
            Line::of(Role::Bad, format!("{} new   {cause}", show.glyphs.fail))
                .with(Role::Plain, format!("  {}", show.prose(summary)))
                .hanging(8),
        );
    }
    for ((cause, _), summary) in gone {
        lines.push(
            Line::of(Role::Good, format!("{} gone  {cause}", show.glyphs.pass))
                .with(Role::Muted, format!("  {}", show.prose(summary)))
                .hanging(8),
        );
    }
    lines.push(Line::empty());
}

fn outcomes(before: &Report, after: &Report, show: RenderContext, lines: &mut Vec<Line>) {
    let old: BTreeMap<_, _> = before.finished().map(|check| (check.id, check.outcome)).collect();
    let changed = after
        .finished()
        .filter_map(|check| {
            let was = *old.get(&check.id)?;
            (was != check.outcome).then(|| Change {
                name: check.id.title().to_owned(),
                before: (outcome_role(was), outcome_word(was).to_owned()),
                after: (outcome_role(check.outcome), outcome_word(check.outcome).to_owned()),
            })
        })
        .collect();
    section("Outcomes", changed, show, lines);
}

fn claims(before: &Report, after: &Report, show: RenderContext, lines: &mut Vec<Line>) {
    let of = |report: &Report| -> BTreeMap<String, Value> {
        let shown = TokenState::default().shown(Some((0, report)));
        shown.and_then(|shown| shown.token.claims).into_iter().flatten().collect()
    };
    let (old, new) = (of(before), of(after));
    let mut names: Vec<&String> = old.keys().chain(new.keys()).collect();
    names.sort_unstable();
    names.dedup();
    let text = |value: Option<&Value>| match value {
        None => "(absent)".to_owned(),
        Some(Value::String(text)) => show.value(text),
        Some(value) => show.value(&value.to_string()),
    };
    let changed = names
        .into_iter()
        .filter(|name| old.get(*name) != new.get(*name))
        .map(|name| Change {
            name: crate::domain::text::visible(name).into_owned(),
            before: (Role::Plain, text(old.get(name))),
            after: (Role::Plain, text(new.get(name))),
        })
        .collect();
    section("Claims", changed, show, lines);
}

fn times(before: &Report, after: &Report, show: RenderContext, lines: &mut Vec<Line>) {
    let old: BTreeMap<_, _> = before.finished().map(|check| (check.id, check.duration_ms)).collect();
    let changed = after
        .finished()
        .filter_map(|check| {
            let (was, is) = (*old.get(&check.id)?, check.duration_ms);
            let notable = was.abs_diff(is) >= NOTABLE_MS && was.abs_diff(is) * 2 >= was.min(is);
            notable.then(|| Change {
                name: check.id.title().to_owned(),
                before: (Role::Plain, milliseconds(was)),
                after: (Role::Plain, milliseconds(is)),
            })
        })
        .collect();
    section("Times", changed, show, lines);
}

/// Something that was one way and is another.
struct Change {
    name: String,
    before: (Role, String),
    after: (Role, String),
}

/// The widest column of names, in columns.
const WIDEST_NAME: usize = 40;

fn section(title: &str, changes: Vec<Change>, show: RenderContext, lines: &mut Vec<Line>) {
    if changes.is_empty() {
        return;
    }
    lines.push(heading(title));
    let names = changes.iter().map(|change| change.name.width()).max().unwrap_or(0).min(WIDEST_NAME) + 2;
    for Change { name, before, after } in changes {
        let mut line = Line::of(Role::Muted, name).hanging(names);
        line.pad_to(names);
        let arrow = format!(" {} ", show.glyphs.arrow);
        lines.push(line.with(before.0, before.1).with(Role::Muted, arrow).with(after.0, after.1));
    }
    lines.push(Line::empty());
}
