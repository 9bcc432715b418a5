//! An operator's access: whatever the Azure command line is signed in with, or an application of the operator's own; and
//! where the services are that only an operator asks.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use azure_core::credentials::{AccessToken, Secret, TokenCredential, TokenRequestOptions};
use azure_core::error::ErrorKind;
use azure_core::time::OffsetDateTime;
use serde::Deserialize;
use tokio::sync::Mutex;

use super::AzureTarget;
use super::exchange::{AzureSession, Proof, described};
use super::side::{OperatorSession, Services};
use super::transport::Recorder;
use crate::check::facts::azure::AccessGranted;
use crate::check::facts::secret::Answer;
use crate::domain::entra::EntraError;
use crate::domain::profile::{AzureSettings, Operator};
use crate::domain::token::{RawToken, decode};
use crate::probe::new_value::secret_source;
use crate::probe::program;

/// The most that the Azure command line may print, in bytes; a stack trace of its has some ten thousand.
const MAX_BYTES: usize = 256 * 1024;
/// It may ask Entra first.
const TIMEOUT: Duration = Duration::from_secs(60);
/// The most that is kept of its words, in characters.
const LONGEST: usize = 300;

/// Why the Azure command line gives no access. Says nothing of tokens.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CliRefusal {
    #[error("{0}; install it, or name an application with --operator-client-id")]
    NotRun(String),
    #[error("nobody is signed in; run `az login --tenant {tenant}`")]
    NotSignedIn { tenant: String },
    /// Entra's words for it.
    #[error("Entra gives it no token: {}", .0.description)]
    Entra(EntraError),
    #[error(
        "it is signed in to the directory {found}, and the profile is of {expected}; run `az login --tenant {expected}`"
    )]
    OtherDirectory { found: String, expected: String },
    #[error("{0}")]
    Other(String),
}

/// What `az account get-access-token` prints. `expires_on` is there since version 2.54.
#[derive(Deserialize)]
struct Printed<'a> {
    #[serde(rename = "accessToken", borrow)]
    access_token: Cow<'a, str>,
    expires_on: i64,
}

impl AzureTarget {
    /// The session of whoever is signed in to the Azure command line, in the profile's directory, and who that is.
    ///
    /// # Errors
    /// The command line is not there, or gives no token for the vault.
    pub async fn cli_session(&self) -> Result<(AzureSession, String), CliRefusal> {
        let signed_in = SignedIn::of(&self.tenant_id);
        let token = signed_in.token(&self.scope).await?;
        if let Some(refusal) = self.other_directory(&described(&token)) {
            return Err(refusal);
        }
        let session = AzureSession { credential: Arc::new(signed_in), recorder: Recorder::new(&self.http) };
        Ok((session, who(&token)))
    }

    /// The refusal of a token that is of another directory than the profile.
    fn other_directory(&self, granted: &AccessGranted) -> Option<CliRefusal> {
        let found = granted.tenant_id.clone().filter(|found| !found.eq_ignore_ascii_case(&self.tenant_id))?;
        Some(CliRefusal::OtherDirectory { found, expected: self.tenant_id.clone() })
    }

    /// The session for reading the cloud's own side, and whose it is.
    ///
    /// # Errors
    /// The operator is of another directory, or gets no token; in words.
    pub async fn operator_session(
        &self,
        operator: &Operator,
        settings: &AzureSettings,
    ) -> Result<(OperatorSession, String), String> {
        if let Operator::AzureApplication { tenant_id: Some(own), .. } = operator
            && !own.eq_ignore_ascii_case(&self.tenant_id)
        {
            return Err(format!(
                "the operator is of the directory {own}, and the profile of {}; correct the one that is wrong",
                self.tenant_id
            ));
        }
        let services = Services::find(&self.http, settings).await;
        let (credential, identity) = match operator {
            Operator::AzureCli => {
                let signed_in = SignedIn::of(&self.tenant_id);
                // Each question starts a program, which takes its time.
                let tokens =
                    tokio::join!(signed_in.token(&services.manager_scope), signed_in.token(&services.graph_scope),);
                let token = tokens.0.map_err(|refusal| format!("the Azure CLI: {refusal}"))?;
                if let Some(refusal) = self.other_directory(&described(&token)) {
                    return Err(format!("the Azure CLI: {refusal}"));
                }
                let identity = who(&token);
                (Arc::new(signed_in) as Arc<dyn TokenCredential>, identity)
            }
            Operator::AzureApplication { client_id, secret, .. } => {
                let secret = secret_source(secret, CLIENT_SECRET).await.map_err(|error| error.to_string())?;
                let target = AzureTarget { scope: services.manager_scope.clone(), ..self.as_application(client_id) };
                let (fact, session) = target.exchange(Proof::ClientSecret(&secret)).await;
                let session = session.ok_or_else(|| match fact.call.answer {
                    Answer::Refused(refusal) => format!("{}: {}", refusal.code, refusal.message),
                    Answer::Network { failure } => failure.to_string(),
                    Answer::Unreadable { detail, .. } | Answer::NotSent { detail } => detail,
                    Answer::Granted(_) => "no token".to_owned(),
                })?;
                (session.credential, format!("application {client_id}"))
            }
            Operator::Aws { .. } | Operator::Google { .. } => {
                return Err("the operator is set up for AWS, and the profile is for Azure".to_owned());
            }
        };
        Ok((OperatorSession { http: self.http.clone(), credential, services }, identity))
    }
}

/// What an operator's secret is called where it cannot be read.
const CLIENT_SECRET: &str = "the client secret of the operator's application";

/// A person by name, an application by its client id and what a vault's roles name.
fn who(token: &AccessToken) -> String {
    let decoded = decode(&RawToken::clean(token.token.secret()).0);
    let user = ["upn", "unique_name", "preferred_username"].iter().find_map(|name| decoded.claim(name)?.as_str());
    let granted = described(token);
    match (user, granted.app_id, granted.object_id) {
        (Some(user), ..) => user.to_owned(),
        (None, Some(app), Some(object)) => format!("{app} ({object})"),
        (None, app, object) => app.or(object).unwrap_or_else(|| "the Azure CLI's user".to_owned()),
    }
}

/// Asks the command line for tokens; they are kept, since every question starts a program.
struct SignedIn {
    tenant: String,
    held: Mutex<BTreeMap<String, AccessToken>>,
}

impl std::fmt::Debug for SignedIn {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SignedIn").field("tenant", &self.tenant).finish_non_exhaustive()
    }
}

impl SignedIn {
    fn of(tenant: &str) -> Self {
        SignedIn { tenant: tenant.to_owned(), held: Mutex::default() }
    }

    async fn token(&self, scope: &str) -> Result<AccessToken, CliRefusal> {
        if let Some(token) = self.held.lock().await.get(scope) {
            return Ok(token.clone());
        }
        let arguments = ["--scope", scope, "--tenant", &self.tenant, "--output", "json"];
        let argv: Vec<String> =
            ["az", "account", "get-access-token"].iter().chain(&arguments).map(ToString::to_string).collect();
        let ended = program::run(&argv, MAX_BYTES, TIMEOUT).await.map_err(|e| CliRefusal::NotRun(e.to_string()))?;
        if !ended.status.is_some_and(|status| status.success()) {
            return Err(refusal(&String::from_utf8_lossy(&ended.stderr), &self.tenant));
        }
        let printed = serde_json::from_slice::<Printed<'_>>(&ended.stdout).ok();
        let token = printed.and_then(|printed| {
            let expires_on = OffsetDateTime::from_unix_timestamp(printed.expires_on).ok()?;
            Some(AccessToken::new(Secret::new(printed.access_token.into_owned()), expires_on))
        });
        let unreadable =
            || CliRefusal::Other("it prints no token that can be read; it must be version 2.54 or later".into());
        let token = token.ok_or_else(unreadable)?;
        self.held.lock().await.insert(scope.to_owned(), token.clone());
        Ok(token)
    }
}

#[async_trait::async_trait]
impl TokenCredential for SignedIn {
    async fn get_token(&self, scopes: &[&str], _: Option<TokenRequestOptions<'_>>) -> azure_core::Result<AccessToken> {
        let told = |why: String| azure_core::Error::with_message(ErrorKind::Credential, why);
        let [scope] = scopes else { return Err(told("one scope is asked for at a time".to_owned())) };
        self.token(scope).await.map_err(|refusal| told(refusal.to_string()))
    }
}

/// What the command line complains of: Entra's words where there are any, else its own first complaint. What it prints
/// of its inside is left out.
fn refusal(stderr: &str, tenant: &str) -> CliRefusal {
    let entra = stderr.find("AADSTS").and_then(|at| {
        // The words of an answer may stand within JSON, and that within another sentence.
        let text = stderr[at..].lines().next().unwrap_or_default();
        EntraError::parse(text.split("\",\"").next().unwrap_or(text))
    });
    if let Some(error) = entra {
        return CliRefusal::Entra(error);
    }
    let complaint = stderr.lines().find_map(|line| line.strip_prefix("ERROR: ")).unwrap_or_else(|| stderr.trim());
    if complaint.contains("Please run 'az login'") {
        return CliRefusal::NotSignedIn { tenant: tenant.to_owned() };
    }
    CliRefusal::Other(complaint.lines().next().unwrap_or_default().chars().take(LONGEST).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn complaints_of_the_command_line_are_told_apart() {
        const TENANT: &str = "0f1e2d3c-0000-4000-8000-000000000001";
        let expired = "WARNING: x\nERROR: AADSTS700082: The refresh token has expired due to inactivity. Trace ID: 1 Correlation ID: 2 \
                       Timestamp: 2026-01-01 00:00:00Z\nInteractive authentication is needed. Please run:\naz logout\naz login\n";
        let unknown = "ERROR: The command failed with an unexpected error. Here is the traceback:\nERROR: Unable to get authority\n\
                       Traceback (most recent call last):\n  File \"msal/authority.py\"\nValueError: OIDC Discovery failed. HTTP status: 400, \
                       Error: {\"error\":\"invalid_request\",\"error_description\":\"AADSTS90002: Tenant 'x' not found. Check it. Trace ID: 1\",\"error_codes\":[90002]}\n";
        for (stderr, said) in [
            (
                "ERROR: Please run 'az login' to setup account.\n",
                "nobody is signed in; run `az login --tenant 0f1e2d3c",
            ),
            (expired, "Entra gives it no token: The refresh token has expired due to inactivity."),
            (unknown, "Entra gives it no token: Tenant 'x' not found. Check it."),
            ("ERROR: Subscription 'x' not found.\nCheck the spelling.\n", "Subscription 'x' not found."),
            ("az: something else\n", "az: something else"),
        ] {
            let refused = refusal(stderr, TENANT);
            assert!(refused.to_string().starts_with(said), "{refused}");
            if let CliRefusal::Entra(error) = refused {
                assert!(error.code().is_some() && !error.description.contains("Trace"), "{error:?}");
            }
        }
    }
}
