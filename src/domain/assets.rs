//! The files of `assets`, which are part of the program: TOML for those who write them, and JSON here.

use std::sync::OnceLock;

use memchr::memmem;
use serde::de::DeserializeOwned;

/// The text of one of `assets`' TOML files, by folder and name, as the build has turned it into JSON.
macro_rules! asset {
    ($path:expr) => {
        include_str!(concat!(env!("OUT_DIR"), "/", $path, ".json"))
    };
}
pub(crate) use asset;

/// A file that is taken apart when somebody asks for what it says: most commands need few of them.
pub(crate) struct Asset<T> {
    text: &'static str,
    read: OnceLock<Option<T>>,
}

impl<T: DeserializeOwned> Asset<T> {
    pub(crate) const fn new(text: &'static str) -> Self {
        Asset { text, read: OnceLock::new() }
    }

    /// What it says; `None` where it cannot be read, which its test refuses.
    pub(crate) fn read(&'static self) -> Option<&'static T> {
        self.read.get_or_init(|| serde_json::from_str(self.text).ok()).as_ref()
    }

    /// Whether a name, or a value that is a text, ends like this somewhere in it. Cheap beside reading it.
    pub(crate) fn has_text_ending(&self, end: &str) -> bool {
        memmem::find_iter(self.text.as_bytes(), end).any(|at| self.text.as_bytes().get(at + end.len()) == Some(&b'"'))
    }
}

/// The first of `files` for which `is_meant` holds, of those that `may` let through without being read.
pub(crate) fn find<T: DeserializeOwned>(
    files: &'static [Asset<T>],
    may: impl Fn(&Asset<T>) -> bool,
    is_meant: impl Fn(&T) -> bool,
) -> Option<(usize, &'static T)> {
    files.iter().enumerate().filter(|(_, file)| may(file)).find_map(|(at, file)| {
        let read = file.read()?;
        is_meant(read).then_some((at, read))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    static FILES: [Asset<Vec<String>>; 3] =
        [Asset::new(r#"["left","x.example.com"]"#), Asset::new("[no json"), Asset::new(r#"["right","x.example.com"]"#)];

    #[test]
    fn a_file_is_found_and_one_that_is_not_asked_for_stays_unread() {
        let is_right = |names: &Vec<String>| names.iter().any(|name| name == "right");
        let found = find(&FILES, |file| file.has_text_ending("right"), is_right);
        assert_eq!(found.map(|(at, names)| (at, names.len())), Some((2, 2)));
        assert!(FILES[0].read.get().is_none(), "it was read though it could not be meant");
        assert!(FILES[1].read().is_none());
    }

    #[test]
    fn only_the_end_of_a_text_counts() {
        let file = &FILES[0];
        for (end, expected) in [("left", true), (".example.com", true), ("x.example", false), ("right", false)] {
            assert_eq!(file.has_text_ending(end), expected, "{end}");
        }
    }
}
