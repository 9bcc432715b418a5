//! The denials of one account, written down where they are made with the policies as they were, for IAM's toolbox to tell.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use serde_json::{Map, Value, json};

use super::keys::{random_text, sha256_hex};
use crate::domain::iam::{AccessRequest, AccessStatement, Effect, OtherKeys, Policy, Truth, evaluate_access};

/// What ids are made of.
pub(super) const LETTERS: &[u8] = b"0123456789abcdefghijklmnopqrstuvwxyz";
const ID_LENGTH: usize = 32;
/// So many denials are kept; older ones are forgotten.
const MOST: usize = 1000;

/// The denials of one account.
#[derive(Debug, Default)]
pub(super) struct Denials(Mutex<Kept>);

#[derive(Debug, Default)]
struct Kept {
    by_id: HashMap<String, Denial>,
    oldest_first: VecDeque<String>,
}

/// A denial, and when it can be looked up.
#[derive(Clone, Debug)]
pub(super) struct Denial {
    shown_from: Instant,
    region: String,
    pub details: Value,
    pub documents: BTreeMap<String, Value>,
}

/// A request that was denied, with everything that was asked about it.
pub(super) struct Denied<'a> {
    pub action: &'a str,
    pub resource: &'a str,
    pub region: &'a str,
    pub context: &'a [(Cow<'static, str>, String)],
    pub requirements: Vec<Requirement>,
}

/// One kind of policy, and whether it had to allow the request.
pub(super) struct Requirement {
    /// Such as `PRINCIPAL`.
    pub check: &'static str,
    /// Such as `IDENTITY_BASED_POLICY`.
    pub kind: &'static str,
    pub must_allow: bool,
    pub policies: Vec<NamedPolicy>,
}

/// A policy with what it is called, and what it hangs on.
pub(super) struct NamedPolicy {
    /// A managed policy's ARN; an inline one has none.
    pub arn: Option<String>,
    pub attached_to: String,
    pub text: String,
}

impl NamedPolicy {
    /// The ARN, or what stands for an inline policy.
    fn uri(&self) -> String {
        self.arn.clone().unwrap_or_else(|| {
            let whole = format!("{}\n{}", self.attached_to, self.text);
            sha256_hex(whole.as_bytes())[..24].to_owned()
        })
    }
}

impl Denials {
    /// Writes a denial down, and gives it an id; none where no chance was to be had.
    pub(super) fn add(&self, denied: &Denied<'_>, shown_after: Duration) -> Option<String> {
        let id = random_text(ID_LENGTH, LETTERS).ok()?;
        let policies =
            || denied.requirements.iter().flat_map(|one| one.policies.iter().map(move |policy| (one, policy)));
        let document = |policy: &NamedPolicy| serde_json::from_str(&policy.text).unwrap_or(Value::Null);
        let denial = Denial {
            shown_from: Instant::now() + shown_after,
            region: denied.region.to_owned(),
            details: json!({
                "requestContext": denied.context.iter().map(|(key, value)| (key.to_string(), json!(value))).collect::<Map<_, _>>(),
                "evaluations": [{
                    "action": denied.action,
                    "resource": denied.resource,
                    "context": {},
                    "evaluatedEffect": denied.effect(),
                    "checks": denied.requirements.iter().map(|one| denied.check(one)).collect::<Vec<_>>(),
                }],
                "policies": policies().map(|(one, policy)| json!({
                    "type": one.kind,
                    "inline": policy.arn.is_none(),
                    "uri": policy.uri(),
                    "attachedTo": [{ "arn": policy.attached_to }],
                })).collect::<Vec<_>>(),
            }),
            documents: policies().map(|(_, policy)| (policy.uri(), document(policy))).collect(),
        };
        self.with(|kept| {
            kept.by_id.insert(id.clone(), denial);
            kept.oldest_first.push_back(id.clone());
            if kept.oldest_first.len() > MOST
                && let Some(oldest) = kept.oldest_first.pop_front()
            {
                kept.by_id.remove(&oldest);
            }
        });
        Some(id)
    }

    /// A denial of a region that can be looked up by now.
    pub(super) fn find(&self, id: &str, region: &str) -> Option<Denial> {
        let at = Instant::now();
        let found = self.with(|kept| kept.by_id.get(id).cloned());
        found.filter(|denial| denial.shown_from <= at && denial.region == region)
    }

    fn with<R>(&self, work: impl FnOnce(&mut Kept) -> R) -> R {
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Denied<'_> {
    fn effect(&self) -> &'static str {
        let is_explicit = self.requirements.iter().any(|one| self.effect_of(one) == "EXPLICIT_DENY");
        if is_explicit { "EXPLICIT_DENY" } else { "IMPLICIT_DENY" }
    }

    fn check(&self, one: &Requirement) -> Value {
        let matched = one.policies.iter().map(|policy| (policy, self.matched(policy)));
        json!({
            "checkType": one.check,
            "evaluatedEffect": self.effect_of(one),
            "relevantPolicyTypes": [one.kind],
            "matchedPolicies": matched.filter(|(_, statements)| !statements.is_empty()).map(|(policy, statements)| json!({
                "uri": policy.uri(),
                "matchedStatements": statements.iter().map(shown).collect::<Vec<_>>(),
            })).collect::<Vec<_>>(),
        })
    }

    fn effect_of(&self, one: &Requirement) -> &'static str {
        let matched: Vec<AccessStatement> = one.policies.iter().flat_map(|policy| self.matched(policy)).collect();
        let any = |effect| matched.iter().any(|statement| statement.effect == effect);
        match (any(Effect::Deny), any(Effect::Allow), one.must_allow) {
            (true, ..) => "EXPLICIT_DENY",
            (false, true, _) => "ALLOW",
            (false, false, true) => "IMPLICIT_DENY",
            (false, false, false) => "NO_IMPACT",
        }
    }

    /// The statements of a policy that match the request.
    fn matched(&self, policy: &NamedPolicy) -> Vec<AccessStatement> {
        let Ok(policy) = Policy::parse(&policy.text) else { return Vec::new() };
        let context: BTreeMap<String, String> =
            self.context.iter().map(|(key, value)| (key.to_lowercase(), value.clone())).collect();
        let (action, resource) = (self.action, self.resource);
        let request = AccessRequest { action, resource, context: &context, others: OtherKeys::Absent };
        let statements = evaluate_access(std::slice::from_ref(&policy), &request).statements.into_iter();
        statements.filter(|statement| statement.matches == Truth::True).collect()
    }
}

fn shown(statement: &AccessStatement) -> Value {
    let made = format!("statement{}", statement.index + 1);
    let effect = if statement.effect == Effect::Deny { "DENY" } else { "ALLOW" };
    json!({ "sid": statement.sid.clone().unwrap_or(made), "evaluatedEffect": effect })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy(text: &str) -> NamedPolicy {
        NamedPolicy { arn: None, attached_to: "arn:role".into(), text: text.into() }
    }

    fn denied(texts: &[&str]) -> (Denials, Option<String>) {
        let context: Vec<(Cow<'static, str>, String)> = vec![("aws:PrincipalType".into(), "AssumedRole".to_owned())];
        let requirement = Requirement {
            check: "PRINCIPAL",
            kind: "IDENTITY_BASED_POLICY",
            must_allow: true,
            policies: texts.iter().map(|text| policy(text)).collect(),
        };
        let denied = Denied {
            action: "secretsmanager:GetSecretValue",
            resource: "arn:s",
            region: "us-east-1",
            context: &context,
            requirements: vec![requirement],
        };
        let denials = Denials::default();
        let id = denials.add(&denied, Duration::ZERO);
        (denials, id)
    }

    #[test]
    fn a_denial_tells_the_statements_that_matched_and_keeps_the_policies() {
        let allow = r#"{"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}"#;
        let deny = r#"{"Statement": [{"Sid": "No", "Effect": "Deny", "Action": "*", "Resource": "*",
            "Condition": {"StringEquals": {"aws:PrincipalType": "AssumedRole"}}}]}"#;
        let (denials, id) = denied(&[allow, deny]);
        let id = id.unwrap();
        assert!(id.len() == ID_LENGTH && denials.find(&id, "eu-west-1").is_none());
        let denial = denials.find(&id, "us-east-1").unwrap();
        let check = &denial.details["evaluations"][0]["checks"][0];
        assert_eq!(check["evaluatedEffect"], "EXPLICIT_DENY");
        let matched = check["matchedPolicies"].as_array().unwrap();
        assert_eq!(matched[0]["matchedStatements"][0]["sid"], "statement1");
        assert_eq!(matched[1]["matchedStatements"][0], json!({ "sid": "No", "evaluatedEffect": "DENY" }));
        let uri = matched[1]["uri"].as_str().unwrap();
        assert_eq!(denial.documents[uri]["Statement"][0]["Sid"], "No");
        assert_eq!(denial.details["requestContext"]["aws:PrincipalType"], "AssumedRole");
    }

    #[test]
    fn where_nothing_matches_the_denial_is_implicit_and_old_denials_are_forgotten() {
        let (denials, id) = denied(&[r#"{"Statement": []}"#]);
        let details = denials.find(&id.unwrap(), "us-east-1").unwrap().details;
        assert_eq!(details["evaluations"][0]["evaluatedEffect"], "IMPLICIT_DENY");
        let again =
            Denied { action: "a:B", resource: "*", region: "us-east-1", context: &[], requirements: Vec::new() };
        for _ in 0..MOST + 5 {
            denials.add(&again, Duration::ZERO);
        }
        assert_eq!(denials.with(|kept| (kept.by_id.len(), kept.oldest_first.len())), (MOST, MOST));
    }
}
