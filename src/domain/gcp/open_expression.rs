//! Expressions with open parts: what code leaves to a value that is not at hand becomes a name that nothing declares, so that the
//! language itself says where it decides: errors are absorbed on either side of `&&` and `||`.

use std::borrow::Cow;

use crate::domain::iam::open_text::{OPEN, is_open, open_references};

/// How the names begin that stand for open parts.
const NAME: &str = "trustline_open_";

/// An expression without open parts, and what its names stand for.
#[derive(Debug)]
pub(super) struct Closed<'t> {
    pub text: Cow<'t, str>,
    pub open: OpenNames,
}

/// What the names of open parts stand for, by number.
#[derive(Debug, Default)]
pub(super) struct OpenNames(Vec<String>);

impl OpenNames {
    /// What a name stands for, where it is that of an open part.
    pub fn reference(&self, name: &str) -> Option<&str> {
        let number = name.rsplit_once(NAME)?.1.parse::<usize>().ok()?;
        self.0.get(number).map(String::as_str)
    }

    /// The name of one more part.
    fn add(&mut self, part: &str) -> String {
        let name = format!("{NAME}{}", self.0.len());
        self.0.push(open_references(part).join(", "));
        name
    }
}

/// An expression of which nothing but what it depends on is known.
pub(super) fn wholly_open(text: &str) -> Closed<'_> {
    let mut open = OpenNames::default();
    Closed { text: open.add(text).into(), open }
}

/// Puts names in the place of open parts: of a whole literal where one stands in it.
pub(super) fn close(text: &str) -> Closed<'_> {
    if !is_open(text) {
        return Closed { text: text.into(), open: OpenNames::default() };
    }
    let mut closed = String::with_capacity(text.len());
    let mut open = OpenNames::default();
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let length = match c {
            '\'' | '"' => literal(rest, c),
            _ if rest.starts_with(OPEN) => rest.find('}').map_or(rest.len(), |end| end + 1),
            _ => c.len_utf8(),
        };
        let (part, behind) = rest.split_at(length);
        match is_open(part) {
            true => closed.push_str(&open.add(part)),
            false => closed.push_str(part),
        }
        rest = behind;
    }
    Closed { text: closed.into(), open }
}

/// The text with as many letters in the place of each open part, so that everything stands where it stood.
pub(super) fn masked(text: &str) -> Cow<'_, str> {
    if !is_open(text) {
        return text.into();
    }
    let mut masked = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, open)) = rest.find(OPEN).and_then(|at| rest.split_at_checked(at)) {
        let (part, behind) = open.split_at(open.find('}').map_or(open.len(), |end| end + 1));
        masked.push_str(before);
        masked.push_str(&"x".repeat(part.len()));
        rest = behind;
    }
    masked.push_str(rest);
    masked.into()
}

/// How long the literal is that `text` begins with, in bytes.
fn literal(text: &str, quote: char) -> usize {
    let mut is_escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            _ if is_escaped => is_escaped = false,
            '\\' => is_escaped = true,
            _ if c == quote => return at + 1,
            _ => {}
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_name_stands_for_a_whole_literal_or_a_bare_part() {
        for (text, closed, references) in [
            ("assertion.a == 'x'", "assertion.a == 'x'", &[][..]),
            (
                "assertion.a == 'o/${unknown:var.a}' && assertion.b in ['it\\'s', \"${unknown:var.b}\"]",
                "assertion.a == trustline_open_0 && assertion.b in ['it\\'s', trustline_open_1]",
                &["var.a", "var.b"],
            ),
            ("${unknown:var.c}", "trustline_open_0", &["var.c"]),
            ("assertion.${unknown:var.d} == 1", "assertion.trustline_open_0 == 1", &["var.d"]),
        ] {
            let found = close(text);
            assert_eq!(found.text, closed);
            for (number, reference) in references.iter().enumerate() {
                assert_eq!(found.open.reference(&format!("{NAME}{number}")), Some(*reference), "{text}");
            }
            assert_eq!(found.open.reference("a"), None);
        }
        let whole = wholly_open("a ${unknown:var.x} b '${unknown:var.y}'");
        assert_eq!(
            (whole.text.as_ref(), whole.open.reference("trustline_open_0")),
            ("trustline_open_0", Some("var.x, var.y"))
        );
    }

    proptest! {
        #[test]
        fn nothing_open_is_left(text in "[a-z'\"\\\\ é]{0,8}(\\$\\{unknown:[a-z.]{1,4}\\}[a-z'\"\\\\ é]{0,4}){1,3}") {
            prop_assert!(!is_open(&close(&text).text));
            let masked = masked(&text);
            prop_assert!(!is_open(&masked));
            prop_assert_eq!(masked.len(), text.len());
        }
    }
}
