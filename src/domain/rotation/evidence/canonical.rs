//! JSON in its canonical text (RFC 8785), of which records are hashed: keys in the order of their UTF-16 units, no white space,
//! the shortest escapes. Whole numbers only, whose text is the same everywhere.

use std::borrow::Cow;
use std::fmt;
use std::io::Write as _;

use aws_lc_rs::digest::{SHA256, digest};
use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::Value;

use crate::domain::fingerprint::hex;

/// JSON that borrows from the text, or the value, that it was made of.
#[derive(Debug)]
pub(super) enum Node<'t> {
    Null,
    Bool(bool),
    Positive(u64),
    Negative(i64),
    Fraction,
    Text(Cow<'t, str>),
    List(Vec<Node<'t>>),
    /// In the canonical order.
    Object(Vec<Member<'t>>),
}

pub(super) type Member<'t> = (Cow<'t, str>, Node<'t>);

/// A document has no such form here: it has a number with a fraction, or one that is too large.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a number in it is not a whole one")]
pub struct NotCanonical;

impl<'t> Node<'t> {
    pub(super) fn object(mut members: Vec<Member<'t>>) -> Self {
        members.sort_by(|(a, _), (b, _)| match a.is_ascii() && b.is_ascii() {
            true => a.cmp(b),
            false => a.encode_utf16().cmp(b.encode_utf16()),
        });
        Node::Object(members)
    }

    pub(super) fn text(&self) -> Option<&str> {
        if let Node::Text(text) = self { Some(text) } else { None }
    }

    pub(super) fn number(&self) -> Option<u64> {
        if let Node::Positive(number) = self { Some(*number) } else { None }
    }

    /// The hash of its canonical text, as records and heads name it.
    pub(super) fn hash(&self) -> Result<String, NotCanonical> {
        let mut text = Vec::with_capacity(4096);
        self.write(&mut text)?;
        Ok(format!("sha256:{}", hex(digest(&SHA256, &text).as_ref(), 64)))
    }

    fn write(&self, text: &mut Vec<u8>) -> Result<(), NotCanonical> {
        match self {
            Node::Null => text.extend_from_slice(b"null"),
            Node::Bool(value) => text.extend_from_slice(if *value { b"true" } else { b"false" }),
            Node::Positive(number) => write!(text, "{number}").map_err(|_| NotCanonical)?,
            Node::Negative(number) => write!(text, "{number}").map_err(|_| NotCanonical)?,
            Node::Fraction => return Err(NotCanonical),
            Node::Text(value) => quoted(value, text)?,
            Node::List(items) => {
                text.push(b'[');
                for (at, item) in items.iter().enumerate() {
                    if at > 0 {
                        text.push(b',');
                    }
                    item.write(text)?;
                }
                text.push(b']');
            }
            Node::Object(members) => {
                text.push(b'{');
                for (at, (name, value)) in members.iter().enumerate() {
                    if at > 0 {
                        text.push(b',');
                    }
                    quoted(name, text)?;
                    text.push(b':');
                    value.write(text)?;
                }
                text.push(b'}');
            }
        }
        Ok(())
    }
}

/// `serde_json` escapes as section 3.2.2.2 asks for: `\"`, `\\`, the five short ones, else `\u00xx`.
fn quoted(value: &str, text: &mut Vec<u8>) -> Result<(), NotCanonical> {
    serde_json::to_writer(text, value).map_err(|_| NotCanonical)
}

impl<'t> From<&'t Value> for Node<'t> {
    fn from(value: &'t Value) -> Self {
        match value {
            Value::Null => Node::Null,
            Value::Bool(value) => Node::Bool(*value),
            Value::Number(number) => match (number.as_u64(), number.as_i64()) {
                (Some(number), _) => Node::Positive(number),
                (None, Some(number)) => Node::Negative(number),
                (None, None) => Node::Fraction,
            },
            Value::String(text) => Node::Text(text.into()),
            Value::Array(items) => Node::List(items.iter().map(Node::from).collect()),
            Value::Object(fields) => {
                Node::object(fields.iter().map(|(name, value)| (name.into(), value.into())).collect())
            }
        }
    }
}

impl<'de> Deserialize<'de> for Node<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AnyNode)
    }
}

struct AnyNode;

impl<'de> Visitor<'de> for AnyNode {
    type Value = Node<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    /// Readers differ in which they take of two members of one name, so no object has any.
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Node<'de>, A::Error> {
        let mut members = Vec::new();
        while let Some((Name(name), value)) = map.next_entry()? {
            members.push((name, value));
        }
        let object = Node::object(members);
        if let Node::Object(members) = &object
            && let Some([(name, _), _]) = members.array_windows().find(|[(a, _), (b, _)]| a == b)
        {
            return Err(A::Error::custom(format_args!("`{name}` occurs twice")));
        }
        Ok(object)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Node<'de>, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = list.next_element()? {
            items.push(item);
        }
        Ok(Node::List(items))
    }

    fn visit_bool<E>(self, value: bool) -> Result<Node<'de>, E> {
        Ok(Node::Bool(value))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Node<'de>, E> {
        Ok(Node::Negative(number))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Node<'de>, E> {
        Ok(Node::Positive(number))
    }

    fn visit_f64<E>(self, _: f64) -> Result<Node<'de>, E> {
        Ok(Node::Fraction)
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Node<'de>, E> {
        Ok(Node::Text(text.into()))
    }

    fn visit_str<E>(self, text: &str) -> Result<Node<'de>, E> {
        Ok(Node::Text(text.to_owned().into()))
    }

    fn visit_unit<E>(self) -> Result<Node<'de>, E> {
        Ok(Node::Null)
    }
}

/// A member's name, borrowed where it has no escapes.
struct Name<'t>(Cow<'t, str>);

impl<'de> Deserialize<'de> for Name<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Node::deserialize(deserializer)? {
            Node::Text(name) => Ok(Name(name)),
            _ => Err(D::Error::custom("a name that is no text")),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Map, json};

    use super::*;

    fn canonical(value: &Value) -> Result<String, NotCanonical> {
        let mut text = Vec::new();
        Node::from(value).write(&mut text)?;
        // What is read from a text is written the same.
        let read = value.to_string();
        let mut again = Vec::new();
        serde_json::from_str::<Node<'_>>(&read).unwrap().write(&mut again)?;
        assert_eq!(text, again);
        Ok(String::from_utf8(text).unwrap())
    }

    #[test]
    fn as_rfc_8785_shows() {
        // Section 3.2.3: the order is that of UTF-16 units.
        let sorted = json!({"\u{20ac}": 1, "\r": 2, "\u{fb33}": 3, "1": 4, "\u{1f600}": 5, "\u{80}": 6, "\u{f6}": 7});
        let expected = "{\"\\r\":2,\"1\":4,\"\u{80}\":6,\"\u{f6}\":7,\"\u{20ac}\":1,\"\u{1f600}\":5,\"\u{fb33}\":3}";
        assert_eq!(canonical(&sorted).unwrap(), expected);
        // Section 3.2.2.2: escapes.
        let escaped = json!({"string": "\u{20ac}$\u{f}\nA'B\"\\\\\"/", "literals": [null, true, false, -1]});
        let expected = "{\"literals\":[null,true,false,-1],\"string\":\"\u{20ac}$\\u000f\\nA'B\\\"\\\\\\\\\\\"/\"}";
        assert_eq!(canonical(&escaped).unwrap(), expected);
        assert_eq!(canonical(&json!({"n": 1.5})), Err(NotCanonical));
    }

    #[test]
    fn a_name_is_there_once() {
        for text in [r#"{"a":1,"b":2,"a":1}"#, r#"[{"x":{"\u0061":1,"a":1}}]"#] {
            let refused = serde_json::from_str::<Node<'_>>(text).unwrap_err().to_string();
            assert!(refused.contains("`a` occurs twice"), "{refused}");
        }
    }

    proptest! {
        #[test]
        fn the_order_of_keys_does_not_matter(fields in proptest::collection::btree_map("\\PC{0,4}", any::<i64>(), 0..8)) {
            let forth: Map<String, Value> = fields.iter().map(|(k, v)| (k.clone(), (*v).into())).collect();
            let back: Map<String, Value> = fields.iter().rev().map(|(k, v)| (k.clone(), (*v).into())).collect();
            let text = canonical(&forth.clone().into()).unwrap();
            prop_assert_eq!(&text, &canonical(&back.into()).unwrap());
            prop_assert_eq!(serde_json::from_str::<Map<String, Value>>(&text).unwrap(), forth);
        }
    }
}
