//! The scripts that correct a trust policy, run by `sh` with a stand-in for the AWS CLI that keeps one role in a file.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::Command;

use proptest::prelude::*;
use serde_json::{Map, Value, json};
use trustline::cause::Fix;
use trustline::check::CheckId;
use trustline::check::facts::Facts;
use trustline::check::facts::token::TokenFact;
use trustline::check::facts::trust::TrustFact;
use trustline::domain::arn::RoleArn;
use trustline::domain::profile::{Guide, Profile};
use trustline::domain::token::DecodedToken;
use trustline::remedy::Context;
use trustline::remedy::aws::trust::fixes;

const HOST: &str = "app.example.com";
const ROLE: &str = "arn:aws:iam::123456789012:role/deep/reader";
const PROVIDER: &str = "arn:aws:iam::123456789012:oidc-provider/app.example.com";
const OURS: &str = "organization:6f1d2c3b-4a59-4e68-8778-96a5b4c3d2e1";
const THEIRS: &str = "organization:0b1e5c77-2f43-4d7a-9c8e-51a3d9e60f24";

fn our_claims(subject: &str) -> Map<String, Value> {
    json!({"iss": format!("https://{HOST}"), "sub": subject, "aud": "sts.amazonaws.com"}).as_object().unwrap().clone()
}

fn profile() -> Profile {
    let mut profile = Profile::bare("p", Guide::AwsWorkloadIdentity);
    profile.issuer_url = Some(format!("https://{HOST}"));
    profile.organization = OURS.strip_prefix("organization:").map(str::to_owned);
    profile.aws.role_arn = RoleArn::parse(ROLE).ok();
    profile.selector = "--profile p".to_owned();
    profile
}

fn policy(subject: &str) -> Value {
    json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"Federated": PROVIDER},
        "Action": "sts:AssumeRoleWithWebIdentity",
        "Condition": {"StringEquals": {format!("{HOST}:aud"): "sts.amazonaws.com", format!("{HOST}:sub"): subject}}}]})
}

/// The fix for what the policy says to the token.
fn fix(profile: &Profile, claims: Map<String, Value>, text: String) -> Fix {
    let trust = TrustFact::evaluate("policy.json", Ok(text), &claims, profile, 0);
    let finding = trust.findings(CheckId::TrustPolicy.into()).remove(0);
    let token = DecodedToken { claims: Some(claims), ..DecodedToken::default() };
    let token = Some(TokenFact::decoded("a test", 1, token, Vec::new()));
    let facts = Facts { trust: Some(trust), token, ..Facts::default() };
    fixes(&finding, Context { profile, facts: &facts }).remove(0)
}

/// One role, and a stand-in for the AWS CLI that reads and writes it.
struct Account {
    folder: tempfile::TempDir,
}

impl Account {
    fn with(arn: &str, policy: &Value) -> Account {
        let account = Account { folder: tempfile::tempdir().unwrap() };
        account.put(policy);
        fs::write(account.path("arn"), arn).unwrap();
        let cli = r#"#!/bin/sh
set -eu
case "$2" in
get-role) jq -n --rawfile arn "$ACCOUNT_FOLDER/arn" --slurpfile policy "$ACCOUNT_FOLDER/policy.json" '{Arn: $arn, AssumeRolePolicyDocument: $policy[0]}' ;;
update-assume-role-policy) [ "$4" = reader ]; cat "${6#file://}" >"$ACCOUNT_FOLDER/policy.json" ;;
*) exit 9 ;;
esac
"#;
        fs::write(account.path("aws"), cli).unwrap();
        fs::set_permissions(account.path("aws"), fs::Permissions::from_mode(0o755)).unwrap();
        account
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn put(&self, policy: &Value) {
        fs::write(self.path("policy.json"), policy.to_string()).unwrap();
    }

    fn json(&self, name: &str) -> Value {
        serde_json::from_str(&fs::read_to_string(self.path(name)).unwrap()).unwrap()
    }

    /// Runs a script; what it complains of, where it fails.
    fn run(&self, script: &str) -> Result<(), String> {
        let path = format!("{}:{}", self.folder.path().display(), std::env::var("PATH").unwrap());
        let output = Command::new("sh")
            .args(["-c", script])
            .env("PATH", path)
            .env("ACCOUNT_FOLDER", self.folder.path())
            .current_dir(self.folder.path())
            .output()
            .unwrap();
        if output.status.success() { Ok(()) } else { Err(String::from_utf8(output.stderr).unwrap()) }
    }
}

#[test]
fn the_script_puts_the_policy_in_force_and_its_undo_takes_it_back() {
    for form in [
        |policy: &Value| policy.clone(),
        |policy: &Value| json!({"Role": {"RoleName": "reader", "Tags": [1], "AssumeRolePolicyDocument": policy}}),
        |policy: &Value| json!({"AssumeRolePolicyDocument": policy}),
    ] {
        let account = Account::with(ROLE, &policy(THEIRS));
        fs::write(account.path("copy of it.json"), form(&policy(THEIRS)).to_string()).unwrap();
        let mut profile = profile();
        profile.aws.trust_policy = Some(account.path("copy of it.json"));
        let fix = fix(&profile, our_claims(OURS), form(&policy(THEIRS)).to_string());
        assert_eq!(fix.verify.as_deref(), Some("trustline check --profile p --wait 60"));
        assert_eq!(serde_json::from_str::<Value>(&fix.document.unwrap()).unwrap(), policy(OURS));
        assert!(fix.text.contains(THEIRS) && fix.text.contains(OURS), "{}", fix.text);
        account.run(&fix.command.unwrap()).unwrap();
        assert_eq!(account.json("policy.json"), policy(OURS));
        assert_eq!(account.json("copy of it.json"), form(&policy(OURS)));
        account.run(&fix.undo.unwrap()).unwrap();
        assert_eq!(account.json("policy.json"), policy(THEIRS));
        assert_eq!(account.json("copy of it.json"), form(&policy(THEIRS)));
    }
}

#[test]
fn a_policy_that_changed_meanwhile_and_a_role_of_another_account_are_left_alone() {
    let fix = fix(&profile(), our_claims(OURS), policy(THEIRS).to_string());
    let (command, undo) = (fix.command.unwrap(), fix.undo.unwrap());
    let changed = policy("organization:changed");
    let account = Account::with(ROLE, &changed);
    assert!(account.run(&command).unwrap_err().contains("not the one this was made from"));
    assert!(account.run(&undo).is_err());
    assert_eq!(account.json("policy.json"), changed);
    let elsewhere = Account::with("arn:aws:iam::210987654321:role/deep/reader", &policy(THEIRS));
    assert!(elsewhere.run(&command).unwrap_err().contains("210987654321"));
    assert_eq!(elsewhere.json("policy.json"), policy(THEIRS));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn whatever_stands_in_a_policy_reaches_the_account_as_it_is(
        odd in "([^\\x00]|['`$\"\\\\\n]|\\$\\(touch pwned\\)|\nEND\n|END){0,24}",
        name in "[a-z'`$ ]{1,12}\\.json",
    ) {
        let mut before = policy(THEIRS);
        before["Statement"][0]["Sid"] = json!(odd);
        before["Id"] = json!(format!("{odd}\nEND\n"));
        let mut after = policy(OURS);
        after["Statement"][0]["Sid"] = json!(odd);
        after["Id"] = before["Id"].clone();
        let account = Account::with(ROLE, &before);
        fs::write(account.path(&name), before.to_string()).unwrap();
        let mut profile = profile();
        profile.aws.trust_policy = Some(account.path(&name));
        let fix = fix(&profile, our_claims(OURS), before.to_string());
        account.run(&fix.command.unwrap()).map_err(TestCaseError::fail)?;
        prop_assert_eq!(account.json("policy.json"), after.clone());
        prop_assert_eq!(account.json(&name), after);
        account.run(&fix.undo.unwrap()).map_err(TestCaseError::fail)?;
        prop_assert_eq!(account.json("policy.json"), before.clone());
        prop_assert_eq!(account.json(&name), before);
        prop_assert!(!account.path("pwned").exists());
    }
}
