//! Keys of service accounts: made, listed, disabled and deleted as the IAM API has it, and the file that whoever makes one gets
//! (<https://cloud.google.com/iam/docs/reference/rest/v1/projects.serviceAccounts.keys>).

use aws_lc_rs::encoding::{AsDer as _, Pkcs8V1Der};
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::KeyPair as _;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Map, Value, json};

use super::access::Asked;
use super::error::GoogleError;
use super::project::{AccountKey, Project, Resource};
use crate::domain::timestamp::rfc3339;
use crate::lab::keys::{pem, random_text};

const HEXADECIMAL: &[u8] = b"0123456789abcdef";
/// How long a key's id is.
const ID_LENGTH: usize = 40;

/// As the API shows it: without either half.
fn described(held: &AccountKey, name: &str) -> Value {
    let mut key = json!({
        "name": name,
        "keyAlgorithm": "KEY_ALG_RSA_2048",
        "keyOrigin": "GOOGLE_PROVIDED",
        "keyType": "USER_MANAGED",
        "validAfterTime": rfc3339(held.created),
        "validBeforeTime": "9999-12-31T23:59:59Z",
    });
    if held.is_disabled {
        key["disabled"] = true.into();
    }
    key
}

/// The keys of an account that are in force, as a set that signatures are checked with.
pub(super) fn key_set(project: &Project, account: &str) -> Value {
    let of_account = project.account_keys.get(account).into_iter().flatten();
    let in_force = of_account.filter(|(_, key)| !key.is_disabled).map(|(id, key)| {
        let mut jwk = key.jwk.clone();
        jwk.insert("kid".into(), id.as_str().into());
        jwk.insert("alg".into(), "RS256".into());
        Value::Object(jwk)
    });
    json!({ "keys": in_force.collect::<Vec<_>>() })
}

/// The file that whoever made a key gets.
pub(super) fn file(project: &str, account: &str, id: &str, private_pem: &str, token_uri: &str) -> Value {
    json!({
        "type": "service_account",
        "project_id": project,
        "private_key_id": id,
        "private_key": private_pem,
        "client_email": account,
        "client_id": "100000000000000000001",
        "auth_uri": "https://accounts.google.com/o/oauth2/auth",
        "token_uri": token_uri,
        "auth_provider_x509_cert_url": "https://www.googleapis.com/oauth2/v1/certs",
        "client_x509_cert_url": format!("https://www.googleapis.com/robot/v1/metadata/x509/{account}"),
        "universe_domain": "googleapis.com",
    })
}

/// What is asked below `projects/P/serviceAccounts/A/keys`; `id` where it is of one of them.
pub(super) fn act(asked: &Asked<'_>, named: &str, account: &str, id: Option<&str>) -> Result<Value, GoogleError> {
    let (method, _, verb) = asked.route();
    let right = match (method, id, verb) {
        ("GET", None, "") => "list",
        ("POST", None, "") => "create",
        ("GET", Some(_), "") => "get",
        ("DELETE", Some(_), "") => "delete",
        ("POST", Some(_), "disable") => "disable",
        ("POST", Some(_), "enable") => "enable",
        _ => return Err(GoogleError::no_such_method()),
    };
    let permission = format!("iam.serviceAccountKeys.{right}");
    // An address says the project by itself.
    let project = if named == "-" { asked.cloud.project.now() } else { asked.project(named, &permission)? };
    asked.must(&project, &permission, &Resource::ServiceAccount(account.to_owned()), None)?;
    if !project.service_accounts.contains_key(account) {
        return Err(GoogleError::not_found(format!("Unknown service account: {account}")));
    }
    let name = |id: &str| format!("projects/{}/serviceAccounts/{account}/keys/{id}", project.id);
    match (right, id) {
        ("list", _) => {
            let held = project.account_keys.get(account).into_iter().flatten();
            Ok(json!({ "keys": held.map(|(id, key)| described(key, &name(id))).collect::<Vec<_>>() }))
        }
        ("create", _) => create(asked, &project, account),
        (_, Some(id)) => asked.cloud.project.change(|project| {
            let keys = project.account_keys.entry(account.to_owned()).or_default();
            let key = keys.get_mut(id).ok_or_else(|| GoogleError::not_found("Unknown key"))?;
            match right {
                "get" => return Ok(described(key, &name(id))),
                "disable" => key.is_disabled = true,
                "enable" => key.is_disabled = false,
                _ => drop(keys.remove(id)),
            }
            Ok(json!({}))
        }),
        _ => Err(GoogleError::no_such_method()),
    }
}

fn create(asked: &Asked<'_>, project: &Project, account: &str) -> Result<Value, GoogleError> {
    let (id, key, private_pem) = generated(asked.now).ok_or_else(GoogleError::internal)?;
    let held = file(&project.id, account, &id, &private_pem, &asked.cloud.token_uri);
    let mut answer = described(&key, &format!("projects/{}/serviceAccounts/{account}/keys/{id}", project.id));
    answer["privateKeyType"] = "TYPE_GOOGLE_CREDENTIALS_FILE".into();
    answer["privateKeyData"] = STANDARD.encode(format!("{held:#}\n")).into();
    asked.cloud.project.change(|project| project.account_keys.entry(account.to_owned()).or_default().insert(id, key));
    Ok(answer)
}

/// A key that nobody had before, by its id, and its private half.
fn generated(now: i64) -> Option<(String, AccountKey, String)> {
    let pair = KeyPair::generate(KeySize::Rsa2048).ok()?;
    let private: Pkcs8V1Der<'_> = pair.as_der().ok()?;
    let public = pair.public_key();
    let part = |number: &[u8]| Value::from(URL_SAFE_NO_PAD.encode(number));
    let jwk = Map::from_iter([
        ("kty".to_owned(), "RSA".into()),
        ("n".to_owned(), part(public.modulus().big_endian_without_leading_zero())),
        ("e".to_owned(), part(public.exponent().big_endian_without_leading_zero())),
    ]);
    let id = random_text(ID_LENGTH, HEXADECIMAL).ok()?;
    Some((id, AccountKey { jwk, is_disabled: false, created: now }, pem("PRIVATE KEY", private.as_ref())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_that_was_made_is_one_that_signs() {
        let (id, key, private_pem) = generated(0).unwrap();
        assert_eq!(id.len(), ID_LENGTH);
        assert!(private_pem.starts_with("-----BEGIN PRIVATE KEY-----"));
        assert_eq!(key.jwk["kty"], "RSA");
        assert!(described(&key, "k").get("disabled").is_none());
    }
}
