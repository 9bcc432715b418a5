//! All that one audit goes over: files, folders with code, an account that was read; and what there is to say of it.

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};

use super::fleet::{self, Accounts, Batch};
use super::input::{Input, Inputs, inputs};
use super::live::Live;
use crate::audit::aws::{NotJudged, unused_provider};
use crate::audit::duplicates::Known;
use crate::audit::pools::Pools;
use crate::audit::usage::Log;
use crate::audit::{Baseline, Place, Selected, Shard, Suppressions};
use crate::cli::exit::CliError;
use crate::cli::terraform::{CodeFolder, judge_folders};
use crate::cli::trust::input::is_stdin;
use crate::report::audit::{AuditReport, Unjudged, WhatWasRead};
use crate::run::now;

/// What is gone over.
#[derive(Debug, Default)]
pub(super) struct Sources {
    inputs: Vec<Input>,
    folders: Vec<CodeFolder>,
    /// What is known before anything is judged.
    pub read: WhatWasRead,
}

impl Sources {
    /// The files of these paths, or this machine's share of them.
    ///
    /// # Errors
    /// Something that is named cannot be read.
    pub(super) fn of(paths: &[PathBuf], shard: Option<Shard>) -> Result<Self, CliError> {
        let Inputs { files, code, unreadable } = inputs(paths)?;
        let is_own = |place: usize| shard.is_none_or(|shard| shard.takes(place));
        let inputs: Vec<_> =
            files.into_iter().enumerate().filter(|(at, _)| is_own(*at)).map(|(_, input)| input).collect();
        let folders: Vec<_> =
            code.into_iter().enumerate().filter(|(at, _)| is_own(*at)).map(|(_, folder)| folder).collect();
        let not_judged = unreadable.into_iter().map(|(file, error)| unread(file, error.to_string()));
        let read = WhatWasRead {
            source: name_of(paths),
            files: inputs.len() + folders.len(),
            not_judged: not_judged.collect(),
            ..WhatWasRead::default()
        };
        Ok(Sources { inputs, folders, read })
    }

    /// And what was read of an account.
    pub(super) fn add(&mut self, live: Live) {
        let Live { input, unread: parts, throttled } = live;
        self.read.source = match self.read.source.as_str() {
            "" => input.name.clone(),
            files => format!("{files} and {}", input.name),
        };
        self.read.files += 1;
        let not_read = |why: String| unread(input.name.clone(), format!("not read: {why}"));
        self.read.not_judged.extend(parts.into_iter().map(not_read));
        self.read.throttled = throttled;
        self.inputs.push(input);
    }

    /// Judges all of it beside a log, and tells of what was found as it is found; yields what was read.
    ///
    /// # Errors
    /// What was found could not be told.
    pub(super) fn judge(
        self,
        log: Option<Log>,
        told: &mut dyn FnMut(Batch) -> io::Result<()>,
    ) -> io::Result<WhatWasRead> {
        let Sources { inputs, folders, mut read } = self;
        let accounts = Accounts { log, ..fleet::accounts(&inputs) };
        let (mut trusted, mut known, mut pools) = (BTreeSet::new(), Known::default(), Pools::default());
        let mut add = |mut batch: Batch, read: &mut WhatWasRead| {
            read.trusts += batch.trusts;
            read.others += batch.others;
            read.not_judged.extend(std::mem::take(&mut batch.not_judged).into_iter().map(unjudged));
            let sames = std::mem::take(&mut batch.sames).into_iter();
            batch.findings.extend(sames.filter_map(|(same, place)| known.add(same, place)));
            told(batch)
        };
        fleet::judge(&inputs, &accounts, &mut |mut batch| {
            trusted.extend(std::mem::take(&mut batch.trusted));
            pools.extend(std::mem::take(&mut batch.pools));
            add(batch, &mut read)
        })?;
        for judged in judge_folders(&folders, &accounts.managed) {
            let (trusts, findings, not_judged) = (judged.trusts, judged.findings, judged.not_judged);
            add(Batch { trusts, findings, not_judged, ..Batch::default() }, &mut read)?;
        }
        // Nobody is known to trust a provider where no trust was read.
        if read.trusts > 0 {
            let place = |resource: &str| Place { resource: resource.to_owned(), location: None };
            let unused = accounts.providers.unused(&trusted).map(|provider| unused_provider(&place(provider)));
            add(Batch { findings: unused.collect(), ..Batch::default() }, &mut read)?;
        }
        let unused = pools.unused();
        add(Batch { findings: unused.collect(), ..Batch::default() }, &mut read)?;
        read.providers = accounts.providers.len();
        Ok(read)
    }
}

/// What an audit of one path comes to, for the console.
///
/// # Errors
/// The path cannot be read, or nothing in it is a trust.
pub(in crate::cli) fn of_path(path: &Path) -> Result<AuditReport, CliError> {
    let mut selected = Selected::default();
    let (suppressions, baseline, now) = (Suppressions::default(), Baseline::default(), now());
    let sources = Sources::of(&[path.to_owned()], None)?;
    let read = sources.judge(None, &mut |batch| {
        batch.findings.into_iter().for_each(|finding| selected.add(finding, &suppressions, &baseline, now));
        Ok(())
    });
    let read = read.map_err(|error| CliError::new(error.to_string()))?;
    nothing_read(&read)?;
    let mut findings = selected.findings;
    findings.sort_by(|a, b| a.order().cmp(&b.order()));
    Ok(AuditReport { findings, read, ..AuditReport::default() })
}

const ADVICE: &str =
    "give the answers of `aws iam get-account-authorization-details`, `list-roles` or `get-role`, or trust policies";

/// Whether there is anything to say.
///
/// # Errors
/// Nothing could be read; says what is wrong with the first.
pub(super) fn nothing_read(read: &WhatWasRead) -> Result<(), CliError> {
    let WhatWasRead { trusts, others, providers, not_judged, .. } = read;
    let error = match not_judged.as_slice() {
        _ if trusts + others + providers > 0 => return Ok(()),
        [] => return Ok(()),
        [only] => CliError::new(format!("{}: {}", only.resource, only.why)),
        [first, ..] => CliError::new(format!(
            "nothing could be read of {} files; the first, {}: {}",
            not_judged.len(),
            first.resource,
            first.why
        )),
    };
    let placed = not_judged.iter().filter_map(|unjudged| Some((unjudged.location.as_ref()?, &unjudged.why)));
    let placed = placed.fold(error, |error, (at, why)| error.with_flaw(Path::new(&at.file), at.line, why));
    Err(placed.with_hint(ADVICE))
}

/// What reports call the files of these paths; nothing where there are none.
pub(super) fn name_of(paths: &[PathBuf]) -> String {
    match paths {
        [] => String::new(),
        [one] if is_stdin(one) => "standard input".to_owned(),
        [one] => one.display().to_string(),
        many => format!("{} paths", many.len()),
    }
}

fn unjudged(NotJudged { place, why }: NotJudged) -> Unjudged {
    Unjudged { resource: place.resource, location: place.location, why }
}

fn unread(file: String, why: String) -> Unjudged {
    Unjudged { resource: file, location: None, why }
}
