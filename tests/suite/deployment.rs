//! The running deployment as a check and as a client: what it answers, what stands in the way, and what must not leak.

use std::collections::HashMap;
use std::time::Duration;

use secrecy::SecretString;
use serde_json::{Map, Value, json};
use trustline::check::facts::deployment::{Kickoff, RunState};
use trustline::check::facts::network::FailureKind;
use trustline::check::facts::secret::Answer;
use trustline::probe::deployment::{DeploymentError, DeploymentTarget};
use trustline::probe::http::{HttpSettings, HttpStack, ProxyUse};

use super::servers::{self, Reply, Server};
use super::support::trustline;

const TOKEN: &str = "planted-bearer-token-0123456789";

/// The report of `check`, of the lab's deployment alone, with changed settings.
fn report(scenario: &str, settings: &[&str]) -> (Value, i32) {
    let mut command = trustline();
    command.args(["check", "--lab", scenario, "--only", "deployment.reachable", "--output", "json"]);
    for setting in settings {
        command.args(["--set", setting]);
    }
    let output = command.output().unwrap();
    let report: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{output:?}"));
    (report, output.status.code().unwrap())
}

/// Outcome, exit status, first cause and facts of the check.
fn told(answer: &(Value, i32)) -> (String, i32, String, Value) {
    let checks = answer.0["checks"].as_array().unwrap();
    let check = checks.iter().find(|check| check["id"] == "deployment.reachable").unwrap();
    let cause = answer.0["findings"][0]["cause"].as_str().unwrap_or_default();
    (check["outcome"].as_str().unwrap().to_owned(), answer.1, cause.to_owned(), check["facts"].clone())
}

#[test]
fn each_obstacle_has_its_cause() {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "[1]").unwrap();
    let inputs = format!("deployment.inputs={}", file.path().display());
    for (scenario, settings, outcome, code, cause) in [
        ("healthy", &[][..], "pass", 0, ""),
        ("azure", &[], "pass", 0, ""),
        ("deployment-token-wrong", &[], "fail", 1, "deployment-token-wrong"),
        ("deployment-unreachable", &[], "fail", 1, "deployment-unreachable"),
        ("deployment-inputs-missing", &[], "warn", 0, "deployment-inputs-missing"),
        ("healthy", &["deployment.url=http://127.0.0.1:1"], "fail", 1, "deployment-unreachable"),
        ("healthy", &["deployment.token-file=/nonexistent/token"], "fail", 1, "env-not-set"),
        ("healthy", &[&inputs], "warn", 0, "deployment-inputs-missing"),
    ] {
        let (found, exit, first, facts) = told(&report(scenario, settings));
        assert_eq!(
            (found.as_str(), exit, first.as_str()),
            (outcome, code, cause),
            "{scenario} {settings:?}: {facts:#}"
        );
    }
}

#[test]
fn the_report_names_the_step_the_hops_and_the_place_of_the_token() {
    let (answer, _) = report("deployment-token-wrong", &[]);
    assert_eq!(answer["findings"][0]["guide"], "aws-workload-identity");
    assert!(answer["findings"][0]["step"].is_u64(), "{answer:#}");
    let (_, _, _, facts) = told(&report("healthy", &[]));
    assert!(facts["token"].as_str().unwrap().ends_with("/deployment-token"), "{facts:#}");
    let hops: Vec<&str> =
        facts["exchange"]["hops"].as_array().unwrap().iter().map(|hop| hop["name"].as_str().unwrap()).collect();
    assert_eq!(hops, ["connect", "tls", "request", "body"], "{facts:#}");
    assert!(facts["exchange"]["url"].as_str().unwrap().ends_with("/inputs"));
}

fn target(server: &Server, path: &str) -> DeploymentTarget {
    let http = HttpStack::new(&HttpSettings {
        ca_pem: None,
        ca_of_clients: Vec::new(),
        timeout: Duration::from_secs(5),
        proxy: ProxyUse::None,
    })
    .unwrap();
    let url = format!("http://127.0.0.1:{}{path}", server.port);
    DeploymentTarget::new(http, &url, Some(SecretString::from(TOKEN))).unwrap()
}

fn serving(replies: impl Fn() -> Vec<(&'static str, Reply)>) -> Server {
    servers::plain(move |_| replies().into_iter().collect::<HashMap<_, _>>())
}

#[tokio::test]
async fn answers_are_bounded_and_strangers_words_are_not_kept() {
    let server = serving(|| {
        vec![
            (
                "/inputs",
                servers::http(
                    "401 Unauthorized",
                    &[],
                    &json!({ "detail": format!("no: {TOKEN}\u{1b}[2J") }).to_string(),
                ),
            ),
            ("/html/inputs", servers::http("200 OK", &["Content-Type: text/html"], "<html>planted page</html>")),
            ("/huge/inputs", servers::json(&format!("[\"{}\"]", "x".repeat(2 << 20)))),
            ("/moved/inputs", servers::http("302 Found", &["Location: https://elsewhere.example.com/"], "")),
            ("/deep/status/a", servers::json(&format!("{}{}", "[".repeat(10_000), "]".repeat(10_000)))),
            (
                "/lines/status/a",
                servers::json(&json!({ "status": "completed", "result": "planted value" }).to_string()),
            ),
        ]
    });
    let refused = target(&server, "").inputs().await;
    let message = &refused.refusal().unwrap().message;
    assert!(message.starts_with("no: [withheld]") && !message.contains(TOKEN), "{message}");
    let html = target(&server, "/html").inputs().await;
    assert!(matches!(&html.answer, Answer::Unreadable { http_status: Some(200), .. }), "{html:?}");
    assert!(!serde_json::to_string(&html).unwrap().contains("planted"));
    let huge = target(&server, "/huge").inputs().await;
    let Answer::Network { failure } = &huge.answer else { panic!("{huge:?}") };
    assert!(matches!(failure.kind, FailureKind::TooLarge { .. }), "{failure:?}");
    let moved = target(&server, "/moved/").inputs().await;
    assert!(matches!(&moved.answer, Answer::Unreadable { detail, .. } if detail.contains("elsewhere")), "{moved:?}");
    let run = Kickoff { kickoff_id: "a".into() };
    let deep = target(&server, "/deep").status(&run).await;
    assert!(matches!(&deep.answer, Answer::Unreadable { .. }), "{:?}", deep.answer);
    let ended = target(&server, "/lines").status(&run).await;
    assert_eq!(ended.granted().map(|status| status.state), Some(RunState::Completed));
    assert!(!serde_json::to_string(&ended).unwrap().contains("planted"));
}

#[tokio::test]
async fn a_kickoff_needs_an_id_that_leads_nowhere_else() {
    let server = serving(|| {
        vec![
            ("/kickoff", servers::json(r#"{"kickoff_id":"../admin"}"#)),
            ("/old/kickoff", servers::json(r#"{"id":"7b0c"}"#)),
        ]
    });
    let odd = target(&server, "").kickoff(&Map::new()).await;
    assert!(matches!(odd.call.answer, Answer::Unreadable { .. }), "{odd:?}");
    let old = target(&server, "/old").kickoff(&Map::new()).await;
    assert_eq!(old.call.granted().map(|kickoff| kickoff.kickoff_id.as_str()), Some("7b0c"));
}

#[test]
fn a_token_is_never_sent_in_the_clear() {
    let http = HttpStack::new(&HttpSettings {
        ca_pem: None,
        ca_of_clients: Vec::new(),
        timeout: Duration::from_secs(5),
        proxy: ProxyUse::None,
    })
    .unwrap();
    for (url, refused) in [
        ("http://my-crew.example.com", true),
        ("ftp://my-crew.example.com", true),
        ("http://127.0.0.1:9", false),
        ("https://my-crew.example.com/prefix", false),
    ] {
        let made = DeploymentTarget::new(http.clone(), url, Some(SecretString::from(TOKEN)));
        assert_eq!(matches!(made, Err(DeploymentError::Clear(_))), refused, "{url}");
    }
    assert!(matches!(DeploymentTarget::new(http, "no url", None), Err(DeploymentError::Address(_))));
}

#[test]
fn a_variable_holds_the_token_too() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let profile = |url: &str| {
        let text = format!(
            "guide = \"aws-static\"\n[aws]\nregion = \"us-east-1\"\n[deployment]\nurl = \"{url}\"\ntoken-env = \"PLANTED_TOKEN\"\n"
        );
        std::fs::write(file.path(), text).unwrap();
    };
    let server = serving(|| vec![("/inputs", servers::json(r#"{"inputs":[]}"#))]);
    profile(&format!("http://127.0.0.1:{}", server.port));
    let check = |token: Option<&str>| {
        let mut command = trustline();
        command
            .args(["check", "--only", "deployment.reachable", "--output", "json"])
            .args(["--allow-host", "127.0.0.1", "--allow-env", "PLANTED_TOKEN", "--profile-file"])
            .arg(file.path());
        command.env_remove("PLANTED_TOKEN");
        if let Some(token) = token {
            command.env("PLANTED_TOKEN", token);
        }
        let output = command.output().unwrap();
        let report: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{output:?}"));
        let (outcome, _, cause, _) = told(&(report, output.status.code().unwrap()));
        (outcome, cause)
    };
    assert_eq!(check(Some(TOKEN)), ("pass".into(), String::new()));
    assert_eq!(check(None), ("fail".into(), "env-not-set".into()));
    assert_eq!(check(Some("")), ("fail".into(), "env-not-set".into()));
}
