//! Servers nobody here wrote: moto as AWS, and an npm package as issuer. `.ci/run` installs both.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Command, Output, Stdio};
use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::{Ended, Moto, outside, trustline};

const ROLE: &str = "arn:aws:iam::123456789012:role/crewai-secrets-reader";
const REGION: &str = "us-east-1";

impl Moto {
    /// Calls Secrets Manager's JSON protocol. moto reads of the signature only which service it is for.
    fn secrets_manager(&self, action: &str, body: &Value) -> Value {
        let body = body.to_string();
        let mut stream = TcpStream::connect(&self.address).unwrap();
        write!(
            stream,
            "POST / HTTP/1.1\r\nHost: {}\r\nConnection: close\r\nContent-Type: application/x-amz-json-1.1\r\n\
             X-Amz-Target: secretsmanager.{action}\r\nContent-Length: {}\r\nAuthorization: AWS4-HMAC-SHA256 \
             Credential=AKIAIOSFODNN7EXAMPLE/20260101/{REGION}/secretsmanager/aws4_request, SignedHeaders=host, Signature=0\r\n\r\n{body}",
            self.address,
            body.len(),
        )
        .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        assert!(head.starts_with("HTTP/1.1 200"), "{answer}");
        serde_json::from_str(body).unwrap()
    }
}

/// A token that no key signed: moto takes anything.
fn throw_away_token() -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let header = json!({ "alg": "RS256", "typ": "JWT", "kid": "none-of-yours" });
    let claims = json!({
        "iss": "http://127.0.0.1:9", "sub": "organization:5b1f2c9e-0000-4000-8000-0123456789ab",
        "aud": "sts.amazonaws.com", "iat": now, "exp": now + 600,
    });
    let part = |json: Value| BASE64_URL_SAFE_NO_PAD.encode(json.to_string());
    format!("{}.{}.{}", part(header), part(claims), BASE64_URL_SAFE_NO_PAD.encode([7; 256]))
}

/// Runs `check` as a CI job would: with AWS's own variables and no profile.
fn check(moto: &Moto, home: &TempDir, secret: &str) -> (Output, Value) {
    let token = home.path().join("token.jwt");
    fs::write(&token, throw_away_token()).unwrap();
    let output = trustline()
        .env("AWS_ENDPOINT_URL", format!("http://{}", moto.address))
        .env("AWS_ROLE_ARN", ROLE)
        .env("AWS_REGION", REGION)
        .env("AWS_WEB_IDENTITY_TOKEN_FILE", &token)
        .args(["check", "--output", "json", "--set", &format!("secret.name={secret}")])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let report: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}\n{said}"));
    assert_eq!(report["schema"], "trustline.check/1", "{report:#}");
    (output, report)
}

fn check_of<'a>(report: &'a Value, id: &str) -> &'a Value {
    let checks = report["checks"].as_array().unwrap();
    checks.iter().find(|check| check["id"] == id).unwrap_or_else(|| panic!("{id} is not in {report:#}"))
}

#[test]
#[ignore = "needs moto (TRUSTLINE_TEST_MOTO)"]
fn check_goes_the_whole_way_at_moto() {
    let moto = Moto::start();
    let home = TempDir::new().unwrap();
    // Nobody guesses it, so its fingerprint is not keyed.
    let value = "kT9vQ2mZ7pLx4RwB8sNd1HfJ6cYgA3eU";
    moto.secrets_manager(
        "CreateSecret",
        &json!({ "Name": "team/keyword", "SecretString": value, "ClientRequestToken": "0123456789abcdef0123456789abcdef" }),
    );
    let (output, report) = check(&moto, &home, "team/keyword");
    for id in ["aws.assume-role-with-web-identity", "aws.caller-identity", "aws.list-secrets", "aws.get-secret"] {
        assert_eq!(check_of(&report, id)["outcome"], "pass", "{id} in {report:#}");
    }
    // sha256 of the value, its first twelve digits: `printf %s "$value" | sha256sum | cut -c1-12`.
    let facts = check_of(&report, "aws.get-secret")["facts"].to_string();
    assert!(facts.contains("sha256:0b00c54d8168"), "{facts}");
    assert!(!String::from_utf8_lossy(&output.stdout).contains(value), "the value is printed");
    // No issuer answers here, and that says nothing about AWS.
    assert_ne!(check_of(&report, "token.signature")["outcome"], "pass", "{report:#}");
}

#[test]
#[ignore = "needs moto (TRUSTLINE_TEST_MOTO)"]
fn a_secret_missing_at_moto_is_diagnosed() {
    let moto = Moto::start();
    let home = TempDir::new().unwrap();
    let (output, report) = check(&moto, &home, "no/such/secret");
    assert_eq!(output.status.code(), Some(1), "{report:#}");
    assert_eq!(check_of(&report, "aws.get-secret")["outcome"], "fail", "{report:#}");
    let causes: Vec<&Value> = report["findings"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|finding| finding["check"] == "aws.get-secret")
        .map(|finding| &finding["cause"])
        .collect();
    assert_eq!(causes.first(), Some(&&json!("secret-not-found")), "{report:#}");
}

/// A call of IAM or KMS at moto, as its own administrator.
fn set_up(moto: &Moto, program: &str) {
    let python = outside("TRUSTLINE_TEST_MOTO").with_file_name("python");
    let program = format!(
        "import boto3, json\nat = dict(endpoint_url='http://{}', region_name='{REGION}', aws_access_key_id='AKIAIOSFODNN7EXAMPLE', aws_secret_access_key='x')\niam, kms, secrets = (boto3.client(s, **at) for s in ('iam', 'kms', 'secretsmanager'))\n{program}",
        moto.address
    );
    let ended = Command::new(python).args(["-c", &program]).output().unwrap();
    assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
}

/// Its exchange takes anything, so none is made: the claims are those that the profile makes expected.
#[test]
#[ignore = "needs moto (TRUSTLINE_TEST_MOTO)"]
fn the_clouds_own_side_is_proven_at_moto() {
    let moto = Moto::start();
    let organization = "5b1f2c9e-0000-4000-8000-0123456789ab";
    set_up(
        &moto,
        r#"
key = kms.create_key()['KeyMetadata']['Arn']
secrets.create_secret(Name='team/keyword', SecretString='x', KmsKeyId=key)
kms.disable_key(KeyId=key.split('/')[-1])
iam.create_open_id_connect_provider(Url='https://issuer.example', ClientIDList=['sts.amazonaws.com'], ThumbprintList=['0' * 40])
trust = {'Version': '2012-10-17', 'Statement': [{'Effect': 'Allow', 'Action': 'sts:AssumeRoleWithWebIdentity',
  'Principal': {'Federated': 'arn:aws:iam::123456789012:oidc-provider/issuer.example'},
  'Condition': {'StringEquals': {'issuer.example:aud': 'sts.amazonaws.com', 'issuer.example:sub': 'organization:another'}}}]}
iam.create_role(RoleName='crewai-secrets-reader', AssumeRolePolicyDocument=json.dumps(trust))
grant = {'Version': '2012-10-17', 'Statement': [{'Effect': 'Allow', 'Action': 'secretsmanager:ListSecrets', 'Resource': '*'}]}
iam.put_role_policy(RoleName='crewai-secrets-reader', PolicyName='List', PolicyDocument=json.dumps(grant))
"#,
    );
    let output = trustline()
        .env("AWS_ENDPOINT_URL", format!("http://{}", moto.address))
        .env("AWS_ROLE_ARN", ROLE)
        .env("AWS_REGION", REGION)
        .env("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE")
        .env("AWS_SECRET_ACCESS_KEY", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")
        .args(["check", "--operator", "--output", "json", "--set", "secret.name=team/keyword"])
        .args(["--set", "guide=aws-workload-identity", "--set", "issuer.url=https://issuer.example"])
        .args(["--set", &format!("platform.organization={organization}"), "--set", "token.env=NO_SUCH_TOKEN"])
        .output()
        .unwrap();
    let report: Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&output.stderr)));
    assert_eq!(check_of(&report, "aws.operator")["outcome"], "pass", "{report:#}");
    assert_eq!(check_of(&report, "aws.oidc-provider")["outcome"], "pass", "{report:#}");
    let found = |cause: &str| {
        let findings = report["findings"].as_array().unwrap();
        findings.iter().find(|finding| finding["cause"] == cause).unwrap_or_else(|| panic!("{cause}: {report:#}"))
    };
    // What rests on expected claims is called predicted, and the rest is proven.
    let trust = found("sub-mismatch");
    assert!(trust["summary"].as_str().unwrap().starts_with("predicted: "), "{trust:#}");
    for cause in ["missing-get", "kms-key-state"] {
        assert_eq!(found(cause)["certainty"], "proven", "{report:#}");
    }
}

/// Runs `rotate` as an operator's job would: the reader through AWS's variables, the writer through the default chain.
fn rotate(moto: &Moto, home: &TempDir, value: &str, arguments: &[&str]) -> Value {
    let token = home.path().join("token.jwt");
    fs::write(&token, throw_away_token()).unwrap();
    let output = trustline()
        .env("AWS_ENDPOINT_URL", format!("http://{}", moto.address))
        .env("AWS_ROLE_ARN", ROLE)
        .env("AWS_REGION", REGION)
        .env("AWS_DEFAULT_REGION", REGION)
        .env("AWS_WEB_IDENTITY_TOKEN_FILE", &token)
        .env("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE")
        .env("AWS_SECRET_ACCESS_KEY", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")
        .args(["rotate", "--output", "json", "--secret", "team/rotated"])
        .args(arguments)
        .write_stdin(value)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}\n{said}"))
}

#[test]
#[ignore = "needs moto (TRUSTLINE_TEST_MOTO)"]
fn rotations_by_trustline_and_by_a_command_are_followed_at_moto() {
    let moto = Moto::start();
    let home = TempDir::new().unwrap();
    let file = |name: &str, text: &str| {
        let path = home.path().join(name);
        fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let first = "0123456789abcdef0123456789abcdef";
    moto.secrets_manager(
        "CreateSecret",
        &json!({ "Name": "team/rotated", "SecretString": "hello from aws", "ClientRequestToken": first }),
    );
    let stages = |id: &Value| {
        let described = moto.secrets_manager("DescribeSecret", &json!({ "SecretId": "team/rotated" }));
        described["VersionIdsToStages"][id.as_str().unwrap()].clone()
    };

    let output = file("output", "credential.fingerprint=sha256:5d8269a65fdc");
    let report = rotate(&moto, &home, "rotated value", &["--put", "--yes", "--runtime-after", &output]);
    assert_eq!((&report["verdict"], &report["before"]["id"]), (&json!("propagated"), &json!(first)), "{report:#}");
    assert_ne!(report["before"]["fingerprint"], report["after"]["fingerprint"]);
    assert_eq!(stages(&report["after"]["id"]), json!(["AWSCURRENT"]));
    assert_eq!(stages(&report["before"]["id"]), json!(["AWSPREVIOUS"]));

    // AWS's own SDK for Python writes; the value reaches it in a file.
    let python = outside("TRUSTLINE_TEST_MOTO").with_file_name("python");
    let value = file("value", "rotated value\n");
    let program = format!(
        "import boto3; boto3.client('secretsmanager', endpoint_url='http://{}').put_secret_value(SecretId='team/rotated', \
         SecretString=open('{value}').read())",
        moto.address
    );
    let arguments = ["--runtime-after", &output, "--command", python.to_str().unwrap(), "-c", &program];
    let second = rotate(&moto, &home, "", &arguments);
    assert_eq!(second["before"]["id"], report["after"]["id"], "{second:#}");
    // The value was written with its line break, so it is another than the one before.
    assert_ne!(second["after"]["fingerprint"], report["after"]["fingerprint"]);
    assert_eq!(second["verdict"], "stale", "the automation has what was there before: {second:#}");
    assert_eq!(stages(&second["after"]["id"]), json!(["AWSCURRENT"]));

    let back = rotate(&moto, &home, "rotated value", &["--put", "--yes"]);
    assert_eq!(back["verdict"], "rolled-back", "{back:#}");
}

/// An issuer from npm, and a token it signed.
struct Issuer {
    url: String,
    kids: Vec<String>,
    kid: String,
    token: String,
    _server: Ended,
}

impl Issuer {
    fn start() -> Self {
        const PROGRAM: &str = "
            const { OAuth2Server } = require('oauth2-mock-server');
            (async () => {
                const server = new OAuth2Server();
                const kid = (await server.issuer.keys.generate('RS256')).kid;
                await server.issuer.keys.generate('ES256');
                await server.start(0, '127.0.0.1');
                const token = await server.issuer.buildToken({ kid, scopesOrTransform: (header, payload) => {
                    Object.assign(payload, { aud: 'sts.amazonaws.com', sub: 'organization:x' });
                } });
                const answer = await fetch(server.issuer.url + '/jwks');
                const kids = (await answer.json()).keys.map((key) => key.kid);
                console.log(JSON.stringify({ url: server.issuer.url, kids, kid, token }));
            })();";
        let modules = outside("TRUSTLINE_TEST_NODE_MODULES");
        let mut server = Ended(
            Command::new("node")
                .args(["-e", PROGRAM])
                .env("NODE_PATH", modules)
                .stdout(Stdio::piped())
                .spawn()
                .unwrap(),
        );
        let mut line = String::new();
        BufReader::new(server.0.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let said: Value = serde_json::from_str(&line).expect("the issuer ended before it listened");
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        Issuer {
            url: text(&said["url"]),
            kids: said["kids"].as_array().unwrap().iter().map(text).collect(),
            kid: text(&said["kid"]),
            token: text(&said["token"]),
            _server: server,
        }
    }
}

fn json_of(args: &[&str]) -> Value {
    let output = trustline().args(args).args(["--output", "json"]).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{args:?}: {error}\n{said}"))
}

#[test]
#[ignore = "needs oauth2-mock-server (TRUSTLINE_TEST_NODE_MODULES)"]
fn issuer_agrees_with_an_issuer_from_npm() {
    let issuer = Issuer::start();
    let report = json_of(&["issuer", &issuer.url]);
    assert_eq!(report["schema"], "trustline.issuer/1");
    assert_eq!(report["issuer"], issuer.url);
    assert_eq!(report["discovery"]["issuer"], issuer.url, "{report:#}");
    let keys = report["jwks"]["keys"].as_array().unwrap_or_else(|| panic!("{report:#}"));
    let kids: Vec<&str> = keys.iter().map(|key| key["kid"].as_str().unwrap()).collect();
    assert_eq!(kids, issuer.kids);
    let mut types: Vec<&str> = keys.iter().map(|key| key["kty"].as_str().unwrap()).collect();
    types.sort_unstable();
    assert_eq!(types, ["EC", "RSA"]);
}

#[test]
#[ignore = "needs oauth2-mock-server (TRUSTLINE_TEST_NODE_MODULES)"]
fn token_agrees_with_an_issuer_from_npm() {
    let issuer = Issuer::start();
    let home = TempDir::new().unwrap();
    let write = |name: &str, token: &str| {
        let path = home.path().join(name);
        fs::write(&path, token).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let jwks = format!("{}/jwks", issuer.url);

    let file = write("token.jwt", &issuer.token);
    for keys in [["--jwks", &jwks], ["--issuer", &issuer.url]] {
        let report = json_of(&["token", &file, keys[0], keys[1]]);
        assert_eq!(report["schema"], "trustline.token/1");
        assert_eq!(report["signature"], "verified", "{keys:?}: {report:#}");
        assert_eq!(report["header"]["kid"], issuer.kid);
        assert_eq!(report["claims"]["iss"], issuer.url);
    }

    // One claim changed after signing.
    let mut parts = issuer.token.split('.');
    let (header, claims, signature) = (parts.next().unwrap(), parts.next().unwrap(), parts.next().unwrap());
    let claims = String::from_utf8(BASE64_URL_SAFE_NO_PAD.decode(claims).unwrap()).unwrap();
    let changed = BASE64_URL_SAFE_NO_PAD.encode(claims.replace("organization:x", "organization:y"));
    let file = write("changed.jwt", &format!("{header}.{changed}.{signature}"));
    let report = json_of(&["token", &file, "--jwks", &jwks]);
    assert_eq!(report["signature"], "failed", "{report:#}");
}
