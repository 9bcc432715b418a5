//! The audit log of a Google project, and the provider and bindings in force, read with the operator's access token.

use std::time::{Duration, Instant};

use serde_json::Value;

use crate::cause::exchange::Trusts;
use crate::cli::exit::CliError;
use crate::domain::exchange::{Exchange, LogTally, read_log};
use crate::domain::gcp::PoolProvider;
use crate::domain::profile::{Operator, Profile};
use crate::domain::timestamp::UnixSeconds;
use crate::probe::google::{GoogleSession, GoogleTarget, operator_session};
use crate::probe::http::HttpStack;

/// A project as its operator reads it.
pub(super) struct AuditedProject {
    target: GoogleTarget,
    session: GoogleSession,
    profile: Profile,
    project: String,
    /// Who reads.
    pub source: String,
    deadline: Instant,
}

impl AuditedProject {
    pub(super) async fn open(
        stack: HttpStack,
        profile: &Profile,
        operator: &Operator,
        timeout: Duration,
    ) -> Result<Self, CliError> {
        let deadline = Instant::now() + timeout;
        let project = profile.gcp.project_id.clone().ok_or_else(|| {
            CliError::new("the profile names no project whose audit log to read").with_hint("set gcp.project-id")
        })?;
        let (session, source) = operator_session(operator).await.map_err(CliError::new)?;
        let target = GoogleTarget::new(stack, &profile.gcp);
        Ok(AuditedProject { target, session, profile: profile.clone(), project, source, deadline })
    }

    /// The exchanges and reads since then, where no log is named, and the provider and the bindings that they met.
    pub(super) async fn read(
        &self,
        named: Option<(Vec<Exchange>, LogTally)>,
        since: UnixSeconds,
    ) -> Result<(Vec<Exchange>, LogTally, Trusts), CliError> {
        let reader =
            self.target.operator_reader(&self.session, self.deadline.saturating_duration_since(Instant::now()));
        let log = async {
            match named {
                Some(named) => Ok(named),
                None => {
                    let read = reader.log(&self.project, since).await;
                    let unread = || read.unread().unwrap_or_else(|| "the audit log cannot be read".to_owned());
                    let entries = read.seen().ok_or_else(|| CliError::new(unread()))?;
                    exchanges(entries)
                }
            }
        };
        let provider = async { Some(reader.provider(self.profile.gcp.provider.as_ref()?, None).await) };
        let (log, provider, rights) = tokio::join!(log, provider, reader.rights(&self.profile, None));
        let (exchanges, tally) = log?;
        let mut trusts = Trusts::default();
        let provider = provider.as_ref().and_then(|side| PoolProvider::parse(&side.provider.seen()?.text).ok());
        if let Some(provider) = provider {
            trusts.set_provider(provider);
        }
        // Of a part of the bindings nothing follows.
        let bindings = rights.and_then(|rights| {
            let of_secret = match &rights.secret {
                Some(read) => read.seen().cloned().or_else(|| read.is_nowhere().then(Vec::new))?,
                None => Vec::new(),
            };
            Some([rights.project.seen()?.clone(), of_secret].concat())
        });
        if let Some(bindings) = bindings {
            trusts.set_bindings(bindings);
        }
        Ok((exchanges, tally, trusts))
    }
}

fn exchanges(entries: &[Value]) -> Result<(Vec<Exchange>, LogTally), CliError> {
    let mut found = Vec::new();
    let log = Value::Array(entries.to_vec()).to_string();
    let tally = read_log(log.as_bytes(), &mut |exchange| found.push(exchange));
    let tally = tally.map_err(|error| CliError::new(format!("the audit log cannot be read: {error}")))?;
    Ok((found, tally))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn entries_as_logging_lists_them_are_exchanges_and_an_empty_list_is_none() {
        let entry = json!({
            "insertId": "1", "timestamp": "2026-11-30T05:00:00Z", "severity": "ERROR",
            "logName": "projects/p/logs/cloudaudit.googleapis.com%2Fdata_access",
            "protoPayload": {
                "@type": "type.googleapis.com/google.cloud.audit.AuditLog", "serviceName": "sts.googleapis.com",
                "methodName": "google.identity.sts.v1.SecurityTokenService.ExchangeToken",
                "resourceName": "projects/1/locations/global/workloadIdentityPools/p/providers/ci",
                "status": { "code": 3, "message": "The given credential is rejected by the attribute condition." },
            },
        });
        let (found, tally) = exchanges(&[entry]).unwrap();
        assert_eq!((found.len(), tally.exchanges), (1, 1));
        assert!(exchanges(&[]).unwrap().0.is_empty());
    }
}
