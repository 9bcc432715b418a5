//! The whole corrected document of an Entra credential or a Google provider, where what is meant can be told; judged again.

use serde_json::{Map, Value, json};

use super::{AuditFinding, Place, entra, google};
use crate::cause::{Cause, Fix};
use crate::domain::gcp::{PoolProvider, Subject, evaluate, foreign};
use crate::domain::iam::Decision;
use crate::domain::pool_name::ProviderName;
use crate::domain::text::quote;

/// The longest condition that a provider takes, in characters.
const LONGEST_CONDITION: usize = 4096;

/// Gives the findings that another form of the same credential settles that credential.
pub fn attach_credential(place: &Place, credential: &Value, found: &mut [AuditFinding]) {
    let Some(after) = credential.as_object().and_then(as_the_api_takes_it) else { return };
    let after = Value::Object(after);
    let Ok(left) = entra::judge(place, &after) else { return };
    let settled = |finding: &AuditFinding| !left.iter().any(|other| other.id == finding.id);
    let is_better = left.iter().all(|other| found.iter().any(|finding| finding.id == other.id));
    if !is_better {
        return;
    }
    let fix = Fix {
        text: "Write the same credential as Graph takes it".to_owned(),
        document: Some(format!("{after:#}")),
        ..Fix::default()
    };
    found.iter_mut().filter(|finding| settled(finding)).for_each(|finding| finding.fixes.insert(0, fix.clone()));
}

/// The same members in the API's form; nothing where they have it.
fn as_the_api_takes_it(credential: &Map<String, Value>) -> Option<Map<String, Value>> {
    let mut after = credential.clone();
    if let Some(Value::String(_)) = after.get("audience")
        && !after.contains_key("audiences")
    {
        let only = after.shift_remove("audience")?;
        after.insert("audiences".to_owned(), json!([only]));
    }
    if let Some(only @ Value::String(_)) = after.get("audiences").cloned() {
        after.insert("audiences".to_owned(), json!([only]));
    }
    if let Some(expression @ Value::String(_)) = after.get("claimsMatchingExpression").cloned() {
        after.insert("claimsMatchingExpression".to_owned(), json!({"value": expression, "languageVersion": 1}));
    }
    if let Some(Value::Object(expression)) = after.get_mut("claimsMatchingExpression") {
        expression.entry("languageVersion").or_insert_with(|| 1.into());
    }
    (after != *credential).then_some(after)
}

/// Gives the finding that a provider lets strangers in the provider whose condition names those who came, where a log tells of
/// all of them.
pub fn attach_provider(place: &Place, provider: &Value, subjects: &[String], found: &mut [AuditFinding]) {
    let wide: Vec<&mut AuditFinding> =
        found.iter_mut().filter(|finding| finding.cause == Cause::TrustTooWide).collect();
    if wide.is_empty() || subjects.is_empty() {
        return;
    }
    let Some(fix) = with_subjects(provider, subjects) else { return };
    let after: Option<Value> = fix.document.as_deref().and_then(|text| serde_json::from_str(text).ok());
    let is_settled =
        after.and_then(|after| google::judge_provider(place, &after).ok()).is_some_and(|left| left.is_empty());
    if is_settled {
        wide.into_iter().for_each(|finding| finding.fixes.insert(0, fix.clone()));
    }
}

fn with_subjects(provider: &Value, subjects: &[String]) -> Option<Fix> {
    let literal = |text: &String| format!("'{}'", text.replace('\\', "\\\\").replace('\'', "\\'"));
    let named = format!("assertion.sub in [{}]", subjects.iter().map(literal).collect::<Vec<_>>().join(", "));
    let before = provider.get("attributeCondition").and_then(Value::as_str).filter(|text| !text.trim().is_empty());
    let condition = match before {
        Some(before) => format!("({before}) && {named}"),
        None => named,
    };
    if condition.chars().count() > LONGEST_CONDITION {
        return None;
    }
    let mut after = provider.as_object()?.clone();
    after.insert("attributeCondition".to_owned(), condition.clone().into());
    let after = Value::Object(after);
    let read = PoolProvider::parse(&after.to_string()).ok()?;
    let is_proven = foreign(&read, None, None).is_empty() && subjects.iter().all(|subject| may_get_in(&read, subject));
    if !is_proven {
        return None;
    }
    let name = ProviderName::parse(provider.get("name")?.as_str()?)?;
    let command = |condition: &str| {
        format!(
            "gcloud iam workload-identity-pools providers update-oidc {} --workload-identity-pool {} --location global --project {} --attribute-condition {}\n",
            quote(&name.provider),
            quote(&name.pool),
            quote(&name.project),
            quote(condition),
        )
    };
    Some(Fix {
        text: format!("Make the condition `{condition}`: these are all whom the events show"),
        command: Some(command(&condition)),
        document: Some(format!("{after:#}")),
        undo: before.map(command),
        ..Fix::default()
    })
}

/// Whether nothing that is known of a token keeps it out.
fn may_get_in(provider: &PoolProvider, subject: &str) -> bool {
    let mut claims = Map::from_iter([("iss".to_owned(), Value::from(provider.issuer.as_str()))]);
    claims.insert("sub".to_owned(), subject.into());
    let own = provider.name.as_ref().map(|name| format!("https://iam.googleapis.com/{name}"));
    let audience = provider.allowed_audiences.first().cloned().or(own);
    claims.extend(audience.map(|audience| ("aud".to_owned(), Value::from(audience))));
    let read = provider.mapping.iter().map(|mapping| &mapping.expression).chain(&provider.condition);
    let unknown: Vec<String> = read
        .flat_map(|expression| expression.claims())
        .filter(|claim| !claims.contains_key(*claim))
        .map(str::to_owned)
        .collect();
    evaluate(provider, None, Subject { claims: &claims, unknown: &unknown }).decision != Decision::Deny
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place() -> Place {
        Place { resource: "a".to_owned(), location: None }
    }

    #[test]
    fn a_credential_is_written_as_graph_takes_it() {
        let issuer = "https://token.actions.githubusercontent.com";
        let right = json!({"name": "ci", "issuer": issuer, "subject": "repo:octo/app:ref:refs/heads/main", "audiences": ["api://AzureADTokenExchange"]});
        for member in ["audience", "audiences"] {
            let mut wrong = right.clone();
            wrong.as_object_mut().unwrap().shift_remove("audiences");
            wrong[member] = "api://AzureADTokenExchange".into();
            let mut found = entra::judge(&place(), &wrong).unwrap();
            assert!(!found.is_empty(), "{wrong}");
            attach_credential(&place(), &wrong, &mut found);
            let document: Value = serde_json::from_str(found[0].fixes[0].document.as_ref().unwrap()).unwrap();
            assert_eq!(document, right);
        }
        let expression = "claims['sub'] matches 'repo:octo/*' and claims['repository_owner_id'] eq '1'";
        let bare = json!({"name": "ci", "issuer": issuer, "claimsMatchingExpression": expression, "audiences": ["api://AzureADTokenExchange"]});
        let mut found = entra::judge(&place(), &bare).unwrap();
        attach_credential(&place(), &bare, &mut found);
        let fixed = found.iter().find_map(|finding| finding.fixes[0].document.as_ref()).unwrap();
        assert!(fixed.contains("\"languageVersion\": 1"), "{fixed}");
    }

    #[test]
    fn a_provider_names_those_who_came_in_place_of_everybody() {
        let name = "projects/123456789012/locations/global/workloadIdentityPools/ci/providers/github";
        let open = |condition: Option<&str>| {
            let mut provider = json!({"name": name, "oidc": {"issuerUri": "https://token.actions.githubusercontent.com"},
                "attributeMapping": {"google.subject": "assertion.sub", "attribute.owner": "assertion.repository_owner_id"}});
            condition.into_iter().for_each(|condition| provider["attributeCondition"] = condition.into());
            provider
        };
        let subjects = ["repo:octo/app:ref:refs/heads/main".to_owned(), "repo:octo/it's:x".to_owned()];
        for (before, after) in [
            (None, r"assertion.sub in ['repo:octo/app:ref:refs/heads/main', 'repo:octo/it\'s:x']"),
            (
                Some("assertion.sub != 'a'"),
                r"(assertion.sub != 'a') && assertion.sub in ['repo:octo/app:ref:refs/heads/main', 'repo:octo/it\'s:x']",
            ),
        ] {
            let provider = open(before);
            let mut found = google::judge_provider(&place(), &provider).unwrap();
            attach_provider(&place(), &provider, &subjects, &mut found);
            let document: Value = serde_json::from_str(found[0].fixes[0].document.as_ref().unwrap()).unwrap();
            assert_eq!(document["attributeCondition"], after);
            assert_eq!(found[0].fixes[0].undo.is_some(), before.is_some());
        }
        let mut found = google::judge_provider(&place(), &open(None)).unwrap();
        let before = found.clone();
        attach_provider(&place(), &open(None), &[], &mut found);
        assert_eq!(found, before, "without a log nobody can tell");
    }
}
