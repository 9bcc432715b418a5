//! Rights on the vault and its settings: a role at the narrowest scope that serves, or a policy with the two
//! permissions that are needed.

use super::names::{Names, WORK, digest};
use crate::cause::{Actor, Fix};
use crate::domain::keyvault::SecretName;
use crate::domain::profile::key::Key;
use crate::guide::form::shell::quote;
use crate::remedy::variable;

/// Reads values and lists names (<https://learn.microsoft.com/azure/key-vault/general/rbac-guide>).
const ROLE: &str = "Key Vault Secrets User";
/// How long a vault takes to know a new right, in seconds.
const PROPAGATION_S: u32 = 300;

/// The role on the vault, so that its secrets can be listed too.
pub(super) fn role_on_vault(names: &Names<'_>) -> Vec<Fix> {
    let text = format!("Assign {ROLE} on the vault to the workload's service principal: it may then list and read.");
    vec![role(names, &names.principal(), names.known_principal(), "", text)]
}

/// The role on the one secret: the vault can be listed already.
pub(super) fn role_on_secret(names: &Names<'_>) -> Vec<Fix> {
    let secret = names.profile().secret.as_ref().and_then(|secret| SecretName::of(&secret.name).ok());
    let Some(secret) = secret else { return role_on_vault(names) };
    let text = format!(
        "Assign {ROLE} on the secret `{}` to the workload's service principal: it may then read that one. The role \
         that it has stays.",
        secret.name
    );
    vec![role(names, &names.principal(), names.known_principal(), &format!("/secrets/{}", secret.name), text)]
}

/// The role for the profile's application, whoever it was assigned to.
pub(super) fn role_for_application(names: &Names<'_>) -> Vec<Fix> {
    let text = format!("Assign {ROLE} on the vault to the profile's application. Other assignments stay as they are.");
    vec![role(names, &names.principal_of_application(), names.profile().azure.client_id.as_deref(), "", text)]
}

fn role(names: &Names<'_>, principal: &str, whose: Option<&str>, below: &str, text: String) -> Fix {
    let mut start = names.head() + principal + &names.scope();
    if !below.is_empty() {
        start += &format!("SCOPE=\"$SCOPE\"{}\n", quote(below));
    }
    start += &variable("ASSIGNMENT", Some(&assignment(whose, names.known_vault(), below)), "");
    let create = format!(
        "az role assignment create --name \"$ASSIGNMENT\" --assignee-object-id \"$PRINCIPAL\" --assignee-principal-type ServicePrincipal --role '{ROLE}' --scope \"$SCOPE\" --output none\n"
    );
    let delete = "az role assignment delete --ids \"$SCOPE/providers/Microsoft.Authorization/roleAssignments/$ASSIGNMENT\" --output none\n";
    Fix {
        text,
        command: Some(format!("{start}{create}")),
        undo: Some(format!("{start}{delete}")),
        verify: Some(names.check_after(PROPAGATION_S)),
        ..Fix::default()
    }
}

/// The assignment's own name, a UUID of version 8: the same for the same assignment, so that the way back finds it.
fn assignment(whose: Option<&str>, vault: Option<&str>, below: &str) -> String {
    let hex = digest(&format!("{whose:?}\n{vault:?}\n{below}\n{ROLE}"));
    format!("{}-{}-8{}-8{}-{}", &hex[..8], &hex[8..12], &hex[12..15], &hex[15..18], &hex[18..30])
}

/// A policy of the workload's own, with what it has and the two permissions that are needed.
pub(super) fn policy(names: &Names<'_>) -> Vec<Fix> {
    let azure = &names.context.facts.azure;
    let is_granted = [
        azure.secret.as_ref().is_some_and(|fact| fact.call.granted().is_some()),
        azure.list.as_ref().is_some_and(|fact| fact.call.granted().is_some()),
    ];
    let lacking: Vec<&str> =
        ["get", "list"].into_iter().zip(is_granted).filter(|(_, granted)| !granted).map(|(right, _)| right).collect();
    let start = names.head() + &names.vault_name() + &names.principal() + WORK;
    let text = format!(
        "Give the service principal the permission to {} secrets in an access policy of its own. The policies of \
         others, and what it has already, stay.",
        lacking.join(" and ")
    );
    vec![Fix {
        text,
        command: Some(start.clone() + &set_policy(names, &format!("+ {}", list(&lacking)))),
        undo: Some(start + &set_policy(names, &format!("- {}", list(&lacking)))),
        verify: Some(names.check_after(PROPAGATION_S)),
        ..Fix::default()
    }]
}

/// `az keyvault set-policy` replaces what a policy permits on secrets, so what is there is read first. A policy that
/// permits nothing any more is taken away.
fn set_policy(names: &Names<'_>, change: &str) -> String {
    let subscription = names.subscription();
    format!(
        "az keyvault show --name \"$VAULT_NAME\"{subscription} --output json >\"$work/vault.json\"\n\
         jq -r --arg principal \"$PRINCIPAL\" '\n  [.properties.accessPolicies[]? | select(.objectId == $principal and .applicationId == null) | .permissions.secrets[]? | ascii_downcase]\n  {change} | unique[]' \"$work/vault.json\" >\"$work/permissions\"\n\
         if [ -s \"$work/permissions\" ]; then\n  az keyvault set-policy --name \"$VAULT_NAME\"{subscription} --object-id \"$PRINCIPAL\" --secret-permissions $(cat \"$work/permissions\") --output none\nelse\n  az keyvault delete-policy --name \"$VAULT_NAME\"{subscription} --object-id \"$PRINCIPAL\" --output none\nfi\n"
    )
}

fn list(rights: &[&str]) -> String {
    serde_json::json!(rights).to_string()
}

/// The profile's vault address, as Azure has it.
pub(super) fn address(names: &Names<'_>) -> Vec<Fix> {
    let subscription = names.subscription();
    let mut command = names.head();
    command += &match names.known_vault() {
        Some(_) => names.vault_name(),
        // One vault in the subscription is the one that is meant; among several nobody guesses.
        None => format!(
            "names=$(az keyvault list{subscription} --query '[].name' --output tsv)\n[ \"$(echo \"$names\" | wc -w)\" -eq 1 ] || [ -n \"${{VAULT_NAME:-}}\" ] || stop \"set VAULT_NAME to one of: $(echo $names)\"\nVAULT_NAME=${{VAULT_NAME:-$names}}\n"
        ),
    };
    command += &format!(
        "url=$(az keyvault show --name \"$VAULT_NAME\"{subscription} --query properties.vaultUri --output tsv) ||\n  stop \"no vault called $VAULT_NAME can be seen; nothing was changed: az keyvault list prints those that can\"\n"
    );
    if let Some(before) = &names.profile().azure.vault_url {
        command += &format!(
            "[ \"${{url%/}}\" != {} ] || stop 'Azure has this very address for the vault, so what answers there is something else: look at the name that it resolves to, and at a proxy on the way; nothing was changed'\n",
            quote(before.trim_end_matches('/'))
        );
    }
    command += &names.set(Key::VaultUrl, "${url%/}");
    vec![Fix {
        text: "Set the profile's vault to the address that Azure has for it.".to_owned(),
        command: Some(command),
        undo: names.restore(Key::VaultUrl, names.profile().azure.vault_url.as_deref()),
        verify: Some(names.check()),
        ..Fix::default()
    }]
}

/// The vault's firewall, opened for the one address that it saw.
pub(super) fn firewall(names: &Names<'_>) -> Vec<Fix> {
    let Some(address) = names.refusals().find_map(|e| e.client_address.as_deref()) else { return Vec::new() };
    // What the vault says is an address, or it is no part of a command.
    let Ok(address) = address.parse::<std::net::IpAddr>() else { return Vec::new() };
    let subscription = names.subscription();
    let rule = |action: &str| {
        format!(
            "{}{}az keyvault network-rule {action} --name \"$VAULT_NAME\"{subscription} --ip-address {address} --output none\n",
            names.head(),
            names.vault_name()
        )
    };
    let vault = names.known_vault().unwrap_or("the profile names");
    vec![
        Fix {
            text: format!(
                "Let the one address in that the vault saw, {address}: it is where this check ran. The automations run \
                 elsewhere."
            ),
            command: Some(rule("add")),
            undo: Some(rule("remove")),
            verify: Some(names.check_after(60)),
            ..Fix::default()
        },
        Fix {
            text: format!(
                "\"The key vault {vault} lets selected addresses in. Which outgoing addresses do the automations have, \
                 and do they stay the same? They have to be added to the vault's network rules.\""
            ),
            actor: Actor::Platform,
            ..Fix::default()
        },
    ]
}

/// Public access is off on purpose: nothing here turns it on.
pub(super) fn private_endpoint(names: &Names<'_>) -> Vec<Fix> {
    let vault = names.known_vault().unwrap_or("that the profile names");
    vec![Fix {
        text: format!(
            "\"The key vault {vault} takes requests through its private endpoint only. Can the automations run in a \
             network that is linked to it, where its name resolves to the private address? If not, the vault's owner \
             has to decide whether it lets selected public addresses in, and needs to know yours.\" Run this check in \
             that network too: from outside it cannot pass."
        ),
        actor: Actor::Platform,
        ..Fix::default()
    }]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cause::{Cause, Certainty, Finding};
    use crate::domain::ids::CheckId;
    use crate::remedy::azure::tests::Case;

    fn fix(cause: Cause) -> Fix {
        let finding = Finding::new(cause, CheckId::AzureGetSecret, Certainty::Proven, "x");
        let mut case = Case::bare();
        case.profile.secret = crate::domain::secret_ref::SecretRef::parse("db_password#key").ok();
        crate::remedy::azure::fixes(&finding, case.context()).remove(0)
    }

    #[test]
    fn a_role_is_never_assigned_above_the_vault() {
        for (cause, scope) in [
            (Cause::RbacMissing, "--query id"),
            (Cause::RbacScopeSingleSecret, "--query id"),
            (Cause::RbacWrongPrincipal, "--query id"),
            (Cause::RbacWrongRole, "SCOPE=\"$SCOPE\"/secrets/db-password"),
        ] {
            let command = fix(cause).command.unwrap();
            assert!(command.contains(scope), "{command}");
            assert!(command.contains("--role 'Key Vault Secrets User'"), "{command}");
        }
    }

    #[test]
    fn the_way_back_deletes_the_assignment_that_was_made() {
        let fix = fix(Cause::RbacMissing);
        let name = |script: &str| script.lines().find(|l| l.starts_with("ASSIGNMENT=")).unwrap().to_owned();
        assert_eq!(name(&fix.command.unwrap()), name(&fix.undo.unwrap()));
    }

    #[test]
    fn the_assignments_name_is_a_uuid() {
        let uuid = assignment(Some("p"), Some("v"), "");
        let lengths: Vec<usize> = uuid.split('-').map(str::len).collect();
        assert_eq!(lengths, [8, 4, 4, 4, 12]);
        assert!(uuid.bytes().all(|b| b.is_ascii_hexdigit() || b == b'-'));
        assert_ne!(uuid, assignment(Some("p"), Some("v"), "/secrets/x"));
    }
}

#[cfg(test)]
mod vault_tests {
    use super::*;
    use crate::cause::{Cause, Certainty, Finding};
    use crate::domain::ids::CheckId;
    use crate::remedy::azure::tests::Case;

    fn fixes(case: &Case, cause: Cause) -> Vec<Fix> {
        let finding = Finding::new(cause, CheckId::AzureListSecrets, Certainty::Proven, "x");
        crate::remedy::azure::fixes(&finding, case.context())
    }

    #[test]
    fn an_address_is_asked_for_by_the_vaults_name() {
        let mut case = Case::bare();
        let named = fixes(&case, Cause::VaultDns).remove(0);
        assert!(named.command.unwrap().contains("VAULT_NAME=crewai\n"));
        assert!(named.undo.unwrap().contains("azure.vault-url=https://crewai.vault.azure.net"));
        case.profile.azure.vault_url = None;
        let unnamed = fixes(&case, Cause::VaultUrlMissing).remove(0).command.unwrap();
        assert!(unnamed.contains("az keyvault list"), "{unnamed}");
    }

    #[test]
    fn without_an_address_no_firewall_is_opened() {
        assert_eq!(fixes(&Case::bare(), Cause::Firewall), []);
    }
}
