//! `profile set`: other values in a profile's file, its comments kept; what stood there is printed as the way back.

use std::path::Path;

use clap::Args;

use super::super::{profile_file, settings};
use super::print;
use crate::cli::exit::CliError;
use crate::cli::exit::Exit;
use crate::cli::flags::{ProfileSelector, assignment, one_of};
use crate::domain::profile::document::{self, argument, parse_flag};
use crate::domain::profile::key::Key;
use crate::domain::profile::resolve::resolve;
use crate::domain::profile::setting::{Problem, Setting, Value};
use crate::guide::Change;
use crate::guide::form::shell::quote;

/// Arguments of `trustline profile set`.
#[derive(Debug, Args)]
#[command(group = one_of("chosen").args(["profile", "profile_file"]))]
pub(super) struct SetArgs {
    /// Change the profile of this name
    #[arg(long, value_name = "NAME", conflicts_with = "profile_file")]
    profile: Option<String>,
    /// Change the profile in this file
    #[arg(long, value_name = "FILE")]
    profile_file: Option<std::path::PathBuf>,
    /// What to set, such as aws.region=eu-west-1; an empty value removes the key
    #[arg(value_name = "KEY=VALUE", required = true, value_parser = assignment(), hide_possible_values = true)]
    values: Vec<String>,
}

/// A key with the value that it gets, or with none.
type Wanted = (Key, Option<Value>);

pub(super) fn run(args: &SetArgs) -> Result<Exit, CliError> {
    let selector = ProfileSelector {
        profile: args.profile.clone(),
        profile_file: args.profile_file.clone(),
        ..ProfileSelector::default()
    };
    let Some(path) = settings::path(&selector)? else {
        return Err(CliError::new("no profile is named").with_hint("name one with --profile or --profile-file"));
    };
    let name = args.profile.clone().unwrap_or_else(|| path.display().to_string());
    let wanted = wanted(&args.values).map_err(|problems| settings::refusal(&name, &problems))?;
    let (before, _) = document::parse(&settings::read(&path)?, &path);
    let problems = problems(&name, &before, &wanted, &path);
    if !problems.is_empty() {
        return Err(settings::refusal(&name, &problems));
    }
    profile_file::change(&path, &Change::Set(wanted.clone()))?;
    print(&format!("{}\n", way_back(&selector.chosen_by().unwrap_or_default(), &before, &wanted)))
}

fn wanted(arguments: &[String]) -> Result<Vec<Wanted>, Vec<Problem>> {
    let (mut wanted, mut problems): (Vec<Wanted>, Vec<Problem>) = (Vec::new(), Vec::new());
    for argument in arguments {
        let removed = argument.strip_suffix('=').and_then(Key::parse);
        match removed.map_or_else(|| parse_flag(argument).map(|s| (s.key, Some(s.value))), |key| Ok((key, None))) {
            Ok((key, value)) => {
                wanted.retain(|(earlier, _)| *earlier != key);
                wanted.push((key, value));
            }
            Err(problem) => problems.push(problem),
        }
    }
    if problems.is_empty() { Ok(wanted) } else { Err(problems) }
}

/// What would be wrong with the values that are set; what is wrong already in others does not keep these from being
/// corrected.
fn problems(name: &str, before: &[Setting], wanted: &[Wanted], path: &Path) -> Vec<Problem> {
    let stays = |setting: &&Setting| {
        let is_replaced = wanted.iter().any(|(key, value)| {
            *key == setting.key || value.is_some() && key.is_token_source() && setting.key.is_token_source()
        });
        !is_replaced
    };
    let mut after: Vec<Setting> = before.iter().filter(stays).cloned().collect();
    let origin = |key: &Key| {
        let stands = before.iter().find(|setting| setting.key == *key).map(|setting| setting.origin.clone());
        stands.unwrap_or(crate::domain::profile::setting::Origin::File { path: path.to_owned(), line: 0 })
    };
    after.extend(
        wanted
            .iter()
            .filter_map(|(key, value)| Some(Setting { key: *key, value: value.clone()?, origin: origin(key) })),
    );
    let wrong = resolve(name, &[], &after, &|_| None).err().unwrap_or_default();
    let is_set = |problem: &Problem| wanted.iter().any(|(key, _)| key.path() == problem.key);
    wrong.into_iter().filter(is_set).map(|problem| Problem { origin: None, ..problem }).collect()
}

/// The command that puts back what stood there.
fn way_back(chosen_by: &str, before: &[Setting], wanted: &[Wanted]) -> String {
    let old = |key: Key| before.iter().find(|setting| setting.key == key);
    let mut command = format!("trustline profile set {chosen_by}");
    for (key, value) in wanted {
        // Setting one source of the token removes the other, in either direction.
        let other = before.iter().find(|s| s.key != *key && s.key.is_token_source());
        let setting = match other.filter(|_| value.is_some() && key.is_token_source()) {
            Some(other) => Some(other),
            None => old(*key),
        };
        let assignment = match setting {
            Some(setting) => format!("{}={}", setting.key.path(), argument(&setting.value)),
            None => format!("{}=", key.path()),
        };
        command.push(' ');
        command.push_str(&quote(&assignment));
    }
    command
}
