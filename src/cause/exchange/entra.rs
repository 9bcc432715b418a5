//! A service principal's sign-in with a token, beside the application's federated credentials: which one matched, or why none.

use serde_json::{Map, Value};

use super::{Judgement, of_code};
use crate::cause::{Finding, TrustDocument, entra};
use crate::domain::entra::{CredentialEvaluation, CredentialSet, FederatedCredential, evaluate};
use crate::domain::exchange::{Exchange, Refusal};
use crate::domain::iam::Decision;
use crate::domain::ids::Finder;

/// Judges a sign-in.
pub(super) fn judge(exchange: &Exchange, credentials: Option<&CredentialSet>) -> Judgement {
    match &exchange.refusal {
        None => granted(exchange, credentials),
        Some(refusal) => refused(exchange, refusal, credentials),
    }
}

fn granted(exchange: &Exchange, credentials: Option<&CredentialSet>) -> Judgement {
    let unknown = |why: &str| Judgement::unknown(why.to_owned(), Vec::new());
    let Some(id) = exchange.credential.as_deref() else {
        return unknown("the log does not say which federated credential matched");
    };
    let Some(credentials) = credentials else {
        return unknown("the application's federated credentials are not at hand: give them with --credential");
    };
    match credentials.credentials.iter().find(|one| one.id.as_deref().is_some_and(|own| own.eq_ignore_ascii_case(id))) {
        Some(one) => Judgement { verdict: Decision::Allow, why: None, causes: Vec::new(), matched: one.name.clone() },
        None => unknown(
            "the federated credential that matched is not among those given: it is another application's, or gone",
        ),
    }
}

fn refused(exchange: &Exchange, refusal: &Refusal, credentials: Option<&CredentialSet>) -> Judgement {
    let causes = of_code(refusal);
    let is_the_credentials =
        causes.first().is_some_and(|first| TrustDocument::Credentials.decides().contains(&first.cause));
    let Some(credentials) = credentials else {
        let why = "the application's federated credentials are not at hand: give them with --credential";
        return Judgement::unknown(why.to_owned(), causes);
    };
    if !is_the_credentials {
        return Judgement::unknown(format!("`{}` is not about the federated credentials", refusal.code), causes);
    }
    let quoted = exchange.claims();
    if quoted.is_empty() && !credentials.credentials.is_empty() {
        return Judgement::unknown("the sign-in quotes nothing of the token".to_owned(), causes);
    }
    if credentials.credentials.iter().any(|one| one.subject.is_none()) {
        let why = "a credential with an expression looks at claims that the sign-in does not hold";
        return Judgement::unknown(why.to_owned(), causes);
    }
    let evaluation = as_far_as_known(credentials, quoted);
    match evaluation.decision {
        Decision::Deny => {
            let causes: Vec<Finding> = entra::of_credentials(&evaluation, Finder::Events.into());
            Judgement { verdict: Decision::Deny, why: None, causes, matched: None }
        }
        Decision::Allow | Decision::Unknown => {
            let why = "a credential has what the sign-in quotes; issuer, subject and audience have to fit together, and it does not quote all";
            Judgement::unknown(why.to_owned(), causes)
        }
    }
}

/// Compares what is quoted alone: what is not, is taken as fitting, since only what is known can speak against a credential.
fn as_far_as_known(credentials: &CredentialSet, mut quoted: Map<String, Value>) -> CredentialEvaluation {
    let mut set = credentials.clone();
    let mut leave_out = |name: &str, blank: &dyn Fn(&mut FederatedCredential)| {
        if !quoted.contains_key(name) {
            quoted.insert(name.to_owned(), Value::String(String::new()));
            set.credentials.iter_mut().for_each(blank);
        }
    };
    leave_out("iss", &|one| one.issuer.clear());
    leave_out("sub", &|one| one.subject = Some(String::new()));
    leave_out("aud", &|one| one.audiences = vec![String::new()]);
    evaluate(&set, &quoted)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::cause::{Cause, Certainty};
    use crate::domain::ids::Cloud;

    const ID: &str = "7b1f2c9e-0000-4000-8000-000000000001";

    fn sign_in(code: Option<&str>, subject: Option<&str>) -> Exchange {
        Exchange {
            cloud: Cloud::Azure,
            resource: Some("5b1f2c9e-0000-4000-8000-000000000001".into()),
            provider: None,
            issuer: None,
            audience: None,
            subject: subject.map(str::to_owned),
            refusal: code.map(|code| Refusal {
                code: code.into(),
                message: Some("No matching federated identity record found for presented assertion subject".into()),
            }),
            credential: code.is_none().then(|| ID.to_uppercase()),
            at: None,
            request_id: None,
            region: None,
            session_name: None,
        }
    }

    fn credentials(subjects: &[&str]) -> CredentialSet {
        let one = |subject: &&str| json!({"id": ID, "name": "crewai", "issuer": "https://i", "subject": subject, "audiences": ["api://AzureADTokenExchange"]});
        CredentialSet::parse(&json!(subjects.iter().map(one).collect::<Vec<_>>()).to_string()).unwrap()
    }

    #[test]
    fn the_credential_that_matched_is_named() {
        let matched = judge(&sign_in(None, None), Some(&credentials(&["organization:1"])));
        assert_eq!((matched.verdict, matched.matched.as_deref()), (Decision::Allow, Some("crewai")));
        let gone = judge(&sign_in(None, None), Some(&credentials(&[])));
        assert_eq!(gone.verdict, Decision::Unknown);
        assert!(gone.why.unwrap().contains("not among those given"));
        assert!(judge(&sign_in(None, None), None).why.unwrap().contains("--credential"));
    }

    #[test]
    fn a_refusal_is_compared_as_far_as_it_quotes() {
        let judged =
            |code, subject, subjects: &[&str]| judge(&sign_in(Some(code), subject), Some(&credentials(subjects)));
        let other = judged("AADSTS700213", Some("organization:2"), &["organization:1"]);
        assert_eq!(other.verdict, Decision::Deny);
        let first = &other.causes[0];
        assert_eq!((first.cause, first.certainty), (Cause::SubMismatch, Certainty::Proven));
        assert_eq!(
            (first.expected.as_deref(), first.actual.as_deref()),
            (Some("organization:1"), Some("organization:2"))
        );
        assert_eq!(judged("AADSTS700213", None, &[]).causes[0].cause, Cause::FicMissing);
        for (subject, why) in [(None, "quotes nothing"), (Some("organization:1"), "fit together")] {
            let open = judged("AADSTS700213", subject, &["organization:1"]);
            assert_eq!(open.verdict, Decision::Unknown);
            assert!(open.why.unwrap().contains(why));
        }
        let refusal = Refusal { code: "AADSTS90002".into(), message: Some("Tenant 'x' not found.".into()) };
        let elsewhere = Exchange { refusal: Some(refusal), ..sign_in(None, None) };
        let elsewhere = judge(&elsewhere, Some(&credentials(&["organization:1"])));
        assert_eq!((elsewhere.verdict, elsewhere.causes[0].cause), (Decision::Unknown, Cause::TenantWrong));
    }
}
