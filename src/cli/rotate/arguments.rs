//! The arguments of `trustline rotate`, and what they ask for.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Subcommand};

use super::value::NewValueArgs;
use super::verify::VerifyArgs;
use crate::cli::exit::CliError;
use crate::cli::flags::NetworkArgs;
use crate::cli::flags::PageOutputArgs;
use crate::cli::flags::ProfileSelector;
use crate::cli::flags::seconds;
use crate::cli::flags::seconds_or_zero;
use crate::cli::rotate;
use crate::domain::ids::Cloud;
use crate::domain::profile::{Profile, SecretSource};
use crate::domain::runtime_output::RuntimeOutput;
use crate::domain::secret_ref::SecretRef;
use crate::run::rotation::event::RotationMethod;
use crate::run::rotation::live::{Operator, RuntimeSource};
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
    /// Write with this profile of the AWS CLI's files, instead of the variables' keys or the default profile
    #[arg(long, value_name = "NAME")]
    operator_profile: Option<String>,
    /// Write to the vault as this application, instead of the Azure CLI's user
    #[arg(long, value_name = "ID", requires = "operator_secret")]
    operator_client_id: Option<String>,
    /// The variable that holds that application's client secret
    #[arg(long, value_name = "NAME", group = "operator_secret", requires = "operator_client_id")]
    operator_secret_env: Option<String>,
    /// The file that holds that application's client secret
    #[arg(long, value_name = "FILE", group = "operator_secret", requires = "operator_client_id")]
    operator_secret_file: Option<PathBuf>,
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

    pub(super) fn operator(&self, profile: &Profile) -> Result<Operator, CliError> {
        let secret = match (&self.operator_secret_env, &self.operator_secret_file) {
            (Some(name), _) => Some(SecretSource::Env(name.clone())),
            (None, Some(path)) => Some(SecretSource::File(path.clone())),
            (None, None) => None,
        };
        let is_azure = profile.guide.cloud() == Cloud::Azure;
        match (is_azure, &self.operator_client_id, secret, &self.operator_profile) {
            (true, _, _, Some(_)) => Err(CliError::new("--operator-profile is for AWS, and this profile is for Azure")),
            (true, Some(client_id), Some(secret), None) => {
                Ok(Operator::AzureApplication { client_id: client_id.clone(), secret })
            }
            (true, ..) => Ok(Operator::AzureCli),
            (false, Some(_), ..) => {
                Err(CliError::new("--operator-client-id is for Azure, and this profile is for AWS"))
            }
            (false, None, _, profile) => Ok(Operator::Aws { profile: profile.clone(), file: None }),
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
