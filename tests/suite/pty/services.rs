//! A program around the console that can do nothing but start a run: the one that its maker gives.

use std::path::PathBuf;
use std::sync::Arc;

use tokio_util::sync::CancellationToken;
use trustline::domain::jwks::Jwks;
use trustline::domain::profile::Profile;
use trustline::domain::profile::key::Key;
use trustline::guide::Change;
use trustline::report::audit::AuditReport;
use trustline::report::events::EventsReport;
use trustline::report::issuer::IssuerReport;
use trustline::run::rotation::report::RotationReport;
use trustline::tui::inputs::{
    Appearance, GuideFile, Inputs, Opening, OperatorSeen, ProfileEntry, RotationChoice, RunChoice, ScenarioEntry,
    Target,
};
use trustline::tui::services::{Answer, Refusal, RotationStarted, Services, Started, TokenRead};
use trustline::tui::shell::{self, Console};
use trustline::tui::typed_value::TypedValue;

/// How a run is started.
type Start = fn(CancellationToken) -> Answer<Result<Started, Refusal>>;

/// The console, opened with such a run.
pub fn run_console(start: Start) -> Result<(), Box<dyn std::error::Error>> {
    let console = Console {
        inputs: Inputs::default(),
        appearance: Appearance::default(),
        clipboard: Default::default(),
        opening: Opening::Run(RunChoice { target: Target::Environment, only: vec![] }),
        notices: vec![],
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(shell::run(console, Arc::new(OnlyRuns(start))))?;
    Ok(())
}

struct OnlyRuns(Start);

fn nothing<T>() -> Result<T, String> {
    Err("there is nothing here".to_owned())
}

impl Services for OnlyRuns {
    fn start(&self, _: RunChoice, cancel: CancellationToken) -> Answer<Result<Started, Refusal>> {
        self.0(cancel)
    }

    fn operator(&self, _: Target) -> Answer<Result<OperatorSeen, String>> {
        Box::pin(async { nothing() })
    }

    fn reader(&self, _: Target) -> Answer<Result<String, String>> {
        Box::pin(async { nothing() })
    }

    fn agree_to_read(&self, _: Target) {}

    fn evidence(&self, _: Target, _: RotationReport) -> Result<PathBuf, String> {
        nothing()
    }

    fn rotate(
        &self,
        _: RotationChoice,
        _: Option<TypedValue>,
        _: CancellationToken,
    ) -> Answer<Result<RotationStarted, Refusal>> {
        Box::pin(async { nothing().map_err(|message| Refusal { message, hints: Vec::new() }) })
    }

    fn token(&self, _: Profile) -> Answer<Result<TokenRead, String>> {
        Box::pin(async { nothing() })
    }

    fn keys(&self, _: String) -> Answer<Result<Jwks, String>> {
        Box::pin(async { nothing() })
    }

    fn issuer(&self, _: String) -> Answer<Result<IssuerReport, String>> {
        Box::pin(async { nothing() })
    }

    fn audit(&self, _: PathBuf) -> Answer<Result<AuditReport, String>> {
        Box::pin(async { Err("nothing is audited here".to_owned()) })
    }

    fn events(&self) -> Answer<Result<EventsReport, String>> {
        Box::pin(async { nothing() })
    }

    fn save_profile(&self, _: &str, _: &str) -> Result<PathBuf, String> {
        nothing()
    }

    fn guide(&self, _: &Target) -> Result<GuideFile, String> {
        nothing()
    }

    fn change(&self, _: &Target, _: &Change) -> Result<GuideFile, String> {
        nothing()
    }

    fn keep_draft(&self, _: &Target, _: Key, _: Option<&str>) -> Result<(), String> {
        nothing()
    }

    fn scenarios(&self) -> Vec<ScenarioEntry> {
        Vec::new()
    }

    fn profiles(&self) -> Vec<ProfileEntry> {
        Vec::new()
    }
}
