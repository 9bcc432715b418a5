//! The key of a profile's keyed fingerprints: random, made where there is none, for its owner's eyes only. It stays in the
//! state folder and goes into no other file, so that what is written elsewhere cannot be guessed at.

use std::io::ErrorKind;
use std::path::Path;

use secrecy::{ExposeSecret as _, SecretBox};
use zeroize::Zeroizing;

use super::random;
use crate::cli::CliError;
use crate::domain::fingerprint::keyed::{FingerprintKey, KEY_BYTES};
use crate::private_file;

/// A key that is kept nowhere.
///
/// # Errors
/// The system gives no random bytes.
pub(in crate::cli) fn passing() -> Result<FingerprintKey, CliError> {
    let bytes = random::<KEY_BYTES>().map_err(CliError::new)?;
    Ok(FingerprintKey::new(SecretBox::new(Box::new(bytes))))
}

/// The key in a file, made where there is no file.
///
/// # Errors
/// The file holds something else, can be read by others, or cannot be made.
pub(in crate::cli) fn kept(path: &Path) -> Result<FingerprintKey, CliError> {
    if let Some(key) = read(path)? {
        return Ok(key);
    }
    let key = passing()?;
    let text: Zeroizing<String> =
        Zeroizing::new(key.secret().expose_secret().iter().flat_map(|b| [b >> 4, b & 15]).map(digit).collect());
    match private_file::write_new(path, text.as_bytes()) {
        Ok(()) => Ok(key),
        // Another process was first.
        Err(error) if error.kind() == ErrorKind::AlreadyExists => read(path)?.ok_or_else(|| refusal(path, "vanished")),
        Err(error) => Err(refusal(path, &error.to_string())),
    }
}

fn read(path: &Path) -> Result<Option<FingerprintKey>, CliError> {
    let text = super::evidence::read_text(path).map_err(|what| refusal(path, &what))?.map(Zeroizing::new);
    let Some(text) = text else { return Ok(None) };
    let mode = std::fs::metadata(path).map_err(|error| refusal(path, &error.to_string()))?;
    if std::os::unix::fs::PermissionsExt::mode(&mode.permissions()) & 0o077 != 0 {
        let hint = format!("if nobody else has read it: chmod 600 {}", path.display());
        return Err(refusal(path, "can be read by others, and must be its owner's alone").with_hint(hint));
    }
    let mut bytes = Zeroizing::new([0; KEY_BYTES]);
    let digits = Zeroizing::new(text.trim_end().chars().filter_map(|c| c.to_digit(16)).collect::<Vec<u32>>());
    if text.trim_end().len() != KEY_BYTES * 2 || digits.len() != KEY_BYTES * 2 {
        let hint = "remove it to have a new one made; keyed fingerprints of before can then not be compared any more";
        return Err(refusal(path, "is no key").with_hint(hint));
    }
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        *byte = pair.iter().fold(0, |byte, digit| byte << 4 | u8::try_from(*digit).unwrap_or_default());
    }
    Ok(Some(FingerprintKey::new(SecretBox::new(Box::new(*bytes)))))
}

fn digit(nibble: u8) -> char {
    char::from_digit(nibble.into(), 16).unwrap_or_default()
}

fn refusal(path: &Path, what: &str) -> CliError {
    CliError::new(format!("{}: {what}", path.display()))
}
