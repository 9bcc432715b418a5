//! Value fingerprints: `sha256:` and the first 12 hex digits of SHA-256 over the exact bytes.

use std::fmt::Write as _;

/// The fingerprint of a value. Tells whether a value changed; it does not hide a guessable one.
#[derive(Clone, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
pub struct Fingerprint(String);

impl Fingerprint {
    /// Hashes the exact bytes, without trimming.
    pub fn of(value: &[u8]) -> Self {
        let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, value);
        let mut text = String::from("sha256:");
        for byte in &digest.as_ref()[..6] {
            let _ = write!(text, "{byte:02x}");
        }
        Fingerprint(text)
    }

    /// The fingerprint of these twelve hex digits, in either letter case.
    pub fn from_hex(digits: &str) -> Option<Self> {
        let fits = digits.len() == 12 && digits.bytes().all(|b| b.is_ascii_hexdigit());
        fits.then(|| Fingerprint(format!("sha256:{}", digits.to_ascii_lowercase())))
    }

    /// The printed form.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn published_vectors() {
        for (value, hex) in
            [("rotated value", "5d8269a65fdc"), ("rotated value\n", "881c4f273b3a"), ("", "e3b0c44298fc")]
        {
            assert_eq!(Fingerprint::of(value.as_bytes()).as_str(), format!("sha256:{hex}"));
        }
    }
}
