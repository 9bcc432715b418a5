//! A token in a file: platforms rotate it, so its state is remembered for reading it again when it changed.

use std::fs::{File, Metadata};
use std::io::Read as _;
use std::path::Path;

use zeroize::Zeroizing;

use super::{MAX_BYTES, SourcedToken, TokenSourceError, sourced};

/// Reads the token from a file.
pub fn read_file(path: &Path) -> Result<SourcedToken, TokenSourceError> {
    let what = || format!("file {}", path.display());
    // Looked at before it is opened: opening a pipe that nobody writes to would wait for ever.
    let metadata = std::fs::metadata(path).map_err(|error| refusal(path, &error))?;
    if metadata.is_dir() {
        return Err(TokenSourceError::Directory { what: what() });
    }
    if !metadata.is_file() && !is_stream(path) {
        return Err(TokenSourceError::NotAFile { what: what() });
    }
    let file = File::open(path).map_err(|error| refusal(path, &error))?;
    let mut bytes = Zeroizing::new(Vec::with_capacity(8192));
    file.take(MAX_BYTES as u64 + 1).read_to_end(&mut bytes).map_err(|error| refusal(path, &error))?;
    sourced(&bytes, what)
}

/// Whether the path is a shell's process substitution or standard input, which are pipes with a writer.
fn is_stream(path: &Path) -> bool {
    path.starts_with("/dev/fd") || path.starts_with("/proc") || path == Path::new("/dev/stdin")
}

fn refusal(path: &Path, error: &std::io::Error) -> TokenSourceError {
    let what = format!("file {}", path.display());
    match error.kind() {
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
