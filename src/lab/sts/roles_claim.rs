//! STS's words to a token whose own list of roles leaves the requested one out.

use serde_json::{Map, Value};

use crate::domain::roles_claim::RolesClaim;
use crate::lab::fault::Fault;

/// Refuses a claim that does not list `role_arn`, and one that lists nothing.
pub(super) fn check(claims: &Map<String, Value>, role_arn: &str) -> Result<(), Fault> {
    let claim = RolesClaim::of(claims);
    let refusal = match &claim {
        _ if claim.admits(role_arn) => return Ok(()),
        RolesClaim::Unreadable(_) => "The roles claim is not in a supported format",
        RolesClaim::Listed(roles) if roles.is_empty() => "The roles claim contains no valid role ARNs",
        _ => "The target role ARN is not present in the roles claim of the identity token",
    };
    Err(Fault::invalid_token(refusal))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::domain::roles_claim::ROLES_CLAIM;

    const ROLE: &str = "arn:aws:iam::123456789012:role/reader";

    #[test]
    fn refuses_with_the_recorded_texts() {
        let none = "The roles claim contains no valid role ARNs";
        let format = "The roles claim is not in a supported format";
        let another = "The target role ARN is not present in the roles claim of the identity token";
        for (value, message) in [
            (json!(["arn:aws:iam::123456789012:role/another-role"]), another),
            (json!([]), none),
            (json!(""), none),
            (json!("arn:aws:iam::123456789012:role/*"), none),
            (json!(123), format),
            (json!({"role": ROLE}), format),
        ] {
            let claims = Map::from_iter([(ROLES_CLAIM.to_owned(), value.clone())]);
            assert_eq!(check(&claims, ROLE).map_err(|fault| fault.message), Err(message.to_owned()), "{value}");
        }
        assert!(check(&Map::from_iter([(ROLES_CLAIM.to_owned(), json!([ROLE]))]), ROLE).is_ok());
    }
}
