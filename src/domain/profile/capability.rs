//! The hosts that are the clouds' own, and what a profile's file makes this machine do for it: a program that is run, a
//! file or variable that is read to be sent, hosts that are sent a token or key. The owner of one's own profiles
//! decided that; a file from elsewhere did not ask.

use std::path::PathBuf;

use url::Url;

use super::key::Key;
use super::setting::{Origin, Setting, Value};
use crate::domain::discovery::is_loopback;
use crate::domain::region::PARTITIONS;

/// Something that only the person who runs the checks may decide.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Capability {
    /// Runs this program with these arguments.
    Runs(Vec<String>),
    /// Reads this file and sends what is in it.
    ReadsFile {
        path: PathBuf,
        /// The folder of the profile's file: what is in it came with the profile.
        beside: PathBuf,
        key: Key,
    },
    /// Reads this variable and sends its value.
    ReadsVariable { name: String, key: Key },
    /// Sends a token or a key to this destination, which is none of the clouds' own.
    SendsTo {
        scheme: String,
        host: String,
        port: u16,
        /// The key that names it.
        key: Key,
    },
}

/// The keys whose hosts are sent a token or a key.
const SENT_TO: &[Key] = &[
    Key::EndpointUrl,
    Key::StsEndpointUrl,
    Key::SecretsmanagerEndpointUrl,
    Key::IamEndpointUrl,
    Key::KmsEndpointUrl,
    Key::CloudtrailEndpointUrl,
    Key::IamToolboxEndpointUrl,
    Key::AuthorityHost,
    Key::VaultUrl,
    Key::GcpStsEndpointUrl,
    Key::GcpIamcredentialsEndpointUrl,
    Key::GcpSecretmanagerEndpointUrl,
    Key::GcpIamEndpointUrl,
    Key::GcpResourcemanagerEndpointUrl,
    Key::GcpLoggingEndpointUrl,
    Key::DeploymentUrl,
];
/// The files whose content is sent.
const READ_FILES: &[Key] = &[
    Key::TokenFile,
    Key::AccessKeysCsv,
    Key::ClientSecretFile,
    Key::GcpKeyFile,
    Key::DeploymentTokenFile,
    Key::DeploymentInputs,
];
/// The variables whose value is sent.
const READ_VARIABLES: &[Key] = &[Key::TokenEnv, Key::ClientSecretEnv, Key::DeploymentTokenEnv];

/// What those of the settings make the program do that a file names.
pub fn reaches(settings: &[Setting]) -> Vec<Capability> {
    settings.iter().filter_map(capability).collect()
}

fn capability(setting: &Setting) -> Option<Capability> {
    let Origin::File { path: file, .. } = &setting.origin else { return None };
    match (&setting.value, setting.key) {
        (Value::List(program), Key::TokenCommand) => Some(Capability::Runs(program.clone())),
        (Value::Text(path), key) if READ_FILES.contains(&key) => {
            let beside = file.parent().map(PathBuf::from).unwrap_or_default();
            Some(Capability::ReadsFile { path: path.into(), beside, key })
        }
        (Value::Text(name), key) if READ_VARIABLES.contains(&key) => {
            Some(Capability::ReadsVariable { name: name.clone(), key })
        }
        (Value::Text(url), key) if SENT_TO.contains(&key) => sends_to(&Url::parse(url).ok()?, key),
        _ => None,
    }
}

/// The destination, where it is to be asked about. The clouds are known by their certificates, and this machine by an
/// authority that its user chose to trust, as no public one certifies a loopback address; on plain http whoever listens at the
/// port gets it.
fn sends_to(url: &Url, key: Key) -> Option<Capability> {
    let (host, port) = (url.host_str()?, url.port_or_known_default()?);
    let is_known = url.scheme() == "https" && (is_loopback(url) || port == 443 && is_the_clouds_own(host));
    (!is_known).then(|| Capability::SendsTo { scheme: url.scheme().to_owned(), host: host.to_owned(), port, key })
}

/// The AWS services that are sent a token or a key.
const AWS_SERVICES: &[&str] = &["sts", "secretsmanager", "iam", "kms"];
/// The hosts of services that have one for a whole partition.
const GLOBAL_HOSTS: &[&str] = &["sts.amazonaws.com", "iam.amazonaws.com", "iam.us-gov.amazonaws.com"];
/// What ends the names of dual-stack endpoints, by what ends those of the partition's others
/// (the SDKs' `partitions.json`, `dualStackDnsSuffix`).
const DUAL_STACK: &[(&str, &str)] = &[
    ("amazonaws.com", "api.aws"),
    ("amazonaws.com.cn", "api.amazonwebservices.com.cn"),
    ("amazonaws.eu", "api.amazonwebservices.eu"),
    ("c2s.ic.gov", "api.aws.ic.gov"),
    ("sc2s.sgov.gov", "api.aws.scloud"),
    ("cloud.adc-e.uk", "api.cloud-aws.adc-e.uk"),
    ("csp.hci.ic.gov", "api.aws.hci.ic.gov"),
];
/// Entra's hosts, for every national cloud (<https://learn.microsoft.com/entra/identity-platform/authentication-national-cloud>).
const ENTRA_HOSTS: &[&str] = &[
    "login.microsoftonline.com",
    "login.microsoft.com",
    "sts.windows.net",
    "login.microsoftonline.us",
    "login.partner.microsoftonline.cn",
    "login.chinacloudapi.cn",
];
/// What ends the names of vaults, for every national cloud.
const VAULT_ENDS: &[&str] =
    &[".vault.azure.net", ".vault.azure.cn", ".vault.usgovcloudapi.net", ".vault.microsoftazure.de"];

/// The Google services that are sent a token.
const GOOGLE_SERVICES: &[&str] = &["sts", "iamcredentials", "secretmanager", "iam", "cloudresourcemanager"];
/// The domains that Google's services have: the public one, and those of sovereign universes that are known.
const GOOGLE_DOMAINS: &[&str] = &["googleapis.com"];

/// Whether only a cloud itself can answer at this host, in lower case, with a certificate for it.
pub(super) fn is_the_clouds_own(host: &str) -> bool {
    is_of_aws(host)
        || is_of_google(host)
        || ENTRA_HOSTS.contains(&host)
        || VAULT_ENDS.iter().any(|end| is_one_label_before(host, end))
}

/// Whether a host is an endpoint of those services: the global one, one with mutual TLS, or a regional one
/// (`secretmanager.europe-west3.rep.googleapis.com`).
fn is_of_google(host: &str) -> bool {
    GOOGLE_DOMAINS.iter().any(|domain| {
        let Some(name) = host.strip_suffix(domain).and_then(|name| name.strip_suffix('.')) else { return false };
        let labels: Vec<&str> = name.split('.').collect();
        let is_service = |label: &str| GOOGLE_SERVICES.contains(&label);
        match labels[..] {
            [service] | [service, "mtls"] => is_service(service),
            [service, location, "rep"] => is_service(service) && !location.is_empty(),
            _ => false,
        }
    })
}

/// Whether a host is an endpoint of those services (their endpoint rule sets: regional, FIPS, dual-stack, the global
/// one; and interface endpoints, <https://docs.aws.amazon.com/vpc/latest/privatelink/privatelink-access-aws-services.html>).
fn is_of_aws(host: &str) -> bool {
    if GLOBAL_HOSTS.contains(&host) {
        return true;
    }
    PARTITIONS.iter().any(|partition| {
        let dual_stack = DUAL_STACK.iter().find(|(suffix, _)| *suffix == partition.dns_suffix);
        let own_part = |suffix: &str| host.strip_suffix(suffix)?.strip_suffix('.').map(|name| name.split('.').collect());
        let is_public = |labels: Vec<&str>| matches!(labels[..], [service, region] if is_service(service) && partition.regions.contains(&region));
        let is_private = |labels: Vec<&str>| {
            matches!(labels[..], [endpoint, service, region, "vpce"]
                if endpoint.starts_with("vpce-") && is_service(service) && partition.regions.contains(&region))
        };
        own_part(partition.dns_suffix).is_some_and(|labels: Vec<&str>| is_public(labels.clone()) || is_private(labels))
            || dual_stack.and_then(|(_, suffix)| own_part(suffix)).is_some_and(is_public)
    })
}

fn is_service(label: &str) -> bool {
    AWS_SERVICES.contains(&label.strip_suffix("-fips").unwrap_or(label))
}

fn is_one_label_before(host: &str, end: &str) -> bool {
    host.strip_suffix(end).is_some_and(|name| !name.is_empty() && !name.contains('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from_file(key: Key, value: Value) -> Vec<Capability> {
        let origin = Origin::File { path: "/from/p.toml".into(), line: 1 };
        reaches(&[Setting { key, value, origin }])
    }

    #[test]
    fn destinations_that_are_not_the_clouds_own_are_named() {
        for (url, is_named) in [
            ("https://sts.amazonaws.com", false),
            ("https://STS.amazonaws.com", false),
            ("https://secretsmanager-fips.us-gov-west-1.amazonaws.com", false),
            ("https://login.microsoftonline.com/", false),
            ("https://localhost:4566", false),
            ("https://127.0.0.2", false),
            ("https://[::1]:8443", false),
            ("http://localhost:4566", true),
            ("http://127.0.0.1:4566", true),
            ("http://evil.localhost", true),
            ("http://sts.amazonaws.com", true),
            ("https://sts.amazonaws.com:8443", true),
            ("https://sts.amazonaws.com.", true),
            ("https://evil.example", true),
            ("https://sts.amazonaws.com.evil.example", true),
            ("https://bucket.s3.amazonaws.com", true),
            ("https://sts.amazonaws.com@evil.example", true),
            ("https://127.0.0.1.evil.example", true),
            ("https://vault.azure.net.evil.example", true),
            ("https://0.0.0.0", true),
        ] {
            assert_eq!(!from_file(Key::EndpointUrl, Value::Text(url.into())).is_empty(), is_named, "{url}");
        }
    }

    #[test]
    fn only_what_a_file_names_is_asked_about() {
        let program = Value::List(vec!["sh".into(), "-c".into(), "true".into()]);
        assert_eq!(from_file(Key::TokenCommand, program.clone()).len(), 1);
        let flag = Setting { key: Key::TokenCommand, value: program, origin: Origin::Flag };
        assert_eq!(reaches(&[flag]), []);
        assert_eq!(from_file(Key::IssuerUrl, Value::Text("https://any.example".into())), [], "it is sent nothing");
    }

    #[test]
    fn what_would_be_read_and_sent_is_named() {
        let text = |text: &str| Value::Text(text.into());
        for key in READ_FILES {
            let read = Capability::ReadsFile { path: "/home/me/key".into(), beside: "/from".into(), key: *key };
            assert_eq!(from_file(*key, text("/home/me/key")), [read]);
        }
        for key in READ_VARIABLES {
            assert_eq!(from_file(*key, text("V")), [Capability::ReadsVariable { name: "V".into(), key: *key }]);
        }
        assert_eq!(from_file(Key::TrustPolicy, text("/home/me/trust.json")), [], "it is read, and not sent");
    }
}

#[cfg(test)]
mod cloud_host_tests {
    use super::*;

    #[test]
    fn only_what_the_sdks_build_is_the_clouds_own() {
        for host in [
            "sts.amazonaws.com",
            "sts.eu-central-1.amazonaws.com",
            "sts-fips.us-east-1.amazonaws.com",
            "sts.cn-north-1.amazonaws.com.cn",
            "sts.us-east-1.api.aws",
            "sts.eusc-de-east-1.amazonaws.eu",
            "secretsmanager.us-east-1.amazonaws.com",
            "secretsmanager-fips.us-gov-west-1.amazonaws.com",
            "secretsmanager.eu-west-1.api.aws",
            "vpce-0a1b-2c3d.sts.us-east-1.vpce.amazonaws.com",
            "vpce-0a1b-2c3d-us-east-1a.secretsmanager.us-east-1.vpce.amazonaws.com",
            "login.microsoftonline.com",
            "crew.vault.azure.net",
            "sts.googleapis.com",
            "iamcredentials.googleapis.com",
            "secretmanager.europe-west3.rep.googleapis.com",
        ] {
            assert!(is_the_clouds_own(host), "{host}");
        }
        for host in [
            "sts.s3.amazonaws.com",
            "sts.evil.amazonaws.com",
            "secretsmanager.s3.amazonaws.com",
            "sts.us-east-1.s3.amazonaws.com",
            "bucket.s3.us-east-1.amazonaws.com",
            "sts.us-east-1.amazonaws.com.cn",
            "sts.cn-north-1.amazonaws.com",
            "sts.amazonaws.com.",
            "s3.us-east-1.amazonaws.com",
            "secretsmanager.amazonaws.com",
            "sts-fips.amazonaws.com",
            "vpce-1.vpce-svc-2.us-east-1.vpce.amazonaws.com",
            "vpce-1.sts.s3.vpce.amazonaws.com",
            "a.b.vault.azure.net",
            ".vault.azure.net",
            "evil.login.microsoftonline.com",
            "storage.googleapis.com",
            "sts.googleapis.com.evil.example",
            "evil.sts.googleapis.com",
            "bucket.storage.googleapis.com",
            "secretmanager..rep.googleapis.com",
            "",
        ] {
            assert!(!is_the_clouds_own(host), "{host}");
        }
    }
}
