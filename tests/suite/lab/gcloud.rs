//! Google's own command line at the lab, as its operator: it sets up what the guide sets up, and the workload's token then reads
//! the secret.

use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;

use super::client::trusting;
use crate::support::{RunningLab, outside};

/// Runs a script of `gcloud` commands with what `operator.env` says. A call takes seconds: one script has many.
pub fn gcloud_as_operator(lab: &RunningLab, script: &str) -> Result<String, String> {
    let folder = outside("TRUSTLINE_TEST_GCLOUD").parent().map(Path::to_owned).unwrap();
    let path = std::env::join_paths([folder, "/usr/bin".into(), "/bin".into()]).unwrap();
    let whole = format!(". '{}'\n{script}", lab.file("operator.env"));
    let output = Command::new("sh")
        .args(["-e", "-c", &whole])
        .env_clear()
        .env("PATH", path)
        .env("HOME", &lab.folder)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    match output.status.success() {
        true => Ok(String::from_utf8(output.stdout).unwrap()),
        false => Err(format!("{script}\n{}", String::from_utf8_lossy(&output.stderr))),
    }
}

const SCRIPT: &str = r#"
where="--location=global --workload-identity-pool=crewai-pool"
gcloud iam workload-identity-pools create crewai-pool --location=global
gcloud iam workload-identity-pools providers create-oidc crewai-provider $where --issuer-uri="$ISSUER" \
  --attribute-mapping="google.subject=assertion.sub,attribute.organization=assertion.organization_id" \
  --attribute-condition="assertion.organization_id == '$ORGANIZATION'"
pool=$(gcloud iam workload-identity-pools describe crewai-pool --location=global --format='value(name)')
member="principalSet://iam.googleapis.com/$pool/attribute.organization/$ORGANIZATION"
printf %s first | gcloud secrets create crewai-test-keyword --data-file=- --replication-policy=automatic
gcloud projects add-iam-policy-binding crewai-lab --role=roles/secretmanager.viewer --member="$member" --condition=None >&2
gcloud secrets add-iam-policy-binding crewai-test-keyword --role=roles/secretmanager.secretAccessor --member="$member" >&2
printf %s second | gcloud secrets versions add crewai-test-keyword --data-file=-
gcloud iam workload-identity-pools providers describe crewai-provider $where --format=json
"#;

#[test]
#[ignore = "needs gcloud (TRUSTLINE_TEST_GCLOUD)"]
fn gcloud_sets_up_what_the_workload_then_uses() {
    let lab = RunningLab::start("gcp-blank");
    let ready = |name: &str| lab.ready[name].as_str().unwrap().to_owned();
    let profile: toml::Table = std::fs::read_to_string(lab.file("profile.toml")).unwrap().parse().unwrap();
    let organization = profile["platform"]["organization"].as_str().unwrap();
    let script = format!("ISSUER='{}' ORGANIZATION='{organization}'\n{SCRIPT}", ready("issuer"));
    let printed = gcloud_as_operator(&lab, &script).unwrap_or_else(|failed| panic!("{failed}"));
    let described: Value = serde_json::from_str(&printed[printed.find('{').unwrap()..]).unwrap();
    assert_eq!(described["attributeCondition"], format!("assertion.organization_id == '{organization}'"));

    let token = std::fs::read_to_string(lab.file("token.jwt")).unwrap();
    let provider = described["name"].as_str().unwrap();
    let form = url::form_urlencoded::Serializer::new(String::new())
        .append_pair("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange")
        .append_pair("audience", &format!("//iam.googleapis.com/{provider}"))
        .append_pair("scope", "https://www.googleapis.com/auth/cloud-platform")
        .append_pair("requested_token_type", "urn:ietf:params:oauth:token-type:access_token")
        .append_pair("subject_token_type", "urn:ietf:params:oauth:token-type:jwt")
        .append_pair("subject_token", token.trim())
        .finish();
    let http = trusting(&std::fs::read(ready("ca_file")).unwrap());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let read: Value = runtime.block_on(async {
        let exchange = http.post(format!("{}/v1/token", ready("google_sts"))).body(form);
        let exchange = exchange.header("content-type", "application/x-www-form-urlencoded");
        let answer: Value = serde_json::from_str(&exchange.send().await.unwrap().text().await.unwrap()).unwrap();
        let access = answer["access_token"].as_str().unwrap_or_else(|| panic!("{answer}"));
        let secret = "v1/projects/crewai-lab/secrets/crewai-test-keyword/versions/latest:access";
        let read = http.get(format!("{}/{secret}", ready("google_secretmanager"))).bearer_auth(access);
        serde_json::from_str(&read.send().await.unwrap().text().await.unwrap()).unwrap()
    });
    assert_eq!(read["payload"]["data"], "c2Vjb25k", "{read}");
}
