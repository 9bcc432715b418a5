//! Planted secrets appear nowhere: not raw, not encoded, not in part. Every command runs, against clouds that behave well
//! and badly, and all that leaves the process is searched.

mod cut_short;
mod disk;
mod everywhere;
mod memory;
pub mod planted;
mod repeated;
mod screens;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use trustline::guide::Artifact;

use self::planted::{
    ACCESS_TOKEN, CLIENT_SECRET, Cloud, Manner, NEW_VALUE, SECRET_KEY, SESSION_TOKEN, TALKATIVE, found,
};
use super::support::trustline;

/// Every command that reads a secret or could be handed one. `{…}` stands for a file of the lab's folder, `{profile}`
/// for the arguments that name the profile and its cloud, `{operator}` for those of whoever rotates there, `{value}` for a
/// file with a new value, `{new}` for a file that does not exist yet, `{all}` for the arguments of every profile's check,
/// `{pasted}` for a file with what a person copied; what follows `<` is on standard input.
const COMMANDS: &[&str] = &[
    "check {profile} --output text --record {new}",
    "check {profile} --output json",
    "check {profile} --output junit",
    "check {profile} --output markdown --strict",
    "check {profile} --color always --wait 1 --only token.claims",
    "check {all} --output text",
    "check {all} --output json",
    "check {all} --output junit",
    "check {all} --output markdown --concurrency 1",
    "guide --check {profile}",
    "guide --check {profile} --output json",
    "guide {profile}",
    "guide {profile} --output markdown",
    "render --list",
    "render {profile} thumbprint --live --output json",
    "profile import made {pasted} --guide {guide}",
    "profile import made - --guide {guide} < {pasted}",
    "profile import made {token.jwt} --guide {guide}",
    "profile import made {value} --guide {guide}",
    "profile import planted {pasted}",
    "profile show {plain-profile}",
    "token {token.jwt}",
    "token {token.jwt} --output json",
    "token /nonexistent --env NO_SUCH_VARIABLE",
    "explain {token.jwt}",
    "explain {token.jwt} --output json",
    "explain {client-secret}",
    "trust --policy {trust-policy.json} --token {token.jwt}",
    "trust --policy {trust-policy.json} --token {token.jwt} --output json --lint",
    "trust --policy {token.jwt} --token {token.jwt}",
    "trust --credential {token.jwt} --token {token.jwt}",
    "issuer {token.jwt}",
    "replay {token.jwt}",
    "lab --world {token.jwt}",
    "check --profile-file {token.jwt}",
    "check {profile} --ca-file {token.jwt}",
    "token {token.jwt} --jwks {token.jwt}",
    "token - < {token.jwt}",
    "explain - < {value}",
    "rotate {profile} {operator} --put --yes --wait 0 --evidence {new} < {value}",
    "rotate {profile} {operator} --value-file {value} --yes --wait 0 --kickoff --output json --evidence {new}",
    "rotate {profile} {operator} --value-file {value} --yes --wait 0 --output markdown --rollback-on-failure",
    "rotate {profile} {operator} --secret crewai-test-keyword#field --put --yes --wait 0 < {value}",
    "rotate {profile} {operator} --generate --yes --wait 0 --runtime-after {value}",
    "rotate {profile} --wait 0 --runtime-before {token.jwt} --runtime-after {token.jwt}",
    "rotate {profile} --already --output json",
    "rotate {profile} --put --value-file {value}",
    "rotate {profile} --put --yes --runtime-after - < {value}",
    "rotate {profile} --put < {value}",
    "rotate {profile} --resume",
    "rotate --profile-file {value} --put --yes < {value}",
    "rotate verify-evidence {token.jwt}",
    "rotate verify-evidence {value} --output json",
    "replay {value}",
    "profile new made --profile-file {token.jwt}",
    "token {client-secret} --output json",
    "issuer {token.jwt} --output json",
    "trust --policy {value} --token {value} --output json",
    "check --output json --profile-file {value}",
    "check --output json --all --only {value}",
    "guide --check --output json --profile-file {value}",
    "rotate --output json --profile-file {value}",
    "completions bash",
    "man",
];

/// How many commands run at once; they wait more than they work.
const AT_ONCE: usize = 4;

/// The commands that talk to the cloud; the others are the same whatever it does.
fn is_online(command: &str) -> bool {
    ["check {profile} --output", "check {all}", "guide --check {profile}", "rotate {profile} {operator}"]
        .iter()
        .any(|online| command.starts_with(online))
}

fn arguments(command: &str, cloud: &Cloud, folder: &Path) -> Vec<String> {
    let mut arguments = Vec::new();
    let own = |name: &str| folder.join(name).to_str().unwrap().to_owned();
    for word in command.split(' ') {
        match word {
            "{profile}" => arguments.extend(cloud.arguments()),
            "{plain-profile}" => {
                arguments.extend(["--profile-file".to_owned(), cloud.lab.file("profile.toml")]);
            }
            "{operator}" => arguments.extend(cloud.operator()),
            "{all}" => arguments.extend(["--all".to_owned()].into_iter().chain(cloud.network())),
            "{guide}" if cloud.is_azure() => arguments.push("azure-workload-identity".to_owned()),
            "{guide}" => arguments.push("aws-workload-identity".to_owned()),
            "{pasted}" => arguments.push(own("pasted")),
            "{new}" => arguments.push(own("out/new")),
            "{value}" => arguments.push(own("value")),
            _ => match word.strip_prefix('{').and_then(|w| w.strip_suffix('}')) {
                Some(file) => arguments.push(cloud.lab.file(file)),
                None => arguments.push(word.to_owned()),
            },
        }
    }
    arguments
}

/// Runs a command and says what of the planted secrets left it.
fn leaks(command: &str, cloud: &Cloud) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out");
    fs::create_dir_all(out.join("config/profiles")).unwrap();
    for name in ["planted", "planted-too"] {
        fs::write(out.join(format!("config/profiles/{name}.toml")), cloud.profile()).unwrap();
    }
    fs::write(folder.path().join("value"), NEW_VALUE).unwrap();
    fs::write(folder.path().join("pasted"), pasted(&cloud.lab.token())).unwrap();
    let mut words = arguments(command, cloud, folder.path());
    let mut process = trustline();
    if let Some(at) = words.iter().position(|word| word == "<") {
        process.pipe_stdin(words.remove(at + 1)).unwrap();
        words.truncate(at);
    }
    process.args(words).envs(cloud.environment()).env("TRUSTLINE_STATE_DIR", out.join("state"));
    process.envs(TALKATIVE).env("SSLKEYLOGFILE", out.join("tls-keys")).env("TRUSTLINE_CONFIG_DIR", out.join("config"));
    let output = process.env("TMPDIR", &out).current_dir(&out).output().unwrap();
    // Whoever has these reads everything that was sent.
    assert!(!out.join("tls-keys").exists(), "{command}");
    let mut left = vec![("standard output".to_owned(), output.stdout), ("standard error".to_owned(), output.stderr)];
    left.extend(files(&out).into_iter().map(|path| (path.display().to_string(), fs::read(&path).unwrap())));
    let secrets = cloud.secrets();
    left.iter()
        .flat_map(|(place, bytes)| {
            found(bytes, &secrets).into_iter().map(move |hit| format!("{command}: {place} holds {hit}"))
        })
        .collect()
}

/// What a person copied from a terminal: answers that hold secrets beside what is asked for.
fn pasted(token: &str) -> String {
    serde_json::json!({
        "Role": { "Arn": "arn:aws:iam::123456789012:role/pasted" },
        "appId": "11111111-aaaa-4bbb-8ccc-222222222222",
        "password": CLIENT_SECRET,
        "SecretString": NEW_VALUE,
        "Credentials": { "SecretAccessKey": SECRET_KEY, "SessionToken": SESSION_TOKEN },
        "access_token": ACCESS_TOKEN,
        "token": token,
    })
    .to_string()
}

/// Every file below a folder.
fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

fn assert_no_leaks(cloud: &Cloud, commands: impl Fn(&str) -> bool) {
    let rendered: Vec<String> =
        Artifact::ALL.iter().map(|artifact| format!("render {} {{profile}}", artifact.id())).collect();
    let rendered = rendered.iter().map(String::as_str);
    let commands: Vec<&str> = COMMANDS.iter().copied().chain(rendered).filter(|command| commands(command)).collect();
    let (next, all) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                while let Some(command) = commands.get(next.fetch_add(1, Ordering::Relaxed)) {
                    all.lock().unwrap().extend(leaks(command, cloud));
                }
            });
        }
    });
    let all = all.into_inner().unwrap();
    assert!(all.is_empty(), "{}", all.join("\n"));
}

#[test]
fn where_all_is_well_on_aws() {
    let cloud = Cloud::aws(Manner::Well);
    let output = trustline().arg("check").args(cloud.arguments()).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stdout));
    assert_no_leaks(&cloud, |_| true);
}

#[test]
fn where_all_is_well_on_azure() {
    let cloud = Cloud::azure(Manner::Well);
    let output = trustline().arg("check").args(cloud.arguments()).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stdout));
    assert_no_leaks(&cloud, |_| true);
}

/// A search that finds nothing proves something only if it would have found something.
#[test]
fn the_search_finds_a_secret_in_every_form() {
    let secrets = [("it", NEW_VALUE.to_owned())];
    for form in planted::forms(NEW_VALUE) {
        assert!(!found(format!("before {form} behind").as_bytes(), &secrets).is_empty(), "{form}");
    }
    for before in ["", "u", "us", "user:"] {
        let encoded = BASE64_STANDARD.encode(format!("{before}{NEW_VALUE}"));
        assert!(!found(encoded.as_bytes(), &secrets).is_empty(), "{before}: {encoded}");
    }
}

#[test]
fn where_answers_are_cut_off_garbled_or_quote_what_was_sent() {
    for manner in [Manner::CutOff, Manner::Garbled, Manner::Quotes, Manner::QuotesLater, Manner::QuotesWrites] {
        for cloud in [Cloud::aws(manner), Cloud::azure(manner)] {
            assert_no_leaks(&cloud, is_online);
        }
    }
}

#[test]
fn a_rotation_in_the_planted_cloud_reads_and_writes() {
    for cloud in [Cloud::aws(Manner::Well), Cloud::azure(Manner::Well)] {
        let state = tempfile::tempdir().unwrap();
        let mut process = trustline();
        process.arg("rotate").args(cloud.arguments()).args(cloud.operator()).envs(cloud.environment());
        process.env("TRUSTLINE_STATE_DIR", state.path()).args(["--put", "--yes", "--wait", "0", "--output", "json"]);
        let output = process.write_stdin(NEW_VALUE).output().unwrap();
        let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        assert!(report["before"]["fingerprint"].is_string() && report["operator"].is_string(), "{report:#}");
    }
}
