//! Clients that nobody here wrote, at a lab: what the table says of them is what they do. One process a language plays all rows.

mod google;

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::{Value, json};
use tempfile::TempDir;
use trustline::domain::client::aws_choice::{self, AwsSource, Sts};
use trustline::domain::client::entra_choice::{self, AzureSource};
use trustline::domain::client::{Client, ProfileKeys, Surroundings, TokenSent};

use crate::support::{RunningLab, outside};

/// Surroundings, what is asked of which client, and what the cloud's error says where the client sends the token.
struct Row {
    name: &'static str,
    /// The client's id in the table.
    client: &'static str,
    /// What is asked: a function of the script.
    ask: &'static str,
    set: Vec<(&'static str, String)>,
    token: &'static str,
    /// A part of the error, where the exchange or what follows it is refused; `None` where all goes well.
    error: Option<&'static str>,
}

/// Where rows are played.
struct Stage {
    lab: RunningLab,
    home: TempDir,
}

impl Stage {
    fn at(scenario: &str) -> Stage {
        let stage = Stage { lab: RunningLab::start(scenario), home: TempDir::new().unwrap() };
        let bare = fs::read_to_string(stage.lab.file("token.jwt")).unwrap().trim().to_owned();
        fs::write(stage.home.path().join("bare"), &bare).unwrap();
        fs::write(stage.home.path().join("line-feed"), format!("{bare}\n")).unwrap();
        stage
    }

    fn ready(&self, name: &str) -> String {
        self.lab.ready[name].as_str().unwrap_or_else(|| panic!("{name}")).to_owned()
    }

    fn token(&self, name: &str) -> String {
        self.home.path().join(name).display().to_string()
    }

    /// A home of its own, with these shared credentials.
    fn home_with(&self, credentials: &str) -> String {
        let home = TempDir::new_in(self.home.path()).unwrap().keep();
        fs::create_dir_all(home.join(".aws")).unwrap();
        fs::write(home.join(".aws/credentials"), credentials).unwrap();
        home.display().to_string()
    }

    fn aws(&self, row: &Row) -> Vec<(String, String)> {
        let own = [
            ("HOME", self.home.path().display().to_string()),
            ("AWS_ROLE_ARN", self.ready("role_arn")),
            ("AWS_WEB_IDENTITY_TOKEN_FILE", self.token(row.token)),
            ("AWS_REGION", self.ready("region")),
            ("AWS_DEFAULT_REGION", self.ready("region")),
            ("AWS_ENDPOINT_URL_STS", self.ready("sts")),
            ("AWS_ENDPOINT_URL_SECRETS_MANAGER", self.ready("secretsmanager")),
            ("AWS_CA_BUNDLE", self.ready("ca_file")),
            ("SSL_CERT_FILE", self.ready("ca_file")),
            ("AWS_EC2_METADATA_DISABLED", "true".to_owned()),
            ("SECRET", self.ready("secret")),
            ("NOBODY", "https://127.0.0.1:9".to_owned()),
        ];
        with(&own, &row.set)
    }

    fn azure(&self, row: &Row) -> Vec<(String, String)> {
        let own = [
            ("HOME", self.home.path().display().to_string()),
            ("AZURE_TENANT_ID", self.ready("tenant_id")),
            ("AZURE_CLIENT_ID", self.ready("client_id")),
            ("AZURE_FEDERATED_TOKEN_FILE", self.token(row.token)),
            ("AZURE_AUTHORITY_HOST", self.ready("entra")),
            ("REQUESTS_CA_BUNDLE", self.ready("ca_file")),
            ("VAULT", self.ready("vault")),
            // Nothing leaves the machine: some ask Microsoft's public authority about a private one.
            ("HTTPS_PROXY", "http://127.0.0.1:9".to_owned()),
            ("NO_PROXY", "127.0.0.1".to_owned()),
            ("SECRET", self.ready("secret")),
        ];
        with(&own, &row.set)
    }
}

/// The variables with a row's own over them; `UNSET` takes one away.
fn with(own: &[(&str, String)], set: &[(&'static str, String)]) -> Vec<(String, String)> {
    let kept = own.iter().filter(|(name, _)| !set.iter().any(|(other, _)| other == name));
    let all = kept.map(|(name, value)| (*name, value.clone())).chain(set.iter().cloned());
    all.filter(|(_, value)| value != UNSET).map(|(name, value)| (name.to_owned(), value)).collect()
}

const UNSET: &str = "(not set)";

/// Plays the rows in one process; for each what was done, or the error.
fn play(mut program: Command, rows: &[(&Row, Vec<(String, String)>)]) -> Vec<Result<String, String>> {
    let rows: Vec<Value> = rows
        .iter()
        .map(|(row, set)| {
            let set: serde_json::Map<String, Value> =
                set.iter().map(|(name, value)| (name.clone(), json!(value))).collect();
            json!({ "name": row.name, "ask": row.ask, "set": set })
        })
        .collect();
    let mut process = program.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    process.stdin.take().unwrap().write_all(json!(rows).to_string().as_bytes()).unwrap();
    let output = process.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let answers: Vec<Value> = serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {said}"));
    let text = |answer: &Value, name: &str| answer[name].as_str().map(str::to_owned);
    answers.iter().map(|answer| text(answer, "done").ok_or_else(|| text(answer, "error").unwrap())).collect()
}

fn surroundings(set: &[(String, String)]) -> Surroundings {
    let named = |name: &str| set.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone());
    let home = named("HOME").unwrap_or_default();
    let credentials = fs::read_to_string(Path::new(&home).join(".aws/credentials")).unwrap_or_default();
    let keys = |profile: &str| {
        if credentials.contains(&format!("[{profile}]")) { ProfileKeys::Keys } else { ProfileKeys::NoProfile }
    };
    Surroundings {
        named_profile: named("AWS_PROFILE").map(|name| keys(&name)).unwrap_or_default(),
        default_profile: keys("default"),
        ..Surroundings::of_variables(&named)
    }
}

/// A row ends well exactly where the table has the client exchange the token, and send it as the cloud takes it.
fn hold(rows: &[(&Row, Vec<(String, String)>)], answers: &[Result<String, String>]) {
    for ((row, set), answer) in rows.iter().zip(answers) {
        let client = Client::named(row.client).unwrap();
        let around = surroundings(set);
        let is_bare = row.token == "bare";
        let exchanges = if row.ask.starts_with("azure") {
            let azure = client.azure.as_ref().unwrap();
            entra_choice::choose(azure, &around).source == AzureSource::WorkloadIdentity
                && (is_bare || azure.token == TokenSent::Trimmed)
        } else {
            let aws = client.aws.as_ref().unwrap();
            aws_choice::choose(aws, &around).source == AwsSource::WebIdentity
                && (is_bare || aws.token == TokenSent::Trimmed)
        };
        let what = format!("{} ({} {}): {answer:?}", row.name, client.id, client.version);
        match (answer, row.error) {
            (Ok(_), None) => assert!(exchanges, "it works, and the table says otherwise: {what}"),
            (Err(error), Some(part)) => assert!(error.contains(part), "{part} is not in {what}"),
            _ => panic!("another end than the row's: {what}"),
        }
        if row.error.is_none() {
            continue;
        }
        // What fails before a cloud is asked, the table has to know.
        let is_answer_of_cloud = ["AccessDenied", "127.0.0.1:9"].contains(&row.error.unwrap_or_default());
        assert_eq!(exchanges, is_answer_of_cloud, "{what}");
    }
}

fn set(pairs: &[(&'static str, &str)]) -> Vec<(&'static str, String)> {
    pairs.iter().map(|(name, value)| (*name, (*value).to_owned())).collect()
}

const DEFAULT_KEYS: &str = "[default]\naws_access_key_id = AKIAIOSFODNN7EXAMPLE\naws_secret_access_key = wJalrXUtnFEMIK7MDENGbPxRfiCYEXAMPLEKEYx\n";
const NOBODYS_ROLE: &str = "arn:aws:iam::123456789012:role/nobody";

#[test]
#[ignore = "needs boto3 and other clients (TRUSTLINE_TEST_MOTO)"]
fn python_clients_do_what_the_table_says() {
    let python = outside("TRUSTLINE_TEST_MOTO").with_file_name("python");
    let (aws, azure) = (Stage::at("healthy"), Stage::at("azure"));
    let row = |name, client, ask, set, token, error| Row { name, client, ask, set, token, error };
    let keys = [("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE"), ("AWS_SECRET_ACCESS_KEY", "x")];
    let empty = [("AWS_ACCESS_KEY_ID", ""), ("AWS_SECRET_ACCESS_KEY", "")];
    let with_home = || vec![("HOME", aws.home_with(DEFAULT_KEYS))];
    let (boto3, identity, obstore, object) = ("boto3", "boto3_identity", "obstore", "obstore_object");
    let at_aws = [
        row("healthy", boto3, identity, set(&[]), "bare", None),
        row("the secret", boto3, "boto3_secret", set(&[]), "bare", None),
        row("a line feed", boto3, identity, set(&[]), "line-feed", Some("InvalidIdentityToken")),
        row("keys", boto3, identity, set(&keys), "bare", Some("InvalidClientTokenId")),
        row("empty keys", boto3, identity, set(&empty), "bare", None),
        row("default keys", boto3, identity, with_home(), "bare", None),
        row("no profile", boto3, identity, set(&[("AWS_PROFILE", "nosuch")]), "bare", Some("ProfileNotFound")),
        row("no name of a profile", boto3, identity, set(&[("AWS_PROFILE", "")]), "bare", Some("ProfileNotFound")),
        row("no role", boto3, identity, set(&[("AWS_ROLE_ARN", UNSET)]), "bare", Some("InvalidConfigError")),
        row("refused", boto3, identity, set(&[("AWS_ROLE_ARN", NOBODYS_ROLE)]), "bare", Some("AccessDenied")),
        row(
            "an endpoint without a scheme",
            boto3,
            identity,
            set(&[("AWS_ENDPOINT_URL_STS", "127.0.0.1")]),
            "bare",
            Some("Invalid endpoint"),
        ),
        row("healthy", obstore, object, set(&[]), "bare", Some("127.0.0.1:9")),
        row("a line feed", obstore, object, set(&[]), "line-feed", Some("InvalidIdentityToken")),
        row("refused", obstore, object, set(&[("AWS_ROLE_ARN", NOBODYS_ROLE)]), "bare", Some("AccessDenied")),
        row("default keys", obstore, object, with_home(), "bare", Some("127.0.0.1:9")),
    ];
    // The command line keeps sessions in its home, so each row has its own.
    let (cli, cli_identity) = ("aws-cli-v1", "cli_identity");
    let at_home = |more: &[(&'static str, &str)]| [vec![("HOME", aws.home_with(""))], set(more)].concat();
    let of_cli = [
        row("healthy", cli, cli_identity, at_home(&[]), "bare", None),
        row("a kept session", cli, "cli_keeps", at_home(&[]), "bare", None),
        row("a line feed", cli, cli_identity, at_home(&[]), "line-feed", Some("InvalidIdentityToken")),
        row("keys", cli, cli_identity, at_home(&keys), "bare", Some("InvalidClientTokenId")),
        row("no profile", cli, cli_identity, at_home(&[("AWS_PROFILE", "nosuch")]), "bare", Some("could not be found")),
        row("no role", cli, cli_identity, at_home(&[("AWS_ROLE_ARN", UNSET)]), "bare", Some("no role ARN")),
        row("refused", cli, cli_identity, at_home(&[("AWS_ROLE_ARN", NOBODYS_ROLE)]), "bare", Some("AccessDenied")),
    ];
    assert!(!Client::named(cli).unwrap().aws.as_ref().unwrap().caches.is_empty());
    let (workload, default) = ("azure-python-workload", "azure-python");
    let authority = format!("{}/{}", azure.ready("entra").trim_end_matches('/'), azure.ready("tenant_id"));
    let at_azure = [
        row("healthy", workload, "azure_token", set(&[]), "bare", None),
        row("the secret", workload, "azure_secret", set(&[]), "bare", None),
        row("a line feed", workload, "azure_token", set(&[]), "line-feed", Some("AADSTS50027")),
        row("healthy", default, "azure_default_token", set(&[]), "bare", None),
        row(
            "a secret left",
            default,
            "azure_default_token",
            set(&[("AZURE_CLIENT_SECRET", "x")]),
            "bare",
            Some("EnvironmentCredential"),
        ),
        row(
            "plain http",
            workload,
            "azure_token",
            set(&[("AZURE_AUTHORITY_HOST", "http://127.0.0.1:9/")]),
            "bare",
            Some("ValueError"),
        ),
        row(
            "the tenant too",
            workload,
            "azure_token",
            vec![("AZURE_AUTHORITY_HOST", authority)],
            "bare",
            Some("Error"),
        ),
    ];
    let rows: Vec<(&Row, Vec<(String, String)>)> = at_aws
        .iter()
        .chain(&of_cli)
        .map(|row| (row, aws.aws(row)))
        .chain(at_azure.iter().map(|row| (row, azure.azure(row))))
        .collect();
    let mut program = Command::new(python);
    program.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/suite/real_clients/python.py"));
    let answers = play(program, &rows);
    hold(&rows, &answers);
    let name = Client::named("boto3").unwrap().aws.as_ref().unwrap().session_name.replace("{seconds}", "");
    assert!(answers[0].as_ref().is_ok_and(|arn| arn.contains(&format!("/{name}"))), "{:?}", answers[0]);
}

/// Which STS is dialled, and whose key signs where none is asked: seen by a proxy and a store that only keep that.
#[test]
#[ignore = "needs boto3 and other clients (TRUSTLINE_TEST_MOTO)"]
fn python_clients_dial_and_sign_as_the_table_says() {
    let python = outside("TRUSTLINE_TEST_MOTO").with_file_name("python");
    let home = TempDir::new().unwrap();
    let at = |name: &str, text: &str| {
        let path = home.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        path.display().to_string()
    };
    at("keys/.aws/credentials", DEFAULT_KEYS);
    let with_keys = home.path().join("keys").display().to_string();
    let own = [
        ("HOME", home.path().display().to_string()),
        ("AWS_ROLE_ARN", NOBODYS_ROLE.to_owned()),
        ("AWS_WEB_IDENTITY_TOKEN_FILE", at("token", "eyJhbGciOiJSUzI1NiJ9.e30.c2ln")),
        ("AWS_EC2_METADATA_DISABLED", "true".to_owned()),
        ("NOBODY", "https://127.0.0.1:9".to_owned()),
    ];
    let (region, default) = (("AWS_REGION", "eu-central-1"), ("AWS_DEFAULT_REGION", "eu-central-1"));
    let china = [("AWS_REGION", "cn-north-1"), ("AWS_DEFAULT_REGION", "cn-north-1")];
    let endpoint = ("AWS_ENDPOINT_URL_STS", "https://127.0.0.1:9");
    let keys = [("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE"), ("AWS_SECRET_ACCESS_KEY", "x")];
    let row = |name, client, ask, set: &[(&'static str, &str)]| Row {
        name,
        client,
        ask,
        set: self::set(set),
        token: "bare",
        error: None,
    };
    let (boto3, cli, obstore, opendal, pyarrow) = ("boto3", "aws-cli-v1", "obstore", "opendal", "pyarrow");
    let rows = [
        row("its region", boto3, "boto3_dials", &[default]),
        row("another's region", boto3, "boto3_dials", &[region]),
        row("the old way", boto3, "boto3_dials", &[default, ("AWS_STS_REGIONAL_ENDPOINTS", "legacy")]),
        row("China", boto3, "boto3_dials", &china),
        row("FIPS", boto3, "boto3_dials", &[default, ("AWS_USE_FIPS_ENDPOINT", "true")]),
        row("its region", cli, "cli_dials", &[default]),
        row("FIPS", cli, "cli_dials", &[default, ("AWS_USE_FIPS_ENDPOINT", "true")]),
        row("its region", obstore, "obstore_dials", &[region]),
        row("FIPS is not read", obstore, "obstore_dials", &[region, ("AWS_USE_FIPS_ENDPOINT", "true")]),
        row("China", obstore, "obstore_dials", &china),
        row("always the global one", opendal, "opendal_dials", &[region]),
        row("an endpoint is not read", opendal, "opendal_dials", &[region, endpoint]),
        row("China", opendal, "opendal_dials", &china),
        row("keys", opendal, "opendal_signs", &[&keys[..], &[region]].concat()),
        row("default keys", opendal, "opendal_signs", &[region, ("HOME", &with_keys)]),
        row("no role", opendal, "opendal_signs", &[region, ("AWS_ROLE_ARN", UNSET)]),
        row("keys", pyarrow, "pyarrow_signs", &[&keys[..], &[region, endpoint]].concat()),
        row("default keys", pyarrow, "pyarrow_signs", &[region, endpoint, ("HOME", &with_keys)]),
        row("an endpoint with a scheme", pyarrow, "pyarrow_signs", &[region, endpoint]),
    ];
    let rows: Vec<(&Row, Vec<(String, String)>)> = rows.iter().map(|row| (row, with(&own, &row.set))).collect();
    let mut program = Command::new(python);
    program.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/suite/real_clients/python.py"));
    for ((row, set), answer) in rows.iter().zip(play(program, &rows)) {
        let client = Client::named(row.client).unwrap();
        let aws = client.aws.as_ref().unwrap();
        let choice = aws_choice::choose(aws, &surroundings(set));
        let expected = match (row.ask.ends_with("_dials"), &choice.sts, choice.source.without_machine(aws)) {
            (true, Sts::Host(host), AwsSource::WebIdentity) => host.as_str(),
            (false, _, AwsSource::VariableKeys | AwsSource::ProfileKeys(_)) => "AKIAIOSFODNN7EXAMPLE",
            (false, _, AwsSource::Anonymous) => "anonymous",
            (false, _, AwsSource::Error) => "nobody",
            other => panic!("{} ({}): no row for {other:?}", row.name, row.client),
        };
        assert_eq!(answer.as_deref(), Ok(expected), "{} ({} {})", row.name, client.id, client.version);
    }
}

#[test]
#[ignore = "needs clients from npm (TRUSTLINE_TEST_NODE_MODULES)"]
fn javascript_clients_do_what_the_table_says() {
    let modules = outside("TRUSTLINE_TEST_NODE_MODULES");
    let (aws, azure) = (Stage::at("healthy"), Stage::at("azure"));
    let row = |name, client, ask, set, token, error| Row { name, client, ask, set, token, error };
    let empty = [("AWS_ACCESS_KEY_ID", ""), ("AWS_SECRET_ACCESS_KEY", "")];
    let at_aws = [
        row("healthy", "js-v3", "secret", set(&[]), "bare", None),
        row("a line feed", "js-v3", "secret", set(&[]), "line-feed", Some("InvalidIdentityToken")),
        row("empty keys", "js-v3", "secret", set(&empty), "bare", None),
        row(
            "default keys",
            "js-v3",
            "secret",
            vec![("HOME", aws.home_with(DEFAULT_KEYS))],
            "bare",
            Some("UnrecognizedClientException"),
        ),
        row(
            "no region of its own",
            "js-v3",
            "secret",
            set(&[("AWS_REGION", UNSET), ("AWS_ENDPOINT_URL_STS", UNSET)]),
            "bare",
            Some("Region is missing"),
        ),
        row("refused", "js-v3", "secret", set(&[("AWS_ROLE_ARN", NOBODYS_ROLE)]), "bare", Some("AccessDenied")),
    ];
    let at_azure = [
        row("healthy", "azure-js-workload", "azure_token", set(&[]), "bare", None),
        row("a line feed", "azure-js-workload", "azure_token", set(&[]), "line-feed", None),
        row("the secret", "azure-js-workload", "azure_secret", set(&[]), "bare", None),
        row(
            "plain http",
            "azure-js-workload",
            "azure_token",
            set(&[("AZURE_AUTHORITY_HOST", "http://127.0.0.1:9/")]),
            "bare",
            Some("https"),
        ),
    ];
    let authorities = azure.home.path().join("authorities.pem");
    let both = [aws.ready("ca_file"), azure.ready("ca_file")].map(|file| fs::read_to_string(file).unwrap()).concat();
    fs::write(&authorities, both).unwrap();
    let rows: Vec<(&Row, Vec<(String, String)>)> = at_aws
        .iter()
        .map(|row| (row, aws.aws(row)))
        .chain(at_azure.iter().map(|row| (row, azure.azure(row))))
        .collect();
    let mut program = Command::new("node");
    program
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/suite/real_clients/javascript.mjs"))
        .env("MODULES", modules)
        .env("NODE_EXTRA_CA_CERTS", authorities);
    hold(&rows, &play(program, &rows));
}
