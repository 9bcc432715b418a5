//! `trustline render`: one artifact on standard output, for a pipe.

mod admit;

use std::time::{Duration, Instant};

use clap::Args;
use serde_json::{Value as Json, json};

use self::admit::{AdmitArgs, refusal};
use super::exit::{CliError, Exit};
use super::flags::{DocumentOutputArgs, NetworkArgs, OutputFormat, ProfileSelector, one_of};
use super::lab_folder::LabFolder;
use super::{guide, lab, network, settings, terminal};
use crate::check::facts::network::{IssuerFacts, Tls};
use crate::domain::discovery::IssuerAddress;
use crate::domain::guide::{Guide, Workload};
use crate::domain::ids::Cloud;
use crate::domain::profile::key::Key;
use crate::domain::profile::setting::{Origin, Setting, Value};
use crate::domain::text::visible;
use crate::domain::text_difference::nearest;
use crate::guide::{Artifact, Missing, Rendered, SAY_WHO_GETS_IN, Values, render, render_least};
use crate::lab::LabOptions;
use crate::probe::http::HttpStack;
use crate::probe::issuer::IssuerProbe;

/// Arguments of `trustline render`.
#[derive(Debug, Args)]
#[command(group = one_of("rendered").args(["artifact", "list"]))]
pub(super) struct RenderArgs {
    /// The artifact; --list names them
    artifact: Option<String>,
    /// List the artifacts of the profile's guide, or of all guides
    #[arg(long, conflicts_with = "artifact")]
    list: bool,
    /// With create-oidc-provider: fetch the issuer's certificates, and register the thumbprint of the topmost one
    #[arg(long, requires = "artifact")]
    live: bool,
    #[command(flatten)]
    admit: AdmitArgs,
    #[command(flatten)]
    selector: ProfileSelector,
    #[command(flatten)]
    network: NetworkArgs,
    #[command(flatten)]
    output: DocumentOutputArgs,
}

/// What an artifact is made from.
#[derive(Default)]
struct Given {
    /// The guide that the profile names, where it names one.
    guide: Option<Guide>,
    settings: Vec<Setting>,
    live: Option<Live>,
}

pub(super) fn run(args: &RenderArgs) -> Result<Exit, CliError> {
    let wanted = args.artifact.as_deref().map(artifact_of).transpose()?;
    if args.live && wanted != Some(Artifact::CreateOidcProvider) {
        return Err(CliError::new(format!(
            "only {} holds a thumbprint; leave out --live",
            Artifact::CreateOidcProvider
        )));
    }
    if let Some(other) = wanted.filter(|artifact| args.admit.is_given() && !SAY_WHO_GETS_IN.contains(artifact)) {
        let ids: Vec<&str> = SAY_WHO_GETS_IN.iter().map(|artifact| artifact.id()).collect();
        return Err(CliError::new(format!("{other} does not say who gets in"))
            .with_hint(format!("--admit and --refuse go with {}", ids.join(", "))));
    }
    let given = given(args)?;
    let printed = match wanted {
        None => list(given.guide, args.output.output),
        Some(artifact) => one(args, artifact, &given)?,
    };
    terminal::print(&printed)?;
    // What was asked for and could not be had is missing in what was printed.
    let lacks = given.live.is_some_and(|live| live.thumbprint.is_none());
    Ok(if lacks { Exit::Inconclusive } else { Exit::Passed })
}

/// The artifact of this id.
fn artifact_of(id: &str) -> Result<Artifact, CliError> {
    if let Some(artifact) = Artifact::parse(id) {
        return Ok(artifact);
    }
    let error = CliError::new(format!("there is no artifact `{}`", visible(id)));
    let error = match nearest(id, Artifact::ALL.iter().map(|artifact| artifact.id())) {
        Some(near) => error.with_hint(format!("did you mean `{near}`?")),
        None => error,
    };
    Err(error.with_hint("`trustline render --list` names all of them"))
}

fn given(args: &RenderArgs) -> Result<Given, CliError> {
    let selector = &args.selector;
    let (loaded, live) = match &selector.lab {
        Some(scenario) => {
            let runtime = network::runtime()?;
            let loaded = runtime.block_on(async {
                let lab = lab::start(scenario, LabOptions::default())?;
                let folder = LabFolder::write(&lab)?;
                let name = format!("lab-{scenario}");
                let loaded = settings::load_alone_with_provenance(&folder.profile_file(), &name, &selector.set)?;
                let live = look(args, &loaded.provenance, || args.network.lab_stack(&folder.ca_file())).await?;
                Ok::<_, CliError>((loaded, live))
            });
            runtime.shutdown_background();
            loaded?
        }
        None if args.live || guide::names_a_profile(selector) => {
            let loaded = settings::load_to_read(selector)?;
            let runtime = network::runtime()?;
            let live = runtime.block_on(look(args, &loaded.provenance, || args.network.stack()));
            // A name look-up that never ends must not keep the program from ending.
            runtime.shutdown_background();
            (loaded, live?)
        }
        None => return Ok(Given::default()),
    };
    let chosen = loaded.provenance.iter().any(|s| s.key == Key::Guide && s.origin != Origin::Default);
    // A cloud that is named decides as well as a guide that is.
    let fits = chosen || loaded.path.is_some();
    Ok(Given { guide: fits.then_some(loaded.profile.guide), settings: loaded.provenance, live })
}

/// The issuer's certificates, where they are asked for.
async fn look(
    args: &RenderArgs,
    settings: &[Setting],
    stack: impl FnOnce() -> Result<HttpStack, CliError>,
) -> Result<Option<Live>, CliError> {
    if !args.live {
        return Ok(None);
    }
    let address = issuer_of(settings)?;
    Ok(Some(look_up(&stack()?, &address, args.network.timeout).await))
}

fn one(args: &RenderArgs, artifact: Artifact, given: &Given) -> Result<String, CliError> {
    let guide = match (given.guide, artifact.guides().next()) {
        (Some(guide), _) if artifact.is_of(guide) => guide,
        (Some(guide), _) => {
            let own: Vec<&str> = Artifact::of(guide).map(Artifact::id).collect();
            return Err(CliError::new(format!("the guide {} has no artifact `{artifact}`", guide.id()))
                .with_hint(format!("it has: {}", own.join(", "))));
        }
        (None, first) => fitting(artifact, &given.settings).or(first).unwrap_or(Guide::AwsWorkloadIdentity),
    };
    let thumbprint = given.live.as_ref().and_then(|live| live.thumbprint.clone());
    let values = Values::of(guide, &given.settings).with_thumbprint(thumbprint);
    let rendered = match args.admit.is_given() {
        true => least(args, artifact, &values)?,
        false => render(artifact, &values),
    };
    let seen = given.live.iter().map(|live| live.note.clone());
    let notes: Vec<String> = seen.chain(rendered.notes).collect();
    if args.output.output == OutputFormat::Json {
        let missing: Vec<Json> =
            rendered.missing.iter().map(|m| json!({ "placeholder": m.placeholder, "key": m.key.path() })).collect();
        let document = json!({
            "schema": "trustline.artifact/1",
            "id": artifact.id(),
            "guide": guide.id(),
            "form": artifact.form().id(),
            "text": rendered.text,
            "missing": missing,
            "notes": notes,
        });
        return Ok(format!("{document:#}\n"));
    }
    if !rendered.missing.is_empty() {
        return Err(lacking(artifact, &rendered.missing));
    }
    for note in notes {
        terminal::note(&format!("note: {}", visible(&note)));
    }
    Ok(rendered.text)
}

/// The artifact as the lists want it.
fn least(args: &RenderArgs, artifact: Artifact, values: &Values) -> Result<Rendered, CliError> {
    let (admit, refuse) = args.admit.lists()?;
    render_least(artifact, values, admit, refuse).map_err(|error| refusal(&error))
}

/// What is piped has to be whole: a placeholder is no value.
fn lacking(artifact: Artifact, missing: &[Missing]) -> CliError {
    let mut keys: Vec<&str> = missing.iter().map(|missing| missing.key.path()).collect();
    keys.sort_unstable();
    keys.dedup();
    let set: Vec<String> = keys.iter().map(|key| format!("--set {key}=…")).collect();
    CliError::new(format!("{artifact} needs what the profile does not name: {}", keys.join(", ")))
        .with_hint(format!("set them in the profile, or: trustline render {artifact} {}", set.join(" ")))
        .with_hint("--output json prints the text with what is missing as <placeholders>, and names them")
}

/// Without a named guide: the one of the artifact's whose own keys are set.
fn fitting(artifact: Artifact, settings: &[Setting]) -> Option<Guide> {
    let has = |table: &str| settings.iter().any(|s| s.key.table() == table && s.origin != Origin::Default);
    let workload = Workload::ALL.iter().copied().find(|workload| has(workload.id()));
    let cloud = Cloud::ALL.iter().copied().find(|cloud| has(cloud.id()));
    let own = || {
        let clouds = cloud.map_or_else(|| Cloud::ALL.to_vec(), |cloud| vec![cloud]);
        clouds.into_iter().find_map(|cloud| Guide::for_tokens(workload?, cloud).filter(|guide| artifact.is_of(*guide)))
    };
    let general = || cloud.filter(|cloud| *cloud != Cloud::Aws).map(Cloud::workload_identity);
    own().or_else(general).filter(|guide| artifact.is_of(*guide))
}

fn list(named: Option<Guide>, output: OutputFormat) -> String {
    let artifacts: Vec<Artifact> = match named {
        Some(guide) => Artifact::of(guide).collect(),
        None => Artifact::ALL.to_vec(),
    };
    if output == OutputFormat::Json {
        let artifacts: Vec<Json> = artifacts
            .iter()
            .map(|artifact| {
                let guides: Vec<&str> = artifact.guides().map(|guide| guide.id()).collect();
                json!({ "id": artifact.id(), "title": artifact.title(), "form": artifact.form().id(), "guides": guides })
            })
            .collect();
        return terminal::json_text(&json!({ "schema": "trustline.artifacts/1", "artifacts": artifacts }));
    }
    let widest = artifacts.iter().map(|artifact| artifact.id().len()).max().unwrap_or(0);
    artifacts
        .iter()
        .map(|artifact| format!("{:widest$}  {} ({})\n", artifact.id(), artifact.title(), artifact.form().id()))
        .collect()
}

/// A look at the issuer's certificates.
struct Live {
    /// The SHA-1 of the topmost certificate, 40 hexadecimal digits; none where it could not be had.
    pub thumbprint: Option<String>,
    /// Where it comes from, or why there is none.
    pub note: String,
}

/// The issuer that the settings name.
///
/// # Errors
/// They name none, or what they name is no issuer.
fn issuer_of(settings: &[Setting]) -> Result<IssuerAddress, CliError> {
    let named = settings.iter().find(|setting| setting.key == Key::IssuerUrl).map(|setting| &setting.value);
    match named {
        Some(Value::Text(url)) => IssuerAddress::clean(url).map_err(|error| CliError::new(error.to_string())),
        _ => Err(CliError::new("--live fetches the issuer's certificates, and no issuer is named; set issuer.url")),
    }
}

/// Fetches the chain of the host that serves the keys, which is the one that IAM means ("Obtain the thumbprint for an
/// OpenID Connect identity provider" takes it from `jwks_uri`).
async fn look_up(stack: &HttpStack, address: &IssuerAddress, whole: Duration) -> Live {
    let began = Instant::now();
    let issuer = IssuerProbe::new(stack);
    let document = issuer.document(address).await;
    let Some(uri) = document.discovery.as_ref().and_then(|discovery| discovery.jwks_uri.as_deref()) else {
        return match &document.exchange.failure {
            Some(failure) => without(&failure.to_string()),
            None => without(&format!("{} answers with no discovery document that names a jwks_uri", address.document)),
        };
    };
    let left = issuer.within(whole.saturating_sub(began.elapsed()));
    let keys = left.keys(uri, &address.issuer).await;
    of_keys(&IssuerFacts { document: Some(document), keys: Some(keys) })
}

/// A chain that was not verified here could be anybody's: its thumbprint is not registered.
fn of_keys(facts: &IssuerFacts) -> Live {
    let Some(tls) = facts.registered_tls().filter(|tls| tls.accepted) else {
        let Some(exchange) = facts.keys.as_ref().map(|keys| &keys.exchange) else {
            return without("no key was fetched");
        };
        let why = exchange.failure.as_ref().map(ToString::to_string);
        return without(&why.unwrap_or_else(|| format!("{} is not served over TLS", exchange.url)));
    };
    match (tls.chain.thumbprint(), tls.chain.certificates.last()) {
        (Some(thumbprint), Some(last)) => {
            Live { thumbprint: Some(thumbprint.to_owned()), note: taken(tls, thumbprint, &last.subject) }
        }
        _ => without(&format!("{} serves no certificate", tls.server_name)),
    }
}

fn taken(tls: &Tls, thumbprint: &str, subject: &str) -> String {
    let served = match tls.chain.certificates.len() {
        1 => "the only certificate".to_owned(),
        several => format!("the last of the {several} certificates"),
    };
    format!("thumbprint {thumbprint} is of `{subject}`, {served} that {} serves now", tls.server_name)
}

fn without(why: &str) -> Live {
    Live { thumbprint: None, note: format!("the issuer's certificates could not be had: {why}") }
}
