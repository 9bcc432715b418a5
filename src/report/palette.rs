//! The one palette: what each role looks like, in the terminal's own 16 colours and on its own background.

use super::line::Role;

/// A built-in theme.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ThemeName {
    /// For a dark background.
    Dark,
    /// For a light background.
    Light,
    /// No colour at all: bold, dim and underline only (<https://no-color.org>).
    None,
}

impl ThemeName {
    /// Every theme with its name.
    pub const ALL: &[(ThemeName, &'static str)] =
        &[(ThemeName::Dark, "dark"), (ThemeName::Light, "light"), (ThemeName::None, "none")];

    /// The name as it stands in options and files.
    pub const fn id(self) -> &'static str {
        match self {
            ThemeName::Dark => "dark",
            ThemeName::Light => "light",
            ThemeName::None => "none",
        }
    }

    /// The theme after this one.
    #[must_use]
    pub const fn next(self) -> Self {
        match self {
            ThemeName::Dark => ThemeName::Light,
            ThemeName::Light => ThemeName::None,
            ThemeName::None => ThemeName::Dark,
        }
    }

    /// A role's look as the parameters of SGR, which every terminal and every back end understands.
    pub const fn sgr(self, role: Role) -> &'static [u8] {
        match (self, role) {
            (_, Role::Plain) => &[],
            (_, Role::Strong) => &[BOLD],
            (_, Role::Muted) => &[DIM],
            (ThemeName::None, Role::Good | Role::Command) => &[],
            (ThemeName::None, Role::Warning | Role::Bad | Role::Accent) => &[BOLD],
            (ThemeName::None, Role::Difference) => &[BOLD, UNDERLINED],
            (_, Role::Good) => &[GREEN],
            (ThemeName::Dark, Role::Warning) => &[YELLOW],
            (ThemeName::Dark, Role::Bad) => &[BOLD, LIGHT_RED],
            (ThemeName::Dark, Role::Accent | Role::Command) => &[CYAN],
            (ThemeName::Dark, Role::Difference) => &[BOLD, UNDERLINED, LIGHT_RED],
            (ThemeName::Light, Role::Warning) => &[MAGENTA],
            (ThemeName::Light, Role::Bad) => &[BOLD, RED],
            (ThemeName::Light, Role::Accent | Role::Command) => &[BLUE],
            (ThemeName::Light, Role::Difference) => &[BOLD, UNDERLINED, RED],
        }
    }
}

pub const BOLD: u8 = 1;
pub const DIM: u8 = 2;
pub const UNDERLINED: u8 = 4;
pub const RED: u8 = 31;
pub const GREEN: u8 = 32;
pub const YELLOW: u8 = 33;
pub const BLUE: u8 = 34;
pub const MAGENTA: u8 = 35;
pub const CYAN: u8 = 36;
pub const LIGHT_RED: u8 = 91;
