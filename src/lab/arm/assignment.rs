//! Role assignments.

use serde_json::{Map, Value, json};

use super::scope::Scope;
use super::{Arm, Fault, Outcome, definition};
use crate::lab::entra::{Claims, is_uuid};
use crate::lab::world::{AzureWorld, RoleAssignment};

/// The roles that may assign roles.
const ASSIGNERS: [&str; 2] = ["Owner", "User Access Administrator"];
/// The roles that may see assignments.
const READERS: [&str; 6] =
    ["Owner", "User Access Administrator", "Contributor", "Reader", "Key Vault Contributor", "Key Vault Reader"];
const WRITE: &str = "Microsoft.Authorization/roleAssignments/write";
const READ: &str = "Microsoft.Authorization/roleAssignments/read";
const DELETE: &str = "Microsoft.Authorization/roleAssignments/delete";

impl Arm {
    pub(super) fn list_assignments(&self, caller: &Claims, scope: &Scope) -> Outcome {
        self.authorize(caller, READ, scope, &READERS)?;
        let world = self.azure.now();
        let roles = world.vault.roles.iter().filter(|(_, role)| role.secret.is_none() || role.secret == scope.secret);
        Ok((200, json!({ "value": roles.map(|(name, role)| described(&world, name, role)).collect::<Vec<_>>() })))
    }

    pub(super) fn get_assignment(&self, caller: &Claims, scope: &Scope, name: &str) -> Outcome {
        self.authorize(caller, READ, scope, &READERS)?;
        let world = self.azure.now();
        match world.vault.roles.get(name).filter(|role| role.secret == scope.secret) {
            Some(role) => Ok((200, described(&world, name, role))),
            None => Err(not_found(name)),
        }
    }

    pub(super) fn put_assignment(
        &self,
        caller: &Claims,
        scope: &Scope,
        name: &str,
        asked: &Map<String, Value>,
    ) -> Outcome {
        self.authorize(caller, WRITE, scope, &ASSIGNERS)?;
        let bad = |code, message: String| Err(Fault::new(400, code, message));
        if !is_uuid(name) {
            return bad(
                "InvalidRoleAssignmentId",
                format!("The role assignment ID '{name}' is not valid. The role assignment ID must be a GUID."),
            );
        }
        let empty = Map::new();
        let properties = asked.get("properties").and_then(Value::as_object).unwrap_or(&empty);
        let text = |name: &str| properties.get(name).and_then(Value::as_str).unwrap_or_default();
        let definition_id = text("roleDefinitionId");
        let Some(role) = definition::named(definition_id) else {
            return bad(
                "RoleDefinitionDoesNotExist",
                format!(
                    "The specified role definition with ID '{}' does not exist.",
                    definition_id.rsplit('/').next().unwrap_or_default()
                ),
            );
        };
        let principal = text("principalId");
        if !is_uuid(principal) {
            return bad(
                "InvalidPrincipalId",
                format!("A valid principal ID must be provided for role assignment, and '{principal}' is none."),
            );
        }
        let world = self.azure.now();
        let is_principal = world.apps.values().any(|app| app.object_id.eq_ignore_ascii_case(principal));
        // Where the caller says what it is, nobody looks: it may have been made a moment ago.
        if !is_principal && text("principalType").is_empty() {
            let (id, tenant) = (principal.replace('-', ""), &world.tenant_id);
            return bad(
                "PrincipalNotFound",
                format!(
                    "Principal {id} does not exist in the directory {tenant}. Check that you have the correct principal ID. If you are creating this principal and then immediately assigning a role, this error might be related to a replication delay. In this case, set the role assignment principalType property to a value, such as ServicePrincipal, User, or Group."
                ),
            );
        }
        let assignment = RoleAssignment {
            role: role.to_owned(),
            principal: principal.to_owned(),
            secret: scope.secret.clone(),
            ..RoleAssignment::default()
        };
        let same = |known: &RoleAssignment| {
            known.role == assignment.role
                && known.principal.eq_ignore_ascii_case(&assignment.principal)
                && known.secret == assignment.secret
        };
        if let Some((known, _)) = world.vault.roles.iter().find(|(_, known)| same(known)) {
            let message = format!(
                "The role assignment already exists. The ID of the existing role assignment is {}.",
                known.replace('-', "")
            );
            return Err(Fault::new(409, "RoleAssignmentExists", message));
        }
        let answer = described(&world, name, &assignment);
        self.azure.change(|world| drop(world.vault.roles.insert(name.to_owned(), assignment)));
        Ok((201, answer))
    }

    pub(super) fn delete_assignment(&self, caller: &Claims, scope: &Scope, name: &str) -> Outcome {
        self.authorize(caller, DELETE, scope, &ASSIGNERS)?;
        let removed = self.azure.change(|world| match world.vault.roles.get(name) {
            Some(role) if role.secret == scope.secret => world.vault.roles.remove(name),
            _ => None,
        });
        match removed {
            Some(role) => Ok((200, described(&self.azure.now(), name, &role))),
            None => Err(not_found(name)),
        }
    }
}

fn not_found(name: &str) -> Fault {
    Fault::new(404, "RoleAssignmentNotFound", format!("The role assignment '{name}' is not found."))
}

fn described(world: &AzureWorld, name: &str, role: &RoleAssignment) -> Value {
    let scope = Scope { secret: role.secret.clone() }.id(world);
    json!({
        "id": format!("{scope}/providers/Microsoft.Authorization/roleAssignments/{name}"),
        "name": name,
        "type": "Microsoft.Authorization/roleAssignments",
        "properties": {
            "roleDefinitionId": definition::id(&world.subscription_id, &role.role),
            "principalId": role.principal,
            "principalType": "ServicePrincipal",
            "scope": scope,
        },
    })
}
