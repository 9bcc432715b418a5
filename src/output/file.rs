//! What the program leaves on disk: for its owner's eyes only whatever the umask, whole or not at all, and never through a
//! symbolic link.

use std::fs::{DirBuilder, File, OpenOptions, Permissions};
use std::io::{Error, ErrorKind, Result, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::Path;

use tempfile::NamedTempFile;

use crate::domain::fingerprint::Fingerprint;

const OWNER_ONLY: u32 = 0o600;
const OWNER_ONLY_FOLDER: u32 = 0o700;

/// Begins a new file.
///
/// # Errors
/// `AlreadyExists` where anything has the name, a symbolic link to nothing included.
pub fn create(path: &Path) -> Result<File> {
    let file = OpenOptions::new().write(true).create_new(true).mode(OWNER_ONLY).open(path)?;
    // The umask may have taken the owner's own rights.
    file.set_permissions(Permissions::from_mode(OWNER_ONLY))?;
    Ok(file)
}

/// Writes a new file under its name in one step.
///
/// # Errors
/// `AlreadyExists` where anything has the name; then nothing is changed.
pub fn write_new(path: &Path, content: &[u8]) -> Result<()> {
    draft(path, content)?.persist_noclobber(path).map(drop).map_err(|refused| refused.error)
}

/// Writes a file in one step; what stood there stays whole until then.
///
/// # Errors
/// `InvalidInput` where a symbolic link has the name.
pub fn replace(path: &Path, content: &[u8]) -> Result<()> {
    if path.is_symlink() {
        return Err(Error::new(ErrorKind::InvalidInput, "is a symbolic link, and is not written through"));
    }
    draft(path, content)?.persist(path).map(drop).map_err(|refused| refused.error)
}

/// Makes a folder, and those above it that are missing; one that exists stays as it is.
///
/// # Errors
/// It cannot be made.
pub fn create_folder(path: &Path) -> Result<()> {
    DirBuilder::new().recursive(true).mode(OWNER_ONLY_FOLDER).create(path)
}

/// Removes what a program that was killed left of writing `path`: its drafts, and no other file. For whoever keeps all
/// others from writing it.
///
/// # Errors
/// The folder cannot be read, or a draft cannot be removed.
pub fn sweep(path: &Path) -> Result<()> {
    let own = draft_prefix(path);
    for entry in std::fs::read_dir(folder(path))? {
        let entry = entry?;
        if entry.file_name().as_encoded_bytes().starts_with(own.as_bytes()) && entry.file_type()?.is_file() {
            std::fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

/// The content in a file beside `path` that is removed unless it takes that name.
fn draft(path: &Path, content: &[u8]) -> Result<NamedTempFile> {
    let mut draft = tempfile::Builder::new()
        .prefix(&draft_prefix(path))
        .permissions(Permissions::from_mode(OWNER_ONLY))
        .tempfile_in(folder(path))?;
    draft.as_file().set_permissions(Permissions::from_mode(OWNER_ONLY))?;
    draft.write_all(content)?;
    draft.as_file().sync_all()?;
    Ok(draft)
}

/// How the names of a file's drafts begin. A digest of its name, so that they are as long for every name.
fn draft_prefix(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default().as_encoded_bytes();
    format!(".trustline-draft-{}-", Fingerprint::of(name).as_str().trim_start_matches("sha256:"))
}

fn folder(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn files_are_their_owners_and_never_written_over() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        write_new(&path, b"one").unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(write_new(&path, b"two").unwrap_err().kind(), ErrorKind::AlreadyExists);
        assert_eq!(create(&path).unwrap_err().kind(), ErrorKind::AlreadyExists);
        assert_eq!(std::fs::read(&path).unwrap(), b"one");
        std::fs::set_permissions(&path, Permissions::from_mode(0o644)).unwrap();
        replace(&path, b"three").unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"three");
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "no draft is left");
    }

    #[test]
    fn what_a_killed_program_left_is_swept_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let (path, other) = (folder.path().join("a.json"), folder.path().join("b.json"));
        replace(&path, b"one").unwrap();
        let (left, others) = (draft(&path, b"half").unwrap(), draft(&other, b"half").unwrap());
        let left = left.into_temp_path().keep().unwrap();
        std::fs::write(folder.path().join(".tmpabc"), b"of somebody").unwrap();
        sweep(&path).unwrap();
        assert!(!left.exists() && others.path().exists());
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 3);
    }

    #[test]
    fn symbolic_links_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let (target, link) = (folder.path().join("target"), folder.path().join("link"));
        symlink(&target, &link).unwrap();
        assert_eq!(create(&link).unwrap_err().kind(), ErrorKind::AlreadyExists);
        assert_eq!(write_new(&link, b"x").unwrap_err().kind(), ErrorKind::AlreadyExists);
        assert_eq!(replace(&link, b"x").unwrap_err().kind(), ErrorKind::InvalidInput);
        assert!(!target.exists() && link.is_symlink());
    }
}
