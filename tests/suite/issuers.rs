//! Issuers that one hosts oneself, as shipped and with the one setting: what the clouds' lines say of them is what was measured,
//! and every token that is accepted is exchanged at the lab. One process of node and one of Python hold them all; in front of
//! them stand a TLS proxy, and an HTTPS proxy by which their names are reached.

use std::collections::HashMap;
use std::fs;
use std::io::{self, BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::sync::Arc;

use serde_json::Value;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::servers::{Authority, Server, Stream, VALID, authority, raw, read_head, tls_raw, tunnel};
use super::support::{Ended, RunningLab, outside, trustline};

const CLOUDS: &str = "aws,entra,google";

/// The audience that the tokens have where one can be asked for: a URI, as some servers take nothing else.
const AUDIENCE: &str = "https://sts.amazonaws.com";

/// Every issuer, running, and what stands in front of them.
struct Site {
    /// By host: its port and its tokens.
    issuers: HashMap<String, Value>,
    authority: Authority,
    proxy: Server,
    _front: Server,
    _processes: [Ended; 2],
    folder: TempDir,
}

fn start(command: &mut Command) -> (Ended, Value) {
    let mut process =
        Ended(command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap());
    let mut line = String::new();
    BufReader::new(process.0.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let said =
        serde_json::from_str(&line).unwrap_or_else(|error| panic!("{command:?} ended before it listened: {error}"));
    (process, said)
}

impl Site {
    fn start() -> Site {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/suite/issuers");
        let modules = outside("TRUSTLINE_TEST_NODE_MODULES");
        let python = outside("TRUSTLINE_TEST_ISSUERS");
        let (node, of_npm) = start(Command::new("node").arg(folder.join("servers.cjs")).env("NODE_PATH", modules));
        let (python, of_pypi) = start(Command::new(python).arg(folder.join("servers.py")));
        let both = [of_npm, of_pypi];
        let issuers: HashMap<String, Value> = both.iter().flat_map(|said| said.as_object().unwrap().clone()).collect();
        let authority = authority("Test Authority");
        let ports: Arc<HashMap<String, u16>> = Arc::new(
            issuers
                .iter()
                .map(|(host, said)| (host.clone(), u16::try_from(said["port"].as_u64().unwrap()).unwrap()))
                .collect(),
        );
        let front = tls_raw(authority.identity("*.example.com", VALID), move |stream| forward(stream, ports.clone()));
        let port = front.port;
        let proxy = raw(move |mut stream| async move {
            read_head(&mut stream).await?;
            tunnel(stream, port).await
        });
        Site {
            issuers,
            authority,
            proxy,
            _front: front,
            _processes: [node, python],
            folder: tempfile::tempdir().unwrap(),
        }
    }

    fn proxy(&self) -> String {
        format!("http://127.0.0.1:{}", self.proxy.port)
    }

    /// A file with a token of an issuer.
    fn token(&self, host: &str, name: &str) -> String {
        let path = self.folder.path().join(format!("{host}-{name}.jwt"));
        let token = self.issuers[host]["tokens"][name].as_str().unwrap_or_else(|| panic!("{host} has no token {name}"));
        fs::write(&path, token).unwrap();
        path.to_str().unwrap().to_owned()
    }

    fn run(&self, arguments: &[&str], ca: &Path) -> Output {
        let mut command = trustline();
        command.args(arguments).args(["--output", "json", "--ca-file"]).arg(ca);
        command.env("HTTPS_PROXY", self.proxy()).env("NO_PROXY", "127.0.0.1,localhost").output().unwrap()
    }

    fn json(&self, arguments: &[&str]) -> Value {
        let output = self.run(arguments, self.authority.file.path());
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{arguments:?}: {error}\n{said}"))
    }
}

/// Hands a request on to the server of its host, with the headers of a proxy for TLS.
async fn forward(mut stream: Box<dyn Stream>, ports: Arc<HashMap<String, u16>>) -> io::Result<()> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await?);
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    let of_host = |line: &str| {
        line.split_once(':')
            .filter(|(name, _)| name.eq_ignore_ascii_case("host"))
            .map(|(_, host)| host.trim().to_owned())
    };
    let host = head.lines().find_map(of_host).unwrap_or_default();
    let port = *ports.get(&host).ok_or(io::ErrorKind::NotFound)?;
    let first = head.lines().next().unwrap_or_default();
    let mut server = TcpStream::connect(("127.0.0.1", port)).await?;
    let request = format!(
        "{first}\r\nhost: {host}\r\nconnection: close\r\nx-forwarded-proto: https\r\nx-forwarded-host: {host}\r\n\r\n"
    );
    server.write_all(request.as_bytes()).await?;
    tokio::io::copy(&mut server, &mut stream).await?;
    stream.shutdown().await
}

/// Host and path of an issuer, one of its tokens, what each cloud says to it, and the cause that the first refusal names.
type Row = (&'static str, &'static str, &'static str, [&'static str; 3], Option<&'static str>);

const ACCEPTED: [&str; 3] = ["accept"; 3];
const REFUSED: [&str; 3] = ["refuse"; 3];

const ROWS: &[Row] = &[
    ("op-shipped.example.com", "", "cc", REFUSED, Some("discovery-invalid")),
    ("op-proxied.example.com", "", "cc", ["accept", "refuse", "accept"], Some("token-type-unfit")),
    ("op-typed.example.com", "", "cc", ACCEPTED, None),
    ("mock-shipped.example.com", "", "cc", REFUSED, Some("malformed-token")),
    ("mock-named.example.com", "", "cc", ACCEPTED, None),
    ("mock-edwards.example.com", "", "cc", REFUSED, Some("alg-unsupported")),
    ("authlib-single.example.com", "", "id", ["unknown", "refuse", "unknown"], Some("jwks-kid-missing")),
    ("authlib-set.example.com", "", "id", ACCEPTED, None),
    ("authlib-set.example.com", "", "cc", ["accept", "refuse", "accept"], Some("token-lifetime-too-long")),
    ("dot-shipped.example.com", "/o", "id", REFUSED, Some("issuer-url-unfit")),
    ("dot.example.com", "/o", "id", ACCEPTED, None),
    ("dot.example.com", "/o", "shared", REFUSED, Some("alg-unsupported")),
];

#[test]
#[ignore = "needs oidc-provider and oauth2-mock-server (TRUSTLINE_TEST_NODE_MODULES), django-oauth-toolkit and Authlib (TRUSTLINE_TEST_ISSUERS)"]
fn the_table_says_of_real_issuers_what_was_measured_and_the_lab_agrees() {
    let site = Site::start();
    for (host, path, name, expected, cause) in ROWS {
        let issuer = format!("https://{host}{path}");
        let token = site.token(host, name);
        // As shipped, nothing of django-oauth-toolkit is https: its own words decide, and nobody is asked.
        let is_served = site.issuers[*host]["port"] != 0;
        let asked = ["--issuer", &issuer];
        let more = if is_served { asked.as_slice() } else { &[] };
        let report = site.json(&[&["token", &token, "--for", CLOUDS], more].concat());
        let clouds = report["clouds"].as_array().unwrap();
        let verdicts: Vec<&str> = clouds.iter().map(|cloud| cloud["verdict"].as_str().unwrap()).collect();
        assert_eq!(verdicts, expected, "{host} {name}: {report:#}");
        let refusal = clouds.iter().find(|cloud| cloud["verdict"] == "refuse");
        assert_eq!(refusal.and_then(|cloud| cloud["cause"].as_str()), *cause, "{host} {name}: {report:#}");
    }
    what_the_issuers_themselves_show(&site);
    accepted_tokens_are_exchanged(&site);
}

/// The setting of a recognised server, its example key, and the proxy that it does not believe.
fn what_the_issuers_themselves_show(site: &Site) {
    let shipped = site.json(&["issuer", "https://op-shipped.example.com"]);
    assert!(shipped["clouds"][0]["setting"].as_str().unwrap().contains("provider.proxy"), "{shipped:#}");
    assert!(shipped["problems"].to_string().contains("X-Forwarded-Proto"), "{shipped:#}");
    let proxied = site.json(&["issuer", "https://op-proxied.example.com"]);
    assert!(proxied["problems"].to_string().contains("example key"), "{proxied:#}");
    let edwards = site.json(&["issuer", "https://mock-edwards.example.com", "--for", CLOUDS]);
    assert!(
        edwards["clouds"].as_array().unwrap().iter().all(|cloud| cloud["cause"] == "alg-unsupported"),
        "{edwards:#}"
    );
    assert_eq!(proxied["server"]["name"], "oidc-provider", "{proxied:#}");
    let django = site.json(&["issuer", "https://dot.example.com/o", "--for", "google"]);
    assert_eq!(django["clouds"][0]["verdict"], "accept", "{django:#}");
}

/// A world whose clouds trust every issuer of the rows, for exactly its own audience and subject.
fn world(rows: &[(String, Value)]) -> String {
    let mut text =
        "name = \"issuers\"\ntitle = \"issuers of one's own\"\nguide = \"aws-workload-identity\"\n".to_owned();
    let mut statements = Vec::new();
    let mut providers: Vec<&str> = Vec::new();
    for (at, (issuer, claims)) in rows.iter().enumerate() {
        let [audience, subject] = ["aud", "sub"].map(|name| match &claims[name] {
            Value::Array(list) => list[0].as_str().unwrap().to_owned(),
            one => one.as_str().unwrap().to_owned(),
        });
        let host = issuer.trim_start_matches("https://");
        if !providers.contains(&issuer.as_str()) {
            providers.push(issuer);
            text.push_str(&format!("[aws.providers.i{at}]\nurl = \"{issuer}\"\nclient-ids = [\"{audience}\"]\n"));
        }
        text.push_str(&format!(
            "[azure.apps.crewai-secrets-reader.credentials.i{at}]\nissuer = \"{issuer}\"\nsubject = \"{subject}\"\naudience = \"{audience}\"\n"
        ));
        statements.push(serde_json::json!({
            "Effect": "Allow", "Action": "sts:AssumeRoleWithWebIdentity",
            "Principal": { "Federated": format!("arn:aws:iam::123456789012:oidc-provider/{host}") },
            "Condition": { "StringEquals": { format!("{host}:aud"): audience, format!("{host}:sub"): subject } },
        }));
    }
    let policy = serde_json::json!({ "Version": "2012-10-17", "Statement": statements });
    text.push_str(&format!("[aws.roles.issuers]\ntrust-policy = '''\n{policy}\n'''\n"));
    text
}

fn claims(token: &str) -> Value {
    use base64::Engine as _;
    let part = token.split('.').nth(1).unwrap();
    serde_json::from_slice(&base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
}

/// What the lines accept, the lab's STS and Entra exchange; what they refuse or leave open is not tried.
fn accepted_tokens_are_exchanged(site: &Site) {
    let accepted: Vec<&Row> = ROWS.iter().filter(|row| row.3[0] == "accept").collect();
    let trusted: Vec<(String, Value)> = accepted
        .iter()
        .map(|(host, path, name, ..)| {
            let token = site.issuers[*host]["tokens"][name].as_str().unwrap();
            (format!("https://{host}{path}"), claims(token))
        })
        .collect();
    // One issuer with two tokens is registered once.
    let mut once: Vec<(String, Value)> = Vec::new();
    for (issuer, claims) in trusted {
        if !once.iter().any(|(known, of)| *known == issuer && of["sub"] == claims["sub"]) {
            once.push((issuer, claims));
        }
    }
    let lab = RunningLab::trusting(&world(&once), site.authority.file.path(), &site.proxy());
    let both = site.folder.path().join("both.pem");
    let pems = [lab.file("ca.pem").into(), site.authority.file.path().to_owned()]
        .map(|path: std::path::PathBuf| fs::read_to_string(path).unwrap());
    fs::write(&both, pems.join("\n")).unwrap();
    let ready = |setting: &str, name: &str| format!("{setting}={}", lab.ready[name].as_str().unwrap());
    let common = [
        "aws.role-arn=arn:aws:iam::123456789012:role/issuers".to_owned(),
        ready("azure.tenant-id", "tenant_id"),
        ready("azure.client-id", "client_id"),
        ready("azure.authority-host", "entra"),
        ready("azure.vault-url", "vault"),
    ];
    for (host, path, name, expected, _) in accepted {
        let issuer = format!("issuer.url=https://{host}{path}");
        let token = format!("token.file={}", site.token(host, name));
        for (verdict, guide, check) in [
            (expected[0], "aws-workload-identity", "aws.assume-role-with-web-identity"),
            (expected[1], "azure-workload-identity", "azure.exchange"),
        ] {
            let guide = format!("guide={guide}");
            let profile = lab.file("profile.toml");
            let arguments = [
                "check",
                "--profile-file",
                &profile,
                "--allow-file",
                token.trim_start_matches("token.file="),
                "--only",
                check,
            ];
            let settings: Vec<&str> = common
                .iter()
                .map(String::as_str)
                .chain([guide.as_str(), &issuer, &token])
                .flat_map(|set| ["--set", set])
                .collect();
            let output = site.run(&[arguments.as_slice(), settings.as_slice()].concat(), &both);
            let report: Value = serde_json::from_slice(&output.stdout)
                .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&output.stderr)));
            let checks = report["checks"].as_array().unwrap();
            let ended = checks.iter().find(|one| one["id"] == check).unwrap_or_else(|| panic!("{report:#}"));
            let wanted = if verdict == "accept" { "pass" } else { "fail" };
            assert_eq!(ended["outcome"], wanted, "{host} {name} at {check}: {report:#}");
        }
    }
    assert!(once.iter().any(|(_, claims)| claims["aud"] == AUDIENCE));
}
