//! Service Usage: which services the project has enabled, and how they are
//! (<https://cloud.google.com/service-usage/docs/reference/rest/v1/services>).

use serde_json::{Value, json};

use super::access::{Asked, GoogleService};
use super::error::GoogleError;
use super::project::{Project, Resource};

const NAME: &str = "serviceusage.googleapis.com";

pub(super) const SERVICE: GoogleService =
    GoogleService { name: NAME, title: "Service Usage API", scopes: &[], act: of_services };

/// The most that one request enables.
const MOST: usize = 20;
/// What an operation is called that was over before it was asked for.
const DONE: &str = "operations/noop.DONE_OPERATION";

fn of_services(asked: &Asked<'_>) -> Result<Value, GoogleError> {
    let (method, path, verb) = asked.route();
    match (method, path.as_slice(), verb) {
        ("GET", ["operations", ..], "") => Ok(done(json!({}))),
        ("GET", ["projects", named, "services", service], "") => {
            let project = permitted(asked, named, "serviceusage.services.get")?;
            Ok(described(&project, service))
        }
        ("POST", ["projects", named, "services", service], "enable") => {
            permitted(asked, named, "serviceusage.services.enable")?;
            let response = json!({ "service": enabled(asked, &[(*service).to_owned()])[0] });
            Ok(done(response))
        }
        ("POST", ["projects", named, "services"], "batchEnable") => {
            permitted(asked, named, "serviceusage.services.enable")?;
            let body = asked.body()?;
            let listed = body.get("serviceIds").and_then(Value::as_array).into_iter().flatten();
            let services: Vec<String> = listed.filter_map(Value::as_str).map(str::to_owned).collect();
            if services.is_empty() || services.len() > MOST {
                return Err(GoogleError::invalid(format!("Between 1 and {MOST} services can be enabled at once.")));
            }
            Ok(done(json!({ "services": enabled(asked, &services) })))
        }
        _ => Err(GoogleError::no_such_method()),
    }
}

fn permitted(asked: &Asked<'_>, named: &str, permission: &str) -> Result<std::sync::Arc<Project>, GoogleError> {
    let project = asked.project(named, permission)?;
    asked.must(&project, permission, &Resource::Project, None)?;
    Ok(project)
}

/// Enables services, and describes them.
fn enabled(asked: &Asked<'_>, services: &[String]) -> Vec<Value> {
    asked.cloud.project.change(|project| {
        project.disabled_services.retain(|disabled| !services.contains(disabled));
        services.iter().map(|service| described(project, service)).collect()
    })
}

fn described(project: &Project, service: &str) -> Value {
    let state = if project.disabled_services.contains(service) { "DISABLED" } else { "ENABLED" };
    json!({
        "name": format!("{}/services/{service}", project.name()),
        "config": { "name": service },
        "state": state,
        "parent": project.name(),
    })
}

fn done(response: Value) -> Value {
    json!({ "name": DONE, "done": true, "response": response })
}
