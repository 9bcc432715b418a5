//! What a check is: one value with all there is to say of it.

use serde_json::{Map, Value};

use super::clock;
use super::facts::Facts;
use super::facts::network::{Exchange, HopName};
use super::facts::secret::{AnyCall, Refusal};
use super::step::Step;
use super::verdict::Verdict;
use crate::cause::Cause;
use crate::domain::ids::CheckId;
use crate::domain::profile::Profile;

/// One check. Its id is part of the program's stable interface.
pub struct Check {
    pub id: CheckId,
    /// The assertion, which holds or does not.
    pub title: &'static str,
    /// The vendor's or standard's page about what it asserts.
    pub docs: &'static str,
    /// The link of the chain of trust that it belongs to.
    pub link: Link,
    /// The checks that stand in the way of this one when they fail. What a step needs beyond that is the step's.
    pub needs: &'static [CheckId],
    /// What its pass rules out, wherever it is a candidate.
    pub rules_out: &'static [Cause],
    /// The step whose facts it is judged by; `None` where the profile asks for nothing of it.
    pub step: fn(&Profile) -> Option<Step>,
    /// What went over the network for it.
    pub traffic: Traffic,
    /// When it is judged only once the steps have ended that explain what it met.
    pub waits: Waits,
    /// What its part of the report shows: a JSON object.
    pub facts: fn(&Facts) -> Option<Value>,
    /// How it ended by its facts, and why.
    pub verdict: fn(&Facts, &Profile) -> Verdict,
    /// How it is made by hand.
    pub reproduction: Reproduction,
}

/// A link of the chain of trust, in the chain's order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Link {
    Issuer,
    Keys,
    Token,
    Trust,
    Role,
    Secret,
    Runtime,
}

impl Link {
    /// All of them, in the order of the chain.
    pub const ALL: [Link; 7] =
        [Link::Issuer, Link::Keys, Link::Token, Link::Trust, Link::Role, Link::Secret, Link::Runtime];

    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Link::Issuer => "issuer",
            Link::Keys => "keys",
            Link::Token => "token",
            Link::Trust => "trust",
            Link::Role => "role",
            Link::Secret => "secret",
            Link::Runtime => "runtime",
        }
    }
}

/// What went over the network for a check.
pub enum Traffic {
    /// Nothing: it is judged by what was read here, or by what another check's call brought.
    None,
    /// Some hops of an exchange; none where the exchange is this check's alone.
    Exchange { seen: fn(&Facts) -> Option<&Exchange>, hops: &'static [HopName] },
    /// A call to a cloud, or to the deployment.
    Call {
        seen: fn(&Facts) -> Option<&dyn AnyCall>,
        seen_mut: fn(&mut Facts) -> Option<&mut dyn AnyCall>,
        /// What of a refusal may pass by itself: something made too recently to be known everywhere, or a passing fault.
        may_pass: fn(&Facts, &Refusal) -> Option<String>,
    },
}

/// A call among the facts: `call!(aws.caller, may_pass)`, or with the field of the fact that holds it,
/// `call!(azure.list => call, may_pass)`.
macro_rules! call {
    ($($fact:ident).+ $(=> $field:ident)?, $may_pass:expr) => {
        crate::check::definition::Traffic::Call {
            seen: |facts| facts.$($fact).+.as_ref().map(|fact| &(*fact)$(.$field)? as &dyn AnyCall),
            seen_mut: |facts| facts.$($fact).+.as_mut().map(|fact| &mut (*fact)$(.$field)? as &mut dyn AnyCall),
            may_pass: $may_pass,
        }
    };
}
pub(in crate::check) use call;

/// When a check waits for the facts of the steps that explain its own.
pub enum Waits {
    /// Where its service refused, or showed another time.
    IfRefused,
    /// Where its service showed another time; a refusal is about itself.
    IfClockIsOff,
    /// Where its service refused or showed another time, or this holds.
    If(fn(&Facts, &Profile) -> bool),
}

/// How a check is made by hand.
pub enum Reproduction {
    /// A common client's command, made from the profile and the facts that the check shows.
    Command(fn(&Profile, &Map<String, Value>) -> Option<String>),
    /// It is judged here from what was read: there is no call that another client could make.
    JudgedHere,
}

impl Check {
    /// The call that it is judged by, where it is one and was made.
    pub fn call<'f>(&self, facts: &'f Facts) -> Option<&'f dyn AnyCall> {
        match self.traffic {
            Traffic::Call { seen, .. } => seen(facts),
            Traffic::None | Traffic::Exchange { .. } => None,
        }
    }

    /// The exchange that it is judged by, where it went out.
    pub fn exchange<'f>(&self, facts: &'f Facts) -> Option<&'f Exchange> {
        match self.traffic {
            Traffic::Exchange { seen, .. } => seen(facts),
            Traffic::Call { seen, .. } => seen(facts)?.exchange(),
            Traffic::None => None,
        }
    }

    /// What its part of the report shows.
    pub fn shown(&self, facts: &Facts) -> Map<String, Value> {
        match (self.facts)(facts) {
            Some(Value::Object(fields)) => fields,
            _ => Map::new(),
        }
    }

    /// When its own hops began, in milliseconds after its step did, and how long they took; for the checks that share
    /// one exchange.
    pub fn hop_times(&self, facts: &Facts) -> Option<(u64, u64)> {
        let Traffic::Exchange { seen, hops: own } = self.traffic else { return None };
        let hops: Vec<_> = seen(facts)?.hops.iter().filter(|hop| own.contains(&hop.name)).collect();
        let start = hops.first()?.start_ms;
        let total: f64 = hops.iter().map(|hop| hop.duration_ms).sum();
        Some((start.round() as u64, total.round() as u64))
    }

    /// Keeps on its call how often it was made, and since when.
    pub fn note_attempts(&self, facts: &mut Facts, attempts: u32, waited_ms: u64) {
        if let Traffic::Call { seen_mut, .. } = self.traffic
            && let Some(call) = seen_mut(facts)
        {
            call.note_attempts(attempts, waited_ms);
        }
    }

    /// Whether its service refused.
    pub fn is_refused(&self, facts: &Facts) -> bool {
        self.call(facts).is_some_and(|call| call.refusal().is_some())
    }

    /// What it met that may pass by itself; `None` where trying again would tell nothing new.
    pub fn may_be_propagating(&self, facts: &Facts) -> Option<String> {
        let Traffic::Call { seen, may_pass, .. } = self.traffic else { return None };
        may_pass(facts, seen(facts)?.refusal()?)
    }

    /// Whether other steps' facts are needed for the verdict: to explain a refusal or a time that does not fit, or to
    /// compare a value of the profile.
    pub fn needs_explaining_facts(&self, facts: &Facts, profile: &Profile) -> bool {
        let is_off = || self.exchange(facts).is_some_and(clock::is_in_question);
        match self.waits {
            Waits::IfClockIsOff => is_off(),
            Waits::IfRefused => self.is_refused(facts) || is_off(),
            Waits::If(holds) => holds(facts, profile) || self.is_refused(facts) || is_off(),
        }
    }

    /// The command that makes it by hand, where there is one.
    pub fn command(&self, profile: &Profile, facts: &Map<String, Value>) -> Option<String> {
        match self.reproduction {
            Reproduction::Command(command) => command(profile, facts),
            Reproduction::JudgedHere => None,
        }
    }
}
