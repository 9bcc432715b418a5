//! Every terminal there is, and none: any size, any `TERM`, no UTF-8, one that takes nothing, one that goes away; and a
//! machine on which nothing is set up.

mod day;
mod streams;

use nix::sys::signal::Signal;

use super::pty::screen::Screen;

const USUAL: (u16, u16) = (80, 24);

/// Everything below the first line, whose countdown runs.
fn below_header(screen: &Screen) -> String {
    screen.text().lines().skip(1).collect::<Vec<_>>().join("\n")
}

#[test]
fn a_storm_of_resizes_while_a_run_goes_on_leaves_the_screen_as_drawn_anew() {
    let mut screen = Screen::trustline(&["--lab", "sub-mismatch"], USUAL);
    for round in 0..400_u16 {
        let size = match round % 5 {
            0 => (1, 1),
            1 => (2 + round % 7, 60),
            2 => (300, 2),
            3 => (40 + round % 100, 10 + round % 50),
            _ => (140, 45),
        };
        screen.resize(size);
    }
    screen.resize((100, 30));
    screen.wait_for("the run's end, drawn at the last size", |text| {
        let frame = text.lines().nth(28).unwrap_or_default();
        frame.starts_with('└') && frame.ends_with('┘') && frame.chars().count() == 100 && text.contains("2 failed")
    });
    let after_the_storm = below_header(&screen);
    screen.send("?");
    screen.wait("Help");
    screen.send("\x1b");
    screen.wait("proven by trust.policy");
    screen.send("\x0c");
    screen.wait_for("the screen as before", |text| {
        text.lines().skip(1).collect::<Vec<_>>().join("\n") == after_the_storm
    });
    screen.send("q");
    assert_eq!(screen.ended(), 1);
    screen.assert_given_back();
}

#[test]
fn it_opens_at_any_size_takes_every_key_and_grows_with_the_terminal() {
    for size in [(1, 1), (2, 1), (1, 50), (200, 1), (59, 15), (0, 0), (4000, 3)] {
        let mut screen = Screen::trustline(&[], size);
        if size == (0, 0) {
            // One that does not tell its size is taken for a usual one.
            screen.wait("Try it in the lab");
        }
        screen.send("12w4 \t?jq123");
        screen.resize(USUAL);
        screen.wait("There is no token yet");
        screen.send("q");
        assert_eq!(screen.ended(), 0, "{size:?}");
        screen.assert_given_back();
    }
}

#[test]
fn a_dumb_terminal_is_told_what_to_do_instead_and_any_other_is_used() {
    let mut screen = Screen::with_environment(&[("TERM", Some("dumb"))], &[], USUAL);
    assert_eq!(screen.ended(), 2);
    assert!(screen.text().contains("trustline check"), "{}", screen.text());
    assert!(!screen.raw().contains('\x1b'), "{:?}", screen.raw());
    for term in [None, Some(""), Some("nonsense"), Some("vt100"), Some("linux"), Some("xterm-256color")] {
        let mut screen = Screen::with_environment(&[("TERM", term)], &[], USUAL);
        screen.wait("Try it in the lab");
        screen.send("q");
        assert_eq!(screen.ended(), 0, "{term:?}");
        screen.assert_given_back();
    }
}

#[test]
fn colours_are_of_the_sixteen_and_never_in_the_form_that_eight_colours_take_for_something_else() {
    let mut screen = Screen::with_environment(&[("TERM", Some("linux"))], &["--lab", "sub-mismatch"], USUAL);
    screen.wait("2 failed");
    screen.send("q");
    assert_eq!(screen.ended(), 1);
    let raw = screen.raw();
    assert!(raw.contains("\x1b[0;1;91m"), "bad is light red: {raw:?}");
    assert!(!raw.contains("38;5") && !raw.contains("48;5") && !raw.contains("38;2"), "{raw:?}");
}

#[test]
fn without_utf8_everything_is_drawn_in_ascii() {
    for locale in [("LC_ALL", "C"), ("LC_CTYPE", "POSIX"), ("LANG", "de_DE.ISO-8859-1")] {
        let changed = [("LANG", None), (locale.0, Some(locale.1))];
        let mut screen = Screen::with_environment(&changed, &["--lab", "sub-mismatch"], (100, 30));
        screen.wait("2 failed");
        for (key, shown) in [("1", "Guide"), ("3", "expects"), ("4", "proven"), ("6", "done after"), ("?", "Help")] {
            screen.send(key);
            screen.wait(shown);
        }
        screen.send("\x1b");
        screen.wait_for("the help is closed", |text| !text.contains("what can be done here"));
        screen.send("2w");
        screen.wait("Waterfall");
        screen.send("q");
        assert_eq!(screen.ended(), 1);
        let raw = screen.raw();
        let foreign: String = raw.chars().filter(|c| !c.is_ascii()).collect();
        assert!(foreign.is_empty(), "{locale:?}: {foreign}");
    }
}

#[test]
fn a_terminal_that_takes_nothing_holds_nothing_up() {
    let mut screen = Screen::trustline(&["--lab", "sub-mismatch"], (200, 60));
    screen.wait("2 failed");
    screen.pause();
    let before = screen.resident_kib();
    // Every key draws another screen; far more than any buffer on the way holds.
    for _ in 0..100 {
        for key in ["2", "4", "6", "3"] {
            screen.send(key);
        }
        screen.resize((199, 59));
        screen.resize((200, 60));
    }
    screen.go_on();
    screen.send("6");
    screen.wait("done after");
    let grown = screen.resident_kib().saturating_sub(before);
    assert!(grown < 16 * 1024, "{grown} KiB more");
    screen.send("4");
    screen.wait("proven by");

    screen.pause();
    for _ in 0..100 {
        screen.send("2436");
    }
    screen.send("q");
    assert_eq!(screen.gone(), 1, "quits when asked");
}

#[test]
fn a_terminal_that_takes_nothing_does_not_keep_a_signal_from_ending_it() {
    let mut screen = Screen::trustline(&["--lab", "sub-mismatch"], (200, 60));
    screen.wait("2 failed");
    screen.pause();
    for _ in 0..100 {
        screen.send("2436");
    }
    screen.signal(Signal::SIGTERM);
    assert_eq!(screen.gone(), 143);
}

#[test]
fn it_ends_when_the_terminal_goes_away() {
    for arguments in [&["--lab", "sub-mismatch"][..], &["--lab", "sub-mismatch", "--no-animation"]] {
        let mut screen = Screen::trustline(arguments, USUAL);
        screen.wait("2 failed");
        screen.hang_up();
        assert_ne!(screen.gone(), 0);
    }
    // A shell that keeps the signal from its children leaves the end of the terminal itself.
    let mut screen = Screen::shell("trap '' HUP; exec \"$0\" --lab sub-mismatch", USUAL);
    screen.wait("2 failed");
    screen.hang_up();
    assert_ne!(screen.gone(), 0);
}

#[test]
fn with_a_terminal_but_no_input_it_says_what_to_do_instead() {
    for line in ["exec \"$0\" < /dev/null", "exec \"$0\" <&-"] {
        let mut screen = Screen::shell(line, USUAL);
        assert_eq!(screen.ended(), 2, "{line}");
        let told = screen.text();
        assert!(told.contains("standard input is no terminal") && told.contains("trustline check"), "{line}: {told}");
        assert!(!screen.raw().contains('\x1b'), "{line}");
    }
}

#[test]
fn one_that_is_left_before_its_first_verdict_could_not_tell() {
    // Nothing answers there.
    let silent = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let issuer = format!("issuer.url=https://{}", silent.local_addr().unwrap());
    let mut screen = Screen::trustline(&["--set", "guide=aws-workload-identity", "--set", &issuer], USUAL);
    screen.wait("running");
    screen.send("q");
    assert_eq!(screen.ended(), 3, "{}", screen.text());
    assert!(screen.text().contains("UNFINISHED"), "{}", screen.text());
    screen.assert_given_back();
}

#[test]
fn one_of_several_profiles_is_picked_from_the_start() {
    let folder = tempfile::tempdir().unwrap();
    let profiles = folder.path().join("profiles");
    std::fs::create_dir(&profiles).unwrap();
    for name in ["alpha", "beta", "gamma"] {
        let text = "guide = \"aws-static\"\n[aws]\nregion = \"us-east-1\"\n[secret]\nname = \"s\"\n";
        std::fs::write(profiles.join(format!("{name}.toml")), text).unwrap();
    }
    let changed = [("TRUSTLINE_CONFIG_DIR", folder.path().to_str())];
    let mut screen = Screen::with_environment(&changed, &[], USUAL);
    screen.wait("3 profiles");
    screen.wait("Your profiles");
    screen.send("\r");
    screen.wait("gamma");
    screen.send("j\r");
    screen.wait_for("the second is checked", |text| text.lines().next().is_some_and(|line| line.contains("beta")));
    screen.send("q");
    screen.ended();
    screen.assert_given_back();
}

#[test]
fn it_opens_on_a_machine_where_nothing_is_set_up() {
    let homeless = [("HOME", None), ("TRUSTLINE_CONFIG_DIR", None)];
    let unwritable = [("HOME", Some("/dev/null")), ("TRUSTLINE_CONFIG_DIR", None)];
    for changed in [homeless, unwritable] {
        let mut screen = Screen::with_environment(&changed, &[], USUAL);
        screen.wait("Try it in the lab");
        screen.send("L");
        screen.wait("leads to sub-mismatch");
        screen.send("\r");
        screen.wait("2 failed");
        assert!(!screen.text().contains("Warning"), "{}", screen.text());
        screen.send("q");
        assert_eq!(screen.ended(), 1, "{changed:?}");
        screen.assert_given_back();
    }
}
