//! The directory's OpenID Connect document: clients that sign in read the token endpoint from it.

use serde_json::{Value, json};

/// The path of the document below the directory.
pub(super) const DOCUMENT: &str = "v2.0/.well-known/openid-configuration";
/// The path of the keys below the directory.
pub(super) const KEYS: &str = "discovery/v2.0/keys";

/// The document at `tenant`, whose tokens are issued by `issuer`.
pub(super) fn document(url: &str, tenant: &str, issuer: &str) -> Value {
    let directory = format!("{url}/{tenant}");
    json!({
        "issuer": format!("{url}/{issuer}/v2.0"),
        "authorization_endpoint": format!("{directory}/oauth2/v2.0/authorize"),
        "token_endpoint": format!("{directory}/oauth2/v2.0/token"),
        "jwks_uri": format!("{directory}/{KEYS}"),
        "token_endpoint_auth_methods_supported": ["client_secret_post", "private_key_jwt"],
        "response_types_supported": ["code"],
        "subject_types_supported": ["pairwise"],
        "id_token_signing_alg_values_supported": ["RS256"],
    })
}

/// None: access tokens are opaque to all but the service that they are for.
pub(super) fn keys() -> Value {
    json!({ "keys": [] })
}
