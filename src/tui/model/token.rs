//! The token on the screen: pasted, read from the profile's file, or as the run's facts tell it.

use serde_json::{Map, Value};

use crate::check::CheckId;
use crate::domain::jwks::Jwks;
use crate::domain::signature::{Signature, SignatureState, verify};
use crate::domain::timestamp::UnixSeconds;
use crate::domain::token::{Cleaning, DecodedToken, RawToken, decode, expiry};
use crate::run::report::Report;
use crate::tui::message::RunNumber;

/// What is known of tokens beside the run's facts.
#[derive(Clone, Debug, Default)]
pub struct TokenState {
    /// A token that was pasted. It goes before the run's.
    pub pasted: Option<HeldToken>,
    /// The token's file as it was read last, and for which run.
    pub reread: Option<(RunNumber, HeldToken)>,
    /// The run whose token is being read again from where its profile says.
    pub reading: Option<RunNumber>,
    /// Why it could not be read again.
    pub read_error: Option<String>,
    /// The end, in seconds since 1970, at which a token was read again by itself. Each end asks once.
    pub read_at_end: Option<i64>,
    /// Keys that were fetched because a person asked, and whose.
    pub keys: Option<(String, Box<Jwks>)>,
    /// The issuer whose keys are being fetched.
    pub fetching: Option<String>,
    /// Why the last fetch gave no keys.
    pub fetch_error: Option<String>,
}

/// A token that is at hand as a whole. The raw text is kept to check its signature, and is never shown.
#[derive(Clone, Debug)]
pub struct HeldToken {
    pub source: String,
    pub raw: RawToken,
    pub cleaned: Vec<Cleaning>,
    pub decoded: DecodedToken,
    pub signature: Signature,
}

impl HeldToken {
    /// Decodes a token and checks its signature with the keys at hand.
    pub fn new(source: String, raw: RawToken, cleaned: Vec<Cleaning>, keys: Option<&Jwks>) -> Self {
        let decoded = decode(&raw);
        let signature = verify(&raw, &decoded, keys);
        HeldToken { source, raw, cleaned, decoded, signature }
    }

    /// Checks the signature again.
    pub fn verify(&mut self, keys: Option<&Jwks>) {
        self.signature = verify(&self.raw, &self.decoded, keys);
    }
}

/// The token to show.
#[derive(Clone, Debug, PartialEq)]
pub struct Shown {
    /// Where it is from, in words.
    pub source: String,
    pub token: DecodedToken,
    /// What was stripped from around it, a phrase each.
    pub cleaned: Vec<String>,
    pub signature: SignatureView,
}

/// The state of a signature with the reason for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignatureView {
    pub state: SignatureState,
    pub reason: String,
}

impl TokenState {
    /// The token to show beside a run's report.
    pub fn shown(&self, run: Option<(RunNumber, &Report)>) -> Option<Shown> {
        if let Some(held) = &self.pasted {
            return Some(of_held(held));
        }
        let (number, report) = run?;
        let told = from_facts(report);
        match &self.reread {
            Some((of, held)) if *of == number => Some(match told {
                Some(told) if told.token == held.decoded => told,
                _ => of_held(held),
            }),
            _ => told,
        }
    }

    /// When the token to show ends. It is asked for every second, so nothing is decoded for it.
    pub fn expires_at(&self, run: Option<(RunNumber, &Report)>) -> Option<UnixSeconds> {
        if let Some(held) = &self.pasted {
            return held.decoded.expires_at();
        }
        let (number, report) = run?;
        match &self.reread {
            Some((of, held)) if *of == number => held.decoded.expires_at(),
            _ => token_facts(report)?.get("token")?.get("claims")?.as_object().and_then(expiry),
        }
    }

    /// The keys that were fetched for the issuer of a token.
    pub fn keys_for(&self, token: &DecodedToken) -> Option<&Jwks> {
        self.keys.as_ref().filter(|(issuer, _)| Some(issuer.as_str()) == token.issuer()).map(|(_, keys)| keys.as_ref())
    }
}

fn of_held(held: &HeldToken) -> Shown {
    Shown {
        source: held.source.clone(),
        token: held.decoded.clone(),
        cleaned: held.cleaned.iter().map(ToString::to_string).collect(),
        signature: SignatureView { state: held.signature.state, reason: held.signature.reason.to_string() },
    }
}

/// The facts of the check that has read the token.
fn token_facts(report: &Report) -> Option<&Map<String, Value>> {
    report.finished().map(|check| &check.facts).find(|facts| facts.get("token").is_some_and(Value::is_object))
}

/// The token as the facts of the run's checks tell it.
fn from_facts(report: &Report) -> Option<Shown> {
    let facts = |id: CheckId| report.finished().find(|check| check.id == id).map(|check| &check.facts);
    let read = token_facts(report)?;
    let token: DecodedToken = serde_json::from_value(read.get("token")?.clone()).ok()?;
    let cleaned: Vec<Cleaning> =
        read.get("cleaned").and_then(|c| serde_json::from_value(c.clone()).ok()).unwrap_or_default();
    let signature = facts(CheckId::TokenSignature).and_then(signature).unwrap_or(SignatureView {
        state: SignatureState::NotChecked,
        reason: "the run has not come to it".to_owned(),
    });
    Some(Shown {
        source: read.get("source").and_then(Value::as_str).unwrap_or("the run").to_owned(),
        token,
        cleaned: cleaned.iter().map(ToString::to_string).collect(),
        signature,
    })
}

fn signature(facts: &Map<String, Value>) -> Option<SignatureView> {
    let state = serde_json::from_value(facts.get("state")?.clone()).ok()?;
    let mut reason = facts.get("sentence").and_then(Value::as_str).unwrap_or_default().to_owned();
    if let Some(from) = facts.get("keys_from").and_then(Value::as_str) {
        reason.push_str(&format!(" (keys from {from})"));
    }
    Some(SignatureView { state, reason })
}
