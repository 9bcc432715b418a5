//! What the cluster's own side says of a workload: its service account and the pods that run as it, as `kubectl get` shows
//! them. Of annotations, labels and variables only those are kept that the clouds' webhooks look at.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;

/// What EKS's webhook reads from a service account.
pub const ROLE_ARN: &str = "eks.amazonaws.com/role-arn";
pub const AWS_AUDIENCE: &str = "eks.amazonaws.com/audience";
/// What AKS's webhook reads from a service account, and the label that it asks of a pod.
pub const CLIENT_ID: &str = "azure.workload.identity/client-id";
pub const USE_LABEL: &str = "azure.workload.identity/use";
/// The members of `metadata` that are kept.
const KEPT: [&str; 4] = [ROLE_ARN, AWS_AUDIENCE, CLIENT_ID, USE_LABEL];
/// The most pods that are looked at: those of one service account are alike.
const MOST_PODS: usize = 50;

/// The cluster's own side of one workload.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ClusterSide {
    pub namespace: String,
    pub account: String,
    pub service_account: ClusterRead<AccountInCluster>,
    pub pods: ClusterRead<Vec<PodInCluster>>,
}

/// One read of the cluster's.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ClusterRead<T> {
    Seen(T),
    /// The cluster says that there is no such object.
    Missing(String),
    /// It was not told: why, in words.
    Unread(String),
}

impl<T> ClusterRead<T> {
    /// What was seen.
    pub fn seen(&self) -> Option<&T> {
        if let ClusterRead::Seen(seen) = self { Some(seen) } else { None }
    }
}

/// A service account as the cluster has it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct AccountInCluster {
    pub annotations: BTreeMap<String, String>,
    /// `automountServiceAccountToken`, where it is said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub automounts: Option<bool>,
}

/// A pod as the cluster has it, what webhooks put into it included.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct PodInCluster {
    pub name: String,
    pub labels: BTreeMap<String, String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub automounts: Option<bool>,
    /// The tokens that its volumes project.
    pub projected: Vec<ProjectedToken>,
}

/// A token that a volume projects.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ProjectedToken {
    /// The cluster's own where it is not said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub audience: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_s: Option<i64>,
}

fn kept(object: &Value, member: &str) -> BTreeMap<String, String> {
    let all = object.pointer(&format!("/metadata/{member}")).and_then(Value::as_object);
    let pairs = all.into_iter().flatten().filter(|(name, _)| KEPT.contains(&name.as_str()));
    pairs.filter_map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned()))).collect()
}

impl AccountInCluster {
    /// Reads what `kubectl get serviceaccount --output json` prints; `None` where it is something else.
    pub fn parse(text: &[u8]) -> Option<Self> {
        let object: Value = serde_json::from_slice(text).ok()?;
        (object["kind"] == "ServiceAccount").then(|| AccountInCluster {
            annotations: kept(&object, "annotations"),
            automounts: object["automountServiceAccountToken"].as_bool(),
        })
    }
}

impl PodInCluster {
    /// Reads what `kubectl get pods --output json` prints; `None` where it is something else.
    pub fn parse_list(text: &[u8]) -> Option<Vec<Self>> {
        let list: Value = serde_json::from_slice(text).ok()?;
        let items = list["items"].as_array()?;
        // Those that have ended show what was, and not what is.
        let ended = |pod: &&Value| matches!(pod["status"]["phase"].as_str(), Some("Succeeded" | "Failed"));
        Some(items.iter().filter(|pod| !ended(pod)).take(MOST_PODS).map(PodInCluster::read).collect())
    }

    fn read(pod: &Value) -> Self {
        let volumes = pod["spec"]["volumes"].as_array().into_iter().flatten();
        let sources = volumes.filter_map(|volume| volume["projected"]["sources"].as_array()).flatten();
        let tokens = sources.map(|source| &source["serviceAccountToken"]).filter(|token| token.is_object());
        let projected = tokens.map(|token| ProjectedToken {
            audience: token["audience"].as_str().map(str::to_owned),
            expires_s: token["expirationSeconds"].as_i64(),
        });
        PodInCluster {
            name: pod["metadata"]["name"].as_str().unwrap_or_default().to_owned(),
            labels: kept(pod, "labels"),
            automounts: pod["spec"]["automountServiceAccountToken"].as_bool(),
            projected: projected.collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_the_webhooks_look_at_is_kept() {
        let text = br#"{"kind": "ServiceAccount", "automountServiceAccountToken": false,
            "metadata": {"annotations": {"azure.workload.identity/client-id": "1", "internal/note": "planted"}},
            "secrets": [{"name": "planted"}]}"#;
        let read = AccountInCluster::parse(text).unwrap();
        assert_eq!((read.annotations.len(), read.automounts), (1, Some(false)));
        assert!(!format!("{read:?}").contains("planted"));
        assert_eq!(AccountInCluster::parse(br#"{"kind": "Pod"}"#), None);
        assert_eq!(AccountInCluster::parse(b"error"), None);
    }

    #[test]
    fn a_pods_projected_tokens_are_found_and_pods_that_ended_are_not_looked_at() {
        let text = br#"{"kind": "List", "items": [
            {"metadata": {"name": "a", "labels": {"azure.workload.identity/use": "true", "app": "x"}},
             "spec": {"containers": [{"env": [{"name": "PASSWORD", "value": "planted"}]}],
                      "volumes": [{"name": "kube-api-access", "projected": {"sources": [
                                    {"serviceAccountToken": {"expirationSeconds": 3607, "path": "token"}}, {"configMap": {}}]}},
                                  {"name": "azure", "projected": {"sources": [{"serviceAccountToken":
                                    {"audience": "api://AzureADTokenExchange", "expirationSeconds": 3600}}]}}]},
             "status": {"phase": "Running"}},
            {"metadata": {"name": "b"}, "spec": {}, "status": {"phase": "Succeeded"}}]}"#;
        let pods = PodInCluster::parse_list(text).unwrap();
        assert_eq!(pods.len(), 1);
        let audiences: Vec<Option<&str>> = pods[0].projected.iter().map(|token| token.audience.as_deref()).collect();
        assert_eq!(audiences, [None, Some("api://AzureADTokenExchange")]);
        assert_eq!(pods[0].labels.len(), 1);
        assert!(!format!("{pods:?}").contains("planted"));
    }
}
