//! What rotates secrets, through the vendors' SDKs: versions and their labels, roll-backs, rotation functions, and a
//! vault's versions.

use std::sync::Arc;
use std::time::Duration;

use aws_sdk_secretsmanager::Client;
use aws_sdk_secretsmanager::config::retry::RetryConfig;
use aws_sdk_secretsmanager::config::{BehaviorVersion, Credentials as AwsCredentials, Region};
use aws_sdk_secretsmanager::error::{ProvideErrorMetadata, SdkError};
use azure_core::credentials::{AccessToken, TokenCredential, TokenRequestOptions};
use azure_core::http::{ClientOptions, RetryOptions, Transport};
use azure_security_keyvault_secrets::models::{
    SecretAttributes, SecretClientGetSecretOptions, SecretClientUpdateSecretPropertiesOptions, SetSecretParameters,
    UpdateSecretPropertiesParameters,
};
use azure_security_keyvault_secrets::{ResourceExt as _, SecretClient, SecretClientOptions};
use futures_util::TryStreamExt as _;
use serde_json::Value;
use trustline::probe::http::connector;
use trustline::probe::http::{HttpSettings, HttpStack, ProxyUse};

use super::client::{Credentials, Site};

const NAME: &str = "crewai-test-keyword";
const CURRENT: &str = "AWSCURRENT";
const PREVIOUS: &str = "AWSPREVIOUS";
const PENDING: &str = "AWSPENDING";

fn client(site: &Site, who: &Credentials) -> Client {
    let ca_pem = Some(site.lab.ca_pem.clone().into_bytes());
    let stack = HttpStack::new(&HttpSettings {
        ca_pem,
        ca_of_clients: Vec::new(),
        timeout: Duration::from_secs(20),
        proxy: ProxyUse::None,
    });
    let token = (!who.token.is_empty()).then(|| who.token.clone());
    let config = aws_sdk_secretsmanager::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new(site.lab.region.clone()))
        .http_client(connector(&stack.unwrap().client()))
        .retry_config(RetryConfig::disabled())
        .endpoint_url(&site.lab.endpoints.secretsmanager)
        .credentials_provider(AwsCredentials::new(who.key_id.clone(), who.secret.clone(), token, None, "test"))
        .build();
    Client::from_conf(config)
}

fn refusal<T: std::fmt::Debug, E: ProvideErrorMetadata, R>(result: Result<T, SdkError<E, R>>) -> String {
    let Err(SdkError::ServiceError(error)) = result else { panic!("granted, or not answered") };
    format!("{}: {}", error.err().code().unwrap_or_default(), error.err().message().unwrap_or_default())
}

async fn value(client: &Client, stage: &str) -> Option<String> {
    let read = client.get_secret_value().secret_id(NAME).version_stage(stage).send().await;
    read.ok().and_then(|read| read.secret_string().map(str::to_owned))
}

#[tokio::test]
async fn labels_move_with_values_and_back() {
    let site = Site::scenario("healthy");
    let admin = client(&site, &Credentials::admin());
    let put = admin.put_secret_value().secret_id(NAME).secret_string("second").send().await.unwrap();
    let second = put.version_id().unwrap().to_owned();
    assert_eq!(value(&admin, CURRENT).await.as_deref(), Some("second"));
    assert_eq!(value(&admin, PREVIOUS).await.as_deref(), Some("hello from aws"));

    let listed = admin.list_secret_version_ids().secret_id(NAME).send().await.unwrap();
    let stages = |id: &str| {
        let version = listed.versions().iter().find(|version| version.version_id() == Some(id)).unwrap();
        version.version_stages().to_vec()
    };
    assert_eq!((listed.versions().len(), stages(&second)), (2, vec![CURRENT.to_owned()]));
    let first = listed.versions().iter().find_map(|v| v.version_id().filter(|id| *id != second)).unwrap().to_owned();

    let move_to = |to: Option<&str>, from: Option<&str>| {
        let call = admin.update_secret_version_stage().secret_id(NAME).version_stage(CURRENT);
        call.set_move_to_version_id(to.map(str::to_owned)).set_remove_from_version_id(from.map(str::to_owned)).send()
    };
    let said = refusal(move_to(Some(&first), None).await);
    assert!(said.starts_with("InvalidParameterException") && said.contains(&second), "{said}");
    assert!(refusal(move_to(None, Some(&second)).await).starts_with("InvalidParameterException"));
    assert!(refusal(move_to(Some(&"0".repeat(36)), Some(&second)).await).starts_with("ResourceNotFoundException"));
    move_to(Some(&first), Some(&second)).await.unwrap();
    assert_eq!(value(&admin, CURRENT).await.as_deref(), Some("hello from aws"));
    assert_eq!(value(&admin, PREVIOUS).await.as_deref(), Some("second"));

    // A third version leaves the one that is neither current nor previous without a label.
    admin.update_secret().secret_id(NAME).secret_string("third").send().await.unwrap();
    let some = admin.list_secret_version_ids().secret_id(NAME).send().await.unwrap();
    let all = admin.list_secret_version_ids().secret_id(NAME).include_deprecated(true).send().await.unwrap();
    assert_eq!((some.versions().len(), all.versions().len()), (2, 3));
}

#[tokio::test]
async fn a_pending_version_stands_in_the_way_of_the_next_rotation() {
    let site = Site::scenario("rotation-pending-stuck");
    let admin = client(&site, &Credentials::admin());
    let rotate = || admin.rotate_secret().secret_id(NAME).send();
    let unfinished = "InvalidRequestException: A previous rotation isn't complete. That rotation will be reattempted.";
    assert_eq!(refusal(rotate().await), unfinished);
    let empty = admin.get_secret_value().secret_id(NAME).version_stage(PENDING).send().await;
    let said = refusal(empty);
    assert!(said.ends_with("can't find the specified secret value for staging label: AWSPENDING"), "{said}");
    let described = admin.describe_secret().secret_id(NAME).send().await.unwrap();
    let stuck = described.version_ids_to_stages().unwrap().iter().find(|(_, stages)| stages.contains(&PENDING.into()));
    let stuck = stuck.unwrap().0.clone();
    let take = admin.update_secret_version_stage().secret_id(NAME).version_stage(PENDING);
    take.remove_from_version_id(stuck).send().await.unwrap();
    assert!(refusal(rotate().await).contains("No Lambda rotation function ARN"));
}

#[tokio::test]
async fn a_rotation_function_works_or_leaves_its_version_pending() {
    for (function, pending) in [("works", false), ("fails", true)] {
        let site = Site::world(&format!("[aws.secrets.{NAME}]\nrotation-function = '{function}'\n"));
        let admin = client(&site, &Credentials::admin());
        let rotated = admin.rotate_secret().secret_id(NAME).send().await.unwrap();
        let described = admin.describe_secret().secret_id(NAME).send().await.unwrap();
        let stages = &described.version_ids_to_stages().unwrap()[rotated.version_id().unwrap()];
        assert_eq!(stages.contains(&PENDING.to_owned()), pending, "{stages:?}");
        assert_eq!((described.rotation_enabled(), described.last_rotated_date().is_some()), (Some(true), !pending));
        assert_eq!(value(&admin, CURRENT).await.as_deref() == Some("hello from aws"), pending);
        admin.cancel_rotate_secret().secret_id(NAME).send().await.unwrap();
        let described = admin.describe_secret().secret_id(NAME).send().await.unwrap();
        assert_ne!(described.rotation_enabled(), Some(true));
    }
}

#[tokio::test]
async fn what_was_deleted_is_restored_and_passwords_are_made() {
    let site = Site::scenario("secret-pending-deletion");
    let admin = client(&site, &Credentials::admin());
    admin.restore_secret().secret_id(NAME).send().await.unwrap();
    assert_eq!(value(&admin, CURRENT).await.as_deref(), Some("hello from aws"));
    let made = admin.get_random_password().password_length(50).exclude_punctuation(true).exclude_uppercase(true);
    let made = made.send().await.unwrap();
    let made = made.random_password().unwrap();
    assert!(made.len() == 50 && made.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit()), "{made}");
}

#[tokio::test]
async fn a_reader_may_change_nothing() {
    let site = Site::scenario("healthy");
    let reader = client(&site, &site.session(&[]).await);
    let denied = [
        refusal(reader.put_secret_value().secret_id(NAME).secret_string("x").send().await),
        refusal(reader.list_secret_version_ids().secret_id(NAME).send().await),
        refusal(reader.update_secret_version_stage().secret_id(NAME).version_stage(CURRENT).send().await),
        refusal(reader.rotate_secret().secret_id(NAME).send().await),
        refusal(reader.cancel_rotate_secret().secret_id(NAME).send().await),
        refusal(reader.restore_secret().secret_id(NAME).send().await),
        refusal(reader.get_random_password().send().await),
    ];
    assert!(denied.iter().all(|said| said.starts_with("AccessDeniedException")), "{denied:#?}");
}

#[derive(Debug)]
struct Held(String);

#[async_trait::async_trait]
impl TokenCredential for Held {
    async fn get_token(&self, _: &[&str], _: Option<TokenRequestOptions<'_>>) -> azure_core::Result<AccessToken> {
        let ends = azure_core::time::OffsetDateTime::now_utc() + Duration::from_secs(600);
        Ok(AccessToken::new(self.0.clone(), ends))
    }
}

/// A client of the vault for an application with this id and client secret.
async fn vault(site: &Site, client_id: &str, client_secret: &str) -> SecretClient {
    let held = &site.lab.profile.azure;
    let form = format!(
        "grant_type=client_credentials&client_id={client_id}&scope=https%3A%2F%2Fvault.azure.net%2F.default&client_secret={client_secret}"
    );
    let url = format!("{}/{}/oauth2/v2.0/token", held.authority_host, held.tenant_id);
    let request = site.http.post(url).header("content-type", "application/x-www-form-urlencoded").body(form);
    let granted: Value = serde_json::from_str(&request.send().await.unwrap().text().await.unwrap()).unwrap();
    let credential = Arc::new(Held(granted["access_token"].as_str().unwrap().to_owned()));
    let options = SecretClientOptions {
        client_options: ClientOptions {
            transport: Some(Transport::new(Arc::new(site.http.clone()))),
            retry: RetryOptions::none(),
            ..ClientOptions::default()
        },
        verify_challenge_resource: Some(false),
        ..SecretClientOptions::default()
    };
    SecretClient::new(held.vault_url.as_deref().unwrap(), credential, Some(options)).unwrap()
}

async fn read(vault: &SecretClient, version: Option<&str>) -> Result<String, String> {
    let options = SecretClientGetSecretOptions { secret_version: version.map(str::to_owned), ..Default::default() };
    match vault.get_secret(NAME, Some(options)).await {
        Ok(answer) => Ok(answer.into_model().unwrap().value.unwrap()),
        Err(error) => Err(error.to_string()),
    }
}

#[tokio::test]
async fn a_vault_keeps_every_version() {
    let site = Site::scenario("azure");
    let admin = vault(&site, "55555555-aaaa-4bbb-8ccc-666666666666", "lab8Q~only.client.secret.of.the.admin-00").await;
    let set = |value: String| {
        let parameters = SetSecretParameters { value: Some(value), ..Default::default() };
        admin.set_secret(NAME, parameters.try_into().unwrap(), None)
    };
    let mut second = String::new();
    for number in 2..=30 {
        let made = set(format!("value {number}")).await.unwrap().into_model().unwrap();
        if number == 2 {
            second = made.resource_id().unwrap().version.unwrap();
        }
    }
    let listed: Vec<_> = admin.list_secret_properties_versions(NAME, None).unwrap().try_collect().await.unwrap();
    assert_eq!(listed.len(), 30, "a page has 25");
    assert_eq!(read(&admin, None).await.as_deref(), Ok("value 30"));
    assert_eq!(read(&admin, Some(&second)).await.as_deref(), Ok("value 2"));

    let off = SecretAttributes { enabled: Some(false), ..SecretAttributes::default() };
    let parameters = UpdateSecretPropertiesParameters { secret_attributes: Some(off), ..Default::default() };
    let of = SecretClientUpdateSecretPropertiesOptions { secret_version: Some(second.clone()), ..Default::default() };
    admin.update_secret_properties(NAME, parameters.clone().try_into().unwrap(), Some(of)).await.unwrap();
    assert!(read(&admin, Some(&second)).await.unwrap_err().contains("disabled"));
    assert_eq!(read(&admin, None).await.as_deref(), Ok("value 30"));

    let reader = vault(&site, "11111111-aaaa-4bbb-8ccc-222222222222", "lab8Q~only.client.secret.of.the.reader-0").await;
    assert_eq!(read(&reader, None).await.as_deref(), Ok("value 30"));
    let refused = reader.update_secret_properties(NAME, parameters.try_into().unwrap(), None).await.unwrap_err();
    assert!(refused.to_string().contains("not authorized"), "{refused}");
}
