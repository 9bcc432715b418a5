//! `trustline audit`: accounts with planted faults, each found whole, and nothing said of roles that are sound.

mod events;
mod live;
mod names;
mod outputs;
mod sarif;
mod spill;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::Output;

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};

use crate::support::trustline;

const ACCOUNT: &str = "111122223333";
const GITHUB: &str = "token.actions.githubusercontent.com";
const AUDIENCE: &str = "sts.amazonaws.com";

fn arn(url: &str) -> String {
    format!("arn:aws:iam::{ACCOUNT}:oidc-provider/{url}")
}

/// A statement that lets tokens of `url` in under these conditions.
fn statement(url: &str, conditions: Value) -> Value {
    json!({"Effect": "Allow", "Principal": {"Federated": arn(url)}, "Action": "sts:AssumeRoleWithWebIdentity", "Condition": conditions})
}

/// A statement with the usual audience and a condition on the subject.
fn by_subject(url: &str, operator: &str, subject: &str) -> Value {
    let (audience, key) = (json!({format!("{url}:aud"): AUDIENCE}), format!("{url}:sub"));
    match operator {
        "StringEquals" => statement(url, json!({"StringEquals": {format!("{url}:aud"): AUDIENCE, key: subject}})),
        _ => statement(url, json!({"StringEquals": audience, operator: {key: subject}})),
    }
}

fn role(name: &str, statements: Value) -> Value {
    json!({
        "Path": "/", "RoleName": name, "RoleId": "AROAEXAMPLE", "Arn": format!("arn:aws:iam::{ACCOUNT}:role/{name}"),
        "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": statements},
        "RolePolicyList": [], "AttachedManagedPolicies": [],
    })
}

const EKS: &str = "oidc.eks.eu-west-1.amazonaws.com/id/EXAMPLED539D4633E53DE1B716D3041E";
const PLATFORM: &str = "app.example.com";
const VERCEL: &str = "oidc.vercel.com/acme";
const UUID: &str = "7f3e81c4-1111-4222-8333-9d20c1a09a1c";

/// A fault in a trust, and what the audit has to say of it: its cause, how bad it is, who gets in.
struct Planted {
    name: &'static str,
    statements: Value,
    cause: &'static str,
    severity: &'static str,
    /// A part of a subject that gets in; empty where nobody has to.
    admits: &'static str,
}

fn planted(name: &'static str, statements: Value, cause: &'static str, severity: &'static str) -> Planted {
    Planted { name, statements, cause, severity, admits: "" }
}

fn wide(name: &'static str, statements: Value, severity: &'static str, admits: &'static str) -> Planted {
    Planted { admits, ..planted(name, statements, "trust-too-wide", severity) }
}

fn faults() -> Vec<Planted> {
    let exact = "repo:octo@1/app@2:ref:refs/heads/main";
    let audience = json!({format!("{GITHUB}:aud"): AUDIENCE});
    let with_principal = |principal: Value| {
        let mut changed = by_subject(GITHUB, "StringEquals", exact);
        changed["Principal"] = principal;
        changed
    };
    let with_action = |action: &str| {
        let mut changed = by_subject(GITHUB, "StringEquals", exact);
        changed["Action"] = action.into();
        changed
    };
    let deny = json!({"Effect": "Deny", "Principal": {"Federated": arn(GITHUB)}, "Action": "sts:*",
        "Condition": {"StringNotEquals": {format!("{GITHUB}:sub"): "repo:octo@1/other@3:ref:refs/heads/main"}}});
    let preview = by_subject(VERCEL, "StringLike", "owner:acme:project:shop:environment:*");
    let tfc = "organization:acme:project:*:workspace:*:run_phase:*";
    vec![
        wide("no-subject", statement(GITHUB, json!({"StringEquals": audience})), "critical", "repo:"),
        wide("any-subject", by_subject(GITHUB, "StringLike", "*"), "critical", "repo:"),
        wide("any-repository", by_subject(GITHUB, "StringLike", "repo:*"), "critical", "repo:"),
        wide("owner-without-slash", by_subject(GITHUB, "StringLike", "repo:octo*"), "high", "repo:octo-"),
        wide(
            "whole-owner",
            by_subject(GITHUB, "StringLike", "repo:octo/*"),
            "high",
            "repo:octo/someone-elses:ref:refs/heads/main",
        ),
        wide("any-ref", by_subject(GITHUB, "StringLike", "repo:octo/app:*"), "medium", "pull_request"),
        wide("pull-requests", by_subject(GITHUB, "StringEquals", "repo:octo/app:pull_request"), "medium", ""),
        wide(
            "environment-of-anybody",
            by_subject(GITHUB, "StringLike", "repo:*:environment:prod"),
            "critical",
            ":environment:prod",
        ),
        wide(
            "for-all-values",
            by_subject(GITHUB, "ForAllValues:StringLike", "repo:octo/app:ref:refs/heads/main"),
            "medium",
            "",
        ),
        wide("negated", by_subject(GITHUB, "StringNotLike", "repo:evil/*"), "critical", "repo:"),
        wide(
            "if-exists",
            by_subject(GITHUB, "StringEqualsIfExists", "repo:octo@1/app@2:ref:refs/heads/main"),
            "medium",
            "",
        ),
        wide("everybody", with_principal(json!("*")), "critical", ""),
        wide(
            "any-service-account",
            by_subject(EKS, "StringLike", "system:serviceaccount:*"),
            "critical",
            "system:serviceaccount:",
        ),
        wide(
            "whole-namespace",
            by_subject(EKS, "StringLike", "system:serviceaccount:shop:*"),
            "high",
            "system:serviceaccount:shop:",
        ),
        wide(
            "whole-group",
            by_subject("gitlab.com", "StringLike", "project_path:acme/*:ref_type:branch:ref:main"),
            "high",
            "project_path:acme/",
        ),
        wide("whole-organization", by_subject("app.terraform.io", "StringLike", tfc), "high", "organization:acme:"),
        wide(
            "any-organization",
            statement(PLATFORM, json!({"StringEquals": {format!("{PLATFORM}:aud"): AUDIENCE}})),
            "critical",
            "",
        ),
        wide(
            "any-audience",
            statement(GITHUB, json!({"StringEquals": {format!("{GITHUB}:sub"): exact}})),
            "medium",
            "",
        ),
        planted(
            "wildcard-taken-literally",
            by_subject(GITHUB, "StringEquals", "repo:octo@1/app@2:*"),
            "operator-wrong",
            "low",
        ),
        planted(
            "key-of-another-issuer",
            statement(GITHUB, json!({"StringEquals": {"gitlab.com:sub": exact, format!("{GITHUB}:aud"): AUDIENCE}})),
            "condition-key-wrong",
            "low",
        ),
        planted(
            "placeholder",
            by_subject(GITHUB, "StringEquals", "repo:<OWNER>/app:ref:refs/heads/main"),
            "sub-mismatch",
            "low",
        ),
        planted(
            "look-alike",
            by_subject(GITHUB, "StringEquals", "repo:\u{43e}cto@1/app@2:ref:refs/heads/main"),
            "sub-mismatch",
            "low",
        ),
        planted(
            "invisible",
            by_subject(GITHUB, "StringEquals", "repo:octo@1/app@2:ref:refs/heads/main\u{200b}"),
            "sub-mismatch",
            "low",
        ),
        planted(
            "announced-form",
            by_subject(GITHUB, "StringEquals", "repo:octo-12345678/app-87654321:ref:refs/heads/main"),
            "immutable-sub",
            "low",
        ),
        planted(
            "other-account",
            with_principal(json!({"Federated": format!("arn:aws:iam::999988887777:oidc-provider/{GITHUB}")})),
            "wrong-account",
            "low",
        ),
        planted(
            "not-registered",
            by_subject("gitlab.example.com", "StringEquals", "project_path:acme/app:ref_type:branch:ref:main"),
            "provider-missing",
            "low",
        ),
        planted(
            "audience-not-registered",
            statement(
                "gitlab.com",
                json!({"StringEquals": {"gitlab.com:aud": "https://other.example.com", "gitlab.com:sub": "project_path:acme/app:ref_type:branch:ref:main"}}),
            ),
            "aud-not-registered",
            "low",
        ),
        planted(
            "no-providers-arn",
            with_principal(json!({"Federated": format!("arn:aws:iam::{ACCOUNT}:role/{GITHUB}")})),
            "principal-arn-wrong",
            "low",
        ),
        planted(
            "scheme-in-the-arn",
            with_principal(json!({"Federated": format!("arn:aws:iam::{ACCOUNT}:oidc-provider/https://{GITHUB}")})),
            "principal-arn-wrong",
            "low",
        ),
        wide("preview-shares-production", preview, "medium", "environment:preview"),
        planted("wrong-action", with_action("sts:AssumeRole"), "action-missing", "low"),
        planted("always-denied", json!([by_subject(GITHUB, "StringEquals", exact), deny]), "trust-dead", "low"),
        planted(
            "ending",
            by_subject(
                "vstoken.dev.azure.com/0f3e81c4-1111-4222-8333-9d20c1a09a1c",
                "StringEquals",
                "sc://acme/shop/deploy",
            ),
            "issuer-retiring",
            "low",
        ),
        planted(
            "recyclable",
            by_subject(GITHUB, "StringEquals", "repo:octo/app:ref:refs/heads/main"),
            "subject-recyclable",
            "low",
        ),
    ]
}

/// Roles of which there is nothing to say.
fn sound() -> Vec<Value> {
    let circle = "oidc.circleci.com/org/7f3e81c4-1111-4222-8333-9d20c1a09a1c";
    let service =
        json!({"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"});
    let saml = json!({"Effect": "Allow", "Principal": {"Federated": format!("arn:aws:iam::{ACCOUNT}:saml-provider/corp")},
        "Action": "sts:AssumeRoleWithSAML", "Condition": {"StringEquals": {"SAML:aud": "https://signin.aws.amazon.com/saml"}}});
    let user = json!({"Effect": "Allow", "Principal": {"AWS": format!("arn:aws:iam::{ACCOUNT}:root")}, "Action": "sts:AssumeRole"});
    let project = "org/7f3e81c4-1111-4222-8333-9d20c1a09a1c/project/11111111-2222-4333-8444-555555555555/user/*";
    let statements = [
        by_subject(GITHUB, "StringEquals", "repo:octo@1/app@2:ref:refs/heads/main"),
        by_subject(GITHUB, "StringEquals", "repo:octo@1/app@2:environment:production"),
        by_subject("gitlab.com", "StringEquals", "project_path:acme/app:ref_type:branch:ref:main"),
        by_subject(EKS, "StringEquals", "system:serviceaccount:shop:checkout"),
        by_subject(PLATFORM, "StringEquals", &format!("organization:{UUID}")),
        statement(
            circle,
            json!({"StringEquals": {format!("{circle}:aud"): UUID}, "StringLike": {format!("{circle}:sub"): project}}),
        ),
        service,
        saml,
        user,
    ];
    statements.into_iter().enumerate().map(|(at, statement)| role(&format!("sound-{at}"), json!([statement]))).collect()
}

/// The providers that the account has: all but one of those that its roles trust, and one that nobody trusts.
fn providers() -> Vec<Value> {
    let circle = "oidc.circleci.com/org/7f3e81c4-1111-4222-8333-9d20c1a09a1c";
    let vsts = "vstoken.dev.azure.com/0f3e81c4-1111-4222-8333-9d20c1a09a1c";
    let usual = [GITHUB, EKS, PLATFORM, VERCEL, "gitlab.com", "app.terraform.io", vsts, "unused.example.com"];
    let mut all: Vec<Value> =
        usual.iter().map(|url| json!({"Url": url, "ClientIDList": [AUDIENCE], "ThumbprintList": []})).collect();
    all.push(json!({"Url": circle, "ClientIDList": [UUID], "ThumbprintList": []}));
    all
}

fn account() -> Value {
    let faulty = faults().into_iter().map(|fault| role(fault.name, fault.statements));
    json!({"UserDetailList": [], "GroupDetailList": [], "RoleDetailList": faulty.chain(sound()).collect::<Vec<_>>(), "Policies": [], "IsTruncated": false})
}

fn audit(folder: &Path, arguments: &[&str]) -> Output {
    trustline().arg("audit").args(arguments).current_dir(folder).output().unwrap()
}

fn json_of(folder: &Path, arguments: &[&str]) -> Value {
    let output = audit(folder, &[arguments, &["--output", "json"]].concat());
    let printed = String::from_utf8(output.stdout).unwrap();
    serde_json::from_str(&printed)
        .unwrap_or_else(|error| panic!("{error}: {printed} {}", String::from_utf8_lossy(&output.stderr)))
}

fn folder_with(files: &[(&str, String)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    folder
}

/// The findings of each role, by its name.
fn by_role(document: &Value) -> BTreeMap<String, Vec<&Value>> {
    let mut found: BTreeMap<String, Vec<&Value>> = BTreeMap::new();
    for finding in document["findings"].as_array().unwrap() {
        let resource = finding["resource"].as_str().unwrap();
        let name = resource.rsplit("role/").next().unwrap();
        found.entry(name.to_owned()).or_default().push(finding);
    }
    found
}

#[test]
fn every_planted_fault_is_found_and_nothing_is_said_of_sound_roles() {
    let folder =
        folder_with(&[("account.json", account().to_string()), ("providers.json", json!(providers()).to_string())]);
    let document = json_of(folder.path(), &["account.json", "providers.json"]);
    assert_eq!(document["schema"], "trustline.audit/1");
    let found = by_role(&document);
    assert!(faults().len() >= 25);
    for Planted { name, cause, severity, admits, .. } in faults() {
        let of_role = found.get(name).unwrap_or_else(|| panic!("nothing is said of {name}"));
        let finding = of_role.iter().find(|finding| finding["cause"] == cause && finding["severity"] == severity);
        let finding = finding.unwrap_or_else(|| panic!("{name} is no {severity} {cause}: {of_role:#?}"));
        let subjects = finding["admits"].as_array().into_iter().flatten();
        assert!(
            admits.is_empty() || subjects.clone().any(|s| s["subject"].as_str().unwrap().contains(admits)),
            "{name}: {finding:#}"
        );
        assert!(
            subjects.clone().all(|admitted| admitted["claims"]["sub"] == admitted["subject"]),
            "{name}: {finding:#}"
        );
        assert!(finding["fixes"].as_array().is_some_and(|fixes| !fixes.is_empty()), "{name}: {finding:#}");
        assert!(finding["location"]["line"].as_u64() >= Some(1), "{name}");
    }
    let sound: Vec<&String> = found.keys().filter(|name| name.starts_with("sound-")).collect();
    assert!(sound.is_empty(), "{:#?}", found[sound[0]]);
    assert_eq!(found["unused.example.com"][0]["cause"], "trust-dead");
    // Beside what was planted, only what goes with it is said.
    let names: BTreeSet<&str> = faults().iter().map(|fault| fault.name).collect();
    let others: Vec<&String> =
        found.keys().filter(|name| !names.contains(name.as_str()) && *name != "unused.example.com").collect();
    assert!(others.is_empty(), "{others:?}");
}

#[test]
fn who_gets_in_reaches_what_the_role_s_policies_give() {
    let mut wide =
        role("wide", json!([statement(GITHUB, json!({"StringEquals": {format!("{GITHUB}:aud"): AUDIENCE}}))]));
    let managed = format!("arn:aws:iam::{ACCOUNT}:policy/secrets");
    wide["AttachedManagedPolicies"] = json!([{"PolicyName": "secrets", "PolicyArn": managed}]);
    let document = json!({"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "secretsmanager:GetSecretValue", "Resource": "*"}});
    let policies = json!([{"Arn": managed, "PolicyVersionList": [{"Document": document, "VersionId": "v1", "IsDefaultVersion": true}]}]);
    // As the command answers: the policies come after the roles.
    let account = json!({"RoleDetailList": [wide], "Policies": policies});
    let folder = folder_with(&[("account.json", account.to_string())]);
    let document = json_of(folder.path(), &["account.json"]);
    assert_eq!(document["findings"][0]["reaches"], json!(["every secret"]));
}

#[test]
fn the_policies_of_every_page_of_a_long_file_are_read() {
    let wide = statement(GITHUB, json!({"StringEquals": {format!("{GITHUB}:aud"): AUDIENCE}}));
    for pages in [2, 7] {
        let page = |at: usize| {
            let managed = format!("arn:aws:iam::{ACCOUNT}:policy/secrets-{at}");
            let mut role = role(&format!("wide-{at}"), json!([wide]));
            role["AttachedManagedPolicies"] = json!([{"PolicyName": "secrets", "PolicyArn": managed}]);
            role["Description"] = "x".repeat(3 << 20).into();
            let document = json!({"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "secretsmanager:GetSecretValue", "Resource": "*"}});
            let policies =
                json!([{"Arn": managed, "PolicyVersionList": [{"Document": document, "IsDefaultVersion": true}]}]);
            json!({"RoleDetailList": [role], "Policies": policies}).to_string()
        };
        let text = (0..pages).map(page).collect::<Vec<_>>().join("\n");
        let folder = folder_with(&[("account.json", text)]);
        let document = json_of(folder.path(), &["account.json"]);
        let findings = document["findings"].as_array().unwrap();
        assert_eq!(findings.len(), pages);
        assert!(findings.iter().all(|finding| finding["reaches"] == json!(["every secret"])), "{document:#}");
    }
}

#[test]
fn the_answers_of_other_commands_are_told_by_their_content() {
    let wide = statement(GITHUB, json!({"StringEquals": {format!("{GITHUB}:aud"): AUDIENCE}}));
    let policy = json!({"Version": "2012-10-17", "Statement": [wide]});
    let role = role("wide", json!([wide]));
    let encoded =
        percent_encoding::utf8_percent_encode(&policy.to_string(), percent_encoding::NON_ALPHANUMERIC).to_string();
    let mut as_text = role.clone();
    as_text["AssumeRolePolicyDocument"] = encoded.into();
    let credential = json!({"name": "ci", "issuer": "https://token.actions.githubusercontent.com", "audiences": ["api://AzureADTokenExchange"],
        "claimsMatchingExpression": {"value": "claims['sub'] matches '*' and claims['repository_owner_id'] matches '*'", "languageVersion": 1}});
    let provider = json!({"name": "projects/1/locations/global/workloadIdentityPools/p/providers/github", "attributeMapping": {"google.subject": "assertion.sub"},
        "oidc": {"issuerUri": "https://token.actions.githubusercontent.com"}});
    for (name, text) in [
        ("a policy", format!("{policy:#}")),
        ("get-role", json!({"Role": role}).to_string()),
        ("list-roles", json!({"Roles": [role]}).to_string()),
        ("url-encoded", json!({"RoleDetailList": [as_text]}).to_string()),
        ("pages", format!("{}\n{}", json!({"RoleDetailList": []}), json!({"RoleDetailList": [role]}))),
        ("a list of pages", json!([{"RoleDetailList": [role]}, {"RoleDetailList": []}]).to_string()),
        ("credentials", json!([credential]).to_string()),
        ("applications", json!({"value": [{"appId": "a", "federatedIdentityCredentials": [credential]}]}).to_string()),
        ("providers", json!([provider]).to_string()),
    ] {
        let folder = folder_with(&[("input.json", text)]);
        let document = json_of(folder.path(), &["input.json"]);
        let [finding] = document["findings"].as_array().unwrap().as_slice() else { panic!("{name}: {document:#}") };
        assert_eq!((&finding["cause"], &finding["severity"]), (&json!("trust-too-wide"), &json!("critical")), "{name}");
        assert_eq!(document["read"]["trusts"], 1, "{name}");
    }
}

#[test]
fn a_compressed_file_a_folder_and_standard_input_say_the_same() {
    let text = account().to_string();
    let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
    gzip.write_all(text.as_bytes()).unwrap();
    let folder = folder_with(&[("all/account.json", text.clone())]);
    fs::write(folder.path().join("account.json.gz"), gzip.finish().unwrap()).unwrap();
    let ids = |document: &Value| -> Vec<String> {
        document["findings"]
            .as_array()
            .unwrap()
            .iter()
            .map(|finding| finding["id"].as_str().unwrap().to_owned())
            .collect()
    };
    let plain = ids(&json_of(folder.path(), &["all"]));
    assert!(plain.len() >= 25);
    assert_eq!(ids(&json_of(folder.path(), &["account.json.gz"])), plain);
    let piped = trustline().args(["audit", "--output", "json"]).write_stdin(text).output().unwrap();
    assert_eq!(ids(&serde_json::from_slice(&piped.stdout).unwrap()), plain);
}

#[test]
fn the_status_follows_the_threshold_the_suppressions_and_the_baseline() {
    let dead = role("dead", json!([by_subject(GITHUB, "StringEquals", "repo:<OWNER>/app:ref:refs/heads/main")]));
    let wide = role("wide", json!([by_subject(GITHUB, "StringLike", "repo:octo/*")]));
    let folder = folder_with(&[
        ("dead.json", json!({"RoleDetailList": [dead]}).to_string()),
        ("wide.json", json!({"RoleDetailList": [wide]}).to_string()),
        ("none.json", json!({"RoleDetailList": sound()}).to_string()),
        ("broken.json", "{\"RoleDetailList\": [{".to_owned()),
        ("other.json", json!({"name": "left-pad"}).to_string()),
    ]);
    let at = folder.path();
    let before = json_of(at, &["wide.json"]);
    let id = before["findings"][0]["id"].as_str().unwrap();
    let until = |day: &str| format!("[[suppress]]\nid = \"{id}\"\nreason = \"accepted\"\nexpires = \"{day}\"\n");
    fs::write(at.join("ahead.toml"), until("2999-01-01")).unwrap();
    fs::write(at.join("over.toml"), until("2020-01-01")).unwrap();
    fs::write(at.join("before.json"), before.to_string()).unwrap();
    for (arguments, status) in [
        (&["dead.json"][..], 0),
        (&["dead.json", "--fail-on", "low"], 1),
        (&["wide.json"], 1),
        (&["wide.json", "--fail-on", "critical"], 0),
        (&["wide.json", "--suppress", "ahead.toml"], 0),
        (&["wide.json", "--suppress", "over.toml"], 1),
        (&["wide.json", "--baseline", "before.json"], 0),
        (&["wide.json", "none.json", "--shard", "2/2"], 0),
        (&["wide.json", "none.json", "--shard", "1/2"], 1),
        (&["none.json"], 0),
        (&["broken.json"], 2),
        (&["other.json"], 2),
        (&["missing.json"], 2),
        (&["broken.json", "wide.json"], 1),
        (&["broken.json", "none.json"], 0),
    ] {
        let output = audit(at, arguments);
        assert_eq!(output.status.code(), Some(status), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    }
    let suppressed = json_of(at, &["wide.json", "--suppress", "ahead.toml"]);
    assert_eq!((&suppressed["findings"], &suppressed["suppressed"][0]["reason"]), (&json!([]), &json!("accepted")));
    let over = json_of(at, &["wide.json", "--suppress", "over.toml"]);
    assert!(over["findings"][0]["evidence"].to_string().contains("expired on 2020-01-01"), "{over:#}");
    let rest = json_of(at, &["broken.json", "wide.json"]);
    assert!(rest["read"]["not_judged"][0]["why"].as_str().unwrap().contains("line 1"), "{rest:#}");
}

#[test]
fn ci_reads_the_findings_in_its_own_forms() {
    let wide = role("wide", json!([by_subject(GITHUB, "StringLike", "repo:octo/*")]));
    let account = json!({"RoleDetailList": [sound()[0], wide]});
    let folder = folder_with(&[("a b.json", format!("{account:#}"))]);
    let printed = |form: &str| String::from_utf8(audit(folder.path(), &["a b.json", "--output", form]).stdout).unwrap();
    let document = json_of(folder.path(), &["a b.json"]);
    let (id, line) = (
        document["findings"][0]["id"].as_str().unwrap(),
        document["findings"][0]["location"]["line"].as_u64().unwrap(),
    );

    let sarif: Value = serde_json::from_str(&printed("sarif")).unwrap();
    let result = &sarif["runs"][0]["results"][0];
    assert_eq!(
        (&sarif["version"], &result["ruleId"], &result["level"]),
        (&json!("2.1.0"), &json!("trust-too-wide"), &json!("error"))
    );
    assert_eq!(result["partialFingerprints"]["trustline/v1"], id);
    let place = &result["locations"][0]["physicalLocation"];
    assert_eq!(
        (&place["artifactLocation"]["uri"], &place["region"]["startLine"]),
        (&json!("a%20b.json"), &json!(line))
    );
    assert_eq!(sarif["runs"][0]["tool"]["driver"]["rules"][0]["id"], "trust-too-wide");

    let annotations = printed("github");
    assert!(
        annotations.starts_with(&format!("::error file=a b.json,line={line},title=trust-too-wide (high)::")),
        "{annotations}"
    );
    assert!(annotations.contains("%0AFix: "), "{annotations}");

    let junit = printed("junit");
    assert!(junit.contains("failures=\"1\"") && junit.contains("type=\"high\"") && junit.contains(id), "{junit}");

    let lines = printed("ndjson");
    let values: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!((&values[0]["id"], &values[1]["read"]["trusts"]), (&json!(id), &json!(2)));

    let markdown = printed("markdown");
    assert!(markdown.contains("| high |") && markdown.contains("repo:octo/someone-elses"), "{markdown}");
    let text = printed("text");
    assert!(text.contains("findings: 1 high") && text.contains("gets in"), "{text}");
}

#[test]
fn terraform_is_judged_where_it_stands_and_what_has_no_value_is_named() {
    let role = |name: &str, operator: &str, subject: &str| {
        format!(
            r#"
            resource "aws_iam_role" "{name}" {{
              assume_role_policy = jsonencode({{
                Version = "2012-10-17"
                Statement = [{{
                  Effect = "Allow"
                  Action = "sts:AssumeRoleWithWebIdentity"
                  Principal = {{ Federated = "arn:aws:iam::{ACCOUNT}:oidc-provider/{GITHUB}" }}
                  Condition = {{
                    StringEquals = {{ "{GITHUB}:aud" = "{AUDIENCE}" }}
                    {operator} = {{ "{GITHUB}:sub" = {subject} }}
                  }}
                }}]
              }})
            }}"#
        )
    };
    let root = format!(
        "variable \"owner\" {{}}\nmodule \"wide\" {{\n source = \"./modules/role\"\n subject = \"repo:${{var.owner}}/*\"\n}}\n{}\n{}",
        role("tight", "StringLike", "\"repo:octo@1/app@2:environment:prod\""),
        role("open", "StringLike", "var.subjects"),
    );
    let module = format!("variable \"subject\" {{}}\n{}", role("ci", "StringLike", "var.subject"));
    let folder = folder_with(&[
        ("live/main.tf", root),
        ("live/modules/role/main.tf", module),
        ("live/broken/x.tf", "resource {".to_owned()),
    ]);
    let document = json_of(folder.path(), &["live"]);
    let [finding] = document["findings"].as_array().unwrap().as_slice() else { panic!("{document:#}") };
    assert_eq!((&finding["resource"], &finding["severity"]), (&json!("module.wide.aws_iam_role.ci"), &json!("high")));
    assert_eq!(finding["location"], json!({"file": "live/modules/role/main.tf", "line": 3}));
    assert!(finding["evidence"].to_string().contains("var.owner"), "{finding:#}");
    let not_judged = document["read"]["not_judged"].to_string();
    assert!(not_judged.contains("var.subjects") && not_judged.contains("live/broken/x.tf"), "{not_judged}");
}

/// The Job's own arguments and variables, run as Kubernetes would run each of its pods.
#[test]
fn the_pods_of_the_job_take_every_file_once() {
    const MANIFEST: &str = include_str!("../../assets/deploy/audit-job.yaml");
    let value = |key: &str| {
        let line =
            MANIFEST.lines().find_map(|line| line.trim().strip_prefix(key)).unwrap_or_else(|| panic!("no {key}"));
        line.trim().to_owned()
    };
    let arguments: Vec<String> = serde_json::from_str(&value("args:")).unwrap();
    let pods: usize = value("completions:").parse().unwrap();
    let shards = MANIFEST.split("name: TRUSTLINE_SHARDS").nth(1).unwrap().lines().nth(1).unwrap();
    assert_eq!(shards.trim(), format!("value: \"{pods}\""), "the variable and the completions are the same number");
    let wide =
        |name: &str| json!({"RoleDetailList": [role(name, json!([by_subject(GITHUB, "StringLike", "repo:octo/*")]))]});
    let files: Vec<(String, String)> =
        (0..pods + 3).map(|at| (format!("accounts/{at:02}.json"), wide(&format!("role-{at}")).to_string())).collect();
    let named: Vec<(&str, String)> = files.iter().map(|(name, text)| (name.as_str(), text.clone())).collect();
    let folder = folder_with(&named);
    let mut found = Vec::new();
    for pod in 0..pods {
        let arguments = arguments.iter().map(|argument| argument.strip_prefix('/').unwrap_or(argument));
        let output = trustline()
            .args(arguments)
            .envs([("JOB_COMPLETION_INDEX", pod.to_string()), ("TRUSTLINE_SHARDS", pods.to_string())])
            .current_dir(folder.path())
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
        let lines = String::from_utf8(output.stdout).unwrap();
        let lines = lines.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        found.extend(lines.filter_map(|line| line["resource"].as_str().map(str::to_owned)));
    }
    found.sort_unstable();
    let mut wanted: Vec<String> = (0..pods + 3).map(|at| format!("arn:aws:iam::{ACCOUNT}:role/role-{at}")).collect();
    wanted.sort_unstable();
    assert_eq!(found, wanted);
}

#[test]
fn a_member_that_should_be_a_list_and_is_none_is_named() {
    let odd = json!({"RoleDetailList": "x", "Policies": [{"Arn": "a"}]});
    let texts = [odd.to_string(), json!([odd]).to_string(), json!({"Roles": {"RoleDetailList": 7}}).to_string()];
    for text in texts {
        let folder = folder_with(&[("odd.json", text.clone())]);
        let output = audit(folder.path(), &["odd.json"]);
        assert_eq!(output.status.code(), Some(2), "{text}: {}", String::from_utf8_lossy(&output.stderr));
        assert!(String::from_utf8_lossy(&output.stderr).contains("odd.json"), "{text}");
    }
}

#[test]
fn text_from_outside_does_not_reach_the_terminal_as_it_is() {
    let mut wide = role("wide", json!([by_subject(GITHUB, "StringLike", "repo:octo\u{1b}[31m/*")]));
    wide["Arn"] = format!("arn:aws:iam::{ACCOUNT}:role/\u{1b}]0;x\u{7}").into();
    let folder = folder_with(&[("a.json", json!({"RoleDetailList": [wide]}).to_string())]);
    for form in ["text", "json", "ndjson", "sarif", "junit", "markdown", "github"] {
        let output = audit(folder.path(), &["a.json", "--output", form]);
        assert!(!output.stdout.iter().any(|byte| matches!(byte, 0x1b | 0x07)), "{form}");
    }
}
