//! Whom a statement of a trust policy is about.
//!
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html>

use super::policy::{Effect, PrincipalElement};
use super::truth::Truth;
use crate::domain::arn::Arn;

/// Identity providers that every account has: a statement names their host, and no provider ARN exists for them
/// (<https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_providers_create_oidc.html>).
pub const BUILT_IN_PROVIDERS: [&str; 4] =
    ["accounts.google.com", "cognito-identity.amazonaws.com", "www.amazon.com", "graph.facebook.com"];

impl PrincipalElement {
    /// Whether a statement of this `effect` is about the tokens of the identity provider `provider`: its ARN, or the
    /// host of a built-in one. Compared byte for byte; IAM takes no wildcard inside a principal.
    ///
    /// An `Allow` for `*` is for callers who sign: STS refuses a token under it, as was measured in September 2026. A
    /// `Deny` for `*` is for everybody, or organizations could not keep tokens out with it
    /// (<https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_rcps_examples.html>).
    pub fn covers(&self, provider: &str, effect: Effect) -> Truth {
        let named = self.federated.iter().any(|federated| federated == provider);
        let listed = named || effect == Effect::Deny && (self.everybody || self.any_provider());
        match (effect, listed) {
            (Effect::Allow, false) if self.negated || self.any_provider() => Truth::Unknown,
            _ => (listed != self.negated).into(),
        }
    }

    /// `{"Federated": "*"}`, which IAM's grammar does not have.
    pub fn any_provider(&self) -> bool {
        self.federated.iter().any(|federated| federated == "*")
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
        for effect in [Effect::Allow, Effect::Deny] {
            assert_eq!(listing(arn).covers(arn, effect), Truth::True);
            for other in [
                "arn:aws:iam::123456789012:oidc-provider/app.example.com/",
                "arn:aws:iam::123456789012:oidc-provider/App.example.com",
                "arn:aws:iam::123456789012:oidc-provider/*",
            ] {
                assert_eq!(listing(other).covers(arn, effect), Truth::False, "{other}");
            }
            assert_eq!(PrincipalElement { negated: true, ..listing(arn) }.covers(arn, effect), Truth::False);
            assert_eq!(PrincipalElement::default().covers(arn, effect), Truth::False);
        }
    }

    #[test]
    fn a_star_lets_no_token_in_and_keeps_every_token_out() {
        let arn = "arn:aws:iam::123456789012:oidc-provider/app.example.com";
        let everybody = PrincipalElement { everybody: true, others: vec!["AWS:*".into()], ..Default::default() };
        let any_provider = PrincipalElement { federated: vec!["*".into()], ..Default::default() };
        let all_but =
            PrincipalElement { negated: true, federated: vec!["accounts.google.com".into()], ..everybody.clone() };
        let all_but = PrincipalElement { everybody: false, others: Vec::new(), ..all_but };
        for (element, allow, deny) in [
            (&everybody, Truth::False, Truth::True),
            (&any_provider, Truth::Unknown, Truth::True),
            (&all_but, Truth::Unknown, Truth::True),
        ] {
            assert_eq!(element.covers(arn, Effect::Allow), allow, "{element:?}");
            assert_eq!(element.covers(arn, Effect::Deny), deny, "{element:?}");
        }
        let with_ours = PrincipalElement { federated: vec![arn.into()], ..everybody };
        assert_eq!(with_ours.covers(arn, Effect::Allow), Truth::True);
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
