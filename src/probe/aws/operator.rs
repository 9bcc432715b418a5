//! An operator's credentials, found where AWS's own tools find them: variables, shared profiles, SSO, programs, metadata.

use std::path::Path;

use aws_config::BehaviorVersion;
use aws_config::profile::ProfileFileCredentialsProvider;
use aws_config::provider_config::ProviderConfig;
use aws_credential_types::provider::ProvideCredentials as _;
use aws_runtime::env_config::file::{EnvConfigFileKind, EnvConfigFiles};
use aws_sdk_secretsmanager::config::Region;

use super::{AwsTarget, Session, innermost};
use crate::probe::http::aws::connector;

impl AwsTarget {
    /// The operator's credentials: of the named shared profile, in the file that is named or in AWS's own ones, or of
    /// the default chain. A profile that is named wins over variables, as `--profile` of the AWS CLI does.
    ///
    /// # Errors
    /// None are found, or their source fails; in words.
    pub async fn operator(&self, profile: Option<&str>, file: Option<&Path>) -> Result<Session, String> {
        let client = self.http.client();
        let region = Region::new(self.region.clone());
        let provided = if let Some(name) = profile {
            let config =
                ProviderConfig::without_region().with_region(Some(region)).with_http_client(connector(&client));
            let mut provider = ProfileFileCredentialsProvider::builder().configure(&config).profile_name(name);
            if let Some(file) = file {
                let files = EnvConfigFiles::builder().with_file(EnvConfigFileKind::Credentials, file).build();
                provider = provider.profile_files(files);
            }
            provider.build().provide_credentials().await
        } else {
            let loader = aws_config::defaults(BehaviorVersion::latest()).http_client(connector(&client)).region(region);
            let config = loader.load().await;
            let provider = config.credentials_provider().ok_or("no source of AWS credentials is set up")?;
            provider.provide_credentials().await
        };
        provided.map(Session).map_err(|error| innermost(&error))
    }
}
