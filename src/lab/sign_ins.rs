//! Entra's own record of service principals' sign-ins, as Graph's `auditLogs/signIns` shows it: which federated credential
//! matched, or with which error none did; never the token.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use serde_json::{Value, json};

use super::server::now;
use super::world::App;
use crate::domain::timestamp::{parse_rfc3339, rfc3339};

/// So many sign-ins are kept; older ones are forgotten.
const MOST: usize = 10_000;
/// The records of a page, where the caller asks for no fewer.
const PAGE: usize = 1000;
/// Service principals' sign-ins are shown where they are asked for by this name alone.
const SERVICE_PRINCIPAL: &str = "'servicePrincipal'";

/// The record of one tenant, the oldest first, each with its number.
#[derive(Debug, Default)]
pub(super) struct SignIns(Mutex<VecDeque<(u64, Value)>>);

/// What becomes known of a sign-in on its way.
#[derive(Debug, Default)]
pub(super) struct SignIn {
    /// The application, once it was found.
    pub application: Option<Application>,
    /// `federatedIdentityCredential` or `clientSecret`.
    pub proof: &'static str,
    /// The id of the credential that matched.
    pub credential: Option<String>,
}

/// Who signs in.
#[derive(Debug)]
pub(super) struct Application {
    client_id: String,
    object_id: String,
    display_name: String,
}

impl Application {
    pub(super) fn of(app: &App) -> Self {
        Application {
            client_id: app.client_id.clone(),
            object_id: app.object_id.clone(),
            display_name: app.display_name.clone(),
        }
    }
}

impl SignIns {
    /// Writes a sign-in down; one whose application is not of this tenant leaves no record in it. `refusal` has the number
    /// and the sentence of the error.
    pub(super) fn add(&self, request_id: &str, sign_in: &SignIn, refusal: Option<(u32, &str)>) {
        let Some(application) = &sign_in.application else { return };
        let (code, reason) = refusal.unwrap_or((0, "Other."));
        let record = json!({
            "id": request_id,
            "createdDateTime": rfc3339(now()),
            "appId": application.client_id,
            "appDisplayName": application.display_name,
            "servicePrincipalId": application.object_id,
            "servicePrincipalName": application.display_name,
            "signInEventTypes": ["servicePrincipal"],
            "clientCredentialType": sign_in.proof,
            "federatedCredentialId": sign_in.credential.as_deref().unwrap_or_default(),
            "ipAddress": "127.0.0.1",
            "status": { "errorCode": code, "failureReason": reason, "additionalDetails": null },
        });
        let mut records = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let next = records.back().map_or(0, |(number, _)| number + 1);
        records.push_back((next, record));
        if records.len() > MOST {
            records.pop_front();
        }
    }

    /// A page, the latest first: what follows the number that `after` names. `link` makes the address of the next page.
    pub(super) fn page(&self, query: &SignInQuery, link: impl Fn(u64) -> String) -> Value {
        let records = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let fits =
            |(number, record): &&(u64, Value)| query.before.is_none_or(|before| *number < before) && query.fits(record);
        let mut found = records.iter().rev().filter(fits);
        let page: Vec<&(u64, Value)> = found.by_ref().take(query.top).collect();
        let next = found.next().and(page.last()).map(|(number, _)| *number);
        let values: Vec<&Value> = page.into_iter().map(|(_, record)| record).collect();
        let mut answer = json!({ "value": values });
        if let Some(next) = next {
            answer["@odata.nextLink"] = link(next).into();
        }
        answer
    }
}

/// What a request asks of the record.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct SignInQuery {
    application: Option<String>,
    since: Option<i64>,
    is_of_service_principals: bool,
    top: usize,
    before: Option<u64>,
}

impl SignInQuery {
    /// Reads `$filter`, `$top` and `$skiptoken`; nothing where the filter is none that is known here.
    pub(super) fn read(filter: Option<&str>, top: Option<&str>, token: Option<&str>) -> Option<Self> {
        let top = top.map_or(Some(PAGE), |top| top.parse().ok()).filter(|top| (1..=PAGE).contains(top))?;
        let before = token.map(|token| token.parse().ok()).map_or(Some(None), |number| number.map(Some))?;
        let mut query = SignInQuery { application: None, since: None, is_of_service_principals: false, top, before };
        for condition in filter.unwrap_or_default().split(" and ").map(str::trim).filter(|text| !text.is_empty()) {
            if condition.starts_with("signInEventTypes/any(") && condition.ends_with(')') {
                query.is_of_service_principals = condition.contains(SERVICE_PRINCIPAL);
            } else if let Some(id) = condition.strip_prefix("appId eq ") {
                query.application = Some(id.trim().strip_prefix('\'')?.strip_suffix('\'')?.to_owned());
            } else {
                query.since = Some(parse_rfc3339(condition.strip_prefix("createdDateTime ge ")?)?);
            }
        }
        Some(query)
    }

    fn fits(&self, record: &Value) -> bool {
        let at = record["createdDateTime"].as_str().and_then(parse_rfc3339);
        let is_theirs = |id: &String| record["appId"].as_str().is_some_and(|own| own.eq_ignore_ascii_case(id));
        self.is_of_service_principals
            && self.application.as_ref().is_none_or(is_theirs)
            && self.since.is_none_or(|since| at.is_some_and(|at| at >= since))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILTER: &str = "signInEventTypes/any(t: t eq 'servicePrincipal')";

    fn ids(page: &Value) -> Vec<&str> {
        page["value"].as_array().unwrap().iter().map(|record| record["id"].as_str().unwrap()).collect()
    }

    #[test]
    fn pages_go_back_in_time_to_those_that_are_asked_for() {
        let record = SignIns::default();
        let application =
            |id: &str| Application { client_id: id.into(), object_id: "o".into(), display_name: "d".into() };
        for (number, id) in ["a", "b", "a", "a"].into_iter().enumerate() {
            let sign_in =
                SignIn { application: Some(application(id)), proof: "federatedIdentityCredential", credential: None };
            record.add(&number.to_string(), &sign_in, (number == 1).then_some((700_213, "no")));
        }
        record.add("elsewhere", &SignIn::default(), None);
        let ask = |filter: &str, top, token: Option<&str>| {
            let query = SignInQuery::read(Some(filter), top, token).unwrap();
            record.page(&query, |next| next.to_string())
        };
        let first = ask(FILTER, Some("3"), None);
        assert_eq!(ids(&first), ["3", "2", "1"]);
        assert_eq!(first["value"][2]["status"]["errorCode"], 700_213);
        assert_eq!(ids(&ask(FILTER, Some("3"), first["@odata.nextLink"].as_str())), ["0"]);
        assert_eq!(ids(&ask(&format!("{FILTER} and appId eq 'B'"), None, None)), ["1"]);
        assert!(ids(&ask(&format!("createdDateTime ge 2999-01-01T00:00:00Z and {FILTER}"), None, None)).is_empty());
        // Interactive sign-ins, which is what one gets without asking, there are none.
        assert!(ids(&ask("", None, None)).is_empty());
    }

    #[test]
    fn what_is_not_known_is_refused() {
        for (filter, top, token) in
            [("x eq 1", None, None), ("appId eq a", None, None), ("", Some("0"), None), ("", None, Some("x"))]
        {
            assert_eq!(SignInQuery::read(Some(filter), top, token), None, "{filter}");
        }
    }
}
