//! Themes: the palette's look of each role as the console draws it, and what a configuration changes of it.

use ratatui::style::{Color, Modifier, Style};

use crate::report::glyphs;
use crate::report::glyphs::ThemeName;
use crate::report::line::Role;

/// Changes of single inks, from the configuration.
pub type ThemePatch = Vec<(Role, Style)>;

/// A style for each role.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Theme {
    name: ThemeName,
    patch: ThemePatch,
}

impl Theme {
    /// A built-in theme with changes. Without colour, changes keep only what is not colour.
    pub fn new(name: ThemeName, patch: &ThemePatch) -> Self {
        let mut patch = patch.clone();
        if name == ThemeName::None {
            for (_, style) in &mut patch {
                (style.fg, style.bg) = (None, None);
            }
        }
        Theme { name, patch }
    }

    /// The style of a role.
    pub fn style(&self, role: Role) -> Style {
        let base = self.name.sgr(role).iter().fold(Style::new(), |style, code| with(style, *code));
        self.patch.iter().filter(|(patched, _)| *patched == role).fold(base, |style, (_, change)| style.patch(*change))
    }

    /// The style of the selected row of the pane that has the focus.
    pub fn selection(&self) -> Style {
        // One colour for the whole row: a bar in pieces would draw the eye to its gaps.
        Style::new().fg(Color::Reset).add_modifier(Modifier::REVERSED).remove_modifier(Modifier::DIM)
    }
}

const COLOURS: [(&str, Color); 17] = [
    ("default", Color::Reset),
    ("black", Color::Black),
    ("red", Color::Red),
    ("green", Color::Green),
    ("yellow", Color::Yellow),
    ("blue", Color::Blue),
    ("magenta", Color::Magenta),
    ("cyan", Color::Cyan),
    ("gray", Color::Gray),
    ("dark-gray", Color::DarkGray),
    ("light-red", Color::LightRed),
    ("light-green", Color::LightGreen),
    ("light-yellow", Color::LightYellow),
    ("light-blue", Color::LightBlue),
    ("light-magenta", Color::LightMagenta),
    ("light-cyan", Color::LightCyan),
    ("white", Color::White),
];

const MODIFIERS: [(&str, Modifier); 5] = [
    ("bold", Modifier::BOLD),
    ("dim", Modifier::DIM),
    ("italic", Modifier::ITALIC),
    ("underlined", Modifier::UNDERLINED),
    ("reversed", Modifier::REVERSED),
];

/// A style with what a parameter of SGR adds to it.
fn with(style: Style, code: u8) -> Style {
    match code {
        glyphs::BOLD => style.add_modifier(Modifier::BOLD),
        glyphs::DIM => style.add_modifier(Modifier::DIM),
        glyphs::UNDERLINED => style.add_modifier(Modifier::UNDERLINED),
        glyphs::RED => style.fg(Color::Red),
        glyphs::GREEN => style.fg(Color::Green),
        glyphs::YELLOW => style.fg(Color::Yellow),
        glyphs::BLUE => style.fg(Color::Blue),
        glyphs::MAGENTA => style.fg(Color::Magenta),
        glyphs::CYAN => style.fg(Color::Cyan),
        glyphs::LIGHT_RED => style.fg(Color::LightRed),
        _ => style,
    }
}

/// Reads a style such as `light-red bold` or `on blue`: names of the 16 colours, `on COLOUR`, and modifiers.
///
/// # Errors
/// A word that is none of these, in a sentence.
pub fn parse_style(text: &str) -> Result<Style, String> {
    let mut style = Style::new();
    let mut words = text.split_whitespace();
    while let Some(word) = words.next() {
        if let Some((_, modifier)) = MODIFIERS.iter().find(|(name, _)| *name == word) {
            style = style.add_modifier(*modifier);
            continue;
        }
        style = match word {
            "on" => style.bg(colour(words.next().unwrap_or_default())?),
            name => style.fg(colour(name)?),
        };
    }
    Ok(style)
}

/// A style in the words that [`parse_style`] reads.
pub fn style_words(style: Style) -> String {
    let name = |color: Color| COLOURS.iter().find(|(_, known)| *known == color).map_or("default", |(name, _)| name);
    let modifiers = MODIFIERS.iter().filter(|(_, of)| style.add_modifier.contains(*of)).map(|(name, _)| *name);
    let background = style.bg.into_iter().flat_map(|color| ["on", name(color)]);
    style.fg.map(name).into_iter().chain(background).chain(modifiers).collect::<Vec<_>>().join(" ")
}

fn colour(name: &str) -> Result<Color, String> {
    COLOURS.iter().find(|(known, _)| *known == name).map(|(_, colour)| *colour).ok_or_else(|| {
        let known: Vec<&str> = COLOURS.iter().map(|(known, _)| *known).collect();
        format!(
            "`{name}` is no colour; write one of {}, `on` and one of them, or bold, dim, italic, underlined, reversed",
            known.join(", ")
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_style_is_written_as_it_is_read() {
        for words in ["light-red bold", "on blue", "default on dark-gray dim reversed", "underlined", ""] {
            assert_eq!(parse_style(words).map(style_words).as_deref(), Ok(words));
        }
    }

    #[test]
    fn no_theme_paints_a_background_and_none_has_no_colour() {
        for (name, _) in ThemeName::ALL {
            for (role, _) in Role::ALL {
                let style = Theme::new(*name, &Vec::new()).style(*role);
                assert_eq!(style.bg, None);
                assert!(*name != ThemeName::None || style.fg.is_none());
                assert!(!matches!(style.fg, Some(Color::Rgb(..) | Color::Indexed(_))));
            }
        }
    }

    #[test]
    fn reads_styles_and_says_what_is_wrong() {
        assert_eq!(parse_style("light-red bold"), Ok(Style::new().fg(Color::LightRed).add_modifier(Modifier::BOLD)));
        assert_eq!(parse_style("on blue"), Ok(Style::new().bg(Color::Blue)));
        assert!(parse_style("pink").unwrap_err().contains("`pink` is no colour"));
    }

    #[test]
    fn a_patch_changes_one_role() {
        let patch = vec![(Role::Bad, Style::new().fg(Color::Blue))];
        assert_eq!(Theme::new(ThemeName::Dark, &patch).style(Role::Bad).fg, Some(Color::Blue));
        assert_eq!(Theme::new(ThemeName::None, &patch).style(Role::Bad).fg, None);
    }
}
