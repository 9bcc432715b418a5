//! The manifest of a service account and a pod that reads the secret by its projected token, and how to see what the
//! cluster issues.

use super::super::form::shell::{Command, Script};
use super::super::form::yaml::{Yaml, document};
use super::super::values::TemplateContext;
use super::google::{POD_TOKEN_FILE, credential_file};
use super::read_version_at_aws;
use crate::domain::ids::Cloud;
use crate::domain::issuer::IssuerKind;
use crate::domain::profile::key::Key;

/// The folder of the projected token, where no webhook chooses one.
const TOKENS: &str = "/var/run/secrets/tokens";
const CREDENTIALS: &str = "/etc/workload-identity";
/// Exchanges the token and prints the answer's status; what it answers is thrown away.
const EXCHANGE_AT_ENTRA: &str = concat!(
    "curl -sS -o /dev/null -w '%{http_code}\\n' \\\n",
    "  \"${AZURE_AUTHORITY_HOST}${AZURE_TENANT_ID}/oauth2/v2.0/token\" \\\n",
    "  --data-urlencode \"client_assertion@$AZURE_FEDERATED_TOKEN_FILE\" \\\n",
    "  --data client_assertion_type=urn:ietf:params:oauth:client-assertion-type:jwt-bearer \\\n",
    "  --data grant_type=client_credentials --data \"client_id=$AZURE_CLIENT_ID\" \\\n",
    "  --data-urlencode \"scope=$VAULT_SCOPE\"\n"
);
const READ_AT_GOOGLE: &str = concat!(
    "gcloud auth login --cred-file=\"$GOOGLE_APPLICATION_CREDENTIALS\" --quiet\n",
    "gcloud secrets versions access latest --secret \"$SECRET_NAME\" --project \"$PROJECT_ID\" >/dev/null\n",
    "echo 'the secret can be read'\n"
);

/// What the cluster says of itself, which is what its tokens carry.
pub(super) fn issuer_of_cluster() -> Script {
    Script::default()
        .comment("Its `issuer` is what every token of the cluster carries; a slash at its end counts.")
        .run(Command::new(&["kubectl", "get", "--raw", "/.well-known/openid-configuration"]))
        .comment("The keys that the cloud has to be able to fetch, or to be given:")
        .run(Command::new(&["kubectl", "get", "--raw", "/openid/v1/jwks"]))
}

/// What a pod is given beside its container's image and script.
#[derive(Default)]
struct Pod {
    annotations: Vec<(&'static str, Yaml)>,
    labels: Vec<(&'static str, Yaml)>,
    image: &'static str,
    script: String,
    variables: Vec<(&'static str, Yaml)>,
    /// The audience of a token that the pod projects itself; a webhook does it otherwise.
    projects: Option<String>,
    /// A file that a config map holds.
    file: Option<(&'static str, String)>,
}

pub(super) fn manifest(filling: &mut TemplateContext<'_>) -> String {
    let pod = match filling.guide().cloud() {
        Cloud::Aws => at_aws(filling),
        Cloud::Azure => at_azure(filling),
        Cloud::Gcp => at_google(filling),
    };
    let (namespace, account) = (filling.value(Key::KubernetesNamespace), filling.value(Key::KubernetesServiceAccount));
    let named = |name: &str| vec![("name", name.into()), ("namespace", namespace.as_str().into())];
    let mut about = named(&account);
    if !pod.annotations.is_empty() {
        about.push(("annotations", Yaml::Map(pod.annotations.clone())));
    }
    let mut documents = vec![object("ServiceAccount", about, Vec::new())];
    if let Some((name, text)) = &pod.file {
        let data = Yaml::Map(vec![(*name, Yaml::Lines(text.clone()))]);
        documents.push(object("ConfigMap", named("workload-identity"), vec![("data", data)]));
    }
    let mut about = named("read-secret");
    if !pod.labels.is_empty() {
        about.push(("labels", Yaml::Map(pod.labels.clone())));
    }
    documents.push(object("Pod", about, vec![("spec", spec(account, pod))]));
    documents.join("---\n")
}

fn object(kind: &'static str, metadata: Vec<(&'static str, Yaml)>, more: Vec<(&'static str, Yaml)>) -> String {
    let head = vec![("apiVersion", "v1".into()), ("kind", kind.into()), ("metadata", Yaml::Map(metadata))];
    document(&Yaml::Map(head.into_iter().chain(more).collect()))
}

fn spec(account: String, pod: Pod) -> Yaml {
    let variables =
        pod.variables.into_iter().map(|(name, value)| Yaml::Map(vec![("name", name.into()), ("value", value)]));
    let (mut mounts, mut volumes) = (Vec::new(), Vec::new());
    let mut mount = |name: &'static str, path: &'static str, source: (&'static str, Yaml)| {
        mounts.push(Yaml::Map(vec![
            ("name", name.into()),
            ("mountPath", path.into()),
            ("readOnly", Yaml::Bare("true")),
        ]));
        volumes.push(Yaml::Map(vec![("name", name.into()), source]));
    };
    if let Some(audience) = pod.projects {
        let token = Yaml::Map(vec![
            ("path", "token".into()),
            ("audience", audience.into()),
            ("expirationSeconds", Yaml::Bare("3600")),
        ]);
        let sources = Yaml::List(vec![Yaml::Map(vec![("serviceAccountToken", token)])]);
        mount("token", TOKENS, ("projected", Yaml::Map(vec![("sources", sources)])));
    }
    if pod.file.is_some() {
        mount("workload-identity", CREDENTIALS, ("configMap", Yaml::Map(vec![("name", "workload-identity".into())])));
    }
    let mut container = vec![
        ("name", "read-secret".into()),
        ("image", pod.image.into()),
        ("command", Yaml::List(vec!["sh".into(), "-ec".into(), Yaml::Lines(pod.script)])),
        ("env", Yaml::List(variables.collect())),
    ];
    if !mounts.is_empty() {
        container.push(("volumeMounts", Yaml::List(mounts)));
    }
    let mut spec = vec![
        ("serviceAccountName", account.into()),
        ("restartPolicy", "Never".into()),
        // Whose files the token is, too, so that a process that is not root can read it.
        ("securityContext", Yaml::Map(vec![("fsGroup", Yaml::Bare("65534"))])),
        ("containers", Yaml::List(vec![Yaml::Map(container)])),
    ];
    if !volumes.is_empty() {
        spec.push(("volumes", Yaml::List(volumes)));
    }
    Yaml::Map(spec)
}

/// The role by the service account's annotation; where no webhook of EKS runs, the pod has token and variables itself.
fn at_aws(filling: &mut TemplateContext<'_>) -> Pod {
    let is_eks = IssuerKind::of(&filling.issuer(), None) == IssuerKind::Eks;
    let role = filling.role_arn();
    let mut variables = vec![("SECRET_NAME", filling.secret_name().into()), ("AWS_REGION", filling.region().into())];
    let mut annotations = Vec::new();
    let mut projects = None;
    if is_eks {
        filling.note("the webhook of EKS gives a pod its token and variables when the pod is created, and not later");
        annotations.push(("eks.amazonaws.com/role-arn", role.into()));
    } else {
        variables.push(("AWS_ROLE_ARN", role.into()));
        variables.push(("AWS_WEB_IDENTITY_TOKEN_FILE", POD_TOKEN_FILE.into()));
        projects = Some(filling.audience());
    }
    let image = "amazon/aws-cli:latest";
    Pod { annotations, image, script: read_version_at_aws(), variables, projects, ..Pod::default() }
}

/// The label that the webhook looks for, and the application on the service account.
fn at_azure(filling: &mut TemplateContext<'_>) -> Pod {
    filling.note(
        "the webhook gives a pod its token and variables when the pod is created, and not later; 200 is the exchange",
    );
    let annotations = vec![
        ("azure.workload.identity/client-id", filling.value(Key::ClientId).into()),
        ("azure.workload.identity/tenant-id", filling.value(Key::TenantId).into()),
    ];
    let scope = format!("{}/.default", filling.azure_cloud().vault_resource);
    Pod {
        annotations,
        labels: vec![("azure.workload.identity/use", "true".into())],
        image: "curlimages/curl:latest",
        script: EXCHANGE_AT_ENTRA.to_owned(),
        variables: vec![("VAULT_SCOPE", scope.into())],
        ..Pod::default()
    }
}

/// A token for the provider, and the credential file that says where it is.
fn at_google(filling: &mut TemplateContext<'_>) -> Pod {
    let file = format!("{:#}\n", credential_file(filling));
    Pod {
        image: "google/cloud-sdk:slim",
        script: READ_AT_GOOGLE.to_owned(),
        variables: vec![
            ("SECRET_NAME", filling.secret_name().into()),
            ("PROJECT_ID", filling.value(Key::GcpProject).into()),
            ("GOOGLE_APPLICATION_CREDENTIALS", format!("{CREDENTIALS}/credentials.json").into()),
        ],
        projects: Some(filling.audience()),
        file: Some(("credentials.json", file)),
        ..Pod::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::profile::Guide;
    use crate::domain::profile::document::parse_flag;
    use crate::guide::Values;

    fn manifest_of(guide: Guide, flags: &[&str]) -> String {
        let own = ["kubernetes.namespace=team", "kubernetes.service-account=reader"];
        let settings: Vec<_> = own.iter().chain(flags).map(|flag| parse_flag(flag).unwrap()).collect();
        manifest(&mut TemplateContext::new(&Values::of(guide, &settings)))
    }

    #[test]
    fn the_label_is_the_pods_and_the_annotation_the_service_accounts() {
        let text = manifest_of(Guide::KubernetesAzure, &["azure.client-id=11111111-aaaa-4bbb-8ccc-222222222222"]);
        let (account, pod) = text.split_once("---\n").unwrap();
        assert!(account.contains("azure.workload.identity/client-id: \"11111111-"), "{account}");
        assert!(pod.contains("azure.workload.identity/use: \"true\"\n") && !account.contains("/use"), "{text}");
        assert!(!pod.contains("volumes:"), "the webhook mounts the token: {pod}");
        assert!(pod.contains("scope=$VAULT_SCOPE") && pod.contains("https://vault.azure.net/.default"), "{pod}");
    }

    #[test]
    fn on_eks_the_webhook_projects_and_elsewhere_the_pod() {
        let eks = ["issuer.url=https://oidc.eks.eu-west-1.amazonaws.com/id/0123", "aws.region=eu-west-1"];
        let with_webhook = manifest_of(Guide::KubernetesAws, &eks);
        assert!(with_webhook.contains("eks.amazonaws.com/role-arn: "), "{with_webhook}");
        assert!(!with_webhook.contains("projected"), "{with_webhook}");
        let own = manifest_of(Guide::KubernetesAws, &["issuer.url=https://issuer.example.com"]);
        assert!(own.contains("audience: sts.amazonaws.com\n") && !own.contains("annotations"), "{own}");
        assert!(
            own.contains(&format!("value: \"{POD_TOKEN_FILE}\"")) || own.contains(&format!("value: {POD_TOKEN_FILE}"))
        );
    }

    #[test]
    fn googles_libraries_find_the_projected_token_by_the_mounted_file() {
        let name = "projects/123456789012/locations/global/workloadIdentityPools/pool/providers/cluster";
        let text = manifest_of(Guide::KubernetesGcp, &[&format!("gcp.provider={name}")]);
        assert_eq!(text.matches("---\n").count(), 2, "{text}");
        assert!(text.contains(&format!("\"file\": \"{POD_TOKEN_FILE}\"")), "{text}");
        assert!(text.contains(&format!("audience: \"//iam.googleapis.com/{name}\"")), "{text}");
    }
}
