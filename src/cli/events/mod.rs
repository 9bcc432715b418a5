//! `trustline events`: the exchanges that a cloud's own log tells of, refused and granted, each judged against the trust that
//! it met. The token is never needed: the log keeps whose it was.

mod audit_log;
mod entra;
pub(super) mod input;
pub(super) mod live;

use std::io::Write as _;
use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::json;

use super::exit::{CliError, Exit};
use super::flags::{NetworkArgs, OutputFormat, PageOutputArgs, ProfileSelector};
use super::operator::OperatorArgs;
use super::trust::{google, input as trust_input};
use super::{consent, settings, terminal};
use crate::cause::exchange::{Each, Entry, Journal, Trusts};
use crate::domain::exchange::{Exchange, LogTally};
use crate::domain::profile::Profile;
use crate::domain::profile::capability::Capability;
use crate::domain::text::visible_json;
use crate::domain::timestamp::{UnixSeconds, in_words, parse_rfc3339};
use crate::report::events::{EventsReport, SCHEMA, advised_entry, page};
use crate::run::now;

/// Arguments of `trustline events`.
#[derive(Debug, Args)]
pub(super) struct EventsArgs {
    /// CloudTrail events (log files, also compressed; the answer of `aws cloudtrail lookup-events`; one a line), sign-ins of
    /// service principals (Graph, Log Analytics, a diagnostic setting), or entries of Google's audit logs (`gcloud logging read
    /// --format json`); standard input where no file is named
    #[arg(value_name = "FILE")]
    files: Vec<PathBuf>,
    /// The trust policy of a role: the answer of `aws iam get-role`, once for each role, or the document of the log's only
    /// role. Without it the file that the profile names
    #[arg(long, value_name = "FILE")]
    policy: Vec<PathBuf>,
    /// The application's federated credentials: the answer of `az ad app federated-credential list`
    #[arg(long, value_name = "FILE")]
    credential: Option<PathBuf>,
    /// The provider of a Google workload identity pool: the answer of `gcloud iam workload-identity-pools providers describe
    /// --format json`
    #[arg(long, value_name = "FILE")]
    provider: Option<PathBuf>,
    /// The bindings that refused reads met, the answer of `gcloud secrets get-iam-policy --format json`
    #[arg(long, value_name = "FILE", requires = "provider")]
    iam_policy: Option<PathBuf>,
    /// Take the trust from the profile of this name
    #[arg(long, value_name = "NAME", conflicts_with = "profile_file")]
    profile: Option<String>,
    /// Take the trust from the profile in this file
    #[arg(long, value_name = "FILE")]
    profile_file: Option<PathBuf>,
    /// Only what happened since: a time such as 2026-11-30T05:00:00Z, a day, or how long ago, such as 90m, 24h or 7d
    #[arg(long, value_name = "TIME", value_parser = since)]
    since: Option<UnixSeconds>,
    /// Read the trust policies in force with the operator's credentials, and where no file is named the account's record of the
    /// last day too; changes nothing
    #[arg(long, conflicts_with_all = ["policy", "credential", "provider"])]
    operator: bool,
    #[command(flatten)]
    operator_args: OperatorArgs,
    /// With --profile-file and an operator: let it send what the operator signs to this host, which is none of the clouds' own
    #[arg(long, value_name = "HOST[:PORT]")]
    allow_host: Vec<String>,
    #[command(flatten)]
    network: NetworkArgs,
    /// Print every exchange as a line of JSON, in the order of the log
    #[arg(long, conflicts_with = "output")]
    each: bool,
    #[command(flatten)]
    output: PageOutputArgs,
}

impl EventsArgs {
    /// Whether an exchange is not too old. One without a time is told in any case.
    fn is_asked_for(&self, exchange: &Exchange) -> bool {
        self.since.is_none_or(|since| exchange.at.is_none_or(|at| at >= since))
    }

    /// What the report calls the log.
    fn source(&self) -> String {
        let is_live = self.is_by_operator() && self.files.is_empty();
        if is_live { "the account's record".to_owned() } else { source(&self.files) }
    }

    /// Whether something is read with the operator's credentials.
    fn is_by_operator(&self) -> bool {
        self.operator || self.operator_args.names_one()
    }
}

pub(super) fn run(args: &EventsArgs) -> Result<Exit, CliError> {
    let profile = profile(args)?;
    let each = if args.each { Each::Kept } else { Each::Counted };
    if args.is_by_operator() {
        let live::Read { exchanges, tally, trusts, .. } = live::read(args, profile.clone())?;
        let mut journal = Journal::new(&trusts, each);
        exchanges.iter().filter(|exchange| args.is_asked_for(exchange)).for_each(|exchange| journal.add(exchange));
        print(args, &journal, &trusts, profile.as_ref(), tally)?;
        return Ok(Exit::Passed);
    }
    one_standard_input(args)?;
    let trusts = trusts(args, profile.as_ref())?;
    let mut journal = Journal::new(&trusts, each);
    let tally = input::read(&args.files, &mut |exchange| {
        if args.is_asked_for(&exchange) {
            journal.add(&exchange);
        }
    })?;
    print(args, &journal, &trusts, profile.as_ref(), tally)?;
    Ok(Exit::Passed)
}

/// What a log comes to, for the console: judged by the trust of the profile that was chosen, where one was.
pub(super) fn of_file(path: &Path, selector: &ProfileSelector) -> Result<EventsReport, CliError> {
    let is_chosen = selector.profile.is_some() || selector.profile_file.is_some();
    let profile = is_chosen.then(|| settings::load_to_read(selector)).transpose()?.map(|loaded| loaded.profile);
    let mut trusts = Trusts::default();
    add_trusts_of(&mut trusts, profile.as_ref())?;
    let mut journal = Journal::new(&trusts, Each::Counted);
    let files = [path.to_owned()];
    let tally = input::read(&files, &mut |exchange| journal.add(&exchange))?;
    Ok(report(source(&files), &journal, &trusts, profile.as_ref(), tally))
}

/// What the console shows of an account's record.
pub(super) fn of_account(read: &live::Read, profile: &Profile) -> EventsReport {
    let mut journal = Journal::new(&read.trusts, Each::Counted);
    read.exchanges.iter().for_each(|exchange| journal.add(exchange));
    report("the account's record".to_owned(), &journal, &read.trusts, Some(profile), read.tally)
}

fn report(
    source: String,
    journal: &Journal,
    trusts: &Trusts,
    profile: Option<&Profile>,
    tally: LogTally,
) -> EventsReport {
    let mut report = EventsReport { source, events: tally.events, ..EventsReport::default() };
    journal.entries(trusts).map(|entry| advised_entry(entry, profile)).for_each(|entry| report.add(entry));
    report
}

fn print(
    args: &EventsArgs,
    journal: &Journal,
    trusts: &Trusts,
    profile: Option<&Profile>,
    tally: LogTally,
) -> Result<(), CliError> {
    let advised = |entry: Entry| advised_entry(entry, profile);
    match args.output.output {
        _ if args.each => lines(journal.each(trusts).map(advised)),
        OutputFormat::Json => document(journal.entries(trusts).map(advised)),
        _ => {
            let report = report(args.source(), journal, trusts, profile, tally);
            terminal::print(&terminal::rendered(&args.output, |ctx| page(&report, ctx)))
        }
    }
}

/// `trustline.events/1`, an entry at a time: a log of a whole organization has many.
fn document(entries: impl Iterator<Item = Entry>) -> Result<(), CliError> {
    let mut stdout = std::io::BufWriter::new(std::io::stdout().lock());
    let mut written = write!(stdout, "{{\n  \"schema\": {},\n  \"events\": [", json!(SCHEMA));
    for (place, entry) in entries.enumerate() {
        let separator = if place == 0 { "\n" } else { ",\n" };
        written = written.and_then(|()| write!(stdout, "{separator}{}", visible_json(&format!("{:#}", json!(entry)))));
    }
    terminal::written(written.and_then(|()| writeln!(stdout, "\n  ]\n}}")).and_then(|()| stdout.flush()))
}

fn lines(entries: impl Iterator<Item = Entry>) -> Result<(), CliError> {
    let mut stdout = std::io::BufWriter::new(std::io::stdout().lock());
    let mut written = Ok(());
    for entry in entries {
        written = written.and_then(|()| writeln!(stdout, "{}", visible_json(&json!(entry).to_string())));
    }
    terminal::written(written.and_then(|()| stdout.flush()))
}

/// What the report calls the log.
fn source(files: &[PathBuf]) -> String {
    match files {
        [] => "standard input".to_owned(),
        [one] if trust_input::is_stdin(one) => "standard input".to_owned(),
        [one] => one.display().to_string(),
        many => format!("{} files", many.len()),
    }
}

fn profile(args: &EventsArgs) -> Result<Option<Profile>, CliError> {
    let (profile, profile_file) = (args.profile.clone(), args.profile_file.clone());
    if profile.is_none() && profile_file.is_none() {
        return Ok(None);
    }
    let allow_host = args.allow_host.clone();
    let selector = ProfileSelector { profile, profile_file, allow_host, ..ProfileSelector::default() };
    let loaded = settings::load_to_read(&selector)?;
    if args.is_by_operator() {
        // No program of the profile's is run here, and no file of its is sent: what counts is who gets what the operator signs.
        let open = consent::open_questions(&selector, &loaded.provenance).into_iter();
        consent::ask(&open.filter(|reach| matches!(reach, Capability::SendsTo { .. })).collect::<Vec<_>>())?;
    }
    Ok(Some(loaded.profile))
}

/// The trusts that are given, else those that the profile names.
fn trusts(args: &EventsArgs, profile: Option<&Profile>) -> Result<Trusts, CliError> {
    let mut trusts = Trusts::default();
    for path in &args.policy {
        trusts.add_policy(trust_input::policy(path)?.0, None);
    }
    if args.policy.is_empty() && args.credential.is_none() && args.provider.is_none() {
        add_trusts_of(&mut trusts, profile)?;
    }
    if let Some(path) = &args.credential {
        trusts.set_credentials(trust_input::credentials(path)?);
    }
    if let Some(path) = &args.provider {
        trusts.set_provider(google::provider(path)?);
    }
    if let Some(path) = &args.iam_policy {
        trusts.set_bindings(google::iam_policy(path)?);
    }
    Ok(trusts)
}

/// The trusts that a profile names.
fn add_trusts_of(trusts: &mut Trusts, profile: Option<&Profile>) -> Result<(), CliError> {
    let Some(profile) = profile else { return Ok(()) };
    if let Some(path) = &profile.aws.trust_policy {
        let role = profile.aws.role_arn.as_ref().map(ToString::to_string);
        trusts.add_policy(trust_input::policy(path)?.0, role.as_deref());
    }
    if let Some(path) = &profile.azure.federated_credential {
        trusts.set_credentials(trust_input::credentials(path)?);
    }
    Ok(())
}

fn one_standard_input(args: &EventsArgs) -> Result<(), CliError> {
    let trusts = args.policy.iter().chain(&args.credential).chain(&args.provider).chain(&args.iam_policy);
    let named = args.files.iter().chain(trusts);
    let piped = named.filter(|path| trust_input::is_stdin(path)).count();
    if piped + usize::from(args.files.is_empty()) > 1 {
        return Err(CliError::new("there is one standard input: name files for the rest")
            .with_hint("the events come from standard input too, where no file is named for them"));
    }
    Ok(())
}

/// A time, a day, or how long ago.
fn since(text: &str) -> Result<UnixSeconds, String> {
    let ago = |text: &str| {
        let (number, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
        let seconds = match unit {
            "s" => 1,
            "m" => 60,
            "h" => 3600,
            "d" => 86_400,
            _ => return None,
        };
        now().checked_sub(number.parse::<u32>().ok().map(i64::from)?.checked_mul(seconds)?)
    };
    let time = parse_rfc3339(text).or_else(|| parse_rfc3339(&format!("{text}T00:00:00Z"))).or_else(|| ago(text));
    let time = time.ok_or_else(|| {
        "write a time such as 2026-11-30T05:00:00Z, a day such as 2026-11-30, or how long ago, such as 90m, 24h or 7d".to_owned()
    })?;
    let ahead = time - now();
    if ahead > 0 {
        return Err(format!("this is {} ahead: nothing has happened since", in_words(ahead.unsigned_abs())));
    }
    Ok(time)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn since_is_a_time_a_day_or_how_long_ago() {
        assert_eq!(since("2023-11-14T22:13:20Z"), Ok(1_700_000_000));
        assert_eq!(since("2023-11-14"), Ok(1_699_920_000));
        for (text, seconds) in [("90m", 5400), ("24h", 86_400), ("7d", 604_800), ("0s", 0)] {
            assert!((since(text).unwrap() - (now() - seconds)).abs() <= 1, "{text}");
        }
        for text in ["", "yesterday", "7", "d", "-3d", "9999999999999d", "3ü"] {
            assert!(since(text).is_err_and(|said| said.contains("24h")), "{text}");
        }
        assert!(since("2999-01-01").is_err_and(|said| said.contains("ahead")));
    }
}
