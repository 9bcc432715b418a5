//! What a provider, and the bindings of an IAM policy, say to a token: issuer, audience, mapping, condition, members, in
//! the order in which Google's Security Token Service and IAM look at them.

use serde_json::{Map, Value};

use super::admit::granted;
use super::evaluation::{EvaluatedRule, LONGEST_SUBJECT, ProviderEvaluation, Refusal, Test, shown, test};
use super::expression::{Expression, Failure};
use super::member::{Binding, principal};
use super::provider::{Mapping, PoolProvider};
use super::scope::Scope;
use crate::domain::iam::open_text::{is_open, match_open, why_open};
use crate::domain::iam::{Decision, Truth};
use crate::domain::profile::expected::may_have;
use crate::domain::text_difference::text_difference;

/// A token, as far as it is known.
#[derive(Clone, Copy)]
pub struct Subject<'a> {
    pub claims: &'a Map<String, Value>,
    /// Claims that such a token may have, and whose values are not known.
    pub unknown: &'a [String],
}

/// Decides: the provider must take the token and, where an IAM policy is at hand, one of its bindings must grant it a role.
///
/// Says nothing of signature and times, which [`super::super::signature`] and the claims themselves do.
pub fn evaluate(provider: &PoolProvider, bindings: Option<&[Binding]>, subject: Subject<'_>) -> ProviderEvaluation {
    let mut tests = vec![state(provider), issuer(provider, subject), audience(provider, subject)];
    let scope = Scope::of_claims(subject.claims);
    let (mapped, of_mapping) = map(provider, subject, &scope);
    tests.extend(of_mapping);
    tests.extend(condition(provider, subject, &scope.with_mapped(&mapped.attributes), &mapped));
    let matches = Truth::all(tests.iter().map(|test| test.result));
    let mut statements =
        vec![EvaluatedRule { index: 0, name: "provider".to_owned(), effect: "Allow", matches, conditions: tests }];
    let own = mapped.attributes.get("google.subject").and_then(Value::as_str);
    let principal = provider.name.as_ref().zip(own).map(|(name, subject)| principal(name, subject));
    let mut decided = matches;
    if let Some(bindings) = bindings {
        let about_pools: Vec<EvaluatedRule> = bindings
            .iter()
            .filter_map(|binding| granted(provider, binding, &mapped.attributes, &mapped.unknown))
            .collect();
        let granted = Truth::any(about_pools.iter().map(|rule| rule.matches));
        decided = decided.and(granted);
        statements.extend(about_pools);
        statements.iter_mut().enumerate().for_each(|(index, rule)| rule.index = index);
    }
    let decision = match decided {
        Truth::True => Decision::Allow,
        Truth::False => Decision::Deny,
        Truth::Unknown => Decision::Unknown,
    };
    ProviderEvaluation { decision, statements, attributes: mapped.attributes, principal }
}

fn state(provider: &PoolProvider) -> Test {
    let (result, why) = match provider.is_off {
        true => (Truth::False, "it is disabled or deleted, and takes no new token"),
        false => (Truth::True, "it is active"),
    };
    test("is", "state", result, why).expecting(["active".to_owned()]).refused_as(Refusal::ProviderOff)
}

fn issuer(provider: &PoolProvider, subject: Subject<'_>) -> Test {
    let actual = subject.claims.get("iss").and_then(Value::as_str);
    let (result, why) = compared(&provider.issuer, actual);
    test("equals", "issuer", result, why)
        .expecting([provider.issuer.clone()])
        .with_actual(actual.map(|actual| vec![actual.to_owned()]))
        .refused_as(Refusal::Issuer)
}

fn compared(expected: &str, actual: Option<&str>) -> (Truth, String) {
    match actual {
        None => (Truth::False, "the token has none".to_owned()),
        Some(actual) if is_open(expected) && match_open(expected, actual) == Truth::Unknown => {
            (Truth::Unknown, why_open(expected))
        }
        Some(actual) if actual == expected => (Truth::True, "equal".to_owned()),
        Some(actual) => {
            let why = match text_difference(expected, actual) {
                Some(difference) => difference.to_string(),
                None => "they differ".to_owned(),
            };
            (Truth::False, why)
        }
    }
}

/// The token's `aud` against the allowed audiences or, where there are none, the provider's own name.
fn audience(provider: &PoolProvider, subject: Subject<'_>) -> Test {
    let expected: Vec<String> = match (&provider.allowed_audiences, &provider.name) {
        (listed, _) if !listed.is_empty() => listed.clone(),
        (_, Some(name)) => vec![format!("https://iam.googleapis.com/{name}"), format!("//iam.googleapis.com/{name}")],
        (_, None) => Vec::new(),
    };
    let actual: Option<Vec<String>> = match subject.claims.get("aud") {
        Some(Value::String(one)) => Some(vec![one.clone()]),
        Some(Value::Array(many)) => Some(many.iter().filter_map(Value::as_str).map(str::to_owned).collect()),
        _ => None,
    };
    let (result, why) = match (expected.as_slice(), actual.as_deref()) {
        ([], _) => {
            (Truth::Unknown, "the answer has no full name, which is the audience where none is listed".to_owned())
        }
        (_, None | Some([])) => (Truth::False, "the token has no audience".to_owned()),
        (expected, Some([one])) if expected.contains(one) => (Truth::True, "equal".to_owned()),
        ([only], Some([one])) => compared(only, Some(one)),
        (several, Some([one])) if several.iter().any(|each| compared(each, Some(one)).0 == Truth::Unknown) => {
            (Truth::Unknown, why_open(&several.join(" ")))
        }
        (_, Some([_])) => (Truth::False, "it is none of them".to_owned()),
        (expected, Some(many)) if many.iter().any(|one| expected.contains(one)) => {
            (Truth::Unknown, "one of several audiences fits; nobody has measured what Google says to a list".to_owned())
        }
        (_, Some(_)) => (Truth::False, "none of the token's audiences fits".to_owned()),
    };
    test("equals", "audience", result, why).expecting(expected).with_actual(actual).refused_as(Refusal::Audience)
}

/// What the mapping made of a token.
struct Mapped {
    attributes: Map<String, Value>,
    /// Attributes whose value depends on what is not known.
    unknown: Vec<String>,
}

fn map(provider: &PoolProvider, subject: Subject<'_>, scope: &Scope<'_>) -> (Mapped, Vec<Test>) {
    let mut mapped = Mapped { attributes: Map::new(), unknown: Vec::new() };
    let mut tests = Vec::new();
    for Mapping { attribute, expression } in &provider.mapping {
        let evaluated = known(expression, subject.unknown, &[], scope);
        let test = mapping(attribute, expression, &evaluated);
        match (&evaluated, test.result) {
            (Ok(value), Truth::True) => {
                mapped.attributes.insert(attribute.clone(), value.clone());
            }
            (_, Truth::Unknown) => mapped.unknown.push(attribute.clone()),
            _ => {}
        }
        tests.push(test);
    }
    (mapped, tests)
}

/// Why an expression's value is not known.
enum NoValue {
    /// It depends on this, which may be there.
    Depends(String),
    Fails(Failure),
}

/// The value, where it does not depend on a claim that is not known, or on an attribute without a known value.
fn known(
    expression: &Expression,
    unknown: &[String],
    unmapped: &[String],
    scope: &Scope<'_>,
) -> Result<Value, NoValue> {
    if let Some(tested) = expression.tested().find(|claim| may_have(unknown, claim)) {
        return Err(NoValue::Depends(tested.to_owned()));
    }
    expression.evaluate(scope).map_err(|failure| match failure {
        Failure::Open(reference) => NoValue::Depends(reference),
        Failure::Missing(name) if may_have(unknown, &name) => NoValue::Depends(name),
        // The language tells the last part of a name alone.
        Failure::Missing(name) if !expression.claims().any(|claim| claim == name) => {
            let attribute = expression.attributes().find(|attribute| attribute.ends_with(&format!(".{name}")));
            match attribute.filter(|attribute| unmapped.iter().any(|unmapped| unmapped == attribute)) {
                Some(attribute) => NoValue::Depends(attribute.to_owned()),
                None => NoValue::Fails(Failure::Missing(attribute.map_or(name, str::to_owned))),
            }
        }
        other => NoValue::Fails(other),
    })
}

fn mapping(attribute: &str, expression: &Expression, evaluated: &Result<Value, NoValue>) -> Test {
    let is_subject = attribute == "google.subject";
    let fits = |value: &Value| match value {
        Value::String(_) => attribute != "google.groups",
        Value::Array(items) => attribute == "google.groups" && items.iter().all(Value::is_string),
        _ => false,
    };
    let actual = evaluated.as_ref().ok().map(|value| vec![shown(value)]);
    let (result, why, refusal) = match evaluated {
        Err(NoValue::Depends(claim)) => (Truth::Unknown, format!("depends on `{claim}`, which is not known"), None),
        Err(NoValue::Fails(Failure::Missing(claim))) if is_subject => (
            Truth::False,
            format!("the token has no claim `{claim}`"),
            Some(Refusal::MappingMissing { claim: claim.clone() }),
        ),
        Err(NoValue::Fails(Failure::Missing(claim))) => (
            Truth::Unknown,
            format!(
                "the token has no claim `{claim}`; nobody has measured what Google does with a custom attribute then"
            ),
            None,
        ),
        Err(NoValue::Fails(Failure::Other(detail) | Failure::Open(detail))) => {
            (Truth::Unknown, format!("it has no value here: {detail}"), None)
        }
        Ok(Value::String(text)) if text.is_empty() && is_subject => {
            let claim = expression.claims().next().unwrap_or("sub").to_owned();
            (Truth::False, "it is empty".to_owned(), Some(Refusal::MappingMissing { claim }))
        }
        Ok(Value::String(text)) if is_subject && text.len() > LONGEST_SUBJECT => (
            Truth::False,
            format!("{} bytes; Google takes {LONGEST_SUBJECT}", text.len()),
            Some(Refusal::SubjectTooLong { bytes: text.len() }),
        ),
        Ok(value) if fits(value) => (Truth::True, "mapped".to_owned(), None),
        Ok(_) => {
            let wanted = if attribute == "google.groups" { "a list of texts" } else { "a text" };
            (Truth::False, format!("it is not {wanted}"), Some(Refusal::MappingType))
        }
    };
    let test = test("maps", attribute, result, why).expecting([expression.text().to_owned()]).with_actual(actual);
    Test { refusal, ..test }
}

/// The condition, part by part where it is a conjunction.
fn condition(provider: &PoolProvider, subject: Subject<'_>, scope: &Scope<'_>, mapped: &Mapped) -> Vec<Test> {
    let Mapped { attributes, unknown: unmapped } = mapped;
    let Some(condition) = &provider.condition else { return Vec::new() };
    let actual = |part: &Expression| -> Option<Vec<String>> {
        let claims = part.claims().map(|claim| (format!("assertion.{claim}"), subject.claims.get(claim)));
        let mapped = part.attributes().map(|name| (name.to_owned(), attributes.get(name)));
        let told: Vec<String> = claims
            .chain(mapped)
            .map(|(name, value)| {
                value.map_or_else(|| format!("no {name}"), |value| format!("{name} = {}", shown(value)))
            })
            .collect();
        (!told.is_empty()).then_some(told)
    };
    let one = |part: &Expression| -> Test {
        let (result, why, refusal) = match held(&known(part, subject.unknown, unmapped, scope)) {
            (Truth::Unknown, ..) if is_ruled_out(part, subject.claims, attributes) => held(&Ok(Value::Bool(false))),
            other => other,
        };
        let why =
            if result == Truth::False { other_kind(part, subject.claims, attributes).unwrap_or(why) } else { why };
        let (expected, actual) = match (result, part.compared()) {
            // A comparison shows its two sides, so that what differs can be marked.
            (Truth::False, Some((name, text))) => match value_of(&name, subject.claims, attributes) {
                Some(value) => (text, Some(vec![shown(value)])),
                None => (part.text().to_owned(), actual(part)),
            },
            _ => (part.text().to_owned(), actual(part)),
        };
        let test = test("holds", part.text(), result, why).expecting([expected]).with_actual(actual);
        Test { refusal, ..test }
    };
    match condition.conjuncts() {
        [] => vec![one(condition)],
        parts => parts.iter().map(one).collect(),
    }
}

fn value_of<'a>(name: &str, claims: &'a Map<String, Value>, attributes: &'a Map<String, Value>) -> Option<&'a Value> {
    name.strip_prefix("assertion.").map_or_else(|| attributes.get(name), |claim| claims.get(claim))
}

/// Whether a comparison with a text that the code leaves open in part fails by what is written of it.
fn is_ruled_out(part: &Expression, claims: &Map<String, Value>, attributes: &Map<String, Value>) -> bool {
    let Some((left, right)) = part.text().split_once("==").filter(|_| is_open(part.text())) else { return false };
    let mut names = part.claims().map(|claim| format!("assertion.{claim}")).chain(part.attributes().map(str::to_owned));
    let (Some(name), None) = (names.next(), names.next()) else { return false };
    let sides = [left, right].map(str::trim);
    let literal = sides.iter().find_map(|side| {
        let quote = side.chars().next().filter(|c| matches!(c, '\'' | '"'))?;
        side.strip_prefix(quote)?.strip_suffix(quote)
    });
    let value = value_of(&name, claims, attributes).and_then(Value::as_str);
    let (Some(literal), Some(value), true) = (literal, value, sides.contains(&name.as_str())) else { return false };
    match_open(literal, value) == Truth::False
}

/// What is off where both sides read the same and are not of one kind: a text is no number, and no yes or no.
fn other_kind(part: &Expression, claims: &Map<String, Value>, attributes: &Map<String, Value>) -> Option<String> {
    let (left, right) = part.text().split_once("==")?;
    let mut names = part.claims().map(|claim| format!("assertion.{claim}")).chain(part.attributes().map(str::to_owned));
    let name = names.next()?;
    let written = [left, right].map(str::trim).into_iter().find(|side| *side != name)?;
    let (value, bare) = (value_of(&name, claims, attributes)?, written.trim_matches(['\'', '"']));
    let is_quoted = bare.len() + 2 == written.len();
    match value {
        _ if shown(value) != bare => None,
        Value::String(_) => (!is_quoted).then(|| {
            format!("does not hold: `{name}` is the text '{bare}', and the condition compares it without quotes")
        }),
        _ => is_quoted.then(|| format!("does not hold: `{name}` is {bare}, and the condition compares it with a text")),
    }
}

fn held(evaluated: &Result<Value, NoValue>) -> (Truth, String, Option<Refusal>) {
    match evaluated {
        Ok(Value::Bool(true)) => (Truth::True, "holds".to_owned(), None),
        Ok(Value::Bool(false)) => (Truth::False, "does not hold".to_owned(), Some(Refusal::ConditionFalse)),
        Ok(_) => (Truth::False, "it is no yes or no".to_owned(), Some(Refusal::ConditionFails { name: None })),
        Err(NoValue::Depends(name)) => (Truth::Unknown, format!("depends on `{name}`, which is not known"), None),
        Err(NoValue::Fails(Failure::Missing(name))) => (
            Truth::False,
            format!("fails, which refuses as well: the token has no `{name}`"),
            Some(Refusal::ConditionFails { name: Some(name.clone()) }),
        ),
        Err(NoValue::Fails(Failure::Other(detail) | Failure::Open(detail))) => {
            (Truth::Unknown, format!("it has no value here: {detail}"), None)
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const POOL: &str = "projects/123456789012/locations/global/workloadIdentityPools/pool";

    fn provider(condition: &str, changes: &[(&str, Value)]) -> PoolProvider {
        let mut provider = json!({
            "name": format!("{POOL}/providers/ci"),
            "oidc": {"issuerUri": "https://issuer.example"},
            "attributeMapping": {"google.subject": "assertion.sub", "attribute.team": "assertion.team"},
            "attributeCondition": condition,
        });
        for (key, value) in changes {
            provider[*key] = value.clone();
        }
        PoolProvider::parse(&provider.to_string()).unwrap()
    }

    fn claims(changes: &[(&str, Value)]) -> Map<String, Value> {
        let mut claims = json!({
            "iss": "https://issuer.example", "sub": "job:1", "team": "a",
            "aud": format!("https://iam.googleapis.com/{POOL}/providers/ci"),
        });
        for (key, value) in changes {
            if value.is_null() {
                claims.as_object_mut().unwrap().remove(*key);
            } else {
                claims[*key] = value.clone();
            }
        }
        claims.as_object().unwrap().clone()
    }

    fn refused(provider: &PoolProvider, changes: &[(&str, Value)]) -> Option<Refusal> {
        let claims = claims(changes);
        let found = evaluate(provider, None, Subject { claims: &claims, unknown: &[] });
        found.refused().map(|(_, refusal)| refusal.clone())
    }

    #[test]
    fn each_refusal_of_the_exchange_is_found() {
        let usual = provider("assertion.team == 'a'", &[]);
        let list = json!({"issuerUri": "https://issuer.example", "allowedAudiences": ["mine"]});
        let subject = |text: &str| json!({"google.subject": text});
        for (provider, changes, refusal) in [
            (&usual, vec![], None),
            (&usual, vec![("iss", json!("https://issuer.example/"))], Some(Refusal::Issuer)),
            (&usual, vec![("iss", Value::Null)], Some(Refusal::Issuer)),
            (&usual, vec![("aud", json!(format!("//iam.googleapis.com/{POOL}/providers/ci")))], None),
            (&usual, vec![("aud", json!("sts.amazonaws.com"))], Some(Refusal::Audience)),
            (&usual, vec![("aud", json!([]))], Some(Refusal::Audience)),
            (&usual, vec![("team", json!("b"))], Some(Refusal::ConditionFalse)),
            (&usual, vec![("team", json!("A"))], Some(Refusal::ConditionFalse)),
            (&usual, vec![("sub", Value::Null)], Some(Refusal::MappingMissing { claim: "sub".into() })),
            (&usual, vec![("sub", json!(""))], Some(Refusal::MappingMissing { claim: "sub".into() })),
            (&usual, vec![("sub", json!("x".repeat(127)))], None),
            (&usual, vec![("sub", json!("x".repeat(128)))], Some(Refusal::SubjectTooLong { bytes: 128 })),
            (&usual, vec![("sub", json!("é".repeat(64)))], Some(Refusal::SubjectTooLong { bytes: 128 })),
            (&provider("", &[("disabled", json!(true))]), vec![], Some(Refusal::ProviderOff)),
            (&provider("", &[("oidc", list.clone())]), vec![("aud", json!("mine"))], None),
            // A list takes the place of the provider's own name.
            (&provider("", &[("oidc", list)]), vec![], Some(Refusal::Audience)),
            (
                &provider("", &[("attributeMapping", subject("assertion.sub == 'job:1'"))]),
                vec![],
                Some(Refusal::MappingType),
            ),
            (&provider("assertion.org != ''", &[]), vec![], Some(Refusal::ConditionFails { name: Some("org".into()) })),
            (&provider("attribute.team == 'a' && google.subject.startsWith('job:')", &[]), vec![], None),
        ] {
            assert_eq!(refused(provider, &changes), refusal, "{changes:?}");
        }
    }

    #[test]
    fn what_code_leaves_open_is_unknown_by_name_unless_the_rest_decides() {
        let claims = claims(&[("repository", json!("octo/app"))]);
        let open_issuer = [("oidc", json!({"issuerUri": "${unknown:var.issuer}"}))];
        let open_mapping = [("attributeMapping", json!("${unknown:var.mapping}"))];
        let audience = |audience: &str| {
            [("oidc", json!({"issuerUri": "https://issuer.example", "allowedAudiences": [audience, "x"]}))]
        };
        for (condition, changes, decision, why) in [
            ("assertion.team == '${unknown:var.team}'", &[][..], Decision::Unknown, "var.team"),
            ("assertion.repository == 'octo/${unknown:var.name}'", &[], Decision::Unknown, "var.name"),
            ("assertion.repository == 'other/${unknown:var.name}'", &[], Decision::Deny, "does not hold"),
            ("assertion.team == 'b' && assertion.sub == '${unknown:var.sub}'", &[], Decision::Deny, "does not hold"),
            ("assertion.team == 'a' || assertion.sub == '${unknown:var.sub}'", &[], Decision::Allow, "holds"),
            ("${unknown:var.condition}", &[], Decision::Unknown, "var.condition"),
            ("assertion.team == 'a' ${unknown:var.more}", &[], Decision::Unknown, "var.more"),
            ("assertion.${unknown:var.claim} == 'a'", &[], Decision::Unknown, "var.claim"),
            ("", &open_issuer, Decision::Unknown, "var.issuer"),
            ("attribute.any == 'a'", &open_mapping, Decision::Unknown, "var.mapping"),
            ("", &audience("${unknown:var.audience}"), Decision::Unknown, "var.audience"),
        ] {
            let provider = provider(condition, changes);
            assert_eq!(provider.problems, [], "{condition}");
            let found = evaluate(&provider, None, Subject { claims: &claims, unknown: &[] });
            assert_eq!(found.decision, decision, "{condition} {changes:?}: {found:#?}");
            let whys: Vec<&str> = found.statements[0].conditions.iter().map(|test| test.why.as_str()).collect();
            assert!(whys.iter().any(|found| found.contains(why)), "{whys:?} {why}");
        }
    }

    #[test]
    fn a_conjunction_is_told_part_by_part() {
        let provider = provider("assertion.team == 'b' && assertion.sub.startsWith('job:')", &[]);
        let claims = claims(&[]);
        let found = evaluate(&provider, None, Subject { claims: &claims, unknown: &[] });
        let parts: Vec<(&str, Truth)> = found.statements[0]
            .conditions
            .iter()
            .filter(|t| t.operator == "holds")
            .map(|t| (t.key.as_str(), t.result))
            .collect();
        assert_eq!(parts, [("assertion.team == 'b'", Truth::False), ("assertion.sub.startsWith('job:')", Truth::True)]);
        let failed = found.refused().unwrap().0;
        assert_eq!(
            (failed.expected.as_slice(), failed.actual.as_deref()),
            (["b".to_owned()].as_slice(), Some(["a".to_owned()].as_slice()))
        );
    }

    #[test]
    fn what_reads_the_same_and_is_of_another_kind_is_told() {
        let told = |condition: &str| {
            let claims = claims(&[("protected", json!("true")), ("id", json!(72))]);
            let found = evaluate(&provider(condition, &[]), None, Subject { claims: &claims, unknown: &[] });
            found.refused().map(|(test, _)| test.why.clone()).unwrap_or_default()
        };
        assert!(
            told("assertion.protected == true").contains("is the text 'true', and the condition compares it without")
        );
        assert!(
            told("assertion.id == '72'").contains("`assertion.id` is 72, and the condition compares it with a text")
        );
        assert_eq!(told("assertion.protected == 'false'"), "does not hold");
        assert_eq!(told("assertion.id == 72"), "");
    }

    #[test]
    fn what_depends_on_an_unknown_claim_is_unknown() {
        let unknown = ["team".to_owned()];
        let without = claims(&[("team", Value::Null)]);
        let decided = |condition: &str| {
            evaluate(
                &provider(condition, &[("attributeMapping", json!({"google.subject": "assertion.sub"}))]),
                None,
                Subject { claims: &without, unknown: &unknown },
            )
            .decision
        };
        for (condition, decision) in [
            ("assertion.team == 'a'", Decision::Unknown),
            ("has(assertion.team)", Decision::Unknown),
            ("!('team' in assertion)", Decision::Unknown),
            ("assertion.team == 'a' || assertion.sub == 'job:1'", Decision::Allow),
            ("assertion.team == 'a' && assertion.sub == 'job:2'", Decision::Deny),
        ] {
            assert_eq!(decided(condition), decision, "{condition}");
        }
    }
}
