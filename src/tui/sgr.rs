//! Cells as a terminal's bytes. The 16 colours are written in their own short form (ECMA-48 8.3.117; 90 to 97 are
//! aixterm's): a terminal of 8 colours takes the form for 256 for blinking and other things.

use std::fmt::Write as _;

use crossterm::cursor::MoveTo;
use crossterm::queue;
use ratatui::buffer::Cell;
use ratatui::style::{Color, Modifier};

/// The parameter of each modifier.
const MODIFIERS: &[(Modifier, &str)] = &[
    (Modifier::BOLD, ";1"),
    (Modifier::DIM, ";2"),
    (Modifier::ITALIC, ";3"),
    (Modifier::UNDERLINED, ";4"),
    (Modifier::SLOW_BLINK, ";5"),
    (Modifier::RAPID_BLINK, ";6"),
    (Modifier::REVERSED, ";7"),
    (Modifier::HIDDEN, ";8"),
    (Modifier::CROSSED_OUT, ";9"),
];

/// Writes cells at their places, and resets the style behind them.
pub(super) fn draw<'c>(
    bytes: &mut Vec<u8>,
    cells: impl IntoIterator<Item = (u16, u16, &'c Cell)>,
) -> std::io::Result<()> {
    let mut style = (Color::Reset, Color::Reset, Modifier::empty());
    let mut next = None;
    for (x, y, cell) in cells {
        if next != Some((x, y)) {
            queue!(bytes, MoveTo(x, y))?;
        }
        next = Some((x.saturating_add(1), y));
        if style != (cell.fg, cell.bg, cell.modifier) {
            style = (cell.fg, cell.bg, cell.modifier);
            bytes.extend_from_slice(sequence(cell).as_bytes());
        }
        bytes.extend_from_slice(cell.symbol().as_bytes());
    }
    bytes.extend_from_slice(b"\x1b[m");
    Ok(())
}

/// The sequence that sets a cell's whole style, whatever was set before.
fn sequence(cell: &Cell) -> String {
    let mut text = "\x1b[0".to_owned();
    for (modifier, parameter) in MODIFIERS {
        if cell.modifier.contains(*modifier) {
            text.push_str(parameter);
        }
    }
    colour(&mut text, cell.fg, 30);
    colour(&mut text, cell.bg, 40);
    text.push('m');
    text
}

/// Adds a colour's parameters; `base` is 30 for what is written, 40 for what is behind it.
fn colour(text: &mut String, colour: Color, base: u8) {
    let plain = match colour {
        Color::Reset => return,
        Color::Black => base,
        Color::Red => base + 1,
        Color::Green => base + 2,
        Color::Yellow => base + 3,
        Color::Blue => base + 4,
        Color::Magenta => base + 5,
        Color::Cyan => base + 6,
        Color::Gray => base + 7,
        Color::DarkGray => base + 60,
        Color::LightRed => base + 61,
        Color::LightGreen => base + 62,
        Color::LightYellow => base + 63,
        Color::LightBlue => base + 64,
        Color::LightMagenta => base + 65,
        Color::LightCyan => base + 66,
        Color::White => base + 67,
        Color::Indexed(index) => {
            let _ = write!(text, ";{};5;{index}", base + 8);
            return;
        }
        Color::Rgb(r, g, b) => {
            let _ = write!(text, ";{};2;{r};{g};{b}", base + 8);
            return;
        }
    };
    let _ = write!(text, ";{plain}");
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(cells: &[(u16, u16, Cell)]) -> String {
        let mut bytes = Vec::new();
        draw(&mut bytes, cells.iter().map(|(x, y, cell)| (*x, *y, cell))).unwrap();
        String::from_utf8(bytes).unwrap()
    }

    fn cell(symbol: &str, fg: Color, bg: Color, modifier: Modifier) -> Cell {
        let mut cell = Cell::default();
        cell.set_symbol(symbol).set_fg(fg).set_bg(bg);
        cell.modifier = modifier;
        cell
    }

    #[test]
    fn neighbours_are_written_without_moving_and_styles_only_where_they_change() {
        let plain = |symbol| cell(symbol, Color::Reset, Color::Reset, Modifier::empty());
        let bad = |symbol| cell(symbol, Color::LightRed, Color::Blue, Modifier::BOLD | Modifier::REVERSED);
        let written = bytes(&[(2, 1, plain("a")), (3, 1, bad("b")), (4, 1, bad("c")), (0, 2, plain("d"))]);
        assert_eq!(written, "\x1b[2;3Ha\x1b[0;1;7;91;44mbc\x1b[3;1H\x1b[0md\x1b[m");
    }
}
