//! The catalogue of causes: what each means, how it is recognised and told apart, and how it is mended.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use serde::Deserialize;

use super::{Actor, Cause, Finding};
use crate::domain::guide::Guide;

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
    pub distinguish: BTreeMap<String, String>,
    /// What to bring so that this cause can be confirmed or ruled out.
    #[serde(default)]
    pub decide: String,
    /// Causes (ids) that a cloud's refusal names, or another check finds, where this one is the root.
    #[serde(default)]
    pub leads_to: Vec<String>,
    /// The vendor's page.
    pub docs: String,
    /// The vendor's page where a guide's cloud has its own.
    #[serde(default)]
    pub docs_by_guide: BTreeMap<String, String>,
    /// The step of each guide where this is set right, counted from 1.
    #[serde(default)]
    pub steps: BTreeMap<String, u8>,
    /// Ways to fix it, the best first.
    #[serde(default)]
    pub fixes: Vec<CatalogueFix>,
    /// Commands that only look.
    #[serde(default)]
    pub see: Vec<CatalogueLook>,
    /// What somebody else has to do, or the reader on the side of whoever makes the tokens.
    #[serde(default)]
    pub requests: Vec<CatalogueRequest>,
    /// The rows of the guides' troubleshooting tables that this cause answers, as `guide/row`.
    #[serde(default)]
    pub rows: Vec<String>,
}

/// A way to fix a cause, as the catalogue holds it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct CatalogueFix {
    /// What to do; for another actor, the text to send them.
    pub text: String,
    /// Who can carry it out.
    #[serde(default)]
    pub actor: Actor,
    /// The whole script that does it. A `<placeholder>` stands where an unquoted word would.
    pub command: Option<String>,
    /// The whole script that takes it back.
    pub undo: Option<String>,
    /// For how many seconds the change may take to arrive.
    pub wait_s: Option<u32>,
    /// Where to click instead.
    pub console: Option<String>,
    /// The guides this applies to; empty where it applies to all.
    #[serde(default)]
    pub guides: Vec<String>,
}

/// A command that only looks, as the catalogue holds it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CatalogueLook {
    /// What it shows.
    pub text: String,
    /// The command, with placeholders as in a script.
    pub command: String,
    /// The guides this applies to; empty where it applies to all.
    #[serde(default)]
    pub guides: Vec<String>,
}

/// The message to whoever has to act, as the catalogue holds it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CatalogueRequest {
    /// The situation that this is for: `issuer` where a check of the issuer found it, or who makes the tokens.
    pub of: Option<String>,
    /// Who can carry it out.
    #[serde(default)]
    pub actor: Actor,
    /// What to send them, with placeholders; `<seen>` is what was found.
    pub text: String,
}

impl Entry {
    /// The step of a guide where it is set right: its own, else that of the guide whose steps go the same way.
    pub fn step_in(&self, guide: Guide) -> Option<u8> {
        let alike = || {
            let alike = guide.alike()?;
            Some((*self.steps.get(alike.guide.id())?).min(alike.last))
        };
        self.steps.get(guide.id()).copied().or_else(alike)
    }

    /// The fixes for a guide: its own where it has some, else those for any guide, else all.
    pub fn fixes_for(&self, guide: Option<&str>) -> Vec<&CatalogueFix> {
        let chosen = for_guide(&self.fixes, guide, |fix| &fix.guides);
        if chosen.is_empty() { self.fixes.iter().collect() } else { chosen }
    }

    /// The commands that look, chosen as the fixes are; those of other guides look at nothing here.
    pub fn looks_for(&self, guide: Option<&str>) -> Vec<&CatalogueLook> {
        match guide {
            None if self.see.iter().all(|look| !look.guides.is_empty()) => self.see.iter().collect(),
            _ => for_guide(&self.see, guide, |look| &look.guides),
        }
    }

    /// The vendor's page for a guide.
    pub fn docs_for(&self, guide: Option<&str>) -> &str {
        names(guide).iter().find_map(|name| self.docs_by_guide.get(*name)).unwrap_or(&self.docs)
    }
}

/// The names under which an entry may speak of a guide: its own, and that of its cloud's first one.
fn names(guide: Option<&str>) -> Vec<&str> {
    let first = guide
        .and_then(|id| id.parse::<Guide>().ok())
        .filter(|guide| guide.alike().is_some())
        .map(|guide| guide.cloud().workload_identity().id());
    guide.into_iter().chain(first).collect()
}

/// What is for the guide; where nothing is, what is for any guide.
fn for_guide<'e, T>(items: &'e [T], guide: Option<&str>, guides: fn(&T) -> &Vec<String>) -> Vec<&'e T> {
    let of = |name: &str| items.iter().filter(|item| guides(item).iter().any(|known| known == name)).collect();
    let general = || items.iter().filter(|item| guides(item).is_empty()).collect();
    let mut choices = names(guide).into_iter().map(of).chain(std::iter::once_with(general));
    choices.find(|chosen: &Vec<&T>| !chosen.is_empty()).unwrap_or_default()
}

/// The catalogue's entry for a cause. Parsed once, on first use, and only this entry.
pub fn entry(cause: Cause) -> &'static Entry {
    static ENTRIES: [OnceLock<Entry>; Cause::ALL.len()] = [const { OnceLock::new() }; Cause::ALL.len()];
    ENTRIES[cause as usize].get_or_init(|| {
        // A test parses every entry, so the fallback is never seen; it only spares the program a panic.
        serde_json::from_str(cause.source())
            .unwrap_or_else(|_| Entry { title: cause.id().to_owned(), ..Entry::default() })
    })
}

/// Fills what the finding leaves empty from the catalogue: documentation, and with a guide its step.
#[must_use]
pub fn complete(mut finding: Finding, guide: Option<&str>) -> Finding {
    let entry = entry(finding.cause);
    if finding.docs.is_empty() {
        finding.docs = entry.docs_for(guide).to_owned();
    }
    if finding.guide.is_none()
        && finding.step.is_none()
        && let Some(guide) = guide.and_then(|id| id.parse::<Guide>().ok())
        && let Some(step) = entry.step_in(guide)
    {
        finding.guide = Some(guide.id().to_owned());
        finding.step = Some(step);
    }
    finding
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::cause::Certainty;
    use crate::domain::ids::CheckId;

    /// The guides, and how many steps each has.
    const GUIDES: &[(&str, u8)] = &[
        ("aws-workload-identity", 10),
        ("azure-workload-identity", 10),
        ("gcp-workload-identity", 10),
        ("aws-static", 7),
        ("aws-assume-role", 7),
        ("azure-static", 6),
        ("gcp-static", 6),
        ("gitlab-aws", 3),
        ("circleci-aws", 4),
        ("github-aws", 3),
        ("github-azure", 6),
        ("github-gcp", 6),
        ("kubernetes-aws", 3),
        ("kubernetes-azure", 6),
        ("kubernetes-gcp", 6),
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
        // The first text is a client's own, which Google's STS never says.
        (
            "gcp-workload-identity/handshake",
            &[
                Cause::IssMismatch,
                Cause::AudMismatch,
                Cause::AttributeCondition,
                Cause::JwksUnreachable,
                Cause::IssuerNotConfigured,
            ],
        ),
        ("gcp-workload-identity/invalid-target", &[Cause::WrongProviderName, Cause::ProviderDisabled]),
        (
            "gcp-workload-identity/jwks-fetch",
            &[Cause::JwksUnreachable, Cause::JwksInvalid, Cause::JwksKidMissing, Cause::IssuerNotConfigured],
        ),
        ("gcp-workload-identity/condition-rejects", &[Cause::AttributeCondition, Cause::AttributeMappingMissing]),
        ("gcp-workload-identity/list-denied", &[Cause::MissingList]),
        ("gcp-workload-identity/kickoff-fails", &[Cause::SecretIamMissing, Cause::SecretVersionState]),
        ("gcp-workload-identity/rotated-not-picked-up", &[Cause::StaticBaked, Cause::ReadAtImport, Cause::Cached]),
        ("aws-static/list-denied", &[Cause::MissingList, Cause::ListResourceScoped]),
        ("aws-static/kms-denied", &[Cause::MissingKms]),
        ("aws-static/key-or-signature", &[Cause::StaticKeyWrong]),
        ("aws-static/region-disabled", &[Cause::RegionDisabled, Cause::SecretWrongRegion]),
        ("aws-static/assume-role-denied", &[Cause::AssumeRoleDenied, Cause::ExternalId]),
        ("aws-static/passes-then-fails", &[Cause::PropagationDelay]),
        // The platform's table has both under one code; a secret that has ended has its own.
        ("azure-static/secret-wrong-or-expired", &[Cause::ClientSecretWrong, Cause::ClientSecretExpired]),
        ("azure-static/application-not-found", &[Cause::ClientWrong, Cause::TenantWrong, Cause::SpMissing]),
        (
            "azure-static/forbidden",
            &[Cause::RbacMissing, Cause::RbacWrongRole, Cause::RbacWrongPrincipal, Cause::RbacScopeSingleSecret],
        ),
        (
            "azure-static/legacy-access-policies",
            &[Cause::AccessPolicyModel, Cause::AccessPolicyMissing, Cause::AccessPolicyWrongObject],
        ),
        ("azure-static/vault-not-reached", &[Cause::VaultDns, Cause::PrivateEndpoint, Cause::Firewall]),
        ("gcp-static/key-refused", &[Cause::StaticKeyWrong]),
        ("gcp-static/account-not-found", &[Cause::ServiceAccountMissing]),
        ("gcp-static/clock", &[Cause::ClockSkew]),
        ("gcp-static/wrong-file", &[Cause::CredentialFileKind]),
        ("gcp-static/list-denied", &[Cause::MissingList]),
        ("gcp-static/access-denied", &[Cause::SecretIamMissing]),
        ("gcp-static/api-not-enabled", &[Cause::ApiDisabled]),
        ("gitlab-aws/not-configured", &[Cause::ProviderMissing, Cause::EnvNotSet, Cause::IdTokenPermissionMissing]),
        ("gitlab-aws/branch-or-tag", &[Cause::SubMismatch, Cause::ClaimMismatch]),
        ("github-aws/incorrect-audience", &[Cause::AudNotRegistered]),
        ("github-aws/no-token", &[Cause::IdTokenPermissionMissing]),
        ("github-aws/not-authorized", &[Cause::SubMismatch, Cause::ImmutableSub, Cause::SubCaseMismatch]),
        ("github-azure/no-matching-subject", &[Cause::SubMismatch, Cause::ImmutableSub]),
        ("github-azure/no-token", &[Cause::IdTokenPermissionMissing]),
        ("github-gcp/condition-rejects", &[Cause::AttributeCondition]),
        ("github-gcp/no-token", &[Cause::IdTokenPermissionMissing]),
        ("kubernetes-aws/incorrect-audience", &[Cause::AudNotRegistered]),
        ("kubernetes-aws/no-provider", &[Cause::ProviderMissing]),
        ("kubernetes-aws/not-injected", &[Cause::EnvNotSet]),
        ("kubernetes-azure/lifetime", &[Cause::TokenLifetimeTooLong]),
        ("kubernetes-azure/no-matching-issuer", &[Cause::IssMismatch]),
        ("kubernetes-azure/no-matching-subject", &[Cause::SubMismatch]),
        ("kubernetes-azure/not-injected", &[Cause::EnvNotSet]),
        ("kubernetes-gcp/condition-rejects", &[Cause::AttributeCondition]),
    ];

    fn parsed(cause: Cause) -> Entry {
        serde_json::from_str(cause.source()).unwrap_or_else(|e| panic!("{cause}: {e}"))
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
            assert!(!entry.distinguish.is_empty(), "{cause}: distinguish");
            assert!(!entry.decide.is_empty(), "{cause}: decide");
            assert!(!entry.fixes.is_empty(), "{cause}: fixes");
            for address in entry.docs_by_guide.values().chain([&entry.docs]) {
                assert!(address.starts_with("https://") && !address.contains(' '), "{cause}: {address}");
            }
            for neighbour in entry.distinguish.keys().chain(&entry.leads_to) {
                assert_ne!(neighbour.parse(), Ok(cause), "{cause} names itself");
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
    fn completes_only_what_is_empty() {
        let bare = Finding::new(Cause::SubMismatch, CheckId::TrustPolicy, Certainty::Proven, "differs");
        let full = complete(bare.clone(), Some("azure-workload-identity"));
        assert_eq!((full.guide.as_deref(), full.step), (Some("azure-workload-identity"), Some(3)));
        assert!(full.docs.contains("learn.microsoft.com"));
        assert!(full.fixes.is_empty(), "a fix is made from more than the cause");
        assert_eq!(complete(bare, None).guide, None);
    }
}
