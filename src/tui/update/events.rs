//! The events' screen: opening it reads the log, and what was read is shown from the latest refusal on.

use super::show;
use crate::report::events::EventsReport;
use crate::tui::command::Screen;
use crate::tui::message::Effect;
use crate::tui::model::{EventsState, Model};

/// Shows the screen, and reads the log again: it grows.
pub(super) fn open(model: &mut Model) -> Vec<Effect> {
    show(model, Screen::Events);
    if model.events == EventsState::Reading {
        return Vec::new();
    }
    model.events = EventsState::Reading;
    vec![Effect::ReadEvents]
}

/// The log was read, or could not be.
pub(super) fn read(model: &mut Model, result: Result<Box<EventsReport>, String>) -> Vec<Effect> {
    model.events = match result {
        Ok(report) => EventsState::Read(report),
        Err(why) => EventsState::Failed(why),
    };
    model.screens[Screen::Events as usize].reset();
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
    fn the_log_is_read_once_at_a_time_and_again_on_demand() {
        let mut model = model();
        assert_eq!(open(&mut model), [Effect::ReadEvents]);
        assert_eq!((model.screen, open(&mut model)), (Screen::Events, Vec::new()));
        update(&mut model, Msg::EventsRead(Ok(Box::default())));
        assert_eq!(model.events, EventsState::Read(Box::default()));
        assert_eq!(open(&mut model).len(), 1, "a log grows");
    }

    #[test]
    fn a_log_that_cannot_be_read_says_why() {
        let mut model = model();
        open(&mut model);
        update(&mut model, Msg::EventsRead(Err("events.json cannot be read".into())));
        assert_eq!(model.events, EventsState::Failed("events.json cannot be read".into()));
        assert_eq!(open(&mut model).len(), 1);
    }
}
