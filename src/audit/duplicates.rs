//! Trusts that say what another says: of two, one is forgotten when the other is narrowed.

use std::collections::BTreeMap;

use serde_json::Value;

use super::aws::RoleTrust;
use super::entra::CredentialOf;
use super::{AuditFinding, Place};
use crate::cause::{Cause, Certainty, Finding, Severity};
use crate::domain::entra::CredentialSet;
use crate::domain::gcp::PoolProvider;
use crate::domain::iam::{Effect, Statement};
use crate::domain::ids::{Finder, FoundBy};
use crate::domain::pool_name::ProviderName;

const CHECK: FoundBy = FoundBy::Command(Finder::Audit);
const DOCS_AWS: &str = "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_statement.html";
const DOCS_ENTRA: &str = "https://learn.microsoft.com/entra/workload-id/workload-identity-federation-considerations";
const DOCS_GOOGLE: &str =
    "https://docs.cloud.google.com/iam/docs/best-practices-for-using-workload-identity-federation";

/// What a trust is a duplicate by: two of one pool, or of one application, that take the same tokens.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Sameness {
    whose: String,
    tokens: String,
    docs: &'static str,
}

/// The trusts that were read, by what they take.
#[derive(Clone, Debug, Default)]
pub struct Known(BTreeMap<Sameness, Place>);

/// The statements of a policy that another before them says already.
pub fn in_policy(role: &RoleTrust<'_>) -> Vec<AuditFinding> {
    let statements = &role.policy.statements;
    let again = statements.iter().enumerate().filter_map(|(at, statement)| {
        let earlier = statements.iter().take(at).position(|other| is_same(other, statement))?;
        (statement.effect == Effect::Allow).then(|| {
            let summary = format!("Statement[{at}] says what Statement[{earlier}] says");
            let fix = format!("Remove Statement[{at}]: it lets nobody in who does not get in by the other");
            role.place.finding(finding(summary, fix, DOCS_AWS), &format!("duplicate statement {at}"))
        })
    });
    again.collect()
}

fn is_same(one: &Statement, other: &Statement) -> bool {
    let plain = |statement: &Statement| Statement { sid: None, ..statement.clone() };
    plain(one) == plain(other)
}

/// What a provider of a pool takes; nothing where it cannot be read.
pub fn of_provider(provider: &Value) -> Option<Sameness> {
    let read = PoolProvider::parse(&provider.to_string()).ok()?;
    let name = ProviderName::parse(provider.get("name")?.as_str()?)?;
    let mut audiences = read.allowed_audiences.clone();
    audiences.sort_unstable();
    // Without audiences of its own a provider takes its name, which no other has.
    (!audiences.is_empty()).then(|| Sameness {
        whose: format!("the pool {}", name.pool_name()),
        tokens: format!("the issuer {} and the audience {}", read.issuer, audiences.join(", ")),
        docs: DOCS_GOOGLE,
    })
}

/// What a federated credential takes; nothing where it cannot be read, or takes what an expression says.
pub fn of_credential(of: &CredentialOf) -> Option<Sameness> {
    let set = CredentialSet::parse(&of.credential.to_string()).ok()?;
    let one = set.credentials.first()?;
    // A list of one application's credentials does not name it.
    (!of.is_anonymous()).then_some(())?;
    let (owner, _) = of.resource.split_once(", federated credential ")?;
    Some(Sameness {
        whose: owner.to_owned(),
        tokens: format!("the issuer {} and the subject {}", one.issuer, one.subject.as_deref()?),
        docs: DOCS_ENTRA,
    })
}

impl Known {
    /// Adds a trust; a finding where another takes the same tokens.
    pub fn add(&mut self, same: Sameness, place: Place) -> Option<AuditFinding> {
        let Some(earlier) = self.0.get(&same) else {
            self.0.insert(same, place);
            return None;
        };
        // The same trust, read in two files, is one.
        if earlier.resource == place.resource {
            return None;
        }
        let summary = format!("{} has another trust in {}: {}", same.whose, same.tokens, earlier.resource);
        let fix = format!("Keep one of them: who is taken out of {} still gets in by the other", place.resource);
        Some(place.finding(finding(summary, fix, same.docs), "duplicate"))
    }
}

fn finding(summary: String, fix: String, docs: &str) -> Finding {
    let mut finding =
        Finding::new(Cause::TrustDead, CHECK, Certainty::Proven, summary).with_severity(Severity::Low).with_fix(fix);
    finding.docs = docs.to_owned();
    finding
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::domain::iam::Policy;

    fn place(resource: &str) -> Place {
        Place { resource: resource.to_owned(), location: None }
    }

    #[test]
    fn a_statement_that_another_says_is_one_too_many() {
        let statement = |subject: &str| {
            json!({"Effect": "Allow", "Principal": {"Federated": "arn:aws:iam::123456789012:oidc-provider/gitlab.com"},
                "Action": "sts:AssumeRoleWithWebIdentity", "Condition": {"StringEquals": {"gitlab.com:sub": subject}}})
        };
        let mut named = statement("a");
        named["Sid"] = "Again".into();
        let policy = json!({"Statement": [statement("a"), statement("b"), named]}).to_string();
        let role = RoleTrust::of_policy(Policy::parse(&policy).unwrap(), place("role"));
        let found = in_policy(&role);
        let [only] = found.as_slice() else { panic!("{found:#?}") };
        assert_eq!(only.summary, "Statement[2] says what Statement[0] says");
    }

    #[test]
    fn two_providers_of_a_pool_for_one_issuer_and_audience_are_told() {
        let provider = |name: &str, audiences: Value| {
            json!({"name": format!("projects/1/locations/global/workloadIdentityPools/p/providers/{name}"),
                "oidc": {"issuerUri": "https://gitlab.com", "allowedAudiences": audiences},
                "attributeMapping": {"google.subject": "assertion.sub"}})
        };
        let mut known = Known::default();
        let mut add = |name: &str, audiences: Value| {
            Some(known.add(of_provider(&provider(name, audiences))?, place(name))).flatten()
        };
        assert_eq!(add("a", json!(["x", "y"])), None);
        assert_eq!(add("a", json!(["x", "y"])), None, "the same one in another file");
        assert_eq!(add("b", json!(["x"])), None);
        assert_eq!(add("c", json!([])), None);
        let found = add("d", json!(["y", "x"])).unwrap();
        assert!(found.summary.ends_with("the audience x, y: a"), "{}", found.summary);
    }

    #[test]
    fn two_credentials_of_an_application_for_one_subject_are_told() {
        let credential = |owner: &str, name: &str, subject: &str| CredentialOf {
            resource: format!("{owner}, federated credential {name}"),
            application: None,
            credential: json!({"name": name, "issuer": "https://gitlab.com", "subject": subject, "audiences": ["api://AzureADTokenExchange"]}),
        };
        let mut known = Known::default();
        let mut add = |owner: &str, name: &str, subject: &str| {
            let of = credential(owner, name, subject);
            Some(known.add(of_credential(&of)?, place(&of.resource))).flatten()
        };
        assert_eq!(add("deploy", "a", "s"), None);
        assert_eq!(add("deploy", "b", "t"), None);
        assert_eq!(add("other", "c", "s"), None);
        assert_eq!(add("an application", "d", "s"), None);
        assert_eq!(add("an application", "e", "s"), None);
        assert!(add("deploy", "f", "s").unwrap().summary.starts_with("deploy has another trust in the issuer"));
    }
}
