//! The check of the service account: it is there, and its annotations say what the profile says.

use super::{failed, proven, seen_or};
use crate::cause::{Cause, Finding};
use crate::check::definition::{Check, Link, Reproduction, Traffic, Waits};
use crate::check::facts::cluster::{AWS_AUDIENCE, AccountInCluster, CLIENT_ID, ClusterSide, ROLE_ARN};
use crate::check::facts::{Facts, as_json};
use crate::check::step::Step;
use crate::check::{CheckId, Verdict};
use crate::domain::ids::Cloud;
use crate::domain::profile::expected;
use crate::domain::profile::{Profile, key::Key};
use crate::domain::text::quote;

const ID: CheckId = CheckId::KubernetesServiceAccount;

/// The service account's annotations name the profile's role or application.
pub const CHECK: Check = Check {
    id: ID,
    title: "the service account is the one that the profile means",
    docs: "https://kubernetes.io/docs/tasks/configure-pod-container/configure-service-account/",
    link: Link::Token,
    needs: &[],
    rules_out: &[],
    step: |_| Some(Step::Cluster),
    traffic: Traffic::None,
    waits: Waits::If(|_, _| false),
    facts: |facts| {
        let side = facts.operator.cluster.as_ref()?;
        let mut shown = as_json(Some(side))?;
        shown.as_object_mut()?.remove("pods");
        Some(shown)
    },
    verdict: account,
    reproduction: Reproduction::Command(|profile, shown| {
        let named = |fact: &str, key| {
            let seen = shown.get(fact).and_then(serde_json::Value::as_str);
            seen.or_else(|| profile.workload.get(&key).map(String::as_str)).map(quote)
        };
        let account = named("account", Key::KubernetesServiceAccount)?;
        let namespace = named("namespace", Key::KubernetesNamespace)?;
        Some(format!("kubectl get serviceaccount {account} --namespace {namespace} --output yaml"))
    }),
};

/// What the annotation of the profile's cloud is called, what it should say, and where the profile says it.
fn wanted(profile: &Profile) -> Option<(&'static str, String, Key)> {
    match profile.guide.cloud() {
        Cloud::Aws => Some((ROLE_ARN, profile.aws.role_arn.as_ref()?.to_string(), Key::RoleArn)),
        Cloud::Azure => Some((CLIENT_ID, profile.azure.client_id.clone()?, Key::ClientId)),
        // A pool takes the token that a volume of the pod's own projects: no webhook looks at the account.
        Cloud::Gcp => None,
    }
}

fn account(facts: &Facts, profile: &Profile) -> Verdict {
    let Some(side) = &facts.operator.cluster else {
        let why = "neither the profile nor the token says which service account is meant";
        return Verdict::inconclusive(why, Vec::new());
    };
    let missing = |said: &str| {
        let summary = format!("the namespace {} has no service account {}", side.namespace, side.account);
        failed(proven(ID, Cause::EnvNotSet, summary).with_evidence(said).about(Key::KubernetesServiceAccount))
    };
    let held = match seen_or(&side.service_account, missing) {
        Ok(held) => held,
        Err(verdict) => return verdict,
    };
    let found = annotation(held, side, profile).or_else(|| audience(held, profile));
    found.map_or_else(|| Verdict { reason: Some(note(held, side)), ..Verdict::pass() }, failed)
}

fn annotation(held: &AccountInCluster, side: &ClusterSide, profile: &Profile) -> Option<Finding> {
    let (name, wanted, key) = wanted(profile)?;
    let place = format!("the service account {}/{}", side.namespace, side.account);
    match held.annotations.get(name) {
        Some(own) if own.trim().eq_ignore_ascii_case(&wanted) => None,
        Some(own) => {
            let summary = format!("{place} is annotated for another identity than the profile's: {name} is {own}");
            Some(proven(ID, Cause::EnvConflict, summary).with_difference(wanted, own).about(key))
        }
        // Pods that have a token for the cloud have it from a volume of their own, which needs no webhook.
        None if side.pods.seen().is_some_and(|pods| pods.iter().any(|pod| has_token_for(pod, profile))) => None,
        None => {
            let summary = format!("{place} lacks the annotation {name}: the webhook gives its pods no token");
            Some(
                proven(ID, Cause::EnvNotSet, summary)
                    .with_difference(format!("{name}: {wanted}"), "no such annotation"),
            )
        }
    }
}

pub(super) fn has_token_for(pod: &crate::check::facts::cluster::PodInCluster, profile: &Profile) -> bool {
    let wanted = expected::audience(profile);
    pod.projected.iter().any(|token| token.audience.is_some() && token.audience == wanted)
}

fn audience(held: &AccountInCluster, profile: &Profile) -> Option<Finding> {
    let own = held.annotations.get(AWS_AUDIENCE).filter(|_| profile.guide.cloud() == Cloud::Aws)?;
    let wanted = expected::audience(profile).filter(|wanted| wanted != own)?;
    let summary = format!("the service account's annotation {AWS_AUDIENCE} asks for tokens for {own}");
    Some(proven(ID, Cause::AudMismatch, summary).with_difference(wanted, own).about(Key::AwsAudience))
}

fn note(held: &AccountInCluster, side: &ClusterSide) -> String {
    let own = format!("{}/{}", side.namespace, side.account);
    match held.automounts {
        Some(false) => format!(
            "{own}; automountServiceAccountToken is false: its pods have no token of the cluster's own, which the exchange does not need"
        ),
        _ => own,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::Outcome;
    use crate::check::facts::cluster::{ClusterRead, PodInCluster, ProjectedToken};
    use crate::domain::profile::Guide;

    fn judged(guide: Guide, account: ClusterRead<AccountInCluster>, pods: Vec<PodInCluster>) -> Verdict {
        let mut profile = Profile::bare("p", guide);
        profile.azure.client_id = Some("0f1e2d3c-0000-4000-8000-000000000002".into());
        profile.aws.role_arn = crate::domain::arn::RoleArn::parse("arn:aws:iam::123456789012:role/r").ok();
        profile.aws.audience = Some("sts.amazonaws.com".into());
        let mut facts = Facts::default();
        facts.operator.cluster = Some(ClusterSide {
            namespace: "team".into(),
            account: "reader".into(),
            service_account: account,
            pods: ClusterRead::Seen(pods),
        });
        super::account(&facts, &profile)
    }

    fn annotated(pairs: &[(&str, &str)]) -> ClusterRead<AccountInCluster> {
        let annotations = pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        ClusterRead::Seen(AccountInCluster { annotations, automounts: None })
    }

    #[test]
    fn an_annotation_is_there_and_the_profiles() {
        let client = (CLIENT_ID, "0F1E2D3C-0000-4000-8000-000000000002");
        let role = (ROLE_ARN, "arn:aws:iam::123456789012:role/r");
        let other = (ROLE_ARN, "arn:aws:iam::123456789012:role/other");
        for (guide, account, cause) in [
            (Guide::KubernetesAzure, annotated(&[client]), None),
            (Guide::KubernetesAzure, annotated(&[]), Some(Cause::EnvNotSet)),
            (Guide::KubernetesAzure, annotated(&[(CLIENT_ID, "another")]), Some(Cause::EnvConflict)),
            (Guide::KubernetesAws, annotated(&[role]), None),
            (Guide::KubernetesAws, annotated(&[other]), Some(Cause::EnvConflict)),
            (Guide::KubernetesAws, annotated(&[role, (AWS_AUDIENCE, "other")]), Some(Cause::AudMismatch)),
            (Guide::KubernetesGcp, annotated(&[]), None),
            (Guide::KubernetesGcp, ClusterRead::Missing("(NotFound)".into()), Some(Cause::EnvNotSet)),
        ] {
            let verdict = judged(guide, account, Vec::new());
            assert_eq!(verdict.findings.first().map(|finding| finding.cause), cause, "{guide} {:?}", verdict.reason);
            assert_eq!(verdict.outcome, if cause.is_some() { Outcome::Fail } else { Outcome::Pass });
        }
    }

    #[test]
    fn a_volume_of_the_pods_own_needs_no_annotation_and_what_is_not_read_is_no_failure() {
        let token = ProjectedToken { audience: Some("api://AzureADTokenExchange".into()), expires_s: None };
        let own = PodInCluster { projected: vec![token], ..PodInCluster::default() };
        assert_eq!(judged(Guide::KubernetesAzure, annotated(&[]), vec![own]).outcome, Outcome::Pass);
        let unread = judged(Guide::KubernetesAzure, ClusterRead::Unread("kubectl: no such program".into()), Vec::new());
        assert!(unread.outcome == Outcome::Inconclusive && unread.findings.is_empty());
        let nobody = super::account(&Facts::default(), &Profile::bare("p", Guide::KubernetesAws));
        assert_eq!(nobody.outcome, Outcome::Inconclusive);
    }
}
