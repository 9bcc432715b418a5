//! AWS's own side of the trust: who the operator is, the identity provider, the role.

use serde_json::{Value, json};

use super::{could_not_read, with_pauses};
use crate::cause::{Cause, Certainty, Finding};
use crate::check::call::{granted, quoted, unanswered};
use crate::check::definition::{Check, Link, Reproduction, Traffic, Waits, call};
use crate::check::facts::Facts;
use crate::check::facts::as_json;
use crate::check::facts::operator::RoleInForce;
use crate::check::facts::secret::AnyCall;
use crate::check::facts::trust::TrustFact;
use crate::check::reproduce::as_aws_operator;
use crate::check::step::Step;
use crate::check::{CheckId, Verdict};
use crate::domain::arn::RoleArn;
use crate::domain::iam::{Decision, audience_at_sts};
use crate::domain::profile::key::Key;
use crate::domain::profile::{AwsSettings, Profile};
use crate::domain::text::quote;
use crate::domain::text_difference::nearest;
use crate::domain::timestamp::{UnixSeconds, in_words};

/// For how long something is new, in seconds: IAM may not know it everywhere yet.
const NEW_S: u64 = 3600;

/// The operator's credentials are valid, and of the account that the role is in.
pub const OPERATOR: Check = Check {
    id: CheckId::AwsOperator,
    title: "the operator can sign in to AWS",
    docs: "https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html",
    link: Link::Trust,
    needs: &[],
    rules_out: &[],
    step: |_| Some(Step::AwsOperator),
    traffic: call!(operator.aws.caller, |_, _| None),
    waits: Waits::If(|facts, profile| other_accounts(facts, profile).is_some()),
    facts: shown_operator,
    verdict: operator,
    reproduction: Reproduction::Command(|profile, _| {
        let endpoint = profile.aws.sts_endpoint_url.as_deref();
        Some(as_aws_operator(profile, "aws sts get-caller-identity", endpoint))
    }),
};

/// The account has an identity provider for the token's issuer and audience.
pub const PROVIDER: Check = Check {
    id: CheckId::AwsOidcProvider,
    title: "IAM has an identity provider for the token",
    docs: "https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_providers_create_oidc.html",
    link: Link::Trust,
    needs: &[CheckId::AwsOperator],
    rules_out: &[Cause::ProviderMissing, Cause::AudNotRegistered],
    step: |_| Some(Step::AwsOidcProvider),
    traffic: Traffic::None,
    waits: Waits::IfClockIsOff,
    facts: |facts| as_json(facts.operator.aws.provider.as_ref()),
    verdict: |facts, profile| {
        let throttled =
            facts.operator.aws.provider.as_ref().map(|side| side.provider.throttled.beside(side.listed.throttled));
        with_pauses(provider(facts, profile), throttled.unwrap_or_default())
    },
    reproduction: Reproduction::Command(|profile, _| Some(at_iam(profile, "aws iam list-open-id-connect-providers"))),
};

/// The role is there, under the name that the profile has.
pub const ROLE: Check = Check {
    id: CheckId::AwsRole,
    title: "the role exists",
    docs: "https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetRole.html",
    rules_out: &[Cause::RoleMissing, Cause::WrongAccount],
    step: |_| Some(Step::AwsRole),
    traffic: call!(operator.aws.role => call, |_, _| None),
    facts: |facts| as_json(facts.operator.aws.role.as_ref()),
    verdict: |facts, profile| {
        let throttled = facts.operator.aws.role.as_ref().map(|read| read.throttled);
        with_pauses(role(facts, profile), throttled.unwrap_or_default())
    },
    reproduction: Reproduction::Command(|profile, _| {
        let role = profile.aws.role_arn.as_ref()?;
        Some(at_iam(profile, &format!("aws iam get-role --role-name {}", quote(role.name()))))
    }),
    ..PROVIDER
};

fn at_iam(profile: &Profile, command: &str) -> String {
    as_aws_operator(profile, command, profile.aws.iam_endpoint_url.as_deref())
}

fn shown_operator(facts: &Facts) -> Option<Value> {
    let side = &facts.operator.aws;
    let mut shown = as_json(side.caller.as_ref()).unwrap_or_else(|| json!({}));
    if let (Value::Object(fields), Some(Ok(source))) = (&mut shown, &side.credentials) {
        fields.insert("source".into(), source.clone().into());
    }
    (side.credentials.is_some() || side.caller.is_some()).then_some(shown)
}

fn operator(facts: &Facts, profile: &Profile) -> Verdict {
    let side = &facts.operator.aws;
    if let Some(Err(why)) = &side.credentials {
        return Verdict::inconclusive(format!("the operator's credentials: {why}"), Vec::new());
    }
    let Some(call) = &side.caller else {
        return Verdict::inconclusive("nobody was asked who the operator is", Vec::new());
    };
    if let Some(verdict) = unanswered(CheckId::AwsOperator, Cause::StsUnreachable, call) {
        return verdict;
    }
    let Some(caller) = call.granted() else {
        let why = call.refusal().map(|refusal| quoted("STS", refusal)).unwrap_or_default();
        let has_expired = call.refusal().is_some_and(|refusal| refusal.code.starts_with("ExpiredToken"));
        let what = if has_expired { "session has expired; sign in again" } else { "credentials are not valid" };
        return Verdict::inconclusive(format!("the operator's {what}: {why}"), Vec::new());
    };
    let Some((own, of_role)) = other_accounts(facts, profile) else { return granted(call, &caller.arn) };
    match meant_role(facts, profile) {
        Some(meant) => {
            let summary =
                format!("the role that trusts the token is in account {own}, and the profile names {of_role}");
            let finding = Finding::new(Cause::WrongAccount, CheckId::AwsOperator, Certainty::Proven, summary.clone())
                .about(Key::RoleArn)
                .with_difference(meant, profile.aws.role_arn.as_ref().map(ToString::to_string).unwrap_or_default());
            Verdict::fail(summary, vec![finding])
        }
        None => {
            let why = format!(
                "the operator is of account {own}, and the role is of {of_role}: sign in to that account to have its \
                 side read"
            );
            Verdict::inconclusive(why, Vec::new())
        }
    }
}

/// The operator's account and the role's, where they are not the same.
fn other_accounts<'a>(facts: &'a Facts, profile: &'a Profile) -> Option<(&'a str, &'a str)> {
    let caller = facts.operator.aws.caller.as_ref()?.granted()?;
    let role = profile.aws.role_arn.as_ref()?;
    (role.account != caller.account).then_some((caller.account.as_str(), role.account.as_str()))
}

/// The role of the profile's name in the operator's account, where it lets the token in and the profile's does not.
fn meant_role(facts: &Facts, profile: &Profile) -> Option<String> {
    facts.aws.assume_role.as_ref()?.refusal()?;
    let role = facts.operator.aws.role_in_force()?;
    let aws = AwsSettings { role_arn: RoleArn::parse(&role.arn).ok(), ..profile.aws.clone() };
    let there = Profile { aws, ..profile.clone() };
    let trust = TrustFact::evaluate(&role.arn, Ok(role.trust_policy.clone()), facts.claims()?, &there, facts.now);
    (trust.decision() == Some(Decision::Allow)).then(|| role.arn.clone())
}

fn provider(facts: &Facts, _profile: &Profile) -> Verdict {
    let Some(side) = &facts.operator.aws.provider else {
        return Verdict::inconclusive("no identity provider was read", Vec::new());
    };
    if let Some(verdict) = could_not_read(&side.provider) {
        return verdict;
    }
    let finding = |cause, summary: &str| Finding::new(cause, CheckId::AwsOidcProvider, Certainty::Proven, summary);
    let predicted = facts.predicted_claims();
    let verdict = match side.provider.seen() {
        None => {
            let summary = format!("the account has no identity provider for {}", side.issuer);
            let mut missing = finding(Cause::ProviderMissing, &summary);
            missing.evidence.extend(side.provider.call.refusal().map(|refusal| quoted("IAM", refusal)));
            let listed = side.listed.seen().map_or(&[][..], Vec::as_slice);
            if let Some(near) = nearest(&side.arn, listed.iter().map(String::as_str)) {
                missing = missing.with_difference(&side.arn, near);
            } else if !listed.is_empty() {
                missing = missing.with_evidence(format!("the account has {}", listed.join(", ")));
            }
            Verdict::fail(summary, vec![missing])
        }
        Some(provider) => {
            let claims = facts.claims().or_else(|| predicted.map(|predicted| &predicted.claims));
            let audience = claims.and_then(audience_at_sts);
            match audience.filter(|audience| !provider.client_ids.contains(audience)) {
                None if predicted.is_some() => Verdict::pass_on_prediction("the provider takes the audience"),
                None => Verdict::pass(),
                Some(audience) => {
                    let summary = format!("the identity provider does not take the audience {audience}");
                    let registered = provider.client_ids.join(", ");
                    let wrong = finding(Cause::AudNotRegistered, &summary).with_difference(registered, audience);
                    Verdict::fail(summary, vec![wrong])
                }
            }
        }
    };
    match predicted {
        Some(predicted) => verdict.as_predicted(predicted.subject()),
        None => verdict,
    }
}

fn role(facts: &Facts, profile: &Profile) -> Verdict {
    let (Some(read), Some(wanted)) = (&facts.operator.aws.role, &profile.aws.role_arn) else {
        return Verdict::inconclusive("no role was read", Vec::new());
    };
    if let Some(verdict) = could_not_read(read) {
        return verdict;
    }
    let finding = |summary: &str| {
        Finding::new(Cause::RoleMissing, CheckId::AwsRole, Certainty::Proven, summary).about(Key::RoleArn)
    };
    match read.seen() {
        Some(role) if role.arn == wanted.to_string() => Verdict { reason: told(role, facts.now), ..Verdict::pass() },
        Some(role) => {
            let summary = "the role of this name has another ARN than the profile says";
            Verdict::fail(summary, vec![finding(summary).with_difference(wanted.to_string(), &role.arn)])
        }
        None => {
            let summary = format!("account {} has no role `{}`", wanted.account, wanted.name());
            let said = read.call.refusal().map(|refusal| quoted("IAM", refusal)).unwrap_or_default();
            Verdict::fail(summary.clone(), vec![finding(&summary).with_evidence(said)])
        }
    }
}

/// What of a role is worth a word: that it is new.
fn told(role: &RoleInForce, now: UnixSeconds) -> Option<String> {
    let age = u64::try_from(now - role.created_at?).ok().filter(|age| *age < NEW_S)?;
    Some(format!("made {} ago", in_words(age)))
}
