//! What a new profile is asked for: every field of the guide's steps, once each.

use super::text::{Field, SetupGuide, setup_guide};
use crate::domain::profile::Guide;
use crate::domain::profile::key::Key;
use crate::domain::profile::question::{Need, ask};

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
const FIRST: &[Key] = &[Key::RoleArn, Key::Region, Key::TenantId, Key::ClientId, Key::VaultUrl];

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
mod tests {
    use super::*;
    use crate::domain::profile::question::name;

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
