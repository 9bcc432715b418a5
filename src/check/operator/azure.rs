//! Azure's own side: the operator's sign-in, the application, the vault and who may read it.

use serde_json::json;

use crate::check::definition::{Check, Link, Reproduction, Traffic, Waits};
use crate::check::facts::Facts;
use crate::check::step::Step;
use crate::check::{CheckId, Verdict};
use crate::domain::profile::Profile;
use crate::domain::text::quote;

/// The operator is signed in, in the profile's directory.
pub const OPERATOR: Check = Check {
    id: CheckId::AzureOperator,
    title: "the operator is signed in to Azure",
    docs: "https://learn.microsoft.com/cli/azure/authenticate-azure-cli",
    link: Link::Trust,
    needs: &[],
    rules_out: &[],
    step: |_| Some(Step::AzureOperator),
    traffic: Traffic::None,
    waits: Waits::IfRefused,
    facts: |facts| match &facts.operator.azure.identity {
        Some(Ok(identity)) => Some(json!({ "identity": identity })),
        _ => None,
    },
    verdict: operator,
    reproduction: Reproduction::Command(|_, _| Some("az account show".to_owned())),
};

/// The application is there, and its federated credentials accept the token.
pub const APPLICATION: Check = Check {
    id: CheckId::AzureApplication,
    title: "the application is as the profile says",
    docs: "https://learn.microsoft.com/graph/api/application-get",
    step: |_| Some(Step::AzureApplication),
    needs: &[CheckId::AzureOperator],
    facts: |_| None,
    verdict: not_read,
    reproduction: Reproduction::Command(|profile, _| {
        Some(format!("az ad app show --id {}", quote(profile.azure.client_id.as_deref()?)))
    }),
    ..OPERATOR
};

/// The application may read the vault's secrets.
pub const ASSIGNMENTS: Check = Check {
    id: CheckId::AzureRoleAssignments,
    title: "a role assignment lets the application read the secret",
    docs: "https://learn.microsoft.com/azure/key-vault/general/rbac-guide",
    link: Link::Secret,
    step: |_| Some(Step::AzureRoleAssignments),
    reproduction: Reproduction::Command(|profile, _| {
        Some(format!("az role assignment list --all --assignee {}", quote(profile.azure.client_id.as_deref()?)))
    }),
    ..APPLICATION
};

/// The vault lets requests in, by the permission model that the profile rests on.
pub const VAULT: Check = Check {
    id: CheckId::AzureVaultSettings,
    title: "the vault's settings let the application in",
    docs: "https://learn.microsoft.com/azure/key-vault/general/network-security",
    link: Link::Secret,
    step: |_| Some(Step::AzureVaultSettings),
    reproduction: Reproduction::Command(|profile, _| {
        Some(format!("az keyvault show --name {}", quote(profile.azure.known_vault_name()?)))
    }),
    ..APPLICATION
};

fn operator(facts: &Facts, _profile: &Profile) -> Verdict {
    match &facts.operator.azure.identity {
        None => Verdict::inconclusive("nobody signed in", Vec::new()),
        Some(Ok(identity)) => Verdict { reason: Some(identity.clone()), ..Verdict::pass() },
        Some(Err(why)) => Verdict::inconclusive(why.clone(), Vec::new()),
    }
}

fn not_read(_facts: &Facts, _profile: &Profile) -> Verdict {
    Verdict::inconclusive("it was not read", Vec::new())
}
