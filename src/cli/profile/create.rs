//! `profile new`: from `--set`, and on a terminal from answers, to a file of its own.

use std::io::{BufRead, ErrorKind, IsTerminal as _, Write};
use std::path::Path;

use clap::Args;
use clap::builder::PossibleValuesParser;

use super::super::settings;
use super::print;
use crate::cli::exit::CliError;
use crate::cli::exit::Exit;
use crate::cli::flags::assignment;
use crate::domain::profile::Guide;
use crate::domain::profile::edit::render;
use crate::domain::profile::key::{Key, Kind};
use crate::domain::profile::resolve::{Resolved, resolve};
use crate::domain::profile::setting::Need;
use crate::domain::profile::setting::{Fault, Origin, Setting, Value};
use crate::domain::profile::value::{region_fault, text_fault};
use crate::domain::text::visible;
use crate::guide::{Question, questions};
use crate::private_file;

/// Arguments of `trustline profile new`.
#[derive(Debug, Args)]
pub(super) struct NewArgs {
    /// Name of the profile
    name: String,
    /// Setup guide that the profile follows
    #[arg(long, value_name = "GUIDE", value_parser = PossibleValuesParser::new(Guide::ALL.iter().map(|guide| guide.id())))]
    guide: Option<String>,
    /// Value of a key, such as aws.role-arn=arn:aws:iam::123456789012:role/NAME
    #[arg(long = "set", value_name = "KEY=VALUE", value_parser = assignment(), hide_possible_values = true)]
    set: Vec<String>,
}

pub(super) fn run(args: &NewArgs) -> Result<Exit, CliError> {
    let path = settings::file_of(&args.name)?;
    if path.symlink_metadata().is_ok() {
        return Err(exists(&path));
    }
    let mut problems = Vec::new();
    let mut given = settings::flags(&args.set, &mut problems);
    if let Some(id) = &args.guide {
        given.push(answer(Key::Guide, id));
    }
    if !problems.is_empty() {
        return Err(settings::refusal(&args.name, &problems));
    }
    let validated = |given: &[Setting]| {
        resolve(&args.name, given, &[], &|_| None).map_err(|problems| settings::refusal(&args.name, &problems))
    };
    let guide = validated(&given)?.profile.guide;
    if let Err(lacks) = complete(&args.name, guide, &given) {
        if !(std::io::stdin().is_terminal() && std::io::stderr().is_terminal()) {
            return Err(lacks);
        }
        interview(guide, &mut given, &mut std::io::stdin().lock(), &mut std::io::stderr())?;
    }
    let Resolved { profile, settings } = validated(&given)?;
    let named = |setting: &Setting| setting.origin != Origin::Default || setting.key == Key::Guide;
    let settings: Vec<Setting> = settings.into_iter().filter(named).map(absolute).collect();
    write_new(&path, &render(&settings))?;
    print(&format!(
        "made {}\ncheck it with `trustline check --profile {}`\n",
        visible(&path.display().to_string()),
        profile.name
    ))
}

/// What is known before the guide's first step. The rest of what it needs comes of its steps, and may follow.
const KNOWN_BEFOREHAND: &[Key] = &[Key::Region, Key::TenantId];

fn is_needed(question: &Question) -> bool {
    question.need == Need::Required && KNOWN_BEFOREHAND.contains(&question.key)
}

/// Refuses what the guide cannot do without, all of it at once.
fn complete(name: &str, guide: Guide, given: &[Setting]) -> Result<(), CliError> {
    let missing: Vec<Question> = missing(guide, given).filter(is_needed).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let mut error = CliError::new(format!("the profile `{name}` lacks what the guide {} needs", guide.id()));
    for question in missing {
        error = error.with_hint(format!("--set {}=…  {}", question.key.path(), question.ask));
    }
    Err(error)
}

/// The guide's questions that nothing answers yet. One source of the token answers for all.
fn missing<'a>(guide: Guide, given: &'a [Setting]) -> impl Iterator<Item = Question> + use<'a> {
    questions(guide).into_iter().filter(|question| {
        !given.iter().any(|setting| {
            setting.key == question.key || (setting.key.is_token_source() && question.key.is_token_source())
        })
    })
}

fn answer(key: Key, text: &str) -> Setting {
    Setting { key, value: Value::Text(text.to_owned()), origin: Origin::Flag }
}

/// Asks for the guide, where none is named, and for what it lacks.
fn interview(
    fitting: Guide,
    given: &mut Vec<Setting>,
    input: &mut impl BufRead,
    output: &mut impl Write,
) -> Result<(), CliError> {
    let named = given.iter().any(|setting| setting.key == Key::Guide);
    let guide = if named { fitting } else { ask_guide(fitting, input, output)? };
    if !named {
        given.push(answer(Key::Guide, guide.id()));
    }
    ask(guide, given, input, output)
}

/// Asks which guide to follow, by number or id; an empty answer takes the one that fits what is known.
fn ask_guide(fitting: Guide, input: &mut impl BufRead, output: &mut impl Write) -> Result<Guide, CliError> {
    for (number, guide) in Guide::ALL.iter().enumerate() {
        say(output, &format!("  {}  {}\n", number + 1, guide.id()))?;
    }
    loop {
        say(output, &format!("Guide [{}]: ", fitting.id()))?;
        let line = read_line(input)?;
        let by_number = line.parse::<usize>().ok().and_then(|number| Guide::ALL.get(number.checked_sub(1)?));
        match by_number.or_else(|| Guide::ALL.iter().find(|guide| guide.id() == line)) {
            Some(guide) => return Ok(*guide),
            None if line.is_empty() => return Ok(fitting),
            None => say(output, &format!("  write a number from 1 to {}\n", Guide::ALL.len()))?,
        }
    }
}

/// Asks for everything missing, a line each, until the answer is right. Optional ones may stay empty.
fn ask(
    guide: Guide,
    given: &mut Vec<Setting>,
    input: &mut impl BufRead,
    output: &mut impl Write,
) -> Result<(), CliError> {
    let open: Vec<Question> = missing(guide, given).collect();
    for question in open {
        let optional = if is_needed(&question) { "" } else { ", or nothing" };
        loop {
            say(output, &format!("{}{optional}: ", question.ask))?;
            let line = read_line(input)?;
            if line.is_empty() && !is_needed(&question) {
                break;
            }
            match answer_fault(question.key, &line) {
                None => {
                    given.push(answer(question.key, &line));
                    break;
                }
                Some(fault) => say(output, &format!("  {}; {}\n", fault.wrong, fault.instead))?,
            }
        }
    }
    Ok(())
}

fn answer_fault(key: Key, text: &str) -> Option<Fault> {
    text_fault(key, text).or_else(|| if key == Key::Region { region_fault(text) } else { None })
}

fn say(output: &mut impl Write, text: &str) -> Result<(), CliError> {
    let shown = crate::domain::text::visible_lines(text);
    output
        .write_all(shown.as_bytes())
        .and_then(|()| output.flush())
        .map_err(|error| CliError::new(format!("standard error: {error}")))
}

/// One line without its end. Blanks around it stay, so that validation can name them.
fn read_line(input: &mut impl BufRead) -> Result<String, CliError> {
    let mut line = String::new();
    match input.read_line(&mut line) {
        Ok(0) => Err(CliError::new("the answers ended before the profile was complete; nothing was written")),
        Ok(_) => Ok(line.trim_end_matches(['\n', '\r']).to_owned()),
        Err(error) => Err(CliError::new(format!("standard input: {error}"))),
    }
}

/// A path given on the command line starts here; in the file it would start at the file's folder.
fn absolute(mut setting: Setting) -> Setting {
    if let (Kind::Path, Value::Text(path)) = (setting.key.kind(), &setting.value)
        && let Some(absolute) = std::path::absolute(path).ok().and_then(|path| path.into_os_string().into_string().ok())
    {
        setting.value = Value::Text(absolute);
    }
    setting
}

/// Writes a file that does not exist yet, readable by its owner alone: whole, or not at all.
fn write_new(path: &Path, text: &str) -> Result<(), CliError> {
    let refuse = |path: &Path, error: std::io::Error| CliError::new(format!("{}: {error}", path.display()));
    let folder = path.parent().unwrap_or(Path::new("."));
    private_file::create_folder(folder).map_err(|error| refuse(folder, error))?;
    private_file::write_new(path, text.as_bytes()).map_err(|error| match error.kind() {
        ErrorKind::AlreadyExists => exists(path),
        _ => refuse(path, error),
    })
}

fn exists(path: &Path) -> CliError {
    let what = if path.is_symlink() { "is a symbolic link" } else { "exists already" };
    CliError::new(format!("{} {what}, and is not written over", path.display()))
        .with_hint("choose another name, or remove it first")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn asks_for_what_is_missing_until_it_is_right() {
        let mut given = vec![answer(Key::Region, "us-east-1"), answer(Key::TokenEnv, "T")];
        let role = "arn:aws:iam::123456789012:role/r";
        let answers: String = missing(Guide::AwsWorkloadIdentity, &given)
            .map(|question| match question.key {
                Key::RoleArn => format!("arn:aws:iam::123456789012:user/u\n{role}\n"),
                Key::SecretName => "db#password\n".to_owned(),
                _ => "\n".to_owned(),
            })
            .collect();
        let mut said = Vec::new();
        ask(Guide::AwsWorkloadIdentity, &mut given, &mut answers.as_bytes(), &mut said).unwrap();
        let said = String::from_utf8(said).unwrap();
        assert!(said.contains("is the ARN of an IAM user") && !said.contains("AWS region"), "{said}");
        let text: Vec<String> = given.iter().map(|s| format!("{}={}", s.key.path(), s.value)).collect();
        assert_eq!(text[2..], [format!("aws.role-arn={role}"), "secret.name=db#password".to_owned()]);
        assert!(complete("p", Guide::AwsWorkloadIdentity, &given).is_ok());
    }

    #[test]
    fn answers_that_end_early_are_an_error() {
        let mut given = Vec::new();
        assert!(ask(Guide::AwsStatic, &mut given, &mut "".as_bytes(), &mut Vec::new()).is_err());
    }

    #[test]
    fn the_guide_is_chosen_by_number_id_or_default() {
        for (typed, chosen) in
            [("\n", Guide::GitlabAws), ("99\n0\n2\n", Guide::AzureWorkloadIdentity), ("aws-static\n", Guide::AwsStatic)]
        {
            let guide = ask_guide(Guide::GitlabAws, &mut typed.as_bytes(), &mut Vec::new());
            assert_eq!(guide, Ok(chosen), "{typed}");
        }
    }
}
