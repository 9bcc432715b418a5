//! What a rule is: which phrases and codes show it, which causes it then offers, and how sure it makes them.

use crate::cause::{Cause, Certainty, Finding, catalogue};
use crate::domain::ids::{Cloud, Finder};

/// The links of the chain of trust, in the order in which they can break.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Stage {
    /// Settings, variables, files, the permission to mint a token.
    Setting,
    /// Names, routes, proxies, certificates on the way.
    Network,
    /// The issuer's documents and keys, and the cloud's way to them.
    Issuer,
    /// The token itself.
    Token,
    /// The exchange: provider, role, application, trust.
    Trust,
    /// The rights of what came out of the exchange.
    Access,
    /// The secret and its value.
    Secret,
    /// What the running program holds.
    Runtime,
}

/// How much a rule's phrases say by themselves. Ordered: the most telling first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Strength {
    /// The text names the cause.
    Conclusive,
    /// The text points at the first cause; the others are seen more rarely behind it.
    Leading,
    /// The text is given for all of these causes alike.
    Ambiguous,
    /// A message that follows from an earlier failure; counts only where nothing else spoke.
    Secondary,
    /// Words of a description rather than of a message; counts only where no message was found.
    Descriptive,
}

/// One thing a cloud, SDK or tool says, and what it can mean.
///
/// A phrase is matched without regard to letter case in the text on one line. A `|` at its start or end
/// stands for a boundary: no letter or digit may follow there.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rule {
    pub cloud: Option<Cloud>,
    pub stage: Stage,
    pub strength: Strength,
    /// Entra's numeric codes that show it.
    pub codes: &'static [u32],
    /// Phrases of which one shows it.
    pub any: &'static [&'static str],
    /// Groups of phrases; one of each group must stand near.
    pub with: &'static [&'static [&'static str]],
    /// Phrases that must not stand near.
    pub without: &'static [&'static str],
    /// The causes, the likeliest first.
    pub causes: &'static [Cause],
}

impl Rule {
    const fn new(stage: Stage, strength: Strength, any: &'static [&'static str], causes: &'static [Cause]) -> Rule {
        Rule { cloud: None, stage, strength, codes: &[], any, with: &[], without: &[], causes }
    }

    /// The text names the cause.
    pub(super) const fn conclusive(stage: Stage, any: &'static [&'static str], causes: &'static [Cause]) -> Rule {
        Rule::new(stage, Strength::Conclusive, any, causes)
    }

    /// The text points at the first cause.
    pub(super) const fn leading(stage: Stage, any: &'static [&'static str], causes: &'static [Cause]) -> Rule {
        Rule::new(stage, Strength::Leading, any, causes)
    }

    /// The text leaves all these causes open.
    pub(super) const fn ambiguous(stage: Stage, any: &'static [&'static str], causes: &'static [Cause]) -> Rule {
        Rule::new(stage, Strength::Ambiguous, any, causes)
    }

    /// A consequence of something earlier.
    pub(super) const fn secondary(stage: Stage, any: &'static [&'static str], causes: &'static [Cause]) -> Rule {
        Rule::new(stage, Strength::Secondary, any, causes)
    }

    /// Words of a description.
    pub(super) const fn descriptive(stage: Stage, any: &'static [&'static str], causes: &'static [Cause]) -> Rule {
        Rule::new(stage, Strength::Descriptive, any, causes)
    }

    /// Only this cloud says so.
    pub(super) const fn of(mut self, cloud: Cloud) -> Rule {
        self.cloud = Some(cloud);
        self
    }

    /// One of these must stand near too.
    pub(super) const fn with(mut self, groups: &'static [&'static [&'static str]]) -> Rule {
        self.with = groups;
        self
    }

    /// None of these may stand near.
    pub(super) const fn without(mut self, phrases: &'static [&'static str]) -> Rule {
        self.without = phrases;
        self
    }

    /// These codes of Entra show it too.
    pub(super) const fn codes(mut self, codes: &'static [u32]) -> Rule {
        self.codes = codes;
        self
    }
}

/// How sure a rule makes its cause at this place of the list.
pub(super) const fn certainty(strength: Strength, place: usize) -> Certainty {
    match (strength, place) {
        (Strength::Conclusive, 0) => Certainty::Proven,
        (Strength::Leading, 0) => Certainty::Likely,
        _ => Certainty::Possible,
    }
}

/// One cause with what the text says for it.
pub(super) struct RankedCause {
    pub cause: Cause,
    pub certainty: Certainty,
    pub evidence: Vec<String>,
}

impl RankedCause {
    /// As a finding in the catalogue's words.
    pub(super) fn into_finding(self) -> Finding {
        let mut finding =
            Finding::new(self.cause, Finder::Explain, self.certainty, catalogue::entry(self.cause).meaning.clone());
        finding.evidence = self.evidence;
        finding
    }
}
