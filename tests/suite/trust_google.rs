//! `trustline trust --provider`: providers of Google's workload identity pools, and IAM policies beside them.

use serde_json::{Value, json};

use super::support::trustline;

const POOL: &str = "projects/123456789012/locations/global/workloadIdentityPools/ci";
const GITHUB: &str = "https://token.actions.githubusercontent.com";

fn provider(changes: &Value) -> Value {
    let mut provider = json!({
        "name": format!("{POOL}/providers/github"),
        "oidc": {"issuerUri": GITHUB},
        "attributeMapping": {
            "google.subject": "assertion.sub",
            "attribute.repository": "assertion.repository",
            "attribute.repository_owner_id": "assertion.repository_owner_id",
        },
        "attributeCondition": "assertion.repository_owner_id == '4711'",
        "state": "ACTIVE",
    });
    for (key, value) in changes.as_object().unwrap() {
        provider[key] = value.clone();
    }
    provider
}

fn claims(changes: &Value) -> Value {
    let mut claims = json!({
        "iss": GITHUB, "sub": "repo:octo/app:ref:refs/heads/main", "repository": "octo/app", "repository_owner": "octo",
        "repository_owner_id": "4711", "aud": format!("https://iam.googleapis.com/{POOL}/providers/github"),
    });
    for (key, value) in changes.as_object().unwrap() {
        if value.is_null() {
            claims.as_object_mut().unwrap().remove(key);
        } else {
            claims[key] = value.clone();
        }
    }
    claims
}

fn granting(member: &str) -> Value {
    json!({"bindings": [{"role": "roles/secretmanager.secretAccessor", "members": [member]}], "etag": "BwY", "version": 1})
}

/// Standard output and the exit status for these files.
fn ask(files: &[(&str, String)], flags: &[&str]) -> (String, i32) {
    let folder = tempfile::tempdir().unwrap();
    let mut command = trustline();
    command.arg("trust").args(flags);
    for (flag, content) in files {
        let path = folder.path().join(flag.trim_start_matches('-'));
        std::fs::write(&path, content).unwrap();
        command.arg(flag).arg(path);
    }
    let output = command.output().unwrap();
    let told = if output.stdout.is_empty() { output.stderr } else { output.stdout };
    (String::from_utf8(told).unwrap(), output.status.code().unwrap())
}

fn json_of(provider: &Value, policy: Option<&Value>, claims: &Value) -> (Value, i32) {
    let mut files = vec![("--provider", provider.to_string()), ("--claims", claims.to_string())];
    files.extend(policy.map(|policy| ("--iam-policy", policy.to_string())));
    let (text, status) = ask(&files, &["--output", "json"]);
    (serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}")), status)
}

#[test]
fn each_refusal_names_its_cause_first_and_status_one() {
    let subject = json!({"google.subject": "assertion.sub == 'x'"});
    for (changes, token, cause) in [
        (json!({}), json!({"repository_owner_id": "4712"}), "attribute-condition"),
        (json!({}), json!({"repository_owner_id": null}), "attribute-condition"),
        (json!({}), json!({"iss": format!("{GITHUB}/enterprise")}), "iss-mismatch"),
        (json!({}), json!({"aud": "sts.amazonaws.com"}), "aud-mismatch"),
        (json!({}), json!({"sub": null}), "attribute-mapping-missing"),
        (json!({}), json!({"sub": format!("repo:octo/app:ref:refs/heads/{}", "x".repeat(120))}), "subject-too-long"),
        (json!({"attributeMapping": subject}), json!({}), "mapping-type-wrong"),
        (json!({"disabled": true}), json!({}), "provider-disabled"),
    ] {
        let (answer, status) = json_of(&provider(&changes), None, &claims(&token));
        assert_eq!((answer["decision"].as_str(), status), (Some("deny"), 1), "{cause}: {answer}");
        assert_eq!(answer["findings"][0]["cause"], cause, "{answer}");
        assert_eq!(answer["findings"][0]["certainty"], "proven");
        assert!(!answer["findings"][0]["fixes"][0]["text"].as_str().unwrap().is_empty());
    }
    let (answer, status) = json_of(&provider(&json!({})), None, &claims(&json!({})));
    assert_eq!((answer["decision"].as_str(), status), (Some("allow"), 0), "{answer}");
    assert_eq!(answer["schema"], "trustline.trust/1");
    assert_eq!(
        answer["principal"],
        format!("principal://iam.googleapis.com/{POOL}/subject/repo:octo/app:ref:refs/heads/main")
    );
}

#[test]
fn a_binding_of_another_member_is_told_with_both_values() {
    let member = |rest: &str| format!("principalSet://iam.googleapis.com/{POOL}/{rest}");
    for (member, decision, cause) in [
        (member("attribute.repository/octo/app"), "allow", None),
        (member("attribute.repository/Octo/app"), "deny", Some("principalset-mismatch")),
        (member("attribute.environment/prod"), "deny", Some("principalset-mismatch")),
        (member("*").replace("123456789012", "my-project"), "deny", Some("principalset-mismatch")),
        ("user:octo@example.com".to_owned(), "deny", Some("secret-iam-missing")),
    ] {
        let (answer, _) = json_of(&provider(&json!({})), Some(&granting(&member)), &claims(&json!({})));
        assert_eq!(answer["decision"], decision, "{member}: {answer}");
        assert_eq!(answer["findings"][0]["cause"].as_str(), cause, "{member}: {answer}");
        if member.ends_with("/Octo/app") {
            let own = member.replace("/Octo/", "/octo/");
            assert_eq!(answer["statements"][1]["conditions"][0]["actual"], json!([own]));
        }
    }
}

#[test]
fn text_shows_what_the_token_becomes_and_marks_what_differs() {
    let files = [
        ("--provider", provider(&json!({})).to_string()),
        ("--claims", claims(&json!({"repository_owner_id": "4712"})).to_string()),
    ];
    let (text, status) = ask(&files, &[]);
    assert_eq!(status, 1);
    for part in [
        "denied: Google does not exchange this token",
        "attribute.repository octo/app",
        "assertion.repository_owner_id == '4711'",
        "expected 4711",
        "actual   4712",
        "attribute-condition",
    ] {
        let told = text.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(told.contains(&part.split_whitespace().collect::<Vec<_>>().join(" ")), "{part}: {text}");
    }
}

#[test]
fn lint_shows_the_foreign_token_with_its_claims_and_can_fail_a_pipeline() {
    let open = provider(&json!({"attributeCondition": "assertion.repository_owner_id != ''"})).to_string();
    let (text, status) = ask(&[("--provider", open)], &["--lint", "--fail-on", "critical", "--output", "json"]);
    let answer: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(status, 1, "{text}");
    assert_eq!(answer["lint"][0]["cause"], "trust-too-wide");
    assert!(answer["lint"][0]["evidence"][0].as_str().unwrap().contains("repository_owner_id = "), "{text}");

    let (text, status) = ask(&[("--provider", provider(&json!({})).to_string())], &["--lint", "--strict"]);
    assert_eq!(status, 0, "{text}");
    assert!(text.contains("no foreign token gets in"), "{text}");

    let whole = granting(&format!("principalSet://iam.googleapis.com/{POOL}/*")).to_string();
    let files = [("--provider", provider(&json!({})).to_string()), ("--iam-policy", whole)];
    let (text, status) = ask(&files, &["--lint", "--strict"]);
    assert_eq!(status, 4, "{text}");
    assert!(text.contains("every token of the pool"), "{text}");

    let open = provider(&json!({"attributeCondition": "assertion.repository != ''"})).to_string();
    let one = granting(&format!("principalSet://iam.googleapis.com/{POOL}/attribute.repository/octo/app")).to_string();
    let (text, status) = ask(&[("--provider", open), ("--iam-policy", one)], &["--lint", "--strict"]);
    assert_eq!(status, 4, "{text}");
    assert!(text.contains("the bindings alone keep them out"), "{text}");
}

#[test]
fn what_cannot_be_read_says_where_and_what_instead() {
    let good = || provider(&json!({})).to_string();
    for (files, part) in [
        (vec![("--provider", String::new())], "--format=json"),
        (vec![("--provider", "name: x".to_owned())], "line 1"),
        (vec![("--provider", json!({"aws": {}}).to_string())], "AWS"),
        (vec![("--provider", provider(&json!({"attributeCondition": "a =="})).to_string())], "attributeCondition"),
        (vec![("--provider", good()), ("--iam-policy", "[]".to_owned())], "get-iam-policy"),
        (vec![("--provider", good()), ("--policy", "{}".to_owned())], "--policy"),
    ] {
        let (text, status) = ask(&files, &["--lint"]);
        assert_eq!(status, 2, "{part}: {text}");
        assert!(text.contains(part), "{part}: {text}");
    }
}

/// Conditions and mappings in the forms that Google and the issuers publish, with names of our own.
#[test]
fn published_forms_evaluate_as_published() {
    let token = |changes: &Value| {
        let mut claims = json!({
            "iss": GITHUB, "aud": format!("https://iam.googleapis.com/{POOL}/providers/github"), "sub": "subject",
            "repository": "octo/app", "repository_owner": "octo", "repository_owner_id": "4711", "ref": "refs/heads/main",
            "ref_type": "branch", "environment": "prod", "namespace_path": "group", "namespace_id": "7",
            "project_path": "group/app", "project_id": "8", "user_email": "a@example.com", "ref_protected": "true",
            "oidc.circleci.com/project-id": "p-1", "oidc.circleci.com/context-ids": ["c-1", "c-2"],
            "terraform_organization_name": "acme", "terraform_workspace_id": "ws-1", "terraform_run_phase": "apply",
            "organization_slug": "acme", "pipeline_slug": "app", "build_branch": "main",
            "workspaceUuid": "{w}", "repositoryUuid": "{r}", "branchName": "main",
            "owner": "team", "project": "web", "owner_id": "t1", "organization_id": "org-1",
        });
        for (key, value) in changes.as_object().unwrap() {
            claims[key] = value.clone();
        }
        claims
    };
    for (condition, foreign) in [
        ("assertion.repository_owner == 'octo'", json!({"repository_owner": "mallory"})),
        (
            "assertion.repository_owner_id == '4711' && assertion.ref == 'refs/heads/main'",
            json!({"ref": "refs/heads/x"}),
        ),
        (
            "assertion.repository_owner_id == '4711' && assertion.ref == 'refs/heads/main' && assertion.ref_type == 'branch'",
            json!({"ref_type": "tag"}),
        ),
        ("assertion.repository in ['octo/app', 'octo/other']", json!({"repository": "octo/third"})),
        (
            "attribute.repository == assertion.repository && attribute.repository.startsWith('octo/')",
            json!({"repository": "octopus/app"}),
        ),
        ("assertion.namespace_id == '7'", json!({"namespace_id": "70"})),
        ("assertion.namespace_path.startsWith('group')", json!({"namespace_path": "other"})),
        (
            "assertion.project_path == 'group/app' && assertion.ref_protected == 'true'",
            json!({"ref_protected": "false"}),
        ),
        ("assertion.user_email.endsWith('@example.com')", json!({"user_email": "a@example.org"})),
        ("assertion['oidc.circleci.com/project-id'] == 'p-1'", json!({"oidc.circleci.com/project-id": "p-2"})),
        ("'c-1' in assertion['oidc.circleci.com/context-ids']", json!({"oidc.circleci.com/context-ids": ["c-3"]})),
        (
            "assertion['oidc.circleci.com/context-ids'].exists(c, c == 'c-2')",
            json!({"oidc.circleci.com/context-ids": []}),
        ),
        ("assertion.terraform_organization_name == 'acme'", json!({"terraform_organization_name": "acme2"})),
        (
            "assertion.sub.startsWith('sub') && assertion.terraform_run_phase == 'apply'",
            json!({"terraform_run_phase": "plan"}),
        ),
        ("assertion.organization_slug == 'acme' && assertion.pipeline_slug == 'app'", json!({"pipeline_slug": "b"})),
        ("assertion.build_branch.matches('^(main|release-.*)$')", json!({"build_branch": "feature"})),
        ("assertion.workspaceUuid == '{w}' && assertion.repositoryUuid == '{r}'", json!({"repositoryUuid": "{x}"})),
        ("assertion.branchName == 'main' ? assertion.repositoryUuid == '{r}' : false", json!({"branchName": "dev"})),
        (
            "assertion.owner == 'team' && assertion.project == 'web' && assertion.environment == 'prod'",
            json!({"environment": "preview"}),
        ),
        ("has(assertion.environment) && assertion.environment == 'prod'", json!({"environment": "dev"})),
        ("!(assertion.environment in ['dev', 'preview'])", json!({"environment": "dev"})),
        ("assertion.repository.split('/')[0] == 'octo'", json!({"repository": "mallory/app"})),
        ("assertion.repository.extract('octo/{name}') != ''", json!({"repository": "mallory/app"})),
        ("assertion.organization_id == 'org-1'", json!({"organization_id": "org-2"})),
        ("size(assertion.sub) < 10 && assertion.project_id == '8'", json!({"project_id": "9"})),
        ("google.subject == 'subject' && attribute.repository_owner_id == '4711'", json!({"repository_owner_id": "1"})),
        ("string(assertion.project_id) == '8'", json!({"project_id": 9})),
        (
            "assertion.repository_owner_id == '4711' || assertion.namespace_id == '7'",
            json!({"repository_owner_id": "1", "namespace_id": "1"}),
        ),
        (
            "(assertion.ref == 'refs/heads/main' || assertion.ref.startsWith('refs/tags/v')) && assertion.repository == 'octo/app'",
            json!({"ref": "refs/heads/v1"}),
        ),
        ("assertion.sub != 'x' && assertion.owner_id == 't1'", json!({"owner_id": "t2"})),
    ] {
        let provider = provider(&json!({"attributeCondition": condition}));
        let decided = |claims: &Value| json_of(&provider, None, claims).0["decision"].clone();
        assert_eq!(decided(&token(&json!({}))), "allow", "{condition}");
        assert_eq!(decided(&token(&foreign)), "deny", "{condition} {foreign}");
    }
}
