//! AWS: exchange the token at STS, ask who one is, list the secrets, read one. One attempt a call.

mod account;
mod authorization;
mod events;
mod side;
mod signed;
mod versions;

use aws_credential_types::Credentials;
use aws_sdk_secretsmanager::config::retry::RetryConfig;
use aws_sdk_secretsmanager::config::{BehaviorVersion, Region};
use aws_sdk_secretsmanager::operation::get_secret_value::GetSecretValueOutput;
use aws_sdk_secretsmanager::types::{Filter, FilterNameStringType, SecretListEntry};
use aws_sdk_sts::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_sts::operation::RequestId;
use aws_sdk_sts::types::AssumedRoleUser;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use futures_util::future::join_all;

pub use self::events::LookedUp;
use super::http::{HttpStack, ObservedClient, connector, network_failure};
use super::secret_value::SecretValue;
use crate::check::facts::aws::{AssumedRole, Caller, Located};
use crate::check::facts::secret::{Answer, Call, Refusal};
use crate::check::facts::secret::{SecretList, SecretRead};
use crate::domain::arn::RoleArn;
use crate::domain::profile::AwsSettings;
use crate::domain::region::partition_of;
use crate::domain::secret_ref::SecretRef;
use crate::domain::text_difference::nearest;
use crate::domain::token::RawToken;

/// The session name asked for where the profile sets none.
pub const SESSION_NAME: &str = "trustline";
const USER_AGENT: &str = "user-agent";

/// Where to call: the stack, the region, and endpoints other than AWS's own.
#[derive(Clone, Debug)]
pub struct AwsTarget {
    pub http: HttpStack,
    pub region: String,
    pub settings: AwsSettings,
}

/// Credentials of a session. Held in memory for one run; its `Debug` shows no key.
#[derive(Clone, Debug)]
pub struct Session(Credentials);

impl Session {
    /// Credentials that are there already.
    pub(super) const fn of(credentials: Credentials) -> Self {
        Session(credentials)
    }

    /// The id of its access key.
    pub fn access_key_id(&self) -> &str {
        self.0.access_key_id()
    }
}

impl AwsTarget {
    fn sts(&self, client: &ObservedClient, session: Option<&Session>) -> aws_sdk_sts::Client {
        let mut config = aws_sdk_sts::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new(self.region.clone()))
            .http_client(connector(client))
            .retry_config(RetryConfig::disabled());
        if let Some(url) = self.settings.sts_endpoint_url.as_ref().or(self.settings.endpoint_url.as_ref()) {
            config = config.endpoint_url(url);
        }
        if let Some(Session(credentials)) = session {
            config = config.credentials_provider(credentials.clone());
        }
        aws_sdk_sts::Client::from_conf(config.build())
    }

    fn secrets(&self, client: &ObservedClient, session: &Session) -> aws_sdk_secretsmanager::Client {
        let mut config = aws_sdk_secretsmanager::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new(self.region.clone()))
            .http_client(connector(client))
            .retry_config(RetryConfig::disabled())
            .credentials_provider(session.0.clone());
        if let Some(url) = self.settings.secretsmanager_endpoint_url.as_ref().or(self.settings.endpoint_url.as_ref()) {
            config = config.endpoint_url(url);
        }
        aws_sdk_secretsmanager::Client::from_conf(config.build())
    }

    fn call<T>(&self, client: &ObservedClient, answer: Answer<T>) -> Call<T> {
        Call {
            region: Some(self.region.clone()),
            attempts: 1,
            waited_ms: 0,
            answer,
            exchange: client.take_exchanges().pop(),
        }
    }

    /// `sts:AssumeRoleWithWebIdentity`: the token for a session of the role.
    pub async fn assume_role_with_web_identity(
        &self,
        role: &RoleArn,
        token: &RawToken,
    ) -> (Call<AssumedRole>, Option<Session>) {
        let client = self.http.client();
        // A trust can see it, so a client that is played is played with its own.
        let agent = self.settings.user_agent.clone();
        let sent = self
            .sts(&client, None)
            .assume_role_with_web_identity()
            .role_arn(role.to_string())
            .role_session_name(self.settings.session_name.as_deref().unwrap_or(SESSION_NAME))
            .set_duration_seconds(self.settings.session_duration_s)
            .web_identity_token(token.expose())
            .customize()
            .mutate_request(move |request| {
                if let Some(agent) = &agent {
                    request.headers_mut().insert(USER_AGENT, agent.clone());
                }
            })
            .send()
            .await;
        let answer = match sent {
            Ok(output) => granted(output.assumed_role_user(), output.credentials(), "AssumeRoleWithWebIdentity").map(
                |(role, session)| {
                    let told = AssumedRole {
                        provider: output.provider().map(str::to_owned),
                        audience: output.audience().map(str::to_owned),
                        subject: output.subject_from_web_identity_token().map(str::to_owned),
                        ..role
                    };
                    (told, session)
                },
            ),
            Err(error) => refused(error),
        };
        self.assumed(&client, answer)
    }

    /// `sts:AssumeRole`, with the profile's external id: credentials at hand for a session of the role.
    pub async fn assume_role(&self, role: &RoleArn, session: &Session) -> (Call<AssumedRole>, Option<Session>) {
        let client = self.http.client();
        let sent = self
            .sts(&client, Some(session))
            .assume_role()
            .role_arn(role.to_string())
            .role_session_name(self.settings.session_name.as_deref().unwrap_or(SESSION_NAME))
            .set_external_id(self.settings.external_id.clone())
            .send()
            .await;
        let answer = match sent {
            Ok(output) => granted(output.assumed_role_user(), output.credentials(), "AssumeRole"),
            Err(error) => refused(error),
        };
        self.assumed(&client, answer)
    }

    fn assumed(
        &self,
        client: &ObservedClient,
        answer: Answer<(AssumedRole, Session)>,
    ) -> (Call<AssumedRole>, Option<Session>) {
        let mut session = None;
        let answer = answer.map(|(role, opened)| {
            session = Some(opened);
            role
        });
        (self.call(client, answer), session)
    }

    /// `sts:GetCallerIdentity`: proves that the credentials are valid, and nothing about permissions.
    pub async fn caller_identity(&self, session: &Session) -> Call<Caller> {
        let client = self.http.client();
        let answer = match self.sts(&client, Some(session)).get_caller_identity().send().await {
            Ok(output) if output.arn().is_none() => foreign("caller"),
            Ok(output) => Answer::Granted(Caller {
                arn: output.arn().unwrap_or_default().to_owned(),
                account: output.account().unwrap_or_default().to_owned(),
            }),
            Err(error) => refused(error),
        };
        self.call(&client, answer)
    }

    /// `secretsmanager:ListSecrets`, the first page only.
    pub async fn list_secrets(&self, session: &Session, wanted: Option<&SecretRef>) -> Call<SecretList> {
        let client = self.http.client();
        let answer = match self.secrets(&client, session).list_secrets().max_results(100).send().await {
            Ok(output) if output.secret_list.is_none() => foreign("list of secrets"),
            Ok(output) => {
                let page = output.secret_list();
                let is_wanted = |s: &&SecretListEntry, w: &SecretRef| [s.name(), s.arn()].contains(&Some(&w.name));
                let entry = wanted.map(|w| page.iter().find(|s| is_wanted(s, w)));
                let nearest = match (wanted, entry) {
                    (Some(wanted), Some(None)) => nearest(&wanted.name, page.iter().filter_map(SecretListEntry::name)),
                    _ => None,
                };
                let key = entry.flatten().and_then(SecretListEntry::kms_key_id).map(str::to_owned);
                let mut keys: Vec<String> = page.iter().filter_map(|s| s.kms_key_id()).map(str::to_owned).collect();
                keys.sort_unstable();
                keys.dedup();
                let prefix = self.settings.secret_prefix.as_deref();
                let begins = |s: &&SecretListEntry, prefix: &str| s.name().is_some_and(|n| n.starts_with(prefix));
                Answer::Granted(SecretList {
                    prefixed: prefix.map(|prefix| page.iter().filter(|s| begins(s, prefix)).count()),
                    key,
                    keys,
                    seen: page.len(),
                    more: output.next_token().is_some(),
                    holds_secret: entry.map(|e| e.is_some()),
                    id: entry.flatten().and_then(SecretListEntry::arn).map(str::to_owned),
                    nearest: nearest.map(str::to_owned),
                })
            }
            Err(error) => refused(error),
        };
        self.call(&client, answer)
    }

    /// `secretsmanager:GetSecretValue` of the current version; the value is reduced to a fingerprint and wiped.
    pub async fn get_secret(&self, session: &Session, secret: &SecretRef) -> Call<SecretRead> {
        let client = self.http.client();
        let sent = self.secrets(&client, session).get_secret_value().secret_id(&secret.name).send().await;
        let answer = match sent {
            Ok(mut output) => secret_read(&mut output, secret).map_or_else(|| foreign("version"), Answer::Granted),
            Err(error) => refused(error),
        };
        self.call(&client, answer)
    }

    /// Looks for the secret by name in the partition's other regions, all at once. Reads no value.
    pub async fn locate_secret(&self, session: &Session, secret: &SecretRef) -> Located {
        let partition = partition_of(&self.region).ok();
        let others = partition.map_or(&[][..], |p| p.regions).iter().filter(|r| **r != self.region);
        let searches = others.map(|region| async move {
            let target = AwsTarget { region: (*region).to_owned(), ..self.clone() };
            let client = target.http.client();
            let by_name = Filter::builder().key(FilterNameStringType::Name).values(&secret.name).build();
            let answer = target.secrets(&client, session).list_secrets().filters(by_name).send().await;
            let found = answer.ok()?.secret_list().iter().any(|s| s.name() == Some(secret.name.as_str()));
            Some((*region, found))
        });
        let answered: Vec<(&str, bool)> = join_all(searches).await.into_iter().flatten().collect();
        Located {
            found_in: answered.iter().filter(|(_, found)| *found).map(|(region, _)| (*region).to_owned()).collect(),
            regions_asked: answered.len(),
        }
    }
}

/// The session that STS grants with `operation`, and what the answer tells of its role.
fn granted(
    user: Option<&AssumedRoleUser>,
    credentials: Option<&aws_sdk_sts::types::Credentials>,
    operation: &'static str,
) -> Answer<(AssumedRole, Session)> {
    let Some(granted) = credentials else {
        let detail = "the answer grants a session without credentials".to_owned();
        return Answer::Unreadable { http_status: None, detail };
    };
    let session = Session(Credentials::new(
        granted.access_key_id(),
        granted.secret_access_key(),
        Some(granted.session_token().to_owned()),
        None,
        operation,
    ));
    let role = AssumedRole {
        assumed_role_arn: user.map(|u| u.arn().to_owned()).unwrap_or_default(),
        provider: None,
        audience: None,
        subject: None,
        session_expires_at: Some(granted.expiration().secs()),
    };
    Answer::Granted((role, session))
}

/// An answer that the SDK takes for granted though nothing of it is there: every field is optional to it, so that an
/// empty page of whatever stands in between would pass.
fn foreign<T>(lacks: &str) -> Answer<T> {
    Answer::Unreadable { http_status: Some(200), detail: format!("the answer holds no {lacks}") }
}

/// What an answer tells of a secret; its value is reduced to a fingerprint and wiped. None where it names no version.
fn secret_read(output: &mut GetSecretValueOutput, secret: &SecretRef) -> Option<SecretRead> {
    output.version_id()?;
    let reduced = value_of(output).reduce(secret.json_key.as_deref());
    Some(SecretRead {
        name: output.name().unwrap_or(&secret.name).to_owned(),
        id: output.arn().map(str::to_owned),
        version_id: output.version_id().map(str::to_owned),
        stages: output.version_stages().to_vec(),
        created_at: output.created_date().map(aws_smithy_types::DateTime::secs),
        form: reduced.form,
        fingerprint: reduced.fingerprint,
        variants: reduced.variants,
        guessability: reduced.guessability,
        field: reduced.field,
    })
}

/// Takes the value out of an answer.
fn value_of(output: &mut GetSecretValueOutput) -> SecretValue {
    match (output.secret_string.take(), output.secret_binary.take()) {
        (Some(text), _) => SecretValue::text(text),
        (None, Some(blob)) => SecretValue::binary(blob.into_inner()),
        (None, None) => SecretValue::binary(Vec::new()),
    }
}

/// The SDK's error as an answer, with nothing of the request in it.
fn refused<T, E>(error: SdkError<E, HttpResponse>) -> Answer<T>
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
{
    if let Some(failure) = network_failure(&error) {
        return Answer::Network { failure: failure.clone() };
    }
    let http_status = error.raw_response().map(|r| r.status().as_u16());
    match &error {
        SdkError::ServiceError(service) => match service.err().code() {
            Some(code) => Answer::Refused(Refusal {
                code: code.to_owned(),
                message: service.err().message().unwrap_or_default().to_owned(),
                http_status: service.raw().status().as_u16(),
                request_id: error.request_id().map(str::to_owned),
            }),
            None => Answer::Unreadable { http_status, detail: "the answer holds no error code of AWS".to_owned() },
        },
        SdkError::ConstructionFailure(_) => Answer::NotSent { detail: innermost(&error) },
        _ => Answer::Unreadable { http_status, detail: innermost(&error) },
    }
}

/// The innermost message of an error's chain: what the failing part itself said.
fn innermost(error: &dyn std::error::Error) -> String {
    let mut last = error;
    while let Some(source) = last.source() {
        last = source;
    }
    last.to_string()
}
