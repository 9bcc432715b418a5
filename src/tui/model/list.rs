//! A list a person moves in: the selected row, the first row shown, and the filter.

/// The state of a list. Rows are counted within those that the filter lets through.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ListState {
    pub selected: usize,
    pub offset: usize,
    pub filter: Field,
    /// What was selected before there was a filter.
    pub before: usize,
    /// Whether keys go to the filter.
    pub typing: Typing,
}

/// Whether keys type into a filter.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Typing {
    #[default]
    Off,
    On,
}

/// A way to move.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Move {
    Up,
    Down,
    PageUp,
    PageDown,
    Top,
    Bottom,
}

impl ListState {
    /// Moves the selection among `count` rows of which `page` are shown, and keeps it in view.
    pub fn go(&mut self, to: Move, count: usize, page: usize) {
        let last = count.saturating_sub(1);
        let page_step = page.saturating_sub(1).max(1);
        self.selected = match to {
            Move::Up => self.selected.saturating_sub(1),
            Move::Down => self.selected.saturating_add(1),
            Move::PageUp => self.selected.saturating_sub(page_step),
            Move::PageDown => self.selected.saturating_add(page_step),
            Move::Top => 0,
            Move::Bottom => last,
        };
        self.keep_in_view(count, page);
    }

    /// Clamps the selection to `count` rows and scrolls so that it is among the `page` rows shown.
    pub fn keep_in_view(&mut self, count: usize, page: usize) {
        self.selected = self.selected.min(count.saturating_sub(1));
        let page = page.max(1);
        if self.selected < self.offset {
            self.offset = self.selected;
        } else if self.selected >= self.offset + page {
            self.offset = self.selected + 1 - page;
        }
        self.offset = self.offset.min(count.saturating_sub(page));
    }
}

/// A line of text being typed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Field {
    text: String,
    /// In characters from the start.
    cursor: usize,
}

/// A change to a line of text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Edit {
    Insert(char),
    Backspace,
    Delete,
    WordBack,
    Clear,
    Left,
    Right,
    Home,
    End,
}

/// The most characters a field takes.
const LONGEST: usize = 4096;

impl Field {
    /// A field that holds `text`, with the cursor at its end.
    pub fn of(text: impl Into<String>) -> Self {
        let text = text.into();
        Field { cursor: text.chars().count(), text }
    }

    /// The text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Where the cursor is, in characters from the start.
    pub fn cursor(&self) -> usize {
        self.cursor
    }

    /// Whether nothing stands in it.
    pub fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    /// Applies a change.
    pub fn edit(&mut self, edit: Edit) {
        use tui_input::InputRequest as Request;
        let request = match edit {
            Edit::Insert(_) if self.text.chars().count() >= LONGEST => return,
            Edit::Insert(c) => Request::InsertChar(c),
            Edit::Backspace => Request::DeletePrevChar,
            Edit::Delete => Request::DeleteNextChar,
            Edit::WordBack => Request::DeletePrevWord,
            Edit::Clear => Request::DeleteLine,
            Edit::Left => Request::GoToPrevChar,
            Edit::Right => Request::GoToNextChar,
            Edit::Home => Request::GoToStart,
            Edit::End => Request::GoToEnd,
        };
        let mut input = tui_input::Input::new(std::mem::take(&mut self.text)).with_cursor(self.cursor);
        let _ = input.handle(request);
        self.cursor = input.cursor();
        self.text = input.value().to_owned();
    }

    /// Inserts pasted text: its first line, without control characters.
    pub fn paste(&mut self, text: &str) {
        for c in text.trim().lines().next().unwrap_or_default().chars().filter(|c| !c.is_control()) {
            self.edit(Edit::Insert(c));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn selection_stays_in_view() {
        let mut list = ListState::default();
        for (to, selected, offset) in [
            (Move::Down, 1, 0),
            (Move::Bottom, 9, 6),
            (Move::Down, 9, 6),
            (Move::PageUp, 6, 6),
            (Move::Up, 5, 5),
            (Move::Top, 0, 0),
            (Move::PageDown, 3, 0),
        ] {
            list.go(to, 10, 4);
            assert_eq!((list.selected, list.offset), (selected, offset), "{to:?}");
        }
        list.go(Move::Down, 0, 0);
        assert_eq!((list.selected, list.offset), (0, 0));
    }

    #[test]
    fn a_field_edits_by_characters() {
        let mut field = Field::of("zürich");
        field.edit(Edit::Left);
        field.edit(Edit::Backspace);
        field.edit(Edit::Insert('x'));
        assert_eq!((field.text(), field.cursor()), ("zürixh", 5));
        field.edit(Edit::Clear);
        field.paste(" a\u{1b}b\nsecond");
        assert_eq!(field.text(), "ab");
    }
}
