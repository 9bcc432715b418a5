//! The console's configuration file: theme, keys and manners, as changes to what is built in.
//!
//! ```toml
//! theme = "light"            # dark, light, none
//! glyphs = "ascii"           # unicode, ascii
//! clipboard = "osc52"        # auto, native, osc52, off
//! clock = "local"            # utc, local
//! mouse = false
//! animation = false
//! screen-reader = true
//! [colors]
//! bad = "light-red bold"
//! [keys]
//! run = ["f5", "r"]
//! ```

use std::collections::BTreeMap;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::clipboard::ClipboardMode;
use super::inputs::{Animation, Clock, Mouse};
use super::keymap::{KeyPatch, Keymap};
use super::theme::{ThemePatch, parse_style};
use crate::report::glyphs::GlyphSet;
use crate::report::glyphs::ThemeName;
use crate::report::line::Role;

/// What a configuration file says. `None` where it says nothing.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Config {
    pub theme: Option<ThemeName>,
    pub glyphs: Option<GlyphSet>,
    pub clipboard: Option<ClipboardMode>,
    pub clock: Option<Clock>,
    pub mouse: Option<Mouse>,
    pub animation: Option<Animation>,
    /// Whether the console is told as lines.
    pub screen_reader: Option<bool>,
    pub patch: ThemePatch,
    pub keymap: Keymap,
    /// The line of each setting that the file has, counted from 1, by its name such as `colors.bad`.
    pub lines: BTreeMap<String, usize>,
}

/// Largest file that is read, in bytes.
const LARGEST: usize = 64 * 1024;

/// Reads a configuration file's text. All that can be used is, and everything wrong is told with its place.
///
/// `name` is only for saying where.
pub fn parse(text: &str, name: &str) -> (Config, Vec<String>) {
    let mut reader = Reader { text, name, config: Config::default(), problems: Vec::new() };
    if text.len() > LARGEST {
        reader.problems.push(format!("{name}: is larger than 64 KiB, which no configuration is"));
        return (reader.config, reader.problems);
    }
    let (document, errors) = DeTable::parse_recoverable(text);
    for error in errors.iter().take(3) {
        let at = error.span().map_or(0, |span| span.start);
        reader.refuse(at, &format!("is not TOML: {}", error.message().lines().next().unwrap_or_default()));
    }
    if errors.is_empty() {
        reader.document(document.get_ref());
    }
    (reader.config, reader.problems)
}

struct Reader<'t> {
    text: &'t str,
    name: &'t str,
    config: Config,
    problems: Vec<String>,
}

impl Reader<'_> {
    fn document(&mut self, document: &DeTable<'_>) {
        for (key, value) in document {
            let at = key.span().start;
            self.note_line(key.get_ref().to_string(), at);
            match key.get_ref().as_ref() {
                "theme" => self.config.theme = self.one_of(at, value, ThemeName::ALL),
                "glyphs" => {
                    self.config.glyphs =
                        self.one_of(at, value, &[(GlyphSet::Unicode, "unicode"), (GlyphSet::Ascii, "ascii")]);
                }
                "clipboard" => self.config.clipboard = self.one_of(at, value, ClipboardMode::ALL),
                "clock" => self.config.clock = self.one_of(at, value, &[(Clock::Utc, "utc"), (Clock::Local, "local")]),
                "mouse" => {
                    self.config.mouse = self.switch(at, value).map(|on| if on { Mouse::Captured } else { Mouse::Free });
                }
                "animation" => {
                    let moving = |on| if on { Animation::Moving } else { Animation::Still };
                    self.config.animation = self.switch(at, value).map(moving);
                }
                "screen-reader" => self.config.screen_reader = self.switch(at, value),
                "colors" => self.colors(at, value),
                "keys" => self.keys(at, value),
                other => self.refuse(
                    at,
                    &format!("`{other}` is no setting; write one of theme, glyphs, clipboard, clock, mouse, animation, screen-reader, [colors], [keys]"),
                ),
            }
        }
    }

    fn one_of<T: Copy>(&mut self, at: usize, value: &Spanned<DeValue<'_>>, all: &[(T, &str)]) -> Option<T> {
        let found = match value.get_ref() {
            DeValue::String(text) => all.iter().find(|(_, name)| *name == text).map(|(value, _)| *value),
            _ => None,
        };
        if found.is_none() {
            let names: Vec<String> = all.iter().map(|(_, name)| format!("\"{name}\"")).collect();
            self.refuse(at, &format!("write one of {}", names.join(", ")));
        }
        found
    }

    fn switch(&mut self, at: usize, value: &Spanned<DeValue<'_>>) -> Option<bool> {
        match value.get_ref() {
            DeValue::Boolean(on) => Some(*on),
            _ => {
                self.refuse(at, "write true or false");
                None
            }
        }
    }

    fn colors(&mut self, at: usize, value: &Spanned<DeValue<'_>>) {
        let DeValue::Table(table) = value.get_ref() else {
            return self.refuse(at, "`colors` is a table: write [colors] on a line of its own");
        };
        for (name, value) in table {
            let at = name.span().start;
            self.note_line(format!("colors.{}", name.get_ref()), at);
            let role = Role::ALL.iter().find(|(_, known)| *known == name.get_ref()).map(|(role, _)| *role);
            match (role, value.get_ref()) {
                (None, _) => {
                    let names: Vec<&str> = Role::ALL.iter().map(|(_, name)| *name).collect();
                    self.refuse(at, &format!("`{}` is no role; write one of {}", name.get_ref(), names.join(", ")));
                }
                (Some(role), DeValue::String(text)) => match parse_style(text) {
                    Ok(style) => self.config.patch.push((role, style)),
                    Err(problem) => self.refuse(at, &problem),
                },
                (Some(_), _) => self.refuse(at, "write a text such as \"light-red bold\""),
            }
        }
    }

    fn keys(&mut self, at: usize, value: &Spanned<DeValue<'_>>) {
        let DeValue::Table(table) = value.get_ref() else {
            return self.refuse(at, "`keys` is a table: write [keys] on a line of its own");
        };
        let mut patch: KeyPatch = Vec::new();
        let mut places = Vec::new();
        for (name, value) in table {
            let at = name.span().start;
            self.note_line(format!("keys.{}", name.get_ref()), at);
            let keys = match value.get_ref() {
                DeValue::String(key) => Some(vec![key.to_string()]),
                DeValue::Array(keys) => keys
                    .iter()
                    .map(|key| match key.get_ref() {
                        DeValue::String(key) => Some(key.to_string()),
                        _ => None,
                    })
                    .collect(),
                _ => None,
            };
            match keys {
                Some(keys) => {
                    // Each change is tried alone first, so that what is wrong is told with its own line.
                    let one = vec![(name.get_ref().to_string(), keys)];
                    patch.extend(one);
                    places.push(at);
                }
                None => self.refuse(at, "write a key such as \"f5\", or a list of them"),
            }
        }
        let (keymap, errors) = Keymap::patched(&patch);
        self.config.keymap = keymap;
        for error in errors {
            let text = error.to_string();
            // The error quotes the command's name or its key; the line that holds it is the place.
            let place = patch.iter().position(|(name, keys)| {
                text.contains(&format!("`{name}`")) || keys.iter().any(|key| text.contains(&format!("`{key}`")))
            });
            let at = place.and_then(|place| places.get(place).copied()).unwrap_or(at);
            self.refuse(at, &text);
        }
    }

    fn note_line(&mut self, name: String, at: usize) {
        let line = self.line(at);
        self.config.lines.insert(name, line);
    }

    /// The line of this byte, counted from 1.
    fn line(&self, at: usize) -> usize {
        1 + self.text.as_bytes().get(..at).unwrap_or_default().iter().filter(|b| **b == b'\n').count()
    }

    fn refuse(&mut self, at: usize, what: &str) {
        let line = self.line(at);
        self.problems.push(format!("{}:{line}: {what}", self.name));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_changes_what_it_names() {
        let text = "theme = \"light\"\nmouse = false\n[colors]\nbad = \"red\"\n[keys]\nrun = [\"f5\"]\n";
        let (config, problems) = parse(text, "console.toml");
        assert_eq!(problems, Vec::<String>::new());
        assert_eq!((config.theme, config.mouse, config.patch.len()), (Some(ThemeName::Light), Some(Mouse::Free), 1));
        assert_ne!(config.keymap, Keymap::default());
    }

    #[test]
    fn everything_wrong_is_told_with_its_line_and_the_rest_applies() {
        let text = "theme = \"pink\"\nclock = \"local\"\nfoo = 1\n[colors]\nbad = \"pinkish\"\nugly = \"red\"\n[keys]\nrunn = \"f5\"\ncopy = \"q\"\n";
        let (config, problems) = parse(text, "console.toml");
        assert_eq!(config.clock, Some(Clock::Local));
        for (line, word) in
            [(1, "write one of"), (3, "`foo`"), (5, "`pinkish`"), (6, "`ugly`"), (8, "did you mean `run`"), (9, "`q`")]
        {
            let place = format!("console.toml:{line}: ");
            assert!(problems.iter().any(|p| p.starts_with(&place) && p.contains(word)), "{line} {word}: {problems:#?}");
        }
        let (config, problems) = parse("theme = ", "console.toml");
        assert_eq!(config, Config::default());
        assert!(problems[0].starts_with("console.toml:1: is not TOML"), "{problems:?}");
    }
}
