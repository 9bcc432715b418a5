//! The document `trustline.token/1`. It holds neither the token nor its signature.

use serde_json::{Value, json};

use crate::domain::timestamp::{UnixSeconds, rfc3339};
use crate::domain::token::TokenProblem;
use crate::report::token::TokenReport;

pub(super) fn render(seen: &TokenReport) -> Value {
    let token = &seen.read.token;
    let signature = &seen.signature.signature;
    let checks: Vec<Value> = seen
        .verdicts
        .iter()
        .map(|(check, verdict)| json!({ "id": check, "outcome": verdict.outcome, "reason": verdict.reason }))
        .collect();
    let cut = token.problems.iter().find_map(|problem| match problem {
        TokenProblem::HoldsSecret { places } => Some(places),
        _ => None,
    });
    let time = |at: Option<UnixSeconds>| at.and_then(rfc3339);
    json!({
        "schema": "trustline.token/1",
        "source": seen.source,
        "cleaned": seen.read.cleaned,
        "length": seen.read.length,
        "parts": token.parts,
        "kind": token.kind,
        "header": token.header,
        "claims": token.claims,
        "cut": cut,
        "signature": signature.state,
        "signature_reason": seen.signature.sentence,
        "signature_details": signature.reason,
        "keys_from": seen.signature.keys_from,
        "now": time(Some(seen.now)),
        "issued_at": time(seen.read.issued_at),
        "not_before": time(seen.read.not_before),
        "expires_at": time(seen.read.expires_at),
        "expires_in_s": seen.read.expires_at.map(|exp| exp.saturating_sub(seen.now)),
        "lifetime_s": seen.read.lifetime_s,
        "checks": checks,
        "problems": seen.problems(),
    })
}
