//! What the scripts name: known from the profile and the answers, found out by the script itself, or asked of the
//! reader.

use std::fmt::Write as _;

use crate::cause::Fix;
use crate::check::facts::azure::AccessGranted;
use crate::domain::keyvault::VaultError;
use crate::domain::national_cloud::{NationalCloud, PUBLIC};
use crate::domain::profile::Profile;
use crate::domain::profile::key::Key;
use crate::domain::profile::setting::Origin;
use crate::guide::form::shell::quote;
use crate::remedy::{Context, profile_set};
use crate::remedy::{HEAD, check, variable};

/// Says why on the error stream, and ends the script.
const STOP: &str = "stop() { echo \"$1\" >&2; exit 1; }\n";
/// A private folder that ends with the script.
pub(super) const WORK: &str = "work=$(mktemp -d)\ntrap 'rm -rf \"$work\"' EXIT\n";

/// The names that scripts are made with.
#[derive(Clone, Copy, Debug)]
pub(super) struct Names<'a> {
    pub context: Context<'a>,
}

impl<'a> Names<'a> {
    pub(super) fn new(context: Context<'a>) -> Self {
        Names { context }
    }

    pub(super) fn profile(&self) -> &'a Profile {
        self.context.profile
    }

    pub(super) fn cloud(&self) -> &'static NationalCloud {
        self.profile().azure.cloud()
    }

    /// How every script begins. In another cloud than the public one it first looks where the command line is.
    pub(super) fn head(&self) -> String {
        let mut head = format!("{HEAD}{STOP}");
        let cloud = self.cloud();
        if cloud != PUBLIC {
            let _ = writeln!(
                head,
                "[ \"$(az cloud show --query name --output tsv)\" = {name} ] || stop 'the Azure CLI is in another \
                 cloud; first: az cloud set --name {name}, then az login'",
                name = cloud.cli_name
            );
        }
        head
    }

    /// `CLIENT_ID`: the application's.
    pub(super) fn client_id(&self) -> String {
        variable("CLIENT_ID", self.profile().azure.client_id.as_deref(), "the application (client) ID")
    }

    /// `VAULT_NAME`: the key vault's.
    pub(super) fn vault_name(&self) -> String {
        variable("VAULT_NAME", self.known_vault(), "the name of the key vault")
    }

    /// The vault's name, from the profile or from the vault's own answers.
    pub(super) fn known_vault(&self) -> Option<&'a str> {
        self.profile().azure.known_vault_name().or_else(|| self.refusals().find_map(|e| e.vault.as_deref()))
    }

    /// ` --subscription …` where the profile names one: the command line may stand in another.
    pub(super) fn subscription(&self) -> String {
        let known = self.profile().azure.subscription_id.as_deref();
        known.map(|id| format!(" --subscription {}", quote(id))).unwrap_or_default()
    }

    /// `SCOPE`: the vault's resource id, from which role assignments hang.
    pub(super) fn scope(&self) -> String {
        let azure = &self.profile().azure;
        match (&azure.subscription_id, &azure.resource_group, self.known_vault()) {
            (Some(subscription), Some(group), Some(vault)) => {
                let id = format!(
                    "/subscriptions/{subscription}/resourceGroups/{group}/providers/Microsoft.KeyVault/vaults/{vault}"
                );
                variable("SCOPE", Some(&id), "")
            }
            _ => format!(
                "{}SCOPE=$(az keyvault show --name \"$VAULT_NAME\"{} --query id --output tsv)\n",
                self.vault_name(),
                self.subscription()
            ),
        }
    }

    /// `PRINCIPAL`: the object id of the service principal, as the access token names it. The application's own object
    /// id is another, and no vault ever sees it.
    pub(super) fn principal(&self) -> String {
        match self.known_principal() {
            Some(id) => variable("PRINCIPAL", Some(id), ""),
            None => self.principal_of_application(),
        }
    }

    /// `PRINCIPAL`: that of the profile's application, whoever the vault saw.
    pub(super) fn principal_of_application(&self) -> String {
        format!("{}PRINCIPAL=$(az ad sp show --id \"$CLIENT_ID\" --query id --output tsv)\n", self.client_id())
    }

    pub(super) fn known_principal(&self) -> Option<&'a str> {
        let granted: Option<&AccessGranted> = self.context.facts.azure.access();
        let of_token = granted.and_then(|access| access.object_id.as_deref());
        of_token.or_else(|| self.refusals().find_map(|e| e.caller.as_ref()?.object_id.as_deref()))
    }

    /// The vault's refusals, of the list first.
    pub(super) fn refusals(&self) -> impl Iterator<Item = &'a VaultError> {
        let azure = &self.context.facts.azure;
        let list = azure.list.as_ref().and_then(|fact| fact.error.as_ref());
        list.into_iter().chain(azure.secret.as_ref().and_then(|fact| fact.error.as_ref()))
    }

    /// The check of this profile.
    pub(super) fn check(&self) -> String {
        check(self.profile(), None)
    }

    /// The check that waits for what was changed to be known everywhere.
    pub(super) fn check_after(&self, seconds: u32) -> String {
        check(self.profile(), Some(seconds))
    }

    /// Waiting is the fix.
    pub(super) fn wait(&self) -> Fix {
        Fix {
            text: "Wait: nothing has to be changed. The check tries again until it passes, for two minutes at most."
                .to_owned(),
            command: Some(format!("{}\n", self.check_after(120))),
            ..Fix::default()
        }
    }

    /// Sets a key of the profile to what the script found out: `value` is a word of the script's own. A script cannot
    /// export to the shell it is run from, so what a variable decides is said.
    pub(super) fn set(&self, key: Key, value: &str) -> String {
        let origin = self.profile().setting(key).map(|setting| &setting.origin);
        if let Some(Origin::Variable(name)) = origin {
            return format!("echo \"{name} has to be {value}\"\n");
        }
        match &self.profile().chosen_by {
            Some(flag) => format!("trustline profile set {flag} \"{}={value}\"\n", key.path()),
            None => format!(
                "{}trustline profile set --profile \"$PROFILE\" \"{}={value}\"\n",
                variable("PROFILE", None, "the name of the profile"),
                key.path()
            ),
        }
    }

    /// Puts a key of the profile back; the empty value takes it out.
    pub(super) fn restore(&self, key: Key, before: Option<&str>) -> Option<String> {
        profile_set(self.profile(), &[(key, before.unwrap_or_default().to_owned())]).command
    }
}

/// Sixty-four hexadecimal digits that only this text has: for names that must be the same again.
pub(super) fn digest(text: &str) -> String {
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, text.as_bytes());
    digest.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}
