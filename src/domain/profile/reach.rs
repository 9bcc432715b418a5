//! What a profile's file makes this machine do for it: a program that is run, hosts that are sent a token or key. The owner of
//! one's own profiles decided that; a file from elsewhere did not ask.

use url::{Host, Url};

use super::key::Key;
use super::setting::{Origin, Setting, Value};

/// Something that only the person who runs the checks may decide.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reach {
    /// Runs this program with these arguments.
    Runs(Vec<String>),
    /// Sends a token or a key to this host, which is none of the clouds' own.
    SendsTo {
        host: String,
        /// The key that names it.
        key: Key,
    },
}

/// The keys whose hosts are sent a token or a key.
const SENT_TO: &[Key] = &[
    Key::EndpointUrl,
    Key::StsEndpointUrl,
    Key::SecretsmanagerEndpointUrl,
    Key::AuthorityHost,
    Key::VaultUrl,
    Key::DeploymentUrl,
];

/// Where AWS's own endpoints end, after a first label that names the service: anybody can have a host below otherwise
/// (AWS General Reference, "AWS STS endpoints", "Secrets Manager endpoints").
const AWS_ENDS: &[&str] = &[".amazonaws.com", ".amazonaws.com.cn", ".api.aws"];
const AWS_SERVICES: &[&str] = &["sts", "sts-fips", "secretsmanager", "secretsmanager-fips"];
/// Entra's hosts, and where those of vaults end, for every national cloud
/// (<https://learn.microsoft.com/entra/identity-platform/authentication-national-cloud>).
const ENTRA_HOSTS: &[&str] = &[
    "login.microsoftonline.com",
    "login.microsoft.com",
    "sts.windows.net",
    "login.microsoftonline.us",
    "login.partner.microsoftonline.cn",
    "login.chinacloudapi.cn",
];
const VAULT_ENDS: &[&str] =
    &[".vault.azure.net", ".vault.azure.cn", ".vault.usgovcloudapi.net", ".vault.microsoftazure.de"];

/// What those of the settings reach that a file names.
pub fn reaches(settings: &[Setting]) -> Vec<Reach> {
    settings.iter().filter(|setting| matches!(setting.origin, Origin::File { .. })).filter_map(reach).collect()
}

fn reach(setting: &Setting) -> Option<Reach> {
    match (&setting.value, setting.key) {
        (Value::List(program), Key::TokenCommand) => Some(Reach::Runs(program.clone())),
        (Value::Text(url), key) if SENT_TO.contains(&key) => {
            let url = Url::parse(url).ok()?;
            let host = url.host()?;
            (!stays_here(&host) && !is_the_clouds_own(&host.to_string()))
                .then(|| Reach::SendsTo { host: host.to_string(), key })
        }
        _ => None,
    }
}

/// Whether a host is this machine.
fn stays_here(host: &Host<&str>) -> bool {
    match host {
        Host::Ipv4(address) => address.is_loopback(),
        Host::Ipv6(address) => address.is_loopback(),
        // RFC 6761, section 6.3.
        Host::Domain(name) => *name == "localhost" || name.ends_with(".localhost"),
    }
}

fn is_the_clouds_own(host: &str) -> bool {
    let service = host.split('.').next().unwrap_or_default();
    let is_aws = AWS_SERVICES.contains(&service) && AWS_ENDS.iter().any(|end| host.ends_with(end));
    is_aws || ENTRA_HOSTS.contains(&host) || VAULT_ENDS.iter().any(|end| host.ends_with(end))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from_file(key: Key, value: Value) -> Vec<Reach> {
        let origin = Origin::File { path: "p.toml".into(), line: 1 };
        reaches(&[Setting { key, value, origin }])
    }

    #[test]
    fn hosts_that_are_not_the_clouds_own_are_named() {
        for (url, is_named) in [
            ("https://sts.amazonaws.com", false),
            ("https://sts.eu-central-1.amazonaws.com", false),
            ("https://secretsmanager-fips.us-gov-west-1.amazonaws.com", false),
            ("https://login.microsoftonline.com/", false),
            ("https://crew.vault.azure.net", false),
            ("https://localhost:4566", false),
            ("https://127.0.0.2", false),
            ("https://[::1]:8443", false),
            ("https://evil.example", true),
            ("https://sts.amazonaws.com.evil.example", true),
            ("https://stsamazonaws.com", true),
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
}
