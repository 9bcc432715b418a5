//! What a guide asks for, and what following a guide changes in a profile: values, and what a person confirmed. The
//! text's other parts stay.

use super::state::{Confirmation, ExternalProof};
use super::text::{Field, Proof, SetupGuide, setup_guide};
use crate::domain::profile::document::{CONFIRMED, SHOWN, remembered};
use crate::domain::profile::key::Key;
use crate::domain::profile::setting::{Need, Value, ask};
use crate::domain::profile::{Guide, edit};

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

/// A key to ask for, and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Question {
    pub key: Key,
    /// Whether a profile makes no sense without it. A guide asks for more on its way.
    pub need: Need,
    /// What is asked, with an example.
    pub ask: &'static str,
}

/// What nothing can be checked without.
const FIRST: &[Key] = &[
    Key::RoleArn,
    Key::Region,
    Key::TenantId,
    Key::ClientId,
    Key::VaultUrl,
    Key::GcpProject,
    Key::GcpProvider,
    Key::GcpKeyFile,
];

/// What to ask for, in the order of the steps, what nothing works without first.
pub fn questions(guide: Guide) -> Vec<Question> {
    let need = |key: &Key| if FIRST.contains(key) { Need::Required } else { Need::Optional };
    let mut questions: Vec<Question> = setup_guide(guide)
        .fields()
        .into_iter()
        .map(|field| Question { key: field.key, need: need(&field.key), ask: ask(field.key) })
        .collect();
    questions.sort_by_key(|question| question.need == Need::Optional);
    questions
}

impl SetupGuide {
    /// The fields of all steps, each key once, in order; required where any step requires it.
    pub fn fields(&self) -> Vec<Field> {
        let mut fields: Vec<Field> = Vec::new();
        for field in self.steps.iter().flat_map(|step| &step.fields) {
            match fields.iter_mut().find(|known| known.key == field.key) {
                None => fields.push(field.clone()),
                Some(known) if field.need == Need::Required => known.need = Need::Required,
                Some(_) => {}
            }
        }
        fields
    }
}

#[cfg(test)]
mod question_tests {
    use super::*;
    use crate::domain::profile::setting::name;

    #[test]
    fn every_field_of_a_guide_is_asked_for_once_and_with_words() {
        for &guide in Guide::ALL {
            let questions = questions(guide);
            let text = setup_guide(guide);
            for field in text.steps.iter().flat_map(|step| &step.fields) {
                let asked: Vec<_> = questions.iter().filter(|question| question.key == field.key).collect();
                assert_eq!(asked.len(), 1, "{} {}", guide.id(), field.key.path());
                assert_ne!(asked[0].ask, field.key.about(), "{} has no example", field.key.path());
                assert_ne!(name(field.key), field.key.path(), "{} has no name", field.key.path());
            }
        }
    }
}
