//! The rotation screen: what its sessions do, what is asked before anything is written, and what keys do.

use trustline::domain::arn::RoleArn;
use trustline::domain::profile::{AwsSettings, Guide, Profile};
use trustline::domain::secret_ref::SecretRef;
use trustline::run::rotation::event::RotationEvent;
use trustline::run::rotation::session::RuntimeFrom;
use trustline::tui::command::Screen;
use trustline::tui::inputs::{Agreed, Opening, OperatorSeen, Patience, Replay, RotationChoice, RotationWay, Target};
use trustline::tui::message::{Effect, Msg, Pasted, RotationInput};
use trustline::tui::model::Layer;

use super::macros::Driver;
use super::rotation_sample as sample;
use super::sample as guide_sample;

/// What has to be typed before the secret is written.
const AGREEMENT: &str = "crewai-test-keyword 123456789012";
const VALUE: &str = "correct-horse-battery-staple-9F2k";

pub fn profile() -> Profile {
    let mut profile = Profile::bare("prod-aws", Guide::AwsWorkloadIdentity);
    let role_arn = RoleArn::parse("arn:aws:iam::123456789012:role/crewai-secrets-reader").ok();
    profile.aws = AwsSettings { role_arn, region: Some("us-east-1".into()), ..AwsSettings::default() };
    profile.secret = SecretRef::parse(sample::SECRET).ok();
    profile.deployment.url = Some("https://crew.example.com".into());
    profile
}

/// After the first run, on the rotation screen.
pub fn ready(driver: &mut Driver) -> &mut Driver {
    let run = driver.model.runs.newest().expect("a run").number;
    driver.send(Msg::RunOpened { run, profile: Box::new(profile()), settings: vec![] });
    driver.press("5");
    driver.asked();
    driver
}

/// After a session by hand was begun and these events came.
pub fn begun<'d>(driver: &'d mut Driver, events: &[RotationEvent]) -> &'d mut Driver {
    ready(driver).press("R<enter><enter>");
    play(driver, events)
}

pub fn play<'d>(driver: &'d mut Driver, events: &[RotationEvent]) -> &'d mut Driver {
    let session = driver.model.rotation.session.as_ref().expect("a session").number;
    for event in events {
        driver.send(Msg::RotationEvent { session, event: Box::new(event.clone()) });
    }
    driver
}

/// The cloud has told as whom the secret would be written.
pub fn operator(driver: &mut Driver) -> &mut Driver {
    let seen =
        OperatorSeen { identity: "arn:aws:iam::123456789012:user/operator".into(), place: "123456789012".into() };
    let asked = Effect::AskOperator { target: Target::Lab("sub-mismatch".into()) };
    assert!(driver.effects.contains(&asked), "{:?}", driver.effects);
    driver.send(Msg::OperatorSeen { target: Target::Lab("sub-mismatch".into()), result: Ok(seen) })
}

fn started(driver: &mut Driver) -> Option<(RotationChoice, Option<String>)> {
    driver.asked().into_iter().find_map(|effect| match effect {
        Effect::StartRotation { choice, value, .. } => Some((choice, value.map(|v| v.expose().to_owned()))),
        _ => None,
    })
}

#[test]
fn four_keys_begin_a_rotation_by_hand_that_kicks_the_automation_off() {
    let mut driver = Driver::failed();
    ready(&mut driver).press("R<enter><enter>");
    let choice = RotationChoice {
        target: Target::Lab("sub-mismatch".into()),
        way: RotationWay::ByHand,
        command: vec![],
        runtime: RuntimeFrom::World,
        patience: Patience::Once,
        agreed: None,
    };
    assert_eq!(started(&mut driver), Some((choice, None)));
    assert_eq!(driver.model.screen, Screen::Rotation);
}

#[test]
fn what_was_entered_since_the_last_run_counts() {
    let mut driver = Driver::start();
    let without: Vec<_> =
        guide_sample::VALUES.iter().filter(|(key, _)| !key.starts_with("deployment")).copied().collect();
    driver.press("P<enter>").follow(guide_sample::guide_file(&without));
    let run = driver.model.runs.newest().expect("a run").number;
    let profile = Profile { deployment: Default::default(), ..profile() };
    driver.send(Msg::RunOpened { run, profile: Box::new(profile), settings: vec![] });
    driver.press("5R<enter>");
    assert!(driver.shows("– One kickoff before, one after"), "{}", driver.screen());
    let mut values = without.clone();
    values.push(("deployment.url", "https://crew.example.com"));
    driver.press("<esc><esc>").follow(guide_sample::guide_file(&values)).press("5R<enter>");
    assert!(!driver.shows("– One kickoff before, one after"), "{}", driver.screen());
    // The secret, too, is the one that is named now.
    for value in values.iter_mut().filter(|(key, _)| *key == "secret.name") {
        value.1 = "another-secret#key";
    }
    driver.press("<esc><esc>").follow(guide_sample::guide_file(&values)).press("5Rj<enter><enter>x<enter>");
    assert!(driver.shows("A new version of another-secret#key is written"), "{}", driver.screen());
}

#[test]
fn a_value_that_is_pasted_where_the_agreement_is_typed_does_not_show() {
    let mut driver = Driver::failed();
    ready(&mut driver).press(&format!("Rj<enter><enter>{VALUE}<enter>"));
    operator(&mut driver);
    driver.send(Msg::Paste(Pasted(VALUE.to_owned().into())));
    for piece in [VALUE, "orrect", "battery"] {
        assert!(!driver.shows(piece), "{piece}: {}", driver.screen());
    }
    assert!(driver.shows("what follows is not what is asked"), "{}", driver.screen());
    driver.press("<enter>");
    assert!(driver.shows("type exactly: "), "{}", driver.screen());
    assert_eq!(started(&mut driver), None);
    // What is right so far shows.
    driver.press("<ctrl-u>crewai-tset");
    assert!(driver.shows("crewai-t•") && !driver.shows("tset"), "{}", driver.screen());
    driver.press("<backspace><backspace><backspace>");
    assert!(driver.shows("crewai-t ") && !driver.shows("what follows"), "{}", driver.screen());
}

#[test]
fn a_value_is_written_only_after_the_secret_and_its_account_were_typed() {
    let mut driver = Driver::failed();
    ready(&mut driver).press("Rj<enter><enter>");
    driver.press("<enter>");
    assert!(driver.shows("nothing was typed yet"), "{}", driver.screen());
    driver.press(&format!("{VALUE}<enter>"));
    driver.press(&format!("{AGREEMENT}<enter>"));
    assert!(driver.shows("asking as whom it is written"), "{}", driver.screen());
    operator(&mut driver);
    assert!(driver.shows("as arn:aws:iam::123456789012:user/operator"), "{}", driver.screen());
    for wrong in ["yes", sample::SECRET, "crewai-test-keyword 210987654321"] {
        driver.press(&format!("<ctrl-u>{wrong}<enter>"));
        assert!(driver.shows("type exactly: "), "{}", driver.screen());
        assert_eq!(started(&mut driver), None);
    }
    driver.press(&format!("<ctrl-u>{AGREEMENT}<enter>"));
    let (choice, value) = started(&mut driver).expect("a session");
    assert_eq!(choice.way, RotationWay::Typed);
    let agreed = Agreed { secret: sample::SECRET.into(), place: "123456789012".into() };
    assert_eq!(choice.agreed, Some(agreed));
    assert_eq!(value.as_deref(), Some(VALUE));
    assert!(driver.model.layers.is_empty());
}

#[test]
fn a_made_up_value_needs_the_agreement_too() {
    let mut driver = Driver::failed();
    ready(&mut driver).press("Rjj<enter><enter>");
    operator(&mut driver);
    assert_eq!(started(&mut driver), None);
    driver.press(&format!("{AGREEMENT}<enter>"));
    let (choice, value) = started(&mut driver).expect("a session");
    assert_eq!((choice.way, value), (RotationWay::Generated, None));
}

#[test]
fn the_value_shows_nowhere_while_it_is_typed_pasted_and_agreed_to() {
    let mut driver = Driver::failed();
    ready(&mut driver).press("Rj<enter><enter>");
    let mut lengths = std::collections::BTreeSet::new();
    for c in VALUE.chars() {
        driver.press(&c.to_string());
        lengths.insert(driver.screen());
        assert!(!format!("{:?}", driver.model).contains("correct"));
    }
    assert_eq!(lengths.len(), 1, "what is shown does not tell the length");
    driver.press("<ctrl-u>");
    driver.send(Msg::Paste(Pasted(format!("{VALUE}\r\n").into())));
    assert!(driver.shows("the line break at its end was left out"), "{}", driver.screen());
    driver.press("<enter>");
    for text in [driver.screen(), format!("{:?}", driver.model), format!("{:?}", driver.effects)] {
        assert!(!text.contains("correct-horse"), "{text}");
    }
    operator(&mut driver).press(&format!("{AGREEMENT}<enter>"));
    assert!(!format!("{:?}", driver.effects).contains("correct-horse"));
    let (_, value) = started(&mut driver).expect("a session");
    assert_eq!(value.as_deref(), Some(VALUE));
}

#[test]
fn without_an_operator_nothing_can_be_agreed_to() {
    let mut driver = Driver::failed();
    ready(&mut driver).press("Rjj<enter><enter>");
    let result = Err("no source of AWS credentials is set up".to_owned());
    driver.send(Msg::OperatorSeen { target: Target::Lab("sub-mismatch".into()), result });
    assert!(driver.shows("it cannot be written: no source of AWS credentials"), "{}", driver.screen());
    driver.press(&format!("{AGREEMENT}<enter>"));
    assert_eq!(started(&mut driver), None);
}

#[test]
fn a_value_that_is_easy_to_guess_is_flagged_before_it_is_written() {
    let mut driver = Driver::failed();
    ready(&mut driver).press("Rj<enter><enter>hunter2<enter>");
    assert!(driver.shows("easy to guess") && !driver.shows("the value sha256:"), "{}", driver.screen());
    driver.press("<esc>");
    driver.press("Rj<enter><enter>q7V-xkT2_mZ9pLw4RbN8cYd3<enter>");
    assert!(!driver.shows("easy to guess") && driver.shows("the value sha256:"), "{}", driver.screen());
}

#[test]
fn a_program_is_shown_as_it_would_run_before_it_does() {
    let mut driver = Driver::failed();
    ready(&mut driver).press("Rjjj<enter><enter><enter>");
    assert!(driver.shows("nothing was typed yet"), "{}", driver.screen());
    driver.press("./rotate.sh  --name 'a b'<enter>");
    assert!(driver.shows("[./rotate.sh] [--name] ['a] [b']"), "{}", driver.screen());
    assert_eq!(started(&mut driver), None);
    driver.press("<backspace>");
    assert!(!driver.shows("runs, once"), "{}", driver.screen());
    driver.press("<enter>");
    assert_eq!(started(&mut driver), None, "what was changed is shown again");
    driver.press("<enter>");
    let (choice, _) = started(&mut driver).expect("a session");
    assert_eq!((choice.way, choice.agreed), (RotationWay::Command, None));
    assert_eq!(choice.command, ["./rotate.sh", "--name", "'a", "b"]);
}

#[test]
fn leaving_at_any_question_begins_nothing() {
    for keys in [
        "R<esc>",
        "Rj<enter><esc>",
        "Rj<enter><enter>abc<esc>",
        "Rj<enter><enter>abc<enter><esc>",
        "Rjjj<enter><enter>a<enter><esc>",
    ] {
        let mut driver = Driver::failed();
        ready(&mut driver).press(keys);
        assert!(driver.model.layers.is_empty(), "{keys}: {}", driver.screen());
        assert_eq!(started(&mut driver), None, "{keys}");
    }
}

#[test]
fn each_verdict_stands_first_with_its_reason_and_what_to_do() {
    for (script, verdict, said) in [
        (sample::propagated(), "propagated", "9.2 s from the write to the first sight of it"),
        (sample::stale(), "stale", "the code read the variable once, when it was loaded"),
        (sample::near_miss(), "near miss", "the value and a newline at its end"),
        (sample::foreign(), "foreign", "is of neither"),
        (sample::not_rotated(), "not rotated", "Write the new value, and see that it goes to this account"),
        (sample::inconclusive(), "inconclusive", "no fingerprint in its output"),
    ] {
        let mut driver = Driver::failed();
        begun(&mut driver, &script.events).resize(140, 45);
        let screen = driver.screen();
        assert!(screen.contains(said), "{verdict}: {screen}");
        let first = screen.lines().find(|line| line.contains(" · ") && line.contains(verdict));
        assert!(first.is_some(), "{verdict}: {screen}");
    }
}

#[test]
fn what_is_waited_for_counts_down_and_only_then_wakes() {
    let mut driver = Driver::failed();
    begun(&mut driver, &sample::asked().events);
    assert!(driver.shows("waiting for you to rotate · look 5, the next in 8 s"), "{}", driver.screen());
    assert!(driver.shows("put-secret-value"));
    let second = super::sample::NOW_MS + 1000;
    assert_eq!(driver.model.next_wake(), Some(second));
    driver.send(Msg::Now(second));
    assert!(driver.shows("the next in 7 s"), "{}", driver.screen());
    driver.asked();
    driver.press("y");
    let copied = driver.asked();
    assert!(matches!(&copied[..], [Effect::Copy { text }] if text.starts_with("aws secretsmanager")), "{copied:?}");
    driver.press("s");
    assert_eq!(driver.asked(), [Effect::TellRotation { session: 0, told: RotationInput::LookNow }]);
}

#[test]
fn events_of_a_session_that_was_replaced_do_not_show() {
    let mut driver = Driver::failed();
    begun(&mut driver, &sample::propagated().events);
    driver.press("R<enter><enter>");
    for event in sample::stale().events {
        driver.send(Msg::RotationEvent { session: 0, event: Box::new(event) });
    }
    driver.send(Msg::RotationClosed { session: 0 });
    let session = driver.model.rotation.session.as_ref().unwrap();
    assert!(session.number == 1 && session.is_live() && session.report.secrets.is_empty());
}

#[test]
fn cancelling_ends_the_session_and_only_then_ctrl_c_leaves() {
    let mut driver = Driver::failed();
    begun(&mut driver, &sample::asked().events);
    driver.asked();
    driver.press("<ctrl-c>");
    assert_eq!(driver.asked(), [Effect::CancelRotation { session: 0 }]);
    driver.press("<ctrl-c>");
    assert_eq!(driver.asked(), [Effect::Quit]);
}

#[test]
fn a_rotation_that_went_wrong_is_rolled_back_after_a_question_or_kept() {
    let mut driver = Driver::failed();
    begun(&mut driver, &sample::stale().events);
    assert!(driver.shows("it went wrong: roll back, or keep it as it is"), "{}", driver.screen());
    driver.asked();
    driver.press("b");
    assert!(matches!(driver.model.layers.last(), Some(Layer::Confirm(_))));
    assert_eq!(driver.asked(), []);
    driver.press("<enter>b");
    assert_eq!(driver.asked(), [], "enter alone changes nothing");
    driver.press("y");
    assert_eq!(driver.asked(), [Effect::TellRotation { session: 0, told: RotationInput::RollBack }]);
    driver.press("o");
    assert_eq!(driver.asked(), [Effect::TellRotation { session: 0, told: RotationInput::KeepAsIs }]);
}

#[test]
fn what_the_automation_printed_can_be_pasted_and_is_looked_at_first() {
    let mut driver = Driver::failed();
    begun(&mut driver, &sample::asked().events);
    driver.asked();
    driver.send(Msg::Paste(Pasted("nothing of use".to_owned().into())));
    assert!(driver.asked().is_empty() && driver.shows("there is no fingerprint in it"));
    let line = "2026-03-01 worker credential.fingerprint=sha256:5d8269a65fdc\n";
    driver.send(Msg::Paste(Pasted(line.to_owned().into())));
    let told =
        |text: &str| Effect::TellRotation { session: 0, told: RotationInput::Output(Pasted(text.to_owned().into())) };
    assert_eq!(driver.asked(), [told(line)]);
    assert!(driver.shows("taken: sha256:5d8269a65fdc"), "{}", driver.screen());
    driver.press("isha256:5d8269a65fdc<enter>");
    assert_eq!(driver.asked(), [told("sha256:5d8269a65fdc")]);
}

#[test]
fn a_recording_and_a_profile_without_a_secret_rotate_nothing() {
    let replay = Replay { name: "run.ndjson".into(), events: super::sample::failing(), truncated: false };
    let mut driver = Driver::with(Default::default(), Opening::Replay(replay), (80, 24));
    driver.press("5R");
    assert!(driver.model.layers.is_empty() && driver.shows("a recording is read-only"));
    let mut driver = Driver::failed();
    let mut bare = profile();
    bare.secret = None;
    driver.send(Msg::RunOpened { run: 0, profile: Box::new(bare), settings: vec![] }).press("5R");
    assert!(driver.model.layers.is_empty() && driver.shows("names no secret"), "{}", driver.screen());
}

#[test]
fn privacy_hides_whose_secret_it_is() {
    let mut driver = Driver::failed();
    begun(&mut driver, &sample::propagated().events).resize(140, 45).press("p");
    let screen = driver.screen();
    for told in ["123456789012", "crewai-secrets-reader/", "a1b2c3"] {
        assert!(!screen.contains(told), "{told}: {screen}");
    }
    assert!(screen.contains("propagated"), "{screen}");
}

#[test]
fn what_was_found_is_written_as_evidence_once_the_session_has_ended() {
    let mut driver = Driver::failed();
    begun(&mut driver, &sample::asked().events).press("e");
    assert!(driver.shows("the session has not ended yet"), "{}", driver.screen());
    play(&mut driver, &sample::propagated().events);
    driver.asked();
    driver.press("e");
    let asked = driver.asked();
    let [Effect::FileEvidence { target, report }] = &asked[..] else { panic!("{asked:?}") };
    assert_eq!((target, report.rotations().len()), (&Target::Lab("sub-mismatch".into()), 1));
}

#[test]
fn waiting_can_be_ended_with_a_verdict_on_what_has_been_seen() {
    let mut driver = Driver::failed();
    begun(&mut driver, &sample::asked().events);
    driver.asked();
    driver.press("f");
    assert_eq!(driver.asked(), [Effect::TellRotation { session: 0, told: RotationInput::Conclude }]);
}
