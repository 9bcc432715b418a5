//! The Azure side as commands of its CLI.

use serde_json::{Value as Json, json};

use super::super::form::shell::{Command, Script, Word};
use super::super::values::TemplateContext;
use super::aws;
use super::aws::with_value;
use crate::check::facts::operator_azure::permission::{OPERATOR_ACTIONS, READ_APPLICATIONS, READ_SIGN_INS};
use crate::domain::guide::{Flow, Workload};
use crate::domain::national_cloud::PUBLIC;
use crate::domain::profile::key::Key;

const CREDENTIAL_FILE: &str = "federated-credential.json";
/// Reads secrets' values and lists their names (<https://learn.microsoft.com/azure/key-vault/general/rbac-guide>).
pub(super) const VAULT_ROLE: &str = "Key Vault Secrets User";

/// A script that begins in the profile's national cloud.
fn in_cloud(filling: &TemplateContext<'_>) -> Script {
    let cloud = filling.azure_cloud();
    if cloud == PUBLIC {
        return Script::default();
    }
    Script::default()
        .comment(format!("The {} cloud has directories of its own; sign in again after the switch.", cloud.name))
        .run(Command::new(&["az", "cloud", "set"]).option("--name", cloud.cli_name))
}

fn new_app(filling: &TemplateContext<'_>) -> Command {
    Command::new(&["az", "ad", "app", "create"])
        .option("--display-name", filling.names().reader)
        .option("--sign-in-audience", "AzureADMyOrg")
        .option("--query", "appId")
        .option("--output", "tsv")
}

pub(super) fn app_create(filling: &mut TemplateContext<'_>) -> Script {
    filling.note("what it prints is the application (client) ID; keep it as azure.client-id");
    in_cloud(filling).run(new_app(filling))
}

/// Notes that the CLI must be in the profile's cloud, for commands that do not begin by going there.
fn note_cloud(filling: &mut TemplateContext<'_>) {
    let cloud = filling.azure_cloud();
    if cloud != PUBLIC {
        filling.note(format!("for the {} cloud, `az cloud set --name {}` comes first", cloud.name, cloud.cli_name));
    }
}

fn client(filling: &mut TemplateContext<'_>) -> Word {
    note_cloud(filling);
    filling.value(Key::ClientId).into()
}

pub(super) fn sp_create(filling: &mut TemplateContext<'_>) -> Script {
    let client = client(filling);
    new_principal(client)
}

fn new_principal(client: Word) -> Script {
    Script::default()
        .comment(
            "Without a service principal Entra refuses the exchange (AADSTS7000229); the portal makes one by itself.",
        )
        .run(Command::new(&["az", "ad", "sp", "create"]).option("--id", client))
}

/// The whole of the cloud's side. An app that the profile names exists, and gets no twin.
pub(super) fn commands(filling: &mut TemplateContext<'_>) -> Script {
    let (begin, client) = match filling.known(Key::ClientId) {
        Some(id) => {
            let told =
                "azure.client-id names the app registration: it exists, with its service principal, and is used.";
            (in_cloud(filling).comment(told), Word::from(id))
        }
        None => {
            let client = Word::Variable("CLIENT_ID");
            let begin = in_cloud(filling).assign("CLIENT_ID", new_app(filling));
            (begin.then(new_principal(client.clone())), client)
        }
    };
    let scope = vault_id(filling);
    if filling.guide().flow() == Flow::AccessKey {
        let begin = begin.then(new_secret(filling, client.clone()));
        return begin.then(assign(client, scope)).then(keyvault_secret_set(filling));
    }
    begin.then(new_credential(filling, client.clone())).then(assign(client, scope)).then(keyvault_secret_set(filling))
}

pub(super) fn client_secret_create(filling: &mut TemplateContext<'_>) -> Script {
    let client = client(filling);
    new_secret(filling, client)
}

/// Beside the secrets that are there: without `--append` those would be gone.
fn new_secret(filling: &TemplateContext<'_>, client: Word) -> Script {
    let create = Command::new(&["az", "ad", "app", "credential", "reset", "--append", "--only-show-errors"])
        .option("--id", client)
        .option("--display-name", filling.names().reader)
        .option("--query", "password")
        .option("--output", "tsv")
        .into_file("client-secret");
    Script::default()
        .comment("The value is shown once. It goes to a private file; remove that when the platform has it.")
        .fixed("umask 077")
        .run(create)
}

pub(super) fn federated_credential_create(filling: &mut TemplateContext<'_>) -> Script {
    let client = client(filling);
    new_credential(filling, client)
}

fn new_credential(filling: &mut TemplateContext<'_>, client: Word) -> Script {
    let credential = format!("{:#}\n", aws::federated_credential(filling));
    let create = Command::new(&["az", "ad", "app", "federated-credential", "create"])
        .option("--id", client)
        .option("--parameters", CREDENTIAL_FILE);
    Script::default().file(CREDENTIAL_FILE, credential).run(create)
}

fn vault(filling: &mut TemplateContext<'_>, action: &str) -> Command {
    note_cloud(filling);
    Command::new(&["az", "keyvault", action])
        .option("--name", filling.vault_name())
        .maybe("--subscription", filling.known(Key::SubscriptionId))
}

pub(super) fn vault_rbac(filling: &mut TemplateContext<'_>) -> Script {
    let show = vault(filling, "show").option("--query", "properties.enableRbacAuthorization").option("--output", "tsv");
    let update = vault(filling, "update").option("--enable-rbac-authorization", "true");
    Script::default()
        .comment("`true`: role assignments count. Otherwise the vault goes by access policies, and role assignments do nothing.")
        .run(show)
        .comment("Switching takes every access policy out of force at once: whoever reads by one needs a role first.")
        .comment(update.to_string())
}

/// The vault's resource id. IAM takes no data-plane address (`https://….vault.azure.net/secrets/…`) as a scope.
fn vault_id(filling: &mut TemplateContext<'_>) -> Word {
    match (filling.known(Key::SubscriptionId), filling.known(Key::ResourceGroup)) {
        (Some(subscription), Some(group)) => format!(
            "/subscriptions/{subscription}/resourceGroups/{group}/providers/Microsoft.KeyVault/vaults/{}",
            filling.vault_name()
        )
        .into(),
        _ => vault(filling, "show").option("--query", "id").option("--output", "tsv").into(),
    }
}

fn assign(client: Word, scope: Word) -> Script {
    // The service principal's object id: the app's own would be taken and never match.
    let principal = Command::new(&["az", "ad", "sp", "show"])
        .option("--id", client)
        .option("--query", "id")
        .option("--output", "tsv");
    let create = Command::new(&["az", "role", "assignment", "create"])
        .option("--assignee-object-id", principal)
        .option("--assignee-principal-type", "ServicePrincipal")
        .option("--role", VAULT_ROLE)
        .option("--scope", scope);
    Script::default().run(create)
}

pub(super) fn role_assignment_vault(filling: &mut TemplateContext<'_>) -> Script {
    let (client, scope) = (client(filling), vault_id(filling));
    assign(client, scope)
}

pub(super) fn role_assignment_secret(filling: &mut TemplateContext<'_>) -> Script {
    if filling.guide().workload() == Workload::Platform {
        filling.note("with the role on one secret the vault cannot be listed: names have to be typed on the platform");
    }
    let name = filling.vault_secret();
    let scope = match vault_id(filling) {
        Word::Text(id) => Word::Text(format!("{id}/secrets/{name}")),
        id => Word::Joined(vec![id, format!("/secrets/{name}").into()]),
    };
    let client = client(filling);
    assign(client, scope)
}

pub(super) fn keyvault_secret_set(filling: &mut TemplateContext<'_>) -> Script {
    note_cloud(filling);
    let set = Command::new(&["az", "keyvault", "secret", "set"])
        .option("--vault-name", filling.vault_name())
        .maybe("--subscription", filling.known(Key::SubscriptionId))
        .option("--name", filling.vault_secret())
        .option("--file", Word::Joined(vec![Word::Variable("work"), "/value".into()]))
        .option("--encoding", "utf-8")
        // Its answer would hold the value.
        .option("--output", "none");
    with_value(filling.json_key(), set)
}

/// A custom role, as `az role definition create --role-definition` takes it: what `check --operator` reads, and no more.
pub(super) fn operator_role(filling: &mut TemplateContext<'_>) -> Json {
    filling.note(
        "create it with `az role definition create --role-definition @FILE`, and assign it on the subscription or on the \
         vault's resource group",
    );
    filling.note(format!(
        "in Microsoft Graph the operator needs the permission {READ_APPLICATIONS} beside it, and {READ_SIGN_INS} for `events`"
    ));
    json!({
        "Name": "trustline operator",
        "IsCustom": true,
        "Description": format!("What `trustline check --operator` reads; beside it Microsoft Graph's {READ_APPLICATIONS}"),
        "Actions": OPERATOR_ACTIONS,
        "NotActions": [],
        "DataActions": [],
        "NotDataActions": [],
        "AssignableScopes": [format!("/subscriptions/{}", filling.value(Key::SubscriptionId))],
    })
}
