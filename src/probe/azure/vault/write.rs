//! Writing a secret's new version, and bringing back an earlier one's value. With an operator's credentials.

use azure_core::http::Response;
use azure_security_keyvault_secrets::ResourceExt as _;
use azure_security_keyvault_secrets::models::{SecretClientGetSecretOptions, SetSecretParameters};
use zeroize::Zeroizing;

use super::{AzureTarget, Vault, secret_of};
use crate::check::facts::azure::VaultFact;
use crate::domain::secret_ref::SecretRef;
use crate::probe::azure::AzureSession;
use crate::probe::new_value::NewValue;
use crate::probe::secret_value::SecretValue;

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
