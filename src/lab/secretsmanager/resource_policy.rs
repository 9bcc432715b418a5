//! The policy that hangs on a secret: `GetResourcePolicy`, `PutResourcePolicy`, `DeleteResourcePolicy`.

use serde_json::{Value, json};

use super::read::not_deleted;
use super::{Call, Fault, SecretsManager};
use crate::lab::iam;

impl SecretsManager {
    pub(super) fn get_resource_policy(&self, call: &Call<'_>) -> Result<Value, Fault> {
        let secret = self.admit(call, "GetResourcePolicy")?;
        let mut answer = json!({ "ARN": secret.arn, "Name": secret.name });
        if let Some(policy) = secret.resource_policy {
            answer["ResourcePolicy"] = policy.into();
        }
        Ok(answer)
    }

    pub(super) fn put_resource_policy(&self, call: &Call<'_>) -> Result<Value, Fault> {
        let secret = self.admit(call, "PutResourcePolicy")?;
        not_deleted(&secret)?;
        let policy = call.required("ResourcePolicy")?;
        if !iam::is_policy(policy) {
            return Err(Fault::new("MalformedPolicyDocumentException", 400, "This resource policy is not valid JSON."));
        }
        self.store.change(&secret.arn, |secret| secret.resource_policy = Some(policy.to_owned()));
        Ok(json!({ "ARN": secret.arn, "Name": secret.name }))
    }

    pub(super) fn delete_resource_policy(&self, call: &Call<'_>) -> Result<Value, Fault> {
        let secret = self.admit(call, "DeleteResourcePolicy")?;
        self.store.change(&secret.arn, |secret| secret.resource_policy = None);
        Ok(json!({ "ARN": secret.arn, "Name": secret.name }))
    }
}
