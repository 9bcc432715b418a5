//! A secret value while it is typed: in memory that is wiped, whose length nothing tells.

use std::fmt;

use zeroize::Zeroizing;

/// The longest value that can be typed or pasted, in bytes: what the larger of the stores takes.
const LONGEST: usize = 65_536;
/// The room that is made at first, in bytes, so that typing moves the value never or rarely.
const ROOM: usize = 1024;

/// A value that a person types. It is wiped when it is dropped, also where it grew out of its place.
#[derive(Clone, PartialEq, Eq)]
pub struct TypedValue(Zeroizing<String>);

impl Default for TypedValue {
    fn default() -> Self {
        TypedValue(Zeroizing::new(String::with_capacity(ROOM)))
    }
}

impl fmt::Debug for TypedValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TypedValue(..)")
    }
}

impl TypedValue {
    /// Appends as much of a text as there is room for.
    pub fn push(&mut self, text: &str) {
        let mut end = text.len().min(LONGEST.saturating_sub(self.0.len()));
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        if self.0.capacity() < self.0.len() + end {
            // A string that grows by itself would leave its old place as it was.
            let mut larger = Zeroizing::new(String::with_capacity(2 * (self.0.len() + end)));
            larger.push_str(&self.0);
            self.0 = larger;
        }
        self.0.push_str(&text[..end]);
    }

    /// Takes the last character away.
    pub fn pop(&mut self) {
        let last = Zeroizing::new(self.0.pop());
        drop(last);
    }

    /// Wipes it.
    pub fn clear(&mut self) {
        *self = TypedValue::default();
    }

    /// Whether nothing was typed.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The value itself, for the one who writes it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_nothing_of_itself_and_stops_at_its_limit() {
        let mut value = TypedValue::default();
        value.push("hunter");
        value.push("2é");
        value.pop();
        assert_eq!(value.expose(), "hunter2");
        assert_eq!(format!("{value:?}"), "TypedValue(..)");
        value.push(&"é".repeat(LONGEST));
        assert!(value.expose().len() <= LONGEST && value.expose().ends_with('é'));
        value.clear();
        assert!(value.is_empty());
    }
}
