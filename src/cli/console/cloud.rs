//! What the console asks of the program around it: runs, tokens, keys, profiles, the lab.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::rotation;
use super::{Opened, RotationLab, open_target};
use crate::cause::catalogue;
use crate::check::Link;
use crate::check::facts::secret;
use crate::check::token::Expectations;
use crate::cli::audit;
use crate::cli::events;
use crate::cli::exit::CliError;
use crate::cli::flags::ProfileSelector;
use crate::cli::flags::{CloudArgs, NetworkArgs};
use crate::cli::issuer::look_at;
use crate::cli::operator::OperatorArgs;
use crate::cli::settings;
use crate::domain::discovery::IssuerAddress;
use crate::domain::jwks::Jwks;
use crate::domain::profile::key::Key;
use crate::domain::profile::{Operator, Profile};
use crate::guide::Change;
use crate::lab::{Scenario, World};
use crate::private_file;
use crate::probe::aws::AwsTarget;
use crate::probe::azure::AzureTarget;
use crate::probe::google::{GoogleTarget, operator_session};
use crate::probe::http::HttpStack;
use crate::probe::issuer::IssuerProbe;
use crate::probe::token_source::{self, ReadOptions};
use crate::report::audit::AuditReport;
use crate::report::events::EventsReport;
use crate::report::issuer::IssuerReport;
use crate::run::event::RunEvent;
use crate::run::now;
use crate::run::plan::{Limits, Selection};
use crate::run::probes::NetworkProbes;
use crate::run::rotation::report::RotationReport;
use crate::run::runner::{self, RunRequest};
use crate::tui::inputs::{GuideFile, OperatorSeen, ProfileEntry, RotationChoice, RunChoice, ScenarioEntry, Target};
use crate::tui::services::{Answer, Refusal, RotationStarted, Services, Started, TokenRead};
use crate::tui::typed_value::TypedValue;

/// The most that asking who the operator is may take.
const IDENTITY_TIME: Duration = Duration::from_secs(30);

/// What takes a run's events beside the console.
pub(super) trait Record: Send {
    fn write(&mut self, event: &RunEvent) -> std::io::Result<()>;
}

impl<W: std::io::Write + Send> Record for crate::run::record::Recorder<W> {
    fn write(&mut self, event: &RunEvent) -> std::io::Result<()> {
        crate::run::record::Recorder::write(self, event)
    }
}

type Recorder = Arc<Mutex<Option<Box<dyn Record>>>>;

/// The program around the console.
pub(super) struct Cloud {
    network: NetworkArgs,
    /// What was said of the profile on the command line.
    selector: ProfileSelector,
    /// Taken by the first run.
    recorder: Recorder,
    /// What the last run opened: how its issuer is trusted, and the lab whose record is read.
    last: Arc<Mutex<Option<Opened>>>,
    /// Where secrets are rotated when a scenario is looked at.
    lab: RotationLab,
    /// The log that was named on the command line.
    log: Option<PathBuf>,
    /// Whose cloud's own side is read, as a person agreed.
    read: Arc<Mutex<Option<Target>>>,
}

impl Cloud {
    /// The program as the arguments want it; the first run's events go to the recorder too.
    pub fn new(
        network: NetworkArgs,
        selector: ProfileSelector,
        recorder: Option<impl Record + 'static>,
        log: Option<PathBuf>,
    ) -> Self {
        let recorder = recorder.map(|recorder| Box::new(recorder) as Box<dyn Record>);
        Cloud {
            network,
            selector,
            recorder: Arc::new(Mutex::new(recorder)),
            last: Arc::new(Mutex::new(None)),
            lab: RotationLab::default(),
            log,
            read: Arc::default(),
        }
    }

    /// How the last run reached the network, or how one would that begins now.
    fn stack(&self) -> Result<HttpStack, String> {
        let last = self.last().map(|opened| opened.http);
        last.map_or_else(|| self.network.stack(), Ok).map_err(|error| error.message)
    }

    fn last(&self) -> Option<Opened> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Services for Cloud {
    fn start(&self, choice: RunChoice, cancel: CancellationToken) -> Answer<Result<Started, Refusal>> {
        let (network, selector, last) = (self.network.clone(), self.selector.clone(), self.last.clone());
        let recorder = self.recorder.lock().unwrap_or_else(PoisonError::into_inner).take();
        let read = self.read.lock().unwrap_or_else(PoisonError::into_inner).clone();
        Box::pin(async move {
            let refusal = |error: CliError| Refusal { message: error.message, hints: error.hints };
            let is_read = read.as_ref() == Some(&choice.target);
            let opened = open_target(choice.target.clone(), &network, &selector).map_err(refusal)?;
            let opened = if is_read { read_by_operator(opened).map_err(refusal)? } else { opened };
            let mut started = start(choice, network, opened.clone(), cancel);
            let http = opened.http.disconnected();
            *last.lock().unwrap_or_else(PoisonError::into_inner) = Some(Opened { http, ..opened });
            if let Some(recorder) = recorder {
                started.events = recorded(started.events, recorder);
            }
            Ok(started)
        })
    }

    fn operator(&self, target: Target) -> Answer<Result<OperatorSeen, String>> {
        let (network, selector, lab) = (self.network.clone(), self.selector.clone(), self.lab.clone());
        Box::pin(async move {
            let opened = lab.open(target, &network, &selector).map_err(|error| error.message)?;
            rotation::operator(opened, network.timeout).await
        })
    }

    fn reader(&self, target: Target) -> Answer<Result<String, String>> {
        let (network, selector) = (self.network.clone(), self.selector.clone());
        Box::pin(async move {
            let opened = open_target(target, &network, &selector).and_then(read_by_operator);
            let Opened { loaded, http, reader, keep, .. } = opened.map_err(|error| error.message)?;
            let identity = operator_identity(&http, &loaded.profile, reader.as_ref().ok_or("nobody is named")?).await;
            drop(keep);
            identity
        })
    }

    fn agree_to_read(&self, target: Target) {
        *self.read.lock().unwrap_or_else(PoisonError::into_inner) = Some(target);
    }

    fn evidence(&self, target: Target, report: RotationReport) -> Result<PathBuf, String> {
        let opened = self.lab.open(target, &self.network, &self.selector).map_err(|error| error.message)?;
        rotation::evidence(&opened, report).map_err(|error| error.message)
    }

    fn rotate(
        &self,
        choice: RotationChoice,
        value: Option<TypedValue>,
        cancel: CancellationToken,
    ) -> Answer<Result<RotationStarted, Refusal>> {
        let (network, selector, lab) = (self.network.clone(), self.selector.clone(), self.lab.clone());
        Box::pin(async move {
            let refusal = |error: CliError| Refusal { message: error.message, hints: error.hints };
            let opened = lab.open(choice.target.clone(), &network, &selector).map_err(refusal)?;
            rotation::begin(opened, choice, value, network.timeout, cancel).await.map_err(refusal)
        })
    }

    fn token(&self, profile: Profile) -> Answer<Result<TokenRead, String>> {
        let (stack, timeout) = (self.stack(), self.network.operation_timeout());
        Box::pin(async move {
            let source = profile.token.as_ref().ok_or("the profile names no token")?;
            let expected = Expectations::of(&profile);
            let client = stack?.client();
            let options = ReadOptions { timeout, audience: expected.audience.as_deref(), client: Some(&client) };
            let read = token_source::read(source, &options).await.map_err(|error| error.to_string())?;
            Ok(TokenRead { source: token_source::describe(source), raw: read.token, cleaned: read.cleaned })
        })
    }

    fn keys(&self, issuer: String) -> Answer<Result<Jwks, String>> {
        let stack = self.stack();
        Box::pin(async move { keys(&stack?, &issuer).await })
    }

    fn issuer(&self, url: String) -> Answer<Result<IssuerReport, String>> {
        let (stack, timeout) = (self.stack(), self.network.timeout);
        Box::pin(async move {
            let address = IssuerAddress::clean(&url).map_err(|error| error.to_string())?;
            let seen = look_at(&stack?, address, timeout, CloudArgs::default().asked()).await;
            seen.ok_or_else(|| "the issuer was not asked".to_owned())
        })
    }

    fn events(&self) -> Answer<Result<EventsReport, String>> {
        let (log, selector, timeout) = (self.log.clone(), self.selector.clone(), self.network.timeout);
        let last = self.last();
        Box::pin(async move {
            if let Some(log) = log {
                let read = move || events::of_file(&log, &selector).map_err(|error| error.message);
                return tokio::task::spawn_blocking(read).await.map_err(|error| error.to_string())?;
            }
            let Some(Opened { loaded, http, reader: Some(operator), .. }) = last else {
                return Err(
                    "no log was named: `trustline --events FILE` opens one, and the command `operator` (O) lets the account's \
                     own be read with your credentials"
                        .to_owned(),
                );
            };
            let profile = loaded.profile;
            let read =
                events::live::of_account(http, &profile, &operator, timeout).await.map_err(|error| error.message)?;
            Ok(events::of_account(&read, &profile))
        })
    }

    fn audit(&self, path: PathBuf) -> Answer<Result<AuditReport, String>> {
        Box::pin(async move {
            let home = std::env::home_dir();
            let path = match (path.strip_prefix("~"), home) {
                (Ok(rest), Some(home)) => home.join(rest),
                _ => path,
            };
            let audited = move || audit::of_path(&path).map_err(|error| error.message);
            tokio::task::spawn_blocking(audited).await.map_err(|error| error.to_string())?
        })
    }

    fn save_profile(&self, name: &str, document: &str) -> Result<PathBuf, String> {
        let path = settings::file_of(name).map_err(|error| error.message)?;
        let told = |error: std::io::Error| format!("{}: {error}", path.display());
        if let Some(folder) = path.parent() {
            private_file::create_folder(folder).map_err(told)?;
        }
        private_file::replace(&path, document.as_bytes()).map_err(told)?;
        Ok(path)
    }

    fn guide(&self, target: &Target) -> Result<GuideFile, String> {
        rotation::read(target, &self.selector.set)
    }

    fn change(&self, target: &Target, change: &Change) -> Result<GuideFile, String> {
        rotation::change(target, &self.selector.set, change)
    }

    fn keep_draft(&self, target: &Target, key: Key, text: Option<&str>) -> Result<(), String> {
        rotation::keep_draft(target, key, text)
    }

    fn scenarios(&self) -> Vec<ScenarioEntry> {
        scenarios()
    }

    fn profiles(&self) -> Vec<ProfileEntry> {
        profiles()
    }
}

/// Starts a run of what was opened.
fn start(choice: RunChoice, network: NetworkArgs, opened: Opened, cancel: CancellationToken) -> Started {
    let Opened { loaded, http, keep, .. } = opened;
    let request = RunRequest {
        profile: loaded.profile.clone(),
        selection: Selection { only: choice.only, skip: Vec::new() },
        limits: Limits { total: network.timeout, wait: Duration::ZERO },
        now: now(),
    };
    let probes = Arc::new(NetworkProbes { http, timeout: network.operation_timeout() });
    let events = runner::start(request, probes, cancel);
    Started { profile: loaded.profile, settings: loaded.provenance, events, keep: Box::new(keep) }
}

/// The same target with its cloud's own side read: by the lab's administrator, or by whom the clouds' tools would take.
fn read_by_operator(mut opened: Opened) -> Result<Opened, CliError> {
    if opened.reader.is_none() {
        opened.reader = Some(OperatorArgs::default().operator(&opened.loaded.profile)?);
    }
    opened.loaded.profile.operator.clone_from(&opened.reader);
    Ok(opened)
}

/// Who the operator is, as the cloud says.
async fn operator_identity(http: &HttpStack, profile: &Profile, operator: &Operator) -> Result<String, String> {
    if let Operator::Google { .. } = operator {
        return google_identity(http, profile, operator).await;
    }
    let Operator::Aws { profile: shared, file } = operator else {
        let target =
            AzureTarget::new(http.clone(), &profile.azure).ok_or("the profile names no directory to sign in to")?;
        return target.operator_session(operator, &profile.azure).await.map(|(_, identity)| identity);
    };
    let region = profile.aws.region.clone().ok_or("the profile names no AWS region")?;
    let target = AwsTarget { http: http.clone(), region, settings: profile.aws.clone() };
    let (source, session) = target.operator(shared.as_deref(), file.as_deref()).await?;
    match target.caller_identity(&session).await.answer {
        secret::Answer::Granted(caller) => Ok(caller.arn),
        secret::Answer::Refused(refusal) => Err(format!("{source}: {}: {}", refusal.code, refusal.message)),
        secret::Answer::Network { failure } => Err(failure.detail),
        secret::Answer::Unreadable { detail, .. } | secret::Answer::NotSent { detail } => Err(detail),
    }
}

/// Whose access token it is, once the project was asked whether it is taken.
async fn google_identity(http: &HttpStack, profile: &Profile, operator: &Operator) -> Result<String, String> {
    let target = GoogleTarget::new(http.clone(), &profile.gcp);
    let (session, identity) = operator_session(operator).await?;
    let project = profile.gcp.project_id.as_deref().ok_or("the profile names no project; set gcp.project-id")?;
    let read = target.operator_reader(&session, IDENTITY_TIME).project(project).await;
    match (read.seen(), read.call.refusal()) {
        (Some(project), _) => Ok(format!("{identity}, in {}", project.id)),
        // Whoever lacks this right may have others.
        (None, Some(refusal)) if refusal.is_denial() => Ok(identity),
        (None, _) => Err(read.unread().unwrap_or_else(|| format!("there is no project {project}"))),
    }
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
    let probe = IssuerProbe::new(stack);
    let document = probe.document(&address).await;
    let unanswered = |exchange: &crate::check::facts::network::Exchange, what: &str| match &exchange.failure {
        Some(failure) => failure.to_string(),
        None => format!("{} did not answer with {what}", exchange.url),
    };
    let discovery = document.discovery.ok_or_else(|| match &document.unreadable {
        Some(error) => format!("{}: {error}", document.exchange.url),
        None => unanswered(&document.exchange, "a discovery document"),
    })?;
    let uri = discovery.jwks_uri.ok_or_else(|| "the discovery document names no `jwks_uri`".to_owned())?;
    let keys = probe.keys(&uri, &address.issuer).await;
    keys.jwks.ok_or_else(|| match &keys.unreadable {
        Some(error) => format!("{uri}: {error}"),
        None => unanswered(&keys.exchange, "a key set"),
    })
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
            link: scenario.link.and_then(|name| Link::ALL.into_iter().find(|link| link.name() == name)),
            teaches,
        }
    };
    World::list().unwrap_or_default().into_iter().map(entry).collect()
}

/// The profiles that exist.
pub(super) fn profiles() -> Vec<ProfileEntry> {
    let entry = |name: String| {
        let path = settings::file_of(&name).ok()?;
        let selector = ProfileSelector { profile: Some(name.clone()), ..ProfileSelector::default() };
        let summary = settings::load_to_read(&selector);
        let summary = summary.map(|loaded| loaded.profile.guide.id().to_owned()).map_err(|error| error.message);
        Some(ProfileEntry { name, summary, path })
    };
    settings::names().unwrap_or_default().into_iter().filter_map(entry).collect()
}
