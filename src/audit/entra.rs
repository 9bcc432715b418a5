//! Entra: the federated credentials of applications and managed identities.

use serde_json::Value;

use super::{AdmittedSubject, AuditFinding, Place};
use crate::cause::entra;
use crate::domain::entra::CredentialSet;
use crate::domain::ids::{Finder, FoundBy};

/// The name that findings carry in place of a check's.
const CHECK: FoundBy = FoundBy::Command(Finder::Audit);

/// One federated credential, and whose it is.
#[derive(Clone, Debug, PartialEq)]
pub struct CredentialOf {
    /// The application or identity, and the credential's name.
    pub resource: String,
    /// The application's id, by which logs name it.
    pub application: Option<String>,
    pub credential: Value,
}

/// Whose a credential is that does not say it.
const ANONYMOUS: &str = "an application";

impl CredentialOf {
    /// Whether nothing tells whose it is.
    pub fn is_anonymous(&self) -> bool {
        self.resource.strip_prefix(ANONYMOUS).is_some_and(|rest| rest.starts_with(','))
    }
}

/// The federated credentials in a document: those of `az ad app federated-credential list`, of applications that Graph expanded
/// (`$expand=federatedIdentityCredentials`), of managed identities. None where it holds no such thing.
pub fn credentials(document: &Value) -> Vec<CredentialOf> {
    let list = document.get("value").and_then(Value::as_array);
    let items = list.map_or(std::slice::from_ref(document), Vec::as_slice);
    items.iter().flat_map(of_item).collect()
}

fn of_item(item: &Value) -> Vec<CredentialOf> {
    let text = |name: &str| item.get(name).and_then(Value::as_str);
    if let Some(expanded) = item.get("federatedIdentityCredentials").and_then(Value::as_array) {
        let id = text("appId").or(text("id")).unwrap_or("an application without an id");
        let owner = text("displayName").map_or_else(|| id.to_owned(), |name| format!("{name} ({id})"));
        return expanded.iter().map(|credential| of_owner(&owner, text("appId"), credential)).collect();
    }
    let properties = item.get("properties").unwrap_or(item);
    let is_credential = ["issuer", "audiences"].iter().all(|name| properties.get(*name).is_some());
    if !is_credential {
        return Vec::new();
    }
    // A managed identity's credential has the identity in its id; an application's has a number.
    let identity = text("id").and_then(|id| Some(id.split_once("/federatedIdentityCredentials/")?.0));
    vec![of_owner(identity.unwrap_or(ANONYMOUS), None, item)]
}

fn of_owner(owner: &str, application: Option<&str>, credential: &Value) -> CredentialOf {
    let name = credential.get("name").and_then(Value::as_str).unwrap_or("without a name");
    CredentialOf {
        resource: format!("{owner}, federated credential {name}"),
        application: application.map(str::to_owned),
        credential: credential.clone(),
    }
}

/// Judges one credential.
///
/// # Errors
/// It cannot be read; says why.
pub fn judge(place: &Place, credential: &Value) -> Result<Vec<AuditFinding>, String> {
    let set = CredentialSet::parse(&credential.to_string()).map_err(|error| error.to_string())?;
    let strangers = entra::strangers(&set, CHECK).into_iter().map(|finding| {
        let subject = finding.evidence.iter().find_map(|fact| fact.split('`').nth(1)).map(str::to_owned);
        let mut found = place.finding(finding, "who gets in");
        let why = "anybody's token of this issuer".to_owned();
        found.admits.extend(subject.map(|subject| AdmittedSubject { subject, why, claims: serde_json::Map::new() }));
        found
    });
    let flaws = entra::flaws(&set, CHECK).into_iter().map(|finding| {
        let mark = finding.summary.clone();
        place.finding(finding, &mark)
    });
    Ok(strangers.chain(flaws).collect())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::cause::{Cause, Severity};

    fn credential(subject: Value) -> Value {
        let mut credential = json!({"name": "ci", "issuer": "https://token.actions.githubusercontent.com",
            "audiences": ["api://AzureADTokenExchange"]});
        credential.as_object_mut().unwrap().extend(subject.as_object().unwrap().clone());
        credential
    }

    #[test]
    fn credentials_are_found_in_every_form_with_whose_they_are() {
        let own = credential(json!({"subject": "repo:octo/app:ref:refs/heads/main"}));
        let app = json!({"appId": "a1", "displayName": "deploy", "federatedIdentityCredentials": [own]});
        let mut of_identity = own.clone();
        of_identity["id"] =
            "/subscriptions/s/providers/M/userAssignedIdentities/u/federatedIdentityCredentials/ci".into();
        for (document, owner) in [
            (json!({"value": [app]}), "deploy (a1), federated credential ci"),
            (app.clone(), "deploy (a1), federated credential ci"),
            (own.clone(), "an application, federated credential ci"),
            (of_identity, "/subscriptions/s/providers/M/userAssignedIdentities/u, federated credential ci"),
        ] {
            let found: Vec<String> = credentials(&document).into_iter().map(|credential| credential.resource).collect();
            assert_eq!(found, [owner], "{document}");
        }
        assert!(credentials(&json!({"value": [{"issuer": 1}]})).is_empty());
    }

    #[test]
    fn an_expression_that_fits_anybody_is_told_with_who_gets_in() {
        let place = Place { resource: "app".to_owned(), location: None };
        let wide = credential(json!({"claimsMatchingExpression":
            {"value": "claims['sub'] matches 'repo:*' and claims['repository_owner_id'] matches '*'", "languageVersion": 1}}));
        let found = judge(&place, &wide).unwrap();
        assert_eq!((found[0].cause, found[0].severity), (Cause::TrustTooWide, Severity::Critical));
        assert!(found[0].admits[0].subject.starts_with("repo:"), "{found:#?}");
        let tight = credential(json!({"subject": "repo:octo/app:ref:refs/heads/main"}));
        assert_eq!(judge(&place, &tight), Ok(Vec::new()));
        assert!(judge(&place, &json!(7)).is_err());
    }
}
