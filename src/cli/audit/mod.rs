//! `trustline audit`: every federated trust of a fleet, from what its accounts answer: who gets in, what they reach, what is
//! dead. Of files, offline; of an account, with an operator's credentials.

mod fleet;
mod input;
mod live;
mod sources;

use std::io::{self, BufWriter, IsTerminal as _};
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use serde_json::json;

use self::live::LiveArgs;
pub(super) use self::sources::of_path;
use self::sources::{Sources, name_of, nothing_read};
use super::events::input as events_input;
use super::exit::{CliError, Exit};
use super::flags::{ColorChoice, OutputArgs, OutputFormat};
use super::terminal::Progress;
use super::trust::{input as trust_input, severity};
use super::{ci, terminal};
use crate::audit::usage::{Log, Observed};
use crate::audit::{AuditFinding, Baseline, Selected, Shard, Suppressions, UseOf};
use crate::cause::Severity;
use crate::domain::text::visible_json;
use crate::report::audit::{AuditReport, EventsRead, WhatWasRead, alerts, document, junit, page, use_line};
use crate::run::now;

/// Arguments of `trustline audit`.
#[derive(Debug, Args)]
pub(super) struct AuditArgs {
    /// What the accounts answer, told by its content: `aws iam get-account-authorization-details` (one document or pages),
    /// `list-roles`, `get-role`, `list-open-id-connect-providers`, `get-open-id-connect-provider`, trust policies; federated
    /// credentials of Entra, providers of Google's pools; compressed or not; Terraform's configuration. A folder is walked; `-` is
    /// standard input
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// Form of the report
    #[arg(long, value_enum, default_value_t, value_name = "FORM")]
    output: AuditFormat,
    /// When to colour
    #[arg(long, value_enum, default_value_t, value_name = "WHEN")]
    color: ColorChoice,
    /// End with status 1 where a finding is this severe, or more
    #[arg(long, value_name = "SEVERITY", value_parser = severity, default_value = "high")]
    fail_on: Severity,
    /// A file of [[suppress]] tables: the id of a finding, the reason why it is accepted, the day on which it expires
    #[arg(long, value_name = "FILE")]
    suppress: Option<PathBuf>,
    /// What an earlier run printed with --output json or ndjson: only what is new since counts
    #[arg(long, value_name = "FILE")]
    baseline: Option<PathBuf>,
    /// What the clouds logged: CloudTrail events, sign-ins of service principals, entries of Google's audit logs; says of each
    /// trust who came by it and when, who was refused, and what nobody used
    #[arg(long, value_name = "FILE")]
    events: Vec<PathBuf>,
    /// With --events: a trust that nobody used for so many days is a finding, where the events reach as far back
    #[arg(long, value_name = "DAYS", default_value_t = 30, requires = "events",
        value_parser = clap::value_parser!(u16).range(1..))]
    unused_days: u16,
    #[command(flatten)]
    live: LiveArgs,
    /// Take every Nth file only, beginning with the Ith: I/N; auto reads it from a CI matrix or an indexed Job
    #[arg(long, value_name = "I/N", value_parser = shard)]
    shard: Option<Shard>,
}

/// The form of the report.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum AuditFormat {
    /// For people
    #[default]
    Text,
    /// For programs, with a versioned schema
    Json,
    /// A finding a line, as soon as it is found
    Ndjson,
    /// For code scanning
    Sarif,
    /// For CI test reports
    Junit,
    /// For tickets
    Markdown,
    /// Annotations of a job at GitHub
    Github,
}

pub(super) fn run(args: &AuditArgs) -> Result<Exit, CliError> {
    audited(args).map_err(|error| match args.output {
        AuditFormat::Github => ci::refused(OutputFormat::Github, error),
        AuditFormat::Sarif => ci::refused(OutputFormat::Sarif, error),
        _ => error,
    })
}

fn audited(args: &AuditArgs) -> Result<Exit, CliError> {
    let stdin = [PathBuf::from("-")];
    let paths = match args.paths.as_slice() {
        [] if args.live.is_asked() => &[][..],
        [] if io::stdin().is_terminal() => {
            return Err(CliError::new("there is nothing to audit").with_hint(
                "name files or folders, such as the answer of `aws iam get-account-authorization-details`, or pipe it in",
            ));
        }
        [] => &stdin[..],
        paths => paths,
    };
    let suppressions = read_with(args.suppress.as_deref(), Suppressions::parse)?;
    let baseline = read_with(args.baseline.as_deref(), Baseline::parse)?;
    let mut sources = Sources::of(paths, args.shard)?;
    if let Some(live) = args.live.read()? {
        sources.add(live);
    }
    let log = log(args, paths)?;
    sources.read.events = log.as_ref().map(|log| EventsRead::of(&name_of(&args.events), &log.observed));
    let selected = Selected::default();
    let mut audit = Audit { args, suppressions, baseline, selected, worst: None, uses: Vec::new() };
    let mut stdout = BufWriter::new(io::stdout().lock());
    let mut read = WhatWasRead::default();
    let mut how_far = HowFar::of(args.output);
    let judged = sources.judge(log, &mut |batch| {
        how_far.add(batch.trusts);
        audit.add(batch.findings, &mut stdout)?;
        audit.add_uses(batch.uses, &mut stdout)
    });
    how_far.clear();
    terminal::written(judged.map(|all| read = all))?;
    read.in_baseline = audit.selected.known;
    let exit = audit.exit(&read)?;
    terminal::written(audit.finish(read, stdout))?;
    Ok(exit)
}

/// How far a long audit has come, for whoever waits at a terminal.
struct HowFar {
    /// Nothing where findings are printed between its lines.
    progress: Option<Progress>,
    batches: usize,
    trusts: usize,
}

impl HowFar {
    fn of(output: AuditFormat) -> Self {
        let prints_meanwhile = output == AuditFormat::Ndjson && io::stdout().is_terminal();
        HowFar { progress: (!prints_meanwhile).then(Progress::new), batches: 0, trusts: 0 }
    }

    /// Takes what came of one more batch. What fits in one is over before anybody could read of it.
    fn add(&mut self, trusts: usize) {
        (self.batches, self.trusts) = (self.batches + 1, self.trusts + trusts);
        if let Some(progress) = self.progress.as_mut().filter(|_| self.batches > 1) {
            progress.show(&format!("{} trusts judged", self.trusts));
        }
    }

    fn clear(&mut self) {
        self.progress.iter_mut().for_each(Progress::clear);
    }
}

struct Audit<'a> {
    args: &'a AuditArgs,
    suppressions: Suppressions,
    baseline: Baseline,
    selected: Selected,
    worst: Option<Severity>,
    uses: Vec<UseOf>,
}

impl Audit<'_> {
    /// Sorts findings in, or prints them at once where lines are asked for.
    fn add(&mut self, findings: Vec<AuditFinding>, stdout: &mut impl io::Write) -> io::Result<()> {
        let now = now();
        for finding in findings {
            self.selected.add(finding, &self.suppressions, &self.baseline, now);
        }
        let worst = self.selected.findings.iter().map(|finding| finding.severity).min();
        self.worst = self.worst.into_iter().chain(worst).min();
        if self.args.output == AuditFormat::Ndjson {
            for finding in self.selected.findings.drain(..) {
                writeln!(stdout, "{}", visible_json(&json!(finding).to_string()))?;
            }
        }
        Ok(())
    }

    /// Keeps what a log says of trusts, or prints it at once where lines are asked for.
    fn add_uses(&mut self, uses: Vec<UseOf>, stdout: &mut impl io::Write) -> io::Result<()> {
        match self.args.output {
            AuditFormat::Ndjson => {
                uses.iter().try_for_each(|of| writeln!(stdout, "{}", visible_json(&use_line(of).to_string())))
            }
            _ => {
                self.uses.extend(uses);
                Ok(())
            }
        }
    }

    /// The status.
    fn exit(&self, read: &WhatWasRead) -> Result<Exit, CliError> {
        match self.worst {
            Some(worst) if worst <= self.args.fail_on => Ok(Exit::Failed),
            _ => nothing_read(read).map(|()| Exit::Passed),
        }
    }

    fn finish(mut self, read: WhatWasRead, mut stdout: impl io::Write) -> io::Result<()> {
        self.selected.findings.sort_by(|a, b| a.order().cmp(&b.order()));
        let Selected { findings, suppressed, .. } = self.selected;
        let report = AuditReport { findings, suppressed, uses: self.uses, read };
        let json = |document: &serde_json::Value| terminal::json_text(document);
        let as_page = |format| {
            let output = OutputArgs { output: format, color: self.args.color };
            terminal::rendered(&output, |ctx| page(&report, ctx))
        };
        let text = match self.args.output {
            AuditFormat::Text => as_page(OutputFormat::Text),
            AuditFormat::Markdown => as_page(OutputFormat::Markdown),
            AuditFormat::Json => json(&document(&report)),
            AuditFormat::Ndjson => format!("{}\n", visible_json(&json!({ "read": report.read }).to_string())),
            AuditFormat::Sarif => ci::scanned(&alerts(&report)),
            AuditFormat::Junit => junit(&report),
            AuditFormat::Github => ci::annotated(&alerts(&report), |ctx| page(&report, ctx)),
        };
        stdout.write_all(text.as_bytes())?;
        stdout.flush()
    }
}

/// The logs that are named.
fn log(args: &AuditArgs, paths: &[PathBuf]) -> Result<Option<Log>, CliError> {
    if args.events.is_empty() {
        return Ok(None);
    }
    if args.events.iter().any(|path| trust_input::is_stdin(path))
        && paths.iter().any(|path| trust_input::is_stdin(path))
    {
        return Err(CliError::new("there is one standard input: name files for the trusts, or for the events"));
    }
    let mut observed = Observed::default();
    events_input::read(&args.events, &mut |exchange| observed.add(&exchange))?;
    Ok(Some(Log { observed, unused_days: args.unused_days }))
}

/// Reads and parses a file that an option names; without one there is nothing in it.
fn read_with<T: Default>(path: Option<&Path>, parse: impl Fn(&str) -> Result<T, String>) -> Result<T, CliError> {
    let Some(path) = path else { return Ok(T::default()) };
    let named = |why: String| CliError::new(format!("{}: {why}", path.display()));
    let text = std::fs::read_to_string(path).map_err(|error| named(format!("cannot be read: {error}")))?;
    parse(&text).map_err(named)
}

fn shard(text: &str) -> Result<Shard, String> {
    Shard::parse(text, |name| std::env::var(name).ok())
}
