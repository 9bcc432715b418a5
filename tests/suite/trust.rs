//! `trustline trust`.

mod endpoint;
mod open;
mod published;
mod refused;

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::support::trustline;

const ISSUER: &str = "https://app.example.com";
const HOST: &str = "app.example.com";
const ARN: &str = "arn:aws:iam::123456789012:oidc-provider/app.example.com";

/// Files for one call.
struct Files {
    folder: tempfile::TempDir,
}

impl Files {
    fn new() -> Self {
        Files { folder: tempfile::tempdir().unwrap() }
    }

    fn write(&self, name: &str, content: &str) -> PathBuf {
        let path = self.folder.path().join(name);
        std::fs::write(&path, content).unwrap();
        path
    }
}

/// The answer and the exit status for a policy and claims.
fn ask(policy: &Value, claims: &Value, flags: &[&str]) -> (Value, i32) {
    let files = Files::new();
    let policy = files.write("policy.json", &policy.to_string());
    let claims = files.write("claims.json", &claims.to_string());
    run(&policy, "--claims", &claims, flags)
}

fn run(policy: &Path, given: &str, token: &Path, flags: &[&str]) -> (Value, i32) {
    let mut command = trustline();
    command.args(["trust", "--output", "json", "--policy"]).arg(policy).arg(given).arg(token).args(flags);
    let output = command.output().unwrap();
    let stdout = String::from_utf8(output.stdout).unwrap();
    let answer = serde_json::from_str(&stdout)
        .unwrap_or_else(|e| panic!("{e}: {stdout}{}", String::from_utf8_lossy(&output.stderr)));
    (answer, output.status.code().unwrap())
}

fn allow(condition: &Value) -> Value {
    json!({"Version": "2012-10-17", "Statement": [{
        "Effect": "Allow", "Principal": {"Federated": ARN}, "Action": "sts:AssumeRoleWithWebIdentity", "Condition": condition}]})
}

fn claims(more: &Value) -> Value {
    let mut claims = json!({"iss": ISSUER, "aud": "sts.amazonaws.com", "sub": "organization:a1"});
    for (name, value) in more.as_object().unwrap() {
        claims[name] = value.clone();
    }
    claims
}

/// Every operator, with the rule of the IAM User Guide that each row shows.
#[test]
fn every_operator_decides_as_the_user_guide_says() {
    let key = |claim: &str| format!("{HOST}:{claim}");
    let amr = |values: Value| json!({"amr": values});
    let email = |value: &str| json!({"email": value});
    // operator, key, the policy's value, claims beside the usual, result, decision
    let rows: Vec<(&str, String, Value, Value, &str, &str)> = vec![
        // StringEquals: the same characters, letter case counts, wildcards are characters.
        ("StringEquals", key("sub"), json!("organization:a1"), json!({}), "true", "allow"),
        ("StringEquals", key("sub"), json!("Organization:a1"), json!({}), "false", "deny"),
        ("StringEquals", key("sub"), json!("organization:*"), json!({}), "false", "deny"),
        ("StringEquals", key("sub"), json!(["x", "organization:a1"]), json!({}), "true", "allow"),
        ("StringNotEquals", key("sub"), json!(["x", "y"]), json!({}), "true", "allow"),
        ("StringNotEquals", key("sub"), json!(["x", "organization:a1"]), json!({}), "false", "deny"),
        ("StringEqualsIgnoreCase", key("sub"), json!("ORGANIZATION:A1"), json!({}), "true", "allow"),
        ("StringNotEqualsIgnoreCase", key("sub"), json!("ORGANIZATION:A1"), json!({}), "false", "deny"),
        // StringLike: * for any run of characters, ? for one, across colons and slashes.
        ("StringLike", key("sub"), json!("org*:a?"), json!({}), "true", "allow"),
        ("StringLike", key("sub"), json!("organization:a1?"), json!({}), "false", "deny"),
        ("StringNotLike", key("sub"), json!("organization:*"), json!({}), "false", "deny"),
        // Numbers.
        ("NumericEquals", key("email"), json!("10"), email("10.0"), "true", "allow"),
        ("NumericNotEquals", key("email"), json!(10), email("11"), "true", "allow"),
        ("NumericLessThan", key("email"), json!("10"), email("9"), "true", "allow"),
        ("NumericLessThanEquals", key("email"), json!("10"), email("10"), "true", "allow"),
        ("NumericGreaterThan", key("email"), json!("10"), email("10"), "false", "deny"),
        ("NumericGreaterThanEquals", key("email"), json!("10"), email("10"), "true", "allow"),
        ("NumericEquals", key("email"), json!("10"), email("ten"), "false", "deny"),
        // Dates: ISO 8601, or seconds since the epoch.
        ("DateEquals", key("email"), json!("2026-01-01T00:00:00Z"), email("1767225600"), "true", "allow"),
        ("DateNotEquals", key("email"), json!("2026-01-01"), email("2026-01-02"), "true", "allow"),
        ("DateLessThan", key("email"), json!("2026-01-01"), email("2025-12-31T23:59:59Z"), "true", "allow"),
        ("DateLessThanEquals", key("email"), json!("2026-01-01"), email("2026-01-02"), "false", "deny"),
        ("DateGreaterThan", "aws:CurrentTime".into(), json!("2024-01-01T00:00:00Z"), json!({}), "true", "allow"),
        ("DateGreaterThanEquals", "aws:EpochTime".into(), json!("4102444800"), json!({}), "false", "deny"),
        // Truth values, bytes and addresses.
        ("Bool", key("email"), json!("true"), email("true"), "true", "allow"),
        ("Bool", "sts:RoleAuthorizedByIdp".into(), json!(true), json!({}), "false", "deny"),
        ("BinaryEquals", key("email"), json!("QmluYXJ5"), email("Binary"), "true", "allow"),
        ("IpAddress", key("email"), json!("203.0.113.0/24"), email("203.0.113.9"), "true", "allow"),
        ("NotIpAddress", key("email"), json!("203.0.113.0/24"), email("203.0.113.9"), "false", "deny"),
        ("IpAddress", key("email"), json!("2001:db8::/32"), email("2001:db8::1"), "true", "allow"),
        // ARNs: part by part between the colons, wildcards in each.
        ("ArnEquals", key("email"), json!("arn:aws:iam::*:role/r"), email("arn:aws:iam::1:role/r"), "true", "allow"),
        ("ArnLike", key("email"), json!("arn:aws:*:role/r"), email("arn:aws:iam::1:role/r"), "false", "deny"),
        ("ArnNotEquals", key("email"), json!("arn:aws:iam::1:role/*"), email("arn:aws:iam::1:role/r"), "false", "deny"),
        ("ArnNotLike", key("email"), json!("arn:aws:iam::2:role/*"), email("arn:aws:iam::1:role/r"), "true", "allow"),
        // Null: true asks that the key be absent, false that it be there.
        ("Null", key("email"), json!("true"), json!({}), "true", "allow"),
        ("Null", key("sub"), json!("true"), json!({}), "false", "deny"),
        ("Null", key("sub"), json!(false), json!({}), "true", "allow"),
        // A missing key: false, true under a negation, true with IfExists.
        ("StringEquals", key("email"), json!("a"), json!({}), "false", "deny"),
        ("StringNotEquals", key("email"), json!("a"), json!({}), "true", "allow"),
        ("StringEqualsIfExists", key("email"), json!("a"), json!({}), "true", "allow"),
        ("StringEqualsIfExists", key("email"), json!("a"), email("b"), "false", "deny"),
        ("NumericLessThanIfExists", key("email"), json!("5"), json!({}), "true", "allow"),
        // Set operators, over keys with several values.
        ("ForAnyValue:StringEquals", key("amr"), json!("b"), amr(json!(["a", "b"])), "true", "allow"),
        ("ForAnyValue:StringEquals", key("amr"), json!("c"), amr(json!(["a", "b"])), "false", "deny"),
        ("ForAnyValue:StringLike", key("amr"), json!("a*"), json!({}), "false", "deny"),
        ("ForAllValues:StringEquals", key("amr"), json!(["a", "b"]), amr(json!(["a", "b"])), "true", "allow"),
        ("ForAllValues:StringEquals", key("amr"), json!("a"), amr(json!(["a", "b"])), "false", "deny"),
        ("ForAllValues:StringEquals", key("amr"), json!("a"), json!({}), "true", "allow"),
        ("StringEquals", key("amr"), json!("a"), amr(json!(["a", "b"])), "unknown", "unknown"),
        // Keys ignore letter case, and variables stand for keys.
        ("StringEquals", "APP.Example.COM:Sub".into(), json!("organization:a1"), json!({}), "true", "allow"),
        ("StringEquals", key("email"), json!("${app.example.com:sub}"), email("organization:a1"), "true", "allow"),
        ("StringLike", key("email"), json!("${*}"), email("x"), "false", "deny"),
        ("StringEquals", key("email"), json!("${app.example.com:amr, 'none'}"), email("none"), "true", "allow"),
        // The authorized party replaces the audience.
        ("StringEquals", key("aud"), json!("sts.amazonaws.com"), json!({"azp": "client"}), "false", "deny"),
        ("StringEquals", key("aud"), json!("client"), json!({"azp": "client"}), "true", "allow"),
        ("StringEquals", key("oaud"), json!("sts.amazonaws.com"), json!({"azp": "client"}), "true", "allow"),
        // Keys that cannot be known here.
        ("IpAddress", "aws:SourceIp".into(), json!("203.0.113.0/24"), json!({}), "unknown", "unknown"),
        ("StringEquals", "sts:RoleSessionName".into(), json!("x"), json!({}), "unknown", "unknown"),
        // An operator that IAM does not know.
        ("StringEqual", key("sub"), json!("organization:a1"), json!({}), "unknown", "unknown"),
    ];
    for (operator, key, value, more, result, decision) in rows {
        let row = format!("{operator} {key} {value} {more}");
        let (answer, status) = ask(&allow(&json!({operator: {&key: value}})), &claims(&more), &[]);
        assert_eq!(answer["schema"], "trustline.trust/1");
        let condition = &answer["statements"][0]["conditions"][0];
        assert_eq!((&condition["operator"], &condition["key"]), (&json!(operator), &json!(key)), "{row}");
        assert_eq!(condition["result"], result, "{row}: {condition}");
        assert!(condition["why"].as_str().is_some_and(|why| !why.is_empty()), "{row}");
        assert_eq!(answer["decision"], decision, "{row}");
        assert_eq!(
            status,
            match decision {
                "allow" => 0,
                "deny" => 1,
                _ => 3,
            },
            "{row}"
        );
    }
}

#[test]
fn expected_and_actual_are_given_as_they_are() {
    let condition = json!({"StringLike": {format!("{HOST}:sub"): ["organization:b*", "x"]}, "Bool": {format!("{HOST}:email"): true}});
    let (answer, _) = ask(&allow(&condition), &claims(&json!({})), &[]);
    let statement = &answer["statements"][0];
    assert_eq!(
        (&statement["index"], &statement["effect"], &statement["matches"]),
        (&json!(0), &json!("Allow"), &json!("false"))
    );
    assert_eq!(statement["conditions"][0]["expected"], json!(["organization:b*", "x"]));
    assert_eq!(statement["conditions"][0]["actual"], json!(["organization:a1"]));
    assert_eq!(statement["conditions"][1]["expected"], json!(["true"]));
    assert_eq!(statement["conditions"][1]["actual"], Value::Null);
    assert_eq!(answer["lint"], json!([]));
}

/// STS refuses a token under `*`, so no verdict may say that it lets one in.
#[test]
fn a_principal_of_everybody_lets_no_token_in() {
    for principal in [json!("*"), json!({"AWS": "*"}), json!({"AWS": ["*"], "Service": "*"})] {
        let mut policy = allow(&json!({}));
        policy["Statement"][0]["Principal"] = principal.clone();
        let (answer, status) = ask(&policy, &claims(&json!({})), &[]);
        assert_eq!((&answer["decision"], status), (&json!("deny"), 1), "{principal}");
        assert_eq!(answer["findings"][0]["cause"], "principal-arn-wrong", "{principal}");
        policy["Statement"][0]["Effect"] = json!("Deny");
        let ours = allow(&json!({}))["Statement"][0].clone();
        policy["Statement"].as_array_mut().unwrap().push(ours);
        let (answer, status) = ask(&policy, &claims(&json!({})), &[]);
        assert_eq!((&answer["decision"], status), (&json!("deny"), 1), "{principal}");
        assert_eq!(answer["findings"][0]["cause"], "explicit-deny", "{principal}");
    }
}

#[test]
fn the_provider_is_derived_and_a_scheme_in_the_principal_is_found() {
    let mut policy = allow(&json!({}));
    policy["Statement"][0]["Principal"]["Federated"] =
        json!("arn:aws-cn:iam::123456789012:oidc-provider/https://app.example.com");
    let (answer, status) = ask(&policy, &claims(&json!({})), &[]);
    assert_eq!(status, 1);
    assert_eq!(answer["provider_arn"], "arn:aws-cn:iam::123456789012:oidc-provider/app.example.com");
    assert_eq!(answer["provider_from"], "principal");
    assert_eq!(answer["findings"][0]["cause"], "principal-arn-wrong");
    let other = "arn:aws:iam::999999999999:oidc-provider/app.example.com";
    let (answer, _) = ask(&allow(&json!({})), &claims(&json!({})), &["--provider-arn", other]);
    assert_eq!(answer["provider_arn"], other);
    assert_eq!(answer["findings"][0]["cause"], "wrong-account");
}

#[test]
fn the_answer_of_get_role_tells_the_account() {
    let document = allow(&json!({"StringEquals": {format!("{HOST}:sub"): "organization:a1"}})).to_string();
    let encoded: String = document.bytes().map(|b| format!("%{b:02x}")).collect();
    for account in ["123456789012", "999999999999"] {
        let answer = json!({"Role": {"RoleName": "r", "Arn": format!("arn:aws:iam::{account}:role/r"), "AssumeRolePolicyDocument": encoded}});
        let (answer, status) = ask(&answer, &claims(&json!({})), &[]);
        assert_eq!(answer["provider_from"], "role");
        assert_eq!(status, i32::from(account != "123456789012"));
    }
}

#[test]
fn a_token_works_as_its_claims_do() {
    use base64::Engine as _;
    let encode = |value: &Value| base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(value.to_string());
    let timed = claims(&json!({"iat": 1000, "exp": 4600}));
    let token = format!("Bearer {}.{}.c2lnbmF0dXJl\n", encode(&json!({"alg": "RS256", "kid": "k"})), encode(&timed));
    let files = Files::new();
    let policy = files
        .write("policy.json", &allow(&json!({"StringEquals": {format!("{HOST}:sub"): "organization:a1"}})).to_string());
    let token = files.write("token.jwt", &token);
    let (answer, status) = run(&policy, "--token", &token, &[]);
    assert_eq!((answer["decision"].as_str(), status), (Some("allow"), 0));
    assert!(!answer.to_string().contains("c2lnbmF0dXJl"), "the signature is nowhere");
}

#[test]
fn one_input_may_come_from_standard_input() {
    let files = Files::new();
    let condition = json!({"StringEquals": {format!("{HOST}:sub"): "organization:a1"}});
    let policy = files.write("policy.json", &allow(&condition).to_string());
    let claims_file = files.write("claims.json", &claims(&json!({})).to_string());
    let from_stdin = |policy: &Path, claims: &Path, input: String| {
        let mut command = trustline();
        command.args(["trust", "--policy"]).arg(policy).arg("--claims").arg(claims).write_stdin(input);
        command.output().unwrap().status.code()
    };
    assert_eq!(from_stdin(&policy, Path::new("-"), claims(&json!({})).to_string()), Some(0));
    assert_eq!(from_stdin(Path::new("-"), &claims_file, allow(&condition).to_string()), Some(0));
    assert_eq!(from_stdin(Path::new("-"), Path::new("-"), String::new()), Some(2));
}

#[test]
fn what_terraform_declares_is_judged_as_what_is_in_force() {
    let document = |subject: &str| {
        format!(
            r#"data "aws_iam_policy_document" "trust" {{
              statement {{
                actions = ["sts:AssumeRoleWithWebIdentity"]
                principals {{
                  type        = "Federated"
                  identifiers = ["{ARN}"]
                }}
                condition {{
                  test     = "StringEquals"
                  variable = "{HOST}:sub"
                  values   = ["{subject}"]
                }}
              }}
            }}"#
        )
    };
    let files = Files::new();
    let token = files.write("claims.json", &claims(&json!({})).to_string());
    for (subject, decision, status) in [("organization:a1", "allow", 0), ("organization:b2", "deny", 1)] {
        let (answer, exit) = run(&files.write("main.tf", &document(subject)), "--claims", &token, &[]);
        assert_eq!((&answer["decision"], exit), (&json!(decision), status), "{subject}");
    }
    let (answer, exit) = run(&files.write("main.tf", &document("${var.subject}")), "--claims", &token, &[]);
    assert_eq!((&answer["decision"], exit), (&json!("unknown"), 3));
    assert!(answer.to_string().contains("var.subject"), "what is unknown is named: {answer}");
    for (text, part) in [
        (format!("{}\n{}", document("a"), document("b").replace("\"trust\"", "\"other\"")), "several trusts: data."),
        ("resource \"aws_iam_user\" \"a\" {}".to_owned(), "declares no trust"),
        ("resource \"aws_iam_role\" \"a\" {".to_owned(), "main.tf, line"),
    ] {
        let policy = files.write("main.tf", &text);
        let output = trustline().args(["trust", "--policy"]).arg(&policy).arg("--claims").arg(&token).output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(said.contains(part), "{part}: {said}");
    }
}

#[test]
fn what_cannot_be_read_says_where_and_what_instead() {
    let files = Files::new();
    let good = files.write("good.json", &allow(&json!({})).to_string());
    let good_claims = files.write("claims.json", &claims(&json!({})).to_string());
    let refused = |policy: &Path, claims: &Path| {
        let mut command = trustline();
        command.args(["trust", "--output", "json", "--policy"]).arg(policy).arg("--claims").arg(claims);
        let output = command.output().unwrap();
        assert_eq!(output.status.code(), Some(2));
        assert!(output.stdout.is_empty());
        String::from_utf8(output.stderr).unwrap()
    };
    let bad = files.write("bad.json", "{\n  \"Statement\": [\n    {\"Effect\": \"allow\"}\n  ]\n}");
    let text = refused(&bad, &good_claims);
    for part in ["bad.json, line 3, column 23", "Statement[0]: `Effect` is `allow`", "write `Allow` or `Deny`"] {
        assert!(text.contains(part), "{part}: {text}");
    }
    for (name, content, part) in [
        ("comma.json", "{\"Statement\": [],}", "line 1, column 18"),
        ("empty.json", "", "empty"),
        ("html.json", "<html>", "line 1, column 1"),
        ("role.json", "{\"Role\": {}}", "AssumeRolePolicyDocument"),
    ] {
        let text = refused(&files.write(name, content), &good_claims);
        assert!(text.contains(name) && text.contains(part), "{text}");
    }
    assert!(refused(&files.folder.path().join("none.json"), &good_claims).contains("none.json cannot be read"));
    for (content, part) in [("[]", "no JSON object"), ("{\"iss\": }", "line 1, column 9"), ("eyJhbGciOi", "--token")] {
        let text = refused(&good, &files.write("c.json", content));
        assert!(text.contains(part), "{text}");
    }
    let utf16 = files.folder.path().join("utf16.json");
    std::fs::write(&utf16, b"{}\n\xff\xfe{\0}\0").unwrap();
    assert!(refused(&utf16, &good_claims).contains("utf16.json, line 2: not UTF-8"));
}

#[test]
fn what_is_missing_is_told_with_all_that_takes_its_place() {
    for (arguments, ways) in [
        (&["trust", "--policy", "p.json"][..], &["--token <FILE>", "--claims <FILE>", "--lint"][..]),
        (&["trust", "--credential", "c.json"], &["--token <FILE>", "--claims <FILE>", "--lint"]),
        (&["trust", "--token", "t.jwt"], &["--policy <FILE>", "--credential <FILE>", "--profile <NAME>"]),
        (&["trust", "--lint"], &["--policy <FILE>", "--credential <FILE>", "--profile-file <FILE>"]),
        (&["profile", "set", "aws.region=eu-west-1"], &["--profile <NAME>", "--profile-file <FILE>"]),
        (&["render"], &["ARTIFACT", "--list"]),
    ] {
        let output = trustline().args(arguments).output().unwrap();
        let told = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {told}");
        for way in ways {
            assert!(told.contains(way), "{arguments:?} does not name {way}: {told}");
        }
    }
}

#[test]
fn lint_names_the_stranger_who_gets_in() {
    let github = "token.actions.githubusercontent.com";
    let policy = |sub: &str| {
        json!({"Version": "2012-10-17", "Statement": {
            "Effect": "Allow", "Action": "sts:AssumeRoleWithWebIdentity",
            "Principal": {"Federated": format!("arn:aws:iam::123456789012:oidc-provider/{github}")},
            "Condition": {"StringEquals": {format!("{github}:aud"): "sts.amazonaws.com"}, "StringLike": {format!("{github}:sub"): sub}}}})
    };
    let token = json!({"iss": format!("https://{github}"), "aud": "sts.amazonaws.com", "sub": "repo:octo/app:ref:refs/heads/main"});
    for (sub, stranger) in [
        ("repo:octo*", Some("repo:octo-someone-else/")),
        ("repo:octo/*", Some("repo:octo/someone-elses:")),
        ("repo:octo/app:*", Some("repo:octo/app:pull_request")),
        ("repo:octo/app:ref:refs/heads/main", None),
    ] {
        let (answer, status) = ask(&policy(sub), &token, &["--lint"]);
        assert_eq!(status, 0);
        let first = &answer["lint"][0];
        match stranger {
            Some(stranger) => {
                assert_eq!(first["cause"], "trust-too-wide", "{sub}");
                assert!(first["actual"].as_str().unwrap().starts_with(stranger), "{sub}: {first}");
            }
            None => assert_eq!(answer["lint"], json!([]), "{sub}"),
        }
        // The stranger is no invention: the same policy lets it in.
        if stranger.is_some() {
            let mut foreign = token.clone();
            foreign["sub"] = first["actual"].clone();
            assert_eq!(ask(&policy(sub), &foreign, &[]).1, 0, "{sub}");
        }
    }
}

#[test]
fn text_marks_every_condition_and_the_first_difference() {
    let files = Files::new();
    let condition = json!({
        "StringEquals": {format!("{HOST}:aud"): "sts.amazonaws.com", format!("{HOST}:sub"): "organization:a2"},
        "IpAddress": {"aws:SourceIp": "203.0.113.0/24"}});
    let policy = files.write("policy.json", &allow(&condition).to_string());
    let claims = files.write("claims.json", &claims(&json!({"aud": "sts.amazonaws.com"})).to_string());
    let output = trustline().args(["trust", "--policy"]).arg(&policy).arg("--claims").arg(&claims).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let text = String::from_utf8(output.stdout).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    let line = |part: &str| lines.iter().position(|l| l.contains(part)).unwrap_or_else(|| panic!("{part}: {text}"));
    assert!(lines[0].starts_with("✗ denied"));
    assert!(lines[line("StringEquals app.example.com:aud")].contains('✓'));
    assert!(lines[line("IpAddress aws:SourceIp")].contains('?'));
    let sub = line("✗ StringEquals app.example.com:sub");
    let expected = lines[sub + 1].find("organization:a2").unwrap();
    assert_eq!(lines[sub + 2].find("organization:a1"), Some(expected));
    assert_eq!(lines[sub + 3].find('^'), Some(expected + "organization:a".len()));
}

#[test]
fn hostile_input_neither_hangs_nor_reaches_the_terminal() {
    let files = Files::new();
    let evil = "\u{1b}[2J\u{202e}".to_owned() + &"*a?".repeat(10_000) + "b*";
    let slow = format!("*{}b*", "a?".repeat(10_000));
    let policy = allow(&json!({"StringLike": {format!("{HOST}:sub"): [evil, slow]}}));
    let policy = files.write("policy.json", &policy.to_string());
    let claims_file = files.write("claims.json", &claims(&json!({"sub": "a".repeat(100_000)})).to_string());
    let ask = |policy: &Path, claims: &Path| {
        let mut command = trustline();
        command.args(["trust", "--lint", "--policy"]).arg(policy).arg("--claims").arg(claims);
        let output = command.output().unwrap();
        assert!(output.stdout.len() < 1 << 20);
        output
    };
    let output = ask(&policy, &claims_file);
    // Compared to its end, it would be denied: "unknown" shows that the bound on the steps was met.
    assert_eq!(output.status.code(), Some(3), "too costly to compare is unknown, not denied");
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(!text.contains(['\u{1b}', '\u{202e}']));
    let huge = files.write("huge.json", &format!("{{\"x\": \"{}\"}}", "a".repeat(1 << 20)));
    assert_eq!(ask(&huge, &claims_file).status.code(), Some(2));
    assert_eq!(ask(&policy, &huge).status.code(), Some(2));
}

const GITHUB: &str = "token.actions.githubusercontent.com";

/// A policy for GitHub that names these subjects.
fn for_github(subjects: &Value) -> Value {
    json!({"Version": "2012-10-17", "Statement": [{
        "Effect": "Allow", "Principal": {"Federated": format!("arn:aws:iam::123456789012:oidc-provider/{GITHUB}")},
        "Action": "sts:AssumeRoleWithWebIdentity",
        "Condition": {"StringEquals": {format!("{GITHUB}:aud"): "sts.amazonaws.com"},
            "StringLike": {format!("{GITHUB}:sub"): subjects}}}]})
}

/// The answer and the exit status of `trust` without a token.
fn without_token(policy: &Value, flags: &[&str]) -> (Value, i32) {
    let files = Files::new();
    let policy = files.write("policy.json", &policy.to_string());
    let output = trustline().args(["trust", "--output", "json", "--policy"]).arg(&policy).args(flags).output().unwrap();
    let answer = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|e| panic!("{e}: {}", String::from_utf8_lossy(&output.stderr)));
    (answer, output.status.code().unwrap())
}

#[test]
fn a_policy_alone_is_looked_over_and_the_threshold_ends_it() {
    for (subjects, severity) in [
        (json!("*"), Some("critical")),
        (json!("repo:*"), Some("critical")),
        (json!("repo:acme*"), Some("high")),
        (json!("repo:acme/*"), Some("high")),
        (json!("repo:acme/app:*"), Some("medium")),
        (json!(["repo:acme/app:environment:prod", "repo:other/tool:ref:refs/heads/main"]), None),
    ] {
        let (answer, status) = without_token(&for_github(&subjects), &["--lint"]);
        assert_eq!((&answer["decision"], status), (&json!("unknown"), 0), "{subjects}");
        let lint = answer["lint"].as_array().unwrap();
        let worst =
            ["critical", "high", "medium", "low"].into_iter().find(|s| lint.iter().any(|f| f["severity"] == *s));
        assert_eq!(worst, severity, "{subjects}: {lint:#?}");
        assert!(lint.iter().all(|finding| finding["severity"].is_string()), "{lint:#?}");
        let ends = |flags: &[&str]| without_token(&for_github(&subjects), flags).1;
        let is_over = matches!(severity, Some("critical" | "high"));
        assert_eq!(ends(&["--lint", "--fail-on", "high"]), i32::from(is_over), "{subjects}");
        assert_eq!(ends(&["--lint", "--strict"]), if severity.is_some() { 4 } else { 0 }, "{subjects}");
    }
}

#[test]
fn a_threshold_counts_beside_a_token_too() {
    let (policy, own) = (for_github(&json!("repo:acme/*")), "repo:acme/app:ref:refs/heads/main");
    let claims = json!({"iss": format!("https://{GITHUB}"), "aud": "sts.amazonaws.com", "sub": own});
    assert_eq!(ask(&policy, &claims, &["--lint"]).1, 0);
    assert_eq!(ask(&policy, &claims, &["--lint", "--strict"]).1, 4);
    assert_eq!(ask(&policy, &claims, &["--lint", "--fail-on", "high"]).1, 1);
    assert_eq!(ask(&policy, &claims, &["--lint", "--fail-on", "critical"]).1, 0);
}

#[test]
fn a_profile_predicts_the_token() {
    let files = Files::new();
    let profile = |text: &str| files.write("p.toml", text);
    let ask = |profile: &Path, subjects: Value| {
        let path = profile.to_str().unwrap();
        without_token(&for_github(&subjects), &["--profile-file", path])
    };
    let main = profile("[github]\nrepository = \"acme/app\"\nref = \"refs/heads/main\"\n");
    let (answer, status) = ask(&main, json!("repo:acme/app:ref:refs/heads/main"));
    assert_eq!((&answer["decision"], &answer["predicted"], status), (&json!("allow"), &json!(true), 0));
    assert_eq!(answer["claims"]["sub"], "repo:acme/app:ref:refs/heads/main");
    let (answer, status) = ask(&main, json!("repo:acme/other:*"));
    assert_eq!((&answer["decision"], status), (&json!("deny"), 1));
    let finding = &answer["findings"][0];
    assert_eq!(finding["certainty"], "likely");
    assert!(finding["summary"].as_str().unwrap().starts_with("predicted: "), "{finding}");
    let open = profile("[github]\nrepository = \"acme/app\"\n");
    let (answer, status) = ask(&open, json!("repo:acme/app:environment:prod"));
    assert_eq!((&answer["decision"], status), (&json!("unknown"), 3));
    assert_eq!(answer["accepts_only"], "repo:acme/app:environment:prod");
    let nothing = profile("[aws]\nregion = \"us-east-1\"\n");
    let policy = files.write("policy.json", &for_github(&json!("*")).to_string());
    let output =
        trustline().args(["trust", "--policy"]).arg(&policy).arg("--profile-file").arg(&nothing).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("issuer.url and platform.organization"));
}
