//! Single changes of a trust policy, and the proof that together they let nobody else in and keep nobody out who is named.

use serde_json::Value;

use super::document::{Document, Statement};
use super::{Correction, NoCorrection};
use crate::domain::iam::context::TrustRequest;
use crate::domain::iam::decide::{Decision, decide_trust};
use crate::domain::iam::foreign::{named_tokens, strangers_of_statement};
use crate::domain::iam::policy::{Effect, Policy, ProviderArn};
use crate::domain::issuer::condition_key_prefix;

/// One change, in the statement of this place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrustEdit {
    pub statement: usize,
    pub change: TrustChange,
}

/// What is changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TrustChange {
    /// Another operator over the same keys and values.
    Operator {
        from: String,
        to: String,
    },
    /// Another name for a condition key.
    Key {
        operator: String,
        from: String,
        to: String,
    },
    /// Another value in place of one.
    Value {
        operator: String,
        key: String,
        from: String,
        to: String,
    },
    /// One more value.
    OneMore {
        operator: String,
        key: String,
        value: String,
    },
    /// A condition that was not there.
    Require {
        key: String,
        value: String,
    },
    Provider {
        from: String,
        to: String,
    },
    Action {
        from: String,
        to: String,
    },
}

impl TrustEdit {
    fn make(&self, statement: &mut Statement<'_>) -> Option<()> {
        match &self.change {
            TrustChange::Operator { from, to } => statement.rename_operator(from, to),
            TrustChange::Key { operator, from, to } => statement.rename_key(operator, from, to),
            TrustChange::Value { operator, key, from, to } => statement.set_value(operator, key, Some(from), to),
            TrustChange::OneMore { operator, key, value } => statement.set_value(operator, key, None, value),
            TrustChange::Require { key, value } => statement.require("StringEquals", key, value),
            TrustChange::Provider { from, to } => statement.replace_provider(from, to),
            TrustChange::Action { from, to } => statement.replace_action(from, to),
        }
    }

    /// What is there no more: whoever had it is let in no longer.
    fn replaced(&self) -> Option<&str> {
        match &self.change {
            TrustChange::Value { from, .. } | TrustChange::Provider { from, .. } => Some(from),
            _ => None,
        }
    }

    fn in_words(&self) -> String {
        let what = match &self.change {
            TrustChange::Operator { from, to } => format!("write {to} in place of {from}"),
            TrustChange::Key { from, to, .. } => format!("name the condition key {to} (was {from})"),
            TrustChange::Value { key, from, to, .. } => format!("require {key} = {to} (was {from})"),
            TrustChange::OneMore { key, value, .. } => format!("also accept {key} = {value}"),
            TrustChange::Require { key, value } => format!("also require {key} = {value}"),
            TrustChange::Provider { from, to } => format!("name the identity provider {to} (was {from})"),
            TrustChange::Action { from, to } => format!("allow {to} (was {from})"),
        };
        format!("in Statement[{}] {what}", self.statement)
    }
}

/// Makes these changes.
///
/// # Errors
/// The document cannot be read, has nothing to change there, or would let somebody else in or keep out whom it names.
pub fn edit_trust(text: &str, edits: &[TrustEdit]) -> Result<Correction, NoCorrection> {
    let document = Document::read(text)?;
    let mut edited = document.clone();
    for edit in edits {
        let mut statement = edited.statement(edit.statement).ok_or(NoCorrection::Unproven)?;
        edit.make(&mut statement).ok_or(NoCorrection::Unproven)?;
    }
    let (before, after) = (document.policy()?, edited.policy()?);
    let replaced: Vec<String> = edits.iter().filter_map(TrustEdit::replaced).map(str::to_owned).collect();
    if !lets_nobody_else_in(&before, &after) || !keeps_the_named(&before, &after, &replaced) {
        return Err(NoCorrection::Unproven);
    }
    Ok(Correction {
        before: document.into_json(),
        after: edited.into_json(),
        changes: edits.iter().map(TrustEdit::in_words).collect(),
        replaced,
        also_admits: Vec::new(),
    })
}

/// Whether every stranger whom `after` lets in came in before.
fn lets_nobody_else_in(before: &Policy, after: &Policy) -> bool {
    let allowing = after.statements.iter().filter(|statement| statement.effect == Effect::Allow);
    allowing.clone().all(|statement| {
        strangers_of_statement(after, statement).iter().all(|(_, claims)| {
            let issuer = claims.get("iss").and_then(|issuer| issuer.as_str()).unwrap_or_default();
            let url = condition_key_prefix(issuer);
            let federated = statement.principal.iter().flat_map(|principal| &principal.federated);
            let mut own = federated.filter(|provider| ProviderArn::parse(provider).is_none_or(|arn| arn.url == url));
            own.any(|provider| decide_trust(before, &TrustRequest::new(claims, provider)) == Decision::Allow)
        })
    })
}

/// Whether all whom `before` names, and lets in, still get in, but for those whose value was replaced.
fn keeps_the_named(before: &Policy, after: &Policy, replaced: &[String]) -> bool {
    let is_replaced = |text: &str| replaced.iter().any(|replaced| replaced == text);
    let allowing = before.statements.iter().filter(|statement| statement.effect == Effect::Allow);
    allowing.flat_map(|statement| named_tokens(before, statement)).all(|(claims, provider)| {
        let request = TrustRequest::new(&claims, provider);
        let is_gone = is_replaced(provider) || claims.values().filter_map(Value::as_str).any(is_replaced);
        is_gone || decide_trust(before, &request) != Decision::Allow || decide_trust(after, &request) == Decision::Allow
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const HOST: &str = "token.actions.githubusercontent.com";
    const MAIN: &str = "repo:octo@1/app@2:ref:refs/heads/main";

    fn policy(conditions: Value) -> String {
        json!({"Version": "2012-10-17", "Statement": [{"Sid": "Ci", "Effect": "Allow",
            "Principal": {"Federated": format!("arn:aws:iam::123456789012:oidc-provider/{HOST}")},
            "Action": "sts:AssumeRoleWithWebIdentity", "Condition": conditions}]})
        .to_string()
    }

    fn subject(operator: &str, subject: &str) -> Value {
        json!({"StringEquals": {format!("{HOST}:aud"): "sts.amazonaws.com"}, operator: {format!("{HOST}:sub"): subject}})
    }

    fn value(operator: &str, from: &str, to: &str) -> TrustEdit {
        let (key, operator) = (format!("{HOST}:sub"), operator.to_owned());
        TrustEdit {
            statement: 0,
            change: TrustChange::Value { operator, key, from: from.to_owned(), to: to.to_owned() },
        }
    }

    #[test]
    fn a_change_is_made_and_all_else_stays() {
        let before = policy(subject("StringLike", "repo:octo-1/app-2:ref:refs/heads/main"));
        let edit = value("StringLike", "repo:octo-1/app-2:ref:refs/heads/main", MAIN);
        let correction = edit_trust(&before, &[edit]).unwrap();
        assert_eq!(correction.after, serde_json::from_str::<Value>(&policy(subject("StringLike", MAIN))).unwrap());
        assert_eq!(
            correction.changes,
            [format!("in Statement[0] require {HOST}:sub = {MAIN} (was repo:octo-1/app-2:ref:refs/heads/main)")]
        );
    }

    #[test]
    fn an_operator_takes_its_keys_along() {
        let before = policy(subject("ForAllValues:StringLike", MAIN));
        let operator = |to: &str| {
            let (from, to) = ("ForAllValues:StringLike".to_owned(), to.to_owned());
            TrustEdit { statement: 0, change: TrustChange::Operator { from, to } }
        };
        let after = edit_trust(&before, &[operator("StringLike")]).unwrap().after;
        assert_eq!(after, serde_json::from_str::<Value>(&policy(subject("StringLike", MAIN))).unwrap());
        let after = edit_trust(&before, &[operator("StringEquals")]).unwrap().after;
        assert_eq!(after["Statement"][0]["Condition"]["StringEquals"].as_object().unwrap().len(), 2, "{after}");
    }

    #[test]
    fn what_lets_somebody_else_in_or_keeps_a_named_one_out_is_no_correction() {
        let dead = policy(subject("StringEquals", "repo:octo@1/app@2:*"));
        let (from, to) = ("StringEquals".to_owned(), "StringLike".to_owned());
        let widened = TrustEdit { statement: 0, change: TrustChange::Operator { from, to } };
        assert_eq!(edit_trust(&dead, &[widened]), Err(NoCorrection::Unproven));
        let sound = policy(subject("StringEquals", MAIN));
        let never = TrustChange::Require { key: format!("{HOST}:repository"), value: "octo/other".to_owned() };
        let never = TrustEdit { statement: 0, change: never };
        assert_eq!(edit_trust(&sound, &[never]), Err(NoCorrection::Unproven));
        let nowhere = TrustEdit { statement: 7, ..value("StringEquals", MAIN, "x") };
        assert_eq!(edit_trust(&sound, &[nowhere]), Err(NoCorrection::Unproven));
    }
}
