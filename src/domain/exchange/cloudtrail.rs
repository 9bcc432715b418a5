//! A CloudTrail event: the account's own word on one call
//! (<https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html>).

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor, value::MapAccessDeserializer};

use super::{Exchange, Refusal};
use crate::domain::ids::Cloud;
use crate::domain::timestamp::parse_rfc3339;

/// The name of the event of an exchange.
pub(super) const EXCHANGE: &str = "AssumeRoleWithWebIdentity";

/// What is read of an event. The rest, the credentials of an answer among it, is passed over unseen.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Event<'a> {
    #[serde(borrow, rename = "eventName")]
    pub name: EventText<'a>,
    #[serde(borrow, rename = "eventSource")]
    pub source: EventText<'a>,
    #[serde(borrow, rename = "eventTime")]
    pub time: EventText<'a>,
    #[serde(borrow, rename = "awsRegion")]
    pub region: EventText<'a>,
    #[serde(borrow, rename = "errorCode")]
    pub error_code: EventText<'a>,
    #[serde(borrow, rename = "errorMessage")]
    pub error_message: EventText<'a>,
    #[serde(borrow, rename = "requestID")]
    pub request_id: EventText<'a>,
    #[serde(borrow, rename = "userIdentity")]
    pub identity: Part<Identity<'a>>,
    #[serde(borrow, rename = "requestParameters")]
    pub request: Part<Request<'a>>,
    #[serde(borrow, rename = "responseElements")]
    pub answer: Part<Answer<'a>>,
    /// The event as text, in an answer of `lookup-events`.
    #[serde(borrow, rename = "CloudTrailEvent")]
    looked_up: EventText<'a>,
    /// The event as text, in a log group.
    #[serde(borrow)]
    message: EventText<'a>,
    /// The event, on an event bus.
    #[serde(borrow)]
    detail: Part<Box<Event<'a>>>,
}

/// Who called.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Identity<'a> {
    #[serde(borrow)]
    principal_id: EventText<'a>,
    #[serde(borrow)]
    user_name: EventText<'a>,
    #[serde(borrow)]
    identity_provider: EventText<'a>,
}

/// What was asked for.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Request<'a> {
    #[serde(borrow)]
    role_arn: EventText<'a>,
    #[serde(borrow)]
    role_session_name: EventText<'a>,
}

/// What was granted.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Answer<'a> {
    #[serde(borrow)]
    subject_from_web_identity_token: EventText<'a>,
    #[serde(borrow)]
    audience: EventText<'a>,
    #[serde(borrow)]
    provider: EventText<'a>,
}

/// The exchange that an object of a log is, whatever wraps it.
pub(super) fn read(object: &[u8]) -> Result<Option<Exchange>, serde_json::Error> {
    let event: Event<'_> = serde_json::from_slice(object)?;
    if let Some(text) = event.looked_up.as_str().or_else(|| event.message.as_str().filter(|text| is_event(text))) {
        return Ok(serde_json::from_str::<Event<'_>>(text)?.exchange());
    }
    match event.detail.0 {
        Some(detail) if event.name.as_str().is_none() => Ok(detail.exchange()),
        _ => Ok(event.exchange()),
    }
}

/// A line of a log group may be anything.
fn is_event(message: &str) -> bool {
    message.trim_start().starts_with('{') && message.contains(EXCHANGE)
}

impl Event<'_> {
    /// The exchange that it is about, where it is about one.
    fn exchange(&self) -> Option<Exchange> {
        if self.name.as_str() != Some(EXCHANGE) {
            return None;
        }
        let (identity, request, answer) = (self.identity.0.as_ref(), self.request.0.as_ref(), self.answer.0.as_ref());
        let subject = identity.and_then(|who| who.user_name.as_str());
        let subject = subject.or_else(|| answer.and_then(|answer| answer.subject_from_web_identity_token.as_str()));
        let provider = identity.and_then(|who| who.identity_provider.as_str());
        let provider = provider.or_else(|| answer.and_then(|answer| answer.provider.as_str()));
        let audience = answer.and_then(|answer| answer.audience.as_str());
        let principal = identity.and_then(|who| who.principal_id.as_str());
        let audience = audience.or_else(|| self::audience(principal?, provider?, subject?));
        let refusal = self
            .error_code
            .as_str()
            .map(|code| Refusal { code: code.to_owned(), message: self.error_message.as_str().map(str::to_owned) });
        let owned = |text: Option<&str>| text.map(str::to_owned);
        Some(Exchange {
            cloud: Cloud::Aws,
            resource: owned(request.and_then(|request| request.role_arn.as_str())),
            issuer: provider.map(issuer),
            provider: owned(provider),
            audience: owned(audience),
            subject: owned(subject),
            refusal,
            credential: None,
            at: self.time.as_str().and_then(parse_rfc3339),
            request_id: owned(self.request_id.as_str()),
            region: owned(self.region.as_str()),
            session_name: owned(request.and_then(|request| request.role_session_name.as_str())),
        })
    }
}

/// The issuer that a provider's ARN, or its host, stands for.
fn issuer(provider: &str) -> String {
    let url = provider.split_once(":oidc-provider/").map_or(provider, |(_, url)| url);
    if url.starts_with("https://") { url.to_owned() } else { format!("https://{url}") }
}

/// What stands between the provider and the subject: `PROVIDER:AUDIENCE:SUBJECT`, each of which may have colons.
fn audience<'p>(principal: &'p str, provider: &str, subject: &str) -> Option<&'p str> {
    let rest = principal.strip_prefix(provider)?.strip_prefix(':')?;
    rest.strip_suffix(subject)?.strip_suffix(':').filter(|audience| !audience.is_empty())
}

/// A text of an event; nothing where the event has something else there. A log that somebody else wrote is no reason to fail.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct EventText<'a>(Option<Cow<'a, str>>);

impl EventText<'_> {
    fn as_str(&self) -> Option<&str> {
        self.0.as_deref()
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for EventText<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AnyText(PhantomData))
    }
}

struct AnyText<'a>(PhantomData<&'a ()>);

impl<'de: 'a, 'a> Visitor<'de> for AnyText<'a> {
    type Value = EventText<'a>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<EventText<'a>, E> {
        Ok(EventText(Some(Cow::Borrowed(text))))
    }

    fn visit_str<E>(self, text: &str) -> Result<EventText<'a>, E> {
        Ok(EventText(Some(Cow::Owned(text.to_owned()))))
    }

    fn visit_unit<E>(self) -> Result<EventText<'a>, E> {
        Ok(EventText(None))
    }

    fn visit_bool<E>(self, _: bool) -> Result<EventText<'a>, E> {
        Ok(EventText(None))
    }

    fn visit_i64<E>(self, _: i64) -> Result<EventText<'a>, E> {
        Ok(EventText(None))
    }

    fn visit_u64<E>(self, _: u64) -> Result<EventText<'a>, E> {
        Ok(EventText(None))
    }

    fn visit_f64<E>(self, _: f64) -> Result<EventText<'a>, E> {
        Ok(EventText(None))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<EventText<'a>, A::Error> {
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(EventText(None))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<EventText<'a>, A::Error> {
        while members.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(EventText(None))
    }
}

/// An object in an event; nothing where the event has something else there.
#[derive(Debug)]
pub(super) struct Part<T>(Option<T>);

impl<T> Default for Part<T> {
    fn default() -> Self {
        Part(None)
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Part<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AnyPart(PhantomData))
    }
}

struct AnyPart<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for AnyPart<T> {
    type Value = Part<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_map<A: MapAccess<'de>>(self, members: A) -> Result<Part<T>, A::Error> {
        T::deserialize(MapAccessDeserializer::new(members)).map(|part| Part(Some(part)))
    }

    fn visit_unit<E>(self) -> Result<Part<T>, E> {
        Ok(Part(None))
    }

    fn visit_bool<E>(self, _: bool) -> Result<Part<T>, E> {
        Ok(Part(None))
    }

    fn visit_i64<E>(self, _: i64) -> Result<Part<T>, E> {
        Ok(Part(None))
    }

    fn visit_u64<E>(self, _: u64) -> Result<Part<T>, E> {
        Ok(Part(None))
    }

    fn visit_f64<E>(self, _: f64) -> Result<Part<T>, E> {
        Ok(Part(None))
    }

    fn visit_str<E>(self, _: &str) -> Result<Part<T>, E> {
        Ok(Part(None))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Part<T>, A::Error> {
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Part(None))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    const PROVIDER: &str = "arn:aws:iam::123456789012:oidc-provider/app.example.com/tenant";

    fn refused() -> Value {
        json!({
            "eventName": "AssumeRoleWithWebIdentity", "eventTime": "2026-11-30T05:00:00Z", "awsRegion": "eu-west-1",
            "userIdentity": {
                "type": "WebIdentityUser", "principalId": format!("{PROVIDER}:api://a:b:repo:o/r:ref:x"),
                "userName": "repo:o/r:ref:x", "identityProvider": PROVIDER,
            },
            "errorCode": "AccessDenied", "errorMessage": "An unknown error occurred",
            "requestParameters": {"roleArn": "arn:aws:iam::123456789012:role/reader", "roleSessionName": "s", "durationSeconds": 3600},
            "responseElements": null, "requestID": "11111111-2222-3333-4444-555555555555",
        })
    }

    #[test]
    fn the_claims_are_told_apart_although_each_may_have_colons() {
        let exchange = read(refused().to_string().as_bytes()).unwrap().unwrap();
        assert_eq!(exchange.issuer.as_deref(), Some("https://app.example.com/tenant"));
        assert_eq!(exchange.audience.as_deref(), Some("api://a:b"));
        assert_eq!(exchange.subject.as_deref(), Some("repo:o/r:ref:x"));
        assert_eq!(exchange.resource.as_deref(), Some("arn:aws:iam::123456789012:role/reader"));
        assert_eq!(exchange.refusal.unwrap().code, "AccessDenied");
        assert_eq!(exchange.at, Some(1_796_014_800));
    }

    #[test]
    fn a_granted_exchange_tells_of_its_token_and_never_of_its_session() {
        let event = json!({
            "eventName": "AssumeRoleWithWebIdentity",
            "userIdentity": {"type": "WebIdentityUser", "principalId": "accounts.google.com:id:1", "identityProvider": "accounts.google.com"},
            "responseElements": {
                "credentials": {"accessKeyId": "ASIAXXXXXXXXXXXXXXXX", "sessionToken": "planted-session"},
                "subjectFromWebIdentityToken": "1", "audience": "id", "provider": "accounts.google.com",
            },
        });
        let exchange = read(event.to_string().as_bytes()).unwrap().unwrap();
        assert_eq!(exchange.issuer.as_deref(), Some("https://accounts.google.com"));
        assert_eq!((exchange.audience.as_deref(), exchange.subject.as_deref()), (Some("id"), Some("1")));
        assert_eq!(exchange.refusal, None);
        assert!(!format!("{exchange:?}").contains("planted-session"));
    }

    #[test]
    fn what_has_another_form_is_passed_over() {
        for odd in
            [json!(null), json!(1), json!(-1), json!(0.5), json!(true), json!([[1]]), json!({"x": {}}), json!("x")]
        {
            let mut event = refused();
            for member in [
                "eventTime",
                "awsRegion",
                "userIdentity",
                "requestParameters",
                "responseElements",
                "requestID",
                "detail",
            ] {
                event[member] = odd.clone();
            }
            let exchange = read(event.to_string().as_bytes()).unwrap().unwrap();
            assert_eq!((exchange.subject, exchange.resource), (None, None), "{odd}");
        }
    }
}
