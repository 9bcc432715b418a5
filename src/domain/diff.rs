//! Where two texts part: the first differing character, for people to see.

/// Where `expected` and `actual` first differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Difference {
    /// How many characters they share at the start.
    pub at: usize,
    /// The expected character there, `None` where `expected` ended.
    pub expected: Option<char>,
    /// The actual character there, `None` where `actual` ended.
    pub actual: Option<char>,
}

/// The first difference between two texts, or `None` where they are equal.
pub fn first_difference(expected: &str, actual: &str) -> Option<Difference> {
    let (mut e, mut a) = (expected.chars(), actual.chars());
    let mut at = 0;
    loop {
        match (e.next(), a.next()) {
            (None, None) => return None,
            (x, y) if x == y => at += 1,
            (expected, actual) => return Some(Difference { at, expected, actual }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_first_difference() {
        assert_eq!(first_difference("abc", "abc"), None);
        assert_eq!(first_difference("abc", "abd"), Some(Difference { at: 2, expected: Some('c'), actual: Some('d') }));
        assert_eq!(first_difference("ab", "abd"), Some(Difference { at: 2, expected: None, actual: Some('d') }));
        assert_eq!(first_difference("é1", "é"), Some(Difference { at: 1, expected: Some('1'), actual: None }));
    }
}
