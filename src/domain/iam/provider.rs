//! The identity provider that STS finds for a token: by its issuer, in the role's account.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::policy::Policy;
use super::policy::ProviderArn;
use crate::domain::arn::Arn;
use crate::domain::issuer::BUILT_IN_PROVIDERS;
use crate::domain::issuer::{condition_key_prefix, provider_arn};

/// Stands where the account is not known.
pub const NO_ACCOUNT: &str = "000000000000";

/// The provider a token is taken to come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Provider {
    /// Its ARN, or the host of a built-in one.
    pub arn: String,
    pub known_from: KnownFrom,
}

/// What told the account and partition of a provider's ARN.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum KnownFrom {
    /// It was given.
    Given,
    /// The role's ARN: a role trusts providers of its own account only.
    Role,
    /// The policy's own principal, for lack of the role's ARN.
    Principal,
    /// The provider is built in and has no account.
    BuiltIn,
    /// Nothing told it: the account is made up.
    Nothing,
}

impl KnownFrom {
    /// In words, after "the provider is taken from".
    pub const fn words(self) -> &'static str {
        match self {
            KnownFrom::Given => "the ARN given",
            KnownFrom::Role => "the token's issuer and the role's account",
            KnownFrom::Principal => "the token's issuer and the account in the policy's principal",
            KnownFrom::BuiltIn => "the token's issuer, which is built in",
            KnownFrom::Nothing => "the token's issuer; its account is not known, so it is not compared",
        }
    }
}

impl Provider {
    /// The provider of `claims`' issuer. The account comes from `role_arn`, else from the answer of `get-role` that
    /// held the policy, else from the policy's principal.
    pub fn of(claims: &Map<String, Value>, policy: &Policy, role_arn: Option<&str>) -> Provider {
        let issuer = claims.get("iss").and_then(Value::as_str).unwrap_or_default();
        if BUILT_IN_PROVIDERS.contains(&condition_key_prefix(issuer)) {
            return Provider { arn: condition_key_prefix(issuer).to_owned(), known_from: KnownFrom::BuiltIn };
        }
        if let Some((partition, account)) = role_arn.or(policy.role_arn.as_deref()).and_then(home) {
            return Provider { arn: provider_arn(issuer, partition, account), known_from: KnownFrom::Role };
        }
        let principals = policy.statements.iter().filter_map(|statement| statement.principal.as_ref());
        let providers = principals.flat_map(|p| &p.federated).filter_map(|p| ProviderArn::parse(p));
        let url = condition_key_prefix(issuer);
        let like_ours = |arn: &ProviderArn<'_>| {
            arn.url.to_ascii_lowercase().contains(&url.trim_end_matches('/').to_ascii_lowercase())
        };
        match providers.clone().find(like_ours).or_else(|| providers.clone().next()) {
            Some(arn) => {
                Provider { arn: provider_arn(issuer, arn.partition, arn.account), known_from: KnownFrom::Principal }
            }
            None => Provider { arn: provider_arn(issuer, "aws", NO_ACCOUNT), known_from: KnownFrom::Nothing },
        }
    }
}

/// The partition and account of an IAM ARN.
fn home(arn: &str) -> Option<(&str, &str)> {
    let arn = Arn::parse(arn).filter(|arn| (arn.service, arn.region) == ("iam", ""))?;
    Some((arn.partition, arn.account))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn takes_the_account_from_the_surest_place() {
        let policy = |federated: &str| {
            Policy::parse(
                &json!({"Statement": {"Effect": "Allow", "Action": "*", "Principal": {"Federated": federated}}})
                    .to_string(),
            )
            .unwrap()
        };
        let claims = |issuer: &str| json!({"iss": issuer}).as_object().unwrap().clone();
        let ours = "arn:aws-cn:iam::111111111111:oidc-provider/https://h.example.com";
        for (issuer, federated, role, arn, known_from) in [
            (
                "https://h.example.com",
                ours,
                Some("arn:aws:iam::222222222222:role/r"),
                "arn:aws:iam::222222222222:oidc-provider/h.example.com",
                KnownFrom::Role,
            ),
            (
                "https://h.example.com",
                ours,
                None,
                "arn:aws-cn:iam::111111111111:oidc-provider/h.example.com",
                KnownFrom::Principal,
            ),
            ("https://accounts.google.com", ours, None, "accounts.google.com", KnownFrom::BuiltIn),
            (
                "https://h.example.com/p/",
                "h.example.com",
                None,
                "arn:aws:iam::000000000000:oidc-provider/h.example.com/p/",
                KnownFrom::Nothing,
            ),
        ] {
            let provider = Provider::of(&claims(issuer), &policy(federated), role);
            assert_eq!((provider.arn.as_str(), provider.known_from), (arn, known_from));
        }
    }
}
