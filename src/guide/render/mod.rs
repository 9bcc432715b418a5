//! Artifacts made from a profile's values.

mod aws;
mod azure;
mod github;
mod google;
mod kubernetes;
mod least;
mod terraform;

pub use least::{SAY_WHO_GETS_IN, render_least};

use super::artifact::Artifact;
use super::form::shell::Script;
use super::form::yaml::{Yaml, document};
use super::values::{Missing, TemplateContext, Values};
use crate::domain::guide::Flow;
use crate::domain::ids::Cloud;
use crate::domain::profile::Guide;
use crate::domain::profile::key::Key;

/// An artifact with a profile's values in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rendered {
    pub artifact: Artifact,
    /// The whole text, ending with a line break. Holds no secret.
    pub text: String,
    /// The placeholders that stand in it.
    pub missing: Vec<Missing>,
    /// What a reader should know before using it.
    pub notes: Vec<String>,
}

/// Makes an artifact. What the values lack stands in it as `<placeholder>`, quoted so that no shell takes it for more.
pub fn render(artifact: Artifact, values: &Values) -> Rendered {
    let mut filling = TemplateContext::new(values);
    let text = text(artifact, &mut filling);
    let (missing, notes) = filling.finish();
    Rendered { artifact, text, missing, notes }
}

fn text(artifact: Artifact, filling: &mut TemplateContext<'_>) -> String {
    match artifact {
        Artifact::TrustPolicy => aws::trust(filling).text(),
        Artifact::SecretsPolicy => aws::secrets(filling).text(),
        Artifact::OperatorPolicy => format!("{:#}\n", aws::operator(filling)),
        Artifact::CallerPolicy => aws::caller(filling).text(),
        Artifact::TargetTrustPolicy => aws::trust_first_role(filling).text(),
        Artifact::FederatedCredential => format!("{:#}\n", aws::federated_credential(filling)),
        Artifact::OperatorRole if filling.guide().cloud() == Cloud::Gcp => {
            format!("{:#}\n", google::operator_role(filling))
        }
        Artifact::OperatorRole => format!("{:#}\n", azure::operator_role(filling)),
        Artifact::GitlabJob => gitlab(filling),
        Artifact::CircleciConfig => circleci(filling),
        Artifact::GithubWorkflow => github::workflow(filling),
        Artifact::KubernetesManifest => kubernetes::manifest(filling),
        Artifact::ClusterIssuer => kubernetes::issuer_of_cluster().to_string(),
        Artifact::ReportFingerprint => python(filling),
        Artifact::ReportFingerprintSh => shell(filling),
        Artifact::Terraform => terraform::terraform(filling),
        Artifact::Commands => commands(filling).to_string(),
        Artifact::Discovery => aws::discovery(filling).to_string(),
        Artifact::CreateUser => aws::create_user(filling).to_string(),
        Artifact::CreateOidcProvider => aws::create_oidc_provider(filling).to_string(),
        Artifact::CreateRole => aws::create_role(filling).to_string(),
        Artifact::UpdateTrustPolicy => aws::update_trust_policy(filling).to_string(),
        Artifact::PutRolePolicy => aws::put_role_policy(filling).to_string(),
        Artifact::ManagedPolicy => aws::managed_policy(filling).to_string(),
        Artifact::PutCallerPolicy => aws::put_caller_policy(filling).to_string(),
        Artifact::CreateAccessKey => aws::create_access_key(filling).to_string(),
        Artifact::CreateSecret => aws::create_secret(filling).to_string(),
        Artifact::RotateSecret => aws::rotate_secret(filling).to_string(),
        Artifact::VerifyRead => aws::verify_read(filling).to_string(),
        Artifact::AppCreate => azure::app_create(filling).to_string(),
        Artifact::SpCreate => azure::sp_create(filling).to_string(),
        Artifact::ClientSecretCreate => azure::client_secret_create(filling).to_string(),
        Artifact::FederatedCredentialCreate => azure::federated_credential_create(filling).to_string(),
        Artifact::VaultRbac => azure::vault_rbac(filling).to_string(),
        Artifact::RoleAssignmentVault => azure::role_assignment_vault(filling).to_string(),
        Artifact::RoleAssignmentSecret => azure::role_assignment_secret(filling).to_string(),
        Artifact::KeyvaultSecretSet => azure::keyvault_secret_set(filling).to_string(),
        Artifact::EnableServices => google::enable_services(filling).to_string(),
        Artifact::ServiceAccountCreate => google::service_account_create(filling).to_string(),
        Artifact::ServiceAccountKeyCreate => google::service_account_key_create(filling).to_string(),
        Artifact::PoolCreate => google::pool_create(filling).to_string(),
        Artifact::ProviderCreate => google::provider_create(filling).to_string(),
        Artifact::ProviderUpdate => google::provider_update(filling).to_string(),
        Artifact::ProviderDescribe => google::provider_describe(filling).to_string(),
        Artifact::GrantImpersonation => google::grant_impersonation(filling).to_string(),
        Artifact::GrantViewer => google::grant_viewer(filling).to_string(),
        Artifact::GrantAccessor => google::grant_accessor(filling).to_string(),
        Artifact::GrantAccessorSecret => google::grant_accessor_secret(filling).to_string(),
        Artifact::GcloudSecretCreate => google::secret_create(filling).to_string(),
        Artifact::GcloudVersionAdd => google::version_add(filling).to_string(),
        Artifact::CredentialFile => format!("{:#}\n", google::credential_file(filling)),
    }
}

/// The cloud's side from nothing to a readable secret, as one script.
fn commands(filling: &mut TemplateContext<'_>) -> Script {
    let script = Script::default().fixed("set -e");
    match (filling.guide().cloud(), filling.guide().flow()) {
        (Cloud::Azure, _) => script.then(azure::commands(filling)),
        (Cloud::Gcp, _) => script.then(google::commands(filling)),
        (Cloud::Aws, Flow::AccessKey) => script
            .then(aws::create_user(filling))
            .then(aws::managed_policy(filling))
            .then(aws::create_access_key(filling))
            .then(aws::create_secret(filling)),
        (Cloud::Aws, Flow::AssumeRole) => script
            .then(aws::create_user(filling))
            .then(aws::create_role(filling))
            .then(aws::put_role_policy(filling))
            .then(aws::put_caller_policy(filling))
            .then(aws::create_access_key(filling))
            .then(aws::create_secret(filling)),
        (Cloud::Aws, Flow::TokenExchange) => {
            let script = script
                .then(aws::create_oidc_provider(filling))
                .then(aws::create_role(filling))
                .then(aws::put_role_policy(filling));
            let hops = filling.guide() == Guide::CircleciAws && filling.known(Key::TargetRoleArn).is_some();
            let script = if hops { script.then(aws::put_caller_policy(filling)) } else { script };
            script.then(aws::create_secret(filling))
        }
    }
}

/// Puts the token where the AWS CLI and SDKs look for it. They exchange it, and renew the session, without any
/// credential being written down.
fn token_to_file(variable: &str) -> String {
    format!(
        "umask 077\n\
         AWS_WEB_IDENTITY_TOKEN_FILE=$(mktemp)\n\
         export AWS_WEB_IDENTITY_TOKEN_FILE\n\
         printf %s \"${variable}\" >\"$AWS_WEB_IDENTITY_TOKEN_FILE\"\n"
    )
}

/// Reads the secret's version, which shows that the job may read it, and prints no value.
fn read_version_at_aws() -> String {
    "aws sts get-caller-identity\n\
     aws secretsmanager get-secret-value --secret-id \"$SECRET_NAME\" --query VersionId --output text\n"
        .to_owned()
}

fn variables(filling: &mut TemplateContext<'_>) -> Vec<(&'static str, Yaml)> {
    vec![
        ("AWS_ROLE_ARN", filling.role_arn().into()),
        ("AWS_REGION", filling.region().into()),
        ("AWS_ROLE_SESSION_NAME", filling.known(Key::SessionName).unwrap_or("trustline").into()),
        ("SECRET_NAME", filling.secret_name().into()),
    ]
}

fn gitlab(filling: &mut TemplateContext<'_>) -> String {
    filling
        .note("the predefined variable CI_JOB_JWT_V2 is gone since GitLab 17.0; `id_tokens` is what makes the token");
    // `id_tokens` names the variable; it cannot take a name that is only known when the job runs.
    let audience = filling.audience();
    let job = Yaml::Map(vec![
        (
            "image",
            Yaml::Map(vec![("name", "amazon/aws-cli:latest".into()), ("entrypoint", Yaml::List(vec!["".into()]))]),
        ),
        ("id_tokens", Yaml::Map(vec![("GITLAB_OIDC_TOKEN", Yaml::Map(vec![("aud", audience.into())]))])),
        ("variables", Yaml::Map(variables(filling))),
        (
            "script",
            Yaml::List(vec![Yaml::Lines(token_to_file("GITLAB_OIDC_TOKEN")), Yaml::Lines(read_version_at_aws())]),
        ),
    ]);
    document(&Yaml::Map(vec![("read-secret", job)]))
}

fn circleci(filling: &mut TemplateContext<'_>) -> String {
    let variable = filling.known(Key::TokenEnv).unwrap_or("CIRCLE_OIDC_TOKEN");
    if variable == "CIRCLE_OIDC_TOKEN_V2" {
        filling.note("the subject of CIRCLE_OIDC_TOKEN_V2 goes on behind the user with the repository and ref; the policy's `user/*` covers both");
    }
    let variables = variables(filling);
    let mut steps = vec![run("Put the job's token where the AWS CLI looks for it", token_for_later_steps(variable))];
    if let Some(target) = filling.known(Key::TargetRoleArn) {
        steps.push(run("Name the sub-account's role as a second hop", second_hop(target)));
        steps.push(run("Read the secret's version", read_version_at_aws().replace("aws ", "aws --profile target ")));
    } else {
        steps.push(run("Read the secret's version", read_version_at_aws()));
    }
    let job = Yaml::Map(vec![
        ("docker", Yaml::List(vec![Yaml::Map(vec![("image", "cimg/aws:2024.03".into())])])),
        ("environment", Yaml::Map(variables)),
        ("steps", Yaml::List(steps)),
    ]);
    document(&Yaml::Map(vec![
        ("version", Yaml::Text("2.1".to_owned())),
        ("jobs", Yaml::Map(vec![("read-secret", job)])),
        (
            "workflows",
            Yaml::Map(vec![("read-secret", Yaml::Map(vec![("jobs", Yaml::List(vec!["read-secret".into()]))]))]),
        ),
    ]))
}

fn run(name: &'static str, command: String) -> Yaml {
    Yaml::Map(vec![("run", Yaml::Map(vec![("name", name.into()), ("command", Yaml::Lines(command))]))])
}

/// As [`token_to_file`]; every step of a CircleCI job has a shell of its own, and `$BASH_ENV` is what they share.
fn token_for_later_steps(variable: &str) -> String {
    format!(
        "{}printf 'export AWS_WEB_IDENTITY_TOKEN_FILE=%s\\n' \"$AWS_WEB_IDENTITY_TOKEN_FILE\" >>\"$BASH_ENV\"\n",
        token_to_file(variable)
    )
}

/// A profile that assumes the sub-account's role from the first role's session. The file names roles, and no key.
fn second_hop(target: &str) -> String {
    format!(
        "mkdir -p ~/.aws\n\
         cat >~/.aws/config <<END\n\
         [profile first]\n\
         role_arn = $AWS_ROLE_ARN\n\
         web_identity_token_file = $AWS_WEB_IDENTITY_TOKEN_FILE\n\
         [profile target]\n\
         role_arn = {target}\n\
         source_profile = first\n\
         region = $AWS_REGION\n\
         END\n"
    )
}

/// The variable of the platform's own example, for a profile that names none.
const USUAL: &str = "API_KEY";

/// Python for the automation. It reads the variable when it is called, so that a process that lives on reports what it
/// has now.
fn python(filling: &mut TemplateContext<'_>) -> String {
    let variable = variable(filling);
    format!(
        r#""""Reports a fingerprint of {variable}, never its value.

Call report() where the automation uses the variable, and let its last task's output end with the line.
"""
import hashlib
import os

VARIABLE = "{variable}"

def report() -> str:
    value = os.environ.get(VARIABLE, "")
    if not value:
        return f"ERROR: {{VARIABLE}} env var is not set."
    digest = hashlib.sha256(value.encode("utf-8", "surrogateescape")).hexdigest()
    return f"credential.fingerprint=sha256:{{digest[:12]}}"

if __name__ == "__main__":
    print(report())
"#
    )
}

/// The same for a POSIX shell; `printf` is the shell's own, so the value is in no list of processes.
fn shell(filling: &mut TemplateContext<'_>) -> String {
    let variable = variable(filling);
    format!(
        r#"# Reports a fingerprint of {variable}, never its value.
if [ -z "${{{variable}-}}" ]; then
  echo 'ERROR: {variable} env var is not set.'
elif command -v sha256sum >/dev/null; then
  echo "credential.fingerprint=sha256:$(printf %s "${variable}" | sha256sum | cut -c1-12)"
else
  echo "credential.fingerprint=sha256:$(printf %s "${variable}" | shasum -a 256 | cut -c1-12)"
fi
"#
    )
}

fn variable(filling: &mut TemplateContext<'_>) -> String {
    filling.note("the line is what `trustline rotate` looks for in the automation's answer or log");
    if let Some(variable) = filling.known(Key::DeploymentVariable) {
        return variable.to_owned();
    }
    filling
        .note(format!("{USUAL} stands for the variable's name; set {} to have yours", Key::DeploymentVariable.path()));
    USUAL.to_owned()
}

#[cfg(test)]
mod fingerprint_tests {
    use super::*;
    use crate::domain::profile::Guide;
    use crate::domain::profile::document::parse_flag;
    use crate::guide::values::Values;

    #[test]
    fn the_profiles_variable_is_read() {
        let settings = [parse_flag("deployment.variable=DB_PASSWORD").unwrap()];
        let values = Values::of(Guide::AwsWorkloadIdentity, &settings);
        for text in [python(&mut TemplateContext::new(&values)), shell(&mut TemplateContext::new(&values))] {
            assert!(text.contains("DB_PASSWORD") && !text.contains("<deployment"), "{text}");
        }
        let lacking = Values::of(Guide::AwsWorkloadIdentity, &[]);
        let mut filling = TemplateContext::new(&lacking);
        assert!(shell(&mut filling).contains("$API_KEY"));
        let (_, notes) = filling.finish();
        assert!(notes.iter().any(|note| note.contains("deployment.variable")), "{notes:?}");
    }
}
