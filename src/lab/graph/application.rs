//! Application registrations.

use http::Method;
use serde_json::{Map, Value, json};

use super::filter::Filter;
use super::{Fault, Graph, Outcome, Selector, not_allowed, object, page, password};
use crate::lab::keys::random_uuid;
use crate::lab::server::Received;
use crate::lab::world::App;

/// Accounts of the application's own directory.
const SINGLE: &str = "AzureADMyOrg";
/// Accounts of any directory.
const MULTIPLE: &str = "AzureADMultipleOrgs";

impl Graph {
    pub(super) fn applications(&self, request: &Received) -> Outcome {
        match request.method {
            Method::GET => {
                let filter = Filter::read(request)?;
                let world = self.azure.now();
                page(world.apps.values().map(described).filter(|app| filter.fits(app)).collect())
            }
            Method::POST => self.create_application(request),
            ref other => Err(not_allowed(other)),
        }
    }

    fn create_application(&self, request: &Received) -> Outcome {
        let asked = object(request)?;
        let Some(name) = asked.get("displayName").and_then(Value::as_str).filter(|name| !name.is_empty()) else {
            let message = "Invalid value specified for property 'displayName' of resource 'Application'.";
            return Err(Fault::bad_request(message));
        };
        let app = App {
            display_name: name.to_owned(),
            client_id: random_uuid(),
            service_principal: false,
            registration_id: random_uuid(),
            ..App::default()
        };
        let app = with(app, &asked)?;
        let answer = described(&app);
        self.azure.change(|world| drop(world.apps.insert(app.client_id.clone(), app)));
        Ok((201, Some(answer)))
    }

    pub(super) fn application(&self, request: &Received, key: &Selector<'_>) -> Outcome {
        let (name, app) = self.registered(key)?;
        match request.method {
            Method::GET => Ok((200, Some(described(&app)))),
            Method::PATCH => {
                let asked = object(request)?;
                let changed = with(app, &asked)?;
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
    pub(super) fn registered(&self, key: &Selector<'_>) -> Result<(String, App), Fault> {
        let world = self.azure.now();
        let found = world.apps.iter().find(|(_, app)| key.names(app, &app.registration_id));
        found.map(|(name, app)| (name.clone(), app.clone())).ok_or_else(|| Fault::not_found(key.text()))
    }

    pub(super) fn change_application(&self, name: &str, change: impl FnOnce(&mut App)) {
        self.azure.change(|world| world.apps.get_mut(name).map(change));
    }
}

/// The application with what the request says of it.
fn with(mut app: App, asked: &Map<String, Value>) -> Result<App, Fault> {
    if let Some(display_name) = asked.get("displayName").and_then(Value::as_str) {
        display_name.clone_into(&mut app.display_name);
    }
    match asked.get("signInAudience").map(|audience| audience.as_str().unwrap_or_default()) {
        None => {}
        Some(SINGLE) => app.multitenant = false,
        Some(MULTIPLE) => app.multitenant = true,
        Some(_) => {
            let message = "Invalid value specified for property 'signInAudience' of resource 'Application'.";
            return Err(Fault::bad_request(message));
        }
    }
    Ok(app)
}

fn described(app: &App) -> Value {
    json!({
        "id": app.registration_id,
        "appId": app.client_id,
        "displayName": app.display_name,
        "signInAudience": if app.multitenant { MULTIPLE } else { SINGLE },
        "passwordCredentials": app.client_secrets.iter().map(password::described).collect::<Vec<_>>(),
        "identifierUris": [],
    })
}
