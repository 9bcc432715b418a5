//! What can be copied: the most wanted first. Never a token, never a secret.

use serde_json::{Map, Value};

use super::command::Screen;
use super::content::findings::selected_finding;
use super::content::{audit, guide, rotation, token};
use super::model::{EventsState, Layer, Model, Page};
use crate::cause::Finding;
use crate::check::CheckId;
use crate::domain::rotation::StoreSnapshot;
use crate::guide::{StepState, render};
use crate::report;
use crate::report::ansi::TextFormat;
use crate::report::events;
use crate::report::finding;
use crate::report::token::signature_word;
use crate::run::report::Progress;

/// Something that can be copied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offer {
    pub title: String,
    pub text: String,
}

/// What can be copied where the person is.
pub fn offers(model: &Model) -> Vec<Offer> {
    let mut offers = Vec::new();
    // The list of what can be copied lies on top of what it is about.
    let reader = model.layers.iter().rev().find_map(|layer| match layer {
        Layer::Reader(reader) => Some(reader),
        _ => None,
    });
    if let Some(reader) = reader {
        match &reader.page {
            Page::Explained(explained) => {
                explained.explanation.causes.iter().for_each(|found| finding_offers(found, &mut offers));
                if let Some(open) = &explained.undecided {
                    offer(&mut offers, "the command that decides", open.decide.command.clone());
                }
            }
            Page::Fix(fix) => {
                let scripts =
                    [("the script", &fix.command), ("the check after it", &fix.verify), ("the way back", &fix.undo)];
                for (title, text) in scripts {
                    offer(&mut offers, title, text.clone().unwrap_or_default());
                }
            }
            _ => {}
        }
        return offers;
    }
    match model.screen {
        Screen::Start => {}
        Screen::Guide => guide_offers(model, &mut offers),
        Screen::Token => token_offers(model, &mut offers),
        Screen::Rotation => rotation_offers(model, &mut offers),
        Screen::Log => log_offers(model, &mut offers),
        Screen::Events => event_offers(model, &mut offers),
        Screen::Audit => audit_offers(model, &mut offers),
        Screen::Handshake => {
            if let Some(check) = model.selected_check() {
                let state = model.runs.shown().and_then(|run| run.report.check(check));
                if let Some(Progress::Finished(finished)) = state.map(|state| &state.progress) {
                    for found in &finished.findings {
                        finding_offers(found, &mut offers);
                    }
                    reproduction(model, check, &finished.facts, &mut offers);
                    offer(&mut offers, "the facts as JSON", Value::Object(finished.facts.clone()).to_string());
                }
            }
        }
        Screen::Findings => {
            if let Some(found) = selected_finding(model) {
                finding_offers(found, &mut offers);
                if let Some(check) = found.check.check() {
                    let facts = model.runs.shown().and_then(|run| {
                        run.report
                            .finished()
                            .find(|finished| finished.id == check)
                            .map(|finished| finished.facts.clone())
                    });
                    reproduction(model, check, &facts.unwrap_or_default(), &mut offers);
                }
            }
        }
    }
    offers
}

fn offer(offers: &mut Vec<Offer>, title: impl Into<String>, text: impl Into<String>) {
    let text = text.into();
    if !text.is_empty() {
        offers.push(Offer { title: title.into(), text });
    }
}

fn event_offers(model: &Model, offers: &mut Vec<Offer>) {
    let EventsState::Read(report) = &model.events else { return };
    let Some(entry) = model.selected_row().and_then(|at| report.entries.get(at)) else { return };
    offer(offers, "the subject", entry.subject.clone().unwrap_or_default());
    let page = events::entry_page(entry, TextFormat::PLAIN.context());
    offer(offers, "the entry as text", TextFormat::PLAIN.render(&page));
    offer(offers, "the request ids", entry.request_ids.join("\n"));
    entry.causes.iter().for_each(|found| finding_offers(found, offers));
}

fn audit_offers(model: &Model, offers: &mut Vec<Offer>) {
    let Some(found) = audit::selected(model) else { return };
    for fix in &found.fixes {
        offer(offers, format!("fix: {}", fix.text), fix.command.clone().unwrap_or_default());
    }
    for fix in &found.fixes {
        offer(offers, "the corrected document", fix.document.clone().unwrap_or_default());
        offer(offers, "the way back", fix.undo.clone().unwrap_or_default());
    }
    let page = report::audit::finding_page(found, TextFormat::PLAIN.context());
    offer(offers, "the finding as text", TextFormat::PLAIN.render(&page));
    for admitted in &found.admits {
        offer(offers, "a subject that gets in", admitted.subject.clone());
    }
    offer(offers, "the resource", found.resource.clone());
    offer(offers, "the finding's id", found.id.clone());
}

fn finding_offers(found: &Finding, offers: &mut Vec<Offer>) {
    for fix in &found.fixes {
        if let Some(command) = &fix.command {
            offer(offers, format!("fix: {}", fix.text), command.clone());
        }
    }
    offer(offers, "the finding as text", TextFormat::PLAIN.render(&finding::page(found, TextFormat::PLAIN.context())));
    if let Some(expected) = &found.expected {
        offer(offers, "what was expected", expected.clone());
    }
    if let Some(actual) = &found.actual {
        offer(offers, "what was found", actual.clone());
    }
    offer(offers, "the documentation's address", found.docs.clone());
}

fn reproduction(model: &Model, check: CheckId, facts: &Map<String, Value>, offers: &mut Vec<Offer>) {
    let Some(run) = model.runs.shown() else { return };
    if let Some(command) = run.profile.as_deref().and_then(|profile| check.check().command(profile, facts)) {
        offer(offers, "a command that does the same", command);
    }
    if let Some(choice) = &run.choice {
        let told = run.profile.as_deref().map(|profile| format!(" {}", profile.selector));
        let selector = told.filter(|told| !told.trim().is_empty()).unwrap_or_else(|| choice.target.arguments());
        let twin = format!("trustline check{selector} --only {check}");
        offer(offers, "trustline's command for this check", twin);
    }
}

fn token_offers(model: &Model, offers: &mut Vec<Offer>) {
    if let Some((name, value)) = token::selected_value(model) {
        offer(offers, format!("the value of {name}"), value);
    }
    if let Some(shown) = token::shown(model) {
        if let Some(claims) = &shown.token.claims {
            let text = serde_json::to_string_pretty(claims).unwrap_or_default();
            offer(offers, "all claims as JSON", text);
        }
        let (word, _) = signature_word(shown.signature.state);
        offer(offers, "the signature's state", format!("signature {word}: {}", shown.signature.reason));
    }
}

fn rotation_offers(model: &Model, offers: &mut Vec<Offer>) {
    let Some((session, secret)) = rotation::selected(model) else { return };
    if let Some(command) = secret.asked.as_ref().filter(|_| secret.written.is_none() && session.is_live()) {
        offer(offers, "the command that rotates", command.clone());
    }
    for found in secret.verdict().iter().flat_map(|judged| &judged.findings) {
        finding_offers(found, offers);
    }
    if let Some(judged) = secret.verdict() {
        let verdict = judged.judgement.verdict;
        offer(offers, "the verdict", format!("{}: {verdict}: {}", secret.secret, verdict.sentence()));
    }
    let current = |snapshot: Option<&StoreSnapshot>| snapshot?.current()?.fingerprint.as_ref().map(ToString::to_string);
    offer(offers, "the fingerprint in the store, after", current(secret.after.as_ref()).unwrap_or_default());
    offer(offers, "the fingerprint in the store, before", current(secret.before.as_ref()).unwrap_or_default());
}

/// The artifacts of the step, those of the way that is shown first; before them what sets right what fails.
fn guide_offers(model: &Model, offers: &mut Vec<Offer>) {
    let Some((followed, step)) = guide::selected_step(model) else { return };
    let states = followed.states();
    if let Some((_, StepState::Failing { findings, .. })) = states.iter().find(|(number, _)| *number == step.number) {
        for fix in findings.iter().flat_map(|found| &found.fixes) {
            if let Some(command) = &fix.command {
                offer(offers, format!("fix: {}", fix.text), command.clone());
            }
        }
    }
    let values = followed.values();
    let (first, beside) = guide::offered(model, step);
    for artifact in first.into_iter().chain(beside) {
        let rendered = render(artifact, &values);
        let lacks: Vec<&str> = rendered.missing.iter().map(|missing| missing.placeholder.as_str()).collect();
        let lacks = if lacks.is_empty() { String::new() } else { format!(" (lacks {})", lacks.join(", ")) };
        offer(offers, format!("{artifact}: {}{lacks}", artifact.title()), rendered.text);
    }
}

fn log_offers(model: &Model, offers: &mut Vec<Offer>) {
    let Some(run) = model.runs.shown() else { return };
    let line = |entry: &super::model::runs::LogEntry| {
        let check = entry.check.map_or("run", |check| check.id());
        format!("{:>6} ms {check} {}", entry.at_ms, crate::domain::text::visible(&entry.text))
    };
    if let Some(entry) = model.selected_row().and_then(|at| run.log.get(at)) {
        offer(offers, "this entry", line(entry));
    }
    offer(offers, "the whole log", run.log.iter().map(line).collect::<Vec<_>>().join("\n"));
}
