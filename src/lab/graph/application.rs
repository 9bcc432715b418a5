//! Application registrations, their service principals and client secrets.

use http::Method;
use secrecy::SecretString;
use serde_json::{Map, Value, json};

use super::credential::describe_credential;
use super::{Filter, Graph, GraphError, Outcome, Selector, not_allowed, object};
use crate::domain::timestamp::rfc3339;
use crate::lab::keys::random_uuid;
use crate::lab::server::Request;
use crate::lab::server::now;
use crate::lab::world::{App, AzureWorld, ClientSecret};

/// Accounts of the application's own directory.
const SINGLE: &str = "AzureADMyOrg";
/// What an application can be shown with.
const CREDENTIALS: &str = "federatedIdentityCredentials";
/// Accounts of any directory.
const MULTIPLE: &str = "AzureADMultipleOrgs";

impl Graph {
    pub(super) fn applications(&self, request: &Request, is_beta: bool) -> Outcome {
        match request.method {
            Method::GET => {
                let filter = Filter::read(request)?;
                let world = self.azure.now();
                let expanded = request.parameter("$expand").unwrap_or_default();
                let has_credentials = expanded.split(',').any(|name| name.trim() == CREDENTIALS);
                let described = |app: &App| {
                    let mut described = describe_application(app);
                    if has_credentials {
                        let all = app.credentials.iter();
                        described[CREDENTIALS] =
                            all.map(|(name, one)| describe_credential(name, one, is_beta)).collect();
                    }
                    described
                };
                let registered = world.apps.values().filter(|app| !app.managed_identity).map(described);
                self.page(request, registered.filter(|app| filter.fits(app)).collect())
            }
            Method::POST => self.create_application(request),
            ref other => Err(not_allowed(other)),
        }
    }

    fn create_application(&self, request: &Request) -> Outcome {
        let asked = object(request)?;
        let Some(name) = asked.get("displayName").and_then(Value::as_str).filter(|name| !name.is_empty()) else {
            let message = "Invalid value specified for property 'displayName' of resource 'Application'.";
            return Err(GraphError::bad_request(message));
        };
        let app = App {
            display_name: name.to_owned(),
            client_id: random_uuid(),
            service_principal: false,
            registration_id: random_uuid(),
            created_at: now(),
            ..App::default()
        };
        let app = with_application_settings(app, &asked)?;
        let answer = describe_application(&app);
        self.azure.change(|world| drop(world.apps.insert(app.client_id.clone(), app)));
        Ok((201, Some(answer)))
    }

    pub(super) fn application(&self, request: &Request, key: &Selector<'_>) -> Outcome {
        let (name, app) = self.registered(key)?;
        match request.method {
            Method::GET => Ok((200, Some(describe_application(&app)))),
            Method::PATCH => {
                let asked = object(request)?;
                let changed = with_application_settings(app, &asked)?;
                self.change_application(&name, |app| *app = changed);
                Ok((204, None))
            }
            Method::DELETE => {
                self.azure.change(|world| drop(world.apps.remove(&name)));
                Ok((204, None))
            }
            ref other => Err(not_allowed(other)),
        }
    }

    /// The application that the selector names, and its key in the world.
    pub(super) fn registered(&self, key: &Selector<'_>) -> Result<(String, App), GraphError> {
        let world = self.azure.now();
        let mut registered = world.apps.iter().filter(|(_, app)| !app.managed_identity);
        let found = registered.find(|(_, app)| key.names(app, &app.registration_id));
        found.map(|(name, app)| (name.clone(), app.clone())).ok_or_else(|| GraphError::not_found(key.text()))
    }

    pub(super) fn change_application(&self, name: &str, change: impl FnOnce(&mut App)) {
        self.azure.change(|world| world.apps.get_mut(name).map(change));
    }
}

/// The application with what the request says of it.
fn with_application_settings(mut app: App, asked: &Map<String, Value>) -> Result<App, GraphError> {
    if let Some(display_name) = asked.get("displayName").and_then(Value::as_str) {
        display_name.clone_into(&mut app.display_name);
    }
    match asked.get("signInAudience").map(|audience| audience.as_str().unwrap_or_default()) {
        None => {}
        Some(SINGLE) => app.multitenant = false,
        Some(MULTIPLE) => app.multitenant = true,
        Some(_) => {
            let message = "Invalid value specified for property 'signInAudience' of resource 'Application'.";
            return Err(GraphError::bad_request(message));
        }
    }
    Ok(app)
}

fn describe_application(app: &App) -> Value {
    json!({
        "id": app.registration_id,
        "appId": app.client_id,
        "displayName": app.display_name,
        "createdDateTime": rfc3339(app.created_at),
        "signInAudience": if app.multitenant { MULTIPLE } else { SINGLE },
        "passwordCredentials": app.client_secrets.iter().map(describe_password).collect::<Vec<_>>(),
        "identifierUris": [],
    })
}

impl Graph {
    pub(super) fn principals(&self, request: &Request) -> Outcome {
        match request.method {
            Method::GET => {
                let filter = Filter::read(request)?;
                let world = self.azure.now();
                let principals = world.apps.values().filter(|app| app.service_principal);
                let principals = principals.map(|app| describe_principal(&world, app));
                self.page(request, principals.filter(|principal| filter.fits(principal)).collect())
            }
            Method::POST => self.create_principal(request),
            ref other => Err(not_allowed(other)),
        }
    }

    fn create_principal(&self, request: &Request) -> Outcome {
        let asked = object(request)?;
        let app_id = asked.get("appId").and_then(Value::as_str).unwrap_or_default();
        let (name, mut app) = self.registered(&Selector::AppId(app_id)).map_err(|_| {
            GraphError::bad_request(format!(
                "The appId '{app_id}' of the service principal does not reference a valid application object."
            ))
        })?;
        if app.service_principal {
            return Err(GraphError::duplicate(format!(
                "The service principal cannot be created, updated, or restored because the service principal name {app_id} is already in use."
            )));
        }
        app.service_principal = true;
        if app.object_id.is_empty() {
            app.object_id = random_uuid();
        }
        let answer = describe_principal(&self.azure.now(), &app);
        self.change_application(&name, |known| *known = app);
        Ok((201, Some(answer)))
    }

    pub(super) fn principal(&self, request: &Request, key: &Selector<'_>) -> Outcome {
        let world = self.azure.now();
        let mut principals = world.apps.iter().filter(|(_, app)| app.service_principal);
        let (name, app) = principals
            .find(|(_, app)| key.names(app, &app.object_id))
            .ok_or_else(|| GraphError::not_found(key.text()))?;
        match request.method {
            Method::GET => Ok((200, Some(describe_principal(&world, app)))),
            Method::DELETE => {
                self.change_application(name, |app| {
                    app.service_principal = false;
                    app.object_id.clear();
                });
                Ok((204, None))
            }
            ref other => Err(not_allowed(other)),
        }
    }
}

impl Graph {
    /// The groups that a service principal is in.
    pub(super) fn groups(&self, request: &Request, key: &Selector<'_>) -> Outcome {
        let world = self.azure.now();
        let mut principals = world.apps.values().filter(|app| app.service_principal);
        let app =
            principals.find(|app| key.names(app, &app.object_id)).ok_or_else(|| GraphError::not_found(key.text()))?;
        self.page(request, app.groups.iter().map(|id| json!({ "id": id })).collect())
    }
}

fn describe_principal(world: &AzureWorld, app: &App) -> Value {
    let identity = app.managed_identity.then(|| world.identity_id(&app.display_name));
    json!({
        "id": app.object_id,
        "appId": app.client_id,
        "appDisplayName": app.display_name,
        "displayName": app.display_name,
        "appOwnerOrganizationId": world.tenant_id,
        "servicePrincipalType": if identity.is_some() { "ManagedIdentity" } else { "Application" },
        "servicePrincipalNames": [app.client_id],
        "alternativeNames": identity.map_or_else(Vec::new, |id| vec!["isExplicit=True".to_owned(), id]),
        "accountEnabled": app.enabled,
        "createdDateTime": rfc3339(app.created_at),
    })
}

impl Graph {
    /// Makes one. Its value is in this answer and in no other.
    pub(super) fn add_password(&self, request: &Request, key: &Selector<'_>) -> Outcome {
        only_post(&request.method)?;
        let (name, _) = self.registered(key)?;
        let asked = object(request)?;
        let display_name = asked.get("passwordCredential").and_then(|credential| credential.get("displayName"));
        let value = format!("lab8Q~{}", random_uuid().replace('-', ""));
        let secret = ClientSecret {
            value: SecretString::from(value.clone()),
            expired: false,
            display_name: display_name.and_then(Value::as_str).map(str::to_owned),
            key_id: random_uuid(),
        };
        let mut answer = describe_password(&secret);
        answer["secretText"] = value.into();
        self.change_application(&name, |app| app.client_secrets.push(secret));
        Ok((200, Some(answer)))
    }

    pub(super) fn remove_password(&self, request: &Request, key: &Selector<'_>) -> Outcome {
        only_post(&request.method)?;
        let (name, app) = self.registered(key)?;
        let asked = object(request)?;
        let id = asked.get("keyId").and_then(Value::as_str).unwrap_or_default();
        if !app.client_secrets.iter().any(|secret| secret.key_id == id) {
            return Err(GraphError::bad_request(format!("No password credential found with keyId '{id}'.")));
        }
        self.change_application(&name, |app| app.client_secrets.retain(|secret| secret.key_id != id));
        Ok((204, None))
    }
}

fn only_post(method: &Method) -> Result<(), GraphError> {
    if method == Method::POST { Ok(()) } else { Err(not_allowed(method)) }
}

/// One without its value.
pub(super) fn describe_password(secret: &ClientSecret) -> Value {
    json!({ "keyId": secret.key_id, "displayName": secret.display_name })
}
