//! What a message of AWS says by the accounts, regions, callers and names in it.

use super::{Ordered, contains};
use crate::cause::Cause;
use crate::cause::explain::parsed::Parsed;
use crate::domain::issuer::{Description, IssuerKind};
use crate::domain::region::OPT_IN;

pub(super) fn by_platform(ordered: &mut Ordered, around: &str, platform: Option<&Description>) {
    if !ordered.has(Cause::SubMismatch) || !ordered.has(Cause::RoleMissing) {
        return;
    }
    // Only GitHub's subjects have a form with ids.
    match platform {
        Some(platform) if platform.is_of(IssuerKind::GithubActions) => {}
        Some(_) => ordered.remove(Cause::ImmutableSub),
        None if ordered.has(Cause::ImmutableSub) => ordered.place(Cause::ImmutableSub, ordered.causes.len()),
        None => {}
    }
    if contains(around, &["oidc.eks.", "eks.amazonaws.com", "system:serviceaccount", "serviceaccount"]) {
        ordered.remove(Cause::ImmutableSub);
        ordered.causes.push(Cause::ExplicitDeny);
    }
    if contains(around, &["arn:aws-cn:", "arn:aws-us-gov:", "amazonaws.com.cn", "us-gov-"]) {
        ordered.place(Cause::WrongPartition, 3);
        ordered.because(Cause::WrongPartition, "the text names a partition other than `aws`");
    }
}

/// The account field of an ARN, placeholders included.
fn account_of(arn: &str) -> Option<&str> {
    arn.starts_with("arn:")
        .then(|| arn.split(':').nth(4))
        .flatten()
        .filter(|account| !account.is_empty() && !account.starts_with('*'))
}

pub(super) fn by_accounts(ordered: &mut Ordered, parsed: &Parsed) {
    let caller = parsed.principal.as_deref().and_then(account_of);
    let owner = parsed.resource.as_deref().and_then(account_of);
    let (Some(caller), Some(owner)) = (caller, owner) else { return };
    let crosses = caller != owner;
    if ordered.has(Cause::ExternalId) && ordered.has(Cause::AssumeRoleDenied) {
        if crosses {
            ordered.place(Cause::ExternalId, 0);
            ordered.because(Cause::ExternalId, format!("the caller is in account {caller}, the role in {owner}; a role for another account usually asks for an external id, and the denial never mentions it"));
        } else {
            ordered.place(Cause::AssumeRoleDenied, 0);
            ordered.remove(Cause::WrongAccount);
        }
    } else if ordered.has(Cause::WrongAccount) && ordered.has(Cause::MissingGet) {
        if crosses {
            let says_so = parsed.reason.as_deref().is_some_and(|reason| reason.contains("resource-based"));
            ordered.place(Cause::WrongAccount, usize::from(!says_so));
            ordered.because(Cause::WrongAccount, format!("the caller is in account {caller}, the secret in {owner}"));
        } else {
            ordered.remove(Cause::WrongAccount);
        }
    }
}

pub(super) fn by_secret(ordered: &mut Ordered, parsed: &Parsed) {
    let called = parsed
        .host
        .as_deref()
        .and_then(|host| host.strip_prefix("secretsmanager."))
        .and_then(|host| host.split('.').next());
    let arn = parsed.arns.iter().find(|arn| arn.contains(":secretsmanager:"));
    let owner_region = arn.and_then(|arn| arn.split(':').nth(3)).filter(|region| !region.is_empty());
    if ordered.has(Cause::SecretWrongRegion)
        && let (Some(called), Some(wanted)) = (called, owner_region)
    {
        if called == wanted {
            ordered.remove(Cause::SecretWrongRegion);
        } else {
            ordered.place(Cause::SecretWrongRegion, 0);
            ordered.because(Cause::SecretWrongRegion, format!("the ARN names {wanted}, the request went to {called}"));
        }
    }
    if !ordered.has(Cause::SecretArnSuffix) {
        return;
    }
    let Some(resource) = parsed.resource.as_deref() else { return };
    match resource.split_once(":secret:") {
        None if !resource.starts_with("arn:") => {
            ordered.place(Cause::SecretNotFound, 1);
            ordered.because(
                Cause::SecretNotFound,
                format!("the denial names `{resource}` instead of a full ARN: no secret of that name was found in the region asked"),
            );
            ordered.place(Cause::SecretWrongRegion, 2);
        }
        Some((_, name)) if !has_random_suffix(name) => {
            ordered.place(Cause::SecretArnSuffix, 1);
            ordered.because(
                Cause::SecretArnSuffix,
                "the ARN in the denial lacks the six random characters that every secret's ARN ends with",
            );
        }
        _ => {}
    }
}

/// Whether a secret's name in an ARN ends in `-` and six random characters.
fn has_random_suffix(name: &str) -> bool {
    name.rsplit_once('-').is_some_and(|(_, tail)| tail.len() == 6 && tail.bytes().all(|b| b.is_ascii_alphanumeric()))
}

/// What the roles of Kubernetes nodes have in their names, as eksctl, the console and Terraform make them.
const NODE_ROLES: &[&str] = &["nodeinstancerole", "eksnoderole", "eks-node", "node-group", "nodegroup"];

pub(super) fn by_caller(ordered: &mut Ordered, parsed: &Parsed) {
    let session =
        parsed.principal.as_deref().filter(|arn| arn.contains(":assumed-role/")).and_then(|arn| arn.rsplit('/').next());
    let role = parsed.principal.as_deref().and_then(|arn| arn.split(":assumed-role/").nth(1)).unwrap_or_default();
    let is_node = NODE_ROLES.iter().any(|mark| role.to_ascii_lowercase().contains(mark));
    if is_node && ordered.has(Cause::EnvConflict) {
        ordered.place(Cause::EnvConflict, 0);
        ordered.because(Cause::EnvConflict, "the caller is the node's role: IRSA or Pod Identity is not in effect for this pod, so the SDK fell back to the machine. Look for eks.amazonaws.com/role-arn on the service account, and for AWS_WEB_IDENTITY_TOKEN_FILE in a pod that was started after it was set");
        return;
    }
    let is_instance = session
        .and_then(|name| name.strip_prefix("i-"))
        .is_some_and(|id| id.len() >= 8 && id.bytes().all(|b| b.is_ascii_hexdigit()));
    if is_instance && ordered.has(Cause::EnvConflict) {
        ordered.place(Cause::EnvConflict, 1);
        ordered.because(Cause::EnvConflict, "the caller is the role of a machine (its session name is an instance id), not the identity the workload was given");
    }
}

pub(super) fn by_credentials(ordered: &mut Ordered, around: &str) {
    if !ordered.has(Cause::StaticKeyWrong) || !ordered.has(Cause::EnvConflict) {
        return;
    }
    if contains(around, &["assumerolewithwebidentity", "web identity", "oidc", "webidentity"]) {
        ordered.place(Cause::EnvConflict, 0);
        ordered.because(
            Cause::EnvConflict,
            "a web identity exchange sends no key of its own, so a key that is refused came from elsewhere",
        );
    }
    if let Some(region) = OPT_IN.iter().find(|region| around.contains(*region))
        && ordered.has(Cause::RegionDisabled)
    {
        ordered.place(Cause::RegionDisabled, 0);
        ordered.because(
            Cause::RegionDisabled,
            format!("{region} has to be enabled for the account before any credential works there"),
        );
    }
    if contains(around, &["cn-north-1", "cn-northwest-1", "us-gov-", "arn:aws-cn", "arn:aws-us-gov"])
        && ordered.has(Cause::WrongPartition)
    {
        ordered.place(Cause::WrongPartition, 1);
    }
}
