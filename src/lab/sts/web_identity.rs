//! `AssumeRoleWithWebIdentity`: the token for the role's credentials, with the session tags that it carries.

use secrecy::ExposeSecret as _;
use serde_json::{Value, json};

use super::token::{Identity, ParsedToken};
use super::{AwsError, Element, Outcome, Sts, now, token, verification};
use crate::domain::iam::{TrustRequest, WEB_IDENTITY};
use crate::domain::roles_claim::is_role_arn;
use crate::domain::timestamp::rfc3339;
use crate::lab::iam;
use crate::lab::query::{Constraints, Parameters, Shown, is_session_name_character};
use crate::lab::server::Request;
use crate::lab::session::{Account, Caller};
use crate::lab::trail::Exchange;
use crate::lab::world::{Provider, Role};

/// Where no duration is asked for.
const DEFAULT_DURATION: i32 = 3600;

/// A request whose parameters are within their bounds.
pub(super) struct SessionRequest<'a> {
    pub role_arn: &'a str,
    pub session_name: &'a str,
    pub duration: i32,
    /// The inline session policy.
    pub policy: Option<&'a str>,
}

impl<'a> SessionRequest<'a> {
    /// Reads what all ways of assuming a role have in common; `more` adds the constraints of its own parameters, so
    /// that one refusal names them all.
    pub(super) fn read(parameters: &'a Parameters, more: impl FnOnce(&mut Constraints)) -> Result<Self, AwsError> {
        let duration = parameters.integer("DurationSeconds")?.unwrap_or(DEFAULT_DURATION);
        let role_arn = parameters.get("RoleArn");
        let session_name = parameters.get("RoleSessionName");
        let policy = parameters.get("Policy");
        let mut constraints = Constraints::default();
        constraints.length("roleArn", role_arn, (20, 2048), Shown::Plainly);
        constraints.length("roleSessionName", session_name, (2, 64), Shown::Plainly);
        if let Some(name) = session_name {
            constraints.pattern("roleSessionName", name, "[\\w+=,.@-]*", is_session_name_character);
        }
        constraints.range("durationSeconds", duration, (900, 43_200));
        if policy.is_some() {
            constraints.length("policy", policy, (1, 2048), Shown::Plainly);
        }
        more(&mut constraints);
        constraints.check()?;
        let (role_arn, session_name) = (role_arn.unwrap_or_default(), session_name.unwrap_or_default());
        if !is_role_arn(role_arn) {
            return Err(AwsError::validation("Request ARN is invalid"));
        }
        if policy.is_some_and(|text| !iam::is_policy(text)) {
            return Err(AwsError::new("MalformedPolicyDocument", 400, "The policy is not in the valid JSON format."));
        }
        Ok(SessionRequest { role_arn, session_name, duration, policy })
    }

    /// The duration must not exceed what the role allows.
    pub(super) fn check_duration(&self, role: &Role) -> Result<(), AwsError> {
        if i64::from(self.duration) > i64::from(role.max_session_duration_s) {
            return Err(AwsError::validation(
                "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.",
            ));
        }
        Ok(())
    }
}

impl Sts {
    pub(super) async fn assume_role_with_web_identity(
        &self,
        sent: &Request,
        parameters: &Parameters,
        request_id: &str,
    ) -> Result<Outcome, AwsError> {
        let text = parameters.get("WebIdentityToken");
        let request = SessionRequest::read(parameters, |constraints| {
            constraints.length("webIdentityToken", text, (4, 20_000), Shown::Masked);
        })?;
        check_provider_id(parameters.get("ProviderId"))?;
        let token = token::parse(text.unwrap_or_default())?;
        let identity = token::check_claims(&token.claims, request.role_arn, now())?;
        let provider_arn = self.verify(&token, &identity, request.role_arn).await?;
        let outcome = self
            .check_trust(&request, sent.header("user-agent"), &token, &provider_arn)
            .and_then(|role_name| self.open_session(&request, &identity, &provider_arn, role_name));
        let world = self.accounts.of_arn(request.role_arn).world();
        self.accounts.of_arn(request.role_arn).trail.add(
            &world,
            &Exchange {
                provider_arn: &provider_arn,
                audience: &identity.audience,
                subject: &identity.subject,
                role_arn: request.role_arn,
                session_name: request.session_name,
                duration: request.duration,
                user_agent: sent.header("user-agent"),
                request_id,
                outcome: outcome.as_ref().map(|(_, answer)| answer.clone()).map_err(|fault| fault.code),
            },
        );
        outcome.map(|(outcome, _)| outcome)
    }

    /// Finds the provider, its audience and its key, and verifies the signature; yields the provider's ARN.
    async fn verify(&self, token: &ParsedToken, identity: &Identity, role_arn: &str) -> Result<String, AwsError> {
        let provider = self.provider(role_arn, &identity.issuer).ok_or_else(|| {
            AwsError::invalid_token(format!("No OpenIDConnect provider found in your account for {}", identity.issuer))
        })?;
        if !provider.client_ids.contains(&identity.audience) {
            return Err(AwsError::not_validated());
        }
        let keys = self.fetcher.key_set(&identity.issuer).await.ok_or_else(AwsError::no_verification_key)?;
        verification::verify(token, &keys)?;
        Ok(self.accounts.of_arn(role_arn).world().provider_arn(&provider))
    }

    /// The provider for exactly this issuer in the role's account.
    fn provider(&self, role_arn: &str, issuer: &str) -> Option<Provider> {
        let world = self.accounts.of_arn(role_arn).world();
        let account = role_arn.split(':').nth(4).unwrap_or_default();
        let mut providers = world.providers.values();
        providers.find(|provider| account == world.account && provider.url == issuer).cloned()
    }

    /// A missing role and a trust policy that does not allow get the same sentence.
    fn check_trust(
        &self,
        request: &SessionRequest<'_>,
        user_agent: &str,
        token: &ParsedToken,
        provider_arn: &str,
    ) -> Result<String, AwsError> {
        let account = self.accounts.of_arn(request.role_arn);
        let (name, role) = account.role(request.role_arn).ok_or_else(|| AwsError::not_authorized(WEB_IDENTITY))?;
        let question = TrustRequest {
            role_arn: Some(request.role_arn),
            session_name: Some(request.session_name),
            user_agent: Some(user_agent),
            now: Some(now()),
            ..TrustRequest::new(&token.claims, provider_arn)
        };
        if !iam::trust_allows(&role.trust_policy.text(), &question) {
            return Err(AwsError::not_authorized(WEB_IDENTITY));
        }
        request.check_duration(&role)?;
        Ok(name)
    }

    fn open_session(
        &self,
        request: &SessionRequest<'_>,
        identity: &Identity,
        provider_arn: &str,
        role: String,
    ) -> Result<(Outcome, Value), AwsError> {
        let caller = Caller::Session {
            role,
            session_name: request.session_name.to_owned(),
            session_policies: request.policy.map(str::to_owned).into_iter().collect(),
            tags: identity.tags.clone(),
        };
        let account = self.accounts.of_arn(request.role_arn);
        let credentials = account
            .open_session(caller.clone(), now() + i64::from(request.duration))
            .map_err(|error| AwsError::internal(error.to_string()))?;
        // CloudTrail has the session's token, too, and no secret key.
        let answer = json!({
            "credentials": {
                "accessKeyId": credentials.access_key_id,
                "sessionToken": credentials.session_token.expose_secret(),
                "expiration": rfc3339(credentials.expires),
            },
            "subjectFromWebIdentityToken": identity.subject,
            "assumedRoleUser": { "assumedRoleId": account.user_id(&caller), "arn": account.arn(&caller) },
            "provider": provider_arn,
            "audience": identity.audience,
        });
        let mut result = vec![
            Element::text("SubjectFromWebIdentityToken", identity.subject.clone()),
            Element::text("Audience", identity.audience.clone()),
            assumed_role_user(account, &caller),
            Sts::credentials(&credentials),
            Element::text("Provider", provider_arn),
            Element::text("PackedPolicySize", packed_size(request, identity).to_string()),
        ];
        if let Some(source) = &identity.source_identity {
            result.push(Element::text("SourceIdentity", source.clone()));
        }
        Ok((Outcome { action: "AssumeRoleWithWebIdentity", result }, answer))
    }
}

/// The `AssumedRoleUser` element.
pub(super) fn assumed_role_user(account: &Account, caller: &Caller) -> Element {
    let user = vec![Element::text("AssumedRoleId", account.user_id(caller)), Element::text("Arn", account.arn(caller))];
    Element::of("AssumedRoleUser", user)
}

/// The provider id is for the access tokens of two old OAuth providers, and refused with an ID token.
fn check_provider_id(provider: Option<&str>) -> Result<(), AwsError> {
    match provider {
        None => Ok(()),
        Some("www.amazon.com") => Err(AwsError::invalid_token("Provided Token is not a Login With Amazon token")),
        Some("graph.facebook.com") => Err(AwsError::new(
            "IDPRejectedClaim",
            403,
            "graph.facebook.com rejected OAuth token with response \"Bad signature\" and code 190",
        )),
        Some(_) => Err(AwsError::new(
            "AccessDenied",
            403,
            "Unrecognized OAuth provider. Do not include a provider parameter when submitting OpenIDConnect ID tokens",
        )),
    }
}

/// A share of the packed space in percent. AWS does not publish how it packs; this gives the shares that were recorded
/// in September 2026, for subjects of 1 to 300 characters, with and without a source identity.
fn packed_size(request: &SessionRequest<'_>, identity: &Identity) -> usize {
    let tags: usize = identity.tags.iter().map(|(key, value)| key.len() + value.len()).sum();
    let source = identity.source_identity.as_ref().map_or(0, |source| source.len() + 12);
    let policy = request.policy.map_or(0, |policy| policy.len() / 2);
    (748 + identity.subject.len() + tags / 2 + source + policy) / 30
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lab::sts::token::Tags;

    #[test]
    fn packed_sizes_are_the_recorded_ones() {
        let request = SessionRequest { role_arn: "", session_name: "oidc-probe", duration: 3600, policy: None };
        for (subject, source, percent) in [
            ("subject-probe", None, 25),
            ("123", None, 25),
            ("a", None, 24),
            ("", None, 24),
            ("subject-probe", Some("source-probe"), 26),
            (&*"a".repeat(300), None, 34),
        ] {
            let identity = Identity {
                issuer: "https://i.example".into(),
                subject: subject.into(),
                audience: "client-a".into(),
                source_identity: source.map(str::to_owned),
                tags: Tags::new(),
            };
            assert_eq!(packed_size(&request, &identity), percent, "{subject} {source:?}");
        }
    }
}
