//! `Principal` and `NotPrincipal`.

use std::borrow::Cow;
use std::fmt;

use serde::de::{self, DeserializeSeed, Deserializer, MapAccess, Visitor};

use super::values::{Text, TextsSeed};
use super::{Reading, spelled};
use crate::domain::iam::principal::PrincipalElement;

/// `"*"`, or kinds with one value or a list each.
pub(super) struct PrincipalSeed<'r>(pub(super) &'r Reading);

impl<'de> DeserializeSeed<'de> for PrincipalSeed<'_> {
    type Value = PrincipalElement;
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<PrincipalElement, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for PrincipalSeed<'_> {
    type Value = PrincipalElement;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a principal: \"*\" or an object such as {\"Federated\": \"arn:aws:iam::…:oidc-provider/…\"}")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<PrincipalElement, E> {
        if text == "*" {
            return Ok(PrincipalElement { everybody: true, ..PrincipalElement::default() });
        }
        Err(self
            .0
            .refuse("a principal is an object", "write {\"Federated\": \"arn:aws:iam::ACCOUNT:oidc-provider/HOST\"}"))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<PrincipalElement, A::Error> {
        let mut element = PrincipalElement::default();
        while let Some(Text(kind)) = map.next_key::<Text<'de>>()? {
            let kind = spelled(self.0, &kind, &["Federated", "AWS", "Service", "CanonicalUser"]).map_or_else(
                || {
                    self.0.note(
                        "Principal",
                        format!("`{kind}` is no kind of principal"),
                        "a token's issuer stands under `Federated`",
                    );
                    Cow::Owned(kind.to_string())
                },
                Cow::Borrowed,
            );
            let values = map.next_value_seed(TextsSeed { what: "a principal or a list of principals" })?;
            if kind == "Federated" {
                element.federated.extend(values);
                continue;
            }
            element.everybody |= kind == "AWS" && values.iter().any(|v| v == "*");
            element.others.extend(values.into_iter().map(|value| format!("{kind}:{value}")));
        }
        Ok(element)
    }
}
