//! From a finding and what is at hand to the fix: a whole script that runs as printed, what shows that it worked, and
//! the way back.
//!
//! A fix never widens a trust, loses a condition, or destroys a value; where it cannot be made so, there is none, and
//! the finding says what to do in words.

pub mod aws;
pub mod azure;
pub mod catalogue;
mod explained;
pub mod profile;
mod request;
pub mod script;
mod undecided;

pub use catalogue::{Values, advise, advised, explained, looking};
pub use explained::{ExplainedFiles, undecided_text};
pub use profile::profile_set;
pub use undecided::{look, suspects, undecided};

use crate::cause::{Certainty, Finding, Fix};
use crate::check::facts::Facts;
use crate::domain::ids::Cloud;
use crate::domain::profile::Profile;
use crate::guide::form::shell::quote;

/// What a fix is made from.
#[derive(Clone, Copy, Debug)]
pub struct Context<'a> {
    pub profile: &'a Profile,
    pub facts: &'a Facts,
}

/// The fixes that a cloud builds from the documents and answers at hand; none where the cause is not its own.
fn built(finding: &Finding, context: Context<'_>) -> Vec<Fix> {
    match context.profile.guide.cloud() {
        Cloud::Azure => azure::fixes(finding, context),
        Cloud::Aws => aws::fixes(finding, context),
        Cloud::Gcp => Vec::new(),
    }
}

/// Gives a root cause its fixes. Findings that follow from another, and those that are only possible, get none.
pub fn attach(finding: &mut Finding, context: Context<'_>) {
    let guide = context.profile.guide.id();
    if finding.follows_from.is_some() || finding.certainty == Certainty::Possible {
        finding.fixes.clear();
        return;
    }
    let mut built = built(finding, context);
    if built.is_empty() {
        built = request::fixes(finding, context);
    }
    if !built.is_empty() {
        finding.fixes = built;
    }
    advise(finding, Some(guide), &Values::of_run(context, finding.check));
    if let Some(scenario) = &context.profile.ending_lab {
        finding.fixes.iter_mut().for_each(|fix| needs_a_served_lab(fix, scenario));
    }
}

/// A script for a lab that ends with the command changes nothing: the reader serves the lab, and fixes it there.
fn needs_a_served_lab(fix: &mut Fix, scenario: &str) {
    let is_another_try = |command: &String| command.contains("trustline check --lab ");
    if fix.command.as_ref().is_some_and(|command| !is_another_try(command)) {
        let serve = quote(scenario);
        fix.text.push_str(&format!(
            " This lab ended with the check: serve it with `trustline lab {serve}`, and fix it with the command that it prints."
        ));
        fix.verify = None;
    }
}
