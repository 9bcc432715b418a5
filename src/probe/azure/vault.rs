//! The calls to a vault: list the secrets, read one, look at its versions.

mod versions;

use std::sync::Arc;

use azure_core::credentials::{AccessToken, TokenCredential, TokenRequestOptions};
use azure_core::error::{Error, ErrorKind};
use azure_core::http::{Pager, Response};
use azure_core::time::OffsetDateTime;
use azure_security_keyvault_secrets::models::{
    ListSecretPropertiesResult, Secret, SecretAttributes, SecretClientGetSecretOptions,
    SecretClientListSecretPropertiesOptions,
};
use azure_security_keyvault_secrets::{ResourceExt as _, SecretClient, SecretClientOptions};
use futures_util::StreamExt as _;
use url::Url;

use super::AzureTarget;
use super::exchange::AzureSession;
use super::transport::{Recorder, Refused};
use crate::check::facts::azure::{DeletedSecret, VaultFact, VaultSecret, VersionFact};
use crate::check::facts::secret::{Answer, Call, Refusal};
use crate::check::facts::secret::{SecretList, SecretRead};
use crate::domain::entra::EntraError;
use crate::domain::keyvault::{Challenge, ChallengeFit, SecretName, VaultError};
use crate::domain::secret_ref::SecretRef;
use crate::domain::text_difference::nearest;
use crate::domain::timestamp::UnixSeconds;
use crate::probe::secret_value::SecretValue;

/// The most secrets that a vault puts on one page.
const PAGE: i32 = 25;

/// Hands the vault the session's token, unless what the vault asks for is not a vault's to ask.
#[derive(Debug)]
struct Guard {
    session: AzureSession,
    host: String,
    /// The scope that the profile chose, whatever the vault asks for.
    chosen: Option<String>,
}

#[async_trait::async_trait]
impl TokenCredential for Guard {
    async fn get_token(
        &self,
        scopes: &[&str],
        options: Option<TokenRequestOptions<'_>>,
    ) -> azure_core::Result<AccessToken> {
        let asked = scopes.first().copied().unwrap_or_default();
        let resource = asked.strip_suffix("/.default").unwrap_or(asked).to_owned();
        let fit = Challenge { resource: Some(resource), ..Challenge::default() }.fit(&self.host);
        if matches!(fit, ChallengeFit::Differs | ChallengeFit::NoResource) {
            return Err(Error::with_message(ErrorKind::Credential, "what the vault asks for does not fit its address"));
        }
        let scope = self.chosen.as_deref().unwrap_or(asked);
        self.session.credential.get_token(&[scope], options).await
    }
}

/// One client for one vault, with what it was refused.
struct Vault {
    client: SecretClient,
    recorder: Arc<Recorder>,
    session: AzureSession,
    url: Url,
}

impl AzureTarget {
    /// Lists the vault's secrets, the first page only. `None` where the profile names no vault.
    pub async fn list_secrets(
        &self,
        session: &AzureSession,
        wanted: Option<&SecretRef>,
    ) -> Option<VaultFact<SecretList>> {
        let vault = match self.vault(session)? {
            Ok(vault) => vault,
            Err(fact) => return Some(fact),
        };
        let result = vault.first_page().await;
        let wanted = wanted.map(|w| SecretName::of(&w.name).map_or_else(|_| w.name.clone(), |sent| sent.name));
        let listed = result.map(|page| seen(&page, wanted.as_deref()));
        Some(vault.fact(listed))
    }

    /// Reads a secret, the current version or the one named; the value is reduced to a fingerprint and wiped.
    /// `None` where the profile names no vault.
    pub async fn get_secret(
        &self,
        session: &AzureSession,
        secret: &SecretRef,
        version: Option<&str>,
    ) -> Option<VaultFact<VaultSecret>> {
        let vault = match self.vault(session)? {
            Ok(vault) => vault,
            Err(fact) => return Some(fact),
        };
        let name = match SecretName::of(&secret.name) {
            Ok(name) => name,
            Err(error) => return Some(vault.not_sent(error.to_string())),
        };
        let options = SecretClientGetSecretOptions { secret_version: version.map(str::to_owned), ..Default::default() };
        let result = vault.client.get_secret(&name.name, Some(options)).await.and_then(secret_of);
        let read = result.map(|model| reduced(model, &name, secret.json_key.as_deref()));
        let mut fact = vault.fact(read);
        match &mut fact.call.answer {
            Answer::Granted(read) => read.versions = vault.versions(&name.name).await,
            Answer::Refused(refusal) if refusal.http_status == 404 => {
                fact.deleted = Some(vault.deleted(&name.name).await);
            }
            _ => {}
        }
        Some(fact)
    }

    fn vault<T>(&self, session: &AzureSession) -> Option<Result<Vault, VaultFact<T>>> {
        let url = self.vault_url.clone()?;
        let recorder = Recorder::new(&self.http);
        let guard = Guard {
            session: session.clone(),
            host: url.host_str().unwrap_or_default().to_owned(),
            chosen: self.scope_is_chosen.then(|| self.scope.clone()),
        };
        let options = SecretClientOptions {
            client_options: recorder.options(),
            // The guard checks it, also for vaults on loopback, which the SDK's own check knows nothing of.
            verify_challenge_resource: Some(false),
            ..SecretClientOptions::default()
        };
        Some(match SecretClient::new(url.as_str(), Arc::new(guard), Some(options)) {
            Ok(client) => Ok(Vault { client, recorder, session: session.clone(), url }),
            Err(error) => Err(fact_of(&url, None, Answer::NotSent { detail: error.to_string() }, None)),
        })
    }
}

impl Vault {
    async fn first_page(&self) -> azure_core::Result<ListSecretPropertiesResult> {
        let options = SecretClientListSecretPropertiesOptions { maxresults: Some(PAGE), ..Default::default() };
        page(self.client.list_secret_properties(Some(options))?).await
    }

    /// The versions of a secret, newest first; none where they may not be listed.
    async fn versions(&self, name: &str) -> Vec<VersionFact> {
        let Ok(pager) = self.client.list_secret_properties_versions(name, None) else { return Vec::new() };
        let Ok(page) = page(pager).await else { return Vec::new() };
        let mut versions: Vec<VersionFact> = page
            .value
            .iter()
            .filter_map(|properties| {
                let attributes = properties.attributes.as_ref();
                Some(VersionFact {
                    id: properties.resource_id().ok()?.version?,
                    enabled: attributes.and_then(|a| a.enabled).unwrap_or(true),
                    created_at: seconds(attributes, |a| a.created),
                })
            })
            .collect();
        versions.sort_by_key(|version| std::cmp::Reverse(version.created_at));
        versions
    }

    async fn deleted(&self, name: &str) -> DeletedSecret {
        self.recorder.take_refusals();
        match self.client.get_deleted_secret(name, None).await.and_then(Response::into_model) {
            Ok(deleted) => DeletedSecret::Recoverable {
                deleted_at: deleted.deleted_date.map(OffsetDateTime::unix_timestamp),
                purged_at: deleted.scheduled_purge_date.map(OffsetDateTime::unix_timestamp),
            },
            Err(_) => match self.recorder.take_refusals().last() {
                Some(Refused { status: 404, .. }) => DeletedSecret::None,
                _ => DeletedSecret::NotKnown,
            },
        }
    }

    /// The fact of a call that has just ended.
    fn fact<T>(&self, result: azure_core::Result<T>) -> VaultFact<T> {
        let exchange = self.recorder.take_last_exchange();
        let refusals = self.recorder.take_refusals();
        let challenge =
            refusals.iter().filter(|r| r.status == 401).find_map(|r| Challenge::parse(r.challenge.as_deref()?));
        let error = match result {
            Ok(granted) => {
                let mut fact = fact_of(&self.url, challenge, Answer::Granted(granted), None);
                fact.call.exchange = exchange;
                return fact;
            }
            Err(error) => error,
        };
        let token_error = self.session.recorder.take_refusals().pop().and_then(|r| EntraError::parse(&r.body));
        let last = refusals.last();
        let vault_error = last.and_then(|r| VaultError::parse(&r.body));
        let unfit = challenge.as_ref().map(|c| c.fit(self.host()));
        let answer = if let Some(failure) = exchange.as_ref().and_then(|e| e.failure.clone()) {
            Answer::Network { failure }
        } else if matches!(unfit, Some(ChallengeFit::Differs | ChallengeFit::NoResource)) {
            Answer::NotSent { detail: "the vault asks for a token that is not a vault's of this address".into() }
        } else if let Some(error) = &token_error {
            Answer::NotSent {
                detail: format!("Entra grants no token for what the vault asks for: {}", error.description),
            }
        } else {
            match (last, &vault_error) {
                (Some(refused), Some(error)) => Answer::Refused(refusal(error, refused)),
                (Some(refused), None) => {
                    Answer::Unreadable { http_status: Some(refused.status), detail: "no error of a key vault's".into() }
                }
                // The answer may hold a value, and the SDK's error may quote the answer.
                (None, _) if exchange.is_some() => Answer::Unreadable {
                    http_status: exchange.as_ref().and_then(|e| e.status),
                    detail: "the answer is not a key vault's".into(),
                },
                (None, _) => Answer::NotSent { detail: error.to_string() },
            }
        };
        let mut fact = fact_of(&self.url, challenge, answer, vault_error);
        fact.call.exchange = exchange;
        fact.token_error = token_error;
        fact
    }

    fn not_sent<T>(&self, detail: String) -> VaultFact<T> {
        fact_of(&self.url, None, Answer::NotSent { detail }, None)
    }

    fn host(&self) -> &str {
        self.url.host_str().unwrap_or_default()
    }
}

fn fact_of<T>(url: &Url, challenge: Option<Challenge>, answer: Answer<T>, error: Option<VaultError>) -> VaultFact<T> {
    VaultFact {
        vault: url.as_str().trim_end_matches('/').to_owned(),
        challenge_fit: challenge.as_ref().map(|c| c.fit(url.host_str().unwrap_or_default())),
        challenge,
        call: Call { region: None, attempts: 1, waited_ms: 0, answer, exchange: None },
        error,
        token_error: None,
        deleted: None,
    }
}

fn refusal(error: &VaultError, refused: &Refused) -> Refusal {
    Refusal {
        code: error.best_code().unwrap_or_default().to_owned(),
        message: error.message.clone(),
        http_status: refused.status,
        request_id: refused.request_id.clone(),
    }
}

/// The secret of an answer. Every field is optional to the SDK, so an empty object of whatever stands in between would
/// pass for a secret without a value.
fn secret_of(answer: Response<Secret>) -> azure_core::Result<Secret> {
    let model = answer.into_model()?;
    match &model.id {
        Some(_) => Ok(model),
        None => Err(Error::with_message(ErrorKind::DataConversion, "the answer names no secret")),
    }
}

async fn page(pager: Pager<ListSecretPropertiesResult>) -> azure_core::Result<ListSecretPropertiesResult> {
    match pager.into_pages().next().await {
        Some(page) => page?.into_model(),
        None => Ok(ListSecretPropertiesResult::default()),
    }
}

fn seen(page: &ListSecretPropertiesResult, wanted: Option<&str>) -> SecretList {
    let names: Vec<(String, Option<&String>)> =
        page.value.iter().filter_map(|p| Some((p.resource_id().ok()?.name, p.id.as_ref()))).collect();
    // A vault's names differ in more than letter case.
    let entry = wanted.map(|wanted| names.iter().find(|(name, _)| name.eq_ignore_ascii_case(wanted)));
    let holds_secret = entry.map(|entry| entry.is_some());
    let nearest = match (wanted, holds_secret) {
        (Some(wanted), Some(false)) => nearest(wanted, names.iter().map(|(name, _)| name.as_str())).map(str::to_owned),
        _ => None,
    };
    SecretList {
        seen: page.value.len(),
        more: page.next_link.as_deref().is_some_and(|link| !link.is_empty()),
        holds_secret,
        id: entry.flatten().and_then(|(_, id)| id.cloned()),
        nearest,
        ..SecretList::default()
    }
}

fn reduced(mut model: Secret, name: &SecretName, json_key: Option<&str>) -> VaultSecret {
    let value = SecretValue::text(model.value.take().unwrap_or_default()).reduce(json_key);
    let id = model.resource_id().ok();
    let attributes = model.attributes.as_ref();
    VaultSecret {
        read: SecretRead {
            name: id.as_ref().map_or_else(|| name.name.clone(), |id| id.name.clone()),
            version_id: id.and_then(|id| id.version),
            id: model.id,
            stages: Vec::new(),
            created_at: seconds(attributes, |a| a.created),
            form: value.form,
            fingerprint: value.fingerprint,
            variants: value.variants,
            guessability: value.guessability,
            field: value.field,
        },
        written_name: name.written.clone(),
        updated_at: seconds(attributes, |a| a.updated),
        not_before: seconds(attributes, |a| a.not_before),
        expires_at: seconds(attributes, |a| a.expires),
        versions: Vec::new(),
    }
}

fn seconds(
    attributes: Option<&SecretAttributes>,
    time: impl Fn(&SecretAttributes) -> Option<OffsetDateTime>,
) -> Option<UnixSeconds> {
    attributes.and_then(time).map(OffsetDateTime::unix_timestamp)
}
