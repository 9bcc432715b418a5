//! The guide on the screen: the profile that is followed, what is typed into its fields, and what the checks showed.

use std::collections::BTreeMap;

use super::list::Field;
use crate::check::{CheckId, Outcome};
use crate::domain::profile::Guide;
use crate::domain::profile::edit::value_of;
use crate::domain::profile::key::Key;
use crate::domain::profile::setting::Need;
use crate::domain::profile::setting::{Fault, Origin, Setting, Value};
use crate::guide::{CheckResult, Evidence, SetupGuide, Step, StepState, Values, setup_guide, states, thumbprint};
use crate::report::guide::GuideReport;
use crate::run::event::FinishedCheck;
use crate::tui::inputs::{GuideFile, Keeps, Target};

/// What the guide's screen knows.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct GuideState {
    pub followed: Option<Box<Followed>>,
    /// The field that is typed into.
    pub editing: Option<Editing>,
    /// For each step the way to do it that is shown.
    pub ways: BTreeMap<u8, usize>,
    /// What the profile held before each change of its values, the newest last.
    pub before: Vec<Entered>,
}

/// Values of a profile's file; `None` where it has none.
pub type Entered = Vec<(Key, Option<Value>)>;

/// A field that is typed into.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Editing {
    pub key: Key,
    pub input: Field,
}

/// A profile whose guide is followed.
#[derive(Clone, Debug, PartialEq)]
pub struct Followed {
    /// Whose it is; `None` for a recording.
    pub target: Option<Target>,
    /// The flags that reach it from another shell, once a run has told them.
    pub selector: Option<String>,
    pub file: GuideFile,
    /// What the checks found, the newest word on each.
    pub judged: Vec<CheckResult>,
    /// The thumbprint of the issuer's certificates, where they were seen.
    pub thumbprint: Option<String>,
    /// When the newest run began, RFC 3339 UTC.
    pub checked: Option<String>,
}

/// How a field stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It holds a value.
    Good,
    /// It is empty and needed.
    Missing,
    /// It is empty and may stay so.
    Open,
    /// What is typed is no value.
    Wrong(Fault),
}

impl Followed {
    /// A profile of which only the guide is known.
    pub fn bare(target: Option<Target>, guide: Guide, keeps: Keeps) -> Self {
        let file = GuideFile {
            guide,
            settings: Vec::new(),
            confirmations: Vec::new(),
            shown: Vec::new(),
            drafts: BTreeMap::new(),
            keeps,
            problem: None,
        };
        Followed { target, selector: None, file, judged: Vec::new(), thumbprint: None, checked: None }
    }

    /// The guide's text.
    pub fn text(&self) -> &'static SetupGuide {
        setup_guide(self.file.guide)
    }

    /// The profile's values.
    pub fn values(&self) -> Values {
        let values = Values::of(self.file.guide, &self.file.settings).with_thumbprint(self.thumbprint.clone());
        let arguments = || self.target.as_ref().map(Target::arguments).unwrap_or_default();
        values.chosen_by(&self.selector.clone().unwrap_or_else(arguments))
    }

    /// Where each step stands.
    pub fn states(&self) -> Vec<(u8, StepState)> {
        let evidence = Evidence {
            checks: self.judged.clone(),
            shown: self.file.shown.clone(),
            confirmations: self.file.confirmations.clone(),
            known: self.file.settings.iter().map(|setting| setting.key).collect(),
        };
        states(self.text(), &evidence)
    }

    /// All of it as the command line tells it.
    pub fn report(&self) -> GuideReport {
        GuideReport {
            guide: self.file.guide,
            text: self.text(),
            values: self.values(),
            states: Some(self.states()),
            own: true,
            checked: self.checked.clone(),
        }
    }

    /// Takes in how a check ended. One that was not asked for says nothing new.
    pub fn judge(&mut self, finished: &FinishedCheck, at: &str, only: &[CheckId]) {
        let asked = only.is_empty() || only.contains(&finished.id);
        if !asked && finished.outcome == Outcome::Skipped {
            return;
        }
        self.judged.retain(|judged| judged.check != finished.id);
        self.judged.push(finished.judged(at));
        if finished.id == CheckId::IssuerJwks {
            self.thumbprint = thumbprint(&finished.facts);
        }
    }

    /// Forgets what was found with a value that is another now: the checks of the steps that hold it, and all that was
    /// shown.
    pub fn forget(&mut self, key: Key) {
        self.file.shown.clear();
        let steps = self.text().steps.iter().filter(|step| step.fields.iter().any(|field| field.key == key));
        let checks: Vec<CheckId> = steps.flat_map(|step| step.checks.iter().chain(&step.supporting)).copied().collect();
        self.judged.retain(|judged| !checks.contains(&judged.check));
    }

    /// The setting in effect, unless it is only what is taken where nothing is set.
    pub fn setting(&self, key: Key) -> Option<&Setting> {
        self.file.settings.iter().find(|setting| setting.key == key && setting.origin != Origin::Default)
    }

    /// The value in the profile's file.
    pub fn entered(&self, key: Key) -> Option<Value> {
        let own = |setting: &&Setting| setting.key == key && matches!(setting.origin, Origin::File { .. });
        self.file.settings.iter().find(own).map(|setting| setting.value.clone())
    }

    /// What stands in a field: what was typed and is no value yet, else the value.
    pub fn field_text(&self, key: Key) -> String {
        match (self.file.drafts.get(&key), self.setting(key)) {
            (Some(draft), _) => draft.clone(),
            (None, Some(setting)) => setting.value.to_string(),
            (None, None) => String::new(),
        }
    }

    /// How a field stands with this text in it.
    pub fn standing(&self, key: Key, need: Need, text: &str) -> Standing {
        let text = text.trim();
        match need {
            _ if !text.is_empty() => value_of(key, text).err().map_or(Standing::Good, Standing::Wrong),
            Need::Required if self.values().text(key).is_none() => Standing::Missing,
            _ => Standing::Open,
        }
    }

    /// Whether what nothing can be checked without is missing.
    pub fn is_unfinished(&self) -> bool {
        let questions = crate::guide::questions(self.file.guide);
        let lacks = |key: Key| self.values().text(key).is_none();
        questions.iter().any(|question| question.need == Need::Required && lacks(question.key))
    }
}

/// The fields of a step in the order in which they are filled.
pub fn fields(step: &Step) -> impl Iterator<Item = (Key, Need)> + use<'_> {
    step.fields.iter().map(|field| (field.key, field.need))
}
