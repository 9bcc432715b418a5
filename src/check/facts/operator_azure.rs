//! Azure's own side as the operator read it: the application with its credentials, the vault, who has rights there.

use serde::Serialize;
use serde_json::Value;

use super::read::Read;
use crate::domain::timestamp::{UnixSeconds, parse_rfc3339};
use crate::domain::vault_access::{DenyAssignment, Identity, RoleAssignment, RoleDefinition, VaultResource};

/// What the reads take: the one permission of Graph's, and the actions of Resource Manager's.
pub mod permission {
    pub const READ_APPLICATIONS: &str = "Application.Read.All";
    /// For the record of sign-ins, which `events` reads.
    pub const READ_SIGN_INS: &str = "AuditLog.Read.All";
    pub const READ_SUBSCRIPTION: &str = "Microsoft.Resources/subscriptions/resources/read";
    pub const READ_VAULT: &str = "Microsoft.KeyVault/vaults/read";
    pub const READ_SECRET: &str = "Microsoft.KeyVault/vaults/secrets/read";
    pub const READ_ASSIGNMENTS: &str = "Microsoft.Authorization/roleAssignments/read";
    pub const READ_DEFINITIONS: &str = "Microsoft.Authorization/roleDefinitions/read";
    pub const READ_DENIALS: &str = "Microsoft.Authorization/denyAssignments/read";
    /// For the audit of a whole directory.
    pub const READ_IDENTITIES: &str = "Microsoft.ManagedIdentity/userAssignedIdentities/read";
    pub const READ_IDENTITY_CREDENTIALS: &str =
        "Microsoft.ManagedIdentity/userAssignedIdentities/federatedIdentityCredentials/read";

    /// The actions that a role for the operator holds.
    pub const OPERATOR_ACTIONS: [&str; 7] = [
        READ_ASSIGNMENTS,
        READ_DENIALS,
        READ_DEFINITIONS,
        READ_VAULT,
        READ_SECRET,
        READ_IDENTITY_CREDENTIALS,
        READ_SUBSCRIPTION,
    ];
}

/// Azure's own side. `None` where something was not read.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AzureSide {
    /// As whom the operator is signed in, or why not.
    pub identity: Option<Result<String, String>>,
    pub application: Option<ApplicationFact>,
    pub vault: Option<VaultSettingsFact>,
    pub rights: Option<RightsFact>,
}

impl AzureSide {
    /// Whether the operator is signed in.
    pub fn has_access(&self) -> bool {
        matches!(self.identity, Some(Ok(_)))
    }

    /// The federated credentials in force, and where they are from.
    pub fn credentials_in_force(&self) -> Option<&CredentialsInForce> {
        self.application.as_ref()?.credentials.as_ref()?.seen()
    }

    /// The vault as Resource Manager has it.
    pub fn vault_in_force(&self) -> Option<&VaultResource> {
        self.vault.as_ref()?.vault.seen()
    }

    /// The identity whose rights count, where Graph or the access token says which.
    pub fn reader<'a>(&'a self, access: Option<&'a str>, client_id: Option<&'a str>) -> Option<Identity<'a>> {
        let application = self.application.as_ref();
        let principal = application.and_then(|fact| fact.principal.seen());
        let registration = application.and_then(|fact| fact.registration.seen());
        Some(Identity {
            object_id: access.or_else(|| principal.map(|principal| principal.id.as_str()))?,
            groups: application.and_then(|fact| fact.groups.seen()).map(Vec::as_slice),
            lookalikes: client_id.into_iter().chain(registration.map(|found| found.id.as_str())).collect(),
        })
    }
}

/// The application as Graph has it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ApplicationFact {
    pub registration: Read<Registration>,
    pub principal: Read<ServicePrincipal>,
    /// The object ids of the groups that the service principal is in.
    pub groups: Read<Vec<String>>,
    /// Those of the registration, or of the managed identity where the client id is one's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub credentials: Option<Read<CredentialsInForce>>,
}

/// An application's registration.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Registration {
    /// Its object id, which no role assignment works for.
    pub id: String,
    pub name: Option<String>,
    /// Whose accounts may use it.
    pub sign_in_audience: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created_at: Option<UnixSeconds>,
}

/// A service principal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ServicePrincipal {
    /// Its object id: what role assignments and access policies name.
    pub id: String,
    pub enabled: bool,
    /// `Application`, `ManagedIdentity`.
    pub kind: Option<String>,
    /// The directory that its application is registered in.
    pub owner_tenant: Option<String>,
    /// The resource id of a user-assigned managed identity.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub identity_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created_at: Option<UnixSeconds>,
}

/// Federated credentials as the directory has them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CredentialsInForce {
    pub source: String,
    pub count: usize,
    /// What `trust.policy` evaluates, and shows.
    #[serde(skip)]
    pub text: String,
}

/// The vault as Resource Manager has it, and the secret.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct VaultSettingsFact {
    pub vault: Read<VaultResource>,
    /// `None` where the profile names none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret: Option<Read<SecretResource>>,
}

/// A secret without its value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SecretResource {
    pub name: String,
    pub enabled: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub not_before: Option<UnixSeconds>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<UnixSeconds>,
}

/// Who has rights at the vault, above it and on its secrets.
#[derive(Clone, Debug, PartialEq)]
pub struct RightsFact {
    pub assignments: Read<Vec<RoleAssignment>>,
    /// What the roles that concern the application allow.
    pub definitions: Vec<Read<RoleDefinition>>,
    pub denials: Read<Vec<DenyAssignment>>,
}

fn text(value: &Value) -> Option<String> {
    value.as_str().map(str::to_owned)
}

fn time(value: &Value) -> Option<UnixSeconds> {
    value.as_str().and_then(parse_rfc3339)
}

impl Registration {
    /// Reads Graph's answer.
    pub fn read(answer: &Value) -> Option<Registration> {
        Some(Registration {
            id: text(&answer["id"])?,
            name: text(&answer["displayName"]),
            sign_in_audience: text(&answer["signInAudience"]),
            created_at: time(&answer["createdDateTime"]),
        })
    }
}

impl ServicePrincipal {
    /// Reads Graph's answer.
    pub fn read(answer: &Value) -> Option<ServicePrincipal> {
        const IDENTITIES: &str = "/providers/microsoft.managedidentity/userassignedidentities/";
        let names = answer["alternativeNames"].as_array().into_iter().flatten().filter_map(text);
        Some(ServicePrincipal {
            id: text(&answer["id"])?,
            enabled: answer["accountEnabled"].as_bool().unwrap_or(true),
            kind: text(&answer["servicePrincipalType"]),
            owner_tenant: text(&answer["appOwnerOrganizationId"]),
            identity_id: names.into_iter().find(|name| name.to_ascii_lowercase().contains(IDENTITIES)),
            created_at: time(&answer["createdDateTime"]),
        })
    }
}

impl SecretResource {
    /// Reads Resource Manager's answer.
    pub fn read(answer: &Value) -> Option<SecretResource> {
        let attributes = &answer["properties"]["attributes"];
        Some(SecretResource {
            name: text(&answer["name"])?,
            enabled: attributes["enabled"].as_bool().unwrap_or(true),
            not_before: attributes["nbf"].as_i64(),
            expires_at: attributes["exp"].as_i64(),
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_managed_identity_is_told_by_its_resource() {
        let id = "/subscriptions/s/resourcegroups/g/providers/Microsoft.ManagedIdentity/userAssignedIdentities/mi";
        let answer = json!({ "id": "o", "accountEnabled": false, "servicePrincipalType": "ManagedIdentity",
            "alternativeNames": ["isExplicit=True", id], "createdDateTime": "2026-01-02T03:04:05Z" });
        let principal = ServicePrincipal::read(&answer).unwrap();
        assert_eq!((principal.enabled, principal.identity_id.as_deref()), (false, Some(id)));
        let plain = ServicePrincipal::read(&json!({ "id": "o" })).unwrap();
        assert_eq!((plain.enabled, plain.identity_id), (true, None));
        assert_eq!(ServicePrincipal::read(&json!({ "error": {} })), None);
    }

    #[test]
    fn a_secret_is_read_without_its_value() {
        let attributes = json!({ "enabled": false, "exp": 1_800_000_000, "nbf": null });
        let answer = json!({ "name": "db", "properties": { "attributes": attributes } });
        let read =
            SecretResource { name: "db".into(), enabled: false, not_before: None, expires_at: Some(1_800_000_000) };
        assert_eq!(SecretResource::read(&answer), Some(read));
    }
}
