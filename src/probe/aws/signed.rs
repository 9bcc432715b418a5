//! The calls that an operator reads with and for which no SDK is here: IAM's Query protocol, AWS's JSON protocol, and JSON over
//! REST, signed with Signature Version 4. A throttled call is made again; everything ends at one deadline.

use std::time::{Duration, SystemTime};

use ::http::header::CONTENT_TYPE;
use ::http::{HeaderName, HeaderValue, Method};
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4::SigningParams;
use reqwest::{Request, Url};
use serde_json::Value;
use tokio::time::{Instant, sleep};
use xmlparser::{ElementEnd, Token, Tokenizer};

use super::{AwsTarget, Session};
use crate::check::facts::network::Exchange;
use crate::check::facts::read::{Read, Throttled};
use crate::check::facts::secret::{Answer, Call, Refusal};
use crate::domain::iam::AwsRead;
use crate::domain::region::{PARTITIONS, partition_of};
use crate::probe::http;

/// The version of IAM's interface.
const IAM_VERSION: &str = "2010-05-08";
const FORM: HeaderValue = HeaderValue::from_static("application/x-www-form-urlencoded; charset=utf-8");
const JSON: HeaderValue = HeaderValue::from_static("application/x-amz-json-1.1");
const TARGET: HeaderName = HeaderName::from_static("x-amz-target");
const REQUEST_ID: &str = "x-amzn-requestid";
const ERROR_TYPE: &str = "x-amzn-errortype";
/// The most of an answer that is read, in bytes.
const ANSWER_LIMIT: u64 = 8 * 1024 * 1024;
/// The first pause after a throttled call; it doubles.
const FIRST_PAUSE: Duration = Duration::from_millis(200);
/// More pages than any account has of what is read here.
const MOST_PAGES: usize = 200;

/// Where a service answers.
struct Service {
    method: Method,
    /// The name that signatures are scoped to.
    name: &'static str,
    region: String,
    url: String,
}

/// Reads with the operator's credentials, and nothing after the deadline.
#[derive(Clone, Copy)]
pub(super) struct Reader<'a> {
    pub target: &'a AwsTarget,
    pub session: &'a Session,
    pub deadline: Instant,
}

/// The items of a list as far as they came, and the read of its last page.
pub(super) struct Listed<T> {
    pub items: Vec<T>,
    pub last: Read<()>,
}

/// What came back of a call, before it is read.
struct Received {
    answer: Answer<Vec<u8>>,
    exchange: Option<Exchange>,
    throttled: Throttled,
}

impl Reader<'_> {
    /// One call to IAM. `read` takes what it wants out of the result, and nothing where the answer holds no such thing.
    pub async fn iam<T>(
        &self,
        asked: AwsRead,
        parameters: &[(&str, &str)],
        read: impl Fn(&Xml) -> Option<T>,
    ) -> Read<T> {
        let action = asked.operation();
        let fixed = [("Action", action), ("Version", IAM_VERSION)];
        let body = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs(fixed.iter().chain(parameters).copied())
            .finish();
        let Received { answer, exchange, throttled } =
            self.send(&self.iam_service(), &[(CONTENT_TYPE, FORM)], body, |answer| xml_refusal(&answer.body)).await;
        let answer = read_answer(answer, |body| {
            let root = Xml::parse(std::str::from_utf8(body).ok()?)?;
            let result = root.child(&format!("{action}Result"))?;
            read(result)
        });
        Read { throttled, ..self.completed(asked, answer, exchange) }
    }

    /// As [`Reader::iam`], for an answer that comes in pages: each result's items, one behind the other, as far as they came.
    pub async fn iam_pages<T>(
        &self,
        asked: AwsRead,
        parameters: &[(&str, &str)],
        read: impl Fn(&Xml) -> Vec<T>,
    ) -> Listed<T> {
        let mut items = Vec::new();
        let (mut marker, mut throttled) = (None::<String>, Throttled::default());
        for _ in 0..MOST_PAGES {
            let with_marker: Vec<(&str, &str)> =
                parameters.iter().copied().chain(marker.as_deref().map(|marker| ("Marker", marker))).collect();
            let page = |result: &Xml| Some((read(result), next_page(result)));
            let page = self.iam(asked, &with_marker, page).await;
            throttled = throttled.and_then(page.throttled);
            let mut next = None;
            let last = page.map(|(more, following)| {
                items.extend(more);
                next = following;
            });
            if next.is_none() {
                return Listed { items, last: Read { throttled, ..last } };
            }
            marker = next;
        }
        let detail = format!("it goes on after {MOST_PAGES} pages");
        let last = self.completed(asked, Answer::Unreadable { http_status: None, detail }, None);
        Listed { items, last: Read { throttled, ..last } }
    }

    /// One call in the JSON protocol, in the target's region: to `secretsmanager`, `kms` or `cloudtrail`.
    pub async fn json<T>(&self, asked: AwsRead, input: &Value, read: impl Fn(&Value) -> Option<T>) -> Read<T> {
        let (name, settings) = (asked.service(), &self.target.settings);
        let (prefix, own) = match name {
            "kms" => ("TrentService", &settings.kms_endpoint_url),
            "cloudtrail" => {
                ("com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101", &settings.cloudtrail_endpoint_url)
            }
            _ => (name, &settings.secretsmanager_endpoint_url),
        };
        let region = self.target.region.clone();
        let url = self.endpoint(own.as_ref(), || format!("https://{name}.{region}.{}", self.suffix()));
        let Ok(target) = HeaderValue::from_str(&format!("{prefix}.{}", asked.operation())) else {
            let detail = format!("{} is no operation", asked.permission());
            return self.completed(asked, Answer::NotSent { detail }, None);
        };
        let service = Service { method: Method::POST, name, region: self.target.region.clone(), url };
        let headers = [(CONTENT_TYPE, JSON), (TARGET, target)];
        let Received { answer, exchange, throttled } =
            self.send(&service, &headers, input.to_string(), |answer| json_refusal(&answer.body)).await;
        let answer = read_answer(answer, |body| read(&serde_json::from_slice(body).ok()?));
        Read { throttled, ..self.completed(asked, answer, exchange) }
    }

    /// One `GET` in JSON over REST, of a service whose signatures are IAM's.
    pub async fn rest(&self, asked: AwsRead, url: &Url) -> Read<Value> {
        let region = self.target.region.clone();
        let service = Service { method: Method::GET, name: asked.service(), region, url: url.to_string() };
        let Received { answer, exchange, throttled } = self.send(&service, &[], String::new(), rest_refusal).await;
        let answer = read_answer(answer, |body| serde_json::from_slice(body).ok());
        Read { throttled, ..self.completed(asked, answer, exchange) }
    }

    pub(super) fn completed<T>(&self, asked: AwsRead, answer: Answer<T>, exchange: Option<Exchange>) -> Read<T> {
        let call = Call { region: Some(self.target.region.clone()), attempts: 1, waited_ms: 0, answer, exchange };
        Read { permission: asked.permission(), call, throttled: Throttled::default() }
    }

    /// Sends one call, again while it is throttled and there is time.
    async fn send(
        &self,
        service: &Service,
        headers: &[(HeaderName, HeaderValue)],
        body: String,
        refusal: fn(&http::Answer) -> Option<(String, String)>,
    ) -> Received {
        let (mut pause, mut throttled) = (FIRST_PAUSE, Throttled::default());
        loop {
            let received = self.send_once(service, headers, &body, refusal).await;
            let is_throttled = matches!(&received.answer, Answer::Refused(refusal) if refusal.is_throttling());
            throttled.times += u32::from(is_throttled);
            if !is_throttled || Instant::now() + pause >= self.deadline {
                return Received { throttled, ..received };
            }
            sleep(pause).await;
            throttled.waited_ms += u64::try_from(pause.as_millis()).unwrap_or(u64::MAX);
            pause *= 2;
        }
    }

    async fn send_once(
        &self,
        service: &Service,
        headers: &[(HeaderName, HeaderValue)],
        body: &str,
        refusal: fn(&http::Answer) -> Option<(String, String)>,
    ) -> Received {
        let left = self.deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return not_sent("no time was left".to_owned());
        }
        let request = match self.signed(service, headers, body) {
            Ok(request) => request,
            Err(detail) => return not_sent(detail),
        };
        let observed = self.target.http.within(left).client().send(request, ANSWER_LIMIT).await;
        let answer = match (observed.answer, &observed.exchange.failure) {
            (Some(answer), _) if answer.status.is_success() => Answer::Granted(answer.body.to_vec()),
            (Some(answer), _) => refused(&answer, refusal),
            (None, Some(failure)) => Answer::Network { failure: failure.clone() },
            (None, None) => Answer::NotSent { detail: "no answer came".to_owned() },
        };
        Received { answer, exchange: Some(observed.exchange), throttled: Throttled::default() }
    }

    fn signed(&self, service: &Service, headers: &[(HeaderName, HeaderValue)], body: &str) -> Result<Request, String> {
        let url = Url::parse(&service.url).map_err(|error| format!("{}: {error}", service.url))?;
        let identity = self.session.0.clone().into();
        let parameters = SigningParams::builder()
            .identity(&identity)
            .region(&service.region)
            .name(service.name)
            .time(SystemTime::now())
            .settings(SigningSettings::default())
            .build()
            .map_err(|error| error.to_string())?
            .into();
        let plain = headers.iter().filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?)));
        let signable =
            SignableRequest::new(service.method.as_str(), url.as_str(), plain, SignableBody::Bytes(body.as_bytes()));
        let signable = signable.map_err(|error| error.to_string())?;
        let (instructions, _) = sign(signable, &parameters).map_err(|error| error.to_string())?.into_parts();
        let mut request = Request::new(service.method.clone(), url);
        request.headers_mut().extend(headers.iter().cloned());
        for (name, value) in instructions.headers() {
            let name = HeaderName::from_bytes(name.as_bytes()).map_err(|error| error.to_string())?;
            let mut value = HeaderValue::from_str(value).map_err(|error| error.to_string())?;
            value.set_sensitive(true);
            request.headers_mut().insert(name, value);
        }
        *request.body_mut() = Some(body.to_owned().into());
        Ok(request)
    }

    /// IAM has one endpoint for a partition
    /// (<https://docs.aws.amazon.com/general/latest/gr/iam-service.html>).
    fn iam_service(&self) -> Service {
        let partition = partition_of(&self.target.region).unwrap_or(&PARTITIONS[0]);
        let (host, region) = match partition.id {
            "aws" => ("iam.amazonaws.com".to_owned(), "us-east-1"),
            "aws-us-gov" => ("iam.us-gov.amazonaws.com".to_owned(), "us-gov-west-1"),
            _ => {
                let first = partition.regions.first().copied().unwrap_or_default();
                (format!("iam.{first}.{}", partition.dns_suffix), first)
            }
        };
        let url = self.endpoint(self.target.settings.iam_endpoint_url.as_ref(), || format!("https://{host}"));
        Service { method: Method::POST, name: "iam", region: region.to_owned(), url }
    }

    pub(super) fn endpoint(&self, own: Option<&String>, usual: impl FnOnce() -> String) -> String {
        own.or(self.target.settings.endpoint_url.as_ref()).cloned().unwrap_or_else(usual)
    }

    pub(super) fn suffix(&self) -> &'static str {
        partition_of(&self.target.region).map_or(PARTITIONS[0].dns_suffix, |partition| partition.dns_suffix)
    }
}

fn not_sent(detail: String) -> Received {
    Received { answer: Answer::NotSent { detail }, exchange: None, throttled: Throttled::default() }
}

fn read_answer<T>(answer: Answer<Vec<u8>>, read: impl FnOnce(&[u8]) -> Option<T>) -> Answer<T> {
    match answer {
        Answer::Granted(body) => match read(&body) {
            Some(seen) => Answer::Granted(seen),
            None => {
                Answer::Unreadable { http_status: Some(200), detail: "the answer is not what was asked for".into() }
            }
        },
        Answer::Refused(refusal) => Answer::Refused(refusal),
        Answer::Network { failure } => Answer::Network { failure },
        Answer::Unreadable { http_status, detail } => Answer::Unreadable { http_status, detail },
        Answer::NotSent { detail } => Answer::NotSent { detail },
    }
}

fn refused(answer: &http::Answer, read: fn(&http::Answer) -> Option<(String, String)>) -> Answer<Vec<u8>> {
    let http_status = answer.status.as_u16();
    match read(answer) {
        Some((code, message)) => {
            let request_id = answer.headers.get(REQUEST_ID).and_then(|id| Some(id.to_str().ok()?.to_owned()));
            Answer::Refused(Refusal { code, message, http_status, request_id })
        }
        None => {
            let detail = "the answer holds no error code of AWS".to_owned();
            Answer::Unreadable { http_status: Some(http_status), detail }
        }
    }
}

/// The code and the message of a refusal in the Query protocol.
fn xml_refusal(body: &[u8]) -> Option<(String, String)> {
    let root = Xml::parse(std::str::from_utf8(body).ok()?)?;
    let error = root.child("Error")?;
    Some((error.text_of("Code")?.to_owned(), error.text_of("Message").unwrap_or_default().to_owned()))
}

/// The code and the message of a refusal in the JSON protocol.
fn json_refusal(body: &[u8]) -> Option<(String, String)> {
    let error: Value = serde_json::from_slice(body).ok()?;
    let code = error.get("__type")?.as_str()?.rsplit('#').next()?.to_owned();
    let message = error.get("message").or_else(|| error.get("Message")).and_then(Value::as_str);
    Some((code, message.unwrap_or_default().to_owned()))
}

/// The code and the message of a refusal in JSON over REST, whose code stands in a header
/// (<https://smithy.io/2.0/aws/protocols/aws-restjson1-protocol.html#operation-error-serialization>).
fn rest_refusal(answer: &http::Answer) -> Option<(String, String)> {
    let Some(code) = answer.headers.get(ERROR_TYPE).and_then(|code| code.to_str().ok()) else {
        return json_refusal(&answer.body);
    };
    let body: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    let message = body.get("message").or_else(|| body.get("Message")).and_then(Value::as_str);
    let code = code.split(':').next().and_then(|code| code.rsplit('#').next()).unwrap_or_default();
    Some((code.to_owned(), message.unwrap_or_default().to_owned()))
}

fn next_page(result: &Xml) -> Option<String> {
    let goes_on = result.text_of("IsTruncated") == Some("true");
    result.text_of("Marker").filter(|marker| goes_on && !marker.is_empty()).map(str::to_owned)
}

/// An element of an answer in XML, with the text that stands in it.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Xml {
    name: String,
    text: String,
    children: Vec<Xml>,
}

/// No answer of AWS nests deeper by far.
const DEEPEST: usize = 64;

impl Xml {
    /// The root of a document; nothing where it is not well formed.
    pub fn parse(text: &str) -> Option<Xml> {
        let mut open: Vec<Xml> = vec![Xml::default()];
        for token in Tokenizer::from(text) {
            match token.ok()? {
                Token::ElementStart { local, .. } if open.len() <= DEEPEST => {
                    open.push(Xml { name: local.as_str().to_owned(), ..Xml::default() });
                }
                Token::ElementStart { .. } => return None,
                Token::ElementEnd { end: ElementEnd::Open, .. } => {}
                Token::ElementEnd { end: ElementEnd::Close(_, local), .. } => close(&mut open, Some(local.as_str()))?,
                Token::ElementEnd { end: ElementEnd::Empty, .. } => close(&mut open, None)?,
                Token::Text { text } => open.last_mut()?.text.push_str(&unescaped(text.as_str())?),
                Token::Cdata { text, .. } => open.last_mut()?.text.push_str(text.as_str()),
                _ => {}
            }
        }
        let mut document = open.pop().filter(|_| open.is_empty())?;
        document.children.pop()
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    /// What stands in it beside its children.
    pub fn text(&self) -> &str {
        &self.text
    }

    pub fn children(&self) -> &[Xml] {
        &self.children
    }

    pub fn child(&self, name: &str) -> Option<&Xml> {
        self.children.iter().find(|child| child.name == name)
    }

    /// The text of a child.
    pub fn text_of(&self, name: &str) -> Option<&str> {
        self.child(name).map(|child| child.text.as_str())
    }

    /// The members of a list.
    pub fn members(&self, name: &str) -> impl Iterator<Item = &Xml> {
        self.child(name).into_iter().flat_map(|list| list.children.iter().filter(|child| child.name == "member"))
    }

    /// The texts of a list's members.
    pub fn texts(&self, name: &str) -> Vec<String> {
        self.members(name).map(|member| member.text.clone()).collect()
    }
}

/// Ends the element that was opened last, which must have this name where one is told.
fn close(open: &mut Vec<Xml>, name: Option<&str>) -> Option<()> {
    let ended = open.pop().filter(|ended| name.is_none_or(|name| name == ended.name))?;
    open.last_mut()?.children.push(ended);
    Some(())
}

/// A text with its references replaced; nothing where one is none of XML's own.
fn unescaped(text: &str) -> Option<String> {
    let mut parts = text.split('&');
    let mut plain = parts.next()?.to_owned();
    for part in parts {
        let (name, rest) = part.split_once(';')?;
        let number = |digits: &str, radix| char::from_u32(u32::from_str_radix(digits, radix).ok()?);
        plain.push(match name {
            "lt" => '<',
            "gt" => '>',
            "amp" => '&',
            "quot" => '"',
            "apos" => '\'',
            _ => match name.strip_prefix("#x") {
                Some(digits) => number(digits, 16)?,
                None => number(name.strip_prefix('#')?, 10)?,
            },
        });
        plain.push_str(rest);
    }
    Some(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_read() {
        let text = "<?xml version=\"1.0\"?><R xmlns=\"u\"><A> x &lt;&#38;&#x3e; </A><L><member>1</member><member/></L>\
                    <C><![CDATA[<b>]]></C></R>";
        let root = Xml::parse(text).unwrap();
        assert_eq!((root.text_of("A"), root.text_of("C")), (Some(" x <&> "), Some("<b>")));
        assert_eq!(root.texts("L"), ["1", ""]);
        assert_eq!(root.texts("M"), Vec::<String>::new());
    }

    #[test]
    fn what_is_not_well_formed_is_no_answer() {
        let deep = format!("{}{}", "<a>".repeat(100_000), "</a>".repeat(100_000));
        for text in ["", "<a>", "<a></b>", "</a>", "<a>&nbsp;</a>", "<a>&</a>", "<a>&#x110000;</a>", "{}", &deep] {
            assert_eq!(Xml::parse(text), None, "{}", &text[..text.len().min(40)]);
        }
    }

    #[test]
    fn refusals_are_read_in_both_protocols() {
        let xml = b"<ErrorResponse><Error><Type>Sender</Type><Code>NoSuchEntity</Code><Message>m</Message></Error></ErrorResponse>";
        assert_eq!(xml_refusal(xml), Some(("NoSuchEntity".into(), "m".into())));
        for json in [r#"{"__type": "com.amazonaws#E", "message": "m"}"#, r#"{"__type": "E", "Message": "m"}"#] {
            assert_eq!(json_refusal(json.as_bytes()), Some(("E".into(), "m".into())));
        }
        assert_eq!((xml_refusal(b"<html/>"), json_refusal(b"{}")), (None, None));
    }
}
