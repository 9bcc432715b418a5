//! Whether access that was taken away is gone: the exchange is refused, and so is what a session from before still asks
//! for. The same events as a run's; each check asserts the refusal.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, json};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;

use super::event::{EventKind, FinishedCheck, NOT_ASKED_FOR, PlannedCheck, RunEvent, RunVerdict};
use super::probes::{Probes, RunCredentials, StepInput};
use super::runner::RunRequest;
use crate::cause::Cause;
use crate::check::facts::Facts;
use crate::check::registry::informed_by;
use crate::check::step::Step;
use crate::check::{Check, CheckId, Outcome};
use crate::domain::profile::Profile;
use crate::domain::text::visible;
use crate::domain::timestamp::{UnixSeconds, in_words, rfc3339};

const EVENTS_AHEAD: usize = 64;
/// The first pause between two rounds; it doubles up to the longest.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(8);

/// What a round does, in this order: the steps that bring credentials, and those that must be refused.
const STEPS: &[Step] = &[
    Step::Token,
    Step::AccessKey,
    Step::WebIdentity,
    Step::AssumeRole,
    Step::EntraExchange,
    Step::GoogleExchange,
    Step::GoogleImpersonate,
    Step::ListSecrets,
    Step::GetSecret,
    Step::VaultList,
    Step::VaultGet,
    Step::GoogleList,
    Step::GoogleGet,
];

/// What a refusal has to be about to show that access is gone. A token that has expired, a busy service or a missing
/// secret are refused as well, and show nothing of it.
const ABOUT_ACCESS: &[Cause] = &[
    Cause::ProviderMissing,
    Cause::AudNotRegistered,
    Cause::PrincipalArnWrong,
    Cause::RoleMissing,
    Cause::ActionMissing,
    Cause::SubMismatch,
    Cause::SubCaseMismatch,
    Cause::ImmutableSub,
    Cause::AudMismatch,
    Cause::ConditionKeyWrong,
    Cause::OperatorWrong,
    Cause::ClaimMismatch,
    Cause::ExplicitDeny,
    Cause::Scp,
    Cause::PermissionsBoundary,
    Cause::SessionPolicy,
    Cause::VpcEndpointPolicy,
    Cause::StaticKeyWrong,
    Cause::AssumeRoleDenied,
    Cause::ExternalId,
    Cause::MissingList,
    Cause::ListResourceScoped,
    Cause::MissingGet,
    Cause::MissingKms,
    Cause::SecretArnSuffix,
    Cause::VersionstageCondition,
    Cause::IssMismatch,
    Cause::FicMissing,
    Cause::ClientWrong,
    Cause::SpMissing,
    Cause::ClientSecretWrong,
    Cause::ClientSecretExpired,
    Cause::ConditionalAccess,
    Cause::TenantPolicy,
    Cause::RbacMissing,
    Cause::RbacWrongRole,
    Cause::RbacWrongPrincipal,
    Cause::RbacScopeSingleSecret,
    Cause::AccessPolicyModel,
    Cause::AccessPolicyWrongObject,
    Cause::AccessPolicyCompound,
    Cause::AttributeCondition,
    Cause::AttributeMappingMissing,
    Cause::PrincipalsetMismatch,
    Cause::ProviderDisabled,
    Cause::WrongProviderName,
    Cause::SecretIamMissing,
];

/// What a check asserts where access is expected to be gone; `None` for what grants none.
const fn assertion(check: CheckId) -> Option<&'static str> {
    Some(match check {
        CheckId::AwsAssumeRoleWithWebIdentity => "STS refuses to exchange the token",
        CheckId::AwsAssumeRole => "STS refuses the role",
        CheckId::AwsListSecrets => "Secrets Manager refuses to list the secrets",
        CheckId::AwsGetSecret => "Secrets Manager refuses to read the secret",
        CheckId::AzureExchange => "Entra refuses to exchange the token",
        CheckId::AzureListSecrets => "The vault refuses to list the secrets",
        CheckId::AzureGetSecret => "The vault refuses to read the secret",
        CheckId::GcpExchange => "Google refuses to exchange the token",
        CheckId::GcpImpersonate => "Google refuses the service account's token",
        CheckId::GcpListSecrets => "Secret Manager refuses to list the secrets",
        CheckId::GcpGetSecret => "Secret Manager refuses to read the secret",
        _ => return None,
    })
}

/// Starts a run that passes once everything is refused. Tries until then, for as long as the request waits. The session
/// that was obtained first is kept, and tried in every round.
pub fn start<P: Probes>(request: RunRequest, probes: Arc<P>, cancel: CancellationToken) -> mpsc::Receiver<RunEvent> {
    let (events, receiver) = mpsc::channel(EVENTS_AHEAD);
    tokio::spawn(async move {
        let mut run = Denial::new(request, probes, events);
        run.plan_told().await;
        let cut_short = tokio::select! {
            () = cancel.cancelled() => Some("interrupted".to_owned()),
            () = run.rounds() => None,
        };
        run.done(cut_short).await;
    });
    receiver
}

struct Denial<P> {
    request: RunRequest,
    profile: Arc<Profile>,
    probes: Arc<P>,
    events: mpsc::Sender<RunEvent>,
    seq: u64,
    began: Instant,
    checks: Vec<Asserted>,
    held: Option<HeldSession>,
}

/// A check, and what its last attempt met.
struct Asserted {
    check: &'static Check,
    step: Step,
    answer: AccessAnswer,
    started_ms: u64,
    duration_ms: u64,
    /// Since when it has been refused, in milliseconds after the start.
    denied_since_ms: Option<u64>,
    /// Whether it was granted at first, so that its refusal is news.
    was_granted: bool,
}

/// A session that was obtained before access was taken away.
struct HeldSession {
    credentials: RunCredentials,
    obtained_at: UnixSeconds,
    /// `None` for an access key, which does not end by itself.
    ends_at: Option<UnixSeconds>,
}

/// What came of an attempt to get in.
#[derive(Clone, Debug, PartialEq, Eq)]
enum AccessAnswer {
    Granted,
    Denied {
        code: String,
        reason: String,
    },
    /// The session that was tried had ended by itself.
    Ended,
    /// It could not be tried, for want of a session.
    Untried,
    Unknown {
        reason: String,
    },
}

impl<P: Probes> Denial<P> {
    fn new(request: RunRequest, probes: Arc<P>, events: mpsc::Sender<RunEvent>) -> Self {
        let applying = STEPS.iter().filter(|step| step.applies(&request.profile));
        let checks = applying.flat_map(|step| informed_by(*step, &request.profile).map(|check| (check, *step)));
        let checks = checks.filter(|(check, _)| assertion(check.id).is_some()).map(|(check, step)| Asserted {
            check,
            step,
            answer: AccessAnswer::Unknown { reason: "not finished".to_owned() },
            started_ms: 0,
            duration_ms: 0,
            denied_since_ms: None,
            was_granted: false,
        });
        Denial {
            checks: checks.collect(),
            profile: Arc::new(request.profile.clone()),
            request,
            probes,
            events,
            seq: 0,
            began: Instant::now(),
            held: None,
        }
    }

    async fn plan_told(&mut self) {
        let planned = self.checks.iter().map(|asserted| PlannedCheck {
            id: asserted.check.id,
            title: assertion(asserted.check.id).unwrap_or_default().to_owned(),
        });
        let kind = EventKind::Planned {
            profile: self.profile.name.clone(),
            guide: self.profile.guide.id().to_owned(),
            started: rfc3339(self.request.now).unwrap_or_default(),
            checks: planned.collect(),
        };
        self.emit(kind).await;
    }

    async fn rounds(&mut self) {
        let mut pause = FIRST_PAUSE;
        for attempt in 1.. {
            self.round().await;
            let open = self.asked().find(|asserted| !asserted.answer.is_denial());
            let Some(open) = open else { return };
            if self.began.elapsed() + pause > self.request.limits.wait {
                return;
            }
            let (check, delay_ms) = (open.check.id, millis(pause));
            let reason = self.words(open);
            self.emit(EventKind::Retrying { check, attempt, delay_ms, reason }).await;
            sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    /// The checks that a person asked for.
    fn asked(&self) -> impl Iterator<Item = &Asserted> {
        self.checks.iter().filter(|asserted| self.request.selection.holds(asserted.check.id))
    }

    /// Tries everything once: exchanges anew, and reads with the session that is held.
    async fn round(&mut self) {
        let mut facts = Facts { now: self.now(), ..Facts::default() };
        let mut fresh = RunCredentials::default();
        let profile = self.profile.clone();
        for step in STEPS.iter().copied().filter(|step| step.applies(&profile)) {
            let reads = is_read(step);
            let credentials = match &self.held {
                Some(held) if reads || step == Step::AssumeRole && fresh.session.is_none() => held.credentials.clone(),
                _ => fresh.clone(),
            };
            let started_ms = millis(self.began.elapsed());
            let input = StepInput {
                profile: profile.clone(),
                facts: Arc::new(facts.clone()),
                credentials,
                left: self.request.limits.total,
            };
            let has_credentials = !reads || can_read(&input.credentials, &profile);
            let late = match timeout(self.request.limits.total, self.probes.perform(step, input)).await {
                Ok(output) => {
                    output.enter(&mut facts, &mut fresh);
                    None
                }
                Err(_) => Some(format!("no answer within {} s", self.request.limits.total.as_secs_f64())),
            };
            if self.held.is_none() && can_read(&fresh, &profile) {
                self.held = Some(HeldSession {
                    credentials: kept(&fresh, &facts).await,
                    obtained_at: self.now(),
                    ends_at: session_end(&facts),
                });
            }
            let has_ended = reads && self.held.as_ref().is_some_and(|held| held.has_ended(self.now()));
            let now_ms = millis(self.began.elapsed());
            for asserted in self.checks.iter_mut().filter(|asserted| asserted.step == step) {
                asserted.answer = match &late {
                    Some(reason) => AccessAnswer::Unknown { reason: reason.clone() },
                    None if !has_credentials => AccessAnswer::Untried,
                    None => AccessAnswer::of(asserted.check, &facts, &profile, has_ended),
                };
                asserted.was_granted |= asserted.answer == AccessAnswer::Granted;
                (asserted.started_ms, asserted.duration_ms) = (started_ms, now_ms - started_ms);
                match asserted.answer.is_denial() {
                    true => _ = asserted.denied_since_ms.get_or_insert(now_ms),
                    false => asserted.denied_since_ms = None,
                }
            }
        }
    }

    fn now(&self) -> UnixSeconds {
        self.request.now + i64::try_from(self.began.elapsed().as_secs()).unwrap_or(i64::MAX)
    }

    async fn done(&mut self, cut_short: Option<String>) {
        let outcomes: Vec<Outcome> = self.asked().map(|asserted| asserted.answer.outcome()).collect();
        let verdict = if outcomes.contains(&Outcome::Fail) {
            RunVerdict::Fail
        } else if cut_short.is_some() || outcomes.contains(&Outcome::Inconclusive) || !outcomes.contains(&Outcome::Pass)
        {
            RunVerdict::Inconclusive
        } else {
            RunVerdict::Pass
        };
        let finished: Vec<FinishedCheck> = self.checks.iter().map(|asserted| self.finished(asserted)).collect();
        for check in finished {
            self.emit(EventKind::Finished(Box::new(check))).await;
        }
        self.held = None;
        let duration_ms = millis(self.began.elapsed());
        self.emit(EventKind::Done { verdict, duration_ms, findings: Vec::new(), undecided: None, cut_short }).await;
    }

    fn finished(&self, asserted: &Asserted) -> FinishedCheck {
        let is_asked = self.request.selection.holds(asserted.check.id);
        FinishedCheck {
            id: asserted.check.id,
            title: assertion(asserted.check.id).unwrap_or_default().to_owned(),
            outcome: if is_asked { asserted.answer.outcome() } else { Outcome::Skipped },
            reason: Some(if is_asked { self.words(asserted) } else { NOT_ASKED_FOR.to_owned() }),
            started_ms: asserted.started_ms,
            duration_ms: asserted.duration_ms,
            facts: if is_asked { self.facts(asserted) } else { Map::new() },
            docs: asserted.check.docs.to_owned(),
            findings: Vec::new(),
            blocked_by: None,
        }
    }

    /// What an attempt came to, in a sentence.
    fn words(&self, asserted: &Asserted) -> String {
        let held = self.held.as_ref().filter(|_| is_read(asserted.step));
        let ends_at = held.and_then(|held| held.ends_at);
        match (&asserted.answer, held) {
            (AccessAnswer::Granted, Some(HeldSession { ends_at: None, .. })) => {
                "still granted, with the access key".into()
            }
            (AccessAnswer::Granted, Some(held)) => {
                let ends_at = held.ends_at.unwrap_or_default();
                let left = in_words(u64::try_from(ends_at - self.now()).unwrap_or(0));
                format!(
                    "still granted with the session of {}, which can be used until {}, for {left} more",
                    rfc3339(held.obtained_at).unwrap_or_default(),
                    rfc3339(ends_at).unwrap_or_default()
                )
            }
            (AccessAnswer::Granted, None) => "still granted".into(),
            (AccessAnswer::Denied { code, reason }, _) if !asserted.was_granted => format!("denied: {code}: {reason}"),
            (AccessAnswer::Denied { code, reason }, _) => {
                let with = ends_at.map_or("", |_| ", with the session from before too");
                format!(
                    "denied after {}{with}: {code}: {reason}",
                    seconds(asserted.denied_since_ms.unwrap_or_default())
                )
            }
            (AccessAnswer::Ended, _) => {
                let ended = ends_at.and_then(rfc3339).unwrap_or_default();
                format!("the session from before ended by itself at {ended}")
            }
            (AccessAnswer::Untried, _) => {
                "not tried: no session was granted, and none was held from before this command began".into()
            }
            (AccessAnswer::Unknown { reason }, _) => reason.clone(),
        }
    }

    fn facts(&self, asserted: &Asserted) -> Map<String, serde_json::Value> {
        let mut facts = Map::new();
        facts.insert("expected".into(), "denied".into());
        let (answer, code) = match &asserted.answer {
            AccessAnswer::Granted => ("granted", None),
            AccessAnswer::Denied { code, .. } => ("denied", Some(code)),
            AccessAnswer::Ended => ("session-ended", None),
            AccessAnswer::Untried => ("not-tried", None),
            AccessAnswer::Unknown { .. } => ("unknown", None),
        };
        facts.insert("answer".into(), answer.into());
        let held = self.held.as_ref().filter(|_| is_read(asserted.step));
        let optional = [
            ("code", code.map(|code| json!(code))),
            ("denied_after_ms", asserted.denied_since_ms.map(|ms| json!(ms))),
            ("session_obtained_at", held.and_then(|held| rfc3339(held.obtained_at)).map(|at| json!(at))),
            ("session_ends_at", held.and_then(|held| held.ends_at).and_then(rfc3339).map(|at| json!(at))),
        ];
        facts.extend(optional.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))));
        facts
    }

    async fn emit(&mut self, kind: EventKind) {
        let event = RunEvent { seq: self.seq, at_ms: millis(self.began.elapsed()), kind };
        self.seq += 1;
        let _ = self.events.send(event).await;
    }
}

impl HeldSession {
    fn has_ended(&self, now: UnixSeconds) -> bool {
        self.ends_at.is_some_and(|ends_at| now >= ends_at)
    }
}

impl AccessAnswer {
    fn of(check: &Check, facts: &Facts, profile: &Profile, has_ended: bool) -> Self {
        let verdict = (check.verdict)(facts, profile);
        let reason = verdict.reason.unwrap_or_default();
        let Some(call) = check.call(facts) else { return AccessAnswer::Unknown { reason } };
        let Some(refusal) = call.refusal() else {
            return match verdict.outcome {
                Outcome::Inconclusive if has_ended => AccessAnswer::Ended,
                Outcome::Inconclusive => AccessAnswer::Unknown { reason },
                _ => AccessAnswer::Granted,
            };
        };
        let code = refusal.code.clone();
        let message = visible(refusal.message.lines().next().unwrap_or_default()).into_owned();
        if has_ended {
            AccessAnswer::Ended
        } else if verdict.findings.iter().any(|finding| ABOUT_ACCESS.contains(&finding.cause)) {
            AccessAnswer::Denied { code, reason: message }
        } else {
            AccessAnswer::Unknown { reason: format!("refused, and not for want of access: {code}: {message}") }
        }
    }

    /// Whether nobody gets in that way any more.
    const fn is_denial(&self) -> bool {
        matches!(self, AccessAnswer::Denied { .. } | AccessAnswer::Ended | AccessAnswer::Untried)
    }

    const fn outcome(&self) -> Outcome {
        match self {
            AccessAnswer::Granted => Outcome::Fail,
            AccessAnswer::Denied { .. } | AccessAnswer::Ended => Outcome::Pass,
            AccessAnswer::Untried => Outcome::Skipped,
            AccessAnswer::Unknown { .. } => Outcome::Inconclusive,
        }
    }
}

const fn is_read(step: Step) -> bool {
    use Step::{GetSecret, GoogleGet, GoogleList, ListSecrets, VaultGet, VaultList};
    matches!(step, ListSecrets | GetSecret | VaultList | VaultGet | GoogleList | GoogleGet)
}

/// Whether secrets can be asked for with these.
fn can_read(credentials: &RunCredentials, profile: &Profile) -> bool {
    credentials.azure.is_some()
        || credentials.google.reader(profile).is_some()
        || if Step::AssumeRole.applies(profile) { credentials.assumed.is_some() } else { credentials.session.is_some() }
}

/// The credentials to go on with, which renew nothing by themselves.
async fn kept(fresh: &RunCredentials, facts: &Facts) -> RunCredentials {
    let scope = facts.azure.exchange.as_ref().map_or("", |exchange| exchange.scope.as_str());
    let azure = match &fresh.azure {
        Some(session) => Some(session.clone().with_this_token(scope).await),
        None => None,
    };
    RunCredentials { token: None, azure, ..fresh.clone() }
}

/// When the session ends that secrets are asked for with.
fn session_end(facts: &Facts) -> Option<UnixSeconds> {
    let role = facts.aws.assumed.as_ref().or(facts.aws.assume_role.as_ref());
    let of_role = role.and_then(|call| call.granted()?.session_expires_at);
    of_role.or_else(|| facts.azure.access()?.expires_at).or_else(|| facts.google.access_ends_at())
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// With a digit behind the point: what is waited for may take less than a second.
fn seconds(ms: u64) -> String {
    format!("{}.{} s", ms / 1000, ms % 1000 / 100)
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;
    use crate::check::facts::aws::AssumedRole;
    use crate::check::facts::secret::{Answer, Call, Refusal, SecretList};
    use crate::check::facts::token::TokenFact;
    use crate::domain::arn::RoleArn;
    use crate::domain::profile::{AwsSettings, Guide, TokenSource};
    use crate::domain::token::RawToken;
    use crate::probe::access_key::{self, Surroundings};
    use crate::run::plan::{Limits, Selection};
    use crate::run::probes::StepOutput;
    use crate::run::report::Report;

    const HOUR: UnixSeconds = 3600;
    const NO_PROVIDER: (&str, &str) = ("InvalidIdentityToken", "No OpenIDConnect provider found in your account");
    const DENIED: (&str, &str) = ("AccessDeniedException", "not authorized to perform: secretsmanager:ListSecrets");

    fn call<T>(answer: Result<T, (&str, &str)>) -> Call<T> {
        let refused = |(code, message): (&str, &str)| {
            Answer::Refused(Refusal { code: code.into(), message: message.into(), http_status: 400, request_id: None })
        };
        let answer = answer.map_or_else(refused, Answer::Granted);
        Call { region: None, attempts: 1, waited_ms: 0, answer, exchange: None }
    }

    fn exchanged() -> StepOutput {
        let variables = |name: &str| Some(format!("value of {name}"));
        let (_, session) =
            access_key::observe(&AwsSettings::default(), &Surroundings { variables: &variables, taken: None });
        let role = AssumedRole {
            assumed_role_arn: "arn:aws:sts::123456789012:assumed-role/r/s".into(),
            provider: None,
            audience: None,
            subject: None,
            session_expires_at: Some(HOUR),
        };
        assert!(session.is_some());
        StepOutput::WebIdentity(call(Ok(role)), session)
    }

    /// What the cloud answers to a step that it was asked so often before.
    type World = fn(Step, usize) -> StepOutput;

    struct Fakes {
        world: World,
        asked: Mutex<Vec<(Step, bool)>>,
    }

    impl Probes for Fakes {
        async fn perform(&self, step: Step, input: StepInput) -> StepOutput {
            let before = {
                let mut asked = self.asked.lock().unwrap();
                asked.push((step, input.credentials.session.is_some()));
                asked.iter().filter(|(s, _)| *s == step).count() - 1
            };
            match step {
                Step::Token => {
                    let (raw, cleaned) = RawToken::clean("e30.e30.e30");
                    StepOutput::Token(TokenFact::read("a test", &raw, cleaned), Some(raw))
                }
                step => (self.world)(step, before),
            }
        }
    }

    async fn report(world: World, wait_s: u64) -> (Report, Vec<String>, Vec<(Step, bool)>) {
        let role = RoleArn { partition: "aws".into(), account: "123456789012".into(), path_and_name: "r".into() };
        let profile = Profile {
            token: Some(TokenSource::Stdin),
            aws: AwsSettings { role_arn: Some(role), region: Some("us-east-1".into()), ..AwsSettings::default() },
            ..Profile::bare("test", Guide::AwsWorkloadIdentity)
        };
        let request = RunRequest {
            profile,
            selection: Selection::default(),
            limits: Limits { total: Duration::from_secs(30), wait: Duration::from_secs(wait_s) },
            now: 0,
        };
        let fakes = Arc::new(Fakes { world, asked: Mutex::default() });
        let mut stream = start(request, fakes.clone(), CancellationToken::new());
        let (mut report, mut retries) = (Report::default(), Vec::new());
        while let Some(event) = stream.recv().await {
            if let EventKind::Retrying { reason, .. } = &event.kind {
                retries.push(reason.clone());
            }
            report.apply(&event);
        }
        let asked = fakes.asked.lock().unwrap().clone();
        (report, retries, asked)
    }

    fn ended(report: &Report, check: CheckId) -> (Outcome, String) {
        let finished = report.finished().find(|finished| finished.id == check).unwrap();
        (finished.outcome, finished.reason.clone().unwrap_or_default())
    }

    fn verdict(report: &Report) -> RunVerdict {
        report.end.as_ref().unwrap().verdict
    }

    #[tokio::test(start_paused = true)]
    async fn it_waits_until_the_exchange_and_the_session_that_is_held_are_refused() {
        // The provider goes at once, the role's permissions with the fourth look.
        let world: World = |step, before| match (step, before) {
            (Step::WebIdentity, 0) => exchanged(),
            (Step::WebIdentity, _) => StepOutput::WebIdentity(call(Err(NO_PROVIDER)), None),
            (_, 0..=2) => StepOutput::ListSecrets(call(Ok(SecretList::default()))),
            _ => StepOutput::ListSecrets(call(Err(DENIED))),
        };
        let (report, retries, asked) = report(world, 60).await;
        assert_eq!(verdict(&report), RunVerdict::Pass, "{report:#?}");
        let (_, exchange) = ended(&report, CheckId::AwsAssumeRoleWithWebIdentity);
        assert!(exchange.starts_with("denied after 1.0 s: InvalidIdentityToken: No OpenIDConnect"), "{exchange}");
        let (_, list) = ended(&report, CheckId::AwsListSecrets);
        // 1 + 2 + 4 seconds of pauses.
        assert!(list.starts_with("denied after 7.0 s, with the session from before too: AccessDenied"), "{list}");
        assert_eq!(retries.len(), 3);
        assert!(retries[1].contains("can be used until 1970-01-01T01:00:00Z, for 59 min more"), "{retries:?}");
        let reads = asked.iter().filter(|(step, _)| *step == Step::ListSecrets);
        assert!(reads.clone().count() == 4 && reads.clone().all(|(_, held)| *held), "each with the session: {asked:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_granted_fails_and_says_until_when() {
        let world: World = |step, _| match step {
            Step::WebIdentity => exchanged(),
            _ => StepOutput::ListSecrets(call(Ok(SecretList::default()))),
        };
        let (report, retries, _) = report(world, 0).await;
        assert_eq!((verdict(&report), retries.len()), (RunVerdict::Fail, 0));
        let (outcome, list) = ended(&report, CheckId::AwsListSecrets);
        assert!(outcome == Outcome::Fail && list.contains("until 1970-01-01T01:00:00Z, for 60 min more"), "{list}");
        assert_eq!(ended(&report, CheckId::AwsAssumeRoleWithWebIdentity), (Outcome::Fail, "still granted".into()));
    }

    #[tokio::test(start_paused = true)]
    async fn only_a_refusal_for_want_of_access_counts() {
        let expired: World = |step, _| match step {
            Step::WebIdentity => StepOutput::WebIdentity(call(Err(("ExpiredTokenException", "Token expired"))), None),
            _ => StepOutput::Nothing,
        };
        let unreachable: World = |step, _| match step {
            Step::WebIdentity => {
                let answer = Answer::Unreadable { http_status: Some(502), detail: "no error of AWS".into() };
                let call = Call { region: None, attempts: 1, waited_ms: 0, answer, exchange: None };
                StepOutput::WebIdentity(call, None)
            }
            _ => StepOutput::Nothing,
        };
        for (world, words) in [(expired, "not for want of access: ExpiredTokenException"), (unreachable, "no error")] {
            let (report, ..) = report(world, 0).await;
            assert_eq!(verdict(&report), RunVerdict::Inconclusive, "{report:#?}");
            let (outcome, reason) = ended(&report, CheckId::AwsAssumeRoleWithWebIdentity);
            assert!(outcome == Outcome::Inconclusive && reason.contains(words), "{reason}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn refused_from_the_start_it_says_that_no_session_was_tried() {
        let world: World = |step, _| match step {
            Step::WebIdentity => StepOutput::WebIdentity(call(Err(NO_PROVIDER)), None),
            _ => StepOutput::Nothing,
        };
        let (report, ..) = report(world, 60).await;
        assert_eq!((verdict(&report), report.end.as_ref().unwrap().duration_ms), (RunVerdict::Pass, 0));
        let (_, exchange) = ended(&report, CheckId::AwsAssumeRoleWithWebIdentity);
        assert!(exchange.starts_with("denied: InvalidIdentityToken"), "nobody waited for it: {exchange}");
        let (outcome, list) = ended(&report, CheckId::AwsListSecrets);
        assert!(outcome == Outcome::Skipped && list.contains("none was held"), "{list}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_session_that_ends_by_itself_is_of_no_more_use() {
        let world: World = |step, before| match (step, before) {
            (Step::WebIdentity, 0) => exchanged(),
            (Step::WebIdentity, _) => StepOutput::WebIdentity(call(Err(NO_PROVIDER)), None),
            (_, 0..=450) => StepOutput::ListSecrets(call(Ok(SecretList::default()))),
            _ => StepOutput::ListSecrets(call(Err(("ExpiredTokenException", "The security token is expired")))),
        };
        let (report, ..) = report(world, 2 * HOUR as u64).await;
        assert_eq!(verdict(&report), RunVerdict::Pass);
        let (_, list) = ended(&report, CheckId::AwsListSecrets);
        assert_eq!(list, "the session from before ended by itself at 1970-01-01T01:00:00Z");
    }
}
