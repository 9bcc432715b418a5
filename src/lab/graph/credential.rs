//! Federated identity credentials
//! (<https://learn.microsoft.com/graph/api/resources/federatedidentitycredential>).

use http::Method;
use serde_json::{Map, Value, json};

use super::{Graph, GraphError, Outcome, Selector, not_allowed, object};
use crate::lab::keys::random_uuid;
use crate::lab::server::Request;
use crate::lab::world::{App, Credential};

/// How many an application may have.
const MOST: usize = 20;
/// How long a field may be, in characters.
const LONGEST: usize = 600;

impl Graph {
    pub(super) fn credentials(&self, request: &Request, key: &Selector<'_>, is_beta: bool) -> Outcome {
        let (app_name, app) = self.registered(key)?;
        match request.method {
            Method::GET => {
                let credentials = app.credentials.iter();
                let described = credentials.map(|(name, credential)| describe_credential(name, credential, is_beta));
                self.page(request, described.collect())
            }
            Method::POST => {
                let asked = object(request)?;
                let name = text(&asked, "name").unwrap_or_default().to_owned();
                if !is_name(&name) {
                    return Err(GraphError::bad_request(
                        "Property 'name' must be 3 to 120 characters long and contain only letters, digits, '-' and '_'.",
                    ));
                }
                let credential =
                    with_credential_settings(Credential { id: random_uuid(), ..Credential::default() }, &asked)?;
                check_room(&app, &name, &credential)?;
                let answer = describe_credential(&name, &credential, is_beta);
                self.change_application(&app_name, |app| drop(app.credentials.insert(name, credential)));
                Ok((201, Some(answer)))
            }
            ref other => Err(not_allowed(other)),
        }
    }

    /// One, by its id or its name.
    pub(super) fn credential(&self, request: &Request, key: &Selector<'_>, wanted: &str, is_beta: bool) -> Outcome {
        let (app_name, app) = self.registered(key)?;
        let mut credentials = app.credentials.iter();
        let (name, credential) = credentials
            .find(|(name, credential)| *name == wanted || credential.id.eq_ignore_ascii_case(wanted))
            .ok_or_else(|| GraphError::not_found(wanted))?;
        match request.method {
            Method::GET => Ok((200, Some(describe_credential(name, credential, is_beta)))),
            Method::PATCH => {
                let changed = with_credential_settings(credential.clone(), &object(request)?)?;
                self.change_application(&app_name, |app| drop(app.credentials.insert(name.clone(), changed)));
                Ok((204, None))
            }
            Method::DELETE => {
                self.change_application(&app_name, |app| drop(app.credentials.remove(name)));
                Ok((204, None))
            }
            ref other => Err(not_allowed(other)),
        }
    }
}

/// The credential with what the request says of it. Nobody checks here whether any token has these values.
fn with_credential_settings(mut credential: Credential, asked: &Map<String, Value>) -> Result<Credential, GraphError> {
    if let Some(issuer) = text(asked, "issuer") {
        issuer.clone_into(&mut credential.issuer);
    }
    if let Some(subject) = text(asked, "subject") {
        subject.clone_into(&mut credential.subject);
    }
    if let Some(description) = text(asked, "description") {
        credential.description = Some(description.to_owned());
    }
    match asked.get("audiences").map(|audiences| audiences.as_array().map_or(&[][..], Vec::as_slice)) {
        None => {}
        Some([Value::String(audience)]) => audience.clone_into(&mut credential.audience),
        Some(_) => return Err(GraphError::bad_request("Property 'audiences' must contain exactly one value.")),
    }
    for (name, value) in
        [("issuer", &credential.issuer), ("subject", &credential.subject), ("audiences", &credential.audience)]
    {
        if value.is_empty() {
            return Err(GraphError::bad_request(format!("Property '{name}' is required and must not be empty.")));
        }
        if value.chars().count() > LONGEST {
            return Err(GraphError::bad_request(format!(
                "Property '{name}' must be at most {LONGEST} characters long."
            )));
        }
    }
    Ok(credential)
}

fn check_room(app: &App, name: &str, credential: &Credential) -> Result<(), GraphError> {
    if app.credentials.contains_key(name) {
        return Err(GraphError::duplicate(format!("FederatedIdentityCredential with name {name} already exists.")));
    }
    let same = |known: &&Credential| known.issuer == credential.issuer && known.subject == credential.subject;
    if app.credentials.values().any(|known| same(&known)) {
        return Err(GraphError::duplicate(
            "FederatedIdentityCredential with this combination of issuer and subject already exists.",
        ));
    }
    if app.credentials.len() >= MOST {
        return Err(GraphError::new(
            400,
            "Directory_QuotaExceeded",
            format!("The application already has {MOST} federated identity credentials, and can have no more."),
        ));
    }
    Ok(())
}

/// 3 to 120 characters that may stand in a URL.
fn is_name(name: &str) -> bool {
    (3..=120).contains(&name.len()) && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
}

fn text<'a>(asked: &'a Map<String, Value>, name: &str) -> Option<&'a str> {
    asked.get(name).and_then(Value::as_str)
}

/// One as the version of Graph's shows it: expressions are in its beta alone, and such a credential has no subject.
pub(super) fn describe_credential(name: &str, credential: &Credential, is_beta: bool) -> Value {
    let subject = credential.expression.is_none().then_some(&credential.subject);
    let mut described = json!({
        "id": credential.id,
        "name": name,
        "issuer": credential.issuer,
        "subject": subject,
        "audiences": [credential.audience],
        "description": credential.description,
    });
    if is_beta {
        let expression = credential.expression.as_ref();
        described["claimsMatchingExpression"] =
            expression.map_or(Value::Null, |text| json!({ "value": text, "languageVersion": 1 }));
    }
    described
}
