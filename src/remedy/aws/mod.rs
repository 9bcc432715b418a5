//! The fixes of AWS: each a script for the AWS CLI.

mod access_key;
mod kms;
mod meant;
mod permissions;
mod provider;
mod role;
mod secret;
pub mod trust;

use serde_json::Value;

use super::Context;
use super::{HEAD, heredoc, variable};
use crate::cause::{Cause, Finding, Fix};
use crate::check::CheckId;
use crate::domain::ids::Cloud;
use crate::domain::profile::Profile;

/// The fixes for a finding about AWS; none where the catalogue's serve.
pub fn fixes(finding: &Finding, context: Context<'_>) -> Vec<Fix> {
    if context.profile.guide.cloud() == Cloud::Azure {
        return Vec::new();
    }
    match finding.cause {
        Cause::SubMismatch
        | Cause::SubCaseMismatch
        | Cause::ImmutableSub
        | Cause::AudMismatch
        | Cause::ClaimMismatch
        | Cause::ConditionKeyWrong
        | Cause::OperatorWrong
        | Cause::PrincipalArnWrong
        | Cause::ActionMissing
        | Cause::TagSessionMissing
        | Cause::WrongFlow
        | Cause::WrongAccount
        | Cause::WrongPartition
        | Cause::TrustTooWide
        | Cause::ExternalId => trust::fixes(finding, context),
        Cause::AssumeRoleDenied => or_else(trust::fixes(finding, context), || role::hop(context)),
        Cause::ExplicitDeny if !is_about_secrets(finding) => trust::fixes(finding, context),
        Cause::ProviderMissing | Cause::AudNotRegistered | Cause::Thumbprint => provider::fixes(finding, context),
        Cause::RoleMissing => role::missing(finding, context),
        Cause::SessionDuration | Cause::StsUnreachable | Cause::RoleArnMalformed => role::fixes(finding, context),
        Cause::StaticKeyWrong => access_key::fixes(context),
        Cause::EnvNotSet if finding.check == CheckId::AwsAccessKey => access_key::fixes(context),
        Cause::ExplicitDeny
        | Cause::PermissionsBoundary
        | Cause::MissingList
        | Cause::ListResourceScoped
        | Cause::MissingGet
        | Cause::SecretArnSuffix
        | Cause::VersionstageCondition => permissions::fixes(finding, context),
        Cause::MissingKms | Cause::KmsKeyState => kms::fixes(finding, context),
        Cause::SecretWrongRegion
        | Cause::SecretNotFound
        | Cause::SecretEmpty
        | Cause::SecretPendingDeletion
        | Cause::JsonKeyMissing => secret::fixes(finding, context),
        _ => Vec::new(),
    }
}

/// What was asked of Secrets Manager, rather than of STS or another cloud's store.
fn is_about_secrets(finding: &Finding) -> bool {
    [CheckId::AwsListSecrets, CheckId::AwsGetSecret, CheckId::AwsRolePermissions]
        .iter()
        .any(|check| finding.check == *check)
}

fn or_else(fixes: Vec<Fix>, others: impl FnOnce() -> Vec<Fix>) -> Vec<Fix> {
    if fixes.is_empty() { others() } else { fixes }
}

/// A piece of `assets/remedy/aws`.
macro_rules! piece {
    ($name:literal) => {
        include_str!(concat!("../../../assets/remedy/aws/", $name))
    };
}
pub(super) use piece;

/// A script on its way: variables and documents first, then what is done with them.
#[derive(Clone, Debug)]
struct Sh {
    variables: String,
    documents: String,
    body: String,
}

impl Sh {
    /// A script whose calls go to the profile's region, and to its endpoint where it names one.
    fn new(profile: &Profile) -> Self {
        let mut variables = HEAD.to_owned();
        if let Some(region) = &profile.aws.region {
            variables.push_str(&variable("AWS_REGION", Some(region), ""));
            variables.push_str("AWS_DEFAULT_REGION=$AWS_REGION\nexport AWS_REGION AWS_DEFAULT_REGION\n");
        }
        if let Some(endpoint) = &profile.aws.endpoint_url {
            variables.push_str(&variable("AWS_ENDPOINT_URL", Some(endpoint), ""));
            variables.push_str("export AWS_ENDPOINT_URL\n");
        }
        Sh { variables, documents: String::new(), body: String::new() }
    }

    /// What goes on where another script ends.
    fn rest() -> Self {
        Sh { variables: String::new(), documents: String::new(), body: String::new() }
    }

    /// The variables and the pieces alone.
    fn lines(self) -> String {
        [self.variables, self.documents, self.body].concat()
    }

    /// A variable whose value is known.
    #[must_use]
    fn with(self, name: &str, value: &str) -> Self {
        self.with_known(name, Some(value), "")
    }

    /// A variable that the reader sets where its value is not known.
    #[must_use]
    fn with_known(mut self, name: &str, value: Option<&str>, what: &str) -> Self {
        self.variables.push_str(&variable(name, value, what));
        self
    }

    /// A variable that the reader may set to something else than `value`.
    #[must_use]
    fn with_default(mut self, name: &str, value: &str) -> Self {
        self.variables.push_str(&format!("[ -n \"${{{name}:-}}\" ] || {}", variable(name, Some(value), "")));
        self
    }

    /// A document, which the pieces find in the working folder.
    #[must_use]
    fn document(mut self, name: &str, document: &Value) -> Self {
        self.documents.push_str(&heredoc(&format!("cat >\"$work/{name}\""), &pretty(document)));
        self
    }

    /// A text of the program's own, as a file of the working folder.
    #[must_use]
    fn text(mut self, name: &str, text: &str) -> Self {
        self.documents.push_str(&heredoc(&format!("cat >\"$work/{name}\""), text));
        self
    }

    /// A piece.
    #[must_use]
    fn run(mut self, piece: &str) -> Self {
        self.body.push_str(piece);
        self
    }

    /// Refuses to go on with credentials of another account.
    #[must_use]
    fn in_account(self, account: Option<&str>) -> Self {
        match account {
            Some(account) => self.with("ACCOUNT", account).run(piece!("account.sh")),
            None => self,
        }
    }

    /// The whole script.
    fn finish(self) -> String {
        [self.variables.as_str(), piece!("begin.sh"), &self.documents, &self.body].concat()
    }
}

/// A document as people write them.
fn pretty(document: &Value) -> String {
    serde_json::to_string_pretty(document).unwrap_or_default()
}
