//! Pages as Markdown, for a ticket.

use super::comparison;
use super::context::{RenderContext, outcome_word};
use super::glyphs::GlyphSet;
use super::line::{Line, Role, Span};
use super::page::{Block, Cell, Page, Table};
use crate::check::Outcome;
use crate::domain::text::visible;

/// How the texts of a page are shown in a document.
pub const CONTEXT: RenderContext = RenderContext::open(GlyphSet::Unicode);

/// The page as a document.
pub fn render(page: &Page) -> String {
    let mut document = Document::default();
    document.page(page, 1);
    document.text
}

/// What is written, and what was written last.
#[derive(Default)]
struct Document {
    text: String,
    last: Last,
}

#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Last {
    #[default]
    Nothing,
    Item,
    Block,
}

impl Document {
    fn page(&mut self, page: &Page, depth: usize) {
        if let Some(title) = &page.title {
            self.block(&format!("{} {}", "#".repeat(depth.min(6)), inline(title)));
        }
        if let Some(verdict) = &page.verdict {
            let (first, rest) = verdict.spans.split_first().map_or((None, [].as_slice()), |(f, r)| (Some(f), r));
            let word = first.map(|span| format!("**{}**", cell(span.text.trim()))).unwrap_or_default();
            self.block(&format!("{word}{}", spans(rest)));
        }
        for block in &page.blocks {
            match block {
                Block::Heading(line) => self.block(&format!("{} {}", "#".repeat((depth + 1).min(6)), inline(line))),
                Block::Text(line) => self.block(&inline(line)),
                Block::Field { label, lines } if is_code(lines) => {
                    self.block(&format!("**{}**:", cell(label)));
                    self.fence(lines);
                }
                Block::Field { label, lines } => self.field(label, lines),
                Block::List { label, items } => match items.as_slice() {
                    [only] => self.field(label, only),
                    several => {
                        self.item(&format!("- **{}**:", cell(label)));
                        several.iter().for_each(|item| self.item(&format!("  - {}", joined(item))));
                    }
                },
                Block::Item { mark, text } if mark.text.ends_with('.') => {
                    self.item(&format!("{} {}", mark.text.trim(), inline(text)));
                }
                // What goes on under the item before.
                Block::Item { mark, text } if mark.text.trim().is_empty() => {
                    self.item(&format!("  - {}", inline(text).trim_start()));
                }
                Block::Item { mark, text } if mark.role == Role::Muted => self.item(&format!("- {}", inline(text))),
                Block::Item { mark, text } => self.item(&format!("- {} {}", cell(&mark.text), inline(text))),
                Block::Comparison(compared) => self.fence(&comparison::lines(compared, usize::MAX, LABEL, CONTEXT)),
                Block::Code(code) => self.fence(&code.lines),
                Block::Table(table) => self.table(table),
                Block::Part(part) => self.page(part, depth + 1),
                Block::Gap | Block::Breath => {}
            }
        }
    }

    fn block(&mut self, text: &str) {
        if self.last != Last::Nothing {
            self.text.push('\n');
        }
        self.text.push_str(text);
        self.text.push('\n');
        self.last = Last::Block;
    }

    fn item(&mut self, text: &str) {
        if self.last == Last::Block {
            self.text.push('\n');
        }
        self.text.push_str(text);
        self.text.push('\n');
        self.last = Last::Item;
    }

    fn field(&mut self, label: &str, lines: &[Line]) {
        match label {
            "" => self.item(&format!("  - {}", joined(lines))),
            label => self.item(&format!("- **{}**: {}", cell(label.trim()), joined(lines))),
        }
    }

    /// A fenced block whose fence is longer than any run of backticks inside.
    fn fence(&mut self, lines: &[Line]) {
        let content: Vec<String> = lines.iter().map(|line| line.plain().trim_end().to_owned()).collect();
        let fence = "`".repeat(longest_ticks(&content.join("\n")).max(2) + 1);
        self.block(&format!("{fence}\n{}\n{fence}", content.join("\n")));
    }

    fn table(&mut self, table: &Table) {
        let mut rows = vec![
            table.columns.iter().map(|column| cell(column.head)).collect::<Vec<_>>(),
            table.columns.iter().map(|_| "---".to_owned()).collect(),
        ];
        rows.extend(
            table
                .rows
                .iter()
                .map(|row| (0..table.columns.len()).map(|at| row.get(at).map(written).unwrap_or_default()).collect()),
        );
        let lines: Vec<String> = rows.iter().map(|row| format!("| {} |", row.join(" | "))).collect();
        self.block(&lines.join("\n"));
    }
}

/// Width of the labels before values in a fence.
const LABEL: usize = 10;

fn is_code(lines: &[Line]) -> bool {
    lines.iter().all(|line| !line.is_empty() && line.spans.iter().all(|span| span.role == Role::Command))
}

fn written(of: &Cell) -> String {
    match of {
        Cell::Line(line) => inline(line),
        Cell::Outcome(Outcome::Fail) => format!("**{}**", outcome_word(Outcome::Fail)),
        Cell::Outcome(outcome) => outcome_word(*outcome).to_owned(),
    }
}

fn joined(lines: &[Line]) -> String {
    lines.iter().map(inline).collect::<Vec<_>>().join("\n  ")
}

fn inline(line: &Line) -> String {
    spans(&line.spans).trim_end().to_owned()
}

fn spans(spans: &[Span]) -> String {
    let written = |span: &Span| match span.role {
        Role::Accent if span.text.trim().starts_with("https://") => {
            format!("<{}>", span.text.replace([' ', '<', '>'], ""))
        }
        Role::Command if !span.text.trim().is_empty() => {
            let ticks = "`".repeat(longest_ticks(&span.text) + 1);
            format!("{ticks}{}{ticks}", span.text)
        }
        _ => cell(&span.text),
    };
    spans.iter().map(written).collect()
}

fn longest_ticks(text: &str) -> usize {
    text.split(|c| c != '`').map(str::len).max().unwrap_or(0)
}

/// Text that cannot leave its line or table cell, or start markup.
pub fn cell(text: &str) -> String {
    let mut cell = String::with_capacity(text.len());
    for c in visible(text).chars() {
        if matches!(c, '|' | '`' | '*' | '_' | '<' | '>' | '[' | ']' | '\\' | '#') {
            cell.push('\\');
        }
        cell.push(c);
    }
    cell
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::page::{Column, Page};

    #[test]
    fn text_stays_text_and_blocks_stand_apart() {
        let mut page = Page::titled(Line::of(Role::Strong, "a|b <c>"));
        page.field("because", Line::of(Role::Plain, "*one*"));
        page.field("docs", Line::of(Role::Accent, "https://example.com/a"));
        page.code("echo ```", CONTEXT);
        page.verdict = Some(Line::of(Role::Bad, "FAIL").with(Role::Plain, "  1 failed"));
        let rows = vec![vec![Cell::Outcome(Outcome::Fail), Line::of(Role::Plain, "x|y").into()]];
        page.push(Block::Table(Table {
            columns: vec![Column::new("outcome"), Column::new("reason")],
            headed: false,
            rows,
        }));
        assert_eq!(
            render(&page),
            "# a\\|b \\<c\\>\n\n**FAIL**  1 failed\n\n- **because**: \\*one\\*\n- **docs**: <https://example.com/a>\n\n\
             ````\necho ```\n````\n\n| outcome | reason |\n| --- | --- |\n| **failed** | x\\|y |\n"
        );
    }
}
