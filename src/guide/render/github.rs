//! A workflow of GitHub Actions whose job exchanges its token and reads the secret's version: never the value.

use super::super::form::yaml::{Yaml, document};
use super::super::values::TemplateContext;
use super::read_version_at_aws;
use crate::domain::ids::Cloud;
use crate::domain::national_cloud::PUBLIC;
use crate::domain::profile::key::Key;

/// Reads the version's name, which takes the permission to read the value, and prints no value.
const READ_AT_AZURE: &str =
    "az keyvault secret show --vault-name \"$VAULT_NAME\" --name \"$SECRET_NAME\" --query id --output tsv\n";
const READ_AT_GOOGLE: &str = concat!(
    "gcloud secrets versions access latest --secret \"$SECRET_NAME\" --project \"$PROJECT_ID\" >/dev/null\n",
    "echo 'the secret can be read'\n"
);

pub(super) fn workflow(filling: &mut TemplateContext<'_>) -> String {
    filling.note("pin the actions to the commits of the versions that you have looked at");
    let steps = match filling.guide().cloud() {
        Cloud::Aws => at_aws(filling),
        Cloud::Azure => at_azure(filling),
        Cloud::Gcp => at_google(filling),
    };
    let mut job = vec![("runs-on", "ubuntu-latest".into())];
    if let Some(environment) = filling.known(Key::GithubEnvironment) {
        job.push(("environment", environment.into()));
    }
    job.push(("steps", Yaml::List(steps)));
    document(&Yaml::Map(vec![
        ("name", "read-secret".into()),
        ("on", occasion(filling)),
        // Whatever is not named here the job may not do.
        ("permissions", Yaml::Map(vec![("id-token", "write".into()), ("contents", "read".into())])),
        ("jobs", Yaml::Map(vec![("read-secret", Yaml::Map(job))])),
    ]))
}

/// What starts the workflow: a push to the branch or tag that the trust is about, so that the subject is the one meant.
fn occasion(filling: &TemplateContext<'_>) -> Yaml {
    let pushed = |what, name: &str| {
        let names = Yaml::Map(vec![(what, Yaml::List(vec![name.into()]))]);
        Yaml::Map(vec![("push", names)])
    };
    let reference = filling.known(Key::GithubRef).unwrap_or_default();
    match (reference.strip_prefix("refs/heads/"), reference.strip_prefix("refs/tags/")) {
        (Some(branch), _) => pushed("branches", branch),
        (_, Some(tag)) => pushed("tags", tag),
        (None, None) => "workflow_dispatch".into(),
    }
}

fn action(name: &'static str, inputs: Vec<(&'static str, Yaml)>) -> Yaml {
    Yaml::Map(vec![("uses", name.into()), ("with", Yaml::Map(inputs))])
}

fn read(variables: Vec<(&'static str, Yaml)>, script: String) -> Yaml {
    Yaml::Map(vec![
        ("name", "Read the secret's version".into()),
        ("env", Yaml::Map(variables)),
        ("run", Yaml::Lines(script)),
    ])
}

fn at_aws(filling: &mut TemplateContext<'_>) -> Vec<Yaml> {
    let mut inputs = vec![
        ("role-to-assume", filling.role_arn().into()),
        ("aws-region", filling.region().into()),
        ("role-session-name", filling.known(Key::SessionName).unwrap_or("trustline").into()),
    ];
    // What the action asks for by itself.
    let audience = filling.audience();
    if audience != "sts.amazonaws.com" {
        inputs.push(("audience", audience.into()));
    }
    let secret = filling.secret_name();
    vec![
        action("aws-actions/configure-aws-credentials@v6", inputs),
        read(vec![("SECRET_NAME", secret.into())], read_version_at_aws()),
    ]
}

fn at_azure(filling: &mut TemplateContext<'_>) -> Vec<Yaml> {
    let mut inputs =
        vec![("client-id", filling.value(Key::ClientId).into()), ("tenant-id", filling.value(Key::TenantId).into())];
    inputs.push(match filling.known(Key::SubscriptionId) {
        Some(subscription) => ("subscription-id", subscription.into()),
        // The sign-in itself needs none, and a vault is found by its name.
        None => ("allow-no-subscriptions", Yaml::Bare("true")),
    });
    let cloud = filling.azure_cloud();
    if cloud != PUBLIC {
        inputs.push(("environment", cloud.cli_name.to_ascii_lowercase().into()));
        inputs.push(("audience", cloud.credential_audience.into()));
    }
    let variables = vec![("VAULT_NAME", filling.vault_name().into()), ("SECRET_NAME", filling.vault_secret().into())];
    vec![action("azure/login@v3", inputs), read(variables, READ_AT_AZURE.to_owned())]
}

fn at_google(filling: &mut TemplateContext<'_>) -> Vec<Yaml> {
    let project = filling.value(Key::GcpProject);
    let mut inputs = vec![
        ("project_id", project.clone().into()),
        ("workload_identity_provider", filling.value(Key::GcpProvider).into()),
    ];
    for (input, key) in [("service_account", Key::GcpServiceAccount), ("audience", Key::GcpAudience)] {
        if let Some(value) = filling.known(key) {
            inputs.push((input, value.into()));
        }
    }
    let variables = vec![("PROJECT_ID", project.into()), ("SECRET_NAME", filling.secret_name().into())];
    vec![
        action("google-github-actions/auth@v3", inputs),
        Yaml::Map(vec![("uses", "google-github-actions/setup-gcloud@v3".into())]),
        read(variables, READ_AT_GOOGLE.to_owned()),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::profile::Guide;
    use crate::domain::profile::document::parse_flag;
    use crate::guide::Values;

    fn workflow_of(guide: Guide, flags: &[&str]) -> String {
        let settings: Vec<_> = flags.iter().map(|flag| parse_flag(flag).unwrap()).collect();
        workflow(&mut TemplateContext::new(&Values::of(guide, &settings)))
    }

    #[test]
    fn the_job_runs_where_its_subject_is_the_one_that_is_trusted() {
        let branch = workflow_of(Guide::GithubAws, &["github.ref=refs/heads/main"]);
        assert!(branch.contains("push:\n    branches:\n      - main\n"), "{branch}");
        assert!(branch.contains("permissions:\n  id-token: write\n  contents: read\n"), "{branch}");
        let tag = workflow_of(Guide::GithubAws, &["github.ref=refs/tags/v1"]);
        assert!(tag.contains("push:\n    tags:\n      - v1\n"), "{tag}");
        let environment = workflow_of(Guide::GithubAws, &["github.environment=prod eu"]);
        assert!(environment.contains("on: workflow_dispatch\n"), "{environment}");
        assert!(environment.contains("    environment: \"prod eu\"\n"), "{environment}");
    }

    #[test]
    fn another_audience_or_cloud_is_named_to_the_action() {
        assert!(!workflow_of(Guide::GithubAws, &[]).contains("audience"));
        let china = workflow_of(Guide::GithubAws, &["aws.audience=sts.amazonaws.com.cn"]);
        assert!(china.contains("audience: sts.amazonaws.com.cn\n"), "{china}");
        let plain = workflow_of(Guide::GithubAzure, &["azure.vault-url=https://v.vault.azure.net"]);
        assert!(plain.contains("allow-no-subscriptions: true\n") && !plain.contains("audience"), "{plain}");
        let government = workflow_of(Guide::GithubAzure, &["azure.vault-url=https://v.vault.usgovcloudapi.net"]);
        assert!(government.contains("environment: azureusgovernment\n"), "{government}");
        assert!(government.contains("audience: \"api://AzureADTokenExchangeUSGov\"\n"), "{government}");
        let google = workflow_of(Guide::GithubGcp, &["gcp.service-account=r@p.iam.gserviceaccount.com"]);
        assert!(google.contains("service_account: \"r@p.iam.gserviceaccount.com\"\n"), "{google}");
    }
}
