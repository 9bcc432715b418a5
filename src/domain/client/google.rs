//! What a client does with Google's credential file, and whose credentials it takes: from its own rules and what it finds.

use serde::{Deserialize, Serialize};

use super::behaviour::{Next, TokenSent};
use super::surroundings::{Surroundings, TokenFile};

/// The variable that names the credential file.
pub const CREDENTIAL_FILE: &str = "GOOGLE_APPLICATION_CREDENTIALS";
/// The variable that names the project.
pub const PROJECT: &str = "GOOGLE_CLOUD_PROJECT";

/// What a client does with a web identity at Google.
#[derive(Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct GoogleBehaviour {
    /// Whether it reads `GOOGLE_APPLICATION_CREDENTIALS` at all.
    #[serde(default = "yes")]
    pub reads_variable: bool,
    /// Whether it knows files of the kind `external_account`.
    #[serde(default = "yes")]
    pub external_account: bool,
    #[serde(default)]
    pub token: TokenSent,
    /// What follows where it does not read the variable, or does not know the file's kind.
    #[serde(default)]
    pub otherwise: Next,
    /// What follows where the variable names no file.
    #[serde(default)]
    pub credential_file_missing: Next,
    #[serde(default)]
    pub file_missing: Next,
    /// What follows where STS refuses the token.
    #[serde(default)]
    pub refused: Next,
    /// Whether it asks Resource Manager for a project that no variable names, and ends where that is refused.
    #[serde(default)]
    pub needs_project: bool,
    /// The variables that it takes certificate authorities from.
    #[serde(default)]
    pub trust_variables: Vec<String>,
    /// Whether it trusts the authorities that the system does.
    #[serde(default)]
    pub system_store: bool,
    /// How long before the access token's end it exchanges again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refreshes_s: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attempts: Option<GoogleAttempts>,
}

/// How often it sends a token that Google's STS answers so.
#[derive(Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct GoogleAttempts {
    pub refused: u8,
    /// After 429 and 5xx alike.
    pub unavailable: u8,
}

impl GoogleAttempts {
    /// How often it asks where STS answers with this status.
    pub fn after(&self, http_status: u16) -> u8 {
        match http_status {
            429 | 500.. => self.unavailable,
            _ => self.refused,
        }
    }
}

const fn yes() -> bool {
    true
}

/// Where a client's access token comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GoogleSource {
    /// The exchanged token.
    WorkloadIdentity,
    /// The machine's service account, where it has one.
    Machine,
    /// None: requests go out unsigned.
    Anonymous,
    /// None: it ends with an error.
    Error,
}

impl GoogleSource {
    /// What a person reads.
    pub const fn in_words(self) -> &'static str {
        match self {
            GoogleSource::WorkloadIdentity => "the workload identity",
            GoogleSource::Machine => "the machine's service account",
            GoogleSource::Anonymous => "nothing, and goes out unsigned",
            GoogleSource::Error => "nothing, and ends with an error",
        }
    }

    const fn of(next: Next) -> Self {
        match next {
            Next::Machine => GoogleSource::Machine,
            Next::Anonymous => GoogleSource::Anonymous,
            Next::Fails | Next::Stops => GoogleSource::Error,
            Next::Sent => GoogleSource::WorkloadIdentity,
        }
    }
}

/// Why it is not the exchanged token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GoogleBecause {
    /// It does not read the variable.
    NotRead,
    /// It does not know the file's kind.
    KindUnknown,
    NotSet(&'static str),
    CredentialFileMissing,
    TokenFileMissing,
    TokenFileDenied,
    TokenFileEmpty,
}

/// What a client takes where it starts.
pub fn choose(client: &GoogleBehaviour, around: &Surroundings) -> (GoogleSource, Option<GoogleBecause>) {
    let otherwise = |because| (GoogleSource::of(client.otherwise), Some(because));
    if !client.reads_variable {
        return otherwise(GoogleBecause::NotRead);
    }
    if around.set(CREDENTIAL_FILE).is_none() {
        return (GoogleSource::Machine, Some(GoogleBecause::NotSet(CREDENTIAL_FILE)));
    }
    if around.credential_file == TokenFile::Missing {
        let source = GoogleSource::of(client.credential_file_missing);
        return (source, Some(GoogleBecause::CredentialFileMissing));
    }
    if !client.external_account {
        return otherwise(GoogleBecause::KindUnknown);
    }
    let of_file = match around.token_file {
        TokenFile::Full => None,
        TokenFile::Missing => Some((GoogleSource::of(client.file_missing), GoogleBecause::TokenFileMissing)),
        TokenFile::Denied => Some((GoogleSource::of(client.file_missing), GoogleBecause::TokenFileDenied)),
        TokenFile::Empty => Some((GoogleSource::Error, GoogleBecause::TokenFileEmpty)),
    };
    match of_file {
        Some((source, because)) => (source, Some(because)),
        None if client.needs_project && around.set(PROJECT).is_none() => {
            (GoogleSource::WorkloadIdentity, Some(GoogleBecause::NotSet(PROJECT)))
        }
        None => (GoogleSource::WorkloadIdentity, None),
    }
}

#[cfg(test)]
mod tests {
    use super::super::Client;
    use super::*;

    /// What was seen of each: the file as it should be, no credential file under its name, no token's file, the variable not
    /// set; and what follows a refusal.
    #[test]
    fn each_client_takes_what_it_was_seen_to_take() {
        use GoogleSource::{Anonymous, Error, Machine, WorkloadIdentity};
        for (id, right, no_credentials, no_token, refused) in [
            ("google-auth", WorkloadIdentity, Error, Error, Next::Stops),
            ("google-secret-manager", WorkloadIdentity, Error, Error, Next::Stops),
            ("google-secret-manager-rest", WorkloadIdentity, Error, Error, Next::Stops),
            ("google-storage", WorkloadIdentity, Error, Error, Next::Stops),
            ("google-auth-library", WorkloadIdentity, Error, Error, Next::Stops),
            ("google-secret-manager-js", WorkloadIdentity, Error, Error, Next::Stops),
            ("google-secret-manager-js-rest", WorkloadIdentity, Error, Error, Next::Stops),
            ("google-storage-js", WorkloadIdentity, Error, Error, Next::Stops),
            ("firebase-admin", WorkloadIdentity, Error, Error, Next::Stops),
            ("google-rust", WorkloadIdentity, Error, Error, Next::Stops),
            ("gcsfs", WorkloadIdentity, Machine, Error, Next::Stops),
            ("rclone-1.75", WorkloadIdentity, Error, Error, Next::Stops),
            ("pyarrow", WorkloadIdentity, Error, Error, Next::Stops),
            ("polars", WorkloadIdentity, Error, Error, Next::Stops),
            ("opendal", WorkloadIdentity, Machine, Machine, Next::Machine),
            ("obstore", Error, Error, Error, Next::Fails),
            ("deltalake", Error, Error, Error, Next::Fails),
            ("tensorstore", Machine, Machine, Machine, Next::Fails),
            ("gdal", Error, Error, Error, Next::Fails),
            ("rasterio", Error, Error, Error, Next::Fails),
            ("daft-google", Machine, Machine, Machine, Next::Fails),
            ("gsutil", Anonymous, Anonymous, Anonymous, Next::Fails),
            ("gcloud", Error, Error, Error, Next::Fails),
        ] {
            let google = Client::named(id).and_then(|client| client.google.as_ref()).unwrap_or_else(|| panic!("{id}"));
            let set = |name: &str| [CREDENTIAL_FILE, PROJECT].contains(&name).then(|| "x".to_owned());
            let whole = Surroundings::of_variables(&set);
            let without = Surroundings { credential_file: TokenFile::Missing, ..whole.clone() };
            let tokenless = Surroundings { token_file: TokenFile::Missing, ..whole.clone() };
            let found = [&whole, &without, &tokenless].map(|around| choose(google, around).0);
            assert_eq!((found, google.refused), ([right, no_credentials, no_token], refused), "{id}");
        }
    }

    #[test]
    fn a_project_is_missed_by_those_alone_that_end_without_it() {
        let set = |name: &str| (name == CREDENTIAL_FILE).then(|| "x".to_owned());
        let around = Surroundings::of_variables(&set);
        let missing = |id: &str| choose(Client::named(id).unwrap().google.as_ref().unwrap(), &around).1;
        assert_eq!(missing("google-auth-library"), Some(GoogleBecause::NotSet(PROJECT)));
        assert_eq!(missing("google-secret-manager-js"), None);
        assert_eq!(missing("google-auth"), None);
    }

    #[test]
    fn attempts_go_by_the_answer() {
        let attempts = GoogleAttempts { refused: 1, unavailable: 4 };
        assert_eq!([400, 403, 429, 503].map(|status| attempts.after(status)), [1, 1, 4, 4]);
    }
}
