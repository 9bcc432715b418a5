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

/// A table of rules, one in each entry: `CLOUD STAGE STRENGTH codes […] says […] with [[…], …] without […] => [CAUSES];`. `_` is
/// every cloud; what is left out is empty; a list may be a constant's name.
macro_rules! rules {
    (@cloud _) => { None };
    (@cloud $cloud:ident) => { Some($crate::domain::ids::Cloud::$cloud) };
    (@list) => { &[] };
    (@list $name:ident) => { $name };
    (@list [$($item:expr),* $(,)?]) => { &[$($item),*] };
    (@groups) => { &[] };
    (@groups [$($group:tt),* $(,)?]) => { &[$(rules!(@list $group)),*] };
    ($($cloud:tt $stage:ident $strength:ident $(codes $codes:tt)? $(says $says:tt)? $(with $with:tt)?
       $(without $without:tt)? => $causes:tt;)*) => {
        pub(super) const RULES: &[$crate::cause::explain::rule::Rule] = &[$($crate::cause::explain::rule::Rule {
            cloud: rules!(@cloud $cloud),
            stage: $crate::cause::explain::rule::Stage::$stage,
            strength: $crate::cause::explain::rule::Strength::$strength,
            codes: rules!(@list $($codes)?),
            any: rules!(@list $($says)?),
            with: rules!(@groups $($with)?),
            without: rules!(@list $($without)?),
            causes: rules!(@list $causes),
        }),*];
    };
}
pub(super) use rules;

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
