//! The named scenarios: worlds that are compiled in, each with one thing to teach.

use crate::domain::asset;
use serde::{Deserialize, Serialize};

use crate::domain::text_difference;

/// What a scenario is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Scenario {
    pub name: String,
    /// What it teaches, in a line.
    pub title: String,
    /// The guide whose set-up it breaks.
    #[serde(default = "usual_guide")]
    pub guide: String,
    /// The cause a check must name first; none where nothing is wrong.
    pub expects: Option<String>,
    /// The cause that it must name first with an operator's credentials, where only they show it.
    #[serde(default, alias = "expects-by-operator", skip_serializing_if = "Option::is_none")]
    pub expects_by_operator: Option<String>,
    /// The verdict that a rotation and a kickoff lead to, where the scenario is about that.
    pub rotation: Option<String>,
}

macro_rules! scenarios {
    ($($name:literal,)*) => {
        /// Name and text, in the order they are listed.
        const SCENARIOS: &[(&str, &str)] =
            &[$(($name, asset!(concat!("lab/", $name))),)*];
    };
}

scenarios! {
    "healthy",
    "issuer-not-configured",
    "discovery-invalid",
    "issuer-differs",
    "issuer-redirect",
    "issuer-slow",
    "jwks-unreachable",
    "jwks-invalid",
    "jwks-too-many",
    "jwks-key-ops",
    "jwks-kid-missing",
    "tls-expired",
    "tls-name",
    "tls-untrusted",
    "token-expired",
    "clock-skew",
    "signature-invalid",
    "malformed-token",
    "opaque-token",
    "alg-unsupported",
    "aud-multi-without-azp",
    "roles-claim",
    "provider-missing",
    "provider-other-issuer",
    "aud-not-registered",
    "principal-arn-wrong",
    "wrong-account",
    "role-missing",
    "role-propagation",
    "session-duration",
    "action-missing",
    "sub-mismatch",
    "sub-case-mismatch",
    "aud-mismatch",
    "condition-key-wrong",
    "operator-wrong",
    "explicit-deny",
    "policy-drift",
    "trust-not-applied",
    "missing-list",
    "list-resource-scoped",
    "missing-get",
    "explicit-deny-read",
    "secret-arn-suffix",
    "versionstage-condition",
    "missing-kms",
    "kms-key-policy",
    "kms-key-state",
    "secret-wrong-region",
    "secret-not-found",
    "secret-empty",
    "secret-pending-deletion",
    "json-key-missing",
    "deployment-unreachable",
    "deployment-token-wrong",
    "deployment-inputs-missing",
    "rotation-older-answers",
    "rotation-static-baked",
    "rotation-read-at-import",
    "rotation-cached",
    "rotation-cached-briefly",
    "rotation-newline",
    "rotation-crlf",
    "rotation-whole-json",
    "rotation-base64",
    "rotation-other-region",
    "rotation-pinned",
    "rotation-pending-stuck",
    "rotation-variable-unset",
    "static",
    "static-key-missing",
    "static-key-temporary",
    "static-key-wrong",
    "static-key-deleted",
    "static-missing-list",
    "static-secret-not-found",
    "assume-role",
    "assume-role-denied",
    "assume-role-untrusted",
    "external-id",
    "gitlab",
    "circleci",
    "circleci-hop-denied",
    "circleci-sub-account",
    "circleci-sub-account-caller",
    "circleci-sub-account-trust",
    "azure",
    "azure-issuer-not-configured",
    "azure-jwks-unreachable",
    "azure-jwks-kid-missing",
    "azure-signature-invalid",
    "azure-token-expired",
    "azure-clock-ahead",
    "azure-token-lifetime",
    "azure-iss-mismatch",
    "azure-sub-mismatch",
    "azure-sub-case-mismatch",
    "azure-immutable-sub",
    "azure-aud-mismatch",
    "azure-old-code",
    "azure-fic-missing",
    "azure-fic-propagation",
    "azure-tenant-wrong",
    "azure-client-wrong",
    "azure-sp-missing",
    "azure-app-disabled",
    "azure-app-multitenant",
    "azure-conditional-access",
    "azure-tenant-policy",
    "azure-throttled",
    "azure-wrong-scope",
    "azure-wrong-resource",
    "azure-wrong-audience",
    "azure-client-secret-wrong",
    "azure-client-secret-expired",
    "azure-vault-url-missing",
    "azure-vault-dns",
    "azure-vault-tenant",
    "azure-challenge-mismatch",
    "azure-firewall",
    "azure-private-endpoint",
    "azure-vault-throttled",
    "azure-rbac-missing",
    "azure-rbac-wrong-role",
    "azure-rbac-wrong-principal",
    "azure-rbac-single-secret",
    "azure-rbac-other-secret",
    "azure-access-policy-model",
    "azure-access-policy-missing",
    "azure-access-policy-no-list",
    "azure-access-policy-compound",
    "azure-secret-not-found",
    "azure-secret-soft-deleted",
    "azure-secret-disabled",
    "azure-secret-name-invalid",
    "azure-name-underscore",
    "azure-json-key-missing",
    "azure-rotation-static-baked",
    "azure-rotation-read-at-import",
    "azure-rotation-cached",
    "azure-rotation-newline",
    "azure-rotation-whole-json",
    "azure-rotation-other-vault",
    "azure-rotation-pinned",
    "gcp",
    "gcp-issuer-not-configured",
    "gcp-jwks-unreachable",
    "gcp-jwks-kid-missing",
    "gcp-uploaded-keys-stale",
    "gcp-signature-invalid",
    "gcp-key-p384",
    "gcp-alg-unsupported",
    "gcp-malformed-token",
    "gcp-token-expired",
    "gcp-clock-ahead",
    "gcp-iss-mismatch",
    "gcp-aud-mismatch",
    "gcp-aud-list",
    "gcp-aud-empty",
    "gcp-condition-false",
    "gcp-condition-fails",
    "gcp-mapping-missing",
    "gcp-mapping-type",
    "gcp-subject-too-long",
    "gcp-provider-disabled",
    "gcp-provider-deleted",
    "gcp-pool-disabled",
    "gcp-wrong-number",
    "gcp-throttled",
    "gcp-member-other-organization",
    "gcp-member-unmapped",
    "gcp-accessor-missing",
    "gcp-viewer-missing",
    "gcp-viewer-on-secret",
    "gcp-impersonation-missing",
    "gcp-service-account-missing",
    "gcp-api-disabled",
    "gcp-latest-disabled",
    "gcp-secret-empty",
    "gcp-secret-not-found",
    "gcp-regional-secret",
    "gcp-json-key-missing",
    "gcp-rotation-read-at-import",
    "gcp-rotation-cached",
    "gcp-rotation-newline",
    "gcp-rotation-whole-json",
    "gcp-rotation-other-secret",
    "gcp-rotation-pinned",
    "gcp-rotation-variable-unset",
    "github-aws",
    "github-aws-immutable-sub",
    "github-aws-environment",
    "github-aws-pull-request",
    "github-aws-reusable-workflow",
    "github-aws-audience",
    "github-aws-id-token-missing",
    "github-aws-enterprise-issuer",
    "github-aws-case",
    "github-azure",
    "github-azure-immutable-sub",
    "github-azure-environment",
    "github-azure-pull-request",
    "github-azure-reusable-workflow",
    "github-azure-audience",
    "github-azure-id-token-missing",
    "github-azure-enterprise-issuer",
    "github-gcp",
    "github-gcp-immutable-sub",
    "github-gcp-environment",
    "github-gcp-pull-request",
    "github-gcp-reusable-workflow",
    "github-gcp-audience",
    "github-gcp-id-token-missing",
    "github-gcp-other-repository",
    "kubernetes-aws",
    "kubernetes-aws-swapped",
    "kubernetes-aws-cluster-audience",
    "kubernetes-aws-token-kept",
    "kubernetes-aws-webhook-missing",
    "kubernetes-aws-new-cluster",
    "kubernetes-aws-condition-key",
    "kubernetes-azure",
    "kubernetes-azure-swapped",
    "kubernetes-azure-cluster-audience",
    "kubernetes-azure-token-kept",
    "kubernetes-azure-webhook-missing",
    "kubernetes-azure-issuer-slash",
    "kubernetes-azure-token-lifetime",
    "kubernetes-azure-proxy-audience",
    "kubernetes-azure-rbac-missing",
    "kubernetes-gcp",
    "kubernetes-gcp-swapped",
    "kubernetes-gcp-cluster-audience",
    "kubernetes-gcp-token-kept",
    "kubernetes-gcp-webhook-missing",
    "kubernetes-gcp-keys-changed",
    "kubernetes-gcp-accessor-missing",
    // Where nothing is made yet, nothing is broken either.
    "blank",
    "azure-blank",
    "gcp-blank",
    "github-aws-blank",
    "kubernetes-azure-blank",
}

/// The guide of the healthy world, which everything else differs from.
fn usual_guide() -> String {
    "aws-workload-identity".to_owned()
}

/// What each scenario is about.
pub(super) fn list() -> Result<Vec<Scenario>, serde_json::Error> {
    SCENARIOS.iter().map(|(_, text)| serde_json::from_str(text)).collect()
}

/// The names, in the order they are listed.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    SCENARIOS.iter().map(|(name, _)| *name)
}

/// The text of the scenario of this name.
pub(super) fn text(name: &str) -> Option<&'static str> {
    SCENARIOS.iter().find(|(known, _)| *known == name).map(|(_, text)| *text)
}

/// Up to three names: the one spelt most like `name`, then those that contain it.
pub(super) fn nearest(name: &str) -> Vec<String> {
    let closest = text_difference::nearest(name, names());
    let containing = names().filter(|known| !name.is_empty() && known.contains(name) && Some(*known) != closest);
    closest.into_iter().chain(containing).take(3).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_is_listed_under_its_own_name() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/assets/lab");
        let mut files: Vec<String> = std::fs::read_dir(folder)
            .unwrap()
            .filter_map(|entry| {
                entry.unwrap().file_name().into_string().unwrap().strip_suffix(".toml").map(str::to_owned)
            })
            .collect();
        let mut listed: Vec<&str> = names().collect();
        files.sort();
        listed.sort_unstable();
        assert_eq!(files, listed);
        for name in names() {
            let scenario: Scenario = serde_json::from_str(text(name).unwrap()).unwrap();
            assert_eq!(scenario.name, name);
        }
    }

    #[test]
    fn names_what_may_have_been_meant() {
        assert_eq!(nearest("sub-mismach"), ["sub-mismatch"]);
        assert_eq!(nearest("tls"), ["tls-expired", "tls-name", "tls-untrusted"]);
        assert_eq!(nearest("no such thing"), [] as [&str; 0]);
    }
}
