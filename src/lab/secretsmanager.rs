//! Secrets Manager: AWS's JSON 1.1 protocol, with KMS behind it.

mod authorize;
mod read;
mod store;
mod write;

use std::sync::Arc;

use serde_json::{Map, Value};

use super::json_protocol::AwsError;
use super::json_protocol::{JsonProtocol, unknown_operation};
use super::server::{Request, Response, Service};
use super::session::{Account, Caller};
use store::Store;

const PROTOCOL: JsonProtocol =
    JsonProtocol { service: "secretsmanager", target: "secretsmanager.", message: "Message" };

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
    fn required(&self, name: &str) -> Result<&str, AwsError> {
        self.text(name).filter(|text| !text.is_empty()).ok_or_else(|| {
            let member = format!("{}{}", name[..1].to_lowercase(), &name[1..]);
            AwsError::new(
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

    fn act(&self, request: &Request) -> Result<Value, AwsError> {
        let (action, sender, input) = PROTOCOL.read(request, &self.account)?;
        let call = Call { caller: &sender.caller, region: &sender.region, input: &input };
        match action.as_str() {
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
            "GetResourcePolicy" => self.get_resource_policy(&call),
            "PutResourcePolicy" => self.put_resource_policy(&call),
            "DeleteResourcePolicy" => self.delete_resource_policy(&call),
            "CancelRotateSecret" => self.cancel_rotate_secret(&call),
            "GetRandomPassword" => self.get_random_password(&call),
            _ => Err(unknown_operation()),
        }
    }
}

impl Service for SecretsManager {
    async fn answer(&self, request: Request) -> Response {
        PROTOCOL.answer(self.act(&request))
    }
}
