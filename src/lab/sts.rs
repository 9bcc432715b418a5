//! The Security Token Service: AWS's Query protocol in, XML out; `AssumeRole` and `GetCallerIdentity`.

mod token;
mod verification;
mod web_identity;

use std::collections::BTreeMap;
use std::sync::Arc;

use super::accounts::Accounts;
use super::fetcher::Fetcher;
use super::iam;
use super::iam::Ruling;
use super::json_protocol::AwsError;
use super::keys::random_uuid;
use super::query::{Element, Outcome, Parameters, Protocol};
use super::server::now;
use super::server::{Request, Response, Service};
use super::session::{Account, Caller, Credentials};
use crate::domain::timestamp::rfc3339;
use web_identity::{SessionRequest, assumed_role_user};

const QUERY: Protocol =
    Protocol { service: "sts", version: "2011-06-15", namespace: "https://sts.amazonaws.com/doc/2011-06-15/" };

/// The STS of one lab; one endpoint serves all regions.
pub(super) struct Sts {
    accounts: Arc<Accounts>,
    fetcher: Fetcher,
}

impl Sts {
    pub(super) fn new(accounts: Arc<Accounts>, fetcher: Fetcher) -> Self {
        Sts { accounts, fetcher }
    }

    async fn act(&self, request: &Request, request_id: &str) -> Result<Outcome, AwsError> {
        let parameters = QUERY.read(request)?;
        match parameters.get("Action") {
            Some("AssumeRoleWithWebIdentity") => {
                self.assume_role_with_web_identity(request, &parameters, request_id).await
            }
            Some("GetCallerIdentity") => self.get_caller_identity(request),
            Some("AssumeRole") => self.assume_role(request, &parameters),
            _ => Err(QUERY.unknown_action(&parameters)),
        }
    }

    /// The `Credentials` element.
    fn credentials(credentials: &Credentials) -> Element {
        use secrecy::ExposeSecret as _;
        Element::of(
            "Credentials",
            vec![
                Element::text("AccessKeyId", credentials.access_key_id.clone()),
                Element::text("SecretAccessKey", credentials.secret_access_key.expose_secret().to_owned()),
                Element::text("SessionToken", credentials.session_token.expose_secret().to_owned()),
                Element::text("Expiration", rfc3339(credentials.expires).unwrap_or_default()),
            ],
        )
    }
}

impl Service for Sts {
    async fn answer(&self, request: Request) -> Response {
        let request_id = random_uuid();
        QUERY.answer(&request_id, self.act(&request, &request_id).await)
    }
}

impl Sts {
    fn get_caller_identity(&self, request: &Request) -> Result<Outcome, AwsError> {
        let account = self.accounts.of_signer(request);
        let caller = QUERY.authenticate(request, account)?.caller;
        Ok(Outcome {
            action: "GetCallerIdentity",
            result: vec![
                Element::text("Arn", account.arn(&caller)),
                Element::text("UserId", account.user_id(&caller)),
                Element::text("Account", account.world().account.clone()),
            ],
        })
    }
}

const ACTION: &str = "sts:AssumeRole";
/// A role that a role's session assumes is held for no longer than this.
const CHAINED_LIMIT: i32 = 3600;

impl Sts {
    fn assume_role(&self, request: &Request, parameters: &Parameters) -> Result<Outcome, AwsError> {
        let home = self.accounts.of_signer(request);
        let caller = QUERY.authenticate(request, home)?.caller;
        let wanted = SessionRequest::read(parameters, |_| {})?;
        if matches!(caller, Caller::Session { .. }) && wanted.duration > CHAINED_LIMIT {
            return Err(AwsError::validation(
                "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining",
            ));
        }
        let account = self.accounts.of_arn(wanted.role_arn);
        let role = admit((home, &caller), account, &wanted, parameters)?;
        let session = Caller::Session {
            role,
            session_name: wanted.session_name.to_owned(),
            session_policies: wanted.policy.map(str::to_owned).into_iter().collect(),
            tags: session_tags(parameters),
        };
        let credentials = account
            .open_session(session.clone(), now() + i64::from(wanted.duration))
            .map_err(|error| AwsError::internal(error.to_string()))?;
        Ok(Outcome {
            action: "AssumeRole",
            result: vec![assumed_role_user(account, &session), Sts::credentials(&credentials)],
        })
    }
}

/// The tags that are sent with the call.
fn session_tags(parameters: &Parameters) -> BTreeMap<String, String> {
    let part = |n: usize, name: &str| parameters.get(&format!("Tags.member.{n}.{name}")).map(str::to_owned);
    let tag = |n| Some((part(n, "Key")?, part(n, "Value").unwrap_or_default()));
    (1..=parameters.count_with_prefix("Tags.member.")).map_while(tag).collect()
}

/// Both sides must agree: the role's trust policy, and the caller's own policies, unless both are in one account and
/// the trust policy names the caller itself
/// (<https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic-cross-account.html>).
fn admit(
    (home, caller): (&Account, &Caller),
    account: &Account,
    wanted: &SessionRequest<'_>,
    parameters: &Parameters,
) -> Result<String, AwsError> {
    let arn = home.arn(caller);
    let one_account = home.world().account == account.world().account;
    let mut actions = vec![ACTION];
    if parameters.count_with_prefix("Tags.member.") > 0 {
        actions.push("sts:TagSession");
    }
    let mut context = caller.keys(home);
    context.push(("sts:RoleSessionName".into(), wanted.session_name.to_owned()));
    context.extend(parameters.get("ExternalId").map(|id| ("sts:ExternalId".into(), id.to_owned())));
    let tags = session_tags(parameters);
    context.extend(tags.into_iter().map(|(tag, value)| (format!("aws:RequestTag/{tag}").into(), value)));
    let own = home.identity_policies(caller);
    let role = account.role(wanted.role_arn);
    for action in actions {
        let identity = iam::rule(&own, action, wanted.role_arn, &context);
        let trust = role.as_ref().map_or_else(iam::Named::default, |(_, role)| {
            let policy = role.trust_policy.text();
            iam::rule_by_principal(&policy, home, caller, action, None, &context)
        });
        let denied = identity == Ruling::Denied || trust.ruling == Ruling::Denied;
        let allowed = trust.ruling == Ruling::Allowed && ((one_account && trust.itself) || identity == Ruling::Allowed);
        if denied || !allowed {
            return Err(AwsError::new(
                "AccessDenied",
                403,
                format!("User: {arn} is not authorized to perform: {action} on resource: {}", wanted.role_arn),
            ));
        }
    }
    let (name, role) = role.ok_or_else(|| AwsError::internal("the role vanished"))?;
    wanted.check_duration(&role)?;
    Ok(name)
}
