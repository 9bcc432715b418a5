//! Whose tokens a role is meant for: those that the profile expects, and where it says nothing, the token at hand, unless
//! that is one that nobody should let in.

use serde_json::{Map, Value};

use crate::check::facts::secret::Refusal;
use crate::domain::arn::{Arn, RoleArn};
use crate::domain::iam::pattern::{Effort, like, like_ignoring_case};
use crate::domain::iam::{Effect, Policy, Subject, SubjectKnownFrom, Truth};
use crate::domain::issuer::{IssuerKind, condition_key_prefix, segments};
use crate::domain::profile::expected::{PredictedClaims, predicted_claims};
use crate::domain::profile::{Guide, Profile, expected};
use crate::domain::region::partition_of;
use crate::remedy::Context;

/// A token of those who are meant.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Meant {
    pub claims: Map<String, Value>,
    pub subject: Subject,
    pub known_from: SubjectKnownFrom,
}

/// Why nobody is: a sentence for the reader.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct NotMeant(pub String);

/// Whom the profile means, or the token at hand where it does not say.
pub(super) fn meant(context: Context<'_>, policy: &Policy) -> Result<Meant, NotMeant> {
    let token = context.facts.claims();
    if let Some(predicted) = predicted_claims(context.profile) {
        return expected_token(context, predicted, token);
    }
    let Some(token) = token else {
        return Err(NotMeant("There is no token, and the profile does not say whose it is.".into()));
    };
    let issuer = text(token, "iss");
    if let Some(expected) = context.profile.issuer_url.as_deref().filter(|expected| *expected != issuer) {
        return Err(NotMeant(format!(
            "The token is of {issuer}, and the profile trusts {expected}: take a token of that issuer, and do not trust the other one."
        )));
    }
    only_token(token, policy)
}

fn expected_token(
    context: Context<'_>,
    predicted: PredictedClaims,
    token: Option<&Map<String, Value>>,
) -> Result<Meant, NotMeant> {
    let ours = token.filter(|token| is_expected(context, &predicted, token));
    let Some(pattern) = predicted.open_subject.clone() else {
        let subject = Subject::Exact(predicted.subject().to_owned());
        let claims = ours.cloned().unwrap_or(predicted.claims);
        return Ok(Meant { claims, subject, known_from: SubjectKnownFrom::Profile });
    };
    let Some(token) = ours else {
        return Err(NotMeant(format!(
            "The token is not one of {pattern}, which the profile expects: it is another job's token. Use one of those, and do not admit the other one."
        )));
    };
    refuse_untrusted_run(token)?;
    // What differs from run to run, or is left open on purpose, stays open in the policy.
    let is_open = match kind_of(token) {
        IssuerKind::CircleCi => !pattern.contains("org/*"),
        IssuerKind::GitlabCom | IssuerKind::GitlabSelfManaged => is_said_whole(context),
        _ => false,
    };
    Ok(if is_open {
        Meant { claims: token.clone(), subject: Subject::Pattern(pattern), known_from: SubjectKnownFrom::Profile }
    } else {
        of_token(token)
    })
}

/// Whether the profile itself leaves parts of a GitLab subject open, rather than saying nothing of them.
fn is_said_whole(context: Context<'_>) -> bool {
    use crate::domain::profile::key::Key;
    [Key::GitlabProject, Key::GitlabRef].iter().all(|key| context.profile.workload.contains_key(key))
}

/// Whether the token has the issuer, the subject and the audience that the profile expects.
fn is_expected(context: Context<'_>, predicted: &PredictedClaims, token: &Map<String, Value>) -> bool {
    let audience = expected::audience(context.profile);
    let has_audience = |audience: &String| match token.get("azp").or_else(|| token.get("aud")) {
        Some(Value::Array(list)) => list.iter().any(|own| own.as_str() == Some(audience)),
        own => own.and_then(Value::as_str) == Some(audience),
    };
    let subject = text(token, "sub");
    let fits = match &predicted.open_subject {
        Some(pattern) => like(pattern, subject, &Effort::full()) == Truth::True,
        None => subject == predicted.subject(),
    };
    predicted.claims.get("iss") == token.get("iss") && fits && audience.as_ref().is_none_or(has_audience)
}

/// The token at hand, for lack of anything in the profile.
fn only_token(token: &Map<String, Value>, policy: &Policy) -> Result<Meant, NotMeant> {
    refuse_untrusted_run(token)?;
    let subject = text(token, "sub");
    if subject.is_empty() {
        return Err(NotMeant("The token has no subject, and the profile does not say whose it is.".into()));
    }
    if names_others_alone(token, policy) {
        return Err(NotMeant(format!(
            "The token is for {subject}, and the policy trusts another organization. Say in the profile whose tokens are meant, or take a token of that organization."
        )));
    }
    Ok(of_token(token))
}

fn of_token(token: &Map<String, Value>) -> Meant {
    let subject = Subject::Exact(text(token, "sub").to_owned());
    Meant { claims: token.clone(), subject, known_from: SubjectKnownFrom::Token }
}

/// Whoever opens a pull request decides what its run does: such a token is never proposed.
fn refuse_untrusted_run(token: &Map<String, Value>) -> Result<(), NotMeant> {
    let subject = text(token, "sub");
    let is_pull_request = text(token, "event_name").starts_with("pull_request")
        || text(token, "pipeline_source").contains("merge_request")
        || text(token, "pipeline_source").contains("pull_request")
        || subject.ends_with(":pull_request")
        || [subject, text(token, "ref")].iter().any(|t| t.contains("refs/pull/") || t.contains("refs/merge-requests/"));
    if !is_pull_request {
        return Ok(());
    }
    Err(NotMeant(format!(
        "The token is of a pull request's run ({subject}), and whoever opens one decides what it does. Run the job for a branch or an environment that the policy names; do not let pull requests in."
    )))
}

/// Whether the policy names owners of tokens of this issuer, and the token's is none of them.
fn names_others_alone(token: &Map<String, Value>, policy: &Policy) -> bool {
    let kind = kind_of(token);
    let key = format!("{}:sub", condition_key_prefix(text(token, "iss")));
    let owner = |subject: &str| {
        let parts = segments(kind, subject);
        parts.first().filter(|part| part.name != "subject").map(|part| part.value.to_owned())
    };
    let Some(own) = owner(text(token, "sub")) else { return false };
    let allowing = policy.statements.iter().filter(|statement| statement.effect == Effect::Allow);
    let about_subjects =
        allowing.flat_map(|statement| &statement.conditions).filter(|c| c.key.eq_ignore_ascii_case(&key));
    let mut owners = about_subjects.flat_map(|c| &c.expected).filter_map(|value| owner(&value.text)).peekable();
    owners.peek().is_some() && !owners.any(|other| like_ignoring_case(&other, &own, &Effort::full()) == Truth::True)
}

fn kind_of(token: &Map<String, Value>) -> IssuerKind {
    IssuerKind::of(text(token, "iss"), Some(text(token, "sub")))
}

fn text<'t>(token: &'t Map<String, Value>, claim: &str) -> &'t str {
    token.get(claim).and_then(Value::as_str).unwrap_or_default()
}

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
    let read = || Some(facts.operator.aws.secret.as_ref()?.secret.seen()?.arn.clone());
    if let Some(arn) = listed.or_else(read).or_else(|| name.starts_with("arn:").then(|| name.clone())) {
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
