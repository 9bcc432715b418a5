//! Azure's own side as an operator reads it: Graph for the application, Resource Manager for the vault and the rights
//! there. Nothing but GET goes out. A throttled call is made again; everything ends at one deadline.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use azure_core::credentials::TokenCredential;
use futures_util::future::join_all;
use http::header::{AUTHORIZATION, RETRY_AFTER};
use http::{HeaderValue, StatusCode};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;
use tokio::time::{Instant, sleep};
use url::Url;

use crate::check::facts::network::Exchange;
use crate::check::facts::operator_azure::permission::{
    READ_APPLICATIONS, READ_ASSIGNMENTS, READ_DEFINITIONS, READ_DENIALS, READ_IDENTITY_CREDENTIALS, READ_SECRET,
    READ_SIGN_INS, READ_SUBSCRIPTION, READ_VAULT,
};
use crate::check::facts::operator_azure::{
    ApplicationFact, CredentialsInForce, Registration, RightsFact, SecretResource, ServicePrincipal, VaultSettingsFact,
};
use crate::check::facts::read::{Read, Throttled};
use crate::check::facts::secret::{Answer, Call, Refusal};
use crate::domain::national_cloud;
use crate::domain::profile::AzureSettings;
use crate::domain::timestamp::{UnixSeconds, rfc3339};
use crate::domain::vault_access::{DenyAssignment, Identity, RoleAssignment, RoleDefinition, VaultResource};
use crate::probe::http::{ANSWER_LIMIT, HttpStack, Observed};

/// The most of one answer that is read, in bytes.
const LIMIT: u64 = 4 * 1024 * 1024;
/// The pause after a throttled call where the service names none.
const PAUSE: Duration = Duration::from_secs(1);

const VAULTS: &str = "2026-02-01";
const AUTHORIZATIONS: &str = "2022-04-01";
const RESOURCES: &str = "2021-04-01";
/// Stable versions show a flexible credential without its expression.
const IDENTITY_CREDENTIALS: &str = "2025-01-31-preview";

/// An operator's session at Graph and Resource Manager. Lives as long as one run; shows no token.
#[derive(Clone)]
pub struct OperatorSession {
    pub(super) http: HttpStack,
    pub(super) credential: Arc<dyn TokenCredential>,
    pub(super) services: Services,
}

/// The service that is asked.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Service {
    Graph,
    Manager,
}

/// One question: where, and what it takes to be answered.
pub(super) struct Question {
    service: Service,
    permission: &'static str,
    path: String,
}

pub(super) fn of_graph(path: String) -> Question {
    Question { service: Service::Graph, permission: READ_APPLICATIONS, path }
}

pub(super) fn of_manager(permission: &'static str, path: String) -> Question {
    Question { service: Service::Manager, permission, path }
}

/// A text as one part of a path or query.
fn part(text: &str) -> String {
    utf8_percent_encode(text, NON_ALPHANUMERIC).to_string()
}

/// Reads of one step, which end together.
pub struct Reader<'s> {
    session: &'s OperatorSession,
    deadline: Instant,
}

impl OperatorSession {
    /// Reads until so much time has passed.
    pub fn reader(&self, left: Duration) -> Reader<'_> {
        Reader { session: self, deadline: Instant::now() + left }
    }
}

impl Reader<'_> {
    /// The application of this client id: its registration, its service principal, its groups, its credentials.
    pub async fn application(&self, client_id: &str) -> ApplicationFact {
        let object = |version: &str, collection: &str, below: &str| {
            of_graph(format!("/{version}/{collection}(appId='{}'){below}", part(client_id)))
        };
        let (registration, principal, groups, own) = tokio::join!(
            self.one(object("v1.0", "applications", ""), Registration::read),
            self.one(object("v1.0", "servicePrincipals", ""), ServicePrincipal::read),
            self.all(object("v1.0", "servicePrincipals", "/transitiveMemberOf/microsoft.graph.group"), group_id),
            self.all(object("beta", "applications", "/federatedIdentityCredentials"), |entry| Some(entry.clone())),
        );
        let identity = principal.seen().and_then(|principal| principal.identity_id.clone());
        let credentials = match identity {
            _ if registration.seen().is_some() => Some(in_force(own, format!("the application {client_id}"))),
            Some(id) if registration.is_nowhere() => {
                let path = format!("{id}/federatedIdentityCredentials?api-version={IDENTITY_CREDENTIALS}");
                let question = of_manager(READ_IDENTITY_CREDENTIALS, path);
                let entries = self.all(question, |entry| Some(entry.clone())).await;
                Some(in_force(entries, format!("the managed identity {id}")))
            }
            _ if registration.unread().is_some() => Some(in_force(own, format!("the application {client_id}"))),
            _ => None,
        };
        ApplicationFact { registration, principal, groups, credentials }
    }

    /// The sign-ins of service principals since then, those of one application where it is named; the latest first.
    pub async fn sign_ins(&self, client_id: Option<&str>, since: UnixSeconds) -> Read<Vec<Value>> {
        let since = rfc3339(since).unwrap_or_default();
        let own = client_id.map(|id| format!(" and appId eq '{}'", id.replace('\'', "''"))).unwrap_or_default();
        let filter = format!("signInEventTypes/any(t: t eq 'servicePrincipal') and createdDateTime ge {since}{own}");
        let path = format!("/beta/auditLogs/signIns?$filter={}", part(&filter));
        let question = Question { service: Service::Graph, permission: READ_SIGN_INS, path };
        self.all(question, |entry| Some(entry.clone())).await
    }

    /// The vault of the profile, and the secret in it; `None` where the profile does not say which.
    pub async fn vault(&self, settings: &AzureSettings, secret: Option<&str>) -> Option<VaultSettingsFact> {
        let name = settings.known_vault_name()?;
        let known = match (&settings.subscription_id, &settings.resource_group) {
            (Some(subscription), Some(group)) => Ok(format!(
                "/subscriptions/{}/resourceGroups/{}/providers/Microsoft.KeyVault/vaults/{}",
                part(subscription),
                part(group),
                part(name)
            )),
            (subscription, _) => self.find_vault(subscription.as_deref(), name).await,
        };
        let id = match known {
            Ok(id) => id,
            Err(read) => return Some(VaultSettingsFact { vault: *read, secret: None }),
        };
        let vault = self.one(of_manager(READ_VAULT, format!("{id}?api-version={VAULTS}")), VaultResource::read);
        let read_secret = async {
            let path = format!("{id}/secrets/{}?api-version={VAULTS}", part(secret?));
            Some(self.one(of_manager(READ_SECRET, path), SecretResource::read).await)
        };
        let (vault, secret) = tokio::join!(vault, read_secret);
        Some(VaultSettingsFact { vault, secret })
    }

    /// The resource id of the vault of this name, in the subscription or in any that the operator sees.
    async fn find_vault(&self, subscription: Option<&str>, name: &str) -> Result<String, Box<Read<VaultResource>>> {
        let subscriptions = match subscription {
            Some(id) => vec![format!("/subscriptions/{}", part(id))],
            None => {
                let question = of_manager(READ_SUBSCRIPTION, format!("/subscriptions?api-version={RESOURCES}"));
                let listed = self.all(question, |entry| entry["id"].as_str().map(str::to_owned)).await;
                granted(listed)?
            }
        };
        let filter = part(&format!("resourceType eq 'Microsoft.KeyVault/vaults' and name eq '{name}'"));
        let lists = subscriptions.iter().map(|subscription| {
            let path = format!("{subscription}/resources?$filter={filter}&api-version={RESOURCES}");
            self.all(of_manager(READ_SUBSCRIPTION, path), |entry| {
                let same = entry["name"].as_str().is_some_and(|known| known.eq_ignore_ascii_case(name));
                entry["id"].as_str().filter(|_| same).map(str::to_owned)
            })
        });
        let mut unread = None;
        for list in join_all(lists).await {
            match granted(list) {
                Ok(ids) => {
                    if let Some(id) = ids.into_iter().next() {
                        return Ok(id);
                    }
                }
                Err(read) => unread = Some(read),
            }
        }
        Err(unread.unwrap_or_else(|| {
            let message = format!("no subscription that the operator sees has a vault `{name}`");
            let refusal = Refusal { code: "ResourceNotFound".into(), message, http_status: 404, request_id: None };
            let call = call(Answer::Refused(refusal), None);
            Box::new(Read { permission: READ_VAULT, call, throttled: Throttled::default() })
        }))
    }

    /// Who has rights at a vault, above it and on its secrets; of roles, those that concern the identity.
    pub async fn rights(&self, vault_id: &str, identity: Option<&Identity<'_>>) -> RightsFact {
        let listed = |permission, kind: &str| {
            let path = format!("{vault_id}/providers/Microsoft.Authorization/{kind}?api-version={AUTHORIZATIONS}");
            of_manager(permission, path)
        };
        let (assignments, denials) = tokio::join!(
            self.all(listed(READ_ASSIGNMENTS, "roleAssignments"), RoleAssignment::read),
            self.all(listed(READ_DENIALS, "denyAssignments"), DenyAssignment::read),
        );
        let concerning = assignments.seen().into_iter().flatten().filter(|one| {
            identity.is_none_or(|identity| identity.is_concerned(&one.principal_id, one.principal_type.as_deref()))
        });
        let ids: BTreeSet<&str> = concerning.map(|one| one.role_definition_id.as_str()).collect();
        let reads = ids.into_iter().map(|id| {
            let path = format!("{id}?api-version={AUTHORIZATIONS}");
            self.one(of_manager(READ_DEFINITIONS, path), RoleDefinition::read)
        });
        let definitions = join_all(reads).await;
        RightsFact { definitions, assignments, denials }
    }

    /// One thing, as `read` makes it of the answer.
    async fn one<T>(&self, question: Question, read: impl Fn(&Value) -> Option<T>) -> Read<T> {
        let asked = self.ask(&question, self.address(&question)).await;
        asked.and_then(|answer| read(&answer).map_or(unreadable(Some(200)), Answer::Granted)).without_exchange()
    }

    /// All of a list, page by page, as `read` makes each of its entry; entries of another kind are left out.
    pub(super) async fn all<T>(&self, question: Question, read: impl Fn(&Value) -> Option<T>) -> Read<Vec<T>> {
        let mut entries = Vec::new();
        let list = self.pages(question, |page| entries.extend(page.iter().filter_map(&read))).await;
        list.map(|()| entries)
    }

    /// As [`Reader::all`], with each page told as it comes.
    pub(super) async fn pages(&self, question: Question, mut told: impl FnMut(&[Value])) -> Read<()> {
        let (mut next, mut throttled) = (self.address(&question), Throttled::default());
        loop {
            let base = next.as_ref().ok().map(Url::origin);
            let mut link = None;
            let page = self.ask(&question, next).await;
            throttled = throttled.and_then(page.throttled);
            let page = page.and_then(|answer| match answer["value"].as_array() {
                Some(page) => {
                    told(page);
                    let named = answer.get("nextLink").or_else(|| answer.get("@odata.nextLink"));
                    link = named.and_then(Value::as_str).filter(|link| !link.is_empty()).map(str::to_owned);
                    Answer::Granted(())
                }
                None => unreadable(Some(200)),
            });
            let Some(link) = link else {
                return Read { throttled, ..page }.without_exchange();
            };
            // The token is for one place.
            next = match Url::parse(&link) {
                Ok(url) if Some(url.origin()) == base => Ok(url),
                _ => Err("the next page is at another address than the first".to_owned()),
            };
        }
    }

    fn address(&self, question: &Question) -> Result<Url, String> {
        let base = match question.service {
            Service::Graph => self.session.services.graph.clone()?,
            Service::Manager => self.session.services.manager.clone(),
        };
        Url::parse(&format!("{}{}", base.trim_end_matches('/'), question.path)).map_err(|error| error.to_string())
    }

    /// Sends one GET, again while the service has no time and there is some left.
    async fn ask(&self, question: &Question, url: Result<Url, String>) -> Read<Value> {
        let read = |call, throttled| Read { permission: question.permission, call, throttled };
        let not_sent = |detail: String| read(call(Answer::NotSent { detail }, None), Throttled::default());
        let url = match url {
            Ok(url) => url,
            Err(why) => return not_sent(why),
        };
        let scope = match question.service {
            Service::Graph => &self.session.services.graph_scope,
            Service::Manager => &self.session.services.manager_scope,
        };
        let token = match self.session.credential.get_token(&[scope], None).await {
            Ok(token) => token,
            Err(error) => return not_sent(format!("no access token for it: {error}")),
        };
        let Ok(mut bearer) = HeaderValue::from_str(&format!("Bearer {}", token.token.secret())) else {
            return not_sent("the access token is none that can be sent".to_owned());
        };
        bearer.set_sensitive(true);
        let mut throttled = Throttled::default();
        loop {
            let left = self.deadline.saturating_duration_since(Instant::now());
            let client = self.session.http.within(left).client();
            let observed = client.get(url.clone(), &[(AUTHORIZATION, bearer.clone())], LIMIT).await;
            let pause = pause_wanted(&observed);
            throttled.times += u32::from(pause.is_some());
            if let Some(pause) = pause.filter(|pause| Instant::now() + *pause < self.deadline) {
                sleep(pause).await;
                throttled.waited_ms += u64::try_from(pause.as_millis()).unwrap_or(u64::MAX);
                continue;
            }
            return read(answered(observed), throttled);
        }
    }
}

/// How long a service wants to be left alone; `None` where it answered.
fn pause_wanted(observed: &Observed) -> Option<Duration> {
    let answer = observed.answer.as_ref()?;
    let is_busy = matches!(answer.status, StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE);
    let named = answer.headers.get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.parse().ok());
    is_busy.then(|| named.map_or(PAUSE, Duration::from_secs))
}

fn answered(observed: Observed) -> Call<Value> {
    let Observed { exchange, answer } = observed;
    let outcome = match (answer, &exchange.failure) {
        (Some(answer), _) => {
            let body = serde_json::from_slice::<Value>(&answer.body).ok();
            let http_status = answer.status.as_u16();
            let error = body.as_ref().and_then(|body| body.get("error")).filter(|_| http_status >= 400);
            match (answer.status.is_success(), &body, error) {
                (true, Some(_), _) => Answer::Granted(body.unwrap_or_default()),
                (false, _, Some(error)) => Answer::Refused(Refusal {
                    code: error["code"].as_str().unwrap_or_default().to_owned(),
                    message: error["message"].as_str().unwrap_or_default().to_owned(),
                    http_status,
                    request_id: None,
                }),
                _ => unreadable(Some(http_status)),
            }
        }
        (None, Some(failure)) => Answer::Network { failure: failure.clone() },
        (None, None) => unreadable(exchange.status),
    };
    call(outcome, Some(exchange))
}

fn unreadable<T>(http_status: Option<u16>) -> Answer<T> {
    Answer::Unreadable { http_status, detail: "the answer is not one of Azure's".to_owned() }
}

fn call<T>(answer: Answer<T>, exchange: Option<Exchange>) -> Call<T> {
    Call { region: None, attempts: 1, waited_ms: 0, answer, exchange }
}

/// The entries of a list, or why there are none.
fn granted<T, U>(list: Read<Vec<T>>) -> Result<Vec<T>, Box<Read<U>>> {
    let mut entries = None;
    let read = list.and_then(|granted| {
        entries = Some(granted);
        unreadable(None)
    });
    entries.ok_or_else(|| Box::new(read))
}

fn group_id(entry: &Value) -> Option<String> {
    entry["id"].as_str().map(str::to_owned)
}

fn in_force(entries: Read<Vec<Value>>, source: String) -> Read<CredentialsInForce> {
    entries.map(|entries| {
        let count = entries.len();
        CredentialsInForce { source, count, text: Value::Array(entries).to_string() }
    })
}

/// Graph and Resource Manager: where they are, and what their tokens are asked for with.
#[derive(Clone)]
pub(super) struct Services {
    /// Its address, or why it is unknown.
    pub graph: Result<String, String>,
    pub graph_scope: String,
    pub manager: String,
    pub manager_scope: String,
}

impl Services {
    /// Those of the profile's cloud. A Resource Manager of no cloud's says itself what belongs to it, as it says it to the
    /// Azure CLI; a Graph on another host than its own is not believed.
    pub(super) async fn find(http: &HttpStack, settings: &AzureSettings) -> Self {
        let manager = settings.effective_resource_manager();
        if let Some(known) = national_cloud::of_resource_manager(&manager) {
            let graph = format!("https://{}", known.graph);
            return Services {
                graph_scope: format!("{graph}/.default"),
                graph: Ok(graph),
                manager_scope: format!("{}/.default", manager.trim_end_matches('/')),
                manager,
            };
        }
        let described = match Url::parse(&format!("{}{METADATA}", manager.trim_end_matches('/'))) {
            Ok(url) => http.client().get(url, &[], ANSWER_LIMIT).await.answer,
            Err(_) => None,
        };
        let described = described.and_then(|answer| serde_json::from_slice(&answer.body).ok()).unwrap_or_default();
        Services::described(&manager, &described)
    }

    fn described(manager: &str, described: &Value) -> Self {
        let audience = described.pointer("/authentication/audiences/0").and_then(Value::as_str).unwrap_or(manager);
        let host = |address: &str| Url::parse(address).ok()?.host_str().map(str::to_owned);
        let graph = match described["microsoftGraphResourceId"].as_str() {
            Some(graph) if host(graph).is_some() && host(graph) == host(manager) => {
                Ok(graph.trim_end_matches('/').to_owned())
            }
            Some(_) => Err(format!("{manager} names a Graph on another host than its own")),
            None => Err(format!("{manager} does not say where its Graph is")),
        };
        Services {
            graph_scope: graph.as_ref().map(|graph| format!("{graph}/.default")).unwrap_or_default(),
            graph,
            manager: manager.to_owned(),
            manager_scope: format!("{}/.default", audience.trim_end_matches('/')),
        }
    }
}

const METADATA: &str = "/metadata/endpoints?api-version=2022-09-01";

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_graph_on_another_host_is_not_believed() {
        const MANAGER: &str = "https://127.0.0.1:1";
        let graph = |address: &str| Services::described(MANAGER, &json!({ "microsoftGraphResourceId": address })).graph;
        assert_eq!(graph("https://127.0.0.1:2/"), Ok("https://127.0.0.1:2".to_owned()));
        for address in ["https://graph.example", "127.0.0.1:2", ""] {
            assert!(graph(address).is_err(), "{address}");
        }
        let audiences = json!({ "authentication": { "audiences": ["https://management.azure.com/"] } });
        let scope = "https://management.azure.com/.default";
        assert_eq!(Services::described(MANAGER, &audiences).manager_scope, scope);
        assert!(Services::described(MANAGER, &json!(null)).graph.is_err());
    }
}
