//! GitHub Actions: the job asks for its token at an address that only jobs with `id-token: write` are given
//! (<https://docs.github.com/actions/reference/security/oidc>).

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
        return Err(TokenSourceError::RequestUnanswered { why: "no HTTP client at hand".to_owned() });
    };
    let sent = client.get(url).bearer_auth(bearer.expose_secret()).header("accept", "application/json").send();
    let unanswered = |error: reqwest::Error| TokenSourceError::RequestUnanswered { why: why(error) };
    let answered = tokio::time::timeout(options.timeout, async {
        let mut response = sent.await.map_err(unanswered)?;
        let status = response.status().as_u16();
        match status {
            200..=299 => {}
            401 | 403 => return Err(TokenSourceError::RequestRefused { status }),
            _ => return Err(TokenSourceError::RequestStatus { status }),
        }
        let mut body = Zeroizing::new(Vec::new());
        while let Some(chunk) = response.chunk().await.map_err(unanswered)? {
            body.extend_from_slice(&chunk);
            if body.len() > MAX_BYTES {
                return Err(TokenSourceError::TooLarge { what: "the answer to the token request".to_owned() });
            }
        }
        Ok(body)
    });
    let body = answered.await.map_err(|_| TokenSourceError::RequestUnanswered {
        why: format!("nothing within {} s", options.timeout.as_secs_f64()),
    })??;
    if body.trim_ascii_start().first() != Some(&b'{') {
        return Err(TokenSourceError::RequestAnswer);
    }
    let mut sourced = sourced(&body, None, || "the answer to the token request".to_owned())?;
    // Still an object: it had no `value` to take the token from.
    if sourced.token.expose().starts_with('{') {
        return Err(TokenSourceError::RequestAnswer);
    }
    // The answer's own shape is nothing that somebody added to the token.
    sourced.cleaned.clear();
    Ok(sourced)
}

/// The innermost reason of a failed request; the address stays out, as it holds the run's ids.
fn why(error: reqwest::Error) -> String {
    let error = error.without_url();
    let mut reason: &dyn std::error::Error = &error;
    while let Some(inner) = reason.source() {
        reason = inner;
    }
    reason.to_string()
}
