//! What a CI job or a pod has of what a token comes by, seen from inside: variables, and the folders that Kubernetes and the
//! clouds' webhooks mount. Nobody is asked.

use std::path::Path;

use serde_json::Value;

use crate::check::facts::token::Surroundings;
use crate::domain::guide::Workload;
use crate::domain::profile::environment::{Variables, workload};
use crate::probe::regular_file;

/// Where a pod has its service account's token for the cluster, unless `automountServiceAccountToken` says otherwise.
const CLUSTER_TOKEN: &str = "var/run/secrets/kubernetes.io/serviceaccount/token";
/// The variables that the webhooks of EKS and of AKS set in a pod.
const INJECTED: [&str; 2] = ["AWS_WEB_IDENTITY_TOKEN_FILE", "AZURE_FEDERATED_TOKEN_FILE"];
/// The most that is read of the event that started a job.
const LARGEST_EVENT: u64 = 4 << 20;

/// What stands around this process; none where it runs in no CI job and no pod.
pub(super) fn seen_here() -> Option<Surroundings> {
    seen(&|name| std::env::var(name).ok(), Path::new("/"))
}

fn seen(variables: Variables<'_>, root: &Path) -> Option<Surroundings> {
    let workload = workload(variables)?;
    let is_set = |name: &&str| variables(name).is_some_and(|value| !value.is_empty());
    Some(Surroundings {
        workload,
        of_fork: of_fork(workload, variables),
        has_cluster_token: root.join(CLUSTER_TOKEN).exists(),
        is_injected: INJECTED.iter().any(is_set),
    })
}

/// Whether the CI system says that the run is of a fork.
fn of_fork(workload: Workload, variables: Variables<'_>) -> bool {
    match workload {
        // What Dependabot starts is treated as a fork's pull request is.
        Workload::Github => {
            variables("GITHUB_ACTOR").is_some_and(|actor| actor == "dependabot[bot]")
                || variables("GITHUB_EVENT_PATH").is_some_and(|path| is_forks_event(Path::new(&path)))
        }
        Workload::Gitlab => {
            let source = variables("CI_MERGE_REQUEST_SOURCE_PROJECT_PATH");
            source.is_some_and(|source| variables("CI_MERGE_REQUEST_PROJECT_PATH").is_some_and(|own| own != source))
        }
        // Set for the pull requests of forks alone.
        Workload::Circleci => variables("CIRCLE_PR_REPONAME").is_some_and(|name| !name.is_empty()),
        Workload::Kubernetes | Workload::Platform => false,
    }
}

/// Whether the event's pull request comes from another repository than the one that it goes to.
fn is_forks_event(path: &Path) -> bool {
    let Ok(text) = regular_file::read(path, LARGEST_EVENT) else { return false };
    let Ok(event) = serde_json::from_slice::<Value>(&text) else { return false };
    let repository = |side: &str| event.pointer(&format!("/pull_request/{side}/repo/full_name"));
    // A fork that is gone has no repository any more.
    event.get("pull_request").is_some_and(|request| !request.is_null()) && repository("head") != repository("base")
}

#[cfg(test)]
mod tests {
    use std::fs;

    use tempfile::TempDir;

    use super::*;

    fn around(root: &Path, set: &[(&str, &str)]) -> Option<Surroundings> {
        seen(&|name| set.iter().find(|(n, _)| *n == name).map(|(_, value)| (*value).to_owned()), root)
    }

    #[test]
    fn outside_of_jobs_and_pods_nothing_is_around() {
        let root = TempDir::new().unwrap();
        assert_eq!(around(root.path(), &[("AWS_ROLE_ARN", "x")]), None);
    }

    #[test]
    fn a_pod_tells_what_it_was_given() {
        let root = TempDir::new().unwrap();
        let pod = ("KUBERNETES_SERVICE_HOST", "10.0.0.1");
        let bare = around(root.path(), &[pod]).unwrap();
        assert_eq!((bare.workload, bare.has_cluster_token, bare.is_injected), (Workload::Kubernetes, false, false));
        let file = root.path().join(CLUSTER_TOKEN);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, "x").unwrap();
        assert!(around(root.path(), &[pod]).unwrap().has_cluster_token);
        let injected = ("AZURE_FEDERATED_TOKEN_FILE", "/var/run/secrets/azure/tokens/azure-identity-token");
        assert!(around(root.path(), &[pod, injected]).unwrap().is_injected);
        // A job that runs in a pod is a job.
        let job = around(root.path(), &[pod, ("GITLAB_CI", "true")]).unwrap();
        assert_eq!(job.workload, Workload::Gitlab);
    }

    #[test]
    fn each_ci_system_tells_of_a_fork_in_its_own_way() {
        let root = TempDir::new().unwrap();
        let event = |name: &str, text: &str| {
            let path = root.path().join(name);
            fs::write(&path, text).unwrap();
            path.to_str().unwrap().to_owned()
        };
        let side = |name: &str| format!("{{\"repo\": {{\"full_name\": \"{name}\"}}}}");
        let request = |head: &str| {
            format!("{{\"pull_request\": {{\"head\": {head}, \"base\": {}}}}}", side("octo-org/octo-repo"))
        };
        let own = event("own.json", &request(&side("octo-org/octo-repo")));
        let fork = event("fork.json", &request(&side("somebody/octo-repo")));
        let gone = event("gone.json", &request("{\"repo\": null}"));
        let push = event("push.json", "{\"ref\": \"refs/heads/main\"}");
        let of_fork = |set: &[(&str, &str)]| around(root.path(), set).unwrap().of_fork;
        for (event, expected) in [(&own, false), (&fork, true), (&gone, true), (&push, false)] {
            assert_eq!(of_fork(&[("GITHUB_ACTIONS", "true"), ("GITHUB_EVENT_PATH", event)]), expected, "{event}");
        }
        assert!(!of_fork(&[("GITHUB_ACTIONS", "true"), ("GITHUB_EVENT_PATH", "/nonexistent")]));
        assert!(of_fork(&[("GITHUB_ACTIONS", "true"), ("GITHUB_ACTOR", "dependabot[bot]")]));
        let merge = |source| [("GITLAB_CI", "true"), ("CI_MERGE_REQUEST_PROJECT_PATH", "g/p"), source];
        assert!(of_fork(&merge(("CI_MERGE_REQUEST_SOURCE_PROJECT_PATH", "other/p"))));
        assert!(!of_fork(&merge(("CI_MERGE_REQUEST_SOURCE_PROJECT_PATH", "g/p"))));
        assert!(of_fork(&[("CIRCLECI", "true"), ("CIRCLE_PR_REPONAME", "octo-repo")]));
        assert!(!of_fork(&[("CIRCLECI", "true")]));
    }
}
