//! What a request carries that must not come back: a refusal that repeats it is read without it.

use bytes::Bytes;
use http::header::AUTHORIZATION;
use reqwest::Request;
use url::form_urlencoded;
use zeroize::Zeroizing;

/// The headers with a credential, beside `Authorization`.
const HEADERS: &[&str] = &["x-amz-security-token"];
/// The fields of a form with one: STS's, and those of OAuth 2.0 (RFC 6749, 7521, 8693).
const FIELDS: &[&str] = &["WebIdentityToken", "client_assertion", "client_secret", "assertion", "subject_token"];
/// What stands in its place.
const MARK: &[u8] = b"<withheld>";
/// Nothing shorter is looked for: it could stand anywhere.
const SHORTEST: usize = 8;

/// The credentials of one request; wiped when dropped.
pub(super) struct Withheld(Vec<Zeroizing<Vec<u8>>>);

impl Withheld {
    /// The credentials that a request carries, whole and in the parts between dots.
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
        Withheld(found)
    }

    /// A body without them.
    pub(super) fn taken_out(&self, body: Bytes) -> Bytes {
        self.0.iter().fold(body, |body, secret| without(body, secret))
    }
}

fn without(body: Bytes, secret: &[u8]) -> Bytes {
    let mut kept = Vec::new();
    let mut rest = &body[..];
    while let Some(at) = rest.windows(secret.len()).position(|window| window == secret) {
        kept.extend_from_slice(&rest[..at]);
        kept.extend_from_slice(MARK);
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
}
