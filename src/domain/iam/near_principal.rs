//! Near misses of a federated principal: what people get wrong in a provider's ARN.

use super::near_miss::{NearMiss, TRIED, Transformation};
use super::principal::ProviderArn;
use crate::domain::text_difference::{TextDifference, text_difference, without_scheme};

/// The one change that would make a federated principal the provider `actual`.
pub fn nearest_principal(federated: &[String], others: &[String], actual: &str) -> Option<NearMiss> {
    use Transformation::*;
    let kind = others.iter().take(TRIED).find(|other| other.split_once(':').is_some_and(|(_, value)| value == actual));
    if let Some(other) = kind {
        let why = "an identity provider stands under `Federated`, not under another kind of principal";
        return Some(NearMiss::new(PrincipalKind, other, actual.to_owned(), why));
    }
    federated.iter().take(TRIED).find_map(|expected| {
        let near = |transformation, why: &str| Some(NearMiss::new(transformation, expected, actual.to_owned(), why));
        let Some(real) = ProviderArn::parse(actual) else {
            let url = expected.rsplit("oidc-provider/").next().unwrap_or(expected);
            let built_in = url.trim_end_matches('/') == actual;
            return built_in
                .then(|| near(NotAnArn, "this provider is built in: its host stands alone, without an ARN"))
                .flatten();
        };
        let Some(written) = ProviderArn::parse(expected) else {
            let bare = without_scheme(expected);
            let url = bare.rsplit("oidc-provider/").next().unwrap_or(&bare).trim_end_matches('/');
            if let Some(difference) = text_difference(expected, actual) {
                return Some(NearMiss::text(difference, expected, actual));
            }
            let same = url.eq_ignore_ascii_case(real.url.trim_end_matches('/'));
            return same.then(|| near(NotAnArn, "the provider's ARN is needed, not its address alone")).flatten();
        };
        let same_account = written.account == real.account;
        let same_partition = written.partition == real.partition;
        if written.url == real.url {
            return match (same_partition, same_account) {
                (false, true) => near(Partition, "the provider's ARN names another partition"),
                (_, false) => near(Account, "the provider's ARN names another account"),
                (true, true) => None,
            };
        }
        if let Some(difference) = text_difference(written.url, real.url) {
            return Some(NearMiss::text(difference, expected, actual));
        }
        // Two slips of the same hand: a scheme and a slash.
        if without_scheme(written.url).trim_end_matches('/') == real.url.trim_end_matches('/') {
            return near(
                Text(TextDifference::Scheme),
                "`https://` does not belong into the ARN, and the slash at the end differs",
            );
        }
        if eks_parts(written.url).is_some_and(|w| eks_parts(real.url).is_some_and(|r| w == r)) {
            return near(EksHostOrder, "the host's parts are in the wrong order: it is oidc.eks.REGION.amazonaws.com");
        }
        let host = |url: &str| url.split('/').next().unwrap_or(url).to_owned();
        (host(written.url) == host(real.url))
            .then(|| near(Path, "the host is right, and the path after it is not"))
            .flatten()
    })
}

/// An EKS issuer's host parts in any order, and its path.
fn eks_parts(url: &str) -> Option<(Vec<&str>, &str)> {
    let (host, path) = url.split_once('/')?;
    let mut parts: Vec<&str> = host.split('.').collect();
    (parts.contains(&"eks") && parts.contains(&"oidc")).then(|| {
        parts.sort_unstable();
        (parts, path)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn principals_differ_in_what_people_get_wrong() {
        use Transformation::*;
        let arn = |url: &str| format!("arn:aws:iam::123456789012:oidc-provider/{url}");
        let eks = "oidc.eks.us-east-1.amazonaws.com/id/ABC";
        for (written, real, transformation) in [
            (arn("https://h.example.com"), arn("h.example.com"), Some(Text(TextDifference::Scheme))),
            (arn("https://h.example.com/"), arn("h.example.com"), Some(Text(TextDifference::Scheme))),
            (arn("h.example.com/"), arn("h.example.com"), Some(Text(TextDifference::TrailingSlash))),
            (arn("H.example.com"), arn("h.example.com"), Some(Text(TextDifference::LetterCase))),
            (arn(" h.example.com"), arn("h.example.com"), Some(Text(TextDifference::Blanks))),
            (arn("һ.example.com"), arn("h.example.com"), Some(Text(TextDifference::Homoglyph))),
            (arn("h.example.com"), arn("h.example.com/oauth2"), Some(Path)),
            (arn("oidc.us-east-1.eks.amazonaws.com/id/ABC"), arn(eks), Some(EksHostOrder)),
            ("h.example.com".to_owned(), arn("h.example.com"), Some(NotAnArn)),
            ("https://h.example.com".to_owned(), arn("h.example.com"), Some(NotAnArn)),
            (arn("accounts.google.com"), "accounts.google.com".to_owned(), Some(NotAnArn)),
            ("arn:aws:iam::999999999999:oidc-provider/h.example.com".to_owned(), arn("h.example.com"), Some(Account)),
            (
                "arn:aws-cn:iam::123456789012:oidc-provider/h.example.com".to_owned(),
                arn("h.example.com"),
                Some(Partition),
            ),
            (arn("other.example.com"), arn("h.example.com"), None),
        ] {
            let near = nearest_principal(std::slice::from_ref(&written), &[], &real);
            assert_eq!(near.as_ref().map(|n| n.transformation), transformation, "{written}");
            assert!(near.is_none_or(|n| n.corrected.as_deref() == Some(&*real)));
        }
        let under_aws = nearest_principal(&[], &[format!("AWS:{}", arn("h.example.com"))], &arn("h.example.com"));
        assert_eq!(under_aws.map(|n| n.transformation), Some(PrincipalKind));
    }
}
