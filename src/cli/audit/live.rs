//! An account, a directory or a project read with the operator's credentials: each answer is kept aside as a command line would
//! print it, and judged as such. Only reads are sent.

use std::fs::File;
use std::io::{self, BufWriter, Write as _};
use std::time::Duration;

use clap::Args;
use serde_json::Value;

use super::input::{Input, aside};
use crate::check::facts::read::{Gathered, Told};
use crate::cli::exit::CliError;
use crate::cli::flags::{NetworkArgs, ProfileSelector};
use crate::cli::operator::OperatorArgs;
use crate::cli::terminal::Progress;
use crate::cli::{consent, network, settings, terminal};
use crate::domain::ids::Cloud;
use crate::domain::profile::capability::Capability;
use crate::domain::profile::{Operator, Profile};
use crate::probe::aws::AwsTarget;
use crate::probe::azure::AzureTarget;
use crate::probe::google::{GoogleTarget, operator_session};
use crate::probe::http::HttpStack;

/// All of a directory is read within this time, however often it throttles.
const WHOLE: Duration = Duration::from_secs(3600);

/// Whether an account is read, which, and as whom.
#[derive(Debug, Args)]
pub(super) struct LiveArgs {
    /// Read the account, the directory or the project with the operator's credentials, too; changes nothing
    #[arg(long)]
    operator: bool,
    #[command(flatten)]
    who: OperatorArgs,
    /// With --operator: read the account of the profile of this name
    #[arg(long, value_name = "NAME", conflicts_with = "profile_file")]
    profile: Option<String>,
    /// With --operator: read the account of the profile in this file
    #[arg(long, value_name = "FILE")]
    profile_file: Option<std::path::PathBuf>,
    /// With --profile-file and an operator: let it send what the operator signs to this host, which is none of the clouds' own
    #[arg(long, value_name = "HOST[:PORT]")]
    allow_host: Vec<String>,
    #[command(flatten)]
    network: NetworkArgs,
}

/// What was read.
#[derive(Debug)]
pub(super) struct Live {
    pub input: Input,
    /// What could not be, and why.
    pub unread: Vec<String>,
    /// What it waited for, in words, where it was throttled.
    pub throttled: Option<String>,
}

impl LiveArgs {
    /// Whether an account is to be read.
    pub(super) fn is_asked(&self) -> bool {
        self.operator || self.who.names_one()
    }

    /// Reads the account, where that is asked for.
    ///
    /// # Errors
    /// The profile does not say which, the operator has no credentials, or nothing at all could be read.
    pub(super) fn read(&self) -> Result<Option<Live>, CliError> {
        if !self.is_asked() {
            return Ok(None);
        }
        let profile = self.profile()?;
        let operator = self.who.operator(&profile)?;
        let stack = self.network.stack()?;
        let runtime = network::runtime()?;
        let live = runtime.block_on(read(stack, &profile, &operator, self.network.timeout));
        runtime.shutdown_background();
        live.map(Some)
    }

    fn profile(&self) -> Result<Profile, CliError> {
        let (profile, profile_file) = (self.profile.clone(), self.profile_file.clone());
        let allow_host = self.allow_host.clone();
        let selector = ProfileSelector { profile, profile_file, allow_host, ..ProfileSelector::default() };
        let loaded = settings::load_to_read(&selector)?;
        // No program of the profile's is run here, and no file of its is sent: what counts is who gets what the operator signs.
        let open = consent::open_questions(&selector, &loaded.provenance).into_iter();
        consent::ask(&open.filter(|reach| matches!(reach, Capability::SendsTo { .. })).collect::<Vec<_>>())?;
        Ok(loaded.profile)
    }
}

async fn read(stack: HttpStack, profile: &Profile, operator: &Operator, patience: Duration) -> Result<Live, CliError> {
    let kept = |error: io::Error| CliError::new(format!("what is read cannot be kept aside: {error}"));
    let mut spill = BufWriter::new(aside().map_err(kept)?);
    let mut progress = Progress::new();
    let (mut answers, mut objects) = (0_usize, 0_usize);
    let mut told = |answer: &Value| -> io::Result<()> {
        answers += 1;
        objects += entries(answer);
        progress.show(&format!("{answers} answers, {objects} objects read"));
        writeln!(spill, "{answer}")
    };
    let (name, gathered) = match profile.guide.cloud() {
        Cloud::Aws => account(stack, profile, operator, patience, &mut told).await?,
        Cloud::Azure => tenant(stack, profile, operator, &mut told).await?,
        Cloud::Gcp => project(stack, profile, operator, patience, &mut told).await?,
    };
    progress.clear();
    let Gathered { unread, throttled } = gathered.map_err(kept)?;
    if let (0, Some(why)) = (answers, unread.first()) {
        return Err(CliError::new(format!("nothing could be read of {name}: {why}")));
    }
    let throttled = throttled.in_words();
    if let Some(words) = &throttled {
        terminal::note(&format!("{name}: {words}."));
    }
    let file: File = spill.into_inner().map_err(|error| kept(error.into_error()))?;
    Ok(Live { input: Input::spilled(name, file), unread, throttled })
}

/// A name for people, and what came of the reads.
type ReadOf = (String, io::Result<Gathered>);

async fn account(
    stack: HttpStack,
    profile: &Profile,
    operator: &Operator,
    patience: Duration,
    told: &mut Told<'_>,
) -> Result<ReadOf, CliError> {
    let Operator::Aws { profile: shared, file } = operator else { return Err(other_cloud()) };
    let region = profile.aws.region.clone().ok_or_else(|| {
        CliError::new("the profile names no AWS region to ask in").with_hint("set aws.region, or AWS_REGION")
    })?;
    let target = AwsTarget { http: stack, region, settings: profile.aws.clone() };
    let (source, session) = target.operator(shared.as_deref(), file.as_deref()).await.map_err(CliError::new)?;
    terminal::note(&format!("Reading the account with {source}."));
    Ok((format!("the account of {source}"), target.read_account(&session, patience, told).await))
}

async fn tenant(
    stack: HttpStack,
    profile: &Profile,
    operator: &Operator,
    told: &mut Told<'_>,
) -> Result<ReadOf, CliError> {
    let target = AzureTarget::new(stack, &profile.azure).ok_or_else(|| {
        CliError::new("the profile names no directory to read").with_hint("set azure.tenant-id, or AZURE_TENANT_ID")
    })?;
    let (session, source) = target.operator_session(operator, &profile.azure).await.map_err(CliError::new)?;
    terminal::note(&format!("Reading the directory as {source}."));
    let name = profile.azure.tenant_id.as_deref().unwrap_or_default();
    Ok((format!("the directory {name}"), session.read_tenant(WHOLE, told).await))
}

async fn project(
    stack: HttpStack,
    profile: &Profile,
    operator: &Operator,
    patience: Duration,
    told: &mut Told<'_>,
) -> Result<ReadOf, CliError> {
    let of_provider = profile.gcp.provider.as_ref().map(|provider| provider.project.clone());
    let project = of_provider.or_else(|| profile.gcp.project_id.clone()).ok_or_else(|| {
        CliError::new("the profile names no project to read").with_hint("set gcp.project-id, or GOOGLE_CLOUD_PROJECT")
    })?;
    let (session, source) = operator_session(operator).await.map_err(CliError::new)?;
    terminal::note(&format!("Reading the project with {source}."));
    let target = GoogleTarget::new(stack, &profile.gcp);
    Ok((format!("the project {project}"), target.read_project(&session, &project, patience, told).await))
}

fn other_cloud() -> CliError {
    CliError::new("the operator is of another cloud than the profile")
}

/// How many things an answer tells of.
fn entries(answer: &Value) -> usize {
    let lists = ["RoleDetailList", "Policies", "value", "federatedIdentityCredentials"];
    let listed =
        lists.iter().filter_map(|name| answer.get(name).and_then(Value::as_array)).map(Vec::len).sum::<usize>();
    listed.max(1)
}
