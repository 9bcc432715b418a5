//! The steps that read the cloud's own side with the operator's credentials.

use std::time::Duration;

use futures_util::future::{OptionFuture, join_all};

use super::operator_google::GoogleSeen;
use crate::check::facts::Facts;
use crate::check::facts::aws::{AccessKeyFact, Caller, FoundKey, KeyKind};
use crate::check::facts::cluster::ClusterSide;
use crate::check::facts::operator::{
    AccessKeyInForce, AuthorizationSide, OperatorFacts, PoliciesSide, ProviderSide, Read, RoleInForce, SecretSide,
};
use crate::check::facts::operator_azure::{ApplicationFact, RightsFact, VaultSettingsFact};
use crate::check::facts::secret::Call;
use crate::check::step::Step;
use crate::domain::guide::Flow;
use crate::domain::issuer::provider_arn;
use crate::domain::keyvault::SecretName;
use crate::domain::profile::key::Key;
use crate::domain::profile::{Operator, Profile};
use crate::probe::aws::{AwsTarget, Session};
use crate::probe::azure::{AzureTarget, OperatorSession};
use crate::probe::cluster;
use crate::probe::google::GoogleSession;
use crate::probe::http::HttpStack;

/// What is left of a run's time once its reads have ended.
const MARGIN: Duration = Duration::from_secs(1);

/// What the operator's credentials open, for as long as the run lasts.
#[derive(Clone, Default)]
pub struct OperatorCredentials {
    pub aws: Option<Session>,
    pub azure: Option<OperatorSession>,
    pub google: Option<GoogleSession>,
}

/// What a step may use.
pub struct OperatorInput<'a> {
    pub profile: &'a Profile,
    pub facts: &'a Facts,
    pub credentials: &'a OperatorCredentials,
    /// What the workload's own access key opens.
    pub workload: Option<&'a Session>,
    /// What is left of the run's time.
    pub left: Duration,
}

/// What one of the steps brought.
pub enum OperatorOutput {
    /// Where the credentials come from and what they open, or why there are none.
    AwsKey(Result<(String, Session), String>),
    AwsCaller(Call<Caller>),
    AwsProvider(ProviderSide),
    AwsRole(Read<RoleInForce>),
    AwsAccessKey(Read<AccessKeyInForce>),
    AwsPolicies(PoliciesSide),
    AwsAuthorizations(Vec<AuthorizationSide>),
    AwsSecret(SecretSide),
    /// The session and whose it is, or why there is none.
    AzureSignIn(Result<(OperatorSession, String), String>),
    AzureApplication(Box<ApplicationFact>),
    AzureVault(Box<VaultSettingsFact>),
    AzureRights(Box<RightsFact>),
    Google(Box<GoogleSeen>),
    Cluster(Box<ClusterSide>),
}

impl OperatorOutput {
    /// Puts it where it belongs.
    pub fn learn(self, facts: &mut OperatorFacts, credentials: &mut OperatorCredentials) {
        match self {
            OperatorOutput::AwsKey(found) => {
                facts.aws.credentials = Some(found.map(|(source, session)| {
                    credentials.aws = Some(session);
                    source
                }));
            }
            OperatorOutput::AwsCaller(call) => facts.aws.caller = Some(call),
            OperatorOutput::AwsProvider(side) => facts.aws.provider = Some(side),
            OperatorOutput::AwsRole(read) => facts.aws.role = Some(read),
            OperatorOutput::AwsAccessKey(read) => facts.aws.access_key = Some(read.without_exchange()),
            OperatorOutput::AwsPolicies(side) => facts.aws.policies = Some(side),
            OperatorOutput::AwsAuthorizations(sides) => facts.aws.authorizations = sides,
            OperatorOutput::AwsSecret(side) => facts.aws.secret = Some(side),
            OperatorOutput::AzureSignIn(signed_in) => {
                facts.azure.identity = Some(signed_in.map(|(session, identity)| {
                    credentials.azure = Some(session);
                    identity
                }));
            }
            OperatorOutput::AzureApplication(fact) => facts.azure.application = Some(*fact),
            OperatorOutput::AzureVault(fact) => facts.azure.vault = Some(*fact),
            OperatorOutput::AzureRights(fact) => facts.azure.rights = Some(*fact),
            OperatorOutput::Cluster(side) => facts.cluster = Some(*side),
            OperatorOutput::Google(seen) => seen.learn(&mut facts.google, &mut credentials.google),
        }
    }
}

/// Reads the cluster's side of the pods that the profile means, or else of those whose token it is.
pub async fn in_cluster(input: &OperatorInput<'_>) -> Option<OperatorOutput> {
    let subject = input.facts.claims().and_then(|claims| claims.get("sub")?.as_str());
    let of_token = subject.and_then(|subject| subject.strip_prefix("system:serviceaccount:")?.split_once(':'));
    let named = |key| input.profile.workload.get(&key).map(String::as_str);
    let namespace = named(Key::KubernetesNamespace).or(of_token.map(|(namespace, _)| namespace))?;
    let account = named(Key::KubernetesServiceAccount).or(of_token.map(|(_, account)| account))?;
    let side = cluster::observe(namespace, account, time_to_read(input.left)).await;
    Some(OperatorOutput::Cluster(Box::new(side)))
}

/// Performs one of the steps at AWS; nothing where it has nothing to work with.
pub async fn at_aws(step: Step, input: &OperatorInput<'_>, aws: &AwsTarget) -> Option<OperatorOutput> {
    let profile = input.profile;
    if step == Step::AwsOperatorKey {
        let Some(Operator::Aws { profile, file }) = &profile.operator else { return None };
        return Some(OperatorOutput::AwsKey(aws.operator(profile.as_deref(), file.as_deref()).await));
    }
    let (session, left) = (input.credentials.aws.as_ref()?, time_to_read(input.left));
    match step {
        Step::AwsOperator => Some(OperatorOutput::AwsCaller(aws.caller_identity(session).await)),
        Step::AwsOidcProvider => {
            let of_token = input.facts.claims().and_then(|claims| claims.get("iss")?.as_str());
            let predicted = || input.facts.predicted_claims()?.claims.get("iss")?.as_str();
            let issuer = of_token.or_else(predicted).or(profile.issuer_url.as_deref())?;
            let role = profile.aws.role_arn.as_ref()?;
            let arn = provider_arn(issuer, &role.partition, &role.account);
            Some(OperatorOutput::AwsProvider(aws.read_provider(session, issuer, &arn, left).await))
        }
        Step::AwsRole => {
            let role = profile.aws.role_arn.as_ref()?;
            Some(OperatorOutput::AwsRole(aws.read_role(session, role.name(), left).await))
        }
        // A session's key is nobody's in IAM.
        Step::AwsAccessKeyOwner => {
            let AccessKeyFact::Found(FoundKey { kind: KeyKind::LongTerm | KeyKind::Unknown, .. }) =
                input.facts.aws.access_key.as_ref()?
            else {
                return None;
            };
            let id = input.workload?.access_key_id();
            Some(OperatorOutput::AwsAccessKey(aws.read_access_key(session, id, left).await))
        }
        Step::AwsRolePermissions => {
            let signing = signing_user(input.facts);
            let first = profile.aws.role_arn.as_ref().map(ToString::to_string);
            let (reader, caller) = match profile.guide.flow() {
                Flow::AccessKey => (signing?, None),
                Flow::AssumeRole => (first?, signing),
                Flow::TokenExchange => match &profile.aws.target_role_arn {
                    Some(target) => (target.to_string(), first),
                    None => (first?, None),
                },
            };
            let caller = OptionFuture::from(caller.as_deref().map(|arn| aws.read_principal(session, arn, left)));
            let (reader, caller) = tokio::join!(aws.read_principal(session, &reader, left), caller);
            Some(OperatorOutput::AwsPolicies(PoliciesSide { reader, caller }))
        }
        Step::AwsAuthorization => {
            let ids = input.facts.aws.authorization_ids();
            let sides = join_all(ids.iter().map(|id| aws.read_authorization(session, id, left))).await;
            Some(OperatorOutput::AwsAuthorizations(sides))
        }
        Step::AwsSecretSettings => {
            let secret = profile.secret.as_ref()?;
            Some(OperatorOutput::AwsSecret(aws.read_secret(session, secret, left).await))
        }
        _ => None,
    }
}

/// The reads end a little before the run does, which would cut them off with all that they have.
pub(super) fn time_to_read(left: Duration) -> Duration {
    left.saturating_sub(MARGIN.min(left / 10))
}

/// The user whose access key signs, as STS said.
fn signing_user(facts: &Facts) -> Option<String> {
    Some(facts.aws.caller.as_ref()?.granted()?.arn.clone())
}

/// Performs one of the steps at Azure; nothing where it has nothing to work with.
pub async fn at_azure(step: Step, input: &OperatorInput<'_>, http: &HttpStack) -> Option<OperatorOutput> {
    let (settings, facts) = (&input.profile.azure, input.facts);
    if step == Step::AzureOperator {
        let target = AzureTarget::new(http.clone(), settings)?;
        let signed_in = target.operator_session(input.profile.operator.as_ref()?, settings).await;
        return Some(OperatorOutput::AzureSignIn(signed_in));
    }
    let reader = input.credentials.azure.as_ref()?.reader(time_to_read(input.left));
    match step {
        Step::AzureApplication => {
            let client_id = settings.client_id.as_deref()?;
            Some(OperatorOutput::AzureApplication(Box::new(reader.application(client_id).await)))
        }
        Step::AzureVaultSettings => {
            let secret = input.profile.secret.as_ref().and_then(|secret| SecretName::of(&secret.name).ok());
            let secret = secret.as_ref().map(|secret| secret.name.as_str());
            Some(OperatorOutput::AzureVault(Box::new(reader.vault(settings, secret).await?)))
        }
        Step::AzureRoleAssignments => {
            let side = &facts.operator.azure;
            let access = facts.azure.access().and_then(|access| access.object_id.as_deref());
            let identity = side.reader(access, settings.client_id.as_deref());
            let rights = reader.rights(&side.vault_in_force()?.id, identity.as_ref()).await;
            Some(OperatorOutput::AzureRights(Box::new(rights)))
        }
        _ => None,
    }
}
