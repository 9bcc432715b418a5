//! Statements.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::condition::ConditionsSeed;
use super::principal::PrincipalSeed;
use super::values::{Text, TextsSeed};
use super::{Reading, spelled};
use crate::domain::iam::policy::{ActionElement, Effect, Expected, ResourceElement, Statement, Version};
use crate::domain::nearest::nearest;

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
                reading.note(
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
                        "`{}` stands beside `{}`, and IAM refuses that",
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
