//! Whom a federated credential may admit: the identity that the profile means, or the token's where the profile says
//! nothing of it. Never a pull request's, never another owner's, never another issuer's.

use super::names::Names;
use crate::domain::entra::FederatedCredential;
use crate::domain::iam::Truth;
use crate::domain::iam::pattern::{Effort, like};
use crate::domain::issuer::{GithubSubject, IssuerKind, segments};
use crate::domain::profile::expected;
use crate::domain::token::DecodedToken;

/// The three values that a federated credential compares.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Identity {
    pub issuer: String,
    pub subject: String,
    pub audience: String,
    /// Whether the subject is the token's alone: the profile names no other.
    pub is_of_token: bool,
}

impl Identity {
    /// The identity that the profile's token shows, as far as it may be admitted.
    ///
    /// # Errors
    /// Where the token is not the one that the profile means, or nothing says that it is: what is wrong with it.
    pub(super) fn admissible(names: &Names<'_>, in_force: Option<&FederatedCredential>) -> Result<Self, String> {
        let Some(token) = names.context.facts.token.as_ref().and_then(|fact| fact.token()) else {
            return Self::meant(names);
        };
        let issuer = issuer(names, token, in_force)?;
        let (subject, is_of_token) = subject(names, token, in_force)?;
        Ok(Identity { issuer, subject, audience: audience(names, token, in_force)?, is_of_token })
    }

    /// Without a token: what the profile says.
    fn meant(names: &Names<'_>) -> Result<Self, String> {
        let profile = names.profile();
        match (&profile.issuer_url, expected::subject(profile)) {
            // What the profile leaves open in a subject, no plain credential can admit.
            (Some(issuer), Some(subject)) if !subject.contains('*') => Ok(Identity {
                issuer: issuer.clone(),
                subject,
                audience: names.cloud().credential_audience.to_owned(),
                is_of_token: false,
            }),
            _ => Err("There is no token, and the profile does not say whom the credential is for: set issuer.url and \
                      platform.organization, or bring a token."
                .to_owned()),
        }
    }
}

fn issuer(names: &Names<'_>, token: &DecodedToken, in_force: Option<&FederatedCredential>) -> Result<String, String> {
    let iss = token.issuer().ok_or("The token has no iss, so no credential can fit it.")?;
    match &names.profile().issuer_url {
        Some(meant) if meant == iss => Ok(iss.to_owned()),
        Some(meant) => Err(format!(
            "The token is of the issuer {iss}, and the profile's is {meant}: the token is another platform's. Use one \
             of {meant}; a credential for the other issuer would let its tokens in."
        )),
        None if in_force.is_some_and(|credential| credential.issuer == iss) => Ok(iss.to_owned()),
        None => Err(format!(
            "The profile does not say which issuer is meant. If it is {iss}, set issuer.url to it and check again."
        )),
    }
}

fn subject(
    names: &Names<'_>,
    token: &DecodedToken,
    in_force: Option<&FederatedCredential>,
) -> Result<(String, bool), String> {
    let sub = token.subject().ok_or("The token has no sub, so no credential can fit it.")?;
    if let Some(meant) = expected::subject(names.profile()) {
        return if like(&meant, sub, &Effort::small()) == Truth::True && !is_pull_request(token, sub) {
            Ok((sub.to_owned(), meant != sub))
        } else {
            Err(format!(
                "The token is of {sub}, and the profile's subject is {meant}: the token is another organization's or \
                 another job's. Use the token that is meant; a credential for the other one would let it in."
            ))
        };
    }
    if is_pull_request(token, sub) {
        return Err(format!(
            "The token is of a pull request ({sub}), and whoever opens one decides what runs in it: it is not let in. \
             Run the job for a branch or an environment."
        ));
    }
    let known = in_force.and_then(|credential| credential.subject.as_deref());
    match known {
        Some(known) if known == sub => Ok((sub.to_owned(), false)),
        Some(known) if !is_of_one_owner(known, sub) => Err(format!(
            "The credential is for {known} and the token is of {sub}, which is another owner's: use the token that is \
             meant, or set the profile to whom you mean."
        )),
        Some(known) if loses_ids(known, sub) => Err(format!(
            "The credential names owner and repository with their numbers and the token does not. Turn the immutable \
             subject on for the repository (Settings, Actions, OIDC), so that its tokens are of {known}: a name alone \
             passes to whoever takes it next."
        )),
        Some(_) | None => Ok((sub.to_owned(), true)),
    }
}

/// An audience is set to the convention of the cloud or left alone: a token that was made for another service stays out.
fn audience(names: &Names<'_>, token: &DecodedToken, in_force: Option<&FederatedCredential>) -> Result<String, String> {
    let conventional = names.cloud().credential_audience;
    let [aud] = token.audiences()[..] else {
        return Err(format!("The token must have one audience, {conventional}; have it made for that alone."));
    };
    if aud == conventional || in_force.is_some_and(|credential| credential.audiences == [aud]) {
        return Ok(aud.to_owned());
    }
    Err(format!(
        "The token's audience is {aud}, so it was made for another service. Have it made for {conventional}: in the \
         job's `aud` on GitLab, as `audience` on GitHub, with `--audience` of `kubectl create token`."
    ))
}

fn is_pull_request(token: &DecodedToken, sub: &str) -> bool {
    let event = token.claim("event_name").and_then(|value| value.as_str()).unwrap_or_default();
    event.starts_with("pull_request")
        || GithubSubject::parse(sub).is_some_and(|s| s.context.split(':').any(|part| part == "pull_request"))
}

/// Whether two subjects begin with the same owner: organization, group, namespace, as their issuer's grammar has it.
/// Letter case does not separate owners.
fn is_of_one_owner(one: &str, other: &str) -> bool {
    const KINDS: [IssuerKind; 7] = [
        IssuerKind::GithubActions,
        IssuerKind::GitlabCom,
        IssuerKind::CircleCi,
        IssuerKind::TerraformCloud,
        IssuerKind::Buildkite,
        IssuerKind::Kubernetes,
        IssuerKind::AgentPlatform,
    ];
    if one.eq_ignore_ascii_case(other) {
        return true;
    }
    let owner = |kind, subject| segments(kind, subject).first().filter(|s| s.name != "subject").map(|s| s.value);
    KINDS.into_iter().any(|kind| match (owner(kind, one), owner(kind, other)) {
        (Some(one), Some(other)) => one.eq_ignore_ascii_case(other),
        _ => false,
    })
}

fn loses_ids(in_force: &str, sub: &str) -> bool {
    let has_ids = |subject| GithubSubject::parse(subject).is_some_and(|s| s.owner_id.is_some());
    has_ids(in_force) && !has_ids(sub)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;
    use crate::remedy::azure::tests::{Case, ISSUER, ORGANIZATION};

    fn credential(subject: &str) -> FederatedCredential {
        FederatedCredential {
            issuer: ISSUER.into(),
            subject: Some(subject.into()),
            audiences: vec!["api://AzureADTokenExchange".into()],
            ..FederatedCredential::default()
        }
    }

    fn decided(case: &Case, in_force: Option<&FederatedCredential>) -> Result<Identity, String> {
        Identity::admissible(&Names::new(case.context()), in_force)
    }

    fn token(sub: &str) -> Value {
        json!({ "iss": ISSUER, "sub": sub, "aud": "api://AzureADTokenExchange" })
    }

    #[test]
    fn the_profiles_own_organization_is_admitted_and_no_other() {
        let own = format!("organization:{ORGANIZATION}");
        let other = "organization:0b1e5c77-2f43-4d7a-9c8e-51a3d9e60f24";
        let case = Case::with_token(&token(&own));
        let identity = decided(&case, Some(&credential(other))).unwrap();
        assert_eq!((identity.subject.as_str(), identity.is_of_token), (own.as_str(), false));
        let why = decided(&Case::with_token(&token(other)), Some(&credential(&own))).unwrap_err();
        assert!(why.contains("another organization's"), "{why}");
    }

    #[test]
    fn without_a_token_the_profile_speaks() {
        let mut case = Case::bare();
        assert_eq!(decided(&case, None).unwrap().subject, format!("organization:{ORGANIZATION}"));
        case.profile.organization = None;
        assert!(decided(&case, None).is_err());
    }

    #[test]
    fn a_foreign_issuer_is_never_admitted() {
        let mut claims = token(&format!("organization:{ORGANIZATION}"));
        claims["iss"] = "https://evil.example.com".into();
        let mut case = Case::with_token(&claims);
        assert!(decided(&case, None).unwrap_err().contains("another platform's"));
        case.profile.issuer_url = None;
        assert!(decided(&case, Some(&credential("x"))).unwrap_err().contains("issuer.url"));
    }

    #[test]
    fn an_audience_of_another_service_is_never_admitted() {
        let mut claims = token(&format!("organization:{ORGANIZATION}"));
        claims["aud"] = "sts.amazonaws.com".into();
        assert!(decided(&Case::with_token(&claims), None).unwrap_err().contains("api://AzureADTokenExchange"));
        let mut agreed = credential("x");
        agreed.audiences = vec!["sts.amazonaws.com".into()];
        assert!(decided(&Case::with_token(&claims), Some(&agreed)).is_ok());
    }

    #[test]
    fn where_the_profile_is_silent_the_token_speaks_within_its_owner() {
        let silent = |sub: &str| {
            let mut case = Case::with_token(&token(sub));
            case.profile.organization = None;
            case
        };
        for (in_force, sub, admitted) in [
            ("repo:acme/app:ref:refs/heads/main", "repo:acme/app:environment:prod", true),
            ("repo:acme/app:ref:refs/heads/main", "repo:acme@1/app@2:ref:refs/heads/main", true),
            ("repo:acme@1/app@2:ref:refs/heads/main", "repo:acme/app:ref:refs/heads/main", false),
            ("repo:acme/app:ref:refs/heads/main", "repo:other/app:ref:refs/heads/main", false),
            ("repo:acme/app:ref:refs/heads/main", "repo:acme/app:pull_request", false),
            ("organization:1", "organization:2", false),
            ("Organization:1", "organization:1", true),
            ("project_path:a/b:ref_type:branch:ref:main", "project_path:a/b:ref_type:tag:ref:v1", true),
            ("project_path:a/b:ref_type:branch:ref:main", "project_path:x/b:ref_type:branch:ref:main", false),
            ("system:serviceaccount:a:b", "system:serviceaccount:a:c", true),
            ("system:serviceaccount:a:b", "system:serviceaccount:c:b", false),
            ("1", "organization:1", false),
            ("repo:acme/app:ref:refs/heads/main", "repo:", false),
            ("a:b", "a:c", false),
        ] {
            let decided = decided(&silent(sub), Some(&credential(in_force)));
            assert_eq!(decided.as_ref().is_ok_and(|identity| identity.is_of_token), admitted, "{in_force} {sub}");
        }
        let mut fork = token("repo:acme/app:ref:refs/heads/main");
        fork["event_name"] = "pull_request_target".into();
        let mut case = Case::with_token(&fork);
        case.profile.organization = None;
        assert!(decided(&case, None).is_err());
    }

    proptest! {
        /// Whatever a token says: what is admitted is the profile's subject, of the profile's issuer.
        #[test]
        fn nothing_but_the_profiles_identity(iss in "https://[a-z.]{1,12}|ISS", sub in "organization:[0-9a-f]{1,4}|ORG|.{0,20}", aud in "[a-z:/]{0,12}|AUD") {
            let iss = if iss == "ISS" { ISSUER.to_owned() } else { iss };
            let sub = if sub == "ORG" { format!("organization:{ORGANIZATION}") } else { sub };
            let aud = if aud == "AUD" { "api://AzureADTokenExchange".to_owned() } else { aud };
            let case = Case::with_token(&json!({ "iss": iss, "sub": sub, "aud": aud }));
            if let Ok(identity) = decided(&case, None) {
                prop_assert_eq!(identity.issuer, ISSUER);
                prop_assert_eq!(identity.subject, format!("organization:{ORGANIZATION}"));
                prop_assert_eq!(identity.audience, "api://AzureADTokenExchange");
            }
        }
    }
}
