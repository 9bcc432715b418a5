//! Two values under each other, broken at the same columns where they do not fit, with the first difference marked.

use unicode_width::UnicodeWidthChar as _;

use super::context::RenderContext;
use super::line::{Line, Role, Span};
use crate::domain::text_difference::first_difference;

/// The most pieces that are shown of values that do not fit one line.
const PIECES: usize = 6;
/// The indent of values below their labels.
const BELOW: usize = 2;
/// The least columns that a value is broken into.
const LEAST: usize = 12;

/// Two values, as they came, each with what stands before it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Comparison {
    pub labels: [Span; 2],
    pub values: [String; 2],
}

impl Comparison {
    pub fn of(labels: [Span; 2], first: &str, second: &str) -> Self {
        Comparison { labels, values: [first.to_owned(), second.to_owned()] }
    }
}

/// One character as it is shown.
struct Cell {
    text: String,
    width: usize,
    differs: bool,
}

/// The first value over the second, and under them a mark at the first character in which they differ. Values that
/// would not fit beside their labels and fit below them stand there; longer ones are broken, a pair of pieces at a time,
/// and of long pieces that are the same only the last is shown.
pub(super) fn lines(compared: &Comparison, width: usize, label: usize, ctx: RenderContext) -> Vec<Line> {
    let ([first, second], labels) = (&compared.values, &compared.labels);
    let from = first_difference(first, second).map(|difference| difference.at);
    let (above, below) = (cells(first, from, ctx), cells(second, from, ctx));
    let longest = columns(&above).max(columns(&below));
    if longest.saturating_add(label) > width && longest + BELOW <= width {
        let [above_label, below_label] = labels;
        let head = Line::from(above_label.clone()).with(Role::Muted, ", and below it ");
        let mut lines = vec![head.followed_by(&Line::from(below_label.clone())).hanging(BELOW)];
        lines.extend(pair(&Line::empty(), &Line::empty(), BELOW, [&above, &below], ctx));
        return lines;
    }
    let room = width.saturating_sub(label).max(LEAST);
    let (above, below) = (pieces(&above, room), pieces(&below, room));
    let count = above.len().max(below.len()).max(1);
    let piece = |pieces: &[&[Cell]], at: usize| pieces.get(at).is_some_and(|cells| cells.iter().any(|c| c.differs));
    let differing = (0..count).find(|at| piece(&above, *at) || piece(&below, *at)).unwrap_or(0);
    // Where the difference lies far behind, what is the same before it is left out but for its end.
    let start = if differing < PIECES { 0 } else { differing - 1 };
    let mut lines = Vec::new();
    if start > 0 {
        let same: usize = above.iter().take(start).map(|cells| cells.len()).sum();
        let text = format!("{} the first {same} characters are the same", ctx.glyphs.ellipsis);
        lines.push(Line::of(Role::Muted, text).hanging(BELOW));
    }
    let line = |label: &Span| Line::from(label.clone());
    for at in (start..count).take(PIECES) {
        let (top, bottom) = (above.get(at).copied().unwrap_or(&[]), below.get(at).copied().unwrap_or(&[]));
        let mut both = pair(&line(&labels[0]), &line(&labels[1]), label, [top, bottom], ctx);
        // The mark stands once, where the difference begins.
        both.truncate(if at == differing { 3 } else { 2 });
        lines.extend(both);
    }
    if count > start + PIECES {
        lines.push(Line::of(Role::Muted, format!("{} and so on", ctx.glyphs.ellipsis)));
    }
    lines
}

/// Two pieces under each other from a column on, and the mark of the first difference if it lies in them.
fn pair(above: &Line, below: &Line, column: usize, [top, bottom]: [&[Cell]; 2], ctx: RenderContext) -> Vec<Line> {
    let mut lines = vec![inked(above, column, top), inked(below, column, bottom)];
    // The text that ended has no differing character; its end is the place.
    let place = |cells: &[Cell]| {
        let before: usize = cells.iter().take_while(|cell| !cell.differs).map(|cell| cell.width).sum();
        cells.iter().any(|cell| cell.differs).then_some(before)
    };
    if let Some(at) = place(bottom).or(place(top)) {
        lines.push(Line::of(Role::Plain, " ".repeat(column + at)).with(Role::Difference, ctx.glyphs.caret));
    }
    lines
}

fn columns(cells: &[Cell]) -> usize {
    cells.iter().map(|cell| cell.width).sum()
}

fn cells(text: &str, from: Option<usize>, ctx: RenderContext) -> Vec<Cell> {
    text.chars()
        .take(4_000)
        .enumerate()
        .map(|(at, c)| {
            let shown = ctx.value(&c.to_string());
            let width = shown.chars().map(|c| c.width().unwrap_or(0)).sum();
            Cell { text: shown, width, differs: from.is_some_and(|from| at >= from) }
        })
        .collect()
}

fn pieces(cells: &[Cell], room: usize) -> Vec<&[Cell]> {
    let (mut pieces, mut start, mut used) = (Vec::new(), 0, 0);
    for (at, cell) in cells.iter().enumerate() {
        if used + cell.width > room && at > start {
            pieces.push(&cells[start..at]);
            (start, used) = (at, 0);
        }
        used += cell.width;
    }
    if start < cells.len() {
        pieces.push(&cells[start..]);
    }
    pieces
}

fn inked(label: &Line, column: usize, cells: &[Cell]) -> Line {
    let mut line = label.clone();
    line.pad_to(column);
    for cell in cells {
        line.push(if cell.differs { Role::Difference } else { Role::Plain }, cell.text.clone());
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::glyphs::GlyphSet;

    const LABEL: usize = 11;

    fn plain(expected: &str, actual: &str, width: usize) -> Vec<String> {
        let labels = [Span::of(Role::Muted, "expected"), Span::of(Role::Muted, "actual")];
        let compared = Comparison::of(labels, expected, actual);
        let lines = lines(&compared, width, LABEL, RenderContext::open(GlyphSet::Unicode));
        lines.iter().map(Line::plain).collect()
    }

    #[test]
    fn marks_the_first_difference_once() {
        assert_eq!(plain("org:a1", "org:a2", 40), ["expected   org:a1", "actual     org:a2", "                ^"]);
        assert_eq!(plain("ab", "abc", 40), ["expected   ab", "actual     abc", "             ^"]);
        assert_eq!(plain("same", "same", 40).len(), 2);
    }

    #[test]
    fn values_that_do_not_fit_beside_their_labels_stand_below_them() {
        let lines = plain(&format!("{}x", "a".repeat(15)), &format!("{}y", "a".repeat(15)), 18);
        assert_eq!(
            lines,
            ["expected, and below it actual", "  aaaaaaaaaaaaaaax", "  aaaaaaaaaaaaaaay", "                 ^"]
        );
    }

    #[test]
    fn long_values_are_broken_at_the_same_places() {
        let lines = plain(&format!("{}x", "a".repeat(23)), &format!("{}y", "a".repeat(23)), LABEL + 12);
        assert_eq!(
            lines,
            [
                "expected   aaaaaaaaaaaa",
                "actual     aaaaaaaaaaaa",
                "expected   aaaaaaaaaaax",
                "actual     aaaaaaaaaaay",
                "                      ^"
            ]
        );
        // A value that ends early leaves its label alone.
        let lines = plain("aaaaaaaaaaaa", &"a".repeat(24), LABEL + 12);
        assert_eq!(lines[2..], ["expected   ", "actual     aaaaaaaaaaaa", "           ^"]);
    }

    #[test]
    fn a_difference_far_behind_is_seen_without_what_is_the_same() {
        let lines = plain(&format!("{}x", "a".repeat(959)), &format!("{}y", "a".repeat(959)), LABEL + 12);
        assert_eq!(lines[0], "… the first 936 characters are the same");
        assert_eq!(lines[4..], ["actual     aaaaaaaaaaay", "                      ^"]);
        assert_eq!(lines.len(), 6);
    }

    #[test]
    fn escapes_count_as_they_show() {
        let lines = plain("\u{200b}a", "\u{200b}b", 60);
        assert_eq!(lines[0], "expected   \\u{200b}a");
        assert_eq!(lines[2].find('^'), lines[1].find('b').map(|_| lines[1].rfind('b').unwrap_or(0)));
    }
}
