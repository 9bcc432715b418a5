//! A secret's versions in a vault, with fingerprints: the current one, and the newest before it.

use azure_core::http::Response;
use azure_security_keyvault_secrets::ResourceExt as _;
use azure_security_keyvault_secrets::models::{SecretClientGetSecretOptions, SetSecretParameters};
use futures_util::future::join_all;
use zeroize::Zeroizing;

use super::{AzureTarget, Vault, reduced, secret_of};
use crate::check::facts::azure::{VaultFact, VaultSecret, VersionFact};
use crate::domain::keyvault::SecretName;
use crate::domain::rotation::{Place, Store, StoreSnapshot, Version};
use crate::domain::secret_ref::SecretRef;
use crate::domain::timestamp::UnixMillis;
use crate::probe::azure::AzureSession;
use crate::probe::new_value::NewValue;
use crate::probe::secret_value::SecretValue;

/// Earlier versions whose values are read too, newest first.
const MOST_OLDER: usize = 4;

impl AzureTarget {
    /// The id of the current version; the value is wiped unread. `None` where the profile names no vault.
    pub async fn current_version(&self, session: &AzureSession, secret: &SecretRef) -> Option<VaultFact<String>> {
        let (vault, name) = match self.named(session, secret)? {
            Ok(found) => found,
            Err(fact) => return Some(fact),
        };
        let read = vault.read(&name, secret, None).await;
        Some(vault.fact(read.map(|found| found.read.version_id.unwrap_or_default())))
    }

    /// The versions that can be seen now, with fingerprints. `None` where the profile names no vault.
    pub async fn snapshot(
        &self,
        session: &AzureSession,
        secret: &SecretRef,
        at: UnixMillis,
    ) -> Option<VaultFact<StoreSnapshot>> {
        let (vault, name) = match self.named(session, secret)? {
            Ok(found) => found,
            Err(fact) => return Some(fact),
        };
        let current = match vault.read(&name, secret, None).await {
            Ok(current) => current,
            Err(error) => return Some(vault.fact(Err(error))),
        };
        let mut fact = vault.fact(Ok(()));
        let exchange = fact.call.exchange.take();
        let mut snapshot = StoreSnapshot {
            place: Place { store: Store::AzureKeyVault, location: fact.vault.clone() },
            at,
            secret_id: current.read.id.as_ref().and_then(|id| id.rsplit_once('/')).map(|(id, _)| id.to_owned()),
            current: current.read.version_id.clone().unwrap_or_default(),
            versions: vec![current.read.into_version()],
            sibling: None,
            unseen: Vec::new(),
        };
        let listed = vault.versions(&name.name).await;
        if listed.is_empty() {
            snapshot.unseen.push("the earlier versions: the vault does not list them".to_owned());
        }
        vault.add_listed(&name, secret, &mut snapshot, listed).await;
        vault.recorder.take_refusals();
        let mut fact = vault.fact(Ok(snapshot));
        fact.call.exchange = exchange;
        Some(fact)
    }

    /// The vault and the secret's name in it.
    pub(super) fn named<T>(
        &self,
        session: &AzureSession,
        secret: &SecretRef,
    ) -> Option<Result<(Vault, SecretName), VaultFact<T>>> {
        let vault = match self.vault(session)? {
            Ok(vault) => vault,
            Err(fact) => return Some(Err(fact)),
        };
        Some(match SecretName::of(&secret.name) {
            Ok(name) => Ok((vault, name)),
            Err(error) => Err(vault.not_sent(error.to_string())),
        })
    }
}

impl Vault {
    async fn read(
        &self,
        name: &SecretName,
        secret: &SecretRef,
        version: Option<&str>,
    ) -> azure_core::Result<VaultSecret> {
        let options = SecretClientGetSecretOptions { secret_version: version.map(str::to_owned), ..Default::default() };
        let model = self.client.get_secret(&name.name, Some(options)).await.and_then(secret_of)?;
        Ok(reduced(model, name, secret.json_key.as_deref()))
    }

    async fn add_listed(
        &self,
        name: &SecretName,
        secret: &SecretRef,
        snapshot: &mut StoreSnapshot,
        listed: Vec<VersionFact>,
    ) {
        let others: Vec<VersionFact> = listed.into_iter().filter(|v| snapshot.version(&v.id).is_none()).collect();
        let reads = others.iter().take(MOST_OLDER).map(|version| async {
            if version.enabled { self.read(name, secret, Some(&version.id)).await.ok() } else { None }
        });
        let mut read = join_all(reads).await.into_iter();
        for other in others {
            snapshot.versions.push(match read.next().flatten() {
                Some(found) => found.read.into_version(),
                None => Version {
                    id: other.id,
                    stages: Vec::new(),
                    enabled: other.enabled,
                    created_at: other.created_at,
                    fingerprint: None,
                    guessability: None,
                    variants: Vec::new(),
                },
            });
        }
    }
}

impl AzureTarget {
    /// Sets the secret: the value becomes the current version; yields its id. Of `name#key` only the field is replaced,
    /// after the document has been read. `None` where the profile names no vault.
    pub async fn set_secret(
        &self,
        session: &AzureSession,
        secret: &SecretRef,
        value: &NewValue,
    ) -> Option<VaultFact<String>> {
        let (vault, name) = match self.named(session, secret)? {
            Ok(found) => found,
            Err(fact) => return Some(fact),
        };
        let text = match &secret.json_key {
            None => value.to_text(),
            Some(key) => match vault.value(&name.name, None).await {
                Ok(mut document) => match SecretValue::text(std::mem::take(&mut *document)).with_new(key, value) {
                    Ok(text) => text,
                    Err(error) => return Some(vault.not_sent(error.to_string())),
                },
                Err(error) => return Some(vault.fact(Err(error))),
            },
        };
        let set = vault.set(&name.name, text).await;
        Some(vault.fact(set))
    }

    /// Sets the secret to the value of one of its earlier versions; yields the new version's id. `None` where the
    /// profile names no vault.
    pub async fn restore_version(
        &self,
        session: &AzureSession,
        secret: &SecretRef,
        version: &str,
    ) -> Option<VaultFact<String>> {
        let (vault, name) = match self.named(session, secret)? {
            Ok(found) => found,
            Err(fact) => return Some(fact),
        };
        let set = match vault.value(&name.name, Some(version)).await {
            Ok(value) => vault.set(&name.name, value).await,
            Err(error) => Err(error),
        };
        Some(vault.fact(set))
    }
}

impl Vault {
    async fn value(&self, name: &str, version: Option<&str>) -> azure_core::Result<Zeroizing<String>> {
        let options = SecretClientGetSecretOptions { secret_version: version.map(str::to_owned), ..Default::default() };
        let mut model = self.client.get_secret(name, Some(options)).await.and_then(secret_of)?;
        Ok(Zeroizing::new(model.value.take().unwrap_or_default()))
    }

    async fn set(&self, name: &str, mut text: Zeroizing<String>) -> azure_core::Result<String> {
        let parameters = SetSecretParameters { value: Some(std::mem::take(&mut *text)), ..Default::default() };
        let body = parameters.try_into()?;
        let mut model = self.client.set_secret(name, body, None).await.and_then(Response::into_model)?;
        drop(Zeroizing::new(model.value.take()));
        Ok(model.resource_id()?.version.unwrap_or_default())
    }
}
