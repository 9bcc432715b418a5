//! What the console was told to work on, opened: a profile and its network, or a lab made for it.

use std::any::Any;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use crate::cli::args::{NetworkArgs, ProfileSelector};
use crate::cli::lab_folder::LabFolder;
use crate::cli::settings::Loaded;
use crate::cli::{CliError, lab, rotate, settings};
use crate::domain::profile::Guide;
use crate::lab::LabOptions;
use crate::probe::http::HttpStack;
use crate::run::rotation::live::Operator;
use crate::tui::inputs::Target;

/// A target that was opened.
#[derive(Clone)]
pub(super) struct Opened {
    pub loaded: Loaded,
    pub http: HttpStack,
    /// As whom secrets are written: the lab's own operator, or the one whom the clouds' tools would take.
    pub operator: Operator,
    /// Whether its secrets end with it.
    pub is_lab: bool,
    /// What must live as long as the work.
    pub keep: Arc<dyn Any + Send + Sync>,
}

/// Finds the profile, or starts the lab.
pub(super) fn open(target: Target, network: &NetworkArgs, selector: &ProfileSelector) -> Result<Opened, CliError> {
    let by = |profile: Option<String>, profile_file: Option<PathBuf>| ProfileSelector {
        profile,
        profile_file,
        lab: None,
        ..selector.clone()
    };
    let selector = match target {
        Target::Lab(scenario) => {
            let lab = lab::start(&scenario, LabOptions::default())?;
            let folder = LabFolder::write(&lab)?;
            let name = format!("lab-{scenario}");
            let loaded = settings::load_alone_with_provenance(&folder.profile_file(), &name, &selector.set)?;
            let http = network.lab_stack(&folder.ca_file())?;
            let operator = rotate::lab_operator(&loaded.profile, &lab, &folder);
            return Ok(Opened { loaded, http, operator, is_lab: true, keep: Arc::new((lab, folder)) });
        }
        Target::Named(name) => by(Some(name), None),
        Target::File(path) => by(None, Some(path)),
        Target::Environment => by(None, None),
    };
    let loaded = settings::load_agreed(&selector)?;
    let operator = match loaded.profile.guide {
        Guide::AzureWorkloadIdentity => Operator::AzureCli,
        _ => Operator::Aws { profile: None, file: None },
    };
    Ok(Opened { loaded, http: network.stack()?, operator, is_lab: false, keep: Arc::new(()) })
}

/// The lab in which secrets are rotated: the next session finds in it what the one before wrote.
#[derive(Clone, Default)]
pub(super) struct RotationLab(Arc<Mutex<Option<(Target, Opened)>>>);

impl RotationLab {
    /// Opens a target; a lab that stands already is taken again.
    pub fn open(&self, target: Target, network: &NetworkArgs, selector: &ProfileSelector) -> Result<Opened, CliError> {
        if !matches!(target, Target::Lab(_)) {
            return open(target, network, selector);
        }
        let mut standing = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match &*standing {
            Some((of, opened)) if *of == target => Ok(opened.clone()),
            _ => {
                let opened = open(target.clone(), network, selector)?;
                *standing = Some((target, opened.clone()));
                Ok(opened)
            }
        }
    }
}
