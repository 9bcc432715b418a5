//! The subscription and its directory, as a command line asks for them after a sign-in.

use serde_json::{Value, json};

use super::{Arm, Fault, Outcome};
use crate::lab::entra::Claims;
use crate::lab::world::AzureWorld;

impl Arm {
    /// Those in which the caller has any role: none, and no refusal, where it has no role.
    pub(super) fn subscriptions(&self, caller: &Claims) -> Value {
        let world = self.azure.now();
        let seen = has_a_role(&world, caller).then(|| described(&world));
        json!({ "value": seen.into_iter().collect::<Vec<_>>(), "count": { "type": "Total", "value": 1 } })
    }

    pub(super) fn subscription(&self, caller: &Claims) -> Outcome {
        let world = self.azure.now();
        if has_a_role(&world, caller) {
            return Ok((200, described(&world)));
        }
        let (oid, scope) = (&caller.oid, format!("/subscriptions/{}", world.subscription_id));
        Err(Fault::new(
            403,
            "AuthorizationFailed",
            format!(
                "The client '{oid}' with object id '{oid}' does not have authorization to perform action 'Microsoft.Resources/subscriptions/read' over scope '{scope}' or the scope is invalid. If access was recently granted, please refresh your credentials."
            ),
        ))
    }

    pub(super) fn tenants(&self) -> Value {
        let tenant = &self.azure.now().tenant_id;
        json!({ "value": [{ "id": format!("/tenants/{tenant}"), "tenantId": tenant, "displayName": "trustline lab" }] })
    }
}

fn has_a_role(world: &AzureWorld, caller: &Claims) -> bool {
    world.vault.roles.values().any(|assignment| assignment.principal.eq_ignore_ascii_case(&caller.oid))
}

fn described(world: &AzureWorld) -> Value {
    json!({
        "id": format!("/subscriptions/{}", world.subscription_id),
        "authorizationSource": "RoleBased",
        "managedByTenants": [],
        "subscriptionId": world.subscription_id,
        "tenantId": world.tenant_id,
        "displayName": "trustline lab",
        "state": "Enabled",
    })
}
