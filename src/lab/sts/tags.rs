//! Session tags that a token carries, in the nested and in the flat form
//! (<https://docs.aws.amazon.com/IAM/latest/UserGuide/id_session-tags.html>).

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::lab::fault::Fault;

const NESTED: &str = "https://aws.amazon.com/tags";
const FLAT: &str = "https://aws.amazon.com/tags/principal_tags/";

/// Key and value of each tag.
pub(super) type Tags = BTreeMap<String, String>;

/// Reads the tags: a nested tag's value is a list of one text, a flat one's a text.
pub(super) fn read(claims: &Map<String, Value>) -> Result<Tags, Fault> {
    let wrong = || Fault::invalid_token("principal_tags passed in claim is not in correct format.");
    let mut tags = Tags::new();
    match claims.get(NESTED) {
        None => {}
        Some(Value::Object(nested)) => match nested.get("principal_tags") {
            None => {}
            Some(Value::Object(principal)) => {
                for (key, value) in principal {
                    let [Value::String(value)] = value.as_array().map(Vec::as_slice).ok_or_else(wrong)? else {
                        return Err(wrong());
                    };
                    tags.insert(key.clone(), value.clone());
                }
            }
            Some(_) => return Err(wrong()),
        },
        Some(_) => return Err(wrong()),
    }
    for (name, value) in claims {
        let Some(key) = name.strip_prefix(FLAT) else { continue };
        let Value::String(value) = value else { return Err(wrong()) };
        tags.insert(key.to_owned(), value.clone());
    }
    Ok(tags)
}

/// 2 to 64 characters of `[\w+=,.@-]`, not beginning with `aws:`.
pub(super) fn is_source_identity(text: &str) -> bool {
    (2..=64).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"_+=,.@-".contains(&b))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn tags(claims: Value) -> Result<Vec<(String, String)>, String> {
        read(claims.as_object().unwrap()).map(|tags| tags.into_iter().collect()).map_err(|fault| fault.message)
    }

    #[test]
    fn both_forms() {
        let team = Ok(vec![("Team".to_owned(), "engineering".to_owned())]);
        assert_eq!(tags(json!({NESTED: {"principal_tags": {"Team": ["engineering"]}}})), team);
        assert_eq!(tags(json!({"https://aws.amazon.com/tags/principal_tags/Team": "engineering"})), team);
        assert_eq!(tags(json!({})), Ok(vec![]));
    }

    #[test]
    fn a_nested_text_is_refused() {
        for value in [json!("engineering"), json!([]), json!(["a", "b"]), json!([1])] {
            let fault = tags(json!({NESTED: {"principal_tags": {"Team": value}}})).unwrap_err();
            assert_eq!(fault, "principal_tags passed in claim is not in correct format.");
        }
    }
}
