//! `trustline guide`: the setup guides with a profile's values, and where each step stands.

mod document;
mod evidence;
mod progress;
mod text;

use std::time::Duration;

use clap::Args;

use self::evidence::RanChecks;
pub(super) use self::text::missing_words;
use super::args::{NetworkArgs, OutputArgs, OutputFormat, ProfileSelector};
use super::lab_folder::LabFolder;
use super::settings::Loaded;
use super::{CliError, Exit, lab, network, settings, terminal};
use crate::domain::nearest::nearest;
use crate::domain::profile::Guide;
use crate::guide::{Evidence, SetupGuide, Step, StepState, Values, setup_guide, states};
use crate::lab::LabOptions;

/// Arguments of `trustline guide`.
#[derive(Debug, Args)]
#[command(after_help = guides())]
pub(super) struct GuideArgs {
    /// The guide; without one, all of them are listed
    guide: Option<String>,
    /// The number of one step; 0 for what has to be there before
    step: Option<u8>,
    #[command(flatten)]
    selector: ProfileSelector,
    #[command(flatten)]
    network: NetworkArgs,
    #[command(flatten)]
    output: OutputArgs,
    /// Run the profile's checks first, and tell by them where each step stands
    #[arg(long)]
    check: bool,
    /// Note that you have done the step, where nothing can be asked about it
    #[arg(long, requires = "step", conflicts_with_all = ["check", "lab"])]
    confirm: bool,
    /// Take the confirmation of the step back
    #[arg(long, requires = "step", conflicts_with_all = ["confirm", "check", "lab"])]
    unconfirm: bool,
}

/// A guide with what is known of it here.
struct Followed {
    guide: Guide,
    text: &'static SetupGuide,
    values: Values,
    /// Where each step stands; `None` where no profile is followed.
    states: Option<Vec<(u8, StepState)>>,
    /// Whether it is the profile's own guide.
    own: bool,
    ran: Option<RanChecks>,
}

impl Followed {
    fn state(&self, step: &Step) -> Option<&StepState> {
        self.states.as_ref()?.iter().find(|(number, _)| *number == step.number).map(|(_, state)| state)
    }
}

fn guides() -> String {
    let widest = Guide::ALL.iter().map(|guide| guide.id().len()).max().unwrap_or(0);
    let lines = Guide::ALL.iter().map(|guide| format!("\n  {:widest$}  {}", guide.id(), setup_guide(*guide).title));
    format!("Guides:{}", lines.collect::<String>())
}

/// The guide of this id.
///
/// # Errors
/// Names the nearest one.
pub(super) fn guide_of(id: &str) -> Result<Guide, CliError> {
    let ids = || Guide::ALL.iter().map(|guide| guide.id());
    if let Some(guide) = Guide::ALL.iter().find(|guide| guide.id() == id) {
        return Ok(*guide);
    }
    let error = CliError::new(format!("there is no guide `{id}`"));
    Err(match nearest(id, ids()) {
        Some(near) => error.with_hint(format!("did you mean `{near}`?")),
        None => error.with_hint(format!("there are: {}", ids().collect::<Vec<_>>().join(", "))),
    })
}

pub(super) fn run(args: &GuideArgs) -> Result<Exit, CliError> {
    if matches!(args.output.output, OutputFormat::Junit | OutputFormat::Markdown) {
        return Err(CliError::new("`guide` prints text or JSON").with_hint("write --output text or --output json"));
    }
    let chosen = args.guide.as_deref().map(guide_of).transpose()?;
    if let (Some(guide), Some(number)) = (chosen, args.step) {
        step_of(guide, number)?;
    }
    if args.confirm || args.unconfirm {
        return confirm(args, chosen);
    }
    let followed = match &args.selector.lab {
        Some(scenario) => follow_in_lab(args, chosen, scenario)?,
        None => follow(args, chosen)?,
    };
    terminal::print(&match args.output.output {
        OutputFormat::Json => format!("{:#}\n", document::render(&followed, args.step)),
        _ => text::render(&followed, chosen, args.step, terminal::paint(&args.output)),
    });
    Ok(Exit::Passed)
}

/// The step of this number.
fn step_of(guide: Guide, number: u8) -> Result<&'static Step, CliError> {
    let text = setup_guide(guide);
    text.step(number).ok_or_else(|| {
        CliError::new(format!("the guide {} has no step {number}", guide.id()))
            .with_hint(format!("its steps are 1 to {}, and 0 for what has to be there before", text.count()))
    })
}

/// Whether a profile is named or follows from the environment.
pub(super) fn names_a_profile(selector: &ProfileSelector) -> bool {
    selector.profile.is_some()
        || selector.profile_file.is_some()
        || !selector.set.is_empty()
        || crate::domain::profile::environment::suffices(&settings::variable)
}

/// The profile as it is for a guide, be it the profile's own or another. Without any profile it is empty.
pub(super) fn load_for(selector: &ProfileSelector, guide: Guide) -> Result<Loaded, CliError> {
    let mut selector = selector.clone();
    selector.set.push(format!("guide={}", guide.id()));
    settings::load_to_read(&selector)
}

fn follow(args: &GuideArgs, chosen: Option<Guide>) -> Result<Vec<Followed>, CliError> {
    let own = if names_a_profile(&args.selector) {
        Some(settings::load_to_read(&args.selector)?.profile.guide)
    } else {
        None
    };
    if args.check && own.is_some() {
        settings::load(&args.selector)?;
    }
    if args.check && own.is_none() {
        return Err(CliError::new("--check needs a profile").with_hint("name one with --profile, or try --lab"));
    }
    let guides = chosen.map_or_else(|| Guide::ALL.to_vec(), |guide| vec![guide]);
    guides
        .into_iter()
        .map(|guide| {
            let loaded = load_for(&args.selector, guide)?;
            let runs = args.check && own == Some(guide);
            let ran = if runs { Some(run_checks(args, &loaded)?) } else { None };
            followed(guide, loaded, own, ran)
        })
        .collect()
}

fn run_checks(args: &GuideArgs, loaded: &Loaded) -> Result<RanChecks, CliError> {
    let http = args.network.stack()?;
    let runtime = network::runtime()?;
    let ran = runtime.block_on(evidence::run(&loaded.profile, &args.network, http));
    runtime.shutdown_background();
    ran
}

fn follow_in_lab(args: &GuideArgs, chosen: Option<Guide>, scenario: &str) -> Result<Vec<Followed>, CliError> {
    let runtime = network::runtime()?;
    let followed = runtime.block_on(async {
        let lab = lab::start(scenario, LabOptions { delay: Duration::ZERO })?;
        let folder = LabFolder::write(&lab)?;
        let name = format!("lab-{scenario}");
        let loaded = settings::load_alone_with_provenance(&folder.profile_file(), &name, &args.selector.set)?;
        let own = loaded.profile.guide;
        let mut all = Vec::new();
        for guide in chosen.map_or_else(|| Guide::ALL.to_vec(), |guide| vec![guide]) {
            let mut set = args.selector.set.clone();
            set.push(format!("guide={}", guide.id()));
            let loaded = settings::load_alone_with_provenance(&folder.profile_file(), &name, &set)?;
            let ran = if args.check && own == guide {
                let http = args.network.lab_stack(&folder.ca_file())?;
                Some(evidence::run(&loaded.profile, &args.network, http).await?)
            } else {
                None
            };
            all.push(followed(guide, loaded, Some(own), ran)?);
        }
        Ok(all)
    });
    runtime.shutdown_background();
    followed
}

fn followed(guide: Guide, loaded: Loaded, own: Option<Guide>, ran: Option<RanChecks>) -> Result<Followed, CliError> {
    let text = setup_guide(guide);
    let values = Values::of(guide, &loaded.provenance);
    let confirmations = match &loaded.path {
        Some(path) => progress::read(path)?.of(guide),
        None => Vec::new(),
    };
    let known = loaded.provenance.iter().map(|setting| setting.key).collect();
    let checks = ran.as_ref().map_or_else(Vec::new, |ran| ran.checks.clone());
    let evidence = Evidence { checks, proofs: Vec::new(), confirmations, known };
    let states = own.map(|_| states(text, &evidence));
    Ok(Followed { guide, text, values, states, own: own == Some(guide), ran })
}

fn confirm(args: &GuideArgs, chosen: Option<Guide>) -> Result<Exit, CliError> {
    let (Some(guide), Some(number)) = (chosen, args.step) else {
        return Err(CliError::new("name the guide and the step, such as `trustline guide aws-workload-identity 6`"));
    };
    let step = step_of(guide, number)?;
    let loaded = load_for(&args.selector, guide)?;
    let Some(path) = loaded.path else {
        return Err(CliError::new("a confirmation is kept beside a profile's file, and none is named")
            .with_hint("name one with --profile or --profile-file"));
    };
    if step.confirm.is_none() {
        let checks: Vec<&str> = step.checks.iter().map(|check| check.id()).collect();
        return Err(CliError::new(format!("step {number} is not a matter of anybody's word: it can be checked"))
            .with_hint(format!("its checks are {}; see `trustline guide --check`", checks.join(", "))));
    }
    let mut progress = progress::read(&path)?;
    let said = if args.confirm { progress.confirm(guide, step) } else { progress.take_back(guide, step) };
    progress::write(&path, &progress)?;
    terminal::print(&format!("{said}\n"));
    Ok(Exit::Passed)
}
