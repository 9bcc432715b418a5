//! Condition keys that no token of an issuer can ever bring: told apart from keys whose value differs.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::context::{NEVER_WITH_WEB_IDENTITY, claim_name};
use super::open_text::is_open;
use crate::domain::issuer::{DEFAULT_KEYS, IssuerKind};
use crate::domain::text_difference::nearest;

/// What makes a key impossible.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum KeyFault {
    /// `iss`, which is no condition key.
    Issuer,
    /// The provider's ARN stands where the issuer's host and path belong.
    ArnPrefix,
    /// The prefix has `https://`.
    SchemePrefix,
    /// The prefix has a slash at its end that the issuer has not, or the reverse.
    SlashPrefix,
    /// The prefix is the issuer's host without its path.
    PathMissing,
    /// The prefix is another issuer's.
    OtherIssuer,
    /// The claim is in the token, and STS makes no key of it.
    NotExposed,
    /// No claim has this name.
    UnknownClaim,
    /// The name stands without the issuer before it.
    NoPrefix,
    /// `sts:ExternalId`: a web identity request has no such parameter.
    ExternalId,
    /// A key about a signed caller: a web identity request is not signed.
    SignedCaller,
}

/// A key that is never in a request, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImpossibleKey {
    pub fault: KeyFault,
    pub why: String,
    /// The key that was probably meant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub corrected: Option<String>,
}

impl ImpossibleKey {
    fn new(fault: KeyFault, why: impl Into<String>, corrected: Option<String>) -> Self {
        ImpossibleKey { fault, why: why.into(), corrected }
    }
}

/// Why no token of the issuer with the key prefix `prefix` can bring `key`; `None` where one can.
pub fn impossible(key: &str, prefix: &str, kind: IssuerKind, claims: &Map<String, Value>) -> Option<ImpossibleKey> {
    if is_open(key) {
        return None;
    }
    if let Some(name) = claim_name(key, prefix) {
        return impossible_claim(name, prefix, kind, claims);
    }
    let Some((head, name)) = key.rsplit_once(':') else {
        let corrected = is_claim_key(key, kind).then(|| format!("{prefix}:{key}"));
        return Some(ImpossibleKey::new(KeyFault::NoPrefix, format!("`{key}` has no issuer before it"), corrected));
    };
    if head.eq_ignore_ascii_case("sts") {
        let external = name.eq_ignore_ascii_case("ExternalId");
        let why = "a web identity request has no external id, so this condition can never be met";
        return external.then(|| ImpossibleKey::new(KeyFault::ExternalId, why, None));
    }
    if head.eq_ignore_ascii_case("aws") {
        let signed = NEVER_WITH_WEB_IDENTITY.iter().any(|known| known.eq_ignore_ascii_case(name));
        let why = "a web identity request is not signed by a user, so it never has this key";
        return signed.then(|| ImpossibleKey::new(KeyFault::SignedCaller, why, None));
    }
    let meant = is_claim_key(name, kind).then(|| format!("{prefix}:{name}"));
    if head.to_ascii_lowercase().starts_with("arn:") {
        let why = format!("the prefix is an ARN; it must be the issuer's host and path, `{prefix}`");
        return Some(ImpossibleKey::new(KeyFault::ArnPrefix, why, meant));
    }
    if head.contains("://") {
        let why = format!("the prefix has a scheme; it must be the issuer's host and path, `{prefix}`");
        return Some(ImpossibleKey::new(KeyFault::SchemePrefix, why, meant));
    }
    let bare = |text: &str| text.trim_end_matches('/').to_ascii_lowercase();
    if bare(head) == bare(prefix) {
        let why = format!("the prefix and the issuer differ in a slash at the end; the issuer's is `{prefix}`");
        return Some(ImpossibleKey::new(KeyFault::SlashPrefix, why, meant));
    }
    let (head_host, head_path) = head.split_once('/').unwrap_or((head, ""));
    if head_path.is_empty() && bare(prefix).split('/').next() == Some(&bare(head_host)) {
        let why = format!("the prefix lacks the issuer's path; it must be `{prefix}`");
        return Some(ImpossibleKey::new(KeyFault::PathMissing, why, meant));
    }
    Some(ImpossibleKey::new(KeyFault::OtherIssuer, format!("the prefix is not the token's issuer, `{prefix}`"), meant))
}

fn impossible_claim(name: &str, prefix: &str, kind: IssuerKind, claims: &Map<String, Value>) -> Option<ImpossibleKey> {
    if is_claim_key(name, kind) {
        return None;
    }
    if name.eq_ignore_ascii_case("iss") {
        let why = "`iss` is no condition key: the issuer is fixed by the federated principal";
        return Some(ImpossibleKey::new(KeyFault::Issuer, why, None));
    }
    if claims.contains_key(name) {
        let why = format!(
            "STS makes no condition key of the claim `{name}` for {}, unless the provider has a context provider that maps it \
             (since November 2026)",
            kind.name()
        );
        return Some(ImpossibleKey::new(KeyFault::NotExposed, why, None));
    }
    let corrected = nearest_claim(name, kind).map(|claim| format!("{prefix}:{claim}"));
    let why = format!("STS knows no condition key `{name}` for {}", kind.name());
    Some(ImpossibleKey::new(KeyFault::UnknownClaim, why, corrected))
}

/// Whether STS turns a claim of this name into a condition key.
fn is_claim_key(name: &str, kind: IssuerKind) -> bool {
    DEFAULT_KEYS.iter().chain(kind.extra_keys()).any(|known| known.eq_ignore_ascii_case(name))
}

fn nearest_claim(name: &str, kind: IssuerKind) -> Option<&'static str> {
    let name: String = name.trim().to_ascii_lowercase().chars().take(64).collect();
    match name.as_str() {
        "subject" => return Some("sub"),
        "audience" | "azp" => return Some("aud"),
        _ => {}
    }
    nearest(&name, DEFAULT_KEYS.iter().chain(kind.extra_keys()).copied())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_impossible_keys_with_what_was_meant() {
        use KeyFault::*;
        let claims = serde_json::json!({"iss": "https://h.example.com/p", "runner_environment": "github-hosted"});
        let claims = claims.as_object().unwrap();
        for (key, fault, corrected) in [
            ("h.example.com/p:sub", None, None),
            ("H.Example.com/p:SUB", None, None),
            ("h.example.com/p:amr", None, None),
            ("sts:RoleSessionName", None, None),
            ("aws:SourceIp", None, None),
            ("h.example.com/p:iss", Some(Issuer), None),
            ("h.example.com/p:runner_environment", Some(NotExposed), None),
            ("h.example.com/p:subject", Some(UnknownClaim), Some("h.example.com/p:sub")),
            ("h.example.com/p:aut", Some(UnknownClaim), Some("h.example.com/p:aud")),
            ("h.example.com/p:weather", Some(UnknownClaim), None),
            ("arn:aws:iam::1:oidc-provider/h.example.com/p:sub", Some(ArnPrefix), Some("h.example.com/p:sub")),
            ("https://h.example.com/p:sub", Some(SchemePrefix), Some("h.example.com/p:sub")),
            ("h.example.com/p/:sub", Some(SlashPrefix), Some("h.example.com/p:sub")),
            ("h.example.com:sub", Some(PathMissing), Some("h.example.com/p:sub")),
            ("other.example.com:aud", Some(OtherIssuer), Some("h.example.com/p:aud")),
            ("sub", Some(NoPrefix), Some("h.example.com/p:sub")),
            ("sts:ExternalId", Some(ExternalId), None),
            ("aws:username", Some(SignedCaller), None),
        ] {
            let found = impossible(key, "h.example.com/p", IssuerKind::Generic, claims);
            assert_eq!(found.as_ref().map(|f| f.fault), fault, "{key}");
            assert_eq!(found.and_then(|f| f.corrected).as_deref(), corrected, "{key}");
        }
    }

    #[test]
    fn provider_specific_keys_are_possible_for_their_issuer_only() {
        let claims = Map::new();
        let fault = |kind, key: &str| impossible(key, "h", kind, &claims).map(|f| f.fault);
        assert_eq!(fault(IssuerKind::GithubActions, "h:repository_owner_id"), None);
        assert_eq!(fault(IssuerKind::GithubEnterpriseServer, "h:repository_owner_id"), Some(KeyFault::UnknownClaim));
        assert_eq!(fault(IssuerKind::GithubActions, "h:runner_environment"), Some(KeyFault::UnknownClaim));
        assert_eq!(fault(IssuerKind::GitlabCom, "h:runner_environment"), None);
        assert_eq!(fault(IssuerKind::CircleCi, "h:oidc.circleci.com/project-id"), None);
        // A job may be in several contexts since November 2025; STS knows of none.
        let claims = serde_json::json!({"oidc.circleci.com/context-ids": ["c-1", "c-2"]});
        let contexts = "h:oidc.circleci.com/context-ids";
        let found = impossible(contexts, "h", IssuerKind::CircleCi, claims.as_object().unwrap());
        assert_eq!(found.map(|found| found.fault), Some(KeyFault::NotExposed));
    }
}
