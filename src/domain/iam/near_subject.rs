//! Near misses in subjects: the changes that the grammar of one issuer explains.

use super::near_miss::{Miss, NearMiss, Transformation};
use super::pattern::{Effort, like};
use super::truth::Truth;
use crate::domain::issuer::{GithubSubject, IssuerKind, Segment, segments};

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
