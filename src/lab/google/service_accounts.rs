//! Service accounts as the IAM API lists, describes and makes them, and the policies that are on them.

use serde_json::{Value, json};

use super::access::{Asked, page};
use super::error::GoogleError;
use super::policies;
use super::project::{Project, Resource};

/// The entries of a page at most.
const PAGE: usize = 100;

/// What is asked below `projects/P/serviceAccounts`; `address` where it is of one of them.
pub(super) fn act(asked: &Asked<'_>, named: &str, address: Option<&str>) -> Result<Value, GoogleError> {
    let (method, _, verb) = asked.route();
    let permission = match (method, address, verb) {
        ("GET", None, "") => "iam.serviceAccounts.list",
        ("POST", None, "") => "iam.serviceAccounts.create",
        ("POST", Some(_), "enable") => "iam.serviceAccounts.enable",
        ("POST", Some(_), "disable") => "iam.serviceAccounts.disable",
        _ => "iam.serviceAccounts.get",
    };
    // An address says the project by itself.
    let project = match named {
        "-" => asked.cloud.project.now(),
        named => asked.project(named, permission)?,
    };
    let Some(address) = address else {
        asked.must(&project, permission, &Resource::Project, None)?;
        return if method == "GET" { list(asked, &project) } else { create(asked, &project) };
    };
    let resource = Resource::ServiceAccount(address.to_owned());
    let held = project.service_accounts.get(address).copied();
    if matches!(verb, "enable" | "disable") {
        asked.must(&project, permission, &resource, None)?;
        return asked.cloud.project.change(|project| match project.service_accounts.get_mut(address) {
            Some(is_disabled) => {
                *is_disabled = verb == "disable";
                Ok(json!({}))
            }
            None => Err(GoogleError::not_found(format!("Unknown service account: {address}"))),
        });
    }
    if !verb.is_empty() {
        return policies::of(asked, &project, &resource, held.is_some(), "iam.serviceAccounts");
    }
    asked.must(&project, permission, &resource, None)?;
    match held {
        Some(is_disabled) if method == "GET" => Ok(account(&project, address, is_disabled)),
        Some(_) => Err(GoogleError::no_such_method()),
        None => Err(GoogleError::not_found(format!("Unknown service account: {address}"))),
    }
}

fn list(asked: &Asked<'_>, project: &Project) -> Result<Value, GoogleError> {
    let all = project.service_accounts.iter();
    let all = all.map(|(address, is_disabled)| account(project, address, *is_disabled)).collect();
    let (accounts, next) = page(asked, all, PAGE)?;
    let mut answer = json!({ "accounts": accounts });
    if let Some(next) = next {
        answer["nextPageToken"] = next.into();
    }
    Ok(answer)
}

fn create(asked: &Asked<'_>, project: &Project) -> Result<Value, GoogleError> {
    let body = asked.body()?;
    let id = body.get("accountId").and_then(Value::as_str).unwrap_or_default();
    let usual = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if !(6..=30).contains(&id.len()) || !id.chars().all(usual) {
        return Err(GoogleError::invalid(format!("{id} does not have a valid service account ID")));
    }
    let address = format!("{id}@{}.iam.gserviceaccount.com", project.id);
    asked.cloud.project.change(|project| match project.service_accounts.contains_key(&address) {
        true => Err(GoogleError::exists(format!(
            "Service account {id} already exists within project projects/{}.",
            project.id
        ))),
        false => {
            project.service_accounts.insert(address.clone(), false);
            Ok(account(project, &address, false))
        }
    })
}

fn account(project: &Project, address: &str, is_disabled: bool) -> Value {
    let mut account = json!({
        "name": format!("projects/{}/serviceAccounts/{address}", project.id),
        "projectId": project.id,
        "email": address,
    });
    if is_disabled {
        account["disabled"] = true.into();
    }
    account
}
