//! YAML as data, for CI configurations. Texts that a reader could take for something else are quoted as JSON, which is
//! YAML too (YAML 1.2.2, section 1.2).

use std::fmt::Write as _;

/// A YAML value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Yaml {
    Text(String),
    /// A number or a truth value, as it stands.
    Bare(&'static str),
    /// Lines of a script, kept as they are.
    Lines(String),
    List(Vec<Yaml>),
    Map(Vec<(&'static str, Yaml)>),
}

impl From<&str> for Yaml {
    fn from(text: &str) -> Self {
        Yaml::Text(text.to_owned())
    }
}

impl From<String> for Yaml {
    fn from(text: String) -> Self {
        Yaml::Text(text)
    }
}

/// The document of a value.
pub fn document(value: &Yaml) -> String {
    let mut text = String::new();
    write(value, 0, &mut text);
    text
}

/// Writes a value that begins on a line of its own.
fn write(value: &Yaml, depth: usize, text: &mut String) {
    let indent = "  ".repeat(depth);
    match value {
        Yaml::Text(scalar) => {
            let _ = writeln!(text, "{indent}{}", plain_or_quoted(scalar));
        }
        Yaml::Bare(scalar) => {
            let _ = writeln!(text, "{indent}{scalar}");
        }
        Yaml::Lines(lines) => {
            for line in lines.lines() {
                text.push_str(if line.is_empty() { "" } else { &indent });
                text.push_str(line);
                text.push('\n');
            }
        }
        Yaml::Map(entries) => {
            for (key, value) in entries {
                text.push_str(&indent);
                write_entry(key, value, depth, text);
            }
        }
        Yaml::List(items) => {
            for item in items {
                match item {
                    Yaml::Map(entries) => {
                        for (at, (key, value)) in entries.iter().enumerate() {
                            text.push_str(&indent);
                            text.push_str(if at == 0 { "- " } else { "  " });
                            write_entry(key, value, depth + 1, text);
                        }
                    }
                    Yaml::Text(scalar) => {
                        let _ = writeln!(text, "{indent}- {}", plain_or_quoted(scalar));
                    }
                    Yaml::Bare(scalar) => {
                        let _ = writeln!(text, "{indent}- {scalar}");
                    }
                    Yaml::Lines(_) => {
                        let _ = writeln!(text, "{indent}- |");
                        write(item, depth + 1, text);
                    }
                    Yaml::List(_) => {
                        let _ = writeln!(text, "{indent}-");
                        write(item, depth + 1, text);
                    }
                }
            }
        }
    }
}

/// Writes `key: value` with what follows below it; the line is indented already.
fn write_entry(key: &str, value: &Yaml, depth: usize, text: &mut String) {
    match value {
        Yaml::Text(scalar) => {
            let _ = writeln!(text, "{key}: {}", plain_or_quoted(scalar));
        }
        Yaml::Bare(scalar) => {
            let _ = writeln!(text, "{key}: {scalar}");
        }
        Yaml::Lines(_) => {
            let _ = writeln!(text, "{key}: |");
            write(value, depth + 1, text);
        }
        Yaml::List(_) | Yaml::Map(_) => {
            let _ = writeln!(text, "{key}:");
            write(value, depth + 1, text);
        }
    }
}

fn plain_or_quoted(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./$".contains(c);
    let looks_like_text = text.starts_with(|c: char| c.is_ascii_alphabetic());
    let reserved = ["true", "false", "null", "yes", "no", "on", "off", "y", "n"];
    if looks_like_text && text.chars().all(plain) && !reserved.contains(&text.to_ascii_lowercase().as_str()) {
        return text.to_owned();
    }
    serde_json::Value::String(text.to_owned()).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn maps_lists_and_scripts_are_laid_out() {
        let value = Yaml::Map(vec![
            ("version", "2.1".into()),
            (
                "steps",
                Yaml::List(vec![
                    "checkout".into(),
                    Yaml::Map(vec![(
                        "run",
                        Yaml::Map(vec![("name", "a: b".into()), ("command", Yaml::Lines("x\n\ny\n".into()))]),
                    )]),
                ]),
            ),
        ]);
        assert_eq!(
            document(&value),
            "version: \"2.1\"\nsteps:\n  - checkout\n  - run:\n      name: \"a: b\"\n      command: |\n        x\n\n        y\n"
        );
    }

    #[test]
    fn texts_stay_texts() {
        for (text, written) in
            [("on", "\"on\""), ("1.5", "\"1.5\""), ("a\"b", "\"a\\\"b\""), ("eu-west-1", "eu-west-1")]
        {
            assert_eq!(plain_or_quoted(text), written);
        }
    }
}
