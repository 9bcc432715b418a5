//! OIDC tokens: cleaned, decoded as far as they can be, and inspected. Nothing here trusts a token; for that see
//! [`super::signature`].

mod decode;
mod inspect;
mod kind;
mod object;
mod problem;
mod raw;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

pub use decode::decode;
pub use kind::TokenKind;
pub use problem::{Part, TimeFlaw, TokenProblem};
pub use raw::{Cleaning, NotText, RawToken, looks_like_jwt};

use super::timestamp::UnixSeconds;

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
        self.claim("exp").and_then(inspect::seconds)
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

fn text<'t>(object: Option<&'t Map<String, Value>>, name: &str) -> Option<&'t str> {
    object?.get(name)?.as_str()
}
