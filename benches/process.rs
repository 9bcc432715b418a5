//! Whole-process figures: wall and CPU time and peak memory of the program as a user runs it, beside what one would
//! run instead. `cargo bench --bench process` prints a table; nothing is asserted.
//!
//! The peers are measured where the environment names them: `TRUSTLINE_TEST_MOTO` (moto_server), with `aws` and a
//! `python3` that has boto3 beside it, and `jwt` (jwt-cli) on the path.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use nix::sys::resource::{UsageWho, getrusage};

/// Runs counted for each figure, after one that is not.
const RUNS: usize = 15;

/// The argument with which this program runs itself, so that one measured command is the only child whose use
/// of resources is seen.
const MEASURE: &str = "--measure-one";

/// The events of the log that `events` reads.
const EVENTS: usize = 100_000;
/// One, as CloudTrail writes it.
const EVENT: &str = r#"{"eventVersion":"1.11","userIdentity":{"type":"WebIdentityUser","principalId":"arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com:sts.amazonaws.com:SUBJECT","userName":"SUBJECT","identityProvider":"arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com"},"eventTime":"2026-11-30T05:00:00Z","eventSource":"sts.amazonaws.com","eventName":"NAME","awsRegion":"eu-west-1","sourceIPAddress":"203.0.113.7","userAgent":"aws-sdk-js/3.682.0 ua/2.0 os/linux#6.8.0-1017-azure lang/js md/nodejs#20.18.0 api/sts#3.682.0 configure-aws-credentials-for-github-actions","errorCode":"AccessDenied","errorMessage":"An unknown error occurred","requestParameters":{"roleArn":"arn:aws:iam::123456789012:role/secrets-reader","roleSessionName":"GitHubActions","durationSeconds":3600},"responseElements":null,"additionalEventData":{"RequestDetails":{"endpointType":"regional","awsServingRegion":"eu-west-1"}},"requestID":"00000000-0000-4000-8000-NUMBER","eventID":"11111111-0000-4000-8000-NUMBER","readOnly":true,"resources":[{"accountId":"123456789012","type":"AWS::IAM::Role","ARN":"arn:aws:iam::123456789012:role/secrets-reader"}],"eventType":"AwsApiCall","managementEvent":true,"recipientAccountId":"123456789012","eventCategory":"Management","tlsDetails":{"tlsVersion":"TLSv1.3","cipherSuite":"TLS_AES_128_GCM_SHA256","clientProvidedHostHeader":"sts.eu-west-1.amazonaws.com"}}"#;
/// The role that they ask for.
const EVENTS_POLICY: &str = r#"{"Role":{"Arn":"arn:aws:iam::123456789012:role/secrets-reader","AssumeRolePolicyDocument":{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Federated":"arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com"},"Action":"sts:AssumeRoleWithWebIdentity","Condition":{"StringEquals":{"token.actions.githubusercontent.com:sub":"repo:acme/crew:ref:refs/heads/main"}}}]}}}"#;

/// A role as `get-account-authorization-details` answers it, with the policies that a role usually has: some 3.3 KB.
const ROLE: &str = r#"{"Path":"/","RoleName":"NAME","RoleId":"AROAEXAMPLENUMBER","Arn":"arn:aws:iam::123456789012:role/NAME","CreateDate":"2025-03-01T09:30:00+00:00","AssumeRolePolicyDocument":TRUST,"InstanceProfileList":[],"RolePolicyList":[{"PolicyName":"secrets","PolicyDocument":{"Version":"2012-10-17","Statement":[READS]}}],"AttachedManagedPolicies":[{"PolicyName":"boundary","PolicyArn":"arn:aws:iam::123456789012:policy/boundary"}],"Tags":[{"Key":"team","Value":"crew-NUMBER"},{"Key":"cost-center","Value":"4711"}],"RoleLastUsed":{"LastUsedDate":"2026-11-29T05:00:00+00:00","Region":"eu-west-1"}}"#;
const READ: &str = r#"{"Sid":"ReadNUMBER","Effect":"Allow","Action":["secretsmanager:GetSecretValue","secretsmanager:DescribeSecret"],"Resource":["arn:aws:secretsmanager:eu-west-1:123456789012:secret:crew/NUMBER/database-AbCdEf","arn:aws:secretsmanager:eu-west-1:123456789012:secret:crew/NUMBER/queue-GhIjKl"],"Condition":{"StringEquals":{"aws:ResourceTag/team":"crew-NUMBER"}}}"#;
const FEDERATED: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Federated":"arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com"},"Action":"sts:AssumeRoleWithWebIdentity","Condition":{"StringLike":{"token.actions.githubusercontent.com:sub":"SUBJECT"},"StringEquals":{"token.actions.githubusercontent.com:aud":"sts.amazonaws.com"}}}]}"#;
const OF_A_SERVICE: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole"}]}"#;

type Any<T> = Result<T, Box<dyn std::error::Error>>;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().collect();
    let done = match arguments.iter().position(|a| a == MEASURE) {
        Some(at) => measure_one(&arguments[at + 1..]),
        None => report(),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("process: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Runs one command to its end and prints microseconds of wall and CPU time and KiB of peak memory.
fn measure_one(command: &[String]) -> Any<()> {
    let (program, arguments) = command.split_first().ok_or("no command")?;
    let began = Instant::now();
    Command::new(program).args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status()?;
    let wall = began.elapsed();
    let used = getrusage(UsageWho::RUSAGE_CHILDREN)?;
    let micros = |t: nix::sys::time::TimeVal| t.tv_sec() * 1_000_000 + t.tv_usec();
    println!("{} {} {}", wall.as_micros(), micros(used.user_time()) + micros(used.system_time()), used.max_rss());
    Ok(())
}

/// The medians of a command's runs.
struct Figure {
    wall_us: u64,
    cpu_us: u64,
    peak_kib: u64,
}

fn figure(command: &[&str], environment: &[(&str, String)]) -> Any<Figure> {
    let myself = std::env::current_exe()?;
    let mut runs: Vec<[u64; 3]> = Vec::new();
    for run in 0..=RUNS {
        let output = Command::new(&myself)
            .arg(MEASURE)
            .args(command)
            .envs(environment.iter().map(|(name, value)| (name, value)))
            .output()?;
        let text = String::from_utf8(output.stdout)?;
        let numbers: Vec<u64> = text.split_whitespace().filter_map(|n| n.parse().ok()).collect();
        let figures = numbers.try_into().map_err(|_| format!("{command:?} could not be measured"))?;
        if run > 0 {
            runs.push(figures);
        }
    }
    let median = |column: usize| {
        let mut values: Vec<u64> = runs.iter().map(|run| run[column]).collect();
        values.sort_unstable();
        values[values.len() / 2]
    };
    Ok(Figure { wall_us: median(0), cpu_us: median(1), peak_kib: median(2) })
}

fn row(name: &str, command: &[&str], environment: &[(&str, String)]) -> Any<Figure> {
    let figure = figure(command, environment)?;
    println!(
        "{name:<52} {:>9.2} ms {:>9.2} ms {:>8.1} MiB",
        figure.wall_us as f64 / 1000.0,
        figure.cpu_us as f64 / 1000.0,
        figure.peak_kib as f64 / 1024.0
    );
    Ok(figure)
}

fn report() -> Any<()> {
    let trustline = env!("CARGO_BIN_EXE_trustline");
    println!("{:<52} {:>12} {:>12} {:>12}", format!("median of {RUNS} runs"), "wall", "CPU", "peak memory");
    row("trustline --version", &[trustline, "--version"], &[])?;
    token(trustline)?;
    explain(trustline)?;
    events(trustline)?;
    audit(trustline)?;
    let check = row("trustline check --lab", &[trustline, "check", "--lab"], &[])?;
    let judged = row(
        "trustline check --lab --client boto3,js-v3",
        &[trustline, "check", "--lab", "--client", "boto3,js-v3"],
        &[],
    )?;
    println!("{:<52} {:>9.2} ms of CPU", "  more", (judged.cpu_us as f64 - check.cpu_us as f64) / 1000.0);
    critical_path(trustline)?;
    fleet(trustline)?;
    lab_ready(trustline)?;
    against_moto(trustline)
}

/// `token` on a file with a key set's file, beside jwt-cli.
fn token(trustline: &str) -> Any<()> {
    let lab = Lab::start(trustline, "healthy")?;
    let folder = Path::new(&lab.ca_file).parent().ok_or("the lab names no folder")?;
    let keys = folder.join("keys.json");
    let fetched = Command::new("curl")
        .args(["-s", "--cacert", &lab.ca_file, "-o"])
        .arg(&keys)
        .arg(format!("{}/oauth2/jwks", lab.issuer))
        .status()?;
    if !fetched.success() {
        return Err("curl could not fetch the lab's keys".into());
    }
    let (token, keys) = (text(&folder.join("token.jwt"))?, text(&keys)?);
    row("trustline token FILE --jwks FILE", &[trustline, "token", &token, "--jwks", &keys], &[])?;
    let policy = text(&folder.join("trust-policy.json"))?;
    row(
        "trustline trust --policy FILE --token FILE",
        &[trustline, "trust", "--policy", &policy, "--token", &token],
        &[],
    )?;
    if on_path("jwt") {
        let decode = format!("jwt decode - < {token}");
        row("jwt decode (jwt-cli, no verification)", &["sh", "-c", &decode], &[])?;
    }
    Ok(())
}

/// `explain` of a 1 MiB log that ends in one denial.
fn explain(trustline: &str) -> Any<()> {
    let log = tempfile::NamedTempFile::new()?;
    let mut lines = "2026-01-01T00:00:00Z info a line of a log without much meaning\n".repeat(16_500);
    lines.push_str("An error occurred (AccessDenied): Not authorized to perform sts:AssumeRoleWithWebIdentity\n");
    std::fs::write(log.path(), lines)?;
    row("trustline explain FILE (1 MiB)", &[trustline, "explain", &text(log.path())?], &[])?;
    Ok(())
}

/// `events` of a log file of 100,000 events, all of them or one in ten an exchange, beside jq, which only counts them.
fn events(trustline: &str) -> Any<()> {
    let folder = tempfile::tempdir()?;
    let policy = folder.path().join("role.json");
    std::fs::write(&policy, EVENTS_POLICY)?;
    for (name, one_in) in [("all exchanges", 1), ("one in ten an exchange", 10)] {
        let log = folder.path().join("events.json");
        let event = |number: usize| {
            let name = if number.is_multiple_of(one_in) { "AssumeRoleWithWebIdentity" } else { "GetCallerIdentity" };
            EVENT
                .replace("NAME", name)
                .replace("SUBJECT", &format!("repo:acme/crew{}:pull_request", number % 500))
                .replace("NUMBER", &format!("{number:012}"))
        };
        let events: Vec<String> = (0..EVENTS).map(event).collect();
        std::fs::write(&log, format!("{{\"Records\":[{}]}}", events.join(",")))?;
        let mebibytes = std::fs::metadata(&log)?.len() >> 20;
        let (log, policy) = (text(&log)?, text(&policy)?);
        let command = [trustline, "events", &log, "--policy", &policy, "--output", "json"];
        let own = row(&format!("trustline events ({mebibytes} MiB, {name})"), &command, &[])?;
        if on_path("jq") {
            let counted = row("jq -c '.Records|length'", &["jq", "-c", ".Records|length", &log], &[])?;
            println!("{:<52} {:>9.2} of jq's", "  wall time", own.wall_us as f64 / counted.wall_us as f64);
        }
    }
    Ok(())
}

/// `audit` of accounts of 10,000 and of 100,000 roles, half of them federated and one in fifty of those too wide, beside jq, which
/// only reads the file.
fn audit(trustline: &str) -> Any<()> {
    let folder = tempfile::tempdir()?;
    for roles in [10_000, 100_000] {
        let account = folder.path().join("account.json");
        let role = |number: usize| {
            let subject = |wide: bool| match wide {
                true => format!("repo:acme/crew{number}-*"),
                false => format!("repo:acme@1/crew{number}@{number}:ref:refs/heads/main"),
            };
            let is_wide = number.is_multiple_of(100);
            let federated = FEDERATED.replace("SUBJECT", &subject(is_wide));
            let trust = if number.is_multiple_of(2) { federated } else { OF_A_SERVICE.to_owned() };
            let reads = [READ; 6].join(",");
            let role = ROLE.replace("TRUST", &trust).replace("READS", &reads);
            role.replace("NAME", &format!("crew-{number}")).replace("NUMBER", &number.to_string())
        };
        let details: Vec<String> = (0..roles).map(role).collect();
        std::fs::write(&account, format!("{{\"RoleDetailList\":[{}],\"Policies\":[]}}", details.join(",\n")))?;
        let mebibytes = std::fs::metadata(&account)?.len() >> 20;
        let account = text(&account)?;
        let command = [trustline, "audit", &account, "--output", "ndjson", "--fail-on", "critical"];
        let own = row(&format!("trustline audit ({roles} roles, {mebibytes} MiB)"), &command, &[])?;
        if on_path("jq") {
            let read = row("jq -c length", &["jq", "-c", "length", &account], &[])?;
            println!("{:<52} {:>9.2} of jq's", "  wall time", own.wall_us as f64 / read.wall_us as f64);
        }
    }
    Ok(())
}

/// With 50 ms an answer: the longest chain is document and keys, or exchange and read: two answers that depend.
fn critical_path(trustline: &str) -> Any<()> {
    let check = [trustline, "check", "--lab", "--delay-ms", "50", "--output", "json"];
    row("trustline check --lab --delay-ms 50 (process)", &check, &[])?;
    let output = Command::new(trustline).args(&check[1..]).output()?;
    let report: serde_json::Value = serde_json::from_slice(&output.stdout)?;
    println!("{:<52} {:>9} ms (longest chain: 2 answers = 100 ms)", "  the run itself", report["duration_ms"]);
    Ok(())
}

/// 200 profiles against one lab: the wall time beside all their network time divided by how many run at once.
fn fleet(trustline: &str) -> Any<()> {
    const PROFILES: usize = 200;
    let lab = Lab::start_with(trustline, &["healthy", "--delay-ms", "50"])?;
    let folder = Path::new(&lab.ca_file).parent().ok_or("the lab names no folder")?;
    let config = tempfile::tempdir()?;
    std::fs::create_dir(config.path().join("profiles"))?;
    let mut profile = std::fs::read_to_string(folder.join("profile.toml"))?;
    // The profile names its files beside it.
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path.file_name().and_then(|name| name.to_str()).ok_or("a name is not UTF-8")?;
        profile = profile.replace(&format!("{name:?}"), &format!("{:?}", text(&path)?));
    }
    for number in 0..PROFILES {
        std::fs::write(config.path().join(format!("profiles/p{number:03}.toml")), &profile)?;
    }
    for at_once in [8, 32] {
        let concurrency = at_once.to_string();
        let check = ["check", "--all", "--concurrency", &concurrency, "--ca-file", &lab.ca_file, "--output", "json"];
        let output = Command::new(trustline).args(check).env("TRUSTLINE_CONFIG_DIR", config.path()).output()?;
        let all: serde_json::Value = serde_json::from_slice(&output.stdout)?;
        let runs = all["profiles"].as_array().ok_or("no profiles in the report")?;
        let network: u64 = runs.iter().filter_map(|run| run["duration_ms"].as_u64()).sum();
        let wall = all["duration_ms"].as_u64().unwrap_or_default();
        let ideal = network as f64 / f64::from(at_once);
        println!(
            "{:<52} {wall:>9} ms ({:.2} × of the runs' {ideal:.0} ms; the delays alone {:.0} ms; {} passed)",
            format!("check --all, {PROFILES} profiles, {at_once} at once, 50 ms an answer"),
            wall as f64 / ideal,
            // The longest chain of each is two answers.
            PROFILES as f64 * 100.0 / f64::from(at_once),
            all["counts"]["passed"],
        );
    }
    Ok(())
}

fn lab_ready(trustline: &str) -> Any<()> {
    let mut times: Vec<Duration> = Vec::new();
    for _ in 0..RUNS {
        let began = Instant::now();
        let _lab = Lab::start(trustline, "healthy")?;
        times.push(began.elapsed());
    }
    times.sort_unstable();
    println!("{:<52} {:>9.2} ms", "trustline lab: exec to ready", times[RUNS / 2].as_secs_f64() * 1000.0);
    Ok(())
}

/// Exchange and read one secret at moto: the program, the AWS command line, a boto3 script.
fn against_moto(trustline: &str) -> Any<()> {
    let Some(moto) = std::env::var_os("TRUSTLINE_TEST_MOTO").map(PathBuf::from) else {
        println!("(TRUSTLINE_TEST_MOTO names no moto_server: the comparison with aws and boto3 is left out)");
        return Ok(());
    };
    let port = std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
    let _server = Server(
        Command::new(&moto)
            .args(["-H", "127.0.0.1", "-p", &port.to_string()])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?,
    );
    let deadline = Instant::now() + Duration::from_secs(60);
    while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
        if Instant::now() > deadline {
            return Err("moto does not answer".into());
        }
        std::thread::yield_now();
    }
    let folder = tempfile::tempdir()?;
    let token = folder.path().join("token.jwt");
    std::fs::write(&token, "eyJhbGciOiJub25lIn0.eyJpc3MiOiJodHRwczovL2kuZXhhbXBsZSIsInN1YiI6InMifQ.c2ln")?;
    let endpoint = format!("http://127.0.0.1:{port}");
    let environment = [
        ("AWS_ENDPOINT_URL", endpoint.clone()),
        ("AWS_REGION", "us-east-1".to_owned()),
        ("AWS_DEFAULT_REGION", "us-east-1".to_owned()),
        ("AWS_ROLE_ARN", "arn:aws:iam::123456789012:role/reader".to_owned()),
        ("AWS_WEB_IDENTITY_TOKEN_FILE", text(&token)?),
        ("AWS_ROLE_SESSION_NAME", "bench".to_owned()),
    ];
    let python = moto.with_file_name("python3");
    let python = text(&python)?;
    let create = "import boto3; boto3.client('secretsmanager').create_secret(Name='bench', SecretString='v')";
    let created = Command::new(&python)
        .args(["-c", create])
        .envs(environment.iter().map(|(n, v)| (n, v)))
        .envs([("AWS_ACCESS_KEY_ID", "testing"), ("AWS_SECRET_ACCESS_KEY", "testing")])
        .status()?;
    if !created.success() {
        return Err("the secret could not be made at moto".into());
    }
    let ours = [trustline, "check", "--only", "aws.get-secret", "--set", "secret.name=bench", "--output", "json"];
    let ours = row("trustline check --only aws.get-secret (moto)", &ours, &environment)?;
    let script = "import boto3; boto3.client('secretsmanager').get_secret_value(SecretId='bench')";
    compare(&ours, &row("boto3 script doing the same", &[&python, "-c", script], &environment)?);
    let aws = moto.with_file_name("aws");
    let aws = if aws.exists() { text(&aws)? } else { "aws".to_owned() };
    if aws != "aws" || on_path("aws") {
        let read = [&aws, "secretsmanager", "get-secret-value", "--secret-id", "bench", "--output", "json"];
        compare(&ours, &row("aws secretsmanager get-secret-value", &read, &environment)?);
    }
    Ok(())
}

fn compare(ours: &Figure, theirs: &Figure) {
    println!(
        "{:<52} {:>9.1} ×  {:>9.1} ×",
        "  of ours",
        theirs.wall_us as f64 / ours.wall_us as f64,
        theirs.cpu_us as f64 / ours.cpu_us as f64
    );
}

/// A lab in a process of its own; ended when dropped.
struct Lab {
    process: Child,
    ca_file: String,
    issuer: String,
}

impl Lab {
    fn start(trustline: &str, scenario: &str) -> Any<Lab> {
        Lab::start_with(trustline, &[scenario])
    }

    fn start_with(trustline: &str, arguments: &[&str]) -> Any<Lab> {
        let mut process =
            Command::new(trustline).args(["lab", "--output", "json"]).args(arguments).stdout(Stdio::piped()).spawn()?;
        let mut line = String::new();
        let stdout = process.stdout.take().ok_or("the lab has no output")?;
        std::io::BufRead::read_line(&mut std::io::BufReader::new(stdout), &mut line)?;
        let ready: serde_json::Value = serde_json::from_str(&line)?;
        let value = |key: &str| ready[key].as_str().map(str::to_owned).ok_or(format!("the lab names no {key}"));
        Ok(Lab { ca_file: value("ca_file")?, issuer: value("issuer")?, process })
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        let id = nix::unistd::Pid::from_raw(self.process.id().cast_signed());
        let _ = nix::sys::signal::kill(id, nix::sys::signal::Signal::SIGTERM);
        let _ = self.process.wait();
    }
}

struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn text(path: &Path) -> Any<String> {
    Ok(path.to_str().ok_or("a path is not UTF-8")?.to_owned())
}

fn on_path(program: &str) -> bool {
    std::env::var_os("PATH")
        .is_some_and(|path| std::env::split_paths(&path).any(|folder| folder.join(program).exists()))
}
