//! How files are opened that a person, a profile or a variable names: none that would keep the reader waiting.

use std::fs::{File, FileType};
use std::io::{self, ErrorKind, Read as _};
use std::path::Path;

use zeroize::Zeroizing;

/// Bytes that are set aside before a file is read, at most.
const MOST_ROOM: usize = 64 * 1024;

/// Opens a file for reading. Whoever reads takes a limit along: a size that a file system tells need not be true.
///
/// # Errors
/// It cannot be opened, or is a folder, a pipe, a device or a socket. Standard input and a shell's process substitution, named
/// as such, are pipes with a writer, and are opened.
pub fn open(path: &Path) -> io::Result<File> {
    if is_stream(path) {
        return File::open(path);
    }
    let file = without_waiting().open(path)?;
    let kind = file.metadata()?.file_type();
    match () {
        () if kind.is_file() => Ok(file),
        () if kind.is_dir() => Err(ErrorKind::IsADirectory.into()),
        () => Err(io::Error::new(ErrorKind::InvalidInput, format!("it is {}, not a file", words(kind)))),
    }
}

/// Reads a file up to its end or to one byte more than `limit`, by which the caller knows that it is too large.
///
/// # Errors
/// As [`open`]; it cannot be read.
pub fn read(path: &Path, limit: u64) -> io::Result<Zeroizing<Vec<u8>>> {
    let file = open(path)?;
    let told = file.metadata()?.len().min(limit).saturating_add(1);
    // Room for what the file system tells, since all of it is wiped in the end; what it tells need not be true.
    let room = usize::try_from(told).unwrap_or(MOST_ROOM).min(MOST_ROOM);
    let mut bytes = Zeroizing::new(Vec::with_capacity(room));
    file.take(limit.saturating_add(1)).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Whether an error tells of this machine's lack of descriptors or memory, and nothing of what was opened.
pub fn is_shortage(error: &io::Error) -> bool {
    use rustix::io::Errno;
    let lacking = [Errno::MFILE, Errno::NFILE, Errno::NOBUFS, Errno::NOMEM];
    error.raw_os_error().is_some_and(|code| lacking.iter().any(|errno| errno.raw_os_error() == code))
}

/// Whether the path is standard input or a process substitution; or the device that stands for an empty file.
fn is_stream(path: &Path) -> bool {
    const ALONE: [&str; 2] = ["/dev/stdin", "/dev/null"];
    path.starts_with("/dev/fd") || path.starts_with("/proc/self/fd") || ALONE.iter().any(|own| path == Path::new(own))
}

/// A pipe without a writer is opened at once, and refused then.
#[cfg(unix)]
fn without_waiting() -> std::fs::OpenOptions {
    use std::os::unix::fs::OpenOptionsExt as _;
    let mut options = File::options();
    options.read(true);
    if let Ok(flags) = i32::try_from(rustix::fs::OFlags::NONBLOCK.bits()) {
        options.custom_flags(flags);
    }
    options
}

#[cfg(not(unix))]
fn without_waiting() -> std::fs::OpenOptions {
    let mut options = File::options();
    options.read(true);
    options
}

#[cfg(unix)]
fn words(kind: FileType) -> &'static str {
    use std::os::unix::fs::FileTypeExt as _;
    match () {
        () if kind.is_fifo() => "a pipe",
        () if kind.is_socket() => "a socket",
        () => "a device",
    }
}

#[cfg(not(unix))]
fn words(_: FileType) -> &'static str {
    "something else"
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn only_files_are_read_and_up_to_a_limit() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        std::fs::write(path("file"), "0123456789").unwrap();
        assert_eq!(&**read(&path("file"), 10).unwrap(), b"0123456789");
        assert_eq!(read(&path("file"), 4).unwrap().len(), 5, "one more than the limit tells that it is too large");

        nix::unistd::mkfifo(&path("pipe"), nix::sys::stat::Mode::S_IRWXU).unwrap();
        let _socket = std::os::unix::net::UnixListener::bind(path("socket")).unwrap();
        std::os::unix::fs::symlink("/dev/zero", path("link")).unwrap();
        for (name, said) in [("pipe", "a pipe"), ("link", "a device"), ("socket", ""), (".", "directory")] {
            let error = read(&path(name), 10).unwrap_err().to_string();
            assert!(error.contains(said), "{name}: {error}");
        }
        assert!(read(Path::new("/dev/null"), 10).unwrap().is_empty());
        assert_eq!(read(&path("none"), 10).unwrap_err().kind(), ErrorKind::NotFound);
    }
}
