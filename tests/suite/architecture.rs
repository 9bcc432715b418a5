//! Holds what `src/lib.rs` says of the rooms: which may use which, and that the pure ones reach nothing outside.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

/// Top to bottom: a room uses itself and what stands below it.
const ROOMS: &[&str] =
    &["cli", "tui", "lab", "report", "run", "probe", "audit", "remedy", "guide", "check", "cause", "domain"];
/// What the lab uses besides itself: it must not know the client it is there to be tried by.
const LAB_USES: &[&str] = &["domain"];
/// The rooms without runtime, client, SDK, clock, environment and file system.
const PURE: &[&str] = &["report", "audit", "remedy", "guide", "check", "cause", "domain"];
const IMPURE_CRATES: &[&str] = &[
    "tokio",
    "tokio_rustls",
    "tokio_util",
    "reqwest",
    "hyper",
    "hyper_util",
    "rustls",
    "crossterm",
    "ratatui",
    "clap",
];
const IMPURE_FAMILIES: &[&str] = &["aws_sdk_", "aws_smithy_", "aws_config", "aws_credential_", "aws_sigv4", "azure_"];
const IMPURE_STD: &[&str] = &["env", "fs", "net", "process", "thread", "os"];
/// Of `std::net`, what is a value and opens nothing.
const ADDRESSES: &[&str] = &["IpAddr", "Ipv4Addr", "Ipv6Addr", "SocketAddr"];
/// Clocks, and what reads the file system or prints without an import.
const IMPURE_NAMES: &[&str] = &["SystemTime", "Instant", "now_utc", "now_local", "stdin", "stdout", "stderr"];
const IMPURE_METHODS: &[&str] = &[
    "exists",
    "try_exists",
    "is_file",
    "is_dir",
    "is_symlink",
    "metadata",
    "symlink_metadata",
    "canonicalize",
    "read_dir",
    "read_link",
];
const IMPURE_MACROS: &[&str] = &["print", "println", "eprint", "eprintln", "dbg"];
/// What reaches the network, as a client or as a server.
const NETWORK_CRATES: &[&str] = &["reqwest", "hyper", "hyper_util", "rustls", "tokio_rustls"];
/// The rooms that may.
const NETWORK_ROOMS: &[&str] = &["probe", "lab"];
const LINTS_NOBODY_SILENCES: &[&str] = &["unwrap_used", "expect_used", "panic"];

/// A file of fewer lines holds part of an idea.
const SMALL: usize = 60;
/// What only lists a module's parts is as long as they are many.
const FACES: &[&str] = &["mod.rs", "lib.rs", "main.rs"];
/// Whole ideas that need no more.
const SMALL_FILES: &[&str] = &[
    "cli/guide/evidence.rs",
    "domain/timestamp.rs",
    "panic_guard.rs",
    "probe/documents.rs",
    "report/audit/junit.rs",
    "report/json.rs",
    "tui/content/guide/summary.rs",
    "tui/summary.rs",
    "tui/update/events.rs",
    "tui/update/explain.rs",
    "tui/wake.rs",
];
/// A longer function is several.
const LONG: usize = 80;
/// Plain tables: one arm, one field or one row after the other.
const TABLES: &[&str] = &[
    "audit/code/expression.rs functions",
    "cause/trust/width.rs finding",
    "check/token/problem.rs judge",
    "domain/iam/near_miss.rs the_one_change_is_named_and_mends",
    "domain/profile/resolve.rs build",
    "domain/relying_party/condition.rs find",
    "domain/token/problem.rs fmt",
    "tui/performer.rs perform",
    "tui/update/commands.rs run",
];
/// The lines of a file, on average.
const MEAN_LINES: std::ops::RangeInclusive<usize> = 220..=400;

#[test]
fn arrows_between_rooms_point_downwards() {
    let wrong: Vec<String> = SOURCES.iter().flat_map(|source| upward(&source.module, &source.tokens)).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn pure_rooms_reach_nothing_outside() {
    let wrong: Vec<String> = SOURCES
        .iter()
        .filter(|source| source.module.first().is_some_and(|room| PURE.contains(&room.as_str())))
        .flat_map(|source| {
            impure(&source.tokens).into_iter().map(|name| format!("{} uses {name}", source.module.join("::")))
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn only_the_probes_and_the_lab_reach_the_network() {
    let elsewhere = |source: &&Source| source.module.first().is_none_or(|room| !NETWORK_ROOMS.contains(&room.as_str()));
    let wrong: Vec<String> = SOURCES
        .iter()
        .filter(elsewhere)
        .flat_map(|source| {
            networked(&source.tokens).into_iter().map(|name| format!("{} uses {name}", source.module.join("::")))
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Of the console, what surrounds the pure core: the terminal or its lines, the clock, the runs, and the desktop's clipboard.
const CONSOLE_EDGE: &[&str] = &[
    "alarm",
    "clipboard",
    "flat",
    "input",
    "performer",
    "services",
    "shell",
    "summary",
    "terminal",
    "terminal_reader",
    "writer",
];

#[test]
fn the_consoles_model_update_and_view_reach_nothing_outside() {
    let console = |source: &&Source| source.module.first().is_some_and(|room| room == "tui");
    let edge = |source: &&Source| source.module.get(1).is_none_or(|part| CONSOLE_EDGE.contains(&part.as_str()));
    let core: Vec<&Source> = SOURCES.iter().filter(|s| console(s) && !edge(s)).collect();
    assert!(core.len() > 20, "the console's core is not where this test looks");
    // Buffers, styles and layouts are values; what they come from may also reach a terminal, by other names.
    let wrong: Vec<String> = core
        .iter()
        .flat_map(|source| {
            let named = impure(&source.tokens).into_iter().filter(|name| name != "ratatui");
            named.map(|name| format!("{} uses {name}", source.module.join("::"))).collect::<Vec<_>>()
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    for source in SOURCES.iter().filter(console) {
        let uses_lab = source.tokens.windows(3).any(|t| t[0] == "crate" && t[1] == "::" && t[2] == "lab");
        assert!(!uses_lab, "{} uses the lab; the command line brings it", source.module.join("::"));
    }
}

#[test]
fn nobody_silences_the_lints_against_panics() {
    for source in SOURCES.iter() {
        for lint in LINTS_NOBODY_SILENCES {
            let silenced = source.tokens.windows(3).any(|t| t[0] == "clippy" && t[1] == "::" && t[2] == *lint);
            assert!(!silenced, "{} names clippy::{lint}", source.module.join("::"));
        }
    }
}

#[test]
fn every_file_begins_by_saying_what_lives_there() {
    for (path, text) in files() {
        assert!(text.starts_with("//! "), "{} does not begin with `//! `", path.display());
    }
}

#[test]
fn the_map_names_every_room_in_order() {
    let map = fs::read_to_string(src().join("lib.rs")).unwrap();
    let listed: Vec<&str> =
        map.lines().filter_map(|line| line.strip_prefix("//! - [`")?.split_once("`]").map(|(room, _)| room)).collect();
    assert_eq!(listed, ROOMS, "the list in src/lib.rs");
    let mut folders: Vec<String> = fs::read_dir(src())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_dir())
        .map(|path| path.file_name().unwrap().to_str().unwrap().to_owned())
        .collect();
    folders.sort();
    let mut rooms = ROOMS.to_vec();
    rooms.sort_unstable();
    assert_eq!(folders, rooms, "the folders of src");
}

#[test]
fn sibling_modules_use_each_other_one_way() {
    let faces = faces(&SOURCES);
    let mut arrows: BTreeMap<&[String], BTreeMap<String, BTreeSet<String>>> = BTreeMap::new();
    for Source { module, tokens } in SOURCES.iter() {
        for path in paths(tokens, &["crate", "super", "self"]) {
            let target = behind_faces(absolute(module, &path), &faces);
            let shared = module.iter().zip(&target).take_while(|(own, other)| own == other).count();
            if let (Some(from), Some(to)) = (module.get(shared), target.get(shared)) {
                arrows.entry(&module[..shared]).or_default().entry(from.clone()).or_default().insert(to.clone());
            }
        }
    }
    let found: BTreeSet<String> = arrows
        .iter()
        .flat_map(|(parent, arrows)| circles(arrows).into_iter().map(|circle| (parent.join("::"), circle)))
        .map(|(parent, circle)| format!("{parent}: {}", circle.into_iter().collect::<Vec<_>>().join(" ")))
        .collect();
    assert!(found.is_empty(), "circles: {found:?}");
}

#[test]
fn a_file_holds_a_whole_idea() {
    let lines: Vec<(PathBuf, usize)> = files()
        .into_iter()
        .map(|(path, text)| (path.strip_prefix(src()).unwrap().to_owned(), text.lines().count()))
        .collect();
    let small: BTreeSet<&str> = lines
        .iter()
        .filter(|(path, lines)| *lines < SMALL && !FACES.iter().any(|face| path.ends_with(face)))
        .map(|(path, _)| path.to_str().unwrap())
        .collect();
    assert_eq!(small, SMALL_FILES.iter().copied().collect(), "fewer than {SMALL} lines: part of another idea?");
    let mean = lines.iter().map(|(_, lines)| lines).sum::<usize>() / lines.len();
    assert!(MEAN_LINES.contains(&mean), "a file has {mean} lines on average");
}

#[test]
fn only_plain_tables_are_long_functions() {
    let found: BTreeSet<String> = files()
        .iter()
        .flat_map(|(path, text)| {
            let file = path.strip_prefix(src()).unwrap().display().to_string();
            long_functions(text).into_iter().map(move |name| format!("{file} {name}"))
        })
        .collect();
    let expected: BTreeSet<String> = TABLES.iter().map(|table| (*table).to_owned()).collect();
    assert_eq!(found, expected, "functions of more than {LONG} lines");
}

/// The functions that end more than [`LONG`] lines below their names. The text is formatted: a function's last line is a
/// brace as far from the margin as its first.
fn long_functions(text: &str) -> Vec<String> {
    let lines: Vec<&str> = text.lines().collect();
    let mut long = Vec::new();
    for (first, line) in lines.iter().enumerate() {
        let margin = line.len() - line.trim_start().len();
        let mut words = line.split_whitespace().skip_while(|word| word.starts_with("pub") || is_modifier(word));
        let (Some("fn"), Some(name)) = (words.next(), words.next()) else { continue };
        let ends = |line: &&str| {
            let is_last = matches!(line.trim(), "}" | ");") || line.trim_end().ends_with(';');
            is_last && line.len() - line.trim_start().len() == margin
        };
        let Some(length) = lines[first..].iter().position(ends) else { continue };
        if length + 1 > LONG {
            long.push(name.split(['(', '<']).next().unwrap_or_default().to_owned());
        }
    }
    long
}

fn is_modifier(word: &str) -> bool {
    matches!(word, "const" | "async" | "in" | "unsafe" | "extern") || word.ends_with(')')
}

#[test]
fn a_long_function_is_found_by_its_name() {
    let body = "    let x = 1;\n".repeat(LONG);
    assert_eq!(long_functions(&format!("pub(in crate::lab) async fn much<T>(x: T) {{\n{body}}}\n")), ["much"]);
    assert!(long_functions(&format!("fn little();\n{body}}}\n")).is_empty());
}

struct Source {
    /// The module's path: `["cli", "profile", "show"]`.
    module: Vec<String>,
    /// Its text without comments, literals and tests.
    tokens: Vec<String>,
}

fn src() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

fn files() -> Vec<(PathBuf, String)> {
    fn walk(folder: &Path, found: &mut Vec<(PathBuf, String)>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(&path, found);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = fs::read_to_string(&path).unwrap();
                found.push((path, text));
            }
        }
    }
    let mut found = Vec::new();
    walk(&src(), &mut found);
    assert!(found.len() > 20, "the sources are not where this test looks");
    found
}

/// Taken apart once, which is slow where nothing is optimized.
static SOURCES: LazyLock<Vec<Source>> = LazyLock::new(|| {
    files()
        .into_iter()
        .map(|(path, text)| {
            let relative = path.strip_prefix(src()).unwrap().with_extension("");
            let mut module: Vec<String> = relative.iter().map(|part| part.to_str().unwrap().to_owned()).collect();
            if matches!(module.last().map(String::as_str), Some("mod" | "lib" | "main")) {
                module.pop();
            }
            Source { module, tokens: without_tests(tokens(&text)) }
        })
        .collect()
});

/// Identifiers, `::` and single signs; comments are dropped, and literals stand as `""`.
fn tokens(text: &str) -> Vec<String> {
    let chars: Vec<char> = text.chars().collect();
    let at = |i: usize| chars.get(i).copied().unwrap_or('\0');
    let mut tokens = Vec::new();
    let mut i = 0;
    while i < chars.len() {
        let start = i;
        match (at(i), at(i + 1)) {
            ('/', '/') => {
                while i < chars.len() && at(i) != '\n' {
                    i += 1;
                }
                continue;
            }
            ('/', '*') => {
                while i < chars.len() && !(at(i) == '*' && at(i + 1) == '/') {
                    i += 1;
                }
                i += 2;
                continue;
            }
            ('\'', c) if c != '\\' && at(i + 2) != '\'' => i += 1, // a lifetime
            ('\'', _) => {
                i += if at(i + 1) == '\\' { 3 } else { 2 };
                while i < chars.len() && at(i) != '\'' {
                    i += 1;
                }
                i += 1;
                tokens.push("\"\"".to_owned());
                continue;
            }
            ('"', _) => {
                i += 1;
                while i < chars.len() && at(i) != '"' {
                    i += if at(i) == '\\' { 2 } else { 1 };
                }
                i += 1;
                tokens.push("\"\"".to_owned());
                continue;
            }
            ('r', '"' | '#') | ('b', 'r') if raw_string_hashes(&chars, i).is_some() => {
                let (hashes, mut end) = raw_string_hashes(&chars, i).unwrap();
                while end < chars.len() && !(at(end) == '"' && (1..=hashes).all(|n| at(end + n) == '#')) {
                    end += 1;
                }
                i = end + 1 + hashes;
                tokens.push("\"\"".to_owned());
                continue;
            }
            (':', ':') => i += 2,
            (c, _) if c.is_alphanumeric() || c == '_' => {
                while at(i).is_alphanumeric() || at(i) == '_' {
                    i += 1;
                }
            }
            _ => i += 1,
        }
        let token: String = chars[start..i].iter().collect();
        if !token.trim().is_empty() {
            tokens.push(token);
        }
    }
    tokens
}

/// The hashes of a raw string that begins at `i`, and where its text begins.
fn raw_string_hashes(chars: &[char], mut i: usize) -> Option<(usize, usize)> {
    if chars.get(i) == Some(&'b') {
        i += 1;
    }
    i += 1;
    let hashes = chars[i.min(chars.len())..].iter().take_while(|c| **c == '#').count();
    (chars.get(i + hashes) == Some(&'"')).then_some((hashes, i + hashes + 1))
}

/// Drops every item behind `#[cfg(test)]`: tests may use what they like.
fn without_tests(tokens: Vec<String>) -> Vec<String> {
    let mark = ["#", "[", "cfg", "(", "test", ")", "]"];
    let mut kept = Vec::new();
    let mut i = 0;
    while i < tokens.len() {
        if tokens[i..].iter().zip(mark).filter(|(token, mark)| token == mark).count() < mark.len() {
            kept.push(tokens[i].clone());
            i += 1;
            continue;
        }
        let mut depth = 0;
        while i < tokens.len() {
            match tokens[i].as_str() {
                "{" => depth += 1,
                "}" => depth -= 1,
                _ => {}
            }
            i += 1;
            if depth == 0 && matches!(tokens[i - 1].as_str(), "}" | ";") {
                break;
            }
        }
    }
    kept
}

/// Every path that begins with one of `roots`, groups opened: `use std::{env, fs::File}` gives two.
fn paths(tokens: &[String], roots: &[&str]) -> Vec<Vec<String>> {
    let mut found = Vec::new();
    for (i, token) in tokens.iter().enumerate() {
        if roots.contains(&token.as_str()) && (i == 0 || tokens[i - 1] != "::") {
            collect(&mut Vec::new(), &tokens[i..], &mut found);
        }
    }
    found
}

/// Reads one path from the start of `tokens`; yields how many tokens it took.
fn collect(prefix: &mut Vec<String>, tokens: &[String], found: &mut Vec<Vec<String>>) -> usize {
    let depth = prefix.len();
    let mut i = 0;
    loop {
        match tokens.get(i).map(String::as_str) {
            Some("{") => {
                i += 1;
                while tokens.get(i).is_some_and(|token| token != "}") {
                    let read = collect(prefix, &tokens[i..], found);
                    i += read.max(1);
                }
                i += 1;
                break;
            }
            Some(name) if name.starts_with(|c: char| c.is_alphabetic() || c == '_') => {
                prefix.push(name.to_owned());
                i += 1;
                if tokens.get(i).map(String::as_str) != Some("::") {
                    found.push(prefix.clone());
                    break;
                }
                i += 1;
            }
            _ => {
                found.push(prefix.clone());
                break;
            }
        }
    }
    prefix.truncate(depth);
    i
}

/// What of this crate a module refers to that it may not.
fn upward(module: &[String], tokens: &[String]) -> Vec<String> {
    let Some(own) = module.first() else { return Vec::new() };
    let place = |room: &str| ROOMS.iter().position(|r| *r == room);
    paths(tokens, &["crate", "super", "self"])
        .iter()
        .filter_map(|path| resolve(module, path))
        .filter(|room| room != own)
        .filter(|room| match (own.as_str(), place(own), place(room)) {
            ("lab", _, Some(_)) => !LAB_USES.contains(&room.as_str()),
            (_, Some(from), Some(to)) => to < from,
            _ => false,
        })
        .map(|room| format!("{} uses {room}", module.join("::")))
        .collect()
}

/// The room that a path in `module` leads to.
fn resolve(module: &[String], path: &[String]) -> Option<String> {
    absolute(module, path).into_iter().next()
}

/// A path in `module`, from the crate's root.
fn absolute(module: &[String], path: &[String]) -> Vec<String> {
    let mut at = module.to_vec();
    for (i, part) in path.iter().enumerate() {
        match part.as_str() {
            "crate" if i == 0 => at.clear(),
            "self" if i == 0 => {}
            "super" => {
                at.pop();
            }
            name => at.push(name.to_owned()),
        }
    }
    at
}

/// What modules hand on as their own: the path that others write, and where it leads.
fn faces(sources: &[Source]) -> BTreeMap<Vec<String>, Vec<String>> {
    let mut faces = BTreeMap::new();
    for Source { module, tokens } in sources {
        for (i, _) in
            tokens.iter().enumerate().filter(|(i, token)| *token == "use" && *i > 0 && is_handed_on(&tokens[..*i]))
        {
            let mut found = Vec::new();
            collect(&mut Vec::new(), &tokens[i + 1..], &mut found);
            for path in found {
                let Some(name) = path.last() else { continue };
                faces.insert([module.as_slice(), std::slice::from_ref(name)].concat(), absolute(module, &path));
            }
        }
    }
    faces
}

/// Whether what stands before `use` is `pub`, or `pub(…)`.
fn is_handed_on(before: &[String]) -> bool {
    let start = match before {
        [.., sign] if sign == ")" => before.iter().rposition(|token| token == "(").unwrap_or(0),
        _ => before.len(),
    };
    start > 0 && before[start - 1] == "pub"
}

fn behind_faces(path: Vec<String>, faces: &BTreeMap<Vec<String>, Vec<String>>) -> Vec<String> {
    let mut path = path;
    for _ in 0..8 {
        let Some((shown, leads)) = (1..=path.len()).rev().find_map(|n| Some((n, faces.get(&path[..n])?))) else {
            break;
        };
        let next = [leads.as_slice(), &path[shown..]].concat();
        if next == path {
            break;
        }
        path = next;
    }
    path
}

/// The groups whose members all lead to each other.
fn circles(arrows: &BTreeMap<String, BTreeSet<String>>) -> BTreeSet<BTreeSet<String>> {
    let reached = |from: &String| {
        let mut seen = BTreeSet::new();
        let mut next = vec![from];
        while let Some(at) = next.pop() {
            next.extend(arrows.get(at).into_iter().flatten().filter(|to| seen.insert((*to).clone())));
        }
        seen
    };
    let reach: BTreeMap<&String, BTreeSet<String>> = arrows.keys().map(|from| (from, reached(from))).collect();
    let circle = |of: &String| -> BTreeSet<String> {
        reach
            .iter()
            .filter(|(to, back)| reach[of].contains(**to) && back.contains(of))
            .map(|(to, _)| (*to).clone())
            .collect()
    };
    arrows.keys().map(circle).filter(|circle| circle.len() > 1).collect()
}

/// What a pure module uses that reaches outside.
fn impure(tokens: &[String]) -> Vec<String> {
    let mut found: Vec<String> = paths(tokens, &["std", "core"])
        .iter()
        .filter(|path| path.get(1).is_some_and(|name| IMPURE_STD.contains(&name.as_str())))
        .filter(|path| !(path[1] == "net" && path.get(2).is_some_and(|name| ADDRESSES.contains(&name.as_str()))))
        .map(|path| path.join("::"))
        .collect();
    for (i, token) in tokens.iter().enumerate() {
        let before = if i == 0 { "" } else { tokens[i - 1].as_str() };
        let after = tokens.get(i + 1).map_or("", String::as_str);
        let name = token.as_str();
        let listed = IMPURE_CRATES.contains(&name) || IMPURE_FAMILIES.iter().any(|family| name.starts_with(family));
        let crate_root = listed && !matches!(before, "::" | ".") && matches!(after, "::" | ";" | "as");
        let named = IMPURE_NAMES.contains(&name) && matches!(before, "::" | "{" | "," | "use") && after != ":";
        let method = IMPURE_METHODS.contains(&name) && before == "." && after == "(";
        let printed = IMPURE_MACROS.contains(&name) && after == "!";
        if crate_root || named || method || printed {
            found.push(token.clone());
        }
    }
    found
}

/// What a module uses that reaches the network.
fn networked(tokens: &[String]) -> Vec<String> {
    let mut found: Vec<String> = paths(tokens, &["std", "tokio"])
        .iter()
        .filter(|path| path.get(1).is_some_and(|name| name == "net"))
        .filter(|path| path.get(2).is_some_and(|name| name != "unix" && !ADDRESSES.contains(&name.as_str())))
        .map(|path| path.join("::"))
        .collect();
    let named = |token: &&String| {
        NETWORK_CRATES.contains(&token.as_str()) || IMPURE_FAMILIES.iter().any(|family| token.starts_with(family))
    };
    found.extend(tokens.windows(2).filter(|pair| pair[1] == "::").map(|pair| &pair[0]).filter(named).cloned());
    found
}

mod this_test {
    //! The rules above are only worth something if they see what they forbid.

    use super::*;

    fn module(path: &str) -> Vec<String> {
        path.split("::").map(str::to_owned).collect()
    }

    fn read(text: &str) -> Vec<String> {
        without_tests(tokens(text))
    }

    #[test]
    fn circles_are_seen() {
        let arrows = |pairs: &[(&str, &str)]| {
            let mut arrows: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
            for (from, to) in pairs {
                arrows.entry((*from).to_owned()).or_default().insert((*to).to_owned());
            }
            circles(&arrows).into_iter().map(|c| c.into_iter().collect::<Vec<_>>().join(" ")).collect::<Vec<_>>()
        };
        assert_eq!(arrows(&[("a", "b"), ("b", "c"), ("c", "a"), ("d", "a")]), ["a b c"]);
        assert!(arrows(&[("a", "b"), ("a", "c"), ("b", "c")]).is_empty());
        let source = |at: &str, text: &str| Source { module: module(at), tokens: read(text) };
        let faces = faces(&[source("a", "pub use self::b::{C, d}; pub(crate) use e::F; use g::H;")]);
        assert_eq!(behind_faces(module("a::C::new"), &faces), module("a::b::C::new"));
        assert_eq!(behind_faces(module("a::F"), &faces), module("a::e::F"));
        assert_eq!(behind_faces(module("a::H"), &faces), module("a::H"));
    }

    #[test]
    fn upward_arrows_are_seen() {
        for (at, text, seen) in [
            ("domain::arn", "use crate::probe::http;", true),
            ("domain::arn", "fn f() { crate::check::plan() }", true),
            ("domain::profile::key", "use super::super::super::cause::id::Cause;", true),
            ("domain", "use super::{run, lab};", true),
            ("cause", "use crate::{domain::text, check::{id, outcome}};", true),
            ("probe::aws", "pub use crate::run::Event as E;", true),
            ("lab::sts", "use crate::cause::id;", true),
            ("report::text", "use crate::lab;", true),
            ("run", "use crate::cli::Exit;", true),
            ("domain::arn", "use super::region; use crate::domain::text::{self, visible};", false),
            ("domain::profile::key", "use super::super::text;", false),
            ("cli::check", "use crate::{lab, report, run, probe, check, cause, domain};", false),
            ("lab::sts", "use crate::domain::iam; use super::world::World;", false),
            ("domain::arn", "// use crate::probe;\n const A: &str = \"crate::probe::x\"; pub(crate) fn f() {}", false),
            ("domain::arn", "#[cfg(test)]\nmod tests { use crate::probe; }", false),
            ("domain::arn", "#[cfg(test)]\nmod tests { use super::*; } use crate::probe;", true),
        ] {
            assert_eq!(!upward(&module(at), &read(text)).is_empty(), seen, "{at}: {text}");
        }
    }

    #[test]
    fn reaching_the_network_is_seen() {
        for (text, seen) in [
            ("use tokio::net::TcpStream;", true),
            ("use std::net::{IpAddr, TcpListener};", true),
            ("fn f(client: &reqwest::Client) {}", true),
            ("use aws_sdk_sts::Client;", true),
            ("use std::net::IpAddr; use tokio::net::unix::pipe::Receiver; use tokio::time::sleep;", false),
        ] {
            assert_eq!(!networked(&read(text)).is_empty(), seen, "{text}");
        }
    }

    #[test]
    fn reaching_outside_is_seen() {
        for (text, seen) in [
            ("use std::fs::File;", true),
            ("use std::{collections::BTreeMap, env};", true),
            ("let t = std::time::SystemTime::now();", true),
            ("use std::time::{Duration, Instant};", true),
            ("async fn f() { tokio::spawn(g()); }", true),
            ("use reqwest;", true),
            ("use aws_sdk_sts::Client;", true),
            ("if path.exists() {}", true),
            ("println!(\"x\");", true),
            ("let now = OffsetDateTime::now_utc();", true),
            ("use std::net::TcpStream;", true),
            ("use std::net::{IpAddr, ToSocketAddrs};", true),
            ("use std::net::IpAddr;", false),
            ("use std::time::Duration; use std::path::{Path, PathBuf};", false),
            ("struct A { stdout: String } fn f(environment: &str) {}", false),
            ("let a = '\"'; use std::fmt; let b = '\\''; let c: &'static str = r#\"std::fs\"#;", false),
            ("#[cfg(test)]\nmod tests { use std::fs; }", false),
        ] {
            assert_eq!(!impure(&read(text)).is_empty(), seen, "{text}");
        }
    }
}
