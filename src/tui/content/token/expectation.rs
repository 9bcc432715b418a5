//! What each side of the exchange expects of a token's field, and whether it is met.

use serde_json::Value;

use super::{Field, name};
use crate::cause::Cause;
use crate::check::{CheckId, Link, Outcome};
use crate::domain::ids::Cloud;
use crate::domain::ids::FoundBy;
use crate::domain::profile::Profile;
use crate::domain::relying_party::RelyingParty;
use crate::domain::signature::SignatureState;
use crate::run::report::Report;
use crate::tui::content::findings;
use crate::tui::model::Model;
use crate::tui::model::token::Shown;

/// What one side expects of a claim, and whether it is met.
pub struct Expectation {
    pub side: &'static str,
    pub expects: Expected,
    /// `None` where it is not known.
    pub outcome: Option<Outcome>,
}

/// What is expected.
pub enum Expected {
    /// This value, character by character.
    Value(String),
    /// What these words say.
    Words(String),
}

/// The causes that are about a claim.
fn causes_of(name: &str) -> &'static [Cause] {
    match name {
        "iss" => &[Cause::IssMismatch, Cause::IssuerDiffers, Cause::ProviderMissing],
        "sub" => &[Cause::SubMismatch, Cause::SubCaseMismatch, Cause::ImmutableSub, Cause::SubjectTooLong],
        "aud" => &[Cause::AudMismatch, Cause::AudNotRegistered, Cause::AudMultiWithoutAzp],
        "azp" => &[Cause::AudNotRegistered, Cause::AudMultiWithoutAzp],
        "exp" => &[Cause::TokenExpired, Cause::TokenLifetimeTooLong],
        "iat" | "nbf" => &[Cause::ClockSkew],
        "kid" => &[Cause::JwksKidMissing],
        "alg" => &[Cause::AlgUnsupported],
        "https://aws.amazon.com/roles" => &[Cause::RolesClaim],
        _ => &[],
    }
}

/// What each side expects of a field.
pub fn expectations(model: &Model, shown: &Shown, field: &Field) -> Vec<Expectation> {
    let mut list = Vec::new();
    let now = model.clock.now_ms().div_euclid(1000);
    let run = model.runs.shown().filter(|_| model.token.pasted.is_none());
    let profile = model.runs.shown().and_then(|run| run.profile.as_deref());
    let met = |holds: bool| Some(if holds { Outcome::Pass } else { Outcome::Fail });
    let claim = name(field);
    match field {
        Field::Signature => list.push(Expectation {
            side: "issuer",
            expects: Expected::Words("one of its published keys made the signature".to_owned()),
            outcome: match shown.signature.state {
                SignatureState::Verified => Some(Outcome::Pass),
                SignatureState::Failed => Some(Outcome::Fail),
                SignatureState::CannotCheck => Some(Outcome::Inconclusive),
                SignatureState::NotChecked => None,
            },
        }),
        Field::Header(name, value) if name == "alg" => list.extend(profile_clouds(profile).map(|party| Expectation {
            side: party.name,
            expects: Expected::Words(party.algorithms().join(", ")),
            outcome: met(value.as_str().is_some_and(|alg| party.algorithms().contains(&alg))),
        })),
        Field::Claim(name, value) => match (name.as_str(), value) {
            ("iss", Value::String(iss)) => {
                if let Some(expected) = profile.and_then(|p| p.issuer_url.as_deref()) {
                    list.push(Expectation {
                        side: "profile",
                        expects: Expected::Value(expected.to_owned()),
                        outcome: met(expected == iss),
                    });
                }
            }
            ("aud", _) => {
                let expected = profile.and_then(|p| match p.guide.cloud() {
                    Cloud::Azure => Some("api://AzureADTokenExchange".to_owned()),
                    Cloud::Gcp => p.gcp.token_audience(),
                    Cloud::Aws if p.guide.is_aws_web_identity() => p.aws.audience.clone(),
                    Cloud::Aws => None,
                });
                if let Some(expected) = expected {
                    let holds = shown.token.audiences().contains(&expected.as_str());
                    let expects = Expected::Value(expected);
                    list.push(Expectation { side: "cloud", expects, outcome: met(holds) });
                }
            }
            ("exp", value) if model.replay.is_none() => {
                let holds = value.as_i64().map(|at| at > now);
                list.push(Expectation {
                    side: "clock",
                    expects: Expected::Words("to lie ahead".to_owned()),
                    outcome: holds.and_then(met),
                });
            }
            ("nbf" | "iat", value) if model.replay.is_none() => {
                let holds = value.as_i64().map(|at| at <= now);
                list.push(Expectation {
                    side: "clock",
                    expects: Expected::Words("to lie behind".to_owned()),
                    outcome: holds.and_then(met),
                });
            }
            _ => {}
        },
        Field::Header(..) => {}
    }
    if let Some(run) = run {
        list.extend(from_findings(&run.report, claim));
    }
    list
}

/// The profile's cloud; all of them where there is no profile.
fn profile_clouds(profile: Option<&Profile>) -> impl Iterator<Item = &'static RelyingParty> {
    let cloud = profile.map(|profile| profile.guide.cloud());
    RelyingParty::all().filter(move |party| cloud.is_none_or(|cloud| party.cloud == cloud))
}

fn from_findings(report: &Report, claim: &str) -> Vec<Expectation> {
    let causes = causes_of(claim);
    let mut list: Vec<Expectation> = report
        .findings
        .iter()
        .filter(|found| causes.contains(&found.cause))
        .map(|found| Expectation {
            side: side(found.check),
            expects: match &found.expected {
                Some(value) => Expected::Value(value.clone()),
                None => Expected::Words(found.summary.clone()),
            },
            outcome: Some(findings::weight(report, found)),
        })
        .collect();
    let policy = report.finished().find(|check| check.id == CheckId::TrustPolicy);
    if matches!(claim, "sub" | "aud") && !list.iter().any(|e| e.side == "trust") {
        match policy {
            Some(check) if check.outcome == Outcome::Pass => list.push(Expectation {
                side: "trust",
                expects: Expected::Words("its conditions are met".to_owned()),
                outcome: Some(Outcome::Pass),
            }),
            Some(check) if check.outcome == Outcome::Skipped => list.push(Expectation {
                side: "trust",
                expects: {
                    let why = check.reason.as_deref().unwrap_or("it was not checked");
                    Expected::Words(format!("not known: {why}"))
                },
                outcome: None,
            }),
            _ => {}
        }
    }
    list
}

fn side(check: FoundBy) -> &'static str {
    match check.check().map(|check| check.check().link) {
        Some(Link::Issuer | Link::Keys) => "issuer",
        Some(Link::Trust) => "trust",
        Some(Link::Role | Link::Secret) => "cloud",
        Some(Link::Token | Link::Runtime) | None => "token",
    }
}

/// The worst that any side says of a field.
pub(super) fn verdict(model: &Model, shown: &Shown, field: &Field) -> Option<Outcome> {
    let rank = |outcome: &Outcome| match outcome {
        Outcome::Fail => 4,
        Outcome::Warn => 3,
        Outcome::Inconclusive => 2,
        Outcome::Pass => 1,
        Outcome::Skipped => 0,
    };
    if let (Field::Signature, SignatureState::NotChecked) = (field, shown.signature.state) {
        return Some(Outcome::Inconclusive);
    }
    expectations(model, shown, field).into_iter().filter_map(|e| e.outcome).max_by_key(rank)
}
