//! Which credentials a client takes at AWS, and which STS it asks: from its own rules and what it finds, with names only.

use super::behaviour::{AwsBehaviour, EmptyKeys, EndpointForm, Next, NoRegion, Scope, SharedProfile, UnknownProfile};
use super::surroundings::{ProfileKeys, Surroundings, TokenFile};

/// Where a client's credentials come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AwsSource {
    /// Keys of `AWS_ACCESS_KEY_ID` and `AWS_SECRET_ACCESS_KEY`.
    VariableKeys,
    /// The same, where they are empty: it signs with nothing.
    EmptyKeys,
    /// Keys of a profile of the shared files.
    ProfileKeys(SharedProfile),
    /// The exchanged token.
    WebIdentity,
    /// The exchange is asked for with an empty token, or without a role.
    Unfit,
    /// Whatever a container's address answers.
    Container,
    /// The machine's role, where it has one.
    Machine,
    /// None: requests go out unsigned.
    Anonymous,
    /// None: it ends with an error.
    Error,
}

/// Why it is not the exchanged token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Because {
    VariableKeys,
    EmptyKeys,
    ProfileKeys(SharedProfile),
    UnknownProfile,
    TokenFileNotSet,
    RoleNotSet,
    TokenFileMissing,
    TokenFileDenied,
    TokenFileEmpty,
    /// No variable that it reads has a region.
    NoRegion,
    /// This variable's endpoint is none that it can take.
    Endpoint(&'static str),
}

/// Which STS a client asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sts {
    Host(String),
    /// The endpoint of this variable.
    Endpoint(&'static str),
    /// That of the bucket's region.
    OfBucket,
    /// None, as this variable's endpoint has not the form that it takes.
    Unfit(&'static str),
    /// None, as it has no region.
    NoRegion(NoRegion),
}

impl Sts {
    /// The region that a condition about the endpoint sees: the global STS is in us-east-1.
    pub fn region(&self) -> Option<&str> {
        match self {
            Sts::Host(host) if host == GLOBAL => Some("us-east-1"),
            Sts::Host(host) => host.split('.').nth(1).filter(|region| region.contains('-')),
            Sts::Endpoint(_) | Sts::OfBucket | Sts::Unfit(_) | Sts::NoRegion(_) => None,
        }
    }

    /// What a person reads.
    pub fn in_words(&self) -> String {
        match self {
            Sts::Host(host) => host.clone(),
            Sts::Endpoint(variable) => format!("the endpoint of {variable}"),
            Sts::OfBucket => "the STS of the bucket's region".to_owned(),
            Sts::Unfit(variable) => format!("no STS: {variable} has another form"),
            Sts::NoRegion(_) => "no STS: no region".to_owned(),
        }
    }
}

/// What a client takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AwsChoice {
    pub source: AwsSource,
    /// Absent where the token is exchanged.
    pub because: Option<Because>,
    pub sts: Sts,
    /// The variable that its region is from.
    pub region_from: Option<&'static str>,
}

/// What a client takes where it starts.
pub fn choose(client: &AwsBehaviour, around: &Surroundings) -> AwsChoice {
    let sts = sts(client, around);
    let region_from = around.first_set(&client.region_variables).map(|(name, _)| name);
    let (source, because) = match source(client, around) {
        (AwsSource::WebIdentity, _) => exchange(client, &sts),
        (source, because) => (source, because),
    };
    AwsChoice { source, because, sts, region_from }
}

fn source(client: &AwsBehaviour, around: &Surroundings) -> (AwsSource, Option<Because>) {
    let is_there = |name| around.present(name).is_some();
    let keys = ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"];
    if around.present("AWS_PROFILE").is_some()
        && around.named_profile == ProfileKeys::NoProfile
        && client.unknown_profile == UnknownProfile::Fails
    {
        return (AwsSource::Error, Some(Because::UnknownProfile));
    }
    if keys.iter().all(|name| around.set(name).is_some()) {
        return (AwsSource::VariableKeys, Some(Because::VariableKeys));
    }
    if keys.into_iter().all(is_there) {
        match client.empty_keys {
            EmptyKeys::Ignored => {}
            EmptyKeys::Taken => return (AwsSource::EmptyKeys, Some(Because::EmptyKeys)),
            EmptyKeys::Fails => return (AwsSource::Error, Some(Because::EmptyKeys)),
        }
    }
    if let Some(profile) = client.profiles_first.iter().copied().find(|one| has_keys(*one, client, around)) {
        return (AwsSource::ProfileKeys(profile), Some(Because::ProfileKeys(profile)));
    }
    let (file, role) = (around.set("AWS_WEB_IDENTITY_TOKEN_FILE"), around.set("AWS_ROLE_ARN"));
    let otherwise = |next, because| (after(next, client), Some(because));
    match (file, role, around.token_file) {
        (None, _, _) => (without_token(client, around), Some(Because::TokenFileNotSet)),
        (Some(_), None, _) => otherwise(client.without_role, Because::RoleNotSet),
        (Some(_), Some(_), TokenFile::Missing) => otherwise(client.file_missing, Because::TokenFileMissing),
        (Some(_), Some(_), TokenFile::Denied) => otherwise(client.file_missing, Because::TokenFileDenied),
        (Some(_), Some(_), TokenFile::Empty) => otherwise(client.file_empty, Because::TokenFileEmpty),
        (Some(_), Some(_), TokenFile::Full) => (AwsSource::WebIdentity, None),
    }
}

fn has_keys(profile: SharedProfile, client: &AwsBehaviour, around: &Surroundings) -> bool {
    let reads_named = client.profiles_first.contains(&SharedProfile::Named);
    match profile {
        SharedProfile::Named => around.set("AWS_PROFILE").is_some() && around.named_profile == ProfileKeys::Keys,
        SharedProfile::Default if reads_named && around.set("AWS_PROFILE").is_some() => false,
        SharedProfile::Default => around.default_profile == ProfileKeys::Keys,
    }
}

/// What comes where the variables name no token at all.
fn without_token(client: &AwsBehaviour, around: &Surroundings) -> AwsSource {
    let profile = match around.set("AWS_PROFILE") {
        Some(_) => (SharedProfile::Named, around.named_profile),
        None => (SharedProfile::Default, around.default_profile),
    };
    let container = ["AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "AWS_CONTAINER_CREDENTIALS_FULL_URI"];
    match profile {
        (profile, ProfileKeys::Keys) => AwsSource::ProfileKeys(profile),
        _ if around.first_set(&container).is_some() => AwsSource::Container,
        _ => after(Next::Machine, client),
    }
}

fn after(next: Next, client: &AwsBehaviour) -> AwsSource {
    match next {
        Next::Fails | Next::Stops => AwsSource::Error,
        Next::Machine => AwsSource::Machine,
        Next::Anonymous => AwsSource::Anonymous,
        Next::Sent => AwsSource::Unfit,
    }
    .or_anonymous(client)
}

impl AwsSource {
    /// What a person reads.
    pub const fn in_words(self) -> &'static str {
        match self {
            AwsSource::VariableKeys => "the keys of the environment",
            AwsSource::EmptyKeys => "the environment's empty keys",
            AwsSource::ProfileKeys(SharedProfile::Named) => "the keys of the profile that AWS_PROFILE names",
            AwsSource::ProfileKeys(SharedProfile::Default) => "the keys of the shared files' default profile",
            AwsSource::WebIdentity => "the web identity",
            AwsSource::Unfit => "an exchange that STS refuses",
            AwsSource::Container => "the container's credentials",
            AwsSource::Machine => "the machine's role",
            AwsSource::Anonymous => "nothing, and asks unsigned",
            AwsSource::Error => "nothing, and ends with an error",
        }
    }

    /// A client that ends without credentials may go on without any.
    fn or_anonymous(self, client: &AwsBehaviour) -> AwsSource {
        match (self, client.without_any) {
            (AwsSource::Error, Next::Anonymous) => AwsSource::Anonymous,
            (source, _) => source,
        }
    }

    /// What takes its place on a machine that has no role.
    pub fn without_machine(self, client: &AwsBehaviour) -> AwsSource {
        match self {
            AwsSource::Machine => AwsSource::Error.or_anonymous(client),
            source => source,
        }
    }
}

/// What becomes of the exchange, once it is known which STS is asked.
fn exchange(client: &AwsBehaviour, sts: &Sts) -> (AwsSource, Option<Because>) {
    match sts {
        Sts::Host(_) | Sts::Endpoint(_) | Sts::OfBucket => (AwsSource::WebIdentity, None),
        Sts::Unfit(variable) => (after(client.refused, client), Some(Because::Endpoint(variable))),
        Sts::NoRegion(NoRegion::Machine) => (AwsSource::Machine, Some(Because::NoRegion)),
        Sts::NoRegion(_) => (AwsSource::Error, Some(Because::NoRegion)),
    }
}

fn sts(client: &AwsBehaviour, around: &Surroundings) -> Sts {
    let honours = |name: &str| client.honours.iter().any(|one| one == name);
    if let Some((variable, url)) = endpoint(client, around) {
        return match (client.endpoint_form.unwrap_or_default(), url.contains("://")) {
            (EndpointForm::Url, true) | (EndpointForm::Host, false) => Sts::Endpoint(variable),
            (EndpointForm::Url, false) | (EndpointForm::Host, true) => Sts::Unfit(variable),
        };
    }
    let legacy = around.set("AWS_STS_REGIONAL_ENDPOINTS").filter(|_| honours("AWS_STS_REGIONAL_ENDPOINTS"));
    let is_on = |name: &str| honours(name) && around.is_true(name);
    let region = around.first_set(&client.region_variables).map(|(_, region)| region);
    // Some ask the region's STS only where they are told to, and take the region from either variable then.
    let region = region.or_else(|| {
        let told = legacy.filter(|_| client.sts == Scope::Global)?;
        around.first_set(&["AWS_REGION", "AWS_DEFAULT_REGION"]).map(|(_, region)| region).filter(|_| told == "regional")
    });
    let china = around.first_set(&["AWS_REGION", "AWS_DEFAULT_REGION"]).map(|(_, region)| region);
    if let Some(region) = region.or(china).filter(|region| region.starts_with("cn-")) {
        return Sts::Host(client.china_host.replace("{region}", region));
    }
    let Some(region) = region else {
        return match client.without_region {
            NoRegion::Global => Sts::Host(GLOBAL.to_owned()),
            NoRegion::UsEast1 => Sts::Host("sts.us-east-1.amazonaws.com".to_owned()),
            NoRegion::Bucket => Sts::OfBucket,
            none @ (NoRegion::Fails | NoRegion::Machine) => Sts::NoRegion(none),
        };
    };
    let scope = match legacy {
        Some("legacy") => Scope::Global,
        Some("regional") => Scope::Regional,
        _ => client.sts,
    };
    Sts::Host(match scope {
        _ if is_on("AWS_USE_FIPS_ENDPOINT") => format!("sts-fips.{region}.amazonaws.com"),
        _ if is_on("AWS_USE_DUALSTACK_ENDPOINT") => format!("sts.{region}.api.aws"),
        Scope::Global => GLOBAL.to_owned(),
        Scope::Regional => format!("sts.{region}.amazonaws.com"),
    })
}

/// The STS that is in no region.
pub const GLOBAL: &str = "sts.amazonaws.com";

/// The endpoint that this client takes for its STS.
fn endpoint<'a>(client: &AwsBehaviour, around: &'a Surroundings) -> Option<(&'static str, &'a str)> {
    let honours = |name: &str| client.honours.iter().any(|one| one == name);
    if around.is_true(ENDPOINTS_OFF) && honours(ENDPOINTS_OFF) {
        return None;
    }
    let read: Vec<&str> = STS_ENDPOINTS.iter().copied().filter(|name| honours(name)).collect();
    around.first_set(&read)
}

/// The variables of an endpoint of STS, the nearest first.
pub const STS_ENDPOINTS: [&str; 2] = ["AWS_ENDPOINT_URL_STS", "AWS_ENDPOINT_URL"];
/// The variable that switches them off.
pub const ENDPOINTS_OFF: &str = "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS";
