//! Google's workload identity pools beside the policies that were read: one that no member of a binding names lets nobody reach
//! anything.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::{AuditFinding, Place};
use crate::cause::{Cause, Certainty, Finding, Severity};
use crate::domain::gcp::{Member, bindings};
use crate::domain::ids::{Finder, FoundBy};
use crate::domain::pool_name::ProviderName;
use crate::domain::text::quote;

const CHECK: FoundBy = FoundBy::Command(Finder::Audit);
const DOCS: &str = "https://docs.cloud.google.com/iam/docs/best-practices-for-using-workload-identity-federation";

/// The pools whose providers were read, and those that policies name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pools {
    /// By the pool's name, where its first provider stands, and the providers.
    seen: BTreeMap<String, (Place, Vec<String>)>,
    named: BTreeSet<String>,
    policies: usize,
}

impl Pools {
    /// Takes a provider. One that is off or deleted lets nobody in as it is.
    pub fn add_provider(&mut self, provider: &Value, place: &Place) {
        let text = |name: &str| provider.get(name).and_then(Value::as_str);
        let is_off = provider.get("disabled").and_then(Value::as_bool).unwrap_or_default();
        if is_off || text("state") == Some("DELETED") {
            return;
        }
        let Some(name) = text("name").and_then(ProviderName::parse) else { return };
        let (_, providers) = self.seen.entry(name.pool_name()).or_insert_with(|| (place.clone(), Vec::new()));
        providers.push(name.provider);
    }

    /// Takes an IAM policy.
    pub fn add_policy(&mut self, policy: &Value) {
        let Ok(bindings) = bindings(&policy.to_string()) else { return };
        self.policies += 1;
        let members = bindings.iter().flat_map(|binding| &binding.members);
        self.named.extend(members.filter_map(|member| match Member::parse(member) {
            Some(Member::Pool { pool, .. }) => Some(pool),
            _ => None,
        }));
    }

    /// Takes over what another part of the input says.
    pub fn extend(&mut self, other: Pools) {
        self.policies += other.policies;
        self.named.extend(other.named);
        for (pool, (place, providers)) in other.seen {
            self.seen.entry(pool).or_insert_with(|| (place, Vec::new())).1.extend(providers);
        }
    }

    /// The pools that no policy names; none where no policy was read.
    pub fn unused(&self) -> impl Iterator<Item = AuditFinding> {
        let unnamed = self.seen.iter().filter(|(pool, _)| !self.named.iter().any(|named| is_same(named, pool)));
        unnamed.filter(|_| self.policies > 0).map(|(pool, (place, providers))| self.finding(pool, place, providers))
    }

    fn finding(&self, pool: &str, place: &Place, providers: &[String]) -> AuditFinding {
        let summary = format!("no IAM policy that was read gives anybody of the pool {pool} a role");
        let read = match self.policies {
            1 => "one policy was read".to_owned(),
            many => format!("{many} policies were read"),
        };
        let (project, id) = (pool.split('/').nth(1).unwrap_or_default(), pool.rsplit('/').next().unwrap_or_default());
        let mut finding = Finding::new(Cause::TrustDead, CHECK, Certainty::Possible, summary)
            .with_severity(Severity::Low)
            .with_evidence(format!("{read}; that of a secret, a bucket or another project may name the pool"))
            .with_evidence(format!("its providers: {}", providers.join(", ")))
            .with_fix(format!(
                "Read the other policies too (`gcloud asset search-all-iam-policies --scope organizations/NUMBER --format json`), or remove the pool with `gcloud iam workload-identity-pools delete {} --location global --project {}` if nobody needs it",
                quote(id),
                quote(project),
            ));
        finding.docs = DOCS.to_owned();
        Place { resource: pool.to_owned(), ..place.clone() }.finding(finding, "unused")
    }
}

/// Whether two names are of one pool. A project may stand there by its id, which is not known to be its number.
fn is_same(named: &str, pool: &str) -> bool {
    let parts = |name: &str| -> Option<(String, String)> {
        let (project, pool) = name.strip_prefix("projects/")?.split_once("/locations/global/workloadIdentityPools/")?;
        Some((project.to_owned(), pool.to_owned()))
    };
    let is_number = |project: &str| project.bytes().all(|byte| byte.is_ascii_digit());
    match (parts(named), parts(pool)) {
        (Some((one, first)), Some((other, second))) => {
            first == second && (one == other || is_number(&one) != is_number(&other))
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn pool(project: &str, id: &str) -> String {
        format!("projects/{project}/locations/global/workloadIdentityPools/{id}")
    }

    fn provider(pool: &str, change: Value) -> Value {
        let mut provider = json!({"name": format!("{pool}/providers/ci"), "state": "ACTIVE"});
        provider.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        provider
    }

    fn policy(member: &str) -> Value {
        json!({"bindings": [{"role": "roles/viewer", "members": [member]}]})
    }

    #[test]
    fn a_pool_that_no_policy_names_is_told_once_policies_are_read() {
        let place = Place { resource: "providers.json".to_owned(), location: None };
        let mut pools = Pools::default();
        for id in ["used", "by-id", "idle"] {
            pools.add_provider(&provider(&pool("123", id), json!({})), &place);
        }
        pools.add_provider(&provider(&pool("123", "off"), json!({"disabled": true})), &place);
        pools.add_provider(&provider(&pool("123", "gone"), json!({"state": "DELETED"})), &place);
        assert_eq!(pools.unused().count(), 0, "nothing is known without a policy");
        let mut others = Pools::default();
        others.add_policy(&policy(&format!("principalSet://iam.googleapis.com/{}/*", pool("123", "used"))));
        others
            .add_policy(&policy(&format!("principal://iam.googleapis.com/{}/subject/a", pool("my-project", "by-id"))));
        others.add_policy(&policy(&format!("principalSet://iam.googleapis.com/{}/*", pool("456", "idle"))));
        others.add_policy(&json!(3));
        pools.extend(others);
        let found: Vec<AuditFinding> = pools.unused().collect();
        let [idle] = found.as_slice() else { panic!("{found:#?}") };
        assert_eq!((idle.resource.as_str(), idle.cause), (pool("123", "idle").as_str(), Cause::TrustDead));
        assert!(idle.evidence[0].starts_with("3 policies were read"), "{:?}", idle.evidence);
        assert!(idle.fixes[0].text.contains("delete idle --location global --project 123"));
    }
}
