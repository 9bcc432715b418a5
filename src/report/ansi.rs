//! Pages as text: plain for a file or a pipe, coloured and broken between words for a terminal.

use super::context::RenderContext;
use super::glyphs::GlyphSet;
use super::glyphs::ThemeName;
use super::layout::Layout;
use super::line::{Line, fit_whole_words};
use super::page::Page;

/// Whether to colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ink {
    Plain,
    Colour,
}

/// How a page becomes text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TextFormat {
    pub ink: Ink,
    pub glyphs: GlyphSet,
    /// The columns of the terminal that it goes to; `None` for a file or a pipe, where a line stays one.
    pub width: Option<usize>,
}

impl TextFormat {
    /// Plain text with Unicode signs, as for a file.
    pub const PLAIN: TextFormat = TextFormat { ink: Ink::Plain, glyphs: GlyphSet::Unicode, width: None };

    /// How the texts of a page are shown.
    pub const fn context(self) -> RenderContext {
        RenderContext::open(self.glyphs)
    }

    /// The page, ending in a line feed.
    pub fn render(self, page: &Page) -> String {
        let mut text = String::new();
        for line in &self.fitted(page) {
            self.paint_into(line, &mut text);
            text.push('\n');
        }
        text
    }

    /// The page's lines.
    pub fn lines(self, page: &Page) -> Vec<String> {
        self.fitted(page).iter().map(|line| self.paint(line)).collect()
    }

    fn fitted(self, page: &Page) -> Vec<Line> {
        let lines = Layout::report(self.width, self.context()).lines(page);
        match self.width {
            Some(width) => fit_whole_words(&lines, width),
            None => lines,
        }
    }

    /// One line in its colours, without blanks at its end.
    pub fn paint(self, line: &Line) -> String {
        let mut text = String::new();
        self.paint_into(line, &mut text);
        text
    }

    fn paint_into(self, line: &Line, text: &mut String) {
        let begin = text.len();
        for span in &line.spans {
            let codes = ThemeName::Dark.sgr(span.role);
            if self.ink == Ink::Plain || codes.is_empty() || span.text.trim().is_empty() {
                text.push_str(&span.text);
                continue;
            }
            let codes: Vec<String> = codes.iter().map(u8::to_string).collect();
            text.push_str(&format!("\u{1b}[{}m{}\u{1b}[0m", codes.join(";"), span.text));
        }
        text.truncate(begin + text[begin..].trim_end_matches(' ').len());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::line::Role;

    fn page() -> Page {
        let mut page = Page::titled(Line::of(Role::Strong, "What is wrong").hanging(2));
        page.field("because", Line::of(Role::Plain, "the token has one subject and the policy requires another"));
        page.field("fix", Line::of(Role::Plain, "Run it"));
        page.code(&format!("aws iam {}", "x".repeat(60)), TextFormat::PLAIN.context());
        page
    }

    #[test]
    fn a_pipe_gets_a_line_a_fact_and_a_terminal_what_fits_it() {
        let piped = TextFormat::PLAIN.render(&page());
        assert_eq!(piped.lines().count(), 4, "{piped}");
        let fitted = TextFormat { width: Some(44), ..TextFormat::PLAIN }.render(&page());
        let lines: Vec<&str> = fitted.lines().collect();
        assert_eq!(
            lines[1..4],
            [
                "  because   the token has one subject and",
                "            the policy requires another",
                "  fix       Run it"
            ]
        );
        // What is copied stays whole, for the terminal to break.
        assert_eq!(lines[4], format!("            aws iam {}", "x".repeat(60)));
    }

    #[test]
    fn colours_take_no_room_and_end_where_they_began() {
        let format = TextFormat { ink: Ink::Colour, ..TextFormat::PLAIN };
        assert_eq!(format.paint(&Line::of(Role::Bad, "no").with(Role::Plain, "  ")), "\u{1b}[1;91mno\u{1b}[0m");
    }
}
