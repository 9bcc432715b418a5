//! `trustline check`: runs every applicable check once and reports.

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use clap::Args;
use tokio_util::sync::CancellationToken;

use super::ci::{self, SourceFile};
use super::clients::{acting_as, client_name, client_names};
use super::exit::{CliError, Exit};
use super::flags::begin_recording;
use super::flags::{NetworkArgs, OutputArgs, OutputFormat, ProfileSelector, check_id, seconds_or_zero};
use super::lab_folder::LabFolder;
use super::live::LiveRows;
use super::operator::ReadArgs;
use super::settings::{PassedOver, ProfilesFolder};
use super::{lab, network, settings, telemetry, terminal};
use crate::check::CheckId;
use crate::domain::client::Client;
use crate::domain::profile::Profile;
use crate::domain::profile::key::Key;
use crate::domain::text::visible;
use crate::domain::timestamp::{UnixMillis, rfc3339};
use crate::lab::LabOptions;
use crate::probe::http::HttpStack;
use crate::report::ci::{of_fleet, of_run};
use crate::report::progress::{RunProgress, fleet_rows};
use crate::report::run::page;
use crate::report::run::{Fleet, Member};
use crate::report::{json, junit, run};
use crate::run::event::{EventKind, RunVerdict};
use crate::run::fleet::FleetEvent;
use crate::run::plan::{Limits, Selection};
use crate::run::probes::NetworkProbes;
use crate::run::record::SCHEMA;
use crate::run::report::Report;
use crate::run::runner::RunRequest;
use crate::run::{denial, now, now_ms, runner};

/// What to run, and how.
#[derive(Debug, Args)]
pub(super) struct RunArgs {
    #[command(flatten)]
    selector: ProfileSelector,
    #[command(flatten)]
    network: NetworkArgs,
    #[command(flatten)]
    read: ReadArgs,
    /// Judge as these clients behave, such as boto3,js-v3 (`trustline clients` lists them)
    #[arg(long, value_name = "NAME,…", value_parser = client_names())]
    client: Option<String>,
    /// Make the exchange as this client makes it: its session name, its STS, the token as it sends it
    #[arg(long = "as", value_name = "CLIENT", value_parser = client_name())]
    acts_as: Option<&'static Client>,
    /// Write the run's events to this new file
    #[arg(long, value_name = "FILE")]
    record: Option<PathBuf>,
    /// Run only these checks, and what they need
    #[arg(long, value_name = "ID,…", value_delimiter = ',', value_parser = check_id(), hide_possible_values = true)]
    only: Vec<CheckId>,
    /// Leave these checks out
    #[arg(long, value_name = "ID,…", value_delimiter = ',', value_parser = check_id(), hide_possible_values = true)]
    skip: Vec<CheckId>,
    /// Try again for this many seconds while a failure may still be propagation
    #[arg(long, value_name = "SECONDS", default_value = "0", value_parser = seconds_or_zero)]
    wait: Duration,
    /// With --lab: wait this long before every answer of the lab
    #[arg(long, value_name = "MS", requires = "lab")]
    delay_ms: Option<u64>,
}

/// Arguments of `trustline check`.
#[derive(Debug, Args)]
pub(super) struct CheckArgs {
    #[command(flatten)]
    run: RunArgs,
    #[command(flatten)]
    output: OutputArgs,
    /// Expect access to be gone: pass once the exchange, and a session that was held before, are refused; with --wait,
    /// try until they are
    #[arg(long, conflicts_with_all = ["all", "strict"])]
    expect_denied: bool,
    /// Check every profile, several at once; the exit status is the worst
    #[arg(long, conflicts_with_all = ["profile", "profile_file", "lab", "record"])]
    all: bool,
    /// With --all: how many profiles at once; 8 where nothing is said
    #[arg(long, value_name = "N", requires = "all", value_parser = at_least_one)]
    concurrency: Option<NonZeroUsize>,
    /// End with status 4 where there are warnings
    #[arg(long)]
    strict: bool,
}

impl RunArgs {
    /// The profile's selector, with the clients that the flag names as one of its values.
    fn selector_for_clients(&self) -> ProfileSelector {
        let mut selector = self.selector.clone();
        selector.set.extend(self.client.as_ref().map(|names| format!("{}{names}", Key::ClientName.assigned())));
        selector
    }
}

pub(super) fn run(args: &CheckArgs) -> Result<Exit, CliError> {
    checked(args).map_err(|error| ci::refused(args.output.output, error))
}

fn checked(args: &CheckArgs) -> Result<Exit, CliError> {
    if args.all {
        return run_all(args);
    }
    let expected = if args.expect_denied { Expected::Denial } else { Expected::Access };
    let Ended { report, began, signal } = report(&args.run, expected, &args.output)?;
    print(&report, &args.output, args.run.selector.profile_file.as_deref())?;
    if signal.is_none() {
        telemetry::send(&[(began, &report)], &args.run.network);
    }
    Ok(signal.unwrap_or_else(|| exit(&report, args.strict)))
}

/// Prints a report in the form that was asked for. `profile` is the file that the profile was read from, where it was named.
///
/// # Errors
/// Standard output cannot be written to.
pub(super) fn print(report: &Report, output: &OutputArgs, profile: Option<&Path>) -> Result<(), CliError> {
    let alerts = || {
        let file = profile.and_then(SourceFile::read);
        of_run(report, file.as_ref().map(SourceFile::source))
    };
    terminal::print(&match output.output {
        OutputFormat::Json => terminal::json_text(&json::report(report)),
        OutputFormat::Junit => junit::report(report),
        OutputFormat::Github => ci::annotated(&alerts(), |ctx| page(report, ctx)),
        OutputFormat::Sarif => ci::scanned(&alerts()),
        OutputFormat::Text | OutputFormat::Markdown => terminal::rendered(output, |ctx| page(report, ctx)),
    })
}

/// What a run asserts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Expected {
    Access,
    /// That it was taken away.
    Denial,
}

/// A run that is over.
pub(super) struct Ended {
    pub report: Report,
    /// When it began.
    began: UnixMillis,
    /// What cut it short, where a signal did.
    pub signal: Option<Exit>,
}

/// Runs the checks, with live rows where the report is printed for a person at a terminal.
///
/// # Errors
/// The profile cannot be used, the lab does not start, or the recording cannot be written.
pub(super) fn report(args: &RunArgs, expected: Expected, output: &OutputArgs) -> Result<Ended, CliError> {
    let selector = args.selector_for_clients();
    let runtime = if args.selector.lab.is_some() { network::serving_runtime()? } else { network::runtime()? };
    let ended = runtime.block_on(async {
        match &args.selector.lab {
            None => {
                let profile = settings::load(&selector)?.profile;
                let operator = args.read.operator(&profile)?;
                let live = LiveRows::new(output);
                check(args, expected, Profile { operator, ..profile }, args.network.stack()?, live).await
            }
            Some(scenario) => check_in_lab(args, &selector, expected, scenario, LiveRows::new(output)).await,
        }
    });
    // A name look-up that never ends must not keep the program from ending.
    runtime.shutdown_background();
    ended
}

async fn check_in_lab(
    args: &RunArgs,
    selector: &ProfileSelector,
    expected: Expected,
    scenario: &str,
    live: LiveRows,
) -> Result<Ended, CliError> {
    let lab = lab::start(
        scenario,
        LabOptions { delay: args.delay_ms.map_or(Duration::ZERO, Duration::from_millis), ..LabOptions::default() },
    )?;
    let folder = LabFolder::write(&lab)?;
    let profile = settings::load_alone(&folder.profile_file(), &format!("lab-{scenario}"), &selector.set)?;
    let operator = args.read.operator_in_lab(&profile, &lab, &folder)?;
    let profile = Profile { selector: selector.again(), ending_lab: Some(scenario.to_owned()), operator, ..profile };
    check(args, expected, profile, args.network.lab_stack(&folder.ca_file())?, live).await
}

async fn check(
    args: &RunArgs,
    expected: Expected,
    profile: Profile,
    http: HttpStack,
    mut live: LiveRows,
) -> Result<Ended, CliError> {
    let profile = Profile { selector: args.network.again(&profile.selector), ..profile };
    let profile = match args.acts_as {
        Some(client) => acting_as(client, profile)?,
        None => profile,
    };
    let mut recorder = args.record.as_deref().map(|path| begin_recording(path, SCHEMA)).transpose()?;
    let request = RunRequest {
        profile,
        selection: Selection { only: args.only.clone(), skip: args.skip.clone() },
        limits: Limits { total: args.network.timeout, wait: args.wait },
        now: now(),
    };
    let probes = Arc::new(NetworkProbes { http, timeout: args.network.operation_timeout() });
    let cancel = CancellationToken::new();
    let began = now_ms();
    let mut events = match expected {
        Expected::Access => runner::start(request, probes, cancel.clone()),
        Expected::Denial => denial::start(request, probes, cancel.clone()),
    };
    let mut signals = terminal::Signals::listen()?;
    let (mut progress, mut signal) = (RunProgress::default(), None);
    loop {
        tokio::select! {
            event = events.recv() => {
                let Some(event) = event else { return Ok(Ended { report: progress.report, began, signal }) };
                if let Some(recorder) = &mut recorder {
                    recorder.write(&event).map_err(|e| CliError::new(format!("--record: {e}")))?;
                }
                if let EventKind::Retrying { check, attempt, delay_ms, reason } = &event.kind
                    && !live.are_shown()
                {
                    let pause = Duration::from_millis(*delay_ms).as_secs_f64();
                    let reason = visible(reason);
                    terminal::note(&format!("{check}: attempt {attempt}: {reason}; the next one in {pause:.1} s"));
                }
                progress.apply(&event);
            }
            received = signals.next() => {
                signal = Some(received);
                cancel.cancel();
            }
            () = live.frame() => live.draw(|elapsed, room, format| progress.rows(elapsed, room, format.context())),
        }
    }
}

fn at_least_one(text: &str) -> Result<NonZeroUsize, String> {
    text.parse().map_err(|_| "write a number from 1, such as 8".to_owned())
}

/// The exit status of a run, as it ended or was recorded.
pub(super) fn exit(report: &Report, strict: bool) -> Exit {
    match report.end.as_ref().map(|end| end.verdict) {
        Some(RunVerdict::Fail) => Exit::Failed,
        Some(RunVerdict::Inconclusive) | None => Exit::Inconclusive,
        Some(RunVerdict::Pass) if strict && report.counts().warned > 0 => Exit::Warned,
        Some(RunVerdict::Pass) => Exit::Passed,
    }
}

/// How many profiles are checked at once where nothing is said: enough to hide waiting, and no flood for one issuer.
const AT_ONCE: NonZeroUsize = NonZeroUsize::MIN.saturating_add(7);

fn run_all(args: &CheckArgs) -> Result<Exit, CliError> {
    let ProfilesFolder { names, passed_over } = settings::profiles_folder()?;
    for PassedOver { file, why } in &passed_over {
        terminal::note(&format!("trustline: not read: {} ({})", visible(file), visible(why)));
    }
    if names.is_empty() {
        return Err(CliError::new(format!("there is no profile in {}", settings::folder()?.display()))
            .with_hint("make one with `trustline profile new NAME`"));
    }
    let runtime = network::runtime()?;
    let ended = runtime.block_on(check_one_of_all(args, &names));
    // A name look-up that never ends must not keep the program from ending.
    runtime.shutdown_background();
    let AllEnded { fleet, began, signal } = ended?;
    terminal::print(&match args.output.output {
        OutputFormat::Text => terminal::rendered(&args.output, |ctx| run::fleet(&fleet, ctx)),
        OutputFormat::Json => terminal::json_text(&run::json(&fleet)),
        OutputFormat::Junit => run::junit(&fleet),
        OutputFormat::Markdown => run::markdown(&fleet),
        OutputFormat::Github => ci::annotated(&of_fleet(&fleet), |ctx| run::fleet(&fleet, ctx)),
        OutputFormat::Sarif => ci::scanned(&of_fleet(&fleet)),
    })?;
    if signal.is_none() {
        let reports = fleet.members.iter().zip(began).filter_map(|(member, began)| match member {
            Member::Checked(report) => Some((began?, report.as_ref())),
            Member::Unchecked { .. } => None,
        });
        telemetry::send(&reports.collect::<Vec<_>>(), &args.run.network);
    }
    Ok(signal.unwrap_or_else(|| fleet_exit(&fleet, args)))
}

/// All runs, over.
struct AllEnded {
    fleet: Fleet,
    /// When each member's run began, where it did.
    began: Vec<Option<UnixMillis>>,
    /// What cut them short, where a signal did.
    signal: Option<Exit>,
}

async fn check_one_of_all(args: &CheckArgs, names: &[String]) -> Result<AllEnded, CliError> {
    let (since, started) = (Instant::now(), now());
    let mut members = Vec::new();
    let (mut requests, mut places) = (Vec::new(), Vec::new());
    for (place, name) in names.iter().enumerate() {
        let selector = ProfileSelector {
            profile: Some(name.clone()),
            set: args.run.selector_for_clients().set,
            ..ProfileSelector::default()
        };
        let loaded = settings::load(&selector).and_then(|loaded| {
            let operator = args.run.read.operator(&loaded.profile)?;
            Ok((loaded, operator))
        });
        let reason = match loaded {
            Ok((loaded, operator)) => {
                places.push(place);
                let profile = loaded.profile;
                let selector = args.run.network.again(&profile.selector);
                requests.push(RunRequest {
                    profile: Profile { selector, operator, ..profile },
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
        Arc::new(NetworkProbes { http: args.run.network.stack()?, timeout: args.run.network.operation_timeout() });
    let cancel = CancellationToken::new();
    let mut began = vec![None; names.len()];
    let mut runs: Vec<RunProgress> = vec![RunProgress::default(); requests.len()];
    let mut live = LiveRows::new(&args.output);
    let at_once = terminal::runs_at_once(args.concurrency.unwrap_or(AT_ONCE));
    let mut events = crate::run::fleet::start(requests, at_once, &probes, now, &cancel);
    let mut signals = terminal::Signals::listen()?;
    let mut signal = None;
    loop {
        tokio::select! {
            event = events.recv() => {
                let Some(FleetEvent { run, event }) = event else { break };
                if let Some(began) = places.get(run).and_then(|place| began.get_mut(*place)) {
                    began.get_or_insert_with(|| now_ms() - i64::try_from(event.at_ms).unwrap_or_default());
                }
                if let Some(run) = runs.get_mut(run) {
                    run.apply(&event);
                }
            }
            received = signals.next() => {
                signal = Some(received);
                cancel.cancel();
            }
            () = live.frame() => live.draw(|elapsed, room, format| {
                let run_of = |place| runs.get(places.iter().position(|own| *own == place)?);
                let profiles: Vec<_> =
                    names.iter().enumerate().map(|(place, name)| (name.as_str(), run_of(place))).collect();
                fleet_rows(&profiles, elapsed, room, format.context())
            }),
        }
    }
    drop(live);
    for (place, RunProgress { report, .. }) in places.into_iter().zip(runs) {
        if !report.profile.is_empty()
            && let Some(member) = members.get_mut(place)
        {
            *member = Member::Checked(Box::new(report));
        }
    }
    let duration_ms = u64::try_from(since.elapsed().as_millis()).unwrap_or(u64::MAX);
    let fleet = Fleet { members, started: rfc3339(started).unwrap_or_default(), duration_ms };
    Ok(AllEnded { fleet, began, signal })
}

/// The worst of the profiles' own.
fn fleet_exit(fleet: &Fleet, args: &CheckArgs) -> Exit {
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
