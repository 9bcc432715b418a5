//! Whose token a correction lets in, and which side is wrong.

use serde_json::{Map, json};

use super::*;
use crate::cause::Certainty;
use crate::check::facts::Facts;
use crate::check::facts::aws::{AssumedRole, RoleTrust};
use crate::check::facts::secret::{Answer, Call, Refusal};
use crate::check::facts::token::TokenFact;
use crate::domain::profile::Guide;
use crate::domain::token::DecodedToken;

const HOST: &str = "app.example.com";
const ROLE: &str = "arn:aws:iam::123456789012:role/deep/reader";
const PROVIDER: &str = "arn:aws:iam::123456789012:oidc-provider/app.example.com";
const ORGANIZATION: &str = "6f1d2c3b-4a59-4e68-8778-96a5b4c3d2e1";
const OURS: &str = "organization:6f1d2c3b-4a59-4e68-8778-96a5b4c3d2e1";
const THEIRS: &str = "organization:0b1e5c77-2f43-4d7a-9c8e-51a3d9e60f24";

fn claims(issuer: &str, subject: &str) -> Map<String, Value> {
    json!({"iss": issuer, "sub": subject, "aud": "sts.amazonaws.com"}).as_object().unwrap().clone()
}

fn our_claims(subject: &str) -> Map<String, Value> {
    claims(&format!("https://{HOST}"), subject)
}

fn profile() -> Profile {
    let mut profile = Profile::bare("p", Guide::AwsWorkloadIdentity);
    profile.issuer_url = Some(format!("https://{HOST}"));
    profile.organization = Some(ORGANIZATION.to_owned());
    profile.aws.role_arn = RoleArn::parse(ROLE).ok();
    profile.selector = "--profile p".to_owned();
    profile.chosen_by = Some("--profile p".to_owned());
    profile
}

fn policy(subject: &str) -> Value {
    json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"Federated": PROVIDER},
        "Action": "sts:AssumeRoleWithWebIdentity",
        "Condition": {"StringEquals": {format!("{HOST}:aud"): "sts.amazonaws.com", format!("{HOST}:sub"): subject}}}]})
}

fn facts(profile: &Profile, claims: Map<String, Value>, text: String) -> Facts {
    let trust = TrustFact::evaluate("policy.json", Ok(text), &claims, profile, 0);
    let token = DecodedToken { claims: Some(claims), ..DecodedToken::default() };
    Facts { trust: Some(trust), token: Some(TokenFact::decoded("a test", 1, token, Vec::new())), ..Facts::default() }
}

/// The first fix for what the policy says to the token.
fn fix(profile: &Profile, claims: Map<String, Value>, text: String) -> Fix {
    let facts = facts(profile, claims, text);
    let trust = facts.trust.as_ref().unwrap();
    let finding = trust
        .findings(CheckId::TrustPolicy.into())
        .into_iter()
        .next()
        .unwrap_or_else(|| Finding::new(Cause::TrustTooWide, CheckId::TrustPolicy, Certainty::Proven, "wide"));
    fixes(&finding, Context { profile, facts: &facts }).into_iter().next().unwrap()
}

#[test]
fn a_token_that_is_not_the_expected_one_changes_no_policy() {
    let silent = || Profile { organization: None, ..profile() };
    let github = "https://token.actions.githubusercontent.com";
    let on_github = |subject: &str| {
        let text = policy(subject).to_string();
        text.replace(HOST, "token.actions.githubusercontent.com")
    };
    let own = Profile { issuer_url: Some(github.to_owned()), ..silent() };
    let pull_request = {
        let mut claims = claims(github, "repo:octo/app:ref:refs/heads/main");
        claims.insert("event_name".into(), json!("pull_request_target"));
        claims
    };
    for (profile, claims, text, told) in [
        // The policy is right: it names the profile's organization.
        (profile(), our_claims(THEIRS), policy(OURS).to_string(), "another one"),
        (silent(), our_claims(THEIRS), policy(OURS).to_string(), "another organization"),
        (silent(), claims("https://other.example.com", OURS), policy(OURS).to_string(), "do not trust"),
        (
            own.clone(),
            claims(github, "repo:octo/app:pull_request"),
            on_github("repo:octo/app:ref:refs/heads/main"),
            "pull request",
        ),
        (own.clone(), pull_request, on_github("repo:octo/app:environment:prod"), "pull request"),
        (
            own.clone(),
            claims(github, "repo:fork/app:ref:refs/heads/main"),
            on_github("repo:octo/app:ref:refs/heads/main"),
            "another organization",
        ),
    ] {
        let fix = fix(&profile, claims, text);
        assert_eq!((fix.command, fix.document), (None, None), "{}", fix.text);
        assert!(fix.text.contains(told), "{told}: {}", fix.text);
    }
    // Another branch of the repository that the policy trusts already: its token is admitted beside, and that is said.
    let branch =
        fix(&own, claims(github, "repo:octo/app:ref:refs/heads/dev"), on_github("repo:octo/app:ref:refs/heads/main"));
    let document: Value = serde_json::from_str(&branch.document.unwrap()).unwrap();
    assert_eq!(
        document["Statement"][0]["Condition"]["StringEquals"]["token.actions.githubusercontent.com:sub"],
        json!(["repo:octo/app:ref:refs/heads/main", "repo:octo/app:ref:refs/heads/dev"])
    );
    assert!(branch.text.contains("does not say whose tokens are meant"), "{}", branch.text);
}

#[test]
fn a_wrong_token_at_hand_does_not_keep_the_policy_from_being_corrected_for_the_right_one() {
    let mut wrong = policy(OURS);
    wrong["Statement"][0]["Action"] = json!("sts:AssumeRole");
    let fix = fix(&profile(), our_claims(THEIRS), wrong.to_string());
    assert_eq!(serde_json::from_str::<Value>(&fix.document.unwrap()).unwrap(), policy(OURS));
}

#[test]
fn the_token_of_another_job_is_told_to_be_one() {
    let found = |cause, actual: &str| {
        let finding = Finding::new(cause, CheckId::TokenClaims, Certainty::Likely, "").with_difference(OURS, actual);
        fixes(&finding, Context { profile: &profile(), facts: &Facts::default() }).remove(0)
    };
    let other = found(Cause::SubMismatch, THEIRS);
    assert!(other.command.is_none() && other.text.contains(THEIRS) && other.text.contains("another organization"));
    let capitals = format!("organization:{}", ORGANIZATION.to_uppercase());
    let same = found(Cause::SubCaseMismatch, &capitals).command.unwrap();
    assert!(same.contains(&format!("platform.organization={}", ORGANIZATION.to_uppercase())), "{same}");
}

fn refused(code: &str) -> Call<AssumedRole> {
    let refusal = Refusal { code: code.to_owned(), message: String::new(), http_status: 400, request_id: None };
    Call { region: None, attempts: 1, waited_ms: 0, answer: Answer::Refused(refusal), exchange: None }
}

#[test]
fn of_two_accounts_the_wrong_one_is_found() {
    let elsewhere = policy(OURS).to_string().replace("123456789012", "210987654321");
    let answer = |arn: &str| {
        json!({"Role": {"Arn": arn, "AssumeRolePolicyDocument": serde_json::from_str::<Value>(&elsewhere).unwrap()}})
            .to_string()
    };
    let theirs = "arn:aws:iam::210987654321:role/deep/reader";
    let fixed = |text: String, code: Option<&str>| {
        let profile = profile();
        let mut facts = facts(&profile, our_claims(OURS), text);
        facts.aws.assume_role = code.map(refused);
        let finding = facts.trust.as_ref().unwrap().findings(CheckId::TrustPolicy.into()).remove(0);
        assert_eq!(finding.cause, Cause::WrongAccount);
        fixes(&finding, Context { profile: &profile, facts: &facts }).remove(0)
    };
    for (text, code, is_profile) in [
        (answer(theirs), None, Some(true)),
        (answer(ROLE), None, Some(false)),
        (elsewhere.clone(), Some("InvalidIdentityToken"), Some(true)),
        (elsewhere.clone(), Some("AccessDenied"), Some(false)),
        (elsewhere.clone(), None, None),
    ] {
        let fix = fixed(text, code);
        match is_profile {
            Some(true) => assert!(fix.command.unwrap().contains(&format!("aws.role-arn={theirs}"))),
            Some(false) => assert_eq!(serde_json::from_str::<Value>(&fix.document.unwrap()).unwrap(), policy(OURS)),
            None => assert!(fix.command.is_none() && fix.text.contains(theirs), "{}", fix.text),
        }
    }
}

#[test]
fn a_signed_caller_is_let_in_and_a_profile_takes_the_policys_external_id() {
    let user = "arn:aws:iam::123456789012:user/reader";
    let statement = |principal: Value, id: &str| {
        json!({"Statement": [{"Effect": "Allow", "Principal": {"AWS": principal}, "Action": "sts:AssumeRole",
            "Condition": {"StringEquals": {"sts:ExternalId": id}}}]})
    };
    let admin = "arn:aws:iam::123456789012:user/admin";
    for (before, cause, after) in [
        (statement(json!(admin), "ours"), Cause::AssumeRoleDenied, Some(statement(json!([admin, user]), "ours"))),
        (statement(json!(user), "theirs"), Cause::ExternalId, None),
    ] {
        let mut profile = profile();
        profile.guide = Guide::AwsAssumeRole;
        profile.aws.external_id = Some("ours".to_owned());
        let request = AssumeRequest { caller: Some(user), external_id: Some("ours"), session_name: None };
        let mut facts = Facts::default();
        facts.aws.role_trust = Some(RoleTrust::evaluate("policy.json", Ok(before.to_string()), &request));
        let finding = Finding::new(cause, CheckId::TrustPolicy, Certainty::Proven, "");
        let mut fixes = fixes(&finding, Context { profile: &profile, facts: &facts });
        let fix = fixes.remove(0);
        assert!(fixes.is_empty());
        let document = fix.document.map(|document| serde_json::from_str::<Value>(&document).unwrap());
        assert_eq!(document, after);
        // The policy says which id it is; the profile's own is printed nowhere.
        let sets_profile = fix.command.unwrap().contains("aws.external-id=theirs");
        assert_eq!(sets_profile, after.is_none());
    }
}
