//! From a page to lines: for a terminal's report, and for a pane of the console.

use super::comparison;
use super::context::RenderContext;
use super::line::{Line, Role};
use super::page::{Block, Cell, Code, Column, ColumnKind, LONGEST_SCRIPT, Page, Table};

/// How a page becomes lines.
#[derive(Clone, Copy, Debug)]
pub struct Layout {
    /// The columns there are; [`usize::MAX`] where a line may be as long as it likes.
    pub width: usize,
    /// How far what belongs to a title is indented.
    pub step: usize,
    /// The least columns of a label.
    pub label: usize,
    pub spacing: Spacing,
    /// What says how a long script is seen, beside the command that prints it.
    pub script_hint: &'static str,
    pub ctx: RenderContext,
}

/// How much room there is between the blocks of a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spacing {
    Close,
    Airy,
}

/// The least columns that are left for the last column of a table.
const LEAST: usize = 24;

impl Layout {
    /// A report on a terminal, or in a pipe.
    pub const fn report(width: Option<usize>, ctx: RenderContext) -> Self {
        let width = match width {
            Some(width) => width,
            None => usize::MAX,
        };
        Layout { width, step: 2, label: 10, spacing: Spacing::Close, script_hint: "", ctx }
    }

    /// A pane of the console.
    pub const fn pane(width: usize, ctx: RenderContext) -> Self {
        Layout {
            width,
            step: 0,
            label: 11,
            spacing: Spacing::Airy,
            script_hint: "`f` shows the script, what it changes, and the way back",
            ctx,
        }
    }

    /// The page as lines, not yet broken to the width.
    pub fn lines(self, page: &Page) -> Vec<Line> {
        let mut lines = Vec::new();
        self.push(page, 0, &mut lines);
        while lines.last().is_some_and(Line::is_empty) {
            lines.pop();
        }
        lines
    }

    fn push(self, page: &Page, indent: usize, lines: &mut Vec<Line>) {
        lines.extend(page.title.iter().map(|title| indented(title.clone(), indent)));
        let body = indent + if page.title.is_some() { self.step } else { 0 };
        let labels = page.blocks.iter().filter_map(Block::label).map(|label| label.chars().count() + 2);
        let label = labels.max().unwrap_or(0).max(self.label);
        for (at, block) in page.blocks.iter().enumerate() {
            // What is copied stands under the text it belongs to, else from the page's first column on.
            let is_labelled = at > 0 && page.blocks.get(at - 1).is_some_and(|before| before.label().is_some());
            match block {
                Block::Code(code) => self.code(code, if is_labelled { body + label } else { indent }, lines),
                block => self.block(block, indent, body, label, lines),
            }
        }
        if let Some(verdict) = &page.verdict {
            lines.push(Line::empty());
            lines.push(indented(verdict.clone(), indent));
        }
    }

    fn block(self, block: &Block, indent: usize, body: usize, label: usize, lines: &mut Vec<Line>) {
        let room = |lines: &mut Vec<Line>| {
            if lines.last().is_some_and(|last| !last.is_empty()) {
                lines.push(Line::empty());
            }
        };
        match block {
            Block::Heading(line) => lines.push(indented(line.clone(), indent)),
            Block::Text(line) => lines.push(indented(line.clone(), body)),
            Block::Field { label: name, lines: values } => {
                for (n, value) in values.iter().enumerate() {
                    lines.push(labelled(if n == 0 { name } else { "" }, value, body, label));
                }
            }
            Block::List { label: name, items } => {
                for (n, item) in items.iter().enumerate() {
                    for (at, value) in item.iter().enumerate() {
                        let dot = if items.len() == 1 { Line::empty() } else { self.dot(at == 0) };
                        let value = dot.followed_by(value);
                        lines.push(labelled(if n + at == 0 { name } else { "" }, &value, body, label));
                    }
                }
            }
            Block::Item { mark, text } => {
                let mut line = Line::of(mark.role, mark.text.clone()).with(Role::Plain, " ");
                let hang = line.width() + text.hang;
                line = line.followed_by(text).hanging(hang);
                lines.push(indented(line, body));
            }
            Block::Comparison(comparison) => {
                let width = self.width.saturating_sub(body);
                let compared = comparison::lines(comparison, width, label, self.ctx);
                lines.extend(compared.into_iter().map(|line| indented(line, body)));
            }
            Block::Code(code) => self.code(code, body, lines),
            Block::Table(table) => lines.extend(self.table(table, body)),
            Block::Part(part) => self.push(part, body, lines),
            Block::Gap => room(lines),
            Block::Breath if self.spacing == Spacing::Airy => room(lines),
            Block::Breath => {}
        }
    }

    fn dot(self, is_first: bool) -> Line {
        Line::of(Role::Muted, if is_first { self.ctx.glyphs.dot } else { " " }).with(Role::Plain, " ")
    }

    fn code(self, code: &Code, indent: usize, lines: &mut Vec<Line>) {
        // Indented, a here-document does not end.
        let is_short = code.lines.len() <= LONGEST_SCRIPT && !code.lines.iter().any(|line| line.plain().contains("<<"));
        if code.printed_by.is_none() || is_short {
            lines.extend(code.lines.iter().map(|line| command(line, indent)));
            return;
        }
        lines.extend(code.printed_by.iter().map(|text| command(&Line::of(Role::Command, text.as_str()), indent)));
        if !self.script_hint.is_empty() {
            lines.push(indented(Line::of(Role::Muted, self.script_hint), indent));
        }
    }

    fn table(self, table: &Table, indent: usize) -> Vec<Line> {
        let columns: Vec<(usize, &Column)> =
            table.columns.iter().enumerate().filter(|(_, column)| column.kind != ColumnKind::InDocument).collect();
        let head =
            table.headed.then(|| table.columns.iter().map(|c| Cell::Line(Line::of(Role::Muted, c.head))).collect());
        let rows: Vec<&Vec<Cell>> = head.iter().chain(&table.rows).collect();
        let widths: Vec<usize> = columns
            .iter()
            .map(|(at, column)| {
                let cells = rows.iter().filter_map(|row| row.get(*at)).map(|cell| self.cell(cell).width());
                cells.filter(|width| column.fits(*width)).max().unwrap_or(0)
            })
            .collect();
        let starts: Vec<usize> =
            widths.iter().scan(indent, |at, width| Some(std::mem::replace(at, *at + gap(*width)))).collect();
        let last = starts.last().copied().unwrap_or(0);
        // What does not fit goes on under its own column, or under the second where that leaves too little.
        let hang = if last + LEAST <= self.width { last } else { starts.get(1).copied().unwrap_or(indent) };
        rows.iter()
            .map(|row| {
                let mut line = Line::of(Role::Plain, " ".repeat(indent)).hanging(hang);
                for (((at, column), width), start) in columns.iter().zip(&widths).zip(&starts) {
                    let Some(cell) = row.get(*at).map(|cell| self.cell(cell)).filter(|cell| !cell.is_empty()) else {
                        continue;
                    };
                    // A wider cell pushes the next one along.
                    let gap = if line.width() > *start { 2 } else { *start - line.width() };
                    line.push(Role::Plain, " ".repeat(gap));
                    if column.kind == ColumnKind::Right {
                        line.push(Role::Plain, " ".repeat(width.saturating_sub(cell.width())));
                    }
                    line = line.followed_by(&cell).hanging(hang);
                }
                line
            })
            .collect()
    }

    fn cell(self, cell: &Cell) -> Line {
        match cell {
            Cell::Line(line) => line.clone(),
            Cell::Outcome(outcome) => Line::from(self.ctx.sign(*outcome)),
        }
    }
}

/// A column's width with the room behind it; a sign stands close.
const fn gap(width: usize) -> usize {
    match width {
        0 => 0,
        1 => 2,
        wide => wide + 2,
    }
}

/// A line with its first and its further parts further to the right.
fn indented(line: Line, indent: usize) -> Line {
    if indent == 0 {
        return line;
    }
    let hang = indent + line.hang;
    Line::of(Role::Plain, " ".repeat(indent)).followed_by(&line).hanging(hang)
}

fn labelled(name: &str, value: &Line, indent: usize, label: usize) -> Line {
    let mut line = Line::of(Role::Plain, " ".repeat(indent)).with(Role::Muted, name);
    line.pad_to(indent + label);
    let hang = indent + label + value.hang;
    line.followed_by(value).hanging(hang)
}

/// A line to copy; in a pane what does not fit is indented further than the line itself.
fn command(line: &Line, indent: usize) -> Line {
    let text = line.plain();
    let own = text.len() - text.trim_start_matches(' ').len();
    Line::of(Role::Plain, " ".repeat(indent)).followed_by(line).hanging(indent + own + 2)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::Outcome;
    use crate::report::line::Span;
    use crate::report::markdown::CONTEXT;

    fn plain(lines: &[Line]) -> Vec<String> {
        lines.iter().map(|line| line.plain().trim_end().to_owned()).collect()
    }

    fn report(page: &Page) -> Vec<String> {
        plain(&Layout::report(None, CONTEXT).lines(page))
    }

    fn text(text: &str) -> Line {
        Line::of(Role::Plain, text)
    }

    fn table(rows: &[[&str; 3]]) -> Page {
        let columns = vec![
            Column::new("outcome"),
            Column::of("id", ColumnKind::InDocument),
            Column::of("name", ColumnKind::Upto(8)),
            Column::of("time", ColumnKind::Right),
            Column::new("reason"),
        ];
        let row = |[name, time, reason]: &[&str; 3]| {
            vec![
                Cell::Outcome(Outcome::Pass),
                text("an id").into(),
                text(name).into(),
                text(time).into(),
                text(reason).into(),
            ]
        };
        let mut page = Page::titled(text("title"));
        page.push(Block::Table(Table { columns, headed: false, rows: rows.iter().map(row).collect() }));
        page
    }

    #[test]
    fn columns_stand_under_each_other_and_a_wide_cell_pushes_its_own_row_alone() {
        let page = table(&[["one", "5 ms", "because"], ["three", "12 ms", ""], ["much too wide", "1 ms", "so"]]);
        assert_eq!(
            report(&page),
            ["title", "  ✓ one     5 ms  because", "  ✓ three  12 ms", "  ✓ much too wide   1 ms  so"]
        );
    }

    #[test]
    fn what_a_row_has_too_much_goes_on_under_its_last_column_or_the_second() {
        let page = table(&[["one", "5 ms", "because of this and that"]]);
        let hang = |width| Layout::report(Some(width), CONTEXT).lines(&page).last().map(|line| line.hang);
        assert_eq!((hang(80), hang(30)), (Some(15), Some(4)));
    }

    #[test]
    fn what_is_copied_stands_under_its_label_and_else_in_the_first_column() {
        let mut page = Page::titled(text("title"));
        page.field("fix", text("Run it"));
        page.code("one\n  two", CONTEXT);
        page.text(Role::Plain, "Or this:");
        page.code("three", CONTEXT);
        assert_eq!(
            report(&page),
            ["title", "  fix       Run it", "            one", "              two", "  Or this:", "three"]
        );
    }

    #[test]
    fn labels_make_room_for_the_widest_and_parts_go_inwards() {
        let mut part = Page::titled(text("part"));
        part.push(Block::List {
            label: "because".into(),
            items: vec![vec![text("one"), text("still one")], vec![text("two")]],
        });
        let mut page = Page::titled(text("title"));
        page.field("a label of its own", text("value"));
        page.item(Span::of(Role::Good, "✓"), text("done"));
        page.gap();
        page.part(part);
        page.verdict = Some(text("END"));
        assert_eq!(
            report(&page),
            [
                "title",
                "  a label of its own  value",
                "  ✓ done",
                "",
                "  part",
                "    because   · one",
                "                still one",
                "              · two",
                "",
                "END"
            ]
        );
        // In a pane nothing is indented.
        let pane = plain(&Layout::pane(80, CONTEXT).lines(&page));
        assert_eq!(pane[4..6], ["part", "because    · one"]);
    }

    #[test]
    fn a_long_script_is_told_by_what_prints_it_and_in_a_pane_by_its_key() {
        let mut page = Page::default();
        page.script(&"line\n".repeat(LONGEST_SCRIPT + 1), Some("trustline fix | sh".into()), CONTEXT);
        assert_eq!(report(&page), ["trustline fix | sh"]);
        let pane = plain(&Layout::pane(80, CONTEXT).lines(&page));
        assert!(pane[0] == "trustline fix | sh" && pane[1].starts_with("`f` shows the script"), "{pane:?}");
    }
}
