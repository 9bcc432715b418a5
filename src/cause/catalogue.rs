//! The catalogue of causes: what each means, how it is recognised and told apart, and how it is mended.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use serde::Deserialize;

use super::{Actor, Cause, Finding, Fix, assets};

/// What the catalogue says about one cause. Read from `assets/causes/<id>.toml`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Entry {
    /// A short name for people.
    pub title: String,
    /// What it means for the user.
    pub meaning: String,
    /// Why it happens.
    pub why: String,
    /// The codes, message shapes and facts that show it.
    #[serde(default)]
    pub recognised: Vec<String>,
    /// Neighbouring causes (ids), and what separates each from this one.
    #[serde(default)]
    pub told_apart: BTreeMap<String, String>,
    /// What to bring so that this cause can be confirmed or ruled out.
    #[serde(default)]
    pub decide: String,
    /// The vendor's page.
    pub docs: String,
    /// The vendor's page where a guide's cloud has its own.
    #[serde(default)]
    pub docs_by_guide: BTreeMap<String, String>,
    /// The step of each guide where this is set right, counted from 1.
    #[serde(default)]
    pub steps: BTreeMap<String, u8>,
    /// Ways to mend it, the best first.
    #[serde(default)]
    pub fixes: Vec<CatalogueFix>,
    /// The rows of the guides' troubleshooting tables that this cause answers, as `guide/row`.
    #[serde(default)]
    pub rows: Vec<String>,
}

/// A way to mend a cause, as the catalogue holds it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CatalogueFix {
    /// What to do; for another actor, the text to send them.
    pub text: String,
    /// Who can carry it out.
    #[serde(default)]
    pub actor: Actor,
    /// The command or policy text that does it, with `<placeholders>`.
    pub command: Option<String>,
    /// Where to click instead.
    pub console: Option<String>,
    /// The guides this applies to; empty where it applies to all.
    #[serde(default)]
    pub guides: Vec<String>,
}

impl Entry {
    /// The fixes for a guide: its own where it has some, else those for any guide.
    pub fn fixes_for(&self, guide: Option<&str>) -> Vec<Fix> {
        let own = |fix: &&CatalogueFix| guide.is_some_and(|g| fix.guides.iter().any(|known| known == g));
        let chosen: Vec<&CatalogueFix> = if self.fixes.iter().any(|fix| own(&fix)) {
            self.fixes.iter().filter(own).collect()
        } else if self.fixes.iter().any(|fix| fix.guides.is_empty()) {
            self.fixes.iter().filter(|fix| fix.guides.is_empty()).collect()
        } else {
            self.fixes.iter().collect()
        };
        chosen.into_iter().map(CatalogueFix::to_fix).collect()
    }

    /// The vendor's page for a guide.
    pub fn docs_for(&self, guide: Option<&str>) -> &str {
        guide.and_then(|g| self.docs_by_guide.get(g)).unwrap_or(&self.docs)
    }
}

impl CatalogueFix {
    fn to_fix(&self) -> Fix {
        let text = match &self.console {
            Some(console) => format!("{} In the console: {console}.", self.text),
            None => self.text.clone(),
        };
        Fix { text, actor: self.actor, command: self.command.clone(), ..Fix::default() }
    }
}

/// The catalogue's entry for a cause. Parsed once, on first use, and only this entry.
pub fn entry(cause: Cause) -> &'static Entry {
    static ENTRIES: [OnceLock<Entry>; Cause::ALL.len()] = [const { OnceLock::new() }; Cause::ALL.len()];
    ENTRIES[cause as usize].get_or_init(|| {
        // A test parses every entry, so the fallback is never seen; it only spares the program a panic.
        toml::from_str(assets::source(cause))
            .unwrap_or_else(|_| Entry { title: cause.id().to_owned(), ..Entry::default() })
    })
}

/// Fills what the finding leaves empty from the catalogue: documentation, fixes, and with a guide its step.
#[must_use]
pub fn complete(mut finding: Finding, guide: Option<&str>) -> Finding {
    let entry = entry(finding.cause);
    if finding.docs.is_empty() {
        finding.docs = entry.docs_for(guide).to_owned();
    }
    if finding.fixes.is_empty() {
        finding.fixes = entry.fixes_for(guide);
    }
    if finding.guide.is_none()
        && finding.step.is_none()
        && let Some((guide, step)) = guide.and_then(|g| entry.steps.get_key_value(g))
    {
        finding.guide = Some(guide.clone());
        finding.step = Some(*step);
    }
    finding
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::cause::Certainty;

    /// The guides, and how many steps each has.
    const GUIDES: &[(&str, u8)] = &[
        ("aws-workload-identity", 10),
        ("azure-workload-identity", 10),
        ("aws-static", 7),
        ("aws-assume-role", 7),
        ("gitlab-aws", 3),
        ("circleci-aws", 4),
    ];

    /// The rows of the guides' troubleshooting tables in short, and the causes behind each. `aws-static` and
    /// `aws-assume-role` share one document and its table; `circleci-aws` has no table.
    const ROWS: &[(&str, &[Cause])] = &[
        // A handshake that fails: principal, audience, subject, reachability.
        (
            "aws-workload-identity/handshake",
            &[
                Cause::PrincipalArnWrong,
                Cause::AudMismatch,
                Cause::AudNotRegistered,
                Cause::SubMismatch,
                Cause::JwksUnreachable,
                Cause::ProviderMissing,
                Cause::IssuerNotConfigured,
                Cause::Thumbprint,
            ],
        ),
        // The table blames reachability alone; a key that is not published gives the same text.
        (
            "aws-workload-identity/verification-key",
            &[
                Cause::JwksUnreachable,
                Cause::JwksKidMissing,
                Cause::JwksInvalid,
                Cause::IssuerSlow,
                Cause::IdpThrottled,
            ],
        ),
        (
            "aws-workload-identity/not-authorized",
            &[
                Cause::SubMismatch,
                Cause::SubCaseMismatch,
                Cause::AudMismatch,
                Cause::PrincipalArnWrong,
                Cause::ConditionKeyWrong,
                Cause::OperatorWrong,
                Cause::ActionMissing,
                Cause::RoleMissing,
                Cause::WrongAccount,
            ],
        ),
        ("aws-workload-identity/list-denied", &[Cause::MissingList, Cause::ListResourceScoped]),
        (
            "aws-workload-identity/kickoff-fails",
            &[Cause::MissingGet, Cause::SecretArnSuffix, Cause::VersionstageCondition, Cause::MissingKms],
        ),
        // The table takes both for a wrong region; RegionDisabledException is about STS.
        ("aws-workload-identity/region-disabled", &[Cause::RegionDisabled, Cause::SecretWrongRegion]),
        ("aws-workload-identity/rotated-not-picked-up", &[Cause::StaticBaked, Cause::ReadAtImport, Cause::Cached]),
        (
            "azure-workload-identity/handshake",
            &[
                Cause::IssMismatch,
                Cause::SubMismatch,
                Cause::AudMismatch,
                Cause::JwksUnreachable,
                Cause::IssuerNotConfigured,
            ],
        ),
        // One code in the table; Entra has one for each of issuer, audience and subject by now.
        (
            "azure-workload-identity/no-matching-record",
            &[
                Cause::IssMismatch,
                Cause::SubMismatch,
                Cause::SubCaseMismatch,
                Cause::AudMismatch,
                Cause::FicMissing,
                Cause::ClientWrong,
                Cause::PropagationDelay,
            ],
        ),
        // The table says clock; mostly the token is old.
        ("azure-workload-identity/assertion-time", &[Cause::TokenExpired, Cause::ClockSkew]),
        // The table says unreachable keys; those have codes of their own.
        (
            "azure-workload-identity/assertion-signature",
            &[Cause::SignatureInvalid, Cause::JwksKidMissing, Cause::JwksUnreachable, Cause::JwksInvalid],
        ),
        ("azure-workload-identity/list-forbidden", &[Cause::RbacScopeSingleSecret, Cause::MissingList]),
        (
            "azure-workload-identity/kickoff-fails",
            &[Cause::RbacMissing, Cause::RbacWrongRole, Cause::RbacWrongPrincipal, Cause::RbacScopeSingleSecret],
        ),
        (
            "azure-workload-identity/legacy-access-policies",
            &[Cause::AccessPolicyModel, Cause::AccessPolicyWrongObject, Cause::AccessPolicyCompound],
        ),
        ("azure-workload-identity/vault-url-required", &[Cause::VaultUrlMissing]),
        ("azure-workload-identity/rotated-not-picked-up", &[Cause::StaticBaked, Cause::ReadAtImport, Cause::Cached]),
        ("aws-static/list-denied", &[Cause::MissingList, Cause::ListResourceScoped]),
        ("aws-static/kms-denied", &[Cause::MissingKms]),
        ("aws-static/key-or-signature", &[Cause::StaticKeyWrong]),
        ("aws-static/region-disabled", &[Cause::RegionDisabled, Cause::SecretWrongRegion]),
        ("aws-static/assume-role-denied", &[Cause::AssumeRoleDenied, Cause::ExternalId]),
        ("aws-static/passes-then-fails", &[Cause::PropagationDelay]),
        ("gitlab-aws/not-configured", &[Cause::ProviderMissing, Cause::EnvNotSet, Cause::IdTokenPermissionMissing]),
        ("gitlab-aws/branch-or-tag", &[Cause::SubMismatch, Cause::ClaimMismatch]),
    ];

    fn parsed(cause: Cause) -> Entry {
        toml::from_str(assets::source(cause)).unwrap_or_else(|e| panic!("{cause}: {e}"))
    }

    #[test]
    fn every_entry_is_complete() {
        for &cause in Cause::ALL {
            let entry = parsed(cause);
            assert_eq!(&entry, super::entry(cause), "{cause}");
            for (what, text) in [("title", &entry.title), ("meaning", &entry.meaning), ("why", &entry.why)] {
                assert!(text.len() > 4 && text.trim() == text, "{cause}: {what}");
            }
            assert!(
                entry.meaning.ends_with('.') && entry.why.ends_with('.'),
                "{cause}: sentences end with a full stop"
            );
            assert!(!entry.recognised.is_empty(), "{cause}: recognised");
            assert!(!entry.told_apart.is_empty(), "{cause}: told-apart");
            assert!(!entry.decide.is_empty(), "{cause}: decide");
            assert!(!entry.fixes.is_empty(), "{cause}: fixes");
            for address in entry.docs_by_guide.values().chain([&entry.docs]) {
                assert!(address.starts_with("https://") && !address.contains(' '), "{cause}: {address}");
            }
            for neighbour in entry.told_apart.keys() {
                assert_ne!(neighbour.parse(), Ok(cause), "{cause} is told apart from itself");
                assert!(neighbour.parse::<Cause>().is_ok(), "{cause}: no cause is called {neighbour}");
            }
        }
    }

    #[test]
    fn guides_and_steps_exist() {
        let known = |guide: &str| GUIDES.iter().find(|(id, _)| *id == guide).map(|(_, steps)| *steps);
        for &cause in Cause::ALL {
            let entry = parsed(cause);
            for (guide, step) in &entry.steps {
                assert!(known(guide).is_some_and(|steps| (1..=steps).contains(step)), "{cause}: {guide} step {step}");
            }
            let named = entry.docs_by_guide.keys().chain(entry.fixes.iter().flat_map(|fix| &fix.guides));
            for guide in named {
                assert!(known(guide).is_some(), "{cause}: no guide is called {guide}");
            }
            for (guide, _) in GUIDES {
                assert!(!entry.fixes_for(Some(guide)).is_empty(), "{cause}: no fix for {guide}");
            }
        }
    }

    #[test]
    fn every_row_of_the_guides_tables_leads_to_its_causes() {
        let rows: BTreeSet<String> = Cause::ALL.iter().flat_map(|cause| parsed(*cause).rows).collect();
        assert_eq!(rows, ROWS.iter().map(|(row, _)| (*row).to_owned()).collect());
        for (row, causes) in ROWS {
            let found: BTreeSet<Cause> = Cause::ALL
                .iter()
                .copied()
                .filter(|cause| entry(*cause).rows.iter().any(|known| known == row))
                .collect();
            assert_eq!(found, causes.iter().copied().collect(), "{row}");
        }
    }

    #[test]
    fn what_the_tables_get_wrong_is_put_right() {
        assert!(entry(Cause::RegionDisabled).meaning.contains("nothing to do with where the secret lives"));
        assert!(entry(Cause::Thumbprint).why.contains("never validates"));
        assert!(entry(Cause::IssMismatch).why.contains("AADSTS70021"));
        let gone = entry(Cause::EnvNotSet).fixes_for(Some("gitlab-aws"));
        assert!(gone.iter().any(|fix| fix.text.contains("17.0")), "{gone:?}");
    }

    #[test]
    fn placeholders_are_of_the_known_names() {
        const KNOWN: &[&str] = &[
            "access-key-id",
            "account-id",
            "audience",
            "client-address",
            "client-id",
            "credential-name",
            "deployment-host",
            "external-id",
            "group",
            "issuer-address",
            "issuer-host",
            "issuer-name",
            "issuer-url",
            "kms-key-id",
            "object-id",
            "organization",
            "owner",
            "pool",
            "port",
            "project",
            "project-number",
            "provider",
            "provider-arn",
            "proxy-host",
            "region",
            "repository",
            "role-arn",
            "role-name",
            "secret",
            "secret-arn",
            "service-account",
            "subject",
            "subject-pattern",
            "thumbprint",
            "vault",
        ];
        for &cause in Cause::ALL {
            for command in parsed(cause).fixes.iter().filter_map(|fix| fix.command.as_deref()) {
                for slot in command.split('<').skip(1).filter_map(|rest| rest.split_once('>')).map(|(slot, _)| slot) {
                    assert!(KNOWN.contains(&slot) || slot.starts_with('/'), "{cause}: <{slot}> in {command}");
                }
            }
        }
    }

    #[test]
    fn completes_only_what_is_empty() {
        let bare = Finding::new(Cause::SubMismatch, "trust.policy", Certainty::Proven, "differs");
        let full = complete(bare.clone(), Some("azure-workload-identity"));
        assert_eq!((full.guide.as_deref(), full.step), (Some("azure-workload-identity"), Some(3)));
        assert!(full.docs.contains("learn.microsoft.com"));
        assert!(full.fixes.iter().all(|fix| !fix.text.contains("StringLike")), "{:?}", full.fixes);

        let own = complete(bare.clone().with_fix("do this"), Some("aws-workload-identity"));
        assert_eq!(own.fixes.len(), 1);
        assert_eq!(complete(bare, None).guide, None);
    }
}
