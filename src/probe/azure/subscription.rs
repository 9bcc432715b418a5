//! Whose directory a subscription belongs to: Resource Manager answers a request without a token with a challenge that
//! names it. Nothing secret is sent, and nobody's rights are needed.

use http::header::WWW_AUTHENTICATE;
use serde_json::Value;

use crate::check::facts::azure::{SubscriptionFact, SubscriptionSeen};
use crate::check::facts::cloud::{Answer, Call};
use crate::domain::keyvault::Challenge;
use crate::domain::profile::AzureSettings;
use crate::probe::http::{self as stack, HttpStack};

/// Asks for the subscription of a profile; `None` where it names none.
pub async fn subscription(http: &HttpStack, settings: &AzureSettings) -> Option<SubscriptionFact> {
    let subscription = settings.subscription_id.clone()?;
    let url = settings.subscription_url()?;
    let client = http.client();
    let observed = client.get(url, &[], stack::ANSWER_LIMIT).await;
    let failure = observed.exchange.failure.clone();
    let answer = match (&observed.answer, failure) {
        (Some(answer), _) => read(answer),
        (None, Some(failure)) => Answer::Network { failure },
        (None, None) => Answer::Unreadable { http_status: observed.exchange.status, detail: "no answer".into() },
    };
    let call = Call { region: None, attempts: 1, waited_ms: 0, answer, exchange: Some(observed.exchange) };
    Some(SubscriptionFact { subscription, call })
}

fn read(answer: &stack::Answer) -> Answer<SubscriptionSeen> {
    let header = answer.headers.get(WWW_AUTHENTICATE).and_then(|value| value.to_str().ok());
    let tenant = header.and_then(Challenge::parse).and_then(|challenge| challenge.tenant);
    let body = serde_json::from_slice::<Value>(&answer.body).unwrap_or_default();
    let code = body.pointer("/error/code").and_then(Value::as_str);
    match (answer.status.as_u16(), tenant, code) {
        (401, Some(tenant), _) => Answer::Granted(SubscriptionSeen::Of { tenant }),
        (404, _, Some("SubscriptionNotFound")) => Answer::Granted(SubscriptionSeen::Nowhere),
        (status, ..) => Answer::Unreadable {
            http_status: Some(status),
            detail: "it does not say whose directory the subscription is of".to_owned(),
        },
    }
}
