//! Service principals: what an application is in a directory, and what roles are given to.

use http::Method;
use serde_json::{Value, json};

use super::filter::Filter;
use super::{Fault, Graph, Outcome, Selector, not_allowed, object, page};
use crate::lab::keys::random_uuid;
use crate::lab::server::Received;
use crate::lab::world::App;

impl Graph {
    pub(super) fn principals(&self, request: &Received) -> Outcome {
        match request.method {
            Method::GET => {
                let filter = Filter::read(request)?;
                let world = self.azure.now();
                let principals = world.apps.values().filter(|app| app.service_principal).map(described);
                page(principals.filter(|principal| filter.fits(principal)).collect())
            }
            Method::POST => self.create_principal(request),
            ref other => Err(not_allowed(other)),
        }
    }

    fn create_principal(&self, request: &Received) -> Outcome {
        let asked = object(request)?;
        let app_id = asked.get("appId").and_then(Value::as_str).unwrap_or_default();
        let (name, mut app) = self.registered(&Selector::AppId(app_id)).map_err(|_| {
            Fault::bad_request(format!(
                "The appId '{app_id}' of the service principal does not reference a valid application object."
            ))
        })?;
        if app.service_principal {
            return Err(Fault::duplicate(format!(
                "The service principal cannot be created, updated, or restored because the service principal name {app_id} is already in use."
            )));
        }
        app.service_principal = true;
        if app.object_id.is_empty() {
            app.object_id = random_uuid();
        }
        let answer = described(&app);
        self.change_application(&name, |known| *known = app);
        Ok((201, Some(answer)))
    }

    pub(super) fn principal(&self, request: &Received, key: &Selector<'_>) -> Outcome {
        let world = self.azure.now();
        let mut principals = world.apps.iter().filter(|(_, app)| app.service_principal);
        let (name, app) =
            principals.find(|(_, app)| key.names(app, &app.object_id)).ok_or_else(|| Fault::not_found(key.text()))?;
        match request.method {
            Method::GET => Ok((200, Some(described(app)))),
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

fn described(app: &App) -> Value {
    json!({
        "id": app.object_id,
        "appId": app.client_id,
        "appDisplayName": app.display_name,
        "displayName": app.display_name,
        "servicePrincipalType": "Application",
        "servicePrincipalNames": [app.client_id],
        "accountEnabled": true,
    })
}
