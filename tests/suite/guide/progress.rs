//! What a person confirmed stays in the profile, for nobody else's eyes.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use serde_json::Value;

use super::Home;
use crate::support::trustline;

fn state(home: &Home, step: &str) -> Value {
    let (text, said, status) = home.run(&["guide", "aws-workload-identity", step, "--output", "json"]);
    assert_eq!(status, Some(0), "{said}");
    let document: Value = serde_json::from_str(&text).unwrap();
    document["guides"][0]["steps"][0]["state"].clone()
}

#[test]
fn a_confirmation_is_kept_in_the_profile_and_can_be_taken_back() {
    let home = Home::with("aws-workload-identity");
    let before = fs::read_to_string(home.profile()).unwrap();
    fs::write(home.profile(), format!("# of our own\n{before}")).unwrap();
    assert_eq!(state(&home, "6")["is"], "to-do");
    let (said, _, status) = home.run(&["guide", "aws-workload-identity", "6", "--confirm"]);
    assert_eq!(status, Some(0));
    assert!(said.contains("confirmed by you, 2"), "{said}");
    assert_eq!(state(&home, "6")["is"], "confirmed");
    assert_eq!(state(&home, "7")["is"], "to-do");
    assert_eq!(fs::metadata(home.profile()).unwrap().permissions().mode() & 0o777, 0o600);

    // The profile copied to another place is as good as here.
    let other = Home::with("aws-workload-identity");
    fs::copy(home.profile(), other.profile()).unwrap();
    assert_eq!(state(&other, "6")["is"], "confirmed");

    home.run(&["guide", "aws-workload-identity", "6", "--unconfirm"]);
    assert_eq!(state(&home, "6")["is"], "to-do");
    // Nothing else has changed, and no draft is left behind.
    assert_eq!(fs::read_to_string(home.profile()).unwrap(), format!("# of our own\n{before}"));
    assert_eq!(fs::read_dir(home.folder.path()).unwrap().count(), 1);
}

#[test]
fn what_can_be_checked_takes_no_word() {
    let home = Home::with("aws-workload-identity");
    let (_, said, status) = home.run(&["guide", "aws-workload-identity", "3", "--confirm"]);
    assert_eq!(status, Some(2));
    assert!(said.contains("aws.assume-role-with-web-identity"), "{said}");
    assert_eq!(state(&home, "3")["is"], "to-do");
}

#[test]
fn a_save_that_cannot_be_made_leaves_the_profile_as_it_was() {
    let home = Home::with("aws-workload-identity");
    let before = fs::read_to_string(home.profile()).unwrap();
    fs::set_permissions(home.folder.path(), fs::Permissions::from_mode(0o500)).unwrap();
    // Who may write anywhere is not stopped by a folder's mode.
    let locked = fs::write(home.folder.path().join("probe"), "").is_err();
    let (_, said, status) = home.run(&["guide", "aws-workload-identity", "6", "--confirm"]);
    fs::set_permissions(home.folder.path(), fs::Permissions::from_mode(0o700)).unwrap();
    if locked {
        assert_eq!(status, Some(2), "{said}");
        assert_eq!(fs::read_to_string(home.profile()).unwrap(), before);
    }
    fs::write(home.profile(), "guide = ").unwrap();
    let (_, _, status) = home.run(&["guide", "aws-workload-identity", "6", "--confirm"]);
    assert_eq!(status, Some(2));
    assert_eq!(fs::read_to_string(home.profile()).unwrap(), "guide = ");
}

#[test]
fn a_check_without_a_token_leads_to_the_guide_that_says_where_one_comes_from() {
    let home = Home::with("aws-workload-identity");
    let settings = [
        "guide=aws-workload-identity",
        "issuer.url=https://app.example.com",
        "aws.region=us-east-1",
        "aws.role-arn=arn:aws:iam::123456789012:role/reader",
    ];
    let set = settings.iter().flat_map(|setting| ["--set", *setting]);
    let output = trustline().args(["check", "--only", "token.present"]).args(set).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("`trustline guide aws-workload-identity` says where a token comes from"), "{text}");
    let (text, ..) = home.run(&["guide", "aws-workload-identity", "8"]);
    assert!(text.contains("Where a token comes from") && text.contains("Test Connection on the platform"), "{text}");
}
