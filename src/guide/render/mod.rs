//! Artifacts made from a profile's values.

mod aws;
mod azure;
mod ci;
mod fingerprint;
mod policy;
mod terraform;

use super::artifact::Artifact;
use super::form::shell::Script;
use super::values::{Filling, Missing, Values};
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
    let mut filling = Filling::new(values);
    let text = text(artifact, &mut filling);
    let (missing, notes) = filling.finish();
    Rendered { artifact, text, missing, notes }
}

fn text(artifact: Artifact, filling: &mut Filling<'_>) -> String {
    match artifact {
        Artifact::TrustPolicy => policy::trust(filling).text(),
        Artifact::SecretsPolicy => policy::secrets(filling).text(),
        Artifact::CallerPolicy => policy::caller(filling).text(),
        Artifact::TargetTrustPolicy => policy::trust_first_role(filling).text(),
        Artifact::FederatedCredential => format!("{:#}\n", policy::federated_credential(filling)),
        Artifact::GitlabJob => ci::gitlab(filling),
        Artifact::CircleciConfig => ci::circleci(filling),
        Artifact::ReportFingerprint => fingerprint::python(filling),
        Artifact::ReportFingerprintSh => fingerprint::shell(filling),
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
        Artifact::FederatedCredentialCreate => azure::federated_credential_create(filling).to_string(),
        Artifact::VaultRbac => azure::vault_rbac(filling).to_string(),
        Artifact::RoleAssignmentVault => azure::role_assignment_vault(filling).to_string(),
        Artifact::RoleAssignmentSecret => azure::role_assignment_secret(filling).to_string(),
        Artifact::KeyvaultSecretSet => azure::keyvault_secret_set(filling).to_string(),
    }
}

/// The cloud's side from nothing to a readable secret, as one script.
fn commands(filling: &mut Filling<'_>) -> Script {
    let script = Script::default().fixed("set -e");
    match filling.guide() {
        Guide::AzureWorkloadIdentity => script.then(azure::commands(filling)),
        Guide::AwsStatic => script
            .then(aws::create_user(filling))
            .then(aws::managed_policy(filling))
            .then(aws::create_access_key(filling))
            .then(aws::create_secret(filling)),
        Guide::AwsAssumeRole => script
            .then(aws::create_user(filling))
            .then(aws::create_role(filling))
            .then(aws::put_role_policy(filling))
            .then(aws::put_caller_policy(filling))
            .then(aws::create_access_key(filling))
            .then(aws::create_secret(filling)),
        Guide::AwsWorkloadIdentity | Guide::GitlabAws | Guide::CircleciAws => {
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
