//! Near misses: the one change that would make a policy's value fit the token.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::condition::equal_ignoring_case;
use super::confusable::as_ascii;
use super::context::{Actual, values_of};
use super::near_subject;
use super::operator::Comparison;
use super::pattern::{Effort, like};
use super::percent;
use super::principal::ProviderArn;
use super::truth::Truth;
use crate::domain::issuer::IssuerKind;
use crate::domain::text::is_unsafe;

/// The change between two values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Transformation {
    /// Only letter case differs.
    LetterCase,
    /// Only a slash at the end differs.
    TrailingSlash,
    /// Only `https://` differs.
    Scheme,
    /// Only blanks and line breaks differ.
    WhiteSpace,
    /// Only characters that cannot be seen differ.
    InvisibleCharacters,
    /// Only characters that look alike differ.
    Homoglyph,
    /// One of the two is percent-encoded.
    PercentEncoding,
    /// The policy's value has wildcards, and its operator takes them literally.
    WildcardUnderEquals,
    /// The policy has the repository's names; the token has names with ids.
    ImmutableSubject,
    /// The policy has names with ids; the token has the names.
    NameSubject,
    /// The policy has the branch or tag; the job's environment stands in its place.
    EnvironmentInsteadOfRef,
    /// The policy has an environment; the job names none.
    RefInsteadOfEnvironment,
    /// The token is from a pull request's run, the policy is for another.
    PullRequest,
    /// The policy's subject ends where the token's goes on.
    ContextMissing,
    /// One of the two is CircleCI's first, the other its second form of token.
    CircleciTokenVersion,
    /// `branch` against `tag`.
    GitlabRefType,
    /// `plan` against `apply`.
    TerraformRunPhase,
    /// Namespace and service account stand in each other's place.
    PartsSwapped,
    /// The value is that of another claim.
    ClaimsSwapped,
    /// One named part of the subject differs.
    OnePart,
    /// The partition of an ARN differs.
    Partition,
    /// The account of an ARN differs.
    Account,
    /// The path of the issuer is missing or too much.
    Path,
    /// Two parts of an EKS issuer's host stand in each other's place.
    EksHostOrder,
    /// The provider stands in the policy without the ARN around it.
    NotAnArn,
    /// The provider stands under another kind of principal than `Federated`.
    PrincipalKind,
}

/// A policy's value that nearly fits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NearMiss {
    pub transformation: Transformation,
    /// The policy's value it is about.
    pub expected: String,
    /// The value to write instead, where one value mends it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub corrected: Option<String>,
    /// The difference, in words.
    pub why: String,
}

impl NearMiss {
    pub fn new(
        transformation: Transformation,
        expected: &str,
        corrected: impl Into<Option<String>>,
        why: impl Into<String>,
    ) -> Self {
        NearMiss { transformation, expected: expected.to_owned(), corrected: corrected.into(), why: why.into() }
    }
}

/// A comparison that failed.
pub struct Miss<'a> {
    pub kind: IssuerKind,
    pub comparison: Comparison,
    /// The claim that the key stands for, where it stands for one.
    pub claim: Option<&'a str>,
    pub actual: &'a str,
    pub claims: &'a Map<String, Value>,
}

/// No more values than these are tried: a policy fits few, and every try costs.
const TRIED: usize = 64;

/// Values longer than this many bytes are neither reported whole nor tried: no issuer's subject comes near it.
pub const LONGEST: usize = 4096;

impl Miss<'_> {
    /// Whether `expected` would fit `actual` under the condition's operator.
    pub fn would_fit(&self, expected: &str, actual: &str) -> bool {
        match self.comparison {
            Comparison::StringLike | Comparison::ArnLike => like(expected, actual, &Effort::small()) == Truth::True,
            Comparison::StringEqualsIgnoreCase => equal_ignoring_case(expected, actual),
            _ => expected == actual,
        }
    }

    /// The nearest of `expected`, with the one change that would make it fit.
    pub fn nearest<'e>(&self, expected: impl Iterator<Item = &'e str> + Clone) -> Option<NearMiss> {
        if self.actual.len() > LONGEST {
            return None;
        }
        let tried = expected.filter(|value| value.len() <= LONGEST).take(TRIED);
        // Every value is tried for an exact change before any is tried for a differing part.
        tried
            .clone()
            .find_map(|value| self.one_change(value))
            .or_else(|| tried.clone().find_map(|value| self.swapped_claim(value)))
            .or_else(|| tried.clone().find_map(|value| near_subject::one_part(self, value)))
    }

    fn one_change(&self, expected: &str) -> Option<NearMiss> {
        let has_wildcard = expected.contains(['*', '?']);
        if matches!(self.comparison, Comparison::StringEquals | Comparison::StringEqualsIgnoreCase)
            && has_wildcard
            && like(expected, self.actual, &Effort::small()) == Truth::True
        {
            return Some(NearMiss::new(
                Transformation::WildcardUnderEquals,
                expected,
                None,
                "the operator takes `*` and `?` literally; under StringLike the value would fit",
            ));
        }
        let whole = |why: &'static str| {
            move |transformation, corrected| NearMiss::new(transformation, expected, Some(corrected), why)
        };
        if let Some((transformation, why)) = text_change(expected, self.actual, |e, a| self.would_fit(e, a)) {
            let corrected =
                if has_wildcard { repaired(transformation, expected, self.actual) } else { self.actual.into() };
            return Some(whole(why)(transformation, corrected));
        }
        if self.claim.is_none_or(|claim| claim.eq_ignore_ascii_case("sub")) {
            return near_subject::one_change(self, expected);
        }
        None
    }

    /// Whether the value is what another claim of the token says.
    fn swapped_claim(&self, expected: &str) -> Option<NearMiss> {
        let this = self.claim?;
        let others = ["sub", "aud", "azp", "iss", "repository", "environment", "ref", "actor", "email"];
        let other =
            others.into_iter().filter(|other| !other.eq_ignore_ascii_case(this)).find(|other| {
                match values_of(self.claims.get(*other)) {
                    Actual::One(value) => {
                        !expected.is_empty() && value != self.actual && self.would_fit_closely(expected, &value)
                    }
                    _ => false,
                }
            })?;
        Some(NearMiss::new(
            Transformation::ClaimsSwapped,
            expected,
            None,
            format!("this is the value of the token's `{other}`, not of its `{this}`"),
        ))
    }

    /// As [`Miss::would_fit`]; a pattern that fits anything says nothing about which claim was meant.
    fn would_fit_closely(&self, expected: &str, actual: &str) -> bool {
        expected.chars().filter(|c| !matches!(c, '*' | '?')).count() >= 4 && self.would_fit(expected, actual)
    }
}

/// The change to the characters of two values that makes `fits` say yes.
pub fn text_change(
    expected: &str,
    actual: &str,
    fits: impl Fn(&str, &str) -> bool,
) -> Option<(Transformation, &'static str)> {
    use Transformation::*;
    let with = |change: fn(&str) -> Cow<'_, str>| {
        let (e, a) = (change(expected), change(actual));
        (e != expected || a != actual) && fits(&e, &a)
    };
    if with(|t| Cow::Owned(t.to_lowercase())) {
        return Some((LetterCase, "only letter case differs, and case counts"));
    }
    if with(without_invisible) {
        return Some((InvisibleCharacters, "only a character that cannot be seen differs"));
    }
    if with(without_white_space) {
        return Some((WhiteSpace, "only blanks or line breaks differ"));
    }
    if with(|t| Cow::Borrowed(t.trim_end_matches('/'))) {
        return Some((TrailingSlash, "only a slash at the end differs"));
    }
    if with(without_scheme) {
        return Some((Scheme, "only `https://` differs"));
    }
    if with(percent::decode) {
        return Some((PercentEncoding, "only percent-encoding differs"));
    }
    if with(|t| as_ascii(t).map_or(Cow::Borrowed(t), Cow::Owned)) {
        return Some((Homoglyph, "only a character that looks like another differs"));
    }
    None
}

/// A pattern with the change made in it, its wildcards kept.
fn repaired(transformation: Transformation, expected: &str, actual: &str) -> String {
    match transformation {
        Transformation::InvisibleCharacters => without_invisible(expected).into_owned(),
        Transformation::WhiteSpace => without_white_space(expected).into_owned(),
        Transformation::TrailingSlash => expected.trim_end_matches('/').to_owned(),
        Transformation::Scheme => without_scheme(expected).into_owned(),
        Transformation::Homoglyph => as_ascii(expected).unwrap_or_else(|| expected.to_owned()),
        // The literal text before the first wildcard, as the token has it.
        _ => {
            let literal = expected.find(['*', '?']).unwrap_or(expected.len());
            match actual.get(..literal) {
                Some(head) => format!("{head}{}", &expected[literal..]),
                None => actual.to_owned(),
            }
        }
    }
}

fn without_invisible(text: &str) -> Cow<'_, str> {
    if text.chars().any(is_unsafe) {
        Cow::Owned(text.chars().filter(|c| !is_unsafe(*c)).collect())
    } else {
        Cow::Borrowed(text)
    }
}

fn without_white_space(text: &str) -> Cow<'_, str> {
    if text.chars().any(char::is_whitespace) {
        Cow::Owned(text.chars().filter(|c| !c.is_whitespace()).collect())
    } else {
        Cow::Borrowed(text)
    }
}

fn without_scheme(text: &str) -> Cow<'_, str> {
    for scheme in ["https://", "http://"] {
        if let Some((head, rest)) = text.split_once(scheme) {
            return Cow::Owned(format!("{head}{rest}"));
        }
    }
    Cow::Borrowed(text)
}

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
            if let Some((transformation, why)) = text_change(expected, actual, |e, a| e == a) {
                return near(transformation, why);
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
        if let Some((transformation, why)) = text_change(written.url, real.url, |e, a| e == a) {
            return near(transformation, why);
        }
        // Two slips of the same hand: a scheme and a slash.
        if without_scheme(written.url).trim_end_matches('/') == real.url.trim_end_matches('/') {
            return near(Scheme, "`https://` does not belong into the ARN, and the slash at the end differs");
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
    use serde_json::json;

    use super::*;

    fn nearest(kind: IssuerKind, claim: &str, operator: &str, expected: &str, actual: &str) -> Option<NearMiss> {
        let claims = json!({
            "sub": actual, "aud": "sts.amazonaws.com", "repository_owner_id": "11", "repository_id": 22,
            "repository": "octo/app"});
        let miss = Miss {
            kind,
            comparison: super::super::Operator::parse(operator).comparison,
            claim: Some(claim),
            actual,
            claims: claims.as_object().unwrap(),
        };
        miss.nearest([expected].into_iter())
    }

    /// Every near miss names its change, and its correction fits.
    #[test]
    fn the_one_change_is_named_and_mends() {
        use IssuerKind::*;
        use Transformation::*;
        let v1 = "org/o/project/p/user/u";
        let v2 = "org/o/project/p/user/u/vcs-origin/github.com/a/b/vcs-ref/refs/heads/x";
        for (kind, operator, expected, actual, transformation) in [
            (Generic, "StringEquals", "Service-A", "service-a", LetterCase),
            (GithubActions, "StringLike", "repo:Octo/app:*", "repo:octo/app:pull_request", LetterCase),
            (Generic, "StringEquals", "https://h/p/", "https://h/p", TrailingSlash),
            (Generic, "StringEquals", "h/p", "https://h/p", Scheme),
            (Generic, "StringEquals", " a b", "ab", WhiteSpace),
            (Generic, "StringLike", "ab \n*", "abc", WhiteSpace),
            (Generic, "StringEquals", "a\u{200b}b", "ab", InvisibleCharacters),
            (Generic, "StringEquals", "оrganization:1", "organization:1", Homoglyph),
            (GithubActions, "StringEquals", "repo:o/r:environment:a:b", "repo:o/r:environment:a%3Ab", PercentEncoding),
            (GithubActions, "StringEquals", "repo:octo/app:*", "repo:octo/app:pull_request", WildcardUnderEquals),
            (
                GithubActions,
                "StringEquals",
                "repo:octo/app:pull_request",
                "repo:octo@11/app@22:pull_request",
                ImmutableSubject,
            ),
            (GithubActions, "StringLike", "repo:octo/app:*", "repo:octo@11/app@22:pull_request", ImmutableSubject),
            (GithubActions, "StringLike", "repo:octo/*", "repo:octo@11/app@22:pull_request", ImmutableSubject),
            (
                GithubActions,
                "StringEquals",
                "repo:octo@11/app@22:pull_request",
                "repo:octo/app:pull_request",
                NameSubject,
            ),
            (GithubActions, "StringLike", "repo:octo@11/app@22:*", "repo:octo/app:pull_request", NameSubject),
            (
                GithubActions,
                "StringEquals",
                "repo:o/r:ref:refs/heads/main",
                "repo:o/r:environment:prod",
                EnvironmentInsteadOfRef,
            ),
            (
                GithubActions,
                "StringLike",
                "repo:o/*:ref:refs/heads/*",
                "repo:o/r:environment:prod",
                EnvironmentInsteadOfRef,
            ),
            (
                GithubActions,
                "StringEquals",
                "repo:o/r:environment:prod",
                "repo:o/r:ref:refs/heads/main",
                RefInsteadOfEnvironment,
            ),
            (GithubActions, "StringEquals", "repo:o/r:ref:refs/heads/main", "repo:o/r:pull_request", PullRequest),
            (GithubActions, "StringEquals", "repo:o/r:pull_request", "repo:o/r:ref:refs/heads/main", PullRequest),
            (GithubActions, "StringEquals", "repo:o/r", "repo:o/r:pull_request", ContextMissing),
            (CircleCi, "StringEquals", v1, v2, CircleciTokenVersion),
            (CircleCi, "StringEquals", v2, v1, CircleciTokenVersion),
            (
                GitlabCom,
                "StringEquals",
                "project_path:g/p:ref_type:tag:ref:v1",
                "project_path:g/p:ref_type:branch:ref:v1",
                GitlabRefType,
            ),
            (
                TerraformCloud,
                "StringEquals",
                "organization:o:project:p:workspace:w:run_phase:plan",
                "organization:o:project:p:workspace:w:run_phase:apply",
                TerraformRunPhase,
            ),
            (Eks, "StringEquals", "system:serviceaccount:sa:ns", "system:serviceaccount:ns:sa", PartsSwapped),
            (Eks, "StringEquals", "system:serviceaccount:other:sa", "system:serviceaccount:ns:sa", OnePart),
            (GithubActions, "StringEquals", "repo:o/r:ref:refs/heads/main", "repo:o/r:ref:refs/heads/dev", OnePart),
            (GithubActions, "StringLike", "repo:other/r:ref:refs/heads/*", "repo:o/r:ref:refs/heads/dev", OnePart),
        ] {
            let near =
                nearest(kind, "sub", operator, expected, actual).unwrap_or_else(|| panic!("{expected} {actual}"));
            assert_eq!(near.transformation, transformation, "{expected} {actual}");
            assert_eq!(near.expected, expected);
            if let Some(corrected) = near.corrected {
                let fits = match operator {
                    "StringLike" => like(&corrected, actual, &Effort::full()) == Truth::True,
                    _ => corrected == actual,
                };
                assert!(fits, "{corrected} for {actual}");
            }
        }
    }

    #[test]
    fn two_changes_at_once_or_none_are_no_near_miss() {
        use IssuerKind::*;
        for (kind, expected, actual) in [
            (Generic, "Service-A/", "service-b"),
            (Generic, "a", "b"),
            (Generic, "", "x"),
            (GithubActions, "repo:Octo/app:ref:refs/heads/main", "repo:octo@11/lib@22:environment:prod"),
            (GithubActions, "repo:octo/app:pull_request", "repo:other@9/app@8:pull_request"),
            (GithubActions, "repo:a/b:environment:x", "repo:c/d:ref:refs/heads/x"),
            (CircleCi, "org/o/project/p/user/u", "org/o/project/q/user/v"),
            (GitlabCom, "project_path:g/p:ref_type:tag:ref:v1", "project_path:g/q:ref_type:branch:ref:v1"),
            (
                TerraformCloud,
                "organization:o:project:p:workspace:w:run_phase:plan",
                "organization:x:project:p:workspace:w:run_phase:apply",
            ),
            (Eks, "system:serviceaccount:a:b", "system:serviceaccount:c:d"),
            (AgentPlatform, "organization:1", "organization:2"),
        ] {
            assert_eq!(nearest(kind, "sub", "StringEquals", expected, actual), None, "{expected} {actual}");
        }
    }

    #[test]
    fn a_value_under_the_wrong_key_is_told() {
        let near =
            nearest(IssuerKind::GithubActions, "sub", "StringEquals", "sts.amazonaws.com", "repo:o/r:x").unwrap();
        assert_eq!(near.transformation, Transformation::ClaimsSwapped);
        assert!(near.why.contains("`aud`"));
        // A pattern that fits anything says nothing.
        assert_eq!(nearest(IssuerKind::Generic, "amr", "StringLike", "???????????????*", "x"), None);
    }

    #[test]
    fn principals_differ_in_what_people_get_wrong() {
        use Transformation::*;
        let arn = |url: &str| format!("arn:aws:iam::123456789012:oidc-provider/{url}");
        let eks = "oidc.eks.us-east-1.amazonaws.com/id/ABC";
        for (written, real, transformation) in [
            (arn("https://h.example.com"), arn("h.example.com"), Some(Scheme)),
            (arn("https://h.example.com/"), arn("h.example.com"), Some(Scheme)),
            (arn("h.example.com/"), arn("h.example.com"), Some(TrailingSlash)),
            (arn("H.example.com"), arn("h.example.com"), Some(LetterCase)),
            (arn(" h.example.com"), arn("h.example.com"), Some(WhiteSpace)),
            (arn("һ.example.com"), arn("h.example.com"), Some(Homoglyph)),
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
