//! The catalogue's scripts: commands with `<placeholders>`, which become values, or variables that refuse to be empty.

use serde_json::{Map, Value};
use url::Url;

use super::Context;
use crate::cause::catalogue::{CatalogueFix, complete, entry};
use crate::cause::explain::{ExplainContext, Explanation, Parsed, explain};
use crate::cause::{Certainty, Finding, Fix, Look};
use crate::check::CheckId;
use crate::domain::arn::RoleArn;
use crate::domain::ids::FoundBy;
use crate::domain::profile::Profile;
use crate::guide::form::shell::quote;
use crate::remedy;

/// A value longer than this is no name of anything.
const LONGEST_VALUE: usize = 512;

/// The placeholders of the catalogue, and what each is in the words of the refusal to leave it empty.
pub const PLACEHOLDERS: &[(&str, &str)] = &[
    ("account-id", "the AWS account id, 12 digits"),
    ("client-id", "the application (client) id"),
    ("deployment-url", "the deployment's URL"),
    ("discovery-url", "the address of the discovery document"),
    ("host", "the host"),
    ("host-and-port", "the host and port, such as app.example.com:443"),
    ("issuer-url", "the issuer's URL"),
    ("jwks-url", "the address of the issuer's keys"),
    ("kms-key-id", "the id or ARN of the KMS key"),
    ("member", "the principal or principalSet that reads"),
    ("owner", "the repository's owner"),
    ("policy-name", "the name of the role's inline policy"),
    ("pool", "the workload identity pool"),
    ("project", "the Google Cloud project"),
    ("provider", "the workload identity provider"),
    ("region", "the AWS region"),
    ("repository", "the repository's name"),
    ("role-name", "the role's name"),
    ("secret", "the secret's name"),
    ("service-account", "the service account's e-mail address"),
    ("token-file", "the file with the token"),
    ("vault", "the key vault's name"),
];

/// The flags that choose the profile again: several words, quoted already.
const SELECTOR: &str = "selector";

/// Where the values of placeholders come from: a run, or an error text and what was given beside it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Values<'a> {
    pub profile: Option<&'a Profile>,
    pub claims: Option<&'a Map<String, Value>>,
    pub parsed: Option<&'a Parsed>,
    /// The check that found it: which host and which role it is about.
    pub check: Option<CheckId>,
}

impl<'a> Values<'a> {
    /// What a run knows, for a finding of `check`.
    pub fn of_run(context: Context<'a>, check: FoundBy) -> Self {
        Values { profile: Some(context.profile), claims: context.facts.claims(), parsed: None, check: check.check() }
    }

    /// The value of a placeholder, where it is known and can be an argument: one that begins like an option, or holds
    /// what no name holds, is not taken, whoever wrote it.
    pub(super) fn of(&self, placeholder: &str) -> Option<String> {
        let is_usable = |value: &String| {
            !value.is_empty()
                && value.len() <= LONGEST_VALUE
                && !value.starts_with('-')
                && !value.chars().any(char::is_control)
        };
        self.known(placeholder).filter(is_usable)
    }

    fn known(&self, placeholder: &str) -> Option<String> {
        let profile = self.profile;
        let parsed = self.parsed;
        match placeholder {
            "account-id" => {
                self.role().map(|role| role.account.clone()).or_else(|| parsed.and_then(|p| p.account.clone()))
            }
            "client-id" => {
                profile.and_then(|p| p.azure.client_id.clone()).or_else(|| parsed.and_then(|p| p.client_id.clone()))
            }
            "deployment-url" => profile.and_then(|p| p.deployment.url.clone()),
            "host" => self.host(),
            "host-and-port" => self.host_and_port(),
            "discovery-url" => {
                self.issuer().map(|issuer| format!("{}/.well-known/openid-configuration", issuer.trim_end_matches('/')))
            }
            "issuer-url" => self.issuer(),
            "owner" => self.repository().map(|(owner, _)| owner),
            "region" => profile.and_then(|p| p.aws.region.clone()).or_else(|| parsed.and_then(|p| p.region.clone())),
            "repository" => self.repository().map(|(_, name)| name),
            "project" => profile.and_then(|p| p.gcp.project_id.clone()),
            "pool" => profile.and_then(|p| Some(p.gcp.provider.as_ref()?.pool.clone())),
            "provider" => profile.and_then(|p| Some(p.gcp.provider.as_ref()?.provider.clone())),
            "service-account" => profile.and_then(|p| p.gcp.service_account.clone()),
            "member" => self.member(),
            "kms-key-id" => profile.and_then(|p| p.aws.kms_key_arn.clone()),
            "role-name" => self
                .role()
                .map(|role| role.name().to_owned())
                .or_else(|| self.role_of_text().and_then(|arn| arn.rsplit('/').next()).map(str::to_owned)),
            "secret" => profile
                .and_then(|p| p.secret.as_ref())
                .map(|secret| secret.name.clone())
                .or_else(|| parsed.and_then(|p| p.secret.clone())),
            "vault" => {
                let own = profile.and_then(|p| p.azure.known_vault_name()).map(str::to_owned);
                own.or_else(|| parsed.and_then(|p| p.vault.clone()))
            }
            _ => None,
        }
    }

    /// Who reads at Google: the service account, else the one token by its subject. No set of tokens is granted anything.
    fn member(&self) -> Option<String> {
        let gcp = &self.profile?.gcp;
        let is_before_it = matches!(self.check, Some(CheckId::GcpExchange | CheckId::GcpImpersonate));
        if let Some(account) = gcp.service_account.as_ref().filter(|_| !is_before_it) {
            return Some(format!("serviceAccount:{account}"));
        }
        Some(format!(
            "principal://iam.googleapis.com/{}/subject/{}",
            gcp.provider.as_ref()?.pool_name(),
            self.claim("sub")?
        ))
    }

    /// A claim's text; of a list with one entry, that entry.
    fn claim(&self, name: &str) -> Option<String> {
        match self.claims?.get(name)? {
            Value::String(text) => Some(text.clone()),
            Value::Array(list) => match list.as_slice() {
                [Value::String(text)] => Some(text.clone()),
                _ => None,
            },
            _ => None,
        }
    }

    /// The role that the finding is about: of a second hop, the one that is assumed there.
    fn role(&self) -> Option<&'a RoleArn> {
        let profile = self.profile?;
        match profile.role_to_assume() {
            Some(role) if self.check == Some(CheckId::AwsAssumeRole) => Some(role),
            _ => profile.aws.role_arn.as_ref(),
        }
    }

    fn role_of_text(&self) -> Option<&'a str> {
        let arns = &self.parsed?.arns;
        let is_role = |arn: &&String| arn.starts_with("arn:aws") && arn.contains(":iam::") && arn.contains(":role/");
        arns.iter().find(is_role).map(String::as_str)
    }

    /// The issuer that is meant: the profile's before the token's, which may be another's.
    fn issuer(&self) -> Option<String> {
        let meant = self.profile.and_then(|p| p.issuer_url.clone());
        meant.or_else(|| self.claim("iss")).or_else(|| self.parsed.and_then(|p| p.issuer.clone()))
    }

    /// The address that the check asks.
    fn asked(&self) -> Option<Url> {
        let aws = |own: &Option<String>, service: &str| {
            let profile = self.profile?;
            let endpoint = own.clone().or_else(|| profile.aws.endpoint_url.clone());
            let region = profile.aws.region.as_deref();
            endpoint.or_else(|| region.map(|region| format!("https://{service}.{region}.amazonaws.com")))
        };
        let url = match (self.check, self.profile) {
            (Some(CheckId::DeploymentReachable), Some(profile)) => profile.deployment.url.clone(),
            (Some(CheckId::AwsListSecrets | CheckId::AwsGetSecret), Some(profile)) => {
                aws(&profile.aws.secretsmanager_endpoint_url, "secretsmanager")
            }
            (
                Some(CheckId::AwsAssumeRoleWithWebIdentity | CheckId::AwsAssumeRole | CheckId::AwsCallerIdentity),
                Some(profile),
            ) => aws(&profile.aws.sts_endpoint_url, "sts"),
            (Some(CheckId::AzureExchange), Some(profile)) => {
                profile.azure.authority_host.clone().or_else(|| Some("https://login.microsoftonline.com".to_owned()))
            }
            (Some(CheckId::AzureListSecrets | CheckId::AzureGetSecret), Some(profile)) => {
                profile.azure.vault_url.clone()
            }
            _ => match self.parsed.and_then(|parsed| parsed.host.as_ref()) {
                Some(host) => Some(format!("https://{host}")),
                None => self.issuer(),
            },
        };
        Url::parse(&url?).ok()
    }

    fn host(&self) -> Option<String> {
        self.asked()?.host_str().map(str::to_owned)
    }

    fn host_and_port(&self) -> Option<String> {
        let url = self.asked()?;
        Some(format!("{}:{}", url.host_str()?, url.port_or_known_default()?))
    }

    /// Owner and name of the GitHub repository that the token is for.
    fn repository(&self) -> Option<(String, String)> {
        let (owner, name) = self.claim("repository")?.split_once('/').map(|(o, n)| (o.to_owned(), n.to_owned()))?;
        Some((owner, name))
    }
}

/// A finding of its own, outside a run, with all that the catalogue has for it.
#[must_use]
pub fn advised(finding: Finding, guide: Option<&str>, values: &Values<'_>) -> Finding {
    let mut finding = complete(finding, guide);
    advise(&mut finding, guide, values);
    finding
}

/// Explains an error text, its causes with what the catalogue has for them: values come from the text and from what was
/// given beside it.
pub fn explained(text: &str, given: &ExplainContext<'_>) -> Explanation {
    let mut explanation = explain(text, given);
    let Explanation { parsed, guide, causes, .. } = &mut explanation;
    let values = Values { profile: given.profile, claims: given.claims, parsed: Some(parsed), check: None };
    for finding in causes {
        advise(finding, *guide, &values);
    }
    explanation
}

/// Gives a finding what the catalogue has for it: its fixes where it has none of its own and is more than possible, and
/// the commands that only look.
pub fn advise(finding: &mut Finding, guide: Option<&str>, values: &Values<'_>) {
    let entry = entry(finding.cause);
    if finding.fixes.is_empty() && finding.certainty != Certainty::Possible && finding.follows_from.is_none() {
        finding.fixes = entry.fixes_for(guide).into_iter().map(|fix| rendered(fix, values)).collect();
    }
    for look in entry.looks_for(guide) {
        let command = looking(&look.command, values);
        if !finding.see.iter().any(|own| own.command == command) {
            finding.see.push(Look { text: look.text.clone(), command });
        }
    }
}

fn rendered(fix: &CatalogueFix, values: &Values<'_>) -> Fix {
    let text = match &fix.console {
        Some(console) => format!("{} In the console: {console}.", fix.text),
        None => fix.text.clone(),
    };
    let command = fix.command.as_deref().map(|command| whole(command, values));
    let verify = values.profile.filter(|_| command.is_some()).map(|profile| remedy::check(profile, fix.wait_s));
    Fix {
        text,
        actor: fix.actor,
        command,
        document: None,
        verify,
        undo: fix.undo.as_deref().map(|undo| whole(undo, values)),
    }
}

/// A piece of a command of the catalogue.
pub(super) enum Piece<'c> {
    Text(&'c str),
    Placeholder(&'c str),
}

pub(super) fn pieces(command: &str) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    let mut rest = command;
    let mut text_from = 0;
    let is_name = |name: &str| {
        name.starts_with(|c: char| c.is_ascii_lowercase()) && name.chars().all(|c| c.is_ascii_lowercase() || c == '-')
    };
    while let Some(open) = rest.get(text_from..).and_then(|tail| tail.find('<')).map(|at| at + text_from) {
        let name = rest.get(open + 1..).and_then(|tail| tail.split_once('>')).map(|(name, _)| name);
        match name.filter(|name| is_name(name)) {
            Some(name) => {
                pieces.push(Piece::Text(rest.get(..open).unwrap_or_default()));
                pieces.push(Piece::Placeholder(name));
                rest = rest.get(open + name.len() + 2..).unwrap_or_default();
                text_from = 0;
            }
            None => text_from = open + 1,
        }
    }
    pieces.push(Piece::Text(rest));
    pieces
}

pub(super) fn what(placeholder: &str) -> &'static str {
    PLACEHOLDERS.iter().find(|(name, _)| *name == placeholder).map_or("a value", |(_, what)| what)
}

fn variable_name(placeholder: &str) -> String {
    placeholder.to_uppercase().replace('-', "_")
}

fn selector(values: &Values<'_>) -> String {
    values.profile.map(|profile| profile.selector.clone()).unwrap_or_default()
}

/// What changes the shell that it is typed into, and so must not end that one.
fn is_for_own_shell(command: &str) -> bool {
    ["export ", "unset "].iter().any(|start| command.starts_with(start))
}

/// A script that changes something: each placeholder a variable of its head.
fn whole(command: &str, values: &Values<'_>) -> String {
    let pieces = pieces(command.trim_start());
    let mut head = String::from(if is_for_own_shell(command) { "" } else { remedy::HEAD });
    let mut body = String::new();
    let mut seen: Vec<&str> = Vec::new();
    for piece in &pieces {
        match piece {
            Piece::Text(text) => body.push_str(text),
            Piece::Placeholder(SELECTOR) => body.push_str(&selector(values)),
            Piece::Placeholder(name) => {
                if !seen.contains(name) {
                    seen.push(name);
                    head.push_str(&remedy::variable(&variable_name(name), values.of(name).as_deref(), what(name)));
                }
                body.push_str(&format!("\"${}\"", variable_name(name)));
            }
        }
    }
    format!("{head}{}\n", body.trim_end())
}

/// A command that only looks, for a shell that somebody sits at: values in their place, and nothing that ends the shell.
pub fn looking(command: &str, values: &Values<'_>) -> String {
    let mut whole = String::new();
    for piece in pieces(command) {
        match piece {
            Piece::Text(text) => whole.push_str(text),
            Piece::Placeholder(SELECTOR) => whole.push_str(&selector(values)),
            Piece::Placeholder(name) => match values.of(name) {
                Some(value) => whole.push_str(&quote(&value)),
                None => whole.push_str(&format!("\"${{{}:?{}}}\"", variable_name(name), what(name))),
            },
        }
    }
    whole.trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use std::process::{Command, Output};

    use super::*;
    use crate::cause::Cause;
    use crate::domain::ids::Finder;
    use crate::domain::profile::Guide;

    fn sh(arguments: &[&str]) -> Output {
        Command::new("sh").args(arguments).env_clear().env("PATH", "/usr/bin:/bin").output().unwrap()
    }

    /// Everything printed for a cause that is proven, under every guide.
    fn printed(cause: Cause, values: &Values<'_>) -> Vec<String> {
        let guides = Guide::ALL.iter().map(|guide| Some(guide.id())).chain([None]);
        let mut printed: Vec<String> = guides
            .flat_map(|guide| {
                let found = advised(Finding::new(cause, Finder::Explain, Certainty::Proven, "wrong"), guide, values);
                let fixes = found.fixes.into_iter().flat_map(|fix| fix.command.into_iter().chain(fix.undo));
                fixes.chain(found.see.into_iter().map(|look| look.command)).collect::<Vec<_>>()
            })
            .collect();
        printed.sort();
        printed.dedup();
        printed
    }

    /// Where a `<` is followed by a letter, as in a placeholder; no script of the catalogue has a document in it.
    fn has_placeholder(script: &str) -> bool {
        script.split('<').skip(1).any(|tail| tail.starts_with(|c: char| c.is_ascii_alphabetic()))
    }

    #[test]
    fn every_command_is_whole_for_every_cause_and_guide() {
        let mut profile = Profile::bare("p", Guide::AwsWorkloadIdentity);
        profile.issuer_url = Some("https://app.example.com".into());
        profile.selector = "--profile 'my own'".into();
        let known = Values { profile: Some(&profile), ..Values::default() };
        let mut all: Vec<String> = Vec::new();
        for &cause in Cause::ALL {
            for values in [Values::default(), known] {
                all.extend(printed(cause, &values));
            }
        }
        all.sort();
        all.dedup();
        assert!(all.len() > 80, "{}", all.len());
        for script in &all {
            assert!(!has_placeholder(script), "{script}");
            assert!(script.starts_with(|c: char| c.is_ascii_lowercase()), "a fragment: {script}");
            let read = sh(&["-n", "-c", script]);
            assert!(read.status.success(), "{script}: {}", String::from_utf8_lossy(&read.stderr));
        }
        assert!(all.iter().any(|script| script.contains("trustline check --profile 'my own' --wait 120")));
    }

    #[test]
    fn the_placeholders_are_those_that_are_known() {
        let mut used: Vec<String> = Vec::new();
        for &cause in Cause::ALL {
            let entry = entry(cause);
            let fixes = entry.fixes.iter().flat_map(|fix| fix.command.iter().chain(&fix.undo));
            for command in fixes.chain(entry.see.iter().map(|look| &look.command)) {
                used.extend(pieces(command).iter().filter_map(|piece| match piece {
                    Piece::Placeholder(name) => Some((*name).to_owned()),
                    Piece::Text(_) => None,
                }));
            }
        }
        used.retain(|name| name != SELECTOR);
        used.push("policy-name".to_owned());
        used.sort();
        used.dedup();
        let mut known: Vec<&str> = PLACEHOLDERS.iter().map(|(name, _)| *name).collect();
        known.sort_unstable();
        assert_eq!(used, known);
    }

    #[test]
    fn what_an_error_text_says_stays_one_word() {
        for hostile in ["x'; echo pwned; '", "$(echo pwned)", "`echo pwned`", "a b", "*"] {
            let parsed = Parsed { secret: Some(hostile.to_owned()), ..Parsed::default() };
            let values = Values { parsed: Some(&parsed), ..Values::default() };
            for script in [whole("printf '<%s>' <secret>", &values), looking("printf '<%s>' <secret>", &values)] {
                let output = sh(&["-c", &script]);
                assert_eq!(String::from_utf8_lossy(&output.stdout), format!("<{hostile}>"), "{script}");
            }
        }
        for unusable in ["--profile=evil", "", "a\nb", "\u{1b}[2J"] {
            let parsed = Parsed { secret: Some(unusable.to_owned()), ..Parsed::default() };
            let values = Values { parsed: Some(&parsed), ..Values::default() };
            assert!(whole("printf %s <secret>", &values).contains("${SECRET:?the secret's name}"), "{unusable:?}");
        }
    }

    #[test]
    fn an_unknown_is_refused_before_anything_is_done() {
        for script in [whole("echo done <vault>", &Values::default()), looking("echo done <vault>", &Values::default())]
        {
            let output = sh(&["-c", &script]);
            assert!(!output.status.success() && output.stdout.is_empty(), "{script}");
            assert!(String::from_utf8_lossy(&output.stderr).contains("the key vault's name"), "{script}");
        }
        assert_eq!(
            looking("openssl s_client </dev/null <<'END'", &Values::default()),
            "openssl s_client </dev/null <<'END'"
        );
    }

    #[test]
    fn the_host_is_that_of_the_check_that_failed() {
        let mut profile = Profile::bare("p", Guide::AwsWorkloadIdentity);
        profile.issuer_url = Some("https://gitlab.example.com:8443/base".to_owned());
        profile.aws.region = Some("eu-west-1".to_owned());
        profile.deployment.url = Some("https://my-crew.example.com".to_owned());
        let foreign = serde_json::json!({ "iss": "https://127.0.0.1:42279" });
        for (check, host, port) in [
            (Some(CheckId::IssuerReachable), "gitlab.example.com", "gitlab.example.com:8443"),
            (
                Some(CheckId::AwsGetSecret),
                "secretsmanager.eu-west-1.amazonaws.com",
                "secretsmanager.eu-west-1.amazonaws.com:443",
            ),
            (Some(CheckId::DeploymentReachable), "my-crew.example.com", "my-crew.example.com:443"),
            (None, "gitlab.example.com", "gitlab.example.com:8443"),
        ] {
            let values = Values { profile: Some(&profile), claims: foreign.as_object(), parsed: None, check };
            assert_eq!(values.of("host").as_deref(), Some(host), "{check:?}");
            assert_eq!(values.of("host-and-port").as_deref(), Some(port), "{check:?}");
        }
    }
}
