//! What holds for every check, and for every call to a cloud: its refusal is noticed, waited out where that may help, and
//! its attempts counted.

use std::collections::BTreeSet;

use super::definition::Traffic;
use super::facts::secret::{Answer, Call, Refusal};
use super::registry::{CHECKS, judge};
use super::{CheckId, Outcome};
use crate::check::facts::Facts;
use crate::check::facts::azure::{CredentialKind, ExchangeFact, VaultFact};
use crate::check::facts::azure::{SubscriptionFact, SubscriptionSeen};
use crate::check::facts::deployment::{DeclaredInputs, DeploymentFact};
use crate::check::facts::google::GoogleCall;
use crate::check::facts::operator::Read;
use crate::domain::profile::{Guide, Profile};
use crate::domain::secret_ref::SecretRef;

fn refused<T>(code: &str, http_status: u16) -> Call<T> {
    let refusal = Refusal { code: code.to_owned(), message: "Not now.".to_owned(), http_status, request_id: None };
    Call { region: None, attempts: 1, waited_ms: 0, answer: Answer::Refused(refusal), exchange: None }
}

fn of_vault<T>(call: Call<T>) -> VaultFact<T> {
    VaultFact {
        vault: "https://my-vault.vault.azure.net".to_owned(),
        challenge: None,
        challenge_fit: None,
        call,
        error: None,
        token_error: None,
        deleted: None,
    }
}

fn of_entra(call: Call<crate::check::facts::azure::AccessGranted>) -> ExchangeFact {
    ExchangeFact {
        authority: "https://login.microsoftonline.com".to_owned(),
        tenant_id: String::new(),
        client_id: String::new(),
        scope: String::new(),
        credential: CredentialKind::Assertion,
        call,
        error: None,
    }
}

fn of_deployment(call: Call<DeclaredInputs>) -> DeploymentFact {
    DeploymentFact { deployment: String::new(), token: None, call, missing: Vec::new(), problem: None }
}

fn of_google<T>(call: Call<T>) -> GoogleCall<T> {
    GoogleCall { endpoint: String::new(), call, error: None }
}

fn of_subscription(call: Call<SubscriptionSeen>) -> SubscriptionFact {
    SubscriptionFact { subscription: String::new(), call }
}

/// Every check that is one call to a cloud, with that call refused and nothing else seen.
fn each_refused(code: &str, http_status: u16) -> Vec<(CheckId, Facts)> {
    let with = |check, put: &dyn Fn(&mut Facts)| {
        let mut facts = Facts::default();
        put(&mut facts);
        (check, facts)
    };
    vec![
        with(CheckId::AwsAssumeRoleWithWebIdentity, &|f| f.aws.assume_role = Some(refused(code, http_status))),
        with(CheckId::AwsAssumeRole, &|f| f.aws.assumed = Some(refused(code, http_status))),
        with(CheckId::AwsOperator, &|f| f.operator.aws.caller = Some(refused(code, http_status))),
        with(CheckId::AwsRole, &|f| {
            let call = refused(code, http_status);
            f.operator.aws.role = Some(Read { permission: "iam:GetRole", call, throttled: Default::default() });
        }),
        with(CheckId::GcpOperator, &|f| {
            let (permission, call) = ("resourcemanager.projects.get", refused(code, http_status));
            f.operator.google.project = Some(Read { permission, call, throttled: Default::default() });
        }),
        with(CheckId::AwsCallerIdentity, &|f| f.aws.caller = Some(refused(code, http_status))),
        with(CheckId::AwsListSecrets, &|f| f.aws.list = Some(refused(code, http_status))),
        with(CheckId::AwsGetSecret, &|f| f.aws.secret = Some(refused(code, http_status))),
        with(CheckId::AzureExchange, &|f| f.azure.exchange = Some(of_entra(refused(code, http_status)))),
        with(CheckId::AzureListSecrets, &|f| f.azure.list = Some(of_vault(refused(code, http_status)))),
        with(CheckId::AzureGetSecret, &|f| f.azure.secret = Some(of_vault(refused(code, http_status)))),
        with(CheckId::AzureSubscription, &|f| {
            f.azure.subscription = Some(of_subscription(refused(code, http_status)));
        }),
        with(CheckId::GcpExchange, &|f| f.google.exchange = Some(of_google(refused(code, http_status)))),
        with(CheckId::GcpImpersonate, &|f| f.google.impersonated = Some(of_google(refused(code, http_status)))),
        with(CheckId::GcpListSecrets, &|f| f.google.list = Some(of_google(refused(code, http_status)))),
        with(CheckId::GcpGetSecret, &|f| f.google.secret = Some(of_google(refused(code, http_status)))),
        with(CheckId::DeploymentReachable, &|f| f.deployment = Some(of_deployment(refused(code, http_status)))),
    ]
}

#[test]
fn every_check_that_is_a_call_is_here() {
    let calls = CHECKS.iter().filter(|check| matches!(check.traffic, Traffic::Call { .. })).map(|check| check.id);
    let here = each_refused("AccessDenied", 403);
    assert_eq!(here.iter().map(|(check, _)| *check).collect::<BTreeSet<_>>(), calls.collect());
    for (check, facts) in here {
        assert!(check.check().call(&facts).is_some(), "{check}");
    }
}

#[test]
fn a_refusal_of_any_call_is_noticed() {
    for (check, facts) in each_refused("AccessDenied", 403) {
        assert!(check.check().is_refused(&facts), "{check}");
        let others = each_refused("AccessDenied", 403).into_iter().filter(|(other, _)| *other != check);
        for (other, facts) in others {
            assert!(!check.check().is_refused(&facts), "{check} for {other}");
        }
    }
}

#[test]
fn what_may_pass_by_itself_is_waited_out_at_any_call_that_proves_a_right() {
    for (code, http_status, passing) in
        [("Throttling", 429, true), ("Broken", 500, true), ("ValidationError", 400, false)]
    {
        let waited_out = |check: &CheckId| {
            use CheckId::{AwsOperator, AwsRole, AzureSubscription, DeploymentReachable, GcpOperator};
            !matches!(check, AwsOperator | AwsRole | AzureSubscription | DeploymentReachable | GcpOperator)
        };
        for (check, facts) in each_refused(code, http_status).into_iter().filter(|(check, _)| waited_out(check)) {
            let told = check.check().may_be_propagating(&facts);
            assert_eq!(told, passing.then(|| format!("{code}: Not now.")), "{check} {code}");
        }
    }
}

#[test]
fn attempts_are_noted_on_the_call_that_was_made_again() {
    for (check, mut facts) in each_refused("Throttling", 429) {
        check.check().note_attempts(&mut facts, 3, 1500);
        let told = check.check().shown(&facts);
        assert_eq!((&told["attempts"], &told["waited_ms"]), (&3.into(), &1500.into()), "{check}");
    }
}

#[test]
fn every_check_says_all_that_is_asked_of_it() {
    for (place, check) in CHECKS.iter().enumerate() {
        assert!(!check.title.is_empty() && !check.title.ends_with('.'), "{}: {}", check.id, check.title);
        assert!(check.docs.starts_with("https://"), "{}: {}", check.id, check.docs);
        for need in check.needs {
            let is_read_of_the_secret = check.id == CheckId::SecretJsonKey;
            assert!((*need as usize) < place, "{} needs {need}, which comes later", check.id);
            let is_operator = matches!(need, CheckId::AwsOperator | CheckId::AzureOperator | CheckId::GcpOperator);
            assert!(
                is_operator || is_read_of_the_secret || need.check().link == check.link,
                "{} needs {need}",
                check.id
            );
        }
        let is_informed = |guide: &Guide| (check.step)(&profile(*guide)).is_some();
        assert!(Guide::ALL.iter().any(is_informed), "{}: no guide has a step for it", check.id);
        for guide in Guide::ALL {
            let verdict = judge(check.id, &Facts::default(), &profile(*guide));
            let is_judged = matches!(verdict.outcome, Outcome::Pass | Outcome::Warn | Outcome::Fail);
            assert!(!is_judged && verdict.reason.is_some(), "{} of {guide}: {verdict:?}", check.id);
        }
    }
}

fn profile(guide: Guide) -> Profile {
    Profile { secret: SecretRef::parse("db#password").ok(), ..Profile::bare("bare", guide) }
}
