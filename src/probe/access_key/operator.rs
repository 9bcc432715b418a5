//! An operator's credentials: a key in the variables or in the files that AWS's tools share, else whatever the AWS
//! command line is signed in with (single sign-on, a program, a role, a machine's own).

use std::borrow::Cow;
use std::path::Path;
use std::time::Duration;

use aws_credential_types::Credentials;
use serde::Deserialize;

use super::{Surroundings, observe};
use crate::check::facts::aws::AccessKeyFact;
use crate::domain::profile::AwsSettings;
use crate::domain::text::quote;
use crate::probe::aws::{AwsTarget, Session};
use crate::probe::program;

/// The most that the AWS command line may print, in bytes.
const MAX_BYTES: usize = 64 * 1024;
/// The most that is kept of its words, in characters.
const LONGEST: usize = 300;
/// Single sign-on may ask its portal first.
const EXPORT_TIMEOUT: Duration = Duration::from_secs(30);

impl AwsTarget {
    /// The operator's credentials, and where they come from: of the named shared profile, in the file that is named or in AWS's own ones, or of
    /// the variables and the default profile. A profile that is named wins over variables, as `--profile` of the AWS
    /// CLI does.
    ///
    /// # Errors
    /// None are found, or their source fails; in words.
    pub async fn operator(&self, profile: Option<&str>, file: Option<&Path>) -> Result<(String, Session), String> {
        match observed(profile, file) {
            (_, AccessKeyFact::Found(key), Some(session)) => Ok((format!("{} from {}", key.id, key.source), session)),
            (profile, AccessKeyFact::Absent { .. } | AccessKeyFact::Elsewhere { .. }, _) if file.is_none() => {
                exported(profile.as_deref()).await
            }
            (_, AccessKeyFact::Elsewhere { source, way }, _) => {
                Err(format!("{source} signs in by {way}, and holds no access key"))
            }
            (_, AccessKeyFact::Absent { places }, _) => Err(format!("no access key in {}", places.join(", nor in "))),
            (_, AccessKeyFact::Unusable { source, why }, _) => Err(format!("{source}: {why}")),
            (_, AccessKeyFact::Found(key), None) => {
                Err(format!("the key {} of {} is not complete", key.id, key.source))
            }
        }
    }
}

/// The place that the operator's key lies ready in, where it does: no key of the workload's is looked for there.
pub fn place_of_operator_key(profile: Option<&str>, file: Option<&Path>) -> Option<String> {
    match observed(profile, file) {
        (_, AccessKeyFact::Found(key), _) => Some(key.source),
        _ => None,
    }
}

/// Looks where keys lie ready, and tells the profile that was looked at.
fn observed(profile: Option<&str>, file: Option<&Path>) -> (Option<String>, AccessKeyFact, Option<Session>) {
    let variables = |name: &str| match (name, file) {
        ("AWS_SHARED_CREDENTIALS_FILE", Some(file)) => file.to_str().map(str::to_owned),
        _ => std::env::var(name).ok(),
    };
    let has_key = variables("AWS_ACCESS_KEY_ID").is_some();
    let profile = profile.map(str::to_owned).or_else(|| variables("AWS_PROFILE").filter(|_| !has_key));
    let settings = AwsSettings { config_profile: profile.clone(), ..AwsSettings::default() };
    let (fact, session) = observe(&settings, &Surroundings { variables: &variables, taken: None });
    (profile, fact, session)
}

/// What the AWS command line prints for programs that ask it for credentials
/// (<https://docs.aws.amazon.com/sdkref/latest/guide/feature-process-credentials.html>).
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Exported<'a> {
    #[serde(borrow)]
    access_key_id: Cow<'a, str>,
    #[serde(borrow)]
    secret_access_key: Cow<'a, str>,
    #[serde(borrow)]
    session_token: Option<Cow<'a, str>>,
}

async fn exported(profile: Option<&str>) -> Result<(String, Session), String> {
    let mut argv = ["aws", "configure", "export-credentials", "--format", "process"].map(str::to_owned).to_vec();
    argv.extend(profile.into_iter().flat_map(|name| ["--profile".to_owned(), name.to_owned()]));
    let shown = argv.join(" ");
    let advice = "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or sign in with the AWS command line";
    let ended = program::run(&argv, MAX_BYTES, EXPORT_TIMEOUT)
        .await
        .map_err(|error| format!("no access key is set up, and `{shown}` gives none ({error}); {advice}"))?;
    let keys = serde_json::from_slice::<Exported<'_>>(&ended.stdout)
        .ok()
        .filter(|_| ended.status.is_some_and(|s| s.success()));
    let Some(keys) = keys else {
        return Err(match complaint(&String::from_utf8_lossy(&ended.stderr), profile) {
            Some(complaint) => format!("no access key is set up, and `{shown}` gives none: {complaint}"),
            None => format!("no access key is set up, and `{shown}` gives none; {advice}"),
        });
    };
    let token = keys.session_token.map(Cow::into_owned);
    let session = Session::of(Credentials::new(keys.access_key_id, keys.secret_access_key, token, None, "aws"));
    Ok(("what the AWS CLI is signed in with".to_owned(), session))
}

/// What the command line complains of, in its last words, and how to sign in again where its single sign-on has ended.
fn complaint(stderr: &str, profile: Option<&str>) -> Option<String> {
    let last = stderr.lines().map(str::trim).rfind(|line| !line.is_empty())?;
    let said: String = last.trim_start_matches("aws: [ERROR]: ").chars().take(LONGEST).collect();
    let is_of_sign_on = ["SSO session", "SSO Token", "token from sso"].iter().any(|word| said.contains(word));
    let of_profile = profile.map(|name| format!(" --profile {}", quote(name))).unwrap_or_default();
    let again = if is_of_sign_on { format!("; run `aws sso login{of_profile}`") } else { String::new() };
    Some(format!("{}{again}", said.trim_end_matches('.')))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_command_line_complains_of_is_told_with_how_to_sign_in_again() {
        let told = |stderr: &str| complaint(stderr, Some("my sso"));
        assert_eq!(
            told("\nError when retrieving token from sso: Token has expired and refresh failed\n").unwrap(),
            "Error when retrieving token from sso: Token has expired and refresh failed; run `aws sso login --profile 'my sso'`"
        );
        assert_eq!(
            told("aws: [ERROR]: The config profile (my sso) could not be found\n").unwrap(),
            "The config profile (my sso) could not be found"
        );
        assert_eq!(told(" \n"), None);
    }

    #[test]
    fn what_the_command_line_exports_is_read() {
        let text = r#"{"Version": 1, "AccessKeyId": "ASIAX", "SecretAccessKey": "s", "SessionToken": "t", "Expiration": "2026-01-01T00:00:00Z"}"#;
        let keys: Exported<'_> = serde_json::from_str(text).unwrap();
        assert_eq!((&*keys.access_key_id, keys.session_token.as_deref()), ("ASIAX", Some("t")));
        assert!(serde_json::from_str::<Exported<'_>>("{}").is_err());
    }
}
