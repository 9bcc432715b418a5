//! `trustline config show`: what is in force, and where it is from.

use std::fs;

use serde_json::Value;

use super::support::trustline;

#[test]
fn each_setting_has_its_value_and_its_source() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("console.toml");
    fs::write(&file, "theme = \"light\"\nmouse = false\n[colors]\nbad = \"light-red bold\"\n[keys]\nrun = [\"f5\"]\n")
        .unwrap();
    let show = |variables: &[(&str, &str)]| {
        let output = trustline()
            .env("TRUSTLINE_CONFIG_DIR", folder.path())
            .env("LC_ALL", "C.UTF-8")
            .envs(variables.iter().copied())
            .args(["config", "show", "--output", "json"])
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(0));
        let document: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(document["schema"], "trustline.config/1");
        move |name: &str| {
            let all = document["settings"].as_array().unwrap();
            let found =
                all.iter().find(|of| of["name"] == name).unwrap_or_else(|| panic!("{name} is not in {document:#}"));
            let text = |name: &str| found[name].as_str().unwrap().to_owned();
            (text("value"), text("from"), found["line"].as_u64())
        }
    };
    let own = file.display().to_string();
    let setting = show(&[]);
    for (name, value, from, line) in [
        ("theme", "light", own.as_str(), Some(1)),
        ("mouse", "false", &own, Some(2)),
        ("clock", "utc", "built in", None),
        ("colors.bad", "light-red bold", &own, Some(4)),
        ("keys.run", "f5", &own, Some(6)),
        ("profiles", &folder.path().join("profiles").display().to_string(), "TRUSTLINE_CONFIG_DIR", None),
    ] {
        assert_eq!(setting(name), (value.to_owned(), from.to_owned(), line), "{name}");
    }
    assert_eq!(show(&[("NO_COLOR", "1")])("theme"), ("none".to_owned(), "NO_COLOR".to_owned(), None));
    let shown = trustline().env("TRUSTLINE_CONFIG_DIR", folder.path()).args(["config", "show"]).output().unwrap();
    let shown = String::from_utf8(shown.stdout).unwrap();
    assert!(shown.lines().any(|line| line.starts_with("keys.run") && line.ends_with("console.toml:6")), "{shown}");
}

#[test]
fn a_mistake_is_told_with_its_line() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("console.toml"), "clock = \"local\"\ntheme = \"pink\"\n").unwrap();
    let output = trustline().env("TRUSTLINE_CONFIG_DIR", folder.path()).args(["config", "show"]).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains("console.toml:2: write one of \"dark\", \"light\", \"none\""), "{said}");
    assert!(String::from_utf8(output.stdout).unwrap().contains("local"), "the rest applies");
}
