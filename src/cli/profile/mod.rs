//! `trustline profile`: make, list, show and find profiles.

mod create;
mod set;
mod show;

use std::io::Read;
use std::path::{Path, PathBuf};

use clap::builder::PossibleValuesParser;
use clap::{Args, Subcommand};
use zeroize::Zeroizing;

use self::create::NewArgs;
use self::set::SetArgs;
use self::show::{ListArgs, ShowArgs};
use super::exit::{CliError, Exit};
use super::flags::OutputFormat;
use super::{profile_file, settings, terminal};
use crate::domain::profile::edit::render;
use crate::domain::profile::key::Key;
use crate::domain::profile::resolve::guide_of;
use crate::domain::profile::setting::{Origin, Setting, Value};
use crate::domain::profile::{Guide, document};
use crate::domain::text::visible;
use crate::guide::{Change, Import, import};
use crate::private_file;
use crate::probe::regular_file;

/// Arguments of `trustline profile`.
#[derive(Debug, Args)]
pub(super) struct ProfileArgs {
    #[command(subcommand)]
    command: ProfileCommand,
}

#[derive(Debug, Subcommand)]
enum ProfileCommand {
    /// Make a profile; asks for what is missing, on a terminal
    New(NewArgs),
    /// Fill values from a role's ARN, a trust policy, an answer of aws or az, or a token
    Import(ImportArgs),
    /// Change values; prints the command that puts the old ones back
    Set(SetArgs),
    /// List the profiles, and say which hold mistakes
    List(ListArgs),
    /// Print the values in effect, each with where it came from
    Show(ShowArgs),
    /// Print the profiles' folder, or the file of one, whether or not it exists
    Path {
        /// Name of the profile
        name: Option<String>,
    },
}

pub(super) fn run(args: &ProfileArgs) -> Result<Exit, CliError> {
    match &args.command {
        ProfileCommand::New(args) => create::run(args),
        ProfileCommand::Import(args) => import_profile(args),
        ProfileCommand::Set(args) => set::run(args),
        ProfileCommand::List(args) => show::list(args),
        ProfileCommand::Show(args) => show::show(args),
        ProfileCommand::Path { name } => {
            let path = name.as_ref().map_or_else(settings::folder, |name| settings::file_of(name))?;
            print(&format!("{}\n", path.display()))
        }
    }
}

/// Prints to standard output.
fn print(text: &str) -> Result<Exit, CliError> {
    terminal::print(text)?;
    Ok(Exit::Passed)
}

enum Form {
    Text,
    Json,
}

impl Form {
    fn of(output: OutputFormat) -> Form {
        if output == OutputFormat::Json { Form::Json } else { Form::Text }
    }
}

/// More than any answer that is worth reading, in bytes.
const LARGEST: u64 = 1024 * 1024;

/// Arguments of `trustline profile import`.
#[derive(Debug, Args)]
struct ImportArgs {
    /// Name of the profile; made where there is none
    name: String,
    /// File with the text, or - for standard input
    file: PathBuf,
    /// Setup guide of a profile that is made
    #[arg(long, value_name = "GUIDE", value_parser = PossibleValuesParser::new(Guide::ALL.iter().map(|guide| guide.id())))]
    guide: Option<String>,
}

fn import_profile(args: &ImportArgs) -> Result<Exit, CliError> {
    let path = settings::file_of(&args.name)?;
    let exists = path.symlink_metadata().is_ok();
    let before = if exists { document::parse(&settings::read(&path)?, &path).0 } else { Vec::new() };
    let named = args.guide.as_deref().and_then(|id| Guide::ALL.iter().copied().find(|guide| guide.id() == id));
    let guide = guide_of(&before).or(named).ok_or_else(|| {
        CliError::new(format!("nothing says which guide the profile `{}` follows", args.name))
            .with_hint("name one with --guide, such as aws-workload-identity")
    })?;
    let import = import(&text(&args.file)?, guide);
    if import.taken.is_empty() {
        let nothing = CliError::new("nothing was taken, and nothing was written");
        return Err(import
            .left
            .iter()
            .fold(nothing, |error, left| error.with_hint(format!("{}: {}", left.what, left.why))));
    }
    if !exists {
        let value = Value::Text(guide.id().to_owned());
        let text = render(&[Setting { key: Key::Guide, value, origin: Origin::Flag }]);
        let refuse = |error: std::io::Error| CliError::new(format!("{}: {error}", path.display()));
        private_file::create_folder(path.parent().unwrap_or(Path::new("."))).map_err(refuse)?;
        private_file::write_new(&path, text.as_bytes()).map_err(refuse)?;
    }
    let values = import.taken.iter().map(|taken| (taken.key, Some(taken.value.clone()))).collect();
    profile_file::change(&path, &Change::Set(values))?;
    print(&told(&import, &before))
}

/// The text of a file or of standard input. It may hold a secret, and is wiped.
fn text(path: &Path) -> Result<Zeroizing<String>, CliError> {
    let is_stdin = path == Path::new("-");
    let shown = if is_stdin { "standard input".to_owned() } else { path.display().to_string() };
    let refuse = |what: String| CliError::new(format!("{shown}: {what}"));
    let source: Box<dyn Read> = if is_stdin {
        Box::new(std::io::stdin())
    } else {
        Box::new(regular_file::open(path).map_err(|e| refuse(e.to_string()))?)
    };
    let mut text = Zeroizing::new(String::new());
    source.take(LARGEST + 1).read_to_string(&mut text).map_err(|error| refuse(error.to_string()))?;
    Ok(text)
}

fn told(import: &Import, before: &[Setting]) -> String {
    let mut text = format!("read as {}\n", import.kind);
    for taken in &import.taken {
        let hidden = taken.key == Key::ExternalId;
        let shown =
            |value: &Value| if hidden { "(not shown)".to_owned() } else { visible(&value.to_string()).into_owned() };
        let was = before.iter().find(|setting| setting.key == taken.key && setting.value != taken.value);
        let was = was.map_or_else(String::new, |setting| format!(", instead of {}", shown(&setting.value)));
        let (key, value, from) = (taken.key.path(), shown(&taken.value), visible(&taken.from));
        text.push_str(&format!("  {key} = {value}  (from {from}{was})\n"));
    }
    for left in &import.left {
        text.push_str(&format!("  left: {}: {}\n", visible(&left.what), visible(&left.why)));
    }
    text
}
