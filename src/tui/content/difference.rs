//! Two values under each other, in pieces that fit, with the first difference marked.

use unicode_width::UnicodeWidthChar as _;

use super::{LABEL, Show};
use crate::domain::diff::first_difference;
use crate::tui::text::{Ink, Line};

/// The most pieces that are shown of values that do not fit one line.
const PIECES: usize = 12;

/// One character as it is shown.
struct Cell {
    text: String,
    width: usize,
    differs: bool,
}

/// `expected` over `actual`, and under them a mark at the first character in which they differ.
pub fn lines(labels: (&str, &str), expected: &str, actual: &str, width: usize, show: Show) -> Vec<Line> {
    let from = first_difference(expected, actual).map(|difference| difference.at);
    let room = width.saturating_sub(LABEL).max(12);
    let (above, below) = (cells(expected, from, show), cells(actual, from, show));
    let (above, below) = (pieces(&above, room), pieces(&below, room));
    let count = above.len().max(below.len()).max(1);
    let mut lines = Vec::new();
    for piece in 0..count.min(PIECES) {
        let (label_above, label_below) = if piece == 0 { labels } else { ("", "") };
        let (top, bottom) = (above.get(piece).copied().unwrap_or(&[]), below.get(piece).copied().unwrap_or(&[]));
        lines.push(inked(label_above, top));
        lines.push(inked(label_below, bottom));
        if let Some(column) = mark(top, bottom, piece, &above, &below) {
            let mut line = Line::of(Ink::Plain, " ".repeat(LABEL + column));
            line.push(Ink::Difference, show.glyphs.caret);
            lines.push(line);
        }
    }
    if count > PIECES {
        lines.push(Line::of(Ink::Muted, format!("{} and so on", show.glyphs.ellipsis)));
    }
    lines
}

/// The column of the first difference within a piece, where it lies in it.
fn mark(top: &[Cell], bottom: &[Cell], piece: usize, above: &[&[Cell]], below: &[&[Cell]]) -> Option<usize> {
    let earlier = |pieces: &[&[Cell]]| pieces.iter().take(piece).any(|cells| cells.iter().any(|cell| cell.differs));
    if earlier(above) || earlier(below) {
        return None;
    }
    // The text that ended has no differing character; its end is the place.
    let place = |cells: &[Cell]| {
        let before: usize = cells.iter().take_while(|cell| !cell.differs).map(|cell| cell.width).sum();
        cells.iter().any(|cell| cell.differs).then_some(before)
    };
    place(bottom).or(place(top))
}

fn cells(text: &str, from: Option<usize>, show: Show) -> Vec<Cell> {
    text.chars()
        .take(4_000)
        .enumerate()
        .map(|(at, c)| {
            let shown = show.value(&c.to_string());
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

fn inked(label: &str, cells: &[Cell]) -> Line {
    let mut line = Line::of(Ink::Muted, label);
    line.pad_to(LABEL);
    for cell in cells {
        line.push(if cell.differs { Ink::Difference } else { Ink::Plain }, cell.text.clone());
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::inputs::{Inputs, Look};
    use crate::tui::model::Model;

    fn plain(expected: &str, actual: &str, width: usize) -> Vec<String> {
        let model = Model::new(Inputs::default(), Look::default(), 0, (80, 24));
        lines(("expected", "actual"), expected, actual, width, Show::of(&model)).iter().map(Line::plain).collect()
    }

    #[test]
    fn marks_the_first_difference_once() {
        assert_eq!(plain("org:a1", "org:a2", 40), ["expected   org:a1", "actual     org:a2", "                ^"]);
        assert_eq!(plain("ab", "abc", 40), ["expected   ab", "actual     abc", "             ^"]);
        assert_eq!(plain("same", "same", 40).len(), 2);
    }

    #[test]
    fn long_values_are_broken_at_the_same_places() {
        let lines = plain(&format!("{}x", "a".repeat(15)), &format!("{}y", "a".repeat(15)), LABEL + 12);
        assert_eq!(
            lines,
            [
                "expected   aaaaaaaaaaaa",
                "actual     aaaaaaaaaaaa",
                "           aaax",
                "           aaay",
                "              ^"
            ]
        );
    }

    #[test]
    fn escapes_count_as_they_show() {
        let lines = plain("\u{200b}a", "\u{200b}b", 60);
        assert_eq!(lines[0], "expected   \\u{200b}a");
        assert_eq!(lines[2].find('^'), lines[1].find('b').map(|_| lines[1].rfind('b').unwrap_or(0)));
    }
}
