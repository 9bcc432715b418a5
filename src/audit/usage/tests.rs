//! Trusts beside logs that are made by hand.

use serde_json::json;

use super::*;
use crate::domain::exchange::{Exchange, Refusal};
use crate::domain::iam::Policy;
use crate::domain::ids::Cloud;

const ROLE: &str = "arn:aws:iam::123456789012:role/reader";
const PROVIDER: &str = "arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com";
const ISSUER: &str = "https://token.actions.githubusercontent.com";
const NAMED: &str = "repo:octo/app:ref:refs/heads/main";
const BY_ID: &str = "repo:octo@1/app@22:ref:refs/heads/main";

fn exchange(role: &str, day: i64, subject: &str, is_refused: bool) -> Exchange {
    Exchange {
        cloud: Cloud::Aws,
        resource: Some(role.into()),
        provider: Some(PROVIDER.into()),
        issuer: Some(ISSUER.into()),
        audience: Some("sts.amazonaws.com".into()),
        subject: Some(subject.into()),
        refusal: is_refused.then(|| Refusal { code: "AccessDenied".into(), message: None }),
        credential: None,
        at: Some(day * A_DAY),
        request_id: None,
        region: None,
        session_name: None,
    }
}

fn log(exchanges: &[Exchange]) -> Log {
    let mut observed = Observed::default();
    exchanges.iter().for_each(|exchange| observed.add(exchange));
    Log { observed, unused_days: 30 }
}

fn role(subjects: Value) -> RoleTrust<'static> {
    let policy = json!({"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Principal": {"Federated": PROVIDER},
        "Action": "sts:AssumeRoleWithWebIdentity",
        "Condition": {"StringEquals": {"token.actions.githubusercontent.com:aud": "sts.amazonaws.com",
            "token.actions.githubusercontent.com:sub": subjects}}}});
    let place = Place { resource: ROLE.to_owned(), location: None };
    RoleTrust::of_policy(Policy::parse(&policy.to_string()).unwrap(), place)
}

fn causes(found: &[AuditFinding]) -> Vec<Cause> {
    found.iter().map(|finding| finding.cause).collect()
}

#[test]
fn a_trust_in_use_is_told_and_is_no_finding() {
    let log = log(&[exchange(ROLE, 1, NAMED, false), exchange(ROLE, 99, NAMED, false)]);
    let (of, found) = of_role(&role(json!(NAMED)), &log).unwrap();
    assert_eq!(of.used.sentence(), format!("2 times, last 1970-04-10T00:00:00Z, by `{NAMED}`"));
    assert_eq!((found, of.used.reach.unwrap()[0].as_str()), (Vec::new(), "1970-01-02T00:00:00Z"));
}

#[test]
fn unused_is_said_as_far_as_the_events_of_the_account_reach() {
    let other = "arn:aws:iam::123456789012:role/other";
    let elsewhere = "arn:aws:iam::999999999999:role/other";
    for (exchanges, sentence, cause) in [
        (
            vec![exchange(other, 1, NAMED, false), exchange(other, 99, NAMED, false)],
            "not seen in these events, from 1970-01-02T00:00:00Z to 1970-04-10T00:00:00Z",
            Some(Cause::TrustDead),
        ),
        (
            vec![exchange(ROLE, 60, NAMED, false), exchange(other, 99, NAMED, false)],
            "once, last 1970-03-02T00:00:00Z, by `repo:octo/app:ref:refs/heads/main`",
            Some(Cause::TrustDead),
        ),
        // Twenty days of events say nothing of thirty.
        (
            vec![exchange(other, 79, NAMED, false), exchange(other, 99, NAMED, false)],
            "not seen in these events, from 1970-03-21T00:00:00Z to 1970-04-10T00:00:00Z",
            None,
        ),
        (
            vec![exchange(elsewhere, 1, NAMED, false), exchange(elsewhere, 99, NAMED, false)],
            "unknown: these events hold no exchange of its account",
            None,
        ),
    ] {
        let (of, found) = of_role(&role(json!(NAMED)), &log(&exchanges)).unwrap();
        assert_eq!(of.used.sentence(), sentence);
        assert_eq!(causes(&found), cause.into_iter().collect::<Vec<_>>(), "{sentence}");
    }
}

#[test]
fn who_is_refused_is_told_with_the_reason_that_the_trust_gives() {
    let late = exchange(ROLE, 99, "repo:octo/app:ref:refs/heads/dev", true);
    let log = log(&[exchange(ROLE, 98, NAMED, false), late.clone(), late, exchange(ROLE, 97, "repo:x/y:z", true)]);
    let (of, found) = of_role(&role(json!(NAMED)), &log).unwrap();
    assert!(of.used.sentence().ends_with("; refused 3 times, last 1970-04-10T00:00:00Z"), "{}", of.used.sentence());
    let [finding] = found.as_slice() else { panic!("{found:#?}") };
    assert_eq!((finding.cause, finding.severity), (Cause::SubMismatch, Severity::Low));
    let evidence = finding.evidence.join("\n");
    assert!(evidence.contains("3 exchanges refused, last 1970-04-10T00:00:00Z for `repo:octo/app:ref:refs/heads/dev`"));
    assert!(evidence.contains("also refused: `repo:x/y:z`"), "{evidence}");
}

#[test]
fn a_name_breaks_where_the_repositorys_tokens_have_ids() {
    let elsewhere = exchange("arn:aws:iam::123456789012:role/other", 99, "repo:octo@1/app@22:environment:prod", false);
    let log = log(&[exchange(ROLE, 98, NAMED, false), elsewhere]);
    let (_, found) = of_role(&role(json!(NAMED)), &log).unwrap();
    let [finding] = found.as_slice() else { panic!("{found:#?}") };
    assert_eq!(finding.cause, Cause::ImmutableSub);
    assert!(finding.fixes[0].text.contains(BY_ID), "{finding:#?}");
    let (_, found) = of_role(&role(json!([NAMED, BY_ID])), &log).unwrap();
    assert_eq!(found, [], "both forms are trusted");
    // Where it is refused already, that is said once.
    let log = self::log(&[exchange(ROLE, 98, NAMED, false), exchange(ROLE, 99, BY_ID, true)]);
    let (_, found) = of_role(&role(json!(NAMED)), &log).unwrap();
    assert_eq!(causes(&found), [Cause::ImmutableSub], "{found:#?}");
}

#[test]
fn credentials_are_told_apart_and_refusals_are_the_applications() {
    let credential = |id: &str, subject: &str| CredentialOf {
        resource: format!("deploy (app-1), federated credential {id}"),
        application: Some("app-1".to_owned()),
        credential: json!({"id": id, "name": id, "issuer": ISSUER, "subject": subject,
            "audiences": ["api://AzureADTokenExchange"]}),
    };
    let sign_in = |day: i64, credential: Option<&str>, refusal: Option<&str>| Exchange {
        cloud: Cloud::Azure,
        resource: Some("app-1".to_owned()),
        credential: credential.map(str::to_owned),
        subject: refusal.map(str::to_owned),
        refusal: refusal.map(|subject| Refusal {
            code: "AADSTS700213".to_owned(),
            message: Some(format!(
                "No matching federated identity record found for presented assertion subject '{subject}'."
            )),
        }),
        issuer: None,
        audience: None,
        provider: None,
        ..exchange(ROLE, day, "", false)
    };
    let log =
        log(&[sign_in(1, Some("c1"), None), sign_in(99, Some("c1"), None), sign_in(98, None, Some("repo:octo/app:x"))]);
    let place = Place { resource: "apps.json".to_owned(), location: None };
    let (uses, found) = of_credentials(&[credential("c1", NAMED), credential("c2", "repo:octo/lib:x")], &place, &log);
    let told: Vec<(&str, u64, u64)> =
        uses.iter().map(|of| (of.resource.as_str(), of.used.granted, of.used.refused)).collect();
    assert_eq!(
        told,
        [
            ("deploy (app-1), federated credential c1", 2, 0),
            ("deploy (app-1), federated credential c2", 0, 0),
            ("deploy (app-1)", 2, 1),
        ]
    );
    let told: Vec<(&str, Cause)> = found.iter().map(|finding| (finding.resource.as_str(), finding.cause)).collect();
    assert_eq!(
        told,
        [("deploy (app-1), federated credential c2", Cause::TrustDead), ("deploy (app-1)", Cause::SubMismatch)]
    );
}

#[test]
fn a_pools_provider_is_told_by_its_name() {
    let name = "projects/123456789012/locations/global/workloadIdentityPools/ci/providers/github";
    let place = Place { resource: name.to_owned(), location: None };
    let provider =
        json!({"name": name, "oidc": {"issuerUri": ISSUER}, "attributeMapping": {"google.subject": "assertion.sub"}});
    let used = Exchange { cloud: Cloud::Gcp, resource: Some(name.to_owned()), ..exchange(ROLE, 99, NAMED, false) };
    let (of, found) = of_provider(&place, &provider, &log(&[used])).unwrap();
    assert_eq!((of.used.granted, found), (1, Vec::new()));
}
