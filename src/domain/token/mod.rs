//! OIDC tokens: cleaned, decoded as far as they can be, and inspected. Nothing here trusts a token; for that see
//! [`super::signature`].

mod decode;
mod inspect;
mod problem;
mod raw;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::timestamp::UnixSeconds;
pub use decode::decode;
pub use problem::{Part, TimeFlaw, TokenProblem};
pub use raw::{Cleaning, NotText, RawToken, looks_like_jwt};

/// What a token says. It never holds the signature, so it cannot be turned back into a usable token.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct DecodedToken {
    /// How many parts the dots divide it into; 0 where there is no text.
    pub parts: usize,
    /// The header, or as much of it as could be read.
    pub header: Option<Map<String, Value>>,
    /// The claims, or as many of them as could be read.
    pub claims: Option<Map<String, Value>>,
    /// The state of the third part.
    pub signature: SignaturePart,
    /// What sort of token it seems to be.
    pub kind: TokenKind,
    /// What is wrong with it.
    pub problems: Vec<TokenProblem>,
}

/// The third part of a token, without its content.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "kebab-case")]
pub enum SignaturePart {
    /// There is no third part, or the token has another form.
    #[default]
    Missing,
    /// The third part is empty.
    Empty,
    /// It is not base64url.
    Malformed,
    /// It has this many bytes.
    Present { bytes: usize },
}

impl DecodedToken {
    /// Whether it has a token's form: three parts, of which the first two decode to JSON objects. What has not may be anything,
    /// a private key in the wrong file among them, and is sent to nobody.
    pub fn has_form_of_token(&self) -> bool {
        let is_broken = |problem: &TokenProblem| {
            use TokenProblem::{BadBase64, CutBase64, NotAnObject, NotJson};
            matches!(
                problem,
                NotJson { .. }
                    | NotAnObject { .. }
                    | BadBase64 { part: Part::Header | Part::Claims, .. }
                    | CutBase64 { part: Part::Header | Part::Claims }
            )
        };
        self.parts == 3 && !self.problems.iter().any(is_broken)
    }

    /// The header's `alg`.
    pub fn alg(&self) -> Option<&str> {
        text(self.header.as_ref(), "alg")
    }

    /// The header's `kid`; `None` too where it is no text.
    pub fn kid(&self) -> Option<&str> {
        text(self.header.as_ref(), "kid")
    }

    /// The `iss` claim.
    pub fn issuer(&self) -> Option<&str> {
        text(self.claims.as_ref(), "iss")
    }

    /// The `sub` claim, where it is text.
    pub fn subject(&self) -> Option<&str> {
        text(self.claims.as_ref(), "sub")
    }

    /// The `azp` claim; where present, AWS STS takes it in place of `aud`.
    pub fn azp(&self) -> Option<&str> {
        text(self.claims.as_ref(), "azp")
    }

    /// The texts of the `aud` claim, which may be one text or a list.
    pub fn audiences(&self) -> Vec<&str> {
        match self.claim("aud") {
            Some(Value::String(one)) => vec![one],
            Some(Value::Array(many)) => many.iter().filter_map(Value::as_str).collect(),
            _ => Vec::new(),
        }
    }

    /// The `exp` claim in seconds since 1970; a fraction is cut off and a number in text is read.
    pub fn expires_at(&self) -> Option<UnixSeconds> {
        self.claims.as_ref().and_then(expiry)
    }

    /// The `iat` claim, read like `exp`.
    pub fn issued_at(&self) -> Option<UnixSeconds> {
        self.claim("iat").and_then(inspect::seconds)
    }

    /// The `nbf` claim, read like `exp`.
    pub fn not_before(&self) -> Option<UnixSeconds> {
        self.claim("nbf").and_then(inspect::seconds)
    }

    /// `exp` minus `iat`, in seconds.
    pub fn lifetime(&self) -> Option<i64> {
        self.expires_at()?.checked_sub(self.issued_at()?)
    }

    /// A claim by name.
    pub fn claim(&self, name: &str) -> Option<&Value> {
        self.claims.as_ref()?.get(name)
    }
}

/// The `exp` claim of such claims, read like that of a token.
pub fn expiry(claims: &Map<String, Value>) -> Option<UnixSeconds> {
    claims.get("exp").and_then(inspect::seconds)
}

fn text<'t>(object: Option<&'t Map<String, Value>>, name: &str) -> Option<&'t str> {
    object?.get(name)?.as_str()
}

/// The sort of token, and in `because` the sign it was told by.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum TokenKind {
    /// Nothing speaks against an ID token.
    #[default]
    Identity,
    /// Meant for an API, not for proving an identity.
    Access { because: String },
    /// Meant for getting further tokens.
    Refresh { because: String },
    /// Encrypted for somebody else.
    Encrypted,
    /// A Kubernetes service account token of the old sort, from a Secret: it has no expiry and no audience.
    LegacyServiceAccount,
    /// Not a JWT: a handle that only its maker can read. `looks_like` names the maker where the text gives it away.
    Opaque { looks_like: Option<String> },
    /// Neither a JWT nor a handle: a page, a document, a word, or a JWT that was encoded once more.
    Unknown,
}

/// Beginnings of well-known credentials that are not JWTs.
const OPAQUE: &[(&str, &str)] = &[
    ("ghs_", "a GitHub App installation token (GITHUB_TOKEN)"),
    ("ghp_", "a GitHub personal access token"),
    ("gho_", "a GitHub OAuth token"),
    ("ghu_", "a GitHub user token"),
    ("ghr_", "a GitHub refresh token"),
    ("github_pat_", "a GitHub personal access token"),
    ("glpat-", "a GitLab personal access token"),
    ("glcbt-", "a GitLab CI job token"),
    ("ya29.", "a Google access token"),
    ("1//", "a Google refresh token"),
    ("AKIA", "an AWS access key id"),
    ("ASIA", "an AWS temporary access key id"),
    ("IQoJb3JpZ2lu", "an AWS session token"),
    ("FwoGZXIvYXdz", "an AWS session token"),
    ("CCIPAT_", "a CircleCI personal API token"),
    ("hvs.", "a Vault token"),
    ("0.A", "an Entra refresh token"),
    ("1.A", "an Entra refresh token"),
    ("-----BEGIN", "a PEM file"),
];

/// The kind as far as the text alone tells.
fn of_text(text: &str) -> TokenKind {
    let looks_like = OPAQUE.iter().find(|(start, _)| text.starts_with(start)).map(|(_, what)| (*what).to_owned());
    if looks_like.is_some() || is_handle(text) { TokenKind::Opaque { looks_like } } else { TokenKind::Unknown }
}

/// No maker's handle is shorter: it could be guessed.
const SHORTEST_HANDLE: usize = 16;
/// How base64 of a JWT begins.
const ENCODED_JWT: &str = "ZXlK";

/// Whether the text is one that makers of opaque tokens use (`b64token`, RFC 6750 section 2.1).
fn is_handle(text: &str) -> bool {
    let core = text.trim_end_matches('=');
    core.len() >= SHORTEST_HANDLE
        && core.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~+/".contains(&byte))
        && !text.starts_with(ENCODED_JWT)
}

/// The kind, told by the form, the header's `typ` and the claims.
fn of_token(text: &str, token: &DecodedToken) -> TokenKind {
    if token.problems.contains(&TokenProblem::Encrypted) {
        return TokenKind::Encrypted;
    }
    let Some(header) = &token.header else {
        return of_text(text);
    };
    let claim = |name: &str| token.claim(name).and_then(Value::as_str);
    if let Some(typ) = header.get("typ").and_then(Value::as_str)
        && matches!(typ.to_ascii_lowercase().as_str(), "at+jwt" | "application/at+jwt")
    {
        return TokenKind::Access { because: format!("its header says typ `{typ}` (RFC 9068)") };
    }
    if token.issuer() == Some("kubernetes/serviceaccount") {
        return TokenKind::LegacyServiceAccount;
    }
    match claim("typ") {
        Some(typ @ "Bearer") => return TokenKind::Access { because: format!("its `typ` claim is `{typ}`") },
        Some(typ @ ("Refresh" | "Offline")) => {
            return TokenKind::Refresh { because: format!("its `typ` claim is `{typ}`") };
        }
        _ => {}
    }
    if claim("token_use") == Some("access") {
        return TokenKind::Access { because: "its `token_use` claim is `access`".to_owned() };
    }
    // Entra writes delegated permissions into `scp`; other servers write `scope` beside `client_id`.
    if token.claim("scp").is_some() {
        return TokenKind::Access { because: "it carries permissions (`scp`)".to_owned() };
    }
    if token.claim("scope").is_some() && token.claim("client_id").is_some() {
        return TokenKind::Access { because: "it carries permissions (`scope`) for a client (`client_id`)".to_owned() };
    }
    TokenKind::Identity
}

#[cfg(test)]
mod kind_tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn tells_tokens_apart() {
        let access = |because: &str| TokenKind::Access { because: because.to_owned() };
        for (header, claims, kind) in [
            (json!({"alg": "RS256"}), json!({"iss": "i"}), TokenKind::Identity),
            (json!({"typ": "at+JWT"}), json!({}), access("its header says typ `at+JWT` (RFC 9068)")),
            (json!({}), json!({"typ": "ID"}), TokenKind::Identity),
            (json!({}), json!({"typ": "Bearer"}), access("its `typ` claim is `Bearer`")),
            (
                json!({}),
                json!({"typ": "Refresh"}),
                TokenKind::Refresh { because: "its `typ` claim is `Refresh`".into() },
            ),
            (json!({}), json!({"token_use": "access"}), access("its `token_use` claim is `access`")),
            (json!({}), json!({"scp": "User.Read"}), access("it carries permissions (`scp`)")),
            (json!({}), json!({"iss": "kubernetes/serviceaccount"}), TokenKind::LegacyServiceAccount),
        ] {
            let token = DecodedToken {
                header: header.as_object().cloned(),
                claims: claims.as_object().cloned(),
                ..DecodedToken::default()
            };
            assert_eq!(of_token("", &token), kind, "{header} {claims}");
        }
    }

    #[test]
    fn knows_opaque_credentials_by_their_beginning() {
        let TokenKind::Opaque { looks_like: Some(what) } = of_text("ghs_0123456789") else { panic!() };
        assert!(what.contains("GITHUB_TOKEN"));
        assert_eq!(of_text("3f2c9d0e-opaque-handle"), TokenKind::Opaque { looks_like: None });
        for text in ["3f2c", "<html>nothingisherebutapage</html>", "ZXlKaGJHY2lPaUpTVXpJMU5pSjkuZTMwLmMybG4"] {
            assert_eq!(of_text(text), TokenKind::Unknown, "{text}");
        }
    }
}
