//! The boxes of a rotation that writes: the new value, which never shows, the agreement to write it, and the program that
//! writes it instead.

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::style::Modifier;
use unicode_width::UnicodeWidthStr as _;

use super::paint;
use crate::report::line::{Line, Role, Wrap, fit};
use crate::tui::content::agreement;
use crate::tui::inputs::RotationWay;
use crate::tui::layout::Geometry;
use crate::tui::model::Model;
use crate::tui::model::layer::{Agreement, ProgramBox, ValueBox};
use crate::tui::model::rotation::rotated;
use crate::tui::theme::Theme;

/// What stands for a value that was typed, however long it is.
const MASKED: usize = 12;

/// The box in which a new value is typed.
pub(super) fn value(model: &Model, theme: &Theme, geometry: Geometry, typed: &ValueBox, buffer: &mut Buffer) {
    let mask = model.render_context().glyphs.mask;
    let state = if typed.value.is_empty() {
        Line::of(Role::Muted, "nothing yet")
    } else {
        Line::of(Role::Good, mask.to_string().repeat(MASKED))
    };
    let secret = rotated(model).and_then(|rotated| rotated.secret).unwrap_or_default();
    let lines = [
        Line::of(Role::Plain, "The new value of ").with(Role::Strong, model.render_context().prose(&secret)),
        Line::of(
            Role::Plain,
            "Type it, or paste it. Neither it nor its length is shown; it goes to the store alone, and is wiped from memory after that.",
        ),
        Line::empty(),
        state,
        typed.note.map_or_else(Line::empty, |note| Line::of(Role::Warning, note)),
        Line::empty(),
        keys(&[("enter", "go on"), ("ctrl-u", "begin anew"), ("esc", "leave")]),
    ];
    paint::text_box(model, theme, geometry, "The new value", &lines, buffer);
}

/// The box in which the secret's name is typed, to agree.
pub(super) fn agreement(
    model: &Model,
    theme: &Theme,
    geometry: Geometry,
    agreement: &Agreement,
    buffer: &mut Buffer,
) -> Option<Position> {
    let show = model.render_context();
    let lines = agreement::lines(model, agreement);
    let (typed, wanted) = (agreement::so_far(agreement), agreement.wanted().unwrap_or_default());
    let below = [agreement::note(model, agreement), keys(&[("enter", "write it"), ("esc", "leave")])];
    let title = match agreement.way {
        RotationWay::Generated => "Write a value that trustline makes up",
        _ => "Write the value that you typed",
    };
    paint::text_box(model, theme, geometry, title, &lines, buffer);
    let inner = geometry.layer_inner();
    // The field stands above the last two lines, whatever the lines above it take.
    let row = |from_end: u16| Rect { y: inner.bottom().saturating_sub(from_end), height: 1, ..inner };
    for (line, at) in below.iter().zip([2, 1]) {
        paint::paint_line(line, theme, row(at), show.glyphs, buffer);
    }
    let row = row(3);
    if wanted.is_empty() || inner.height < 6 {
        return None;
    }
    // What was pasted here by mistake may be the value itself.
    let rest = if typed.len() < agreement.typed.text().len() { MASKED } else { 0 };
    let shown = format!("{typed}{}", show.glyphs.mask.to_string().repeat(rest));
    let right = typed.chars().count();
    let cursor = if agreement.typed.cursor() > right { right + rest } else { agreement.typed.cursor() };
    Some(input(model, theme, (&shown, cursor), row, buffer))
}

/// The box in which the program that rotates is typed.
pub(super) fn program(
    model: &Model,
    theme: &Theme,
    geometry: Geometry,
    program: &ProgramBox,
    buffer: &mut Buffer,
) -> Option<Position> {
    let show = model.render_context();
    let (state, enter) = match (&program.shown, program.note) {
        (Some(words), _) => {
            let words: Vec<String> = words.iter().map(|word| format!("[{}]", show.prose(word))).collect();
            (Line::of(Role::Plain, "runs, once: ").with(Role::Command, words.join(" ")).hanging(2), "run it")
        }
        (None, Some(note)) => (Line::of(Role::Warning, note), "go on"),
        (None, None) => (Line::empty(), "go on"),
    };
    let inner = geometry.layer_inner();
    let about = Line::of(
        Role::Plain,
        "Type the program that writes the new value, with its arguments. No shell reads them: a word ends at a blank. The value must not be one of them.",
    );
    let about = fit(&[about], usize::from(inner.width), Wrap::Words, show.glyphs.ellipsis);
    let field = u16::try_from(about.len() + 1).unwrap_or(u16::MAX);
    // The field has the empty line in the middle of three.
    let lines: Vec<Line> = about.into_iter().chain([Line::empty(), Line::empty(), Line::empty(), state]).collect();
    paint::text_box(model, theme, geometry, "Rotate by a program of yours", &lines, buffer);
    let row = |y: u16| Rect { y, height: 1, ..inner };
    let last = row(inner.bottom().saturating_sub(1));
    paint::paint_line(&keys(&[("enter", enter), ("esc", "leave")]), theme, last, show.glyphs, buffer);
    let typed = (program.typed.text(), program.typed.cursor());
    (inner.height >= 6).then(|| input(model, theme, typed, row(inner.y.saturating_add(field)), buffer))
}

/// A field with a text and the cursor behind so many of its characters, and where that cursor stands.
fn input(model: &Model, theme: &Theme, (text, cursor): (&str, usize), row: Rect, buffer: &mut Buffer) -> Position {
    let show = model.render_context();
    // A text longer than its field is scrolled so that the cursor shows.
    let before: String = text.chars().take(cursor).collect();
    let shift = before.width().saturating_sub(usize::from(row.width).saturating_sub(1));
    let shown: String = text.chars().skip(shift).collect();
    paint::text(&show.prose(&shown), Role::Plain, theme, row, show.glyphs, buffer);
    buffer.set_style(row, theme.style(Role::Accent).add_modifier(Modifier::UNDERLINED));
    let column = u16::try_from(before.width().saturating_sub(shift)).unwrap_or(u16::MAX);
    Position { x: row.x.saturating_add(column).min(row.right().saturating_sub(1)), y: row.y }
}

fn keys(keys: &[(&str, &str)]) -> Line {
    let mut line = Line::empty();
    for (key, does) in keys {
        line.push(Role::Accent, *key);
        line.push(Role::Plain, format!(" {does}   "));
    }
    line
}
