//! Google's own side as an operator reads it: IAM for the pool, the provider and roles, Resource Manager for the project, the
//! policies of each, Secret Manager for the secret without its value, Logging for the audit log. Nothing is changed. A
//! throttled call is made again; everything ends at one deadline.

use std::time::Duration;

use futures_util::future::{OptionFuture, join_all};
use http::Method;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use super::secrets::path_part;
use super::{Body, GoogleSession, GoogleTarget};
use crate::check::facts::google::GoogleCall;
use crate::check::facts::operator_google::permission::{
    LIST_DENIES, LIST_PROVIDERS, READ_ACCOUNT_POLICY, READ_DENY, READ_FOLDER, READ_FOLDER_POLICY, READ_LOG,
    READ_ORGANIZATION_POLICY, READ_POOL, READ_PROJECT, READ_PROJECT_POLICY, READ_PROVIDER, READ_ROLE, READ_SECRET,
    READ_SECRET_POLICY, READ_VERSION,
};
use crate::check::facts::operator_google::{
    AncestorSide, DenySide, NamedProvider, ProjectInForce, ProviderInForce, ProviderSide, RightsSide, RoleSide,
    SERVICE_DISABLED, SecretSide, StateInForce, StoredSecret, VersionInForce,
};
use crate::check::facts::read::{Read, Throttled};
use crate::check::facts::secret::{Answer, Call};
use crate::domain::gcp::{Binding, DenyPolicy, bindings, roles_in_question};
use crate::domain::pool_name::ProviderName;
use crate::domain::profile::Profile;
use crate::domain::timestamp::{UnixSeconds, rfc3339};

/// The first pause after a throttled call; each next one is twice as long.
const PAUSE: Duration = Duration::from_millis(500);
/// Policies with conditions are told whole in this version of their form alone.
const POLICY_VERSION: u8 = 3;
/// The entries of the log that one answer has at most.
const LOG_PAGE: u16 = 1000;
/// Deny policies of one answer; a place has 500 at most.
const DENIES_PAGE: u16 = 1000;
/// Folders go ten deep, below one organization.
const MOST_ABOVE: usize = 11;
/// No more of the log is read.
const MOST_PAGES: usize = 20;

/// Reads with an operator's access token, which end together.
pub struct OperatorReader<'s> {
    target: GoogleTarget,
    session: &'s GoogleSession,
    deadline: Instant,
}

/// One question: how it is asked, and what it takes to be answered.
struct Question {
    permission: &'static str,
    method: Method,
    url: String,
    body: Option<Value>,
}

fn get(permission: &'static str, url: String) -> Question {
    Question { permission, method: Method::GET, url, body: None }
}

/// The policy of a project, a folder or an organization.
fn policy_of(permission: &'static str, url: String) -> Question {
    let body = json!({ "options": { "requestedPolicyVersion": POLICY_VERSION } });
    Question { permission, method: Method::POST, url, body: Some(body) }
}

/// What a part of a path has besides letters and digits as it is.
const PART: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b'@');

/// A text as one part of a path.
fn part(text: &str) -> String {
    utf8_percent_encode(text, PART).to_string()
}

impl GoogleTarget {
    /// Reads until so much time has passed.
    pub fn operator_reader<'s>(&self, session: &'s GoogleSession, left: Duration) -> OperatorReader<'s> {
        OperatorReader { target: self.clone(), session, deadline: Instant::now() + left }
    }
}

impl OperatorReader<'_> {
    /// The project of this id or number.
    pub async fn project(&self, named: &str) -> Read<ProjectInForce> {
        let url = format!("{}/v1/projects/{}", self.target.settings.resource_manager(), part(named));
        self.one(get(READ_PROJECT, url), ProjectInForce::read).await
    }

    /// The pool and the provider of this name; where they are not there to be read, those of the same pool's name in the
    /// project with the secrets, or the pool's other providers.
    pub async fn provider(&self, name: &ProviderName, own_project: Option<&ProjectInForce>) -> ProviderSide {
        let at = |project: &str| {
            let base = self.target.settings.iam();
            format!("{base}/v1/projects/{}/locations/global/workloadIdentityPools/{}", part(project), part(&name.pool))
        };
        let pool_url = at(&name.project);
        let provider_url = format!("{pool_url}/providers/{}", part(&name.provider));
        let (pool, provider) = tokio::join!(
            self.one(get(READ_POOL, pool_url.clone()), StateInForce::read),
            self.one(get(READ_PROVIDER, provider_url), ProviderInForce::read),
        );
        let other =
            own_project.filter(|own| provider.seen().is_none() && ![&own.id, &own.number].contains(&&name.project));
        let in_own_project = OptionFuture::from(other.map(|own| self.providers(at(&own.number)))).await;
        let is_near = provider.is_nowhere() && pool.seen().is_some();
        let listed = OptionFuture::from(is_near.then(|| self.providers(pool_url))).await;
        ProviderSide { name: name.to_string(), pool, provider, in_own_project, listed }
    }

    async fn providers(&self, pool_url: String) -> Read<Vec<NamedProvider>> {
        let question = get(LIST_PROVIDERS, format!("{pool_url}/providers?pageSize=100"));
        self.all(question, "workloadIdentityPoolProviders", NamedProvider::read).await
    }

    /// Who has which roles on what the profile reads, and what those roles allow; with the project's own place, also what is
    /// above it, and who is denied what. `None` where the profile names no project.
    pub async fn rights(&self, profile: &Profile, own: Option<&ProjectInForce>) -> Option<RightsSide> {
        let settings = &self.target.settings;
        let project = settings.project_id.as_deref()?;
        let url = format!("{}/v1/projects/{}:getIamPolicy", settings.resource_manager(), part(project));
        let of_project = policy_of(READ_PROJECT_POLICY, url);
        let of_secret = profile.secret.as_ref().and_then(|secret| path_part(&secret.name)).and_then(|name| {
            let (base, parent) = (settings.secret_manager(), settings.secret_parent()?);
            let version = format!("options.requestedPolicyVersion={POLICY_VERSION}");
            Some(get(READ_SECRET_POLICY, format!("{base}/v1/{parent}/secrets/{name}:getIamPolicy?{version}")))
        });
        let account = settings.service_account.as_deref();
        let of_account = account.map(|account| {
            let at = format!("{}/v1/projects/-/serviceAccounts/{}", settings.iam(), part(account));
            let version = format!("options.requestedPolicyVersion={POLICY_VERSION}");
            let url = format!("{at}:getIamPolicy?{version}");
            // A request that sends nothing would be without a length, which Google does not take of a POST.
            Question { permission: READ_ACCOUNT_POLICY, method: Method::POST, url, body: Some(json!({})) }
        });
        let parent = own.and_then(|own| own.parent.clone());
        let (above, denies, project, secret, account_policy) = tokio::join!(
            self.above(parent),
            OptionFuture::from(own.map(|own| self.denies(format!("projects/{}", own.number)))),
            self.policy(of_project),
            OptionFuture::from(of_secret.map(|question| self.policy(question))),
            OptionFuture::from(of_account.map(|question| self.policy(question))),
        );
        let inherited = above.iter().map(|one| &one.policy);
        let read = std::iter::once(&project).chain(&secret).chain(&account_policy).chain(inherited);
        let names = roles_in_question(read.filter_map(Read::seen).flatten(), account);
        let roles = join_all(names.into_iter().map(|name| self.role(name))).await;
        Some(RightsSide { project, secret, account: account_policy, above, denies, roles })
    }

    /// The folders around a project and the organization, from the innermost on, as far as each says what it is in.
    async fn above(&self, mut next: Option<String>) -> Vec<AncestorSide> {
        let mut found = Vec::new();
        while let Some(name) = next.take().filter(|_| found.len() < MOST_ABOVE) {
            let Some(one) = self.ancestor(name).await else { break };
            next = one.parent.as_ref().and_then(|read| read.seen().cloned().flatten());
            found.push(one);
        }
        found
    }

    /// A folder or an organization; `None` where the name is neither's.
    async fn ancestor(&self, name: String) -> Option<AncestorSide> {
        let (kind, number) = name.split_once('/')?;
        let permission = match kind {
            "folders" => READ_FOLDER_POLICY,
            "organizations" => READ_ORGANIZATION_POLICY,
            _ => return None,
        };
        let url = format!("{}/v3/{kind}/{}", self.target.settings.resource_manager(), part(number));
        let of_folder = (kind == "folders").then(|| get(READ_FOLDER, url.clone()));
        let parent = |answer: &Value| {
            answer["name"].as_str()?;
            Some(answer["parent"].as_str().map(str::to_owned))
        };
        let (parent, policy, denies) = tokio::join!(
            OptionFuture::from(of_folder.map(|question| self.one(question, parent))),
            self.policy(policy_of(permission, format!("{url}:getIamPolicy"))),
            self.denies(name.clone()),
        );
        Some(AncestorSide { name, parent, policy, denies })
    }

    /// The deny policies that are attached to `projects/NUMBER` and the like.
    async fn denies(&self, place: String) -> DenySide {
        let attached = part(&format!("cloudresourcemanager.googleapis.com/{place}"));
        let url = format!("{}/v2/policies/{attached}/denypolicies", self.target.settings.iam());
        let id = |entry: &Value| entry["name"].as_str()?.rsplit('/').next().map(str::to_owned);
        let listed = self.all(get(LIST_DENIES, format!("{url}?pageSize={DENIES_PAGE}")), "policies", id).await;
        let ids = listed.seen().map_or(&[][..], Vec::as_slice);
        let policies =
            join_all(ids.iter().map(|id| self.one(get(READ_DENY, format!("{url}/{}", part(id))), DenyPolicy::read)));
        DenySide { policies: policies.await, listed }
    }

    async fn policy(&self, question: Question) -> Read<Vec<Binding>> {
        self.one(question, |answer| {
            // A policy that grants nothing may be an empty object.
            let is_empty = answer.as_object().is_some_and(serde_json::Map::is_empty);
            if is_empty { Some(Vec::new()) } else { bindings(&answer.to_string()).ok() }
        })
        .await
    }

    /// The permissions of a role, which is Google's own, a project's or an organization's.
    async fn role(&self, name: String) -> RoleSide {
        let path: Vec<String> = name.split('/').map(part).collect();
        let url = format!("{}/v1/{}", self.target.settings.iam(), path.join("/"));
        let permissions = self.one(get(READ_ROLE, url), |answer| {
            answer["name"].as_str()?;
            let held = answer["includedPermissions"].as_array().into_iter().flatten();
            Some(held.filter_map(Value::as_str).map(str::to_owned).collect())
        });
        RoleSide { permissions: permissions.await, name }
    }

    /// The profile's secret and the version that is asked for; where it is not there, the locations that have one of its
    /// name. `None` where the profile names none.
    pub async fn secret(&self, profile: &Profile) -> Option<SecretSide> {
        let (settings, secret) = (&self.target.settings, profile.secret.as_ref()?);
        let url = format!(
            "{}/v1/{}/secrets/{}",
            settings.secret_manager(),
            settings.secret_parent()?,
            path_part(&secret.name)?
        );
        let version_url = format!("{url}/versions/{}", part(settings.version()));
        let (stored, version) = tokio::join!(
            self.one(get(READ_SECRET, url), |answer| Some(StoredSecret { name: answer["name"].as_str()?.to_owned() })),
            self.one(get(READ_VERSION, version_url), VersionInForce::read),
        );
        let is_nowhere = stored.is_nowhere();
        let found_in = if is_nowhere { self.target.locate_secret(self.session, secret).await } else { Vec::new() };
        Some(SecretSide { secret: stored, version: (!is_nowhere).then_some(version), found_in })
    }

    /// The entries of the project's audit log about exchanges and reads of secrets since then, the latest first.
    pub async fn log(&self, project: &str, since: UnixSeconds) -> Read<Vec<Value>> {
        let since = rfc3339(since).unwrap_or_default();
        let filter = format!(
            "protoPayload.serviceName=(\"sts.googleapis.com\" OR \"iamcredentials.googleapis.com\" OR \
             \"secretmanager.googleapis.com\") AND timestamp>=\"{since}\""
        );
        let question = Question {
            permission: READ_LOG,
            method: Method::POST,
            url: format!("{}/v2/entries:list", self.target.settings.logging()),
            body: Some(json!({
                "resourceNames": [format!("projects/{project}")],
                "filter": filter,
                "orderBy": "timestamp desc",
                "pageSize": LOG_PAGE,
            })),
        };
        self.all(question, "entries", |entry| Some(entry.clone())).await
    }

    /// One thing, as `read` makes it of the answer.
    async fn one<T>(&self, question: Question, read: impl Fn(&Value) -> Option<T>) -> Read<T> {
        let asked = self.ask(&question).await;
        asked.and_then(|answer| read(&answer).map_or_else(unreadable, Answer::Granted))
    }

    /// All of a list, page by page, as `read` makes each of its entry; entries of another kind are left out.
    async fn all<T>(&self, mut question: Question, member: &str, read: impl Fn(&Value) -> Option<T>) -> Read<Vec<T>> {
        let (mut entries, mut throttled, first) = (Vec::new(), Throttled::default(), question.url.clone());
        for _ in 0..MOST_PAGES {
            let mut next = None;
            let page = self.ask(&question).await;
            throttled = throttled.and_then(page.throttled);
            let page = page.map(|answer| {
                entries.extend(answer[member].as_array().into_iter().flatten().filter_map(&read));
                next = answer["nextPageToken"].as_str().filter(|token| !token.is_empty()).map(str::to_owned);
            });
            match (next, &mut question.body) {
                (Some(token), Some(body)) => body["pageToken"] = token.into(),
                (Some(token), None) => question.url = format!("{first}&pageToken={}", part(&token)),
                (None, _) => return Read { throttled, ..page.map(|()| entries) },
            }
        }
        let call = Call { region: None, attempts: 1, waited_ms: 0, answer: Answer::Granted(entries), exchange: None };
        Read { permission: question.permission, call, throttled }
    }

    /// Asks once, again while the service has no time and there is some left.
    async fn ask(&self, question: &Question) -> Read<Value> {
        let (mut throttled, mut pause) = (Throttled::default(), PAUSE);
        loop {
            let left = self.deadline.saturating_duration_since(Instant::now());
            let target = GoogleTarget { http: self.target.http.within(left), ..self.target.clone() };
            let body = question.body.as_ref().map_or(Body::None, |body| Body::Json(body.to_string()));
            let asked = target.call(question.method.clone(), &question.url, Some(self.session), body, |body| {
                serde_json::from_slice::<Value>(body).map_err(|_| "the answer is not one of Google's".to_owned())
            });
            let fact = asked.await;
            let is_busy = fact.call.refusal().is_some_and(|refusal| [429, 503].contains(&refusal.http_status));
            throttled.times += u32::from(is_busy);
            if is_busy && Instant::now() + pause < self.deadline {
                sleep(pause).await;
                throttled.waited_ms += u64::try_from(pause.as_millis()).unwrap_or(u64::MAX);
                pause *= 2;
                continue;
            }
            return Read { permission: question.permission, call: named_by_reason(fact), throttled };
        }
    }
}

/// The call with the reason of a refusal in place of its code, where that says more: a service that is off, or a token for
/// less, is no lack of a permission.
fn named_by_reason(fact: GoogleCall<Value>) -> Call<Value> {
    let GoogleCall { mut call, error, .. } = fact;
    let reason = error.and_then(|error| match (error.is_service_disabled(), error.reason) {
        (true, _) => Some(SERVICE_DISABLED.to_owned()),
        (false, reason) => reason.filter(|reason| reason != "IAM_PERMISSION_DENIED"),
    });
    if let (Answer::Refused(refusal), Some(reason)) = (&mut call.answer, reason) {
        refusal.code = reason;
    }
    call
}

fn unreadable<T>() -> Answer<T> {
    Answer::Unreadable { http_status: Some(200), detail: "the answer is not one of Google's".to_owned() }
}
