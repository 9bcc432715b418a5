//! The keys in the documentation are those of the table of commands.

use std::fmt::Write as _;
use std::path::Path;

use trustline::tui::command::{COMMANDS, Scope, Screen};

const BEGIN: &str = "<!-- keys: begin -->\n";
const END: &str = "<!-- keys: end -->";

const SCOPES: &[Scope] = &[
    Scope::Main,
    Scope::On(Screen::Start),
    Scope::On(Screen::Guide),
    Scope::On(Screen::Handshake),
    Scope::On(Screen::Token),
    Scope::On(Screen::Findings),
    Scope::On(Screen::Rotation),
    Scope::On(Screen::Log),
    Scope::On(Screen::Events),
    Scope::On(Screen::Audit),
    Scope::Picker,
    Scope::Reader,
    Scope::Form,
    Scope::Paste,
    Scope::Secret,
    Scope::Field,
    Scope::Confirm,
    Scope::Typing,
    Scope::Always,
];

fn table() -> String {
    let mut text = String::new();
    for scope in SCOPES {
        let _ = write!(text, "\n**{}**\n\n| keys | name | does |\n|---|---|---|\n", scope.title());
        for command in COMMANDS.iter().filter(|command| command.scopes.contains(scope)) {
            let keys: Vec<String> = command.keys.iter().map(|key| format!("`{key}`")).collect();
            let _ = writeln!(text, "| {} | `{}` | {} |", keys.join(" "), command.name, command.doc);
        }
    }
    text
}

#[test]
fn every_scope_is_documented() {
    for command in COMMANDS {
        for scope in command.scopes {
            assert!(SCOPES.contains(scope), "{}: {}", command.name, scope.title());
        }
    }
}

#[test]
fn the_documented_keys_are_those_of_the_table() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/console.md");
    let text = std::fs::read_to_string(&path).unwrap();
    let (before, rest) = text.split_once(BEGIN).expect("the mark before the keys");
    let (kept, after) = rest.split_once(END).expect("the mark behind the keys");
    if std::env::var_os("TRUSTLINE_UPDATE_KEYS").is_some() {
        std::fs::write(&path, format!("{before}{BEGIN}{}{END}{after}", table())).unwrap();
        return;
    }
    assert!(
        kept == table(),
        "assets/console.md is out of date; TRUSTLINE_UPDATE_KEYS=1 cargo test documented_keys writes it"
    );
}
