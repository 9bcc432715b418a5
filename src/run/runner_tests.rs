//! The runner with made-up probes under paused time: order, overlap, attempts, deadline, cancellation, panics.

use std::sync::Mutex;
use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::*;
use crate::check::facts::aws::{AssumedRole, Caller};
use crate::check::facts::azure::{AccessGranted, CredentialKind, ExchangeFact, VaultFact};
use crate::check::facts::secret::SecretList;
use crate::check::facts::secret::{Answer, Call, Refusal};
use crate::check::facts::token::TokenFact;
use crate::domain::arn::RoleArn;
use crate::domain::profile::{AwsSettings, AzureSettings, Guide, TokenSource};
use crate::domain::secret_ref::SecretRef;
use crate::domain::token::RawToken;
use crate::run::event::RunVerdict;
use crate::run::report::Report;

const SECOND: Duration = Duration::from_secs(1);

/// Probes that take a second each and bring what a healthy world would; what a test overrides comes first.
#[derive(Default)]
struct Fakes {
    /// Called with the step and how often it was performed before.
    override_with: Option<fn(Step, usize) -> Option<Fake>>,
    performed: Mutex<Vec<(Step, Instant, Arc<Facts>)>>,
}

enum Fake {
    Brings(Box<StepOutput>),
    Panics,
    Hangs,
}

impl Probes for Fakes {
    async fn perform(&self, step: Step, input: StepInput) -> StepOutput {
        let before = {
            let mut performed = self.performed.lock().unwrap();
            let before = performed.iter().filter(|(s, ..)| *s == step).count();
            performed.push((step, Instant::now(), input.facts));
            before
        };
        sleep(SECOND).await;
        match self.override_with.and_then(|f| f(step, before)) {
            Some(Fake::Brings(yielded)) => *yielded,
            Some(Fake::Panics) => panic!("a probe's own fault"),
            Some(Fake::Hangs) => std::future::pending().await,
            None => healthy(step),
        }
    }
}

fn call<T>(answer: Answer<T>) -> Call<T> {
    Call { region: None, attempts: 1, waited_ms: 0, answer, exchange: None }
}

fn denied<T>() -> Call<T> {
    call(Answer::Refused(Refusal {
        code: "AccessDenied".into(),
        message: "Not authorized to perform sts:AssumeRoleWithWebIdentity".into(),
        http_status: 403,
        request_id: None,
    }))
}

fn healthy(step: Step) -> StepOutput {
    match step {
        Step::Token => {
            let (raw, cleaned) = RawToken::clean("e30.e30.e30");
            StepOutput::Token(TokenFact::read("a test", &raw, cleaned), Some(raw))
        }
        Step::WebIdentity => StepOutput::WebIdentity(
            call(Answer::Granted(AssumedRole {
                assumed_role_arn: "arn:aws:sts::123456789012:assumed-role/r/s".into(),
                provider: None,
                audience: None,
                subject: None,
                session_expires_at: None,
            })),
            None,
        ),
        Step::CallerIdentity => StepOutput::CallerIdentity(call(Answer::Granted(Caller {
            arn: "arn:aws:sts::123456789012:assumed-role/r/s".into(),
            account: "123456789012".into(),
        }))),
        Step::ListSecrets => StepOutput::ListSecrets(call(Answer::Granted(SecretList {
            seen: 0,
            more: false,
            holds_secret: None,
            id: None,
            nearest: None,
            ..SecretList::default()
        }))),
        _ => StepOutput::Nothing,
    }
}

fn request() -> RunRequest {
    let profile = Profile {
        token: Some(TokenSource::Stdin),
        aws: AwsSettings {
            role_arn: Some(RoleArn {
                partition: "aws".into(),
                account: "123456789012".into(),
                path_and_name: "r".into(),
            }),
            region: Some("us-east-1".into()),
            ..AwsSettings::default()
        },
        ..Profile::bare("test", Guide::AwsWorkloadIdentity)
    };
    let only = vec![CheckId::AwsAssumeRoleWithWebIdentity, CheckId::AwsCallerIdentity, CheckId::AwsListSecrets];
    RunRequest {
        profile,
        selection: Selection { only, skip: Vec::new() },
        limits: Limits { total: 30 * SECOND, wait: Duration::ZERO },
        now: 0,
    }
}

async fn events(request: RunRequest, fakes: Fakes) -> (Vec<RunEvent>, Arc<Fakes>) {
    let fakes = Arc::new(fakes);
    let mut stream = start(request, fakes.clone(), CancellationToken::new());
    let mut events = Vec::new();
    while let Some(event) = stream.recv().await {
        events.push(event);
    }
    (events, fakes)
}

fn outcome(report: &Report, check: CheckId) -> (Outcome, String) {
    let finished = report.finished().find(|f| f.id == check).unwrap();
    (finished.outcome, finished.reason.clone().unwrap_or_default())
}

#[tokio::test(start_paused = true)]
async fn steps_follow_each_other_and_independent_ones_overlap() {
    let (events, fakes) = events(request(), Fakes::default()).await;
    let report = Report::of(&events);
    assert_eq!(report.end.as_ref().unwrap().verdict, RunVerdict::Pass, "{report:#?}");
    // Token, exchange, then caller and list together: three seconds, not four.
    assert_eq!(report.end.as_ref().unwrap().duration_ms, 3000);
    let performed = fakes.performed.lock().unwrap();
    let at = |step| performed.iter().find(|(s, ..)| *s == step).unwrap().1;
    assert_eq!(at(Step::CallerIdentity), at(Step::ListSecrets));
    assert!(at(Step::Token) < at(Step::WebIdentity) && at(Step::WebIdentity) < at(Step::ListSecrets));
    assert!(events.iter().enumerate().all(|(n, e)| e.seq == n as u64), "the stream has no gaps");
}

#[tokio::test(start_paused = true)]
async fn steps_that_begin_together_share_the_facts_and_keep_what_they_began_with() {
    let (_, fakes) = events(request(), Fakes::default()).await;
    let performed = fakes.performed.lock().unwrap();
    let given = |step| &performed.iter().find(|(s, ..)| *s == step).unwrap().2;
    assert!(Arc::ptr_eq(given(Step::CallerIdentity), given(Step::ListSecrets)), "nothing is copied for a step");
    assert!(given(Step::Token).token.is_none() && given(Step::WebIdentity).token.is_some());
}

#[tokio::test(start_paused = true)]
async fn a_vault_that_refuses_the_read_blocks_the_field_of_its_value() {
    fn refusing(step: Step, _: usize) -> Option<Fake> {
        let yielded = match step {
            Step::EntraExchange => {
                let exchange = ExchangeFact {
                    authority: String::new(),
                    tenant_id: String::new(),
                    client_id: String::new(),
                    scope: String::new(),
                    credential: CredentialKind::Assertion,
                    call: call(Answer::Granted(AccessGranted::default())),
                    error: None,
                };
                StepOutput::EntraExchange(Box::new(exchange), None)
            }
            Step::VaultGet => StepOutput::VaultGet(Box::new(VaultFact {
                vault: "https://my-vault.vault.azure.net".into(),
                challenge: None,
                challenge_fit: None,
                call: denied(),
                error: None,
                token_error: None,
                deleted: None,
            })),
            _ => return None,
        };
        Some(Fake::Brings(Box::new(yielded)))
    }
    let azure = AzureSettings { tenant_id: Some("t".into()), client_id: Some("c".into()), ..AzureSettings::default() };
    let profile = Profile {
        token: Some(TokenSource::Stdin),
        azure,
        secret: SecretRef::parse("db#password").ok(),
        ..Profile::bare("test", Guide::AzureWorkloadIdentity)
    };
    let only = vec![CheckId::AzureGetSecret, CheckId::SecretJsonKey];
    let request = RunRequest { profile, selection: Selection { only, skip: Vec::new() }, ..request() };
    let (events, _) = events(request, Fakes { override_with: Some(refusing), ..Fakes::default() }).await;
    let report = Report::of(&events);
    assert_eq!(outcome(&report, CheckId::AzureGetSecret).0, Outcome::Fail, "{report:#?}");
    let blocked = (Outcome::Skipped, "blocked by azure.get-secret".to_owned());
    assert_eq!(outcome(&report, CheckId::SecretJsonKey), blocked);
}

#[tokio::test(start_paused = true)]
async fn a_refused_exchange_blocks_what_needs_it() {
    let deny =
        |step, _| (step == Step::WebIdentity).then(|| Fake::Brings(Box::new(StepOutput::WebIdentity(denied(), None))));
    let (events, _) = events(request(), Fakes { override_with: Some(deny), ..Fakes::default() }).await;
    let report = Report::of(&events);
    assert_eq!(outcome(&report, CheckId::AwsAssumeRoleWithWebIdentity).0, Outcome::Fail);
    let blocked = (Outcome::Skipped, "blocked by aws.assume-role-with-web-identity".to_owned());
    assert_eq!(outcome(&report, CheckId::AwsListSecrets), blocked);
    assert_eq!(report.end.unwrap().verdict, RunVerdict::Fail);
}

#[tokio::test(start_paused = true)]
async fn waiting_tries_again_until_it_works_and_says_how_long() {
    let slow_to_spread = |step, before| {
        (step == Step::WebIdentity && before < 8)
            .then(|| Fake::Brings(Box::new(StepOutput::WebIdentity(denied(), None))))
    };
    let mut request = request();
    request.limits.wait = 60 * SECOND;
    let (events, _) = events(request, Fakes { override_with: Some(slow_to_spread), ..Fakes::default() }).await;
    let retries = events.iter().filter(|e| matches!(e.kind, EventKind::Retrying { .. })).count();
    // They take longer than a run may that does not wait.
    assert_eq!(retries, 8);
    let (outcome, reason) = outcome(&Report::of(&events), CheckId::AwsAssumeRoleWithWebIdentity);
    assert_eq!(outcome, Outcome::Pass);
    assert!(reason.contains("worked after ") && reason.contains(", 9th attempt"), "{reason}");
}

#[tokio::test(start_paused = true)]
async fn a_panicking_probe_is_inconclusive_and_the_rest_goes_on() {
    let broken = |step, _| (step == Step::CallerIdentity).then_some(Fake::Panics);
    let (events, _) = events(request(), Fakes { override_with: Some(broken), ..Fakes::default() }).await;
    let report = Report::of(&events);
    assert_eq!(outcome(&report, CheckId::AwsCallerIdentity).0, Outcome::Inconclusive);
    assert_eq!(outcome(&report, CheckId::AwsListSecrets).0, Outcome::Pass);
    assert_eq!(report.end.unwrap().verdict, RunVerdict::Inconclusive);
}

#[tokio::test(start_paused = true)]
async fn the_deadline_ends_what_hangs() {
    let hanging = |step, _| (step == Step::ListSecrets).then_some(Fake::Hangs);
    let (events, _) = events(request(), Fakes { override_with: Some(hanging), ..Fakes::default() }).await;
    let report = Report::of(&events);
    assert_eq!(outcome(&report, CheckId::AwsListSecrets).0, Outcome::Inconclusive);
    assert_eq!(outcome(&report, CheckId::AwsCallerIdentity).0, Outcome::Pass);
    let end = report.end.unwrap();
    assert_eq!((end.duration_ms, end.cut_short.as_deref()), (30_250, Some("no answer within 30 s")));
}

#[tokio::test(start_paused = true)]
async fn cancelling_ends_the_run_with_what_was_seen() {
    let cancel = CancellationToken::new();
    let hanging = |step, _| (step == Step::WebIdentity).then_some(Fake::Hangs);
    let mut stream =
        start(request(), Arc::new(Fakes { override_with: Some(hanging), ..Fakes::default() }), cancel.clone());
    let mut events = Vec::new();
    while let Some(event) = stream.recv().await {
        if matches!(event.kind, EventKind::Started { check: CheckId::AwsAssumeRoleWithWebIdentity }) {
            cancel.cancel();
        }
        events.push(event);
    }
    let report = Report::of(&events);
    assert_eq!(report.end.as_ref().unwrap().cut_short.as_deref(), Some("interrupted"));
    assert_eq!(outcome(&report, CheckId::AwsAssumeRoleWithWebIdentity).0, Outcome::Inconclusive);
}

#[tokio::test(start_paused = true)]
async fn what_is_not_asked_for_is_told_as_such() {
    let mut request = request();
    request.selection = Selection { only: Vec::new(), skip: vec![CheckId::AwsListSecrets] };
    let (events, _) = events(request, Fakes::default()).await;
    assert_eq!(outcome(&Report::of(&events), CheckId::AwsListSecrets), (Outcome::Skipped, "not asked for".to_owned()));
}
