//! A profile from elsewhere sends nothing of this machine anywhere unasked, and nobody's token goes out in the clear.

use std::collections::HashMap;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use crate::servers::{Server, plain};
use crate::support::{RunningLab, trustline};

/// The lab's profile in a folder of its own, with one value changed.
fn changed(lab: &RunningLab, folder: &Path, key: &str, value: &str) -> PathBuf {
    let profile = fs::read_to_string(lab.file("profile.toml")).unwrap();
    for name in ["token.jwt", "trust-policy.json", "identity-policy.json", "deployment-token"] {
        let _ = fs::copy(lab.file(name), folder.join(name));
    }
    let lines: Vec<String> = profile
        .lines()
        .map(|line| if line.starts_with(&format!("{key} = ")) { format!("{key} = {value:?}") } else { line.to_owned() })
        .collect();
    let path = folder.join("p.toml");
    fs::write(&path, lines.join("\n")).unwrap();
    path
}

/// Checks with a profile; yields the status, and what was said on both streams.
fn check(lab: &RunningLab, profile: &Path, more: &[&str]) -> (Option<i32>, String) {
    let mut command = trustline();
    command
        .args(["check", "--timeout", "5", "--ca-file", &lab.file("ca.pem"), "--profile-file"])
        .arg(profile)
        .args(more);
    let output =
        command.env("NO_PROXY", "127.0.0.1,localhost").env("OF_THIS_MACHINE", "planted-variable-0").output().unwrap();
    let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    (output.status.code(), said)
}

fn listener() -> Server {
    plain(|_| HashMap::new())
}

fn arrived(server: &Server) -> usize {
    server.requests.lock().unwrap().len()
}

#[test]
fn plain_http_is_asked_about_on_this_machine_and_refused_elsewhere() {
    let (lab, server, folder) = (RunningLab::start("healthy"), listener(), tempfile::tempdir().unwrap());
    for host in ["127.0.0.1", "localhost", "evil.localhost"] {
        let profile = changed(&lab, folder.path(), "sts-endpoint-url", &format!("http://{host}:{}", server.port));
        let resolve = format!("{host}=127.0.0.1");
        let (status, said) = check(&lab, &profile, &["--resolve", &resolve]);
        let asked = format!("--allow-host {host}:{}", server.port);
        assert!(status == Some(2) && said.contains(&asked) && said.contains("plain http"), "{host}: {said}");
    }
    assert_eq!(arrived(&server), 0);
    let profile = changed(&lab, folder.path(), "sts-endpoint-url", &format!("http://127.0.0.1:{}", server.port));
    for allowed in ["127.0.0.1".to_owned(), format!("127.0.0.1:{}", server.port)] {
        check(&lab, &profile, &["--allow-host", &allowed]);
    }
    assert_eq!(arrived(&server), 2, "a host alone is allowed with every port");
    let (status, said) = check(&lab, &profile, &["--allow-host", "127.0.0.1:1"]);
    assert_eq!((status, arrived(&server)), (Some(2), 2), "{said}");

    for far in ["http://sts.us-east-1.amazonaws.com", "http://sts.s3.amazonaws.com", "http://localstack:4566"] {
        let profile = changed(&lab, folder.path(), "sts-endpoint-url", far);
        let host = far.trim_start_matches("http://").split(':').next().unwrap();
        let (status, said) = check(&lab, &profile, &["--allow-host", host, "--resolve", &format!("{host}=127.0.0.1")]);
        assert!(status == Some(2) && said.contains("is plain http"), "{far}: {said}");
    }
    let profile = changed(&lab, folder.path(), "sts-endpoint-url", "https://sts.s3.amazonaws.com");
    let (status, said) = check(&lab, &profile, &[]);
    assert!(status == Some(2) && said.contains("--allow-host sts.s3.amazonaws.com"), "{said}");
}

#[test]
fn ones_own_settings_send_nothing_over_plain_http_to_another_machine() {
    let output = trustline()
        .args(["check", "--set", "aws.role-arn=arn:aws:iam::123456789012:role/r", "--set", "aws.region=us-east-1"])
        .env("AWS_ENDPOINT_URL_STS", "http://sts.us-east-1.amazonaws.com")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains("AWS_ENDPOINT_URL_STS") && said.contains("https://sts.us-east-1.amazonaws.com"), "{said}");
}

#[test]
fn files_and_variables_of_this_machine_are_asked_about() {
    let (lab, folder, other) =
        (RunningLab::start("healthy"), tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let token = fs::read_to_string(lab.file("token.jwt")).unwrap();
    let outside = other.path().join("token");
    fs::write(&outside, token).unwrap();
    symlink(&outside, folder.path().join("link")).unwrap();
    let outside = outside.to_str().unwrap();
    for named in [outside, "link", &format!("../{}/token", other.path().file_name().unwrap().to_str().unwrap())] {
        let profile = changed(&lab, folder.path(), "file", named);
        let (status, said) = check(&lab, &profile, &[]);
        assert!(status == Some(2) && said.contains("--allow-file") && said.contains("token.file"), "{named}: {said}");
        let (status, said) = check(&lab, &profile, &["--allow-file", outside]);
        assert_eq!(status, Some(0), "{named}: {said}");
    }
    let profile = changed(&lab, folder.path(), "file", "token.jwt");
    assert_eq!(check(&lab, &profile, &[]).0, Some(0), "what is beside the profile came with it");

    let profile = changed(&lab, folder.path(), "file", "token.jwt");
    let by_variable =
        fs::read_to_string(&profile).unwrap().replace("file = \"token.jwt\"", "env = \"OF_THIS_MACHINE\"");
    fs::write(&profile, by_variable).unwrap();
    let (status, said) = check(&lab, &profile, &[]);
    assert!(status == Some(2) && said.contains("--allow-env OF_THIS_MACHINE"), "{said}");
    assert!(!said.contains("planted-variable-0"), "{said}");
}

#[test]
fn what_is_no_token_is_not_sent_as_one() {
    let (lab, server, folder) = (RunningLab::start("healthy"), listener(), tempfile::tempdir().unwrap());
    let endpoint = format!("http://127.0.0.1:{}", server.port);
    for held in [
        "-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA.BBBB.CCCC\n-----END OPENSSH PRIVATE KEY-----\n",
        "opaque-0123456789",
        "a.b.c",
        "e30.e30",
    ] {
        let profile = changed(&lab, folder.path(), "sts-endpoint-url", &endpoint);
        fs::write(folder.path().join("token.jwt"), held).unwrap();
        let (status, said) = check(&lab, &profile, &["--allow-host", "127.0.0.1"]);
        assert!(status == Some(1) && said.contains("blocked by token.shape"), "{held}: {said}");
    }
    assert_eq!(arrived(&server), 0);
    let profile = changed(&lab, folder.path(), "sts-endpoint-url", &endpoint);
    check(&lab, &profile, &["--allow-host", "127.0.0.1"]);
    assert_eq!(arrived(&server), 1, "a token is sent");
}
