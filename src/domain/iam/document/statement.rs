//! A statement's elements as IAM reads them: `Principal`, `Action`, `Resource`, `Condition` and their values.

use std::borrow::Cow;
use std::fmt;

use serde::de;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::{Reading, spelled};
use crate::domain::iam::operator::{Comparison, Operator};
use crate::domain::iam::policy::{
    ActionElement, Condition, Effect, Expected, PrincipalElement, ResourceElement, Statement, Version,
};

use crate::domain::text_difference::nearest;

/// One statement, or a list of them.
pub(super) struct StatementsSeed<'r>(pub(super) &'r Reading);

impl<'de> DeserializeSeed<'de> for StatementsSeed<'_> {
    type Value = Vec<Statement>;
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Vec<Statement>, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for StatementsSeed<'_> {
    type Value = Vec<Statement>;
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a statement or a list of statements")
    }
    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Vec<Statement>, A::Error> {
        self.0.statement.set(Some(0));
        Ok(vec![StatementSeed(self.0).visit_map(map)?])
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Vec<Statement>, A::Error> {
        let mut statements = Vec::new();
        self.0.statement.set(Some(0));
        while let Some(statement) = list.next_element_seed(StatementSeed(self.0))? {
            statements.push(statement);
            self.0.statement.set(Some(statements.len()));
        }
        Ok(statements)
    }
}

pub(super) struct StatementSeed<'r>(pub(super) &'r Reading);

impl<'de> DeserializeSeed<'de> for StatementSeed<'_> {
    type Value = Statement;
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Statement, D::Error> {
        deserializer.deserialize_map(self)
    }
}

const STATEMENT_ELEMENTS: [&str; 9] =
    ["Sid", "Effect", "Principal", "NotPrincipal", "Action", "NotAction", "Resource", "NotResource", "Condition"];

impl<'de> Visitor<'de> for StatementSeed<'_> {
    type Value = Statement;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a statement: a JSON object with `Effect`, `Action` and more")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Statement, A::Error> {
        let reading = self.0;
        let (mut sid, mut effect, mut principal, mut resource) = (None, None, None, None);
        let mut action: Option<ActionElement> = None;
        let mut conditions = Vec::new();
        let mut seen = [false; STATEMENT_ELEMENTS.len()];
        while let Some(Text(key)) = map.next_key::<Text<'de>>()? {
            let Some(name) = spelled(reading, &key, &STATEMENT_ELEMENTS) else {
                reading.note(
                    "",
                    format!("`{key}` is no element of a statement, and IAM refuses it"),
                    nearest_element(&key),
                );
                map.next_value::<IgnoredAny>()?;
                continue;
            };
            if let Some(at) = STATEMENT_ELEMENTS.iter().position(|e| *e == name)
                && std::mem::replace(&mut seen[at], true)
            {
                reading.note_duplicate(
                    name,
                    "it appears twice: JSON readers keep the last, IAM refuses the document",
                    "write it once",
                );
            }
            match name {
                "Sid" => sid = Some(map.next_value::<Text<'de>>()?.0.into_owned()),
                "Effect" => {
                    let Text(text) = map.next_value::<Text<'de>>()?;
                    effect = Some(match &*text {
                        "Allow" => Effect::Allow,
                        "Deny" => Effect::Deny,
                        other => {
                            return Err(reading.refuse(
                                format_args!("`Effect` is `{other}`"),
                                "write `Allow` or `Deny`, with this letter case",
                            ));
                        }
                    });
                }
                "Principal" | "NotPrincipal" => {
                    let mut element = map.next_value_seed(PrincipalSeed(reading))?;
                    element.negated = name == "NotPrincipal";
                    principal = Some(element);
                }
                "Action" | "NotAction" => {
                    let patterns = map.next_value_seed(TextsSeed { what: "an action or a list of actions" })?;
                    action = Some(ActionElement { negated: name == "NotAction", patterns });
                }
                "Resource" | "NotResource" => {
                    let patterns = map.next_value_seed(TextsSeed { what: "a resource or a list of resources" })?;
                    let patterns = patterns.into_iter().map(|text| Expected::new(text, Version::V2012)).collect();
                    resource = Some(ResourceElement { negated: name == "NotResource", patterns });
                }
                _ => {
                    map.next_value_seed(ConditionsSeed { reading, conditions: &mut conditions })?;
                }
            }
        }
        let Some(effect) = effect else {
            return Err(reading.refuse("the statement has no `Effect`", "add \"Effect\": \"Allow\""));
        };
        for (one, other) in [(2, 3), (4, 5), (6, 7)] {
            if seen[one] && seen[other] {
                reading.note(
                    STATEMENT_ELEMENTS[one],
                    format!(
                        "`{}` and `{}` are both present, and IAM refuses that",
                        STATEMENT_ELEMENTS[one], STATEMENT_ELEMENTS[other]
                    ),
                    "keep one of the two",
                );
            }
        }
        let action = action.unwrap_or_else(|| {
            reading.note("Action", "the statement has no `Action`, and IAM refuses that", "add \"Action\"");
            ActionElement::default()
        });
        Ok(Statement { sid, effect, principal, action, resource, conditions })
    }
}

fn nearest_element(found: &str) -> String {
    match nearest(found, STATEMENT_ELEMENTS) {
        Some(known) => format!("write `{known}`"),
        None => format!("a statement has {}", STATEMENT_ELEMENTS.join(", ")),
    }
}

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
                self.reading.note_duplicate(
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
                self.reading.note_duplicate(
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
                        "a token's issuer belongs under `Federated`",
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
