//! Google's token endpoint: what a service account's key has signed in, an access token out
//! (<https://developers.google.com/identity/protocols/oauth2/service-account>).
//!
//! In which order Google looks is not documented; here it is request, form, account, signature, times, audience, scope.

use std::sync::Arc;

use secrecy::ExposeSecret as _;
use serde_json::{Value, json};
use url::form_urlencoded;

use super::Cloud;
use super::account_keys;
use super::error::JSON;
use super::project::{Caller, Project};
use crate::domain::jwks::Jwks;
use crate::domain::signature::{self, SignatureState};
use crate::domain::token::{DecodedToken, RawToken, decode};
use crate::lab::server::{Request, Response, Service, now};

const GRANT: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";
/// The audience that Google's own endpoint has whatever address it is reached by.
const OWN_AUDIENCE: &str = "https://oauth2.googleapis.com/token";
/// The longest that an assertion may live, in seconds.
const LONGEST: i64 = 3600;
/// Seconds by which a clock may be off.
const LEEWAY: i64 = 300;

#[derive(Debug, PartialEq, Eq)]
struct Refused {
    error: &'static str,
    description: &'static str,
}

const fn grant(description: &'static str) -> Refused {
    Refused { error: "invalid_grant", description }
}

/// The endpoint of one lab.
pub(super) struct TokenEndpoint {
    cloud: Arc<Cloud>,
}

impl TokenEndpoint {
    pub(super) fn new(cloud: Arc<Cloud>) -> Self {
        TokenEndpoint { cloud }
    }

    fn granted(&self, request: &Request, now: i64) -> Result<Value, Refused> {
        let given: Vec<(String, String)> = form_urlencoded::parse(&request.body).into_owned().collect();
        let parameter = |name: &str| given.iter().find(|(own, _)| own == name).map_or("", |(_, value)| value);
        if parameter("grant_type") != GRANT {
            return Err(Refused { error: "unsupported_grant_type", description: "Invalid grant_type" });
        }
        let (raw, token) = read(parameter("assertion"))?;
        let project = self.cloud.project.now();
        let account = signer(&project, &raw, &token)?;
        check_times(&token, now)?;
        let text = |name: &str| token.claim(name).and_then(Value::as_str).unwrap_or_default();
        if ![OWN_AUDIENCE, self.cloud.token_uri.as_str()].contains(&text("aud")) {
            return Err(grant("Invalid JWT: Failed audience check."));
        }
        if text("scope").is_empty() {
            let description = "Invalid OAuth scope or ID token audience provided.";
            return Err(Refused { error: "invalid_scope", description });
        }
        let access = self.cloud.tokens.issue(Caller::ServiceAccount(account), text("scope"), now + LONGEST);
        Ok(json!({ "access_token": access.expose_secret(), "expires_in": LONGEST - 1, "token_type": "Bearer" }))
    }
}

impl Service for TokenEndpoint {
    async fn answer(&self, request: Request) -> Response {
        if (request.method.as_str(), request.path.as_str()) != ("POST", "/token") {
            return Response::new(404, JSON, json!({ "error": { "code": 404, "status": "NOT_FOUND" } }).to_string());
        }
        match self.granted(&request, now()) {
            Ok(answer) => Response::new(200, JSON, answer.to_string()),
            Err(Refused { error, description }) => {
                Response::new(400, JSON, json!({ "error": error, "error_description": description }).to_string())
            }
        }
    }
}

fn read(text: &str) -> Result<(RawToken, DecodedToken), Refused> {
    let (raw, cleaned) = RawToken::clean(text);
    let decoded = decode(&raw);
    match cleaned.is_empty() && decoded.parts == 3 && decoded.header.is_some() && decoded.claims.is_some() {
        true => Ok((raw, decoded)),
        false => Err(grant("Invalid JWT: The assertion is malformed.")),
    }
}

/// The account whose key in force has signed.
fn signer(project: &Project, raw: &RawToken, token: &DecodedToken) -> Result<String, Refused> {
    let account = token.issuer().unwrap_or_default();
    // One that is disabled is refused as one that was deleted.
    if project.service_accounts.get(account) != Some(&false) {
        return Err(grant("Invalid grant: account not found"));
    }
    let keys = Jwks::parse(account_keys::key_set(project, account).to_string().as_bytes()).ok();
    let is_signed = signature::verify(raw, token, keys.as_ref()).state == SignatureState::Verified;
    if is_signed { Ok(account.to_owned()) } else { Err(grant("Invalid JWT Signature.")) }
}

fn check_times(token: &DecodedToken, now: i64) -> Result<(), Refused> {
    let times = token.issued_at().zip(token.expires_at());
    let fits = times.is_some_and(|(issued, expires)| {
        issued <= now + LEEWAY && expires > now - LEEWAY && expires.saturating_sub(issued) <= LONGEST
    });
    let refused = grant(
        "Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe. Check your iat and exp values in the JWT claim.",
    );
    if fits { Ok(()) } else { Err(refused) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lab::keys::Keys;
    use crate::lab::world::{ServiceUrls, World};

    const ACCOUNT: &str = "crewai-secrets-reader@crewai-lab.iam.gserviceaccount.com";

    fn project(differences: &str) -> Project {
        let text = format!("guide = \"gcp-static\"\n{differences}");
        let world = World::parse(&text).unwrap().describe(&ServiceUrls::of_issuer("https://127.0.0.1:1")).unwrap();
        Project::open(&world.google, &Keys::new().unwrap(), 1000)
    }

    fn assertion(key: &str, claims: &Value) -> (RawToken, DecodedToken) {
        let header = json!({ "alg": "RS256", "kid": "5a1f0c3e7b924d68a0e1c2d3f4b5a69788990011" });
        let header = header.as_object().unwrap();
        let text = Keys::new().unwrap().mint_with(key, header, &claims.to_string()).unwrap();
        read(&text).unwrap()
    }

    #[test]
    fn only_a_key_in_force_of_an_account_in_force_signs() {
        let of = |account: &str| json!({ "iss": account });
        let disabled_key = "[google.service-accounts.crewai-secrets-reader.keys.5a1f0c3e7b924d68a0e1c2d3f4b5a69788990011]\ndisabled = true\n";
        let disabled_account = "[google.service-accounts.crewai-secrets-reader]\ndisabled = true\n";
        for (differences, key, account, expected) in [
            ("", "RS512", ACCOUNT, Ok(ACCOUNT.to_owned())),
            ("", "spare", ACCOUNT, Err(grant("Invalid JWT Signature."))),
            (disabled_key, "RS512", ACCOUNT, Err(grant("Invalid JWT Signature."))),
            (disabled_account, "RS512", ACCOUNT, Err(grant("Invalid grant: account not found"))),
            ("", "RS512", "nobody@crewai-lab.iam.gserviceaccount.com", Err(grant("Invalid grant: account not found"))),
        ] {
            let (raw, token) = assertion(key, &of(account));
            assert_eq!(signer(&project(differences), &raw, &token), expected, "{differences} {key} {account}");
        }
    }

    #[test]
    fn an_assertion_lives_an_hour_around_now() {
        for (issued, expires, fits) in [
            (1000, 4600, true),
            (1300, 4900, true),
            (1301, 4900, false),
            (1000, 4601, false),
            (-3000, 600, false),
            (-2800, 800, true),
        ] {
            let (_, token) = assertion("RS512", &json!({ "iat": issued, "exp": expires }));
            assert_eq!(check_times(&token, 1000).is_ok(), fits, "{issued} {expires}");
        }
        let (_, without) = assertion("RS512", &json!({ "exp": 4600 }));
        assert!(check_times(&without, 1000).is_err());
    }
}
