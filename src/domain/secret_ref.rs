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

    /// The same reference with `_` for `-` in the name, or where there is none, `-` for `_`: what a store that does not
    /// take one of them makes of it. None where the name has neither, and for an ARN.
    pub fn other_spelling(&self) -> Option<SecretRef> {
        let name = if self.name.starts_with("arn:") {
            return None;
        } else if self.name.contains('-') {
            self.name.replace('-', "_")
        } else if self.name.contains('_') {
            self.name.replace('_', "-")
        } else {
            return None;
        };
        Some(SecretRef { name, json_key: self.json_key.clone() })
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
        let other = |name: &str| SecretRef::parse(name).unwrap().other_spelling().map(|other| other.to_string());
        assert_eq!(other("db-password#a-b").as_deref(), Some("db_password#a-b"));
        assert_eq!(other("db_password").as_deref(), Some("db-password"));
        assert_eq!(other("plain"), None);
        assert_eq!(SecretRef::parse("#c"), Err(SecretRefError::NoName));
        assert_eq!(SecretRef::parse("a#"), Err(SecretRefError::NoKey));
        assert_eq!(SecretRef::parse("a#b#c"), Err(SecretRefError::SecondHash));
    }
}
