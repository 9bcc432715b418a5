//! The arguments of `trustline rotate`, and what they ask for.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::value::NewValueArgs;
use crate::cli::exit::{CliError, Exit};
use crate::cli::flags::{
    DocumentOutputArgs, NetworkArgs, OutputFormat, PageOutputArgs, ProfileSelector, seconds, seconds_or_zero,
};
use crate::cli::operator::OperatorArgs;
use crate::cli::rotation_files::evidence::read_text;
use crate::cli::{rotate, terminal};
use crate::domain::profile::Profile;
use crate::domain::rotation::evidence::check::{Break, Chain, read};
use crate::domain::runtime_output::RuntimeOutput;
use crate::domain::secret_ref::SecretRef;
use crate::domain::text::visible;
use crate::run::rotation::event::RotationMethod;
use crate::run::rotation::live::RuntimeSource;
use crate::run::rotation::session::{Pace, RollBack, RuntimeFrom};

/// How long a rotation by hand or by a command is waited for where nothing else is asked.
const STORE_WAIT: Duration = Duration::from_secs(600);
/// The first pause between two looks.
const FIRST_PAUSE: Duration = Duration::from_millis(250);
/// How long a text of the automation's is waited for where nothing else is asked.
const TEXT_WAIT: Duration = Duration::from_secs(600);

/// Arguments of `trustline rotate`.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(in crate::cli) struct RotateArgs {
    #[command(subcommand)]
    pub(super) action: Option<RotateAction>,
    #[command(flatten)]
    pub(super) selector: ProfileSelector,
    #[command(flatten)]
    pub(super) network: NetworkArgs,
    /// The secrets to rotate, instead of the profile's
    #[arg(long = "secret", value_name = "NAME[#KEY],…", value_delimiter = ',', value_parser = secret)]
    named: Vec<SecretRef>,
    #[command(flatten)]
    pub(super) new_value: NewValueArgs,
    /// Let this program rotate; must be the last flag, as all that follows belongs to the program
    #[arg(long, value_name = "PROGRAM", num_args = 1.., allow_hyphen_values = true, group = "way", group = "last")]
    pub(super) command: Vec<String>,
    /// The rotation has been made: compare the current version with the one before it
    #[arg(long, group = "way")]
    already: bool,
    /// Report each rotation that is seen, until interrupted
    #[arg(long, group = "way")]
    watch: bool,
    /// Write without asking for confirmation
    #[arg(long)]
    pub(super) yes: bool,
    #[command(flatten)]
    pub(super) operator: OperatorArgs,
    /// Run the profile's deployment before and after, and look for the fingerprint in its answers
    #[arg(long, group = "runtime")]
    kickoff: bool,
    /// What the automation printed before; - for standard input
    #[arg(long, value_name = "FILE", conflicts_with_all = ["kickoff", "runtime_text", "runtime_log", "runtime_command"])]
    runtime_before: Option<PathBuf>,
    /// What the automation printed after; - for standard input
    #[arg(long, value_name = "FILE", group = "runtime")]
    runtime_after: Option<PathBuf>,
    /// As --runtime-after, read only when the new version is there; - waits for what is pasted
    #[arg(long, value_name = "FILE", group = "runtime", conflicts_with = "watch")]
    pub(super) runtime_text: Option<PathBuf>,
    /// A log file that the automation prints to
    #[arg(long, value_name = "FILE", group = "runtime")]
    runtime_log: Option<PathBuf>,
    /// A program that prints the automation's output, such as kubectl logs …; must be the last flag
    #[arg(long, value_name = "PROGRAM", num_args = 1.., allow_hyphen_values = true, group = "runtime", group = "last")]
    runtime_command: Vec<String>,
    /// Make the version before current again where the running automation does not get the new value
    #[arg(long)]
    rollback_on_failure: bool,
    /// Add what was seen and the verdict to this JSON file, and as Markdown beside it; note the last record's hash
    /// elsewhere, and `rotate verify-evidence FILE --noted HASH` also finds a chain that was rewritten as a whole
    #[arg(long, value_name = "FILE")]
    pub(super) evidence: Option<PathBuf>,
    /// Write the session's events to this new file
    #[arg(long, value_name = "FILE")]
    pub(super) record: Option<PathBuf>,
    /// Go on with the rotation that was interrupted: what was seen before is kept, and what was written is not written again
    #[arg(long, conflicts_with_all = ["start_anew", "watch", "already", "lab"])]
    pub(super) resume: bool,
    /// Forget the rotation that was interrupted
    #[arg(long)]
    pub(super) start_anew: bool,
    /// Wait this long for the new version, and again for a running automation that has the old value [default: 600 for
    /// the version and for --runtime-text, 0 for the automation]
    #[arg(long, value_name = "SECONDS", value_parser = seconds_or_zero)]
    wait: Option<Duration>,
    /// The longest pause between two looks
    #[arg(long, value_name = "SECONDS", default_value = "5", value_parser = seconds)]
    poll: Duration,
    #[command(flatten)]
    pub(super) output: PageOutputArgs,
}

/// What else is done with rotations.
#[derive(Debug, Subcommand)]
pub(super) enum RotateAction {
    /// Tell, offline, whether evidence is whole as it was written
    VerifyEvidence(VerifyArgs),
}

impl RotateArgs {
    /// Refuses what the types alone cannot.
    pub(super) fn validate(&self) -> Result<(), CliError> {
        let stdin = |path: &Option<PathBuf>| path.as_deref().is_some_and(rotate::is_stdin);
        let texts = [&self.runtime_before, &self.runtime_after, &self.runtime_text];
        let readers = texts.map(stdin).into_iter().chain([self.new_value.reads_stdin()]);
        if readers.filter(|reads| *reads).count() > 1 {
            return Err(CliError::new(
                "standard input can be read once; put one of the texts, or the value, in a file",
            ));
        }
        if self.runtime_before.is_some() && self.runtime_after.is_none() {
            return Err(CliError::new(
                "--runtime-before is the output before the rotation; give the output after it with --runtime-after",
            ));
        }
        Ok(())
    }

    pub(super) fn way(&self) -> RotationMethod {
        if self.new_value.is_given() {
            RotationMethod::Trustline
        } else if !self.command.is_empty() {
            RotationMethod::Command
        } else if self.already {
            RotationMethod::Already
        } else if self.watch {
            RotationMethod::Watch
        } else {
            RotationMethod::ByHand
        }
    }

    /// The secrets of the session.
    pub(super) fn secrets(&self, profile: &Profile) -> Result<Vec<SecretRef>, CliError> {
        let mut secrets = self.named.clone();
        if secrets.is_empty() {
            secrets.extend(profile.secret.clone());
        }
        match secrets.len() {
            0 => Err(CliError::new("no secret is named; set secret.name in the profile, or write --secret NAME")),
            1 => Ok(secrets),
            _ if self.new_value.is_given() && !self.new_value.generates() => Err(CliError::new(
                "one value is not written to several secrets; rotate them one by one, or let --generate make a value for each",
            )),
            _ => Ok(secrets),
        }
    }

    pub(super) fn runtime_source(&self, profile: &Profile) -> Result<RuntimeSource, CliError> {
        if self.kickoff {
            if profile.deployment.url.is_none() {
                return Err(CliError::new(
                    "--kickoff needs a deployment, and the profile names none; set deployment.url",
                ));
            }
            return Ok(RuntimeSource::Kickoff);
        }
        if let Some(path) = &self.runtime_log {
            return Ok(RuntimeSource::Log(path.clone()));
        }
        if !self.runtime_command.is_empty() {
            return Ok(RuntimeSource::Command(self.runtime_command.clone()));
        }
        let text = |path: &Option<PathBuf>| {
            path.as_ref().map(|path| rotate::read(path).map(|text| RuntimeOutput::of(&text))).transpose()
        };
        match (text(&self.runtime_before)?, text(&self.runtime_after)?) {
            (None, None) => Ok(RuntimeSource::Nowhere),
            (before, after) => Ok(RuntimeSource::Texts { before, after }),
        }
    }

    pub(super) fn runtime_from(&self) -> RuntimeFrom {
        let looks = self.kickoff
            || self.runtime_after.is_some()
            || self.runtime_log.is_some()
            || !self.runtime_command.is_empty();
        match (looks, &self.runtime_text) {
            (true, _) => RuntimeFrom::World,
            (false, Some(_)) => RuntimeFrom::Pasted,
            (false, None) => RuntimeFrom::Nowhere,
        }
    }

    pub(super) fn roll_back(&self) -> RollBack {
        if self.rollback_on_failure {
            RollBack::OnFailure
        } else if self.way() == RotationMethod::Trustline && rotate::needs_terminal().is_ok() {
            RollBack::Ask
        } else {
            RollBack::Never
        }
    }

    pub(super) fn pace(&self) -> Pace {
        // Somebody who pastes a text has to make the automation run first.
        let runtime = if self.runtime_text.is_some() { TEXT_WAIT } else { Duration::ZERO };
        Pace {
            first: FIRST_PAUSE.min(self.poll),
            longest: self.poll,
            store: self.wait.unwrap_or(STORE_WAIT),
            runtime: self.wait.unwrap_or(runtime),
        }
    }
}

fn secret(text: &str) -> Result<SecretRef, String> {
    SecretRef::parse(text).map_err(|error| error.to_string())
}

/// Arguments of `trustline rotate verify-evidence`.
#[derive(Debug, Args)]
pub(in crate::cli) struct VerifyArgs {
    /// Files that `--evidence` wrote
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
    /// A record's hash as it was noted elsewhere, in a ticket for example; it must be in one of the files
    #[arg(long, value_name = "HASH")]
    noted: Vec<String>,
    #[command(flatten)]
    output: DocumentOutputArgs,
}

/// A file and what is wrong with it.
struct Verified {
    file: String,
    chain: Option<Chain>,
    breaks: Vec<Break>,
}

pub(in crate::cli) fn run(args: &VerifyArgs) -> Result<Exit, CliError> {
    let print: fn(&[Verified], &[&String]) -> String = match args.output.output {
        OutputFormat::Json => |files, missing| terminal::json_text(&document(files, missing)),
        _ => text,
    };
    let files: Vec<Verified> = args.files.iter().map(|path| verify(path)).collect::<Result<_, _>>()?;
    let missing: Vec<&String> = args
        .noted
        .iter()
        .filter(|noted| !files.iter().filter_map(|file| file.chain.as_ref()).any(|chain| chain.has_hash(noted)))
        .collect();
    terminal::print(&print(&files, &missing))?;
    let whole = missing.is_empty() && files.iter().all(|file| file.breaks.is_empty());
    Ok(if whole { Exit::Passed } else { Exit::Failed })
}

fn verify(path: &Path) -> Result<Verified, CliError> {
    let refuse = |what: &str| CliError::new(format!("{}: {what}", path.display()));
    let text = read_text(path).map_err(|what| refuse(&what))?.ok_or_else(|| refuse("there is no such file"))?;
    let file = path.display().to_string();
    Ok(match read(&text) {
        Ok(chain) => Verified { file, breaks: chain.breaks(), chain: Some(chain) },
        Err(broken) => Verified { file, chain: None, breaks: vec![broken] },
    })
}

fn text(files: &[Verified], missing: &[&String]) -> String {
    let mut text = String::new();
    for file in files {
        let name = visible(&file.file);
        if !file.breaks.is_empty() {
            let _ = writeln!(text, "{name}: broken");
            for broken in &file.breaks {
                let _ = writeln!(text, "  {}", visible(&broken.to_string()));
            }
        } else if let Some(chain) = &file.chain {
            let (count, hash) = (chain.records(), &chain.end.head.hash);
            let plural = if count == 1 { "" } else { "s" };
            let _ = writeln!(text, "{name}: whole, {count} record{plural}; the last one's hash is {hash}");
        }
    }
    for noted in missing {
        let _ = writeln!(
            text,
            "{}: no record has this hash: what it was noted for was changed or left out",
            visible(noted)
        );
    }
    text
}

fn document(files: &[Verified], missing: &[&String]) -> Value {
    let files: Vec<Value> = files
        .iter()
        .map(|file| {
            json!({
                "file": file.file,
                "whole": file.breaks.is_empty(),
                "records": file.chain.as_ref().map_or(0, Chain::records),
                "head": file.chain.as_ref().map(|chain| &chain.end.head.hash),
                "breaks": file.breaks.iter().map(Break::to_string).collect::<Vec<_>>(),
            })
        })
        .collect();
    json!({ "schema": "trustline.evidence-check/1", "files": files, "noted_missing": missing })
}
