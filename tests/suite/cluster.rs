//! `check --operator` of a pod's guide reads the cluster with `kubectl`: a stand-in answers with documents as a cluster has them,
//! and keeps what it was asked.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::{RunningLab, trustline};

const AZURE: &str = "api://AzureADTokenExchange";

/// Answers with the file that is called like what is asked for, or refuses as a cluster does.
const STAND_IN: &str = r#"#!/bin/sh
folder=${0%/*}
printf '%s\n' "$*" >>"$folder/asked"
[ ! -e "$folder/hangs" ] || exec sleep 600
if [ -e "$folder/$2.json" ]; then cat "$folder/$2.json"; exit; fi
echo 'plugin: a word before' >&2
cat "$folder/refusal" >&2
exit 1
"#;

/// A folder with the stand-in, for a `PATH`.
struct Cluster {
    folder: TempDir,
}

impl Cluster {
    fn with(account: Option<Value>, pods: &[Value]) -> Self {
        let cluster = Cluster { folder: tempfile::tempdir().unwrap() };
        let program = cluster.path("kubectl");
        fs::write(&program, STAND_IN).unwrap();
        fs::set_permissions(&program, fs::Permissions::from_mode(0o700)).unwrap();
        fs::write(cluster.path("refusal"), "Error from server (Forbidden): serviceaccounts \"x\" is forbidden\n")
            .unwrap();
        if let Some(account) = account {
            fs::write(cluster.path("serviceaccount.json"), account.to_string()).unwrap();
            fs::write(cluster.path("pods.json"), json!({ "kind": "List", "items": pods }).to_string()).unwrap();
        }
        cluster
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// What was asked, a line each.
    fn asked(&self) -> Vec<String> {
        let text = fs::read_to_string(self.path("asked")).unwrap_or_default();
        let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
        lines.sort();
        lines
    }
}

fn account(annotations: &Value) -> Value {
    let metadata = json!({ "name": "reader", "namespace": "team", "annotations": annotations });
    json!({ "kind": "ServiceAccount", "metadata": metadata })
}

/// A pod that the webhook saw where it has an audience.
fn pod(labels: &Value, audience: Option<&str>) -> Value {
    let token =
        |audience: Option<&str>| json!({ "serviceAccountToken": { "audience": audience, "expirationSeconds": 3600 } });
    let own = json!({ "name": "kube-api-access", "projected": { "sources": [token(None)] } });
    let of_cloud =
        audience.map(|audience| json!({ "name": "cloud", "projected": { "sources": [token(Some(audience))] } }));
    let volumes: Vec<Value> = std::iter::once(own).chain(of_cloud).collect();
    let container = json!({ "name": "app", "env": [{ "name": "DB_PASSWORD", "value": "planted-in-the-pod" }] });
    json!({
        "metadata": { "name": "app-1", "labels": labels },
        "spec": { "serviceAccountName": "reader", "volumes": volumes, "containers": [container] },
        "status": { "phase": "Running" },
    })
}

/// The report of a check of the lab's profile as an operator, with this folder before all others.
fn checked(lab: &RunningLab, folder: &Path, more: &[&str]) -> (Value, String) {
    // The stand-in needs `cat`; without it no other kubectl is to be found either.
    let around = if folder.join("kubectl").exists() { &["/usr/bin", "/bin"][..] } else { &[] };
    let path = std::env::join_paths(std::iter::once(folder).chain(around.iter().map(Path::new))).unwrap();
    let (profile, authority) = (lab.file("profile.toml"), lab.file("ca.pem"));
    let arguments = ["check", "--operator", "--profile-file", &profile, "--ca-file", &authority, "--output", "json"];
    let output = trustline().args(arguments).args(more).env("PATH", path).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let report = serde_json::from_str(&text).unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&output.stderr)));
    (report, text)
}

fn outcome<'r>(report: &'r Value, check: &str) -> (&'r str, &'r str) {
    let checks = report["checks"].as_array().unwrap();
    let found = checks.iter().find(|one| one["id"] == check).unwrap_or_else(|| panic!("{check}: {report:#}"));
    (found["outcome"].as_str().unwrap(), found["reason"].as_str().unwrap_or_default())
}

const BOTH: &[&str] = &["--only", "kubernetes.service-account,kubernetes.pod"];

#[test]
fn what_the_cluster_holds_is_proof_of_what_a_pod_lacks() {
    let lab = RunningLab::start("kubernetes-azure");
    let client = lab.ready["client_id"].as_str().unwrap();
    let annotated = json!({ "azure.workload.identity/client-id": client, "internal/note": "planted-in-the-account" });
    let labelled = json!({ "azure.workload.identity/use": "true" });
    let other = json!({ "azure.workload.identity/client-id": "0f1e2d3c-0000-4000-8000-000000000009" });
    for (annotations, labels, audience, cause, check) in [
        (&annotated, &labelled, Some(AZURE), None, ""),
        (&json!({}), &labelled, None, Some("env-not-set"), "kubernetes.service-account"),
        (&other, &labelled, Some(AZURE), Some("env-conflict"), "kubernetes.service-account"),
        (&annotated, &json!({}), None, Some("env-not-set"), "kubernetes.pod"),
        (&annotated, &labelled, None, Some("env-not-set"), "kubernetes.pod"),
        (&annotated, &labelled, Some("sts.amazonaws.com"), Some("aud-mismatch"), "kubernetes.pod"),
    ] {
        let cluster = Cluster::with(Some(account(annotations)), &[pod(labels, audience)]);
        let (report, text) = checked(&lab, cluster.folder.path(), BOTH);
        let findings = report["findings"].as_array().unwrap();
        let of_check = findings.iter().find(|finding| finding["check"] == check);
        assert_eq!(of_check.map(|finding| finding["cause"].as_str().unwrap()), cause, "{report:#}");
        assert!(of_check.is_none_or(|finding| finding["certainty"] == "proven"), "{report:#}");
        assert!(!text.contains("planted"), "{text}");
        let asked = cluster.asked();
        assert_eq!(asked.len(), 2, "{asked:?}");
        assert!(asked.iter().all(|line| line.starts_with("get ")), "{asked:?}");
    }
}

/// The pod's own view says that a token is missing; the cluster's says why, and both name one cause.
#[test]
fn the_clusters_proof_stands_beside_what_is_seen_from_inside() {
    let lab = RunningLab::start("kubernetes-azure-webhook-missing");
    let client = lab.ready["client_id"].as_str().unwrap();
    let annotated = account(&json!({ "azure.workload.identity/client-id": client }));
    let cluster = Cluster::with(Some(annotated), &[pod(&json!({ "app": "x" }), None)]);
    let (report, _) = checked(&lab, cluster.folder.path(), &[]);
    assert_eq!(report["findings"][0]["cause"], "env-not-set", "{report:#}");
    let (outcome, reason) = outcome(&report, "kubernetes.pod");
    assert_eq!(outcome, "fail");
    assert!(reason.contains("lacks the label azure.workload.identity/use"), "{reason}");
}

#[test]
fn an_annotation_for_another_identity_is_put_right_by_the_printed_script() {
    let lab = RunningLab::start("kubernetes-azure");
    let other = json!({ "azure.workload.identity/client-id": "0f1e2d3c-0000-4000-8000-000000000009" });
    let cluster =
        Cluster::with(Some(account(&other)), &[pod(&json!({ "azure.workload.identity/use": "true" }), Some(AZURE))]);
    let (report, _) = checked(&lab, cluster.folder.path(), BOTH);
    let fix = &report["findings"][0]["fixes"][0];
    let client = lab.ready["client_id"].as_str().unwrap();
    let command = fix["command"].as_str().unwrap();
    assert!(command.contains(&format!("azure.workload.identity/client-id={client}")), "{command}");
    assert!(fix["undo"].as_str().unwrap().contains("0f1e2d3c-0000-4000-8000-000000000009"), "{fix:#}");
}

#[test]
fn a_cluster_that_is_not_read_is_no_failure() {
    let lab = RunningLab::start("kubernetes-aws");
    let refusing = Cluster::with(None, &[]);
    let hanging = Cluster::with(None, &[]);
    fs::write(hanging.path("hangs"), "").unwrap();
    let nothing = tempfile::tempdir().unwrap();
    for (folder, more, why) in [
        (refusing.folder.path(), &[][..], "(Forbidden)"),
        (hanging.folder.path(), &["--timeout", "2"], "did not end within"),
        (nothing.path(), &[], "cannot be started"),
    ] {
        let (report, text) = checked(&lab, folder, &[BOTH, more].concat());
        for check in ["kubernetes.service-account", "kubernetes.pod"] {
            let (outcome, reason) = outcome(&report, check);
            assert_eq!(outcome, "inconclusive", "{report:#}");
            assert!(reason.contains(why), "{reason}");
        }
        assert_eq!((&report["verdict"], report["findings"].as_array().unwrap().len()), (&"inconclusive".into(), 0));
        assert!(!text.contains("a word before"), "{text}");
    }
}
