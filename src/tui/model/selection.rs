//! Text that is selected with the mouse: from where the button went down to where the mouse is, within the pane that it went down
//! in, line by line as it is read.

use ratatui::layout::{Position, Rect};

/// A selection, or the press that may become one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Selection {
    pane: Rect,
    from: Position,
    to: Position,
    is_dragged: bool,
}

impl Selection {
    /// The button went down here, inside of this pane.
    pub const fn pressed(pane: Rect, at: Position) -> Self {
        Selection { pane, from: at, to: at, is_dragged: false }
    }

    /// The mouse is here; outside of the pane, the selection goes to its edge.
    pub fn drag(&mut self, at: Position) {
        let within = |at: u16, first: u16, end: u16| at.clamp(first, end.saturating_sub(1).max(first));
        let to = Position {
            x: within(at.x, self.pane.x, self.pane.right()),
            y: within(at.y, self.pane.y, self.pane.bottom()),
        };
        self.is_dragged |= to != self.from;
        self.to = to;
    }

    /// Whether the mouse has moved since: a press alone selects nothing.
    pub const fn is_dragged(&self) -> bool {
        self.is_dragged
    }

    /// What is selected, a line of the screen each.
    pub fn lines(&self) -> impl Iterator<Item = Rect> + use<> {
        let Selection { pane, from, to, .. } = *self;
        let (first, last) = if (from.y, from.x) <= (to.y, to.x) { (from, to) } else { (to, from) };
        (first.y..=last.y).map(move |y| {
            let x = if y == first.y { first.x } else { pane.x };
            let end = if y == last.y { last.x + 1 } else { pane.right() };
            Rect { x, y, width: end.saturating_sub(x), height: 1 }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PANE: Rect = Rect { x: 10, y: 5, width: 20, height: 4 };

    fn selected(from: (u16, u16), to: (u16, u16)) -> Vec<(u16, u16, u16)> {
        let mut selection = Selection::pressed(PANE, Position { x: from.0, y: from.1 });
        selection.drag(Position { x: to.0, y: to.1 });
        selection.lines().map(|line| (line.y, line.x, line.width)).collect()
    }

    #[test]
    fn whole_lines_stand_between_the_first_and_the_last_and_none_outside_of_the_pane() {
        assert_eq!(selected((12, 6), (15, 6)), [(6, 12, 4)]);
        assert_eq!(selected((15, 6), (12, 6)), [(6, 12, 4)]);
        let three = [(5, 25, 5), (6, 10, 20), (7, 10, 3)];
        assert_eq!(selected((25, 5), (12, 7)), three);
        assert_eq!(selected((12, 7), (25, 5)), three, "upwards too");
        assert_eq!(selected((28, 8), (200, 100)), [(8, 28, 2)]);
        assert_eq!(selected((11, 5), (0, 0)), [(5, 10, 2)]);
    }

    #[test]
    fn a_press_alone_selects_nothing() {
        let at = Position { x: 12, y: 6 };
        let mut selection = Selection::pressed(PANE, at);
        assert!(!selection.is_dragged());
        selection.drag(at);
        assert!(!selection.is_dragged());
        selection.drag(Position { x: 13, y: 6 });
        selection.drag(at);
        assert!(selection.is_dragged(), "one character is selected by going there and back");
    }
}
