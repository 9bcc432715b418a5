//! Whose the workload's access key is, and whether it is active, as IAM of the operator's account has it.

use super::{could_not_read, with_pauses};
use crate::cause::{Cause, Certainty, Finding};
use crate::check::call::quoted;
use crate::check::definition::{Check, Link, Reproduction, Traffic, Waits};
use crate::check::facts::aws::AccessKeyFact;
use crate::check::facts::operator::Read;
use crate::check::facts::secret::Call;
use crate::check::facts::{Facts, as_json};
use crate::check::reproduce::as_aws_operator;
use crate::check::step::Step;
use crate::check::{CheckId, Verdict};
use crate::domain::arn::Arn;
use crate::domain::profile::Profile;

const ID: CheckId = CheckId::AwsAccessKeyOwner;

/// The access key is a user's of the account, and active.
pub const OWNER: Check = Check {
    id: ID,
    title: "IAM has the access key",
    docs: "https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetAccessKeyLastUsed.html",
    link: Link::Role,
    needs: &[CheckId::AwsOperator],
    rules_out: &[],
    step: |profile| profile.guide.is_aws_access_key().then_some(Step::AwsAccessKeyOwner),
    traffic: Traffic::None,
    // STS and the secret's account say whether the key is meant to be this account's.
    waits: Waits::If(|_, _| true),
    facts: |facts| as_json(facts.operator.aws.access_key.as_ref()),
    verdict: |facts, profile| {
        let throttled = facts.operator.aws.access_key.as_ref().map(|read| read.throttled);
        with_pauses(owner(facts, profile), throttled.unwrap_or_default())
    },
    reproduction: Reproduction::Command(|profile, _| {
        let command = "aws iam get-access-key-last-used --access-key-id \"${KEY_ID:?the id of the workload's key}\"";
        Some(as_aws_operator(profile, command, profile.aws.iam_endpoint_url.as_deref()))
    }),
};

fn owner(facts: &Facts, profile: &Profile) -> Verdict {
    let Some(read) = &facts.operator.aws.access_key else {
        return Verdict::inconclusive("there is no access key of a user to look for", Vec::new());
    };
    if let Some(verdict) = could_not_read(read) {
        return verdict;
    }
    match read.seen() {
        Some(key) if key.is_active() => {
            Verdict { reason: Some(format!("it is of the user {}, and active", key.user)), ..Verdict::pass() }
        }
        Some(key) => {
            let summary = format!("the access key of the user {} is {}", key.user, key.status.to_lowercase());
            failed(wrong(Certainty::Proven, &summary, facts).with_difference("Active", &key.status))
        }
        None => nowhere(read, facts, profile),
    }
}

/// No user of the operator's account has the key.
fn nowhere<T>(read: &Read<T>, facts: &Facts, profile: &Profile) -> Verdict {
    let own = facts.operator.aws.caller.as_ref().and_then(Call::granted).map(|caller| caller.account.as_str());
    let Some(own) = own else { return Verdict::inconclusive("it is not known whose account was asked", Vec::new()) };
    let caller = facts.aws.caller.as_ref();
    if let Some(caller) = caller.and_then(Call::granted) {
        let why = format!("account {own} has no such access key: it is of account {}", caller.account);
        return Verdict::inconclusive(why, Vec::new());
    }
    let summary = format!("account {own} has no such access key");
    // STS knows the operator's keys in this region and not this one; that it should be this account's rests on the secret.
    let is_refused = caller.and_then(Call::refusal).is_some_and(|refusal| refusal.code == "InvalidClientTokenId");
    let is_meant = profile.aws.account_id.as_deref().or_else(|| account_of_secret(facts)) == Some(own);
    let certainty = if is_refused && is_meant { Certainty::Proven } else { Certainty::Likely };
    let mut finding = wrong(certainty, &summary, facts);
    finding.evidence.extend(read.call.refusal().map(|refusal| quoted("IAM", refusal)));
    failed(finding)
}

/// The account that the secret is in.
fn account_of_secret(facts: &Facts) -> Option<&str> {
    Arn::parse(&facts.operator.aws.secret.as_ref()?.secret.seen()?.arn).map(|arn| arn.account)
}

fn wrong(certainty: Certainty, summary: &str, facts: &Facts) -> Finding {
    let finding = Finding::new(Cause::StaticKeyWrong, ID, certainty, summary);
    match &facts.aws.access_key {
        Some(AccessKeyFact::Found(key)) => finding.with_evidence(format!("it is {} from {}", key.id, key.source)),
        _ => finding,
    }
}

fn failed(finding: Finding) -> Verdict {
    Verdict::fail(finding.summary.clone(), vec![finding])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::Outcome;
    use crate::check::facts::aws::Caller;
    use crate::check::facts::operator::AccessKeyInForce;
    use crate::check::facts::secret::{Answer, Refusal};
    use crate::domain::profile::Guide;

    fn call<T>(answer: Answer<T>) -> Call<T> {
        Call { region: None, attempts: 1, waited_ms: 0, answer, exchange: None }
    }

    fn refused<T>(code: &str) -> Call<T> {
        call(Answer::Refused(Refusal { code: code.into(), message: "No.".into(), http_status: 403, request_id: None }))
    }

    fn account(number: &str) -> Call<Caller> {
        call(Answer::Granted(Caller { arn: format!("arn:aws:iam::{number}:user/u"), account: number.into() }))
    }

    fn judged(
        key: Call<AccessKeyInForce>,
        workload: Call<Caller>,
        meant: Option<&str>,
    ) -> (Outcome, Option<Certainty>) {
        let mut facts = Facts::default();
        facts.operator.aws.access_key =
            Some(Read { permission: "iam:GetAccessKeyLastUsed", call: key, throttled: Default::default() });
        facts.operator.aws.caller = Some(account("1"));
        facts.aws.caller = Some(workload);
        let mut profile = Profile::bare("p", Guide::AwsStatic);
        profile.aws.account_id = meant.map(str::to_owned);
        let verdict = owner(&facts, &profile);
        assert!(verdict.findings.iter().all(|finding| finding.cause == Cause::StaticKeyWrong));
        (verdict.outcome, verdict.findings.first().map(|finding| finding.certainty))
    }

    #[test]
    fn a_key_is_a_users_and_active_or_what_is_wrong_with_it_is_said() {
        let key =
            |status: &str| call(Answer::Granted(AccessKeyInForce { user: "reader".into(), status: status.into() }));
        let unknown = || refused("InvalidClientTokenId");
        let nowhere = || refused("NoSuchEntity");
        assert_eq!(judged(key("Active"), account("1"), None), (Outcome::Pass, None));
        assert_eq!(judged(key("Inactive"), unknown(), None), (Outcome::Fail, Some(Certainty::Proven)));
        assert_eq!(judged(nowhere(), unknown(), Some("1")), (Outcome::Fail, Some(Certainty::Proven)));
        // Whose account's it should be is not known, or STS was not asked.
        assert_eq!(judged(nowhere(), unknown(), None), (Outcome::Fail, Some(Certainty::Likely)));
        assert_eq!(judged(nowhere(), refused("Throttling"), Some("1")), (Outcome::Fail, Some(Certainty::Likely)));
        assert_eq!(judged(nowhere(), account("2"), Some("1")), (Outcome::Inconclusive, None));
        assert_eq!(judged(refused("AccessDenied"), unknown(), Some("1")), (Outcome::Inconclusive, None));
    }
}
