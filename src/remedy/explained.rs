//! What an error text leaves open, and the command that decides: the same explanation with the document that does.

use super::{Values, look, looking, suspects};
use crate::cause::explain::{ExplainContext, Explanation};
use crate::cause::{Certainty, Look, TrustDocument, Undecided};
use crate::domain::ids::{Cloud, Finder};
use crate::guide::form::shell::quote;

/// The files that an explanation was made from, by their names; none where they were typed or pasted.
#[derive(Clone, Copy, Debug, Default)]
pub struct ExplainedFiles<'a> {
    pub text: Option<&'a str>,
    pub token: Option<&'a str>,
    pub claims: Option<&'a str>,
}

/// The block, where several causes remain and none is proven.
pub fn undecided_text(
    explanation: &Explanation,
    given: &ExplainContext<'_>,
    files: ExplainedFiles<'_>,
) -> Option<Undecided> {
    let candidates = &explanation.causes;
    if candidates.len() < 2 || candidates.iter().any(|found| found.certainty == Certainty::Proven) {
        return None;
    }
    let values =
        Values { profile: given.profile, claims: given.claims, parsed: Some(&explanation.parsed), check: None };
    let decide = by_details(explanation, &values)
        .or_else(|| by_document(explanation, given, files, &values))
        .or_else(|| look(candidates, explanation.guide, &values))
        .or_else(|| by_token(given, files))?;
    let parsed = &explanation.parsed;
    Some(Undecided {
        check: Finder::Explain.into(),
        refused: parsed.message.clone().or_else(|| explanation.code.clone()).unwrap_or_default(),
        candidates: suspects(candidates),
        decide,
    })
}

/// AWS's own account of the denial, where the text names it: kept for a day, for whoever may read it.
fn by_details(explanation: &Explanation, values: &Values<'_>) -> Option<Look> {
    let id = explanation.parsed.authorization_id.as_deref()?;
    let is_id = !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
    let region = looking("<region>", values);
    is_id.then(|| Look {
        text: "Read AWS's own account of this denial within a day (IAM toolbox, a preview), and explain that".to_owned(),
        command: format!(
            "aws iam-toolbox get-request-authorization-details --authorization-id {id} --region {region} >details.json && \
             trustline explain details.json"
        ),
    })
}

/// The document of the cloud's side, where it lies in one and none was given.
fn by_document(
    explanation: &Explanation,
    given: &ExplainContext<'_>,
    files: ExplainedFiles<'_>,
    values: &Values<'_>,
) -> Option<Look> {
    let (document, text, read, flag) = match explanation.cloud? {
        Cloud::Aws => (
            TrustDocument::Policy,
            "Read the role's trust policy, and explain again with it and the token",
            "aws iam get-role --role-name <role-name> >role.json",
            "--policy role.json",
        ),
        Cloud::Azure => (
            TrustDocument::Credentials,
            "Read the application's federated credentials, and explain again with them and the token",
            "az ad app federated-credential list --id <client-id> >credentials.json",
            "--credential credentials.json",
        ),
        Cloud::Gcp => (
            TrustDocument::Provider,
            "Read the pool's provider, and explain again with it and the token",
            "gcloud iam workload-identity-pools providers describe <provider> --workload-identity-pool <pool> \
             --location global --project <project> --format json >provider.json",
            "--provider provider.json",
        ),
    };
    if given.trust.is_some() || !document.decides().contains(&explanation.causes.first()?.cause) {
        return None;
    }
    let read = looking(read, values);
    Some(Look { text: text.to_owned(), command: format!("{read} && {} {flag}{}", again(files), token(files)) })
}

/// The token that was refused, where it was not given.
fn by_token(given: &ExplainContext<'_>, files: ExplainedFiles<'_>) -> Option<Look> {
    given.claims.is_none().then(|| Look {
        text: "Explain again with the token that was refused".to_owned(),
        command: format!("{}{}", again(files), token(files)),
    })
}

/// The same explanation again, of the same text.
fn again(files: ExplainedFiles<'_>) -> String {
    let file = files.text.map_or_else(|| "\"${ERROR_FILE:?the file with the error text}\"".to_owned(), quote);
    format!("trustline explain {file}")
}

fn token(files: ExplainedFiles<'_>) -> String {
    match (files.token, files.claims) {
        (Some(token), _) => format!(" --token {}", quote(token)),
        (None, Some(claims)) => format!(" --claims {}", quote(claims)),
        (None, None) => " --token \"${TOKEN_FILE:?the file with the token that was refused}\"".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::remedy::explained;

    const DENIED: &str = "An error occurred (AccessDenied) when calling the AssumeRoleWithWebIdentity operation: Not \
                          authorized to perform sts:AssumeRoleWithWebIdentity";

    fn decided_by(files: ExplainedFiles<'_>) -> String {
        let given = ExplainContext::default();
        undecided_text(&explained(DENIED, &given), &given, files).unwrap().decide.command
    }

    #[test]
    fn the_same_text_is_explained_again_with_the_document_that_decides() {
        let named = ExplainedFiles { text: Some("my log"), token: Some("t.jwt"), claims: None };
        assert!(decided_by(named).ends_with("trustline explain 'my log' --policy role.json --token t.jwt"));
        let pasted = decided_by(ExplainedFiles::default());
        assert!(pasted.contains("${ERROR_FILE:?") && pasted.contains("--token \"${TOKEN_FILE:?"), "{pasted}");
    }

    #[test]
    fn a_denial_that_aws_explains_itself_is_explained_with_that() {
        let denied = "User: arn:aws:iam::123456789012:user/ci is not authorized to perform: secretsmanager:GetSecretValue on \
                      resource: arn:aws:secretsmanager:eu-west-1:123456789012:secret:db-AbCdEf because no identity-based policy \
                      allows the secretsmanager:GetSecretValue action. Go to https://eu-west-1.console.aws.amazon.com/iam/home for \
                      details, or call the GetRequestAuthorizationDetails API with the following authorization id: 0a1b2c3d4e";
        let given = ExplainContext::default();
        let command = |text: &str| {
            let undecided = undecided_text(&explained(text, &given), &given, ExplainedFiles::default());
            undecided.map(|undecided| undecided.decide.command).unwrap_or_default()
        };
        let told = command(denied);
        assert!(told.contains("--authorization-id 0a1b2c3d4e") && told.contains("eu-west-1"), "{told}");
        assert!(!command(&denied.replace("0a1b2c3d4e", "not-one")).contains("iam-toolbox"));
    }

    #[test]
    fn what_is_proven_or_unknown_leaves_nothing_open() {
        let given = ExplainContext::default();
        let mut explanation = explained(DENIED, &given);
        explanation.causes[0].certainty = Certainty::Proven;
        for settled in [explanation, explained("no such text", &given)] {
            assert_eq!(undecided_text(&settled, &given, ExplainedFiles::default()), None);
        }
    }
}
