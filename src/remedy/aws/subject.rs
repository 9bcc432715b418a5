//! Who reads, and what is read: the principal whose permissions count, and the secret's ARN.

use crate::check::facts::secret::Refusal;
use crate::domain::arn::{Arn, RoleArn};
use crate::domain::profile::{Guide, Profile};
use crate::domain::region::partition_of;
use crate::remedy::Context;

/// A user or role of an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Principal {
    /// `user` or `role`, as the CLI's commands have it in their names.
    pub kind: &'static str,
    /// Its name without its path.
    pub name: String,
    pub arn: String,
    pub account: String,
    pub partition: String,
}

impl Principal {
    pub(super) fn of_role(role: &RoleArn) -> Self {
        Principal {
            kind: "role",
            name: role.name().to_owned(),
            arn: role.to_string(),
            account: role.account.clone(),
            partition: role.partition.clone(),
        }
    }

    fn of_user(arn: &str) -> Option<Self> {
        let parts = Arn::parse(arn).filter(|parts| parts.service == "iam")?;
        let name = parts.resource.strip_prefix("user/")?.rsplit('/').next()?;
        Some(Principal {
            kind: "user",
            name: name.to_owned(),
            arn: arn.to_owned(),
            account: parts.account.to_owned(),
            partition: parts.partition.to_owned(),
        })
    }

    /// The account itself, as policies name it.
    pub(super) fn root(&self) -> String {
        format!("arn:{}:iam::{}:root", self.partition, self.account)
    }

    /// Whose permissions decide about the secrets: the last role of the chain, or the user where there is none.
    pub(super) fn reading(context: Context<'_>) -> Option<Self> {
        let profile = context.profile;
        if profile.guide == Guide::AwsStatic {
            return Principal::signing(context);
        }
        profile.role_to_assume().or(profile.aws.role_arn.as_ref()).map(Principal::of_role)
    }

    /// Who assumes the role that reads.
    pub(super) fn hopping(context: Context<'_>) -> Option<Self> {
        match context.profile.guide {
            Guide::AwsAssumeRole => Principal::signing(context),
            _ => context.profile.aws.role_arn.as_ref().map(Principal::of_role),
        }
    }

    /// The user whose access key signs: as STS said, or as its refusal calls the caller.
    fn signing(context: Context<'_>) -> Option<Self> {
        let aws = &context.facts.aws;
        let said = aws.caller.as_ref().and_then(|call| call.granted()).map(|caller| caller.arn.as_str());
        let refused = || aws.assumed.as_ref().and_then(|call| call.refusal()).and_then(caller_in);
        said.or_else(refused).and_then(Principal::of_user)
    }
}

/// The caller as a refusal names it.
fn caller_in(refusal: &Refusal) -> Option<&str> {
    refusal.message.strip_prefix("User: ")?.split(' ').next()
}

/// The secret's ARN with any six characters at its end, so that it holds for the same name made again, and for no other.
pub(super) fn secret_pattern(context: Context<'_>) -> Option<String> {
    const ANY: &str = "-??????";
    let (profile, facts) = (context.profile, context.facts);
    let name = &profile.secret.as_ref()?.name;
    let listed = facts.aws.list.as_ref().and_then(|call| call.granted()).and_then(|list| list.id.clone());
    if let Some(arn) = listed.or_else(|| name.starts_with("arn:").then(|| name.clone())) {
        let start = arn.rsplit_once('-').filter(|(_, end)| end.len() == 6).map_or(arn.as_str(), |(start, _)| start);
        return Some(format!("{start}{ANY}"));
    }
    let reader = Principal::reading(context)?;
    let region = profile.aws.region.as_ref()?;
    let partition = partition_of(region).ok().map_or(reader.partition.as_str(), |partition| partition.id);
    Some(format!("arn:{partition}:secretsmanager:{region}:{}:secret:{name}{ANY}", reader.account))
}

/// The service by which a key is used for a secret, as the condition `kms:ViaService` has it.
pub(super) fn via_service(profile: &Profile) -> Option<String> {
    let region = profile.aws.region.as_ref()?;
    let suffix = partition_of(region).ok().map_or("amazonaws.com", |partition| partition.dns_suffix);
    Some(format!("secretsmanager.{region}.{suffix}"))
}
