//! AWS: the reader's session through the federation, the operator's out of AWS's own places.

use super::{Failed, LiveWorld, Operator, Reader, granted, refusal, without_grant};
use crate::check::facts::Facts;
use crate::check::facts::cloud::Call;
use crate::check::facts::secret::SecretRead;
use crate::check::{CheckId, verdict};
use crate::domain::profile::{Guide, Profile};
use crate::domain::rotation::StoreSnapshot;
use crate::domain::secret_ref::SecretRef;
use crate::probe::aws::{AwsTarget, Session};
use crate::probe::new_value::NewValue;
use crate::run::rotation::session::now;
use crate::run::rotation::world::{Opened, Refused};

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
        without_grant(self.target.snapshot(&self.session, secret, now()).await).map_err(|call| failed(*call, profile))
    }
}

/// A read that was refused, with the same verdict as in a check.
fn failed(call: Call<SecretRead>, profile: &Profile) -> Failed {
    let expired = call.refusal().is_some_and(|refusal| refusal.code.starts_with("ExpiredToken"));
    let mut facts = Facts::default();
    facts.aws.secret = Some(call);
    Failed { refused: refusal(verdict::of(CheckId::AwsGetSecret, &facts, profile)), expired }
}

impl LiveWorld {
    pub(super) async fn open_aws(&self) -> Result<(Reader, Opened), Refused> {
        let target = self.aws_target()?;
        match self.profile.guide {
            Guide::AwsStatic => {
                let profile = self.profile.aws.config_profile.as_deref();
                let session = target
                    .operator(profile, None)
                    .await
                    .map_err(|why| Refused::new(format!("AWS credentials: {why}")))?;
                let call = target.caller_identity(&session).await;
                let clock_skew_s = call.exchange.as_ref().and_then(|exchange| exchange.clock_skew_s);
                let identity = granted(call, "sts:GetCallerIdentity")?.arn;
                let reader = Reader::Aws(Box::new(AwsReader { target, session }));
                Ok((reader, Opened { identity: Some(identity), clock_skew_s }))
            }
            Guide::AwsAssumeRole => Err(Refused::new(
                "a rotation is followed with web identity or with the static keys of a user; the guide of this profile assumes a role with keys",
            )),
            _ => self.open_web_identity(target).await,
        }
    }

    async fn open_web_identity(&self, target: AwsTarget) -> Result<(Reader, Opened), Refused> {
        let Some(role) = &self.profile.aws.role_arn else {
            return Err(Refused::new("the profile names no role; set aws.role-arn"));
        };
        let mut facts = Facts { now: now().div_euclid(1000), ..Facts::default() };
        let token = self.token(&mut facts).await?;
        let (call, session) = target.assume_role_with_web_identity(role, &token).await;
        let clock_skew_s = call.exchange.as_ref().and_then(|exchange| exchange.clock_skew_s);
        let identity = call.granted().map(|assumed| assumed.assumed_role_arn.clone());
        facts.aws.assume_role = Some(call);
        match session {
            Some(session) => {
                Ok((Reader::Aws(Box::new(AwsReader { target, session })), Opened { identity, clock_skew_s }))
            }
            None => Err(refusal(verdict::of(CheckId::AwsAssumeRoleWithWebIdentity, &facts, &self.profile))),
        }
    }

    /// The operator's session, and who that is.
    pub(super) async fn aws_operator(&self) -> Result<(AwsTarget, Session, String), Refused> {
        let Operator::Aws { profile, file } = &self.operator else {
            return Err(Refused::new("the operator is set up for Azure, and the secret is in AWS"));
        };
        let target = self.aws_target()?;
        let told = |why: String| Refused::new(format!("the operator's AWS credentials: {why}"));
        let session = target.operator(profile.as_deref(), file.as_deref()).await.map_err(told)?;
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
