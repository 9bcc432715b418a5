//! Frames of the console as SVG: the picture in the README, with a test that tells when it is out of date, and every
//! scene for whoever wants to look (`TRUSTLINE_PICTURES=folder cargo test --test suite console::screens`).

use std::fmt::Write as _;
use std::path::Path;

use ratatui::buffer::Buffer;
use ratatui::style::{Color, Modifier, Style};

use super::macros::Driver;
use super::sample;

const CELL: (u16, u16) = (9, 20);
const PADDING: u16 = 16;

/// What a terminal makes of the sixteen colours.
pub struct Terminal {
    background: &'static str,
    foreground: &'static str,
    green: &'static str,
    yellow: &'static str,
    red: &'static str,
    cyan: &'static str,
    blue: &'static str,
    magenta: &'static str,
}

pub const DARK: Terminal = Terminal {
    background: "#16181d",
    foreground: "#d5d8de",
    green: "#7fb86d",
    yellow: "#d9a84e",
    red: "#ef6f6c",
    cyan: "#62b6c6",
    blue: "#6f9ff0",
    magenta: "#c07bd0",
};

pub const LIGHT: Terminal = Terminal {
    background: "#fdfdfb",
    foreground: "#24272e",
    green: "#2f7d32",
    yellow: "#9a6700",
    red: "#c0292b",
    cyan: "#0f7a86",
    blue: "#1f55c4",
    magenta: "#8b3aa0",
};

impl Terminal {
    fn colour(&self, color: Option<Color>) -> &'static str {
        match color {
            Some(Color::Green | Color::LightGreen) => self.green,
            Some(Color::Yellow | Color::LightYellow) => self.yellow,
            Some(Color::LightRed | Color::Red) => self.red,
            Some(Color::Cyan | Color::LightCyan) => self.cyan,
            Some(Color::Blue | Color::LightBlue) => self.blue,
            Some(Color::Magenta | Color::LightMagenta) => self.magenta,
            _ => self.foreground,
        }
    }
}

/// A buffer as SVG: a rectangle for each reversed run, a text for each run of one style, on the grid of the cells.
pub fn svg(buffer: &Buffer, terminal: &Terminal) -> String {
    let (width, height) = (buffer.area.width * CELL.0 + 2 * PADDING, buffer.area.height * CELL.1 + 2 * PADDING);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" font-family=\"ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono',monospace\" font-size=\"15\">\n<title>The console names the cause: the trust policy expects another subject</title>\n<rect width=\"{width}\" height=\"{height}\" rx=\"10\" fill=\"{background}\"/>\n",
        background = terminal.background
    );
    for y in 0..buffer.area.height {
        let mut x = 0;
        while x < buffer.area.width {
            let style = buffer[(x, y)].style();
            let start = x;
            let mut text = String::new();
            while x < buffer.area.width && buffer[(x, y)].style() == style {
                text.push_str(buffer[(x, y)].symbol());
                x += 1;
            }
            run(&mut svg, (start, y, x - start), &text, style, terminal);
        }
    }
    svg.push_str("</svg>\n");
    svg
}

fn run(svg: &mut String, (x, y, columns): (u16, u16, u16), text: &str, style: Style, terminal: &Terminal) {
    let (left, top) = (PADDING + x * CELL.0, PADDING + y * CELL.1);
    let width = columns * CELL.0;
    let reversed = style.add_modifier.contains(Modifier::REVERSED);
    let ink = terminal.colour(style.fg);
    if reversed {
        let _ =
            writeln!(svg, "<rect x=\"{left}\" y=\"{top}\" width=\"{width}\" height=\"{}\" fill=\"{ink}\"/>", CELL.1);
    }
    if text.trim().is_empty() {
        return;
    }
    let fill = if reversed { terminal.background } else { ink };
    let mut attributes = String::new();
    for (modifier, attribute) in [
        (Modifier::BOLD, " font-weight=\"bold\""),
        (Modifier::DIM, " fill-opacity=\".6\""),
        (Modifier::UNDERLINED, " text-decoration=\"underline\""),
    ] {
        if style.add_modifier.contains(modifier) {
            attributes.push_str(attribute);
        }
    }
    let escaped = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    let _ = writeln!(
        svg,
        "<text x=\"{left}\" y=\"{}\" textLength=\"{width}\" fill=\"{fill}\"{attributes} xml:space=\"preserve\">{escaped}</text>",
        top + 15
    );
}

/// Where the README holds the console as text.
const BEGIN: &str = "<!-- console: begin -->\n```text\n";
const END: &str = "```\n<!-- console: end -->";

#[test]
fn the_pictures_are_of_todays_console() {
    let mut driver = Driver::failed();
    driver.model.toast = None;
    driver.resize(112, 30);
    let drawn = svg(&driver.buffer(), &DARK);
    assert!(!drawn.contains('\u{1b}'));
    assert_kept(Path::new("assets/console.svg"), |_| drawn.clone());
    driver.resize(100, 26);
    let text = text(&driver.buffer());
    assert_kept(Path::new("README.md"), |readme| {
        let (before, rest) = readme.split_once(BEGIN).expect("the mark before the console");
        let (_, after) = rest.split_once(END).expect("the mark behind the console");
        format!("{before}{BEGIN}{text}{END}{after}")
    });
    assert_eq!(sample::NOW_MS % 1000, 0);
}

/// A buffer's rows, without what is blank at their ends.
fn text(buffer: &Buffer) -> String {
    let mut text = String::new();
    for y in 0..buffer.area.height {
        let row: String = (0..buffer.area.width).map(|x| buffer[(x, y)].symbol()).collect();
        text.push_str(row.trim_end());
        text.push('\n');
    }
    text
}

/// A file is what it would be today; it is made so where the environment asks for it.
fn assert_kept(name: &Path, today: impl FnOnce(&str) -> String) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(name);
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    let today = today(&kept);
    if std::env::var_os("TRUSTLINE_UPDATE_PICTURE").is_some() {
        std::fs::write(&path, &today).unwrap();
        return;
    }
    let name = name.display();
    assert!(kept == today, "{name} is out of date; TRUSTLINE_UPDATE_PICTURE=1 cargo test pictures writes it");
}
