//! Azure's own side: the operator's sign-in, the application, the vault and who may read it.

use serde_json::json;

use super::with_pauses;
use crate::cause::vault_access::{Subject, lacking, not_known_yet};
use crate::cause::{Cause, Certainty, Finding, keyvault};
use crate::check::definition::{Check, Link, Reproduction, Traffic, Waits};
use crate::check::facts::azure::VaultFact;
use crate::check::facts::operator::{Read, Throttled};
use crate::check::facts::operator_azure::{ApplicationFact, RightsFact, SecretResource};
use crate::check::facts::{Facts, as_json};
use crate::check::step::Step;
use crate::check::{CheckId, Verdict};
use crate::domain::keyvault::SecretName;
use crate::domain::profile::Profile;
use crate::domain::profile::key::Key;
use crate::domain::text::quote;
use crate::domain::timestamp::rfc3339;
use crate::domain::vault_access::{
    Identity, PermissionModel, Right, RoleDefinition, Roles, Ruling, VaultResource, rule_by_policies,
};

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

/// The application is there, can sign in, and is whose the profile says.
pub const APPLICATION: Check = Check {
    id: CheckId::AzureApplication,
    title: "the application is as the profile says",
    docs: "https://learn.microsoft.com/graph/api/application-get",
    step: |_| Some(Step::AzureApplication),
    needs: &[CheckId::AzureOperator],
    facts: |facts| as_json(facts.operator.azure.application.as_ref()),
    verdict: |facts, profile| with_pauses(application(facts, profile), application_pauses(facts)),
    reproduction: Reproduction::Command(|profile, _| {
        Some(format!("az ad app show --id {}", quote(profile.azure.client_id.as_deref()?)))
    }),
    ..OPERATOR
};

/// The application may read the vault's secrets.
pub const ASSIGNMENTS: Check = Check {
    id: CheckId::AzureRoleAssignments,
    title: "the application's rights reach the vault's secrets",
    docs: "https://learn.microsoft.com/azure/key-vault/general/rbac-guide",
    link: Link::Secret,
    step: |_| Some(Step::AzureRoleAssignments),
    // What the vault itself answered is beside it.
    waits: Waits::If(|_, _| true),
    facts: |facts| facts.operator.azure.rights.as_ref().map(|rights| shown(rights, facts)),
    verdict: |facts, profile| with_pauses(rights(facts, profile), rights_pauses(facts)),
    reproduction: Reproduction::Command(|profile, _| {
        Some(format!("az role assignment list --all --assignee {}", quote(profile.azure.client_id.as_deref()?)))
    }),
    ..APPLICATION
};

/// The vault lets requests in, and the secret is there.
pub const VAULT: Check = Check {
    id: CheckId::AzureVaultSettings,
    title: "the vault lets the application in and has the secret",
    docs: "https://learn.microsoft.com/azure/key-vault/general/network-security",
    link: Link::Secret,
    step: |_| Some(Step::AzureVaultSettings),
    waits: Waits::If(|_, _| true),
    facts: |facts| as_json(facts.operator.azure.vault.as_ref()),
    verdict: |facts, profile| with_pauses(vault(facts, profile), vault_pauses(facts)),
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

fn application_pauses(facts: &Facts) -> Throttled {
    let Some(fact) = &facts.operator.azure.application else { return Throttled::default() };
    let of_credentials = fact.credentials.as_ref().map(|read| read.throttled).unwrap_or_default();
    fact.registration.throttled.beside(fact.principal.throttled).beside(fact.groups.throttled).beside(of_credentials)
}

fn vault_pauses(facts: &Facts) -> Throttled {
    let Some(fact) = &facts.operator.azure.vault else { return Throttled::default() };
    fact.vault.throttled.beside(fact.secret.as_ref().map(|read| read.throttled).unwrap_or_default())
}

fn rights_pauses(facts: &Facts) -> Throttled {
    let Some(fact) = &facts.operator.azure.rights else { return Throttled::default() };
    let lists = fact.assignments.throttled.beside(fact.denials.throttled);
    let definitions = fact.definitions.iter().map(|read| read.throttled);
    lists.and_then(definitions.fold(Throttled::default(), Throttled::beside))
}

/// Why something was not read, for a verdict that rests on it.
fn unread<T>(read: &Read<T>, otherwise: &str) -> Verdict {
    Verdict::inconclusive(read.unread().unwrap_or_else(|| otherwise.to_owned()), Vec::new())
}

fn application(facts: &Facts, profile: &Profile) -> Verdict {
    let Some(fact) = &facts.operator.azure.application else {
        return Verdict::inconclusive("the application was not read", Vec::new());
    };
    let id = CheckId::AzureApplication;
    let client_id = profile.azure.client_id.as_deref().unwrap_or_default();
    let proven = |cause, summary: String| Finding::new(cause, id, Certainty::Proven, summary);
    let finding = match (fact.registration.seen(), fact.principal.seen()) {
        (None, None) if fact.registration.is_nowhere() && fact.principal.is_nowhere() => {
            let summary =
                format!("the directory has no application and no managed identity with the client id {client_id}");
            proven(Cause::ClientWrong, summary).about(Key::ClientId)
        }
        (Some(_), None) if fact.principal.is_nowhere() => {
            proven(Cause::SpMissing, "the application has no service principal in the directory".to_owned())
        }
        (_, Some(principal)) if !principal.enabled => {
            let summary = "signing in is switched off for the application's service principal".to_owned();
            proven(Cause::AppDisabled, summary).with_difference("accountEnabled: true", "accountEnabled: false")
        }
        (_, Some(_)) => return application_found(fact),
        (_, None) => return unread(&fact.principal, "the application was not read"),
    };
    Verdict::fail(finding.summary.clone(), vec![finding])
}

fn application_found(fact: &ApplicationFact) -> Verdict {
    let principal = fact.principal.seen().map(|principal| principal.id.as_str()).unwrap_or_default();
    let mut told = vec![format!("service principal {principal}")];
    match &fact.credentials {
        Some(read) => match (read.seen(), read.unread()) {
            (Some(credentials), _) if credentials.count == 1 => told.push("1 federated credential".to_owned()),
            (Some(credentials), _) => told.push(format!("{} federated credentials", credentials.count)),
            (None, Some(why)) => return Verdict::inconclusive(why, Vec::new()),
            (None, None) => {}
        },
        None => {
            let owner = fact.principal.seen().and_then(|principal| principal.owner_tenant.as_deref());
            let place = owner.map_or_else(String::new, |owner| format!(", in the directory {owner}"));
            let why =
                format!("the application is registered elsewhere{place}, and its federated credentials are there");
            return Verdict::inconclusive(why, Vec::new());
        }
    }
    Verdict { reason: Some(told.join(", ")), ..Verdict::pass() }
}

/// A refusal or a grant of the vault itself, where it was asked.
fn answered<T>(fact: Option<&VaultFact<T>>) -> (bool, bool) {
    let granted = fact.is_some_and(|fact| fact.call.granted().is_some());
    let denied = fact.and_then(|fact| fact.error.as_ref()).is_some_and(keyvault::is_denial);
    (granted, denied)
}

fn vault(facts: &Facts, profile: &Profile) -> Verdict {
    let Some(fact) = &facts.operator.azure.vault else {
        return Verdict::inconclusive("the profile does not name the vault's resource", Vec::new());
    };
    let Some(found) = fact.vault.seen() else {
        let said = fact.vault.call.refusal().map(|refusal| refusal.message.clone());
        return unread(&fact.vault, &said.unwrap_or_default());
    };
    let id = CheckId::AzureVaultSettings;
    let same = |a: &str, b: &str| a.trim_end_matches('/').eq_ignore_ascii_case(b.trim_end_matches('/'));
    if let (Some(own), Some(url)) = (&found.uri, &profile.azure.vault_url)
        && !same(own, url)
    {
        let why = format!("{} is the vault at {own}, and the profile's address is {url}", found.id);
        return Verdict::inconclusive(why, Vec::new());
    }
    if let (Some(own), Some(tenant)) = (&found.tenant_id, &profile.azure.tenant_id)
        && !own.eq_ignore_ascii_case(tenant)
    {
        let summary = "the vault trusts another directory than the application's";
        let finding = Finding::new(Cause::TenantWrong, id, Certainty::Proven, summary).with_difference(tenant, own);
        return Verdict::fail(summary, vec![finding.with_evidence(format!("the tenantId of {}", found.id))]);
    }
    let secret = fact.secret.as_ref();
    let name = profile.secret.as_ref().map(|secret| secret.name.as_str()).unwrap_or_default();
    if let Some(secret) = secret.and_then(Read::seen).filter(|secret| !secret.enabled) {
        let summary = format!("the secret `{}` is disabled", secret.name);
        let finding = Finding::new(Cause::SecretDisabled, id, Certainty::Proven, summary.clone());
        return Verdict::fail(summary, vec![finding]);
    }
    if secret.is_some_and(Read::is_nowhere) {
        let summary = format!("the vault has no secret `{name}`");
        // A deleted one that can be recovered looks the same from here; the vault tells them apart.
        let asked = facts.azure.secret.as_ref().is_some_and(|fact| fact.call.refusal().is_some());
        let finding = Finding::new(Cause::SecretNotFound, id, Certainty::Likely, summary.clone());
        return Verdict::fail(summary, if asked { Vec::new() } else { vec![finding] });
    }
    let notes = vault_notes(found, secret.and_then(Read::seen), facts);
    // Whether the secret is there is part of the assertion.
    if let Some(why) = secret.and_then(Read::unread) {
        return Verdict::inconclusive(format!("{}; the secret was not looked at: {why}", notes.join("; ")), Vec::new());
    }
    Verdict { reason: Some(notes.join("; ")), ..Verdict::pass() }
}

fn vault_notes(vault: &VaultResource, secret: Option<&SecretResource>, facts: &Facts) -> Vec<String> {
    let model = match vault.model {
        PermissionModel::Roles => "it decides by roles",
        PermissionModel::AccessPolicies => "it decides by access policies",
    };
    let mut notes = vec![model.to_owned()];
    if !vault.public_network {
        notes.push("public network access is disabled: only a private endpoint leads to it".to_owned());
    } else if vault.denies_by_default {
        let addresses = vault.addresses.join(", ");
        let addresses = if addresses.is_empty() { "no address" } else { &addresses };
        notes.push(format!("its firewall lets in {addresses} and what its other rules name"));
    }
    if let Some(at) = secret.and_then(|secret| secret.expires_at).filter(|at| *at <= facts.now) {
        notes.push(format!("the secret expired {}", rfc3339(at).unwrap_or_default()));
    }
    notes
}

/// The rights as they were read, for whom.
struct Known<'f> {
    vault: &'f VaultResource,
    rights: &'f RightsFact,
    identity: Identity<'f>,
}

impl<'f> Known<'f> {
    fn of(facts: &'f Facts, profile: &'f Profile) -> Result<Self, Verdict> {
        let side = &facts.operator.azure;
        let (Some(vault), Some(rights)) = (side.vault_in_force(), &side.rights) else {
            return Err(Verdict::inconclusive("the rights at the vault were not read", Vec::new()));
        };
        let access = facts.azure.access().and_then(|access| access.object_id.as_deref());
        let Some(identity) = side.reader(access, profile.azure.client_id.as_deref()) else {
            let why = "the application has no service principal, so nothing can be assigned to it";
            return Err(match &side.application {
                Some(fact) => unread(&fact.principal, why),
                None => Verdict::inconclusive("the application was not read", Vec::new()),
            });
        };
        Ok(Known { vault, rights, identity })
    }

    fn by_roles(&self, right: Right, resource: &str) -> Ruling {
        let RightsFact { assignments, definitions, denials } = self.rights;
        let definitions: Vec<RoleDefinition> = definitions.iter().filter_map(Read::seen).cloned().collect();
        let Some(assignments) = assignments.seen() else {
            return Ruling::Unknown(assignments.unread().unwrap_or_default());
        };
        let roles =
            Roles { assignments, definitions: &definitions, denials: denials.seen().map_or(&[], Vec::as_slice) };
        roles.rule(&self.identity, right, resource)
    }

    fn ruling(&self, model: PermissionModel, right: Right, resource: &str) -> Ruling {
        match model {
            PermissionModel::Roles => self.by_roles(right, resource),
            PermissionModel::AccessPolicies => rule_by_policies(&self.vault.policies, &self.identity, right),
        }
    }

    /// What the vault's model comes to, and why not where it denies.
    fn judge(&self, right: Right, resource: &str) -> (Ruling, Option<Finding>) {
        let model = self.vault.model;
        let ruling = self.ruling(model, right, resource);
        let Ruling::Denied(lack) = &ruling else { return (ruling, None) };
        let other = match model {
            PermissionModel::Roles => PermissionModel::AccessPolicies,
            PermissionModel::AccessPolicies => PermissionModel::Roles,
        };
        let other_model = matches!(self.ruling(other, right, resource), Ruling::Allowed { .. });
        let subject = Subject { identity: &self.identity, right, model, other_model };
        let finding = lacking(lack, &subject, CheckId::AzureRoleAssignments.into());
        (ruling, Some(finding))
    }
}

fn rights(facts: &Facts, profile: &Profile) -> Verdict {
    let known = match Known::of(facts, profile) {
        Ok(known) => known,
        Err(verdict) => return verdict,
    };
    let secret = profile.secret.as_ref().and_then(|secret| SecretName::of(&secret.name).ok());
    let asked = [
        secret.map(|secret| (Right::Get, known.vault.secret_id(&secret.name), answered(facts.azure.secret.as_ref()))),
        Some((Right::List, known.vault.id.clone(), answered(facts.azure.list.as_ref()))),
    ];
    let mut told = Vec::new();
    for (right, resource, (granted, denied)) in asked.into_iter().flatten() {
        let name = right.permission();
        match known.judge(right, &resource) {
            (Ruling::Denied(_), _) if granted => {
                let why = format!("the vault granted `{name}`, and nothing that was read allows it");
                return Verdict::inconclusive(why, Vec::new());
            }
            (Ruling::Denied(_), finding) => {
                let reason = finding.as_ref().map(|finding| finding.summary.clone()).unwrap_or_default();
                return Verdict::fail(reason, finding.into_iter().collect());
            }
            (Ruling::Unknown(why), _) => return Verdict::inconclusive(format!("`{name}`: {why}"), Vec::new()),
            (ruling @ Ruling::Allowed { .. }, _) if denied => {
                let finding = not_known_yet(&ruling, CheckId::AzureRoleAssignments.into(), facts.now);
                let reason = finding.as_ref().map(|finding| finding.summary.clone()).unwrap_or_default();
                return Verdict::fail(reason, finding.into_iter().collect());
            }
            (Ruling::Allowed { by, .. }, _) => told.push(format!("`{name}` by {by}")),
        }
    }
    told.dedup();
    if let Some(why) = known.rights.denials.unread() {
        told.push(format!("deny assignments were not read: {why}"));
    }
    Verdict { reason: Some(told.join("; ")), ..Verdict::pass() }
}

/// What concerns the application, of everything that is assigned at the vault.
fn shown(rights: &RightsFact, facts: &Facts) -> serde_json::Value {
    let identity = facts.operator.azure.reader(None, None);
    let all = rights.assignments.seen().map(Vec::as_slice).unwrap_or_default();
    let own: Vec<_> = all
        .iter()
        .filter(|one| {
            let concerned =
                |identity: &Identity<'_>| identity.is_concerned(&one.principal_id, one.principal_type.as_deref());
            identity.as_ref().is_some_and(concerned)
        })
        .collect();
    json!({
        "assignments": { "read": all.len(), "unread": rights.assignments.unread(), "of_the_application": own },
        "roles": rights.definitions.iter().filter_map(Read::seen).collect::<Vec<_>>(),
        "deny_assignments": { "read": rights.denials.seen(), "unread": rights.denials.unread() },
    })
}
