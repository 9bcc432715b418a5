//! Role assignments, and the definitions of the built-in roles that can be assigned.

use serde_json::{Map, Value, json};

use super::scope::Scope;
use super::{Arm, ArmError, Outcome};
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
        Ok((
            200,
            json!({ "value": roles.map(|(name, role)| describe_assignment(&world, name, role)).collect::<Vec<_>>() }),
        ))
    }

    pub(super) fn get_assignment(&self, caller: &Claims, scope: &Scope, name: &str) -> Outcome {
        self.authorize(caller, READ, scope, &READERS)?;
        let world = self.azure.now();
        match world.vault.roles.get(name).filter(|role| role.secret == scope.secret) {
            Some(role) => Ok((200, describe_assignment(&world, name, role))),
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
        let bad = |code, message: String| Err(ArmError::new(400, code, message));
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
        let Some(role) = role_of_definition(definition_id) else {
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
            return Err(ArmError::new(409, "RoleAssignmentExists", message));
        }
        let answer = describe_assignment(&world, name, &assignment);
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
            Some(role) => Ok((200, describe_assignment(&self.azure.now(), name, &role))),
            None => Err(not_found(name)),
        }
    }
}

fn not_found(name: &str) -> ArmError {
    ArmError::new(404, "RoleAssignmentNotFound", format!("The role assignment '{name}' is not found."))
}

fn describe_assignment(world: &AzureWorld, name: &str, role: &RoleAssignment) -> Value {
    let scope = Scope { secret: role.secret.clone() }.id(world);
    json!({
        "id": format!("{scope}/providers/Microsoft.Authorization/roleAssignments/{name}"),
        "name": name,
        "type": "Microsoft.Authorization/roleAssignments",
        "properties": {
            "roleDefinitionId": definition_id(&world.subscription_id, &role.role),
            "principalId": role.principal,
            "principalType": "ServicePrincipal",
            "scope": scope,
        },
    })
}

const ROLES: &[(&str, &str)] = &[
    ("Owner", "8e3af657-a8ff-443c-a75c-2fe8c4bcb635"),
    ("Contributor", "b24988ac-6180-42a0-ab88-20f7382dd24c"),
    ("Reader", "acdd72a7-3385-48ef-bd42-f606fba81ae7"),
    ("User Access Administrator", "18d7d88d-d35e-4fb5-a5c3-7773c20a72d9"),
    ("Key Vault Administrator", "00482a5a-887f-4fb3-b363-3b7fe8e74483"),
    ("Key Vault Contributor", "f25e0fa2-a7c8-4377-a976-54943a77a395"),
    ("Key Vault Reader", "21090545-7ca7-4776-b22c-e363652d74d2"),
    ("Key Vault Secrets Officer", "b86a8fe4-44ce-4948-aee5-eccb2c155cd7"),
    ("Key Vault Secrets User", "4633458b-17de-408a-b874-0445c86b69e6"),
];

/// The role of this definition id, with or without the path before it.
pub(super) fn role_of_definition(id: &str) -> Option<&'static str> {
    let last = id.rsplit('/').next().unwrap_or_default();
    ROLES.iter().find(|(_, known)| last.eq_ignore_ascii_case(known)).map(|(name, _)| *name)
}

/// The definition id of this role, as it is written within a subscription.
pub(super) fn definition_id(subscription: &str, role: &str) -> String {
    definition_path(subscription, ROLES.iter().find(|(name, _)| *name == role).map_or("", |(_, id)| *id))
}

fn definition_path(subscription: &str, id: &str) -> String {
    format!("/subscriptions/{subscription}/providers/Microsoft.Authorization/roleDefinitions/{id}")
}

/// The definitions, or the one that `$filter=roleName eq '…'` names.
pub(super) fn list_definitions(subscription: &str, filter: Option<&str>) -> Value {
    let wanted = filter.and_then(|text| text.split('\'').nth(1));
    let definition = |(name, id): &(&str, &str)| {
        json!({
            "id": definition_path(subscription, id),
            "name": id,
            "type": "Microsoft.Authorization/roleDefinitions",
            "properties": { "roleName": name, "type": "BuiltInRole" },
        })
    };
    let fits = |(name, _): &&(&str, &str)| wanted.is_none_or(|wanted| name.eq_ignore_ascii_case(wanted));
    json!({ "value": ROLES.iter().filter(fits).map(definition).collect::<Vec<_>>() })
}
