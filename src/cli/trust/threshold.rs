//! From what a trust says, and what is unsafe in it, to the exit status.

use clap::Args;

use crate::cause::{Finding, Severity};
use crate::cli::exit::Exit;
use crate::domain::iam::Decision;

/// When a weakness ends the program with more than a warning.
#[derive(Debug, Default, Args)]
pub(super) struct Threshold {
    /// With --lint: end with status 1 where a weakness is this severe, or more
    #[arg(long, value_name = "SEVERITY", value_parser = severity, requires = "lint")]
    fail_on: Option<Severity>,
    /// With --lint: end with status 4 where there is any weakness
    #[arg(long, requires = "lint")]
    strict: bool,
}

impl Threshold {
    /// The status: what is denied comes before what is weak, and that before what is unknown.
    pub(super) fn exit(&self, decision: Option<Decision>, lint: &[Finding]) -> Exit {
        let worst = lint.iter().filter_map(|finding| finding.severity).min();
        let is_over = worst.zip(self.fail_on).is_some_and(|(worst, limit)| worst <= limit);
        match decision {
            Some(Decision::Deny) => Exit::Failed,
            _ if is_over => Exit::Failed,
            Some(Decision::Unknown) => Exit::Inconclusive,
            _ if self.strict && !lint.is_empty() => Exit::Warned,
            Some(Decision::Allow) | None => Exit::Passed,
        }
    }
}

fn severity(text: &str) -> Result<Severity, String> {
    let named = Severity::ALL.into_iter().find(|severity| severity.name() == text);
    named.ok_or_else(|| format!("write one of {}", Severity::ALL.map(Severity::name).join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cause::{Cause, Certainty};
    use crate::domain::ids::Finder;

    fn ends(decision: Option<Decision>, severity: Option<Severity>, fail_on: Option<Severity>, strict: bool) -> Exit {
        let found = |severity| {
            Finding::new(Cause::TrustTooWide, Finder::Trust, Certainty::Proven, "wide").with_severity(severity)
        };
        let lint: Vec<Finding> = severity.map(found).into_iter().collect();
        Threshold { fail_on, strict }.exit(decision, &lint)
    }

    #[test]
    fn the_threshold_decides_and_a_denial_before_it() {
        use Decision::{Allow, Deny, Unknown};
        use Severity::{Critical, High, Low, Medium};
        for (decision, found, fail_on, strict, exit) in [
            (Some(Allow), Some(High), None, false, Exit::Passed),
            (Some(Allow), Some(High), None, true, Exit::Warned),
            (Some(Allow), Some(High), Some(High), true, Exit::Failed),
            (Some(Allow), Some(Critical), Some(High), false, Exit::Failed),
            (Some(Allow), Some(Medium), Some(High), false, Exit::Passed),
            (Some(Allow), Some(Medium), Some(High), true, Exit::Warned),
            (Some(Deny), None, None, true, Exit::Failed),
            (Some(Unknown), Some(Low), None, true, Exit::Inconclusive),
            (Some(Unknown), Some(Low), Some(Low), false, Exit::Failed),
            (None, None, Some(Low), true, Exit::Passed),
            (None, Some(Low), Some(Low), false, Exit::Failed),
        ] {
            assert_eq!(ends(decision, found, fail_on, strict), exit, "{decision:?} {found:?} {fail_on:?} {strict}");
        }
    }

    #[test]
    fn names_the_severities_there_are() {
        assert_eq!(severity("high"), Ok(Severity::High));
        assert!(severity("HIGH").is_err_and(|error| error.contains("critical, high, medium, low")));
    }
}
