//! Every screen of the console and every layer on top of it, with secrets in reach: what is drawn frame by frame, what is
//! copied, and what is written.

use std::fs;
use std::time::Duration;

use trustline::domain::rotation::Verdict;

use super::super::pty::screen::Screen;
use super::planted::{Cloud, Manner, NEW_VALUE, SECRET_KEY, SESSION_TOKEN, TALKATIVE, found};

const SIZE: (u16, u16) = (140, 45);
/// How long nothing is drawn once all is drawn; a countdown draws once a second.
const QUIET: Duration = Duration::from_millis(120);
/// A secret that is broken over lines shows its beginning or its end whole.
const PIECE: usize = 16;
/// The keys of the screens that show a run, in their order.
const SCREENS: [&str; 6] = ["1", "2", "3", "4", "5", "6"];
/// What is done on each: down the rows, into the details, the layers, all that can be taken away.
const EVERYWHERE: &[&str] = &[
    "j", "j", "l", "J", "G", "h", "g", "z", "z", "p", "p", "u", "y", "Y", "\r", "Y", "j\r", "Y", "jj\r", "Y", "G\r",
    "x", "\r", "x", "j\r", "?", "\x1b", ":", "copy", "\x1b", "/can", "\x1b", "H", "\x1b",
];

/// A console under test, and what it could tell.
struct Walk<'a> {
    cloud: &'a Cloud,
    screen: Screen,
}

impl Walk<'_> {
    fn begin(cloud: &Cloud) -> Walk<'_> {
        let arguments = cloud.arguments();
        let mut arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        arguments.extend(["--clipboard", "osc52"]);
        let talkative = TALKATIVE.map(|(name, value)| (name, Some(value)));
        let screen = Screen::with_environment(&talkative, &arguments, SIZE);
        screen.wait_for("the run has ended", |text| {
            ["passed", "failed", "inconclusive"].iter().any(|w| text.contains(w))
        });
        Walk { cloud, screen }
    }

    fn keys(&mut self, keys: &[&str]) {
        for keys in keys {
            self.screen.send(keys);
            while self.screen.bytes_within(QUIET) > 0 {}
        }
    }

    fn paste(&mut self, text: &str) {
        self.keys(&[&format!("\x1b[200~{text}\x1b[201~")]);
    }

    /// Ends, and says what of the secrets was shown, copied or written.
    fn leaks(mut self) -> Vec<String> {
        self.keys(&["\x1b", "\x1b", "q"]);
        self.screen.ended();
        let raw = self.screen.raw();
        let mut left = vec![("the terminal".to_owned(), raw.clone().into_bytes())];
        left.extend(frames(&raw).into_iter().map(|frame| ("a frame".to_owned(), frame.into_bytes())));
        let copied = self.screen.copied();
        assert!(copied.len() >= 10, "{} copies", copied.len());
        // The same search finds what is shown.
        let shown: Vec<u8> = left.iter().flat_map(|(_, frame)| frame.iter().copied()).collect();
        let name = [("the subject", "organization:6f1d2c3b".to_owned())];
        assert!(!found(&shown, &name).is_empty(), "the search finds nothing at all");
        left.extend(copied.into_iter().map(|bytes| ("the clipboard".to_owned(), bytes)));
        let mut files = super::files(self.screen.folder());
        assert!(files.len() >= 4, "exports: {files:?}");
        files.extend(["profile.toml", "profile.drafts.json"].map(|name| self.cloud.lab.folder.join(name)));
        left.extend(files.into_iter().filter_map(|path| Some((path.display().to_string(), fs::read(&path).ok()?))));
        let secrets = with_pieces(self.cloud.secrets());
        // One search over all of it costs least; where it is stands in the message.
        let all: Vec<&[u8]> = left.iter().map(|(_, bytes)| bytes.as_slice()).collect();
        if found(&all.join(&b"\n"[..]), &secrets).is_empty() {
            return Vec::new();
        }
        let hits = |(place, bytes): &(String, Vec<u8>)| {
            let show = if place == "a frame" { String::from_utf8_lossy(bytes).into_owned() } else { String::new() };
            let hits = found(bytes, &secrets);
            hits.into_iter().map(|hit| format!("{place} holds {hit}\n{show}")).collect::<Vec<_>>()
        };
        left.iter().flat_map(hits).collect()
    }
}

fn with_pieces(secrets: Vec<(&'static str, String)>) -> Vec<(&'static str, String)> {
    let pieces = |(name, secret): &(&'static str, String)| {
        let from = secret.len().saturating_sub(PIECE);
        (secret.len() > 2 * PIECE).then(|| [(*name, secret[..PIECE].to_owned()), (*name, secret[from..].to_owned())])
    };
    let pieces: Vec<_> = secrets.iter().filter_map(pieces).flatten().collect();
    [secrets, pieces].concat()
}

/// The screen after each drawing.
fn frames(raw: &str) -> Vec<String> {
    const DRAWN: &str = "\x1b[?2026l";
    let mut parser = vt100::Parser::new(SIZE.1, SIZE.0, 0);
    raw.split_inclusive(DRAWN)
        .map(|bytes| {
            parser.process(bytes.as_bytes());
            parser.screen().contents()
        })
        .collect()
}

fn walk(cloud: &Cloud) -> Vec<String> {
    let mut walk = Walk::begin(cloud);
    for screen in SCREENS {
        walk.keys(&[screen]);
        walk.keys(EVERYWHERE);
    }
    let token = cloud.lab.token();
    walk.keys(&["2", "w", "w", "r", "e", "\x1b", "D", "j", "Y", "\r", "G", "y", "Y", "\r", "x", "\r", "\x1b", "\x1b"]);
    walk.keys(&["3", "v", "i"]);
    walk.paste(&format!("Bearer {token}\r\n"));
    walk.keys(&["v", "y", "Y", "\r"]);
    walk.keys(&["\x7f", "i", &token[..token.len() - 30], "\x1b", "i", &token, "\r"]);
    // What a person has at hand while following a guide, pasted where values are taken and into a field.
    let answer = format!(
        "{{\"Credentials\": {{\"AccessKeyId\": \"ASIACANARY0000000001\", \"SecretAccessKey\": \"{SECRET_KEY}\", \
         \"SessionToken\": \"{SESSION_TOKEN}\"}}}}"
    );
    for pasted in [token.as_str(), &answer, &format!("password = {NEW_VALUE}")] {
        walk.keys(&["1", "i"]);
        walk.paste(pasted);
        walk.keys(&["\r", "\x1b", "\x1b"]);
    }
    walk.keys(&["1", "e"]);
    walk.paste(&token);
    walk.keys(&["\t", "\x1b", "\x1b", "6", "G", "Y", "G\r", "0", "j", "j", "?", "\x1b"]);
    walk.leaks()
}

#[test]
fn no_screen_and_no_layer_shows_copies_or_writes_a_secret() {
    let clouds = [
        Cloud::aws(Manner::Well),
        Cloud::aws(Manner::Quotes),
        Cloud::azure(Manner::Well),
        Cloud::azure(Manner::QuotesLater),
    ];
    let leaks: Vec<String> = std::thread::scope(|scope| {
        let walks: Vec<_> = clouds.iter().map(|cloud| scope.spawn(|| walk(cloud))).collect();
        walks.into_iter().flat_map(|walk| walk.join().unwrap()).collect()
    });
    assert!(leaks.is_empty(), "{} leaks; the first:\n{}", leaks.len(), leaks[0]);
}

/// Rotates by a value that is half typed and half pasted, takes away all that can be, ends, and says what showed of it.
fn rotated(mut screen: Screen, is_over: impl Fn(&str) -> bool, secrets: Vec<(&'static str, String)>) -> Vec<String> {
    screen.wait_for("the run has ended", |text| ["passed", "failed"].iter().any(|word| text.contains(word)));
    screen.send("5");
    screen.wait("Rotate a secret, then prove");
    screen.send("R");
    screen.wait("who writes the new value?");
    screen.send("j\r");
    screen.wait("how is the running automation seen?");
    screen.send("\r");
    screen.wait("The new value of");
    // A line break that is pasted is left out.
    let (typed, pasted) = NEW_VALUE.split_at(9);
    screen.send(typed);
    screen.send(&format!("\x1b[200~{pasted}\n\x1b[201~"));
    screen.wait("the line break at its end was left out");
    screen.send("\r");
    screen.wait("To agree, type ");
    let text = screen.text();
    let asked = text.lines().find_map(|line| line.split_once("To agree, type ")).map(|(_, asked)| asked).unwrap();
    screen.send(&format!("{}\r", asked.trim_end_matches(['│', ' '])));
    let waits = |text: &str| text.contains("waiting for the new version");
    screen.wait_for("it is over, or waits", |text| is_over(text) || waits(text));
    if waits(&screen.text()) {
        screen.send("f");
    }
    screen.wait_for("it is over", is_over);
    for keys in ["o", "e", "Y", "\r", "y", "x", "\r", "x", "j\r", "6", "G", "Y", "G\r", "q", "q"] {
        screen.send(keys);
        while screen.bytes_within(QUIET) > 0 {}
    }
    screen.ended();
    let raw = screen.raw();
    let mut left: Vec<Vec<u8>> = frames(&raw).into_iter().map(String::into_bytes).collect();
    left.extend(screen.copied());
    left.push(raw.into_bytes());
    let files = super::files(screen.folder());
    assert!(files.iter().any(|path| path.to_str().unwrap().contains("evidence")), "{files:?}");
    left.extend(files.iter().map(|path| fs::read(path).unwrap()));
    assert!(!found(&left.concat(), &[("", "crewai-test-keyword".to_owned())]).is_empty());
    found(&left.concat(), &with_pieces(secrets))
}

#[test]
fn a_value_that_is_typed_into_the_console_shows_nowhere() {
    for (scenario, verdict) in [("healthy", "PROPAGATED"), ("rotation-newline", "NEAR MISS"), ("azure", "PROPAGATED")] {
        let screen = Screen::trustline(&["--lab", scenario, "--clipboard", "osc52"], SIZE);
        let secrets = vec![("the secret's new value", NEW_VALUE.to_owned())];
        let leaks = rotated(screen, |text| text.to_uppercase().contains(verdict), secrets);
        assert!(leaks.is_empty(), "{scenario}: {}", leaks.join("\n"));
    }
}

#[test]
fn a_value_that_is_typed_over_a_cloud_that_quotes_it_shows_nowhere() {
    let is_over = |text: &str| {
        let verdicts = Verdict::ALL.iter().map(|verdict| format!("{} · ", verdict.id().replace('-', " ")));
        verdicts.into_iter().any(|verdict| text.contains(&verdict))
    };
    for manner in [Manner::Well, Manner::QuotesWrites] {
        let cloud = Cloud::aws(manner);
        let arguments = cloud.arguments();
        let mut arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        arguments.extend(["--clipboard", "osc52"]);
        let operator = cloud.lab.file("secrets-admin-credentials");
        let mut environment = TALKATIVE.map(|(name, value)| (name, Some(value))).to_vec();
        environment
            .extend([("AWS_SHARED_CREDENTIALS_FILE", Some(operator.as_str())), ("AWS_PROFILE", Some("secrets-admin"))]);
        let screen = Screen::with_environment(&environment, &arguments, SIZE);
        let leaks = rotated(screen, is_over, cloud.secrets());
        assert!(leaks.is_empty(), "{manner:?}: {}", leaks.join("\n"));
    }
}

#[test]
fn a_value_that_is_typed_at_a_prompt_shows_nowhere() {
    let folder = tempfile::tempdir().unwrap();
    let evidence = folder.path().join("evidence.json");
    let arguments = ["rotate", "--lab", "--put", "--kickoff", "--evidence", evidence.to_str().unwrap()];
    let mut screen = Screen::trustline(&arguments, SIZE);
    screen.wait("To go on, type: crewai-test-keyword 123456789012");
    screen.send("crewai-test-keyword 123456789012\r");
    screen.wait("New value (it is not shown):");
    screen.send(&format!("{NEW_VALUE}\r"));
    screen.wait("PROPAGATED");
    assert_eq!(screen.ended(), 0);
    let mut left = vec![screen.raw().into_bytes()];
    left.extend(
        super::files(folder.path()).iter().chain(&super::files(screen.folder())).map(|path| fs::read(path).unwrap()),
    );
    assert!(left.len() >= 3, "the evidence and its twin: {}", left.len());
    let secrets = with_pieces(vec![("the secret's new value", NEW_VALUE.to_owned())]);
    let leaks: Vec<String> = left.iter().flat_map(|bytes| found(bytes, &secrets)).collect();
    assert!(leaks.is_empty(), "{}", leaks.join("\n"));
}
