//! What is wrong with federated credentials whatever the token: an expression that Entra does not take, a document that Graph
//! does not.

use crate::cause::{Cause, Certainty, Finding, Severity, catalogue};
use crate::domain::entra::{CredentialProblem, CredentialSet, FederatedCredential, ShapeFlaw};
use crate::domain::ids::FoundBy;
use crate::domain::issuer::retiring;

const TYPOGRAPHIC: [char; 4] = ['\u{2018}', '\u{2019}', '\u{201c}', '\u{201d}'];

/// The flaws that are causes of their own, in the order of the credentials.
pub fn flaws(set: &CredentialSet, check: FoundBy) -> Vec<Finding> {
    let ends = set.credentials.iter().enumerate().filter_map(|(at, one)| ending(at + 1, one, check));
    set.problems.iter().filter_map(|problem| flaw(set, problem, check)).chain(ends).collect()
}

/// The credential's issuer has an announced end.
fn ending(credential: usize, one: &FederatedCredential, check: FoundBy) -> Option<Finding> {
    let end = retiring(&one.issuer)?;
    let summary = format!("tokens of credential {credential}'s issuer are made until {} only", end.on);
    let mut finding = Finding::new(Cause::IssuerRetiring, check, Certainty::Proven, summary)
        .with_severity(Severity::Low)
        .with_evidence(format!("its issuer is {}", one.issuer))
        .with_fix(end.instead);
    finding.docs = end.docs.to_owned();
    Some(finding)
}

fn flaw(set: &CredentialSet, problem: &CredentialProblem, check: FoundBy) -> Option<Finding> {
    let (cause, credential, severity) = match problem {
        CredentialProblem::Expression { credential, .. } => (Cause::FicExpressionInvalid, credential, Severity::High),
        CredentialProblem::ClaimNotOffered { credential, .. } => {
            (Cause::FicExpressionInvalid, credential, Severity::High)
        }
        CredentialProblem::Shape { credential, flaw: ShapeFlaw::BareExpression } => {
            (Cause::FicExpressionInvalid, credential, Severity::High)
        }
        CredentialProblem::NotFlexibleIssuer { credential, .. } => {
            (Cause::FicExpressionIssuer, credential, Severity::High)
        }
        CredentialProblem::ClaimDemanded { credential, .. } => {
            (Cause::FicExpressionRequiredClaim, credential, Severity::Medium)
        }
        CredentialProblem::Shape { credential, .. } | CredentialProblem::AudienceCount { credential, .. } => {
            (Cause::FicShape, credential, Severity::High)
        }
        CredentialProblem::Wildcard { credential } | CredentialProblem::Subject { credential, .. } => {
            (Cause::SubMismatch, credential, Severity::Low)
        }
        CredentialProblem::Placeholder { credential, field, .. } | CredentialProblem::Blanks { credential, field } => {
            let cause = match *field {
                "issuer" => Cause::IssMismatch,
                "audience" => Cause::AudMismatch,
                _ => Cause::SubMismatch,
            };
            (cause, credential, Severity::Low)
        }
        _ => return None,
    };
    let one = credential.checked_sub(1).and_then(|at| set.credentials.get(at));
    let mut finding = Finding::new(cause, check, Certainty::Proven, problem.to_string())
        .with_severity(severity)
        .with_fix(fix(problem));
    finding.docs.clone_from(&catalogue::entry(cause).docs);
    if let Some(name) = one.and_then(|one| one.name.as_deref()) {
        finding = finding.with_evidence(format!("credential {credential} is `{name}`"));
    }
    if let Some(quote) = one.and_then(typographic) {
        finding = finding.with_evidence(format!(
            "it has the quotation mark {quote}, which pages and editors make of an apostrophe and Entra does not read"
        ));
    }
    Some(finding)
}

fn typographic(one: &FederatedCredential) -> Option<char> {
    one.expression.as_deref()?.chars().find(|c| TYPOGRAPHIC.contains(c))
}

fn fix(problem: &CredentialProblem) -> String {
    match problem {
        CredentialProblem::ClaimDemanded { claims, .. } => {
            format!(
                "Add to the expression: and claims['{}'] eq '…', with the number that a token of the job has",
                claims[0]
            )
        }
        CredentialProblem::NotFlexibleIssuer { .. } => {
            "Give the credential the exact subject instead of an expression, one credential for each".to_owned()
        }
        CredentialProblem::Wildcard { .. } => {
            "Write the whole subject, one credential for each; only an expression has wildcards".to_owned()
        }
        CredentialProblem::Subject { written, .. } => format!("Write the subject as its issuer does: {written}"),
        CredentialProblem::Placeholder { field, text, .. } => {
            format!("Put the real value in place of `{text}` in the {field}")
        }
        CredentialProblem::Blanks { field, .. } => format!("Take the blanks off the ends of the {field}"),
        CredentialProblem::ClaimNotOffered { claim, .. } => format!("Take the test of `{claim}` out of the expression"),
        CredentialProblem::Shape { .. } | CredentialProblem::AudienceCount { .. } => {
            "Write name, issuer, one of subject and claimsMatchingExpression, and audiences as a list with one text"
                .to_owned()
        }
        _ => "Write it as claims['sub'] eq '…' or claims['sub'] matches '…', with apostrophes, joined by `and`"
            .to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::domain::ids::Finder;

    const GITHUB: &str = "https://token.actions.githubusercontent.com";

    fn causes(credential: Value) -> Vec<Cause> {
        let set = CredentialSet::parse(&credential.to_string()).unwrap();
        flaws(&set, Finder::Trust.into()).into_iter().map(|finding| finding.cause).collect()
    }

    fn flexible(issuer: &str, expression: &str) -> Value {
        json!({
            "name": "main", "issuer": issuer, "audiences": ["api://AzureADTokenExchange"],
            "claimsMatchingExpression": { "value": expression, "languageVersion": 1 }
        })
    }

    #[test]
    fn expressions_are_judged_by_their_issuer() {
        let pinned = "claims['sub'] matches 'repo:octo/*' and claims['repository_owner_id'] eq '1'";
        for (issuer, expression, cause) in [
            (GITHUB, pinned, None),
            (GITHUB, "claims['sub'] matches 'repo:octo/*'", Some(Cause::FicExpressionRequiredClaim)),
            (GITHUB, "claims['sub'] matches 'repo:octo/*' or", Some(Cause::FicExpressionInvalid)),
            (GITHUB, "claims[\u{2018}sub\u{2019}] eq \u{2018}repo:octo/app\u{2019}", Some(Cause::FicExpressionInvalid)),
            (GITHUB, "claims['actor'] eq 'octo' and claims['repository_id'] eq '1'", Some(Cause::FicExpressionInvalid)),
            ("https://gitlab.com", "claims['sub'] matches 'project_path:g/*'", Some(Cause::FicExpressionRequiredClaim)),
            ("https://gitlab.com", "claims['project_id'] eq '7'", None),
            ("https://app.terraform.io", "claims['sub'] matches 'organization:o:*'", None),
            ("https://issuer.example.com", "claims['sub'] eq 'x'", Some(Cause::FicExpressionIssuer)),
        ] {
            assert_eq!(causes(flexible(issuer, expression)), Vec::from_iter(cause), "{issuer} {expression}");
        }
    }

    #[test]
    fn a_credential_that_no_token_fits_is_told_by_its_member() {
        let plain = |issuer: &str, subject: &str| json!({"name": "main", "issuer": issuer, "subject": subject, "audiences": ["api://AzureADTokenExchange"]});
        for (credential, cause) in [
            (plain(GITHUB, "repo:octo/app:environment:prod"), None),
            (plain(GITHUB, "repo:octo/app:*"), Some(Cause::SubMismatch)),
            (plain(GITHUB, "repo:octo/app:ref:main"), Some(Cause::SubMismatch)),
            (plain(GITHUB, "repo:<OWNER>/app:pull_request"), Some(Cause::SubMismatch)),
            (plain("https://i.example/{tenant}", "s"), Some(Cause::IssMismatch)),
            (plain("https://eastus.oic.prod-aks.azure.com/a/b/", "system:serviceaccount:apps:web"), None),
            (
                plain("https://eastus.oic.prod-aks.azure.com/a/b/", "system:serviceaccount:apps"),
                Some(Cause::SubMismatch),
            ),
        ] {
            assert_eq!(causes(credential.clone()), Vec::from_iter(cause), "{credential}");
        }
    }

    #[test]
    fn a_typographic_mark_is_named() {
        let set = CredentialSet::parse(&flexible(GITHUB, "claims[\u{2018}sub\u{2019}] eq 'x'").to_string()).unwrap();
        let found = flaws(&set, Finder::Trust.into());
        assert!(found[0].evidence.iter().any(|fact| fact.contains('\u{2018}')), "{found:?}");
    }

    #[test]
    fn a_document_of_another_shape_says_so() {
        let plain = json!({ "name": "main", "issuer": "https://i", "subject": "s", "audiences": ["a"] });
        let with = |member: &str, value: Value| {
            let mut changed = plain.clone();
            changed[member] = value;
            changed
        };
        assert_eq!(causes(plain.clone()), []);
        assert_eq!(causes(with("issuer", json!("https://vstoken.dev.azure.com/0"))), [Cause::IssuerRetiring]);
        assert_eq!(causes(with("audiences", json!("a"))), [Cause::FicShape]);
        assert_eq!(causes(with("audiences", json!(["a", "b"]))), [Cause::FicShape]);
        let bare = json!({ "name": "main", "issuer": GITHUB, "audiences": ["a"],
            "claimsMatchingExpression": "claims['repository_id'] eq '1'" });
        assert_eq!(causes(bare), [Cause::FicExpressionInvalid]);
    }
}
