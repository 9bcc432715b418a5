//! What a rule is: which phrases and codes show it, and which causes it then offers.

use crate::cause::Cause;

/// A cloud whose answers the rules know.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Provider {
    Aws,
    Azure,
    Gcp,
}

impl Provider {
    /// The stable id, as it stands in JSON.
    pub const fn id(self) -> &'static str {
        match self {
            Provider::Aws => "aws",
            Provider::Azure => "azure",
            Provider::Gcp => "gcp",
        }
    }
}

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
pub(super) enum Force {
    /// The text names the cause.
    Names,
    /// The text points at the first cause; the others are seen more rarely behind it.
    Points,
    /// The text is given for all of these causes alike.
    Asks,
    /// A message that follows from an earlier failure; counts only where nothing else spoke.
    Echoes,
    /// Words of a description rather than of a message; counts only where no message was found.
    Hints,
}

/// One thing a cloud, SDK or tool says, and what it can mean.
///
/// A phrase is matched without regard to letter case in the text on one line. A `|` at its start or end
/// stands for a boundary: no letter or digit may follow there.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rule {
    pub provider: Option<Provider>,
    pub stage: Stage,
    pub force: Force,
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
    const fn new(stage: Stage, force: Force, any: &'static [&'static str], causes: &'static [Cause]) -> Rule {
        Rule { provider: None, stage, force, codes: &[], any, with: &[], without: &[], causes }
    }

    /// The text names the cause.
    pub(super) const fn names(stage: Stage, any: &'static [&'static str], causes: &'static [Cause]) -> Rule {
        Rule::new(stage, Force::Names, any, causes)
    }

    /// The text points at the first cause.
    pub(super) const fn points(stage: Stage, any: &'static [&'static str], causes: &'static [Cause]) -> Rule {
        Rule::new(stage, Force::Points, any, causes)
    }

    /// The text leaves all these causes open.
    pub(super) const fn asks(stage: Stage, any: &'static [&'static str], causes: &'static [Cause]) -> Rule {
        Rule::new(stage, Force::Asks, any, causes)
    }

    /// A consequence of something earlier.
    pub(super) const fn echoes(stage: Stage, any: &'static [&'static str], causes: &'static [Cause]) -> Rule {
        Rule::new(stage, Force::Echoes, any, causes)
    }

    /// Words of a description.
    pub(super) const fn hints(stage: Stage, any: &'static [&'static str], causes: &'static [Cause]) -> Rule {
        Rule::new(stage, Force::Hints, any, causes)
    }

    /// The rule shows this provider.
    pub(super) const fn of(mut self, provider: Provider) -> Rule {
        self.provider = Some(provider);
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
