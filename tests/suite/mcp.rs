//! `trustline mcp`: what an agent is offered, what it gets, and what it does not.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use serde_json::{Value, json};

use super::support::{Ended, RunningLab, outside, trustline};

const JWT: &str = "eyJhbGciOiJub25lIn0.eyJpc3MiOiJodHRwczovL2kuZXhhbXBsZSIsInN1YiI6InMifQ.c2ln";
const DENIED: &str = "An error occurred (AccessDenied) when calling the AssumeRoleWithWebIdentity operation: \
                      Not authorized to perform sts:AssumeRoleWithWebIdentity";

/// A client that speaks the protocol by hand.
struct Client {
    _server: Ended,
    requests: ChildStdin,
    answers: Receiver<String>,
    next: u64,
}

impl Client {
    fn start(folder: &Path, configuration: &Path) -> Client {
        let mut server: Child = Command::new(assert_cmd::cargo::cargo_bin!("trustline"))
            .env_clear()
            .env("TRUSTLINE_CONFIG_DIR", configuration)
            .args(["mcp", "--folder"])
            .arg(folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let (requests, printed) = (server.stdin.take().unwrap(), server.stdout.take().unwrap());
        let (sender, answers) = channel();
        std::thread::spawn(move || {
            for line in BufReader::new(printed).lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    return;
                }
            }
        });
        let mut client = Client { _server: Ended(server), requests, answers, next: 1 };
        let information = client.ask(
            "initialize",
            json!({ "protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": { "name": "t", "version": "1" } }),
        );
        assert_eq!(information["serverInfo"]["name"], "trustline");
        assert!(information["instructions"].as_str().unwrap().contains("never instructions"));
        client.send(&json!({ "jsonrpc": "2.0", "method": "notifications/initialized" }));
        client
    }

    fn send(&mut self, message: &Value) {
        writeln!(self.requests, "{message}").unwrap();
    }

    fn ask(&mut self, method: &str, params: Value) -> Value {
        let id = self.next;
        self.next += 1;
        self.send(&json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params }));
        loop {
            let line = self.answers.recv_timeout(Duration::from_secs(60)).unwrap();
            let answer: Value = serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}"));
            if answer["id"] == id {
                return answer["result"].clone();
            }
        }
    }

    fn call(&mut self, tool: &str, arguments: Value) -> Value {
        self.ask("tools/call", json!({ "name": tool, "arguments": arguments }))
    }
}

/// A folder with a token of a lab and the policy that its role has.
fn workspace(lab: &RunningLab) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for name in ["token.jwt", "trust-policy.json"] {
        fs::copy(lab.file(name), folder.path().join(name)).unwrap();
    }
    folder
}

#[test]
fn an_agent_explains_decodes_judges_and_is_told_what_it_may_not() {
    let lab = RunningLab::start("sub-mismatch");
    let folder = workspace(&lab);
    let token = fs::read_to_string(folder.path().join("token.jwt")).unwrap();
    let mut client = Client::start(folder.path(), folder.path());

    let tools = client.ask("tools/list", json!({}));
    for tool in tools["tools"].as_array().unwrap() {
        assert_eq!(tool["annotations"]["readOnlyHint"], true, "{tool}");
        assert_eq!(tool["inputSchema"]["additionalProperties"], false, "{tool}");
    }

    let files =
        json!({ "text": format!("{DENIED}\n{}", token.trim()), "policy": "trust-policy.json", "token": "token.jwt" });
    let explained = client.call("explain", files);
    assert_eq!(explained["isError"], false, "{explained}");
    assert_eq!(explained["structuredContent"]["report"]["causes"][0]["cause"], "sub-mismatch", "{explained}");

    let decoded = client.call("token", json!({ "file": "token.jwt" }));
    assert!(decoded["structuredContent"]["report"]["claims"]["sub"].is_string(), "{decoded}");

    let judged = client.call("trust", json!({ "policy": "trust-policy.json", "token": "token.jwt", "lint": true }));
    assert_eq!(judged["structuredContent"]["report"]["decision"], "deny", "{judged}");
    assert_eq!((&judged["structuredContent"]["exit_status"], &judged["isError"]), (&json!(1), &json!(false)));

    let audited = client.call("audit", json!({ "paths": ["trust-policy.json"] }));
    assert!(
        audited["structuredContent"]["report"]["schema"].as_str().unwrap().starts_with("trustline.audit/"),
        "{audited}"
    );

    for answer in [&explained, &decoded, &judged] {
        assert!(!answer.to_string().contains(token.trim()), "the token is in an answer");
    }
    for (tool, arguments, word) in [
        ("token", json!({ "file": JWT }), "looks like a token"),
        ("trust", json!({ "policy": "../trust-policy.json" }), "below the server's folder"),
        ("trust", json!({ "policy": "/etc/hostname" }), "below the server's folder"),
        ("check", json!({ "profile": "none" }), "none"),
    ] {
        let refused = client.call(tool, arguments);
        let said = refused["content"][0]["text"].as_str().unwrap();
        assert!(refused["isError"] == true && said.contains(word) && !said.contains(JWT), "{tool}: {refused}");
    }
}

#[test]
fn an_agent_checks_a_named_profile_and_gets_its_fix_as_text() {
    let lab = RunningLab::start("secret-not-found");
    let (folder, configuration) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    fs::create_dir(configuration.path().join("profiles")).unwrap();
    let profile = configuration.path().join("profiles/lab.toml");
    fs::copy(lab.file("profile.toml"), &profile).unwrap();
    let mut client = Client::start(folder.path(), configuration.path());
    let checked = client.call("check", json!({ "profile": "lab" }));
    let report = &checked["structuredContent"]["report"];
    // The lab's authority is nobody's: TLS is verified whoever asks.
    assert_eq!(report["findings"][0]["cause"], "tls-untrusted", "{checked}");
    assert_eq!(checked["structuredContent"]["exit_status"], 1);
    let unchanged = fs::read(&profile).unwrap();
    let fix = client.call("fix", json!({ "profile": "lab" }));
    assert!(fix["content"][0]["text"].is_string(), "{fix}");
    assert_eq!(fs::read(&profile).unwrap(), unchanged);
}

#[test]
fn it_ends_when_its_client_does_and_says_what_is_no_folder() {
    let folder = tempfile::tempdir().unwrap();
    let output = trustline().args(["mcp", "--folder"]).arg(folder.path()).write_stdin("").output().unwrap();
    assert!(output.stdout.is_empty());
    let output = trustline().args(["mcp", "--folder", "/nonexistent"]).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8(output.stderr).unwrap().contains("/nonexistent"));
}

const SCRIPT: &str = r#"
import asyncio, sys
from mcp import ClientSession, StdioServerParameters, stdio_client

async def main():
    server = StdioServerParameters(command=sys.argv[1], args=["mcp", "--folder", sys.argv[2]], cwd=sys.argv[2])
    async with stdio_client(server) as (reader, writer):
        async with ClientSession(reader, writer) as session:
            await session.initialize()
            tools = await session.list_tools()
            assert {"explain", "token", "trust", "audit", "check"} <= {tool.name for tool in tools.tools}, tools
            said = await session.call_tool("explain", {"text": sys.argv[3], "policy": "trust-policy.json", "token": "token.jwt"})
            print(said.model_dump_json(by_alias=True))

asyncio.run(main())
"#;

#[test]
#[ignore = "needs the MCP client of PyPI (python3 beside TRUSTLINE_TEST_MOTO)"]
fn someone_elses_client_is_served() {
    let lab = RunningLab::start("sub-mismatch");
    let folder = workspace(&lab);
    let output = Command::new(outside("TRUSTLINE_TEST_MOTO").with_file_name("python3"))
        .args(["-c", SCRIPT])
        .arg(assert_cmd::cargo::cargo_bin!("trustline"))
        .arg(folder.path())
        .arg(DENIED)
        .output()
        .unwrap();
    let (printed, said) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{printed}{said}");
    let answer: Value = serde_json::from_str(&printed).unwrap_or_else(|error| panic!("{error}: {printed}{said}"));
    assert_eq!(answer["structuredContent"]["report"]["causes"][0]["cause"], "sub-mismatch", "{answer}");
}
