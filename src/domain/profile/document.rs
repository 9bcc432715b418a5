//! A profile's TOML text, read into settings with the line each stands on.

use std::path::Path;

use toml::de::{DeTable, DeValue};

use super::key::{Key, Kind};
use super::setting::{Origin, Problem, Setting, Value, quoted};
use crate::domain::redaction::looks_secret;
use crate::domain::timestamp::parse_rfc3339;

/// The table of what a person confirmed: for each guide the steps' names with a time.
pub const CONFIRMED: &str = "confirmed";
/// The table of what was shown by something that no check can repeat: for each guide the proofs' names with a time.
pub const SHOWN: &str = "shown";
/// Profiles are a screenful; anything past this is another file.
pub const LARGEST: usize = 64 * 1024;
/// What stands in the way of reading on is told up to here.
const MOST_SYNTAX_ERRORS: usize = 5;
/// A file with more mistakes than this is no profile, and the rest of them helps nobody.
const MOST_PROBLEMS: usize = 20;

/// Reads a profile's text. All that can be read is, and everything wrong is told, each with its line.
///
/// `path` is only for saying where.
pub fn parse(text: &str, path: &Path) -> (Vec<Setting>, Vec<Problem>) {
    let mut reader = Reader { text, path, settings: Vec::new(), problems: Vec::new() };
    if text.len() > LARGEST {
        reader.refuse(0, "", "is larger than 64 KiB, which no profile is", "name a profile's file");
        return (reader.settings, reader.problems);
    }
    let (document, errors) = DeTable::parse_recoverable(text);
    if errors.is_empty() {
        reader.table("", document.get_ref());
    } else {
        for error in errors.iter().take(MOST_SYNTAX_ERRORS) {
            reader.syntax(error);
        }
        // One mistake often yields several errors on its line.
        reader.problems.dedup_by(|later, earlier| later.origin == earlier.origin);
    }
    (reader.settings, reader.problems)
}

/// What a profile remembers of following a guide.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remembered {
    /// The guide's id.
    pub guide: String,
    /// The step's name, which stays when steps are inserted before it; or the proof's.
    pub name: String,
    /// RFC 3339 UTC.
    pub at: String,
}

/// What a profile's text remembers in a table, [`CONFIRMED`] or [`SHOWN`]. Entries of another form are passed over.
pub fn remembered(text: &str, table: &str) -> Vec<Remembered> {
    if text.len() > LARGEST {
        return Vec::new();
    }
    let Ok(document) = text.parse::<toml::Table>() else { return Vec::new() };
    let guides = document.get(table).and_then(toml::Value::as_table).into_iter().flatten();
    guides
        .filter_map(|(guide, names)| Some((guide, names.as_table()?)))
        .flat_map(|(guide, names)| {
            names.iter().filter_map(|(name, at)| {
                let at = at.as_str().filter(|at| parse_rfc3339(at).is_some())?;
                Some(Remembered { guide: guide.clone(), name: name.clone(), at: at.to_owned() })
            })
        })
        .collect()
}

/// Reads the value of `--set KEY=VALUE`.
///
/// # Errors
/// Says what is wrong with it, without quoting a value.
pub fn parse_flag(argument: &str) -> Result<Setting, Problem> {
    let problem = |key: &str, wrong: String, instead: String| Problem {
        origin: Some(Origin::Flag),
        key: key.to_owned(),
        wrong,
        instead,
    };
    let Some((path, value)) = argument.split_once('=') else {
        let shown = if looks_secret(argument).is_some() { "the argument".to_owned() } else { quoted(argument) };
        return Err(problem("", format!("{shown} has no `=`"), "write KEY=VALUE, such as aws.region=eu-west-1".into()));
    };
    let Some(key) = Key::parse(path) else {
        let (wrong, instead) = unknown_key(path);
        return Err(problem("", wrong, instead));
    };
    let value = match key.kind() {
        Kind::Text | Kind::Path => Value::Text(value.to_owned()),
        Kind::List if value.trim_start().starts_with('[') => {
            let line = format!("value = {value}");
            let list =
                DeTable::parse(&line).ok().and_then(|t| t.get_ref().get("value").and_then(|v| list(v.get_ref())));
            match list {
                Some(items) => Value::List(items),
                None => return Err(problem(path, "is no list of texts".into(), type_advice(key))),
            }
        }
        Kind::List => Value::List(vec![value.to_owned()]),
        Kind::Flag => match value {
            "true" => Value::Flag(true),
            "false" => Value::Flag(false),
            _ => return Err(problem(path, "is neither true nor false".into(), type_advice(key))),
        },
    };
    Ok(Setting { key, value, origin: Origin::Flag })
}

/// A value as [`parse_flag`] reads it behind the `=`.
pub fn argument(value: &Value) -> String {
    match value {
        Value::Text(text) => text.clone(),
        Value::List(items) => toml::Value::from(items.clone()).to_string(),
        Value::Flag(set) => set.to_string(),
    }
}

struct Reader<'a> {
    text: &'a str,
    path: &'a Path,
    settings: Vec<Setting>,
    problems: Vec<Problem>,
}

impl Reader<'_> {
    fn table(&mut self, prefix: &str, table: &DeTable<'_>) {
        for (name, value) in table {
            if self.problems.len() >= MOST_PROBLEMS {
                return;
            }
            let path =
                if prefix.is_empty() { name.get_ref().to_string() } else { format!("{prefix}.{}", name.get_ref()) };
            let at = name.span().start;
            match (value.get_ref(), Key::parse(&path)) {
                // What following a guide left is no setting; see `remembered`.
                (DeValue::Table(_), None) if path == CONFIRMED || path == SHOWN => {}
                (DeValue::Table(inner), None) if is_table(&path) => self.table(&path, inner),
                (_, None) if is_table(&path) => self.refuse(
                    at,
                    &path,
                    &format!("is {}, and `{path}` is a table", type_name(value.get_ref())),
                    &format!("write `[{path}]` on a line of its own, and its keys below it"),
                ),
                (_, None) => {
                    let (wrong, instead) = unknown_key(&path);
                    self.refuse(at, "", &wrong, &instead);
                }
                (value, Some(key)) => self.value(key, value, at),
            }
        }
    }

    fn value(&mut self, key: Key, value: &DeValue<'_>, at: usize) {
        let read = match value {
            DeValue::String(text) => Some(Value::Text(text.to_string())),
            DeValue::Boolean(set) => Some(Value::Flag(*set)),
            DeValue::Integer(number) if key == Key::SessionDuration => Some(Value::Text(number.to_string())),
            value => list(value).map(Value::List),
        };
        match read.filter(|read| read.fits(key.kind())) {
            Some(value) => {
                let origin = self.origin(at);
                self.settings.push(Setting { key, value, origin });
            }
            None => {
                let wrong = format!("is {}", type_name(value));
                self.refuse(at, key.path(), &wrong, &type_advice(key));
            }
        }
    }

    fn syntax(&mut self, error: &toml::de::Error) {
        let at = error.span().map_or(0, |span| span.start);
        let line = line_at(self.text, at);
        let quote = line.chars().find(|c| matches!(c, '\u{2018}'..='\u{201f}'));
        let message = error.message().split('\n').next().unwrap_or_default();
        let (wrong, instead) = if let Some(quote) = quote {
            (
                format!("has a typographic quotation mark (U+{:04X})", u32::from(quote)),
                "write plain `\"` around texts".to_owned(),
            )
        } else if message.contains("duplicate key") {
            ("names a key for the second time".to_owned(), "keep one of the two".to_owned())
        } else {
            (format!("is not TOML: {message}"), "write KEY = \"VALUE\", or [TABLE] on a line of its own".to_owned())
        };
        self.refuse(at, "", &wrong, &instead);
    }

    fn refuse(&mut self, at: usize, key: &str, wrong: &str, instead: &str) {
        let origin = Some(self.origin(at));
        self.problems.push(Problem {
            origin,
            key: key.to_owned(),
            wrong: wrong.to_owned(),
            instead: instead.to_owned(),
        });
    }

    fn origin(&self, at: usize) -> Origin {
        let before = self.text.as_bytes().get(..at).unwrap_or_default();
        Origin::File { path: self.path.to_owned(), line: 1 + before.iter().filter(|b| **b == b'\n').count() }
    }
}

/// The line of `text` in which the byte `at` stands.
fn line_at(text: &str, at: usize) -> &str {
    let at = at.min(text.len());
    text.split('\n')
        .scan(0, |end, line| {
            *end += line.len() + 1;
            Some((*end, line))
        })
        .find(|(end, _)| at < *end)
        .map_or("", |(_, line)| line)
}

fn list(value: &DeValue<'_>) -> Option<Vec<String>> {
    let DeValue::Array(items) = value else { return None };
    items
        .iter()
        .map(|item| match item.get_ref() {
            DeValue::String(text) => Some(text.to_string()),
            _ => None,
        })
        .collect()
}

fn is_table(path: &str) -> bool {
    !path.is_empty() && Key::ALL.iter().any(|key| key.table() == path)
}

fn unknown_key(path: &str) -> (String, String) {
    let wrong = if looks_secret(path).is_some() {
        "a key is unknown".to_owned()
    } else if is_table(path) {
        format!("{} is a table, not a key", quoted(path))
    } else {
        format!("{} is no key of a profile", quoted(path))
    };
    let instead = match Key::nearest(path) {
        Some(near) => format!("write `{}`", near.path()),
        None => {
            let table = path.split('.').next().unwrap_or_default();
            let known = Key::ALL.iter().filter(|key| key.table() == table || !is_table(table));
            format!("the keys are {}", known.map(|key| key.path()).collect::<Vec<_>>().join(", "))
        }
    };
    (wrong, instead)
}

fn type_name(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "a text",
        DeValue::Integer(_) | DeValue::Float(_) => "a number",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date or time",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}

fn type_advice(key: Key) -> String {
    let name = key.name();
    match key.kind() {
        Kind::Text | Kind::Path => format!("write a text in quotes: {name} = \"…\""),
        Kind::List => format!("write a list of texts: {name} = [\"program\", \"argument\"]"),
        Kind::Flag => format!("write {name} = true"),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(text: &str) -> (Vec<Setting>, Vec<Problem>) {
        parse(text, Path::new("p.toml"))
    }

    #[test]
    fn reads_settings_with_their_lines() {
        let (settings, problems) = read(
            "guide = \"aws-static\"\n\n[aws]\n# which\nregion = \"us-east-1\"\n[token]\ncommand = [\"a\", \"b\"]\n",
        );
        assert_eq!(problems, []);
        let origin = |line| Origin::File { path: "p.toml".into(), line };
        let mut lines: Vec<_> = settings.into_iter().map(|s| (s.key, s.value.to_string(), s.origin)).collect();
        lines.sort_by_key(|(key, ..)| *key);
        assert_eq!(
            lines,
            [
                (Key::Guide, "aws-static".to_owned(), origin(1)),
                (Key::TokenCommand, "a b".to_owned(), origin(7)),
                (Key::Region, "us-east-1".to_owned(), origin(5)),
            ]
        );
    }

    #[test]
    fn dotted_and_inline_tables_are_the_same() {
        for text in ["aws.region = \"x\"", "aws = { region = \"x\" }", "[aws]\nregion = \"x\""] {
            let (settings, problems) = read(text);
            assert_eq!((settings.len(), problems.len()), (1, 0), "{text}");
        }
    }

    #[test]
    fn says_line_what_and_what_instead() {
        for (text, line, wrong, instead) in [
            ("[aws]\nrole_arn = \"x\"", 2, "`aws.role_arn` is no key", "`aws.role-arn`"),
            ("\nregion = \"x\"", 2, "`region` is no key", "`aws.region`"),
            ("[asw]\nregion = \"x\"", 1, "`asw` is no key", "guide"),
            ("[aws]\nnonsense = 1", 2, "no key", "the keys are aws.role-arn"),
            ("aws = 1", 1, "a number", "`[aws]`"),
            ("[aws]\nregion = 1", 2, "is a number", "region = \"…\""),
            ("[token]\ncommand = \"gcloud\"", 2, "is a text", "command = [\"program\""),
            ("[token]\ngithub-actions = \"yes\"", 2, "is a text", "github-actions = true"),
            ("[aws]\nregion = us-east-1", 2, "not TOML", "VALUE"),
            ("[aws]\nregion = \u{201c}us-east-1\u{201d}", 2, "typographic quotation mark (U+201C)", "plain"),
            ("[aws]\nregion = \"a\"\nregion = \"b\"", 3, "second time", "keep one"),
            ("[aws\nregion = \"a\"", 1, "not TOML", "TABLE"),
        ] {
            let (_, problems) = read(text);
            let problem = problems.first().unwrap_or_else(|| panic!("{text}"));
            assert_eq!(problem.origin, Some(Origin::File { path: "p.toml".into(), line }), "{text}: {problem}");
            assert!(problem.wrong.contains(wrong), "{text}: {problem}");
            assert!(problem.instead.contains(instead), "{text}: {}", problem.instead);
        }
    }

    #[test]
    fn flags_are_dotted_paths() {
        assert_eq!(
            parse_flag("aws.region=a=b").map(|s| (s.key, s.value)),
            Ok((Key::Region, Value::Text("a=b".into())))
        );
        let list = Value::List(vec!["a".into(), "b c".into()]);
        assert_eq!(parse_flag("token.command=[\"a\", \"b c\"]").map(|s| s.value), Ok(list));
        assert_eq!(parse_flag("token.stdin=true").map(|s| s.value), Ok(Value::Flag(true)));
        let odd = Value::List(vec!["a".into(), "b \"c\" d".into(), "é".into()]);
        assert_eq!(parse_flag(&format!("token.command={}", argument(&odd))).map(|s| s.value), Ok(odd));
        for (argument, wrong) in [
            ("aws.region", "no `=`"),
            ("aws.regoin=x", "`aws.regoin` is no key"),
            ("token.stdin=yes", "neither true nor false"),
            ("token.command=[1]", "no list of texts"),
        ] {
            assert!(parse_flag(argument).is_err_and(|p| p.wrong.contains(wrong)), "{argument}");
        }
    }

    #[test]
    fn large_and_deep_input_is_refused_at_once() {
        let (settings, problems) = read(&"a = 1\n".repeat(200_000));
        assert_eq!((settings.len(), problems.len()), (0, 1));
        let (_, problems) = read(&(0..6_000).map(|n| format!("k{n}=1\n")).collect::<String>());
        assert_eq!(problems.len(), MOST_PROBLEMS);
        let (_, problems) = read(&"[".repeat(60_000));
        assert!(!problems.is_empty() && problems.len() <= MOST_SYNTAX_ERRORS);
    }

    proptest! {
        #[test]
        fn never_panics(text in "([a-z]{1,6}(\\.[a-z]{1,6})? ?= ?(\"[^\"]{0,9}\"|[0-9]{1,3}|\\[|\\{)?\n|\\[[a-z]{1,6}\\]\n|.{0,9}\n){0,8}") {
            read(&text);
        }
    }
}
