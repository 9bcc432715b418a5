//! `trustline rotate`: rotate, then prove that the running automation has the new value.

mod arguments;
mod value;

use std::fs::{File, OpenOptions};
use std::io::{BufRead as _, BufReader, IsTerminal as _, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use crossterm::terminal::{disable_raw_mode, enable_raw_mode};
use tokio::sync::mpsc;
use tokio::sync::mpsc::Sender;
use tokio_util::sync::CancellationToken;
use zeroize::Zeroizing;

use super::exit::{CliError, Exit};
use super::flags::begin_recording;
use super::flags::{OutputArgs, OutputFormat};
use super::lab_folder::LabFolder;
use super::live::LiveRows;
use super::rotation_files::{Place, RotationFiles};
use super::{lab, network, profile_file, settings, terminal};
use crate::domain::ids::Cloud;
use crate::domain::profile::{Guide, Operator, Profile, SecretSource};
use crate::domain::rotation::Verdict;
use crate::domain::secret_ref::SecretRef;
use crate::domain::text::visible;
use crate::domain::timestamp::rfc3339;
use crate::guide::{Change, ExternalProof, Proof, rotate_command};
use crate::lab::{Lab, LabOptions};
use crate::probe::http::HttpStack;
use crate::probe::new_value::LARGEST;
use crate::report::progress::rotation_rows;
use crate::report::rotation;
use crate::report::rotation::{json, page};
use crate::run::now;
use crate::run::record::ROTATION_SCHEMA;
use crate::run::rotation::event::Earlier;
use crate::run::rotation::event::{Phase, RotationKind, RotationMethod, SessionCheckpoint};
use crate::run::rotation::live::{CloudBackend, LiveSettings};
use crate::run::rotation::report::RotationReport;
use crate::run::rotation::session;
use crate::run::rotation::session::{RollBack, RotationRequest, SessionCommand};
use arguments::RotateAction;
pub(super) use arguments::RotateArgs;

/// How many answers may wait for the session.
const ANSWERS_AHEAD: usize = 8;

/// A session that has ended, with the signal that ended it, and what could not be written of it.
struct Ended {
    report: RotationReport,
    signal: Option<Exit>,
    problem: Option<CliError>,
}

pub(super) fn run(args: &RotateArgs) -> Result<Exit, CliError> {
    if let Some(RotateAction::VerifyEvidence(args)) = &args.action {
        return arguments::run(args);
    }
    args.validate()?;
    let runtime = if args.selector.lab.is_some() { network::serving_runtime()? } else { network::runtime()? };
    let ended = runtime.block_on(async {
        match &args.selector.lab {
            None => {
                let settings::Loaded { profile, path, .. } = settings::load(&args.selector)?;
                let operator = args.operator.operator(&profile)?;
                let place = Place::of(&profile, path.as_deref(), &args.secrets(&profile)?)?;
                let files = files(args, Some(&place))?;
                let (guide, secret) = (profile.guide, profile.secret.as_ref().map(ToString::to_string));
                let ended = rotate(args, profile, args.network.stack()?, operator, files).await?;
                // A profile opened by its path may be a checked-in file, which nobody asked to change.
                let own = path.filter(|_| args.selector.profile.is_some() && args.selector.set.is_empty());
                if let (Some(path), Some(secret)) = (own, secret) {
                    remember(&path, guide, &secret, &ended.report);
                }
                Ok(ended)
            }
            Some(scenario) => rotate_in_lab(args, scenario).await,
        }
    });
    // A name look-up that never ends must not keep the program from ending.
    runtime.shutdown_background();
    let Ended { report, signal, problem } = ended?;
    let printed = print(&report, &args.output);
    problem.map_or(printed, Err)?;
    Ok(signal.unwrap_or_else(|| exit(&report)))
}

/// Prints a session's report.
pub(super) fn print(report: &RotationReport, output: &OutputArgs) -> Result<(), CliError> {
    terminal::print(&match output.output {
        OutputFormat::Json => terminal::json_text(&json::report(report)),
        _ => terminal::rendered(output, |ctx| page(report, ctx)),
    })
}

/// Keeps in the profile that a rotation reached the automation: the guide's last steps are shown by nothing else.
fn remember(path: &Path, guide: Guide, secret: &str, report: &RotationReport) {
    if !report.shows(guide, secret) {
        return;
    }
    let at = rfc3339(now()).unwrap_or_default();
    let change = Change::Show { guide, shown: ExternalProof { proof: Proof::Rotation, at } };
    if let Err(error) = profile_file::change(path, &change) {
        terminal::note(&format!("the guide does not learn of this rotation: {error}"));
    }
}

async fn rotate_in_lab(args: &RotateArgs, scenario: &str) -> Result<Ended, CliError> {
    let lab = lab::start(scenario, LabOptions::default())?;
    let folder = LabFolder::write(&lab)?;
    let profile = settings::load_alone(&folder.profile_file(), &format!("lab-{scenario}"), &args.selector.set)?;
    let operator = lab_operator(&profile, &lab, &folder);
    // The lab's secrets end with it, and so does the session.
    let files = files(args, None)?;
    rotate(args, profile, args.network.lab_stack(&folder.ca_file())?, operator, files).await
}

fn files(args: &RotateArgs, place: Option<&Place>) -> Result<RotationFiles, CliError> {
    let mut files = RotationFiles::open(place, args.evidence.as_deref())?;
    if let Some(path) = &args.record {
        files.record(begin_recording(path, ROTATION_SCHEMA)?);
    }
    Ok(files)
}

/// As whom secrets are written in a lab.
pub(super) fn lab_operator(profile: &Profile, lab: &Lab, folder: &LabFolder) -> Operator {
    match profile.azure.vault_url {
        _ if profile.guide.cloud() == Cloud::Gcp => {
            Operator::Google { token_file: Some(folder.secrets_admin_google_token_file()) }
        }
        Some(_) => Operator::AzureApplication {
            client_id: lab.secrets_admin.client_id.clone(),
            secret: SecretSource::File(folder.secrets_admin_client_secret_file()),
            tenant_id: None,
        },
        None => Operator::Aws {
            profile: Some("secrets-admin".to_owned()),
            file: Some(folder.secrets_admin_credentials_file()),
        },
    }
}

/// Whose secrets an operator writes: the vault's host, or the account's number.
pub(super) fn place(profile: &Profile, identity: &str) -> String {
    match &profile.azure.vault_url {
        _ if profile.guide.cloud() == Cloud::Gcp => profile.gcp.secret_parent().unwrap_or_default(),
        Some(vault) => vault.trim_start_matches("https://").trim_end_matches('/').to_owned(),
        None => identity.split(':').nth(4).unwrap_or_default().to_owned(),
    }
}

async fn rotate(
    args: &RotateArgs,
    profile: Profile,
    http: HttpStack,
    operator: Operator,
    mut files: RotationFiles,
) -> Result<Ended, CliError> {
    let secrets = args.secrets(&profile)?;
    let (earlier, way) = take_up(args, &mut files)?;
    let runtime = args.runtime_source(&profile)?;
    let world = |values| {
        CloudBackend::new(LiveSettings {
            http: http.clone(),
            profile: profile.clone(),
            timeout: args.network.timeout,
            operator: operator.clone(),
            command: args.command.clone(),
            command_stderr: Stdio::inherit,
            runtime: runtime.clone(),
            values,
        })
    };
    let values = match args.way() {
        RotationMethod::Trustline if args.yes => value::read(&args.new_value, &secrets)?,
        RotationMethod::Trustline => {
            // A value that comes from elsewhere is looked at before anybody is asked about it; one is typed only after it
            // was said whose secret it is for.
            let given =
                if value::is_typed(&args.new_value) { None } else { Some(value::read(&args.new_value, &secrets)?) };
            confirm(&world(Vec::new()), &profile, &secrets).await?;
            given.map_or_else(|| value::read(&args.new_value, &secrets), Ok)?
        }
        _ => Vec::new(),
    };
    let world = Arc::new(world(values));
    let request = RotationRequest {
        asks: secrets.iter().map(|secret| rotate_command(&profile, secret)).collect(),
        secrets,
        way,
        runtime: args.runtime_from(),
        roll_back: args.roll_back(),
        pace: args.pace(),
        earlier,
        profile,
    };
    follow(request, world, files, args.runtime_text.clone(), LiveRows::new(&args.output)).await
}

/// Asks whoever sits at the terminal to write out what is about to be changed, and where.
async fn confirm(world: &CloudBackend, profile: &Profile, secrets: &[SecretRef]) -> Result<(), CliError> {
    needs_terminal()?;
    let identity = world.operator_identity().await.map_err(|refused| CliError::new(refused.reason))?;
    let place = place(profile, &identity);
    let names: Vec<String> = secrets.iter().map(ToString::to_string).collect();
    let wanted = format!("{} {place}", names.join(" "));
    let lines = [
        format!("A new value is about to be written to {} in {place}, as {identity}.", names.join(", ")),
        format!("To go on, type: {wanted}"),
    ];
    if answer(&lines)? == wanted {
        Ok(())
    } else {
        Err(CliError::new(format!("nothing was written; to agree, type exactly: {wanted}")))
    }
}

/// Follows the session to its end, and tells what happens on standard error. `text` is read when the session asks for it.
async fn follow(
    request: RotationRequest,
    world: Arc<CloudBackend>,
    files: RotationFiles,
    mut text: Option<PathBuf>,
    mut live: LiveRows,
) -> Result<Ended, CliError> {
    let asks = request.roll_back == RollBack::Ask;
    let (answers, commands) = mpsc::channel(ANSWERS_AHEAD);
    let cancel = CancellationToken::new();
    let files = Arc::new(Mutex::new(files));
    let noted = files.clone();
    let journal = Box::new(move |event: &_| noted.lock().unwrap_or_else(PoisonError::into_inner).note(event));
    let mut events = session::start(request, world, commands, journal, cancel.clone());
    let mut signals = terminal::Signals::listen()?;
    let (mut report, mut signal) = (RotationReport::default(), None);
    let mut doing = ("", Instant::now());
    loop {
        tokio::select! {
            event = events.recv() => {
                let Some(event) = event else {
                    let problem = files.lock().unwrap_or_else(PoisonError::into_inner).problem().cloned();
                    return Ok(Ended { report, signal, problem });
                };
                let event = files.lock().unwrap_or_else(PoisonError::into_inner).publish(event);
                // What is waited for is told in the rows where they are shown.
                let is_in_rows = live.are_shown() && matches!(event.kind, RotationKind::Waiting { .. });
                if let Some(line) = rotation::line(&event).filter(|_| !is_in_rows) {
                    live.note(&line);
                }
                report.apply(&event);
                if let Some(words) = rotation::doing(&event.kind).filter(|words| *words != doing.0) {
                    doing = (words, Instant::now());
                    live.clear();
                }
                if let RotationKind::Looking { moment: Phase::After } = &event.kind
                    && let Some(path) = text.take()
                {
                    bring(path, answers.clone());
                }
                if asks && let RotationKind::RollBackOffered { secret, version } = &event.kind {
                    let _ = answers.send(roll_back_answer(secret, version).await).await;
                }
            }
            received = signals.next() => {
                signal = Some(received);
                cancel.cancel();
            }
            () = live.frame() => if !doing.0.is_empty() {
                let doing_ms = u64::try_from(doing.1.elapsed().as_millis()).unwrap_or(u64::MAX);
                live.draw(|elapsed_ms, room, format| {
                    rotation_rows(&report, (doing.0, doing_ms), elapsed_ms, room, format.context())
                });
            },
        }
    }
}

async fn roll_back_answer(secret: &str, version: &str) -> SessionCommand {
    let lines = [format!("Make version {version} of {secret} current again? Type yes to do so.")];
    let asked = tokio::task::spawn_blocking(move || answer(&lines)).await;
    match asked {
        Ok(Ok(answer)) if answer == "yes" => SessionCommand::RollBack,
        _ => SessionCommand::KeepAsIs,
    }
}

/// The exit status of a session, as it ended or was recorded.
pub(super) fn exit(report: &RotationReport) -> Exit {
    // Who watches has seen each verdict as it came; the end of watching is none.
    let watched =
        report.way == Some(RotationMethod::Watch) && report.secrets.iter().all(|secret| secret.judged.is_empty());
    match report.verdict() {
        _ if watched => Exit::Inconclusive,
        Verdict::Propagated => Exit::Passed,
        Verdict::Inconclusive => Exit::Inconclusive,
        _ => Exit::Failed,
    }
}

/// What the session has from an earlier one, and who writes the new value.
///
/// A rotation that had begun is never forgotten unasked: what was seen before it cannot be seen again.
///
/// # Errors
/// There is one, and nothing says what to do with it; or there is none to go on with.
fn take_up(args: &RotateArgs, files: &mut RotationFiles) -> Result<(Earlier, RotationMethod), CliError> {
    let way = args.way();
    if args.start_anew {
        files.forget()?;
        return Ok((Earlier::default(), way));
    }
    if matches!(way, RotationMethod::Watch | RotationMethod::Already) {
        return Ok((Earlier::default(), way));
    }
    match files.interrupted()? {
        None if args.resume => {
            Err(CliError::new("no rotation of this secret was interrupted, so there is none to go on with")
                .with_hint("leave out --resume to begin one"))
        }
        None => Ok((Earlier::default(), way)),
        Some(kept) if args.resume => {
            terminal::note(&format!(
                "going on with the rotation that began {} and was interrupted; what was seen before is kept",
                kept.started
            ));
            let earlier = kept.earlier();
            let way = if way == RotationMethod::ByHand && is_written(&kept) { kept.way } else { way };
            files.go_on(kept);
            Ok((earlier, way))
        }
        Some(kept) if kept.begun => Err(CliError::new(format!(
            "a rotation of {} that began {} was interrupted, and the new value may have been written",
            kept.secrets.join(", "),
            kept.started
        ))
        .with_hint("--resume goes on with it: what was seen before is kept, and what was written is not written again")
        .with_hint("--start-anew forgets it")),
        Some(kept) => {
            terminal::note(&format!(
                "the rotation that began {} was interrupted before anything was written; this one begins anew",
                kept.started
            ));
            Ok((Earlier::default(), way))
        }
    }
}

/// Whether all of its secrets were written.
fn is_written(kept: &SessionCheckpoint) -> bool {
    kept.secrets.iter().all(|secret| kept.written.iter().any(|written| written.secret == *secret))
}

/// The largest text of a runtime's output that is read, in bytes.
const LARGEST_OUTPUT: u64 = 8 * 1024 * 1024;

/// Whether a path stands for standard input.
fn is_stdin(path: &Path) -> bool {
    path.as_os_str() == "-"
}

/// Reads a text to its end; what is no UTF-8 in it is replaced.
fn read(path: &Path) -> Result<String, CliError> {
    let told = |error: std::io::Error| CliError::new(format!("{}: {error}", path.display()));
    let mut bytes = Vec::new();
    if is_stdin(path) {
        std::io::stdin().lock().take(LARGEST_OUTPUT).read_to_end(&mut bytes).map_err(told)?;
    } else {
        // A pipe is fine here: the session goes on beside whoever waits for it.
        std::fs::File::open(path).map_err(told)?.take(LARGEST_OUTPUT).read_to_end(&mut bytes).map_err(told)?;
    }
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// Reads a text beside a session that waits for it, and brings it there. Where it cannot be read the session is told to
/// wait no longer.
fn bring(path: PathBuf, session: Sender<SessionCommand>) {
    if is_stdin(&path) && std::io::stdin().is_terminal() {
        terminal::note("Run the automation, paste what it printed, and press Enter and Ctrl-D.");
    }
    tokio::spawn(async move {
        let command = match tokio::task::spawn_blocking(move || read(&path)).await {
            Ok(Ok(text)) => SessionCommand::Text(text),
            Ok(Err(error)) => {
                terminal::note(&format!("what the automation printed cannot be read: {error}"));
                SessionCommand::Conclude
            }
            Err(_) => SessionCommand::Conclude,
        };
        let _ = session.send(command).await;
    });
}

fn terminal() -> std::io::Result<File> {
    OpenOptions::new().read(true).write(true).open("/dev/tty")
}

/// Refuses where nobody sits at a terminal.
fn needs_terminal() -> Result<(), CliError> {
    match terminal() {
        Ok(_) => Ok(()),
        Err(_) => {
            Err(CliError::new("a new value is written only after a confirmation at the terminal, and there is none")
                .with_hint("where that is meant, as in a job, add --yes"))
        }
    }
}

/// Shows the lines, and yields what is typed, without its line end.
fn answer(lines: &[String]) -> Result<String, CliError> {
    let mut terminal = terminal().map_err(failed)?;
    for line in lines {
        writeln!(terminal, "{}", visible(line)).map_err(failed)?;
    }
    write!(terminal, "> ").and_then(|()| terminal.flush()).map_err(failed)?;
    let mut typed = String::new();
    BufReader::new(terminal.take(4096)).read_line(&mut typed).map_err(failed)?;
    Ok(typed.trim_end_matches(['\r', '\n']).to_owned())
}

/// Asks for a value that is not shown while it is typed.
fn hidden(prompt: &str) -> Result<Zeroizing<Vec<u8>>, CliError> {
    let mut terminal = terminal().map_err(failed)?;
    // Before the question stands there, so that nothing that answers it is echoed.
    enable_raw_mode().map_err(failed)?;
    let asked = write!(terminal, "{prompt}").and_then(|()| terminal.flush()).map_err(failed);
    let typed = asked.and_then(|()| typed(&mut terminal));
    let _ = disable_raw_mode();
    let _ = writeln!(terminal);
    typed
}

fn typed(terminal: &mut File) -> Result<Zeroizing<Vec<u8>>, CliError> {
    let mut typed = Zeroizing::new(Vec::with_capacity(LARGEST + 2));
    let mut byte = Zeroizing::new([0_u8; 1]);
    while typed.len() <= LARGEST && terminal.read(byte.as_mut()).map_err(failed)? == 1 {
        match byte[0] {
            b'\r' | b'\n' => return Ok(typed),
            3 | 4 => return Err(CliError::new("nothing was written: the value was not given")),
            8 | 127 => {
                // A whole character, not only its last byte.
                while typed.pop().is_some_and(|gone| gone & 0xC0 == 0x80) {}
            }
            other => typed.push(other),
        }
    }
    Ok(typed)
}

fn failed(error: std::io::Error) -> CliError {
    CliError::new(format!("the terminal cannot be asked: {error}"))
}
