//! At Google as elsewhere: the exchange as a client makes it, and an error text beside the provider that gave it.

use std::fs;

use serde_json::{Value, json};

use crate::support::{RunningLab, trustline};

const POOL: &str = "projects/123456789012/locations/global/workloadIdentityPools/ci";
const REJECTED: &str = "google.auth.exceptions.OAuthError: ('Error code unauthorized_client: The given credential is rejected \
                        by the attribute condition.', '{\"error\":\"unauthorized_client\"}')";
const STALE: &str = "Error code invalid_grant: ID Token issued at 1796000000 is stale to sign-in.";
const DENIED: &str = "403 Permission 'secretmanager.versions.access' denied for resource \
                      'projects/123456789012/secrets/db/versions/latest' (or it may not exist).";

#[test]
fn the_exchange_is_made_as_a_client_makes_it() {
    let lab = RunningLab::start("gcp");
    let token = fs::read_to_string(lab.file("token.jwt")).unwrap();
    fs::write(lab.file("token.jwt"), format!("{}\n", token.trim())).unwrap();
    let ready = |name: &str| lab.ready[name].as_str().unwrap().to_owned();
    let run = |arguments: &[&str], credentials: Option<&str>| {
        let settings = [("gcp.secretmanager-endpoint-url", "google_secretmanager"), ("issuer.url", "issuer")];
        let settings = settings.map(|(key, name)| format!("{key}={}", ready(name)));
        let mut command = trustline();
        command.envs(credentials.map(|file| ("GOOGLE_APPLICATION_CREDENTIALS", file)));
        command.env("GOOGLE_CLOUD_PROJECT", "crewai-lab").args(["check", "--output", "json"]);
        command.args(["--ca-file", &ready("ca_file"), "--set", "guide=gcp-workload-identity"]);
        command.args(settings.iter().flat_map(|setting| ["--set", setting])).args(arguments).output().unwrap()
    };
    let file = ready("google_credentials_file");
    let exchange = |arguments: &[&str]| {
        let output = run(arguments, Some(&file));
        let report: Value = serde_json::from_slice(&output.stdout)
            .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&output.stderr)));
        let checks = report["checks"].as_array().unwrap();
        let exchange = checks.iter().find(|check| check["id"] == "gcp.exchange").unwrap();
        (exchange["outcome"].as_str().unwrap().to_owned(), exchange["reason"].to_string())
    };
    assert_eq!(exchange(&[]).0, "pass", "trustline sends the token alone");
    let (outcome, why) = exchange(&["--as", "google-auth"]);
    assert!(outcome == "fail" && why.contains("Unable to parse the ID Token"), "{why}");
    assert_eq!(exchange(&["--as", "opendal"]).0, "pass");
    // What does not read the file makes no exchange, and is told before anything is sent.
    for (client, instead) in
        [("gcloud", "ends with an error"), ("obstore", "ends with an error"), ("boto3", "at Google")]
    {
        let output = run(&["--as", client], Some(&file));
        let told = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.code() == Some(2) && told.contains(instead), "{client}: {told}");
    }
}

/// What `explain` makes of a text with a provider and bindings: each cause with its certainty.
fn explained(text: &str, condition: &str, member: Option<&str>) -> Vec<(String, String)> {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, value: &Value| {
        let path = folder.path().join(name);
        fs::write(&path, value.to_string()).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let claims = json!({
        "iss": "https://token.actions.githubusercontent.com", "sub": "repo:o/r:ref:refs/heads/main", "repository_owner_id": "7",
        "aud": format!("//iam.googleapis.com/{POOL}/providers/github"), "iat": 1_796_000_000, "exp": 1_796_003_600,
    });
    let provider = json!({
        "name": format!("{POOL}/providers/github"), "state": "ACTIVE",
        "oidc": {"issuerUri": "https://token.actions.githubusercontent.com"},
        "attributeMapping": {"google.subject": "assertion.sub"}, "attributeCondition": condition,
    });
    let mut arguments = vec!["--claims".to_owned(), file("claims.json", &claims)];
    arguments.extend(["--provider".to_owned(), file("provider.json", &provider)]);
    if let Some(member) = member {
        let policy = json!({"bindings": [{"role": "roles/secretmanager.secretAccessor", "members": [member]}]});
        arguments.extend(["--iam-policy".to_owned(), file("policy.json", &policy)]);
    }
    let mut command = trustline();
    let output =
        command.args(["explain", "--output", "json"]).args(&arguments).write_stdin(text.to_owned()).output().unwrap();
    let document: Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&output.stderr)));
    let causes = document["causes"].as_array().unwrap().iter();
    let told = |cause: &Value, name: &str| cause[name].as_str().unwrap().to_owned();
    causes.map(|cause| (told(cause, "cause"), told(cause, "certainty"))).collect()
}

#[test]
fn a_provider_and_bindings_decide_what_a_text_leaves_open() {
    let own = "assertion.repository_owner_id == '7'";
    let first = |causes: &[(String, String)]| causes.first().cloned().unwrap_or_default();
    let proven = |cause: &str| (cause.to_owned(), "proven".to_owned());
    let refused = explained(REJECTED, "assertion.repository_owner_id == '8'", None);
    assert_eq!(first(&refused), proven("attribute-condition"), "{refused:?}");
    // The provider at hand takes this token: what it decides is no cause.
    let accepted = explained(REJECTED, own, None);
    assert!(
        accepted.iter().all(|(cause, certainty)| cause != "attribute-condition" || certainty == "proven"),
        "{accepted:?}"
    );
    // A text about the time is not about the provider.
    let stale = explained(STALE, "assertion.repository_owner_id == '8'", None);
    assert_ne!(first(&stale).0, "attribute-condition", "{stale:?}");
    let other = format!("principal://iam.googleapis.com/{POOL}/subject/repo:o/r:pull_request");
    let read = explained(DENIED, own, Some(&other));
    assert_eq!(first(&read), proven("principalset-mismatch"), "{read:?}");
}

#[test]
fn a_provider_alone_decides_nothing_and_goes_with_no_other_clouds_trust() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("provider.json");
    fs::write(&file, "{}").unwrap();
    let file = file.to_str().unwrap();
    for (arguments, told) in [
        (vec!["--provider", file], "a trust alone decides nothing"),
        (vec!["--provider", file, "--policy", file], "cannot be used with"),
        (vec!["--iam-policy", file], "--provider"),
    ] {
        let output = trustline().arg("explain").args(&arguments).write_stdin(REJECTED).output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.code() == Some(2) && said.contains(told), "{arguments:?}: {said}");
    }
}

/// Google has one text for all of these; what is wrong with the name is told before a token goes anywhere.
#[test]
fn a_credential_file_that_names_no_provider_is_told_what_it_names() {
    let lab = RunningLab::start("gcp");
    let file = lab.ready["google_credentials_file"].as_str().unwrap();
    let held: Value = serde_json::from_slice(&fs::read(file).unwrap()).unwrap();
    let pool = "//iam.googleapis.com/projects/123456789012/locations/global/workloadIdentityPools/crewai-pool";
    for (audience, told) in [
        (format!("{pool}/providers/crewai-provider").replace("123456789012", "crewai-lab"), "STS wants its number"),
        (pool.to_owned(), "is a pool's name; the provider is behind it"),
        (format!("{pool}/providers/crewai-provider").replace("/global/", "/us/"), "pools are global"),
    ] {
        let changed = lab.folder.join("changed.json");
        let mut text = held.clone();
        text["audience"] = audience.clone().into();
        fs::write(&changed, text.to_string()).unwrap();
        let output = trustline()
            .args(["check", "--set", "guide=gcp-workload-identity"])
            .env("GOOGLE_APPLICATION_CREDENTIALS", &changed)
            .env("GOOGLE_CLOUD_PROJECT", "crewai-lab")
            .output()
            .unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.code() == Some(2) && said.contains(told), "{audience}: {said}");
    }
}
