//! The planted secrets, the forms in which one could leave, and a cloud whose answers carry them.

use std::fs;

use base64::Engine as _;
use base64::prelude::{BASE64_STANDARD, BASE64_STANDARD_NO_PAD, BASE64_URL_SAFE, BASE64_URL_SAFE_NO_PAD};
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::servers::{self, Authority, Server, Stream, VALID, authority};
use crate::support::RunningLab;

pub const VALUE: &str = "canary+value/7f3e81c4\"9d20";
/// How it begins, however it is written.
const VALUE_START: &str = "canary+value";
/// What a rotation writes.
pub const NEW_VALUE: &str = "canary+fresh/5a1b07c4\"e83f";
pub const SECRET_KEY: &str = "canary/secret/access/key/0123456789abcde";
pub const SESSION_TOKEN: &str = "canarySessionToken0123456789abcdefghijklmnopqrstuvwxyz";
pub const ACCESS_TOKEN: &str = "eyJhbGciOiJub25lIn0.eyJjYW5hcnkiOiJhY2Nlc3MifQ.Y2FuYXJ5LWFjY2Vzcw";
pub const CLIENT_SECRET: &str = "canry8Q~client.secret.of.the.application";

impl RunningLab {
    /// Where the secret's value is [`VALUE`].
    pub fn with_planted_value() -> RunningLab {
        RunningLab::world(&format!(
            "name = \"planted\"\ntitle = \"a planted value\"\nguide = \"aws-workload-identity\"\n\
             [aws.secrets.crewai-test-keyword]\nversions = [{{ stages = [\"AWSCURRENT\"], value = '{VALUE}' }}]\n"
        ))
    }

    /// On Azure, by client secret: it is [`CLIENT_SECRET`], and the value is [`VALUE`].
    pub fn on_azure() -> RunningLab {
        RunningLab::world(&format!(
            "name = \"planted\"\ntitle = \"planted\"\nguide = \"azure-workload-identity\"\n\
             [profile.azure]\nclient-secret = \"{CLIENT_SECRET}\"\n\
             [azure.apps.crewai-secrets-reader]\nclient-secrets = [{{ value = \"{CLIENT_SECRET}\" }}]\n\
             [azure.vault.secrets.crewai-test-keyword]\nversions = [{{ value = '{VALUE}' }}]\n"
        ))
    }

    pub fn token(&self) -> String {
        fs::read_to_string(self.file("token.jwt")).unwrap()
    }
}

/// What the planted cloud does with its answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Manner {
    /// Gives them whole.
    Well,
    /// Hangs up in the middle of the one that carries a secret.
    CutOff,
    /// Gives them as something that no parser takes, secrets included.
    Garbled,
    /// Refuses, and quotes what it was sent.
    Quotes,
    /// Grants a session, then refuses as above.
    QuotesLater,
    /// Grants everything but a new value, and refuses that as above.
    QuotesWrites,
    /// Stops in the middle of the answer that carries the secret's value, and holds the line.
    Stalls,
}

/// STS, Secrets Manager, Entra and a vault that give out planted secrets; the token and its issuer are the lab's.
pub struct Cloud {
    pub lab: RunningLab,
    server: Server,
    authority: Authority,
    ca: tempfile::NamedTempFile,
}

impl Cloud {
    pub fn aws(manner: Manner) -> Cloud {
        Cloud::beside(RunningLab::with_planted_value(), manner)
    }

    pub fn azure(manner: Manner) -> Cloud {
        Cloud::beside(RunningLab::on_azure(), manner)
    }

    fn beside(lab: RunningLab, manner: Manner) -> Cloud {
        let authority = authority("Planted");
        let server = servers::tls_raw(authority.identity("localhost", VALID), move |stream| answer(stream, manner));
        let ca = tempfile::NamedTempFile::new().unwrap();
        let both =
            fs::read_to_string(lab.file("ca.pem")).unwrap() + &fs::read_to_string(authority.file.path()).unwrap();
        fs::write(ca.path(), both).unwrap();
        Cloud { lab, server, authority, ca }
    }

    /// The arguments that send a command there.
    pub fn arguments(&self) -> Vec<String> {
        let mut arguments = self.network();
        arguments.extend(["--profile-file".to_owned(), self.lab.file("profile.toml")]);
        arguments
    }

    /// The arguments that send a command's profiles there, whichever they are.
    pub fn network(&self) -> Vec<String> {
        let url = format!("https://localhost:{}", self.server.port);
        let set = if self.is_azure() {
            [format!("azure.authority-host={url}"), format!("azure.vault-url={url}")]
        } else {
            [format!("aws.sts-endpoint-url={url}"), format!("aws.secretsmanager-endpoint-url={url}")]
        };
        let mut arguments = Vec::new();
        arguments.extend(["--ca-file".to_owned(), self.ca.path().to_str().unwrap().to_owned()]);
        arguments.extend(set.into_iter().flat_map(|set| ["--set".to_owned(), set]));
        arguments
    }

    /// The arguments with which a rotation writes there, beside the shared credentials in [`Cloud::environment`].
    pub fn operator(&self) -> Vec<String> {
        let secret = self.lab.file("secrets-admin-client-secret");
        let arguments = if self.is_azure() {
            ["--operator-client-id", "55555555-aaaa-4bbb-8ccc-666666666666", "--operator-secret-file", &secret].to_vec()
        } else {
            ["--operator-profile", "secrets-admin"].to_vec()
        };
        arguments.into_iter().map(str::to_owned).collect()
    }

    /// The variables of whoever rotates there.
    pub fn environment(&self) -> [(&'static str, String); 1] {
        [("AWS_SHARED_CREDENTIALS_FILE", self.lab.file("secrets-admin-credentials"))]
    }

    /// The lab's profile with its files named in full, as it stands in a folder of profiles.
    pub fn profile(&self) -> String {
        let mut profile = fs::read_to_string(self.lab.file("profile.toml")).unwrap();
        for entry in fs::read_dir(&self.lab.folder).unwrap() {
            let name = entry.unwrap().file_name().into_string().unwrap();
            profile = profile.replace(&format!("{name:?}"), &format!("{:?}", self.lab.file(&name)));
        }
        profile
    }

    pub fn is_azure(&self) -> bool {
        fs::read_to_string(self.lab.file("profile.toml")).unwrap().contains("azure-workload")
    }

    /// The secrets that must not show, with the name of each.
    pub fn secrets(&self) -> Vec<(&'static str, String)> {
        let _ = &self.authority;
        let mut all = secrets(&self.lab.token());
        for (name, file) in [
            ("the bearer token of the deployment", "deployment-token"),
            ("the client secret of who rotates", "secrets-admin-client-secret"),
        ] {
            all.push((name, fs::read_to_string(self.lab.file(file)).unwrap()));
        }
        let keys = fs::read_to_string(self.lab.file("secrets-admin-credentials")).unwrap();
        let key = keys.lines().find_map(|line| line.strip_prefix("aws_secret_access_key = ")).unwrap();
        all.push(("the secret access key of who rotates", key.to_owned()));
        all
    }
}

/// All that is planted, and a token with its signature apart: header and claims are shown decoded, and only so.
pub fn secrets(token: &str) -> Vec<(&'static str, String)> {
    let mut all = vec![
        ("the secret's value", VALUE.to_owned()),
        ("the secret's new value", NEW_VALUE.to_owned()),
        ("the secret access key", SECRET_KEY.to_owned()),
        ("the session token", SESSION_TOKEN.to_owned()),
        ("the access token", ACCESS_TOKEN.to_owned()),
        ("the client secret", CLIENT_SECRET.to_owned()),
        ("the token", token.to_owned()),
    ];
    all.extend(token.split('.').map(|segment| ("a segment of the token", segment.to_owned())));
    all.extend(ACCESS_TOKEN.split('.').map(|segment| ("a segment of the access token", segment.to_owned())));
    all
}

/// What programs and libraries are asked to tell more by. No answer of theirs may be more than nothing.
pub const TALKATIVE: [(&str, &str); 7] = [
    ("RUST_BACKTRACE", "full"),
    ("RUST_LIB_BACKTRACE", "1"),
    ("RUST_LOG", "trace"),
    ("AWS_LOG_LEVEL", "trace"),
    ("AWS_SDK_LOG", "debug"),
    ("AZURE_LOG_LEVEL", "verbose"),
    ("AZURE_SDK_LOG_LEVEL", "trace"),
];

/// The forms in which a secret could leave.
pub fn forms(secret: &str) -> Vec<String> {
    let bytes = secret.as_bytes();
    let hex: String = bytes.iter().map(|b| format!("{b:02x}")).collect();
    let json = serde_json::to_string(secret).unwrap();
    let json = json.trim_matches('"');
    let listed: Vec<String> = bytes.iter().map(u8::to_string).collect();
    let mut forms = vec![
        secret.to_owned(),
        json.to_owned(),
        // A document in a document.
        json.replace('\\', "\\\\").replace('"', "\\\""),
        secret.replace('"', "&quot;"),
        secret.replace('"', "&#34;"),
        url::form_urlencoded::byte_serialize(bytes).collect(),
        bytes.iter().map(|b| format!("%{b:02X}")).collect(),
        hex.to_uppercase(),
        hex,
        // How Rust and JSON show bytes.
        listed.join(", "),
        listed.join(","),
        BASE64_STANDARD.encode(bytes),
        BASE64_STANDARD_NO_PAD.encode(bytes),
        BASE64_URL_SAFE.encode(bytes),
        BASE64_URL_SAFE_NO_PAD.encode(bytes),
    ];
    // In the middle of something longer that is encoded, such as a user's name and a password.
    for shift in 1..3 {
        let whole = [&vec![0; shift], bytes].concat();
        for encoded in [BASE64_STANDARD_NO_PAD.encode(&whole), BASE64_URL_SAFE_NO_PAD.encode(&whole)] {
            forms.push(encoded[shift + 1..encoded.len() - 1].to_owned());
        }
    }
    forms.sort_unstable();
    forms.dedup();
    forms
}

/// Which secrets a text holds, each with the form it is in.
pub fn found(text: &[u8], secrets: &[(&'static str, String)]) -> Vec<String> {
    let holds = |form: &str| memchr::memmem::find(text, form.as_bytes()).is_some();
    let mut hits = Vec::new();
    for (name, secret) in secrets {
        let hit = forms(secret).into_iter().find(|form| holds(form));
        hits.extend(hit.map(|form| format!("{name} as {}…", form.chars().take(24).collect::<String>())));
    }
    hits
}

async fn answer(mut stream: Box<dyn Stream>, manner: Manner) -> std::io::Result<()> {
    loop {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(stream.read_u8().await?);
        }
        let head = String::from_utf8_lossy(&head).into_owned();
        let length = head.lines().find_map(|line| {
            let (name, value) = line.split_once(':')?;
            name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>().ok())?
        });
        let mut body = vec![0; length.unwrap_or(0)];
        stream.read_exact(&mut body).await?;
        let body = String::from_utf8_lossy(&body).into_owned();
        let (kind, granted) = granted(&head, &body);
        let (status, text) = match manner {
            Manner::Quotes => ("400 Bad Request", quoting(kind, &head, &body)),
            Manner::QuotesLater if !granted.contains("canary") || granted.contains(VALUE_START) => {
                ("403 Forbidden", quoting(kind, &head, &body))
            }
            Manner::QuotesWrites if body.contains("canary+fresh") => ("400 Bad Request", quoting(kind, &head, &body)),
            Manner::Garbled if granted.contains("canary") => ("200 OK", granted.replace(['{', '<'], "(")),
            _ if granted.starts_with("401") => ("401 Unauthorized", String::new()),
            _ => ("200 OK", granted),
        };
        let challenge =
            "www-authenticate: Bearer authorization=\"https://localhost/t\", resource=\"https://vault.azure.net\"\r\n";
        let challenge = if status.starts_with("401") { challenge } else { "" };
        let answer = format!(
            "HTTP/1.1 {status}\r\ncontent-type: {kind}\r\n{challenge}content-length: {}\r\n\r\n{text}",
            text.len()
        );
        let holds_value = text.contains("canary+");
        let cut = (manner == Manner::CutOff && text.contains("canary")) || (manner == Manner::Stalls && holds_value);
        stream.write_all(&answer.as_bytes()[..answer.len() - if cut { 4 } else { 0 }]).await?;
        stream.flush().await?;
        match manner {
            Manner::CutOff if cut => return stream.shutdown().await,
            Manner::Stalls if cut => return std::future::pending().await,
            _ => {}
        }
    }
}

/// What each service answers where all is well, with its type.
fn granted(head: &str, body: &str) -> (&'static str, String) {
    const XML: &str = "text/xml";
    const JSON: &str = "application/json";
    if body.contains("Action=AssumeRoleWithWebIdentity") {
        let credentials = format!(
            "<Credentials><AccessKeyId>ASIACANARY0000000001</AccessKeyId><SecretAccessKey>{SECRET_KEY}</SecretAccessKey>\
             <SessionToken>{SESSION_TOKEN}</SessionToken><Expiration>2099-01-01T00:00:00Z</Expiration></Credentials>"
        );
        let user = "<AssumedRoleUser><Arn>arn:aws:sts::123456789012:assumed-role/r/s</Arn><AssumedRoleId>A:s</AssumedRoleId></AssumedRoleUser>";
        (XML, in_xml("AssumeRoleWithWebIdentity", &format!("{credentials}{user}")))
    } else if body.contains("Action=GetCallerIdentity") {
        let caller =
            "<Arn>arn:aws:sts::123456789012:assumed-role/r/s</Arn><UserId>A:s</UserId><Account>123456789012</Account>";
        (XML, in_xml("GetCallerIdentity", caller))
    } else if head.contains("ListSecrets") {
        (JSON, json!({ "SecretList": [{ "Name": "crewai-test-keyword" }] }).to_string())
    } else if head.contains("PutSecretValue") {
        let arn = "arn:aws:secretsmanager:us-east-1:123456789012:secret:crewai-test-keyword-a1B2c3";
        (JSON, json!({ "ARN": arn, "Name": "crewai-test-keyword", "VersionId": "w", "VersionStages": [] }).to_string())
    } else if head.contains("GetSecretValue") {
        let arn = "arn:aws:secretsmanager:us-east-1:123456789012:secret:crewai-test-keyword-a1B2c3";
        let read = json!({ "ARN": arn, "Name": "crewai-test-keyword", "VersionId": "v", "SecretString": VALUE });
        (JSON, read.to_string())
    } else if body.contains("grant_type=") {
        (
            JSON,
            json!({ "token_type": "Bearer", "expires_in": 3600, "access_token": ACCESS_TOKEN, "canary": 1 })
                .to_string(),
        )
    } else if !head.to_lowercase().contains("authorization:") {
        (JSON, "401".to_owned())
    } else if head.starts_with("PUT /secrets/") {
        // A vault repeats the value that it was given.
        let id = "https://localhost/secrets/crewai-test-keyword/1";
        (JSON, json!({ "value": NEW_VALUE, "id": id, "attributes": { "enabled": true } }).to_string())
    } else if head.contains("/versions?") {
        (JSON, json!({ "value": [] }).to_string())
    } else if head.contains("/secrets/") {
        let id = "https://localhost/secrets/crewai-test-keyword/0";
        (JSON, json!({ "value": VALUE, "id": id, "attributes": { "enabled": true } }).to_string())
    } else {
        (JSON, json!({ "value": [] }).to_string())
    }
}

fn in_xml(action: &str, result: &str) -> String {
    format!(
        "<{action}Response xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><{action}Result>{result}</{action}Result>\
         <ResponseMetadata><RequestId>r</RequestId></ResponseMetadata></{action}Response>"
    )
}

/// A refusal in the service's own form, whose words hold everything that was sent.
fn quoting(kind: &str, head: &str, body: &str) -> String {
    let is_credential = |line: &&str| {
        let line = line.to_lowercase();
        line.starts_with("authorization:") || line.starts_with("x-amz-security-token:")
    };
    let sent: Vec<&str> = head.lines().filter(is_credential).collect();
    let form: Vec<String> = url::form_urlencoded::parse(body.as_bytes()).map(|(k, v)| format!("{k}={v}")).collect();
    let value = if body.contains("canary+fresh") { NEW_VALUE } else { "" };
    let said = format!("AADSTS700024: refused {} {} {value} {body}", sent.join(" "), form.join("&"));
    if kind == "text/xml" {
        let said = said.replace('&', "&amp;").replace('<', "&lt;");
        return format!(
            "<ErrorResponse><Error><Type>Sender</Type><Code>InvalidIdentityToken</Code><Message>{said}</Message></Error></ErrorResponse>"
        );
    }
    let error = json!({ "code": "Forbidden", "message": said });
    json!({ "__type": "AccessDeniedException", "message": said, "error": error, "error_description": said }).to_string()
}
