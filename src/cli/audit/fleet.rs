//! Goes over the files of a fleet: first for what accounts have, then for the trusts, which all processors judge while one
//! thread reads. What is held at a time is a few batches, however long the files are.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Read};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use memchr::memmem;
use serde_json::Value;

use super::input::{Input, LONGEST_TEMPLATE};
use crate::audit::aws::{self, Beside, ManagedPolicies, NotJudged, Providers, RoleTrust, is_federated};
use crate::audit::duplicates::Sameness;
use crate::audit::pools::Pools;
use crate::audit::usage::{self, Log};
use crate::audit::{AuditFinding, Location, Place, UseOf, code, corrected, duplicates, entra, google};
use crate::domain::iam::{Policy, ProviderArn};
use crate::domain::json_stream::{Item, JsonStreamError, split};

/// The lists whose objects are roles.
const ROLE_LISTS: &[&str] = &["RoleDetailList", "Roles"];
/// The lists that tell what accounts have.
const ACCOUNT_LISTS: &[&str] = &["Policies"];
/// Of a file of at most this many bytes every document is looked at for what accounts have.
const SMALL: u64 = 4 << 20;
const CHUNK: usize = 1 << 20;
/// A list's name, its colon and its bracket stand within so many bytes.
const KEPT: usize = 64;
/// More lists than this are read in one go with all that is around them.
const FEW: usize = 4;
/// So many bytes of trusts are judged at a time.
const BATCH: usize = 256 << 10;
/// So many batches wait for each processor.
const WAITING: usize = 4;

/// What accounts have beside their trusts.
#[derive(Debug, Default)]
pub struct Accounts {
    pub managed: ManagedPolicies,
    pub providers: Providers,
    /// The log that the trusts are held beside.
    pub log: Option<Log>,
}

/// What came of a batch of trusts.
#[derive(Debug, Default)]
pub struct Batch {
    pub findings: Vec<AuditFinding>,
    pub not_judged: Vec<NotJudged>,
    /// Trusts in identity providers, and roles without.
    pub trusts: usize,
    pub others: usize,
    /// The issuers that are trusted, by URL without scheme.
    pub trusted: BTreeSet<String>,
    /// What the log says of each trust.
    pub uses: Vec<UseOf>,
    /// What trusts take that may have a duplicate elsewhere.
    pub sames: Vec<(Sameness, Place)>,
    /// Google's pools and the policies that name them.
    pub pools: Pools,
}

impl Batch {
    /// Adds what the log says of a trust, to the findings about it too.
    fn add_use(&mut self, findings: &mut Vec<AuditFinding>, said: Option<(UseOf, Vec<AuditFinding>)>) {
        let Some((of, found)) = said else { return };
        findings.extend(found);
        for finding in findings.iter_mut().filter(|finding| finding.resource == of.resource) {
            finding.used = Some(of.used.clone());
        }
        self.uses.push(of);
    }

    /// Calls what is named after its file as people call that: until all was judged it has the name that ids are made with.
    fn rename(&mut self, stable_name: &str, name: &str) {
        let findings = self.findings.iter_mut().map(|finding| (&mut finding.resource, finding.location.as_mut()));
        let not_judged = self.not_judged.iter_mut().map(|not| (&mut not.place.resource, not.place.location.as_mut()));
        let uses = self.uses.iter_mut().map(|of| (&mut of.resource, None));
        for (resource, location) in findings.chain(not_judged).chain(uses) {
            let rest = resource.strip_prefix(stable_name);
            if let Some(rest) = rest.filter(|rest| rest.is_empty() || rest.starts_with(' ')) {
                *resource = format!("{name}{rest}");
            }
            if let Some(location) = location.filter(|location| location.file == stable_name) {
                name.clone_into(&mut location.file);
            }
        }
    }

    /// Adds what came of one trust.
    fn add(&mut self, place: Place, judged: Result<Vec<AuditFinding>, String>) {
        self.trusts += 1;
        match judged {
            Ok(findings) => self.findings.extend(findings),
            Err(why) => self.not_judged.push(NotJudged { place, why }),
        }
    }
}

/// A batch on its way to be judged.
struct Work {
    place: usize,
    file: usize,
    bytes: Vec<u8>,
    /// Where each object ends, the line it ends in, and whether it is an element of a list of roles.
    objects: Vec<(usize, u64, Kind)>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Role,
    Document,
    /// A whole file of YAML.
    Template,
}

/// Reads what accounts have. What cannot be read is named when the trusts are read.
pub fn accounts(inputs: &[Input]) -> Accounts {
    let mut accounts = Accounts::default();
    for input in inputs {
        let Ok(reader) = input.open() else { continue };
        let _ = read_accounts(reader, input, &mut accounts);
    }
    accounts
}

fn read_accounts(reader: Box<dyn Read + '_>, input: &Input, accounts: &mut Accounts) -> io::Result<()> {
    let mut start = Vec::with_capacity(CHUNK);
    let mut reader = reader;
    reader.by_ref().take(SMALL).read_to_end(&mut start)?;
    if start.len() < SMALL as usize {
        if is_about_accounts(&start) {
            let _ = split(start.as_slice(), ACCOUNT_LISTS, &mut |item| {
                read_account_item(item, accounts);
                Ok(())
            });
        }
        return Ok(());
    }
    // In a long file only the lists of policies are of interest: where they begin is found much faster than all is read.
    let lists = policy_lists(io::Cursor::new(start).chain(reader))?;
    if lists.len() > FEW {
        let _ = split(input.open()?, ACCOUNT_LISTS, &mut |item| {
            read_account_item(item, accounts);
            Ok(())
        });
        return Ok(());
    }
    for at in lists {
        let mut again = input.open()?;
        io::copy(&mut again.by_ref().take(at), &mut io::sink())?;
        // It ends with an error behind the list's end, where no other document begins.
        let _ = split(again, ACCOUNT_LISTS, &mut |item| {
            accounts.managed.read(item.bytes);
            Ok(())
        });
    }
    Ok(())
}

/// Where the lists of policies begin: the places of their `[`.
fn policy_lists(mut reader: impl Read) -> io::Result<BTreeSet<u64>> {
    let finder = memmem::Finder::new("\"Policies\"");
    let mut window: Vec<u8> = Vec::with_capacity(CHUNK + KEPT);
    let (mut offset, mut found) = (0, BTreeSet::new());
    loop {
        // A name that was cut is found again with what follows it.
        let gone = window.len().saturating_sub(KEPT);
        window.drain(..gone);
        offset += gone as u64;
        let before = window.len();
        reader.by_ref().take(CHUNK as u64).read_to_end(&mut window)?;
        if window.len() == before {
            return Ok(found);
        }
        for name in finder.find_iter(&window) {
            let behind = window.get(name + finder.needle().len()..).unwrap_or_default();
            let mut signs = behind.iter().enumerate().filter(|(_, byte)| !byte.is_ascii_whitespace());
            if let (Some((_, b':')), Some((at, b'['))) = (signs.next(), signs.next()) {
                found.insert(offset + (name + finder.needle().len() + at) as u64);
            }
        }
    }
}

fn is_about_accounts(bytes: &[u8]) -> bool {
    ["\"Policies\"", "ClientIDList", "OpenIDConnectProviderList"]
        .iter()
        .any(|name| memmem::find(bytes, name.as_bytes()).is_some())
}

fn read_account_item(item: Item<'_>, accounts: &mut Accounts) {
    if item.list.is_some() {
        accounts.managed.read(item.bytes);
    } else if memmem::find(item.bytes, b"\"Policies\"").is_some() {
        let _ = split(item.bytes, ACCOUNT_LISTS, &mut |nested| {
            accounts.managed.read(nested.bytes);
            Ok(())
        });
    } else if let Ok(value) = serde_json::from_slice::<Value>(item.bytes) {
        accounts.providers.read(&value);
    }
}

/// Judges every trust of the inputs and tells of the batches in the order of the input.
pub fn judge(inputs: &[Input], accounts: &Accounts, told: &mut dyn FnMut(Batch) -> io::Result<()>) -> io::Result<()> {
    let workers = thread::available_parallelism().map_or(1, std::num::NonZero::get);
    thread::scope(|scope| {
        let (to_judge, waiting) = sync_channel::<Work>(workers * WAITING);
        // Whoever writes may be slower than those who judge: no more waits for it than for them.
        let (to_tell, judged) = sync_channel::<(usize, Batch)>(workers * WAITING);
        let waiting = Arc::new(Mutex::new(waiting));
        let from_reader = to_tell.clone();
        scope.spawn(move || read_all(inputs, &to_judge, &from_reader));
        for _ in 0..workers {
            let (waiting, to_tell) = (Arc::clone(&waiting), to_tell.clone());
            scope.spawn(move || work(inputs, accounts, &waiting, &to_tell));
        }
        drop(to_tell);
        drop(waiting);
        in_order(&judged, told)
    })
}

/// Tells of the batches by their places, as soon as all before are there.
fn in_order(judged: &Receiver<(usize, Batch)>, told: &mut dyn FnMut(Batch) -> io::Result<()>) -> io::Result<()> {
    let mut early = BTreeMap::new();
    let mut next = 0;
    for (place, batch) in judged {
        early.insert(place, batch);
        while let Some(batch) = early.remove(&next) {
            told(batch)?;
            next += 1;
        }
    }
    Ok(())
}

fn work(inputs: &[Input], accounts: &Accounts, waiting: &Mutex<Receiver<Work>>, to_tell: &SyncSender<(usize, Batch)>) {
    loop {
        let received = waiting.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(work) = received else { return };
        let place = work.place;
        let Some(input) = inputs.get(work.file) else { return };
        if to_tell.send((place, judge_batch(&work, input, accounts))).is_err() {
            return;
        }
    }
}

/// Reads the files one after another. A batch that is full, and the last of a file, goes to whoever is free.
fn read_all(inputs: &[Input], to_judge: &SyncSender<Work>, to_tell: &SyncSender<(usize, Batch)>) {
    let mut place = 0;
    for (file, input) in inputs.iter().enumerate() {
        let mut work = Work { place, file, bytes: Vec::with_capacity(BATCH), objects: Vec::new() };
        if input.is_yaml().unwrap_or_default() {
            let mut told = Batch::default();
            match template(input) {
                Ok(bytes) => {
                    work.objects.push((bytes.len(), 1, Kind::Template));
                    work.bytes = bytes;
                    let _ = to_judge.send(work);
                }
                Err(why) => {
                    let resource = Place { resource: input.name.clone(), location: None };
                    told.not_judged.push(NotJudged { place: resource, why });
                    let _ = to_tell.send((place, told));
                }
            }
            place += 1;
            continue;
        }
        let result = input.open().map_err(JsonStreamError::from).and_then(|reader| {
            split(reader, ROLE_LISTS, &mut |item| {
                take(item, &mut work);
                if work.bytes.len() >= BATCH {
                    place += 1;
                    let next = Work { place, file, bytes: Vec::with_capacity(BATCH), objects: Vec::new() };
                    // Nobody receives once the report cannot be written.
                    let _ = to_judge.send(std::mem::replace(&mut work, next));
                }
                Ok(())
            })
        });
        let _ = to_judge.send(work);
        place += 1;
        let line = match &result {
            Err(JsonStreamError::Broken { line, .. }) => Some(*line),
            _ => None,
        };
        let why = match result {
            Ok(streamed) if streamed.passed_over > 0 => {
                format!("{} objects of more than 16 MiB were passed over", streamed.passed_over)
            }
            Ok(streamed) if streamed.documents == 0 => "it is empty".to_owned(),
            Ok(_) => continue,
            Err(error) => error.to_string(),
        };
        let location = line.map(|line| Location { file: input.name.clone(), line });
        let resource = Place { resource: input.name.clone(), location };
        let broken = Batch { not_judged: vec![NotJudged { place: resource, why }], ..Batch::default() };
        let _ = to_tell.send((place, broken));
        place += 1;
    }
}

/// The text of a template.
fn template(input: &Input) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    let read = input.open().and_then(|reader| reader.take(LONGEST_TEMPLATE + 1).read_to_end(&mut bytes));
    match read {
        Err(error) => Err(error.to_string()),
        Ok(length) if length as u64 > LONGEST_TEMPLATE => Err("a template of more than 4 MiB is not read".to_owned()),
        Ok(_) => Ok(bytes),
    }
}

/// Keeps what may be a trust, and counts the rest.
fn take(item: Item<'_>, work: &mut Work) {
    if item.list.is_some() {
        // A role without a trust in a provider is known by its end alone.
        if is_federated(item.bytes) {
            work.bytes.extend_from_slice(item.bytes);
        }
        work.objects.push((work.bytes.len(), item.last_line, Kind::Role));
    } else if memmem::find(item.bytes, b"\"RoleDetailList\"").is_some()
        || memmem::find(item.bytes, b"\"Roles\"").is_some()
    {
        let _ = split(item.bytes, ROLE_LISTS, &mut |nested| {
            let nested = Item { last_line: item.last_line, ..nested };
            // A list of this name somewhere inside is another's.
            if nested.list.is_some() {
                take(nested, work)
            } else {
                keep(nested, work)
            }
            Ok(())
        });
    } else {
        keep(item, work);
    }
}

fn keep(document: Item<'_>, work: &mut Work) {
    work.bytes.extend_from_slice(document.bytes);
    work.objects.push((work.bytes.len(), document.last_line, Kind::Document));
}

fn judge_batch(work: &Work, input: &Input, accounts: &Accounts) -> Batch {
    let mut batch = Batch::default();
    let file = input.name.as_str();
    let mut from = 0;
    for (end, last_line, kind) in &work.objects {
        let bytes = work.bytes.get(from..*end).unwrap_or_default();
        from = *end;
        if bytes.is_empty() {
            batch.others += 1;
            continue;
        }
        let lines = memchr::memchr_iter(b'\n', bytes).count() as u64;
        let location = Some(Location { file: file.to_owned(), line: last_line.saturating_sub(lines).max(1) });
        match kind {
            Kind::Role => judge_role(RoleTrust::read(bytes, location), accounts, &mut batch),
            Kind::Document => judge_document(bytes, location, &input.stable_name, accounts, &mut batch),
            Kind::Template => judge_template(bytes, input, accounts, &mut batch),
        }
    }
    batch.rename(&input.stable_name, file);
    batch
}

fn judge_role(read: Result<Option<RoleTrust<'_>>, NotJudged>, accounts: &Accounts, batch: &mut Batch) {
    match read {
        Ok(Some(role)) => {
            let principals = role.policy.statements.iter().filter_map(|statement| statement.principal.as_ref());
            let urls: Vec<String> = principals
                .flat_map(|principal| &principal.federated)
                .map(|provider| ProviderArn::parse(provider).map_or(provider.as_str(), |arn| arn.url).to_owned())
                .collect();
            let mut findings = aws::judge(&role, &accounts.managed, &accounts.providers);
            let log = accounts.log.as_ref().filter(|_| !urls.is_empty());
            let subjects = log.map(|log| log.all_subjects(&role.place.resource)).unwrap_or_default();
            let beside = Beside { managed: &accounts.managed, providers: &accounts.providers, subjects: &subjects };
            aws::attach(&role, beside, &mut findings);
            findings.extend(duplicates::in_policy(&role));
            if let Some(log) = log {
                batch.add_use(&mut findings, usage::of_role(&role, log));
            }
            match urls.is_empty() && findings.is_empty() {
                true => batch.others += 1,
                false => batch.trusts += 1,
            }
            batch.trusted.extend(urls);
            batch.findings.extend(findings);
        }
        Ok(None) => batch.others += 1,
        Err(not_judged) => batch.not_judged.push(not_judged),
    }
}

/// A document of its own: a role's answer, a policy, credentials, a provider; or what was read for the accounts.
fn judge_document(bytes: &[u8], location: Option<Location>, stable_name: &str, accounts: &Accounts, batch: &mut Batch) {
    let has = |name: &str| memmem::find(bytes, name.as_bytes()).is_some();
    // What accounts register was read before. A template of the CDK has a member of the same name.
    if (has("ClientIDList") || has("OpenIDConnectProviderList"))
        && serde_json::from_slice(bytes).is_ok_and(|answer| Providers::default().read(&answer))
    {
        return;
    }
    if let Ok(Some(role)) = inner_role(bytes, location.clone()) {
        return judge_role(Ok(Some(role)), accounts, batch);
    }
    let line = location.as_ref().map_or(1, |at| at.line);
    if let Some(declared) = std::str::from_utf8(bytes).ok().and_then(|text| code::read_json(text, stable_name, line)) {
        return judge_code(&declared, stable_name, accounts, batch);
    }
    // A document that names nothing is called as ids call its file, until all is judged.
    let place = Place { resource: stable_name.to_owned(), location };
    if let Ok(value) = serde_json::from_slice::<Value>(bytes)
        && judge_elsewhere(&value, &place, accounts.log.as_ref(), batch)
    {
        return;
    }
    let read = std::str::from_utf8(bytes).map_err(|error| error.to_string()).and_then(|text| {
        let policy = Policy::parse(text);
        let policy = policy.map_err(|error| format!("line {}, column {}: {}", error.line, error.column, error.what))?;
        Ok((policy, text))
    });
    match read {
        Ok((policy, text)) => {
            judge_role(Ok(Some(RoleTrust::of_policy(policy, place).with_document(text))), accounts, batch);
        }
        Err(why) => batch.not_judged.push(NotJudged { place, why: format!("no form of a trust that is known: {why}") }),
    }
}

/// A file of YAML: a template, or something else.
fn judge_template(bytes: &[u8], input: &Input, accounts: &Accounts, batch: &mut Batch) {
    let file = input.name.as_str();
    let declared = std::str::from_utf8(bytes).map(|text| code::read_yaml(text, &input.stable_name));
    match declared {
        Ok(declared) if !declared.is_empty() => {
            declared.iter().for_each(|configuration| judge_code(configuration, &input.stable_name, accounts, batch));
        }
        Ok(_) | Err(_) => {
            let place =
                Place { resource: file.to_owned(), location: Some(Location { file: file.to_owned(), line: 1 }) };
            batch.not_judged.push(NotJudged { place, why: "no template with a trust in it".to_owned() });
        }
    }
}

fn judge_code(declared: &code::Configuration, stable_name: &str, accounts: &Accounts, batch: &mut Batch) {
    let judged = code::judge(declared, &accounts.managed).within(stable_name);
    if declared.declared.is_empty() && declared.not_known.is_empty() {
        batch.others += 1;
    }
    batch.trusts += judged.trusts;
    batch.findings.extend(judged.findings);
    batch.not_judged.extend(judged.not_judged);
}

/// Judges what Entra or Google answered; yields whether it is of one of them.
fn judge_elsewhere(value: &Value, place: &Place, log: Option<&Log>, batch: &mut Batch) -> bool {
    if google::is_provider(value) {
        let name = value.get("name").and_then(Value::as_str).map(str::to_owned);
        let place = Place { resource: name.unwrap_or_else(|| place.resource.clone()), ..place.clone() };
        let mut judged = google::judge_provider(&place, value);
        if let (Some(log), Ok(findings)) = (log, &mut judged) {
            corrected::attach_provider(&place, value, &log.all_subjects(&place.resource), findings);
            batch.add_use(findings, usage::of_provider(&place, value, log));
        }
        batch.pools.add_provider(value, &place);
        batch.sames.extend(duplicates::of_provider(value).map(|same| (same, place.clone())));
        batch.add(place, judged);
        return true;
    }
    // Cloud Asset Inventory says of each policy whose it is.
    let (policy, named) = match value.get("policy").filter(|policy| google::is_policy(policy)) {
        Some(policy) => (policy, value.get("resource").and_then(Value::as_str)),
        None => (value, None),
    };
    if google::is_policy(policy) {
        batch.pools.add_policy(policy);
        let resource = named.unwrap_or(&place.resource).to_owned();
        let place = Place { resource, ..place.clone() };
        match google::is_federated(policy) {
            true => batch.add(place.clone(), google::judge_policy(&place, policy)),
            false => batch.others += 1,
        }
        return true;
    }
    let (credentials, stable_name) = (entra::credentials(value), place.resource.as_str());
    let first = batch.findings.len();
    for of in &credentials {
        let place = Place { resource: of.resource.clone(), ..place.clone() };
        let mut judged = entra::judge(&place, &of.credential);
        if let Ok(findings) = &mut judged {
            corrected::attach_credential(&place, &of.credential, findings);
            // A list of one application's credentials does not name it, and its file does.
            if of.is_anonymous() {
                findings.iter_mut().for_each(|finding| finding.distinguish(stable_name));
            }
        }
        batch.sames.extend(duplicates::of_credential(of).map(|same| (same, place.clone())));
        batch.add(place, judged);
    }
    if let Some(log) = log {
        let mut findings = batch.findings.split_off(first);
        for of_one in credentials.chunk_by(|one, next| one.application == next.application) {
            let (uses, found) = usage::of_credentials(of_one, place, log);
            findings.extend(found);
            uses.into_iter().for_each(|of| batch.add_use(&mut findings, Some((of, Vec::new()))));
        }
        batch.findings.extend(findings);
    }
    !credentials.is_empty() || value.get("federatedIdentityCredentials").is_some()
}

/// The role of `get-role`'s answer, or of an object that is one.
fn inner_role(bytes: &[u8], location: Option<Location>) -> Result<Option<RoleTrust<'_>>, NotJudged> {
    #[derive(serde::Deserialize)]
    struct Answer<'a> {
        #[serde(rename = "Role", borrow)]
        role: &'a serde_json::value::RawValue,
    }
    match serde_json::from_slice::<Answer<'_>>(bytes) {
        Ok(answer) => RoleTrust::read(answer.role.get().as_bytes(), location),
        Err(_) => RoleTrust::read(bytes, location),
    }
}
