//! What of a run's or a trust's findings is an alert, how loud, and at which line of which file.

use serde_json::{Map, Value, json};

use super::{Alert, Alerts, Level, NotJudged, Place};
use crate::cause::{Certainty, Finding, Severity};
use crate::check::Outcome;
use crate::report::finding::certainty;
use crate::report::run::{Fleet, Member};
use crate::run::event::RunVerdict;
use crate::run::report::Report;

/// A file that findings are about, with its text to find their lines in.
#[derive(Clone, Copy, Debug)]
pub struct Source<'a> {
    /// Its path, as it was given.
    pub file: &'a str,
    pub text: &'a str,
}

impl Source<'_> {
    /// A line, counted from 0.
    fn line(self, line: usize) -> Place {
        Place { file: self.file.to_owned(), line: line as u64 + 1 }
    }

    /// Where a profile sets a key such as `aws.role-arn`; its first line where it does not.
    fn of_key(self, key: &str) -> Place {
        let (table, name) = key.rsplit_once('.').unwrap_or(("", key));
        let mut current = "";
        let at = self.text.lines().position(|line| {
            let line = line.trim();
            if let Some(header) = line.strip_prefix('[').and_then(|rest| rest.split(']').next()) {
                current = header.trim();
            }
            let assigned = line.strip_prefix(name).is_some_and(|rest| rest.trim_start().starts_with('='));
            current == table && assigned
        });
        self.line(at.unwrap_or_default())
    }

    /// Where a document has a value.
    fn of_value(self, value: &str) -> Option<Place> {
        let value = value.lines().next().map(str::trim).filter(|value| !value.is_empty())?;
        self.text.lines().position(|line| line.contains(value)).map(|at| self.line(at))
    }
}

/// The root causes of a run, and what could not be checked. `profile` is the file that it was described in.
pub fn of_run(report: &Report, profile: Option<Source<'_>>) -> Alerts {
    let passed = report.end.as_ref().is_some_and(|end| end.verdict == RunVerdict::Pass);
    let found = report.roots().map(|finding| {
        let level = match finding.certainty {
            Certainty::Possible => Level::Warning,
            _ if passed => Level::Warning,
            Certainty::Proven | Certainty::Likely => Level::Error,
        };
        let place = profile.map(|source| source.of_key(finding.setting.as_deref().unwrap_or_default()));
        alert(finding, level, &report.profile, place)
    });
    let open = report.undecided.iter().map(|undecided| NotJudged {
        resource: undecided.check.to_string(),
        why: format!(
            "refused, and {} could be why; this decides: {}",
            undecided.candidates.iter().map(|candidate| candidate.cause.id()).collect::<Vec<_>>().join(", "),
            undecided.decide.command
        ),
        place: profile.map(|source| source.line(0)),
    });
    let unchecked = report.finished().filter(|check| check.outcome == Outcome::Inconclusive).map(|check| NotJudged {
        resource: format!("{} ({})", check.id.id(), check.title),
        why: check.reason.clone().unwrap_or_else(|| "could not be checked".to_owned()),
        place: profile.map(|source| source.line(0)),
    });
    Alerts { found: found.collect(), not_judged: open.chain(unchecked).collect(), ..Alerts::default() }
}

/// Many runs as one.
pub fn of_fleet(fleet: &Fleet) -> Alerts {
    let mut all = Alerts::default();
    for member in &fleet.members {
        match member {
            Member::Checked(report) => {
                let Alerts { found, not_judged, .. } = of_run(report, None);
                all.found.extend(found);
                all.not_judged.extend(not_judged);
            }
            Member::Unchecked { profile, reason } => {
                all.not_judged.push(NotJudged { resource: profile.clone(), why: reason.clone(), place: None });
            }
        }
    }
    all
}

/// The findings about a trust: those of the token that was judged, and the weaknesses. `trust` is the file that it stands in.
pub fn of_trust(refusals: &[Finding], weaknesses: &[Finding], trust: Option<Source<'_>>) -> Alerts {
    let refused = refusals.iter().filter(|finding| finding.follows_from.is_none()).map(|finding| {
        let level = if finding.certainty == Certainty::Possible { Level::Warning } else { Level::Error };
        (finding, level)
    });
    let weak = weaknesses.iter().map(|finding| (finding, finding.severity.map_or(Level::Warning, Level::of)));
    let place = |finding: &Finding| {
        let source = trust?;
        let named = finding.summary.split('`').skip(1).step_by(2);
        let mut values = [&finding.actual, &finding.expected].into_iter().flatten().map(String::as_str).chain(named);
        Some(values.find_map(|value| source.of_value(value)).unwrap_or_else(|| source.line(0)))
    };
    let name = trust.map_or("standard input", |source| source.file);
    let found = refused.chain(weak).map(|(finding, level)| alert(finding, level, name, place(finding)));
    Alerts { found: found.collect(), ..Alerts::default() }
}

fn alert(finding: &Finding, level: Level, resource: &str, place: Option<Place>) -> Alert {
    let mut message = finding.summary.clone();
    for (name, value) in [("expected", &finding.expected), ("actual", &finding.actual)] {
        if let Some(value) = value {
            message.push_str(&format!("\n{name}: {value}"));
        }
    }
    for fix in &finding.fixes {
        message.push_str(&format!("\nFix: {}", fix.text));
    }
    let mut properties = Map::new();
    properties.insert("certainty".to_owned(), json!(finding.certainty));
    properties.insert("check".to_owned(), Value::from(finding.check.id()));
    if let Some(severity) = finding.severity {
        properties.insert("severity".to_owned(), json!(severity));
    }
    let rank = finding.severity.map_or(certainty(finding.certainty), Severity::name);
    Alert {
        cause: finding.cause,
        level,
        title: format!("{} ({rank})", finding.cause.id()),
        message,
        fingerprint: format!("{resource}/{}/{}", finding.check.id(), finding.cause.id()),
        resource: resource.to_owned(),
        place,
        suppressed: None,
        properties,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PROFILE: &str =
        "guide = \"aws-workload-identity\"\n\n[issuer]\nurl = \"https://i\"\n\n[aws]\nurl = \"x\"\nrole-arn = \"r\"\n";

    #[test]
    fn a_setting_is_found_in_its_own_table() {
        let source = Source { file: "p.toml", text: PROFILE };
        for (key, line) in
            [("guide", 1), ("issuer.url", 4), ("aws.url", 7), ("aws.role-arn", 8), ("azure.url", 1), ("", 1)]
        {
            assert_eq!(source.of_key(key).line, line, "{key}");
        }
    }

    #[test]
    fn a_weakness_points_at_the_value_that_it_is_about() {
        let source = Source { file: "trust.json", text: "{\n  \"a\": 1,\n  \"sub\": \"repo:acme/*\"\n}" };
        assert_eq!(source.of_value("repo:acme/*").map(|place| place.line), Some(3));
        assert_eq!(source.of_value("elsewhere"), None);
        assert_eq!(source.of_value(""), None);
    }
}
