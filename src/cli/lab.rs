//! `trustline lab`: the embedded cloud in the foreground, and the list of its scenarios.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::{Args, ValueEnum};
use serde::Serialize;
use tokio::signal::unix::{SignalKind, signal};

use super::{CliError, Exit};
use crate::domain::text::visible;
use crate::lab::{Endpoints, Lab, LabOptions, Scenario, World, WorldError};

/// A world is written by hand; anything larger is something else.
const MAX_WORLD: u64 = 1024 * 1024;

/// Arguments of `trustline lab`.
#[derive(Debug, Args)]
pub(super) struct LabArgs {
    /// What to run, or to break (see --list)
    #[arg(value_name = "SCENARIO", default_value = "healthy", conflicts_with = "world")]
    scenario: String,
    /// Start from this description of a world, TOML or JSON, instead of a scenario
    #[arg(long, value_name = "FILE")]
    world: Option<PathBuf>,
    /// List the scenarios
    #[arg(long, conflicts_with = "world")]
    list: bool,
    /// Wait so many milliseconds before every answer
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = clap::value_parser!(u64).range(..=60_000))]
    delay_ms: u64,
    /// Form of what is printed
    #[arg(long, value_enum, default_value_t, value_name = "FORM")]
    output: LabOutput,
}

/// The forms that the lab prints.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum LabOutput {
    /// For people
    #[default]
    Text,
    /// For programs
    Json,
}

/// What is printed when the lab is ready.
#[derive(Debug, Serialize)]
struct Ready<'a> {
    ca_file: &'a Path,
    #[serde(flatten)]
    endpoints: &'a Endpoints,
    role_arn: &'a str,
    account: &'a str,
    region: &'a str,
    tenant_id: Option<&'a str>,
    client_id: Option<&'a str>,
    secret: &'a str,
}

pub(super) fn run(args: &LabArgs) -> Result<Exit, CliError> {
    if args.list {
        return list(args.output);
    }
    let world = match &args.world {
        Some(path) => read_world(path)?,
        None => World::scenario(&args.scenario).map_err(scenario_error)?,
    };
    let options = LabOptions { delay: Duration::from_millis(args.delay_ms) };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(|error| CliError::new(format!("the lab's threads could not be started: {error}")))?;
    runtime.block_on(serve(&world, options, args.output))
}

async fn serve(world: &World, options: LabOptions, output: LabOutput) -> Result<Exit, CliError> {
    let failed = |error: std::io::Error| CliError::new(format!("signals could not be awaited: {error}"));
    let mut interrupt = signal(SignalKind::interrupt()).map_err(failed)?;
    let mut terminate = signal(SignalKind::terminate()).map_err(failed)?;
    let lab = Lab::start(world, options).map_err(|error| CliError::new(error.to_string()))?;
    let folder = PrivateFolder::create()?;
    let ca_file = folder.write("ca.pem", &lab.ca_pem)?;
    let ready = Ready {
        ca_file: &ca_file,
        endpoints: &lab.endpoints,
        role_arn: &lab.role_arn,
        account: &lab.account,
        region: &lab.region,
        tenant_id: None,
        client_id: None,
        secret: &lab.secret,
    };
    let text = match output {
        LabOutput::Json => json(&ready)?,
        LabOutput::Text => readable(&lab, &ready),
    };
    print(&text)?;
    let exit = tokio::select! {
        _ = interrupt.recv() => Exit::Interrupted,
        _ = terminate.recv() => Exit::Terminated,
    };
    // A second signal ends the program at once; until then, requests under way are answered.
    tokio::select! {
        () = lab.shutdown() => {}
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
    Ok(exit)
}

fn list(output: LabOutput) -> Result<Exit, CliError> {
    let scenarios = World::list().map_err(|error| CliError::new(error.to_string()))?;
    let text = match output {
        LabOutput::Json => json(&scenarios)?,
        LabOutput::Text => table(&scenarios),
    };
    print(&text)?;
    Ok(Exit::Passed)
}

fn table(scenarios: &[Scenario]) -> String {
    let width = scenarios.iter().map(|scenario| scenario.name.len()).max().unwrap_or_default();
    scenarios.iter().map(|scenario| format!("{:width$}  {}\n", scenario.name, scenario.title)).collect()
}

fn readable(lab: &Lab, ready: &Ready<'_>) -> String {
    let Endpoints { issuer, sts, secretsmanager, .. } = ready.endpoints;
    let ca_file = ready.ca_file.display().to_string();
    let rows = [
        ("scenario", lab.scenario.as_str()),
        ("issuer", issuer),
        ("STS", sts),
        ("Secrets Manager", secretsmanager),
        ("authority", &ca_file),
        ("role", ready.role_arn),
        ("region", ready.region),
        ("secret", ready.secret),
        ("mint a token", "POST <issuer>/lab/mint with {\"payload\": \"<claims as JSON text>\"}"),
    ];
    let mut text = String::from("The lab is ready; Ctrl-C stops it.\n\n");
    for (name, value) in rows {
        text.push_str(&format!("  {name:16} {}\n", visible(value)));
    }
    text
}

fn json(value: &impl Serialize) -> Result<String, CliError> {
    serde_json::to_string(value).map(|text| text + "\n").map_err(|error| CliError::new(error.to_string()))
}

fn print(text: &str) -> Result<(), CliError> {
    let mut stdout = std::io::stdout().lock();
    let written = stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush());
    written.map_err(|error| CliError::new(format!("standard output: {error}")))
}

fn read_world(path: &Path) -> Result<World, CliError> {
    let shown = path.display();
    let too_large = || CliError::new(format!("{shown}: is larger than 1 MiB, which no world is"));
    let unreadable = |error: std::io::Error| CliError::new(format!("{shown}: {error}"));
    if fs::metadata(path).map_err(unreadable)?.len() > MAX_WORLD {
        return Err(too_large());
    }
    let text = fs::read_to_string(path).map_err(unreadable)?;
    World::parse(&text).map_err(|error| {
        CliError::new(format!("{shown}: {error}"))
            .with_hint("write only what differs from the scenario `healthy`, in its own tables and keys")
    })
}

/// The scenario is not known; says which are near.
pub(super) fn scenario_error(error: WorldError) -> CliError {
    CliError::new(error.to_string()).with_hint("`trustline lab --list` shows all scenarios")
}

/// A folder that only its owner can read, removed when dropped.
struct PrivateFolder {
    path: PathBuf,
}

impl PrivateFolder {
    fn create() -> Result<Self, CliError> {
        let base = std::env::temp_dir();
        let failed = |error| CliError::new(format!("{}: no private folder could be made: {error}", base.display()));
        for attempt in 0_u32.. {
            let path = base.join(format!("trustline-lab-{}-{attempt}", std::process::id()));
            match fs::DirBuilder::new().mode(0o700).create(&path) {
                Ok(()) => return Ok(PrivateFolder { path }),
                Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists && attempt < 100 => {}
                Err(error) => return Err(failed(error)),
            }
        }
        Err(failed(std::io::ErrorKind::AlreadyExists.into()))
    }

    fn write(&self, name: &str, text: &str) -> Result<PathBuf, CliError> {
        let path = self.path.join(name);
        let written = fs::OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&path)
            .and_then(|mut file| file.write_all(text.as_bytes()));
        written.map_err(|error| CliError::new(format!("{}: {error}", path.display())))?;
        Ok(path)
    }
}

impl Drop for PrivateFolder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.path);
    }
}
