//! An operator's access token: gcloud's, whoever is signed in there, or the one in a file.

use std::path::Path;
use std::time::Duration;

use secrecy::SecretString;

use super::GoogleSession;
use crate::domain::profile::Operator;
use crate::probe::{program, regular_file};

/// The most that gcloud may print, in bytes.
const MAX_BYTES: usize = 64 * 1024;
/// It may ask Google first, and starts a Python.
const TIMEOUT: Duration = Duration::from_secs(60);

/// The operator's access token, and whose it is.
///
/// # Errors
/// Why there is none, in words.
pub async fn operator_session(operator: &Operator) -> Result<(GoogleSession, String), String> {
    match operator {
        Operator::Google { token_file: Some(path) } => {
            let session = session_of_file(path).await?;
            Ok((session, format!("the access token in {}", path.display())))
        }
        Operator::Google { token_file: None } => gcloud_session().await.map_err(|why| format!("gcloud: {why}")),
        _ => Err("the operator is set up for another cloud, and the profile is for Google".to_owned()),
    }
}

/// The access token of whoever is signed in to gcloud, and who that is.
async fn gcloud_session() -> Result<(GoogleSession, String), String> {
    let token = printed(&["auth", "print-access-token"]).await?;
    let account = printed(&["config", "get-value", "account"]).await.unwrap_or_default();
    let identity = if account.is_empty() { "gcloud's access token".to_owned() } else { account };
    Ok((GoogleSession { token: token.into(), expires_at: None }, identity))
}

async fn printed(arguments: &[&str]) -> Result<String, String> {
    let words: Vec<String> = std::iter::once("gcloud").chain(arguments.iter().copied()).map(str::to_owned).collect();
    let ended = program::run(&words, MAX_BYTES, TIMEOUT).await.map_err(|error| error.to_string())?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
    match ended.status {
        Some(status) if status.success() => Ok(text(&ended.stdout)),
        // Its complaints end with what to do.
        _ => Err(text(&ended.stderr)),
    }
}

/// The access token in a file, as `CLOUDSDK_AUTH_ACCESS_TOKEN_FILE` names one for gcloud.
async fn session_of_file(path: &Path) -> Result<GoogleSession, String> {
    let name = path.display().to_string();
    let path = path.to_owned();
    let read = tokio::task::spawn_blocking(move || regular_file::read(&path, MAX_BYTES as u64));
    let bytes = read.await.map_err(|error| error.to_string())?.map_err(|error| format!("{name}: {error}"))?;
    let text = std::str::from_utf8(&bytes).map_err(|_| format!("{name} is not UTF-8 text"))?.trim();
    if text.is_empty() {
        return Err(format!("{name} is empty"));
    }
    Ok(GoogleSession { token: SecretString::from(text.to_owned()), expires_at: None })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_files_token_is_taken_without_its_line_break_and_never_shown() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("token");
        std::fs::write(&path, "ya29.planted\n").unwrap();
        let session = session_of_file(&path).await.unwrap();
        assert!(!format!("{session:?}").contains("planted"));
        std::fs::write(&path, "\n").unwrap();
        assert!(session_of_file(&path).await.unwrap_err().ends_with("is empty"));
        assert!(session_of_file(&folder.path().join("none")).await.is_err());
    }
}
