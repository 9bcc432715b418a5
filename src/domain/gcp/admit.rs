//! Whether the bindings of an IAM policy have a token among their members, by what the mapping made of it.

use serde_json::{Map, Value};

use super::evaluation::{EvaluatedRule, Test, shown, test};
use super::member::{Binding, Member, Who, is_same_pool, member_fault};
use super::provider::PoolProvider;
use crate::domain::iam::Truth;
use crate::domain::text_difference::text_difference;

/// Whether a binding grants its role to the token; `None` where none of its members is about a pool.
pub(super) fn granted(
    provider: &PoolProvider,
    binding: &Binding,
    attributes: &Map<String, Value>,
    unknown: &[String],
) -> Option<EvaluatedRule> {
    let tests: Vec<Test> =
        binding.members.iter().filter_map(|member| admits(provider, member, attributes, unknown)).collect();
    if tests.is_empty() {
        return None;
    }
    let mut matches = Truth::any(tests.iter().map(|test| test.result));
    if binding.is_conditional {
        // IAM's own conditions are about the resource and the time, which are not at hand.
        matches = matches.and(Truth::Unknown);
    }
    Some(EvaluatedRule { index: 0, name: binding.role.clone(), effect: "Allow", matches, conditions: tests })
}

fn admits(provider: &PoolProvider, text: &str, attributes: &Map<String, Value>, unknown: &[String]) -> Option<Test> {
    let (result, why, actual) = match Member::parse(text) {
        Some(Member::Other) => return None,
        Some(Member::Anyone) => (Truth::True, "everybody".to_owned(), None),
        None => match member_fault(text) {
            Some(fault) => (Truth::False, fault.to_owned(), None),
            None => (Truth::Unknown, "whether the token is in this set of Google's is not known here".to_owned(), None),
        },
        Some(Member::Pool { pool, who }) => {
            let same = provider.name.as_ref().map(|name| is_same_pool(&pool, &name.pool_name()));
            match same {
                Some(Some(false)) => (Truth::False, "it is of another pool".to_owned(), None),
                Some(None) => {
                    (Truth::False, "it names the project by its id; members have the project's number".to_owned(), None)
                }
                Some(Some(true)) => {
                    let (result, why, own) = admitted(&who, attributes, unknown);
                    // As the member that the token itself would be, so that what differs can be marked.
                    let before = text.strip_suffix(who.value()).unwrap_or_default();
                    (result, why, own.map(|own| own.iter().map(|own| format!("{before}{own}")).collect()))
                }
                None => (Truth::Unknown, "the provider's own pool is not known".to_owned(), None),
            }
        }
    };
    Some(test("admits", "member", result, why).expecting([text.to_owned()]).with_actual(actual))
}

fn admitted(who: &Who, attributes: &Map<String, Value>, unknown: &[String]) -> (Truth, String, Option<Vec<String>>) {
    let (attribute, wanted) = match who {
        Who::Everyone => return (Truth::True, "every token of the pool".to_owned(), None),
        Who::Subject(subject) => ("google.subject".to_owned(), subject),
        Who::Group(group) => ("google.groups".to_owned(), group),
        Who::Attribute { name, value } => (format!("attribute.{name}"), value),
    };
    let actual: Vec<String> = match attributes.get(&attribute) {
        Some(Value::Array(items)) => items.iter().map(shown).collect(),
        Some(value) => vec![shown(value)],
        None if unknown.contains(&attribute) => {
            return (Truth::Unknown, format!("depends on `{attribute}`, which is not known"), None);
        }
        None => return (Truth::False, format!("the mapping sets no `{attribute}`"), None),
    };
    if actual.contains(wanted) {
        return (Truth::True, "it is".to_owned(), Some(actual));
    }
    let why = match actual.as_slice() {
        [one] => match text_difference(wanted, one) {
            Some(difference) => format!("its `{attribute}`: {difference}"),
            None => format!("its `{attribute}` is another"),
        },
        _ => format!("it is none of its `{attribute}`"),
    };
    (Truth::False, why, Some(actual))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::domain::gcp::{Subject, bindings, evaluate};
    use crate::domain::iam::Decision;

    const POOL: &str = "projects/123456789012/locations/global/workloadIdentityPools/pool";

    #[test]
    fn a_binding_admits_by_what_the_token_becomes() {
        let text = json!({
            "name": format!("{POOL}/providers/ci"),
            "oidc": {"issuerUri": "https://issuer.example"},
            "attributeMapping": {"google.subject": "assertion.sub", "attribute.team": "assertion.team"},
        });
        let provider = PoolProvider::parse(&text.to_string()).unwrap();
        let claims = json!({
            "iss": "https://issuer.example", "sub": "job:1", "team": "a",
            "aud": format!("https://iam.googleapis.com/{POOL}/providers/ci"),
        });
        let claims = claims.as_object().unwrap();
        let decided = |member: &str, condition: Value| {
            let policy = json!({"bindings": [{"role": "roles/secretmanager.secretAccessor", "members": [member], "condition": condition}]});
            let bindings = bindings(&policy.to_string()).unwrap();
            evaluate(&provider, Some(&bindings), Subject { claims, unknown: &[] }).decision
        };
        let set = |rest: &str| format!("principalSet://iam.googleapis.com/{POOL}/{rest}");
        for (member, decision) in [
            (format!("principal://iam.googleapis.com/{POOL}/subject/job:1"), Decision::Allow),
            (format!("principal://iam.googleapis.com/{POOL}/subject/job:2"), Decision::Deny),
            (set("attribute.team/a"), Decision::Allow),
            (set("attribute.team/A"), Decision::Deny),
            (set("attribute.other/a"), Decision::Deny),
            (set("*"), Decision::Allow),
            (set("*").replace("/pool/", "/other/"), Decision::Deny),
            (set("*").replace("123456789012", "my-project"), Decision::Deny),
            // What is written in another form than members have.
            (set("subject/job:1"), Decision::Deny),
            (set("team/a"), Decision::Deny),
            ("principalSet://cloudresourcemanager.googleapis.com/projects/1".to_owned(), Decision::Unknown),
            ("user:somebody@example.com".to_owned(), Decision::Deny),
            ("allUsers".to_owned(), Decision::Allow),
            // Accounts of Google's own, of which a federated token is none.
            ("allAuthenticatedUsers".to_owned(), Decision::Deny),
        ] {
            assert_eq!(decided(&member, Value::Null), decision, "{member}");
        }
        assert_eq!(
            decided(&set("*"), json!({"expression": "request.time < timestamp('2027-01-01T00:00:00Z')"})),
            Decision::Unknown
        );
        let told = evaluate(&provider, None, Subject { claims, unknown: &[] });
        assert_eq!(told.principal.as_deref(), Some(&*format!("principal://iam.googleapis.com/{POOL}/subject/job:1")));
        assert_eq!(told.attributes["attribute.team"], json!("a"));
    }
}
