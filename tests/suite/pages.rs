//! A page says the same as text, in a pane of the console and as Markdown: only how its blocks look differs.

use std::process::Output;

use serde_json::Value;
use trustline::cause::{Finding, Undecided};
use trustline::domain::profile::Guide;
use trustline::guide::{Values, setup_guide};
use trustline::report::ansi::TextFormat;
use trustline::report::context::RenderContext;
use trustline::report::guide::{GuideContext, GuideReport, page as step_page, summary};
use trustline::report::layout::Layout;
use trustline::report::page::{Block, LONGEST_SCRIPT, Page};
use trustline::report::{finding, markdown, rotation};
use trustline::run::rotation::report::RotationReport;

use super::console::rotation_sample;
use super::support::{RunningLab, trustline};

const CTX: RenderContext = markdown::CONTEXT;

/// The words of a text, without the signs and the markup around them.
fn words(text: &str) -> Vec<String> {
    text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

/// As [`words`], without numbers: two runs of a command take their own time.
fn words_alone(output: &Output) -> Vec<String> {
    let text = String::from_utf8(output.stdout.clone()).unwrap();
    words(&text).into_iter().filter(|word| !word.contains(|c: char| c.is_ascii_digit())).collect()
}

/// The page without its scripts, and those scripts, each with the command that prints it.
fn without_scripts(page: &Page) -> (Page, Vec<(String, Option<String>)>) {
    let (mut bare, mut scripts) = (Page { blocks: Vec::new(), ..page.clone() }, Vec::new());
    for block in &page.blocks {
        match block {
            Block::Code(code) => {
                let lines: Vec<String> = code.lines.iter().map(|line| line.plain()).collect();
                scripts.push((lines.join("\n"), code.printed_by.clone()));
            }
            Block::Part(part) => {
                let (part, more) = without_scripts(part);
                bare.blocks.push(Block::Part(part));
                scripts.extend(more);
            }
            // The heads of columns stand in a document alone.
            Block::Table(table) => {
                let mut table = table.clone();
                table.columns.iter_mut().for_each(|column| column.head = "");
                bare.blocks.push(Block::Table(table));
            }
            block => bare.blocks.push(block.clone()),
        }
    }
    (bare, scripts)
}

fn assert_says_the_same(page: &Page) {
    let (bare, scripts) = without_scripts(page);
    let text = |page: &Page| TextFormat::PLAIN.render(page);
    let pane = |page: &Page| {
        let lines = Layout::pane(usize::MAX, CTX).lines(page);
        lines.iter().map(|line| line.plain() + "\n").collect::<String>()
    };
    // A document has its last word first.
    let sorted = |text: &str| {
        let mut words = words(text);
        words.sort_unstable();
        words
    };
    let (printed, shown, written) = (text(&bare), pane(&bare), markdown::render(&bare));
    assert_eq!(sorted(&printed), sorted(&shown), "{printed}\n{shown}");
    assert_eq!(sorted(&printed), sorted(&written), "{printed}\n{written}");
    let (printed, shown, written) = (text(page), pane(page), markdown::render(page));
    for (script, printed_by) in scripts {
        assert!(written.contains(&script), "{script} is not in {written}");
        for form in [&printed, &shown] {
            let whole = script.lines().all(|line| form.contains(line));
            let told = printed_by.as_ref().is_some_and(|command| form.contains(command));
            assert!(whole || told, "{script} is neither in nor told by {form}");
            assert!(whole || script.lines().count() > LONGEST_SCRIPT || script.contains("<<"), "{script}: {form}");
        }
    }
}

/// What a check found, as its JSON has it.
pub fn assert_findings_say_the_same(report: &Value) {
    let findings: Vec<Finding> = serde_json::from_value(report["findings"].clone()).unwrap();
    for found in &findings {
        assert_says_the_same(&finding::page(found, CTX));
        assert_says_the_same(&finding::whole(found, CTX));
    }
    if let Some(open) = report.get("undecided") {
        let open: Undecided = serde_json::from_value(open.clone()).unwrap();
        assert_says_the_same(&finding::undecided(&open, CTX));
    }
}

#[test]
fn every_guide_and_each_of_its_steps() {
    for guide in Guide::ALL {
        let text = setup_guide(*guide);
        let values = Values::of(*guide, &[]);
        let report = GuideReport { guide: *guide, text, values, states: None, own: false, checked: None };
        let shown = GuideContext { ctx: CTX, time: &str::to_owned };
        assert_says_the_same(&summary(&report, shown));
        text.steps.iter().for_each(|one| assert_says_the_same(&step_page(&report, one, shown)));
    }
}

#[test]
fn every_rotation() {
    for script in rotation_sample::all() {
        let mut report = RotationReport::default();
        script.events.iter().for_each(|event| report.apply(event));
        assert_says_the_same(&rotation::page(&report, CTX));
    }
}

/// Runs a command once for people and once for a ticket.
fn assert_forms_say_the_same(arguments: &[&str], stdin: &str) {
    let run = |form: &str| {
        let mut command = trustline();
        command.args(arguments).args(["--output", form]).write_stdin(stdin).output().unwrap()
    };
    let (text, document) = (run("text"), run("markdown"));
    assert_eq!(text.status.code(), document.status.code());
    // The heads of columns, and words for what a sign says on a terminal, stand in a document alone.
    let only_written = ["name", "value", "meaning", "outcome", "check", "reason", "passed", "failed", "skipped"];
    // The second run is later than the first.
    let time = ["now", "ago", "s", "min", "h"];
    let words = |output| {
        let mut words = words_alone(output);
        words.retain(|word| !only_written.contains(&word.as_str()) && !time.contains(&word.as_str()));
        words.sort_unstable();
        words
    };
    let (text, document) = (words(&text), words(&document));
    assert!(text.len() > 20, "{arguments:?}: {text:?}");
    assert_eq!(text, document, "{arguments:?}");
}

#[test]
fn a_token_an_issuer_a_trust_and_an_error_text() {
    let lab = RunningLab::start("sub-mismatch");
    let (ca_file, token) = (lab.file("ca.pem"), lab.file("token.jwt"));
    let issuer = lab.ready["issuer"].as_str().unwrap();
    assert_forms_say_the_same(&["issuer", issuer, "--ca-file", &ca_file], "");
    assert_forms_say_the_same(&["token", &token], "");
    let policy = lab.file("trust-policy.json");
    assert_forms_say_the_same(&["trust", "--policy", &policy, "--token", &token, "--lint"], "");
    let error = "An error occurred (AccessDenied) when calling the AssumeRoleWithWebIdentity operation: \
                 Not authorized to perform sts:AssumeRoleWithWebIdentity";
    assert_forms_say_the_same(&["explain"], error);
}
