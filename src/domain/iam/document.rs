//! Reading a policy from JSON in one pass, with the place of whatever is wrong.

use std::borrow::Cow;
use std::cell::{Cell, RefCell};
use std::fmt;

use serde::de::{self, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::operator::{Comparison, Operator};
use super::policy::{
    ActionElement, Condition, Effect, Expected, Origin, Policy, PolicyError, PolicyProblem, ResourceElement, Statement,
    Version,
};
use super::principal::PrincipalElement;

/// See [`Policy::parse`].
pub fn parse(text: &str) -> Result<Policy, PolicyError> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if text.trim().is_empty() {
        return Err(PolicyError {
            line: 1,
            column: 1,
            what: "the text is empty".into(),
            instead: "give a policy document or the answer of `aws iam get-role`".into(),
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
        let at = match self.statement.get() {
            Some(index) if element.is_empty() => format!("Statement[{index}]"),
            Some(index) => format!("Statement[{index}].{element}"),
            None => element.to_owned(),
        };
        let mut problems = self.problems.borrow_mut();
        // A document of nothing but problems is described well enough by the first of them.
        if problems.len() < 64 {
            problems.push(PolicyProblem { at, what: what.into(), instead: instead.into() });
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
            None if what.contains("recursion limit") => "a policy is never nested that deeply",
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

/// A text, borrowed from the input where it has no escapes.
struct Text<'de>(Cow<'de, str>);

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
        let mut policy = None;
        while let Some(Text(key)) = map.next_key::<Text<'de>>()? {
            match &*key {
                "Arn" => role_arn = Some(map.next_value::<Text<'de>>()?.0.into_owned()),
                "AssumeRolePolicyDocument" => policy = Some(map.next_value_seed(EmbeddedSeed(self.0))?),
                _ => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        match policy {
            Some(policy) => Ok(Policy { origin: Origin::GetRole, role_arn, ..policy }),
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
        let decoded = percent_decode(text);
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

/// Decodes `%XX`; text that is no valid encoding stays as it is.
fn percent_decode(text: &str) -> Cow<'_, str> {
    if !text.trim_start().starts_with('%') {
        return Cow::Borrowed(text);
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let hex = |b: u8| (b as char).to_digit(16);
        match (first, after) {
            (b'%', [high, low, after @ ..]) => match (hex(*high), hex(*low)) {
                (Some(high), Some(low)) => {
                    bytes.push((high * 16 + low) as u8);
                    rest = after;
                }
                _ => return Cow::Borrowed(text),
            },
            _ => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    String::from_utf8(bytes).map_or(Cow::Borrowed(text), Cow::Owned)
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
                    reading.note(
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
                if expected.has_variables {
                    expected.has_variables = false;
                    reading.note(
                        "Version",
                        format!("`{}` is no variable in this version of the language", expected.text),
                        "add \"Version\": \"2012-10-17\"",
                    );
                }
            }
        }
        Ok(Policy { version, statements, problems: Vec::new(), origin: Origin::Document, role_arn: None })
    }
}

impl Statement {
    fn values_mut(&mut self) -> impl Iterator<Item = &mut Expected> {
        let resources = self.resource.iter_mut().flat_map(|r| &mut r.patterns);
        resources.chain(self.conditions.iter_mut().flat_map(|c| &mut c.expected))
    }
}

/// One statement, or a list of them.
struct StatementsSeed<'r>(&'r Reading);

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

struct StatementSeed<'r>(&'r Reading);

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
    let found: String = found.chars().take(32).collect();
    let nearest = STATEMENT_ELEMENTS
        .iter()
        .map(|known| (known, super::operator::edit_distance(&known.to_lowercase(), &found.to_lowercase())))
        .filter(|(known, distance)| distance * 3 <= known.len())
        .min_by_key(|(_, distance)| *distance);
    match nearest {
        Some((known, _)) => format!("write `{known}`"),
        None => format!("a statement has {}", STATEMENT_ELEMENTS.join(", ")),
    }
}

/// `"*"`, or kinds with one value or a list each.
struct PrincipalSeed<'r>(&'r Reading);

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

/// A text or a list of texts.
struct TextsSeed {
    what: &'static str,
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

/// `{ operator: { key: value or values } }`.
struct ConditionsSeed<'r, 'c> {
    reading: &'r Reading,
    conditions: &'c mut Vec<Condition>,
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
struct OperatorBlock<'r, 'c> {
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
            let expected = map.next_value_seed(ValuesSeed(self.reading))?;
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

/// The values of one key.
struct ValuesSeed<'r>(&'r Reading);

impl<'de> DeserializeSeed<'de> for ValuesSeed<'_> {
    type Value = Vec<Expected>;
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Vec<Expected>, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for ValuesSeed<'_> {
    type Value = Vec<Expected>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value or a list of values")
    }
    fn visit_str<E: de::Error>(self, text: &str) -> Result<Vec<Expected>, E> {
        Ok(vec![Expected::new(text.to_owned(), Version::V2012)])
    }
    fn visit_bool<E: de::Error>(self, value: bool) -> Result<Vec<Expected>, E> {
        self.visit_str(if value { "true" } else { "false" })
    }
    fn visit_i64<E: de::Error>(self, value: i64) -> Result<Vec<Expected>, E> {
        self.visit_str(&value.to_string())
    }
    fn visit_u64<E: de::Error>(self, value: u64) -> Result<Vec<Expected>, E> {
        self.visit_str(&value.to_string())
    }
    fn visit_f64<E: de::Error>(self, value: f64) -> Result<Vec<Expected>, E> {
        self.visit_str(&value.to_string())
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Vec<Expected>, A::Error> {
        let mut values = Vec::new();
        while let Some(value) = list.next_element_seed(ValueSeed(self.0))? {
            values.push(value);
        }
        Ok(values)
    }
}

/// One value of a list: a list inside a list is none.
struct ValueSeed<'r>(&'r Reading);

impl<'de> DeserializeSeed<'de> for ValueSeed<'_> {
    type Value = Expected;
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Expected, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for ValueSeed<'_> {
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
