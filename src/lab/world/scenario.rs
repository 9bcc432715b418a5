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
    /// The link of the chain whose check finds it, or the one that a rotation is about; none where nothing breaks.
    #[serde(skip_deserializing, skip_serializing_if = "Option::is_none")]
    pub link: Option<&'static str>,
}

/// A scenario as it is compiled in.
struct BuiltIn {
    name: &'static str,
    /// The link of the chain that breaks, as it is named in the list below; empty where none does.
    link: &'static str,
    text: &'static str,
}

macro_rules! scenarios {
    ($($name:literal $($link:ident)?,)*) => {
        /// In the order they are listed.
        const SCENARIOS: &[BuiltIn] = &[$(
            BuiltIn { name: $name, link: concat!($(stringify!($link))?), text: asset!(concat!("lab/", $name)) },
        )*];
    };
}

scenarios! {
    "healthy",
    "issuer-not-configured" issuer,
    "discovery-invalid" issuer,
    "issuer-differs" issuer,
    "issuer-redirect" issuer,
    "issuer-slow" issuer,
    "jwks-unreachable" keys,
    "jwks-invalid" keys,
    "jwks-too-many" keys,
    "jwks-key-ops" keys,
    "jwks-kid-missing" token,
    "tls-expired" issuer,
    "tls-name" issuer,
    "tls-untrusted" issuer,
    "token-expired" token,
    "clock-skew" role,
    "signature-invalid" token,
    "malformed-token" token,
    "opaque-token" token,
    "alg-unsupported" token,
    "aud-multi-without-azp" token,
    "roles-claim" token,
    "provider-missing" role,
    "provider-other-issuer" role,
    "aud-not-registered" role,
    "principal-arn-wrong" trust,
    "wrong-account" trust,
    "role-missing" role,
    "role-propagation" role,
    "session-duration" role,
    "action-missing" trust,
    "sub-mismatch" trust,
    "sub-case-mismatch" trust,
    "aud-mismatch" trust,
    "condition-key-wrong" trust,
    "operator-wrong" trust,
    "explicit-deny" trust,
    "policy-drift" trust,
    "trust-not-applied" trust,
    "missing-list" secret,
    "list-resource-scoped" secret,
    "missing-get" secret,
    "explicit-deny-read" secret,
    "secret-arn-suffix" secret,
    "versionstage-condition" secret,
    "missing-kms" secret,
    "kms-key-policy" secret,
    "kms-key-state" secret,
    "secret-wrong-region" secret,
    "secret-not-found" secret,
    "secret-empty" secret,
    "secret-pending-deletion" secret,
    "json-key-missing" secret,
    "deployment-unreachable" runtime,
    "deployment-token-wrong" runtime,
    "deployment-inputs-missing" runtime,
    "rotation-older-answers" runtime,
    "rotation-static-baked" runtime,
    "rotation-read-at-import" runtime,
    "rotation-cached" runtime,
    "rotation-cached-briefly" runtime,
    "rotation-newline" runtime,
    "rotation-crlf" runtime,
    "rotation-whole-json" runtime,
    "rotation-base64" runtime,
    "rotation-other-region" runtime,
    "rotation-pinned" runtime,
    "rotation-pending-stuck" runtime,
    "rotation-variable-unset" runtime,
    "static",
    "static-key-missing" role,
    "static-key-temporary" role,
    "static-key-wrong" role,
    "static-key-deleted" role,
    "static-missing-list" secret,
    "static-secret-not-found" secret,
    "assume-role",
    "assume-role-denied" role,
    "assume-role-untrusted" trust,
    "external-id" trust,
    "gitlab",
    "circleci",
    "circleci-hop-denied" role,
    "circleci-sub-account",
    "circleci-sub-account-caller" role,
    "circleci-sub-account-trust" role,
    "azure",
    "azure-issuer-not-configured" issuer,
    "azure-jwks-unreachable" keys,
    "azure-jwks-kid-missing" role,
    "azure-signature-invalid" token,
    "azure-token-expired" token,
    "azure-clock-ahead" role,
    "azure-token-lifetime" token,
    "azure-iss-mismatch" trust,
    "azure-sub-mismatch" trust,
    "azure-sub-case-mismatch" trust,
    "azure-immutable-sub" trust,
    "azure-aud-mismatch" trust,
    "azure-old-code" trust,
    "azure-fic-missing" trust,
    "azure-fic-propagation" role,
    "azure-tenant-wrong" secret,
    "azure-client-wrong" role,
    "azure-sp-missing" role,
    "azure-app-disabled" role,
    "azure-app-multitenant" role,
    "azure-conditional-access" role,
    "azure-tenant-policy" role,
    "azure-throttled" role,
    "azure-wrong-scope" role,
    "azure-wrong-resource" role,
    "azure-wrong-audience" secret,
    "azure-client-secret-wrong" role,
    "azure-client-secret-expired" role,
    "azure-vault-url-missing" secret,
    "azure-vault-dns" secret,
    "azure-vault-tenant" secret,
    "azure-challenge-mismatch" secret,
    "azure-firewall" secret,
    "azure-private-endpoint" secret,
    "azure-vault-throttled" secret,
    "azure-rbac-missing" secret,
    "azure-rbac-wrong-role" secret,
    "azure-rbac-wrong-principal" secret,
    "azure-rbac-single-secret" secret,
    "azure-rbac-other-secret" secret,
    "azure-access-policy-model" secret,
    "azure-access-policy-missing" secret,
    "azure-access-policy-no-list" secret,
    "azure-access-policy-compound" secret,
    "azure-secret-not-found" secret,
    "azure-secret-soft-deleted" secret,
    "azure-secret-disabled" secret,
    "azure-secret-name-invalid" secret,
    "azure-name-underscore",
    "azure-json-key-missing" secret,
    "azure-rotation-static-baked" runtime,
    "azure-rotation-read-at-import" runtime,
    "azure-rotation-cached" runtime,
    "azure-rotation-newline" runtime,
    "azure-rotation-whole-json" runtime,
    "azure-rotation-other-vault" runtime,
    "azure-rotation-pinned" runtime,
    "gcp",
    "gcp-issuer-not-configured" issuer,
    "gcp-jwks-unreachable" keys,
    "gcp-jwks-kid-missing" role,
    "gcp-uploaded-keys-stale" role,
    "gcp-signature-invalid" token,
    "gcp-key-p384" keys,
    "gcp-alg-unsupported" token,
    "gcp-malformed-token" token,
    "gcp-token-expired" token,
    "gcp-clock-ahead" token,
    "gcp-iss-mismatch" trust,
    "gcp-aud-mismatch" trust,
    "gcp-aud-list" trust,
    "gcp-aud-empty" token,
    "gcp-condition-false" trust,
    "gcp-condition-fails" trust,
    "gcp-mapping-missing" trust,
    "gcp-mapping-type" trust,
    "gcp-subject-too-long" trust,
    "gcp-provider-disabled" trust,
    "gcp-provider-deleted" trust,
    "gcp-pool-disabled" role,
    "gcp-wrong-number" role,
    "gcp-throttled" role,
    "gcp-member-other-organization" trust,
    "gcp-member-unmapped" trust,
    "gcp-accessor-missing" secret,
    "gcp-viewer-missing" secret,
    "gcp-viewer-on-secret" secret,
    "gcp-impersonation-missing" role,
    "gcp-service-account-missing" role,
    "gcp-folder-binding",
    "gcp-organization-binding",
    "gcp-deny-project" secret,
    "gcp-deny-folder" secret,
    "gcp-deny-impersonation" role,
    "gcp-api-disabled" secret,
    "gcp-latest-disabled" secret,
    "gcp-secret-empty" secret,
    "gcp-secret-not-found" secret,
    "gcp-regional-secret" secret,
    "gcp-json-key-missing" secret,
    "gcp-rotation-read-at-import" runtime,
    "gcp-rotation-cached" runtime,
    "gcp-rotation-newline" runtime,
    "gcp-rotation-whole-json" runtime,
    "gcp-rotation-other-secret" runtime,
    "gcp-rotation-pinned" runtime,
    "gcp-rotation-variable-unset" runtime,
    "github-aws",
    "github-aws-immutable-sub" trust,
    "github-aws-environment" trust,
    "github-aws-pull-request" trust,
    "github-aws-reusable-workflow" trust,
    "github-aws-audience" token,
    "github-aws-id-token-missing" token,
    "github-aws-enterprise-issuer" trust,
    "github-aws-case" trust,
    "github-azure",
    "github-azure-immutable-sub" trust,
    "github-azure-environment" trust,
    "github-azure-pull-request" trust,
    "github-azure-reusable-workflow" trust,
    "github-azure-audience" trust,
    "github-azure-id-token-missing" token,
    "github-azure-enterprise-issuer" trust,
    "github-gcp",
    "github-gcp-immutable-sub" trust,
    "github-gcp-environment" trust,
    "github-gcp-pull-request" trust,
    "github-gcp-reusable-workflow" trust,
    "github-gcp-audience" trust,
    "github-gcp-id-token-missing" token,
    "github-gcp-other-repository" trust,
    "kubernetes-aws",
    "kubernetes-aws-swapped" trust,
    "kubernetes-aws-cluster-audience" token,
    "kubernetes-aws-token-kept" token,
    "kubernetes-aws-webhook-missing" token,
    "kubernetes-aws-new-cluster" role,
    "kubernetes-aws-condition-key" trust,
    "kubernetes-azure",
    "kubernetes-azure-swapped" trust,
    "kubernetes-azure-cluster-audience" trust,
    "kubernetes-azure-token-kept" token,
    "kubernetes-azure-webhook-missing" token,
    "kubernetes-azure-issuer-slash" trust,
    "kubernetes-azure-token-lifetime" token,
    "kubernetes-azure-proxy-audience" trust,
    "kubernetes-azure-rbac-missing" secret,
    "kubernetes-gcp",
    "kubernetes-gcp-swapped" trust,
    "kubernetes-gcp-cluster-audience" trust,
    "kubernetes-gcp-token-kept" token,
    "kubernetes-gcp-webhook-missing" token,
    "kubernetes-gcp-keys-changed" role,
    "kubernetes-gcp-accessor-missing" secret,
    "azure-static",
    "azure-static-secret-id" role,
    "azure-static-secret-expired" role,
    "azure-static-secret-missing" role,
    "azure-static-tenant-wrong" secret,
    "azure-static-client-wrong" role,
    "azure-static-contributor" secret,
    "azure-static-access-policies" secret,
    "azure-static-private-endpoint" secret,
    "gcp-static",
    "gcp-static-key-deleted" role,
    "gcp-static-key-disabled" role,
    "gcp-static-key-missing" role,
    "gcp-static-federation-file" role,
    "gcp-static-account-disabled" role,
    "gcp-static-account-deleted" role,
    "gcp-static-clock" role,
    "gcp-static-viewer-missing" secret,
    "gcp-static-accessor-missing" secret,
    // Where nothing is made yet, nothing is broken either.
    "blank" role,
    "azure-blank" role,
    "gcp-blank" role,
    "github-aws-blank" role,
    "kubernetes-azure-blank" role,
}

/// The guide of the healthy world, which everything else differs from.
fn usual_guide() -> String {
    "aws-workload-identity".to_owned()
}

/// What each scenario is about.
pub(super) fn list() -> Result<Vec<Scenario>, serde_json::Error> {
    let scenario = |known: &BuiltIn| {
        let told: Scenario = serde_json::from_str(known.text)?;
        Ok(Scenario { link: Some(known.link).filter(|link| !link.is_empty()), ..told })
    };
    SCENARIOS.iter().map(scenario).collect()
}

/// The names, in the order they are listed.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    SCENARIOS.iter().map(|known| known.name)
}

/// The text of the scenario of this name.
pub(super) fn text(name: &str) -> Option<&'static str> {
    SCENARIOS.iter().find(|known| known.name == name).map(|known| known.text)
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
