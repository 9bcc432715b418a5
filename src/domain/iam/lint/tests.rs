//! Policies that are clean, and for each rule one that is not.

use serde_json::{Value, json};

use super::*;

const GITHUB: &str = "token.actions.githubusercontent.com";

fn rules_for(issuer: &str, subject: &str, statement: Value) -> Vec<String> {
    let arn = format!("arn:aws:iam::123456789012:oidc-provider/{issuer}");
    let mut full = json!({"Effect": "Allow", "Principal": {"Federated": arn}, "Action": WEB_IDENTITY});
    for (key, value) in statement.as_object().unwrap() {
        full[key] = value.clone();
    }
    let policy = Policy::parse(&json!({"Version": "2012-10-17", "Statement": [full]}).to_string()).unwrap();
    let claims = json!({"iss": format!("https://{issuer}"), "sub": subject, "aud": "sts.amazonaws.com"});
    let claims = claims.as_object().unwrap();
    let smells = lint(&policy, &TrustRequest::new(claims, &arn));
    smells
        .into_iter()
        .map(|s| match s.rule {
            Rule::ImpossibleKey(key) => format!("ImpossibleKey {:?}", key.fault),
            rule => format!("{rule:?}"),
        })
        .collect()
}

fn github(condition: Value) -> Vec<String> {
    rules_for(GITHUB, "repo:octo/app:ref:refs/heads/main", json!({"Condition": condition}))
}

#[test]
fn good_policies_are_clean() {
    let key = |name: &str| format!("{GITHUB}:{name}");
    for condition in [
        json!({"StringEquals": {key("aud"): "sts.amazonaws.com", key("sub"): "repo:octo/app:ref:refs/heads/main"}}),
        json!({"StringEquals": {key("aud"): "sts.amazonaws.com"}, "StringLike": {key("sub"): "repo:octo/app:*"}}),
        json!({"StringEquals": {key("aud"): "sts.amazonaws.com"}, "StringLike": {key("sub"): ["repo:octo@*/app@*:*"]}}),
        json!({"StringEquals": {key("aud"): "sts.amazonaws.com", key("repository_owner_id"): "1"}}),
        json!({"StringEquals": {key("aud"): "a", key("sub"): "repo:o/r:x"}, "StringNotEquals": {key("actor"): "x"}}),
        json!({"StringEquals": {key("aud"): "a", key("sub"): "repo:o/r:x", "sts:RoleSessionName": "${token.actions.githubusercontent.com:actor}"}}),
    ] {
        assert_eq!(github(condition.clone()), [""; 0], "{condition}");
    }
    let uuid = "organization:7f3e81c4-1111-4222-8333-9d20c1a09a1c";
    let platform = json!({"StringEquals": {"app.example.com:aud": "sts.amazonaws.com", "app.example.com:sub": uuid}});
    assert_eq!(rules_for("app.example.com", uuid, json!({"Condition": platform})), [""; 0]);
    let circle = json!({"StringLike": {"oidc.circleci.com/org/o:sub": "org/o/project/p/user/*"}});
    assert_eq!(rules_for("oidc.circleci.com/org/o", "org/o/project/p/user/u", json!({"Condition": circle})), [""; 0]);
    let gitlab =
        json!({"StringEquals": {"gitlab.example.com:sub": "project_path:mygroup/myproject:ref_type:branch:ref:main"}});
    let subject = "project_path:mygroup/myproject:ref_type:branch:ref:main";
    assert_eq!(rules_for("gitlab.example.com", subject, json!({"Condition": gitlab})), [""; 0]);
}

#[test]
fn every_rule_finds_its_case() {
    let key = |name: &str| format!("{GITHUB}:{name}");
    let aud = "sts.amazonaws.com";
    let sub = "repo:octo/app:ref:refs/heads/main";
    for (condition, expected) in [
        (json!({"StringEquals": {key("aud"): aud}}), vec!["SubjectMissing"]),
        (json!({"StringEquals": {key("sub"): sub}}), vec!["AudienceUnconstrained"]),
        (json!({"StringEquals": {key("aud"): aud}, "StringLike": {key("sub"): "*"}}), vec!["SubjectWide"]),
        (json!({"StringEquals": {key("aud"): aud}, "StringLike": {key("sub"): "repo:*"}}), vec!["SubjectWide"]),
        (
            json!({"StringEquals": {key("aud"): aud}, "StringLike": {key("sub"): "repo:octo*"}}),
            vec!["OwnerWithoutSlash"],
        ),
        (
            json!({"StringEquals": {key("aud"): aud, key("sub"): "repo:octo/app:pull_request"}}),
            vec!["PullRequestTrusted"],
        ),
        (
            json!({"StringEquals": {key("aud"): aud}, "ForAllValues:StringEquals": {key("sub"): sub}}),
            vec!["ForAllValues"],
        ),
        (
            json!({"StringEquals": {key("aud"): aud}, "Null": {key("sub"): "false"}, "ForAllValues:StringEquals": {key("sub"): sub}}),
            vec![],
        ),
        (json!({"StringEquals": {key("aud"): aud}, "StringNotEquals": {key("sub"): sub}}), vec!["NegatedTenancy"]),
        (
            json!({"StringEquals": {key("aud"): aud}, "StringEqualsIfExists": {key("sub"): sub}}),
            vec!["IfExistsTenancy"],
        ),
        (json!({"StringEquals": {key("aud"): aud, key("sub"): "repo:octo/app:*"}}), vec!["WildcardUnderEquals"]),
        (json!({"StringEquals": {key("aud"): aud, key("sub"): sub, key("iss"): "x"}}), vec!["ImpossibleKey Issuer"]),
        (
            json!({"StringEquals": {key("aud"): aud, key("sub"): sub, "sts:ExternalId": "x"}}),
            vec!["ImpossibleKey ExternalId"],
        ),
        (
            json!({"StringEquals": {key("aud"): aud}, "StringLike": {key("sub"): "repo:octo-123456/app-987654:*"}}),
            vec!["AnnouncedSubject"],
        ),
        (json!({"StringEquals": {key("aud"): aud, key("sub"): "repo:<ORG>/app:x"}}), vec!["Placeholder"]),
        (json!({"StringEquals": {key("aud"): aud, key("sub"): "repo:{org}/app:x"}}), vec!["Placeholder"]),
        (json!({"StringEquals": {key("aud"): aud, key("sub"): "repo:${ORG}/app:x"}}), vec!["Placeholder"]),
        (json!({"StringEquals": {key("aud"): aud, key("sub"): "repo:оcto/app:x"}}), vec!["Homoglyph"]),
        (json!({"StringEquals": {key("aud"): aud, key("sub"): "repo:octo\u{200b}/app:x"}}), vec!["Invisible"]),
    ] {
        assert_eq!(github(condition.clone()), expected, "{condition}");
    }
}

#[test]
fn principals_are_looked_over_too() {
    let condition = json!({"StringEquals": {"h.example.com:aud": "a", "h.example.com:sub": "s"}});
    let rules =
        |principal: Value| rules_for("h.example.com", "s", json!({"Principal": principal, "Condition": condition}));
    assert_eq!(rules(json!("*")), ["PrincipalWide"]);
    for account in ["<YOUR_ACCOUNT_ID>", "YOUR_ACCOUNT", "AWS_ACCOUNT", "1234"] {
        let arn = format!("arn:aws:iam::{account}:oidc-provider/h.example.com");
        assert_eq!(rules(json!({"Federated": arn})), ["Placeholder"], "{account}");
    }
}

#[test]
fn an_issuer_with_an_announced_end_is_told_and_googles_nested_claim_is_a_key() {
    let azure = "vstoken.dev.azure.com/00000000-1111-2222-3333-444444444444";
    let condition = json!({"StringEquals": {format!("{azure}:aud"): "a", format!("{azure}:sub"): "sc://o/p/c"}});
    assert_eq!(rules_for(azure, "sc://o/p/c", json!({"Condition": condition})), ["IssuerRetiring"]);
    let google = "accounts.google.com";
    let condition = json!({"StringEquals": {format!("{google}:aud"): "a"},
        "NumericEquals": {format!("{google}:google/organization_number"): "12"}});
    let statement = json!({"Principal": {"Federated": google}, "Condition": condition});
    assert_eq!(rules_for(google, "1", statement), [""; 0]);
}

#[test]
fn a_statement_for_another_issuer_is_judged_by_that_issuer() {
    let statement = json!({
        "Principal": {"Federated": "arn:aws:iam::123456789012:oidc-provider/gitlab.com"},
        "Condition": {"StringEquals": {"gitlab.com:sub": "project_path:g/p:ref_type:branch:ref:main"}}});
    assert_eq!(rules_for(GITHUB, "repo:o/r:x", statement), [""; 0]);
}
