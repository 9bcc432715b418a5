//! The Google side as commands of gcloud, as Terraform, and the credential file that Google's libraries read.

use serde_json::{Value as Json, json};

use super::super::form::hcl::{Block, Expr};
use super::super::form::shell::{Command, Script, Word};
use super::super::values::TemplateContext;
use super::aws::with_value;
use crate::check::facts::operator_google::permission::OF_OPERATOR;
use crate::domain::guide::{Flow, Workload};
use crate::domain::pool_name::ProviderName;
use crate::domain::profile::key::Key;

/// Where the manifest of a pod mounts its projected token.
pub(super) const POD_TOKEN_FILE: &str = "/var/run/secrets/tokens/token";
/// Lists the secrets and shows their settings; it can be granted on a project alone.
pub(super) const VIEWER: &str = "roles/secretmanager.viewer";
/// Reads values, and lists nothing.
pub(super) const ACCESSOR: &str = "roles/secretmanager.secretAccessor";
/// Lets a federated identity take a service account's place.
const IMPERSONATOR: &str = "roles/iam.workloadIdentityUser";
/// The services of a project that the exchange and the reads go to.
const SERVICES: [&str; 4] =
    ["iam.googleapis.com", "sts.googleapis.com", "iamcredentials.googleapis.com", "secretmanager.googleapis.com"];
/// The same where a key signs.
const SERVICES_OF_KEY: [&str; 2] = ["iam.googleapis.com", "secretmanager.googleapis.com"];
/// Where a new key goes.
const KEY_FILE: &str = "service-account-key.json";

/// Whose tokens are let in: what is mapped, the condition, and the member of bindings.
struct Admitted {
    mapping: Vec<(&'static str, &'static str)>,
    condition: String,
    member: String,
}

/// The provider's name, with placeholders where the profile lacks it.
fn provider(filling: &mut TemplateContext<'_>) -> ProviderName {
    let named = filling.known(Key::GcpProvider).and_then(ProviderName::parse);
    named.unwrap_or_else(|| {
        filling.note(format!(
            "gcp.provider holds the project's number: gcloud projects describe {} --format='value(projectNumber)'",
            filling.known(Key::GcpProject).unwrap_or("PROJECT")
        ));
        let missing = filling.value(Key::GcpProvider);
        let placeholder = "<project-number>".to_owned();
        let project = if missing.starts_with('<') { placeholder } else { missing };
        let names = filling.names();
        ProviderName { project, pool: names.pool.to_owned(), provider: names.provider.to_owned() }
    })
}

/// Text of a condition's literal.
fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\\', "\\\\").replace('\'', "\\'"))
}

/// The platform's organization by its id; of another issuer the subject that the profile names.
fn admitted(filling: &mut TemplateContext<'_>) -> Admitted {
    let subject = filling.subject();
    let pool = provider(filling).pool_name();
    let organization = subject.text.strip_prefix("organization:").filter(|rest| !rest.contains(':'));
    if let Some(organization) = organization {
        return Admitted {
            mapping: vec![("google.subject", "assertion.sub"), ("attribute.organization", "assertion.organization_id")],
            condition: format!("assertion.organization_id == {}", literal(organization)),
            member: format!("principalSet://iam.googleapis.com/{pool}/attribute.organization/{organization}"),
        };
    }
    let mapping = vec![("google.subject", "assertion.sub")];
    match subject.text.strip_suffix('*') {
        // The condition decides; a member names no pattern.
        Some(beginning) if subject.pattern => Admitted {
            mapping,
            condition: format!("assertion.sub.startsWith({})", literal(beginning)),
            member: format!("principalSet://iam.googleapis.com/{pool}/*"),
        },
        _ => Admitted {
            mapping,
            condition: format!("assertion.sub == {}", literal(&subject.text)),
            member: format!("principal://iam.googleapis.com/{pool}/subject/{}", subject.text),
        },
    }
}

fn gcloud(words: &[&str]) -> Command {
    Command::new(&[&["gcloud"], words].concat())
}

fn project(filling: &mut TemplateContext<'_>) -> String {
    filling.value(Key::GcpProject)
}

fn has_key(filling: &TemplateContext<'_>) -> bool {
    filling.guide().flow() == Flow::AccessKey
}

pub(super) fn enable_services(filling: &mut TemplateContext<'_>) -> Script {
    let services = if has_key(filling) { &SERVICES_OF_KEY[..] } else { &SERVICES[..] };
    let enable = gcloud(&[&["services", "enable"], services].concat()).option("--project", project(filling));
    Script::default().run(enable)
}

pub(super) fn pool_create(filling: &mut TemplateContext<'_>) -> Script {
    let pool = provider(filling).pool;
    let create = gcloud(&["iam", "workload-identity-pools", "create", &pool])
        .option("--location", "global")
        .option("--project", pool_project(filling));
    Script::default().run(create)
}

/// The project of the pool by its id: gcloud takes no number for a project, which is what a provider's name has.
fn pool_project(filling: &mut TemplateContext<'_>) -> String {
    match filling.known(Key::GcpProvider).and_then(ProviderName::parse) {
        Some(name) if !name.has_number() => name.project,
        _ => {
            filling.note("where the pool is in another project than the secrets, its commands take that project's id");
            project(filling)
        }
    }
}

pub(super) fn on_provider(filling: &mut TemplateContext<'_>, action: &str) -> Command {
    let name = provider(filling);
    gcloud(&["iam", "workload-identity-pools", "providers", action, &name.provider])
        .option("--workload-identity-pool", name.pool)
        .option("--location", "global")
        .option("--project", pool_project(filling))
}

/// With the options that say what the provider accepts.
fn with_rules(filling: &mut TemplateContext<'_>, command: Command) -> Command {
    let admitted = admitted(filling);
    let mapping: Vec<String> = admitted.mapping.iter().map(|(name, from)| format!("{name}={from}")).collect();
    command
        .option("--issuer-uri", filling.issuer())
        .maybe("--allowed-audiences", filling.known(Key::GcpAudience))
        .option("--attribute-mapping", mapping.join(","))
        .option("--attribute-condition", admitted.condition)
}

pub(super) fn provider_create(filling: &mut TemplateContext<'_>) -> Script {
    let command = on_provider(filling, "create-oidc");
    Script::default().run(with_rules(filling, command))
}

pub(super) fn provider_update(filling: &mut TemplateContext<'_>) -> Script {
    let command = on_provider(filling, "update-oidc");
    Script::default().run(with_rules(filling, command))
}

pub(super) fn provider_describe(filling: &mut TemplateContext<'_>) -> Script {
    filling.note("keep the answer as a file, and name it as gcp.provider-file: it is evaluated without a call");
    Script::default().run(on_provider(filling, "describe").option("--format", "json"))
}

/// Who reads: the federated identity itself, or the service account that it impersonates.
fn reader(filling: &mut TemplateContext<'_>) -> String {
    match filling.known(Key::GcpServiceAccount) {
        Some(account) => format!("serviceAccount:{account}"),
        None if has_key(filling) => format!("serviceAccount:{}", account(filling)),
        None => admitted(filling).member,
    }
}

/// The address of the service account; without one in the profile, that of the name that the guide suggests.
fn account(filling: &mut TemplateContext<'_>) -> String {
    match filling.known(Key::GcpServiceAccount) {
        Some(account) => account.to_owned(),
        None => format!("{}@{}.iam.gserviceaccount.com", filling.names().reader, project(filling)),
    }
}

pub(super) fn service_account_create(filling: &mut TemplateContext<'_>) -> Script {
    let account = account(filling);
    let name = account.split('@').next().unwrap_or_default().to_owned();
    let create = gcloud(&["iam", "service-accounts", "create", &name])
        .option("--display-name", "Reads the platform's secrets")
        .option("--project", project(filling));
    Script::default().run(create)
}

pub(super) fn service_account_key_create(filling: &mut TemplateContext<'_>) -> Script {
    filling.note("keep the file's path as gcp.key-file for the checks");
    let create = gcloud(&["iam", "service-accounts", "keys", "create", KEY_FILE])
        .option("--iam-account", account(filling))
        .option("--project", project(filling));
    Script::default()
        .comment("The key is handed out once. It goes to a private file; remove that when the platform has it.")
        .fixed("umask 077")
        .run(create)
}

fn bind(filling: &mut TemplateContext<'_>, command: Command, role: &str) -> Command {
    let member = reader(filling);
    command.option("--role", role).option("--member", member).option("--condition", "None")
}

pub(super) fn grant_viewer(filling: &mut TemplateContext<'_>) -> Script {
    let command = gcloud(&["projects", "add-iam-policy-binding", &project(filling)]);
    Script::default()
        .comment("Listing is granted on the project alone: no binding of one secret lets anybody list.")
        .run(bind(filling, command, VIEWER))
}

pub(super) fn grant_accessor(filling: &mut TemplateContext<'_>) -> Script {
    let command = gcloud(&["projects", "add-iam-policy-binding", &project(filling)]);
    Script::default().run(bind(filling, command, ACCESSOR))
}

fn on_secret(filling: &mut TemplateContext<'_>, words: &[&str]) -> Command {
    let name = filling.secret_name();
    gcloud(&[&["secrets"], words, &[&name]].concat())
        .option("--project", project(filling))
        .maybe("--location", filling.known(Key::GcpLocation))
}

pub(super) fn grant_accessor_secret(filling: &mut TemplateContext<'_>) -> Script {
    if filling.guide().workload() == Workload::Platform {
        filling
            .note("with the role on one secret the secrets cannot be listed: names have to be typed on the platform");
    }
    let (name, member) = (filling.secret_name(), reader(filling));
    let command = gcloud(&["secrets", "add-iam-policy-binding", &name])
        .option("--project", project(filling))
        .maybe("--location", filling.known(Key::GcpLocation))
        .option("--role", ACCESSOR)
        .option("--member", member);
    Script::default().run(command)
}

pub(super) fn grant_impersonation(filling: &mut TemplateContext<'_>) -> Script {
    let (account, member) = (filling.value(Key::GcpServiceAccount), admitted(filling).member);
    let command = gcloud(&["iam", "service-accounts", "add-iam-policy-binding", &account])
        .option("--project", project(filling))
        .option("--role", IMPERSONATOR)
        .option("--member", member);
    Script::default().run(command)
}

pub(super) fn secret_create(filling: &mut TemplateContext<'_>) -> Script {
    let create = on_secret(filling, &["create"]).option("--data-file", value_file());
    let create = match filling.known(Key::GcpLocation) {
        Some(_) => create,
        None => create.option("--replication-policy", "automatic"),
    };
    with_value(filling.json_key(), create)
}

pub(super) fn version_add(filling: &mut TemplateContext<'_>) -> Script {
    let name = filling.secret_name();
    let add = gcloud(&["secrets", "versions", "add", &name])
        .option("--project", project(filling))
        .maybe("--location", filling.known(Key::GcpLocation))
        .option("--data-file", value_file());
    with_value(filling.json_key(), add)
}

fn value_file() -> Word {
    Word::Joined(vec![Word::Variable("work"), "/value".into()])
}

/// Where the token is: in a pod where the manifest mounts it.
fn token_file(filling: &mut TemplateContext<'_>) -> String {
    match filling.known(Key::TokenFile) {
        None if filling.guide().workload() == Workload::Kubernetes => POD_TOKEN_FILE.to_owned(),
        _ => filling.value(Key::TokenFile),
    }
}

/// The `external_account` file that Google's libraries find by `GOOGLE_APPLICATION_CREDENTIALS`.
pub(super) fn credential_file(filling: &mut TemplateContext<'_>) -> Json {
    let name = provider(filling);
    let universe = filling.known(Key::UniverseDomain).unwrap_or("googleapis.com");
    let mut file = json!({
        "type": "external_account",
        "audience": format!("//iam.{universe}/{name}"),
        "subject_token_type": "urn:ietf:params:oauth:token-type:jwt",
        "token_url": format!("https://sts.{universe}/v1/token"),
        "universe_domain": universe,
        // Without its format some libraries take the file for JSON.
        "credential_source": { "file": token_file(filling), "format": { "type": "text" } },
    });
    if let Some(account) = filling.known(Key::GcpServiceAccount) {
        let address = "v1/projects/-/serviceAccounts";
        file["service_account_impersonation_url"] =
            format!("https://iamcredentials.{universe}/{address}/{account}:generateAccessToken").into();
    }
    file
}

/// A custom role, as `gcloud iam roles create --file` takes it: what `check --operator` reads, and no more.
pub(super) fn operator_role(filling: &mut TemplateContext<'_>) -> Json {
    filling.note(format!(
        "create it with `gcloud iam roles create trustlineOperator --project {} --file FILE`, and grant it on that project; \
         where the pool is in another one, there too",
        filling.known(Key::GcpProject).unwrap_or("PROJECT")
    ));
    filling.note(
        "a role of a project does not reach above it: for the policies of its folders and of the organization, and for deny \
         policies, roles/browser, roles/iam.securityReviewer and roles/iam.denyReviewer are granted on the organization; \
         without them the check says what it could not read"
            .to_owned(),
    );
    json!({
        "title": "trustline operator",
        "description": "What `trustline check --operator` and `trustline events --operator` read",
        "stage": "GA",
        "includedPermissions": OF_OPERATOR,
    })
}

/// The whole of the cloud's side.
pub(super) fn commands(filling: &mut TemplateContext<'_>) -> Script {
    if has_key(filling) {
        return enable_services(filling)
            .then(service_account_create(filling))
            .then(service_account_key_create(filling))
            .then(grant_viewer(filling))
            .then(secret_create(filling))
            .then(grant_accessor_secret(filling));
    }
    let script = enable_services(filling).then(pool_create(filling)).then(provider_create(filling));
    let script = match filling.known(Key::GcpServiceAccount) {
        Some(_) => script.then(grant_impersonation(filling)),
        None => script,
    };
    script.then(grant_viewer(filling)).then(secret_create(filling)).then(grant_accessor_secret(filling))
}

pub(super) fn blocks(filling: &mut TemplateContext<'_>) -> Vec<Block> {
    let provider = Block::new("provider", &["google"]).with("project", project(filling));
    if has_key(filling) {
        let account = account(filling);
        let name = account.split('@').next().unwrap_or_default();
        let made = Block::new("resource", &["google_service_account", "reader"])
            .because("Its key is made with gcloud: Terraform's state would keep it readable.")
            .with("project", project(filling))
            .with("account_id", name);
        return [vec![provider, made], grants(filling, &Expr::Reference("google_service_account.reader.member"))]
            .concat();
    }
    [vec![provider], pool_blocks(filling)].concat()
}

/// Who reads may list the project's secrets, and read the one.
fn grants(filling: &mut TemplateContext<'_>, member: &Expr) -> Vec<Block> {
    vec![
        Block::new("resource", &["google_project_iam_member", "viewer"])
            .because("Listing is granted on the project alone.")
            .with("project", project(filling))
            .with("role", VIEWER)
            .with("member", member.clone()),
        Block::new("resource", &["google_secret_manager_secret_iam_member", "accessor"])
            .because("The secret itself is made with gcloud: Terraform's state would keep its value readable.")
            .with("project", project(filling))
            .with("secret_id", filling.secret_name())
            .with("role", ACCESSOR)
            .with("member", member.clone()),
    ]
}

fn pool_blocks(filling: &mut TemplateContext<'_>) -> Vec<Block> {
    let (name, admitted) = (provider(filling), admitted(filling));
    let mapping = admitted.mapping.iter().map(|(name, from)| ((*name).to_owned(), Expr::from(*from))).collect();
    let member = reader(filling);
    let mut oidc = Block::new("oidc", &[]).with("issuer_uri", filling.issuer());
    if let Some(audience) = filling.known(Key::GcpAudience) {
        oidc = oidc.with("allowed_audiences", Expr::List(vec![audience.into()]));
    }
    let pool = vec![
        Block::new("resource", &["google_iam_workload_identity_pool", "platform"])
            .with("project", pool_project(filling))
            .with("workload_identity_pool_id", name.pool),
        Block::new("resource", &["google_iam_workload_identity_pool_provider", "issuer"])
            .because("Without the condition every customer of the issuer gets a token exchanged.")
            .with("project", pool_project(filling))
            .with(
                "workload_identity_pool_id",
                Expr::Reference("google_iam_workload_identity_pool.platform.workload_identity_pool_id"),
            )
            .with("workload_identity_pool_provider_id", name.provider)
            .with("attribute_mapping", Expr::Object(mapping))
            .with("attribute_condition", admitted.condition)
            .block(oidc),
    ];
    [pool, grants(filling, &member.into())].concat()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::profile::Guide;
    use crate::domain::profile::document::parse_flag;
    use crate::guide::Values;

    const NAME: &str = "gcp.provider=projects/123456789012/locations/global/workloadIdentityPools/pool/providers/ci";

    fn script(render: fn(&mut TemplateContext<'_>) -> Script, flags: &[&str]) -> String {
        let settings: Vec<_> = flags.iter().map(|flag| parse_flag(flag).unwrap()).collect();
        let values = Values::of(Guide::GcpWorkloadIdentity, &settings);
        render(&mut TemplateContext::new(&values)).to_string()
    }

    #[test]
    fn the_condition_admits_one_organization_or_one_subject() {
        let organization = "platform.organization=7f3e81c4-1111-4222-8333-9d20c1a09a1c";
        let platform = script(provider_create, &[NAME, organization, "issuer.url=https://app.example.com"]);
        assert!(
            platform.contains(
                "--attribute-condition 'assertion.organization_id == '\\''7f3e81c4-1111-4222-8333-9d20c1a09a1c'\\'"
            ),
            "{platform}"
        );
        assert!(platform.contains("attribute.organization=assertion.organization_id"), "{platform}");
        let github = [NAME, "issuer.url=https://token.actions.githubusercontent.com", "github.repository=o/r"];
        let branch = script(provider_create, &[&github[..], &["github.ref=refs/heads/main"]].concat());
        assert!(branch.contains("assertion.sub == '\\''repo:o/r:ref:refs/heads/main'\\'"), "{branch}");
        let any = script(provider_create, &github);
        assert!(any.contains("assertion.sub.startsWith('\\''repo:o/r:'\\'')"), "{any}");
    }

    #[test]
    fn whoever_reads_is_the_federated_identity_or_its_service_account() {
        let flags = [NAME, "platform.organization=7f3e81c4-1111-4222-8333-9d20c1a09a1c", "gcp.project-id=my-project"];
        let direct = script(grant_viewer, &flags);
        assert!(direct.contains("/pool/attribute.organization/7f3e81c4-1111-4222-8333-9d20c1a09a1c"), "{direct}");
        let account = "gcp.service-account=reader@my-project.iam.gserviceaccount.com";
        let through = script(grant_viewer, &[&flags[..], &[account]].concat());
        assert!(through.contains("--member serviceAccount:reader@my-project.iam.gserviceaccount.com"), "{through}");
        let whole = script(commands, &[&flags[..], &[account]].concat());
        assert!(whole.contains("--role roles/iam.workloadIdentityUser"), "{whole}");
    }

    #[test]
    fn a_literal_cannot_end_itself() {
        assert_eq!(literal(r"a'b\"), r"'a\'b\\'");
    }
}
