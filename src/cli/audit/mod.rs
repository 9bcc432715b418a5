//! `trustline audit`: every federated trust of a fleet, from what its accounts answer: who gets in, what they reach, what is
//! dead. Offline.

mod code;
mod fleet;
mod input;

use std::collections::BTreeSet;
use std::io::{self, BufWriter, IsTerminal as _};
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use serde_json::json;

use super::exit::{CliError, Exit};
use super::flags::{ColorChoice, OutputArgs, OutputFormat};
use super::terminal;
use super::trust::{input as trust_input, severity};
use crate::audit::aws::{NotJudged, Providers, unused_provider};
use crate::audit::{AuditFinding, Baseline, Place, Selected, Shard, Suppressions};
use crate::cause::Severity;
use crate::domain::text::visible_json;
use crate::report::audit::{AuditReport, Unjudged, WhatWasRead, document, github, junit, page, sarif};
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
    let stdin = [PathBuf::from("-")];
    let paths = match args.paths.as_slice() {
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
    let input::Inputs { files, code, unreadable } = input::inputs(paths)?;
    let is_own = |place: usize| args.shard.is_none_or(|shard| shard.takes(place));
    let inputs: Vec<_> = files.into_iter().enumerate().filter(|(at, _)| is_own(*at)).map(|(_, input)| input).collect();
    let folders: Vec<_> =
        code.into_iter().enumerate().filter(|(at, _)| is_own(*at)).map(|(_, folder)| folder).collect();
    let accounts = fleet::accounts(&inputs);
    let mut audit = Audit {
        args,
        suppressions,
        baseline,
        selected: Selected::default(),
        worst: None,
        read: WhatWasRead::default(),
    };
    audit.read.source = source(paths);
    audit.read.files = inputs.len() + folders.len();
    audit.read.not_judged = unreadable.into_iter().map(|(file, error)| unread(file, error.to_string())).collect();
    let mut trusted = BTreeSet::new();
    let mut stdout = BufWriter::new(io::stdout().lock());
    let told = fleet::judge(&inputs, &accounts, &mut |batch| {
        audit.read.trusts += batch.trusts;
        audit.read.others += batch.others;
        trusted.extend(batch.trusted);
        audit.read.not_judged.extend(batch.not_judged.into_iter().map(unjudged));
        audit.add(batch.findings, &mut stdout)
    });
    let told = told.and_then(|()| {
        code::judge_folders(&folders, &accounts.managed).into_iter().try_for_each(|judged| {
            audit.read.trusts += judged.trusts;
            audit.read.not_judged.extend(judged.not_judged.into_iter().map(unjudged));
            audit.add(judged.findings, &mut stdout)
        })
    });
    let told = told.and_then(|()| audit.add(unused(&accounts.providers, &trusted, audit.read.trusts), &mut stdout));
    terminal::written(told)?;
    audit.read.providers = accounts.providers.len();
    audit.read.in_baseline = audit.selected.known;
    let exit = audit.exit()?;
    terminal::written(audit.finish(stdout))?;
    Ok(exit)
}

struct Audit<'a> {
    args: &'a AuditArgs,
    suppressions: Suppressions,
    baseline: Baseline,
    selected: Selected,
    worst: Option<Severity>,
    read: WhatWasRead,
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

    /// The status.
    fn exit(&self) -> Result<Exit, CliError> {
        let WhatWasRead { trusts, others, providers, not_judged, .. } = &self.read;
        let is_read = trusts + others + providers > 0;
        match self.worst {
            Some(worst) if worst <= self.args.fail_on => Ok(Exit::Failed),
            _ if is_read => Ok(Exit::Passed),
            _ => match not_judged.as_slice() {
                [] => Ok(Exit::Passed),
                [only] => Err(CliError::new(format!("{}: {}", only.resource, only.why)).with_hint(ADVICE)),
                [first, ..] => Err(CliError::new(format!(
                    "nothing could be read of {} files; the first, {}: {}",
                    not_judged.len(),
                    first.resource,
                    first.why
                ))
                .with_hint(ADVICE)),
            },
        }
    }

    fn finish(mut self, mut stdout: impl io::Write) -> io::Result<()> {
        self.selected.findings.sort_by(|a, b| a.order().cmp(&b.order()));
        let Selected { findings, suppressed, .. } = self.selected;
        let report = AuditReport { findings, suppressed, read: self.read };
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
            AuditFormat::Sarif => json(&sarif(&report)),
            AuditFormat::Junit => junit(&report),
            AuditFormat::Github => github(&report),
        };
        stdout.write_all(text.as_bytes())?;
        stdout.flush()
    }
}

const ADVICE: &str =
    "give the answers of `aws iam get-account-authorization-details`, `list-roles` or `get-role`, or trust policies";

fn unjudged(NotJudged { place, why }: NotJudged) -> Unjudged {
    Unjudged { resource: place.resource, location: place.location, why }
}

fn unread(file: String, why: String) -> Unjudged {
    Unjudged { resource: file, location: None, why }
}

/// The providers that nobody trusts, where any trust was read.
fn unused(providers: &Providers, trusted: &BTreeSet<String>, trusts: usize) -> Vec<AuditFinding> {
    if trusts == 0 {
        return Vec::new();
    }
    let place = |resource: &str| Place { resource: resource.to_owned(), location: None };
    providers.unused(trusted).map(|provider| unused_provider(&place(provider))).collect()
}

fn source(paths: &[PathBuf]) -> String {
    match paths {
        [one] if trust_input::is_stdin(one) => "standard input".to_owned(),
        [one] => one.display().to_string(),
        many => format!("{} paths", many.len()),
    }
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
