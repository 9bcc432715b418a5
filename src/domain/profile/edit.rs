//! A profile written as TOML, and one change to such a text that leaves everything else in it as it stands, comments
//! and order included.

use toml_edit::{Array, DocumentMut, Item, Table, Value as Toml};

use super::key::{Key, Kind};
use super::setting::{Fault, Setting, Value};
use super::value::{command_fault, region_fault, text_fault};

/// What a person typed for a key, as the value it stands for.
///
/// # Errors
/// Says what is wrong with it, and what would be right.
pub fn value_of(key: Key, text: &str) -> Result<Value, Fault> {
    let value = match key.kind() {
        Kind::Text | Kind::Path => Value::Text(text.to_owned()),
        Kind::List => Value::List(text.split_whitespace().map(str::to_owned).collect()),
        Kind::Flag => match text {
            "true" | "yes" => Value::Flag(true),
            "false" | "no" => Value::Flag(false),
            _ => return Err(Fault::new("is neither true nor false", "write true or false")),
        },
    };
    let fault = match &value {
        Value::Text(text) => {
            text_fault(key, text).or_else(|| if key == Key::Region { region_fault(text) } else { None })
        }
        Value::List(items) => command_fault(items),
        Value::Flag(_) => None,
    };
    fault.map_or(Ok(value), Err)
}

/// The text with a value for a key, or without the key. Another source of the token goes when one is set: a profile has
/// one.
///
/// # Errors
/// The text is no TOML, or something else stands in the key's place; in a sentence.
pub fn set(text: &str, key: Key, value: Option<&Value>) -> Result<String, String> {
    let mut document = document(text)?;
    if value.is_some() && key.is_token_source() {
        for other in Key::ALL.iter().filter(|other| other.is_token_source() && **other != key) {
            put(&mut document, other.table(), other.name(), None)?;
        }
    }
    put(&mut document, key.table(), key.name(), value.map(toml))?;
    Ok(document.to_string())
}

/// The text with a step confirmed or a proof shown at a time (RFC 3339 UTC), or not any more. The table is
/// [`CONFIRMED`](super::document::CONFIRMED) or [`SHOWN`](super::document::SHOWN).
///
/// # Errors
/// As for [`set`].
pub fn remember(text: &str, kind: &str, guide: &str, name: &str, at: Option<&str>) -> Result<String, String> {
    let mut document = document(text)?;
    let remembered = table(document.as_table_mut(), kind)?;
    remembered.set_implicit(true);
    let names = table(remembered, guide)?;
    match at {
        Some(at) => {
            names.insert(name, Item::Value(Toml::from(at)));
        }
        None => {
            names.remove(name);
        }
    }
    if names.is_empty() {
        remembered.remove(guide);
    }
    if remembered.is_empty() {
        document.remove(kind);
    }
    Ok(document.to_string())
}

fn document(text: &str) -> Result<DocumentMut, String> {
    text.parse().map_err(|_| "the profile is not TOML, and is not written over; fix it in an editor first".to_owned())
}

fn put(document: &mut DocumentMut, name: &str, key: &str, value: Option<Toml>) -> Result<(), String> {
    let holder = if name.is_empty() { document.as_table_mut() } else { table(document.as_table_mut(), name)? };
    match (value, holder.get_mut(key)) {
        // A comment behind the old value stays behind the new one.
        (Some(value), Some(Item::Value(old))) => {
            let mut value = in_form_of(old, value);
            *value.decor_mut() = old.decor().clone();
            *old = value;
        }
        (Some(value), _) => {
            holder.insert(key, Item::Value(value));
        }
        (None, _) => {
            holder.remove(key);
        }
    }
    if !name.is_empty() && holder.is_empty() {
        document.remove(name);
    }
    Ok(())
}

/// A number that was written without quotes is written so again.
fn in_form_of(old: &Toml, new: Toml) -> Toml {
    match new.as_str().and_then(|text| text.parse::<i64>().ok()) {
        Some(number) if old.is_integer() => number.into(),
        _ => new,
    }
}

fn table<'d>(holder: &'d mut Table, name: &str) -> Result<&'d mut Table, String> {
    let item = holder.entry(name).or_insert_with(|| Item::Table(Table::new()));
    if let Item::Value(Toml::InlineTable(_)) = item {
        // `{ … }` on one line becomes a table of its own, which takes more keys.
        *item = std::mem::take(item).into_table().map_or(Item::None, Item::Table);
    }
    item.as_table_mut().ok_or_else(|| format!("`{name}` is not a table in the profile; fix it in an editor first"))
}

fn toml(value: &Value) -> Toml {
    match value {
        Value::Text(text) => Toml::from(text.as_str()),
        Value::List(items) => Toml::Array(items.iter().map(String::as_str).collect::<Array>()),
        Value::Flag(set) => Toml::from(*set),
    }
}

/// The text of a profile with these settings, in the order of [`Key::ALL`].
pub fn render(settings: &[Setting]) -> String {
    let mut text = String::new();
    let mut table = "";
    for key in Key::ALL {
        let Some(setting) = settings.iter().find(|setting| setting.key == *key) else { continue };
        if key.table() != table {
            table = key.table();
            text.push_str(&format!("\n[{table}]\n"));
        }
        text.push_str(&format!("{} = {}\n", key.name(), toml_value(&setting.value)));
    }
    text
}

fn toml_value(value: &Value) -> toml::Value {
    match value {
        Value::Text(text) => toml::Value::String(text.clone()),
        Value::List(items) => toml::Value::Array(items.iter().cloned().map(toml::Value::String).collect()),
        Value::Flag(set) => toml::Value::Boolean(*set),
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use proptest::prelude::*;

    use super::*;
    use crate::domain::profile::document::{CONFIRMED, parse, remembered};

    #[test]
    fn a_change_leaves_the_rest_as_it_stands() {
        let before = "# mine\nguide = \"aws-static\"\n\n[aws] # the cloud\nregion = \"us-east-1\" # home\n";
        let value = Value::Text("eu-west-1".into());
        let after = set(before, Key::Region, Some(&value)).unwrap();
        assert_eq!(after, before.replace("us-east-1", "eu-west-1"));
        let more = set(&after, Key::SecretName, Some(&Value::Text("db".into()))).unwrap();
        assert_eq!(more, format!("{after}\n[secret]\nname = \"db\"\n"));
        assert_eq!(set(&more, Key::SecretName, None).unwrap(), after);
    }

    #[test]
    fn a_number_stays_a_number() {
        let before = "[aws]\nsession-duration-s = 7200\n";
        let set = |text: &str, value: &str| set(text, Key::SessionDuration, Some(&Value::Text(value.into()))).unwrap();
        assert_eq!(set(before, "3600"), before.replace("7200", "3600"));
        assert_eq!(set("[aws]\nsession-duration-s = \"7200\"\n", "3600"), "[aws]\nsession-duration-s = \"3600\"\n");
    }

    #[test]
    fn a_profile_has_one_source_of_the_token() {
        let text = set("", Key::TokenFile, Some(&Value::Text("t.jwt".into()))).unwrap();
        let text = set(&text, Key::TokenEnv, Some(&Value::Text("TOKEN".into()))).unwrap();
        assert_eq!(text, "[token]\nenv = \"TOKEN\"\n");
    }

    #[test]
    fn confirmations_are_part_of_the_profile_and_no_settings() {
        let at = "2026-01-02T03:04:05Z";
        let guide = "guide = \"aws-static\"\n";
        let one = remember(guide, CONFIRMED, "aws-static", "platform", Some(at)).unwrap();
        let two = remember(&one, CONFIRMED, "aws-static", "prerequisites", Some(at)).unwrap();
        let steps: Vec<String> = remembered(&two, CONFIRMED).into_iter().map(|c| c.name).collect();
        assert_eq!(steps, ["platform", "prerequisites"]);
        let (settings, problems) = parse(&two, Path::new("p"));
        assert_eq!((settings.len(), problems), (1, vec![]));
        assert_eq!(remember(&one, CONFIRMED, "aws-static", "platform", None).unwrap(), guide);
    }

    #[test]
    fn what_is_no_profile_is_not_written_over() {
        for (text, key) in [("guide = ", Key::Region), ("aws = 1\n", Key::Region)] {
            assert!(set(text, key, Some(&Value::Text("us-east-1".into()))).is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_is_set_reads_back_and_nothing_else_changes(
            first in proptest::sample::select(Key::ALL), second in proptest::sample::select(Key::ALL), text in any::<String>(),
        ) {
            prop_assume!(!(first.is_token_source() && second.is_token_source()));
            let value = |key: Key| match key.kind() {
                Kind::Text | Kind::Path => Value::Text(text.clone()),
                Kind::List => Value::List(vec!["program".into(), text.clone()]),
                Kind::Flag => Value::Flag(true),
            };
            let one = set("# kept\n", first, Some(&value(first))).unwrap();
            let two = set(&one, second, Some(&value(second))).unwrap();
            let (read, problems) = parse(&two, Path::new("p"));
            prop_assert_eq!(problems, vec![]);
            for key in [first, second] {
                prop_assert!(read.iter().any(|s| s.key == key && s.value == value(key)), "{two}");
            }
            prop_assert!(two.contains("# kept"));
        }
    }
}

#[cfg(test)]
mod write_tests {
    use std::path::Path;

    use proptest::prelude::*;

    use super::*;
    use crate::domain::profile::document::parse;
    use crate::domain::profile::key::Kind;
    use crate::domain::profile::setting::Origin;

    fn settings(text: &str) -> Vec<Setting> {
        let value = |key: Key| match key.kind() {
            Kind::Text | Kind::Path => Value::Text(text.to_owned()),
            Kind::List => Value::List(vec!["program".into(), text.to_owned()]),
            Kind::Flag => Value::Flag(true),
        };
        Key::ALL.iter().map(|key| Setting { key: *key, value: value(*key), origin: Origin::Flag }).collect()
    }

    #[test]
    fn tables_stand_once_and_in_order() {
        let text = render(&settings("a"));
        assert!(text.starts_with("guide = \"a\"\n\n[issuer]\nurl = \"a\"\n\n[platform]\n"), "{text}");
        assert_eq!(text.matches("[aws]").count(), 1);
    }

    proptest! {
        #[test]
        fn what_is_written_reads_back(text in any::<String>()) {
            let written = settings(&text);
            let (mut read, problems) = parse(&render(&written), Path::new("p"));
            read.sort_by_key(|setting| setting.key);
            prop_assert_eq!(problems, vec![]);
            let values = |settings: Vec<Setting>| settings.into_iter().map(|s| (s.key, s.value)).collect::<Vec<_>>();
            prop_assert_eq!(values(read), values(written));
        }
    }
}
