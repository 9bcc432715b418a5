//! `trustline` without a subcommand, and `trustline replay`: gives the console what it needs, and runs it.

use std::io::Write as _;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use clap::{Args, ValueEnum};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::args::{NetworkArgs, ProfileSelector};
use super::lab_folder::LabFolder;
use super::{CliError, Exit, lab, network, recording, settings, terminal};
use crate::cause::catalogue;
use crate::domain::discovery::IssuerAddress;
use crate::domain::jwks::Jwks;
use crate::domain::profile::{Guide, environment};
use crate::lab::{LabOptions, Scenario, World};
use crate::output::file;
use crate::probe::http::HttpStack;
use crate::probe::issuer;
use crate::run::event::{RunEvent, RunVerdict};
use crate::run::plan::{Limits, Selection};
use crate::run::probes::WorldProbes;
use crate::run::record::Recording;
use crate::run::runner::{self, RunRequest};
use crate::tui;
use crate::tui::clipboard::ClipboardMode;
use crate::tui::config::{self, Config};
use crate::tui::glyphs::GlyphSet;
use crate::tui::inputs::{
    Animation, Clock, Inputs, Look, Mouse, Opening, Privacy, ProfileEntry, Replay, RunChoice, ScenarioEntry, Target,
};
use crate::tui::services::{Answer, Refusal, Services, Started};
use crate::tui::shell::{self, Console, Ended};
use crate::tui::theme::ThemeName;

/// The console's configuration file, beside the folder of the profiles.
const CONFIG_FILE: &str = "console.toml";

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
}

/// How the console looks and behaves.
#[derive(Clone, Debug, Default, Args)]
pub(super) struct LookArgs {
    /// Colours of the console
    #[arg(long, value_enum, value_name = "THEME")]
    theme: Option<ThemeChoice>,
    /// Draw with ASCII characters only
    #[arg(long)]
    ascii: bool,
    /// Move nothing but countdowns
    #[arg(long)]
    no_animation: bool,
    /// Leave the mouse to the terminal
    #[arg(long)]
    no_mouse: bool,
    /// Hide account ids, subjects and hosts
    #[arg(long)]
    privacy: bool,
    /// How to copy
    #[arg(long, value_enum, value_name = "HOW")]
    clipboard: Option<ClipboardChoice>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum ThemeChoice {
    /// For a dark background
    Dark,
    /// For a light background
    Light,
    /// No colours
    None,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum ClipboardChoice {
    /// The desktop's tool where the desktop is here, else the terminal
    Auto,
    /// The desktop's tool
    Native,
    /// The terminal, by OSC 52
    Osc52,
    /// Not at all
    Off,
}

/// Runs the console.
pub(super) fn run(args: &ConsoleArgs) -> Result<Exit, CliError> {
    let target = target(&args.selector);
    if let Some(obstacle) = tui::obstacle() {
        let twin = format!("trustline check{}", target.as_ref().map_or_else(String::new, Target::arguments));
        return Err(CliError::new(format!("the console needs a terminal, and {obstacle}"))
            .with_hint(format!("`{twin}` runs the same checks without it")));
    }
    let opening = target.map_or(Opening::Start, |target| Opening::Run(RunChoice { target, only: Vec::new() }));
    open(opening, &args.look, &args.network, args.selector.set.clone(), args.record.clone())
}

/// Shows a recording in the console.
pub(super) fn replay(name: String, recording: Recording, look: &LookArgs) -> Result<Exit, CliError> {
    let network = NetworkArgs { ca_file: None, timeout: Duration::from_secs(30) };
    let replay = Replay { name, events: recording.events, truncated: recording.truncated };
    open(Opening::Replay(replay), look, &network, Vec::new(), None)
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
    set: Vec<String>,
    record: Option<PathBuf>,
) -> Result<Exit, CliError> {
    // Asked before there is a second thread, as the platform's answer is only safe then.
    let utc_offset_s = time::UtcOffset::current_local_offset().ok().map(time::UtcOffset::whole_seconds);
    let (config, notices) = configuration();
    let console = Console {
        inputs: inputs(utc_offset_s),
        clipboard: clipboard(look, &config),
        look: self::look(look, config),
        opening,
        notices,
    };
    let recorder = record.as_deref().map(recording::begin).transpose()?;
    let cloud = Cloud {
        network: network.clone(),
        set,
        recorder: Arc::new(Mutex::new(recorder.map(|r| Box::new(r) as Box<dyn Record>))),
        http: Arc::new(Mutex::new(None)),
    };
    let runtime = network::runtime()?;
    let ended = runtime.block_on(shell::run(console, Arc::new(cloud)));
    // A name look-up that never ends must not keep the program from ending.
    runtime.shutdown_background();
    let ended = ended.map_err(|error| CliError::new(error.to_string()))?;
    let _ = std::io::stdout().write_all(ended.summary.as_bytes());
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

/// The configuration, and what is wrong with it. The console opens in any case.
fn configuration() -> (Config, Vec<String>) {
    let Some(path) = settings::folder().ok().and_then(|folder| Some(folder.parent()?.join(CONFIG_FILE))) else {
        return (Config::default(), Vec::new());
    };
    match std::fs::read_to_string(&path) {
        Ok(text) => {
            let (config, problems) = config::parse(&text, &path.display().to_string());
            let notice = (!problems.is_empty()).then(|| problems.join("\n"));
            (config, notice.into_iter().collect())
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => (Config::default(), Vec::new()),
        Err(error) => (Config::default(), vec![format!("{}: {error}", path.display())]),
    }
}

fn clipboard(look: &LookArgs, config: &Config) -> ClipboardMode {
    let chosen = look.clipboard.map(|choice| match choice {
        ClipboardChoice::Auto => ClipboardMode::Auto,
        ClipboardChoice::Native => ClipboardMode::Native,
        ClipboardChoice::Osc52 => ClipboardMode::Osc52,
        ClipboardChoice::Off => ClipboardMode::Off,
    });
    chosen.or(config.clipboard).unwrap_or_default()
}

/// Flags before the environment before the configuration before what is built in.
fn look(look: &LookArgs, config: Config) -> Look {
    let chosen = look.theme.map(|choice| match choice {
        ThemeChoice::Dark => ThemeName::Dark,
        ThemeChoice::Light => ThemeName::Light,
        ThemeChoice::None => ThemeName::None,
    });
    let plain = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty()).then_some(ThemeName::None);
    let ascii = (look.ascii || !terminal::is_utf8()).then_some(GlyphSet::Ascii);
    Look {
        glyphs: ascii.or(config.glyphs).unwrap_or(GlyphSet::Unicode),
        theme: chosen.or(plain).or(config.theme).unwrap_or(ThemeName::Dark),
        patch: config.patch,
        animation: if look.no_animation { Animation::Still } else { config.animation.unwrap_or(Animation::Moving) },
        mouse: if look.no_mouse { Mouse::Free } else { config.mouse.unwrap_or(Mouse::Captured) },
        privacy: if look.privacy { Privacy::Masked } else { Privacy::Open },
        clock: config.clock.unwrap_or(Clock::Utc),
        keymap: config.keymap,
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

fn scenarios() -> Vec<ScenarioEntry> {
    let entry = |scenario: Scenario| {
        let teaches = scenario
            .expects
            .as_deref()
            .and_then(|cause| cause.parse().ok())
            .map_or_else(|| scenario.title.clone(), |cause| catalogue::entry(cause).meaning.clone());
        ScenarioEntry {
            name: scenario.name,
            title: scenario.title,
            guide: scenario.guide,
            expects: scenario.expects,
            teaches,
        }
    };
    World::list().unwrap_or_default().into_iter().map(entry).collect()
}

/// Where the variables do not suffice to start from, they still fill fields of a form.
fn partial_offers() -> Vec<(Guide, Vec<crate::domain::profile::setting::Setting>)> {
    Guide::ALL.iter().map(|guide| (*guide, environment::settings(*guide, &settings::variable))).collect()
}

fn profiles() -> Vec<ProfileEntry> {
    let entry = |name: String| {
        let path = settings::file_of(&name).ok()?;
        let selector = ProfileSelector { profile: Some(name.clone()), ..ProfileSelector::default() };
        let summary = settings::load(&selector);
        let summary = summary.map(|loaded| loaded.profile.guide.id().to_owned()).map_err(|error| error.message);
        Some(ProfileEntry { name, summary, path })
    };
    settings::names().unwrap_or_default().into_iter().filter_map(entry).collect()
}

/// What takes a run's events beside the console.
trait Record: Send {
    fn write(&mut self, event: &RunEvent) -> std::io::Result<()>;
}

impl<W: std::io::Write + Send> Record for crate::run::record::Recorder<W> {
    fn write(&mut self, event: &RunEvent) -> std::io::Result<()> {
        crate::run::record::Recorder::write(self, event)
    }
}

type Recorder = Arc<Mutex<Option<Box<dyn Record>>>>;

/// The program around the console.
struct Cloud {
    network: NetworkArgs,
    set: Vec<String>,
    /// Taken by the first run.
    recorder: Recorder,
    /// How the last run reached the network: its issuer is trusted in the same way.
    http: Arc<Mutex<Option<HttpStack>>>,
}

impl Services for Cloud {
    fn start(&self, choice: RunChoice, cancel: CancellationToken) -> Answer<Result<Started, Refusal>> {
        let (network, set, http) = (self.network.clone(), self.set.clone(), self.http.clone());
        let recorder = self.recorder.lock().unwrap_or_else(PoisonError::into_inner).take();
        Box::pin(async move {
            let refusal = |error: CliError| Refusal { message: error.message, hints: error.hints };
            let (mut started, stack) = start(choice, network, &set, cancel).map_err(refusal)?;
            *http.lock().unwrap_or_else(PoisonError::into_inner) = Some(stack);
            if let Some(recorder) = recorder {
                started.events = recorded(started.events, recorder);
            }
            Ok(started)
        })
    }

    fn keys(&self, issuer: String) -> Answer<Result<Jwks, String>> {
        let last = self.http.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let network = self.network.clone();
        Box::pin(async move {
            let stack = last.map_or_else(|| network.stack(), Ok).map_err(|error| error.message)?;
            keys(&stack, &issuer).await
        })
    }

    fn save_profile(&self, name: &str, document: &str) -> Result<PathBuf, String> {
        let path = settings::file_of(name).map_err(|error| error.message)?;
        let told = |error: std::io::Error| format!("{}: {error}", path.display());
        if let Some(folder) = path.parent() {
            file::create_folder(folder).map_err(told)?;
        }
        file::replace(&path, document.as_bytes()).map_err(told)?;
        Ok(path)
    }

    fn scenarios(&self) -> Vec<ScenarioEntry> {
        scenarios()
    }

    fn profiles(&self) -> Vec<ProfileEntry> {
        profiles()
    }
}

/// Starts a run, and the lab for it where it is asked for.
fn start(
    choice: RunChoice,
    network: NetworkArgs,
    set: &[String],
    cancel: CancellationToken,
) -> Result<(Started, HttpStack), CliError> {
    let by = |profile: Option<String>, profile_file: Option<PathBuf>| ProfileSelector {
        profile,
        profile_file,
        lab: None,
        set: set.to_vec(),
    };
    let (profile, http, keep): (_, _, Box<dyn std::any::Any + Send>) = match choice.target {
        Target::Lab(scenario) => {
            let lab = lab::start(&scenario, LabOptions { delay: Duration::ZERO })?;
            let folder = LabFolder::write(&lab)?;
            let profile = settings::load_alone(&folder.profile_file(), &format!("lab-{scenario}"), set)?;
            (profile, network.lab_stack(&folder.ca_file())?, Box::new((lab, folder)))
        }
        Target::Named(name) => (settings::load(&by(Some(name), None))?.profile, network.stack()?, Box::new(())),
        Target::File(path) => (settings::load(&by(None, Some(path)))?.profile, network.stack()?, Box::new(())),
        Target::Environment => (settings::load(&by(None, None))?.profile, network.stack()?, Box::new(())),
    };
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let request = RunRequest {
        profile: profile.clone(),
        selection: Selection { only: choice.only, skip: Vec::new() },
        limits: Limits { total: network.timeout, wait: Duration::ZERO },
        now: i64::try_from(now).unwrap_or_default(),
    };
    let after = http.disconnected();
    let probes = Arc::new(WorldProbes { http, timeout: network.operation_timeout() });
    let events = runner::start(request, probes, cancel);
    Ok((Started { profile, events, keep }, after))
}

/// The same events, written to a recording on their way. Where that fails the run goes on without it.
fn recorded(mut events: mpsc::Receiver<RunEvent>, mut recorder: Box<dyn Record>) -> mpsc::Receiver<RunEvent> {
    let (sender, receiver) = mpsc::channel(64);
    tokio::spawn(async move {
        let mut writes = true;
        while let Some(event) = events.recv().await {
            writes = writes && recorder.write(&event).is_ok();
            if sender.send(event).await.is_err() {
                break;
            }
        }
    });
    receiver
}

async fn keys(stack: &HttpStack, issuer: &str) -> Result<Jwks, String> {
    let address = IssuerAddress::clean(issuer).map_err(|error| error.to_string())?;
    let document = issuer::document(stack, &address).await;
    let unanswered = |exchange: &crate::check::facts::network::Exchange, what: &str| match &exchange.failure {
        Some(failure) => failure.to_string(),
        None => format!("{} did not answer with {what}", exchange.url),
    };
    let discovery = document.discovery.ok_or_else(|| match &document.unreadable {
        Some(error) => format!("{}: {error}", document.exchange.url),
        None => unanswered(&document.exchange, "a discovery document"),
    })?;
    let uri = discovery.jwks_uri.ok_or_else(|| "the discovery document names no `jwks_uri`".to_owned())?;
    let keys = issuer::keys(stack, &uri).await;
    keys.jwks.ok_or_else(|| match &keys.unreadable {
        Some(error) => format!("{uri}: {error}"),
        None => unanswered(&keys.exchange, "a key set"),
    })
}
