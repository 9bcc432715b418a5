//! An entry of a Google Cloud audit log: an exchange at the Security Token Service, or a secret's read that was refused to
//! somebody who came by one (<https://docs.cloud.google.com/iam/docs/audit-logging/examples-workload-identity>).

use serde_json::Value;

use super::{Entry, Exchange, Refusal};
use crate::domain::ids::Cloud;
use crate::domain::pool_name::without_host;
use crate::domain::timestamp::parse_rfc3339;

/// What every entry of an audit log holds.
pub(super) const PAYLOAD: &str = "protoPayload";
const EXCHANGE: &str = "google.identity.sts.v1.SecurityTokenService.ExchangeToken";
const READ: &str = ".SecretManagerService.AccessSecretVersion";
/// How a principal of a pool begins.
const POOLS: &str = "principal://iam.googleapis.com/";
/// The codes of a status by their numbers (<https://grpc.io/docs/guides/status-codes/>).
const CODES: [&str; 17] = [
    "OK",
    "CANCELLED",
    "UNKNOWN",
    "INVALID_ARGUMENT",
    "DEADLINE_EXCEEDED",
    "NOT_FOUND",
    "ALREADY_EXISTS",
    "PERMISSION_DENIED",
    "RESOURCE_EXHAUSTED",
    "FAILED_PRECONDITION",
    "ABORTED",
    "OUT_OF_RANGE",
    "UNIMPLEMENTED",
    "INTERNAL",
    "UNAVAILABLE",
    "DATA_LOSS",
    "UNAUTHENTICATED",
];

/// What an object of a log is that has the payload of an audit log.
pub(super) fn read(object: &[u8]) -> Result<Entry, serde_json::Error> {
    let entry: Value = serde_json::from_slice(object)?;
    let Some(payload) = entry.get(PAYLOAD) else { return Ok(Entry::Foreign) };
    let text = |pointer: &str| payload.pointer(pointer).and_then(Value::as_str).filter(|text| !text.is_empty());
    let Some(method) = text("/methodName") else { return Ok(Entry::Foreign) };
    let refusal = refusal(payload);
    let who = text("/authenticationInfo/principalSubject");
    let (resource, subject, principal) = if method == EXCHANGE {
        let provider = text("/request/audience").or_else(|| text("/resourceName"));
        (provider.map(without_host), who, text("/metadata/mapped_principal"))
    } else if let Some(principal) = who.filter(|who| method.ends_with(READ) && who.starts_with(POOLS))
        && refusal.is_some()
    {
        let subject = principal.split_once("/subject/").map(|(_, subject)| subject);
        (text("/resourceName"), subject, Some(principal))
    } else {
        return Ok(Entry::Other);
    };
    let stated = |name: &str| entry.get(name).and_then(Value::as_str);
    Ok(Entry::Exchange(Box::new(Exchange {
        cloud: Cloud::Gcp,
        resource: resource.map(str::to_owned),
        provider: principal.map(str::to_owned),
        issuer: None,
        audience: None,
        subject: subject.map(str::to_owned),
        refusal,
        credential: None,
        at: stated("timestamp").and_then(parse_rfc3339),
        request_id: stated("insertId").map(str::to_owned),
        region: None,
        session_name: None,
    })))
}

/// An entry without a status, or with an empty one, tells of success.
fn refusal(payload: &Value) -> Option<Refusal> {
    let number = payload.pointer("/status/code").and_then(Value::as_u64).filter(|code| *code != 0)?;
    let named = usize::try_from(number).ok().and_then(|number| CODES.get(number));
    let code = named.map_or_else(|| format!("code {number}"), |name| (*name).to_owned());
    let message = payload.pointer("/status/message").and_then(Value::as_str);
    Some(Refusal { code, message: message.filter(|text| !text.is_empty()).map(str::to_owned) })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const PROVIDER: &str = "projects/123456789012/locations/global/workloadIdentityPools/ci/providers/github";

    fn told(entry: &Value) -> Option<Exchange> {
        match read(entry.to_string().as_bytes()).unwrap() {
            Entry::Exchange(exchange) => Some(*exchange),
            Entry::Other | Entry::Foreign => None,
        }
    }

    fn exchange() -> Value {
        json!({
            "insertId": "1q2w3e", "timestamp": "2026-11-30T05:00:00.123Z", "severity": "ERROR",
            "protoPayload": {
                "@type": "type.googleapis.com/google.cloud.audit.AuditLog", "methodName": EXCHANGE,
                "authenticationInfo": {"principalSubject": "repo:o/r:ref:refs/heads/main"},
                "request": {"audience": format!("//iam.googleapis.com/{PROVIDER}")},
                "status": {"code": 3, "message": "The given credential is rejected by the attribute condition."},
            },
        })
    }

    #[test]
    fn an_exchange_is_told_with_its_provider_subject_and_refusal() {
        let seen = told(&exchange()).unwrap();
        assert_eq!((seen.cloud, seen.resource.as_deref()), (Cloud::Gcp, Some(PROVIDER)));
        assert_eq!(seen.subject.as_deref(), Some("repo:o/r:ref:refs/heads/main"));
        assert_eq!((seen.at, seen.request_id.as_deref()), (Some(1_796_014_800), Some("1q2w3e")));
        let refusal = seen.refusal.unwrap();
        assert_eq!(refusal.code, "INVALID_ARGUMENT");
        assert!(refusal.message.unwrap().contains("attribute condition"));
        // What was mapped is not what the token had.
        assert!(told(&exchange()).unwrap().claims().is_empty());
        let mut granted = exchange();
        granted["protoPayload"]["status"] = json!({});
        assert_eq!(told(&granted).unwrap().refusal, None);
    }

    #[test]
    fn a_read_is_told_where_it_was_refused_to_a_principal_of_a_pool() {
        let pool = "principal://iam.googleapis.com/projects/123456789012/locations/global/workloadIdentityPools/ci";
        let mut read = exchange();
        read["protoPayload"]["methodName"] =
            json!("google.cloud.secretmanager.v1.SecretManagerService.AccessSecretVersion");
        read["protoPayload"]["resourceName"] = json!("projects/123456789012/secrets/key/versions/latest");
        read["protoPayload"]["authenticationInfo"]["principalSubject"] = json!(format!("{pool}/subject/main"));
        read["protoPayload"]["status"] =
            json!({"code": 7, "message": "Permission 'secretmanager.versions.access' denied"});
        let seen = told(&read).unwrap();
        assert_eq!(seen.resource.as_deref(), Some("projects/123456789012/secrets/key/versions/latest"));
        assert_eq!((seen.subject.as_deref(), seen.refusal.unwrap().code.as_str()), (Some("main"), "PERMISSION_DENIED"));
        let mut granted = read.clone();
        granted["protoPayload"].as_object_mut().unwrap().remove("status");
        let mut of_an_account = read;
        of_an_account["protoPayload"]["authenticationInfo"] = json!({"principalEmail": "me@example.com"});
        assert_eq!((told(&granted), told(&of_an_account)), (None, None));
    }
}
