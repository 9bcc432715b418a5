//! What a client finds where it starts, for the checks that judge as it would behave.

use serde::Serialize;

use super::Facts;
use super::network::{Exchange, Tls};
use super::secret::AnyCall as _;
use crate::domain::client::{Surroundings, TRUST_VARIABLES};
use crate::domain::profile::Profile;

/// What was seen.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ClientFact {
    /// The variables that clients read and that are set: names alone.
    pub variables: Vec<&'static str>,
    /// The variables whose authorities this program trusts too.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub authorities_of: Vec<&'static str>,
    #[serde(skip)]
    pub around: Surroundings,
}

impl ClientFact {
    /// The fact of these surroundings.
    pub fn new(around: Surroundings) -> Self {
        let authorities_of = TRUST_VARIABLES.iter().copied().filter(|name| around.set(name).is_some()).collect();
        ClientFact { variables: around.names().collect(), authorities_of, around }
    }
}

/// Those that sign for the clouds' own names.
const PUBLIC: &[&str] = &["Amazon", "Starfield", "DigiCert", "Microsoft", "Baltimore"];

/// The certificate of STS or of Entra, where this program took it and its authority is none of the public ones. The lab's
/// own authority is this program's affair.
pub fn private_authority<'f>(facts: &'f Facts, profile: &Profile) -> Option<&'f Tls> {
    let at_aws = facts.aws.assume_role.as_ref().and_then(|call| call.exchange());
    let at_azure = facts.azure.exchange.as_ref().and_then(|fact| fact.call.exchange());
    let exchange: &Exchange = at_aws.or(at_azure)?;
    let tls = exchange.tls.as_ref().filter(|tls| tls.accepted && profile.ending_lab.is_none())?;
    let issuer = &tls.chain.certificates.last()?.issuer;
    (!PUBLIC.iter().any(|name| issuer.contains(name))).then_some(tls)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_shown_and_no_values() {
        let set = [("AWS_ACCESS_KEY_ID", "planted"), ("SSL_CERT_FILE", "/planted.pem"), ("AWS_PROFILE", "planted")];
        let around = Surroundings::of_variables(&|name| {
            set.iter().find(|(n, _)| *n == name).map(|(_, value)| (*value).to_owned())
        });
        let fact = ClientFact::new(around);
        let json = serde_json::to_string(&fact).unwrap();
        assert!(!json.contains("planted"), "{json}");
        assert_eq!(fact.variables, ["AWS_ACCESS_KEY_ID", "AWS_PROFILE", "SSL_CERT_FILE"]);
        assert_eq!(fact.authorities_of, ["SSL_CERT_FILE"]);
    }
}
