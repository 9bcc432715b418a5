//! Rows that are drawn in place while a command works: what stands on the terminal meanwhile, and that only the report stays.

use std::net::TcpListener;

use super::screen::Screen;

/// What only the live rows say.
const ROWS: &str = " checks \u{b7} ";
const CHECK: &str = "check --lab sub-mismatch --only issuer.jwks,trust.policy --delay-ms 400";

/// The pictures of what goes on.
const SPINNER: &[char] = &['\u{280b}', '\u{2819}', '\u{2839}', '\u{2838}', '\u{283c}', '\u{2834}', '\u{2826}'];

/// The words of the report that stays, without what differs from run to run: numbers, times, folders.
fn report(text: &str) -> Vec<String> {
    let words = text.split_whitespace().filter(|word| !word.contains("trustline-lab-"));
    let words = words.map(|word| word.replace(|c: char| c.is_ascii_digit() || c == '.', ""));
    words.filter(|word| !["", "s", "ms"].contains(&word.as_str())).collect()
}

#[test]
fn a_check_shows_its_rows_as_they_change_and_leaves_the_report_alone() {
    for (columns, environment) in [(80, None), (40, Some(("NO_COLOR", Some("1"))))] {
        let changed: Vec<_> = environment.into_iter().collect();
        let arguments: Vec<&str> = CHECK.split(' ').collect();
        let mut screen = Screen::with_environment(&changed, &arguments, (columns, 60));
        assert_eq!(screen.ended(), 1, "{}", screen.text());
        let (raw, text) = (screen.raw(), screen.text());
        assert!(raw.contains(ROWS) && raw.contains(SPINNER), "rows and a spinner in {raw}");
        assert_eq!(text.matches("signing keys are published").count(), 1, "{text}");
        assert!(text.starts_with("lab-sub-mismatch") && !text.contains(ROWS), "{text}");
        assert!(text.contains("FAIL"), "{text}");
        assert_eq!(raw.contains("\u{1b}[1;91m"), environment.is_none(), "colours");
        assert!(!raw.contains("\u{1b}[?25l") && !raw.contains("\u{1b}[?1049h"), "no mode is changed");
        screen.assert_modes_given_back();
    }
}

#[test]
fn nothing_is_drawn_where_nobody_looks_and_the_report_is_the_same() {
    let quiet = |setting: &str, more: &str| {
        let mut screen = Screen::shell(&format!("{setting} $0 {CHECK} {more}"), (80, 60));
        screen.ended();
        assert!(!screen.raw().contains(ROWS), "{setting} {more}: {}", screen.raw());
        screen.text()
    };
    let arguments: Vec<&str> = CHECK.split(' ').collect();
    let mut live = Screen::trustline(&arguments, (80, 60));
    live.ended();
    assert_eq!(report(&quiet("CI=true", "")), report(&live.text()));
    assert_eq!(report(&quiet("TERM=dumb", "")), report(&live.text()));
    quiet("", "--output json");
    let redirected = quiet("", "> report.txt; echo; cat report.txt");
    assert!(redirected.contains("FAIL"), "{redirected}");
    quiet("", "2> /dev/null");
}

#[test]
fn an_interrupted_check_leaves_its_report_and_the_terminal_as_it_was() {
    let arguments = ["check", "--lab", "healthy", "--delay-ms", "60000", "--timeout", "600"];
    let mut screen = Screen::trustline(&arguments, (80, 24));
    screen.wait_written(ROWS);
    // What moves still goes on in its place after the terminal has got another size.
    screen.resize((50, 20));
    let drawn = screen.raw().matches(ROWS).count();
    screen.wait_written_again(ROWS, drawn);
    screen.send("\u{3}");
    assert_eq!(screen.ended(), 130);
    let text = screen.text();
    assert!(text.contains("interrupted") && !text.contains(ROWS), "{text}");
    screen.assert_modes_given_back();
}

#[test]
fn what_is_waited_for_is_told_in_its_row() {
    let arguments = ["check", "--lab", "role-propagation", "--wait", "30"];
    let mut screen = Screen::trustline(&arguments, (100, 60));
    screen.wait_written("attempt 2 in ");
    assert_eq!(screen.ended(), 0, "{}", screen.text());
    assert!(!screen.text().contains("attempt 2 in"), "{}", screen.text());
}

#[test]
fn of_many_profiles_each_has_a_row() {
    // Takes what is sent, and never answers.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let issuer = format!("https://{}", silent.local_addr().unwrap());
    let profile = format!("guide = \"aws-workload-identity\"\n[issuer]\nurl = \"{issuer}\"\n");
    let arguments = ["check", "--all", "--only", "issuer.discovery", "--timeout", "3"];
    let mut screen =
        Screen::with_profile(&profile, &[("profiles/broken.toml", "guide = 3\n")], &arguments, &[], (80, 40));
    screen.wait_written("1 of 2 profiles");
    screen.wait_written("cannot be checked");
    assert_eq!(screen.ended(), 2, "{}", screen.text());
    assert!(!screen.text().contains("of 2 profiles \u{b7}"), "{}", screen.text());
}

#[test]
fn a_rotation_tells_what_it_waits_for_below_what_has_happened() {
    let mut screen = Screen::trustline(&["rotate", "--lab", "healthy"], (100, 40));
    screen.wait("waiting for a new version \u{b7} ");
    screen.wait("not written yet");
    screen.wait("now, for example with");
    screen.send("\u{3}");
    assert_eq!(screen.ended(), 130, "{}", screen.text());
    assert!(!screen.text().contains("not written yet"), "{}", screen.text());
    screen.assert_modes_given_back();
}
