//! Near misses: the one change that would make a policy's value fit the token.

use super::condition::equal_ignoring_case;
use super::context::{Actual, values_of};
use super::near_subject;
use super::operator::Comparison;
use super::pattern::{Effort, like};
use super::transformation::{LONGEST, Miss, NearMiss, TRIED, Transformation};
use super::truth::Truth;
use crate::domain::text_difference::{TextDifference, text_difference_under};

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
        if let Some(difference) = text_difference_under(expected, self.actual, |e, a| self.would_fit(e, a)) {
            let corrected = if has_wildcard { repaired(difference, expected, self.actual) } else { self.actual.into() };
            return Some(NearMiss::text(difference, expected, corrected));
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

/// A pattern with the difference taken out of it, its wildcards kept.
fn repaired(difference: TextDifference, expected: &str, actual: &str) -> String {
    match difference {
        // The literal text before the first wildcard, as the token has it.
        TextDifference::LetterCase | TextDifference::PercentEncoding => {
            let literal = expected.find(['*', '?']).unwrap_or(expected.len());
            match actual.get(..literal) {
                Some(head) => format!("{head}{}", &expected[literal..]),
                None => actual.to_owned(),
            }
        }
        difference => difference.removed_from(expected).into_owned(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::domain::issuer::IssuerKind;

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
            (Generic, "StringEquals", "Service-A", "service-a", Text(TextDifference::LetterCase)),
            (
                GithubActions,
                "StringLike",
                "repo:Octo/app:*",
                "repo:octo/app:pull_request",
                Text(TextDifference::LetterCase),
            ),
            (Generic, "StringEquals", "https://h/p/", "https://h/p", Text(TextDifference::TrailingSlash)),
            (Generic, "StringEquals", "h/p", "https://h/p", Text(TextDifference::Scheme)),
            (Generic, "StringEquals", " a b", "ab", Text(TextDifference::Blanks)),
            (Generic, "StringLike", "ab \n*", "abc", Text(TextDifference::Blanks)),
            (Generic, "StringEquals", "a\u{200b}b", "ab", Text(TextDifference::Invisible)),
            (Generic, "StringEquals", "оrganization:1", "organization:1", Text(TextDifference::Homoglyph)),
            (
                GithubActions,
                "StringEquals",
                "repo:o/r:environment:a:b",
                "repo:o/r:environment:a%3Ab",
                Text(TextDifference::PercentEncoding),
            ),
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
}
