//! What each cloud takes of any issuer: its rules as data, one file a cloud, and the one evaluator that
//! holds a token, a key set and a discovery document against them.
//!
//! A token is judged as if a provider, credential or pool for exactly its `iss`, `aud` and `sub` were registered. Signature
//! and clock are not looked at: they have checks of their own.

mod aws;
mod condition;
mod entra;
mod google;
#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};
use url::Url;

use super::cause::Cause;
use super::discovery::{Discovery, is_loopback};
use super::ids::Cloud;
use super::issuer::Server;
use super::jwks::Jwks;
use super::token::DecodedToken;
use condition::Condition;
pub use condition::algorithms_of_set;

/// A cloud and its rules.
#[derive(Debug)]
pub struct RelyingParty {
    /// As `--for` and JSON name it.
    pub id: &'static str,
    /// As people call it.
    pub name: &'static str,
    pub cloud: Cloud,
    /// What an acceptance rests on.
    accepts: Basis,
    /// In the order in which refusals are named.
    rules: &'static [Rule],
}

#[derive(Debug)]
struct Rule {
    condition: Condition,
    verdict: Consequence,
    basis: Basis,
    cause: Option<Cause>,
    /// The code that the cloud answers, where it is known.
    error: Option<&'static str>,
    /// A sentence without an end; `{found}` is what the condition found.
    why: &'static str,
    /// The page, or the recording, that says so.
    source: &'static str,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Consequence {
    Refuse,
    Unknown,
    Note,
}

/// What a rule is known from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Basis {
    /// Seen in a recorded answer of the cloud.
    Measured,
    /// Written on a page of the cloud's.
    Documented,
    /// Nobody has measured it.
    Unknown,
}

impl Basis {
    /// The word in JSON and on a page.
    pub const fn id(self) -> &'static str {
        match self {
            Basis::Measured => "measured",
            Basis::Documented => "documented",
            Basis::Unknown => "unknown",
        }
    }
}

/// A document that an issuer publishes, as far as it was had.
#[derive(Clone, Debug)]
pub enum Published<'a, T> {
    /// Nobody asked for it.
    NotLookedAt,
    Read(&'a T),
    /// The issuer answers something else: in words.
    Unusable(String),
    /// No answer came from here, which says nothing of what a cloud gets: in words.
    NotReached(String),
}

impl<'a, T> Published<'a, T> {
    fn read(&self) -> Option<&'a T> {
        match self {
            Published::Read(document) => Some(document),
            _ => None,
        }
    }

    fn unusable(&self) -> Option<String> {
        match self {
            Published::Unusable(why) => Some(why.clone()),
            _ => None,
        }
    }
}

/// What is held against the rules. Without a token, the issuer alone is judged.
#[derive(Clone, Debug)]
pub struct Presented<'a> {
    /// Where the documents are from, where no token says so.
    pub issuer: Option<&'a str>,
    pub token: Option<&'a DecodedToken>,
    pub discovery: Published<'a, Discovery>,
    pub keys: Published<'a, Jwks>,
    /// Whether an issuer on this machine is one's own stack, where any address serves, and no cloud has to reach it.
    pub allows_this_machine: bool,
}

impl<'a> Presented<'a> {
    /// A token of which nothing else is known.
    pub fn token(token: &'a DecodedToken) -> Self {
        let (discovery, keys) = (Published::NotLookedAt, Published::NotLookedAt);
        Presented { issuer: None, token: Some(token), discovery, keys, allows_this_machine: false }
    }

    /// The issuer's URL where the rules on its form apply.
    fn issuer(&self) -> Option<&'a str> {
        let issuer = self.issuer.or_else(|| self.token?.issuer())?;
        let is_own_stack = self.allows_this_machine && Url::parse(issuer).is_ok_and(|url| is_loopback(&url));
        (!is_own_stack).then_some(issuer)
    }
}

/// Whether a cloud takes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Acceptance {
    Accept,
    Refuse,
    Unknown,
}

/// What one cloud says, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CloudVerdict {
    /// The relying party's id.
    pub cloud: &'static str,
    #[serde(skip)]
    pub name: &'static str,
    pub verdict: Acceptance,
    pub rests_on: Basis,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cause: Option<Cause>,
    /// The code that the cloud answers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<&'static str>,
    pub why: String,
    /// What else stands against it, after the first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub also: Vec<String>,
    /// What does not decide and should be known.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
    /// What makes a recognised issuer's tokens acceptable.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub setting: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<&'static str>,
}

/// Alphabetically, as they are shown.
static EACH: [&RelyingParty; 3] = [&aws::AWS, &entra::ENTRA, &google::GOOGLE];

impl RelyingParty {
    /// Every one that is known.
    pub fn all() -> impl Iterator<Item = &'static RelyingParty> {
        EACH.into_iter()
    }

    /// What `--for` calls them.
    pub fn ids() -> impl Iterator<Item = &'static str> {
        Self::all().map(|party| party.id)
    }

    /// The one that `--for` names.
    pub fn named(id: &str) -> Option<&'static RelyingParty> {
        Self::all().find(|party| party.id == id)
    }

    /// The one that a profile's cloud is.
    pub fn of(cloud: Cloud) -> Option<&'static RelyingParty> {
        Self::all().find(|party| party.cloud == cloud)
    }

    /// The signing algorithms that it takes.
    pub fn algorithms(&self) -> &'static [&'static str] {
        let of_rule = |rule: &'_ Rule| matches!(rule.condition, Condition::AlgorithmNoneOf(_));
        match self.rules.iter().find(|rule| of_rule(rule)).map(|rule| &rule.condition) {
            Some(Condition::AlgorithmNoneOf(known)) => known,
            _ => &[],
        }
    }

    /// Whether it takes what is presented, and where it does not, the setting of a recognised issuer that helps.
    pub fn judge(&'static self, presented: &Presented<'_>) -> CloudVerdict {
        let judged = self.judge_by_rules(presented);
        let setting_for = |cause| Server::setting_for(cause, presented.discovery.read(), presented.keys.read());
        let setting = judged.cause.and_then(setting_for);
        CloudVerdict { setting: setting.map(str::to_owned), ..judged }
    }

    fn judge_by_rules(&'static self, presented: &Presented<'_>) -> CloudVerdict {
        let met: Vec<(&'static Rule, String)> =
            self.rules.iter().filter_map(|rule| Some((rule, rule.condition.find(presented)?))).collect();
        let sentence = |(rule, found): &(&Rule, String)| rule.why.replace("{found}", found);
        let with = |consequence| met.iter().filter(move |(rule, _)| rule.verdict == consequence);
        let notes: Vec<String> = with(Consequence::Note).map(sentence).collect();
        let against: Vec<_> = with(Consequence::Refuse).chain(with(Consequence::Unknown)).collect();
        if let Some(first) = against.first() {
            let (rule, _) = first;
            let is_refused = rule.verdict == Consequence::Refuse;
            return CloudVerdict {
                verdict: if is_refused { Acceptance::Refuse } else { Acceptance::Unknown },
                rests_on: rule.basis,
                cause: rule.cause,
                error: rule.error,
                why: sentence(first),
                also: against.iter().skip(1).copied().map(sentence).collect(),
                source: Some(rule.source),
                notes,
                ..self.acceptance()
            };
        }
        match not_reached(presented) {
            Some(why) => CloudVerdict {
                verdict: Acceptance::Unknown,
                rests_on: Basis::Unknown,
                why: format!("nothing known stands against it, but {why}"),
                notes,
                ..self.acceptance()
            },
            None => CloudVerdict { notes, ..self.acceptance() },
        }
    }

    fn acceptance(&'static self) -> CloudVerdict {
        CloudVerdict {
            cloud: self.id,
            name: self.name,
            verdict: Acceptance::Accept,
            rests_on: self.accepts,
            cause: None,
            error: None,
            why: "nothing known stands against it".to_owned(),
            also: Vec::new(),
            notes: Vec::new(),
            setting: None,
            source: None,
        }
    }
}

/// What could not be looked at from here, in words.
fn not_reached(presented: &Presented<'_>) -> Option<String> {
    match (&presented.discovery, &presented.keys) {
        (Published::NotReached(why), _) => Some(format!("the discovery document could not be had from here: {why}")),
        (_, Published::NotReached(why)) => Some(format!("the key set could not be had from here: {why}")),
        _ => None,
    }
}
