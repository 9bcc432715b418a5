//! A token in a file: platforms rotate it, so its state is remembered for reading it again when it changed.

use std::fs::Metadata;
use std::path::Path;

use super::{MAX_BYTES, SourcedToken, TokenSourceError, sourced};
use crate::probe::regular_file;

/// Reads the token from a file.
pub fn read_file(path: &Path) -> Result<SourcedToken, TokenSourceError> {
    let what = || format!("file {}", path.display());
    let bytes = regular_file::read(path, MAX_BYTES as u64).map_err(|error| refusal(path, &error))?;
    sourced(&bytes, what)
}

fn refusal(path: &Path, error: &std::io::Error) -> TokenSourceError {
    let what = format!("file {}", path.display());
    match error.kind() {
        _ if regular_file::is_shortage(error) => TokenSourceError::Shortage { what, why: error.to_string() },
        std::io::ErrorKind::IsADirectory => TokenSourceError::Directory { what },
        std::io::ErrorKind::InvalidInput => TokenSourceError::NotAFile { what },
        std::io::ErrorKind::NotFound => TokenSourceError::NotFound { what },
        std::io::ErrorKind::PermissionDenied => {
            let owner = std::fs::metadata(path).map(|metadata| rights(&metadata)).unwrap_or_default();
            TokenSourceError::Denied { what, why: "permission denied".to_owned(), owner }
        }
        _ => TokenSourceError::Unreadable { what, why: error.to_string() },
    }
}

/// Who may read the file, for a person who may not. In Kubernetes the usual mending is `fsGroup`.
#[cfg(unix)]
fn rights(metadata: &Metadata) -> String {
    use std::os::unix::fs::MetadataExt as _;
    format!(" (owner {}, group {}, mode {:04o})", metadata.uid(), metadata.gid(), metadata.mode() & 0o7777)
}

#[cfg(not(unix))]
fn rights(_metadata: &Metadata) -> String {
    String::new()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_a_file_holds() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("token");
        std::fs::write(&path, "a.b.c\n").unwrap();
        let sourced = read_file(&path).unwrap();
        assert_eq!(sourced.token.expose(), "a.b.c");
    }

    #[test]
    fn refusals_say_what_is_wrong() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str, content: &[u8]| {
            let path = folder.path().join(name);
            std::fs::write(&path, content).unwrap();
            read_file(&path).unwrap_err().to_string()
        };
        assert!(at("empty", b" \n").ends_with("empty is empty"));
        assert!(at("large", &vec![b'a'; MAX_BYTES + 1]).contains("more than 1 MiB"));
        assert!(at("binary", b"\x89PNG\xff").contains("byte 0 is not UTF-8"));
        assert!(read_file(folder.path()).unwrap_err().to_string().contains("is a directory"));
        assert!(read_file(&folder.path().join("none")).unwrap_err().to_string().contains("is not there"));
    }
}
