//! Fingerprints that a file must give back as they were, sealed: AES-256-GCM under a key made of the profile's, so that
//! without it nobody can try guesses at a value. What is not given back as it was is keyed instead.

use aws_lc_rs::aead::{AES_256_GCM, Aad, Nonce, RandomizedNonceKey};
use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use secrecy::ExposeSecret as _;
use serde_json::Value;

use crate::domain::fingerprint::Fingerprint;
use crate::domain::fingerprint::keyed::FingerprintKey;

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
