//! What holds for every call to a cloud: its refusal is noticed, waited out where that may help, and its attempts counted.

use super::{is_refused, may_be_propagating};
use crate::check::CheckId;
use crate::check::facts::Facts;
use crate::check::facts::azure::{CredentialKind, ExchangeFact, VaultFact};
use crate::check::facts::cloud::{Answer, Call, Refusal};

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
        with(CheckId::AwsListSecrets, &|f| f.aws.list = Some(refused(code, http_status))),
        with(CheckId::AwsGetSecret, &|f| f.aws.secret = Some(refused(code, http_status))),
        with(CheckId::AzureExchange, &|f| f.azure.exchange = Some(of_entra(refused(code, http_status)))),
        with(CheckId::AzureListSecrets, &|f| f.azure.list = Some(of_vault(refused(code, http_status)))),
        with(CheckId::AzureGetSecret, &|f| f.azure.secret = Some(of_vault(refused(code, http_status)))),
    ]
}

#[test]
fn a_refusal_of_any_call_is_noticed() {
    for (check, facts) in each_refused("AccessDenied", 403) {
        assert!(is_refused(check, &facts), "{check}");
        let others = each_refused("AccessDenied", 403).into_iter().filter(|(other, _)| *other != check);
        for (other, facts) in others {
            assert!(!is_refused(check, &facts), "{check} for {other}");
        }
    }
}

#[test]
fn what_may_pass_by_itself_is_waited_out_at_any_call() {
    for (code, http_status, passing) in
        [("Throttling", 429, true), ("Broken", 500, true), ("ValidationError", 400, false)]
    {
        for (check, facts) in each_refused(code, http_status) {
            let told = may_be_propagating(check, &facts);
            assert_eq!(told, passing.then(|| format!("{code}: Not now.")), "{check} {code}");
        }
    }
}

#[test]
fn attempts_are_noted_on_the_call_that_was_made_again() {
    for (check, mut facts) in each_refused("Throttling", 429) {
        facts.note_attempts(&[check], 3, 1500);
        let told = facts.json(check);
        assert_eq!((&told["attempts"], &told["waited_ms"]), (&3.into(), &1500.into()), "{check}");
    }
}
