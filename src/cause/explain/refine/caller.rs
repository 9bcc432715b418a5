//! What a text says of who called: accounts, a machine's role, and the kind of the keys that were used.

use super::ordered::{Ordered, contains};
use crate::cause::Cause;
use crate::cause::explain::parsed::Parsed;
use crate::domain::region::OPT_IN;

/// Roles that AWS Organizations, Control Tower and the CDK make in member accounts: their trust asks for no external id.
const WITHOUT_EXTERNAL_ID: &[&str] = &["organizationaccountaccessrole", "awscontroltowerexecution", "role/cdk-"];

/// The account field of an ARN, placeholders included.
fn account_of(arn: &str) -> Option<&str> {
    arn.starts_with("arn:")
        .then(|| arn.split(':').nth(4))
        .flatten()
        .filter(|account| !account.is_empty() && !account.starts_with('*'))
}

pub(super) fn by_accounts(ordered: &mut Ordered, parsed: &Parsed) {
    let caller = parsed.principal.as_deref().and_then(account_of);
    let resource = parsed.resource.as_deref();
    let (Some(caller), Some(owner)) = (caller, resource.and_then(account_of)) else { return };
    let crosses = caller != owner;
    if ordered.has(Cause::ExternalId) && ordered.has(Cause::AssumeRoleDenied) {
        let of_a_service = resource.is_some_and(|arn| contains(&arn.to_ascii_lowercase(), WITHOUT_EXTERNAL_ID));
        if crosses && !of_a_service {
            ordered.place(Cause::ExternalId, 0);
            ordered.because(Cause::ExternalId, format!("the caller is in account {caller}, the role in {owner}; a role for another account usually asks for an external id, and the denial never mentions it"));
        } else {
            ordered.place(Cause::AssumeRoleDenied, 0);
            if !crosses {
                ordered.remove(Cause::WrongAccount);
            }
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

/// What the roles of Kubernetes nodes have in their names, as eksctl, Karpenter, the console and Terraform make them.
const NODE_ROLES: &[&str] = &[
    "nodeinstancerole",
    "noderole",
    "eks-node",
    "eksnode",
    "node-group",
    "nodegroup",
    "node-role",
    "karpenternode",
    "eks-worker",
];
/// What a text says that is about a cluster.
const CLUSTER: &[&str] = &["eks", "kube", "serviceaccount", "namespace", "irsa", "/pod/", "pod "];

/// The caller is the machine, not the workload: the exchange did not take place, and the SDK went on to the machine's role.
pub(super) fn by_caller(ordered: &mut Ordered, parsed: &Parsed, around: &str) {
    let Some(arn) = parsed.principal.as_deref().filter(|_| ordered.has(Cause::EnvConflict)) else { return };
    let Some((role, session)) = arn.split_once(":assumed-role/").and_then(|(_, rest)| rest.rsplit_once('/')) else {
        return;
    };
    let is_instance =
        session.strip_prefix("i-").is_some_and(|id| id.len() >= 8 && id.bytes().all(|b| b.is_ascii_hexdigit()));
    let role = role.to_ascii_lowercase();
    let is_node = contains(&role, NODE_ROLES) || is_instance && contains(&role, &["node", "eks", "worker", "kops"]);
    if is_node || is_instance && contains(around, CLUSTER) {
        ordered.place(Cause::EnvConflict, 0);
        ordered.because(Cause::EnvConflict, "the caller is the node's role: IRSA or Pod Identity is not in effect for this pod, so the SDK fell back to the machine. Look for eks.amazonaws.com/role-arn on the service account, and for AWS_WEB_IDENTITY_TOKEN_FILE in a pod that was started after it was set");
    } else if is_instance {
        ordered.place(Cause::EnvConflict, 1);
        ordered.because(Cause::EnvConflict, "the caller is the role of a machine (its session name is an instance id), not the identity the workload was given");
    }
}

/// A key id's first letters say what it belongs to: ASIA to a session, AKIA to a user.
pub(super) fn by_keys(ordered: &mut Ordered, around: &str) {
    const ID: usize = 20;
    if !ordered.has(Cause::SessionTokenMissing) {
        return;
    }
    let has_id = |prefix: &str| {
        around.match_indices(prefix).any(|(at, _)| {
            let rest = &around.as_bytes()[at..];
            rest.iter().take(ID).filter(|byte| byte.is_ascii_alphanumeric()).count() == ID
                || rest.get(prefix.len()).is_some_and(|byte| matches!(byte, b'*' | b'.' | b'x'))
        })
    };
    if has_id("asia") {
        ordered.place(Cause::SessionTokenMissing, 0);
        ordered.because(Cause::SessionTokenMissing, "the key id begins with ASIA: it belongs to a session, and is known to AWS only together with its session token");
    } else if has_id("akia") {
        ordered.remove(Cause::SessionTokenMissing);
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

#[cfg(test)]
mod tests {
    use crate::cause::Cause;
    use crate::cause::explain::{ExplainContext, explain};

    fn first(text: &str) -> Option<Cause> {
        explain(text, &ExplainContext::default()).causes.first().map(|finding| finding.cause)
    }

    #[test]
    fn a_nodes_role_in_a_denial_means_that_the_exchange_did_not_take_place() {
        let denied = |caller: &str, before: &str| {
            format!(
                "{before}AccessDeniedException: User: arn:aws:sts::123456789012:assumed-role/{caller} is not authorized to \
                 perform: sqs:SendMessage on resource: arn:aws:sqs:eu-west-1:123456789012:jobs because no identity-based \
                 policy allows the sqs:SendMessage action"
            )
        };
        for (caller, before, cause) in [
            ("eksctl-a-nodegroup-b-NodeInstanceRole-1XY/i-0123456789abcdef0", "", Cause::EnvConflict),
            ("KarpenterNodeRole-a/i-0123456789abcdef0", "", Cause::EnvConflict),
            ("platform/i-0123456789abcdef0", "kubectl logs -n team: ", Cause::EnvConflict),
            ("platform/i-0123456789abcdef0", "", Cause::MissingGet),
            ("reader/session", "", Cause::MissingGet),
        ] {
            assert_eq!(first(&denied(caller, before)), Some(cause), "{caller} {before}");
        }
    }

    #[test]
    fn the_kind_of_a_key_decides_what_is_wrong_with_it() {
        let invalid = "UnrecognizedClientException: The security token included in the request is invalid";
        for (key, cause) in [
            ("ASIAABCDEFGHIJKLMNOP", Cause::SessionTokenMissing),
            ("ASIA****************", Cause::SessionTokenMissing),
            ("AKIAABCDEFGHIJKLMNOP", Cause::StaticKeyWrong),
        ] {
            let text = format!("{invalid} (key {key})");
            assert_eq!(first(&text), Some(cause), "{key}");
            let listed = explain(&text, &ExplainContext::default()).causes;
            assert_eq!(listed.iter().any(|f| f.cause == Cause::SessionTokenMissing), key.starts_with("ASIA"), "{key}");
        }
        assert_eq!(first("Asian customers: InvalidClientTokenId"), Some(Cause::StaticKeyWrong));
    }

    #[test]
    fn a_role_that_organizations_made_asks_for_no_external_id() {
        let denied = |role: &str| {
            format!(
                "User: arn:aws:iam::123456789012:user/ci is not authorized to perform: sts:AssumeRole on resource: \
                 arn:aws:iam::210987654321:role/{role}"
            )
        };
        assert_eq!(first(&denied("AWSControlTowerExecution")), Some(Cause::AssumeRoleDenied));
        assert_eq!(first(&denied("partner")), Some(Cause::ExternalId));
    }
}
