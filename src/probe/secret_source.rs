//! A secret of the user's own, such as a client secret or a bearer token, read from where the profile says.

use secrecy::SecretString;
use tokio::io::AsyncReadExt as _;
use zeroize::Zeroizing;

use super::regular_file;
use crate::domain::profile::SecretSource;

/// The most that is read of a file, in bytes; a client secret has some 40, a bearer token up to a few thousand.
const LIMIT: u64 = 16 * 1024;

/// Why no secret was read. Never holds what the source gave.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HeldSecretError {
    #[error("{place} is not set; set it to {what}")]
    NotSet { place: String, what: &'static str },
    #[error("{place} is empty; it must hold {what}")]
    Empty { place: String, what: &'static str },
    #[error("{place} cannot be read: {reason}")]
    Unreadable { place: String, reason: String },
    #[error("{place} is not text of at most {LIMIT} bytes, so it is not {what}")]
    NotASecret { place: String, what: &'static str },
}

/// Reads a secret; `what` it is stands in errors, with its article. Line breaks at the end, which editors add, are not
/// part of it.
///
/// # Errors
/// Where nothing usable is there; says where, and not what.
pub async fn secret_source(source: &SecretSource, what: &'static str) -> Result<SecretString, HeldSecretError> {
    let place = source.to_string();
    let unfit = || HeldSecretError::NotASecret { place: place.clone(), what };
    let text = match source {
        SecretSource::Env(name) => {
            let value = std::env::var_os(name).ok_or_else(|| HeldSecretError::NotSet { place: place.clone(), what })?;
            Zeroizing::new(value.into_string().map_err(|_| unfit())?)
        }
        SecretSource::File(path) => {
            let unreadable =
                |error: std::io::Error| HeldSecretError::Unreadable { place: place.clone(), reason: error.to_string() };
            let file = tokio::fs::File::from_std(regular_file::open(path).map_err(unreadable)?);
            let mut bytes = Zeroizing::new(Vec::with_capacity(256));
            file.take(LIMIT + 1).read_to_end(&mut bytes).await.map_err(unreadable)?;
            if bytes.len() as u64 > LIMIT {
                return Err(unfit());
            }
            Zeroizing::new(std::str::from_utf8(&bytes).map_err(|_| unfit())?.to_owned())
        }
    };
    match text.trim_end_matches(['\r', '\n']) {
        "" => Err(HeldSecretError::Empty { place, what }),
        text => Ok(SecretString::from(text)),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use secrecy::ExposeSecret as _;

    use super::*;

    const WHAT: &str = "the secret";

    #[tokio::test]
    async fn reads_a_file_without_its_line_break() {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(b"planted~secret\r\n").unwrap();
        let source = SecretSource::File(file.path().to_owned());
        assert_eq!(secret_source(&source, WHAT).await.unwrap().expose_secret(), "planted~secret");
        file.write_all(&[b'x'; 20_000]).unwrap();
        let error = secret_source(&source, WHAT).await.unwrap_err();
        assert!(matches!(error, HeldSecretError::NotASecret { .. }) && !error.to_string().contains("planted"));
    }

    #[tokio::test]
    async fn says_where_nothing_is() {
        let missing = SecretSource::File("/nonexistent/secret".into());
        assert!(secret_source(&missing, WHAT).await.unwrap_err().to_string().contains("/nonexistent/secret"));
        let unset = SecretSource::Env("TRUSTLINE_TEST_NEVER_SET".into());
        assert_eq!(
            secret_source(&unset, WHAT).await.unwrap_err(),
            HeldSecretError::NotSet { place: "variable TRUSTLINE_TEST_NEVER_SET".into(), what: WHAT }
        );
    }
}
