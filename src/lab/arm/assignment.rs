//! Role assignments, deny assignments, the definitions of roles, and managed identities' credentials.

use serde_json::{Map, Value, json};

use super::{Arm, ArmError, Outcome};
use crate::domain::timestamp::rfc3339;
use crate::lab::entra::{Claims, is_uuid};
use crate::lab::server::Request;
use crate::lab::server::now;
use crate::lab::world::{AzureWorld, DenyAssignment, RoleAssignment, RoleDefinition, Scope};

const WRITE: &str = "Microsoft.Authorization/roleAssignments/write";
const READ: &str = "Microsoft.Authorization/roleAssignments/read";
const DELETE: &str = "Microsoft.Authorization/roleAssignments/delete";
const READ_DEFINITIONS: &str = "Microsoft.Authorization/roleDefinitions/read";
const READ_DENIALS: &str = "Microsoft.Authorization/denyAssignments/read";
const READ_IDENTITIES: &str = "Microsoft.ManagedIdentity/userAssignedIdentities/read";
const READ_CREDENTIALS: &str = "Microsoft.ManagedIdentity/userAssignedIdentities/federatedIdentityCredentials/read";
/// What the address of the next page is called.
const NEXT: &str = "nextLink";

impl Arm {
    /// Those at the scope, above it and below it, as far as the filter goes.
    pub(super) fn list_assignments(&self, request: &Request, caller: &Claims, scope: &Scope) -> Outcome {
        self.authorize(caller, READ, scope)?;
        let filter = AssignmentFilter::read(request)?;
        let world = self.azure.now();
        let near = |own: &Scope| own.covers(scope) || scope.covers(own) && !filter.not_below;
        let roles = world.vault.roles.iter().filter(|(_, role)| near(&role.scope()) && filter.holds(&world, role));
        let roles = roles.map(|(name, role)| describe_assignment(&world, name, role)).collect();
        Ok((200, self.pages.page(request, roles, NEXT)))
    }

    pub(super) fn get_assignment(&self, caller: &Claims, scope: &Scope, name: &str) -> Outcome {
        self.authorize(caller, READ, scope)?;
        let world = self.azure.now();
        match world.vault.roles.get(name).filter(|role| role.scope() == *scope) {
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
        self.authorize(caller, WRITE, scope)?;
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
        let world = self.azure.now();
        let Some((role, _)) = role_of_definition(&world, definition_id) else {
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
            created_at: now(),
            ..RoleAssignment::default()
        }
        .at(scope);
        let same = |known: &RoleAssignment| {
            known.role == assignment.role
                && known.principal.eq_ignore_ascii_case(&assignment.principal)
                && known.scope() == *scope
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
        self.authorize(caller, DELETE, scope)?;
        let removed = self.azure.change(|world| match world.vault.roles.get(name) {
            Some(role) if role.scope() == *scope => world.vault.roles.remove(name),
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
    let scope = role.scope().id(world);
    let made = rfc3339(role.created_at);
    let is_group = world.apps.values().any(|app| app.groups.contains(&role.principal));
    json!({
        "id": format!("{scope}/providers/Microsoft.Authorization/roleAssignments/{name}"),
        "name": name,
        "type": "Microsoft.Authorization/roleAssignments",
        "properties": {
            "roleDefinitionId": definition_id(world, &role.role),
            "principalId": role.principal,
            "principalType": if is_group { "Group" } else { "ServicePrincipal" },
            "scope": scope,
            "condition": null,
            "createdOn": made,
            "updatedOn": made,
        },
    })
}

/// What `$filter` asks for: `atScope()`, `principalId eq '…'` and `assignedTo('…')`, joined by `and`.
#[derive(Default)]
struct AssignmentFilter {
    not_below: bool,
    principal: Option<String>,
    /// As `principal`, its groups included.
    assignee: Option<String>,
}

impl AssignmentFilter {
    fn read(request: &Request) -> Result<Self, ArmError> {
        let text = request.parameter("$filter").unwrap_or_default();
        let mut filter = AssignmentFilter::default();
        for part in text.split(" and ").map(str::trim).filter(|part| !part.is_empty()) {
            let id = part.split('\'').nth(1).filter(|id| is_uuid(id)).map(str::to_owned);
            match part.split(['(', ' ']).next().unwrap_or_default() {
                "atScope" => filter.not_below = true,
                "principalId" if id.is_some() => filter.principal = id,
                "assignedTo" if id.is_some() => filter.assignee = id,
                _ => return Err(ArmError::new(400, "InvalidFilter", format!("The filter '{text}' is not supported."))),
            }
        }
        Ok(filter)
    }

    fn holds(&self, world: &AzureWorld, role: &RoleAssignment) -> bool {
        let own = |id: &String| role.principal.eq_ignore_ascii_case(id);
        self.principal.as_ref().is_none_or(own)
            && self.assignee.as_ref().is_none_or(|id| world.counts_for(id, &role.principal))
    }
}

impl Arm {
    pub(super) fn list_denials(&self, request: &Request, caller: &Claims, scope: &Scope) -> Outcome {
        self.authorize(caller, READ_DENIALS, scope)?;
        let world = self.azure.now();
        let denials = world.vault.denials.iter().map(|(id, denial)| describe_denial(&world, id, denial)).collect();
        Ok((200, self.pages.page(request, denials, NEXT)))
    }

    pub(super) fn list_identities(&self, request: &Request, caller: &Claims) -> Outcome {
        self.authorize(caller, READ_IDENTITIES, &Scope::ResourceGroup)?;
        let world = self.azure.now();
        let identities = world.apps.values().filter(|app| app.managed_identity).map(|app| {
            json!({
                "id": world.identity_id(&app.display_name),
                "name": app.display_name,
                "type": "Microsoft.ManagedIdentity/userAssignedIdentities",
                "properties": { "tenantId": world.tenant_id, "principalId": app.object_id, "clientId": app.client_id },
            })
        });
        Ok((200, self.pages.page(request, identities.collect(), NEXT)))
    }

    pub(super) fn list_identity_credentials(&self, request: &Request, caller: &Claims, name: &str) -> Outcome {
        self.authorize(caller, READ_CREDENTIALS, &Scope::ResourceGroup)?;
        let world = self.azure.now();
        let identity =
            world.apps.values().find(|app| app.managed_identity && app.display_name.eq_ignore_ascii_case(name));
        let identity = identity.ok_or_else(|| {
            let kind = "Microsoft.ManagedIdentity/userAssignedIdentities";
            let message =
                format!("The Resource '{kind}/{name}' under resource group '{}' was not found.", world.resource_group);
            ArmError::new(404, "ResourceNotFound", message)
        })?;
        let id = world.identity_id(&identity.display_name);
        let credentials = identity.credentials.iter().map(|(name, one)| {
            let mut properties = json!({ "issuer": one.issuer, "audiences": [one.audience] });
            match &one.expression {
                Some(text) => properties["claimsMatchingExpression"] = json!({ "value": text, "languageVersion": 1 }),
                None => properties["subject"] = one.subject.clone().into(),
            }
            json!({ "id": format!("{id}/federatedIdentityCredentials/{name}"), "name": name, "properties": properties })
        });
        Ok((200, self.pages.page(request, credentials.collect(), NEXT)))
    }

    /// The definitions, or the one that `$filter=roleName eq '…'` names.
    pub(super) fn list_definitions(&self, request: &Request, caller: &Claims, scope: &Scope) -> Outcome {
        self.authorize(caller, READ_DEFINITIONS, scope)?;
        let world = self.azure.now();
        let filter = request.parameter("$filter");
        let wanted = filter.as_deref().and_then(|text| text.split('\'').nth(1));
        let fits = |name: &str| wanted.is_none_or(|wanted| name.eq_ignore_ascii_case(wanted));
        let roles = world.roles.iter().filter(|(name, _)| fits(name));
        let roles = roles.map(|(name, role)| describe_definition(&world, name, role)).collect();
        Ok((200, self.pages.page(request, roles, NEXT)))
    }

    pub(super) fn get_definition(&self, caller: &Claims, id: &str) -> Outcome {
        // Whoever has a role anywhere below may read what it is.
        self.authorize(caller, READ_DEFINITIONS, &Scope::Vault)?;
        let world = self.azure.now();
        match role_of_definition(&world, id) {
            Some((name, role)) => Ok((200, describe_definition(&world, name, role))),
            None => {
                let message = format!("The specified role definition with ID '{id}' does not exist.");
                Err(ArmError::new(404, "RoleDefinitionDoesNotExist", message))
            }
        }
    }
}

/// The role of this definition id, with or without the path before it.
fn role_of_definition<'w>(world: &'w AzureWorld, id: &str) -> Option<(&'w String, &'w RoleDefinition)> {
    let last = id.rsplit('/').next().unwrap_or_default();
    world.roles.iter().find(|(_, known)| last.eq_ignore_ascii_case(&known.id))
}

/// The definition id of this role, as it is written within a subscription.
fn definition_id(world: &AzureWorld, role: &str) -> String {
    definition_path(world, world.roles.get(role).map_or("", |known| &known.id))
}

fn definition_path(world: &AzureWorld, id: &str) -> String {
    format!("/subscriptions/{}/providers/Microsoft.Authorization/roleDefinitions/{id}", world.subscription_id)
}

fn describe_definition(world: &AzureWorld, name: &str, role: &RoleDefinition) -> Value {
    json!({
        "id": definition_path(world, &role.id),
        "name": role.id,
        "type": "Microsoft.Authorization/roleDefinitions",
        "properties": {
            "roleName": name,
            "type": if role.custom { "CustomRole" } else { "BuiltInRole" },
            "assignableScopes": ["/"],
            "permissions": [{
                "actions": role.actions,
                "notActions": role.not_actions,
                "dataActions": role.data_actions,
                "notDataActions": role.not_data_actions,
            }],
        },
    })
}

fn describe_denial(world: &AzureWorld, id: &str, denial: &DenyAssignment) -> Value {
    let scope = denial.secret.clone().map_or(Scope::Vault, Scope::Secret).id(world);
    json!({
        "id": format!("{scope}/providers/Microsoft.Authorization/denyAssignments/{id}"),
        "name": id,
        "type": "Microsoft.Authorization/denyAssignments",
        "properties": {
            "denyAssignmentName": id,
            "scope": scope,
            "doNotApplyToChildScopes": false,
            "principals": [{ "id": denial.principal, "type": "ServicePrincipal" }],
            "excludePrincipals": [],
            "permissions": [{ "actions": [], "notActions": [], "dataActions": denial.data_actions, "notDataActions": [] }],
        },
    })
}
