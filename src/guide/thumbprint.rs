//! The thumbprint that IAM registers, from what the TLS check saw.

use serde_json::{Map, Value};

/// The thumbprint of the topmost certificate that the issuer serves, from the facts of `issuer.tls`: SHA-1, 40
/// hexadecimal digits.
pub fn thumbprint(facts: &Map<String, Value>) -> Option<String> {
    let chain = facts.get("chain")?.as_array()?;
    let wanted = chain.iter().find(|certificate| certificate.get("wanted_by_iam") == Some(&Value::Bool(true)))?;
    let thumbprint = wanted.get("thumbprint_sha1")?.as_str()?;
    (thumbprint.len() == 40 && thumbprint.bytes().all(|b| b.is_ascii_hexdigit())).then(|| thumbprint.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::profile::Guide;
    use crate::domain::profile::document::parse_flag;
    use crate::guide::{Artifact, Values, render};

    #[test]
    fn the_live_thumbprint_stands_in_the_command() {
        let print = "9683b4ae1c49bf6e758a3ac8a31dcdf0d4f07661";
        let facts = serde_json::json!({ "chain": [
            { "thumbprint_sha1": "ea32c2d301ab4be271051f90903903c1715acd1a", "wanted_by_iam": false },
            { "thumbprint_sha1": print, "wanted_by_iam": true },
        ] });
        let seen = thumbprint(facts.as_object().unwrap());
        assert_eq!(seen.as_deref(), Some(print));
        let settings = [parse_flag("issuer.url=https://app.example.com").unwrap()];
        let values = Values::of(Guide::AwsWorkloadIdentity, &settings).with_thumbprint(seen);
        let text = render(Artifact::CreateOidcProvider, &values).text;
        assert!(text.contains("--thumbprint-list") && text.contains(print), "{text}");
        assert_eq!(thumbprint(&Map::new()), None);
    }
}
