//! Credentials of service accounts: whoever may act as one gets an access token of it
//! (<https://cloud.google.com/iam/docs/reference/credentials/rest/v1/projects.serviceAccounts/generateAccessToken>).

use secrecy::ExposeSecret as _;
use serde_json::{Value, json};

use super::access::{Asked, GoogleService};
use super::audit::Call;
use super::error::GoogleError;
use super::project::{Caller, Resource};
use crate::domain::timestamp::rfc3339;

const NAME: &str = "iamcredentials.googleapis.com";
const METHOD: (&str, &str) = (NAME, "GenerateAccessToken");
const PERMISSION: &str = "iam.serviceAccounts.getAccessToken";
/// The longest life without an exception in the organization's policy, in seconds.
const LONGEST: i64 = 3600;

pub(super) const SERVICE: GoogleService = GoogleService {
    name: NAME,
    title: "IAM Service Account Credentials API",
    scopes: &["https://www.googleapis.com/auth/iam"],
    act,
};

fn act(asked: &Asked<'_>) -> Result<Value, GoogleError> {
    let (method, path, verb) = asked.route();
    let ("POST", ["projects", "-", "serviceAccounts", address], "generateAccessToken") =
        (method, path.as_slice(), verb)
    else {
        return Err(GoogleError::no_such_method());
    };
    let outcome = generate(asked, address);
    let number = asked.cloud.project.now().number.clone();
    let (resource, principal) = (format!("projects/-/serviceAccounts/{address}"), asked.caller.principal(&number));
    let call = Call { method: METHOD, resource, principal, refusal: outcome.as_ref().err() };
    asked.cloud.audit.called(&number, &call, asked.now);
    outcome
}

fn generate(asked: &Asked<'_>, address: &str) -> Result<Value, GoogleError> {
    let project = asked.cloud.project.now();
    let body = asked.body()?;
    let lifetime = lifetime(body.get("lifetime").and_then(Value::as_str))?;
    let listed = body.get("scope").and_then(Value::as_array).cloned().unwrap_or_default();
    let scope = listed.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(" ");
    if scope.is_empty() {
        return Err(GoogleError::invalid("The scope must be set."));
    }
    if !project.allows(asked.caller, PERMISSION, &Resource::ServiceAccount(address.to_owned()), asked.now) {
        return Err(GoogleError::not_impersonated(PERMISSION));
    }
    match project.service_accounts.get(address) {
        None => return Err(GoogleError::not_found(format!("Not found; Gaia id not found for email {address}"))),
        Some(true) => return Err(GoogleError::precondition(format!("Service account {address} is disabled."))),
        Some(false) => {}
    }
    let expires = asked.now + lifetime;
    let token = asked.cloud.tokens.issue(Caller::ServiceAccount(address.to_owned()), &scope, expires);
    Ok(json!({ "accessToken": token.expose_secret(), "expireTime": rfc3339(expires) }))
}

/// Seconds, as `600s` says them.
fn lifetime(text: Option<&str>) -> Result<i64, GoogleError> {
    let Some(text) = text else { return Ok(LONGEST) };
    let seconds = text.strip_suffix('s').and_then(|seconds| seconds.parse::<i64>().ok());
    match seconds {
        Some(seconds @ 1..=LONGEST) => Ok(seconds),
        Some(seconds) if seconds > LONGEST => Err(GoogleError::invalid(
            "Requested life time exceeds max life time allowed (1h). To allow longer life times, see constraints/iam.allowServiceAccountCredentialLifetimeExtension.",
        )),
        Some(_) => Err(GoogleError::invalid("The access token lifetime must be positive.")),
        None => Err(GoogleError::invalid(format!(
            "Invalid value at 'lifetime' (type.googleapis.com/google.protobuf.Duration), \"{text}\""
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_life_is_of_a_second_to_an_hour() {
        for (text, expected) in [(None, Some(3600)), (Some("600s"), Some(600)), (Some("3600s"), Some(3600))] {
            assert_eq!(lifetime(text).ok(), expected);
        }
        for (text, part) in [
            ("0s", "positive"),
            ("-5s", "positive"),
            ("3601s", "constraints/iam.allowServiceAccountCredentialLifetimeExtension"),
            ("600", "Invalid value"),
        ] {
            let refusal = lifetime(Some(text)).unwrap_err();
            assert!(refusal.status == 400 && refusal.message.contains(part), "{text}: {}", refusal.message);
        }
    }
}
