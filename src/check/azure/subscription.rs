//! The check of the key vault's subscription: it is there, and of the profile's directory.

use crate::cause::{Cause, Certainty, Finding};
use crate::check::call::{granted, unanswered};
use crate::check::definition::{Check, Link, Reproduction, Waits, call};
use crate::check::facts::azure::SubscriptionSeen;
use crate::check::facts::secret::AnyCall;
use crate::check::facts::{Facts, as_json};
use crate::check::step::Step;
use crate::check::{CheckId, Verdict};
use crate::domain::profile::Profile;
use crate::domain::profile::key::Key;
use crate::domain::text::quote;

const ID: CheckId = CheckId::AzureSubscription;

/// The subscription is of the directory.
pub const CHECK: Check = Check {
    id: ID,
    title: "subscription is the directory's",
    docs: "https://learn.microsoft.com/azure/azure-portal/get-subscription-tenant-id",
    link: Link::Secret,
    needs: &[],
    // The directory is the vault's, and an application of its own without a service principal answers AADSTS7000229.
    rules_out: &[Cause::TenantWrong, Cause::WrongCloud, Cause::SpMissing],
    step: |_| Some(Step::Subscription),
    traffic: call!(azure.subscription => call, |_, _| None),
    waits: Waits::IfRefused,
    facts: |facts| as_json(facts.azure.subscription.as_ref()),
    verdict: of_directory,
    reproduction: Reproduction::Command(|profile, _| {
        let url = profile.azure.subscription_url()?;
        Some(format!("curl -sS -o /dev/null -D - {}", quote(url.as_str())))
    }),
};

/// The subscription is of the directory. Its resource groups are told only to those who may read it.
fn of_directory(facts: &Facts, profile: &Profile) -> Verdict {
    let Some(fact) = &facts.azure.subscription else { return Verdict::inconclusive("no answer was seen", Vec::new()) };
    if let Some(verdict) = unanswered(ID, Cause::Proxy, &fact.call) {
        return verdict;
    }
    let wrong =
        |certainty, summary: &str| Finding::new(Cause::TenantWrong, ID, certainty, summary).about(Key::SubscriptionId);
    match (fact.call.granted(), &profile.azure.tenant_id) {
        (Some(SubscriptionSeen::Nowhere), _) => {
            let summary = "there is no subscription of this id in this cloud";
            let finding = wrong(Certainty::Proven, summary)
                .with_evidence(format!("Resource Manager knows no subscription {}", fact.subscription))
                .with_look("The subscription that the Azure CLI uses.", "az account show --query id --output tsv");
            Verdict::fail(summary, vec![finding])
        }
        (Some(SubscriptionSeen::Of { tenant }), Some(expected)) if !tenant.eq_ignore_ascii_case(expected) => {
            let summary = "the subscription is of another directory than the application";
            let finding = wrong(Certainty::Proven, summary)
                .with_difference(expected, tenant)
                .with_evidence("Resource Manager's answer to a request without a token names the directory");
            Verdict::fail(summary, vec![finding])
        }
        (Some(SubscriptionSeen::Of { .. }), _) => granted(
            &fact.call,
            "only those who may read the subscription can see whether the vault is in the resource group",
        ),
        (None, _) => Verdict::inconclusive("no answer was seen", Vec::new()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::Outcome;
    use crate::check::facts::azure::SubscriptionFact;
    use crate::check::facts::secret::{Answer, Call};
    use crate::domain::profile::{AzureSettings, Guide};

    fn judged(answer: Answer<SubscriptionSeen>) -> (Outcome, Option<Cause>) {
        let call = Call { region: None, attempts: 1, waited_ms: 0, answer, exchange: None };
        let mut facts = Facts::default();
        facts.azure.subscription = Some(SubscriptionFact { subscription: "s".into(), call });
        let azure = AzureSettings { tenant_id: Some("AAAA".into()), ..AzureSettings::default() };
        let profile = Profile { azure, ..Profile::bare("p", Guide::AzureWorkloadIdentity) };
        let verdict = of_directory(&facts, &profile);
        (verdict.outcome, verdict.findings.first().map(|finding| finding.cause))
    }

    #[test]
    fn whose_it_is_decides() {
        let of = |tenant: &str| Answer::Granted(SubscriptionSeen::Of { tenant: tenant.into() });
        assert_eq!(judged(of("aaaa")), (Outcome::Pass, None));
        assert_eq!(judged(of("bbbb")), (Outcome::Fail, Some(Cause::TenantWrong)));
        assert_eq!(judged(Answer::Granted(SubscriptionSeen::Nowhere)), (Outcome::Fail, Some(Cause::TenantWrong)));
        let other = Answer::Unreadable { http_status: Some(502), detail: "x".into() };
        assert_eq!(judged(other).0, Outcome::Inconclusive);
    }
}
