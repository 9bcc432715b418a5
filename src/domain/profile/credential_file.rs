//! The credential file that Google's libraries find by `GOOGLE_APPLICATION_CREDENTIALS`: what an `external_account` says of
//! provider, service account, universe and the token's source. It holds no secret; the files that do are refused unread.

use serde_json::{Map, Value as Json};

use super::gcp::PUBLIC_UNIVERSE;
use super::key::Key;
use super::setting::{Fault, Origin, Problem, Setting, Value, quoted};

/// The variable that names the file.
pub const CREDENTIAL_FILE: &str = "GOOGLE_APPLICATION_CREDENTIALS";
/// Set to `1` it lets Google's libraries, and this program, run the program that a file names.
pub const ALLOW_EXECUTABLES: &str = "GOOGLE_EXTERNAL_ACCOUNT_ALLOW_EXECUTABLES";
/// The members of a JSON answer that a token is taken from.
const TOKEN_MEMBERS: &[&str] = &["id_token", "token", "value"];

/// What such a file says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CredentialFile {
    settings: Vec<(Key, Value)>,
    /// Why the token's source is not used; told where nothing else names one.
    pub unread_token: Option<Problem>,
}

impl CredentialFile {
    /// Reads the text of a file; `may_run` is whether a program that it names may be run.
    ///
    /// # Errors
    /// It is no credential of a workload identity pool.
    pub fn parse(text: &str, may_run: bool) -> Result<Self, Problem> {
        let fault = |wrong: String, instead: &str| Err(problem(Fault::new(wrong, instead)));
        let Ok(Json::Object(file)) = serde_json::from_str::<Json>(text) else {
            return fault(
                "names a file that holds no JSON object".to_owned(),
                "name the file that `gcloud iam workload-identity-pools create-cred-config` writes, or unset the variable",
            );
        };
        let word = |name: &str| file.get(name).and_then(Json::as_str);
        match word("type") {
            Some("external_account") => {}
            Some("service_account") => {
                return fault(
                    "names a file of the kind `service_account`, which federates nothing".to_owned(),
                    "check the key with --set guide=gcp-static, or name an `external_account` file (`gcloud iam workload-identity-pools create-cred-config`)",
                );
            }
            Some(kind @ ("authorized_user" | "impersonated_service_account")) => {
                return fault(
                    format!("names a file of the kind `{kind}`, which federates nothing"),
                    "name an `external_account` file (`gcloud iam workload-identity-pools create-cred-config`), or unset the variable",
                );
            }
            kind => {
                return fault(
                    format!(
                        "names a file of the kind {}",
                        kind.map_or_else(|| "that it does not say".to_owned(), quoted)
                    ),
                    "name an `external_account` file, or unset the variable",
                );
            }
        }
        let mut settings = Vec::new();
        let mut set = |key: Key, text: &str| settings.push((key, Value::Text(text.to_owned())));
        let universe = word("universe_domain").unwrap_or(PUBLIC_UNIVERSE);
        if universe != PUBLIC_UNIVERSE {
            set(Key::UniverseDomain, universe);
        }
        if let Some(audience) = word("audience") {
            let prefix = format!("//iam.{universe}/");
            set(Key::GcpProvider, audience.strip_prefix(&prefix).unwrap_or(audience));
        }
        if let Some(host) = word("token_url").and_then(|url| url.strip_suffix("/v1/token"))
            && host != format!("https://sts.{universe}")
        {
            set(Key::GcpStsEndpointUrl, host);
        }
        if let Some((host, account)) = word("service_account_impersonation_url").and_then(impersonated) {
            set(Key::GcpServiceAccount, account);
            if host != format!("https://iamcredentials.{universe}") {
                set(Key::GcpIamcredentialsEndpointUrl, host);
            }
        }
        let source = file.get("credential_source").and_then(Json::as_object);
        let unread_token = match token_source(source, word("audience"), word("subject_token_type"), may_run) {
            Ok((key, value)) => {
                settings.push((key, value));
                None
            }
            Err(fault) => Some(problem(fault)),
        };
        Ok(CredentialFile { settings, unread_token })
    }

    /// Its settings, but for those that a variable makes.
    pub fn settings(&self, of_variables: &[Setting]) -> Vec<Setting> {
        let origin = Origin::Variable(CREDENTIAL_FILE.to_owned());
        let is_made = |key: &Key| of_variables.iter().any(|setting| setting.key == *key);
        let own = self.settings.iter().filter(|(key, _)| !is_made(key));
        own.map(|(key, value)| Setting { key: *key, value: value.clone(), origin: origin.clone() }).collect()
    }
}

/// A problem of the variable.
pub fn problem(fault: Fault) -> Problem {
    let origin = Some(Origin::Variable(CREDENTIAL_FILE.to_owned()));
    Problem { origin, key: String::new(), wrong: fault.wrong, instead: fault.instead }
}

/// The host and the service account of an impersonation's address.
fn impersonated(url: &str) -> Option<(&str, &str)> {
    let (host, account) = url.split_once("/v1/projects/-/serviceAccounts/")?;
    Some((host, account.strip_suffix(":generateAccessToken")?))
}

fn token_source(
    source: Option<&Map<String, Json>>,
    audience: Option<&str>,
    token_type: Option<&str>,
    may_run: bool,
) -> Result<(Key, Value), Fault> {
    const INSTEAD: &str = "set token.file, token.env or token.command to where the token is";
    let refuse = |wrong: String, instead: &str| Err(Fault::new(wrong, instead));
    let Some(source) = source else { return refuse("names a file without `credential_source`".to_owned(), INSTEAD) };
    let word = |name: &str| source.get(name).and_then(Json::as_str);
    let format = source.get("format").and_then(Json::as_object);
    let field = format
        .filter(|format| format.get("type").and_then(Json::as_str) == Some("json"))
        .map(|format| format.get("subject_token_field_name").and_then(Json::as_str).unwrap_or_default());
    if let Some(path) = word("file") {
        return match field {
            Some(field) if !TOKEN_MEMBERS.contains(&field) => refuse(
                format!("takes the token from the field {} of {}", quoted(field), quoted(path)),
                &format!("set token.command, such as [\"jq\", \"-r\", \".{field}\", \"{path}\"]"),
            ),
            _ => Ok((Key::TokenFile, Value::Text(path.to_owned()))),
        };
    }
    if let Some(url) = word("url") {
        return refuse(
            format!("takes the token from the address {}, which is not asked unasked", quoted(url)),
            &format!(
                "set token.command to what asks it, such as [\"curl\", \"-sS\", \"{url}\"] with the headers of the file"
            ),
        );
    }
    if let Some(command) = source.get("executable").and_then(|executable| executable.get("command")?.as_str()) {
        if !may_run {
            return refuse(
                format!("takes the token from the program {}, and {ALLOW_EXECUTABLES} is not 1", quoted(command)),
                &format!("set {ALLOW_EXECUTABLES}=1 to let it run, as Google's own libraries ask, or set token.file"),
            );
        }
        // As Google's libraries do: split at blanks, no shell, with what the program is to know in its variables.
        let variables = [
            ("AUDIENCE", audience.unwrap_or_default()),
            ("TOKEN_TYPE", token_type.unwrap_or_default()),
            ("INTERACTIVE", "0"),
        ];
        let known = variables.iter().map(|(name, value)| format!("GOOGLE_EXTERNAL_ACCOUNT_{name}={value}"));
        let words = std::iter::once("env".to_owned()).chain(known).chain(command.split_whitespace().map(str::to_owned));
        return Ok((Key::TokenCommand, Value::List(words.collect())));
    }
    let kind = ["environment_id", "certificate"].into_iter().find(|kind| source.contains_key(*kind));
    refuse(
        match kind {
            Some("environment_id") => "takes AWS credentials for a token, which have no claims".to_owned(),
            Some(_) => "takes a certificate for a token, which has no claims".to_owned(),
            None => "names no source of the token that is known".to_owned(),
        },
        INSTEAD,
    )
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const PROVIDER: &str = "projects/123456789012/locations/global/workloadIdentityPools/pool/providers/ci";

    fn file(source: Json, more: &[(&str, Json)]) -> String {
        let mut file = json!({
            "type": "external_account",
            "audience": format!("//iam.googleapis.com/{PROVIDER}"),
            "subject_token_type": "urn:ietf:params:oauth:token-type:jwt",
            "token_url": "https://sts.googleapis.com/v1/token",
            "credential_source": source,
        });
        for (name, value) in more {
            file[*name] = value.clone();
        }
        file.to_string()
    }

    fn settings(text: &str, may_run: bool) -> Vec<String> {
        let read = CredentialFile::parse(text, may_run).unwrap();
        read.settings(&[]).iter().map(|s| format!("{}={}", s.key.path(), s.value)).collect()
    }

    #[test]
    fn a_files_source_makes_the_profile() {
        let source = json!({"file": "/run/token", "format": {"type": "text"}});
        let provider = format!("gcp.provider={PROVIDER}");
        assert_eq!(settings(&file(source.clone(), &[]), false), [provider.as_str(), "token.file=/run/token"]);
        let account = "r@p.iam.gserviceaccount.com";
        let more = [
            ("universe_domain", json!("s3nsapis.fr")),
            ("audience", json!(format!("//iam.s3nsapis.fr/{PROVIDER}"))),
            ("token_url", json!("https://127.0.0.1:9/v1/token")),
            (
                "service_account_impersonation_url",
                json!(format!(
                    "https://iamcredentials.s3nsapis.fr/v1/projects/-/serviceAccounts/{account}:generateAccessToken"
                )),
            ),
        ];
        assert_eq!(
            settings(&file(source, &more), false),
            [
                "gcp.universe-domain=s3nsapis.fr",
                &provider,
                "gcp.sts-endpoint-url=https://127.0.0.1:9",
                &format!("gcp.service-account={account}"),
                "token.file=/run/token",
            ]
        );
    }

    #[test]
    fn a_program_runs_only_where_googles_variable_lets_it() {
        let text = file(json!({"executable": {"command": "/opt/print-token --for ci"}}), &[]);
        let refused = CredentialFile::parse(&text, false).unwrap().unread_token.unwrap();
        assert!(refused.wrong.contains(ALLOW_EXECUTABLES) && refused.instead.contains("=1"), "{refused}");
        let command = settings(&text, true).pop().unwrap();
        assert!(command.starts_with("token.command=env GOOGLE_EXTERNAL_ACCOUNT_AUDIENCE=//iam.googleapis.com/"));
        assert!(command.ends_with(" /opt/print-token --for ci"), "{command}");
    }

    #[test]
    fn what_is_not_read_is_said_with_what_to_do() {
        for (source, wrong, instead) in [
            (json!({"url": "http://169.254.169.254/token"}), "the address", "curl"),
            (
                json!({"file": "t.json", "format": {"type": "json", "subject_token_field_name": "jwt"}}),
                "the field `jwt`",
                ".jwt",
            ),
            (json!({"environment_id": "aws1"}), "no claims", "token.file"),
            (json!({"certificate": {}}), "no claims", "token.file"),
        ] {
            let problem = CredentialFile::parse(&file(source, &[]), true).unwrap().unread_token.unwrap();
            assert!(
                problem.wrong.contains(wrong) && problem.instead.contains(instead),
                "{problem}: {}",
                problem.instead
            );
        }
    }

    #[test]
    fn a_key_file_is_no_federation_and_its_key_is_not_quoted() {
        for (text, wrong) in [
            (
                r#"{"type": "service_account", "private_key": "-----BEGIN PRIVATE KEY-----planted"}"#,
                "`service_account`",
            ),
            (r#"{"private_key": "planted"}"#, "does not say"),
            ("planted", "no JSON object"),
        ] {
            let problem = CredentialFile::parse(text, false).unwrap_err();
            assert!(problem.wrong.contains(wrong), "{problem}");
            assert!(!format!("{problem:?}").contains("planted"));
        }
    }
}
