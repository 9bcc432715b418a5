//! The way to the vault: its address, and from where it may be reached.

use super::names::Names;
use crate::cause::{Actor, Fix};
use crate::domain::profile::key::Key;
use crate::guide::form::shell::quote;

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
