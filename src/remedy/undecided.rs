//! The one command that decides between the candidates of a refusal.

use super::Context;
use super::catalogue::{Values, looking};
use crate::cause::catalogue::entry;
use crate::cause::{Cause, Finding, Look, Suspect, Undecided};
use crate::check::CheckId;
use crate::domain::profile::Guide;
use crate::domain::profile::key::Key;

/// A document of the cloud's side that decides a check's refusal once the profile names a copy of it.
struct Document {
    check: CheckId,
    /// Whether a guide's profiles read it for this check.
    is_of: fn(Guide) -> bool,
    key: Key,
    text: &'static str,
    command: &'static str,
}

const DOCUMENTS: &[Document] = &[
    Document {
        check: CheckId::AwsAssumeRoleWithWebIdentity,
        is_of: |_| true,
        key: Key::TrustPolicy,
        text: "Read the role's trust policy and judge it here",
        command: "aws iam get-role --role-name <role-name> >role.json && \
                  trustline check <selector> --set aws.trust-policy=role.json",
    },
    Document {
        check: CheckId::AwsAssumeRole,
        is_of: |guide| guide == Guide::AwsAssumeRole,
        key: Key::TrustPolicy,
        text: "Read the role's trust policy and judge it here",
        command: "aws iam get-role --role-name <role-name> >role.json && \
                  trustline check <selector> --set aws.trust-policy=role.json",
    },
    Document {
        check: CheckId::AwsListSecrets,
        is_of: has_a_role,
        key: Key::IdentityPolicy,
        text: "Read the role's permissions and judge them here",
        command: PERMISSIONS,
    },
    Document {
        check: CheckId::AwsGetSecret,
        is_of: has_a_role,
        key: Key::IdentityPolicy,
        text: "Read the role's permissions and judge them here",
        command: PERMISSIONS,
    },
    Document {
        check: CheckId::AzureExchange,
        is_of: |_| true,
        key: Key::FederatedCredential,
        text: "Read the application's federated credentials and judge them here",
        command: "az ad app federated-credential list --id <client-id> >credentials.json && \
                  trustline check <selector> --set azure.federated-credential=credentials.json",
    },
];

/// Whether it is a role that reads.
fn has_a_role(guide: Guide) -> bool {
    guide.is_aws_web_identity() || guide == Guide::AwsAssumeRole
}

const PERMISSIONS: &str = "aws iam get-role-policy --role-name <role-name> --policy-name <policy-name> >policy.json && \
                           trustline check <selector> --set aws.identity-policy=policy.json";

/// Causes that a document of the cloud's side neither shows nor excludes.
const BESIDE_THE_DOCUMENT: &[Cause] = &[Cause::ProviderMissing, Cause::AudNotRegistered, Cause::StaticKeyWrong];

/// Causes that pass by themselves: nothing shows them but that.
const PASSING: &[Cause] = &[Cause::PropagationDelay, Cause::Throttled, Cause::Transient];

/// Where none of the candidates can be looked at, what is left is whether it passes by itself.
const AGAIN: (&str, &str) =
    ("Try again for two minutes, in case it passes by itself", "trustline check <selector> --wait 120");

/// What a refusal leaves open, with what decides. `None` where there is nothing to decide between.
pub fn undecided(candidates: &[Finding], refused: &str, context: Context<'_>) -> Option<Undecided> {
    let [likeliest, _, ..] = candidates else { return None };
    let values = Values::of_run(context, likeliest.check);
    let document = DOCUMENTS.iter().find(|document| {
        Some(document.check) == values.check
            && (document.is_of)(context.profile.guide)
            && context.profile.setting(document.key).is_none()
            && !BESIDE_THE_DOCUMENT.contains(&likeliest.cause)
    });
    let passes = || PASSING.contains(&likeliest.cause);
    let decide = match document.filter(|_| !passes()) {
        Some(document) => Look { text: document.text.to_owned(), command: looking(document.command, &values) },
        None => Some(candidates)
            .filter(|_| !passes())
            .and_then(|candidates| look(candidates, Some(context.profile.guide.id()), &values))
            .unwrap_or_else(|| Look { text: AGAIN.0.to_owned(), command: looking(AGAIN.1, &values) }),
    };
    Some(Undecided { check: likeliest.check, refused: refused.to_owned(), candidates: suspects(candidates), decide })
}

/// The candidates, a line each: in a sentence, where all that is known of one is its name.
pub fn suspects(candidates: &[Finding]) -> Vec<Suspect> {
    let summary = |found: &Finding| {
        let entry = entry(found.cause);
        if found.summary == entry.title { entry.meaning.clone() } else { found.summary.clone() }
    };
    candidates.iter().map(|found| Suspect { cause: found.cause, summary: summary(found) }).collect()
}

/// The first command that looks at one of the candidates, the likeliest first: what found it knows better than the catalogue.
pub fn look(candidates: &[Finding], guide: Option<&str>, values: &Values<'_>) -> Option<Look> {
    candidates.iter().find_map(|found| {
        let of_cause = || entry(found.cause).looks_for(guide).into_iter().next();
        let known = || of_cause().map(|look| Look { text: look.text.clone(), command: looking(&look.command, values) });
        found.see.first().cloned().or_else(known)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cause::Certainty;
    use crate::check::facts::Facts;
    use crate::domain::arn::RoleArn;
    use crate::domain::profile::Profile;
    use crate::domain::profile::setting::{Origin, Setting, Value};

    fn decided(profile: &Profile, check: CheckId, causes: &[Cause]) -> Option<Undecided> {
        let found = |cause: &Cause| Finding::new(*cause, check, Certainty::Possible, "may be");
        let candidates: Vec<Finding> = causes.iter().map(found).collect();
        undecided(&candidates, "AccessDenied: no", Context { profile, facts: &Facts::default() })
    }

    fn profile(guide: Guide) -> Profile {
        let mut profile = Profile::bare("p", guide);
        profile.selector = "--profile prod".to_owned();
        profile.aws.role_arn = RoleArn::parse("arn:aws:iam::123456789012:role/team/reader").ok();
        profile
    }

    #[test]
    fn the_document_that_the_profile_lacks_decides() {
        let exchange = CheckId::AwsAssumeRoleWithWebIdentity;
        let mut profile = profile(Guide::AwsWorkloadIdentity);
        let open = decided(&profile, exchange, &[Cause::SubMismatch, Cause::AudMismatch]).unwrap();
        assert_eq!(
            open.decide.command,
            "aws iam get-role --role-name reader >role.json && \
             trustline check --profile prod --set aws.trust-policy=role.json"
        );
        assert_eq!((open.refused.as_str(), open.candidates.len()), ("AccessDenied: no", 2));
        // The policy is at hand and accepts the token: it is not what decides.
        let origin = Origin::Flag;
        profile.settings.push(Setting { key: Key::TrustPolicy, value: Value::Text("t.json".into()), origin });
        let open = decided(&profile, exchange, &[Cause::RoleMissing, Cause::PropagationDelay]).unwrap();
        assert_eq!(open.decide.command, "aws iam get-role --role-name reader --query Role.Arn --output text");
    }

    #[test]
    fn without_a_document_the_likeliest_that_can_be_looked_at_decides() {
        let profile = profile(Guide::AwsStatic);
        let open = decided(&profile, CheckId::AwsCallerIdentity, &[Cause::ClockSkew, Cause::Proxy]).unwrap();
        assert_eq!(open.decide.command, "timedatectl status");
        let open = decided(&profile, CheckId::AwsListSecrets, &[Cause::Throttled, Cause::Transient]).unwrap();
        assert_eq!(open.decide.command, "trustline check --profile prod --wait 120");
    }

    #[test]
    fn one_candidate_alone_leaves_nothing_to_decide() {
        assert_eq!(decided(&profile(Guide::AwsStatic), CheckId::AwsListSecrets, &[Cause::Throttled]), None);
    }
}
