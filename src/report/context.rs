//! How texts from outside get onto a page: made visible, bounded, and masked where somebody looks over the shoulder.

use super::glyphs::{GlyphSet, Glyphs};
use super::privacy::{Privacy, mask_prose, mask_value};
use crate::domain::text::{visible, visible_lines};

/// The longest text from outside that is shown as a whole, in characters; of a longer one the start is.
const LONGEST: usize = 4_000;

/// How texts from outside are shown.
#[derive(Clone, Copy)]
pub struct RenderContext {
    pub glyphs: &'static Glyphs,
    privacy: Privacy,
}

impl RenderContext {
    /// Everything as it is, for a report that is printed.
    pub const fn open(set: GlyphSet) -> Self {
        RenderContext { glyphs: set.glyphs(), privacy: Privacy::Open }
    }

    /// As a screen is shown.
    pub const fn new(set: GlyphSet, privacy: Privacy) -> Self {
        RenderContext { glyphs: set.glyphs(), privacy }
    }

    /// A sentence or name that may quote what came from outside, on one line.
    pub fn prose(self, text: &str) -> String {
        let text = visible(shorten(text)).into_owned();
        match self.privacy {
            Privacy::Open => text,
            Privacy::Masked => mask_prose(&text, self.glyphs.mask),
        }
    }

    /// A value from outside, on one line.
    pub fn value(self, text: &str) -> String {
        let mut shown = visible(shorten(text)).into_owned();
        if shorten(text).len() < text.len() {
            shown.push_str(&format!("{} ({} bytes)", self.glyphs.ellipsis, text.len()));
        }
        match self.privacy {
            Privacy::Open => shown,
            Privacy::Masked => mask_value(&shown, self.glyphs.mask),
        }
    }

    /// A text of several lines.
    pub fn lines(self, text: &str) -> Vec<String> {
        let text = visible_lines(shorten(text));
        text.split('\n')
            .map(|line| match self.privacy {
                Privacy::Open => line.to_owned(),
                Privacy::Masked => mask_prose(line, self.glyphs.mask),
            })
            .collect()
    }
}

fn shorten(text: &str) -> &str {
    text.char_indices().nth(LONGEST).map_or(text, |(end, _)| &text[..end])
}
