//! What the profile says of the secrets, against what was seen of them: the prefix of their names, and their key.
//!
//! A read that works by wider permissions hides a wrong value here; the guide's own policy would not let it through.

use crate::cause::{Cause, Certainty, Finding};
use crate::check::CheckId;
use crate::check::facts::Facts;
use crate::check::facts::secret::SecretList;
use crate::domain::iam::Decision;
use crate::domain::profile::Profile;
use crate::domain::profile::key::Key;

const ID: CheckId = CheckId::AwsGetSecret;
/// Prints the policy with the profile's values.
const POLICY_ANEW: &str = "trustline render secrets-policy";

/// Whether the profile says something that only the list and the policy at hand can tell to be wrong.
pub fn are_stated(profile: &Profile) -> bool {
    profile.aws.secret_prefix.is_some() || profile.aws.kms_key_arn.is_some()
}

/// The values that are wrong, each with what shows it.
pub fn wrong(facts: &Facts, profile: &Profile) -> Vec<Finding> {
    let list = facts.aws.list.as_ref().and_then(|call| call.granted());
    prefix(facts, list, profile).into_iter().chain(key(list, profile)).collect()
}

fn prefix(facts: &Facts, list: Option<&SecretList>, profile: &Profile) -> Option<Finding> {
    let prefix = profile.aws.secret_prefix.as_deref()?;
    let finding =
        |certainty, summary: String| Finding::new(Cause::MissingGet, ID, certainty, summary).about(Key::SecretPrefix);
    let policy = facts.aws.permissions.as_ref();
    let denied = policy.and_then(|policy| policy.get_prefix.as_ref()).filter(|get| get.decision == Decision::Deny);
    if let (Some(policy), Some(denied)) = (policy, denied) {
        let summary = format!("no secret whose name begins with `{prefix}` may be read");
        return Some(
            finding(Certainty::Proven, summary)
                .with_evidence(format!("{} does not grant {} on {}", policy.source, denied.action, denied.resource)),
        );
    }
    // The secret itself may be named beside the prefix; a prefix that no name has is another matter.
    let list = list.filter(|list| !list.more && list.prefixed == Some(0))?;
    let summary = format!("no secret's name begins with `{prefix}`, so a permission for that prefix reads none");
    let mut found =
        finding(Certainty::Likely, summary).with_evidence(format!("the list has {} secrets of other names", list.seen));
    if let Some(secret) = profile.secret.as_ref() {
        found = found.with_difference(format!("{prefix}…"), &secret.name);
    }
    Some(found)
}

fn key(list: Option<&SecretList>, profile: &Profile) -> Option<Finding> {
    let key = profile.aws.kms_key_arn.as_deref()?;
    let region = profile.aws.region.as_deref();
    let finding =
        |certainty, summary: &str| Finding::new(Cause::MissingKms, ID, certainty, summary).about(Key::KmsKeyArn);
    if let (Some(of_key), Some(region)) = (key.split(':').nth(3), region)
        && of_key != region
    {
        let summary = "the key is of another region than the secrets, and a secret's key is always of its own";
        return Some(finding(Certainty::Proven, summary).with_difference(region, of_key));
    }
    let list = list?;
    match &list.key {
        // An alias stands for a key that is not told.
        Some(actual) if actual.contains("alias/") || is_same_key(key, actual) => None,
        Some(actual) => {
            let summary = "the secret is encrypted with another key, so a permission for this one does not decrypt it";
            let fix =
                format!("Write the secret's own key as {}, and render the secrets policy anew.", Key::KmsKeyArn.path());
            let command = format!("{POLICY_ANEW} {}", profile.chosen_by.as_deref().unwrap_or_default());
            let found = finding(Certainty::Proven, summary).with_difference(actual, key);
            Some(found.with_command(fix, command.trim_end()))
        }
        // Other secrets under the prefix may have the key.
        None if list.holds_secret == Some(true) && !list.more && !list.keys.iter().any(|k| is_same_key(key, k)) => {
            let summary = "no secret is encrypted with this key: the secret has the account's own, aws/secretsmanager";
            Some(finding(Certainty::Likely, summary).with_difference("aws/secretsmanager", key))
        }
        None => None,
    }
}

/// A list names a key by its ARN, or by its id alone.
fn is_same_key(arn: &str, told: &str) -> bool {
    arn == told || arn.rsplit('/').next() == Some(told)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::facts::secret::{Answer, Call};
    use crate::domain::profile::{AwsSettings, Guide};
    use crate::domain::secret_ref::SecretRef;

    const KEY: &str = "arn:aws:kms:us-east-1:123456789012:key/1b2c";

    fn found(settings: AwsSettings, change: impl FnOnce(&mut SecretList)) -> Vec<(Cause, Certainty)> {
        findings(settings, change).iter().map(|finding| (finding.cause, finding.certainty)).collect()
    }

    fn findings(settings: AwsSettings, change: impl FnOnce(&mut SecretList)) -> Vec<Finding> {
        let mut list = SecretList {
            seen: 2,
            more: false,
            holds_secret: Some(true),
            id: None,
            nearest: None,
            prefixed: Some(2),
            key: Some(KEY.into()),
            keys: vec![KEY.into()],
        };
        change(&mut list);
        let call = Call { region: None, attempts: 1, waited_ms: 0, answer: Answer::Granted(list), exchange: None };
        let mut facts = Facts::default();
        facts.aws.list = Some(call);
        let profile = Profile {
            aws: AwsSettings { region: Some("us-east-1".into()), ..settings },
            secret: SecretRef::parse("crewai-db").ok(),
            ..Profile::bare("p", Guide::AwsStatic)
        };
        wrong(&facts, &profile)
    }

    #[test]
    fn a_key_is_compared_with_the_secrets_own() {
        let with = |arn: &str| AwsSettings { kms_key_arn: Some(arn.into()), ..AwsSettings::default() };
        let missing = |certainty| vec![(Cause::MissingKms, certainty)];
        assert_eq!(found(with(KEY), |_| {}), []);
        assert_eq!(found(with(KEY), |list| list.key = Some("1b2c".into())), []);
        assert_eq!(found(with(KEY), |list| list.key = Some("alias/ours".into())), []);
        assert_eq!(found(with(&KEY.replace("1b2c", "9f9f")), |_| {}), missing(Certainty::Proven));
        let fixes = &findings(with(&KEY.replace("1b2c", "9f9f")), |_| {})[0].fixes;
        assert!(fixes[0].text.contains("aws.kms-key-arn"), "the value is to be mended, not a permission: {fixes:?}");
        assert_eq!(found(with(&KEY.replace("us-east-1", "eu-west-1")), |_| {}), missing(Certainty::Proven));
        // The default key: another secret may have the customer's.
        assert_eq!(found(with(KEY), |list| list.key = None), []);
        assert_eq!(found(with(KEY), |list| (list.key, list.keys) = (None, vec![])), missing(Certainty::Likely));
        // What is not on the page is not known.
        assert_eq!(found(with(KEY), |list| (list.key, list.keys, list.more) = (None, vec![], true)), []);
    }

    #[test]
    fn a_prefix_that_no_name_has_is_wrong() {
        let with = AwsSettings { secret_prefix: Some("other-".into()), ..AwsSettings::default() };
        assert_eq!(found(with.clone(), |_| {}), []);
        assert_eq!(found(with.clone(), |l| l.prefixed = Some(0)), [(Cause::MissingGet, Certainty::Likely)]);
        assert_eq!(found(with, |l| (l.prefixed, l.more) = (Some(0), true)), []);
    }
}
