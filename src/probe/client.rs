//! Looks at what a client would find where this program runs: variables, shared files, the token's file, kept sessions.

use std::io::ErrorKind;
use std::path::Path;

use serde::Deserialize;

use super::access_key::{self, profile_of_shared_files};
use super::regular_file;
use crate::check::facts::client::ClientFact;
use crate::domain::client::{Surroundings, TokenFile, google};
use crate::domain::profile::key::Key;
use crate::domain::profile::setting::Origin;
use crate::domain::profile::{Operator, Profile, TokenSource};
use crate::domain::timestamp::{UnixSeconds, parse_rfc3339};

/// The most that is read of a kept session, in bytes.
const LARGEST_SESSION: u64 = 64 * 1024;
/// The most kept sessions that are looked at.
const MOST_SESSIONS: usize = 64;
/// Where the AWS CLI keeps sessions, below the home folder.
const CLI_CACHE: &str = "~/.aws/cli/cache";

/// What a client finds. A lab is bent by nothing that a shell exports.
pub fn observe(profile: &Profile, operator_key: Option<&str>, now: UnixSeconds) -> ClientFact {
    let of_process = |name: &str| std::env::var_os(name).map(|value| value.to_string_lossy().into_owned());
    let variables = |name: &str| of_process(name).filter(|_| profile.ending_lab.is_none());
    ClientFact::new(look(profile, operator_key, now, &variables))
}

fn look(
    profile: &Profile,
    operator_key: Option<&str>,
    now: UnixSeconds,
    variables: &dyn Fn(&str) -> Option<String>,
) -> Surroundings {
    // The operator's credentials are not the workload's.
    let is_operators = |name: &str| {
        let of_variables = operator_key == Some(access_key::VARIABLES);
        let named = matches!(&profile.operator, Some(Operator::Aws { profile: None, .. }));
        of_variables && name.starts_with("AWS_") && (name.contains("ACCESS_KEY") || name == "AWS_SESSION_TOKEN")
            || named && operator_key.is_some() && name == "AWS_PROFILE"
    };
    let workloads = |name: &str| variables(name).filter(|_| !is_operators(name));
    let mut around = Surroundings::of_variables(&workloads);
    if let Some(path) = around.set(google::CREDENTIAL_FILE) {
        around.credential_file = state_of(Path::new(path));
    }
    tell_what_the_profile_says(&mut around, profile);
    let files = access_key::Surroundings { variables, taken: operator_key.map(str::to_owned) };
    if let Some(name) = around.present("AWS_PROFILE").map(str::to_owned) {
        around.named_profile = profile_of_shared_files(&files, &name);
    }
    around.default_profile = profile_of_shared_files(&files, access_key::DEFAULT_PROFILE);
    if let Some(TokenSource::File(path)) = &profile.token {
        around.token_file = state_of(path);
    }
    if let (Some(home), Some(role)) =
        (variables("HOME"), around.set("AWS_ROLE_ARN").and_then(|arn| arn.rsplit('/').next()))
    {
        let kept = kept_sessions(&Path::new(&home).join(".aws/cli/cache"), role, now);
        if kept > 0 {
            around.kept_sessions.insert(CLI_CACHE.to_owned(), kept);
        }
    }
    around
}

/// A setting of a profile's file stands for what a program is told in its code.
fn tell_what_the_profile_says(around: &mut Surroundings, profile: &Profile) {
    let is_told = |key: Key| {
        profile.setting(key).is_some_and(|setting| !matches!(setting.origin, Origin::Variable(_) | Origin::Default))
    };
    if let Some(region) = profile.aws.region.as_deref().filter(|_| is_told(Key::Region)) {
        around.tell("AWS_REGION", region);
        around.tell("AWS_DEFAULT_REGION", region);
    }
    if let Some(role) = profile.aws.role_arn.as_ref().filter(|_| is_told(Key::RoleArn)) {
        around.tell("AWS_ROLE_ARN", &role.to_string());
    }
    let (tenant, client) = (&profile.azure.tenant_id, &profile.azure.client_id);
    if let Some(tenant) = tenant.as_deref().filter(|_| is_told(Key::TenantId)) {
        around.tell("AZURE_TENANT_ID", tenant);
    }
    if let Some(client) = client.as_deref().filter(|_| is_told(Key::ClientId)) {
        around.tell("AZURE_CLIENT_ID", client);
    }
    if let Some(authority) = profile.azure.authority_host.as_deref().filter(|_| is_told(Key::AuthorityHost)) {
        around.tell("AZURE_AUTHORITY_HOST", authority);
    }
    if let Some(project) = profile.gcp.project_id.as_deref().filter(|_| is_told(Key::GcpProject)) {
        around.tell(google::PROJECT, project);
    }
    // However the token comes, a client has it as a file.
    if profile.token.is_some() && !profile.is_of_variables() {
        around.tell("AWS_WEB_IDENTITY_TOKEN_FILE", "told");
        around.tell("AZURE_FEDERATED_TOKEN_FILE", "told");
        around.tell(google::CREDENTIAL_FILE, "told");
    }
}

fn state_of(path: &Path) -> TokenFile {
    match regular_file::open(path).and_then(|file| file.metadata()) {
        Ok(metadata) if metadata.len() == 0 => TokenFile::Empty,
        Ok(_) => TokenFile::Full,
        Err(error) if error.kind() == ErrorKind::PermissionDenied => TokenFile::Denied,
        Err(error) if error.kind() == ErrorKind::NotFound => TokenFile::Missing,
        // A folder, a socket: reading the token tells.
        Err(_) => TokenFile::Full,
    }
}

/// Of a kept session what tells whose it is and how long it lives. Its keys are not taken out.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct KeptSession {
    credentials: Lifetime,
    assumed_role_user: User,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Lifetime {
    expiration: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct User {
    arn: String,
}

/// How many sessions of the role live on in the folder.
fn kept_sessions(folder: &Path, role: &str, now: UnixSeconds) -> usize {
    let Ok(entries) = std::fs::read_dir(folder) else { return 0 };
    let files =
        entries.flatten().map(|entry| entry.path()).filter(|path| path.extension().is_some_and(|e| e == "json"));
    files.take(MOST_SESSIONS).filter(|path| is_living(path, role, now)).count()
}

fn is_living(path: &Path, role: &str, now: UnixSeconds) -> bool {
    let Ok(bytes) = regular_file::read(path, LARGEST_SESSION) else { return false };
    let Ok(kept) = serde_json::from_slice::<KeptSession>(&bytes) else { return false };
    let of_role = kept.assumed_role_user.arn.split('/').nth(1) == Some(role);
    of_role && parse_rfc3339(&kept.credentials.expiration).is_some_and(|end| end > now)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::arn::RoleArn;
    use crate::domain::client::ProfileKeys;
    use crate::domain::guide::Guide;

    fn around(folder: &Path, set: &[(&str, &str)], profile: &Profile) -> Surroundings {
        let home = folder.to_str().unwrap().to_owned();
        look(profile, None, 1_000, &|name| match name {
            "HOME" => Some(home.clone()),
            name => set.iter().find(|(n, _)| *n == name).map(|(_, value)| (*value).to_owned()),
        })
    }

    fn put(folder: &Path, name: &str, text: &str) {
        let path = folder.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    #[test]
    fn shared_files_are_looked_into_for_keys_alone() {
        let folder = tempfile::tempdir().unwrap();
        put(
            folder.path(),
            ".aws/credentials",
            "[default]\nregion = x\n[keys]\naws_access_key_id = planted\naws_secret_access_key = planted\n",
        );
        put(folder.path(), ".aws/config", "[profile sso]\nsso_session = s\n");
        let profile = Profile::bare("p", Guide::AwsWorkloadIdentity);
        for (name, expected) in [
            ("keys", ProfileKeys::Keys),
            ("sso", ProfileKeys::None),
            ("nosuch", ProfileKeys::NoProfile),
            ("", ProfileKeys::NoProfile),
        ] {
            let seen = around(folder.path(), &[("AWS_PROFILE", name)], &profile);
            assert_eq!((seen.named_profile, seen.default_profile), (expected, ProfileKeys::None), "{name}");
            assert!(!format!("{seen:?}").contains("planted"));
        }
    }

    #[test]
    fn only_a_living_session_of_the_role_counts() {
        let folder = tempfile::tempdir().unwrap();
        let session = |role: &str, end: &str| {
            format!(
                r#"{{"Credentials": {{"AccessKeyId": "planted", "SecretAccessKey": "planted", "Expiration": "{end}"}},
                    "AssumedRoleUser": {{"Arn": "arn:aws:sts::123456789012:assumed-role/{role}/botocore-session-1"}}}}"#
            )
        };
        put(folder.path(), ".aws/cli/cache/ended.json", &session("r", "1970-01-01T00:00:10Z"));
        put(folder.path(), ".aws/cli/cache/other.json", &session("other", "2970-01-01T00:00:00Z"));
        put(folder.path(), ".aws/cli/cache/broken.json", "{");
        let profile = Profile::bare("p", Guide::AwsWorkloadIdentity);
        let role = [("AWS_ROLE_ARN", "arn:aws:iam::123456789012:role/path/r")];
        assert!(around(folder.path(), &role, &profile).kept_sessions.is_empty());
        put(folder.path(), ".aws/cli/cache/living.json", &session("r", "2970-01-01T00:00:00Z"));
        let seen = around(folder.path(), &role, &profile);
        assert_eq!(seen.kept_sessions.get(CLI_CACHE), Some(&1));
        assert!(!format!("{seen:?}").contains("planted"));
    }

    #[test]
    fn the_tokens_file_is_told_apart() {
        let folder = tempfile::tempdir().unwrap();
        put(folder.path(), "full", "t");
        put(folder.path(), "empty", "");
        for (name, state) in [("full", TokenFile::Full), ("empty", TokenFile::Empty), ("none", TokenFile::Missing)] {
            assert_eq!(state_of(&folder.path().join(name)), state, "{name}");
        }
    }

    #[test]
    fn what_a_profiles_file_says_stands_for_what_a_program_is_told() {
        use crate::domain::profile::setting::{Setting, Value};
        let folder = tempfile::tempdir().unwrap();
        let mut profile = Profile::bare("p", Guide::AwsWorkloadIdentity);
        profile.aws.role_arn = RoleArn::parse("arn:aws:iam::123456789012:role/r").ok();
        let setting = |origin| Setting { key: Key::RoleArn, value: Value::Text(String::new()), origin };
        profile.settings = vec![setting(Origin::Variable("AWS_ROLE_ARN".to_owned()))];
        assert_eq!(around(folder.path(), &[], &profile).set("AWS_ROLE_ARN"), None);
        profile.settings = vec![setting(Origin::Flag)];
        let told = around(folder.path(), &[], &profile);
        assert_eq!(told.set("AWS_ROLE_ARN"), Some("arn:aws:iam::123456789012:role/r"));
    }
}
