//! AWS's Query protocol, which STS and IAM speak: parameters in, XML out, constraints refused in the words they share.

use std::time::Duration;

use http::{HeaderName, Method};

use super::json_protocol::AwsError;
use super::server::{Request, Response};
use super::session::Account;
use super::sigv4::{Authenticated, Rejection};
use super::{server, sigv4};
use crate::domain::text::escape_xml;

/// How far a signature's time may be off.
const SIGNATURE_WINDOW: Duration = Duration::from_secs(15 * 60);

/// A service that speaks the protocol.
pub(super) struct Protocol {
    /// The name that signatures are scoped to.
    pub service: &'static str,
    /// The version of its interface, a date.
    pub version: &'static str,
    /// The namespace of its answers.
    pub namespace: &'static str,
}

/// The result of an action: its name and what its result element holds.
pub(super) struct Outcome {
    pub action: &'static str,
    pub result: Vec<Element>,
}

impl Protocol {
    /// The action that the request asks for, with its parameters.
    pub(super) fn read(&self, request: &Request) -> Result<Parameters, AwsError> {
        if !matches!(request.method, Method::POST | Method::GET) {
            return Err(AwsError::new("InvalidAction", 400, "send GET or POST"));
        }
        let parameters = Parameters::read(request);
        if parameters.get("Action").is_none_or(str::is_empty) {
            return Err(AwsError::new("MissingAction", 400, "Could not find operation to perform: Action is missing"));
        }
        match parameters.get("Version") {
            Some(version) if version != self.version => Err(unknown(&parameters, version)),
            _ => Ok(parameters),
        }
    }

    /// The refusal of an action that the service does not have.
    pub(super) fn unknown_action(&self, parameters: &Parameters) -> AwsError {
        unknown(parameters, self.version)
    }

    /// Who signed the request.
    pub(super) fn authenticate(&self, request: &Request, account: &Account) -> Result<Authenticated, AwsError> {
        sigv4::authenticate(request, account, self.service, SIGNATURE_WINDOW, server::time())
            .map_err(|rejection| self.rejected(rejection))
    }

    /// The answer on the wire.
    pub(super) fn answer(&self, request_id: &str, outcome: Result<Outcome, AwsError>) -> Response {
        match outcome {
            Ok(outcome) => xml_response(self.namespace, outcome.action, outcome.result, request_id),
            Err(fault) => xml_error(self.namespace, &fault, request_id),
        }
    }

    /// A signature that proves nobody, in the words of the Query services.
    fn rejected(&self, rejection: Rejection) -> AwsError {
        let refused = |code, message: &str| AwsError::new(code, 403, message);
        match rejection {
            Rejection::Missing => refused("MissingAuthenticationToken", "Request is missing Authentication Token"),
            Rejection::Incomplete(what) => AwsError::new(
                "IncompleteSignature",
                400,
                format!("Authorization header requires '{what}' parameter, which is missing or cannot be read."),
            ),
            Rejection::UnknownKey => {
                refused("InvalidClientTokenId", "The security token included in the request is invalid.")
            }
            Rejection::Expired => refused("ExpiredToken", "The security token included in the request is expired"),
            Rejection::WrongService => refused(
                "SignatureDoesNotMatch",
                &format!("Credential should be scoped to correct service: '{}'. ", self.service),
            ),
            Rejection::TooOld { signed, earliest, now } => refused(
                "SignatureDoesNotMatch",
                &format!("Signature expired: {signed} is now earlier than {earliest} ({now} - 15 min.)"),
            ),
            Rejection::TooNew { signed, latest, now } => refused(
                "SignatureDoesNotMatch",
                &format!("Signature not yet current: {signed} is still later than {latest} ({now} + 15 min.)"),
            ),
            Rejection::Mismatch => refused(
                "SignatureDoesNotMatch",
                "The request signature we calculated does not match the signature you provided. Check your AWS Secret \
                 Access Key and signing method. Consult the service documentation for details.",
            ),
        }
    }
}

fn unknown(parameters: &Parameters, version: &str) -> AwsError {
    let action = parameters.get("Action").unwrap_or_default();
    AwsError::new("InvalidAction", 400, format!("Could not find operation {action} for version {version}"))
}

const CONTENT_TYPE: &str = "text/xml";
const REQUEST_ID: HeaderName = HeaderName::from_static("x-amzn-requestid");

/// An element with text or with elements in it.
pub(in crate::lab) enum Element {
    Text(&'static str, String),
    Of(&'static str, Vec<Element>),
}

impl Element {
    pub(in crate::lab) fn text(name: &'static str, text: impl Into<String>) -> Self {
        Element::Text(name, text.into())
    }

    pub(in crate::lab) fn of(name: &'static str, elements: Vec<Element>) -> Self {
        Element::Of(name, elements)
    }

    fn write(&self, out: &mut String, indent: usize) {
        let pad = "  ".repeat(indent);
        match self {
            Element::Text(name, text) => out.push_str(&format!("{pad}<{name}>{}</{name}>\n", escape_xml(text))),
            Element::Of(name, elements) => {
                out.push_str(&format!("{pad}<{name}>\n"));
                elements.iter().for_each(|element| element.write(out, indent + 1));
                out.push_str(&format!("{pad}</{name}>\n"));
            }
        }
    }
}

/// A successful answer.
fn xml_response(namespace: &str, action: &'static str, result: Vec<Element>, request_id: &str) -> Response {
    let mut body = format!("<{action}Response xmlns=\"{namespace}\">\n");
    // Actions without a result have no element for it.
    if !result.is_empty() {
        body.push_str(&format!("  <{action}Result>\n"));
        result.iter().for_each(|element| element.write(&mut body, 2));
        body.push_str(&format!("  </{action}Result>\n"));
    }
    Element::of("ResponseMetadata", vec![Element::text("RequestId", request_id)]).write(&mut body, 1);
    body.push_str(&format!("</{action}Response>\n"));
    Response::new(200, CONTENT_TYPE, body).with_header(REQUEST_ID, request_id.to_owned())
}

/// A refusal.
fn xml_error(namespace: &str, fault: &AwsError, request_id: &str) -> Response {
    let side = if fault.status < 500 { "Sender" } else { "Receiver" };
    let mut body = format!("<ErrorResponse xmlns=\"{namespace}\">\n");
    let error = vec![
        Element::text("Type", side),
        Element::text("Code", fault.code),
        Element::text("Message", fault.message.clone()),
    ];
    Element::of("Error", error).write(&mut body, 1);
    Element::text("RequestId", request_id).write(&mut body, 1);
    body.push_str("</ErrorResponse>\n");
    Response::new(fault.status, CONTENT_TYPE, body).with_header(REQUEST_ID, request_id.to_owned())
}

/// The parameters of a request, in their order; the last of a repeated name counts.
pub(in crate::lab) struct Parameters {
    pairs: Vec<(String, String)>,
}

impl Parameters {
    fn read(request: &Request) -> Self {
        let mut pairs: Vec<(String, String)> = decode_form(request.query.as_bytes());
        if !request.body.is_empty() {
            pairs.extend(decode_form(&request.body));
        }
        Parameters { pairs }
    }

    pub(in crate::lab) fn get(&self, name: &str) -> Option<&str> {
        self.pairs.iter().rev().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The members of a list, in their order.
    pub(in crate::lab) fn list(&self, name: &str) -> Vec<String> {
        let prefix = format!("{name}.member.");
        let number = |known: &str| known.strip_prefix(&prefix)?.parse::<u32>().ok();
        let mut members: Vec<(u32, &String)> =
            self.pairs.iter().filter_map(|(known, value)| Some((number(known)?, value))).collect();
        members.sort_by_key(|(number, _)| *number);
        members.into_iter().map(|(_, value)| value.clone()).collect()
    }

    /// Whether any parameter's name begins so: members of a list or structure.
    pub(in crate::lab) fn count_with_prefix(&self, prefix: &str) -> usize {
        self.pairs.iter().filter(|(name, _)| name.starts_with(prefix)).count()
    }

    /// A whole number as the Query protocol takes it: a sign and leading zeros are fine, blanks and fractions are not.
    pub(in crate::lab) fn integer(&self, name: &str) -> Result<Option<i32>, AwsError> {
        match self.get(name) {
            None => Ok(None),
            Some(text) => text
                .parse()
                .map(Some)
                .map_err(|_| AwsError::new("MalformedInput", 400, format!("{name} is not a whole number of 32 bits"))),
        }
    }
}

fn decode_form(text: &[u8]) -> Vec<(String, String)> {
    url::form_urlencoded::parse(text).into_owned().collect()
}

/// Collects what is wrong with a request's parameters.
#[derive(Default)]
pub(in crate::lab) struct Constraints {
    violations: Vec<String>,
}

/// How a value may be shown in a refusal.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(in crate::lab) enum Shown {
    Plainly,
    /// Secrets are not repeated.
    Masked,
}

impl Constraints {
    /// The value must be there, and its length in characters within the bounds.
    pub(in crate::lab) fn length(&mut self, name: &str, value: Option<&str>, bounds: (usize, usize), shown: Shown) {
        let Some(value) = value else {
            self.violated("null", name, "Member must not be null");
            return;
        };
        let quoted = quoted(value, shown);
        let length = value.chars().count();
        if length < bounds.0 {
            let rule = format!("Member must have length greater than or equal to {}", bounds.0);
            self.violated(&quoted, name, &rule);
        } else if length > bounds.1 {
            self.violated(&quoted, name, &format!("Member must have length less than or equal to {}", bounds.1));
        }
    }

    /// Every character must be one that `allowed` takes.
    pub(in crate::lab) fn pattern(&mut self, name: &str, value: &str, pattern: &str, allowed: impl Fn(char) -> bool) {
        if !value.chars().all(allowed) {
            let rule = format!("Member must satisfy regular expression pattern: {pattern}");
            self.violated(&quoted(value, Shown::Plainly), name, &rule);
        }
    }

    /// The number must lie within the bounds.
    pub(in crate::lab) fn range(&mut self, name: &str, value: i32, bounds: (i32, i32)) {
        if value < bounds.0 {
            let rule = format!("Member must have value greater than or equal to {}", bounds.0);
            self.violated(&format!("'{value}'"), name, &rule);
        } else if value > bounds.1 {
            let rule = format!("Member must have value less than or equal to {}", bounds.1);
            self.violated(&format!("'{value}'"), name, &rule);
        }
    }

    fn violated(&mut self, value: &str, name: &str, rule: &str) {
        self.violations.push(format!("Value {value} at '{name}' failed to satisfy constraint: {rule}"));
    }

    /// One refusal for all of them.
    pub(in crate::lab) fn check(self) -> Result<(), AwsError> {
        let count = self.violations.len();
        match count {
            0 => Ok(()),
            1 => Err(AwsError::validation(format!("1 validation error detected: {}", self.violations[0]))),
            _ => {
                Err(AwsError::validation(format!("{count} validation errors detected: {}", self.violations.join("; "))))
            }
        }
    }
}

fn quoted(value: &str, shown: Shown) -> String {
    match shown {
        Shown::Plainly => format!("'{value}'"),
        Shown::Masked => "'***'".to_owned(),
    }
}

/// A character that may stand in a session name.
pub(in crate::lab) fn is_session_name_character(c: char) -> bool {
    c.is_ascii_alphanumeric() || "_+=,.@-".contains(c)
}

#[cfg(test)]
mod xml_tests {
    use super::*;

    #[test]
    fn texts_cannot_break_out() {
        assert_eq!(escape_xml("<a> & \u{1}\r"), "&lt;a&gt; &amp; \u{fffd}&#13;");
    }

    #[test]
    fn a_refusal_says_whose_fault_it_is() {
        let answer = xml_error("urn:x", &AwsError::internal("x < y"), "id-1");
        assert_eq!(answer.status, 500);
        for part in ["<Type>Receiver</Type>", "<Code>InternalFailure</Code>", "x &lt; y", "<RequestId>id-1</RequestId>"]
        {
            assert!(answer.body.contains(part), "{}", answer.body);
        }
    }
}

#[cfg(test)]
mod constraint_tests {
    use super::*;

    #[test]
    fn one_text_for_all_violations() {
        let mut constraints = Constraints::default();
        constraints.length("roleSessionName", Some("a"), (2, 64), Shown::Plainly);
        constraints.length("webIdentityToken", Some("abc"), (4, 20_000), Shown::Masked);
        constraints.length("roleArn", None, (20, 2048), Shown::Plainly);
        constraints.pattern("roleSessionName", "a b", "[\\w+=,.@-]*", is_session_name_character);
        constraints.range("durationSeconds", 899, (900, 43_200));
        constraints.range("durationSeconds", 43_201, (900, 43_200));
        let fault = constraints.check().unwrap_err();
        assert_eq!(
            fault.message,
            "6 validation errors detected: \
             Value 'a' at 'roleSessionName' failed to satisfy constraint: \
             Member must have length greater than or equal to 2; \
             Value '***' at 'webIdentityToken' failed to satisfy constraint: \
             Member must have length greater than or equal to 4; \
             Value null at 'roleArn' failed to satisfy constraint: Member must not be null; \
             Value 'a b' at 'roleSessionName' failed to satisfy constraint: \
             Member must satisfy regular expression pattern: [\\w+=,.@-]*; \
             Value '899' at 'durationSeconds' failed to satisfy constraint: \
             Member must have value greater than or equal to 900; \
             Value '43201' at 'durationSeconds' failed to satisfy constraint: \
             Member must have value less than or equal to 43200"
        );
        assert_eq!((fault.code, fault.status), ("ValidationError", 400));
    }
}
