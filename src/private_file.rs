//! What the program leaves on disk: for its owner's eyes only whatever the umask, whole or not at all, and never through a
//! symbolic link.

use std::fs::{DirBuilder, File, OpenOptions, Permissions};
use std::io::{Error, ErrorKind, Result, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::Path;
use std::time::Duration;

use tempfile::NamedTempFile;

use crate::domain::fingerprint::Fingerprint;

const OWNER_ONLY: u32 = 0o600;
const OWNER_ONLY_FOLDER: u32 = 0o700;
/// By then a draft's writer has locked it, unless it was killed.
const LOCKED_BY: Duration = Duration::from_secs(1);

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
    sweep_abandoned(path);
    draft(path, |file| file.write_all(content))?.persist_noclobber(path).map(drop).map_err(|refused| refused.error)
}

/// Writes a file in one step; what stood there stays whole until then.
///
/// # Errors
/// `InvalidInput` where a symbolic link has the name.
pub fn replace(path: &Path, content: &[u8]) -> Result<()> {
    replace_with(path, |file| file.write_all(content))
}

/// As [`replace`], with what `write` writes.
///
/// # Errors
/// As [`replace`], and those of `write`.
pub fn replace_with(path: &Path, write: impl FnOnce(&mut File) -> Result<()>) -> Result<()> {
    if path.is_symlink() {
        return Err(Error::new(ErrorKind::InvalidInput, "is a symbolic link, and is not written through"));
    }
    sweep_abandoned(path);
    draft(path, write)?.persist(path).map(drop).map_err(|refused| refused.error)
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

/// Removes the drafts of `path` whose writers were killed: nobody holds their lock any more. What cannot be removed stays.
fn sweep_abandoned(path: &Path) {
    let own = draft_prefix(path);
    let entries = std::fs::read_dir(folder(path)).into_iter().flatten().flatten();
    for draft in entries.filter(|entry| entry.file_name().as_encoded_bytes().starts_with(own.as_bytes())) {
        let is_file = draft.file_type().is_ok_and(|kind| kind.is_file());
        let age = draft.metadata().and_then(|about| about.modified()).ok().and_then(|at| at.elapsed().ok());
        if is_file
            && age.is_some_and(|age| age >= LOCKED_BY)
            && File::open(draft.path()).is_ok_and(|file| file.try_lock().is_ok())
        {
            let _ = std::fs::remove_file(draft.path());
        }
    }
}

/// The content in a file beside `path` that is removed unless it takes that name.
fn draft(path: &Path, write: impl FnOnce(&mut File) -> Result<()>) -> Result<NamedTempFile> {
    let mut draft = tempfile::Builder::new()
        .prefix(&draft_prefix(path))
        .permissions(Permissions::from_mode(OWNER_ONLY))
        .tempfile_in(folder(path))?;
    draft.as_file().lock()?;
    draft.as_file().set_permissions(Permissions::from_mode(OWNER_ONLY))?;
    write(draft.as_file_mut())?;
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
        let half = |file: &mut File| file.write_all(b"half");
        let (left, others) = (draft(&path, half).unwrap(), draft(&other, half).unwrap());
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
    #[test]
    fn drafts_of_killed_writers_go_and_those_of_others_stay() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        let at = |name: &str, age: u64| {
            let file = File::create(folder.path().join(format!("{}{name}", draft_prefix(&path)))).unwrap();
            file.set_modified(std::time::SystemTime::now() - Duration::from_secs(age)).unwrap();
            file
        };
        drop(at("abandoned", 60));
        let held = at("held", 60);
        held.lock().unwrap();
        drop(at("just begun", 0));
        replace(&path, b"one").unwrap();
        let mut left: Vec<String> = std::fs::read_dir(folder.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
            .collect();
        left.sort();
        let prefix = draft_prefix(&path);
        assert_eq!(left, [format!("{prefix}held"), format!("{prefix}just begun"), "a".to_owned()]);
    }
}
