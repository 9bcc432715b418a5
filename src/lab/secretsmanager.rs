//! Secrets Manager: AWS's JSON 1.1 protocol, with KMS behind it.

mod authorize;
mod batch;
mod list;
mod read;
mod rotate;
mod stages;
mod store;
mod write;

use std::sync::Arc;
use std::time::Duration;

use http::{HeaderName, Method};
use serde_json::{Map, Value, json};

use super::clock;
use super::fault::Fault;
use super::keys::random_uuid;
use super::server::{Answer, Received, Service};
use super::session::{Account, Caller};
use super::sigv4::{self, Rejection};
use store::Store;

const CONTENT_TYPE: &str = "application/x-amz-json-1.1";
const REQUEST_ID: HeaderName = HeaderName::from_static("x-amzn-requestid");
const TARGET: &str = "secretsmanager.";
/// How far a signature's time may be off.
const SIGNATURE_WINDOW: Duration = Duration::from_secs(5 * 60);

/// The Secrets Manager of one lab. One endpoint serves all regions: a request is for the region it is signed for.
pub(super) struct SecretsManager {
    account: Arc<Account>,
    store: Store,
}

/// A request whose sender is known.
struct Call<'a> {
    caller: &'a Caller,
    region: &'a str,
    input: &'a Map<String, Value>,
}

impl Call<'_> {
    /// A text among the input's members.
    fn text(&self, name: &str) -> Option<&str> {
        self.input.get(name).and_then(Value::as_str)
    }

    /// A text that must be there.
    fn required(&self, name: &str) -> Result<&str, Fault> {
        self.text(name).filter(|text| !text.is_empty()).ok_or_else(|| {
            let member = format!("{}{}", name[..1].to_lowercase(), &name[1..]);
            Fault::new(
                "ValidationException",
                400,
                format!(
                    "1 validation error detected: Value null at '{member}' failed to satisfy constraint: \
                     Member must not be null"
                ),
            )
        })
    }
}

impl SecretsManager {
    pub(super) fn new(account: Arc<Account>) -> Self {
        let store = Store::new(&account.world());
        SecretsManager { account, store }
    }

    fn act(&self, request: &Received) -> Result<Value, Fault> {
        let action = request.header("x-amz-target").strip_prefix(TARGET).unwrap_or_default();
        if request.method != Method::POST || action.is_empty() {
            return Err(unknown_operation());
        }
        let sender = sigv4::authenticate(request, &self.account, "secretsmanager", SIGNATURE_WINDOW, clock::time())
            .map_err(rejected)?;
        let Ok(Value::Object(input)) = serde_json::from_slice(&request.body) else {
            return Err(Fault::new("SerializationException", 400, "The request body is not a JSON object"));
        };
        let call = Call { caller: &sender.caller, region: &sender.region, input: &input };
        match action {
            "ListSecrets" => self.list_secrets(&call),
            "GetSecretValue" => self.get_secret_value(&call),
            "BatchGetSecretValue" => self.batch_get_secret_value(&call),
            "DescribeSecret" => self.describe_secret(&call),
            "CreateSecret" => self.create_secret(&call),
            "PutSecretValue" => self.put_secret_value(&call),
            "UpdateSecret" => self.update_secret(&call),
            "DeleteSecret" => self.delete_secret(&call),
            "RestoreSecret" => self.restore_secret(&call),
            "ListSecretVersionIds" => self.list_secret_version_ids(&call),
            "UpdateSecretVersionStage" => self.update_secret_version_stage(&call),
            "RotateSecret" => self.rotate_secret(&call),
            "CancelRotateSecret" => self.cancel_rotate_secret(&call),
            "GetRandomPassword" => self.get_random_password(&call),
            _ => Err(unknown_operation()),
        }
    }
}

impl Service for SecretsManager {
    async fn answer(&self, request: Received) -> Answer {
        let (status, body) = match self.act(&request) {
            Ok(output) => (200, output),
            Err(fault) => (fault.status, json!({ "__type": fault.code, "Message": fault.message })),
        };
        Answer::new(status, CONTENT_TYPE, body.to_string()).with_header(REQUEST_ID, random_uuid())
    }
}

fn unknown_operation() -> Fault {
    Fault::new("UnknownOperationException", 400, "")
}

/// A signature that proves nobody, in the words of the JSON services.
fn rejected(rejection: Rejection) -> Fault {
    let refused = |code, message: &str| Fault::new(code, 400, message);
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
        Rejection::WrongService => {
            refused("InvalidSignatureException", "Credential should be scoped to correct service: 'secretsmanager'. ")
        }
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
