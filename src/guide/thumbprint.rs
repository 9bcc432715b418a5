//! The thumbprint that IAM registers, from what the check of the keys saw.

use serde_json::{Map, Value};

/// The thumbprint of the topmost certificate that the host of the keys serves, from the facts of `issuer.jwks`: SHA-1, 40
/// hexadecimal digits. IAM means that host, also where the discovery document is on another one. A chain that was not
/// verified could be anybody's.
pub fn thumbprint(facts: &Map<String, Value>) -> Option<String> {
    let tls = facts.get("tls").filter(|tls| tls.get("accepted") == Some(&Value::Bool(true)))?;
    let chain = tls.get("chain")?.as_array()?;
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
        let facts = |accepted: bool| {
            serde_json::json!({ "tls": { "accepted": accepted, "chain": [
                { "thumbprint_sha1": "ea32c2d301ab4be271051f90903903c1715acd1a", "wanted_by_iam": false },
                { "thumbprint_sha1": print, "wanted_by_iam": true },
            ] } })
        };
        assert_eq!(thumbprint(facts(false).as_object().unwrap()), None);
        let seen = thumbprint(facts(true).as_object().unwrap());
        assert_eq!(seen.as_deref(), Some(print));
        let settings = [parse_flag("issuer.url=https://app.example.com").unwrap()];
        let values = Values::of(Guide::AwsWorkloadIdentity, &settings).with_thumbprint(seen);
        let text = render(Artifact::CreateOidcProvider, &values).text;
        assert!(text.contains("--thumbprint-list") && text.contains(print), "{text}");
        assert_eq!(thumbprint(&Map::new()), None);
    }
}
