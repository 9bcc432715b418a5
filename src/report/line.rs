//! Text that knows what it is, not how it looks: spans with an role, wrapped and cut by display width.

use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

/// What a piece of text is, which decides its look in every theme.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// Ordinary text.
    Plain,
    /// What a line is about.
    Strong,
    /// What only supports: labels, times, what does not apply.
    Muted,
    /// Something holds.
    Good,
    /// Something deserves attention, or could not be checked.
    Warning,
    /// Something is wrong.
    Bad,
    /// Where the focus is, and what can be acted on.
    Accent,
    /// A command or policy to copy.
    Command,
    /// The characters from the first difference on.
    Difference,
}

impl Role {
    /// Every role with the name it has in a theme file.
    pub const ALL: &[(Role, &'static str)] = &[
        (Role::Plain, "plain"),
        (Role::Strong, "strong"),
        (Role::Muted, "muted"),
        (Role::Good, "good"),
        (Role::Warning, "warning"),
        (Role::Bad, "bad"),
        (Role::Accent, "accent"),
        (Role::Command, "command"),
        (Role::Difference, "difference"),
    ];
}

/// A run of text in one role. The text is safe for a terminal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Span {
    pub role: Role,
    pub text: String,
}

impl Span {
    pub fn of(role: Role, text: impl Into<String>) -> Self {
        Span { role, text: text.into() }
    }
}

impl From<Span> for Line {
    fn from(span: Span) -> Self {
        Line { spans: vec![span], hang: 0 }
    }
}

/// One line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Line {
    pub spans: Vec<Span>,
    /// How far the rest of the line is indented where it is wrapped.
    pub hang: usize,
}

impl Line {
    /// An empty line.
    pub fn empty() -> Self {
        Line::default()
    }

    /// A line of one span.
    pub fn of(role: Role, text: impl Into<String>) -> Self {
        Line::empty().with(role, text)
    }

    /// Appends a span.
    #[must_use]
    pub fn with(mut self, role: Role, text: impl Into<String>) -> Self {
        self.push(role, text);
        self
    }

    /// Appends a span.
    pub fn push(&mut self, role: Role, text: impl Into<String>) {
        let text = text.into();
        if text.is_empty() {
            return;
        }
        match self.spans.last_mut() {
            Some(last) if last.role == role => last.text.push_str(&text),
            _ => self.spans.push(Span { role, text }),
        }
    }

    /// Appends another line's spans.
    #[must_use]
    pub fn followed_by(mut self, other: &Line) -> Self {
        other.spans.iter().for_each(|span| self.push(span.role, span.text.as_str()));
        self
    }

    /// Whether there is nothing on it.
    pub fn is_empty(&self) -> bool {
        self.spans.is_empty()
    }

    /// Whether it is there to be copied, behind a label at most.
    fn is_code(&self) -> bool {
        let is_copied = |span: &Span| matches!(span.role, Role::Command | Role::Warning | Role::Muted);
        self.spans.iter().any(|span| span.role == Role::Command)
            && self.spans.iter().all(|span| is_copied(span) || span.text.trim().is_empty())
    }

    /// Sets how far wrapped parts are indented.
    #[must_use]
    pub fn hanging(mut self, columns: usize) -> Self {
        self.hang = columns;
        self
    }

    /// Its display width in columns.
    pub fn width(&self) -> usize {
        self.spans.iter().map(|span| columns(&span.text)).sum()
    }

    /// Its text alone.
    pub fn plain(&self) -> String {
        self.spans.iter().map(|s| s.text.as_str()).collect()
    }

    /// Fills up with blanks to `column`, or appends one blank where the line is longer already.
    pub fn pad_to(&mut self, column: usize) {
        let width = self.width();
        self.push(Role::Plain, " ".repeat(column.saturating_sub(width).max(1)));
    }

    /// What of the line stands in `width` columns from column `from` on. `ellipsis` stands at either side where
    /// there is more.
    #[must_use]
    pub fn window(&self, from: usize, width: usize, ellipsis: &str) -> Line {
        if from == 0 || self.spans.is_empty() {
            return self.cut(width, ellipsis);
        }
        let from = from + ellipsis.width();
        let (mut rest, mut at) = (Line::of(Role::Muted, ellipsis), 0);
        for span in &self.spans {
            for c in span.text.chars() {
                let next = at + c.width().unwrap_or(0);
                if at > from + width {
                    // Enough to know that there is more.
                    return rest.cut(width, ellipsis);
                } else if at >= from {
                    rest.push(span.role, c.to_string());
                } else if next > from {
                    // Half of a wide character is a blank.
                    rest.push(span.role, " ".repeat(next - from));
                }
                at = next;
            }
        }
        rest.cut(width, ellipsis)
    }

    /// The line cut to `width` columns; a cut one ends in `ellipsis`.
    #[must_use]
    pub fn cut(&self, width: usize, ellipsis: &str) -> Line {
        if self.width() <= width {
            return self.clone();
        }
        let room = width.saturating_sub(ellipsis.width());
        let mut cut = Line::empty().hanging(self.hang);
        let mut used = 0;
        for span in &self.spans {
            let mut end = 0;
            for (at, c) in span.text.char_indices() {
                let next = used + c.width().unwrap_or(0);
                if next > room {
                    cut.push(span.role, &span.text[..at]);
                    if ellipsis.width() <= width {
                        cut.push(span.role, ellipsis);
                    }
                    return cut;
                }
                used = next;
                end = at + c.len_utf8();
            }
            cut.push(span.role, &span.text[..end]);
        }
        cut
    }
}

/// `text` cut to `width` columns; a cut one ends in `ellipsis`.
pub fn cut(text: &str, width: usize, ellipsis: &str) -> String {
    Line::of(Role::Plain, text).cut(width, ellipsis).plain()
}

/// Whether long lines are broken or cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wrap {
    /// Break between words, and words that are too long anywhere.
    Words,
    /// Cut at both edges, from this column on.
    Off { from: usize },
}

/// The columns of the widest line.
pub fn widest(lines: &[Line]) -> usize {
    lines.iter().map(Line::width).max().unwrap_or(0)
}

/// The lines as they fit `width` columns.
pub fn fit(lines: &[Line], width: usize, wrap: Wrap, ellipsis: &str) -> Vec<Line> {
    match wrap {
        Wrap::Off { from } => lines.iter().map(|line| line.window(from, width, ellipsis)).collect(),
        Wrap::Words => lines.iter().flat_map(|line| wrap_line(line, width, LongWords::Broken)).collect(),
    }
}

/// The lines broken between words alone, and nothing that is copied: what is longer is left for the terminal to break.
pub fn fit_whole_words(lines: &[Line], width: usize) -> Vec<Line> {
    let wrapped =
        |line: &Line| if line.is_code() { vec![line.clone()] } else { wrap_line(line, width, LongWords::Whole) };
    lines.iter().flat_map(wrapped).collect()
}

/// What becomes of a word that is longer than a line.
#[derive(Clone, Copy, PartialEq, Eq)]
enum LongWords {
    Broken,
    Whole,
}

/// The indent of further parts where the one that is wanted leaves too few columns.
const SHALLOW: usize = 6;

fn wrap_line(line: &Line, width: usize, long: LongWords) -> Vec<Line> {
    let keeps_words = long == LongWords::Whole;
    if line.width() <= width || width == 0 {
        return vec![line.clone()];
    }
    // Where the longest word does not fit behind the indent, and fits behind a lesser one, that one is taken.
    let fits = |piece: &usize| *piece + SHALLOW <= width;
    let words = pieces(line).filter(|(_, piece)| !piece.starts_with(' ')).map(|(_, piece)| columns(piece));
    let hang = match words.filter(fits).max() {
        Some(longest) if line.hang + longest > width => line.hang.min(SHALLOW),
        _ => line.hang,
    };
    let hang = if hang + 8 <= width { hang } else { 0 };
    let (mut wrapped, mut current, mut used, mut ends) = (Vec::new(), Line::empty(), 0, false);
    for (role, piece) in pieces(line) {
        let piece_width = columns(piece);
        let is_over = used + piece_width > width && used > hang;
        if is_over && piece.trim().is_empty() {
            ends = true;
            continue;
        }
        // Behind blanks that reach the end a word starts a line, and so does one that fits a line of its own; one that does
        // not is broken where it stands.
        if ends || is_over && hang + piece_width <= width {
            wrapped.push(std::mem::take(&mut current));
            used = indent(&mut current, hang);
            ends = false;
        }
        if keeps_words {
            used += piece_width;
            current.push(role, piece);
            continue;
        }
        let is_plain = is_plain(piece);
        let mut rest = piece;
        loop {
            let at_most = width.saturating_sub(used);
            let fitting = if is_plain { rest.len().min(at_most) } else { bytes_within(rest, at_most) };
            // A line of its own takes a character that is wider than all of it.
            let least = if used <= hang { rest.chars().next().map_or(0, char::len_utf8) } else { 0 };
            let (here, behind) = rest.split_at(fitting.max(least));
            current.push(role, here);
            if behind.is_empty() {
                used += columns(here);
                break;
            }
            wrapped.push(std::mem::take(&mut current));
            used = indent(&mut current, hang);
            rest = behind;
        }
    }
    wrapped.push(current);
    wrapped
}

/// The columns that a text takes. Most of it is ASCII, of which that is known without looking at each character.
fn columns(text: &str) -> usize {
    if is_plain(text) { text.len() } else { text.width() }
}

fn is_plain(text: &str) -> bool {
    text.bytes().all(|byte| matches!(byte, b' '..=b'~'))
}

/// The bytes of the characters that fit so many columns.
fn bytes_within(text: &str, columns: usize) -> usize {
    let mut used = 0;
    let beyond = text.char_indices().find(|(_, c)| {
        used += c.width().unwrap_or(0);
        used > columns
    });
    beyond.map_or(text.len(), |(at, _)| at)
}

fn indent(line: &mut Line, columns: usize) -> usize {
    line.push(Role::Plain, " ".repeat(columns));
    columns
}

/// Words and the blanks between them, each in its role.
fn pieces(line: &Line) -> impl Iterator<Item = (Role, &str)> {
    line.spans.iter().flat_map(|span| {
        let mut rest = span.text.as_str();
        std::iter::from_fn(move || {
            let first = rest.chars().next()?;
            let end = if first == ' ' { rest.find(|c: char| c != ' ') } else { rest.find(' ') };
            let end = end.unwrap_or(rest.len());
            let (piece, tail) = rest.split_at(end);
            rest = tail;
            Some((span.role, piece))
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wrapped(text: &str, width: usize, hang: usize) -> Vec<String> {
        fit(&[Line::of(Role::Plain, text).hanging(hang)], width, Wrap::Words, "…").iter().map(Line::plain).collect()
    }

    #[test]
    fn breaks_between_words_and_indents() {
        assert_eq!(wrapped("one two three", 8, 0), ["one two ", "three"]);
        assert_eq!(wrapped("label    words that go on here", 20, 9), ["label    words that ", "         go on here"]);
        assert_eq!(wrapped("abcdefghij", 4, 0), ["abcd", "efgh", "ij"]);
        assert_eq!(wrapped("日本語", 4, 0), ["日本", "語"]);
        assert_eq!(wrapped("", 4, 0), [""]);
        // What stands in a column beyond the end goes on in the next line, and not close to what is before it.
        assert_eq!(wrapped("one             two", 12, 2), ["one", "  two"]);
    }

    #[test]
    fn a_word_that_fits_a_line_is_never_broken_in_a_report() {
        let text = "  x secret can be read                 blocked by aws.assume-role-with-web-identity, as is sha256:6abbcfd8acc8";
        let line = Line::of(Role::Plain, text).hanging(39);
        for width in [40, 50, 60, 80, 100] {
            let parts: Vec<String> =
                fit_whole_words(std::slice::from_ref(&line), width).iter().map(Line::plain).collect();
            for word in ["aws.assume-role-with-web-identity,", "sha256:6abbcfd8acc8"] {
                assert!(parts.iter().any(|part| part.contains(word)), "{width}: {parts:?}");
            }
            assert!(parts.iter().all(|part| part.trim_end().width() <= width), "{width}: {parts:?}");
        }
        let long = Line::of(Role::Muted, "docs  ").with(Role::Plain, "x".repeat(50));
        assert_eq!(fit_whole_words(std::slice::from_ref(&long), 40), [long]);
        let command = Line::of(Role::Muted, "then  ").with(Role::Command, "aws iam get-role --role-name reader");
        assert_eq!(fit_whole_words(std::slice::from_ref(&command), 20), [command]);
    }

    #[test]
    fn cuts_by_width() {
        assert_eq!(cut("abcdef", 4, "…"), "abc…");
        assert_eq!(cut("日本語", 4, "…"), "日…");
        assert_eq!(cut("abc", 3, "…"), "abc");
        assert_eq!(cut("abc", 0, "…"), "");
    }

    #[test]
    fn a_window_tells_of_what_is_left_and_right_of_it() {
        let line = Line::of(Role::Plain, "abcdefghij");
        for (from, seen) in [(0, "abcd…"), (1, "…cde…"), (5, "…ghij"), (9, "…"), (40, "…")] {
            assert_eq!(line.window(from, 5, "…").plain(), seen, "{from}");
        }
        assert_eq!(Line::of(Role::Plain, "日本語").window(2, 4, "…").plain(), "… 語");
        assert_eq!(Line::empty().window(3, 4, "…").plain(), "");
    }

    proptest::proptest! {
        #[test]
        fn no_window_is_too_wide(text in "[ a-z日é]{0,60}", from in 0usize..70, width in 1usize..30) {
            proptest::prop_assert!(Line::of(Role::Plain, text).window(from, width, "…").width() <= width);
        }

        #[test]
        fn no_wrapped_line_is_too_wide(text in "[ a-z日é]{0,60}", width in 2usize..30, hang in 0usize..12) {
            for line in wrapped(&text, width, hang) {
                proptest::prop_assert!(line.width() <= width, "{line:?}");
            }
        }
    }
}
