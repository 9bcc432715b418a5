//! For each cloud: what is made of lists, what is refused, and that a proof never lets a stranger in.

use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::*;
use crate::domain::entra::{self, CredentialSet};
use crate::domain::gcp::{self, PoolProvider};
use crate::domain::iam::{Decision, Policy, TrustRequest, decide_trust};

const GITHUB: &str = "https://token.actions.githubusercontent.com";
const PLATFORM: &str = "https://app.example.com";
const MAIN: &str = "repo:octo/app:ref:refs/heads/main";
const PROD: &str = "repo:octo/app:environment:prod";
const PULL: &str = "repo:octo/app:pull_request";

fn lists(admit: &[&str], refuse: &[&str]) -> Lists {
    let listed = |subjects: &[&str]| subjects.iter().map(|subject| Listed::written(*subject)).collect();
    Lists::of(listed(admit), listed(refuse), GITHUB, None).unwrap()
}

fn wanted<'a>(issuer: &'a str, audience: &'a str, lists: &'a Lists) -> Wanted<'a> {
    Wanted { issuer, audience, lists }
}

fn aws(issuer: &str, admit: &[&str], refuse: &[&str]) -> Result<Least<Value>, NoTrust> {
    let arn = format!("arn:aws:iam::123456789012:oidc-provider/{}", issuer.trim_start_matches("https://"));
    trust_policy(&wanted(issuer, "sts.amazonaws.com", &lists(admit, refuse)), &arn)
}

fn entra(issuer: &str, admit: &[&str], refuse: &[&str]) -> Result<Least<Vec<Value>>, NoTrust> {
    federated_credentials(&wanted(issuer, "api://AzureADTokenExchange", &lists(admit, refuse)), "deploy")
}

fn google(issuer: &str, admit: &[&str], refuse: &[&str]) -> Result<Least<String>, NoTrust> {
    attribute_condition(&wanted(issuer, "https://iam.googleapis.com/p", &lists(admit, refuse)))
}

#[test]
fn one_subject_is_asked_for_in_full() {
    let policy = aws(GITHUB, &[MAIN], &[PULL]).unwrap();
    assert_eq!(
        policy.trust["Statement"][0]["Condition"],
        json!({"StringEquals": {
            "token.actions.githubusercontent.com:aud": "sts.amazonaws.com",
            "token.actions.githubusercontent.com:sub": MAIN,
        }})
    );
    assert_eq!(policy.notes, Vec::<String>::new());
    let credentials = entra(GITHUB, &[MAIN], &[PULL]).unwrap().trust;
    assert_eq!(
        (credentials.len(), &credentials[0]["subject"], &credentials[0]["name"]),
        (1, &json!(MAIN), &json!("deploy"))
    );
    assert_eq!(google(GITHUB, &[MAIN], &[PULL]).unwrap().trust, format!("assertion.sub == '{MAIN}'"));
}

#[test]
fn several_subjects_stand_beside_each_other() {
    let policy = aws(GITHUB, &[MAIN, PROD], &[]).unwrap().trust;
    let subjects = &policy["Statement"][0]["Condition"]["StringEquals"]["token.actions.githubusercontent.com:sub"];
    assert_eq!(subjects, &json!([PROD, MAIN]));
    let names: Vec<Value> =
        entra(GITHUB, &[MAIN, PROD], &[]).unwrap().trust.into_iter().map(|c| c["name"].clone()).collect();
    assert_eq!(names, [json!("deploy-1"), json!("deploy-2")]);
    assert_eq!(google(GITHUB, &[MAIN, PROD], &[]).unwrap().trust, format!("assertion.sub in ['{PROD}', '{MAIN}']"));
}

#[test]
fn a_pattern_keeps_out_what_is_refused_and_tells_what_else_it_lets_in() {
    let wide = aws(GITHUB, &["repo:octo/app:*"], &[]).unwrap();
    assert!(wide.notes.iter().any(|note| note.contains(PULL)), "{:?}", wide.notes);
    let kept = aws(GITHUB, &["repo:octo/app:*", MAIN], &[PULL]).unwrap();
    assert!(!kept.notes.iter().any(|note| note.contains(PULL)), "{:?}", kept.notes);
    let statements = kept.trust["Statement"].as_array().unwrap();
    assert_eq!(statements[1]["Condition"]["StringNotLike"], json!({"token.actions.githubusercontent.com:sub": PULL}));
    assert!(statements[0]["Condition"].get("StringNotLike").is_none(), "a named one is kept in whatever is refused");
    assert_eq!(
        google(GITHUB, &["repo:octo/app:*", "b"], &[PULL]).unwrap().trust,
        format!("assertion.sub == 'b' || (assertion.sub.startsWith('repo:octo/app:') && !(assertion.sub == '{PULL}'))")
    );
    let circleci = "org/o/project/p/user/*/vcs-ref/refs/heads/main";
    let condition = google("https://oidc.circleci.com/org/o", &[circleci], &[]).unwrap().trust;
    assert_eq!(condition, "assertion.sub.matches('^org/o/project/p/user/.*/vcs-ref/refs/heads/main$')");
}

#[test]
fn what_lets_in_other_owners_is_not_made() {
    for (issuer, pattern) in [
        (GITHUB, "repo:*"),
        (GITHUB, "repo:octo*/app:*"),
        (GITHUB, "*"),
        (PLATFORM, "organization:*"),
        ("https://oidc.eks.eu-west-1.amazonaws.com/id/ABC", "system:serviceaccount:*:reader"),
    ] {
        for (cloud, made) in
            [("aws", aws(issuer, &[pattern], &[]).err()), ("google", google(issuer, &[pattern], &[]).err())]
        {
            assert!(matches!(made, Some(NoTrust::TooWide { .. })), "{cloud} {pattern}: {made:?}");
        }
    }
}

#[test]
fn entra_says_what_an_expression_cannot() {
    let unsaid = |issuer, admit: &[&str], refuse: &[&str]| match entra(issuer, admit, refuse) {
        Err(NoTrust::NotSaid { why, .. }) => why,
        other => panic!("{other:?}"),
    };
    assert!(unsaid(PLATFORM, &["organization:a*"], &[]).contains("alone"));
    assert!(unsaid(GITHUB, &["repo:octo/app:*"], &[]).contains("Graph demands an id"));
    assert!(unsaid(GITHUB, &["repo:octo@1/app@2:*"], &["repo:octo@1/app@2:pull_request"]).contains("keeps nobody out"));
    let made = entra(GITHUB, &["repo:octo@1/app@2:ref:refs/heads/*"], &[]).unwrap();
    let value = &made.trust[0]["claimsMatchingExpression"]["value"];
    assert_eq!(
        value,
        "claims['sub'] matches 'repo:octo@1/app@2:ref:refs/heads/*' and claims['repository_owner_id'] eq '1' and claims['repository_id'] eq '2'"
    );
    assert!(made.notes.iter().any(|note| note.contains("beta version")), "{:?}", made.notes);
    let terraform = "organization:o:project:p:workspace:w:run_phase:*";
    assert!(entra("https://app.terraform.io", &[terraform], &[]).is_ok());
}

#[test]
fn more_than_a_cloud_takes_is_not_made() {
    let many: Vec<String> = (0..100).map(|n| format!("repo:octo/app-{n}:environment:production-{n}")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    let limit = |error: Option<NoTrust>| match error {
        Some(NoTrust::TooLarge { limit, .. }) => limit,
        other => panic!("{other:?}"),
    };
    assert_eq!(limit(aws(GITHUB, &many, &[]).err()), 4096);
    assert_eq!(limit(entra(GITHUB, &many[..21], &[]).err()), 20);
    assert_eq!(limit(google(GITHUB, &many, &[]).err()), 4096);
    let raised = aws(GITHUB, &many[..45], &[]).unwrap();
    assert!(raised.notes.iter().any(|note| note.contains("quota")), "{:?}", raised.notes);
    let long = format!("repo:octo/{}:environment:prod", "a".repeat(120));
    assert!(matches!(google(GITHUB, &[&long], &[]), Err(NoTrust::NotAdmitted { why, .. }) if why.contains("127")));
}

fn token(issuer: &str, audience: &str, subject: &str) -> Map<String, Value> {
    json!({"iss": issuer, "aud": audience, "sub": subject}).as_object().unwrap().clone()
}

proptest! {
    /// Whatever the lists are: what is made admits the one list and nobody of the other, by an evaluation of its own.
    #[test]
    fn what_is_made_does_what_the_lists_say(
        admit in prop::collection::btree_set("repo:octo/(app|web):(environment:(prod|x'y)|ref:refs/heads/(main|a\\.b|\\*)|pull_request)", 1..5),
        refuse in prop::collection::btree_set("repo:(octo|else)/(app|web|api):(environment:prod|ref:refs/heads/(main|dev)|pull_request|\\*)", 0..5),
    ) {
        let listed = |set: &std::collections::BTreeSet<String>| set.iter().map(Listed::written).collect::<Vec<_>>();
        let Ok(lists) = Lists::of(listed(&admit), listed(&refuse), GITHUB, None) else { return Ok(()) };
        let plain = |list: &[String]| list.iter().map(|s| s.replace('*', "dev-1")).collect::<Vec<_>>();
        let (inside, outside) = (plain(&lists.admit), plain(&lists.refuse));
        let outside: Vec<String> = outside.into_iter().chain(["repo:stranger/app:pull_request".to_owned(), String::new()]).collect();
        let is_refused = |subject: &String| lists.refuse.iter().any(|one| super::lists::fits(one, subject));
        let arn = "arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com";
        if let Ok(made) = trust_policy(&wanted(GITHUB, "sts.amazonaws.com", &lists), arn) {
            let policy = Policy::parse(&made.trust.to_string()).unwrap();
            let admits = |subject: &String| {
                let claims = token(GITHUB, "sts.amazonaws.com", subject);
                decide_trust(&policy, &TrustRequest::new(&claims, arn)) == Decision::Allow
            };
            prop_assert!(inside.iter().filter(|subject| !is_refused(subject)).all(admits), "{}", made.trust);
            prop_assert!(!outside.iter().any(admits), "{}", made.trust);
        }
        if let Ok(made) = federated_credentials(&wanted(GITHUB, "api://a", &lists), "deploy") {
            let set = CredentialSet::parse(&json!(made.trust).to_string()).unwrap();
            let admits = |subject: &String| entra::evaluate(&set, &token(GITHUB, "api://a", subject)).decision == Decision::Allow;
            prop_assert!(inside.iter().all(admits) && !outside.iter().any(admits), "{:?}", made.trust);
        }
        if let Ok(made) = attribute_condition(&wanted(GITHUB, "a", &lists)) {
            let provider = json!({
                "name": "projects/1/locations/global/workloadIdentityPools/pool/providers/p",
                "oidc": {"issuerUri": GITHUB, "allowedAudiences": ["a"]},
                "attributeMapping": {"google.subject": "assertion.sub"}, "attributeCondition": made.trust,
            });
            let provider = PoolProvider::parse(&provider.to_string()).unwrap();
            let admits = |subject: &String| {
                let claims = token(GITHUB, "a", subject);
                gcp::evaluate(&provider, None, gcp::Subject { claims: &claims, unknown: &[] }).decision == Decision::Allow
            };
            prop_assert!(inside.iter().filter(|subject| !is_refused(subject)).all(admits), "{}", made.trust);
            prop_assert!(!outside.iter().any(admits), "{}", made.trust);
        }
    }
}
