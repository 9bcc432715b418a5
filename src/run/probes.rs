//! The seam between the runner and the world: what a step is given, what it yields, and the real probes behind it.

use std::future::Future;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use super::asking::{as_each_client, sent_to_aws};
use super::google::{self, GoogleOutput, GoogleSessions};
use super::operator::{self, OperatorCredentials, OperatorInput, OperatorOutput};
use super::operator_google::{OperatorGiven, at_google};
use crate::check::facts::aws::AccessKeyFact;
use crate::check::facts::aws::{AssumedRole, Caller, Located, RoleTrust};
use crate::check::facts::azure::SubscriptionFact;
use crate::check::facts::azure::{CredentialFact, ExchangeFact, VaultFact, VaultSecret, credentials_drift};
use crate::check::facts::client::ClientFact;
use crate::check::facts::deployment::DeploymentFact;
use crate::check::facts::network::{DocumentFact, KeysFact};
use crate::check::facts::secret::Call;
use crate::check::facts::secret::{SecretList, SecretRead};
use crate::check::facts::token::{SignatureFact, TokenFact};
use crate::check::facts::trust::PermissionsFact;
use crate::check::facts::trust::{Drift, TrustFact};
use crate::check::facts::{Facts, Unread};
use crate::check::step::Step;
use crate::check::token::Expectations;
use crate::domain::client::TokenSent;
use crate::domain::discovery::IssuerAddress;
use crate::domain::iam::AssumeRequest;
use crate::domain::ids::Cloud;
use crate::domain::profile::{Operator, Profile, TokenSource};
use crate::domain::signature;
use crate::domain::token::RawToken;
use crate::probe::access_key::place_of_operator_key;
use crate::probe::aws::{AwsTarget, SESSION_NAME, Session};
use crate::probe::azure::{self, AzureSession, AzureTarget, Proof};
use crate::probe::http::HttpStack;
use crate::probe::issuer::IssuerProbe;
use crate::probe::new_value::secret_source;
use crate::probe::{access_key, client, deployment, documents, token_source};

/// What the application's secret is called where it cannot be read.
const CLIENT_SECRET: &str = "the value of the application's client secret";

/// The secrets of a run, and the connections that outlast a step. They live as long as the run and are lent to the steps that
/// send them.
#[derive(Clone, Default)]
pub struct RunCredentials {
    pub token: Option<Arc<RawToken>>,
    /// As its document was fetched.
    pub issuer: Option<Arc<IssuerProbe>>,
    /// Of the exchanged token, or the access key itself.
    pub session: Option<Session>,
    /// Of the role that was assumed with it.
    pub assumed: Option<Session>,
    pub azure: Option<AzureSession>,
    pub google: GoogleSessions,
    /// Of the operator, and never taken for the workload's.
    pub operator: OperatorCredentials,
}

/// What a step may use.
#[derive(Clone)]
pub struct StepInput {
    pub profile: Arc<Profile>,
    /// What was seen when the step began.
    pub facts: Arc<Facts>,
    pub credentials: RunCredentials,
    /// What is left of the run's time.
    pub left: Duration,
}

impl StepInput {
    /// What of it the operator's steps use.
    fn as_operator(&self) -> OperatorInput<'_> {
        OperatorInput {
            profile: &self.profile,
            facts: &self.facts,
            credentials: &self.credentials.operator,
            workload: self.credentials.session.as_ref(),
            left: self.left,
        }
    }
}

/// What a step brought.
pub enum StepOutput {
    IssuerDocument(DocumentFact, Arc<IssuerProbe>),
    IssuerKeys(KeysFact),
    Token(TokenFact, Option<RawToken>),
    Client(Box<ClientFact>),
    Signature(SignatureFact),
    TrustPolicy(TrustFact),
    Credentials(CredentialFact),
    EntraExchange(Box<ExchangeFact>, Option<AzureSession>),
    VaultList(Box<VaultFact<SecretList>>),
    VaultGet(Box<VaultFact<VaultSecret>>),
    WebIdentity(Call<AssumedRole>, Option<Session>),
    AccessKey(AccessKeyFact, Option<Session>),
    AssumeRole(Call<AssumedRole>, Option<Session>),
    RoleTrust(RoleTrust),
    CallerIdentity(Call<Caller>),
    ListSecrets(Call<SecretList>),
    GetSecret(Call<SecretRead>),
    LocateSecret(Located),
    Permissions(PermissionsFact),
    Subscription(Box<SubscriptionFact>),
    Google(Box<GoogleOutput>),
    Deployment(Box<DeploymentFact>),
    Operator(Box<OperatorOutput>),
    /// The step had nothing to work with.
    Nothing,
}

impl StepOutput {
    /// Takes what was seen into the facts, and what was granted among the credentials.
    pub fn enter(self, facts: &mut Facts, credentials: &mut RunCredentials) {
        match self {
            StepOutput::IssuerDocument(fact, issuer) => {
                facts.issuer.document = Some(fact);
                credentials.issuer = Some(issuer);
            }
            StepOutput::IssuerKeys(fact) => facts.issuer.keys = Some(fact),
            StepOutput::Token(fact, raw) => {
                facts.token = Some(fact);
                credentials.token = raw.map(Arc::new);
            }
            StepOutput::Client(fact) => facts.client = Some(*fact),
            StepOutput::Signature(fact) => facts.signature = Some(fact),
            StepOutput::TrustPolicy(fact) => facts.trust = Some(fact),
            StepOutput::Credentials(fact) => facts.azure.credentials = Some(fact),
            StepOutput::EntraExchange(fact, session) => {
                facts.azure.exchange = Some(*fact);
                credentials.azure = session;
            }
            StepOutput::VaultList(fact) => facts.azure.list = Some(*fact),
            StepOutput::VaultGet(fact) => facts.azure.secret = Some(*fact),
            StepOutput::WebIdentity(call, session) => {
                facts.aws.assume_role = Some(call);
                credentials.session = session;
            }
            StepOutput::AccessKey(fact, session) => {
                facts.aws.access_key = Some(fact);
                credentials.session = session;
            }
            StepOutput::AssumeRole(call, session) => {
                facts.aws.assumed = Some(call);
                credentials.assumed = session;
            }
            StepOutput::RoleTrust(fact) => facts.aws.role_trust = Some(fact),
            StepOutput::CallerIdentity(call) => facts.aws.caller = Some(call),
            StepOutput::ListSecrets(call) => facts.aws.list = Some(call),
            StepOutput::GetSecret(call) => facts.aws.secret = Some(call),
            StepOutput::Permissions(fact) => facts.aws.permissions = Some(fact),
            StepOutput::Subscription(fact) => facts.azure.subscription = Some(*fact),
            StepOutput::Google(seen) => seen.learn(&mut facts.google, &mut credentials.google),
            StepOutput::Deployment(fact) => facts.deployment = Some(*fact),
            StepOutput::LocateSecret(located) => facts.aws.located = Some(located),
            StepOutput::Operator(seen) => seen.learn(&mut facts.operator, &mut credentials.operator),
            StepOutput::Nothing => {}
        }
    }
}

/// Performs steps. One attempt a call: trying again is the runner's.
pub trait Probes: Send + Sync + 'static {
    /// Performs one step.
    fn perform(&self, step: Step, input: StepInput) -> impl Future<Output = StepOutput> + Send;
}

/// The probes that go out into the world.
#[derive(Clone, Debug)]
pub struct NetworkProbes {
    pub http: HttpStack,
    /// The most that a program which prints a token may take.
    pub timeout: Duration,
}

/// With less time than this an operation's failure would tell nothing of the other side.
const LEAST_TIME: Duration = Duration::from_secs(1);

impl Probes for NetworkProbes {
    /// An operation ends before the run does, so that its own failure is told.
    async fn perform(&self, step: Step, input: StepInput) -> StepOutput {
        let left = input.left.max(LEAST_TIME);
        let within = NetworkProbes { http: self.http.within(left), timeout: self.timeout.min(left) };
        within.at(step, input).await
    }
}

impl NetworkProbes {
    async fn at(&self, step: Step, input: StepInput) -> StepOutput {
        match step {
            Step::IssuerDocument => self.issuer_document(&input).await,
            Step::IssuerKeys => self.issuer_keys(&input).await,
            Step::Token => self.token(&input).await,
            Step::Signature => verify(&input),
            Step::TrustPolicy if input.profile.guide.cloud() == Cloud::Azure => credentials(&input).await,
            Step::TrustPolicy if input.profile.guide.cloud() == Cloud::Gcp => self.google(step, &input).await,
            Step::TrustPolicy => trust_policy(&input).await,
            Step::GoogleExchange | Step::GoogleImpersonate | Step::GoogleList | Step::GoogleGet => {
                self.google(step, &input).await
            }
            Step::Permissions => permissions(&input).await,
            Step::Subscription => {
                let seen = azure::subscription(&self.http, &input.profile.azure).await;
                seen.map_or(StepOutput::Nothing, |fact| StepOutput::Subscription(Box::new(fact)))
            }
            Step::Client => StepOutput::Client(Box::new(client_fact(&input))),
            Step::Deployment => {
                let seen = deployment::observe_deployment(&self.http, &input.profile.deployment).await;
                seen.map_or(StepOutput::Nothing, |fact| StepOutput::Deployment(Box::new(fact)))
            }
            Step::Cluster => {
                let seen = operator::in_cluster(&input.as_operator()).await;
                seen.map_or(StepOutput::Nothing, |seen| StepOutput::Operator(Box::new(seen)))
            }
            Step::AwsOperatorKey
            | Step::AwsOperator
            | Step::AwsOidcProvider
            | Step::AwsRole
            | Step::AwsAccessKeyOwner
            | Step::AwsRolePermissions
            | Step::AwsSecretSettings
            | Step::AwsAuthorization => {
                let Some(aws) = self.aws(&input) else { return StepOutput::Nothing };
                let seen = operator::at_aws(step, &input.as_operator(), &aws).await;
                seen.map_or(StepOutput::Nothing, |seen| StepOutput::Operator(Box::new(seen)))
            }
            Step::AzureOperator | Step::AzureApplication | Step::AzureRoleAssignments | Step::AzureVaultSettings => {
                let seen = operator::at_azure(step, &input.as_operator(), &self.http).await;
                seen.map_or(StepOutput::Nothing, |seen| StepOutput::Operator(Box::new(seen)))
            }
            Step::GoogleOperator | Step::GooglePoolProvider | Step::GoogleBindings | Step::GoogleSecretSettings => {
                let given = OperatorGiven {
                    profile: &input.profile,
                    side: &input.facts.operator.google,
                    session: input.credentials.operator.google.as_ref(),
                    left: operator::time_to_read(input.left),
                };
                let seen = at_google(step, given, &self.http).await.map(|seen| OperatorOutput::Google(Box::new(seen)));
                seen.map_or(StepOutput::Nothing, |seen| StepOutput::Operator(Box::new(seen)))
            }
            Step::EntraExchange => self.entra_exchange(&input).await,
            Step::VaultList | Step::VaultGet => self.with_access(step, &input).await,
            Step::WebIdentity => self.web_identity(&input).await,
            Step::AccessKey => {
                let (fact, session) = access_key_of(&input.profile);
                StepOutput::AccessKey(fact, session)
            }
            Step::AssumeRole => self.assume_role(&input).await,
            Step::RoleTrust => {
                let caller = input.facts.aws.caller.as_ref().and_then(Call::granted);
                let trust =
                    role_trust_of(&input.profile, caller, input.facts.operator.aws.trust_of_assumed_role()).await;
                trust.map_or(StepOutput::Nothing, StepOutput::RoleTrust)
            }
            Step::CallerIdentity | Step::ListSecrets | Step::GetSecret | Step::LocateSecret => {
                self.with_session(step, &input).await
            }
        }
    }

    async fn issuer_document(&self, input: &StepInput) -> StepOutput {
        match input.profile.issuer_url.as_deref().map(IssuerAddress::clean) {
            Some(Ok(address)) => {
                let issuer = IssuerProbe::new(&self.http);
                StepOutput::IssuerDocument(issuer.document(&address).await, Arc::new(issuer))
            }
            _ => StepOutput::Nothing,
        }
    }

    async fn issuer_keys(&self, input: &StepInput) -> StepOutput {
        match (input.facts.issuer.jwks_uri(), &input.profile.issuer_url) {
            (Some(uri), Some(issuer)) => {
                let probe = input.credentials.issuer.clone().unwrap_or_else(|| Arc::new(IssuerProbe::new(&self.http)));
                StepOutput::IssuerKeys(probe.within(self.timeout).keys(uri, issuer).await)
            }
            _ => StepOutput::Nothing,
        }
    }

    async fn token(&self, input: &StepInput) -> StepOutput {
        let Some(source) = &input.profile.token else {
            return StepOutput::Nothing;
        };
        let client = self.http.client();
        let expected = Expectations::of(&input.profile);
        let options = token_source::ReadOptions {
            timeout: self.timeout,
            audience: expected.audience.as_deref(),
            client: Some(&client),
        };
        let (fact, sourced) = token_source::observe(source, &options).await;
        StepOutput::Token(fact, sourced.map(|s| s.token))
    }

    async fn web_identity(&self, input: &StepInput) -> StepOutput {
        match (self.aws(input), &input.profile.aws.role_arn, &input.credentials.token) {
            (Some(aws), Some(role), Some(token)) => {
                let as_it_is = token_of_client(&input.profile).await;
                let (call, session) = aws.assume_role_with_web_identity(role, as_it_is.as_ref().unwrap_or(token)).await;
                StepOutput::WebIdentity(call, session)
            }
            _ => StepOutput::Nothing,
        }
    }

    async fn assume_role(&self, input: &StepInput) -> StepOutput {
        match (self.aws(input), input.profile.role_to_assume(), &input.credentials.session) {
            (Some(aws), Some(role), Some(session)) => {
                let (call, assumed) = aws.assume_role(role, session).await;
                StepOutput::AssumeRole(call, assumed)
            }
            _ => StepOutput::Nothing,
        }
    }

    async fn with_session(&self, step: Step, input: &StepInput) -> StepOutput {
        // Who assumes a role reads as that role.
        let reads = step != Step::CallerIdentity && Step::AssumeRole.applies(&input.profile);
        let held = if reads { &input.credentials.assumed } else { &input.credentials.session };
        let (Some(aws), Some(session)) = (self.aws(input), held) else {
            return StepOutput::Nothing;
        };
        match (step, &input.profile.secret) {
            (Step::CallerIdentity, _) => StepOutput::CallerIdentity(aws.caller_identity(session).await),
            (Step::ListSecrets, secret) => StepOutput::ListSecrets(aws.list_secrets(session, secret.as_ref()).await),
            (Step::GetSecret, Some(secret)) => StepOutput::GetSecret(aws.get_secret(session, secret).await),
            (Step::LocateSecret, Some(secret)) => StepOutput::LocateSecret(aws.locate_secret(session, secret).await),
            _ => StepOutput::Nothing,
        }
    }

    async fn entra_exchange(&self, input: &StepInput) -> StepOutput {
        let Some(target) = AzureTarget::new(self.http.clone(), &input.profile.azure) else {
            return StepOutput::Nothing;
        };
        let (fact, session) = match (&input.credentials.token, &input.profile.azure.client_secret) {
            (Some(token), _) => {
                let as_it_is = token_of_client(&input.profile).await;
                target.exchange(Proof::Assertion(as_it_is.as_ref().unwrap_or(token))).await
            }
            (None, Some(source)) => match secret_source(source, CLIENT_SECRET).await {
                Ok(secret) => target.exchange(Proof::ClientSecret(&secret)).await,
                Err(error) => (target.without_secret(error.to_string()), None),
            },
            (None, None) => return StepOutput::Nothing,
        };
        StepOutput::EntraExchange(Box::new(fact), session)
    }

    async fn with_access(&self, step: Step, input: &StepInput) -> StepOutput {
        let target = AzureTarget::new(self.http.clone(), &input.profile.azure);
        let (Some(target), Some(session)) = (target, &input.credentials.azure) else {
            return StepOutput::Nothing;
        };
        let secret = input.profile.secret.as_ref();
        match (step, secret) {
            (Step::VaultGet, Some(secret)) => {
                let read = target.get_secret(session, secret, None).await;
                read.map_or(StepOutput::Nothing, |fact| StepOutput::VaultGet(Box::new(fact)))
            }
            (Step::VaultList, _) => {
                let listed = target.list_secrets(session, secret).await;
                listed.map_or(StepOutput::Nothing, |fact| StepOutput::VaultList(Box::new(fact)))
            }
            _ => StepOutput::Nothing,
        }
    }

    async fn google(&self, step: Step, input: &StepInput) -> StepOutput {
        let as_it_is = if step == Step::GoogleExchange { token_of_client(&input.profile).await } else { None };
        let token = as_it_is.as_ref().or(input.credentials.token.as_deref());
        let given = google::Given { profile: &input.profile, facts: &input.facts, token };
        let seen = google::perform(step, given, &input.credentials.google, &self.http).await;
        seen.map_or(StepOutput::Nothing, |seen| StepOutput::Google(Box::new(seen)))
    }

    fn aws(&self, input: &StepInput) -> Option<AwsTarget> {
        let settings = sent_to_aws(&input.profile);
        Some(AwsTarget { http: self.http.clone(), region: settings.region.clone()?, settings })
    }
}

/// The token as the client that is played sends it, where that is with all that stands around it in its file.
async fn token_of_client(profile: &Profile) -> Option<RawToken> {
    match (&profile.token, profile.acts_as?.sends_token(profile.guide.cloud())) {
        (Some(TokenSource::File(path)), TokenSent::AsIs) => token_source::as_it_is(path).await,
        _ => None,
    }
}

/// What a client finds; the operator's credentials are not the workload's.
fn client_fact(input: &StepInput) -> ClientFact {
    let of_operator = match &input.profile.operator {
        Some(Operator::Aws { profile, file }) => place_of_operator_key(profile.as_deref(), file.as_deref()),
        _ => None,
    };
    client::observe(&input.profile, of_operator.as_deref(), input.facts.now)
}

/// The access key, where the profile and the process's surroundings have one.
pub(super) fn access_key_of(profile: &Profile) -> (AccessKeyFact, Option<Session>) {
    let variables = |name: &str| std::env::var(name).ok();
    let taken = match &profile.operator {
        Some(Operator::Aws { profile, file }) => place_of_operator_key(profile.as_deref(), file.as_deref()),
        _ => None,
    };
    access_key::observe(&profile.aws, &access_key::Surroundings { variables: &variables, taken })
}

/// What the trust policy at hand says to the caller, as far as that is known; none without a policy.
pub(super) async fn role_trust_of(
    profile: &Profile,
    caller: Option<&Caller>,
    in_force: Option<(String, String)>,
) -> Option<RoleTrust> {
    let (source, text) = trust_at_hand(profile.trust_of_assumed_role(), in_force).await?;
    let request = AssumeRequest {
        caller: caller.map(|caller| caller.arn.as_str()),
        external_id: profile.aws.external_id.as_deref(),
        session_name: profile.aws.session_name.as_deref().or(Some(SESSION_NAME)),
    };
    Some(RoleTrust::evaluate(&source, text, &request))
}

fn verify(input: &StepInput) -> StepOutput {
    let (Some(token), Some(fact)) = (&input.credentials.token, &input.facts.token) else {
        return StepOutput::Nothing;
    };
    let Some(decoded) = fact.token() else {
        return StepOutput::Nothing;
    };
    let keys = input.facts.issuer.jwks();
    let from = keys.and(input.facts.issuer.jwks_uri()).map(str::to_owned);
    StepOutput::Signature(SignatureFact::new(signature::verify(token, decoded, keys), from))
}

/// The federated credentials with where they came from: those in force, where an operator read them, else the file.
async fn credentials(input: &StepInput) -> StepOutput {
    let path = input.profile.azure.federated_credential.as_ref();
    let file = match path {
        Some(path) => Some((path.display().to_string(), documents::read(path).await)),
        None => None,
    };
    let in_force = input.facts.operator.azure.credentials_in_force();
    let drift = match (in_force, &file) {
        (Some(read), Some((name, Ok(copy)))) => credentials_drift(name, copy, &read.text),
        _ => None,
    };
    let in_force = in_force.map(|read| (format!("the credentials in force of {}", read.source), Ok(read.text.clone())));
    let Some((source, text)) = in_force.or(file) else { return StepOutput::Nothing };
    let fact = match (input.facts.claims(), input.facts.predicted_claims()) {
        (Some(claims), _) => CredentialFact::evaluate(&source, text, claims),
        (None, Some(predicted)) => CredentialFact::predict(&source, text, predicted),
        (None, None) => return StepOutput::Nothing,
    };
    StepOutput::Credentials(CredentialFact { drift, ..fact })
}

async fn permissions(input: &StepInput) -> StepOutput {
    if let Some(in_force) = PermissionsFact::in_force(&input.facts.operator.aws, &input.profile) {
        return StepOutput::Permissions(in_force);
    }
    let Some(path) = &input.profile.aws.identity_policy else {
        return StepOutput::Nothing;
    };
    let arn = input.facts.aws.list.as_ref().and_then(Call::granted).and_then(|list| list.id.as_deref());
    let text = documents::read(path).await;
    StepOutput::Permissions(PermissionsFact::evaluate(&path.display().to_string(), text, &input.profile, arn))
}

/// A role's trust policy with where it came from: as it is in force, where an operator read it, else the file.
async fn trust_at_hand(
    file: Option<&Path>,
    in_force: Option<(String, String)>,
) -> Option<(String, Result<String, Unread>)> {
    match (in_force, file) {
        (Some((source, text)), _) => Some((source, Ok(text))),
        (None, Some(path)) => Some((path.display().to_string(), documents::read(path).await)),
        (None, None) => None,
    }
}

async fn trust_policy(input: &StepInput) -> StepOutput {
    let role = input.facts.operator.aws.role_in_force();
    let in_force = input.facts.operator.aws.trust_of_role();
    let Some((source, text)) = trust_at_hand(input.profile.aws.trust_policy.as_deref(), in_force).await else {
        return StepOutput::Nothing;
    };
    let now = input.facts.now;
    let evaluated =
        as_each_client(&input.profile, input.facts.client.as_ref()).into_iter().filter_map(|(client, profile)| {
            let fact = match (input.facts.claims(), input.facts.predicted_claims()) {
                (Some(claims), _) => TrustFact::evaluate(&source, text.clone(), claims, &profile, now),
                (None, Some(predicted)) => TrustFact::predict(&source, text.clone(), predicted, &profile, now),
                (None, None) => return None,
            };
            Some((client.map(|client| client.name.as_str()), fact))
        });
    let Some(fact) = TrustFact::of_clients(evaluated.collect()) else { return StepOutput::Nothing };
    let role_created_at = role.and_then(|role| role.created_at).or(fact.role_created_at);
    let drift = match (role, &input.profile.aws.trust_policy) {
        (Some(role), Some(path)) => {
            let copy = documents::read(path).await.ok();
            copy.and_then(|copy| Drift::between(&path.display().to_string(), &copy, &role.trust_policy))
        }
        _ => None,
    };
    StepOutput::TrustPolicy(TrustFact { role_created_at, drift, ..fact })
}
