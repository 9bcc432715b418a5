//! The identity providers of accounts: which are registered, for which audiences, and which of them anybody trusts.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::domain::iam::ProviderArn;

/// What is known of the providers of the accounts that are looked over.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Providers {
    /// By URL without scheme: what `get-open-id-connect-provider` answers.
    by_url: BTreeMap<String, RegisteredProvider>,
    /// The ARNs that `list-open-id-connect-providers` answers.
    listed: BTreeSet<String>,
    /// Those that code declares, by URL: there may be others.
    declared: BTreeMap<String, RegisteredProvider>,
}

/// One provider.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RegisteredProvider {
    /// Its client ids: the audiences that it takes.
    pub audiences: BTreeSet<String>,
}

/// Whether a provider is registered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Registration {
    Registered,
    Missing,
    Unknown,
}

impl Providers {
    /// Reads an answer about providers; yields whether it was one.
    pub fn read(&mut self, answer: &Value) -> bool {
        let arn = |entry: &Value| {
            Some(entry.get("Arn")?.as_str()?.to_owned()).filter(|arn| ProviderArn::parse(arn).is_some())
        };
        if let Some(list) = answer.get("OpenIDConnectProviderList").and_then(Value::as_array) {
            self.listed.extend(list.iter().filter_map(arn));
            return true;
        }
        let (Some(url), Some(clients)) = (answer.get("Url").and_then(Value::as_str), answer.get("ClientIDList")) else {
            return false;
        };
        let url = url.strip_prefix("https://").unwrap_or(url).to_owned();
        let clients = clients.as_array().into_iter().flatten().filter_map(Value::as_str);
        self.listed.extend(arn(answer));
        self.by_url.entry(url).or_default().audiences.extend(clients.map(str::to_owned));
        true
    }

    /// Takes a provider that code declares.
    pub fn declare(&mut self, url: &str, audiences: &[String]) {
        self.declared.entry(url.to_owned()).or_default().audiences.extend(audiences.iter().cloned());
    }

    /// Takes over what another part of the input says.
    pub fn extend(&mut self, other: Providers) {
        self.listed.extend(other.listed);
        self.declared.extend(other.declared);
        for (url, provider) in other.by_url {
            self.by_url.entry(url).or_default().audiences.extend(provider.audiences);
        }
    }

    /// Whether the provider of this ARN is there. An account of which nothing was listed is unknown.
    pub fn registration(&self, arn: &str) -> Registration {
        let Some(provider) = ProviderArn::parse(arn) else { return Registration::Unknown };
        let listed = self.listed.iter().filter_map(|arn| ProviderArn::parse(arn));
        let mut of_account = listed.filter(|known| known.account == provider.account).peekable();
        match (of_account.peek().is_some(), self.listed.is_empty() && !self.by_url.is_empty()) {
            (true, _) if self.listed.contains(arn) => Registration::Registered,
            (true, _) => Registration::Missing,
            (false, true) if self.by_url.contains_key(provider.url) => Registration::Registered,
            (false, true) => Registration::Missing,
            (false, false) => Registration::Unknown,
        }
    }

    /// What is registered for the issuer of this URL, given without scheme.
    pub fn of_url(&self, url: &str) -> Option<&RegisteredProvider> {
        self.by_url.get(url).or_else(|| self.declared.get(url))
    }

    /// The providers that nobody trusts of those whose URLs are not in `trusted`: their ARN, or their URL.
    pub fn unused<'p>(&'p self, trusted: &'p BTreeSet<String>) -> impl Iterator<Item = &'p str> {
        let listed =
            self.listed.iter().filter(|arn| ProviderArn::parse(arn).is_some_and(|arn| !trusted.contains(arn.url)));
        let named = self.by_url.keys().filter(|url| {
            let is_listed =
                self.listed.iter().any(|arn| ProviderArn::parse(arn).is_some_and(|arn| arn.url == url.as_str()));
            !is_listed && !trusted.contains(*url)
        });
        listed.chain(named).map(String::as_str)
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.listed.len().max(self.by_url.len())
    }

    /// Whether nothing is known.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const GITHUB: &str = "arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com";
    const GITLAB: &str = "arn:aws:iam::111122223333:oidc-provider/gitlab.com";

    #[test]
    fn a_provider_is_missing_only_where_the_others_are_known() {
        let mut providers = Providers::default();
        assert_eq!(providers.registration(GITHUB), Registration::Unknown);
        assert!(providers.read(&json!({"OpenIDConnectProviderList": [{"Arn": GITLAB}]})));
        assert_eq!(providers.registration(GITHUB), Registration::Missing);
        assert_eq!(providers.registration(GITLAB), Registration::Registered);
        let elsewhere = GITLAB.replace("111122223333", "444455556666");
        assert_eq!(providers.registration(&elsewhere), Registration::Unknown);
    }

    #[test]
    fn of_what_code_declares_the_audiences_are_known_and_nothing_is_missing() {
        let mut providers = Providers::default();
        providers.declare("gitlab.com", &["a".to_owned()]);
        assert!(providers.of_url("gitlab.com").unwrap().audiences.contains("a"));
        assert_eq!(providers.registration(GITHUB), Registration::Unknown);
        assert!(providers.is_empty());
    }

    #[test]
    fn an_answer_without_its_arn_speaks_by_its_url() {
        let mut providers = Providers::default();
        assert!(providers.read(&json!({"Url": "gitlab.com", "ClientIDList": ["a"], "ThumbprintList": []})));
        assert!(!providers.read(&json!({"Role": {}})));
        assert_eq!(providers.registration(GITLAB), Registration::Registered);
        assert_eq!(providers.registration(GITHUB), Registration::Missing);
        assert!(providers.of_url("gitlab.com").unwrap().audiences.contains("a"));
        assert_eq!(providers.unused(&BTreeSet::new()).collect::<Vec<_>>(), ["gitlab.com"]);
        assert_eq!(providers.unused(&BTreeSet::from(["gitlab.com".to_owned()])).count(), 0);
    }
}
