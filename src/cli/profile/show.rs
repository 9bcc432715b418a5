//! `profile show` and `profile list`.

use std::path::Path;

use clap::Args;
use serde_json::{Value as Json, json};
use unicode_width::UnicodeWidthStr as _;

use super::super::settings::{self, Loaded, PassedOver};
use super::super::terminal;
use super::{Form, print};
use crate::cli::exit::CliError;
use crate::cli::exit::Exit;
use crate::cli::flags::DocumentOutputArgs;
use crate::cli::flags::ProfileSelector;
use crate::domain::profile::document;
use crate::domain::profile::key::Key;
use crate::domain::profile::resolve::resolve;
use crate::domain::profile::setting::{Origin, Problem, Setting, Value};
use crate::domain::text::visible;

/// Arguments of `trustline profile show`.
#[derive(Debug, Args)]
pub(super) struct ShowArgs {
    #[command(flatten)]
    selector: ProfileSelector,
    #[command(flatten)]
    output: DocumentOutputArgs,
}

/// Arguments of `trustline profile list`.
#[derive(Debug, Args)]
pub(super) struct ListArgs {
    #[command(flatten)]
    output: DocumentOutputArgs,
}

pub(super) fn show(args: &ShowArgs) -> Result<Exit, CliError> {
    if args.selector.lab.is_some() {
        return Err(CliError::new("the lab's profile exists only while the lab runs")
            .with_hint("`trustline lab` prints its endpoints and names"));
    }
    let form = Form::of(args.output.output);
    let loaded = settings::load_to_read(&args.selector)?;
    match form {
        Form::Text => print(&show_text(&loaded)),
        Form::Json => print(&terminal::json_text(&show_json(&loaded))),
    }
}

fn show_text(loaded: &Loaded) -> String {
    let mut text = match &loaded.path {
        Some(path) => format!("profile {} ({})\n\n", loaded.profile.name, visible(&path.display().to_string())),
        None => "no profile's file; from flags and variables\n\n".to_owned(),
    };
    let rows: Vec<[String; 3]> = loaded
        .provenance
        .iter()
        .map(|setting| {
            let value = shown(setting).map_or_else(|| "(set, not shown)".to_owned(), |value| value.to_string());
            [setting.key.path().to_owned(), visible(&value).into_owned(), visible(&short(&setting.origin)).into_owned()]
        })
        .collect();
    text.push_str(&columns(&rows));
    text
}

fn show_json(loaded: &Loaded) -> Json {
    let values: Vec<Json> = loaded
        .provenance
        .iter()
        .map(|setting| {
            let value = match shown(setting) {
                None => Json::Null,
                Some(Value::Text(text)) => json!(text),
                Some(Value::List(items)) => json!(items),
                Some(Value::Flag(set)) => json!(set),
            };
            json!({ "key": setting.key.path(), "value": value, "origin": origin_json(&setting.origin) })
        })
        .collect();
    json!({
        "schema": "trustline.profile/1",
        "name": loaded.profile.name,
        "guide": loaded.profile.guide.id(),
        "path": loaded.path.as_ref().map(|path| path.display().to_string()),
        "values": values,
    })
}

/// The value, unless people keep it to themselves: an external id is no credential, yet some guides call it a secret.
fn shown(setting: &Setting) -> Option<&Value> {
    (setting.key != Key::ExternalId).then_some(&setting.value)
}

/// The origin with its file's name only; the whole path stands above.
fn short(origin: &Origin) -> String {
    match origin {
        Origin::File { path, line } => {
            let name =
                path.file_name().map_or_else(|| path.display().to_string(), |name| name.to_string_lossy().into());
            format!("{name}:{line}")
        }
        other => other.to_string(),
    }
}

fn origin_json(origin: &Origin) -> Json {
    match origin {
        Origin::Flag => json!({ "kind": "flag" }),
        Origin::Variable(name) => json!({ "kind": "variable", "name": name }),
        Origin::File { path, line } => json!({ "kind": "file", "path": path.display().to_string(), "line": line }),
        Origin::Default => json!({ "kind": "default" }),
    }
}

pub(super) fn list(args: &ListArgs) -> Result<Exit, CliError> {
    let form = Form::of(args.output.output);
    let folder = settings::folder()?;
    let found = settings::profiles_folder()?;
    let profiles = found.names.iter().map(|name| Entry::read(name)).collect::<Result<Vec<_>, _>>()?;
    match form {
        Form::Text => print(&list_text(&folder, &profiles, &found.passed_over)),
        Form::Json => print(&terminal::json_text(&list_json(&folder, &profiles, &found.passed_over))),
    }
}

/// A profile as the list has it: judged by its file alone.
struct Entry {
    name: String,
    path: String,
    guide: Option<&'static str>,
    /// What is wrong with it, a line each.
    problems: Vec<String>,
}

impl Entry {
    fn read(name: &str) -> Result<Entry, CliError> {
        let path = settings::file_of(name)?;
        let (guide, problems) = match settings::read(&path) {
            Err(error) => (None, vec![error.message]),
            Ok(text) => {
                let (file, mut problems) = document::parse(&text, &path);
                let resolved = resolve(name, &[], &file, &|_| None);
                let guide = resolved.as_ref().ok().map(|resolved| resolved.profile.guide.id());
                problems.extend(resolved.err().unwrap_or_default());
                (guide, problems.iter().map(Problem::to_string).collect())
            }
        };
        Ok(Entry { name: name.to_owned(), path: path.display().to_string(), guide, problems })
    }
}

fn list_text(folder: &Path, profiles: &[Entry], passed_over: &[PassedOver]) -> String {
    let passed_over: String = passed_over
        .iter()
        .map(|PassedOver { file, why }| format!("not read: {} ({})\n", visible(file), visible(why)))
        .collect();
    if profiles.is_empty() {
        return format!(
            "no profiles in {}\nmake one with `trustline profile new NAME`\n{passed_over}",
            visible(&folder.display().to_string())
        );
    }
    let rows: Vec<[String; 3]> = profiles
        .iter()
        .map(|entry| {
            let state = match entry.problems.len() {
                0 => entry.guide.unwrap_or_default().to_owned(),
                1 => "1 mistake".to_owned(),
                more => format!("{more} mistakes"),
            };
            [entry.name.clone(), state, visible(&entry.path).into_owned()]
        })
        .collect();
    columns(&rows) + &passed_over
}

fn list_json(folder: &Path, profiles: &[Entry], passed_over: &[PassedOver]) -> Json {
    let profiles: Vec<Json> = profiles
        .iter()
        .map(
            |entry| json!({ "name": entry.name, "path": entry.path, "guide": entry.guide, "problems": entry.problems }),
        )
        .collect();
    let passed_over: Vec<Json> =
        passed_over.iter().map(|PassedOver { file, why }| json!({ "file": file, "why": why })).collect();
    json!({
        "schema": "trustline.profiles/1",
        "folder": folder.display().to_string(),
        "profiles": profiles,
        "passed_over": passed_over,
    })
}

/// Rows with the first two columns padded to their widest cell; a cell past 60 columns pads only its own row.
fn columns(rows: &[[String; 3]]) -> String {
    let width = |column: usize| rows.iter().map(|row| row[column].width()).filter(|w| *w <= 60).max().unwrap_or(0);
    let (first, second) = (width(0), width(1));
    let pad = |cell: &str, width: usize| " ".repeat(width.saturating_sub(cell.width()));
    rows.iter().map(|[a, b, c]| format!("{a}{}  {b}{}  {c}\n", pad(a, first), pad(b, second))).collect()
}
