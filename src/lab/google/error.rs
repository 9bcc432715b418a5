//! What Google's services answer instead of a result (<https://cloud.google.com/apis/design/errors>).

use serde_json::{Value, json};

use super::project::Resource;
use crate::lab::server::Response;

pub(super) const JSON: &str = "application/json; charset=UTF-8";
const ERROR_INFO: &str = "type.googleapis.com/google.rpc.ErrorInfo";
const CREDENTIAL: &str = "Expected OAuth 2 access token, login cookie or other valid authentication credential. See https://developers.google.com/identity/sign-in/web/devconsole-project.";

/// A refusal.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct GoogleError {
    pub status: u16,
    /// The name of the code, such as `PERMISSION_DENIED`.
    pub code: &'static str,
    pub message: String,
    details: Vec<Value>,
}

impl GoogleError {
    fn new(status: u16, code: &'static str, message: impl Into<String>) -> Self {
        GoogleError { status, code, message: message.into(), details: Vec::new() }
    }

    pub(super) fn invalid(message: impl Into<String>) -> Self {
        GoogleError::new(400, "INVALID_ARGUMENT", message)
    }

    pub(super) fn precondition(message: impl Into<String>) -> Self {
        GoogleError::new(400, "FAILED_PRECONDITION", message)
    }

    /// A failure of the service's own.
    pub(super) fn internal() -> Self {
        GoogleError::new(500, "INTERNAL", "Internal error encountered.")
    }

    pub(super) fn not_found(message: impl Into<String>) -> Self {
        GoogleError::new(404, "NOT_FOUND", message)
    }

    /// A path or a method that the service does not have.
    pub(super) fn no_such_method() -> Self {
        GoogleError::new(404, "NOT_FOUND", "Method not found.")
    }

    pub(super) fn exists(message: impl Into<String>) -> Self {
        GoogleError::new(409, "ALREADY_EXISTS", message)
    }

    /// A policy that changed since it was read.
    pub(super) fn concurrent() -> Self {
        GoogleError::new(
            409,
            "ABORTED",
            "There were concurrent policy changes. Please retry the whole read-modify-write with exponential backoff.",
        )
    }

    /// No token at all.
    pub(super) fn no_credentials() -> Self {
        let message = format!("Request is missing required authentication credential. {CREDENTIAL}");
        GoogleError::new(401, "UNAUTHENTICATED", message).because("CREDENTIALS_MISSING", "googleapis.com", json!({}))
    }

    /// A token that proves nobody.
    pub(super) fn bad_credentials() -> Self {
        let message = format!("Request had invalid authentication credentials. {CREDENTIAL}");
        GoogleError::new(401, "UNAUTHENTICATED", message)
    }

    /// A token for other services.
    pub(super) fn narrow_scope(service: &str) -> Self {
        GoogleError::new(403, "PERMISSION_DENIED", "Request had insufficient authentication scopes.").because(
            "ACCESS_TOKEN_SCOPE_INSUFFICIENT",
            "googleapis.com",
            json!({ "service": service }),
        )
    }

    /// A service that was asked too often.
    pub(super) fn exhausted(service: &str) -> Self {
        let metric = format!("{service}/read_requests");
        let message = format!(
            "Quota exceeded for quota metric '{metric}' and limit 'Read requests per minute' of service '{service}'."
        );
        GoogleError::new(429, "RESOURCE_EXHAUSTED", message).because(
            "RATE_LIMIT_EXCEEDED",
            "googleapis.com",
            json!({ "service": service, "quota_metric": metric }),
        )
    }

    /// A service that the project has not enabled. `title` is what people call it.
    pub(super) fn service_disabled(title: &str, service: &str, number: &str) -> Self {
        let message = format!(
            "{title} has not been used in project {number} before or it is disabled. Enable it by visiting https://console.developers.google.com/apis/api/{service}/overview?project={number} then retry. If you enabled this API recently, wait a few minutes for the action to propagate to our systems and retry."
        );
        GoogleError::new(403, "PERMISSION_DENIED", message).because(
            "SERVICE_DISABLED",
            "googleapis.com",
            json!({ "consumer": format!("projects/{number}"), "service": service }),
        )
    }

    /// A permission that is missing; Secret Manager and IAM name the resource each in its own way.
    pub(super) fn denied(permission: &str, at: &str) -> Self {
        let place = match permission.starts_with("secretmanager.") {
            true => format!("for resource '{at}'"),
            false => format!("on resource '{at}'"),
        };
        let message = format!("Permission '{permission}' denied {place} (or it may not exist).");
        GoogleError::new(403, "PERMISSION_DENIED", message).because(
            "IAM_PERMISSION_DENIED",
            "iam.googleapis.com",
            json!({ "permission": permission, "resource": at }),
        )
    }

    /// Why a service account's token is not had; the text names no account.
    pub(super) fn not_impersonated(permission: &str) -> Self {
        let message = format!("Permission '{permission}' denied on resource (or it may not exist).");
        GoogleError::new(403, "PERMISSION_DENIED", message).because(
            "IAM_PERMISSION_DENIED",
            "iam.googleapis.com",
            json!({ "permission": permission }),
        )
    }

    fn because(mut self, reason: &str, domain: &str, metadata: Value) -> Self {
        self.details.push(json!({ "@type": ERROR_INFO, "reason": reason, "domain": domain, "metadata": metadata }));
        self
    }

    /// The number of the code, as the records have it (<https://cloud.google.com/apis/design/errors>).
    pub(super) fn number(&self) -> u8 {
        match self.code {
            "INVALID_ARGUMENT" => 3,
            "NOT_FOUND" => 5,
            "ALREADY_EXISTS" => 6,
            "PERMISSION_DENIED" => 7,
            "RESOURCE_EXHAUSTED" => 8,
            "FAILED_PRECONDITION" => 9,
            "ABORTED" => 10,
            "UNAUTHENTICATED" => 16,
            _ => 2,
        }
    }

    fn body(&self) -> Value {
        let mut error = json!({ "code": self.status, "message": self.message, "status": self.code });
        if !self.details.is_empty() {
            error["details"] = self.details.clone().into();
        }
        json!({ "error": error })
    }
}

/// The answer on the wire.
pub(super) fn answered(outcome: Result<Value, GoogleError>) -> Response {
    match outcome {
        Ok(value) => Response::new(200, JSON, format!("{value:#}\n")),
        Err(refusal) => Response::new(refusal.status, JSON, format!("{:#}\n", refusal.body())),
    }
}

/// A policy's resource as refusals name it.
pub(super) fn place(resource: &Resource, project: &str) -> String {
    match resource {
        Resource::Project => project.to_owned(),
        Resource::Above(name) => name.clone(),
        Resource::Secret(name) => name.full(project),
        Resource::ServiceAccount(address) => format!("{project}/serviceAccounts/{address}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_says_as_google_does_which_permission_is_missing_where() {
        for (permission, at, message) in [
            (
                "secretmanager.versions.access",
                "projects/1/secrets/db/versions/latest",
                "Permission 'secretmanager.versions.access' denied for resource \
                 'projects/1/secrets/db/versions/latest' (or it may not exist).",
            ),
            (
                "iam.workloadIdentityPools.get",
                "projects/1",
                "Permission 'iam.workloadIdentityPools.get' denied on resource 'projects/1' (or it may not exist).",
            ),
        ] {
            let refusal = GoogleError::denied(permission, at);
            assert_eq!((refusal.status, refusal.number(), refusal.message.as_str()), (403, 7, message));
            let body = refusal.body();
            assert_eq!(body["error"]["details"][0]["reason"], "IAM_PERMISSION_DENIED");
            assert_eq!(body["error"]["details"][0]["metadata"]["permission"], permission);
        }
        assert!(GoogleError::no_such_method().body()["error"].get("details").is_none());
    }
}
