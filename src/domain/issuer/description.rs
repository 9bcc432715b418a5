//! What is known of an issuer's tokens: how they name their owner, and which claims they have. One file a kind, in
//! `assets/issuers`.

use std::collections::BTreeMap;

use memchr::memmem;
use serde::Deserialize;

use super::IssuerKind;
use crate::domain::assets::Asset;
use crate::domain::guide::Workload;

/// What is known of an issuer's tokens. Texts in it may name keys of a profile, as `{github.repository}`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Description {
    pub kinds: Vec<IssuerKind>,
    /// What such tokens are handed to, where setup guides are about it.
    pub workload: Option<Workload>,
    /// The keys of a profile without which nobody can say whose tokens are meant.
    #[serde(default)]
    pub owner: Vec<String>,
    /// The tables of a profile that say whose tokens are meant.
    pub tables: Vec<String>,
    pub docs: String,
    /// Where everybody's tokens have the same issuer, or one that follows from the profile.
    pub issuer: Option<String>,
    /// The audience of a token for AWS, where it is not AWS's own name.
    pub audience: Option<String>,
    /// The forms of a subject: the first whose keys are all known is meant. `*` stands for what nothing tells.
    pub subjects: Vec<String>,
    /// What a log of such a run has in it.
    pub marks: Vec<String>,
    /// A subject of somebody's.
    pub example: String,
    /// Claims beside `iss`, `sub` and `aud`.
    pub claims: BTreeMap<String, String>,
    /// Claims that such tokens have, or may have, and that no profile tells.
    pub unknown: Vec<String>,
    /// How one gets such a token.
    pub token: Option<Obtaining>,
}

/// How one gets a token. Its texts hold the `{variables}` of the guides' prose.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Obtaining {
    pub how: Vec<String>,
    /// A part of a job, or commands.
    pub script: Option<String>,
}

static ALL: [Asset<Description>; 7] = [
    Asset::new(asset!("issuers/agent-platform")),
    Asset::new(asset!("issuers/aws-outbound")),
    Asset::new(asset!("issuers/circleci")),
    Asset::new(asset!("issuers/github-actions")),
    Asset::new(asset!("issuers/gitlab")),
    Asset::new(asset!("issuers/kubernetes")),
    Asset::new(asset!("issuers/terraform")),
];

impl Description {
    /// The kinds whose tokens are described.
    pub fn all() -> impl Iterator<Item = &'static Description> {
        ALL.iter().filter_map(Asset::read)
    }

    /// The description of those whose run `log` is of: the one whose mark comes first.
    pub fn of_log(log: &str) -> Option<&'static Description> {
        let first =
            |one: &Description| one.marks.iter().filter_map(|mark| memmem::find(log.as_bytes(), mark.as_bytes())).min();
        Self::all().filter_map(|one| Some((first(one)?, one))).min_by_key(|(at, _)| *at).map(|(_, one)| one)
    }

    /// Whether it is about this kind.
    pub fn is_of(&self, kind: IssuerKind) -> bool {
        self.kinds.contains(&kind)
    }

    /// The description of the tokens that such workloads hold.
    pub fn of_workload(workload: Workload) -> Option<&'static Description> {
        Self::all().find(|description| description.workload == Some(workload))
    }

    /// The description of a kind, where there is one.
    pub fn of(kind: IssuerKind) -> Option<&'static Description> {
        Self::all().find(|description| description.is_of(kind))
    }
}

/// `template` with each `{name}` replaced by its value; `None` where one of them is not known.
pub fn fill(template: &str, value: impl Fn(&str) -> Option<String>) -> Option<String> {
    let mut filled = String::with_capacity(template.len());
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('{') {
        let (name, behind) = after.split_once('}')?;
        filled.push_str(before);
        filled.push_str(&value(name)?);
        rest = behind;
    }
    filled.push_str(rest);
    Some(filled)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::issuer::is_whole;
    use crate::domain::profile::key::Key;

    #[test]
    fn every_description_reads_and_names_what_there_is() {
        assert_eq!(Description::all().count(), ALL.len(), "a file cannot be read");
        for description in Description::all() {
            assert!(description.docs.starts_with("https://"));
            for key in &description.owner {
                assert!(Key::parse(key).is_some(), "{key}");
            }
            for kind in &description.kinds {
                assert!(is_whole(*kind, &description.example), "{kind:?}");
            }
            for table in &description.tables {
                assert!(Key::ALL.iter().any(|key| key.table() == table && key.is_workload()), "{table}");
            }
            let templates = description.subjects.iter().chain(description.claims.values());
            for template in templates.chain(&description.issuer).chain(&description.audience) {
                let named = |name: &str| Key::parse(name).map(|key| key.path().to_owned());
                assert!(fill(template, named).is_some(), "{template} names a key that no profile has");
            }
        }
    }

    #[test]
    fn every_workload_has_its_tokens_described_once() {
        for workload in Workload::ALL {
            let found = Description::all().filter(|one| one.workload == Some(*workload)).count();
            assert_eq!(found, 1, "{workload}");
        }
    }

    #[test]
    fn a_log_tells_whose_run_it_is() {
        for (log, kind) in [
            ("Run aws-actions/configure-aws-credentials@v4\n", Some(IssuerKind::GithubActions)),
            (
                "$ aws sts assume-role-with-web-identity --web-identity-token $GITLAB_OIDC_TOKEN",
                Some(IssuerKind::GitlabCom),
            ),
            ("echo $CIRCLE_OIDC_TOKEN", Some(IssuerKind::CircleCi)),
            ("WebIdentityErr: failed to retrieve credentials", Some(IssuerKind::Eks)),
            ("TFC_AWS_PROVIDER_AUTH", Some(IssuerKind::TerraformCloud)),
            ("when calling the GetWebIdentityToken operation", Some(IssuerKind::Aws)),
            ("An error occurred (AccessDenied)", None),
        ] {
            let found = Description::of_log(log);
            assert_eq!(found.is_some(), kind.is_some(), "{log}");
            assert!(kind.is_none_or(|kind| found.is_some_and(|found| found.is_of(kind))), "{log}");
        }
    }

    #[test]
    fn fills_what_is_known() {
        let value = |name: &str| (name == "a.b").then(|| "x".to_owned());
        assert_eq!(fill("s:{a.b}:{a.b}:*", value).as_deref(), Some("s:x:x:*"));
        assert_eq!(fill("plain", value).as_deref(), Some("plain"));
        assert_eq!(fill("s:{c}", value), None);
        assert_eq!(fill("s:{a.b", value), None);
    }
}
