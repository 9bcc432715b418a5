//! What following a guide changes in a profile: values, and what a person confirmed. The text's other parts stay.

use super::state::Confirmation;
use super::text::setup_guide;
use crate::domain::profile::Guide;
use crate::domain::profile::document::confirmed;
use crate::domain::profile::edit;
use crate::domain::profile::key::Key;
use crate::domain::profile::setting::Value;

/// A change of a profile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// These keys get these values, or none.
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
}

impl Change {
    /// The profile's text after the change.
    ///
    /// # Errors
    /// Says why the text cannot take it.
    pub fn apply(&self, text: &str) -> Result<String, String> {
        match self {
            Change::Set(values) => {
                values.iter().try_fold(text.to_owned(), |text, (key, value)| edit::set(&text, *key, value.as_ref()))
            }
            Change::Confirm { guide, step, at } => confirm(text, *guide, *step, Some(at)),
            Change::TakeBack { guide, step } => confirm(text, *guide, *step, None),
        }
    }
}

fn confirm(text: &str, guide: Guide, number: u8, at: Option<&str>) -> Result<String, String> {
    let step = setup_guide(guide).step(number).ok_or_else(|| format!("the guide has no step {number}"))?;
    edit::confirm(text, guide.id(), &step.id, at)
}

/// What a profile's text says was confirmed of a guide's steps.
pub fn confirmations(text: &str, guide: Guide) -> Vec<Confirmation> {
    let number = |name: &str| setup_guide(guide).steps.iter().find(|step| step.id == name).map(|step| step.number);
    let own = confirmed(text).into_iter().filter(|confirmed| confirmed.guide == guide.id());
    own.filter_map(|c| Some(Confirmation { step: number(&c.step)?, at: c.at })).collect()
}
