//! As whom a run asks: with whose session name, user agent and STS a trust is judged and a token sent.

use std::time::{SystemTime, UNIX_EPOCH};

use crate::check::facts::client::ClientFact;
use crate::domain::client::{Client, aws_choice, session_name};
use crate::domain::profile::key::Key;
use crate::domain::profile::setting::Origin;
use crate::domain::profile::{AwsSettings, Profile};

/// The profile as each client asks that is named, or that the run plays; as it stands where nobody is.
pub(super) fn as_each_client(profile: &Profile, seen: Option<&ClientFact>) -> Vec<(Option<&'static Client>, Profile)> {
    let named = profile.acts_as.map_or_else(|| profile.clients.clone(), |client| vec![client]);
    if named.is_empty() {
        return vec![(None, profile.clone())];
    }
    named.into_iter().map(|client| (Some(client), as_client(client, profile, seen))).collect()
}

fn as_client(client: &'static Client, profile: &Profile, seen: Option<&ClientFact>) -> Profile {
    let mut profile = profile.clone();
    let Some(aws) = &client.aws else { return profile };
    if profile.acts_as.is_none() && has_default_session(&profile) {
        profile.aws.session_name = client.session_name();
    }
    profile.aws.user_agent.clone_from(&aws.user_agent);
    if let Some(seen) = seen
        && profile.aws.sts_endpoint_url.is_none()
        && profile.aws.endpoint_url.is_none()
        && let Some(region) = aws_choice::choose(aws, &seen.around).sts.region()
    {
        profile.aws.region = Some(region.to_owned());
    }
    profile
}

/// What is sent to AWS: a session that the client would name after the time has the time in its name.
pub(super) fn sent_to_aws(profile: &Profile) -> AwsSettings {
    let settings = profile.aws.clone();
    let of_client = profile.clients.first().and_then(|client| client.aws.as_ref());
    match of_client.filter(|_| profile.acts_as.is_none() && has_default_session(profile)) {
        Some(client) => {
            let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
            AwsSettings { session_name: Some(session_name(&client.session_name, since.as_nanos())), ..settings }
        }
        None => settings,
    }
}

/// Whether nobody has said how the session is called.
fn has_default_session(profile: &Profile) -> bool {
    profile.setting(Key::SessionName).is_none_or(|setting| setting.origin == Origin::Default)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::client::Surroundings;
    use crate::domain::guide::Guide;
    use crate::domain::profile::setting::{Setting, Value};

    fn profile(clients: &[&str]) -> Profile {
        let clients = clients.iter().filter_map(|name| Client::named(name)).collect();
        Profile { clients, ..Profile::bare("p", Guide::AwsWorkloadIdentity) }
    }

    #[test]
    fn each_client_asks_with_its_own_name_agent_and_sts() {
        let set = [("AWS_REGION", "eu-west-1"), ("AWS_ROLE_ARN", "r"), ("AWS_WEB_IDENTITY_TOKEN_FILE", "/t")];
        let around = Surroundings::of_variables(&|name| {
            set.iter().find(|(n, _)| *n == name).map(|(_, value)| (*value).to_owned())
        });
        let seen = ClientFact::new(around);
        let each = as_each_client(&profile(&["boto3", "obstore"]), Some(&seen));
        let asked: Vec<_> = each
            .iter()
            .map(|(client, profile)| {
                let aws = &profile.aws;
                (client.unwrap().id, aws.session_name.as_deref(), aws.user_agent.as_deref(), aws.region.as_deref())
            })
            .collect();
        assert_eq!(
            asked,
            [
                ("boto3", Some("botocore-session-1800000000"), Some("Boto3/1.44.5"), Some("us-east-1")),
                ("obstore", Some("WebIdentitySession"), Some("object_store/0.14.2"), Some("eu-west-1")),
            ]
        );
        let nobody = as_each_client(&profile(&[]), Some(&seen));
        assert_eq!((nobody.len(), nobody[0].0, nobody[0].1.aws.user_agent.as_deref()), (1, None, None));
    }

    #[test]
    fn what_is_sent_has_the_time_of_the_call_unless_a_person_named_the_session() {
        let sent = sent_to_aws(&profile(&["boto3"])).session_name.unwrap();
        let seconds: u64 = sent.strip_prefix("botocore-session-").unwrap().parse().unwrap();
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
        assert!(now.abs_diff(seconds) < 3600 && seconds != 1_800_000_000, "{sent}");
        assert_eq!(sent_to_aws(&profile(&[])).session_name, None);
        let own = Setting { key: Key::SessionName, value: Value::Text("own".to_owned()), origin: Origin::Flag };
        let mut named = Profile { settings: vec![own], ..profile(&["boto3"]) };
        named.aws.session_name = Some("own".to_owned());
        assert_eq!(sent_to_aws(&named).session_name.as_deref(), Some("own"));
        assert_eq!(as_each_client(&named, None)[0].1.aws.session_name.as_deref(), Some("own"));
    }
}
