//! The answers of the AWS CLI and API that hold a policy document.

use std::borrow::Cow;
use std::fmt;

use percent_encoding::percent_decode_str;
use serde::de::{self, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::Value;

use super::values::Text;
use super::{DocumentSeed, Reading};
use crate::domain::iam::policy::{Origin, Policy};
use crate::domain::timestamp::parse_rfc3339;

/// The `Role` object of `aws iam get-role`.
pub(super) struct RoleSeed<'r>(pub(super) &'r Reading);

impl<'de> DeserializeSeed<'de> for RoleSeed<'_> {
    type Value = Policy;
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Policy, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for RoleSeed<'_> {
    type Value = Policy;
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the `Role` object of `aws iam get-role`")
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Policy, A::Error> {
        let mut role_arn = None;
        let mut role_created_at = None;
        let mut policy = None;
        while let Some(Text(key)) = map.next_key::<Text<'de>>()? {
            match &*key {
                "Arn" => role_arn = Some(map.next_value::<Text<'de>>()?.0.into_owned()),
                // The CLI can be told to write times in other forms; those are left out.
                "CreateDate" => {
                    role_created_at = map.next_value::<Value>()?.as_str().and_then(parse_rfc3339);
                }
                "AssumeRolePolicyDocument" => policy = Some(map.next_value_seed(EmbeddedSeed(self.0))?),
                _ => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        match policy {
            Some(policy) => Ok(Policy { origin: Origin::GetRole, role_arn, role_created_at, ..policy }),
            None => Err(self.0.refuse(
                "the role has no `AssumeRolePolicyDocument`",
                "give the whole answer of `aws iam get-role --role-name NAME`",
            )),
        }
    }
}

/// An object that holds the document under one name.
pub(super) struct NestedDocument<'r>(pub(super) &'r Reading, pub(super) &'static str);

impl<'de> DeserializeSeed<'de> for NestedDocument<'_> {
    type Value = Policy;
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Policy, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for NestedDocument<'_> {
    type Value = Policy;
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "an object with `{}`", self.1)
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Policy, A::Error> {
        let mut policy = None;
        while let Some(Text(key)) = map.next_key::<Text<'de>>()? {
            if key == self.1 {
                policy = Some(map.next_value_seed(EmbeddedSeed(self.0))?);
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        policy.ok_or_else(|| {
            self.0.refuse(
                format_args!("there is no `{}` in it", self.1),
                "give the whole answer of `aws iam get-policy-version`",
            )
        })
    }
}

/// A document inside an answer: an object, or its text, URL-encoded (RFC 3986) as the IAM API returns it.
pub(super) struct EmbeddedSeed<'r>(pub(super) &'r Reading);

impl<'de> DeserializeSeed<'de> for EmbeddedSeed<'_> {
    type Value = Policy;
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Policy, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for EmbeddedSeed<'_> {
    type Value = Policy;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a policy document, as an object or as its text")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Policy, E> {
        // A document that is JSON text already may hold a `%` of its own.
        let is_encoded = text.trim_start().starts_with('%');
        let decoded = if is_encoded { percent_decode_str(text).decode_utf8_lossy() } else { Cow::Borrowed(text) };
        let mut json = serde_json::Deserializer::from_str(&decoded);
        let policy = DocumentSeed(self.0).deserialize(&mut json).and_then(|policy| json.end().map(|()| policy));
        policy.map_err(|error| {
            let inner = self.0.explain(&error);
            if self.0.instead.get().is_none() {
                self.0.instead.set(Some("fetch the answer again: the document inside it is damaged"));
            }
            E::custom(format_args!(
                "the document inside this answer is wrong at its line {}, column {}: {}",
                inner.line, inner.column, inner.what
            ))
        })
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Policy, A::Error> {
        DocumentSeed(self.0).visit_map(map)
    }
}
