//! The audit's screen: it asks for a file or a folder, and shows what was found there.

use std::path::PathBuf;

use super::show;
use crate::report::audit::AuditReport;
use crate::tui::command::Screen;
use crate::tui::message::Effect;
use crate::tui::model::{AuditState, Layer, Model, PickerKind};

/// Shows the screen; asks for a path where there is nothing to show, or where a person is there already.
pub(super) fn open(model: &mut Model) -> Vec<Effect> {
    let is_there = model.screen == Screen::Audit;
    show(model, Screen::Audit);
    match model.audit {
        AuditState::Reading(_) => Vec::new(),
        AuditState::Read(_) if !is_there => Vec::new(),
        _ => ask(model),
    }
}

/// Asks for the path of what to audit.
pub(super) fn ask(model: &mut Model) -> Vec<Effect> {
    model.layers.push(Layer::picker(PickerKind::AuditPath));
    Vec::new()
}

/// Reads what is at this path.
pub(super) fn take(model: &mut Model, path: PathBuf) -> Vec<Effect> {
    show(model, Screen::Audit);
    model.audit = AuditState::Reading(path.clone());
    vec![Effect::Audit { path }]
}

/// It was read, or could not be. What was asked for meanwhile is waited for.
pub(super) fn read(model: &mut Model, path: PathBuf, result: Result<Box<AuditReport>, String>) -> Vec<Effect> {
    if model.audit != AuditState::Reading(path) {
        return Vec::new();
    }
    model.audit = match result {
        Ok(report) => AuditState::Read(report),
        Err(why) => AuditState::Failed(why),
    };
    model.screens[Screen::Audit as usize].reset();
    Vec::new()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::inputs::{Appearance, Inputs};
    use crate::tui::update::{Msg, update};

    fn model() -> Model {
        Model::new(Inputs::default(), Appearance::default(), 0, (100, 30))
    }

    #[test]
    fn a_path_is_asked_for_where_there_is_nothing_to_show() {
        let mut model = model();
        assert_eq!((open(&mut model), model.layers.len()), (Vec::new(), 1));
        model.layers.clear();
        let path = PathBuf::from("fleet.json");
        assert_eq!(take(&mut model, path.clone()), [Effect::Audit { path: path.clone() }]);
        assert_eq!((open(&mut model), model.layers.len()), (Vec::new(), 0), "it is being read");
        update(&mut model, Msg::Audited { path, result: Ok(Box::default()) });
        assert_eq!(model.audit, AuditState::Read(Box::default()));
        show(&mut model, Screen::Start);
        assert_eq!((open(&mut model), model.layers.len()), (Vec::new(), 0), "what was read is shown");
        assert_eq!((open(&mut model), model.layers.len()), (Vec::new(), 1), "there, another is asked for");
    }

    #[test]
    fn an_answer_to_another_question_is_passed_over() {
        let mut model = model();
        take(&mut model, PathBuf::from("first.json"));
        take(&mut model, PathBuf::from("second.json"));
        let late = Msg::Audited { path: "first.json".into(), result: Err("no".into()) };
        update(&mut model, late);
        assert_eq!(model.audit, AuditState::Reading("second.json".into()));
        update(&mut model, Msg::Audited { path: "second.json".into(), result: Err("it is empty".into()) });
        assert_eq!(model.audit, AuditState::Failed("it is empty".into()));
    }
}
