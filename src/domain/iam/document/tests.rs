//! Documents in every wrapping, and what is wrong in them.

use proptest::prelude::*;

use super::*;
use crate::domain::iam::policy::Effect;

const STATEMENT: &str = r#"{"Effect":"Allow","Principal":{"Federated":"accounts.google.com"},"Action":"sts:AssumeRoleWithWebIdentity","Condition":{"StringEquals":{"accounts.google.com:aud":"x"}}}"#;

fn document() -> String {
    format!(r#"{{"Version":"2012-10-17","Statement":[{STATEMENT}]}}"#)
}

#[test]
fn one_or_a_list_is_the_same() {
    let listed = parse(&document()).unwrap();
    let single = parse(&format!(r#"{{"Version":"2012-10-17","Statement":{STATEMENT}}}"#)).unwrap();
    assert_eq!(listed, single);
    let lists = STATEMENT
        .replace(r#""accounts.google.com"}"#, r#"["accounts.google.com"]}"#)
        .replace(r#""sts:AssumeRoleWithWebIdentity""#, r#"["sts:AssumeRoleWithWebIdentity"]"#)
        .replace(r#":"x"}"#, r#":["x"]}"#);
    assert_ne!(lists, STATEMENT);
    assert_eq!(parse(&format!(r#"{{"Version":"2012-10-17","Statement":{lists}}}"#)).unwrap(), listed);
}

#[test]
fn the_answers_of_the_cli_and_the_api_hold_the_same_policy() {
    let document = document();
    let statements = parse(&document).unwrap().statements;
    let encoded: String = document.bytes().map(|b| format!("%{b:02X}")).collect();
    let quoted = serde_json::to_string(&document).unwrap();
    for (answer, origin) in [
        (format!("\u{feff}{document}\n"), Origin::Document),
        (
            format!(
                r#"{{"Role":{{"Arn":"arn:aws:iam::1:role/r","Tags":[{{}}],"AssumeRolePolicyDocument":{document}}}}}"#
            ),
            Origin::GetRole,
        ),
        (format!(r#"{{"Role":{{"AssumeRolePolicyDocument":"{encoded}"}}}}"#), Origin::GetRole),
        (format!(r#"{{"RoleName":"r","PolicyName":"p","PolicyDocument":{document}}}"#), Origin::GetRolePolicy),
        (format!(r#"{{"RoleName":"r","PolicyDocument":{quoted}}}"#), Origin::GetRolePolicy),
        (format!(r#"{{"PolicyVersion":{{"VersionId":"v1","Document":{document}}}}}"#), Origin::GetPolicyVersion),
    ] {
        let policy = parse(&answer).unwrap();
        assert_eq!((&policy.statements, policy.origin), (&statements, origin), "{answer}");
    }
    let role = parse(&format!(r#"{{"Role":{{"Arn":"arn:aws:iam::1:role/r","AssumeRolePolicyDocument":{document}}}}}"#));
    assert_eq!(role.unwrap().role_arn.as_deref(), Some("arn:aws:iam::1:role/r"));
    for (date, made) in [("\"2023-11-14T22:13:20+00:00\"", Some(1_700_000_000)), ("1700000000.0", None)] {
        let role = format!(r#"{{"Role":{{"CreateDate":{date},"AssumeRolePolicyDocument":{document}}}}}"#);
        assert_eq!(parse(&role).unwrap().role_created_at, made);
    }
}

#[test]
fn what_is_no_policy_is_refused_with_its_place_and_what_to_write() {
    for (text, line, column, what, instead) in [
        ("", 1, 1, "empty", "policy document"),
        ("{", 1, 1, "EOF", "too early"),
        ("[]", 1, 2, "list", "one JSON object"),
        ("{\"Version\": \"2012-10-17\"}", 1, 25, "no `Statement`", "add"),
        ("{\n  \"Statement\": [\n    {\"Effect\": \"allow\"}]}", 3, 23, "Statement[0]: `Effect` is `allow`", "`Allow`"),
        ("{\"Statement\": [{\"Action\": \"*\"}]}", 1, 30, "no `Effect`", "add"),
        ("{\"Statement\": [{\"Effect\": \"Allow\",}]}", 1, 35, "trailing comma", "remove the comma"),
        ("{\"Statement\": []}}", 1, 18, "trailing characters", "remove what follows"),
        (
            "{\"Statement\": [{\"Effect\": \"Deny\", \"Principal\": \"x\"}]}",
            1,
            50,
            "a principal is an object",
            "Federated",
        ),
        (
            "{\"Statement\": [{\"Effect\": \"Deny\", \"Condition\": {\"Bool\": []}}]}",
            1,
            56,
            "condition keys under `Bool`",
            "grammar",
        ),
        (
            "{\"Statement\": [{\"Effect\": \"Deny\", \"Action\": 5}]}",
            1,
            45,
            "an action or a list of actions",
            "grammar",
        ),
        ("{\"RoleName\": \"r\", \"PolicyName\": \"p\"}", 1, 36, "no policy document", "get-role"),
        ("{\"Role\": {\"Arn\": \"x\"}}", 1, 21, "no `AssumeRolePolicyDocument`", "whole answer"),
        (
            "{\"PolicyDocument\": \"%7B%22Statement%22:[{%22Effect%22:%22No%22}]}\"}",
            1,
            66,
            "line 1, column 29",
            "`Allow`",
        ),
        ("{'Statement': []}", 1, 2, "key must be a string", "double quotes"),
    ] {
        let error = parse(text).unwrap_err();
        assert!(error.what.contains(what), "{text}: {error}");
        assert!(error.instead.contains(instead), "{text}: {error}");
        assert_eq!((error.line, error.column), (line, column), "{text}: {error}");
    }
    let long = format!("{{\"Statement\": [{STATEMENT}{}]}}", format!(",{STATEMENT}").repeat(1000));
    assert!(parse(&long).unwrap_err().what.contains("10 240"));
    let deep = format!("{{\"Id\": {}", "[".repeat(60_000));
    assert!(parse(&deep).unwrap_err().instead.contains("too early"));
}

#[test]
fn what_iam_refuses_and_evaluation_can_live_with_is_noted() {
    let statement = |extra: &str| format!(r#"{{"Statement": {{"Effect": "Deny", "Action": "*", {extra}}}}}"#);
    for (text, at, what, instead) in [
        (r#"{"Version": "2026-01-01", "Statement": []}"#.to_owned(), "Version", "no version", "2012-10-17"),
        (r#"{"statement": []}"#.to_owned(), "", "IAM spells", "`Statement`"),
        (r#"{"Statement": [], "Statements": []}"#.to_owned(), "Statements", "no element", "`Statement`"),
        (statement(r#""Conditions": {}"#), "Statement[0]", "no element", "`Condition`"),
        (statement(r#""Sid": "a", "Sid": "b""#), "Statement[0].Sid", "twice", "once"),
        (statement(r#""NotAction": "a""#), "Statement[0].Action", "and `NotAction`", "one of the two"),
        (statement(r#""Principal": {"OIDC": "a"}"#), "Statement[0].Principal", "no kind of principal", "Federated"),
        (
            statement(r#""Condition": {"StringEqual": {"a:b": "c"}}"#),
            "Statement[0].Condition",
            "no condition operator",
            "`StringEquals`",
        ),
        (
            statement(r#""Condition": {"Bool": {"a:b": "c"}, "Bool": {}}"#),
            "Statement[0].Condition",
            "twice",
            "one object",
        ),
        (
            statement(r#""Condition": {"Bool": {"a:b": "c", "A:B": "d"}}"#),
            "Statement[0].Condition",
            "twice",
            "one list",
        ),
        (statement(r#""Condition": {"Bool": {"a:b": []}}"#), "Statement[0].Condition", "no value", "add"),
        (
            statement(r#""Condition": {"StringEquals": {"a:b": "${aws:username}"}}"#),
            "Version",
            "no variable",
            "2012-10-17",
        ),
    ] {
        let problems = parse(&text).unwrap().problems;
        assert!(
            problems.iter().any(|p| p.at.contains(at) && p.what.contains(what) && p.instead.contains(instead)),
            "{text}: {problems:?}"
        );
    }
    assert_eq!(parse(&document()).unwrap().problems, []);
}

#[test]
fn variables_need_the_version_that_knows_them() {
    let text = |version: &str| {
        format!(
            r#"{{{version}"Statement": {{"Effect": "Deny", "Action": "*", "Resource": "${{a:b}}", "Condition": {{"StringLike": {{"a:b": "${{a:b}}"}}}}}}}}"#
        )
    };
    for (version, active) in
        [("", false), (r#""Version": "2008-10-17","#, false), (r#""Version": "2012-10-17","#, true)]
    {
        let policy = parse(&text(version)).unwrap();
        let statement = &policy.statements[0];
        assert_eq!(statement.conditions[0].expected[0].has_variables, active);
        assert_eq!(statement.resource.as_ref().unwrap().patterns[0].has_variables, active);
    }
}

#[test]
fn values_of_any_type_become_text() {
    let text = r#"{"Statement": {"Effect": "Allow", "Action": "*", "Condition": {"Bool": {"a:b": [true, false, 5, -5, 1.5, "x"]}}}}"#;
    let policy = parse(text).unwrap();
    assert_eq!(policy.statements[0].effect, Effect::Allow);
    let values: Vec<_> = policy.statements[0].conditions[0].expected.iter().map(|e| e.text.as_str()).collect();
    assert_eq!(values, ["true", "false", "5", "-5", "1.5", "x"]);
}

proptest! {
    #[test]
    fn no_text_panics(text in "\\PC{0,64}") {
        let _ = parse(&text);
    }

    #[test]
    fn no_damaged_policy_panics(at in 0_usize..220, with in "[\\[\\]{}\",:%x0 ]{0,3}") {
        let mut text = document();
        let at = at.min(text.len());
        let end = (at + with.len()).min(text.len());
        text.replace_range(at..end, &with);
        let _ = parse(&text);
    }
}
