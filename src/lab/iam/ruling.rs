//! What policies say, asked of the one evaluator in [`crate::domain::iam`].

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::domain::iam::{
    AccessRequest, AccessStatement, Decision, Effect, OtherKeys, Policy, TrustRequest, Truth, decide_trust,
    evaluate_access,
};
use crate::lab::session::{Account, Caller};

/// What a set of policies says of one action on one resource.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::lab) enum Ruling {
    /// An `Allow` matches and no `Deny`.
    Allowed,
    /// A `Deny` matches.
    Denied,
    /// Nothing matches.
    #[default]
    Silent,
}

/// What a policy with principals says of one caller.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::lab) struct Named {
    pub ruling: Ruling,
    /// It allows the caller itself, not only the account that the caller belongs to.
    pub itself: bool,
    /// It allows this very session, which session policies then do not narrow.
    pub session: bool,
}

impl Named {
    /// What two policies of one resource say together: a denial of either counts, and so does what either allows.
    pub fn beside(self, other: Named) -> Named {
        let ruling = match (self.ruling, other.ruling) {
            (Ruling::Denied, _) | (_, Ruling::Denied) => Ruling::Denied,
            (Ruling::Allowed, _) | (_, Ruling::Allowed) => Ruling::Allowed,
            (Ruling::Silent, Ruling::Silent) => Ruling::Silent,
        };
        Named { ruling, itself: self.itself || other.itself, session: self.session || other.session }
    }
}

/// Whether the text is a policy document.
pub(in crate::lab) fn is_policy(text: &str) -> bool {
    matches!(serde_json::from_str(text), Ok(Value::Object(document)) if document.contains_key("Statement"))
}

/// Whether the trust policy lets the web identity in: for the exchange, and for all that the token's own claims imply.
/// What the evaluator cannot know is not allowed.
pub(in crate::lab) fn trust_allows(policy: &str, request: &TrustRequest<'_>) -> bool {
    Policy::parse(policy).is_ok_and(|policy| decide_trust(&policy, request) == Decision::Allow)
}

/// What the policies say, all together, of a call that has exactly these condition keys. A policy that cannot be read
/// says nothing.
pub(in crate::lab) fn rule(
    policies: &[String],
    action: &str,
    resource: &str,
    context: &[(impl AsRef<str>, String)],
) -> Ruling {
    let policies: Vec<Policy> = policies.iter().filter_map(|text| Policy::parse(text).ok()).collect();
    let context: BTreeMap<String, String> =
        context.iter().map(|(key, value)| (key.as_ref().to_lowercase(), value.clone())).collect();
    let request = AccessRequest { action, resource, context: &context, others: OtherKeys::Absent };
    let evaluation = evaluate_access(&policies, &request);
    let denied = |s: &AccessStatement| s.effect == Effect::Deny && s.matches == Truth::True;
    match evaluation.decision {
        Decision::Allow => Ruling::Allowed,
        // Denied by a statement, rather than by the lack of one.
        _ if evaluation.statements.iter().any(denied) => Ruling::Denied,
        _ => Ruling::Silent,
    }
}

/// What a policy with principals (a resource's, or a role's trust policy) says of the caller. `resource` is the one it
/// hangs on; none for a trust policy, which has no resources.
pub(in crate::lab) fn rule_by_principal(
    policy: &str,
    account: &Account,
    caller: &Caller,
    action: &str,
    resource: Option<&str>,
    context: &[(impl AsRef<str>, String)],
) -> Named {
    let Ok(Value::Object(document)) = serde_json::from_str::<Value>(policy) else { return Named::default() };
    let at = resource.unwrap_or("*");
    let ask = |names: &[String]| rule(&for_principals(&document, names), action, at, context);
    let number = account.world().account.clone();
    let root = format!("arn:aws:iam::{number}:root");
    let own = vec![account.principal_arn(caller), "*".to_owned()];
    let session = vec![account.arn(caller)];
    let whole_account = vec![root, number];
    let all = [own.clone(), session.clone(), whole_account].concat();
    Named {
        ruling: ask(&all),
        itself: ask(&[own, session.clone()].concat()) == Ruling::Allowed,
        session: matches!(caller, Caller::Session { .. }) && ask(&session) == Ruling::Allowed,
    }
}

/// What of a policy with principals is about the caller, without the principals.
pub(in crate::lab) fn about_caller(policy: &str, account: &Account, caller: &Caller) -> String {
    let Ok(Value::Object(document)) = serde_json::from_str::<Value>(policy) else { return String::new() };
    let number = account.world().account.clone();
    let root = format!("arn:aws:iam::{number}:root");
    let names = [account.principal_arn(caller), account.arn(caller), "*".to_owned(), root, number];
    for_principals(&document, &names).concat()
}

/// The document's statements that speak of one of these principals, without their principals.
fn for_principals(document: &Map<String, Value>, names: &[String]) -> Vec<String> {
    let statements = match document.get("Statement") {
        Some(Value::Array(items)) => items.iter().filter_map(Value::as_object).collect(),
        Some(Value::Object(only)) => vec![only],
        _ => Vec::new(),
    };
    let mut kept = Vec::new();
    for statement in statements {
        let matches = match (statement.get("Principal"), statement.get("NotPrincipal")) {
            (Some(principal), _) => names_one_of(principal, names),
            (None, Some(principal)) => !names_one_of(principal, names),
            (None, None) => false,
        };
        if !matches {
            continue;
        }
        let mut statement = statement.clone();
        statement.retain(|name, _| name != "Principal" && name != "NotPrincipal");
        statement.entry("Resource").or_insert_with(|| "*".into());
        kept.push(Value::Object(statement));
    }
    let mut filtered = Map::new();
    filtered.extend(document.get("Version").map(|version| ("Version".to_owned(), version.clone())));
    filtered.insert("Statement".to_owned(), Value::Array(kept));
    vec![Value::Object(filtered).to_string()]
}

fn names_one_of(principal: &Value, names: &[String]) -> bool {
    let is_one = |text: &Value| text.as_str().is_some_and(|text| names.iter().any(|name| name == text));
    match principal {
        Value::String(_) => is_one(principal),
        Value::Object(kinds) => match kinds.get("AWS") {
            Some(Value::Array(items)) => items.iter().any(is_one),
            Some(single) => is_one(single),
            None => false,
        },
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lab::world::{ServiceUrls, World};

    /// A call of which no condition key is known.
    const NO_KEYS: [(&str, String); 0] = [];

    fn account() -> Account {
        let world = World::scenario("healthy").unwrap();
        Account::new(world.describe(&ServiceUrls::of_issuer("https://127.0.0.1:1")).unwrap().aws).unwrap()
    }

    fn session() -> Caller {
        Caller::Session {
            role: "crewai-secrets-reader".into(),
            session_name: "s".into(),
            session_policies: Vec::new(),
            tags: BTreeMap::new(),
        }
    }

    fn named(effect: &str, principal: &str) -> Named {
        let policy = format!(
            r#"{{"Statement": [{{"Effect": "{effect}", "Principal": {principal}, "Action": "kms:*", "Resource": "*"}}]}}"#
        );
        rule_by_principal(&policy, &account(), &session(), "kms:Decrypt", Some("arn:k"), &NO_KEYS)
    }

    #[test]
    fn who_a_resource_policy_names() {
        let role = r#"{"AWS": ["arn:aws:iam::123456789012:role/crewai-secrets-reader"]}"#;
        let own_session = r#"{"AWS": "arn:aws:sts::123456789012:assumed-role/crewai-secrets-reader/s"}"#;
        let root = r#"{"AWS": "arn:aws:iam::123456789012:root"}"#;
        for (principal, itself, this_session) in
            [(role, true, false), (own_session, true, true), (root, false, false), ("\"*\"", true, false)]
        {
            let expected = Named { ruling: Ruling::Allowed, itself, session: this_session };
            assert_eq!(named("Allow", principal), expected, "{principal}");
            assert_eq!(named("Deny", principal).ruling, Ruling::Denied);
        }
        assert_eq!(named("Allow", r#"{"AWS": "arn:aws:iam::123456789012:role/other"}"#), Named::default());
        assert_eq!(named("Allow", r#"{"Federated": "*"}"#), Named::default());
    }

    #[test]
    fn silence_is_not_denial() {
        let policy = r#"{"Statement": {"Effect": "Deny", "Action": "kms:Encrypt", "Resource": "*"}}"#.to_owned();
        let ask = |action| rule(std::slice::from_ref(&policy), action, "arn:k", &NO_KEYS);
        assert_eq!(ask("kms:Decrypt"), Ruling::Silent);
        assert_eq!(ask("kms:Encrypt"), Ruling::Denied);
        assert_eq!(rule(&["no policy".to_owned()], "kms:Decrypt", "arn:k", &NO_KEYS), Ruling::Silent);
    }

    /// A negated operator holds for a key that the request does not have, so such a `Deny` denies.
    #[test]
    fn a_key_that_the_call_does_not_have_is_absent() {
        let policy = |key: &str| {
            let condition = format!(r#"{{"StringNotEquals": {{"{key}": "x"}}}}"#);
            format!(
                r#"{{"Statement": {{"Effect": "Deny", "Action": "*", "Resource": "*", "Condition": {condition}}}}}"#
            )
        };
        for key in ["aws:PrincipalTag/team", "aws:PrincipalOrgID", "aws:SourceVpce", "secretsmanager:ResourceTag/team"]
        {
            let keys = session().keys(&account());
            let ruling = rule(&[policy(key)], "secretsmanager:GetSecretValue", "arn:s", &keys);
            assert_eq!(ruling, Ruling::Denied, "{key}");
        }
        let tags = BTreeMap::from([("team".to_owned(), "x".to_owned())]);
        let Caller::Session { role, session_name, session_policies, .. } = session() else { unreachable!() };
        let tagged = Caller::Session { role, session_name, session_policies, tags };
        let ruling = rule(&[policy("aws:PrincipalTag/Team")], "a:B", "arn:s", &tagged.keys(&account()));
        assert_eq!(ruling, Ruling::Silent, "the session has the tag");
    }
}
