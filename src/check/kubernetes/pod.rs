//! The check of the pods: a volume projects a token for the cloud into them, or the webhook is told to.

use super::account::{CHECK as ACCOUNT, has_token_for};
use super::{failed, proven, seen_or};
use crate::cause::{Cause, Finding};
use crate::check::definition::{Check, Reproduction};
use crate::check::facts::Facts;
use crate::check::facts::cluster::{ClusterSide, PodInCluster, USE_LABEL};
use crate::check::{CheckId, Verdict};
use crate::domain::ids::Cloud;
use crate::domain::profile::Profile;
use crate::domain::profile::expected;
use crate::domain::profile::key::Key;
use crate::domain::text::quote;
use serde_json::json;

const ID: CheckId = CheckId::KubernetesPod;
/// The longest life of a token that Entra takes, in seconds.
const ENTRAS_LONGEST: i64 = 86_400;

/// The pods of the service account have a token for the cloud.
pub const CHECK: Check = Check {
    id: ID,
    title: "its pods are given a token for the cloud",
    docs: "https://kubernetes.io/docs/concepts/storage/projected-volumes/#serviceaccounttoken",
    facts: |facts| Some(json!({ "pods": facts.operator.cluster.as_ref()?.pods.seen()? })),
    verdict: pod,
    reproduction: Reproduction::Command(|profile, _| {
        let named = |key| profile.workload.get(&key).map(|name| quote(name));
        let (namespace, account) = (named(Key::KubernetesNamespace)?, named(Key::KubernetesServiceAccount)?);
        Some(format!(
            "kubectl get pods --namespace {namespace} --field-selector spec.serviceAccountName={account} --output yaml"
        ))
    }),
    ..ACCOUNT
};

fn pod(facts: &Facts, profile: &Profile) -> Verdict {
    let Some(side) = &facts.operator.cluster else {
        return Verdict::inconclusive("it is not known which service account's pods are meant", Vec::new());
    };
    let nothing = |said: &str| Verdict::inconclusive(said.to_owned(), Vec::new());
    let pods = match seen_or(&side.pods, nothing) {
        Ok(pods) => pods,
        Err(verdict) => return verdict,
    };
    if pods.is_empty() {
        let why = format!("no pod of {} runs as {} now", side.namespace, side.account);
        return Verdict::inconclusive(why, Vec::new());
    }
    let without = |pod: &&PodInCluster| !has_token_for(pod, profile);
    match pods.iter().find(without) {
        Some(pod) => failed(lacking(pod, side, profile)),
        None => lives_too_long(pods, profile)
            .map_or_else(|| Verdict { reason: Some(count(pods)), ..Verdict::pass() }, failed),
    }
}

fn count(pods: &[PodInCluster]) -> String {
    if pods.len() == 1 { format!("pod {}", pods[0].name) } else { format!("{} pods", pods.len()) }
}

/// Why a pod has no token for the cloud.
fn lacking(pod: &PodInCluster, side: &ClusterSide, profile: &Profile) -> Finding {
    let wanted = expected::audience(profile).unwrap_or_default();
    let place = format!("the pod {}/{}", side.namespace, pod.name);
    let is_labelled = pod.labels.get(USE_LABEL).is_some_and(|value| value == "true");
    if profile.guide.cloud() == Cloud::Azure && !is_labelled {
        let summary = format!("{place} lacks the label {USE_LABEL}: \"true\", so the webhook passed it by");
        let actual = pod.labels.get(USE_LABEL).map_or("no such label", String::as_str);
        return proven(ID, Cause::EnvNotSet, summary).with_difference(format!("{USE_LABEL}: \"true\""), actual);
    }
    let others: Vec<&str> = pod.projected.iter().filter_map(|token| token.audience.as_deref()).collect();
    if let Some(other) = others.first() {
        let summary = format!("{place} is given a token for {other}, and the exchange wants one for {wanted}");
        return proven(ID, Cause::AudMismatch, summary).with_difference(wanted, *other);
    }
    let by_webhook = match profile.guide.cloud() {
        Cloud::Gcp => "no volume projects one".to_owned(),
        _ => "it was made before the webhook or the annotation was there: make it again".to_owned(),
    };
    let mut finding = proven(ID, Cause::EnvNotSet, format!("{place} has no token for {wanted}: {by_webhook}"));
    if pod.automounts == Some(false) {
        finding = finding
            .with_evidence("its automountServiceAccountToken is false: it has no token of the cluster's own either");
    }
    finding
}

fn lives_too_long(pods: &[PodInCluster], profile: &Profile) -> Option<Finding> {
    let wanted = expected::audience(profile);
    let of_cloud = pods.iter().flat_map(|pod| &pod.projected).filter(|token| token.audience == wanted);
    let longest = of_cloud.filter_map(|token| token.expires_s).max()?;
    (profile.guide.cloud() == Cloud::Azure && longest > ENTRAS_LONGEST).then(|| {
        let summary = format!("the volume asks for tokens of {longest} s, and Entra takes {ENTRAS_LONGEST} s at most");
        proven(ID, Cause::TokenLifetimeTooLong, summary)
            .with_difference(format!("expirationSeconds: {ENTRAS_LONGEST}"), longest.to_string())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::Outcome;
    use crate::check::facts::cluster::{AccountInCluster, ClusterRead, ProjectedToken};
    use crate::domain::profile::Guide;

    const AZURE: &str = "api://AzureADTokenExchange";

    fn labelled(label: Option<&str>, tokens: &[(Option<&str>, i64)]) -> PodInCluster {
        PodInCluster {
            name: "app-1".into(),
            labels: label.map(|value| (USE_LABEL.to_owned(), value.to_owned())).into_iter().collect(),
            automounts: None,
            projected: tokens
                .iter()
                .map(|(audience, expires_s)| ProjectedToken {
                    audience: audience.map(str::to_owned),
                    expires_s: Some(*expires_s),
                })
                .collect(),
        }
    }

    fn judged(guide: Guide, pods: ClusterRead<Vec<PodInCluster>>) -> Verdict {
        let mut profile = Profile::bare("p", guide);
        profile.aws.audience = Some("sts.amazonaws.com".into());
        let mut facts = Facts::default();
        let service_account = ClusterRead::Seen(AccountInCluster::default());
        facts.operator.cluster =
            Some(ClusterSide { namespace: "team".into(), account: "reader".into(), service_account, pods });
        pod(&facts, &profile)
    }

    #[test]
    fn a_pod_without_a_token_for_the_cloud_says_why() {
        let of_cluster = (None, 3607);
        for (guide, pod, cause, part) in [
            (Guide::KubernetesAzure, labelled(None, &[of_cluster]), Some(Cause::EnvNotSet), "lacks the label"),
            (Guide::KubernetesAzure, labelled(Some("True"), &[of_cluster]), Some(Cause::EnvNotSet), "lacks the label"),
            (Guide::KubernetesAzure, labelled(Some("true"), &[of_cluster]), Some(Cause::EnvNotSet), "make it again"),
            (
                Guide::KubernetesAzure,
                labelled(Some("true"), &[(Some("other"), 3600)]),
                Some(Cause::AudMismatch),
                "other",
            ),
            (Guide::KubernetesAzure, labelled(Some("true"), &[(Some(AZURE), 3600)]), None, "pod app-1"),
            (
                Guide::KubernetesAzure,
                labelled(Some("true"), &[(Some(AZURE), 172_800)]),
                Some(Cause::TokenLifetimeTooLong),
                "172800",
            ),
            (Guide::KubernetesAws, labelled(None, &[(Some("sts.amazonaws.com"), 86_400)]), None, "pod app-1"),
            (Guide::KubernetesAws, labelled(None, &[of_cluster]), Some(Cause::EnvNotSet), "make it again"),
        ] {
            let verdict = judged(guide, ClusterRead::Seen(vec![pod]));
            assert_eq!(verdict.findings.first().map(|finding| finding.cause), cause, "{:?}", verdict.reason);
            assert!(verdict.reason.as_ref().unwrap().contains(part), "{:?}", verdict.reason);
        }
    }

    #[test]
    fn no_pod_and_no_answer_are_no_failure() {
        for pods in [ClusterRead::Seen(Vec::new()), ClusterRead::Unread("(Forbidden)".into())] {
            let verdict = judged(Guide::KubernetesAzure, pods);
            assert!(verdict.outcome == Outcome::Inconclusive && verdict.findings.is_empty());
        }
    }
}
