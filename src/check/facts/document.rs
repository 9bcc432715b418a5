//! A file that a profile names and that could not be read.

use std::fmt;

/// Why a document could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unread {
    /// There is no such file: then its name is wrong, and not only the look at it.
    pub is_missing: bool,
    /// A sentence with the file's name.
    pub why: String,
}

impl fmt::Display for Unread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.why)
    }
}

impl From<String> for Unread {
    fn from(why: String) -> Self {
        Unread { is_missing: false, why }
    }
}
