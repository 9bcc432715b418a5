//! Why federated credentials refuse a token, and whom they let in beside it.

use crate::cause::{Cause, Certainty, Finding, Severity};
use crate::domain::entra::{
    ClaimsExpression, Comparison, CredentialEvaluation, CredentialSet, Difference, EvaluatedCredential, Field,
    flexible_issuer,
};
use crate::domain::iam::{Decision, Truth};
use crate::domain::ids::FoundBy;
use crate::domain::text_difference::TextDifference;
use crate::domain::text_difference::first_difference;

/// Why the credentials at hand refuse the token; empty where they do not.
pub fn of_credentials(evaluation: &CredentialEvaluation, check: FoundBy) -> Vec<Finding> {
    if evaluation.decision != Decision::Deny {
        return Vec::new();
    }
    let Some(nearest) = evaluation.statements.first() else {
        return vec![
            Finding::new(
                Cause::FicMissing,
                check,
                Certainty::Proven,
                "the application has no federated credential, so no token is accepted for it",
            )
            .with_evidence("the list of federated credentials is empty"),
        ];
    };
    nearest.failed().map(|failed| of_comparison(failed, nearest, evaluation, check)).collect()
}

fn of_comparison(
    failed: &Comparison,
    nearest: &EvaluatedCredential,
    evaluation: &CredentialEvaluation,
    check: FoundBy,
) -> Finding {
    let cause = cause_of(&failed.key, failed.difference.as_ref());
    let whose = match &nearest.name {
        Some(name) => format!("the federated credential `{name}`"),
        None => "the federated credential".to_owned(),
    };
    let summary = format!("the {} of {whose} is not the token's: {}", failed.key.name(), failed.why);
    let expected = failed.expected.join(", ");
    let actual = failed.actual.as_ref().map(|actual| actual.join(", "));
    let mut finding = Finding::new(cause, check, Certainty::Proven, summary);
    finding.expected = Some(expected.clone());
    finding.actual.clone_from(&actual);
    if let Some(actual) = &actual
        && let Some(difference) = first_difference(&expected, actual)
    {
        finding = finding.with_evidence(format!("the first {} characters are the same", difference.at));
    }
    let others = evaluation.statements.len() - 1;
    if others > 0 {
        finding = finding.with_evidence(format!(
            "of {} federated credentials this is the nearest; none of the others accepts the token either",
            others + 1
        ));
    }
    if failed.difference == Some(Difference::Wildcard) {
        finding = finding.with_fix(
            "Write the whole subject; wildcards work only in a flexible credential's expression, which Entra takes for \
             GitHub, gitlab.com and Terraform Cloud.",
        );
    }
    if matches!(failed.difference, Some(Difference::OneOfSeveral)) {
        finding = finding.with_fix("Have the token minted for the credential's audience alone.");
    }
    finding
}

fn cause_of(field: &Field, difference: Option<&Difference>) -> Cause {
    match (field, difference) {
        (Field::Issuer, _) => Cause::IssMismatch,
        (Field::Audience, _) => Cause::AudMismatch,
        (Field::Subject, Some(Difference::Near(TextDifference::LetterCase))) => Cause::SubCaseMismatch,
        (Field::Subject, Some(Difference::ImmutableSubject { .. })) => Cause::ImmutableSub,
        (Field::Subject, _) => Cause::SubMismatch,
        (Field::Claim(claim), _) if claim == "sub" => Cause::SubMismatch,
        (Field::Claim(_), _) => Cause::ClaimMismatch,
    }
}

/// The flexible credentials that let in somebody else's tokens too.
pub fn strangers(set: &CredentialSet, check: FoundBy) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (at, credential) in set.credentials.iter().enumerate() {
        let parsed = credential.expression.as_deref().map(ClaimsExpression::parse);
        let (Some(Ok(expression)), Some(issuer)) = (parsed, flexible_issuer(&credential.issuer)) else { continue };
        let mut claims: serde_json::Map<String, serde_json::Value> =
            issuer.claims.iter().map(|claim| ((*claim).to_owned(), "0".into())).collect();
        claims.insert("sub".into(), issuer.stranger.into());
        if expression.accepts(&claims) == Truth::True {
            let name = credential.name.clone().unwrap_or_else(|| format!("{}", at + 1));
            let summary =
                format!("the expression of the federated credential `{name}` lets in anybody's tokens of this issuer");
            findings.push(
                Finding::new(Cause::TrustTooWide, check, Certainty::Proven, summary)
                    .with_severity(Severity::Critical)
                    .with_evidence(format!("it accepts the subject `{}`", issuer.stranger))
                    .with_fix(
                        "Begin the pattern of the subject with your own organization or group, up to its `/` or `:`.",
                    ),
            );
        }
    }
    findings
}

#[cfg(test)]
pub(super) mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::domain::entra::evaluate;
    use crate::domain::ids::{CheckId, Finder};

    pub fn evaluation(credentials: Value, claims: Value) -> CredentialEvaluation {
        let set = CredentialSet::parse(&credentials.to_string()).unwrap();
        evaluate(&set, claims.as_object().unwrap())
    }

    pub fn credential() -> Value {
        json!({"name": "crewai", "issuer": "https://i", "subject": "organization:1", "audiences": ["api://AzureADTokenExchange"]})
    }

    pub fn token(iss: &str, sub: &str, aud: Value) -> Value {
        json!({"iss": iss, "sub": sub, "aud": aud})
    }

    #[test]
    fn credentials_name_the_cause() {
        let aud = || json!("api://AzureADTokenExchange");
        for (claims, cause) in [
            (token("https://i/", "organization:1", aud()), Cause::IssMismatch),
            (token("https://i", "organization:2", aud()), Cause::SubMismatch),
            (token("https://i", "Organization:1", aud()), Cause::SubCaseMismatch),
            (token("https://i", "organization:1", json!("sts.amazonaws.com")), Cause::AudMismatch),
            (token("https://i", "organization:1", json!("api://AzureADTokenExchangeChina")), Cause::AudMismatch),
        ] {
            let findings = of_credentials(&evaluation(credential(), claims.clone()), CheckId::TrustPolicy.into());
            assert_eq!(findings.iter().map(|f| f.cause).collect::<Vec<_>>(), [cause], "{claims}");
            assert_eq!(findings[0].certainty, Certainty::Proven);
        }
        let immutable = evaluation(
            json!({"issuer": "https://i", "subject": "repo:o/r:ref:x", "audiences": ["a"]}),
            token("https://i", "repo:o@1/r@2:ref:x", json!("a")),
        );
        assert_eq!(of_credentials(&immutable, CheckId::TrustPolicy.into())[0].cause, Cause::ImmutableSub);
        let none = evaluation(json!([]), token("https://i", "s", json!("a")));
        assert_eq!(of_credentials(&none, CheckId::TrustPolicy.into())[0].cause, Cause::FicMissing);
        let fits = evaluation(credential(), token("https://i", "organization:1", aud()));
        assert_eq!(of_credentials(&fits, CheckId::TrustPolicy.into()), []);
    }

    #[test]
    fn an_expression_for_everybody_is_too_wide() {
        let of = |pattern: &str| {
            let text = json!({
                "issuer": "https://token.actions.githubusercontent.com",
                "audiences": ["a"],
                "claimsMatchingExpression": { "value": format!("claims['sub'] matches '{pattern}'"), "languageVersion": 1 },
            });
            strangers(&CredentialSet::parse(&text.to_string()).unwrap(), Finder::Trust.into()).len()
        };
        assert_eq!((of("*"), of("repo:*:ref:refs/heads/main"), of("repo:own/*")), (1, 1, 0));
    }
}
