//! What keys do.

use trustline::check::CheckId;
use trustline::domain::profile::{Guide, Profile, TokenSource};
use trustline::domain::token::RawToken;
use trustline::run::event::EventKind;
use trustline::tui::command::{COMMANDS, Scope, Screen};
use trustline::tui::inputs::{Opening, Replay, RunChoice, Target};
use trustline::tui::message::{Effect, Msg, Pasted, Pointer, PointerAct};
use trustline::tui::model::Layer;
use trustline::tui::services::TokenRead;

use super::macros::Driver;
use super::sample;

/// Header `{"alg":"RS256","kid":"k"}`, claims `{"iss":"https://i.example","sub":"s"}`, a made-up signature.
const TOKEN: &str =
    "eyJhbGciOiJSUzI1NiIsImtpZCI6ImsifQ.eyJpc3MiOiJodHRwczovL2kuZXhhbXBsZSIsInN1YiI6InMifQ.c2lnbmF0dXJl";

#[test]
fn two_keys_lead_from_the_start_to_a_run_in_the_lab_and_its_cause_shows_by_itself() {
    let mut driver = Driver::start();
    driver.asked();
    driver.press("L<enter>");
    let lab = RunChoice { target: Target::Lab("sub-mismatch".into()), only: vec![] };
    assert!(driver.asked().contains(&Effect::StartRun { run: 0, choice: lab }));
    driver.play(&sample::failing());
    assert_eq!(driver.model.selected_check(), Some(CheckId::TrustPolicy));
    assert!(driver.shows("sub-mismatch"), "{}", driver.screen());
    assert!(driver.shows("does not accept this subject"), "{}", driver.screen());
}

#[test]
fn the_selection_follows_the_run_until_a_person_moves_it() {
    let mut driver = Driver::start();
    driver.press("L<enter>").play(&sample::running());
    assert_eq!(driver.model.selected_check(), Some(CheckId::AwsAssumeRoleWithWebIdentity));
    driver.press("g").play(&sample::failing());
    assert_eq!(driver.model.selected_check(), Some(CheckId::IssuerReachable));
}

#[test]
fn events_of_a_run_that_was_replaced_do_not_show() {
    let mut driver = Driver::failed();
    driver.press("r");
    let shown = driver.model.runs.shown().unwrap().number;
    assert_eq!(shown, 1);
    for event in sample::passing() {
        driver.send(Msg::RunEvent { run: 0, event: Box::new(event) });
    }
    assert!(driver.model.runs.shown().unwrap().report.checks.is_empty());
    assert!(driver.model.runs.get(0).unwrap().verdict().is_some());
}

#[test]
fn cancel_stops_the_run_and_only_then_ctrl_c_leaves() {
    let mut driver = Driver::start();
    driver.press("L<enter>").play(&sample::running());
    driver.asked();
    driver.press("<ctrl-c>");
    assert_eq!(driver.asked(), [Effect::CancelRun { run: 0 }]);
    driver.press("<ctrl-c>");
    assert_eq!(driver.asked(), [Effect::Quit]);
}

#[test]
fn what_looks_like_a_secret_shows_in_no_filter_and_no_field() {
    const KEY: &str = "AKIAIOSFODNN7EXAMPLE";
    for keys in ["2/", ":", "P/", "+<enter>", "+<enter><tab><tab>"] {
        for secret in [KEY, TOKEN] {
            let mut driver = Driver::failed();
            driver.press(keys);
            driver.send(Msg::Paste(Pasted(secret.to_owned().into())));
            assert!(!driver.shows(&secret[..12]), "{keys}: {}", driver.screen());
        }
    }
}

#[test]
fn one_check_runs_alone() {
    let mut driver = Driver::failed();
    driver.asked();
    driver.press("e");
    let choice = RunChoice { target: Target::Lab("sub-mismatch".into()), only: vec![CheckId::TrustPolicy] };
    assert_eq!(driver.asked(), [Effect::StartRun { run: 1, choice }]);
}

#[test]
fn watching_runs_again_after_the_time_and_tells_since_when_it_works() {
    let mut driver = Driver::failed();
    driver.asked();
    driver.press("W<enter>");
    let started = |effects: Vec<Effect>| effects.iter().filter(|e| matches!(e, Effect::StartRun { .. })).count();
    assert_eq!(started(driver.asked()), 1);
    driver.play(&sample::failing());
    driver.send(Msg::Now(sample::NOW_MS + 1900));
    assert_eq!(started(driver.asked()), 0);
    assert!(driver.model.next_wake().is_some());
    driver.send(Msg::Now(sample::NOW_MS + 2000));
    assert_eq!(started(driver.asked()), 1);
    driver.play(&sample::passing());
    assert!(driver.shows("works since 12:00:02 "), "{}", driver.screen());
    driver.resize(140, 45);
    assert!(driver.shows("works since 2026-03-01 12:00:02 UTC"), "{}", driver.screen());
    driver.press("c");
    assert!(driver.model.runs.watch.is_none());
}

#[test]
fn watching_takes_nobody_away_from_what_they_read() {
    let mut driver = Driver::failed();
    driver.press("Gkkk<tab>J").press("W<enter>").play(&sample::failing());
    let (check, scroll) = (driver.model.selected_check(), driver.model.here().scroll);
    assert_eq!((check, scroll), (Some(CheckId::AwsAssumeRoleWithWebIdentity), 1));
    driver.send(Msg::Now(sample::NOW_MS + 2000));
    driver.play(&sample::failing());
    assert_eq!((driver.model.selected_check(), driver.model.here().scroll), (check, scroll), "{}", driver.screen());
    // A run of one check is told as no more than that.
    let mut driver = Driver::failed();
    driver.press("r").play(&sample::passing());
    assert!(driver.shows("13 passed, 1 skipped") && !driver.shows("all passed"), "{}", driver.screen());
}

#[test]
fn the_layout_is_settled_once_a_frame_and_before_a_person_acts() {
    let mut driver = Driver::failed();
    driver.resize(80, 16).press("<tab>G");
    let bottom = driver.model.here().scroll;
    assert!(bottom > 1, "the details are longer than their pane\n{}", driver.screen());
    driver.press("g").send_between_frames(Msg::Key("G".parse().unwrap()));
    for _ in 0..3 {
        driver.send_between_frames(Msg::Now(sample::NOW_MS));
    }
    assert!(driver.model.here().scroll > bottom, "messages lay nothing out");
    driver.send_between_frames(Msg::Key("k".parse().unwrap()));
    assert_eq!(driver.model.here().scroll, bottom - 1, "a key starts from what a frame would show");
}

#[test]
fn two_runs_are_compared_by_causes_outcomes_claims_and_times() {
    let mut driver = Driver::failed();
    driver.press("r");
    let mut passing = sample::passing();
    for event in &mut passing {
        if let EventKind::Finished(check) = &mut event.kind
            && let Some(claims) = check.facts.get_mut("token").and_then(|token| token.get_mut("claims"))
        {
            claims["sub"] = "organization:other".into();
        }
    }
    driver.play(&passing).resize(140, 45).press("D<enter>");
    let screen = driver.screen();
    for told in [
        "gone  sub-mismatch",
        "trust policy accepts the token        failed → passed",
        "sub  organization:7f3e81c4-5a0d-4b1e-8c55-9d20c1a09a1c → organization:other",
        "STS exchanges the token for the role  91 ms → 240 ms",
    ] {
        assert!(screen.contains(told), "{told}\n{screen}");
    }
}

#[test]
fn copying_takes_the_fix_first_and_a_claims_own_bytes() {
    let mut driver = Driver::failed();
    driver.asked();
    driver.press("y");
    let [Effect::Copy { text }] = &driver.asked()[..] else { panic!() };
    assert!(text.starts_with("aws iam update-assume-role-policy"), "{text}");
    driver.press("3");
    driver.press("/jti<enter>y");
    let [Effect::Copy { text }] = &driver.asked()[..] else { panic!() };
    assert_eq!(text, "5e0a6a5c\u{1b}[2J\u{202e}\u{200b}");
}

#[test]
fn the_fix_is_shown_with_its_way_back_and_copied_but_never_run() {
    let mut driver = Driver::start();
    driver.press("f");
    assert!(!driver.shows("The way back"), "nothing has run yet: {}", driver.screen());
    let mut driver = Driver::failed();
    driver.resize(140, 45).press("4f");
    for told in ["Script", "Then", "The way back", "file://before.json", "trustline check --profile prod-aws --wait 60"]
    {
        assert!(driver.shows(told), "{told}: {}", driver.screen());
    }
    driver.asked();
    driver.press("y");
    let [Effect::Copy { text }] = &driver.asked()[..] else { panic!() };
    assert!(text.starts_with("aws iam update-assume-role-policy") && text.ends_with("trust-policy.json"), "{text}");
    driver.press("<esc>");
    assert!(!driver.shows("The way back"), "{}", driver.screen());
}

#[test]
fn a_report_is_exported_as_markdown_and_json() {
    let mut driver = Driver::failed();
    driver.asked();
    driver.press("x<enter>");
    driver.press("xj<enter>");
    let effects = driver.asked();
    let [Effect::Export { name: md, text: markdown }, Effect::Export { name: js, text: json }] = &effects[..] else {
        panic!("{effects:?}")
    };
    assert_eq!(
        (md.as_str(), js.as_str()),
        (
            "trustline-prod-aws-2026-03-01T120000.md".replace("-03-01", "0301").as_str(),
            "trustline-prod-aws-20260301T120000.json"
        )
    );
    assert!(markdown.contains("sub-mismatch"));
    assert_eq!(serde_json::from_str::<serde_json::Value>(json).unwrap()["schema"], "trustline.check/1");
}

fn paste(text: &str) -> Msg {
    Msg::Paste(Pasted(text.to_owned().into()))
}

#[test]
fn a_pasted_token_is_cleaned_and_shown_and_its_signature_is_not_called_invalid() {
    let mut driver = Driver::start();
    let (head, tail) = TOKEN.split_at(40);
    driver.send(paste(&format!("Bearer {head}\n{tail}\n")));
    assert_eq!(driver.model.screen, Screen::Token);
    let screen = driver.screen();
    assert!(screen.contains("not checked") && screen.contains("https://i.example"), "{screen}");
    assert!(screen.contains("Bearer"), "what was stripped is told: {screen}");
    assert!(!screen.contains("c2lnbmF0dXJl"));
    driver.asked();
    driver.press("v");
    assert_eq!(driver.asked(), [Effect::FetchKeys { issuer: "https://i.example".into() }]);
    driver.send(Msg::KeysRead { issuer: "https://i.example".into(), keys: Err("it does not answer".into()) });
    assert!(driver.shows("it does not answer"), "{}", driver.screen());
    driver.press("<backspace>");
    assert!(driver.shows("There is no token yet"));
}

/// The failed run of a profile whose token is from here.
fn with_token_from(source: TokenSource) -> Driver {
    let mut driver = Driver::failed();
    let profile = Profile { token: Some(source), ..Profile::bare("p", Guide::AwsWorkloadIdentity) };
    driver.send(Msg::RunOpened { run: 0, profile: Box::new(profile), settings: vec![] });
    driver.asked();
    driver.press("3g");
    driver
}

fn asks_again(effects: &[Effect]) -> usize {
    effects.iter().filter(|effect| matches!(effect, Effect::ReadTokenAgain { run: 0, .. })).count()
}

#[test]
fn a_programs_token_is_read_again_once_when_it_expires_and_whenever_a_person_asks() {
    let mut driver = with_token_from(TokenSource::Command(vec!["print-token".into()]));
    assert!(driver.shows("when it expires, or with R"), "{}", driver.screen());
    let end = sample::NOW_MS + 2_467_000;
    driver.send(Msg::Now(end - 1000));
    assert_eq!(asks_again(&driver.asked()), 0);
    driver.send(Msg::Now(end));
    assert_eq!(asks_again(&driver.asked()), 1);
    driver.send(Msg::TokenReadAgain { run: 0, result: Err("print-token: exit status 1".into()) });
    driver.send(Msg::Now(end + 5000));
    assert_eq!(asks_again(&driver.asked()), 0, "once for each end");
    assert!(driver.shows("print-token: exit status 1"), "{}", driver.screen());
    driver.press("R");
    assert_eq!(asks_again(&driver.asked()), 1);
    let (raw, cleaned) = RawToken::clean(TOKEN);
    let read = TokenRead { source: "program print-token".into(), raw, cleaned };
    driver.send(Msg::TokenReadAgain { run: 0, result: Ok(read) });
    let screen = driver.screen();
    assert!(screen.contains("https://i.example") && screen.contains("a new token"), "{screen}");
    assert!(!screen.contains("exit status"), "{screen}");
}

#[test]
fn a_source_that_gives_one_token_only_says_so() {
    for (source, why) in
        [(TokenSource::Stdin, "can be read only once"), (TokenSource::Env("TOKEN".into()), "variables do not change")]
    {
        let mut driver = with_token_from(source);
        assert!(driver.shows("read again never") && driver.shows(why), "{}", driver.screen());
        driver.press("R").send(Msg::Now(sample::NOW_MS + 3_000_000));
        assert!(driver.asked().iter().all(|effect| !matches!(effect, Effect::ReadTokenAgain { .. })));
    }
    let driver = with_token_from(TokenSource::File("t.jwt".into()));
    assert!(driver.shows("when the file changes"), "{}", driver.screen());
}

#[test]
fn cut_lines_can_be_moved_along_and_say_which_columns_show() {
    let mut driver = Driver::failed();
    driver.press("<tab>>");
    assert!(driver.shows("long lines are broken"), "{}", driver.screen());
    driver.press("zg");
    assert!(driver.shows("columns 1-76 of ") && driver.shows("…"), "{}", driver.screen());
    let first = driver.screen();
    driver.press(">");
    assert!(driver.shows("columns 9-84 of "), "{}", driver.screen());
    driver.press(">>>>>>>>>>>>>>>>>>>>");
    let end = driver.screen();
    driver.press(">");
    assert_eq!(driver.screen(), end, "it stops where the widest line ends");
    driver.press("<<<<<<<<<<<<<<<<<<<<<<<<<");
    assert_eq!(driver.screen(), first);
    driver.press("z");
    assert!(!driver.shows("columns"), "{}", driver.screen());
}

#[test]
fn a_token_typed_into_the_box_is_taken_and_never_shown() {
    let mut driver = Driver::start();
    driver.press("3i");
    driver.send(paste(TOKEN));
    assert!(driver.shows("characters") && !driver.shows("eyJ"), "{}", driver.screen());
    driver.press("<enter>");
    assert!(driver.shows("https://i.example"), "{}", driver.screen());
    assert!(!format!("{:?}", driver.model).contains("c2lnbmF0dXJl"));
}

#[test]
fn text_that_is_no_token_is_not_taken_elsewhere() {
    let mut driver = Driver::start();
    driver.send(paste("hello"));
    assert_eq!(driver.model.screen, Screen::Start);
    assert!(driver.shows("that is no token"));
}

const REFUSED: &str = "An error occurred (InvalidIdentityToken) when calling the AssumeRoleWithWebIdentity operation: No OpenIDConnect provider found in your account for https://app.example.com";

#[test]
fn an_error_text_pasted_on_any_screen_is_explained_and_its_fix_can_be_copied() {
    for keys in ["0", "1", "2", "3", "4", "5", "6"] {
        let mut driver = Driver::failed();
        driver.press(keys).send(paste(REFUSED));
        assert!(
            driver.shows("What causes this error") && driver.shows("provider-missing"),
            "{keys} {}",
            driver.screen()
        );
    }
    // And by the entry of the start screen and its box.
    let mut driver = Driver::start();
    driver.press("j<enter>");
    driver.send(paste(REFUSED));
    driver.press("<enter>");
    assert!(driver.shows("InvalidIdentityToken") && driver.shows("provider-missing"), "{}", driver.screen());
    driver.asked();
    driver.press("y");
    let effects = driver.asked();
    assert!(matches!(&effects[..], [Effect::Copy { text }] if text.contains("app.example.com")), "{effects:?}");
    driver.press("<esc>");
    assert!(driver.model.layers.is_empty());
}

#[test]
fn the_palette_finds_whole_words_and_commands_of_other_screens() {
    let mut driver = Driver::start();
    driver.press(":error");
    assert!(driver.shows("Paste an error text or a log"), "{}", driver.screen());
    assert!(!driver.shows("A rotation's before and after"), "{}", driver.screen());
    driver.press("<ctrl-u>paste token<enter>");
    assert_eq!(driver.model.screen, Screen::Token);
    assert!(matches!(driver.model.layers.last(), Some(Layer::Paste(_))), "{}", driver.screen());
}

#[test]
fn the_palette_finds_profiles_guides_and_scenarios_by_words_in_any_order() {
    for (words, expected) in [
        ("prod-aws", Target::Named("prod-aws".into())),
        ("subject another", Target::Lab("sub-mismatch".into())),
        ("azure fic", Target::Lab("fic-missing".into())),
    ] {
        let mut driver = Driver::start();
        driver.asked();
        driver.press(":").send(paste(words)).press("<enter>");
        let run = Effect::StartRun { run: 0, choice: RunChoice { target: expected, only: vec![] } };
        assert!(driver.asked().contains(&run), "{words}: {}", driver.screen());
    }
    // A command of another screen by its screen's name, behind its own words; and a command before what is no command.
    let mut driver = Driver::start();
    driver.press(":").send(paste("rotation output")).press("<enter>");
    assert_eq!(driver.model.screen, Screen::Rotation);
    let mut driver = Driver::start();
    driver.press(":").send(paste("kubernetes google")).press("<enter>");
    assert!(matches!(driver.model.layers.last(), Some(Layer::Form(_))), "{}", driver.screen());
}

#[test]
fn a_form_refuses_tokens_and_saves_what_is_right() {
    let mut driver = Driver::start();
    driver.press("+<enter><tab><tab>nonsense<ctrl-s>");
    assert!(driver.shows("nonsense") && driver.shows("problem"), "{}", driver.screen());
    driver.send(paste(TOKEN));
    assert!(driver.shows("that is a token"), "{}", driver.screen());
    driver.press("<esc>+<enter><ctrl-u>new<tab><tab>arn:aws:iam::123456789012:role/x");
    driver.asked();
    driver.press("<ctrl-s>");
    let effects = driver.asked();
    let [Effect::SaveProfile { name, document }] = &effects[..] else { panic!("{effects:?} {}", driver.screen()) };
    assert_eq!(name, "new");
    assert!(document.contains("region = \"us-east-1\""), "the environment filled the region: {document}");
    driver.send(Msg::ProfileSaved { name: "new".into(), result: Ok("/x/new.toml".into()), profiles: vec![] });
    let choice = RunChoice { target: Target::Named("new".into()), only: vec![] };
    assert!(driver.asked().contains(&Effect::StartRun { run: 0, choice }));
    assert!(driver.model.layers.is_empty());
}

#[test]
fn an_existing_profile_is_written_over_only_after_a_question() {
    let mut driver = Driver::start();
    driver.press("+<enter><ctrl-u>prod-aws<tab><tab>arn:aws:iam::123456789012:role/x");
    driver.asked();
    driver.press("<ctrl-s>");
    assert!(driver.asked().is_empty());
    assert!(matches!(driver.model.layers.last(), Some(Layer::Confirm(_))));
    driver.press("<enter>");
    assert!(driver.asked().is_empty() && matches!(driver.model.layers.last(), Some(Layer::Form(_))));
    driver.press("<ctrl-s>y");
    assert!(matches!(&driver.asked()[..], [Effect::SaveProfile { .. }]));
}

#[test]
fn the_palette_finds_commands_and_says_why_one_cannot_be_used() {
    let mut driver = Driver::failed();
    driver.press(":");
    driver.press("waterfall<enter>");
    assert!(driver.shows("Waterfall"), "{}", driver.screen());
    let mut driver = Driver::start();
    driver.press(":run the same");
    assert!(driver.shows("not now: nothing has run yet"), "{}", driver.screen());
}

#[test]
fn help_holds_every_command_of_the_screen() {
    let mut driver = Driver::failed();
    driver.resize(140, 90).press("?");
    let screen = driver.screen();
    for command in COMMANDS {
        if command.scopes.iter().any(|s| matches!(s, Scope::Main | Scope::Always | Scope::On(Screen::Handshake))) {
            assert!(screen.contains(command.doc), "{}: {screen}", command.name);
        }
    }
}

#[test]
fn filters_narrow_lists_and_esc_takes_one_step_at_a_time() {
    let mut driver = Driver::failed();
    driver.press("/issuer<enter>");
    assert!(driver.shows("with `issuer`"), "{}", driver.screen());
    driver.press("n<tab>");
    driver.press("<esc>");
    assert!(driver.model.here().list.filter.is_empty());
    assert_eq!(driver.model.selected_check(), Some(CheckId::IssuerTls), "what was found stays selected");
    driver.press("<tab>/nothing like it<esc>");
    assert_eq!(driver.model.selected_check(), Some(CheckId::IssuerTls), "what was selected is again");
    driver.press("<tab>");
    driver.press("<esc>");
    assert_eq!(driver.model.screen, Screen::Handshake);
    driver.press("<esc>");
    assert_eq!(driver.model.screen, Screen::Start);
}

#[test]
fn a_recording_is_read_only() {
    let replay = Replay { name: "run.ndjson".into(), events: sample::failing(), truncated: false };
    let mut driver = Driver::with(Default::default(), Opening::Replay(replay), (80, 24));
    assert!(driver.shows("sub-mismatch"));
    assert!(driver.shows("read-only"));
    driver.asked();
    driver.press("reL+0Wi").send(paste(TOKEN));
    assert!(driver.asked().is_empty());
    assert_eq!(driver.model.runs.list.len(), 1);
    assert_eq!(driver.model.next_wake(), driver.model.toast.as_ref().map(|t| t.until_ms));
}

#[test]
fn clicks_focus_select_and_open_and_the_wheel_scrolls() {
    let mut driver = Driver::failed();
    let before = driver.model.selected_check();
    driver.click(10, 4);
    assert_ne!(driver.model.selected_check(), before);
    driver.send(Msg::Pointer(Pointer { column: 10, row: 18, act: PointerAct::WheelDown }));
    let tab = trustline::tui::layout::tabs(&driver.model).into_iter().find(|(s, ..)| *s == Screen::Log).unwrap();
    driver.click(tab.1 + 1, 2);
    assert_eq!(driver.model.screen, Screen::Log);
}

#[test]
fn dragging_copies_what_is_seen_within_one_pane_and_no_click_comes_of_it() {
    let mut driver = Driver::failed();
    driver.press("3<tab>").resize(140, 45);
    let screen = driver.screen();
    let rows: Vec<&str> = screen.lines().collect();
    let detail = trustline::tui::layout::compute(&driver.model).detail_inner();
    let (shown, screen_before) = (driver.model.screen, driver.model.here().clone());
    driver.asked();
    // From inside the details far over their right edge, a line further down.
    driver.drag((detail.x, detail.y), (139, detail.y + 1));
    let wanted = |row: u16| {
        let line: String = rows[usize::from(row)].chars().skip(detail.x.into()).take(detail.width.into()).collect();
        line.trim_end().to_owned()
    };
    let text = format!("{}\n{}", wanted(detail.y), wanted(detail.y + 1));
    assert_eq!(driver.asked(), [Effect::Copy { text: text.trim_matches('\n').to_owned() }]);
    assert_eq!((driver.model.screen, driver.model.here()), (shown, &screen_before), "nothing was clicked");
    // Some terminals tell where the mouse went only when the button is let go.
    let at = |column, row, act| Msg::Pointer(Pointer { column, row, act });
    driver.send(at(detail.x, detail.y, PointerAct::Press));
    driver.send(at(139, detail.y + 1, PointerAct::Release));
    assert_eq!(driver.asked(), [Effect::Copy { text: text.trim_matches('\n').to_owned() }]);
    // While it is dragged, what is selected is seen; a key ends it.
    let plain = driver.buffer();
    driver.send(at(detail.x, detail.y, PointerAct::Press));
    assert_eq!(driver.buffer(), plain, "a press alone shows nothing");
    driver.send(at(detail.x + 5, detail.y, PointerAct::Drag));
    let changed = plain.diff(&driver.buffer()).len();
    assert_eq!(changed, 6, "six cells look otherwise");
    driver.press("<esc>");
    driver.send(at(detail.x + 5, detail.y, PointerAct::Release));
    assert!(driver.asked().iter().all(|effect| !matches!(effect, Effect::Copy { .. })));
    // Nor is anything copied that is blank, or that lies on a border.
    driver.drag((0, 0), (60, 0));
    assert!(driver.asked().iter().all(|effect| !matches!(effect, Effect::Copy { .. })));
}

#[test]
fn what_is_typed_unseen_is_not_copied_by_dragging() {
    let mut driver = Driver::start();
    driver.press("3i").send(paste(TOKEN));
    let layer = trustline::tui::layout::compute(&driver.model).layer_inner();
    driver.asked();
    driver.drag((layer.x, layer.y), (layer.right() - 1, layer.bottom() - 1));
    let copied = driver.asked();
    assert!(
        matches!(&copied[..], [Effect::Copy { text }] if text.contains("characters") && !text.contains("eyJ")),
        "{copied:?}"
    );
}

#[test]
fn nothing_wakes_the_console_while_nothing_moves() {
    let driver = Driver::start();
    assert_eq!(driver.model.next_wake(), None);
    let mut driver = Driver::failed();
    let next = driver.model.next_wake();
    assert_eq!(next, Some(sample::NOW_MS + 1000), "the countdown wakes it once a second");
    driver.send(Msg::Now(sample::NOW_MS + 1000));
    assert!(driver.shows("token 41:06 left"), "{}", driver.screen());
}

#[test]
fn hostile_text_appears_as_visible_escapes() {
    let mut driver = Driver::failed();
    driver.press("3").resize(140, 45);
    let screen = driver.screen();
    assert!(screen.contains("\\u{1b}[2J\\u{202e}\\u{200b}"), "{screen}");
    assert!(!screen.contains(['\u{1b}', '\u{202e}', '\u{200b}', '\u{9b}']));
}

#[test]
fn privacy_hides_subjects_accounts_and_hosts_on_every_screen() {
    let mut driver = Driver::failed();
    driver.resize(140, 45).press("p");
    for keys in ["2", "g", "3", "4", "6", "2w", "H<esc>", "1", "1j", "1G"] {
        driver.press(keys);
        let screen = driver.screen();
        for secret in ["7f3e81c4", "app.example.com", "203.0.113.7", "9d20c1a0"] {
            assert!(!screen.contains(secret), "{keys}: {secret} in\n{screen}");
        }
    }
}
