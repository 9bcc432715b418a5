//! Reads documents that a profile names, such as a trust policy.

use std::path::Path;

use tokio::io::AsyncReadExt as _;

use super::regular_file;
use crate::check::facts::Unread;

/// The largest document that is read, in bytes; IAM's own limits are far below.
pub const LARGEST: u64 = 1024 * 1024;

/// Reads a text document.
///
/// # Errors
/// A sentence that says what is wrong with the file.
pub async fn read(path: &Path) -> Result<String, Unread> {
    let name = path.display();
    let file = regular_file::open(path).map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => Unread { is_missing: true, why: format!("there is no file {name}") },
        _ => Unread { is_missing: false, why: format!("{name} cannot be opened: {error}") },
    })?;
    let mut text = Vec::new();
    tokio::fs::File::from_std(file)
        .take(LARGEST + 1)
        .read_to_end(&mut text)
        .await
        .map_err(|e| format!("{name} cannot be read: {e}"))?;
    if text.len() as u64 > LARGEST {
        return Err(format!("{name} is larger than 1 MiB; a policy has at most a few kilobytes").into());
    }
    String::from_utf8(text).map_err(|_| format!("{name} is not UTF-8 text; save it as UTF-8").into())
}
