//! How the console looks and behaves: flags before the environment before its configuration file before what is built in.

use std::io::ErrorKind;
use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::{settings, terminal};
use crate::probe::regular_file;
use crate::report::context::Privacy;
use crate::report::glyphs::GlyphSet;
use crate::report::glyphs::ThemeName;
use crate::tui::clipboard::ClipboardMode;
use crate::tui::config;
use crate::tui::config::Config;
use crate::tui::inputs::{Animation, Appearance, Clock, Mouse};

/// The console's configuration file, beside the folder of the profiles.
const CONFIG_FILE: &str = "console.toml";
/// Has everything told as lines.
pub(super) const SCREEN_READER: &str = "TRUSTLINE_SCREEN_READER";
/// The most of it that is read, in bytes.
const LARGEST_CONFIG: u64 = 1024 * 1024;

/// How the console looks and behaves.
#[derive(Clone, Debug, Default, Args)]
pub(super) struct LookArgs {
    /// Colours of the console
    #[arg(long, value_enum, value_name = "THEME")]
    theme: Option<ThemeChoice>,
    /// Draw with ASCII characters only
    #[arg(long)]
    ascii: bool,
    /// Tell everything as lines, for a screen reader: no screen is drawn, and lines are typed (or TRUSTLINE_SCREEN_READER)
    #[arg(long)]
    pub screen_reader: bool,
    /// Move nothing but countdowns
    #[arg(long)]
    no_animation: bool,
    /// Leave the mouse to the terminal
    #[arg(long)]
    no_mouse: bool,
    /// Hide account ids, subjects and hosts
    #[arg(long)]
    privacy: bool,
    /// How to copy
    #[arg(long, value_enum, value_name = "HOW")]
    clipboard: Option<ClipboardChoice>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum ThemeChoice {
    /// For a dark background
    Dark,
    /// For a light background
    Light,
    /// No colours
    None,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum ClipboardChoice {
    /// The desktop's tool where the desktop is here, else the terminal
    Auto,
    /// The desktop's tool
    Native,
    /// The terminal, by OSC 52
    Osc52,
    /// Not at all
    Off,
}

/// Where the configuration is kept, whether or not there is one.
pub(super) fn config_file() -> Option<PathBuf> {
    settings::folder().ok().and_then(|folder| Some(folder.parent()?.join(CONFIG_FILE)))
}

/// The configuration, and what is wrong with it. The console opens in any case.
pub(super) fn configuration() -> (Config, Vec<String>) {
    let Some(path) = config_file() else { return (Config::default(), Vec::new()) };
    match regular_file::read(&path, LARGEST_CONFIG) {
        Ok(text) => {
            let text = String::from_utf8_lossy(&text);
            config::parse(&text, &path.display().to_string())
        }
        // A home that is no folder has no configuration either.
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            (Config::default(), Vec::new())
        }
        Err(error) => (Config::default(), vec![format!("{}: {error}", path.display())]),
    }
}

/// Whether the console is told as lines, by the environment; `0` is no.
pub(super) fn screen_reader() -> Option<bool> {
    std::env::var_os(SCREEN_READER).filter(|value| !value.is_empty()).map(|value| value != "0")
}

/// Whether the console is told as lines: flags before the environment before the configuration.
pub(super) fn reads_lines(look: &LookArgs, config: &Config) -> bool {
    look.screen_reader || screen_reader().or(config.screen_reader).unwrap_or_default()
}

pub(super) fn clipboard(look: &LookArgs, config: &Config) -> ClipboardMode {
    let chosen = look.clipboard.map(|choice| match choice {
        ClipboardChoice::Auto => ClipboardMode::Auto,
        ClipboardChoice::Native => ClipboardMode::Native,
        ClipboardChoice::Osc52 => ClipboardMode::Osc52,
        ClipboardChoice::Off => ClipboardMode::Off,
    });
    chosen.or(config.clipboard).unwrap_or_default()
}

/// Flags before the environment before the configuration before what is built in.
pub(super) fn appearance(look: &LookArgs, config: Config) -> Appearance {
    let chosen = look.theme.map(|choice| match choice {
        ThemeChoice::Dark => ThemeName::Dark,
        ThemeChoice::Light => ThemeName::Light,
        ThemeChoice::None => ThemeName::None,
    });
    let plain = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty()).then_some(ThemeName::None);
    let ascii = (look.ascii || !terminal::is_utf8()).then_some(GlyphSet::Ascii);
    Appearance {
        glyphs: ascii.or(config.glyphs).unwrap_or(GlyphSet::Unicode),
        theme: chosen.or(plain).or(config.theme).unwrap_or(ThemeName::Dark),
        patch: config.patch,
        animation: if look.no_animation { Animation::Still } else { config.animation.unwrap_or(Animation::Moving) },
        mouse: if look.no_mouse { Mouse::Free } else { config.mouse.unwrap_or(Mouse::Captured) },
        privacy: if look.privacy { Privacy::Masked } else { Privacy::Open },
        clock: config.clock.unwrap_or(Clock::Utc),
        keymap: config.keymap,
    }
}
