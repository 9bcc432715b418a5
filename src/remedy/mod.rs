//! From a finding and what is at hand to the fix: a whole script that runs as printed, what shows that it worked, and
//! the way back.
//!
//! A fix never widens a trust, loses a condition, or destroys a value; where it cannot be made so, there is none, and
//! the finding says what to do in words.

pub mod aws;
pub mod azure;
pub mod catalogue;
mod explained;
pub mod google;
mod kubernetes;
pub mod profile;
mod request;
mod undecided;

use crate::cause::{Certainty, Finding, Fix};
use crate::check::facts::Facts;
use crate::domain::ids::Cloud;
use crate::domain::profile::Profile;
use crate::guide::form::shell::quote;
pub use catalogue::{Values, advise, advised, explained, looking};
pub use explained::{ExplainedFiles, undecided_text};
pub use profile::profile_set;
pub use undecided::{look, suspects, undecided};

/// What a fix is made from.
#[derive(Clone, Copy, Debug)]
pub struct Context<'a> {
    pub profile: &'a Profile,
    pub facts: &'a Facts,
}

/// The fixes that a cloud builds from the documents and answers at hand; none where the cause is not its own.
fn built(finding: &Finding, context: Context<'_>) -> Vec<Fix> {
    let of_cluster = kubernetes::fixes(finding, context);
    if !of_cluster.is_empty() {
        return of_cluster;
    }
    match context.profile.guide.cloud() {
        Cloud::Azure => azure::fixes(finding, context),
        Cloud::Aws => aws::fixes(finding, context),
        Cloud::Gcp => google::fixes(finding, context),
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

/// The first line of every script: it stops at the first command that fails, and at a variable nobody set.
pub const HEAD: &str = "set -eu\n";

/// A variable with a known value, or one that the reader has to set and that refuses to be empty.
///
/// `what` says what is wanted, in a few words of the program's own; it stands in the refusal.
pub fn variable(name: &str, known: Option<&str>, what: &str) -> String {
    match known {
        Some(value) => format!("{name}={}\n", quote(value)),
        None => format!(": \"${{{name}:?{what}}}\"\n"),
    }
}

/// The command that checks this profile again, for up to so many seconds where a change takes a while to arrive.
pub fn check(profile: &Profile, wait_s: Option<u32>) -> String {
    let mut command = "trustline check".to_owned();
    if !profile.selector.is_empty() {
        command.push(' ');
        command.push_str(&profile.selector);
    }
    if let Some(seconds) = wait_s {
        command.push_str(&format!(" --wait {seconds}"));
    }
    command
}

/// A document on a command's standard input, byte for byte: `command <<'END'` and the text up to its end mark.
pub fn heredoc(command: &str, text: &str) -> String {
    let mut end = "END".to_owned();
    while text.lines().any(|line| line == end) {
        end.push('_');
    }
    format!("{command} <<'{end}'\n{}\n{end}\n", text.trim_end_matches('\n'))
}

/// The documents that a script writes, by their files' names: what [`heredoc`] put there.
pub fn documents(script: &str) -> Vec<(&str, &str)> {
    let mut documents = Vec::new();
    let mut rest = script;
    while let Some((_, tail)) = rest.split_once("cat >\"$work/") {
        rest = tail;
        let Some((name, tail)) = tail.split_once("\" <<'") else { continue };
        let Some((end, body)) = tail.split_once("'\n") else { continue };
        let Some((text, after)) = body.split_once(&format!("\n{end}\n")) else { continue };
        documents.push((name, text));
        rest = after;
    }
    documents
}

#[cfg(test)]
mod script_tests {
    use std::process::{Command, Output};

    use proptest::prelude::*;

    use super::*;

    fn sh(script: &str) -> Output {
        Command::new("sh").args(["-c", script]).env_remove("NAME").output().unwrap()
    }

    #[test]
    fn an_unknown_refuses_to_be_empty() {
        let script = format!("{HEAD}{}echo reached", variable("NAME", None, "the role's name"));
        let output = sh(&script);
        assert!(!output.status.success() && output.stdout.is_empty());
        assert!(String::from_utf8_lossy(&output.stderr).contains("the role's name"));
    }

    #[test]
    fn documents_are_read_out_of_a_script_as_they_went_in() {
        let before = "{\n  \"a\": 1\n}";
        let after = "{\n  \"END\": 2\n}\nEND\nmore";
        let files = [("before.json", before), ("after.json", after)];
        let written = files.map(|(name, text)| heredoc(&format!("cat >\"$work/{name}\""), text));
        assert_eq!(documents(&format!("{HEAD}{}aws x\n", written.concat())), files);
        assert!(documents("cat >\"$work/open\" <<'END'\nnever ends").is_empty());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]

        #[test]
        fn a_value_reaches_the_script_as_it_is(value in "([^\\x00]|['`$\"\\\\\n]|\\$\\(id\\)){0,24}") {
            let output = sh(&format!("{HEAD}{}printf %s \"$NAME\"", variable("NAME", Some(&value), "")));
            prop_assert_eq!(String::from_utf8_lossy(&output.stdout), value);
        }

        #[test]
        fn a_document_reaches_the_command_as_it_is(text in "([a-z'`$\"\\\\ ]|END|\nEND\n|\n|\\$\\(id\\)){0,24}") {
            let output = sh(&heredoc("cat", &text));
            let printed = String::from_utf8_lossy(&output.stdout).into_owned();
            prop_assert_eq!(printed.trim_end_matches('\n'), text.trim_end_matches('\n'));
        }
    }
}
