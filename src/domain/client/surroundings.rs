//! What a client finds where it starts: variables, shared files, the token's file. Of secrets only that they are there.

use std::collections::BTreeMap;

/// The variables that clients read, and whose values decide.
const PLAIN: &[&str] = &[
    "AWS_REGION",
    "AWS_DEFAULT_REGION",
    "AWS_ROLE_ARN",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_PROFILE",
    "AWS_ENDPOINT_URL",
    "AWS_ENDPOINT_URL_STS",
    "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS",
    "AWS_STS_REGIONAL_ENDPOINTS",
    "AWS_USE_FIPS_ENDPOINT",
    "AWS_USE_DUALSTACK_ENDPOINT",
    "AZURE_TENANT_ID",
    "AZURE_CLIENT_ID",
    "AZURE_FEDERATED_TOKEN_FILE",
    "AZURE_AUTHORITY_HOST",
    "AZURE_TOKEN_CREDENTIALS",
    "GOOGLE_APPLICATION_CREDENTIALS",
    "GOOGLE_CLOUD_PROJECT",
    "NO_PROXY",
    "no_proxy",
];
/// Those of which nothing is kept but whether they are set, and to something.
const SECRET: &[&str] = &[
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    "AZURE_CLIENT_SECRET",
    "AZURE_CLIENT_CERTIFICATE_PATH",
    "AZURE_USERNAME",
    "AZURE_PASSWORD",
    "HTTPS_PROXY",
    "https_proxy",
];
/// The variables that name certificate authorities for some client.
pub const TRUST_VARIABLES: &[&str] = &[
    "SSL_CERT_FILE",
    "AWS_CA_BUNDLE",
    "REQUESTS_CA_BUNDLE",
    "CURL_CA_BUNDLE",
    "NODE_EXTRA_CA_CERTS",
    "GDAL_CURL_CA_BUNDLE",
];
const KEPT: &str = "set";

/// What a client finds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Surroundings {
    pub variables: VariablesRead,
    /// What the profile that `AWS_PROFILE` names has, where it names one.
    pub named_profile: ProfileKeys,
    /// What the shared files' default profile has.
    pub default_profile: ProfileKeys,
    pub token_file: TokenFile,
    /// What the file is that `GOOGLE_APPLICATION_CREDENTIALS` names.
    pub credential_file: TokenFile,
    /// The files with sessions of the role that live on, by the folder that a client keeps them in.
    pub kept_sessions: BTreeMap<String, usize>,
}

/// Variables by name; of secrets only that they are set.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct VariablesRead(BTreeMap<&'static str, String>);

/// What a profile of the shared files has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ProfileKeys {
    /// There is no such profile.
    #[default]
    NoProfile,
    /// It has no keys.
    None,
    Keys,
}

/// What the token's file is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TokenFile {
    #[default]
    Full,
    Empty,
    Missing,
    /// It is there, and may not be read.
    Denied,
}

impl Surroundings {
    /// Takes what clients read out of the variables.
    pub fn of_variables(variables: &dyn Fn(&str) -> Option<String>) -> Surroundings {
        let plain = PLAIN.iter().chain(TRUST_VARIABLES).filter_map(|name| Some((*name, variables(name)?)));
        let masked = |value: String| if value.is_empty() { value } else { KEPT.to_owned() };
        let secret = SECRET.iter().filter_map(|name| Some((*name, masked(variables(name)?))));
        Surroundings { variables: VariablesRead(plain.chain(secret).collect()), ..Surroundings::default() }
    }

    /// The variable's value, where it is set to something.
    pub fn set(&self, name: &str) -> Option<&str> {
        self.present(name).filter(|value| !value.is_empty())
    }

    /// The variable's value, which may be empty.
    pub fn present(&self, name: &str) -> Option<&str> {
        self.variables.0.get(name).map(String::as_str)
    }

    pub fn is_true(&self, name: &str) -> bool {
        self.set(name).is_some_and(|value| value.eq_ignore_ascii_case("true"))
    }

    /// As if the variable were set: what a program is told in another way.
    pub fn tell(&mut self, name: &'static str, value: &str) {
        if self.set(name).is_none() {
            self.variables.0.insert(name, value.to_owned());
        }
    }

    /// The first of the variables that is set to something.
    pub fn first_set(&self, names: &[impl AsRef<str>]) -> Option<(&'static str, &str)> {
        let found =
            names.iter().find_map(|name| self.variables.0.get_key_value(name.as_ref()).filter(|(_, v)| !v.is_empty()));
        found.map(|(name, value)| (*name, value.as_str()))
    }

    /// The proxy's variable, where requests to `host` go through it.
    pub fn proxy_for(&self, host: &str) -> Option<&'static str> {
        let (name, _) = self.first_set(&["HTTPS_PROXY", "https_proxy"])?;
        let exceptions = self.first_set(&["NO_PROXY", "no_proxy"]).map_or("", |(_, value)| value);
        let excepted = |one: &str| {
            let one = one.trim().trim_start_matches('.');
            !one.is_empty()
                && (one == "*" || host == one || host.strip_suffix(one).is_some_and(|before| before.ends_with('.')))
        };
        let is_excepted = exceptions.split(',').any(excepted);
        (!is_excepted).then_some(name)
    }

    /// The variables that clients read and that are set, by name alone.
    pub fn names(&self) -> impl Iterator<Item = &'static str> + '_ {
        self.variables.0.keys().copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn around(set: &[(&str, &str)]) -> Surroundings {
        Surroundings::of_variables(&|name| set.iter().find(|(n, _)| *n == name).map(|(_, v)| (*v).to_owned()))
    }

    #[test]
    fn no_secret_is_kept() {
        let set: Vec<(&str, &str)> = SECRET.iter().map(|name| (*name, "planted")).collect();
        let seen = around(&set);
        assert!(!format!("{seen:?}").contains("planted"));
        assert!(SECRET.iter().all(|name| seen.set(name) == Some(KEPT)));
        assert_eq!(around(&[("AWS_ACCESS_KEY_ID", "")]).present("AWS_ACCESS_KEY_ID"), Some(""));
    }

    #[test]
    fn a_proxy_is_used_for_what_is_not_excepted() {
        let proxied = |no_proxy: &str, host: &str| {
            around(&[("https_proxy", "http://p:1"), ("NO_PROXY", no_proxy)]).proxy_for(host).is_some()
        };
        assert!(proxied("", "sts.amazonaws.com"));
        assert!(proxied("ws.com,example.com", "sts.amazonaws.com"));
        assert!(!proxied("10.0.0.1, .amazonaws.com", "sts.amazonaws.com"));
        assert!(!proxied("sts.amazonaws.com", "sts.amazonaws.com"));
        assert!(!proxied("*", "sts.amazonaws.com"));
        assert_eq!(around(&[]).proxy_for("sts.amazonaws.com"), None);
    }

    #[test]
    fn what_is_told_otherwise_gives_way_to_a_variable() {
        let mut seen = around(&[("AWS_ROLE_ARN", "own"), ("AWS_REGION", "")]);
        seen.tell("AWS_ROLE_ARN", "told");
        seen.tell("AWS_REGION", "told");
        assert_eq!((seen.set("AWS_ROLE_ARN"), seen.set("AWS_REGION")), (Some("own"), Some("told")));
    }
}
