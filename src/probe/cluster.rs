//! The cluster's own side, by `kubectl` and whoever is signed in there: a service account and its pods are read, and nothing
//! else is asked of it.

use std::time::Duration;

use super::program::{self, Ended};
use crate::check::facts::cluster::{AccountInCluster, ClusterRead, ClusterSide, PodInCluster};
use crate::domain::redaction::cut_from_text;

const KUBECTL: &str = "kubectl";
/// The most that it may print, in bytes: a pod's manifest has some kilobytes.
const MAX_BYTES: usize = 8 << 20;
/// The most that is kept of its complaint, in characters.
const LONGEST: usize = 300;

/// Reads the service account of a namespace, and the pods that run as it.
pub async fn observe(namespace: &str, account: &str, timeout: Duration) -> ClusterSide {
    // A name that begins like an option would be one.
    if let Some(name) = [namespace, account].into_iter().find(|name| !is_name(name)) {
        let why = format!("`{name}` is no name of an object in Kubernetes");
        let (service_account, pods) = (ClusterRead::Unread(why.clone()), ClusterRead::Unread(why));
        return ClusterSide { namespace: namespace.to_owned(), account: account.to_owned(), service_account, pods };
    }
    let of_pods = format!("spec.serviceAccountName={account}");
    let (the_account, its_pods) = (["serviceaccount", account], ["pods", "--field-selector", &of_pods]);
    let (service_account, pods) = tokio::join!(
        get(&the_account, namespace, timeout, AccountInCluster::parse),
        get(&its_pods, namespace, timeout, PodInCluster::parse_list),
    );
    ClusterSide { namespace: namespace.to_owned(), account: account.to_owned(), service_account, pods }
}

async fn get<T>(what: &[&str], namespace: &str, timeout: Duration, parse: fn(&[u8]) -> Option<T>) -> ClusterRead<T> {
    let argv = [&[KUBECTL, "get"], what, &["--namespace", namespace, "--output", "json"]].concat();
    let argv: Vec<String> = argv.into_iter().map(str::to_owned).collect();
    match program::run(&argv, MAX_BYTES, timeout).await {
        Ok(ended) => read(&ended, parse),
        Err(error) => ClusterRead::Unread(error.to_string()),
    }
}

/// Lower-case letters, digits, hyphens and dots, as names of objects have them.
fn is_name(text: &str) -> bool {
    let usual = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    text.starts_with(usual) && text.len() <= 253 && text.chars().all(|c| usual(c) || c == '-' || c == '.')
}

fn read<T>(ended: &Ended, parse: fn(&[u8]) -> Option<T>) -> ClusterRead<T> {
    match ended.status {
        Some(status) if status.success() => parse(&ended.stdout).map_or_else(
            || ClusterRead::Unread("kubectl printed something else than the object".to_owned()),
            ClusterRead::Seen,
        ),
        None => ClusterRead::Unread("kubectl printed more than is read".to_owned()),
        Some(_) => {
            let said = String::from_utf8_lossy(&ended.stderr);
            let why = complaint(&said);
            if said.contains("(NotFound)") { ClusterRead::Missing(why) } else { ClusterRead::Unread(why) }
        }
    }
}

/// The last line of what it says, which is its own; programs that sign it in may write before.
fn complaint(said: &str) -> String {
    let line =
        said.lines().rev().map(str::trim).find(|line| !line.is_empty()).unwrap_or("kubectl failed and says nothing");
    cut_from_text(line).chars().take(LONGEST).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_of_objects_are_passed_on() {
        for (text, fits) in
            [("reader", true), ("team-a.b2", true), ("-n", false), ("--as=x", false), ("A", false), ("", false)]
        {
            assert_eq!(is_name(text), fits, "{text}");
        }
    }

    #[test]
    fn the_last_line_is_the_complaint_and_a_secret_in_it_is_none() {
        let said = "I1201 plugin says hello\nError from server (Forbidden): pods is forbidden\n\n";
        assert_eq!(complaint(said), "Error from server (Forbidden): pods is forbidden");
        let token = format!("token eyJhbGciOiJSUzI1NiJ9.{}.c2ln is invalid", "e30".repeat(10));
        assert!(!complaint(&token).contains("eyJ"), "{}", complaint(&token));
        assert_eq!(complaint(""), "kubectl failed and says nothing");
    }
}
