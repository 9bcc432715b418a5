//! `trustline guide`: the setup guides with a profile's values, and where each step stands.

mod evidence;

use clap::Args;

use self::evidence::RanChecks;
use super::exit::CliError;
use super::exit::Exit;
use super::flags::NetworkArgs;
use super::flags::OutputFormat;
use super::flags::PageOutputArgs;
use super::flags::ProfileSelector;
use super::lab_folder::LabFolder;
use super::operator::ReadArgs;
use super::settings::Loaded;
use super::{lab, network, profile_file, settings, terminal};
use crate::domain::profile::key::Key;
use crate::domain::profile::setting::Origin;
use crate::domain::profile::{Guide, Profile};
use crate::domain::text::visible;
use crate::domain::text_difference::nearest;
use crate::domain::timestamp::rfc3339;
use crate::guide::{Change, Evidence, Step, Values, setup_guide, states};
use crate::lab::LabOptions;
use crate::report::context::RenderContext;
use crate::report::guide::{self as output, GuideContext, GuideReport};
use crate::report::page::Page;
use crate::run::now;

/// Arguments of `trustline guide`.
#[derive(Debug, Args)]
pub(super) struct GuideArgs {
    /// The guide; without one, all of them are listed
    guide: Option<String>,
    /// The number of one step; 0 for what has to be there before
    #[arg(value_parser = number)]
    step: Option<u8>,
    #[command(flatten)]
    selector: ProfileSelector,
    #[command(flatten)]
    network: NetworkArgs,
    #[command(flatten)]
    output: PageOutputArgs,
    /// Run the profile's checks first, and tell by them where each step stands
    #[arg(long)]
    check: bool,
    #[command(flatten)]
    read: ReadArgs,
    /// Note that you have done the step, where nothing can be asked about it
    #[arg(long, requires = "step", conflicts_with_all = ["check", "lab"])]
    confirm: bool,
    /// Take the confirmation of the step back
    #[arg(long, requires = "step", conflicts_with_all = ["confirm", "check", "lab"])]
    unconfirm: bool,
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
    if args.read.is_asked() && !args.check {
        return Err(CliError::new("--operator is for the checks").with_hint("add --check"));
    }
    let chosen = args.guide.as_deref().map(guide_of).transpose()?;
    if let (Some(guide), Some(number)) = (chosen, args.step) {
        step_of(guide, number)?;
    }
    if args.confirm || args.unconfirm {
        return confirm(args, chosen);
    }
    let (followed, exit) = match &args.selector.lab {
        Some(scenario) => follow_in_lab(args, chosen, scenario)?,
        None => follow(args, chosen)?,
    };
    terminal::print(&match args.output.output {
        OutputFormat::Json => terminal::json_text(&output::document(&followed, args.step)),
        OutputFormat::Markdown => {
            let page = |report| terminal::rendered(&args.output, |ctx| page(report, args.step, ctx));
            followed.iter().map(page).collect::<Vec<_>>().join("\n")
        }
        _ => terminal::rendered(&args.output, |ctx| match (followed.as_slice(), chosen) {
            ([report], Some(_)) => page(report, args.step, ctx),
            _ => output::list(&followed),
        }),
    })?;
    Ok(exit)
}

fn page(report: &GuideReport, step: Option<u8>, ctx: RenderContext) -> Page {
    let shown = GuideContext { ctx, time: &|at| visible(at).into_owned() };
    match step.and_then(|number| report.text.step(number)) {
        Some(step) => output::page(report, step, shown),
        None => output::summary(report, shown),
    }
}

fn number(text: &str) -> Result<u8, String> {
    text.parse().map_err(|_| "write the number of a step, such as 3; `trustline guide GUIDE` lists them".to_owned())
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

/// The guides, and the exit status of the run of checks, where one was made.
fn follow(args: &GuideArgs, chosen: Option<Guide>) -> Result<(Vec<GuideReport>, Exit), CliError> {
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
    let (mut all, mut exit) = (Vec::new(), Exit::Passed);
    for guide in chosen.map_or_else(|| Guide::ALL.to_vec(), |guide| vec![guide]) {
        let loaded = load_for(&args.selector, guide)?;
        let runs = args.check && own == Some(guide);
        let ran = if runs { Some(run_checks(args, &loaded)?) } else { None };
        exit = ran.as_ref().map_or(exit, |ran| ran.exit);
        all.push(followed(args, guide, loaded, own, ran)?);
    }
    Ok((all, exit))
}

fn run_checks(args: &GuideArgs, loaded: &Loaded) -> Result<RanChecks, CliError> {
    let http = args.network.stack()?;
    let operator = args.read.operator(&loaded.profile)?;
    let profile = Profile { operator, ..loaded.profile.clone() };
    let runtime = network::runtime()?;
    let ran = runtime.block_on(evidence::run(&profile, &args.network, http));
    runtime.shutdown_background();
    ran
}

fn follow_in_lab(
    args: &GuideArgs,
    chosen: Option<Guide>,
    scenario: &str,
) -> Result<(Vec<GuideReport>, Exit), CliError> {
    let runtime = network::runtime()?;
    let followed = runtime.block_on(async {
        let lab = lab::start(scenario, LabOptions::default())?;
        let folder = LabFolder::write(&lab)?;
        let name = format!("lab-{scenario}");
        let loaded = settings::load_alone_with_provenance(&folder.profile_file(), &name, &args.selector.set)?;
        let own = loaded.profile.guide;
        let (mut all, mut exit) = (Vec::new(), Exit::Passed);
        for guide in chosen.map_or_else(|| Guide::ALL.to_vec(), |guide| vec![guide]) {
            let mut set = args.selector.set.clone();
            set.push(format!("guide={}", guide.id()));
            let loaded = settings::load_alone_with_provenance(&folder.profile_file(), &name, &set)?;
            let ran = if args.check && own == guide {
                let http = args.network.lab_stack(&folder.ca_file())?;
                let operator = args.read.operator_in_lab(&loaded.profile, &lab, &folder)?;
                let profile = Profile { operator, ..loaded.profile.clone() };
                Some(evidence::run(&profile, &args.network, http).await?)
            } else {
                None
            };
            exit = ran.as_ref().map_or(exit, |ran| ran.exit);
            all.push(followed(args, guide, loaded, Some(own), ran)?);
        }
        Ok((all, exit))
    });
    runtime.shutdown_background();
    followed
}

fn followed(
    args: &GuideArgs,
    guide: Guide,
    loaded: Loaded,
    own: Option<Guide>,
    ran: Option<RanChecks>,
) -> Result<GuideReport, CliError> {
    let text = setup_guide(guide);
    let thumbprint = ran.as_ref().and_then(|ran| ran.thumbprint.clone());
    let selector = args.selector.again();
    let values = Values::of(guide, &loaded.provenance).with_thumbprint(thumbprint).chosen_by(&selector);
    let confirmations = match &loaded.path {
        Some(path) => profile_file::confirmed(path, guide)?,
        None => Vec::new(),
    };
    // What was shown with the file's values says nothing of others.
    let flags = loaded.provenance.iter().any(|setting| setting.origin == Origin::Flag && setting.key != Key::Guide);
    let shown = match loaded.path.as_deref().filter(|_| !flags) {
        Some(path) => profile_file::shown_of(path, guide)?,
        None => Vec::new(),
    };
    let known = loaded.provenance.iter().map(|setting| setting.key).collect();
    let checks = ran.as_ref().map_or_else(Vec::new, |ran| ran.checks.clone());
    let evidence = Evidence { checks, shown, confirmations, known };
    let states = own.map(|_| states(text, &evidence));
    Ok(GuideReport { guide, text, values, states, own: own == Some(guide), checked: ran.map(|ran| ran.at) })
}

fn confirm(args: &GuideArgs, chosen: Option<Guide>) -> Result<Exit, CliError> {
    let (Some(guide), Some(number)) = (chosen, args.step) else {
        return Err(CliError::new("name the guide and the step, such as `trustline guide aws-workload-identity 6`"));
    };
    let step = step_of(guide, number)?;
    let loaded = load_for(&args.selector, guide)?;
    let Some(path) = loaded.path else {
        return Err(CliError::new("a confirmation is kept in a profile, and none is named")
            .with_hint("name one with --profile or --profile-file"));
    };
    if step.confirm.is_none() {
        let checks: Vec<&str> = step.checks.iter().map(|check| check.id()).collect();
        return Err(CliError::new(format!("step {number} is not a matter of anybody's word: it can be checked"))
            .with_hint(format!("its checks are {}; see `trustline guide --check`", checks.join(", "))));
    }
    let was = profile_file::confirmed(&path, guide)?.iter().any(|confirmed| confirmed.step == number);
    let (change, said) = if args.confirm {
        let at = rfc3339(now()).unwrap_or_default();
        let said = format!("step {number} is confirmed by you, {at}");
        (Change::Confirm { guide, step: number, at }, said)
    } else {
        let said = if was { "is not confirmed any more" } else { "was not confirmed" };
        (Change::TakeBack { guide, step: number }, format!("step {number} {said}"))
    };
    profile_file::change(&path, &change)?;
    terminal::print(&format!("{said}\n"))?;
    Ok(Exit::Passed)
}
