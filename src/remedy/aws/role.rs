//! A role that is not there, and the hop from one role to the next.

use serde_json::{Value, json};

use super::permissions::{Need, grant};
use super::shell::{Sh, piece, pretty};
use super::subject::Principal;
use crate::cause::{Finding, Fix};
use crate::check::CheckId;
use crate::domain::arn::RoleArn;
use crate::domain::iam::Decision;
use crate::domain::profile::Guide;
use crate::guide::{Artifact, Values, render};
use crate::remedy::Context;
use crate::remedy::script::check;

const PROPAGATION_S: u32 = 60;
/// The role by which an organization's management account administers the accounts that it made
/// (<https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_accounts_access.html>).
const ORGANIZATION_ROLE: &str = "OrganizationAccountAccessRole";
const HOP_POLICY: &str = "AssumeSecretsRole";

/// The fixes for a role that is not there: it is made as the guide makes it, unless one of its name is there.
pub(super) fn missing(finding: &Finding, context: Context<'_>) -> Vec<Fix> {
    let profile = context.profile;
    if finding.check != CheckId::AwsAssumeRoleWithWebIdentity || profile.guide == Guide::CircleciAws {
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
