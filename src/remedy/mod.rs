//! From a finding and what is at hand to the fix: a whole script that runs as printed, what shows that it worked, and
//! the way back.
//!
//! A fix never widens a trust, loses a condition, or destroys a value; where it cannot be made so, there is none, and
//! the finding says what to do in words.

pub mod aws;
pub mod script;

use crate::cause::Finding;
use crate::check::facts::Facts;
use crate::domain::profile::Profile;

/// What a fix is made from.
#[derive(Clone, Copy, Debug)]
pub struct Context<'a> {
    pub profile: &'a Profile,
    pub facts: &'a Facts,
}

/// Gives a root cause its fixes. Findings that follow from another, and those that are only possible, get none.
pub fn attach(finding: &mut Finding, context: Context<'_>) {
    let fixes = aws::fixes(finding, context);
    if !fixes.is_empty() {
        finding.fixes = fixes;
    }
}
