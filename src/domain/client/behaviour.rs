//! The columns: what a client sends, reads and falls back on, at AWS and at Azure.

use serde::{Deserialize, Serialize};

/// What a client does with a web identity at AWS.
#[derive(Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct AwsBehaviour {
    pub token: TokenSent,
    /// The session's name where none is set; `{seconds}`, `{uuid}` and the like stand for what differs each time.
    pub session_name: String,
    /// How long a session it asks for; STS's own hour where it asks for none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duration_s: Option<u32>,
    #[serde(default = "post")]
    pub method: String,
    pub token_in: TokenPlace,
    /// How its user agent begins; it sends none where this is absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_agent: Option<String>,
    /// The variables that it takes the region from, the first that is set.
    pub region_variables: Vec<String>,
    pub without_region: NoRegion,
    /// Which STS it asks where it has a region.
    pub sts: Scope,
    /// The STS that it asks in China; `{region}` stands for the region.
    pub china_host: String,
    /// The variables about endpoints and proxies that change where it sends the token.
    pub honours: Vec<String>,
    /// What an endpoint's variable must hold.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub endpoint_form: Option<EndpointForm>,
    /// The variables that it takes certificate authorities from.
    pub trust_variables: Vec<String>,
    /// Whether it trusts the authorities that the system does.
    pub system_store: bool,
    /// Whose keys in the shared files it takes before a web identity of the environment.
    pub profiles_first: Vec<SharedProfile>,
    /// What it makes of `AWS_ACCESS_KEY_ID` and its secret when they are empty.
    pub empty_keys: EmptyKeys,
    /// What it makes of an `AWS_PROFILE` that the shared files lack, an empty one included.
    pub unknown_profile: UnknownProfile,
    /// What follows where the token's file is set and `AWS_ROLE_ARN` is not.
    pub without_role: Next,
    pub file_missing: Next,
    pub file_empty: Next,
    /// What follows where STS refuses the token.
    pub refused: Next,
    /// What follows where no source has credentials.
    pub without_any: Next,
    /// How long before the session's end it exchanges again; 0 where only after it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refreshes_s: Option<u32>,
    /// The folders in which it keeps sessions.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub caches: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attempts: Option<AwsAttempts>,
}

/// What a client does with a web identity at Azure.
#[derive(Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct AzureBehaviour {
    /// Whether it exchanges a federated token at all.
    #[serde(default = "yes")]
    pub workload_identity: bool,
    #[serde(default)]
    pub token: TokenSent,
    /// The credentials of its chain that go before the federated token.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub before: Vec<String>,
    /// Whether it takes the tenant, the application and the token's file from the environment; it is told them otherwise.
    #[serde(default = "yes")]
    pub reads_variables: bool,
    /// Whether `AZURE_TOKEN_CREDENTIALS` narrows its chain.
    #[serde(default)]
    pub reads_token_credentials: bool,
    /// An `AZURE_AUTHORITY_HOST` with the tenant in it.
    #[serde(default)]
    pub tenant_in_authority: Authority,
    /// An `AZURE_AUTHORITY_HOST` over plain http.
    #[serde(default)]
    pub http_authority: Authority,
    /// An `AZURE_AUTHORITY_HOST` without a scheme.
    #[serde(default)]
    pub bare_authority: Authority,
    /// Whether it sends the token only where `AZURE_AUTHORITY_HOST` is set and ends in a slash.
    #[serde(default)]
    pub needs_authority: bool,
    /// The hosts that it asks about the authority before it sends the token to one that is not Microsoft's.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub asks_first: Vec<String>,
    /// The authority that it takes for the former one in China.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub china_authority: Option<String>,
    #[serde(default)]
    pub file_missing: Next,
    /// What follows where Entra refuses the token.
    #[serde(default)]
    pub refused: Next,
    /// The variables that it takes certificate authorities from.
    #[serde(default)]
    pub trust_variables: Vec<String>,
    /// Whether it trusts the authorities that the system does.
    #[serde(default)]
    pub system_store: bool,
    /// How long it goes on with what it read from the token's file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keeps_file_s: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attempts: Option<AzureAttempts>,
}

macro_rules! words {
    ($(#[doc = $doc:literal])* $name:ident { $($(#[$meta:meta])* $variant:ident,)* }) => {
        $(#[doc = $doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, strum::IntoStaticStr)]
        #[serde(rename_all = "kebab-case")]
        #[strum(serialize_all = "kebab-case")]
        pub enum $name { $($(#[$meta])* $variant,)* }
    };
}

words! {
    /// How the token's file is sent.
    TokenSent {
        /// With its line feed, and whatever else stands around the token.
        #[default]
        AsIs,
        Trimmed,
    }
}
words! {
    /// Where the token stands in the request. An address is kept in logs.
    TokenPlace {
        #[default]
        Body,
        Address,
    }
}
words! {
    /// Which STS is asked.
    Scope {
        #[default]
        Regional,
        Global,
    }
}
words! {
    /// What follows where no region is known.
    NoRegion {
        /// The global STS.
        Global,
        #[serde(rename = "us-east-1")]
        #[strum(serialize = "us-east-1")]
        UsEast1,
        /// The STS of the bucket's region.
        Bucket,
        #[default]
        Fails,
        /// The token is not sent; the machine's role is taken, where it has one.
        Machine,
    }
}
words! {
    /// What an endpoint's variable must hold.
    EndpointForm {
        /// A URL with its scheme.
        #[default]
        Url,
        /// A host name without a scheme.
        Host,
    }
}
words! {
    /// A profile of the shared files that has keys.
    SharedProfile {
        /// The one that `AWS_PROFILE` names.
        #[default]
        Named,
        Default,
    }
}
words! {
    /// What becomes of empty keys.
    EmptyKeys {
        #[default]
        Ignored,
        /// Requests are signed with them.
        Taken,
        Fails,
    }
}
words! {
    /// What becomes of a profile's name that no file has.
    UnknownProfile {
        #[default]
        Ignored,
        Fails,
    }
}
words! {
    /// What follows where a web identity is not to be had.
    Next {
        #[default]
        Fails,
        Stops,
        /// The machine's own role or identity is taken, and nothing is said.
        Machine,
        /// Requests go out unsigned.
        Anonymous,
        /// It is sent nevertheless.
        Sent,
    }
}
words! {
    /// What becomes of an authority's form.
    Authority {
        #[default]
        Fails,
        Taken,
        /// It is read as `https://`.
        Https,
        /// The token is not sent; the machine's identity is taken.
        Machine,
    }
}

/// How often it sends a token that STS answers so.
#[derive(Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct AwsAttempts {
    pub denied: u8,
    pub invalid: u8,
    pub expired: u8,
    pub idp_communication: u8,
    pub unavailable: u8,
}

/// How often it sends a token that Entra answers so.
#[derive(Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct AzureAttempts {
    pub refused: u8,
    pub throttled: u8,
    pub unavailable: u8,
}

impl AwsAttempts {
    /// How often it asks where STS answers with this code.
    pub fn after(&self, code: &str) -> Option<u8> {
        match code {
            "AccessDenied" => Some(self.denied),
            "InvalidIdentityToken" => Some(self.invalid),
            "ExpiredToken" | "ExpiredTokenException" => Some(self.expired),
            "IDPCommunicationError" => Some(self.idp_communication),
            "ServiceUnavailable" | "InternalFailure" => Some(self.unavailable),
            _ => None,
        }
    }
}

impl AzureAttempts {
    /// How often it asks where Entra answers with this status.
    pub fn after(&self, http_status: u16) -> u8 {
        match http_status {
            429 => self.throttled,
            500.. => self.unavailable,
            _ => self.refused,
        }
    }
}

fn post() -> String {
    "POST".to_owned()
}

fn yes() -> bool {
    true
}
