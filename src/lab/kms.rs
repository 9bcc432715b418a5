//! The Key Management Service, as far as an operator looks after the keys of secrets: their state and their policies.
//! What a key is used for, Secrets Manager asks of the same world.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::iam::{self, Ruling};
use super::json_protocol::AwsError;
use super::json_protocol::{JsonProtocol, unknown_operation};
use super::server::{Request, Response, Service};
use super::session::{Account, Caller};
use super::world::{AwsWorld, KeyState, KmsKey, Policy};

const PROTOCOL: JsonProtocol = JsonProtocol { service: "kms", target: "TrentService.", message: "message" };
/// The only name that a key's policy can have.
const POLICY_NAME: &str = "default";
/// For how many days a key waits for its deletion where the caller names no other number.
const LONGEST_WINDOW_DAYS: u64 = 30;

/// The KMS of one lab. One endpoint serves all regions: a request is for the region it is signed for.
pub(super) struct Kms {
    account: Arc<Account>,
}

/// A request whose sender is known.
struct Call<'a> {
    caller: &'a Caller,
    region: &'a str,
    input: &'a Map<String, Value>,
}

impl Call<'_> {
    fn text(&self, name: &str) -> Option<&str> {
        self.input.get(name).and_then(Value::as_str)
    }
}

/// A key that the caller may do what it asks to.
struct Admitted {
    /// Its name in the world.
    name: String,
    arn: String,
    key: KmsKey,
}

impl Kms {
    pub(super) fn new(account: Arc<Account>) -> Self {
        Kms { account }
    }

    fn act(&self, request: &Request) -> Result<Value, AwsError> {
        let (action, sender, input) = PROTOCOL.read(request, &self.account)?;
        let call = Call { caller: &sender.caller, region: &sender.region, input: &input };
        match action.as_str() {
            "DescribeKey" => self.describe_key(&call),
            "EnableKey" => self.enable_key(&call),
            "DisableKey" => self.disable_key(&call),
            "ScheduleKeyDeletion" => self.schedule_key_deletion(&call),
            "CancelKeyDeletion" => self.cancel_key_deletion(&call),
            "GetKeyPolicy" => self.get_key_policy(&call),
            "ListGrants" => self.list_grants(&call),
            "PutKeyPolicy" => self.put_key_policy(&call),
            _ => Err(unknown_operation()),
        }
    }

    fn describe_key(&self, call: &Call<'_>) -> Result<Value, AwsError> {
        let Admitted { arn, key, .. } = self.admit(call, "DescribeKey")?;
        let state = match key.state {
            KeyState::Enabled => "Enabled",
            KeyState::Disabled => "Disabled",
            KeyState::PendingDeletion => "PendingDeletion",
        };
        Ok(json!({ "KeyMetadata": {
            "AWSAccountId": self.account.world().account,
            "KeyId": key.id,
            "Arn": arn,
            "Enabled": key.state == KeyState::Enabled,
            "KeyState": state,
            "KeyUsage": "ENCRYPT_DECRYPT",
            "KeyManager": "CUSTOMER",
            "KeySpec": "SYMMETRIC_DEFAULT",
            "Origin": "AWS_KMS",
        }}))
    }

    fn enable_key(&self, call: &Call<'_>) -> Result<Value, AwsError> {
        let admitted = self.admit(call, "EnableKey")?;
        not_pending(&admitted)?;
        self.change(&admitted.name, |key| key.state = KeyState::Enabled);
        Ok(Value::Null)
    }

    fn disable_key(&self, call: &Call<'_>) -> Result<Value, AwsError> {
        let admitted = self.admit(call, "DisableKey")?;
        not_pending(&admitted)?;
        self.change(&admitted.name, |key| key.state = KeyState::Disabled);
        Ok(Value::Null)
    }

    fn schedule_key_deletion(&self, call: &Call<'_>) -> Result<Value, AwsError> {
        let admitted = self.admit(call, "ScheduleKeyDeletion")?;
        not_pending(&admitted)?;
        let days = call.input.get("PendingWindowInDays").map_or(Some(LONGEST_WINDOW_DAYS), Value::as_u64);
        let Some(days) = days.filter(|days| (7..=LONGEST_WINDOW_DAYS).contains(days)) else {
            return Err(AwsError::new("ValidationException", 400, "PendingWindowInDays must be between 7 and 30."));
        };
        self.change(&admitted.name, |key| key.state = KeyState::PendingDeletion);
        Ok(json!({ "KeyId": admitted.arn, "KeyState": "PendingDeletion", "PendingWindowInDays": days }))
    }

    /// A key whose deletion is cancelled is disabled.
    fn cancel_key_deletion(&self, call: &Call<'_>) -> Result<Value, AwsError> {
        let admitted = self.admit(call, "CancelKeyDeletion")?;
        if admitted.key.state != KeyState::PendingDeletion {
            return Err(invalid_state(&admitted.arn, "is not pending deletion."));
        }
        self.change(&admitted.name, |key| key.state = KeyState::Disabled);
        Ok(json!({ "KeyId": admitted.arn }))
    }

    fn get_key_policy(&self, call: &Call<'_>) -> Result<Value, AwsError> {
        let admitted = self.admit(call, "GetKeyPolicy")?;
        named_default(call)?;
        Ok(json!({ "Policy": admitted.key.policy.text(), "PolicyName": POLICY_NAME }))
    }

    /// The lab's keys have no grants.
    fn list_grants(&self, call: &Call<'_>) -> Result<Value, AwsError> {
        self.admit(call, "ListGrants")?;
        Ok(json!({ "Grants": [], "Truncated": false }))
    }

    /// A policy that would keep its own writer from changing it again is refused, unless the caller insists.
    fn put_key_policy(&self, call: &Call<'_>) -> Result<Value, AwsError> {
        let admitted = self.admit(call, "PutKeyPolicy")?;
        named_default(call)?;
        let policy = call.text("Policy").unwrap_or_default();
        let malformed = |message| Err(AwsError::new("MalformedPolicyDocumentException", 400, message));
        if !iam::is_policy(policy) {
            return malformed("The new key policy is not a policy document.");
        }
        let insists = call.input.get("BypassPolicyLockoutSafetyCheck").is_some_and(|value| value == true);
        if !insists && !self.allows(call, "kms:PutKeyPolicy", &admitted.arn, policy) {
            return malformed("The new key policy will not allow you to update the key policy in the future.");
        }
        self.change(&admitted.name, |key| key.policy = Policy::Text(policy.to_owned()));
        Ok(Value::Null)
    }

    /// The key that the call names by id or ARN, if the caller may do `action` on it.
    fn admit(&self, call: &Call<'_>, action: &str) -> Result<Admitted, AwsError> {
        let wanted = call.text("KeyId").unwrap_or_default();
        let world = self.account.world();
        let found = world.keys.iter().find_map(|(name, key)| {
            let arn = key_arn(&world, key);
            let here = key.region.as_ref().unwrap_or(&world.region) == call.region;
            (here && (wanted == key.id || wanted == arn)).then(|| (name.clone(), arn, key.clone()))
        });
        let Some((name, arn, key)) = found else {
            let asked = if wanted.starts_with("arn:") {
                wanted.to_owned()
            } else {
                format!("arn:aws:kms:{}:{}:key/{wanted}", call.region, world.account)
            };
            return Err(AwsError::new("NotFoundException", 400, format!("Key '{asked}' does not exist")));
        };
        let action = format!("kms:{action}");
        if self.allows(call, &action, &arn, &key.policy.text()) {
            return Ok(Admitted { name, arn, key });
        }
        let user = self.account.arn(call.caller);
        let message = format!(
            "User: {user} is not authorized to perform: {action} on resource: {arn} because no resource-based policy \
             allows the {action} action"
        );
        Err(AwsError::new("AccessDeniedException", 400, message))
    }

    /// Whether the key's policy lets the caller, or leaves it to the account whose policies do.
    fn allows(&self, call: &Call<'_>, action: &str, arn: &str, policy: &str) -> bool {
        let mut context = call.caller.keys(&self.account);
        context.push(("kms:CallerAccount".into(), self.account.world().account.clone()));
        let identity = iam::rule(&self.account.identity_policies(call.caller), action, arn, &context);
        let own = iam::rule_by_principal(policy, &self.account, call.caller, action, Some(arn), &context);
        let denied = identity == Ruling::Denied || own.ruling == Ruling::Denied;
        !denied && own.ruling == Ruling::Allowed && (own.itself || identity == Ruling::Allowed)
    }

    fn change(&self, name: &str, change: impl FnOnce(&mut KmsKey)) {
        self.account.change(|world| world.keys.get_mut(name).map(change));
    }
}

impl Service for Kms {
    async fn answer(&self, request: Request) -> Response {
        PROTOCOL.answer(self.act(&request))
    }
}

fn key_arn(world: &AwsWorld, key: &KmsKey) -> String {
    format!("arn:aws:kms:{}:{}:key/{}", key.region.as_ref().unwrap_or(&world.region), world.account, key.id)
}

fn not_pending(admitted: &Admitted) -> Result<(), AwsError> {
    match admitted.key.state {
        KeyState::PendingDeletion => Err(invalid_state(&admitted.arn, "is pending deletion.")),
        KeyState::Enabled | KeyState::Disabled => Ok(()),
    }
}

fn invalid_state(arn: &str, what: &str) -> AwsError {
    AwsError::new("KMSInvalidStateException", 400, format!("{arn} {what}"))
}

fn named_default(call: &Call<'_>) -> Result<(), AwsError> {
    match call.text("PolicyName").unwrap_or(POLICY_NAME) {
        POLICY_NAME => Ok(()),
        name => Err(AwsError::new("NotFoundException", 400, format!("No such policy exists: {name}"))),
    }
}
