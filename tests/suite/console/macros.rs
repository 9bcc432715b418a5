//! A console that is driven by what a person would type: `"jj<enter>/exp<esc>y"`.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Color, Modifier, Style};
use trustline::run::event::RunEvent;
use trustline::tui::content::token;
use trustline::tui::inputs::{Appearance, GuideFile, Opening, Target};
use trustline::tui::key::Key;
use trustline::tui::message::{Effect, Msg, Pointer, PointerAct};
use trustline::tui::model::Model;
use trustline::tui::panes::Panes;
use trustline::tui::theme::Theme;
use trustline::tui::update::{clamp_selection_and_scroll, open, settle, update};
use trustline::tui::view;

use super::sample;

fn theme(model: &Model) -> Theme {
    Theme::new(model.appearance.theme, &model.appearance.patch)
}

/// The whole screen.
fn drawn(model: &Model) -> Buffer {
    let (width, height) = model.size;
    let mut buffer = Buffer::empty(Rect::new(0, 0, width, height));
    view::draw(model, &theme(model), &mut buffer);
    buffer
}

/// A console and everything it has asked for.
pub struct Driver {
    pub model: Model,
    pub effects: Vec<Effect>,
    /// As the last frame showed them.
    panes: Option<Panes>,
}

impl Driver {
    /// As `trustline` opens it with no profile, at 80x24.
    pub fn start() -> Self {
        Driver::with(Appearance::default(), Opening::Start, (80, 24))
    }

    pub fn with(look: Appearance, opening: Opening, size: (u16, u16)) -> Self {
        let (model, effects) = open(sample::inputs(), look, opening, sample::NOW_MS, size);
        Driver { model, effects, panes: None }
    }

    /// After the lab's first scenario has run and failed.
    pub fn failed() -> Self {
        let mut driver = Driver::start();
        driver.press("L<enter>");
        driver.play(&sample::failing());
        driver
    }

    /// One message and the frame after it.
    pub fn send(&mut self, message: Msg) -> &mut Self {
        self.send_between_frames(message);
        self.frame();
        self
    }

    /// One message and what a frame needs of the model, without a frame: for those who send very many.
    pub fn send_settled(&mut self, message: Msg) -> &mut Self {
        self.send_between_frames(message);
        clamp_selection_and_scroll(&mut self.model);
        self.panes = None;
        self
    }

    /// Lays a frame out as the console does, and holds what it keeps against what a layout from nothing yields: now, and a
    /// second later.
    fn frame(&mut self) {
        let kept = self.panes.take().filter(|panes| self.model.is_settled && !panes.shows_time);
        let panes = kept.unwrap_or_else(|| settle(&mut self.model));
        assert_eq!(panes, Panes::of(&self.model), "another layout is kept");
        let shown = token::shown(&self.model).and_then(|shown| shown.token.expires_at());
        assert_eq!(token::expires_at(&self.model), shown, "the countdown is another token's");
        let mut later = self.model.clone();
        let second = later.clock.now_ms() + 1000;
        update(&mut later, Msg::Now(second));
        if later.is_settled && !panes.shows_time {
            assert_eq!(panes, Panes::of(&later), "the time shows, and is not known to");
            let mut drawn = drawn(&self.model);
            for area in view::rows_around(&panes).into_iter().filter(|area| !area.is_empty()) {
                let mut rows = Buffer::empty(area);
                view::draw_around(&later, &panes, &theme(&later), &mut rows);
                drawn.merge(&rows);
            }
            let is_drawn_whole = self.model.selection.is_some();
            let of_later = self::drawn(&later);
            let left: Vec<_> = drawn.diff(&of_later).into_iter().map(|(x, y, cell)| (x, y, cell.symbol())).collect();
            assert!(is_drawn_whole || left.is_empty(), "left as they were a second before: {left:?}");
        }
        self.panes = Some(panes);
    }

    pub fn send_between_frames(&mut self, message: Msg) -> &mut Self {
        let effects = update(&mut self.model, message);
        self.effects.extend(effects);
        self
    }

    /// Types a macro: characters as they are, other keys in angle brackets.
    pub fn press(&mut self, text: &str) -> &mut Self {
        for key in keys(text) {
            self.send(Msg::Key(key));
        }
        self
    }

    /// Plays events as those of the newest run.
    pub fn play(&mut self, events: &[RunEvent]) -> &mut Self {
        let run = self.model.runs.newest().expect("a run").number;
        for event in events {
            self.send(Msg::RunEvent { run, event: Box::new(event.clone()) });
        }
        self
    }

    /// What is kept of the profile `prod-aws`, as it was read.
    pub fn follow(&mut self, file: GuideFile) -> &mut Self {
        self.send(Msg::GuideRead { target: Target::Named("prod-aws".into()), result: Ok(Box::new(file)) })
    }

    /// A click of the mouse: down and up.
    pub fn click(&mut self, column: u16, row: u16) -> &mut Self {
        self.drag((column, row), (column, row))
    }

    /// The mouse goes down in one place and up in another.
    pub fn drag(&mut self, from: (u16, u16), to: (u16, u16)) -> &mut Self {
        let at = |(column, row), act| Msg::Pointer(Pointer { column, row, act });
        self.send(at(from, PointerAct::Press));
        if from != to {
            self.send(at(to, PointerAct::Drag));
        }
        self.send(at(to, PointerAct::Release))
    }

    pub fn resize(&mut self, width: u16, height: u16) -> &mut Self {
        self.send(Msg::Resize(width, height))
    }

    /// What was asked for since the last time.
    pub fn asked(&mut self) -> Vec<Effect> {
        std::mem::take(&mut self.effects)
    }

    pub fn buffer(&self) -> Buffer {
        drawn(&self.model)
    }

    /// The screen's text.
    pub fn screen(&self) -> String {
        text(&self.buffer())
    }

    pub fn shows(&self, words: &str) -> bool {
        self.screen().contains(words)
    }
}

/// The keys of a macro.
pub fn keys(text: &str) -> Vec<Key> {
    let mut keys = Vec::new();
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let (name, tail) = match rest.strip_prefix('<').and_then(|tail| tail.split_once('>')) {
            Some((name, tail)) if !name.is_empty() => (name.to_owned(), tail),
            _ => (c.to_string(), &rest[c.len_utf8()..]),
        };
        keys.push(name.parse().unwrap_or_else(|error| panic!("{text}: {error}")));
        rest = tail;
    }
    keys
}

pub fn text(buffer: &Buffer) -> String {
    let area = buffer.area;
    let mut text = String::new();
    for y in 0..area.height {
        let mut line = String::new();
        let mut skip = 0;
        for x in 0..area.width {
            if skip > 0 {
                skip -= 1;
                continue;
            }
            let symbol = buffer[(x, y)].symbol();
            skip = unicode_width::UnicodeWidthStr::width(symbol).saturating_sub(1);
            line.push_str(symbol);
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

/// The screen's text, and below it its styles.
pub fn styled(buffer: &Buffer) -> String {
    text(buffer) + &styles(buffer)
}

/// Of each line, every run of cells whose style is not the terminal's own. Lines alike that follow one another are one.
pub fn styles(buffer: &Buffer) -> String {
    let area = buffer.area;
    let lines: Vec<String> = (0..area.height).map(|y| line_styles(buffer, y)).collect();
    let mut styles = String::new();
    let mut from = 0;
    for alike in lines.chunk_by(|a, b| a == b) {
        let last = from + alike.len() - 1;
        let rows = if from == last { format!("{from}") } else { format!("{from}-{last}") };
        if !alike[0].is_empty() {
            styles.push_str(&format!("{rows:>5}| {}\n", alike[0]));
        }
        from = last + 1;
    }
    styles
}

fn line_styles(buffer: &Buffer, y: u16) -> String {
    let mut runs: Vec<(u16, u16, Style)> = Vec::new();
    for x in 0..buffer.area.width {
        let style = buffer[(x, y)].style();
        match runs.last_mut() {
            Some((_, end, last)) if *end == x && *last == style => *end = x + 1,
            _ => runs.push((x, x + 1, style)),
        }
    }
    let runs: Vec<String> = runs
        .iter()
        .filter_map(|(from, to, style)| {
            let name = name(*style);
            (!name.is_empty()).then(|| format!("{from}-{}:{name}", to - 1))
        })
        .collect();
    runs.join(" ")
}

/// Whether any cell has a colour of its own.
pub fn coloured(buffer: &Buffer) -> bool {
    buffer.content.iter().any(|cell| cell.fg != Color::Reset || cell.bg != Color::Reset)
}

fn name(style: Style) -> String {
    let mut parts = Vec::new();
    if let Some(fg) = style.fg.filter(|c| *c != Color::Reset) {
        parts.push(fg.to_string().to_lowercase());
    }
    if let Some(bg) = style.bg.filter(|c| *c != Color::Reset) {
        parts.push(format!("on-{}", bg.to_string().to_lowercase()));
    }
    for (modifier, name) in [
        (Modifier::BOLD, "bold"),
        (Modifier::DIM, "dim"),
        (Modifier::UNDERLINED, "underlined"),
        (Modifier::REVERSED, "reversed"),
    ] {
        if style.add_modifier.contains(modifier) {
            parts.push(name.to_owned());
        }
    }
    parts.join("+")
}
