//! Runs a profile's checks, and keeps what the steps of a guide are judged by.

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::check::CheckId;
use crate::cli::check;
use crate::cli::exit::{CliError, Exit};
use crate::cli::flags::NetworkArgs;
use crate::domain::profile::Profile;
use crate::guide::{CheckResult, thumbprint};
use crate::probe::http::HttpStack;
use crate::run::now;
use crate::run::plan::{Limits, Selection};
use crate::run::probes::NetworkProbes;
use crate::run::report::Report;
use crate::run::runner::{self, RunRequest};

/// What a run of the checks brought.
pub(super) struct RanChecks {
    /// When it started, RFC 3339 UTC.
    pub at: String,
    pub checks: Vec<CheckResult>,
    /// The thumbprint of the issuer's certificates, where they were seen.
    pub thumbprint: Option<String>,
    /// How the run ended, as a check's exit status.
    pub exit: Exit,
}

/// Runs every check that applies.
pub(super) async fn run(profile: &Profile, network: &NetworkArgs, http: HttpStack) -> Result<RanChecks, CliError> {
    let request = RunRequest {
        profile: profile.clone(),
        selection: Selection::default(),
        limits: Limits { total: network.timeout, wait: Duration::ZERO },
        now: now(),
    };
    let probes = Arc::new(NetworkProbes { http, timeout: network.operation_timeout() });
    let mut events = runner::start(request, probes, CancellationToken::new());
    let mut report = Report::default();
    while let Some(event) = events.recv().await {
        report.apply(&event);
    }
    let checks = report.finished().map(|finished| finished.judged(&report.started)).collect();
    let keys = report.finished().find(|finished| finished.id == CheckId::IssuerJwks);
    let thumbprint = keys.and_then(|finished| thumbprint(&finished.facts));
    Ok(RanChecks { checks, thumbprint, exit: check::exit(&report, false), at: report.started })
}
