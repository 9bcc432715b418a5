//! The events' screen: a log that was read, as it looks and as keys move in it.

use serde_json::{Value, json};
use trustline::cause::exchange::{Each, Journal, Trusts};
use trustline::domain::exchange::read_log;
use trustline::domain::iam::Policy;
use trustline::report::events::{EventsReport, advised_entry};
use trustline::tui::command::Screen;
use trustline::tui::inputs::Opening;
use trustline::tui::message::{Effect, Msg};

use super::macros::{Driver, text};
use super::screens::scene;

const HOST: &str = "token.actions.githubusercontent.com";
const MAIN: &str = "repo:acme/crew:ref:refs/heads/main";

fn event(second: u32, subject: &str, is_granted: bool) -> Value {
    let provider = format!("arn:aws:iam::123456789012:oidc-provider/{HOST}");
    let mut event = json!({
        "userIdentity": {
            "type": "WebIdentityUser", "principalId": format!("{provider}:sts.amazonaws.com:{subject}"),
            "userName": subject, "identityProvider": provider,
        },
        "eventTime": format!("2026-11-30T05:00:{second:02}Z"), "eventName": "AssumeRoleWithWebIdentity",
        "requestParameters": {"roleArn": "arn:aws:iam::123456789012:role/secrets-reader", "roleSessionName": "GitHubActions"},
        "requestID": format!("00000000-0000-4000-8000-{second:012}"),
    });
    if !is_granted {
        event["errorCode"] = "AccessDenied".into();
        event["errorMessage"] = "An unknown error occurred".into();
    }
    event
}

/// A log in which the trust refused a pull request three times, and something else the branch once.
fn report() -> EventsReport {
    let policy = json!({"Role": {"Arn": "arn:aws:iam::123456789012:role/secrets-reader", "AssumeRolePolicyDocument": {
        "Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "sts:AssumeRoleWithWebIdentity",
        "Principal": {"Federated": format!("arn:aws:iam::123456789012:oidc-provider/{HOST}")},
        "Condition": {"StringEquals": {format!("{HOST}:sub"): MAIN, format!("{HOST}:repository_id"): "70107786"}}}}}});
    let mut trusts = Trusts::default();
    trusts.add_policy(Policy::parse(&policy.to_string()).unwrap(), None);
    let refused = [9, 12, 31].map(|second| event(second, "repo:acme/crew:pull_request", false));
    let log: String =
        refused.into_iter().chain([event(20, MAIN, false), event(40, MAIN, true)]).map(|e| format!("{e}\n")).collect();
    let mut journal = Journal::new(&trusts, Each::Counted);
    let tally = read_log(log.as_bytes(), &mut |exchange| journal.add(&exchange)).unwrap();
    let mut report = EventsReport { source: "events.json".into(), events: tally.events, ..EventsReport::default() };
    journal.entries(&trusts).map(|entry| advised_entry(entry, None)).for_each(|entry| report.add(entry));
    report
}

fn read(driver: &mut Driver) -> &mut Driver {
    driver.send(Msg::EventsRead(Ok(Box::new(report()))))
}

#[test]
fn events() {
    scene("events", |look, size| {
        let mut driver = Driver::with(look, Opening::Events, (100, 30));
        read(&mut driver);
        driver.resize(size.0, size.1);
        driver
    });
}

#[test]
fn a_key_and_the_palette_lead_there_and_read_the_log() {
    for keys in ["7", ":exchanges in the cloud<enter>"] {
        let mut driver = Driver::failed();
        driver.press(keys);
        assert_eq!(driver.model.screen, Screen::Events, "{keys}");
        assert_eq!(driver.effects.last(), Some(&Effect::ReadEvents), "{keys}");
    }
}

#[test]
fn one_moves_filters_and_copies_there() {
    let mut driver = Driver::with(Default::default(), Opening::Events, (140, 45));
    read(&mut driver).press("y");
    let copied = |driver: &Driver| {
        driver.effects.iter().rev().find_map(|effect| match effect {
            Effect::Copy { text } => Some(text.clone()),
            _ => None,
        })
    };
    assert_eq!(copied(&driver).as_deref(), Some("repo:acme/crew:pull_request"));
    driver.press("jy");
    assert_eq!(copied(&driver).as_deref(), Some(MAIN));
    assert!(text(&driver.buffer()).contains("repository_id"), "what it depends on is told");
    driver.press("g/granted<enter>");
    let shown = text(&driver.buffer());
    assert!(shown.contains("1/1 of 3") && shown.contains("granted once"), "{shown}");
    driver.press("<esc>").send(Msg::EventsRead(Err("events.json, line 3, column 1: no".into())));
    assert!(text(&driver.buffer()).contains("The log could not be read"));
}
