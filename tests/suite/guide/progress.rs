//! What a person confirmed stays, for nobody else's eyes.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use serde_json::Value;

use super::Home;

fn state(home: &Home, step: &str) -> Value {
    let (text, said, status) = home.run(&["guide", "aws-workload-identity", step, "--output", "json"]);
    assert_eq!(status, Some(0), "{said}");
    let document: Value = serde_json::from_str(&text).unwrap();
    document["guides"][0]["steps"][0]["state"].clone()
}

#[test]
fn a_confirmation_is_kept_beside_the_profile_and_can_be_taken_back() {
    let home = Home::with("aws-workload-identity");
    assert_eq!(state(&home, "6")["is"], "to-do");
    let (said, _, status) = home.run(&["guide", "aws-workload-identity", "6", "--confirm"]);
    assert_eq!(status, Some(0));
    assert!(said.contains("confirmed by you, 2"), "{said}");
    assert_eq!(state(&home, "6")["is"], "confirmed");
    assert_eq!(state(&home, "7")["is"], "to-do");
    let file = home.folder.path().join("p.progress.json");
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);

    // Both files copied to another place are as good as here.
    let other = Home::with("aws-workload-identity");
    fs::copy(&file, other.folder.path().join("p.progress.json")).unwrap();
    assert_eq!(state(&other, "6")["is"], "confirmed");

    home.run(&["guide", "aws-workload-identity", "6", "--unconfirm"]);
    assert_eq!(state(&home, "6")["is"], "to-do");
    // No draft is left behind.
    assert_eq!(fs::read_dir(home.folder.path()).unwrap().count(), 2);
}

#[test]
fn what_can_be_checked_takes_no_word() {
    let home = Home::with("aws-workload-identity");
    let (_, said, status) = home.run(&["guide", "aws-workload-identity", "3", "--confirm"]);
    assert_eq!(status, Some(2));
    assert!(said.contains("aws.assume-role-with-web-identity"), "{said}");
    assert!(!home.folder.path().join("p.progress.json").exists());
}

#[test]
fn a_broken_file_is_told_and_not_written_over() {
    let home = Home::with("aws-workload-identity");
    let file = home.folder.path().join("p.progress.json");
    fs::write(&file, "{").unwrap();
    for arguments in [&["guide", "aws-workload-identity"][..], &["guide", "aws-workload-identity", "6", "--confirm"]] {
        let (_, said, status) = home.run(arguments);
        assert_eq!(status, Some(2), "{said}");
        assert!(said.contains("p.progress.json") && said.contains("remove it"), "{said}");
    }
    assert_eq!(fs::read_to_string(&file).unwrap(), "{");
}
