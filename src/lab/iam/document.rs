//! What IAM takes for a policy document, and in which words it refuses one.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Map, Value};

use super::AwsError;
use crate::domain::iam::Policy;
use crate::lab::world::AwsWorld;

/// What a policy is for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Trust,
    Permissions,
}

/// Refuses what IAM would refuse when a policy is saved. It does not evaluate anything.
pub(super) fn check(text: &str, kind: Kind, world: &AwsWorld) -> Result<(), AwsError> {
    let malformed = |message: &str| Err(AwsError::new("MalformedPolicyDocument", 400, message));
    let syntax = match kind {
        Kind::Trust => "This policy contains invalid Json",
        Kind::Permissions => "Syntax errors in policy.",
    };
    let Ok(Value::Object(document)) = serde_json::from_str(text) else { return malformed(syntax) };
    let statements: Vec<&Map<String, Value>> = match document.get("Statement") {
        Some(Value::Array(items)) => items.iter().filter_map(Value::as_object).collect(),
        Some(Value::Object(only)) => vec![only],
        _ => return malformed("Syntax errors in policy."),
    };
    if statements.is_empty() || Policy::parse(text).is_err() {
        return malformed("Syntax errors in policy.");
    }
    for statement in statements {
        let problem = match kind {
            Kind::Trust => trust_problem(statement, world),
            Kind::Permissions => permissions_problem(statement),
        };
        if let Some(problem) = problem {
            return malformed(&problem);
        }
    }
    Ok(())
}

fn trust_problem(statement: &Map<String, Value>, world: &AwsWorld) -> Option<String> {
    if let Some(field) = ["Resource", "NotResource"].iter().find(|field| statement.contains_key(**field)) {
        return Some(format!("Has prohibited field {field}"));
    }
    let Some(principal) = statement.get("Principal") else {
        return (!statement.contains_key("NotPrincipal")).then(|| "Missing required field Principal".to_owned());
    };
    let actions = texts(statement.get("Action"));
    if actions.is_empty() {
        return Some("Missing required field Action".to_owned());
    }
    if !actions.iter().all(|action| action.to_lowercase().starts_with("sts:") || *action == "*") {
        return Some("AssumeRole policy may only specify STS AssumeRole actions.".to_owned());
    }
    let unknown = texts(principal.get("AWS")).into_iter().find(|arn| !is_principal(arn, world))?;
    Some(format!("Invalid principal in policy: \"AWS\":\"{unknown}\""))
}

/// Whether an `AWS` principal could be somebody: of this account, only who is there.
fn is_principal(text: &str, world: &AwsWorld) -> bool {
    let own = format!("arn:aws:iam::{}:", world.account);
    match text.strip_prefix(&own) {
        Some(name) => match (name.strip_prefix("user/"), name.strip_prefix("role/")) {
            (Some(user), _) => world.users.contains_key(user),
            (_, Some(_)) => world.roles.iter().any(|(name, role)| world.role_arn(name, role) == text),
            _ => name == "root",
        },
        None => text == "*" || text.starts_with("arn:aws:") || text.bytes().all(|b| b.is_ascii_alphanumeric()),
    }
}

fn permissions_problem(statement: &Map<String, Value>) -> Option<String> {
    if statement.contains_key("Principal") || statement.contains_key("NotPrincipal") {
        return Some("Policy document should not specify a principal.".to_owned());
    }
    let actions = texts(statement.get("Action").or(statement.get("NotAction")));
    if actions.is_empty() {
        return Some("Policy statement must contain actions.".to_owned());
    }
    if actions.iter().any(|action| *action != "*" && !action.contains(':')) {
        return Some("Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.".to_owned());
    }
    let resources = texts(statement.get("Resource").or(statement.get("NotResource")));
    if resources.is_empty() {
        return Some("Policy statement must contain resources.".to_owned());
    }
    let odd = resources.into_iter().find(|resource| *resource != "*" && !resource.starts_with("arn:"))?;
    Some(format!("Resource {odd} must be in ARN format or \"*\"."))
}

/// The texts of a value that is one or a list of them.
fn texts(value: Option<&Value>) -> Vec<&str> {
    match value {
        Some(Value::Array(items)) => items.iter().filter_map(Value::as_str).collect(),
        Some(single) => single.as_str().into_iter().collect(),
        None => Vec::new(),
    }
}

/// What RFC 3986 leaves as it is.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// The document as answers carry it: percent-encoded (RFC 3986).
pub(super) fn encoded(text: &str) -> String {
    utf8_percent_encode(text, ESCAPED).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lab::world::{ServiceUrls, World};

    fn refusal(kind: Kind, text: &str) -> String {
        let world = World::scenario("healthy").unwrap();
        let world = world.describe(&ServiceUrls::of_issuer("https://127.0.0.1:1")).unwrap();
        check(text, kind, &world.aws).err().map(|fault| fault.message).unwrap_or_default()
    }

    fn statement(text: &str) -> String {
        format!("{{\"Version\": \"2012-10-17\", \"Statement\": [{{\"Effect\": \"Allow\", {text}}}]}}")
    }

    #[test]
    fn trust_policies_are_refused_in_iams_words() {
        let admin =
            r#""Principal": {"AWS": "arn:aws:iam::123456789012:user/secrets-admin"}, "Action": "sts:AssumeRole""#;
        let provider = r#""Principal": {"Federated": "arn:aws:iam::123456789012:oidc-provider/x"}, "Action": "sts:AssumeRoleWithWebIdentity""#;
        for (text, message) in [
            (statement(admin), ""),
            (statement(provider), ""),
            ("{".to_owned(), "This policy contains invalid Json"),
            (r#"{"Statement": []}"#.to_owned(), "Syntax errors in policy."),
            (statement(&format!(r#"{admin}, "Resource": "*""#)), "Has prohibited field Resource"),
            (statement(r#""Action": "sts:AssumeRole""#), "Missing required field Principal"),
            (statement(r#""Principal": "*""#), "Missing required field Action"),
            (
                statement(&provider.replace("sts:AssumeRoleWithWebIdentity", "s3:GetObject")),
                "AssumeRole policy may only specify STS AssumeRole actions.",
            ),
            (
                statement(&admin.replace("secrets-admin", "nobody")),
                "Invalid principal in policy: \"AWS\":\"arn:aws:iam::123456789012:user/nobody\"",
            ),
        ] {
            assert_eq!(refusal(Kind::Trust, &text), message, "{text}");
        }
    }

    #[test]
    fn permissions_are_refused_in_iams_words() {
        for (text, message) in [
            (statement(r#""Action": "kms:Decrypt", "Resource": "*""#), ""),
            ("x".to_owned(), "Syntax errors in policy."),
            (statement(r#""Principal": "*", "Action": "*""#), "Policy document should not specify a principal."),
            (statement(r#""Resource": "*""#), "Policy statement must contain actions."),
            (
                statement(r#""Action": "Decrypt", "Resource": "*""#),
                "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.",
            ),
            (statement(r#""Action": "kms:Decrypt""#), "Policy statement must contain resources."),
            (statement(r#""Action": "kms:*", "Resource": "key""#), "Resource key must be in ARN format or \"*\"."),
        ] {
            assert_eq!(refusal(Kind::Permissions, &text), message, "{text}");
        }
    }

    #[test]
    fn documents_are_percent_encoded() {
        assert_eq!(encoded("{\"a\": \"b~é\"}"), "%7B%22a%22%3A%20%22b~%C3%A9%22%7D");
    }
}
