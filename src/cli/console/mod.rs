//! `trustline` without a subcommand, and `trustline replay`: gives the console what it needs, and runs it.

mod cloud;
mod rotation;

use std::any::Any;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use clap::Args;

use self::cloud::{Cloud, profiles};
use super::exit::{CliError, Exit};
use super::flags::begin_recording;
use super::flags::{NetworkArgs, ProfileSelector};
use super::lab_folder::LabFolder;
use super::look::{LookArgs, appearance, clipboard, configuration, reads_lines};
use super::operator::{ACCESS_TOKEN_FILE, lab_administrator};
use super::settings::Loaded;
use super::{lab, network, rotate, settings};
use crate::domain::ids::Cloud as RelyingParty;
use crate::domain::profile::{Guide, Operator, environment};
use crate::lab::LabOptions;
use crate::probe::http::HttpStack;
use crate::run::event::RunVerdict;
use crate::run::record::{Recording, SCHEMA};
use crate::tui;
use crate::tui::inputs::{Inputs, Opening, Replay, RunChoice, Target};
use crate::tui::shell::{Console, Ended};
use crate::tui::{flat, shell};

/// Arguments of `trustline` without a subcommand.
#[derive(Clone, Debug, Args)]
pub(super) struct ConsoleArgs {
    #[command(flatten)]
    selector: ProfileSelector,
    #[command(flatten)]
    network: NetworkArgs,
    #[command(flatten)]
    look: LookArgs,
    /// Write the first run's events to this new file
    #[arg(long, value_name = "FILE")]
    record: Option<PathBuf>,
    /// Open on the exchanges of this log: CloudTrail's events, or sign-ins of service principals
    #[arg(long, value_name = "FILE")]
    events: Option<PathBuf>,
}

/// Runs the console.
pub(super) fn run(args: &ConsoleArgs) -> Result<Exit, CliError> {
    let target = target(&args.selector);
    if let Some(obstacle) = tui::obstacle().filter(|_| !reads_lines(&args.look, &configuration().0)) {
        let twin = format!("trustline check{}", target.as_ref().map_or_else(String::new, Target::arguments));
        return Err(CliError::new(format!("the console needs a terminal, and {obstacle}"))
            .with_hint(format!("`{twin}` runs the same checks without it"))
            .with_hint("`trustline --screen-reader` has the console as lines"));
    }
    let opening = match target {
        _ if args.events.is_some() => Opening::Events,
        Some(target) => Opening::Run(RunChoice { target, only: Vec::new() }),
        None => Opening::Start,
    };
    let mut selector = args.selector.clone();
    if selector.profile_file.is_some() {
        settings::agree(&mut selector)?;
    }
    open(opening, &args.look, &args.network, selector, args.record.clone(), args.events.clone())
}

/// Shows a recording in the console.
pub(super) fn replay(name: String, recording: Recording, look: &LookArgs) -> Result<Exit, CliError> {
    let network = NetworkArgs { ca_file: None, resolve: Vec::new(), timeout: Duration::from_secs(30) };
    let replay = Replay { name, events: recording.events, truncated: recording.truncated };
    open(Opening::Replay(replay), look, &network, ProfileSelector::default(), None, None)
}

fn target(selector: &ProfileSelector) -> Option<Target> {
    let named = selector.profile.clone().map(Target::Named);
    let file = || selector.profile_file.clone().map(Target::File);
    let lab = || selector.lab.clone().map(Target::Lab);
    let set = || (!selector.set.is_empty()).then_some(Target::Environment);
    named.or_else(file).or_else(lab).or_else(set)
}

fn open(
    opening: Opening,
    look: &LookArgs,
    network: &NetworkArgs,
    selector: ProfileSelector,
    record: Option<PathBuf>,
    events: Option<PathBuf>,
) -> Result<Exit, CliError> {
    // Asked before there is a second thread, as the platform's answer is only safe then.
    let utc_offset_s = time::UtcOffset::current_local_offset().ok().map(time::UtcOffset::whole_seconds);
    let (config, problems) = configuration();
    let reads_lines = reads_lines(look, &config);
    let console = Console {
        inputs: inputs(utc_offset_s),
        clipboard: clipboard(look, &config),
        appearance: appearance(look, config),
        opening,
        notices: (!problems.is_empty()).then(|| problems.join("\n")).into_iter().collect(),
    };
    let recorder = record.as_deref().map(|path| begin_recording(path, SCHEMA)).transpose()?;
    let cloud = Cloud::new(network.clone(), selector, recorder, events);
    let runtime = network::runtime()?;
    let ended = runtime.block_on(async {
        let services = Arc::new(cloud);
        if reads_lines { flat::run(console, services).await } else { shell::run(console, services).await }
    });
    // A name look-up that never ends must not keep the program from ending.
    runtime.shutdown_background();
    let ended = ended.map_err(|error| CliError::new(error.to_string()))?;
    Ok(exit(&ended))
}

fn exit(ended: &Ended) -> Exit {
    match (ended.signal, ended.verdict) {
        (Some(2), _) => Exit::Interrupted,
        (Some(_), _) => Exit::Terminated,
        (None, Some(RunVerdict::Fail)) => Exit::Failed,
        (None, Some(RunVerdict::Inconclusive)) => Exit::Inconclusive,
        (None, Some(RunVerdict::Pass) | None) => Exit::Passed,
    }
}

fn inputs(utc_offset_s: Option<i32>) -> Inputs {
    let offers = Guide::ALL.iter().map(|guide| {
        let settings = environment::settings(*guide, &settings::variable);
        (*guide, settings.into_iter().chain(environment::offers(*guide, &settings::variable)).collect())
    });
    Inputs {
        scenarios: None,
        profiles: profiles(),
        offers: if environment::suffices(&settings::variable) { offers.collect() } else { partial_offers() },
        utc_offset_s,
    }
}

/// Where the variables do not suffice to start from, they still fill fields of a form.
fn partial_offers() -> Vec<(Guide, Vec<crate::domain::profile::setting::Setting>)> {
    Guide::ALL.iter().map(|guide| (*guide, environment::settings(*guide, &settings::variable))).collect()
}

/// A target that was opened.
#[derive(Clone)]
struct Opened {
    pub loaded: Loaded,
    pub http: HttpStack,
    /// As whom secrets are written: the lab's own operator, or the one whom the clouds' tools would take.
    pub operator: Operator,
    /// Who reads a lab's own side: its administrator. `None` where it is no lab, whose secrets would end with it.
    pub lab_administrator: Option<Operator>,
    /// Who reads the cloud's own log: a lab's administrator, else whom a person agreed to.
    pub reader: Option<Operator>,
    /// What must live as long as the work.
    pub keep: Arc<dyn Any + Send + Sync>,
}

/// Finds the profile, or starts the lab.
fn open_target(target: Target, network: &NetworkArgs, selector: &ProfileSelector) -> Result<Opened, CliError> {
    let by = |profile: Option<String>, profile_file: Option<PathBuf>| ProfileSelector {
        profile,
        profile_file,
        lab: None,
        ..selector.clone()
    };
    let selector = match target {
        Target::Lab(scenario) => {
            let lab = lab::start(&scenario, LabOptions::default())?;
            let folder = LabFolder::write(&lab)?;
            let name = format!("lab-{scenario}");
            let mut loaded = settings::load_alone_with_provenance(&folder.profile_file(), &name, &selector.set)?;
            // This lab serves as long as the console is open: what is printed to be run elsewhere reaches it by its files.
            let elsewhere = by(None, Some(folder.profile_file())).again();
            let authority = NetworkArgs { ca_file: Some(folder.ca_file()), ..network.clone() };
            loaded.profile.selector = authority.again(&elsewhere);
            let http = network.lab_stack(&folder.ca_file())?;
            let operator = rotate::lab_operator(&loaded.profile, &lab, &folder);
            let lab_administrator = Some(lab_administrator(&loaded.profile, &lab, &folder));
            let reader = lab_administrator.clone();
            return Ok(Opened { loaded, http, operator, lab_administrator, reader, keep: Arc::new((lab, folder)) });
        }
        Target::Named(name) => by(Some(name), None),
        Target::File(path) => by(None, Some(path)),
        Target::Environment => by(None, None),
    };
    let mut loaded = settings::load_agreed(&selector)?;
    loaded.profile.selector = network.again(&loaded.profile.selector);
    let operator = match loaded.profile.guide.cloud() {
        RelyingParty::Azure => Operator::AzureCli,
        RelyingParty::Gcp => {
            let token_file = settings::variable(ACCESS_TOKEN_FILE).filter(|path| !path.is_empty()).map(Into::into);
            Operator::Google { token_file }
        }
        RelyingParty::Aws => Operator::Aws { profile: None, file: None },
    };
    Ok(Opened { loaded, http: network.stack()?, operator, lab_administrator: None, reader: None, keep: Arc::new(()) })
}

/// The lab in which secrets are rotated: the next session finds in it what the one before wrote.
#[derive(Clone, Default)]
struct RotationLab(Arc<Mutex<Option<(Target, Opened)>>>);

impl RotationLab {
    /// Opens a target; a lab that stands already is taken again.
    pub fn open(&self, target: Target, network: &NetworkArgs, selector: &ProfileSelector) -> Result<Opened, CliError> {
        if !matches!(target, Target::Lab(_)) {
            return open_target(target, network, selector);
        }
        let mut standing = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match &*standing {
            Some((of, opened)) if *of == target => Ok(opened.clone()),
            _ => {
                let opened = open_target(target.clone(), network, selector)?;
                *standing = Some((target, opened.clone()));
                Ok(opened)
            }
        }
    }
}
