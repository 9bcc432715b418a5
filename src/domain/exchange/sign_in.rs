//! A service principal's sign-in as Entra logs it: in the form of Graph, of Log Analytics, or of a diagnostic setting
//! (<https://learn.microsoft.com/en-us/graph/api/resources/signin>,
//! <https://learn.microsoft.com/en-us/azure/azure-monitor/reference/tables/aadserviceprincipalsigninlogs>).

use serde_json::{Map, Value};

use super::{Entry, Exchange, Refusal};
use crate::domain::entra::{EntraError, Presented};
use crate::domain::ids::Cloud;
use crate::domain::timestamp::parse_rfc3339;

/// How an application signs in that brings no token of another issuer.
const OTHER_PROOFS: [&str; 3] = ["clientSecret", "certificate", "managedIdentity"];

/// What an object of a log is that tells of a service principal.
pub(super) fn read(object: &[u8]) -> Result<Entry, serde_json::Error> {
    let Value::Object(record) = serde_json::from_slice(object)? else { return Ok(Entry::Foreign) };
    let record = Record(&record);
    // A diagnostic setting keeps the sign-in under `properties`, and its result beside it.
    let inner = record.member("properties").and_then(Value::as_object).map(Record);
    let told = |name: &str| inner.as_ref().and_then(|inner| inner.text(name)).or_else(|| record.text(name));
    let time = told("createdDateTime").or_else(|| told("TimeGenerated")).or_else(|| told("time"));
    let (Some(application), Some(time)) = (told("appId"), time) else { return Ok(Entry::Foreign) };
    if told("servicePrincipalId").is_none() && told("servicePrincipalName").is_none() {
        return Ok(Entry::Foreign);
    }
    if told("clientCredentialType")
        .is_some_and(|proof| OTHER_PROOFS.iter().any(|other| proof.eq_ignore_ascii_case(other)))
    {
        return Ok(Entry::Other);
    }
    let status = inner.as_ref().and_then(|inner| inner.member("status")).or_else(|| record.member("status"));
    let status = status.and_then(Value::as_object).map(Record);
    let stated = |name: &str| status.as_ref().and_then(|status| status.text(name));
    let code = stated("errorCode").or_else(|| told("ResultType")).filter(|code| code != "0");
    let message = stated("failureReason").or_else(|| told("ResultDescription")).filter(|text| text != "Other.");
    let details = stated("additionalDetails").filter(|text| !text.is_empty());
    let message = match (message, details) {
        (Some(message), Some(details)) => Some(format!("{message} {details}")),
        (message, details) => message.or(details),
    };
    // The message quotes the token's claims where the credentials were compared with them.
    let quoted = code.as_ref().and_then(|code| EntraError::parse(&format!("AADSTS{code}: {}", message.as_deref()?)));
    let Presented { issuer, subject, audience } = quoted.map(|error| error.presented()).unwrap_or_default();
    Ok(Entry::Exchange(Box::new(Exchange {
        cloud: Cloud::Azure,
        resource: Some(application),
        provider: None,
        issuer: issuer.filter(|text| !is_placeholder(text)),
        audience: audience.filter(|text| !is_placeholder(text)),
        subject: subject.filter(|text| !is_placeholder(text)),
        refusal: code.map(|code| Refusal { code: format!("AADSTS{code}"), message }),
        credential: told("federatedCredentialId"),
        at: parse_rfc3339(&time),
        request_id: told("id").or_else(|| told("originalRequestId")),
        region: None,
        session_name: None,
    })))
}

/// Some logs keep the message as Entra's own source has it, with the values' names in braces.
fn is_placeholder(text: &str) -> bool {
    text.starts_with('{') && text.ends_with('}')
}

/// An object whose members are named in any letter case: `appId` of Graph is the `AppId` of Log Analytics.
struct Record<'a>(&'a Map<String, Value>);

impl<'a> Record<'a> {
    fn member(&self, name: &str) -> Option<&'a Value> {
        self.0
            .get(name)
            .or_else(|| self.0.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value))
    }

    /// A text, or a number as one; an empty one says nothing.
    fn text(&self, name: &str) -> Option<String> {
        match self.member(name)? {
            Value::String(text) if !text.is_empty() => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const APPLICATION: &str = "5b1f2c9e-0000-4000-8000-000000000001";
    const REASON: &str = "No matching federated identity record found for presented assertion subject 'organization:2'. \
                          Check your federated identity credential Subject, Audience and Issuer against the presented assertion.";

    fn sign_in(record: &Value) -> Option<Exchange> {
        match read(record.to_string().as_bytes()).unwrap() {
            Entry::Exchange(exchange) => Some(*exchange),
            Entry::Other | Entry::Foreign => None,
        }
    }

    fn graph() -> Value {
        json!({
            "id": "11111111-2222-3333-4444-555555555555", "createdDateTime": "2026-11-30T05:00:00Z", "appId": APPLICATION,
            "servicePrincipalId": "6b1f2c9e-0000-4000-8000-000000000001", "signInEventTypes": ["servicePrincipal"],
            "federatedCredentialId": "", "clientCredentialType": "federatedIdentityCredential",
            "status": {"errorCode": 700213, "failureReason": REASON, "additionalDetails": null},
        })
    }

    #[test]
    fn the_three_forms_tell_the_same() {
        let table = json!({
            "TimeGenerated": "2026-11-30T05:00:00Z", "Id": "11111111-2222-3333-4444-555555555555", "AppId": APPLICATION,
            "ServicePrincipalId": "6b1f2c9e-0000-4000-8000-000000000001", "ResultType": "700213", "ResultDescription": REASON,
            "FederatedCredentialId": "", "ClientCredentialType": "federatedIdentityCredential",
        });
        let mut properties = graph();
        properties.as_object_mut().unwrap().remove("status");
        let diagnostic = json!({
            "time": "2026-11-30T05:00:00Z", "category": "ServicePrincipalSignInLogs", "resultType": "700213",
            "resultDescription": REASON, "properties": properties,
        });
        let expected = sign_in(&graph()).unwrap();
        assert_eq!(expected.resource.as_deref(), Some(APPLICATION));
        assert_eq!(expected.subject.as_deref(), Some("organization:2"));
        assert_eq!((expected.at, expected.credential.as_deref()), (Some(1_796_014_800), None));
        assert_eq!(expected.refusal.as_ref().unwrap().code, "AADSTS700213");
        for form in [table, diagnostic] {
            assert_eq!(sign_in(&form).as_ref(), Some(&expected));
        }
    }

    #[test]
    fn a_granted_one_tells_which_credential_matched() {
        let mut record = graph();
        record["status"] = json!({"errorCode": 0, "failureReason": "Other."});
        record["federatedCredentialId"] = json!("7b1f2c9e-0000-4000-8000-000000000001");
        let granted = sign_in(&record).unwrap();
        assert_eq!(granted.refusal, None);
        assert_eq!(granted.credential.as_deref(), Some("7b1f2c9e-0000-4000-8000-000000000001"));
    }

    #[test]
    fn the_names_of_values_are_no_values() {
        let mut record = graph();
        record["status"]["failureReason"] = json!(REASON.replace("organization:2", "{assertionSubject}"));
        assert_eq!(sign_in(&record).unwrap().subject, None);
    }

    #[test]
    fn who_signs_in_with_a_secret_brings_no_token() {
        for (member, value) in
            [("clientCredentialType", json!("clientSecret")), ("servicePrincipalId", json!("")), ("appId", json!(null))]
        {
            let mut record = graph();
            record[member] = value;
            assert_eq!(sign_in(&record), None, "{member}");
        }
    }
}
