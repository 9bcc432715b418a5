//! Directory and application: which ones the profile means, and what the application lacks.

use super::names::{Names, WORK};
use crate::cause::{Actor, Finding, Fix};
use crate::check::facts::azure::SubscriptionSeen;
use crate::domain::ids::CheckId;
use crate::domain::national_cloud;
use crate::domain::profile::SecretSource;
use crate::domain::profile::key::Key;
use crate::remedy::profile_set;
use crate::remedy::variable;

/// The directory: the one that the vault or its subscription belongs to, where it was told.
pub(super) fn tenant(finding: &Finding, names: &Names<'_>) -> Vec<Fix> {
    let azure = &names.profile().azure;
    let own = azure.tenant_id.as_deref();
    let of_subscription = names.context.facts.azure.subscription.as_ref().and_then(|fact| fact.call.granted());
    let of_subscription = of_subscription.and_then(|seen| match seen {
        SubscriptionSeen::Of { tenant } => Some(tenant.as_str()),
        SubscriptionSeen::Nowhere => None,
    });
    let is_granted = names.context.facts.azure.has_access();
    if finding.check == CheckId::AzureSubscription && (is_granted || of_subscription.is_none()) {
        return vec![subscription(names)];
    }
    // The application has its token from the subscription's directory: it is the vault that kept another.
    if finding.check != CheckId::AzureExchange && of_subscription.is_some() && of_subscription == own {
        return vec![vault_of_former_directory(names)];
    }
    let of_vault = names.context.facts.azure.list.as_ref().and_then(|fact| fact.challenge.as_ref()?.tenant.as_deref());
    match of_vault.or(of_subscription).filter(|known| Some(*known) != own) {
        Some(known) => vec![profile_set(names.profile(), &[(Key::TenantId, known.to_owned())])],
        None => vec![signed_in_directory(names)],
    }
}

/// Azure leaves a vault's directory as it was when its subscription moves to another
/// (<https://learn.microsoft.com/azure/key-vault/general/move-subscription>).
fn vault_of_former_directory(names: &Names<'_>) -> Fix {
    let challenge = names.context.facts.azure.list.as_ref().and_then(|fact| fact.challenge.as_ref());
    let former = challenge.and_then(|challenge| challenge.tenant.as_deref());
    let own = names.profile().azure.tenant_id.as_deref();
    let subscription = names.subscription();
    let set = |from: Option<&str>, to: Option<&str>| {
        let mut script = names.head() + &names.vault_name();
        script += &variable("FROM", from, "the directory that the vault belongs to now");
        script += &variable("TO", to, "the directory that it is to belong to");
        script += &format!(
            "now=$(az keyvault show --name \"$VAULT_NAME\"{subscription} --query properties.tenantId --output tsv)\n[ \"$now\" = \"$FROM\" ] || stop \"the vault belongs to the directory $now, not to the one that this was made for; nothing was changed\"\naz keyvault update --name \"$VAULT_NAME\"{subscription} --set \"properties.tenantId=$TO\" --output none\n"
        );
        script
    };
    Fix {
        text: "Give the vault the directory of its subscription: it kept the former one when the subscription was \
               moved. Access policies of the former directory name nobody of this one; roles are assigned anew."
            .to_owned(),
        command: Some(set(former, own)),
        undo: Some(set(own, former)),
        verify: Some(names.check_after(60)),
        ..Fix::default()
    }
}

/// The subscription that the vault is in, as the directory's own command line sees it.
fn subscription(names: &Names<'_>) -> Fix {
    let mut command = names.head() + &names.vault_name();
    command += "id=$(az keyvault show --name \"$VAULT_NAME\" --query id --output tsv) ||\n  stop \"the subscription that the Azure CLI stands in has no vault called $VAULT_NAME; nothing was changed: az account set --subscription, to the one that has it\"\n";
    command += "id=${id#/subscriptions/}\n";
    command += &names.set(Key::SubscriptionId, "${id%%/*}");
    Fix {
        text: "Set the profile's subscription to the one that the vault is in.".to_owned(),
        command: Some(command),
        undo: names.restore(Key::SubscriptionId, names.profile().azure.subscription_id.as_deref()),
        verify: Some(names.check()),
        ..Fix::default()
    }
}

/// The directory that the command line is signed in to, if the application is in it.
fn signed_in_directory(names: &Names<'_>) -> Fix {
    let mut command = names.head() + &names.client_id();
    command += "az ad app show --id \"$CLIENT_ID\" --output none ||\n  stop 'the directory that the Azure CLI is signed in to does not have this application; nothing was changed: az login --tenant, to the one that has it'\n";
    command += "TENANT_ID=$(az account show --query tenantId --output tsv)\n";
    command += &names.set(Key::TenantId, "$TENANT_ID");
    Fix {
        text: "Set the profile's directory to the one that the application is registered in, which is where the Azure \
               CLI has to be signed in."
            .to_owned(),
        command: Some(command),
        undo: names.restore(Key::TenantId, names.profile().azure.tenant_id.as_deref()),
        verify: Some(names.check()),
        ..Fix::default()
    }
}

/// An object id in place of the application's own: the directory knows which application has it. Of another id, the
/// application is the one whose federated credential is for the token's issuer and subject.
pub(super) fn client(names: &Names<'_>) -> Vec<Fix> {
    let claims = names.context.facts.claims();
    let claim = |name: &str| claims.and_then(|claims| claims.get(name)?.as_str());
    let mut command = names.head() + &names.client_id();
    command += "found=$(az ad sp show --id \"$CLIENT_ID\" --query appId --output tsv 2>/dev/null) ||\n  found=$(az ad app show --id \"$CLIENT_ID\" --query appId --output tsv 2>/dev/null) || found=\n";
    if let (Some(issuer), Some(subject)) = (claim("iss"), claim("sub")) {
        command += &variable("ISSUER", Some(issuer), "");
        command += &variable("SUBJECT", Some(subject), "");
        command += include_str!("../../../assets/remedy/azure/find-application.sh");
    }
    command += "[ -n \"$found\" ] || stop 'no application of this directory has this id, as client id or object id, and none of yours trusts the token; nothing was changed. Of an application of another directory, az ad sp create --id makes the service principal here'\n";
    command += "[ \"$found\" != \"$CLIENT_ID\" ] || stop 'this directory has the application under this client id, so the directory of the profile is another (azure.tenant-id), or the application is minutes old; nothing was changed'\n";
    command += &names.set(Key::ClientId, "$found");
    vec![Fix {
        text:
            "Set the profile to the application (client) ID: of the application that has the id as its object id, or \
               else of the one among yours whose federated credential is for the token's issuer and subject."
                .to_owned(),
        command: Some(command),
        undo: names.restore(Key::ClientId, names.profile().azure.client_id.as_deref()),
        verify: Some(names.check()),
        ..Fix::default()
    }]
}

/// The authority of the cloud that the other settings are of.
pub(super) fn cloud(finding: &Finding, names: &Names<'_>) -> Vec<Fix> {
    let meant = finding.expected.as_deref().and_then(national_cloud::of_authority);
    let Some(meant) = meant.or_else(|| names.profile().azure.vault_url.as_deref().and_then(national_cloud::of_vault))
    else {
        return Vec::new();
    };
    vec![profile_set(names.profile(), &[(Key::AuthorityHost, format!("https://{}", meant.authority))])]
}

pub(super) fn service_principal(names: &Names<'_>) -> Vec<Fix> {
    let start = names.head() + &names.client_id();
    vec![Fix {
        text: "Make the application's service principal: `az ad app create` makes none, and the portal does."
            .to_owned(),
        command: Some(format!("{start}az ad sp create --id \"$CLIENT_ID\" --output none\n")),
        undo: Some(format!("{start}az ad sp delete --id \"$CLIENT_ID\"\n")),
        verify: Some(names.check_after(120)),
        ..Fix::default()
    }]
}

/// Tokens of a federation are taken for applications of one directory.
pub(super) fn audience(names: &Names<'_>) -> Vec<Fix> {
    const SINGLE: &str = "AzureADMyOrg";
    const MULTIPLE: &str = "AzureADMultipleOrgs";
    let set = |from: &str, to: &str| {
        let mut script = names.head() + &names.client_id();
        script += &format!(
            "now=$(az ad app show --id \"$CLIENT_ID\" --query signInAudience --output tsv)\n[ \"$now\" = {from} ] || stop \"the application is for $now, not for {from}; nothing was changed\"\naz ad app update --id \"$CLIENT_ID\" --sign-in-audience {to}\n"
        );
        script
    };
    vec![Fix {
        text: "Limit the application to accounts of its own directory. Users of other directories can then no longer \
               sign in to it; where they must, register another application for the workload."
            .to_owned(),
        command: Some(set(MULTIPLE, SINGLE)),
        undo: Some(set(SINGLE, MULTIPLE)),
        verify: Some(names.check_after(120)),
        ..Fix::default()
    }]
}

/// A new client secret, beside those that are there, straight into a private file.
pub(super) fn client_secret(names: &Names<'_>) -> Vec<Fix> {
    // Its name lets the way back find it among the others.
    let label = format!("trustline-{}", names.context.facts.now);
    let mut start = names.head() + &names.client_id() + &variable("LABEL", Some(&label), "");
    let (file, then) = match &names.profile().azure.client_secret {
        Some(SecretSource::Env(name)) => (
            "client-secret".to_owned(),
            format!("echo 'the new client secret is in the file client-secret: set {name} from it' >&2\n"),
        ),
        Some(SecretSource::File(path)) => (path.to_string_lossy().into_owned(), String::new()),
        None => ("client-secret".to_owned(), names.set(Key::ClientSecretFile, "$PWD/client-secret")),
    };
    start += &variable("SECRET_FILE", Some(&file), "");
    let mut command = start.clone();
    command += "[ ! -e \"$SECRET_FILE\" ] || [ ! -e \"$SECRET_FILE.before\" ] || stop \"$SECRET_FILE.before holds an older secret: move it away first; nothing was made\"\n";
    command += "umask 077\n";
    command += "az ad app credential reset --id \"$CLIENT_ID\" --append --display-name \"$LABEL\" --query password --output tsv --only-show-errors >\"$SECRET_FILE.new\"\n";
    command += "[ -s \"$SECRET_FILE.new\" ] || stop 'the Azure CLI printed no client secret; nothing was replaced'\n";
    command += "[ ! -e \"$SECRET_FILE\" ] || mv \"$SECRET_FILE\" \"$SECRET_FILE.before\"\n";
    command += "mv \"$SECRET_FILE.new\" \"$SECRET_FILE\"\n";
    command += &then;
    let mut undo = start;
    undo += WORK;
    undo += "az ad app credential list --id \"$CLIENT_ID\" --query \"[?displayName=='$LABEL'].keyId\" --output tsv >\"$work/keys\"\n";
    undo += "[ -s \"$work/keys\" ] || stop 'the application has no client secret of this fix; nothing was changed'\n";
    undo += "while read -r key; do az ad app credential delete --id \"$CLIENT_ID\" --key-id \"$key\" </dev/null; done <\"$work/keys\"\n";
    undo += "[ ! -e \"$SECRET_FILE.before\" ] || mv \"$SECRET_FILE.before\" \"$SECRET_FILE\"\n";
    vec![Fix {
        text: "Make a new client secret. It is not shown: it goes to the profile's file, and the former one is kept \
               beside it (`.before`). The application's other secrets stay in force. The platform needs the new one too."
            .to_owned(),
        command: Some(command),
        undo: Some(undo),
        verify: Some(names.check_after(120)),
        ..Fix::default()
    }]
}

/// The access token is for the vaults of the cloud, whose name is the same for all of them.
pub(super) fn scope(names: &Names<'_>) -> Vec<Fix> {
    let scope = format!("{}/.default", names.cloud().vault_resource);
    vec![profile_set(names.profile(), &[(Key::AzureScope, scope)])]
}

pub(super) fn conditional_access(names: &Names<'_>) -> Vec<Fix> {
    let (client, tenant) = whose(names);
    vec![Fix {
        text: format!(
            "Only an administrator of the directory {tenant} can decide this. Send them: \"A Conditional Access policy \
             blocks the workload identity of the application {client} (AADSTS53003). Its token was accepted; the \
             policy is about where or how it signs in. Please look at its entry under Entra, Sign-in logs, Service \
             principal sign-ins, which names the policy, and let this service principal in from the platform's \
             addresses, or leave it out of the policy.\""
        ),
        actor: Actor::You,
        ..Fix::default()
    }]
}

pub(super) fn tenant_policy(names: &Names<'_>) -> Vec<Fix> {
    let (client, tenant) = whose(names);
    let issuer = names.profile().issuer_url.as_deref().unwrap_or("the issuer of the workload's tokens");
    vec![Fix {
        text: format!(
            "Only an administrator of the directory {tenant} can decide this. Send them: \"A policy of the directory \
             limits which issuers may federate with applications, and {issuer} is not among them, so the application \
             {client} gets no token. Please add it to the allowed issuers of the app management policy, for this \
             application alone if that is enough.\""
        ),
        actor: Actor::You,
        ..Fix::default()
    }]
}

fn whose<'a>(names: &Names<'a>) -> (&'a str, &'a str) {
    let azure = &names.profile().azure;
    (azure.client_id.as_deref().unwrap_or("of the profile"), azure.tenant_id.as_deref().unwrap_or("of the profile"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cause::{Cause, Certainty};
    use crate::remedy::azure::tests::Case;

    fn fix(case: &Case, cause: Cause) -> Fix {
        let finding = Finding::new(cause, CheckId::AzureExchange, Certainty::Proven, "x");
        crate::remedy::azure::fixes(&finding, case.context()).remove(0)
    }

    #[test]
    fn a_client_secret_never_reaches_the_screen_or_an_argument() {
        let mut case = Case::bare();
        case.profile.azure.client_secret = Some(SecretSource::File("/home/me/it's secret".into()));
        let command = fix(&case, Cause::ClientSecretExpired).command.unwrap();
        let reset = command.lines().find(|line| line.contains("credential reset")).unwrap();
        assert!(reset.contains("--append") && reset.ends_with(">\"$SECRET_FILE.new\""), "{reset}");
        assert!(command.find("umask 077") < command.find("credential reset"));
        assert!(!command.contains("$(az ad app credential"), "{command}");
    }

    #[test]
    fn another_cloud_is_looked_at_before_anything_is_changed() {
        let mut case = Case::bare();
        case.profile.azure.vault_url = Some("https://crewai.vault.usgovcloudapi.net".into());
        let command = fix(&case, Cause::SpMissing).command.unwrap();
        assert!(command.find("AzureUSGovernment").unwrap() < command.find("az ad sp create").unwrap());
        let scope = fix(&case, Cause::WrongScope).command.unwrap();
        assert!(scope.contains("azure.scope=https://vault.usgovcloudapi.net/.default"), "{scope}");
    }

    #[test]
    fn what_an_administrator_decides_is_a_message_with_its_values() {
        for cause in [Cause::ConditionalAccess, Cause::TenantPolicy] {
            let fix = fix(&Case::bare(), cause);
            assert_eq!(fix.command, None);
            assert!(fix.text.contains("11111111-aaaa-4bbb-8ccc-222222222222"), "{}", fix.text);
            assert!(fix.text.contains("4c1a2b3d-5e6f-4708-91a2-b3c4d5e6f708"), "{}", fix.text);
        }
    }
}
