//! Reads a JSON object so that a broken one still yields the members before the break, and a repeated name is noticed.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, MapAccess, Visitor};
use serde_json::{Map, Value};

use crate::domain::text::json_kind;

/// A text made of nothing but repeated names is one flaw, not thousands.
const MAX_REPEATED: usize = 16;

/// What could be read of a JSON text that should be one object.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct ReadObject {
    /// The members read; the last of a repeated name wins, as at AWS STS.
    pub members: Map<String, Value>,
    /// The names that occur more than once, each once; at most [`MAX_REPEATED`] of them.
    pub repeated: Vec<String>,
    /// Why the text is not one JSON object.
    pub flaw: Option<Flaw>,
}

/// Why a text is not one JSON object.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Flaw {
    /// Another kind of JSON value.
    NotAnObject(&'static str),
    /// Not JSON from this line and column on (counted from 1).
    NotJson { line: usize, column: usize },
}

/// Reads `bytes` as one JSON object.
pub(super) fn read(bytes: &[u8]) -> ReadObject {
    let mut read = ReadObject::default();
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    let outcome = Collect(&mut read).deserialize(&mut deserializer).and_then(|()| deserializer.end());
    if let Err(error) = outcome {
        let other = serde_json::from_slice::<Value>(bytes).ok().map(|value| json_kind(&value));
        read.flaw = Some(match other {
            Some(json_kind) => Flaw::NotAnObject(json_kind),
            None => Flaw::NotJson { line: error.line(), column: error.column() },
        });
    }
    read
}

/// Fills a [`ReadObject`] member by member, so that an error later in the text leaves what came before.
struct Collect<'r>(&'r mut ReadObject);

impl<'de> DeserializeSeed<'de> for Collect<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Collect<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let mut seen = std::collections::HashSet::new();
        while let Some(name) = map.next_key::<String>()? {
            if self.0.repeated.len() < MAX_REPEATED && self.0.members.contains_key(&name) && seen.insert(name.clone()) {
                self.0.repeated.push(name.clone());
            }
            let value = map.next_value::<Value>()?;
            self.0.members.insert(name, value);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_what_stands_before_the_break() {
        let read = read(br#"{"iss":"https://a","sub":"b","au"#);
        assert_eq!(read.members.keys().collect::<Vec<_>>(), ["iss", "sub"]);
        assert_eq!(read.flaw, Some(Flaw::NotJson { line: 1, column: 32 }));
    }

    #[test]
    fn notices_repeated_names_and_keeps_the_last() {
        let read = read(br#"{"aud":"a","aud":"b","aud":"c","exp":1}"#);
        assert_eq!(read.members["aud"], "c");
        assert_eq!((read.repeated, read.flaw), (vec!["aud".to_owned()], None));
    }

    #[test]
    fn tells_other_values_from_no_json() {
        assert_eq!(read(b"[1]").flaw, Some(Flaw::NotAnObject("a list")));
        assert_eq!(read(b"\"x\"").flaw, Some(Flaw::NotAnObject("a text")));
        assert!(matches!(read(b"{} trailing").flaw, Some(Flaw::NotJson { .. })));
        assert!(matches!(read(b"").flaw, Some(Flaw::NotJson { .. })));
        assert!(matches!(read(&b"[".repeat(100_000)).flaw, Some(Flaw::NotJson { .. })));
    }
}
