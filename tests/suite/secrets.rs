//! Planted secrets appear nowhere: not raw, not encoded, not in part.

use std::fs;

use base64::Engine as _;
use base64::prelude::{BASE64_STANDARD, BASE64_STANDARD_NO_PAD, BASE64_URL_SAFE, BASE64_URL_SAFE_NO_PAD};

use super::support::{RunningLab, trustline};

const PLANTED: &str = "canary+value/7f3e81c4\"9d20";

/// A lab with a planted secret value.
fn lab() -> RunningLab {
    let secret = "[aws.secrets.crewai-test-keyword]\nversions = [{ stages = [\"AWSCURRENT\"], value = '";
    RunningLab::world(&format!(
        "name = \"planted\"\ntitle = \"a planted value\"\nguide = \"aws-workload-identity\"\n{secret}{PLANTED}' }}]\n"
    ))
}

/// The forms in which a secret could leave.
fn forms(secret: &str) -> Vec<String> {
    let bytes = secret.as_bytes();
    let hex: String = bytes.iter().map(|b| format!("{b:02x}")).collect();
    let json = serde_json::to_string(secret).unwrap();
    vec![
        secret.to_owned(),
        json.trim_matches('"').to_owned(),
        url::form_urlencoded::byte_serialize(bytes).collect(),
        hex.to_uppercase(),
        hex,
        BASE64_STANDARD.encode(bytes),
        BASE64_STANDARD_NO_PAD.encode(bytes),
        BASE64_URL_SAFE.encode(bytes),
        BASE64_URL_SAFE_NO_PAD.encode(bytes),
    ]
}

fn assert_absent(what: &str, text: &str, token: &str) {
    let segments: Vec<&str> = token.split('.').collect();
    // Header and claims are shown decoded; a raw segment of the token, and above all its signature, is not.
    let mut secrets = vec![PLANTED, token];
    secrets.extend(&segments);
    for secret in secrets {
        for form in forms(secret) {
            assert!(!text.contains(&form), "{what} holds a planted secret as {form}");
        }
    }
}

#[test]
fn planted_secrets_appear_nowhere() {
    let lab = lab();
    let token = fs::read_to_string(lab.file("token.jwt")).unwrap();
    let (profile, ca) = (lab.file("profile.toml"), lab.file("ca.pem"));
    let out = tempfile::tempdir().unwrap();
    for form in ["text", "json", "junit", "markdown"] {
        let recording = out.path().join(form);
        let output = trustline()
            .args(["check", "--profile-file", &profile, "--ca-file", &ca, "--output", form, "--record"])
            .arg(&recording)
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
        assert_absent(form, &String::from_utf8_lossy(&output.stdout), &token);
        assert_absent(form, &String::from_utf8_lossy(&output.stderr), &token);
        assert_absent("the recording", &fs::read_to_string(recording).unwrap(), &token);
    }
    let file = lab.file("token.jwt");
    for arguments in [
        vec!["token", &file],
        vec!["token", &file, "--output", "json"],
        vec!["trust", "--policy", &lab.file("trust-policy.json"), "--token", &file],
        vec!["trust", "--policy", &lab.file("trust-policy.json"), "--token", &file, "--output", "json"],
        vec!["token", "/nonexistent", "--env", "NO_SUCH_VARIABLE"],
    ] {
        let output = trustline().args(&arguments).output().unwrap();
        assert_absent(arguments[0], &String::from_utf8_lossy(&output.stdout), &token);
        assert_absent(arguments[0], &String::from_utf8_lossy(&output.stderr), &token);
    }
    let text =
        format!("Error: request failed\n  token={token}\n  Not authorized to perform sts:AssumeRoleWithWebIdentity");
    let output = trustline().args(["explain", "--output", "json"]).write_stdin(text).output().unwrap();
    assert_absent("explain", &String::from_utf8_lossy(&output.stdout), &token);
}
