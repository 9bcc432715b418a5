//! The trust policy of a role, corrected: for the token that the profile expects, and for the caller that it names.

use std::path::Path;

use serde_json::Value;

use super::meant::{Meant, NotMeant, meant};
use super::{Sh, piece, pretty};
use crate::cause::{Cause, Finding, Fix};
use crate::check::CheckId;
use crate::check::facts::trust::TrustFact;
use crate::domain::arn::{Arn, RoleArn};
use crate::domain::guide::Guide;
use crate::domain::iam::{
    AssumeEvaluation, AssumeRequest, Correction, NoCorrection, Policy, Provider, ProviderArn, SubjectKnownFrom,
    TrustRequest, Wanted, WantedCaller, correct_assume, correct_trust, tighten_trust,
};
use crate::domain::profile::Profile;
use crate::domain::profile::key::Key;
use crate::remedy::{Context, profile_set};
use crate::remedy::{check, variable};

/// For how long a changed role may be denied as before. IAM is eventually consistent and names no bound.
const PROPAGATION_S: u32 = 60;

/// The fixes for a finding about the trust policy; none where no policy was at hand.
pub fn fixes(finding: &Finding, context: Context<'_>) -> Vec<Fix> {
    let Context { profile, facts } = context;
    let found_by = |checks: &[CheckId]| checks.iter().any(|check| finding.check == *check);
    if found_by(&[CheckId::TokenClaims]) {
        return other_token(finding, profile).into_iter().collect();
    }
    if found_by(&[CheckId::TrustPolicy, CheckId::AwsAssumeRoleWithWebIdentity])
        && profile.guide.is_aws_web_identity()
        && let (Some(trust), Some(role)) = (&facts.trust, &profile.aws.role_arn)
    {
        return web_identity(finding, context, trust, role).into_iter().collect();
    }
    if found_by(&[CheckId::TrustPolicy, CheckId::AwsAssumeRole])
        && let Some(role) = profile.role_to_assume()
    {
        return signed_caller(finding, context, role);
    }
    Vec::new()
}

/// The token is not the one that the profile expects: the trust is not to follow it.
fn other_token(finding: &Finding, profile: &Profile) -> Option<Fix> {
    let (expected, actual) = (finding.expected.as_deref()?, finding.actual.as_deref()?);
    match finding.cause {
        // A UUID is the same in capitals, and policies and credentials compare with what the token has.
        Cause::SubCaseMismatch => {
            let organization = actual.strip_prefix("organization:")?;
            let is_same = profile.organization.as_ref()?.eq_ignore_ascii_case(organization);
            is_same.then(|| profile_set(profile, &[(Key::Organization, organization.to_owned())]))
        }
        Cause::SubMismatch => Some(words(format!(
            "The token is for {actual}, and the profile expects {expected}: it is the token of another job or another \
             organization. Take a token for {expected}; do not let the other one in."
        ))),
        _ => None,
    }
}

fn web_identity(finding: &Finding, context: Context<'_>, trust: &TrustFact, role: &RoleArn) -> Option<Fix> {
    let text = trust.text.as_deref()?;
    let policy = Policy::parse(text).ok()?;
    if matches!(finding.cause, Cause::WrongAccount | Cause::WrongPartition)
        && let Some(fix) = other_role(finding, context, &policy, role)
    {
        return Some(fix);
    }
    let role_arn = role.to_string();
    Some(match correction(finding.cause, context, text, At { role: Some(&role_arn), provider: None }) {
        Ok((correction, meant)) => replacement(context.profile, role, &correction, &sentence(&correction, &meant)),
        Err(why) => words(why),
    })
}

/// Where a policy is: whose it is, and at which provider its tokens are presented; what is not known follows from the
/// policy and the token.
#[derive(Clone, Copy, Debug, Default)]
pub struct At<'a> {
    pub role: Option<&'a str>,
    pub provider: Option<&'a str>,
}

/// The policy in `text` as a whole, corrected, for whoever has a document and no role at hand to write it to.
pub fn corrected_document(cause: Cause, context: Context<'_>, text: &str, at: At<'_>) -> Fix {
    match correction(cause, context, text, at) {
        Ok((correction, meant)) => Fix {
            text: format!("Replace the whole policy: {}", sentence(&correction, &meant)),
            document: Some(pretty(&correction.after)),
            ..Fix::default()
        },
        Err(why) => words(why),
    }
}

/// The correction of a role that no profile is about: the whole policy, and the scripts there and back where it is known which
/// role's it is.
pub fn corrected_role(role: Option<&RoleArn>, correction: &Correction, text: String) -> Fix {
    let profile = Profile::bare("audit", Guide::AwsWorkloadIdentity);
    let write = |from: &Value, to: &Value| role.map(|role| script(&profile, role, from, to));
    Fix {
        text,
        command: write(&correction.before, &correction.after),
        document: Some(pretty(&correction.after)),
        undo: write(&correction.after, &correction.before),
        ..Fix::default()
    }
}

/// The correction for whom the profile means, or for the token at hand; else why there is none.
fn correction(cause: Cause, context: Context<'_>, text: &str, at: At<'_>) -> Result<(Correction, Meant), String> {
    let policy = Policy::parse(text).map_err(|error| error.to_string())?;
    let meant = meant(context, &policy).map_err(|NotMeant(why)| why)?;
    let provider = match at.provider {
        Some(arn) => arn.to_owned(),
        None => Provider::of(&meant.claims, &policy, at.role).arn,
    };
    let request = TrustRequest {
        role_arn: at.role,
        session_name: context.profile.aws.session_name.as_deref(),
        region: context.profile.aws.region.as_deref(),
        now: Some(context.facts.now),
        ..TrustRequest::new(&meant.claims, &provider)
    };
    let wanted = Wanted { request, subject: meant.subject.clone(), known_from: meant.known_from };
    let corrected = match cause {
        Cause::TrustTooWide => tighten_trust(text, &wanted),
        _ => correct_trust(text, &wanted),
    };
    let subject = meant.subject.text();
    corrected.map(|correction| (correction, meant.clone())).map_err(|why| match why {
        NoCorrection::Allowed => format!(
            "The trust policy accepts {subject} already. The token at hand is another one: take a token for that subject \
             and the profile's audience, and leave the policy as it is."
        ),
        why => {
            let whose = at.role.and_then(|role| role.rsplit('/').next()).map(|name| format!(" of {name}"));
            format!(
                "Change the trust policy{} by hand, so that it accepts {subject} and nobody else: {why}.",
                whose.unwrap_or_default()
            )
        }
    })
}

/// Where policy and profile name different accounts: the profile is wrong where the policy is of another role, or where
/// the profile's account has no such provider.
fn other_role(finding: &Finding, context: Context<'_>, policy: &Policy, role: &RoleArn) -> Option<Fix> {
    let of_policy = policy.role_arn.as_deref().and_then(|arn| RoleArn::parse(arn).ok());
    let right = match of_policy {
        Some(of_policy) if of_policy == *role => return None,
        Some(of_policy) => of_policy,
        None => {
            let written = ProviderArn::parse(finding.expected.as_deref()?)?;
            let there =
                RoleArn { partition: written.partition.into(), account: written.account.into(), ..role.clone() };
            let refusal = context.facts.aws.assume_role.as_ref().and_then(|call| call.refusal());
            match refusal.map(|refusal| refusal.code.as_str()) {
                Some("InvalidIdentityToken") => there,
                Some("AccessDenied") => return None,
                _ => {
                    return Some(words(format!(
                        "The policy is of account {}, and the profile names {role}. Set aws.role-arn to {there} if that \
                         is the role; otherwise name the provider of account {} in the policy.",
                        written.account, role.account
                    )));
                }
            }
        }
    };
    Some(profile_set(context.profile, &[(Key::RoleArn, right.to_string())]))
}

fn sentence(correction: &Correction, meant: &Meant) -> String {
    let mut text = format!("{}.", correction.changes.join("; "));
    if meant.known_from == SubjectKnownFrom::Token {
        text.push_str(&format!(
            " The profile does not say whose tokens are meant: this admits {}, the token that was read.",
            meant.subject.text()
        ));
    }
    if !correction.replaced.is_empty() {
        text.push_str(&format!(" Whoever gets in by {} no longer does.", correction.replaced.join(" or ")));
    }
    if !correction.also_admits.is_empty() {
        let others = correction.also_admits.join(" and ");
        text.push_str(&format!(" The policy names {others} too, which then get in as well."));
    }
    text
}

fn signed_caller(finding: &Finding, context: Context<'_>, role: &RoleArn) -> Vec<Fix> {
    let Context { profile, facts } = context;
    let Some(trust) = &facts.aws.role_trust else { return Vec::new() };
    let (Some(text), Some(evaluation)) = (&trust.text, &trust.evaluation) else { return Vec::new() };
    let Some(principal) = evaluation.caller.as_deref().and_then(|caller| principal(caller, profile)) else {
        return Vec::new();
    };
    if finding.cause == Cause::ExternalId
        && let Some(id) = external_id(evaluation)
    {
        return vec![profile_set(profile, &[(Key::ExternalId, id)])];
    }
    let request = AssumeRequest {
        caller: evaluation.caller.as_deref(),
        external_id: profile.aws.external_id.as_deref(),
        session_name: profile.aws.session_name.as_deref(),
    };
    match correct_assume(text, &WantedCaller { principal: &principal, request }) {
        Ok(correction) => {
            let text = format!("{}.", correction.changes.join("; "));
            vec![replacement(profile, role, &correction, &text)]
        }
        Err(NoCorrection::Allowed) => Vec::new(),
        Err(why) => vec![words(format!(
            "Change the trust policy of {} by hand, so that {principal} may assume the role: {why}.",
            role.name()
        ))],
    }
}

/// What a policy names for a caller: the user, or the role of a session, whose path the profile knows.
fn principal(caller: &str, profile: &Profile) -> Option<String> {
    let arn = Arn::parse(caller)?;
    if arn.resource.starts_with("user/") {
        return Some(caller.to_owned());
    }
    let role = arn.resource.strip_prefix("assumed-role/")?.split('/').next()?;
    let known = profile.aws.role_arn.as_ref()?;
    (known.name() == role && known.account == arn.account).then(|| known.to_string())
}

/// The one external id that the policy asks for.
fn external_id(evaluation: &AssumeEvaluation) -> Option<String> {
    let condition =
        evaluation.nearest_allow()?.conditions.iter().find(|c| c.key.eq_ignore_ascii_case("sts:ExternalId"))?;
    match condition.expected.as_slice() {
        [only] if condition.operator == "StringEquals" => Some(only.clone()),
        _ => None,
    }
}

/// The script that puts a corrected policy in force where the one it was made from still is, and its way back.
fn replacement(profile: &Profile, role: &RoleArn, correction: &Correction, text: &str) -> Fix {
    Fix {
        text: format!("Correct the trust policy of {}: {text}", role.name()),
        command: Some(script(profile, role, &correction.before, &correction.after)),
        document: Some(pretty(&correction.after)),
        verify: Some(check(profile, Some(PROPAGATION_S))),
        undo: Some(script(profile, role, &correction.after, &correction.before)),
        ..Fix::default()
    }
}

fn script(profile: &Profile, role: &RoleArn, before: &Value, after: &Value) -> String {
    let sh = Sh::new(profile)
        .with("ROLE_NAME", role.name())
        .with("ROLE_ARN", &role.to_string())
        .document("before.json", before)
        .document("after.json", after)
        .run(piece!("replace-trust.sh"));
    match profile.aws.trust_policy.as_deref().and_then(Path::to_str) {
        Some(copy) => sh.run(&variable("COPY", Some(copy), "")).run(piece!("refresh-trust.sh")),
        None => sh,
    }
    .finish()
}

fn words(text: String) -> Fix {
    Fix { text, ..Fix::default() }
}

#[cfg(test)]
mod tests;
