//! Google's calls by hand, with curl: neither the token nor what is exchanged for it stands in a list of processes.

use super::printed_token;
use crate::domain::profile::Profile;
use crate::domain::text::quote;

const SCOPE: &str = "https://www.googleapis.com/auth/cloud-platform";
/// Shows the status of an answer and nothing of it.
const STATUS_ALONE: &str = "-o /dev/null -w '%{http_code}\\n'";

/// The exchange at the STS, up to what becomes of its answer.
fn exchanged(profile: &Profile) -> Option<String> {
    let printed = printed_token(profile.token.as_ref()?)?;
    Some(format!(
        "{printed} | curl -sS {} --data-urlencode grant_type=urn:ietf:params:oauth:grant-type:token-exchange \
         --data-urlencode {} --data-urlencode scope={SCOPE} \
         --data-urlencode requested_token_type=urn:ietf:params:oauth:token-type:access_token \
         --data-urlencode subject_token_type=urn:ietf:params:oauth:token-type:jwt --data-urlencode subject_token@-",
        quote(&format!("{}/v1/token", profile.gcp.sts())),
        quote(&format!("audience={}", profile.gcp.exchange_audience()?)),
    ))
}

/// Takes one field out of a JSON answer.
fn field(name: &str) -> String {
    format!("sed -n 's/.*\"{name}\" *: *\"\\([^\"]*\\)\".*/\\1/p'")
}

/// Gives the variable to curl as a header, through a pipe.
fn with_token(arguments: &str) -> String {
    format!("printf 'Authorization: Bearer %s\\n' \"$ACCESS\" | curl -sS -H @- {arguments}")
}

fn impersonation(profile: &Profile) -> Option<String> {
    let account = profile.gcp.service_account.as_deref()?;
    let url = format!("{}/v1/projects/-/serviceAccounts/{account}:generateAccessToken", profile.gcp.iamcredentials());
    let body = format!("{{\"lifetime\":\"600s\",\"scope\":[\"{SCOPE}\"]}}");
    Some(with_token(&format!("-H 'Content-Type: application/json' -d {} {}", quote(&body), quote(&url))))
}

/// With a service account's key, which gcloud uses for this one command and keeps nothing of.
fn with_key(profile: &Profile, command: &str) -> Option<String> {
    let file = quote(&profile.gcp.key_file.as_ref()?.to_string_lossy());
    Some(format!("CLOUDSDK_AUTH_CREDENTIAL_FILE_OVERRIDE={file} gcloud {command}"))
}

pub(in crate::check) fn exchange(profile: &Profile) -> Option<String> {
    if profile.guide.is_key_beside_aws() {
        return with_key(profile, "auth print-access-token >/dev/null && echo granted");
    }
    Some(format!("{} {STATUS_ALONE}", exchanged(profile)?))
}

pub(in crate::check) fn impersonate(profile: &Profile) -> Option<String> {
    let access = format!("ACCESS=$({} | {})", exchanged(profile)?, field("access_token"));
    Some(format!("{access}; {} {STATUS_ALONE}; unset ACCESS", impersonation(profile)?))
}

/// As whoever reads: the federated identity, or the service account behind it.
fn as_reader(profile: &Profile, command: &str) -> Option<String> {
    let mut access = format!("ACCESS=$({} | {})", exchanged(profile)?, field("access_token"));
    if let Some(impersonation) = impersonation(profile) {
        access.push_str(&format!("; ACCESS=$({impersonation} | {})", field("accessToken")));
    }
    Some(format!("{access}; {}; unset ACCESS", with_token(command)))
}

/// Where the secrets are, as options of gcloud's.
fn place(profile: &Profile) -> Option<String> {
    let project = format!("--project {}", quote(profile.gcp.project_id.as_deref()?));
    let location = profile.gcp.location.as_deref().map(|location| format!(" --location {}", quote(location)));
    Some(project + &location.unwrap_or_default())
}

pub(in crate::check) fn list(profile: &Profile) -> Option<String> {
    if profile.guide.is_key_beside_aws() {
        return with_key(profile, &format!("secrets list --limit 1 {}", place(profile)?));
    }
    let url = format!("{}/v1/{}/secrets?pageSize=1", profile.gcp.secret_manager(), profile.gcp.secret_parent()?);
    as_reader(profile, &quote(&url))
}

/// Shows the name of the version that was read, which holds its number, and nothing of the value.
pub(in crate::check) fn get(profile: &Profile) -> Option<String> {
    let (parent, name) = (profile.gcp.secret_parent()?, &profile.secret.as_ref()?.name);
    if profile.guide.is_key_beside_aws() {
        let read = format!("secrets versions access {} --secret {}", quote(profile.gcp.version()), quote(name));
        return with_key(profile, &format!("{read} {} >/dev/null && echo readable", place(profile)?));
    }
    let version = profile.gcp.version();
    let url = format!("{}/v1/{parent}/secrets/{name}/versions/{version}:access", profile.gcp.secret_manager());
    as_reader(profile, &format!("{} | {}", quote(&url), field("name")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::pool_name::ProviderName;
    use crate::domain::profile::{GcpSettings, Guide, TokenSource};
    use crate::domain::secret_ref::SecretRef;

    fn profile() -> Profile {
        let name = "projects/123456789012/locations/global/workloadIdentityPools/pool/providers/ci";
        Profile {
            token: Some(TokenSource::File("it's.jwt".into())),
            secret: SecretRef::parse("db#password").ok(),
            gcp: GcpSettings {
                provider: ProviderName::parse(name),
                project_id: Some("my-project".into()),
                ..GcpSettings::default()
            },
            ..Profile::bare("p", Guide::GcpWorkloadIdentity)
        }
    }

    #[test]
    fn no_token_stands_among_the_arguments() {
        let mut profile = profile();
        profile.gcp.service_account = Some("r@p.iam.gserviceaccount.com".into());
        for command in [exchange(&profile), impersonate(&profile), list(&profile), get(&profile)] {
            let command = command.unwrap();
            assert!(command.starts_with("tr -d") || command.starts_with("ACCESS=$(tr -d"), "{command}");
            assert!(!command.contains("Bearer $"), "{command}");
            let read = std::process::Command::new("sh").args(["-n", "-c", &command]).status().unwrap();
            assert!(read.success(), "{command}");
        }
    }

    #[test]
    fn a_key_signs_for_one_command_and_no_value_is_shown() {
        let mut profile = profile();
        (profile.guide, profile.gcp.key_file) = (Guide::GcpStatic, Some("it's/key.json".into()));
        for command in [exchange(&profile), list(&profile), get(&profile)] {
            let command = command.unwrap();
            assert!(command.starts_with("CLOUDSDK_AUTH_CREDENTIAL_FILE_OVERRIDE='it'"), "{command}");
            let read = std::process::Command::new("sh").args(["-n", "-c", &command]).status().unwrap();
            assert!(read.success(), "{command}");
        }
        assert!(get(&profile).unwrap().ends_with(">/dev/null && echo readable"));
    }

    #[test]
    fn who_reads_and_where_follow_the_profile() {
        let mut profile = profile();
        let direct = get(&profile).unwrap();
        let url = "https://secretmanager.googleapis.com/v1/projects/my-project/secrets/db/versions/latest:access";
        assert!(direct.contains(url) && !direct.contains("generateAccessToken"), "{direct}");
        profile.gcp.location = Some("europe-west3".into());
        profile.gcp.service_account = Some("r@p.iam.gserviceaccount.com".into());
        let through = get(&profile).unwrap();
        assert!(
            through.contains("https://secretmanager.europe-west3.rep.googleapis.com/v1/projects/my-project/locations/")
        );
        assert!(through.contains(":generateAccessToken"), "{through}");
        profile.token = Some(TokenSource::Stdin);
        assert_eq!(get(&profile), None);
    }
}
