//! What a trust is wanted for, and the proof that it does that and no more: with whatever evaluator a cloud has.

use serde_json::{Map, Value};

use super::lists::{Lists, NoTrust, fillings, fits, is_pattern};
use crate::domain::iam::{Decision, Distance, foreign_tokens};

/// An audience that nobody registers.
const FOREIGN_AUDIENCE: &str = "https://someone-else.example";

/// What a cloud says to a token, and why where it is not let in.
type Evaluator<'a> = dyn Fn(&Map<String, Value>) -> (Decision, String) + 'a;

/// Whose tokens are let in.
#[derive(Clone, Copy, Debug)]
pub struct Wanted<'a> {
    pub issuer: &'a str,
    /// The audience of the tokens.
    pub audience: &'a str,
    pub lists: &'a Lists,
}

/// A trust that was proven, and what a reader should know of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Least<T> {
    pub trust: T,
    pub notes: Vec<String>,
}

/// The claims of a token with this subject.
pub(super) fn token(wanted: &Wanted<'_>, subject: &str) -> Map<String, Value> {
    [("iss", wanted.issuer), ("aud", wanted.audience), ("sub", subject)]
        .map(|(name, value)| (name.to_owned(), Value::from(value)))
        .into_iter()
        .collect()
}

/// Proves a trust: who is to be admitted is, and nobody else that can be thought of. Yields who gets in beside the named by a
/// pattern's open part.
///
/// `claims` makes a token of a subject, `decide` is the cloud's evaluator.
pub(super) fn prove(
    wanted: &Wanted<'_>,
    claims: &dyn Fn(&str) -> Map<String, Value>,
    decide: &Evaluator<'_>,
) -> Result<Vec<String>, NoTrust> {
    let Lists { admit, refuse, .. } = wanted.lists;
    let is_refused = |subject: &str| refuse.iter().any(|refused| fits(refused, subject));
    let mut notes = Vec::new();
    for listed in admit {
        for subject in fillings(listed).iter().filter(|subject| !is_refused(subject)) {
            let (decision, why) = decide(&claims(subject));
            if decision != Decision::Allow {
                return Err(NoTrust::NotAdmitted { subject: listed.clone(), why });
            }
            keeps_strangers_out(wanted, (listed, &claims(subject)), decide, &mut notes)?;
        }
    }
    let nobody: Map<String, Value> = claims("").into_iter().filter(|(name, _)| name != "sub").collect();
    let elsewhere = admit.iter().flat_map(|listed| fillings(listed)).map(|subject| {
        let mut claims = claims(&subject);
        claims.insert("aud".to_owned(), FOREIGN_AUDIENCE.into());
        claims
    });
    let refused = refuse.iter().flat_map(|listed| fillings(listed)).map(|subject| claims(&subject));
    let alike = admit.iter().flat_map(|listed| look_alikes(listed)).filter(|subject| !is_meant(wanted.lists, subject));
    let others = elsewhere.chain(refused).chain(alike.map(|subject| claims(&subject))).chain([nobody]);
    for claims in others {
        if decide(&claims).0 != Decision::Deny {
            return Err(NoTrust::Admitted { subject: shown(&claims) });
        }
    }
    Ok(notes)
}

/// Whether a list names this subject among those to admit, and none among those to refuse.
pub(super) fn is_meant(lists: &Lists, subject: &str) -> bool {
    lists.admit.iter().any(|listed| fits(listed, subject)) && !lists.refuse.iter().any(|listed| fits(listed, subject))
}

/// The strangers to whoever has this token: none gets in, but for those within the owner's own that a pattern leaves open.
fn keeps_strangers_out(
    wanted: &Wanted<'_>,
    (listed, own): (&str, &Map<String, Value>),
    decide: &Evaluator<'_>,
    notes: &mut Vec<String>,
) -> Result<(), NoTrust> {
    for (stranger, claims) in foreign_tokens(wanted.issuer, own) {
        if decide(&claims).0 == Decision::Deny {
            continue;
        }
        if !is_meant(wanted.lists, &stranger.subject) {
            return Err(NoTrust::Admitted { subject: stranger.subject });
        }
        if is_pattern(listed) && fits(listed, &stranger.subject) {
            if stranger.distance == Distance::Tenant {
                let pattern = listed.to_owned();
                return Err(NoTrust::TooWide { pattern, who: stranger.who, subject: stranger.subject });
            }
            let note =
                format!("`{listed}` lets in {} too, such as {}; --refuse keeps it out", stranger.who, stranger.subject);
            if !notes.contains(&note) {
                notes.push(note);
            }
        }
    }
    Ok(())
}

fn shown(claims: &Map<String, Value>) -> String {
    let text = |name: &str| claims.get(name).and_then(Value::as_str).unwrap_or("none").to_owned();
    format!("subject {}, audience {}", text("sub"), text("aud"))
}

/// Texts that a careless comparison takes for the subject.
fn look_alikes(listed: &str) -> Vec<String> {
    let one = fillings(listed).into_iter().next().unwrap_or_default();
    let cut: String = one.chars().take(one.chars().count().saturating_sub(1)).collect();
    vec![one.to_uppercase(), format!("{one}-someone-else"), format!("someone-else-{one}"), cut]
}
