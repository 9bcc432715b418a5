//! Reading the cloud's own side with the operator's credentials: as whom is asked first, and agreed to once.

use super::{error, toast};
use crate::tui::available::again;
use crate::tui::inputs::Target;
use crate::tui::message::Effect;
use crate::tui::model::layer::Confirm;
use crate::tui::model::{Layer, Model, Tone};

/// Whether the runs of what is shown read the cloud's side already.
pub(super) fn is_agreed(model: &Model) -> bool {
    again(model).is_some_and(|choice| model.read_as_operator.as_ref() == Some(&choice.target))
}

/// Asks as whom the cloud's side would be read.
pub(super) fn ask(model: &mut Model) -> Vec<Effect> {
    let Some(choice) = again(model) else { return Vec::new() };
    let mut effects = toast(model, "asking as whom the cloud is read".to_owned(), Tone::Good);
    effects.push(Effect::AskReader { target: choice.target });
    effects
}

/// It is known as whom, or that nobody can.
pub(super) fn seen(model: &mut Model, target: Target, result: Result<String, String>) -> Vec<Effect> {
    if again(model).is_none_or(|choice| choice.target != target) {
        return Vec::new();
    }
    // Its question is answered.
    model.toast = None;
    match result {
        Ok(identity) => {
            let question = format!("Read the cloud's own side as {identity}? Nothing is changed.");
            model.layers.push(Layer::Confirm(Confirm { question, then: Effect::AgreeToRead { target } }));
            Vec::new()
        }
        Err(why) => error(model, "The cloud's own side cannot be read", why, Vec::new()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::inputs::{Appearance, Inputs, RunChoice};
    use crate::tui::update::{Msg, update};

    const IDENTITY: &str = "arn:aws:iam::123456789012:user/operator";

    fn target() -> Target {
        Target::Named("prod".into())
    }

    fn model() -> Model {
        let mut model = Model::new(Inputs::default(), Appearance::default(), 0, (100, 30));
        assert_eq!(ask(&mut model), [], "nothing has run yet");
        model.runs.open("prod".into(), Some(RunChoice { target: target(), only: Vec::new() }), 0);
        model
    }

    fn is_run(effects: &[Effect]) -> bool {
        effects.iter().any(|effect| matches!(effect, Effect::StartRun { choice, .. } if choice.target == target()))
    }

    #[test]
    fn as_whom_is_asked_and_agreed_to_once() {
        let mut model = model();
        assert!(!is_agreed(&model));
        assert_eq!(ask(&mut model), [Effect::AskReader { target: target() }]);
        assert!(model.toast.is_some());
        update(&mut model, Msg::ReaderSeen { target: target(), result: Ok(IDENTITY.into()) });
        let Some(Layer::Confirm(Confirm { question, then })) = model.layers.pop() else { panic!("{:?}", model.layers) };
        assert!(question.contains(IDENTITY) && model.toast.is_none(), "{question}");
        assert_eq!(then, Effect::AgreeToRead { target: target() });
        assert!(is_run(&update(&mut model, Msg::ReadAgreed { target: target() })) && is_agreed(&model));
    }

    #[test]
    fn an_answer_about_another_profile_asks_nothing_and_a_refusal_is_told() {
        let mut model = model();
        update(&mut model, Msg::ReaderSeen { target: Target::Environment, result: Ok(IDENTITY.into()) });
        assert!(model.layers.is_empty());
        update(&mut model, Msg::ReaderSeen { target: target(), result: Err("no access key is set up".into()) });
        assert!(matches!(model.layers.last(), Some(Layer::Reader(_))) && !is_agreed(&model));
    }
}
