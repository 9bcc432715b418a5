//! Every screen and layer as it looks, with styles; at every size and in every theme it is drawn, and three are held so.

use std::path::PathBuf;

use trustline::guide::Confirmation;
use trustline::report::context::Privacy;
use trustline::report::glyphs::GlyphSet;
use trustline::report::glyphs::ThemeName;
use trustline::run::event::RunEvent;
use trustline::tui::inputs::{Appearance, Opening, Replay};
use trustline::tui::message::{Msg, Pasted};

use super::macros::{Driver, coloured, styled, styles, text};
use super::picture::{DARK, LIGHT, svg};
use super::sample;
use super::{rotation, rotation_sample};

/// The scenes that are held in every theme and at every size; of the others the two sizes that people have.
const IN_EVERY_LOOK: &[&str] = &["findings", "guide_failing", "rotation_propagated"];

/// Draws a scene as pictures where the environment names a folder for them.
fn picture(name: &str, make: &mut impl FnMut(Appearance, (u16, u16)) -> Driver) {
    let Some(folder) = std::env::var_os("TRUSTLINE_PICTURES").map(PathBuf::from) else { return };
    for (theme, terminal) in [(ThemeName::Dark, &DARK), (ThemeName::Light, &LIGHT)] {
        for size in [(80, 24), (140, 45)] {
            let driver = make(Appearance { theme, ..Appearance::default() }, size);
            let file = format!("{name}-{}-{}x{}.svg", theme.id(), size.0, size.1);
            std::fs::write(folder.join(file), svg(&driver.buffer(), terminal)).unwrap();
        }
    }
}

/// How a scene is reached: by what, and with which keys after it.
pub fn scene(name: &str, mut make: impl FnMut(Appearance, (u16, u16)) -> Driver) {
    picture(name, &mut make);
    let mut drawn = |look: Appearance, size| make(look, size).buffer();
    let usual = drawn(Appearance::default(), (80, 24));
    let wide = text(&drawn(Appearance::default(), (140, 45)));
    let mut shown = format!("== 80x24 dark\n{}== 140x45\n{wide}", styled(&usual));

    let whole = IN_EVERY_LOOK.contains(&name);
    for size in [(100, 30), (40, 10), (1, 1), (300, 80)] {
        let plain = text(&drawn(Appearance::default(), size));
        if whole {
            shown.push_str(&format!("== {}x{}\n{plain}", size.0, size.1));
        }
    }
    for (theme, title) in [(ThemeName::Light, "light"), (ThemeName::None, "none")] {
        let buffer = drawn(Appearance { theme, ..Appearance::default() }, (80, 24));
        assert_eq!(text(&buffer), text(&usual), "{name}: a theme changes no text");
        let styles = styles(&buffer);
        assert!(theme != ThemeName::None || !coloured(&buffer), "{name}: {styles}");
        if whole {
            shown.push_str(&format!("== 80x24 {title}\n{styles}"));
        }
    }
    let ascii = text(&drawn(Appearance { glyphs: GlyphSet::Ascii, ..Appearance::default() }, (80, 24)));
    assert!(ascii.is_ascii(), "{name}: {ascii}");
    if whole {
        shown.push_str(&format!("== 80x24 ascii\n{ascii}"));
    }
    insta::with_settings!({snapshot_path => "snapshots", prepend_module_to_snapshot => false, omit_expression => true}, {
        insta::assert_snapshot!(name, shown);
    });
}

fn started(look: Appearance, size: (u16, u16), keys: &str) -> Driver {
    let mut driver = Driver::with(look, Opening::Start, size);
    driver.press(keys);
    driver
}

/// After the sample has failed, and these keys. The run is started at a size that works.
fn failed(look: Appearance, size: (u16, u16), keys: &str) -> Driver {
    let mut driver = Driver::with(look, Opening::Start, (100, 30));
    driver.press("L<enter>").play(&sample::failing());
    driver.resize(size.0, size.1).press(keys);
    driver
}

#[test]
fn explained() {
    const REFUSED: &str = "An error occurred (AccessDenied) when calling the AssumeRoleWithWebIdentity operation: Not authorized to perform sts:AssumeRoleWithWebIdentity";
    scene("explained", |look, size| {
        let mut driver = started(look, (100, 30), "");
        driver.send(Msg::Paste(Pasted(REFUSED.to_owned().into())));
        driver.resize(size.0, size.1);
        driver
    });
}

#[test]
fn start() {
    scene("start", |look, size| started(look, size, ""));
}

#[test]
fn fix() {
    scene("fix", |look, size| failed(look, size, "f"));
}

#[test]
fn clients() {
    scene("clients", |look, size| failed(look, size, "2C"));
}

#[test]
fn lab_picker() {
    scene("lab_picker", |look, size| started(look, size, "Lj"));
}

#[test]
fn profile_picker() {
    scene("profile_picker", |look, size| started(look, size, "Pj"));
}

#[test]
fn guide_picker() {
    scene("guide_picker", |look, size| started(look, size, "+"));
}

#[test]
fn form() {
    scene("form", |look, size| {
        started(look, size, "+<enter><tab><tab>arn:aws:iam::12:role/x<tab><tab>http://app.example.com")
    });
}

#[test]
fn handshake_running() {
    scene("handshake_running", |look, size| {
        let mut driver = Driver::with(look, Opening::Start, (100, 30));
        driver.press("L<enter>").play(&sample::running()).resize(size.0, size.1);
        driver
    });
}

#[test]
fn handshake_failed() {
    scene("handshake_failed", |look, size| failed(look, size, ""));
}

#[test]
fn handshake_passed_check() {
    scene("handshake_passed_check", |look, size| failed(look, size, "g<tab>"));
}

#[test]
fn handshake_all_passed() {
    scene("handshake_all_passed", |look, size| {
        let mut driver = Driver::with(look, Opening::Start, (100, 30));
        driver.press("L<enter>").play(&sample::passing()).resize(size.0, size.1);
        driver
    });
}

#[test]
fn handshake_filtered() {
    scene("handshake_filtered", |look, size| failed(look, size, "/issuer"));
}

#[test]
fn waterfall() {
    scene("waterfall", |look, size| failed(look, size, "gw"));
}

#[test]
fn token() {
    scene("token", |look, size| failed(look, size, "3jj"));
}

#[test]
fn token_absent() {
    scene("token_absent", |look, size| started(look, size, "3"));
}

#[test]
fn findings() {
    scene("findings", |look, size| failed(look, size, "4"));
}

#[test]
fn findings_undecided_and_unfolded() {
    scene("findings_undecided_and_unfolded", |look, size| failed(look, size, "4j<space>"));
}

#[test]
fn log() {
    scene("log", |look, size| failed(look, size, "6"));
}

#[test]
fn help() {
    scene("help", |look, size| failed(look, size, "?"));
}

#[test]
fn palette() {
    scene("palette", |look, size| failed(look, size, ":copy"));
}

#[test]
fn copy_menu() {
    scene("copy_menu", |look, size| failed(look, size, "Y"));
}

#[test]
fn export_and_watch() {
    scene("export", |look, size| failed(look, size, "x"));
    scene("watch", |look, size| failed(look, size, "W"));
}

fn compared(look: Appearance, size: (u16, u16), keys: &str) -> Driver {
    let mut driver = failed(look, (100, 30), "r");
    driver.play(&sample::passing()).resize(size.0, size.1).press(keys);
    driver
}

#[test]
fn history_and_compare() {
    scene("history", |look, size| compared(look, size, "H"));
    scene("compare", |look, size| compared(look, size, "D<enter>"));
}

#[test]
fn paste_box() {
    scene("paste_box", |look, size| started(look, size, "3iabc"));
}

#[test]
fn confirm() {
    scene("confirm", |look, size| {
        let keys = "+<enter><ctrl-u>prod-aws<tab><tab>arn:aws:iam::123456789012:role/x<ctrl-s>";
        started(look, size, keys)
    });
}

#[test]
fn refused_run() {
    scene("refused", |look, size| {
        let mut driver = started(look, size, "P<enter>");
        let run = driver.model.runs.newest().expect("a run").number;
        driver.send(Msg::RunRefused {
            run,
            message: "prod-aws.toml:7: aws.role-arn: `role` is no role ARN".into(),
            hints: vec!["write arn:aws:iam::123456789012:role/NAME".into()],
        });
        driver
    });
}

#[test]
fn replay_and_privacy() {
    scene("replay_private", |look, size| {
        let replay = Replay { name: "run.ndjson".into(), events: sample::failing(), truncated: true };
        Driver::with(Appearance { privacy: Privacy::Masked, ..look }, Opening::Replay(replay), size)
    });
}

/// A rotation begun by hand, with these events.
fn rotating(look: Appearance, size: (u16, u16), script: &rotation_sample::Script) -> Driver {
    let mut driver = failed(look, (100, 30), "");
    rotation::begun(&mut driver, &script.events).resize(size.0, size.1);
    driver
}

/// The questions before a rotation, after these keys.
fn asking(look: Appearance, size: (u16, u16), keys: &str) -> Driver {
    let mut driver = failed(look, (100, 30), "");
    rotation::ready(&mut driver).resize(size.0, size.1).press(keys);
    driver
}

/// The guide of a profile with these values, after a run with these events.
fn guide(look: Appearance, size: (u16, u16), values: &[(&str, &str)], events: &[RunEvent], keys: &str) -> Driver {
    let mut driver = Driver::with(look, Opening::Start, (100, 30));
    driver.press("P<enter>").follow(sample::guide_file(values));
    driver.play(events).resize(size.0, size.1).press("1").press(keys);
    driver
}

#[test]
fn rotation_before() {
    scene("rotation_none", |look, size| asking(look, size, ""));
    scene("rotation_way", |look, size| asking(look, size, "R"));
    scene("rotation_runtime", |look, size| asking(look, size, "R<enter>"));
}

#[test]
fn rotation_that_writes() {
    scene("rotation_value", |look, size| asking(look, size, "Rj<enter><enter>hunter2"));
    scene("rotation_agreement", |look, size| {
        let mut driver = asking(look, size, "Rj<enter><enter>hunter2<enter>");
        rotation::operator(&mut driver).press("crewai");
        driver
    });
    scene("rotation_program", |look, size| asking(look, size, "Rjjj<enter><enter>./rotate.sh --all<enter>"));
}

#[test]
fn guides_to_begin_with() {
    scene("guide_offered", |look, size| started(look, size, "1j"));
}

#[test]
fn guide_of_an_empty_profile() {
    scene("guide_empty", |look, size| guide(look, size, &[], &[], ""));
}

#[test]
fn guide_at_what_fails() {
    scene("guide_failing", |look, size| guide(look, size, sample::VALUES, &sample::failing(), ""));
}

#[test]
fn guide_step_in_full() {
    scene("guide_step", |look, size| guide(look, size, sample::VALUES, &sample::passing(), "/role<enter><tab>"));
}

#[test]
fn guide_field_being_typed() {
    scene("guide_field", |look, size| {
        let mut driver = guide(look, (100, 30), &sample::VALUES[..3], &[], "/create the iam role<enter>");
        driver.press("earn:aws:iam::1234:role/x").resize(size.0, size.1);
        driver
    });
}

#[test]
fn rotation_by_hand() {
    scene("rotation_asked", |look, size| rotating(look, size, &rotation_sample::asked()));
    scene("rotation_waiting", |look, size| rotating(look, size, &rotation_sample::waiting_for_runtime()));
    scene("rotation_watched", |look, size| rotating(look, size, &rotation_sample::watched()));
}

#[test]
fn rotation_verdicts() {
    scene("rotation_propagated", |look, size| rotating(look, size, &rotation_sample::propagated()));
    scene("rotation_stale", |look, size| rotating(look, size, &rotation_sample::stale()));
    scene("rotation_near_miss", |look, size| rotating(look, size, &rotation_sample::near_miss()));
    scene("rotation_foreign", |look, size| rotating(look, size, &rotation_sample::foreign()));
    scene("rotation_not_rotated", |look, size| rotating(look, size, &rotation_sample::not_rotated()));
    scene("rotation_inconclusive", |look, size| rotating(look, size, &rotation_sample::inconclusive()));
}

#[test]
fn guide_summary() {
    scene("guide_summary", |look, size| {
        let mut driver = guide(look, (100, 30), sample::VALUES, &sample::passing(), "");
        let mut file = sample::guide_file(sample::VALUES);
        file.confirmations =
            [0, 6, 7, 9, 10].map(|step| Confirmation { step, at: "2026-03-01T11:00:00Z".into() }).into();
        driver.follow(file).press("nG").resize(size.0, size.1);
        driver
    });
}

#[test]
fn guide_after_a_paste() {
    scene("guide_imported", |look, size| {
        let mut driver = guide(look, size, &sample::VALUES[3..], &[], "");
        driver.send(Msg::Paste(Pasted(sample::TRUST_POLICY.to_owned().into())));
        driver
    });
}
