//! The audit's screen: a fleet as it looks, and as keys move, filter and copy in it.

use std::path::PathBuf;

use serde_json::json;
use trustline::audit::Location;
use trustline::audit::aws::{Beside, ManagedPolicies, Providers, RoleTrust, attach, judge};
use trustline::report::audit::{AuditReport, Unjudged, WhatWasRead};
use trustline::tui::command::Screen;
use trustline::tui::inputs::Opening;
use trustline::tui::message::{Effect, Msg};

use super::macros::{Driver, text};
use super::screens::scene;

const HOST: &str = "token.actions.githubusercontent.com";
const PATH: &str = "accounts/fleet.json";

/// A fleet with a role of each severity, and a file that is broken.
fn report() -> AuditReport {
    let subject = |operator: &str, subject: &str| json!({"StringEquals": {format!("{HOST}:aud"): "sts.amazonaws.com"}, operator: {format!("{HOST}:sub"): subject}});
    let roles = [
        ("deploy-anything", subject("StringLike", "*")),
        ("release", subject("StringLike", "repo:acme/*")),
        ("nightly", subject("ForAllValues:StringLike", "repo:acme@1/crew@2:ref:refs/heads/main")),
        ("docs", subject("StringEquals", "repo:acme-12345/crew-67890:environment:docs")),
    ];
    let mut findings = Vec::new();
    for (line, (name, conditions)) in roles.into_iter().enumerate() {
        let role = json!({"RoleName": name, "Arn": format!("arn:aws:iam::111122223333:role/{name}"),
            "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": [{"Effect": "Allow",
                "Principal": {"Federated": format!("arn:aws:iam::111122223333:oidc-provider/{HOST}")},
                "Action": "sts:AssumeRoleWithWebIdentity", "Condition": conditions}]}})
        .to_string();
        let location = Location { file: PATH.to_owned(), line: 3 + 20 * line as u64 };
        let role = RoleTrust::read(role.as_bytes(), Some(location)).unwrap().unwrap();
        let (managed, providers) = (ManagedPolicies::default(), Providers::default());
        let mut found = judge(&role, &managed, &providers);
        attach(&role, Beside { managed: &managed, providers: &providers, subjects: &[] }, &mut found);
        findings.extend(found);
    }
    findings.sort_by(|a, b| a.order().cmp(&b.order()));
    let broken = Unjudged {
        resource: "accounts/cut.json".into(),
        location: None,
        why: "line 1, column 9: the text ends here".into(),
    };
    let read =
        WhatWasRead { source: PATH.into(), files: 2, trusts: 4, not_judged: vec![broken], ..WhatWasRead::default() };
    AuditReport { findings, read, ..AuditReport::default() }
}

fn read(driver: &mut Driver) -> &mut Driver {
    driver.press(&format!("8{PATH}<enter>"));
    driver.send(Msg::Audited { path: PathBuf::from(PATH), result: Ok(Box::new(report())) })
}

fn copied(driver: &Driver) -> Option<String> {
    driver.effects.iter().rev().find_map(|effect| match effect {
        Effect::Copy { text } => Some(text.clone()),
        _ => None,
    })
}

#[test]
fn audit() {
    scene("audit", |look, size| {
        let mut driver = Driver::with(look, Opening::Start, (100, 30));
        read(&mut driver);
        driver.resize(size.0, size.1);
        driver
    });
}

#[test]
fn a_key_the_palette_and_the_start_screen_lead_there() {
    let wanted = Effect::Audit { path: PathBuf::from(PATH) };
    for keys in
        ["8accounts/fleet.json<enter>", ":accounts/fleet.json<enter>", "/audit<enter><enter>accounts/fleet.json<enter>"]
    {
        let mut driver = Driver::with(Default::default(), Opening::Start, (100, 30));
        driver.press(keys);
        assert_eq!((driver.model.screen, driver.effects.last()), (Screen::Audit, Some(&wanted)), "{keys}");
    }
}

#[test]
fn one_moves_filters_and_copies_the_fix() {
    let mut driver = Driver::with(Default::default(), Opening::Start, (140, 45));
    read(&mut driver);
    let shown = text(&driver.buffer());
    assert!(shown.contains("critical") && shown.contains("deploy-anything"), "{shown}");
    driver.press("/nightly<enter>y");
    let script = copied(&driver).unwrap();
    assert!(script.contains("update-assume-role-policy") && script.contains("ROLE_NAME=nightly"), "{script}");
    assert!(text(&driver.buffer()).contains("1/1 of 6"), "{}", text(&driver.buffer()));
    driver.press("<esc>G");
    assert!(text(&driver.buffer()).contains("the text ends here"), "what was not judged is told");
    driver.press("8other.json<enter>");
    driver.send(Msg::Audited { path: "other.json".into(), result: Err("other.json: no form of a trust".into()) });
    let shown = text(&driver.buffer());
    assert!(shown.contains("The audit could not be made") && shown.contains("no form of a trust"), "{shown}");
}

#[test]
fn a_fleet_of_a_hundred_thousand_is_laid_out_only_where_it_is_seen() {
    let mut many = report();
    let one = many.findings[0].clone();
    many.findings = vec![one; 100_000];
    let mut driver = Driver::with(Default::default(), Opening::Start, (100, 30));
    driver.press("8big<enter>").send(Msg::Audited { path: "big".into(), result: Ok(Box::new(many)) });
    let rows = trustline::tui::content::rows(&driver.model);
    let asked = std::cell::Cell::new(0);
    let counted = trustline::tui::content::Rows {
        count: rows.count,
        line: Box::new(|at, width| {
            asked.set(asked.get() + 1);
            (rows.line)(at, width)
        }),
    };
    assert_eq!(driver.model.matching(&counted).len(), 100_001);
    assert_eq!(asked.get(), 0, "without a filter no row is laid out to count them");
    assert!(text(&driver.buffer()).contains("1/100001"), "{}", text(&driver.buffer()));
}
