//! Issuers that a file describes whole: by which hosts they are known, what their subjects are made of, and who else has such a
//! subject. One file an issuer, in `assets/issuers`; a new one needs no code.

use serde::Deserialize;

use crate::domain::assets::{self, Asset};

/// An issuer as its file describes it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Platform {
    /// How a person calls it.
    pub name: String,
    /// Its hosts; `*.` stands for one customer's name.
    hosts: Vec<String>,
    /// What its subjects have in them, where others sign with the same host.
    subject_has: Option<String>,
    pub docs: String,
    /// A subject of somebody's.
    pub example: String,
    parts: Vec<Part>,
    pub strangers: Vec<Stranger>,
}

/// A part of a subject, with the text before it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Part {
    label: String,
    name: String,
    meaning: String,
}

/// Somebody else of the issuer: one part of the subject is another.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stranger {
    pub distance: Apart,
    part: String,
    /// What the part is then, where not any other name will do.
    is: Option<String>,
    pub who: String,
}

/// How far apart two workloads of an issuer are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Apart {
    Tenant,
    Project,
    PullRequest,
    Branch,
}

/// Which of the described issuers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PlatformId(u8);

static ALL: [Asset<Platform>; 8] = [
    Asset::new(asset!("issuers/azure-devops")),
    Asset::new(asset!("issuers/azure-devops-entra")),
    Asset::new(asset!("issuers/codefresh")),
    Asset::new(asset!("issuers/env0")),
    Asset::new(asset!("issuers/harness")),
    Asset::new(asset!("issuers/scalr")),
    Asset::new(asset!("issuers/spacelift")),
    Asset::new(asset!("issuers/vercel")),
];

impl PlatformId {
    /// The issuer with this host whose subjects may be like this.
    pub fn of(host: &str, subject: Option<&str>) -> Option<PlatformId> {
        let is_of = |platform: &Platform| {
            let is_host = |known: &String| match known.strip_prefix('*') {
                Some(suffix) => host.strip_suffix(suffix).is_some_and(|name| !name.is_empty() && !name.contains('.')),
                None => known == host,
            };
            let has = |mark: &String| subject.is_some_and(|subject| subject.contains(mark.as_str()));
            platform.hosts.iter().any(is_host) && platform.subject_has.as_ref().is_none_or(has)
        };
        // One customer's name is no part of the file.
        let of_all = host.split_once('.').map_or(host, |(_, rest)| rest);
        let (at, _) = assets::find(&ALL, |file| file.has_text_ending(of_all), is_of)?;
        u8::try_from(at).ok().map(PlatformId)
    }

    /// What its file says.
    pub fn platform(self) -> Option<&'static Platform> {
        ALL.get(usize::from(self.0))?.read()
    }
}

impl Platform {
    /// The parts of a subject: name, value, meaning. None where its form is another.
    pub fn parts<'s>(&'static self, subject: &'s str) -> Option<Vec<(&'static str, &'s str, &'static str)>> {
        let mut rest = subject.strip_prefix(self.parts.first()?.label.as_str())?;
        let mut found = Vec::with_capacity(self.parts.len());
        for (at, part) in self.parts.iter().enumerate() {
            let value = match self.parts.get(at + 1) {
                Some(next) => {
                    let (value, behind) = rest.split_once(next.label.as_str())?;
                    rest = behind;
                    value
                }
                None => rest,
            };
            if value.is_empty() {
                return None;
            }
            found.push((part.name.as_str(), value, part.meaning.as_str()));
        }
        Some(found)
    }

    /// The subjects of a stranger: `subject` with one part replaced by each of the names, or by what the stranger is.
    pub fn subjects_of(&'static self, stranger: &Stranger, subject: &str, names: &[String]) -> Vec<String> {
        let Some(parts) = self.parts(subject) else { return Vec::new() };
        let names = stranger.is.as_ref().map_or(names, std::slice::from_ref);
        let with = |name: &String| {
            let replaced = |(part, (own, value, _)): (&Part, &(&str, &str, &str))| {
                format!("{}{}", part.label, if *own == stranger.part { name } else { *value })
            };
            self.parts.iter().zip(&parts).map(replaced).collect::<String>()
        };
        names.iter().map(with).filter(|other| other != subject).collect()
    }

    /// The first part of a pattern for subjects, as far as it goes.
    pub fn first_part<'p>(&self, pattern: &'p str) -> Option<&'p str> {
        pattern.strip_prefix(self.parts.first()?.label.as_str())?.split([':', '/']).next()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_reads_and_its_example_has_its_parts_and_strangers() {
        for (at, file) in ALL.iter().enumerate() {
            let platform = file.read().unwrap_or_else(|| panic!("the file at {at} cannot be read"));
            assert!(platform.docs.starts_with("https://"));
            let parts = platform.parts(&platform.example).unwrap_or_else(|| panic!("{}", platform.name));
            for stranger in &platform.strangers {
                assert!(parts.iter().any(|(name, ..)| *name == stranger.part), "{}: {}", platform.name, stranger.part);
                let others = platform.subjects_of(stranger, &platform.example, &["other".to_owned()]);
                assert_eq!(others.len(), 1, "{}: {}", platform.name, stranger.who);
                assert!(platform.parts(&others[0]).is_some(), "{others:?}");
            }
        }
    }

    #[test]
    fn an_issuer_is_known_by_its_host() {
        let name = |host: &str, subject: Option<&str>| {
            PlatformId::of(host, subject).and_then(PlatformId::platform).map(|platform| platform.name.as_str())
        };
        for (host, subject, expected) in [
            ("oidc.vercel.com", None, Some("Vercel")),
            ("acme.app.spacelift.io", None, Some("Spacelift")),
            ("app.spacelift.io", None, None),
            ("a.b.app.spacelift.io", None, None),
            ("scalr.io", None, Some("Scalr")),
            ("scalr.io.example.com", None, None),
            ("vstoken.dev.azure.com", None, Some("Azure DevOps")),
            ("login.microsoftonline.com", Some("/eid1/c/pub/t/a/a/b/sc/c/d"), Some("Azure DevOps by Entra")),
            ("login.microsoftonline.com", Some("7f3e81c4"), None),
            ("login.microsoftonline.com", None, None),
        ] {
            assert_eq!(name(host, subject), expected, "{host}");
        }
    }

    #[test]
    fn a_subject_is_taken_apart_and_another_form_is_none() {
        let vercel = PlatformId::of("oidc.vercel.com", None).and_then(PlatformId::platform).unwrap();
        let parts = vercel.parts("owner:acme:project:shop:environment:production").unwrap();
        let values: Vec<(&str, &str)> = parts.iter().map(|(name, value, _)| (*name, *value)).collect();
        assert_eq!(values, [("team", "acme"), ("project", "shop"), ("environment", "production")]);
        for other in ["owner:acme", "owner::project:shop:environment:x", "repo:a/b:ref"] {
            assert_eq!(vercel.parts(other), None, "{other}");
        }
        assert_eq!(vercel.first_part("owner:acme*:project:x"), Some("acme*"));
    }
}
