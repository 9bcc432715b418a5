//! `BatchGetSecretValue`: many values in one answer, each secret's refusal beside the others' values.

use serde_json::{Map, Value, json};

use super::list::{filters, passes};
use super::{Call, Fault, SecretsManager};

const MOST: usize = 20;

impl SecretsManager {
    pub(super) fn batch_get_secret_value(&self, call: &Call<'_>) -> Result<Value, Fault> {
        self.check_unscoped(call, "BatchGetSecretValue")?;
        let ids: Vec<String> = match call.input.get("SecretIdList").and_then(Value::as_array) {
            Some(ids) => ids.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
            None => {
                self.check_unscoped(call, "ListSecrets")?;
                let filters = filters(call)?;
                let secrets = self.store.of_region(call.region).into_iter();
                let listed = secrets.filter(|secret| secret.deleted.is_none() && passes(secret, &filters));
                listed.map(|secret| secret.arn).take(MOST).collect()
            }
        };
        if ids.len() > MOST {
            return Err(Fault::new("InvalidParameterException", 400, "SecretIdList holds more than 20 secrets."));
        }
        let (mut values, mut errors) = (Vec::new(), Vec::new());
        for id in ids {
            let input = Map::from_iter([("SecretId".to_owned(), Value::from(id.clone()))]);
            let one = Call { caller: call.caller, region: call.region, input: &input };
            match self.get_secret_value(&one) {
                Ok(value) => values.push(value),
                Err(fault) => {
                    errors.push(json!({ "SecretId": id, "ErrorCode": fault.code, "Message": fault.message }));
                }
            }
        }
        Ok(json!({ "SecretValues": values, "Errors": errors }))
    }
}
