//! `check --as CLIENT`: the exchange as that client makes it, as far as its session's name, its user agent, its STS and the token go.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::cli::exit::CliError;
use crate::domain::client::aws_choice::{self, AwsSource, Sts};
use crate::domain::client::google::{self, GoogleSource};
use crate::domain::client::{Client, Surroundings, session_name};
use crate::domain::ids::Cloud;
use crate::domain::profile::Profile;
use crate::domain::profile::key::Key;
use crate::domain::profile::setting::Origin;
use crate::probe::client;
use crate::run::now;

/// The profile with which the run makes the client's exchange.
///
/// # Errors
/// Nothing is known of the client at the profile's cloud, or it would make no exchange here.
pub(in crate::cli) fn acting_as(client: &'static Client, profile: Profile) -> Result<Profile, CliError> {
    if !client.is_of(profile.guide.cloud()) {
        let cloud = profile.guide.cloud().name();
        return Err(CliError::new(format!("--as {}: nothing is known of it at {cloud}", client.id)));
    }
    let around = client::observe(&profile, None, now()).around;
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    played(client, profile, &around, since)
}

fn played(
    client: &'static Client,
    mut profile: Profile,
    around: &Surroundings,
    since: Duration,
) -> Result<Profile, CliError> {
    if let (Cloud::Gcp, Some(google)) = (profile.guide.cloud(), &client.google) {
        let (source, _) = google::choose(google, around);
        if source != GoogleSource::WorkloadIdentity {
            return Err(makes_none(client, source.in_words()));
        }
    }
    if let (Cloud::Aws, Some(aws)) = (profile.guide.cloud(), &client.aws) {
        let choice = aws_choice::choose(aws, around);
        if choice.source != AwsSource::WebIdentity {
            return Err(makes_none(client, choice.source.in_words()));
        }
        let is_left_open = |key| profile.setting(key).is_none_or(|setting| setting.origin == Origin::Default);
        let of_variables =
            |key| profile.setting(key).is_none_or(|setting| matches!(setting.origin, Origin::Variable(_)));
        let mut settings = profile.aws.clone();
        settings.user_agent.clone_from(&aws.user_agent);
        if is_left_open(Key::SessionName) {
            settings.session_name = Some(session_name(&aws.session_name, since.as_nanos()));
        }
        if is_left_open(Key::SessionDuration) {
            settings.session_duration_s = aws.duration_s.and_then(|seconds| i32::try_from(seconds).ok());
        }
        if let Sts::Host(host) = &choice.sts
            && of_variables(Key::StsEndpointUrl)
            && of_variables(Key::EndpointUrl)
        {
            settings.sts_endpoint_url = Some(format!("https://{host}"));
        }
        profile.aws = settings;
    }
    Ok(Profile { acts_as: Some(client), ..profile })
}

/// The refusal to play a client that takes something else.
fn makes_none(client: &Client, instead: &str) -> CliError {
    CliError::new(format!("--as {}: {} makes no exchange here: {instead}", client.id, client.name))
        .with_hint(format!("trustline check --client {}   says why", client.id))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::guide::Guide;
    use crate::domain::profile::setting::{Setting, Value};
    use crate::domain::profile::value::text_fault;

    const SINCE: Duration = Duration::new(1_796_000_000, 123_456_789);

    fn around(set: &[(&str, &str)]) -> Surroundings {
        let own = [("AWS_ROLE_ARN", "r"), ("AWS_WEB_IDENTITY_TOKEN_FILE", "/t"), ("AWS_REGION", "eu-west-1")];
        let set = [&own, set].concat();
        Surroundings::of_variables(&|name| set.iter().find(|(n, _)| *n == name).map(|(_, value)| (*value).to_owned()))
    }

    fn play(client: &str, around: &Surroundings, settings: Vec<Setting>) -> Result<Profile, CliError> {
        let profile = Profile { settings, ..Profile::bare("p", Guide::AwsWorkloadIdentity) };
        played(Client::named(client).unwrap(), profile, around, SINCE)
    }

    #[test]
    fn every_clients_session_name_is_one_that_sts_takes() {
        for client in Client::all() {
            let Some(aws) = &client.aws else { continue };
            let name = session_name(&aws.session_name, SINCE.as_nanos());
            assert!(!name.contains('{') && text_fault(Key::SessionName, &name).is_none(), "{}: {name}", client.id);
        }
        assert_eq!(session_name("botocore-session-{seconds}", SINCE.as_nanos()), "botocore-session-1796000000");
        assert_eq!(
            session_name("aws-sdk-js-session-{milliseconds}", SINCE.as_nanos()),
            "aws-sdk-js-session-1796000000123"
        );
    }

    #[test]
    fn the_exchange_is_made_as_the_client_makes_it() {
        let boto3 = play("boto3", &around(&[]), Vec::new()).unwrap().aws;
        assert_eq!(boto3.session_name.as_deref(), Some("botocore-session-1796000000"));
        assert_eq!(boto3.sts_endpoint_url.as_deref(), Some("https://sts.amazonaws.com"));
        assert_eq!(boto3.user_agent.as_deref(), Some("Boto3/1.44.5"));
        let obstore = play("obstore", &around(&[]), Vec::new()).unwrap().aws;
        assert_eq!(obstore.sts_endpoint_url.as_deref(), Some("https://sts.eu-west-1.amazonaws.com"));
        assert_eq!(obstore.session_duration_s, Some(3600));
        let setting = |key, origin| Setting { key, value: Value::Text("own".to_owned()), origin };
        let of_flags = vec![setting(Key::SessionName, Origin::Flag), setting(Key::StsEndpointUrl, Origin::Flag)];
        let kept = play("boto3", &around(&[]), of_flags).unwrap().aws;
        assert_eq!((kept.session_name, kept.sts_endpoint_url), (None, None), "what a person sets stays");
    }

    #[test]
    fn at_google_only_what_takes_the_credential_file_is_played() {
        let around = |set: &[(&str, &str)]| {
            let set = set.to_vec();
            Surroundings::of_variables(&|name| {
                set.iter().find(|(n, _)| *n == name).map(|(_, value)| (*value).to_owned())
            })
        };
        let play = |client: &str, set: &[(&str, &str)]| {
            let profile = Profile::bare("p", Guide::GcpWorkloadIdentity);
            played(Client::named(client).unwrap(), profile, &around(set), SINCE).map_err(|error| error.message)
        };
        let named = [("GOOGLE_APPLICATION_CREDENTIALS", "/file"), ("GOOGLE_CLOUD_PROJECT", "p")];
        assert_eq!(play("google-auth", &named).unwrap().acts_as.map(|client| client.id), Some("google-auth"));
        let refused = play("google-auth", &[]).unwrap_err();
        assert!(refused.contains("makes no exchange here: the machine's service account"), "{refused}");
    }

    #[test]
    fn a_client_that_would_make_no_exchange_is_not_played() {
        let keys = around(&[("AWS_ACCESS_KEY_ID", "a"), ("AWS_SECRET_ACCESS_KEY", "b")]);
        let refused = play("boto3", &keys, Vec::new()).unwrap_err();
        assert!(refused.message.contains("makes no exchange here: the keys of the environment"), "{}", refused.message);
    }
}
