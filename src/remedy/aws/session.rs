//! The session that is asked for: how long, of which STS, and for which role. The cloud is right, the profile is wrong.

use url::Url;

use super::shell::{Sh, piece};
use crate::cause::{Cause, Finding, Fix};
use crate::domain::profile::key::Key;
use crate::domain::profile::setting::Origin;
use crate::domain::region::partition_of;
use crate::remedy::script::{check, variable};
use crate::remedy::{Context, profile_set};

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
mod tests {
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
