//! Near misses in subjects: the changes that the grammar of one issuer explains.

use super::pattern::{Effort, like};
use super::policy::ProviderArn;
use super::transformation::{Miss, NearMiss, TRIED, Transformation};
use super::truth::Truth;
use crate::domain::issuer::{GithubSubject, IssuerKind, Segment, segments};
use crate::domain::text_difference::{TextDifference, text_difference, without_scheme};

/// The change, by the issuer's grammar, that makes `expected` fit.
pub fn one_change(miss: &Miss<'_>, expected: &str) -> Option<NearMiss> {
    match miss.kind {
        IssuerKind::GithubActions | IssuerKind::GithubEnterpriseServer => github(miss, expected),
        IssuerKind::CircleCi => circleci(miss, expected),
        IssuerKind::GitlabCom | IssuerKind::GitlabSelfManaged => part_change(
            miss,
            expected,
            "ref type",
            Transformation::GitlabRefType,
            "the policy and the token differ in `branch` against `tag`",
        ),
        IssuerKind::TerraformCloud => part_change(
            miss,
            expected,
            "run_phase",
            Transformation::TerraformRunPhase,
            "a run has a token for `plan` and one for `apply`; the policy takes the other",
        ),
        IssuerKind::Eks | IssuerKind::Kubernetes => kubernetes(miss, expected),
        _ => None,
    }
}

/// The one part in which `expected` and the token's subject differ.
pub fn one_part(miss: &Miss<'_>, expected: &str) -> Option<NearMiss> {
    if !miss.claim.is_some_and(|claim| claim.eq_ignore_ascii_case("sub")) {
        return None;
    }
    let (differs, corrected) = differing_part(miss, expected)?;
    let why = format!(
        "only the {} differs: `{}` in the policy, `{}` in the token",
        differs.0.name, differs.0.value, differs.1.value
    );
    Some(NearMiss::new(Transformation::OnePart, expected, corrected, why))
}

/// The only part that does not fit, as the policy and as the token have it, and the subject with it mended.
fn differing_part<'p>(miss: &Miss<'p>, expected: &'p str) -> Option<((Segment<'p>, Segment<'p>), String)> {
    let wanted = segments(miss.kind, expected);
    let found = segments(miss.kind, miss.actual);
    if wanted.len() != found.len() || wanted.len() < 2 || wanted.iter().zip(&found).any(|(w, f)| w.name != f.name) {
        return None;
    }
    let mut differing = wanted.iter().zip(&found).filter(|(w, f)| !miss.would_fit(w.value, f.value));
    let (first, second) = (differing.next()?, differing.next());
    if second.is_some() {
        return None;
    }
    let (head, rest) = expected.split_at_checked(first.0.start_in(expected)?)?;
    let tail = rest.strip_prefix(first.0.value)?;
    let corrected = format!("{head}{}{tail}", first.1.value);
    Some(((*first.0, *first.1), corrected))
}

fn part_change(
    miss: &Miss<'_>,
    expected: &str,
    name: &str,
    transformation: Transformation,
    why: &str,
) -> Option<NearMiss> {
    let (differs, corrected) = differing_part(miss, expected)?;
    (differs.0.name == name).then(|| NearMiss::new(transformation, expected, corrected, why))
}

fn github(miss: &Miss<'_>, expected: &str) -> Option<NearMiss> {
    let actual = GithubSubject::parse(miss.actual)?;
    ids(miss, expected, &actual).or_else(|| context(miss, expected, &actual))
}

/// The immutable form, in both directions.
fn ids(miss: &Miss<'_>, expected: &str, actual: &GithubSubject<'_>) -> Option<NearMiss> {
    if let (Some(owner_id), Some(repository_id)) = (actual.owner_id, actual.repository_id) {
        if !miss.would_fit(expected, &actual.by_name()) {
            return None;
        }
        let why = format!(
            "the policy has the repository's names; this token's subject has names with ids ({owner_id} and {repository_id})"
        );
        return Some(NearMiss::new(Transformation::ImmutableSubject, expected, with_ids(expected, actual), why));
    }
    let claim = |name: &str| match miss.claims.get(name)? {
        serde_json::Value::String(text) => Some(text.clone()),
        serde_json::Value::Number(number) => Some(number.to_string()),
        _ => None,
    };
    let by_id = match (claim("repository_owner_id"), claim("repository_id")) {
        (Some(owner_id), Some(repository_id)) => actual.by_id(&owner_id, &repository_id),
        // Without the ids in the token, the policy's own ids serve to compare the names.
        _ => {
            let written = GithubSubject::parse(expected)?;
            actual.by_id(written.owner_id?, written.repository_id?)
        }
    };
    if !expected.contains('@') || !miss.would_fit(expected, &by_id) {
        return None;
    }
    let corrected = GithubSubject::parse(expected).map(|written| written.by_name());
    let why = "the policy has names with ids; this token's subject has the names alone";
    Some(NearMiss::new(Transformation::NameSubject, expected, corrected.unwrap_or_else(|| actual.by_name()), why))
}

/// The policy's pattern with the token's ids put in, its wildcards kept.
fn with_ids(expected: &str, actual: &GithubSubject<'_>) -> String {
    let (Some(owner_id), Some(repository_id)) = (actual.owner_id, actual.repository_id) else {
        return expected.to_owned();
    };
    let owner = format!("repo:{}/", actual.owner);
    let Some(rest) = expected.strip_prefix(&owner) else {
        return format!("repo:{}@{owner_id}/{}@{repository_id}:{}", actual.owner, actual.repository, actual.context);
    };
    let rest = match rest.strip_prefix(actual.repository) {
        Some(after) if after.starts_with(':') => format!("{}@{repository_id}{after}", actual.repository),
        _ => rest.to_owned(),
    };
    format!("repo:{}@{owner_id}/{rest}", actual.owner)
}

/// The same repository, in another context: environment, branch, pull request.
fn context(miss: &Miss<'_>, expected: &str, actual: &GithubSubject<'_>) -> Option<NearMiss> {
    let repository = &miss.actual[..miss.actual.len() - actual.context.len() - 1];
    if miss.would_fit(expected, repository) {
        let corrected = format!("{expected}:{}", actual.context);
        let why =
            format!("the policy's subject ends after the repository; the token's goes on with `:{}`", actual.context);
        return Some(NearMiss::new(Transformation::ContextMissing, expected, corrected, why));
    }
    let (head, wanted) = split_context(expected)?;
    let same_repository = like(head, repository, &Effort::small()) == Truth::True;
    if !same_repository {
        return None;
    }
    let is_environment = |context: &str| context.starts_with("environment:");
    let is_ref = |context: &str| context.starts_with("ref:");
    let (transformation, why) = if is_ref(wanted) && is_environment(actual.context) {
        (
            Transformation::EnvironmentInsteadOfRef,
            "the job names an environment, so its subject has the environment in place of the branch or tag",
        )
    } else if is_environment(wanted) && is_ref(actual.context) {
        (
            Transformation::RefInsteadOfEnvironment,
            "the job names no environment, so its subject has the branch or tag in place of the environment",
        )
    } else if actual.context == "pull_request" {
        (Transformation::PullRequest, "the workflow runs for a pull request, so its subject names no branch")
    } else if wanted == "pull_request" {
        (Transformation::PullRequest, "the policy is for pull requests, and this run is for none")
    } else {
        return None;
    };
    Some(NearMiss::new(transformation, expected, format!("{head}:{}", actual.context), why))
}

/// A pattern's repository and context: `repo:O/R` and what follows the colon.
fn split_context(expected: &str) -> Option<(&str, &str)> {
    let rest = expected.strip_prefix("repo:")?;
    let (path, context) = rest.split_once(':')?;
    Some((&expected[..5 + path.len()], context))
}

/// CircleCI's second form of token goes on where the first ends.
fn circleci(miss: &Miss<'_>, expected: &str) -> Option<NearMiss> {
    const ORIGIN: &str = "/vcs-origin/";
    if let Some((first_form, _)) = miss.actual.split_once(ORIGIN)
        && miss.would_fit(expected, first_form)
    {
        let why =
            "the policy fits CIRCLE_OIDC_TOKEN; this is CIRCLE_OIDC_TOKEN_V2, whose subject goes on with the branch";
        let corrected = format!("{expected}{}", &miss.actual[first_form.len()..]);
        return Some(NearMiss::new(Transformation::CircleciTokenVersion, expected, corrected, why));
    }
    let (first_form, _) = expected.split_once(ORIGIN)?;
    if miss.actual.contains(ORIGIN) || !miss.would_fit(first_form, miss.actual) {
        return None;
    }
    let why = "the policy fits CIRCLE_OIDC_TOKEN_V2; this is CIRCLE_OIDC_TOKEN, whose subject has no branch";
    Some(NearMiss::new(Transformation::CircleciTokenVersion, expected, first_form.to_owned(), why))
}

fn kubernetes(miss: &Miss<'_>, expected: &str) -> Option<NearMiss> {
    let parts = segments(miss.kind, expected);
    let [namespace, account] = parts[..] else { return None };
    let swapped = format!("system:serviceaccount:{}:{}", account.value, namespace.value);
    if !miss.would_fit(&swapped, miss.actual) {
        return None;
    }
    let why = "the namespace comes first, then the service account";
    Some(NearMiss::new(Transformation::PartsSwapped, expected, swapped, why))
}

/// The one change that would make a federated principal the provider `actual`.
pub fn nearest_principal(federated: &[String], others: &[String], actual: &str) -> Option<NearMiss> {
    use Transformation::*;
    let kind = others.iter().take(TRIED).find(|other| other.split_once(':').is_some_and(|(_, value)| value == actual));
    if let Some(other) = kind {
        let why = "an identity provider belongs under `Federated`, not under another kind of principal";
        return Some(NearMiss::new(PrincipalKind, other, actual.to_owned(), why));
    }
    federated.iter().take(TRIED).find_map(|expected| {
        let near = |transformation, why: &str| Some(NearMiss::new(transformation, expected, actual.to_owned(), why));
        let Some(real) = ProviderArn::parse(actual) else {
            let url = expected.rsplit("oidc-provider/").next().unwrap_or(expected);
            let built_in = url.trim_end_matches('/') == actual;
            return built_in
                .then(|| near(NotAnArn, "this provider is built in: it is named by its host alone, without an ARN"))
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
mod near_principal_tests {
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
