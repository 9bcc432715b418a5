//! Who may do what: the role model and the access-policy model, of which a vault looks at one only.

use super::VaultError;
use crate::lab::entra::Claims;
use crate::lab::world::{AzureWorld, PermissionModel, Scope};

/// A right on secrets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Right {
    List,
    Get,
    Set,
    Delete,
    Recover,
}

impl Right {
    /// Its name in an access policy.
    const fn permission(self) -> &'static str {
        match self {
            Right::List => "list",
            Right::Get => "get",
            Right::Set => "set",
            Right::Delete => "delete",
            Right::Recover => "recover",
        }
    }

    /// The data action that a role must hold.
    const fn action(self) -> &'static str {
        match self {
            Right::List => "Microsoft.KeyVault/vaults/secrets/readMetadata/action",
            Right::Get => "Microsoft.KeyVault/vaults/secrets/getSecret/action",
            Right::Set => "Microsoft.KeyVault/vaults/secrets/setSecret/action",
            Right::Delete => "Microsoft.KeyVault/vaults/secrets/delete",
            Right::Recover => "Microsoft.KeyVault/vaults/secrets/recover/action",
        }
    }
}

/// Checks the right of `caller` on a secret, or on the vault; `age` is the seconds since the lab's start.
pub(super) fn check(
    world: &AzureWorld,
    caller: &Claims,
    right: Right,
    secret: Option<&str>,
    age: u64,
) -> Result<(), VaultError> {
    match world.vault.model {
        PermissionModel::Rbac => by_role(world, caller, right, secret, age),
        PermissionModel::AccessPolicy => by_policy(world, caller, right),
    }
}

fn by_role(
    world: &AzureWorld,
    caller: &Claims,
    right: Right,
    secret: Option<&str>,
    age: u64,
) -> Result<(), VaultError> {
    let asked = secret.map_or(Scope::Vault, |name| Scope::Secret(name.to_owned()));
    let denial = world.vault.denials.iter().find(|(_, denial)| {
        let scope = denial.secret.clone().map_or(Scope::Vault, Scope::Secret);
        world.counts_for(&caller.oid, &denial.principal) && scope.covers(&asked) && denial.takes(right.action())
    });
    let allowed = world.vault.roles.values().any(|a| {
        a.effective_after_s <= age
            && world.counts_for(&caller.oid, &a.principal)
            && a.scope().covers(&asked)
            && world.roles.get(&a.role).is_some_and(|role| role.allows_data_action(right.action()))
    });
    if allowed && denial.is_none() {
        return Ok(());
    }
    let denial = denial.map_or_else(|| "null".to_owned(), |(id, _)| format!("'{id}'"));
    let vault = world.vault_id().to_lowercase();
    let under = secret.map(|secret| format!("/secrets/{}", secret.to_lowercase())).unwrap_or_default();
    Err(VaultError::new(
        403,
        "Forbidden",
        format!(
            "Caller is not authorized to perform action on resource.\r\nIf role assignments, deny assignments or role definitions were changed recently, please observe propagation time.\r\nCaller: {}\r\nAction: '{}'\r\nResource: '{vault}{under}'\r\nAssignment: (not found)\r\nDenyAssignmentId: {denial}\r\nDecisionReason: null \r\nVault: {}\r\n",
            self::caller(caller),
            right.action(),
            location(world)
        ),
    )
    .within("ForbiddenByRbac"))
}

fn by_policy(world: &AzureWorld, caller: &Claims, right: Right) -> Result<(), VaultError> {
    let own: Vec<_> = world.vault.policies.values().filter(|p| p.principal.eq_ignore_ascii_case(&caller.oid)).collect();
    let permits = |p: &&&crate::lab::world::AccessPolicy| p.secrets.contains(right.permission());
    if own.iter().filter(permits).any(|p| p.application_id.is_none()) {
        return Ok(());
    }
    if own.iter().any(|p| p.application_id.is_some()) {
        return Err(VaultError::new(
            403,
            "Forbidden",
            format!(
                "The policy requires the caller '{}' to use on-behalf-of (OBO) flow. For more information on OBO, please see https://go.microsoft.com/fwlink/?linkid=2152310",
                self::caller(caller)
            ),
        )
        .within("ForbiddenByPolicy"));
    }
    Err(VaultError::new(
        403,
        "Forbidden",
        format!(
            "The user, group or application '{}' does not have secrets {} permission on key vault '{}'. For help resolving this issue, please see https://go.microsoft.com/fwlink/?linkid=2125287",
            self::caller(caller),
            right.permission(),
            location(world)
        ),
    )
    .within("AccessDenied"))
}

/// The caller as the texts write it.
pub(super) fn caller(claims: &Claims) -> String {
    format!("appid={};oid={};iss={}", claims.appid, claims.oid, claims.iss)
}

/// The vault as the texts write it.
pub(super) fn location(world: &AzureWorld) -> String {
    format!("{};location=westeurope", world.vault.name)
}
