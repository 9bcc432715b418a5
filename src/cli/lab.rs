//! `trustline lab`: the embedded cloud in the foreground, and the list of its scenarios.

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::{Args, ValueEnum};
use serde::Serialize;

use super::exit::CliError;
use super::exit::Exit;
use super::lab_folder::LabFolder;
use super::network;
use super::terminal::{Signals, print};
use crate::domain::text::{visible, visible_json};
use crate::guide::form::shell::quote;
use crate::lab::{Endpoints, Lab, LabOptions, Scenario, World, WorldError};
use crate::probe::regular_file;

/// A world is written by hand; anything larger is something else.
const MAX_WORLD: u64 = 1024 * 1024;

/// How long a client may keep a connection without a request.
const IDLE_LIMIT: Duration = Duration::from_secs(20);

/// Arguments of `trustline lab`.
#[derive(Debug, Args)]
pub(super) struct LabArgs {
    /// What to run, or to break (see --list); two faults at once as A+B
    #[arg(value_name = "SCENARIO", default_value = "healthy", conflicts_with = "world")]
    scenario: String,
    /// Start from this description of a world, TOML or JSON, instead of a scenario
    #[arg(long, value_name = "FILE")]
    world: Option<PathBuf>,
    /// Trust the authorities in this PEM file too, where the lab's clouds fetch the documents of issuers elsewhere
    #[arg(long, value_name = "PEM")]
    ca_file: Option<PathBuf>,
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
    /// The credential file of Google's client libraries.
    google_credentials_file: &'a Path,
    profile: &'a Path,
    /// A file with the administrator's keys and these addresses, as a shell's variables.
    operator_env: &'a Path,
    deployment_token_file: &'a Path,
}

pub(super) fn run(args: &LabArgs) -> Result<Exit, CliError> {
    if args.list {
        return list(args.output);
    }
    let world = match &args.world {
        Some(path) => read_world(path)?,
        None => World::scenario(&args.scenario).map_err(scenario_error)?,
    };
    let delay = Duration::from_millis(args.delay_ms);
    let mut options = LabOptions { delay, idle_limit: Some(IDLE_LIMIT), ..LabOptions::default() };
    if let Some(path) = &args.ca_file {
        let pem = network::authorities(path, "--ca-file")?;
        options.trust(&pem).map_err(|error| network::refused("--ca-file", path, &error))?;
    }
    network::runtime()?.block_on(serve(&world, options, args.output))
}

async fn serve(world: &World, options: LabOptions, output: LabOutput) -> Result<Exit, CliError> {
    let mut signals = Signals::listen()?;
    let lab = Lab::start(world, options).map_err(|error| CliError::new(error.to_string()))?;
    let folder = LabFolder::write(&lab)?;
    let (ca_file, deployment_token_file) = (folder.ca_file(), folder.deployment_token_file());
    let ready = Ready {
        ca_file: &ca_file,
        endpoints: &lab.endpoints,
        role_arn: &lab.role_arn,
        account: &lab.account,
        region: &lab.region,
        tenant_id: Some(&lab.profile.azure.tenant_id),
        client_id: Some(&lab.profile.azure.client_id),
        secret: &lab.secret,
        google_credentials_file: &folder.google_credentials_file(),
        profile: &folder.profile_file(),
        operator_env: &folder.operator_file(),
        deployment_token_file: &deployment_token_file,
    };
    let text = match output {
        LabOutput::Json => json(&ready)?,
        LabOutput::Text => readable(&lab, &ready),
    };
    print(&text)?;
    let exit = signals.next().await;
    // Requests under way are still answered, unless a second signal comes.
    tokio::select! {
        () = lab.shutdown() => {}
        _ = signals.next() => {}
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
    let Endpoints {
        issuer,
        sts,
        iam,
        secretsmanager,
        kms,
        cloudtrail,
        iam_toolbox,
        entra,
        vault,
        graph,
        arm,
        deployment,
        google,
    } = ready.endpoints;
    let profile = ready.profile.display().to_string();
    let operator = ready.operator_env.display().to_string();
    let token_file = ready.deployment_token_file.display().to_string();
    let ca_file = ready.ca_file.display().to_string();
    let rows = [
        ("scenario", lab.scenario.as_str()),
        ("issuer", issuer),
        ("STS", sts),
        ("IAM", iam),
        ("Secrets Manager", secretsmanager),
        ("KMS", kms),
        ("CloudTrail", cloudtrail),
        ("IAM toolbox", iam_toolbox),
        ("Entra", entra.as_deref().unwrap_or_default()),
        ("Key Vault", vault.as_deref().unwrap_or_default()),
        ("Graph", graph),
        ("Resource Manager", arm),
        ("Google's STS", &google.sts),
        ("IAM Credentials", &google.iamcredentials),
        ("Secret Manager", &google.secretmanager),
        ("Google's IAM", &google.iam),
        ("its projects", &google.resource_manager),
        ("its logs", &google.logging),
        ("its services", &google.services),
        ("deployment", deployment.as_deref().unwrap_or_default()),
        ("its token", &token_file),
        ("authority", &ca_file),
        ("role", ready.role_arn),
        ("region", ready.region),
        ("secret", ready.secret),
        ("profile", &profile),
        ("administrator", &operator),
        ("mint a token", "POST <issuer>/lab/mint with {\"payload\": \"<claims as JSON text>\"}"),
    ];
    let mut text = String::from("The lab is ready; Ctrl-C stops it.\n\n");
    for (name, value) in rows {
        text.push_str(&format!("  {name:16} {}\n", visible(value)));
    }
    let (profile, ca_file) = (quote(&profile), quote(&ca_file));
    let selector = format!("--profile-file {profile} --ca-file {ca_file}");
    text.push_str(&format!("\ntry: trustline check {selector}\n"));
    text.push_str(&format!("fix: . {}; trustline fix {selector} | sh\n", quote(&operator)));
    text
}

fn json(value: &impl Serialize) -> Result<String, CliError> {
    serde_json::to_string(value)
        .map(|text| visible_json(&text) + "\n")
        .map_err(|error| CliError::new(error.to_string()))
}

fn read_world(path: &Path) -> Result<World, CliError> {
    let shown = path.display();
    let too_large = || CliError::new(format!("{shown}: is larger than 1 MiB, which no world is"));
    let unreadable = |error: std::io::Error| CliError::new(format!("{shown}: {error}"));
    let bytes = regular_file::read(path, MAX_WORLD).map_err(unreadable)?;
    if bytes.len() as u64 > MAX_WORLD {
        return Err(too_large());
    }
    let text = std::str::from_utf8(&bytes).map_err(|_| CliError::new(format!("{shown}: is not UTF-8 text")))?;
    World::parse(text).map_err(|error| {
        CliError::new(format!("{shown}: {error}"))
            .with_hint("write only what differs from the scenario `healthy`, in its own tables and keys")
    })
}

/// Starts the lab in a scenario's world, on the current runtime.
pub(super) fn start(scenario: &str, options: LabOptions) -> Result<Lab, CliError> {
    let world = World::scenario(scenario).map_err(scenario_error)?;
    Lab::start(&world, options).map_err(|error| CliError::new(error.to_string()))
}

/// The scenario is not known; says which are near.
fn scenario_error(error: WorldError) -> CliError {
    CliError::new(error.to_string()).with_hint("`trustline lab --list` shows all scenarios")
}
