//! Which credential a client takes at Azure, and which authority it asks: from its own rules and what it finds.

use super::behaviour::{Authority, AzureBehaviour, Next};
use super::surroundings::{Surroundings, TokenFile};

/// Where a client's access token comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AzureSource {
    /// The exchanged token.
    WorkloadIdentity,
    /// An assertion is sent that is no token.
    Unfit,
    /// A client secret, a certificate or a user's password of the variables.
    Environment,
    /// Whoever is signed in to a developer's tools.
    Developer,
    /// The machine's identity, where it has one.
    Machine,
    /// None: it ends with an error.
    Error,
}

impl AzureSource {
    /// What a person reads.
    pub const fn in_words(self) -> &'static str {
        match self {
            AzureSource::WorkloadIdentity => "the workload identity",
            AzureSource::Unfit => "an exchange that Entra refuses",
            AzureSource::Environment => "the variables' secret",
            AzureSource::Developer => "a developer's tools",
            AzureSource::Machine => "the machine's identity",
            AzureSource::Error => "nothing, and ends with an error",
        }
    }
}

/// Why it is not the exchanged token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AzureBecause {
    /// It exchanges no federated token.
    NoWorkloadIdentity,
    /// This variable's secret goes first.
    Secret(&'static str),
    /// `AZURE_TOKEN_CREDENTIALS` leaves the exchange out.
    Narrowed,
    NotSet(&'static str),
    TokenFileMissing,
    TokenFileDenied,
    TokenFileEmpty,
    /// `AZURE_AUTHORITY_HOST` is not set, or does not end in a slash.
    NoAuthority,
    /// `AZURE_AUTHORITY_HOST` names the tenant too.
    TenantInAuthority,
    PlainHttp,
    NoScheme,
}

/// What a client takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AzureChoice {
    pub source: AzureSource,
    /// Absent where the token is exchanged.
    pub because: Option<AzureBecause>,
    /// The host that is asked for the access token, where one is.
    pub authority: Option<String>,
}

/// The authority of Microsoft's public cloud.
const PUBLIC: &str = "login.microsoftonline.com";
const FORMERLY_IN_CHINA: &str = "login.chinacloudapi.cn";
const AUTHORITY: &str = "AZURE_AUTHORITY_HOST";

/// What a client takes where it starts.
pub fn choose(client: &AzureBehaviour, around: &Surroundings) -> AzureChoice {
    let otherwise = |source, because| AzureChoice { source, because: Some(because), authority: None };
    if !client.workload_identity {
        return otherwise(AzureSource::Machine, AzureBecause::NoWorkloadIdentity);
    }
    if !client.reads_variables {
        let written = around.set(AUTHORITY).map(|written| written.split_once("://").map_or(written, |(_, rest)| rest));
        let host = written.and_then(|rest| rest.split('/').next()).unwrap_or(PUBLIC);
        return AzureChoice { source: AzureSource::WorkloadIdentity, because: None, authority: Some(host.to_owned()) };
    }
    let chooser = around.set("AZURE_TOKEN_CREDENTIALS").filter(|_| client.reads_token_credentials);
    match chooser.map(str::to_ascii_lowercase).as_deref() {
        Some("dev") => return otherwise(AzureSource::Developer, AzureBecause::Narrowed),
        Some("managedidentitycredential") => return otherwise(AzureSource::Machine, AzureBecause::Narrowed),
        Some("environmentcredential") => return otherwise(AzureSource::Environment, AzureBecause::Narrowed),
        Some("prod") | None => {
            if let Some(secret) = secret_that_goes_first(client, around) {
                return otherwise(AzureSource::Environment, AzureBecause::Secret(secret));
            }
        }
        Some("workloadidentitycredential") => {}
        Some(_) => return otherwise(AzureSource::Developer, AzureBecause::Narrowed),
    }
    let needed = ["AZURE_FEDERATED_TOKEN_FILE", "AZURE_CLIENT_ID", "AZURE_TENANT_ID"];
    if let Some(missing) = needed.into_iter().find(|name| around.set(name).is_none()) {
        return otherwise(AzureSource::Machine, AzureBecause::NotSet(missing));
    }
    let (source, because, authority) = authority(client, around);
    if because.is_some() {
        return AzureChoice { source, because, authority };
    }
    let of_file =
        |next, because| AzureChoice { source: after(next), because: Some(because), authority: authority.clone() };
    match around.token_file {
        TokenFile::Full => AzureChoice { source, because: None, authority },
        TokenFile::Missing => of_file(client.file_missing, AzureBecause::TokenFileMissing),
        TokenFile::Denied => of_file(client.file_missing, AzureBecause::TokenFileDenied),
        TokenFile::Empty => of_file(Next::Sent, AzureBecause::TokenFileEmpty),
    }
}

/// What the chain's first credential finds in the variables.
fn secret_that_goes_first(client: &AzureBehaviour, around: &Surroundings) -> Option<&'static str> {
    if !client.before.iter().any(|credential| credential == "environment") {
        return None;
    }
    let secret = around.first_set(&["AZURE_CLIENT_SECRET", "AZURE_CLIENT_CERTIFICATE_PATH"]).map(|(name, _)| name);
    let user = around.set("AZURE_USERNAME").and(around.set("AZURE_PASSWORD")).map(|_| "AZURE_PASSWORD");
    secret.or(user)
}

fn after(next: Next) -> AzureSource {
    match next {
        Next::Machine => AzureSource::Machine,
        Next::Sent => AzureSource::Unfit,
        Next::Fails | Next::Stops | Next::Anonymous => AzureSource::Error,
    }
}

/// What becomes of the authority's form, and the host that is asked.
fn authority(client: &AzureBehaviour, around: &Surroundings) -> (AzureSource, Option<AzureBecause>, Option<String>) {
    let Some(written) = around.set(AUTHORITY) else {
        return match client.needs_authority {
            true => (AzureSource::Machine, Some(AzureBecause::NoAuthority), None),
            false => (AzureSource::WorkloadIdentity, None, Some(PUBLIC.to_owned())),
        };
    };
    if client.needs_authority && !written.ends_with('/') {
        return (AzureSource::Machine, Some(AzureBecause::NoAuthority), None);
    }
    let (scheme, rest) = written.split_once("://").unwrap_or(("", written));
    let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
    let host = match &client.china_authority {
        Some(present) if host == FORMERLY_IN_CHINA => present.clone(),
        _ => host.to_owned(),
    };
    let form = match scheme {
        "https" => None,
        "" => Some((client.bare_authority, AzureBecause::NoScheme)),
        _ => Some((client.http_authority, AzureBecause::PlainHttp)),
    };
    let tenant =
        (!path.trim_matches('/').is_empty()).then_some((client.tenant_in_authority, AzureBecause::TenantInAuthority));
    let hindrance = form.into_iter().chain(tenant).find_map(|(authority, because)| match authority {
        Authority::Taken | Authority::Https => None,
        Authority::Fails => Some((AzureSource::Error, because)),
        Authority::Machine => Some((AzureSource::Machine, because)),
    });
    match hindrance {
        Some((source, because)) => (source, Some(because), None),
        None => (AzureSource::WorkloadIdentity, None, Some(host)),
    }
}
