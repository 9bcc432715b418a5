//! GitHub Actions: the job asks for its token at an address that only jobs with `id-token: write` are given
//! (<https://docs.github.com/actions/reference/security/oidc>).

use http::HeaderValue;
use http::header::{ACCEPT, AUTHORIZATION};
use secrecy::{ExposeSecret as _, SecretString};
use url::Url;
use zeroize::Zeroizing;

use super::{MAX_BYTES, ReadOptions, SourcedToken, TokenSourceError, sourced};

const REQUEST_URL: &str = "ACTIONS_ID_TOKEN_REQUEST_URL";
const REQUEST_TOKEN: &str = "ACTIONS_ID_TOKEN_REQUEST_TOKEN";

/// Requests the job's token.
pub(super) async fn read(options: &ReadOptions<'_>) -> Result<SourcedToken, TokenSourceError> {
    let address = required(REQUEST_URL)?;
    let bearer = SecretString::from(required(REQUEST_TOKEN)?);
    request(&address, &bearer, options).await
}

fn required(name: &'static str) -> Result<String, TokenSourceError> {
    std::env::var(name)
        .ok()
        .filter(|value| !value.trim().is_empty())
        .ok_or(TokenSourceError::RequestNotOffered { name })
}

async fn request(
    address: &str,
    bearer: &SecretString,
    options: &ReadOptions<'_>,
) -> Result<SourcedToken, TokenSourceError> {
    let mut url = Url::parse(address).map_err(|error| TokenSourceError::RequestAddress { why: error.to_string() })?;
    if let Some(audience) = options.audience {
        url.query_pairs_mut().append_pair("audience", audience);
    }
    let Some(client) = options.client else {
        return Err(TokenSourceError::NoClient);
    };
    let bearer = Zeroizing::new(format!("Bearer {}", bearer.expose_secret()));
    let mut bearer = HeaderValue::from_str(&bearer).map_err(|_| TokenSourceError::RequestTokenUnfit)?;
    bearer.set_sensitive(true);
    let headers = [(AUTHORIZATION, bearer), (ACCEPT, HeaderValue::from_static("application/json"))];
    let observed = client.get(url, &headers, MAX_BYTES as u64).await;
    let Some(answer) = observed.answer else {
        return Err(match observed.exchange.failure {
            Some(failure) => TokenSourceError::RequestUnanswered { failure: Box::new(failure) },
            None => TokenSourceError::RequestAnswer,
        });
    };
    match answer.status.as_u16() {
        200..=299 => {}
        status @ (401 | 403) => return Err(TokenSourceError::RequestRefused { status }),
        status => return Err(TokenSourceError::RequestStatus { status }),
    }
    let body = answer.body;
    if body.trim_ascii_start().first() != Some(&b'{') {
        return Err(TokenSourceError::RequestAnswer);
    }
    let mut sourced = sourced(&body, || "the answer to the token request".to_owned())?;
    // Still an object: it had no `value` to take the token from.
    if sourced.token.expose().starts_with('{') {
        return Err(TokenSourceError::RequestAnswer);
    }
    // The answer's own shape is nothing that somebody added to the token.
    sourced.cleaned.clear();
    Ok(sourced)
}
