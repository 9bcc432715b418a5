//! A role that is not there, and the hop from one role to the next.

use serde_json::{Value, json};
use url::Url;

use super::meant::Principal;
use super::permissions::{Need, grant};
use super::{Sh, piece, pretty};
use crate::cause::{Cause, Finding, Fix};
use crate::check::CheckId;
use crate::domain::arn::RoleArn;
use crate::domain::iam::Decision;
use crate::domain::profile::Guide;
use crate::domain::profile::key::Key;
use crate::domain::profile::setting::Origin;
use crate::domain::region::partition_of;
use crate::guide::{Artifact, Values, render};
use crate::remedy::{Context, profile_set};
use crate::remedy::{check, variable};

const PROPAGATION_S: u32 = 60;
/// The role by which an organization's management account administers the accounts that it made
/// (<https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_accounts_access.html>).
const ORGANIZATION_ROLE: &str = "OrganizationAccountAccessRole";
const HOP_POLICY: &str = "AssumeSecretsRole";

/// The fixes for a role that is not there: it is made as the guide makes it, unless one of its name is there.
pub(super) fn missing(finding: &Finding, context: Context<'_>) -> Vec<Fix> {
    let profile = context.profile;
    let is_first =
        [CheckId::AwsAssumeRoleWithWebIdentity, CheckId::AwsRole].iter().any(|check| finding.check == *check);
    if !is_first || profile.guide == Guide::CircleciAws {
        return Vec::new();
    }
    let Some(role) = &profile.aws.role_arn else { return Vec::new() };
    let (Some(trust), Some(permissions)) =
        (rendered(Artifact::TrustPolicy, context), rendered(Artifact::SecretsPolicy, context))
    else {
        return Vec::new();
    };
    let script = |change: &str| {
        Sh::new(profile)
            .with("NAME", role.name())
            .with("ROLE_PATH", &path_of(role))
            .with("SELECTOR", &profile.selector)
            .document("trust.json", &trust)
            .document("permissions.json", &permissions)
            .in_account(Some(&role.account))
            .run(change)
            .finish()
    };
    vec![Fix {
        text: format!(
            "Make the role `{}`: it trusts the profile's workload and no other, and reads the profile's secret.",
            role.name()
        ),
        command: Some(script(piece!("create-role.sh"))),
        document: Some(pretty(&trust)),
        verify: Some(check(profile, Some(PROPAGATION_S))),
        undo: Some(script(piece!("delete-role.sh"))),
        ..Fix::default()
    }]
}

/// `/`, or `/a/b/`.
fn path_of(role: &RoleArn) -> String {
    role.path_and_name.rsplit_once('/').map_or_else(|| "/".to_owned(), |(path, _)| format!("/{path}/"))
}

/// A policy as the guide makes it, where the profile says all that it takes.
pub(super) fn rendered(artifact: Artifact, context: Context<'_>) -> Option<Value> {
    let values = Values::of(context.profile.guide, &context.profile.settings);
    let rendered = render(artifact, &values);
    rendered.missing.is_empty().then(|| serde_json::from_str(&rendered.text).ok())?
}

/// The fixes for a refused hop to the role that reads.
pub(super) fn hop(context: Context<'_>) -> Vec<Fix> {
    let profile = context.profile;
    let (Some(caller), Some(target)) = (Principal::hopping(context), profile.role_to_assume()) else {
        return Vec::new();
    };
    if profile.guide != Guide::AwsAssumeRole {
        return vec![hop_between_roles(&caller, target, context)];
    }
    // A trust policy at hand that lets the caller in leaves the caller's own side.
    let trusted = context.facts.aws.role_trust.as_ref().and_then(|trust| trust.evaluation.as_ref());
    if trusted.is_none_or(|evaluation| evaluation.decision == Decision::Deny) {
        return Vec::new();
    }
    let need = Need { action: "sts:AssumeRole", resource: target.to_string(), policy_name: HOP_POLICY };
    vec![grant(&caller, &need, context)]
}

/// Between two roles, either side may be the one that refuses; the script looks, and changes what is missing.
fn hop_between_roles(caller: &Principal, target: &RoleArn, context: Context<'_>) -> Fix {
    // By its Sid the way back tells it from one that was there before.
    let statement = json!({
        "Sid": "FirstRole", "Effect": "Allow", "Principal": { "AWS": caller.arn }, "Action": "sts:AssumeRole"
    });
    let permission = json!({ "Version": "2012-10-17", "Statement": [
        { "Effect": "Allow", "Action": "sts:AssumeRole", "Resource": target.to_string() }
    ]});
    let admin = format!("arn:{}:iam::{}:role/{ORGANIZATION_ROLE}", target.partition, target.account);
    let script = |pieces: &[&str]| {
        let sh = Sh::new(context.profile)
            .with("KIND", caller.kind)
            .with("NAME", &caller.name)
            .with("PRINCIPAL", &caller.arn)
            .with("ROOT", &caller.root())
            .with("TARGET", target.name())
            .with("TARGET_ARN", &target.to_string())
            .with("TARGET_ACCOUNT", &target.account)
            .with_default("ADMIN_ROLE", &admin)
            .with("POLICY_NAME", HOP_POLICY)
            .document("trusted.json", &statement)
            .document("grant.json", &permission)
            .in_account(Some(&caller.account));
        pieces.iter().fold(sh, |sh, piece| sh.run(piece)).finish()
    };
    Fix {
        text: format!(
            "Let `{}` assume `{}`: by the trust policy of the one and a policy of the other, whichever lacks it.",
            caller.name, target
        ),
        command: Some(script(&[piece!("hop.sh"), piece!("hop-forth.sh"), piece!("grant.sh")])),
        document: Some(pretty(&permission)),
        verify: Some(check(context.profile, Some(PROPAGATION_S))),
        undo: Some(script(&[piece!("hop.sh"), piece!("hop-back.sh"), piece!("ungrant.sh")])),
        ..Fix::default()
    }
}

/// Every role allows a session of an hour, and a role that another role assumes allows no longer one.
const ALWAYS_ALLOWED_S: &str = "3600";

/// The fixes for a session that cannot be had as the profile asks for it; none where it is not the profile's doing.
pub(super) fn fixes(finding: &Finding, context: Context<'_>) -> Vec<Fix> {
    let fix = match finding.cause {
        Cause::SessionDuration => shorter(context),
        Cause::StsUnreachable => regional_endpoint(context),
        Cause::RoleArnMalformed => role_arn(context),
        _ => None,
    };
    fix.into_iter().collect()
}

/// A session longer than the role allows: a shorter one. The role stays as it is.
fn shorter(context: Context<'_>) -> Option<Fix> {
    context.profile.aws.session_duration_s?;
    Some(profile_set(context.profile, &[(Key::SessionDuration, ALWAYS_ALLOWED_S.to_owned())]))
}

/// An address of AWS that is not the region's own over TLS. One that is not AWS's is somebody's on purpose.
fn regional_endpoint(context: Context<'_>) -> Option<Fix> {
    let aws = &context.profile.aws;
    let region = aws.region.as_deref()?;
    let suffix = partition_of(region).ok()?.dns_suffix;
    let right = format!("https://sts.{region}.{suffix}");
    let set = aws.sts_endpoint_url.as_deref()?;
    let host = Url::parse(set).ok()?.host_str()?.to_owned();
    let is_of_aws =
        host.strip_suffix(suffix).is_some_and(|service| service.starts_with("sts.") && service.ends_with('.'));
    (is_of_aws && set.trim_end_matches('/') != right)
        .then(|| profile_set(context.profile, &[(Key::StsEndpointUrl, right)]))
}

/// The ARN as IAM has it, by the role's name.
fn role_arn(context: Context<'_>) -> Option<Fix> {
    let profile = context.profile;
    let role = profile.aws.role_arn.as_ref()?;
    let set = match (profile.setting(Key::RoleArn).map(|setting| &setting.origin), &profile.chosen_by) {
        (Some(Origin::Variable(name)), _) => format!("printf '%s has to be %s\\n' {name} \"$arn\"\n"),
        (_, Some(flag)) => format!("trustline profile set {flag} \"{}=$arn\"\n", Key::RoleArn.path()),
        (_, None) => format!(
            "{}trustline profile set --profile \"$PROFILE\" \"{}=$arn\"\n",
            variable("PROFILE", None, "the name of the profile"),
            Key::RoleArn.path()
        ),
    };
    let back = profile_set(profile, &[(Key::RoleArn, role.to_string())]);
    Some(Fix {
        text: format!("Set aws.role-arn to the ARN that IAM has for the role `{}`.", role.name()),
        command: Some(Sh::new(profile).with("NAME", role.name()).run(piece!("role-arn.sh")).run(&set).finish()),
        verify: Some(check(profile, None)),
        undo: back.command,
        ..Fix::default()
    })
}

#[cfg(test)]
mod session_tests {
    use super::*;
    use crate::cause::Certainty;
    use crate::check::CheckId;
    use crate::check::facts::Facts;
    use crate::domain::arn::RoleArn;
    use crate::domain::profile::{Guide, Profile};

    fn fix(cause: Cause, change: impl FnOnce(&mut Profile)) -> Option<Fix> {
        let mut profile = Profile::bare("p", Guide::AwsWorkloadIdentity);
        profile.chosen_by = Some("--profile p".to_owned());
        profile.aws.region = Some("eu-central-1".to_owned());
        profile.aws.role_arn = RoleArn::parse("arn:aws:iam::123456789012:role/team/reader").ok();
        change(&mut profile);
        let finding = Finding::new(cause, CheckId::AwsAssumeRoleWithWebIdentity, Certainty::Likely, "no");
        fixes(&finding, Context { profile: &profile, facts: &Facts::default() }).pop()
    }

    #[test]
    fn an_address_of_aws_becomes_the_regions_own_and_another_stays() {
        let set = |url: &str| fix(Cause::StsUnreachable, |profile| profile.aws.sts_endpoint_url = Some(url.to_owned()));
        for wrong in [
            "https://sts.amazonaws.com",
            "http://sts.eu-central-1.amazonaws.com",
            "https://sts.us-east-1.amazonaws.com/",
        ] {
            let command = set(wrong).unwrap().command.unwrap();
            assert!(command.ends_with("aws.sts-endpoint-url=https://sts.eu-central-1.amazonaws.com\n"), "{command}");
        }
        for own in ["https://127.0.0.1:4566", "https://sts.example.com", "https://sts.eu-central-1.amazonaws.com/"] {
            assert_eq!(set(own), None, "{own}");
        }
        assert_eq!(fix(Cause::StsUnreachable, |_| ()), None);
    }

    #[test]
    fn the_roles_arn_is_looked_up_by_its_name() {
        let command = fix(Cause::RoleArnMalformed, |_| ()).unwrap().command.unwrap();
        assert!(command.contains("NAME=reader\n"), "{command}");
        assert!(command.ends_with("trustline profile set --profile p \"aws.role-arn=$arn\"\n"), "{command}");
    }
}
