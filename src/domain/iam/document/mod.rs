//! Reading a policy from JSON in one pass, with the place of whatever is wrong.

mod statement;

use std::borrow::Cow;
use std::cell::{Cell, RefCell};
use std::fmt;

use percent_encoding::percent_decode_str;
use serde::de;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::Value;

use self::statement::{StatementsSeed, Text};

use super::open_text::is_open;
use super::policy::{Expected, Origin, Policy, PolicyError, PolicyProblem, ProblemKind, Statement, Version};
use crate::domain::timestamp::parse_rfc3339;

/// Far above IAM's quotas, white space and the answer around a policy included
/// (<https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html>).
const LONGEST: usize = 128 << 10;

impl Policy {
    /// Reads a policy document, or the answer of `aws iam get-role`, `get-role-policy` or `get-policy-version`.
    ///
    /// Takes `Statement` as an object or an array and a lone string for a list, as IAM does; a document inside an
    /// answer may be JSON or URL-encoded text, as the CLI and the API return it.
    ///
    /// # Errors
    /// Where the text is no JSON, or no policy: with line, column, and what to write instead.
    pub fn parse(text: &str) -> Result<Policy, PolicyError> {
        parse(text)
    }
}

fn parse(text: &str) -> Result<Policy, PolicyError> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if text.trim().is_empty() {
        return Err(PolicyError {
            line: 1,
            column: 1,
            what: "the text is empty".into(),
            instead: "give a policy document or the answer of `aws iam get-role`".into(),
        });
    }
    if text.len() > LONGEST {
        return Err(PolicyError {
            line: 1,
            column: 1,
            what: format!("the text has {} bytes, and IAM takes no policy of more than 10 240 characters", text.len()),
            instead: "give the policy of one role".into(),
        });
    }
    let reading = Reading::default();
    let mut json = serde_json::Deserializer::from_str(text);
    let policy = RootSeed(&reading).deserialize(&mut json).and_then(|policy| json.end().map(|()| policy));
    match policy {
        Ok(mut policy) => {
            policy.problems = reading.problems.into_inner();
            Ok(policy)
        }
        Err(error) => Err(reading.explain(&error)),
    }
}

/// What one pass over a document keeps beside the document itself.
#[derive(Default)]
struct Reading {
    /// The statement that is being read.
    statement: Cell<Option<usize>>,
    problems: RefCell<Vec<PolicyProblem>>,
    /// What to write instead of what a refusal named.
    instead: Cell<Option<&'static str>>,
}

impl Reading {
    /// Stops reading: `what` is wrong, and `instead` is right.
    fn refuse<E: de::Error>(&self, what: impl fmt::Display, instead: &'static str) -> E {
        self.instead.set(Some(instead));
        match self.statement.get() {
            Some(index) => E::custom(format_args!("Statement[{index}]: {what}")),
            None => E::custom(what),
        }
    }

    /// Goes on reading, and notes what IAM would refuse or ignore.
    fn note(&self, element: &str, what: impl Into<String>, instead: impl Into<String>) {
        self.keep(ProblemKind::Grammar, element, what.into(), instead.into());
    }

    /// Goes on reading, and notes a key that stands twice.
    fn note_duplicate(&self, element: &str, what: impl Into<String>, instead: &str) {
        self.keep(ProblemKind::Duplicate, element, what.into(), instead.to_owned());
    }

    fn keep(&self, kind: ProblemKind, element: &str, what: String, instead: String) {
        let at = match self.statement.get() {
            Some(index) if element.is_empty() => format!("Statement[{index}]"),
            Some(index) => format!("Statement[{index}].{element}"),
            None => element.to_owned(),
        };
        let mut problems = self.problems.borrow_mut();
        // A document of nothing but problems is described well enough by the first of them.
        if problems.len() < 64 {
            problems.push(PolicyProblem { kind, at, what, instead });
        }
    }

    fn explain(&self, error: &serde_json::Error) -> PolicyError {
        let text = error.to_string();
        let place = format!(" at line {} column {}", error.line(), error.column());
        let what = text.strip_suffix(&place).unwrap_or(&text).to_owned();
        let instead = match self.instead.get() {
            Some(instead) => instead,
            None if error.is_eof() => "the document ends too early: close every `{`, `[` and `\"`",
            None if what.contains("trailing comma") => "remove the comma before the closing bracket",
            None if what.contains("trailing characters") => {
                "remove what follows the document's last `}`: a policy is one JSON object"
            }
            None if what.contains("key must be a string") => "write the name in double quotes",
            None if what.contains("control character") => "write line breaks and tabs inside texts as \\n and \\t",
            None if error.is_syntax() => "write valid JSON: double quotes, a comma between elements, no comments",
            None => "see the policy grammar in the IAM User Guide",
        };
        PolicyError { line: error.line().max(1), column: error.column().max(1), what, instead: instead.to_owned() }
    }
}

/// The element names that IAM knows, as it spells them.
fn spelled(reading: &Reading, found: &str, known: &[&'static str]) -> Option<&'static str> {
    if let Some(exact) = known.iter().find(|k| **k == found) {
        return Some(exact);
    }
    let same = known.iter().find(|k| k.eq_ignore_ascii_case(found))?;
    reading.note("", format!("`{found}` is not how IAM spells it"), format!("write `{same}`"));
    Some(same)
}

/// The whole text: a document, or an answer that holds one.
struct RootSeed<'r>(&'r Reading);

impl<'de> DeserializeSeed<'de> for RootSeed<'_> {
    type Value = Policy;
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Policy, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for RootSeed<'_> {
    type Value = Policy;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a policy document: a JSON object with `Version` and `Statement`")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, _: A) -> Result<Policy, A::Error> {
        Err(self.0.refuse(
            "the document is a list",
            "a policy is one JSON object: {\"Version\": \"2012-10-17\", \"Statement\": [ … ]}",
        ))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Policy, A::Error> {
        let mut parts = DocumentParts::default();
        let mut embedded: Option<Policy> = None;
        let mut wrapper = None;
        while let Some(Text(key)) = map.next_key::<Text<'de>>()? {
            match &*key {
                "Role" => {
                    embedded = Some(map.next_value_seed(RoleSeed(self.0))?);
                }
                "PolicyVersion" => {
                    let policy = map.next_value_seed(NestedDocument(self.0, "Document"))?;
                    embedded = Some(Policy { origin: Origin::GetPolicyVersion, ..policy });
                }
                "AssumeRolePolicyDocument" => {
                    let policy = map.next_value_seed(EmbeddedSeed(self.0))?;
                    embedded = Some(Policy { origin: Origin::GetRole, ..policy });
                }
                "PolicyDocument" | "Document" => {
                    let policy = map.next_value_seed(EmbeddedSeed(self.0))?;
                    let origin = if key == "Document" { Origin::GetPolicyVersion } else { Origin::GetRolePolicy };
                    embedded = Some(Policy { origin, ..policy });
                }
                "RoleName" | "PolicyName" | "UserName" | "GroupName" | "VersionId" | "IsDefaultVersion"
                | "CreateDate" | "ResponseMetadata" => {
                    wrapper = Some(key);
                    map.next_value::<IgnoredAny>()?;
                }
                _ => parts.read(self.0, &key, &mut map)?,
            }
        }
        if let Some(policy) = embedded {
            return Ok(policy);
        }
        if let (Some(name), None) = (wrapper, &parts.statements) {
            return Err(self.0.refuse(
                format_args!("this answer has `{name}` and no policy document"),
                "give the answer of `aws iam get-role`, `get-role-policy` or `get-policy-version`",
            ));
        }
        parts.finish(self.0)
    }
}

/// A policy document.
struct DocumentSeed<'r>(&'r Reading);

impl<'de> DeserializeSeed<'de> for DocumentSeed<'_> {
    type Value = Policy;
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Policy, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for DocumentSeed<'_> {
    type Value = Policy;
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a policy document: a JSON object with `Version` and `Statement`")
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Policy, A::Error> {
        let mut parts = DocumentParts::default();
        while let Some(Text(key)) = map.next_key::<Text<'de>>()? {
            parts.read(self.0, &key, &mut map)?;
        }
        parts.finish(self.0)
    }
}

#[derive(Default)]
struct DocumentParts {
    version: Option<Version>,
    statements: Option<Vec<Statement>>,
}

impl DocumentParts {
    fn read<'de, A: MapAccess<'de>>(&mut self, reading: &Reading, key: &str, map: &mut A) -> Result<(), A::Error> {
        match spelled(reading, key, &["Version", "Id", "Statement"]) {
            Some("Version") => {
                let Text(version) = map.next_value::<Text<'de>>()?;
                self.version = Some(match &*version {
                    "2012-10-17" => Version::V2012,
                    "2008-10-17" => Version::V2008,
                    other => {
                        reading.note(
                            "Version",
                            format!("`{other}` is no version of the policy language, and IAM refuses it"),
                            "write `2012-10-17`: it names the language, not the day the policy was written",
                        );
                        Version::V2012
                    }
                });
            }
            Some("Statement") => {
                if self.statements.is_some() {
                    reading.note_duplicate(
                        "Statement",
                        "it appears twice, and IAM refuses that",
                        "put all statements into one list",
                    );
                }
                self.statements.get_or_insert_default().extend(map.next_value_seed(StatementsSeed(reading))?);
                reading.statement.set(None);
            }
            Some(_) => {
                map.next_value::<IgnoredAny>()?;
            }
            None => {
                reading.note(
                    key,
                    format!("`{key}` is no element of a policy, and IAM refuses it"),
                    "a document has `Version`, `Id` and `Statement`",
                );
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(())
    }

    fn finish<E: de::Error>(self, reading: &Reading) -> Result<Policy, E> {
        let version = self.version.unwrap_or(Version::V2008);
        let Some(mut statements) = self.statements else {
            return Err(reading.refuse("the document has no `Statement`", "add \"Statement\": [ … ]"));
        };
        if statements.is_empty() {
            reading.note("Statement", "it is an empty list, and IAM refuses that", "add a statement");
        }
        if version == Version::V2008 {
            // Statements may stand before the version that decides how their values are read.
            for expected in statements.iter_mut().flat_map(Statement::values_mut) {
                // An open part is of the code around the document, not of its language.
                if expected.has_variables && !is_open(&expected.text) {
                    expected.has_variables = false;
                    reading.note(
                        "Version",
                        format!("`{}` is no variable in this version of the language", expected.text),
                        "add \"Version\": \"2012-10-17\"",
                    );
                }
            }
        }
        Ok(Policy {
            version,
            statements,
            problems: Vec::new(),
            origin: Origin::Document,
            role_arn: None,
            role_created_at: None,
        })
    }
}

impl Statement {
    fn values_mut(&mut self) -> impl Iterator<Item = &mut Expected> {
        let resources = self.resource.iter_mut().flat_map(|r| &mut r.patterns);
        resources.chain(self.conditions.iter_mut().flat_map(|c| &mut c.expected))
    }
}

/// The `Role` object of `aws iam get-role`.
struct RoleSeed<'r>(&'r Reading);

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
struct NestedDocument<'r>(&'r Reading, &'static str);

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
struct EmbeddedSeed<'r>(&'r Reading);

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

#[cfg(test)]
mod tests;
