//! The vault as a resource: its id, its permission model, its address.

use serde_json::{Map, Value, json};

use super::scope::Scope;
use super::{Arm, Fault, Outcome};
use crate::lab::entra::Claims;
use crate::lab::world::PermissionModel;

/// The roles that may see the vault, and those that may change it.
const READERS: [&str; 5] = ["Owner", "Contributor", "Reader", "Key Vault Contributor", "Key Vault Reader"];
const WRITERS: [&str; 3] = ["Owner", "Contributor", "Key Vault Contributor"];
const WHOLE: Scope = Scope { secret: None };

impl Arm {
    pub(super) fn list_vaults(&self, caller: &Claims) -> Outcome {
        let (status, vault) = self.get_vault(caller)?;
        Ok((status, json!({ "value": [vault] })))
    }

    pub(super) fn get_vault(&self, caller: &Claims) -> Outcome {
        self.authorize(caller, "Microsoft.KeyVault/vaults/read", &WHOLE, &READERS)?;
        Ok((200, self.described()))
    }

    /// Changes the permission model; everything else stays as it is.
    pub(super) fn update_vault(&self, caller: &Claims, asked: &Map<String, Value>) -> Outcome {
        self.authorize(caller, "Microsoft.KeyVault/vaults/write", &WHOLE, &WRITERS)?;
        let rbac = asked.get("properties").and_then(|properties| properties.get("enableRbacAuthorization"));
        let model = match rbac {
            None => return Ok((200, self.described())),
            Some(Value::Bool(true)) => PermissionModel::Rbac,
            Some(Value::Bool(false)) => PermissionModel::AccessPolicy,
            Some(_) => {
                let message = "The value of 'enableRbacAuthorization' must be a boolean.";
                return Err(Fault::new(400, "InvalidRequestContent", message));
            }
        };
        self.azure.change(|world| world.vault.model = model);
        Ok((200, self.described()))
    }

    fn described(&self) -> Value {
        let world = self.azure.now();
        json!({
            "id": world.vault_id(),
            "name": world.vault.name,
            "type": "Microsoft.KeyVault/vaults",
            "location": "westeurope",
            "properties": {
                "tenantId": if world.vault.tenant_id.is_empty() { &world.tenant_id } else { &world.vault.tenant_id },
                "enableRbacAuthorization": world.vault.model == PermissionModel::Rbac,
                "vaultUri": format!("{}/", self.places.vault),
            },
        })
    }
}
