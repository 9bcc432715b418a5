//! Which findings count: those that nobody suppressed, that no earlier run had, and that are severe enough; and which part of
//! the input is this machine's.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::finding::AuditFinding;
use crate::domain::timestamp::{UnixSeconds, parse_rfc3339};

/// A finding that somebody answers for.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Suppression {
    pub id: String,
    pub reason: String,
    /// The first day on which it counts again, such as `2027-01-31`.
    pub expires: String,
}

/// What is suppressed, by the id of the finding.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Suppressions(BTreeMap<String, Suppression>);

/// The findings of an earlier run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Baseline(BTreeSet<String>);

/// The findings that count, and those that do not.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selected {
    pub findings: Vec<AuditFinding>,
    pub suppressed: Vec<(AuditFinding, Suppression)>,
    /// How many an earlier run had.
    pub known: usize,
    /// What was found of resources whose names no other has: one that is read in two files is told once.
    told: BTreeSet<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SuppressionFile {
    #[serde(default)]
    suppress: Vec<Suppression>,
}

impl Suppressions {
    /// Reads a file of `[[suppress]]` tables.
    ///
    /// # Errors
    /// It is not TOML, or a table lacks its id, its reason or its day; says which and what to write.
    pub fn parse(text: &str) -> Result<Self, String> {
        let file: SuppressionFile = toml::from_str(text).map_err(|error| error.to_string())?;
        let mut all = BTreeMap::new();
        for suppression in file.suppress {
            let Suppression { id, reason, expires } = &suppression;
            if reason.trim().is_empty() {
                return Err(format!("the suppression of {id} gives no reason: write why the finding is accepted"));
            }
            if day(expires).is_none() {
                return Err(format!("the suppression of {id} expires on `{expires}`: write a day such as 2027-01-31"));
            }
            all.insert(id.clone(), suppression);
        }
        Ok(Suppressions(all))
    }
}

impl Baseline {
    /// Reads the JSON, or the lines of JSON, that an earlier run printed.
    ///
    /// # Errors
    /// It is neither.
    pub fn parse(text: &str) -> Result<Self, String> {
        #[derive(Deserialize)]
        struct Earlier {
            findings: Vec<Id>,
        }
        #[derive(Deserialize)]
        struct Id {
            id: String,
        }
        let ids = |found: Vec<Id>| Baseline(found.into_iter().map(|finding| finding.id).collect());
        if let Ok(earlier) = serde_json::from_str::<Earlier>(text) {
            return Ok(ids(earlier.findings));
        }
        let lines = text.lines().filter(|line| !line.trim().is_empty());
        let read: Result<Vec<Option<Id>>, _> = lines
            .map(|line| serde_json::from_str::<serde_json::Value>(line).map(|value| Id::deserialize(value).ok()))
            .collect();
        let found: Vec<Id> = read.map_err(|error| format!("{error}"))?.into_iter().flatten().collect();
        match found.is_empty() {
            true => Err("it holds no findings: give what `trustline audit --output json` printed".to_owned()),
            false => Ok(ids(found)),
        }
    }
}

impl Selected {
    /// Adds a finding to those that count, or to those that do not. What was suppressed until a day before `now` counts, and
    /// says so.
    pub fn add(
        &mut self,
        mut finding: AuditFinding,
        suppressions: &Suppressions,
        baseline: &Baseline,
        now: UnixSeconds,
    ) {
        if is_unique(&finding.resource) && !self.told.insert(finding.id.clone()) {
            return;
        }
        if let Some(suppression) = suppressions.0.get(&finding.id) {
            if day(&suppression.expires).is_some_and(|day| now < day) {
                self.suppressed.push((finding, suppression.clone()));
                return;
            }
            finding
                .evidence
                .push(format!("its suppression ({}) expired on {}", suppression.reason, suppression.expires));
        } else if baseline.0.contains(&finding.id) {
            self.known += 1;
            return;
        }
        self.findings.push(finding);
    }
}

/// Whether a resource has one name everywhere: two files may tell of it, and code may declare another of the same address.
fn is_unique(resource: &str) -> bool {
    ["arn:", "projects/", "//", "/subscriptions/"].iter().any(|start| resource.starts_with(start))
}

fn day(text: &str) -> Option<UnixSeconds> {
    parse_rfc3339(&format!("{text}T00:00:00Z"))
}

/// A part of the input: of several machines that run side by side, each takes its own files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shard {
    /// Counted from 0.
    index: usize,
    count: usize,
}

/// What tells a machine its place among others: the variable, what the first is numbered, and the variable with their number.
const PLACES: [(&str, usize, &str); 5] = [
    ("JOB_COMPLETION_INDEX", 0, "TRUSTLINE_SHARDS"),
    ("CI_NODE_INDEX", 1, "CI_NODE_TOTAL"),
    ("CIRCLE_NODE_INDEX", 0, "CIRCLE_NODE_TOTAL"),
    ("BUILDKITE_PARALLEL_JOB", 0, "BUILDKITE_PARALLEL_JOB_COUNT"),
    ("TRUSTLINE_SHARD", 1, "TRUSTLINE_SHARDS"),
];

impl Shard {
    /// Reads `I/N`, the first being 1; or, for `auto`, what `variable` tells of a CI matrix or of an indexed Job.
    ///
    /// # Errors
    /// It is neither; says what to write.
    pub fn parse(text: &str, variable: impl Fn(&str) -> Option<String>) -> Result<Self, String> {
        let (index, count) = match text {
            "auto" => automatic(variable)?,
            _ => {
                let parts =
                    text.split_once('/').and_then(|(index, count)| Some((index.parse().ok()?, count.parse().ok()?)));
                let (index, count): (usize, usize) = parts.ok_or("write I/N, such as 2/8, or auto")?;
                (index.checked_sub(1).ok_or("the first shard is 1")?, count)
            }
        };
        match index < count {
            true => Ok(Shard { index, count }),
            false => Err(format!("there is no shard {} of {count}", index + 1)),
        }
    }

    /// Whether the input of this place, counted from 0, is this machine's.
    pub const fn takes(self, place: usize) -> bool {
        place % self.count == self.index
    }
}

fn automatic(variable: impl Fn(&str) -> Option<String>) -> Result<(usize, usize), String> {
    let set = PLACES.into_iter().find_map(|(name, first, total)| Some((name, variable(name)?, first, total)));
    let Some((name, index, first, total)) = set else {
        let names: Vec<&str> = PLACES.iter().map(|(name, ..)| *name).collect();
        return Err(format!("auto needs one of {}", names.join(", ")));
    };
    let count =
        variable(total).ok_or_else(|| format!("{name} is set, and {total} is not: set it to the number of shards"))?;
    let number = |name: &str, text: &str| text.parse::<usize>().map_err(|_| format!("{name} is `{text}`, no number"));
    let index = number(name, &index)?.checked_sub(first).ok_or_else(|| format!("{name} counts from {first}"))?;
    Ok((index, number(total, &count)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::Place;
    use crate::cause::{Cause, Certainty, Finding, Severity};
    use crate::domain::ids::Finder;

    fn finding(resource: &str) -> AuditFinding {
        let found =
            Finding::new(Cause::TrustTooWide, Finder::Audit, Certainty::Proven, "wide").with_severity(Severity::High);
        Place { resource: resource.to_owned(), location: None }.finding(found, "")
    }

    #[test]
    fn a_suppression_holds_until_its_day_and_then_says_so() {
        let (a, b) = (finding("a"), finding("b"));
        let text = format!("[[suppress]]\nid = \"{}\"\nreason = \"TICKET-7\"\nexpires = \"2027-01-31\"\n", a.id);
        let suppressions = Suppressions::parse(&text).unwrap();
        let at = |now: &str| {
            let mut selected = Selected::default();
            for finding in [a.clone(), b.clone()] {
                selected.add(finding, &suppressions, &Baseline::default(), parse_rfc3339(now).unwrap());
            }
            selected
        };
        let before = at("2027-01-30T23:59:59Z");
        assert_eq!((before.findings.len(), before.suppressed.len()), (1, 1));
        let after = at("2027-01-31T00:00:00Z");
        assert_eq!((after.findings.len(), after.suppressed.len()), (2, 0));
        assert_eq!(after.findings[0].evidence, ["its suppression (TICKET-7) expired on 2027-01-31"]);
    }

    #[test]
    fn a_suppression_without_reason_or_day_is_refused() {
        for (text, said) in [
            ("[[suppress]]\nid = \"x\"\nreason = \" \"\nexpires = \"2027-01-31\"", "gives no reason"),
            ("[[suppress]]\nid = \"x\"\nreason = \"y\"\nexpires = \"soon\"", "a day such as 2027-01-31"),
            ("[[suppress]]\nid = \"x\"\nexpires = \"2027-01-31\"", "missing field `reason`"),
            ("[[suppressed]]", "unknown field"),
        ] {
            let error = Suppressions::parse(text).unwrap_err();
            assert!(error.contains(said), "{text}: {error}");
        }
    }

    #[test]
    fn a_role_that_is_read_twice_is_told_once_and_an_address_is_no_name() {
        let mut selected = Selected::default();
        for resource in ["arn:aws:iam::1:role/a", "arn:aws:iam::1:role/a", "aws_iam_role.a", "aws_iam_role.a"] {
            selected.add(finding(resource), &Suppressions::default(), &Baseline::default(), 0);
        }
        assert_eq!(selected.findings.len(), 3);
    }

    #[test]
    fn what_an_earlier_run_had_counts_no_more() {
        let (a, b) = (finding("a"), finding("b"));
        let whole = serde_json::json!({"schema": "trustline.audit/1", "findings": [a]}).to_string();
        let lines = format!("{}\n{{\"read\": {{}}}}\n", serde_json::json!(a));
        for text in [whole, lines] {
            let baseline = Baseline::parse(&text).unwrap();
            let mut selected = Selected::default();
            for finding in [a.clone(), b.clone()] {
                selected.add(finding, &Suppressions::default(), &baseline, 0);
            }
            assert_eq!((selected.findings.len(), selected.known), (1, 1), "{text}");
        }
        assert!(Baseline::parse("{}").is_err());
        assert!(Baseline::parse("<html>").is_err());
    }

    #[test]
    fn every_input_is_of_exactly_one_shard() {
        let shards: Vec<Shard> = (1..=3).map(|index| Shard::parse(&format!("{index}/3"), |_| None).unwrap()).collect();
        for place in 0..20 {
            assert_eq!(shards.iter().filter(|shard| shard.takes(place)).count(), 1);
        }
        for (text, said) in
            [("0/3", "first shard is 1"), ("4/3", "no shard 4 of 3"), ("x", "I/N"), ("auto", "JOB_COMPLETION_INDEX")]
        {
            assert!(Shard::parse(text, |_| None).unwrap_err().contains(said), "{text}");
        }
    }

    #[test]
    fn a_matrix_or_an_indexed_job_says_its_place() {
        let set = |pairs: &'static [(&str, &str)]| {
            Shard::parse("auto", move |name| {
                pairs.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
            })
        };
        assert_eq!(set(&[("JOB_COMPLETION_INDEX", "2"), ("TRUSTLINE_SHARDS", "4")]), Ok(Shard { index: 2, count: 4 }));
        assert_eq!(set(&[("CI_NODE_INDEX", "1"), ("CI_NODE_TOTAL", "2")]), Ok(Shard { index: 0, count: 2 }));
        assert!(set(&[("JOB_COMPLETION_INDEX", "2")]).unwrap_err().contains("TRUSTLINE_SHARDS"));
    }
}
