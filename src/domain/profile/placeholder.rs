//! What pasting leaves behind: placeholders never filled in, variables nothing expands, characters nobody sees.

use super::setting::{Fault, quoted};
use crate::domain::text;

/// The first thing in `value` that can only be a leftover of copying it.
pub fn leftover(value: &str) -> Option<Fault> {
    invisible(value).or_else(|| unexpanded(value)).or_else(|| placeholder(value))
}

/// As [`leftover`], for paths, which may hold blanks and most signs.
pub fn leftover_in_path(value: &str) -> Option<Fault> {
    invisible(value).or_else(|| unexpanded(value)).or_else(|| enclosed(value, "<", ">").map(unfilled))
}

/// A character that cannot be seen, or that looks like another, and blanks around the value.
fn invisible(value: &str) -> Option<Fault> {
    let last = value.chars().count();
    for (at, c) in value.chars().enumerate() {
        let place = match at + 1 {
            1 => "at its start".to_owned(),
            position if position == last => "at its end".to_owned(),
            position => format!("at character {position}"),
        };
        let edge = at == 0 || at + 1 == last;
        let (name, instead) = match c {
            ' ' if edge => ("a blank", "remove it"),
            '\u{201c}'..='\u{201f}' => ("a typographic quotation mark", "write a plain `\"`, or nothing"),
            '\u{2018}'..='\u{201b}' => ("a typographic apostrophe", "write a plain `'`, or nothing"),
            '\u{2010}'..='\u{2015}' | '\u{2212}' => ("a typographic dash", "write a plain `-`"),
            '\u{fffd}' => ("a character that stands for bytes that are not UTF-8", "write the value again"),
            '\n' | '\r' => ("a line break", "remove it"),
            '\t' => ("a tab", "remove it"),
            '\u{a0}' | '\u{202f}' => ("a no-break space", "remove it"),
            '\u{200b}' => ("a zero-width space", "remove it"),
            '\u{200c}' | '\u{200d}' => ("a zero-width joiner", "remove it"),
            '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => {
                ("a mark that turns the direction of writing", "remove it")
            }
            '\u{feff}' => ("a byte order mark", "remove it"),
            '\u{ad}' => ("a soft hyphen", "remove it"),
            c if c.is_control() => ("a control character", "remove it"),
            c if text::is_unsafe(c) => ("an invisible character", "remove it"),
            c if c.is_whitespace() && c != ' ' => ("a blank of unusual width", "remove it"),
            _ => continue,
        };
        return Some(Fault::new(format!("has {name} (U+{:04X}) {place}", u32::from(c)), instead));
    }
    None
}

/// `${VAR}`, `$VAR`, `$(command)`, `{{ template }}`, `%VAR%`: nothing expands them in a profile.
fn unexpanded(value: &str) -> Option<Fault> {
    let found = enclosed(value, "${{", "}}")
        .or_else(|| enclosed(value, "${", "}"))
        .or_else(|| enclosed(value, "{{", "}}"))
        .or_else(|| enclosed(value, "$(", ")"))
        .or_else(|| shell_variable(value))
        .or_else(|| enclosed(value, "%", "%").filter(|found| is_name(found.trim_matches('%'))))?;
    Some(Fault::new(
        format!("holds {}, which nothing expands in a profile", quoted(found)),
        "write the value itself, or set the key with `--set` or its environment variable",
    ))
}

/// `$VAR`.
fn shell_variable(value: &str) -> Option<&str> {
    let start = value.find('$')?;
    let length =
        value[start + 1..].find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(value.len() - start - 1);
    let name = &value[start + 1..start + 1 + length];
    is_name(name).then(|| &value[start..start + 1 + length])
}

fn is_name(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// `<YOUR_ACCOUNT_ID>`, `{tenantId}`, `[region]`, `YOUR_ORG`, `xxxx`, `CHANGEME`.
fn placeholder(value: &str) -> Option<Fault> {
    enclosed(value, "<", ">")
        .or_else(|| enclosed(value, "{", "}"))
        .or_else(|| enclosed(value, "[", "]"))
        .or_else(|| words(value).find(|word| is_placeholder_word(word)))
        .or_else(|| (value == "..." || value == "…").then_some(value))
        .map(unfilled)
}

fn unfilled(found: &str) -> Fault {
    Fault::new(format!("still holds the placeholder {}", quoted(found)), "put the real value in its place")
}

/// The parts of a value between the signs that ARNs, URLs and names are made of. Hyphen and underscore stay inside.
fn words(value: &str) -> impl Iterator<Item = &str> {
    value.split(|c: char| !c.is_alphanumeric() && c != '-' && c != '_').filter(|word| !word.is_empty())
}

fn is_placeholder_word(word: &str) -> bool {
    let folded = word.to_lowercase().replace('_', "-");
    let starts = ["your-", "my-account-id", "insert-", "replace-me", "change-me", "replace-with", "put-your"];
    let names = ["changeme", "replaceme", "todo", "tbd", "placeholder", "account-id", "aws-account-id", "aws-account"];
    starts.iter().any(|start| folded.starts_with(start))
        || names.contains(&folded.as_str())
        || word.contains("YOUR_")
        || folded.split('-').any(|part| part.len() >= 4 && part.chars().all(|c| c == 'x'))
}

/// The first part of `value` from `open` to the next `close`, both included, with something between.
fn enclosed<'a>(value: &'a str, open: &str, close: &str) -> Option<&'a str> {
    let start = value.find(open)?;
    let inside = start + open.len();
    let length = value[inside..].find(close)?;
    (length > 0).then(|| &value[start..inside + length + close.len()])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_placeholders() {
        for (value, found) in [
            ("arn:aws:iam::<YOUR_ACCOUNT_ID>:role/r", "`<YOUR_ACCOUNT_ID>`"),
            ("{tenantId}", "`{tenantId}`"),
            ("https://<your-platform-host>", "`<your-platform-host>`"),
            ("https://your-platform-host", "`your-platform-host`"),
            ("arn:aws:iam::YOUR_ACCOUNT:role/r", "`YOUR_ACCOUNT`"),
            ("xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx", "`xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx`"),
            ("arn:aws:iam::XXXXXXXXXXXX:role/r", "`XXXXXXXXXXXX`"),
            ("[region]", "`[region]`"),
            ("CHANGE_ME", "`CHANGE_ME`"),
            ("...", "`...`"),
        ] {
            let fault = leftover(value).unwrap_or_else(|| panic!("{value}"));
            assert!(fault.wrong.contains("placeholder") && fault.wrong.contains(found), "{value}: {}", fault.wrong);
        }
    }

    #[test]
    fn names_what_nothing_expands() {
        for (value, found) in [
            ("${AWS_REGION}", "`${AWS_REGION}`"),
            ("arn:aws:iam::$ACCOUNT:role/r", "`$ACCOUNT`"),
            ("${{ secrets.ROLE }}", "`${{ secrets.ROLE }}`"),
            ("{{ region }}", "`{{ region }}`"),
            ("$(cat region)", "`$(cat region)`"),
            ("%REGION%", "`%REGION%`"),
        ] {
            let fault = leftover(value).unwrap_or_else(|| panic!("{value}"));
            assert!(fault.wrong.contains("expands") && fault.wrong.contains(found), "{value}: {}", fault.wrong);
        }
    }

    #[test]
    fn names_what_cannot_be_seen_with_its_place() {
        for (value, said) in [
            (" us-east-1", "a blank (U+0020) at its start"),
            ("us-east-1 ", "a blank (U+0020) at its end"),
            ("us\u{200b}-east-1", "a zero-width space (U+200B) at character 3"),
            ("us-east-1\u{a0}", "a no-break space (U+00A0) at its end"),
            ("\u{201c}us-east-1\u{201d}", "a typographic quotation mark (U+201C) at its start"),
            ("us\u{2013}east-1", "a typographic dash (U+2013) at character 3"),
            ("us-east-1\n", "a line break (U+000A) at its end"),
            ("us-\u{202e}east-1", "a mark that turns the direction of writing (U+202E) at character 4"),
            ("\u{feff}us-east-1", "a byte order mark (U+FEFF) at its start"),
            ("us-\u{3000}east-1", "a blank of unusual width (U+3000) at character 4"),
            ("us-\u{1b}east-1", "a control character (U+001B) at character 4"),
        ] {
            assert_eq!(leftover(value).map(|f| f.wrong), Some(format!("has {said}")), "{value:?}");
        }
    }

    #[test]
    fn leaves_real_values_alone() {
        for value in [
            "arn:aws:iam::123456789012:role/crewai-secrets-reader",
            "https://app.example.com",
            "prod/rate-your-stay/db#password",
            "5b1f2c9e-0000-4000-8000-0123456789ab",
            "100%",
            "a$",
            "crewai-test-keyword",
            "extra/xx/xerox",
        ] {
            assert_eq!(leftover(value), None, "{value}");
        }
        assert_eq!(leftover_in_path("/home/me/my files [old]/{a}.jwt"), None);
        assert!(leftover_in_path("${HOME}/token").is_some());
        assert!(leftover_in_path("<path>/token").is_some());
    }
}
