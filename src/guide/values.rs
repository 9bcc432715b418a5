//! What a profile says and what follows from it: account and partition from the role's ARN, the subject from the
//! organization, the cloud from the vault's host. What is missing stands as a `<placeholder>` and is noted down.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::arn::RoleArn;
use crate::domain::guide::{Flow, Workload};
use crate::domain::ids::Cloud;
use crate::domain::national_cloud;
use crate::domain::national_cloud::NationalCloud;
use crate::domain::profile::key::Key;
use crate::domain::profile::setting::{Origin, Setting, Value};
use crate::domain::profile::{Guide, expected};
use crate::domain::secret_ref::SecretRef;
use crate::domain::{issuer, region};

/// The name of the user or role that a guide suggests.
pub const READER: &str = "crewai-secrets-reader";

/// The names that a guide suggests for what is made on the cloud's side.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SuggestedNames {
    /// The application, or whatever else reads.
    pub reader: &'static str,
    /// The application's federated credential: 3 to 120 letters, digits, `-` and `_`.
    pub credential: &'static str,
    /// What the credential says of itself.
    pub description: &'static str,
    /// Google's pool of identities.
    pub pool: &'static str,
    /// The pool's provider.
    pub provider: &'static str,
}

const OF_PLATFORM: SuggestedNames = SuggestedNames {
    reader: READER,
    credential: "crewai-organization",
    description: "Tokens of one organization of the platform",
    pool: "crewai-pool",
    provider: "crewai-provider",
};
const OF_GITHUB: SuggestedNames = SuggestedNames {
    reader: "github-secrets-reader",
    credential: "github-actions",
    description: "Jobs of one repository",
    pool: "github-pool",
    provider: "github-provider",
};
const OF_GITLAB: SuggestedNames = SuggestedNames {
    reader: "gitlab-secrets-reader",
    credential: "gitlab-ci",
    description: "Jobs of one project",
    pool: "gitlab-pool",
    provider: "gitlab-provider",
};
const OF_CIRCLECI: SuggestedNames = SuggestedNames {
    reader: "circleci-secrets-reader",
    credential: "circleci",
    description: "Jobs of one project",
    pool: "circleci-pool",
    provider: "circleci-provider",
};
const OF_KUBERNETES: SuggestedNames = SuggestedNames {
    reader: "kubernetes-secrets-reader",
    credential: "kubernetes",
    description: "Pods of one service account",
    pool: "kubernetes-pool",
    provider: "kubernetes-provider",
};

/// The values of a profile as a guide sees them. An unfinished profile will do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Values {
    /// The guide that they are for.
    pub guide: Guide,
    texts: BTreeMap<Key, String>,
    thumbprint: Option<String>,
    /// The flags that choose the profile, quoted for a shell.
    selector: String,
}

impl Values {
    /// The values in effect. The audience that nobody named is left out: it follows from others.
    pub fn of(guide: Guide, settings: &[Setting]) -> Self {
        let texts = settings
            .iter()
            .filter(|setting| setting.key != Key::AwsAudience || setting.origin != Origin::Default)
            .filter_map(|setting| match &setting.value {
                Value::Text(text) => Some((setting.key, text.clone())),
                Value::List(items) => Some((setting.key, items.join(" "))),
                Value::Flag(_) => None,
            })
            .collect();
        Values { guide, texts, thumbprint: None, selector: String::new() }
    }

    /// With the thumbprint of the certificates that the issuer serves, where they were seen: SHA-1, in hexadecimal.
    #[must_use]
    pub fn with_thumbprint(self, thumbprint: Option<String>) -> Self {
        Values { thumbprint, ..self }
    }

    /// With the flags that choose the profile, quoted for a shell.
    #[must_use]
    pub fn chosen_by(self, selector: &str) -> Self {
        Values { selector: selector.trim().to_owned(), ..self }
    }

    /// A command of this program's for the same profile, such as `trustline check --profile prod`.
    pub fn command(&self, command: &str) -> String {
        format!("{command} {}", self.selector).trim_end().to_owned()
    }

    /// The text behind a key.
    pub fn text(&self, key: Key) -> Option<&str> {
        self.texts.get(&key).map(String::as_str)
    }
}

/// A placeholder that stands in a text, and the key that would fill it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Missing {
    /// As it stands, such as `<role-arn>`.
    pub placeholder: String,
    pub key: Key,
}

/// The subject that a trust asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subject {
    pub text: String,
    /// Whether a part of it may vary, which takes `StringLike`.
    pub pattern: bool,
}

/// Values on their way into a text: what is missing is noted once, and so is what a reader should know.
#[derive(Debug)]
pub struct TemplateContext<'a> {
    values: &'a Values,
    missing: BTreeSet<Missing>,
    notes: Vec<String>,
}

impl<'a> TemplateContext<'a> {
    pub fn new(values: &'a Values) -> Self {
        TemplateContext { values, missing: BTreeSet::new(), notes: Vec::new() }
    }

    /// What was missing, and what was noted.
    pub fn finish(self) -> (Vec<Missing>, Vec<String>) {
        (self.missing.into_iter().collect(), self.notes)
    }

    pub fn guide(&self) -> Guide {
        self.values.guide
    }

    /// The names that the guide suggests for what is made.
    pub fn names(&self) -> &'static SuggestedNames {
        match self.values.guide.workload() {
            Workload::Platform => &OF_PLATFORM,
            Workload::Github => &OF_GITHUB,
            Workload::Gitlab => &OF_GITLAB,
            Workload::Circleci => &OF_CIRCLECI,
            Workload::Kubernetes => &OF_KUBERNETES,
        }
    }

    /// A command of this program's for the same profile.
    pub fn command(&self, command: &str) -> String {
        self.values.command(command)
    }

    /// The value of a key, if there is one.
    pub fn known(&self, key: Key) -> Option<&'a str> {
        self.values.text(key)
    }

    /// Adds a remark, once.
    pub fn note(&mut self, text: impl Into<String>) {
        let text = text.into();
        if !self.notes.contains(&text) {
            self.notes.push(text);
        }
    }

    /// The value of a key, or `<its-name>`.
    pub fn value(&mut self, key: Key) -> String {
        match self.values.text(key) {
            Some(text) => text.to_owned(),
            None => self.placeholder(&key.path().replace('.', "-"), key),
        }
    }

    /// The thumbprint of the issuer's live certificates, where they were seen.
    pub fn thumbprint(&self) -> Option<&'a str> {
        self.values.thumbprint.as_deref()
    }

    fn texts(&self) -> impl Fn(Key) -> Option<String> + use<'a> {
        let values = self.values;
        move |key| values.text(key).map(str::to_owned)
    }

    fn placeholder(&mut self, name: &str, key: Key) -> String {
        let placeholder = format!("<{name}>");
        self.missing.insert(Missing { placeholder: placeholder.clone(), key });
        placeholder
    }

    fn role(&self) -> Option<RoleArn> {
        RoleArn::parse(self.known(Key::RoleArn)?).ok()
    }

    /// The account in which the guide's principal is made.
    pub fn account(&mut self) -> String {
        if self.values.guide.is_aws_access_key()
            && let Some(account) = self.known(Key::AccountId)
        {
            return account.to_owned();
        }
        match self.role() {
            Some(role) => role.account,
            None if self.values.guide.flow() == Flow::AccessKey => self.placeholder("account-id", Key::AccountId),
            None => self.placeholder("account-id", Key::RoleArn),
        }
    }

    /// The account of the role and its secrets.
    pub fn role_account(&mut self) -> String {
        match self.role() {
            Some(role) if self.values.guide.flow() != Flow::AccessKey => role.account,
            _ => self.account(),
        }
    }

    /// The partition's id: the role's, else the region's, else the public one.
    pub fn partition(&self) -> String {
        let of_region = || region::partition_of(self.known(Key::Region)?).ok().map(|p| p.id.to_owned());
        self.role().map(|role| role.partition).or_else(of_region).unwrap_or_else(|| "aws".to_owned())
    }

    pub fn role_arn(&mut self) -> String {
        self.value(Key::RoleArn)
    }

    /// The role's name without its path.
    pub fn role_name(&mut self) -> String {
        match self.role() {
            Some(role) => role.name().to_owned(),
            None => self.placeholder("role-name", Key::RoleArn),
        }
    }

    /// The role's path with its slashes, where it has one.
    pub fn role_path(&self) -> Option<String> {
        let role = self.role()?;
        role.path_and_name.rsplit_once('/').map(|(path, _)| format!("/{path}/"))
    }

    pub fn region(&mut self) -> String {
        self.value(Key::Region)
    }

    /// A form of the issuer's with the profile's values; what is missing stands as a gap.
    fn filled(&mut self, form: &str) -> String {
        let named = Key::ALL.iter().filter(|key| form.contains(&format!("{{{}}}", key.path())));
        let values: BTreeMap<Key, String> = named.map(|key| (*key, self.value(*key))).collect();
        issuer::fill(form, |name| values.get(&Key::parse(name)?).cloned()).unwrap_or_default()
    }

    /// The issuer's URL; CircleCI's follows from the organization.
    pub fn issuer(&mut self) -> String {
        match (self.known(Key::IssuerUrl), expected::issuer_form(self.values.guide, &self.texts())) {
            (None, Some(form)) => self.filled(form),
            _ => self.value(Key::IssuerUrl),
        }
    }

    /// The issuer as condition keys name it: without its scheme.
    pub fn issuer_host(&mut self) -> String {
        issuer::condition_key_prefix(&self.issuer()).to_owned()
    }

    pub fn provider_arn(&mut self) -> String {
        let (issuer, partition) = (self.issuer(), self.partition());
        let account = self.account();
        issuer::provider_arn(&issuer, &partition, &account)
    }

    /// The audience that the tokens carry.
    pub fn audience(&mut self) -> String {
        let guide = self.values.guide;
        match (guide.cloud(), self.known(Key::AwsAudience), expected::audience_form(guide, &self.texts())) {
            (Cloud::Azure, ..) => self.azure_cloud().credential_audience.to_owned(),
            (Cloud::Gcp, ..) => self.google_audience(),
            (Cloud::Aws, Some(audience), _) => audience.to_owned(),
            (Cloud::Aws, None, Some(form)) => self.filled(form).trim_end_matches('/').to_owned(),
            (Cloud::Aws, None, None) => expected::default_audience(guide, &self.texts()),
        }
    }

    /// The audience that tokens for a provider of Google's carry.
    fn google_audience(&mut self) -> String {
        let universe = self.known(Key::UniverseDomain).unwrap_or("googleapis.com");
        match self.known(Key::GcpAudience) {
            Some(audience) => audience.to_owned(),
            None => format!("//iam.{universe}/{}", self.value(Key::GcpProvider)),
        }
    }

    /// The subject of the tokens that are let in; a part of it that nobody named stands as a gap.
    pub fn subject(&mut self) -> Subject {
        let guide = self.values.guide;
        let owner = expected::owner_keys(guide, &self.texts());
        let named: BTreeMap<Key, String> = owner.into_iter().map(|key| (key, self.value(key))).collect();
        let texts = self.texts();
        match expected::subject_of(guide, &|key| named.get(&key).cloned().or_else(|| texts(key))) {
            Some(text) => Subject { pattern: text.contains('*'), text },
            None => Subject { text: format!("organization:{}", self.value(Key::Organization)), pattern: false },
        }
    }

    fn reference(&self) -> Option<SecretRef> {
        SecretRef::parse(self.known(Key::SecretName)?).ok()
    }

    /// The secret's name or ARN, without the field.
    pub fn secret_name(&mut self) -> String {
        match self.reference() {
            Some(reference) => reference.name,
            None => self.value(Key::SecretName),
        }
    }

    /// The name that a new secret gets: an ARN's own part of it, without the six characters that AWS adds.
    pub fn new_secret_name(&mut self) -> String {
        let name = self.secret_name();
        let Some((_, resource)) = name.split_once(":secret:") else { return name };
        resource.rsplit_once('-').map_or(resource, |(name, _)| name).to_owned()
    }

    /// The field of the secret that is read, where one is.
    pub fn json_key(&self) -> Option<String> {
        self.reference()?.json_key
    }

    /// The name that a vault has for the secret, which holds no underscore: the platform sends hyphens in their place.
    pub fn vault_secret(&mut self) -> String {
        let name = self.secret_name();
        let sent = name.replace('_', "-");
        if sent != name && !name.starts_with('<') {
            self.note(format!("a vault's names hold no `_`: the platform asks for `{sent}`"));
        }
        sent
    }

    /// The vault's name: the profile's, else the first label of a vault's host.
    pub fn vault_name(&mut self) -> String {
        if let Some(name) = self.known(Key::VaultName) {
            return name.to_owned();
        }
        let Some(url) = self.known(Key::VaultUrl) else { return self.placeholder("vault-name", Key::VaultUrl) };
        match national_cloud::vault_name(url) {
            Some(name) => name.to_owned(),
            // A host of the user's own: nothing says which vault is behind it.
            None => self.placeholder("vault-name", Key::VaultName),
        }
    }

    /// Microsoft's cloud: the vault's, else the authority's, else the public one.
    pub fn azure_cloud(&self) -> &'static NationalCloud {
        let of_vault = self.known(Key::VaultUrl).and_then(national_cloud::of_vault);
        of_vault
            .or_else(|| self.known(Key::AuthorityHost).and_then(national_cloud::of_authority))
            .unwrap_or(national_cloud::PUBLIC)
    }
}

/// The thumbprint of the topmost certificate that the host of the keys serves, from the facts of `issuer.jwks`: SHA-1, 40
/// hexadecimal digits. IAM means that host, also where the discovery document is on another one. A chain that was not
/// verified could be anybody's.
pub fn thumbprint(facts: &serde_json::Map<String, serde_json::Value>) -> Option<String> {
    let tls = facts.get("tls").filter(|tls| tls.get("accepted") == Some(&serde_json::Value::Bool(true)))?;
    let chain = tls.get("chain")?.as_array()?;
    let wanted =
        chain.iter().find(|certificate| certificate.get("wanted_by_iam") == Some(&serde_json::Value::Bool(true)))?;
    let thumbprint = wanted.get("thumbprint_sha1")?.as_str()?;
    (thumbprint.len() == 40 && thumbprint.bytes().all(|b| b.is_ascii_hexdigit())).then(|| thumbprint.to_owned())
}

#[cfg(test)]
mod thumbprint_tests {
    use super::*;
    use crate::domain::profile::Guide;
    use crate::domain::profile::document::parse_flag;
    use crate::guide::{Artifact, Values, render};

    #[test]
    fn the_live_thumbprint_stands_in_the_command() {
        let print = "9683b4ae1c49bf6e758a3ac8a31dcdf0d4f07661";
        let facts = |accepted: bool| {
            serde_json::json!({ "tls": { "accepted": accepted, "chain": [
                { "thumbprint_sha1": "ea32c2d301ab4be271051f90903903c1715acd1a", "wanted_by_iam": false },
                { "thumbprint_sha1": print, "wanted_by_iam": true },
            ] } })
        };
        assert_eq!(thumbprint(facts(false).as_object().unwrap()), None);
        let seen = thumbprint(facts(true).as_object().unwrap());
        assert_eq!(seen.as_deref(), Some(print));
        let settings = [parse_flag("issuer.url=https://app.example.com").unwrap()];
        let values = Values::of(Guide::AwsWorkloadIdentity, &settings).with_thumbprint(seen);
        let text = render(Artifact::CreateOidcProvider, &values).text;
        assert!(text.contains("--thumbprint-list") && text.contains(print), "{text}");
        assert_eq!(thumbprint(&serde_json::Map::new()), None);
    }
}
