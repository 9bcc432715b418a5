//! Access tokens, and the way every request goes that carries one: who holds it, whether the service is enabled, whether
//! the token is for it, whether a grant allows it.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use percent_encoding::percent_decode_str;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Cloud;
use super::error::{GoogleError, answered, place};
use super::project::{Caller, Project, Resource};
use crate::lab::LabError;
use crate::lab::journal::Journal;
use crate::lab::server::{Request, Response, Service, now};

/// The scope that everything takes.
pub(super) const ALL: &str = "https://www.googleapis.com/auth/cloud-platform";
/// How Google's access tokens begin.
const PREFIX: &str = "ya29.";

/// Makes access tokens, and knows its own.
pub(super) struct AccessTokens {
    key: hmac::Key,
}

/// What an access token stands for.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Grant {
    pub caller: Caller,
    /// Separated by blanks.
    pub scope: String,
    /// Seconds since the epoch.
    pub expires: i64,
}

impl AccessTokens {
    pub(super) fn new() -> Result<Self, LabError> {
        let key = hmac::Key::generate(hmac::HMAC_SHA256, &aws_lc_rs::rand::SystemRandom::new());
        Ok(AccessTokens { key: key.map_err(|_| LabError::Keys)? })
    }

    pub(super) fn issue(&self, caller: Caller, scope: &str, expires: i64) -> SecretString {
        let grant = Grant { caller, scope: scope.to_owned(), expires };
        let input = URL_SAFE_NO_PAD.encode(serde_json::to_vec(&grant).unwrap_or_default());
        let tag = hmac::sign(&self.key, input.as_bytes());
        format!("{PREFIX}{input}.{}", URL_SAFE_NO_PAD.encode(tag)).into()
    }

    fn read(&self, token: &str) -> Option<Grant> {
        let (input, tag) = token.strip_prefix(PREFIX)?.rsplit_once('.')?;
        hmac::verify(&self.key, input.as_bytes(), &URL_SAFE_NO_PAD.decode(tag).ok()?).ok()?;
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(input).ok()?).ok()
    }
}

/// A service that takes access tokens.
#[derive(Clone, Copy)]
pub(super) struct GoogleService {
    /// As the project enables it: `secretmanager.googleapis.com`.
    pub name: &'static str,
    /// What people call it.
    pub title: &'static str,
    /// Scopes that it takes beside the one that everything takes.
    pub scopes: &'static [&'static str],
    pub act: fn(&Asked<'_>) -> Result<Value, GoogleError>,
}

/// A request of somebody who is known.
pub(super) struct Asked<'r> {
    pub cloud: &'r Cloud,
    pub caller: &'r Caller,
    pub request: &'r Request,
    /// The path without its version: `projects/P/secrets/S`.
    path: String,
    /// What stands behind the colon: `access`.
    verb: String,
    pub now: i64,
}

impl Asked<'_> {
    /// The method, the parts of the path, and the verb behind it.
    pub(super) fn route(&self) -> (&str, Vec<&str>, &str) {
        (self.request.method.as_str(), self.path.split('/').collect(), &self.verb)
    }

    /// A parameter of the query.
    pub(super) fn parameter(&self, name: &str) -> Option<String> {
        self.request.parameter(name)
    }

    /// The JSON that was sent; an empty object where nothing was.
    pub(super) fn body(&self) -> Result<Value, GoogleError> {
        if self.request.body.is_empty() {
            return Ok(Value::Object(serde_json::Map::new()));
        }
        serde_json::from_slice(&self.request.body)
            .map_err(|error| GoogleError::invalid(format!("Invalid JSON payload received. {error}")))
    }

    /// Refuses who lacks the permission; `at` names the place where that is not the resource itself.
    pub(super) fn must(
        &self,
        project: &Project,
        permission: &str,
        resource: &Resource,
        at: Option<&str>,
    ) -> Result<(), GoogleError> {
        if project.allows(self.caller, permission, resource, self.now) {
            return Ok(());
        }
        let resource = place(resource, &project.name());
        Err(GoogleError::denied(permission, at.unwrap_or(&resource)))
    }

    /// The project as it is now, where the path names it; who asks for another one may do nothing there.
    pub(super) fn project(&self, named: &str, permission: &str) -> Result<Arc<Project>, GoogleError> {
        let project = self.cloud.project.now();
        match project.is(named) {
            true => Ok(project),
            false => Err(GoogleError::denied(permission, &format!("projects/{named}"))),
        }
    }
}

/// A service at an address of its own.
pub(super) struct Api {
    cloud: Arc<Cloud>,
    service: GoogleService,
}

impl Api {
    pub(super) fn new(cloud: Arc<Cloud>, service: GoogleService) -> Self {
        Api { cloud, service }
    }

    fn act(&self, request: &Request) -> Result<Value, GoogleError> {
        if request.path == Journal::PATH {
            return Ok(self.cloud.journal.shown());
        }
        let now = now();
        let project = self.cloud.project.now();
        let grant = authenticated(&self.cloud.tokens, &project, request, now)?;
        self.cloud.journal.note_bearer(request, &grant.caller.principal(&project.number));
        if matches!(grant.caller, Caller::User(_)) && self.is_too_often(&project) {
            return Err(GoogleError::exhausted(self.service.name));
        }
        if project.disabled_services.contains(self.service.name) {
            return Err(GoogleError::service_disabled(self.service.title, self.service.name, &project.number));
        }
        // What a token without any scope may be used for is not known; it is not refused for that.
        let fits = |scope: &str| scope == ALL || self.service.scopes.contains(&scope);
        if !grant.scope.is_empty() && !grant.scope.split(' ').any(fits) {
            return Err(GoogleError::narrow_scope(self.service.name));
        }
        let decoded = percent_decode_str(&request.path).decode_utf8_lossy().into_owned();
        let path = decoded.trim_matches('/');
        let path = path.split_once('/').map_or("", |(_version, rest)| rest);
        let (path, verb) = path.rsplit_once(':').filter(|(_, verb)| !verb.contains('/')).unwrap_or((path, ""));
        let (path, verb) = (path.to_owned(), verb.to_owned());
        (self.service.act)(&Asked { cloud: &self.cloud, caller: &grant.caller, request, path, verb, now })
    }
}

impl Api {
    /// Whether a person's request is one of the first, which the world has no time for.
    fn is_too_often(&self, project: &Project) -> bool {
        let refused = &self.cloud.refused_reads;
        project.throttled_reads > 0
            && refused
                .fetch_update(Relaxed, Relaxed, |so_far| (so_far < project.throttled_reads).then_some(so_far + 1))
                .is_ok()
    }
}

impl Service for Api {
    async fn answer(&self, request: Request) -> Response {
        answered(self.act(&request))
    }
}

/// The holder of the request's token. What a pool's tokens can do ends with the pool, and not with the provider.
fn authenticated(tokens: &AccessTokens, project: &Project, request: &Request, now: i64) -> Result<Grant, GoogleError> {
    let token = request.header("authorization").strip_prefix("Bearer ").ok_or_else(GoogleError::no_credentials)?;
    let grant = tokens.read(token).filter(|grant| grant.expires > now).ok_or_else(GoogleError::bad_credentials)?;
    let stands = match &grant.caller {
        Caller::Federated { pool, .. } => {
            project.pools.get(pool).is_some_and(|pool| !pool.is_disabled && !pool.is_deleted)
        }
        Caller::ServiceAccount(address) => project.service_accounts.get(address).is_some_and(|disabled| !disabled),
        Caller::User(_) => true,
    };
    if stands { Ok(grant) } else { Err(GoogleError::bad_credentials()) }
}

/// The part of a list that is asked for with `pageSize` and `pageToken`, and the token of the next one.
pub(super) fn page<T>(
    asked: &Asked<'_>,
    entries: Vec<T>,
    usual: usize,
) -> Result<(Vec<T>, Option<String>), GoogleError> {
    let size = match asked.parameter("pageSize") {
        Some(text) => {
            text.parse::<usize>().map_err(|_| GoogleError::invalid("Invalid value at 'page_size' (TYPE_INT32)"))?
        }
        None => 0,
    };
    let size = if size == 0 { usual } else { size.min(usual) };
    let skipped = match asked.parameter("pageToken").filter(|token| !token.is_empty()) {
        Some(token) => token.parse::<usize>().map_err(|_| GoogleError::invalid("The page token is invalid."))?,
        None => 0,
    };
    let next = skipped.saturating_add(size);
    let token = (next < entries.len()).then(|| next.to_string());
    Ok((entries.into_iter().skip(skipped).take(size).collect(), token))
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret as _;

    use super::*;

    #[test]
    fn a_token_is_known_by_who_made_it_alone() {
        let (own, other) = (AccessTokens::new().unwrap(), AccessTokens::new().unwrap());
        let token = own.issue(Caller::User("user:a@example.com".to_owned()), ALL, 60);
        let token = token.expose_secret();
        assert!(matches!(own.read(token).unwrap().caller, Caller::User(member) if member == "user:a@example.com"));
        assert!(other.read(token).is_none());
        let (input, tag) = token.rsplit_once('.').unwrap();
        for changed in [format!("{input}A.{tag}"), input.to_owned(), token.replacen(PREFIX, "", 1), String::new()] {
            assert!(own.read(&changed).is_none(), "{changed}");
        }
    }
}
