//! `AssumeRole`: a signed caller for a role's credentials.

use std::collections::BTreeMap;

use super::web_identity::{SessionRequest, assumed_role_user};
use super::{Fault, Outcome, QUERY, Received, Sts, now};
use crate::lab::iam::{self, Ruling};
use crate::lab::query::Parameters;
use crate::lab::session::{Account, Caller};

const ACTION: &str = "sts:AssumeRole";
/// A role that a role's session assumes is held for no longer than this.
const CHAINED_LIMIT: i32 = 3600;

impl Sts {
    pub(super) fn assume_role(&self, request: &Received, parameters: &Parameters) -> Result<Outcome, Fault> {
        let home = self.accounts.of_signer(request);
        let caller = QUERY.authenticate(request, home)?.caller;
        let wanted = SessionRequest::read(parameters, |_| {})?;
        if matches!(caller, Caller::Session { .. }) && wanted.duration > CHAINED_LIMIT {
            return Err(Fault::validation(
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
            .map_err(|error| Fault::internal(error.to_string()))?;
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
) -> Result<String, Fault> {
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
            return Err(Fault::new(
                "AccessDenied",
                403,
                format!("User: {arn} is not authorized to perform: {action} on resource: {}", wanted.role_arn),
            ));
        }
    }
    let (name, role) = role.ok_or_else(|| Fault::internal("the role vanished"))?;
    wanted.check_duration(&role)?;
    Ok(name)
}
