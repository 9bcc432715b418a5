//! The guide in the console: values typed, pasted and kept, steps checked, confirmed and left behind.

use trustline::check::CheckId;
use trustline::domain::profile::Guide;
use trustline::domain::profile::key::Key;
use trustline::domain::profile::setting::Value;
use trustline::guide::{Change, Confirmation};
use trustline::tui::command::Screen;
use trustline::tui::content::guide::{Row, selected};
use trustline::tui::inputs::{RunChoice, Target};
use trustline::tui::message::{Effect, Msg, Pasted, Pointer, PointerAct};
use trustline::tui::model::Focus;

use super::macros::Driver;
use super::sample;

const ROLE: &str = "arn:aws:iam::123456789012:role/reader";

fn target() -> Target {
    Target::Named("prod-aws".into())
}

/// The console on the guide of a profile with these values.
fn following(values: &[(&str, &str)]) -> Driver {
    let mut driver = Driver::start();
    driver.press("P<enter>").follow(sample::guide_file(values)).press("1");
    driver.asked();
    driver
}

fn set(key: Key, text: &str) -> Effect {
    let change = Change::Set(vec![(key, Some(Value::Text(text.into())))]);
    Effect::Change { target: target(), change }
}

fn draft(key: Key, text: Option<&str>) -> Effect {
    Effect::KeepDraft { target: target(), key, text: text.map(str::to_owned) }
}

#[test]
fn a_profile_that_is_not_finished_opens_on_its_guide_at_the_next_step() {
    let mut driver = Driver::start();
    driver.press("P<enter>");
    assert!(driver.asked().contains(&Effect::ReadGuide { target: target() }));
    driver.follow(sample::guide_file(&[]));
    assert_eq!((driver.model.screen, selected(&driver.model)), (Screen::Guide, Some(Row::Step(0))));
    // One that is finished opens on the handshake.
    let mut driver = Driver::start();
    driver.press("P<enter>").follow(sample::guide_file(sample::VALUES));
    assert_eq!(driver.model.screen, Screen::Handshake);
}

#[test]
fn what_is_typed_is_kept_at_every_key_and_saved_as_a_value_when_it_is_one() {
    let mut driver = following(&[]);
    driver.press("e7f3e81c4");
    let asked = driver.asked();
    assert_eq!(asked.len(), 8);
    assert_eq!(asked.last(), Some(&draft(Key::Organization, Some("7f3e81c4"))));
    assert!(driver.shows("write"), "what is wrong is told while it is typed: {}", driver.screen());
    // Leaving loses nothing, and saves nothing that is no value.
    driver.press("<esc>");
    assert_eq!(driver.asked(), []);
    assert!(driver.shows("7f3e81c4") && driver.shows("typed, not saved"), "{}", driver.screen());
    driver.press("e-5a0d-4b1e-8c55-9d20c1a09a1b");
    driver.asked();
    driver.press("<enter>");
    assert_eq!(driver.asked(), [set(Key::Organization, "7f3e81c4-5a0d-4b1e-8c55-9d20c1a09a1b")]);
    // Enter went on to the next value.
    driver.press("us-esat-1");
    assert!(driver.shows("us-east-1"), "the nearest region is named: {}", driver.screen());
    driver.press("<ctrl-u>us-east-1<tab>");
    assert!(driver.asked().contains(&set(Key::Region, "us-east-1")));
    // Behind the last value is the first one: what is typed next is never a command.
    assert_eq!(driver.model.guide.editing.as_ref().map(|editing| editing.key), Some(Key::Organization));
    driver.press("q");
    assert!(!driver.asked().contains(&Effect::Quit));
    driver.press("<esc>");
    assert!(driver.model.guide.editing.is_none());
}

#[test]
fn a_secret_in_a_field_is_neither_kept_nor_saved() {
    let mut driver = following(&[]);
    driver.press("e");
    driver.send(Msg::Paste(Pasted("AKIAIOSFODNN7EXAMPLE".to_owned().into())));
    assert!(driver.shows("access key") && !driver.shows("AKIA"), "{}", driver.screen());
    driver.press("<esc>");
    let told = format!("{:?}", driver.asked());
    assert!(!told.contains("AKIA"), "{told}");
}

#[test]
fn an_emptied_field_takes_its_value_out_of_the_profile() {
    let mut driver = following(sample::VALUES);
    driver.press("/secret in aws<enter>e<ctrl-u><enter>");
    let change = Change::Set(vec![(Key::SecretName, None)]);
    assert!(driver.asked().contains(&Effect::Change { target: target(), change }));
}

#[test]
fn a_value_shows_in_every_later_command_and_forgets_what_was_checked_with_the_old_one() {
    let mut driver = following(sample::VALUES);
    driver.play(&sample::passing());
    let state =
        |driver: &Driver, number: usize| driver.model.guide.followed.as_ref().unwrap().states()[number].1.clone();
    assert!(state(&driver, 3).is_done() && state(&driver, 1).is_done());
    driver.press("/create the iam role<enter>e<ctrl-u>arn:aws-cn:iam::210987654321:role/other<esc>");
    assert!(!state(&driver, 3).is_done(), "the role is another one now");
    assert!(state(&driver, 1).is_done(), "the issuer is not");
    let mut values = sample::VALUES.to_vec();
    values[3].1 = "arn:aws-cn:iam::210987654321:role/other";
    driver.follow(sample::guide_file(&values)).asked();
    driver.press("y");
    let [Effect::Copy { text }] = &driver.asked()[..] else { panic!() };
    assert!(text.contains("arn:aws-cn:iam::210987654321:oidc-provider/app.example.com"), "{text}");
    assert!(text.contains("--role-name other"), "{text}");
}

#[test]
fn a_pasted_answer_fills_fields_and_says_from_where() {
    let mut driver = following(&sample::VALUES[3..]);
    driver.send(Msg::Paste(Pasted(sample::TRUST_POLICY.to_owned().into())));
    let asked = driver.asked();
    let [Effect::Change { change: Change::Set(values), .. }] = &asked[..] else { panic!("{asked:?}") };
    let keys: Vec<Key> = values.iter().map(|(key, _)| *key).collect();
    assert_eq!(keys, [Key::IssuerUrl, Key::Organization, Key::RoleArn, Key::AwsAudience]);
    for told in ["Role.Arn", "role/crewai-secrets-reader", "PermissionsBoundary"] {
        assert!(driver.shows(told), "{told}: {}", driver.screen());
    }
    // By hand as well, and into a field what is one value.
    let mut driver = following(&[]);
    driver.press("i");
    driver.send(Msg::Paste(Pasted(ROLE.to_owned().into())));
    driver.press("<enter>");
    assert_eq!(driver.asked(), [set(Key::RoleArn, ROLE)]);
    driver.press("<esc>/create the iam role<enter>e");
    driver.send(Msg::Paste(Pasted(format!("{ROLE}\n").into())));
    driver.press("<enter>");
    assert!(driver.asked().contains(&set(Key::RoleArn, ROLE)));
}

#[test]
fn what_was_changed_is_taken_back_change_by_change() {
    let mut driver = following(&sample::VALUES[3..]);
    driver.press("U");
    assert_eq!(driver.asked(), []);
    driver.send(Msg::Paste(Pasted(sample::TRUST_POLICY.to_owned().into())));
    assert!(driver.shows("U takes it back"), "{}", driver.screen());
    let role = "arn:aws:iam::123456789012:role/other-reader";
    let mut values = vec![("issuer.url", "https://app.example.com"), ("aws.role-arn", role)];
    values.extend_from_slice(&sample::VALUES[4..]);
    driver.press("<esc>").follow(sample::guide_file(&values)).press("/have what<enter>e<tab><ctrl-u>us-west-2<enter>");
    assert!(driver.asked().contains(&set(Key::Region, "us-west-2")));
    driver.press("<esc>U");
    assert_eq!(driver.asked(), [set(Key::Region, "us-east-1")]);
    assert!(driver.shows("aws.region is as it was"), "{}", driver.screen());
    driver.press("U");
    let asked = driver.asked();
    let [Effect::Change { change: Change::Set(values), .. }] = &asked[..] else { panic!("{asked:?}") };
    let before = Value::Text("arn:aws:iam::123456789012:role/crewai-secrets-reader".into());
    assert!(values.contains(&(Key::RoleArn, Some(before))) && values.contains(&(Key::IssuerUrl, None)), "{values:?}");
    driver.press("U");
    assert!(driver.asked().is_empty() && driver.shows("no value was changed here"), "{}", driver.screen());
}

#[test]
fn a_step_is_checked_alone_and_its_evidence_stays_beside_that_of_others() {
    let mut driver = following(sample::VALUES);
    driver.play(&sample::passing()).press("/oidc issuer<enter>v");
    let only = vec![CheckId::IssuerReachable, CheckId::IssuerTls, CheckId::IssuerDiscovery, CheckId::IssuerJwks];
    let asked = driver.asked();
    assert_eq!(asked, [Effect::StartRun { run: 1, choice: RunChoice { target: target(), only } }]);
    assert!(driver.shows("secret ●"), "the chain stands as before: {}", driver.screen());
    assert!(driver.shows("verified"), "{}", driver.screen());
}

#[test]
fn a_step_that_nobody_can_be_asked_about_is_confirmed_and_taken_back() {
    let mut driver = following(sample::VALUES);
    driver.press("/configuration on<enter><space>");
    let at = "2026-03-01T12:00:00Z".to_owned();
    let guide = Guide::AwsWorkloadIdentity;
    let confirm = Change::Confirm { guide, step: 6, at: at.clone() };
    assert_eq!(driver.asked(), [Effect::Change { target: target(), change: confirm }]);
    let mut file = sample::guide_file(sample::VALUES);
    file.confirmations = vec![Confirmation { step: 6, at }];
    driver.follow(file);
    assert!(driver.shows("confirmed by you, 2026-03-01 12:00:00 UTC"), "{}", driver.screen());
    driver.press("<space>");
    let back = Change::TakeBack { guide, step: 6 };
    assert_eq!(driver.asked(), [Effect::Change { target: target(), change: back }]);
    // What can be checked takes no word.
    driver.press("<esc>/create the iam role<enter><space>");
    assert_eq!(driver.asked(), []);
    assert!(driver.shows("v checks it"), "{}", driver.screen());
}

#[test]
fn n_goes_to_what_the_list_calls_next_and_at_the_end_to_the_summary() {
    let mut driver = following(sample::VALUES);
    driver.press("gjjn");
    assert_eq!(selected(&driver.model), Some(Row::Step(0)), "the list calls it the next one");
    assert!(driver.shows(" next "), "{}", driver.screen());
    driver.play(&sample::failing()).press("gn");
    assert_eq!(selected(&driver.model), Some(Row::Step(3)), "what fails goes first");
    driver.press("n");
    assert_eq!(selected(&driver.model), Some(Row::Step(3)));
    assert!(driver.shows("step 3 is the next one"), "{}", driver.screen());
    let mut file = sample::guide_file(sample::VALUES);
    file.confirmations = [0, 6, 7, 9, 10].map(|step| Confirmation { step, at: "2026-03-01T11:00:00Z".into() }).into();
    driver.follow(file).press("r").play(&sample::passing()).press("n");
    if selected(&driver.model) != Some(Row::Summary) {
        panic!("{}", driver.screen());
    }
    driver.asked();
    driver.press("x<enter>");
    let [Effect::Export { name, text }] = &driver.asked()[..] else { panic!() };
    assert_eq!(name, "trustline-aws-workload-identity.md");
    assert!(text.contains("Add a workload identity configuration") && text.contains("confirmed by you"), "{text}");
}

#[test]
fn a_click_on_a_field_types_into_it_and_elsewhere_leaves_it() {
    let mut driver = following(sample::VALUES);
    driver.resize(140, 45).press("gj");
    let text = driver.screen();
    let row = text.lines().position(|line| line.contains("issuer.url")).unwrap();
    driver.click(85, row as u16);
    assert_eq!(driver.model.guide.editing.as_ref().map(|editing| editing.key), Some(Key::IssuerUrl));
    driver.click(5, 8);
    assert!(driver.model.guide.editing.is_none());
    assert_eq!(driver.model.here().focus, Focus::List);
}

#[test]
fn the_evidence_scrolls_by_keys_and_wheel_and_gives_the_keys_back_where_it_has_no_room() {
    const LAST: &str = "space says that it is done";
    const TITLE: &str = " Evidence ";
    let mut driver = following(sample::VALUES);
    driver.play(&sample::failing()).resize(140, 29).press("gjjj");
    assert!(driver.shows(TITLE) && driver.shows("does not accept this subject"), "{}", driver.screen());
    let top = driver.screen();
    let row = top.lines().position(|line| line.contains(TITLE)).unwrap() as u16 + 2;
    let pointer = |act| Msg::Pointer(Pointer { column: 5, row, act });
    driver.send(pointer(PointerAct::WheelDown));
    assert!(!driver.shows("does not accept this subject"), "{}", driver.screen());
    driver.send(pointer(PointerAct::WheelUp));
    assert_eq!(driver.screen(), top);
    // Two panes on by tab, and one back.
    driver.press("<tab><tab>");
    assert_eq!(driver.model.here().focus, Focus::Aside);
    driver.press("<backtab>");
    assert_eq!(driver.model.here().focus, Focus::Detail);
    driver.press("<tab>G");
    assert!(driver.shows("claims are what the cloud expects"), "{}", driver.screen());
    let bottom = driver.screen();
    driver.press("jjj<pagedown>");
    assert_eq!(driver.screen(), bottom);
    driver.press("<pageup>k");
    assert_ne!(driver.screen(), bottom);
    driver.press("g");
    assert!(driver.shows("does not accept this subject"), "{}", driver.screen());
    // Another step's evidence begins at its top.
    driver.press("G<esc>k");
    assert_eq!((driver.model.here().focus, driver.model.here().aside_scroll), (Focus::List, 0));
    driver.click(5, row);
    assert_eq!(driver.model.here().focus, Focus::Aside);
    driver.resize(80, 24);
    assert_eq!(driver.model.here().focus, Focus::Detail);
    assert!(!driver.shows(LAST) && !driver.shows(TITLE), "{}", driver.screen());
}

#[test]
fn the_names_of_all_steps_fit_wherever_a_console_does() {
    for size in [(80, 24), (100, 30), (140, 45), (200, 60)] {
        let mut driver = following(sample::VALUES);
        driver.play(&sample::failing()).resize(size.0, size.1);
        for step in &driver.model.guide.followed.clone().unwrap().text().steps {
            driver.press(&format!("/{}<enter>", step.title));
            let row = driver.screen().lines().nth(4).unwrap().to_owned();
            assert!(row.contains(&format!("{:>2} {}", step.number, step.title)), "{size:?}: {row}");
            driver.press("<esc>");
        }
    }
}

#[test]
fn all_that_is_wrong_with_a_value_is_seen_while_it_is_typed() {
    for size in [(80, 24), (100, 30), (140, 45), (60, 16)] {
        let mut driver = following(&sample::VALUES[..3]);
        driver.resize(size.0, size.1).press("/create the iam role<enter>earn:aws:iam::1234:role/x");
        for told in ["`1234`", "prints them)"] {
            assert!(driver.shows(told), "{size:?} {told}: {}", driver.screen());
        }
    }
}

#[test]
fn the_labs_values_and_a_recording_can_be_read_and_not_changed() {
    let mut driver = Driver::failed();
    driver.press("1");
    assert!(driver.shows("3 of 10"), "{}", driver.screen());
    driver.asked();
    driver.press("e<space>i");
    driver.send(Msg::Paste(Pasted(ROLE.to_owned().into())));
    assert_eq!(driver.asked(), []);
    assert!(driver.shows("make a profile"), "{}", driver.screen());
}
