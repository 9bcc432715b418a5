//! The roles claim: an identity provider's own list of the roles that its token may be exchanged for. AWS STS reads it
//! before the role's trust policy
//! (<https://docs.aws.amazon.com/service-authorization/latest/reference/list_awssecuritytokenservice.html>).

use serde_json::{Map, Value};

use super::arn::Arn;

/// The claim's name.
pub const ROLES_CLAIM: &str = "https://aws.amazon.com/roles";

/// What a token's claims say of the roles that it may be exchanged for, read as STS reads it.
#[derive(Clone, Debug, PartialEq)]
pub enum RolesClaim<'a> {
    /// There is no claim, or it is `null`: any role will do.
    Absent,
    /// The claim is neither text nor a list.
    Unreadable(&'a Value),
    /// The role ARNs of a list, or of one text divided by `;`. What is no role ARN does not count.
    Listed(Vec<&'a str>),
}

impl<'a> RolesClaim<'a> {
    pub fn of(claims: &'a Map<String, Value>) -> Self {
        let listed: Vec<&str> = match claims.get(ROLES_CLAIM) {
            None | Some(Value::Null) => return RolesClaim::Absent,
            Some(Value::String(text)) => text.split(';').collect(),
            Some(Value::Array(items)) => items.iter().filter_map(Value::as_str).collect(),
            Some(other) => return RolesClaim::Unreadable(other),
        };
        RolesClaim::Listed(listed.into_iter().map(str::trim).filter(|arn| is_role_arn(arn)).collect())
    }

    /// Whether STS goes on to the trust policy of `role`.
    pub fn admits(&self, role: &str) -> bool {
        match self {
            RolesClaim::Absent => true,
            RolesClaim::Unreadable(_) => false,
            RolesClaim::Listed(roles) => roles.contains(&role),
        }
    }
}

/// `arn:PARTITION:iam::ACCOUNT:role/PATH/NAME`, without wildcards.
pub fn is_role_arn(text: &str) -> bool {
    let Some(Arn { partition, service: "iam", region: "", account, resource }) = Arn::parse(text) else { return false };
    let Some(path_and_name) = resource.strip_prefix("role/") else { return false };
    let (path, name) = path_and_name.rsplit_once('/').unwrap_or(("", path_and_name));
    let word = |byte: u8| byte.is_ascii_alphanumeric() || b"_+=,.@-".contains(&byte);
    !partition.is_empty()
        && partition.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        && account.len() == 12
        && account.bytes().all(|b| b.is_ascii_digit())
        && path.bytes().all(|b| b.is_ascii_graphic() && !b":;*?".contains(&b))
        && (1..=64).contains(&name.len())
        && name.bytes().all(word)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const ROLE: &str = "arn:aws:iam::123456789012:role/reader";
    const OTHER: &str = "arn:aws:iam::123456789012:role/another-role";

    fn admits(value: Value) -> bool {
        RolesClaim::of(&Map::from_iter([(ROLES_CLAIM.to_owned(), value)])).admits(ROLE)
    }

    #[test]
    fn lists_in_both_forms() {
        for value in [
            json!([ROLE]),
            json!(ROLE),
            json!([OTHER, ROLE]),
            json!(format!("{OTHER};{ROLE}")),
            json!([123, ROLE]),
            json!([null, ROLE]),
            json!(["not-an-arn", ROLE]),
            json!(format!(" {ROLE} ")),
            json!(format!("{OTHER}; {ROLE}")),
            json!(format!("{ROLE};")),
            json!(format!(";{ROLE}")),
            Value::Null,
        ] {
            assert!(admits(value.clone()), "{value}");
        }
        assert!(RolesClaim::of(&Map::new()).admits(ROLE));
    }

    #[test]
    fn what_does_not_list_the_role() {
        for value in [
            json!([OTHER]),
            json!([]),
            json!(""),
            json!([[ROLE]]),
            json!("arn:aws:iam::123456789012:role/*"),
            json!(ROLE.to_uppercase()),
            json!(format!("{OTHER},{ROLE}")),
            json!(123),
            json!(true),
            json!({"role": ROLE}),
        ] {
            assert!(!admits(value.clone()), "{value}");
        }
    }
}
