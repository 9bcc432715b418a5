//! The roles claim: an identity provider's own list of the roles that its token may be exchanged for.

use serde_json::{Map, Value};

use crate::domain::arn::Arn;
use crate::lab::fault::Fault;

const CLAIM: &str = "https://aws.amazon.com/roles";

/// Refuses a claim that does not list `role_arn`, and one that lists nothing. Without a claim any role will do.
pub(super) fn check(claims: &Map<String, Value>, role_arn: &str) -> Result<(), Fault> {
    let listed: Vec<&str> = match claims.get(CLAIM) {
        None | Some(Value::Null) => return Ok(()),
        Some(Value::String(text)) => text.split(';').collect(),
        Some(Value::Array(items)) => items.iter().filter_map(Value::as_str).collect(),
        Some(_) => return Err(Fault::invalid_token("The roles claim is not in a supported format")),
    };
    let mut valid = listed.into_iter().map(str::trim).filter(|arn| is_role_arn(arn)).peekable();
    if valid.peek().is_none() {
        return Err(Fault::invalid_token("The roles claim contains no valid role ARNs"));
    }
    if !valid.any(|arn| arn == role_arn) {
        return Err(Fault::invalid_token(
            "The target role ARN is not present in the roles claim of the identity token",
        ));
    }
    Ok(())
}

/// `arn:PARTITION:iam::ACCOUNT:role/PATH/NAME`, without wildcards.
pub(in crate::lab) fn is_role_arn(text: &str) -> bool {
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

    fn checked(value: Value) -> Result<(), String> {
        check(&Map::from_iter([(CLAIM.to_owned(), value)]), ROLE).map_err(|fault| fault.message)
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
        ] {
            assert_eq!(checked(value.clone()), Ok(()), "{value}");
        }
        assert_eq!(checked(Value::Null), Ok(()));
        assert_eq!(check(&Map::new(), ROLE), Ok(()));
    }

    #[test]
    fn refuses_with_the_recorded_texts() {
        let none = "The roles claim contains no valid role ARNs";
        for (value, message) in [
            (json!([OTHER]), "The target role ARN is not present in the roles claim of the identity token"),
            (json!([]), none),
            (json!(""), none),
            (json!([[ROLE]]), none),
            (json!("arn:aws:iam::123456789012:role/*"), none),
            (json!(ROLE.to_uppercase()), none),
            (json!(format!("{OTHER},{ROLE}")), none),
            (json!(123), "The roles claim is not in a supported format"),
            (json!(true), "The roles claim is not in a supported format"),
            (json!({"role": ROLE}), "The roles claim is not in a supported format"),
        ] {
            assert_eq!(checked(value.clone()), Err(message.to_owned()), "{value}");
        }
    }
}
