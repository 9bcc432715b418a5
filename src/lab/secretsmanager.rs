//! Secrets Manager: AWS's JSON 1.1 protocol, with KMS behind it.

mod read;
mod store;
mod write;

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, Value, json};

use super::denials::{Denied, NamedPolicy, Requirement};
use super::iam;
use super::iam::Ruling;
use super::json_protocol::{AwsError, JsonProtocol, unknown_operation};
use super::keys::random_uuid;
use super::server::{Request, Response, Service};
use super::session::{Account, Caller, Keys};
use super::world::{DEFAULT_POLICY, KeyState};
use read::not_deleted;
use store::{Secret, Store};

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
            "ListResourcePolicies" => self.list_resource_policies(&call),
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

/// What KMS is asked to do with a secret's value.
#[derive(Clone, Copy, PartialEq, Eq)]
enum KeyUse {
    Decrypt,
    GenerateDataKey,
}

impl SecretsManager {
    /// The secret that the call names, if the caller may do `action` on it. Who may not, is told so whether or not
    /// there is such a secret.
    fn admit(&self, call: &Call<'_>, action: &str) -> Result<Secret, AwsError> {
        let id = call.required("SecretId")?;
        if id.len() > 2048 {
            return Err(AwsError::new(
                "ValidationException",
                400,
                "1 validation error detected: Value at 'secretId' failed to satisfy constraint: \
                 Member must have length less than or equal to 2048",
            ));
        }
        let secret = self.store.find(call.region, id);
        let arn = secret.as_ref().map_or_else(|| self.store.presumed_arn(call.region, id), |secret| secret.arn.clone());
        let policies: Vec<&str> =
            secret.iter().flat_map(|secret| secret.resource_policies.values().map(String::as_str)).collect();
        let context = self.context(call);
        self.check(call, action, (&arn, Some(id)), &policies, &context)?;
        secret.ok_or_else(|| {
            AwsError::new("ResourceNotFoundException", 400, "Secrets Manager can't find the specified secret.")
        })
    }

    /// An action that has no resource, and is granted on `*` only.
    fn check_unscoped(&self, call: &Call<'_>, action: &str) -> Result<(), AwsError> {
        self.check(call, action, ("*", None), &[], &self.context(call))
    }

    /// `resource` is what policies are asked about, and how the caller put it.
    fn check(
        &self,
        call: &Call<'_>,
        action: &str,
        resource: (&str, Option<&str>),
        resource_policies: &[&str],
        context: &Keys,
    ) -> Result<(), AwsError> {
        let (arn, shown) = resource;
        let action = format!("secretsmanager:{action}");
        let identity = iam::rule(&self.account.identity_policies(call.caller), &action, arn, context);
        let by_resource = resource_policies
            .iter()
            .map(|policy| iam::rule_by_principal(policy, &self.account, call.caller, &action, Some(arn), context))
            .fold(iam::Named::default(), iam::Named::beside);
        let session = session_ruling(call.caller, &action, arn, context);
        let bounds = self.account.boundary(call.caller).map(|policy| iam::rule(&[policy.text], &action, arn, context));
        let on = shown.map_or_else(String::new, |shown| format!(" on resource: {shown}"));
        let denied = |why: &str| {
            let user = self.account.arn(call.caller);
            let mut message = format!("User: {user} is not authorized to perform: {action}{on} {why}");
            if let Some(id) =
                self.authorization_id(call, (&action, arn), (resource_policies, by_resource.ruling), context)
            {
                let region = call.region;
                message.push_str(&format!(
                    ". Go to https://{region}.console.aws.amazon.com/iam/home?region={region}#/authorization-details/{id} for \
                     complete details, or call the GetRequestAuthorizationDetails API with the following authorization id: {id}"
                ));
            }
            Err(AwsError::new("AccessDeniedException", 400, message))
        };
        if identity == Ruling::Denied {
            return denied("with an explicit deny in an identity-based policy");
        }
        if by_resource.ruling == Ruling::Denied {
            return denied("with an explicit deny in a resource-based policy");
        }
        if bounds == Some(Ruling::Denied) {
            return denied("with an explicit deny in a permissions boundary");
        }
        if session == Some(Ruling::Denied) {
            return denied("with an explicit deny in a session policy");
        }
        if by_resource.session {
            return Ok(());
        }
        if identity != Ruling::Allowed && by_resource.ruling != Ruling::Allowed {
            return denied(&format!("because no identity-based policy allows the {action} action"));
        }
        // A policy of the resource that names the role itself is not bounded either, only one that names its account is.
        if bounds == Some(Ruling::Silent) && !by_resource.itself {
            return denied(&format!("because no permissions boundary allows the {action} action"));
        }
        if session == Some(Ruling::Silent) {
            return denied(&format!("because no session policy allows the {action} action"));
        }
        Ok(())
    }

    /// Writes a denial down with all that was asked about it, where denials have ids here.
    fn authorization_id(
        &self,
        call: &Call<'_>,
        (action, resource): (&str, &str),
        (resource_policies, by_resource): (&[&str], Ruling),
        context: &Keys,
    ) -> Option<String> {
        let after = Duration::from_secs(self.account.world().authorization_details_after_s?);
        let (account, caller) = (&self.account, call.caller);
        let attached_to = account.principal_arn(caller);
        let of_resource = resource_policies.iter().map(|policy| NamedPolicy {
            arn: None,
            attached_to: resource.to_owned(),
            text: iam::about_caller(policy, account, caller),
        });
        let of_session: Vec<NamedPolicy> = match caller {
            Caller::Session { session_policies, .. } => session_policies.iter(),
            Caller::User(_) => [].iter(),
        }
        .map(|text| NamedPolicy { arn: None, attached_to: attached_to.clone(), text: text.clone() })
        .collect();
        let own = account.named_identity_policies(caller);
        let bounds: Vec<NamedPolicy> = account.boundary(caller).into_iter().collect();
        let requirement = |check, kind, must_allow, policies| Requirement { check, kind, must_allow, policies };
        let (is_bounded, is_narrowed) = (!bounds.is_empty(), !of_session.is_empty());
        let requirements = vec![
            requirement("RESOURCE", "RESOURCE_BASED_POLICY", false, of_resource.collect()),
            requirement("PRINCIPAL", "IDENTITY_BASED_POLICY", by_resource != Ruling::Allowed, own),
            requirement("PERMISSIONS_BOUNDARY", "PERMISSIONS_BOUNDARY", is_bounded, bounds),
            requirement("SESSION", "SESSION_POLICY", is_narrowed, of_session),
        ];
        account.denials.add(&Denied { action, resource, region: call.region, context, requirements }, after)
    }

    /// A customer key must let the caller use it, by its own policy or, where that leaves it to the account, by the
    /// caller's; and it must be in a state to be used.
    fn check_key(&self, call: &Call<'_>, secret: &Secret, usage: KeyUse) -> Result<(), AwsError> {
        let Some(arn) = &secret.kms_key else { return Ok(()) };
        let world = self.account.world();
        let key = world.keys.values().find(|key| arn.ends_with(&format!(":key/{}", key.id)));
        let not_allowed = || AwsError::new("AccessDeniedException", 400, "Access to KMS is not allowed");
        let key = key.ok_or_else(not_allowed)?;
        let action = match usage {
            KeyUse::Decrypt => "kms:Decrypt",
            KeyUse::GenerateDataKey => "kms:GenerateDataKey",
        };
        let mut context = self.context(call);
        context.push(("kms:ViaService".into(), format!("secretsmanager.{}.amazonaws.com", call.region)));
        context.push(("kms:CallerAccount".into(), self.account.world().account.clone()));
        context.push(("kms:EncryptionContext:SecretARN".into(), secret.arn.clone()));
        let identity = iam::rule(&self.account.identity_policies(call.caller), action, arn, &context);
        let policy = key.policy.text();
        let own = iam::rule_by_principal(&policy, &self.account, call.caller, action, Some(arn), &context);
        let session = session_ruling(call.caller, action, arn, &context);
        let denied = [Some(identity), Some(own.ruling), session].contains(&Some(Ruling::Denied));
        let bounds = self.account.boundary(call.caller);
        let bounds = bounds.map(|policy| iam::rule(&[policy.text], action, arn, &context));
        let identity_grants = identity == Ruling::Allowed && bounds.is_none_or(|ruling| ruling == Ruling::Allowed);
        let denied = denied || bounds == Some(Ruling::Denied);
        let granted = own.ruling == Ruling::Allowed && (own.itself || identity_grants);
        if denied || !granted || session.is_some_and(|ruling| ruling != Ruling::Allowed) {
            return Err(not_allowed());
        }
        let (state, error) = match key.state {
            KeyState::Enabled => return Ok(()),
            KeyState::Disabled => ("is disabled.", "DisabledException"),
            KeyState::PendingDeletion => ("is pending deletion.", "KMSInvalidStateException"),
        };
        let (code, verb) = match usage {
            KeyUse::Decrypt => ("DecryptionFailure", "decrypt"),
            KeyUse::GenerateDataKey => ("EncryptionFailure", "encrypt"),
        };
        let message = format!(
            "Secrets Manager can't {verb} the secret value: {arn} {state} (Service: AWSKMS; Status Code: 400; \
             Error Code: {error}; Request ID: {}; Proxy: null)",
            random_uuid()
        );
        Err(AwsError::new(code, 400, message))
    }

    /// The condition keys of a call. The stage and version are there only where the caller names them.
    fn context(&self, call: &Call<'_>) -> Keys {
        let mut context = call.caller.keys(&self.account);
        context.push(("aws:RequestedRegion".into(), call.region.to_owned()));
        let named = [
            ("secretsmanager:SecretId", "SecretId"),
            ("secretsmanager:VersionId", "VersionId"),
            ("secretsmanager:VersionStage", "VersionStage"),
            ("secretsmanager:Name", "Name"),
        ];
        context.extend(named.iter().filter_map(|(key, member)| Some(((*key).into(), call.text(member)?.to_owned()))));
        context
    }
}

/// What the session's own policies say, where it has any.
fn session_ruling(caller: &Caller, action: &str, arn: &str, context: &Keys) -> Option<Ruling> {
    match caller {
        Caller::Session { session_policies, .. } if !session_policies.is_empty() => {
            Some(iam::rule(session_policies, action, arn, context))
        }
        _ => None,
    }
}

impl SecretsManager {
    /// The one without a name of its own stands first.
    fn list_resource_policies(&self, call: &Call<'_>) -> Result<Value, AwsError> {
        let secret = self.admit(call, "ListResourcePolicies")?;
        let (first, others): (Vec<&String>, Vec<&String>) =
            secret.resource_policies.keys().partition(|name| *name == DEFAULT_POLICY);
        let listed: Vec<Value> = first.into_iter().chain(others).map(|name| json!({ "PolicyName": name })).collect();
        Ok(json!({ "ResourcePolicies": listed }))
    }

    fn get_resource_policy(&self, call: &Call<'_>) -> Result<Value, AwsError> {
        let secret = self.admit(call, "GetResourcePolicy")?;
        let mut answer = json!({ "ARN": secret.arn, "Name": secret.name });
        if let Some(policy) = secret.resource_policies.get(policy_name(call)) {
            answer["ResourcePolicy"] = policy.as_str().into();
        }
        Ok(answer)
    }

    fn put_resource_policy(&self, call: &Call<'_>) -> Result<Value, AwsError> {
        let secret = self.admit(call, "PutResourcePolicy")?;
        not_deleted(&secret)?;
        let policy = call.required("ResourcePolicy")?;
        if !iam::is_policy(policy) {
            return Err(AwsError::new(
                "MalformedPolicyDocumentException",
                400,
                "This resource policy is not valid JSON.",
            ));
        }
        let name = policy_name(call).to_owned();
        self.store.change(&secret.arn, |secret| secret.resource_policies.insert(name, policy.to_owned()));
        Ok(json!({ "ARN": secret.arn, "Name": secret.name }))
    }

    fn delete_resource_policy(&self, call: &Call<'_>) -> Result<Value, AwsError> {
        let secret = self.admit(call, "DeleteResourcePolicy")?;
        self.store.change(&secret.arn, |secret| secret.resource_policies.remove(policy_name(call)));
        Ok(json!({ "ARN": secret.arn, "Name": secret.name }))
    }
}

/// Which of a secret's policies is meant.
fn policy_name<'a>(call: &Call<'a>) -> &'a str {
    call.input.get("PolicyName").and_then(Value::as_str).unwrap_or(DEFAULT_POLICY)
}
