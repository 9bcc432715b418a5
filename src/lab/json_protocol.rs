//! AWS's JSON 1.1 protocol, which Secrets Manager and KMS speak: a target in a header, JSON in and out; and a refusal as AWS
//! words it.

use std::time::Duration;

use http::{HeaderName, Method};
use serde_json::{Map, Value, json};

use super::keys::random_uuid;
use super::server::{Request, Response};
use super::session::Account;
use super::sigv4::{Authenticated, Rejection};
use super::{server, sigv4};

const CONTENT_TYPE: &str = "application/x-amz-json-1.1";
const REQUEST_ID: HeaderName = HeaderName::from_static("x-amzn-requestid");
/// How far a signature's time may be off.
pub(super) const SIGNATURE_WINDOW: Duration = Duration::from_secs(5 * 60);

/// A service that speaks the protocol.
pub(super) struct JsonProtocol {
    /// The name that signatures are scoped to.
    pub service: &'static str,
    /// What stands before the operation's name in `X-Amz-Target`.
    pub target: &'static str,
    /// The member of a refusal that holds its message.
    pub message: &'static str,
}

impl JsonProtocol {
    /// The operation that is asked for, who asks, and the input.
    pub(super) fn read(
        &self,
        request: &Request,
        account: &Account,
    ) -> Result<(String, Authenticated, Map<String, Value>), AwsError> {
        let action = request.header("x-amz-target").strip_prefix(self.target).unwrap_or_default();
        if request.method != Method::POST || action.is_empty() {
            return Err(unknown_operation());
        }
        let sender = sigv4::authenticate(request, account, self.service, SIGNATURE_WINDOW, server::time())
            .map_err(|rejection| rejected(rejection, self.service))?;
        match serde_json::from_slice(&request.body) {
            Ok(Value::Object(input)) => Ok((action.to_owned(), sender, input)),
            _ => Err(AwsError::new("SerializationException", 400, "The request body is not a JSON object")),
        }
    }

    /// The answer on the wire; an operation without a result has no body.
    pub(super) fn answer(&self, outcome: Result<Value, AwsError>) -> Response {
        let (status, body) = match outcome {
            Ok(Value::Null) => (200, String::new()),
            Ok(output) => (200, output.to_string()),
            Err(fault) => (fault.status, json!({ "__type": fault.code, self.message: fault.message }).to_string()),
        };
        Response::new(status, CONTENT_TYPE, body).with_header(REQUEST_ID, random_uuid())
    }
}

/// The refusal of an operation that the service does not have.
pub(super) fn unknown_operation() -> AwsError {
    AwsError::new("UnknownOperationException", 400, "")
}

/// A signature that proves nobody, in the words of the JSON services.
pub(super) fn rejected(rejection: Rejection, service: &str) -> AwsError {
    let refused = |code, message: &str| AwsError::new(code, 400, message);
    match rejection {
        Rejection::Missing => refused("MissingAuthenticationTokenException", "Missing Authentication Token"),
        Rejection::Incomplete(what) => refused(
            "IncompleteSignatureException",
            &format!("Authorization header requires '{what}' parameter, which is missing or cannot be read."),
        ),
        Rejection::UnknownKey => {
            refused("UnrecognizedClientException", "The security token included in the request is invalid.")
        }
        Rejection::Expired => refused("ExpiredTokenException", "The security token included in the request is expired"),
        Rejection::WrongService => refused(
            "InvalidSignatureException",
            &format!("Credential should be scoped to correct service: '{service}'. "),
        ),
        Rejection::TooOld { signed, earliest, now } => refused(
            "InvalidSignatureException",
            &format!("Signature expired: {signed} is now earlier than {earliest} ({now} - 5 min.)"),
        ),
        Rejection::TooNew { signed, latest, now } => refused(
            "InvalidSignatureException",
            &format!("Signature not yet current: {signed} is still later than {latest} ({now} + 5 min.)"),
        ),
        Rejection::Mismatch => refused(
            "InvalidSignatureException",
            "The request signature we calculated does not match the signature you provided. Check your AWS Secret \
             Access Key and signing method. Consult the service documentation for details.",
        ),
    }
}

/// What a service answers instead of a result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct AwsError {
    pub code: &'static str,
    pub status: u16,
    pub message: String,
}

impl AwsError {
    pub(super) fn new(code: &'static str, status: u16, message: impl Into<String>) -> Self {
        AwsError { code, status, message: message.into() }
    }

    /// `InvalidIdentityToken`, 400.
    pub(super) fn invalid_token(message: impl Into<String>) -> Self {
        AwsError::new("InvalidIdentityToken", 400, message)
    }

    /// The sentence STS has for a token that fails without a reason it would name: audience, signature, algorithm.
    pub(super) fn not_validated() -> Self {
        AwsError::invalid_token(
            "The web identity token provided could not be validated. \
             See the AssumeRoleWithWebIdentity documentation for requirements.",
        )
    }

    /// The sentence for keys that could not be had, and for a `kid` that is not among them. The two blanks are STS's.
    pub(super) fn no_verification_key() -> Self {
        AwsError::invalid_token(
            "Couldn't retrieve verification key from your identity provider,  \
             please reference AssumeRoleWithWebIdentity documentation for requirements",
        )
    }

    /// `ValidationError`, 400.
    pub(super) fn validation(message: impl Into<String>) -> Self {
        AwsError::new("ValidationError", 400, message)
    }

    /// The one sentence for a web identity that the role does not let in, whatever the reason.
    pub(super) fn not_authorized(action: &str) -> Self {
        AwsError::new("AccessDenied", 403, format!("Not authorized to perform {action}"))
    }

    /// A failure of the service's own.
    pub(super) fn internal(message: impl Into<String>) -> Self {
        AwsError::new("InternalFailure", 500, message)
    }
}
