//! What comes with the program: completions that the shell takes, and a man page for every command.

use std::fs;
use std::process::Command;

use super::support::trustline;

fn printed(arguments: &[&str]) -> String {
    let output = trustline().args(arguments).output().unwrap();
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn bash_completes_commands_and_options() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("trustline.bash");
    fs::write(&path, printed(&["completions", "bash"])).unwrap();
    for (words, wanted) in [
        ("trustline che", "check"),
        ("trustline check --rec", "--record"),
        ("trustline profile im", "import"),
        ("trustline check --only trust", "trust.policy"),
        ("trustline check --set aws.reg", "aws.region="),
    ] {
        let last = words.split(' ').count() - 1;
        let script = format!(
            "source {path:?}; COMP_WORDS=({words}); COMP_CWORD={last}; _trustline trustline \"${{COMP_WORDS[{last}]}}\" \
             \"${{COMP_WORDS[{}]}}\"; echo \"${{COMPREPLY[@]}}\"",
            last - 1
        );
        let output = Command::new("bash").args(["--norc", "-c", &script]).output().unwrap();
        let offered = String::from_utf8_lossy(&output.stdout).into_owned();
        assert_eq!(offered.trim(), wanted, "{words}: {}", String::from_utf8_lossy(&output.stderr));
    }
}

#[test]
fn every_shell_has_a_script() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = printed(&["completions", shell]);
        assert!(script.contains("verify-evidence") && script.contains("--profile-file"), "{shell}");
    }
}

#[test]
fn long_help_and_man_pages_have_examples_variables_and_files() {
    let help = printed(&["check", "--help"]);
    for wanted in [
        "Examples:",
        "Checks:",
        "  trust.policy ",
        "Keys:",
        "  aws.role-arn ",
        "Environment:",
        "AWS_ROLE_ARN",
        "Files:",
    ] {
        assert!(help.contains(wanted), "{wanted}: {help}");
    }
    assert!(printed(&["--help"]).contains("Exit status:"));
    assert!(!printed(&["check", "-h"]).contains("Examples:"), "the short help stays short");
    let folder = tempfile::tempdir().unwrap();
    printed(&["man", "--folder", folder.path().to_str().unwrap()]);
    let page = fs::read_to_string(folder.path().join("trustline-rotate-verify-evidence.1")).unwrap();
    assert!(page.contains(".SH EXAMPLES") && page.contains("noted"), "{page}");
    let page = fs::read_to_string(folder.path().join("trustline-rotate.1")).unwrap();
    for wanted in [".SH EXAMPLES", ".SH KEYS", ".SH ENVIRONMENT", ".SH FILES"] {
        assert!(page.contains(wanted), "{wanted}: {page}");
    }
}

/// A page that another names is there.
#[test]
fn every_command_has_a_man_page() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path().join("share/man/man1");
    printed(&["man", "--folder", folder.to_str().unwrap()]);
    let pages = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path());
    let pages: Vec<String> = pages.map(|page| fs::read_to_string(page).unwrap()).collect();
    assert!(pages.len() > 15, "{}", pages.len());
    let mut named = 0;
    for page in &pages {
        assert!(page.contains(".SH NAME") && page.contains(".SH SYNOPSIS"), "{page}");
        for line in page.lines().filter_map(|line| line.strip_suffix("(1)")) {
            named += 1;
            let name = line.replace("\\-", "-");
            assert!(folder.join(format!("{name}.1")).exists(), "{name}");
        }
    }
    assert_eq!(named, pages.len() - 1, "every page but the program's own is named in another");
    assert_eq!(fs::read_to_string(folder.join("trustline.1")).unwrap(), printed(&["man"]));
}
