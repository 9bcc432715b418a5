//! The names that a vault gives to secrets: 1 to 127 letters, digits and hyphens
//! (<https://learn.microsoft.com/azure/key-vault/general/about-keys-secrets-certificates>).

/// The longest name.
const LONGEST: usize = 127;

/// A name that a vault takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecretName {
    /// The name as it is sent.
    pub name: String,
    /// The name as it was written, where underscores became hyphens on the way: the platform sends `db-password` for
    /// `db_password`.
    pub written: Option<String>,
}

/// Why a text is no secret's name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    #[error("the secret has no name")]
    Empty,
    #[error("the secret's name has {0} characters, and a vault takes at most {LONGEST}")]
    TooLong(usize),
    #[error("the secret's name has `{found}` at character {at}; a vault takes letters, digits and hyphens")]
    Character {
        found: char,
        /// Counted from 1.
        at: usize,
    },
}

impl SecretName {
    /// The name that is sent for `text`: underscores become hyphens.
    ///
    /// # Errors
    /// Where a vault takes no such name even so.
    pub fn of(text: &str) -> Result<SecretName, NameError> {
        let name = text.replace('_', "-");
        if name.is_empty() {
            return Err(NameError::Empty);
        }
        if let Some((at, found)) = name.chars().enumerate().find(|(_, c)| !c.is_ascii_alphanumeric() && *c != '-') {
            return Err(NameError::Character { found, at: at + 1 });
        }
        if name.len() > LONGEST {
            return Err(NameError::TooLong(name.len()));
        }
        Ok(SecretName { written: (name != text).then(|| text.to_owned()), name })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_taken_changed_or_refused() {
        assert_eq!(SecretName::of("db-password"), Ok(SecretName { name: "db-password".into(), written: None }));
        let changed = SecretName::of("db_password").unwrap();
        assert_eq!((changed.name.as_str(), changed.written.as_deref()), ("db-password", Some("db_password")));
        assert_eq!(SecretName::of(""), Err(NameError::Empty));
        assert_eq!(SecretName::of("a/b"), Err(NameError::Character { found: '/', at: 2 }));
        assert_eq!(SecretName::of("aé"), Err(NameError::Character { found: 'é', at: 2 }));
        assert_eq!(SecretName::of(&"a".repeat(128)), Err(NameError::TooLong(128)));
        assert!(SecretName::of(&"a".repeat(127)).is_ok());
    }
}
