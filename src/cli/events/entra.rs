//! The sign-ins of service principals and the federated credentials in force, read with the operator's sign-in.

use std::time::{Duration, Instant};

use serde_json::json;

use crate::cause::exchange::Trusts;
use crate::cli::exit::CliError;
use crate::domain::entra::CredentialSet;
use crate::domain::exchange::{Exchange, LogTally, read_log};
use crate::domain::profile::{Operator, Profile};
use crate::domain::timestamp::UnixSeconds;
use crate::probe::azure::{AzureTarget, OperatorSession};
use crate::probe::http::HttpStack;

/// A directory as its operator reads it.
pub(super) struct Tenant {
    session: OperatorSession,
    /// The application of the profile, whose credentials are in question.
    client_id: Option<String>,
    /// Who reads.
    pub source: String,
    deadline: Instant,
}

impl Tenant {
    pub(super) async fn open(
        stack: HttpStack,
        profile: &Profile,
        operator: &Operator,
        timeout: Duration,
    ) -> Result<Self, CliError> {
        let deadline = Instant::now() + timeout;
        let target = AzureTarget::new(stack, &profile.azure).ok_or_else(|| {
            CliError::new("the profile names no directory whose sign-ins to read").with_hint("set azure.tenant-id")
        })?;
        let (session, source) = target.operator_session(operator, &profile.azure).await.map_err(CliError::new)?;
        Ok(Tenant { session, client_id: profile.azure.client_id.clone(), source, deadline })
    }

    /// The sign-ins since then, where no log is named, and the credentials that they met.
    pub(super) async fn read(
        &self,
        named: Option<(Vec<Exchange>, LogTally)>,
        since: UnixSeconds,
    ) -> Result<(Vec<Exchange>, LogTally, Trusts), CliError> {
        let reader = self.session.reader(self.deadline.saturating_duration_since(Instant::now()));
        let client_id = self.client_id.as_deref();
        let sign_ins = async {
            match named {
                Some(named) => Ok(named),
                None => {
                    let read = reader.sign_ins(client_id, since).await;
                    let unread = || read.unread().unwrap_or_else(|| "the sign-ins cannot be read".to_owned());
                    let entries = read.seen().ok_or_else(|| CliError::new(unread()))?;
                    exchanges(&json!({ "value": entries }).to_string())
                }
            }
        };
        let credentials = async {
            let application = reader.application(client_id?).await;
            let text = application.credentials.as_ref()?.seen()?.text.clone();
            CredentialSet::parse(&text).ok()
        };
        let (sign_ins, credentials) = tokio::join!(sign_ins, credentials);
        let (exchanges, tally) = sign_ins?;
        let mut trusts = Trusts::default();
        if let Some(credentials) = credentials {
            trusts.set_credentials(credentials);
        }
        Ok((exchanges, tally, trusts))
    }
}

fn exchanges(log: &str) -> Result<(Vec<Exchange>, LogTally), CliError> {
    let mut found = Vec::new();
    let tally = read_log(log.as_bytes(), &mut |exchange| found.push(exchange));
    let tally = tally.map_err(|error| CliError::new(format!("the sign-ins cannot be read: {error}")))?;
    Ok((found, tally))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sign_ins_as_graph_lists_them_are_exchanges_and_an_empty_list_is_none() {
        let sign_in = json!({
            "id": "1", "createdDateTime": "2026-11-30T05:00:00Z", "appId": "11111111-aaaa-4bbb-8ccc-222222222222",
            "servicePrincipalId": "6b1f2c9e-0000-4000-8000-000000000001",
            "signInEventTypes": ["servicePrincipal"], "clientCredentialType": "federatedIdentityCredential",
            "status": { "errorCode": 700_213, "failureReason": "no" },
        });
        let (found, tally) = exchanges(&json!({ "value": [sign_in] }).to_string()).unwrap();
        assert_eq!((found.len(), tally.exchanges), (1, 1));
        assert!(exchanges(&json!({ "value": [] }).to_string()).unwrap().0.is_empty());
    }
}
