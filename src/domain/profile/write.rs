//! A profile's TOML text, made from settings.

use super::key::Key;
use super::setting::{Setting, Value};

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
