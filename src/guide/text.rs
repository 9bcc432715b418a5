//! The guides' texts: what `assets/guides` holds, read once.

use std::sync::OnceLock;

use serde::{Deserialize, Deserializer};

use super::artifact::Artifact;
use super::fill::fill;
use super::values::{Missing, TemplateContext, Values};
use crate::cause::{Cause, Finding, catalogue};
use crate::check::CheckId;
use crate::domain::issuer::{Description, IssuerKind};
use crate::domain::profile::Guide;
use crate::domain::profile::key::Key;
use crate::domain::profile::setting::Need;

/// A setup guide.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct SetupGuide {
    pub title: String,
    /// It in the words of a person who has to choose.
    pub choice: String,
    /// What it leads to, in a sentence or two.
    pub summary: String,
    #[serde(default)]
    pub reading: Vec<Reading>,
    /// Step 0 holds the prerequisites; the guide's own count begins with 1.
    pub steps: Vec<Step>,
}

/// One step. Its prose holds `{variables}` that [`super::fill`] replaces.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Step {
    pub number: u8,
    /// A name that stays when steps are inserted.
    pub id: String,
    pub title: String,
    /// What the step is for.
    pub purpose: String,
    /// Where it is done.
    #[serde(default)]
    pub places: Vec<Place>,
    /// What to do, whichever way is chosen.
    #[serde(default)]
    pub instructions: Vec<String>,
    /// The ways to do it, the handiest first.
    #[serde(default)]
    pub tabs: Vec<Tab>,
    /// The profile's values that the step needs or yields.
    #[serde(default)]
    pub fields: Vec<Field>,
    #[serde(default)]
    pub artifacts: Vec<Artifact>,
    /// The checks that verify the step when all of them that apply pass.
    #[serde(default)]
    pub checks: Vec<CheckId>,
    /// Checks that tell of the step without verifying it by themselves.
    #[serde(default)]
    pub supporting: Vec<CheckId>,
    /// Checks whose failure stands here, whatever its cause is.
    #[serde(default)]
    pub answers_for: Vec<CheckId>,
    /// Checks of the cloud's own side that show the step by themselves, all of them together: before a token does.
    #[serde(default)]
    pub seen_by: Vec<CheckId>,
    /// Refusals that show the step to be done, since the cloud looks at something later when it gives them.
    #[serde(default)]
    pub shown_by_answers: Vec<TellingAnswer>,
    /// What else shows that the step is done.
    #[serde(default)]
    pub shown_by: Vec<Proof>,
    /// What nobody can be asked for, and a person has to confirm.
    #[serde(default)]
    pub confirm: Option<String>,
    /// Where common instructions differ from what holds.
    #[serde(default)]
    pub corrections: Vec<String>,
    #[serde(default)]
    pub reading: Vec<Reading>,
}

/// Where a step is done.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Place {
    pub on: Side,
    /// The way there, such as `IAM > Roles`.
    pub path: String,
    pub address: Option<String>,
}

/// Whose place it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Side {
    /// The cloud's web console.
    Console,
    Cli,
    /// The platform, or the CI system, that issues the tokens.
    Platform,
}

impl Side {
    pub const fn id(self) -> &'static str {
        match self {
            Side::Console => "console",
            Side::Cli => "cli",
            Side::Platform => "platform",
        }
    }
}

/// One way to do a step.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tab {
    pub title: String,
    #[serde(default)]
    pub instructions: Vec<String>,
    #[serde(default)]
    pub artifacts: Vec<Artifact>,
}

/// A value of the profile that belongs to a step.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Field {
    #[serde(deserialize_with = "key")]
    pub key: Key,
    #[serde(deserialize_with = "need")]
    pub need: Need,
    pub note: Option<String>,
}

/// A refusal that shows a step to be done.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TellingAnswer {
    /// The check that gets it.
    pub check: CheckId,
    pub codes: Vec<String>,
    /// What it shows, in a sentence.
    pub says: String,
}

/// Something other than a check that shows a step to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Proof {
    /// A rotated value reached the running deployment.
    Rotation,
}

impl Proof {
    pub const fn id(self) -> &'static str {
        match self {
            Proof::Rotation => "rotation",
        }
    }

    /// The proof of this id.
    pub fn parse(id: &str) -> Option<Proof> {
        [Proof::Rotation].into_iter().find(|proof| proof.id() == id)
    }
}

/// A page to read.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reading {
    pub title: String,
    pub url: String,
}

fn key<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Key, D::Error> {
    let path = String::deserialize(deserializer)?;
    Key::parse(&path).ok_or_else(|| serde::de::Error::custom(format!("a profile has no key `{path}`")))
}

fn need<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Need, D::Error> {
    let need = String::deserialize(deserializer)?;
    match need.as_str() {
        "required" => Ok(Need::Required),
        "optional" => Ok(Need::Optional),
        _ => Err(serde::de::Error::custom("write required or optional")),
    }
}

impl SetupGuide {
    /// The step of this number.
    pub fn step(&self, number: u8) -> Option<&Step> {
        self.steps.iter().find(|step| step.number == number)
    }

    /// The finding at the step that holds the value which is wrong, where it names one: the catalogue's step for its
    /// cause where that holds it, else the first after the prerequisites, else those.
    #[must_use]
    pub fn placed(&self, finding: Finding, guide: &str) -> Finding {
        let Some(key) = finding.setting.as_deref().and_then(Key::parse) else { return finding };
        let holding = || self.steps.iter().filter(|step| step.fields.iter().any(|field| field.key == key));
        let usual = holding().find(|step| Some(step.number) == finding.step);
        let step = usual.or_else(|| holding().find(|step| step.number > 0)).or_else(|| holding().next());
        match step {
            Some(step) => Finding { guide: Some(guide.to_owned()), step: Some(step.number), ..finding },
            None => finding,
        }
    }

    /// How many steps it counts, without the prerequisites.
    pub fn count(&self) -> usize {
        self.steps.iter().filter(|step| step.number > 0).count()
    }
}

impl Step {
    /// The causes that are set right in this step, from the catalogue.
    pub fn failures(&self, guide: Guide) -> Vec<Cause> {
        let here = |cause: &Cause| catalogue::entry(*cause).step_in(guide) == Some(self.number);
        Cause::ALL.iter().copied().filter(here).collect()
    }
}

/// The text of a guide. Parsed once, on first use, and only this guide.
pub fn setup_guide(guide: Guide) -> &'static SetupGuide {
    static GUIDES: [OnceLock<SetupGuide>; Guide::ALL.len()] = [const { OnceLock::new() }; Guide::ALL.len()];
    GUIDES[guide as usize].get_or_init(|| {
        // A test parses every guide, so the fallback is never seen; it only spares the program a panic.
        serde_json::from_str(guide.source())
            .unwrap_or_else(|_| SetupGuide { title: guide.id().to_owned(), ..SetupGuide::default() })
    })
}

/// How a token is obtained, with the profile's values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenOrigin {
    pub how: Vec<String>,
    /// A part of a job, or commands.
    pub script: Option<String>,
    /// The placeholders that stand in it.
    pub missing: Vec<Missing>,
}

/// Where a token comes from, if the step is the one that needs it and the issuer is known: by its URL, else as the one
/// that the guide is about.
pub fn token_origin(step: &Step, values: &Values) -> Option<TokenOrigin> {
    if !step.supporting.contains(&CheckId::TokenPresent) {
        return None;
    }
    let by_url = values.text(Key::IssuerUrl).and_then(|url| Description::of(IssuerKind::of(url, None)));
    let of_guide = || Description::of_workload(values.guide.workload());
    let token = by_url.or_else(of_guide)?.token.as_ref()?;
    let mut filling = TemplateContext::new(values);
    let how = token.how.iter().map(|line| fill(line, &mut filling)).collect();
    let script = token.script.as_ref().map(|script| fill(script.trim_start(), &mut filling));
    let (missing, _) = filling.finish();
    Some(TokenOrigin { how, script, missing })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::guide::fill::fill;
    use crate::guide::values::{TemplateContext, Values};

    fn parsed(guide: Guide) -> SetupGuide {
        serde_json::from_str(guide.source()).unwrap_or_else(|error| panic!("{}: {error}", guide.id()))
    }

    #[test]
    fn every_guide_is_complete() {
        for &guide in Guide::ALL {
            let text = parsed(guide);
            assert_eq!(&text, setup_guide(guide), "{}", guide.id());
            for (at, step) in text.steps.iter().enumerate() {
                let place = format!("{} {}", guide.id(), step.number);
                assert_eq!(usize::from(step.number), at, "{place}");
                assert!(!step.title.is_empty() && !step.purpose.is_empty(), "{place}");
                assert!(!step.instructions.is_empty() || !step.tabs.is_empty(), "{place}: nothing to do");
                assert!(!step.checks.is_empty() || step.confirm.is_some(), "{place}: nothing shows that it is done");
                for artifact in step.artifacts.iter().chain(step.tabs.iter().flat_map(|tab| &tab.artifacts)) {
                    assert!(artifact.is_of(guide), "{place}: {artifact} is of other guides");
                }
            }
        }
    }

    #[test]
    fn every_artifact_of_a_guide_stands_in_a_step() {
        for &guide in Guide::ALL {
            let text = setup_guide(guide);
            for artifact in Artifact::of(guide).filter(|a| *a != Artifact::Commands) {
                let stands = text.steps.iter().any(|step| {
                    step.artifacts.contains(&artifact) || step.tabs.iter().any(|tab| tab.artifacts.contains(&artifact))
                });
                let elsewhere = matches!(
                    artifact,
                    Artifact::RotateSecret
                        | Artifact::VerifyRead
                        | Artifact::OperatorPolicy
                        | Artifact::OperatorRole
                        | Artifact::ReportFingerprint
                        | Artifact::ReportFingerprintSh
                );
                assert!(stands || elsewhere, "{}: {artifact}", guide.id());
            }
        }
    }

    #[test]
    fn every_variable_is_known() {
        for &guide in Guide::ALL {
            let values = Values::of(guide, &[]);
            let text = setup_guide(guide);
            let prose = text.steps.iter().flat_map(|step| {
                let tabs = step.tabs.iter().flat_map(|tab| tab.instructions.iter());
                let places = step.places.iter().flat_map(|place| [&place.path].into_iter().chain(&place.address));
                [&step.purpose].into_iter().chain(&step.instructions).chain(&step.corrections).chain(tabs).chain(places)
            });
            for prose in prose {
                let filled = fill(prose, &mut TemplateContext::new(&values));
                assert!(!filled.contains('{'), "{}: {filled}", guide.id());
            }
        }
    }

    #[test]
    fn every_cause_with_a_step_finds_it() {
        for &guide in Guide::ALL {
            for &cause in Cause::ALL {
                if let Some(number) = catalogue::entry(cause).step_in(guide) {
                    let step = setup_guide(guide).step(number);
                    assert!(step.is_some_and(|step| step.failures(guide).contains(&cause)), "{cause} {number}");
                }
            }
        }
    }
}

#[cfg(test)]
mod token_origin_tests {
    use super::setup_guide;
    use super::*;
    use crate::domain::guide::Flow;
    use crate::domain::profile::Guide;
    use crate::domain::profile::document::parse_flag;

    fn origin(guide: Guide, settings: &[&str]) -> Vec<TokenOrigin> {
        let settings: Vec<_> = settings.iter().map(|text| parse_flag(text).unwrap()).collect();
        let values = Values::of(guide, &settings);
        setup_guide(guide).steps.iter().filter_map(|step| token_origin(step, &values)).collect()
    }

    #[test]
    fn every_guide_with_tokens_tells_once_where_they_come_from() {
        for &guide in Guide::ALL {
            let told = origin(guide, &[]);
            let has_tokens = guide.flow() == Flow::TokenExchange;
            assert_eq!(told.len(), usize::from(has_tokens), "{}", guide.id());
            assert!(told.iter().all(|origin| !origin.how.is_empty()), "{}", guide.id());
        }
    }

    #[test]
    fn the_issuers_own_way_is_told_with_the_profiles_values() {
        let gitlab = &origin(Guide::GitlabAws, &["issuer.url=https://gitlab.com"])[0];
        assert!(gitlab.script.as_ref().unwrap().contains("aud: https://gitlab.com"), "{gitlab:?}");
        // The URL says more than the guide.
        let github =
            &origin(Guide::AwsWorkloadIdentity, &["issuer.url=https://token.actions.githubusercontent.com"])[0];
        assert!(github.script.as_ref().unwrap().contains("id-token: write"), "{github:?}");
        let eks = "issuer.url=https://oidc.eks.eu-west-1.amazonaws.com/id/0123456789ABCDEF0123456789ABCDEF";
        let named = ["kubernetes.namespace=team", "kubernetes.service-account=reader"];
        let eks = &origin(Guide::AwsWorkloadIdentity, &[eks, named[0], named[1]])[0];
        let command = "kubectl create token reader --namespace team --audience sts.amazonaws.com";
        assert!(eks.script.as_ref().unwrap().contains(command) && eks.missing.is_empty(), "{eks:?}");
    }
}
