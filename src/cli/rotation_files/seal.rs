//! Fingerprints that a file must give back as they were, sealed: AES-256-GCM under a key made of the profile's, so that
//! without it nobody can try guesses at a value. What is not given back as it was is keyed instead.

use std::io::ErrorKind;
use std::path::Path;

use aws_lc_rs::aead::{AES_256_GCM, Aad, Nonce, RandomizedNonceKey};
use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use secrecy::{ExposeSecret as _, SecretBox};
use serde_json::Value;
use zeroize::Zeroizing;

use super::random;
use crate::cli::exit::CliError;
use crate::domain::fingerprint::Fingerprint;
use crate::domain::fingerprint::keyed::{FingerprintKey, KEY_BYTES};
use crate::private_file;

const PREFIX: &str = "aes-256-gcm:";
const PURPOSE: &[u8] = b"trustline.rotation-session/1";

/// A sealed text cannot be opened: it was changed, or sealed with another key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("it was sealed with another key, or changed since")]
pub(super) struct NotOpened;

/// Seals fingerprints, and opens them again.
pub(super) struct Seal {
    key: Option<RandomizedNonceKey>,
}

impl Seal {
    pub(super) fn new(key: &FingerprintKey) -> Self {
        let own = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key.secret().expose_secret()), PURPOSE);
        Seal { key: RandomizedNonceKey::new(&AES_256_GCM, own.as_ref()).ok() }
    }

    /// Seals every fingerprint in a document.
    pub(super) fn close(&self, document: &mut Value) -> Result<(), NotOpened> {
        each_text(document, &mut |text| {
            if Fingerprint::parse(text).is_ok() {
                *text = self.sealed(text)?;
            }
            Ok(())
        })
    }

    /// Opens every fingerprint in a document.
    pub(super) fn open(&self, document: &mut Value) -> Result<(), NotOpened> {
        each_text(document, &mut |text| {
            if let Some(sealed) = text.strip_prefix(PREFIX) {
                *text = self.opened(sealed)?;
            }
            Ok(())
        })
    }

    fn sealed(&self, text: &str) -> Result<String, NotOpened> {
        let key = self.key.as_ref().ok_or(NotOpened)?;
        let mut bytes = text.as_bytes().to_vec();
        let nonce = key.seal_in_place_append_tag(Aad::from(PURPOSE), &mut bytes).map_err(|_| NotOpened)?;
        let mut whole = nonce.as_ref().to_vec();
        whole.append(&mut bytes);
        Ok(format!("{PREFIX}{}", STANDARD.encode(whole)))
    }

    fn opened(&self, sealed: &str) -> Result<String, NotOpened> {
        let key = self.key.as_ref().ok_or(NotOpened)?;
        let mut whole = STANDARD.decode(sealed).map_err(|_| NotOpened)?;
        let (nonce, bytes) = whole.split_at_mut_checked(aws_lc_rs::aead::NONCE_LEN).ok_or(NotOpened)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| NotOpened)?;
        let text = key.open_in_place(nonce, Aad::from(PURPOSE), bytes).map_err(|_| NotOpened)?;
        std::str::from_utf8(text).map(str::to_owned).map_err(|_| NotOpened)
    }
}

/// Does something with every text that stands as a value.
fn each_text(
    document: &mut Value,
    change: &mut impl FnMut(&mut String) -> Result<(), NotOpened>,
) -> Result<(), NotOpened> {
    match document {
        Value::String(text) => change(text),
        Value::Array(items) => items.iter_mut().try_for_each(|item| each_text(item, change)),
        Value::Object(fields) => fields.values_mut().try_for_each(|value| each_text(value, change)),
        Value::Null | Value::Bool(_) | Value::Number(_) => Ok(()),
    }
}

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

#[cfg(test)]
mod tests {
    use secrecy::SecretBox;
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_sealed_is_opened_with_its_key_alone() {
        let seal = |byte| Seal::new(&FingerprintKey::new(SecretBox::new(Box::new([byte; 32]))));
        let bare = json!({"a": ["sha256:5d8269a65fdc", "sha256:short", 1], "b": {"c": "sha256:e3b0c44298fc"}});
        let mut document = bare.clone();
        seal(1).close(&mut document).unwrap();
        let text = document.to_string();
        assert!(!text.contains("5d8269a65fdc") && !text.contains("e3b0c44298fc") && text.contains("sha256:short"));
        assert_eq!(seal(2).open(&mut document.clone()), Err(NotOpened));
        seal(1).open(&mut document).unwrap();
        assert_eq!(document, bare);
    }
}
