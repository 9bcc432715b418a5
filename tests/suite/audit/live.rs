//! `trustline audit --operator`: a whole account, directory and project, read from a lab page by page.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::operator::variables;
use crate::support::{RunningLab, trustline};

const POOL: &str = "projects/123456789012/locations/global/workloadIdentityPools";

/// What `audit` reports in an operator's shell.
fn audited(lab: &RunningLab, more: &[&str]) -> Value {
    let (profile, ca_file) = (lab.file("profile.toml"), lab.file("ca.pem"));
    let output = trustline()
        .args(["audit", "--operator", "--profile-file", &profile, "--ca-file", &ca_file, "--output", "json"])
        .args(["--allow-host", "127.0.0.1", "--allow-host", "localhost"])
        .args(more)
        .envs(variables(lab))
        .output()
        .unwrap();
    let printed = String::from_utf8(output.stdout).unwrap();
    serde_json::from_str(&printed)
        .unwrap_or_else(|error| panic!("{error}: {printed} {}", String::from_utf8_lossy(&output.stderr)))
}

fn resources(document: &Value) -> BTreeSet<&str> {
    document["findings"].as_array().unwrap().iter().map(|finding| finding["resource"].as_str().unwrap()).collect()
}

/// Every request that a service had, by what was asked.
fn asked(lab: &RunningLab, service: &str) -> Vec<String> {
    lab.requests(service).iter().map(ToString::to_string).collect()
}

#[test]
fn an_account_is_read_page_by_page_and_throttling_is_waited_for() {
    let trust = json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow",
        "Principal": {"Federated": "arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com"},
        "Action": "sts:AssumeRoleWithWebIdentity",
        "Condition": {"StringEquals": {"token.actions.githubusercontent.com:aud": "sts.amazonaws.com"}}}]});
    let roles: String = (0..5)
        .map(|at| {
            let secrets = json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow",
                "Action": "secretsmanager:GetSecretValue", "Resource": "*"}]});
            format!(
                "[aws.roles.open-{at}]\ntrust-policy = '{trust}'\nattached = [\"secrets\"]\n[aws.policies.secrets-{at}]\ndocument = '{secrets}'\n"
            )
        })
        .collect();
    let roles = roles.replace("[\"secrets\"]", "[\"secrets-0\"]");
    let world = format!("name = \"fleet\"\ntitle = \"a fleet\"\n[aws]\npage-size = 2\nthrottled-reads = 2\n{roles}");
    let lab = RunningLab::world(&world);
    let document = audited(&lab, &[]);
    let found = resources(&document);
    for at in 0..5 {
        let arn = format!("arn:aws:iam::123456789012:role/open-{at}");
        assert!(found.contains(arn.as_str()), "{arn}: {document:#}");
    }
    let open =
        document["findings"].as_array().unwrap().iter().find(|finding| finding["severity"] == "critical").unwrap();
    assert_eq!(open["reaches"], json!(["every secret"]));
    assert!(document["read"]["throttled"].as_str().unwrap().starts_with("throttled 2 times"), "{document:#}");
    assert!(document["read"]["providers"].as_u64() >= Some(1));
    assert!(document["read"]["source"].as_str().unwrap().contains("the account of"), "{document:#}");
    let requests = asked(&lab, "iam");
    assert!(requests.len() >= 5, "several pages: {requests:#?}");
    let asks_only = |request: &String| {
        ["GetAccount", "GetOpenID", "ListOpenID", "GetCallerIdentity"].iter().any(|read| request.contains(read))
    };
    assert!(requests.iter().all(asks_only), "{requests:#?}");
}

#[test]
fn what_an_operator_may_not_read_is_named_and_the_rest_goes_on() {
    let only_providers = json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow",
        "Action": ["iam:ListOpenIDConnectProviders", "iam:GetOpenIDConnectProvider"], "Resource": "*"}]});
    let world = format!(
        "name = \"least\"\ntitle = \"t\"\n[aws.users.operator.policies]\nAdministratorAccess = '{only_providers}'\n"
    );
    let document = audited(&RunningLab::world(&world), &[]);
    let not_judged = document["read"]["not_judged"].to_string();
    assert!(
        not_judged.contains("not read") && not_judged.contains("iam:GetAccountAuthorizationDetails"),
        "{document:#}"
    );
    assert!(document["read"]["providers"].as_u64() >= Some(1));
}

#[test]
fn a_directory_is_read_with_the_identities_of_its_subscriptions() {
    let credential = |name: &str, expression: &str| {
        format!(
            "[azure.apps.{name}.credentials.ci]\nissuer = \"https://token.actions.githubusercontent.com\"\naudience = \"api://AzureADTokenExchange\"\nexpression = \"{expression}\"\n"
        )
    };
    let wide = "claims['sub'] matches 'repo:*' and claims['repository_owner_id'] matches '*'";
    let apps: String = (0..4)
        .map(|at| {
            format!(
                "[azure.apps.wide-{at}]\nclient-id = \"0000000{at}-1111-4222-8333-444444444444\"\nobject-id = \"0000000{at}-1111-4222-8333-555555555555\"\n{}",
                credential(&format!("wide-{at}"), wide)
            )
        })
        .collect();
    let identity = format!(
        "[azure.apps.identity]\nmanaged-identity = true\nclient-id = \"00000009-1111-4222-8333-444444444444\"\nobject-id = \"00000009-1111-4222-8333-555555555555\"\n{}",
        credential("identity", wide)
    );
    let world = |at: &str| {
        format!(
            "name = \"fleet\"\ntitle = \"t\"\nguide = \"azure-workload-identity\"\n[azure]\npage-size = 2\nthrottled-reads = 1\n{apps}{identity}[azure.vault.roles.operator]\nat = \"{at}\"\n"
        )
    };
    let lab = RunningLab::world(&world("subscription"));
    let document = audited(&lab, &[]);
    let found = resources(&document);
    for at in 0..4 {
        assert!(found.iter().any(|name| name.starts_with(&format!("wide-{at} ("))), "{found:#?} {document:#}");
    }
    assert!(found.iter().any(|name| name.contains("userAssignedIdentities/identity")), "{found:#?} {document:#}");
    assert!(document["read"]["throttled"].as_str().is_some_and(|said| said.contains("throttled")), "{document:#}");
    assert!(asked(&lab, "graph").iter().all(|request| request.contains("GET")), "{:#?}", asked(&lab, "graph"));
    // Where the operator has rights at the vault alone, the identities are not read, and that is said.
    let document = audited(&RunningLab::world(&world("vault")), &[]);
    let not_judged = document["read"]["not_judged"].to_string();
    assert!(not_judged.contains("Microsoft.ManagedIdentity/userAssignedIdentities/read"), "{document:#}");
    assert!(resources(&document).iter().any(|name| name.starts_with("wide-0 (")), "{document:#}");
}

#[test]
fn a_project_is_read_with_its_pools_and_policies() {
    let mut world = "name = \"fleet\"\ntitle = \"t\"\nguide = \"gcp-workload-identity\"\n".to_owned();
    world.push_str("[google.pools.open.providers.github]\nissuer-uri = \"https://token.actions.githubusercontent.com\"\nattribute-mapping = { \"google.subject\" = \"assertion.sub\" }\n");
    world.push_str(&format!(
        "[google.grants.wide]\nrole = \"roles/owner\"\nmembers = [\"principalSet://iam.googleapis.com/{POOL}/open/*\"]\n"
    ));
    let lab = RunningLab::world(&world);
    let document = audited(&lab, &[]);
    let found = resources(&document);
    assert!(found.contains(format!("{POOL}/open/providers/github").as_str()), "{document:#}");
    assert!(found.contains("//cloudresourcemanager.googleapis.com/projects/123456789012"), "{document:#}");
    assert_eq!(document["read"].get("not_judged"), None, "{document:#}");
}
