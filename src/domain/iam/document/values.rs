//! Values: a text, one or several, and what a condition compares with.

use std::borrow::Cow;
use std::fmt;

use serde::de::{self, DeserializeSeed, Deserializer, SeqAccess, Visitor};

use crate::domain::iam::policy::{Expected, Version};

/// A text, borrowed from the input where it has no escapes.
pub(super) struct Text<'de>(pub(super) Cow<'de, str>);

impl<'de> de::Deserialize<'de> for Text<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TextVisitor;
        impl<'de> Visitor<'de> for TextVisitor {
            type Value = Text<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text in double quotes")
            }
            fn visit_borrowed_str<E: de::Error>(self, text: &'de str) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Borrowed(text)))
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Owned(text.to_owned())))
            }
        }
        deserializer.deserialize_str(TextVisitor)
    }
}

/// A text or a list of texts.
pub(super) struct TextsSeed {
    pub(super) what: &'static str,
}

impl<'de> DeserializeSeed<'de> for TextsSeed {
    type Value = Vec<String>;
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Vec<String>, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for TextsSeed {
    type Value = Vec<String>;
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.what)
    }
    fn visit_str<E: de::Error>(self, text: &str) -> Result<Vec<String>, E> {
        Ok(vec![text.to_owned()])
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Vec<String>, A::Error> {
        let mut texts = Vec::new();
        while let Some(Text(text)) = list.next_element::<Text<'de>>()? {
            texts.push(text.into_owned());
        }
        Ok(texts)
    }
}

/// The values of one key.
pub(super) struct ValuesSeed;

impl<'de> DeserializeSeed<'de> for ValuesSeed {
    type Value = Vec<Expected>;
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Vec<Expected>, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for ValuesSeed {
    type Value = Vec<Expected>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value or a list of values")
    }
    fn visit_str<E: de::Error>(self, text: &str) -> Result<Vec<Expected>, E> {
        ValueSeed.visit_str(text).map(|value| vec![value])
    }
    fn visit_bool<E: de::Error>(self, value: bool) -> Result<Vec<Expected>, E> {
        ValueSeed.visit_bool(value).map(|value| vec![value])
    }
    fn visit_i64<E: de::Error>(self, value: i64) -> Result<Vec<Expected>, E> {
        ValueSeed.visit_i64(value).map(|value| vec![value])
    }
    fn visit_u64<E: de::Error>(self, value: u64) -> Result<Vec<Expected>, E> {
        ValueSeed.visit_u64(value).map(|value| vec![value])
    }
    fn visit_f64<E: de::Error>(self, value: f64) -> Result<Vec<Expected>, E> {
        ValueSeed.visit_f64(value).map(|value| vec![value])
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Vec<Expected>, A::Error> {
        let mut values = Vec::new();
        while let Some(value) = list.next_element_seed(ValueSeed)? {
            values.push(value);
        }
        Ok(values)
    }
}

/// One value of a list: a list inside a list is none.
pub(super) struct ValueSeed;

impl<'de> DeserializeSeed<'de> for ValueSeed {
    type Value = Expected;
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Expected, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for ValueSeed {
    type Value = Expected;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text, a number, true or false")
    }
    fn visit_str<E: de::Error>(self, text: &str) -> Result<Expected, E> {
        Ok(Expected::new(text.to_owned(), Version::V2012))
    }
    fn visit_bool<E: de::Error>(self, value: bool) -> Result<Expected, E> {
        self.visit_str(if value { "true" } else { "false" })
    }
    fn visit_i64<E: de::Error>(self, value: i64) -> Result<Expected, E> {
        self.visit_str(&value.to_string())
    }
    fn visit_u64<E: de::Error>(self, value: u64) -> Result<Expected, E> {
        self.visit_str(&value.to_string())
    }
    fn visit_f64<E: de::Error>(self, value: f64) -> Result<Expected, E> {
        self.visit_str(&value.to_string())
    }
}
