//! Whose administrator's credentials are used where a command acts, or reads, on the cloud's own side.

use std::path::PathBuf;

use clap::Args;

use super::exit::CliError;
use super::lab_folder::LabFolder;
use super::settings;
use crate::domain::ids::Cloud;
use crate::domain::profile::{Operator, Profile, SecretSource};
use crate::lab::Lab;

/// The variables that name an Azure operator: none that Azure's own tools read, as those are the workload's.
/// What gcloud reads an access token from.
pub(super) const ACCESS_TOKEN_FILE: &str = "CLOUDSDK_AUTH_ACCESS_TOKEN_FILE";
const TENANT_ID: &str = "TRUSTLINE_OPERATOR_TENANT_ID";
const CLIENT_ID: &str = "TRUSTLINE_OPERATOR_CLIENT_ID";
const CLIENT_SECRET_FILE: &str = "TRUSTLINE_OPERATOR_CLIENT_SECRET_FILE";

/// As whom to act on the cloud's own side.
#[derive(Clone, Debug, Default, Args)]
pub(super) struct OperatorArgs {
    /// Be the operator by this profile of the AWS CLI's files, instead of the variables' keys or the default profile
    #[arg(long, value_name = "NAME")]
    operator_profile: Option<String>,
    /// Be the operator as this application, instead of the Azure CLI's user
    #[arg(long, value_name = "ID")]
    operator_client_id: Option<String>,
    /// The variable that holds that application's client secret
    #[arg(long, value_name = "NAME", group = "operator_secret", requires = "operator_client_id")]
    operator_secret_env: Option<String>,
    /// The file that holds that application's client secret
    #[arg(long, value_name = "FILE", group = "operator_secret", requires = "operator_client_id")]
    operator_secret_file: Option<PathBuf>,
}

/// Whether the cloud's own side is read too, and as whom.
#[derive(Clone, Debug, Default, Args)]
pub(super) struct ReadArgs {
    /// Read the cloud's own side too, with the operator's credentials, and change nothing
    #[arg(long)]
    operator: bool,
    #[command(flatten)]
    who: OperatorArgs,
}

impl ReadArgs {
    /// With whose credentials the cloud's own side is to be read, where that is asked for.
    ///
    /// # Errors
    /// As [`OperatorArgs::operator`].
    pub(super) fn operator(&self, profile: &Profile) -> Result<Option<Operator>, CliError> {
        self.is_asked().then(|| self.who.operator(profile)).transpose()
    }

    /// Whether the cloud's own side is to be read.
    pub(super) fn is_asked(&self) -> bool {
        self.operator || self.who.names_one()
    }

    /// The same in a lab, whose administrator it is where nobody is named.
    ///
    /// # Errors
    /// As [`OperatorArgs::operator`].
    pub(super) fn operator_in_lab(
        &self,
        profile: &Profile,
        lab: &Lab,
        folder: &LabFolder,
    ) -> Result<Option<Operator>, CliError> {
        Ok(match self.operator(profile)? {
            Some(_) if !self.who.names_one() => Some(lab_administrator(profile, lab, folder)),
            named => named,
        })
    }
}

impl OperatorArgs {
    /// Whether one of the flags names an operator.
    pub(super) fn names_one(&self) -> bool {
        self.operator_profile.is_some() || self.operator_client_id.is_some()
    }

    /// The operator of a profile's cloud.
    ///
    /// # Errors
    /// The flags are for the other cloud, or name an application without its secret.
    pub(super) fn operator(&self, profile: &Profile) -> Result<Operator, CliError> {
        self.operator_among(profile.guide.cloud(), &settings::variable)
    }

    fn operator_among(&self, cloud: Cloud, variable: &dyn Fn(&str) -> Option<String>) -> Result<Operator, CliError> {
        if cloud == Cloud::Gcp {
            if self.names_one() {
                let hint = "leave it out: whoever is signed in to gcloud is the operator, or the access token in the file that CLOUDSDK_AUTH_ACCESS_TOKEN_FILE names";
                return Err(
                    CliError::new("the flag is for another cloud, and this profile is for Google").with_hint(hint)
                );
            }
            let token_file = variable(ACCESS_TOKEN_FILE).filter(|path| !path.is_empty()).map(Into::into);
            return Ok(Operator::Google { token_file });
        }
        if cloud == Cloud::Aws {
            return match &self.operator_client_id {
                Some(_) => Err(CliError::new("--operator-client-id is for Azure, and this profile is for AWS")),
                None => Ok(Operator::Aws { profile: self.operator_profile.clone(), file: None }),
            };
        }
        if self.operator_profile.is_some() {
            return Err(CliError::new("--operator-profile is for AWS, and this profile is for Azure"));
        }
        let set = |name| variable(name).filter(|value| !value.is_empty());
        let own = match (&self.operator_secret_env, &self.operator_secret_file) {
            (Some(name), _) => Some(SecretSource::Env(name.clone())),
            (None, Some(path)) => Some(SecretSource::File(path.clone())),
            (None, None) => None,
        };
        let secret = own.or_else(|| set(CLIENT_SECRET_FILE).map(|path| SecretSource::File(path.into())));
        match (self.operator_client_id.clone().or_else(|| set(CLIENT_ID)), secret) {
            (Some(client_id), Some(secret)) => {
                // The directory that the variables name is that of the application that they name.
                let is_variables = self.operator_client_id.is_none();
                let tenant_id = set(TENANT_ID).filter(|_| is_variables);
                Ok(Operator::AzureApplication { client_id, secret, tenant_id })
            }
            (None, _) => Ok(Operator::AzureCli),
            (Some(client_id), None) => Err(CliError::new(format!(
                "the operator {client_id} is named without its client secret"
            ))
            .with_hint(format!("name it with --operator-secret-file, --operator-secret-env or {CLIENT_SECRET_FILE}"))),
        }
    }
}

/// The administrator of a lab, for whatever cloud its profile is of.
pub(super) fn lab_administrator(profile: &Profile, lab: &Lab, folder: &LabFolder) -> Operator {
    match profile.guide.cloud() {
        Cloud::Azure => Operator::AzureApplication {
            client_id: lab.operator.client_id.clone(),
            secret: SecretSource::File(folder.operator_client_secret_file()),
            tenant_id: None,
        },
        Cloud::Gcp => Operator::Google { token_file: Some(folder.operator_google_token_file()) },
        Cloud::Aws => {
            Operator::Aws { profile: Some("operator".to_owned()), file: Some(folder.operator_credentials_file()) }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(cloud: Cloud, args: &OperatorArgs, set: &[(&str, &str)]) -> Result<Operator, String> {
        let variable = |name: &str| set.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned());
        args.operator_among(cloud, &variable).map_err(|error| error.message)
    }

    #[test]
    fn an_operator_is_named_by_flags_before_variables() {
        let variables = [(CLIENT_ID, "app"), (CLIENT_SECRET_FILE, "/secret")];
        let of_tenant = |id: &str, secret, tenant: Option<&str>| Operator::AzureApplication {
            client_id: id.into(),
            secret,
            tenant_id: tenant.map(str::to_owned),
        };
        let application = |id: &str, secret| of_tenant(id, secret, None);
        let nobody = OperatorArgs::default();
        let file = || SecretSource::File("/secret".into());
        assert_eq!(named(Cloud::Azure, &nobody, &[]), Ok(Operator::AzureCli));
        assert_eq!(named(Cloud::Azure, &nobody, &variables), Ok(application("app", file())));
        let with_tenant = [variables[0], variables[1], (TENANT_ID, "t")];
        assert_eq!(named(Cloud::Azure, &nobody, &with_tenant), Ok(of_tenant("app", file(), Some("t"))));
        assert_eq!(named(Cloud::Aws, &nobody, &variables), Ok(Operator::Aws { profile: None, file: None }));
        let other = OperatorArgs { operator_client_id: Some("other".into()), ..OperatorArgs::default() };
        assert_eq!(named(Cloud::Azure, &other, &variables), Ok(application("other", file())));
        let own = OperatorArgs { operator_secret_env: Some("SECRET".into()), ..other.clone() };
        let by_variable = application("other", SecretSource::Env("SECRET".into()));
        assert_eq!(named(Cloud::Azure, &own, &variables), Ok(by_variable));
        assert!(named(Cloud::Azure, &other, &[]).unwrap_err().contains("without its client secret"));
        assert!(named(Cloud::Aws, &other, &[]).is_err());
        let profile = OperatorArgs { operator_profile: Some("admin".into()), ..OperatorArgs::default() };
        assert!(named(Cloud::Azure, &profile, &[]).is_err());
    }
}
