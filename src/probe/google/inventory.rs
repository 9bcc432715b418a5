//! A whole project as an auditor reads it: its pools with their providers, and the policies of the project and of its service
//! accounts, page by page.

use std::time::Duration;

use futures_util::stream::{self, StreamExt as _};
use http::Method;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use super::{Body, GoogleSession, GoogleTarget};
use crate::check::facts::read::{Gathered, Read, Throttled, Told};

const POOLS: &str = "iam.workloadIdentityPools.list";
const PROVIDERS: &str = "iam.workloadIdentityPoolProviders.list";
const ACCOUNTS: &str = "iam.serviceAccounts.list";
const ACCOUNT_POLICY: &str = "iam.serviceAccounts.getIamPolicy";
const PROJECT_POLICY: &str = "resourcemanager.projects.getIamPolicy";
/// The first pause after a throttled call; it doubles.
const FIRST_PAUSE: Duration = Duration::from_millis(200);
/// So many service accounts are asked for at once.
const AT_ONCE: usize = 8;
/// Bindings with conditions are in policies of this version alone.
const POLICY_VERSION: u8 = 3;

/// What is asked, and what it takes.
struct Question<'q> {
    permission: &'static str,
    method: Method,
    url: &'q str,
}

impl GoogleTarget {
    /// Reads the project, and tells of each answer. A call is made again while it is throttled, for `patience` at most.
    ///
    /// # Errors
    /// What was told could not be kept.
    pub async fn read_project(
        &self,
        session: &GoogleSession,
        project: &str,
        patience: Duration,
        told: &mut Told<'_>,
    ) -> std::io::Result<Gathered> {
        let auditor = Auditor { target: self, session, patience };
        let (iam, manager) = (self.settings.iam(), self.settings.resource_manager());
        let mut gathered = Gathered::default();
        let pools = format!("{iam}/v1/projects/{project}/locations/global/workloadIdentityPools");
        let pools = auditor.all(POOLS, &pools, "workloadIdentityPools").await;
        gathered.add(&pools);
        for pool in pools.seen().into_iter().flatten().filter_map(name) {
            let url = format!("{iam}/v1/{pool}/providers");
            let providers = auditor.all(PROVIDERS, &url, "workloadIdentityPoolProviders").await;
            gathered.add(&providers);
            providers.seen().into_iter().flatten().try_for_each(&mut *told)?;
        }
        let policy = auditor.policy(PROJECT_POLICY, &format!("{manager}/v1/projects/{project}")).await;
        gathered.add(&policy);
        if let Some(policy) = policy.seen() {
            told(&of_resource(&format!("//cloudresourcemanager.googleapis.com/projects/{project}"), policy))?;
        }
        let accounts = auditor.all(ACCOUNTS, &format!("{iam}/v1/projects/{project}/serviceAccounts"), "accounts").await;
        gathered.add(&accounts);
        let names: Vec<String> = accounts.seen().into_iter().flatten().filter_map(name).collect();
        let auditor = &auditor;
        let asked = names.iter().map(|account| {
            let url = format!("{iam}/v1/{account}");
            async move { (account, auditor.policy(ACCOUNT_POLICY, &url).await) }
        });
        let mut answers = stream::iter(asked).buffered(AT_ONCE);
        while let Some((account, policy)) = answers.next().await {
            gathered.add(&policy);
            if let Some(policy) = policy.seen() {
                told(&of_resource(&format!("//iam.googleapis.com/{account}"), policy))?;
            }
        }
        Ok(gathered)
    }
}

/// A policy and whose it is, as Cloud Asset Inventory writes them.
fn of_resource(resource: &str, policy: &Value) -> Value {
    json!({ "resource": resource, "policy": policy })
}

fn name(entry: &Value) -> Option<String> {
    entry.get("name")?.as_str().map(str::to_owned)
}

/// Whoever reads a project.
struct Auditor<'a> {
    target: &'a GoogleTarget,
    session: &'a GoogleSession,
    patience: Duration,
}

impl Auditor<'_> {
    async fn policy(&self, permission: &'static str, resource: &str) -> Read<Value> {
        let url = format!("{resource}:getIamPolicy");
        self.ask(Question { permission, method: Method::POST, url: &url }).await
    }

    /// All entries of a list that comes in pages.
    async fn all(&self, permission: &'static str, url: &str, member: &str) -> Read<Vec<Value>> {
        let (mut entries, mut token, mut throttled) = (Vec::new(), None::<String>, Throttled::default());
        loop {
            let next = token.as_deref().map(|token| {
                let token: String = url::form_urlencoded::byte_serialize(token.as_bytes()).collect();
                format!("{url}?pageToken={token}")
            });
            let asked = next.as_deref().unwrap_or(url);
            let page = self.ask(Question { permission, method: Method::GET, url: asked }).await;
            throttled = throttled.and_then(page.throttled);
            let mut following = None;
            let page = page.map(|answer| {
                entries.extend(answer.get(member).and_then(Value::as_array).into_iter().flatten().cloned());
                let named = answer.get("nextPageToken").and_then(Value::as_str);
                following = named.filter(|token| !token.is_empty()).map(str::to_owned);
            });
            if following.is_none() || following == token {
                return Read { throttled, ..page.map(|()| entries) };
            }
            token = following;
        }
    }

    /// Sends one call, again while it is throttled and there is time.
    async fn ask(&self, question: Question<'_>) -> Read<Value> {
        let deadline = Instant::now() + self.patience;
        let (mut pause, mut throttled) = (FIRST_PAUSE, Throttled::default());
        loop {
            let body = match question.method {
                Method::POST => Body::Json(json!({"options": {"requestedPolicyVersion": POLICY_VERSION}}).to_string()),
                _ => Body::None,
            };
            let read = |body: &[u8]| serde_json::from_slice(body).map_err(|error| error.to_string());
            let answered =
                self.target.call(question.method.clone(), question.url, Some(self.session), body, read).await;
            let is_throttled = answered.call.refusal().is_some_and(|refusal| refusal.http_status == 429);
            throttled.times += u32::from(is_throttled);
            if !is_throttled || Instant::now() + pause >= deadline {
                return Read { permission: question.permission, call: answered.call, throttled }.without_exchange();
            }
            sleep(pause).await;
            throttled.waited_ms += u64::try_from(pause.as_millis()).unwrap_or(u64::MAX);
            pause *= 2;
        }
    }
}
