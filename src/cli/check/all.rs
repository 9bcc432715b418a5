//! `trustline check --all`: every profile, several at once, one summary.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Instant;

use tokio_util::sync::CancellationToken;

use super::super::args::{OutputFormat, ProfileSelector};
use super::super::settings::{PassedOver, ProfilesFolder};
use super::super::{CliError, Exit, network, process, settings, terminal};
use super::CheckArgs;
use crate::domain::profile::Profile;
use crate::domain::text::visible;
use crate::domain::timestamp::rfc3339;
use crate::report::fleet::{self, Fleet, Member};
use crate::report::run;
use crate::run::event::RunVerdict;
use crate::run::fleet::FleetEvent;
use crate::run::now;
use crate::run::plan::{Limits, Selection};
use crate::run::probes::WorldProbes;
use crate::run::report::Report;
use crate::run::runner::RunRequest;

/// How many profiles are checked at once where nothing is said: enough to hide waiting, and no flood for one issuer.
const AT_ONCE: NonZeroUsize = NonZeroUsize::MIN.saturating_add(7);

pub(super) fn run(args: &CheckArgs) -> Result<Exit, CliError> {
    let ProfilesFolder { names, passed_over } = settings::profiles_folder()?;
    for PassedOver { file, why } in &passed_over {
        terminal::note(&format!("trustline: not read: {} ({})", visible(file), visible(why)));
    }
    if names.is_empty() {
        return Err(CliError::new(format!("there is no profile in {}", settings::folder()?.display()))
            .with_hint("make one with `trustline profile new NAME`"));
    }
    let runtime = network::runtime()?;
    let ended = runtime.block_on(check(args, &names));
    // A name look-up that never ends must not keep the program from ending.
    runtime.shutdown_background();
    let (fleet, signal) = ended?;
    terminal::print(&match args.output.output {
        OutputFormat::Text => terminal::rendered(&args.output, |ctx| run::fleet(&fleet, ctx)),
        OutputFormat::Json => terminal::json_text(&fleet::json(&fleet)),
        OutputFormat::Junit => fleet::junit(&fleet),
        OutputFormat::Markdown => fleet::markdown(&fleet),
    })?;
    Ok(signal.unwrap_or_else(|| exit(&fleet, args)))
}

async fn check(args: &CheckArgs, names: &[String]) -> Result<(Fleet, Option<Exit>), CliError> {
    let (began, started) = (Instant::now(), now());
    let mut members = Vec::new();
    let (mut requests, mut places) = (Vec::new(), Vec::new());
    for (place, name) in names.iter().enumerate() {
        let selector = ProfileSelector {
            profile: Some(name.clone()),
            set: args.run.selector.set.clone(),
            ..ProfileSelector::default()
        };
        let reason = match settings::load(&selector) {
            Ok(loaded) => {
                places.push(place);
                let profile = loaded.profile;
                let selector = args.run.network.again(&profile.selector);
                requests.push(RunRequest {
                    profile: Profile { selector, ..profile },
                    selection: Selection { only: args.run.only.clone(), skip: args.run.skip.clone() },
                    limits: Limits { total: args.run.network.timeout, wait: args.run.wait },
                    now: started,
                });
                "interrupted before it began".to_owned()
            }
            Err(error) => std::iter::once(error.message).chain(error.hints).collect::<Vec<_>>().join("; "),
        };
        members.push(Member::Unchecked { profile: name.clone(), reason });
    }
    // One stack for all: connections and the authorities are shared, answers are not.
    let probes =
        Arc::new(WorldProbes { http: args.run.network.stack()?, timeout: args.run.network.operation_timeout() });
    let cancel = CancellationToken::new();
    let mut reports: Vec<Report> = vec![Report::default(); requests.len()];
    let at_once = process::runs_at_once(args.concurrency.unwrap_or(AT_ONCE));
    let mut events = crate::run::fleet::start(requests, at_once, &probes, now, &cancel);
    let mut signals = terminal::Signals::listen()?;
    let mut signal = None;
    loop {
        tokio::select! {
            event = events.recv() => {
                let Some(FleetEvent { run, event }) = event else { break };
                if let Some(report) = reports.get_mut(run) {
                    report.apply(&event);
                }
            }
            received = signals.next() => {
                signal = Some(received);
                cancel.cancel();
            }
        }
    }
    for (place, report) in places.into_iter().zip(reports) {
        if !report.profile.is_empty()
            && let Some(member) = members.get_mut(place)
        {
            *member = Member::Checked(Box::new(report));
        }
    }
    let duration_ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
    Ok((Fleet { members, started: rfc3339(started).unwrap_or_default(), duration_ms }, signal))
}

/// The worst of the profiles' own.
fn exit(fleet: &Fleet, args: &CheckArgs) -> Exit {
    let tally = fleet.tally();
    let warned = |member: &Member| matches!(member, Member::Checked(report) if report.counts().warned > 0);
    match fleet.verdict() {
        RunVerdict::Fail => Exit::Failed,
        RunVerdict::Inconclusive if tally.unchecked > 0 => Exit::Usage,
        RunVerdict::Inconclusive => Exit::Inconclusive,
        RunVerdict::Pass if args.strict && fleet.members.iter().any(warned) => Exit::Warned,
        RunVerdict::Pass => Exit::Passed,
    }
}
