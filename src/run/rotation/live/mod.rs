//! The world that a rotation session really works on: a cloud's store, and the running automation.

mod aws;
mod azure;
mod google;

use std::collections::VecDeque;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use tokio::process::Command;
use tokio::sync::{Mutex, oneshot};

use self::aws::AwsReader;
use self::azure::AzureReader;
use self::google::GoogleReader;
use super::event::Phase;
use super::event::{Opened, Refused, RotationBackend, Written};
use crate::cause::{Cause, Certainty, Finding};
use crate::check::facts::Facts;
use crate::check::facts::deployment::{DeploymentFact, Kickoff, RunFact, RunState, SettingProblem};
use crate::check::facts::secret::{Answer, Call};
use crate::check::registry::judge;
use crate::check::token::Expectations;
use crate::check::{CheckId, Verdict};
use crate::domain::ids::Cloud;
use crate::domain::ids::Finder;
use crate::domain::profile::{Operator, Profile};
use crate::domain::rotation::{RuntimeObservation, Source, StoreSnapshot};
use crate::domain::runtime_output::RuntimeOutput;
use crate::domain::secret_ref::SecretRef;
use crate::domain::timestamp::UnixMillis;
use crate::domain::token::RawToken;
use crate::probe::deployment::{DeploymentTarget, Pace, kickoff_inputs};
use crate::probe::http::HttpStack;
use crate::probe::new_value::NewValue;
use crate::probe::{runtime_text, token_source};
use crate::run::now_ms;

/// Where the running automation is looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RuntimeSource {
    Nowhere,
    /// The profile's deployment is made to run.
    Kickoff,
    /// What was brought, already reduced.
    Texts {
        before: Option<RuntimeOutput>,
        after: Option<RuntimeOutput>,
    },
    /// A log file that grows.
    Log(PathBuf),
    /// A program that prints the output, such as `kubectl logs`.
    Command(Vec<String>),
}

/// What a session works with. Holds values to be written, and no others; shows none.
pub struct CloudBackend {
    http: HttpStack,
    profile: Profile,
    /// The most that a program of the user's may take.
    timeout: Duration,
    operator: Operator,
    /// For rotating by command.
    command: Vec<String>,
    command_stderr: fn() -> Stdio,
    runtime: RuntimeSource,
    /// The values to write, in the order of the session's secrets.
    values: Mutex<VecDeque<NewValue>>,
    reader: Mutex<Option<Reader>>,
    /// Where the log ended at the last look.
    log_end: Mutex<u64>,
}

/// What the session rests on.
pub struct LiveSettings {
    pub http: HttpStack,
    pub profile: Profile,
    pub timeout: Duration,
    pub operator: Operator,
    pub command: Vec<String>,
    /// Where that program's complaints go.
    pub command_stderr: fn() -> Stdio,
    pub runtime: RuntimeSource,
    pub values: Vec<NewValue>,
}

#[derive(Clone)]
enum Reader {
    Aws(Box<AwsReader>),
    Azure(Box<AzureReader>),
    Google(Box<GoogleReader>),
}

impl CloudBackend {
    /// A world that nothing has been asked of yet.
    pub fn new(settings: LiveSettings) -> Self {
        CloudBackend {
            http: settings.http,
            profile: settings.profile,
            timeout: settings.timeout,
            operator: settings.operator,
            command: settings.command,
            command_stderr: settings.command_stderr,
            runtime: settings.runtime,
            values: Mutex::new(settings.values.into()),
            reader: Mutex::new(None),
            log_end: Mutex::new(0),
        }
    }

    /// As whom, and to which account or vault, a value would be written: for the question before it.
    ///
    /// # Errors
    /// The operator's credentials are not found or not valid.
    pub async fn operator_identity(&self) -> Result<String, Refused> {
        match self.profile.guide.cloud() {
            Cloud::Azure => self.azure_operator().await.map(|(_, _, identity)| identity),
            Cloud::Gcp => self.google_operator().await.map(|(_, _, identity)| identity),
            Cloud::Aws => self.aws_operator().await.map(|(_, _, identity)| identity),
        }
    }

    /// The workload's token, with the fact of reading it.
    async fn token(&self, facts: &mut Facts) -> Result<RawToken, Refused> {
        let Some(source) = &self.profile.token else {
            return Err(Refused::new(
                "the profile names no source of a token; set token.file, token.env or token.command",
            ));
        };
        let client = self.http.client();
        let expected = Expectations::of(&self.profile);
        let options = token_source::ReadOptions {
            timeout: self.timeout,
            audience: expected.audience.as_deref(),
            client: Some(&client),
        };
        let (fact, sourced) = token_source::observe(source, &options).await;
        facts.token = Some(fact);
        match sourced {
            Some(_) if !facts.has_form_of_token() => Err(refusal(judge(CheckId::TokenShape, facts, &self.profile))),
            Some(sourced) => Ok(sourced.token),
            None => Err(refusal(judge(CheckId::TokenPresent, facts, &self.profile))),
        }
    }

    /// The reader's session, opened where it is not open yet.
    async fn reader(&self) -> Result<Reader, Refused> {
        if let Some(reader) = self.reader.lock().await.clone() {
            return Ok(reader);
        }
        self.open().await?;
        self.reader.lock().await.clone().ok_or_else(|| Refused::new("no session was granted"))
    }

    /// Asks with the reader's session; once more with a new one where that one has expired.
    async fn asked<T, F>(&self, ask: impl Fn(Reader) -> F) -> Result<T, Refused>
    where
        F: Future<Output = Result<T, Failed>>,
    {
        match ask(self.reader().await?).await {
            Ok(value) => Ok(value),
            Err(failed) if failed.expired => {
                *self.reader.lock().await = None;
                ask(self.reader().await?).await.map_err(|failed| failed.refused)
            }
            Err(failed) => Err(failed.refused),
        }
    }
}

/// A call of the reader's that brought nothing.
struct Failed {
    refused: Refused,
    /// The session's time was up.
    expired: bool,
}

impl RotationBackend for CloudBackend {
    async fn open(&self) -> Result<Opened, Refused> {
        let (reader, opened) = match self.profile.guide.cloud() {
            Cloud::Azure => self.open_azure().await?,
            Cloud::Gcp => self.open_google().await?,
            Cloud::Aws => self.open_aws().await?,
        };
        *self.reader.lock().await = Some(reader);
        Ok(opened)
    }

    async fn current(&self, secret: &SecretRef) -> Result<String, Refused> {
        self.asked(|reader| async move {
            match reader {
                Reader::Aws(aws) => aws.current(secret, &self.profile).await,
                Reader::Azure(azure) => azure.current(secret, &self.profile).await,
                Reader::Google(google) => google.current(secret, &self.profile).await,
            }
        })
        .await
    }

    async fn snapshot(&self, secret: &SecretRef) -> Result<StoreSnapshot, Refused> {
        self.asked(|reader| async move {
            match reader {
                Reader::Aws(aws) => aws.snapshot(secret, &self.profile).await,
                Reader::Azure(azure) => azure.snapshot(secret, &self.profile).await,
                Reader::Google(google) => google.snapshot(secret, &self.profile).await,
            }
        })
        .await
    }

    async fn runtime(
        &self,
        moment: Phase,
        accepted: oneshot::Sender<String>,
    ) -> Result<Option<RuntimeObservation>, Refused> {
        self.look(moment, accepted).await
    }

    async fn follow(&self, kickoff_id: &str, began: UnixMillis) -> Result<Option<RuntimeObservation>, Refused> {
        self.go_on_with(kickoff_id, began).await
    }

    async fn write(&self, secret: &SecretRef) -> Result<Written, Refused> {
        let Some(value) = self.values.lock().await.pop_front() else {
            return Err(Refused::new("there is no value to write"));
        };
        let (version, operator) = match self.profile.guide.cloud() {
            Cloud::Azure => self.write_azure(secret, &value).await?,
            Cloud::Gcp => self.write_google(secret, &value).await?,
            Cloud::Aws => self.write_aws(secret, &value).await?,
        };
        Ok(Written { version: Some(version), at: now_ms(), operator: Some(operator) })
    }

    async fn run_command(&self) -> Result<(), Refused> {
        let Some((program, arguments)) = self.command.split_first() else {
            return Err(Refused::new("no program is named"));
        };
        // Its output may hold the value, so none of it is read.
        let status = Command::new(program)
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr((self.command_stderr)())
            .kill_on_drop(true)
            .status()
            .await
            .map_err(|error| Refused::new(format!("program {program} cannot be started: {error}")))?;
        if status.success() { Ok(()) } else { Err(Refused::new(format!("program {program} failed ({status})"))) }
    }

    async fn roll_back(&self, secret: &SecretRef, to: &str) -> Result<String, Refused> {
        match self.profile.guide.cloud() {
            Cloud::Azure => self.roll_back_azure(secret, to).await,
            Cloud::Gcp => self.roll_back_google(secret, to).await,
            Cloud::Aws => self.roll_back_aws(secret, to).await,
        }
    }
}

/// A verdict as a refusal.
fn refusal(verdict: Verdict) -> Refused {
    let reason = verdict.reason.unwrap_or_else(|| "no answer was seen".to_owned());
    Refused { reason, findings: verdict.findings }
}

/// What a call brought, or what it was refused with.
fn granted<T>(call: Call<T>, doing: &str) -> Result<T, Refused> {
    match call.answer {
        Answer::Granted(value) => Ok(value),
        Answer::Refused(refusal) => Err(Refused::new(format!("{doing}: {}: {}", refusal.code, refusal.message))),
        Answer::Network { failure } => Err(Refused::new(format!("{doing}: {failure}"))),
        Answer::Unreadable { detail, .. } | Answer::NotSent { detail } => {
            Err(Refused::new(format!("{doing}: {detail}")))
        }
    }
}

/// The same call with nothing granted, for a verdict on why.
fn without_grant<T, U>(call: Call<T>) -> Result<T, Box<Call<U>>> {
    let answer = match call.answer {
        Answer::Granted(value) => return Ok(value),
        Answer::Refused(refusal) => Answer::Refused(refusal),
        Answer::Network { failure } => Answer::Network { failure },
        Answer::Unreadable { http_status, detail } => Answer::Unreadable { http_status, detail },
        Answer::NotSent { detail } => Answer::NotSent { detail },
    };
    Err(Box::new(Call {
        region: call.region,
        attempts: call.attempts,
        waited_ms: call.waited_ms,
        answer,
        exchange: call.exchange,
    }))
}

impl CloudBackend {
    /// One look at the running automation.
    async fn look(
        &self,
        moment: Phase,
        accepted: oneshot::Sender<String>,
    ) -> Result<Option<RuntimeObservation>, Refused> {
        let began = now_ms();
        match &self.runtime {
            RuntimeSource::Nowhere => Ok(None),
            RuntimeSource::Kickoff => self.kickoff(began, accepted).await.map(Some),
            RuntimeSource::Texts { before, after } => {
                let text = if moment == Phase::Before { before } else { after };
                Ok(text.clone().map(|output| sighting(began, Source::Text, output)))
            }
            RuntimeSource::Log(path) => {
                let mut end = self.log_end.lock().await;
                let (output, reached) = runtime_text::log(path, *end).await.map_err(Refused::new)?;
                // What was there before the rotation says nothing of after it.
                if moment == Phase::Before {
                    *end = reached;
                }
                let source = Source::Log { file: path.display().to_string() };
                Ok(Some(sighting(began, source, output)))
            }
            RuntimeSource::Command(argv) => {
                let output = runtime_text::command(argv, self.timeout).await.map_err(Refused::new)?;
                let program = argv.first().cloned().unwrap_or_default();
                Ok(Some(sighting(began, Source::Command { program }, output)))
            }
        }
    }

    async fn kickoff(
        &self,
        began: UnixMillis,
        accepted: oneshot::Sender<String>,
    ) -> Result<RuntimeObservation, Refused> {
        let (settings, target) = (&self.profile.deployment, self.deployment().await?);
        let inputs = kickoff_inputs(settings).await.map_err(|problem| unusable(&problem))?;
        let fact = target.kickoff(&inputs).await;
        if fact.call.refusal().is_some_and(|refusal| refusal.http_status == 422) {
            let reason = match &fact.missing[..] {
                [] => "the deployment refuses the kickoff: inputs are missing or unfit".to_owned(),
                missing => {
                    format!("the deployment refuses the kickoff: nothing says what {} should be", missing.join(", "))
                }
            };
            let finding =
                Finding::new(Cause::DeploymentInputsMissing, Finder::Rotate, Certainty::Proven, reason.clone())
                    .with_fix("Write a JSON object with these inputs to a file, and name it as `deployment.inputs`.");
            return Err(Refused { reason, findings: vec![finding] });
        }
        let kickoff = without_grant(fact.call).map_err(|call| {
            let facts = Facts {
                deployment: Some(DeploymentFact {
                    deployment: settings.url.clone().unwrap_or_default(),
                    token: settings.token.as_ref().map(ToString::to_string),
                    call: *call,
                    missing: Vec::new(),
                    problem: None,
                }),
                ..Facts::default()
            };
            refusal(judge(CheckId::DeploymentReachable, &facts, &self.profile))
        })?;
        let _ = accepted.send(kickoff.kickoff_id.clone());
        let run = target.follow(&kickoff, Pace::default(), |_| {}).await;
        ended(&run, began)
    }

    /// The end of a run that an interrupted session started.
    async fn go_on_with(&self, kickoff_id: &str, began: UnixMillis) -> Result<Option<RuntimeObservation>, Refused> {
        if self.runtime != RuntimeSource::Kickoff {
            return Ok(None);
        }
        let target = self.deployment().await?;
        let kickoff = Kickoff { kickoff_id: kickoff_id.to_owned() };
        let run = target.follow(&kickoff, Pace::default(), |_| {}).await;
        match run.call.refusal() {
            Some(refusal) if refusal.http_status == 404 => Ok(None),
            _ => ended(&run, began).map(Some),
        }
    }

    async fn deployment(&self) -> Result<DeploymentTarget, Refused> {
        match DeploymentTarget::of(&self.http, &self.profile.deployment).await {
            Ok(Some(target)) => Ok(target),
            Ok(None) => Err(Refused::new("the profile names no deployment; set deployment.url")),
            Err(problem) => Err(unusable(&problem)),
        }
    }
}

/// What a run that was followed shows.
fn ended(run: &RunFact, began: UnixMillis) -> Result<RuntimeObservation, Refused> {
    let kickoff_id = &run.kickoff_id;
    let unreadable = |why: &str| Refused::new(format!("kickoff {kickoff_id}: {why}"));
    let Some(status) = run.call.granted() else { return Err(unreadable("its status cannot be read")) };
    match status.state {
        RunState::Running if status.output.is_empty() => Err(unreadable("it did not end in time")),
        state => {
            let source = Source::Kickoff { kickoff_id: kickoff_id.clone() };
            Ok(RuntimeObservation {
                failed: state == RunState::Failed,
                ..sighting(began, source, status.output.clone())
            })
        }
    }
}

fn sighting(began: UnixMillis, source: Source, output: RuntimeOutput) -> RuntimeObservation {
    RuntimeObservation { began, at: now_ms(), source, failed: false, output }
}

fn unusable(problem: &SettingProblem) -> Refused {
    Refused::new(problem.words())
}
