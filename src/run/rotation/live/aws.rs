//! AWS: the reader's session through the federation, the operator's out of AWS's own places.

use super::{CloudBackend, Failed, Reader, granted, refusal, without_grant};
use crate::check::CheckId;
use crate::check::facts::Facts;
use crate::check::facts::secret::Call;
use crate::check::facts::secret::SecretRead;
use crate::check::registry::judge;
use crate::check::step::Step;
use crate::domain::profile::{Operator, Profile};
use crate::domain::rotation::StoreSnapshot;
use crate::domain::secret_ref::SecretRef;
use crate::probe::aws::{AwsTarget, Session};
use crate::probe::new_value::NewValue;
use crate::run::probes;
use crate::run::rotation::event::{Opened, Refused};
use crate::run::{now, now_ms};

/// A target and the session to ask it with.
#[derive(Clone)]
pub(super) struct AwsReader {
    target: AwsTarget,
    session: Session,
}

impl AwsReader {
    pub(super) async fn current(&self, secret: &SecretRef, profile: &Profile) -> Result<String, Failed> {
        without_grant(self.target.current_version(&self.session, secret).await).map_err(|call| failed(*call, profile))
    }

    pub(super) async fn snapshot(&self, secret: &SecretRef, profile: &Profile) -> Result<StoreSnapshot, Failed> {
        without_grant(self.target.snapshot(&self.session, secret, now_ms()).await)
            .map_err(|call| failed(*call, profile))
    }
}

/// A read that was refused, with the same verdict as in a check.
fn failed(call: Call<SecretRead>, profile: &Profile) -> Failed {
    let expired = call.refusal().is_some_and(|refusal| refusal.code.starts_with("ExpiredToken"));
    let mut facts = Facts::default();
    facts.aws.secret = Some(call);
    Failed { refused: refusal(judge(CheckId::AwsGetSecret, &facts, profile)), expired }
}

/// As whom a call was answered, and by which clock.
fn opened<T>(call: &Call<T>, identity: impl Fn(&T) -> &String) -> Opened {
    Opened {
        identity: call.granted().map(|granted| identity(granted).clone()),
        clock_skew_s: call.exchange.as_ref().and_then(|exchange| exchange.clock_skew_s),
    }
}

impl CloudBackend {
    /// Opens the session that reads, through the same calls as a check: the token or the access key, then the role that
    /// is assumed with it, where the guide has one.
    pub(super) async fn open_aws(&self) -> Result<(Reader, Opened), Refused> {
        let target = self.aws_target()?;
        let mut facts = Facts { now: now(), ..Facts::default() };
        let (session, opened) = if self.profile.guide.is_aws_access_key() {
            self.sign_with_access_key(&target, &mut facts).await?
        } else {
            self.exchange_token(&target, &mut facts).await?
        };
        let (session, opened) = if Step::AssumeRole.applies(&self.profile) {
            self.assume_role(&target, &session, &mut facts).await?
        } else {
            (session, opened)
        };
        Ok((Reader::Aws(Box::new(AwsReader { target, session })), opened))
    }

    async fn exchange_token(&self, target: &AwsTarget, facts: &mut Facts) -> Result<(Session, Opened), Refused> {
        let Some(role) = &self.profile.aws.role_arn else {
            return Err(Refused::new("the profile names no role; set aws.role-arn"));
        };
        let token = self.token(facts).await?;
        let (call, session) = target.assume_role_with_web_identity(role, &token).await;
        let opened = opened(&call, |assumed| &assumed.assumed_role_arn);
        facts.aws.assume_role = Some(call);
        session.map(|session| (session, opened)).ok_or_else(|| self.why(CheckId::AwsAssumeRoleWithWebIdentity, facts))
    }

    async fn sign_with_access_key(&self, target: &AwsTarget, facts: &mut Facts) -> Result<(Session, Opened), Refused> {
        let (fact, session) = probes::access_key_of(&self.profile);
        facts.aws.access_key = Some(fact);
        let session = session.ok_or_else(|| self.why(CheckId::AwsAccessKey, facts))?;
        let call = target.caller_identity(&session).await;
        let opened = opened(&call, |caller| &caller.arn);
        let is_known = call.granted().is_some();
        facts.aws.caller = Some(call);
        if is_known { Ok((session, opened)) } else { Err(self.why(CheckId::AwsCallerIdentity, facts)) }
    }

    async fn assume_role(
        &self,
        target: &AwsTarget,
        session: &Session,
        facts: &mut Facts,
    ) -> Result<(Session, Opened), Refused> {
        let Some(role) = self.profile.role_to_assume() else {
            return Err(Refused::new("the profile names no role to assume; set aws.role-arn"));
        };
        let (call, assumed) = target.assume_role(role, session).await;
        let opened = opened(&call, |assumed| &assumed.assumed_role_arn);
        facts.aws.assumed = Some(call);
        match assumed {
            Some(assumed) => Ok((assumed, opened)),
            None => {
                if Step::RoleTrust.applies(&self.profile) {
                    let caller = facts.aws.caller.as_ref().and_then(Call::granted);
                    facts.aws.role_trust = probes::role_trust_of(&self.profile, caller, None).await;
                }
                Err(self.why(CheckId::AwsAssumeRole, facts))
            }
        }
    }

    /// Why a session was not opened, in a check's words.
    fn why(&self, check: CheckId, facts: &Facts) -> Refused {
        refusal(judge(check, facts, &self.profile))
    }

    /// The operator's session, and who that is.
    pub(super) async fn aws_operator(&self) -> Result<(AwsTarget, Session, String), Refused> {
        let Operator::Aws { profile, file } = &self.operator else {
            return Err(Refused::new("the operator is set up for Azure, and the secret is in AWS"));
        };
        let target = self.aws_target()?;
        let told = |why: String| Refused::new(format!("the operator's AWS credentials: {why}"));
        let (_, session) = target.operator(profile.as_deref(), file.as_deref()).await.map_err(told)?;
        let caller = granted(target.caller_identity(&session).await, "the operator's sts:GetCallerIdentity")?;
        Ok((target, session, caller.arn))
    }

    pub(super) async fn write_aws(&self, secret: &SecretRef, value: &NewValue) -> Result<(String, String), Refused> {
        let (target, session, identity) = self.aws_operator().await?;
        let version = granted(target.put_secret_value(&session, secret, value).await, "secretsmanager:PutSecretValue")?;
        Ok((version, identity))
    }

    pub(super) async fn roll_back_aws(&self, secret: &SecretRef, to: &str) -> Result<String, Refused> {
        let (target, session, _) = self.aws_operator().await?;
        let doing = "secretsmanager:UpdateSecretVersionStage";
        let from = granted(target.current_version(&session, secret).await, doing)?;
        granted(target.move_current(&session, secret, &from, to).await, doing)?;
        Ok(to.to_owned())
    }

    fn aws_target(&self) -> Result<AwsTarget, Refused> {
        let settings = self.profile.aws.clone();
        match settings.region.clone() {
            Some(region) => Ok(AwsTarget { http: self.http.clone(), region, settings }),
            None => Err(Refused::new("the profile names no region; set aws.region")),
        }
    }
}
