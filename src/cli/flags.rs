//! The groups of flags that several subcommands share.

use std::ffi::OsStr;
use std::fs::File;
use std::io::BufWriter;
use std::net::IpAddr;
use std::ops::Deref;
use std::path;
use std::path::{Path, PathBuf};
use std::str::FromStr as _;
use std::time::Duration;

use clap::builder::{PossibleValue, PossibleValuesParser, StringValueParser, TypedValueParser};
use clap::{Arg, ArgGroup, ArgMatches, Args, Command, FromArgMatches, ValueEnum};

use super::exit::CliError;
use crate::check::CheckId;
use crate::check::clouds::Asked;
use crate::domain::ids::UnknownId;
use crate::domain::profile::capability::Capability;
use crate::domain::profile::key::Key;
use crate::domain::relying_party::RelyingParty;
use crate::guide::form::shell::quote;
use crate::private_file;
use crate::run::record::Recorder;

/// What takes the place of one another: where all are missing, each of them is told as a way on.
pub(super) fn one_of(name: &'static str) -> ArgGroup {
    ArgGroup::new(name).required(true).multiple(true)
}

/// The form of a report.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum OutputFormat {
    /// For people
    #[default]
    Text,
    /// For programs, with a versioned schema
    Json,
    /// For CI test reports
    Junit,
    /// For tickets
    Markdown,
    /// For GitHub Actions: annotations, and the job's summary
    Github,
    /// For code scanning: SARIF 2.1.0
    Sarif,
}

/// When to colour.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum ColorChoice {
    /// On a terminal, unless NO_COLOR is set
    #[default]
    Auto,
    Always,
    Never,
}

/// How to print.
#[derive(Clone, Debug, Default, Args)]
pub(super) struct OutputArgs {
    /// Form of the report
    #[arg(long, value_enum, default_value_t, value_name = "FORM")]
    pub output: OutputFormat,
    /// When to colour
    #[arg(long, value_enum, default_value_t, value_name = "WHEN")]
    pub color: ColorChoice,
}

/// How to print what has not every form: the first so many of the forms that people and programs read.
#[derive(Clone, Debug, Default)]
pub(super) struct SomeOutputArgs<const COUNT: usize>(OutputArgs);

/// Text and JSON.
pub(super) type DocumentOutputArgs = SomeOutputArgs<2>;
/// Text, JSON and Markdown.
pub(super) type PageOutputArgs = SomeOutputArgs<3>;
/// These, and what a CI shows beside code.
pub(super) type CodeOutputArgs = SomeOutputArgs<5>;

const FORMS: [OutputFormat; 5] =
    [OutputFormat::Text, OutputFormat::Json, OutputFormat::Markdown, OutputFormat::Github, OutputFormat::Sarif];

impl<const COUNT: usize> Deref for SomeOutputArgs<COUNT> {
    type Target = OutputArgs;

    fn deref(&self) -> &OutputArgs {
        &self.0
    }
}

impl<const COUNT: usize> FromArgMatches for SomeOutputArgs<COUNT> {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        OutputArgs::from_arg_matches(matches).map(SomeOutputArgs)
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        self.0.update_from_arg_matches(matches)
    }
}

impl<const COUNT: usize> Args for SomeOutputArgs<COUNT> {
    fn augment_args(command: clap::Command) -> clap::Command {
        let forms = FORMS.iter().take(COUNT).filter_map(ValueEnum::to_possible_value);
        let forms = PossibleValuesParser::new(forms).try_map(|form| OutputFormat::from_str(&form, false));
        OutputArgs::augment_args(command).mut_arg("output", |output| output.value_parser(forms))
    }

    fn augment_args_for_update(command: clap::Command) -> clap::Command {
        Self::augment_args(command)
    }
}

/// Which clouds are asked whether they take a token.
#[derive(Clone, Debug, Default, Args)]
pub(super) struct CloudArgs {
    /// Ask these clouds alone; if one refuses, the status is 1
    #[arg(long = "for", value_name = "CLOUD,…", value_delimiter = ',', value_parser = clouds())]
    named: Vec<String>,
}

impl CloudArgs {
    /// The named ones; all where none is.
    pub(super) fn asked(&self) -> Asked {
        Asked::of(&self.named.iter().filter_map(|id| RelyingParty::named(id)).collect::<Vec<_>>())
    }
}

fn clouds() -> PossibleValuesParser {
    PossibleValuesParser::new(RelyingParty::ids())
}

/// How to reach the network.
#[derive(Clone, Debug, Args)]
pub(super) struct NetworkArgs {
    /// Trust the authorities in this PEM file too, beside the system's
    #[arg(long, value_name = "PEM")]
    pub ca_file: Option<PathBuf>,
    /// Dial this name at these addresses instead of looking it up (such as app.example.com=203.0.113.7,2001:db8::7)
    #[arg(long, value_name = "NAME=ADDRESS,…", value_parser = addresses)]
    pub resolve: Vec<(String, Vec<IpAddr>)>,
    /// Give up after this many seconds; any one network operation gets at most 10 of them
    #[arg(long, value_name = "SECONDS", default_value = "30", value_parser = seconds)]
    pub timeout: Duration,
}

/// Which profile to use.
#[derive(Clone, Debug, Default, Args)]
pub(super) struct ProfileSelector {
    /// Use the profile of this name
    #[arg(long, value_name = "NAME", conflicts_with_all = ["profile_file", "lab"])]
    pub profile: Option<String>,
    /// Use the profile in this file
    #[arg(long, value_name = "FILE", conflicts_with = "lab")]
    pub profile_file: Option<PathBuf>,
    /// Start the lab inside this process and point the profile at it
    #[arg(long, value_name = "SCENARIO", num_args = 0..=1, default_missing_value = "healthy")]
    pub lab: Option<String>,
    /// Set one value of the profile, over environment and file (such as aws.region=eu-west-1)
    #[arg(long = "set", value_name = "KEY=VALUE", value_parser = assignment(), hide_possible_values = true)]
    pub set: Vec<String>,
    /// With --profile-file: let it run the program it names for a token
    #[arg(long)]
    pub allow_command: bool,
    /// With --profile-file: let it send a token or key to this host, which is none of the clouds' own
    #[arg(long, value_name = "HOST[:PORT]")]
    pub allow_host: Vec<String>,
    /// With --profile-file: let it send what is in this file, which is outside the profile's folder
    #[arg(long, value_name = "FILE")]
    pub allow_file: Vec<PathBuf>,
    /// With --profile-file: let it send the value of this variable
    #[arg(long, value_name = "NAME")]
    pub allow_env: Vec<String>,
    /// What was agreed to on the terminal.
    #[arg(skip)]
    pub agreed: Vec<Capability>,
}

impl ProfileSelector {
    /// The one flag that names the profile's file, quoted for a shell.
    pub(super) fn chosen_by(&self) -> Option<String> {
        let file = self.profile_file.as_ref().map(|path| path::absolute(path).unwrap_or_else(|_| path.clone()));
        let by_file = || file.map(|path| format!("--profile-file {}", quote(&path.to_string_lossy())));
        self.profile.as_deref().map(|name| format!("--profile {}", quote(name))).or_else(by_file)
    }

    /// The flags that choose the same profile again, quoted for a shell.
    pub(super) fn again(&self) -> String {
        let one = |flag, value: &Option<String>| value.as_deref().map(|value| format!("{flag} {}", quote(value)));
        let many = |flag: &'static str, values: &[String]| {
            values.iter().map(move |value| format!("{flag} {}", quote(value))).collect::<Vec<_>>()
        };
        let mut flags: Vec<String> = Vec::new();
        flags.extend(self.chosen_by());
        flags.extend(one("--lab", &self.lab));
        flags.extend(self.set.iter().map(|value| format!("--set {}", set_again(value))));
        flags.extend(self.allow_command.then(|| "--allow-command".to_owned()));
        flags.extend(many("--allow-host", &self.allow_host));
        let files: Vec<String> = self.allow_file.iter().map(|path| path.to_string_lossy().into_owned()).collect();
        flags.extend(many("--allow-file", &files));
        flags.extend(many("--allow-env", &self.allow_env));
        flags.join(" ")
    }
}

/// A value of `--set`, quoted for a shell. An external id is never printed; whoever runs the command brings it.
fn set_again(value: &str) -> String {
    match value.split_once('=') {
        Some((key, _)) if key.trim() == Key::ExternalId.path() => {
            format!("{key}=\"${{EXTERNAL_ID:?the external id}}\"")
        }
        _ => quote(value),
    }
}

/// A parser with values that a shell may complete, and that are not all there are.
#[derive(Clone)]
pub(super) struct Offering<P> {
    parser: P,
    offered: fn() -> Vec<PossibleValue>,
}

impl<P> Offering<P> {
    pub(super) fn new(parser: P, offered: fn() -> Vec<PossibleValue>) -> Self {
        Offering { parser, offered }
    }
}

impl<P: TypedValueParser> TypedValueParser for Offering<P> {
    type Value = P::Value;

    fn parse_ref(&self, command: &Command, argument: Option<&Arg>, value: &OsStr) -> Result<P::Value, clap::Error> {
        self.parser.parse_ref(command, argument, value)
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        Some(Box::new((self.offered)().into_iter()))
    }
}

/// Takes any text, and offers the profile's keys.
pub(super) fn assignment() -> Offering<StringValueParser> {
    let keys = || Key::ALL.iter().map(|key| PossibleValue::new(key.assigned())).collect();
    Offering { parser: StringValueParser::new(), offered: keys }
}

/// Reads a check's id.
type ReadsCheck = fn(&str) -> Result<CheckId, UnknownId>;

/// Takes a check's id, and offers all of them.
pub(super) fn check_id() -> Offering<ReadsCheck> {
    let checks = || CheckId::ALL.iter().map(|check| PossibleValue::new(check.id()).help(check.title())).collect();
    Offering { parser: CheckId::from_str, offered: checks }
}

/// Parses a name and its addresses.
fn addresses(text: &str) -> Result<(String, Vec<IpAddr>), String> {
    let told = || "write a name and its addresses, such as app.example.com=203.0.113.7,2001:db8::7".to_owned();
    let (name, addresses) = text.split_once('=').filter(|(name, _)| !name.trim().is_empty()).ok_or_else(told)?;
    let addresses: Result<Vec<IpAddr>, _> = addresses.split(',').map(|address| address.trim().parse()).collect();
    Ok((name.trim().to_ascii_lowercase(), addresses.map_err(|_| told())?))
}

/// Parses a positive number of seconds, fractions allowed.
pub(super) fn seconds(text: &str) -> Result<Duration, String> {
    text.parse::<f64>()
        .ok()
        .filter(|s| *s > 0.0 && *s <= 86_400.0)
        .map(Duration::from_secs_f64)
        .ok_or_else(|| "write a number of seconds above 0 and up to 86400, such as 10 or 2.5".to_owned())
}

/// As [`seconds`], with zero allowed.
pub(super) fn seconds_or_zero(text: &str) -> Result<Duration, String> {
    if text.trim() == "0" { Ok(Duration::ZERO) } else { seconds(text) }
}

/// Writes to a file.
pub(super) type FileRecorder = Recorder<BufWriter<File>>;

/// Begins a recording of this schema in a file that must not exist yet.
pub(super) fn begin_recording(path: &Path, schema: &str) -> Result<FileRecorder, CliError> {
    let refused = |e: std::io::Error| match e.kind() {
        std::io::ErrorKind::AlreadyExists => {
            CliError::new(format!("--record {}: the file exists; name a new one", path.display()))
        }
        _ => CliError::new(format!("--record {}: {e}", path.display())),
    };
    let file = private_file::create(path).map_err(refused)?;
    Recorder::begin(BufWriter::new(file), schema).map_err(refused)
}
