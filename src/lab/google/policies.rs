//! Policies of a project, a secret and a service account: read, replaced, and asked what the caller may do; and the roles that
//! they grant.

use serde_json::{Value, json};

use super::access::{Asked, GoogleService};
use super::error::{GoogleError, place};
use super::project::{Project, Resource};
use crate::domain::gcp::Member;
use crate::lab::keys::sha256_hex;

/// Resource Manager, as far as a project goes.
pub(super) const SERVICE: GoogleService = GoogleService {
    name: "cloudresourcemanager.googleapis.com",
    title: "Cloud Resource Manager API",
    scopes: &[],
    act: of_project,
};

type Bindings = Vec<(String, Vec<String>)>;

fn of_project(asked: &Asked<'_>) -> Result<Value, GoogleError> {
    let (method, path, verb) = asked.route();
    if let [kind @ ("folders" | "organizations"), named] = path.as_slice() {
        return above(asked, kind, named);
    }
    let ["projects", named] = path.as_slice() else { return Err(GoogleError::no_such_method()) };
    let permission = "resourcemanager.projects.get";
    let project = asked.project(named, permission)?;
    match (method, verb) {
        ("GET", "") => {
            asked.must(&project, permission, &Resource::Project, None)?;
            let mut told = json!({
                "projectNumber": project.number,
                "projectId": project.id,
                "lifecycleState": "ACTIVE",
                "name": project.id,
            });
            if let Some((kind, id)) = project.ancestors.first().and_then(|above| above.split_once("s/")) {
                told["parent"] = json!({ "type": kind, "id": id });
            }
            Ok(told)
        }
        _ => of(asked, &project, &Resource::Project, true, "resourcemanager.projects"),
    }
}

/// A folder or the organization. Who asks for one that is not there is told no more than who may not see it.
fn above(asked: &Asked<'_>, kind: &str, named: &str) -> Result<Value, GoogleError> {
    let (method, _, verb) = asked.route();
    let (project, name) = (asked.cloud.project.now(), format!("{kind}/{named}"));
    let resource = Resource::Above(name.clone());
    let ("GET", "") = (method, verb) else {
        return of(asked, &project, &resource, true, &format!("resourcemanager.{kind}"));
    };
    asked.must(&project, &format!("resourcemanager.{kind}.get"), &resource, None)?;
    let mut told = json!({ "name": name, "state": "ACTIVE", "displayName": named });
    let parent = project.ancestors.iter().skip_while(|one| **one != name).nth(1);
    if let Some(parent) = parent {
        told["parent"] = parent.clone().into();
    }
    Ok(told)
}

/// A role by its whole name. Whoever is signed in may read Google's own.
pub(super) fn described_role(asked: &Asked<'_>, name: &str) -> Result<Value, GoogleError> {
    let ("GET", _, "") = asked.route() else { return Err(GoogleError::no_such_method()) };
    let project = asked.cloud.project.now();
    if let Some(of_project) = name.strip_prefix("projects/") {
        let permission = "iam.roles.get";
        let named = of_project.split('/').next().unwrap_or_default();
        let project = asked.project(named, permission)?;
        asked.must(&project, permission, &Resource::Project, Some(name))?;
    }
    let missing = || GoogleError::not_found(format!("The role named {name} was not found."));
    let permissions = project.permissions(name).ok_or_else(missing)?;
    let id = name.rsplit('/').next().unwrap_or_default();
    Ok(json!({ "name": name, "title": id, "stage": "GA", "includedPermissions": permissions }))
}

/// What the request asks of the policy of a resource. `kind` is what stands before the names of its permissions.
pub(super) fn of(
    asked: &Asked<'_>,
    project: &Project,
    resource: &Resource,
    exists: bool,
    kind: &str,
) -> Result<Value, GoogleError> {
    let (_, _, verb) = asked.route();
    let missing = || GoogleError::not_found(format!("{} not found.", place(resource, &project.name())));
    let there = || if exists { Ok(()) } else { Err(missing()) };
    match verb {
        "getIamPolicy" => {
            asked.must(project, &format!("{kind}.getIamPolicy"), resource, None)?;
            there()?;
            Ok(policy_json(&project.policy(resource)))
        }
        "setIamPolicy" => {
            asked.must(project, &format!("{kind}.setIamPolicy"), resource, None)?;
            there()?;
            replace(asked, resource)
        }
        "testIamPermissions" => {
            let body = asked.body()?;
            let named = body.get("permissions").and_then(Value::as_array).cloned().unwrap_or_default();
            let has = |permission: &&Value| {
                permission.as_str().is_some_and(|name| project.allows(asked.caller, name, resource, asked.now))
            };
            Ok(json!({ "permissions": named.iter().filter(has).collect::<Vec<_>>() }))
        }
        _ => Err(GoogleError::no_such_method()),
    }
}

fn replace(asked: &Asked<'_>, resource: &Resource) -> Result<Value, GoogleError> {
    let body = asked.body()?;
    let policy = body.get("policy").ok_or_else(|| GoogleError::invalid("The request must contain a policy."))?;
    asked.cloud.project.change(|project| {
        let given = policy.get("etag").and_then(Value::as_str).filter(|etag| !etag.is_empty());
        if given.is_some_and(|etag| etag != policy_etag(&project.policy(resource))) {
            return Err(GoogleError::concurrent());
        }
        let bindings = read(policy, project)?;
        project.set_policy(resource.clone(), bindings, asked.now);
        Ok(policy_json(&project.policy(resource)))
    })
}

/// The bindings that are sent: Google refuses roles and members that there cannot be.
fn read(policy: &Value, project: &Project) -> Result<Bindings, GoogleError> {
    let bindings = policy.get("bindings").and_then(Value::as_array).cloned().unwrap_or_default();
    let mut read = Bindings::new();
    for binding in &bindings {
        let role = binding.get("role").and_then(Value::as_str).unwrap_or_default();
        if !project.knows_role(role) {
            return Err(GoogleError::invalid(format!("Role {role} is not supported for this resource.")));
        }
        if binding.get("condition").is_some_and(Value::is_object) {
            return Err(GoogleError::invalid("The lab knows no conditions of bindings."));
        }
        let members = binding.get("members").and_then(Value::as_array).cloned().unwrap_or_default();
        let mut named = Vec::new();
        for member in &members {
            let text = member.as_str().unwrap_or_default();
            if !is_member(text) {
                return Err(GoogleError::invalid(format!("Invalid member: {text}")));
            }
            named.push(text.to_owned());
        }
        read.push((role.to_owned(), named));
    }
    Ok(read)
}

/// Whether a text has the form of a member. That somebody of this name exists is not asked here.
fn is_member(text: &str) -> bool {
    let kinds = ["user:", "serviceAccount:", "group:", "domain:"];
    match Member::parse(text) {
        None => false,
        Some(Member::Other) => {
            text == "allAuthenticatedUsers"
                || kinds.iter().any(|kind| text.strip_prefix(kind).is_some_and(|name| name.contains('.')))
        }
        // A pool is named with its project's number.
        Some(Member::Pool { pool, .. }) => {
            let project = pool.strip_prefix("projects/").and_then(|rest| rest.split('/').next());
            project.is_some_and(|project| !project.is_empty() && project.bytes().all(|byte| byte.is_ascii_digit()))
        }
        Some(Member::Anyone) => true,
    }
}

/// A policy as it is answered.
pub(super) fn policy_json(bindings: &Bindings) -> Value {
    let listed: Vec<Value> =
        bindings.iter().map(|(role, members)| json!({ "role": role, "members": members })).collect();
    let mut policy = json!({ "version": 1, "etag": policy_etag(bindings) });
    if !listed.is_empty() {
        policy["bindings"] = listed.into();
    }
    policy
}

fn policy_etag(bindings: &Bindings) -> String {
    let text = serde_json::to_string(bindings).unwrap_or_default();
    let digest = sha256_hex(text.as_bytes());
    // Twelve letters of base64, which a client that decodes it sends back as they are.
    format!("Bw{}", &digest[..10])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_are_taken_in_the_forms_that_google_takes() {
        let set = |project: &str| {
            format!("principalSet://iam.googleapis.com/projects/{project}/locations/global/workloadIdentityPools/p/*")
        };
        for (member, taken) in [
            ("user:a@example.com", true),
            ("serviceAccount:a@p.iam.gserviceaccount.com", true),
            ("allUsers", true),
            ("allAuthenticatedUsers", true),
            (&set("1"), true),
            (&set("my-project"), false),
            ("principalSet://iam.googleapis.com/projects/1", false),
            ("a@example.com", false),
            ("", false),
        ] {
            assert_eq!(is_member(member), taken, "{member}");
        }
    }

    #[test]
    fn a_policys_etag_changes_with_it() {
        let one: Bindings = vec![("roles/owner".to_owned(), vec!["user:a@example.com".to_owned()])];
        let other: Bindings = vec![("roles/owner".to_owned(), vec!["user:b@example.com".to_owned()])];
        assert_eq!(policy_json(&one)["etag"], policy_json(&one.clone())["etag"]);
        assert_ne!(policy_json(&one)["etag"], policy_json(&other)["etag"]);
        assert_eq!(policy_json(&Bindings::new()).get("bindings"), None);
    }
}
