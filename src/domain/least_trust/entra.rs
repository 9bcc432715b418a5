//! The least federated credentials of an application: one a subject, and a flexible one where an issuer may have such.

use serde_json::{Map, Value, json};

use super::lists::{NoTrust, is_pattern};
use super::proof::{Least, Wanted, prove, token};
use crate::domain::entra::{CREDENTIALS_LIMIT, CredentialSet, evaluate, flexible_issuer};
use crate::domain::issuer::GithubSubject;

/// Where the ids of a GitHub repository stand in a token beside the subject.
const OWNER_ID: &str = "repository_owner_id";
const REPOSITORY_ID: &str = "repository_id";

/// Credentials that let in the subjects of the lists, and nobody else; `name` begins the name of each.
///
/// # Errors
/// Where there would be more than an application holds, where an expression cannot say what is wanted, and where the proof
/// fails.
pub fn federated_credentials(wanted: &Wanted<'_>, name: &str) -> Result<Least<Vec<Value>>, NoTrust> {
    let count = wanted.lists.admit.len();
    if count > CREDENTIALS_LIMIT {
        let place = "an application or managed identity";
        return Err(NoTrust::TooLarge { size: count, unit: "credentials", place, limit: CREDENTIALS_LIMIT });
    }
    let mut credentials = Vec::with_capacity(count);
    for (at, subject) in wanted.lists.exact().enumerate() {
        credentials.push(json!({
            "name": if count == 1 { name.to_owned() } else { format!("{name}-{}", at + 1) },
            "issuer": wanted.issuer,
            "subject": subject,
            "audiences": [wanted.audience],
        }));
    }
    for pattern in wanted.lists.patterns() {
        let value = expression(wanted, pattern)?;
        let place = credentials.len() + 1;
        credentials.push(json!({
            "name": if count == 1 { name.to_owned() } else { format!("{name}-{place}") },
            "issuer": wanted.issuer,
            "claimsMatchingExpression": { "value": value, "languageVersion": 1 },
            "audiences": [wanted.audience],
        }));
    }
    let unsaid =
        |why: String| NoTrust::NotSaid { what: wanted.lists.admit.join(", "), place: "a federated credential", why };
    let set = CredentialSet::parse(&json!(credentials).to_string()).map_err(|error| unsaid(error.to_string()))?;
    if let Some(problem) = set.problems.first() {
        return Err(unsaid(problem.to_string()));
    }
    let claims = |subject: &str| with_ids(token(wanted, subject), subject);
    let decide = |claims: &Map<String, Value>| {
        (evaluate(&set, claims).decision, "no credential has exactly these texts".to_owned())
    };
    let mut notes = prove(wanted, &claims, &decide)?;
    if wanted.lists.patterns().next().is_some() {
        notes.push(
            "a flexible credential is made with Microsoft Graph's beta version; `az ad app` takes none".to_owned(),
        );
    }
    Ok(Least { trust: credentials, notes })
}

/// What a flexible credential asks for. It can say what a subject looks like, and not what it must not be.
fn expression(wanted: &Wanted<'_>, pattern: &str) -> Result<String, NoTrust> {
    let unsaid = |why: &str| {
        Err(NoTrust::NotSaid { what: format!("`{pattern}`"), place: "a federated credential", why: why.to_owned() })
    };
    let Some(flexible) = flexible_issuer(wanted.issuer) else {
        return unsaid(
            "Entra takes a pattern for GitHub, gitlab.com and Terraform Cloud alone; name the subjects in full",
        );
    };
    if wanted.lists.within(pattern).next().is_some() {
        return unsaid("an expression keeps nobody out of what it matches; name the subjects in full");
    }
    if pattern.contains('\'') {
        return unsaid("an expression has no way to write a quotation mark");
    }
    let subject = format!("claims['sub'] matches '{pattern}'");
    if flexible.demanded.is_empty() {
        return Ok(subject);
    }
    match GithubSubject::parse(pattern).and_then(|github| github.owner_id.zip(github.repository_id)) {
        Some((owner, repository)) if !is_pattern(owner) && !is_pattern(repository) => Ok(format!(
            "{subject} and claims['{OWNER_ID}'] eq '{owner}' and claims['{REPOSITORY_ID}'] eq '{repository}'"
        )),
        _ => unsaid(
            "Graph demands an id beside the subject (repository_owner_id or repository_id of GitHub, project_id of gitlab.com), \
             and the pattern has none; name the subjects in full",
        ),
    }
}

/// The ids of the subject stand beside it in a token.
fn with_ids(mut claims: Map<String, Value>, subject: &str) -> Map<String, Value> {
    if let Some((owner, repository)) = GithubSubject::parse(subject).and_then(|s| s.owner_id.zip(s.repository_id)) {
        claims.insert(OWNER_ID.to_owned(), owner.into());
        claims.insert(REPOSITORY_ID.to_owned(), repository.into());
    }
    claims
}
