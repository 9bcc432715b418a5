//! Whom a statement of a trust policy is about.
//!
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html>

use crate::domain::arn::Arn;

/// `Principal`, or `NotPrincipal`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PrincipalElement {
    /// `NotPrincipal`: everybody but these.
    pub negated: bool,
    /// `"*"`, or `{"AWS": "*"}`, which means the same.
    pub everybody: bool,
    /// Identity providers: ARNs, and the host names of those that are built in.
    pub federated: Vec<String>,
    /// Accounts, users, roles, services and canonical ids, as `KIND:VALUE`: none of them is a web identity.
    pub others: Vec<String>,
}

/// Identity providers that every account has: a statement names their host, and no provider ARN exists for them
/// (<https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_providers_create_oidc.html>).
pub const BUILT_IN_PROVIDERS: [&str; 4] =
    ["accounts.google.com", "cognito-identity.amazonaws.com", "www.amazon.com", "graph.facebook.com"];

impl PrincipalElement {
    /// Whether the element covers the identity provider `provider`: its ARN, or the host of a built-in one.
    /// Compared byte for byte; IAM takes no wildcard inside a principal.
    pub fn covers(&self, provider: &str) -> bool {
        let listed = self.everybody || self.federated.iter().any(|p| p == provider || p == "*");
        listed != self.negated
    }
}

/// The ARN of an identity provider, taken apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProviderArn<'a> {
    pub partition: &'a str,
    pub account: &'a str,
    /// What follows `oidc-provider/`: the issuer without its scheme.
    pub url: &'a str,
}

impl<'a> ProviderArn<'a> {
    /// Reads `arn:PARTITION:iam::ACCOUNT:oidc-provider/HOST/PATH`.
    pub fn parse(text: &'a str) -> Option<Self> {
        let arn = Arn::parse(text).filter(|arn| (arn.service, arn.region) == ("iam", ""))?;
        let url = arn.resource.strip_prefix("oidc-provider/")?;
        Some(ProviderArn { partition: arn.partition, account: arn.account, url })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn covers_what_it_lists_byte_for_byte() {
        let arn = "arn:aws:iam::123456789012:oidc-provider/app.example.com";
        let listing = |federated: &str| PrincipalElement { federated: vec![federated.into()], ..Default::default() };
        assert!(listing(arn).covers(arn));
        assert!(!listing("arn:aws:iam::123456789012:oidc-provider/app.example.com/").covers(arn));
        assert!(!listing("arn:aws:iam::123456789012:oidc-provider/App.example.com").covers(arn));
        assert!(!listing("arn:aws:iam::123456789012:oidc-provider/*").covers(arn));
        assert!(PrincipalElement { everybody: true, ..Default::default() }.covers(arn));
        assert!(!PrincipalElement { negated: true, ..listing(arn) }.covers(arn));
        assert!(PrincipalElement { negated: true, ..listing("accounts.google.com") }.covers(arn));
        assert!(!PrincipalElement::default().covers(arn));
    }

    #[test]
    fn takes_a_provider_arn_apart() {
        let arn = "arn:aws-cn:iam::123456789012:oidc-provider/oidc.eks.cn-north-1.amazonaws.com.cn/id/ABC";
        assert_eq!(
            ProviderArn::parse(arn),
            Some(ProviderArn {
                partition: "aws-cn",
                account: "123456789012",
                url: "oidc.eks.cn-north-1.amazonaws.com.cn/id/ABC"
            })
        );
        for other in ["", "accounts.google.com", "arn:aws:iam::1:role/x", "arn:aws:iam:us-east-1:1:oidc-provider/x"] {
            assert_eq!(ProviderArn::parse(other), None, "{other}");
        }
    }
}
