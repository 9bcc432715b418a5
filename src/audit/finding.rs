//! A finding of an audit: which trust, what is wrong with it, who gets in, what they reach.

use std::fmt::Write as _;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::trust_use::TrustUse;
use crate::cause::{Cause, Certainty, Finding, Fix, Severity};
use crate::domain::fingerprint::Fingerprint;

/// A weakness of one trust.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditFinding {
    /// The same for the same fault of the same resource, in every run and on every machine.
    pub id: String,
    /// The ARN, or the address of the resource in its document.
    pub resource: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub location: Option<Location>,
    pub cause: Cause,
    pub severity: Severity,
    pub certainty: Certainty,
    pub summary: String,
    /// Facts it rests on.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub evidence: Vec<String>,
    /// Who gets in and should not.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub admits: Vec<AdmittedSubject>,
    /// What whoever gets in can do then.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reaches: Vec<String>,
    /// What a log says of the trust, where one was read beside it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub used: Option<TrustUse>,
    pub fixes: Vec<Fix>,
    pub docs: String,
}

/// Where a trust stands.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Location {
    pub file: String,
    /// Counted from 1.
    pub line: u64,
}

/// A subject that a trust lets in, with the claims of such a token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AdmittedSubject {
    pub subject: String,
    pub why: String,
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub claims: Map<String, Value>,
}

/// Where a finding belongs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The ARN or address.
    pub resource: String,
    pub location: Option<Location>,
}

impl Place {
    /// Makes a finding of the audit out of one about the trust. `mark` tells it from others of the same cause and resource,
    /// such as the statement and the rule.
    pub fn finding(&self, found: Finding, mark: &str) -> AuditFinding {
        let Finding { cause, certainty, severity, summary, evidence, fixes, docs, .. } = found;
        AuditFinding {
            id: id(cause, &self.resource, mark),
            resource: self.resource.clone(),
            location: self.location.clone(),
            cause,
            severity: severity.unwrap_or(Severity::Low),
            certainty,
            summary,
            evidence,
            admits: Vec::new(),
            reaches: Vec::new(),
            used: None,
            fixes,
            docs,
        }
    }
}

impl AuditFinding {
    /// Tells it from the same fault of a resource of the same name elsewhere: `place` is where this one is, and nothing where
    /// there is no other.
    pub fn distinguish(&mut self, place: &str) {
        if !place.is_empty() {
            self.id = id(self.cause, &self.id, place);
        }
    }

    /// Worst first, then by where it is: two runs list findings in the same order.
    pub fn order(&self) -> (Severity, &str, &Option<Location>, &str) {
        (self.severity, &self.resource, &self.location, &self.id)
    }
}

fn id(cause: Cause, resource: &str, mark: &str) -> String {
    let mut text = String::with_capacity(resource.len() + mark.len() + 40);
    let _ = write!(text, "{}\0{resource}\0{mark}", cause.id());
    let digest = Fingerprint::of(text.as_bytes());
    format!("tl-{}", digest.as_str().rsplit(':').next().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::ids::Finder;

    fn found(severity: Severity) -> Finding {
        Finding::new(Cause::TrustTooWide, Finder::Audit, Certainty::Proven, "wide").with_severity(severity)
    }

    fn place(resource: &str, line: u64) -> Place {
        Place { resource: resource.to_owned(), location: Some(Location { file: "a.json".to_owned(), line }) }
    }

    #[test]
    fn an_id_stays_where_the_fault_stays_and_differs_where_it_differs() {
        let id = |resource: &str, line: u64, mark: &str| place(resource, line).finding(found(Severity::High), mark).id;
        let first = id("arn:aws:iam::1:role/a", 1, "sub");
        assert_eq!(first, id("arn:aws:iam::1:role/a", 90, "sub"));
        assert_ne!(first, id("arn:aws:iam::1:role/b", 1, "sub"));
        assert_ne!(first, id("arn:aws:iam::1:role/a", 1, "aud"));
        assert!(first.len() == 15 && first.starts_with("tl-"), "{first}");
    }

    #[test]
    fn the_worst_stands_first_and_equal_ones_by_their_place() {
        let mut findings = [
            place("b", 1).finding(found(Severity::Low), ""),
            place("b", 2).finding(found(Severity::Critical), ""),
            place("a", 3).finding(found(Severity::Critical), ""),
        ];
        findings.sort_by(|a, b| a.order().cmp(&b.order()));
        let order: Vec<_> = findings.iter().map(|f| (f.severity, f.resource.as_str())).collect();
        assert_eq!(order, [(Severity::Critical, "a"), (Severity::Critical, "b"), (Severity::Low, "b")]);
    }
}
