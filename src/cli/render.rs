//! `trustline render`: one artifact on standard output, for a pipe.

use std::time::Duration;

use clap::Args;
use serde_json::{Value as Json, json};

use super::args::{OutputArgs, OutputFormat, ProfileSelector};
use super::lab_folder::LabFolder;
use super::{CliError, Exit, guide, lab, network, settings, terminal};
use crate::domain::nearest::nearest;
use crate::domain::profile::Guide;
use crate::domain::profile::key::Key;
use crate::domain::profile::setting::{Origin, Setting};
use crate::domain::text::visible;
use crate::guide::{Artifact, Values, render};
use crate::lab::LabOptions;

/// Arguments of `trustline render`.
#[derive(Debug, Args)]
pub(super) struct RenderArgs {
    /// The artifact; --list names them
    #[arg(required_unless_present = "list")]
    artifact: Option<String>,
    /// List the artifacts of the profile's guide, or of all guides
    #[arg(long, conflicts_with = "artifact")]
    list: bool,
    #[command(flatten)]
    selector: ProfileSelector,
    #[command(flatten)]
    output: OutputArgs,
}

pub(super) fn run(args: &RenderArgs) -> Result<Exit, CliError> {
    if matches!(args.output.output, OutputFormat::Junit | OutputFormat::Markdown) {
        return Err(CliError::new("`render` prints the artifact, or JSON").with_hint("write --output json"));
    }
    let wanted = args.artifact.as_deref().map(artifact_of).transpose()?;
    let (named, settings) = profile(&args.selector)?;
    let printed = match wanted {
        None => list(named, args.output.output),
        Some(artifact) => one(args, artifact, named, &settings)?,
    };
    terminal::print(&printed)?;
    Ok(Exit::Passed)
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

/// The guide that the profile names, where it names one, and its values.
fn profile(selector: &ProfileSelector) -> Result<(Option<Guide>, Vec<Setting>), CliError> {
    let loaded = match &selector.lab {
        Some(scenario) => {
            let runtime = network::runtime()?;
            let loaded = runtime.block_on(async {
                let lab = lab::start(scenario, LabOptions { delay: Duration::ZERO })?;
                let folder = LabFolder::write(&lab)?;
                settings::load_alone_with_provenance(&folder.profile_file(), &format!("lab-{scenario}"), &selector.set)
            });
            runtime.shutdown_background();
            loaded?
        }
        None if guide::names_a_profile(selector) => settings::load_to_read(selector)?,
        None => return Ok((None, Vec::new())),
    };
    let chosen = loaded.provenance.iter().any(|s| s.key == Key::Guide && s.origin != Origin::Default);
    // A cloud that is named decides as well as a guide that is.
    let fits = chosen || loaded.path.is_some();
    Ok((fits.then_some(loaded.profile.guide), loaded.provenance))
}

fn one(args: &RenderArgs, artifact: Artifact, named: Option<Guide>, settings: &[Setting]) -> Result<String, CliError> {
    let guide = match (named, artifact.guides().first()) {
        (Some(guide), _) if artifact.guides().contains(&guide) => guide,
        (Some(guide), _) => {
            let own: Vec<&str> = Artifact::of(guide).map(Artifact::id).collect();
            return Err(CliError::new(format!("the guide {} has no artifact `{artifact}`", guide.id()))
                .with_hint(format!("it has: {}", own.join(", "))));
        }
        (None, first) => fitting(artifact, settings).or(first.copied()).unwrap_or(Guide::AwsWorkloadIdentity),
    };
    let rendered = render(artifact, &Values::of(guide, settings));
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
            "notes": rendered.notes,
        });
        return Ok(format!("{document:#}\n"));
    }
    for note in rendered.notes.into_iter().chain(guide::missing_words(&rendered.missing)) {
        terminal::note(&format!("note: {}", visible(&note)));
    }
    Ok(rendered.text)
}

/// Without a named guide: the one of the artifact's whose own keys are set.
fn fitting(artifact: Artifact, settings: &[Setting]) -> Option<Guide> {
    let has = |table: &str| settings.iter().any(|s| s.key.table() == table && s.origin != Origin::Default);
    let guide = if has("gitlab") {
        Guide::GitlabAws
    } else if has("circleci") {
        Guide::CircleciAws
    } else if has("azure") {
        Guide::AzureWorkloadIdentity
    } else {
        return None;
    };
    artifact.guides().contains(&guide).then_some(guide)
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
                let guides: Vec<&str> = artifact.guides().iter().map(|guide| guide.id()).collect();
                json!({ "id": artifact.id(), "title": artifact.title(), "form": artifact.form().id(), "guides": guides })
            })
            .collect();
        return format!("{:#}\n", json!({ "schema": "trustline.artifacts/1", "artifacts": artifacts }));
    }
    let widest = artifacts.iter().map(|artifact| artifact.id().len()).max().unwrap_or(0);
    artifacts
        .iter()
        .map(|artifact| format!("{:widest$}  {} ({})\n", artifact.id(), artifact.title(), artifact.form().id()))
        .collect()
}
