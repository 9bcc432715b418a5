//! What a path addresses: a scope, and what is asked of it.

use super::ArmError;
use crate::lab::world::{AzureWorld, Scope};

/// What a path is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Target {
    Tenants,
    Subscriptions,
    Subscription,
    /// The vaults of the subscription.
    Vaults,
    Vault,
    /// A secret of the vault, as a resource.
    Secret(String),
    /// The roles that can be assigned at a scope.
    Definitions(Scope),
    Definition(String),
    Denials(Scope),
    /// The user-assigned managed identities of the subscription.
    Identities,
    /// The federated credentials of the user-assigned managed identity of this name.
    IdentityCredentials(String),
    Assignments(Scope),
    Assignment(Scope, String),
}

impl Target {
    /// Reads a path; `None` where it is of no known kind.
    pub(super) fn read(path: &str, world: &AzureWorld) -> Result<Option<Self>, ArmError> {
        let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
        let is = |part: &str, name: &str| part.eq_ignore_ascii_case(name);
        let at = parts.windows(2).rposition(|two| is(two[0], "providers") && is(two[1], "Microsoft.Authorization"));
        let (scope, authorization) = parts.split_at(at.unwrap_or(parts.len()));
        match (scope, authorization) {
            ([one], []) if is(one, "tenants") => Ok(Some(Target::Tenants)),
            ([one], []) if is(one, "subscriptions") => Ok(Some(Target::Subscriptions)),
            ([one, _], []) if is(one, "subscriptions") => {
                subscription(scope, world)?;
                Ok(Some(Target::Subscription))
            }
            (_, [_, _, kind]) if is(kind, "roleDefinitions") => {
                Ok(Some(Target::Definitions(assignable(scope, world)?)))
            }
            (_, [_, _, kind, id]) if is(kind, "roleDefinitions") => Ok(Some(Target::Definition((*id).to_owned()))),
            (_, [_, _, kind]) if is(kind, "denyAssignments") => Ok(Some(Target::Denials(assignable(scope, world)?))),
            (_, [_, _, kind]) if is(kind, "roleAssignments") => {
                Ok(Some(Target::Assignments(assignable(scope, world)?)))
            }
            (_, [_, _, kind, name]) if is(kind, "roleAssignments") => {
                Ok(Some(Target::Assignment(assignable(scope, world)?, (*name).to_owned())))
            }
            ([_, _, resources], []) if is(resources, "resources") => {
                subscription(scope, world)?;
                Ok(Some(Target::Vaults))
            }
            ([_, _, providers, namespace, kind], [])
                if is(providers, "providers") && is(namespace, "Microsoft.KeyVault") && is(kind, "vaults") =>
            {
                subscription(scope, world)?;
                Ok(Some(Target::Vaults))
            }
            ([_, _, providers, namespace, kind], [])
                if is(providers, "providers")
                    && is(namespace, "Microsoft.ManagedIdentity")
                    && is(kind, "userAssignedIdentities") =>
            {
                subscription(scope, world)?;
                Ok(Some(Target::Identities))
            }
            ([_, _, _, _, _, namespace, kind, name, below], [])
                if is(namespace, "Microsoft.ManagedIdentity")
                    && is(kind, "userAssignedIdentities")
                    && is(below, "federatedIdentityCredentials") =>
            {
                group(scope, world)?;
                Ok(Some(Target::IdentityCredentials((*name).to_owned())))
            }
            (_, []) => match assignable(scope, world)? {
                Scope::Vault => Ok(Some(Target::Vault)),
                Scope::Secret(name) => Ok(Some(Target::Secret(name))),
                Scope::Subscription | Scope::ResourceGroup => Ok(None),
            },
            _ => Ok(None),
        }
    }
}

/// A path that names a subscription must name this one.
pub(super) fn known_subscription(path: &str, world: &AzureWorld) -> Result<(), ArmError> {
    let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
    match parts.as_slice() {
        [first, _, ..] if first.eq_ignore_ascii_case("subscriptions") => subscription(&parts, world),
        _ => Ok(()),
    }
}

/// The subscription that a path begins with must be this one. A data-plane address has none.
fn subscription(parts: &[&str], world: &AzureWorld) -> Result<(), ArmError> {
    match parts {
        [first, id, ..] if first.eq_ignore_ascii_case("subscriptions") => {
            if id.eq_ignore_ascii_case(&world.subscription_id) {
                return Ok(());
            }
            Err(ArmError::new(404, "SubscriptionNotFound", format!("The subscription '{id}' could not be found.")))
        }
        _ => Err(ArmError::new(
            404,
            "MissingSubscription",
            "The request did not have a subscription or a valid tenant level resource provider.",
        )),
    }
}

/// The resource group that a path is in must be this one.
fn group(parts: &[&str], world: &AzureWorld) -> Result<(), ArmError> {
    subscription(parts, world)?;
    match parts {
        [_, _, groups, name, ..] if groups.eq_ignore_ascii_case("resourceGroups") => {
            if name.eq_ignore_ascii_case(&world.resource_group) {
                return Ok(());
            }
            let message = format!("Resource group '{name}' could not be found.");
            Err(ArmError::new(404, "ResourceGroupNotFound", message))
        }
        _ => Err(ArmError::new(400, "InvalidResourceId", "The scope is no valid resource id.")),
    }
}

/// A scope that roles can be assigned at here.
fn assignable(parts: &[&str], world: &AzureWorld) -> Result<Scope, ArmError> {
    subscription(parts, world)?;
    let is = |part: &str, name: &str| part.eq_ignore_ascii_case(name);
    let below = match parts {
        [_, _] => return Ok(Scope::Subscription),
        [_, _, _, _] => return group(parts, world).map(|()| Scope::ResourceGroup),
        [_, _, _, _, providers, namespace, kind, vault, below @ ..] if is(providers, "providers") => {
            group(parts, world)?;
            if !is(namespace, "Microsoft.KeyVault") || !is(kind, "vaults") || !is(vault, &world.vault.name) {
                let group = parts.get(3).copied().unwrap_or_default();
                let message = format!(
                    "The Resource '{namespace}/{kind}/{vault}' under resource group '{group}' was not found. For more details please go to https://aka.ms/ARMResourceNotFoundFix"
                );
                return Err(ArmError::new(404, "ResourceNotFound", message));
            }
            below
        }
        _ => return Err(ArmError::new(400, "InvalidResourceId", "The scope is no valid resource id.")),
    };
    match below {
        [] => Ok(Scope::Vault),
        // Whether there is such a secret is not looked at.
        [secrets, name] if is(secrets, "secrets") => Ok(Scope::Secret((*name).to_owned())),
        _ => Err(ArmError::new(400, "InvalidResourceId", "The scope is no valid resource id.")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lab::world::{ServiceUrls, World};

    const VAULT: &str = "/subscriptions/00000000-1111-2222-3333-444444444444/resourceGroups/lab/providers/Microsoft.KeyVault/vaults/crewai-lab";

    fn read(path: &str) -> Result<Option<Target>, &'static str> {
        let world = World::scenario("azure").unwrap().describe(&ServiceUrls::of_issuer("https://127.0.0.1:1")).unwrap();
        Target::read(path, &world.azure).map_err(|fault| fault.code)
    }

    #[test]
    fn paths_are_told_apart() {
        let (vault, secret) = (Scope::Vault, Scope::Secret("db".into()));
        let group = "/subscriptions/00000000-1111-2222-3333-444444444444/resourceGroups/lab";
        let roles = "providers/Microsoft.Authorization";
        for (path, target) in [
            (VAULT.to_owned(), Ok(Some(Target::Vault))),
            (format!("{VAULT}/{roles}/roleDefinitions"), Ok(Some(Target::Definitions(Scope::Vault)))),
            (format!("{VAULT}/{roles}/denyAssignments"), Ok(Some(Target::Denials(Scope::Vault)))),
            (format!("/{roles}/roleDefinitions/x"), Ok(Some(Target::Definition("x".into())))),
            (format!("{group}/{roles}/roleAssignments"), Ok(Some(Target::Assignments(Scope::ResourceGroup)))),
            (format!("{VAULT}/secrets/db"), Ok(Some(Target::Secret("db".into())))),
            (
                format!(
                    "{group}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/mi/federatedIdentityCredentials"
                ),
                Ok(Some(Target::IdentityCredentials("mi".into()))),
            ),
            (format!("{VAULT}/{roles}/roleAssignments"), Ok(Some(Target::Assignments(vault.clone())))),
            (format!("{VAULT}/{roles}/roleAssignments/x"), Ok(Some(Target::Assignment(vault, "x".into())))),
            (format!("{VAULT}/secrets/db/{roles}/roleAssignments/x"), Ok(Some(Target::Assignment(secret, "x".into())))),
            // What `az keyvault secret show --query id` prints is no scope.
            (
                format!("/https:/crewai-lab.vault.azure.net/secrets/db/{roles}/roleAssignments/x"),
                Err("MissingSubscription"),
            ),
            (VAULT.replace("4444/", "5555/"), Err("SubscriptionNotFound")),
            (VAULT.replace("/lab/", "/other/"), Err("ResourceGroupNotFound")),
            (VAULT.replace("crewai-lab", "other"), Err("ResourceNotFound")),
            (format!("{VAULT}/keys/x"), Err("InvalidResourceId")),
            ("/subscriptions".to_owned(), Ok(Some(Target::Subscriptions))),
            ("/subscriptions/00000000-1111-2222-3333-444444444444".to_owned(), Ok(Some(Target::Subscription))),
            ("/subscriptions/00000000-1111-2222-3333-555555555555".to_owned(), Err("SubscriptionNotFound")),
        ] {
            assert_eq!(read(&path), target, "{path}");
        }
    }
}
