//! An issuer that a person asks about: its address typed, its documents fetched beside the console, and what each cloud
//! says of them shown on top.

use super::{error, toast};
use crate::domain::discovery::IssuerAddress;
use crate::domain::redaction::looks_secret;
use crate::report::issuer::IssuerReport;
use crate::tui::message::Effect;
use crate::tui::model::layer::{PasteBox, PasteKind, Reader};
use crate::tui::model::{Layer, Model, Page, Tone};

/// Asks which issuer; that of the shown run's profile is offered.
pub(super) fn ask(model: &mut Model) -> Vec<Effect> {
    let of_run = model.runs.shown().and_then(|run| run.profile.as_ref()?.issuer_url.clone());
    let text = of_run.unwrap_or_default().into();
    model.layers.push(Layer::Paste(PasteBox { kind: PasteKind::Issuer, text }));
    Vec::new()
}

/// Looks at the issuer of this address.
pub(super) fn look(model: &mut Model, typed: &str) -> Vec<Effect> {
    if let Some(what) = looks_secret(typed) {
        return toast(model, format!("that looks like {what}, not like an issuer's URL"), Tone::Bad);
    }
    let url = match IssuerAddress::clean(typed) {
        Ok(address) => address.issuer,
        Err(problem) => return error(model, "That is no issuer", problem.to_string(), Vec::new()),
    };
    model.layers.push(Layer::reader(Page::AskingIssuer(url.clone())));
    vec![Effect::LookAtIssuer { url }]
}

/// What was seen takes the place of what said that it is being fetched. Where that was closed, nobody waits any more.
pub(super) fn seen(model: &mut Model, url: &str, result: Result<Box<IssuerReport>, String>) -> Vec<Effect> {
    let waits =
        |layer: &Layer| matches!(layer, Layer::Reader(Reader { page: Page::AskingIssuer(of), .. }) if of == url);
    let Some(at) = model.layers.iter().position(waits) else { return Vec::new() };
    let page = match result {
        Ok(report) => Page::Issuer(report),
        Err(message) => Page::Error { title: "The issuer was not looked at".to_owned(), message, hints: Vec::new() },
    };
    model.layers[at] = Layer::reader(page);
    Vec::new()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::inputs::{Appearance, Inputs};
    use crate::tui::message::Msg;
    use crate::tui::update::update;

    const URL: &str = "https://issuer.example.com";

    fn model() -> Model {
        Model::new(Inputs::default(), Appearance::default(), 0, (100, 30))
    }

    fn close(model: &mut Model) -> Vec<Effect> {
        let asked = update(model, Msg::Key("esc".parse().unwrap()));
        asked.into_iter().filter(|effect| *effect == Effect::LeaveIssuer).collect()
    }

    fn top(model: &Model) -> Option<&Page> {
        match model.layers.last() {
            Some(Layer::Reader(reader)) => Some(&reader.page),
            _ => None,
        }
    }

    #[test]
    fn an_address_is_made_exact_and_what_is_none_is_not_fetched() {
        let mut model = model();
        assert_eq!(look(&mut model, " issuer.example.com\n"), [Effect::LookAtIssuer { url: URL.to_owned() }]);
        assert_eq!(top(&model), Some(&Page::AskingIssuer(URL.to_owned())));
        for typed in ["", "https://", "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhIn0.c2lnbmF0dXJlc2lnbmF0dXJl"] {
            assert_eq!(look(&mut model, typed), [], "{typed}");
        }
    }

    #[test]
    fn closing_stops_the_fetch_and_a_late_answer_opens_nothing() {
        let mut model = model();
        look(&mut model, URL);
        assert_eq!(close(&mut model), [Effect::LeaveIssuer]);
        seen(&mut model, URL, Err("too late".to_owned()));
        assert!(model.layers.is_empty());
    }

    #[test]
    fn a_failure_is_told_where_the_answer_would_stand() {
        let mut model = model();
        look(&mut model, URL);
        seen(&mut model, "https://other.example.com", Err("of another".to_owned()));
        assert_eq!(top(&model), Some(&Page::AskingIssuer(URL.to_owned())));
        seen(&mut model, URL, Err("ca.pem cannot be read".to_owned()));
        assert!(matches!(top(&model), Some(Page::Error { message, .. }) if message == "ca.pem cannot be read"));
        assert_eq!(close(&mut model), [], "nothing is fetched any more");
    }
}
