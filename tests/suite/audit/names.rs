//! What `trustline audit` calls what it finds: ids that are the same on every machine and differ where resources do; code in
//! either syntax, named or walked.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::{Value, json};

use super::{GITHUB, audit, folder_with, json_of, statement};

/// A role that a whole owner may have.
fn role(owner: &str) -> String {
    format!(
        r#"resource "aws_iam_role" "ci" {{
  assume_role_policy = jsonencode({{
    Version = "2012-10-17"
    Statement = [{{
      Effect    = "Allow"
      Action    = "sts:AssumeRoleWithWebIdentity"
      Principal = {{ Federated = "arn:aws:iam::111122223333:oidc-provider/{GITHUB}" }}
      Condition = {{
        StringEquals = {{ "{GITHUB}:aud" = "sts.amazonaws.com" }}
        StringLike   = {{ "{GITHUB}:sub" = "repo:{owner}/*" }}
      }}
    }}]
  }})
}}
"#
    )
}

fn policy() -> String {
    let open = statement(GITHUB, json!({"StringEquals": {format!("{GITHUB}:aud"): "sts.amazonaws.com"}}));
    json!({"Version": "2012-10-17", "Statement": [open]}).to_string()
}

fn credentials() -> String {
    let expression =
        json!({"value": "claims['sub'] matches '*' and claims['repository_id'] matches '*'", "languageVersion": 1});
    json!([{"name": "ci", "issuer": format!("https://{GITHUB}"), "audiences": ["api://AzureADTokenExchange"],
        "claimsMatchingExpression": expression}])
    .to_string()
}

fn ids(folder: &Path, paths: &[&str]) -> Vec<String> {
    let document = json_of(folder, paths);
    let findings = document["findings"].as_array().unwrap();
    findings.iter().map(|finding| finding["id"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn one_address_in_two_folders_has_two_ids_which_no_machine_changes() {
    let template = json!({"Resources": {"Ci": {"Type": "AWS::IAM::Role", "Properties": {"AssumeRolePolicyDocument":
        serde_json::from_str::<Value>(&policy()).unwrap()}}}});
    let files = |top: &str| -> Vec<(String, String)> {
        ["dev", "prod"]
            .iter()
            .flat_map(|stage| {
                [
                    (format!("{top}/{stage}/main.tf"), role("octo")),
                    (format!("{top}/{stage}/trust.json"), policy()),
                    (format!("{top}/{stage}/template.json"), template.to_string()),
                    (format!("{top}/{stage}/app.json"), credentials()),
                ]
            })
            .collect()
    };
    let folder = |top: &str| {
        let files = files(top);
        folder_with(&files.iter().map(|(name, text)| (name.as_str(), text.clone())).collect::<Vec<_>>())
    };
    let (here, elsewhere) = (folder("infra"), folder("a/checkout/infra"));
    let own = ids(here.path(), &["infra"]);
    assert_eq!((own.len(), own.iter().collect::<BTreeSet<_>>().len()), (8, 8), "each has an id of its own: {own:?}");
    let sorted = |mut ids: Vec<String>| {
        ids.sort_unstable();
        ids
    };
    let absolute = elsewhere.path().join("a/checkout/infra");
    for (folder, path) in [
        (here.path().join("infra"), "."),
        (here.path().to_owned(), "./infra/"),
        (elsewhere.path().to_owned(), absolute.to_str().unwrap()),
    ] {
        assert_eq!(sorted(ids(&folder, &[path])), sorted(own.clone()), "{path}");
    }
    // Two that are named have two ids as well.
    let named = ids(here.path(), &["infra/dev", "infra/prod"]);
    assert_eq!(named.iter().collect::<BTreeSet<_>>().len(), 8, "{named:?}");
}

#[test]
fn a_file_is_judged_however_it_is_named_and_alone() {
    let json_syntax = json!({"resource": {"aws_iam_role": {"json": {"assume_role_policy": policy()}}}}).to_string();
    let folder = folder_with(&[
        ("main.tf", role("octo")),
        ("other.tf", role("octo").replace("\"ci\"", "\"other\"")),
        ("cdk.tf.json", json_syntax),
        ("x.auto.tfvars.json", "{\"a\": \"b\"}".to_owned()),
    ]);
    let resources = |path: &str| -> (Vec<String>, Value) {
        let document = json_of(folder.path(), &[path]);
        let findings = document["findings"].as_array().unwrap();
        let names = findings.iter().map(|finding| finding["resource"].as_str().unwrap().to_owned());
        (names.collect(), document["read"].clone())
    };
    let absolute = folder.path().join("main.tf");
    for path in ["main.tf", "./main.tf", ".//main.tf", absolute.to_str().unwrap()] {
        let (found, read) = resources(path);
        assert_eq!(
            (found.as_slice(), &read["trusts"]),
            (["aws_iam_role.ci".to_owned()].as_slice(), &json!(1)),
            "{path}"
        );
    }
    assert_eq!(resources("cdk.tf.json").0, ["aws_iam_role.json"]);
    let (all, read) = resources(".");
    assert_eq!(all, ["aws_iam_role.json", "aws_iam_role.ci", "aws_iam_role.other"]);
    assert_eq!((&read["files"], read.get("not_judged")), (&json!(1), None), "{read:#}");
}

#[test]
fn a_trust_in_an_actor_alone_shows_whose_run_gets_in() {
    let by_actor = statement(
        GITHUB,
        json!({"StringEquals": {format!("{GITHUB}:aud"): "sts.amazonaws.com", format!("{GITHUB}:actor"): "mona"}}),
    );
    let trust = json!({"Version": "2012-10-17", "Statement": [by_actor]}).to_string();
    let document = json_of(folder_with(&[("a.json", trust)]).path(), &["a.json"]);
    let admitted = &document["findings"][0]["admits"][0];
    assert!(admitted["subject"].as_str().unwrap().starts_with("repo:someone-else/"), "{document:#}");
    assert_eq!(admitted["claims"]["actor"], "mona");
}

#[test]
fn a_pool_that_no_policy_names_is_told_and_one_that_is_named_is_not() {
    let pool = |id: &str| format!("projects/123456789012/locations/global/workloadIdentityPools/{id}");
    let provider = |id: &str| {
        json!({"name": format!("{}/providers/ci", pool(id)), "state": "ACTIVE", "oidc": {"issuerUri": format!("https://{GITHUB}")},
            "attributeMapping": {"google.subject": "assertion.sub"}, "attributeCondition": "assertion.repository_owner_id == '7'"})
    };
    let member = format!("principalSet://iam.googleapis.com/{}/attribute.owner/7", pool("used"));
    let bound = json!({"bindings": [{"role": "roles/viewer", "members": [member]}], "etag": "ACAB", "version": 1});
    let folder = folder_with(&[
        ("providers.json", json!([provider("used"), provider("idle")]).to_string()),
        ("policy.json", bound.to_string()),
    ]);
    let found = json_of(folder.path(), &["."]);
    let resources: Vec<&Value> =
        found["findings"].as_array().unwrap().iter().map(|finding| &finding["resource"]).collect();
    assert_eq!(resources, [&json!(pool("idle"))], "{found:#}");
    let alone = audit(folder.path(), &["providers.json", "--fail-on", "low"]);
    assert_eq!(alone.status.code(), Some(0), "nobody is known to be let in where no policy was read");
}
