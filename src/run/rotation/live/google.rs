//! Google: the reader's session through the federation, the operator's from gcloud or an access token in a file.

use super::{CloudBackend, Failed, Reader, granted, refusal, without_grant};
use crate::check::CheckId;
use crate::check::facts::Facts;
use crate::check::facts::google::{GoogleCall, TokenGranted};
use crate::check::registry::judge;
use crate::check::step::Step;
use crate::domain::profile::Profile;
use crate::domain::rotation::StoreSnapshot;
use crate::domain::secret_ref::SecretRef;
use crate::probe::google::{GoogleSession, GoogleTarget, operator_session};
use crate::probe::new_value::NewValue;
use crate::run::rotation::event::{Opened, Refused};
use crate::run::{now, now_ms};

/// What is said where the profile names no project.
const NO_PROJECT: &str = "the profile names no project; set gcp.project-id";

/// A target and the session to ask it with.
#[derive(Clone)]
pub(super) struct GoogleReader {
    target: GoogleTarget,
    session: GoogleSession,
}

impl GoogleReader {
    pub(super) async fn current(&self, secret: &SecretRef, profile: &Profile) -> Result<String, Failed> {
        seen(self.target.current_version(&self.session, secret).await, profile)
    }

    pub(super) async fn snapshot(&self, secret: &SecretRef, profile: &Profile) -> Result<StoreSnapshot, Failed> {
        seen(self.target.snapshot(&self.session, secret, now_ms()).await, profile)
    }
}

/// What Secret Manager showed, or the same verdict as in a check.
fn seen<T>(fact: Option<GoogleCall<T>>, profile: &Profile) -> Result<T, Failed> {
    let Some(fact) = fact else { return Err(Failed { refused: Refused::new(NO_PROJECT), expired: false }) };
    let GoogleCall { endpoint, call, error } = fact;
    without_grant(call).map_err(|call| {
        let expired = call.refusal().is_some_and(|refusal| refusal.http_status == 401);
        let mut facts = Facts::default();
        facts.google.secret = Some(GoogleCall { endpoint, call: *call, error });
        Failed { refused: refusal(judge(CheckId::GcpGetSecret, &facts, profile)), expired }
    })
}

impl CloudBackend {
    pub(super) async fn open_google(&self) -> Result<(Reader, Opened), Refused> {
        let target = GoogleTarget::new(self.http.clone(), &self.profile.gcp);
        let mut facts = Facts { now: now(), ..Facts::default() };
        let (fact, session) = self.google_access(&target, &mut facts).await?;
        let clock_skew_s = fact.call.exchange.as_ref().and_then(|exchange| exchange.clock_skew_s);
        let mut identity = fact.call.granted().map(|granted| granted.of.clone());
        facts.google.exchange = Some(fact);
        let Some(federated) = session else {
            return Err(refusal(judge(CheckId::GcpExchange, &facts, &self.profile)));
        };
        let impersonated = match Step::GoogleImpersonate.applies(&self.profile) {
            true => target.impersonate(&federated).await,
            false => None,
        };
        let session = match impersonated {
            None => federated,
            Some((fact, Some(session))) => {
                identity = fact.call.granted().map(|granted| granted.of.clone());
                session
            }
            Some((fact, None)) => {
                facts.google.impersonated = Some(fact);
                return Err(refusal(judge(CheckId::GcpImpersonate, &facts, &self.profile)));
            }
        };
        Ok((Reader::Google(Box::new(GoogleReader { target, session })), Opened { identity, clock_skew_s }))
    }

    /// An access token for the workload's token, or for what its key signs.
    async fn google_access(
        &self,
        target: &GoogleTarget,
        facts: &mut Facts,
    ) -> Result<(GoogleCall<TokenGranted>, Option<GoogleSession>), Refused> {
        if !self.profile.guide.is_key_beside_aws() {
            let token = self.token(facts).await?;
            let no_provider = || Refused::new("the profile names no provider; set gcp.provider");
            return target.exchange(&token, facts.now).await.ok_or_else(no_provider);
        }
        let no_key = || Refused::new("the profile names no key; set gcp.key-file");
        let file = self.profile.gcp.key_file.as_deref().ok_or_else(no_key)?;
        let (key, answered) = target.sign_in_with_key(file, facts.now).await;
        facts.google.key = Some(key);
        answered.ok_or_else(|| refusal(judge(CheckId::GcpExchange, facts, &self.profile)))
    }

    /// The operator's session, and who that is.
    pub(super) async fn google_operator(&self) -> Result<(GoogleTarget, GoogleSession, String), Refused> {
        let target = GoogleTarget::new(self.http.clone(), &self.profile.gcp);
        let (session, identity) = operator_session(&self.operator).await.map_err(Refused::new)?;
        Ok((target, session, identity))
    }

    pub(super) async fn write_google(&self, secret: &SecretRef, value: &NewValue) -> Result<(String, String), Refused> {
        let (target, session, identity) = self.google_operator().await?;
        let fact = target.add_version(&session, secret, value).await.ok_or_else(|| Refused::new(NO_PROJECT))?;
        Ok((granted(fact.call, "adding a version to the secret")?, identity))
    }

    pub(super) async fn roll_back_google(&self, secret: &SecretRef, to: &str) -> Result<String, Refused> {
        let (target, session, _) = self.google_operator().await?;
        let fact = target.restore_version(&session, secret, to).await.ok_or_else(|| Refused::new(NO_PROJECT))?;
        granted(fact.call, "adding the earlier value as a version")
    }
}
