//! Random keys, events and sizes: nothing panics, the selection stays within its rows, Esc leads home.

use proptest::prelude::*;
use trustline::tui::command::{COMMANDS, CommandId, Screen};
use trustline::tui::inputs::{OperatorSeen, Target};
use trustline::tui::key::Key;
use trustline::tui::message::{Effect, Msg, Pasted, Pointer, PointerAct};
use trustline::tui::model::Focus;

use super::macros::Driver;
use super::{rotation, rotation_sample, sample};

#[derive(Clone, Debug)]
enum Act {
    Key(Key),
    Resize(u16, u16),
    Event(usize),
    Rotation(u64, usize),
    Profile,
    Time(i64),
    Paste(String),
    Pointer(u16, u16, PointerAct),
    Do(CommandId),
    Choose(usize),
    Close,
}

fn key() -> impl Strategy<Value = Key> {
    let bound: Vec<Key> = COMMANDS.iter().flat_map(|c| c.keys).filter_map(|k| k.parse().ok()).collect();
    prop_oneof![4 => proptest::sample::select(bound), 1 => any::<char>().prop_filter_map("a key", |c| c.to_string().parse().ok())]
}

fn pointer() -> impl Strategy<Value = PointerAct> {
    use PointerAct::{Drag, Press, Release, WheelDown, WheelUp};
    proptest::sample::select(vec![Press, Drag, Release, WheelDown, WheelUp])
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        12 => key().prop_map(Act::Key),
        2 => (0u16..150, 0u16..50).prop_map(|(w, h)| Act::Resize(w, h)),
        4 => (0usize..40).prop_map(Act::Event),
        4 => (0u64..3, 0usize..80).prop_map(|(session, at)| Act::Rotation(session, at)),
        2 => Just(Act::Profile),
        1 => (0i64..10_000_000).prop_map(Act::Time),
        1 => ".{0,40}".prop_map(Act::Paste),
        2 => (0u16..150, 0u16..50, pointer()).prop_map(|(x, y, act)| Act::Pointer(x, y, act)),
        2 => (0..COMMANDS.len()).prop_map(|at| Act::Do(COMMANDS[at].id)),
        1 => (0usize..60).prop_map(Act::Choose),
        1 => Just(Act::Close),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn nothing_breaks_it_and_esc_leads_home(acts in proptest::collection::vec(act(), 1..80)) {
        let mut driver = Driver::start();
        let mut now = sample::NOW_MS;
        let events: Vec<_> = sample::failing().into_iter().chain(sample::passing()).collect();
        let rotations: Vec<_> = rotation_sample::all().into_iter().flat_map(|script| script.events).collect();
        for act in acts {
            let run = driver.model.runs.newest().map_or(7, |run| run.number);
            match act {
                Act::Key(key) => driver.send(Msg::Key(key)),
                Act::Resize(width, height) => driver.resize(width, height),
                Act::Event(at) => match events.get(at) {
                    Some(event) => driver.send(Msg::RunEvent { run, event: Box::new(event.clone()) }),
                    None => &mut driver,
                },
                Act::Rotation(session, at) => match rotations.get(at) {
                    Some(event) => driver.send(Msg::RotationEvent { session, event: Box::new(event.clone()) }),
                    None if at % 2 == 0 => driver.send(Msg::RotationClosed { session }),
                    None => {
                        let hints = vec!["a hint".to_owned()];
                        driver.send(Msg::RotationRefused { session, message: "no".to_owned(), hints })
                    }
                },
                Act::Profile => {
                    let target = Target::Lab("sub-mismatch".into());
                    let result = Ok(OperatorSeen { identity: "arn:aws:iam::1:user/o".into(), place: "1".into() });
                    driver.send(Msg::RunOpened { run, profile: Box::new(rotation::profile()), settings: vec![] });
                    driver.send(Msg::OperatorSeen { target, result })
                }
                Act::Time(passed) => {
                    now += passed;
                    driver.send(Msg::Now(now))
                }
                Act::Paste(text) => driver.send(Msg::Paste(Pasted(text.into()))),
                Act::Pointer(column, row, act) => driver.send(Msg::Pointer(Pointer { column, row, act })),
                Act::Do(id) => driver.send(Msg::Do(id)),
                Act::Choose(at) => driver.send(Msg::Choose(at)),
                Act::Close => driver.send(Msg::RunClosed { run }),
            };
            driver.buffer();
            if let Some(wake) = driver.model.next_wake() {
                prop_assert!(wake > now || driver.model.runs.watch.is_some() || driver.model.toast.is_some());
            }
        }
        driver.asked();
        driver.resize(80, 24);
        for _ in 0..40 {
            driver.press("<esc>");
        }
        prop_assert!(driver.model.layers.is_empty());
        prop_assert!(!driver.model.is_typing());
        prop_assert_eq!(driver.model.here().focus, Focus::List);
        prop_assert_eq!(driver.model.screen, Screen::Start);
        let left = driver.asked().iter().any(|effect| matches!(effect, Effect::Quit));
        prop_assert!(!left, "esc never leaves");
    }
}
