//! What following a guide changes in a profile: values, and what a person confirmed. The text's other parts stay.

use super::state::{Confirmation, ExternalProof};
use super::text::{Proof, setup_guide};
use crate::domain::profile::Guide;
use crate::domain::profile::document::{CONFIRMED, SHOWN, remembered};
use crate::domain::profile::edit;
use crate::domain::profile::key::Key;
use crate::domain::profile::setting::Value;

/// A change of a profile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// These keys get these values, or none. What was shown with the values before is shown no more.
    Set(Vec<(Key, Option<Value>)>),
    /// A person says that a step is done.
    Confirm {
        guide: Guide,
        step: u8,
        /// RFC 3339 UTC.
        at: String,
    },
    /// They take it back.
    TakeBack { guide: Guide, step: u8 },
    /// Something was shown that no check can repeat.
    Show { guide: Guide, shown: ExternalProof },
}

impl Change {
    /// The profile's text after the change.
    ///
    /// # Errors
    /// Says why the text cannot take it.
    pub fn apply(&self, text: &str) -> Result<String, String> {
        match self {
            Change::Set(values) => {
                let set = |text: String, (key, value): &(Key, Option<Value>)| edit::set(&text, *key, value.as_ref());
                let text = values.iter().try_fold(text.to_owned(), set)?;
                remembered(&text, SHOWN)
                    .iter()
                    .try_fold(text, |text, old| edit::remember(&text, SHOWN, &old.guide, &old.name, None))
            }
            Change::Confirm { guide, step, at } => confirm(text, *guide, *step, Some(at)),
            Change::TakeBack { guide, step } => confirm(text, *guide, *step, None),
            Change::Show { guide, shown } => edit::remember(text, SHOWN, guide.id(), shown.proof.id(), Some(&shown.at)),
        }
    }
}

fn confirm(text: &str, guide: Guide, number: u8, at: Option<&str>) -> Result<String, String> {
    let step = setup_guide(guide).step(number).ok_or_else(|| format!("the guide has no step {number}"))?;
    edit::remember(text, CONFIRMED, guide.id(), &step.id, at)
}

/// What a profile's text says was confirmed of a guide's steps.
pub fn confirmations(text: &str, guide: Guide) -> Vec<Confirmation> {
    let number = |name: &str| setup_guide(guide).steps.iter().find(|step| step.id == name).map(|step| step.number);
    let own = remembered(text, CONFIRMED).into_iter().filter(|confirmed| confirmed.guide == guide.id());
    own.filter_map(|c| Some(Confirmation { step: number(&c.name)?, at: c.at })).collect()
}

/// What a profile's text says was shown of a guide.
pub fn shown(text: &str, guide: Guide) -> Vec<ExternalProof> {
    let own = remembered(text, SHOWN).into_iter().filter(|shown| shown.guide == guide.id());
    own.filter_map(|shown| Some(ExternalProof { proof: Proof::parse(&shown.name)?, at: shown.at })).collect()
}
