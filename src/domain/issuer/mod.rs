//! Issuers: how IAM names them, who the well-known ones are, and what their subjects mean.

mod description;
mod kind;
mod subject;

pub use description::{Description, fill};
pub use kind::{DEFAULT_KEYS, IssuerKind};
pub use subject::{GithubSubject, Segment, is_whole, segments};

/// What stands before the `:` of an issuer's condition keys: its URL without scheme, with its path.
///
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_iam-condition-keys.html>
pub fn condition_key_prefix(issuer: &str) -> &str {
    issuer.strip_prefix("https://").or_else(|| issuer.strip_prefix("http://")).unwrap_or(issuer)
}

/// The ARN of the identity provider that an account registers for `issuer`; the bare host for one that is built in.
pub fn provider_arn(issuer: &str, partition: &str, account: &str) -> String {
    let url = condition_key_prefix(issuer);
    if crate::domain::iam::BUILT_IN_PROVIDERS.contains(&url) {
        return url.to_owned();
    }
    format!("arn:{partition}:iam::{account}:oidc-provider/{url}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_an_issuer_as_iam_does() {
        for (issuer, prefix, arn) in [
            ("https://app.example.com", "app.example.com", "arn:aws:iam::123456789012:oidc-provider/app.example.com"),
            (
                "https://oidc.circleci.com/org/ab-cd",
                "oidc.circleci.com/org/ab-cd",
                "arn:aws:iam::123456789012:oidc-provider/oidc.circleci.com/org/ab-cd",
            ),
            (
                "https://sts.windows.net/t/",
                "sts.windows.net/t/",
                "arn:aws:iam::123456789012:oidc-provider/sts.windows.net/t/",
            ),
            ("https://accounts.google.com", "accounts.google.com", "accounts.google.com"),
            ("accounts.google.com", "accounts.google.com", "accounts.google.com"),
        ] {
            assert_eq!(condition_key_prefix(issuer), prefix);
            assert_eq!(provider_arn(issuer, "aws", "123456789012"), arn);
        }
    }
}
