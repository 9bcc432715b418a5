//! Policy variables: `${key}`, `${key, 'default'}`, and the escapes `${*}`, `${?}`, `${$}`.
//!
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html>

use std::borrow::Cow;

use super::pattern::{Unit, wildcard};

/// Whether `text` holds anything that a document of version 2012-10-17 reads as a variable.
pub fn occurs_in(text: &str) -> bool {
    text.contains("${")
}

/// What a variable's key is worth in this request.
#[derive(Clone, Debug, PartialEq)]
pub enum Resolved<'a> {
    /// The key's only value.
    Value(Cow<'a, str>),
    /// Absent, or with several values: nothing equals it.
    Nothing,
    /// Not to be known here.
    Unknown,
}

/// A pattern whose variables are replaced.
#[derive(Clone, Debug, PartialEq)]
pub enum Expanded {
    Pattern(Vec<Unit>),
    /// A variable without value: nothing is equal to it or like it.
    Nothing,
    /// A variable is not known: a wildcard stands in its place, so that what does not fit it fits nothing.
    Open(Vec<Unit>),
}

/// Whether `*` and `?` outside variables are wildcards or literal characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wildcards {
    Active,
    Literal,
}

/// Replaces the variables in `text`. What a variable brings in is literal, wildcards in it too.
pub fn expand<'a>(text: &str, wildcards: Wildcards, resolve: impl Fn(&str) -> Resolved<'a>) -> Expanded {
    let plain = |byte| match wildcards {
        Wildcards::Active => wildcard(byte),
        Wildcards::Literal => Unit::Byte(byte),
    };
    let mut units = Vec::with_capacity(text.len());
    let mut unknown = false;
    let mut rest = text;
    while let Some(start) = rest.find("${") {
        units.extend(rest[..start].bytes().map(plain));
        let Some(variable) = Variable::parse(&rest[start..]) else {
            units.extend(rest[start..].bytes().map(plain));
            rest = "";
            break;
        };
        match variable.content {
            Content::Character(byte) => units.push(Unit::Byte(byte)),
            Content::Key { name, default } => match (resolve(name), default) {
                (Resolved::Value(value), _) => units.extend(value.bytes().map(Unit::Byte)),
                (Resolved::Nothing, Some(default)) => units.extend(default.bytes().map(Unit::Byte)),
                (Resolved::Nothing, None) => return Expanded::Nothing,
                (Resolved::Unknown, _) => {
                    unknown = true;
                    units.push(Unit::Run);
                }
            },
        }
        rest = &rest[start + variable.length..];
    }
    units.extend(rest.bytes().map(plain));
    if unknown { Expanded::Open(units) } else { Expanded::Pattern(units) }
}

struct Variable<'t> {
    content: Content<'t>,
    /// From `$` to `}`, in bytes.
    length: usize,
}

enum Content<'t> {
    Character(u8),
    Key { name: &'t str, default: Option<String> },
}

impl<'t> Variable<'t> {
    /// Reads the variable that `text` starts with; `None` where its end is missing.
    fn parse(text: &'t str) -> Option<Self> {
        let inner = text.strip_prefix("${")?;
        let end = inner.find(['}', '\''])?;
        if inner.as_bytes()[end] == b'}' {
            let name = inner[..end].trim();
            let content = match name.as_bytes() {
                [byte @ (b'*' | b'?' | b'$')] => Content::Character(*byte),
                _ => Content::Key { name, default: None },
            };
            return Some(Variable { content, length: end + 3 });
        }
        let name = inner[..end].trim().strip_suffix(',')?.trim_end();
        let quoted = &inner[end + 1..];
        let mut default = String::new();
        let mut characters = quoted.char_indices();
        while let Some((at, c)) = characters.next() {
            if c != '\'' {
                default.push(c);
                continue;
            }
            let after = &quoted[at + 1..];
            if after.starts_with('\'') {
                // Two quotes stand for one.
                default.push('\'');
                characters.next();
                continue;
            }
            let close = after.len() - after.trim_start().len();
            let length = 2 + end + 1 + at + 1 + close + 1;
            return after[close..]
                .starts_with('}')
                .then_some(Variable { content: Content::Key { name, default: Some(default) }, length });
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::iam::pattern::{Effort, like_units};
    use crate::domain::iam::truth::Truth;

    fn resolve(key: &str) -> Resolved<'static> {
        match key {
            "aws:username" => Resolved::Value("an*a".into()),
            "aws:SourceIp" => Resolved::Unknown,
            _ => Resolved::Nothing,
        }
    }

    fn fits(pattern: &str, wildcards: Wildcards, text: &str) -> Option<Truth> {
        match expand(pattern, wildcards, resolve) {
            Expanded::Pattern(units) => Some(like_units(&units, text, &Effort::full())),
            Expanded::Nothing => Some(Truth::False),
            Expanded::Open(units) => {
                (like_units(&units, text, &Effort::full()) == Truth::False).then_some(Truth::False)
            }
        }
    }

    #[test]
    fn variables_are_replaced_as_the_user_guide_says() {
        use Wildcards::{Active, Literal};
        for (pattern, wildcards, text, result) in [
            ("user/${aws:username}", Active, "user/an*a", Some(Truth::True)),
            // What a variable brings in is no wildcard.
            ("user/${aws:username}", Active, "user/anna", Some(Truth::False)),
            ("user/*${aws:username}", Active, "user/x/an*a", Some(Truth::True)),
            ("${*}-${?}-${$}", Active, "*-?-$", Some(Truth::True)),
            ("${*}", Active, "anything", Some(Truth::False)),
            ("a*", Literal, "a*", Some(Truth::True)),
            ("a*", Literal, "ab", Some(Truth::False)),
            ("${aws:PrincipalTag/team, 'nobody'}", Literal, "nobody", Some(Truth::True)),
            ("${ aws:PrincipalTag/team , 'it''s' }", Literal, "it's", Some(Truth::True)),
            ("${aws:username, 'nobody'}", Literal, "an*a", Some(Truth::True)),
            ("${aws:PrincipalTag/team}", Active, "", Some(Truth::False)),
            ("${aws:SourceIp}", Active, "x", None),
            ("from/${aws:SourceIp}/*", Active, "from/x/y", None),
            ("from/${aws:SourceIp}", Literal, "to/x", Some(Truth::False)),
            ("${unclosed", Active, "${unclosed", Some(Truth::True)),
        ] {
            assert_eq!(fits(pattern, wildcards, text), result, "{pattern} against {text}");
        }
    }

    proptest! {
        #[test]
        fn never_panics_and_keeps_text_without_variables(text in "[a${}',*? é]{0,16}") {
            let expanded = expand(&text, Wildcards::Literal, resolve);
            if !occurs_in(&text) {
                prop_assert_eq!(expanded, Expanded::Pattern(text.bytes().map(Unit::Byte).collect()));
            }
        }
    }
}
