//! What lies on top of a screen: lists to pick from, texts, the form, the paste box, questions.

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use unicode_width::UnicodeWidthStr as _;

use super::paint::{self, Extent, Keys};
use super::secret;
use crate::domain::redaction::looks_secret;
use crate::report::context::RenderContext;
use crate::report::line::{Line, Role, Wrap, cut, fit};
use crate::tui::content;
use crate::tui::layout::{Geometry, form_rows, form_window, picker_detail};
use crate::tui::model::form::Form;
use crate::tui::model::layer::{Confirm, PasteKind, Reader};
use crate::tui::model::{Layer, Model, Picker, PickerKind, Typing};
use crate::tui::panes::{Fitted, Over};
use crate::tui::picker::{Choice, Entry, Row};
use crate::tui::theme::Theme;

/// Draws the topmost layer, and says where the cursor stands if text is typed in it.
pub(super) fn draw(
    model: &Model,
    theme: &Theme,
    geometry: Geometry,
    (layer, over): (&Layer, &Over),
    buffer: &mut Buffer,
) -> Option<Position> {
    // A blank column at each side keeps what lies below from running into the border.
    let around = Rect { x: geometry.layer.x.saturating_sub(1), width: geometry.layer.width + 2, ..geometry.layer };
    paint::clear(around.intersection(buffer.area), buffer);
    match layer {
        Layer::Picker(picker) => match over {
            Over::Rows(rows) => draw_picker(model, theme, geometry, (picker, rows), buffer),
            Over::Text(_) | Over::Own => None,
        },
        Layer::Reader(reader) => {
            if let Over::Text(text) = over {
                draw_text(model, theme, geometry, (reader, text), buffer);
            }
            None
        }
        Layer::Form(form) => draw_form(model, theme, geometry, form, buffer),
        Layer::Paste(paste) => {
            let masked = format!("{} characters", paste.text.chars().count());
            let (title, says) = paste.kind.words();
            let is_shown = paste.kind == PasteKind::Issuer && looks_secret(&paste.text).is_none();
            let typed = if is_shown { model.render_context().value(&paste.text) } else { masked };
            let lines = [
                Line::of(Role::Plain, says),
                Line::empty(),
                Line::of(if paste.text.is_empty() { Role::Muted } else { Role::Good }, typed),
            ];
            paint::text_box(model, theme, geometry, title, &lines, buffer)
        }
        Layer::Value(typed) => {
            secret::value(model, theme, geometry, typed, buffer);
            None
        }
        Layer::Program(program) => secret::program(model, theme, geometry, program, buffer),
        Layer::Agreement(agreement) => secret::agreement(model, theme, geometry, agreement, buffer),
        Layer::Confirm(Confirm { question, .. }) => {
            let show = model.render_context();
            let lines = [
                Line::of(Role::Strong, show.prose(question)),
                Line::empty(),
                Line::of(Role::Accent, "y")
                    .with(Role::Plain, " yes   ")
                    .with(Role::Accent, "enter")
                    .with(Role::Plain, " no"),
            ];
            paint::text_box(model, theme, geometry, "Sure?", &lines, buffer)
        }
    }
}

fn draw_text(
    model: &Model,
    theme: &Theme,
    geometry: Geometry,
    (reader, text): (&Reader, &Fitted),
    buffer: &mut Buffer,
) {
    let (inner, glyphs) = (geometry.layer_inner(), model.render_context().glyphs);
    let columns = paint::columns(text, usize::from(inner.width), model.wrap);
    let extent = Extent { first: reader.scroll, page: usize::from(inner.height), total: text.lines.len() };
    let note = extent.note(columns.as_deref(), glyphs.dot);
    paint::layer_border(model, theme, geometry, &content::page::title(&reader.page), &note, extent, buffer);
    let first = reader.scroll.min(text.lines.len());
    paint::paint_lines(&text.lines[first..], theme, inner, glyphs, buffer);
}

fn draw_picker(
    model: &Model,
    theme: &Theme,
    geometry: Geometry,
    (picker, rows): (&Picker, &[Row]),
    buffer: &mut Buffer,
) -> Option<Position> {
    let show = model.render_context();
    let inner = geometry.layer_inner();
    let below = picker_detail(picker.kind, geometry.layer.height);
    let page = inner.height.saturating_sub(below + 1);
    let extent = Extent { first: picker.list.offset, page: usize::from(page), total: rows.len() };
    let is_entry = |row: &&Row| !row.is_heading();
    let note = match rows.iter().filter(is_entry).count() {
        0 => "nothing matches".to_owned(),
        total => format!("{}/{total}", rows.iter().take(picker.list.selected + 1).filter(is_entry).count()),
    };
    paint::layer_border(model, theme, geometry, picker.kind.title(), &note, extent, buffer);
    let typing = picker.list.typing == Typing::On;
    let filter = &picker.list.filter;
    let top = Rect { height: 1, ..inner };
    let prompt = match (filter.is_empty(), typing) {
        (true, false) => Line::of(Role::Muted, "enter chooses, / filters, esc closes"),
        _ if picker.kind == PickerKind::Palette => {
            Line::of(Role::Accent, ":").with(Role::Plain, filter.text().to_owned())
        }
        _ => Line::of(Role::Accent, "/").with(Role::Plain, filter.text().to_owned()),
    };
    paint::paint_line(&prompt, theme, top, show.glyphs, buffer);
    for line in 0..page {
        let place = picker.list.offset + usize::from(line);
        let Some(entry) = rows.get(place).map(|row| row.entry(model, picker.kind)) else { break };
        let row = Rect { y: inner.y + 1 + line, height: 1, ..inner };
        paint::paint_line(
            &entry_line(&entry, picker.kind, usize::from(row.width), show),
            theme,
            row,
            show.glyphs,
            buffer,
        );
        if place == picker.list.selected {
            paint::select(row, Keys::Here, theme, buffer);
            let mark = Rect { x: row.x - 1, width: 1, ..row };
            paint::text(show.glyphs.selected, Role::Accent, theme, mark, show.glyphs, buffer);
        }
    }
    if below > 0
        && let Some(entry) = rows.get(picker.list.selected).map(|row| row.entry(model, picker.kind))
    {
        let area = Rect { y: inner.bottom().saturating_sub(below - 1), height: below - 1, ..inner };
        let lines: Vec<Line> = entry.detail.iter().map(|text| Line::of(Role::Plain, text.clone())).collect();
        let lines = fit(&lines, usize::from(area.width), Wrap::Words, show.glyphs.ellipsis);
        paint::paint_lines(&lines, theme, area, show.glyphs, buffer);
    }
    typing.then(|| {
        let before: String = filter.text().chars().take(filter.cursor()).collect();
        let column = u16::try_from(before.width() + 1).unwrap_or(u16::MAX);
        Position { x: top.x.saturating_add(column).min(top.right().saturating_sub(1)), y: top.y }
    })
}

fn entry_line(entry: &Entry, kind: PickerKind, width: usize, show: RenderContext) -> Line {
    if entry.choice == Choice::Heading {
        return Line::of(Role::Strong, entry.title.clone()).cut(width, show.glyphs.ellipsis);
    }
    let mut line = Line::empty();
    let is_command = matches!(kind, PickerKind::Palette | PickerKind::Help);
    if is_command {
        // Keys stand in a column of their own before what they do.
        line.push(Role::Accent, cut(&entry.note, 16, show.glyphs.ellipsis));
        line.pad_to(18);
        let role = if entry.sign.is_some() { Role::Muted } else { Role::Plain };
        line.push(role, entry.title.clone());
        return line.cut(width, show.glyphs.ellipsis);
    }
    if let Some((sign, role)) = entry.sign {
        line.push(role, format!("{sign} "));
    }
    let is_tight = line.width() + entry.title.width() + 2 + entry.note.width() > width;
    let note = if is_tight && !entry.brief.is_empty() { entry.brief } else { &entry.note };
    let right = note.width();
    let room = width.saturating_sub(line.width() + right + usize::from(right > 0) * 2);
    line.push(Role::Plain, cut(&entry.title, room, show.glyphs.ellipsis));
    if right > 0 {
        let used = line.width();
        line.push(Role::Plain, " ".repeat(width.saturating_sub(used + right)));
        line.push(Role::Muted, note.to_owned());
    }
    line
}

fn draw_form(model: &Model, theme: &Theme, geometry: Geometry, form: &Form, buffer: &mut Buffer) -> Option<Position> {
    let show = model.render_context();
    let inner = geometry.layer_inner();
    let rows = form_rows(geometry);
    let first = form_window(form.focus, form.fields.len(), usize::from(rows));
    let title = format!("New profile {} {}", show.glyphs.dot, form.guide.id());
    let extent = Extent { first, page: usize::from(rows), total: form.fields.len() };
    paint::layer_border(model, theme, geometry, &title, "* a check needs it", extent, buffer);
    let mut cursor = None;
    let indent = u16::try_from(content::form::INDENT).unwrap_or(u16::MAX).min(inner.width / 2);
    for line in 0..rows {
        let place = first + usize::from(line);
        let Some(field) = form.fields.get(place) else { break };
        let row = Rect { y: inner.y + line, height: 1, ..inner };
        paint::paint_line(
            &content::form::label(field, show),
            theme,
            Rect { width: indent, ..row },
            show.glyphs,
            buffer,
        );
        let area = Rect { x: row.x + indent, width: row.width.saturating_sub(indent), ..row };
        // A text longer than its field is scrolled so that the cursor shows.
        let before: String = field.input.text().chars().take(field.input.cursor()).collect();
        let shift = before.width().saturating_sub(usize::from(area.width).saturating_sub(1));
        let shown: String = field.input.text().chars().skip(shift).collect();
        paint::text(&show.prose(&shown), Role::Plain, theme, area, show.glyphs, buffer);
        if place == form.focus {
            buffer.set_style(area, theme.style(Role::Accent).add_modifier(ratatui::style::Modifier::UNDERLINED));
            let mark = Rect { x: row.x - 1, width: 1, ..row };
            paint::text(show.glyphs.selected, Role::Accent, theme, mark, show.glyphs, buffer);
            let column = u16::try_from(before.width().saturating_sub(shift)).unwrap_or(u16::MAX);
            cursor = Some(Position { x: area.x.saturating_add(column).min(area.right().saturating_sub(1)), y: area.y });
        }
    }
    let below = Rect { y: inner.y + rows + 1, height: inner.height.saturating_sub(rows + 1), ..inner };
    let advice = fit(&content::form::advice(model, form), usize::from(below.width), Wrap::Words, show.glyphs.ellipsis);
    paint::paint_lines(&advice, theme, below, show.glyphs, buffer);
    let save = Line::of(Role::Accent, "ctrl-s")
        .with(Role::Plain, " saves and runs   ")
        .with(Role::Accent, "esc")
        .with(Role::Plain, " leaves");
    if let Some(y) = inner.bottom().checked_sub(1).filter(|y| *y > below.y + u16::try_from(advice.len()).unwrap_or(0)) {
        paint::paint_line(&save, theme, Rect { y, height: 1, ..inner }, show.glyphs, buffer);
    }
    cursor
}
