//! Reading the cloud's own side with the operator's credentials: as whom is asked first, and agreed to once.

use super::{error, runs, toast};
use crate::tui::command::again;
use crate::tui::inputs::{RunChoice, Target};
use crate::tui::message::Effect;
use crate::tui::model::layer::Confirm;
use crate::tui::model::{Layer, Model, Tone};

/// Runs again and reads the cloud's side too, where that was agreed to; otherwise asks as whom.
pub(super) fn ask(model: &mut Model) -> Vec<Effect> {
    let Some(choice) = again(model) else { return Vec::new() };
    if model.read_as_operator.as_ref() == Some(&choice.target) {
        return runs::start(model, RunChoice { only: Vec::new(), ..choice });
    }
    let mut effects = toast(model, "asking as whom the cloud is read".to_owned(), Tone::Good);
    effects.push(Effect::AskReader { target: choice.target });
    effects
}

/// It is known as whom, or that nobody can.
pub(super) fn seen(model: &mut Model, target: Target, result: Result<String, String>) -> Vec<Effect> {
    if again(model).is_none_or(|choice| choice.target != target) {
        return Vec::new();
    }
    match result {
        Ok(identity) => {
            let question = format!("Read the cloud's own side as {identity}? Nothing is changed.");
            model.layers.push(Layer::Confirm(Confirm { question, then: Effect::AgreeToRead { target } }));
            Vec::new()
        }
        Err(why) => error(model, "The cloud's own side cannot be read", why, Vec::new()),
    }
}

/// A person agreed.
pub(super) fn agreed(model: &mut Model, target: Target) -> Vec<Effect> {
    model.read_as_operator = Some(target.clone());
    let choice = again(model).filter(|choice| choice.target == target);
    choice.map(|choice| runs::start(model, RunChoice { only: Vec::new(), ..choice })).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::inputs::{Appearance, Inputs};
    use crate::tui::update::layers::accept;
    use crate::tui::update::{Msg, update};

    const IDENTITY: &str = "arn:aws:iam::123456789012:user/operator";

    fn target() -> Target {
        Target::Named("prod".into())
    }

    fn model() -> Model {
        let mut model = Model::new(Inputs::default(), Appearance::default(), 0, (100, 30));
        assert_eq!(ask(&mut model), [], "nothing has run yet");
        runs::start(&mut model, RunChoice { target: target(), only: Vec::new() });
        model
    }

    fn is_run(effects: &[Effect]) -> bool {
        effects.iter().any(|effect| matches!(effect, Effect::StartRun { choice, .. } if choice.target == target()))
    }

    #[test]
    fn as_whom_is_asked_and_agreed_to_once() {
        let mut model = model();
        let asked = ask(&mut model);
        assert!(asked.contains(&Effect::AskReader { target: target() }) && !is_run(&asked), "{asked:?}");
        update(&mut model, Msg::ReaderSeen { target: target(), result: Ok(IDENTITY.into()) });
        let Some(Layer::Confirm(Confirm { question, .. })) = model.layers.last() else { panic!("{:?}", model.layers) };
        assert!(question.contains(IDENTITY), "{question}");
        assert_eq!(accept(&mut model), [Effect::AgreeToRead { target: target() }]);
        assert!(is_run(&update(&mut model, Msg::ReadAgreed { target: target() })));
        assert!(is_run(&ask(&mut model)), "and no more asked");
    }

    #[test]
    fn an_answer_about_another_profile_asks_nothing_and_a_refusal_is_told() {
        let mut model = model();
        update(&mut model, Msg::ReaderSeen { target: Target::Environment, result: Ok(IDENTITY.into()) });
        assert!(model.layers.is_empty());
        update(&mut model, Msg::ReaderSeen { target: target(), result: Err("no access key is set up".into()) });
        assert!(matches!(model.layers.last(), Some(Layer::Reader(_))) && model.read_as_operator.is_none());
    }
}
