//! Sessions in a made-up world under paused time: each request takes a tenth of a second, and nothing else takes any.

mod schedule;
mod ways;

use std::sync::Mutex;

use tokio::time::sleep;

use super::*;
use crate::domain::fingerprint::Fingerprint;
use crate::domain::profile::{Guide, Profile};
use crate::domain::rotation::snapshot::{CURRENT, PREVIOUS};
use crate::domain::rotation::{Place, Source, Store, Verdict, Version};
use crate::domain::runtime_output::RuntimeOutput;
use crate::run::rotation::event::Judged;
use crate::run::rotation::event::{Opened, Written};
use crate::run::rotation::report::RotationReport;

const SECOND: Duration = Duration::from_secs(1);
/// What one request takes; its answer tells how things are at its end.
const REQUEST: Duration = Duration::from_millis(100);
/// What the automation's run takes after its kickoff was accepted.
const RUN: Duration = Duration::from_secs(2);

/// What is asked of the world.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Call {
    Open,
    Current,
    Snapshot,
    Runtime(Phase),
    Follow,
    Write,
    RunCommand,
    RollBack,
}

/// What a run of the automation prints, given the moment, the time since the start, and the value that it read.
type Prints = fn(Phase, Duration, &str) -> Option<String>;

/// A store in which each secret begins with the value `old`, and an automation that reads it at each run.
struct Fakes {
    began: Instant,
    /// What was and will be written: the secret, when, and the value.
    writes: Mutex<Vec<(String, Duration, &'static str)>>,
    /// Nothing where there is nothing to look at.
    prints: Prints,
    /// Whether a call is refused, given how often it was made before.
    refuses: fn(Call, usize) -> bool,
    calls: Mutex<Vec<(Call, Duration)>>,
}

impl Fakes {
    fn new() -> Self {
        Fakes {
            began: Instant::now(),
            writes: Mutex::default(),
            prints: |_, _, current| Some(line(current)),
            refuses: |_, _| false,
            calls: Mutex::default(),
        }
    }

    /// A value that somebody writes to the first secret.
    fn with_write(self, at: Duration, value: &'static str) -> Self {
        self.writes.lock().unwrap().push(("first".to_owned(), at, value));
        self
    }

    async fn call(&self, call: Call) -> Result<(), Refused> {
        let before = {
            let mut calls = self.calls.lock().unwrap();
            let before = calls.iter().filter(|(known, _)| *known == call).count();
            calls.push((call, self.began.elapsed()));
            before
        };
        sleep(REQUEST).await;
        if (self.refuses)(call, before) { Err(Refused::new(format!("{call:?} is refused"))) } else { Ok(()) }
    }

    fn made(&self, call: Call) -> usize {
        self.calls.lock().unwrap().iter().filter(|(known, _)| *known == call).count()
    }

    /// The values that were current so far, the oldest first.
    fn values(&self, secret: &str) -> Vec<&'static str> {
        let now = self.began.elapsed();
        let writes = self.writes.lock().unwrap();
        let written = writes.iter().filter(|(name, at, _)| name == secret && *at <= now).map(|(_, _, value)| *value);
        std::iter::once("old").chain(written).collect()
    }

    fn put(&self, secret: &str, value: &'static str) -> String {
        self.writes.lock().unwrap().push((secret.to_owned(), self.began.elapsed(), value));
        self.values(secret).len().to_string()
    }
}

impl RotationBackend for Fakes {
    async fn open(&self) -> Result<Opened, Refused> {
        self.call(Call::Open).await?;
        Ok(Opened { identity: Some("reader".into()), clock_skew_s: Some(0) })
    }

    async fn current(&self, secret: &SecretRef) -> Result<String, Refused> {
        self.call(Call::Current).await?;
        Ok(self.values(&secret.name).len().to_string())
    }

    async fn snapshot(&self, secret: &SecretRef) -> Result<StoreSnapshot, Refused> {
        self.call(Call::Snapshot).await?;
        Ok(snapshot(&self.values(&secret.name)))
    }

    async fn runtime(
        &self,
        moment: Phase,
        accepted: oneshot::Sender<String>,
    ) -> Result<Option<RuntimeObservation>, Refused> {
        self.call(Call::Runtime(moment)).await?;
        let kickoff_id = format!("run-{}", self.calls.lock().unwrap().len());
        let _ = accepted.send(kickoff_id.clone());
        let began = now_ms();
        let current = self.values("first").last().copied().unwrap_or_default();
        sleep(RUN).await;
        let printed = (self.prints)(moment, self.began.elapsed(), current);
        Ok(printed.map(|text| RuntimeObservation {
            began,
            at: now_ms(),
            source: Source::Kickoff { kickoff_id },
            failed: false,
            output: RuntimeOutput::of(&text),
        }))
    }

    async fn follow(&self, kickoff_id: &str, began: UnixMillis) -> Result<Option<RuntimeObservation>, Refused> {
        self.call(Call::Follow).await?;
        let printed = (self.prints)(Phase::After, self.began.elapsed(), "new").filter(|_| kickoff_id == "known");
        Ok(printed.map(|text| RuntimeObservation {
            began,
            at: now_ms(),
            source: Source::Kickoff { kickoff_id: kickoff_id.to_owned() },
            failed: false,
            output: RuntimeOutput::of(&text),
        }))
    }

    async fn write(&self, secret: &SecretRef) -> Result<Written, Refused> {
        self.call(Call::Write).await?;
        let version = self.put(&secret.name, "new");
        Ok(Written { version: Some(version), at: now_ms(), operator: Some("operator".into()) })
    }

    async fn run_command(&self) -> Result<(), Refused> {
        self.call(Call::RunCommand).await?;
        self.put("first", "new");
        Ok(())
    }

    async fn roll_back(&self, secret: &SecretRef, to: &str) -> Result<String, Refused> {
        self.call(Call::RollBack).await?;
        self.put(&secret.name, "old");
        Ok(to.to_owned())
    }
}

/// The versions of these values, numbered from 1; the last one is current.
fn snapshot(values: &[&str]) -> StoreSnapshot {
    let versions: Vec<Version> = values
        .iter()
        .enumerate()
        .rev()
        .zip([CURRENT, PREVIOUS])
        .map(|((at, value), stage)| Version {
            id: (at + 1).to_string(),
            stages: vec![stage.to_owned()],
            enabled: true,
            created_at: None,
            fingerprint: Some(Fingerprint::of(value.as_bytes())),
            guessability: None,
            variants: Vec::new(),
        })
        .collect();
    StoreSnapshot {
        place: Place { store: Store::AwsSecretsManager, location: "here".into() },
        at: now_ms(),
        secret_id: None,
        current: values.len().to_string(),
        versions,
        sibling: None,
        unseen: Vec::new(),
    }
}

fn line(value: &str) -> String {
    format!("credential.fingerprint={}", Fingerprint::of(value.as_bytes()).as_str())
}

fn request(way: RotationMethod) -> RotationRequest {
    RotationRequest {
        profile: Profile::bare("test", Guide::AwsWorkloadIdentity),
        secrets: vec![SecretRef { name: "first".into(), json_key: None }],
        way,
        asks: vec!["rotate it".into()],
        runtime: RuntimeFrom::World,
        roll_back: RollBack::Never,
        pace: Pace {
            first: Duration::from_millis(250),
            longest: 5 * SECOND,
            store: 60 * SECOND,
            runtime: Duration::ZERO,
        },
        earlier: Earlier::default(),
    }
}

/// A session that has ended.
struct Ended {
    events: Vec<RotationEvent>,
    report: RotationReport,
    fakes: Arc<Fakes>,
}

impl Ended {
    /// The events' names, as they stand in JSON.
    fn names(&self) -> Vec<String> {
        let name = |event: &RotationEvent| serde_json::to_value(event).unwrap()["event"].as_str().unwrap().to_owned();
        self.events.iter().map(name).collect()
    }

    fn verdicts(&self) -> Vec<Verdict> {
        self.judged().map(|judged| judged.judgement.verdict).collect()
    }

    fn judged(&self) -> impl Iterator<Item = &Judged> {
        self.events.iter().filter_map(|event| match &event.kind {
            RotationKind::Judged(judged) => Some(&**judged),
            _ => None,
        })
    }

    /// When the new version of a secret was seen, after the start of the session.
    fn seen_at(&self, secret: &str) -> Option<Duration> {
        let is_it = |kind: &RotationKind| matches!(kind, RotationKind::Written { secret: name, .. } if name == secret);
        let event = self.events.iter().find(|event| is_it(&event.kind));
        event.map(|event| Duration::from_millis(event.at_ms))
    }

    /// The pauses between looks, in milliseconds.
    fn pauses(&self) -> Vec<u64> {
        let pause = |event: &RotationEvent| match event.kind {
            RotationKind::Waiting { next_ms, .. } => Some(next_ms),
            _ => None,
        };
        self.events.iter().filter_map(pause).collect()
    }

    /// What could not be done.
    fn troubles<'a>(&'a self) -> Vec<(Option<&'a str>, &'a str)> {
        let trouble = |event: &'a RotationEvent| match &event.kind {
            RotationKind::Trouble { secret, reason, .. } => Some((secret.as_deref(), reason.as_str())),
            _ => None,
        };
        self.events.iter().filter_map(trouble).collect()
    }

    fn lasted(&self) -> Duration {
        self.events.last().map(|event| Duration::from_millis(event.at_ms)).unwrap_or_default()
    }
}

async fn run(request: RotationRequest, fakes: Fakes) -> Ended {
    run_with(request, fakes, Vec::new(), None).await
}

/// Runs a session to its end; somebody says these things at these times, and cancels it where that is given.
async fn run_with(
    request: RotationRequest,
    fakes: Fakes,
    said: Vec<(Duration, SessionCommand)>,
    cancelled: Option<Duration>,
) -> Ended {
    let fakes = Arc::new(fakes);
    let (sender, commands) = mpsc::channel(8);
    let cancel = CancellationToken::new();
    let mut stream = start(request, fakes.clone(), commands, Box::new(|_| Ok(())), cancel.clone());
    let told = sender.clone();
    let saying = tokio::spawn(async move {
        let began = Instant::now();
        for (at, command) in said {
            tokio::time::sleep_until(began + at).await;
            let _ = told.send(command).await;
        }
    });
    let cancelling = tokio::spawn(async move {
        if let Some(at) = cancelled {
            sleep(at).await;
            cancel.cancel();
        }
    });
    let (mut events, mut report) = (Vec::new(), RotationReport::default());
    while let Some(event) = stream.recv().await {
        report.apply(&event);
        events.push(event);
    }
    saying.abort();
    cancelling.abort();
    drop(sender);
    assert!(events.iter().map(|event| event.seq).eq(0..events.len() as u64), "a gap: {events:#?}");
    let ends = events.iter().filter(|event| matches!(event.kind, RotationKind::Done { .. })).count();
    assert!(ends == 1 && matches!(events.last().unwrap().kind, RotationKind::Done { .. }), "{events:#?}");
    Ended { events, report, fakes }
}
