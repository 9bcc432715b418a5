//! The IAM API: workload identity pools and their providers, read, made, changed, deleted and brought back; and service
//! accounts (<https://cloud.google.com/iam/docs/reference/rest/v1/projects.locations.workloadIdentityPools>).

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::access::{Asked, GoogleService, page};
use super::error::GoogleError;
use super::project::{Pool, Project, Provider, Resource, pool_name};
use super::{account_keys, denies, policies, service_accounts};
use crate::domain::gcp::PoolProvider;
use crate::domain::jwks::{Curve, Jwks, Material};

pub(super) const SERVICE: GoogleService = GoogleService {
    name: "iam.googleapis.com",
    title: "Identity and Access Management (IAM) API",
    scopes: &["https://www.googleapis.com/auth/iam"],
    act,
};

/// The entries of a page at most.
const PAGE: usize = 50;
/// What stands in an operation's name; each is done when it is answered.
const DONE: &str = "done";

fn act(asked: &Asked<'_>) -> Result<Value, GoogleError> {
    let (_, path, _) = asked.route();
    match path.as_slice() {
        ["projects", named, "serviceAccounts"] => service_accounts::act(asked, named, None),
        ["projects", named, "serviceAccounts", address] => service_accounts::act(asked, named, Some(address)),
        ["projects", named, "serviceAccounts", address, "keys"] => account_keys::act(asked, named, address, None),
        ["projects", named, "serviceAccounts", address, "keys", id] => {
            account_keys::act(asked, named, address, Some(id))
        }
        ["roles", _] | ["projects", _, "roles", _] => policies::described_role(asked, &path.join("/")),
        ["policies", "cloudresourcemanager.googleapis.com", kind, named, "denypolicies", id @ ..] => {
            denies::act(asked, kind, named, id)
        }
        // The name of a policy has the slashes of its attachment point encoded; gcloud encodes it once more for the path.
        ["policies", attached, "denypolicies", id @ ..] => match attached.split("%2F").collect::<Vec<_>>().as_slice() {
            ["cloudresourcemanager.googleapis.com", kind, named] => denies::act(asked, kind, named, id),
            _ => Err(GoogleError::no_such_method()),
        },
        ["projects", .., "operations", _] => Ok(json!({ "name": path.join("/"), "done": true, "response": {} })),
        ["projects", named, "locations", "global", "workloadIdentityPools"] => all_pools(asked, named),
        ["projects", named, "locations", "global", "workloadIdentityPools", pool] => one_pool(asked, named, pool),
        ["projects", named, "locations", "global", "workloadIdentityPools", pool, "providers"] => {
            all_providers(asked, named, pool)
        }
        ["projects", named, "locations", "global", "workloadIdentityPools", pool, "providers", provider] => {
            one_provider(asked, named, pool, provider)
        }
        _ => Err(GoogleError::no_such_method()),
    }
}

/// The project, where the caller may do this to its pools.
fn permitted(
    asked: &Asked<'_>,
    named: &str,
    permission: &str,
    at: &str,
) -> Result<std::sync::Arc<Project>, GoogleError> {
    let project = asked.project(named, permission)?;
    let at = if at.is_empty() { project.name() } else { format!("{}/{at}", project.name()) };
    asked.must(&project, permission, &Resource::Project, Some(&at))?;
    Ok(project)
}

fn all_pools(asked: &Asked<'_>, named: &str) -> Result<Value, GoogleError> {
    let (method, _, _) = asked.route();
    let at = "locations/global";
    match method {
        "GET" => {
            let project = permitted(asked, named, "iam.workloadIdentityPools.list", at)?;
            let wants_deleted = asked.parameter("showDeleted").as_deref() == Some("true");
            let shown = project.pools.iter().filter(|(_, pool)| wants_deleted || !pool.is_deleted);
            let pools = shown.map(|(name, pool)| described(&project.number, name, pool)).collect();
            listed(asked, "workloadIdentityPools", pools)
        }
        "POST" => {
            permitted(asked, named, "iam.workloadIdentityPools.create", at)?;
            let id = new_id(asked, "workloadIdentityPoolId")?;
            let body = asked.body()?;
            let pool = Pool {
                is_disabled: body.get("disabled").and_then(Value::as_bool).unwrap_or_default(),
                display_name: text(&body, "displayName"),
                description: text(&body, "description"),
                ..Pool::default()
            };
            asked.cloud.project.change(|project| {
                if project.pools.contains_key(&id) {
                    return Err(GoogleError::exists("Requested entity already exists"));
                }
                let answer = described(&project.number, &id, &pool);
                project.pools.insert(id, pool);
                Ok(done(answer))
            })
        }
        _ => Err(GoogleError::no_such_method()),
    }
}

fn one_pool(asked: &Asked<'_>, named: &str, id: &str) -> Result<Value, GoogleError> {
    let (method, _, verb) = asked.route();
    let right = right(method, verb)?;
    let at = format!("locations/global/workloadIdentityPools/{id}");
    let project = permitted(asked, named, &format!("iam.workloadIdentityPools.{right}"), &at)?;
    let number = project.number.clone();
    if right == "get" {
        return project.pools.get(id).map(|pool| described(&number, id, pool)).ok_or_else(missing);
    }
    let (body, mask) = (asked.body()?, fields(asked));
    asked.cloud.project.change(|project| {
        let pool = project.pools.get_mut(id).ok_or_else(missing)?;
        match right {
            "delete" => pool.is_deleted = true,
            "undelete" => pool.is_deleted = false,
            _ => {
                for field in &mask {
                    match field.as_str() {
                        "disabled" => pool.is_disabled = body["disabled"].as_bool().unwrap_or_default(),
                        "displayname" => pool.display_name = text(&body, "displayName"),
                        "description" => pool.description = text(&body, "description"),
                        other => return Err(GoogleError::invalid(format!("Invalid field mask: {other}"))),
                    }
                }
            }
        }
        Ok(done(described(&number, id, pool)))
    })
}

fn all_providers(asked: &Asked<'_>, named: &str, pool: &str) -> Result<Value, GoogleError> {
    let (method, _, _) = asked.route();
    let at = format!("locations/global/workloadIdentityPools/{pool}");
    match method {
        "GET" => {
            let project = permitted(asked, named, "iam.workloadIdentityPoolProviders.list", &at)?;
            let held = project.pools.get(pool).ok_or_else(missing)?;
            let wants_deleted = asked.parameter("showDeleted").as_deref() == Some("true");
            let shown = held.providers.iter().filter(|(_, provider)| wants_deleted || !provider.is_deleted);
            let name = |id: &str| format!("{}/providers/{id}", pool_name(&project.number, pool));
            listed(
                asked,
                "workloadIdentityPoolProviders",
                shown.map(|(id, provider)| provider.described(&name(id))).collect(),
            )
        }
        "POST" => {
            permitted(asked, named, "iam.workloadIdentityPoolProviders.create", &at)?;
            let id = new_id(asked, "workloadIdentityPoolProviderId")?;
            let mut provider = Provider::default();
            let every = FIELDS.iter().map(|field| (*field).to_owned()).collect::<Vec<_>>();
            change(&mut provider, &asked.body()?, &every)?;
            asked.cloud.project.change(|project| {
                let name = format!("{}/providers/{id}", pool_name(&project.number, pool));
                let pool = project.pools.get_mut(pool).filter(|pool| !pool.is_deleted).ok_or_else(missing)?;
                if pool.providers.contains_key(&id) {
                    return Err(GoogleError::exists("Requested entity already exists"));
                }
                check(&provider, &name)?;
                let answer = provider.described(&name);
                pool.providers.insert(id, provider);
                Ok(done(answer))
            })
        }
        _ => Err(GoogleError::no_such_method()),
    }
}

fn one_provider(asked: &Asked<'_>, named: &str, pool: &str, id: &str) -> Result<Value, GoogleError> {
    let (method, _, verb) = asked.route();
    let right = right(method, verb)?;
    let at = format!("locations/global/workloadIdentityPools/{pool}/providers/{id}");
    let project = permitted(asked, named, &format!("iam.workloadIdentityPoolProviders.{right}"), &at)?;
    let name = format!("{}/{at}", project.name());
    let held = |project: &Project| project.pools.get(pool).and_then(|pool| pool.providers.get(id)).cloned();
    let mut provider = held(&project).ok_or_else(missing)?;
    match right {
        "get" => return Ok(provider.described(&name)),
        "delete" => provider.is_deleted = true,
        "undelete" => provider.is_deleted = false,
        _ => {
            change(&mut provider, &asked.body()?, &fields(asked))?;
            check(&provider, &name)?;
        }
    }
    let answer = done(provider.described(&name));
    asked.cloud.project.change(|project| {
        let pool = project.pools.get_mut(pool).ok_or_else(missing)?;
        pool.providers.insert(id.to_owned(), provider);
        Ok(answer)
    })
}

/// The last part of the permission's name.
fn right(method: &str, verb: &str) -> Result<&'static str, GoogleError> {
    match (method, verb) {
        ("GET", "") => Ok("get"),
        ("PATCH", "") => Ok("update"),
        ("DELETE", "") => Ok("delete"),
        ("POST", "undelete") => Ok("undelete"),
        _ => Err(GoogleError::no_such_method()),
    }
}

/// What can be said of a provider, in lower case and without what joins the words: masks come in two spellings.
const FIELDS: [&str; 8] = [
    "disabled",
    "displayname",
    "description",
    "attributemapping",
    "attributecondition",
    "oidc.issueruri",
    "oidc.allowedaudiences",
    "oidc.jwksjson",
];

fn change(provider: &mut Provider, body: &Value, fields: &[String]) -> Result<(), GoogleError> {
    let oidc = body.get("oidc").cloned().unwrap_or_default();
    for field in fields {
        match field.as_str() {
            "disabled" => provider.is_disabled = body["disabled"].as_bool().unwrap_or_default(),
            "displayname" => provider.display_name = text(body, "displayName"),
            "description" => provider.description = text(body, "description"),
            "attributemapping" => {
                let given = body.get("attributeMapping").and_then(Value::as_object).cloned().unwrap_or_default();
                let written = |(name, value): (String, Value)| Some((name, value.as_str()?.to_owned()));
                provider.mapping = given.into_iter().filter_map(written).collect::<BTreeMap<_, _>>();
            }
            "attributecondition" => provider.condition = text(body, "attributeCondition"),
            "oidc.issueruri" => provider.issuer_uri = text(&oidc, "issuerUri"),
            "oidc.allowedaudiences" => {
                let given = oidc.get("allowedAudiences").and_then(Value::as_array).cloned().unwrap_or_default();
                provider.allowed_audiences = given.iter().filter_map(Value::as_str).map(str::to_owned).collect();
            }
            "oidc.jwksjson" => provider.jwks_json = Some(text(&oidc, "jwksJson")).filter(|keys| !keys.is_empty()),
            other => return Err(GoogleError::invalid(format!("Invalid field mask: {other}"))),
        }
    }
    Ok(())
}

/// Refuses what Google refuses when a provider is written.
fn check(provider: &Provider, name: &str) -> Result<(), GoogleError> {
    if !provider.issuer_uri.starts_with("https://") {
        return Err(GoogleError::invalid("Invalid OIDC issuer URI. The scheme must be https."));
    }
    if let Some(keys) = &provider.jwks_json {
        check_keys(keys)?;
    }
    let read = PoolProvider::parse(&provider.described(name).to_string())
        .map_err(|error| GoogleError::invalid(error.to_string()))?;
    match read.problems.first() {
        None => Ok(()),
        Some(problem) => {
            let key = problem.at.strip_prefix("attributeMapping.attribute.").filter(|_| problem.what.contains("a key"));
            Err(GoogleError::invalid(match key {
                Some(key) => format!(
                    "Invalid mapped attribute key: {key}. The maximum length of a mapped attribute key is 100 characters and may only contain the characters [a-z0-9_]."
                ),
                None => format!("{}: {}", problem.at, problem.what),
            }))
        }
    }
}

fn check_keys(keys: &str) -> Result<(), GoogleError> {
    let set = Jwks::parse(keys.as_bytes()).map_err(|_| GoogleError::invalid("Invalid JWKS: it cannot be parsed."))?;
    for key in &set.keys {
        match &key.material {
            Some(Material::Rsa { .. } | Material::Ec { curve: Curve::P256, .. }) => {}
            Some(Material::Ec { .. }) => {
                return Err(GoogleError::invalid("Invalid JWKS. Only RSA, EC key types are supported."));
            }
            _ => return Err(GoogleError::invalid("Input jwks contains corrupted key material.")),
        }
    }
    Ok(())
}

fn new_id(asked: &Asked<'_>, parameter: &str) -> Result<String, GoogleError> {
    let id = asked.parameter(parameter).unwrap_or_default();
    let usual = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    match (4..=32).contains(&id.len()) && id.chars().all(usual) && !id.starts_with("gcp-") {
        true => Ok(id),
        false => Err(GoogleError::invalid(format!(
            "Invalid value at '{parameter}': 4 to 32 characters of [a-z0-9-], and the prefix gcp- is reserved."
        ))),
    }
}

fn fields(asked: &Asked<'_>) -> Vec<String> {
    let mask = asked.parameter("updateMask").unwrap_or_default();
    mask.split(',').map(|field| field.replace('_', "").to_lowercase()).filter(|field| !field.is_empty()).collect()
}

fn text(body: &Value, member: &str) -> String {
    body.get(member).and_then(Value::as_str).unwrap_or_default().to_owned()
}

fn missing() -> GoogleError {
    GoogleError::not_found("Requested entity was not found.")
}

fn described(number: &str, id: &str, pool: &Pool) -> Value {
    let mut described = json!({
        "name": pool_name(number, id),
        "state": if pool.is_deleted { "DELETED" } else { "ACTIVE" },
    });
    for (member, text) in [("displayName", &pool.display_name), ("description", &pool.description)] {
        if !text.is_empty() {
            described[member] = text.clone().into();
        }
    }
    if pool.is_disabled {
        described["disabled"] = true.into();
    }
    described
}

/// The operation that made, changed or deleted it, which is over.
fn done(response: Value) -> Value {
    let name = response.get("name").and_then(Value::as_str).unwrap_or_default().to_owned();
    json!({ "name": format!("{name}/operations/{DONE}"), "done": true, "response": response })
}

fn listed(asked: &Asked<'_>, member: &str, entries: Vec<Value>) -> Result<Value, GoogleError> {
    let (entries, next) = page(asked, entries, PAGE)?;
    let mut answer = json!({});
    if !entries.is_empty() {
        answer[member] = entries.into();
    }
    if let Some(next) = next {
        answer["nextPageToken"] = next.into();
    }
    Ok(answer)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(changes: &Value) -> Result<Provider, String> {
        let mut body = json!({
            "oidc": { "issuerUri": "https://issuer.example" },
            "attributeMapping": { "google.subject": "assertion.sub" },
        });
        for (name, value) in changes.as_object().unwrap() {
            body[name] = value.clone();
        }
        let every = FIELDS.iter().map(|field| (*field).to_owned()).collect::<Vec<_>>();
        let mut provider = Provider::default();
        let changed = change(&mut provider, &body, &every).and_then(|()| check(&provider, &pool_name("1", "pool")));
        changed.map(|()| provider).map_err(|refusal| refusal.message)
    }

    #[test]
    fn a_provider_is_written_as_it_is_described() {
        let provider = written(&json!({ "attributeCondition": "assertion.sub == 'a'" })).unwrap();
        let described = provider.described("n");
        assert_eq!(described["attributeMapping"], json!({ "google.subject": "assertion.sub" }));
        assert_eq!(described["attributeCondition"], "assertion.sub == 'a'");
    }

    #[test]
    fn what_google_refuses_is_refused_in_its_words() {
        let keys = |key: Value| json!({ "oidc": { "issuerUri": "https://i", "jwksJson": json!({ "keys": [key] }).to_string() } });
        let generated = crate::lab::keys::Keys::new().unwrap();
        let p384 = Value::Object(generated.public_jwk("ES384").unwrap());
        let p256 = Value::Object(generated.public_jwk("ES256").unwrap());
        assert!(written(&keys(p256)).is_ok());
        for (changes, part) in [
            (json!({ "oidc": { "issuerUri": "http://i" } }), "Invalid OIDC issuer URI. The scheme must be https."),
            (keys(p384), "Only RSA, EC key types are supported."),
            (keys(json!({ "kty": "OKP", "crv": "Ed25519", "x": "AA" })), "Input jwks contains corrupted key material."),
            (json!({ "attributeCondition": "assertion.sub ==" }), "attributeCondition"),
            (
                json!({ "attributeMapping": { "google.subject": "assertion.sub", "attribute.Team": "assertion.t" } }),
                "Invalid mapped attribute key: Team.",
            ),
            (json!({ "attributeMapping": {} }), "google.subject"),
        ] {
            let refused = written(&changes).err().unwrap_or_default();
            assert!(refused.contains(part), "{part}: {refused}");
        }
    }
}
