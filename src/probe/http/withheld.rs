//! What a request carries that must not come back: a refusal that repeats it is read without it.

use bytes::Bytes;
use http::header::AUTHORIZATION;
use reqwest::Request;
use serde::Deserialize;
use serde_json::Value;
use url::form_urlencoded;
use zeroize::Zeroizing;

/// The headers with a credential, beside `Authorization`.
const HEADERS: &[&str] = &["x-amz-security-token"];
/// The fields of a form with one: STS's, and those of OAuth 2.0 (RFC 6749, 7521, 8693).
const FIELDS: &[&str] = &["WebIdentityToken", "client_assertion", "client_secret", "assertion", "subject_token"];
/// What stands in its place.
const MARK: &str = "<withheld>";
/// Nothing shorter is looked for: it could stand anywhere. A shorter value only as a word.
const SHORTEST: usize = 8;
/// So many characters of a value tell it where a refusal quotes no more of it.
const BEGINNING: usize = 12;

/// The credentials of one request, and the value that it writes; wiped when dropped.
pub(super) struct Withheld {
    credentials: Vec<Zeroizing<Vec<u8>>>,
    /// How the value begins, and how its fields do where it is a JSON document.
    written: Vec<Zeroizing<String>>,
}

/// A request that writes a secret: `PutSecretValue`, or a vault's "set secret".
#[derive(Deserialize)]
struct Writes {
    #[serde(alias = "SecretString")]
    value: String,
}

impl Withheld {
    /// What a request carries: credentials whole and in the parts between dots, a value by how it begins.
    pub(super) fn of(request: &Request) -> Withheld {
        let mut found = Vec::new();
        let headers = request.headers();
        let named = HEADERS.iter().filter_map(|name| headers.get(*name));
        for value in headers.get(AUTHORIZATION).into_iter().chain(named) {
            // A scheme, or a field of a signature, ends at a blank.
            found.extend(value.as_bytes().split(|b| *b == b' ').map(|word| Zeroizing::new(word.to_vec())));
        }
        let body = request.body().and_then(reqwest::Body::as_bytes).unwrap_or_default();
        for (name, value) in form_urlencoded::parse(body) {
            if FIELDS.contains(&&*name) {
                found.push(Zeroizing::new(value.into_owned().into_bytes()));
            }
        }
        let parts: Vec<_> = found
            .iter()
            .flat_map(|whole| whole.split(|b| *b == b'.').map(|part| Zeroizing::new(part.to_vec())))
            .collect();
        found.extend(parts);
        found.retain(|secret| secret.len() >= SHORTEST);
        // The longest first, so that no part is taken out of a whole that would be.
        found.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
        let writes = serde_json::from_slice::<Writes>(body).ok().map(|writes| Zeroizing::new(writes.value));
        Withheld { credentials: found, written: writes.map(|value| beginnings(&value)).unwrap_or_default() }
    }

    /// A body without them.
    pub(super) fn taken_out(&self, body: Bytes) -> Bytes {
        let body = self.credentials.iter().fold(body, |body, secret| without(body, secret));
        if self.written.is_empty() {
            return body;
        }
        // As it is read, not as it is spelt: services differ in what they escape.
        let Ok(mut document) = serde_json::from_slice::<Value>(&body) else {
            return if self.repeats(&String::from_utf8_lossy(&body)) { MARK.into() } else { body };
        };
        self.hide(&mut document);
        document.to_string().into()
    }

    fn hide(&self, document: &mut Value) {
        match document {
            Value::String(text) if self.repeats(text) => MARK.clone_into(text),
            Value::Array(items) => items.iter_mut().for_each(|item| self.hide(item)),
            Value::Object(fields) => fields.values_mut().for_each(|field| self.hide(field)),
            _ => {}
        }
    }

    /// Whether a text repeats the value, perhaps in the middle of something that is escaped.
    fn repeats(&self, text: &str) -> bool {
        let text = Zeroizing::new(text.replace('\\', ""));
        self.written.iter().any(|value| match value.len() {
            SHORTEST.. => text.contains(value.as_str()),
            _ => text.split(|c: char| !c.is_alphanumeric()).any(|word| word == value.as_str()),
        })
    }
}

/// How a value begins, without what escapes; and likewise the fields of a document that are long enough to tell.
fn beginnings(value: &str) -> Vec<Zeroizing<String>> {
    let of = |text: &str| Zeroizing::new(text.replace('\\', "").chars().take(BEGINNING).collect::<String>());
    let fields = match serde_json::from_str::<Value>(value) {
        Ok(Value::Object(fields)) => fields,
        _ => serde_json::Map::new(),
    };
    let fields = fields.values().filter_map(Value::as_str).filter(|field| field.len() >= SHORTEST).map(of);
    std::iter::once(of(value)).chain(fields).filter(|beginning| !beginning.is_empty()).collect()
}

fn without(body: Bytes, secret: &[u8]) -> Bytes {
    let mut kept = Vec::new();
    let mut rest = &body[..];
    while let Some(at) = rest.windows(secret.len()).position(|window| window == secret) {
        kept.extend_from_slice(&rest[..at]);
        kept.extend_from_slice(MARK.as_bytes());
        rest = &rest[at + secret.len()..];
    }
    if rest.len() == body.len() {
        return body;
    }
    kept.extend_from_slice(rest);
    kept.into()
}

#[cfg(test)]
mod tests {
    use reqwest::{Method, Url};

    use super::*;

    #[test]
    fn a_repeated_credential_is_taken_out_whole_and_in_parts() {
        let mut request = Request::new(Method::POST, Url::parse("https://sts.example/").unwrap());
        request.headers_mut().insert(AUTHORIZATION, "Bearer access-token-0".parse().unwrap());
        *request.body_mut() = Some("Action=A&WebIdentityToken=header00.claims00.signature&RoleArn=arn:aws:x".into());
        let withheld = Withheld::of(&request);
        for (body, read) in [
            ("no header00.claims00.signature here", "no <withheld> here"),
            ("claims00 and access-token-0 twice: access-token-0", "<withheld> and <withheld> twice: <withheld>"),
            ("arn:aws:x is no role of yours, Bearer", "arn:aws:x is no role of yours, Bearer"),
            ("", ""),
        ] {
            assert_eq!(withheld.taken_out(Bytes::from(body)), read);
        }
    }

    #[test]
    fn a_repeated_value_is_withheld_however_it_is_spelt() {
        let writes = |field: &str, value: &str| {
            let mut request = Request::new(Method::POST, Url::parse("https://store.example/").unwrap());
            *request.body_mut() = Some(serde_json::json!({ field: value, "SecretId": "a" }).to_string().into());
            Withheld::of(&request)
        };
        let long = "new+value/with\"9f3c";
        for (withheld, said, read) in [
            (writes("SecretString", long), r#"Value 'new+value/with"9f3c' failed"#, MARK),
            (writes("value", long), r#"in {"value":"new+value/with\"9f3c"}"#, MARK),
            (writes("value", long), "cut off: new+value/wi...", MARK),
            (writes("SecretString", r#"{"a":"of-a-field-0"}"#), "got of-a-field-0", MARK),
            (writes("SecretString", "77"), "not 77, please", MARK),
            (writes("SecretString", "77"), "in 1977 nothing of it", "in 1977 nothing of it"),
            (writes("Name", long), "new+value/with", "new+value/with"),
        ] {
            let body = serde_json::json!({ "__type": "ValidationException", "message": said }).to_string();
            let escaped = body.replace('+', "\\u002B").replace('/', "\\/");
            for body in [body, escaped] {
                let kept: Value = serde_json::from_slice(&withheld.taken_out(body.into())).unwrap();
                assert_eq!((&kept["__type"], &kept["message"]), (&"ValidationException".into(), &read.into()));
            }
        }
        assert_eq!(writes("value", long).taken_out("<p>new+value/with".into()), MARK);
    }
}
