//! Deny policies: listed without their rules, and read one by one with them
//! (<https://cloud.google.com/iam/docs/reference/rest/v2/policies>).

use serde_json::{Value, json};

use super::access::{Asked, page};
use super::error::GoogleError;
use super::project::Resource;
use crate::domain::gcp::{DenyPolicy, DenyRule};

/// The entries of a page at most.
const PAGE: usize = 50;

/// What is asked of those that are attached to `kind/named`: one by its id, else all.
pub(super) fn act(asked: &Asked<'_>, kind: &str, named: &str, id: &[&str]) -> Result<Value, GoogleError> {
    let (id, permission) = match (asked.route(), id) {
        (("GET", _, ""), []) => (None, "iam.denypolicies.list"),
        (("GET", _, ""), [id]) => (Some(*id), "iam.denypolicies.get"),
        _ => return Err(GoogleError::no_such_method()),
    };
    let (project, resource) = match kind {
        "projects" => (asked.project(named, permission)?, Resource::Project),
        _ => {
            let resource = Resource::Above(format!("{kind}/{named}"));
            (asked.cloud.project.now(), resource)
        }
    };
    let at = format!("cloudresourcemanager.googleapis.com/{kind}/{named}");
    asked.must(&project, permission, &resource, Some(&at))?;
    let held = project.denies(&resource);
    let Some(id) = id else {
        let all = held.iter().map(described).collect();
        let (shown, next) = page(asked, all, PAGE)?;
        let mut answer = json!({});
        if !shown.is_empty() {
            answer["policies"] = shown.into();
        }
        if let Some(next) = next {
            answer["nextPageToken"] = next.into();
        }
        return Ok(answer);
    };
    let policy = held.iter().find(|policy| policy.id() == id);
    let policy = policy.ok_or_else(|| GoogleError::not_found("Requested entity was not found."))?;
    let mut whole = described(policy);
    whole["rules"] = policy.rules.iter().map(|rule| json!({ "denyRule": ruled(rule) })).collect();
    Ok(whole)
}

/// What a list tells of a policy.
fn described(policy: &DenyPolicy) -> Value {
    json!({ "name": policy.name, "kind": "DenyPolicy", "displayName": policy.id() })
}

fn ruled(rule: &DenyRule) -> Value {
    let mut told = json!({});
    for (name, listed) in [
        ("deniedPrincipals", &rule.denied_principals),
        ("exceptionPrincipals", &rule.exception_principals),
        ("deniedPermissions", &rule.denied_permissions),
        ("exceptionPermissions", &rule.exception_permissions),
    ] {
        if !listed.is_empty() {
            told[name] = listed.clone().into();
        }
    }
    if let Some(condition) = &rule.condition {
        told["denialCondition"] = json!({ "expression": condition });
    }
    told
}
