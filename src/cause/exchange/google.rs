//! An exchange at Google's Security Token Service, or a secret's read after one, beside the provider and the bindings at hand. An
//! audit log keeps the mapped subject and nothing else of the token; what it does not keep is taken as fitting, so that only
//! what is known speaks against a provider.

use serde_json::{Map, Value};

use super::{Judgement, of_code};
use crate::cause::{Finding, gcp};
use crate::domain::exchange::Exchange;
use crate::domain::gcp::{Binding, PoolProvider, ProviderEvaluation, Subject, evaluate};
use crate::domain::iam::{Decision, Truth};
use crate::domain::ids::Finder;
use crate::domain::pool_name::ProviderName;

/// A mapping that leaves the subject as it is.
const AS_IT_IS: &str = "assertion.sub";

/// Judges one entry of an audit log.
pub(super) fn judge(exchange: &Exchange, provider: Option<&PoolProvider>, bindings: Option<&[Binding]>) -> Judgement {
    let causes = exchange.refusal.as_ref().map(of_code).unwrap_or_default();
    let unknown = |why: &str| Judgement::unknown(why.to_owned(), causes.clone());
    let Some(provider) = provider else {
        return unknown(
            "the provider is not at hand: give the answer of `gcloud iam workload-identity-pools providers describe` to \
             `trustline events` with --provider",
        );
    };
    let asked = exchange.resource.as_deref().and_then(ProviderName::parse);
    if let (Some(asked), Some(own)) = (&asked, &provider.name)
        && (&asked.pool, &asked.provider) != (&own.pool, &own.provider)
    {
        return unknown("the provider given is not the one that was asked");
    }
    let is_read = asked.is_none();
    if is_read && bindings.is_none() {
        return unknown(
            "the bindings are not at hand: give the answer of `gcloud secrets get-iam-policy` with --iam-policy",
        );
    }
    let (claims, open) = as_far_as_known(provider, exchange.subject.as_deref());
    let subject = Subject { claims: &claims, unknown: &open };
    let evaluation = evaluate(provider, bindings.filter(|_| is_read), subject);
    let verdict = evaluation.decision;
    let (why, causes) = match (&exchange.refusal, verdict) {
        (Some(_), Decision::Deny) => {
            let found = gcp::refused(Finder::Events.into(), &evaluation).into_iter();
            (None, found.map(Finding::as_logged).collect())
        }
        (Some(_), Decision::Allow) => {
            (Some("nothing that the log keeps of the token speaks against the provider given".to_owned()), causes)
        }
        (None, Decision::Deny) => (Some("it was granted, so the provider was another one then".to_owned()), Vec::new()),
        (None, Decision::Allow) => (None, Vec::new()),
        (_, Decision::Unknown) => (Some(depends_on(&evaluation)), causes),
    };
    // What is taken as fitting proves no admission of what was refused.
    let verdict = if exchange.refusal.is_some() && verdict == Decision::Allow { Decision::Unknown } else { verdict };
    Judgement { verdict, why, causes, matched: None }
}

/// The claims that the log's subject stands for, and those that the provider looks at and no log holds.
fn as_far_as_known(provider: &PoolProvider, subject: Option<&str>) -> (Map<String, Value>, Vec<String>) {
    let mut claims = Map::from_iter([("iss".to_owned(), Value::from(provider.issuer.clone()))]);
    let audience = provider.allowed_audiences.first().cloned();
    let audience = audience.or_else(|| Some(format!("https://iam.googleapis.com/{}", provider.name.as_ref()?)));
    claims.extend(audience.map(|audience| ("aud".to_owned(), audience.into())));
    let is_as_it_is = |text: &str| text == AS_IT_IS;
    let mapped = provider.mapping.iter().find(|mapping| mapping.attribute == "google.subject");
    if mapped.is_some_and(|mapping| is_as_it_is(mapping.expression.text())) {
        claims.extend(subject.map(|subject| ("sub".to_owned(), subject.into())));
    }
    let expressions = provider.mapping.iter().map(|mapping| &mapping.expression).chain(&provider.condition);
    let mut open: Vec<String> = expressions
        .flat_map(|expression| expression.claims())
        .filter(|claim| !claims.contains_key(*claim))
        .map(str::to_owned)
        .collect();
    open.sort_unstable();
    open.dedup();
    (claims, open)
}

/// What is open, in words.
fn depends_on(evaluation: &ProviderEvaluation) -> String {
    let tests = evaluation.statements.iter().flat_map(|rule| &rule.conditions);
    let mut keys: Vec<&str> =
        tests.filter(|test| test.result == Truth::Unknown).map(|test| test.key.as_str()).collect();
    keys.sort_unstable();
    keys.dedup();
    match keys.as_slice() {
        [] => "it depends on what the log does not hold".to_owned(),
        keys => format!("it depends on `{}`, which the log does not hold", keys.join("`, `")),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::cause::Cause;
    use crate::domain::exchange::Refusal;
    use crate::domain::gcp::bindings;
    use crate::domain::ids::Cloud;

    const NAME: &str = "projects/123456789012/locations/global/workloadIdentityPools/ci/providers/github";
    const SECRET: &str = "projects/123456789012/secrets/key/versions/latest";

    fn provider(condition: &str) -> PoolProvider {
        let text = json!({
            "name": NAME, "state": "ACTIVE", "oidc": {"issuerUri": "https://token.actions.githubusercontent.com"},
            "attributeMapping": {"google.subject": "assertion.sub", "attribute.repository": "assertion.repository"},
            "attributeCondition": condition,
        });
        PoolProvider::parse(&text.to_string()).unwrap()
    }

    fn logged(resource: &str, refused: bool) -> Exchange {
        Exchange {
            cloud: Cloud::Gcp,
            resource: Some(resource.into()),
            provider: None,
            issuer: None,
            audience: None,
            subject: Some("repo:o/r:ref:refs/heads/main".into()),
            refusal: refused.then(|| Refusal { code: "INVALID_ARGUMENT".into(), message: None }),
            credential: None,
            at: None,
            request_id: None,
            region: None,
            session_name: None,
        }
    }

    #[test]
    fn what_the_log_keeps_decides_and_what_it_does_not_is_named() {
        use Decision::{Allow, Deny, Unknown};
        for (condition, refused, verdict, first, why) in [
            ("assertion.sub == 'repo:o/r:environment:prod'", true, Deny, Some(Cause::AttributeCondition), ""),
            ("assertion.sub == 'repo:o/r:environment:prod'", false, Deny, None, "another one then"),
            ("assertion.repository_owner_id == '7'", true, Unknown, None, "assertion.repository_owner_id == '7'"),
            ("assertion.sub.startsWith('repo:o/')", true, Unknown, None, "attribute.repository"),
        ] {
            let judged = judge(&logged(NAME, refused), Some(&provider(condition)), None);
            assert_eq!(judged.verdict, verdict, "{condition}: {judged:?}");
            assert_eq!(judged.causes.first().map(|finding| finding.cause).filter(|_| verdict == Deny), first);
            assert!(judged.why.unwrap_or_default().contains(why), "{condition}");
        }
        let without = PoolProvider::parse(
            &json!({"name": NAME, "state": "ACTIVE", "oidc": {"issuerUri": "https://i.example.com"},
                    "attributeMapping": {"google.subject": "assertion.sub"}})
            .to_string(),
        );
        assert_eq!(judge(&logged(NAME, false), without.as_ref().ok(), None).verdict, Allow);
        let other = logged(&NAME.replace("/github", "/gitlab"), true);
        let told = judge(&other, Some(&provider("true")), None).why.unwrap();
        assert!(told.contains("not the one that was asked"), "{told}");
        assert!(judge(&logged(NAME, true), None, None).why.unwrap().contains("--provider"));
    }

    #[test]
    fn a_refused_read_is_judged_by_the_bindings() {
        let pool = "//iam.googleapis.com/projects/123456789012/locations/global/workloadIdentityPools/ci";
        let of = |member: &str| {
            let text = json!({"bindings": [{"role": "roles/secretmanager.secretAccessor", "members": [member]}]});
            bindings(&text.to_string()).unwrap()
        };
        let judged = |member: &str| judge(&logged(SECRET, true), Some(&provider("true")), Some(&of(member)));
        let wrong = judged(&format!("principal:{pool}/subject/repo:o/r:environment:prod"));
        assert_eq!((wrong.verdict, wrong.causes[0].cause), (Decision::Deny, Cause::PrincipalsetMismatch));
        let open = judged(&format!("principalSet:{pool}/attribute.repository/o/r"));
        assert_eq!(open.verdict, Decision::Unknown, "{open:?}");
        let told = judge(&logged(SECRET, true), Some(&provider("true")), None).why.unwrap();
        assert!(told.contains("--iam-policy"), "{told}");
    }
}
