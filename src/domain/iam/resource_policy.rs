//! What a policy with principals, such as a secret's or a key's, says of one caller: as itself, or as one of its account.

use super::assume::is_named;
use super::policy::{Effect, Policy, PrincipalElement, Statement};
use crate::domain::arn::Arn;

/// How a statement names a caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Named {
    Itself,
    /// Only the account that it belongs to, whose own policies then decide.
    Account,
    Not,
}

/// A policy with principals, as far as it is about one caller.
#[derive(Clone, Debug, PartialEq)]
pub struct AboutCaller {
    /// What names the caller itself, or everybody; and whatever denies.
    pub itself: Policy,
    /// What leaves the decision to the caller's account.
    pub account: Policy,
}

impl AboutCaller {
    /// The statements of `policy` that are about `caller`: a role's or user's ARN.
    pub fn of(policy: &Policy, caller: &str) -> Self {
        let chosen = |wanted: &dyn Fn(&Statement, Named) -> bool| Policy {
            statements: policy.statements.iter().filter(|s| wanted(s, named(s, caller))).cloned().collect(),
            ..policy.clone()
        };
        AboutCaller {
            itself: chosen(&|s, named| named == Named::Itself || s.effect == Effect::Deny && named != Named::Not),
            account: chosen(&|s, named| s.effect == Effect::Allow && named == Named::Account),
        }
    }
}

fn named(statement: &Statement, caller: &str) -> Named {
    let Some(element) = &statement.principal else { return Named::Not };
    let names = |principal: &str| {
        let account = Arn::parse(caller).map(|arn| arn.account);
        let is_account = account == Some(principal)
            || Arn::parse(principal).is_some_and(|arn| arn.resource == "root" && account == Some(arn.account));
        match is_named(principal, caller) {
            true if is_account => Named::Account,
            true => Named::Itself,
            false => Named::Not,
        }
    };
    let PrincipalElement { negated, everybody, others, .. } = element;
    let listed: Vec<Named> = others.iter().filter_map(|other| other.strip_prefix("AWS:")).map(names).collect();
    let listed = match () {
        () if *everybody || listed.contains(&Named::Itself) => Named::Itself,
        () if listed.contains(&Named::Account) => Named::Account,
        () => Named::Not,
    };
    match (negated, listed) {
        (false, listed) => listed,
        (true, Named::Not) => Named::Itself,
        (true, _) => Named::Not,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    const CALLER: &str = "arn:aws:iam::123456789012:role/team/reader";

    fn counts(effect: &str, principal: Value, element: &str) -> (usize, usize) {
        let statement = json!({ "Effect": effect, element: principal, "Action": "kms:*", "Resource": "*" });
        let text = json!({ "Version": "2012-10-17", "Statement": [statement] }).to_string();
        let about = AboutCaller::of(&Policy::parse(&text).unwrap(), CALLER);
        (about.itself.statements.len(), about.account.statements.len())
    }

    #[test]
    fn a_statement_names_the_caller_its_account_or_somebody_else() {
        for (principal, expected) in [
            (json!({ "AWS": CALLER }), (1, 0)),
            (json!("*"), (1, 0)),
            (json!({ "AWS": "*" }), (1, 0)),
            (json!({ "AWS": "arn:aws:iam::123456789012:root" }), (0, 1)),
            (json!({ "AWS": "123456789012" }), (0, 1)),
            (json!({ "AWS": ["123456789012", CALLER] }), (1, 0)),
            (json!({ "AWS": "arn:aws:iam::210987654321:root" }), (0, 0)),
            (json!({ "AWS": "arn:aws:iam::123456789012:role/other" }), (0, 0)),
            (json!({ "Service": "secretsmanager.amazonaws.com" }), (0, 0)),
        ] {
            assert_eq!(counts("Allow", principal.clone(), "Principal"), expected, "{principal}");
        }
    }

    #[test]
    fn a_deny_counts_however_it_names_the_caller() {
        assert_eq!(counts("Deny", json!({ "AWS": "arn:aws:iam::123456789012:root" }), "Principal"), (1, 0));
        assert_eq!(counts("Deny", json!({ "AWS": CALLER }), "NotPrincipal"), (0, 0));
        assert_eq!(counts("Deny", json!({ "AWS": "arn:aws:iam::123456789012:role/x" }), "NotPrincipal"), (1, 0));
    }
}
