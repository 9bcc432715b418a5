//! The console as lines: what a screen reader's user reads and types, from the start to a fix, with no escape sequence at all.

use super::screen::Screen;
use super::{CLAIMS, HEAD, SIGNATURE};

const SIZE: (u16, u16) = (100, 60);

fn opened(arguments: &[&str]) -> Screen {
    let screen = Screen::trustline(&[&["--screen-reader"], arguments].concat(), SIZE);
    screen.wait_written("quit leaves");
    screen
}

/// The number before a row with these words, as it was printed last.
fn number(screen: &Screen, words: &str) -> String {
    screen.wait_written(words);
    let raw = screen.raw();
    let numbers = raw.lines().filter(|line| line.contains(words)).filter_map(|line| line.split_once(". "));
    let mut numbers = numbers.map(|(number, _)| number.trim()).filter(|number| number.parse::<u16>().is_ok());
    numbers.next_back().unwrap_or_else(|| panic!("no number before {words}: {raw}")).to_owned()
}

fn left(mut screen: Screen, status: u32) {
    screen.send("quit\r");
    assert_eq!(screen.ended(), status, "{}", screen.raw());
    assert!(!screen.raw().contains('\u{1b}'), "{:?}", screen.raw());
    screen.assert_modes_given_back();
}

#[test]
fn from_the_start_over_the_lab_to_a_cause_and_its_fix() {
    let mut screen = opened(&[]);
    let lab = number(&screen, "Try it in the lab");
    screen.send(&format!("{lab}\r"));
    screen.wait_written("Lab: pick what is broken");
    screen.wait_written("more goes on");
    screen.send("sub-mismatch\r");
    screen.wait_written("only rows with: sub-mismatch");
    let scenario = number(&screen, " (sub-mismatch)");
    screen.send(&format!("{scenario}\r"));
    screen.wait_written("failed: trust policy accepts the token, the role's trust policy does not accept");
    screen.wait_written("lab: sub-mismatch: ");
    screen.wait_written("2 failed");
    screen.send("findings\r");
    let finding = number(&screen, "failed: the role's trust policy does not accept this subject");
    screen.send(&format!("{finding}\r"));
    screen.wait_written("sub-mismatch, proven by trust.policy");
    screen.send("fix\r");
    screen.wait_written("The fix: nothing of it is run from here");
    screen.wait_written("aws iam update-assume-role-policy");
    screen.send("copy\r");
    screen.wait_written("To copy, ");
    screen.send("handshake\r");
    screen.wait_written("passed: signature is the issuer's");
    screen.send("rotation\r");
    screen.wait_written("not rotated here yet");
    screen.send("rotate\r");
    let way = number(&screen, "trustline, a value that it makes up");
    screen.send(&format!("{way}\r"));
    let runtime = number(&screen, "Not at all");
    screen.send(&format!("{runtime}\r"));
    screen.wait_written("To agree, type ");
    screen.send("something else\r");
    screen.wait_written("failed: type exactly: ");
    screen.send(".\r");
    left(screen, 1);
}

#[test]
fn an_error_text_is_explained_pasted_whole_or_as_a_line() {
    let mut screen = opened(&[]);
    screen.send("explain\r");
    screen.wait_written("A line with a dot alone ends it");
    screen.send("An error occurred (InvalidIdentityToken) when calling the AssumeRoleWithWebIdentity operation:\r");
    screen.send("No OpenIDConnect provider found in your account for https://app.example.com\r.\r");
    screen.wait_written("What causes this error");
    screen.wait_written("provider-missing");
    screen.send("close\r");
    let before = screen.raw().matches("AADSTS70021").count();
    assert_eq!(before, 0);
    screen.send("AADSTS700213: No matching federated identity record found for presented assertion subject 'x'\r");
    screen.wait_written_again("What causes this error", 1);
    screen.wait_written("sub-mismatch");
    screen.send("audit\r");
    screen.wait_written("The path of a file or a folder to audit");
    screen.send("nowhere.json\r");
    screen.wait_written("The audit could not be made");
    screen.send("issuer\r");
    screen.wait_written("Its URL, as tokens carry it");
    screen.send(".\r");
    screen.send("no such thing\r");
    screen.wait_written("help lists what can be done");
    screen.send("help\r");
    screen.wait_written("Help: what can be done here");
    left(screen, 0);
}

#[test]
fn the_steps_fields_are_asked_for_by_name_and_what_is_wrong_is_said() {
    let profile = "guide = \"aws-workload-identity\"\n[issuer]\nurl = \"https://127.0.0.1:9\"\n";
    let arguments = ["--screen-reader", "--profile", "walk"];
    let mut screen = Screen::with_profile(profile, &[], &arguments, &[], SIZE);
    screen.wait_written("walk: 1 failed, ");
    let step = number(&screen, "1 Find the platform's OIDC issuer URL");
    screen.send(&format!("{step}\r"));
    screen.wait_written("connect-refused, proven by issuer.reachable");
    screen.send("edit\r");
    screen.wait_written("issuer.url: ");
    screen.send("nonsense\r");
    screen.wait_written("is no http or https URL");
    screen.send("edit\r");
    screen.wait_written_again("issuer.url: ", 1);
    screen.send("https://issuer.example.com\r");
    screen.wait_file("profiles/walk.toml", "https://issuer.example.com");
    left(screen, 1);
}

#[test]
fn a_new_profile_is_made_field_by_field() {
    let mut screen = opened(&[]);
    screen.send("new-profile\r");
    let guide = number(&screen, "Azure, workload identity");
    screen.send(&format!("{guide}\r"));
    screen.wait_written("A number fills a field");
    screen.send("1\r");
    screen.wait_written("Empty leaves it so");
    screen.send("prod\r");
    screen.wait_written("save: Write the profile");
    screen.send("save\r");
    screen.wait_file("profiles/prod.toml", "azure-workload-identity");
    screen.wait_written(" skipped");
    left(screen, 3);
}

#[test]
fn a_token_is_typed_unseen_and_never_written_out() {
    let mut screen = opened(&[]);
    let token = number(&screen, "Look at a token");
    screen.send(&format!("{token}\r"));
    screen.wait_written("It is not shown and never leaves this machine");
    screen.wait_silent();
    screen.send(&format!("{HEAD}.{CLAIMS}.{SIGNATURE}\r"));
    screen.wait_written("https://i.example");
    screen.wait_written("token taken");
    for planted in [HEAD, CLAIMS, SIGNATURE] {
        assert!(!screen.raw().contains(planted), "{planted}");
    }
    left(screen, 0);
}

#[test]
fn what_is_imported_is_typed_unseen_and_the_terminal_shows_again_what_comes_next() {
    let profile = "guide = \"aws-workload-identity\"\n[issuer]\nurl = \"https://127.0.0.1:9\"\n";
    let mut screen = Screen::with_profile(profile, &[], &["--screen-reader", "--profile", "walk"], &[], SIZE);
    screen.wait_written("walk: 1 failed, ");
    screen.send("import\r");
    screen.wait_written("It is not shown. A line with a dot alone ends it");
    screen.wait_silent();
    screen.send(&format!("{HEAD}.{CLAIMS}.{SIGNATURE}\r.\r"));
    screen.wait_written("https://i.example");
    for planted in [HEAD, CLAIMS, SIGNATURE] {
        assert!(!screen.raw().contains(planted), "{planted}");
    }
    screen.wait_echoing();
    screen.send("words that are seen\r");
    screen.wait_written("words that are seen");
    left(screen, 1);
}

#[test]
fn the_environment_and_the_configuration_ask_for_it_and_a_pipe_is_enough() {
    let mut screen = Screen::with_config("screen-reader = true\n", &[], SIZE);
    screen.wait_written("Check a setup of yours");
    screen.send("q\r");
    assert_eq!(screen.ended(), 0);
    assert!(!screen.raw().contains('\u{1b}'));
    let script = "printf 'lab\\nquit\\n' | TRUSTLINE_SCREEN_READER=1 $0 | cat; TRUSTLINE_SCREEN_READER=1 $0 check --lab sub-mismatch --delay-ms 200";
    let mut screen = Screen::shell(script, SIZE);
    screen.ended();
    assert!(screen.raw().contains("Lab: pick what is broken") && screen.raw().contains("FAIL"), "{}", screen.raw());
    // Though nobody waited for the list before the next line came.
    assert!(screen.raw().contains("Issuer: reached, trusted, and says who it is"), "{}", screen.raw());
    assert!(!screen.raw().contains(" checks \u{b7} "), "no rows that move");
}
