//! The pool's provider: its condition, mapping, issuer and audiences corrected as a whole, proven with the evaluator; its
//! state, and the keys that were uploaded to it.

use serde_json::{Map, Value};

use super::identity::own_claims;
use super::{PROPAGATION_S, WORK, head_of_provider};
use crate::cause::{Cause, Finding, Fix};
use crate::domain::gcp::{LONGEST_SUBJECT, PoolProvider, Subject, evaluate, foreign};
use crate::domain::iam::Truth;
use crate::domain::pool_name::ProviderName;
use crate::domain::text::quote;
use crate::remedy::{Context, check, heredoc};

/// What the script compares before it writes.
const COMPARED: &str =
    "{attributeCondition, attributeMapping, issuer: .oidc.issuerUri, audiences: (.oidc.allowedAudiences // [])}";
/// The options of gcloud that name the provider.
const NAMED: &str = "\"$PROVIDER\" --workload-identity-pool \"$POOL\" --location global --project \"$PROJECT\"";

/// The provider at hand, corrected so that it takes the token; words where that would let in somebody else.
pub(super) fn corrected(finding: &Finding, context: Context<'_>) -> Vec<Fix> {
    let Some(text) = context.facts.google.provider.as_ref().and_then(|fact| fact.text.as_ref()) else {
        return Vec::new();
    };
    let claims = match own_claims(context) {
        Ok(claims) => claims,
        Err(why) => return vec![Fix { text: why, ..Fix::default() }],
    };
    let Ok(Value::Object(before)) = serde_json::from_str::<Value>(text.trim_start_matches('\u{feff}')) else {
        return Vec::new();
    };
    let Some((after, what)) = correction(finding, &before, claims, context) else { return Vec::new() };
    if !is_proven(&before, &after, claims) {
        return Vec::new();
    }
    let Some(name) = context.profile.gcp.provider.as_ref() else { return Vec::new() };
    vec![Fix {
        text: format!("{what} Everything else of the provider stays; no other subject is let in."),
        command: Some(script(context, name, &before, &after)),
        undo: Some(script(context, name, &after, &before)),
        document: Some(format!("{:#}", Value::Object(after))),
        verify: Some(check(context.profile, Some(PROPAGATION_S))),
        ..Fix::default()
    }]
}

/// The whole corrected provider, and what it changes.
fn correction(
    finding: &Finding,
    before: &Map<String, Value>,
    claims: &Map<String, Value>,
    context: Context<'_>,
) -> Option<(Map<String, Value>, String)> {
    let mut after = before.clone();
    let what = match finding.cause {
        Cause::AttributeCondition => {
            let condition = before.get("attributeCondition")?.as_str()?;
            let new = condition_for(condition, claims, context)?;
            after.insert("attributeCondition".to_owned(), new.clone().into());
            format!("Make the condition `{new}`.")
        }
        Cause::AttributeMappingMissing | Cause::MappingTypeWrong => {
            let mapping = after.get_mut("attributeMapping")?.as_object_mut()?;
            let subject = claims
                .get("sub")?
                .as_str()
                .filter(|subject| !subject.is_empty() && subject.len() <= LONGEST_SUBJECT)?;
            mapping.insert("google.subject".to_owned(), "assertion.sub".into());
            format!(
                "Map `google.subject` to `assertion.sub`, which is `{subject}` here; bindings to another subject no longer count."
            )
        }
        Cause::SubjectTooLong => shortened(after.get_mut("attributeMapping")?.as_object_mut()?, claims)?,
        Cause::IssMismatch => {
            // Of two spellings of one issuer the token's counts; another issuer is another trust.
            let (old, new) = (before.pointer_str("/oidc/issuerUri")?, claims.get("iss")?.as_str()?);
            crate::domain::text_difference::text_difference(&old, new)?;
            after.get_mut("oidc")?.as_object_mut()?.insert("issuerUri".to_owned(), new.into());
            format!("Write the issuer as the tokens have it, `{new}`.")
        }
        Cause::AudMismatch => {
            let audience = claims.get("aud")?.as_str()?;
            let own = context.profile.gcp.exchange_audience()?;
            // An audience of another party's is none that this provider may take.
            let is_own = audience == own || audience.strip_prefix("https:") == Some(&own);
            let oidc = after.get_mut("oidc")?.as_object_mut()?;
            let listed = oidc.get_mut("allowedAudiences")?.as_array_mut().filter(|_| is_own)?;
            listed.push(audience.into());
            "Add the provider's own name to the allowed audiences: a list takes its place.".to_owned()
        }
        _ => return None,
    };
    Some((after, what))
}

/// Ids of what a token is for, which are short whatever it is called.
const SHORT_CLAIMS: [&str; 6] =
    ["organization_id", "repository_id", "project_id", "oidc.circleci.com/project-id", "pipeline_id", "repositoryUuid"];

/// Maps `google.subject` to what fits: the subject itself, else an id, with the subject kept as an attribute.
fn shortened(mapping: &mut Map<String, Value>, claims: &Map<String, Value>) -> Option<String> {
    let text = |claim: &str| claims.get(claim)?.as_str().filter(|text| !text.is_empty());
    let subject = text("sub")?;
    if subject.len() <= LONGEST_SUBJECT {
        mapping.insert("google.subject".to_owned(), "assertion.sub".into());
        return Some(format!(
            "Map `google.subject` to `assertion.sub`, which is `{subject}` here and has {} bytes; bindings to another \
             subject no longer count.",
            subject.len()
        ));
    }
    let fits = |claim: &&&str| text(claim).is_some_and(|id| id.len() <= LONGEST_SUBJECT);
    let claim = SHORT_CLAIMS.iter().find(fits)?;
    let is_plain = claim.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    let read = if is_plain { format!("assertion.{claim}") } else { format!("assertion['{claim}']") };
    mapping.insert("google.subject".to_owned(), read.clone().into());
    mapping.insert("attribute.subject".to_owned(), "assertion.sub".into());
    Some(format!(
        "Map `google.subject` to `{read}`, which fits for every branch, and the whole subject to `attribute.subject`. \
         Bindings to `principal://…/subject/…` no longer count: write them as `principalSet://…/attribute.subject/VALUE`, \
         with the subject as it is now."
    ))
}

trait PointerText {
    fn pointer_str(&self, at: &str) -> Option<String>;
}

impl PointerText for Map<String, Value> {
    fn pointer_str(&self, at: &str) -> Option<String> {
        let mut parts = at.trim_start_matches('/').split('/');
        let mut value = self.get(parts.next()?)?;
        for part in parts {
            value = value.get(part)?;
        }
        value.as_str().map(str::to_owned)
    }
}

/// The condition that takes the token too: the own organization in place of the one that is compared, else the one subject
/// beside what is there.
fn condition_for(condition: &str, claims: &Map<String, Value>, context: Context<'_>) -> Option<String> {
    let literal = |text: &str| format!("'{}'", text.replace('\\', "\\\\").replace('\'', "\\'"));
    let organization = context.profile.organization.as_deref();
    let subject = claims.get("sub")?.as_str()?;
    if organization.is_some() && claims.get("organization_id").and_then(Value::as_str) == organization {
        let own = literal(organization?);
        let compared = condition.split_once("assertion.organization_id").map(|(_, rest)| rest.trim_start());
        if let Some(found) = compared.and_then(|rest| rest.strip_prefix("==")).map(str::trim)
            && (found.starts_with('\'') || found.starts_with('"'))
        {
            let quote = found.chars().next()?;
            let end = found[1..].find(quote)? + 2;
            let other = &found[..end];
            let replaced = condition.replacen(other, &own, 1);
            if replaced != condition {
                return Some(replaced);
            }
        }
    }
    // A failure on either side of `||` is absorbed where the other side is true.
    Some(format!("assertion.sub == {} || ({condition})", literal(subject)))
}

/// Whether the corrected provider takes the token, and no foreign one that the other refused.
fn is_proven(before: &Map<String, Value>, after: &Map<String, Value>, claims: &Map<String, Value>) -> bool {
    let parse = |document: &Map<String, Value>| PoolProvider::parse(&Value::Object(document.clone()).to_string()).ok();
    let (Some(old), Some(new)) = (parse(before), parse(after)) else { return false };
    let takes = |provider: &PoolProvider, claims: &Map<String, Value>| {
        evaluate(provider, None, Subject { claims, unknown: &[] }).exchanged() == Truth::True
    };
    let lets_nobody_else_in = foreign(&new, None, Some(claims)).iter().all(|stranger| takes(&old, &stranger.claims));
    takes(&new, claims) && lets_nobody_else_in && new.problems.is_empty()
}

/// Replaces one whole set of rules by another, if the one in force is the first.
fn script(
    context: Context<'_>,
    name: &ProviderName,
    before: &Map<String, Value>,
    after: &Map<String, Value>,
) -> String {
    let mut script = head_of_provider(name) + WORK;
    script += &heredoc("cat >\"$work/before.json\"", &format!("{:#}", Value::Object(before.clone())));
    script += &heredoc("cat >\"$work/after.json\"", &format!("{:#}", Value::Object(after.clone())));
    script += &format!(
        "gcloud iam workload-identity-pools providers describe {NAMED} --format json >\"$work/now.json\"\n\
         jq -e -n --slurpfile before \"$work/before.json\" --slurpfile now \"$work/now.json\" \\\n  '($before[0] | {COMPARED}) == ($now[0] | {COMPARED})' >/dev/null ||\n  stop 'the provider in force is not the one that this fix was made from; nothing was changed: check again'\n"
    );
    script += &format!("gcloud iam workload-identity-pools providers update-oidc {NAMED}{}\n", options(before, after));
    script += &copied(context);
    script
}

/// Saves the provider as it is now over the copy that the profile names, which the next check reads.
fn copied(context: Context<'_>) -> String {
    context.profile.gcp.provider_file.as_ref().map_or_else(String::new, |copy| {
        format!(
            "gcloud iam workload-identity-pools providers describe {NAMED} --format json >\"$work/copy.json\"\ncat \"$work/copy.json\" >{}\n",
            quote(&copy.display().to_string())
        )
    })
}

/// The options for what differs; each holds the whole of its part. A separator of their own keeps commas what they are.
fn options(before: &Map<String, Value>, after: &Map<String, Value>) -> String {
    let changed = |at: &str| {
        let part = |document: &Map<String, Value>| Value::Object(document.clone()).pointer(at).cloned();
        part(after).filter(|new| part(before).as_ref() != Some(new))
    };
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let mut options = String::new();
    if let Some(condition) = changed("/attributeCondition") {
        options += &format!(" \\\n  --attribute-condition {}", quote(&text(&condition)));
    }
    if let Some(Value::Object(mapping)) = changed("/attributeMapping") {
        let pairs: Vec<String> = mapping.iter().map(|(name, from)| format!("{name}={}", text(from))).collect();
        options += &format!(" \\\n  --attribute-mapping {}", quote(&separated(&pairs)));
    }
    if let Some(issuer) = changed("/oidc/issuerUri") {
        options += &format!(" \\\n  --issuer-uri {}", quote(&text(&issuer)));
    }
    if let Some(Value::Array(audiences)) = changed("/oidc/allowedAudiences") {
        let all: Vec<String> = audiences.iter().map(text).collect();
        options += &format!(" \\\n  --allowed-audiences {}", quote(&separated(&all)));
    }
    options
}

/// A list as gcloud takes it (`gcloud topic escaping`): with another separator where a comma is part of an item.
fn separated(items: &[String]) -> String {
    if items.iter().all(|item| !item.contains(',')) {
        return items.join(",");
    }
    let separator = ["~", "|", ";", "@@"].into_iter().find(|one| items.iter().all(|item| !item.contains(one)));
    let separator = separator.unwrap_or("%%%");
    format!("^{separator}^{}", items.join(separator))
}

/// Puts a pool or provider back that is disabled or deleted.
pub(super) fn enabled(context: Context<'_>) -> Option<Fix> {
    let name = context.profile.gcp.provider.as_ref()?;
    let pool = "\"$POOL\" --location global --project \"$PROJECT\"";
    let state = "--format 'value(state)'";
    let command = format!(
        "{head}if [ \"$(gcloud iam workload-identity-pools describe {pool} {state})\" = DELETED ]; then\n  \
         gcloud iam workload-identity-pools undelete {pool}\nfi\n\
         gcloud iam workload-identity-pools update {pool} --no-disabled\n\
         if [ \"$(gcloud iam workload-identity-pools providers describe {NAMED} {state})\" = DELETED ]; then\n  \
         gcloud iam workload-identity-pools providers undelete {NAMED}\nfi\n\
         gcloud iam workload-identity-pools providers update-oidc {NAMED} --no-disabled\n{copied}",
        head = head_of_provider(name) + WORK,
        copied = copied(context),
    );
    Some(Fix {
        text: "Enable the pool and its provider, unless somebody disabled them on purpose. What was deleted can be brought back for 30 days."
            .to_owned(),
        command: Some(command),
        undo: Some(format!(
            "{}gcloud iam workload-identity-pools providers update-oidc {NAMED} --disabled\n",
            head_of_provider(name)
        )),
        verify: Some(check(context.profile, Some(60))),
        ..Fix::default()
    })
}

/// Uploads the keys that the issuer publishes now, where keys were uploaded before.
pub(super) fn keys(context: Context<'_>) -> Option<Fix> {
    let name = context.profile.gcp.provider.as_ref()?;
    context.facts.google.provider.as_ref().filter(|provider| provider.has_uploaded_keys)?;
    let url = quote(context.facts.issuer.jwks_uri()?);
    let head = head_of_provider(name) + WORK;
    let described =
        format!("gcloud iam workload-identity-pools providers describe {NAMED} --format 'value(oidc.jwksJson)'");
    let upload = format!(
        "gcloud iam workload-identity-pools providers update-oidc {NAMED} --jwk-json-path \"$work/keys.json\"\n"
    );
    Some(Fix {
        text: "Upload the keys that the issuer publishes now; the uploaded ones do not have the token's.".to_owned(),
        command: Some(format!(
            "{head}{described} >\"keys-before-$PROVIDER.json\"\ncurl -sSf {url} >\"$work/keys.json\"\n{upload}"
        )),
        undo: Some(format!("{head}cp \"keys-before-$PROVIDER.json\" \"$work/keys.json\"\n{upload}")),
        verify: Some(check(context.profile, Some(60))),
        ..Fix::default()
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::cause::Certainty;
    use crate::domain::ids::CheckId;
    use crate::remedy::google::tests::{Case, ISSUER, ORGANIZATION, POOL};

    fn fixed(cause: Cause, changes: &[(&str, Value)], claims: &[(&str, Value)]) -> Option<(Value, String)> {
        let case = Case::with_provider(changes, claims);
        let finding = Finding::new(cause, CheckId::GcpExchange, Certainty::Proven, "x");
        let fix = corrected(&finding, case.context()).into_iter().next()?;
        let document: Value = serde_json::from_str(fix.document.as_ref()?).unwrap();
        // The corrected document is what the evaluator takes for this token.
        let provider = PoolProvider::parse(&document.to_string()).unwrap();
        let claims = case.facts.claims().unwrap();
        assert_eq!(evaluate(&provider, None, Subject { claims, unknown: &[] }).exchanged(), Truth::True);
        assert!(foreign(&provider, None, Some(claims)).is_empty(), "{document}");
        Some((document, fix.command.unwrap()))
    }

    #[test]
    fn a_condition_compares_the_own_organization_or_admits_the_one_subject() {
        let other = "assertion.organization_id == '00000000-1111-4222-8333-9d20c1a09a1c'";
        let (document, command) =
            fixed(Cause::AttributeCondition, &[("attributeCondition", json!(other))], &[]).unwrap();
        assert_eq!(document["attributeCondition"], json!(format!("assertion.organization_id == '{ORGANIZATION}'")));
        assert!(command.contains("--attribute-condition 'assertion.organization_id == '\\''7f3e"), "{command}");
        let (document, _) =
            fixed(Cause::AttributeCondition, &[("attributeCondition", json!("assertion.team == 'a'"))], &[]).unwrap();
        assert_eq!(
            document["attributeCondition"],
            json!(format!("assertion.sub == 'organization:{ORGANIZATION}' || (assertion.team == 'a')"))
        );
    }

    #[test]
    fn mapping_issuer_and_audience_are_corrected_where_nobody_else_gets_in() {
        let mapping =
            json!({"google.subject": "assertion.sub == 'x'", "attribute.organization": "assertion.organization_id"});
        let (document, command) = fixed(Cause::MappingTypeWrong, &[("attributeMapping", mapping)], &[]).unwrap();
        assert_eq!(document["attributeMapping"]["google.subject"], json!("assertion.sub"));
        assert!(command.contains("google.subject=assertion.sub"), "{command}");
        let slash = json!({"issuerUri": format!("{ISSUER}/")});
        assert_eq!(fixed(Cause::IssMismatch, &[("oidc", slash)], &[]).unwrap().0["oidc"]["issuerUri"], json!(ISSUER));
        let elsewhere = json!({"issuerUri": "https://accounts.google.com"});
        assert_eq!(fixed(Cause::IssMismatch, &[("oidc", elsewhere)], &[]), None);
        let listed = json!({"issuerUri": ISSUER, "allowedAudiences": ["mine"]});
        let (document, _) = fixed(Cause::AudMismatch, &[("oidc", listed.clone())], &[]).unwrap();
        let own = format!("//iam.googleapis.com/{POOL}/providers/ci");
        assert_eq!(document["oidc"]["allowedAudiences"], json!(["mine", own]));
        assert_eq!(fixed(Cause::AudMismatch, &[("oidc", listed)], &[("aud", json!("another-party"))]), None);
    }

    #[test]
    fn a_subject_that_is_too_long_becomes_one_that_fits() {
        let long = json!({"google.subject": "assertion.sub + assertion.sub + assertion.sub"});
        let (document, _) = fixed(Cause::SubjectTooLong, &[("attributeMapping", long)], &[]).unwrap();
        assert_eq!(document["attributeMapping"], json!({"google.subject": "assertion.sub"}));
        let of_branch = |id: Value| {
            let branch = format!("repo:octo/app:ref:refs/heads/{}", "x".repeat(100));
            let claims = json!({"sub": branch, "repository_id": id, "oidc.circleci.com/project-id": "p1"});
            let mut mapping = json!({"google.subject": "assertion.sub"}).as_object().cloned().unwrap();
            shortened(&mut mapping, claims.as_object().unwrap()).map(|_| Value::Object(mapping))
        };
        let by = |from: &str| Some(json!({"google.subject": from, "attribute.subject": "assertion.sub"}));
        assert_eq!(of_branch(json!("41")), by("assertion.repository_id"));
        assert_eq!(of_branch(json!(41)), by("assertion['oidc.circleci.com/project-id']"));
        let mut mapping = Map::new();
        assert_eq!(shortened(&mut mapping, json!({"sub": "x".repeat(128)}).as_object().unwrap()), None);
    }

    #[test]
    fn a_stranger_is_let_in_by_no_fix() {
        let stranger = [("sub", json!("organization:00000000-1111-4222-8333-9d20c1a09a1c"))];
        assert_eq!(fixed(Cause::AttributeCondition, &[], &stranger), None);
    }

    #[test]
    fn a_list_keeps_its_commas() {
        let items = ["google.subject=a.extract('x,{y}')".to_owned(), "attribute.b=c".to_owned()];
        assert_eq!(separated(&items), "^~^google.subject=a.extract('x,{y}')~attribute.b=c");
        assert_eq!(separated(&items[1..]), "attribute.b=c");
    }
}
