//! The steps at Google: what each is given, and what it brings into the facts and the credentials of a run.

use crate::check::facts::Facts;
use crate::check::facts::google::{AtHand, GoogleCall, GoogleFacts, GoogleSecret, KeyFact, ProviderFact, TokenGranted};
use crate::check::facts::operator_google::provider_drift;
use crate::check::facts::secret::SecretList;
use crate::check::step::Step;
use crate::domain::profile::Profile;
use crate::domain::token::RawToken;
use crate::probe::documents;
use crate::probe::google::{GoogleSession, GoogleTarget};
use crate::probe::http::HttpStack;

/// The access tokens of a run.
#[derive(Clone, Debug, Default)]
pub struct GoogleSessions {
    /// Of the exchanged token, or of the key's owner.
    pub federated: Option<GoogleSession>,
    /// Of the service account that it impersonates.
    pub impersonated: Option<GoogleSession>,
}

impl GoogleSessions {
    /// The one that secrets are read with.
    pub fn reader(&self, profile: &Profile) -> Option<&GoogleSession> {
        if Step::GoogleImpersonate.applies(profile) { self.impersonated.as_ref() } else { self.federated.as_ref() }
    }
}

/// What a step may use.
#[derive(Clone, Copy)]
pub struct Given<'a> {
    pub profile: &'a Profile,
    pub facts: &'a Facts,
    pub token: Option<&'a RawToken>,
}

/// What a step brought.
pub enum GoogleOutput {
    Provider(Box<ProviderFact>),
    Exchanged(GoogleCall<TokenGranted>, Option<GoogleSession>),
    /// With what the key signed, where it signs.
    ByKey(KeyFact, Option<(GoogleCall<TokenGranted>, Option<GoogleSession>)>),
    Impersonated(GoogleCall<TokenGranted>, Option<GoogleSession>),
    Listed(GoogleCall<SecretList>),
    Read(Box<GoogleCall<GoogleSecret>>, Vec<String>),
}

impl GoogleOutput {
    /// Takes what was seen into the facts, and what was granted among the credentials.
    pub fn learn(self, facts: &mut GoogleFacts, sessions: &mut GoogleSessions) {
        match self {
            GoogleOutput::Provider(fact) => facts.provider = Some(*fact),
            GoogleOutput::Exchanged(fact, session) => {
                facts.exchange = Some(fact);
                sessions.federated = session;
            }
            GoogleOutput::ByKey(key, answered) => {
                facts.key = Some(key);
                let (fact, session) = answered.unzip();
                (facts.exchange, sessions.federated) = (fact, session.flatten());
            }
            GoogleOutput::Impersonated(fact, session) => {
                facts.impersonated = Some(fact);
                sessions.impersonated = session;
            }
            GoogleOutput::Listed(fact) => facts.list = Some(fact),
            GoogleOutput::Read(fact, found_in) => {
                facts.secret = Some(*fact);
                facts.found_in = found_in;
            }
        }
    }
}

/// Performs one step; `None` where it has nothing to work with.
pub async fn perform(
    step: Step,
    given: Given<'_>,
    sessions: &GoogleSessions,
    http: &HttpStack,
) -> Option<GoogleOutput> {
    let Given { profile, facts, token } = given;
    let target = GoogleTarget::new(http.clone(), &profile.gcp);
    Some(match step {
        Step::TrustPolicy => GoogleOutput::Provider(Box::new(provider(given).await?)),
        Step::GoogleExchange if profile.guide.is_key_beside_aws() => {
            let (key, answered) = target.sign_in_with_key(profile.gcp.key_file.as_deref()?, facts.now).await;
            GoogleOutput::ByKey(key, answered)
        }
        Step::GoogleExchange => {
            let (fact, session) = target.exchange(token?, facts.now).await?;
            GoogleOutput::Exchanged(fact, session)
        }
        Step::GoogleImpersonate => {
            let (fact, session) = target.impersonate(sessions.federated.as_ref()?).await?;
            GoogleOutput::Impersonated(fact, session)
        }
        Step::GoogleList => {
            GoogleOutput::Listed(target.list_secrets(sessions.reader(profile)?, profile.secret.as_ref()).await?)
        }
        Step::GoogleGet => {
            let (session, secret) = (sessions.reader(profile)?, profile.secret.as_ref()?);
            let fact = target.get_secret(session, secret, profile.gcp.version()).await?;
            let is_nowhere = fact.call.refusal().is_some_and(|refusal| refusal.http_status == 404);
            let found_in = if is_nowhere { target.locate_secret(session, secret).await } else { Vec::new() };
            GoogleOutput::Read(Box::new(fact), found_in)
        }
        _ => return None,
    })
}

/// The provider in force, where an operator read it, else that of the profile's file, evaluated for the token or for what the profile makes expected.
async fn provider(given: Given<'_>) -> Option<ProviderFact> {
    let settings = &given.profile.gcp;
    let in_force = given.facts.operator.google.provider_in_force();
    let file = match &settings.provider_file {
        Some(path) => Some((path.display().to_string(), documents::read(path).await)),
        None => None,
    };
    let drift = match (&in_force, &file) {
        (Some((_, text)), Some((name, Ok(copy)))) => provider_drift(name, copy, text),
        _ => None,
    };
    // Who has which role is judged by the policies in force, where those are read.
    let policy = match &settings.iam_policy {
        Some(path) if in_force.is_none() => Some(documents::read(path).await),
        _ => None,
    };
    let (source, provider) = in_force.map(|(source, text)| (source, Ok(text.to_owned()))).or(file)?;
    let at_hand = AtHand { source, provider, policy };
    let fact = match (given.facts.claims(), given.facts.predicted_claims()) {
        (Some(claims), _) => ProviderFact::evaluate(at_hand, claims),
        (None, Some(predicted)) => ProviderFact::predict(at_hand, predicted),
        (None, None) => return None,
    };
    Some(ProviderFact { drift, ..fact })
}
