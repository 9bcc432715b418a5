//! The exchange at Entra's token endpoint: what the application proves itself with, for an access token.

use std::sync::Arc;

use azure_core::cloud::{CloudConfiguration, CustomConfiguration};
use azure_core::credentials::{AccessToken, Secret, TokenCredential, TokenRequestOptions};
use azure_core::http::{ClientMethodOptions, ClientOptions};
use azure_identity::{
    ClientAssertion, ClientAssertionCredential, ClientAssertionCredentialOptions, ClientSecretCredential,
    ClientSecretCredentialOptions,
};
use secrecy::{ExposeSecret as _, SecretString};

use super::AzureTarget;
use super::transport::{Recorder, Refused};
use crate::check::facts::azure::{AccessGranted, CredentialKind, ExchangeFact};
use crate::check::facts::secret::{Answer, Call, Refusal};
use crate::domain::entra::EntraError;
use crate::domain::token::{RawToken, decode};

/// What the application proves itself with.
#[derive(Clone, Copy, Debug)]
pub enum Proof<'a> {
    /// The workload's token.
    Assertion(&'a RawToken),
    ClientSecret(&'a SecretString),
}

/// A credential that holds an access token. Lives as long as one run; its `Debug` shows no token.
#[derive(Clone, Debug)]
pub struct AzureSession {
    pub(super) credential: Arc<dyn TokenCredential>,
    pub(super) recorder: Arc<Recorder>,
}

impl AzureSession {
    /// The session with the access token that it has, and never another: the SDK exchanges anew minutes before one ends.
    pub async fn with_this_token(self, scope: &str) -> Self {
        match self.credential.get_token(&[scope], None).await {
            Ok(token) => AzureSession { credential: Arc::new(FixedToken(token)), ..self },
            Err(_) => self,
        }
    }
}

/// An access token that is used as it is.
#[derive(Debug)]
struct FixedToken(AccessToken);

#[async_trait::async_trait]
impl TokenCredential for FixedToken {
    async fn get_token(&self, _: &[&str], _: Option<TokenRequestOptions<'_>>) -> azure_core::Result<AccessToken> {
        Ok(self.0.clone())
    }
}

/// The token as the SDK asks for it.
#[derive(Debug)]
struct WorkloadToken(RawToken);

#[async_trait::async_trait]
impl ClientAssertion for WorkloadToken {
    async fn secret(&self, _: Option<ClientMethodOptions<'_>>) -> azure_core::Result<String> {
        Ok(self.0.expose().to_owned())
    }
}

impl AzureTarget {
    /// Asks Entra for an access token, once.
    pub async fn exchange(&self, proof: Proof<'_>) -> (ExchangeFact, Option<AzureSession>) {
        let recorder = Recorder::new(&self.http);
        let kind = match proof {
            Proof::Assertion(_) => CredentialKind::Assertion,
            Proof::ClientSecret(secret) if is_uuid(secret.expose_secret()) => CredentialKind::ClientSecretLikeAnId,
            Proof::ClientSecret(_) => CredentialKind::ClientSecret,
        };
        let credential = match self.credential(proof, &recorder) {
            Ok(credential) => credential,
            Err(error) => {
                let answer = Answer::NotSent { detail: error.to_string() };
                return (self.fact(kind, answer, None, &recorder), None);
            }
        };
        let result = credential.get_token(&[&self.scope], None).await;
        let refused = recorder.take_refusals().pop();
        match (result, refused) {
            (Ok(token), _) => {
                let fact = self.fact(kind, Answer::Granted(described(&token)), None, &recorder);
                (fact, Some(AzureSession { credential, recorder }))
            }
            (Err(_), Some(refused)) => {
                let error = EntraError::parse(&refused.body);
                let answer = match &error {
                    Some(error) => Answer::Refused(refusal(error, &refused)),
                    None => {
                        Answer::Unreadable { http_status: Some(refused.status), detail: "no error of Entra's".into() }
                    }
                };
                (self.fact(kind, answer, error, &recorder), None)
            }
            (Err(error), None) => (self.failed(kind, &error, &recorder), None),
        }
    }

    /// The fact of an exchange that was not tried for want of a client secret, and why there is none.
    pub fn without_secret(&self, why: String) -> ExchangeFact {
        self.fact(CredentialKind::NoClientSecret, Answer::NotSent { detail: why }, None, &Recorder::new(&self.http))
    }

    fn credential(&self, proof: Proof<'_>, recorder: &Arc<Recorder>) -> azure_core::Result<Arc<dyn TokenCredential>> {
        let mut cloud = CustomConfiguration::default();
        cloud.authority_host.clone_from(&self.authority);
        let client_options =
            ClientOptions { cloud: Some(Arc::new(CloudConfiguration::Custom(cloud))), ..recorder.options() };
        let (tenant, client) = (self.tenant_id.clone(), self.client_id.clone());
        Ok(match proof {
            Proof::Assertion(token) => {
                let options = ClientAssertionCredentialOptions { client_options };
                ClientAssertionCredential::new(tenant, client, WorkloadToken(token.clone()), Some(options))?
            }
            Proof::ClientSecret(secret) => {
                let secret = Secret::new(secret.expose_secret().to_owned());
                let options = ClientSecretCredentialOptions { client_options };
                ClientSecretCredential::new(&tenant, client, secret, Some(options))?
            }
        })
    }

    /// The fact where no refusal arrived: the network failed, or the answer was none of Entra's.
    fn failed(&self, kind: CredentialKind, error: &azure_core::Error, recorder: &Recorder) -> ExchangeFact {
        let exchange = recorder.take_last_exchange();
        let answer = match exchange.as_ref() {
            Some(exchange) => match &exchange.failure {
                Some(failure) => Answer::Network { failure: failure.clone() },
                // The answer may hold a token, and the SDK's error may quote the answer.
                None => Answer::Unreadable {
                    http_status: exchange.status,
                    detail: "the answer grants no token that can be read".into(),
                },
            },
            None => Answer::NotSent { detail: error.to_string() },
        };
        let mut fact = self.fact(kind, answer, None, recorder);
        fact.call.exchange = exchange;
        fact
    }

    fn fact(
        &self,
        credential: CredentialKind,
        answer: Answer<AccessGranted>,
        error: Option<EntraError>,
        recorder: &Recorder,
    ) -> ExchangeFact {
        ExchangeFact {
            authority: self.authority.clone(),
            tenant_id: self.tenant_id.clone(),
            client_id: self.client_id.clone(),
            scope: self.scope.clone(),
            credential,
            call: Call { region: None, attempts: 1, waited_ms: 0, answer, exchange: recorder.take_last_exchange() },
            error,
        }
    }
}

/// A refusal with its first code, for everything that knows codes.
fn refusal(error: &EntraError, refused: &Refused) -> Refusal {
    let code = match (error.code(), &error.error) {
        (Some(code), _) => format!("AADSTS{code}"),
        (None, Some(error)) => error.clone(),
        (None, None) => String::new(),
    };
    Refusal {
        code,
        message: error.description.clone(),
        http_status: refused.status,
        request_id: error.trace_id.clone().or_else(|| refused.request_id.clone()),
    }
}

/// What the access token says. Entra calls its content private to the vault; for a diagnosis it is good evidence.
pub(super) fn described(token: &AccessToken) -> AccessGranted {
    let (raw, _) = RawToken::clean(token.token.secret());
    let decoded = decode(&raw);
    let text = |name: &str| decoded.claim(name).and_then(|v| v.as_str()).map(str::to_owned);
    AccessGranted {
        audience: decoded.audiences().first().map(|a| (*a).to_owned()),
        issuer: decoded.issuer().map(str::to_owned),
        tenant_id: text("tid"),
        app_id: text("appid").or_else(|| text("azp")),
        object_id: text("oid"),
        expires_at: Some(token.expires_on.unix_timestamp()),
    }
}

/// 8-4-4-4-12 hexadecimal digits.
fn is_uuid(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(at, b)| match at {
            8 | 13 | 18 | 23 => b == b'-',
            _ => b.is_ascii_hexdigit(),
        })
}
