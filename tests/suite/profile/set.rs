//! `profile set`: values change, comments stay, and what is printed puts the old ones back.

use std::fs;

use super::{Home, refused, stderr};

const COMMENTED: &str = "# mine\nguide = \"aws-workload-identity\"\n\n[aws]\n# where the secret is\nregion = \"us-east-1\" # for now\nrole-arn = \"arn:aws:iam::123456789012:role/r\"\n";

#[test]
fn set_keeps_comments_and_prints_the_way_back() {
    let home = Home::new();
    let path = home.write("prod", COMMENTED);
    let set = ["set", "--profile", "prod", "aws.region=eu-west-1", "aws.session-name=it"];
    let output = home.run(&set, &[]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let after = fs::read_to_string(&path).unwrap();
    assert!(after.contains("region = \"eu-west-1\" # for now") && after.starts_with("# mine\n"), "{after}");
    assert!(after.contains("session-name = \"it\""), "{after}");
    let back = String::from_utf8(output.stdout).unwrap();
    assert_eq!(back, "trustline profile set --profile prod aws.region=us-east-1 aws.session-name=\n");

    let again: Vec<&str> = back.trim().split(' ').skip(2).collect();
    assert_eq!(home.run(&again, &[]).status.code(), Some(0));
    assert_eq!(fs::read_to_string(&path).unwrap(), COMMENTED, "undone to the byte");
}

#[test]
fn set_refuses_what_is_wrong_and_writes_nothing() {
    let home = Home::new();
    let path = home.write("prod", COMMENTED);
    for (assignment, said) in [
        ("aws.region=eu-wset-1", "aws.region"),
        ("aws.region=cn-north-1", "aws.region"),
        ("aws.regoin=x", "`aws.region`"),
        ("aws.role-arn=arn:aws:iam::<ID>:role/r", "placeholder `<ID>`"),
        ("aws.region", "no `=`"),
    ] {
        refused(&home.run(&["set", "--profile", "prod", assignment], &[]), &[said]);
    }
    refused(&home.run(&["set", "--profile", "prdo", "aws.region=eu-west-1"], &[]), &["did you mean `prod`?"]);
    refused(&home.run(&["set", "aws.region=eu-west-1"], &[]), &["--profile"]);
    assert_eq!(fs::read_to_string(&path).unwrap(), COMMENTED);
}

#[test]
fn a_mistake_elsewhere_does_not_keep_a_value_from_being_corrected() {
    let home = Home::new();
    let wrong = COMMENTED.replace("us-east-1", "us-esat-1").replace("123456789012", "1234");
    let path = home.write("prod", &wrong);
    let output = home.run(&["set", "--profile", "prod", "aws.region=us-east-1"], &[]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert!(fs::read_to_string(&path).unwrap().contains("region = \"us-east-1\" # for now"));
}

#[test]
fn another_source_of_the_token_takes_the_place_of_the_first_and_back() {
    let home = Home::new();
    let text = "guide = \"aws-workload-identity\"\n\n[token]\nenv = \"TOKEN\"\n";
    let path = home.write("prod", text);
    let file = path.to_str().unwrap();
    let output = home.run(&["set", "--profile-file", file, "token.command=[\"a\", \"b c\"]"], &[]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert!(fs::read_to_string(&path).unwrap().contains("command = [\"a\", \"b c\"]"));
    assert_eq!(
        String::from_utf8(output.stdout).unwrap(),
        format!("trustline profile set --profile-file {file} token.env=TOKEN\n")
    );
    home.run(&["set", "--profile-file", file, "token.env=TOKEN"], &[]);
    assert_eq!(fs::read_to_string(&path).unwrap(), text);
}
