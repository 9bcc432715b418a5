//! An application's client secret, read from where the profile says.

use secrecy::SecretString;
use tokio::io::AsyncReadExt as _;
use zeroize::Zeroizing;

use crate::domain::profile::ClientSecretSource;

/// The most that is read of a file, in bytes; a client secret has some 40.
const LIMIT: u64 = 4096;

/// Why no client secret was read. Never holds what the source gave.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ClientSecretError {
    #[error("variable {0} is not set; set it to the value of the application's client secret")]
    NotSet(String),
    #[error("{0} is empty; it must hold the value of the application's client secret")]
    Empty(String),
    #[error("{file} cannot be read: {reason}")]
    Unreadable { file: String, reason: String },
    #[error("{0} is not text of at most {LIMIT} bytes, so it is no client secret")]
    NotASecret(String),
}

/// Reads the secret. Line breaks at the end, which editors add, are not part of it.
///
/// # Errors
/// Where nothing usable is there; says where, and not what.
pub async fn client_secret(source: &ClientSecretSource) -> Result<SecretString, ClientSecretError> {
    let (place, text) = match source {
        ClientSecretSource::Env(name) => {
            let value = std::env::var_os(name).ok_or_else(|| ClientSecretError::NotSet(name.clone()))?;
            let place = format!("variable {name}");
            let text = value.into_string().map_err(|_| ClientSecretError::NotASecret(place.clone()))?;
            (place, Zeroizing::new(text))
        }
        ClientSecretSource::File(path) => {
            let place = format!("file {}", path.display());
            let unreadable = |error: std::io::Error| ClientSecretError::Unreadable {
                file: place.clone(),
                reason: error.to_string(),
            };
            let file = tokio::fs::File::open(path).await.map_err(unreadable)?;
            let mut bytes = Zeroizing::new(Vec::with_capacity(256));
            file.take(LIMIT + 1).read_to_end(&mut bytes).await.map_err(unreadable)?;
            if bytes.len() as u64 > LIMIT {
                return Err(ClientSecretError::NotASecret(place));
            }
            let text = std::str::from_utf8(&bytes).map_err(|_| ClientSecretError::NotASecret(place.clone()))?;
            let text = Zeroizing::new(text.to_owned());
            (place, text)
        }
    };
    match text.trim_end_matches(['\r', '\n']) {
        "" => Err(ClientSecretError::Empty(place)),
        text => Ok(SecretString::from(text)),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use secrecy::ExposeSecret as _;

    use super::*;

    #[tokio::test]
    async fn reads_a_file_without_its_line_break() {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(b"planted~secret\r\n").unwrap();
        let source = ClientSecretSource::File(file.path().to_owned());
        assert_eq!(client_secret(&source).await.unwrap().expose_secret(), "planted~secret");
        file.write_all(&[b'x'; 5000]).unwrap();
        let error = client_secret(&source).await.unwrap_err();
        assert!(matches!(error, ClientSecretError::NotASecret(_)) && !error.to_string().contains("planted"));
    }

    #[tokio::test]
    async fn says_where_nothing_is() {
        let missing = ClientSecretSource::File("/nonexistent/secret".into());
        assert!(client_secret(&missing).await.unwrap_err().to_string().contains("/nonexistent/secret"));
        let unset = ClientSecretSource::Env("TRUSTLINE_TEST_NEVER_SET".into());
        assert_eq!(
            client_secret(&unset).await.unwrap_err(),
            ClientSecretError::NotSet("TRUSTLINE_TEST_NEVER_SET".into())
        );
    }
}
