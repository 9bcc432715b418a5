//! What IAM tells of a denial by its authorization id: the details, and the documents of the policies that denied, as they were
//! then. `iam-toolbox` speaks JSON over REST, is regional, and may know of a denial only a little later
//! (<https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied-authorization-id.html>).

use std::collections::BTreeMap;
use std::time::Duration;

use futures_util::future::join_all;
use reqwest::Url;
use serde_json::Value;
use tokio::time::{Instant, sleep};

use super::signed::Reader;
use super::{AwsTarget, Session};
use crate::check::facts::operator::{AuthorizationSide, Read};
use crate::check::facts::secret::Answer;
use crate::domain::iam::{AuthorizationDetails, AuthorizationId, AwsRead};

/// The first pause before a denial that is not known yet is asked for again; it doubles.
const FIRST_PAUSE: Duration = Duration::from_millis(500);
/// A denial that IAM does not know after so long, or after half of the time that there is, is not waited for further.
const LONGEST_WAIT: Duration = Duration::from_secs(30);
/// More pages than any request has evaluations.
const MOST_PAGES: usize = 50;

impl AwsTarget {
    /// The details of a denial with the documents that decided it. Waits for a denial that is not known yet.
    pub async fn read_authorization(
        &self,
        session: &Session,
        id: &AuthorizationId,
        left: Duration,
    ) -> AuthorizationSide {
        let region = id.region.clone().unwrap_or_else(|| self.region.clone());
        let target = AwsTarget { region, ..self.clone() };
        let began = Instant::now();
        let reader = Reader { target: &target, session, deadline: began + left };
        let give_up = began + LONGEST_WAIT.min(left / 2);
        let mut pause = FIRST_PAUSE;
        let mut details = reader.authorization_details(&id.id).await;
        while details.is_nowhere() && Instant::now() + pause < give_up {
            sleep(pause).await;
            pause *= 2;
            details = reader.authorization_details(&id.id).await;
        }
        let waited = began.elapsed();
        details.call.waited_ms = u64::try_from(waited.as_millis()).unwrap_or(u64::MAX);
        let mut side = AuthorizationSide { id: id.id.clone(), details: details.without_exchange(), unread: Vec::new() };
        let wanted: Vec<String> = side
            .details
            .seen()
            .map(AuthorizationDetails::wanted_documents)
            .unwrap_or_default()
            .iter()
            .map(|uri| (*uri).to_owned())
            .collect();
        let documents = join_all(wanted.iter().map(|uri| reader.authorization_policy(&id.id, uri))).await;
        let mut read = BTreeMap::new();
        for (uri, document) in wanted.into_iter().zip(documents) {
            side.unread.extend(document.unread());
            read.extend(document.seen().map(|text| (uri, text.clone())));
        }
        side.details = side.details.map(|details| AuthorizationDetails { documents: read, ..details });
        side
    }
}

impl Reader<'_> {
    /// The details, all pages of them.
    async fn authorization_details(&self, id: &str) -> Read<AuthorizationDetails> {
        let mut details = AuthorizationDetails::default();
        let mut next: Option<String> = None;
        for _ in 0..MOST_PAGES {
            let query: Vec<(&str, &str)> = next.as_deref().map(|token| ("nextToken", token)).into_iter().collect();
            let page = self.toolbox(AwsRead::AuthorizationDetails, &["authorization-details", id], &query).await;
            let Some(page) = page.seen() else { return page.map(|_| AuthorizationDetails::default()) };
            if details.add_page(page).is_none() {
                let detail = "the answer holds no authorization details".to_owned();
                return self.completed(
                    AwsRead::AuthorizationDetails,
                    Answer::Unreadable { http_status: Some(200), detail },
                    None,
                );
            }
            next = page.get("nextToken").and_then(Value::as_str).map(str::to_owned);
            if next.is_none() {
                break;
            }
        }
        self.completed(AwsRead::AuthorizationDetails, Answer::Granted(details), None)
    }

    /// A policy as it was when it denied.
    async fn authorization_policy(&self, id: &str, uri: &str) -> Read<String> {
        let path = ["authorization-details", id, "policy"];
        let read = self.toolbox(AwsRead::AuthorizationPolicy, &path, &[("policyUri", uri)]).await;
        read.map(|answer| match answer.get("policyDocument") {
            Some(Value::String(text)) => text.clone(),
            Some(document) => document.to_string(),
            None => String::new(),
        })
    }

    /// One call to `iam-toolbox`, in the region that the denial is kept in.
    async fn toolbox(&self, asked: AwsRead, path: &[&str], query: &[(&str, &str)]) -> Read<Value> {
        let base = self.toolbox_url();
        let url = Url::parse(&base).map_err(|error| format!("{base}: {error}")).and_then(|mut url| {
            url.path_segments_mut().map_err(|()| format!("{base} takes no path"))?.pop_if_empty().extend(path);
            if !query.is_empty() {
                url.query_pairs_mut().extend_pairs(query);
            }
            Ok(url)
        });
        match url {
            Ok(url) => self.rest(asked, &url).await,
            Err(detail) => self.completed(asked, Answer::NotSent { detail }, None),
        }
    }

    /// The rule of botocore's endpoint rule set for `iam-toolbox`: the service's name, the region, the partition's suffix.
    fn toolbox_url(&self) -> String {
        let own = self.target.settings.iam_toolbox_endpoint_url.as_ref();
        self.endpoint(own, || format!("https://iam-toolbox.{}.{}", self.target.region, self.suffix()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::profile::AwsSettings;
    use crate::probe::aws::Session;
    use crate::probe::http::{HttpSettings, HttpStack, ProxyUse};
    use aws_credential_types::Credentials;

    #[test]
    fn the_host_is_of_the_region_and_its_partition() {
        let settings =
            HttpSettings { ca_pem: None, ca_of_clients: Vec::new(), timeout: FIRST_PAUSE, proxy: ProxyUse::None };
        let http = HttpStack::new(&settings).unwrap();
        let session = Session::of(Credentials::new("AKIA", "s", None, None, "test"));
        let url = |region: &str, settings: AwsSettings| {
            let target = AwsTarget { http: http.clone(), region: region.to_owned(), settings };
            Reader { target: &target, session: &session, deadline: Instant::now() }.toolbox_url()
        };
        assert_eq!(url("eu-west-1", AwsSettings::default()), "https://iam-toolbox.eu-west-1.amazonaws.com");
        assert_eq!(url("cn-north-1", AwsSettings::default()), "https://iam-toolbox.cn-north-1.amazonaws.com.cn");
        assert_eq!(url("us-gov-west-1", AwsSettings::default()), "https://iam-toolbox.us-gov-west-1.amazonaws.com");
        let own =
            AwsSettings { iam_toolbox_endpoint_url: Some("https://127.0.0.1:1".into()), ..AwsSettings::default() };
        assert_eq!(url("eu-west-1", own), "https://127.0.0.1:1");
    }
}
