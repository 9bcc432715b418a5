//! The vault as a resource: its id, its address, whom and from where it lets in.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::{Arm, ArmError, Outcome};
use crate::lab::entra::{Claims, is_uuid};
use crate::lab::server::now;
use crate::lab::world::{AccessPolicy, PermissionModel, Scope, VaultNetwork};

impl Arm {
    pub(super) fn list_vaults(&self, caller: &Claims) -> Outcome {
        let (status, vault) = self.get_vault(caller)?;
        Ok((status, json!({ "value": [vault] })))
    }

    pub(super) fn get_vault(&self, caller: &Claims) -> Outcome {
        self.authorize(caller, "Microsoft.KeyVault/vaults/read", &Scope::Vault)?;
        Ok((200, self.described()))
    }

    /// A secret without its value, the current version of one that is not deleted. Whoever may see resources may see
    /// this, whatever the vault's own rights are.
    pub(super) fn get_secret(&self, caller: &Claims, name: String) -> Outcome {
        let world = self.azure.now();
        let scope = Scope::Secret(name.clone());
        self.authorize(caller, "Microsoft.KeyVault/vaults/secrets/read", &scope)?;
        let missing = || ArmError::new(404, "SecretNotFound", format!("A secret with name {name} was not found."));
        let (known, secret) =
            world.vault.secrets.iter().find(|(known, _)| known.eq_ignore_ascii_case(&name)).ok_or_else(missing)?;
        let version = secret.versions.last().filter(|_| secret.present && !secret.deleted).ok_or_else(missing)?;
        let now = now();
        let uri = format!("{}/secrets/{known}", self.places.vault);
        let attributes = json!({
            "enabled": version.enabled,
            "created": now - version.age_s,
            "exp": version.expires_in_s.map(|seconds| now + seconds),
        });
        Ok((
            200,
            json!({
                "id": scope.id(&world),
                "name": known,
                "type": "Microsoft.KeyVault/vaults/secrets",
                "properties": { "attributes": attributes, "secretUri": uri },
            }),
        ))
    }

    /// Changes what the request names; everything else stays as it is.
    pub(super) fn update_vault(&self, caller: &Claims, asked: &Map<String, Value>) -> Outcome {
        self.authorize(caller, "Microsoft.KeyVault/vaults/write", &Scope::Vault)?;
        let empty = Map::new();
        let properties = asked.get("properties").and_then(Value::as_object).unwrap_or(&empty);
        let mut vault = self.azure.now().vault.clone();
        if let Some(rbac) = properties.get("enableRbacAuthorization") {
            vault.model = match rbac.as_bool() {
                Some(true) => PermissionModel::Rbac,
                Some(false) => PermissionModel::AccessPolicy,
                None => return Err(invalid("The value of 'enableRbacAuthorization' must be a boolean.")),
            };
        }
        if let Some(tenant) = properties.get("tenantId").and_then(Value::as_str) {
            if !is_uuid(tenant) {
                return Err(invalid("The value of 'tenantId' must be a GUID."));
            }
            tenant.clone_into(&mut vault.tenant_id);
        }
        if let Some(policies) = properties.get("accessPolicies").and_then(Value::as_array) {
            vault.policies = policies.iter().enumerate().map(|(at, one)| (at.to_string(), policy(one))).collect();
        }
        if let Some(rules) = properties.get("networkAcls").filter(|rules| rules.is_object()) {
            vault.addresses = addresses(rules);
            vault.network = match rules["defaultAction"].as_str() {
                Some("Deny") => VaultNetwork::Firewall,
                _ => VaultNetwork::Open,
            };
        }
        if properties.get("publicNetworkAccess").and_then(Value::as_str) == Some("Disabled") {
            vault.network = VaultNetwork::PrivateOnly;
        }
        self.azure.change(|world| world.vault = vault);
        Ok((200, self.described()))
    }

    fn described(&self) -> Value {
        let world = self.azure.now();
        let vault = &world.vault;
        let tenant = if vault.tenant_id.is_empty() { &world.tenant_id } else { &vault.tenant_id };
        let policies = vault.policies.values().map(|policy| {
            json!({
                "tenantId": tenant,
                "objectId": policy.principal,
                "applicationId": policy.application_id,
                "permissions": { "secrets": policy.secrets },
            })
        });
        let rules = vault.addresses.iter().map(|address| json!({ "value": address }));
        json!({
            "id": world.vault_id(),
            "name": vault.name,
            "type": "Microsoft.KeyVault/vaults",
            "location": "westeurope",
            "properties": {
                "tenantId": tenant,
                "sku": { "family": "A", "name": "standard" },
                "enableRbacAuthorization": vault.model == PermissionModel::Rbac,
                "accessPolicies": policies.collect::<Vec<_>>(),
                "networkAcls": {
                    "bypass": "AzureServices",
                    "defaultAction": if vault.network == VaultNetwork::Firewall { "Deny" } else { "Allow" },
                    "ipRules": rules.collect::<Vec<_>>(),
                    "virtualNetworkRules": [],
                },
                "publicNetworkAccess": if vault.network == VaultNetwork::PrivateOnly { "Disabled" } else { "Enabled" },
                "vaultUri": format!("{}/", self.places.vault),
            },
        })
    }
}

fn invalid(message: &'static str) -> ArmError {
    ArmError::new(400, "InvalidRequestContent", message)
}

fn policy(asked: &Value) -> AccessPolicy {
    let secrets = asked["permissions"]["secrets"].as_array().map_or(&[][..], Vec::as_slice);
    AccessPolicy {
        principal: asked["objectId"].as_str().unwrap_or_default().to_owned(),
        secrets: secrets.iter().filter_map(Value::as_str).map(str::to_lowercase).collect(),
        application_id: asked["applicationId"].as_str().map(str::to_owned),
    }
}

/// The rules' addresses; a single one is kept as a block of one.
fn addresses(rules: &Value) -> BTreeSet<String> {
    let values = rules["ipRules"].as_array().map_or(&[][..], Vec::as_slice).iter();
    let texts = values.filter_map(|rule| rule["value"].as_str());
    texts.map(|text| if text.contains('/') { text.to_owned() } else { format!("{text}/32") }).collect()
}
