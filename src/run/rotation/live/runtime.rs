//! The running automation: made to run, or read of in a text, a log, a program's output.

use tokio::sync::oneshot;

use super::{LiveWorld, RuntimeSource, refusal, without_grant};
use crate::cause::{Cause, Certainty, Finding};
use crate::check::facts::Facts;
use crate::check::facts::deployment::{DeploymentFact, Kickoff, RunFact, RunState, SettingProblem};
use crate::check::{CheckId, verdict};
use crate::domain::rotation::{Sighting, Source};
use crate::domain::runtime_output::RuntimeOutput;
use crate::domain::timestamp::UnixMillis;
use crate::probe::deployment::{DeploymentTarget, Pace, kickoff_inputs};
use crate::probe::runtime_text;
use crate::run::rotation::event::Moment;
use crate::run::rotation::session::now;
use crate::run::rotation::world::Refused;

impl LiveWorld {
    /// One look at the running automation.
    pub(super) async fn look(
        &self,
        moment: Moment,
        accepted: oneshot::Sender<String>,
    ) -> Result<Option<Sighting>, Refused> {
        let began = now();
        match &self.runtime {
            RuntimeSource::Nowhere => Ok(None),
            RuntimeSource::Kickoff => self.kickoff(began, accepted).await.map(Some),
            RuntimeSource::Texts { before, after } => {
                let text = if moment == Moment::Before { before } else { after };
                Ok(text.clone().map(|output| sighting(began, Source::Text, output)))
            }
            RuntimeSource::Log(path) => {
                let mut end = self.log_end.lock().await;
                let (output, reached) = runtime_text::log(path, *end).await.map_err(Refused::new)?;
                // What was there before the rotation says nothing of after it.
                if moment == Moment::Before {
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

    async fn kickoff(&self, began: UnixMillis, accepted: oneshot::Sender<String>) -> Result<Sighting, Refused> {
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
            let finding = Finding::new(Cause::DeploymentInputsMissing, "rotate", Certainty::Proven, reason.clone())
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
            refusal(verdict::of(CheckId::DeploymentReachable, &facts, &self.profile))
        })?;
        let _ = accepted.send(kickoff.kickoff_id.clone());
        let run = target.follow(&kickoff, Pace::default(), |_| {}).await;
        ended(&run, began)
    }

    /// The end of a run that an interrupted session started.
    pub(super) async fn go_on_with(&self, kickoff_id: &str, began: UnixMillis) -> Result<Option<Sighting>, Refused> {
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
fn ended(run: &RunFact, began: UnixMillis) -> Result<Sighting, Refused> {
    let kickoff_id = &run.kickoff_id;
    let unreadable = |why: &str| Refused::new(format!("kickoff {kickoff_id}: {why}"));
    let Some(status) = run.call.granted() else { return Err(unreadable("its status cannot be read")) };
    match status.state {
        RunState::Running if status.output.is_empty() => Err(unreadable("it did not end in time")),
        state => {
            let source = Source::Kickoff { kickoff_id: kickoff_id.clone() };
            Ok(Sighting { failed: state == RunState::Failed, ..sighting(began, source, status.output.clone()) })
        }
    }
}

fn sighting(began: UnixMillis, source: Source, output: RuntimeOutput) -> Sighting {
    Sighting { began, at: now(), source, failed: false, output }
}

fn unusable(problem: &SettingProblem) -> Refused {
    Refused::new(problem.words())
}
