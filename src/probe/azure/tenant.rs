//! A whole directory as an auditor reads it: its applications with their federated credentials, page by page, and the
//! credentials of the managed identities in every subscription that the operator sees.

use std::time::Duration;

use futures_util::stream::{self, StreamExt as _};
use serde_json::{Value, json};

use super::side::{OperatorSession, Question, Reader, of_graph, of_manager};
use crate::check::facts::operator_azure::permission::{READ_IDENTITIES, READ_IDENTITY_CREDENTIALS, READ_SUBSCRIPTION};
use crate::check::facts::read::{Gathered, Told};

/// Stable versions show a flexible credential without its expression.
const APPLICATIONS: &str =
    "/beta/applications?$select=id,appId,displayName&$expand=federatedIdentityCredentials&$top=100";
const SUBSCRIPTIONS: &str = "/subscriptions?api-version=2022-12-01";
const IDENTITIES: &str = "2025-01-31-preview";
/// So many identities are asked for at once.
const AT_ONCE: usize = 8;

impl OperatorSession {
    /// Reads the directory and its subscriptions, and tells of each answer. A call is made again while it is throttled; all of
    /// it ends after `patience`.
    ///
    /// # Errors
    /// What was told could not be kept.
    pub async fn read_tenant(&self, patience: Duration, told: &mut Told<'_>) -> std::io::Result<Gathered> {
        let reader = self.reader(patience);
        let mut gathered = Gathered::default();
        let mut kept = Ok(());
        let question = of_graph(APPLICATIONS.to_owned());
        let applications = reader.pages(question, |page| {
            if kept.is_ok() {
                kept = told(&json!({ "value": page }));
            }
        });
        gathered.add(&applications.await);
        kept?;
        let listed = reader.all(of_manager(READ_SUBSCRIPTION, SUBSCRIPTIONS.to_owned()), id).await;
        gathered.add(&listed);
        for subscription in listed.seen().into_iter().flatten() {
            let path = format!(
                "{subscription}/providers/Microsoft.ManagedIdentity/userAssignedIdentities?api-version={IDENTITIES}"
            );
            let identities = reader.all(of_manager(READ_IDENTITIES, path), |entry| Some(entry.clone())).await;
            gathered.add(&identities);
            let asked = identities.seen().into_iter().flatten().map(|identity| credentials_of(&reader, identity));
            let mut answers = stream::iter(asked).buffered(AT_ONCE);
            while let Some((read, document)) = answers.next().await {
                gathered.join(&read);
                if let Some(document) = document {
                    told(&document)?;
                }
            }
        }
        Ok(gathered)
    }
}

/// A managed identity in the form of an application, since logs name both by a client id.
async fn credentials_of(reader: &Reader<'_>, identity: &Value) -> (Gathered, Option<Value>) {
    let mut gathered = Gathered::default();
    let Some(path) = id(identity) else { return (gathered, None) };
    let question: Question =
        of_manager(READ_IDENTITY_CREDENTIALS, format!("{path}/federatedIdentityCredentials?api-version={IDENTITIES}"));
    let read = reader.all(question, |entry| Some(entry.clone())).await;
    gathered.add(&read);
    let document = read.seen().map(|credentials| {
        json!({"id": path, "displayName": path, "appId": identity.pointer("/properties/clientId"), "federatedIdentityCredentials": credentials})
    });
    (gathered, document)
}

fn id(entry: &Value) -> Option<String> {
    entry.get("id")?.as_str().map(str::to_owned)
}
