//! What the token's source gave, and the state of the token's signature.

use serde::{Deserialize, Serialize};

use super::network::NetworkFailure;
use crate::domain::guide::Workload;
use crate::domain::signature::Signature;
use crate::domain::timestamp::UnixSeconds;
use crate::domain::token::{Cleaning, DecodedToken, RawToken, decode};

/// What one reading of the token's source gave.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TokenFact {
    /// The source in words, such as "file token.jwt" or "variable CIRCLE_OIDC_TOKEN".
    pub source: String,
    #[serde(flatten)]
    pub reading: TokenReading,
}

/// What was read.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "kebab-case")]
pub enum TokenReading {
    /// A token, good or bad.
    Read(Box<TokenRead>),
    /// None.
    Absent(TokenAbsence),
}

/// A token, decoded. The signature and the raw text are not part of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TokenRead {
    /// What was stripped from around and inside it.
    pub cleaned: Vec<Cleaning>,
    /// Its length in bytes.
    pub length: usize,
    pub token: DecodedToken,
    pub issued_at: Option<UnixSeconds>,
    pub not_before: Option<UnixSeconds>,
    pub expires_at: Option<UnixSeconds>,
    /// `exp` minus `iat`.
    pub lifetime_s: Option<i64>,
}

/// Why no token was read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenAbsence {
    pub kind: AbsenceKind,
    /// What is wrong, where, and what to do instead; never holds what the source gave.
    pub message: String,
    /// Why the request for one got no answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<NetworkFailure>,
    /// What stands around the process, where it runs in a CI job or a pod.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub around: Option<Surroundings>,
}

/// What a job or a pod has of what a token comes by. Seen from inside, without asking anybody.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Surroundings {
    pub workload: Workload,
    /// The run is of a fork's pull request, or of a robot that is treated like one, which get no token.
    pub of_fork: bool,
    /// The pod has the token that is for its cluster alone.
    pub has_cluster_token: bool,
    /// A webhook gave the pod its variables.
    pub is_injected: bool,
}

/// The sorts of absence that lead to different causes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AbsenceKind {
    /// The variable or file that should carry it does not exist, or is empty.
    NotSet,
    /// It is a file that is there and may not be read.
    Denied,
    /// It exists and cannot be read: a directory, too large, not text.
    Unreadable,
    /// It was not read, as this machine lacks what that takes.
    Shortage,
    /// The program that should print it failed, printed nothing, or took too long.
    CommandFailed,
    /// The CI job has no address to request one from, or the request is refused.
    NotPermitted,
    /// The request for one got no usable answer.
    RequestFailed,
}

impl TokenFact {
    /// The fact of a token that was read.
    pub fn read(source: impl Into<String>, raw: &RawToken, cleaned: Vec<Cleaning>) -> Self {
        Self::decoded(source, raw.len(), decode(raw), cleaned)
    }

    /// As [`TokenFact::read`], for a token that was decoded already.
    pub fn decoded(source: impl Into<String>, length: usize, token: DecodedToken, cleaned: Vec<Cleaning>) -> Self {
        let read = TokenRead {
            cleaned,
            length,
            issued_at: token.issued_at(),
            not_before: token.not_before(),
            expires_at: token.expires_at(),
            lifetime_s: token.lifetime(),
            token,
        };
        TokenFact { source: source.into(), reading: TokenReading::Read(Box::new(read)) }
    }

    /// The fact of a token that is not there.
    pub fn absent(source: impl Into<String>, absence: TokenAbsence) -> Self {
        TokenFact { source: source.into(), reading: TokenReading::Absent(absence) }
    }

    /// The decoded token, where one was read.
    pub fn token(&self) -> Option<&DecodedToken> {
        match &self.reading {
            TokenReading::Read(read) => Some(&read.token),
            TokenReading::Absent(_) => None,
        }
    }
}

/// The state of the token's signature.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignatureFact {
    #[serde(flatten)]
    pub signature: Signature,
    /// The reason as a sentence.
    pub sentence: String,
    /// Where the keys came from, such as "file jwks.json" or the key set's address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keys_from: Option<String>,
}

impl SignatureFact {
    /// The fact of a checked (or not checked) signature.
    pub fn new(signature: Signature, keys_from: Option<String>) -> Self {
        SignatureFact { sentence: signature.reason.to_string(), signature, keys_from }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::signature::verify;

    #[test]
    fn facts_survive_json() {
        let (raw, cleaned) = RawToken::clean(
            "Bearer eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJodHRwczovL2kiLCJleHAiOjE4NDQ2NzQ0MDczNzA5NTUxNjE1fQ.c2ln\n",
        );
        let read = TokenFact::read("standard input", &raw, cleaned);
        let absence = TokenAbsence {
            kind: AbsenceKind::NotSet,
            message: "variable T is not set".to_owned(),
            failure: None,
            around: None,
        };
        let absent = TokenFact::absent("variable T", absence);
        for fact in [read, absent] {
            let json = serde_json::to_string(&fact).unwrap();
            assert!(!json.contains("c2ln"), "{json}");
            assert_eq!(serde_json::from_str::<TokenFact>(&json).unwrap(), fact);
        }
        let signature = SignatureFact::new(verify(&raw, &decode(&raw), None), None);
        let json = serde_json::to_string(&signature).unwrap();
        assert_eq!(serde_json::from_str::<SignatureFact>(&json).unwrap(), signature);
    }
}
