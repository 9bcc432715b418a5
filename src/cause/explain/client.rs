//! Whose text it is, and whether that client keeps the cloud's answer to itself.
//!
//! Many clients treat a refused exchange as one source of credentials that had none, go on to the next, and report what came of
//! the last. Such a text has no cause in it, and what it speaks of (the machine's metadata, an anonymous denial) misleads.

use serde::Serialize;

use super::scan::Scan;
use crate::cause::Cause;
use crate::domain::client::Client;
use crate::domain::ids::Cloud;

/// The client that printed a text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PrintedBy {
    pub name: String,
    /// Whether it has swallowed the cloud's answer.
    pub hides: bool,
    /// What may be behind a text whose answer was swallowed, the likeliest first.
    pub instead: Vec<Cause>,
    /// The one setting or command that shows the answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub see: Option<String>,
    /// What the form of its requests says, where the text has them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
}

/// What AWS STS refuses an exchange for, and what keeps one from reaching it.
const AT_AWS: &[Cause] = &[
    Cause::SubMismatch,
    Cause::AudMismatch,
    Cause::ProviderMissing,
    Cause::AudNotRegistered,
    Cause::TokenExpired,
    Cause::JwksUnreachable,
    Cause::RegionDisabled,
    Cause::StsUnreachable,
    Cause::Dns,
    Cause::TlsUntrusted,
    Cause::EnvNotSet,
    Cause::Transient,
];
const AT_AZURE: &[Cause] = &[
    Cause::SubMismatch,
    Cause::IssMismatch,
    Cause::AudMismatch,
    Cause::TokenExpired,
    Cause::TenantWrong,
    Cause::ClientWrong,
    Cause::ClientSecretWrong,
    Cause::Dns,
    Cause::ConnectRefused,
    Cause::TlsUntrusted,
    Cause::Throttled,
    Cause::Transient,
];
const AT_GCP: &[Cause] = &[
    Cause::WrongProviderName,
    Cause::AudMismatch,
    Cause::IssMismatch,
    Cause::AttributeCondition,
    Cause::PrincipalsetMismatch,
    Cause::TokenExpired,
    Cause::JwksUnreachable,
    Cause::CredentialFileKind,
    Cause::EnvNotSet,
    Cause::Dns,
    Cause::TlsUntrusted,
    Cause::Transient,
];
/// What never gets as far as an answer.
const NETWORK: &[Cause] =
    &[Cause::Dns, Cause::ConnectRefused, Cause::ConnectTimeout, Cause::TlsUntrusted, Cause::Proxy, Cause::Transient];

/// The client whose text this is; among several the one that hides an answer, then the one known by its longest words.
pub(super) fn printed_by(text: &str, scan: &Scan, cloud: Option<Cloud>) -> Option<PrintedBy> {
    let mut known = scan.clients.clone();
    known.sort_by_key(|(_, length)| std::cmp::Reverse(*length));
    let has_answer = scan.has_message() || !scan.entra_codes.is_empty();
    let clients = || known.iter().filter_map(|(id, _)| Client::named(id));
    let hiding = || clients().find(|client| client.prints.as_ref().is_some_and(|prints| prints.is_swallowed_in(text)));
    let hidden_by = if has_answer { None } else { hiding() };
    let Some(client) = hidden_by else {
        return clients().next().map(|client| PrintedBy {
            name: client.name.clone(),
            hides: false,
            instead: Vec::new(),
            see: None,
            notes: Vec::new(),
        });
    };
    let see = client.prints.as_ref().and_then(|prints| prints.see.clone());
    Some(PrintedBy {
        name: client.name.clone(),
        hides: true,
        instead: candidates(text, client, cloud).to_vec(),
        see: Some(see.unwrap_or_else(|| format!("trustline check --as {}", client.id))),
        notes: Vec::new(),
    })
}

fn candidates(text: &str, client: &Client, cloud: Option<Cloud>) -> &'static [Cause] {
    let clouds: Vec<Cloud> =
        [Cloud::Aws, Cloud::Azure, Cloud::Gcp].into_iter().filter(|cloud| client.is_of(*cloud)).collect();
    let asked = match clouds.as_slice() {
        [only] => Some(*only),
        _ => cloud.or_else(|| store_of(text)),
    };
    match asked {
        _ if text.contains("network_error") => NETWORK,
        Some(Cloud::Azure) => AT_AZURE,
        Some(Cloud::Gcp) => AT_GCP,
        Some(Cloud::Aws) | None => AT_AWS,
    }
}

/// The cloud whose store a client names by its own word.
fn store_of(text: &str) -> Option<Cloud> {
    const WORDS: &[(&str, Cloud)] = &[
        ("service: az", Cloud::Azure),
        ("/vsiaz/", Cloud::Azure),
        ("abfs", Cloud::Azure),
        ("service: gcs", Cloud::Gcp),
        ("/vsigs/", Cloud::Gcp),
    ];
    WORDS.iter().find(|(word, _)| text.contains(word)).map(|(_, cloud)| *cloud)
}

#[cfg(test)]
mod tests {
    use super::super::{ExplainContext, explain};
    use super::*;

    fn printed(text: &str) -> (Option<PrintedBy>, usize) {
        let explanation = explain(text, &ExplainContext::default());
        (explanation.client, explanation.causes.len())
    }

    #[test]
    fn a_swallowed_answer_has_candidates_and_no_cause() {
        for (text, client, first) in [
            (
                "opendal.exceptions.Unexpected: signing http request\nContext:\n   called: reqsign::Sign\n   service: s3\n\
                 Source:\n   failed to load signing credential",
                "opendal",
                Cause::SubMismatch,
            ),
            (
                "called: reqsign::Sign\n   service: gcs\nSource:\n   failed to load signing credential",
                "opendal",
                Cause::WrongProviderName,
            ),
            (
                "AwsCrtError: AWS_AUTH_CREDENTIALS_PROVIDER_STS_WEB_IDENTITY_SOURCE_FAILURE: Valid credentials could not be \
                 sourced by the sts web identity provider",
                "awscrt",
                Cause::SubMismatch,
            ),
            (
                "Fatal: unable to open config file: Stat: Access Denied.\nIs there a repository at the following location?",
                "restic",
                Cause::SubMismatch,
            ),
            (
                "CredentialsError: Missing credentials in config, if using AWS_CONFIG_FILE, set AWS_SDK_LOAD_CONFIG=1",
                "js-v2",
                Cause::SubMismatch,
            ),
            (
                "AuthenticationRequiredError: network_error: See https://aka.ms/msal.js.errors#network_error for details",
                "azure-js-workload",
                Cause::Dns,
            ),
            (
                "pyarrow.lib.ArrowException: Unknown error: AuthenticationException: Failed to get token from \
                 DefaultAzureCredential.",
                "pyarrow",
                Cause::SubMismatch,
            ),
        ] {
            let (printed, causes) = printed(text);
            let printed = printed.unwrap_or_else(|| panic!("{text}"));
            assert_eq!(printed.name, Client::named(client).unwrap().name, "{text}");
            assert!(printed.hides && printed.see.is_some() && causes == 0, "{printed:?} {text}");
            assert_eq!(printed.instead.first(), Some(&first), "{text}");
        }
    }

    #[test]
    fn an_answer_in_the_text_is_not_hidden_whoever_printed_it() {
        let denied = "AccessDenied: Not authorized to perform sts:AssumeRoleWithWebIdentity";
        for text in [
            format!("botocore.exceptions.ClientError: {denied}"),
            format!("called: reqsign::Sign\nfailed to load signing credential, source: {denied}"),
            "AuthenticationRequiredError: network_error AADSTS7000999: something new".to_owned(),
        ] {
            let (printed, causes) = printed(&text);
            assert!(printed.is_some_and(|printed| !printed.hides) && causes > 0, "{text}");
        }
    }

    #[test]
    fn a_text_of_nobody_known_has_no_client() {
        assert_eq!(printed("AccessDenied: Not authorized to perform sts:AssumeRoleWithWebIdentity").0, None);
        assert_eq!(printed("signing http request").0, None);
    }
}
