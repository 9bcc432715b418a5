//! Azure: the reader's session through the federation or a client secret, the operator's from the Azure CLI or an
//! application of its own.

use super::{CloudBackend, Failed, Reader, granted, refusal, without_grant};
use crate::cause::Certainty;
use crate::cause::explain::ExplainContext;
use crate::check::CheckId;
use crate::check::facts::Facts;
use crate::check::facts::azure::VaultFact;
use crate::check::registry::judge;
use crate::domain::profile::{Operator, Profile};
use crate::domain::rotation::StoreSnapshot;
use crate::domain::secret_ref::SecretRef;
use crate::probe::azure::{AzureSession, AzureTarget, CliRefusal, Proof};
use crate::probe::new_value::NewValue;
use crate::probe::new_value::secret_source;
use crate::remedy::explained;
use crate::run::rotation::event::{Opened, Refused};
use crate::run::{now, now_ms};

/// What an application's secret is called where it cannot be read.
const CLIENT_SECRET: &str = "the application's client secret";
/// What is said where the profile names no vault.
const NO_VAULT: &str = "the profile names no vault; set azure.vault-url";

/// A target and the session to ask it with.
#[derive(Clone)]
pub(super) struct AzureReader {
    target: AzureTarget,
    session: AzureSession,
}

impl AzureReader {
    pub(super) async fn current(&self, secret: &SecretRef, profile: &Profile) -> Result<String, Failed> {
        seen(self.target.current_version(&self.session, secret).await, profile)
    }

    pub(super) async fn snapshot(&self, secret: &SecretRef, profile: &Profile) -> Result<StoreSnapshot, Failed> {
        seen(self.target.snapshot(&self.session, secret, now_ms()).await, profile)
    }
}

/// What the vault showed, or the same verdict as in a check.
fn seen<T>(fact: Option<VaultFact<T>>, profile: &Profile) -> Result<T, Failed> {
    let Some(fact) = fact else { return Err(Failed { refused: Refused::new(NO_VAULT), expired: false }) };
    without_grant(fact.call).map_err(|call| {
        let expired = call.refusal().is_some_and(|refusal| refusal.http_status == 401);
        let mut facts = Facts::default();
        facts.azure.secret = Some(VaultFact {
            vault: fact.vault,
            challenge: fact.challenge,
            challenge_fit: fact.challenge_fit,
            call: *call,
            error: fact.error,
            token_error: fact.token_error,
            deleted: fact.deleted,
        });
        Failed { refused: refusal(judge(CheckId::AzureGetSecret, &facts, profile)), expired }
    })
}

impl CloudBackend {
    pub(super) async fn open_azure(&self) -> Result<(Reader, Opened), Refused> {
        let target = self.azure_target()?;
        let mut facts = Facts { now: now(), ..Facts::default() };
        let token = self.profile.token.as_ref().filter(|_| !self.profile.guide.is_key_beside_aws());
        let (fact, session) = match (token, &self.profile.azure.client_secret) {
            (None, Some(source)) => {
                let secret =
                    secret_source(source, CLIENT_SECRET).await.map_err(|error| Refused::new(error.to_string()))?;
                target.exchange(Proof::ClientSecret(&secret)).await
            }
            _ => {
                let token = self.token(&mut facts).await?;
                target.exchange(Proof::Assertion(&token)).await
            }
        };
        let clock_skew_s = fact.call.exchange.as_ref().and_then(|exchange| exchange.clock_skew_s);
        let identity = fact.call.granted().map(|access| {
            access
                .object_id
                .as_ref()
                .map_or_else(|| fact.client_id.clone(), |oid| format!("{} ({oid})", fact.client_id))
        });
        facts.azure.exchange = Some(fact);
        match session {
            Some(session) => {
                Ok((Reader::Azure(Box::new(AzureReader { target, session })), Opened { identity, clock_skew_s }))
            }
            None => Err(refusal(judge(CheckId::AzureExchange, &facts, &self.profile))),
        }
    }

    /// The operator's session, and who that is.
    pub(super) async fn azure_operator(&self) -> Result<(AzureTarget, AzureSession, String), Refused> {
        let target = self.azure_target()?;
        match &self.operator {
            Operator::AzureCli => {
                let (session, identity) = target.cli_session().await.map_err(|why| self.not_signed_in(&why))?;
                Ok((target, session, identity))
            }
            Operator::AzureApplication { client_id, secret, .. } => {
                let target = target.as_application(client_id);
                let secret =
                    secret_source(secret, CLIENT_SECRET).await.map_err(|error| Refused::new(error.to_string()))?;
                let (fact, session) = target.exchange(Proof::ClientSecret(&secret)).await;
                let Some(session) = session else {
                    let mut facts = Facts::default();
                    facts.azure.exchange = Some(fact);
                    let refused = refusal(judge(CheckId::AzureExchange, &facts, &self.profile));
                    return Err(Refused { reason: format!("the operator's sign-in: {}", refused.reason), ..refused });
                };
                Ok((target, session, format!("application {client_id}")))
            }
            Operator::Aws { .. } | Operator::Google { .. } => {
                Err(Refused::new("the operator is set up for another cloud, and the secret is in Azure"))
            }
        }
    }

    /// What Entra says to the Azure CLI has the causes that it has elsewhere; a mere possibility is none of them.
    fn not_signed_in(&self, why: &CliRefusal) -> Refused {
        let given = ExplainContext { claims: None, trust: None, profile: Some(&self.profile) };
        let findings = match why {
            CliRefusal::Entra(error) => {
                let code = error.code().map(|code| format!("AADSTS{code}: ")).unwrap_or_default();
                let all = explained(&format!("{code}{}", error.description), &given).causes;
                all.into_iter().filter(|finding| finding.certainty < Certainty::Possible).collect()
            }
            _ => Vec::new(),
        };
        Refused { reason: format!("the Azure CLI: {why}"), findings }
    }

    pub(super) async fn write_azure(&self, secret: &SecretRef, value: &NewValue) -> Result<(String, String), Refused> {
        let (target, session, identity) = self.azure_operator().await?;
        let fact = target.set_secret(&session, secret, value).await.ok_or_else(|| Refused::new(NO_VAULT))?;
        Ok((granted(fact.call, "setting the secret")?, identity))
    }

    pub(super) async fn roll_back_azure(&self, secret: &SecretRef, to: &str) -> Result<String, Refused> {
        let (target, session, _) = self.azure_operator().await?;
        let fact = target.restore_version(&session, secret, to).await.ok_or_else(|| Refused::new(NO_VAULT))?;
        granted(fact.call, "setting the secret to its earlier value")
    }

    fn azure_target(&self) -> Result<AzureTarget, Refused> {
        AzureTarget::new(self.http.clone(), &self.profile.azure).ok_or_else(|| {
            Refused::new("the profile names no directory or application; set azure.tenant-id and azure.client-id")
        })
    }
}
