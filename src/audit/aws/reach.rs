//! What a role may do once somebody is in: its secrets, keys, other roles, everything.

use std::collections::BTreeSet;

use crate::domain::iam::{ActionElement, Effect, Policy, ResourceElement, Statement, action_covers};

/// What identity policies give, a phrase each, the furthest first. Conditions and denials are not weighed: this is the most
/// that there can be.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Reach(BTreeSet<Reached>);

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Reached {
    Everything,
    EverythingBut(String),
    /// Rights that give all others.
    OwnRights(&'static str),
    Roles(String),
    Secrets(String),
    Keys(String),
    Service(String),
}

/// Rights by which a role gives itself any other
/// (<https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_managed-vs-inline.html>).
const GIVE_RIGHTS: [&str; 5] = [
    "iam:AttachRolePolicy",
    "iam:PutRolePolicy",
    "iam:CreatePolicyVersion",
    "iam:SetDefaultPolicyVersion",
    "iam:UpdateAssumeRolePolicy",
];

/// What AWS's own policies give whose documents are not always at hand, by the end of their ARN.
const MANAGED: [(&str, &[&str]); 4] = [
    ("AdministratorAccess", &["*"]),
    ("PowerUserAccess", &["!iam:*, organizations:*, account:*"]),
    ("SecretsManagerReadWrite", &["secretsmanager:*"]),
    ("IAMFullAccess", &["iam:*"]),
];

/// More phrases than this tell nobody more.
const MOST: usize = 12;
/// More services than this are told by their number.
const MOST_SERVICES: usize = 4;

impl Reach {
    /// What this document gives.
    pub fn of(policy: &Policy) -> Self {
        let mut reach = Reach::default();
        policy.statements.iter().filter(|statement| statement.effect == Effect::Allow).for_each(|s| reach.add(s));
        reach
    }

    /// What one of AWS's own policies gives, as far as that is known without its document.
    pub fn of_managed(arn: &str) -> Option<Self> {
        let name = arn.strip_prefix("arn:aws:iam::aws:policy/")?;
        let (_, actions) = MANAGED.iter().find(|(known, _)| *known == name)?;
        let mut reach = Reach::default();
        for action in *actions {
            let element = match action.strip_prefix('!') {
                Some(but) => ActionElement { negated: true, patterns: but.split(", ").map(str::to_owned).collect() },
                None => ActionElement { negated: false, patterns: vec![(*action).to_owned()] },
            };
            reach.add_actions(&element, &["*".to_owned()]);
        }
        Some(reach)
    }

    /// Adds what another policy gives.
    pub fn extend(&mut self, other: &Reach) {
        self.0.extend(other.0.iter().cloned());
    }

    fn add(&mut self, statement: &Statement) {
        let resources = resources(statement.resource.as_ref());
        self.add_actions(&statement.action, &resources);
    }

    fn add_actions(&mut self, action: &ActionElement, resources: &[String]) {
        let is_everywhere = resources.iter().any(|resource| resource == "*");
        if is_everywhere && !action.negated && action.patterns.iter().any(|pattern| pattern == "*") {
            self.0.insert(Reached::Everything);
            return;
        }
        if is_everywhere && action.negated {
            self.0.insert(Reached::EverythingBut(action.patterns.join(", ")));
        }
        if let Some(right) = GIVE_RIGHTS.into_iter().find(|right| action_covers(action, right)) {
            self.0.insert(Reached::OwnRights(right));
        }
        type Made = fn(String) -> Reached;
        let about: [(&str, Made); 3] = [
            ("sts:AssumeRole", Reached::Roles),
            ("secretsmanager:GetSecretValue", Reached::Secrets),
            ("kms:Decrypt", Reached::Keys),
        ];
        for (right, made) in about {
            if action_covers(action, right) {
                self.0.extend(resources.iter().cloned().map(made));
            }
        }
        if !action.negated {
            let services =
                action.patterns.iter().filter_map(|pattern| pattern.split_once(':')).map(|(service, _)| service);
            let told = ["sts", "secretsmanager", "kms", "iam"];
            let others = services.filter(|service| !told.iter().any(|known| known.eq_ignore_ascii_case(service)));
            self.0.extend(others.map(|service| Reached::Service(service.to_ascii_lowercase())));
        }
    }

    /// A phrase for each, the furthest first.
    pub fn phrases(&self) -> Vec<String> {
        if self.0.contains(&Reached::Everything) {
            return vec![phrase(&Reached::Everything)];
        }
        let services: Vec<&str> = self
            .0
            .iter()
            .filter_map(|reached| match reached {
                Reached::Service(service) => Some(service.as_str()),
                _ => None,
            })
            .collect();
        let named = self.0.iter().filter(|reached| !matches!(reached, Reached::Service(_))).map(phrase);
        let mut phrases: Vec<String> = named.take(MOST).collect();
        match services.as_slice() {
            [] => {}
            few if few.len() <= MOST_SERVICES => phrases.push(format!("actions of {}", few.join(", "))),
            many => phrases.push(format!("actions of {} services, {} among them", many.len(), many[..2].join(" and "))),
        }
        phrases
    }
}

fn resources(element: Option<&ResourceElement>) -> Vec<String> {
    match element {
        None => Vec::new(),
        // All but a few is as good as all.
        Some(ResourceElement { negated: true, .. }) => vec!["*".to_owned()],
        Some(element) => element.patterns.iter().map(|pattern| pattern.text.clone()).collect(),
    }
}

fn phrase(reached: &Reached) -> String {
    let all = |resource: &str, what: &str, kind: &str| match resource {
        "*" => format!("every {what}"),
        resource if resource.rsplit(':').next() == Some("*") || resource.ends_with(&format!("{kind}/*")) => {
            format!("every {what} of {resource}")
        }
        resource => format!("the {what} {resource}"),
    };
    match reached {
        Reached::Everything => "everything in the account".to_owned(),
        Reached::EverythingBut(but) => format!("everything in the account but {but}"),
        Reached::OwnRights(right) => format!("any right, by {right}"),
        Reached::Roles(resource) => all(resource, "role that trusts this account", "role"),
        Reached::Secrets(resource) => all(resource, "secret", "secret"),
        Reached::Keys(resource) => all(resource, "key", "key"),
        Reached::Service(service) => format!("actions of {service}"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn reached(statements: Value) -> Vec<String> {
        let policy = json!({"Version": "2012-10-17", "Statement": statements});
        Reach::of(&Policy::parse(&policy.to_string()).unwrap()).phrases()
    }

    fn allow(action: Value, resource: Value) -> Value {
        json!({"Effect": "Allow", "Action": action, "Resource": resource})
    }

    #[test]
    fn what_a_policy_gives_is_told_the_furthest_first() {
        let secret = "arn:aws:secretsmanager:us-east-1:123456789012:secret:app-AbCdEf";
        for (statements, phrases) in [
            (allow(json!("*"), json!("*")), vec!["everything in the account".to_owned()]),
            (allow(json!("secretsmanager:Get*"), json!(secret)), vec![format!("the secret {secret}")]),
            (allow(json!(["SECRETSMANAGER:*"]), json!("*")), vec!["every secret".to_owned()]),
            (
                json!([allow(json!("s3:GetObject"), json!("*")), allow(json!("iam:Put*"), json!("*"))]),
                vec!["any right, by iam:PutRolePolicy".to_owned(), "actions of s3".to_owned()],
            ),
            (
                json!({"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"}),
                vec![
                    "everything in the account but iam:*".to_owned(),
                    "every role that trusts this account".to_owned(),
                    "every secret".to_owned(),
                    "every key".to_owned(),
                ],
            ),
            (json!({"Effect": "Deny", "Action": "*", "Resource": "*"}), vec![]),
        ] {
            assert_eq!(reached(statements.clone()), phrases, "{statements}");
        }
        let many: Vec<Value> = ["s3", "ec2", "sns", "sqs", "ecs"].iter().map(|s| json!(format!("{s}:*"))).collect();
        assert_eq!(reached(allow(json!(many), json!("*"))), ["actions of 5 services, ec2 and ecs among them"]);
    }

    #[test]
    fn aws_own_policies_are_known_by_name() {
        let phrases = |name: &str| Reach::of_managed(&format!("arn:aws:iam::aws:policy/{name}")).map(|r| r.phrases());
        assert_eq!(phrases("AdministratorAccess").unwrap(), ["everything in the account"]);
        assert_eq!(phrases("SecretsManagerReadWrite").unwrap(), ["every secret"]);
        assert!(phrases("PowerUserAccess").unwrap()[0].starts_with("everything in the account but iam:*"));
        assert_eq!(phrases("ReadOnlyAccess"), None);
        assert_eq!(Reach::of_managed("arn:aws:iam::123456789012:policy/AdministratorAccess"), None);
    }
}
