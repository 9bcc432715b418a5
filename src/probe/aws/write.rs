//! Writing a secret's new version, and making an earlier one current again. With an operator's credentials.

use super::{AwsTarget, Session, foreign, refused, value_of};
use crate::check::facts::cloud::{Answer, Call};
use crate::domain::rotation::snapshot::CURRENT;
use crate::domain::secret_ref::SecretRef;
use crate::probe::new_value::NewValue;

impl AwsTarget {
    /// `PutSecretValue`: the value becomes the current version; yields its id. Of `name#key` only the field is replaced,
    /// after the document has been read.
    pub async fn put_secret_value(&self, session: &Session, secret: &SecretRef, value: &NewValue) -> Call<String> {
        let client = self.http.client();
        let document = match &secret.json_key {
            None => Ok(value.to_text()),
            Some(key) => {
                let read = self.secrets(&client, session).get_secret_value().secret_id(&secret.name).send().await;
                match read {
                    Ok(mut output) => value_of(&mut output)
                        .with_new(key, value)
                        .map_err(|error| Answer::NotSent { detail: error.to_string() }),
                    Err(error) => Err(refused(error)),
                }
            }
        };
        let answer = match document {
            Ok(text) => {
                let request = self.secrets(&client, session).put_secret_value().secret_id(&secret.name);
                match request.secret_string(text.as_str()).send().await {
                    Ok(output) => {
                        output.version_id().map_or_else(|| foreign("version"), |id| Answer::Granted(id.to_owned()))
                    }
                    Err(error) => refused(error),
                }
            }
            Err(answer) => answer,
        };
        self.call(&client, answer)
    }

    /// `UpdateSecretVersionStage`: moves `AWSCURRENT` from one version to another.
    pub async fn move_current(&self, session: &Session, secret: &SecretRef, from: &str, to: &str) -> Call<()> {
        let client = self.http.client();
        let request = self.secrets(&client, session).update_secret_version_stage().secret_id(&secret.name);
        let request = request.version_stage(CURRENT).remove_from_version_id(from).move_to_version_id(to);
        let answer = match request.send().await {
            Ok(_) => Answer::Granted(()),
            Err(error) => refused(error),
        };
        self.call(&client, answer)
    }
}
