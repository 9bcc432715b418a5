//! What an error text leaves open, and the command that decides: the same explanation with the document that does.

use std::path::Path;

use super::ExplainArgs;
use crate::cause::explain::{ExplainContext, Explanation};
use crate::cause::{Certainty, Finding, Look, TrustDocument, Undecided};
use crate::domain::ids::{Cloud, Finder};
use crate::guide::form::shell::quote;
use crate::remedy::{self, Values};

/// The block, where several causes remain and none is proven.
pub(super) fn undecided(
    args: &ExplainArgs,
    explanation: &Explanation,
    given: &ExplainContext<'_>,
) -> Option<Undecided> {
    let candidates = &explanation.causes;
    if candidates.len() < 2 || candidates.iter().any(|found| found.certainty == Certainty::Proven) {
        return None;
    }
    let values =
        Values { profile: given.profile, claims: given.claims, parsed: Some(&explanation.parsed), check: None };
    let decide = by_document(args, explanation, &values)
        .or_else(|| remedy::look(candidates, explanation.guide, &values))
        .or_else(|| by_token(args, candidates))?;
    let parsed = &explanation.parsed;
    Some(Undecided {
        check: Finder::Explain.into(),
        refused: parsed.message.clone().or_else(|| explanation.code.clone()).unwrap_or_default(),
        candidates: remedy::suspects(candidates),
        decide,
    })
}

/// The document of the cloud's side, where it lies in one and none was given.
fn by_document(args: &ExplainArgs, explanation: &Explanation, values: &Values<'_>) -> Option<Look> {
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
        Cloud::Gcp => return None,
    };
    let is_open = args.policy.is_none() && args.credential.is_none();
    if !is_open || !document.decides().contains(&explanation.causes.first()?.cause) {
        return None;
    }
    let read = remedy::looking(read, values);
    Some(Look { text: text.to_owned(), command: format!("{read} && {} {flag}{}", again(args), token(args)) })
}

/// The token that was refused, where it was not given.
fn by_token(args: &ExplainArgs, candidates: &[Finding]) -> Option<Look> {
    let is_open = args.token.is_none() && args.claims.is_none() && !candidates.is_empty();
    is_open.then(|| Look {
        text: "Explain again with the token that was refused".to_owned(),
        command: format!("{}{}", again(args), token(args)),
    })
}

/// The same explanation again, of the same text.
fn again(args: &ExplainArgs) -> String {
    let file = args.file.as_deref().filter(|file| *file != Path::new("-")).map(|file| quote(&file.to_string_lossy()));
    format!(
        "trustline explain {}",
        file.unwrap_or_else(|| "\"${ERROR_FILE:?the file with the error text}\"".to_owned())
    )
}

fn token(args: &ExplainArgs) -> String {
    match (&args.token, &args.claims) {
        (Some(token), _) => format!(" --token {}", quote(&token.to_string_lossy())),
        (None, Some(claims)) => format!(" --claims {}", quote(&claims.to_string_lossy())),
        (None, None) => " --token \"${TOKEN_FILE:?the file with the token that was refused}\"".to_owned(),
    }
}
