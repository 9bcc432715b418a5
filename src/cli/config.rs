//! `trustline config`: the settings in force, and where each is from.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde::Serialize;
use serde_json::{Value, json};

use super::exit::{CliError, Exit};
use super::flags::{DocumentOutputArgs, OutputFormat};
use super::look::{SCREEN_READER, config_file, configuration, screen_reader};
use super::{settings, telemetry, terminal};
use crate::domain::text::visible;
use crate::report::glyphs::{GlyphSet, ThemeName};
use crate::report::line::{Line, Role};
use crate::report::page::{Block, Column, Page, Table};
use crate::tui::clipboard::ClipboardMode;
use crate::tui::command::COMMANDS;
use crate::tui::config::Config;
use crate::tui::inputs::{Animation, Clock, Mouse};
use crate::tui::keymap::Keymap;
use crate::tui::theme::style_words;

/// Arguments of `trustline config`.
#[derive(Debug, Args)]
pub(super) struct ConfigArgs {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Print every setting of the console with where it is from; ends with 2 where the file has mistakes
    Show(DocumentOutputArgs),
}

/// A setting in force.
#[derive(Debug, PartialEq, Eq, Serialize)]
struct InForce {
    name: String,
    value: String,
    from: String,
    /// The line of the file that it is from.
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<usize>,
}

impl InForce {
    /// Where it is from, in one word.
    fn place(&self) -> String {
        self.line.map_or_else(|| self.from.clone(), |line| format!("{}:{line}", self.from))
    }
}

const BUILT_IN: &str = "built in";
/// The schema's name.
const SCHEMA: &str = "trustline.config/1";

pub(super) fn run(args: &ConfigArgs) -> Result<Exit, CliError> {
    let Action::Show(output) = &args.action;
    let file = config_file();
    let (config, problems) = configuration();
    let all: Vec<InForce> =
        folders().into_iter().chain([telemetry()]).chain(of_console(&config, file.as_ref())).collect();
    terminal::print(&match output.output {
        OutputFormat::Json => terminal::json_text(&document(&all, file.as_ref(), &problems)),
        _ => terminal::rendered(output, |_| page(&all)),
    })?;
    for problem in &problems {
        terminal::note(&visible(problem));
    }
    Ok(if problems.is_empty() { Exit::Passed } else { Exit::Usage })
}

fn document(all: &[InForce], file: Option<&PathBuf>, problems: &[String]) -> Value {
    json!({ "schema": SCHEMA, "file": file, "settings": all, "problems": problems })
}

fn page(all: &[InForce]) -> Page {
    let mut page = Page::default();
    let cell = |role, text: &str| Line::of(role, visible(text)).into();
    page.push(Block::Table(Table {
        columns: vec![Column::new("setting"), Column::new("value"), Column::new("from")],
        headed: true,
        rows: all
            .iter()
            .map(|of| vec![cell(Role::Command, &of.name), cell(Role::Plain, &of.value), cell(Role::Muted, &of.place())])
            .collect(),
    }));
    page
}

/// Where profiles and rotations are kept.
fn folders() -> Vec<InForce> {
    let from = |own: &str, base: &str| {
        let set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        [own, base].into_iter().find(|name| set(name)).unwrap_or(BUILT_IN).to_owned()
    };
    let at = |name: &str, path: Result<PathBuf, CliError>, from: String| {
        path.ok().map(|path| InForce { name: name.to_owned(), value: path.display().to_string(), from, line: None })
    };
    let profiles = at("profiles", settings::folder(), from("TRUSTLINE_CONFIG_DIR", "XDG_CONFIG_HOME"));
    let state = at("state", settings::state_folder(), from("TRUSTLINE_STATE_DIR", "XDG_STATE_HOME"));
    profiles.into_iter().chain(state).collect()
}

/// Where a check's trace goes.
fn telemetry() -> InForce {
    let (value, from) = telemetry::in_force();
    InForce { name: "telemetry".to_owned(), value, from, line: None }
}

/// What the console looks and behaves like where no flag says otherwise.
fn of_console(config: &Config, file: Option<&PathBuf>) -> Vec<InForce> {
    let file = file.map_or_else(String::new, |path| path.display().to_string());
    let environment = |is_set: bool, name: &'static str, value: &'static str| is_set.then_some((value, name));
    let reads = |on: bool| (if on { "true" } else { "false" }, SCREEN_READER);
    let screen_reader = || screen_reader().map(reads);
    let plain = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    let line = |name: &str| config.lines.get(name).copied();
    let setting = |name: &str, forced: Option<(&str, &str)>, given: Option<&str>, usual: &str| {
        let (value, from, line) = match (forced, given) {
            (Some((value, from)), _) => (value, from, None),
            (None, Some(value)) => (value, file.as_str(), line(name)),
            (None, None) => (usual, BUILT_IN, None),
        };
        InForce { name: name.to_owned(), value: value.to_owned(), from: from.to_owned(), line }
    };
    let name_of = |all: &[(ClipboardMode, &'static str)], mode| all.iter().find(|(of, _)| *of == mode).map(|of| of.1);
    let theme = config.theme.and_then(|theme| ThemeName::ALL.iter().find(|(of, _)| *of == theme)).map(|of| of.1);
    let glyphs = config.glyphs.map(|glyphs| if glyphs == GlyphSet::Ascii { "ascii" } else { "unicode" });
    let clipboard = config.clipboard.and_then(|mode| name_of(ClipboardMode::ALL, mode));
    let on = |is_on: bool| if is_on { "true" } else { "false" };
    let mut all = vec![
        setting("theme", environment(plain, "NO_COLOR", "none"), theme, "dark"),
        setting("glyphs", environment(!terminal::is_utf8(), "the locale", "ascii"), glyphs, "unicode"),
        setting("clipboard", None, clipboard, "auto"),
        setting("clock", None, config.clock.map(|of| if of == Clock::Local { "local" } else { "utc" }), "utc"),
        setting("mouse", None, config.mouse.map(|of| on(of == Mouse::Captured)), "true"),
        setting("screen-reader", screen_reader(), config.screen_reader.map(on), "false"),
        setting("animation", None, config.animation.map(|of| on(of == Animation::Moving)), "true"),
    ];
    let role = |role: Role| Role::ALL.iter().find(|(of, _)| *of == role).map_or("", |(_, name)| name);
    let of_file = |name: String, value: String| {
        let line = line(&name);
        InForce { name, value, from: file.clone(), line }
    };
    let colors = config.patch.iter();
    all.extend(colors.map(|(of, style)| of_file(format!("colors.{}", role(*of)), style_words(*style))));
    let usual = Keymap::default();
    for command in COMMANDS {
        let keys = |keymap: &Keymap| -> Vec<String> {
            let of_scope = |scope: &_| keymap.keys(*scope, command.id);
            command.scopes.first().map(of_scope).unwrap_or_default().iter().map(ToString::to_string).collect()
        };
        let (own, keys) = (keys(&usual), keys(&config.keymap));
        if own != keys {
            all.push(of_file(format!("keys.{}", command.name), keys.join(" ")));
        }
    }
    all
}
