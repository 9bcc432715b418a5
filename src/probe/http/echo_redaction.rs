//! What a request carries that must not come back: a refusal that repeats it is read without it.

use std::sync::OnceLock;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::header::{AUTHORIZATION, HeaderMap, HeaderValue};
use reqwest::Request;
use serde::Deserialize;
use serde_json::Value;
use url::form_urlencoded;
use zeroize::Zeroizing;

use crate::domain::redaction::echo::{ALL_WITHHELD, LARGEST, MARK, SHORTEST, Secrets};

/// The headers with a credential, beside `Authorization`.
const HEADERS: &[&str] = &["x-amz-security-token"];
/// The fields of a form with one: STS's, and those of OAuth 2.0 (RFC 6749, 7521, 8693).
const FIELDS: &[&str] = &["WebIdentityToken", "client_assertion", "client_secret", "assertion", "subject_token"];
/// So many characters of a value tell it where a refusal quotes no more of it.
const BEGINNING: usize = 12;

/// The credentials of one request, and the value that it writes; wiped when dropped.
pub(super) struct Withheld {
    credentials: Vec<Zeroizing<Vec<u8>>>,
    /// Of each credential with dots, what stands between them.
    parts: Vec<Vec<Zeroizing<Vec<u8>>>>,
    value: Option<Zeroizing<String>>,
    /// Both, ready to be looked for.
    secrets: OnceLock<Secrets>,
}

/// A token's parts stand between dots; the first of them, the header, is the same for many tokens.
const HEADER_PART: usize = 1;

/// A request that writes a secret: `PutSecretValue`, or a vault's "set secret".
#[derive(Deserialize)]
struct Writes {
    #[serde(alias = "SecretString")]
    value: String,
}

/// A request that adds a version to a secret of Google's.
#[derive(Deserialize)]
struct Adds {
    payload: Payload,
}

#[derive(Deserialize)]
struct Payload {
    data: String,
}

/// The value of such a request, as it would be repeated; where it is no text, as it was sent.
fn added(body: &[u8]) -> Option<Writes> {
    let Adds { payload } = serde_json::from_slice(body).ok()?;
    let decoded = STANDARD.decode(&payload.data).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    Some(Writes { value: decoded.unwrap_or(payload.data) })
}

impl Withheld {
    /// What a request carries.
    pub(super) fn of(request: &Request) -> Withheld {
        let mut found = Vec::new();
        let headers = request.headers();
        let named = HEADERS.iter().filter_map(|name| headers.get(*name));
        found.extend(named.map(|value| Zeroizing::new(value.as_bytes().to_vec())));
        found.extend(headers.get(AUTHORIZATION).and_then(|value| credential(value.as_bytes())));
        let body = request.body().and_then(reqwest::Body::as_bytes).unwrap_or_default();
        for (name, value) in form_urlencoded::parse(body) {
            if FIELDS.contains(&&*name) {
                found.push(Zeroizing::new(value.into_owned().into_bytes()));
            }
        }
        let parts = found
            .iter()
            .filter(|whole| whole.contains(&b'.'))
            .map(|whole| whole.split(|b| *b == b'.').map(|part| Zeroizing::new(part.to_vec())).collect())
            .collect();
        let writes = serde_json::from_slice::<Writes>(body).ok().or_else(|| added(body));
        Withheld {
            credentials: found,
            parts,
            value: writes.map(|writes| Zeroizing::new(writes.value)),
            secrets: OnceLock::new(),
        }
    }

    /// Whether the request carries anything that nobody on the way may read.
    pub(super) fn is_any(&self) -> bool {
        !self.credentials.is_empty() || self.value.is_some()
    }

    /// Takes them out of an answer's headers.
    pub(super) fn take_out_of_headers(&self, headers: &mut HeaderMap) {
        for header in headers.values_mut() {
            if self.secrets().taken_out(header.as_bytes()).is_some() {
                *header = HeaderValue::from_static(MARK);
            }
        }
    }

    /// A refusal's body without them.
    pub(super) fn taken_out(&self, body: Bytes) -> Bytes {
        let body = match self.secrets().taken_out(&body) {
            // A place that takes part of the document along leaves none to be read.
            Some(kept) if is_json(&body) && !is_json(&kept) => ALL_WITHHELD.into(),
            Some(kept) => kept.into(),
            None => body,
        };
        match &self.value {
            Some(value) => without_beginnings(body, &beginnings(value)),
            None => body,
        }
    }

    /// A granted answer's body without the credentials it repeats whole. What it grants stays, though it may begin alike.
    pub(super) fn taken_out_of_granted(&self, body: Bytes) -> Bytes {
        let parts = self.parts.iter().flat_map(|parts| parts.iter().skip(HEADER_PART));
        let secrets = Secrets::whole(self.credentials.iter().chain(parts).map(|secret| secret.as_slice()));
        if body.len() > LARGEST {
            return if secrets.are_in_large(&body) { ALL_WITHHELD.into() } else { body };
        }
        secrets.taken_out(&body).map_or(body, Bytes::from)
    }

    fn secrets(&self) -> &Secrets {
        self.secrets.get_or_init(|| {
            let value = self.value.iter().map(|value| value.as_bytes());
            let credentials = self.credentials.iter().chain(self.parts.iter().flatten());
            Secrets::new(credentials.map(|secret| secret.as_slice()).chain(value))
        })
    }
}

/// What of an `Authorization` header nobody else may have: of a signature, which is made of a key, only itself; else what
/// follows the scheme.
fn credential(header: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let signature = b"Signature=";
    let is_signed = header.starts_with(b"AWS4-");
    let at = match header.windows(signature.len()).rposition(|window| window == signature) {
        Some(at) if is_signed => at + signature.len(),
        _ => header.iter().position(|byte| *byte == b' ')? + 1,
    };
    header.get(at..).map(|credential| Zeroizing::new(credential.to_vec()))
}

fn is_json(text: &[u8]) -> bool {
    serde_json::from_slice::<serde::de::IgnoredAny>(text).is_ok()
}

/// A body without what begins as a value does. As it is read, not as it is spelt: services differ in what they escape.
fn without_beginnings(body: Bytes, written: &[Zeroizing<String>]) -> Bytes {
    let Ok(mut document) = serde_json::from_slice::<Value>(&body) else {
        return if repeats(&String::from_utf8_lossy(&body), written) { MARK.into() } else { body };
    };
    hide(&mut document, written);
    document.to_string().into()
}

fn hide(document: &mut Value, written: &[Zeroizing<String>]) {
    match document {
        Value::String(text) if repeats(text, written) => MARK.clone_into(text),
        Value::Array(items) => items.iter_mut().for_each(|item| hide(item, written)),
        Value::Object(fields) => fields.values_mut().for_each(|field| hide(field, written)),
        _ => {}
    }
}

/// Whether a text repeats the value, perhaps in the middle of something that is escaped. A short one counts only as a word.
fn repeats(text: &str, written: &[Zeroizing<String>]) -> bool {
    let text = Zeroizing::new(text.replace('\\', ""));
    written.iter().any(|value| match value.len() {
        SHORTEST.. => text.contains(value.as_str()),
        _ => text.split(|c: char| !c.is_alphanumeric()).any(|word| word == value.as_str()),
    })
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
            ("no header00.claims00.signature here", "no [withheld] here"),
            ("claims00 and access-token-0 twice: access-token-0", "[withheld] and [withheld] twice: [withheld]"),
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
            (writes("SecretString", long), r#"Value 'new+value/with"9f3c' failed"#, "Value '[withheld]' failed"),
            (writes("value", long), r#"in {"value":"new+value/with\"9f3c"}"#, r#"in {"value":"[withheld]"}"#),
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

    #[test]
    fn a_granted_answer_keeps_what_it_grants_and_loses_what_it_repeats() {
        let part = |text: &str| format!("eyJ{}", text.repeat(12));
        let (header, claims, signature) = (part("aGVhZGVy"), part("Y2xhaW1z"), "c2lnbmF0dXJl".repeat(20));
        let token = format!("{header}.{claims}.{signature}");
        let mut request = Request::new(Method::POST, Url::parse("https://login.example/").unwrap());
        *request.body_mut() = Some(format!("client_assertion={token}").into());
        let withheld = Withheld::of(&request);
        let kin = format!(r#"{{"access_token":"{header}.{}Zm9yIGEgdmF1bHQ.b3RoZXI"}}"#, &claims[..60]);
        assert_eq!(withheld.taken_out_of_granted(kin.clone().into()), kin);
        for repeated in [&token, &signature, &token.to_uppercase(), &token.replace("Y2x", "\\u00592x")] {
            let body = format!(r#"{{"message":"{repeated}","n":1}}"#);
            assert_eq!(withheld.taken_out_of_granted(body.into()), r#"{"message":"[withheld]","n":1}"#);
        }
        let large = format!("{}{token}{}", "a ".repeat(LARGEST / 2 - 200), "b ".repeat(LARGEST));
        assert_eq!(withheld.taken_out_of_granted(large.clone().into()), ALL_WITHHELD);
        let large = large.replace(&token, &header);
        assert_eq!(withheld.taken_out_of_granted(large.clone().into()), large);
    }

    #[test]
    fn a_signature_is_withheld_and_what_it_is_made_for_is_not() {
        let mut request = Request::new(Method::POST, Url::parse("https://secretsmanager.example/").unwrap());
        let signed = "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20261130/us-east-1/secretsmanager/aws4_request, SignedHeaders=host;x-amz-date, Signature=5d672d79c15b13162d9279b0855cfba6";
        request.headers_mut().insert(AUTHORIZATION, signed.parse().unwrap());
        request.headers_mut().insert("x-amz-security-token", "session-token-0123456789".parse().unwrap());
        let mut headers = HeaderMap::new();
        headers.insert("location", "https://evil.example/?t=session%2Dtoken-0123456789".parse().unwrap());
        headers.insert("x-amzn-requestid", "7".parse().unwrap());
        let said = "'20261130/us-east-1/secretsmanager/aws4_request' for 5D672D79C15B13162D9279B0855CFBA6";
        let withheld = Withheld::of(&request);
        withheld.take_out_of_headers(&mut headers);
        let kept = withheld.taken_out(said.into());
        assert_eq!(kept, "'20261130/us-east-1/secretsmanager/aws4_request' for [withheld]");
        assert_eq!(
            (&headers["location"], &headers["x-amzn-requestid"]),
            (&MARK.parse().unwrap(), &"7".parse().unwrap())
        );
    }
}
