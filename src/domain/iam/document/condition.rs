//! `Condition`: operators, keys and values.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, MapAccess, Visitor};

use super::Reading;
use super::values::{Text, ValuesSeed};
use crate::domain::iam::operator::{Comparison, Operator};
use crate::domain::iam::policy::Condition;

/// `{ operator: { key: value or values } }`.
pub(super) struct ConditionsSeed<'r, 'c> {
    pub(super) reading: &'r Reading,
    pub(super) conditions: &'c mut Vec<Condition>,
}

impl<'de> DeserializeSeed<'de> for ConditionsSeed<'_, '_> {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for ConditionsSeed<'_, '_> {
    type Value = ();
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("conditions: an object of operators, such as {\"StringEquals\": {\"HOST:aud\": \"…\"}}")
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(Text(name)) = map.next_key::<Text<'de>>()? {
            let operator = Operator::parse(&name);
            if operator.comparison == Comparison::Unrecognised {
                let instead = match Operator::nearest_name(&name) {
                    Some(nearest) => format!("write `{nearest}`"),
                    None => "use an operator of IAM, such as `StringEquals`".to_owned(),
                };
                self.reading.note(
                    "Condition",
                    format!("`{name}` is no condition operator, and IAM refuses it"),
                    instead,
                );
            }
            if self.conditions.iter().rev().take(64).any(|c| c.operator_name == name) {
                self.reading.note(
                    "Condition",
                    format!("`{name}` appears twice: JSON readers keep the last, IAM refuses the document"),
                    "put all its keys into one object",
                );
            }
            let block = OperatorBlock { reading: self.reading, operator, name: &name, conditions: self.conditions };
            map.next_value_seed(block)?;
        }
        Ok(())
    }
}

/// The keys under one operator.
pub(super) struct OperatorBlock<'r, 'c> {
    reading: &'r Reading,
    operator: Operator,
    name: &'c str,
    conditions: &'c mut Vec<Condition>,
}

impl<'de> DeserializeSeed<'de> for OperatorBlock<'_, '_> {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for OperatorBlock<'_, '_> {
    type Value = ();
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "an object of condition keys under `{}`", self.name)
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let start = self.conditions.len();
        while let Some(Text(key)) = map.next_key::<Text<'de>>()? {
            if self.conditions[start..].iter().rev().take(64).any(|c| c.key.eq_ignore_ascii_case(&key)) {
                self.reading.note(
                    "Condition",
                    format!("`{key}` appears twice under `{}`: JSON readers keep the last, IAM refuses it", self.name),
                    "put all its values into one list",
                );
            }
            let expected = map.next_value_seed(ValuesSeed)?;
            if expected.is_empty() {
                self.reading.note("Condition", format!("`{key}` has no value to compare with"), "add a value");
            }
            self.conditions.push(Condition {
                operator: self.operator,
                operator_name: self.name.to_owned(),
                key: key.into_owned(),
                expected,
            });
        }
        Ok(())
    }
}
