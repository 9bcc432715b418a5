//! A page: what there is to say of one subject, in blocks from top to bottom. Each subject lays itself out once; the back
//! ends only differ in how a block looks.

use super::comparison::Comparison;
use super::context::RenderContext;
use super::line::{Line, Role, Span};
use crate::check::Outcome;

/// A script of more lines is told by the command that prints it, where it can be printed.
pub const LONGEST_SCRIPT: usize = 12;

/// One subject.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Page {
    /// What it is about, or what is wrong.
    pub title: Option<Line>,
    pub blocks: Vec<Block>,
    /// The last word: at the end for whoever reads along, at the beginning of a document.
    pub verdict: Option<Line>,
}

/// One thing of a page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Block {
    /// Begins a part of the page.
    Heading(Line),
    /// A sentence or a few.
    Text(Line),
    /// A name and what it stands for; further lines stand under the first.
    Field { label: String, lines: Vec<Line> },
    /// Facts under one name.
    List { label: String, items: Vec<Vec<Line>> },
    /// One of several things, behind a sign or a number.
    Item { mark: Span, text: Line },
    /// Two values and where they part.
    Comparison(Comparison),
    /// What is copied: never broken, never indented by more than its page.
    Code(Code),
    /// Things of one kind in columns.
    Table(Table),
    /// A page within this one.
    Part(Page),
    /// Room before what follows.
    Gap,
    /// Room where there is much of it.
    Breath,
}

/// Lines to copy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Code {
    pub lines: Vec<Line>,
    /// What stands for a long script where a page is read and not kept: the command that prints it.
    pub printed_by: Option<String>,
}

/// Rows of cells.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Table {
    pub columns: Vec<Column>,
    /// Whether a terminal shows the columns' heads; a document does in any case.
    pub headed: bool,
    pub rows: Vec<Vec<Cell>>,
}

/// A column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Column {
    pub head: &'static str,
    pub kind: ColumnKind,
}

/// How a column takes its room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ColumnKind {
    /// As wide as its widest cell that is no wider than this; wider ones push what follows.
    Upto(usize),
    /// Numbers, to the right.
    Right,
    /// Only in a document, where nothing is short of room.
    InDocument,
}

/// What stands in a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cell {
    Line(Line),
    /// A sign on a terminal, a word in a document.
    Outcome(Outcome),
}

impl Page {
    /// A page with its title.
    pub fn titled(title: Line) -> Self {
        Page { title: Some(title), ..Page::default() }
    }

    pub fn push(&mut self, block: Block) {
        self.blocks.push(block);
    }

    pub fn heading(&mut self, text: impl Into<String>) {
        self.push(Block::Heading(Line::of(Role::Strong, text)));
    }

    pub fn text(&mut self, role: Role, text: impl Into<String>) {
        self.push(Block::Text(Line::of(role, text)));
    }

    pub fn field(&mut self, label: impl Into<String>, line: Line) {
        self.push(Block::Field { label: label.into(), lines: vec![line] });
    }

    /// A field of one plain text from outside.
    pub fn value(&mut self, label: &str, text: &str, ctx: RenderContext) {
        self.field(label, Line::of(Role::Plain, ctx.value(text)));
    }

    /// A field of a sentence that may quote what came from outside, in as many lines as it has.
    pub fn prose(&mut self, label: impl Into<String>, role: Role, text: &str, ctx: RenderContext) {
        let lines = ctx.lines(text).into_iter().map(|line| Line::of(role, line)).collect();
        self.push(Block::Field { label: label.into(), lines });
    }

    pub fn item(&mut self, mark: Span, text: Line) {
        self.push(Block::Item { mark, text });
    }

    /// An item behind a dot.
    pub fn dotted(&mut self, text: Line, ctx: RenderContext) {
        self.item(ctx.dot(), text);
    }

    /// Lines to copy.
    pub fn code(&mut self, text: &str, ctx: RenderContext) {
        self.script(text, None, ctx);
    }

    /// A script, and the command that prints it.
    pub fn script(&mut self, text: &str, printed_by: Option<String>, ctx: RenderContext) {
        let lines = ctx.code(text.trim_end()).into_iter().map(|line| Line::of(Role::Command, line)).collect();
        self.push(Block::Code(Code { lines, printed_by }));
    }

    pub fn part(&mut self, part: Page) {
        self.push(Block::Part(part));
    }

    pub fn gap(&mut self) {
        self.push(Block::Gap);
    }

    pub fn breath(&mut self) {
        self.push(Block::Breath);
    }
}

impl Block {
    /// The name before it, where it has one; empty where it goes on under the one before.
    pub(super) fn label(&self) -> Option<&str> {
        match self {
            Block::Field { label, .. } | Block::List { label, .. } => Some(label),
            Block::Comparison(comparison) => Some(&comparison.labels[0].text),
            _ => None,
        }
    }
}

impl Column {
    /// A column of texts.
    pub const fn new(head: &'static str) -> Self {
        Column { head, kind: ColumnKind::Upto(usize::MAX) }
    }

    /// A column of another kind.
    pub const fn of(head: &'static str, kind: ColumnKind) -> Self {
        Column { head, kind }
    }

    pub(super) fn fits(&self, width: usize) -> bool {
        !matches!(self.kind, ColumnKind::Upto(most) if width > most)
    }
}

impl From<Line> for Cell {
    fn from(line: Line) -> Self {
        Cell::Line(line)
    }
}
