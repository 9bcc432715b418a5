//! How long a frame of the busiest screens takes, built and compared with the one before, at 200x60.

use std::hint::black_box;
use std::time::{Duration, Instant};

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use serde_json::Map;
use trustline::cause::{Cause, Certainty, Finding};
use trustline::check::{CheckId, Link, Outcome};
use trustline::report::glyphs::ThemeName;
use trustline::run::event::{EventKind, FinishedCheck, PlannedCheck, RunEvent, RunVerdict};
use trustline::tui::inputs::{Appearance, Inputs, Opening, ProfileEntry, Replay, ScenarioEntry};
use trustline::tui::message::Msg;
use trustline::tui::model::Model;
use trustline::tui::theme::Theme;
use trustline::tui::update::{open, settle, update};
use trustline::tui::view;

const ROUNDS: u32 = 300;

fn finding(check: CheckId) -> Finding {
    let mut finding = Finding::new(Cause::SubMismatch, check, Certainty::Likely, "The subject differs")
        .with_difference(
            "organization:7f3e81c4-5a0d-4b1e-8c55-9d20c1a09a1b",
            "organization:7f3e81c4-5a0d-4b1e-8c55-9d20c1a09a1c",
        );
    for at in 0..20 {
        finding = finding.with_evidence(format!(
            "fact {at}: a sentence of evidence that is long enough to need more than a line of its own"
        ));
    }
    finding.with_command("Mend it", "aws iam update-assume-role-policy --role-name x --policy-document file://y")
}

fn events() -> Vec<RunEvent> {
    let mut kinds = vec![EventKind::Planned {
        profile: "p".into(),
        guide: "aws-workload-identity".into(),
        started: "2026-01-01T00:00:00Z".into(),
        checks: CheckId::ALL.iter().map(|id| PlannedCheck { id: *id, title: id.title().into() }).collect(),
    }];
    for _ in 0..200 {
        kinds.extend(CheckId::ALL.iter().map(|id| EventKind::Started { check: *id }));
    }
    kinds.extend(CheckId::ALL.iter().map(|id| {
        EventKind::Finished(Box::new(FinishedCheck {
            id: *id,
            title: id.title().into(),
            outcome: Outcome::Fail,
            reason: Some("it differs".into()),
            started_ms: 1,
            duration_ms: 20,
            facts: (0..40).map(|at| (format!("fact{at}"), "a value of some length".into())).collect::<Map<_, _>>(),
            docs: String::new(),
            findings: vec![finding(*id)],
            blocked_by: None,
        }))
    }));
    let findings = CheckId::ALL.iter().map(|id| finding(*id)).collect();
    kinds.push(EventKind::Done {
        verdict: RunVerdict::Fail,
        duration_ms: 400,
        findings,
        undecided: None,
        cut_short: None,
    });
    kinds.into_iter().enumerate().map(|(seq, kind)| RunEvent { seq: seq as u64, at_ms: seq as u64, kind }).collect()
}

fn main() {
    let replay = Replay { name: "bench".into(), events: events(), truncated: false };
    let (mut model, _) = open(Inputs::default(), Appearance::default(), Opening::Replay(replay), 0, (200, 60));
    for screen in ["2", "3", "4", "5", "6"] {
        press(&mut model, screen);
        row(model.screen.title(), frame(&mut model));
    }
    println!("{} lines are in the log", model.runs.shown().map_or(0, |run| run.log.len()));
    for (what, keys) in [("scenarios", "L"), ("profiles", "P")] {
        for count in [50, 500] {
            let mut model = open(inputs(count), Appearance::default(), Opening::Start, 0, (200, 60)).0;
            press(&mut model, keys);
            row(&format!("{count} {what}"), frame(&mut model));
        }
    }
}

fn row(what: &str, time: Duration) {
    println!("{what:14} {:>8.1} µs a frame", time.as_secs_f64() * 1e6);
}

fn press(model: &mut Model, key: &str) {
    if let Ok(key) = key.parse() {
        update(model, Msg::Key(key));
    }
}

/// The middle of many frames, each after a step up or down.
fn frame(model: &mut Model) -> Duration {
    let theme = Theme::new(ThemeName::Dark, &Vec::new());
    let area = Rect::new(0, 0, 200, 60);
    let (mut shown, mut times) = (Buffer::empty(area), Vec::new());
    for round in 0..ROUNDS {
        press(model, if round % 2 == 0 { "k" } else { "j" });
        let began = Instant::now();
        let panes = settle(model);
        let mut next = Buffer::empty(area);
        view::draw_panes(model, &panes, &theme, &mut next);
        black_box(shown.diff(&next).len());
        times.push(began.elapsed());
        shown = next;
    }
    times.sort_unstable();
    times.get(times.len() / 2).copied().unwrap_or_default()
}

/// So many scenarios and profiles.
fn inputs(count: usize) -> Inputs {
    let scenario = |number: usize| ScenarioEntry {
        name: format!("fault-{number}"),
        title: format!("The subject of a token differs from the one that is registered, case {number}"),
        guide: "aws-workload-identity".into(),
        expects: Some("sub-mismatch".into()),
        link: Some(Link::ALL[number % Link::ALL.len()]),
        teaches: "The token's subject is another one than the trust names.".into(),
    };
    let profile = |number: usize| ProfileEntry {
        name: format!("profile-{number}"),
        summary: Ok("aws-workload-identity".into()),
        path: format!("/home/somebody/.config/trustline/profiles/profile-{number}.toml").into(),
    };
    let scenarios = Some((0..count).map(scenario).collect());
    Inputs { scenarios, profiles: (0..count).map(profile).collect(), ..Inputs::default() }
}
