//! Lines of a report as they fit a terminal: broken between words, what follows indented under the text.

use unicode_width::UnicodeWidthChar as _;

/// The least columns that are left for text behind an indent.
const LEAST: usize = 24;
/// The indent where the one that is wanted leaves too few.
const SHALLOW: usize = 6;

/// A line broken so that its parts fit `width` columns. All but the first begin in column `hang`. A word that does not
/// fit a part of its own stays whole, for the terminal to break. Colours take no columns.
pub fn fold(line: &str, width: usize, hang: usize) -> String {
    if columns(line) <= width {
        return line.to_owned();
    }
    let longest = line.split(' ').map(columns).max().unwrap_or(0);
    let fits = hang + longest.max(LEAST) <= width;
    let hang = if fits { hang } else { hang.min(SHALLOW) };
    let (mut folded, mut used, mut gap) = (String::with_capacity(line.len() + hang), 0, 0);
    for (place, word) in line.split(' ').enumerate() {
        gap += usize::from(place > 0);
        if word.is_empty() {
            continue;
        }
        let own = columns(word);
        if used + gap + own > width && used > hang && hang + own <= width {
            folded.push('\n');
            (used, gap) = (0, hang);
        }
        folded.push_str(&" ".repeat(gap));
        folded.push_str(word);
        used += gap + own;
        gap = 0;
    }
    folded
}

/// The columns of a text, without its colours.
fn columns(text: &str) -> usize {
    let mut in_colour = false;
    text.chars()
        .filter_map(|c| match (c, in_colour) {
            ('\u{1b}', _) => {
                in_colour = true;
                None
            }
            (c, true) => {
                in_colour = c != 'm';
                None
            }
            (c, false) => c.width(),
        })
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn breaks_between_words_under_the_text() {
        let line = "    because   the token has one subject and the policy requires another";
        assert_eq!(
            fold(line, 42, 14),
            "    because   the token has one subject\n              and the policy requires\n              another"
        );
        assert_eq!(fold(line, 200, 14), line);
    }

    #[test]
    fn a_word_that_fits_a_line_is_never_broken() {
        let line = "  x secret can be read                 blocked by aws.assume-role-with-web-identity, as is sha256:6abbcfd8acc8";
        for width in [40, 50, 60, 80, 100] {
            let folded = fold(line, width, 39);
            for word in ["aws.assume-role-with-web-identity,", "sha256:6abbcfd8acc8"] {
                assert!(folded.lines().any(|line| line.contains(word)), "{width}: {folded}");
            }
            assert!(folded.lines().all(|line| columns(line) <= width), "{width}: {folded}");
        }
        let long = "x".repeat(50);
        assert_eq!(fold(&format!("    docs  {long}"), 40, 10), format!("    docs  {long}"));
    }

    #[test]
    fn colours_take_no_room() {
        let line = "\u{1b}[1mone two\u{1b}[0m three";
        assert_eq!(fold(line, 13, 0), line);
        assert_eq!(fold(line, 9, 2), "\u{1b}[1mone two\u{1b}[0m\n  three");
    }
}
