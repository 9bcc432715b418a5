//! The screens, which commands lead to.

/// A screen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Screen {
    /// The ways to begin.
    Start,
    Guide,
    Handshake,
    Token,
    Findings,
    Rotation,
    Log,
    /// Exchanges in the cloud's own log; without a tab.
    Events,
}

impl Screen {
    /// The screens that have a tab, in their order.
    pub const TABS: &[Screen] =
        &[Screen::Guide, Screen::Handshake, Screen::Token, Screen::Findings, Screen::Rotation, Screen::Log];
    /// All of them.
    pub const ALL: &[Screen] = &[
        Screen::Start,
        Screen::Guide,
        Screen::Handshake,
        Screen::Token,
        Screen::Findings,
        Screen::Rotation,
        Screen::Log,
        Screen::Events,
    ];

    /// Its name.
    pub const fn title(self) -> &'static str {
        match self {
            Screen::Start => "Start",
            Screen::Guide => "Guide",
            Screen::Handshake => "Handshake",
            Screen::Token => "Token",
            Screen::Findings => "Findings",
            Screen::Rotation => "Rotation",
            Screen::Log => "Log",
            Screen::Events => "Events",
        }
    }
}
