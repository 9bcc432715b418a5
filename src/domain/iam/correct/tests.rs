//! Corrections: each fault alone, and generated policies with several.

use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::*;
use crate::domain::iam::{AssumeRequest, Decision, Policy, decide_trust, evaluate_assume};

const HOST: &str = "app.example.com";
const ARN: &str = "arn:aws:iam::123456789012:oidc-provider/app.example.com";
const OURS: &str = "organization:6f1d2c3b-4a59-4e68-8778-96a5b4c3d2e1";
const THEIRS: &str = "organization:0b1e5c77-2f43-4d7a-9c8e-51a3d9e60f24";
const AUDIENCE: &str = "sts.amazonaws.com";

fn claims(subject: &str) -> Map<String, Value> {
    json!({"iss": format!("https://{HOST}"), "sub": subject, "aud": AUDIENCE}).as_object().unwrap().clone()
}

fn document(statements: &Value) -> Value {
    json!({"Version": "2012-10-17", "Id": "kept", "Statement": statements})
}

/// A statement that lets `subject` in.
fn allowing(subject: &str) -> Value {
    json!({"Sid": "Platform", "Effect": "Allow", "Principal": {"Federated": ARN},
        "Action": "sts:AssumeRoleWithWebIdentity",
        "Condition": {"StringEquals": {format!("{HOST}:aud"): AUDIENCE, format!("{HOST}:sub"): subject}}})
}

fn corrected_for(
    statements: &Value,
    claims: &Map<String, Value>,
    known_from: SubjectKnownFrom,
) -> Result<Correction, NoCorrection> {
    let subject = Subject::Exact(claims["sub"].as_str().unwrap().to_owned());
    let wanted = Wanted { request: TrustRequest::new(claims, ARN), subject, known_from };
    correct_trust(&document(statements).to_string(), &wanted)
}

fn corrected(statements: &Value) -> Result<Correction, NoCorrection> {
    corrected_for(statements, &claims(OURS), SubjectKnownFrom::Profile)
}

fn decide(document: &Value, claims: &Map<String, Value>) -> Decision {
    decide_trust(&Policy::parse(&document.to_string()).unwrap(), &TrustRequest::new(claims, ARN))
}

fn set(statement: &mut Value, operator: &str, key: &str, value: Value) {
    statement["Condition"][operator][format!("{HOST}:{key}")] = value;
}

type Change = fn(&mut Value);

/// What breaks a good statement, and is mended by making it good again.
const FAULTS: &[(&str, Change)] = &[
    ("another organization", |s| set(s, "StringEquals", "sub", json!(THEIRS))),
    ("letter case", |s| set(s, "StringEquals", "sub", json!(OURS.to_uppercase()))),
    ("a blank", |s| set(s, "StringEquals", "sub", json!(format!("{OURS} ")))),
    ("a wildcard under StringEquals", |s| set(s, "StringEquals", "sub", json!("organization:*"))),
    ("another audience", |s| set(s, "StringEquals", "aud", json!("api://AzureADTokenExchange"))),
    ("swapped values", |s| {
        set(s, "StringEquals", "sub", json!(AUDIENCE));
        set(s, "StringEquals", "aud", json!(OURS));
    }),
    ("keys that begin with the ARN", |s| {
        s["Condition"]["StringEquals"] = json!({format!("{ARN}:aud"): AUDIENCE, format!("{ARN}:sub"): OURS});
    }),
    ("a key with the scheme", |s| {
        s["Condition"]["StringEquals"] = json!({format!("{HOST}:aud"): AUDIENCE, format!("https://{HOST}:sub"): OURS});
    }),
    ("a misspelt key", |s| {
        s["Condition"]["StringEquals"] = json!({format!("{HOST}:aud"): AUDIENCE, format!("{HOST}:subject"): OURS});
    }),
    ("an ARN with the scheme", |s| {
        s["Principal"]["Federated"] = json!("arn:aws:iam::123456789012:oidc-provider/https://app.example.com");
    }),
    ("another account", |s| {
        s["Principal"]["Federated"] = json!("arn:aws:iam::210987654321:oidc-provider/app.example.com");
    }),
    ("no ARN", |s| s["Principal"]["Federated"] = json!("app.example.com")),
    ("another kind of principal", |s| s["Principal"] = json!({"AWS": ARN})),
    ("the action of signed callers", |s| s["Action"] = json!("sts:AssumeRole")),
    ("a misspelt action", |s| s["Action"] = json!("sts:AssumeRoleWithWebIdentitty")),
    ("an issuer's condition", |s| set(s, "StringEquals", "iss", json!(format!("https://{HOST}")))),
    ("an external id", |s| s["Condition"]["StringEquals"]["sts:ExternalId"] = json!("ours")),
];

#[test]
fn every_fault_is_undone_and_nothing_else_changes() {
    let other = json!({"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::123456789012:root"},
        "Action": "sts:AssumeRole", "Condition": {"StringEquals": {"sts:ExternalId": "x"}}, "Unknown": [1, null]});
    for (name, change) in FAULTS {
        let mut wrong = allowing(OURS);
        change(&mut wrong);
        for (before, after) in [
            (json!([wrong]), json!([allowing(OURS)])),
            (wrong.clone(), allowing(OURS)),
            (json!([other, wrong]), json!([other, allowing(OURS)])),
        ] {
            let found = corrected(&before).unwrap_or_else(|error| panic!("{name}: {error}"));
            assert_eq!(found.before, document(&before), "{name}");
            assert_eq!(found.after, document(&after), "{name}");
            assert!(!found.changes.is_empty());
        }
    }
}

#[test]
fn two_faults_at_once_are_undone_together() {
    for (first_name, first) in FAULTS {
        for (second_name, second) in FAULTS {
            let mut wrong = allowing(OURS);
            first(&mut wrong);
            second(&mut wrong);
            let Ok(found) = corrected(&json!([wrong])) else {
                panic!("{first_name} and {second_name}: {:?}", corrected(&json!([wrong])))
            };
            assert_eq!(decide(&found.after, &claims(OURS)), Decision::Allow, "{first_name} and {second_name}");
            assert_eq!(decide(&found.after, &claims(&format!("{OURS}0"))), Decision::Deny);
        }
    }
}

#[test]
fn an_answer_of_the_cli_is_read_as_the_document_in_it() {
    let policy = document(&json!([allowing(THEIRS)]));
    let encoded =
        percent_encoding::utf8_percent_encode(&policy.to_string(), percent_encoding::NON_ALPHANUMERIC).to_string();
    let claims = claims(OURS);
    let wanted = Wanted {
        request: TrustRequest::new(&claims, ARN),
        subject: Subject::Exact(OURS.to_owned()),
        known_from: SubjectKnownFrom::Profile,
    };
    for answer in [
        json!({"Role": {"RoleName": "r", "AssumeRolePolicyDocument": policy}}),
        json!({"Role": {"RoleName": "r", "AssumeRolePolicyDocument": encoded}}),
        json!({"Role": {"RoleName": "r", "AssumeRolePolicyDocument": policy.to_string()}}),
        json!({"AssumeRolePolicyDocument": policy}),
    ] {
        let found = correct_trust(&answer.to_string(), &wanted).unwrap();
        assert_eq!((found.before, found.after), (policy.clone(), document(&json!([allowing(OURS)]))));
    }
    let twice = policy.to_string().replacen("\"Effect\"", "\"Effect\":\"Allow\",\"Effect\"", 1);
    assert_eq!(correct_trust(&twice, &wanted), Err(NoCorrection::Repeated("Effect".to_owned())));
}

#[test]
fn a_list_keeps_its_other_values() {
    for (values, after) in [
        (json!([THEIRS, "organization:x"]), json!([THEIRS, "organization:x", OURS])),
        (json!([THEIRS, OURS.to_uppercase()]), json!([THEIRS, OURS])),
        (json!(["organization:*", THEIRS]), json!([OURS, THEIRS])),
    ] {
        let mut wrong = allowing(OURS);
        set(&mut wrong, "StringEquals", "sub", values.clone());
        let found = corrected(&wrong).unwrap();
        assert_eq!(found.after["Statement"]["Condition"]["StringEquals"][format!("{HOST}:sub")], after, "{values}");
    }
}

#[test]
fn those_who_are_named_beside_the_one_that_is_meant_are_told() {
    let mut wrong = allowing(OURS);
    set(&mut wrong, "StringEquals", "sub", json!([THEIRS, OURS]));
    wrong["Action"] = json!("sts:AssumeRole");
    let found = corrected(&wrong).unwrap();
    assert_eq!(found.also_admits, [THEIRS]);
    assert_eq!(corrected(&allowing(THEIRS)).unwrap().also_admits, Vec::<String>::new());
}

#[test]
fn of_a_subject_that_only_the_token_names_nothing_is_replaced_and_no_issuer_added() {
    let found = corrected_for(&allowing(THEIRS), &claims(OURS), SubjectKnownFrom::Token).unwrap();
    assert_eq!(found.after["Statement"]["Condition"]["StringEquals"][format!("{HOST}:sub")], json!([THEIRS, OURS]));
    assert_eq!(found.replaced, Vec::<String>::new());
    let mut other = allowing(OURS);
    other["Principal"]["Federated"] = json!("arn:aws:iam::123456789012:oidc-provider/gitlab.com");
    assert!(corrected_for(&other, &claims(OURS), SubjectKnownFrom::Token).is_err());
    let added = corrected(&other).unwrap().after;
    assert_eq!(added["Statement"][0], other);
    let mut ours = allowing(OURS);
    ours.as_object_mut().unwrap().remove("Sid");
    assert_eq!(added["Statement"][1], ours);
}

#[test]
fn a_statement_without_subject_or_audience_gets_both() {
    let mut wrong = allowing(OURS);
    wrong["Action"] = json!("sts:AssumeRole");
    wrong["Condition"] = json!({"Bool": {"aws:SecureTransport": "true"}});
    let after = corrected(&wrong).unwrap().after;
    assert_eq!(
        after["Statement"]["Condition"],
        json!({"Bool": {"aws:SecureTransport": "true"},
            "StringEquals": {format!("{HOST}:sub"): OURS, format!("{HOST}:aud"): AUDIENCE}})
    );
}

#[test]
fn a_pattern_that_was_harmless_is_not_made_to_work() {
    let mut wrong = allowing(OURS);
    wrong["Condition"] = json!({"StringLike": {format!("{HOST}:sub"): "organization:*"},
        "StringEquals": {format!("{HOST}:aud"): "another"}});
    let after = corrected(&wrong).unwrap().after;
    assert_eq!(decide(&after, &claims(OURS)), Decision::Allow);
    assert_eq!(decide(&after, &claims(THEIRS)), Decision::Deny);
}

#[test]
fn a_deny_of_subjects_excepts_the_one_that_is_meant_and_no_other() {
    let deny = |condition: Value| json!({"Effect": "Deny", "Principal": "*", "Action": "*", "Condition": condition});
    let sub = format!("{HOST}:sub");
    for (condition, after) in [
        (
            json!({"StringLike": {&sub: "organization:6f1d2c3b-*"}}),
            json!({"StringLike": {&sub: "organization:6f1d2c3b-*"}, "StringNotEquals": {&sub: OURS}}),
        ),
        (json!({"StringNotEquals": {&sub: THEIRS}}), json!({"StringNotEquals": {&sub: [THEIRS, OURS]}})),
    ] {
        let before = json!([allowing(OURS), deny(condition), allowing("organization:6f1d2c3b-0000")]);
        let found = corrected(&before).unwrap();
        assert_eq!(
            found.after["Statement"],
            json!([allowing(OURS), deny(after), allowing("organization:6f1d2c3b-0000")])
        );
        assert_eq!(decide(&found.after, &claims("organization:6f1d2c3b-0000")), Decision::Deny);
    }
    for condition in [
        json!({}),
        json!({"NotIpAddress": {"aws:SourceIp": "203.0.113.0/24"}, "StringLike": {&sub: "*"}}),
        json!({"Bool": {"aws:SecureTransport": "true"}}),
        json!({"StringEquals": {format!("{HOST}:aud"): AUDIENCE}}),
    ] {
        let result = corrected(&json!([allowing(THEIRS), deny(condition.clone())]));
        assert!(
            matches!(result, Err(NoCorrection::Undecidable(_) | NoCorrection::Allowed)) || {
                // What depends on the caller's address stays as it is.
                result.is_ok_and(|found| found.after["Statement"][1] == deny(condition.clone()))
            }
        );
    }
}

#[test]
fn what_says_more_than_the_subject_is_left_alone() {
    for condition in [
        json!({"StringNotEquals": {format!("{HOST}:sub"): OURS}}),
        json!({"StringEquals": {format!("{HOST}:email"): "someone@example.com"}}),
        json!({"StringEquals": {format!("{HOST}:repository"): "octo/app"}}),
        json!({"StringEquals": {"aws:username": "someone"}}),
        json!({"Null": {format!("{HOST}:sub"): "true"}}),
    ] {
        let mut wrong = allowing(OURS);
        wrong["Condition"] = condition.clone();
        assert!(matches!(corrected(&wrong), Err(NoCorrection::Undecidable(_))), "{condition}: {:?}", corrected(&wrong));
    }
    assert_eq!(corrected(&allowing(OURS)), Err(NoCorrection::Allowed));
}

#[test]
fn tags_and_a_source_identity_are_allowed_beside_the_exchange() {
    let mut tagged = claims(OURS);
    tagged.insert("https://aws.amazon.com/tags".into(), json!({"principal_tags": {"team": ["a"]}}));
    tagged.insert("https://aws.amazon.com/source_identity".into(), json!("someone"));
    let after = corrected_for(&allowing(OURS), &tagged, SubjectKnownFrom::Profile).unwrap().after;
    assert_eq!(
        after["Statement"]["Action"],
        json!(["sts:AssumeRoleWithWebIdentity", "sts:TagSession", "sts:SetSourceIdentity"])
    );
}

#[test]
fn both_forms_of_a_repositorys_subject_stay() {
    const GITHUB: &str = "token.actions.githubusercontent.com";
    let arn = format!("arn:aws:iam::123456789012:oidc-provider/{GITHUB}");
    let by_id = "repo:octo@11/app@22:ref:refs/heads/main";
    let by_name = "repo:octo/app:ref:refs/heads/main";
    let claims = json!({"iss": format!("https://{GITHUB}"), "sub": by_id, "aud": AUDIENCE});
    let policy = document(&json!({"Effect": "Allow", "Principal": {"Federated": arn},
        "Action": "sts:AssumeRoleWithWebIdentity",
        "Condition": {"StringEquals": {format!("{GITHUB}:sub"): by_name, format!("{GITHUB}:aud"): AUDIENCE}}}));
    let wanted = Wanted {
        request: TrustRequest::new(claims.as_object().unwrap(), &arn),
        subject: Subject::Exact(by_id.to_owned()),
        known_from: SubjectKnownFrom::Token,
    };
    let after = correct_trust(&policy.to_string(), &wanted).unwrap().after;
    assert_eq!(after["Statement"]["Condition"]["StringEquals"][format!("{GITHUB}:sub")], json!([by_name, by_id]));
}

#[test]
fn a_wide_policy_is_tightened_to_the_subject() {
    let sub = format!("{HOST}:sub");
    let aud = json!({format!("{HOST}:aud"): AUDIENCE});
    for (condition, after) in [
        (
            json!({"StringEquals": &aud, "StringLike": {&sub: "organization:*"}}),
            json!({"StringEquals": {format!("{HOST}:aud"): AUDIENCE, &sub: OURS}}),
        ),
        (json!({"StringEquals": &aud}), json!({"StringEquals": {format!("{HOST}:aud"): AUDIENCE, &sub: OURS}})),
    ] {
        let mut wide = allowing(OURS);
        wide["Condition"] = condition;
        let claims = claims(OURS);
        let wanted = Wanted {
            request: TrustRequest::new(&claims, ARN),
            subject: Subject::Exact(OURS.to_owned()),
            known_from: SubjectKnownFrom::Profile,
        };
        let found = tighten_trust(&document(&json!([wide, allowing(THEIRS)])).to_string(), &wanted).unwrap();
        assert_eq!(found.after["Statement"][0]["Condition"], after);
        assert_eq!(found.after["Statement"][1], allowing(THEIRS));
        let other = json!({"Effect": "Allow", "Principal": {"Federated": ARN}, "Action": "*"});
        assert!(tighten_trust(&document(&json!([allowing(OURS)])).to_string(), &wanted).is_ok());
        let wide_elsewhere = tighten_trust(&document(&json!([other, allowing(THEIRS)])).to_string(), &wanted).unwrap();
        assert_eq!(decide(&wide_elsewhere.after, &claims), Decision::Allow);
    }
}

const USER: &str = "arn:aws:iam::123456789012:user/ops/reader";

fn corrected_assume(statements: &Value, external_id: Option<&str>) -> Result<Correction, NoCorrection> {
    let request = AssumeRequest { caller: Some(USER), external_id, session_name: Some("trustline") };
    let wanted = WantedCaller { principal: USER, request };
    let found = correct_assume(&document(statements).to_string(), &wanted)?;
    let policy = Policy::parse(&found.after.to_string()).unwrap();
    assert_eq!(evaluate_assume(&policy, &request).decision, Decision::Allow);
    let foreign = AssumeRequest { caller: Some("arn:aws:iam::123456789012:user/someone"), ..request };
    assert_eq!(evaluate_assume(&policy, &foreign).decision, Decision::Deny);
    Ok(found)
}

#[test]
fn a_signed_caller_is_named_beside_the_others_with_its_external_id() {
    let admin = "arn:aws:iam::123456789012:user/admin";
    let statement = |principal: Value, id: &str| {
        json!({"Effect": "Allow", "Principal": {"AWS": principal}, "Action": "sts:AssumeRole",
            "Condition": {"StringEquals": {"sts:ExternalId": id}}})
    };
    for (before, after) in [
        (statement(json!(admin), "ours"), statement(json!([admin, USER]), "ours")),
        (statement(json!(USER), "theirs"), statement(json!(USER), "ours")),
        (statement(json!(admin), "theirs"), statement(json!([admin, USER]), "ours")),
    ] {
        assert_eq!(corrected_assume(&json!([before]), Some("ours")).unwrap().after["Statement"], json!([after]));
    }
    let tokens = allowing(OURS);
    let added = corrected_assume(&tokens, Some("ours")).unwrap().after;
    assert_eq!(added["Statement"], json!([tokens, statement(json!(USER), "ours")]));
    assert!(corrected_assume(&json!([statement(json!(USER), "theirs")]), None).is_err());
    let deny = json!({"Effect": "Deny", "Principal": {"AWS": USER}, "Action": "*"});
    assert!(corrected_assume(&json!([statement(json!(admin), "ours"), deny]), Some("ours")).is_err());
}

fn operator() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        "StringEquals",
        "StringLike",
        "StringNotEquals",
        "StringNotLike",
        "StringEqualsIgnoreCase",
        "StringEqualsIfExists",
        "StringLikeIfExists",
        "ForAllValues:StringEquals",
        "ForAnyValue:StringLike",
        "Null",
        "NumericEquals",
        "stringequals",
        "StringEqual",
    ])
}

fn key() -> impl Strategy<Value = String> {
    prop::sample::select(vec![
        format!("{HOST}:sub"),
        format!("{HOST}:aud"),
        format!("{HOST}:SUB"),
        format!("APP.example.com:aud"),
        format!("{ARN}:sub"),
        format!("https://{HOST}:aud"),
        format!("{HOST}:subject"),
        format!("{HOST}:iss"),
        format!("{HOST}:email"),
        "sts:ExternalId".to_owned(),
        "aws:SourceIp".to_owned(),
        "aws:username".to_owned(),
        "gitlab.com:sub".to_owned(),
    ])
}

fn value() -> impl Strategy<Value = Value> {
    let text = prop::sample::select(vec![
        json!(OURS),
        json!(THEIRS),
        json!(OURS.to_uppercase()),
        json!("organization:*"),
        json!("*"),
        json!(AUDIENCE),
        json!("sts.amazonaws.com.cn"),
        json!("${aws:username}"),
        json!("it's $(id) `id`\nEND"),
        json!("true"),
        json!(5),
    ]);
    prop_oneof![3 => text.clone(), 1 => prop::collection::vec(text, 1..4).prop_map(Value::Array)]
}

fn principal() -> impl Strategy<Value = (&'static str, Value)> {
    prop::sample::select(vec![
        ("Principal", json!({"Federated": ARN})),
        ("Principal", json!({"Federated": [ARN, "accounts.google.com"]})),
        ("Principal", json!({"Federated": "*"})),
        ("Principal", json!({"Federated": "arn:aws:iam::123456789012:oidc-provider/https://app.example.com"})),
        ("Principal", json!({"Federated": "arn:aws:iam::123456789012:oidc-provider/gitlab.com"})),
        ("Principal", json!({"AWS": "arn:aws:iam::123456789012:root"})),
        ("Principal", json!({"AWS": ["arn:aws:iam::123456789012:root", ARN]})),
        ("Principal", json!("*")),
        ("NotPrincipal", json!({"Federated": ARN})),
        ("NotPrincipal", json!({"AWS": "arn:aws:iam::123456789012:root"})),
    ])
}

fn statement() -> impl Strategy<Value = Value> {
    let action = prop::sample::select(vec![
        ("Action", json!("sts:AssumeRoleWithWebIdentity")),
        ("Action", json!(["sts:AssumeRole", "sts:TagSession"])),
        ("Action", json!("sts:*")),
        ("NotAction", json!("sts:AssumeRoleWithWebIdentity")),
    ]);
    let conditions = prop::collection::vec((operator(), key(), value()), 0..4);
    (prop::bool::weighted(0.8), principal(), action, conditions).prop_map(|(allows, principal, action, conditions)| {
        let mut statement = json!({"Effect": if allows { "Allow" } else { "Deny" }, "Mark": 7});
        statement[principal.0] = principal.1;
        statement[action.0] = action.1;
        for (operator, key, value) in conditions {
            statement["Condition"][operator][key] = value;
        }
        statement
    })
}

/// Every condition of a statement, apart from each other.
fn conditions(statement: &Value) -> Vec<(String, String, Value)> {
    let operators = statement["Condition"].as_object().into_iter().flatten();
    operators
        .flat_map(|(operator, keys)| {
            keys.as_object()
                .into_iter()
                .flatten()
                .map(move |(key, value)| (operator.clone(), key.clone(), value.clone()))
        })
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1500))]

    #[test]
    fn a_correction_lets_in_whom_it_is_for_and_nobody_else(
        statements in prop::collection::vec(statement(), 1..4),
        only_the_token_knows: bool,
    ) {
        let known_from = if only_the_token_knows { SubjectKnownFrom::Token } else { SubjectKnownFrom::Profile };
        let before = document(&Value::Array(statements.clone()));
        let Ok(found) = corrected_for(&Value::Array(statements.clone()), &claims(OURS), known_from) else { return Ok(()) };
        prop_assert_eq!(decide(&before, &claims(OURS)), Decision::Deny);
        prop_assert_ne!(decide(&found.after, &claims(OURS)), Decision::Deny);
        let mut other_audience = claims(OURS);
        other_audience.insert("aud".into(), json!("another"));
        let mut nobody = claims(OURS);
        nobody.remove("sub");
        let strangers = [THEIRS, "organization:x", "x", "", "ORGANIZATION:6F1D2C3B-4A59-4E68-8778-96A5B4C3D2E1"];
        for stranger in strangers.iter().map(|subject| claims(subject)).chain([other_audience, nobody]) {
            let (was, is) = (decide(&before, &stranger), decide(&found.after, &stranger));
            prop_assert!(was != Decision::Unknown || is != Decision::Allow);
            let admits_no_more = is == Decision::Deny || was == Decision::Allow || was == is;
            let is_named = found.also_admits.iter().any(|named| stranger.get("sub") == Some(&json!(named)));
            prop_assert!(admits_no_more || is_named, "{stranger:?} now gets in: {:#}", found.after);
        }
        // Whoever got in still does, but for a value that is replaced, and that is said.
        if decide(&before, &claims(THEIRS)) == Decision::Allow && !found.replaced.iter().any(|r| r == THEIRS) {
            prop_assert_eq!(decide(&found.after, &claims(THEIRS)), Decision::Allow);
        }
        let text = before.to_string();
        prop_assert!(found.also_admits.iter().all(|named| text.contains(json!(named).to_string().trim_matches('"'))));
        let after = found.after["Statement"].as_array().unwrap();
        prop_assert!(after.len() >= statements.len());
        prop_assert_eq!(&found.after["Id"], &json!("kept"));
        for (old, new) in statements.iter().zip(after) {
            prop_assert_eq!(&new["Mark"], &old["Mark"]);
            prop_assert_eq!(&new["Effect"], &old["Effect"]);
            // A condition about anything but the token's subject and audience is never touched.
            for kept in conditions(old).into_iter().filter(|(_, key, _)| key.starts_with("aws:") || key.ends_with("email")) {
                prop_assert!(conditions(new).contains(&kept), "{kept:?} is lost in {new:#}");
            }
        }
        let unchanged = statements.iter().zip(after).filter(|(old, new)| old == new).count();
        prop_assert!(unchanged + found.changes.len() >= statements.len());
    }
}
