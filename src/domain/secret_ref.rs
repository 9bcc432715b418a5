//! A reference to a secret: its name, and optionally one field of a JSON object (`name#key`).

use std::fmt;

/// `name` or `name#json_key`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecretRef {
    /// The secret's name or ARN.
    pub name: String,
    /// The field of the JSON object that the secret holds.
    pub json_key: Option<String>,
}

/// Why a text is no secret reference.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SecretRefError {
    /// Nothing before the `#`.
    #[error("the secret has no name; write `name` or `name#json_key`")]
    NoName,
    /// Nothing after the `#`.
    #[error("nothing follows the `#`; write `name#json_key`, or `name` for the whole value")]
    NoKey,
    /// More than one `#`.
    #[error("more than one `#`; write `name#json_key`")]
    SecondHash,
}

impl SecretRef {
    /// Splits `name#json_key` at its only `#`.
    pub fn parse(text: &str) -> Result<Self, SecretRefError> {
        let (name, key) = match text.split_once('#') {
            None => (text, None),
            Some((_, key)) if key.contains('#') => return Err(SecretRefError::SecondHash),
            Some((_, "")) => return Err(SecretRefError::NoKey),
            Some((name, key)) => (name, Some(key.to_owned())),
        };
        if name.is_empty() {
            return Err(SecretRefError::NoName);
        }
        Ok(SecretRef { name: name.to_owned(), json_key: key })
    }
}

impl fmt::Display for SecretRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)?;
        match &self.json_key {
            Some(key) => write!(f, "#{key}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn splits_name_and_key() {
        assert_eq!(SecretRef::parse("a"), Ok(SecretRef { name: "a".into(), json_key: None }));
        assert_eq!(SecretRef::parse("a/b#c"), Ok(SecretRef { name: "a/b".into(), json_key: Some("c".into()) }));
        assert_eq!(SecretRef::parse("#c"), Err(SecretRefError::NoName));
        assert_eq!(SecretRef::parse("a#"), Err(SecretRefError::NoKey));
        assert_eq!(SecretRef::parse("a#b#c"), Err(SecretRefError::SecondHash));
    }
}
