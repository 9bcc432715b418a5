//! An operator's credentials, found where AWS's own tools find them: variables, shared profiles, SSO, programs, metadata.

use aws_config::BehaviorVersion;
use aws_credential_types::provider::ProvideCredentials as _;
use aws_sdk_secretsmanager::config::Region;

use super::{AwsTarget, Session, innermost};
use crate::probe::http::aws::connector;

impl AwsTarget {
    /// The operator's credentials: of the named shared profile, or of the default chain.
    ///
    /// # Errors
    /// None are found, or their source fails; in words.
    pub async fn operator(&self, profile: Option<&str>) -> Result<Session, String> {
        let client = self.http.client();
        let mut loader = aws_config::defaults(BehaviorVersion::latest())
            .http_client(connector(&client))
            .region(Region::new(self.region.clone()));
        if let Some(name) = profile {
            // A profile that is named wins over variables, as `--profile` of the AWS CLI does.
            let credentials = aws_config::profile::ProfileFileCredentialsProvider::builder().profile_name(name);
            loader = loader.profile_name(name).credentials_provider(credentials.build());
        }
        let config = loader.load().await;
        let provider = config.credentials_provider().ok_or("no source of AWS credentials is set up")?;
        provider.provide_credentials().await.map(Session).map_err(|error| innermost(&error))
    }
}
