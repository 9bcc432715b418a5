//! The user's own client: what breaks it where trustline's exchange goes well, and what is known of it.

use std::fs;
use std::path::PathBuf;

use serde_json::{Value, json};
use tempfile::TempDir;

use super::support::{RunningLab, trustline};

/// A workload's surroundings at a lab: the token in a file of its own, an empty home.
struct Workload {
    lab: RunningLab,
    home: TempDir,
    token: PathBuf,
    cloud: Cloud,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Cloud {
    Aws,
    Azure,
}

/// What differs from the healthy surroundings, and for whom it breaks.
struct Row {
    name: &'static str,
    set: &'static [(&'static str, &'static str)],
    files: &'static [(&'static str, &'static str)],
    /// What stands before and behind the token in its file.
    around_token: (&'static str, &'static str),
    client: &'static str,
    check: &'static str,
    cause: &'static str,
    outcome: &'static str,
}

const ROW: Row = Row {
    name: "",
    set: &[],
    files: &[],
    around_token: ("", ""),
    client: "boto3",
    check: "client.credentials",
    cause: "env-conflict",
    outcome: "fail",
};

impl Workload {
    fn at(scenario: &str, cloud: Cloud) -> Workload {
        Workload::of(RunningLab::start(scenario), cloud)
    }

    fn of(lab: RunningLab, cloud: Cloud) -> Workload {
        let home = TempDir::new().unwrap();
        let token = home.path().join("token.jwt");
        Workload { lab, home, token, cloud }
    }

    fn ready(&self, name: &str) -> &str {
        self.lab.ready[name].as_str().unwrap_or_else(|| panic!("{name}: {:#}", self.lab.ready))
    }

    /// Runs `check` where the row's surroundings are; its report and its exit status.
    fn check(&self, row: &Row, arguments: &[&str]) -> (Value, i32) {
        let bare = fs::read_to_string(self.lab.file("token.jwt")).unwrap();
        let (before, behind) = row.around_token;
        fs::write(&self.token, format!("{before}{}{behind}", bare.trim())).unwrap();
        fs::remove_dir_all(self.home.path().join(".aws")).ok();
        for (path, text) in row.files {
            let path = self.home.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        let own = match self.cloud {
            Cloud::Aws => vec![
                ("AWS_ROLE_ARN", self.ready("role_arn")),
                ("AWS_WEB_IDENTITY_TOKEN_FILE", self.token.to_str().unwrap()),
                ("AWS_REGION", "us-east-1"),
                ("AWS_DEFAULT_REGION", "us-east-1"),
            ],
            Cloud::Azure => vec![
                ("AZURE_TENANT_ID", self.ready("tenant_id")),
                ("AZURE_CLIENT_ID", self.ready("client_id")),
                ("AZURE_FEDERATED_TOKEN_FILE", self.token.to_str().unwrap()),
            ],
        };
        let at = |key: &str, name: &str| format!("{key}={}", self.ready(name));
        let settings = match self.cloud {
            Cloud::Aws => {
                vec![at("aws.sts-endpoint-url", "sts"), at("aws.secretsmanager-endpoint-url", "secretsmanager")]
            }
            Cloud::Azure => vec![at("azure.authority-host", "entra"), at("azure.vault-url", "vault")],
        };
        let settings = settings.into_iter().chain([at("issuer.url", "issuer"), at("secret.name", "secret")]);
        let mut command = trustline();
        command.env("HOME", self.home.path()).envs(own).args(["check", "--output", "json", "--ca-file"]);
        command.arg(self.ready("ca_file")).args(settings.flat_map(|setting| ["--set".to_owned(), setting]));
        for (name, value) in row.set {
            if *value == UNSET {
                command.env_remove(name)
            } else {
                command.env(name, value)
            };
        }
        let output = command.args(arguments).output().unwrap();
        let report = serde_json::from_slice(&output.stdout)
            .unwrap_or_else(|error| panic!("{}: {error}: {}", row.name, String::from_utf8_lossy(&output.stderr)));
        (report, output.status.code().unwrap())
    }
}

/// Stands for a variable that the row does not have.
const UNSET: &str = "(not set)";

fn outcome<'r>(report: &'r Value, id: &str) -> &'r str {
    let checks = report["checks"].as_array().unwrap();
    checks.iter().find(|check| check["id"] == id).and_then(|check| check["outcome"].as_str()).unwrap_or("absent")
}

fn causes_of<'r>(report: &'r Value, id: &str) -> Vec<&'r str> {
    let findings = report["findings"].as_array().unwrap();
    findings.iter().filter(|finding| finding["check"] == id).filter_map(|finding| finding["cause"].as_str()).collect()
}

/// Each row passed unnoticed where only trustline's own exchange was looked at.
fn hold(workload: &Workload, rows: &[Row]) {
    for row in rows {
        let (named, code) = workload.check(row, &["--client", row.client]);
        assert_eq!(outcome(&named, row.check), row.outcome, "{}: {named:#}", row.name);
        assert!(causes_of(&named, row.check).contains(&row.cause), "{}: {named:#}", row.name);
        assert_eq!(code, i32::from(row.outcome == "fail"), "{}", row.name);
    }
}

const KEYS: &str =
    "aws_access_key_id = AKIAIOSFODNN7EXAMPLE\naws_secret_access_key = planted/secret/access/key/0123456789abcd\n";
const DEFAULT_KEYS: &str = "[default]\naws_access_key_id = AKIAIOSFODNN7EXAMPLE\naws_secret_access_key = planted/secret/access/key/0123456789abcd\n";
const NAMED_KEYS: &str =
    "[x]\naws_access_key_id = AKIAIOSFODNN7EXAMPLE\naws_secret_access_key = planted/secret/access/key/0123456789abcd\n";
const KEPT: &str = r#"{"Credentials": {"AccessKeyId": "ASIA", "SecretAccessKey": "planted", "SessionToken": "planted", "Expiration": "2970-01-01T00:00:00Z"}, "AssumedRoleUser": {"Arn": "arn:aws:sts::123456789012:assumed-role/crewai-secrets-reader/botocore-session-1"}}"#;

#[test]
fn what_breaks_a_client_at_aws_is_told_of_that_client() {
    let workload = Workload::at("healthy", Cloud::Aws);
    let (healthy, code) = workload.check(&ROW, &["--client", "boto3,js-v3,aws-cli-v2,obstore"]);
    assert_eq!((code, healthy["verdict"].as_str()), (0, Some("pass")), "{healthy:#}");
    for id in ["client.credentials", "client.token-file"] {
        assert_eq!(outcome(&healthy, id), "pass", "{healthy:#}");
    }
    let endpoint = Row { check: "client.endpoint", ..ROW };
    let ignored = Row { cause: "client-setting-ignored", ..endpoint };
    hold(
        &workload,
        &[
            Row { name: "AWS_REGION alone", set: &[("AWS_DEFAULT_REGION", UNSET)], cause: "env-not-set", ..endpoint },
            Row {
                name: "AWS_DEFAULT_REGION alone",
                set: &[("AWS_REGION", UNSET)],
                client: "js-v3",
                cause: "env-not-set",
                ..endpoint
            },
            Row { name: "two regions", set: &[("AWS_DEFAULT_REGION", "eu-west-3")], cause: "env-conflict", ..endpoint },
            Row {
                name: "a line feed after the token",
                around_token: ("", "\n"),
                check: "client.token-file",
                cause: "token-not-bare",
                ..ROW
            },
            Row {
                name: "a blank before the token",
                around_token: (" ", ""),
                client: "js-v3",
                check: "client.token-file",
                cause: "token-not-bare",
                ..ROW
            },
            Row {
                name: "keys in the environment",
                set: &[("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE"), ("AWS_SECRET_ACCESS_KEY", "planted")],
                client: "go-v2",
                ..ROW
            },
            Row {
                name: "a profile with keys",
                set: &[("AWS_PROFILE", "x")],
                files: &[(".aws/credentials", NAMED_KEYS)],
                client: "js-v3",
                ..ROW
            },
            Row {
                name: "a default profile with keys",
                files: &[(".aws/credentials", DEFAULT_KEYS)],
                client: "js-v3",
                ..ROW
            },
            Row { name: "a profile that is not there", set: &[("AWS_PROFILE", "nosuch")], ..ROW },
            Row {
                name: "empty keys",
                set: &[("AWS_ACCESS_KEY_ID", ""), ("AWS_SECRET_ACCESS_KEY", "")],
                client: "obstore",
                ..ROW
            },
            Row {
                name: "an endpoint with a scheme, for who takes a host name",
                set: &[("AWS_ENDPOINT_URL_STS", "https://vpce.example")],
                client: "pyarrow",
                ..ignored
            },
            Row {
                name: "an endpoint, for who reads none",
                set: &[("AWS_ENDPOINT_URL_STS", "https://vpce.example")],
                client: "opendal",
                ..ignored
            },
            Row {
                name: "a proxy, for who reads none",
                set: &[("HTTPS_PROXY", "http://127.0.0.1:9"), ("NO_PROXY", "127.0.0.1,localhost")],
                client: "js-v3",
                outcome: "warn",
                ..ignored
            },
            Row {
                name: "a session that the command line kept",
                files: &[(".aws/cli/cache/0123.json", KEPT)],
                client: "aws-cli-v2",
                cause: "client-session-cached",
                outcome: "warn",
                ..ROW
            },
        ],
    );
}

#[test]
fn an_authority_that_only_one_variable_brings_is_missing_for_who_does_not_read_it() {
    let workload = Workload::at("healthy", Cloud::Aws);
    let authority = workload.ready("ca_file").to_owned();
    for (variable, client, trusted) in [
        ("SSL_CERT_FILE", "boto3", false),
        ("SSL_CERT_FILE", "rust", true),
        ("AWS_CA_BUNDLE", "boto3", true),
        ("AWS_CA_BUNDLE", "js-v3", false),
        ("NODE_EXTRA_CA_CERTS", "js-v3", true),
    ] {
        let bare = fs::read_to_string(workload.lab.file("token.jwt")).unwrap();
        fs::write(&workload.token, bare.trim()).unwrap();
        let at = |key: &str, name: &str| format!("--set={key}={}", workload.ready(name));
        let output = trustline()
            .env("HOME", workload.home.path())
            .env("AWS_ROLE_ARN", workload.ready("role_arn"))
            .env("AWS_WEB_IDENTITY_TOKEN_FILE", &workload.token)
            .envs([("AWS_REGION", "us-east-1"), ("AWS_DEFAULT_REGION", "us-east-1")])
            .env(variable, &authority)
            .args(["check", "--output", "json", "--client", client])
            .args([at("issuer.url", "issuer"), at("secret.name", "secret")])
            .args([at("aws.sts-endpoint-url", "sts"), at("aws.secretsmanager-endpoint-url", "secretsmanager")])
            .output()
            .unwrap();
        let report: Value = serde_json::from_slice(&output.stdout).unwrap();
        // The exchange itself goes well: the authority is honoured whichever of the variables names it.
        assert_eq!(outcome(&report, "aws.assume-role-with-web-identity"), "pass", "{variable}: {report:#}");
        let expected: &[&str] = if trusted { &[] } else { &["tls-untrusted"] };
        assert_eq!(causes_of(&report, "client.endpoint"), expected, "{variable} {client}: {report:#}");
        let said = &report["checks"].as_array().unwrap().iter().find(|check| check["id"] == "client.endpoint").unwrap()
            ["facts"];
        assert_eq!(said["authorities_of"], json!([variable]));
    }
}

#[test]
fn what_breaks_a_client_at_azure_is_told_of_that_client() {
    let workload = Workload::at("azure", Cloud::Azure);
    let (healthy, code) = workload.check(&ROW, &["--client", "azure-python,azure-js,azure-rust"]);
    assert_eq!((code, healthy["verdict"].as_str()), (0, Some("pass")), "{healthy:#}");
    let python = Row { client: "azure-python", ..ROW };
    hold(
        &workload,
        &[
            Row {
                name: "a line feed after the token",
                around_token: ("", "\n"),
                check: "client.token-file",
                cause: "token-not-bare",
                ..python
            },
            Row { name: "a client secret left", set: &[("AZURE_CLIENT_SECRET", "planted")], ..python },
            Row {
                name: "a user's password left",
                set: &[("AZURE_USERNAME", "u"), ("AZURE_PASSWORD", "planted")],
                client: "azure-js",
                ..ROW
            },
            Row {
                name: "a chain without the workload's identity",
                set: &[("AZURE_TOKEN_CREDENTIALS", "dev")],
                cause: "client-setting-ignored",
                ..python
            },
            Row {
                name: "the tenant in the authority",
                set: &[("AZURE_AUTHORITY_HOST", "https://login.example/4c1a2b3d-5e6f-4708-91a2-b3c4d5e6f708")],
                check: "client.endpoint",
                cause: "tenant-wrong",
                ..python
            },
            Row {
                name: "an authority without a slash, for GDAL",
                set: &[("AZURE_AUTHORITY_HOST", "https://login.example")],
                client: "rasterio",
                check: "client.endpoint",
                cause: "client-setting-ignored",
                ..ROW
            },
        ],
    );
}

#[test]
fn where_nobody_says_which_client_runs_the_common_ones_are_a_warning_behind_every_failure() {
    let workload = Workload::at("sub-mismatch", Cloud::Aws);
    let keys = Row {
        set: &[("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE"), ("AWS_SECRET_ACCESS_KEY", "planted")],
        around_token: ("", "\n"),
        ..ROW
    };
    let (report, code) = workload.check(&keys, &[]);
    assert_eq!((code, outcome(&report, "client.credentials")), (1, "warn"), "{report:#}");
    assert_eq!(report["findings"][0]["cause"], "sub-mismatch", "{report:#}");
    let told =
        report["findings"].as_array().unwrap().iter().find(|finding| finding["cause"] == "token-not-bare").unwrap();
    assert!(told["summary"].as_str().unwrap().contains("boto3"), "{told:#}");
    assert!(!report.to_string().contains("planted"), "a value of the environment is shown");
}

#[test]
fn no_client_is_judged_by_what_a_shell_exports_where_the_lab_is_meant() {
    let output = trustline()
        .envs([("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE"), ("AWS_SECRET_ACCESS_KEY", "planted")])
        .args(["check", "--lab", "--client", "boto3,gdal", "--output", "json"])
        .output()
        .unwrap();
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((output.status.code(), report["findings"].clone()), (Some(0), json!([])), "{report:#}");
    assert_eq!(outcome(&report, "client.credentials"), "pass");
}

#[test]
fn the_exchange_is_made_as_a_client_makes_it() {
    let workload = Workload::at("healthy", Cloud::Aws);
    let line_feed = Row { around_token: ("", "\n"), ..ROW };
    let (own, _) = workload.check(&line_feed, &[]);
    assert_eq!(outcome(&own, "aws.assume-role-with-web-identity"), "pass", "trustline sends the token alone");
    let (as_boto3, _) = workload.check(&line_feed, &["--as", "boto3"]);
    assert_eq!(outcome(&as_boto3, "aws.assume-role-with-web-identity"), "fail", "{as_boto3:#}");
    let (as_gdal, _) = workload.check(&line_feed, &["--as", "gdal"]);
    assert_eq!(outcome(&as_gdal, "aws.assume-role-with-web-identity"), "pass", "{as_gdal:#}");
    let session = as_gdal["checks"].to_string();
    assert!(session.contains("assumed-role/crewai-secrets-reader/gdal"), "{as_gdal:#}");
}

/// A trust that looks at who asks: STS refuses trustline's own exchange, and takes the one that is made as the client makes it.
#[test]
fn a_trust_that_wants_one_clients_agent_is_met_by_the_exchange_as_that_client() {
    let lab = RunningLab::world(
        r#"name = "agent"
title = "a trust that looks at the user agent and the session's name"

[aws.roles.crewai-secrets-reader]
trust-policy = '''
{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRoleWithWebIdentity",
  "Principal": {"Federated": "arn:aws:iam::${account}:oidc-provider/${issuer-host}"},
  "Condition": {"StringEquals": {"${issuer-host}:aud": "sts.amazonaws.com"},
    "StringLike": {"aws:UserAgent": "Boto3/*", "sts:RoleSessionName": "botocore-session-*"}}}]}
'''
"#,
    );
    let workload = Workload::of(lab, Cloud::Aws);
    for (arguments, expected) in [(&[][..], "fail"), (&["--as", "boto3"], "pass"), (&["--as", "js-v3"], "fail")] {
        let (report, _) = workload.check(&ROW, arguments);
        assert_eq!(outcome(&report, "aws.assume-role-with-web-identity"), expected, "{arguments:?}: {report:#}");
    }
}

#[test]
fn a_session_is_called_after_the_time_of_the_call() {
    let workload = Workload::at("healthy", Cloud::Aws);
    let (report, _) = workload.check(&ROW, &["--client", "boto3"]);
    let (_, behind) = report["checks"]
        .as_array()
        .unwrap()
        .iter()
        .find_map(|check| check["facts"]["assumed_role_arn"].as_str()?.split_once("/botocore-session-"))
        .unwrap_or_else(|| panic!("{report:#}"));
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    assert!(behind.parse::<u64>().unwrap().abs_diff(since) < 3600, "{behind}");
}

/// What follows the exchange is the client's own affair, and a warning beside what was found.
#[test]
fn what_a_client_does_after_the_answer_is_told_of_a_client_that_is_named() {
    let workload = Workload::at("sub-mismatch", Cloud::Aws);
    let (report, code) = workload.check(&ROW, &["--client", "pyarrow,boto3"]);
    assert_eq!((code, report["findings"][0]["cause"].as_str()), (1, Some("sub-mismatch")), "{report:#}");
    assert_eq!(causes_of(&report, "client.credentials"), ["env-conflict"], "{report:#}");
    let told =
        report["findings"].as_array().unwrap().iter().find(|told| told["check"] == "client.credentials").unwrap();
    let summary = told["summary"].as_str().unwrap();
    assert!(summary.starts_with("pyarrow") && summary.contains("4 times"), "{summary}");
    let (unnamed, _) = workload.check(&ROW, &[]);
    assert_eq!(causes_of(&unnamed, "client.credentials"), [""; 0], "{unnamed:#}");

    let healthy = Workload::at("healthy", Cloud::Aws);
    let (short, code) = healthy.check(&ROW, &["--client", "boto3,js-v3", "--set", "aws.session-duration-s=900"]);
    assert_eq!((code, causes_of(&short, "client.credentials")), (0, vec!["session-duration"]), "{short:#}");
}

/// The lab's own trust is another; this one is judged offline.
#[test]
fn a_trust_that_looks_at_the_client_is_evaluated_with_the_clients_own_defaults() {
    let workload = Workload::at("healthy", Cloud::Aws);
    let trust: Value =
        serde_json::from_str(&fs::read_to_string(workload.lab.file("trust-policy.json")).unwrap()).unwrap();
    let outcome_for = |client: &str, key: &str, value: &str| {
        let mut narrowed = trust.clone();
        narrowed["Statement"][0]["Condition"]["StringLike"] = json!({ key: value });
        let file = workload.home.path().join("trust.json");
        fs::write(&file, narrowed.to_string()).unwrap();
        let setting = format!("aws.trust-policy={}", file.display());
        let (report, _) = workload.check(&ROW, &["--client", client, "--set", &setting]);
        outcome(&report, "trust.policy").to_owned()
    };
    for (key, value, met, not_met) in [
        ("sts:RoleSessionName", "botocore-session-*", "boto3", "obstore"),
        ("aws:UserAgent", "Boto3/*", "boto3", "js-v3"),
    ] {
        assert_eq!(
            (outcome_for(met, key, value).as_str(), outcome_for(not_met, key, value).as_str()),
            ("pass", "fail"),
            "{key}"
        );
        // Several clients are judged each by its own request.
        assert_eq!(outcome_for(&format!("{met},{not_met}"), key, value), "fail", "{key}");
        assert_eq!(outcome_for(&format!("{not_met},{met}"), key, value), "fail", "{key}");
    }
}

#[test]
fn what_is_known_of_clients_is_printed_for_people_and_for_programs() {
    let text = |arguments: &[&str]| {
        let output = trustline().arg("clients").args(arguments).output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    let list = text(&[]);
    assert!(list.contains("boto3") && list.contains("azure-python"), "{list}");
    let one = text(&["boto3"]);
    assert!(one.contains("AWS_DEFAULT_REGION") && one.contains("measured 2026-11-30"), "{one}");
    let compared = text(&["boto3", "opendal", "--on", "token"]);
    let line = |client: &str| compared.lines().find(|line| line.contains(client)).unwrap().to_owned();
    assert!(line("boto3").contains("as-is") && line("opendal").contains("trimmed"), "{compared}");
    let json: Value = serde_json::from_str(&text(&["boto3", "js-v3", "--output", "json"])).unwrap();
    assert_eq!(json["schema"], "trustline.clients/1");
    assert_eq!(json["clients"][1]["behaviours"]["aws"]["region-variables"], json!(["AWS_REGION"]));
    let unknown = trustline().args(["clients", "boto4"]).output().unwrap();
    assert_eq!(unknown.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&unknown.stderr).contains("boto3"));
}

#[test]
fn what_each_would_take_here_follows_the_surroundings() {
    let home = TempDir::new().unwrap();
    fs::create_dir_all(home.path().join(".aws")).unwrap();
    fs::write(home.path().join(".aws/credentials"), format!("[default]\n{KEYS}")).unwrap();
    fs::write(home.path().join("token"), "t").unwrap();
    let output = trustline()
        .env("HOME", home.path())
        .env("AWS_ROLE_ARN", "arn:aws:iam::123456789012:role/r")
        .env("AWS_WEB_IDENTITY_TOKEN_FILE", home.path().join("token"))
        .env("AWS_REGION", "eu-west-1")
        .args(["clients", "boto3", "js-v3", "--env", "--output", "json"])
        .output()
        .unwrap();
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    let choice = &document["choice"];
    assert_eq!(choice["boto3"]["aws"], json!({ "source": "the web identity", "asks": "sts.amazonaws.com" }));
    assert_eq!(choice["js-v3"]["aws"]["source"], "the keys of the shared files' default profile", "{choice:#}");
    assert!(!document.to_string().contains("planted"));
}
