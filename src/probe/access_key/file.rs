//! The files in which a new access key is handed over: the console's `accessKeys.csv`, and what
//! `aws iam create-access-key` prints.

use serde_json::Value;
use zeroize::Zeroizing;

use super::Parts;

const ID: &str = "access key id";
const SECRET: &str = "secret access key";

/// The key in the file's text.
///
/// # Errors
/// Says what the file lacks, and nothing of what it holds.
pub(super) fn parts(text: &str) -> Result<Parts, String> {
    if text.trim_start().starts_with('{') { of_json(text) } else { of_csv(text) }
}

fn of_csv(text: &str) -> Result<Parts, String> {
    let mut lines = text.lines().filter(|line| !line.trim().is_empty());
    let header = lines.next().ok_or("it is empty; download the key's .csv file again, or make a new key")?;
    let names: Vec<String> = header.split(',').map(|name| field(name).to_lowercase()).collect();
    let column = |wanted: &str| {
        names.iter().position(|name| name == wanted).ok_or_else(|| {
            format!("its first line has no column `{wanted}`; give the .csv file that the console offers for the key")
        })
    };
    let (id, secret) = (column(ID)?, column(SECRET)?);
    let row = lines.next().ok_or("it has no line below its header, so no key")?;
    if lines.next().is_some() {
        return Err("it holds more than one key; leave the line of the one that is meant".to_owned());
    }
    let at = |index: usize| row.split(',').nth(index).map(field).filter(|text| !text.is_empty());
    match (at(id), at(secret)) {
        (Some(id), Some(secret)) => Ok(whole(id, secret)),
        _ => Err("its key is not complete; the secret half is shown only once, so make a new key".to_owned()),
    }
}

/// A field without the quotes that spreadsheets put around it.
fn field(text: &str) -> &str {
    text.trim().trim_matches('"')
}

fn of_json(text: &str) -> Result<Parts, String> {
    let mut answer: Value = serde_json::from_str(text).map_err(|_| "it begins like JSON and is none".to_owned())?;
    let key = answer.get("AccessKey").unwrap_or(&answer);
    let member = |name: &str| key.get(name).and_then(Value::as_str);
    let parts = match (member("AccessKeyId"), member("SecretAccessKey")) {
        (Some(id), Some(secret)) => Ok(whole(id, secret)),
        _ => Err("it has no AccessKeyId and SecretAccessKey; give what `aws iam create-access-key` printed".to_owned()),
    };
    wipe(&mut answer);
    parts
}

fn whole(id: &str, secret: &str) -> Parts {
    Parts { id: Zeroizing::new(id.to_owned()), secret: Zeroizing::new(secret.to_owned()), token: None }
}

/// Overwrites every text in a parsed value.
fn wipe(value: &mut Value) {
    match value {
        Value::String(text) => drop(Zeroizing::new(std::mem::take(text))),
        Value::Array(items) => items.iter_mut().for_each(wipe),
        Value::Object(members) => members.values_mut().for_each(wipe),
        _ => {}
    }
}
